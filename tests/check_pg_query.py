#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_pg_query.py ROWCALL CASES...: PostgreSQL's own parser (libpg_query) as an oracle for shapes.

Statements: those of the golden cases that PostgreSQL can parse, and generated ones in the style of ORMs. What the parser's fingerprint tells
apart must have different shapes, and what it takes for the same must have the same shape, but for the rules listed below: each is a rewriting
of the text, and counts only when the two statements agree after it. Anything else fails."""
import collections
import ctypes
import random
import re
import subprocess
import sys


class Result(ctypes.Structure):
    _fields_ = [("fingerprint", ctypes.c_uint64), ("text", ctypes.c_char_p), ("stderr", ctypes.c_char_p), ("error", ctypes.c_void_p)]


def load():
    library = ctypes.CDLL("libpg_query.so")
    library.pg_query_fingerprint.restype = Result
    library.pg_query_fingerprint.argtypes = [ctypes.c_char_p]
    library.pg_query_free_fingerprint_result.argtypes = [Result]
    return library


LIBRARY = load()


def parsed(sql):
    """The parser's fingerprint; None when it does not understand."""
    result = LIBRARY.pg_query_fingerprint(sql.encode())
    found = None if result.error else result.fingerprint
    LIBRARY.pg_query_free_fingerprint_result(result)
    return found


def shapes(rowcall, statements):
    out = subprocess.run([rowcall, "fingerprint", "-0"], input="\0".join(statements).encode() + b"\0", stdout=subprocess.PIPE, check=True).stdout
    lines = [line.split("\t", 1)[1] for line in out.decode().split("\n")[:-1]]
    assert len(lines) == len(statements)
    return lines


# --- statements ----------------------------------------------------------------------------------------------------------------------

def golden(paths):
    for path in paths:
        modes = False
        for line in open(path, encoding="utf-8", errors="surrogateescape"):
            key, _, value = line.rstrip("\n").partition(": ")
            if key in ("why", "modes"):
                modes = key == "modes"
            elif key in ("sql", "same", "differs") and not modes and not re.search("<x..>|<NUL>", value):
                yield value.replace("<LF>", "\n").replace("<TAB>", "\t").replace("<CR>", "\r")


TABLES = ["orders", "customers", "line_items", "shop.users", '"Orders"', "t_20260101", "t_20260102"]
COLUMNS = ["id", "name", "customer_id", "state", "created_at", '"Name"', "amount"]


class Orm:
    """SELECT, INSERT, UPDATE and DELETE as Django, Active Record, Hibernate, SQLAlchemy and Prisma write them."""

    def __init__(self, seed):
        self.dice = random.Random(seed)

    def value(self):
        n = self.dice.randrange(1, 10 ** self.dice.randrange(1, 9))
        return self.dice.choice([str(n), f"'v{n}'", f"${n % 9 + 1}", f"-{n}", f"{n}.5", "'it''s'", "E'a\\'b'", f"'x{n}'::text", "'2026-01-01'::date", "NULL", "TRUE"])

    def condition(self, alias):
        column = alias + self.dice.choice(COLUMNS)
        return self.dice.choice([
            lambda: f"{column} = {self.value()}", lambda: f"{column} IN ({', '.join(self.value() for _ in range(self.dice.randrange(1, 6)))})",
            lambda: f"{column} > {self.value()}", lambda: f"{column} BETWEEN {self.value()} AND {self.value()}", lambda: f"{column} IS NULL",
            lambda: f"{column} IS NOT NULL", lambda: f"{column} LIKE {self.value()}", lambda: f"{column} <> {self.value()}",
            lambda: f"{column} = ANY ({self.value()})", lambda: f"upper({column}) = upper({self.value()})",
        ])()

    def where(self, alias=""):
        joint = self.dice.choice([" AND ", " OR "])
        return " WHERE " + joint.join(self.condition(alias) for _ in range(self.dice.randrange(1, 4)))

    def select(self):
        table, other = self.dice.sample(TABLES, 2)
        alias = self.dice.choice(["", "t0", "this_"])
        dot = alias + "." if alias else ""
        text = "SELECT " + self.dice.choice(["", "DISTINCT "]) + ", ".join(dot + c for c in self.dice.sample(COLUMNS, self.dice.randrange(1, 5)))
        text += f" FROM {table} {alias}".rstrip()
        if alias and self.dice.random() < .4:
            text += self.dice.choice([" INNER JOIN ", " LEFT OUTER JOIN "]) + f"{other} u ON (u.id = {dot}customer_id)"
        text += self.where(dot)
        if self.dice.random() < .5:
            text += f" ORDER BY {dot}{self.dice.choice(COLUMNS)}" + self.dice.choice(["", " DESC"])
        return text + self.dice.choice(["", f" LIMIT {self.value()}", f" LIMIT {self.value()} OFFSET {self.value()}", " FOR UPDATE"])

    def insert(self):
        columns = self.dice.sample(COLUMNS, self.dice.randrange(1, 5))
        rows = ", ".join("(" + ", ".join(self.value() for _ in columns) + ")" for _ in range(self.dice.randrange(1, 4)))
        return f"INSERT INTO {self.dice.choice(TABLES)} ({', '.join(columns)}) VALUES {rows}" + self.dice.choice(["", " RETURNING id", " ON CONFLICT DO NOTHING"])

    def update(self):
        columns = self.dice.sample(COLUMNS, self.dice.randrange(1, 4))
        return f"UPDATE {self.dice.choice(TABLES)} SET {', '.join(f'{c} = {self.value()}' for c in columns)}{self.where()}"

    def delete(self):
        return f"DELETE FROM {self.dice.choice(TABLES)}{self.where()}"

    def statement(self):
        return self.dice.choice([self.select, self.select, self.insert, self.update, self.delete])()


