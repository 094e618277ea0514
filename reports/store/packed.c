/* SPDX-License-Identifier: Apache-2.0 */
/* packed: see packed.h and FORMAT.md. */
#include "packed.h"

#include "fingerprint/limits.h"
#include "packing.h"

enum stmt_bits { HAS_PARAMS = 1, HAS_RESULT = 2, NOT_OK = 4, HAS_ALLOW = 8, HAS_SITE = 16, MANY_ITERATIONS = 32, IN_TX = 64, HAS_PREPARED = 128,
	HAS_SEQ = 256, STMT_BITS = 511 };
enum shape_bits { SHAPE_CUT = 1, TABLES_UNKNOWN = 2, SHAPE_BITS = 3 };

/* The fewest bytes each can take: what a count is measured against. */
enum { LEAST_PAIR = 2, LEAST_LANE = 3, LEAST_STMT = 11, LEAST_EDGE = 13, LEAST_TABLE = 2, LEAST_SLOT = 3 };

/* No time in a recording reaches so far (292 years): arithmetic with two of them cannot wrap. */
static const uint64_t longest = INT64_MAX;

/* ---- writing ---- */

static void
put_pairs(struct strbuf *b, const struct req_tag *tags, uint32_t n)
{
	pack_number(b, n);
	for (uint32_t i = 0; i < n; i++) {
		pack_text(b, tags[i].key);
		pack_text(b, tags[i].value);
	}
}

static void
put_stmt(struct strbuf *b, const struct req_stmt *s, uint64_t *before, packed_shape_out *shape, void *ctx)
{
	unsigned bits = (s->params ? HAS_PARAMS : 0) | (s->result ? HAS_RESULT : 0) | (s->outcome != REC_OK ? NOT_OK : 0) |
			(s->allow ? HAS_ALLOW : 0) | (s->site ? HAS_SITE : 0) | (s->iterations != 1 ? MANY_ITERATIONS : 0) | (s->tx ? IN_TX : 0) |
			(s->prepared ? HAS_PREPARED : 0) | (s->seq ? HAS_SEQ : 0);

	pack_number(b, shape(ctx, s->shape));
	pack_number(b, bits);
	pack_number(b, s->flags);
	pack_number(b, s->lane);
	pack_number(b, s->round_trips);
	pack_signed(b, (int64_t)(s->start - *before));
	*before = s->start;
	pack_number(b, s->busy);
	pack_number(b, s->first);
	pack_number(b, s->rows);
	pack_number(b, s->affected);
	pack_number(b, s->bytes);
	if (bits & HAS_PARAMS)
		pack_fixed(b, s->params);
	if (bits & HAS_RESULT)
		pack_fixed(b, s->result);
	if (bits & NOT_OK) {
		pack_number(b, s->outcome);
		strbuf_add(b, span_of(s->code, sizeof s->code));
	}
	if (bits & HAS_ALLOW)
		pack_number(b, s->allow);
	if (bits & HAS_SITE)
		pack_number(b, s->site);
	if (bits & MANY_ITERATIONS)
		pack_number(b, s->iterations);
	if (bits & IN_TX)
		pack_number(b, s->tx);
	if (bits & HAS_PREPARED)
		pack_number(b, s->prepared);
	if (bits & HAS_SEQ)
		pack_number(b, s->seq);
}

static void
put_edge(struct strbuf *b, const struct edge *e, packed_shape_out *shape, void *ctx)
{
	pack_number(b, shape(ctx, e->child));
	pack_number(b, shape(ctx, e->parent));
	pack_number(b, e->child_stmt);
	pack_number(b, e->parent_stmt);
	pack_text(b, e->column);
	pack_text(b, e->other);
	pack_number(b, e->values);
	pack_number(b, e->missed);
	pack_number(b, e->source_values);
	pack_number(b, e->kept);
	pack_number(b, e->rows);
	pack_number(b, e->verdict);
	pack_number(b, e->flags);
}

