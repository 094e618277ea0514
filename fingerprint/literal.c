/* SPDX-License-Identifier: Apache-2.0 */
/* literal: the one text form of a value, however it was written: 042, '42' and a bound 42 are one value (SHAPES.md, "Parameters").
 * Does: resolve quotes, escapes, signs, radixes; drop what a number can lose without changing. Never: knows a type the text does not
 * show, allocates, or writes past cap. */
#include <stdlib.h>

#include "lex.h"
#include "sql.h"

/* A bounded writer that counts what it could not keep. */
struct out {
	char *p;
	size_t n, cap;
	uint8_t escape;		/* of U&'..' */
};

static void
put(struct out *o, uint8_t c)
{
	if (o->n < o->cap)
		o->p[o->n] = (char)c;
	o->n++;
}

static void
put_utf8(struct out *o, uint32_t u)
{
	if (u < 0x80)
		put(o, (uint8_t)u);
	else if (u < 0x800) {
		put(o, (uint8_t)(0xc0 | u >> 6));
		put(o, (uint8_t)(0x80 | (u & 63)));
	} else if (u < 0x10000) {
		put(o, (uint8_t)(0xe0 | u >> 12));
		put(o, (uint8_t)(0x80 | (u >> 6 & 63)));
		put(o, (uint8_t)(0x80 | (u & 63)));
	} else {
		put(o, (uint8_t)(0xf0 | (u >> 18 & 7)));
		put(o, (uint8_t)(0x80 | (u >> 12 & 63)));
		put(o, (uint8_t)(0x80 | (u >> 6 & 63)));
		put(o, (uint8_t)(0x80 | (u & 63)));
	}
}

static unsigned
hex_value(uint8_t c)
{
	return c <= '9' ? c - (unsigned)'0' : (c | 0x20u) - 'a' + 10;
}

/* Up to max digits of a radix at p; their value, and *p behind them. */
static uint32_t
take_digits(const uint8_t **p, const uint8_t *end, unsigned radix, unsigned max)
{
	uint32_t v = 0;

	for (; max && *p < end && (lex_bits[**p] & LEX_HEX) && hex_value(**p) < radix; max--)
		v = v * radix + hex_value(*(*p)++);
	return v;
}

/* PostgreSQL's E'..' after a backslash. */
static const uint8_t *
pg_escape(struct out *o, const uint8_t *p, const uint8_t *end)
{
	static const char from[] = "bfnrtv", to[] = "\b\f\n\r\t\v";
	uint8_t c = *p++;
	const char *hit = c ? strchr(from, c) : NULL;

	if (c >= '0' && c <= '7') {
		p--;
		put(o, (uint8_t)take_digits(&p, end, 8, 3));
	} else if (c == 'x' && p < end && (lex_bits[*p] & LEX_HEX))
		put(o, (uint8_t)take_digits(&p, end, 16, 2));
	else if (c == 'u' || c == 'U')
		put_utf8(o, take_digits(&p, end, 16, c == 'u' ? 4 : 8));
	else
		put(o, hit ? (uint8_t)to[hit - from] : c);
	return p;
}

static const uint8_t *
my_escape(struct out *o, const uint8_t *p)
{
	static const char from[] = "0nrtbZ", to[] = "\0\n\r\t\b\032";
	uint8_t c = *p++;
	const char *hit = c ? strchr(from, c) : NULL;

	if (c == '%' || c == '_')
		put(o, '\\');
	put(o, hit ? (uint8_t)to[hit - from] : c);
	return p;
}

/* U&'..' after a backslash: \XXXX or \+XXXXXX. */
static const uint8_t *
unicode_escape(struct out *o, const uint8_t *p, const uint8_t *end)
{
	unsigned n = 4;

	if (*p == o->escape) {
		put(o, o->escape);
		return p + 1;
	}
	if (*p == '+') {
		p++;
		n = 6;
	}
	put_utf8(o, take_digits(&p, end, 16, n));
	return p;
}

enum escapes { ESC_NONE, ESC_PG, ESC_MY, ESC_UNICODE };

