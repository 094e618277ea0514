#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tls_cost: what TLS adds to rowcall: memory per idle session, CPU time per connect, CPU time per query.

usage: tls_cost.py [--rowcall PROGRAM] [--sessions 500] [--connects 400] [--secs 2] [--rounds 4]

Starts its own PostgreSQL with a certificate and four rowcalls before it: plain on both legs, TLS on the client's, on the server's, on both.
PgBouncer with TLS towards clients takes part when it is installed. Everything stands on CPU 0; the targets take turns, round after round, and
CPU time is the target's own. A connect is a connection, SELECT 1 and the end of it. Only ratios of one run mean anything.
"""
import argparse
import contextlib
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile

from proxy_cost import HERE, cpu_ns, pgbouncer    # also puts tests/lib on the path
from servers import PG_BIN, PostgreSQL, certificates, clean_environment
from waiting import answers, as_user, await_true, end, free_port

import psycopg2    # noqa: E402


def commands(options, work, server):
    """name -> (command for a port, sslmode of its clients)"""
    def rowcall(*more):
        return lambda port: [options.rowcall, "proxy", "--listen", f"127.0.0.1:{port}", "--upstream", f"postgresql://127.0.0.1:{server.port}", *more]

    client = ["--client-tls", "require", "--client-cert", work / "server.crt", "--client-key", work / "server.key"]
    found = {
        "rowcall plain": (rowcall("--server-tls", "disable"), "disable"),
        "rowcall TLS client leg": (rowcall("--server-tls", "disable", *client), "require"),
        "rowcall TLS server leg": (rowcall("--server-tls", "require"), "disable"),
        "rowcall TLS both legs": (rowcall("--server-tls", "require", *client), "require"),
    }
    if shutil.which("pgbouncer"):
        def bouncer(port):
            config = pgbouncer(work, port, server.port)
            config.write_text(config.read_text().replace("default_pool_size = 64", "default_pool_size = 600\nmax_client_conn = 2000") +
                              f"client_tls_sslmode = require\nclient_tls_cert_file = {work}/server.crt\nclient_tls_key_file = {work}/server.key\n")
            return as_user("postgres", ["pgbouncer", "-q", config])
        found["PgBouncer TLS client leg"] = (bouncer, "require")
    return found


def anonymous(pid):
    """KiB"""
    return int(re.search(r"^RssAnon:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1])


def connect(port, mode):
    return psycopg2.connect(host="127.0.0.1", port=port, user="app", dbname="app", sslmode=mode, gssencmode="disable")


def ask(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def per_session(process, port, mode, n):
    """KiB of anonymous memory each of n idle sessions adds."""
    ask(connect(port, mode))
    before = anonymous(process.pid)
    connections = [connect(port, mode) for _ in range(n)]
    for connection in connections:
        ask(connection)
    held = anonymous(process.pid)
    for connection in connections:
        connection.close()
    return (held - before) / n


def per_connect(process, port, mode, n):
    """µs"""
    before = cpu_ns(process.pid)
    for _ in range(n):
        connection = connect(port, mode)
        ask(connection)
        connection.close()
    return (cpu_ns(process.pid) - before) / n / 1e3


def per_query(process, port, mode, secs):
    """µs"""
    before = cpu_ns(process.pid)
    done = subprocess.run([PG_BIN / "pgbench", "-n", "-h", "127.0.0.1", "-p", str(port), "-U", "app", "-c", "4", "-j", "1", "-T", str(secs), "-S",
                           "app"], check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=clean_environment(PGSSLMODE=mode, PGGSSENCMODE="disable"))
    return (cpu_ns(process.pid) - before) / int(re.search(r"transactions actually processed: (\d+)", done.stdout)[1]) / 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rowcall", default=str(HERE.parents[1] / "build/release/proxy/rowcall"))
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--connects", type=int, default=400)
    parser.add_argument("--secs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    os.sched_setaffinity(0, {0})
    with contextlib.ExitStack() as stack:
        work = pathlib.Path(tempfile.mkdtemp(prefix="rowcall-bench-"))
        stack.callback(shutil.rmtree, work, True)
        work.chmod(0o755)
        certificates(work, work)
        (work / "server.key").chmod(0o600)
        server = stack.enter_context(PostgreSQL(log_statement="none", tls=True, max_connections=options.sessions + 100))
        subprocess.run([PG_BIN / "pgbench", "-q", "-i", "-h", "127.0.0.1", "-p", str(server.port), "-U", "app", "app"], check=True,
                       stderr=subprocess.DEVNULL, env=clean_environment())
        running, rows = {}, {}
        for name, (command, mode) in commands(options, work, server).items():
            port = free_port()
            if name.startswith("PgBouncer"):
                shutil.chown(work / "server.key", "postgres")
            process = subprocess.Popen([str(word) for word in command(port)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=open(work / f"target{len(running)}.log", "wb"))
            stack.callback(end, process)
            await_true(lambda p=port: answers("127.0.0.1", p), name)
            running[name], rows[name] = (process, port, mode), ([], [], [])
        for name, (process, port, mode) in running.items():
            rows[name][0].append(per_session(process, port, mode, options.sessions))
        for turn in range(options.rounds):
            names = list(running)
            for name in names[turn % len(names):] + names[:turn % len(names)]:
                process, port, mode = running[name]
                rows[name][1].append(per_connect(process, port, mode, options.connects))
                rows[name][2].append(per_query(process, port, mode, options.secs))
        plain = [statistics.median(column) for column in rows["rowcall plain"]]
        print("| target | KiB per idle session | CPU µs per connect | to plain | CPU µs per query | to plain |\n|---|---:|---:|---:|---:|---:|")
        for name, columns in rows.items():
            memory, handshake, query = (statistics.median(column) for column in columns)
            print(f"| {name} | {memory:.1f} | {handshake:.0f} | {handshake / plain[1]:.2f} | {query:.2f} | {query / plain[2]:.2f} |")


if __name__ == "__main__":
    main()
