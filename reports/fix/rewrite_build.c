/* SPDX-License-Identifier: Apache-2.0 */
/* rewrite_build: the batched statement and its parameters, of the parts of the first execution and the keys. */
#include "rewrite.h"

#include <strings.h>

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

/* The keys stand as a list; else as one array. */
static bool
as_list(const struct builder *b)
{
	return b->first->lang.dialect == SQL_MYSQL || b->w->ncolumns > 1 || !all_bound(b->w);
}

static void
put_keys(struct builder *b, struct arena *a)
{
	if (as_list(b)) {
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

static bool
same_name(const struct token *x, const struct token *y)
{
	return x->kind == y->kind && x->text.n == y->text.n &&
	       (x->kind == TOKEN_WORD ? strncasecmp((const char *)x->text.p, (const char *)y->text.p, x->text.n) == 0 : span_eq(x->text, y->text));
}

/* What the select list gives that name by AS; empty: nothing. */
static struct range
named_in_list(const struct look_up *l, const struct token *name)
{
	uint32_t item = l->list.from;

	for (uint32_t i = l->list.from; i + 1 < l->list.to; i++) {
		if (l->t[i].kind == TOKEN_OPEN && l->t[i].match < l->list.to)
			i = l->t[i].match;
		else if (l->t[i].kind == TOKEN_COMMA)
			item = i + 1;
		else if (token_is(&l->t[i], "AS") && same_name(&l->t[i + 1], name))
			return (struct range){ item, i };
	}
	return (struct range){ 0, 0 };
}

/* One item of ORDER BY: alone, a name is the result's column first; in a window it would be the table's. */
static void
put_order_item(struct builder *b, struct range item)
{
	const struct look_up *l = &b->w->look_up;
	const struct token *next = item.from + 1 < item.to ? &l->t[item.from + 1] : NULL;
	bool alone = (l->t[item.from].kind == TOKEN_WORD || l->t[item.from].kind == TOKEN_NAME) &&
		     (!next || token_is(next, "ASC") || token_is(next, "DESC") || token_is(next, "NULLS"));
	struct range named = alone ? named_in_list(l, &l->t[item.from]) : (struct range){ 0, 0 };

	if (range_empty(named)) {
		put_range(b, item);
		return;
	}
	put_range(b, named);
	if (next) {
		strbuf_char(&b->sql, ' ');
		put_range(b, (struct range){ item.from + 1, item.to });
	}
}

/* Inside a window. */
static void
put_window_order(struct builder *b)
{
	const struct look_up *l = &b->w->look_up;
	struct range item = { l->order.from, l->order.from };

	strbuf_str(&b->sql, " ORDER BY ");
	for (uint32_t i = l->order.from; i < l->order.to; i++) {
		if (l->t[i].kind == TOKEN_OPEN && l->t[i].match < l->order.to)
			i = l->t[i].match;
		item.to = i + 1;
		if (i + 1 < l->order.to && l->t[i + 1].kind == TOKEN_COMMA) {
			put_order_item(b, item);
			strbuf_str(&b->sql, ", ");
			item.from = ++i + 1;
		}
	}
	put_order_item(b, item);
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
	put_window_order(b);
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
	return as_list(b) ? "IN" : "= ANY";
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
