# SPDX-License-Identifier: Apache-2.0
"""rowcall fix: N+1 loops of real drivers, recorded with values, verified against the database they ran on.

ROWCALL_TEST_SERVERS: URLs of more MySQL and MariaDB servers, separated by blanks, to run these tests on, too (mysql://…, mariadb://…; the
account must be allowed everything; the database "blog" is made anew)."""
import json
import os
import re
import stat

import pytest

from rowcall import PYTHON
from servers import MySQLElsewhere

PG_CONNECT = "import os, psycopg2; db = psycopg2.connect(os.environ['DATABASE_URL']); db.autocommit = True; cur = db.cursor()\n"
PG3_CONNECT = ("import os, psycopg; db = psycopg.connect(os.environ['DATABASE_URL'], autocommit=True, prepare_threshold=0); cur = db.cursor()\n")
MY_CONNECT = ("import os, pymysql, urllib.parse; u = urllib.parse.urlsplit(os.environ['DATABASE_URL']); "
              "db = pymysql.connect(host=u.hostname, port=u.port, user=u.username, password=u.password, database=u.path[1:], autocommit=True); "
              "cur = db.cursor()\n")
CONNECT = {"pg": PG_CONNECT, "pg3": PG3_CONNECT, "my": MY_CONNECT}

TABLES = ("CREATE TABLE users (id int PRIMARY KEY, username varchar(50) UNIQUE, email varchar(50), team int)",
          "CREATE TABLE posts (id int PRIMARY KEY, user_id int, author_email varchar(50), title varchar(50))",
          "CREATE TABLE notes (id int PRIMARY KEY, post_id int, body varchar(50))",
          "CREATE INDEX notes_post ON notes (post_id)")
ROWS = ("INSERT INTO users SELECT n, concat('user', n), concat('user', n, '@x.org'), n % 3 FROM numbers WHERE n <= 3000",
        "INSERT INTO posts SELECT n, 31 - n, concat('user', 31 - n, '@x.org'), concat('post ', n) FROM numbers WHERE n <= 20",
        "INSERT INTO notes SELECT n, 1 + n % 10, concat('note ', n) FROM numbers WHERE n <= 300")


ELSEWHERE = [url for url in os.environ.get("ROWCALL_TEST_SERVERS", "").split() if re.match("mysql|mariadb", url)]


@pytest.fixture(scope="module", params=["here", *ELSEWHERE], ids=lambda url: re.sub(r"//.*@", "//", url))
def my(request):
    return request.getfixturevalue("my_here") if request.param == "here" else MySQLElsewhere(request.param)


@pytest.fixture(scope="module")
def blog(pg, my):
    """The same tables on both servers: URL by engine."""
    pg.sql("DROP DATABASE IF EXISTS blog", "CREATE DATABASE blog")
    pg.sql("CREATE TABLE numbers AS SELECT generate_series(1, 3000) AS n", *TABLES, *ROWS, "ANALYZE", database="blog")
    my.sql("DROP DATABASE IF EXISTS blog", "CREATE DATABASE blog")
    my.sql("CREATE TABLE numbers (n int PRIMARY KEY)", "INSERT INTO numbers VALUES " + ", ".join(f"({n})" for n in range(1, 3001)),
           *TABLES, *ROWS, database="blog")
    return {"pg": pg.url(database="blog"), "pg3": pg.url(database="blog"), "my": my.url(database="blog")}


def loop(engine, parent, child, column=0):
    """The statements of parent, then child with %s for each of its rows."""
    return CONNECT[engine] + f"""
cur.execute({parent!r})
for row in cur.fetchall():
    cur.execute({child!r}, (row[{column}],))
    cur.fetchall()
"""


class Fixed:
    def __init__(self, rowcall, env, finding, *options):
        self.outcome = rowcall("fix", finding, "--json", *options, env=env)
        assert self.outcome.out, self.outcome
        self.json = json.loads(self.outcome.out)
        self.text = rowcall("fix", finding, *options, env=env)
        assert self.text.status == self.outcome.status


@pytest.fixture
def fixed(rowcall, blog):
    def run(engine, code, *options, env=None, rule="n-plus-one"):
        """Records the program with values and fixes its one N+1."""
        env = {"DATABASE_URL": blog[engine]} | (env or {})
        recorded = rowcall.python(code, "--record-values", "--n-plus-one-threshold", "2", env=env)
        assert recorded.status == 0, recorded
        ids = [f["id"] for f in recorded.report["findings"] if f["rule"] == rule]
        assert len(ids) == 1, recorded
        return Fixed(rowcall, env, ids[0], "--n-plus-one-threshold", "2", *options)
    return run


