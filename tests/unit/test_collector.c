/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of collector.c, tally.c and snapshot.c: what requests add up to, order, links, bounds, threads. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "fingerprint/limits.h"
#include "reports/judge/words.h"
#include "collected.h"

static const char ORDERS[] = "scope GET /orders\n"
			     "test tests/test_orders.py::test_index\n"
			     "tag framework=django:4.2\n"
			     "50 rows 1.9ms | SELECT * FROM orders WHERE user_id = 7 LIMIT 50\n"
			     "loop 1..50\n"
			     "1 row 0.8ms | SELECT * FROM customers WHERE id = %i\n"
			     "end\n";
static const char ORDERS_SHORT[] = "scope GET /orders\n"
				   "borders gap\n"
				   "3 rows 1ms | SELECT * FROM orders WHERE user_id = 8 LIMIT 50\n"
				   "loop 1..8\n"
				   "1 row 0.8ms | SELECT * FROM customers WHERE id = %i\n"
				   "end\n";
static const char MAIL[] = "scope job MailJob\n"
			   "lane shop\n"
			   "lane audit\n"
			   "tx 1 | BEGIN\n"
			   "loop 1..6\n"
			   "1 row 0.5ms tx 1 | SELECT * FROM settings WHERE key = 'from'\n"
			   "end\n"
			   "tx 1 | COMMIT\n"
			   "1ms lane 1 affected 1 | INSERT INTO log (a) VALUES (1)\n";
static const char HEALTH[] = "scope GET /health\n0.2ms | SELECT * FROM up\n";

static int
set_up(void **state)
{
	*state = collected_new();
	return 0;
}

static int
tear_down(void **state)
{
	collected_free(*state);
	return 0;
}

/* Scope, source, loop; a query that nothing proves to be a loop stands beside them. */
static void
stacks_follow_the_proof(void **state)
{
	struct collected *c = *state;
	const struct snapshot *s;

	collected_add(c, "scope GET /orders\n"
			 "tx 1 | BEGIN\n"
			 "3 rows 2ms tx 1 cols id=3,14,159;customer_id=901,77,4040 | SELECT id, customer_id FROM orders\n"
			 "1 row 1ms tx 1 cols id=901 | SELECT id FROM customers WHERE id = 901\n"
			 "1 row 1ms tx 1 cols id=77 | SELECT id FROM customers WHERE id = 77\n"
			 "1 row 1ms tx 1 cols id=4040 | SELECT id FROM customers WHERE id = 4040\n"
			 "1 row 0.5ms tx 1 | SELECT v FROM settings WHERE k = 'a'\n"
			 "tx 1 | COMMIT\n");
	collected_add(c, MAIL);
	s = collected_snapshot(c);
	assert_int_equal(s->nstacks, 9);
	assert_string_equal(s->stacks[0].scope, "GET /orders");
	assert_int_equal(s->stacks[0].depth, 0);
	assert_int_equal(s->stacks[0].ns, 0);
	assert_int_equal(s->stacks[0].all_calls, 7);
	assert_string_equal(s->stacks[1].shape->text, "SELECT id, customer_id FROM orders");
	assert_int_equal(s->stacks[1].ns, 2000000);
	assert_int_equal(s->stacks[1].all_ns, 5000000);
	assert_int_equal(s->stacks[2].depth, 2);
	assert_int_equal(s->stacks[2].calls, 3);
	assert_int_equal(s->stacks[3].depth, 1);
	assert_int_equal(s->stacks[4].kind, STACK_CONTROL);
	assert_int_equal(s->stacks[4].calls, 2);
	assert_string_equal(s->stacks[5].scope, "job MailJob");
	assert_int_equal(s->stacks[6].depth, 1);
}

