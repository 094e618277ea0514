# SPDX-License-Identifier: Apache-2.0
"""`rowcall run`: every status it can end with, what it does to the child's environment, and what a first user stumbles over."""
import getpass
import json
import os
import pathlib
import resource
import signal
import socket
import stat

import pytest

from rowcall import PYTHON
from servers import PostgreSQL
from waiting import free_port

HERE = pathlib.Path(__file__).resolve().parent

ASK = """
import os, psycopg2
connection = psycopg2.connect(os.environ.get("DATABASE_URL", ""))
connection.autocommit = True
for number in range({queries}):
    connection.cursor().execute("SELECT name FROM things WHERE id = %s", [number])
"""


def ask(queries=1, after=""):
    return ASK.format(queries=queries) + after


# --- statuses -----------------------------------------------------------------------------------------------------------------------

def test_0_and_the_childs_output_is_its_own(rowcall, pg):
    run = rowcall.python(ask(after="print('from the child')"), env={"DATABASE_URL": pg.url()})
    assert run.status == 0, run
    assert run.out == "from the child\n"
    assert run.verdict == ("PASS", 0, 1, 1)


@pytest.mark.parametrize("arguments, words", [
    (["--no-such-option", "--", "true"], "no-such-option"),
    ([], "COMMAND"),
    (["--max-queries", "many", "--", "true"], "many"),
    (["--config", "/nonexistent/rowcall.yaml", "--", "true"], "/nonexistent/rowcall.yaml"),
    (["--upstream", "ftp://127.0.0.1/", "--", "true"], "ftp"),
])
def test_2_before_anything_runs(rowcall, tmp_path, arguments, words):
    arguments = ["touch" if a == "true" else a for a in arguments] + (["ran"] if "true" in arguments else [])
    run = rowcall("run", *arguments, env={"DATABASE_URL": "postgresql://127.0.0.1:1/x"})
    assert run.status == 2, run
    assert words in run.err
    assert not (tmp_path / "ran").exists()


def test_2_for_a_bad_file_says_where(rowcall, pg, tmp_path):
    (tmp_path / "rowcall.yaml").write_text("workers: 1\nbudgets:\n  - {scope: '*', max_querys: 3}\n")
    run = rowcall("run", "--", "true", env={"DATABASE_URL": pg.url()})
    assert run.status == 2, run
    assert "rowcall.yaml:3:" in run.err and "max_querys" in run.err


def test_2_without_any_database(rowcall):
    run = rowcall("run", "--", "true")
    assert run.status == 2, run
    assert "DATABASE_URL" in run.err and "--upstream" in run.err


@pytest.mark.parametrize("options, queries, status", [
    (["--max-queries", "3"], 3, 0),
    (["--max-queries", "3"], 4, 10),
    (["--max-total-queries", "3"], 4, 10),
    (["--fail-on", "n-plus-one"], 4, 0),
    (["--fail-on", "n-plus-one"], 5, 10),
    (["--max-queries", "3", "--exit-code", "42"], 4, 42),
    (["--max-queries", "3", "--exit-zero"], 4, 0),
])
def test_10_over_the_gate(rowcall, pg, options, queries, status):
    run = rowcall.python(ask(queries), *options, env={"DATABASE_URL": pg.url()})
    assert run.status == status, run
    over = status != 0 or "--exit-zero" in options
    assert run.verdict[0] == ("FAIL" if over else "PASS")
    assert run.report["gate"]["status"] == ("fail" if over else "pass")
    assert bool(run.report["gate"]["failures"]) == over


def test_10_by_a_budget_of_the_file(rowcall, pg, tmp_path):
    (tmp_path / "rowcall.yaml").write_text("budgets:\n  - {scope: '(untagged)', max_queries: 2}\n  - {scope: '*', max_queries: 100}\n")
    run = rowcall.python(ask(3), env={"DATABASE_URL": pg.url()})
    assert run.status == 10, run
    assert run.report["scopes"][0]["budget"] == 2


@pytest.mark.parametrize("options", [[], ["--max-queries", "3"], ["--exit-zero"]])
def test_11_nothing_captured(rowcall, pg, options):
    run = rowcall.run(*options, "--", "true", env={"DATABASE_URL": pg.url()})
    assert run.status == 11, run
    assert run.verdict == ("UNUSABLE", 0, 0, 0)


