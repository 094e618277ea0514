# SPDX-License-Identifier: Apache-2.0
# Tests of the fingerprint room.

rowcall_test(test_skeleton unit/test_skeleton.c fingerprint)
add_library(golden STATIC unit/golden.c)
target_link_libraries(golden PUBLIC fingerprint)
rowcall_test(test_sql_cases unit/test_sql_cases.c golden)
rowcall_test(test_identity unit/test_identity.c fingerprint)
rowcall_test(test_parameters unit/test_parameters.c fingerprint wire)
rowcall_test(test_sql_secrets unit/test_sql_secrets.c fingerprint)

# The fuzzer's harness over the golden cases and over what it once found. For longer, in the fuzz preset:
#   build/fuzz/tests/fuzz_sql -max_total_time=600 -dict=tests/fuzz/fuzz_sql.dict CORPUS build/fuzz/tests/fuzz_sql.seeds tests/fuzz/sql
add_executable(fuzz_sql_seeds fuzz/fuzz_sql_seeds.c)
target_link_libraries(fuzz_sql_seeds PRIVATE golden)
add_test(NAME fuzz_sql_seeds WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
  COMMAND sh -c "mkdir -p '${CMAKE_CURRENT_BINARY_DIR}/fuzz_sql.seeds' && '$<TARGET_FILE:fuzz_sql_seeds>' '${CMAKE_CURRENT_BINARY_DIR}/fuzz_sql.seeds' sql/*.cases")
set_tests_properties(fuzz_sql_seeds PROPERTIES FIXTURES_SETUP sql_seeds)
if(ROWCALL_FUZZ)
  add_executable(fuzz_sql fuzz/fuzz_sql.c)
  target_link_options(fuzz_sql PRIVATE -fsanitize=fuzzer)
  set(run_once -runs=0)
else()
  add_executable(fuzz_sql fuzz/fuzz_sql.c fuzz/replay.c)
  set(run_once)
endif()
target_link_libraries(fuzz_sql PRIVATE fingerprint)
add_test(NAME fuzz_sql COMMAND fuzz_sql ${run_once} ${CMAKE_CURRENT_BINARY_DIR}/fuzz_sql.seeds ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/sql)
set_tests_properties(fuzz_sql PROPERTIES FIXTURES_REQUIRED sql_seeds)

# PostgreSQL's parser as an oracle.
if(TARGET rowcall)
  add_test(NAME fingerprint_filter COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/check_fingerprint.py $<TARGET_FILE:rowcall>)
  file(GLOB cases CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/sql/postgresql-*.cases)
  add_test(NAME sql_oracle COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/check_pg_query.py $<TARGET_FILE:rowcall> ${cases})
endif()