/* What comes after the tree is full is counted at the place above. */
static void
stacks_are_bounded(void **state)
{
	enum { SCOPES = 300, SHAPES = LIMIT_STACKS / SCOPES };
	struct collected *c = *state;
	const struct snapshot *s;
	uint64_t calls = 0;

	for (unsigned i = 0; i < SCOPES; i++) {
		struct arena a = { 0 };
		const char *text = arena_printf(&a, "scope s%u\n", i);

		for (unsigned k = 0; k < SHAPES; k++)
			text = arena_printf(&a, "%s1ms | SELECT a FROM t%u\n", text, k);
		collected_add(c, text);
		arena_clear(&a);
	}
	s = collected_snapshot(c);
	assert_int_equal(s->nstacks, LIMIT_STACKS);
	for (uint32_t i = 0; i < s->nstacks; i++)
		calls += s->stacks[i].calls;
	assert_int_equal(calls, (SCOPES - 1) * SHAPES);
}

static void
requests_add_up(void **state)
{
	struct collected *c = *state;
	const struct snapshot *s;

	collected_add(c, ORDERS);
	collected_add(c, ORDERS_SHORT);
	collected_add(c, MAIL);
	collected_add(c, HEALTH);
	s = collected_snapshot(c);
	assert_string_equal(s->version, "0.1.0");
	assert_string_equal(s->command, "pytest -q");
	assert_string_equal(s->upstreams[0], "127.0.0.1:5432");
	assert_int_equal(s->queries, 51 + 9 + 7 + 1);
	assert_int_equal(s->duplicates, 5);
	assert_int_equal(s->round_trips, 51 + 9 + 9 + 1);
	assert_int_equal(s->db, 41900000 + 7400000 + 4000000 + 200000);

	assert_int_equal(s->nscopes, 3);
	assert_string_equal(s->scopes[0].name, "GET /orders");
	assert_int_equal(s->scopes[0].requests, 2);
	assert_int_equal(s->scopes[0].queries.min, 9);
	assert_int_equal(s->scopes[0].queries.p50, 9);
	assert_int_equal(s->scopes[0].queries.max, 51);
	assert_int_equal(s->scopes[0].db.max, 41900000);
	assert_int_equal(s->scopes[0].n_plus_one, 1);
	assert_int_equal(s->scopes[0].borders_from, FROM_GAP);
	assert_int_equal(s->scopes[0].scope_from, FROM_TAG);
	assert_int_equal(s->scopes[0].budget, NO_LIMIT);
	assert_int_equal(s->scopes[0].baseline, NO_LIMIT);
	assert_string_equal(s->scopes[1].name, "job MailJob");
	assert_int_equal(s->scopes[1].duplicates, 5);
	assert_string_equal(s->scopes[2].name, "GET /health");

	assert_int_equal(s->ndatabases, 2);
	assert_string_equal(s->databases[0].name, "postgresql 127.0.0.1:5432/shop");
	assert_int_equal(s->databases[0].queries, 51 + 9 + 6 + 1);
	assert_string_equal(s->databases[1].name, "postgresql 127.0.0.1:5432/audit");
	assert_int_equal(s->databases[1].ns, 1000000);
}

static void
shapes_are_ordered_by_time(void **state)
{
	struct collected *c = *state;
	const struct snapshot *s;

	collected_add(c, ORDERS);
	collected_add(c, ORDERS_SHORT);
	collected_add(c, HEALTH);
	s = collected_snapshot(c);
	assert_int_equal(s->nshapes, 3);
	assert_string_equal(s->shapes[0].shape->summary, "SELECT customers");
	assert_int_equal(s->shapes[0].executions, 58);
	assert_int_equal(s->shapes[0].requests, 2);
	assert_int_equal(s->shapes[0].rows, 58);
	assert_int_equal(s->shapes[0].time.p50, 800000);
	assert_int_equal(s->shapes[0].time.n, 58);
	assert_int_equal(s->shapes[0].histogram[histogram_index(800000)], 58);
	for (uint32_t i = 1; i < s->nshapes; i++)
		assert_true(s->shapes[i - 1].time.total >= s->shapes[i].time.total);
}