ENGINES = ("pg", "pg3", "my")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_look_up_by_primary_key(fixed, engine):
    found = fixed(engine, loop(engine, "SELECT user_id FROM posts ORDER BY id", "SELECT id, username FROM users WHERE id = %s LIMIT 21"))
    assert found.outcome.status == 0, found.text
    f = found.json
    assert f["verdict"] == "verified" and f["keys"] == f["keys_with_rows"] == f["ran"] == 20
    assert f["round_trips_before"] == 20 and f["round_trips_after"] == 1 and f["round_trips_saved"] == 19
    assert f["ms_saved_by_round_trips"] == 19.0
    assert f["ms_before"] > f["ms_after"] > 0
    assert f["batched"]["form"] == ("= ANY" if engine == "pg3" else "IN")
    assert "LIMIT" not in f["batched"]["shape"], "at most one row has the key"
    assert f["index"] is None and f["plans"]["repeat"]
    assert "the same rows for all 20 keys" in found.text.out and "19 round trips" in found.text.out


@pytest.mark.parametrize("engine", ENGINES)
def test_a_look_up_without_an_index(fixed, engine):
    """The seed case: by email, where only username is indexed."""
    found = fixed(engine, loop(engine, "SELECT author_email FROM posts ORDER BY id", "SELECT id FROM users WHERE email = %s"))
    assert found.outcome.status == 0, found.text
    assert re.fullmatch(r"CREATE INDEX [`\"]users_email_idx[`\"] ON users \(email\)", found.json["index"]), found.text
    assert found.json["plans"]["repeat"][0]["whole_table"]
    assert "CREATE INDEX" in found.text.out


@pytest.mark.parametrize("engine", ENGINES)
def test_a_limit_that_no_key_reaches(fixed, engine):
    """As Django's get() asks for a column that no index says is unique."""
    found = fixed(engine, loop(engine, "SELECT author_email FROM posts ORDER BY id", "SELECT id FROM users WHERE email = %s LIMIT 21"))
    assert found.outcome.status == 0 and found.json["verdict"] == "verified", found.text
    assert found.json["batched"]["without_limit"] and "LIMIT" not in found.json["batched"]["shape"]
    assert "without LIMIT: no key has more than 21 rows now" in found.text.out
    assert "CREATE INDEX" in found.json["index"]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_first_of_many_by_order(fixed, engine):
    found = fixed(engine, loop(engine, "SELECT id FROM posts WHERE id <= 10 ORDER BY id DESC", "SELECT id, body FROM notes WHERE post_id = %s ORDER BY id DESC LIMIT 1"))
    assert found.outcome.status == 0, found.text
    assert found.json["batched"]["form"] == ("ROW_NUMBER" if engine == "my" else "DISTINCT ON")
    assert found.json["keys"] == 10 and found.json["rows"] == 10


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("limit", [1, 3])
def test_nulls_in_the_order(fixed, engine, limit):
    """Some rows of each key order by NULL, and by an expression with numbers of its own."""
    found = fixed(engine, loop(engine, "SELECT id FROM posts WHERE id <= 3", f"SELECT id, body FROM notes WHERE post_id = %s ORDER BY nullif(mod(id, 7), 3), id DESC LIMIT {limit}"))
    assert found.outcome.status == 0 and found.json["verdict"] == "verified", found.text
    assert found.json["rows"] == 3 * limit and "their order within a key differs" not in found.text.out


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("limit", [1, 3])
def test_an_order_by_a_column_of_the_result(fixed, engine, limit):
    """Named like a column of the table, which it is not."""
    found = fixed(engine, loop(engine, "SELECT id FROM posts WHERE id <= 3",
                               f"SELECT mod(id, 7) AS id, body AS b FROM notes WHERE post_id = %s ORDER BY id DESC, b LIMIT {limit}"))
    assert found.outcome.status == 0 and found.json["verdict"] == "verified", found.text
    assert found.json["rows"] == 3 * limit


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_that_tie(fixed, engine):
    """LIMIT takes any of the rows that are equal in the ORDER BY: told apart from a rewrite that means something else."""
    found = fixed(engine, loop(engine, "SELECT id FROM posts WHERE id < 6", "SELECT id FROM users WHERE team = %s ORDER BY char_length(username) DESC LIMIT 1"))
    assert found.outcome.status == 10 and found.json["verdict"] == "differs", found.text
    assert "order by a unique column" in found.json["why"]


