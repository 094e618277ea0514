# SPDX-License-Identifier: Apache-2.0
"""caching_sha2_password with TLS on either leg, both or none, on the MySQL servers that ROWCALL_TEST_SERVERS names (mysql://…, the account must be
allowed to create accounts): cold, when the server asks for the password itself, and warm, when a hash will do."""
import os
import subprocess
import urllib.parse

import pymysql
import pytest

from servers import certificates

SERVERS = [url for url in os.environ.get("ROWCALL_TEST_SERVERS", "").split() if url.startswith("mysql:")]
COLD, PASSWORD = "rowcall_cold", "it's a secret"
REMEDY = r"rowcall: this login needs TLS on both legs or on neither \(server_tls: mirror\)"
# server_tls, whether the client asks for TLS, whether a cold login can work
LEGS = [("disable", False, True), ("disable", True, False), ("require", False, False), ("require", True, True), ("mirror", False, True),
        ("mirror", True, True)]

pytestmark = pytest.mark.skipif(not SERVERS, reason="ROWCALL_TEST_SERVERS names no MySQL server")


@pytest.fixture(params=SERVERS or ["none"], ids=lambda url: url.rpartition("@")[2])
def server(request):
    """(its URL, a connection of the account that may do anything), with an account that has never logged in."""
    at = urllib.parse.urlsplit(request.param)
    admin = pymysql.connect(host=at.hostname, port=at.port, user=at.username, password=at.password, ssl={"check_hostname": False})
    with admin.cursor() as cursor:
        cursor.execute(f"DROP USER IF EXISTS {COLD}")
        cursor.execute(f"CREATE USER {COLD} IDENTIFIED WITH caching_sha2_password BY %s", [PASSWORD])
        yield at, admin
        cursor.execute(f"DROP USER {COLD}")
    admin.close()


@pytest.fixture
def proxied(hardened, server, tmp_path):
    """proxied(server_tls): a proxy that takes TLS from clients and itself speaks as that says to the server."""
    certificates(tmp_path, tmp_path)

    def start(server_tls, **more):
        return hardened.proxy(f"mysql://{server[0].hostname}:{server[0].port}", **more,
                              options=["--client-cert", tmp_path / "server.crt", "--client-key", tmp_path / "server.key",
                                       "--server-tls", server_tls, "--allow-empty"])
    return start


def by_pymysql(host, port, tls):
    """Asks who it is."""
    connection = pymysql.connect(host=host, port=port, user=COLD, password=PASSWORD,
                                 **({"ssl": {"check_hostname": False}} if tls else {"ssl_disabled": True}))
    with connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_USER()")
        return cursor.fetchone()[0]


def by_connector_c(host, port, tls):
    done = subprocess.run(["mariadb", "--no-defaults", "-h", host, "--protocol=tcp", "-P", str(port), "-u", COLD, f"-p{PASSWORD}", "-BN",
                           "--ssl" if tls else "--skip-ssl", "-e", "SELECT CURRENT_USER()"], capture_output=True, text=True)
    if done.returncode != 0:
        raise ConnectionError(done.stderr)
    return done.stdout.strip()


def ended(proxy):
    """What rowcall said; nobody's password is in it."""
    outcome = proxy.stop()
    assert outcome.status == 0 and "Sanitizer" not in outcome.err and PASSWORD not in outcome.err, outcome
    assert outcome.report["coverage"]["opaque_unexpected"] == outcome.report["coverage"]["lost"] == 0


@pytest.mark.parametrize("login", [by_pymysql, by_connector_c])
@pytest.mark.parametrize("server_tls, tls, works", LEGS)
def test_logins(server, proxied, server_tls, tls, works, login):
    at, admin = server
    proxy = proxied(server_tls)
    me = f"{COLD}@%"
    if works:
        assert login("127.0.0.1", proxy.port, tls) == me
        with admin.cursor() as cursor:
            cursor.execute("FLUSH PRIVILEGES")      # forgets all hashes
        assert login("127.0.0.1", proxy.port, tls) == me
    else:
        with pytest.raises((pymysql.err.MySQLError, ConnectionError), match=REMEDY):
            login("127.0.0.1", proxy.port, tls)
        assert login(at.hostname, at.port, True) == me, "directly, which warms the cache"
    assert login("127.0.0.1", proxy.port, tls) == me, "warm"
    ended(proxy)


def test_a_client_on_a_unix_socket_shows_its_password_to_a_server_under_tls(proxied, tmp_path):
    proxy = proxied("require", listen=tmp_path / "my.sock")
    connection = pymysql.connect(unix_socket=str(tmp_path / "my.sock"), user=COLD, password=PASSWORD)
    with connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_USER()")
        assert cursor.fetchone() == (f"{COLD}@%",)
    connection.close()
    ended(proxy)
