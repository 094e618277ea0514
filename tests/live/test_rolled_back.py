# SPDX-License-Identifier: Apache-2.0
"""What was rolled back, by hand or by an error, and what a pipeline (libpq's) never came to: rowcall's word beside what the table holds
in the end."""
import contextlib
import json
import shutil

import psycopg2
import pymysql
import pytest
from psycopg import pq

from recording import UNDONE, statements


@pytest.fixture
def proxied(rowcall, tmp_path, request):
    """proxied("pg" or "my"): a proxy that records, in front of an empty table kept; what tells its report and recorded statements; what tells the
    ids in the table."""
    servers = []

    def start(kind):
        server = request.getfixturevalue(kind)
        servers.append(server)
        server.sql("CREATE TABLE kept (id int PRIMARY KEY)", database="app")
        proxy = rowcall.proxy(server.url(), options=["--record", tmp_path / "recording", "--record-values"])

        def told():
            outcome = proxy.stop()
            assert outcome.status == 0, outcome
            return outcome.report, statements(rowcall.program, "postgresql" if kind == "pg" else "mysql", tmp_path / "recording")
        return proxy, told, lambda: {int(line) for line in server.sql("SELECT id FROM kept", database="app").split()}
    yield start
    for server in servers:
        server.sql("DROP TABLE kept", database="app")


def inserted(recorded, undone):
    """The ids of INSERTs that ended well and were rolled back, or were not."""
    return {int(statement.params[0] if statement.params else statement.text.partition("(")[2].rstrip(") "))
            for statement in recorded if statement.text and statement.text.startswith("INSERT INTO kept") and statement.outcome == "ok"
            and bool(statement.flags & UNDONE) == undone}


def rolled_back(report):
    return sum(request["rolled_back"] for request in report["requests"])


def pipelined(url, *batches):
    """Runs each batch of ids to insert with one Sync, all sent at once by libpq in pipeline mode: the status of each result."""
    connection = pq.PGconn.connect(url.encode())
    assert connection.status == pq.ConnStatus.OK, connection.error_message
    connection.enter_pipeline_mode()
    for batch in batches:
        for id in batch:
            connection.send_query_params(b"INSERT INTO kept VALUES ($1)", [str(id).encode()], param_types=[23])
        connection.pipeline_sync()
    found = []
    while found.count("PIPELINE_SYNC") < len(batches):
        if result := connection.get_result():
            found.append(pq.ExecStatus(result.status).name)
    connection.finish()
    return found


def test_a_pipeline_that_fails(proxied, rowcall, tmp_path):
    proxy, told, kept = proxied("pg")
    ok, failed, passed, sync = "COMMAND_OK", "FATAL_ERROR", "PIPELINE_ABORTED", "PIPELINE_SYNC"
    assert pipelined(proxy.url(), [1, 2], [3, 1, 4, 5], [6]) == [ok, ok, sync, ok, failed, passed, passed, sync, ok, sync]
    report, recorded = told()
    assert inserted(recorded, undone=False) == kept() == {1, 2, 6}
    assert inserted(recorded, undone=True) == {3}
    shape = next(shape for shape in report["shapes"] if shape["shape"].startswith("INSERT INTO kept"))
    assert (shape["executions"], shape["errors"], report["coverage"]["skipped"], rolled_back(report)) == (5, 1, 2, 1)
    assert sum(request["queries"] for request in report["requests"]) == report["coverage"]["queries"] == 5
    shutil.copy(tmp_path / "recording", tmp_path / "again")
    assert rowcall("merge", "--record", tmp_path / "both", tmp_path / "recording", tmp_path / "again").status == 0
    both = json.loads(rowcall("report", "--report", "json", tmp_path / "both").out)["coverage"]
    assert both == {total: 2 * n for total, n in report["coverage"].items()}


def test_a_text_of_several_statements_that_fails(proxied):
    proxy, told, kept = proxied("pg")
    with contextlib.closing(psycopg2.connect(proxy.url())) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("INSERT INTO kept VALUES (1); INSERT INTO kept VALUES (2)")
        with pytest.raises(psycopg2.errors.DivisionByZero):
            cursor.execute("INSERT INTO kept VALUES (3); INSERT INTO kept VALUES (4); SELECT 1 / 0; INSERT INTO kept VALUES (5)")
        with pytest.raises(psycopg2.errors.DivisionByZero):
            cursor.execute("BEGIN; INSERT INTO kept VALUES (6); COMMIT; INSERT INTO kept VALUES (7); SELECT 1 / 0")
        cursor.execute("INSERT INTO kept VALUES (8)")
    report, recorded = told()
    assert inserted(recorded, undone=False) == kept() == {1, 2, 6, 8}
    assert inserted(recorded, undone=True) == {3, 4, 7}
    assert rolled_back(report) == 3


@pytest.mark.parametrize("kind", ["pg", "my"])
def test_transactions_and_savepoints(proxied, kind):
    proxy, told, kept = proxied(kind)
    if kind == "pg":
        connection = psycopg2.connect(proxy.url())
    else:
        connection = pymysql.connect(host="127.0.0.1", port=proxy.port, user="app", password="app", database="app")
    errors = (psycopg2.Error, pymysql.Error)
    with connection.cursor() as cursor:
        def insert(*ids):
            for id in ids:
                cursor.execute(f"INSERT INTO kept VALUES ({id})")
        insert(1)
        connection.rollback()
        insert(2)
        cursor.execute("SAVEPOINT a")
        insert(3)
        with pytest.raises(errors):
            insert(2)
        cursor.execute("ROLLBACK TO SAVEPOINT a")
        insert(4)
        connection.commit()
        insert(5)
    connection.close()
    report, recorded = told()
    assert inserted(recorded, undone=False) == kept() == {2, 4}
    assert inserted(recorded, undone=True) == {1, 3, 5}
    assert rolled_back(report) == 3