@pytest.mark.parametrize("engine", ENGINES)
def test_several_rows_per_key_in_order(fixed, engine):
    found = fixed(engine, loop(engine, "SELECT id FROM posts WHERE id <= 10 ORDER BY id DESC", "SELECT * FROM notes WHERE post_id = %s AND id > 7 ORDER BY body LIMIT 5"))
    assert found.outcome.status == 0, found.text
    assert found.json["batched"]["form"] == "ROW_NUMBER" and found.json["rows"] == 50


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("child, why", [
    ("SELECT n.id FROM notes n JOIN posts p ON p.id = n.post_id WHERE p.id = %s", "joins"),
    ("SELECT count(*) FROM notes WHERE post_id = %s", "aggregates"),
    ("SELECT id FROM notes WHERE post_id = %s LIMIT 1", "LIMIT without ORDER BY"),
    ("SELECT id FROM notes WHERE post_id = %s ORDER BY 1 LIMIT 3", "by their position"),
    ("SELECT id FROM notes WHERE post_id = %s FOR UPDATE", "locks"),
    ("SELECT id FROM notes WHERE post_id + 1 = %s", "no column is simply compared"),
    ("SELECT id FROM notes WHERE post_id = %s ORDER BY random_or_rand()", "may answer differently"),
])
def test_what_is_not_verifiable_is_said(fixed, engine, child, why):
    child = child.replace("random_or_rand", "rand" if engine == "my" else "random")
    found = fixed(engine, loop(engine, "SELECT id FROM posts WHERE id <= 10 ORDER BY id DESC", child))
    assert found.outcome.status == 11 and found.json["verdict"] == "not verifiable"
    assert why in found.json["why"], found.json
    assert found.json["batched"] is None
    if "UPDATE" not in child:  # MariaDB explains no lock in a read-only transaction
        assert found.json["plans"]["repeat"]
    assert "not verifiable: " in found.text.out


@pytest.mark.parametrize("app", ["django", "sqlalchemy"])
def test_the_loops_of_a_shop(rowcall, request, pg, my_here, app):
    """What two ORMs send, as the quickstart has it: every loop is found, and its batched form holds."""
    place, command, url = {
        "django": lambda: (request.getfixturevalue("shop"), ["browse.py"], pg.url(database="shop")),
        "sqlalchemy": lambda: (request.getfixturevalue("sqlalchemy_shop"), ["shop.py", "browse"],
                               my_here.url(database="shop", scheme="mysql+pymysql")),
    }[app]()
    env = {"DATABASE_URL": url}
    recorded = rowcall.run("--record-values", "--", PYTHON, *command, cwd=place, env=env)
    assert recorded.status == 0, recorded
    loops = [f for f in recorded.report["findings"] if f["rule"] == "n-plus-one"]
    assert loops, recorded
    for loop_found in loops:
        found = Fixed(rowcall, env, loop_found["id"])
        assert found.json["verdict"] == "verified" and found.json["keys"] >= 5, found.text
        assert f"check   rowcall fix {loop_found['id']}" in recorded.err


ODD_KEYS = {
    "uuid in capitals": ("uuid", ["'0F000000-0000-0000-0000-000000000001'", "'0f000000-0000-0000-0000-000000000002'"], "pg"),
    "padded char": ("char(5)", ["'a'", "'bb'", "'ccccc'"], "pg my"),
    "numeric": ("numeric(9,2)", ["1", "2.5", "'3.50'"], "pg my"),
    "date": ("date", ["'2024-01-05'", "'2024-12-31'"], "pg my"),
    "date in short": ("date", ["'2024-1-5'", "'2024-12-31'"], "pg"),
    "text with quotes": ("varchar(40)", ["'it''s'", "'a\"b'", "'{x,y}'", "'NULL'", "''"], "pg my"),
    "binary zero": ("int", ["-1", "0", "+1"], "pg my"),
    "null among them": ("int", ["1", "NULL", "2"], "pg my"),
    "timestamp with zone": ("timestamptz", ["'2024-01-05 10:00:00+02'", "'2024-01-05 10:00:00+00'"], "pg"),
    "enum": ("mood", ["'sad'", "'ok'"], "pg"),
}