static void
requests_are_whole(void **state)
{
	struct collected *c = *state;
	const struct request *orders = collected_add(c, ORDERS);
	const struct snapshot *s;

	collected_add(c, MAIL);
	s = collected_snapshot(c);
	assert_int_equal(s->nrequests, 2);
	assert_int_equal(s->requests_dropped, 0);
	assert_int_equal(s->requests_slim, 0);
	assert_int_equal(s->requests[0].r.number, orders->number);
	assert_int_equal(s->requests[0].r.nstmts, 51);
	assert_int_equal(s->requests[0].queries, 51);
	assert_int_equal(s->requests[0].wall, orders->end - orders->start);
	assert_int_equal(s->requests[0].nfindings, 1);
	assert_int_equal(s->findings[s->requests[0].findings[0]].rule, RULE_N_PLUS_ONE);
	assert_int_equal(s->requests[1].statements, 9);
	assert_int_equal(s->requests[1].control, 2);
	assert_int_equal(s->requests[1].duplicates, 5);
	assert_int_equal(s->requests[1].ndatabases, 2);
	assert_string_equal(s->requests[1].databases[1].name, "postgresql 127.0.0.1:5432/audit");
	assert_int_equal(s->requests[1].databases[1].queries, 1);
	assert_int_equal(s->findings[s->requests[1].findings[0]].rule, RULE_DUPLICATE);
}

static void
findings_are_folded(void **state)
{
	struct collected *c = *state;
	const struct snap_finding *f;

	collected_add(c, ORDERS_SHORT);
	collected_add(c, ORDERS);
	collected_add(c, ORDERS_SHORT);
	collected_add(c, HEALTH);
	f = collected_finding(collected_snapshot(c), RULE_N_PLUS_ONE);
	assert_int_equal(c->s->nfindings, 1);
	assert_int_equal(strlen(f->id), 16);
	assert_int_equal(f->verdict, VERDICT_SUSPECTED);
	assert_int_equal(f->level, LEVEL_WARNING);
	assert_string_equal(f->scope, "GET /orders");
	assert_string_equal(f->test, "tests/test_orders.py::test_index");
	assert_string_equal(f->file, "tests/test_orders.py");
	assert_string_equal(f->origin, "test");
	assert_int_equal(f->request, 1);
	assert_int_equal(f->request_number, 2);
	assert_int_equal(f->seen_in, 3);
	assert_int_equal(f->of, 3);
	assert_int_equal(f->worst.executions, 50);
	assert_int_equal(f->executions, 66);
	assert_int_equal(f->excess, 63);
	assert_int_equal(f->busy, 66 * 800000);
	assert_int_equal(f->cost_at_rtt, 49 * 1000000);
	assert_string_equal(f->advice,
	    "load customers for all 50 in one go: add select_related() (or prefetch_related()) for this relation to the "
	    "queryset of the loop");
	assert_null(f->suppressed);
	assert_string_equal(f->worst.evidence, "50 distinct parameters, median gap 0.3 ms, 70% of request time");
}

static void
a_caller_without_a_path_is_evidence(void **state)
{
	struct collected *c = *state;

	collected_add(c, "scope s\ntag caller=Shop.Orders.list/1\nloop 1..5\n1ms | SELECT * FROM a WHERE id = %i\nend\n");
	const struct snap_finding *f = collected_finding(collected_snapshot(c), RULE_N_PLUS_ONE);

	assert_string_equal(f->file, "");
	assert_string_equal(f->origin, "");
	assert_non_null(strstr(f->worst.evidence, ", called by Shop.Orders.list/1"));
}

static void
order_of_findings(void **state)
{
	struct collected *c = *state;
	const struct fail_on asked[] = { { RULE_DUPLICATE, false } };
	const struct snapshot *s;

	c->cfg.gate.fail_on = asked;
	c->cfg.gate.nfail_on = 1;
	collected_add(c, "scope a\nloop 0..9\n100 rows 1ms | SELECT * FROM e ORDER BY id LIMIT 100 OFFSET %i\nend\n");
	collected_add(c, ORDERS_SHORT);
	collected_add(c, ORDERS);
	collected_add(c, "scope b\n150ms | SELECT * FROM slow\n");
	collected_add(c, MAIL);
	s = collected_snapshot(c);
	assert_int_equal(s->nfindings, 4);
	assert_int_equal(s->findings[0].rule, RULE_DUPLICATE); /* error */
	assert_int_equal(s->findings[0].level, LEVEL_ERROR);
	assert_int_equal(s->findings[1].rule, RULE_SLOW_QUERY); /* warning, proven */
	assert_int_equal(s->findings[2].rule, RULE_N_PLUS_ONE); /* warning, suspected */
	assert_int_equal(s->findings[3].level, LEVEL_NOTE);
	for (uint32_t i = 0; i < s->nrequests; i++)
		for (uint32_t j = 0; j < s->requests[i].nfindings; j++)
			assert_string_equal(s->findings[s->requests[i].findings[j]].scope, s->requests[i].r.scope);
}

