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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_become_an_edge), cmocka_unit_test(cut_parameters_are_partial),
		cmocka_unit_test(without_the_columns_nothing_is_claimed), cmocka_unit_test(a_long_loop_over_a_cut_result_is_proven),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
