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

rowcall_fuzzer(fuzz_config settings ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/config)
# A whole session over socket pairs.
rowcall_fuzzer(fuzz_session core ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/session)
