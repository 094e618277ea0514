# SPDX-License-Identifier: Apache-2.0
"""Recordings: what outlives a run, what a report makes of it, and what is left when the program or the disk fails."""
import contextlib
import json
import os
import signal
import sqlite3
import subprocess

import pytest

from rowcall import PYTHON
from waiting import await_true

# Requests named by their tags: "NAME N ..." asks N times in request NAME; "pause" lets what is open close.
TAGGED = """
import os, sys, time, psycopg2
connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.autocommit = True
for number, word in enumerate(sys.argv[1:]):
    scope, count = word.split("=")
    tag = f"/*rowcall_request='{os.getpid()}-{number}',rowcall_scope='{scope}'*/"
    for row in range(int(count)):
        connection.cursor().execute(f"SELECT name FROM things WHERE id = %s {tag}", [row])
    connection.cursor().execute(f"SELECT count(*) FROM things {tag}")
connection.close()
"""


@pytest.fixture
def tagged(rowcall, pg, tmp_path):
    """tagged("list=3 show=9", options...): a run of requests with so many look-ups each."""
    (tmp_path / "tagged.py").write_text(TAGGED)

    def run(requests, *options, **more):
        more.setdefault("env", {})["DATABASE_URL"] = pg.url()
        return rowcall.run(*options, "--", PYTHON, tmp_path / "tagged.py", *requests.split(), **more)
    return run


def report(rowcall, *arguments, **more):
    """`rowcall report`, its outcome with the JSON report."""
    file = rowcall.report_name()
    return rowcall.start("report", "--report", "text", "--report", f"json:{file}", *arguments, report=file, **more).wait()


def kept(tmp_path):
    return sorted((tmp_path / "state/rowcall").glob("run-*.rowcall"))


def rows(file, sql):
    with contextlib.closing(sqlite3.connect(file)) as database:
        return database.execute(sql).fetchall()


# --- the last run -------------------------------------------------------------------------------------------------------------------

def test_the_last_run_is_kept_and_reported_as_it_was(rowcall, pg, shop, tmp_path):
    live = rowcall.run("--", PYTHON, "browse.py", cwd=shop, env={"DATABASE_URL": pg.url(database="shop")})
    assert live.status == 0, live
    assert any(finding["rule"] == "n-plus-one" and finding["source"] for finding in live.report["findings"])
    again = report(rowcall, cwd=shop)
    assert again.status == 0, again
    assert again.report == live.report
    assert again.verdict == live.verdict
    text = live.err[live.err.index("FOUND"):live.err.rindex("rowcall: ")]
    assert again.out == text, "on standard output, where run has the command's"
    (file,) = kept(tmp_path)
    assert not list(file.parent.glob("*-wal"))


def test_mariadb_too(rowcall, my, sqlalchemy_shop):
    live = rowcall.run("--", PYTHON, "shop.py", "browse", cwd=sqlalchemy_shop,
                       env={"DATABASE_URL": my.url(database="shop", scheme="mysql+pymysql")})
    assert live.report["coverage"]["queries"] > 0, live
    assert report(rowcall).report == live.report


def test_the_last_one_counts_and_older_ones_go(rowcall, tagged, tmp_path):
    for number in range(1, 8):
        tagged(f"list={number}")
    assert len(kept(tmp_path)) == 5
    assert report(rowcall).report["coverage"]["queries"] == 8
    assert report(rowcall, kept(tmp_path)[0]).report["coverage"]["queries"] == 4


def test_no_last_run(rowcall):
    run = rowcall("report")
    assert run.status == 2, run
    assert "rowcall run" in run.err


def test_no_home_is_no_obstacle(rowcall, tagged):
    run = tagged("list=1", env={"HOME": "/nonexistent", "XDG_STATE_HOME": ""})
    assert run.status == 0, run
    assert run.verdict[3] == 2


# --- options of the report ----------------------------------------------------------------------------------------------------------

@pytest.fixture
def recorded(rowcall, tagged, tmp_path):
    """A recording of three scopes, one of them with an N+1."""
    run = tagged("list=1 show=9 list=2 archive/old=1", "--record", tmp_path / "one.rowcall")
    assert run.status == 0, run
    return tmp_path / "one.rowcall"


