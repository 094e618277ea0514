/* SPDX-License-Identifier: Apache-2.0 */
/* page: see page.h. Columns are counted on cleaned text; ink adds no column. */
#include "page.h"

#include <stdarg.h>
#include <stdlib.h>

#include "sql_short.h"
#include "text.h"

enum { PAGE_TEXT = 1 << 20 };	/* bytes of any one piece of text */

static const char *const inks[] = {
	[INK_PLAIN] = "", [INK_BOLD] = "1", [INK_DIM] = "2", [INK_RED] = "31", [INK_GREEN] = "32", [INK_YELLOW] = "33",
	[INK_MAGENTA] = "35", [INK_CYAN] = "36", [INK_BAD] = "1;31", [INK_GOOD] = "1;32", [INK_WARN] = "1;33",
};

void
page_init(struct page *p, struct strbuf *out, const struct write_options *o)
{
	*p = (struct page){ .out = out, .o = o, .width = o->width };
	strbuf_init(&p->raw, PAGE_TEXT);
	strbuf_init(&p->clean, 4 * PAGE_TEXT);
}

void
page_clear(struct page *p)
{
	strbuf_clear(&p->raw);
	strbuf_clear(&p->clean);
	arena_clear(&p->cells);
}

void
page_spent(struct page *p, struct strbuf *b)
{
	p->out->cut |= b->cut;
	strbuf_clear(b);
}

static void
ink_on(struct page *p, enum ink ink)
{
	if (p->o->color && ink != INK_PLAIN)
		strbuf_printf(p->out, "\x1b[%sm", inks[ink]);
}

static void
ink_off(struct page *p, enum ink ink)
{
	if (p->o->color && ink != INK_PLAIN)
		strbuf_str(p->out, "\x1b[0m");
}

static void
inked(struct page *p, enum ink ink, struct span clean)
{
	if (clean.n == 0)
		return;
	ink_on(p, ink);
	strbuf_add(p->out, clean);
	ink_off(p, ink);
	p->col += text_columns(clean);
}

/* Borrowed until the next call. */
static struct span
cleaned(struct page *p, const char *text)
{
	strbuf_reset(&p->clean);
	text_clean(&p->clean, span_str(text), p->o->utf8);
	p->out->cut |= p->clean.cut;
	return strbuf_span(&p->clean);
}

static struct span __attribute__((format(printf, 2, 0)))
formatted(struct page *p, const char *fmt, va_list ap)
{
	strbuf_reset(&p->raw);
	strbuf_vprintf(&p->raw, fmt, ap);
	p->out->cut |= p->raw.cut;
	return cleaned(p, strbuf_cstr(&p->raw));
}

void
page_put(struct page *p, enum ink ink, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	inked(p, ink, formatted(p, fmt, ap));
	va_end(ap);
}

void
page_line(struct page *p)
{
	while (p->out->n > 0 && p->out->p[p->out->n - 1] == ' ')
		p->out->p[--p->out->n] = '\0';
	strbuf_char(p->out, '\n');
	p->col = 0;
}

void
page_blank(struct page *p)
{
	if (p->out->n >= 2 && memcmp(p->out->p + p->out->n - 2, "\n\n", 2) != 0)
		page_line(p);
}

static void
blanks(struct page *p, unsigned n)
{
	p->col += n;
	while (n-- > 0)
		strbuf_char(p->out, ' ');
}

void
page_to(struct page *p, unsigned col)
{
	if (p->col < col)
		blanks(p, col - p->col);
	else if (p->col > col)
		blanks(p, 1);
}

static struct span
next_word(struct span *rest)
{
	const uint8_t *blank = rest->n ? memchr(rest->p, ' ', rest->n) : NULL;
	struct span word = blank ? span_first(*rest, (size_t)(blank - rest->p)) : *rest;

	*rest = span_from(*rest, word.n + 1);
	return word;
}

/* The next line of a wrapped text; it must not begin with what a CI runner would obey. */
static void
wrap_line(struct page *p, unsigned indent, struct span next)
{
	page_line(p);
	blanks(p, indent);
	if (text_commands_ci(next))
		inked(p, INK_PLAIN, SPAN_LIT("\\"));
}

/* A word longer than a line is broken where the line ends. */
static void
wrap_word(struct page *p, struct span word, unsigned indent, unsigned right)
{
	unsigned w = text_columns(word);

	if (word.n == 0 && p->col + 1 >= right)
		return;		/* a doubled blank where the line ends */
	if (p->col > indent && p->col + 1 + w > right)
		wrap_line(p, indent, word);
	else if (p->col > indent)
		blanks(p, 1);
	while (p->col + w > right) {
		struct span part = text_head(word, right - p->col);

		strbuf_add(p->out, part);
		word = span_from(word, part.n);
		w = text_columns(word);
		wrap_line(p, indent, word);
	}
	strbuf_add(p->out, word);
	p->col += w;
}

