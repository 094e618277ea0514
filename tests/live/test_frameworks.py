# SPDX-License-Identifier: Apache-2.0
"""Each snippet of conf/integrations on the real framework: the page that asks once per row is proven by its route, the clean one is
silent, and without rowcall the app answers the same."""
import json
import os
import shutil
import subprocess

import pytest

from rowcall import PYTHON, TOP
from servers import clean_environment
from waiting import free_port

PROGRAMS = TOP / "tests/live/programs"
NODE = TOP / "tests/live/node"
ROWS = 12       # orders, each of a customer of its own
SHOP = ("CREATE TABLE customers (id int PRIMARY KEY, name varchar(40) NOT NULL)",
        "CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL)",
        f"INSERT INTO customers WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {ROWS}) SELECT n, concat('c', n) FROM n",
        "INSERT INTO orders SELECT 100 + id, id FROM customers")


@pytest.fixture(scope="session")
def stocked(pg, my):
    """URLs of a database with customers and orders, by engine. The tests only read it."""
    for server in (pg, my):
        server.sql("CREATE DATABASE stocked")
        server.sql(*SHOP, database="stocked")
    return {"pg": pg.url(database="stocked"), "mysql": my.url(database="stocked")}


class Shop:
    """Runs a framework's app twice, without rowcall and under it."""

    def __init__(self, rowcall):
        self.rowcall = rowcall

    def visit(self, *command, url, cwd=None, env=None, options=()):
        """The report; the app has said the same both times."""
        env = {"DATABASE_URL": url} | (env or {})
        bare = subprocess.run([str(part) for part in command], env=clean_environment(**env), cwd=cwd, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120)
        assert bare.returncode == 0, bare.stderr
        assert f"{ROWS} orders, c3\n" in bare.stdout and not bare.stderr, bare
        outcome = self.rowcall.run(*options, "--", *command, env=env, cwd=cwd)
        assert outcome.status == 0 and outcome.out == bare.stdout, outcome
        return outcome.report


@pytest.fixture
def visited(rowcall):
    return Shop(rowcall)


TIMED = {"slow-query", "slow-request", "idle-in-transaction"}    # a busy machine is no matter of frameworks


def proves(report, broken, clean, location=None, origin="caller", clean_queries=1):
    """One N+1, proven, at the broken route; no finding but notes at the clean ones, whose requests were told apart."""
    findings = [f for f in report["findings"] if f["verdict"] != "note" and f["rule"] not in TIMED]
    assert [(f["rule"], f["verdict"], f["scope"]) for f in findings] == [("n-plus-one", "proven", broken)], findings
    (finding,) = findings
    column = "orders.customer_id → customers.id"
    assert finding["source"]["column"] == column
    assert finding["repeat"]["executions"] == finding["repeat"]["distinct_parameters"] == ROWS
    if location:
        assert (finding["location"]["file"], finding["location"]["origin"]) == (location, origin)
    requests = [(r["scope"], r["queries"]) for r in report["requests"] if r["scope"] in (broken, clean)]
    assert sorted(requests) == sorted([(broken, 1 + ROWS)] + [(clean, clean_queries)] * 2)
    assert all(r["borders_from"] == "tag" for r in report["requests"] if r["scope"] in (broken, clean))


def advice(report):
    (loop,) = [f for f in report["findings"] if f["rule"] == "n-plus-one"]
    return loop["advice"]


def need(program, *paths):
    for path in paths:
        if not os.path.exists(path):
            pytest.skip(f"{path} is not installed")
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")


# --- Node ---------------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("orm, engine", [(orm, engine) for orm in ("pg", "sequelize", "knex", "typeorm") for engine in ("pg", "mysql")
                                         if (orm, engine) != ("pg", "mysql")])
def test_express(visited, stocked, orm, engine):
    need("node", NODE / "node_modules" / orm, NODE / "node_modules/express")
    report = visited.visit("node", "express_shop.js", orm, url=stocked[engine], cwd=NODE)
    proves(report, "GET /orders", "GET /orders/joined", "express_shop.js")
    assert {"GET /customers/:id", "job Stock"} <= {scope["scope"] for scope in report["scopes"]}
    if orm == "sequelize":
        assert "include: 'customer'" in advice(report)