/* One quoted part; p at its quote. Returns the position behind it. */
static const uint8_t *
put_quoted(struct out *o, const uint8_t *p, const uint8_t *end, enum escapes esc)
{
	uint8_t quote = *p++;

	while (p < end) {
		uint8_t c = *p++;

		if (c == quote) {
			if (p >= end || *p != quote)
				return p;
			p++;
		} else if (c == (esc == ESC_UNICODE ? o->escape : '\\') && esc != ESC_NONE && p < end) {
			p = esc == ESC_PG ? pg_escape(o, p, end) : esc == ESC_MY ? my_escape(o, p) : unicode_escape(o, p, end);
			continue;
		}
		put(o, c);
	}
	return p;
}

/* 'a' <newline> 'b' ..: all parts of one literal. Between them only blanks and -- comments stand (the scanner saw to that). */
static void
put_string(struct out *o, const uint8_t *p, const uint8_t *end, enum escapes esc)
{
	while (p < end) {
		if (*p == '\'' || *p == '"')
			p = put_quoted(o, p, end, esc);
		else if (end - p >= 2 && p[0] == '-' && p[1] == '-')
			p = lex_line(p, end);
		else
			p++;
	}
}

static size_t
dollar_text(struct out *o, struct span raw)
{
	bool done = true;
	const uint8_t *tag = memchr(raw.p + 1, '$', raw.n - 1);
	size_t n = tag ? (size_t)(tag + 1 - raw.p) : 1;

	lex_dollar(raw.p, raw.p + raw.n, &done);
	for (size_t i = n; i < raw.n - (done && raw.n >= 2 * n ? n : 0); i++)
		put(o, raw.p[i]);
	return o->n;
}

/* 0x.., 0o.., 0b.. as a decimal number; false when it has more than 64 bits. */
static bool
put_radix(struct out *o, const uint8_t *p, const uint8_t *end, bool negative)
{
	unsigned bits = (p[1] | 0x20) == 'x' ? 4 : (p[1] | 0x20) == 'o' ? 3 : 1;
	uint64_t v = 0;
	char digits[24];
	int n = 0;

	for (p += 2; p < end; p++) {
		if (*p == '_')
			continue;
		if (v >> (64 - bits))
			return false;
		v = v << bits | hex_value(*p);
	}
	do
		digits[n++] = (char)('0' + v % 10);
	while (v /= 10);
	if (negative)
		put(o, '-');
	while (n)
		put(o, (uint8_t)digits[--n]);
	return true;
}

/* MySQL: x'41', 0x41, b'01000001' are bytes. */
static void
put_bytes(struct out *o, const uint8_t *p, const uint8_t *end, unsigned bits)
{
	size_t n = 0, per = 8 / bits;
	unsigned v = 0;

	while (end > p && end[-1] == '\'')
		end--;
	n = (size_t)(end - p) % per;
	n = n ? per - n : 0;		/* missing digits in front */
	for (; p < end; p++) {
		v = v << bits | (hex_value(*p) & ((1u << bits) - 1));
		if (++n == per) {
			put(o, (uint8_t)v);
			n = v = 0;
		}
	}
}

/* PostgreSQL: X'1F' and B'11111' are bit strings, printed as bits. */
static void
put_bits(struct out *o, const uint8_t *p, const uint8_t *end, bool hex)
{
	for (; p < end && *p != '\''; p++) {
		if (!hex)
			put(o, *p);
		else
			for (int b = 3; b >= 0; b--)
				put(o, (uint8_t)('0' + (hex_value(*p) >> b & 1)));
	}
}

/* A decimal exponent up to 14 is written out, as the servers print it; others stay for sql_canon_text. */
static void
put_decimal(struct out *o, const uint8_t *p, const uint8_t *end, bool negative)
{
	const uint8_t *e = p, *dot = NULL;
	long exp;
	size_t whole, all;

	while (e < end && (*e | 0x20) != 'e')
		e++;
	exp = e < end ? strtol((const char *)e + 1, NULL, 10) : 0;	/* digits end before the span does, or at its end: see caller */
	if (negative)
		put(o, '-');
	for (dot = p; dot < e && *dot != '.'; dot++)
		;
	if (e == end || exp > 14 || exp < -14) {
		for (; p < end; p++)
			if (*p != '_')
				put(o, *p);
		return;
	}
	/* digits without the dot, and where the dot moves to */
	whole = (size_t)(dot - p);
	all = (size_t)(e - p) - (dot < e);
	long point = (long)whole + exp;

	if (point <= 0) {
		put(o, '.');
		for (; point < 0; point++)
			put(o, '0');
	}
	for (size_t i = 0; i < all; i++) {
		if (point > 0 && (size_t)point == i)
			put(o, '.');
		put(o, p[i < whole ? i : i + 1]);
	}
	for (size_t i = all; point > 0 && i < (size_t)point; i++)
		put(o, '0');
}

