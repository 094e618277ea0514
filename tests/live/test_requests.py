# SPDX-License-Identifier: Apache-2.0
"""Which request a statement belongs to: tags, marks, session settings, transactions and pauses, as real clients send them."""
import contextlib
import json
import time
import urllib.request

import psycopg
import psycopg2
import pymysql
import pytest

from waiting import free_port

PAUSE = 1.0     # seconds; longer than the idle gap of these tests, GAP
GAP = "500ms"   # longer than a busy machine dawdles between two statements


class Seen:
    """What a proxy reports about the statements of a test."""

    def __init__(self, proxy):
        self.proxy = proxy

    def connect(self, database="app"):
        connection = psycopg2.connect(self.proxy.url(database=database))
        connection.autocommit = True
        return connection

    def requests(self):
        """(scope, instance key, queries) of each request, in order; without a key a request is named by its number."""
        return [(r["scope"], None if r["request"].startswith("#") else r["request"], r["queries"]) for r in self.report["requests"]]

    def origins(self):
        return [(r["scope_from"], r["borders_from"]) for r in self.report["requests"]]


@pytest.fixture
def seen(rowcall, pg):
    @contextlib.contextmanager
    def capture(*options):
        capture = Seen(rowcall.proxy(pg.url(), options=["--admin", "127.0.0.1:0", "--idle-gap", GAP, *options]))
        yield capture
        outcome = capture.proxy.stop()
        assert outcome.status == 0, outcome
        capture.report, capture.err = outcome.report, outcome.err
    return capture


def ask(connection, *statements):
    for statement in statements:
        connection.cursor().execute(statement)


# --- tags ---------------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("statement, scope, key", [
    ("SELECT 1 FROM things /*route='%2Forders',rowcall_request='r1'*/", "/orders", "r1"),
    ("/*route='%2Forders',rowcall_request='r1'*/ SELECT 1 FROM things", "/orders", "r1"),
    ("SELECT 1 FROM things /* rowcall_scope=GET /orders, request_id=r1 */", None, "r1"),
    ("SELECT 1 FROM things /*rowcall_scope='GET%20%2Forders',request_id='r1'*/;", "GET /orders", "r1"),
    ("SELECT 1 FROM things /*application:Shop,controller:orders,action:index,request_id:r1*/", "orders#index", "r1"),
    ("/* request-id: r1 */ SELECT 1 FROM things", "(untagged)", "r1"),
    ("SELECT 1 FROM things /*rowcall_scope='it\\'s'*/", "it's", None),
])
def test_tags_in_comments(seen, statement, scope, key):
    with seen() as capture:
        ask(capture.connect(), statement, statement)
    ((found, found_key, queries),) = capture.requests()
    if scope is not None:
        assert found == scope
    assert (found_key, queries) == (key, 2)
    assert capture.report["requests"][0]["borders_from"] == "tag"
    assert {shape["shape"] for shape in capture.report["shapes"]} == {"SELECT ? FROM things"}, "tags are no part of the shape"


def test_a_trace_spans_scopes(seen):
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    with seen() as capture:
        ask(capture.connect(), *(f"SELECT {n} FROM things /*route='{route}',traceparent='{trace}'*/" for route in ("cart", "stock") for n in (1, 2)))
    assert [(scope, queries) for scope, _, queries in capture.requests()] == [("cart", 2), ("stock", 2)]


def test_one_request_on_two_connections(seen):
    with seen() as capture:
        one, other = capture.connect(), capture.connect()
        for connection in (one, other, one):
            ask(connection, "SELECT 1 FROM things /*route='report',rowcall_request='wide'*/")
    assert capture.requests() == [("report", "wide", 3)]


def test_two_requests_in_turn_on_one_connection(seen):
    with seen() as capture:
        ask(capture.connect(), *(f"SELECT {n} FROM things /*route='list',rowcall_request='r{n}'*/" for n in (1, 1, 2, 2, 2, 1)))
    assert capture.requests() == [("list", "r1", 3), ("list", "r2", 3)]


