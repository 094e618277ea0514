#!/bin/bash
# pg_basebackup with the log streamed on a second connection: two sessions that are replication and nothing else.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo "== replication"
pg_basebackup -D "$scratch/backup" -X stream -c fast
"$(pg_config --bindir)/pg_verifybackup" -q -n "$scratch/backup"
find "$scratch/backup" -maxdepth 1 -type d -printf '%f\n' | sort
