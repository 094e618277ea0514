# SPDX-License-Identifier: Apache-2.0
"""The same work on every server there is, through the clients people use: Debian's PostgreSQL and MariaDB, and whatever
ROWCALL_TEST_SERVERS names: URLs of newer servers, separated by blanks, whose account may create tables in its database.

What each client does is written here, so the expected counts are too."""
import os
import shutil
import subprocess
import urllib.parse

import MySQLdb
import MySQLdb.constants.CLIENT
import psycopg
import psycopg2
import pymysql
import pytest

from rowcall import TOP
from servers import THINGS, clean_environment

NODE = TOP / "tests/live/node"
EXTRA = os.environ.get("ROWCALL_TEST_SERVERS", "").split()
PG, MY = "postgresql", "mysql"


class Target:
    """A server by its URL, reached directly or through a port of rowcall's."""

    def __init__(self, url):
        self.url = urllib.parse.urlsplit(url)
        self.engine = PG if self.url.scheme.startswith("postgres") else MY

    def at(self, port=None, **more):
        """Arguments for a Python driver."""
        return {"host": "127.0.0.1" if port else self.url.hostname, "port": port or self.url.port, "user": self.url.username,
                "password": self.url.password, **more}

    def url_at(self, port):
        return f"{self.engine}://{self.url.username}:{self.url.password}@127.0.0.1:{port}{self.url.path}"

    @property
    def database(self):
        return self.url.path[1:]

    def upstream(self):
        return f"{self.engine}://{self.url.hostname}:{self.url.port}"

    def prepare(self):
        """The table THINGS, afresh, created without rowcall."""
        if self.engine == PG:
            with psycopg.connect(**self.at(dbname=self.database), autocommit=True) as connection:
                for statement in ("DROP TABLE IF EXISTS things", *THINGS):
                    connection.execute(statement)
        else:
            connection = pymysql.connect(**self.at(database=self.database), autocommit=True)
            for statement in ("DROP TABLE IF EXISTS things", *THINGS):
                connection.cursor().execute(statement)
            connection.close()


def targets(engine):
    own = {PG: "pg", MY: "my"}[engine]
    extra = [url for url in EXTRA if Target(url).engine == engine]
    return pytest.mark.parametrize("target", [own, *extra], ids=["debian", *(url.rpartition("@")[2] for url in extra)], indirect=True)


@pytest.fixture
def target(request):
    url = request.param if "://" in request.param else request.getfixturevalue(request.param).url()
    found = Target(url)
    found.prepare()
    return found


@pytest.fixture
def counted(hardened, target):
    """counted(work, **expected) does work(port) through a proxy and compares what it reports."""
    def run(work, queries, control=0, errors=0):
        proxy = hardened.proxy(target.upstream())
        work(proxy.port)
        outcome = proxy.stop()
        assert outcome.status == 0, outcome
        report = outcome.report
        assert report["coverage"]["opaque_unexpected"] == report["coverage"]["lost"] == 0, outcome
        assert report["coverage"]["queries"] == queries, report["shapes"]
        assert sum(s["executions"] for s in report["shapes"] if s["class"] == "control") == control, report["shapes"]
        assert sum(s["errors"] for s in report["shapes"]) == errors
        return report
    return run


@pytest.mark.skipif(not EXTRA, reason="ROWCALL_TEST_SERVERS names no further servers")
@pytest.mark.parametrize("url", EXTRA or ["none"])
def test_further_servers_are_understood(url):
    assert urllib.parse.urlsplit(url).scheme in ("postgresql", "postgres", "mysql", "mariadb"), f"what kind of server is {url}?"


# --- PostgreSQL ---------------------------------------------------------------------------------------------------------------------

@targets(PG)
def test_psql(target, counted, tmp_path):
    script = tmp_path / "work.sql"
    script.write_text("SELECT name FROM things WHERE id = 1;\n"
                      "SELECT name FROM things WHERE id = 2\\; SELECT id FROM things;\n"
                      "BEGIN;\nUPDATE things SET name = 'x' WHERE id = 3;\nCOMMIT;\n"
                      "SELECT id / 0 FROM things;\n"
                      "COPY things TO STDOUT;\n\\copy things TO '/dev/null'\n")

    def work(port):
        done = subprocess.run(["psql", "-qX", "-f", script, target.url_at(port)], capture_output=True, text=True, env=clean_environment())
        assert done.stderr.count("ERROR") == done.stderr.count("division by zero") == 1, done.stderr
        assert "thing" in done.stdout
    counted(work, queries=7, control=2, errors=1)


