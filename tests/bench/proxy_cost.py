#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""proxy_cost: what one query costs through rowcall, beside the cheapest forwarder and the proxies people know.

usage: proxy_cost.py [--rowcall PROGRAM] [--secs 2] [--rounds 6] [--loads NAME,...] [--options "ROWCALL PROXY OPTIONS"]
                     [--beside "OTHER OPTIONS"]...      a further rowcall with these, such as "--record /tmp/cost.rowcall"

Starts its own PostgreSQL, puts everything on CPU 0, runs pgbench through each target in turn, round after round, and divides each
target's CPU time by the queries pgbench counted. The last column divides by the floor of the same round: median (least..most).
HAProxy and PgBouncer take part when they are installed. Only ratios of one run mean anything; the absolute numbers are this machine's.
"""
import argparse
import contextlib
import glob
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))
from servers import PG_BIN, PostgreSQL, children, clean_environment    # noqa: E402
from waiting import answers, as_user, await_true, end, free_port       # noqa: E402

PIPE = 10
LARGE = "SELECT aid, bid, abalance, filler FROM pgbench_accounts WHERE aid <= 10000;\n"
PIPELINE = "\\set aid random(1, 100000)\n\\startpipeline\n" + "SELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n" * PIPE + "\\endpipeline\n"
TAG = "/*rowcall_request='r:request',rowcall_scope='GET /accounts'*/"     # a request of its own for each transaction of the script
TAGGED = "\\set request random(1, 1000000000000)\n" + f"\\set aid random(1, 100000)\nSELECT abalance FROM pgbench_accounts WHERE aid = :aid {TAG};\n" * PIPE
LOOP = 20       # rows of a list, each followed by a look-up of its own: an N+1 in each transaction
NPLUS1 = "".join(["\\set first random(1, 100000)\n", f"SELECT aid, bid, abalance FROM pgbench_accounts WHERE aid >= :first ORDER BY aid LIMIT {LOOP} /*rowcall_request='n:first'*/;\n",
                  *(f"\\set aid :first + {n}\nSELECT abalance FROM pgbench_accounts WHERE aid = :aid /*rowcall_request='n:first'*/;\n" for n in range(LOOP))])
WIDE = ("SELECT aid, bid, " + ", ".join(f"aid + {n} AS {name}" for n, name in enumerate("user_id customer_id city plan_code total net gross".split()))
        + ", " + ", ".join(f"filler || 'x' AS text{n}" for n in range(12)) + " FROM pgbench_accounts WHERE aid BETWEEN 1 AND 64;\n")     # 21 columns, 64 rows
LOADS = {}      # name: (pgbench arguments, clients, queries per transaction)
for mode in ("simple", "extended", "prepared"):
    for clients in (1, 16):
        LOADS[f"{mode}-c{clients}"] = (["-S", "-M", mode], clients, 1)
LOADS["pipeline10-c1"] = (["-M", "extended", "-f", "pipeline.sql"], 1, PIPE)
LOADS["pipeline10-c16"] = (["-M", "extended", "-f", "pipeline.sql"], 16, PIPE)
LOADS["tagged10-c16"] = (["-f", "tagged.sql"], 16, PIPE)
LOADS["nplus1-c1"] = (["-f", "nplus1.sql"], 1, LOOP + 1)
LOADS["wide-c1"] = (["-f", "wide.sql"], 1, 1)
LOADS["large-c1"] = (["-f", "large.sql"], 1, 1)


def cpu_ns(pid):
    total = 0
    for process in [pid, *children(pid)]:
        for task in glob.glob(f"/proc/{process}/task/*/schedstat"):
            with contextlib.suppress(OSError), open(task, encoding="ascii") as file:
                total += int(file.read().split()[0])
    return total


def targets(options, work, backend):
    """name -> command and port."""
    floor = work / "floor"
    subprocess.run(["cc", "-O2", "-o", floor, HERE / "floor.c"], check=True)
    found = {"floor": lambda port: [floor, str(port), str(backend)]}
    if shutil.which("haproxy"):
        found["haproxy"] = lambda port: ["haproxy", "-db", "-f", haproxy(work, port, backend)]
    if shutil.which("pgbouncer"):
        found["pgbouncer"] = lambda port: as_user("postgres", ["pgbouncer", "-q", pgbouncer(work, port, backend)])
    for more in ["", *options.beside]:
        found[f"rowcall {more}".strip()] = lambda port, more=more: [
            options.rowcall, "proxy", "--listen", f"127.0.0.1:{port}", "--upstream", f"postgresql://127.0.0.1:{backend}",
            *options.options.split(), *more.split()]
    return found


def haproxy(work, port, backend):
    config = work / "haproxy.cfg"
    config.write_text(f"global\n  nbthread 1\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n"
                      f"listen bench\n  bind 127.0.0.1:{port}\n  server s 127.0.0.1:{backend}\n")
    return config


def pgbouncer(work, port, backend):
    (work / "users").write_text('"app" "app"\n')
    config = work / "pgbouncer.ini"
    config.write_text(f"[databases]\napp = host=127.0.0.1 port={backend} dbname=app\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
                      f"unix_socket_dir =\nauth_type = trust\nauth_file = {work}/users\npool_mode = session\ndefault_pool_size = 64\n"
                      "log_connections = 0\nlog_disconnections = 0\nlog_stats = 0\n")
    return config


def pgbench(work, port, load, secs):
    arguments, clients, per = LOADS[load]
    done = subprocess.run([PG_BIN / "pgbench", "-n", "-h", "127.0.0.1", "-p", str(port), "-U", "app", "-c", str(clients), "-j", "1",
                           "-T", str(secs), "-r", *arguments, "app"], cwd=work, check=True, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=clean_environment(PGSSLMODE="disable", PGGSSENCMODE="disable"))
    transactions = int(re.search(r"transactions actually processed: (\d+)", done.stdout)[1])
    failed = int(re.search(r"failed transactions: (\d+)", done.stdout)[1])
    assert not failed, done.stdout
    return transactions * per, float(re.search(r"tps = ([\d.]+)", done.stdout)[1]) * per


def measure(work, running, load, options):
    rows = {name: [] for name in running}
    names = list(running)
    for turn in range(options.rounds):
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            process, port = running[name]
            before = cpu_ns(process.pid)
            queries, rate = pgbench(work, port, load, options.secs)
            rows[name].append(((cpu_ns(process.pid) - before) / queries, rate))
    print(f"\n### {load}\n| target | CPU µs per query | queries/s | CPU / floor |\n|---|---:|---:|---:|")
    for name, values in rows.items():
        ratios = [mine[0] / floor[0] for mine, floor in zip(values, rows["floor"])]
        print(f"| {name} | {statistics.median(v[0] for v in values) / 1e3:.2f} | {statistics.median(v[1] for v in values):.0f} | "
              f"{statistics.median(ratios):.2f} ({min(ratios):.2f}..{max(ratios):.2f}) |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rowcall", default=str(HERE.parents[1] / "build/release/proxy/rowcall"))
    parser.add_argument("--secs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--loads", default=",".join(LOADS))
    parser.add_argument("--options", default="")
    parser.add_argument("--beside", action="append", default=[])
    options = parser.parse_args()
    os.sched_setaffinity(0, {0})    # servers, proxies and load: no wake-ups across CPUs, steady ratios
    work = pathlib.Path(tempfile.mkdtemp(prefix="rowcall-bench-"))
    work.chmod(0o755)
    (work / "pipeline.sql").write_text(PIPELINE)
    (work / "large.sql").write_text(LARGE)
    (work / "tagged.sql").write_text(TAGGED)
    (work / "nplus1.sql").write_text(NPLUS1)
    (work / "wide.sql").write_text(WIDE)
    running = {}
    with contextlib.ExitStack() as stack, PostgreSQL(log_statement="none") as server:
        stack.callback(shutil.rmtree, work, True)
        subprocess.run([PG_BIN / "pgbench", "-q", "-i", "-s", "2", "-h", "127.0.0.1", "-p", str(server.port), "-U", "app", "app"], check=True,
                       stderr=subprocess.DEVNULL, env=clean_environment())
        for name, command in targets(options, work, server.port).items():
            port = free_port()
            process = subprocess.Popen([str(word) for word in command(port)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=open(work / f"target{len(running)}.log", "wb"))
            stack.callback(end, process)
            await_true(lambda p=port: answers("127.0.0.1", p), name)
            running[name] = process, port
        for load in options.loads.split(","):
            measure(work, running, load, options)


if __name__ == "__main__":
    main()
