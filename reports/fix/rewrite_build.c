/* SPDX-License-Identifier: Apache-2.0 */
/* rewrite_build: the batched statement and its parameters, of the parts of the first execution and the keys. */
#include "rewrite.h"

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

struct builder {
	const struct rewrite *w;
	const struct fix_exec *first;
	struct strbuf sql;
	struct fix_value *params;
	uint32_t nparams, cap;
};

static void
put_param(struct builder *b, struct fix_value v)
{
	if (b->nparams == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 64;
		b->params = xmem_resize(b->params, b->cap * sizeof *b->params);
	}
	b->params[b->nparams++] = v;
	if (b->first->lang.dialect == SQL_MYSQL)
		strbuf_char(&b->sql, '?');
	else
		strbuf_printf(&b->sql, "$%u", b->nparams);
}

/* The tokens as they were, blanks and comments between them as one blank, parameters numbered anew. */
static void
put_range(struct builder *b, struct range r)
{
	const struct token *t = b->w->look_up.t;

	for (uint32_t i = r.from; i < r.to; i++) {
		if (i > r.from && t[i].text.p > t[i - 1].text.p + t[i - 1].text.n)
			strbuf_char(&b->sql, ' ');
		if (t[i].kind == TOKEN_PARAM)
			put_param(b, *rewrite_bound(b->first, &t[i]));
		else
			strbuf_add(&b->sql, t[i].text);
	}
}

static struct condition
key_condition(const struct builder *b, uint32_t column)
{
	return b->w->look_up.conditions[b->w->key_conditions[column]];
}

static void
put_cast(struct builder *b, uint32_t column, const char *behind)
{
	struct range cast = key_condition(b, column).cast;

	if (range_empty(cast))
		return;
	strbuf_str(&b->sql, "::");
	put_range(b, cast);
	strbuf_str(&b->sql, behind);
}

static void
put_key_value(struct builder *b, const struct fix_key *k, uint32_t column)
{
	if (!k->literal[column])
		put_param(b, (struct fix_value){ k->bound[column].text, b->first->lang.dialect == SQL_MYSQL ? k->bound[column].type : 0 });
	else
		strbuf_str(&b->sql, k->literal[column]);
	put_cast(b, column, "");
}

static bool
all_bound(const struct rewrite *w)
{
	for (uint32_t i = 0; i < w->nkeys; i++)
		if (w->keys[i].literal[0])
			return false;
	return true;
}

/* {"a","b"}: every element quoted. */
static struct fix_value
array_of(const struct rewrite *w, struct arena *a)
{
	struct strbuf out;
	struct fix_value v;

	strbuf_init(&out, LIMIT_SIDE_TEXT);
	strbuf_char(&out, '{');
	for (uint32_t i = 0; i < w->nkeys; i++) {
		if (w->keys[i].null)
			continue;
		strbuf_str(&out, out.n > 1 ? ",\"" : "\"");
		for (const char *p = w->keys[i].bound[0].text; *p; p++) {
			if (*p == '"' || *p == '\\')
				strbuf_char(&out, '\\');
			strbuf_char(&out, *p);
		}
		strbuf_char(&out, '"');
	}
	strbuf_char(&out, '}');
	v = (struct fix_value){ arena_strndup(a, strbuf_span(&out)), 0 };
	strbuf_clear(&out);
	return v;
}

static void
put_columns(struct builder *b, const char *label)
{
	for (uint32_t c = 0; c < b->w->ncolumns; c++) {
		if (c)
			strbuf_str(&b->sql, ", ");
		put_range(b, key_condition(b, c).column);
		if (label)
			strbuf_printf(&b->sql, c ? " AS %s%u" : " AS %s", label, c + 1);
	}
}

/* col IN (1, 2), (a, b) IN ((1, 2), (3, 4)) */
static void
put_list(struct builder *b)
{
	const struct rewrite *w = b->w;
	bool many = w->ncolumns > 1, any = false;

	strbuf_str(&b->sql, many ? "(" : "");
	put_columns(b, NULL);
	strbuf_str(&b->sql, many ? ") IN (" : " IN (");
	for (uint32_t i = 0; i < w->nkeys; i++) {
		if (w->keys[i].null)
			continue;
		strbuf_str(&b->sql, any ? ", " : "");
		strbuf_str(&b->sql, many ? "(" : "");
		for (uint32_t c = 0; c < w->ncolumns; c++) {
			strbuf_str(&b->sql, c ? ", " : "");
			put_key_value(b, &w->keys[i], c);
		}
		strbuf_str(&b->sql, many ? ")" : "");
		any = true;
	}
	strbuf_str(&b->sql, any ? ")" : "NULL)");
}

