/* SPDX-License-Identifier: Apache-2.0 */
/* lex: where the tokens of both dialects end.
 * Does: classes of bytes, the ends of strings, numbers, comments and words, sixteen bytes at a time where the machine can.
 * Never: reads at or past `end`, keeps state, or decides what a token means (scan.c does). */
#ifndef ROWCALL_LEX_H
#define ROWCALL_LEX_H

#include "span.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* What the first byte of a token says. */
enum lex_class {
	LEX_SPACE, LEX_WORD, LEX_DIGIT, LEX_QUOTE, LEX_DQUOTE, LEX_BACKTICK, LEX_DOLLAR, LEX_MARK, LEX_COLON, LEX_COMMA, LEX_OPEN,
	LEX_CLOSE, LEX_LBRACK, LEX_RBRACK, LEX_DOT, LEX_SEMI, LEX_MINUS, LEX_SLASH, LEX_STAR, LEX_HASH, LEX_EQUALS, LEX_AT, LEX_OP, LEX_OTHER,
};

/* Bits of lex_bits[]. */
enum { LEX_IDENT = 1, LEX_NUM = 2, LEX_HEX = 4, LEX_OPCHAR = 8, LEX_BLANK = 16, LEX_LOWER = 32, LEX_UPPER = 64, LEX_HIGH = 128 };

extern const uint8_t lex_class[256];
extern const uint8_t lex_bits[256];

/* How strings of one kind are read. */
enum { LEX_ESC_QUOTE = 0, LEX_ESC_BACKSLASH = 1, LEX_ESC_PAIRS = 2, LEX_ESC_SJIS = 4 };

/* All take the position of the first byte of the token and return the position behind its last byte, at most end. The `done` ones
 * set *done = false when the text ends first. */
const uint8_t *lex_string(const uint8_t *p, const uint8_t *end, unsigned esc, bool *done);	/* '..', "..", `..` */
const uint8_t *lex_dollar(const uint8_t *p, const uint8_t *end, bool *done);	/* $tag$..$tag$; p itself when it is none */
const uint8_t *lex_block(const uint8_t *p, const uint8_t *end, bool nested, bool *done);	/* a comment from its slash */
const uint8_t *lex_line(const uint8_t *p, const uint8_t *end);			/* up to the line's end */
const uint8_t *lex_number(const uint8_t *p, const uint8_t *end, bool mysql);	/* from a digit, or a dot before one */

/* Bytes of the multi-byte character at p in an encoding whose trail bytes look like ASCII (GBK, BIG5, SJIS..): 1 or 2. */
static inline unsigned
lex_pair(const uint8_t *p, const uint8_t *end, unsigned esc)
{
	if (*p < 0x81 || *p == 0xff || end - p < 2 || p[1] < 0x30)
		return 1;
	if ((esc & LEX_ESC_SJIS) && *p >= 0xa1 && *p <= 0xdf)
		return 1;
	return 2;
}

static inline const uint8_t *
lex_blanks(const uint8_t *p, const uint8_t *end)
{
	while (p < end && (lex_bits[*p] & LEX_BLANK))
		p++;
	return p;
}

static inline bool
lex_is_ident(uint8_t c)
{
	return lex_bits[c] & LEX_IDENT;
}

/* Length of the valid UTF-8 sequence at p, 0 when it is none. */
unsigned lex_utf8(const uint8_t *p, const uint8_t *end);

/* ---- sixteen bytes at once ---- */

/* What the first 16 bytes at a place are. Bit i of a mask speaks of byte i; bytes past the end are in no mask. */
struct lex16 {
#ifdef __SSE2__
	__m128i raw, lower;
	__m128i letters;	/* 0x20 where a letter is */
#else
	uint8_t raw[16], lower[16], upper[16];
#endif
	unsigned ident;		/* letters, digits, _ $ (not >= 0x80) */
	unsigned digit;
	unsigned high;		/* >= 0x80 */
};

#ifdef __SSE2__
static inline __m128i
lex_load(const uint8_t *p, const uint8_t *end)
{
	if (__builtin_expect(end - p >= 16, 1))
		return _mm_loadu_si128((const __m128i *)(const void *)p);
	uint8_t pad[16] = { 0 };

	memcpy(pad, p, (size_t)(end - p));
	return _mm_loadu_si128((const __m128i *)(const void *)pad);
}

static inline __m128i
lex_between(__m128i v, char lo, char hi)
{
	return _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8((char)(lo - 1))), _mm_cmplt_epi8(v, _mm_set1_epi8((char)(hi + 1))));
}