# --- Python -------------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("framework, customer", [("flask", "GET /customers/<int:number>"), ("fastapi", "GET /customers/{number}")])
@pytest.mark.parametrize("engine", ["pg", "mysql"])
def test_sqlalchemy_behind(visited, stocked, tmp_path, framework, customer, engine):
    pytest.importorskip(framework)
    for name in (framework, "sqlalchemy"):
        shutil.copy(TOP / f"conf/integrations/{name}.py", tmp_path / f"{name}_tags.py")
    shutil.copy(PROGRAMS / f"{framework}_shop.py", tmp_path / "shop.py")
    report = visited.visit(PYTHON, "shop.py", url=stocked[engine].replace("mysql:", "mysql+pymysql:"), cwd=tmp_path)
    proves(report, "GET /orders", "GET /orders/joined", "shop.py")
    assert customer in {scope["scope"] for scope in report["scopes"]}


# --- Ruby ---------------------------------------------------------------------------------------------------------------------------

def test_rails_with_marginalia(visited, stocked, tmp_path):
    need("ruby", "/usr/share/doc/ruby-marginalia", "/usr/share/doc/ruby-railties", "/usr/share/doc/ruby-pg")
    (tmp_path / "config/initializers").mkdir(parents=True)
    shutil.copy(TOP / "conf/integrations/rails_marginalia.rb", tmp_path / "config/initializers/rowcall.rb")
    app = shutil.copy(PROGRAMS / "rails_shop.rb", tmp_path)
    report = visited.visit("ruby", app, url=stocked["pg"], cwd=tmp_path)
    proves(report, "orders#index", "orders#joined", "rails_shop.rb", "source_location", clean_queries=2)
    assert "customers#show" in {scope["scope"] for scope in report["scopes"]}


def test_rails_query_logs():
    """Rails 7 is not in Debian 12: its configuration is read by Rails 6.1, and its tags asked about a request of 6.1. Rails' own bytes: WIRE."""
    need("ruby", "/usr/share/doc/ruby-railties")
    code = """
require "rails"
require "active_record/railtie"
require "action_controller/railtie"
class Shop < Rails::Application
  class_eval File.read(ARGV[0])
end
controller = ActionController::Base.new
controller.request = ActionDispatch::Request.new("action_dispatch.request_id" => "r1")
*names, computed = Shop.config.active_record.query_log_tags
puts Shop.config.active_record.query_log_tags_enabled, names.inspect
puts computed.map { |name, of| [name, of[{ controller: controller }], of[{}]] }.inspect
"""
    said = subprocess.run(["ruby", "-e", code, TOP / "conf/integrations/rails_query_logs.rb"], stdout=subprocess.PIPE, text=True, check=True,
                          env=clean_environment(ROWCALL_URL="http://127.0.0.1:1")).stdout
    assert said == 'true\n[:controller, :action, :job]\n[[:request_id, "r1", nil], [:job_id, nil, nil]]\n'


# --- PHP ----------------------------------------------------------------------------------------------------------------------------

def test_laravel(visited, stocked, tmp_path):
    need("php", "/usr/share/doc/php-laravel-framework", "/usr/share/doc/php-pgsql")
    shutil.copy(TOP / "conf/integrations/RowcallServiceProvider.php", tmp_path)
    shutil.copy(PROGRAMS / "laravel_shop.php", tmp_path)
    report = visited.visit("php", "laravel_shop.php", url=stocked["pg"], cwd=tmp_path)
    proves(report, "GET /orders", "GET /orders/joined", "laravel_shop.php", clean_queries=2)
    assert "GET /customers/{id}" in {scope["scope"] for scope in report["scopes"]}
    assert "with('customer')" in advice(report)


# --- Go -----------------------------------------------------------------------------------------------------------------------------

def go(tmp_path):
    """Environment of a Go that finds Debian's packages and builds without a network."""
    return {"GOPATH": f"{tmp_path}:/usr/share/gocode", "GO111MODULE": "off", "GOCACHE": str(TOP / "build/go"), "GOFLAGS": "-p=2"}