@targets(PG)
def test_psycopg2(target, counted):
    def work(port):
        connection = psycopg2.connect(**target.at(port, dbname=target.database))
        cursor = connection.cursor()
        cursor.execute("SELECT id FROM things WHERE id <= %s ORDER BY id", [5])
        for (number,) in cursor.fetchall():
            cursor.execute("SELECT name FROM things WHERE id = %s", [number])
            assert cursor.fetchone() == ("thing",)
        connection.commit()
        with pytest.raises(psycopg2.errors.UndefinedTable):
            cursor.execute("SELECT 1 FROM nothing_of_that_name")
        connection.rollback()
        connection.close()
    counted(work, queries=7, control=4, errors=1)


@targets(PG)
def test_psycopg3(target, counted):
    def work(port):
        with psycopg.connect(**target.at(port, dbname=target.database), autocommit=True) as connection:
            for number in range(1, 11):
                row = connection.execute("SELECT name FROM things WHERE id = %s", [number], prepare=True, binary=number > 5).fetchone()
                assert row == ("thing",)
            with connection.pipeline():
                cursors = [connection.execute("SELECT id FROM things WHERE id = %s", [n]) for n in range(1, 21)]
            assert [cursor.fetchone()[0] for cursor in cursors] == list(range(1, 21))
            with connection.transaction(), connection.cursor("all_of_them") as cursor:
                cursor.itersize = 30
                cursor.execute("SELECT id FROM things")
                assert len(list(cursor)) == 100     # fetched in four parts, which are one query
    report = counted(work, queries=10 + 20 + 1, control=2)
    (lookup,) = [s for s in report["shapes"] if s["shape"] == "SELECT name FROM things WHERE id = ?"]
    assert (lookup["executions"], lookup["rows"]) == (10, 10)


@targets(PG)
def test_node_pg(target, counted):
    need_node("pg")
    code = """
const { Client } = require('pg');
(async () => {
  const client = new Client({ connectionString: process.argv[1] });
  await client.connect();
  for (let id = 1; id <= 10; id++) await client.query({ name: 'thing', text: 'SELECT name FROM things WHERE id = $1', values: [id] });
  await client.query('SELECT name FROM things WHERE id = $1', [11]);
  await client.query('SELECT 1 FROM things; SELECT 2 FROM things');
  await client.query('SELECT 1 FROM nothing_of_that_name').catch(() => {});
  await client.end();
})();
"""
    counted(lambda port: node(code, target.url_at(port)), queries=14, errors=1)


# --- MySQL and MariaDB --------------------------------------------------------------------------------------------------------------

def my_work(connection, placeholder="%s"):
    """Through the Python driver interface; connects have autocommit off, as the interface demands."""
    cursor = connection.cursor()
    cursor.execute(f"SELECT id FROM things WHERE id <= {placeholder} ORDER BY id", [5])
    for (number,) in cursor.fetchall():
        cursor.execute(f"SELECT name FROM things WHERE id = {placeholder}", [number])
        assert cursor.fetchone() == ("thing",)
    cursor.execute(f"UPDATE things SET name = {placeholder} WHERE id = 7", ["seven"])
    connection.commit()
    with pytest.raises((pymysql.err.ProgrammingError, MySQLdb.ProgrammingError)):
        cursor.execute("SELECT 1 FROM nothing_of_that_name")
    connection.rollback()
    cursor.execute("SELECT name FROM things WHERE id = 8; SELECT id FROM things WHERE id < 3")
    assert cursor.fetchall() == (("thing",),)
    assert cursor.nextset()
    assert cursor.fetchall() == ((1,), (2,))
    cursor.close()
    connection.close()


MY_EXPECTED = {"queries": 10, "control": 2, "errors": 1}


@targets(MY)
def test_pymysql(target, counted):
    def work(port):
        my_work(pymysql.connect(**target.at(port, database=target.database), client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS))
    counted(work, **MY_EXPECTED)


@targets(MY)
def test_mysqlclient(target, counted):
    def work(port):
        my_work(MySQLdb.connect(**target.at(port, database=target.database), client_flag=MySQLdb.constants.CLIENT.MULTI_STATEMENTS))
    counted(work, **MY_EXPECTED)


@targets(MY)
def test_load_data_local(target, counted, tmp_path):
    rows = tmp_path / "rows"
    rows.write_text("".join(f"{n}\tloaded\n" for n in range(1000, 31000)))

    def work(port):
        connection = pymysql.connect(**target.at(port, database=target.database), local_infile=True, autocommit=True)
        cursor = connection.cursor()
        assert cursor.execute(f"LOAD DATA LOCAL INFILE '{rows}' INTO TABLE things") == 30000
        cursor.execute("SELECT COUNT(*) FROM things WHERE name = 'loaded'")
        assert cursor.fetchone() == (30000,)
        with pytest.raises(pymysql.err.MySQLError):
            cursor.execute("LOAD DATA LOCAL INFILE '/nonexistent/rows' INTO TABLE things")
    counted(work, queries=3, errors=0)


