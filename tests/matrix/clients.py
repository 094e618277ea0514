# SPDX-License-Identifier: Apache-2.0
"""The clients of the matrix: for each the program that drives it, and what it needs to be there.

A client's program takes its server from the environment, prints what it got, the same bytes on every run, under headings that name what it
tried ("== copy").
"""
import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
NODE = HERE.parent / "live/node/node_modules"
PYTHON = "/usr/bin/python3"


class Client:
    """name; server: the kind it is for; command(client, build): its words, after building it in the directory build if it needs that;
    missing(): why it cannot run here, or None; opaque: how many of its sessions hold no statements for rowcall (cancel requests, replication).

    Where rowcall and the server count differently by nature: unexecuted: statements that failed when they were prepared and that the client
    never asked to execute: errors to the server, no execution to rowcall; skipped: executions that were asked for but skipped by the server
    after an error in a pipeline (at most; how many had been sent by then depends on who was faster). textless: statements that are recorded without their text, as they are empty, longer
    than the limit, or what EXECUTE in SQL executes; unread: parameters whose value is not recorded, as they are binary and nobody told their type, or
    were sent as long data; cut: statements longer than what rowcall reads of one. core: run it against the extra servers too."""

    def __init__(self, name, server, command, missing=(), opaque=0, unexecuted=0, skipped=0, textless=0, unread=0, cut=0, core=False):
        self.name, self.server, self.command, self.core = name, server, command, core
        self.opaque, self.unexecuted, self.skipped, self.textless, self.unread = opaque, unexecuted, skipped, textless, unread
        self.cut = cut
        self.needs = missing

    def missing(self):
        return next(filter(None, (need() for need in self.needs)), None)

    def source(self, name):
        return str(HERE / self.server / name)


def needs(there, what):
    """A need: there() is whether it is met; called only when the client is about to run."""
    return lambda: None if there() else f"{what} is not installed"


def needs_program(name):
    return needs(lambda: shutil.which(name), name)


def needs_file(path, package):
    return needs(pathlib.Path(path).exists, package)


def succeeds(*command):
    return shutil.which(command[0]) and subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def script(name, server, file, *missing, **more):
    return Client(name, server, lambda client, _build: ["bash", client.source(file)], missing, **more)


def python(name, server, file, module, *words, **more):
    return Client(name, server, lambda client, _build: [PYTHON, client.source(file), *words],
                  [needs(lambda: succeeds(PYTHON, "-c", f"import {module}"), f"Python's {module}")], **more)


def c_program(name, server, file, config, **more):
    """Compiled with the flags that the library's own program says."""
    def command(client, build):
        cflags, libs = (subprocess.run([config[0], *words], check=True, stdout=subprocess.PIPE, text=True).stdout.split() for words in config[1:])
        subprocess.run(["gcc", "-O1", "-Wall", "-Wextra", "-Werror", *cflags, "-o", build / pathlib.Path(file).stem, client.source(file), *libs], check=True)
        return [str(build / pathlib.Path(file).stem)]
    return Client(name, server, command, [needs_program("gcc"), needs_program(config[0])], **more)


def perl(name, server, file, module, *words, **more):
    return Client(name, server, lambda client, _build: ["perl", client.source(file), *words],
                  [needs(lambda: succeeds("perl", f"-M{module}", "-e1"), f"Perl's {module}")], **more)


def php(name, server, file, extension, **more):
    return Client(name, server, lambda client, _build: ["php", "-d", "memory_limit=1G", client.source(file)],
                  [needs(lambda: succeeds("php", "-r", f"exit((int)!extension_loaded('{extension}'));"), f"PHP's {extension}")], **more)


def node(name, server, file, *modules, words=(), **more):
    return Client(name, server, lambda client, _build: ["node", client.source(file), *words],
                  [needs_program("node"), *(needs_file(NODE / module, f"npm's {module}") for module in modules)], **more)


def java(name, server, file, jar, package, **more):
    return Client(name, server, lambda client, _build: ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", jar, client.source(file)],
                  [needs_program("javac"), needs_file(jar, package)], **more)


