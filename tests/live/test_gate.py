# SPDX-License-Identifier: Apache-2.0
"""Every way in which a gate fails, with its status and its own words; and what must not fail."""
import signal
import sqlite3
import subprocess

import psycopg2
import pytest

from rowcall import PYTHON

# One request GET /x, test tests/a.py::b: a list of six, a loop over it, one look-up three times, six single inserts in a transaction of 60 ms.
TRAFFIC = """
import os, time, psycopg2
connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.autocommit = True
cursor = connection.cursor()
def ask(sql, *values):
    cursor.execute(sql + " /*route='GET /x',rowcall_request='1'*/", values)
ask("CREATE TEMPORARY TABLE notes (id int, thing int)")
ask("SELECT id FROM things WHERE id <= 6 ORDER BY id")
for (key,) in cursor.fetchall():
    ask("SELECT name FROM things WHERE id = %s", key)
for _ in range(3):
    ask("SELECT count(*) FROM things")
ask("BEGIN")
for key in range(6):
    ask("INSERT INTO notes VALUES (%s, 1)", key)
time.sleep(0.06)
ask("COMMIT")
"""


def gated(rowcall, pg, configuration="", *options):
    (rowcall.dir / "rowcall.yaml").write_text(configuration)
    return rowcall.python(TRAFFIC, *options, env={"DATABASE_URL": pg.url()})


def failures(run):
    return {f["kind"]: f["message"] for f in run.report["gate"]["failures"]}


@pytest.mark.parametrize("limit, kind, message", [
    ("max_queries: 16", "query-budget", "GET /x: 17 queries in one request, budget 16 (1 of 1 request over)"),
    ("n_plus_one: 0", "n-plus-one-budget", "GET /x: 1 N+1 in one request, budget 0 (1 of 1 request over)"),
    ("duplicates: 1", "duplicate-budget", "GET /x: 2 duplicate executions in one request, budget 1 (1 of 1 request over)"),
    ("write_loops: 0", "write-loop-budget", "GET /x: 1 write loop in one request, budget 0 (1 of 1 request over)"),
    ("max_rows: 14", "row-budget", "GET /x: 15 rows in one request, budget 14 (1 of 1 request over)"),
    ("max_bytes: 10", "byte-budget", None),
    ("max_transaction: 50ms", "transaction-budget", None),
])
def test_budgets_of_a_scope(rowcall, pg, limit, kind, message):
    run = gated(rowcall, pg, f'budgets:\n  - {{scope: "GET *", {limit}}}\n')
    assert run.status == 10 and run.verdict[0] == "FAIL" and list(failures(run)) == [kind], run
    assert failures(run)[kind] == message if message else failures(run)[kind].startswith("GET /x: "), failures(run)
    assert run.report["gate"]["failures"][0]["line"] == 2 and "set in rowcall.yaml:2" in " ".join(run.err.split())
    assert gated(rowcall, pg, f'budgets:\n  - {{scope: "POST *", {limit}}}\n').status == 0, "another scope is not bound"


def test_budgets_of_a_test_bind_its_sum(rowcall, pg):
    code = TRAFFIC + """
import urllib.request
"""
    (rowcall.dir / "rowcall.yaml").write_text('budgets:\n  - {test: "tests/a*", max_queries: 30}\n')
    twice = f"{rowcall.program} mark tests/a.py::b && {PYTHON} traffic.py && {PYTHON} traffic.py && {rowcall.program} mark --end"
    (rowcall.dir / "traffic.py").write_text(code.replace("rowcall_request='1'", "rowcall_request='\" + str(os.getpid()) + \"'"))
    run = rowcall.run("--", "sh", "-c", twice, env={"DATABASE_URL": pg.url()})
    assert run.status == 10 and failures(run) == {"query-budget": "tests/a.py::b: 34 queries over the test, budget 30"}, run


