/* SPDX-License-Identifier: Apache-2.0 */
/* lineage_columns: where a result's columns come from, read off the select list of a shape. Labels alone mislead, as ORMs rename columns.
 * Works on shapes: one blank between words, no literals, no comments. Never: guesses what an expression is. */
#include "lineage_names.h"

static bool
word_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || c >= 0x80;
}

/* Length of the quoted name at the start of s, 0 when there is none. */
static size_t
quoted(struct span s)
{
	uint8_t q = s.n ? s.p[0] : 0;

	if (q != '"' && q != '`' && q != '\'')
		return 0;
	for (size_t i = 1; i < s.n; i++)
		if (s.p[i] == q)
			return i + 1;
	return s.n;
}

/* Offset behind the next top-level `stop` (a character, or ' ' for one of the words that end the list); s.n when there is none. */
static size_t
top_level(struct span s, const char *const *words, size_t nwords, char comma)
{
	unsigned depth = 0;

	for (size_t i = 0; i < s.n; i++) {
		size_t q = quoted(span_from(s, i));

		if (q) {
			i += q - 1;
			continue;
		}
		depth += s.p[i] == '(' || s.p[i] == '[';
		depth -= depth > 0 && (s.p[i] == ')' || s.p[i] == ']');
		if (depth > 0)
			continue;
		if (comma && s.p[i] == (uint8_t)comma)
			return i;
		for (size_t k = 0; k < nwords && s.p[i] == ' '; k++) {
			size_t n = strlen(words[k]);

			if (s.n - i > n && memcmp(s.p + i + 1, words[k], n) == 0 && (s.n - i - 1 == n || !word_byte(s.p[i + 1 + n])))
				return i;
		}
	}
	return s.n;
}

static bool
starts(struct span s, const char *word)
{
	size_t n = strlen(word);

	return s.n >= n && memcmp(s.p, word, n) == 0;
}

/* The select list or RETURNING list; empty when the statement has none that can be read. */
static struct span
select_list(struct span text, struct span *rest)
{
	static const char *const ends[] = { "FROM", "UNION", "WHERE", "LIMIT", "INTO" }, *const returning[] = { "RETURNING" };
	struct span s;

	if (starts(text, "SELECT ")) {
		s = span_from(text, 7);
		if (starts(s, "DISTINCT ") && !starts(s, "DISTINCT ON"))
			s = span_from(s, 9);
		else if (starts(s, "ALL "))
			s = span_from(s, 4);
	} else {
		size_t at = top_level(text, returning, 1, 0);

		*rest = span_first(text, at);
		return span_from(text, at + 11);
	}
	size_t at = top_level(s, ends, sizeof ends / sizeof *ends, 0);

	*rest = span_from(s, at);
	return span_first(s, at);
}

/* Takes the next item of the list. */
static struct span
next_item(struct span *list)
{
	size_t at = top_level(*list, NULL, 0, ',');
	struct span item = span_first(*list, at);

	*list = span_from(*list, at + 1);
	while (item.n && item.p[0] == ' ')
		item = span_from(item, 1);
	return item;
}

static bool
is_star(struct span item)
{
	return item.n && item.p[item.n - 1] == '*' && (item.n == 1 || item.p[item.n - 2] == '.');
}

/* Length of the path of names at the start: shop.orders.id; 0 when there is none. *last: where its last name begins. */
static size_t
path(struct span s, size_t *last)
{
	size_t i = 0;

	*last = 0;
	for (;;) {
		size_t q = quoted(span_from(s, i)), from = i;

		if (q)
			i += q;
		else
			while (i < s.n && word_byte(s.p[i]))
				i++;
		if (i == from)
			return 0;
		*last = from;
		if (i == s.n || s.p[i] != '.')
			return i;
		i++;
	}
}

/* The last name of a qualifier: shop.orders -> orders. */
static struct span
last_name(struct span qualifier)
{
	size_t last, n = path(qualifier, &last);

	return n ? span_of(qualifier.p + last, n - last) : qualifier;
}

/* ---- aliases ---- */

static struct span
next_word(struct span *s)
{
	size_t i = 0, n;
	struct span w;

	while (i < s->n && (s->p[i] == ' ' || s->p[i] == '('))
		i++;
	*s = span_from(*s, i);
	for (n = 0; n < s->n && s->p[n] != ' ' && s->p[n] != ',' && s->p[n] != ')' && s->p[n] != '(';) {
		size_t q = quoted(span_from(*s, n));

		n += q ? q : 1;
	}
	w = span_first(*s, n);
	*s = span_from(*s, n == 0 && s->n ? 1 : n);
	return w;
}

static bool
is_keyword(struct span w)
{
	return w.n > 1 && w.p[0] >= 'A' && w.p[0] <= 'Z' && w.p[1] >= 'A' && w.p[1] <= 'Z';
}

/* The table that `name` means in the FROM part (and JOINs); false when nothing there is called so. */
static bool
find_alias(struct span from, struct span name, struct span *table)
{
	while (from.n) {
		struct span w = next_word(&from), last, alias;

		if (w.n == 0 || is_keyword(w))
			continue;
		struct span after = from;

		alias = next_word(&after);
		if (span_is(alias, "AS"))
			alias = next_word(&after);
		last = last_name(w);
		if (span_eq(last, name) || (alias.n && !is_keyword(alias) && span_eq(alias, name))) {
			*table = w;
			return true;
		}
	}
	return false;
}

static const char *
table_of(const struct shape *s, struct span from, struct span qualifier, struct arena *a)
{
	struct span table;

	if (!qualifier.n)
		return s->ntables == 1 ? s->tables[0].name : "";
	if (find_alias(from, last_name(qualifier), &table))
		return arena_strndup(a, table);
	return "";
}

/* Item i when everything before it is one column each; counted from the end behind a star. False: inside a star, whose text is *item. */
static bool
find_item(struct span list, uint32_t at, struct span *item)
{
	for (uint32_t i = 0; list.n; i++) {
		*item = next_item(&list);
		if (is_star(*item))
			return false;
		if (i == at)
			return true;
	}
	*item = (struct span){ 0 };
	return true;
}

/* Nothing, " label" or " AS label". */
static bool
is_label(struct span s)
{
	size_t last;

	if (!s.n)
		return true;
	s = span_from(s, starts(s, " AS ") ? 4 : 1);
	return s.n && path(s, &last) == s.n;
}

bool
column_origin(const struct shape *s, uint32_t at, const char *label, struct arena *a, const char **table, const char **column)
{
	struct span text = span_of(s->text, s->text_n), rest = { 0 }, list = select_list(text, &rest), item = { 0 };
	size_t last, n;

	*column = label;
	*table = "";
	if (!list.n)
		return true;
	if (!find_item(list, at, &item)) {
		*table = table_of(s, rest, span_first(item, item.n > 2 ? item.n - 2 : 0), a);
		return true;
	}
	if (!item.n)
		return true;
	n = path(item, &last);
	if (n == 0 || !is_label(span_from(item, n)))
		return false;
	*column = arena_strndup(a, span_of(item.p + last, n - last));
	*table = table_of(s, s->verb == SQL_V_SELECT ? rest : (struct span){ 0 }, span_first(item, last ? last - 1 : 0), a);
	if (!**table && s->ntables == 1)
		*table = s->tables[0].name;
	return true;
}
