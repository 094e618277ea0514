/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of packed.c and packing.c: everything comes back as it was; damaged bytes are told from good ones, or at least do no harm. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>

#include "fingerprint/limits.h"
#include "reports/judge/facts.h"
#include "reports/judge/rules.h"
#include "reports/store/packed.h"
#include "reports/store/packing.h"
#include "req_builder.h"

static const char RICH[] =
    "scope GET /orders\nidle 2s\ncut 100\nborders gap\nnames mark\ntag action=index\ntag framework=django:4.2\nlane shop\nlane audit\n"
    "50 rows 1.9ms result 77 bytes 12345 site views.py:11 | SELECT * FROM orders WHERE user_id = 7 LIMIT 50\n"
    "loop 1..3\n"
    "1 row 0.8ms site views.py:12 tx 3 lane 1 allow n-plus-one | SELECT * FROM customers WHERE id = %i\n"
    "end\n"
    "affected 9 trips 4 iterations 9 batch | INSERT INTO log (a) VALUES (1)\n"
    "error 23505 rode | INSERT INTO log (a) VALUES (2)\n"
    "lost unknown with | SELECT now()\n";

struct fixture {
	struct req_builder *b;
	struct arena a, made;
	struct strbuf bytes;
	const struct shape *shapes[64]; /* by number, from 1 */
	uint32_t nshapes;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->b = req_builder_new();
	strbuf_init(&f->bytes, 1 << 20);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	req_builder_free(f->b);
	arena_clear(&f->a);
	arena_clear(&f->made);
	strbuf_clear(&f->bytes);
	free(f);
	return 0;
}

static uint32_t
number_of(void *ctx, const struct shape *s)
{
	struct fixture *f = ctx;

	for (uint32_t i = 0; i < f->nshapes; i++)
		if (f->shapes[i] == s)
			return i + 1;
	f->shapes[f->nshapes++] = s;
	return f->nshapes;
}

static const struct shape *
shape_of(void *ctx, uint64_t number)
{
	struct fixture *f = ctx;

	return number >= 1 && number <= f->nshapes ? f->shapes[number - 1] : NULL;
}

static void
assert_same_pairs(const struct req_tag *a, uint32_t na, const struct req_tag *b, uint32_t nb)
{
	assert_int_equal(na, nb);
	for (uint32_t i = 0; i < na; i++) {
		assert_string_equal(a[i].key, b[i].key);
		assert_string_equal(a[i].value, b[i].value);
	}
}

static void
assert_same_stmts(const struct req_stmt *a, uint32_t na, const struct req_stmt *b, uint32_t nb)
{
	assert_int_equal(na, nb);
	for (uint32_t i = 0; i < na; i++) {
		assert_ptr_equal(a[i].shape, b[i].shape);
		assert_int_equal(a[i].params, b[i].params);
		assert_int_equal(a[i].result, b[i].result);
		assert_int_equal(a[i].start, b[i].start);
		assert_int_equal(a[i].busy, b[i].busy);
		assert_int_equal(a[i].first, b[i].first);
		assert_int_equal(a[i].rows, b[i].rows);
		assert_int_equal(a[i].affected, b[i].affected);
		assert_int_equal(a[i].bytes, b[i].bytes);
		assert_int_equal(a[i].iterations, b[i].iterations);
		assert_int_equal(a[i].lane, b[i].lane);
		assert_int_equal(a[i].round_trips, b[i].round_trips);
		assert_int_equal(a[i].tx, b[i].tx);
		assert_int_equal(a[i].outcome, b[i].outcome);
		assert_int_equal(a[i].flags, b[i].flags);
		assert_memory_equal(a[i].code, b[i].code, sizeof a[i].code);
		assert_int_equal(a[i].allow, b[i].allow);
		assert_int_equal(a[i].site, b[i].site);
	}
}

static void
assert_same_edge(const struct edge *a, const struct edge *b)
{
	assert_ptr_equal(a->child, b->child);
	assert_ptr_equal(a->parent, b->parent);
	assert_int_equal(a->child_stmt, b->child_stmt);
	assert_int_equal(a->parent_stmt, b->parent_stmt);
	assert_string_equal(a->column, b->column);
	assert_string_equal(a->other, b->other);
	assert_int_equal(a->values, b->values);
	assert_int_equal(a->missed, b->missed);
	assert_int_equal(a->source_values, b->source_values);
	assert_int_equal(a->kept, b->kept);
	assert_int_equal(a->rows, b->rows);
	assert_int_equal(a->verdict, b->verdict);
	assert_int_equal(a->flags, b->flags);
}