void
page_wrap(struct page *p, enum ink ink, const char *fmt, ...)
{
	unsigned indent = p->col, right = p->width > indent + 20 ? p->width : indent + 20;
	va_list ap;

	va_start(ap, fmt);
	struct span rest = formatted(p, fmt, ap);
	va_end(ap);
	ink_on(p, ink);
	while (rest.n > 0)
		wrap_word(p, next_word(&rest), indent, right);
	ink_off(p, ink);
	page_line(p);
}

void
page_right(struct page *p, enum ink ink, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	struct span text = formatted(p, fmt, ap);
	va_end(ap);
	unsigned w = text_columns(text);

	if (w == 0)
		return;
	page_to(p, p->col + 2 + w <= p->width ? p->width - w : p->col + 2);
	inked(p, ink, text);
}

void
page_name(struct page *p, enum ink ink, const char *name, unsigned columns, enum cut where)
{
	struct span clean = cleaned(p, name);
	struct strbuf cut;

	strbuf_init(&cut, PAGE_TEXT);
	if (p->o->wide)
		strbuf_add(&cut, clean);
	else if (where == CUT_START)
		text_cut_start(&cut, clean, columns, p->o->utf8);
	else
		text_cut_middle(&cut, clean, columns, p->o->utf8);
	inked(p, ink, strbuf_span(&cut));
	page_spent(p, &cut);
}

unsigned
page_columns(struct page *p, const char *text)
{
	return text_columns(cleaned(p, text));
}

/* ---- SQL ---- */

static int
by_word(const void *a, const void *b)
{
	const struct span *key = a;
	const char *word = *(const char *const *)b;
	int order = strncasecmp((const char *)key->p, word, key->n);

	return order ? order : key->n < strlen(word) ? -1 : 0;
}

static bool
is_keyword(struct span word)
{
	static const char *const words[] = {
		"AND", "ANY", "AS", "ASC", "BEGIN", "BETWEEN", "BY", "CASE", "COMMIT", "CONFLICT", "COUNT", "CREATE", "CROSS", "DELETE",
		"DESC", "DISTINCT", "DROP", "DUPLICATE", "ELSE", "END", "EXISTS", "FETCH", "FOR", "FROM", "FULL", "GROUP", "HAVING",
		"IN", "INNER", "INSERT", "INTO", "IS", "JOIN", "LATERAL", "LEFT", "LIKE", "LIMIT", "LOCK", "NOT", "NULL", "OFFSET",
		"ON", "OR", "ORDER", "OUTER", "OVER", "PARTITION", "RETURNING", "RIGHT", "ROLLBACK", "SELECT", "SET", "TABLE", "THEN",
		"UNION", "UPDATE", "USING", "VALUES", "WHEN", "WHERE", "WITH",
	};

	return bsearch(&word, words, sizeof words / sizeof *words, sizeof *words, by_word) != NULL;
}

static bool
word_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c >= 0x80;
}

/* The next token of s that is inked alike: a word, a quoted name, or one other byte. */
static size_t
sql_token(struct span s)
{
	size_t n = 1;

	if (s.p[0] == '"' || s.p[0] == '`') {
		while (n < s.n && s.p[n] != s.p[0])
			n++;
		return n < s.n ? n + 1 : n;
	}
	if (!word_byte(s.p[0]))
		return 1;
	while (n < s.n && word_byte(s.p[n]))
		n++;
	return n;
}

static void
inked_sql(struct page *p, struct span s)
{
	if (!p->o->color) {
		inked(p, INK_PLAIN, s);
		return;
	}
	while (s.n > 0) {
		struct span token = span_first(s, sql_token(s));

		inked(p, is_keyword(token) ? INK_CYAN : INK_PLAIN, token);
		s = span_from(s, token.n);
	}
}

void
page_sql(struct page *p, const char *sql, unsigned columns)
{
	struct strbuf cut;

	strbuf_init(&cut, PAGE_TEXT);
	if (p->o->wide)
		strbuf_add(&cut, cleaned(p, sql));
	else
		sql_short(&cut, cleaned(p, sql), columns, p->o->utf8);
	inked_sql(p, strbuf_span(&cut));
	page_spent(p, &cut);
}
