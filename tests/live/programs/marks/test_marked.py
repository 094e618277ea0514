# SPDX-License-Identifier: Apache-2.0
"""What a project's tests look like to conf/integrations/pytest_marks.py: one that asks once per row, one that does not, one whose fixture asks."""
import os

import psycopg2
import pytest


@pytest.fixture
def cursor():
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SELECT count(*) FROM orders")
    yield cursor
    connection.close()


def test_loop(cursor):
    cursor.execute("SELECT customer_id FROM orders ORDER BY id")
    for (customer,) in cursor.fetchall():
        cursor.execute("SELECT name FROM customers WHERE id = %s", (customer,))


@pytest.mark.parametrize("word", ["short", "ü" * 300])
def test_join(cursor, word):
    cursor.execute("SELECT c.name FROM orders o JOIN customers c ON c.id = o.customer_id")
    assert cursor.rowcount == 12