static void
assert_same(const struct request *a, const struct request *b)
{
	assert_int_equal(a->start, b->start);
	assert_int_equal(a->end, b->end);
	assert_int_equal(a->wall_start_us, b->wall_start_us);
	assert_int_equal(a->scope_from, b->scope_from);
	assert_int_equal(a->borders_from, b->borders_from);
	assert_int_equal(a->stmts_cut, b->stmts_cut);
	assert_int_equal(a->idle_in_tx, b->idle_in_tx);
	assert_same_pairs(a->tags, a->ntags, b->tags, b->ntags);
	assert_same_pairs(a->sites, a->nsites, b->sites, b->nsites);
	assert_int_equal(a->nlanes, b->nlanes);
	for (uint32_t i = 0; i < a->nlanes; i++) {
		assert_int_equal(a->lanes[i].session, b->lanes[i].session);
		assert_int_equal(a->lanes[i].upstream, b->lanes[i].upstream);
		assert_string_equal(a->lanes[i].database, b->lanes[i].database);
	}
	assert_same_stmts(a->stmts, a->nstmts, b->stmts, b->nstmts);
	assert_int_equal(a->nedges, b->nedges);
	for (uint32_t i = 0; i < a->nedges; i++)
		assert_same_edge(&a->edges[i], &b->edges[i]);
}

static struct span
pack(struct fixture *f, const struct request *r)
{
	strbuf_reset(&f->bytes);
	packed_request(&f->bytes, r, number_of, f);
	assert_false(f->bytes.cut);
	return strbuf_span(&f->bytes);
}

static void
assert_round_trip(struct fixture *f, const struct request *r)
{
	struct request back;

	assert_true(unpacked_request(pack(f, r), &back, &f->a, shape_of, f));
	assert_same(r, &back);
}

/* With something of everything. */
static struct request
rich(struct fixture *f)
{
	struct request r = *req_build(f->b, RICH);
	struct edge *edges = arena_zero(&f->made, 2 * sizeof *edges);

	edges[0] = (struct edge){ .child = r.stmts[1].shape, .parent = r.stmts[0].shape, .child_stmt = 1, .column = "orders.customer_id → customers.id",
		.other = "", .values = 3, .source_values = 50, .kept = 50, .rows = 50, .flags = EDGE_IN_ORDER };
	edges[1] = (struct edge){ .child = r.stmts[4].shape, .parent = r.stmts[1].shape, .child_stmt = 4, .parent_stmt = 1, .column = "customers.id",
		.other = "orders.id", .values = 2, .missed = 1, .verdict = EDGE_FOLLOWS, .flags = EDGE_PARTIAL | EDGE_MANY };
	r.edges = edges;
	r.nedges = 2;
	return r;
}

static void
a_rich_request_comes_back(void **state)
{
	struct request r = rich(*state);

	assert_round_trip(*state, &r);
}

static void
an_empty_request_comes_back(void **state)
{
	assert_round_trip(*state, req_build(((struct fixture *)*state)->b, ""));
}

/* Every field at its largest, one after the other, so that none can hide behind another. */
static void
every_field_holds_what_it_can(void **state)
{
	struct fixture *f = *state;
	struct req_lane lane = { UINT32_MAX, UINT16_MAX, "\xff\xfe database" };
	struct req_tag tag = { "", "\x01\xff" }, sites[300];
	struct req_stmt base = { .shape = req_shape(f->b, "SELECT * FROM a"), .iterations = 1 }, s;
	struct request r = *req_build(f->b, "");

	for (size_t i = 0; i < LIMIT_REQUEST_SITES; i++)
		sites[i] = (struct req_tag){ "file", "a.py:1" };
	r.lanes = &lane;
	r.nlanes = 1;
	r.tags = &tag;
	r.ntags = 1;
	r.sites = sites;
	r.nsites = LIMIT_REQUEST_SITES;
	r.start = r.end = INT64_MAX;
	r.wall_start_us = INT64_MIN;
	r.scope_from = r.borders_from = FROM_NONE;
	r.idle_in_tx = UINT64_MAX;
	r.stmts_cut = UINT32_MAX;
	r.stmts = &s;
	r.nstmts = 1;
#define LARGEST(field, value) s = base, s.field = (value), assert_round_trip(f, &r)
	LARGEST(params, UINT64_MAX);
	LARGEST(params, 1);
	LARGEST(result, UINT64_MAX);
	LARGEST(start, INT64_MAX);
	LARGEST(busy, INT64_MAX);
	LARGEST(first, UINT64_MAX);
	LARGEST(rows, UINT32_MAX);
	LARGEST(affected, UINT32_MAX);
	LARGEST(bytes, UINT32_MAX);
	LARGEST(iterations, UINT32_MAX);
	LARGEST(iterations, 0);
	LARGEST(round_trips, UINT16_MAX);
	LARGEST(tx, UINT32_MAX);
	LARGEST(outcome, REC_LOST);
	LARGEST(flags, UINT8_MAX);
	LARGEST(allow, UINT16_MAX);
	LARGEST(site, LIMIT_REQUEST_SITES);
#undef LARGEST
	s = base;
	s.outcome = REC_ERROR;
	memcpy(s.code, "HY000\0", 7);
	assert_round_trip(f, &r);
}

