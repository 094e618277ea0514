# SPDX-License-Identifier: Apache-2.0
"""The ratchet: a baseline written on day one, and later runs that fail only on what is new or has grown."""
import json
import subprocess

import pytest

from rowcall import PYTHON

FILE = "rowcall.baseline.json"


def browse(rowcall, pg, shop, *options, fixed="", **env):
    return rowcall.run(*options, "--", PYTHON, shop / "browse.py", env={"DATABASE_URL": pg.url(database="shop"), "SHOP_FIXED": fixed, **env})


def baseline(rowcall):
    return json.loads((rowcall.dir / FILE).read_text())


def said(run):
    """What stands on standard error, unwrapped."""
    return " ".join(run.err.split())


def write(rowcall, pg, shop, fixed=""):
    first = browse(rowcall, pg, shop, "--update-baseline", fixed=fixed)
    assert first.status == 0, first
    return first


def kinds(run):
    return {f["kind"] for f in run.report["gate"]["failures"]}


def test_day_one_writes_and_passes(rowcall, pg, shop):
    first = write(rowcall, pg, shop)
    assert f"rowcall: {FILE}: 2 scopes added, 2 findings added" in said(first)
    written = baseline(rowcall)
    assert written["scopes"]["GET /orders"]["queries"] == 42
    entries = written["scopes"]["GET /orders"]["findings"]
    assert [e["count"] for e in entries.values()] == [20, 20]
    assert all(e["fingerprint_version"] == 1 and e["shape"].startswith("SELECT") for e in entries.values())
    assert first.verdict[0] == "PASS" and "2 findings allowed" in said(first)

    second = browse(rowcall, pg, shop, "--baseline", FILE, "--fail-on", "n-plus-one")
    assert second.status == 0, second
    assert [f["suppressed"] for f in second.report["findings"] if f["rule"] == "n-plus-one"] == [f"in {FILE}: 20x"] * 2
    assert {s["scope"]: s["baseline"] for s in second.report["scopes"]}["GET /orders"] == 42


def test_the_file_is_sorted_with_an_entry_per_line(rowcall, pg, shop):
    write(rowcall, pg, shop)
    text = (rowcall.dir / FILE).read_text()
    assert text.endswith("}\n") and list(json.loads(text)["scopes"]) == sorted(json.loads(text)["scopes"])
    assert sum('"count": 20' in line for line in text.splitlines()) == 2
    again = browse(rowcall, pg, shop, "--update-baseline")
    assert again.status == 0 and f"{FILE}: nothing changed" in said(again), again
    assert (rowcall.dir / FILE).read_text() == text, "the same run writes the same bytes"


def test_what_is_new_fails(rowcall, pg, shop):
    write(rowcall, pg, shop, fixed="1")
    run = browse(rowcall, pg, shop, "--baseline", FILE)
    assert run.status == 10, run
    assert kinds(run) == {"baseline-queries", "new-finding"}
    assert "GET /orders: 42 queries in the median of 4 requests, 3 in rowcall.baseline.json" in said(run)
    assert "n-plus-one proven: 20x SELECT shop_customer in the median of 4 requests, not in rowcall.baseline.json" in said(run)
    assert {f["level"] for f in run.report["findings"] if f["rule"] == "n-plus-one"} == {"error"}


def test_what_has_grown_fails(rowcall, pg, shop):
    write(rowcall, pg, shop)
    written = baseline(rowcall)
    orders = written["scopes"]["GET /orders"]
    orders["queries"] = 41
    next(iter(orders["findings"].values()))["count"] = 19
    (rowcall.dir / FILE).write_text(json.dumps(written))
    run = browse(rowcall, pg, shop, "--baseline", FILE)
    assert run.status == 10 and kinds(run) == {"baseline-queries", "grown-finding"}, run
    assert "20x SELECT" in said(run) and "19x in rowcall.baseline.json" in said(run)


def test_an_update_lowers_and_does_not_raise(rowcall, pg, shop):
    write(rowcall, pg, shop)
    better = browse(rowcall, pg, shop, "--baseline", FILE, fixed="1")
    assert better.status == 0 and "lower now than in rowcall.baseline.json" in said(better), better
    assert "matches nothing any more" in said(better), "stale entries are said"
    assert browse(rowcall, pg, shop, "--baseline", FILE, "--strict", fixed="1").status == 10, "and fail where that is asked"

    pruned = browse(rowcall, pg, shop, "--update-baseline", "--prune", fixed="1")
    assert pruned.status == 0 and "1 count lowered, 2 entries dropped" in said(pruned), pruned
    assert baseline(rowcall)["scopes"]["GET /orders"] == {"queries": 3, "findings": {}}

    worse = browse(rowcall, pg, shop, "--update-baseline")
    assert worse.status == 10 and "3 increases were left out: --allow-increase accepts them" in said(worse), worse
    assert baseline(rowcall)["scopes"]["GET /orders"]["queries"] == 3
    accepted = rowcall("report", "--update-baseline", "--allow-increase")
    assert accepted.status == 0, accepted
    assert baseline(rowcall)["scopes"]["GET /orders"]["queries"] == 42


