/* SPDX-License-Identifier: Apache-2.0 */
/* my_params: bound values of executions and query attributes. The types of an execution may be those of an earlier one.
 * What cannot be decoded is told without values and never harms the session: packet lengths are explicit. */
#include "my_conn.h"

#include "fingerprint/mem.h"

enum {
	FEW = 48,			/* values that need no allocation */
	ATTRIBUTES = 0x08,		/* flag of an execution: there may be query attributes even without parameters */
	BULK_TYPES = 0x80,		/* flag of a bulk execution: types are in the packet */
	BULK_VALUE = 0, BULK_NULL = 1,	/* indicators before each value; others are DEFAULT and IGNORE */
};

/* Null bitmap, types and names of n values; the values follow in another cursor. */
struct block {
	const uint8_t *nulls;
	struct bytes types;
	bool bound;	/* types are here */
	bool named;	/* each with a name */
};

static uint16_t
type_next(struct block *k, struct span *name)
{
	uint16_t type = bytes_le16(&k->types);

	*name = k->named ? bytes_lenenc_span(&k->types) : (struct span){ NULL, 0 };
	return type;
}

/* Reads up to the values. */
static bool
block_open(struct bytes *b, uint32_t n, bool named, struct block *k)
{
	struct block skip;
	struct span name;

	k->nulls = bytes_take(b, (n + 7) / 8);
	k->bound = bytes_u8(b) == 1;
	k->named = named;
	k->types = *b;
	skip = *k;
	for (uint32_t i = 0; k->bound && i < n; i++)
		type_next(&skip, &name);
	if (k->bound)
		*b = skip.types;
	return !b->bad;
}

static bool
is_null(const struct block *k, uint32_t i)
{
	return k->nulls[i / 8] >> (i % 8) & 1;
}

/* The next value of this type; false when it is not wholly there. */
static bool
value_next(struct bytes *b, uint16_t type, struct wire_value *v)
{
	uint32_t size = 0;

	*v = (struct wire_value){ .n = -1, .type = type, .binary = true };
	if ((type & 0xff) == MY_TYPE_NULL)
		return true;
	v->p = my_value_take(b, type, &size);
	v->n = v->p ? (int32_t)size : -2;
	return v->p != NULL;
}

/* ---- query attributes ---- */

bool
my_query_attributes(struct bytes *b, struct wire_params *out, struct wire_value *values, struct span *names, uint32_t cap)
{
	uint64_t n = bytes_lenenc(b);
	struct block k;

	bytes_lenenc(b);	/* parameter sets, always 1 */
	if (b->bad || n > LIMIT_WIRE_PARAMS)
		return false;
	*out = (struct wire_params){ .values = values, .names = names, .cut = n > cap };
	if (n == 0)
		return true;
	if (!block_open(b, (uint32_t)n, true, &k) || !k.bound)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct wire_value v = { .n = -1, .binary = true };
		struct span name;

		v.type = type_next(&k, &name);
		if (!is_null(&k, i) && !value_next(b, (uint16_t)v.type, &v))
			return false;
		if (i < cap) {
			values[i] = v;
			names[i] = name;
			out->n = i + 1;
		}
	}
	return true;
}

/* ---- one execution ---- */

struct decode {
	struct my_stmt *s;
	struct wire_params params;
	struct wire_value *values, few_values[FEW];
	struct span *names, few_names[FEW];
};

static bool
decode_room(struct decode *d, uint32_t n)
{
	if (n <= FEW) {
		d->values = d->few_values;
		d->names = d->few_names;
		return true;
	}
	d->values = mem_alloc(n * sizeof *d->values);
	d->names = mem_alloc(n * sizeof *d->names);
	return d->values && d->names;
}

static void
decode_clear(struct decode *d)
{
	if (d->values != d->few_values)
		mem_free(d->values);
	if (d->names != d->few_names)
		mem_free(d->names);
	d->values = NULL;
	d->names = NULL;
}