static void
put_keys(struct builder *b, struct arena *a)
{
	if (b->first->lang.dialect == SQL_MYSQL || b->w->ncolumns > 1 || !all_bound(b->w)) {
		put_list(b);
		return;
	}
	put_columns(b, NULL);
	strbuf_str(&b->sql, " = ANY(");
	put_param(b, array_of(b->w, a));
	put_cast(b, 0, "[]");
	strbuf_char(&b->sql, ')');
}

static bool
is_key(const struct rewrite *w, uint32_t condition)
{
	for (uint32_t c = 0; c < w->ncolumns; c++)
		if (w->key_conditions[c] == condition)
			return true;
	return false;
}

static void
put_where(struct builder *b, struct arena *a)
{
	const struct look_up *l = &b->w->look_up;
	bool keys_put = false;

	strbuf_str(&b->sql, " FROM ");
	put_range(b, l->from);
	strbuf_str(&b->sql, " WHERE ");
	for (uint32_t i = 0; i < l->nconditions; i++) {
		if (is_key(b->w, i) && keys_put)
			continue;
		strbuf_str(&b->sql, i ? " AND " : "");
		if (is_key(b->w, i)) {
			put_keys(b, a);
			keys_put = true;
		} else {
			/* One that the original had in parentheses may need them. */
			strbuf_char(&b->sql, '(');
			put_range(b, l->conditions[i].all);
			strbuf_char(&b->sql, ')');
		}
	}
}

static void
put_order(struct builder *b)
{
	if (!b->w->ordered)
		return;
	strbuf_str(&b->sql, " ORDER BY ");
	put_range(b, b->w->look_up.order);
}

static void
put_select(struct builder *b, const char *modifier)
{
	strbuf_str(&b->sql, "SELECT ");
	strbuf_str(&b->sql, modifier);
	put_range(b, b->w->look_up.list);
	strbuf_str(&b->sql, ", ");
	put_columns(b, "rowcall_key");
}

static const char *
put_numbered(struct builder *b, struct arena *a)
{
	strbuf_str(&b->sql, "SELECT * FROM (");
	put_select(b, "");
	strbuf_str(&b->sql, ", ROW_NUMBER() OVER (PARTITION BY ");
	put_columns(b, NULL);
	put_order(b);
	strbuf_str(&b->sql, ") AS rowcall_nth");
	put_where(b, a);
	strbuf_printf(&b->sql, ") AS rowcall_rows WHERE rowcall_nth <= %lld ORDER BY rowcall_nth", (long long)b->w->limit);
	return "ROW_NUMBER";
}

static const char *
put_distinct_on(struct builder *b, struct arena *a)
{
	strbuf_str(&b->sql, "SELECT DISTINCT ON (");
	put_columns(b, NULL);
	strbuf_str(&b->sql, ") ");
	put_range(b, b->w->look_up.list);
	strbuf_str(&b->sql, ", ");
	put_columns(b, "rowcall_key");
	put_where(b, a);
	strbuf_str(&b->sql, " ORDER BY ");
	put_columns(b, NULL);
	strbuf_str(&b->sql, ", ");
	put_range(b, b->w->look_up.order);
	return "DISTINCT ON";
}

static const char *
put_plain(struct builder *b, struct arena *a)
{
	put_select(b, "");
	put_where(b, a);
	put_order(b);
	return b->first->lang.dialect == SQL_MYSQL || b->w->ncolumns > 1 || !all_bound(b->w) ? "IN" : "= ANY";
}

/* ORDER BY 1 means a column of the result only outside a window. */
static bool
ordered_by_position(const struct look_up *l)
{
	unsigned depth = 0;

	for (uint32_t i = l->order.from; i < l->order.to; i++) {
		depth += l->t[i].kind == TOKEN_OPEN;
		depth -= l->t[i].kind == TOKEN_CLOSE && depth > 0;
		if (depth == 0 && l->t[i].kind == TOKEN_NUMBER && (i == l->order.from || l->t[i - 1].kind == TOKEN_COMMA))
			return true;
	}
	return false;
}

bool
rewrite_build(struct rewrite *w, const struct fix_exec *first, bool unique, struct arena *a)
{
	struct builder b = { .w = w, .first = first };
	bool limited = w->limit > 0 && !unique;

	w->without_limit = limited && (!w->ordered || ordered_by_position(&w->look_up));
	strbuf_init(&b.sql, LIMIT_SIDE_TEXT);
	if (limited && !w->without_limit)
		w->form = w->limit == 1 && first->lang.dialect == SQL_POSTGRESQL ? put_distinct_on(&b, a) : put_numbered(&b, a);
	else
		w->form = put_plain(&b, a);
	w->sql = arena_strndup(a, strbuf_span(&b.sql));
	w->params = arena_zero(a, (b.nparams + 1) * sizeof *w->params);
	if (b.nparams)
		memcpy(w->params, b.params, b.nparams * sizeof *w->params);
	w->nparams = b.nparams;
	if (b.sql.cut)
		w->why = "it is too long";
	strbuf_clear(&b.sql);
	mem_free(b.params);
	return !w->why;
}
