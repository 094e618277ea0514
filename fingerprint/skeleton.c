/* SPDX-License-Identifier: Apache-2.0 */
/* skeleton: see skeleton.h. What surrounds a cut must leave no doubt where the literal begins and ends, whatever its value: no letter of a
 * word, prefix or suffix touches it, no dot, no further quote. */
#include "skeleton.h"

#include "lex.h"

static bool
touches(uint8_t c)
{
	return lex_is_ident(c) || c >= 0x80 || c == '.' || c == '\'' || c == '"' || c == '`' || c == '$' || c == '\\';
}

/* Bytes that a literal behind them would belong to: a parameter's number, a prefix, a variable's name. */
static bool
claims(uint8_t c)
{
	return touches(c) || c == ':' || c == '@' || c == '?' || c == '&' || c == '%' || c == '#';
}

/* The first quote or digit from p on, or end. */
static const uint8_t *
next_mark(const uint8_t *p, const uint8_t *end)
{
#ifdef __SSE2__
	for (; end - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p), d = _mm_sub_epi8(v, _mm_set1_epi8('0'));
		__m128i digit = _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(9)), d), quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('\''));
		unsigned m = (unsigned)_mm_movemask_epi8(_mm_or_si128(digit, quote));

		if (m)
			return p + __builtin_ctz(m);
	}
#endif
	while (p < end && *p != '\'' && !(*p >= '0' && *p <= '9'))
		p++;
	return p;
}

static const uint8_t *
digits(const uint8_t *p, const uint8_t *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* The end of the number at p. */
static const uint8_t *
number(const uint8_t *p, const uint8_t *end, enum skeleton_kind *kind)
{
	*kind = SKELETON_WHOLE;
	p = digits(p, end);
	if (end - p < 2 || *p != '.' || p[1] < '0' || p[1] > '9')
		return p;
	*kind = SKELETON_DECIMAL;
	return digits(p + 1, end);
}

/* The end of the string at p; NULL when it is not closed; *plain false when its bytes could mean something. */
static const uint8_t *
string(const uint8_t *p, const uint8_t *end, bool *plain)
{
	const uint8_t *close = memchr(p + 1, '\'', (size_t)(end - p - 1));

	if (!close)
		return NULL;
	*plain = !memchr(p + 1, '\\', (size_t)(close - p - 1)) && !memchr(p + 1, '\0', (size_t)(close - p - 1));
	return close + 1;
}

void
skeleton_whole(struct skeleton *k, struct span text)
{
	k->bytes = text;
	k->ncuts = 0;
}

void
skeleton_make(struct skeleton *k, struct span text)
{
	const uint8_t *end = text.p + text.n, *kept = text.p, *p = text.p;
	uint8_t *o = k->room;

	skeleton_whole(k, text);
	while ((p = next_mark(p, end)) < end) {
		const uint8_t *from = p;
		enum skeleton_kind kind = SKELETON_STRING;
		bool plain = true;

		p = *p == '\'' ? string(p, end, &plain) : number(p, end, &kind);
		if (!p || k->ncuts == SKELETON_CUTS) {
			skeleton_whole(k, text);
			return;
		}
		if (!plain || (from > text.p && claims(from[-1])) || (p < end && touches(*p)))
			continue;
		memcpy(o, kept, (size_t)(from - kept));
		o += from - kept;
		k->cuts[k->ncuts++] = (struct skeleton_cut){ (uint32_t)(o - k->room), span_of(from, (size_t)(p - from)) };
		*o++ = (uint8_t)kind;
		kept = p;
	}
	if (!k->ncuts)
		return;
	memcpy(o, kept, (size_t)(end - kept));
	k->bytes = span_of(k->room, (size_t)(o - k->room) + (size_t)(end - kept));
}