@pytest.mark.parametrize("options, kind, message", [
    (["--max-queries", "16"], "query-budget", "GET /x: 17 queries in one request, budget 16 (1 of 1 request over)"),
    (["--max-total-queries", "16"], "total-queries", "17 queries in all, limit 16"),
    (["--fail-on", "n-plus-one:proven"], "fail-on", None),
    (["--fail-on", "duplicate"], "fail-on", None),
])
def test_limits_of_the_command_line(rowcall, pg, options, kind, message):
    run = gated(rowcall, pg, "", *options)
    assert run.status == 10 and list(failures(run)) == [kind], run
    assert not message or failures(run)[kind] == message
    assert gated(rowcall, pg, "", *options, "--exit-code", "3").status == 3
    assert gated(rowcall, pg, "", *options, "--exit-zero").status == 0


def test_too_few_tags(rowcall, pg):
    code = TRAFFIC + "\nfor _ in range(17):\n    cursor.execute('SELECT 1 FROM things')\n"
    run = rowcall.python(code, "--min-tagged", "60%", env={"DATABASE_URL": pg.url()})
    assert run.status == 10 and failures(run)["min-tagged"] == "50% of 34 queries are tagged, at least 60% wanted", run
    assert rowcall.python(code, "--min-tagged", "50%", env={"DATABASE_URL": pg.url()}).status == 0


# --- the capture cannot be trusted ------------------------------------------------------------------------------------------------------

def test_nothing_captured(rowcall, pg):
    run = rowcall.run("--", "true", env={"DATABASE_URL": pg.url()})
    assert run.status == 11 and run.verdict[0] == "UNUSABLE", run
    assert failures(run) == {"nothing-captured": "no connection came to rowcall, so there is nothing to judge"}
    idle = rowcall.python("import os, psycopg2; psycopg2.connect(os.environ['DATABASE_URL'])", env={"DATABASE_URL": pg.url()})
    assert idle.status == 11 and failures(idle) == {"nothing-captured": "1 connection came, but not a single statement"}, idle
    assert rowcall.run("--allow-empty", "--", "true", env={"DATABASE_URL": pg.url()}).status == 0
    assert rowcall.run("--exit-zero", "--", "true", env={"DATABASE_URL": pg.url()}).status == 11, "this one cannot be muted"


def test_no_server(rowcall):
    run = rowcall("run", "--", "touch", "ran", env={"DATABASE_URL": "postgresql://app@127.0.0.1:9/app"})
    assert run.status == 11 and run.verdict[0] == "UNUSABLE" and "127.0.0.1:9" in run.err, run
    assert not (rowcall.dir / "ran").exists()


@pytest.mark.parametrize("key, kind, message", [
    ("lost", "lost", "3 records were lost under load: counts are too low"),
    ("opaque_unexpected", "opaque", "3 connections could not be followed to the end"),
])
def test_a_capture_that_missed_something(rowcall, pg, tmp_path, key, kind, message):
    """A recording whose coverage says so; that a capture counts these is tested where it is made to lose and to fail."""
    assert gated(rowcall, pg, "", "--record", tmp_path / "run.db").status == 0
    with sqlite3.connect(tmp_path / "run.db") as recording:
        changed = recording.execute("UPDATE meta SET value = '3' WHERE key = ?", [f"coverage.{key}"]).rowcount
    recording.close()
    assert changed == 1
    report = rowcall.report_name()
    run = rowcall("report", "--report", f"json:{report}", tmp_path / "run.db", report=report)
    assert run.status == 11 and run.verdict[0] == "UNUSABLE" and failures(run)[kind].startswith(message), run
    assert rowcall("report", "--max-queries", "1", tmp_path / "run.db").status == 11, "that comes before any budget"


# --- what is allowed --------------------------------------------------------------------------------------------------------------------

def test_an_allowed_finding_does_not_fail(rowcall, pg):
    allow = 'gate: {fail_on: [n-plus-one]}\nallow:\n  - {rule: n-plus-one, scope: "GET /x", reason: "six at most"%s}\n'
    run = gated(rowcall, pg, allow % "")
    assert run.status == 0, run
    assert [f["suppressed"] for f in run.report["findings"] if f["rule"] == "n-plus-one"] == ["six at most"]
    assert gated(rowcall, pg, allow % ", until: 2999-01-01").status == 0
    expired = gated(rowcall, pg, allow % ", until: 2020-01-01")
    assert expired.status == 10 and "the allow entry at rowcall.yaml:3 expired on 2020-01-01: what it covered counts again" in " ".join(expired.err.split())


