/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of keep.c: deep copies, what goes first over the budget, sharing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "reports/judge/keep.h"
#include "req_builder.h"

static const char SMALL[] =
    "scope GET /orders\nkey abc\ntest t\napplication app\ntag a=1\ntag b=2\nsite x.rb:1 1 row 1ms | SELECT * FROM a WHERE id = 1\n";
static const char LARGE[] = "scope GET /all\nloop 1..100\n1 row 1ms | SELECT * FROM a WHERE id = %i\nend\n";

struct fixture {
	struct req_builder *b;
	struct arena a;
	struct keep k;
};

static int
set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .b = req_builder_new() };
	keep_init(&f.k, 1 << 20);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	keep_clear(&f->k);
	assert_int_equal(f->k.bytes, 0);
	req_builder_free(f->b);
	arena_clear(&f->a);
	return 0;
}

/* Adds a request with n findings; returns its number. */
static uint64_t
add(struct fixture *f, const char *text, uint32_t n)
{
	static const uint32_t findings[] = { 4, 7 };
	const struct request *r = req_build(f->b, text);
	const struct database_share share = { 0, r->nstmts, 1 };

	keep_add(&f->k, facts_new(r, &f->a), &share, 1, findings, n);
	return r->number;
}

static struct kept *
kept_of(struct fixture *f, uint64_t number)
{
	struct kept **all, *found = NULL;
	uint32_t n;

	all = keep_all(&f->k, &n);
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			assert_true(all[i - 1]->r.number < all[i]->r.number);
		if (all[i]->r.number == number)
			found = all[i];
		kept_release(all[i]);
	}
	mem_free(all);
	return found;
}

static void
copies_are_deep(void **state)
{
	struct fixture *f = *state;
	const struct request *r = req_build(f->b, SMALL);
	struct kept *k;

	keep_add(&f->k, facts_new(r, &f->a), NULL, 0, NULL, 0);
	k = kept_of(f, r->number);
	assert_string_equal(k->r.scope, "GET /orders");
	assert_string_equal(k->r.key, "abc");
	assert_string_equal(k->r.test, "t");
	assert_string_equal(k->r.application, "app");
	assert_string_equal(k->r.tags[1].key, "b");
	assert_string_equal(k->r.tags[1].value, "2");
	assert_string_equal(k->r.sites[0].value, "x.rb:1");
	assert_string_equal(k->r.lanes[0].database, "shop");
	assert_int_equal(k->r.nstmts, 1);
	assert_ptr_not_equal(k->r.stmts, r->stmts);
	assert_ptr_not_equal(k->r.tags[1].value, r->tags[1].value);
	assert_ptr_equal(k->r.stmts[0].shape, r->stmts[0].shape);
	assert_int_equal(k->queries, 1);
}

/* What lineage said stays with the statements it is about, and goes with them. */
static void
edges_are_kept_with_statements(void **state)
{
	struct fixture *f = *state;
	const struct request *r = req_build(f->b, "scope GET /orders\n"
						  "3 rows 1ms cols id=3,14,159;customer_id=901,77,4040 | SELECT id, customer_id FROM orders\n"
						  "1 row 1ms cols id=901 | SELECT id FROM customers WHERE id = 901\n"
						  "1 row 1ms cols id=77 | SELECT id FROM customers WHERE id = 77\n"
						  "1 row 1ms cols id=4040 | SELECT id FROM customers WHERE id = 4040\n");
	struct kept *k;

	keep_add(&f->k, facts_new(r, &f->a), NULL, 0, NULL, 0);
	k = kept_of(f, r->number);
	assert_int_equal(k->r.nedges, 1);
	assert_ptr_not_equal(k->r.edges, r->edges);
	assert_string_equal(k->r.edges[0].column, "orders.customer_id \xe2\x86\x92 customers.id");
	assert_ptr_not_equal(k->r.edges[0].column, r->edges[0].column);
	assert_int_equal(k->r.edges[0].parent_stmt, 0);
	assert_int_equal(k->r.edges[0].child_stmt, 1);
	f->k.budget = f->k.bytes - 1;
	add(f, SMALL, 2);
	k = kept_of(f, r->number);
	assert_int_equal(k ? k->r.nedges : 0, 0);
}

