#!/bin/bash
# psql: simple queries, several statements in one text, \gdesc, FETCH_COUNT, COPY, notifications, SIGINT, 32 MB.
# A command of another version may stand in PSQL.
set -u
read -ra psql <<<"${PSQL:-psql}"
ask() { "${psql[@]}" -X "$@" 2>&1; }
section() { echo "== $1"; }
without_pid() { sed 's/PID [0-9]*/PID/'; }

section types
ask -x -c 'SELECT * FROM types ORDER BY id'
ask -A -c "SELECT 1; SELECT 'two'; ; SELECT n FROM numbers WHERE n = 3"

section prepared
ask <<'SQL'
PREPARE one (int) AS SELECT t FROM numbers WHERE n = $1;
EXECUTE one (1);
EXECUTE one (2);
DEALLOCATE one;
EXECUTE one (3);
SELECT n, t FROM numbers \gdesc
SQL

section errors
ask <<'SQL'
SELEC 1;
SELECT 1 / 0;
SELECT * FROM nowhere;
INSERT INTO sink VALUES (1, 'one'), (1, 'again');
\errverbose
SELECT 1 AS before \; SELECT 1 / 0 \; SELECT 2 AS never;
SELECT say('hello');
SQL

section transactions
ask <<'SQL'
BEGIN;
INSERT INTO sink VALUES (2, 'kept');
SAVEPOINT here;
INSERT INTO sink VALUES (2, 'refused');
SELECT 'aborted';
ROLLBACK TO here;
RELEASE here;
COMMIT;
\set ON_ERROR_ROLLBACK on
BEGIN;
SELECT 1 / 0;
INSERT INTO sink VALUES (3, 'kept');
END;
SELECT * FROM sink ORDER BY id;
SQL

section cursors
ask -v FETCH_COUNT=100 -At -c 'SELECT n FROM numbers WHERE n % 3 = 0 ORDER BY n' | md5sum
ask -At <<'SQL'
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT n FROM numbers ORDER BY n;
FETCH 3 FROM c;
MOVE 5 IN c;
FETCH BACKWARD 2 FROM c;
CLOSE c;
COMMIT;
SQL

section copy
ask <<'SQL'
COPY sink FROM STDIN;
10	ten
11	eleven
\.
COPY sink FROM STDIN;
12	twelve
x	no number
\.
COPY sink TO STDOUT;
\copy (SELECT n, t FROM numbers WHERE n < 4) to stdout csv header
SQL
seq 20 60000 | ask -c '\copy sink (id) from pstdin'
ask -c 'COPY sink TO STDOUT' | sort | md5sum

section notifications
ask -c 'LISTEN news' -c "NOTIFY news, 'hello'" -c 'SELECT 1' | without_pid

section cancel
ask -c 'SELECT pg_sleep(60) AS sleeper' &
until [ "$(ask -Atc "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%' AND state = 'active'")" = 1 ]; do sleep 0.05; done
# Of a command that enters another root first, the psql is the child.
kill -INT $! $(pgrep -P $!)
wait $!

section large
ask -At -c "SELECT repeat('x', 33554432)" | md5sum

section pipeline
case $(ask --version) in
*"(PostgreSQL) 1"[0-7]*) echo "this psql has none" ;;
*) ask <<'SQL'
\startpipeline
SELECT $1::int AS a \bind 1 \sendpipeline
SELECT 1 / $1::int \bind 0 \sendpipeline
SELECT 'skipped' \bind \sendpipeline
\syncpipeline
SELECT $1::text AS after \bind 'sync' \sendpipeline
\endpipeline
SELECT $1::int + $2::int \bind 1 2 \g
SELECT t FROM numbers WHERE n = $1 \parse named
\bind_named named 7 \g
\close_prepared named
SQL
;;
esac