/* Behind the blanks and comments between a sign and its number. */
static const uint8_t *
skip_to_digits(const uint8_t *p, const uint8_t *end, bool mysql)
{
	bool done = true;

	for (;;) {
		p = lex_blanks(p, end);
		if (end - p >= 2 && p[0] == '/' && p[1] == '*')
			p = lex_block(p, end, !mysql, &done);
		else if (p < end && (*p == '-' || *p == '#'))
			p = lex_line(p, end);
		else
			return p;
	}
}

static bool
put_number(struct out *o, struct span raw, bool mysql)
{
	const uint8_t *p = raw.p, *end = raw.p + raw.n;
	bool negative = raw.n && *p == '-';
	uint8_t copy[64];

	if (raw.n && (*p == '-' || *p == '+'))
		p = skip_to_digits(p + 1, end, mysql);
	if (end - p >= 3 && *p == '0' && strchr("xXoObB", p[1])) {
		if (mysql) {
			put_bytes(o, p + 2, end, (p[1] | 0x20) == 'x' ? 4 : 1);
			return true;
		}
		return put_radix(o, p, end, negative);
	}
	if (end - p < (ptrdiff_t)sizeof copy) {		/* a copy with an end, for strtol */
		size_t n = (size_t)(end - p), k = 0;

		for (size_t i = 0; i < n; i++)
			if (p[i] != '_')
				copy[k++] = p[i];
		copy[k] = '\0';
		put_decimal(o, copy, copy + k, negative);
	} else {
		if (negative)
			put(o, '-');
		for (; p < end; p++)
			put(o, *p);
	}
	return true;
}

/* Where the UESCAPE 'x' behind U&'..' begins; NULL when there is none. */
static const uint8_t *
uescape(struct span raw)
{
	const uint8_t *p = raw.p + raw.n - 3;

	if (raw.n < 14 || p[0] != '\'' || p[2] != '\'')
		return NULL;
	while (p > raw.p + 7 && (lex_bits[p[-1]] & LEX_BLANK))
		p--;
	return strncasecmp((const char *)p - 7, "uescape", 7) == 0 ? p - 7 : NULL;
}

/* The text of a literal that begins with a letter: E'..', x'..', _utf8'..', TRUE, a bare word of SET. False when there is none. */
static bool
put_worded(struct out *o, struct sql_lang lang, struct span raw)
{
	bool my = lang.dialect == SQL_MYSQL;
	const uint8_t *end = raw.p + raw.n, *q = memchr(raw.p, '\'', raw.n);
	uint8_t first = raw.p[0] | 0x20;

	if (span_is_nocase(raw, "null") || span_is_nocase(raw, "default"))
		return false;
	if (span_is_nocase(raw, "true") || span_is_nocase(raw, "false")) {
		put(o, my ? (first == 't' ? '1' : '0') : first);
		return true;
	}
	if (!q && my && raw.p[0] == '_')
		q = memchr(raw.p, '"', raw.n);
	if (!q) {
		for (size_t i = 0; i < raw.n; i++)
			put(o, raw.p[i]);
		return true;
	}
	if (raw.p[0] != '_' && (first == 'x' || first == 'b')) {
		if (my)
			put_bytes(o, q + 1, end, first == 'x' ? 4 : 1);
		else
			put_bits(o, q + 1, end, first == 'x');
		return true;
	}
	const uint8_t *word = !my && first == 'u' ? uescape(raw) : NULL;

	if (word) {
		o->escape = end[-2];
		end = word;
	}
	bool backslash = my && !(lang.modes & SQL_MODE_NO_BACKSLASH);

	put_string(o, q, end, !my && first == 'e' ? ESC_PG : !my && first == 'u' ? ESC_UNICODE : backslash ? ESC_MY : ESC_NONE);
	return true;
}