@pytest.mark.parametrize("engine", ["pg", "mysql"])
def test_go(visited, stocked, tmp_path, engine):
    need("go", "/usr/share/gocode/src/github.com/lib/pq", "/usr/share/gocode/src/github.com/go-sql-driver/mysql")
    home = tmp_path / "src/shop"
    (home / "rowcalltags").mkdir(parents=True)
    shutil.copy(TOP / "conf/integrations/rowcall_tags.go", home / "rowcalltags/tags.go")
    shutil.copy(PROGRAMS / "go_shop.go", home / "main.go")
    subprocess.run(["go", "vet", "./..."], cwd=home, env=clean_environment(**go(tmp_path)), check=True)
    subprocess.run(["go", "build", "-o", tmp_path / "app", "."], cwd=home, env=clean_environment(**go(tmp_path)), check=True)
    assert not subprocess.run(["gofmt", "-l", "."], cwd=home, check=True, stdout=subprocess.PIPE).stdout
    env = {"PGSSLMODE": "disable", "DATABASE_DSN": stocked["pg"]}
    options = ("--env", "DATABASE_DSN=" + stocked["pg"].replace(stocked["pg"].split("@")[1].split("/")[0], "{host}:{port}"))
    if engine == "mysql":
        host = stocked["mysql"].split("@")[1].split("/")[0]
        env = {"DATABASE_DSN": f"app:app@tcp({host})/stocked"}
        options = ("--env", "DATABASE_DSN=app:app@tcp({host}:{port})/stocked")
    report = visited.visit(tmp_path / "app", url=stocked[engine], cwd=home, env=env, options=options)
    proves(report, "GET /orders", "GET /orders/joined", "main.go")
    assert "GET /customers/" in {scope["scope"] for scope in report["scopes"]}


# --- Java ---------------------------------------------------------------------------------------------------------------------------

def test_spring(visited, stocked, tmp_path):
    """Spring MVC and the driver are real; of Hibernate, of which Debian has no version with a StatementInspector, that interface only."""
    jars = [f"/usr/share/java/{name}.jar" for name in ("spring3-web.servlet", "spring3-web", "spring3-context", "spring3-beans", "spring3-core",
                                                       "spring3-aop", "spring3-expression", "spring3-test", "servlet-api", "commons-logging", "postgresql")]
    need("javac", *jars)
    home = tmp_path / "src/main/java/shop"
    home.mkdir(parents=True)
    (home / "RowcallTags.java").write_text("package shop;\n" + (TOP / "conf/integrations/RowcallTags.java").read_text())
    for name in ("Shop", "StatementInspector"):
        shutil.copy(PROGRAMS / f"spring/{name}.java", home)
    classpath = ":".join([str(tmp_path / "classes"), *jars])
    subprocess.run(["javac", "-Xlint:all,-serial,-processing,-classfile,-path", "-Werror", "-d", tmp_path / "classes", "-cp", classpath, *home.glob("*.java")], check=True)
    report = visited.visit("java", "-Dorg.apache.commons.logging.Log=org.apache.commons.logging.impl.NoOpLog", "-cp", classpath, "shop.Shop",
                           url=stocked["pg"], env={"JDBC_DATABASE_URL": jdbc(stocked["pg"])}, cwd=tmp_path)
    proves(report, "GET /orders", "GET /orders/joined", "src/main/java/shop/Shop.java")
    assert "GET /customers/{id}" in {scope["scope"] for scope in report["scopes"]}
    assert "JOIN FETCH" in advice(report)


