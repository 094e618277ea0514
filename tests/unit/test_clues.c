/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of clues: evidence records between a statement's start and end become edges of the closed request; what was cut makes them partial. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "reports/requests/grouping.h"
#include "req_builder.h"

enum { MS = 1000000, COLUMNS_BYTES = 14 };

static const struct analyzer_config with_lineage = { .idle_gap = 100 * MS, .quiet = 1000 * (uint64_t)MS, .keyed_quiet = 60000 * (uint64_t)MS,
	.lineage = true };

struct seen {
	uint32_t requests, nedges;
	uint8_t verdict, flags;
	char column[64];
};

static void
on_request(void *ctx, const struct request *r)
{
	struct seen *s = ctx;

	s->requests++;
	s->nedges = r->nedges;
	if (!r->nedges)
		return;
	s->verdict = r->edges[0].verdict;
	s->flags = r->edges[0].flags;
	snprintf(s->column, sizeof s->column, "%s", r->edges[0].column);
}

/* The traffic being made. */
struct traffic {
	struct grouping *g;
	struct req_builder *b;
	uint64_t now;
	uint32_t seq;
};

static struct rec_value
number(int64_t n, uint16_t slot)
{
	char text[24];
	int len = snprintf(text, sizeof text, "%lld", (long long)n);

	return (struct rec_value){ .hash = sql_hash(span_of(text, (size_t)len)), .number = n, .slot = slot, .kind = REC_VALUE_INT };
}

static struct rec
header(struct traffic *t, enum rec_type type, size_t size)
{
	return (struct rec){ .size = (uint32_t)size, .type = (uint16_t)type, .t = ++t->now, .session = 1, .seq = t->seq };
}

static void
values(struct traffic *t, enum rec_type type, const struct rec_value *v, uint32_t n, uint16_t flags)
{
	struct rec_values *r = xmem_zero(sizeof *r + n * sizeof *v);

	r->h = header(t, type, sizeof *r + n * sizeof *v);
	r->h.flags = flags;
	r->n = n;
	if (n)
		memcpy(r->v, v, n * sizeof *v);
	grouping_record(t->g, &r->h);
	mem_free(r);
}

static void
start(struct traffic *t, const char *sql)
{
	struct rec_start s = { .shape = req_shape(t->b, sql), .params = t->seq + 100, .round_trips = 1, .iterations = 1 };

	t->seq++;
	s.h = header(t, REC_START, sizeof s);
	grouping_record(t->g, &s.h);
}

static void
end(struct traffic *t, uint64_t rows, uint64_t set)
{
	struct rec_result r = { .h = header(t, REC_RESULT, sizeof r), .hash = 4, .set = set };
	struct rec_end e = { .rows = rows, .outcome = REC_OK };

	if (set)
		grouping_record(t->g, &r.h);
	e.h = header(t, REC_END, sizeof e);
	e.start = e.first = t->now;
	grouping_record(t->g, &e.h);
}

static void
tell_columns(struct traffic *t)
{
	struct rec_columns *r = xmem_zero(sizeof *r + sizeof *r->c + COLUMNS_BYTES);

	r->h = header(t, REC_COLUMNS, sizeof *r + sizeof *r->c + COLUMNS_BYTES);
	r->set = 77;
	r->n = 1;
	r->bytes_n = 11;
	r->c[0] = (struct rec_column){ .at = 0, .name_n = 11 };
	memcpy(&r->c[1], "customer_id", 11);
	grouping_record(t->g, &r->h);
	mem_free(r);
}

/* n orders, their customers one by one; flags of each execution's parameters. */
static struct seen
list_and_look_ups(uint32_t n, uint16_t flags, bool told)
{
	struct seen s = { 0 };
	struct traffic t = { .b = req_builder_new(), .now = MS };

	t.g = grouping_new(&with_lineage, (struct request_sink){ .ctx = &s, .request = on_request });
	tell_columns(&t);
	start(&t, "SELECT customer_id FROM orders");
	for (uint32_t i = 0; i < n && i < LIMIT_EVIDENCE_ROWS; i++) {
		struct rec_value v = number(31 + i, 0);

		values(&t, REC_ROW, &v, 1, 0);
	}
	end(&t, n, told ? 77 : 0);
	for (uint32_t i = 0; i < n; i++) {
		struct rec_value v = number(31 + i, 0);

		start(&t, "SELECT name FROM customers WHERE id = 1");
		values(&t, REC_PARAMS, &v, 1, flags);
		end(&t, 1, 0);
	}
	grouping_finish(t.g);
	grouping_free(t.g);
	req_builder_free(t.b);
	return s;
}

static void
records_become_an_edge(void **state)
{
	struct seen s = list_and_look_ups(5, 0, true);

	(void)state;
	assert_true(s.requests == 1 && s.nedges == 1);
	assert_int_equal(s.verdict, EDGE_PROVEN);
	assert_string_equal(s.column, "orders.customer_id → customers.id");
}

static void
cut_parameters_are_partial(void **state)
{
	struct seen s = list_and_look_ups(5, 1, true);

	(void)state;
	assert_int_equal(s.nedges, 1);
	assert_true(s.flags & EDGE_PARTIAL);
}

