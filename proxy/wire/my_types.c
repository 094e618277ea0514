/* SPDX-License-Identifier: Apache-2.0 */
/* my_types: single values: how long they are on the wire, and how the server would print them. Never: converts character sets. */
#include "my_conn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool
is_date(uint8_t type)
{
	return type == MY_TYPE_TIMESTAMP || type == MY_TYPE_DATE || type == MY_TYPE_DATETIME || type == MY_TYPE_NEWDATE;
}

/* Bytes of a value of fixed length; 0 = of variable length. */
static uint32_t
fixed_size(uint8_t type)
{
	switch (type) {
	case MY_TYPE_TINY:
		return 1;
	case MY_TYPE_SHORT: case MY_TYPE_YEAR:
		return 2;
	case MY_TYPE_LONG: case MY_TYPE_INT24: case MY_TYPE_FLOAT:
		return 4;
	case MY_TYPE_LONGLONG: case MY_TYPE_DOUBLE:
		return 8;
	default:
		return 0;
	}
}

const uint8_t *
my_value_take(struct bytes *b, uint16_t type, uint32_t *n)
{
	uint8_t kind = (uint8_t)type;
	struct span s;

	if (fixed_size(kind))
		s = bytes_span(b, fixed_size(kind));
	else if (is_date(kind) || kind == MY_TYPE_TIME)
		s = bytes_span(b, bytes_u8(b));
	else
		s = bytes_lenenc_span(b);
	if (b->bad)
		return NULL;
	*n = (uint32_t)s.n;
	return s.p;
}

/* ---- text ---- */

static size_t
text_integer(const struct wire_value *v, char *buf, size_t cap)
{
	uint32_t n = fixed_size((uint8_t)v->type);
	uint64_t u = 0;

	for (uint32_t i = 0; i < n; i++)
		u |= (uint64_t)v->p[i] << (8 * i);
	if ((uint8_t)v->type == MY_TYPE_YEAR)
		return (size_t)snprintf(buf, cap, "%04u", (unsigned)u);
	if (v->type & MY_TYPE_UNSIGNED)
		return (size_t)snprintf(buf, cap, "%llu", (unsigned long long)u);
	/* Sign extension without shifting into the sign bit. */
	if (n < 8 && u >> (8 * n - 1))
		u |= UINT64_MAX << (8 * n);
	return (size_t)snprintf(buf, cap, "%lld", (long long)u);
}

/* The fewest significant digits, at most `most`, that read back as x (> 0), and where the decimal point stands before or behind them. */
static int
shortest(double x, int most, char digits[24], int *point)
{
	char e[40];
	int n = 0;

	for (int precision = 0; precision < most; precision++) {
		snprintf(e, sizeof e, "%.*e", precision, x);
		if (strtod(e, NULL) == x)
			break;
	}
	for (const char *p = e; *p != 'e'; p++)
		if (*p != '.')
			digits[n++] = *p;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	digits[n] = '\0';
	*point = (int)strtol(strchr(e, 'e') + 1, NULL, 10) + 1;
	return n;
}

/* As the server prints DOUBLE (17 digits at most) and FLOAT (6). */
static size_t
text_real(double x, int most, char *buf, size_t cap)
{
	enum { PLAIN = 15 };	/* up to this many places from the point no exponent is used */
	static const char zeros[] = "00000000000000000";
	const char *sign = signbit(x) ? "-" : "";
	char digits[24];
	int n, point;

	if (!isfinite(x))
		return (size_t)-1;
	if (x == 0)
		return (size_t)snprintf(buf, cap, "%s0", sign);
	n = shortest(fabs(x), most, digits, &point);
	if (point > PLAIN || point <= -PLAIN)
		return (size_t)snprintf(buf, cap, "%s%c%s%se%d", sign, digits[0], n > 1 ? "." : "", digits + 1, point - 1);
	if (point <= 0)
		return (size_t)snprintf(buf, cap, "%s0.%.*s%s", sign, -point, zeros, digits);
	if (n <= point)
		return (size_t)snprintf(buf, cap, "%s%s%.*s", sign, digits, point - n, zeros);
	return (size_t)snprintf(buf, cap, "%s%.*s.%s", sign, point, digits, digits + point);
}

