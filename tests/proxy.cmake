# SPDX-License-Identifier: Apache-2.0
# Configuration, command line, environment; the admin port.
foreach(name config env keep_run options pgpass url)
  rowcall_test(test_${name} unit/test_${name}.c settings)
endforeach()

if(TARGET rowcall)
  add_test(NAME readme COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tests/check_readme.py $<TARGET_FILE:rowcall>)
endif()
rowcall_test(test_admin unit/test_admin.c serve)
foreach(name session cancel)
  rowcall_test(test_${name} unit/test_${name}.c core)
endforeach()
rowcall_test(test_log unit/test_log.c core)

# For longer: build/fuzz/tests/fuzz_config -max_total_time=600 CORPUS tests/fuzz/config
if(ROWCALL_FUZZ)
  add_executable(fuzz_config fuzz/fuzz_config.c)
  target_link_libraries(fuzz_config PRIVATE settings)
  target_link_options(fuzz_config PRIVATE -fsanitize=fuzzer)
  add_test(NAME fuzz_config COMMAND fuzz_config -runs=0 ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/config)
endif()

# A whole session; as a test it runs over the seeds only. For longer: build/fuzz/tests/fuzz_session -max_total_time=600 CORPUS tests/fuzz/session
if(ROWCALL_FUZZ)
  add_executable(fuzz_session fuzz/fuzz_session.c)
  target_link_libraries(fuzz_session PRIVATE core)
  target_link_options(fuzz_session PRIVATE -fsanitize=fuzzer)
  add_test(NAME fuzz_session COMMAND fuzz_session -runs=0 ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/session)
endif()