void
packed_strays(struct strbuf *out, const struct req_stmt *s, uint32_t n, packed_shape_out *shape, void *ctx)
{
	uint64_t before = 0;

	pack_number(out, n);
	for (uint32_t i = 0; i < n; i++)
		put_stmt(out, &s[i], &before, shape, ctx);
}

void
packed_request(struct strbuf *out, const struct request *r, packed_shape_out *shape, void *ctx)
{
	pack_number(out, PACKED_VERSION);
	pack_number(out, r->start);
	pack_number(out, r->end - r->start);
	pack_signed(out, r->wall_start_us);
	pack_number(out, r->scope_from);
	pack_number(out, r->borders_from);
	pack_number(out, r->idle_in_tx);
	pack_number(out, r->stmts_cut);
	put_pairs(out, r->tags, r->ntags);
	put_pairs(out, r->sites, r->nsites);
	pack_number(out, r->nlanes);
	for (uint32_t i = 0; i < r->nlanes; i++) {
		pack_number(out, r->lanes[i].session);
		pack_number(out, r->lanes[i].upstream);
		pack_text(out, r->lanes[i].database);
	}
	packed_strays(out, r->stmts, r->nstmts, shape, ctx);
	pack_number(out, r->nedges);
	for (uint32_t i = 0; i < r->nedges; i++)
		put_edge(out, &r->edges[i], shape, ctx);
}

void
packed_shape(struct strbuf *out, const struct shape *s)
{
	pack_number(out, s->cls);
	pack_number(out, s->verb);
	pack_number(out, s->dialect);
	pack_number(out, (s->cut ? SHAPE_CUT : 0) | (s->tables_unknown ? TABLES_UNKNOWN : 0));
	pack_number(out, s->ntables);
	for (unsigned i = 0; i < s->ntables; i++) {
		pack_text(out, s->tables[i].name);
		pack_number(out, s->tables[i].write);
	}
	pack_number(out, s->nslots);
	for (unsigned i = 0; i < s->nslots; i++) {
		pack_number(out, s->slots[i].cls);
		pack_text(out, s->slots[i].table);
		pack_text(out, s->slots[i].column);
	}
}

/* ---- reading ---- */

static const struct req_tag *
get_pairs(struct unpack *in, struct arena *a, uint32_t max, uint32_t *n)
{
	struct req_tag *tags;

	*n = unpack_count(in, max, LEAST_PAIR);
	tags = arena_zero(a, *n * sizeof *tags);
	for (uint32_t i = 0; i < *n; i++) {
		tags[i].key = unpack_text(in, a);
		tags[i].value = unpack_text(in, a);
	}
	return tags;
}

static void
get_stmt(struct unpack *in, struct req_stmt *s, uint64_t *before, packed_shape_in *shape, void *ctx)
{
	unsigned bits;

	s->shape = shape(ctx, unpack_number(in));
	bits = (unsigned)unpack_upto(in, STMT_BITS);
	s->flags = (uint16_t)unpack_upto(in, UINT16_MAX);
	s->lane = (uint16_t)unpack_upto(in, UINT16_MAX);
	s->round_trips = (uint16_t)unpack_upto(in, UINT16_MAX);
	s->start = *before + (uint64_t)unpack_signed(in);
	*before = s->start;
	s->busy = unpack_number(in);
	s->first = unpack_number(in);
	s->rows = (uint32_t)unpack_upto(in, UINT32_MAX);
	s->affected = (uint32_t)unpack_upto(in, UINT32_MAX);
	s->bytes = (uint32_t)unpack_upto(in, UINT32_MAX);
	s->params = bits & HAS_PARAMS ? unpack_fixed(in) : 0;
	s->result = bits & HAS_RESULT ? unpack_fixed(in) : 0;
	s->outcome = REC_OK;
	if (bits & NOT_OK) {
		s->outcome = (uint8_t)unpack_upto(in, REC_LOST);
		struct span code = unpack_bytes(in, sizeof s->code);

		if (code.n)
			memcpy(s->code, code.p, code.n);
		s->code[sizeof s->code - 1] = '\0';
	}
	s->allow = bits & HAS_ALLOW ? (uint16_t)unpack_upto(in, UINT16_MAX) : 0;
	s->site = bits & HAS_SITE ? (uint16_t)unpack_upto(in, UINT16_MAX) : 0;
	s->iterations = bits & MANY_ITERATIONS ? (uint32_t)unpack_upto(in, UINT32_MAX) : 1;
	s->tx = bits & IN_TX ? (uint32_t)unpack_upto(in, UINT32_MAX) : 0;
	s->prepared = bits & HAS_PREPARED ? (uint16_t)unpack_upto(in, UINT16_MAX) : 0;
	s->seq = bits & HAS_SEQ ? (uint32_t)unpack_upto(in, UINT32_MAX) : 0;
	if (!s->shape)
		in->bad = true;
}

