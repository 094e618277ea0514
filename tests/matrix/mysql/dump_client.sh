#!/bin/bash
# mariadb-dump: a dump with its cursorless and its buffered way, loaded again.
set -eu
dump() { mariadb-dump --no-defaults -h "$MYSQL_HOST" -P "$MYSQL_TCP_PORT" -u "$MYSQL_USER" --skip-dump-date --max-allowed-packet=64M "$@" "$MYSQL_DATABASE"; }
load() { mariadb --no-defaults -h "$MYSQL_HOST" -P "$MYSQL_TCP_PORT" -u "$MYSQL_USER" --max-allowed-packet=64M "$MYSQL_DATABASE"; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

section() { echo "== $1"; }
section types
dump --single-transaction --quick --routines --triggers --hex-blob | sed "s/Host: .*/Host/" | tee "$scratch/all.sql"
section load
load <"$scratch/all.sql"
echo 'CREATE TABLE large AS SELECT REPEAT("x", 33554432) AS v' | load
section large
dump --skip-quick --skip-extended-insert | sed "s/Host: .*/Host/" >"$scratch/again.sql"
load <"$scratch/again.sql"
md5sum <"$scratch/again.sql"
