# SPDX-License-Identifier: Apache-2.0
"""What a proxy in the middle has to live through: stalled and dying peers, storms, no descriptors left, upstreams that come and go.

Bounds are measured. Where a database would be too polite its part is played by a socket of the test.
"""
import concurrent.futures
import contextlib
import hashlib
import os
import random
import resource
import socket
import struct
import subprocess
import threading

import psycopg2
import pytest

from rowcall import Proxy
from servers import PostgreSQL
from waiting import await_true, free_port

MB = 1 << 20
STARTUP = b"user\0app\0database\0app\0\0"
STARTUP = struct.pack("!II", len(STARTUP) + 8, 196608) + STARTUP
ASK_TLS = struct.pack("!II", 8, 80877103)
WELCOME = b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\x05I"


class Database:
    """Accepts on a port, lets everybody in, and leaves the rest to `talk(connection)`, one thread per connection."""

    def __init__(self, talk, family=socket.AF_INET, port=0, words=WELCOME):
        self.talk, self.words, self.connections = talk, words, []
        self.listener = socket.create_server(("::1" if family == socket.AF_INET6 else "127.0.0.1", port), family=family, backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                threading.Thread(target=self.welcome, args=(connection,), daemon=True).start()

    def welcome(self, connection):
        with contextlib.suppress(OSError):
            head = connection.recv(8, socket.MSG_WAITALL)
            if head == ASK_TLS:
                connection.sendall(b"N")
                head = connection.recv(8, socket.MSG_WAITALL)
            if len(head) == 8:
                connection.recv(struct.unpack("!I", head[:4])[0] - 8, socket.MSG_WAITALL)
                connection.sendall(self.words)
                self.talk(connection)
                connection.shutdown(socket.SHUT_RDWR)

    def url(self, host="127.0.0.1"):
        return f"postgresql://{host}:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for socket_ in (self.listener, *self.connections):
            with contextlib.suppress(OSError):
                socket_.shutdown(socket.SHUT_RDWR)
            socket_.close()


def enter(port, words=WELCOME):
    """A client in clear that has been let in."""
    client = socket.create_connection(("127.0.0.1", port), timeout=30)
    client.sendall(STARTUP)
    assert client.recv(len(words), socket.MSG_WAITALL) == words
    return client


def message(kind, n):
    return kind + struct.pack("!I", n + 4) + bytes(n)


def resident(proxy):
    with open(f"/proc/{proxy.process.pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors(proxy):
    return len(os.listdir(f"/proc/{proxy.process.pid}/fd"))


def sound(proxy, statuses=(0,)):
    outcome = proxy.stop()
    assert outcome.status in statuses, outcome
    assert "Sanitizer" not in outcome.err and "runtime error" not in outcome.err, outcome
    return outcome


def connect(proxy):
    connection = psycopg2.connect(proxy.url(), connect_timeout=60)
    connection.autocommit = True
    return connection


def ask(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT name FROM things WHERE id = 1")
    return cursor.fetchone()[0]


# --- stalled --------------------------------------------------------------------------------------------------------------------------

def push(connection, data):
    """Sends for ever, until the other side is gone."""
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(data)


def moved(proxy, before):
    """Bytes the proxy holds more than before, once that has stopped rising."""
    held = []

    def settled():
        held.append(resident(proxy) - before)
        return len(held) > 100 and held[-1] - held[-100] < 64 << 10     # a sanitizer takes a little all the time
    await_true(settled, "memory to settle", 60)
    return held[-1]


def test_clients_that_do_not_read(hardened):
    with Database(lambda c: push(c, message(b"N", 1 << 20))) as database:
        proxy = hardened.proxy(database.url(), options=["--allow-empty"])
        enter(proxy.port).close()
        before = resident(proxy)
        clients = [enter(proxy.port) for _ in range(40)]
        assert moved(proxy, before) < 40 * 512 * 1024, "half a megabyte for each"
        for client in clients:
            client.close()
        await_true(lambda: descriptors(proxy) < 40, "sessions to end")
        sound(proxy)


def test_servers_that_do_not_read(hardened):
    with Database(lambda c: threading.Event().wait(60)) as database:
        proxy = hardened.proxy(database.url(), options=["--allow-empty"])
        enter(proxy.port).close()
        before = resident(proxy)
        clients = [enter(proxy.port) for _ in range(40)]
        for client in clients:
            threading.Thread(target=push, args=(client, message(b"d", 1 << 20)), daemon=True).start()
        assert moved(proxy, before) < 40 * 512 * 1024
        for client in clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            client.close()
    await_true(lambda: descriptors(proxy) < 40, "sessions to end")
    sound(proxy, statuses=(0, 11))      # what was sent made no sense


def test_nobody_reads_and_everybody_sends(hardened):
    """Back-pressure both ways at once; then both read, and everything has arrived in order."""
    size = 24 * MB
    down, up = random.Random(1).randbytes(size), random.Random(2).randbytes(size)
    heard = {}

    def talk(connection):
        sender = threading.Thread(target=connection.sendall, args=(down,))
        sender.start()
        go.wait(60)
        heard["up"] = drain(connection, size)
        sender.join()
        connection.shutdown(socket.SHUT_WR)

    go = threading.Event()
    with Database(talk) as database:
        proxy = hardened.proxy(database.url(), options=["--allow-empty"])
        client = enter(proxy.port)
        sender = threading.Thread(target=client.sendall, args=(up,))
        before = resident(proxy)
        sender.start()
        assert moved(proxy, before) < 8 * MB
        go.set()
        heard["down"] = drain(client, size)
        sender.join()
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
        client.close()
        await_true(lambda: "up" in heard, "the server to have heard all")
        assert heard == {"up": hashlib.sha256(up).digest(), "down": hashlib.sha256(down).digest()}
    sound(proxy, statuses=(0, 11))


def drain(connection, size):
    digest = hashlib.sha256()
    while size > 0:
        chunk = connection.recv(min(size, 1 << 20))
        assert chunk, f"{size} bytes are missing"
        digest.update(chunk)
        size -= len(chunk)
    return digest.digest()


# --- killed ---------------------------------------------------------------------------------------------------------------------------

def reset(connection):
    """Gone without a goodbye: the other side gets a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_kills_at_every_byte(hardened, pg):
    whole = STARTUP + b"Q" + struct.pack("!I", 4 + 40) + b"SELECT name FROM things WHERE id = 1;    \0"[:40]
    proxy = hardened.proxy(pg.url(), options=["--allow-empty"])
    for end in (reset, socket.socket.close):
        for n in range(len(whole)):
            client = socket.create_connection(("127.0.0.1", proxy.port), timeout=30)
            client.sendall(whole[:n])
            end(client)
    assert ask(connect(proxy)) == "thing"
    await_true(lambda: pg.sessions("app") <= 1, "the server's sessions to end")
    sound(proxy)


def test_servers_that_die_in_the_middle_of_a_row(hardened):
    row = message(b"D", 30_000)
    cuts = random.Random(3)

    def talk(connection):
        connection.recv(1)
        connection.sendall(row * 5 + row[:cuts.randrange(len(row))])
        (reset if cuts.random() < 0.5 else socket.socket.close)(connection)

    with Database(talk) as database:
        proxy = hardened.proxy(database.url(), options=["--allow-empty"])
        for _ in range(100):
            with enter(proxy.port) as client, contextlib.suppress(ConnectionResetError):
                client.sendall(b"Q\0\0\0\x08abc\0")
                while client.recv(65536):
                    pass
        await_true(lambda: descriptors(proxy) < 40, "sessions to end")
    sound(proxy)


# --- storms ---------------------------------------------------------------------------------------------------------------------------

def test_a_storm_of_connections(hardened, pg):
    proxy = hardened.proxy(pg.url(), options=["--allow-empty"])
    assert ask(connect(proxy)) == "thing"
    idle = descriptors(proxy)

    def strike(n):
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as client:
            if n % 3:
                client.sendall(STARTUP[:n % len(STARTUP)])
            if n % 2:
                reset(client)
        return 1
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        assert sum(pool.map(strike, range(5000))) == 5000
    assert ask(connect(proxy)) == "thing"
    await_true(lambda: descriptors(proxy) <= idle + 4, "sessions to end")
    sound(proxy)


def test_the_soft_limit_of_descriptors_is_raised(hardened, pg):
    """A daemon started under a soft limit of 64 still serves 80 sessions."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    proxy = hardened.proxy(pg.url(), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard)))
    connections = [connect(proxy) for _ in range(80)]
    assert [ask(c) for c in connections] == ["thing"] * 80
    for c in connections:
        c.close()
    sound(proxy)


def test_no_descriptors_left(hardened, pg):
    """128 descriptors are enough for 32 sessions; the others wait in the queue and are served in their turn."""
    proxy = hardened.proxy(pg.url(), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)))
    served = threading.Semaphore(0)
    leave = threading.Semaphore(0)

    def visit(_):
        connection = connect(proxy)
        served.release()
        assert leave.acquire(timeout=60)
        name = ask(connection)
        connection.close()
        return name
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        visitors = [pool.submit(visit, n) for n in range(100)]
        for _ in range(32):
            assert served.acquire(timeout=30)
        proxy.await_text("cannot accept for now: Too many open files")
        assert not served.acquire(timeout=0.5), "no more than there is room for"
        for _ in range(100):
            leave.release()
        assert [v.result(60) for v in visitors] == ["thing"] * 100, "nobody was turned away"
    proxy.await_text("accepting again")
    assert ask(connect(proxy)) == "thing"
    outcome = sound(proxy)
    assert outcome.err.count("cannot accept for now") <= 3, "said, not chanted"
    assert outcome.report["coverage"]["queries"] == 101


# --- upstreams ------------------------------------------------------------------------------------------------------------------------

def test_an_upstream_that_is_not_there_yet_goes_and_comes_back(hardened):
    with PostgreSQL() as server:
        server.stop()
        proxy = hardened.proxy(server.url())
        for _ in range(3):
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                for told in pool.map(lambda _: refusal(proxy), range(50)):
                    assert "rowcall" in told and "Connection refused" in told
            server.start()
            connection = connect(proxy)
            assert ask(connection) == "thing"
            server.stop()
            with pytest.raises(psycopg2.OperationalError, match="terminating connection|server closed"):
                ask(connection)
        sound(proxy)


def refusal(proxy):
    with pytest.raises(psycopg2.OperationalError) as told:
        connect(proxy)
    return str(told.value)


@pytest.fixture
def knowing(hardened, tmp_path):
    """The program where both.test is a name with two addresses, in a mount namespace of its own."""
    namespace = subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.PIPE, text=True)
    if namespace.returncode != 0:
        pytest.skip(f"the program cannot be given a hosts file of its own: {namespace.stderr.strip()}")
    hosts, wrapper = tmp_path / "hosts", tmp_path / "rowcall"
    hosts.write_text("127.0.0.1 localhost\n127.0.0.1 both.test\n::1 both.test\n")
    wrapper.write_text(f"#!/bin/sh\nexec unshare --mount sh -c 'mount --bind {hosts} /etc/hosts && exec \"$0\" \"$@\"' {hardened.program} \"$@\"\n")
    wrapper.chmod(0o755)
    hardened.program = wrapper
    return hardened


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_every_address_of_a_name_is_tried(knowing, family):
    with Database(lambda c: c.sendall(b"N" + c.recv(1)), family) as database:
        proxy = knowing.proxy(database.url("both.test"), options=["--allow-empty"])
        for _ in range(20):
            with enter(proxy.port) as client:
                client.sendall(b"x")
                assert client.recv(2, socket.MSG_WAITALL) == b"Nx"
        sound(proxy, statuses=(0, 11))


