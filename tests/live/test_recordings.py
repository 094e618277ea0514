# SPDX-License-Identifier: Apache-2.0
"""Recordings of real runs: rendered again, merged, cut short by a crash, read by SQLite alone."""
import signal
import sqlite3

from rowcall import PYTHON, read_json
from waiting import await_true


def recorded(rowcall, pg, shop, file, *options, **env):
    run = rowcall.run("--record", file, *options, "--", PYTHON, "browse.py", cwd=shop, env={"DATABASE_URL": pg.url(database="shop"), **env})
    assert run.status == 0, run
    return run.report


def rendered(rowcall, *arguments):
    report = rowcall.report_name()
    outcome = rowcall("report", "--report", f"json:{report}", *arguments)
    return outcome, read_json(report)


def test_a_recording_renders_as_the_run_did(rowcall, pg, shop, tmp_path):
    live = recorded(rowcall, pg, shop, tmp_path / "run.db")
    outcome, again = rendered(rowcall, tmp_path / "run.db")
    assert outcome.status == 0, outcome
    assert again == live


def test_the_last_run_needs_no_name(rowcall, pg, shop):
    live = rowcall.run("--", PYTHON, "browse.py", cwd=shop, env={"DATABASE_URL": pg.url(database="shop")}).report
    outcome, again = rendered(rowcall)
    assert outcome.status == 0, outcome
    assert again["requests"] == live["requests"]
    text = rowcall("report")
    assert "GET /orders" in text.out, "here a report goes to standard output"
    assert text.err.splitlines() == ["rowcall: PASS findings=2 requests=6 queries=174"]


def test_a_gate_can_judge_later(rowcall, pg, shop, tmp_path):
    recorded(rowcall, pg, shop, tmp_path / "run.db")
    assert rowcall("report", "--max-queries", "42", tmp_path / "run.db").status == 0
    assert rowcall("report", "--max-queries", "41", tmp_path / "run.db").status == 10


def test_shards_merge_into_one_run(rowcall, pg, shop, tmp_path):
    one = recorded(rowcall, pg, shop, tmp_path / "one.db")
    two = recorded(rowcall, pg, shop, tmp_path / "two.db", SHOP_FIXED="1")
    merged = rowcall("merge", "--record", tmp_path / "both.db", tmp_path / "one.db", tmp_path / "two.db")
    assert merged.status == 0, merged
    outcome, both = rendered(rowcall, tmp_path / "both.db")
    assert outcome.status == 0, outcome
    for total in ("statements", "queries", "tagged"):
        assert both["coverage"][total] == one["coverage"][total] + two["coverage"][total]
    assert len(both["requests"]) == 12
    orders = next(s for s in both["scopes"] if s["scope"] == "GET /orders")
    assert (orders["requests"], orders["queries"]["min"], orders["queries"]["max"]) == (8, 3, 42)
    assert {f["id"] for f in both["findings"]} == {f["id"] for f in one["findings"]}


def test_a_crash_leaves_a_readable_file_that_says_so(rowcall, pg, shop, tmp_path):
    file = tmp_path / "run.db"
    code = """
import os, psycopg2, signal
connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.autocommit = True
for key in range(50):
    connection.cursor().execute("SELECT name FROM things WHERE id = %s /*route='GET /x',rowcall_request='%s'*/", [key, key])
print("asked", flush=True)
signal.pause()
"""
    run = rowcall.start_run("--record", file, "--", "setpriv", "--pdeathsig", "KILL", PYTHON, "-c", code, env={"DATABASE_URL": pg.url()})
    run.await_text("^asked", "stdout")

    def some_kept():
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as recording:
            return recording.execute("SELECT count(*) FROM requests").fetchone()[0]
    await_true(some_kept, "some requests to be kept")
    run.signal(signal.SIGKILL)
    run.wait()
    outcome, report = rendered(rowcall, file)
    assert report["coverage"]["queries"] > 0, outcome
    assert "never finished" in rowcall("report", file).out
    assert rowcall("report", "--max-queries", "5", file).status == 11, "a gate cannot trust what may be missing"


def test_sqlite_alone_can_read_it(rowcall, pg, shop, tmp_path):
    live = recorded(rowcall, pg, shop, tmp_path / "run.db")
    with sqlite3.connect(f"file:{tmp_path}/run.db?mode=ro", uri=True) as recording:
        everything = "\n".join(recording.iterdump())
    for wanted in ("GET /orders", "GET /customers", "shop_customer", "n-plus-one"):
        assert wanted in everything
    assert all(f["id"] in everything for f in live["findings"])


def test_a_file_that_is_no_recording(rowcall, tmp_path):
    (tmp_path / "notes").write_text("no recording")
    outcome = rowcall("report", tmp_path / "notes")
    assert outcome.status in (2, 11) and str(tmp_path / "notes") in outcome.err, outcome
    outcome = rowcall("report", tmp_path / "absent")
    assert outcome.status in (2, 11) and str(tmp_path / "absent") in outcome.err, outcome
    assert not (tmp_path / "absent").exists()
