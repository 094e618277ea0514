# SPDX-License-Identifier: Apache-2.0
"""Each client of tests/matrix, direct and through rowcall: the same bytes, no session that rowcall lost sight of, and each statement with the text,
the parameters, the error, the rows and at least the time that the server itself tells of it.

ROWCALL_WRITE_TABLES=1: a run of all of them writes tests/matrix.md.
ROWCALL_TEST_SERVERS: URLs of more servers, separated by blanks, to run the clients of the core against (postgresql://…, mysql://…,
mariadb://…; the account must be allowed everything; the database "matrix" is made anew).
ROWCALL_TEST_PSQL, ROWCALL_TEST_MYSQL: commands of newer clients, run against those of these servers that are their own, over each pair of legs.
"""
import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import urllib.request

import jsonschema
import pytest

from rowcall import TOP
from servers import MariaDB, PostgreSQL, certificates
from waiting import await_true

sys.path.insert(0, str(TOP / "tests/matrix"))

import ledger                                   # noqa: E402
import recording                                # noqa: E402
import statements                               # noqa: E402
from clients import CLIENTS                     # noqa: E402
from sides import MySQLSide, PostgreSQLSide     # noqa: E402

SCHEMA = json.loads((TOP / "reports/report.schema.json").read_text())
RECORDING = "matrix.rowcall"
SECONDS = 120   # for one run of one client
LOGIN = 512     # bytes of a login, either way, at most: MariaDB counts them twice
EXTRA = os.environ.get("ROWCALL_TEST_SERVERS", "").split()


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    return tmp_path_factory.mktemp("matrix")


@pytest.fixture(scope="module")
def side():
    """The server of a kind."""
    made = {}
    with contextlib.ExitStack() as servers:
        def of(kind):
            if kind not in made:
                server = servers.enter_context(PostgreSQL(preload="pg_stat_statements") if kind == "postgresql" else MariaDB(history=True))
                made[kind] = PostgreSQLSide(server.url("scram"), server) if kind == "postgresql" else MySQLSide(server.url(), server)
            return made[kind]
        yield of


