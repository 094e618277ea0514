/* SPDX-License-Identifier: Apache-2.0 */
/* sql_short: see sql_short.h. Works on shapes: they hold no literals, so quotes enclose identifiers. */
#include "sql_short.h"

#include "text.h"

static bool
word_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c >= 0x80;
}

/* Length of the quoted identifier that starts at s, or 0. */
static size_t
quoted(struct span s)
{
	uint8_t q = s.p[0];

	if (q != '"' && q != '`' && q != '\'')
		return 0;
	for (size_t i = 1; i < s.n; i++)
		if (s.p[i] == q)
			return i + 1;
	return s.n;
}

static bool
word_at(struct span s, size_t at, const char *word)
{
	size_t n = strlen(word);

	return at + n <= s.n && strncasecmp((const char *)s.p + at, word, n) == 0 && (at + n == s.n || !word_byte(s.p[at + n]));
}

/* Offset of a word that follows a blank, outside parentheses and quotes; s.n when there is none. */
static size_t
find_word(struct span s, const char *word)
{
	unsigned depth = 0;

	for (size_t i = 0; i < s.n; i++) {
		size_t q = quoted(span_from(s, i));

		if (q > 0)
			i += q - 1;
		else if (s.p[i] == '(')
			depth++;
		else if (s.p[i] == ')' && depth > 0)
			depth--;
		else if (s.p[i] == ' ' && depth == 0 && word_at(s, i + 1, word))
			return i + 1;
	}
	return s.n;
}

/* ---- the steps; each appends its version of s ---- */

/* The select list, or the columns of an INSERT. */
static void
without_list(struct strbuf *out, struct span s, bool utf8)
{
	size_t from = 0, to = 0;

	if (word_at(s, 0, "SELECT")) {
		from = word_at(s, 7, "DISTINCT") ? 16 : 7;
		to = find_word(s, "FROM") - 1;
	} else if (word_at(s, 0, "INSERT")) {
		const uint8_t *open = memchr(s.p, '(', s.n), *close = open ? memchr(open, ')', s.n - (size_t)(open - s.p)) : NULL;

		from = open ? (size_t)(open - s.p) + 1 : 0;
		to = close ? (size_t)(close - s.p) : 0;
	}
	if (to <= from || to >= s.n - 1 || to - from <= text_ellipsis(utf8).n) {
		strbuf_add(out, s);
		return;
	}
	strbuf_add(out, span_first(s, from));
	strbuf_add(out, text_ellipsis(utf8));
	strbuf_add(out, span_from(s, to));
}

/* True for an identifier that means the same without its quotes to both kinds of server. */
static bool
plain_name(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || s.p[i] == '_' || (i > 0 && s.p[i] >= '0' && s.p[i] <= '9')))
			return false;
	return s.n > 0;
}

static void
without_quotes(struct strbuf *out, struct span s)
{
	while (s.n > 0) {
		size_t n = quoted(s);
		struct span inner = n > 2 ? span_first(span_from(s, 1), n - 2) : span_first(s, 0);

		if (n > 0 && plain_name(inner))
			strbuf_add(out, inner);
		else
			strbuf_add(out, span_first(s, n ? n : 1));
		s = span_from(s, n ? n : 1);
	}
}

/* The one table a statement reads or changes; empty when there are several or none is found. */
static struct span
only_table(struct span s)
{
	static const char *const before[] = { "FROM", "UPDATE", "INTO" };
	size_t at = word_at(s, 0, "UPDATE") ? 0 : s.n, n = 0;

	if (find_word(s, "JOIN") < s.n)
		return span_first(s, 0);
	for (unsigned i = 0; at == s.n && i < 3; i++)
		at = find_word(s, before[i]);
	while (at < s.n && s.p[at] != ' ')
		at++;
	s = span_from(s, at + 1);
	while (n < s.n && word_byte(s.p[n]))
		n++;
	return n < s.n && (s.p[n] == ',' || s.p[n] == '.') ? span_first(s, 0) : span_first(s, n);
}

static void
without_prefix(struct strbuf *out, struct span s)
{
	struct span table = only_table(s);
	bool inside = false;	/* within a word */

	while (s.n > 0) {
		if (table.n > 0 && !inside && s.n > table.n && s.p[table.n] == '.' && span_eq(span_first(s, table.n), table))
			s = span_from(s, table.n + 1);
		inside = word_byte(s.p[0]) || s.p[0] == '.';
		strbuf_add(out, span_first(s, 1));
		s = span_from(s, 1);
	}
}

/* The first of these words in s, outside parentheses and quotes; s.n when there is none. */
static size_t
find_any(struct span s, const char *const *words)
{
	size_t first = s.n;

	for (; *words; words++) {
		size_t at = find_word(s, *words);

		first = at < first ? at : first;
	}
	return first;
}

