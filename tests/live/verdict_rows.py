# SPDX-License-Identifier: Apache-2.0
"""The rows of the verdict table that the wire can show, as traffic: what a client asks, and what rowcall must say of it.

A row is a function that asks through a variant (see verdict_variants.py): t.q(SQL, *parameters) with ? for parameters and {s} for the row's
own schema, t.request() to begin the next request, t.c to choose a connection, t.pause() to let the idle gap pass. Every row has tables of
its own, so that no two share a shape. Never: looks at results, so that the traffic is the same on every variant."""
import dataclasses
import datetime

ORDERS, CUSTOMERS, PRODUCTS, USERS, EVENTS = 24, 60, 60, 80, 400


def customer_of(order):
    return order * 7 % 53 + 1


def product_of(item):
    return item * 5 % 47 + 1


def author_of(post):
    return post * 3 % 41 + 1


def updater_of(post):
    return post * 5 % 37 + 41


# The tables of each row's schema; the same in both dialects. Numbers come from a table of counters made once: n(i) holds 1..400.
TABLES = (
    "CREATE TABLE {s}.customers (id integer PRIMARY KEY, name varchar(40), email varchar(60))",
    "INSERT INTO {s}.customers SELECT i, 'customer', 'c' FROM n WHERE i <= 60",
    "CREATE TABLE {s}.orders (id integer PRIMARY KEY, user_id integer, customer_id integer, level integer)",
    "INSERT INTO {s}.orders SELECT i, 7, i * 7 % 53 + 1, i % 2 FROM n WHERE i <= 24",
    "CREATE TABLE {s}.items (id integer PRIMARY KEY, order_id integer, product_id integer)",
    "INSERT INTO {s}.items SELECT i, (i + 1) / 2, i * 5 % 47 + 1 FROM n WHERE i <= 48",
    "CREATE TABLE {s}.products (id integer PRIMARY KEY, sku varchar(20))",
    "INSERT INTO {s}.products SELECT i, 'sku' FROM n WHERE i <= 60",
    "CREATE TABLE {s}.settings (name varchar(20) PRIMARY KEY, value varchar(20))",
    "INSERT INTO {s}.settings VALUES ('theme', 'dark')",
    "CREATE TABLE {s}.users (id integer PRIMARY KEY, name varchar(20))",
    "INSERT INTO {s}.users SELECT i, 'user' FROM n WHERE i <= 80",
    "CREATE TABLE {s}.posts (id integer PRIMARY KEY, author_id integer, updater_id integer)",
    "INSERT INTO {s}.posts SELECT i, i * 3 % 41 + 1, i * 5 % 37 + 41 FROM n WHERE i <= 20",
    "CREATE TABLE {s}.comments (id integer PRIMARY KEY, post_id integer)",
    "INSERT INTO {s}.comments SELECT i, i % 20 + 1 FROM n WHERE i <= 60",
    "CREATE TABLE {s}.jobs (id integer PRIMARY KEY, status varchar(20))",
    "INSERT INTO {s}.jobs SELECT i, 'running' FROM n WHERE i <= 3",
    "CREATE TABLE {s}.imports (id integer PRIMARY KEY, email varchar(40))",
    "CREATE TABLE {s}.events (id integer PRIMARY KEY, payload varchar(20))",
    "INSERT INTO {s}.events SELECT i, 'payload' FROM n",
    "CREATE TABLE {s}.banners (id integer PRIMARY KEY, starts timestamp(6) NOT NULL, title varchar(20))",
    "INSERT INTO {s}.banners SELECT i, '2024-05-06 07:08:09', 'banner' FROM n WHERE i <= 3",
    "CREATE TABLE {s}.documents (id varchar(36) PRIMARY KEY, title varchar(20))",
    "INSERT INTO {s}.documents SELECT concat('6f1c2d', lpad(cast(i as char(2)), 2, '0'), '-0000-4000-8000-00000000000', i % 10), 'd' FROM n "
    "WHERE i BETWEEN 10 AND 29",
)

ALL = ("pg-simple", "pg-text", "pg-binary", "my-text", "my-binary")
PG = ALL[:3]
EXTENDED = ("pg-text", "pg-binary")
TEXTS = ("pg-simple", "my-text")


@dataclasses.dataclass
class Row:
    number: str                 # "16", "25b"
    title: str
    says: tuple                 # (rule, verdict) of each finding, tagged
    play: object
    variants: tuple = ALL
    untagged: tuple = None      # the same without tags, where it differs; () = none; NEVER_PROVEN
    tagged: bool = True         # played with tags
    also: dict = dataclasses.field(default_factory=dict)    # more that the findings must have: {variant: says}
    check: object = None        # called with the report's requests and findings of the row