static size_t
text_float(const struct wire_value *v, char *buf, size_t cap)
{
	uint32_t bits = load_le32(v->p);
	float f;

	memcpy(&f, &bits, sizeof f);
	return text_real((double)f, 6, buf, cap);
}

static size_t
text_double(const struct wire_value *v, char *buf, size_t cap)
{
	uint64_t bits = load_le64(v->p);
	double d;

	memcpy(&d, &bits, sizeof d);
	return text_real(d, 17, buf, cap);
}

/* Dates leave out what is zero at their end: 0, 4, 7 or 11 bytes. */
static size_t
text_date(const struct wire_value *v, char *buf, size_t cap)
{
	uint8_t all[11] = { 0 };
	char date[16];
	int n;

	if (v->n != 0 && v->n != 4 && v->n != 7 && v->n != 11)
		return (size_t)-1;
	memcpy(all, v->p, (size_t)v->n);
	snprintf(date, sizeof date, "%04u-%02u-%02u", load_le16(all), all[2], all[3]);
	if ((uint8_t)v->type == MY_TYPE_DATE || (uint8_t)v->type == MY_TYPE_NEWDATE)
		return (size_t)snprintf(buf, cap, "%s", date);
	n = snprintf(buf, cap, "%s %02u:%02u:%02u", date, all[4], all[5], all[6]);
	if (v->n == 11)
		n = snprintf(buf, cap, "%s %02u:%02u:%02u.%06u", date, all[4], all[5], all[6], load_le32(all + 7));
	return (size_t)n;
}

/* Times: 0, 8 or 12 bytes: sign, days, hours, minutes, seconds, microseconds. */
static size_t
text_time(const struct wire_value *v, char *buf, size_t cap)
{
	uint8_t all[12] = { 0 };
	const char *sign;
	unsigned long hours;

	if (v->n != 0 && v->n != 8 && v->n != 12)
		return (size_t)-1;
	memcpy(all, v->p, (size_t)v->n);
	sign = all[0] ? "-" : "";
	hours = load_le32(all + 1) * 24ul + all[5];
	if (v->n == 12)
		return (size_t)snprintf(buf, cap, "%s%02lu:%02u:%02u.%06u", sign, hours, all[6], all[7], load_le32(all + 8));
	return (size_t)snprintf(buf, cap, "%s%02lu:%02u:%02u", sign, hours, all[6], all[7]);
}

static size_t
text_bytes(const struct wire_value *v, char *buf, size_t cap)
{
	size_t n = (size_t)v->n;

	if (cap && n)
		memcpy(buf, v->p, n < cap ? n : cap);
	return n;
}

/* Prints into a buffer that holds any number or date, then hands over what fits. */
size_t
my_value_text(const struct wire_value *v, char *buf, size_t cap)
{
	uint8_t type = (uint8_t)v->type;
	char text[64];
	size_t n;

	if (v->n < 0)
		return (size_t)-1;
	if (!v->binary || !(fixed_size(type) || is_date(type) || type == MY_TYPE_TIME))
		return text_bytes(v, buf, cap);
	if (fixed_size(type) && (uint32_t)v->n != fixed_size(type))
		return (size_t)-1;
	if (is_date(type))
		n = text_date(v, text, sizeof text);
	else if (type == MY_TYPE_TIME)
		n = text_time(v, text, sizeof text);
	else if (type == MY_TYPE_FLOAT)
		n = text_float(v, text, sizeof text);
	else if (type == MY_TYPE_DOUBLE)
		n = text_double(v, text, sizeof text);
	else
		n = text_integer(v, text, sizeof text);
	if (n != (size_t)-1 && cap)
		memcpy(buf, text, n < cap ? n : cap);
	return n;
}
