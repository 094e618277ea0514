# SPDX-License-Identifier: Apache-2.0
"""Waiting for conditions, and processes that cannot outlive the tests.

Never sleeps for a fixed time and hopes: everything awaited has a name and a deadline, and a missed deadline says what was missed.
"""
import contextlib
import os
import signal
import socket
import subprocess
import time

DEADLINE = 30.0     # seconds; generous, since a missed deadline is always a failure
SANITIZED = 3.0     # how much slower a sanitized program may be


def await_true(condition, what, seconds=DEADLINE):
    """Calls condition until it returns something true and returns that; AssertionError naming `what` after the deadline."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.01)


def free_port():
    """A TCP port that was free a moment ago on 127.0.0.1."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(host, port):
    """Does somebody accept connections there?"""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


def as_user(user, command):
    """The command under another account when we are root (servers refuse to run as root), and in any case one that ends with us."""
    become = ["--reuid", user, "--regid", user, "--init-groups"] if os.getuid() == 0 and user != "root" else []
    return ["setpriv", *become, "--pdeathsig", "KILL", "--", *command]


def end(process, sign=signal.SIGTERM, seconds=DEADLINE):
    """Signals a process we started and returns its status; kills it after the deadline."""
    if process.poll() is None:
        process.send_signal(sign)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"{process.args} did not end within {seconds:.0f} s of {sign.name}") from None
