# SPDX-License-Identifier: Apache-2.0
# Tests of proxy/wire.

# PostgreSQL
add_library(wire_replay STATIC wire/watcher.c wire/pg_encode.c wire/transcript.c)
target_link_libraries(wire_replay PUBLIC wire)
rowcall_test(test_pg_transcripts unit/test_pg_transcripts.c wire_replay)

# MySQL and MariaDB
