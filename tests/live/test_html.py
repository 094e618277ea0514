# SPDX-License-Identifier: Apache-2.0
"""The HTML report and the stand-alone flame graph of real runs, opened from disk in Chromium (node/page.js has what is done there)."""
import os
import re
import shutil
import subprocess

import pytest

from rowcall import PYTHON, TOP, Rowcall

NODE = TOP / "tests/live/node"
SHOP = "verdict sorts filters sqlUnfolds waterfall folds flame keyboard deepLinks dark contrast accessible prints".split()

BUSY = """
import os, psycopg2, time
one, two = (psycopg2.connect(os.environ["DATABASE_URL"]) for _ in range(2))
two.autocommit = True
tag = "/*rowcall_request='busy-1',rowcall_scope='POST /transfer'*/"
a, b = one.cursor(), two.cursor()
a.execute(f"SELECT name FROM stock WHERE id = %s {tag}", (7,))
b.execute(f"SELECT count(*) FROM stock {tag}")
a.execute(f"SAVEPOINT s {tag}")
try:
    a.execute(f"SELECT id / %s FROM stock {tag}", (0,))
except psycopg2.Error:
    a.execute(f"ROLLBACK TO s {tag}")
one.commit()
"""

LONG = """
import os, psycopg2
connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.autocommit = True
cursor = connection.cursor()
for i in range(500):
    for text in ("BEGIN", "SELECT name FROM stock WHERE id = 1", "COMMIT"):
        cursor.execute(f"{text} /*rowcall_request='long',rowcall_scope='job Long'*/")
"""

MANY = """
import os, psycopg2
connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.autocommit = True
cursor = connection.cursor()
for i in range(10000):
    cursor.execute(f"SELECT name FROM stock WHERE id = %s /*rowcall_request='r{i}',rowcall_scope='GET /items/{i % 300:05d}'*/", (i,))
"""

NAMES = ["</script><script>window.owned=1</script>", "<!--<script>", "<img src=x onerror=window.owned=1>", "a\u2028b", "c\u202ed", "']]>\"&lt;", "%3Cb%3E", "${window.owned=1}"]
HOSTILE = f"""
import os, psycopg2, urllib.parse
connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.autocommit = True
for i, name in enumerate({NAMES!r}):
    alias, scope = name.replace(chr(34), ""), urllib.parse.quote(name, safe="")
    connection.cursor().execute(f"SELECT name AS {{chr(34)}}{{alias}}{{chr(34)}} FROM stock WHERE id = {{i}} /*rowcall_request='h{{i}}',rowcall_scope='{{scope}}'*/")
"""


def browser():
    if not shutil.which(os.environ.get("CHROMIUM", "chromium")):
        pytest.skip("no Chromium: conf/install browser")
    if not shutil.which("node") or not (NODE / "node_modules/playwright-core").is_dir():
        pytest.skip("node or its package playwright-core is not installed")


@pytest.fixture(scope="module")
def pages(pg, shop, tmp_path_factory):
    """pages(NAME): the page of a run, made once."""
    place = tmp_path_factory.mktemp("pages")
    rowcall, made = Rowcall(place), {}
    pg.sql("CREATE DATABASE pages OWNER app")
    pg.sql("CREATE TABLE stock AS SELECT id, 'thing ' || id AS name FROM generate_series(1, 100) id", "ALTER TABLE stock OWNER TO app", database="pages")
    shop_run = ([PYTHON, "browse.py"], {"cwd": shop, "env": {"DATABASE_URL": pg.url(database="shop")}}, ["--max-queries", "10", "--fail-on", "n-plus-one"])

    def script(text):
        file = place / f"script{len(made)}.py"
        file.write_text(text)
        return [PYTHON, str(file)], {"env": {"DATABASE_URL": pg.url(database="pages")}}, []

    def page(name):
        if name not in made:
            command, more, options = {"shop": lambda: shop_run, "busy": lambda: script(BUSY), "long": lambda: script(LONG), "many": lambda: script(MANY),
                                      "hostile": lambda: script(HOSTILE)}[name]()
            made[name] = place / f"{name}.html"
            run = rowcall.run(*options, "--record", place / f"{name}.rowcall", "--report", f"html:{made[name]}",
                              "--report", f"flamegraph:{place / name}.svg", "--", *command, **more)
            assert run.status in (0, 10), run
        return made[name]

    yield page
    rowcall.abandon()


def see(scenario, file):
    browser()
    done = subprocess.run(["node", "page.js", scenario, file], cwd=NODE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("scenario", SHOP)
def test_the_shop(pages, scenario):
    see(scenario, pages("shop"))


def test_connections_transactions_and_errors(pages):
    see("transactions", pages("busy"))


def test_a_long_request(pages):
    see("long", pages("long"))


def test_ten_thousand_requests(pages):
    see("large", pages("many"))
    assert pages("many").stat().st_size < 8 << 20


def test_hostile_names_stay_text(pages):
    see("hostile", pages("hostile"))


def test_the_flame_graph_alone(pages):
    see("flameAlone", pages("shop").with_suffix(".svg"))


def test_the_page_is_the_same_each_time(pages, rowcall, tmp_path):
    pages("shop")
    recorded = pages("shop").with_suffix(".rowcall")
    for name in ("a", "b"):
        done = rowcall("report", "--report", f"html:{tmp_path / name}", "--quiet", recorded)
        assert done.status == 0, done
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_nothing_but_itself(pages):
    """No address, no style or script from elsewhere, and a policy that would refuse them."""
    text = pages("shop").read_text()
    outside = re.sub(r"(?s)<script type=\"application/json\".*?</script>", "", text)
    assert set(re.findall(r"https?://[^\"'\s]+", outside)) <= {"http://www.w3.org/2000/svg"}
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
    assert re.fullmatch(r"default-src 'none'; script-src 'sha256-[\w+/]{43}='; style-src 'sha256-[\w+/]{43}='; base-uri 'none'; form-action 'none'", policy)
    assert not re.search(r"<[^>]*\s(src|href|style|on\w+)=(?!\"#)", outside.split("<script")[0])
