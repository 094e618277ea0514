# SPDX-License-Identifier: Apache-2.0
"""`rowcall proxy` before MariaDB under abuse, as test_proxy.py before PostgreSQL."""
import concurrent.futures
import socket
import subprocess

import pymysql
import pytest

from servers import MariaDB
from waiting import await_true, free_port

NUMBERS = "SELECT seq FROM seq_1_to_2000000"    # a table of MariaDB's that has as many rows as its name says


@pytest.fixture
def proxy(hardened, my):
    return hardened.proxy(my.url())


def connect(proxy, **more):
    return pymysql.connect(host="127.0.0.1", port=proxy.port, user="app", password="app", database="app", autocommit=True, **more)


def assert_works(proxy):
    connection = connect(proxy)
    cursor = connection.cursor()
    cursor.execute("SELECT id FROM things WHERE id = 42")
    assert cursor.fetchone() == (42,)
    connection.close()


def assert_sound(proxy):
    outcome = proxy.stop()
    assert outcome.status == 0, outcome
    assert "Sanitizer" not in outcome.err and "runtime error" not in outcome.err, outcome
    return outcome


def running(my, what):
    return int(my.sql(f"SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '{what}%' AND db = 'app'"))


def refusal(proxy):
    """What MariaDB's own client says about an error before the greeting (PyMySQL cuts the words of any server's)."""
    done = subprocess.run(["mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", str(proxy.port), "-e", "SELECT 1"], capture_output=True, text=True)
    assert done.returncode != 0
    return done.stderr


@pytest.mark.parametrize("data", [
    b"", b"GET / HTTP/1.1\r\nHost: database\r\n\r\n", bytes(64), b"\xff" * 64, b"\x00\x00\x00\x01", b"\xff\xff\xff\x01" + b"x" * 1000,
    b"\x05\x00\x00\x01\x85\xa6\xff\x01\x00", bytes((n * 7919) >> 3 & 255 for n in range(5000)),
], ids=["nothing", "http", "zeros", "ones", "empty packet", "16 MiB announced", "login cut short", "noise"])
def test_garbage(proxy, data):
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
            assert client.recv(4096)[4:5] == b"\x0a", "the server's greeting comes first"
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                pass
    assert_works(proxy)
    assert_sound(proxy)


def test_many_connects(proxy):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: assert_works(proxy), range(500)))
    outcome = assert_sound(proxy)
    assert outcome.report["coverage"]["queries"] == 500


def test_large_results(proxy):
    connection = connect(proxy)
    cursor = connection.cursor()
    cursor.execute(NUMBERS)
    assert sum(row[0] for row in cursor.fetchall()) == 2_000_001_000_000
    connection.close()
    report = assert_sound(proxy).report
    assert [s["rows"] for s in report["shapes"] if s["class"] == "read"] == [2_000_000]


def test_a_client_that_is_gone(proxy, my):
    connection = connect(proxy, cursorclass=pymysql.cursors.SSCursor)
    connection.cursor().execute(NUMBERS)
    connection._force_close()
    await_true(lambda: running(my, "SELECT seq") == 0, "the server's session to end")
    assert_works(proxy)
    assert_sound(proxy)


def test_kill_query(proxy, my):
    connection = connect(proxy)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(connection.cursor().execute, "SELECT SLEEP(60) FROM things WHERE id = 1")
        await_true(lambda: running(my, "SELECT SLEEP") == 1, "the query to run")
        my.sql(f"KILL QUERY {connection.thread_id()}")
        with pytest.raises(pymysql.err.MySQLError):
            answer.result(timeout=30)
    assert_works(proxy)
    assert_sound(proxy)


def test_a_server_that_is_killed_mid_query(hardened):
    with MariaDB() as server:
        proxy = hardened.proxy(server.url())
        connection = connect(proxy)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(connection.cursor().execute, "SELECT SLEEP(60) FROM things WHERE id = 1")
            await_true(lambda: running(server, "SELECT SLEEP") == 1, "the query to run")
            server.kill()
            with pytest.raises(pymysql.err.OperationalError):
                answer.result(timeout=30)
        assert f"rowcall: cannot reach the database at 127.0.0.1:{server.port}" in refusal(proxy)
        server.start()
        assert_works(proxy)
        assert_sound(proxy)


def test_an_unreachable_upstream_is_told_to_the_client_in_its_own_protocol(hardened):
    port = free_port()
    proxy = hardened.proxy(f"mysql://127.0.0.1:{port}")
    assert f"rowcall: cannot reach the database at 127.0.0.1:{port}" in refusal(proxy)
    assert_sound(proxy)


def test_wrong_passwords_are_the_servers_to_refuse(proxy):
    with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
        pymysql.connect(host="127.0.0.1", port=proxy.port, user="app", password="wrong", database="app")
    assert_works(proxy)
    assert_sound(proxy)