static void
every_field_of_an_edge_holds_what_it_can(void **state)
{
	struct fixture *f = *state;
	struct request r = *req_build(f->b, "| SELECT * FROM a\n| SELECT * FROM b\n");
	struct edge base = { .child = r.stmts[1].shape, .parent = r.stmts[0].shape, .column = "", .other = "" }, e;

	r.edges = &e;
	r.nedges = 1;
#define LARGEST(field, value) e = base, e.field = (value), assert_round_trip(f, &r)
	LARGEST(child_stmt, 1);
	LARGEST(parent_stmt, 1);
	LARGEST(column, "\xff");
	LARGEST(other, "\xff");
	LARGEST(values, UINT32_MAX);
	LARGEST(missed, UINT32_MAX);
	LARGEST(source_values, UINT32_MAX);
	LARGEST(kept, UINT32_MAX);
	LARGEST(rows, UINT64_MAX);
	LARGEST(verdict, EDGE_FOLLOWS);
	LARGEST(flags, UINT8_MAX);
#undef LARGEST
}

static void
statements_need_not_be_in_order(void **state)
{
	struct fixture *f = *state;
	const struct request *built = req_build(f->b, "| SELECT * FROM a\n5ms | SELECT * FROM b\n| SELECT * FROM a\n");
	struct request r = *built;
	struct req_stmt turned[3] = { built->stmts[2], built->stmts[0], built->stmts[1] };

	r.stmts = turned;
	assert_round_trip(f, &r);
}

static void
strays_come_back(void **state)
{
	struct fixture *f = *state;
	const struct request *r = req_build(f->b, RICH);
	struct req_stmt *back;
	uint32_t n;

	packed_strays(&f->bytes, r->stmts, r->nstmts, number_of, f);
	assert_true(unpacked_strays(strbuf_span(&f->bytes), &back, &n, &f->a, shape_of, f));
	assert_same_stmts(r->stmts, r->nstmts, back, n);
	strbuf_char(&f->bytes, 'x');
	assert_false(unpacked_strays(strbuf_span(&f->bytes), &back, &n, &f->a, shape_of, f));
}

/* ---- shapes ---- */

static void
assert_same_shape(const struct shape *s, const struct sql_lang *lang, const struct sql_stmt *st)
{
	assert_int_equal(st->cls, s->cls);
	assert_int_equal(st->verb, s->verb);
	assert_int_equal(lang->dialect, s->dialect);
	assert_int_equal(st->cut, s->cut);
	assert_int_equal(st->tables_unknown, s->tables_unknown);
	assert_int_equal(st->ntables, s->ntables);
	for (size_t i = 0; i < st->ntables; i++) {
		assert_true(span_is(st->tables[i].name, s->tables[i].name));
		assert_int_equal(st->tables[i].write, s->tables[i].write);
	}
	assert_int_equal(st->nslots, s->nslots);
	for (size_t i = 0; i < st->nslots; i++) {
		assert_int_equal(st->slots[i].cls, s->slots[i].cls);
		assert_true(span_is(st->slots[i].table, s->slots[i].table));
		assert_true(span_is(st->slots[i].column, s->slots[i].column));
	}
}

static void
assert_shape_round_trip(struct fixture *f, const struct shape *s)
{
	struct sql_lang lang;
	struct sql_stmt st;

	strbuf_reset(&f->bytes);
	packed_shape(&f->bytes, s);
	assert_true(unpacked_shape(strbuf_span(&f->bytes), &lang, &st, &f->a));
	assert_same_shape(s, &lang, &st);
}