def test_0_nothing_captured_but_allowed(rowcall, pg):
    run = rowcall.run("--allow-empty", "--max-queries", "3", "--", "true", env={"DATABASE_URL": pg.url()})
    assert run.status == 0, run
    assert run.verdict[0] == "PASS"


def test_11_upstream_unreachable_before_the_child_starts(rowcall, tmp_path):
    port = free_port()
    run = rowcall.run("--", "touch", "ran", env={"DATABASE_URL": f"postgresql://127.0.0.1:{port}/app"})
    assert run.status == 11, run
    assert f"127.0.0.1:{port}" in run.err
    assert not (tmp_path / "ran").exists()


def test_11_cannot_listen(rowcall, pg):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        run = rowcall.run("--listen", address, "--", "true", env={"DATABASE_URL": pg.url()})
    assert run.status == 11, run
    assert address in run.err and "in use" in run.err


def test_11_wins_over_10(rowcall, pg):
    """A session that turned opaque may hide anything, so an exceeded budget is not the last word."""
    code = ask(4, after="""
import socket, struct, urllib.parse
url = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
with socket.create_connection((url.hostname, url.port)) as odd:
    start = b"user\\0app\\0database\\0app\\0\\0"
    odd.sendall(struct.pack("!II", len(start) + 8, 196608) + start)
    odd.recv(4096)
    odd.sendall(b"~" + struct.pack("!I", 4))    # no message of this protocol
    while odd.recv(4096):
        pass
""")
    run = rowcall.python(code, "--max-queries", "3", env={"DATABASE_URL": pg.url()})
    assert run.status == 11, run
    assert run.report["coverage"]["opaque_unexpected"] == 1
    assert run.verdict[0] == "UNUSABLE"


@pytest.mark.parametrize("command, status", [
    (["sh", "-c", "exit 3"], 3),
    (["sh", "-c", "kill -TERM $$"], 128 + signal.SIGTERM),
    (["sh", "-c", "kill -KILL $$"], 128 + signal.SIGKILL),
    (["/nonexistent/command"], 127),
    (["/etc/passwd"], 126),
])
def test_the_childs_own_status_wins(rowcall, pg, command, status):
    run = rowcall("run", "--max-queries", "1", "--", *command, env={"DATABASE_URL": pg.url()})
    assert run.status == status, run


def test_the_childs_own_status_wins_over_the_gate(rowcall, pg):
    run = rowcall.python(ask(4, after="raise SystemExit(5)"), "--max-queries", "3", env={"DATABASE_URL": pg.url()})
    assert run.status == 5, run
    assert run.verdict[0] == "FAIL"


# --- the child's environment --------------------------------------------------------------------------------------------------------

SHOW_ENVIRONMENT = "import os, json; print(json.dumps(dict(os.environ)))"


def child_environment(rowcall, *options, env):
    run = rowcall.python(SHOW_ENVIRONMENT, "--allow-empty", *options, env=env)
    assert run.status == 0, run
    return json.loads(run.out), run


def port_of(url):
    return int(url.split("@")[-1].split("/")[0].rsplit(":", 1)[1])


def test_urls_keep_user_password_path_and_query(rowcall, pg):
    env, run = child_environment(rowcall, env={
        "DATABASE_URL": f"postgresql+psycopg2://us%40er:p%2Fw@127.0.0.1:{pg.port}/na%20me?application_name=a%26b&connect_timeout=3",
        "JDBC_DATABASE_URL": f"jdbc:postgresql://127.0.0.1:{pg.port}/app?user=app&password=p%26w",
    })
    port = port_of(env["DATABASE_URL"])
    assert port != pg.port
    assert env["DATABASE_URL"] == f"postgresql+psycopg2://us%40er:p%2Fw@127.0.0.1:{port}/na%20me?application_name=a%26b&connect_timeout=3"
    assert env["JDBC_DATABASE_URL"] == f"jdbc:postgresql://127.0.0.1:{port}/app?user=app&password=p%26w"
    assert "DATABASE_URL" in run.err, "what was rewritten is said"
    assert "p%2Fw" not in run.err and "p/w" not in run.err, "passwords are never said"