static inline unsigned
lex_mask(__m128i v)
{
	return (unsigned)_mm_movemask_epi8(v);
}

static inline struct lex16
lex_look(const uint8_t *p, const uint8_t *end)
{
	struct lex16 w;
	__m128i v = lex_load(p, end), low = _mm_or_si128(v, _mm_set1_epi8(0x20)), digit = lex_between(v, '0', '9');
	__m128i alpha = lex_between(low, 'a', 'z');
	__m128i more = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('_')), _mm_cmpeq_epi8(v, _mm_set1_epi8('$')));

	w.raw = v;
	w.letters = _mm_and_si128(alpha, _mm_set1_epi8(0x20));
	w.lower = _mm_or_si128(v, w.letters);
	w.digit = lex_mask(digit);
	w.ident = lex_mask(_mm_or_si128(_mm_or_si128(alpha, digit), more));
	w.high = lex_mask(v);
	return w;
}

/* Each writes 16 bytes. */
static inline void
lex_put_raw(uint8_t *o, const struct lex16 *w)
{
	_mm_storeu_si128((__m128i *)(void *)o, w->raw);
}

static inline void
lex_put_lower(uint8_t *o, const struct lex16 *w)
{
	_mm_storeu_si128((__m128i *)(void *)o, w->lower);
}

static inline void
lex_put_upper(uint8_t *o, const struct lex16 *w)
{
	_mm_storeu_si128((__m128i *)(void *)o, _mm_andnot_si128(w->letters, w->lower));
}

/* The first n (1..16) bytes in lower case as two words, zero behind. */
static inline void
lex_words(const struct lex16 *w, unsigned n, uint64_t *head, uint64_t *tail)
{
	uint64_t lo = (uint64_t)_mm_cvtsi128_si64(w->lower), hi = (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(w->lower, w->lower));

	*head = n >= 8 ? lo : lo & (((uint64_t)1 << (8 * n)) - 1);
	*tail = n <= 8 ? 0 : n >= 16 ? hi : hi & (((uint64_t)1 << (8 * (n - 8))) - 1);
}

/* Bytes equal to c. */
static inline unsigned
lex_find(const struct lex16 *w, char c)
{
	return lex_mask(_mm_cmpeq_epi8(w->raw, _mm_set1_epi8(c)));
}

/* Upper-case letters. */
static inline unsigned
lex_uppers(const struct lex16 *w)
{
	return lex_mask(lex_between(w->raw, 'A', 'Z'));
}
#else
static inline struct lex16
lex_look(const uint8_t *p, const uint8_t *end)
{
	struct lex16 w = { .ident = 0 };
	size_t n = end - p < 16 ? (size_t)(end - p) : 16;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = p[i], b = lex_bits[c];

		w.raw[i] = c;
		w.lower[i] = b & LEX_UPPER ? (uint8_t)(c | 0x20) : c;
		w.upper[i] = b & LEX_LOWER ? (uint8_t)(c & ~0x20) : c;
		w.ident |= (unsigned)((b & LEX_IDENT) && !(b & LEX_HIGH)) << i;
		w.digit |= (unsigned)!!(b & LEX_NUM) << i;
		w.high |= (unsigned)!!(b & LEX_HIGH) << i;
	}
	return w;
}

static inline void
lex_put_raw(uint8_t *o, const struct lex16 *w)
{
	memcpy(o, w->raw, 16);
}

static inline void
lex_put_lower(uint8_t *o, const struct lex16 *w)
{
	memcpy(o, w->lower, 16);
}

static inline void
lex_put_upper(uint8_t *o, const struct lex16 *w)
{
	memcpy(o, w->upper, 16);
}

static inline void
lex_words(const struct lex16 *w, unsigned n, uint64_t *head, uint64_t *tail)
{
	uint8_t b[16] = { 0 };

	memcpy(b, w->lower, n);
	*head = *tail = 0;
	for (unsigned i = 0; i < 8; i++) {
		*head |= (uint64_t)b[i] << (8 * i);
		*tail |= (uint64_t)b[8 + i] << (8 * i);
	}
}

static inline unsigned
lex_find(const struct lex16 *w, char c)
{
	unsigned m = 0;

	for (unsigned i = 0; i < 16; i++)
		m |= (unsigned)(w->raw[i] == (uint8_t)c) << i;
	return m;
}

static inline unsigned
lex_uppers(const struct lex16 *w)
{
	unsigned m = 0;

	for (unsigned i = 0; i < 16; i++)
		m |= (unsigned)!!(lex_bits[w->raw[i]] & LEX_UPPER) << i;
	return m;
}
#endif

#endif
