/* SPDX-License-Identifier: Apache-2.0 */
/* write_text_tables: requests, scopes, queries and databases, each worst first and shortened unless everything was asked for. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fingerprint/shapes.h"
#include "text.h"
#include "write_text.h"

enum { REQUESTS_SHOWN = 8, SCOPES_SHOWN = 12, QUERIES_SHOWN = 10, SLACK = 2, NARROW = 76 };

/* How many of n rows to print: a remainder of one or two is not worth a line of its own. */
static uint32_t
rows_shown(const struct page *p, uint32_t n, uint32_t usual)
{
	return p->o->all || n <= usual + SLACK ? n : usual;
}

static void
put_more(struct page *p, uint64_t more, const char *what)
{
	char n[TEXT_COUNT];

	if (more == 0)
		return;
	p->hid = true;
	page_put(p, INK_DIM, "   ... %s more%s (--all)", text_count(more, n), what);
	page_line(p);
}

/* ---- requests ---- */

static int
most_queries(const void *a, const void *b)
{
	const struct snap_request *x = *(const struct snap_request *const *)a, *y = *(const struct snap_request *const *)b;

	if (x->queries != y->queries)
		return x->queries < y->queries ? 1 : -1;
	return (x->r.number > y->r.number) - (x->r.number < y->r.number);
}

/* On a narrow page in fewer words, so that there is room for the scope. */
static void
request_line(const struct page *p, const struct snap_request *r, struct strbuf *out)
{
	char ms[TEXT_TIME];

	if (p->width >= NARROW)
		write_request_line(r, out);
	else
		strbuf_printf(out, "%" PRIu32 " queries (%" PRIu32 " dup), %s ms", r->queries, r->duplicates, text_ms(r->db, ms));
}

/* Widths of the rows' parts. */
struct request_columns {
	unsigned line, scope;
	int number;
};

static struct request_columns
measure_requests(struct page *p, const struct snap_request *const *r, uint32_t n)
{
	struct request_columns c = { 0 };
	struct strbuf line;
	uint64_t last = 0;

	strbuf_init(&line, 256);
	for (uint32_t i = 0; i < n; i++) {
		unsigned scope = page_columns(p, r[i]->r.scope);

		scratch_reset(p->out, &line);
		request_line(p, r[i], &line);
		c.line = line.n > c.line ? (unsigned)line.n : c.line;
		c.scope = scope > c.scope ? scope : c.scope;
		last = r[i]->r.number > last ? r[i]->r.number : last;
	}
	page_spent(p, &line);
	c.number = snprintf(NULL, 0, "%" PRIu64, last);
	return c;
}

/* One of its findings is for the reader to act on. */
static bool
to_mend(const struct snapshot *s, const struct snap_request *r)
{
	for (uint32_t i = 0; i < r->nfindings; i++)
		if (r->findings[i] < s->nfindings && finding_counts(&s->findings[r->findings[i]]))
			return true;
	return false;
}

static void
put_request(struct page *p, const struct snapshot *s, const struct snap_request *r, const struct request_columns *c)
{
	struct strbuf line;
	unsigned scope;

	strbuf_init(&line, 256);
	request_line(p, r, &line);
	page_put(p, INK_BAD, "%s", to_mend(s, r) ? " ! " : "   ");
	page_put(p, INK_PLAIN, "%s", strbuf_cstr(&line));
	page_spent(p, &line);
	page_to(p, 3 + c->line + 2);
	page_put(p, INK_DIM, "#%-*" PRIu64 "  ", c->number, r->r.number);
	scope = p->col;
	page_name(p, INK_PLAIN, r->r.scope, p->width - p->col, CUT_MIDDLE);
	if (*r->r.test && scope + c->scope + 14 < p->width)
		page_to(p, scope + c->scope + 2);
	else if (*r->r.test && p->col + 14 < p->width)
		page_put(p, INK_PLAIN, "  ");
	else {
		page_line(p);
		return;
	}
	page_name(p, INK_DIM, r->r.test, p->width - p->col, CUT_START);
	page_line(p);
}