def test_host_and_port_variables(rowcall, pg):
    env, _ = child_environment(rowcall, env={"PGHOST": "127.0.0.1", "PGPORT": str(pg.port), "PGHOSTADDR": "127.0.0.1", "PGUSER": "app",
                                             "PGPASSWORD": "app", "PGDATABASE": "app"})
    assert env["PGHOST"] == "127.0.0.1" and int(env["PGPORT"]) != pg.port
    assert env.get("PGHOSTADDR") in (None, "127.0.0.1")
    assert (env["PGUSER"], env["PGPASSWORD"], env["PGDATABASE"]) == ("app", "app", "app")


def test_pghostaddr_reaches_us_too(rowcall, pg):
    run = rowcall.run("--", "psql", "-qAtXc", "SELECT id FROM things WHERE id = 42",
                      env={"PGHOST": "db.invalid", "PGHOSTADDR": "127.0.0.1", "PGPORT": str(pg.port), "PGUSER": "app", "PGDATABASE": "app"})
    assert (run.status, run.out) == (0, "42\n"), run
    assert run.verdict[3] == 1


def test_other_variables_by_template_and_our_own(rowcall, pg):
    env, _ = child_environment(rowcall, "--env", "SHOP_DB=postgresql://{host}:{port}/shop", env={"DATABASE_URL": pg.url()})
    port = port_of(env["DATABASE_URL"])
    assert env["SHOP_DB"] == f"postgresql://127.0.0.1:{port}/shop"
    assert env["ROWCALL_URL"].startswith("http://127.0.0.1:")


def test_two_upstreams_in_one_environment(rowcall, pg):
    code = """
import os, psycopg2
for name in ("DATABASE_URL", "AUDIT_DATABASE_URL"):
    connection = psycopg2.connect(os.environ[name])
    connection.autocommit = True
    connection.cursor().execute("SELECT name FROM things WHERE id = 1")
"""
    with PostgreSQL() as second:
        run = rowcall.python(code, env={"DATABASE_URL": pg.url(), "AUDIT_DATABASE_URL": second.url()})
    assert run.status == 0, run
    assert len(run.report["run"]["upstreams"]) == 2
    assert run.report["coverage"]["queries"] == 2
    assert len({name for request in run.report["requests"] for name in request["databases"]}) == 2


def test_the_same_upstream_twice_is_one_listener(rowcall, pg):
    env, run = child_environment(rowcall, env={"DATABASE_URL": pg.url(), "TEST_DATABASE_URL": pg.url(database="postgres")})
    assert port_of(env["DATABASE_URL"]) == port_of(env["TEST_DATABASE_URL"])
    assert len(run.report["run"]["upstreams"]) == 1


def test_a_fixed_listen_address_for_apps_with_their_host_in_a_file(rowcall, pg):
    port = free_port()
    run = rowcall.run("--listen", f"127.0.0.1:{port}", "--upstream", pg.url(), "--", "psql", "-qAtXc", "SELECT id FROM things WHERE id = 7",
                      f"postgresql://app@127.0.0.1:{port}/app")
    assert (run.status, run.out) == (0, "7\n"), run


# --- what first users stumble over --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("how", ["PGHOST", "url"])
def test_a_unix_socket_stays_one_so_that_peer_authentication_works(rowcall, pg, how):
    env = {"PGHOST": str(pg.dir), "PGPORT": str(pg.port), "PGDATABASE": "app", "PGUSER": getpass.getuser()}
    if how == "url":
        env = {"DATABASE_URL": f"postgresql:///app?host={pg.dir}&port={pg.port}&user={getpass.getuser()}"}
    code = """
import os, psycopg2
connection = psycopg2.connect(os.environ.get("DATABASE_URL", ""))
print(connection.info.host)
cursor = connection.cursor()
cursor.execute("SELECT current_user, inet_client_addr() IS NULL")
print(*cursor.fetchone())
"""
    run = rowcall.python(code, env=env)
    assert run.status == 0, run
    host, answer = run.out.splitlines()
    assert answer == f"{getpass.getuser()} True"
    assert host.startswith("/") and host != str(pg.dir)
    assert not os.path.exists(host), "the private directory is gone"


