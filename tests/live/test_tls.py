# SPDX-License-Identifier: Apache-2.0
"""TLS towards the server: every mode, with SCRAM, against servers with and without TLS. The client's own leg stays in clear."""
import socket
import threading

import psycopg2
import pytest

from servers import PostgreSQL

HIDDEN = "SELECT ssl FROM things, pg_stat_ssl WHERE id = 1 AND pid = pg_backend_pid()"


@pytest.fixture(scope="module")
def secured():
    with PostgreSQL(tls=True) as server:
        yield server


def server_side(proxy, **more):
    """Does the server see TLS? Asked by a client whose password goes through SCRAM."""
    connection = psycopg2.connect(proxy.url(user="scram"), **more)
    try:
        cursor = connection.cursor()
        cursor.execute(HIDDEN)
        return cursor.fetchone()[0]
    finally:
        connection.close()


def upstream(server, host):
    return f"postgresql://{host}:{server.port}"


@pytest.mark.parametrize("mode, host, ca, tls", [
    ("disable", "127.0.0.1", False, False),
    ("prefer", "127.0.0.1", False, True),
    (None, "127.0.0.1", False, True),       # the default is prefer
    ("require", "127.0.0.1", False, True),
    ("verify-ca", "127.0.0.1", True, True),
    ("verify-full", "localhost", True, True),
])
def test_modes_that_connect(hardened, secured, mode, host, ca, tls):
    options = [*(["--server-tls", mode] if mode else []), *(["--server-ca", secured.ca] if ca else [])]
    proxy = hardened.proxy(upstream(secured, host), options=options)
    assert server_side(proxy) is tls
    outcome = proxy.stop()
    assert outcome.status == 0, outcome
    assert outcome.report["coverage"]["queries"] == 1
    assert outcome.report["coverage"]["opaque_unexpected"] == 0


@pytest.mark.parametrize("mode, host, ca, words", [
    ("verify-ca", "127.0.0.1", False, "certificate"),       # the system does not know this CA
    ("verify-full", "localhost", False, "certificate"),
    ("verify-full", "127.0.0.1", True, "127.0.0.1"),        # the certificate is for localhost
])
def test_certificates_that_do_not_convince(hardened, secured, mode, host, ca, words):
    proxy = hardened.proxy(upstream(secured, host), options=["--server-tls", mode, *(["--server-ca", secured.ca] if ca else [])])
    with pytest.raises(psycopg2.OperationalError) as refused:
        server_side(proxy)
    assert "rowcall" in str(refused.value) and words in str(refused.value)
    proxy.stop()


def test_prefer_takes_a_server_without_tls(hardened, pg):
    proxy = hardened.proxy(upstream(pg, "127.0.0.1"), options=["--server-tls", "prefer"])
    assert server_side(proxy) is False
    assert proxy.stop().status == 0


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_the_others_do_not(hardened, pg, secured, mode):
    proxy = hardened.proxy(upstream(pg, "127.0.0.1"), options=["--server-tls", mode, "--server-ca", secured.ca])
    with pytest.raises(psycopg2.OperationalError, match="does not offer TLS, which rowcall"):
        server_side(proxy)
    proxy.stop()


def test_a_missing_authority_file_is_said_at_the_start(hardened, secured):
    outcome = hardened("proxy", "--listen", "127.0.0.1:0", "--upstream", upstream(secured, "localhost"), "--server-tls", "verify-full",
                       "--server-ca", "/nonexistent/ca.pem")
    assert outcome.status in (2, 11), outcome
    assert "/nonexistent/ca.pem" in outcome.err


@pytest.mark.parametrize("binding", ["disable", "prefer"])
def test_clients_may_wish_for_channel_binding(hardened, secured, binding):
    proxy = hardened.proxy(upstream(secured, "127.0.0.1"))
    assert server_side(proxy, channel_binding=binding) is True
    proxy.stop()


def test_clients_that_insist_on_channel_binding_are_refused_by_themselves(hardened, secured):
    proxy = hardened.proxy(upstream(secured, "127.0.0.1"))
    with pytest.raises(psycopg2.OperationalError, match="channel binding"):
        server_side(proxy, channel_binding="require")
    proxy.stop()


def test_large_answers_through_tls(hardened, secured):
    """More than any buffer, both ways, so that partial writes and wants of TLS happen."""
    proxy = hardened.proxy(upstream(secured, "127.0.0.1"))
    connection = psycopg2.connect(proxy.url(user="scram"))
    cursor = connection.cursor()
    cursor.execute("SELECT repeat('x', 1000000) FROM generate_series(1, 20)")
    assert sum(len(row[0]) for row in cursor.fetchall()) == 20_000_000
    text = "y" * 5_000_000
    cursor.execute("SELECT length(%s)", [text])
    assert cursor.fetchone() == (5_000_000,)
    connection.close()
    outcome = proxy.stop()
    assert outcome.status == 0, outcome
    assert outcome.report["coverage"]["queries"] == 2


def test_bytes_before_the_handshake_are_refused(hardened):
    """Somebody in between could put them there: they would be taken for the server's own, under TLS."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def lie():
            peer, _ = server.accept()
            with peer:
                peer.recv(8)
                peer.sendall(b"S" + b"E\0\0\0\x09oops\0")
                peer.recv(1)
        liar = threading.Thread(target=lie)
        liar.start()
        proxy = hardened.proxy("postgresql://127.0.0.1:%d" % server.getsockname()[1])
        with pytest.raises(psycopg2.OperationalError, match="rowcall"):
            psycopg2.connect(proxy.url())
        liar.join(30)
        assert not liar.is_alive()
    proxy.stop()