@pytest.mark.parametrize("options, status", [
    ([], 0),
    (["--max-queries", "10"], 0),
    (["--max-queries", "9"], 10),
    (["--max-total-queries", "16"], 10),
    (["--max-total-queries", "17"], 0),
    (["--fail-on", "n-plus-one"], 10),
    (["--fail-on", "write-loop"], 0),
    (["--fail-on", "n-plus-one", "--n-plus-one-threshold", "10"], 0),
    (["--max-queries", "9", "--exit-code", "42"], 42),
    (["--max-queries", "9", "--exit-zero"], 0),
    (["--min-tagged", "100%"], 0),
])
def test_statuses(rowcall, recorded, options, status):
    run = report(rowcall, *options, recorded)
    assert run.status == status, run
    assert bool(run.report["gate"]["failures"]) == (status != 0 or "--exit-zero" in options)


def test_budgets_of_the_file(rowcall, recorded, tmp_path):
    (tmp_path / "rowcall.yaml").write_text("budgets:\n  - {scope: 'archive/*', max_queries: 1}\n  - {scope: '*', max_queries: 100}\n")
    run = report(rowcall, recorded)
    assert run.status == 10, run
    assert [f["scope"] for f in run.report["gate"]["failures"]] == ["archive/old"]
    assert {s["scope"]: s["budget"] for s in run.report["scopes"]} == {"archive/old": 1, "show": 100, "list": 100}


def test_what_is_shown(rowcall, recorded):
    plain, every = report(rowcall, recorded).out, report(rowcall, "--all", recorded).out
    assert len(every) >= len(plain)
    assert "SELECT name FROM things WHERE id = ?" in report(rowcall, "--wide", recorded).out
    assert "\x1b[" in report(rowcall, "--color", "always", recorded).out
    assert "\x1b[" not in plain
    quiet = rowcall("report", "--quiet", recorded)
    assert (quiet.status, quiet.out) == (0, "")
    assert quiet.verdict == ("PASS", 1, 4, 17)


def test_scope(rowcall, tagged, recorded):
    one = report(rowcall, "--scope", "sh*", recorded)
    assert "show" in one.out and "archive" not in one.out
    assert [s["scope"] for s in one.report["scopes"]] == ["show"]
    assert one.verdict == ("PASS", 1, 4, 17), "of the whole run"
    assert [s["scope"] for s in report(rowcall, "--scope", "archive*", recorded).report["scopes"]] == ["archive/old"], "* also matches /"
    assert [s["scope"] for s in tagged("list=1 show=9", "--scope", "l*").report["scopes"]] == ["list"], "in a live run too"


@pytest.mark.parametrize("form", ["text", "json", "ndjson", "junit", "markdown", "github", "gitlab", "sarif", "folded", "speedscope",
                                  "flamegraph",
                                  "html"])
def test_every_format(rowcall, recorded, tmp_path, form):
    alone = rowcall("report", "--report", form, recorded)
    filed = rowcall("report", "--report", f"{form}:{tmp_path}/out", recorded)
    assert (alone.status, filed.status, filed.out) == (0, 0, ""), (alone, filed)
    assert alone.out and (tmp_path / "out").read_text() == alone.out


# --- files --------------------------------------------------------------------------------------------------------------------------

def test_record_none(rowcall, tagged, pg, tmp_path):
    assert tagged("list=1", "--record", "none").status == 0
    assert not kept(tmp_path) and not (tmp_path / "none").exists()
    proxy = rowcall.proxy(pg.url(), options=["--record", "none"])
    proxy.stop()
    assert not (tmp_path / "none").exists()


def test_a_proxy_records_when_asked(rowcall, pg, tmp_path):
    import psycopg2
    proxy = rowcall.proxy(pg.url(), options=["--record", tmp_path / "proxy.rowcall"])
    connection = psycopg2.connect(proxy.url())
    connection.cursor().execute("SELECT name FROM things WHERE id = 1")
    connection.close()
    live = proxy.stop()
    assert report(rowcall, tmp_path / "proxy.rowcall").report == live.report
    assert not kept(tmp_path)


