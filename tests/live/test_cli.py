# SPDX-License-Identifier: Apache-2.0
"""The command line as a person at a terminal, a CI job and a process manager use it."""
import contextlib
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import time
import urllib.request

import psycopg2
import pytest

from rowcall import PYTHON
from servers import PostgreSQL
from waiting import await_true, free_port

WAIT_FOR_INTERRUPTS = pathlib.Path(__file__).resolve().parent / "programs/wait_for_interrupts.py"

# --- a terminal ---------------------------------------------------------------------------------------------------------------------

class Terminal:
    """An interactive shell on a terminal of its own, in the directory of the program under test."""

    def __init__(self, rowcall, env):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(rowcall.dir)
            os.execve("/bin/bash", ["bash", "--norc", "--noprofile", "-i"], rowcall.environment(env) | {"PS1": "$ ", "TERM": "dumb"})

    def type(self, text):
        os.write(self.fd, text.encode())

    def await_text(self, pattern, seconds=30):
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text, re.M):
            assert time.monotonic() < end, f"{pattern!r} does not come: {self.text}"
            if select.select([self.fd], [], [], 0.1)[0]:
                self.text += os.read(self.fd, 65536).decode(errors="replace").replace("\r\n", "\n")

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(os.getpgid(self.pid), signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.fixture
def terminal(rowcall, pg):
    shell = Terminal(rowcall, {"DATABASE_URL": pg.url(), "R": f"{rowcall.program} run --allow-empty --color never --"})
    shell.await_text(r"\$ $")
    yield shell
    shell.close()


def test_the_key_reaches_the_command_once(terminal):
    terminal.type(f"$R {PYTHON} {WAIT_FOR_INTERRUPTS}; echo status=$?\n")
    terminal.await_text("^ready")
    terminal.type("\x03")
    terminal.await_text(r"^status=\d+")
    assert "interrupted 1" in terminal.text
    assert terminal.text.index("interrupted 1") < terminal.text.index("rowcall: PASS")


def test_a_signal_by_number_reaches_it_once_there_too(terminal):
    terminal.type(f"$R {PYTHON} {WAIT_FOR_INTERRUPTS} & sleep 0.1; echo pid=$!\n")
    terminal.await_text(r"\bready$")
    terminal.await_text(r"^pid=\d+")
    os.kill(int(re.search(r"^pid=(\d+)", terminal.text, re.M)[1]), signal.SIGINT)
    terminal.await_text(r"\binterrupted 1$")


def test_what_stands_behind_us_in_a_pipe_keeps_the_terminal(terminal, rowcall):
    (rowcall.dir / "pager.py").write_text("import time; time.sleep(1); print('typed:', open('/dev/tty').readline())")
    terminal.type(f"$R sleep 3 2>/dev/null | {PYTHON} pager.py\n")
    time.sleep(2)
    terminal.type("hello\n")
    terminal.await_text("^typed: hello")


def test_stop_and_go_on(terminal):
    terminal.type("$R sh -c 'echo began; sleep 2; echo done'\n")
    terminal.await_text("^began")
    terminal.type("\x1a")
    terminal.await_text("Stopped")
    time.sleep(2.5)
    assert not re.search("^done", terminal.text, re.M), "it slept on while it was stopped"
    terminal.type("fg\n")
    terminal.await_text("^done")
    terminal.await_text("^rowcall: PASS")


def test_what_is_typed_is_the_commands(terminal):
    terminal.type("$R sh -c 'read line; echo got $line'\n")
    terminal.await_text("leads to")
    terminal.type("words\n")
    terminal.await_text("^got words")


# --- started by other programs ------------------------------------------------------------------------------------------------------

def test_what_was_ignored_stays_ignored(rowcall, pg):
    """nohup: neither we nor the command may die of SIGHUP."""
    code = "import signal; print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN, flush=True); signal.sigtimedwait([], 2)"
    run = rowcall.start_run("--allow-empty", "--", PYTHON, "-c", code, env={"DATABASE_URL": pg.url()},
                            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    run.await_text("^True", "stdout")
    run.signal(signal.SIGHUP)
    assert run.wait().status == 0


def test_a_parent_that_ignores_its_children(rowcall, pg):
    run = rowcall.start_run("--allow-empty", "--", "sh", "-c", "exit 7", env={"DATABASE_URL": pg.url()},
                            preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    assert run.wait().status == 7


def test_nothing_is_left_behind(rowcall, pg, tmp_path):
    places = tmp_path / "tmp"
    places.mkdir()
    run = rowcall.start_run("--allow-empty", "--", "sleep", "30", env={"PGHOST": str(pg.dir), "PGPORT": str(pg.port), "TMPDIR": str(places),
                                                                       "XDG_RUNTIME_DIR": ""})
    run.await_text("leads to")
    assert list(places.glob("rowcall-*/0/.s.PGSQL.*"))
    run.signal(signal.SIGTERM)
    assert run.wait().status == 128 + signal.SIGTERM
    assert not list(places.iterdir())


def test_the_last_line_even_where_nothing_could_be_captured(rowcall):
    run = rowcall("run", "--", "true", env={"DATABASE_URL": f"postgresql://127.0.0.1:{free_port()}/app"})
    assert run.status == 11
    assert run.verdict == ("UNUSABLE", 0, 0, 0)


def test_without_preflight_the_command_runs(rowcall):
    run = rowcall("run", "--no-preflight", "--allow-empty", "--", "echo", "ran", env={"DATABASE_URL": f"postgresql://127.0.0.1:{free_port()}/app"})
    assert (run.status, run.out) == (0, "ran\n")


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_preflight_tells_one_database_from_the_other(rowcall, pg, my, scheme):
    other = my if scheme == "postgresql" else pg
    run = rowcall("run", "--connect-timeout", "1s", "--", "true", env={"DATABASE_URL": f"{scheme}://127.0.0.1:{other.port}/app"})
    assert run.status == 11, run
    assert f"not as {scheme} does" in run.err and f"127.0.0.1:{other.port}" in run.err


# --- MariaDB ------------------------------------------------------------------------------------------------------------------------

def test_mysql_localhost_becomes_an_address(rowcall, my):
    code = "import os; print(os.environ['DATABASE_URL'], os.environ['MYSQL_HOST'])"
    run = rowcall.python(code, "--allow-empty", env={"DATABASE_URL": f"mysql2://app:app@localhost:{my.port}/app", "MYSQL_HOST": "localhost",
                                                     "MYSQL_TCP_PORT": str(my.port)})
    assert run.status == 0, run
    assert re.fullmatch(r"mysql2://app:app@127\.0\.0\.1:\d+/app 127\.0\.0\.1\n", run.out)
    assert "user@localhost" in run.err


def test_a_mysql_socket_stays_a_socket(rowcall, my):
    code = """
import os, urllib.parse, pymysql
url = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
path = urllib.parse.parse_qs(url.query)["unix_socket"][0]
assert path == os.environ["MYSQL_UNIX_PORT"], path
cursor = pymysql.connect(unix_socket=path, user="app", password="app", database="app").cursor()
cursor.execute("SELECT name FROM things WHERE id = 1")
print(path)
"""
    original = my.socket
    run = rowcall.python(code, env={"DATABASE_URL": f"mysql://app:app@localhost/app?unix_socket={original}", "MYSQL_UNIX_PORT": str(original)})
    assert run.status == 0, run
    assert run.out.strip() != str(original) and not os.path.exists(run.out.strip())
    assert run.verdict[3] == 1 and len(run.report["run"]["upstreams"]) == 1


def test_both_engines_in_one_run(rowcall, pg, my):
    code = """
import os, psycopg2, pymysql, urllib.parse
one = psycopg2.connect(os.environ["DATABASE_URL"])
one.autocommit = True
url = urllib.parse.urlsplit(os.environ["LEGACY_DATABASE_URL"])
two = pymysql.connect(host=url.hostname, port=url.port, user="app", password="app", database="app")
for connection in one, two:
    connection.cursor().execute("SELECT name FROM things WHERE id = 1 /*rowcall_request='r1',rowcall_scope='both'*/")
"""
    run = rowcall.python(code, env={"DATABASE_URL": pg.url(), "LEGACY_DATABASE_URL": my.url()})
    assert run.status == 0, run
    both = [request for request in run.report["requests"] if request["scope"] == "both"]
    assert len(both) == 1 and len(both[0]["databases"]) == 2 and both[0]["queries"] == 2, both


# --- TLS of the server's leg ---------------------------------------------------------------------------------------------------------

IS_IT_TLS = """
import os, psycopg2
cursor = psycopg2.connect(os.environ.get("DATABASE_URL", "")).cursor()
cursor.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
print(cursor.fetchone()[0])
"""


@pytest.mark.parametrize("how", ["url", "variables"])
def test_the_server_is_verified_as_the_command_would_have(rowcall, tmp_path, how):
    with PostgreSQL(tls=True) as server, PostgreSQL(tls=True) as stranger:
        for ca, status in (server.ca, 0), (stranger.ca, 1):
            env = {"DATABASE_URL": f"postgresql://app@localhost:{server.port}/app?sslmode=verify-full&sslrootcert={ca}"}
            if how == "variables":
                env = {"PGHOST": "localhost", "PGPORT": str(server.port), "PGUSER": "app", "PGDATABASE": "app", "PGSSLMODE": "verify-full",
                       "PGSSLROOTCERT": str(ca)}
            run = rowcall.python(IS_IT_TLS, "--allow-empty", env=env)
            assert run.status == status, run
            assert run.out == ("True\n" if status == 0 else "")
            if status:
                assert "certificate" in run.err, "the command hears why"


# --- servers that were not named ----------------------------------------------------------------------------------------------------

def test_another_server_in_the_environment_stays_and_is_told(rowcall, pg):
    run = rowcall.python("import os; print(os.environ['OTHER_URL'])", "--allow-empty", "--upstream", pg.url(),
                         env={"DATABASE_URL": pg.url(), "OTHER_URL": "mysql://db.example/x"})
    assert (run.status, run.out) == (0, "mysql://db.example/x\n"), run
    assert "OTHER_URL stays as it is" in run.err and "DATABASE_URL leads to" in run.err


# --- configuration ------------------------------------------------------------------------------------------------------------------

def test_config_show_tells_what_is_in_force_and_why(rowcall, tmp_path):
    (tmp_path / "rowcall.yaml").write_text("workers: 2\nlisten:\n  - {address: '127.0.0.1:1', upstream: 'postgresql://u:secret@db/x'}\n")
    run = rowcall("config", "show", "--max-queries", "5", env={"ROWCALL_RTT": "2ms"})
    assert run.status == 0, run
    lines = {line.split()[0]: line for line in run.out.splitlines()}
    assert lines["workers"].endswith("# rowcall.yaml:1") and " 2 " in lines["workers"]
    assert lines["gate.max_queries"].endswith("# flag")
    assert lines["rtt"].endswith("# ROWCALL_RTT")
    assert lines["slow.query"].endswith("# default")
    assert "secret" not in run.out and "u:***@db" in run.out


def test_config_check(rowcall, tmp_path):
    (tmp_path / "rowcall.yaml").write_text("budgets:\n  - {scope: '*', max_queries: 5}\n")
    run = rowcall("config", "check")
    assert (run.status, run.out) == (0, "rowcall.yaml is fine: 0 listeners, 1 budget, 0 allowed findings\n"), run
    (tmp_path / "rowcall.yaml").write_text("budgets:\n  - {scope: '*', max_queries: five}\n")
    run = rowcall("config", "check")
    assert run.status == 2 and "rowcall.yaml:2:31:" in run.err, run


def test_a_misspelt_variable_is_told(rowcall):
    run = rowcall("config", "check", env={"ROWCALL_MAX_QUERY": "3"})
    assert run.status == 0 and "did you mean ROWCALL_MAX_QUERIES?" in run.err, run


# --- the admin port -----------------------------------------------------------------------------------------------------------------

def test_marks_with_a_token(rowcall, pg, tmp_path):
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    token.chmod(0o600)
    code = f"""
import os, subprocess, psycopg2
subprocess.run([{str(rowcall.program)!r}, "mark", "t.py::one"], check=True)
connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.autocommit = True
connection.cursor().execute("SELECT name FROM things WHERE id = 1")
env = dict(os.environ)
del env["ROWCALL_ADMIN_TOKEN_FILE"]
print(subprocess.run([{str(rowcall.program)!r}, "mark", "x"], env=env, stderr=subprocess.DEVNULL).returncode)
"""
    run = rowcall.python(code, "--admin", "127.0.0.1:0", "--admin-token-file", token, env={"DATABASE_URL": pg.url()})
    assert (run.status, run.out) == (0, "11\n"), run
    assert run.report["requests"][0]["test"] == "t.py::one"
    token.chmod(0o644)
    run = rowcall.python("", "--admin-token-file", token, env={"DATABASE_URL": pg.url()})
    assert run.status == 2 and "others can read" in run.err


def test_counters(rowcall, pg):
    port = free_port()
    proxy = rowcall.proxy(pg.url(), options=["--admin", f"127.0.0.1:{port}"])

    def counters():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/counters") as answer:
            return json.load(answer)

    first = counters()
    assert first["sessions"]["accepted"] == 0 and first["bytes"] == {"to_server": 0, "to_client": 0}
    with contextlib.closing(psycopg2.connect(proxy.url())) as connection, connection.cursor() as cursor:
        for _ in range(20):
            cursor.execute("SELECT name FROM things WHERE id = 1")
        before = await_true(lambda: (seen := counters())["statement_cache"]["hits"] >= 18 and seen, "the cache to be told")
        assert before["sessions"]["accepted"] == before["sessions"]["open"] == 1 and before["truncated"] == {"texts": 0, "tags": 0}
        cursor.execute("SELECT repeat('x', 1000000) || %s", ("y" * 2_000_000,))
        assert len(cursor.fetchone()[0]) == 3_000_000
        after = await_true(lambda: (seen := counters())["truncated"]["texts"] == 1 and seen, "the long text to be told")
        moved = {way: after["bytes"][way] - before["bytes"][way] for way in after["bytes"]}
        assert 2_000_000 < moved["to_server"] < 2_001_000 and 3_000_000 < moved["to_client"] < 3_001_000, moved
    subprocess.run(["psql", "-qAtXc", "IDENTIFY_SYSTEM", proxy.url("scram", query="?replication=1")], check=True, stdout=subprocess.DEVNULL)
    last = await_true(lambda: (seen := counters())["sessions"]["open"] == 0 and seen, "the sessions to end")
    assert last["sessions"]["accepted"] == 2 and not any(last["opaque_unexpected"].values()) and last["lost"] == 0
    assert sum(last["opaque_expected"].values()) == last["opaque_expected"]["replication"] == 1
    assert last["uptime_ms"] > first["uptime_ms"] and last["statement_cache"]["hit_percent"] > 70
    end = proxy.stop()
    assert re.search(r"2 sessions, 2\.0 MB to servers, 3\.0 MB to clients; the statement cache knew \d+\.\d% of the texts", end.err), end


def test_ping_health_and_a_live_snapshot(rowcall, pg):
    port = free_port()
    proxy = rowcall.proxy(pg.url(), options=["--admin", f"127.0.0.1:{port}"])
    assert rowcall("ping", "--url", f"http://127.0.0.1:{port}").status == 0
    subprocess.run(["psql", "-qAtXc", "SELECT name FROM things WHERE id = 1", proxy.url()], check=True, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/snapshot") as answer:
            snapshot = json.load(answer)
        if snapshot["coverage"]["queries"] == 1:
            break
        time.sleep(0.1)
    assert snapshot["coverage"]["queries"] == 1
    assert proxy.stop().status == 0
    assert rowcall("ping", "--url", f"http://127.0.0.1:{port}").status == 11


def test_hup_does_not_end_a_proxy(rowcall, pg):
    proxy = rowcall.proxy(pg.url())
    proxy.signal(signal.SIGHUP)
    proxy.await_text("was read anew")
    assert proxy.stop().status == 0


@pytest.mark.parametrize("command", ["run", "proxy", "report", "merge", "diff", "fix", "mark", "ping", "fingerprint", "config"])
def test_help_is_the_same_both_ways(rowcall, command):
    asked, told = rowcall("help", command), rowcall(command, "--help")
    assert asked.status == told.status == 0 and asked.out == told.out and not asked.err, asked
    assert asked.out.startswith(f"usage: rowcall {command} ")
    assert len(re.findall(r"^ +(?:-\w, )?--[\w\[\]-]+", asked.out, re.M)) >= 3, "its options are told"


def test_help_of_diff_names_its_formats_only(rowcall):
    told = " ".join(rowcall("help", "diff").out.split())
    assert "text, markdown, json, html; without FILE to standard output" in told and "junit" not in told
