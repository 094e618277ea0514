# SPDX-License-Identifier: Apache-2.0
"""asyncpg: binary everything, portals with row limits, executemany, binary COPY, a timeout that cancels, the reset of a pool."""
import asyncio
import datetime
import decimal
import hashlib
import io
import os

import asyncpg


def section(name):
    print("==", name)


async def attempt(answer):
    try:
        print(await answer)
    except (asyncpg.PostgresError, asyncio.TimeoutError, asyncpg.InterfaceError) as error:
        print(type(error).__name__, getattr(error, "sqlstate", ""), error)


async def types(connection):
    section("types")
    for row in await connection.fetch("SELECT * FROM types WHERE id <> 2 ORDER BY id"):
        print(dict(row))
    await connection.execute("INSERT INTO bound VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", 1, 8_000_000_000, 2.25, decimal.Decimal("12.5"),
                             "Grüße", b"\x00\xff", True, datetime.datetime(2024, 2, 29, 13, 14, 15), None)
    print(await connection.fetch("SELECT * FROM bound"))


async def prepared(connection):
    section("prepared")
    statement = await connection.prepare("SELECT t FROM numbers WHERE n = $1")
    print(statement.get_parameters(), [await statement.fetchval(n) for n in range(1, 6)])
    print([await connection.fetchval("SELECT n FROM numbers WHERE t = $1", f"number {n}") for n in range(1, 6)])


async def errors(connection):
    section("errors")
    await attempt(connection.fetch("SELEC 1"))
    await attempt(connection.fetch("SELECT 1 / $1::int", 0))
    await attempt(connection.execute("SELECT 1; SELECT 1 / 0; SELECT 2 AS never"))
    await attempt(connection.fetch("SELECT $1::int", "no number"))


async def transactions(connection):
    section("transactions")
    async with connection.transaction(isolation="serializable"):
        await connection.execute("INSERT INTO sink VALUES (1, 'kept')")
        try:
            async with connection.transaction():
                await connection.execute("INSERT INTO sink VALUES ($1, 'refused')", 1)
        except asyncpg.UniqueViolationError as error:
            print(error)
    print(await connection.fetch("SELECT * FROM sink"))


async def cursors(connection):
    section("cursors")
    async with connection.transaction():
        print(sum([row["n"] async for row in connection.cursor("SELECT n FROM numbers WHERE n > $1", 10, prefetch=50)]))
        cursor = await connection.cursor("SELECT n FROM numbers ORDER BY n")
        print(await cursor.fetch(3), await cursor.forward(5), await cursor.fetchrow())


async def batch(connection):
    section("batch")
    await connection.executemany("INSERT INTO sink VALUES ($1, $2)", [(n, f"many {n}") for n in range(100, 1100)])
    await attempt(connection.executemany("INSERT INTO sink VALUES ($1, $2)", [(2000, "undone"), (100, "again"), (2001, "never")]))
    print(await connection.fetch("SELECT count(*), max(note) FROM sink"))


async def copy(connection):
    section("copy")
    print(await connection.copy_records_to_table("sink", records=[(n, "copied") for n in range(10000, 30000)]))
    out = io.BytesIO()
    print(await connection.copy_from_query("SELECT * FROM sink ORDER BY id", output=out, format="binary"))
    print(hashlib.md5(out.getvalue()).hexdigest())
    await attempt(connection.copy_to_table("sink", source=io.BytesIO(b"not\ta number\n")))


async def cancel(connection):
    section("cancel")
    await attempt(connection.fetch("SELECT pg_sleep(60)", timeout=0.3))
    await attempt(connection.fetchval("SELECT 'after'"))


async def large(connection):
    section("large")
    print(hashlib.md5((await connection.fetchval("SELECT repeat('x', 33554432)")).encode()).hexdigest())
    print(await connection.fetchval("SELECT length($1)", "y" * (32 << 20)))


async def main():
    pool = await asyncpg.create_pool(min_size=1, max_size=1, password=os.environ["PGPASSWORD"])
    for part in (types, prepared, errors, transactions, cursors, batch, copy, cancel, large):
        async with pool.acquire() as connection:    # each release sends the pool's reset
            await part(connection)
    heard = []
    section("notifications")
    async with pool.acquire() as connection:
        await connection.add_listener("news", lambda *note: heard.append(note[2:]))
        await connection.execute("NOTIFY news, 'hello'")
        await connection.execute("SELECT 1")
        print(heard)
        await connection.reset()
    await pool.close()


asyncio.run(main())