def test_another_file_is_never_overwritten(rowcall, tagged, tmp_path):
    (tmp_path / "precious").write_text("precious")
    with contextlib.closing(sqlite3.connect(tmp_path / "precious.db")) as database:
        database.execute("CREATE TABLE precious(a)")
    for name in ("precious", "precious.db", "."):
        run = tagged("list=1", "--record", tmp_path / name)
        assert run.status == 11, run
        assert f"{tmp_path / name}: exists and is not a recording" in run.err
    assert (tmp_path / "precious").read_text() == "precious"
    assert rows(tmp_path / "precious.db", "SELECT count(*) FROM precious") == [(0,)]


def test_an_old_recording_is_replaced(rowcall, tagged, recorded):
    tagged("list=1", "--record", recorded)
    assert report(rowcall, recorded).report["coverage"]["queries"] == 2


@pytest.mark.parametrize("prepare, words", [
    (lambda path: None, "No such file"),
    (lambda path: path.write_text("not at all a recording\n" * 100), "not a database"),
    (lambda path: path.write_text(""), "is empty"),
    (lambda path: path.mkdir(), "is not a file"),
])
def test_what_cannot_be_reported(rowcall, tmp_path, prepare, words):
    prepare(tmp_path / "odd.rowcall")
    run = rowcall("report", "odd.rowcall")
    assert run.status == 11, run
    assert words in run.err and "odd.rowcall" in run.err
    assert run.verdict == ("UNUSABLE", 0, 0, 0)


def alter(file, sql):
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.executescript(sql)


@pytest.mark.parametrize("change, words", [
    ("PRAGMA user_version = 2", "newer rowcall"),
    ("UPDATE meta SET value = '99' WHERE key = 'fingerprint_version'", "fingerprints of version 99"),
    ("PRAGMA application_id = 1", "not a recording of rowcall"),
])
def test_other_versions_are_refused_in_words(rowcall, recorded, change, words):
    alter(recorded, change)
    for arguments in (["report", recorded], ["merge", "--record", "out.rowcall", recorded]):
        run = rowcall(*arguments)
        assert run.status == 11, run
        assert words in run.err