def test_a_scope_tag_alone_holds_while_it_is_contiguous(seen):
    with seen() as capture:
        connection = capture.connect()
        ask(connection, *(f"SELECT 1 FROM things /*route='{route}'*/" for route in ("a", "a", "b", "a")))
        time.sleep(PAUSE)
        ask(connection, "SELECT 1 FROM things /*route='a'*/")
    assert [(scope, queries) for scope, _, queries in capture.requests()] == [("a", 2), ("b", 1), ("a", 1), ("a", 1)]
    assert {scope_from for scope_from, _ in capture.origins()} == {"tag"}


def test_a_tag_inside_a_prepared_statement_names_only_its_first_request(seen):
    with seen() as capture, psycopg.connect(capture.proxy.url(), autocommit=True) as connection:
        sql = "SELECT %s::int FROM things /*route='list',rowcall_request='first'*/"
        connection.execute(sql, [1], prepare=True)
        time.sleep(PAUSE)
        connection.execute(sql, [2], prepare=True)      # the text was sent once: another request may execute it
    assert [(scope, queries) for scope, _, queries in capture.requests()] == [("list", 1), ("list", 1)]


def test_untagged_statements_of_a_transaction_take_its_tag(seen):
    with seen() as capture:
        ask(capture.connect(), "BEGIN", "SELECT 1 FROM things", "SELECT 2 FROM things /*route='pay',rowcall_request='p'*/", "SELECT 3 FROM things", "COMMIT")
    (request,) = capture.report["requests"]
    assert (request["scope"], request["request"], request["queries"], request["control"]) == ("pay", "p", 3, 2)


def test_execute_of_a_prepared_name_is_its_text(seen):
    with seen() as capture:
        ask(capture.connect(), "PREPARE one (int) AS SELECT name FROM things WHERE id = $1 /*route='a'*/", "EXECUTE one (1)", "EXECUTE one (2)", "DEALLOCATE one")
    executions = {shape["shape"]: shape["executions"] for shape in capture.report["shapes"]}
    assert executions["SELECT name FROM things WHERE id = ?"] == 2
    assert not any(shape.startswith("EXECUTE") for shape in executions)


def test_an_encoding_whose_bytes_look_like_quotes_is_said(seen):
    with seen() as capture:
        connection = capture.connect()
        connection.set_client_encoding("SJIS")
        ask(connection, "SELECT name FROM things WHERE name = E'\u30bd' AND id = 1", "SELECT name FROM things WHERE name = E'\uff71\\\\' AND id = 1")
    executions = {shape["shape"]: shape["executions"] for shape in capture.report["shapes"]}
    assert executions["SELECT name FROM things WHERE name = ? AND id = ?"] == 2     # the second byte of \u30bd is a backslash
    assert capture.err.count("statements in SJIS are read character by character") == 1


def test_every_variable_of_one_set_counts(rowcall, my):
    proxy = rowcall.proxy(my.url(), options=["--admin", "127.0.0.1:0", "--idle-gap", GAP])
    connection = pymysql.connect(host="127.0.0.1", port=proxy.port, user="app", password="app", database="app", autocommit=True)
    ask(connection, "SET @rowcall_request = 'r1', @x = concat('a', 'b'), @rowcall_scope = 'GET /orders'", "SELECT 1 FROM things", "SELECT 2 FROM things",
        "SET @rowcall_request := 'r2'", "SELECT 3 FROM things")
    outcome = proxy.stop()
    assert [(r["scope"], r["request"], r["queries"]) for r in outcome.report["requests"]] == [("GET /orders", "r1", 2), ("GET /orders", "r2", 1)], outcome


# --- marks --------------------------------------------------------------------------------------------------------------------------