void
text_requests(struct page *p, const struct snapshot *s)
{
	struct arena a = { 0 };
	const struct snap_request **r = arena_zero(&a, s->nrequests * sizeof *r);
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->nrequests; i++)
		if (scope_shown(p->o, s->requests[i].r.scope))
			r[n++] = &s->requests[i];
	if (n > 0) {
		uint32_t shown = rows_shown(p, n, REQUESTS_SHOWN);

		qsort(r, n, sizeof *r, most_queries);
		struct request_columns c = measure_requests(p, r, shown);

		page_blank(p);
		page_put(p, INK_BOLD, "REQUESTS");
		page_put(p, INK_DIM, " (most queries first)");
		page_line(p);
		for (uint32_t i = 0; i < shown; i++)
			put_request(p, s, r[i], &c);
		put_more(p, n - shown, "");
	}
	arena_clear(&a);
}

/* ---- scopes ---- */

static const struct table_column scope_columns[] = {
	{ "reqs", 0, false }, { "queries p50/max", 0, false }, { "budget", 0, true }, { "vs base", 3, true }, { "dup", 1, false },
	{ "n+1", 1, false }, { "db ms", 2, false }, { "db p95 ms", 4, false },
};

/* What the ratchet compares: the median against the recorded count. */
static void
baseline_cell(struct table *t, const struct snap_scope *sc)
{
	int64_t more = (int64_t)sc->queries.p50 - sc->baseline;

	if (sc->baseline == NO_LIMIT)
		table_cell(t, INK_PLAIN, "%s", "");
	else
		table_cell(t, more > 0 ? INK_RED : more < 0 ? INK_GREEN : INK_DIM, "%+" PRId64, more);
}

/* fails: some scope fails the gate, so that marks keep two places. */
static void
put_scope(struct table *t, const struct snap_scope *sc, bool fails)
{
	bool inferred = sc->borders_from >= FROM_TRANSACTION, beyond = sc->budget != NO_LIMIT && (int64_t)sc->queries.max > sc->budget;
	char mark[3];

	snprintf(mark, sizeof mark, "%s%s", sc->over ? "!" : fails ? " " : "", inferred ? "~" : "");
	table_row(t, sc->over ? INK_BAD : INK_DIM, mark, INK_PLAIN, sc->name);
	table_cell(t, INK_PLAIN, "%" PRIu64, sc->requests);
	table_cell(t, beyond ? INK_RED : INK_PLAIN, "%" PRIu64 " / %" PRIu64, sc->queries.p50, sc->queries.max);
	if (sc->budget == NO_LIMIT)
		table_cell(t, INK_PLAIN, "%s", "");
	else
		table_cell(t, INK_PLAIN, "%" PRId64, sc->budget);
	baseline_cell(t, sc);
	table_cell(t, sc->duplicates ? INK_YELLOW : INK_DIM, "%" PRIu64, sc->duplicates);
	table_cell(t, sc->n_plus_one ? INK_RED : INK_DIM, "%" PRIu32, sc->n_plus_one);
	table_cell(t, INK_PLAIN, "%.1f", (double)sc->db.total / 1e6);
	table_cell(t, INK_PLAIN, "%.1f", (double)sc->db.p95 / 1e6);
}

void
text_scopes(struct page *p, const struct snapshot *s)
{
	struct table t;
	uint32_t matching = 0, shown = 0, over = 0, left = 0;

	for (uint32_t i = 0; i < s->nscopes; i++)
		matching += scope_shown(p->o, s->scopes[i].name);
	if (matching == 0)
		return;
	page_blank(p);
	table_begin(&t, p, "SCOPES", "worst first", TABLE_PLAIN);
	table_columns(&t, scope_columns, sizeof scope_columns / sizeof *scope_columns);
	for (uint32_t i = 0; i < s->nscopes; i++) {
		if (!scope_shown(p->o, s->scopes[i].name))
			continue;
		if (shown < rows_shown(p, matching, SCOPES_SHOWN)) {
			put_scope(&t, &s->scopes[i], s->scopes[0].over);
			shown++;
		} else {
			left++;
			over += s->scopes[i].over;
		}
	}
	table_end(&t);
	put_more(p, left, over ? ", some of them failing" : s->gated ? " that pass" : "");
}