def test_a_damaged_recording_is_reported_as_far_as_it_goes(rowcall, recorded):
    alter(recorded, "UPDATE requests SET data = x'00' WHERE number = 4")
    run = report(rowcall, recorded)
    assert run.status == 11, run
    assert "is damaged" in run.err and run.verdict[0] != "FAIL"
    assert sum(s["requests"] for s in run.report["scopes"]) == 3
    with open(recorded, "r+b") as file:
        file.truncate(os.path.getsize(recorded) // 2)
    assert rowcall("report", recorded).status == 11


def test_sqlite_alone_reads_it(recorded):
    assert rows(recorded, "SELECT scope, requests, queries_max FROM scopes ORDER BY scope") == [("archive/old", 1, 2), ("list", 2, 3), ("show", 1, 10)]
    assert rows(recorded, "SELECT scope, max(queries) FROM requests GROUP BY scope ORDER BY 2 DESC LIMIT 1") == [("show", 10)]
    ((rule, scope, executions, shape, tables),) = rows(
        recorded, "SELECT rule, scope, executions, shape, tables FROM findings JOIN shapes USING (fingerprint) WHERE rule = 'n-plus-one'")
    assert (rule, scope, executions, shape) == ("n-plus-one", "show", 9, "SELECT name FROM things WHERE id = ?")
    assert json.loads(tables) == [{"name": "things", "write": False}]
    assert rows(recorded, "PRAGMA integrity_check") == [("ok",)]


def test_no_value_is_in_the_file(rowcall, pg, tmp_path):
    secret = "S3CRET-8675309"
    run = rowcall.python(f"""
import os, psycopg2
connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.autocommit = True
for form in ("SELECT name FROM things WHERE name = '{secret}'", "SELECT '{secret}' FROM things", "SET application_name TO 'web'"):
    connection.cursor().execute(form)
""", "--record", tmp_path / "one.rowcall", env={"DATABASE_URL": pg.url()})
    assert run.verdict[3] == 2, run
    assert secret.encode() not in (tmp_path / "one.rowcall").read_bytes()


# --- merging ------------------------------------------------------------------------------------------------------------------------

def counts(report):
    """What does not depend on time."""
    coverage = {k: v for k, v in report["coverage"].items()}
    scopes = {s["scope"]: (s["requests"], s["queries"], s["duplicates"]) for s in report["scopes"]}
    findings = {f["id"]: (f["rule"], f["scope"], f["verdict"], f["repeat"]["executions"], f["repeat"]["distinct_parameters"]) for f in report["findings"]
                if f["repeat"]}
    shapes = {s["fingerprint"]: s["executions"] for s in report["shapes"]}
    return coverage, scopes, findings, shapes


def test_merged_shards_are_one_run(rowcall, tagged, tmp_path):
    shards = ["list=3 show=9 list=1", "show=12 archive=2"]
    for number, requests in enumerate(shards):
        tagged(requests, "--record", tmp_path / f"shard{number}.rowcall")
    whole = tagged(" ".join(shards), "--record", tmp_path / "whole.rowcall")
    merged = rowcall("merge", "--record", "merged.rowcall", "shard0.rowcall", "shard1.rowcall")
    assert merged.status == 0, merged
    assert merged.out == "merged 2 recordings: 5 requests, 32 queries\n"
    one, other = report(rowcall, "merged.rowcall"), report(rowcall, "whole.rowcall")
    assert other.report == whole.report
    mine, theirs = counts(one.report), counts(other.report)
    sessions = mine[0].pop("sessions", None), theirs[0].pop("sessions", None)
    assert sessions in ((None, None), (2, 1)), "each shard had its own connection"
    for part, (a, b) in zip(("coverage", "scopes", "findings", "shapes"), zip(mine, theirs)):
        for key in ("control", "setup", "statements"):      # of each connection
            if part == "coverage":
                a.pop(key, None), b.pop(key, None)
        assert a == b, part
    assert one.report["run"]["upstreams"] == other.report["run"]["upstreams"]
    assert len({r["number"] for r in one.report["requests"] if "number" in r}) in (0, 5)
    assert rows(tmp_path / "merged.rowcall", "SELECT count(*), count(DISTINCT number) FROM requests") == [(5, 5)]
    gate = ["--max-total-queries", "32"], ["--max-total-queries", "31"]
    assert [rowcall("report", *options, "merged.rowcall").status for options in gate] == [0, 10]


def test_a_merged_recording_merges_again(rowcall, tagged, recorded, tmp_path):
    tagged("list=1", "--record", tmp_path / "two.rowcall")
    assert rowcall("merge", "--record", "a.rowcall", recorded, "two.rowcall").status == 0
    tagged("list=2", "--record", tmp_path / "three.rowcall")
    assert rowcall("merge", "--record", "b.rowcall", "a.rowcall", "three.rowcall").status == 0
    assert report(rowcall, "b.rowcall").report["coverage"]["queries"] == 17 + 2 + 3


@pytest.mark.parametrize("arguments, status, words", [
    ([], 2, "--record"),
    (["--record", "out.rowcall"], 2, "name the recordings"),
    (["--record", "one.rowcall", "one.rowcall"], 2, "into itself"),
    (["--record", "one.rowcall", "./one.rowcall"], 2, "into itself"),
    (["--record", "out.rowcall", "one.rowcall", "./one.rowcall"], 2, "named twice"),
    (["--record", "out.rowcall", "one.rowcall", "missing.rowcall"], 11, "missing.rowcall"),
    (["--record", "tagged.py", "one.rowcall"], 11, "is not a recording"),
])
def test_merges_that_cannot_be(rowcall, recorded, tmp_path, arguments, status, words):
    before = recorded.read_bytes()
    run = rowcall("merge", *arguments)
    assert run.status == status, run
    assert words in run.err
    assert recorded.read_bytes() == before and not (tmp_path / "out.rowcall").exists()


# --- what is left -------------------------------------------------------------------------------------------------------------------

UNTIL_ORPHANED = """
import os, time, psycopg2
parent = os.getppid()
connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.autocommit = True
connection.cursor().execute("SELECT name FROM things WHERE id = 1")
while os.getppid() == parent:
    time.sleep(0.05)
"""


def recorded_requests(tmp_path):
    with contextlib.suppress(sqlite3.OperationalError):     # its tables are about to come
        return sum(rows(file, "SELECT count(*) FROM requests")[0][0] for file in kept(tmp_path))
    return 0


def test_killed_mid_run(rowcall, tagged, pg, tmp_path):
    run = rowcall.start_run("--", PYTHON, "-c", UNTIL_ORPHANED, env={"DATABASE_URL": pg.url()})
    await_true(lambda: recorded_requests(tmp_path) == 1, "a recorded request")
    os.kill(run.process.pid, signal.SIGKILL)
    run.process.wait()
    left = report(rowcall)
    assert left.status == 0, left
    assert left.report["coverage"]["queries"] == 1
    assert left.report["omitted"]["recording_incomplete"] is True
    assert "never finished" in left.out
    gated = report(rowcall, "--max-queries", "5")
    assert gated.status == 11, "half a run passes no gate"
    merged = rowcall("merge", "--record", "out.rowcall", kept(tmp_path)[0])
    assert merged.status == 0 and "incomplete" in merged.out, merged
    assert report(rowcall, "out.rowcall").report["omitted"]["recording_incomplete"] is True
    assert tagged("list=1").status == 0, "no obstacle for the next run"
    assert report(rowcall).report["coverage"]["queries"] == 2


def test_a_file_in_use_is_left_to_its_run(rowcall, tagged, pg, tmp_path):
    first = rowcall.start_run("--record", tmp_path / "one.rowcall", "--", PYTHON, "-c", UNTIL_ORPHANED.replace("while os", "print('ready', flush=True)\nwhile os"),
                              env={"DATABASE_URL": pg.url()})
    first.await_text("ready", "stdout")
    second = tagged("list=1", "--record", tmp_path / "one.rowcall")
    assert second.status == 11, second
    assert "in use" in second.err


@pytest.fixture
def small_disk(tmp_path):
    """A disk with room for a few hundred kilobytes."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=800k,mode=777", "tmpfs", place], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize("asked", [True, False])
def test_a_full_disk(rowcall, tagged, small_disk, asked):
    """The disk is full while the run is under way: the run and its report are as if nobody had recorded."""
    requests = " ".join(f"page{number}=3" for number in range(3000))
    where = ["--record", small_disk / "one.rowcall"] if asked else []
    run = tagged(requests, "--max-queries", "4", *where, env={} if asked else {"XDG_STATE_HOME": str(small_disk)})
    assert run.status == 0, run
    assert run.verdict[2:] == (3000, 12000)
    assert "disk is full" in run.err and "requests are missing" in run.err
    file = small_disk / "one.rowcall" if asked else next((small_disk / "rowcall").glob("run-*.rowcall"))
    left = report(rowcall, file)
    assert left.status == 0, left
    assert left.report["omitted"]["recording_incomplete"] is True
    assert 0 < sum(scope["requests"] for scope in left.report["scopes"]) < 3000


@pytest.mark.parametrize("asked", [True, False])
def test_a_disk_full_from_the_start(rowcall, tagged, small_disk, asked):
    with contextlib.suppress(OSError), open(small_disk / "filler", "wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))
    where = ["--record", small_disk / "one.rowcall"] if asked else []
    run = tagged("list=3", *where, env={} if asked else {"XDG_STATE_HOME": str(small_disk)})
    assert "disk is full" in run.err or "disk I/O error" in run.err, run
    if asked:
        assert run.status == 11, run
        assert not (small_disk / "one.rowcall").exists()
    else:
        assert run.status == 0, run
        assert run.verdict[3] == 4
        assert "is not kept" in run.err
