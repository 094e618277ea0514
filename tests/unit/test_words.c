/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of words.c: rounding and units. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "reports/judge/words.h"

static void
durations(void **state)
{
	struct arena a = { NULL, 0 };

	(void)state;
	assert_string_equal(words_ns(&a, 0), "0.0 ms");
	assert_string_equal(words_ns(&a, 4999), "0.0 ms");
	assert_string_equal(words_ns(&a, 5000), "0.01 ms");
	assert_string_equal(words_ns(&a, 94999), "0.09 ms");
	assert_string_equal(words_ns(&a, 95000), "0.1 ms");
	assert_string_equal(words_ns(&a, 300000), "0.3 ms");
	assert_string_equal(words_ns(&a, 9949999), "9.9 ms");
	assert_string_equal(words_ns(&a, 9950000), "10 ms");
	assert_string_equal(words_ns(&a, 41300000), "41 ms");
	assert_string_equal(words_ns(&a, 999499999), "999 ms");
	assert_string_equal(words_ns(&a, 999500000), "1.0 s");
	assert_string_equal(words_ns(&a, 2140000000), "2.1 s");
	assert_string_equal(words_ns(&a, 65000000000), "65 s");
	arena_clear(&a);
}

static void
sizes_and_counts(void **state)
{
	struct arena a = { NULL, 0 };

	(void)state;
	assert_string_equal(words_bytes(&a, 999), "999 bytes");
	assert_string_equal(words_bytes(&a, 1000), "1.0 kB");
	assert_string_equal(words_bytes(&a, 999499), "999 kB");
	assert_string_equal(words_bytes(&a, 999500), "1.0 MB");
	assert_string_equal(words_bytes(&a, 8400000), "8.4 MB");
	assert_string_equal(words_count(&a, 1, "query", "queries"), "1 query");
	assert_string_equal(words_count(&a, 0, "query", "queries"), "0 queries");
	assert_string_equal(arena_str(&a, NULL), "");
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(sizes_and_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