# --- what others write ----------------------------------------------------------------------------------------------------------------

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e{:04d}-00f067aa0ba902b7-01"
WIRE = {    # who writes it: (bytes, scope, key; None: none)
    "Datadog": ("/*dddb='shop',dddbs='postgres',dde='ci',ddps='web',ddpv='1.2',traceparent='{t}'*/ SELECT 1 FROM orders", "(untagged)", "t"),
    "google Django": ("SELECT 1 FROM orders /*controller='index',framework='django%3A4.2',route='polls/',traceparent='{t}'*/", "polls/", "t"),
    "google Flask": ("SELECT 1 FROM orders /*controller='o',framework='flask%3A3.0',route='/o/%3Cid%3E'*/", "/o/<id>", None),
    "google Knex": ("select 1 from orders /*route='%2Forders%2F%3Aid',traceparent='{t}'*/", "/orders/:id", "t"),
    "google Laravel": ("select 1 from orders/*framework='laravel-9',controller='C',action='a',route='%%2Fu%%2F7%%3Fpage%%3D2'*/", "/u/7", None),
    "google Spring": ("select 1 from orders /*action='show',controller='Orders',framework='spring',traceparent='{T}'*/", "Orders#show", "t"),
    "google Go": ("select 1 from orders/*action='h',framework='gorilla%2Fmux',route='GET+%2Ftodos',traceparent='{t}'*/", "GET /todos", "t"),
    "spatie Laravel": ("select 1 from orders/*controller='UsersController',action='index'*/;", "UsersController#index", None),
    "Prisma 7": ("SELECT 1 FROM orders /*requestId='p1',route='%2Fapi',traceparent='{t}'*/", "/api", "p1"),
    "Prisma 4": ("SELECT 1 FROM orders /* traceparent={t} */", "(untagged)", "t"),
    "Drizzle": ("select 1 from orders /*route='%2Fapi%2Fusers'*/", "/api/users", None),
    "Hibernate": ("/* select o from Order o where .. */ select 1 from orders", "select o from Order o where ..", None),
    "Ecto": ("SELECT 1 FROM orders /*caller='MyApp.Orders.list/1',request_id='e1'*/", "MyApp.Orders.list/1", "e1"),
    "EF Core": ("-- File: x.cs:42\r\n-- GET /ef\r\n\r\nSELECT 1 FROM orders", "GET /ef", None),
    "Hasura": ("SELECT 1 FROM orders /* request_id=h1,field_name=child,operation_name=GetChild */", "GetChild", "h1"),
    "GitLab": ("SELECT 1 FROM orders /*application:web,correlation_id:01EZ..,endpoint_id:Projects::Blob#show,db_config_name:main*/",
               "Projects::Blob#show", "01EZ.."),
    "Rails 7.1": ("SELECT 1 FROM orders /*action='show',application='A',controller='users',request_id='r1',source_location='app%2Fx.rb%3A12'*/",
                  "users#show", "r1"),
    "Rails 7.0": ("SELECT 1 FROM orders /*application:A,controller:posts,action:show,request_id:r2*/", "posts#show", "r2"),
    "Rails, prepended": ("/*application:A,controller:tags,action:show*/ SELECT 1 FROM orders", "tags#show", None),
    "marginalia, Sidekiq": ("SELECT 1 FROM orders /*application:A,sidekiq_job:MailWorker,jid:j1*/ /*note*/", "MailWorker", "j1"),
    "request_tagger": ("/* request-id: abc123 */ SELECT 1 FROM orders", "(untagged)", "abc123"),
}


def test_tags_of_frameworks_that_are_not_here(rowcall, stocked):
    """Their bytes as their sources and documentation have them. Each request sends its statement twice on a connection of its own."""
    code = """
import json, os, sys, psycopg2
for statement in json.loads(sys.argv[1]):
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    connection.autocommit = True
    connection.cursor().execute(statement)
    connection.cursor().execute(statement)
    connection.close()
"""
    traces = {who: TRACE.format(n) for n, who in enumerate(WIRE, 1)}
    sent = [statement.replace("{t}", traces[who]).replace("{T}", traces[who].upper()) for who, (statement, _, _) in WIRE.items()]
    report = rowcall.run("--", PYTHON, "-c", code, json.dumps(sent), env={"DATABASE_URL": stocked["pg"]}).report
    found = [(r["scope"], None if r["request"].startswith("#") else r["request"], r["queries"]) for r in report["requests"]]
    wanted = [(scope, traces[who][3:35] if key == "t" else key, 2) for who, (_, scope, key) in WIRE.items()]
    assert dict(zip(WIRE, found)) == dict(zip(WIRE, wanted))
    assert {shape["shape"] for shape in report["shapes"]} == {"SELECT ? FROM orders"}


# --- test runners -------------------------------------------------------------------------------------------------------------------

@pytest.fixture
def runs(rowcall, stocked, tmp_path):
    """Runs a project's tests with a snippet that marks them, bare, under rowcall, and where ROWCALL_URL leads nowhere."""
    def run(command, loop, join, *files, **more):
        for file in files:
            source, _, target = file.partition(" ")
            place = tmp_path / (target or os.path.basename(source))
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / source, place)
        env = {"DATABASE_URL": stocked["pg"], "JDBC_DATABASE_URL": jdbc(stocked["pg"])} | more
        for url in ({}, {"ROWCALL_URL": f"http://127.0.0.1:{free_port()}"}):
            bare = subprocess.run([str(part) for part in command], env=clean_environment(**env, **url), cwd=tmp_path, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=120)
            assert bare.returncode == 0, bare.stdout
            assert bare.stdout.count("rowcall takes no marks, going on without") == len(url), bare.stdout
        outcome = rowcall.run("--", *command, env=env, cwd=tmp_path)
        assert outcome.status == 0, outcome
        assert "takes no marks" not in outcome.out + outcome.err
        (finding,) = [f for f in outcome.report["findings"] if f["verdict"] != "note" and f["rule"] not in TIMED]
        assert (finding["rule"], finding["verdict"], finding["test"]) == ("n-plus-one", "proven", loop)
        assert finding["source"]["column"] == "orders.customer_id → customers.id"
        queries = {}
        for request in outcome.report["requests"]:
            queries[request["test"]] = queries.get(request["test"], 0) + request["queries"]
        assert queries.pop(loop) == 2 + ROWS, "what runs before each test belongs to it"
        assert all(queries.pop(test) == 2 for test in join) and not queries
        return outcome
    return run


