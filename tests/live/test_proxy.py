# SPDX-License-Identifier: Apache-2.0
"""`rowcall proxy` under load and under abuse: traffic is never harmed, the program never falls.

These run the build with ASan and UBSan where there is one: a leak or an overflow changes the status that stop() reports.
"""
import concurrent.futures
import os
import re
import resource
import signal
import socket
import struct
import subprocess

import psycopg
import psycopg2
import pytest

from rowcall import Proxy
from servers import PG_BIN, PostgreSQL, clean_environment
from waiting import await_true, free_port


@pytest.fixture
def proxy(hardened, pg):
    return hardened.proxy(pg.url())


@pytest.fixture(scope="module")
def bench():
    """A server for pgbench: no statement log, room for many sessions."""
    with PostgreSQL(log_statement="none", max_connections=2100) as server:
        server.sql("CREATE DATABASE bench OWNER app")
        subprocess.run([PG_BIN / "pgbench", "-i", "-q", "-s", "1", server.url(database="bench")], check=True, env=clean_environment(),
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        yield server


def connect(proxy, **more):
    connection = psycopg2.connect(proxy.url(), **more)
    connection.autocommit = True
    return connection


def assert_works(proxy):
    """A new client is served as if nothing had happened."""
    connection = connect(proxy)
    cursor = connection.cursor()
    cursor.execute("SELECT 40 + 2")
    assert cursor.fetchone() == (42,)
    connection.close()


def assert_sound(proxy, status=0):
    """It ends as it should, with nothing to say about memory."""
    outcome = proxy.stop()
    assert outcome.status == status, outcome
    assert "Sanitizer" not in outcome.err and "runtime error" not in outcome.err, outcome
    return outcome


def exchange(port, data, after=b""):
    """Everything the other side answers to these bytes, and to those `after` its first answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(data)
        answer = b""
        if after:
            answer = client.recv(65536)
            client.sendall(after)
        client.shutdown(socket.SHUT_WR)
        while chunk := client.recv(65536):
            answer += chunk
        return answer


# --- load ---------------------------------------------------------------------------------------------------------------------------

PIPELINE = "\\startpipeline\n" + "SELECT abalance FROM pgbench_accounts WHERE aid = 1;\n" * 5 + "\\endpipeline\n"


@pytest.mark.parametrize("clients", [1, 16])
@pytest.mark.parametrize("mode", ["simple", "extended", "prepared", "pipelined"])
def test_pgbench(hardened, bench, tmp_path, mode, clients):
    proxy = hardened.proxy(bench.url(database="bench"))
    script = ["-S"]
    if mode == "pipelined":
        (tmp_path / "pipeline.sql").write_text(PIPELINE)
        script = ["-f", str(tmp_path / "pipeline.sql")]
    per_client = 2000 // clients
    done = subprocess.run([PG_BIN / "pgbench", "-n", "-M", "prepared" if mode == "pipelined" else mode, *script, "-c", str(clients), "-t",
                           str(per_client), "-j", "2", proxy.url(database="bench")], capture_output=True, text=True, env=clean_environment())
    assert done.returncode == 0, done.stderr
    assert "number of failed transactions: 0 " in done.stdout
    coverage = assert_sound(proxy).report["coverage"]
    executed = per_client * clients * (5 if mode == "pipelined" else 1)
    # pgbench itself asks a few things when it starts.
    assert executed <= coverage["queries"] <= executed + 10
    assert coverage["opaque_unexpected"] == coverage["lost"] == 0


def test_pgbench_with_writes_in_transactions(hardened, bench):
    proxy = hardened.proxy(bench.url(database="bench"))
    done = subprocess.run([PG_BIN / "pgbench", "-n", "-M", "extended", "-c", "8", "-t", "50", proxy.url(database="bench")],
                          capture_output=True, text=True, env=clean_environment())
    assert done.returncode == 0, done.stderr
    report = assert_sound(proxy).report
    transactions = [r for r in report["requests"] if r["borders_from"] == "transaction"]
    assert len(transactions) == 400
    assert all(r["queries"] == 5 and r["control"] == 2 for r in transactions)


def test_2000_connects(hardened, bench):
    """At once as far as the machine lets us, in any case 2,000 in all, each of them asking something."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    proxy = hardened.proxy(bench.url(database="bench"))
    at_once = 400
    try:
        for _ in range(2000 // at_once):
            with concurrent.futures.ThreadPoolExecutor(32) as pool:
                connections = list(pool.map(lambda _: psycopg2.connect(proxy.url(database="bench")), range(at_once)))
                assert sum(pool.map(lambda c: ask_one(c), connections)) == at_once
                list(pool.map(lambda c: c.close(), connections))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    await_true(lambda: bench.sessions("bench") == 0, "the server's sessions to end")
    assert assert_sound(proxy).report["coverage"]["queries"] == 2000


def ask_one(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT bid FROM pgbench_branches")
    return cursor.fetchone()[0]


def test_large_results_and_large_statements(proxy):
    connection = connect(proxy)
    cursor = connection.cursor()
    cursor.execute("SELECT repeat('x', 1000000) FROM generate_series(1, 30)")
    assert sum(len(row[0]) for row in cursor.fetchall()) == 30_000_000
    text = "y" * 5_000_000
    cursor.execute("SELECT length(%s)", [text])
    assert cursor.fetchone() == (5_000_000,)
    connection.close()
    assert assert_sound(proxy).report["coverage"]["queries"] == 2


def test_copy_both_ways(proxy, tmp_path):
    connection = connect(proxy)
    cursor = connection.cursor()
    cursor.execute("CREATE TEMP TABLE numbers (n int, t text)")
    rows = "".join(f"{n}\trow {n}\n" for n in range(100_000))
    with open(tmp_path / "rows", "w+") as file:
        file.write(rows)
        file.seek(0)
        cursor.copy_expert("COPY numbers FROM STDIN", file)
    cursor.execute("SELECT count(*), sum(n) FROM numbers")
    assert cursor.fetchone() == (100_000, sum(range(100_000)))
    with open(tmp_path / "back", "w+") as file:
        cursor.copy_expert("COPY numbers TO STDOUT", file)
        file.seek(0)
        assert file.read() == rows
    connection.close()
    assert assert_sound(proxy).report["coverage"]["opaque_unexpected"] == 0


def test_cursors_pipelines_errors_and_notices(proxy):
    """What psycopg 3 can send; each answer is checked where the client sees it."""
    with psycopg.connect(proxy.url(), autocommit=True) as connection:
        with connection.pipeline():
            cursors = [connection.execute("SELECT %s::int", [n]) for n in range(50)]
        assert [c.fetchone()[0] for c in cursors] == list(range(50))
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / %s::int", [0])
        with pytest.raises(psycopg.errors.SyntaxError):
            connection.execute("SELEC 1")
        with connection.transaction():
            with connection.cursor("large") as cursor:
                cursor.itersize = 100
                cursor.execute("SELECT n FROM generate_series(1, 1000) n")
                assert sum(row[0] for row in cursor) == 500_500
        with pytest.raises(psycopg.errors.DivisionByZero), connection.pipeline():
            connection.execute("SELECT 1")
            connection.execute("SELECT 1 / 0")
            connection.execute("SELECT 2")
        heard = []
        connection.add_notify_handler(heard.append)
        connection.execute("LISTEN news")
        connection.execute("NOTIFY news, 'hello'")
        connection.execute("SELECT 1")
        assert [n.payload for n in heard] == ["hello"]
    assert assert_sound(proxy).report["coverage"]["opaque_unexpected"] == 0


def test_cancel(proxy):
    connection = connect(proxy)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(connection.cursor().execute, "SELECT pg_sleep(60)")
        observer = connect(proxy)
        cursor = observer.cursor()

        def sleeping():
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'")
            return cursor.fetchone()[0]
        await_true(sleeping, "the query to run")
        connection.cancel()
        with pytest.raises(psycopg2.errors.QueryCanceled):
            answer.result(timeout=30)
    cursor.execute("SELECT 1")
    connection.close()
    observer.close()
    assert_sound(proxy)


# --- abuse --------------------------------------------------------------------------------------------------------------------------

GARBAGE = {
    "http": b"GET / HTTP/1.1\r\nHost: database\r\n\r\n",
    "nothing": b"",
    "zeros": bytes(64),
    "noise": bytes((n * 7919) >> 3 & 255 for n in range(5000)),
    "length beyond all limits": struct.pack("!I", 0xFFFFFFFF) + b"x" * 100,
    "startup cut short": struct.pack("!II", 200, 196608) + b"user\0app\0",
    "tls hello": bytes.fromhex("1603010200010001fc0303") + b"x" * 200,
    "startup twice": (struct.pack("!II", 19, 196608) + b"user\0app\0\0" + b"\0") * 2,
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage(hardened, pg, name):
    proxy = hardened.proxy(pg.url(), options=["--allow-empty"])
    for _ in range(20):
        exchange(proxy.port, GARBAGE[name])
    assert_works(proxy)
    assert_sound(proxy)


@pytest.mark.parametrize("data", [b"Q\0\0\0\1", b"Q\x7f\xff\xff\xff", b"\0\0\0\0\0\0", b"P\0\0\0\x04", b"~~~~~~~~", b"X\0\0\0\x04" * 3])
def test_garbage_after_a_good_start(hardened, pg, data):
    proxy = hardened.proxy(pg.url(), options=["--allow-empty"])
    start = b"user\0app\0database\0app\0\0"
    start = struct.pack("!II", len(start) + 8, 196608) + start
    answer = exchange(proxy.port, start, after=data)
    assert answer[:1] == b"R", "the good start was answered by the server"
    assert_works(proxy)
    assert_sound(proxy)


def test_a_client_that_is_killed(hardened, pg):
    proxy = hardened.proxy(pg.url())
    code = ("import psycopg2, sys; c = psycopg2.connect(sys.argv[1]).cursor(); print('go', flush=True); "
            "c.execute('SELECT pg_sleep(0.001), n FROM generate_series(1, 60000) n')")
    client = subprocess.Popen(["/usr/bin/python3", "-c", code, proxy.url()], stdout=subprocess.PIPE, text=True, env=clean_environment())
    assert client.stdout.readline() == "go\n"
    await_true(lambda: pg.sessions("app") == 1, "the query to run")
    client.kill()
    client.wait()
    client.stdout.close()
    # The server notices only when it next writes to a closed connection.
    await_true(lambda: pg.sessions("app") == 0, "the server's session to end")
    assert_works(proxy)
    assert_sound(proxy)


def test_a_server_that_is_killed_mid_query(hardened):
    with PostgreSQL() as server:
        proxy = hardened.proxy(server.url())
        connection = connect(proxy)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(connection.cursor().execute, "SELECT pg_sleep(60)")
            await_true(lambda: server.sql("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'") == "1", "the query to run")
            server.kill()
            with pytest.raises(psycopg2.OperationalError):
                answer.result(timeout=30)
        with pytest.raises(psycopg2.OperationalError, match="rowcall"):
            connect(proxy)
        server.start()
        assert_works(proxy)
        outcome = assert_sound(proxy)
    assert outcome.report["coverage"]["statements"] == 2


def test_a_client_that_reads_slowly_does_not_fill_memory(hardened, pg):
    """Half a gigabyte towards a client that does not read: the proxy stops reading instead of keeping it."""
    proxy = hardened.proxy(pg.url())
    before = resident(proxy.process.pid)
    start = b"user\0app\0database\0app\0\0"
    query = b"SELECT repeat('x', 1000000) FROM generate_series(1, 500)\0"
    with socket.create_connection(("127.0.0.1", proxy.port)) as client:
        client.sendall(struct.pack("!II", len(start) + 8, 196608) + start + b"Q" + struct.pack("!I", len(query) + 4) + query)

        def stuck():
            return pg.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = 'app' AND wait_event = 'ClientWrite'") == "1"
        await_true(stuck, "the server to wait for its client")
        assert resident(proxy.process.pid) - before < 64 << 20
    await_true(lambda: pg.sessions("app") == 0, "the server's session to end")
    assert_works(proxy)
    assert_sound(proxy)


def resident(pid):
    """Bytes of memory a process holds."""
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# --- starting and stopping ----------------------------------------------------------------------------------------------------------

def test_a_port_in_use(hardened, pg):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        outcome = hardened("proxy", "--listen", address, "--upstream", pg.url())
    assert outcome.status == 11, outcome
    assert address in outcome.err and "in use" in outcome.err


def test_an_unreachable_upstream_is_told_to_the_client_in_its_own_protocol(hardened):
    port = free_port()
    proxy = hardened.proxy(f"postgresql://127.0.0.1:{port}")
    with pytest.raises(psycopg2.OperationalError, match=rf"rowcall.*127\.0\.0\.1:{port}"):
        connect(proxy)
    assert_sound(proxy)


def test_stopping_drains(hardened, pg):
    """The first signal ends idle sessions and takes no new ones, but a transaction goes on to its end; the report covers all of it."""
    proxy = hardened.proxy(pg.url())
    idle, busy = connect(proxy), psycopg2.connect(proxy.url())
    cursor = busy.cursor()
    cursor.execute("SELECT name FROM things WHERE id = 1")
    proxy.signal(signal.SIGTERM)
    await_true(lambda: refused(proxy.port), "the listener to close")
    with pytest.raises(psycopg2.OperationalError):
        idle.cursor().execute("SELECT 1")
    cursor.execute("SELECT id FROM things WHERE id = 2")
    assert cursor.fetchone() == (2,)
    busy.commit()
    outcome = proxy.wait()
    assert outcome.status == 0, outcome
    assert outcome.report["coverage"]["queries"] == 2


def test_a_second_signal_ends_at_once(hardened, pg):
    proxy = hardened.proxy(pg.url())
    connection = psycopg2.connect(proxy.url())
    connection.cursor().execute("SELECT name FROM things WHERE id = 1")
    proxy.signal(signal.SIGTERM)
    await_true(lambda: refused(proxy.port), "the listener to close")
    proxy.signal(signal.SIGTERM)
    outcome = proxy.wait()
    assert outcome.report["coverage"]["queries"] == 1, outcome
    with pytest.raises(psycopg2.OperationalError):
        connection.cursor().execute("SELECT 2")


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        pass    # it was in the queue when the listener closed
    return False


def test_several_listeners_ipv6_and_unix_sockets(hardened, pg, tmp_path):
    second = tmp_path / ".s.PGSQL.5432"
    proxy = hardened.start("proxy", "--listen", "127.0.0.1:0", "--upstream", pg.url(), "--listen", "[::1]:0", "--upstream",
                           pg.url(host="[::1]"), "--listen", second, "--upstream", f"postgresql:///app?host={pg.dir}&port={pg.port}",
                           kind=Proxy)
    proxy.await_listeners(3)
    six = next(re.search(r"\[::1\]:(\d+)", a)[1] for a in proxy.addresses if "::1" in a)
    for dsn, address in ((f"host=127.0.0.1 port={proxy.port}", "127.0.0.1"), (f"host=::1 port={six}", "::1"), (f"host={tmp_path} port=5432", None)):
        connection = psycopg2.connect(f"{dsn} dbname=app" + ("" if address is None else " user=app"))
        cursor = connection.cursor()
        cursor.execute("SELECT host(inet_server_addr())")
        assert cursor.fetchone()[0] == address
        connection.close()
    assert_sound(proxy)
    assert not second.exists(), "its socket is gone"
