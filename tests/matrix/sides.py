# SPDX-License-Identifier: Apache-2.0
"""The servers of the matrix as its clients see them: how one is set up for a run, found by a client, and described to it."""
import subprocess
import urllib.parse

from clients import HERE, NODE
from servers import clean_environment

DATABASE = "matrix"


class Side:
    """A server by its URL (an account that may do anything). server: ours, whose logs can be read, or None."""

    def __init__(self, url, server=None):
        self.at, self.server = urllib.parse.urlsplit(url), server

    @property
    def url(self):
        return self.at._replace(path=f"/{DATABASE}").geturl()

    def environment(self, port=None):
        """For a client that is to find it; port: of rowcall in front of it."""
        return clean_environment(**self.names(self.at.hostname if port is None else "127.0.0.1", str(port or self.at.port)), TZ="UTC",
                                 LC_ALL="C.UTF-8", NODE_PATH=str(NODE), NODE_NO_WARNINGS="1")

    def setup(self):
        return (HERE / self.kind / "setup.sql").read_text()


class PostgreSQLSide(Side):
    kind = "postgresql"

    def names(self, host, port):
        return {"PGHOST": host, "PGPORT": port, "PGUSER": self.at.username, "PGPASSWORD": self.at.password, "PGDATABASE": DATABASE}

    def recreate(self):
        for database, statements in (("postgres", (f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)", f"CREATE DATABASE {DATABASE}")),
                                     (DATABASE, (self.setup(),))):
            words = [word for statement in statements for word in ("-c", statement)]
            subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", database, *words], check=True,
                           env=self.environment() | {"PGOPTIONS": "-c client_min_messages=warning"})



class MySQLSide(Side):
    kind = "mysql"

    def __init__(self, url, server=None):
        super().__init__(url, server)
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
