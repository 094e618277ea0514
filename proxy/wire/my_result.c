/* SPDX-License-Identifier: Apache-2.0 */
/* my_result: column definitions and rows, as far as the watcher wants them; the rest is counted without being looked at.
 * Definitions that stand together in the fed bytes are read there; others are collected. Never: decides where a result begins or ends. */
#include "my_conn.h"

#include "fingerprint/mem.h"

enum { FEW = 48 };	/* columns that need no allocation */

/* The ask whose rows are arriving; NULL when nobody watches them. */
static struct my_ask *
receiver(const struct wire_conn *c)
{
	struct my_ask *a = c->head;

	if (a && a->kind == MY_ASK_FETCH)
		a = a->stmt ? a->stmt->cursor : NULL;
	return a && a->statement ? a : NULL;
}

/* Whether a later result of the same statement may come without definitions. */
static bool
remembers(const struct wire_conn *c)
{
	const struct my_ask *a = c->head;

	if (!a->stmt)
		return false;
	return a->wants_cursor || c->dialect.ext & MY_EXT_CACHE_METADATA || c->dialect.caps & MY_CAP_OPTIONAL_METADATA;
}

static void
lend_begin(struct wire_conn *c, const struct my_ask *a)
{
	c->answer.lend = a && ((c->answer.types && a->rows_lent < a->x.want_rows) || (c->ops->data && a->bytes_lent < a->x.want_bytes));
}

/* ---- definitions ---- */

static bool
column_read(struct span definition, struct my_dialect d, bool binary, struct wire_column *col)
{
	struct bytes b = bytes_of(definition);
	uint16_t flags;

	*col = (struct wire_column){ .binary = binary };
	bytes_lenenc_span(&b);		/* catalog */
	bytes_lenenc_span(&b);		/* schema */
	col->table = bytes_lenenc_span(&b);
	col->org_table = bytes_lenenc_span(&b);
	col->name = bytes_lenenc_span(&b);
	col->org_name = bytes_lenenc_span(&b);
	if (d.ext & MY_EXT_METADATA)
		bytes_lenenc_span(&b);
	bytes_skip(&b, 1 + 2 + 4);	/* length of what follows, character set, display width */
	col->type = bytes_u8(&b);
	flags = bytes_le16(&b);
	if (flags & MY_COLUMN_UNSIGNED)
		col->type |= MY_TYPE_UNSIGNED;
	return !b.bad;
}

/* Reads n definitions that follow each other as packets. */
static bool
columns_read(struct span packets, struct my_dialect d, bool binary, struct wire_column *cols, uint32_t n)
{
	struct bytes b = bytes_of(packets);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t size = bytes_le24(&b);

		bytes_skip(&b, 1);
		if (!column_read(bytes_span(&b, size), d, binary, &cols[i]))
			return false;
	}
	return true;
}

static void
types_keep(struct wire_conn *c, const struct wire_column *cols, uint32_t n)
{
	struct my_answer *r = &c->answer;

	mem_free(r->types);
	r->types = mem_alloc(n * sizeof *r->types);
	if (!r->types)
		return;
	r->ntypes = n;
	for (uint32_t i = 0; i < n; i++)
		r->types[i] = (uint16_t)cols[i].type;
}

/* The definitions of the result that is about to be read. tell: the watcher does not know them yet. */
static void
describe(struct wire_conn *c, struct span packets, bool tell)
{
	struct my_ask *a = receiver(c);
	uint32_t n = c->answer.ncolumns < LIMIT_WIRE_COLUMNS ? (uint32_t)c->answer.ncolumns : LIMIT_WIRE_COLUMNS;
	struct wire_column few[FEW], *cols = n <= FEW ? few : mem_alloc(n * sizeof *cols);

	if (a && cols && columns_read(packets, c->dialect, a->kind == MY_ASK_BINARY, cols, n)) {
		if (c->ops->row && a->x.want_rows)
			types_keep(c, cols, n);
		if (c->ops->columns && tell)
			c->ops->columns(c->ctx, &a->x, cols, n);
	}
	if (cols != few)
		mem_free(cols);
}