static void
strays_are_tallied(void **state)
{
	struct collected *c = *state;
	const struct request *r = collected_add(c, HEALTH);
	struct req_stmt stray = r->stmts[0];

	stray.shape = req_shape(c->b, "SET statement_timeout = 5");
	stray.outcome = REC_ERROR;
	collector_stray(c->c, &stray);
	collected_snapshot(c);
	assert_int_equal(c->s->nshapes, 2);
	assert_int_equal(c->s->shapes[0].errors + c->s->shapes[1].errors, 1);
	assert_int_equal(c->s->queries, 1);
}

/* A snapshot says the same whenever it is taken, and lives on without its collector. */
static void
snapshots_stand_alone(void **state)
{
	struct collected *c = *state;
	struct snapshot *early, *late;

	collected_add(c, ORDERS);
	early = collector_snapshot(c->c, &c->run);
	late = collector_snapshot(c->c, &c->run);
	collected_add(c, ORDERS);
	assert_int_equal(early->nrequests, 1);
	collector_free(c->c);
	c->c = NULL;
	assert_int_equal(early->findings[0].executions, late->findings[0].executions);
	assert_string_equal(early->findings[0].advice, late->findings[0].advice);
	assert_string_equal(early->requests[0].r.scope, "GET /orders");
	assert_int_equal(early->requests[0].r.nstmts, 51);
	assert_string_equal(early->requests[0].databases[0].name, "postgresql 127.0.0.1:5432/shop");
	assert_string_equal(early->scopes[0].name, "GET /orders");
	snapshot_free(early);
	snapshot_free(late);
	snapshot_free(NULL);
}

/* One loop in each of two databases: one finding, listed once; each shape counts the request once; two connections share a database. */
static void
databases_of_one_request(void **state)
{
	struct collected *c = *state;
	const struct snapshot *s;

	collected_add(c, "scope a\nlane one\nlane two\nlane one\nloop 1..6\n1ms lane 0 | SELECT * FROM a WHERE id = %i\n"
			 "1ms lane 1 | SELECT * FROM a WHERE id = %i\nend\n1ms lane 2 | SELECT * FROM b\n");
	s = collected_snapshot(c);
	assert_int_equal(s->nfindings, 1);
	assert_int_equal(s->findings[0].seen_in, 1);
	assert_int_equal(s->findings[0].executions, 12);
	assert_int_equal(s->findings[0].worst.executions, 6);
	assert_int_equal(s->requests[0].nfindings, 1);
	assert_int_equal(s->requests[0].ndatabases, 2);
	assert_int_equal(s->requests[0].databases[0].queries, 7);
	assert_int_equal(s->shapes[0].executions, 12);
	assert_int_equal(s->shapes[0].requests, 1);
}

static void
scopes_are_bounded(void **state)
{
	struct collected *c = *state;
	struct request r = *collected_add(c, HEALTH);
	struct arena a = { NULL, 0 };
	const struct snapshot *s;

	for (uint32_t i = 1; i < LIMIT_SCOPES; i++) {
		r.number++;
		r.scope = arena_printf(&a, "scope %" PRIu32, i);
		collector_request(c->c, &r);
	}
	s = collected_snapshot(c);
	assert_int_equal(s->nscopes, LIMIT_SCOPES);
	assert_int_equal(s->nwarnings, 0);
	for (int i = 0; i < 3; i++) {
		r.number++;
		r.scope = arena_printf(&a, "more %d", i);
		collector_request(c->c, &r);
	}
	s = collected_snapshot(c);
	assert_int_equal(s->nscopes, LIMIT_SCOPES + 1);
	assert_int_equal(s->queries, LIMIT_SCOPES + 3);
	assert_string_equal(s->warnings[0], "too many scopes: 3 requests are counted under (other scopes)");
	assert_string_equal(s->scopes[0].name, "(other scopes)");
	assert_int_equal(s->scopes[0].requests, 3);
	arena_clear(&a);
}

