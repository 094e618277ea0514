/* SPDX-License-Identifier: Apache-2.0 */
/* pg_result: what is inside Bind, RowDescription and DataRow.
 * Does: lend parameters, columns and the first rows to the watcher, in place. Never: copies a value, keeps a row, or looks at more rows
 * than the watcher asked for. */
#include "fingerprint/mem.h"
#include "pg_conn.h"

enum { FEW_COLUMNS = 48 };	/* described on the stack */

/* ---- formats and types of the columns ---- */

static void
formats_clear(struct wire_conn *c, struct pg_formats *f)
{
	c->kept -= f->nrest;
	mem_free(f->rest);
	*f = (struct pg_formats){ 0 };
}

static bool
is_binary(const struct pg_formats *f, uint32_t i)
{
	if (!f->mixed)
		return f->all;
	if (i < 64)
		return f->first >> i & 1;
	return i - 64 < f->nrest && f->rest[i - 64];
}

/* Column i of n is binary. */
static void
set_binary(struct wire_conn *c, struct pg_formats *f, uint32_t i, uint32_t n)
{
	f->mixed = true;
	if (i < 64) {
		f->first |= UINT64_C(1) << i;
		return;
	}
	if (!f->rest) {
		f->rest = mem_zero(n - 64);
		f->nrest = f->rest ? n - 64 : 0;
		c->kept += f->nrest;
	}
	if (f->rest)
		f->rest[i - 64] = 1;
	else
		f->unknown = true;
}

static void
read_formats(struct wire_conn *c, struct pg_formats *f, struct bytes *b)
{
	uint16_t n = bytes_be16(b);

	formats_clear(c, f);
	if (bytes_left(b) < 2u * n)
		b->bad = true;
	else if (n == 1)
		f->all = bytes_be16(b) == 1;
	else
		for (uint32_t i = 0; i < n; i++)
			if (bytes_be16(b) == 1)
				set_binary(c, f, i, n);
	f->unknown = f->unknown || b->bad;
}

static void
types_clear(struct wire_conn *c, struct pg_exec *x)
{
	if (x->types != x->inline_types) {
		c->kept -= x->types_cap * sizeof *x->types;
		mem_free(x->types);
	}
	x->types = x->inline_types;
	x->types_cap = PG_INLINE_TYPES;
	x->ntypes = 0;
}

static void
set_types(struct wire_conn *c, struct pg_exec *x, const struct wire_column *cols, uint32_t n)
{
	uint32_t *types;

	x->ntypes = 0;
	if (n > x->types_cap) {
		types = c->kept + n * sizeof *types <= LIMIT_PG_KEPT ? mem_alloc(n * sizeof *types) : NULL;
		if (!types)
			return;		/* the types of its values will be unknown */
		types_clear(c, x);
		c->kept += n * sizeof *types;
		x->types = types;
		x->types_cap = n;
	}
	for (uint32_t i = 0; i < n; i++)
		x->types[i] = cols[i].type;
	x->ntypes = n;
}

/* ---- RowDescription ---- */

static void
read_column(struct bytes *b, struct wire_column *col)
{
	*col = (struct wire_column){ .name = bytes_cstr(b) };
	col->table_oid = bytes_be32(b);
	col->attnum = bytes_be16(b);
	col->type = bytes_be32(b);
	bytes_skip(b, 2 + 4);		/* type length and modifier */
	col->binary = bytes_be16(b) == 1;
}

/* Reads up to max columns; *n is how many are there. False when the body does not add up. */
static bool
read_columns(struct span body, bool cut, struct wire_column *cols, uint32_t max, uint32_t *n)
{
	struct bytes b = bytes_of(body);
	uint32_t declared = bytes_be16(&b);

	*n = 0;
	while (*n < declared && *n < max) {
		read_column(&b, &cols[*n]);
		if (b.bad)
			return cut;
		(*n)++;
	}
	return !b.bad && (cut || declared > max || bytes_left(&b) == 0);
}

