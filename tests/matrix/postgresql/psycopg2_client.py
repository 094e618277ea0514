# SPDX-License-Identifier: Apache-2.0
"""psycopg2: simple queries with values written into them, server-side cursors, execute_values, COPY, cancel, notifications."""
import hashlib
import io
import threading
import time

import psycopg2
import psycopg2.extras


def section(name):
    print("==", name)


def attempt(connection, sql, *values):
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, *values)
            print(cursor.statusmessage, cursor.fetchall() if cursor.description else "")
    except psycopg2.Error as error:
        print(type(error).__name__, error.pgcode, str(error).strip())


def ask(connection, sql, values=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else cursor.statusmessage


def await_sleeper():
    with psycopg2.connect("") as observer:
        while ask(observer, "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'") != [(1,)]:
            observer.rollback()
            time.sleep(0.02)
    observer.close()


connection = psycopg2.connect("")
connection.autocommit = True

section("types")
for row in ask(connection, "SELECT * FROM types ORDER BY id"):
    print([bytes(v) if isinstance(v, memoryview) else v for v in row])
print(ask(connection, "SELECT %s, %s, %s, %s, %s", ["Grüße '", b"\x00\xff", 1.5, None, [1, 2]])[0][3:])

section("errors")
attempt(connection, "SELEC 1")
attempt(connection, "SELECT 1 / %s", [0])
attempt(connection, "SELECT 1; SELECT 1 / 0; SELECT 2 AS never")
attempt(connection, "SELECT say('hello')")
print(connection.notices)

section("transactions")
connection.autocommit = False
attempt(connection, "INSERT INTO sink VALUES (1, 'kept')")
attempt(connection, "SAVEPOINT here")
attempt(connection, "INSERT INTO sink VALUES (1, 'refused')")
attempt(connection, "SELECT 'aborted'")
attempt(connection, "ROLLBACK TO SAVEPOINT here")
connection.commit()
attempt(connection, "DELETE FROM sink")
connection.rollback()
print(ask(connection, "SELECT * FROM sink"))

section("cursors")
with connection.cursor("named", scrollable=True) as cursor:
    cursor.itersize = 100
    cursor.execute("SELECT n FROM numbers ORDER BY n")
    print(sum(row[0] for row in cursor))
    cursor.scroll(10, "absolute")
    print(cursor.fetchone(), cursor.fetchmany(3))
connection.commit()

section("batch")
with connection.cursor() as cursor:
    psycopg2.extras.execute_values(cursor, "INSERT INTO sink VALUES %s", [(n, f"values {n}") for n in range(100, 400)])
    psycopg2.extras.execute_batch(cursor, "UPDATE sink SET note = note || %s WHERE id = %s", [("!", n) for n in range(100, 350)])
    cursor.executemany("DELETE FROM sink WHERE id = %s", [(n,) for n in range(100, 110)])
    cursor.callproc("say", ["called"])
    print(cursor.fetchall())
print(ask(connection, "SELECT count(*), max(note) FROM sink"))
connection.commit()

section("copy")
with connection.cursor() as cursor:
    cursor.copy_expert("COPY sink FROM STDIN", io.StringIO("".join(f"{n}\tcopied\n" for n in range(1000, 20000))))
    print(cursor.rowcount)
    out = io.BytesIO()
    cursor.copy_expert("COPY (SELECT * FROM sink ORDER BY id) TO STDOUT WITH (FORMAT binary)", out)
    print(hashlib.md5(out.getvalue()).hexdigest())
connection.commit()
with connection.cursor() as cursor:
    try:
        cursor.copy_expert("COPY sink FROM STDIN", io.StringIO("not\ta number\n"))
    except psycopg2.Error as error:
        print(error.pgcode, error)
connection.rollback()

section("notifications")
connection.autocommit = True
ask(connection, "LISTEN news")
ask(connection, "NOTIFY news, 'hello'")
connection.poll()
print([(n.channel, n.payload) for n in connection.notifies])

section("cancel")
canceller = threading.Thread(target=lambda: (await_sleeper(), connection.cancel()))
canceller.start()
attempt(connection, "SELECT pg_sleep(60)")
canceller.join()
attempt(connection, "SELECT 'after'")

section("large")
print(hashlib.md5(ask(connection, "SELECT repeat('x', 33554432)")[0][0].encode()).hexdigest())
print(ask(connection, "SELECT length(%s)", ["y" * (32 << 20)]))
connection.close()