/* ---- queries ---- */

static const struct table_column query_columns[] = {
	{ "%", 0, false }, { "calls", 0, false }, { "per req", 2, false }, { "avg ms", 0, false }, { "p95 ms", 3, false }, { "rows", 4, false },
	{ "errors", 1, true },
};

static void
put_query(struct table *t, const struct snap_shape *sh, uint64_t all_ns)
{
	uint64_t n = sh->executions ? sh->executions : 1;
	char id[9];

	shape_short(sh->shape->fingerprint, id);
	table_row(t, INK_DIM, id, INK_PLAIN, sh->shape->text);
	table_cell(t, INK_PLAIN, "%.0f%%", all_ns ? 100.0 * (double)sh->time.total / (double)all_ns : 0.0);
	table_cell(t, INK_PLAIN, "%" PRIu64, sh->executions);
	table_cell(t, INK_PLAIN, "%.1f", sh->requests ? (double)sh->executions / (double)sh->requests : 0.0);
	table_cell(t, INK_PLAIN, "%.2f", (double)sh->time.total / (double)n / 1e6);
	table_cell(t, INK_PLAIN, "%.2f", (double)sh->time.p95 / 1e6);
	table_cell(t, INK_PLAIN, "%" PRIu64, sh->rows);
	if (sh->errors)
		table_cell(t, INK_RED, "%" PRIu64, sh->errors);
	else
		table_cell(t, INK_PLAIN, "%s", "");
}

/* Transaction control and set-up are no queries, and here only when everything is asked for. */
static bool
query_listed(const struct page *p, const struct snap_shape *sh)
{
	return p->o->all || stmt_kind(sh->shape) == KIND_QUERY;
}

void
text_queries(struct page *p, const struct snapshot *s)
{
	struct table t;
	uint32_t n = 0, shown = 0, most;
	uint64_t all = 0;	/* more than s->db: control and set-up statements stand in the table, too; less: not all shapes are kept */

	for (uint32_t i = 0; i < s->nshapes; i++) {
		n += query_listed(p, &s->shapes[i]);
		all += query_listed(p, &s->shapes[i]) ? s->shapes[i].time.total : 0;
	}
	if (n == 0 || p->o->scope)
		return;
	most = rows_shown(p, n, QUERIES_SHOWN);
	page_blank(p);
	table_begin(&t, p, "QUERIES", "by total time", TABLE_SQL);
	table_columns(&t, query_columns, sizeof query_columns / sizeof *query_columns);
	for (uint32_t i = 0; i < s->nshapes && shown < most; i++)
		if (query_listed(p, &s->shapes[i])) {
			put_query(&t, &s->shapes[i], all > s->db ? all : s->db);
			shown++;
		}
	table_end(&t);
	put_more(p, n - shown, "");
}

/* ---- databases ---- */

void
text_databases(struct page *p, const struct snapshot *s)
{
	static const struct table_column columns[] = { { "queries", 0, false }, { "db ms", 0, false } };
	struct table t;

	if (s->ndatabases < 2 || p->o->scope)
		return;
	page_blank(p);
	table_begin(&t, p, "DATABASES", "", TABLE_PLAIN);
	table_columns(&t, columns, sizeof columns / sizeof *columns);
	for (uint32_t i = 0; i < s->ndatabases; i++) {
		table_row(&t, INK_PLAIN, "", INK_PLAIN, s->databases[i].name);
		table_cell(&t, INK_PLAIN, "%" PRIu64, s->databases[i].queries);
		table_cell(&t, INK_PLAIN, "%.1f", (double)s->databases[i].ns / 1e6);
	}
	table_end(&t);
}
