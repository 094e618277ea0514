/* SPDX-License-Identifier: Apache-2.0 */
/* packing: see packing.h. */
#include "packing.h"

/* ---- writing ---- */

void
pack_number(struct strbuf *b, uint64_t v)
{
	uint8_t bytes[10];
	size_t n = 0;

	do {
		bytes[n] = (uint8_t)(v & 0x7f);
		v >>= 7;
		if (v)
			bytes[n] |= 0x80;
		n++;
	} while (v);
	strbuf_add(b, span_of(bytes, n));
}

void
pack_signed(struct strbuf *b, int64_t v)
{
	pack_number(b, ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0));
}

void
pack_fixed(struct strbuf *b, uint64_t v)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(v >> (8 * i));
	strbuf_add(b, span_of(bytes, 8));
}

void
pack_text(struct strbuf *b, const char *s)
{
	struct span t = span_str(s);

	pack_number(b, t.n);
	strbuf_add(b, t);
}

/* ---- reading ---- */

struct unpack
unpack_of(struct span bytes)
{
	return (struct unpack){ bytes.p, bytes.n ? bytes.p + bytes.n : bytes.p, false };
}

uint64_t
unpack_number(struct unpack *in)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && in->p < in->end; shift += 7) {
		uint8_t byte = *in->p++;

		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	in->bad = true;
	return 0;
}

uint64_t
unpack_upto(struct unpack *in, uint64_t max)
{
	uint64_t v = unpack_number(in);

	if (v <= max)
		return v;
	in->bad = true;
	return 0;
}

int64_t
unpack_signed(struct unpack *in)
{
	uint64_t v = unpack_number(in);

	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

uint64_t
unpack_fixed(struct unpack *in)
{
	struct span bytes = unpack_bytes(in, 8);
	uint64_t v = 0;

	for (size_t i = 0; i < bytes.n; i++)
		v |= (uint64_t)bytes.p[i] << (8 * i);
	return v;
}

struct span
unpack_bytes(struct unpack *in, uint64_t n)
{
	struct span s = { in->p, (size_t)n };

	if (n > (uint64_t)(in->end - in->p)) {
		in->bad = true;
		return (struct span){ NULL, 0 };
	}
	in->p += n;
	return s;
}

const char *
unpack_text(struct unpack *in, struct arena *a)
{
	struct span s = unpack_bytes(in, unpack_number(in));

	return s.n ? arena_strndup(a, s) : "";
}

uint32_t
unpack_count(struct unpack *in, uint32_t max, size_t least)
{
	uint64_t fit = (uint64_t)(in->end - in->p) / least;

	return (uint32_t)unpack_upto(in, fit < max ? fit : max);
}
