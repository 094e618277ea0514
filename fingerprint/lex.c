/* SPDX-License-Identifier: Apache-2.0 */
/* lex: see lex.h. Control bytes count as blanks; every byte from 0x80 belongs to a word, as in both servers' own scanners. */
#include "lex.h"

const uint8_t lex_class[256] = {
	[0 ... 32] = LEX_SPACE, [127] = LEX_SPACE,
	['a' ... 'z'] = LEX_WORD, ['A' ... 'Z'] = LEX_WORD, ['_'] = LEX_WORD, [128 ... 255] = LEX_WORD,
	['0' ... '9'] = LEX_DIGIT,
	['\''] = LEX_QUOTE, ['"'] = LEX_DQUOTE, ['`'] = LEX_BACKTICK, ['$'] = LEX_DOLLAR, ['?'] = LEX_MARK, [':'] = LEX_COLON,
	[','] = LEX_COMMA, ['('] = LEX_OPEN, [')'] = LEX_CLOSE, ['['] = LEX_LBRACK, [']'] = LEX_RBRACK, ['.'] = LEX_DOT,
	[';'] = LEX_SEMI, ['-'] = LEX_MINUS, ['/'] = LEX_SLASH, ['*'] = LEX_STAR, ['#'] = LEX_HASH, ['@'] = LEX_AT,
	['+'] = LEX_OP, ['<'] = LEX_OP, ['>'] = LEX_OP, ['='] = LEX_EQUALS, ['~'] = LEX_OP, ['!'] = LEX_OP, ['%'] = LEX_OP,
	['^'] = LEX_OP, ['&'] = LEX_OP, ['|'] = LEX_OP,
	['{'] = LEX_OTHER, ['}'] = LEX_OTHER, ['\\'] = LEX_OTHER,
};

const uint8_t lex_bits[256] = {
	[0 ... 32] = LEX_BLANK, [127] = LEX_BLANK,
	['0' ... '9'] = LEX_IDENT | LEX_NUM | LEX_HEX,
	['a' ... 'f'] = LEX_IDENT | LEX_HEX | LEX_LOWER, ['g' ... 'z'] = LEX_IDENT | LEX_LOWER,
	['A' ... 'F'] = LEX_IDENT | LEX_HEX | LEX_UPPER, ['G' ... 'Z'] = LEX_IDENT | LEX_UPPER,
	['_'] = LEX_IDENT, ['$'] = LEX_IDENT,
	['+'] = LEX_OPCHAR, ['-'] = LEX_OPCHAR, ['*'] = LEX_OPCHAR, ['/'] = LEX_OPCHAR, ['<'] = LEX_OPCHAR, ['>'] = LEX_OPCHAR,
	['='] = LEX_OPCHAR, ['~'] = LEX_OPCHAR, ['!'] = LEX_OPCHAR, ['@'] = LEX_OPCHAR, ['#'] = LEX_OPCHAR, ['%'] = LEX_OPCHAR,
	['^'] = LEX_OPCHAR, ['&'] = LEX_OPCHAR, ['|'] = LEX_OPCHAR, ['`'] = LEX_OPCHAR, ['?'] = LEX_OPCHAR,
	[128 ... 255] = LEX_IDENT | LEX_HIGH,
};

/* The next byte that can end or bend a string: the quote, or a backslash when that escapes. */
static const uint8_t *
next_stop(const uint8_t *p, const uint8_t *end, uint8_t quote, bool backslash)
{
#ifdef __SSE2__
	__m128i q = _mm_set1_epi8((char)quote), b = _mm_set1_epi8(backslash ? '\\' : (char)quote);

	for (; end - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		unsigned m = lex_mask(_mm_or_si128(_mm_cmpeq_epi8(v, q), _mm_cmpeq_epi8(v, b)));

		if (m)
			return p + __builtin_ctz(m);
	}
#endif
	while (p < end && *p != quote && !(backslash && *p == '\\'))
		p++;
	return p;
}

