/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of facts.c and places.c: counts, groups, links, writes and borders of one request. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "reports/judge/facts.h"
#include "req_builder.h"

struct fixture {
	struct req_builder *b;
	struct arena a;
};

static int
set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .b = req_builder_new() };
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	req_builder_free(f->b);
	arena_clear(&f->a);
	return 0;
}

static const struct facts *
facts(void **state, const char *text)
{
	struct fixture *f = *state;

	return facts_new(req_build(f->b, text), &f->a);
}

static void
nothing_is_nothing(void **state)
{
	const struct facts *f = facts(state, "scope GET /\n");

	assert_int_equal(f->statements, 0);
	assert_int_equal(f->queries, 0);
	assert_int_equal(f->nrepeats, 0);
	assert_int_equal(f->wall, 0);
	assert_null(f->write);
	assert_null(f->doomed);
}

static void
counts(void **state)
{
	const struct facts *f = facts(state, "1ms tx 1 | BEGIN\n"
					     "2 rows 2ms bytes 100 tx 1 trips 2 | SELECT * FROM orders WHERE id = 1\n"
					     "2 rows 2ms bytes 100 tx 1 gap 1ms | SELECT * FROM orders WHERE id = 1\n"
					     "1ms tx 1 affected 1 | UPDATE orders SET n = 2 WHERE id = 1\n"
					     "1ms tx 1 gap 2ms error 40001 | COMMIT\n"
					     "1ms | SET statement_timeout = 5\n"
					     "cut 7\n");

	assert_int_equal(f->statements, 13);
	assert_int_equal(f->queries, 10);
	assert_int_equal(f->control, 2);
	assert_int_equal(f->setup, 1);
	assert_int_equal(f->errors, 1);
	assert_int_equal(f->round_trips, 7);
	assert_int_equal(f->duplicates, 1);
	assert_int_equal(f->rows, 4);
	assert_int_equal(f->bytes, 200);
	assert_int_equal(f->db, 8000000);
	/* BEGIN to the end of COMMIT: 1 + 0.3 + 2 + 1 + 2 + 0.3 + 1 + 2 + 1 ms */
	assert_int_equal(f->longest_tx, 10600000);
	assert_int_equal(f->wall, 11900000);
}

static void
executions_are_chained(void **state)
{
	const struct facts *f = facts(state, "1ms | SELECT * FROM a WHERE id = 1\n"
					     "9ms 7 rows | SELECT * FROM b WHERE id = 1\n"
					     "3ms 5 rows | SELECT * FROM a WHERE id = 2\n"
					     "2ms | SELECT * FROM a WHERE id = 1\n"
					     "2ms error 42000 | SELECT * FROM a WHERE id = 3\n"
					     "2ms unknown | SELECT * FROM a WHERE id = 3\n");
	const struct repeat *a = &f->repeats[0];

	assert_int_equal(f->nrepeats, 2);
	assert_int_equal(a->executions, 5);
	assert_int_equal(a->failed, 1);
	assert_int_equal(a->distinct, 3);
	assert_int_equal(a->busy, 10000000);
	assert_int_equal(a->first, 0);
	assert_int_equal(a->last, 5);
	assert_int_equal(a->slowest, 2);
	assert_int_equal(a->largest, 2);
	assert_int_equal(f->next[0], 2);
	assert_int_equal(f->next[2], 3);
	assert_int_equal(f->next[5], FACTS_NONE);
	assert_int_equal(f->before[0], FACTS_NONE);
	assert_int_equal(f->before[2], FACTS_NONE);
	assert_int_equal(f->before[3], 0);
	assert_int_equal(f->before[5], FACTS_NONE);
	assert_int_equal(f->repeat[1], 1);
	assert_int_equal(f->duplicates, 1);
}

static void
a_ping_is_set_up(void **state)
{
	const struct facts *f = facts(state, "1ms | -- ping\n1ms | SELECT * FROM a\n");

	assert_int_equal(f->queries, 1);
	assert_int_equal(f->setup, 1);
}