NEVER_PROVEN = ("never proven",)
PROVEN, SUSPECTED, NOTE = ("n-plus-one", "proven"), ("n-plus-one", "suspected"), ("n-plus-one", "note")
SAME, REREAD = ("duplicate", "proven"), ("duplicate", "note")
WRITES = ("write-loop", "note")
ROWS = []


def row(number, title, *says, **more):
    def add(play):
        ROWS.append(Row(number, title, says, play, **more))
        return play
    return add


def list_orders(t, limit=20):
    t.q("SELECT id, customer_id FROM {s}.orders ORDER BY id LIMIT %d" % limit)


LOOKUP = "SELECT id, name FROM {s}.customers WHERE id = ?"


@row("1", "list, then a look-up for each row", PROVEN)
def _(t):
    list_orders(t)
    for i in range(1, 21):
        t.q(LOOKUP, customer_of(i))


@row("2", "the same with values written into the text", PROVEN, variants=TEXTS + EXTENDED)
def _(t):
    list_orders(t)
    for i in range(1, 21):
        t.q("SELECT id, name FROM {s}.customers WHERE id = %d" % customer_of(i))


# A driver that keeps every text prepared never finds one again: churn besides the loop.
@row("3", "a unique traceparent in each text", PROVEN, also={"my-binary": (PROVEN, ("prepare-churn", "proven"))})
def _(t):
    trace = " /*traceparent='00-4bf92f3577b34da6a3ce929d0e0e4736-%016x-01'*/"
    t.q("SELECT id, customer_id FROM {s}.orders ORDER BY id LIMIT 20" + trace % 100, bare=True)
    for i in range(1, 21):
        t.q(LOOKUP + trace % i, customer_of(i), bare=True)


@row("4", "a comment before the statement, or WITH", PROVEN, PROVEN)
def _(t):
    list_orders(t)
    for i in range(1, 13):
        t.q("/*app:shop*/ " + LOOKUP, customer_of(i))
        t.q("WITH c AS (SELECT id, name FROM {s}.customers WHERE id = ?) SELECT name FROM c", customer_of(i))


@row("5", "parallel requests with one look-up each")
def _(t):
    for i in range(8):
        t.c = i
        t.request()
        t.q(LOOKUP, i + 1)


@row("6", "one request over several connections", PROVEN, untagged=NEVER_PROVEN)
def _(t):
    list_orders(t)
    for i in range(1, 21):
        t.c = 1 + i % 4
        t.q(LOOKUP, customer_of(i))


@row("7", "two requests in turn on one pooled connection", untagged=NEVER_PROVEN)
def _(t):
    for offset in (0, 4):
        t.request()
        for i in range(1, 5):
            t.q(LOOKUP, offset + i)


@row("9", "two rows", PROVEN)
def _(t):
    list_orders(t, 2)
    for i in (1, 2):
        t.q(LOOKUP, customer_of(i))


@row("10", "a parent with one row and one child")
def _(t):
    t.q("SELECT id, customer_id FROM {s}.orders WHERE id = ?", 3)
    t.q(LOOKUP, customer_of(3))


@row("11", "many rows, one touched")
def _(t):
    list_orders(t)
    t.q(LOOKUP, customer_of(4))


@row("12", "an empty parent")
def _(t):
    t.q("SELECT id, customer_id FROM {s}.orders WHERE id < 0")
    t.q("SELECT value FROM {s}.settings WHERE name = ?", "theme")


@row("13", "preloads of one id and of seven")
def _(t):
    t.request()
    t.q("SELECT id, name FROM {s}.customers WHERE id IN (?)", 8)
    t.request()
    t.q("SELECT id, name FROM {s}.customers WHERE id IN (?, ?, ?, ?, ?, ?, ?)", *range(1, 8))


@row("14", "a preload for each record", PROVEN)
def _(t):
    list_orders(t)
    for i in range(1, 21):
        t.q("SELECT id, name FROM {s}.customers WHERE id IN (?)", customer_of(i))


@row("15", "one batch for all")
def _(t):
    list_orders(t)
    t.q("SELECT id, name FROM {s}.customers WHERE id IN (%s)" % ", ".join("?" * 20), *(customer_of(i) for i in range(1, 21)))


@row("16", "a sweep by key")
def _(t):
    for last in range(0, 400, 50):
        t.q("SELECT id, payload FROM {s}.events WHERE id > ? ORDER BY id LIMIT 50", last)