/* Strings of an encoding whose trail bytes may look like a quote or backslash: character by character. */
static const uint8_t *
string_pairs(const uint8_t *p, const uint8_t *end, unsigned esc, bool *done)
{
	uint8_t quote = *p++;

	while (p < end) {
		if (*p == quote) {
			if (end - p < 2 || p[1] != quote)
				return p + 1;
			p += 2;
		} else if (*p == '\\' && (esc & LEX_ESC_BACKSLASH))
			p += end - p < 2 ? 1 : 1 + lex_pair(p + 1, end, esc);
		else
			p += lex_pair(p, end, esc);
	}
	*done = false;
	return end;
}

const uint8_t *
lex_string(const uint8_t *p, const uint8_t *end, unsigned esc, bool *done)
{
	uint8_t quote = *p;
	bool backslash = esc & LEX_ESC_BACKSLASH;

	if (esc & LEX_ESC_PAIRS)
		return string_pairs(p, end, esc, done);
	p++;
	for (;;) {
		p = next_stop(p, end, quote, backslash);
		if (p >= end)
			break;
		if (*p == quote) {
			if (end - p < 2 || p[1] != quote)
				return p + 1;
			p += 2;
		} else
			p += end - p < 2 ? 1 : 2;
	}
	*done = false;
	return end;
}

const uint8_t *
lex_dollar(const uint8_t *p, const uint8_t *end, bool *done)
{
	const uint8_t *t = p + 1;

	if (t < end && (lex_bits[*t] & LEX_NUM))
		return p;
	while (t < end && lex_is_ident(*t) && *t != '$')
		t++;
	if (t >= end || *t != '$')
		return p;
	size_t n = (size_t)(++t - p);
	const uint8_t *close = memmem(t, (size_t)(end - t), p, n);

	if (close)
		return close + n;
	*done = false;
	return end;
}

const uint8_t *
lex_block(const uint8_t *p, const uint8_t *end, bool nested, bool *done)
{
	unsigned depth = 1;

	p += 2;
	while (end - p >= 2) {
		if (p[0] == '*' && p[1] == '/') {
			p += 2;
			if (--depth == 0)
				return p;
		} else if (nested && p[0] == '/' && p[1] == '*') {
			p += 2;
			depth++;
		} else
			p++;
	}
	*done = false;
	return end;
}

const uint8_t *
lex_line(const uint8_t *p, const uint8_t *end)
{
	while (p < end && *p != '\n' && *p != '\r')
		p++;
	return p;
}

static const uint8_t *
digits(const uint8_t *p, const uint8_t *end, unsigned bit, bool underscores)
{
	while (p < end && ((lex_bits[*p] & bit) || (underscores && *p == '_' && end - p >= 2 && (lex_bits[p[1]] & bit))))
		p++;
	return p;
}

/* 0x.., 0o.., 0b..; p itself when it is none of them. */
static const uint8_t *
radix(const uint8_t *p, const uint8_t *end, bool mysql)
{
	uint8_t c = end - p >= 3 ? p[1] | 0x20 : 0;
	const uint8_t *q;

	if (*p != '0' || (c != 'x' && c != 'b' && (c != 'o' || mysql)))
		return p;
	q = digits(p + 2, end, c == 'x' ? LEX_HEX : LEX_NUM, !mysql);
	return q > p + 2 ? q : p;
}

const uint8_t *
lex_number(const uint8_t *p, const uint8_t *end, bool mysql)
{
	const uint8_t *q = radix(p, end, mysql), *e;

	if (q > p)
		return q;
	p = digits(p, end, LEX_NUM, !mysql);
	if (p < end && *p == '.' && !(end - p >= 2 && p[1] == '.'))
		p = digits(p + 1, end, LEX_NUM, !mysql);
	if (end - p >= 2 && (*p | 0x20) == 'e') {
		e = p + 1;
		if ((*e == '+' || *e == '-') && end - e >= 2)
			e++;
		if (lex_bits[*e] & LEX_NUM)
			p = digits(e, end, LEX_NUM, !mysql);
	}
	return p;
}

unsigned
lex_utf8(const uint8_t *p, const uint8_t *end)
{
	size_t left = (size_t)(end - p);
	uint8_t c = *p;
	unsigned n;

	if (c < 0x80)
		return 1;
	n = c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
	if (n == 0 || left < n)
		return 0;
	for (unsigned i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) || (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}
