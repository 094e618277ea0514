# SPDX-License-Identifier: Apache-2.0
"""--catalog: foreign keys and table names read over connections of our own prove what names alone cannot; traffic never suffers."""
import json
import re
import socket

import pytest

# Names that say nothing: only a foreign key tells that assigned_to is a person.
TABLES = ("CREATE TABLE persons (nr int PRIMARY KEY, label varchar(20))",
          "CREATE TABLE tickets (nr int PRIMARY KEY, assigned_to int REFERENCES persons (nr), rank_in_queue int)")
MY_TABLES = (TABLES[0], "CREATE TABLE tickets (nr int PRIMARY KEY, assigned_to int, rank_in_queue int, FOREIGN KEY (assigned_to) REFERENCES persons (nr))")
ROWS = ("INSERT INTO persons VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')",
        "INSERT INTO tickets VALUES (11, 3, 1), (12, 1, 2), (13, 4, 3)")

# One request: the list, then one look-up for each row, in the order of no other column.
LOOP = """
import os, sys, time
{connect}
cur = db.cursor()
for statement in {before!r}:
    cur.execute(statement)
def page():
    cur.execute("SELECT t.nr AS x, t.assigned_to AS y, t.rank_in_queue AS z FROM tickets t")
    for _, y, _ in sorted(cur.fetchall(), key=lambda row: row[1]):
        cur.execute("SELECT p.label FROM persons p WHERE p.nr = %s", (y,))
        cur.fetchall()
page()
"""
# Page after page, until the capture has proven one: by then it has read the new tables.
UNTIL_PROVEN = """
import urllib.request
for _ in range(120):
    time.sleep(0.5)
    page()
    if b'"proven"' in urllib.request.urlopen(os.environ['ROWCALL_URL'] + '/api/v1/snapshot').read():
        break
"""
CONNECT = {"pg": "import psycopg2; db = psycopg2.connect(os.environ['DATABASE_URL']); db.autocommit = True",
           "my": "import pymysql, urllib.parse; u = urllib.parse.urlsplit(os.environ['DATABASE_URL']); "
                 "db = pymysql.connect(host=u.hostname, port=u.port, user=u.username, password=u.password, database=u.path[1:], autocommit=True)"}


def loop(engine, before=()):
    return LOOP.format(connect=CONNECT[engine], before=list(before))


def loops(outcome):
    """(verdict, source, column) of each N+1."""
    return [(f["verdict"], (f["source"] or {}).get("column")) for f in outcome.report["findings"] if f["rule"] == "n-plus-one"]


@pytest.fixture(scope="module", params=["pg", "my"])
def tickets(request):
    """A server with the tables: (engine, server, URL)."""
    server = request.getfixturevalue(request.param)
    server.sql("CREATE DATABASE tickets")
    server.sql(*(TABLES if request.param == "pg" else MY_TABLES), *ROWS, database="tickets")
    return request.param, server, server.url(database="tickets")


def test_a_foreign_key_proves_what_names_do_not(rowcall, tickets):
    engine, _, url = tickets
    without = rowcall.python(loop(engine), "--n-plus-one-threshold", "3", env={"DATABASE_URL": url})
    assert [verdict for verdict, _ in loops(without)] == ["suspected"], without
    outcome = rowcall.python(loop(engine), "--catalog", "auto", env={"DATABASE_URL": url})
    assert loops(outcome) == [("proven", "tickets.assigned_to → persons.nr")], outcome


def test_our_own_connections_are_not_counted(rowcall, tickets):
    engine, server, url = tickets
    with server.statements(database="tickets") as log:
        outcome = rowcall.python(loop(engine), "--catalog", "auto", env={"DATABASE_URL": url})
    ours = [s for s in log if "key_column_usage" in s.sql or "pg_constraint" in s.sql]
    assert len(ours) == 1, "one reading of the catalog"
    assert outcome.report["coverage"]["queries"] == 4, outcome
    assert outcome.verdict[3] == 4


