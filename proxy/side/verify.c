/* SPDX-License-Identifier: Apache-2.0 */
/* verify: see verify.h. The server itself says what a key looks like as a value of its column, so that text can be compared with text. */
#include "verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "plan.h"
#include "reports/requests/keymap.h"
#include "step.h"

enum { RUNS = 1000, WARM_NS = 3000000000 };	/* executions run; a second, warm round only when the first took no longer */

/* One row as bytes that tell cells and NULL apart; sorted and compared as a whole. */
struct row {
	struct span bytes;
	uint32_t key;
};

struct rows_of_keys {
	struct row *v;
	uint32_t n, cap;
};

struct bench {
	struct side *s;
	const struct verify_job *job;
	struct fix_result *r;
	struct arena *a;
	struct arena bytes;		/* of rows */
	struct rows_of_keys before, after;
	uint32_t ncolumns;		/* of the originals */
};

static const char * __attribute__((format(printf, 2, 3)))
words(struct bench *b, const char *fmt, ...)
{
	char text[500];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return arena_strndup(b->a, span_str(text));
}

static bool
give_up(struct bench *b, const char *what, const struct side_problem *p)
{
	bool late = strcmp(p->code, "57014") == 0 || strcmp(p->code, "1969") == 0 || strcmp(p->code, "3024") == 0;
	bool denied = strcmp(p->code, "42501") == 0 || strcmp(p->code, "1142") == 0 || strcmp(p->code, "1143") == 0 || strcmp(p->code, "1044") == 0;
	bool absent = strcmp(p->code, "42P01") == 0 || strcmp(p->code, "1146") == 0;

	b->r->state = FIX_NOT_VERIFIABLE;
	b->r->why = words(b, "%s: %s%s", what, p->text,
	    late ? " (it took longer than --statement-timeout)" : denied ? " (this account may not read the table)" :
	    absent ? " (the table is not there: was it made for the run only?)" : "");
	return false;
}

/* ---- rows ---- */

/* Cells from .. to-1 of a row. */
static struct span
row_bytes(struct bench *b, const struct side_rows *rows, uint32_t row, uint32_t from, uint32_t to)
{
	size_t n = 0;
	char *p, *at;

	for (uint32_t c = from; c < to; c++)
		n += side_cell(rows, row, c).n + sizeof(uint32_t) + 1;
	p = at = arena_zero(&b->bytes, n + 1);
	for (uint32_t c = from; c < to; c++) {
		struct side_cell cell = side_cell(rows, row, c);

		*at++ = cell.p ? 'v' : 'n';
		memcpy(at, &cell.n, sizeof cell.n);
		at += sizeof cell.n;
		if (cell.p)
			memcpy(at, cell.p, cell.n);
		at += cell.p ? cell.n : 0;
	}
	return span_of(p, (size_t)(at - p));
}

static bool
add_row(struct bench *b, struct rows_of_keys *rows, struct span bytes, uint32_t key)
{
	if (b->bytes.used > LIMIT_SIDE_BYTES)
		return false;
	if (rows->n == rows->cap) {
		rows->cap = rows->cap ? 2 * rows->cap : 256;
		rows->v = xmem_resize(rows->v, rows->cap * sizeof *rows->v);
	}
	rows->v[rows->n++] = (struct row){ bytes, key };
	return true;
}

static int
by_bytes(const void *x, const void *y)
{
	const struct row *a = x, *b = y;
	size_t n = a->bytes.n < b->bytes.n ? a->bytes.n : b->bytes.n;
	int order = n ? memcmp(a->bytes.p, b->bytes.p, n) : 0;

	return order ? order : (a->bytes.n > b->bytes.n) - (a->bytes.n < b->bytes.n);
}

static int
by_key(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	return a->key != b->key ? (a->key > b->key) - (a->key < b->key) : by_bytes(x, y);
}

/* ---- what the server knows ---- */

/* A name as written, without its quotes; unquoted names fold in PostgreSQL. */
static const char *
plain_name(struct bench *b, struct span name)
{
	bool quoted = name.n >= 2 && (name.p[0] == '"' || name.p[0] == '`');
	char *out = arena_strndup(b->a, quoted ? span_of(name.p + 1, name.n - 2) : name);
	char quote = quoted ? (char)name.p[0] : '\0';
	size_t n = 0;

	for (size_t i = 0; out[i]; i++) {
		if (quote && out[i] == quote && out[i + 1] == quote)
			i++;
		out[n++] = !quoted && b->job->target.engine == ENGINE_POSTGRESQL && out[i] >= 'A' && out[i] <= 'Z' ? (char)(out[i] + 'a' - 'A') : out[i];
	}
	out[n] = '\0';
	return out;
}

