# SPDX-License-Identifier: Apache-2.0
# Tests of proxy/wire.

add_library(wire_replay STATIC wire/watcher.c wire/literal.c wire/pg_encode.c wire/my_encode.c wire/transcript.c wire/suite.c)
target_link_libraries(wire_replay PUBLIC wire PkgConfig::CMOCKA)

# PostgreSQL
rowcall_test(test_pg_transcripts unit/test_pg_transcripts.c wire_replay)
rowcall_test(test_pg_types unit/test_pg_types.c wire)

# MySQL and MariaDB
rowcall_test(test_my_transcripts unit/test_my_transcripts.c wire_replay)
