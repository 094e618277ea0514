/* SPDX-License-Identifier: Apache-2.0 */
/* rewrite: see rewrite.h. Values that are the same in all executions stay as they are; those that differ must each be what one column is
 * compared with, and become the keys. */
#include "rewrite.h"

#include <stdio.h>
#include <stdlib.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "reports/requests/keymap.h"

/* ---- what differs between executions ---- */

static const struct fix_value *
bound(const struct fix_exec *e, const struct token *t)
{
	return t->kind == TOKEN_PARAM && t->number >= 1 && t->number <= e->nparams ? &e->params[t->number - 1] : NULL;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool
same_token(const struct fix_exec *x, const struct token *a, const struct fix_exec *y, const struct token *b)
{
	const struct fix_value *v = bound(x, a), *u = bound(y, b);

	if (a->kind != b->kind)
		return false;
	if (a->kind == TOKEN_PARAM)
		return v && u && same_text(v->text, u->text);
	return span_eq(a->text, b->text);
}

/* Both are one and the same but for values. */
static bool
may_differ(const struct token *a, const struct token *b)
{
	bool x = a->kind == TOKEN_STRING || a->kind == TOKEN_NUMBER || a->kind == TOKEN_PARAM || token_is(a, "null"),
	     y = b->kind == TOKEN_STRING || b->kind == TOKEN_NUMBER || b->kind == TOKEN_PARAM || token_is(b, "null");

	return x && y && (a->kind == TOKEN_PARAM) == (b->kind == TOKEN_PARAM);
}

/* The condition whose value the token is. */
static uint32_t
condition_of(const struct look_up *l, uint32_t token)
{
	for (uint32_t i = 0; i < l->nconditions; i++)
		if (l->conditions[i].equal && token >= l->conditions[i].value.from && token < l->conditions[i].value.to)
			return i;
	return UINT32_MAX;
}

static void
add_key_condition(struct rewrite *w, uint32_t condition)
{
	for (uint32_t i = 0; i < w->ncolumns; i++)
		if (w->key_conditions[i] == condition)
			return;
	if (w->ncolumns == REWRITE_KEY_COLUMNS)
		w->why = "its key has too many columns";
	else
		w->key_conditions[w->ncolumns++] = condition;
}

static void
compare(struct rewrite *w, const struct fix_exec *first, const struct fix_exec *e, struct arena *a)
{
	uint32_t n;
	const struct token *t = tokens_of(e->lang, e->text, a, &n), *f = w->look_up.t;

	if (n != w->look_up.n) {
		w->why = "its executions are not written alike";
		return;
	}
	for (uint32_t i = 0; i < n && !w->why; i++) {
		uint32_t condition;

		if (t[i].kind == TOKEN_PARAM && !bound(e, &t[i])) {
			w->why = "a value it was executed with is missing in the recording";
			return;
		}
		if (same_token(first, &f[i], e, &t[i]))
			continue;
		condition = may_differ(&f[i], &t[i]) ? condition_of(&w->look_up, i) : UINT32_MAX;
		if (condition == UINT32_MAX)
			w->why = may_differ(&f[i], &t[i]) ? "a value differs that no column is simply compared with" : "its executions are not written alike";
		else
			add_key_condition(w, condition);
	}
}

/* ---- keys ---- */

static const char *
text_of(const struct token *t, struct range r, struct arena *a)
{
	const uint8_t *from = t[r.from].text.p, *to = t[r.to - 1].text.p + t[r.to - 1].text.n;

	return arena_strndup(a, span_of(from, (size_t)(to - from)));
}

static struct fix_key
key_of(const struct rewrite *w, const struct fix_exec *e, const struct token *t, uint32_t index, struct arena *a)
{
	struct fix_key k = { .exec = index };

	for (uint32_t c = 0; c < w->ncolumns; c++) {
		struct range value = w->look_up.conditions[w->key_conditions[c]].value;
		const struct token *last = &t[value.to - 1];

		if (last->kind == TOKEN_PARAM) {
			k.bound[c] = *bound(e, last);
			k.null |= k.bound[c].text == NULL;
		} else {
			k.literal[c] = text_of(t, value, a);
			k.null |= token_is(last, "null");
		}
	}
	return k;
}

static uint64_t
key_hash(const struct rewrite *w, const struct fix_key *k)
{
	uint64_t h = 1;

	for (uint32_t c = 0; c < w->ncolumns; c++) {
		const char *text = k->literal[c] ? k->literal[c] : k->bound[c].text;

		h = sql_hash_mix(h, text ? sql_hash(span_str(text)) : 1);
	}
	return h;
}

static void
take_keys(struct rewrite *w, const struct fix_exec *execs, uint32_t n, struct arena *a)
{
	struct keymap seen = { 0 };
	struct arena scratch = { 0 };

	w->keys = arena_zero(a, REWRITE_KEYS * sizeof *w->keys);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t count, before = seen.n;
		const struct token *t = tokens_of(execs[i].lang, execs[i].text, &scratch, &count);
		struct fix_key k = key_of(w, &execs[i], t, i, a);

		if (keymap_add(&seen, key_hash(w, &k), UINT32_MAX) == before && w->nkeys < REWRITE_KEYS)
			w->keys[w->nkeys++] = k;
		arena_reset(&scratch);
	}
	w->distinct = seen.n;
	keymap_clear(&seen);
	arena_clear(&scratch);
}

