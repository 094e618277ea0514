/* SPDX-License-Identifier: Apache-2.0 */
/* Which address a CancelRequest goes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/core/cancel.h"

static struct address
numbered(uint16_t port)
{
	struct address a;

	assert_true(address_numeric(&a, "127.0.0.1", port));
	return a;
}

static void
a_key_leads_to_the_address_of_its_session_until_that_ends(void **state)
{
	struct cancel_map *m = cancel_map_new();
	struct address one = numbered(1), two = numbered(2), got;

	(void)state;
	assert_true(cancel_map_put(m, 7, span_of("AAAABBBB", 8), &one));
	assert_true(cancel_map_put(m, 7 + 1024, span_of("AAAACCCC", 8), &two));
	assert_true(cancel_map_get(m, span_of("AAAACCCC", 8), &got));
	assert_int_equal(address_port(&got), 2);
	assert_false(cancel_map_get(m, span_of("AAAACCC", 7), &got));
	cancel_map_drop(m, 7 + 1024);
	assert_false(cancel_map_get(m, span_of("AAAACCCC", 8), &got));
	assert_true(cancel_map_get(m, span_of("AAAABBBB", 8), &got));
	cancel_map_free(m);
}

static void
a_session_has_one_key_the_last(void **state)
{
	struct cancel_map *m = cancel_map_new();
	struct address one = numbered(1), two = numbered(2), got;

	(void)state;
	assert_true(cancel_map_put(m, 7, span_of("AAAABBBB", 8), &one));
	assert_true(cancel_map_put(m, 7, span_of("AAAADDDD", 8), &two));
	assert_false(cancel_map_get(m, span_of("AAAABBBB", 8), &got));
	assert_true(cancel_map_get(m, span_of("AAAADDDD", 8), &got));
	assert_int_equal(address_port(&got), 2);
	cancel_map_free(m);
}

static void
what_is_no_key_is_not_kept(void **state)
{
	struct cancel_map *m = cancel_map_new();
	struct address one = numbered(1), got;
	static const uint8_t longest[4 + 256 + 1] = { 1 };

	(void)state;
	assert_false(cancel_map_put(m, 1, span_of(longest, sizeof longest), &one));
	assert_false(cancel_map_put(m, 1, span_of("", 0), &one));
	assert_false(cancel_map_get(m, span_of("", 0), &got));
	assert_true(cancel_map_put(m, 1, span_of(longest, sizeof longest - 1), &one));
	assert_true(cancel_map_get(m, span_of(longest, sizeof longest - 1), &got));
	cancel_map_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_leads_to_the_address_of_its_session_until_that_ends),
		cmocka_unit_test(a_session_has_one_key_the_last),
		cmocka_unit_test(what_is_no_key_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
