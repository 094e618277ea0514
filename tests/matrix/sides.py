# SPDX-License-Identifier: Apache-2.0
"""The servers of the matrix as its clients see them: how one is set up for a run, found by a client, and asked what it executed."""
import collections
import json
import re
import subprocess
import urllib.parse

import ledger
from clients import HERE, NODE
from servers import clean_environment
from waiting import await_true

DATABASE = "matrix"


class Side:
    """A server by its URL (an account that may do anything). server: ours, whose logs can be read, or None. more: further
    variables for its clients.

    mark() and then ledger(mark): the entries of ledger.py for what clients had executed in between, None without logs; only when they have ended."""

    def __init__(self, url, server=None, more=None):
        self.at, self.server, self.more = urllib.parse.urlsplit(url), server, more or {}

    @property
    def url(self):
        return self.at._replace(path=f"/{DATABASE}").geturl()

    def environment(self, port=None):
        """For a client that is to find it; port: of rowcall in front of it."""
        return clean_environment(**self.names(self.at.hostname if port is None else "127.0.0.1", str(port or self.at.port)), TZ="UTC",
                                 LC_ALL="C.UTF-8", NODE_PATH=str(NODE), NODE_NO_WARNINGS="1", **self.more)

    def setup(self):
        return (HERE / self.kind / "setup.sql").read_text()


class PostgreSQLSide(Side):
    kind = dialect = "postgresql"

    def names(self, host, port):
        return {"PGHOST": host, "PGPORT": port, "PGUSER": self.at.username, "PGPASSWORD": self.at.password, "PGDATABASE": DATABASE}

    def told(self):
        """What makes our own server tell more of itself in its log: durations, and with a module of its own the rows of plans."""
        settings = {"log_duration": "on", "log_parameter_max_length_on_error": "-1", "session_preload_libraries": "auto_explain", "auto_explain.log_min_duration": "0",
                    "auto_explain.log_analyze": "on", "auto_explain.log_timing": "off", "auto_explain.log_format": "json"}
        return [f"ALTER DATABASE {DATABASE} SET {name} = {value}" for name, value in settings.items()] if self.server else []

    def recreate(self):
        for database, statements in (("postgres", (f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)", f"CREATE DATABASE {DATABASE}",
                                      *self.told())),
                                     (DATABASE, (self.setup(),))):
            words = [word for statement in statements for word in ("-c", statement)]
            subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", database, *words], check=True,
                           env=self.environment() | {"PGOPTIONS": "-c client_min_messages=warning"})

    def mark(self):
        if not self.server:
            return None
        self.server.sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements", "SELECT pg_stat_statements_reset()")
        self.before = self.begun()
        return self.server.log.stat().st_size

    def begun(self):
        """Sessions that began in the database since it was made; no cancel requests, no replication of the whole server."""
        return int(self.server.sql(f"SELECT sessions FROM pg_stat_database WHERE datname = '{DATABASE}'"))

    def traffic(self):
        """Since the mark: sessions of the server; bytes it got and sent, which PostgreSQL does not tell."""
        return self.begun() - self.before, None

    def moved(self):
        """How many rows FETCH and COPY moved since the mark, by their texts."""
        told = self.server.sql(f"SELECT json_agg(json_build_array(query, rows)) FROM pg_stat_statements JOIN pg_database d ON d.oid = dbid WHERE"
                               f" datname = '{DATABASE}' AND query ~* '^\\s*(fetch|copy)\\y'")
        return json.loads(told or "[]")

    def ledger(self, mark):
        if not self.server:
            return None
        await_true(lambda: not self.server.sessions(DATABASE), "the sessions to end")
        return ledger.postgresql(self.server.read_log(mark), DATABASE)


class MySQLSide(Side):
    kind = dialect = "mysql"

    def __init__(self, url, server=None, more=None):
        super().__init__(url, server, more)
        import pymysql  # its clients need more packages than the other tests
        # Over TLS where the server has it, so that it caches the password: then clients without TLS are let in without asking for a key.
        tls = {} if server else {"ssl": {"check_hostname": False}}
        self.admin = pymysql.connect(host=self.at.hostname, port=self.at.port, user=self.at.username, password=self.at.password, autocommit=True,
                                     client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS, **tls)
        self.ask("SET GLOBAL max_allowed_packet = 67108864, GLOBAL local_infile = 1")

    def names(self, host, port):
        return {"MYSQL_HOST": host, "MYSQL_TCP_PORT": port, "MYSQL_USER": self.at.username, "MYSQL_PWD": self.at.password,
                "MYSQL_DATABASE": DATABASE}

    def ask(self, sql):
        with self.admin.cursor() as cursor:
            cursor.execute(sql)
            while cursor.nextset():
                pass

    def recreate(self):
        self.admin.ping()
        self.ask(f"DROP DATABASE IF EXISTS {DATABASE}; CREATE DATABASE {DATABASE}; USE {DATABASE}; {self.setup()} USE mysql")

    def mark(self):
        if not self.server:
            return None
        self.await_end()    # of what was asked directly and given up
        self.ask("TRUNCATE performance_schema.events_statements_history_long")
        self.before = self.status()
        return self.server.log.stat().st_size

    def status(self):
        """Sessions, bytes that the server got and sent, without those of this session itself."""
        told = dict(self.rows("SELECT g.variable_name, g.variable_value - IF(g.variable_name = 'CONNECTIONS', 0, s.variable_value)"
                              " FROM information_schema.global_status g JOIN information_schema.session_status s USING (variable_name)"
                              " WHERE variable_name IN ('CONNECTIONS', 'BYTES_RECEIVED', 'BYTES_SENT')"))
        return [int(told[name]) for name in ("CONNECTIONS", "BYTES_RECEIVED", "BYTES_SENT")]

    def traffic(self):
        """Since the mark: sessions of the server; bytes it got and sent."""
        sessions, received, sent = (now - then for now, then in zip(self.status(), self.before))
        return sessions, {"to_server": received, "to_client": sent}

    def moved(self):
        return []       # they are told of each statement

    def ledger(self, mark):
        if not self.server:
            return None
        self.await_end()
        events = self.rows("SELECT thread_id, event_name, CAST(sql_text AS CHAR), rows_sent, IF(errors > 0, mysql_errno, ''), timer_wait / 1e9 FROM performance_schema.events_statements_history_long"
                           " WHERE thread_id <> (SELECT thread_id FROM performance_schema.threads WHERE processlist_id = CONNECTION_ID())"
                           " ORDER BY thread_id, timer_end")
        assert len(events) < self.server.HISTORY, "the history was too short for them"
        queries, executed, before = collections.defaultdict(list), collections.defaultdict(list), {}
        for statement in self.server.parse(self.server.read_log(mark)):
            session = int(statement.session)
            if session == self.admin.thread_id():
                continue
            # EXECUTE in SQL has a second line for what it executes.
            if statement.how != "execute":
                queries[session].append(statement.sql)
            elif not re.match(r"EXECUTE\b", before.get(session, ""), re.I):
                executed[session].append(re.sub(r"([xyz])\1{1000000,}", r"\1", statement.sql))
            before[session] = statement.sql
        return ledger.mariadb(events, *([lists[session] for session in sorted(lists)] for lists in (queries, executed)))

    def await_end(self):
        await_true(lambda: self.rows("SELECT COUNT(*) FROM information_schema.processlist") == ((1,),), "the clients' sessions to end")

    def rows(self, sql):
        with self.admin.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()