static void
databases_are_bounded(void **state)
{
	struct collected *c = *state;
	struct request r = *collected_add(c, HEALTH);
	struct arena a = { NULL, 0 };

	for (uint32_t i = 0; i < LIMIT_DATABASES + 1; i++) {
		struct req_lane lane = { .session = 1, .database = arena_printf(&a, "db%" PRIu32, i) };

		r.number++;
		r.lanes = &lane;
		collector_request(c->c, &r);
	}
	collected_snapshot(c);
	assert_int_equal(c->s->ndatabases, LIMIT_DATABASES + 1);
	assert_string_equal(c->s->databases[0].name, "(other databases)");
	assert_int_equal(c->s->databases[0].queries, 2);
	arena_clear(&a);
}

/* ---- threads ---- */

struct race {
	struct collector *c;
	const struct request *r;
	const struct run_info *run;
};

static void *
feed(void *arg)
{
	struct race *race = arg;

	for (int i = 0; i < 2000; i++)
		collector_request(race->c, race->r);
	return NULL;
}

static void *
look(void *arg)
{
	struct race *race = arg;

	for (int i = 0; i < 50; i++)
		snapshot_free(collector_snapshot(race->c, race->run));
	return NULL;
}

static void
any_thread_may_look(void **state)
{
	struct collected *c = *state;
	const struct request *r = collected_add(c, MAIL);
	struct race race = { c->c, r, &c->run };
	pthread_t feeder, looker;

	assert_int_equal(pthread_create(&feeder, NULL, feed, &race), 0);
	assert_int_equal(pthread_create(&looker, NULL, look, &race), 0);
	pthread_join(feeder, NULL);
	pthread_join(looker, NULL);
	assert_int_equal(collected_snapshot(c)->scopes[0].requests, 2001);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* One request of a scope that lists some orders and looks up a customer for each. offset: a page after the first. */
static void
add_page(struct collected *c, unsigned rows, bool offset)
{
	char text[1024];

	snprintf(text, sizeof text,
	    "scope GET /pages\n%u rows 1ms cols id=1..%u | SELECT id FROM orders ORDER BY id LIMIT 50%s\nloop 1..%u\n"
	    "1 row 0.5ms | SELECT * FROM items WHERE order_id = %%i\nend\n",
	    rows, rows, offset ? " OFFSET 50" : "", rows);
	collected_add(c, text);
}

static void
loops_grow_with_their_rows(void **state)
{
	struct collected *c = *state;
	const struct snap_finding *f;

	add_page(c, 1, false);	/* too short to be a finding, and counted all the same */
	add_page(c, 12, false);
	f = collected_finding(collected_snapshot(c), RULE_N_PLUS_ONE);
	assert_int_equal(f->verdict, VERDICT_PROVEN);
	assert_true(f->growth.with_rows);
	assert_string_equal(f->growth_words, "1.00 per row (2 requests, 1 to 12 rows): grows with the rows");
	add_page(c, 1, false);
	assert_int_equal(collected_finding(collected_snapshot(c), RULE_N_PLUS_ONE)->growth.requests, 3);
}

static void
rows_that_hardly_differ_tell_nothing(void **state)
{
	struct collected *c = *state;
	const struct snap_finding *f;

	add_page(c, 20, false);
	add_page(c, 22, false);
	f = collected_finding(collected_snapshot(c), RULE_N_PLUS_ONE);
	assert_int_equal(f->growth.state, GROWTH_NO_SPREAD);
	assert_string_equal(f->growth_words, "not enough spread (2 requests, 20 to 22 rows)");
}

/* The same loop over the first page and over later ones, whose list has another shape. */
static void
one_loop_over_two_lists_is_one_finding(void **state)
{
	struct collected *c = *state;
	const struct snapshot *s;

	add_page(c, 50, false);
	add_page(c, 10, true);
	s = collected_snapshot(c);
	assert_int_equal(s->nfindings, 1);
	assert_int_equal(s->findings[0].seen_in, 2);
	assert_int_equal(s->findings[0].growth.requests, 2);
	assert_true(s->findings[0].growth.with_rows);
}

/* Six sections of a page, whatever it lists; ids that no result shows. */
static void
add_sections(struct collected *c, unsigned rows, unsigned sections)
{
	char text[1024];

	snprintf(text, sizeof text,
	    "scope GET /board\n%u rows 1ms | SELECT * FROM news ORDER BY at DESC\nloop 1..%u\n1 row 0.5ms | SELECT * FROM boxes WHERE name = 'b%%i'\nend\n",
	    rows, sections);
	collected_add(c, text);
}

static void
what_the_layout_fixes_is_a_note(void **state)
{
	static const struct fail_on fail_on[] = { { .rule = RULE_N_PLUS_ONE } };
	struct collected *c = *state;
	const struct snapshot *s;

	c->cfg.gate.fail_on = fail_on;
	c->cfg.gate.nfail_on = 1;
	add_sections(c, 4, 6);
	add_sections(c, 40, 6);
	s = collected_snapshot(c);
	assert_int_equal(s->findings[0].verdict, VERDICT_SUSPECTED); /* two requests clear nothing */
	assert_int_equal(s->state, GATE_FAIL);
	add_sections(c, 20, 6);
	s = collected_snapshot(c);
	assert_int_equal(s->findings[0].verdict, VERDICT_NOTE);
	assert_int_equal(s->findings[0].level, LEVEL_NOTE);
	assert_string_equal(s->findings[0].growth_words, "0.00 per row + 6.0 (3 requests, 4 to 40 rows of SELECT news): fixed, whatever the rows");
	assert_int_equal(s->scopes[0].n_plus_one, 0);
	assert_int_equal(s->state, GATE_PASS);
	add_sections(c, 30, 9);
	assert_int_equal(collected_snapshot(c)->findings[0].verdict, VERDICT_SUSPECTED); /* not fixed after all */
}

static void
loops_in_loops_name_their_parent(void **state)
{
	struct collected *c = *state;
	const struct snapshot *s;

	collected_add(c, "scope GET /tree\n"
			 "3 rows 1ms cols id=1..3 | SELECT id FROM orders\n"
			 "loop 1..3\n"
			 "2 rows 1ms cols product_id=%i0,%i1 | SELECT product_id FROM items WHERE order_id = %i\n"
			 "loop 0..1\n"
			 "1 row 0.5ms | SELECT * FROM products WHERE id = %o%i\n"
			 "end\n"
			 "end\n");
	s = collected_snapshot(c);
	assert_int_equal(s->nfindings, 2);
	assert_string_equal(s->findings[0].worst.column, "items.product_id → products.id");
	assert_int_equal(s->findings[0].parent, 2);
	assert_int_equal(s->findings[1].parent, 0);
	assert_true(s->findings[1].outer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(stacks_follow_the_proof),
		CASE(stacks_are_bounded),
		CASE(requests_add_up),
		CASE(shapes_are_ordered_by_time),
		CASE(requests_are_whole),
		CASE(findings_are_folded),
		CASE(a_caller_without_a_path_is_evidence),
		CASE(order_of_findings),
		CASE(strays_are_tallied),
		CASE(snapshots_stand_alone),
		CASE(databases_of_one_request),
		CASE(scopes_are_bounded),
		CASE(databases_are_bounded),
		CASE(any_thread_may_look),
		CASE(loops_grow_with_their_rows),
		CASE(rows_that_hardly_differ_tell_nothing),
		CASE(one_loop_over_two_lists_is_one_finding),
		CASE(what_the_layout_fixes_is_a_note),
		CASE(loops_in_loops_name_their_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
