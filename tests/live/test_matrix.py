# SPDX-License-Identifier: Apache-2.0
"""Each client of tests/matrix, direct and through rowcall: the same bytes, and no session that rowcall lost sight of.

ROWCALL_WRITE_TABLES=1: a run of all of them writes tests/matrix.md. ROWCALL_TEST_SERVERS: URLs of more servers, separated by spaces, to run the clients of the core
against (postgresql://…, mysql://…, mariadb://…; the account must be allowed everything; database "matrix" is made anew)."""
import contextlib
import json
import os
import re
import subprocess
import sys

import jsonschema
import pytest

from rowcall import TOP
from servers import MariaDB

sys.path.insert(0, str(TOP / "tests/matrix"))

import ledger                                   # noqa: E402
from clients import CLIENTS                     # noqa: E402
from sides import MySQLSide, PostgreSQLSide     # noqa: E402

SCHEMA = json.loads((TOP / "reports/report.schema.json").read_text())
SECONDS = 120   # for one run of one client
EXTRA = os.environ.get("ROWCALL_TEST_SERVERS", "").split()


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    return tmp_path_factory.mktemp("matrix")


@pytest.fixture(scope="module")
def side(request):
    """The server of a kind."""
    made = {}
    with contextlib.ExitStack() as servers:
        def of(kind):
            if kind not in made:
                server = request.getfixturevalue("pg") if kind == "postgresql" else servers.enter_context(MariaDB(history=True))
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

Written by tests/live/test_matrix.py. Each client runs one program against PostgreSQL 15 or MariaDB 10.11, direct and through rowcall. Differences:
bytes of its output that differ. Opaque: sessions that rowcall forwarded without reading, expected (cancel requests, replication) and not.
Statements and errors: as rowcall counted them (without the polls of clients that wait for a query to run).

| client | server | what it did | differences | opaque | unexpectedly | statements | errors |
|---|---|---|---|---|---|---|---|
"""
POLLS = re.compile("pg_stat_activity|processlist", re.I)


def run(command, environment):
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    return done.stdout


def both_ways(rowcall, side, command):
    """Runs it direct and through rowcall: both outputs, how rowcall ended, what the server says of the second."""
    side.recreate()
    direct = run(command, side.environment())
    side.recreate()
    mark = side.mark()
    proxy = rowcall.proxy(side.url, options=["--allow-empty"])
    through = run(command, side.environment(proxy.port))
    return direct, through, proxy.stop(), side.ledger(mark)


def assert_followed(outcome, client):
    assert outcome.status == 0, outcome
    jsonschema.validate(outcome.report, SCHEMA)
    coverage = outcome.report["coverage"]
    assert coverage["opaque_unexpected"] == coverage["lost"] == 0
    assert coverage["opaque_expected"] == client.opaque


def assert_same_figures(program, dialect, report, entries, client):
    """Executions, errors and rows of each shape as the server saw them."""
    unexecuted, skipped, differences = ledger.compare(ledger.by_shape(program, dialect, entries), ledger.of_report(report))
    assert not differences, "".join(f"\n{shape}\n    server:  {said}\n    rowcall: {told}" for shape, said, told in differences)
    assert (unexecuted, skipped) == (client.unexecuted, client.skipped)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_client(rowcall, side, build, table, client):
    if reason := client.missing():
        table[client.name] = (client.name, client.server, reason, "", "", "", "", "")
        pytest.skip(reason)
    direct, through, outcome, entries = both_ways(rowcall, side(client.server), client.command(client, build))
    assert through == direct
    assert_followed(outcome, client)
    report = outcome.report
    statements, errors = report["coverage"]["statements"], sum(shape["errors"] for shape in report["shapes"])
    assert_same_figures(rowcall.program, side(client.server).dialect, report, entries, client)
    polls = sum(shape["executions"] for shape in report["shapes"] if POLLS.search(shape["shape"]))
    parts = dict.fromkeys(re.findall(r"^== (\w+)$", direct.decode(errors="replace"), re.M))
    table[client.name] = (client.name, client.server, ", ".join(parts), 0, client.opaque, 0, statements - polls, errors)


def extra_runs():
    for url in EXTRA:
        for client in CLIENTS:
            if client.core and client.server == ("postgresql" if url.startswith("postgres") else "mysql"):
                yield pytest.param(url, client, id=f"{url.partition('//')[2].rpartition('@')[2]}-{client.name}")


@pytest.mark.skipif(not EXTRA, reason="ROWCALL_TEST_SERVERS names no more servers")
@pytest.mark.parametrize("url, client", list(extra_runs()) or [(None, None)])
def test_client_on_more_servers(rowcall, build, url, client):
    if reason := client.missing():
        pytest.skip(reason)
    side = (PostgreSQLSide if client.server == "postgresql" else MySQLSide)(url)
    direct, through, outcome, entries = both_ways(rowcall, side, client.command(client, build))
    assert through == direct
    assert_followed(outcome, client)
    assert outcome.report["coverage"]["statements"] > 0
