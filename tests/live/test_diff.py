# SPDX-License-Identifier: Apache-2.0
"""rowcall diff: the shop's broken page against the fixed one, in every format, and what two runs of the same code say."""
import json
import re

import jsonschema
import pytest

from rowcall import PYTHON, TOP, Rowcall
from test_html import see

SCHEMA = TOP / "reports" / "diff.schema.json"


@pytest.fixture(scope="module")
def recordings(tmp_path_factory, pg, shop):
    """Two recordings of the broken shop and two of the fixed one."""
    place = tmp_path_factory.mktemp("diff")
    program = Rowcall(place)
    for name, fixed in (("broken1", ""), ("fixed1", "1"), ("broken2", ""), ("fixed2", "1")):
        run = program("run", "-q", "--record", place / f"{name}.db", "--", PYTHON, "browse.py", cwd=shop,
                      env={"DATABASE_URL": pg.url(database="shop"), "SHOP_FIXED": fixed})
        assert run.status == 0, run
    return place


def diff(rowcall, recordings, before, after, *options):
    return rowcall("diff", *options, recordings / f"{before}.db", recordings / f"{after}.db")


def document(rowcall, recordings, before, after, *options):
    run = diff(rowcall, recordings, before, after, "--report", "json", *options)
    return run, json.loads(run.out)


def test_worse(rowcall, recordings):
    run = diff(rowcall, recordings, "fixed1", "broken1")
    assert run.status == 10, run
    assert run.err.splitlines()[-1] == "rowcall: FAIL worse=1 better=0 scopes=2"
    assert run.out.startswith("WORSE  1 of 2 scopes worse"), run.out
    assert re.search(r"^! GET /orders .* queries 3 → 42 \(\+39\)$", run.out, re.M), run.out
    assert run.out.count("new    N+1 proven  20x ") == 2
    assert re.search(r"^    \+ 20x +qcbe07bb  SELECT", run.out, re.M) and re.search(r"^    - 1x ", run.out, re.M), run.out
    assert re.search(r"^\+20x:\n\+  SELECT .*shop_customer.*\n\+  SELECT .*shop_line", run.out, re.M), run.out


def test_better_and_the_same(rowcall, recordings):
    better = diff(rowcall, recordings, "broken1", "fixed1")
    assert better.status == 0 and better.out.startswith("BETTER"), better
    assert better.err.splitlines()[-1] == "rowcall: PASS worse=0 better=1 scopes=2"
    same = diff(rowcall, recordings, "broken1", "broken2")
    assert same.status == 0 and same.out.startswith("SAME"), same
    assert "2 scopes execute the same statements as before" in same.out


def test_json_is_as_the_schema_says(rowcall, recordings):
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for pair in (("fixed1", "broken1"), ("broken1", "fixed1"), ("broken1", "broken2")):
        _, found = document(rowcall, recordings, *pair)
        assert [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(found)] == []
    found["scopes"][0]["surprise"] = 1
    assert list(validator.iter_errors(found)), "an unknown key passes"


def test_json_says_what_changed(rowcall, recordings):
    run, found = document(rowcall, recordings, "fixed1", "broken1")
    assert run.status == 10 and found["change"] == "worse"
    orders, customers = found["scopes"]
    assert (orders["scope"], orders["change"], customers["change"]) == ("GET /orders", "worse", "same")
    assert (orders["queries"]["before"]["p50"], orders["queries"]["after"]["p50"]) == (3, 42)
    changes = {(s["change"], s["before"]["per_request"], s["after"]["per_request"]) for s in orders["statements"]}
    assert {("added", 0, 20), ("removed", 1, 0), ("same", 1, 1)} <= changes
    assert {f["change"] for f in orders["findings"]} == {"added"}
    assert orders["db_ms"]["noise"]["word"] in ("slower", "within-noise") and 0 < orders["db_ms"]["noise"]["p"] <= 1
    assert customers["db_ms"]["noise"]["word"] == "too-few", "two requests tell nothing"
    before = [line for line in orders["sequence"]["lines"] if line["op"] in " -"]
    after = [line for line in orders["sequence"]["lines"] if line["op"] in " +"]
    assert len(before) == 3 and sum(1 for line in after if line["shape"]) == 4