def test_an_entry_that_matches_nothing_is_said(rowcall, pg):
    entry = 'allow:\n  - {rule: n-plus-one, scope: "GET /y", reason: "no more"}\n'
    run = gated(rowcall, pg, entry)
    assert run.status == 0 and "the allow entry at rowcall.yaml:2 matches nothing" in run.err, run
    strict = gated(rowcall, pg, entry, "--strict")
    assert strict.status == 10 and failures(strict) == {"stale": "the allow entry at rowcall.yaml:2 matches nothing"}, strict


def test_an_entry_without_a_reason_is_refused(rowcall, pg):
    (rowcall.dir / "rowcall.yaml").write_text("allow:\n  - {rule: n-plus-one}\n")
    run = rowcall("run", "--", "touch", "ran", env={"DATABASE_URL": pg.url()})
    assert run.status == 2 and "allow: entry 1 needs a reason" in run.err, run
    assert not (rowcall.dir / "ran").exists()


def test_untagged_work_beside_does_not_fail_a_budget_of_tagged_scopes(rowcall, pg):
    beside = TRAFFIC + "\nfor key in range(40):\n    cursor.execute('SELECT name FROM things WHERE id = %s', [key])\n"
    (rowcall.dir / "rowcall.yaml").write_text('budgets:\n  - {scope: "(untagged)"}\n  - {scope: "*", max_queries: 17}\n')
    run = rowcall.python(beside, env={"DATABASE_URL": pg.url()})
    assert run.status == 0, run
    assert run.report["coverage"]["tagged"] < run.report["coverage"]["queries"]


# --- shards and step summaries ----------------------------------------------------------------------------------------------------------

COUNTED = ("requests", "statements", "queries")


def keep_requests(path, condition, rest):
    """Leaves the requests of the condition in a recording and takes the others from its coverage; `rest`: strays and sessions stay too."""
    recording = sqlite3.connect(path)
    with recording:
        sums = recording.execute(f"SELECT count(*), sum(statements), sum(queries) FROM requests WHERE {condition}").fetchone()
        gone = recording.execute(f"SELECT count(*), sum(statements), sum(queries) FROM requests WHERE NOT ({condition})").fetchone()
        recording.execute(f"DELETE FROM requests WHERE NOT ({condition})")
        (before,) = recording.execute("SELECT min(number) - 1 FROM requests").fetchone()
        recording.execute("UPDATE requests SET number = number - ?", (before,))     # each shard counts from 1
        if not rest:
            recording.execute("DELETE FROM strays")
            recording.execute("UPDATE meta SET value = '0' WHERE key LIKE 'coverage.%' AND key <> 'coverage.opaque_reason'")
        for name, kept, left in zip((*COUNTED, "tagged"), (*sums, sums[2]), (*gone, gone[2])):
            change = (f"CAST(value AS INTEGER) - {left}" if rest else str(kept))
            recording.execute(f"UPDATE meta SET value = CAST({change} AS TEXT) WHERE key = 'coverage.{name}'")
    recording.close()
    assert sums[0] and gone[0], "both shards hold something"