size_t
sql_literal_text(struct sql_lang lang, struct span raw, char *buf, size_t cap)
{
	struct out o = { buf, 0, cap, '\\' };
	bool my = lang.dialect == SQL_MYSQL;
	uint8_t c = raw.n ? raw.p[0] : 0;

	if (!raw.n || c == '?' || c == ':' || c == '%' || (c == '$' && raw.n > 1 && (lex_bits[raw.p[1]] & LEX_NUM)))
		return (size_t)-1;
	if (c == '\'' || c == '"') {
		bool backslash = my ? !(lang.modes & SQL_MODE_NO_BACKSLASH) : (lang.modes & SQL_MODE_BACKSLASH) != 0;

		put_string(&o, raw.p, raw.p + raw.n, !backslash ? ESC_NONE : my ? ESC_MY : ESC_PG);
	} else if (c == '$')
		dollar_text(&o, raw);
	else if ((lex_bits[c] & LEX_NUM) || c == '-' || c == '+' || c == '.') {
		if (!put_number(&o, raw, my))
			for (size_t i = 0; i < raw.n; i++)
				put(&o, raw.p[i]);
	} else if (!put_worded(&o, lang, raw))
		return (size_t)-1;
	return o.n <= cap ? sql_canon_text(buf, o.n) : o.n;
}

/* ---- the canonical form of a text ---- */

static bool
is_uuid(const char *p, size_t n)
{
	if (n != 36)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? p[i] != '-' : !(lex_bits[(uint8_t)p[i]] & LEX_HEX))
			return false;
	}
	return true;
}

static bool
is_hex_bytes(const char *p, size_t n)
{
	if (n < 2 || n % 2 || p[0] != '\\' || p[1] != 'x')
		return false;
	for (size_t i = 2; i < n; i++)
		if (!(lex_bits[(uint8_t)p[i]] & LEX_HEX))
			return false;
	return true;
}

static void
lower(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (lex_bits[(uint8_t)p[i]] & LEX_UPPER)
			p[i] |= 0x20;
}

/* The parts of a number: [sign] whole [. fraction] [e exponent]. */
struct number {
	bool negative;
	const char *whole, *fraction, *exp;
	size_t whole_n, fraction_n, exp_n;
};

static bool
parse_number(const char *p, size_t n, struct number *out)
{
	const char *end = p + n;

	*out = (struct number){ .negative = *p == '-' };
	p += *p == '-' || *p == '+';
	for (out->whole = p; p < end && (lex_bits[(uint8_t)*p] & LEX_NUM); p++)
		out->whole_n++;
	if (p < end && *p == '.')
		for (out->fraction = ++p; p < end && (lex_bits[(uint8_t)*p] & LEX_NUM); p++)
			out->fraction_n++;
	if (out->whole_n + out->fraction_n == 0)
		return false;
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p += p < end && *p == '+';
		out->exp = p;
		p += p < end && *p == '-';
		for (; p < end && (lex_bits[(uint8_t)*p] & LEX_NUM); p++)
			out->exp_n++;
		if (!out->exp_n)
			return false;
		out->exp_n = (size_t)(p - out->exp);
	}
	return p == end;
}

size_t
sql_canon_text(char *buf, size_t n)
{
	struct number v;
	size_t k = 0;

	if (is_uuid(buf, n) || is_hex_bytes(buf, n)) {
		lower(buf, n);
		return n;
	}
	if (n == 0 || n > 400 || !parse_number(buf, n, &v))
		return n;
	while (v.whole_n && *v.whole == '0') {
		v.whole++;
		v.whole_n--;
	}
	while (v.fraction_n && v.fraction[v.fraction_n - 1] == '0')
		v.fraction_n--;
	if (v.whole_n + v.fraction_n == 0) {
		buf[0] = '0';
		return 1;
	}
	if (v.negative)
		buf[k++] = '-';
	memmove(buf + k, v.whole, v.whole_n);
	k += v.whole_n;
	if (v.fraction_n) {
		buf[k++] = '.';
		memmove(buf + k, v.fraction, v.fraction_n);
		k += v.fraction_n;
	}
	if (v.exp_n) {
		buf[k++] = 'e';
		memmove(buf + k, v.exp, v.exp_n);
		k += v.exp_n;
	}
	return k;
}
