# SPDX-License-Identifier: Apache-2.0
"""Waits for an interrupt, then half a second for more, and says how many came."""
import signal
import time

seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append(1))
print("ready", flush=True)
end = time.monotonic() + 20
while not seen and time.monotonic() < end:
    time.sleep(0.05)
time.sleep(0.5)                     # long enough for a second one to arrive
print("interrupted", len(seen), flush=True)
