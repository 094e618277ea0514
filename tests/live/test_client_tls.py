# SPDX-License-Identifier: Apache-2.0
"""TLS towards clients: what is offered, demanded and handed through, on PostgreSQL and MariaDB, with every sort of client leg."""
import contextlib
import hashlib
import pathlib
import shutil
import signal
import socket
import ssl
import struct
import subprocess

import psycopg2
import pymysql
import pytest

from rowcall import Proxy
from servers import MariaDB, PostgreSQL, certificates, clean_environment
from waiting import await_true

ASK_TLS = struct.pack("!II", 8, 80877103)
STARTUP = b"user\0app\0database\0app\0\0"
STARTUP = struct.pack("!II", len(STARTUP) + 8, 196608) + STARTUP


def plugins_with_ed25519(into):
    """The directory of MariaDB's ed25519 plugin. Debian has it in the package that makes and starts a service; then only its files are taken.
    None where that package cannot be had."""
    plugins = pathlib.Path("usr/lib/mysql/plugin")
    if (pathlib.Path("/") / plugins / "auth_ed25519.so").exists():
        return pathlib.Path("/") / plugins
    into.mkdir()
    got = subprocess.run(["apt-get", "download", "-qq", "mariadb-server"], cwd=into, stderr=subprocess.DEVNULL).returncode == 0
    for package in into.glob("*.deb") if got else ():
        subprocess.run(["dpkg-deb", "-x", package, into], check=True)
        return into / plugins
    return None


class SecuredMariaDB(MariaDB):
    """With TLS from a CA of its own (self.ca), and accounts "ed" (ed25519, password "ed"; self.ed25519 tells whether there is one) and "tls"
    (password "tls", TLS only)."""

    def create(self):
        super().create()
        self.ed25519 = plugins_with_ed25519(self.dir / "plugins")
        self.ca = certificates(self.dir, self.data)
        for name in ("server.key", "server.crt"):
            self.own(self.data / name)

    def spawn(self, *command):
        super().spawn(*command, f"--ssl-cert={self.data}/server.crt", f"--ssl-key={self.data}/server.key", f"--ssl-ca={self.ca}",
                      *([f"--plugin-dir={self.ed25519}", "--plugin-load-add=auth_ed25519"] if self.ed25519 else []))

    def start(self):
        super().start()
        if self.ed25519:
            self.sql("CREATE OR REPLACE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('ed')", "GRANT ALL ON *.* TO ed@'%'")
        self.sql("CREATE OR REPLACE USER tls@'%' IDENTIFIED BY 'tls' REQUIRE SSL", "GRANT ALL ON *.* TO tls@'%'")


@pytest.fixture(scope="module")
def secured():
    with PostgreSQL(tls=True) as server:
        yield server


@pytest.fixture(scope="module")
def secured_my():
    with SecuredMariaDB() as server:
        yield server


class Certificate:
    """A certificate for localhost, its key, and the authority that signed it."""

    def __init__(self, directory):
        directory.mkdir(exist_ok=True)
        self.ca, self.cert, self.key = certificates(directory, directory), directory / "server.crt", directory / "server.key"

    @property
    def options(self):
        return ["--client-cert", self.cert, "--client-key", self.key]


@pytest.fixture
def own(tmp_path):
    return Certificate(tmp_path / "own")


@contextlib.contextmanager
def session(proxy, user="app", **more):
    """An autocommitting psycopg2 connection through the proxy."""
    connection = psycopg2.connect(host="localhost", hostaddr="127.0.0.1", port=proxy.port, user=user, password=user, dbname="app", **more)
    connection.autocommit = True
    try:
        yield connection
    finally:
        connection.close()


def ask(connection, sql="SELECT name FROM things WHERE id = 1"):
    cursor = connection.cursor()
    cursor.execute(sql)
    return cursor.fetchone()[0]