@pytest.mark.parametrize("engine, key", [(engine, key) for key, (_, _, engines) in ODD_KEYS.items() for engine in engines.split()])
def test_odd_keys(fixed, pg, my, engine, key):
    """Written in ways the server reads alike, in a table and columns whose names need quotes."""
    kind, literals, _ = ODD_KEYS[key]
    server, q = (pg, '"') if engine == "pg" else (my, "`")
    values = [literal for literal in literals if literal != "NULL"]
    if engine == "pg":
        server.sql("DROP TABLE IF EXISTS \"Odd Keys\"", "DROP TYPE IF EXISTS mood", "CREATE TYPE mood AS ENUM ('sad', 'ok')", database="blog")
    else:
        server.sql("DROP TABLE IF EXISTS `Odd Keys`", database="blog")
    server.sql(f"CREATE TABLE {q}Odd Keys{q} (id int, {q}The Key{q} {kind})",
               *(f"INSERT INTO {q}Odd Keys{q} VALUES ({n}, {literal})" for n, literal in enumerate(values * 2)), database="blog")
    asked = [f"SELECT k.id, k.{q}The Key{q} FROM {q}Odd Keys{q} AS k WHERE k.{q}The Key{q} = {literal} AND k.id < 100 ORDER BY k.id" for literal in literals]
    found = fixed(engine, CONNECT[engine] + f"cur.execute('SELECT id FROM posts')\nfor sql in {asked!r}: cur.execute(sql)\n")
    assert found.outcome.status == 0, found.text
    assert found.json["keys"] == len(literals) and found.json["keys_with_rows"] == len(values) and found.json["rows"] == 2 * len(values)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_key_of_two_columns(fixed, engine):
    code = CONNECT[engine] + """
cur.execute("SELECT id, user_id FROM posts WHERE id <= 8 ORDER BY id DESC")
for pair in cur.fetchall(): cur.execute("SELECT title FROM posts WHERE (id = %s AND user_id = %s AND title IS NOT NULL)", pair)
"""
    found = fixed(engine, code)
    assert found.outcome.status == 0 and found.json["rows"] == 8, found.text
    assert "(id, user_id) IN" in found.json["batched"]["shape"]


def test_writes_are_never_run(fixed, pg):
    code = PG_CONNECT + "cur.execute('SELECT id FROM posts')\nfor (i,) in cur.fetchall(): cur.execute('UPDATE posts SET title = title WHERE id = %s', (i,))\n"
    with pg.statements(database="blog") as log:
        found = fixed("pg", code, rule="write-loop")
    assert found.outcome.status == 11 and "writes" in found.json["why"]
    assert sum("UPDATE" in s.sql for s in log) == 20, "those of the program itself"


def test_a_loose_collation_is_told(fixed, my, blog):
    """Two spellings of one key: the batched rows cannot be given to keys by their text."""
    my.sql("DROP TABLE IF EXISTS tags", "CREATE TABLE tags (id int PRIMARY KEY, name varchar(20) COLLATE utf8mb4_general_ci, KEY (name))",
           "INSERT INTO tags VALUES (1, 'Red'), (2, 'red'), (3, 'Blue')", database="blog")
    found = fixed("my", MY_CONNECT + "cur.execute('SELECT id FROM posts')\nfor name in ('Red', 'red', 'Blue'): cur.execute('SELECT id FROM tags WHERE name = %s', (name,))\n")
    assert found.outcome.status == 10 and found.json["verdict"] == "differs"
    assert "compares loosely" in found.json["why"]
    assert found.json["keys_that_differ"] == 2


def test_citext_is_told(fixed, pg):
    pg.sql("CREATE EXTENSION IF NOT EXISTS citext", "DROP TABLE IF EXISTS tags", "CREATE TABLE tags (id int PRIMARY KEY, name citext)",
           "INSERT INTO tags VALUES (1, 'Red'), (2, 'blue'), (3, 'Green')", database="blog")
    found = fixed("pg3", PG3_CONNECT + "cur.execute('SELECT id FROM posts')\nfor name in ('red', 'BLUE', 'Green'): cur.execute('SELECT id FROM tags WHERE name = %s', (name,))\n")
    assert found.outcome.status == 10 and "compares loosely" in found.json["why"], found.text
    assert found.json["keys_that_differ"] == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_data_that_changed_is_no_difference(rowcall, blog, pg, my, engine):
    """Originals and batched form read one snapshot: what the recording saw does not matter."""
    server = my if engine == "my" else pg
    env = {"DATABASE_URL": blog[engine]}
    recorded = rowcall.python(loop(engine, "SELECT user_id FROM posts ORDER BY id", "SELECT team FROM users WHERE id = %s"), "--record-values", env=env)
    finding = recorded.report["findings"][0]["id"]
    server.sql("UPDATE users SET team = team + 7 WHERE id < 30", "DELETE FROM users WHERE id = 15", database="blog")
    try:
        found = Fixed(rowcall, env, finding)
    finally:
        server.sql("INSERT INTO users VALUES (15, 'user15', 'user15@x.org', 0)", database="blog")
    assert found.json["verdict"] == "verified" and found.json["keys_with_rows"] == 19, found.text