def test_a_database_the_command_makes_itself(rowcall, tickets):
    """As test runners do: the URL names one database, the sessions use another that a migration fills while they run."""
    engine, server, url = tickets
    made = f"test_{engine}"
    server.sql(f"DROP DATABASE IF EXISTS {made}", f"CREATE DATABASE {made}")
    code = loop(engine, before=[*(TABLES if engine == "pg" else MY_TABLES), *ROWS]) + UNTIL_PROVEN
    code = code.replace("os.environ['DATABASE_URL']", f"os.environ['DATABASE_URL'].replace('/tickets', '/{made}')")
    outcome = rowcall.python(code, "--catalog", "auto", "--idle-gap", "200ms", env={"DATABASE_URL": url})
    assert ("proven", "tickets.assigned_to → persons.nr") in loops(outcome), outcome
    server.sql(f"DROP DATABASE {made}")


def test_tables_are_named_by_number(rowcall, pg):
    """Columns renamed by a star's view of the world: labels say one thing, the catalog what they are."""
    pg.sql("DROP DATABASE IF EXISTS renamed", "CREATE DATABASE renamed")
    pg.sql("CREATE TABLE authors (id int PRIMARY KEY, name text)", "CREATE TABLE books (id int PRIMARY KEY, author_id int)",
           "INSERT INTO authors SELECT n, 'x' FROM generate_series(1, 5) n", "INSERT INTO books SELECT n, 6 - n FROM generate_series(1, 5) n",
           "CREATE FUNCTION shelf() RETURNS TABLE (a int, b int) LANGUAGE sql AS 'SELECT 1, 2'", database="renamed")
    code = """
import os, psycopg2
db = psycopg2.connect(os.environ["DATABASE_URL"]); db.autocommit = True
cur = db.cursor()
cur.execute("SELECT * FROM (SELECT id AS one, author_id AS two FROM books) AS shelf")
for _, two in cur.fetchall():
    cur.execute("SELECT name FROM authors WHERE id = %s", (two,)); cur.fetchall()
"""
    without = rowcall.python(code, env={"DATABASE_URL": pg.url(database="renamed")})
    assert ("proven", "books.author_id → authors.id") not in loops(without), without
    outcome = rowcall.python(code, "--catalog", "auto", env={"DATABASE_URL": pg.url(database="renamed")})
    assert loops(outcome) == [("proven", "books.author_id → authors.id")], outcome


@pytest.mark.parametrize("url, words", [
    ("postgresql://nobody:hunter2@127.0.0.1:{port}/tickets", "role"),
    ("postgresql://app:hunter2@127.0.0.1:1/tickets", "refused"),
])
def test_failure_is_said_once_and_harms_nothing(rowcall, tickets, url, words):
    engine, server, own = tickets
    if engine != "pg":
        url = url.replace("postgresql", "mysql")
        words = "denied" if words == "role" else "onnect"
    outcome = rowcall.python(loop(engine), "--catalog", url.format(port=server.port), "--n-plus-one-threshold", "3", env={"DATABASE_URL": own})
    assert outcome.status == 0 and outcome.verdict[3] == 4, outcome
    warnings = re.findall("warn.*catalog of tickets.*", outcome.err)
    assert len(warnings) == 1 and words in warnings[0], outcome
    assert "hunter2" not in outcome.err + outcome.out + json.dumps(outcome.report)
    assert [verdict for verdict, _ in loops(outcome)] == ["suspected"], outcome


def test_a_server_that_hangs_holds_nobody_up(rowcall, pg):
    """The catalog's server accepts and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://app:app@127.0.0.1:{silent.getsockname()[1]}/app"
        outcome = rowcall.python("import os, psycopg2; psycopg2.connect(os.environ['DATABASE_URL']).cursor().execute('SELECT name FROM things')",
                                 "--catalog", url, env={"DATABASE_URL": pg.url()})
    assert outcome.status == 0 and outcome.verdict[3] == 1, outcome
    assert "catalog of app" in outcome.err and "in time" in outcome.err, outcome
