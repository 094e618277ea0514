/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of keymap.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "reports/requests/keymap.h"

static void
indexes_are_dense_and_stable(void **state)
{
	struct keymap m = { 0 };

	(void)state;
	assert_int_equal(keymap_find(&m, 1), KEYMAP_NONE);
	for (uint64_t i = 0; i < 5000; i++)
		assert_int_equal(keymap_add(&m, i * 0x100000000ull, 6000), i);
	for (uint64_t i = 0; i < 5000; i++) {
		assert_int_equal(keymap_find(&m, i * 0x100000000ull), i);
		assert_int_equal(keymap_add(&m, i * 0x100000000ull, 6000), i);
	}
	assert_int_equal(keymap_find(&m, 12345), KEYMAP_NONE);
	keymap_clear(&m);
	assert_int_equal(keymap_find(&m, 0), KEYMAP_NONE);
}

static void
limit_holds(void **state)
{
	struct keymap m = { 0 };

	(void)state;
	for (uint64_t i = 1; i <= 10; i++)
		assert_int_equal(keymap_add(&m, i, 10), i - 1);
	assert_int_equal(keymap_add(&m, 11, 10), KEYMAP_NONE);
	assert_int_equal(keymap_add(&m, 10, 10), 9);
	assert_int_equal(m.n, 10);
	keymap_clear(&m);
}

static void
kinds_of_names_differ(void **state)
{
	(void)state;
	assert_true(keymap_name("GET /", 0) == keymap_name("GET /", 0));
	assert_true(keymap_name("GET /", 0) != keymap_name("GET /", 1));
	assert_true(keymap_name("GET /", 0) != keymap_name("GET /o", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(indexes_are_dense_and_stable),
		cmocka_unit_test(limit_holds),
		cmocka_unit_test(kinds_of_names_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
