"""PyMySQL: the plain MySQL dialect; text only, several statements, CALL, an unbuffered cursor, an error, ping, select_db."""
import os

import pymysql

conn = pymysql.connect(host=os.environ["MYSQL_HOST"], port=int(os.environ["MYSQL_TCP_PORT"]), user="app", password="app", database="d",
                       client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS)
cur = conn.cursor()
cur.execute("create or replace table t (id int primary key, name varchar(20))")
cur.executemany("insert into t values (%s, %s)", [(i, f"name {i}") for i in range(1, 6)])
conn.commit()
for i in range(1, 4):
    cur.execute("select name from t where id = %s", (i,))
    cur.fetchall()
cur.execute("select 1; select 2, 3; update t set name = 'x' where id = 1; select 4")
while cur.nextset():
    pass
cur.execute("create or replace procedure p(in a int) begin select a; select a + 1; end")
cur.callproc("p", (7,))
while cur.nextset():
    pass
try:
    cur.execute("select * from nowhere")
except pymysql.Error:
    conn.rollback()
stream = conn.cursor(pymysql.cursors.SSCursor)
stream.execute("select seq, repeat('x', 300) from seq_1_to_200")
stream.fetchall()
conn.ping()
conn.select_db("mysql")
cur.execute("drop table d.t; drop procedure d.p")
conn.close()