static void
put_quoted(struct strbuf *out, const char *s, char quote)
{
	strbuf_char(out, quote);
	for (; *s; s++) {
		if (*s == quote || *s == '\\')
			strbuf_char(out, *s == quote && quote == '\'' ? quote : '\\');
		strbuf_char(out, *s);
	}
	strbuf_char(out, quote);
}

/* The columns that are compared with values, as a list: {"a","b"} or 'a','b'. */
static const char *
compared_columns(struct bench *b, bool array)
{
	const struct look_up *l = &b->r->rewrite.look_up;
	struct strbuf out;
	const char *text;

	strbuf_init(&out, LIMIT_NAME * LOOK_UP_CONDITIONS);
	for (uint32_t i = 0; i < l->nconditions; i++) {
		if (!l->conditions[i].equal)
			continue;
		if (out.n)
			strbuf_char(&out, ',');
		put_quoted(&out, plain_name(b, l->conditions[i].name), array ? '"' : '\'');
	}
	text = words(b, array ? "{%s}" : "%s", strbuf_cstr(&out));
	strbuf_clear(&out);
	return text;
}

/* At most one row has the compared values: a unique index covers no more than these columns. */
static bool
is_unique(struct bench *b)
{
	static const char pg[] = "SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = pg_catalog.to_regclass($1) AND i.indisunique AND i.indisvalid"
				 " AND i.indpred IS NULL AND i.indexprs IS NULL AND (SELECT pg_catalog.array_agg(a.attname::text) FROM"
				 " pg_catalog.unnest(i.indkey[0:i.indnkeyatts - 1]) k JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND"
				 " a.attnum = k) <@ $2::text[] LIMIT 1";
	const struct look_up *l = &b->r->rewrite.look_up;
	const uint8_t *dot = memrchr(l->table.p, '.', l->table.n);
	struct span last = dot ? span_from(l->table, (size_t)(dot + 1 - l->table.p)) : l->table;
	struct fix_value values[2] = { { arena_strndup(b->a, l->table), 25 }, { NULL, 0 } };
	struct side_problem p;
	struct side_rows rows;
	char sql[4096];
	bool found;

	if (b->job->target.engine == ENGINE_POSTGRESQL) {
		values[1].text = compared_columns(b, true);
		if (!step_query(b->s, pg, values, 2, &rows, &p))
			return false;
	} else {
		struct fix_value names[2] = { { plain_name(b, last), 0 }, { dot ? plain_name(b, span_first(l->table, (size_t)(dot - l->table.p))) : NULL, 0 } };

		snprintf(sql, sizeof sql,
		    "SELECT index_name FROM information_schema.statistics WHERE table_name = ? AND table_schema = COALESCE(?, DATABASE()) AND"
		    " non_unique = 0 GROUP BY index_name HAVING SUM(column_name NOT IN (%s)) = 0 LIMIT 1",
		    compared_columns(b, false));
		if (!step_query(b->s, sql, names, 2, &rows, &p))
			return false;
	}
	found = rows.n > 0;
	side_rows_clear(&rows);
	return found;
}

/* ---- keys as the server prints them ---- */

static bool
is_numeric(const struct bench *b, uint32_t type)
{
	/* enum enum_field_types: DECIMAL, TINY, SHORT, LONG, FLOAT, DOUBLE, LONGLONG, INT24, NEWDECIMAL */
	return b->job->target.engine == ENGINE_MYSQL && (type <= 5 || type == 8 || type == 9 || type == 246);
}

static const char *
type_name(struct bench *b, const struct side_column *c)
{
	struct fix_value values[2] = { { words(b, "%u", c->type), 0 }, { words(b, "%d", c->modifier), 0 } };
	const char *name = NULL;
	struct side_problem p;
	struct side_rows rows;

	if (!step_query(b->s, "SELECT pg_catalog.format_type($1::oid, $2::int)", values, 2, &rows, &p))
		return NULL;
	if (side_cell(&rows, 0, 0).p)
		name = arena_strndup(b->a, span_str(side_cell(&rows, 0, 0).p));
	side_rows_clear(&rows);
	return name;
}

