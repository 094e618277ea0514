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

/* ---- sixteen bytes at once ----
 * Bit i of a mask speaks of byte i; bytes at and past the end are in no mask. */

#ifdef __SSE2__
typedef __m128i lex16;

static inline lex16
lex_load(const uint8_t *p, const uint8_t *end)
{
	if (__builtin_expect(end - p >= 16, 1))
		return _mm_loadu_si128((const __m128i *)(const void *)p);
	uint8_t pad[16] = { 0 };

	memcpy(pad, p, (size_t)(end - p));
	return _mm_loadu_si128((const __m128i *)(const void *)pad);
}

static inline void
lex_store(uint8_t *o, lex16 v)
{
	_mm_storeu_si128((__m128i *)(void *)o, v);
}

static inline unsigned
lex_mask(lex16 v)
{
	return (unsigned)_mm_movemask_epi8(v);
}

/* 0xff where lo <= byte <= hi (hi below 0x80): the range is moved to the top of the signed bytes. */
static inline lex16
lex_range(lex16 v, char lo, char hi)
{
	return _mm_cmpgt_epi8(_mm_add_epi8(v, _mm_set1_epi8((char)(127 - hi))), _mm_set1_epi8((char)(126 - hi + lo)));
}

static inline lex16
lex_fold(lex16 v)
{
	return _mm_or_si128(v, _mm_set1_epi8(0x20));
}

/* Digits, _ and $. */
static inline lex16
lex_inner(lex16 v)
{
	return _mm_or_si128(lex_range(v, '0', '9'), _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('_')), _mm_cmpeq_epi8(v, _mm_set1_epi8('$'))));
}

/* Bytes of words: letters, digits, _ $ and all from 0x80. */
static inline unsigned
lex_word_mask(lex16 v)
{
	return lex_mask(_mm_or_si128(_mm_or_si128(lex_range(lex_fold(v), 'a', 'z'), lex_inner(v)), v));
}

/* Bytes that no dialect folds: lower-case letters (any letters when `anycase`), digits, _ $. */
static inline unsigned
lex_plain_mask(lex16 v, bool anycase)
{
	return lex_mask(_mm_or_si128(lex_range(anycase ? lex_fold(v) : v, 'a', 'z'), lex_inner(v)));
}

/* Bytes from 0x80. */
static inline unsigned
lex_high_mask(lex16 v)
{
	return lex_mask(v);
}

static inline lex16
lex_lower(lex16 v)
{
	return _mm_or_si128(v, _mm_and_si128(lex_range(v, 'A', 'Z'), _mm_set1_epi8(0x20)));
}

static inline lex16
lex_upper(lex16 v)
{
	return _mm_andnot_si128(_mm_and_si128(lex_range(v, 'a', 'z'), _mm_set1_epi8(0x20)), v);
}

static inline uint64_t
lex_head(lex16 v)
{
	return (uint64_t)_mm_cvtsi128_si64(v);
}

static inline uint64_t
lex_tail(lex16 v)
{
	return (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(v, v));
}
#else
typedef struct {
	uint8_t b[16];
} lex16;

static inline lex16
lex_load(const uint8_t *p, const uint8_t *end)
{
	lex16 v = { { 0 } };

	memcpy(v.b, p, end - p < 16 ? (size_t)(end - p) : 16);
	return v;
}

static inline void
lex_store(uint8_t *o, lex16 v)
{
	memcpy(o, v.b, 16);
}

static inline unsigned
lex_bits_mask(lex16 v, unsigned bits)
{
	unsigned m = 0;

	for (unsigned i = 0; i < 16; i++)
		m |= (unsigned)!!(lex_bits[v.b[i]] & bits) << i;
	return m;
}

static inline unsigned
lex_word_mask(lex16 v)
{
	return lex_bits_mask(v, LEX_IDENT);
}

static inline unsigned
lex_plain_mask(lex16 v, bool anycase)
{
	return lex_bits_mask(v, LEX_IDENT) & ~lex_bits_mask(v, LEX_HIGH | (anycase ? 0 : LEX_UPPER));
}

static inline unsigned
lex_high_mask(lex16 v)
{
	return lex_bits_mask(v, LEX_HIGH);
}

static inline lex16
lex_lower(lex16 v)
{
	for (unsigned i = 0; i < 16; i++)
		v.b[i] |= lex_bits[v.b[i]] & LEX_UPPER ? 0x20 : 0;
	return v;
}

static inline lex16
lex_upper(lex16 v)
{
	for (unsigned i = 0; i < 16; i++)
		v.b[i] &= lex_bits[v.b[i]] & LEX_LOWER ? 0xdf : 0xff;
	return v;
}

static inline uint64_t
lex_eight(const uint8_t *b)
{
	uint64_t w = 0;

	for (unsigned i = 0; i < 8; i++)
		w |= (uint64_t)b[i] << (8 * i);
	return w;
}

static inline uint64_t
lex_head(lex16 v)
{
	return lex_eight(v.b);
}

static inline uint64_t
lex_tail(lex16 v)
{
	return lex_eight(v.b + 8);
}
#endif

/* How many of the first bytes are in the mask, 16 when all are. */
static inline unsigned
lex_run(unsigned mask)
{
	return (unsigned)__builtin_ctz(~mask | 1u << 16);
}

#endif