static void
statements_go_first(void **state)
{
	struct fixture *f = *state;
	uint64_t found = add(f, LARGE, 2), plain, plain2, small;
	size_t one;

	plain = add(f, LARGE, 0);
	plain2 = add(f, LARGE, 0);
	one = kept_of(f, plain)->bytes;
	f->k.budget = f->k.bytes + 200;
	small = add(f, SMALL, 0);
	assert_null(kept_of(f, plain)->r.stmts);
	assert_int_equal(kept_of(f, plain)->queries, 100);
	assert_int_equal(kept_of(f, plain)->r.nstmts, 0);
	assert_non_null(kept_of(f, plain2)->r.stmts);
	assert_non_null(kept_of(f, found)->r.stmts);
	assert_int_equal(f->k.slimmed, 1);
	assert_int_equal(f->k.dropped, 0);
	/* Then requests without findings, and at last those with. */
	f->k.budget = one + 200;
	add(f, SMALL, 0);
	assert_null(kept_of(f, plain));
	assert_non_null(kept_of(f, found));
	assert_non_null(kept_of(f, found)->r.stmts);
	assert_null(kept_of(f, small));
	f->k.budget = one / 2;
	add(f, SMALL, 1);
	assert_null(kept_of(f, found));
	assert_int_equal(f->k.n + f->k.dropped, 6);
	assert_true(f->k.bytes <= f->k.budget);
}

/* Of requests without findings the slowest of each scope keep their statements longest. */
static void
the_slowest_go_last(void **state)
{
	struct fixture *f = *state;
	uint64_t slow = add(f, "scope GET /a\n9ms | SELECT * FROM a\n5ms | SELECT * FROM b\n", 0);
	uint64_t other = add(f, "scope GET /b\n1ms | SELECT * FROM a\n1ms | SELECT * FROM b\n", 0);
	uint64_t fast = add(f, "scope GET /a\nloop 1..30\n0.1ms | SELECT * FROM a WHERE id = %i\nend\n", 0);

	f->k.budget = f->k.bytes + 1;
	add(f, "scope GET /a\n1ms | SELECT * FROM a\n", 0);
	assert_non_null(kept_of(f, slow)->r.stmts);
	assert_non_null(kept_of(f, other)->r.stmts);
	assert_null(kept_of(f, fast)->r.stmts);
	f->k.budget = f->k.bytes - 1;
	add(f, "scope GET /a\n1ms | SELECT * FROM a\n", 0);
	assert_int_equal(f->k.dropped, 0);
	f->k.budget = f->k.bytes / 2;
	add(f, "scope GET /a\n1ms | SELECT * FROM a\n", 0);
	assert_true(f->k.bytes <= f->k.budget);
	assert_int_equal(f->k.n + f->k.dropped, 6);
}

static void
too_large_for_any_budget(void **state)
{
	struct fixture *f = *state;

	f->k.budget = 10;
	add(f, LARGE, 2);
	add(f, LARGE, 0);
	assert_int_equal(f->k.n, 0);
	assert_int_equal(f->k.dropped, 2);
	assert_int_equal(f->k.slimmed, 0);
}

static void
number_is_limited(void **state)
{
	struct fixture *f = *state;
	const struct facts *facts = facts_new(req_build(f->b, SMALL), &f->a);
	const uint32_t finding = 0;

	f->k.budget = (size_t)1 << 30;
	keep_add(&f->k, facts, NULL, 0, &finding, 1);
	for (uint32_t i = 1; i < LIMIT_REQUESTS_KEPT; i++)
		keep_add(&f->k, facts, NULL, 0, NULL, 0);
	assert_int_equal(f->k.n, LIMIT_REQUESTS_KEPT);
	assert_int_equal(f->k.dropped, 0);
	keep_add(&f->k, facts, NULL, 0, NULL, 0);
	assert_int_equal(f->k.n, LIMIT_REQUESTS_KEPT);
	assert_int_equal(f->k.dropped, 1);
	assert_non_null(f->k.found.head);
}

/* A snapshot's reference outlives the keep. */
static void
snapshots_share(void **state)
{
	struct fixture *f = *state;
	uint64_t number = add(f, LARGE, 0);
	struct kept **all;
	uint32_t n;

	all = keep_all(&f->k, &n);
	f->k.budget = 10;
	add(f, SMALL, 0);
	assert_int_equal(f->k.n, 0);
	assert_int_equal(n, 1);
	assert_int_equal(all[0]->r.number, number);
	assert_int_equal(all[0]->r.nstmts, 100);
	assert_string_equal(all[0]->r.stmts[99].shape->text, "SELECT * FROM a WHERE id = ?");
	kept_release(all[0]);
	mem_free(all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(copies_are_deep, set_up, tear_down),
		cmocka_unit_test_setup_teardown(edges_are_kept_with_statements, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_slowest_go_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(statements_go_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_large_for_any_budget, set_up, tear_down),
		cmocka_unit_test_setup_teardown(number_is_limited, set_up, tear_down),
		cmocka_unit_test_setup_teardown(snapshots_share, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