bool
pg_result_check(struct wire_conn *c, struct span body, bool cut)
{
	struct bytes b = bytes_of(body);
	uint32_t n = bytes_be16(&b);
	struct wire_column col;

	for (; n > 0 && !b.bad; n--)
		read_column(&b, &col);
	if (cut || bytes_done(&b))
		return true;
	pg_opaque(c, WIRE_OPAQUE_BAD_LENGTH, "RowDescription");
	return false;
}

static void
tell_columns(struct wire_conn *c, struct pg_exec *x, struct wire_column *cols, uint32_t n, bool own_formats)
{
	if (own_formats)
		for (uint32_t i = 0; i < n; i++)
			cols[i].binary = is_binary(&x->formats, i);
	else {
		formats_clear(c, &x->formats);
		for (uint32_t i = 0; i < n; i++)
			if (cols[i].binary)
				set_binary(c, &x->formats, i, n);
	}
	set_types(c, x, cols, n);
	x->shaped = true;
	if (c->ops->columns)
		c->ops->columns(c->ctx, &x->pub, cols, n);
}

void
pg_result_shape(struct wire_conn *c, struct pg_exec *x, struct span body, bool cut, bool own_formats)
{
	struct wire_column few[FEW_COLUMNS], *cols = few;
	uint32_t declared = body.n >= 2 ? load_be16(body.p) : 0, max = FEW_COLUMNS, n;

	if (declared > max) {
		max = declared < LIMIT_WIRE_COLUMNS ? declared : LIMIT_WIRE_COLUMNS;
		cols = mem_alloc(max * sizeof *cols);
		if (!cols) {
			x->shaped = true;
			return;
		}
	}
	if (read_columns(body, cut, cols, max, &n))
		tell_columns(c, x, cols, n, own_formats);
	else
		pg_opaque(c, WIRE_OPAQUE_BAD_LENGTH, "RowDescription");
	if (cols != few)
		mem_free(cols);
}

struct span
pg_kept_copy(struct wire_conn *c, struct span bytes)
{
	uint8_t *copy = c->kept + bytes.n <= LIMIT_PG_KEPT ? mem_alloc(bytes.n) : NULL;

	if (!copy)
		return (struct span){ NULL, 0 };
	memcpy(copy, bytes.p, bytes.n);
	c->kept += bytes.n;
	return span_of(copy, bytes.n);
}

void
pg_kept_drop(struct wire_conn *c, struct span *kept)
{
	c->kept -= kept->n;
	mem_free((void *)kept->p);
	*kept = (struct span){ NULL, 0 };
}

void
pg_result_keep(struct wire_conn *c, struct pg_exec *x, struct span body, bool cut)
{
	if (pg_result_check(c, body, cut) && !cut && !x->described.n)
		x->described = pg_kept_copy(c, body);
}

void
pg_result_kept(struct wire_conn *c, struct pg_exec *x)
{
	if (x->described.n)
		pg_result_shape(c, x, x->described, false, false);
	pg_kept_drop(c, &x->described);
}

void
pg_result_begin(struct wire_conn *c, struct pg_exec *x)
{
	if (!x->shaped && x->stmt && x->stmt->described.n)
		pg_result_shape(c, x, x->stmt->described, false, true);
	x->shaped = true;
}

/* ---- values ---- */

/* One value: Int32 length, bytes. What lies beyond a cut is not available. */
static void
read_value(struct bytes *b, bool cut, struct wire_value *v)
{
	uint32_t n;

	v->p = NULL;
	v->n = -2;
	if (cut && bytes_left(b) < 4) {
		b->p = b->end;
		return;
	}
	n = bytes_be32(b);
	if (n == UINT32_MAX) {
		v->n = -1;
		return;
	}
	if (cut && n > bytes_left(b)) {
		b->p = b->end;
		return;
	}
	v->p = bytes_take(b, n);
	v->n = v->p ? (int32_t)n : -2;
}

