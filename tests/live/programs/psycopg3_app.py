# SPDX-License-Identifier: Apache-2.0
"""Two requests of a psycopg 3 program whose statements the driver prepares on the server. TAGGED=1: each names its request."""
import os

import psycopg

TAGGED = os.environ.get("TAGGED") == "1"


def tag(request):
    return f" /*route='GET /{request}',rowcall_request='{request}-1'*/" if TAGGED else ""


def orders(connection):
    comment = tag("orders")
    rows = connection.execute("SELECT id, customer FROM orders ORDER BY id" + comment, prepare=True).fetchall()
    for _, customer in rows:
        connection.execute("SELECT name FROM customers WHERE id = %s" + comment, [customer]).fetchone()
    connection.execute("SELECT name FROM customers WHERE id = %s" + comment, [rows[0][1]], binary=True).fetchone()


def rename(connection):
    comment = tag("rename")
    with connection.transaction():
        for customer in range(1, 9):
            connection.execute("UPDATE customers SET name = name || %s WHERE id = %s" + comment, ["", customer])
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO visits (customer) VALUES (%s)" + comment, [(n,) for n in range(1, 5)])


with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
    orders(connection)
    rename(connection)