static void
without_the_columns_nothing_is_claimed(void **state)
{
	(void)state;
	assert_int_equal(list_and_look_ups(5, 0, false).nedges, 0);
}

static void
a_long_loop_over_a_cut_result_is_proven(void **state)
{
	struct seen s = list_and_look_ups(20000, 0, true);

	(void)state;
	assert_int_equal(s.nedges, 1);
	assert_int_equal(s.verdict, EDGE_PROVEN);
}

/* ---- catalogs ---- */

struct asked {
	uint32_t wanted, changed, settled;
	char database[16];
};

static void
on_wanted(void *ctx, uint16_t upstream, const char *database, bool changed)
{
	struct asked *a = ctx;

	assert_int_equal(upstream, 0);
	a->wanted++;
	a->changed += changed;
	snprintf(a->database, sizeof a->database, "%s", database);
}

/* Columns of PostgreSQL, whose labels say nothing: x and y of the tables 20001 and 20002. */
static void
tell_numbered_column(struct traffic *t, uint64_t set, uint32_t oid)
{
	struct rec_columns *r = xmem_zero(sizeof *r + sizeof *r->c + 8);

	r->h = header(t, REC_COLUMNS, sizeof *r + sizeof *r->c + 8);
	r->set = set;
	r->n = r->bytes_n = 1;
	r->c[0] = (struct rec_column){ .at = 0, .name_n = 1, .attnum = 2, .oid = oid };
	memcpy(&r->c[1], "y", 1);
	grouping_record(t->g, &r->h);
	mem_free(r);
}

static void
tell_database(struct traffic *t, const char *name)
{
	struct rec_fact_rec *r = xmem_zero(sizeof *r + 32);

	r->h = header(t, REC_FACT, sizeof *r + 32);
	r->h.flags = REC_FACT_DATABASE;
	r->name_n = 8;
	r->value_n = (uint16_t)strlen(name);
	memcpy(r->bytes, "database", 8);
	memcpy(r->bytes + 8, name, strlen(name));
	grouping_record(t->g, &r->h);
	mem_free(r);
}

static struct catalog *
tickets(uint32_t oid)
{
	const struct catalog_column columns[] = { { oid, 1, "tickets", "nr" }, { oid, 2, "tickets", "assigned_to" } };
	static const struct lineage_key key = { "tickets", "assigned_to", "persons", "nr" };

	return catalog_new(0, "shop", columns, 2, &key, 1);
}

/* A loop that only the foreign key of a numbered column proves. */
static struct seen
numbered_look_ups(struct asked *asked, const char *database, struct catalog *catalog)
{
	struct seen s = { 0 };
	struct traffic t = { .b = req_builder_new(), .now = MS };
	struct analyzer_config cfg = with_lineage;

	cfg.catalogs = (struct catalog_source){ asked, on_wanted, NULL };
	t.g = grouping_new(&cfg, (struct request_sink){ .ctx = &s, .request = on_request });
	tell_database(&t, database);
	if (catalog)
		grouping_catalog(t.g, catalog);
	tell_numbered_column(&t, 78, 20001);
	start(&t, "SELECT t.y FROM tickets_view t");
	for (uint32_t i = 0; i < 3; i++) {
		struct rec_value v = number(3 - i, 0);

		values(&t, REC_ROW, &v, 1, 0);
	}
	end(&t, 3, 78);
	for (uint32_t i = 0; i < 3; i++) {
		struct rec_value v = number(3 - i, 0);

		start(&t, "SELECT label FROM persons WHERE nr = 1");
		values(&t, REC_PARAMS, &v, 1, 0);
		end(&t, 1, 0);
	}
	grouping_finish(t.g);
	grouping_free(t.g);
	req_builder_free(t.b);
	return s;
}

static void
a_catalog_names_and_proves(void **state)
{
	struct asked asked = { 0 };
	struct seen s = numbered_look_ups(&asked, "shop", tickets(20001));

	(void)state;
	assert_int_equal(s.verdict, EDGE_PROVEN);
	assert_string_equal(s.column, "tickets.assigned_to → persons.nr");
	assert_true(asked.wanted == 1 && asked.changed == 0);
	assert_string_equal(asked.database, "shop");
}

static void
tables_it_does_not_know_are_asked_for(void **state)
{
	struct asked asked = { 0 };

	(void)state;
	assert_int_not_equal(strcmp(numbered_look_ups(&asked, "shop", NULL).column, "tickets.assigned_to → persons.nr"), 0);
	assert_true(asked.wanted == 2 && asked.changed == 1);
	asked = (struct asked){ 0 };
	numbered_look_ups(&asked, "shop", tickets(30001));
	assert_int_equal(asked.changed, 1);
	/* that of another database does not count */
	asked = (struct asked){ 0 };
	assert_int_not_equal(strcmp(numbered_look_ups(&asked, "other", tickets(20001)).column, "tickets.assigned_to → persons.nr"), 0);
	assert_int_equal(asked.changed, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_become_an_edge), cmocka_unit_test(cut_parameters_are_partial),
		cmocka_unit_test(without_the_columns_nothing_is_claimed), cmocka_unit_test(a_long_loop_over_a_cut_result_is_proven),
		cmocka_unit_test(a_catalog_names_and_proves), cmocka_unit_test(tables_it_does_not_know_are_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