def variants(dice, sql):
    """The same statement in other clothes: never another shape, never another fingerprint."""
    spaced = re.sub(" ", lambda _: dice.choice([" ", "  ", "\n", " /* c */ ", " -- c\n"]), sql) if "'" not in sql and '"' not in sql else sql + " \n ; "
    return [spaced, f"/*route='a'*/ {sql}", sql + " -- end", re.sub(r"\b(SELECT|FROM|WHERE|INSERT INTO|VALUES|UPDATE|SET|DELETE|AND|OR)\b",
                                                                     lambda m: m.group().lower(), sql)]


# --- deliberate differences ----------------------------------------------------------------------------------------------------------

STRING = r"(?:[EeNn]?'(?:[^'\\]|''|\\.)*'|\$[^\W\d]?\w*\$.*?\$[^\W\d]?\w*\$)"
ATOM = rf"(?:{STRING}|\$\d+|[-+]?\s*\d[\d_]*\.?\d*(?:[eE][-+]?\d+)?|\.\d+)"
TYPE = r'(?:double precision|character varying|timestamp with time zone|[\w."]+)(?:\s*\(\s*\d+(?:\s*,\s*\d+)*\s*\))?(?:\[\d*\])*'

# What the parser tells apart and a shape does not: (rule, pattern, replacement).
MERGED = [
    ("a sign belongs to its number", r"(?<![\w\)\]'])\s*[-+]\s*[\d.]+", " $1"),
    ("NULL, TRUE, FALSE, DEFAULT and bare words as values", r"(?<!IS )(?<!NOT )(?<!SET )\b(?:NULL|TRUE|FALSE|DEFAULT|LOCAL)\b(?! VALUES)", "1"),
    ("now() and uuids in lists of values", r"\b(?:now|gen_random_uuid|uuid_generate_v4|clock_timestamp)\s*\(\)|\bcurrent_(?:date|timestamp|time)\b", "1"),
    ("the type of a value goes with it: casts", rf"\bCAST\s*\(\s*({ATOM})\s+AS\s+{TYPE}\s*\)", "1"),
    ("the type of a value goes with it: casts", rf"({ATOM})\s*::\s*{TYPE}", "1"),
    ("the type of a value goes with it: typed literals", rf"\b(?:DATE|TIMESTAMP|TIME|INTERVAL|UUID|JSON|JSONB|POINT|TIMESTAMPTZ)\s+({STRING})(?:\s+(?:DAY|HOUR))?", "1"),
    ("an array of values is a value", r"ARRAY\s*\[[^][A-Za-z(]*(?:\[[^][A-Za-z(]*\][^][A-Za-z(]*)*\](?:::\w+\[\])?", "1"),
    ("the count of FETCH", r"\bFETCH\s+\d+", "FETCH 1"),
    ("names of savepoints, cursors and prepared statements", r'\b(FETCH\b.*\bFROM|CLOSE|SAVEPOINT|EXECUTE|DEALLOCATE)\s+(?:"[^"]*"|\w+)', r"\1 x"),
    ("values of SET", r"^\s*(SET\s+(?:LOCAL\s+|SESSION\s+)?[\w.]+)\s*(?:=|TO)\s*.*", r"\1 = 1"),
    ("values of SET", r"^\s*(SET\s+TIME\s+ZONE)\s*.*", r"\1 1"),
]

