#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""fingerprint_cost: what `rowcall fingerprint -0` costs, beside PostgreSQL's own parser (libpg_query).

usage: fingerprint_cost.py [--rowcall PROGRAM] [--mb 40] [--rounds 5]

Feeds statements in the style of ORMs (tests/check_pg_query.py makes them) and takes the CPU time of the whole command, less that of an empty
input, best of the rounds. libpg_query is called in this process; its time is CPU time too. With valgrind installed it also counts
instructions per byte, which no neighbour on the machine disturbs."""
import argparse
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests"))
import check_pg_query  # noqa: E402


class Wide(check_pg_query.Orm):
    """Every column of a table by its full name in quotes, as Django and Active Record select them; else as its parent."""
    FIELDS = ("id created_at updated_at deleted_at name title state email description amount_cents currency quantity position external_id locale "
              "customer_id parent_id owner_id phone first_name last_name score price weight").split()

    def select(self):
        table, other = (name.strip('"').replace(".", "_") for name in self.dice.sample(check_pg_query.TABLES, 2))
        fields = ", ".join(f'"{table}"."{field}"' for field in self.dice.sample(self.FIELDS, self.dice.randrange(6, 24)))
        join = f' INNER JOIN "{other}" ON ("{table}"."customer_id" = "{other}"."id")' if self.dice.random() < .4 else ""
        wanted = self.dice.choice([f"= {self.value()}", f"IN ({', '.join(str(self.dice.randrange(10000)) for _ in range(self.dice.randrange(1, 40)))})"])
        return f'SELECT {fields} FROM "{table}"{join} WHERE "{table}"."{self.dice.choice(self.FIELDS)}" {wanted} ORDER BY "{table}"."id" ASC LIMIT {self.dice.randrange(100)}'


def cpu(command, stream):
    stream.seek(0)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdin=stream, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def instructions(command, stream):
    stream.seek(0)
    out = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command], stdin=stream, stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, check=True).stderr.decode()
    return int(re.search(r"Collected : (\d+)", out).group(1))


def file_of(data):
    f = tempfile.TemporaryFile()
    f.write(data)
    return f


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rowcall", default=str(TREE / "build/release/proxy/rowcall"))
    parser.add_argument("--mb", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    worst = [measure(options, name, orm) for name, orm in (("wide", Wide(1)), ("short", check_pg_query.Orm(1)))]
    return max(worst)


def measure(options, name, orm):
    """True when it is slower than it must be."""
    statements = [orm.statement() for _ in range(5000)]
    block = "\0".join(statements).encode() + b"\0"
    times = options.mb * 1000000 // len(block) + 1
    empty = file_of(b"")
    print(f"{len(statements)} {name} statements, {len(block) / len(statements):.0f} bytes each on average")
    speed = {}
    for dialect in ("postgresql", "mysql"):
        command = [options.rowcall, "fingerprint", "-0", "--dialect", dialect]
        text = block.replace(b'"', b"`") if dialect == "mysql" else block
        stream, small = file_of(text * times), file_of(text)
        best = min(cpu(command, stream) - cpu(command, empty) for _ in range(options.rounds))
        speed[dialect] = len(block) * times / best / 1e6
        each = best / (times * len(statements)) * 1e6
        line = f"rowcall, {dialect}: {speed[dialect]:.0f} MB/s, {each:.2f} us a statement"
        if shutil.which("valgrind"):
            line += f", {(instructions(command, small) - instructions(command, empty)) / len(block):.1f} instructions a byte"
        print(line)
    begin = time.process_time()
    for sql in statements:
        check_pg_query.parsed(sql)
    parser_speed = len(block) / (time.process_time() - begin) / 1e6
    print(f"libpg_query: {parser_speed:.0f} MB/s; rowcall is {speed['postgresql'] / parser_speed:.0f} times as fast")
    return (name == "wide" and min(speed.values()) < 250) or speed["postgresql"] < 8 * parser_speed


if __name__ == "__main__":
    sys.exit(main())