@targets(MY)
def test_large_packets(target, counted):
    """Statements and rows beyond 16 MiB, which the protocol cuts into several packets."""
    def work(port):
        connection = pymysql.connect(**target.at(port, database=target.database), max_allowed_packet=64 << 20)
        cursor = connection.cursor()
        cursor.execute("SELECT @@max_allowed_packet")
        size = min(cursor.fetchone()[0], 40 << 20) - 100
        cursor.execute("SELECT LENGTH(%s) FROM things WHERE id = 1", ["x" * size])
        assert cursor.fetchone() == (size,)
        cursor.execute("SELECT REPEAT('y', %s) FROM things WHERE id <= 3", [size])
        assert [len(row[0]) for row in cursor.fetchall()] == [size] * 3
        connection.close()
    counted(work, queries=2)


@targets(MY)
def test_change_user_and_ping(target, counted):
    def work(port):
        connection = MySQLdb.connect(**target.at(port, database=target.database))
        connection.ping()
        connection.cursor().execute("SELECT name FROM things WHERE id = 1")
        connection.change_user(target.url.username, target.url.password, target.database)
        connection.cursor().execute("SELECT name FROM things WHERE id = 2")
        connection.close()
    counted(work, queries=2)


@targets(MY)
def test_own_client(target, counted, tmp_path):
    def work(port):
        done = subprocess.run(["mariadb", "--no-defaults", "--skip-ssl", "-h", "127.0.0.1", "-P", str(port), "-u", target.url.username,
                               f"-p{target.url.password}", "-f", target.database],
                              input="SELECT name FROM things WHERE id = 1; SELECT name FROM things WHERE id = 2;\nSELECT nonsense;\n"
                                    "PREPARE p FROM 'SELECT name FROM things WHERE id = ?'; SET @n = 3; EXECUTE p USING @n;\n",
                              capture_output=True, text=True)
        assert done.stdout.count("thing") == 3, done
        assert "ERROR 1054" in done.stderr
    counted(work, queries=4, errors=1)


@targets(MY)
@pytest.mark.parametrize("driver", ["mysql2", "mariadb"])
def test_node(target, counted, driver):
    need_node(driver)
    code = """
const [driver, where] = process.argv.slice(1);
const url = new URL(where);
const options = { host: url.hostname, port: Number(url.port), user: url.username, password: url.password, database: url.pathname.slice(1),
  multipleStatements: true, ...(driver === 'mariadb' ? { allowPublicKeyRetrieval: true } : {}) };
(async () => {
  const connection = await require(driver === 'mysql2' ? 'mysql2/promise' : 'mariadb').createConnection(options);
  for (let id = 1; id <= 10; id++) await connection.execute('SELECT name FROM things WHERE id = ?', [id]);
  await connection.query('SELECT name FROM things WHERE id = ?', [11]);
  await connection.query('SELECT 1 FROM things; SELECT 2 FROM things');
  await connection.query('SELECT 1 FROM nothing_of_that_name').catch(() => {});
  await connection.beginTransaction();
  await connection.query('UPDATE things SET name = ? WHERE id = 12', ['twelve']);
  await connection.commit();
  await connection.end();
})();
"""
    report = counted(lambda port: node(code, driver, target.url_at(port)), queries=15, control=2, errors=1)
    (lookup,) = [s for s in report["shapes"] if s["shape"] == "SELECT name FROM things WHERE id = ?"]
    assert (lookup["executions"], lookup["rows"]) == (11, 11)


@targets(MY)
def test_cold_and_warm_logins(target, counted):
    """caching_sha2_password asks a cold client for the password under the server's key, a warm one only for a hash."""
    direct = pymysql.connect(**target.at(database=target.database))
    cursor = direct.cursor()
    cursor.execute("SELECT plugin FROM mysql.user WHERE user = %s AND host = '%%'", [target.url.username])
    if cursor.fetchone()[0] == "caching_sha2_password":
        cursor.execute("FLUSH PRIVILEGES")      # forgets all hashes

    def work(port):
        for _ in range(2):
            pymysql.connect(**target.at(port, database=target.database)).cursor().execute("SELECT name FROM things WHERE id = 1")
    counted(work, queries=2)


# --- node ---------------------------------------------------------------------------------------------------------------------------

def need_node(driver):
    if not shutil.which("node") or not (NODE / "node_modules" / driver).is_dir():
        pytest.skip(f"node or its driver {driver} is not installed")


def node(code, *arguments):
    done = subprocess.run(["node", "-e", code, *arguments], cwd=NODE, capture_output=True, text=True, env=clean_environment(), timeout=120)
    assert done.returncode == 0 and not done.stderr, done.stderr