def test_a_name_whose_addresses_all_refuse(knowing):
    proxy = knowing.proxy(f"postgresql://both.test:{free_port()}", options=["--allow-empty"])
    assert "both.test" in refusal(proxy) and "Connection refused" in refusal(proxy)
    sound(proxy)


def test_a_name_nobody_knows(hardened):
    proxy = hardened.proxy("postgresql://nobody.invalid:5432", options=["--allow-empty"])
    assert "nobody.invalid" in refusal(proxy)
    sound(proxy)


def test_a_cancel_goes_where_its_session_went(knowing):
    """A session that had to go to the second address; then the first one answers too, and is where new sessions go. Not the cancel."""
    key = b"\0\0\x30\x39\xde\xad\xbe\xef"
    words = WELCOME[:9] + b"K\0\0\0\x0c" + key + WELCOME[9:]
    first, second = preferred(socket.AF_INET6, socket.AF_INET)
    with Database(lambda c: c.recv(1), second, words=words) as has:
        proxy = knowing.proxy(has.url("both.test"), options=["--allow-empty"])
        client = enter(proxy.port, words=words)
        with Database(lambda c: c.recv(1), first, has.port, words) as other:
            enter(proxy.port, words=words).close()
            assert len(other.connections) == 1, "a new session goes to the first address"
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as cancel:
                cancel.sendall(struct.pack("!II", 16, 80877102) + key)
                await_true(lambda: len(has.connections) == 2, "the cancel to arrive")
            assert len(other.connections) == 1
            client.close()
            sound(proxy)


def preferred(*families):
    """These families as this machine orders the addresses of a name: the one that can be reached first."""
    listed = [family for family, *_ in socket.getaddrinfo(None, 1, type=socket.SOCK_STREAM)]
    return sorted(families, key=lambda f: listed.index(f) if f in listed else len(listed))


def test_ipv6_on_both_sides(hardened, pg):
    proxy = hardened.start("proxy", "--listen", "[::1]:0", "--upstream", pg.url(host="[::1]"), kind=Proxy)
    proxy.await_listeners(1)
    connection = psycopg2.connect(host="::1", port=proxy.port, user="app", dbname="app")
    cursor = connection.cursor()
    cursor.execute("SELECT host(inet_server_addr()), host(inet_client_addr())")
    assert cursor.fetchone() == ("::1", "::1")
    connection.close()
    sound(proxy)
