/* SPDX-License-Identifier: Apache-2.0 */
/* bytes: the reads that take more than a line. See bytes.h. */
#include "bytes.h"

struct span
bytes_cstr(struct bytes *b)
{
	const uint8_t *start = b->p;
	const uint8_t *nul = bytes_left(b) ? memchr(b->p, 0, bytes_left(b)) : NULL;

	if (!nul) {
		b->bad = true;
		b->p = b->end;
		return (struct span){ NULL, 0 };
	}
	b->p = nul + 1;
	return span_of(start, (size_t)(nul - start));
}

uint64_t
bytes_lenenc(struct bytes *b)
{
	uint8_t first = bytes_u8(b);

	if (first < 0xfb)
		return first;
	if (first == 0xfc)
		return bytes_le16(b);
	if (first == 0xfd)
		return bytes_le24(b);
	if (first == 0xfe)
		return bytes_le64(b);
	b->bad = true;
	b->p = b->end;
	return 0;
}

struct span
bytes_lenenc_span(struct bytes *b)
{
	uint64_t n = bytes_lenenc(b);

	if (n > bytes_left(b)) {
		b->bad = true;
		b->p = b->end;
		return (struct span){ NULL, 0 };
	}
	return bytes_span(b, (size_t)n);
}

struct span
bytes_lenenc_value(struct bytes *b, bool *null)
{
	*null = bytes_left(b) && *b->p == 0xfb;
	if (*null) {
		b->p++;
		return (struct span){ NULL, 0 };
	}
	return bytes_lenenc_span(b);
}
