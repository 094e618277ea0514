"""asyncpg: Flush-only preparation, everything binary, a cursor with row limits, executemany, COPY before the server is ready for it."""
import asyncio
import datetime
import decimal
import uuid

import asyncpg


async def main():
    conn = await asyncpg.connect(user="app", database="app", ssl=False)
    await conn.execute("create temp table t (id int primary key, name text, at timestamptz, n numeric, u uuid, ok bool, tags text[])")
    at = datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.timezone.utc)
    await conn.executemany("insert into t values ($1, $2, $3, $4, $5, $6, $7)",
                           [(i, f"name {i}", at, decimal.Decimal("12.50"), uuid.UUID(int=i), i % 2 == 0, ["a", "b c"]) for i in range(1, 6)])
    await conn.fetch("select id, name, at, n, u, ok from t where id = $1", 2)
    await conn.fetchrow("select name from t where id = $1", 99)
    async with conn.transaction():
        cursor = await conn.cursor("select id from t order by id")
        await cursor.fetch(2)
        await cursor.fetch(2)
        await cursor.fetch(2)
    try:
        await conn.fetch("select * from nowhere")
    except asyncpg.PostgresError:
        pass
    try:
        await conn.fetch("select 1/$1::int", 0)
    except asyncpg.PostgresError:
        pass
    await conn.copy_records_to_table("t", records=[(i, f"copied {i}", at, None, None, None, None) for i in range(10, 13)])
    await conn.reset()
    await conn.close()


asyncio.run(main())
