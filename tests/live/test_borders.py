# SPDX-License-Identifier: Apache-2.0
"""Where requests begin and end when others stand between: poolers on either side, PostgREST's and Odoo's way with transactions, statements
that outlive their tag, one request on many connections at once."""
import threading

import psycopg
import psycopg2
import pytest

from poolers import PgBouncer
from servers import clean_environment


def connect(url):
    connection = psycopg2.connect(url)
    connection.autocommit = True
    return connection


def ask(connection, *statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def tagged(sql, scope, request):
    return f"{sql} /*route='{scope}',rowcall_request='{request}'*/"


def requests_of(report):
    """(scope, instance key or "", queries) of each request that asked something."""
    return sorted((r["scope"], "" if r["request"].startswith("#") else r["request"], r["queries"]) for r in report["requests"] if r["queries"])


@pytest.fixture
def pooled(rowcall, pg):
    """(proxy, URL for the clients) with a PgBouncer behind or before rowcall; stop() ends both and returns the report."""
    running = []

    class Pooled:
        def __init__(self, where, pool=1, **lines):
            if where == "behind":
                self.pooler = PgBouncer(upstream=("127.0.0.1", pg.port), pool=pool, lines=lines).__enter__()
                running.append(self.pooler)
                self.proxy = rowcall.proxy(self.pooler.url())
                self.url = self.proxy.url()
            else:
                self.proxy = rowcall.proxy(pg.url())
                self.pooler = PgBouncer(upstream=("127.0.0.1", self.proxy.port), pool=pool, lines=lines).__enter__()
                running.append(self.pooler)
                self.url = self.pooler.url()

        def stop(self):
            if self.pooler in running and self.url == self.pooler.url():
                running.remove(self.pooler)
                self.pooler.__exit__(None, None, None)
            outcome = self.proxy.stop()
            assert outcome.status == 0, outcome
            return outcome.report

    yield Pooled
    for pooler in running:
        pooler.__exit__(None, None, None)


@pytest.mark.parametrize("where", ["behind", "before"])
def test_two_clients_in_turn_over_one_pooled_connection(pooled, where):
    """Row 8: transactions of two tagged requests alternate on one server connection; each keeps its own, and none has a loop."""
    pool = pooled(where)
    one, other = connect(pool.url), connect(pool.url)
    for n in range(4):
        ask(one, "BEGIN", tagged(f"SELECT id FROM things WHERE id = {n}", "cart", "a"), f"SELECT count(*) FROM things WHERE id > {n}", "COMMIT")
        ask(other, tagged(f"SELECT id FROM things WHERE id = {n + 10}", "stock", "b"))
    one.close(), other.close()
    assert requests_of(pool.stop()) == [("cart", "a", 8), ("stock", "b", 4)]


def test_the_tag_of_one_client_does_not_stay_for_the_next(pooled):
    """Untagged statements after a tagged transaction on the same server connection are not of its request."""
    pool = pooled("before")
    one, other = connect(pool.url), connect(pool.url)
    ask(one, "BEGIN", tagged("SELECT id FROM things WHERE id = 1", "cart", "a"), "COMMIT")
    ask(other, "SELECT id FROM things WHERE id = 2")
    ask(one, tagged("SELECT id FROM things WHERE id = 3", "cart", "a"))
    one.close(), other.close()
    assert requests_of(pool.stop()) == [("(untagged)", "", 1), ("cart", "a", 2)]


def test_a_session_tag_ends_when_the_pooler_resets(pooled):
    """SET rowcall.request holds until DISCARD ALL, which the pooler sends between clients."""
    pool = pooled("before", server_reset_query="DISCARD ALL", server_reset_query_always=1)
    one, other = connect(pool.url), connect(pool.url)
    ask(one, "BEGIN", "SET rowcall.request = 'a'", "SELECT id FROM things WHERE id = 1", "COMMIT")
    ask(other, "SELECT id FROM things WHERE id = 2")
    one.close(), other.close()
    assert [r[1:] for r in requests_of(pool.stop())] == [("", 1), ("a", 1)]


def test_loops_are_proven_through_a_pooler(pooled):
    pool = pooled("before", pool=2)
    client = connect(pool.url)
    ask(client, tagged("SELECT id FROM things ORDER BY id LIMIT 5", "cart", "a"))
    for n in range(1, 6):
        ask(client, tagged(f"SELECT id, name FROM things WHERE id = {n}", "cart", "a"))
    client.close()
    findings = [(f["rule"], f["verdict"]) for f in pool.stop()["findings"] if f["rule"] == "n-plus-one"]
    assert findings == [("n-plus-one", "proven")]


@pytest.mark.parametrize("header", [False, True], ids=["transactions", "request ids"])
def test_postgrest_has_a_transaction_per_request(rowcall, pg, header):
    """PostgREST pools connections and wraps each HTTP request in a transaction whose local settings tell who asks for what; a header with
    an id for the request, where --tag-settings names a setting with it, becomes the instance key."""
    proxy = rowcall.proxy(pg.url(), options=["--tag-settings", "request.id"] if header else [])
    with psycopg.connect(proxy.url(), autocommit=True) as connection:
        for n, path in enumerate(("/things", "/things", "/others")):
            connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY")
            connection.execute(f"SELECT set_config('request.id', 'r{n}', true), set_config('request.path', '{path}', true)")
            connection.execute("WITH pgrst_source AS (SELECT id FROM things LIMIT 3) SELECT count(*) FROM pgrst_source", prepare=True)
            connection.execute("COMMIT")
    report = proxy.stop().report
    queried = [r for r in report["requests"] if r["queries"]]
    assert [r["queries"] for r in queried] == [1, 1, 1]
    assert {r["borders_from"] for r in queried} == {"session" if header else "transaction"}
    assert [r["request"] for r in queried] == (["r0", "r1", "r2"] if header else ["#1", "#2", "#3"])
    assert not [f for f in report["findings"] if f["verdict"] != "note"]


def test_odoo_has_a_transaction_per_request_and_lists_of_one(rowcall, pg):
    """Odoo reads records by lists of ids, in one repeatable-read transaction per request, savepoints inside; two requests of one worker."""
    proxy = rowcall.proxy(pg.url())
    connection = connect(proxy.url())
    for base in (0, 4):
        ask(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ")
        for n in range(base, base + 4):     # four each: no loop, though eight in all
            ask(connection, f'SAVEPOINT "s{n}"', f'SELECT "things"."id", "things"."name" FROM "things" WHERE "things"."id" IN ({n})', f'RELEASE SAVEPOINT "s{n}"')
        ask(connection, "COMMIT")
    ask(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ", 'SELECT "things"."id" FROM "things" ORDER BY "things"."id" LIMIT 6')
    for n in range(1, 7):                   # a loop over what the list showed
        ask(connection, f'SELECT "things"."id", "things"."name" FROM "things" WHERE "things"."id" IN ({n})')
    ask(connection, "COMMIT")
    connection.close()
    report = proxy.stop().report
    assert [(r["queries"], r["borders_from"]) for r in report["requests"]] == [(4, "transaction"), (4, "transaction"), (7, "transaction")]
    found = [(f["rule"], f["verdict"], f["seen_in"] if "seen_in" in f else None) for f in report["findings"] if f["rule"] == "n-plus-one"]
    assert [f[:2] for f in found] == [("n-plus-one", "proven")]


def test_a_stale_tag_does_not_claim_a_later_request(rowcall, pg):
    """A named statement keeps the comment of the request that prepared it; a later request that executes it has its own transaction."""
    proxy = rowcall.proxy(pg.url())
    with psycopg.connect(proxy.url(), autocommit=True) as connection:
        sql = tagged("SELECT id FROM things WHERE id = %s", "cart", "first")
        connection.execute(sql, [1], prepare=True)
        with connection.transaction():
            connection.execute(tagged("SELECT count(*) FROM things", "stock", "second"))
            connection.execute(sql, [2], prepare=True)
    assert requests_of(proxy.stop().report) == [("cart", "first", 1), ("stock", "second", 2)]


def test_parallel_queries_of_one_request(rowcall, pg):
    """Row 6: threads of one request, each with a connection of the pool, at the same time."""
    proxy = rowcall.proxy(pg.url())
    first = connect(proxy.url())
    ask(first, tagged("SELECT id FROM things ORDER BY id LIMIT 8", "report", "wide"))
    together = threading.Barrier(4)

    def fetch(part):
        connection = connect(proxy.url())
        together.wait(30)
        for n in range(1 + part, 9, 4):
            ask(connection, tagged(f"SELECT id, name FROM things WHERE id = {n}", "report", "wide"))
        connection.close()

    threads = [threading.Thread(target=fetch, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    first.close()
    report = proxy.stop().report
    assert requests_of(report) == [("report", "wide", 9)]
    assert [f["verdict"] for f in report["findings"] if f["rule"] == "n-plus-one"] == ["proven"]


def test_probes_of_a_driver_are_no_queries(rowcall, pg):
    """Row 39 with a real one: what SQLAlchemy asks before the first statement of its user counts as set-up."""
    outcome = rowcall.python("import os, sqlalchemy\n"
                             "engine = sqlalchemy.create_engine(os.environ['DATABASE_URL'], pool_pre_ping=True)\n"
                             "for n in range(3):\n"
                             "    with engine.connect() as c: c.execute(sqlalchemy.text('SELECT count(*) FROM things'))\n",
                             env=clean_environment(DATABASE_URL=pg.url()))
    assert sum(r["queries"] for r in outcome.report["requests"]) == 3, outcome.report["requests"]
    coverage = outcome.report["coverage"]
    assert coverage["queries"] == 3 and coverage["statements"] >= 7, coverage