def test_a_baseline_in_the_configuration_lies_beside_it(rowcall, pg, shop):
    (rowcall.dir / "below").mkdir()
    subprocess.run(["git", "init", "-q"], cwd=rowcall.dir, check=True)
    (rowcall.dir / "rowcall.yaml").write_text("baseline: rowcall.baseline.json\n")
    run = rowcall("run", "--update-baseline", "--", PYTHON, shop / "browse.py", cwd=rowcall.dir / "below",
                  env={"DATABASE_URL": pg.url(database="shop")})
    assert run.status == 0 and (rowcall.dir / FILE).exists() and not (rowcall.dir / "below" / FILE).exists(), run


@pytest.mark.parametrize("text, why", [
    ('{"version": 1, "scopes": {', "rowcall.baseline.json:1:26: not readable as JSON"),
    ("<<<<<<< HEAD\n", "rowcall.baseline.json:1:1: not readable as JSON"),
    ('{"version": 7, "scopes": {}}', "it has version 7, this rowcall reads version 1"),
    ('{"version": 1, "scope": {}}', 'unknown key "scope"'),
    ('{"version": 1, "scopes": {"GET /": {"queries": -1}}}', 'scope "GET /": "queries" wants a whole number from 0'),
    ('{"version": 1, "scopes": {"GET /": {"findings": {"n-plus-one": {}}}}}', '"n-plus-one" is no RULE:FINGERPRINT'),
])
def test_an_unreadable_baseline_stops_before_anything_runs(rowcall, pg, text, why):
    (rowcall.dir / FILE).write_text(text)
    run = rowcall("run", "--baseline", FILE, "--", "touch", "ran", env={"DATABASE_URL": pg.url()})
    assert run.status == 2, run
    assert why in said(run) and "take back the committed file" in said(run), run.err
    assert not (rowcall.dir / "ran").exists()


@pytest.mark.parametrize("named, where", [("flag", "--baseline"), ("environment", "ROWCALL_BASELINE"), ("file", "rowcall.yaml:1:")])
@pytest.mark.parametrize("ci", ["", "true"])
def test_a_baseline_that_is_not_there_stops_before_anything_runs(rowcall, pg, named, where, ci):
    """Deleted or mistyped, it must not turn the ratchet off."""
    if named == "file":
        (rowcall.dir / "rowcall.yaml").write_text(f"baseline: {FILE}\n")
    flags = ["--baseline", FILE] if named == "flag" else []
    run = rowcall("run", *flags, "--", "touch", "ran",
                  env={"DATABASE_URL": pg.url(), "CI": ci, **({"ROWCALL_BASELINE": FILE} if named == "environment" else {})})
    assert run.status == 2 and f"{where}" in said(run) and f"{FILE} is not there" in said(run), run
    assert ("on your own machine" in said(run)) == bool(ci)
    assert not (rowcall.dir / "ran").exists()


def test_commands_that_judge_by_no_baseline_do_without_it(rowcall, pg, shop):
    (rowcall.dir / "rowcall.yaml").write_text(f"baseline: {FILE}\n")
    check = rowcall("config", "check")
    assert check.status == 0 and f"warning: rowcall.yaml:1:11: the baseline {FILE} is not there" in said(check).replace(f"{rowcall.dir}/", ""), check
    assert rowcall("report").status == 2
    write(rowcall, pg, shop)
    (rowcall.dir / FILE).unlink()
    recording = rowcall.dir / "run.db"
    assert browse(rowcall, pg, shop, "--update-baseline", "--record", recording).status == 0
    (rowcall.dir / FILE).unlink()
    report = rowcall("report", recording)
    assert report.status == 2 and "is not there" in said(report), report
    assert rowcall("diff", recording, recording).status == 0


def test_ci_never_writes_one(rowcall, pg):
    run = rowcall("run", "--update-baseline", "--", "touch", "ran", env={"DATABASE_URL": pg.url(), "CI": "true"})
    assert run.status == 2 and "CI is set" in said(run), run
    assert not (rowcall.dir / "ran").exists() and not (rowcall.dir / FILE).exists()


