/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of glob.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "reports/judge/glob.h"

static void
patterns_match(void **state)
{
	(void)state;
	assert_true(glob_match("GET /orders", "GET /orders"));
	assert_true(glob_match("*", ""));
	assert_true(glob_match("*", "(untagged)"));
	assert_true(glob_match("GET /*", "GET /orders/7/items"));
	assert_true(glob_match("tests/slow/*", "tests/slow/a/test_x.py::test_y[1-2]"));
	assert_true(glob_match("*::test_y[1-2]", "tests/slow/a/test_x.py::test_y[1-2]"));
	assert_true(glob_match("App\\*", "App\\Jobs\\Mail"));
	assert_true(glob_match("a*b*c", "aXbXbXc"));
	assert_true(glob_match("?ET /*", "GET /"));
	assert_true(glob_match("**", "x"));
	assert_true(glob_match("a*", "a*"));
	assert_true(glob_match("", ""));
}

static void
near_misses_do_not(void **state)
{
	(void)state;
	assert_false(glob_match("GET /orders", "GET /orders/"));
	assert_false(glob_match("GET /order", "GET /orders"));
	assert_false(glob_match("", "x"));
	assert_false(glob_match("?", ""));
	assert_false(glob_match("a*b*c", "aXbXbX"));
	assert_false(glob_match("test_y[12]", "test_y1"));
	assert_false(glob_match("get /*", "GET /orders"));
}

/* The classic trap for backtracking matchers: this must end at once. */
static void
hostile_patterns_end(void **state)
{
	char text[4001], pattern[201];

	(void)state;
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (size_t i = 0; i < sizeof pattern - 1; i += 2) {
		pattern[i] = '*';
		pattern[i + 1] = 'a';
	}
	pattern[sizeof pattern - 2] = 'b';
	pattern[sizeof pattern - 1] = '\0';
	for (int i = 0; i < 100; i++)
		assert_false(glob_match(pattern, text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match),
		cmocka_unit_test(near_misses_do_not),
		cmocka_unit_test(hostile_patterns_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
