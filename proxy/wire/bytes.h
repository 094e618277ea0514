/* SPDX-License-Identifier: Apache-2.0 */
/* bytes: a bounded cursor over received bytes, for both protocols.
 * Does: read integers of either byte order, C strings and length-encoded values. Never: reads past its end, allocates, copies, or trusts
 * a length. A read that does not fit returns 0 or an empty span, marks the cursor bad for good and moves it to its end: read
 * everything, then check `bad` once. */
#ifndef ROWCALL_BYTES_H
#define ROWCALL_BYTES_H

#include "fingerprint/span.h"

struct bytes {
	const uint8_t *p, *end;	/* borrowed from whoever owns the bytes */
	bool bad;		/* something was read that was not there */
};

static inline struct bytes
bytes_of(struct span s)
{
	return (struct bytes){ s.p, s.p ? s.p + s.n : NULL, false };
}

static inline size_t
bytes_left(const struct bytes *b)
{
	return (size_t)(b->end - b->p);
}

/* True when nothing is left and nothing went wrong. */
static inline bool
bytes_done(const struct bytes *b)
{
	return b->p == b->end && !b->bad;
}

/* What is left, without moving. */
static inline struct span
bytes_rest(const struct bytes *b)
{
	return span_of(b->p, bytes_left(b));
}

/* The next n bytes, or NULL and bad. */
static inline const uint8_t *
bytes_take(struct bytes *b, size_t n)
{
	const uint8_t *p = b->p;

	if (bytes_left(b) < n) {
		b->bad = true;
		b->p = b->end;
		return NULL;
	}
	if (n)
		b->p += n;
	return p;
}

static inline struct span
bytes_span(struct bytes *b, size_t n)
{
	const uint8_t *p = bytes_take(b, n);

	return span_of(p, p ? n : 0);
}

static inline void
bytes_skip(struct bytes *b, size_t n)
{
	(void)bytes_take(b, n);
}

/* Integers at an address that is known to hold them. */
static inline uint16_t
load_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t
load_be64(const uint8_t *p)
{
	return (uint64_t)load_be32(p) << 32 | load_be32(p + 4);
}

static inline uint16_t
load_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t
load_le24(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

static inline uint32_t
load_le32(const uint8_t *p)
{
	return load_le24(p) | (uint32_t)p[3] << 24;
}

static inline uint64_t
load_le64(const uint8_t *p)
{
	return (uint64_t)load_le32(p + 4) << 32 | load_le32(p);
}

static inline uint8_t
bytes_u8(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 1);

	return p ? p[0] : 0;
}

static inline uint16_t
bytes_be16(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 2);

	return p ? load_be16(p) : 0;
}

static inline uint32_t
bytes_be32(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 4);

	return p ? load_be32(p) : 0;
}

static inline uint64_t
bytes_be64(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 8);

	return p ? load_be64(p) : 0;
}

static inline uint16_t
bytes_le16(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 2);

	return p ? load_le16(p) : 0;
}

static inline uint32_t
bytes_le24(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 3);

	return p ? load_le24(p) : 0;
}

static inline uint32_t
bytes_le32(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 4);

	return p ? load_le32(p) : 0;
}

static inline uint64_t
bytes_le64(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 8);

	return p ? load_le64(p) : 0;
}

/* Bytes up to a NUL, which is consumed and not part of the span. No NUL: bad. */
struct span bytes_cstr(struct bytes *b);

/* MySQL length-encoded integer. 0xfb (NULL) and 0xff (error) are not integers: bad. */
uint64_t bytes_lenenc(struct bytes *b);
/* MySQL length-encoded string. */
struct span bytes_lenenc_span(struct bytes *b);
/* The same where NULL (0xfb) is allowed: *null tells, and the span is then empty. */
struct span bytes_lenenc_value(struct bytes *b, bool *null);

#endif