def test_the_private_directory_is_private(rowcall, pg):
    code = "import os; print(oct(os.stat(os.environ['PGHOST']).st_mode & 0o777))"
    run = rowcall.python(code, "--allow-empty", env={"PGHOST": str(pg.dir), "PGPORT": str(pg.port)})
    assert run.status == 0, run
    assert run.out == "0o700\n"


def test_a_password_file_still_finds_its_line(rowcall, pg, tmp_path):
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"127.0.0.1:{pg.port}:app:scram:scram\n")
    passwords.chmod(stat.S_IRUSR | stat.S_IWUSR)
    run = rowcall.python(ask(), env={"DATABASE_URL": f"postgresql://scram@127.0.0.1:{pg.port}/app", "PGPASSFILE": str(passwords)})
    assert run.status == 0, run
    assert run.verdict == ("PASS", 0, 1, 1)
    assert passwords.read_text().count("\n") == 1, "the user's own file is left alone"


def test_sslmode_require_is_turned_down_on_loopback_only(rowcall):
    code = ask(after="""
cursor = connection.cursor()
cursor.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
print(cursor.fetchone()[0])
""")
    with PostgreSQL(tls=True, require_tls=True) as server:
        run = rowcall.python(code, env={"DATABASE_URL": server.url(user="scram", query="?sslmode=require")})
    assert run.status == 0, run
    assert run.out == "True\n", "the server's leg keeps its TLS"
    assert "sslmode" in run.err, "and it is said"


def test_zero_connections_are_explained(rowcall, pg, tmp_path):
    (tmp_path / "manage.py").write_text("")
    (tmp_path / "mysite").mkdir()
    (tmp_path / "mysite" / "settings.py").write_text(f"DATABASES = {{'default': {{'HOST': '127.0.0.1', 'PORT': {pg.port}}}}}\n")
    code = f"import psycopg2; psycopg2.connect(host='127.0.0.1', port={pg.port}, user='app', dbname='app').cursor().execute('SELECT name FROM things')"
    run = rowcall.python(code, env={"DATABASE_URL": pg.url()})
    assert run.status == 11, run
    assert "settings.py" in run.err and "--listen" in run.err


def test_interrupt_reaches_the_child_once_and_the_report_is_printed(rowcall, pg):
    code = ask(after=(HERE / "programs/wait_for_interrupts.py").read_text() + "raise SystemExit(9)\n")
    # A group of its own, interrupted as a terminal does it: every process of the foreground group gets the signal.
    run = rowcall.start_run("--", PYTHON, "-c", code, env={"DATABASE_URL": pg.url()}, start_new_session=True)
    run.await_text("^ready", "stdout")
    os.killpg(run.process.pid, signal.SIGINT)
    outcome = run.wait()
    assert outcome.status == 9, outcome
    assert "interrupted 1" in outcome.out
    assert outcome.verdict[3] == 1


def test_terminate_is_passed_on(rowcall, pg):
    code = ask(after="print('ready', flush=True); import signal; signal.pause()")
    run = rowcall.start_run("--", PYTHON, "-c", code, env={"DATABASE_URL": pg.url()})
    run.await_text("^ready", "stdout")
    run.signal(signal.SIGTERM)
    outcome = run.wait()
    assert outcome.status == 128 + signal.SIGTERM, outcome
    assert outcome.verdict[3] == 1


def test_a_forking_suite_and_the_childs_own_file_limit(rowcall, pg):
    code = """
import os, psycopg2, resource
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
children = []
for number in range(12):
    pid = os.fork()
    if pid == 0:
        connection = psycopg2.connect(os.environ["DATABASE_URL"])
        connection.autocommit = True
        for _ in range(5):
            connection.cursor().execute("SELECT name FROM things WHERE id = %s", [number])
        os._exit(0)
    children.append(pid)
print(*(os.waitpid(pid, 0)[1] for pid in children))
"""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    run = rowcall.python(code, env={"DATABASE_URL": pg.url()})
    assert run.status == 0, run
    assert run.out.splitlines() == [" ".join(map(str, limits)), " ".join(["0"] * 12)]
    assert run.report["coverage"]["queries"] == 60