/* The number that LIMIT or OFFSET gives; false: it is none. */
static bool
count_of(const struct rewrite *w, const struct fix_exec *e, struct range r, int64_t *count)
{
	const struct token *t = &w->look_up.t[r.from];
	const struct fix_value *v = bound(e, t);
	char text[24];
	char *end;

	if (t->kind == TOKEN_PARAM && (!v || !v->text))
		return false;
	snprintf(text, sizeof text, "%.*s", v ? (int)strlen(v->text) : (int)t->text.n, v ? v->text : (const char *)t->text.p);
	*count = strtoll(text, &end, 10);
	return *end == '\0' && end > text && *count >= 0;
}

static void
read_counts(struct rewrite *w, const struct fix_exec *e)
{
	int64_t offset = 0;

	w->limit = -1;
	w->ordered = !range_empty(w->look_up.order);
	if ((!range_empty(w->look_up.offset) && (!count_of(w, e, w->look_up.offset, &offset) || offset > 0)))
		w->why = "it skips rows (OFFSET)";
	else if (!range_empty(w->look_up.limit) && (!count_of(w, e, w->look_up.limit, &w->limit) || w->limit == 0))
		w->why = "its LIMIT is no number of rows";
}

void
rewrite_plan(struct rewrite *w, const struct fix_exec *execs, uint32_t n, struct arena *a)
{
	struct arena scratch = { 0 };

	*w = (struct rewrite){ .limit = -1 };
	w->why = look_up_read(&w->look_up, execs[0].lang, execs[0].text, a);
	if (!w->why)
		read_counts(w, &execs[0]);
	for (uint32_t i = 0; i < n && !w->why; i++) {
		compare(w, &execs[0], &execs[i], &scratch);
		arena_reset(&scratch);
	}
	arena_clear(&scratch);
	if (!w->why && w->ncolumns == 0)
		w->why = "it asks for the same each time: keep the first answer instead of asking again";
	if (!w->why)
		take_keys(w, execs, n, a);
}

/* ---- the statement ---- */

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
			put_param(b, *bound(b->first, &t[i]));
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
	for (uint32_t i = l->order.from; i < l->order.to; i++)
		if (l->t[i].kind == TOKEN_NUMBER && (i == l->order.from || l->t[i - 1].kind == TOKEN_COMMA))
			return true;
	return false;
}

bool
rewrite_build(struct rewrite *w, const struct fix_exec *first, bool unique, struct arena *a)
{
	struct builder b = { .w = w, .first = first };

	if (w->limit > 0 && !unique && !w->ordered)
		w->why = "its LIMIT without ORDER BY takes any of the rows that match";
	else if (w->limit > 0 && !unique && ordered_by_position(&w->look_up))
		w->why = "its ORDER BY names columns by their position";
	if (w->why)
		return false;
	strbuf_init(&b.sql, LIMIT_SIDE_TEXT);
	if (w->limit > 0 && !unique)
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

/* ---- the index ---- */

static void
put_plain_name(struct strbuf *out, struct span name)
{
	for (size_t i = 0; i < name.n; i++)
		strbuf_char(out, name.p[i] == '.' ? '_' : (char)name.p[i]);
}

/* Without quotes; "" when it needs them. */
static struct span
bare(struct span name)
{
	const uint8_t *dot = name.n ? memrchr(name.p, '.', name.n) : NULL;

	if (dot)
		name = span_from(name, (size_t)(dot + 1 - name.p));
	if (name.n >= 2 && (name.p[0] == '"' || name.p[0] == '`'))
		name = span_of(name.p + 1, name.n - 2);
	return name;
}

const char *
rewrite_index(const struct look_up *l, struct sql_lang lang, const uint32_t *keys, uint32_t nkeys, struct arena *a)
{
	char quote = lang.dialect == SQL_MYSQL && !(lang.modes & SQL_MODE_ANSI_QUOTES) ? '`' : '"';
	struct strbuf name, columns, out;
	const char *sql;

	strbuf_init(&name, LIMIT_NAME);
	strbuf_init(&columns, LIMIT_NAME * 8);
	strbuf_init(&out, LIMIT_NAME * 16);
	put_plain_name(&name, bare(l->table));
	/* What differs between look-ups first, then what is the same in all. */
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < l->nconditions; i++) {
			bool key = false;

			for (uint32_t k = 0; k < nkeys; k++)
				key |= keys[k] == i;
			if (!l->conditions[i].equal || key != (pass == 0))
				continue;
			strbuf_printf(&columns, "%s%.*s", columns.n ? ", " : "", (int)l->conditions[i].name.n, (const char *)l->conditions[i].name.p);
			strbuf_char(&name, '_');
			put_plain_name(&name, bare(l->conditions[i].name));
		}
	}
	strbuf_printf(&out, "CREATE INDEX %c%.*s_idx%c ON %.*s (%s)", quote, name.n > 55 ? 55 : (int)name.n, strbuf_cstr(&name), quote, (int)l->table.n,
	    (const char *)l->table.p, strbuf_cstr(&columns));
	sql = columns.n ? arena_strndup(a, strbuf_span(&out)) : NULL;
	strbuf_clear(&name);
	strbuf_clear(&columns);
	strbuf_clear(&out);
	return sql;
}
