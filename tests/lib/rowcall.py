# SPDX-License-Identifier: Apache-2.0
"""Runs the rowcall program under test and reads what it says.

Every run gets an environment without databases, a directory of its own (no rowcall.yaml is found upwards) and a state directory there.
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import threading

from servers import clean_environment
from waiting import await_true, end

TOP = pathlib.Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3"
LISTENING = re.compile(r"listening on (\S+)")
VERDICT = re.compile(r"^rowcall: (PASS|FAIL|UNUSABLE) findings=(\d+) requests=(\d+) queries=(\d+)$")


def program(preset):
    """The program of a preset. ROWCALL_PROGRAM names another one for all tests."""
    return pathlib.Path(os.environ.get("ROWCALL_PROGRAM") or TOP / "build" / preset / "proxy" / "rowcall")


class Outcome:
    """How a run of the program ended: status (negative: by that signal), out, err, and the JSON report if it wrote one."""

    def __init__(self, status, out, err, report):
        self.status, self.out, self.err, self.report = status, out, err, report

    @property
    def verdict(self):
        """("PASS", findings, requests, queries) from the last line."""
        lines = self.err.rstrip("\n").splitlines()
        match = VERDICT.match(lines[-1]) if lines else None
        assert match, f"no verdict line at the end of: {self.err}"
        return (match[1], *map(int, match.groups()[1:]))

    def __repr__(self):
        return f"status {self.status}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Running:
    """A started rowcall whose output is collected while it runs."""

    def __init__(self, arguments, report, **popen):
        self.report_file = report
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        errors="replace", **popen)
        self.text = {"stdout": "", "stderr": ""}
        self.readers = [threading.Thread(target=self.collect, args=(name,), daemon=True) for name in self.text]
        for reader in self.readers:
            reader.start()

    def collect(self, name):
        for line in getattr(self.process, name):
            self.text[name] += line

    @property
    def err(self):
        return self.text["stderr"]

    @property
    def out(self):
        return self.text["stdout"]

    def await_text(self, pattern, name="stderr"):
        """The match of pattern in what it has said so far, awaited while it runs."""
        def found():
            match = re.search(pattern, self.text[name], re.M)
            assert match or self.process.poll() is None, f"ended without saying {pattern!r}: {self.text}"
            return match
        return await_true(found, f"{pattern!r} in {name}")

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, sign=None):
        """The outcome, after a signal if one is given."""
        if sign is not None:
            end(self.process, sign)
        status = self.process.wait(120)
        for reader in self.readers:
            reader.join(30)
        return Outcome(status, self.out, self.err, read_json(self.report_file))

    def abandon(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Proxy(Running):
    """`rowcall proxy` that accepts connections. stop() drains it and returns the Outcome."""

    def await_listeners(self, count):
        await_true(lambda: self.process.poll() is not None or len(LISTENING.findall(self.err)) >= count, "the proxy to listen")
        assert self.process.poll() is None, f"proxy ended: {self.err}"
        self.addresses = LISTENING.findall(self.err)
        self.port = int(self.addresses[0].rpartition(":")[2]) if ":" in self.addresses[0] else None

    def stop(self):
        return self.wait(signal.SIGTERM)

    def url(self, user="app", database="app", query="", scheme="postgresql"):
        return f"{scheme}://{user}:{user}@127.0.0.1:{self.port}/{database}{query}"


class Rowcall:
    """The program under test, run in one directory."""

    def __init__(self, directory, preset="release"):
        self.program, self.dir, self.started = program(preset), directory, []
        self.reports = 0

    def environment(self, env):
        # A pause of a busy machine is not to part what a test sends in one go: hence an idle gap above the default.
        return clean_environment(XDG_STATE_HOME=str(self.dir / "state"), LC_ALL="C.UTF-8", PYTHONDONTWRITEBYTECODE="1",
                                 ROWCALL_IDLE_GAP="800ms", ASAN_OPTIONS="detect_leaks=1:exitcode=99",
                                 UBSAN_OPTIONS="halt_on_error=1:exitcode=98") | (env or {})

    def report_name(self):
        self.reports += 1
        return self.dir / f"report{self.reports}.json"

    def start(self, *arguments, kind=Running, env=None, cwd=None, report=None, **popen):
        running = kind([str(self.program), *map(str, arguments)], report, env=self.environment(env), cwd=cwd or self.dir, **popen)
        self.started.append(running)
        return running

    def __call__(self, *arguments, **more):
        """Runs it to its end."""
        return self.start(*arguments, **more).wait()

    def start_run(self, *arguments, **more):
        """`rowcall run` with a JSON report beside what the arguments ask for."""
        report = self.report_name()
        return self.start("run", "--report", "text", "--report", f"json:{report}", *arguments, report=report, **more)

    def run(self, *arguments, **more):
        return self.start_run(*arguments, **more).wait()

    def python(self, code, *options, **more):
        """`rowcall run` of a Python program given as text."""
        return self.run(*options, "--", PYTHON, "-c", code, **more)

    def proxy(self, *upstreams, options=(), listen="127.0.0.1:0", **more):
        """A proxy in front of these upstream URLs, each with a listener on a port of its own, ready for connections."""
        report = self.report_name()
        pairs = [argument for url in upstreams for argument in ("--listen", listen, "--upstream", url)]
        proxy = self.start("proxy", *pairs, "--report", f"json:{report}", *options, kind=Proxy, report=report, **more)
        proxy.await_listeners(len(upstreams))
        return proxy

    def abandon(self):
        for running in self.started:
            running.abandon()


def read_json(path):
    if path is None or not path.exists():
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)