/* More places than hash slots can keep apart. */
static void
many_places_are_told_apart(void **state)
{
	struct fixture *fixture = *state;
	struct req_lane lanes[300];
	struct request r = *req_build(fixture->b, "loop 0..299\nlane %i | SELECT * FROM a WHERE id = 1\nend\n");

	for (uint32_t i = 0; i < 300; i++)
		lanes[i] = (struct req_lane){ .session = i + 1, .upstream = (uint16_t)i, .database = "shop" };
	r.lanes = lanes;
	r.nlanes = 300;
	assert_int_equal(facts_new(&r, &fixture->a)->nrepeats, 300);
}

static void
places_are_told_apart(void **state)
{
	const struct facts *f = facts(state, "lane one\n"
					     "lane two\n"
					     "lane one\n"
					     "| SELECT * FROM a WHERE id = 1\n"
					     "lane 1 | SELECT * FROM a WHERE id = 1\n"
					     "lane 2 | SELECT * FROM a WHERE id = 1\n"
					     "| SET search_path TO 'x'\n"
					     "| SELECT * FROM a WHERE id = 1\n"
					     "| SET search_path TO 'y'\n"
					     "| SELECT * FROM a WHERE id = 1\n"
					     "| DISCARD ALL\n"
					     "| SELECT * FROM a WHERE id = 1\n");
	uint32_t home = f->repeat[0];

	assert_int_not_equal(f->repeat[1], home);
	assert_int_equal(f->repeat[2], home);
	assert_int_not_equal(f->repeat[4], home);
	assert_int_not_equal(f->repeat[6], home);
	assert_int_not_equal(f->repeat[6], f->repeat[4]);
	assert_int_equal(f->repeat[8], home);
	assert_int_equal(f->duplicates, 2);
}

static void
local_places_end_with_their_transaction(void **state)
{
	const struct facts *f = facts(state, "tx 1 | SET LOCAL search_path TO 'x'\n"
					     "tx 1 | SELECT * FROM a WHERE id = 1\n"
					     "tx 1 | SET LOCAL search_path TO 'y'\n"
					     "tx 1 | SELECT * FROM a WHERE id = 1\n"
					     "tx 1 | COMMIT\n"
					     "| SELECT * FROM a WHERE id = 1\n"
					     "| SET search_path TO 'z'\n"
					     "tx 2 | SELECT * FROM a WHERE id = 1\n"
					     "| SELECT * FROM a WHERE id = 1\n");

	assert_int_not_equal(f->repeat[1], f->repeat[3]);
	assert_int_not_equal(f->repeat[1], f->repeat[5]);
	assert_int_not_equal(f->repeat[3], f->repeat[5]);
	assert_int_not_equal(f->repeat[7], f->repeat[5]);
	assert_int_equal(f->repeat[8], f->repeat[7]);
}

static void
writes_are_seen_by_table(void **state)
{
	const struct facts *f = facts(state, "| SELECT * FROM a WHERE id = 1\n"
					     "| SELECT * FROM a JOIN b ON a.id = b.id WHERE a.id = 1\n"
					     "| UPDATE shop.b SET n = 1 WHERE id = 1\n"
					     "| SELECT * FROM a WHERE id = 1\n"
					     "| SELECT * FROM a JOIN b ON a.id = b.id WHERE a.id = 1\n"
					     "| CALL anything(1)\n"
					     "| SELECT * FROM a WHERE id = 1\n"
					     "| INSERT INTO c (id) SELECT id FROM a\n"
					     "| SELECT * FROM a WHERE id = 1\n");

	assert_int_equal(f->write[3], 0);
	assert_int_equal(f->write[4], 3);
	assert_int_equal(f->write[6], 6);
	assert_int_equal(f->write[8], 6);
}

/* A read whose tables are not known may read whatever was written last. */
static void
unknown_tables_read_anything(void **state)
{
	static const struct shape unknown = {
		.id = 900, .fingerprint = 1, .cls = SQL_READ, .verb = SQL_V_SELECT, .tables_unknown = true, .text = "", .summary = ""
	};
	struct fixture *fixture = *state;
	struct request r =
	    *req_build(fixture->b, "| SELECT 1 FROM x\n| UPDATE b SET n = 1\n| SELECT 1 FROM x\n| SELECT 1 FROM y\n| SELECT 1 FROM y\n");
	struct req_stmt stmts[5];

	memcpy(stmts, r.stmts, sizeof stmts);
	stmts[0].shape = stmts[2].shape = &unknown;
	r.stmts = stmts;
	const struct facts *f = facts_new(&r, &fixture->a);

	assert_int_equal(f->write[0], 0);
	assert_int_equal(f->write[2], 2);
	assert_int_equal(f->write[4], 0);
}

