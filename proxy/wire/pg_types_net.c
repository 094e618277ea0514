/* SPDX-License-Identifier: Apache-2.0 */
/* pg_types_net: network addresses. See pg_types.h. */
#include "pg_types.h"

enum { FAMILY_4 = 2, FAMILY_6 = 3, WORDS = 8 };

static void
put_hex_digits(struct pg_text *t, unsigned v, unsigned width)
{
	static const char digits[] = "0123456789abcdef";
	bool started = false;

	for (int shift = 12; shift >= 0; shift -= 4) {
		started = started || v >> shift || (unsigned)shift < 4 * width;
		if (started)
			pg_text_char(t, digits[v >> shift & 15]);
	}
}

static void
put_ipv4(struct pg_text *t, const uint8_t *p)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			pg_text_char(t, '.');
		pg_text_number(t, p[i], 1);
	}
}

/* The first longest run of at least two zero words. */
static void
longest_zeros(const uint8_t *p, int *base, int *length)
{
	int run = 0;

	*base = *length = 0;
	for (int i = 0; i < WORDS; i++) {
		run = load_be16(p + 2 * i) ? 0 : run + 1;
		if (run > *length && run > 1) {
			*length = run;
			*base = i + 1 - run;
		}
	}
}

static void
put_ipv6(struct pg_text *t, const uint8_t *p)
{
	int base, length;
	bool carries_ipv4;

	longest_zeros(p, &base, &length);
	carries_ipv4 = base == 0 && (length == 6 || (length == 7 && load_be16(p + 14) != 1) || (length == 5 && load_be16(p + 10) == 0xffff));
	for (int i = 0; i < WORDS; i++) {
		if (length && i == base)
			pg_text_char(t, ':');
		if (length && i >= base && i < base + length)
			continue;
		if (i)
			pg_text_char(t, ':');
		if (i == 6 && carries_ipv4) {
			put_ipv4(t, p + 12);
			return;
		}
		put_hex_digits(t, load_be16(p + 2 * i), 1);
	}
	if (length && base + length == WORDS)
		pg_text_char(t, ':');
}

static void
put_address(struct pg_text *t, struct bytes *b, bool always_bits)
{
	uint8_t family = bytes_u8(b), bits = bytes_u8(b), size;
	const uint8_t *p;

	bytes_skip(b, 1);		/* whether it is a cidr */
	size = bytes_u8(b);
	p = bytes_take(b, size);
	if (!p || !((family == FAMILY_4 && size == 4) || (family == FAMILY_6 && size == 16)) || bits > 8 * size) {
		b->bad = true;
		return;
	}
	if (family == FAMILY_4)
		put_ipv4(t, p);
	else
		put_ipv6(t, p);
	if (always_bits || bits != 8 * size) {
		pg_text_char(t, '/');
		pg_text_number(t, bits, 1);
	}
}

void
pg_put_inet(struct pg_text *t, struct bytes *b)
{
	put_address(t, b, false);
}

void
pg_put_cidr(struct pg_text *t, struct bytes *b)
{
	put_address(t, b, true);
}

/* Six bytes, or eight. */
void
pg_put_macaddr(struct pg_text *t, struct bytes *b)
{
	size_t n = bytes_left(b);

	if (n != 6 && n != 8) {
		b->bad = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (i)
			pg_text_char(t, ':');
		put_hex_digits(t, bytes_u8(b), 2);
	}
}
