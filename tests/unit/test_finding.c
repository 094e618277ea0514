/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of finding.c: ids that never change, folding, the worst instance. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <inttypes.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "reports/judge/finding.h"
#include "reports/judge/words.h"
#include "req_builder.h"

static const struct shape lookup = {
	.id = 0, .fingerprint = 0x91bd02c44b0a77e1, .cls = SQL_READ, .text = "SELECT", .summary = "SELECT customers"
};
static const struct shape list = {
	.id = 1, .fingerprint = 0x7f3a1c05d2e9b846, .cls = SQL_READ, .text = "SELECT", .summary = "SELECT orders"
};

/* These ids stand in baselines and allow lists of users: a change here breaks them all. */
static void
ids_are_stable(void **state)
{
	(void)state;
	assert_int_equal(
	    finding_id(RULE_N_PLUS_ONE, "GET /orders", &lookup, "orders.customer_id → customers.id"), 0x3a88680c1009fb8a);
	assert_int_equal(finding_id(RULE_N_PLUS_ONE, "GET /orders", &lookup, ""), 0xaec053bd40902083);
	assert_int_equal(finding_id(RULE_SLOW_REQUEST, "(untagged)", NULL, ""), 0xcbe6502d8a0e4501);
}

static void
ids_tell_all_parts_apart(void **state)
{
	uint64_t id = finding_id(RULE_N_PLUS_ONE, "GET /orders", &lookup, "");

	(void)state;
	assert_int_not_equal(id, finding_id(RULE_DUPLICATE, "GET /orders", &lookup, ""));
	assert_int_not_equal(id, finding_id(RULE_N_PLUS_ONE, "GET /order", &lookup, ""));
	assert_int_not_equal(id, finding_id(RULE_N_PLUS_ONE, "GET /orders", &list, ""));
	assert_int_not_equal(id, finding_id(RULE_N_PLUS_ONE, "GET /orders", &lookup, "a.b"));
}

static void
the_worst_instance_stays(void **state)
{
	struct req_builder *b = req_builder_new();
	struct findings all = { .n = 0 };
	const struct request *one = req_build(b, "scope GET /orders\ntest tests/test_a.py::one\n");
	const struct request *two = req_build(b, "scope GET /orders\ntest tests/test_b.py::two\n");
	struct raw_finding raw = { .rule = RULE_N_PLUS_ONE,
		.verdict = VERDICT_SUSPECTED,
		.repeat = &lookup,
		.column = "",
		.executions = 10,
		.busy = 5,
		.excess = 9,
		.wasted = 4,
		.evidence = "ten" };
	bool is_new;

	(void)state;
	assert_int_equal(findings_add(&all, one, &raw, 3, true, &is_new), 0);
	assert_true(is_new);
	raw.executions = 50;
	raw.allowed = true;
	raw.evidence = "fifty, allowed";
	assert_int_equal(findings_add(&all, two, &raw, 3, true, &is_new), 0);
	assert_false(is_new);
	assert_string_equal(all.v[0].worst.evidence, "ten");
	raw.allowed = false;
	raw.executions = 20;
	raw.evidence = "twenty";
	findings_add(&all, two, &raw, 3, false, &is_new);
	assert_string_equal(all.v[0].worst.evidence, "twenty");
	assert_string_equal(all.v[0].file, "tests/test_b.py");
	assert_string_equal(all.v[0].origin, "test");
	raw.executions = 5;
	raw.verdict = VERDICT_PROVEN;
	raw.evidence = "five, proven";
	findings_add(&all, one, &raw, 3, true, &is_new);
	assert_string_equal(all.v[0].worst.evidence, "five, proven");
	assert_int_equal(all.v[0].verdict, VERDICT_PROVEN);
	assert_int_equal(all.n, 1);
	assert_int_equal(all.v[0].executions, 85);
	assert_int_equal(all.v[0].excess, 36);
	assert_int_equal(all.v[0].seen_in, 3); /* one, two, one: twice in a row is once */
	assert_int_equal(all.v[0].judged[VERDICT_SUSPECTED], 1);
	assert_int_equal(all.v[0].judged[VERDICT_PROVEN], 1);
	assert_true(all.v[0].counted);
	findings_clear(&all);
	req_builder_free(b);
}

static void
what_does_not_fit_is_counted(void **state)
{
	struct req_builder *b = req_builder_new();
	struct arena a = { NULL, 0 };
	struct findings all = { .n = 0 };
	struct request r = *req_build(b, "");
	struct raw_finding raw = { .rule = RULE_DUPLICATE, .verdict = VERDICT_SUSPECTED, .repeat = &lookup, .column = "", .evidence = "" };
	bool is_new;

	(void)state;
	for (uint32_t i = 0; i <= LIMIT_FINDINGS; i++) {
		r.scope = arena_printf(&a, "scope %" PRIu32, i);
		assert_int_equal(findings_add(&all, &r, &raw, 0, true, &is_new), i < LIMIT_FINDINGS ? i : KEYMAP_NONE);
		assert_int_equal(all.dropped, i == LIMIT_FINDINGS);
	}
	findings_clear(&all);
	arena_clear(&a);
	req_builder_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_stable),
		cmocka_unit_test(ids_tell_all_parts_apart),
		cmocka_unit_test(the_worst_instance_stays),
		cmocka_unit_test(what_does_not_fit_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
