/* SPDX-License-Identifier: Apache-2.0 */
/* tags: key/value pairs in comments, in the grammars that are met in the wild: k='v' (sqlcommenter, url-encoded), k=v, and k:v
 * (marginalia). Does: tolerate: blanks, commas in values, %%XX, a comment without grammar (one tag with an empty key).
 * Never: believes a length: tags and their decoded bytes are bounded. */
#include "scan.h"

static struct span
trim(struct span t)
{
	while (t.n && (lex_bits[t.p[0]] & LEX_BLANK))
		t = span_from(t, 1);
	while (t.n && (lex_bits[t.p[t.n - 1]] & LEX_BLANK))
		t.n--;
	return t;
}

/* The text inside the marks. */
static struct span
inside(struct span c)
{
	if (c.n >= 1 && c.p[0] == '#')
		return trim(span_from(c, 1));
	if (c.n >= 2 && c.p[0] == '/') {
		c = span_from(c, 2);
		if (c.n >= 2 && c.p[c.n - 2] == '*' && c.p[c.n - 1] == '/')
			c.n -= 2;
		return trim(c);
	}
	return trim(span_from(c, 2));
}

static int
hex(uint8_t c)
{
	if (!(lex_bits[c] & LEX_HEX))
		return -1;
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

enum { DEC_PERCENT = 1, DEC_PLUS = 2, DEC_BACKSLASH = 4 };

/* Decodes into the scanner's tag bytes; what does not fit is cut off. */
static struct span
decode(struct sql_scanner *s, struct span v, unsigned how)
{
	uint8_t *o = s->tag_bytes + s->tag_n, *end = s->tag_bytes + sizeof s->tag_bytes;
	struct span out = { o, 0 };
	size_t i = 0;

	while (i < v.n && o < end) {
		uint8_t c = v.p[i];
		size_t k = i + (c == '%' && i + 1 < v.n && v.p[i + 1] == '%');

		if ((how & DEC_PERCENT) && c == '%' && k + 2 < v.n && hex(v.p[k + 1]) >= 0 && hex(v.p[k + 2]) >= 0) {
			*o++ = (uint8_t)(hex(v.p[k + 1]) << 4 | hex(v.p[k + 2]));
			i = k + 3;
		} else if ((how & DEC_PLUS) && c == '+') {
			*o++ = ' ';
			i++;
		} else {
			i += (how & DEC_BACKSLASH) && c == '\\' && i + 1 < v.n && v.p[i + 1] == '\'';
			*o++ = v.p[i++];
		}
	}
	out.n = (size_t)(o - out.p);
	s->tag_n += out.n;
	return out;
}

static void
add(struct sql_scanner *s, struct span key, struct span value)
{
	if (s->ntags < LIMIT_TAGS)
		s->tags[s->ntags++] = (struct sql_tag){ key, value };
}

static bool
key_byte(uint8_t c)
{
	return (lex_bits[c] & (LEX_LOWER | LEX_UPPER | LEX_NUM)) || c == '_' || c == '-' || c == '.' || c == '%' || c == '/';
}

/* A key and its separator at *at: moves *at behind them. */
static bool
read_key(struct span t, size_t *at, struct span *key)
{
	size_t i = *at, from;

	while (i < t.n && (lex_bits[t.p[i]] & LEX_BLANK))
		i++;
	for (from = i; i < t.n && key_byte(t.p[i]); i++)
		;
	*key = span_of(t.p + from, i - from);
	while (i < t.n && (lex_bits[t.p[i]] & LEX_BLANK))
		i++;
	if (!key->n || i >= t.n || (t.p[i] != '=' && t.p[i] != ':'))
		return false;
	if (t.p[i] == ':' && i + 2 < t.n && t.p[i + 1] == '/' && t.p[i + 2] == '/')
		return false;
	*at = i + 1;
	return true;
}

/* Position of the next of ' % + \ in t from i on, t.n when there is none. */
static size_t
next_special(struct span t, size_t i)
{
#ifdef __SSE2__
	for (; i + 16 <= t.n; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(t.p + i));
		__m128i a = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\'')), _mm_cmpeq_epi8(v, _mm_set1_epi8('%')));
		__m128i b = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('+')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
		unsigned m = lex_mask(_mm_or_si128(a, b));

		if (m)
			return i + (size_t)__builtin_ctz(m);
	}
#endif
	while (i < t.n && t.p[i] != '\'' && t.p[i] != '%' && t.p[i] != '+' && t.p[i] != '\\')
		i++;
	return i;
}

/* A quote ends the value when a comma or the end follows; drivers that do not encode leave quotes inside. */
static bool
closes(struct span t, size_t i)
{
	for (i++; i < t.n && (lex_bits[t.p[i]] & LEX_BLANK); i++)
		;
	return i >= t.n || t.p[i] == ',';
}

static struct span
quoted_value(struct sql_scanner *s, struct span t, size_t *at)
{
	size_t from = *at + 1, i = from;
	unsigned how = 0;

	for (;;) {
		i = next_special(t, i);
		if (i >= t.n || (t.p[i] == '\'' && closes(t, i)))
			break;
		how |= t.p[i] == '%' ? DEC_PERCENT : t.p[i] == '+' ? DEC_PLUS : t.p[i] == '\\' ? DEC_BACKSLASH : 0;
		i += t.p[i] == '\\' && i + 1 < t.n ? 2 : 1;
	}
	if (i > t.n)
		i = t.n;
	struct span v = span_of(t.p + from, i - from);

	*at = i < t.n ? i + 1 : i;
	return how ? decode(s, v, how) : v;
}

/* A value without quotes ends at a comma, unless what follows the comma is no pair. */
static struct span
plain_value(struct span t, size_t *at)
{
	size_t from = *at, i = from;

	for (;;) {
		const uint8_t *comma = memchr(t.p + i, ',', t.n - i);
		struct span key;
		size_t k;

		if (!comma) {
			*at = t.n;
			break;
		}
		i = (size_t)(comma - t.p);
		k = i + 1;
		if (read_key(t, &k, &key)) {
			*at = i;
			break;
		}
		i++;
	}
	return trim(span_of(t.p + from, *at - from));
}

static struct span
decoded_key(struct sql_scanner *s, struct span key)
{
	return memchr(key.p, '%', key.n) ? decode(s, key, DEC_PERCENT) : key;
}

void
tags_read(struct sql_scanner *s, struct span comment)
{
	struct span t = inside(comment), key, value;
	size_t at = 0;

	if (!t.n)
		return;
	if (!read_key(t, &at, &key)) {
		add(s, span_of(t.p, 0), t);
		return;
	}
	do {
		bool colon = t.p[at - 1] == ':';

		while (at < t.n && (lex_bits[t.p[at]] & LEX_BLANK))
			at++;
		if (at < t.n && t.p[at] == '\'')
			value = quoted_value(s, t, &at);
		else {
			value = plain_value(t, &at);
			if (!colon && memchr(value.p, '%', value.n))
				value = decode(s, value, DEC_PERCENT);
		}
		add(s, decoded_key(s, key), value);
		while (at < t.n && t.p[at] != ',')
			at++;
		at++;
	} while (at < t.n && s->ntags < LIMIT_TAGS && read_key(t, &at, &key));
}
