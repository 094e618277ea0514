# SPDX-License-Identifier: Apache-2.0
"""What a person and a machine read at the end: the console report and the JSON document of a real run."""
import json
import re

import jsonschema
import psycopg2
import pytest

from rowcall import PYTHON, TOP

SCHEMA = TOP / "reports" / "report.schema.json"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SECRETS = ("S3CRET", "8675309", "4111-1111")


@pytest.fixture(scope="module")
def schema():
    with open(SCHEMA, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def browse(rowcall, pg, shop, *options, fixed="", **env):
    return rowcall.run(*options, "--", PYTHON, "browse.py", cwd=shop, env={"DATABASE_URL": pg.url(database="shop"), "SHOP_FIXED": fixed, **env})


def finding(report, rule):
    return next(f for f in report["findings"] if f["rule"] == rule)


# --- JSON ---------------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("options, fixed", [([], ""), ([], "1"), (["--max-queries", "3"], ""), (["--fail-on", "n-plus-one"], "")])
def test_json_is_as_the_schema_says(rowcall, pg, shop, schema, options, fixed):
    report = browse(rowcall, pg, shop, *options, fixed=fixed).report
    errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in schema.iter_errors(report)]
    assert errors == []


def test_json_of_an_empty_run(rowcall, pg, schema):
    report = rowcall.run("--", "true", env={"DATABASE_URL": pg.url()}).report
    assert list(schema.iter_errors(report)) == []
    assert (report["schema"], report["gate"]["status"]) == ("rowcall.report/1", "unusable")


def test_the_schema_refuses_what_it_should(rowcall, pg, shop, schema):
    report = browse(rowcall, pg, shop).report
    report["surprise"] = True
    assert list(schema.iter_errors(report)), "an unknown key passes"
    del report["surprise"], report["coverage"]["lost"]
    assert list(schema.iter_errors(report)), "a missing key passes"


def test_json_adds_up(rowcall, pg, shop):
    report = browse(rowcall, pg, shop).report
    requests, scopes = report["requests"], report["scopes"]
    assert sum(s["requests"] for s in scopes) == len(requests) == 6
    for scope in scopes:
        of_scope = [r for r in requests if r["scope"] == scope["scope"]]
        assert scope["queries"]["max"] == max(r["queries"] for r in of_scope)
        assert scope["queries"]["min"] == min(r["queries"] for r in of_scope)
        assert scope["duplicates"] == sum(r["duplicates"] for r in of_scope)
        assert scope["queries"]["min"] <= scope["queries"]["p50"] <= scope["queries"]["p95"] <= scope["queries"]["max"]
    for request in requests:
        assert request["statements"] == request["queries"] + request["control"] + request["setup"]
        assert 0 < request["round_trips"] <= request["statements"]
        assert 0 < request["db_ms"] <= request["wall_ms"]
        assert abs(sum(request["databases"].values()) - request["db_ms"]) < 0.01
    for shape in report["shapes"]:
        assert re.fullmatch("[0-9a-f]{16}", shape["fingerprint"])
        times = shape["db_ms"]
        assert times["p50"] <= times["p95"] <= times["p99"] <= times["max"] <= times["total"] + 0.001
    ids = {f["id"] for f in report["findings"]}
    assert {i for r in requests for i in r["findings"]} <= ids


def test_the_finding_of_the_shop(rowcall, pg, shop):
    report = browse(rowcall, pg, shop).report
    loops = [f for f in report["findings"] if f["rule"] == "n-plus-one"]
    assert {f["scope"] for f in loops} == {"GET /orders"}
    assert len(loops) == 2, "customers and lines, each once over all four requests"
    for loop in loops:
        assert re.fullmatch("[0-9a-f]{16}", loop["id"])
        assert loop["repeat"]["executions"] == 20
        assert loop["level"] == "warning"
    lines = next(f for f in loops if "shop_line" in f["repeat"]["shape"])
    assert lines["repeat"]["distinct_parameters"] == 20
    assert "prefetch_related" in lines["advice"] or "select_related" in lines["advice"]


def test_ids_stay_the_same_from_run_to_run(rowcall, pg, shop):
    first, second = (browse(rowcall, pg, shop).report for _ in range(2))
    assert [f["id"] for f in first["findings"]] == [f["id"] for f in second["findings"]] != []


def test_what_gates_is_an_error(rowcall, pg, shop):
    run = browse(rowcall, pg, shop, "--fail-on", "n-plus-one")
    assert run.status == 10, run
    assert finding(run.report, "n-plus-one")["level"] == "error"
    assert run.report["gate"]["failures"]


# --- console ------------------------------------------------------------------------------------------------------------------------

def test_the_console_report_says_the_verdict_first(rowcall, pg, shop):
    run = browse(rowcall, pg, shop)
    text = run.err[run.err.index("FOUND"):]
    lines = [line for line in text.splitlines() if line.strip()]
    assert lines[0].startswith("FOUND  2 N+1"), "the verdict, then what ran"
    assert "browse.py" in lines[1]
    assert "shop/views.py:" in text
    order = [text.index(word) for word in ("N+1", "shop_customer", "SCOPES", "GET /orders", "QUERIES", "[SQL]")]
    assert order[0] < order[1] < order[2] < order[4]
    assert re.search(r"\[SQL\] \d+ queries \(\d+ duplicates\), [\d.]+ ms SQL time", text)
    assert lines[-1] == "rowcall: PASS findings=%d requests=6 queries=%d" % run.verdict[1::2]
    assert not COLOUR.search(run.err), "no colour where there is no terminal"
    assert max(len(line) for line in lines) <= 160


