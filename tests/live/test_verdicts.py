# SPDX-License-Identifier: Apache-2.0
"""The verdict table: every row that the wire can show, on its wire variants, with and without tags, against real servers.

One rowcall per variant and way of tagging hears all rows one after the other. ROWCALL_WRITE_TABLES=1 writes tests/verdicts.md of what it said."""
import os
import re
import subprocess

import pytest

from rowcall import TOP, Rowcall
from verdict_rows import ALL, ELSEWHERE, NEVER_PROVEN, ROWS, TABLES
from verdict_variants import VARIANTS

# Rules that depend on how fast the machine is.
IGNORED = ("slow-query", "slow-request", "idle-in-transaction")


def make_tables(server, engine):
    commands = []
    for row in ROWS:
        schema = "r" + row.number
        commands.append("CREATE SCHEMA " + schema)
        for statement in TABLES:
            if engine == "mysql":
                statement = statement.replace("(i + 1) / 2", "(i + 1) DIV 2").replace("FROM n", "FROM app.n")
            commands.append(statement.replace("{s}", schema))
    if engine == "postgresql":
        numbers = ["CREATE TABLE n AS SELECT generate_series(1, 400) AS i"]
        server.sql("BEGIN; " + "; ".join(numbers + commands) + "; COMMIT", database="app")
    else:
        numbers = ["CREATE TABLE n (i integer)", "INSERT INTO n SELECT seq FROM seq_1_to_400"]
        server.sql(*numbers, *(c if not c.startswith("CREATE TABLE") else c + " ENGINE=MyISAM" for c in commands), database="app")


@pytest.fixture(scope="module")
def servers(pg, my):
    made = {}

    def of(engine):
        if engine not in made:
            made[engine] = pg if engine == "postgresql" else my
            make_tables(made[engine], engine)
        return made[engine]
    return of


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The client of MySQL's prepared statements, compiled."""
    program = tmp_path_factory.mktemp("prepared") / "prepared"
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libmariadb"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    subprocess.run(["cc", "-O1", "-o", program, TOP / "tests/live/programs/prepared.c", *flags], check=True)
    return str(program)


def played(row, variant, tagged):
    """A row is played on its variants; without tags unless it says that only tags make sense."""
    return variant in row.variants and (row.tagged or not tagged)


@pytest.fixture(scope="module")
def report(servers, prepared, tmp_path_factory):
    """The JSON report of one variant with or without tags: rows are played when it is first asked for."""
    made = {}

    def of(variant, tagged):
        if (variant, tagged) in made:
            return made[variant, tagged]
        kind = VARIANTS[variant]
        rowcall = Rowcall(tmp_path_factory.mktemp(variant))
        proxy = rowcall.proxy(servers(kind.engine).url())
        kind.program = prepared
        client = kind(proxy.port, tagged)
        client.base += 10 * tagged
        client.all_rows = ["r" + row.number for row in ROWS]
        for row in ROWS:
            if played(row, variant, tagged):
                client.begin(row.number)
                row.play(client)
                client.end()
        if hasattr(client, "finish"):
            client.finish()
        outcome = proxy.stop()
        assert outcome.status == 0, outcome
        made[variant, tagged] = outcome.report
        return outcome.report
    return of


def of_row(report, row):
    """The requests and findings that touch the row's tables."""
    mine = re.compile(rf"\br{row.number}\b")
    findings = [f for f in report["findings"] if f["rule"] not in IGNORED and mine.search(f["repeat"]["shape"] or "")]
    ids = {f["id"] for f in findings}
    requests = [r for r in report["requests"] if r["scope"] == "r" + row.number or r["request"].startswith(f"r{row.number}-") or ids & set(r["findings"])]
    return requests, findings


def expected(row, variant, tagged):
    if not tagged and row.untagged is not None:
        return row.untagged
    return row.also.get(variant, row.says)


@pytest.fixture(scope="module")
def table():
    """What was said, by row and (variant, tagged); written when every row was played everywhere."""
    said = {}
    yield said
    if os.environ.get("ROWCALL_WRITE_TABLES") and sum(map(len, said.values())) == len(CASES):
        (TOP / "tests/verdicts.md").write_text(written(said))


CASES = [(row, variant, tagged) for variant in ALL for tagged in (True, False) for row in ROWS if played(row, variant, tagged)]


@pytest.mark.parametrize("row, variant, tagged", CASES, ids=[f"{row.number}-{variant}-{'tagged' if tagged else 'untagged'}" for row, variant, tagged in CASES])
def test_row(row, variant, tagged, report, table):
    requests, findings = of_row(report(variant, tagged), row)
    assert any(re.search(rf"\br{row.number}\b", shape["shape"]) for shape in report(variant, tagged)["shapes"]), "nothing of it was seen"
    says = sorted((f["rule"], f["verdict"]) for f in findings)
    table.setdefault(row.number, {})[variant, tagged] = says
    want = expected(row, variant, tagged)
    if want == NEVER_PROVEN:
        assert ("n-plus-one", "proven") not in says, findings
        return
    assert says == sorted(want), "\n".join(f"{f['rule']} {f['verdict']} {f['source']['column']} {f['repeat']}" for f in findings)
    if row.check and tagged == row.tagged:
        assert row.check(requests, findings), (requests, findings)


HEAD = """\
# Verdicts

Written by tests/live/test_verdicts.py: what rowcall said of each row, on PostgreSQL 15 (simple protocol; extended with text and with binary
parameters) and MariaDB 10.11 (text protocol; prepared statements). "Nothing" is no finding. Without tags some rows need only never be proven.

| row | scenario | variants | verdict with tags | without tags |
|---|---|---|---|---|
"""


def in_words(said, tagged):
    """One verdict where all variants agree, else each."""
    by_says = {}
    for variant in ALL:
        if (variant, tagged) in said:
            by_says.setdefault(", ".join(" ".join(s) for s in said[variant, tagged]) or "nothing", []).append(variant)
    if len(by_says) == 1:
        return next(iter(by_says))
    return "; ".join(f"{says} ({', '.join(variants)})" for says, variants in by_says.items()) or "-"


def written(said):
    lines = {row.number: f"| {row.number} | {row.title} | {'all' if row.variants == ALL else ', '.join(row.variants)} "
                         f"| {in_words(said[row.number], True)} | {in_words(said[row.number], False)} |" for row in ROWS}
    lines |= {number: f"| {number} | {title} | not a case of one capture | {where} | |" for number, (title, where) in ELSEWHERE.items()}
    order = sorted(lines, key=lambda n: (int(re.match(r"\d+", n)[0]), n))
    return HEAD + "\n".join(lines[n] for n in order) + "\n"