def test_databases_can_be_dropped_right_after_disconnecting(rowcall, pg):
    """As test suites do: DROP DATABASE fails while the server still has a session there."""
    code = """
import os, psycopg2
url = os.environ["DATABASE_URL"]
for number in range(40):
    admin = psycopg2.connect(url)
    admin.autocommit = True
    admin.cursor().execute("CREATE DATABASE passing TEMPLATE template0")
    pid = os.fork()
    if pid == 0:
        test = psycopg2.connect(url, dbname="passing")
        test.cursor().execute("SELECT 1")
        if number % 2:
            test.close()    # says Terminate; without it the connection just ends
        os._exit(0)
    os.waitpid(pid, 0)
    admin.cursor().execute("DROP DATABASE passing")
    admin.close()
print("dropped")
"""
    run = rowcall.python(code, env={"DATABASE_URL": pg.url()})
    assert (run.status, run.out) == (0, "dropped\n"), run


# --- MySQL and MariaDB --------------------------------------------------------------------------------------------------------------

def test_both_families_in_one_run(rowcall, pg, my):
    code = """
import os, psycopg2, pymysql, urllib.parse
url = urllib.parse.urlsplit(os.environ["AUDIT_DATABASE_URL"])
postgresql = psycopg2.connect(os.environ["DATABASE_URL"])
mariadb = pymysql.connect(host=url.hostname, port=url.port, user=url.username, password=url.password, database=url.path[1:])
for connection in (postgresql, mariadb):
    for number in range(3):
        connection.cursor().execute("SELECT name FROM things WHERE id = %s /*route='both',rowcall_request='b'*/", [number])
"""
    run = rowcall.python(code, env={"DATABASE_URL": pg.url(), "AUDIT_DATABASE_URL": my.url()})
    assert run.status == 0, run
    (request,) = run.report["requests"]
    assert (request["scope"], request["queries"], len(request["databases"])) == ("both", 6, 2)
    assert len(run.report["run"]["upstreams"]) == 2


@pytest.mark.parametrize("env, host, port", [
    ({"MYSQL_HOST": "localhost", "MYSQL_PORT": "{port}"}, "MYSQL_HOST", "MYSQL_PORT"),
    ({"MYSQL_HOST": "127.0.0.1", "MYSQL_TCP_PORT": "{port}"}, "MYSQL_HOST", "MYSQL_TCP_PORT"),
    ({"MYSQLHOST": "127.0.0.1", "MYSQLPORT": "{port}"}, "MYSQLHOST", "MYSQLPORT"),
    ({"DB_CONNECTION": "mysql", "DB_HOST": "localhost", "DB_PORT": "{port}"}, "DB_HOST", "DB_PORT"),
])
def test_mysql_variables_become_an_address_and_never_localhost(rowcall, my, env, host, port):
    """localhost would make MySQL's clients go past us, to the server's socket."""
    found, _ = child_environment(rowcall, env={name: value.format(port=my.port) for name, value in env.items()})
    assert found[host] == "127.0.0.1"
    assert int(found[port]) != my.port


@pytest.mark.parametrize("scheme", ["mysql", "mysql2", "mariadb", "mysql+pymysql", "jdbc:mariadb"])
def test_mysql_urls_keep_their_scheme(rowcall, my, scheme):
    env, _ = child_environment(rowcall, env={"DATABASE_URL": my.url(scheme=scheme) + "?charset=utf8mb4"})
    assert env["DATABASE_URL"] == f"{scheme}://app:app@127.0.0.1:{port_of(env['DATABASE_URL'])}/app?charset=utf8mb4"
    assert port_of(env["DATABASE_URL"]) != my.port


def test_a_mysql_socket_stays_one(rowcall, my):
    run = rowcall.run("--", "mariadb", "--no-defaults", "-u", "root", "-BN", "-e", "SELECT COUNT(*), USER() FROM things", "app",
                      env={"MYSQL_UNIX_PORT": str(my.socket)})
    assert (run.status, run.out) == (0, "100\troot@localhost\n"), run
    assert run.verdict[3] == 1
