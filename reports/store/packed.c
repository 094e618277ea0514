/* SPDX-License-Identifier: Apache-2.0 */
/* packed: see packed.h and FORMAT.md. */
#include "packed.h"

#include "fingerprint/limits.h"

enum bits { HAS_PARAMS = 1, HAS_RESULT = 2, NOT_OK = 4, HAS_ALLOW = 8, HAS_SITE = 16, MANY_ITERATIONS = 32, IN_TX = 64 };

/* ---- writing ---- */

static void
put(struct strbuf *b, uint64_t v)
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

static void
put_signed(struct strbuf *b, int64_t v)
{
	put(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

static void
put_u64(struct strbuf *b, uint64_t v)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(v >> (8 * i));
	strbuf_add(b, span_of(bytes, 8));
}

static void
put_text(struct strbuf *b, const char *s)
{
	struct span t = span_str(s ? s : "");

	put(b, t.n);
	strbuf_add(b, t);
}

static void
put_pairs(struct strbuf *b, const struct req_tag *tags, uint32_t n)
{
	put(b, n);
	for (uint32_t i = 0; i < n; i++) {
		put_text(b, tags[i].key);
		put_text(b, tags[i].value);
	}
}

static void
put_stmt(struct strbuf *b, const struct req_stmt *s, uint64_t *before, packed_shape_out *shape, void *ctx)
{
	unsigned bits = (s->params ? HAS_PARAMS : 0) | (s->result ? HAS_RESULT : 0) | (s->outcome != REC_OK ? NOT_OK : 0) |
			(s->allow ? HAS_ALLOW : 0) | (s->site ? HAS_SITE : 0) | (s->iterations != 1 ? MANY_ITERATIONS : 0) | (s->tx ? IN_TX : 0);

	put(b, shape(ctx, s->shape));
	put(b, bits);
	put(b, s->flags);
	put(b, s->lane);
	put(b, s->round_trips);
	put_signed(b, (int64_t)(s->start - *before));
	*before = s->start;
	put(b, s->busy);
	put(b, s->first);
	put(b, s->rows);
	put(b, s->affected);
	put(b, s->bytes);
	if (bits & HAS_PARAMS)
		put_u64(b, s->params);
	if (bits & HAS_RESULT)
		put_u64(b, s->result);
	if (bits & NOT_OK) {
		put(b, s->outcome);
		strbuf_add(b, span_of(s->code, sizeof s->code));
	}
	if (bits & HAS_ALLOW)
		put(b, s->allow);
	if (bits & HAS_SITE)
		put(b, s->site);
	if (bits & MANY_ITERATIONS)
		put(b, s->iterations);
	if (bits & IN_TX)
		put(b, s->tx);
}

void
packed_strays(struct strbuf *out, const struct req_stmt *s, uint32_t n, packed_shape_out *shape, void *ctx)
{
	uint64_t before = 0;

	put(out, n);
	for (uint32_t i = 0; i < n; i++)
		put_stmt(out, &s[i], &before, shape, ctx);
}

void
packed_request(struct strbuf *out, const struct request *r, packed_shape_out *shape, void *ctx)
{
	put(out, PACKED_VERSION);
	put(out, r->start);
	put(out, r->end - r->start);
	put_signed(out, r->wall_start_us);
	put(out, r->scope_from);
	put(out, r->borders_from);
	put(out, r->idle_in_tx);
	put(out, r->stmts_cut);
	put_pairs(out, r->tags, r->ntags);
	put_pairs(out, r->sites, r->nsites);
	put(out, r->nlanes);
	for (uint32_t i = 0; i < r->nlanes; i++) {
		put(out, r->lanes[i].session);
		put(out, r->lanes[i].upstream);
		put_text(out, r->lanes[i].database);
	}
	packed_strays(out, r->stmts, r->nstmts, shape, ctx);
}

/* ---- reading ---- */

struct in {
	const uint8_t *p, *end;
	bool bad;
};

static uint64_t
get(struct in *in)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (in->p == in->end)
			break;
		uint8_t byte = *in->p++;

		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	in->bad = true;
	return 0;
}

/* A number that must not exceed max. */
static uint64_t
get_upto(struct in *in, uint64_t max)
{
	uint64_t v = get(in);

	if (v <= max)
		return v;
	in->bad = true;
	return 0;
}

