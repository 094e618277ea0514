# SPDX-License-Identifier: Apache-2.0
# Tests of the fingerprint room.

rowcall_test(test_skeleton unit/test_skeleton.c fingerprint)
add_library(golden STATIC unit/golden.c)
target_link_libraries(golden PUBLIC fingerprint)
rowcall_test(test_sql_cases unit/test_sql_cases.c golden)
rowcall_test(test_identity unit/test_identity.c fingerprint)
rowcall_test(test_parameters unit/test_parameters.c fingerprint wire)
rowcall_test(test_sql_secrets unit/test_sql_secrets.c fingerprint)
rowcall_test(test_sql_edge unit/test_sql_edge.c fingerprint)

# Over the golden cases and what it once found. For longer take -dict=tests/fuzz/fuzz_sql.dict, too.
rowcall_fuzzer(fuzz_sql fingerprint ${CMAKE_CURRENT_BINARY_DIR}/fuzz_sql.seeds ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/sql)
rowcall_fuzzer_seeds(fuzz_sql golden "sql/*.cases")
set_tests_properties(fuzz_sql PROPERTIES ENVIRONMENT ROWCALL_FUZZ_AGAIN=1)

# PostgreSQL's parser as an oracle.
if(TARGET rowcall)
  add_test(NAME fingerprint_filter COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/check_fingerprint.py $<TARGET_FILE:rowcall>)
  file(GLOB cases CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/sql/postgresql-*.cases)
  add_test(NAME sql_oracle COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/check_pg_query.py $<TARGET_FILE:rowcall> ${cases})
endif()
