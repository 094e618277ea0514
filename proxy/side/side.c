/* SPDX-License-Identifier: Apache-2.0 */
/* side: see side.h. What both engines share. */
#include "side_part.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "proxy/clock.h"

/* Libraries end their words with a new line, and may say several; the first says it. */
static void
first_line(char *text)
{
	text[strcspn(text, "\r\n")] = '\0';
}

bool
side_fail(struct side_problem *p, bool gone, const char *code, const char *fmt, ...)
{
	va_list ap;

	p->gone = gone;
	snprintf(p->code, sizeof p->code, "%s", code ? code : "");
	va_start(ap, fmt);
	vsnprintf(p->text, sizeof p->text, fmt, ap);
	va_end(ap);
	first_line(p->text);
	return false;
}

struct side *
side_open(const struct side_target *t, struct side_problem *p)
{
	struct side *s = xmem_zero(sizeof *s);

	s->engine = t->engine;
	s->timeout = t->timeout;
	if (t->engine == ENGINE_POSTGRESQL ? pg_open(s, t, p) : my_open(s, t, p))
		return s;
	side_close(s);
	return NULL;
}

void
side_close(struct side *s)
{
	if (!s)
		return;
	if (s->pg)
		PQfinish(s->pg);
	if (s->my)
		mysql_close(s->my);
	mem_free(s);
}

bool
side_query(struct side *s, const char *text, const struct side_param *params, uint32_t nparams, struct side_rows *rows, struct side_problem *p)
{
	struct side_rows none = { .n = 0 };
	struct side_rows *out = rows ? rows : &none;
	uint64_t start = clock_ns();
	bool ok;

	*p = (struct side_problem){ .gone = false };
	*out = (struct side_rows){ .n = 0 };
	ok = s->engine == ENGINE_POSTGRESQL ? pg_query(s, text, params, nparams, out, p) : my_query(s, text, params, nparams, out, p);
	out->ns = clock_ns() - start;
	if (!ok || !rows)
		side_rows_clear(out);
	return ok;
}

void
side_rows_clear(struct side_rows *r)
{
	arena_clear(&r->arena);
	mem_free(r->cells);
	*r = (struct side_rows){ .n = 0 };
}

bool
side_add_row(struct side_rows *r, struct side_problem *p)
{
	if (r->n == LIMIT_SIDE_ROWS || r->arena.used > LIMIT_SIDE_BYTES)
		return side_fail(p, true, "", "the result is larger than %d rows or %d MiB", LIMIT_SIDE_ROWS, LIMIT_SIDE_BYTES >> 20);
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 64;
		r->cells = xmem_resize(r->cells, (size_t)r->cap * (r->ncolumns ? r->ncolumns : 1) * sizeof *r->cells);
	}
	r->n++;
	return true;
}

void
side_set_cell(struct side_rows *r, uint32_t column, const char *bytes, size_t n)
{
	r->cells[(size_t)(r->n - 1) * r->ncolumns + column] =
	    (struct side_cell){ bytes ? arena_strndup(&r->arena, span_of(bytes, n)) : NULL, (uint32_t)n };
}

struct side_cell
side_cell(const struct side_rows *r, uint32_t row, uint32_t column)
{
	return row < r->n && column < r->ncolumns ? r->cells[(size_t)row * r->ncolumns + column] : (struct side_cell){ NULL, 0 };
}

bool
side_is_mariadb(const struct side *s)
{
	return s->mariadb;
}

enum engine_kind
side_engine(const struct side *s)
{
	return s->engine;
}

/* Inside the transaction on PostgreSQL, so that a pooler in front of it may serve us, too. */
bool
side_guard(struct side *s, uint64_t ns, struct side_problem *p)
{
	char sql[120];
	uint64_t ms = ns / 1000000 ? ns / 1000000 : 1;

	if (s->engine == ENGINE_POSTGRESQL) {
		snprintf(sql, sizeof sql, "SET LOCAL statement_timeout = %" PRIu64, ms);
		return side_query(s, "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL, 0, NULL, p) &&
		       side_query(s, sql, NULL, 0, NULL, p) && side_query(s, "SET LOCAL lock_timeout = 1000", NULL, 0, NULL, p);
	}
	if (s->mariadb)
		snprintf(sql, sizeof sql, "SET SESSION max_statement_time = %" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000));
	else
		snprintf(sql, sizeof sql, "SET SESSION max_execution_time = %" PRIu64, ms);
	return side_query(s, sql, NULL, 0, NULL, p) && side_query(s, "SET SESSION lock_wait_timeout = 1", NULL, 0, NULL, p) &&
	       side_query(s, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", NULL, 0, NULL, p) &&
	       side_query(s, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", NULL, 0, NULL, p);
}