def test_each_request_has_its_line(rowcall, pg, shop):
    run = browse(rowcall, pg, shop, "--all")
    lines = re.findall(r"\[SQL\] (\d+) queries \((\d+) duplicates\)", run.err)
    for request in run.report["requests"]:
        assert (str(request["queries"]), str(request["duplicates"])) in lines


def test_a_failing_gate_is_explained(rowcall, pg, shop):
    run = browse(rowcall, pg, shop, "--max-queries", "10")
    assert run.status == 10, run
    assert "FAIL" in run.err
    assert re.search(r"GET /orders.*\b42\b.*\b10\b", run.err), "the scope, what it did and what it may"
    assert "GET /customers" not in "".join(f["message"] for f in run.report["gate"]["failures"])


@pytest.mark.parametrize("env, options, coloured", [
    ({}, ["--color", "always"], True),
    ({"CLICOLOR_FORCE": "1"}, [], True),
    ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, [], False),
    ({"NO_COLOR": "1"}, ["--color", "always"], True),
    ({"CLICOLOR_FORCE": "1"}, ["--color", "never"], False),
    ({}, [], False),
])
def test_colour(rowcall, pg, shop, env, options, coloured):
    run = browse(rowcall, pg, shop, *options, **env)
    assert bool(COLOUR.search(run.err)) == coloured


@pytest.mark.parametrize("columns", [80, 120])
def test_width(rowcall, pg, shop, columns):
    run = browse(rowcall, pg, shop, COLUMNS=str(columns))
    report = run.err[run.err.index("N+1"):]
    assert max(len(line) for line in report.splitlines()) <= columns


def test_quiet_leaves_the_last_line(rowcall, pg, shop):
    run = rowcall("run", "--quiet", "--", PYTHON, "browse.py", cwd=shop, env={"DATABASE_URL": pg.url(database="shop")})
    assert run.status == 0, run
    assert len(run.err.splitlines()) == 1 and run.verdict[0] == "PASS"


def test_reports_go_where_they_are_sent(rowcall, pg, shop, tmp_path):
    run = browse(rowcall, pg, shop, "--report", f"text:{tmp_path}/report.txt")
    text = (tmp_path / "report.txt").read_text()
    assert "SCOPES" in text and not COLOUR.search(text)
    assert run.out.startswith("GET /orders"), "standard output belongs to the command"


def test_a_report_that_cannot_be_written_is_no_success(rowcall, pg, shop):
    run = rowcall("run", "--report", "json:/nonexistent/report.json", "--", PYTHON, "browse.py", cwd=shop,
                  env={"DATABASE_URL": pg.url(database="shop")})
    assert run.status != 0, run
    assert "/nonexistent/report.json" in run.err


# --- trust --------------------------------------------------------------------------------------------------------------------------

def test_no_value_reaches_any_output(rowcall, pg, tmp_path):
    """Literals, parameters, values in errors, in every form a client sends them."""
    (tmp_path / "secretive.py").write_text("""
import os, psycopg, psycopg2
connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.autocommit = True
def ask(cursor, *arguments):
    try:
        cursor.execute(*arguments)
    except (psycopg2.Error, psycopg.Error):
        pass
for _ in range(7):
    ask(connection.cursor(), "SELECT 'S3CRET', 8675309, E'4111-1111' FROM things")
    ask(connection.cursor(), "SELECT 'S3CRET'::int FROM things")
    ask(connection.cursor(), "SELECT $x$S3CRET$x$, '4111-1111")
    ask(connection.cursor(), "SELECT 'S3CRET' FROM no_such_table WHERE n = 8675309")
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as third:
    for _ in range(7):
        ask(third, "SELECT %s::text, %s::int8 FROM things", ["S3CRET", 8675309])
        ask(third.cursor(binary=True), "SELECT %b::text, %b::int8 FROM things", ["4111-1111", 8675309])
        ask(third, "SELECT %s::int FROM things", ["S3CRET"])
""")
    run = rowcall.run("--all", "-v", "--", PYTHON, "secretive.py", env={"DATABASE_URL": pg.url()})
    assert run.report["coverage"]["queries"] >= 7 * 7 - 7, run      # one of them does not parse, and may not count
    everything = run.out + run.err + json.dumps(run.report)
    assert [secret for secret in SECRETS if secret in everything] == []


def test_errors_keep_only_their_code(rowcall, pg):
    proxy = rowcall.proxy(pg.url())
    connection = psycopg2.connect(proxy.url())
    connection.autocommit = True
    for _ in range(3):
        with pytest.raises(psycopg2.errors.DivisionByZero):
            connection.cursor().execute("SELECT id / 0 FROM things")
    connection.close()
    report = proxy.stop().report
    (shape,) = report["shapes"]
    assert shape["errors"] == 3
    assert "division by zero" not in json.dumps(report)


def test_a_budget_that_set_up_exceeds_says_what_to_do(rowcall, pg):
    code = """
import os, psycopg2
connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.autocommit = True
for n in range(4):
    connection.cursor().execute(f"SELECT {n} FROM things")
"""
    run = rowcall.python(code, "--max-queries", "3", env={"DATABASE_URL": pg.url()})
    assert run.status == 10
    (advice,) = [f["advice"] for f in run.report["findings"] if f["rule"] == "query-budget"]
    assert "--no-inferred" in advice
    assert rowcall.python(code, "--max-queries", "3", "--no-inferred", env={"DATABASE_URL": pg.url()}).status == 0
