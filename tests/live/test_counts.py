# SPDX-License-Identifier: Apache-2.0
"""What rowcall counts is what the server executed: its report beside the server's own statement log, driver by driver."""
import collections
import os
import re
import shutil
import urllib.parse

import pytest

from rowcall import PYTHON, TOP

COMMENT = re.compile(r"\s*/\*.*?\*/\s*$", re.S)
CONTROL = re.compile(r"(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|START TRANSACTION)\b", re.I)
SETUP = re.compile(r"(SET|SHOW|DEALLOCATE|DISCARD|RESET)\b|SELECT (@@|VERSION\(\)|DATABASE\(\))", re.I)

HERE = TOP / "tests/live"


def tags(sql):
    """The tags of a statement in the log, decoded."""
    comment = re.search(r"/\*(.*?)\*/\s*$", sql, re.S)
    return {key: urllib.parse.unquote(value) for key, value in re.findall(r"([\w.]+)='([^']*)'", comment[1] if comment else "")}


def assert_same_counts(report, log):
    """Totals of the report against the log."""
    control = sum(bool(CONTROL.match(s.sql)) for s in log)
    setup = sum(bool(SETUP.match(s.sql)) for s in log)
    coverage = report["coverage"]
    assert coverage["statements"] == len(log)
    assert coverage["queries"] == len(log) - control - setup
    assert coverage["lost"] == coverage["opaque_unexpected"] == 0
    assert sum(request["queries"] for request in report["requests"]) == coverage["queries"]
    assert sum(request["control"] for request in report["requests"]) <= control
    assert sum(shape["executions"] for shape in report["shapes"]) == len(log)


def assert_same_requests(report, log):
    """Each tagged request of the report against the statements that carry its tags in the log."""
    expected = collections.Counter(tags(s.sql)["rowcall_request"] for s in log if tags(s.sql))
    routes = {tags(s.sql)["rowcall_request"]: tags(s.sql).get("route") for s in log if tags(s.sql)}
    assert len(report["requests"]) == len(expected) > 0
    found = sorted((request["scope"], request["queries"]) for request in report["requests"])
    assert found == sorted((routes[key], queries) for key, queries in expected.items())
    assert {(request["scope_from"], request["borders_from"]) for request in report["requests"]} == {("tag", "tag")}
    assert report["coverage"]["tagged"] == sum(expected.values())


def need_node(driver):
    if not shutil.which("node") or not os.path.isdir(HERE / "node/node_modules" / driver):
        pytest.skip(f"node or its driver {driver} is not installed")


def run_beside_log(rowcall, server, database, *arguments, **more):
    with server.statements(database=database) as log:
        run = rowcall.run(*arguments, **more)
    assert run.status == 0, run
    assert run.verdict[0] == "PASS"
    assert run.report["gate"]["status"] == "pass"
    assert log, "the server's log is empty: the comparison would be worth nothing"
    return run.report, log


@pytest.fixture(scope="module")
def orders(pg):
    """A database for the small programs."""
    pg.sql("CREATE DATABASE orders OWNER app")
    pg.sql("CREATE TABLE customers (id int PRIMARY KEY, name text)", "CREATE TABLE orders (id int PRIMARY KEY, customer int)",
           "CREATE TABLE visits (customer int)", "INSERT INTO customers SELECT n, 'customer ' || n FROM generate_series(1, 12) n",
           "INSERT INTO orders SELECT n, 1 + n % 12 FROM generate_series(1, 24) n", database="orders")
    return pg.url(database="orders")


@pytest.mark.parametrize("fixed", ["", "1"], ids=["broken", "fixed"])
@pytest.mark.parametrize("tagged", ["1", "0"], ids=["tagged", "untagged"])
def test_django_with_psycopg2(rowcall, pg, shop, tagged, fixed):
    report, log = run_beside_log(rowcall, pg, "shop", "--", PYTHON, "browse.py", cwd=shop,
                                 env={"DATABASE_URL": pg.url(database="shop"), "SHOP_TAGS": tagged, "SHOP_FIXED": fixed})
    assert_same_counts(report, log)
    queries = [s for s in log if not SETUP.match(s.sql)]
    if tagged == "1":
        assert_same_requests(report, log)
        by_request = collections.defaultdict(list)
        for statement in queries:
            by_request[tags(statement.sql)["rowcall_request"]].append(COMMENT.sub("", statement.sql))
        # This driver writes values into the text, so equal texts are equal executions.
        assert sorted(r["duplicates"] for r in report["requests"]) == sorted(len(t) - len(set(t)) for t in by_request.values())
    else:
        assert {request["scope"] for request in report["requests"]} == {"(untagged)"}
    loops = {f["repeat"]["shape"] for f in report["findings"] if f["rule"] == "n-plus-one" and f["verdict"] != "note"}
    assert bool(loops) == (fixed == "")


@pytest.mark.parametrize("tagged", ["1", "0"], ids=["tagged", "untagged"])
def test_psycopg3_prepared_on_the_server(rowcall, pg, orders, tagged):
    report, log = run_beside_log(rowcall, pg, "orders", "--", PYTHON, HERE / "programs/psycopg3_app.py",
                                 env={"DATABASE_URL": orders, "TAGGED": tagged})
    assert any(s.how == "execute" for s in log), "nothing was prepared on the server"
    assert_same_counts(report, log)
    if tagged == "1":
        assert_same_requests(report, log)


@pytest.mark.parametrize("tagged", ["1", "0"], ids=["tagged", "untagged"])
def test_node_pg_prepared_on_the_server(rowcall, pg, orders, tagged):
    need_node("pg")
    report, log = run_beside_log(rowcall, pg, "orders", "--", "node", HERE / "node/pg.js", env={"DATABASE_URL": orders, "TAGGED": tagged})
    assert any(s.how == "execute" for s in log), "nothing was prepared on the server"
    assert_same_counts(report, log)
    if tagged == "1":
        assert_same_requests(report, log)


@pytest.mark.parametrize("tagged", ["1", "0"], ids=["tagged", "untagged"])
@pytest.mark.parametrize("driver", ["mysql2", "mariadb"])
def test_node_on_mariadb_prepared_on_the_server(rowcall, my, driver, tagged):
    need_node(driver)
    report, log = run_beside_log(rowcall, my, "app", "--", "node", HERE / "node/mysql.js", driver,
                                 env={"DATABASE_URL": my.url(), "TAGGED": tagged})
    assert any(s.how == "execute" for s in log), "nothing was prepared on the server"
    assert_same_counts(report, log)
    if tagged == "1":
        assert_same_requests(report, log)


@pytest.mark.parametrize("fixed", ["", "1"], ids=["broken", "fixed"])
def test_sqlalchemy_with_pymysql(rowcall, my, sqlalchemy_shop, fixed):
    report, log = run_beside_log(rowcall, my, "shop", "--", PYTHON, "shop.py", "browse", cwd=sqlalchemy_shop,
                                 env={"DATABASE_URL": my.url(database="shop", scheme="mysql+pymysql"), "SHOP_FIXED": fixed})
    assert_same_counts(report, log)
    assert_same_requests(report, log)
    loops = [f for f in report["findings"] if f["rule"] == "n-plus-one" and f["verdict"] != "note"]
    assert bool(loops) == (fixed == "")
