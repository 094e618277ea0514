/* SPDX-License-Identifier: Apache-2.0 */
/* rewrite: see rewrite.h. What differs between executions: values that are the same in all stay as they are; those that differ must each be
 * what one column is compared with, and become the keys. */
#include "rewrite.h"

#include <stdio.h>
#include <stdlib.h>

#include "reports/requests/keymap.h"

/* ---- what differs between executions ---- */

const struct fix_value *
rewrite_bound(const struct fix_exec *e, const struct token *t)
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
	const struct fix_value *v = rewrite_bound(x, a), *u = rewrite_bound(y, b);

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

		if (t[i].kind == TOKEN_PARAM && !rewrite_bound(e, &t[i])) {
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
			k.bound[c] = *rewrite_bound(e, last);
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
	const struct fix_value *v = rewrite_bound(e, t);
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