def test_rows_that_were_rolled_back(fixed, pg):
    code = PG_CONNECT + """
db.autocommit = False
cur.execute("CREATE TABLE gone (id int)"); cur.execute("INSERT INTO gone SELECT 5000 + n FROM numbers WHERE n < 9"); cur.execute("SELECT id FROM gone")
for (i,) in cur.fetchall(): cur.execute("SELECT team FROM users WHERE id = %s", (i,))
db.rollback()
"""
    found = fixed("pg", code)
    assert found.outcome.status == 11 and "no key has rows in committed data" in found.json["why"], found.text


def test_more_rows_than_are_compared(fixed, pg):
    """Each form's answers fit, those of both together do not."""
    pg.sql("CREATE TABLE scans (id int PRIMARY KEY, page text)", "INSERT INTO scans SELECT n, repeat('x', 2000000) FROM numbers WHERE n <= 30",
           database="blog")
    found = fixed("pg", loop("pg", "SELECT user_id FROM posts ORDER BY id", "SELECT id, page FROM scans WHERE id = %s"))
    assert found.json["verdict"] == "not verifiable" and found.outcome.status == 11, found.text
    assert "more rows than are compared" in found.json["why"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_statement_that_takes_too_long(fixed, pg, my, engine):
    server = my if engine == "my" else pg
    name = f"slow_{engine}"
    server.sql(f"DROP TABLE IF EXISTS {name}_rows", f"CREATE TABLE {name}_rows AS SELECT a.n AS id FROM numbers a, numbers b WHERE b.n <= 1000", database="blog")
    found = fixed(engine, loop(engine, "SELECT n FROM numbers WHERE n < 6", f"SELECT id FROM {name}_rows WHERE id = %s"), "--statement-timeout", "20ms")
    server.sql(f"DROP TABLE {name}_rows", database="blog")
    assert found.outcome.status == 11 and "longer than --statement-timeout" in found.json["why"], found.text


def test_an_account_that_may_not_read(rowcall, pg, blog):
    pg.sql("DROP ROLE IF EXISTS guest", "CREATE ROLE guest LOGIN PASSWORD 'hunter2'")
    env = {"DATABASE_URL": blog["pg"]}
    recorded = rowcall.python(loop("pg", "SELECT user_id FROM posts ORDER BY id", "SELECT team FROM users WHERE id = %s"), "--record-values", env=env)
    found = Fixed(rowcall, env, recorded.report["findings"][0]["id"], "--database", f"postgresql://guest:hunter2@127.0.0.1:{pg.port}/blog")
    assert found.outcome.status == 11 and "may not read the table" in found.json["why"], found.text
    assert "hunter2" not in found.text.out + found.text.err + found.outcome.out


def test_a_server_that_is_gone(rowcall, blog):
    env = {"DATABASE_URL": blog["pg"]}
    recorded = rowcall.python(loop("pg", "SELECT user_id FROM posts ORDER BY id", "SELECT team FROM users WHERE id = %s"), "--record-values", env=env)
    finding = recorded.report["findings"][0]["id"]
    found = Fixed(rowcall, env, finding, "--database", "postgresql://app:hunter2@127.0.0.1:1/blog")
    assert found.outcome.status == 11 and "no connection to the database" in found.json["why"]
    assert "hunter2" not in found.text.out + found.text.err + found.outcome.out
    found = Fixed(rowcall, {}, finding)
    assert found.outcome.status == 11 and "credentials" in found.json["why"]


def test_without_values_it_says_how(rowcall, blog):
    env = {"DATABASE_URL": blog["pg"]}
    recorded = rowcall.python(loop("pg", "SELECT user_id FROM posts ORDER BY id", "SELECT team FROM users WHERE id = %s"), env=env)
    assert "rowcall fix" not in recorded.err
    found = Fixed(rowcall, env, recorded.report["findings"][0]["id"])
    assert found.outcome.status == 11 and "record again with --record-values" in found.json["why"]


def test_values_only_where_asked_for(rowcall, blog, tmp_path):
    """The recording with values is its owner's alone; without them it holds none; no report shows any."""
    env = {"DATABASE_URL": blog["pg"]}
    code = loop("pg", "SELECT author_email FROM posts ORDER BY id", "SELECT id FROM users WHERE email = %s")
    kept = {}
    for name, options in (("with", ["--record-values"]), ("without", [])):
        kept[name] = tmp_path / f"{name}.rowcall"
        outcome = rowcall.python(code, "--record", kept[name], *options, env=env)
        assert (f"rowcall fix {outcome.report['findings'][0]['id']} {kept[name]}" in outcome.err) == (name == "with"), outcome
        assert "user7@x.org" not in outcome.err + outcome.out + json.dumps(outcome.report)
    assert b"user11@x.org" in kept["with"].read_bytes()
    assert b"user11@x.org" not in kept["without"].read_bytes()
    assert stat.S_IMODE(os.stat(kept["with"]).st_mode) == 0o600
    finding = outcome.report["findings"][0]["id"]
    shown = rowcall("fix", finding, kept["with"], env=env)
    assert shown.status == 0 and "user11@x.org" not in shown.out, shown
    shown = rowcall("fix", finding, kept["with"], "--show-values", env=env)
    assert "user11@x.org" in shown.out
    merged = tmp_path / "merged.rowcall"
    assert rowcall("merge", "--record", merged, kept["with"]).status == 0
    assert stat.S_IMODE(os.stat(merged).st_mode) == 0o600
    assert rowcall("fix", finding, merged, env=env).status == 0


def test_a_proxy_that_still_runs(rowcall, pg, blog, tmp_path):
    import psycopg2
    kept = tmp_path / "live.rowcall"
    proxy = rowcall.proxy(pg.url(), options=["--record", kept, "--record-values"])
    db = psycopg2.connect(proxy.url(database="blog"))
    db.autocommit = True
    cur = db.cursor()
    cur.execute("SELECT user_id FROM posts ORDER BY id")
    for (user,) in cur.fetchall():
        cur.execute("SELECT team FROM users WHERE id = %s", (user,))
    db.close()
    from waiting import await_true
    env = {"DATABASE_URL": pg.url(database="blog")}
    await_true(lambda: "n-plus-one" in rowcall("report", kept, "--report", "json").out, "the request in the recording")
    finding = json.loads(rowcall("report", kept, "--report", "json", "--quiet").out)["findings"][0]["id"]
    shown = rowcall("fix", finding, kept, env=env)
    assert shown.status == 0 and "the same rows" in shown.out, shown
    assert proxy.stop().status == 0


def test_statements_that_are_too_large_go_without(rowcall, blog):
    """LIMIT_VALUES_TEXT: 16 KiB of text, and one byte more."""
    env = {"DATABASE_URL": blog["pg"]}
    start, stop = "SELECT team FROM users WHERE id = ", " AND email <> ''"
    for size, status in ((16 << 10, 0), ((16 << 10) + 1, 11)):
        text = start + "10" + stop
        text = text[:-1] + "x" * (size - len(text)) + "'"
        code = PG_CONNECT + f"cur.execute('SELECT id FROM posts')\nfor n in range(10, 20): cur.execute({text!r}.replace('10', str(n), 1))\n"
        recorded = rowcall.python(code, "--record-values", env=env)
        found = Fixed(rowcall, env, recorded.report["findings"][0]["id"])
        assert found.outcome.status == status, found.text
    assert "were not recorded" in found.json["why"]


def test_wrong_usage(rowcall, blog):
    env = {"DATABASE_URL": blog["pg"]}
    assert rowcall("fix", "abcd", env=env).status == 2
    rowcall.python(loop("pg", "SELECT user_id FROM posts ORDER BY id", "SELECT team FROM users WHERE id = %s"), env=env)
    for arguments in (["fix"], ["fix", "ab"], ["fix", "0000000000000000"], ["fix", "a", "b", "c"]):
        outcome = rowcall(*arguments, env=env)
        assert outcome.status == 2 and "error" in outcome.err, outcome
    assert "N+1" in rowcall("fix", env=env).err
    outcome = rowcall("fix", rowcall("fix", env=env).err.split("\n")[2].split()[0], "--database", "mysql://u:hunter2@h/b", env=env)
    assert outcome.status == 11 or outcome.status == 2
    assert "hunter2" not in outcome.out + outcome.err