# What a shape tells apart and the parser does not: rewritings of the shape.
SPLIT = [
    ("optimizer hints", r"/\*\+.*?\*/ ?", ""),
    ("digits in names: t_20260101 and t_20260102 are two tables", r"(?<=[\w$])\d+", ""),
    ("arithmetic of values", r"(?:- )+\?|\? (?:[-+] (?:- )*\?)+", "?"),
    ("values beside columns or expressions in a list", r"\?, |, \?", ""),
    ("a list of values is not one value: IN (?), = ANY (ARRAY[?]), = ANY (?), = (?), = ?", r"(?:= ANY|IN|=) (?:\((?:ARRAY\[)?\?\]?\)|\?)", "= ?"),
    ("a row in brackets", r"\(\?\)", "?"),
    ("LIMIT, OFFSET, both and FETCH", r" (?:LIMIT (?:\?|ALL)|OFFSET \?(?: ROWS)?|FETCH NEXT (?:\? )?ROWS? ONLY)", ""),
    ("IS NULL and ISNULL", r"ISNULL|NOTNULL", lambda m: "IS NULL" if m.group() == "ISNULL" else "IS NOT NULL"),
    ("options of BEGIN and START TRANSACTION", r"^(BEGIN|START TRANSACTION)\b.*", r"\1"),
    ("EXECUTE with and without arguments, DEALLOCATE of one and of all", r"^(EXECUTE|DEALLOCATE)\b.*", r"\1"),
    ("names of a query's columns", r" AS (?:\w+|\"[^\"]*\")", ""),
    ("GROUP BY of positions", r" GROUP BY \?", ""),
    ("the order of a list and its repetitions", r".+", lambda m: " ".join(sorted(set(re.findall(r'[\w?.]+|"[^"]*"', m.group()))))),
]


def rewritten(sql, rules):
    """(rule, text) after each rule in turn, all before it applied."""
    for name, pattern, replacement in rules:
        sql = re.sub(pattern, replacement, sql, flags=re.I | re.S)
        yield name, sql


def explain(a, b, rules, identity):
    """The rule after which a and b are the same."""
    for (name, one), (_, other) in zip(rewritten(a, rules), rewritten(b, rules)):
        if identity(one) is not None and identity(one) == identity(other):
            return name
    return None


# --- comparison ----------------------------------------------------------------------------------------------------------------------

def pairs(statements, by, tell):
    """One pair for each two values of `tell` that share a value of `by`."""
    groups = collections.defaultdict(dict)
    for sql, found in statements.items():
        groups[found[by]].setdefault(found[tell], sql)
    for group in groups.values():
        first, *others = group.values()
        for other in others:
            yield first, other


def main():
    rowcall, *paths = sys.argv[1:]
    orm, texts = Orm(7), list(golden(paths))
    ngolden = len(texts)
    for _ in range(3000):
        sql = orm.statement()
        texts += [sql, *variants(orm.dice, sql)]
    texts = list(dict.fromkeys(t for t in texts if "\0" not in t))
    fingerprints = {sql: parsed(sql) for sql in texts}
    known = [sql for sql in texts if fingerprints[sql] is not None]
    statements = {sql: (shape, fingerprints[sql]) for sql, shape in zip(known, shapes(rowcall, known))}
    agree = sum(len({s[1] for s in group}) == 1 for group in by_shape(statements))
    print(f"{len(texts)} statements ({ngolden} golden), {len(known)} parsed; {len({s for s, _ in statements.values()})} shapes, "
          f"{len({p for _, p in statements.values()})} fingerprints; {agree} shapes with one fingerprint")
    failed = 0
    directions = (("one shape, several fingerprints", 0, 1, MERGED, parsed, str), ("one fingerprint, several shapes", 1, 0, SPLIT, str, lambda sql: statements[sql][0]))
    for title, by, tell, rules, identity, text in directions:
        counts, unexplained = collections.Counter(), []
        for a, b in pairs(statements, by, tell):
            rule = explain(text(a), text(b), rules, identity)
            if rule:
                counts[rule] += 1
            else:
                unexplained.append((a, b))
        print(f"{title}: {sum(counts.values())} pairs by rule, {len(unexplained)} unexplained")
        for rule, n in counts.most_common():
            print(f"  {n:5} {rule}")
        for a, b in unexplained[:40]:
            print(f"  NOT EXPLAINED\n    {a!r}\n    {b!r}")
        failed += len(unexplained)
    return failed > 0


def by_shape(statements):
    groups = collections.defaultdict(list)
    for found in statements.values():
        groups[found[0]].append(found)
    return groups.values()


if __name__ == "__main__":
    sys.exit(main())