static void
get_stmts(struct unpack *in, struct req_stmt **s, uint32_t *n, struct arena *a, packed_shape_in *shape, void *ctx)
{
	uint64_t before = 0;

	*n = unpack_count(in, LIMIT_REQUEST_STMTS, LEAST_STMT);
	*s = arena_zero(a, *n * sizeof **s);
	for (uint32_t i = 0; i < *n && !in->bad; i++)
		get_stmt(in, &(*s)[i], &before, shape, ctx);
}

static void
get_edge(struct unpack *in, struct edge *e, struct arena *a, packed_shape_in *shape, void *ctx)
{
	e->child = shape(ctx, unpack_number(in));
	e->parent = shape(ctx, unpack_number(in));
	e->child_stmt = (uint32_t)unpack_upto(in, UINT32_MAX);
	e->parent_stmt = (uint32_t)unpack_upto(in, UINT32_MAX);
	e->column = unpack_text(in, a);
	e->other = unpack_text(in, a);
	e->values = (uint32_t)unpack_upto(in, UINT32_MAX);
	e->missed = (uint32_t)unpack_upto(in, UINT32_MAX);
	e->source_values = (uint32_t)unpack_upto(in, UINT32_MAX);
	e->kept = (uint32_t)unpack_upto(in, UINT32_MAX);
	e->rows = unpack_number(in);
	e->verdict = (uint8_t)unpack_upto(in, EDGE_LISTS);
	e->flags = (uint8_t)unpack_upto(in, UINT8_MAX);
	if (!e->child || !e->parent)
		in->bad = true;
}

static const struct edge *
get_edges(struct unpack *in, uint32_t *n, struct arena *a, packed_shape_in *shape, void *ctx)
{
	struct edge *edges;

	*n = unpack_count(in, LIMIT_REQUEST_STMTS, LEAST_EDGE);
	edges = arena_zero(a, *n * sizeof *edges);
	for (uint32_t i = 0; i < *n && !in->bad; i++)
		get_edge(in, &edges[i], a, shape, ctx);
	return edges;
}

bool
unpacked_strays(struct span bytes, struct req_stmt **s, uint32_t *n, struct arena *a, packed_shape_in *shape, void *ctx)
{
	struct unpack in = unpack_of(bytes);

	get_stmts(&in, s, n, a, shape, ctx);
	return !in.bad && in.p == in.end;
}

/* What a rule may index with must be in range, and what it adds up must be times. */
static bool
in_range(const struct request *r)
{
	if (r->start > longest || r->end < r->start || r->end > longest)
		return false;
	for (uint32_t i = 0; i < r->nstmts; i++) {
		const struct req_stmt *s = &r->stmts[i];

		if (s->lane >= r->nlanes || s->site > r->nsites || s->start > longest || s->busy > longest)
			return false;
	}
	for (uint32_t i = 0; i < r->nedges; i++)
		if (r->edges[i].child_stmt >= r->nstmts || r->edges[i].parent_stmt >= r->nstmts)
			return false;
	return true;
}