@row("17", "pages by OFFSET", NOTE)
def _(t):
    for page in range(6):
        t.q("SELECT id, payload FROM {s}.events ORDER BY id LIMIT 50 OFFSET ?", 50 * page)


@row("18", "lists of ids in chunks")
def _(t):
    t.q("SELECT id FROM {s}.customers ORDER BY id")
    for chunk in range(6):
        t.q("SELECT id, name FROM {s}.customers WHERE id IN (%s)" % ", ".join("?" * 10), *range(10 * chunk + 1, 10 * chunk + 11))


@row("19", "a preload in each batch of a job")
def _(t):
    for last in range(0, 60, 10):
        t.q("SELECT id, name FROM {s}.customers WHERE id > ? ORDER BY id LIMIT 10", last)
        t.q("SELECT id, customer_id FROM {s}.orders WHERE customer_id IN (%s)" % ", ".join("?" * 10), *range(last + 1, last + 11))


@row("20", "a cursor on the server", variants=PG, check=lambda requests, findings: requests[0]["queries"] == 1)
def _(t):
    t.q("BEGIN", control=True)
    t.q("DECLARE c CURSOR FOR SELECT id, payload FROM {s}.events")
    for _ in range(8):
        t.q("FETCH 50 FROM c", control=True)
    t.q("COMMIT", control=True)


@row("21", "a pipeline", NOTE, variants=EXTENDED, check=lambda requests, findings: requests[0]["queries"] == 21 and requests[0]["round_trips"] < 12)
def _(t):
    list_orders(t)
    with t.pipeline():
        for i in range(1, 21):
            t.q(LOOKUP, customer_of(i))


@row("22", "many statements in one text", NOTE, variants=TEXTS, check=lambda requests, findings: requests[0]["queries"] == 21)
def _(t):
    list_orders(t)
    t.q("; ".join("SELECT id, name FROM {s}.customers WHERE id = %d" % customer_of(i) for i in range(1, 21)))


@row("23", "polling", REREAD)
def _(t):
    for _ in range(4):
        t.q("SELECT status FROM {s}.jobs WHERE id = ?", 1)
        t.wait(0.15)


@row("24", "a transaction that is tried again")
def _(t):
    for attempt in (1, 2):
        t.q("BEGIN", control=True)
        t.q("SELECT id, level FROM {s}.orders WHERE id = ?", 3)
        if attempt == 1:
            t.fail("serialization")
        t.q("ROLLBACK" if attempt == 1 else "COMMIT", control=True)


@row("25", "the current user in every middleware", SAME)
def _(t):
    for _ in range(3):
        t.q("SELECT id, name FROM {s}.users WHERE id = ?", 5)


@row("25b", "the same user in two requests", untagged=NEVER_PROVEN)
def _(t):
    for _ in range(2):
        t.request()
        t.q("SELECT id, name FROM {s}.users WHERE id = ?", 5)


@row("26", "one setting forty times", SAME)
def _(t):
    for _ in range(40):
        t.q("SELECT value FROM {s}.settings WHERE name = ?", "theme")


@row("27", "read, write, read", REREAD)
def _(t):
    t.q("SELECT status FROM {s}.jobs WHERE id = ?", 2)
    t.q("UPDATE {s}.jobs SET status = 'done' WHERE id = ?", 2)
    t.q("SELECT status FROM {s}.jobs WHERE id = ?", 2)


@row("28", "the same in two transactions", REREAD, untagged=NEVER_PROVEN)
def _(t):
    for _ in range(2):
        t.q("BEGIN", control=True)
        t.q("SELECT status FROM {s}.jobs WHERE id = ?", 3)
        t.q("COMMIT", control=True)


@row("29", "six sections that the layout fixes", NOTE, untagged=NEVER_PROVEN)
def _(t):
    for limit in (4, 20, 9, 14):
        t.request()
        list_orders(t, limit)
        for box in range(6):
            t.q("SELECT value FROM {s}.settings WHERE name = ?", "box %d" % box)


@row("30", "two relations to one table, row by row", PROVEN, PROVEN)
def _(t):
    t.q("SELECT id, author_id, updater_id FROM {s}.posts ORDER BY id")
    for i in range(1, 21):
        t.q("SELECT id, name FROM {s}.users WHERE id = ?", author_of(i))
        t.q("SELECT id, name FROM {s}.users WHERE id = ?", updater_of(i))


@row("31", "ids that no result holds", SUSPECTED)
def _(t):
    for i in (3, 17, 42, 9, 55, 28):
        t.q(LOOKUP, i)