def test_the_same_bytes_every_time(rowcall, recordings):
    for report in ("json", "markdown", "text"):
        assert diff(rowcall, recordings, "fixed1", "broken1", "--report", report).out == \
            diff(rowcall, recordings, "fixed1", "broken1", "--report", report).out


def test_markdown(rowcall, recordings, tmp_path):
    run = diff(rowcall, recordings, "fixed1", "broken1", "--report", f"markdown:{tmp_path}/diff.md")
    text = (tmp_path / "diff.md").read_text()
    assert run.status == 10 and run.out == ""
    assert text.startswith("<!-- rowcall-diff -->\n## rowcall: worse\n")
    assert "| **worse** | `GET /orders` | 3 → 42 | +39 |" in text
    assert "```diff\n--- before " in text and "\n+20x:\n" in text
    assert "```mermaid\nsequenceDiagram\n" in text and "loop 20 times\n" in text
    for block in re.findall(r"```mermaid\n(.*?)```", text, re.S):
        words = [line.split()[0] for line in block.splitlines()]
        assert words.count("end") == words.count("loop") + words.count("rect"), block


def test_the_page(rowcall, recordings, tmp_path):
    run = diff(rowcall, recordings, "fixed1", "broken1", "--report", f"html:{tmp_path}/diff.html", "--report", f"html:{tmp_path}/again.html")
    assert run.status == 10, run
    assert (tmp_path / "diff.html").read_bytes() == (tmp_path / "again.html").read_bytes()
    see("comparison", tmp_path / "diff.html")


def test_a_request_by_name(rowcall, recordings):
    _, found = document(rowcall, recordings, "fixed1", "broken1")
    key = found["scopes"][0]["sequence"]["after"]
    run = diff(rowcall, recordings, "fixed1", "broken1", "--request", key, "--scope", "GET /orders")
    assert f"+++ after  request {key}, 42 queries" in run.out, run
    nobody = diff(rowcall, recordings, "fixed1", "broken1", "--request", "nobody")
    assert nobody.status == 2 and "neither recording has a request nobody" in nobody.err, nobody


def test_only_some_scopes(rowcall, recordings):
    run = diff(rowcall, recordings, "fixed1", "broken1", "--scope", "GET /customers*")
    assert run.status == 10 and "GET /orders" not in run.out and "GET /customers" in run.out, "the verdict stays that of the whole run"


def test_statuses(rowcall, recordings, tmp_path):
    assert diff(rowcall, recordings, "fixed1", "broken1", "--exit-code", "7").status == 7
    assert diff(rowcall, recordings, "fixed1", "broken1", "--exit-zero").status == 0
    wrong = diff(rowcall, recordings, "fixed1", "broken1", "--report", "junit")
    assert wrong.status == 2 and "a comparison is written as" in wrong.err, wrong
    assert rowcall("diff", recordings / "fixed1.db").status == 2
    (tmp_path / "notes").write_text("no recording")
    unreadable = rowcall("diff", recordings / "fixed1.db", tmp_path / "notes")
    assert unreadable.status == 11 and str(tmp_path / "notes") in unreadable.err, unreadable


def test_nothing_captured_compares_with_nothing(rowcall, recordings, pg, tmp_path):
    empty = rowcall("run", "-q", "--record", tmp_path / "empty.db", "--", "true", env={"DATABASE_URL": pg.url()})
    assert empty.status == 11
    run = rowcall("diff", recordings / "fixed1.db", tmp_path / "empty.db")
    assert run.status == 11 and run.err.splitlines()[-1].startswith("rowcall: UNUSABLE"), run
    assert "empty.db: no connection came to rowcall" in run.err
