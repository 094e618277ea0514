# SPDX-License-Identifier: Apache-2.0
# Tests of reports/.

# records, rings, grouping
rowcall_test(test_ring unit/test_ring.c reports)
rowcall_test(test_filter unit/test_filter.c reports)
rowcall_test(test_tagset unit/test_tagset.c reports)
rowcall_test(test_grouping unit/test_grouping.c reports)
rowcall_test(test_grouping_limits unit/test_grouping_limits.c reports)
rowcall_test(test_analyzer unit/test_analyzer.c reports)

# rules, tallies, snapshot
add_library(golden_file STATIC unit/golden_file.c)
target_link_libraries(golden_file PUBLIC reports PkgConfig::CMOCKA)
add_library(req_builder STATIC unit/req_builder.c unit/collected.c)
target_link_libraries(req_builder PUBLIC golden_file reports PkgConfig::CMOCKA)
foreach(name histogram glob keymap words facts rules lineage clues location advice finding keep gate collector compare baseline)
  rowcall_test(test_${name} unit/test_${name}.c req_builder)
endforeach()
add_executable(collector_cost EXCLUDE_FROM_ALL bench/collector_cost.c)
target_link_libraries(collector_cost PRIVATE req_builder)

# lineage
add_executable(lineage_truth bench/lineage_truth.c)
target_link_libraries(lineage_truth PRIVATE reports)
add_test(NAME lineage_truth_names COMMAND lineage_truth 300 1)
add_test(NAME lineage_truth_keys COMMAND lineage_truth 300 1 keys)

# writers
add_library(sample_snapshot STATIC unit/sample_snapshot.c)
target_link_libraries(sample_snapshot PUBLIC reports)
rowcall_test(test_text unit/test_text.c reports)
rowcall_test(test_emit unit/test_emit.c reports)
rowcall_test(test_terminal unit/test_terminal.c reports)
rowcall_test(test_write_file unit/test_write_file.c reports)
rowcall_test(test_write unit/test_write.c sample_snapshot golden_file)
add_executable(sample_report unit/sample_report.c)
target_link_libraries(sample_report PRIVATE sample_snapshot)
add_test(NAME report_formats COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tests/check_formats.py $<TARGET_FILE:sample_report>)

# fix
rowcall_test(test_rewrite unit/test_rewrite.c reports)

# recordings
rowcall_test(test_packed unit/test_packed.c req_builder)
rowcall_test(test_store unit/test_store.c req_builder)
add_executable(recording_large EXCLUDE_FROM_ALL bench/recording_large.c)
target_link_libraries(recording_large PRIVATE req_builder)