static void
remember(struct wire_conn *c, struct span packets)
{
	struct my_stmt *s = c->head->stmt;

	c->stmts.bytes -= (uint32_t)s->columns.n;
	strbuf_clear(&s->columns);
	s->columns.max = LIMIT_MY_MEMORY - c->stmts.bytes;
	if (packets.n > s->columns.max || !strbuf_add(&s->columns, packets)) {
		strbuf_clear(&s->columns);
		return;
	}
	s->ncolumns = (uint32_t)c->answer.ncolumns;
	c->stmts.bytes += (uint32_t)packets.n;
}

static void
columns_done(struct wire_conn *c, struct span packets)
{
	if (c->answer.keep_columns) {
		describe(c, packets, true);
		if (remembers(c))
			remember(c, packets);
	}
	strbuf_clear(&c->answer.columns);
	lend_begin(c, receiver(c));
	my_answer_columns_done(c);
}

void
my_columns_begin(struct wire_conn *c, uint64_t n)
{
	const struct my_ask *a = receiver(c);
	struct my_answer *r = &c->answer;

	r->ncolumns = r->left = n;
	r->keep_columns = remembers(c) || (a && (c->ops->columns || (c->ops->row && a->x.want_rows)));
	strbuf_init(&r->columns, LIMIT_WIRE_CAPTURE);
}

void
my_columns_add(struct wire_conn *c, const struct my_message *m)
{
	struct my_answer *r = &c->answer;

	if (r->keep_columns && r->ncolumns - r->left < LIMIT_WIRE_COLUMNS) {
		uint8_t header[MY_HEADER] = { (uint8_t)m->size, (uint8_t)(m->size >> 8), (uint8_t)(m->size >> 16), 0 };

		strbuf_add(&r->columns, span_of(header, sizeof header));
		strbuf_add(&r->columns, m->body);
		if (r->columns.cut || m->body.n < m->size)
			r->keep_columns = false;
	}
	if (--r->left == 0)
		columns_done(c, strbuf_span(&r->columns));
}

/* Bytes of the next n packets if all of them are wholly there and none is an error, else 0. */
static size_t
packets_whole(struct span in, uint64_t n)
{
	size_t used = 0;

	for (; n; n--) {
		uint32_t size;

		if (in.n - used <= MY_HEADER)
			return 0;
		size = load_le24(in.p + used);
		if (size == 0 || size == MY_PACKET_FULL || in.n - used - MY_HEADER < size || in.p[used + MY_HEADER] == MY_ERR)
			return 0;
		used += MY_HEADER + size;
	}
	return used;
}

size_t
my_columns_whole(struct wire_conn *c, struct span in)
{
	struct my_answer *r = &c->answer;
	struct my_ask *a = receiver(c);
	size_t used;

	if (!c->head || r->left != r->ncolumns || r->left > LIMIT_WIRE_COLUMNS)
		return 0;
	used = packets_whole(in, r->left);
	if (used == 0 || used > LIMIT_WIRE_CAPTURE)
		return 0;
	if (a)
		a->x.bytes += used;
	r->left = 0;
	columns_done(c, span_first(in, used));
	return used;
}

void
my_columns_recall(struct wire_conn *c)
{
	struct my_ask *a = receiver(c);
	const struct my_stmt *s = c->head->stmt;
	bool fetch = c->head->kind == MY_ASK_FETCH;

	if (a && s && s->columns.n && (fetch || s->ncolumns == c->answer.ncolumns)) {
		c->answer.ncolumns = s->ncolumns;
		describe(c, strbuf_span(&s->columns), !fetch);
	}
	lend_begin(c, a);
}