def post_mark(url, **mark):
    request = urllib.request.Request(f"{url}/api/v1/marks", data=json.dumps(mark).encode(), headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status in (200, 204)


def test_marks_name_tests_and_requests(seen):
    with seen() as capture:
        connection = capture.connect()
        url = admin_url(capture.proxy)
        post_mark(url, test="tests/test_a.py::test_one")
        ask(connection, "SELECT 1 FROM things", "SELECT 1 FROM things /*route='list',rowcall_request='r1'*/")
        post_mark(url, test="tests/test_a.py::test_two", request="setup")
        ask(connection, "SELECT 2 FROM things", "SELECT 2 FROM things")
        post_mark(url, test="", request="")
        ask(connection, "SELECT 3 FROM things")
    found = [(r["test"], r["scope_from"], r["borders_from"], r["queries"]) for r in capture.report["requests"]]
    assert [test or None for test, *_ in found] == ["tests/test_a.py::test_one"] * 2 + ["tests/test_a.py::test_two", None]
    assert found[1][1:] == ("tag", "tag", 1)
    assert found[2][2:] == ("mark", 2)


def test_rowcall_mark_does_the_same(rowcall, pg):
    code = """
import os, psycopg2, subprocess, sys
connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.autocommit = True
for name in ("alpha", "beta"):
    subprocess.run([sys.argv[1], "mark", name], check=True)
    for _ in range(2):
        connection.cursor().execute("SELECT 1 FROM things")
subprocess.run([sys.argv[1], "mark", "--end"], check=True)
connection.cursor().execute("SELECT 1 FROM things")
"""
    run = rowcall.run("--", "/usr/bin/python3", "-c", code, rowcall.program, env={"DATABASE_URL": pg.url()})
    assert run.status == 0, run
    assert [(r["test"] or "", r["queries"]) for r in run.report["requests"]] == [("alpha", 2), ("beta", 2), ("", 1)]


def test_a_mark_without_a_capture_says_so(rowcall):
    outcome = rowcall("mark", "--url", f"http://127.0.0.1:{free_port()}", "alpha")
    assert outcome.status == 11, outcome
    assert "no capture answers at http://" in outcome.err


def admin_url(proxy):
    return proxy.await_text(r"(http://127\.0\.0\.1:\d+)")[1]


# --- session settings ---------------------------------------------------------------------------------------------------------------

def test_settings_of_ours(seen):
    with seen() as capture:
        ask(capture.connect(), "SET rowcall.scope = 'job mail'", "SET rowcall.request = 'm1'", "SELECT 1 FROM things", "SELECT 2 FROM things",
            "SELECT set_config('rowcall.request', 'm2', false)", "SELECT 3 FROM things", "DISCARD ALL", "SELECT 4 FROM things")
    found = {(scope, key): queries for scope, key, queries in capture.requests()}
    assert found[("job mail", "m1")] >= 2
    assert found[("job mail", "m2")] >= 1
    assert ("(untagged)", None) in found, "DISCARD ALL ends them"
    assert {borders for _, borders in capture.origins()[:2]} == {"session"}


def test_a_local_setting_ends_with_its_transaction(seen):
    with seen() as capture:
        connection = capture.connect()
        for _ in range(2):      # the second time the words are known already
            ask(connection, "BEGIN", "SET LOCAL rowcall.request = 'l1'", "SELECT 1 FROM things", "COMMIT", "SELECT 2 FROM things")
    assert ("(untagged)", None) in {(scope, key) for scope, key, _ in capture.requests()}
    assert sum(queries for _, key, queries in capture.requests() if key == "l1") == 2


def test_a_trace_in_application_name(seen):
    with seen() as capture:
        connection = capture.connect()
        for span in ("4bf92f3577b34da6a3ce929d0e0e4736", "5bf92f3577b34da6a3ce929d0e0e4736"):
            ask(connection, f"SET application_name = '00-{span}-00f067aa0ba902b7-01'", "SELECT 1 FROM things", "SELECT 1 FROM things")
    assert [queries for _, _, queries in capture.requests()] == [2, 2]
    assert {borders for _, borders in capture.origins()} == {"session"}


def test_a_static_application_name_is_no_request(seen):
    with seen() as capture:
        connection = capture.connect()
        ask(connection, "SET application_name = 'shop'", "SELECT 1 FROM things")
        time.sleep(PAUSE)
        ask(connection, "SELECT 1 FROM things")
    assert len(capture.report["requests"]) == 2
    assert {borders for _, borders in capture.origins()} == {"gap"}


def test_settings_of_the_user(seen):
    with seen("--tag-settings", "app.request_id") as capture:
        connection = capture.connect()
        for key in ("one", "two"):
            ask(connection, f"SET app.request_id = '{key}'", "SELECT 1 FROM things", "SELECT 2 FROM things")
    assert [(key, queries) for _, key, queries in capture.requests()] == [("one", 2), ("two", 2)]


# --- without any tag ----------------------------------------------------------------------------------------------------------------

def test_transactions_are_requests(seen):
    with seen() as capture:
        ask(capture.connect(), "BEGIN", "SELECT 1 FROM things", "SELECT 2 FROM things", "COMMIT", "BEGIN", "SELECT 3 FROM things", "ROLLBACK")
    assert capture.requests() == [("(untagged)", None, 2), ("(untagged)", None, 1)]
    assert {borders for _, borders in capture.origins()} == {"transaction"}


def test_pauses_part_requests(seen):
    with seen() as capture:
        connection = capture.connect()
        ask(connection, "SELECT 1 FROM things", "SELECT 2 FROM things")
        time.sleep(PAUSE)
        ask(connection, "SELECT 3 FROM things")
    assert capture.requests() == [("(untagged)", None, 2), ("(untagged)", None, 1)]
    assert {borders for _, borders in capture.origins()} == {"gap"}


def test_a_slow_statement_is_no_pause(seen):
    with seen() as capture:
        ask(capture.connect(), "SELECT 1 FROM things", f"SELECT pg_sleep({PAUSE})", "SELECT 2 FROM things")
    assert capture.requests() == [("(untagged)", None, 3)]


def test_the_gap_is_an_option(seen):
    with seen("--idle-gap", "5s", "--request-quiet", "5s") as capture:
        connection = capture.connect()
        ask(connection, "SELECT 1 FROM things")
        time.sleep(PAUSE)
        ask(connection, "SELECT 2 FROM things")
    assert capture.requests() == [("(untagged)", None, 2)]


def test_connections_without_tags_are_apart(seen):
    with seen() as capture:
        one, other = capture.connect(), capture.connect()
        for connection in (one, other, one, other):
            ask(connection, "SELECT 1 FROM things")
    assert capture.requests() == [("(untagged)", None, 2)] * 2


# --- more of a request --------------------------------------------------------------------------------------------------------------

def test_scopes_fold(seen, tmp_path):
    (tmp_path / "rowcall.yaml").write_text(r"""
requests:
  fold:
    - {match: '/\d+', replace: '/:id'}
""")
    with seen() as capture:
        ask(capture.connect(), *(f"SELECT 1 FROM things /*route='%2Forders%2F{n}',rowcall_request='{n}'*/" for n in (7, 8)))
    assert {scope for scope, _, _ in capture.requests()} == {"/orders/:id"}


def test_databases_of_one_request(rowcall, pg):
    proxy = rowcall.proxy(pg.url(), pg.url(host="[::1]"))
    ports = [int(address.rpartition(":")[2]) for address in proxy.addresses]
    for port in ports:
        connection = psycopg2.connect(f"postgresql://app:app@127.0.0.1:{port}/app")
        connection.autocommit = True
        ask(connection, "SELECT 1 FROM things /*route='both',rowcall_request='b'*/")
        connection.close()
    outcome = proxy.stop()
    (request,) = outcome.report["requests"]
    assert request["queries"] == 2
    assert len(request["databases"]) == 2
