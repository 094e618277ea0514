/* SPDX-License-Identifier: Apache-2.0 */
/* pg_types: the table of types, plain scalars and arrays. See pg_types.h. */
#include "pg_types.h"

#include "pg_conn.h"

/* ---- text ---- */

static void
scan(struct pg_text *t, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (t->scanned < sizeof t->head)
			t->head[t->scanned] = p[i];
		t->scanned++;
		if (p[i] && strchr("{}\",\\ \t\n\r\v\f", p[i]))
			t->special = true;
	}
}

static void
add_raw(struct pg_text *t, const char *p, size_t n)
{
	size_t room = t->n < t->cap ? t->cap - t->n : 0;

	if (n && room)
		memcpy(t->buf + t->n, p, n < room ? n : room);
	t->n += n;
}

void
pg_text_add(struct pg_text *t, const char *p, size_t n)
{
	if (t->scanning)
		scan(t, p, n);
	else if (!t->quoting)
		add_raw(t, p, n);
	else
		for (size_t i = 0; i < n; i++) {
			if (p[i] == '"' || p[i] == '\\')
				add_raw(t, "\\", 1);
			add_raw(t, p + i, 1);
		}
}

void
pg_text_str(struct pg_text *t, const char *s)
{
	pg_text_add(t, s, strlen(s));
}

void
pg_text_char(struct pg_text *t, char ch)
{
	pg_text_add(t, &ch, 1);
}

void
pg_text_number(struct pg_text *t, uint64_t v, unsigned width)
{
	char digits[20];
	unsigned n = 0;

	do {
		digits[sizeof digits - ++n] = (char)('0' + v % 10);
		v /= 10;
	} while (v || n < width);
	pg_text_add(t, digits + sizeof digits - n, n);
}

/* ---- scalars ---- */

static void
put_bool(struct pg_text *t, struct bytes *b)
{
	pg_text_char(t, bytes_u8(b) ? 't' : 'f');
}

static void
put_text(struct pg_text *t, struct bytes *b)
{
	struct span s = bytes_span(b, bytes_left(b));

	pg_text_add(t, (const char *)s.p, s.n);
}

/* "char": one byte; zero prints as nothing. */
static void
put_char(struct pg_text *t, struct bytes *b)
{
	uint8_t ch = bytes_u8(b);

	if (ch)
		pg_text_char(t, (char)ch);
}

static void
put_jsonb(struct pg_text *t, struct bytes *b)
{
	if (bytes_u8(b) != 1)	/* version */
		b->bad = true;
	put_text(t, b);
}

static void
put_hex(struct pg_text *t, struct bytes *b, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (; n > 0 && !b->bad; n--) {
		uint8_t byte = bytes_u8(b);

		pg_text_char(t, digits[byte >> 4]);
		pg_text_char(t, digits[byte & 15]);
	}
}

static void
put_bytea(struct pg_text *t, struct bytes *b)
{
	pg_text_str(t, "\\x");
	put_hex(t, b, bytes_left(b));
}

static void
put_uuid(struct pg_text *t, struct bytes *b)
{
	static const uint8_t groups[] = { 4, 2, 2, 2, 6 };

	for (unsigned i = 0; i < sizeof groups; i++) {
		if (i)
			pg_text_char(t, '-');
		put_hex(t, b, groups[i]);
	}
}

static void
put_bits(struct pg_text *t, struct bytes *b)
{
	uint32_t n = bytes_be32(b);
	uint8_t byte = 0;

	for (uint32_t i = 0; i < n && !b->bad; i++) {
		if (i % 8 == 0)
			byte = bytes_u8(b);
		if (!b->bad)
			pg_text_char(t, byte >> (7 - i % 8) & 1 ? '1' : '0');
	}
}

static void
put_void(struct pg_text *t, struct bytes *b)
{
	(void)t;
	(void)b;
}

/* ---- the table ---- */

static pg_decoder put_array;

static const struct pg_type {
	uint32_t oid, array;
	pg_decoder *put;
} types[] = {	/* the frequent ones first */
	{ 23, 1007, pg_put_int4 }, { 20, 1016, pg_put_int8 }, { 25, 1009, put_text }, { 1043, 1015, put_text }, { 16, 1000, put_bool },
	{ 2950, 2951, put_uuid }, { 1114, 1115, pg_put_timestamp }, { 1184, 1185, pg_put_timestamptz }, { 1700, 1231, pg_put_numeric },
	{ 21, 1005, pg_put_int2 }, { 701, 1022, pg_put_float8 }, { 700, 1021, pg_put_float4 }, { 1082, 1182, pg_put_date },
	{ 3802, 3807, put_jsonb }, { 114, 199, put_text }, { 17, 1001, put_bytea }, { 1042, 1014, put_text }, { 19, 1003, put_text },
	{ 26, 1028, pg_put_oid }, { 1083, 1183, pg_put_time }, { 1266, 1270, pg_put_timetz }, { 1186, 1187, pg_put_interval },
	{ 869, 1041, pg_put_inet }, { 650, 651, pg_put_cidr }, { 829, 1040, pg_put_macaddr }, { 774, 775, pg_put_macaddr },
	{ 18, 1002, put_char }, { 28, 1011, pg_put_oid }, { 29, 1012, pg_put_oid }, { 1560, 1561, put_bits }, { 1562, 1563, put_bits },
	{ 142, 143, put_text }, { 705, 0, put_text }, { 2275, 1263, put_text }, { 2278, 0, put_void },
};