def test_a_failed_command_writes_none(rowcall, pg, shop):
    run = rowcall("run", "--update-baseline", "--", "sh", "-c", f"{PYTHON} {shop}/browse.py; exit 3", env={"DATABASE_URL": pg.url(database="shop")})
    assert run.status == 3 and "the command failed, and the baseline stays as it is" in said(run), run
    assert not (rowcall.dir / FILE).exists()


def test_a_run_that_saw_nothing_writes_none(rowcall, pg):
    run = rowcall("run", "--update-baseline", "--", "true", env={"DATABASE_URL": pg.url()})
    assert run.status == 11 and "this run cannot be trusted" in said(run), run
    assert not (rowcall.dir / FILE).exists()


def test_an_entry_can_expire(rowcall, pg, shop):
    write(rowcall, pg, shop)
    written = baseline(rowcall)
    for entry in written["scopes"]["GET /orders"]["findings"].values():
        entry["expires"], entry["reason"] = "2020-01-01", "being rewritten"
    (rowcall.dir / FILE).write_text(json.dumps(written))
    run = browse(rowcall, pg, shop, "--baseline", FILE)
    assert run.status == 10 and kinds(run) == {"expired-finding"}, run
    assert "its entry in rowcall.baseline.json expired on 2020-01-01" in said(run)


def test_entries_of_other_fingerprints_are_said(rowcall, pg, shop):
    write(rowcall, pg, shop)
    text = (rowcall.dir / FILE).read_text().replace('"fingerprint_version": 1', '"fingerprint_version": 0')
    first, second = (e["shape"] for e in json.loads(text)["scopes"]["GET /orders"]["findings"].values())
    (rowcall.dir / FILE).write_text(text.replace(json.dumps(second)[1:-1], "SELECT something else"))
    run = browse(rowcall, pg, shop, "--baseline", FILE)
    assert run.status == 10 and kinds(run) == {"new-finding"}, run
    assert "2 entries have another version of fingerprints (this rowcall makes version 1)" in said(run)
    assert "--update-baseline --allow-increase --prune" in said(run)
    again = browse(rowcall, pg, shop, "--update-baseline", "--allow-increase", "--prune")
    assert again.status == 0, again
    entries = baseline(rowcall)["scopes"]["GET /orders"]["findings"].values()
    assert {e["shape"] for e in entries} == {first, second} and {e["fingerprint_version"] for e in entries} == {1}


def test_the_first_request_may_warm_caches(rowcall, pg):
    code = """
import os, psycopg2
connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.autocommit = True
def ask(sql, request, *values):
    connection.cursor().execute(sql + f" /*route='GET /x',rowcall_request='{request}'*/", values)
for request in range(5):
    ask("SELECT count(*) FROM things", request)
    if os.environ["WARM"] == "1" and request == 0 or os.environ["WARM"] == "all" and request > 1:
        for key in range(9):
            ask("SELECT name FROM things WHERE id = %s", request, key)
"""
    assert rowcall.python(code, "--update-baseline", env={"DATABASE_URL": pg.url(), "WARM": "0"}).status == 0
    warm = rowcall.python(code, "--baseline", FILE, env={"DATABASE_URL": pg.url(), "WARM": "1"})
    assert warm.status == 0 and "taken for the warming of caches" in said(warm), warm
    assert max(r["queries"] for r in warm.report["requests"]) == 10
    budget = rowcall.python(code, "--baseline", FILE, "--max-queries", "5", env={"DATABASE_URL": pg.url(), "WARM": "1"})
    assert budget.status == 10, "budgets judge every request"
    loop = rowcall.python(code, "--baseline", FILE, env={"DATABASE_URL": pg.url(), "WARM": "all"})
    assert loop.status == 10 and kinds(loop) == {"baseline-queries", "new-finding"}, loop


def test_shards_do_not_undo_each_other(rowcall, pg, shop):
    code = """
import os, psycopg2
connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.autocommit = True
for shard in os.environ["SHARDS"].split():
    for key in range(6):
        connection.cursor().execute(f"SELECT name FROM things WHERE id = %s /*route='GET /{shard}',rowcall_request='{shard}'*/", [key])
"""
    def run(shards, *options):
        outcome = rowcall.python(code, *options, env={"DATABASE_URL": pg.url(), "SHARDS": shards})
        assert outcome.status == 0, outcome
        return (rowcall.dir / FILE).read_text()

    together = run("a b c d", "--update-baseline")
    (rowcall.dir / FILE).unlink()
    running = [rowcall.start_run("--update-baseline", "--", PYTHON, "-c", code, env={"DATABASE_URL": pg.url(), "SHARDS": s}) for s in "abcd"]
    assert [r.wait().status for r in running] == [0, 0, 0, 0]
    assert (rowcall.dir / FILE).read_text() == together
    assert run("b", "--update-baseline") == together, "a part of the run leaves the rest as it is"