/* Reads n values behind their block. Types of the statement's own parameters are remembered, or recalled when none came. */
static bool
decode_values(struct wire_conn *c, struct decode *d, struct bytes *b, struct block *k, uint32_t n, bool cut)
{
	struct my_stmt *s = d->s;
	bool known = k->bound || s->types;
	bool memory = k->bound && my_stmt_types(c, s, s->pub.nparams);

	for (uint32_t i = 0; i < n; i++) {
		struct wire_value *v = &d->values[i];
		uint16_t type = 0;

		d->names[i] = (struct span){ NULL, 0 };
		if (k->bound)
			type = type_next(k, &d->names[i]);
		else if (known && i < s->pub.nparams)
			type = s->types[i];
		if (memory && i < s->pub.nparams)
			s->types[i] = type;
		/* Long data has no value here; some clients mark it NULL besides, and the server does not look. */
		*v = (struct wire_value){ .n = -2, .type = type, .binary = true };
		if (my_stmt_is_long(s, i))
			continue;
		if (is_null(k, i))
			v->n = -1;
		if (!known || is_null(k, i))
			continue;
		if (!value_next(b, type, v)) {
			if (!cut)
				return false;
			d->params.cut = true;
		}
	}
	return cut || !known || bytes_done(b);
}

/* With query attributes the packet says how many values there are, and each has a name. */
static bool
decode_execute(struct wire_conn *c, struct decode *d, struct span payload, bool cut)
{
	struct bytes b = bytes_of(payload);
	bool named = c->dialect.caps & MY_CAP_QUERY_ATTRIBUTES;
	struct block k;
	uint64_t n = d->s->pub.nparams;
	uint8_t flags;

	bytes_skip(&b, 1 + 4);
	flags = bytes_u8(&b);
	bytes_skip(&b, 4);
	if (named && (n || flags & ATTRIBUTES))
		n = bytes_lenenc(&b);
	if (b.bad || n == 0 || n > LIMIT_WIRE_PARAMS || !block_open(&b, (uint32_t)n, named, &k))
		return false;
	if (!decode_room(d, (uint32_t)n))
		return false;
	d->params = (struct wire_params){ .n = (uint32_t)n, .values = d->values, .names = named ? d->names : NULL };
	return decode_values(c, d, &b, &k, (uint32_t)n, cut);
}

/* ---- bulk ---- */

/* One parameter set. False: its end is not there. */
static bool
bulk_row(struct bytes *b, struct my_stmt *s, const struct bytes *types, struct wire_value *values)
{
	struct bytes t = types ? *types : (struct bytes){ 0 };

	for (uint32_t i = 0; i < s->pub.nparams; i++) {
		uint16_t type = types ? bytes_le16(&t) : s->types[i];
		uint8_t indicator = bytes_u8(b);
		struct wire_value v = { .n = indicator == BULK_NULL ? -1 : -2, .type = type, .binary = true };

		if (indicator == BULK_VALUE && !value_next(b, type, &v))
			return false;
		if (values)
			values[i] = v;
	}
	return !b->bad;
}

/* Walks the parameter sets; the first one is what is told. */
static bool
decode_bulk(struct wire_conn *c, struct decode *d, struct my_ask *a, struct span payload)
{
	struct bytes b = bytes_of(payload), types;
	struct my_stmt *s = d->s;
	uint32_t n = s->pub.nparams, rows = 0;
	uint16_t flags;

	bytes_skip(&b, 1 + 4);
	flags = bytes_le16(&b);
	types = b;
	if (flags & BULK_TYPES)
		bytes_skip(&b, n * 2);
	if (b.bad || n == 0 || !(flags & BULK_TYPES || s->types) || !decode_room(d, n))
		return false;
	if (flags & BULK_TYPES && my_stmt_types(c, s, n))
		for (uint32_t i = 0; i < n; i++)
			s->types[i] = load_le16(types.p + 2 * i);
	while (bytes_left(&b) && bulk_row(&b, s, flags & BULK_TYPES ? &types : NULL, rows ? NULL : d->values))
		rows++;
	if (rows)
		a->x.iterations = rows;
	d->params = (struct wire_params){ .n = n, .values = d->values };
	return rows > 0;
}

/* ---- all ---- */

void
my_execute(struct wire_conn *c, struct my_ask *a, struct span payload, bool cut)
{
	struct my_stmt *s = a->stmt;
	struct decode d;	/* its arrays are large and stay as they are */
	bool decoded = false;

	d.s = s;
	d.values = NULL;
	d.names = NULL;
	if (payload.p && s && s->prepared && !s->puzzling)
		decoded = a->command == MY_COM_STMT_BULK_EXECUTE ? decode_bulk(c, &d, a, payload) : decode_execute(c, &d, payload, cut);
	a->deferred = false;
	a->statement = true;
	c->ops->execute(c->ctx, &a->x, s ? &s->pub : NULL, decoded ? &d.params : NULL);
	decode_clear(&d);
	if (s) {
		s->pub.executions++;
		s->puzzling = false;
		my_stmt_forget_long(c, s);
	}
	c->held -= a->held.n;
	strbuf_clear(&a->held);
}