/* One row: every key, cast to the type of its column. False: the server cannot say. */
static bool
ask_keys(struct bench *b, const struct side_column *columns, struct side_rows *rows)
{
	const struct rewrite *w = &b->r->rewrite;
	bool pg = b->job->target.engine == ENGINE_POSTGRESQL, ok;
	const char *types[REWRITE_KEY_COLUMNS] = { NULL };
	struct fix_value *params = xmem_zero(REWRITE_KEYS * REWRITE_KEY_COLUMNS * sizeof *params);
	struct side_problem p;
	struct strbuf sql;
	uint32_t n = 0;

	for (uint32_t c = 0; pg && c < w->ncolumns; c++)
		if (!(types[c] = type_name(b, &columns[c]))) {
			mem_free(params);
			return false;
		}
	strbuf_init(&sql, LIMIT_SIDE_TEXT);
	strbuf_str(&sql, "SELECT ");
	for (uint32_t k = 0; k < w->nkeys; k++)
		for (uint32_t c = 0; c < w->ncolumns; c++) {
			const char *literal = w->keys[k].literal[c];

			strbuf_str(&sql, k || c ? ", " : "");
			strbuf_str(&sql, pg ? "CAST(" : "");
			if (!literal) {
				params[n++] = w->keys[k].bound[c];
				params[n - 1].type = pg ? 25 : params[n - 1].type;	/* text */
				if (pg)
					strbuf_printf(&sql, "$%u", n);
				else
					strbuf_char(&sql, '?');
			} else {
				strbuf_str(&sql, literal);
			}
			if (pg)
				strbuf_printf(&sql, " AS %s)", types[c]);
			else
				strbuf_printf(&sql, " AS k%u_%u", k, c);
		}
	ok = !sql.cut && step_query(b->s, strbuf_cstr(&sql), params, n, rows, &p);
	strbuf_clear(&sql);
	mem_free(params);
	return ok;
}

/* A key's columns as bytes, numbers in one form. */
static struct span
key_bytes(struct bench *b, const struct side_rows *rows, uint32_t row, uint32_t from, const struct side_column *columns)
{
	struct strbuf out;
	struct span s;

	strbuf_init(&out, LIMIT_SIDE_TEXT);
	for (uint32_t c = 0; c < b->r->rewrite.ncolumns; c++) {
		struct side_cell cell = side_cell(rows, row, from + c);
		char *text = arena_strndup(&b->bytes, span_of(cell.p ? cell.p : "", cell.p ? cell.n : 0));
		size_t n = cell.p ? cell.n : 0;

		if (is_numeric(b, columns[c].type))
			n = sql_canon_text(text, n);
		strbuf_char(&out, cell.p ? 'v' : 'n');
		strbuf_add(&out, span_of(&n, sizeof n));
		strbuf_add(&out, span_of(text, n));
	}
	s = span_of(arena_strndup(&b->bytes, strbuf_span(&out)), out.n);
	strbuf_clear(&out);
	return s;
}

/* ---- running ---- */

static uint64_t
name_of(struct span bytes)
{
	return sql_hash(bytes);
}

/* All executions once; the rows of each key's first one are kept when keep. */
static bool
run_originals(struct bench *b, bool keep, uint64_t *ns)
{
	const struct verify_job *job = b->job;
	struct rewrite *w = &b->r->rewrite;
	uint32_t key = 0, n = job->nexecs < RUNS ? job->nexecs : RUNS;

	*ns = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct fix_exec *e = &job->execs[i];
		bool first = key < w->nkeys && w->keys[key].exec == i;
		struct side_problem p;
		struct side_rows rows;

		if (!step_query(b->s, arena_strndup(&b->bytes, e->text), e->params, e->nparams, &rows, &p))
			return give_up(b, "the look-up as it was recorded failed", &p);
		*ns += rows.ns;
		b->ncolumns = rows.ncolumns;
		for (uint32_t row = 0; keep && first && row < rows.n; row++)
			if (!add_row(b, &b->before, row_bytes(b, &rows, row, 0, rows.ncolumns), key)) {
				side_rows_clear(&rows);
				b->r->state = FIX_NOT_VERIFIABLE;
				b->r->why = "the look-ups return more rows than are compared here";
				return false;
			}
		key += first;
		side_rows_clear(&rows);
	}
	b->r->ran = n;
	/* Keys whose first execution was not run are left out. */
	if (keep) {
		while (w->nkeys > 0 && w->keys[w->nkeys - 1].exec >= n)
			w->nkeys--;
		b->r->keys = w->nkeys;
	}
	return true;
}

