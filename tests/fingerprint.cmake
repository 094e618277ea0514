# SPDX-License-Identifier: Apache-2.0
# Tests of the fingerprint room.

rowcall_test(test_skeleton unit/test_skeleton.c fingerprint)
rowcall_test(test_sql_cases unit/test_sql_cases.c fingerprint)