@row("32", "one look-up in each of several schemas")
def _(t):
    for schema in t.others(6):
        t.enter(schema)
        t.q("SELECT r32.level FROM orders r32 WHERE r32.id = ?", int(schema[1:3]))


@row("33", "an insert for each row", WRITES)
def _(t):
    for i in range(1, 13):
        t.q("INSERT INTO {s}.imports (id, email) VALUES (?, ?)", t.fresh(), "a%d@example.org" % i)


@row("34", "a look whether it exists before each insert", WRITES)
def _(t):
    for i in range(1, 13):
        t.q("SELECT 1 FROM {s}.imports WHERE email = ? LIMIT 1", "a%d@example.org" % i)
        t.q("INSERT INTO {s}.imports (id, email) VALUES (?, ?)", t.fresh(), "a%d@example.org" % i)


@row("35", "INSERT ... RETURNING for each row", WRITES)
def _(t):
    for i in range(1, 13):
        t.q("INSERT INTO {s}.imports (id, email) VALUES (?, ?) RETURNING id", t.fresh(), "a%d@example.org" % i)


@row("36", "a count for each row", PROVEN, check=lambda requests, findings: "GROUP BY post_id" in findings[0]["advice"])
def _(t):
    t.q("SELECT id FROM {s}.posts ORDER BY id")
    for i in range(1, 21):
        t.q("SELECT count(*) FROM {s}.comments WHERE post_id = ?", i)


@row("37", "the newest one for each row", PROVEN, check=lambda requests, findings: "not simply IN" in findings[0]["advice"])
def _(t):
    t.q("SELECT id FROM {s}.posts ORDER BY id")
    for i in range(1, 21):
        t.q("SELECT id FROM {s}.comments WHERE post_id = ? ORDER BY id DESC LIMIT 1", i)


def is_a_tree(requests, findings):
    inner = [f for f in findings if f["parent"]]
    return len(inner) == 1 and inner[0]["source"]["column"] == "items.product_id → products.id"


@row("38", "loops in loops", PROVEN, PROVEN, check=is_a_tree)
def _(t):
    t.q("SELECT id FROM {s}.orders ORDER BY id LIMIT 8")
    for order in range(1, 9):
        t.q("SELECT id, product_id FROM {s}.items WHERE order_id = ?", order)
        for item in (2 * order - 1, 2 * order):
            t.q("SELECT id, sku FROM {s}.products WHERE id = ?", product_of(item))


@row("39", "health checks and probes of drivers", check=lambda requests, findings: requests[0]["queries"] == 1 and requests[0]["setup"] >= 12)
def _(t):
    for _ in range(6):
        for sql in t.probes():
            t.q(sql)
    t.q("SELECT count(*) FROM {s}.posts")


@row("40", "savepoints", check=lambda requests, findings: requests[0]["queries"] == 4 and requests[0]["control"] == 14)
def _(t):
    t.q("BEGIN", control=True)
    for i in range(1, 5):
        t.q("SAVEPOINT s%d" % i, control=True)
        t.q("UPDATE {s}.jobs SET status = ? WHERE id = %d" % (i % 3 + 1), "s%d" % i)
        t.q("ROLLBACK TO SAVEPOINT s%d" % i if i % 2 else "RELEASE SAVEPOINT s%d" % i, control=True)
        if i % 2:
            t.q("RELEASE SAVEPOINT s%d" % i, control=True)
    for i in (5, 6):
        t.q("SAVEPOINT s%d" % i, control=True)
    t.q("COMMIT", control=True)


@row("41", "tests inside one transaction", untagged=NEVER_PROVEN)
def _(t):
    t.q("BEGIN", control=True)
    for test in range(3):
        t.request()
        t.q("SAVEPOINT test", control=True)
        for i in range(1, 4):
            t.q(LOOKUP, 3 * test + i)
        t.q("ROLLBACK TO SAVEPOINT test", control=True)
        t.q("RELEASE SAVEPOINT test", control=True)
    t.q("ROLLBACK", control=True)


def seen_twice(requests, findings):
    return findings[0]["repeat"]["executions"] == 20 and len(requests) == 2


# The text of a kept statement cannot carry the request: a setting of the session does.
@row("43", "a prepared statement that the second request finds prepared", PROVEN, variants=EXTENDED + ("my-binary",), tagged=False, check=seen_twice)
def _(t):
    for request in ("first", "second"):
        t.session_request(request)
        list_orders(t)
        for i in range(1, 21):
            t.q(LOOKUP, customer_of(i), prepare=True)


