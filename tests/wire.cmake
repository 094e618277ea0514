# SPDX-License-Identifier: Apache-2.0
# Tests of proxy/wire.

add_library(wire_replay STATIC wire/watcher.c wire/literal.c wire/pg_encode.c wire/my_encode.c wire/transcript.c wire/suite.c)
target_link_libraries(wire_replay PUBLIC wire PkgConfig::CMOCKA)

rowcall_test(test_bytes unit/test_bytes.c wire)

# PostgreSQL
rowcall_test(test_pg_transcripts unit/test_pg_transcripts.c wire_replay)
rowcall_test(test_pg_types unit/test_pg_types.c wire)
rowcall_test(test_pg_limits unit/test_pg_limits.c wire_replay)
rowcall_fuzzer(fuzz_pg wire_replay ${CMAKE_CURRENT_BINARY_DIR}/fuzz_pg.seeds)
rowcall_fuzzer_seeds(fuzz_pg wire_replay "wire/pg/*.txt")

# MySQL and MariaDB
rowcall_test(test_my_transcripts unit/test_my_transcripts.c wire_replay)
rowcall_test(test_my_types unit/test_my_types.c wire)
rowcall_test(test_my_limits unit/test_my_limits.c wire_replay)
rowcall_fuzzer(fuzz_my wire_replay ${CMAKE_CURRENT_BINARY_DIR}/fuzz_my.seeds)
rowcall_fuzzer_seeds(fuzz_my wire_replay "wire/my/*.txt")
