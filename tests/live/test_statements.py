# SPDX-License-Identifier: Apache-2.0
"""Which statements a client's texts hold and what each of them gave back, as real clients send them."""
import asyncio

import asyncpg
import pymysql
import pytest


@pytest.fixture
def mysql(rowcall, my):
    """A connection through rowcall that takes texts of several statements; ended, its report."""
    proxy = rowcall.proxy(my.url())
    connection = pymysql.connect(host="127.0.0.1", port=proxy.port, user="app", password="app", database="app", autocommit=True,
                                 client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS)

    def report():
        connection.close()
        outcome = proxy.stop()
        assert outcome.status == 0, outcome
        assert outcome.report["coverage"]["opaque_unexpected"] == 0
        return {shape["shape"]: shape for shape in outcome.report["shapes"]}
    return connection, report


def every_result(connection, text):
    """All result sets of a text."""
    cursor = connection.cursor()
    cursor.execute(text)
    rows = [cursor.fetchall()]
    while cursor.nextset():
        rows.append(cursor.fetchall())
    return rows


def test_the_results_of_a_procedure_are_one_statement(mysql):
    connection, report = mysql
    cursor = connection.cursor()
    cursor.execute("DROP PROCEDURE IF EXISTS two_results")
    cursor.execute("CREATE PROCEDURE two_results() BEGIN SELECT id FROM things WHERE id < 4; SELECT id FROM things WHERE id < 3; END")
    assert [len(rows) for rows in every_result(connection, "CALL two_results(); SELECT id FROM things WHERE id = 7; CALL two_results()")] \
        == [3, 2, 0, 1, 3, 2, 0]
    every_result(connection, "CALL two_results()")
    cursor.execute("DROP PROCEDURE two_results")
    shapes = report()
    call = shapes["CALL two_results()"]
    assert (call["executions"], call["rows"]) == (3, 15)
    lookup = shapes["SELECT id FROM things WHERE id = ?"]
    assert (lookup["executions"], lookup["rows"]) == (1, 1)


def test_a_procedure_that_fails_behind_its_first_result(mysql):
    connection, report = mysql
    cursor = connection.cursor()
    cursor.execute("DROP PROCEDURE IF EXISTS half")
    cursor.execute("CREATE PROCEDURE half() BEGIN SELECT id FROM things WHERE id < 4; SIGNAL SQLSTATE '45000'; END")
    with pytest.raises(pymysql.err.OperationalError):
        every_result(connection, "CALL half(); SELECT id FROM things WHERE id = 7")
    cursor.execute("DROP PROCEDURE half")
    shapes = report()
    call = shapes["CALL half()"]
    assert (call["executions"], call["rows"], call["errors"]) == (1, 3, 1)
    assert "SELECT id FROM things WHERE id = ?" not in shapes, "it never ran"


def test_a_cursor_fetched_in_pieces_is_one_statement_of_many_round_trips(rowcall, pg):
    proxy = rowcall.proxy(pg.url())

    async def fetch():
        connection = await asyncpg.connect(host="127.0.0.1", port=proxy.port, user="app", password="app", database="app")
        async with connection.transaction():
            rows = [row async for row in connection.cursor("SELECT id FROM things WHERE id <= 90", prefetch=30)]
        await connection.close()
        return len(rows)

    assert asyncio.run(fetch()) == 90
    outcome = proxy.stop()
    shapes = {shape["shape"]: shape for shape in outcome.report["shapes"]}
    cursor = shapes["SELECT id FROM things WHERE id <= ?"]
    assert (cursor["executions"], cursor["rows"]) == (1, 90)
    (request,) = (r for r in outcome.report["requests"] if r["queries"])
    # BEGIN, Parse, three pieces, COMMIT, each waited for; a fourth when the client asks whether there is more.
    assert request["round_trips"] in (6, 7), request


def test_a_text_prepared_by_sql_is_known_by_its_name(mysql):
    connection, report = mysql
    cursor = connection.cursor()
    cursor.execute("PREPARE look FROM 'SELECT id FROM things WHERE name = ''thing'' AND id = ?'")
    for i in (1, 2, 3):
        cursor.execute(f"SET @i = {i}")
        cursor.execute("EXECUTE Look USING @i")
    cursor.execute("SET @text = 'SELECT 1'")
    cursor.execute("PREPARE look FROM @text")
    cursor.execute("EXECUTE look")
    cursor.execute("DEALLOCATE PREPARE look")
    connection.ping()
    shapes = report()
    assert shapes["SELECT id FROM things WHERE name = ? AND id = ?"]["executions"] == 3
    assert shapes["EXECUTE ?"]["executions"] == 1, "what a variable held is not known"