@row("44", "one name for two statements, prepared by SQL", PROVEN, variants=("pg-simple",))
def _(t):
    t.q("PREPARE p (integer) AS SELECT sku FROM {s}.products WHERE id = $1")
    t.q("EXECUTE p (1)")
    t.q("DEALLOCATE p")
    t.q("PREPARE p (integer) AS SELECT name FROM {s}.customers WHERE id = $1")
    list_orders(t)
    for i in range(1, 13):
        t.q("EXECUTE p (%d)" % customer_of(i))


@row("52", "a heartbeat of another connection meanwhile", PROVEN, check=lambda requests, findings: [r["queries"] for r in requests] == [13])
def _(t):
    list_orders(t)
    for i in range(1, 13):
        t.q(LOOKUP, customer_of(i))
        t.c = 1
        t.q("SELECT count(*) FROM n", bare=True)
        t.c = 0


@row("53", "a data loader that falls back to single look-ups", PROVEN)
def _(t):
    list_orders(t)
    for i in range(1, 21):
        t.q("SELECT id, name FROM {s}.customers WHERE (id = ? AND 1 = 1) LIMIT ? OFFSET ?", customer_of(i), 1, 0)


@row("54", "small numbers that meet by chance", untagged=())
def _(t):
    t.q("SELECT id, level FROM {s}.orders ORDER BY id")
    for level in (0, 1):
        t.q("SELECT id FROM {s}.users WHERE id = ?", level)


@row("55", "keys as text and in bytes", PROVEN)
def _(t):
    t.q("SELECT id, title FROM {s}.documents ORDER BY title, id DESC")
    for i in range(29, 9, -1):
        t.q("SELECT title FROM {s}.documents WHERE id = ?", "6f1c2d%02d-0000-4000-8000-00000000000%d" % (i, i % 10))


@row("56", "a parent larger than what is kept", PROVEN, check=lambda requests, findings: findings[0]["source"]["rows"] == 400)
def _(t):
    t.q("SELECT id, payload FROM {s}.events ORDER BY id")
    for i in range(1, 101):
        t.q("SELECT payload FROM {s}.events WHERE id = ?", i)


@row("56b", "a wide parent, of which fewer rows are kept", PROVEN, check=lambda requests, findings: findings[0]["source"]["rows"] == 60)
def _(t):
    t.q("SELECT id, id + 100 AS b_id, id + 200 AS c_id, id + 300 AS d_id, id + 400 AS e_id, id + 500 AS f_id, id + 600 AS g_id, id + 700 AS h_id "
        "FROM {s}.customers ORDER BY id")
    for i in range(1, 61):
        t.q(LOOKUP, i)


@row("57", "a parent in an earlier request", SUSPECTED, untagged=NEVER_PROVEN)
def _(t):
    t.request()
    list_orders(t)
    t.pause()
    t.request()
    for i in range(1, 13):
        t.q(LOOKUP, customer_of(i))


def banners(t, now):
    t.q(f"SELECT id, title FROM {{s}}.banners WHERE starts <= '{now}' ORDER BY id")


@row("48", "the time of asking written into the text", ("duplicate", "suspected"), variants=TEXTS + EXTENDED,
     check=lambda requests, findings: "12x but for the time of asking" in findings[0]["evidence"])
def _(t):
    for zone in range(-6, 6):   # as clocks of any zone tell it
        banners(t, datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=zone))).strftime("%Y-%m-%d %H:%M:%S.%f"))


@row("48b", "times of long ago written into the text", SUSPECTED, variants=TEXTS + EXTENDED)
def _(t):
    for day in range(1, 7):
        banners(t, f"2025-02-0{day} 09:39:14")


# Rows that no single capture of statements can show, and where they are tested instead.
ELSEWHERE = {
    "8": ("poolers in transaction mode, before and behind", "tests/live/test_borders.py"),
    "42": ("a first request that warms caches", "tests/unit/test_gate.c (baseline over repeats)"),
    "45": ("quoted identifiers and strings by dialect", "tests/sql"),
    "46": ("comments in strings, hints, nested comments", "tests/sql"),
    "47": ("digits in identifiers", "tests/sql"),
    "49": ("duplicates through nested wrappers", "cannot happen on the wire"),
    "50": ("the tool's own queries", "tests/live (side connections are never counted)"),
    "51": ("slow machines", "tests/unit/test_gate.c (time never gates)"),
    "58": ("allow entries that match nothing", "tests/unit/test_gate.c"),
    "59": ("baselines that go stale", "tests/unit/test_gate.c"),
    "60": ("tolerances on the edge", "tests/unit/test_gate.c"),
}
