#!/bin/bash
# The mysql or mariadb program: text queries, several statements in one text, errors, EXECUTE by SQL, LOAD DATA LOCAL, kill, 32 MB.
# A command of another version may stand in MYSQL, with options of its own.
set -u
read -ra mysql <<<"${MYSQL:-mariadb --no-defaults}"
ask() { "${mysql[@]}" -h "$MYSQL_HOST" -P "$MYSQL_TCP_PORT" -u "$MYSQL_USER" --local-infile=1 --max-allowed-packet=64M "$@" "$MYSQL_DATABASE" 2>&1; }
section() { echo "== $1"; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

section types
ask -t -e 'SELECT * FROM types ORDER BY id\G'
ask --column-type-info -e 'SELECT * FROM types WHERE id = 1' | grep -v '^Catalog'
ask -e "SELECT 1; SELECT 'two'; SELECT n FROM numbers WHERE n = 3"

section prepared
ask -f <<'SQL'
PREPARE one FROM 'SELECT t FROM numbers WHERE n = ?';
SET @n = 2;
EXECUTE one USING @n;
DEALLOCATE PREPARE one;
EXECUTE one;
SQL

section errors
ask -f <<'SQL'
SELEC 1;
SELECT * FROM nowhere;
INSERT INTO sink VALUES (1, 'one'), (1, 'again');
SELECT 1 / 0;
SHOW WARNINGS;
CALL several(2);
CALL fails();
SELECT nothing;
SQL
ask --delimiter=// -e "SELECT 1; SELECT nothing; SELECT 2 AS never//"

section transactions
ask -f <<'SQL'
START TRANSACTION;
INSERT INTO sink VALUES (2, 'kept');
SAVEPOINT here;
INSERT INTO sink VALUES (2, 'refused');
ROLLBACK TO here;
COMMIT;
BEGIN;
DELETE FROM sink;
ROLLBACK;
SELECT * FROM sink ORDER BY id;
SQL

section load
seq 20 60000 >"$scratch/rows"
ask -vv -e "LOAD DATA LOCAL INFILE '$scratch/rows' INTO TABLE sink (id)" | grep -v -e 'sec)' -e LOAD
ask -e "LOAD DATA LOCAL INFILE '$scratch/nowhere' INTO TABLE sink (id)" | sed "s|$scratch||"
ask -e 'SELECT COUNT(*) FROM sink'

section kill
ask -e 'SELECT SLEEP(60)' &
while id=$(ask -BNe "SELECT MAX(id) FROM information_schema.processlist WHERE info = 'SELECT SLEEP(60)'") && [ "$id" = NULL ]; do sleep 0.05; done
ask -e "KILL QUERY $id"
wait $!
ask -e 'KILL CONNECTION_ID(); SELECT 1 AS never' | sed 's/.*ERROR \([0-9]*\).*/killed/'

section large
ask -BN -e "SELECT REPEAT('x', 33554432)" | md5sum