static bool
ends_with(struct span s, struct span end)
{
	return s.n >= end.n && span_eq(span_from(s, s.n - end.n), end);
}

/* from: behind a blank. What was left out just before it needs no second mark. */
static void
without_range(struct strbuf *out, struct span s, size_t from, size_t to, bool utf8)
{
	struct span mark = text_ellipsis(utf8);
	bool marked = from > 0 && ends_with(span_first(s, from - 1), mark);

	if (from >= to || to - from <= mark.n + 1) {
		strbuf_add(out, s);
		return;
	}
	strbuf_add(out, span_first(s, marked ? from - 1 : from));
	if (!marked)
		strbuf_add(out, mark);
	if (to < s.n)
		strbuf_char(out, ' ');
	strbuf_add(out, span_from(s, to));
}

/* From the first join to WHERE. */
static void
without_joins(struct strbuf *out, struct span s, bool utf8)
{
	static const char *const joins[] = { "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "JOIN", NULL };
	static const char *const after[] = { "WHERE", "GROUP", "ORDER", NULL };
	size_t from = find_any(s, joins), to = find_any(s, after);

	without_range(out, s, from, to < s.n ? to : from, utf8);
}

/* What follows the conditions, or the values of an INSERT. */
static void
without_end(struct strbuf *out, struct span s, bool utf8)
{
	static const char *const ends[] = { "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR", "RETURNING", NULL };
	size_t values = word_at(s, 0, "INSERT") ? find_word(s, "VALUES") : s.n;

	without_range(out, s, values < s.n ? values + 7 : find_any(s, ends), s.n, utf8);
}

/* FROM behind a select list that is left out already: its place tells as much. */
static void
without_from(struct strbuf *out, struct span s, bool utf8)
{
	struct span mark = text_ellipsis(utf8);
	size_t from = find_word(s, "FROM");
	bool marked = from < s.n && from > mark.n && span_eq(span_first(span_from(s, from - 1 - mark.n), mark.n), mark);

	strbuf_add(out, span_first(s, marked ? from : 0));
	strbuf_add(out, span_from(s, marked ? from + 5 : 0));
}

/* As many whole words from the start as fit. */
static struct span
whole_head(struct span s, unsigned columns)
{
	struct span head = text_head(s, columns);

	for (size_t n = head.n; n > head.n / 2; n--)
		if (n < s.n && s.p[n] == ' ')
			return span_first(s, n);
	return head;
}

/* From the end, unless that would give up half of the room. */
static struct span
whole_tail(struct span s, unsigned columns)
{
	struct span tail = text_tail(s, columns);

	for (size_t i = 1; i < tail.n / 2; i++)
		if (tail.p[i - 1] == ' ')
			return span_from(tail, i);
	return tail;
}

/* Words from the middle; the start keeps more, as it names the tables. */
static void
without_middle(struct strbuf *out, struct span s, unsigned columns, bool utf8)
{
	struct span mark = text_ellipsis(utf8), head, tail;
	unsigned joint = (unsigned)(utf8 ? 1 : 3) + 2;

	if (columns < joint + 10) {
		text_cut_middle(out, s, columns, utf8);
		return;
	}
	head = whole_head(s, (columns - joint) * 2 / 3);
	tail = whole_tail(s, columns - joint - text_columns(head));
	strbuf_add(out, head);
	strbuf_char(out, ' ');
	if (!ends_with(head, mark)) {
		strbuf_add(out, mark);
		strbuf_char(out, ' ');
	}
	strbuf_add(out, tail);
}

enum { STEPS = 6 };

static void
take_step(unsigned step, struct strbuf *out, struct span s, bool utf8)
{
	switch (step) {
	case 0:
		without_quotes(out, s);
		break;
	case 1:
		without_list(out, s, utf8);
		break;
	case 2:
		without_prefix(out, s);
		break;
	case 3:
		without_joins(out, s, utf8);
		break;
	case 4:
		without_end(out, s, utf8);
		break;
	default:
		without_from(out, s, utf8);
	}
}

void
sql_short(struct strbuf *out, struct span s, unsigned columns, bool utf8)
{
	struct strbuf step[STEPS];
	unsigned n = 0;

	for (; n < STEPS && (n == 0 || text_columns(s) > columns); n++) {
		strbuf_init(&step[n], s.n + 8);
		take_step(n, &step[n], s, utf8);
		s = strbuf_span(&step[n]);
	}
	if (text_columns(s) <= columns)
		strbuf_add(out, s);
	else
		without_middle(out, s, columns, utf8);
	while (n-- > 0) {
		out->cut |= step[n].cut;
		strbuf_clear(&step[n]);
	}
}