def test_two_shards_merged_equal_one_run(rowcall, pg, shop, tmp_path):
    """A recording cut in two and merged again is the same to every report, the gate and the baseline, byte for byte."""
    whole, one, two, both = (tmp_path / f"{name}.db" for name in ("whole", "one", "two", "both"))
    run = rowcall.run("--record", whole, "--", PYTHON, "browse.py", cwd=shop, env={"DATABASE_URL": pg.url(database="shop")})
    assert run.status == 0, run
    for shard, condition in ((one, "number <= 3"), (two, "number > 3")):
        subprocess.run(["cp", whole, shard], check=True)
        keep_requests(shard, condition, rest=shard is one)
    assert rowcall("merge", "--record", both, one, two).status == 0
    for gate in (["--max-queries", "41"], ["--max-queries", "42"], ["--max-total-queries", "100"], ["--fail-on", "n-plus-one"], []):
        seen = []
        for recording in (whole, both):
            report = tmp_path / "report.json"
            outcome = rowcall("report", "--report", f"json:{report}", "--report", f"junit:{tmp_path}/junit.xml", *gate, recording)
            seen.append((outcome.status, outcome.err, report.read_bytes(), (tmp_path / "junit.xml").read_bytes()))
        assert seen[0] == seen[1], gate
    for recording in (whole, both):
        assert rowcall("report", "-q", "--update-baseline", "--baseline", f"{recording}.json", recording).status == 0
    assert (tmp_path / "whole.db.json").read_bytes() == (tmp_path / "both.db.json").read_bytes()
    alone = rowcall("report", "--report", "json", one)
    assert alone.out.encode() != (tmp_path / "report.json").read_bytes(), "a shard alone is not the run"


def test_a_step_summary_is_appended_to(rowcall, pg, tmp_path):
    summary = tmp_path / "summary.md"
    summary.write_text("# earlier step\n")
    env = {"DATABASE_URL": pg.url(), "GITHUB_STEP_SUMMARY": str(summary)}
    for runs in (1, 2):
        assert rowcall.python(TRAFFIC, "--report", f"markdown:{summary}", "--report", f"markdown:{tmp_path}/other.md", env=env).status == 0
        text = summary.read_text()
        assert text.startswith("# earlier step\n") and text.count("<!-- rowcall -->") == runs
    assert (tmp_path / "other.md").read_text().count("<!-- rowcall -->") == 1, "any other file is replaced"


# --- reload -----------------------------------------------------------------------------------------------------------------------------

def serve(rowcall, pg, configuration):
    (rowcall.dir / "rowcall.yaml").write_text(configuration)
    return rowcall.proxy(pg.url())


def request(proxy, key, queries):
    connection = psycopg2.connect(proxy.url())
    connection.autocommit = True
    for number in range(queries):
        connection.cursor().execute(f"SELECT name FROM things WHERE id = {number} /*route='GET /x',rowcall_request='{key}'*/")
    connection.close()


def reload(rowcall, proxy, configuration, said):
    (rowcall.dir / "rowcall.yaml").write_text(configuration)
    proxy.signal(signal.SIGHUP)
    proxy.await_text(said)


def test_hup_reads_budgets_anew(hardened, pg):
    proxy = serve(hardened, pg, "")
    request(proxy, "a", 3)
    reload(hardened, proxy, 'budgets:\n  - {scope: "*", max_queries: 4}\nworkers: 2\n', "configuration was read anew")
    proxy.await_text("changed, but only a restart takes it in: workers$")
    request(proxy, "b", 5)
    run = proxy.stop()
    assert run.status == 10 and failures(run)["query-budget"].startswith("GET /x: 5 queries in one request, budget 4"), run


def test_hup_keeps_what_is_in_use_when_the_file_is_bad(hardened, pg):
    proxy = serve(hardened, pg, 'budgets:\n  - {scope: "*", max_queries: 4}\n')
    reload(hardened, proxy, 'budgets:\n  - {scope: "*", max_querys: 400}\n', r'configuration in use stays: rowcall.yaml:2:\d+: unknown key "max_querys"')
    request(proxy, "a", 5)
    assert proxy.stop().status == 10


def test_hup_takes_in_what_is_allowed(hardened, pg):
    proxy = serve(hardened, pg, "gate: {fail_on: [n-plus-one]}\n")
    request(proxy, "a", 9)
    reload(hardened, proxy, 'gate: {fail_on: [n-plus-one]}\nallow:\n  - {rule: n-plus-one, reason: "known"}\n', "configuration was read anew")
    request(proxy, "b", 9)
    run = proxy.stop()
    assert run.status == 0, run
    assert [f["suppressed"] for f in run.report["findings"] if f["rule"] == "n-plus-one"] == ["known"]
