/* SPDX-License-Identifier: Apache-2.0 */
/* pg_types_number: integers, floats and numeric. See pg_types.h. */
#include "pg_types.h"

#include <stdio.h>
#include <stdlib.h>

static void
put_signed(struct pg_text *t, int64_t v)
{
	if (v < 0)
		pg_text_char(t, '-');
	pg_text_number(t, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 1);
}

void
pg_put_int2(struct pg_text *t, struct bytes *b)
{
	put_signed(t, (int16_t)bytes_be16(b));
}

void
pg_put_int4(struct pg_text *t, struct bytes *b)
{
	put_signed(t, (int32_t)bytes_be32(b));
}

void
pg_put_int8(struct pg_text *t, struct bytes *b)
{
	put_signed(t, (int64_t)bytes_be64(b));
}

void
pg_put_oid(struct pg_text *t, struct bytes *b)
{
	pg_text_number(t, bytes_be32(b), 1);
}

/* ---- floats: the fewest digits that read back as the same value ---- */

/* sci: "d.ddde±xx". Fixed notation while -4 <= exponent < limit, as the server does. */
static void
put_digits(struct pg_text *t, const char *sci, int limit)
{
	char digits[32];
	size_t n = 0;
	const char *p = sci;
	int exponent;

	if (*p == '-') {
		pg_text_char(t, '-');
		p++;
	}
	for (; *p != 'e'; p++)
		if (*p != '.')
			digits[n++] = *p;
	exponent = (int)strtol(p + 1, NULL, 10);
	while (n > 1 && digits[n - 1] == '0')
		n--;
	if (exponent < -4 || exponent >= limit) {
		pg_text_char(t, digits[0]);
		if (n > 1)
			pg_text_char(t, '.');
		pg_text_add(t, digits + 1, n - 1);
		pg_text_str(t, exponent < 0 ? "e-" : "e+");
		pg_text_number(t, (uint64_t)abs(exponent), 2);
		return;
	}
	if (exponent < 0) {
		pg_text_str(t, "0.");
		for (int i = -1; i > exponent; i--)
			pg_text_char(t, '0');
		pg_text_add(t, digits, n);
		return;
	}
	for (size_t i = 0; i < n || i <= (size_t)exponent; i++) {
		if (i == (size_t)exponent + 1)
			pg_text_char(t, '.');
		pg_text_char(t, i < n ? digits[i] : '0');
	}
}

/* NaN and the infinities; false for ordinary values. */
static bool
put_special(struct pg_text *t, double v)
{
	if (v != v)
		pg_text_str(t, "NaN");
	else if (v - v != 0)
		pg_text_str(t, v < 0 ? "-Infinity" : "Infinity");
	else
		return false;
	return true;
}

/* One more in the last digit; false when that carries through all of them. */
static bool
bump(char *sci)
{
	char *p = strchr(sci, 'e');

	while (p-- > sci) {
		if (*p >= '0' && *p < '9') {
			(*p)++;
			return true;
		}
		if (*p == '9')
			*p = '0';
	}
	return false;
}

/* A float as mantissa * 2^exponent. */
struct binary {
	uint64_t mantissa;
	int exponent;
};

/* a * 2^shift == b, without overflow: both are below 2^120. */
static bool
equal_shifted(__uint128_t a, int shift, __uint128_t b)
{
	if (shift < 0)
		return shift > -120 && (b << -shift) >> -shift == b && a == b << -shift;
	return shift < 120 && (a << shift) >> shift == a && a << shift == b;
}

/* digits * 10^power == odd * 2^exponent. Powers of five beyond these cannot divide the other side. */
static bool
equals(uint64_t digits, int power, uint64_t odd, int exponent)
{
	__uint128_t left = digits, right = odd;

	if (power > 23 || power < -23)
		return false;
	for (int i = 0; i < power; i++)
		left *= 5;
	for (int i = 0; i > power; i--)
		right *= 5;
	return equal_shifted(left, power - exponent, right);
}

/* The text lies exactly between v and a neighbour: it reads back as v, but the server does not print it. */
static bool
is_tie(const char *sci, struct binary v)
{
	uint64_t digits = 0;
	int power = 0;
	const char *p = sci + (*sci == '-');

	for (bool fraction = false; *p != 'e'; p++) {
		if (*p == '.') {
			fraction = true;
			continue;
		}
		digits = digits * 10 + (uint64_t)(*p - '0');
		power -= fraction;
	}
	power += (int)strtol(p + 1, NULL, 10);
	for (; digits && digits % 10 == 0; digits /= 10)
		power++;
	if (equals(digits, power, 2 * v.mantissa + 1, v.exponent - 1))
		return true;
	if ((v.mantissa & (v.mantissa - 1)) == 0)	/* below a power of two the neighbour is nearer */
		return equals(digits, power, 4 * v.mantissa - 1, v.exponent - 2);
	return equals(digits, power, 2 * v.mantissa - 1, v.exponent - 1);
}