/* Rows of the batched form go to the key that the server prints for them; UINT32_MAX: to none. */
static bool
run_batched(struct bench *b, bool keep, uint64_t *ns)
{
	struct rewrite *w = &b->r->rewrite;
	struct side_rows rows, keys = { .n = 0 };
	struct keymap known = { 0 };
	uint32_t at, *key_of;
	struct side_problem p;

	if (!step_query(b->s, w->sql, w->params, w->nparams, &rows, &p))
		return give_up(b, "the batched form failed", &p);
	*ns = rows.ns;
	at = rows.ncolumns - w->ncolumns - (strcmp(w->form, "ROW_NUMBER") == 0);
	if (!keep || at != b->ncolumns || !ask_keys(b, rows.columns + at, &keys)) {
		bool fits = at == b->ncolumns;

		if (keep) {
			b->r->state = FIX_NOT_VERIFIABLE;
			b->r->why = fits ? "the server cannot say how its keys look as values of their column" : "the batched form has other columns";
		}
		side_rows_clear(&rows);
		return !keep;
	}
	key_of = xmem_zero((w->nkeys + 1) * sizeof *key_of);
	for (uint32_t k = 0; k < w->nkeys; k++) {
		uint32_t before = known.n, slot;
		struct span bytes = key_bytes(b, &keys, 0, k * w->ncolumns, rows.columns + at);

		/* Two keys that look alike as values of the column are one there. */
		slot = keymap_add(&known, name_of(bytes), UINT32_MAX);
		if (slot == before)
			key_of[slot] = k;
	}
	for (uint32_t i = 0; i < rows.n; i++) {
		uint32_t slot = keymap_find(&known, name_of(key_bytes(b, &rows, i, at, rows.columns + at)));

		add_row(b, &b->after, row_bytes(b, &rows, i, 0, at), slot == KEYMAP_NONE ? UINT32_MAX : key_of[slot]);
	}
	mem_free(key_of);
	keymap_clear(&known);
	side_rows_clear(&keys);
	side_rows_clear(&rows);
	return true;
}

/* ---- comparing ---- */

static bool
same_rows(const struct row *x, const struct row *y, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!span_eq(x[i].bytes, y[i].bytes))
			return false;
	return true;
}

static uint32_t
count_key(const struct rows_of_keys *r, uint32_t from, uint32_t key)
{
	uint32_t n = 0;

	while (from + n < r->n && r->v[from + n].key == key)
		n++;
	return n;
}

static void
sort_rows(struct rows_of_keys *r, int (*order)(const void *, const void *))
{
	if (r->n)
		qsort(r->v, r->n, sizeof *r->v, order);
}

/* Both sorted by key: how many keys have other rows. */
static uint32_t
differing(struct bench *b)
{
	uint32_t x = 0, y = 0, n = 0;

	for (uint32_t k = 0; k < b->r->keys; k++) {
		uint32_t nx = count_key(&b->before, x, k), ny = count_key(&b->after, y, k);

		n += nx != ny || !same_rows(b->before.v + x, b->after.v + y, nx);
		b->r->keys_with_rows += nx > 0;
		x += nx;
		y += ny;
	}
	return n;
}

/* Without regard to keys and repeats. */
static bool
same_set(struct bench *b)
{
	uint32_t x = 0, y = 0;

	sort_rows(&b->before, by_bytes);
	sort_rows(&b->after, by_bytes);
	while (x < b->before.n && y < b->after.n) {
		struct span v = b->before.v[x].bytes;

		if (!span_eq(v, b->after.v[y].bytes))
			return false;
		while (x < b->before.n && span_eq(b->before.v[x].bytes, v))
			x++;
		while (y < b->after.n && span_eq(b->after.v[y].bytes, v))
			y++;
	}
	return x == b->before.n && y == b->after.n;
}

/* Rows as they came, apart by key; whether any key's order is another one. */
static bool
orders_differ(struct bench *b)
{
	uint32_t *next = xmem_zero((b->r->keys + 1) * sizeof *next);
	bool differ = false;

	for (uint32_t k = 0, x = 0; k < b->r->keys; k++) {
		next[k] = x;
		x += count_key(&b->before, x, k);
	}
	for (uint32_t i = 0; i < b->after.n && !differ; i++) {
		uint32_t k = b->after.v[i].key;

		differ = k >= b->r->keys || next[k] >= b->before.n || b->before.v[next[k]].key != k ||
			 !span_eq(b->before.v[next[k]].bytes, b->after.v[i].bytes);
		if (!differ)
			next[k]++;
	}
	mem_free(next);
	return differ;
}

