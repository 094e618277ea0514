#!/bin/bash
# pg_dump and pg_restore: plain, custom, and a directory written by two sessions that share a snapshot.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Newer minor versions guard plain dumps with a key that is random unless given.
key=
! pg_dump --help | grep -q restrict-key || key=--restrict-key=matrix

echo "== copy"
pg_dump $key -f "$scratch/before.sql"
cat "$scratch/before.sql"
echo "== batch"
pg_dump -Fd -j 2 -f "$scratch/directory"
pg_restore -d "$PGDATABASE" --clean -j 2 "$scratch/directory"
pg_dump $key --inserts | md5sum
echo "== large"
psql -Xq -c "CREATE TABLE large AS SELECT repeat(n::text, 33554432) AS v FROM generate_series(1, 2) n"
pg_dump -Fc -f "$scratch/custom"
psql -Xq -c "DROP TABLE large, sink"
pg_restore -d "$PGDATABASE" --clean --if-exists --single-transaction "$scratch/custom"
pg_dump $key | md5sum