static void
shapes_come_back(void **state)
{
	struct fixture *f = *state;
	struct shape s;

	assert_shape_round_trip(f, req_shape(f->b, "SELECT 1"));
	assert_shape_round_trip(f, req_shape(f->b, "UPDATE a SET x = 1 FROM b WHERE a.id = b.id AND b.n IN (1, 2) AND a.t > 3 LIMIT 4"));
	assert_shape_round_trip(f, req_shape(f->b, "INSERT INTO \"caf\xe9\" (a, b) VALUES (1, 2)"));
	s = *req_shape(f->b, "SELECT * FROM a");
	s.cut = s.tables_unknown = true;
	s.dialect = SQL_MYSQL;
	assert_shape_round_trip(f, &s);
	for (s.cls = 0; s.cls <= SQL_OTHER; s.cls++)
		assert_shape_round_trip(f, &s);
	s.cls = SQL_READ;
	/* The last verb is the last that has a name. */
	for (s.verb = 0; s.verb == SQL_V_OTHER || strcmp(sql_verb_name(s.verb), "OTHER") != 0; s.verb++)
		assert_shape_round_trip(f, &s);
}

/* ---- damage ---- */

/* Unpacks from a block of exactly that size, so that a read past the end is seen, and uses what is taken for good as a report would. */
static bool
survives(struct fixture *f, struct span bytes)
{
	struct rule_settings settings = rule_settings_default();
	uint8_t *copy = malloc(bytes.n + 1);
	struct arena use = { 0 };
	struct request r;
	bool taken;

	memcpy(copy + 1, bytes.p, bytes.n);
	taken = unpacked_request(span_of(copy + 1, bytes.n), &r, &f->a, shape_of, f);
	/* No statement takes fewer than 11 bytes, no lane fewer than 3, no pair fewer than 2. */
	assert_true(f->a.used <= (bytes.n / 11 + 1) * sizeof(struct req_stmt) + bytes.n * sizeof(struct req_tag) + 64);
	free(copy);
	if (taken) {
		r.scope = r.test = r.key = r.application = "";
		rules_check(facts_new(&r, &use), &settings, &use);
	}
	arena_clear(&use);
	arena_clear(&f->a);
	return taken;
}

static void
damage_at_every_position_does_no_harm(void **state)
{
	struct fixture *f = *state;
	struct request r = rich(f);
	struct span good = pack(f, &r);
	uint8_t bytes[2048];
	unsigned refused = 0;

	assert_true(good.n < sizeof bytes);
	for (size_t i = 0; i < good.n; i++)
		for (unsigned change = 1; change < 256; change = change < 128 ? change * 2 : change + 127) {
			memcpy(bytes, good.p, good.n);
			bytes[i] ^= (uint8_t)change;
			refused += !survives(f, span_of(bytes, good.n));
		}
	assert_true(refused > good.n);
}

static void
what_is_cut_short_is_refused(void **state)
{
	struct fixture *f = *state;
	struct request r = rich(f);
	struct span good = pack(f, &r);

	for (size_t n = 0; n < good.n; n++)
		assert_false(survives(f, span_first(good, n)));
	assert_true(survives(f, good));
}

static void
what_goes_on_is_refused(void **state)
{
	struct fixture *f = *state;

	pack(f, req_build(f->b, RICH));
	strbuf_char(&f->bytes, '\0');
	assert_false(survives(f, strbuf_span(&f->bytes)));
}

static void
random_bytes_do_no_harm(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[300];
	uint32_t seed = 1;

	pack(f, req_build(f->b, RICH));
	for (int round = 0; round < 20000; round++) {
		size_t n = (seed >> 16) % sizeof bytes;

		for (size_t i = 0; i < n; i++) {
			seed = seed * 1664525 + 1013904223;
			bytes[i] = (seed >> 8) & 3 ? (uint8_t)(seed >> 24) & 7 : (uint8_t)(seed >> 24);
		}
		if (n)
			bytes[0] = PACKED_VERSION;
		survives(f, span_of(bytes, n));
		seed = seed * 1664525 + 1013904223;
	}
}

/* A count in front of nothing may not size an allocation. */
static void
counts_are_measured_against_the_bytes(void **state)
{
	static const uint64_t counts[] = { 1, 2, 1000, LIMIT_REQUEST_STMTS, UINT32_MAX, UINT64_MAX };
	struct fixture *f = *state;
	struct req_stmt *s;
	uint32_t n;

	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		strbuf_reset(&f->bytes);
		pack_number(&f->bytes, counts[i]);
		assert_false(unpacked_strays(strbuf_span(&f->bytes), &s, &n, &f->a, shape_of, f));
		assert_int_equal(f->a.used, 0);
	}
}