void
my_result_clear(struct wire_conn *c)
{
	struct my_answer *r = &c->answer;

	strbuf_clear(&r->columns);
	mem_free(r->types);
	r->types = NULL;
	r->ntypes = 0;
	r->lend = false;
}

/* ---- rows ---- */

size_t
my_rows_skip(struct wire_conn *c, struct span in)
{
	struct my_ask *a = receiver(c);
	const uint8_t *p = in.p, *end = in.p + in.n;
	uint64_t rows = 0;

	if (!c->head || c->answer.lend)
		return 0;
	while (end - p > MY_HEADER) {
		uint32_t n = load_le24(p);

		if (n == 0 || n == MY_PACKET_FULL || n > (size_t)(end - p) - MY_HEADER || p[MY_HEADER] >= MY_EOF)
			break;
		p += MY_HEADER + n;
		rows++;
	}
	if (a && rows) {
		if (!a->x.first)
			a->x.first = c->now;
		a->x.bytes += (size_t)(p - in.p);
		a->rows += rows;
	}
	return (size_t)(p - in.p);
}

void
my_row_bytes(struct wire_conn *c, struct span bytes)
{
	struct my_ask *a = receiver(c);

	if (!c->answer.lend || !c->ops->data || a->bytes_lent >= a->x.want_bytes)
		return;
	bytes = span_first(bytes, a->x.want_bytes - a->bytes_lent);
	a->bytes_lent += (uint32_t)bytes.n;
	c->ops->data(c->ctx, &a->x, bytes);
}

/* The values of a text row. False: not a row. Values that are not wholly there are not available. */
static bool
row_text(struct bytes b, bool cut, const uint16_t *types, struct wire_value *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		bool null;
		struct span s = bytes_lenenc_value(&b, &null);

		if (b.bad && !cut)
			return false;
		v[i] = (struct wire_value){ .p = s.p, .n = b.bad ? -2 : null ? -1 : (int32_t)s.n, .type = types[i] };
	}
	return true;
}

static bool
row_binary(struct bytes b, bool cut, const struct my_answer *r, struct wire_value *v)
{
	const uint8_t *nulls;

	bytes_skip(&b, 1);
	nulls = bytes_take(&b, (r->ncolumns + 7 + 2) / 8);
	if (!nulls)
		return false;
	for (uint32_t i = 0; i < r->ntypes; i++) {
		uint32_t size = 0;

		v[i] = (struct wire_value){ .n = -1, .type = r->types[i], .binary = true };
		if (nulls[(i + 2) / 8] >> ((i + 2) % 8) & 1)
			continue;
		v[i].p = my_value_take(&b, r->types[i], &size);
		v[i].n = v[i].p ? (int32_t)size : -2;
		if (!v[i].p && !cut)
			return false;
	}
	return true;
}

static void
row_lend(struct wire_conn *c, struct my_ask *a, const struct my_message *m)
{
	struct my_answer *r = &c->answer;
	struct wire_value few[FEW], *v = r->ntypes <= FEW ? few : mem_alloc(r->ntypes * sizeof *v);
	struct bytes b = bytes_of(span_first(m->body, LIMIT_WIRE_ROW));
	bool cut = m->size > LIMIT_WIRE_ROW;

	if (!v)
		return;
	if (a->kind == MY_ASK_BINARY ? row_binary(b, cut, r, v) : row_text(b, cut, r->types, v, r->ntypes))
		c->ops->row(c->ctx, &a->x, v, r->ntypes);
	if (v != few)
		mem_free(v);
}

void
my_row(struct wire_conn *c, const struct my_message *m)
{
	struct my_ask *a = receiver(c);

	if (!a)
		return;
	a->rows++;
	if (!c->answer.lend)
		return;
	if (c->answer.types && a->rows_lent < a->x.want_rows) {
		row_lend(c, a, m);
		a->rows_lent++;
	}
	lend_begin(c, a);
}