def go(name, server, file, module, package, **more):
    """Built as Debian's Go packages are: sources below /usr/share/gocode, no modules, nothing fetched."""
    def command(client, build):
        subprocess.run(["go", "build", "-o", build / pathlib.Path(file).stem, client.source(file)], check=True,
                       env=os.environ | {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(build / "go"), "GOFLAGS": "-p=2"})
        return [str(build / pathlib.Path(file).stem)]
    return Client(name, server, command, [needs_program("go"), needs_file(f"/usr/share/gocode/src/{module}", package)], **more)


CLIENTS = [
    script("psql", "postgresql", "psql_client.sh", needs_program("psql"), opaque=1, textless=2, core=True),
    script("pg_dump", "postgresql", "dump_client.sh", needs_program("pg_dump"), textless=35),
    script("pg_basebackup", "postgresql", "basebackup_client.sh", needs_program("pg_basebackup"), opaque=2),
    c_program("libpq", "postgresql", "libpq_client.c", ["pkg-config", ["--cflags", "libpq"], ["--libs", "libpq"]], opaque=1, skipped=1, textless=3, core=True),
    python("psycopg2", "postgresql", "psycopg2_client.py", "psycopg2", opaque=1, textless=1, cut=1, core=True),
    python("psycopg3", "postgresql", "psycopg3_client.py", "psycopg", opaque=1, unexecuted=2, skipped=2, textless=1, core=True),
    python("asyncpg", "postgresql", "asyncpg_client.py", "asyncpg", opaque=1, unexecuted=1, skipped=1, textless=1, core=True),
    node("node-pg", "postgresql", "pg_client.js", "pg", "pg-cursor", "pg-copy-streams", textless=1, unread=1, core=True),
    node("postgres.js", "postgresql", "postgresjs_client.js", "postgres", opaque=1, unexecuted=1, textless=1, core=True),
    java("pgjdbc", "postgresql", "PgjdbcClient.java", "/usr/share/java/postgresql.jar", "libpostgresql-jdbc-java", opaque=1, skipped=2, textless=1, core=True),
    php("PDO_pgsql", "postgresql", "pdo_client.php", "pdo_pgsql", opaque=1, unexecuted=3, textless=1, unread=1),
    perl("DBD::Pg", "postgresql", "dbd_client.pl", "DBD::Pg", opaque=1, textless=1),
    go("lib-pq", "postgresql", "libpq_go_client.go", "github.com/lib/pq", "golang-github-lib-pq-dev", opaque=1, textless=1, unread=1),
    script("mariadb", "mysql", "cli_client.sh", needs_program("mariadb"), textless=1, core=True),
    script("mariadb-dump", "mysql", "dump_client.sh", needs_program("mariadb-dump"), textless=2, cut=1),
    c_program("Connector/C", "mysql", "connector_c_client.c", ["mariadb_config", ["--cflags"], ["--libs"]], unread=2, core=True),
    python("PyMySQL", "mysql", "pymysql_client.py", "pymysql", textless=1, cut=1, core=True),
    python("mysqlclient", "mysql", "pymysql_client.py", "MySQLdb", "mysqlclient", textless=1, cut=1),
    node("mysql2", "mysql", "node_client.js", "mysql2", words=["mysql2"], textless=1, cut=1, core=True),
    node("mariadb (npm)", "mysql", "node_client.js", "mariadb", words=["mariadb"], textless=1, cut=1, core=True),
    java("Connector/J", "mysql", "ConnectorJClient.java", "/usr/share/java/mariadb-java-client.jar", "libmariadb-java", textless=2, unread=2, cut=1, core=True),
    php("PDO_mysql", "mysql", "pdo_client.php", "pdo_mysql", textless=2, cut=1),
    perl("DBD::mysql", "mysql", "dbd_client.pl", "DBD::mysql", "mysql", textless=2, cut=1),
    perl("DBD::MariaDB", "mysql", "dbd_client.pl", "DBD::MariaDB", "MariaDB", textless=2, cut=1),
    go("go-sql-driver", "mysql", "go_client.go", "github.com/go-sql-driver/mysql", "golang-github-go-sql-driver-mysql-dev", unread=1),
]