/* Reads the text back; the server's rule for a text that will do. Just above a power of two there is more room than below, and the text
 * next to the nearest one may hit where that misses. */
static bool
hits8(char *sci, double v, struct binary parts)
{
	return (strtod(sci, NULL) == v && !is_tie(sci, parts)) || (bump(sci) && strtod(sci, NULL) == v && !is_tie(sci, parts));
}

static bool
hits4(char *sci, float v, struct binary parts)
{
	return (strtof(sci, NULL) == v && !is_tie(sci, parts)) || (bump(sci) && strtof(sci, NULL) == v && !is_tie(sci, parts));
}

/* Fifteen digits always survive the way to a float8 and back (six to a float4), so no shorter form is missed; subnormals have less. */
void
pg_put_float8(struct pg_text *t, struct bytes *b)
{
	uint64_t bits = bytes_be64(b), fraction = bits & (UINT64_MAX >> 12);
	int exponent = bits >> 52 & 0x7ff;
	struct binary parts = { exponent ? fraction | UINT64_C(1) << 52 : fraction, (exponent ? exponent : 1) - 1075 };
	char sci[40];
	double v;

	memcpy(&v, &bits, sizeof v);
	if (put_special(t, v))
		return;
	for (int digits = exponent ? 15 : 1; digits <= 17; digits++) {
		snprintf(sci, sizeof sci, "%.*e", digits - 1, v);
		if (hits8(sci, v, parts))
			break;
	}
	put_digits(t, sci, 15);
}

void
pg_put_float4(struct pg_text *t, struct bytes *b)
{
	uint32_t bits = bytes_be32(b), fraction = bits & (UINT32_MAX >> 9);
	int exponent = bits >> 23 & 0xff;
	struct binary parts = { exponent ? fraction | UINT32_C(1) << 23 : fraction, (exponent ? exponent : 1) - 150 };
	char sci[40];
	float v;

	memcpy(&v, &bits, sizeof v);
	if (put_special(t, (double)v))
		return;
	for (int digits = exponent ? 6 : 1; digits <= 9; digits++) {
		snprintf(sci, sizeof sci, "%.*e", digits - 1, (double)v);
		if (hits4(sci, v, parts))
			break;
	}
	put_digits(t, sci, 6);
}

/* ---- numeric: groups of four decimal digits, the first worth 10000^weight ---- */

enum { NUMERIC_NEGATIVE = 0x4000, NUMERIC_NAN = 0xc000, NUMERIC_INFINITY = 0xd000, NUMERIC_MINUS_INFINITY = 0xf000 };

struct numeric {
	struct span groups;
	int32_t weight;
	uint16_t sign, scale;
};

/* The group worth 10000^power. */
static uint16_t
group_at(const struct numeric *n, int32_t power)
{
	int64_t i = (int64_t)n->weight - power;

	return i >= 0 && 2 * (size_t)i < n->groups.n ? load_be16(n->groups.p + 2 * i) : 0;
}

static void
put_fraction(struct pg_text *t, const struct numeric *n)
{
	char four[4];
	uint16_t group;

	for (uint32_t done = 0; done < n->scale; done += 4) {
		group = group_at(n, -1 - (int32_t)(done / 4));
		for (int i = 3; i >= 0; i--, group /= 10)
			four[i] = (char)('0' + group % 10);
		pg_text_add(t, four, n->scale - done < 4 ? n->scale - done : 4);
	}
}

void
pg_put_numeric(struct pg_text *t, struct bytes *b)
{
	struct numeric n;
	uint16_t ngroups = bytes_be16(b);

	n.weight = (int16_t)bytes_be16(b);
	n.sign = bytes_be16(b);
	n.scale = bytes_be16(b) & 0x3fff;
	n.groups = bytes_span(b, 2u * ngroups);
	if (b->bad)
		return;
	if (n.sign == NUMERIC_NAN || n.sign == NUMERIC_INFINITY || n.sign == NUMERIC_MINUS_INFINITY) {
		pg_text_str(t, n.sign == NUMERIC_NAN ? "NaN" : n.sign == NUMERIC_INFINITY ? "Infinity" : "-Infinity");
		return;
	}
	if (n.sign == NUMERIC_NEGATIVE)
		pg_text_char(t, '-');
	pg_text_number(t, n.weight < 0 ? 0 : group_at(&n, n.weight), 1);
	for (int32_t power = n.weight - 1; power >= 0; power--)
		pg_text_number(t, group_at(&n, power), 4);
	if (n.scale)
		pg_text_char(t, '.');
	put_fraction(t, &n);
}
