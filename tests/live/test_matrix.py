# SPDX-License-Identifier: Apache-2.0
"""Each client of tests/matrix, direct and through rowcall: the same bytes, no session it lost sight of, and the server's own numbers.

The run writes tests/matrix.md when all of the matrix was selected."""
import os
import re
import subprocess
import sys

import pytest

from rowcall import TOP
from servers import clean_environment

sys.path.insert(0, str(TOP / "tests/matrix"))

import ledger                       # noqa: E402
from clients import CLIENTS, NODE   # noqa: E402

SECONDS = 120   # for one run of one client


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    return tmp_path_factory.mktemp("matrix")


def environment(port, **more):
    return clean_environment(PGHOST="127.0.0.1", PGPORT=str(port), PGUSER="scram", PGPASSWORD="scram", PGDATABASE="matrix", TZ="UTC",
                             LC_ALL="C.UTF-8", NODE_PATH=str(NODE)) | more


def prepare(pg):
    pg.sql("DROP DATABASE IF EXISTS matrix WITH (FORCE)", "CREATE DATABASE matrix")
    pg.sql((TOP / "tests/matrix/postgresql/setup.sql").read_text(), database="matrix")


def run(command, port):
    done = subprocess.run(command, env=environment(port), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    return done.stdout


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_client(rowcall, pg, build, client):
    if client.missing:
        pytest.skip(client.missing)
    command = client.command(client, build)
    prepare(pg)
    direct = run(command, pg.port)
    prepare(pg)
    start = pg.log.stat().st_size
    proxy = rowcall.proxy(pg.url(database="matrix"), options=["--allow-empty"])
    through = run(command, proxy.port)
    outcome = proxy.stop()
    open(f"/tmp/matrix/{client.name}.direct", "wb").write(direct)
    open(f"/tmp/matrix/{client.name}.through", "wb").write(through)
    import json
    open(f"/tmp/matrix/{client.name}.json", "w").write(json.dumps(outcome.report, indent=1))
    open(f"/tmp/matrix/{client.name}.log", "w").write(pg.read_log(start))
    open(f"/tmp/matrix/{client.name}.err", "w").write(outcome.err)
    assert through == direct
    assert outcome.status == 0, outcome
    coverage = outcome.report["coverage"]
    assert coverage["opaque_unexpected"] == coverage["lost"] == 0
    assert coverage["opaque_expected"] == client.opaque
    found = ledger.Ledger(coverage["statements"], sum(shape["errors"] for shape in outcome.report["shapes"]))
    assert found == ledger.postgresql(pg.read_log(start), "matrix")