def jdbc(url):
    user, _, place = url.removeprefix("postgresql://").partition("@")
    return f"jdbc:postgresql://{place}?user={user.partition(':')[0]}&password={user.partition(':')[2]}"


def test_pytest(runs):
    unescaped = "disable_test_id_escaping_and_forfeit_all_rights_to_community_support=1"
    long = "test_marked.py::test_join[" + "ü" * 300
    outcome = runs((PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "pytest_marks", "-o", unescaped, "test_marked.py"), "test_marked.py::test_loop",
                   ["test_marked.py::test_join[short]", long.encode()[:256].decode(errors="ignore")],
                   "conf/integrations/pytest_marks.py", "tests/live/programs/marks/test_marked.py", PYTHONPATH=".", LC_ALL="C.UTF-8")
    assert outcome.report["findings"][0]["location"]["file"] == "test_marked.py"


def test_rspec(runs):
    need("rspec", "/usr/share/doc/ruby-rspec-expectations", "/usr/share/doc/ruby-pg")
    runs(("rspec", "marked_spec.rb"), "marked_spec.rb::Orders loop", ["marked_spec.rb::Orders join"],
         "conf/integrations/rspec_marks.rb", "tests/live/programs/marks/marked_spec.rb")


@pytest.mark.parametrize("runner, suite", [(("node", NODE / "node_modules/jest/bin/jest.js", "--runInBand"), "orders "),
                                           (("node", "--require", "./jest_marks.js", "--test", "--test-concurrency=1"), "orders > ")],
                         ids=["jest", "node"])
def test_javascript(runs, tmp_path, runner, suite):
    need("node", NODE / "node_modules/jest", NODE / "node_modules/pg")
    if "--test" in runner and subprocess.check_output(["node", "--version"]).startswith(b"v18."):
        suite = ""      # node:test of 18 does not tell its hooks the suite's name
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    (tmp_path / "package.json").write_text('{"jest": {"setupFilesAfterEnv": ["./jest_marks.js"]}}')
    runs(runner, f"marked.test.js::{suite}loop", [f"marked.test.js::{suite}join"],
         "conf/integrations/jest_marks.js", "tests/live/programs/marks/marked.test.js")


def test_junit(runs, tmp_path):
    jars = "/usr/share/java/junit-platform-console-standalone.jar", "/usr/share/java/postgresql.jar"
    need("javac", *jars)
    classpath = ":".join(("classes", "/usr/share/java/*"))
    compile_and_run = f"javac -d classes -cp '{classpath}' *.java && " \
        f"java -cp '{classpath}' org.junit.platform.console.ConsoleLauncher -c MarkedTest --disable-banner --details=none"
    runs(("sh", "-c", compile_and_run), "MarkedTest::loop", ["MarkedTest::join"],
         "conf/integrations/RowcallMarks.java", "tests/live/programs/marks/MarkedTest.java")


def test_phpunit(runs):
    need("phpunit", "/usr/share/doc/php-pgsql")
    runs(("phpunit", "--no-configuration", "MarkedTest.php"), "MarkedTest::testLoop", ["MarkedTest::testJoin"],
         "conf/integrations/RowcallMarks.php", "tests/live/programs/marks/MarkedTest.php")


def test_go_test(runs, tmp_path):
    need("go", "/usr/share/gocode/src/github.com/lib/pq")
    runs(("go", "test", "-count", "1", "-v", "marked"), "marked.TestLoop", ["marked.TestJoin"],
         "conf/integrations/rowcall_marks.go src/marked/rowcallmarks/marks.go", "tests/live/programs/marks/marked_test.go src/marked/marked_test.go",
         PGSSLMODE="disable", **go(tmp_path))
