# SPDX-License-Identifier: Apache-2.0
# Tests of proxy/wire.

add_library(wire_replay STATIC wire/watcher.c wire/literal.c wire/pg_encode.c wire/my_encode.c wire/transcript.c wire/suite.c)
target_link_libraries(wire_replay PUBLIC wire PkgConfig::CMOCKA)

# rowcall_fuzzer(NAME): tests/fuzz/NAME.c with seeds made of transcripts by tests/fuzz/NAME_seeds.c; as a test it runs over the seeds only.
# For longer: build/fuzz/tests/NAME -max_total_time=600 CORPUS build/fuzz/tests/NAME.seeds
function(rowcall_fuzzer name transcripts)
  add_executable(${name} fuzz/${name}.c)
  target_link_libraries(${name} PRIVATE wire_replay)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_executable(${name}_seeds fuzz/${name}_seeds.c)
  target_link_libraries(${name}_seeds PRIVATE wire_replay)
  set(seeds ${CMAKE_CURRENT_BINARY_DIR}/${name}.seeds)
  add_test(NAME ${name} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
    COMMAND sh -c "mkdir -p '${seeds}' && '$<TARGET_FILE:${name}_seeds>' '${seeds}' ${transcripts} && '$<TARGET_FILE:${name}>' -runs=0 '${seeds}'")
endfunction()

rowcall_test(test_bytes unit/test_bytes.c wire)

# PostgreSQL
rowcall_test(test_pg_transcripts unit/test_pg_transcripts.c wire_replay)
rowcall_test(test_pg_types unit/test_pg_types.c wire)
rowcall_test(test_pg_limits unit/test_pg_limits.c wire_replay)
if(ROWCALL_FUZZ)
  rowcall_fuzzer(fuzz_pg "wire/pg/*.txt")
endif()

# MySQL and MariaDB
rowcall_test(test_my_transcripts unit/test_my_transcripts.c wire_replay)
rowcall_test(test_my_types unit/test_my_types.c wire)
rowcall_test(test_my_limits unit/test_my_limits.c wire_replay)
if(ROWCALL_FUZZ)
  rowcall_fuzzer(fuzz_my "wire/my/*.txt")
endif()
