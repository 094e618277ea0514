"""mysqlclient: Connector/C below; rewritten executemany, CALL, several statements, stat, autocommit, an error."""
import os

import MySQLdb
import MySQLdb.constants.CLIENT

conn = MySQLdb.connect(host=os.environ["MYSQL_HOST"], port=int(os.environ["MYSQL_TCP_PORT"]), user="app", passwd="app", db="d",
                       client_flag=MySQLdb.constants.CLIENT.MULTI_STATEMENTS)
cur = conn.cursor()
cur.execute("create or replace table t (id int primary key, name varchar(20), b blob)")
cur.executemany("insert into t values (%s, %s, %s)", [(1, "one", b"\x00\xff"), (2, None, b"")])
conn.commit()
cur.execute("select * from t where id in (%s, %s)", (1, 2))
cur.fetchall()
cur.execute("select 1; select 2")
while cur.nextset() is not None:
    pass
cur.execute("create or replace procedure p() select 5")
cur.callproc("p")
cur.close()
cur = conn.cursor()
conn.stat()
conn.autocommit(True)
try:
    cur.execute("insert into t values (1, 'again', null)")
except MySQLdb.Error:
    pass
cur.execute("drop table t")
cur.execute("drop procedure p")
conn.close()