static pg_decoder *
find_type(uint32_t oid)
{
	for (size_t i = 0; oid && i < sizeof types / sizeof *types; i++) {
		if (types[i].oid == oid)
			return types[i].put;
		if (types[i].array == oid)
			return put_array;
	}
	return NULL;
}

/* ---- arrays ---- */

enum { MAX_DIMENSIONS = 6 };	/* the server's own maximum */

struct shape {
	uint32_t n, size[MAX_DIMENSIONS];
	int32_t lower[MAX_DIMENSIONS];
	uint32_t total;
};

/* False when the dimensions promise more elements than the bytes can hold. */
static bool
read_shape(struct bytes *b, struct shape *shape, uint32_t *element)
{
	uint64_t total = 1;

	shape->n = bytes_be32(b);
	bytes_skip(b, 4);		/* whether it has NULLs */
	*element = bytes_be32(b);
	if (b->bad || shape->n > MAX_DIMENSIONS)
		return false;
	for (uint32_t i = 0; i < shape->n; i++) {
		shape->size[i] = bytes_be32(b);
		shape->lower[i] = (int32_t)bytes_be32(b);
		total *= shape->size[i];
		if (total == 0 || total > bytes_left(b) / 4)
			return false;
	}
	shape->total = (uint32_t)total;
	return !b->bad;
}

/* "[2:3][1:2]=" when some dimension does not begin at 1. */
static void
put_bounds(struct pg_text *t, const struct shape *shape)
{
	bool ordinary = true;
	int64_t ends[2];

	for (uint32_t i = 0; i < shape->n; i++)
		ordinary = ordinary && shape->lower[i] == 1;
	for (uint32_t i = 0; i < shape->n && !ordinary; i++) {
		ends[0] = shape->lower[i];
		ends[1] = (int64_t)shape->lower[i] + shape->size[i] - 1;
		for (int end = 0; end < 2; end++) {
			pg_text_char(t, end ? ':' : '[');
			if (ends[end] < 0)
				pg_text_char(t, '-');
			pg_text_number(t, (uint64_t)(ends[end] < 0 ? -ends[end] : ends[end]), 1);
		}
		pg_text_char(t, ']');
	}
	if (!ordinary)
		pg_text_char(t, '=');
}

/* How many dimensions begin (or, for i + 1, have ended) at element i. */
static uint32_t
borders(const struct shape *shape, uint32_t i)
{
	uint32_t n = 0, period = 1;

	for (uint32_t d = shape->n; d-- > 0;) {
		period *= shape->size[d];
		if (i % period)
			break;
		n++;
	}
	return n;
}

static bool
needs_quotes(pg_decoder *put, struct bytes b)
{
	struct pg_text scanned = { .scanning = true };

	put(&scanned, &b);
	return scanned.special || scanned.scanned == 0 || (scanned.scanned == 4 && strncasecmp(scanned.head, "NULL", 4) == 0);
}

static void
put_element(struct pg_text *t, struct bytes *b, pg_decoder *put)
{
	uint32_t n = bytes_be32(b);
	struct bytes one;

	if (n == UINT32_MAX) {
		pg_text_str(t, "NULL");
		return;
	}
	one = bytes_of(bytes_span(b, n));
	if (b->bad)
		return;
	if (!needs_quotes(put, one)) {
		put(t, &one);
	} else {
		pg_text_char(t, '"');
		t->quoting = true;
		put(t, &one);
		t->quoting = false;
		pg_text_char(t, '"');
	}
	if (!bytes_done(&one))
		b->bad = true;
}

static void
put_array(struct pg_text *t, struct bytes *b)
{
	struct shape shape;
	uint32_t element;
	pg_decoder *put;

	if (!read_shape(b, &shape, &element)) {
		b->bad = true;
		return;
	}
	if (shape.n == 0) {
		pg_text_str(t, "{}");
		return;
	}
	put = find_type(element);
	if (!put || put == put_array) {
		b->bad = true;
		return;
	}
	put_bounds(t, &shape);
	for (uint32_t i = 0; i < shape.total && !b->bad; i++) {
		if (i)
			pg_text_char(t, ',');
		for (uint32_t n = borders(&shape, i); n > 0; n--)
			pg_text_char(t, '{');
		put_element(t, b, put);
		for (uint32_t n = borders(&shape, i + 1); n > 0; n--)
			pg_text_char(t, '}');
	}
}

/* ---- the door ---- */

size_t
pg_value_text(const struct wire_value *v, char *buf, size_t cap)
{
	struct pg_text t = { .buf = buf, .cap = cap };
	struct bytes b;
	pg_decoder *put;

	if (v->n < 0)
		return (size_t)-1;
	b = bytes_of(span_of(v->p, (size_t)v->n));
	put = v->binary ? find_type(v->type) : put_text;
	if (!put)
		return (size_t)-1;
	put(&t, &b);
	return bytes_done(&b) ? t.n : (size_t)-1;
}
