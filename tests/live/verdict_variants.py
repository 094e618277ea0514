# SPDX-License-Identifier: Apache-2.0
"""The wire variants that the rows of the verdict table are played on: PostgreSQL's simple protocol, its extended one with text and with
binary parameters and results, MySQL's text protocol, and its prepared statements. Each plays rows through one rowcall."""
import contextlib
import subprocess
import time

import psycopg
import psycopg2
import pymysql


class Variant:
    """One client. c is the connection in use; each row begins with new connections and closes them."""

    failure = None      # SQL that fails as a serialization failure does

    def __init__(self, port, tagged):
        self.port, self.tagged, self.connections = port, tagged, {}
        self.serial = 0
        self.all_rows = []

    def begin(self, number):
        self.row, self.schema, self.c, self.part = number, "r" + number, 0, 1

    def end(self):
        for connection in self.connections.values():
            connection.close()
        self.connections = {}

    # --- what rows call

    def q(self, sql, *parameters, bare=False, control=False, prepare=None, fails=False):
        """control: sent as text without parameters also where everything else is prepared. bare: without a tag."""
        sql = sql.replace("{s}", self.schema)
        if self.tagged and not bare:
            sql += " /*route='%s',rowcall_request='%s-%d'*/" % (self.schema, self.schema, self.part)
        try:
            self.send(sql, parameters, control, prepare)
        except (psycopg2.Error, psycopg.Error, pymysql.Error, Failed):
            if not fails:
                raise
        else:
            assert not fails, sql

    def request(self):
        """The next request begins; without tags nothing says so."""
        self.part += 1

    def session_request(self, name):
        self.q("SET rowcall.request = '%s-%s'" % (self.schema, name), control=True, bare=True)

    def pause(self):
        time.sleep(1.0)     # the idle gap of these tests is 800 ms

    def wait(self, seconds):
        """The rhythm of the client's own."""
        time.sleep(seconds)

    def fresh(self):
        self.serial += 1
        return self.serial + 1000 * self.base

    def fail(self, _how):
        self.q(self.failure, control=True, fails=True)

    def others(self, n):
        return [schema for schema in self.all_rows if len(schema) == 3 and int(schema[1:]) <= 20][:n]


class Failed(Exception):
    pass


class PgSimple(Variant):
    name, engine, base = "pg-simple", "postgresql", 1
    failure = "DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$"

    def connect(self):
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user="app", dbname="app")
        connection.autocommit = True
        return connection

    def connection(self):
        if self.c not in self.connections:
            self.connections[self.c] = self.connect()
        return self.connections[self.c]

    def send(self, sql, parameters, _control, _prepare):
        with self.connection().cursor() as cursor:
            cursor.execute(sql.replace("?", "%s") if parameters else sql, parameters or None)

    def enter(self, schema):
        self.q("SET search_path = %s" % schema, control=True)

    def probes(self):
        return "SELECT 1", "SHOW server_version", "SELECT oid FROM pg_type WHERE typname = 'hstore'"


class PgText(PgSimple):
    name, mark, binary, base = "pg-text", "%t", False, 2

    def connect(self):
        return psycopg.connect(host="127.0.0.1", port=self.port, user="app", dbname="app", autocommit=True)

    def send(self, sql, parameters, control, prepare):
        with self.connection().cursor(binary=self.binary) as cursor:
            # Without parameters psycopg asks in the simple protocol unless the result is to be binary.
            cursor.execute(sql.replace("?", self.mark) if parameters else sql, parameters or None, prepare=prepare)

    @contextlib.contextmanager
    def pipeline(self):
        with self.connection().pipeline():
            yield


class PgBinary(PgText):
    name, mark, binary, base = "pg-binary", "%b", True, 3

    def send(self, sql, parameters, control, prepare):
        with self.connection().cursor(binary=not control) as cursor:
            cursor.execute(sql.replace("?", self.mark) if parameters else sql, parameters or None, prepare=prepare)


class MyText(Variant):
    name, engine, base = "my-text", "mysql", 4
    failure = "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213"

    def connect(self):
        return pymysql.connect(host="127.0.0.1", port=self.port, user="app", password="app", database="app", autocommit=True,
                               client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS)

    def send(self, sql, parameters, _control, _prepare):
        if self.c not in self.connections:
            self.connections[self.c] = self.connect()
        with self.connections[self.c].cursor() as cursor:
            cursor.execute(sql.replace("?", "%s") if parameters else sql, parameters or None)
            while cursor.nextset():
                pass

    def session_request(self, name):
        self.q("SET @rowcall_request = '%s-%s'" % (self.schema, name), control=True, bare=True)

    def enter(self, schema):
        self.q("USE %s" % schema, control=True)

    def probes(self):
        return "SELECT 1", "SELECT @@version_comment", "SHOW VARIABLES LIKE 'version'"


class MyBinary(MyText):
    """Connector/C's prepared statements, in a program of their own (programs/prepared.c)."""

    name, base, program = "my-binary", 5, None

    def __init__(self, port, tagged):
        super().__init__(port, tagged)
        self.process = subprocess.Popen([self.program, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.used = set()

    def send(self, sql, parameters, control, _prepare):
        self.used.add(self.c)
        values = ["i%d" % p if isinstance(p, int) else "s%s" % p for p in parameters]
        self.process.stdin.write("\t".join([str(self.c), "app", "q" if control else "p", sql.replace("\n", " "), *values]) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer.startswith("ok "):
            raise Failed(sql, answer)

    def end(self):
        for c in sorted(self.used):
            self.process.stdin.write("%d\tapp\tq\tclose\n" % c)
            self.process.stdin.flush()
            assert self.process.stdout.readline().startswith("ok")
        self.used = set()

    def finish(self):
        self.process.stdin.close()
        assert self.process.wait(30) == 0


VARIANTS = {v.name: v for v in (PgSimple, PgText, PgBinary, MyText, MyBinary)}