def sound(proxy, queries=None):
    outcome = proxy.stop()
    assert outcome.status == 0, outcome
    assert "Sanitizer" not in outcome.err and "runtime error" not in outcome.err, outcome
    coverage = outcome.report["coverage"]
    assert coverage["opaque_unexpected"] == coverage["lost"] == 0
    assert queries is None or coverage["queries"] == queries
    return outcome


# --- PostgreSQL ---------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("policy, sslmode, encrypted", [
    ("allow", "disable", False),
    ("allow", "prefer", True),
    ("allow", "require", True),
    ("allow", "verify-full", True),
    (None, "require", True),            # a certificate alone means allow
    ("require", "require", True),
    ("require", "verify-full", True),
])
def test_policies_that_let_psycopg2_in(hardened, pg, own, policy, sslmode, encrypted):
    proxy = hardened.proxy(pg.url(), options=[*own.options, *(["--client-tls", policy] if policy else [])])
    with session(proxy, sslmode=sslmode, sslrootcert=own.ca) as connection:
        assert connection.info.ssl_in_use is encrypted
        assert ask(connection) == "thing"
    sound(proxy, queries=1)


def test_a_client_in_clear_is_told_that_tls_is_demanded(hardened, pg, own):
    proxy = hardened.proxy(pg.url(), options=[*own.options, "--client-tls", "require", "--allow-empty"])
    with pytest.raises(psycopg2.OperationalError, match="rowcall.*TLS.*sslmode=require"):
        session(proxy, sslmode="disable").__enter__()
    sound(proxy)


def test_without_a_certificate_tls_is_not_offered(hardened, pg):
    proxy = hardened.proxy(pg.url(), options=["--allow-empty"])
    with pytest.raises(psycopg2.OperationalError, match="does not support SSL"):
        session(proxy, sslmode="require").__enter__()
    sound(proxy)


def test_psql_pipes_and_copies_through_tls(hardened, pg, own):
    proxy = hardened.proxy(pg.url(), options=[*own.options, "--client-tls", "require"])
    rows = "".join(f"{n}\tx\n" for n in range(20_000))
    script = f"\\conninfo\nCREATE TEMP TABLE t (n int, x text);\n\\copy t FROM STDIN\n{rows}\\.\nSELECT 'rows ' || count(*) FROM t;\n"
    done = subprocess.run(["psql", "-qAtX", f"host=localhost port={proxy.port} user=app dbname=app sslmode=verify-full sslrootcert={own.ca}"],
                          input=script, capture_output=True, text=True, env=clean_environment())
    assert "SSL connection" in done.stdout and "rows 20000" in done.stdout, done
    sound(proxy)


