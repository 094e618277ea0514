"""psycopg 3: unnamed and prepared statements, text and binary, pipeline mode with an error, COPY both ways, a server-side cursor."""
import psycopg

conn = psycopg.connect("dbname=app user=app", autocommit=True)
cur = conn.cursor()
cur.execute("create temp table t (id int primary key, name text)")
for i in range(1, 8):
    cur.execute("insert into t values (%s, %s)", (i, f"name {i}"))
cur.execute("select id, name from t where id = %b", (3,), binary=True)
cur.fetchall()
cur.execute("select name from t where id = %s", (4,), prepare=True)
cur.execute("select name from t where id = %s", (5,), prepare=True)
cur.executemany("insert into t values (%s, %s)", [(20, "a"), (21, None)])
with conn.pipeline() as pipeline:
    one = conn.execute("select 1 where %s > 0", (1,))
    two = conn.execute("select 2 where %s > 0", (2,))
    one.fetchall()
    conn.execute("select 3")
    pipeline.sync()
    failed = conn.execute("select * from nowhere where id = %s", (1,))
    conn.execute("select 'never executed'")
    try:
        pipeline.sync()
        failed.fetchall()
    except psycopg.Error:
        pass
with cur.copy("copy t from stdin") as copy:
    copy.write_row((30, "thirty"))
    copy.write_row((31, None))
with cur.copy("copy t to stdout (format binary)") as copy:
    for _ in copy:
        pass
with conn.transaction():
    with conn.cursor("named") as named:
        named.execute("select id from t order by id")
        named.fetchmany(2)
        named.fetchmany(2)
try:
    cur.execute("select %s::int", ("no number",))
except psycopg.Error:
    pass
conn.close()