static void
transactions_are_borders(void **state)
{
	const struct facts *f = facts(state, "lane shop\n"
					     "lane shop\n"
					     "| SELECT * FROM a WHERE id = 1\n"
					     "| SELECT * FROM a WHERE id = 1\n"
					     "tx 1 | BEGIN\n"
					     "tx 1 | SELECT * FROM a WHERE id = 1\n"
					     "tx 1 | SELECT * FROM a WHERE id = 1\n"
					     "tx 1 | COMMIT\n"
					     "| SELECT * FROM a WHERE id = 1\n"
					     "lane 1 | SELECT * FROM a WHERE id = 1\n"
					     "lane 1 tx 2 | SELECT * FROM a WHERE id = 1\n");

	assert_false(facts_border_between(f, 0, 1));
	assert_true(facts_border_between(f, 1, 3));
	assert_false(facts_border_between(f, 3, 4));
	assert_true(facts_border_between(f, 1, 6));  /* a whole transaction lies between */
	assert_false(facts_border_between(f, 6, 7)); /* another connection, both outside of transactions */
	assert_true(facts_border_between(f, 7, 8));
	assert_true(facts_border_between(f, 6, 8));
}

static void
failed_transactions_are_retried(void **state)
{
	const struct facts *f = facts(state, "tx 1 | SELECT * FROM a WHERE id = 1\n"
					     "tx 1 | SELECT * FROM a WHERE id = 2\n"
					     "tx 1 error 40P01 | UPDATE a SET n = 1 WHERE id = 1\n"
					     "tx 2 | SELECT * FROM a WHERE id = 1\n"
					     "tx 2 | SELECT * FROM a WHERE id = 1\n"
					     "tx 2 | UPDATE a SET n = 1 WHERE id = 1\n");

	assert_true(f->doomed[0]);
	assert_true(f->doomed[2]);
	assert_false(f->doomed[3]);
	assert_true(facts_is_retry(f, 0, 3));
	assert_true(facts_is_retry(f, 2, 5));
	assert_false(facts_is_retry(f, 3, 4));
	assert_int_equal(f->retries, 2);
}

/* Only the transaction that failed is retried, not the one before it on the same connection. */
static void
earlier_transactions_stand(void **state)
{
	const struct facts *f = facts(state, "tx 1 | SELECT * FROM a WHERE id = 1\n"
					     "tx 1 | COMMIT\n"
					     "tx 2 | SELECT * FROM b WHERE id = 1\n"
					     "tx 2 error 1213 | UPDATE a SET n = 1 WHERE id = 1\n"
					     "tx 3 | SELECT * FROM a WHERE id = 1\n");

	assert_true(f->doomed[2]);
	assert_false(f->doomed[0]);
	assert_int_equal(f->retries, 0);
}

/* An ordinary error dooms nobody: the statements before it are not retries when they come again. */
static void
other_errors_doom_nobody(void **state)
{
	const struct facts *f = facts(state, "tx 1 | SELECT * FROM a WHERE id = 1\n"
					     "tx 1 error 23505 | INSERT INTO a (id) VALUES (1)\n"
					     "tx 2 | SELECT * FROM a WHERE id = 1\n");

	assert_false(facts_is_retry(f, 0, 2));
	assert_int_equal(f->retries, 0);
}

static void
lanes_out_of_range_are_harmless(void **state)
{
	const struct facts *f = facts(state, "lane 9 tx 3 | SELECT * FROM a WHERE id = 1\n"
					     "lane 9 tx 3 error 40001 | SELECT * FROM a WHERE id = 1\n");

	assert_int_equal(f->queries, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(executions_are_chained, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_ping_is_set_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_places_are_told_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unknown_tables_read_anything, set_up, tear_down),
		cmocka_unit_test_setup_teardown(earlier_transactions_stand, set_up, tear_down),
		cmocka_unit_test_setup_teardown(places_are_told_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(local_places_end_with_their_transaction, set_up, tear_down),
		cmocka_unit_test_setup_teardown(writes_are_seen_by_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(transactions_are_borders, set_up, tear_down),
		cmocka_unit_test_setup_teardown(failed_transactions_are_retried, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_errors_doom_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lanes_out_of_range_are_harmless, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
