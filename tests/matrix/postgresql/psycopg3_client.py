# SPDX-License-Identifier: Apache-2.0
"""psycopg 3: extended protocol throughout, prepared at once, binary results, pipelines with errors, server cursors, COPY, cancel."""
import datetime
import decimal
import hashlib
import logging
import threading
import time

import psycopg


def section(name):
    print("==", name)


def attempt(connection, sql, *values, **more):
    try:
        cursor = connection.execute(sql, *values, **more)
        print(cursor.statusmessage, cursor.fetchall() if cursor.description else "")
    except psycopg.Error as error:
        print(type(error).__name__, error.sqlstate, str(error).strip())


def await_sleeper():
    with psycopg.connect(autocommit=True) as observer:
        sql = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'"
        while observer.execute(sql).fetchone() != (1,):
            time.sleep(0.02)


logging.getLogger("psycopg").setLevel(logging.ERROR)    # its warnings name the port
connection = psycopg.connect(autocommit=True, prepare_threshold=0)

section("types")
for binary in (False, True):
    with connection.cursor(binary=binary) as cursor:
        for row in cursor.execute("SELECT * FROM types WHERE id <> 2 ORDER BY id"):
            print(row)
values = [1, 8_000_000_000, 2.25, decimal.Decimal("12.5"), "Grüße", b"\x00\xff", True, datetime.datetime(2024, 2, 29, 13, 14, 15), None]
for _ in range(2):
    connection.execute("INSERT INTO bound VALUES (%s, %s, %s, %s, %s, %b, %s, %s, %s)", values)
print(connection.execute("SELECT * FROM bound").fetchall())

section("prepared")
for n in range(5):
    print(connection.execute("SELECT t FROM numbers WHERE n = %s", [n], prepare=True).fetchall())
print(connection.execute("SELECT name LIKE '_pg3%', statement FROM pg_prepared_statements ORDER BY 2").fetchall())
connection.execute("DEALLOCATE ALL")

section("errors")
attempt(connection, "SELEC %s", [1])
attempt(connection, "SELECT 1 / %s::int", [0])
attempt(connection, "SELECT 1; SELECT 2")
attempt(connection, "SELECT %s::int", ["no number"])
attempt(connection, "SELECT 1 / 0")

section("transactions")
with connection.transaction():
    connection.execute("INSERT INTO sink VALUES (1, 'kept')")
    try:
        with connection.transaction("here"):
            connection.execute("INSERT INTO sink VALUES (%s, 'refused')", [1])
    except psycopg.errors.UniqueViolation as error:
        print(error)
    connection.execute("INSERT INTO sink VALUES (2, 'kept')")
with connection.transaction(force_rollback=True):
    connection.execute("DELETE FROM sink")
print(connection.execute("SELECT * FROM sink ORDER BY id").fetchall())

section("cursors")
with connection.transaction(), connection.cursor("named", scrollable=True) as cursor:
    cursor.itersize = 100
    cursor.execute("SELECT n FROM numbers ORDER BY n")
    print(sum(row[0] for row in cursor))
    cursor.scroll(10, "absolute")
    print(cursor.fetchone(), cursor.fetchmany(3))
with connection.cursor() as cursor:
    print(sum(row[0] for row in cursor.stream("SELECT n FROM numbers")))

section("batch")
with connection.cursor() as cursor:
    cursor.executemany("INSERT INTO sink VALUES (%s, %s)", [(n, f"many {n}") for n in range(100, 200)])
    print(cursor.rowcount)
    cursor.executemany("SELECT t FROM numbers WHERE n = %s", [(1,), (2,)], returning=True)
    print(cursor.fetchall(), cursor.nextset(), cursor.fetchall())

section("pipeline")
with connection.pipeline() as pipeline:
    cursors = [connection.execute("SELECT t FROM numbers WHERE n = %s", [n]) for n in range(30)]
    pipeline.sync()
    print([c.fetchall() for c in cursors])
for middle in ("SELECT 1 / %s::int", "SELEC %s"):
    try:
        with connection.pipeline():
            connection.execute("SELECT 'before'")
            connection.execute(middle, [0])
            connection.execute("SELECT 'skipped'")
    except psycopg.Error as error:
        print(type(error).__name__, error)
with connection.pipeline(), connection.transaction():
    connection.execute("INSERT INTO sink VALUES (300, 'in a pipeline')")
    print(connection.execute("SELECT count(*) FROM sink").fetchone())

section("copy")
with connection.cursor() as cursor:
    with cursor.copy("COPY sink FROM STDIN") as copy:
        for n in range(1000, 20000):
            copy.write_row((n, "copied"))
    print(cursor.rowcount)
    digest = hashlib.md5()
    with cursor.copy("COPY (SELECT * FROM sink ORDER BY id) TO STDOUT (FORMAT binary)") as copy:
        for chunk in copy:
            digest.update(chunk)
    print(digest.hexdigest())
    try:
        with cursor.copy("COPY sink FROM STDIN") as copy:
            copy.write(b"1\tagain\n")
            raise RuntimeError("the client gave up")
    except psycopg.errors.QueryCanceled as error:
        print(error)

section("notifications")
heard = []
connection.add_notify_handler(lambda note: heard.append(note.payload))
connection.add_notice_handler(lambda notice: heard.append(notice.message_primary))
connection.execute("LISTEN news")
connection.execute("NOTIFY news, 'hello'")
connection.execute("SELECT say('said')")
print(heard)

section("cancel")
canceller = threading.Thread(target=lambda: (await_sleeper(), connection.cancel()))
canceller.start()
attempt(connection, "SELECT pg_sleep(60)")
canceller.join()
attempt(connection, "SELECT 'after'")

section("large")
print(hashlib.md5(connection.execute("SELECT repeat('x', 33554432)").fetchone()[0].encode()).hexdigest())
print(connection.execute("SELECT length(%s)", ["y" * (32 << 20)]).fetchone())
connection.close()
