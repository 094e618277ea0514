# SPDX-License-Identifier: Apache-2.0
"""Throw-away PostgreSQL and MariaDB servers whose statement logs the tests can read.

Each server has a temporary directory, a free port, an account of its own that is never root, and ends with the tests even when they are
killed. The log is the server's own word on what it executed: what rowcall counts is compared with it.
"""
import contextlib
import getpass
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.parse

from waiting import answers, as_user, await_true, end, free_port

PG_BIN = next(iter(sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), pathlib.Path("/nonexistent"))

# A table to ask for, since what needs no table (SELECT 1) is a driver's probe and no query.
THINGS = ("CREATE TABLE things (id int PRIMARY KEY, name text)",
          "INSERT INTO things WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100) SELECT n, 'thing' FROM n")


def account():
    """Who runs the servers: us, or when we are root an account that databases and nobody else use."""
    if os.getuid() != 0:
        return getpass.getuser()
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "mysql", "nobody") if name in known)


class Server:
    """What both kinds share: a directory, a port, a process, a log. Use as a context manager."""

    stop_signal = None

    def __init__(self, **settings):
        self.settings = settings
        self.port = free_port()
        self.user = account()
        self.process = None

    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="rowcall-db-", dir="/tmp"))
        self.own(self.dir)
        self.output = self.dir / "output"   # what the process says
        self.log = self.output              # where it logs statements
        try:
            self.create()
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        with contextlib.suppress(AssertionError):
            self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def own(self, path):
        if os.getuid() == 0:
            shutil.chown(path, self.user, self.user if self.user != "nobody" else "nogroup")

    def setup(self, *command, **more):
        """One step of the creation, under the server's account; its output only if it fails."""
        done = subprocess.run(as_user(self.user, command), cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
        assert done.returncode == 0, f"{command[0]}: {done.stdout}"

    def spawn(self, *command):
        with open(self.output, "ab") as output:
            self.process = subprocess.Popen(as_user(self.user, command), cwd=self.dir, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                            start_new_session=True)

    def start(self):
        self.launch()
        await_true(lambda: self.process.poll() is not None or self.ready(), f"{type(self).__name__} on port {self.port}")
        assert self.process.poll() is None, f"{type(self).__name__} ended: {self.output.read_text(errors='replace')}"

    def stop(self):
        if self.process is not None:
            end(self.process, self.stop_signal)
            self.process = None

    def kill(self):
        """As a crash would: at once, sessions and all."""
        for child in children(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, 9)
        self.process.kill()
        self.process.wait()
        self.process = None

    def read_log(self, start=0, end=None):
        with open(self.log, "rb") as log:
            log.seek(start)
            return log.read(-1 if end is None else end - start).decode(errors="replace")

    def prime(self, _start):
        """Learns what the log says before that position about sessions that are still open."""

    @contextlib.contextmanager
    def statements(self, **select):
        """with server.statements(database="shop") as log: …   afterwards log is the list of Statements executed meanwhile."""
        start = self.log.stat().st_size if self.log.exists() else 0
        found = []
        self.prime(start)
        yield found
        found.extend(s for s in self.parse(self.read_log(start)) if all(getattr(s, k) == v for k, v in select.items()))


class Statement:
    """One line of a server's statement log. how: "simple", "execute" (extended or binary protocol)."""

    def __init__(self, session, database, application, how, sql):
        self.session, self.database, self.application, self.how, self.sql = session, database, application, how, sql

    def __repr__(self):
        return f"{self.how} [{self.database}] {self.sql}"


def children(pid):
    """Ids of all processes below this one."""
    below = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text().split():
                below += [int(child), *children(child)]
    return below


class PostgreSQL(Server):
    """PostgreSQL. Accounts: "admin" (superuser, trusted everywhere), "app" (trusted over TCP), "scram" (password "scram" over TCP), and
    one named as the account that runs the tests (peer, over the socket). Databases: postgres, app (with THINGS). tls=True: with a certificate of a
    CA of its own (self.ca) for the name localhost; require_tls=True: TCP without TLS is refused; preload: modules."""

    stop_signal = signal.SIGINT   # fast shutdown: ends sessions, writes no dump

    def create(self):
        self.data = self.dir / "data"
        self.setup(str(PG_BIN / "initdb"), "-D", str(self.data), "-U", "admin", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        tls = self.settings.get("tls")
        host = "hostssl" if self.settings.get("require_tls") else "host"
        (self.data / "pg_hba.conf").write_text(f"""\
local all admin trust
local all all peer
host all admin all trust
{host} all scram all scram-sha-256
{host} all all all trust
host replication scram all scram-sha-256
""")
        if tls:
            self.ca = certificates(self.dir, self.data)
            for name in ("server.key", "server.crt"):
                self.own(self.data / name)
        with open(self.data / "postgresql.conf", "a") as conf:
            conf.write(f"""
port = {self.port}
listen_addresses = '127.0.0.1, ::1'
unix_socket_directories = '{self.dir}'
max_connections = {self.settings.get('max_connections', 200)}
ssl = {'on' if tls else 'off'}
password_encryption = scram-sha-256
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
logging_collector = off
log_destination = stderr
log_line_prefix = '@%p|%d|%a|%e@ '
log_statement = {self.settings.get('log_statement', 'all')}
log_connections = off
shared_preload_libraries = '{self.settings.get('preload', '')}'
""")

    def launch(self):
        self.spawn(str(PG_BIN / "postgres"), "-D", str(self.data))

    def ready(self):
        return subprocess.run([PG_BIN / "pg_isready", "-q", "-h", self.dir, "-p", str(self.port)]).returncode == 0

    def start(self):
        super().start()
        if not (self.dir / "peopled").exists():
            peer = getpass.getuser()
            self.sql("CREATE ROLE app SUPERUSER LOGIN PASSWORD 'app'", "CREATE ROLE scram SUPERUSER LOGIN PASSWORD 'scram'",
                     f'CREATE ROLE "{peer}" SUPERUSER LOGIN', "CREATE DATABASE app OWNER app")
            self.sql(*THINGS, database="app")
            (self.dir / "peopled").touch()

    def sql(self, *statements, database="postgres"):
        """Runs statements as admin over the socket (not through rowcall) and returns what they print, bare."""
        commands = [argument for statement in statements for argument in ("-c", statement)]
        return subprocess.run(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-h", self.dir, "-p", str(self.port), "-U", "admin", "-d", database,
                               *commands], check=True, stdout=subprocess.PIPE, text=True, env=clean_environment()).stdout.strip()

    def url(self, user="app", database="app", host="127.0.0.1", query=""):
        return f"postgresql://{user}:{user}@{host}:{self.port}/{database}{query}"

    def sessions(self, database):
        """Sessions the server has open in this database."""
        return int(self.sql(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}'"))

    @staticmethod
    def parse(text):
        head = re.compile(r"^@(\d+)\|([^|@]*)\|([^@]*)\|\w{5}@ (\w+):  (.*)", re.S)
        for entry in re.split(r"^(?=@\d+\|)", text, flags=re.M):
            match = head.match(entry)
            if not match or match[4] != "LOG":
                continue
            how = re.match(r"(statement|execute (?:fetch from )?[^:]*): (.*)", match[5], re.S)
            if how:
                sql = how[2].rstrip("\n").replace("\n\t", "\n")
                yield Statement(match[1], match[2], match[3], "simple" if how[1] == "statement" else "execute", sql)


class MariaDB(Server):
    """MariaDB. Accounts: "root" over the socket, "app" (password "app") from anywhere; database app (with THINGS). history=True: the performance
    schema keeps the last HISTORY statements; settings: further options of the server; general_log=False: no log of statements."""

    stop_signal = signal.SIGTERM
    HISTORY = 20000

    def create(self):
        self.data, self.socket = self.dir / "data", self.dir / "s.sock"
        self.log = self.dir / "statements"
        self.databases = {}     # session id -> database, as far as the log has been read
        self.setup("mariadb-install-db", "--no-defaults", f"--datadir={self.data}", "--auth-root-authentication-method=normal", "--skip-test-db")

    def launch(self):
        self.spawn("/usr/sbin/mariadbd", "--no-defaults", f"--datadir={self.data}", "--bind-address=127.0.0.1", f"--port={self.port}",
                   f"--socket={self.socket}", f"--pid-file={self.dir}/pid", f"--tmpdir={self.dir}",   # a server that starts deletes others' there
                   "--skip-name-resolve", "--skip-log-bin", "--local-infile=1", "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0",
                   f"--max-connections={self.settings.get('max_connections', 200)}",
                   f"--general-log={int(self.settings.get('general_log', True))}", f"--general-log-file={self.log}",
                   *(self.history() if self.settings.get("history") else ["--performance-schema=OFF"]), *self.settings.get("settings", ()))

    def history(self):
        consumer = "--performance-schema-consumer-events-statements"
        return ["--performance-schema=ON", f"{consumer}-current=ON", f"{consumer}-history-long=ON",
                f"--performance-schema-events-statements-history-long-size={self.HISTORY}"]

    def ready(self):
        return self.socket.exists() and subprocess.run(self.client("-e", "SELECT 1"), stdout=subprocess.DEVNULL,
                                                       stderr=subprocess.DEVNULL).returncode == 0

    def start(self):
        super().start()
        await_true(lambda: answers("127.0.0.1", self.port), "MariaDB's TCP port")
        self.sql("CREATE DATABASE IF NOT EXISTS app", "CREATE USER IF NOT EXISTS app@'%' IDENTIFIED BY 'app'", "GRANT ALL ON *.* TO app@'%'")
        self.sql("DROP TABLE IF EXISTS things", *THINGS, database="app")

    def client(self, *arguments):
        return ["mariadb", "--no-defaults", "-S", str(self.socket), "-u", "root", *arguments]

    def sql(self, *statements, database="mysql"):
        """Runs statements as root over the socket (not through rowcall) and returns what they print, bare."""
        return subprocess.run(self.client("-BN", "-D", database, "-e", ";".join(statements)), check=True, stdout=subprocess.PIPE,
                              text=True).stdout.strip()

    def url(self, user="app", database="app", host="127.0.0.1", scheme="mysql"):
        return f"{scheme}://{user}:{user}@{host}:{self.port}/{database}"

    def sessions(self, database):
        return int(self.sql(f"SELECT count(*) FROM information_schema.processlist WHERE db = '{database}'"))

    def prime(self, start):
        for _ in self.parse(self.read_log(0, start)):
            pass

    def parse(self, text):
        """Query and Execute lines of the general log; a session's database is what it connected to or was moved to."""
        databases = self.databases
        line = re.compile(r"^(?:\d{6} +\d+:\d\d:\d\d)?\t+ *(\d+) (Connect|Quit|Query|Prepare|Execute|Init DB|Close stmt|Change user)\t?(.*)", re.S)
        entries = re.split(r"^(?=(?:\d{6} +\d+:\d\d:\d\d)?\t+ *\d+ [A-Z])", text, flags=re.M)
        for match in filter(None, map(line.match, entries)):
            session, command, argument = match[1], match[2], match[3].rstrip("\n")
            if command in ("Connect", "Change user"):
                on = re.search(r" on (\S*)", argument)
                databases[session] = on[1] if on else ""
            elif command == "Init DB":
                databases[session] = argument
            elif command in ("Query", "Execute"):
                yield Statement(session, databases.get(session, ""), "", "simple" if command == "Query" else "execute", argument)


class MySQLElsewhere:
    """A server that somebody else started, by its URL (an account that may do anything): MySQL, which Debian 12 has not, or another MariaDB."""

    def __init__(self, url):
        import pymysql
        self.at = urllib.parse.urlsplit(url)
        # Over TLS, so that the server caches the password: then clients without TLS are let in, too.
        self.admin = pymysql.connect(host=self.at.hostname, port=self.at.port, user=self.at.username, password=self.at.password,
                                     autocommit=True, ssl={"check_hostname": False})

    def sql(self, *statements, database="mysql"):
        self.admin.select_db(database)
        with self.admin.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def url(self, database="app", scheme="mysql"):
        return self.at._replace(scheme=scheme, path=f"/{database}").geturl()


def certificates(keep, into):
    """A CA in keep and a certificate for localhost in into (server.key, server.crt). Returns the CA's path."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=keep, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=rowcall test CA",
            "-keyout", "ca.key", "-out", "ca.crt")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
            "-keyout", str(into / "server.key"), "-out", "server.csr")
    (keep / "san").write_text("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "san",
            "-out", str(into / "server.crt"))
    (into / "server.key").chmod(0o600)
    return keep / "ca.crt"


def clean_environment(**more):
    """Our environment without what points at a database or at rowcall, without what tells of a CI system or of colours, plus `more`."""
    hidden = re.compile(r"^(PG|MYSQL|DB_|DATABASE|ROWCALL_|GITHUB_|GITLAB_|CI_|CLICOLOR)|(_|^)(URL|DSN)$|^(CI|NO_COLOR|FORCE_COLOR|COLUMNS)$")
    return {k: v for k, v in os.environ.items() if not hidden.search(k)} | more
