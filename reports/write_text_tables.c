/* SPDX-License-Identifier: Apache-2.0 */
/* write_text_tables: requests, scopes, queries and databases, each worst first and shortened unless everything was asked for. */
#include <inttypes.h>
#include <stdlib.h>

#include "fingerprint/shapes.h"
#include "text.h"
#include "write_text.h"

enum { REQUESTS_SHOWN = 5, SCOPES_SHOWN = 12, QUERIES_SHOWN = 10, SLACK = 2 };

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

static void
put_request(struct page *p, const struct snap_request *r, unsigned at)
{
	struct strbuf line;

	strbuf_init(&line, 256);
	write_request_line(r, &line);
	page_put(p, INK_PLAIN, " %s", r->nfindings ? "! " : "  ");
	page_put(p, INK_PLAIN, "%s", strbuf_cstr(&line));
	page_to(p, at);
	page_put(p, INK_DIM, "#%-4" PRIu64 " ", r->r.number);
	page_name(p, INK_PLAIN, r->r.scope, p->o->wide || p->width < p->col + 16 ? 4096 : p->width - p->col);
	if (*r->r.test && p->col + 12 < p->width) {
		page_put(p, INK_PLAIN, "  ");
		page_name(p, INK_DIM, r->r.test, p->o->wide ? 4096 : p->width - p->col);
	}
	page_line(p);
	strbuf_clear(&line);
}

static unsigned
widest_line(const struct snap_request **r, uint32_t n)
{
	struct strbuf line;
	size_t widest = 0;

	strbuf_init(&line, 256);
	for (uint32_t i = 0; i < n; i++) {
		strbuf_reset(&line);
		write_request_line(r[i], &line);
		widest = line.n > widest ? line.n : widest;
	}
	strbuf_clear(&line);
	return (unsigned)widest;
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
		page_blank(p);
		page_put(p, INK_BOLD, "REQUESTS");
		page_put(p, INK_DIM, " (most queries first)");
		page_line(p);
		unsigned at = 3 + widest_line(r, shown) + 2;

		for (uint32_t i = 0; i < shown; i++)
			put_request(p, r[i], at);
		put_more(p, n - shown, "");
	}
	arena_clear(&a);
}

/* ---- scopes ---- */

static const struct table_column scope_columns[] = {
	{ "reqs", 0, false }, { "queries p50/max", 0, false }, { "budget", 0, true }, { "base", 3, true }, { "dup", 1, false },
	{ "n+1", 1, false }, { "db ms", 2, false }, { "db p95 ms", 4, false },
};

static void
limit_cell(struct table *t, int64_t limit)
{
	if (limit == NO_LIMIT)
		table_cell(t, INK_PLAIN, "%s", "");
	else
		table_cell(t, INK_PLAIN, "%" PRId64, limit);
}

static void
put_scope(struct table *t, const struct snap_scope *sc)
{
	bool inferred = sc->borders_from >= FROM_TRANSACTION;

	table_row(t, INK_BAD, sc->over ? inferred ? "!~" : "!" : inferred ? " ~" : "", INK_PLAIN, sc->name);
	table_cell(t, INK_PLAIN, "%" PRIu64, sc->requests);
	table_cell(t, sc->over ? INK_RED : INK_PLAIN, "%" PRIu64 " / %" PRIu64, sc->queries.p50, sc->queries.max);
	limit_cell(t, sc->budget);
	limit_cell(t, sc->baseline);
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
	table_begin(&t, p, "SCOPES (worst first)", scope_columns, sizeof scope_columns / sizeof *scope_columns, TABLE_PLAIN);
	for (uint32_t i = 0; i < s->nscopes; i++) {
		if (!scope_shown(p->o, s->scopes[i].name))
			continue;
		if (shown < rows_shown(p, matching, SCOPES_SHOWN)) {
			put_scope(&t, &s->scopes[i]);
			shown++;
		} else {
			left++;
			over += s->scopes[i].over;
		}
	}
	table_end(&t);
	put_more(p, left, over ? ", some over budget" : s->gated ? " within budget" : "");
}

/* ---- queries ---- */

static const struct table_column query_columns[] = {
	{ "%", 0, false }, { "calls", 0, false }, { "per req", 3, false }, { "avg ms", 0, false }, { "p95 ms", 2, false }, { "rows", 1, false },
	{ "errors", 0, true },
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

void
text_queries(struct page *p, const struct snapshot *s)
{
	struct table t;
	uint32_t shown = rows_shown(p, s->nshapes, QUERIES_SHOWN);

	if (s->nshapes == 0 || p->o->scope)
		return;
	page_blank(p);
	table_begin(&t, p, "QUERIES (by total time)", query_columns, sizeof query_columns / sizeof *query_columns, TABLE_SQL);
	for (uint32_t i = 0; i < shown; i++)
		put_query(&t, &s->shapes[i], s->db);
	table_end(&t);
	put_more(p, s->nshapes - shown, "");
}

/* ---- databases ---- */

void
text_databases(struct page *p, const struct snapshot *s)
{
	static const struct table_column columns[] = { { "queries", 0, false }, { "db ms", 0, false } };
	struct table t;

	if (s->ndatabases < 2)
		return;
	page_blank(p);
	table_begin(&t, p, "DATABASES", columns, 2, TABLE_PLAIN);
	for (uint32_t i = 0; i < s->ndatabases; i++) {
		table_row(&t, INK_PLAIN, "", INK_PLAIN, s->databases[i].name);
		table_cell(&t, INK_PLAIN, "%" PRIu64, s->databases[i].queries);
		table_cell(&t, INK_PLAIN, "%.1f", (double)s->databases[i].ns / 1e6);
	}
	table_end(&t);
}