@pytest.fixture(scope="module")
def table():
    """Rows by client; written when every client is there or known to be missing."""
    rows = {}
    yield rows
    if len(rows) == len(CLIENTS) and os.environ.get("ROWCALL_WRITE_TABLES"):
        lines = [rows[client.name] for client in CLIENTS]
        (TOP / "tests/matrix.md").write_text(HEAD + "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines))


HEAD = """\
# Clients

Written by tests/live/test_matrix.py (`tests/run --tables`). Each client runs one program against PostgreSQL 15 or MariaDB 10.11, direct and
through rowcall. What rowcall counted and recorded is set beside what the server itself says of the same statements: its log with durations and the
rows of plans (auto_explain), or its performance schema and general log.

- **Differences**: bytes of the client's output that differ.
- **Sessions** in the database, as the server counts them; rowcall's counters say the same, and the same bytes each way as MariaDB does.
- **Opaque**: sessions that rowcall forwarded without reading, expected (cancel requests, replication) and **unexpectedly**.
- **Shapes, statements, errors**: as rowcall counted them, without the polls of clients that wait for a query to run.
- **Texts, parameters, rows**: of how many statements the text, how many parameters, and of how many statements the rows were told by the server too,
  and are the same. So is every error code, and no statement took the server longer than rowcall says its client waited (where that can be told:
  not within a batch). PostgreSQL tells the rows of FETCH and COPY by text (pg_stat_statements), and none of SHOW and its like.
- **Wrong**: statements or shapes with any difference in that.
- **Without text**: recorded without, as they are empty, longer than 16 KiB, or what EXECUTE in SQL executes; compared by shape.
- **Unread**: parameters that are binary of a type nobody told, or were sent as long data: their value is not known.
- **Unexecuted**: statements that failed when they were prepared and that the client never asked to execute, which rowcall does not count.
- **Skipped**: executions that were asked for, and that the server passed over after an error in a pipeline: among none of these numbers.

| client | server | what it did | differences | sessions | opaque | unexpectedly | shapes | statements | errors | texts | parameters | rows | wrong | without text | unread | unexecuted | skipped |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
"""
POLLS = re.compile("pg_stat_activity|processlist", re.I)


def run(command, environment):
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    return done.stdout


def counted(proxy):
    """What it says at its admin port of itself."""
    with urllib.request.urlopen(proxy.await_text(r"counters at (http://\S+)")[1] + "/api/v1/counters") as answer:
        return json.load(answer)


def both_ways(rowcall, side, command, options=()):
    """Runs it direct and through rowcall: both outputs, rowcall's counters at its end and how it ended, what the server says of the second."""
    side.recreate()
    direct = run(command, side.environment())
    side.recreate()
    mark = side.mark()
    proxy = rowcall.proxy(side.url, options=["--admin", "127.0.0.1:0", "--allow-empty", "--record", rowcall.dir / RECORDING, "--record-values", *options])
    through = run(command, side.environment(proxy.port))
    counters = await_true(lambda: (told := counted(proxy))["sessions"]["open"] == 0 and told, "the sessions to end")
    return direct, through, counters, proxy.stop(), side.ledger(mark)


def assert_followed(outcome, client):
    assert outcome.status == 0, outcome
    jsonschema.validate(outcome.report, SCHEMA)
    coverage = outcome.report["coverage"]
    assert coverage["opaque_unexpected"] == coverage["lost"] == 0
    assert coverage["opaque_expected"] == client.opaque


def assert_counted(counters, client, side):
    """Sessions, bytes each way, opaque sessions by reason, truncations: as the server counts them, and as the client is known."""
    sessions, moved = side.traffic()
    opaque = {reason: n for reason, n in counters["opaque_expected"].items() if n}
    assert sum(opaque.values()) == client.opaque and opaque.keys() <= {"cancel-request", "replication"}
    assert not any(counters["opaque_unexpected"].values())
    # To PostgreSQL neither of those is a session in a database.
    assert counters["sessions"]["accepted"] == sessions + client.opaque
    assert counters["sessions"]["refused"] == counters["sessions"]["upstream_failures"] == 0
    assert counters["truncated"] == {"texts": client.cut, "tags": 0}
    assert counters["lost"] == 0
    assert counters["bytes"]["to_client"] > 32 << 20, "each client is sent a row, or a backup, of that size"
    for way, n in (moved or {}).items():
        assert 0 <= n - counters["bytes"][way] <= LOGIN * sessions, (way, n, counters["bytes"])
    return sessions


def assert_same_figures(dialect, report, entries, shapes, moved, recorded, client):
    """Executions, errors and rows of each shape as the server saw them, and then each statement by itself."""
    unexecuted, differences = ledger.compare(ledger.by_shape(entries, shapes), ledger.of_report(report))
    assert not differences, "".join(f"\n{shape}\n    server:  {said}\n    rowcall: {told}" for shape, said, told in differences)
    assert unexecuted == client.unexecuted
    assert report["coverage"]["skipped"] <= client.skipped, "how many had been sent when the error came depends on who was faster"
    compared = statements.compare(dialect, entries, shapes, moved, recorded, POLLS)
    assert not compared.differences, "".join(f"\n{whose}: {shape}\n    {what!r:.600}" for whose, shape, what in compared.differences)
    assert (compared.unexecuted, compared.skipped) == (unexecuted, report["coverage"]["skipped"])
    assert (compared.textless, compared.unread) == (client.textless, client.unread)
    assert compared.times > 0 or not recorded
    return compared


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_client(rowcall, side, build, table, client):
    if reason := client.missing():
        table[client.name] = (client.name, client.server, reason, *[""] * 15)
        pytest.skip(reason)
    direct, through, counters, outcome, entries = both_ways(rowcall, side(client.server), client.command(client, build))
    assert through == direct
    assert_followed(outcome, client)
    sessions = assert_counted(counters, client, side(client.server))
    report = outcome.report
    errors = sum(shape["errors"] for shape in report["shapes"])
    dialect = side(client.server).dialect
    compared = assert_same_figures(dialect, report, entries, ledger.shapes(rowcall.program, dialect, entries), side(client.server).moved(),
                                   recording.statements(rowcall.program, dialect, rowcall.dir / RECORDING), client)
    executions = sum(shape["executions"] for shape in report["shapes"] if not POLLS.search(shape["shape"]))
    parts = dict.fromkeys(re.findall(r"^== (\w+)$", direct.decode(errors="replace"), re.M))
    table[client.name] = (client.name, client.server, ", ".join(parts), 0, sessions, client.opaque, 0, len(report["shapes"]), executions,
                          errors, compared.texts, compared.params, compared.rows, 0, client.textless, client.unread, client.unexecuted, client.skipped)


def extra_runs():
    for url in EXTRA:
        for client in CLIENTS:
            if client.core and client.server == ("postgresql" if url.startswith("postgres") else "mysql"):
                yield pytest.param(url, client, id=f"{url.partition('//')[2].rpartition('@')[2]}-{client.name}")


def followed_on_extra(rowcall, url, client, command, options=(), **more):
    """Runs it against an extra server, direct and through rowcall: the outcome."""
    side = (PostgreSQLSide if client.server == "postgresql" else MySQLSide)(url, more=more)
    direct, through, _, outcome, _ = both_ways(rowcall, side, command, options)
    assert through == direct
    return direct, outcome


@pytest.mark.skipif(not EXTRA, reason="ROWCALL_TEST_SERVERS names no more servers")
@pytest.mark.parametrize("url, client", list(extra_runs()) or [(None, None)])
def test_client_on_more_servers(rowcall, build, url, client):
    if reason := client.missing():
        pytest.skip(reason)
    _, outcome = followed_on_extra(rowcall, url, client, client.command(client, build))
    assert_followed(outcome, client)
    assert outcome.report["coverage"]["statements"] > 0


LARGE_ROW = hashlib.md5(b"x" * (32 << 20) + b"\n").hexdigest().encode()     # as both scripts print it
OWN_CLIENTS = {"postgresql": ("psql", "PSQL"), "mysql": ("mariadb", "MYSQL")}   # by scheme: whose script, its variable
LEGS = {"plain": (["--server-tls", "disable"], False), "client leg": (["--client-tls", "require", "--server-tls", "disable"], True),
        "both legs": (["--client-tls", "require", "--server-tls", "require"], True), "passthrough": (["--client-tls", "passthrough"], True)}


def own_runs():
    for url in EXTRA:
        name, variable = OWN_CLIENTS.get(url.partition(":")[0], (None, None))
        if name and os.environ.get(f"ROWCALL_TEST_{variable}"):
            yield from (pytest.param(url, name, variable, legs, id=f"{url.rpartition('@')[2]}-{legs}") for legs in LEGS)


@pytest.mark.skipif(not list(own_runs()), reason="ROWCALL_TEST_PSQL and ROWCALL_TEST_MYSQL name no client of a server in ROWCALL_TEST_SERVERS")
@pytest.mark.parametrize("url, name, variable, legs", list(own_runs()) or [(None,) * 4])
def test_newer_client_on_its_server(rowcall, tmp_path, url, name, variable, legs):
    client = next(client for client in CLIENTS if client.name == name)
    options, tls = LEGS[legs]
    command = os.environ[f"ROWCALL_TEST_{variable}"]
    if variable == "MYSQL":
        command += " --no-defaults " + ("--ssl-mode=REQUIRED" if tls else "--ssl-mode=DISABLED --get-server-public-key")
    certificates(tmp_path, tmp_path)
    if "require" in options:
        options = [*options, "--client-cert", tmp_path / "server.crt", "--client-key", tmp_path / "server.key"]
    # Two certificates break channel binding, as they are to.
    output, outcome = followed_on_extra(rowcall, url, client, client.command(client, None), options,
                                        **{variable: command, "PGSSLMODE": "require" if tls else "disable", "PGCHANNELBINDING": "disable"})
    assert LARGE_ROW in output, "the client did not get as far as its last row"
    coverage = outcome.report["coverage"]
    if legs == "passthrough":
        assert outcome.status == 0 and coverage["opaque_unexpected"] == 0 < coverage["opaque_expected"], outcome
    else:
        assert_followed(outcome, client)
        assert coverage["statements"] > 0