bool
unpacked_request(struct span bytes, struct request *r, struct arena *a, packed_shape_in *shape, void *ctx)
{
	struct unpack in = unpack_of(bytes);
	struct req_lane *lanes;
	struct req_stmt *stmts;

	memset(r, 0, sizeof *r);
	if (unpack_number(&in) != PACKED_VERSION)
		return false;
	r->start = unpack_number(&in);
	r->end = r->start + unpack_number(&in);
	r->wall_start_us = unpack_signed(&in);
	r->scope_from = (enum origin)unpack_upto(&in, FROM_NONE);
	r->borders_from = (enum origin)unpack_upto(&in, FROM_NONE);
	r->idle_in_tx = unpack_number(&in);
	r->stmts_cut = (uint32_t)unpack_upto(&in, UINT32_MAX);
	r->tags = get_pairs(&in, a, LIMIT_REQUEST_TAGS, &r->ntags);
	r->sites = get_pairs(&in, a, LIMIT_REQUEST_SITES, &r->nsites);
	r->nlanes = unpack_count(&in, LIMIT_REQUEST_LANES, LEAST_LANE);
	r->lanes = lanes = arena_zero(a, r->nlanes * sizeof *lanes);
	for (uint32_t i = 0; i < r->nlanes; i++) {
		lanes[i].session = (uint32_t)unpack_upto(&in, UINT32_MAX);
		lanes[i].upstream = (uint16_t)unpack_upto(&in, UINT16_MAX);
		lanes[i].database = unpack_text(&in, a);
	}
	get_stmts(&in, &stmts, &r->nstmts, a, shape, ctx);
	r->stmts = stmts;
	r->edges = get_edges(&in, &r->nedges, a, shape, ctx);
	return !in.bad && in.p == in.end && in_range(r);
}

static void
get_tables(struct unpack *in, struct sql_stmt *st, struct arena *a)
{
	struct sql_table *tables;

	st->ntables = unpack_count(in, LIMIT_TABLES, LEAST_TABLE);
	st->tables = tables = arena_zero(a, st->ntables * sizeof *tables);
	for (size_t i = 0; i < st->ntables; i++) {
		tables[i].name = span_str(unpack_text(in, a));
		tables[i].write = unpack_upto(in, 1);
	}
}

static void
get_slots(struct unpack *in, struct sql_stmt *st, struct arena *a)
{
	struct sql_slot *slots;

	st->nslots = unpack_count(in, LIMIT_SLOTS, LEAST_SLOT);
	st->slots = slots = arena_zero(a, st->nslots * sizeof *slots);
	for (size_t i = 0; i < st->nslots; i++) {
		slots[i].cls = (uint8_t)unpack_upto(in, SQL_SLOT_LIMIT);
		slots[i].table = span_str(unpack_text(in, a));
		slots[i].column = span_str(unpack_text(in, a));
	}
}

bool
unpacked_shape(struct span bytes, struct sql_lang *lang, struct sql_stmt *st, struct arena *a)
{
	struct unpack in = unpack_of(bytes);
	unsigned bits;

	*st = (struct sql_stmt){ 0 };
	st->cls = (uint8_t)unpack_upto(&in, SQL_OTHER);
	st->verb = (uint8_t)unpack_upto(&in, SQL_V_GRANT);
	*lang = (struct sql_lang){ .dialect = (uint8_t)unpack_upto(&in, SQL_MYSQL) };
	bits = (unsigned)unpack_upto(&in, SHAPE_BITS);
	st->cut = bits & SHAPE_CUT;
	st->tables_unknown = bits & TABLES_UNKNOWN;
	get_tables(&in, st, a);
	get_slots(&in, st, a);
	return !in.bad && in.p == in.end;
}
