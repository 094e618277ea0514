# SPDX-License-Identifier: Apache-2.0
"""PyMySQL or, with the argument mysqlclient, MySQLdb: text protocol, several results, streamed rows, LOAD DATA LOCAL, kill, 32 MB both ways."""
import datetime
import decimal
import hashlib
import importlib
import os
import sys
import tempfile
import threading
import time

driver = importlib.import_module("MySQLdb" if sys.argv[1:] == ["mysqlclient"] else "pymysql")
cursors = importlib.import_module(f"{driver.__name__}.cursors")


def section(name):
    print("==", name)


def connect():
    environment = os.environ
    return driver.connect(host=environment["MYSQL_HOST"], port=int(environment["MYSQL_TCP_PORT"]), user=environment["MYSQL_USER"],
                          password=environment["MYSQL_PWD"], database=environment["MYSQL_DATABASE"], charset="utf8mb4", local_infile=1,
                          autocommit=True, **({} if driver.__name__ == "MySQLdb" else {"client_flag": 65536, "max_allowed_packet": 64 << 20}))


def attempt(sql, values=None, connection=None):
    cursor = (connection or db).cursor()
    try:
        cursor.execute(sql, values)
        while True:
            print(cursor.fetchall() if cursor.description else cursor.rowcount)
            if not cursor.nextset():
                break
    except (driver.Error, driver.Warning) as error:
        print(type(error).__name__, error)
    cursor.close()


def await_sleeper():
    observer = connect()
    found = ()
    with observer.cursor() as cursor:
        while not found:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE info = 'SELECT SLEEP(60)'")
            found = cursor.fetchall()
            time.sleep(0.02)
        cursor.execute(f"KILL QUERY {found[0][0]}")
    observer.close()


db = connect()
section("types")
attempt("SELECT * FROM types ORDER BY id")
attempt("INSERT INTO bound VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)", [1, 8_000_000_000, 2**64 - 1, 2.25, decimal.Decimal("12.5"), "Grüße '\\",
        b"\x00\xff'", datetime.datetime(2024, 2, 29, 13, 14, 15, 161718), None])
attempt("SELECT * FROM bound")

section("errors")
attempt("SELEC 1")
attempt("SELECT 1; SELECT nothing; SELECT 2 AS never")
attempt("INSERT INTO sink VALUES (1, 'one'), (1, 'again')")
attempt("SELECT 1; INSERT INTO counted (note) VALUES ('counted'); SELECT LAST_INSERT_ID()")
attempt("CALL several(2)")
attempt("CALL fails()")

section("transactions")
db.begin() if hasattr(db, "begin") else attempt("BEGIN")
attempt("INSERT INTO sink VALUES (1, 'kept')")
attempt("SAVEPOINT here")
attempt("INSERT INTO sink VALUES (1, 'refused')")
attempt("ROLLBACK TO here")
db.commit()
db.autocommit(False)
attempt("DELETE FROM sink")
db.rollback()
db.autocommit(True)
attempt("SELECT * FROM sink")

section("cursors")
with db.cursor(cursors.SSCursor) as cursor:
    cursor.execute("SELECT n FROM numbers ORDER BY n")
    print(cursor.fetchone(), cursor.fetchmany(3), sum(row[0] for row in cursor))
with db.cursor(cursors.DictCursor) as cursor:
    cursor.execute("SELECT n, t FROM numbers WHERE n = %s", (5,))
    print(cursor.fetchall())

section("batch")
with db.cursor() as cursor:
    print(cursor.executemany("INSERT INTO sink VALUES (%s, %s)", [(n, f"many {n}") for n in range(100, 400)]))
    print(cursor.executemany("UPDATE sink SET note = %s WHERE id = %s", [("changed", n) for n in range(100, 110)]))

section("load")
with tempfile.NamedTemporaryFile("w") as rows:
    rows.writelines(f"{n}\tloaded\n" for n in range(1000, 40000))
    rows.flush()
    with db.cursor() as cursor:
        cursor.execute(f"LOAD DATA LOCAL INFILE '{rows.name}' INTO TABLE sink")
        print(cursor.rowcount)

section("kill")
killer = threading.Thread(target=await_sleeper)
killer.start()
attempt("SELECT SLEEP(60)")
killer.join()
db.ping()
attempt("SELECT 'after'")

section("large")
with db.cursor() as cursor:
    cursor.execute("SELECT REPEAT('x', 33554432)")
    print(hashlib.md5(cursor.fetchone()[0].encode()).hexdigest())
attempt("SELECT LENGTH(%s)", ["y" * (32 << 20)])
try:
    with db.cursor() as cursor:
        cursor.execute("KILL CONNECTION_ID()")
except driver.Error as error:
    print(type(error).__name__)