static int64_t
get_signed(struct in *in)
{
	uint64_t v = get(in);

	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static uint64_t
get_u64(struct in *in)
{
	uint64_t v = 0;

	if (in->end - in->p < 8) {
		in->bad = true;
		return 0;
	}
	for (int i = 0; i < 8; i++)
		v |= (uint64_t)*in->p++ << (8 * i);
	return v;
}

static struct span
get_bytes(struct in *in, uint64_t n)
{
	struct span s = { in->p, (size_t)n };

	if (n > (uint64_t)(in->end - in->p)) {
		in->bad = true;
		return (struct span){ NULL, 0 };
	}
	in->p += n;
	return s;
}

static const char *
get_text(struct in *in, struct arena *a)
{
	struct span s = get_bytes(in, get(in));

	return s.n ? arena_strndup(a, s) : "";
}

/* A count of things that take at least one byte each: a longer one is damage, and must not size an allocation. */
static uint32_t
get_count(struct in *in)
{
	return (uint32_t)get_upto(in, (uint64_t)(in->end - in->p));
}

static const struct req_tag *
get_pairs(struct in *in, struct arena *a, uint32_t *n)
{
	struct req_tag *tags;

	*n = get_count(in);
	tags = arena_zero(a, *n * sizeof *tags);
	for (uint32_t i = 0; i < *n; i++) {
		tags[i].key = get_text(in, a);
		tags[i].value = get_text(in, a);
	}
	return tags;
}

static void
get_stmt(struct in *in, struct req_stmt *s, uint64_t *before, packed_shape_in *shape, void *ctx)
{
	unsigned bits;

	s->shape = shape(ctx, get(in));
	bits = (unsigned)get_upto(in, 127);
	s->flags = (uint8_t)get_upto(in, UINT8_MAX);
	s->lane = (uint16_t)get_upto(in, UINT16_MAX);
	s->round_trips = (uint16_t)get_upto(in, UINT16_MAX);
	s->start = *before + (uint64_t)get_signed(in);
	*before = s->start;
	s->busy = get(in);
	s->first = get(in);
	s->rows = (uint32_t)get_upto(in, UINT32_MAX);
	s->affected = (uint32_t)get_upto(in, UINT32_MAX);
	s->bytes = (uint32_t)get_upto(in, UINT32_MAX);
	s->params = bits & HAS_PARAMS ? get_u64(in) : 0;
	s->result = bits & HAS_RESULT ? get_u64(in) : 0;
	s->outcome = REC_OK;
	if (bits & NOT_OK) {
		s->outcome = (uint8_t)get_upto(in, REC_LOST);
		struct span code = get_bytes(in, sizeof s->code);

		if (code.n)
			memcpy(s->code, code.p, code.n);
		s->code[sizeof s->code - 1] = '\0';
	}
	s->allow = bits & HAS_ALLOW ? (uint16_t)get_upto(in, UINT16_MAX) : 0;
	s->site = bits & HAS_SITE ? (uint16_t)get_upto(in, UINT16_MAX) : 0;
	s->iterations = bits & MANY_ITERATIONS ? (uint32_t)get_upto(in, UINT32_MAX) : 1;
	s->tx = bits & IN_TX ? (uint32_t)get_upto(in, UINT32_MAX) : 0;
	if (!s->shape)
		in->bad = true;
}

static void
get_stmts(struct in *in, struct req_stmt **s, uint32_t *n, struct arena *a, packed_shape_in *shape, void *ctx)
{
	uint64_t before = 0;

	*n = get_count(in);
	*s = arena_zero(a, *n * sizeof **s);
	for (uint32_t i = 0; i < *n && !in->bad; i++)
		get_stmt(in, &(*s)[i], &before, shape, ctx);
}

bool
unpacked_strays(struct span bytes, struct req_stmt **s, uint32_t *n, struct arena *a, packed_shape_in *shape, void *ctx)
{
	struct in in = { bytes.p, bytes.p + bytes.n, false };

	get_stmts(&in, s, n, a, shape, ctx);
	return !in.bad;
}

/* What a rule may index with must be in range. */
static bool
in_range(const struct request *r)
{
	for (uint32_t i = 0; i < r->nstmts; i++)
		if (r->stmts[i].lane >= r->nlanes || r->stmts[i].site > r->nsites)
			return false;
	return true;
}

bool
unpacked_request(struct span bytes, struct request *r, struct arena *a, packed_shape_in *shape, void *ctx)
{
	struct in in = { bytes.p, bytes.p + bytes.n, false };
	struct req_lane *lanes;
	struct req_stmt *stmts;

	memset(r, 0, sizeof *r);
	if (get(&in) != PACKED_VERSION)
		return false;
	r->start = get(&in);
	r->end = r->start + get(&in);
	r->wall_start_us = get_signed(&in);
	r->scope_from = (enum origin)get_upto(&in, FROM_NONE);
	r->borders_from = (enum origin)get_upto(&in, FROM_NONE);
	r->idle_in_tx = get(&in);
	r->stmts_cut = (uint32_t)get_upto(&in, UINT32_MAX);
	r->tags = get_pairs(&in, a, &r->ntags);
	r->sites = get_pairs(&in, a, &r->nsites);
	r->nlanes = get_count(&in);
	r->lanes = lanes = arena_zero(a, r->nlanes * sizeof *lanes);
	for (uint32_t i = 0; i < r->nlanes; i++) {
		lanes[i].session = (uint32_t)get_upto(&in, UINT32_MAX);
		lanes[i].upstream = (uint16_t)get_upto(&in, UINT16_MAX);
		lanes[i].database = get_text(&in, a);
	}
	get_stmts(&in, &stmts, &r->nstmts, a, shape, ctx);
	r->stmts = stmts;
	return !in.bad && in_range(r);
}
