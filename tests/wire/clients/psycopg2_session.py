"""psycopg2: simple protocol only; implicit BEGIN, a server-side cursor, copy_expert, an error and its rollback."""
import io

import psycopg2

conn = psycopg2.connect(dbname="app", user="app")
cur = conn.cursor()
cur.execute("create temp table t (id int, name text)")
cur.executemany("insert into t values (%s, %s)", [(1, "one"), (2, None)])
cur.execute("select * from t where id = %s", (1,))
cur.fetchall()
cur.copy_expert("copy t from stdin", io.StringIO("7\tseven\n8\teight\n"))
cur.copy_expert("copy t to stdout", io.StringIO())
conn.commit()
named = conn.cursor("named")
named.itersize = 2
named.execute("select id from t order by id")
list(named)
try:
    cur.execute("select 1/0")
except psycopg2.Error:
    conn.rollback()
conn.autocommit = True
cur.execute("select 1; select 2")
conn.close()