static void
more_than_the_limits_is_refused(void **state)
{
	struct fixture *f = *state;
	struct req_tag tags[LIMIT_REQUEST_TAGS + 1];
	struct request r = *req_build(f->b, ""), back;

	for (size_t i = 0; i <= LIMIT_REQUEST_TAGS; i++)
		tags[i] = (struct req_tag){ "k", "v" };
	r.tags = tags;
	r.ntags = LIMIT_REQUEST_TAGS;
	assert_round_trip(f, &r);
	r.ntags++;
	assert_false(unpacked_request(pack(f, &r), &back, &f->a, shape_of, f));
}

static bool
is_taken(struct fixture *f, const struct request *r)
{
	struct request back;

	return unpacked_request(pack(f, r), &back, &f->a, shape_of, f);
}

static void
what_rules_index_with_is_checked(void **state)
{
	struct fixture *f = *state;
	const struct request *built = req_build(f->b, "site a.py:1 | SELECT * FROM a\n");
	struct request r = *built;
	struct req_stmt s = *built->stmts;

	r.stmts = &s;
	assert_true(is_taken(f, &r));
	s.lane = 1;
	assert_false(is_taken(f, &r));
	s.lane = 0;
	s.site = 2;
	assert_false(is_taken(f, &r));
	s.site = 1;
	s.busy = (uint64_t)INT64_MAX + 1;
	assert_false(is_taken(f, &r));
	s.busy = 0;
	r.end = r.start - 1;
	assert_false(is_taken(f, &r));
}

static void
statements_of_edges_are_checked(void **state)
{
	struct fixture *f = *state;
	struct request r = *req_build(f->b, "| SELECT * FROM a\n");
	struct edge e = { .child = r.stmts->shape, .parent = r.stmts->shape, .column = "", .other = "" };

	r.edges = &e;
	r.nedges = 1;
	assert_true(is_taken(f, &r));
	e.child_stmt = 1;
	assert_false(is_taken(f, &r));
	e.child_stmt = 0;
	e.parent_stmt = 1;
	assert_false(is_taken(f, &r));
}

static void
a_shape_that_is_not_there_is_refused(void **state)
{
	struct fixture *f = *state;
	struct span bytes = pack(f, req_build(f->b, "| SELECT * FROM a\n"));

	assert_true(survives(f, bytes));
	f->nshapes = 0;
	assert_false(survives(f, bytes));
}

static void
another_version_is_refused(void **state)
{
	struct fixture *f = *state;

	pack(f, req_build(f->b, RICH));
	f->bytes.p[0] = PACKED_VERSION + 1;
	assert_false(survives(f, strbuf_span(&f->bytes)));
}

static void
damaged_shapes_do_no_harm(void **state)
{
	struct fixture *f = *state;
	struct sql_lang lang;
	struct sql_stmt st;
	size_t n;

	packed_shape(&f->bytes, req_shape(f->b, "UPDATE a SET x = 1 FROM b WHERE a.id = b.id AND b.n IN (1, 2) LIMIT 4"));
	n = f->bytes.n;
	for (size_t i = 0; i < n; i++)
		for (unsigned change = 1; change < 256; change++) {
			f->bytes.p[i] ^= (char)change;
			if (unpacked_shape(strbuf_span(&f->bytes), &lang, &st, &f->a)) {
				assert_true(st.cls <= SQL_OTHER && st.verb <= SQL_V_GRANT && lang.dialect <= SQL_MYSQL);
				assert_true(st.nslots <= LIMIT_SLOTS && st.ntables <= LIMIT_TABLES);
			}
			f->bytes.p[i] ^= (char)change;
			arena_reset(&f->a);
		}
	for (size_t cut = 0; cut < n; cut++)
		assert_false(unpacked_shape(span_of(f->bytes.p, cut), &lang, &st, &f->a));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_rich_request_comes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_empty_request_comes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_field_holds_what_it_can, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_field_of_an_edge_holds_what_it_can, set_up, tear_down),
		cmocka_unit_test_setup_teardown(statements_need_not_be_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(strays_come_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(shapes_come_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damage_at_every_position_does_no_harm, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_cut_short_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_goes_on_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(random_bytes_do_no_harm, set_up, tear_down),
		cmocka_unit_test_setup_teardown(counts_are_measured_against_the_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(more_than_the_limits_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_rules_index_with_is_checked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(statements_of_edges_are_checked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_shape_that_is_not_there_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_version_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_shapes_do_no_harm, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