bool
pg_result_wants_row(const struct wire_conn *c, const struct pg_exec *x)
{
	return x->rows_lent < x->pub.want_rows && c->ops->row;
}

bool
pg_result_wants_data(const struct wire_conn *c, const struct pg_exec *x)
{
	return x->bytes_lent < x->pub.want_bytes && c->ops->data;
}

void
pg_result_row(struct wire_conn *c, struct pg_exec *x, const struct pg_msg *m)
{
	struct wire_value values[LIMIT_WIRE_COLUMNS];
	struct bytes b = bytes_of(span_first(m->body, LIMIT_WIRE_ROW));
	bool cut = m->cut || m->body.n > LIMIT_WIRE_ROW;
	uint32_t n = bytes_be16(&b);

	if (n > LIMIT_WIRE_COLUMNS)
		n = LIMIT_WIRE_COLUMNS;
	for (uint32_t i = 0; i < n; i++) {
		read_value(&b, cut, &values[i]);
		values[i].type = i < x->ntypes ? x->types[i] : 0;
		values[i].binary = is_binary(&x->formats, i);
		if (x->formats.unknown && values[i].n >= 0)
			values[i].n = -2;
	}
	if (b.bad) {
		pg_opaque(c, WIRE_OPAQUE_BAD_LENGTH, "DataRow");
		return;
	}
	x->rows_lent++;
	c->ops->row(c->ctx, &x->pub, values, n);
}

void
pg_result_data(struct wire_conn *c, struct pg_exec *x, struct span piece)
{
	piece = span_first(piece, x->pub.want_bytes - x->bytes_lent);
	x->bytes_lent += (uint32_t)piece.n;
	if (piece.n)
		c->ops->data(c->ctx, &x->pub, piece);
}

/* ---- Bind ---- */

static uint32_t
param_type(const struct pg_exec *x, uint32_t i)
{
	return x->stmt && i < x->stmt->noids ? x->stmt->oids[i] : 0;
}

/* Parameter formats: none, one for all, or one each. */
static bool
param_binary(struct span formats, uint32_t i)
{
	size_t at = formats.n == 2 ? 0 : 2 * (size_t)i;

	return at + 2 <= formats.n && load_be16(formats.p + at) == 1;
}

static bool
read_params(struct pg_exec *x, struct bytes *b, struct span formats, struct pg_values *values)
{
	uint32_t n = bytes_be16(b);
	struct wire_value *v = values->few;

	if (b->bad || (!x->bind_cut && n > bytes_left(b) / 4))
		return false;
	if (n > sizeof values->few / sizeof *v) {
		v = values->many = mem_alloc(n * sizeof *v);
		if (!v)
			return false;
	}
	for (uint32_t i = 0; i < n; i++) {
		read_value(b, x->bind_cut, &v[i]);
		v[i].type = param_type(x, i);
		v[i].binary = param_binary(formats, i);
		values->params.cut = values->params.cut || v[i].n == -2;
	}
	values->params.n = n;
	values->params.values = v;
	return !b->bad;
}

bool
pg_bind_read(struct wire_conn *c, struct pg_exec *x, struct pg_values *values)
{
	struct bytes b = bytes_of(x->bind);
	struct span formats;

	values->many = NULL;
	values->params = (struct wire_params){ 0 };
	if (!x->bind.p)
		return false;
	bytes_cstr(&b);
	bytes_cstr(&b);
	formats = bytes_span(&b, 2u * bytes_be16(&b));
	x->formats.unknown = true;
	if (b.bad || !read_params(x, &b, formats, values))
		return false;
	read_formats(c, &x->formats, &b);
	return true;
}

void
pg_bind_release(struct pg_values *values)
{
	mem_free(values->many);
}

/* ---- end ---- */

void
pg_result_clear(struct wire_conn *c, struct pg_exec *x)
{
	types_clear(c, x);
	formats_clear(c, &x->formats);
	pg_kept_drop(c, &x->described);
}