def test_much_through_tls_on_both_legs(hardened, secured, own):
    """More than any buffer each way, so that partial writes and wants of TLS happen on both legs."""
    proxy = hardened.proxy(secured.url(), options=own.options)
    with session(proxy, sslmode="require") as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT repeat('x', 1000000) FROM generate_series(1, 20)")
        assert sum(len(row[0]) for row in cursor.fetchall()) == 20_000_000
        text = "y" * 5_000_000
        cursor.execute("SELECT length(%s)", [text])
        assert cursor.fetchone() == (5_000_000,)
        assert ask(connection, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") is True
    sound(proxy)


@pytest.mark.parametrize("server_tls, encrypted", [("mirror", True), ("disable", False)])
def test_the_server_leg_follows_its_own_policy(hardened, secured, own, server_tls, encrypted):
    proxy = hardened.proxy(secured.url(), options=[*own.options, "--server-tls", server_tls])
    hidden = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    with session(proxy, sslmode="require") as connection:
        assert ask(connection, hidden) is encrypted
    with session(proxy, sslmode="disable") as connection:
        assert ask(connection, hidden) is False
    sound(proxy)


def test_mirror_offers_no_more_than_the_server_has(hardened, pg, own):
    proxy = hardened.proxy(pg.url(), options=[*own.options, "--server-tls", "mirror"])
    with pytest.raises(psycopg2.OperationalError, match="does not support SSL"):
        session(proxy, sslmode="require").__enter__()
    with session(proxy, sslmode="prefer") as connection:
        assert connection.info.ssl_in_use is False
        ask(connection)
    sound(proxy, queries=1)


# --- channel binding ----------------------------------------------------------------------------------------------------------------

def test_two_certificates_break_channel_binding_and_the_log_says_what_to_do(hardened, secured, own):
    proxy = hardened.proxy(secured.url(), options=[*own.options, "--allow-empty"])
    for _ in range(2):
        with pytest.raises(psycopg2.OperationalError, match="channel binding"):
            session(proxy, user="scram", sslmode="require").__enter__()
    with session(proxy, user="scram", sslmode="require", channel_binding="disable") as connection:
        ask(connection)
    outcome = sound(proxy)
    lines = [line for line in outcome.err.splitlines() if "channel binding" in line]
    assert len(lines) == 1, "said once, not for every session"
    assert "server's own certificate" in lines[0] and "PGCHANNELBINDING=disable" in lines[0] and "server_tls: disable" in lines[0]


@pytest.mark.parametrize("binding", ["prefer", "require"])
def test_the_servers_own_certificate_keeps_channel_binding(hardened, secured, tmp_path, binding):
    for name in ("server.crt", "server.key"):
        shutil.copy(secured.data / name, tmp_path / name)
    proxy = hardened.proxy(secured.url(), options=["--client-cert", tmp_path / "server.crt", "--client-key", tmp_path / "server.key"])
    with session(proxy, user="scram", sslmode="verify-full", sslrootcert=secured.ca, channel_binding=binding) as connection:
        ask(connection)
    assert "channel binding" not in sound(proxy, queries=1).err


def test_a_plain_server_leg_offers_no_binding(hardened, secured, own):
    proxy = hardened.proxy(secured.url(), options=[*own.options, "--server-tls", "disable"])
    with session(proxy, user="scram", sslmode="require") as connection:
        ask(connection)
    assert "channel binding" not in sound(proxy, queries=1).err


# --- direct TLS ---------------------------------------------------------------------------------------------------------------------

def context(ca=None, alpn=()):
    tls = ssl.create_default_context(cafile=ca)
    if ca is None:
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    if alpn:
        tls.set_alpn_protocols(list(alpn))
    return tls


def direct(port, tls, data):
    """What is answered to these bytes over TLS that begins at once."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain, tls.wrap_socket(plain, server_hostname="localhost") as client:
        client.sendall(data)
        answer = client.recv(65536)
        return client.selected_alpn_protocol(), answer


def test_direct_tls_names_the_protocol(hardened, pg, own):
    proxy = hardened.proxy(pg.url(), options=[*own.options, "--allow-empty"])
    protocol, answer = direct(proxy.port, context(own.ca, ["postgresql"]), STARTUP)
    assert protocol == "postgresql" and answer[:1] == b"R"
    protocol, answer = direct(proxy.port, context(own.ca, ["http/1.1", "postgresql"]), STARTUP)
    assert protocol == "postgresql" and answer[:1] == b"R"
    sound(proxy)


def test_direct_tls_that_does_not_is_refused(hardened, pg, own):
    """A browser led astray must not speak to a database."""
    proxy = hardened.proxy(pg.url(), options=[*own.options, "--allow-empty"])
    with pytest.raises(OSError):
        assert direct(proxy.port, context(own.ca, ["http/1.1"]), STARTUP)[1], "closed without an answer"
        raise ConnectionError
    with pytest.raises(OSError):
        assert not direct(proxy.port, context(own.ca), STARTUP)[1], "closed without an answer"
        raise ConnectionError
    outcome = sound(proxy)
    assert "ALPN" in outcome.err
    assert pg.sessions("app") == 0


# --- attacks ------------------------------------------------------------------------------------------------------------------------

def test_bytes_behind_the_request_for_tls_are_refused(hardened, pg, own):
    """They would be taken for the client's own, under TLS (CVE-2021-23214)."""
    proxy = hardened.proxy(pg.url(), options=[*own.options, "--allow-empty"])
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
        client.sendall(ASK_TLS + STARTUP)
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(100) == b""
    sound(proxy)


@pytest.mark.parametrize("junk", [b"", b"\x16", bytes.fromhex("1603010200010001fc0303") + b"x" * 600, b"\x16\x03\x01\x40\x00" + bytes(20_000), STARTUP])
def test_handshakes_that_come_to_nothing(hardened, pg, own, junk):
    proxy = hardened.proxy(pg.url(), options=[*own.options, "--allow-empty"])
    for ask_first in (True, False):
        for _ in range(10):
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
                if ask_first:
                    client.sendall(ASK_TLS)
                    assert client.recv(1) == b"S"
                with contextlib.suppress(OSError):
                    client.sendall(junk)
    with session(proxy, sslmode="require") as connection:
        ask(connection)
    sound(proxy, queries=1)


# --- passthrough --------------------------------------------------------------------------------------------------------------------

def test_passthrough_is_opaque_as_expected(hardened, secured):
    proxy = hardened.proxy(secured.url(), options=["--client-tls", "passthrough", "--allow-empty"])
    with session(proxy, user="scram", sslmode="verify-full", sslrootcert=secured.ca, channel_binding="require") as connection:
        assert ask(connection, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") is True
    with session(proxy, sslmode="disable") as connection:
        ask(connection)
    outcome = sound(proxy, queries=1)
    assert outcome.report["coverage"]["opaque_expected"] == 1
    assert "passthrough" in outcome.err


def test_passthrough_reads_on_where_the_server_has_no_tls(hardened, pg):
    proxy = hardened.proxy(pg.url(), options=["--client-tls", "passthrough"])
    with session(proxy, sslmode="prefer") as connection:
        ask(connection)
    assert sound(proxy, queries=1).report["coverage"]["opaque_expected"] == 0


# --- reload -------------------------------------------------------------------------------------------------------------------------

def test_sighup_reads_certificates_anew(hardened, pg, own, tmp_path):
    proxy = hardened.proxy(pg.url(), options=own.options)
    with session(proxy, sslmode="verify-full", sslrootcert=own.ca) as before:
        ask(before)
        Certificate(tmp_path / "own")   # another authority, in the same files
        proxy.signal(signal.SIGHUP)
        proxy.await_text("certificates were read anew")
        with session(proxy, sslmode="verify-full", sslrootcert=own.ca) as after:
            ask(after)
        ask(before)
    sound(proxy, queries=3)


def test_a_certificate_that_cannot_be_read_leaves_the_old_one(hardened, pg, own):
    proxy = hardened.proxy(pg.url(), options=own.options)
    kept = own.cert.read_bytes()
    own.cert.write_text("no certificate\n")
    proxy.signal(signal.SIGHUP)
    proxy.await_text(f"certificates in use stay: {own.cert}")
    with session(proxy, sslmode="verify-full", sslrootcert=own.ca) as connection:
        ask(connection)
    own.cert.write_bytes(kept)
    proxy.signal(signal.SIGHUP)
    proxy.await_text("certificates were read anew")
    sound(proxy, queries=1)


def test_a_certificate_without_its_key_is_said_at_the_start(hardened, pg, own):
    own.key.write_text("no key\n")
    outcome = hardened("proxy", "--listen", "127.0.0.1:0", "--upstream", pg.url(), *own.options)
    assert outcome.status in (2, 11) and str(own.key) in outcome.err, outcome


# --- run ----------------------------------------------------------------------------------------------------------------------------

ASK = """
import os, psycopg2
connection = psycopg2.connect(os.environ["DATABASE_URL"])
assert connection.info.ssl_in_use
cursor = connection.cursor()
cursor.execute("SELECT name FROM things WHERE id = 1")
"""


@pytest.mark.parametrize("policy", ["allow", "require"])
@pytest.mark.parametrize("user", ["app", "scram"])
def test_run_makes_a_certificate_and_keeps_sslmode(hardened, secured, policy, user):
    run = hardened.python(ASK, "--client-tls", policy, env={"DATABASE_URL": secured.url(user=user, query="?sslmode=require")})
    assert run.status == 0, run
    assert run.report["coverage"]["queries"] == 1
    assert "sslmode" not in run.err, "there is nothing to turn down"


def test_run_says_when_the_command_would_not_take_that_certificate(hardened, secured):
    url = secured.url(query=f"?sslmode=verify-ca&sslrootcert={secured.ca}")
    run = hardened.python(ASK, "--client-tls", "require", env={"DATABASE_URL": url})
    assert run.status == 2 and "DATABASE_URL verifies" in run.err, run


def test_run_with_a_certificate_of_ones_own(hardened, secured, own):
    url = secured.url(host="localhost", query=f"?sslmode=verify-ca&sslrootcert={own.ca}")
    run = hardened.python(ASK, *own.options, "--server-ca", secured.ca, "--server-tls", "verify-ca", env={"DATABASE_URL": url, "PGCHANNELBINDING": "disable"})
    assert run.status == 0, run
    assert run.report["coverage"]["queries"] == 1


# --- MySQL and MariaDB --------------------------------------------------------------------------------------------------------------

def my_session(proxy, user, tls):
    return pymysql.connect(host="127.0.0.1", port=proxy.port, user=user, password=user, database="app", autocommit=True,
                           **({"ssl": {"check_hostname": False}} if tls else {"ssl_disabled": True}))


def cipher(connection):
    """The cipher of the server's leg, "" when that is in clear."""
    cursor = connection.cursor()
    cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
    return cursor.fetchone()[1]


PAIRS = [("mirror", True, True), ("mirror", False, False), ("disable", True, False), ("disable", False, False), ("require", True, True),
         ("require", False, True)]


@pytest.mark.parametrize("server_tls, client, server", PAIRS)
def test_pymysql_over_every_pair_of_legs(hardened, secured_my, own, server_tls, client, server):
    proxy = hardened.proxy(secured_my.url(), options=[*own.options, "--server-tls", server_tls])
    connection = my_session(proxy, "app", client)
    assert bool(cipher(connection)) is server
    cursor = connection.cursor()
    cursor.execute("SELECT name FROM things WHERE id = %s", [1])
    assert cursor.fetchone() == ("thing",)
    connection.close()
    sound(proxy)


def need_ed25519(server):
    if not server.ed25519:
        pytest.skip("MariaDB's ed25519 plugin (Debian package mariadb-server) cannot be had here")


def mariadb(proxy, user, *options):
    return subprocess.run(["mariadb", "--no-defaults", "-h", "localhost", "--protocol=tcp", "-P", str(proxy.port), "-u", user, f"-p{user}", "app",
                           "-BN", *options], input="SELECT name FROM things WHERE id = 1;\n\\s\nSHOW STATUS LIKE 'Ssl_cipher'\n",
                          capture_output=True, text=True)


@pytest.mark.parametrize("server_tls, client, server", PAIRS)
def test_ed25519_over_every_pair_of_legs(hardened, secured_my, own, server_tls, client, server):
    need_ed25519(secured_my)
    proxy = hardened.proxy(secured_my.url(), options=[*own.options, "--server-tls", server_tls])
    done = mariadb(proxy, "ed", "--ssl" if client else "--skip-ssl")
    assert done.returncode == 0 and done.stdout.startswith("thing\n"), done
    assert ("Cipher in use" in done.stdout) is client
    assert (done.stdout.rstrip().splitlines()[-1] != "Ssl_cipher") is server
    sound(proxy)


@pytest.mark.parametrize("user", ["app", "ed", "tls"])
def test_the_mariadb_client_upgrades(hardened, secured_my, own, user):
    if user == "ed":
        need_ed25519(secured_my)
    proxy = hardened.proxy(secured_my.url(), options=[*own.options, "--client-tls", "require"])
    done = mariadb(proxy, user, f"--ssl-ca={own.ca}", "--ssl-verify-server-cert")
    assert done.returncode == 0 and "thing" in done.stdout, done
    assert "Cipher in use" in done.stdout, done.stdout
    sound(proxy)


def test_a_mysql_client_in_clear_is_told_that_tls_is_demanded(hardened, secured_my, own):
    proxy = hardened.proxy(secured_my.url(), options=[*own.options, "--client-tls", "require", "--allow-empty"])
    with pytest.raises(pymysql.err.OperationalError, match="rowcall.*TLS"):
        my_session(proxy, "app", False)
    sound(proxy)


def test_much_through_tls_on_both_legs_of_mysql(hardened, secured_my, own):
    proxy = hardened.proxy(secured_my.url(), options=own.options)
    connection = my_session(proxy, "app", True)
    cursor = connection.cursor()
    cursor.execute("SELECT REPEAT('x', 1000000) FROM things LIMIT 20")
    assert sum(len(row[0]) for row in cursor.fetchall()) == 20_000_000
    cursor.execute("SELECT LENGTH(%s)", ["y" * 5_000_000])
    assert cursor.fetchone() == (5_000_000,)
    connection.close()
    sound(proxy)


def test_asymmetric_legs_are_warned_about_at_the_start(hardened, secured_my, own):
    proxy = hardened.proxy(secured_my.url(), options=[*own.options, "--server-tls", "require", "--allow-empty"])
    assert "TLS on one leg only" in sound(proxy).err
    proxy = hardened.proxy(secured_my.url(), options=[*own.options, "--allow-empty"])
    assert "TLS on one leg only" not in sound(proxy).err


def test_mysql_passthrough_is_opaque_as_expected(hardened, secured_my):
    proxy = hardened.proxy(secured_my.url(), options=["--client-tls", "passthrough", "--allow-empty"])
    connection = my_session(proxy, "tls", True)
    assert cipher(connection)
    connection.close()
    assert sound(proxy, queries=0).report["coverage"]["opaque_expected"] == 1


def packet(seq, payload):
    return struct.pack("<I", len(payload))[:3] + bytes([seq]) + payload


def native(password, nonce):
    """mysql_native_password."""
    once = hashlib.sha1(password).digest()
    mask = hashlib.sha1(nonce + hashlib.sha1(once).digest()).digest()
    return bytes(a ^ b for a, b in zip(once, mask))


def read_packet(read):
    head = read(4)
    return head[3], read(int.from_bytes(head[:3], "little"))


def test_the_client_hello_may_come_in_the_segment_of_the_request(hardened, secured_my, own):
    """As Connector/C does it on a good day; what was read ahead goes to TLS, none of it is lost."""
    proxy = hardened.proxy(secured_my.url(), options=own.options)
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as plain:
        _, greeting = read_packet(lambda n: plain.recv(n, socket.MSG_WAITALL))
        at = greeting.index(b"\0", 1) + 1 + 4
        nonce = greeting[at:at + 8] + greeting[at + 27:at + 39]
        fixed = struct.pack("<IIB23x", 0x000aaa0d | 1 << 3, 1 << 24, 45)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context(own.ca).wrap_bio(incoming, outgoing, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        plain.sendall(packet(1, fixed) + outgoing.read())

        def step(action, *arguments):
            while True:
                with contextlib.suppress(ssl.SSLWantReadError):
                    return action(*arguments)
                plain.sendall(outgoing.read())
                incoming.write(plain.recv(65536))
        step(tls.do_handshake)
        answer = native(b"app", nonce)
        tls.write(packet(2, fixed + b"app\0" + bytes([len(answer)]) + answer + b"app\0mysql_native_password\0"))
        plain.sendall(outgoing.read())
        seq, ok = read_packet(lambda n: step(tls.read, n))
        assert (seq, ok[:1]) == (3, b"\0"), ok
        tls.write(packet(0, b"\3SELECT name FROM things WHERE id = 1"))
        plain.sendall(outgoing.read())
        assert read_packet(lambda n: step(tls.read, n))[1] == b"\1"
        tls.write(packet(0, b"\1"))
        plain.sendall(outgoing.read())
    sound(proxy, queries=1)