static void
compare_rows(struct bench *b)
{
	struct fix_result *r = b->r;
	bool order = r->rewrite.ordered && orders_differ(b);

	r->rows = b->before.n;
	sort_rows(&b->before, by_key);
	sort_rows(&b->after, by_key);
	r->keys_differ = differing(b);
	if (b->before.n == 0 && b->after.n == 0) {
		r->state = FIX_NOT_VERIFIABLE;
		r->why = "no key has rows in committed data (were they made in a transaction that was rolled back, or deleted since?)";
	} else if (r->keys_differ == 0 && b->after.n == b->before.n) {
		r->state = FIX_VERIFIED;
		r->order_differs = order;
	} else {
		r->state = FIX_DIFFERS;
		r->same_together = same_set(b);
		r->why = r->same_together ?
		    "all rows together are the same, but the column compares loosely (letter case, blanks or type), so that rows cannot be given to keys by "
		    "their text; compare as the database does" :
		    "the batched form does not mean the same here";
	}
}

/* ---- all of it ---- */

static bool
prepare_session(struct bench *b, struct side_problem *p)
{
	uint8_t modes = b->job->execs[0].lang.modes;

	if (b->job->target.engine == ENGINE_MYSQL && (modes & SQL_MODE_ANSI_QUOTES) &&
	    !side_query(b->s, "SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')", NULL, 0, NULL, p))
		return false;
	if (b->job->target.engine == ENGINE_MYSQL && (modes & SQL_MODE_NO_BACKSLASH) &&
	    !side_query(b->s, "SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES')", NULL, 0, NULL, p))
		return false;
	return side_guard(b->s, b->job->timeout, p);
}

static void
measure(struct bench *b)
{
	uint64_t before, after;

	if (!run_originals(b, true, &b->r->ns_before) || !run_batched(b, true, &b->r->ns_after))
		return;
	compare_rows(b);
	if (b->r->ns_before > WARM_NS)
		return;
	/* Again, now that all pages are warm for both. */
	if (run_originals(b, false, &before) && run_batched(b, false, &after)) {
		b->r->ns_before = before;
		b->r->ns_after = after;
	}
}

/* The look-up reads all of its table, and would even if that were forbidden. */
static bool
lacks_index(struct bench *b, const struct fix_exec *e, const struct fix_plan *plan)
{
	struct fix_plan forced;
	struct side_problem p;

	for (uint32_t i = 0; i < plan->nscans; i++) {
		if (!plan->scans[i].whole)
			continue;
		if (b->job->target.engine == ENGINE_MYSQL)
			return !plan->scans[i].possible;
		if (!side_query(b->s, "SET LOCAL enable_seqscan = off", NULL, 0, NULL, &p))
			return false;
		plan_ask(b->s, arena_strndup(b->a, e->text), e->params, e->nparams, b->a, &forced);
		for (uint32_t k = 0; k < forced.nscans; k++)
			if (forced.scans[k].whole)
				return true;
		return false;
	}
	return false;
}

static void
ask_plans(struct bench *b)
{
	const struct verify_job *job = b->job;
	struct fix_result *r = b->r;
	const struct rewrite *w = &r->rewrite;
	const struct fix_exec *e = &job->execs[0];

	if (job->source) {
		r->has_source = true;
		plan_ask(b->s, arena_strndup(b->a, job->source->text), job->source->params, job->source->nparams, b->a, &r->source);
	}
	plan_ask(b->s, arena_strndup(b->a, e->text), e->params, e->nparams, b->a, &r->child);
	if (w->sql)
		plan_ask(b->s, w->sql, w->params, w->nparams, b->a, &r->batched);
	if (w->look_up.nconditions > 0 && lacks_index(b, e, &r->child))
		r->index = rewrite_index(&w->look_up, e->lang, w->key_conditions, w->ncolumns, b->a);
}

void
verify(const struct verify_job *job, struct fix_result *r, struct arena *a)
{
	struct bench b = { .job = job, .r = r, .a = a };
	struct side_problem p;

	b.s = side_open(&job->target, &p);
	if (!b.s || !prepare_session(&b, &p)) {
		r->state = FIX_NOT_VERIFIABLE;
		r->why = words(&b, "no connection to the database: %s", p.text);
		side_close(b.s);
		return;
	}
	if (job->batch && !r->rewrite.why && rewrite_build(&r->rewrite, &job->execs[0], is_unique(&b), a))
		measure(&b);
	else if (r->rewrite.why)
		r->why = r->rewrite.why;
	ask_plans(&b);
	side_close(b.s);
	arena_clear(&b.bytes);
	mem_free(b.before.v);
	mem_free(b.after.v);
}
