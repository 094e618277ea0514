/* SPDX-License-Identifier: Apache-2.0 */
/* evidence: see evidence.h. What is kept between the events of one answer lives in a small struct that a worker uses again and again. */
#include "evidence.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "tap_internal.h"

enum { SETS = 1024, TEXT = 1024, DIGITS = 18, SPARE = 256, BINARY = 1 };

/* A set of columns that was told, and which columns they are. */
struct known_set {
	uint64_t hash;		/* 0 = none */
	uint32_t n;
	uint16_t col[LIMIT_EVIDENCE_COLUMNS];
};

/* One answer on its way. wire_exec.evidence. */
struct evidence {
	struct evidence *next;	/* spare ones */
	XXH64_state_t bytes;
	uint32_t nbytes;
	bool hashing, binary, cut;
	struct known_set set;
};

struct evidence_pool {
	struct evidence *spare;
	uint32_t nspare;
	uint64_t seed;		/* of result hashes, per process */
	struct known_set sets[SETS];
};

static struct evidence_pool *
pool_of(struct tap *t)
{
	struct evidence_pool *p = t->shared->pool;

	if (!p) {
		p = t->shared->pool = mem_zero(sizeof *p);
		if (p)
			p->seed = sql_hash(SPAN_LIT("result"));
	}
	return p;
}

static struct evidence *
evidence_of(struct tap *t, struct wire_exec *x)
{
	struct evidence_pool *p = pool_of(t);
	struct evidence *e = x->evidence;

	if (e || !p)
		return e;
	e = p->spare;
	if (e) {
		p->spare = e->next;
		p->nspare--;
	} else {
		e = mem_alloc(sizeof *e);
		if (!e)
			return NULL;
	}
	e->next = NULL;
	e->nbytes = 0;
	e->hashing = e->binary = e->cut = false;
	e->set.hash = 0;
	return x->evidence = e;
}

void
evidence_done(struct tap *t, struct wire_exec *x)
{
	struct evidence_pool *p = t->shared->pool;
	struct evidence *e = x->evidence;

	x->evidence = NULL;
	if (!e)
		return;
	if (p->nspare == SPARE) {
		mem_free(e);
		return;
	}
	e->next = p->spare;
	p->spare = e;
	p->nspare++;
}

void
evidence_pool_free(struct evidence_pool *p)
{
	for (struct evidence *e = p ? p->spare : NULL, *next; e; e = next) {
		next = e->next;
		mem_free(e);
	}
	mem_free(p);
}

/* ---- values ---- */

static bool
is_whole(struct span s, int64_t *number)
{
	bool minus = s.n && s.p[0] == '-';
	uint64_t n = 0;

	if (s.n == minus || s.n - minus > DIGITS)
		return false;
	for (size_t i = minus; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		n = n * 10 + (s.p[i] - '0');
	}
	*number = minus ? -(int64_t)n : (int64_t)n;
	return true;
}

static bool
is_uuid(struct span s)
{
	if (s.n != 36)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23, hex = (s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f');

		if (dash ? s.p[i] != '-' : !hex)
			return false;
	}
	return true;
}

/* Canonical text as a value. */
static void
set_text(struct rec_value *v, struct span s)
{
	bool word = true;

	if (s.n == 0 || s.n > LIMIT_EVIDENCE_VALUE)
		return;
	v->hash = sql_hash(s);
	if (is_whole(s, &v->number)) {
		v->kind = REC_VALUE_INT;
		return;
	}
	if (is_uuid(s)) {
		v->kind = REC_VALUE_UUID;
		return;
	}
	for (size_t i = 0; i < s.n; i++) {
		bool letter = (s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z', digit = s.p[i] >= '0' && s.p[i] <= '9';

		v->letters = (uint8_t)(v->letters + (letter || s.p[i] >= 0x80));
		v->digits = (uint8_t)(v->digits + digit);
		word = word && (letter || s.p[i] >= 0x80 || s.p[i] == '_' || s.p[i] == '-' || s.p[i] == ' ');
	}
	v->kind = word ? REC_VALUE_WORD : REC_VALUE_TEXT;
}

/* The commonest value by far, a whole number in text as the server prints it, needs no copy. */
static bool
take_plain_number(const struct wire_value *w, struct rec_value *v)
{
	struct span s = span_of(w->p, (size_t)w->n);

	if (w->binary || w->n == 0 || (w->p[0] == '0' && w->n > 1) || w->p[0] == '-' || !is_whole(s, &v->number))
		return false;
	v->kind = REC_VALUE_INT;
	v->hash = sql_hash(s);
	return true;
}

static struct rec_value
value_of(struct tap *t, const struct wire_value *w, uint16_t slot)
{
	struct rec_value v = { .slot = slot };
	char text[LIMIT_EVIDENCE_VALUE + 16];
	size_t n;

	if (w->n < 0 || w->n > (int32_t)sizeof text)
		return v;
	if (take_plain_number(w, &v))
		return v;
	n = t->engine->value_text(w, text, sizeof text);
	if (n <= sizeof text)
		set_text(&v, span_of(text, sql_canon_text(text, n)));
	return v;
}

/* ---- parameters ---- */

struct params {
	struct rec_value v[LIMIT_EVIDENCE_PARAMS];
	uint32_t n;
	bool cut;
};

static void
add_param(struct params *p, const struct rec_value *v)
{
	uint32_t alike = 0;

	if (v->kind == REC_VALUE_NONE)
		return;
	for (uint32_t i = 0; i < p->n; i++)
		alike += p->v[i].slot == v->slot;
	if (p->n == LIMIT_EVIDENCE_PARAMS || alike == LIMIT_EVIDENCE_LIST) {
		p->cut = true;
		return;
	}
	p->v[p->n++] = *v;
}

/* = ANY($1): the elements of an array, as far as they need no quotes. */
static bool
add_array(struct tap *t, struct params *p, const struct wire_value *w, uint16_t slot)
{
	char text[TEXT], *from = text + 1, *end;
	size_t n = w->n >= 0 && t->engine == &pg_engine ? t->engine->value_text(w, text, sizeof text - 1) : 0;

	if (n < 2 || n == (size_t)-1 || n > sizeof text - 1 || text[0] != '{' || text[n - 1] != '}' || memchr(text, '"', n))
		return false;
	end = text + n - 1;
	while (from < end) {
		char *comma = memchr(from, ',', (size_t)(end - from)), *to = comma ? comma : end;
		struct rec_value v = { .slot = slot };

		set_text(&v, span_of(from, sql_canon_text(from, (size_t)(to - from))));
		add_param(p, &v);
		from = to + 1;
	}
	return true;
}

static bool
may_prove(const struct shape *s, uint16_t slot)
{
	uint8_t cls = slot < s->nslots ? s->slots[slot].cls : SQL_SLOT_OTHER;

	return cls == SQL_SLOT_EQ || cls == SQL_SLOT_IN || cls == SQL_SLOT_INSERT;
}

static void
take_param(struct tap *t, struct params *p, const struct shape *shape, const struct value_hash *h, const struct wire_params *bound)
{
	struct rec_value v = { .hash = h->hash, .slot = h->slot, .kind = h->hash ? REC_VALUE_HASH : REC_VALUE_NONE };

	if (h->kind == SQL_VALUE_PLACEHOLDER) {
		if (!bound || h->number == 0 || h->number > bound->n) {
			p->cut = true;
			return;
		}
		const struct wire_value *w = &bound->values[h->number - 1];

		if (shape->slots[h->slot].cls == SQL_SLOT_IN && add_array(t, p, w, h->slot))
			return;
		v = value_of(t, w, h->slot);
	}
	add_param(p, &v);
}

void
evidence_params(struct tap *t, const struct shape *shape, const struct value_hash *values, size_t n, const struct wire_params *bound,
    uint64_t at)
{
	struct params p = { .n = 0 };
	struct rec_values *r;

	if (shape->cls != SQL_READ && shape->cls != SQL_WRITE)
		return;
	for (size_t i = 0; i < n && !(p.cut && p.n == LIMIT_EVIDENCE_PARAMS); i++)
		if (may_prove(shape, values[i].slot))
			take_param(t, &p, shape, &values[i], bound);
	if (p.n == 0 && !p.cut)
		return;
	r = tap_record(t, REC_PARAMS, sizeof *r + p.n * sizeof *r->v, at, t->seq);
	if (!r)
		return;
	r->h.flags = p.cut;
	r->n = p.n;
	r->pad = 0;
	memcpy(r->v, p.v, p.n * sizeof *r->v);
	ring_commit(t->shared->ring);
}

/* ---- columns ---- */

void
evidence_ask(struct wire_exec *x, const struct shape *shape)
{
	if (shape->cls == SQL_READ || shape->cls == SQL_WRITE) {
		x->want_rows = LIMIT_EVIDENCE_ROWS;
		x->want_bytes = LIMIT_RESULT_BYTES;
	}
}

static struct span
name_of(const struct wire_column *c)
{
	return span_first(c->org_name.n ? c->org_name : c->name, LIMIT_NAME);
}

/* Types whose values are no keys: truth values, floats, times, documents, bytes. */
static bool
is_keyless(const struct tap *t, uint32_t type)
{
	static const uint32_t pg[] = { 16, 17, 114, 142, 700, 701, 1082, 1083, 1114, 1184, 1186, 1266, 3802 };
	static const uint32_t my[] = { 4, 5, 7, 10, 11, 12, 13, 14, 16, 245, 255 };
	const uint32_t *list = t->engine == &pg_engine ? pg : my;
	size_t n = t->engine == &pg_engine ? sizeof pg / sizeof *pg : sizeof my / sizeof *my;

	if (t->engine != &pg_engine)
		type &= 0xff;
	for (size_t i = 0; i < n; i++)
		if (list[i] == type)
			return true;
	return false;
}

static bool
is_key_like(struct span name)
{
	static const char *const ends[] = { "id", "key", "code", "no", "nr", "ref", "guid" };

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		size_t n = strlen(ends[i]);

		if (name.n >= n && span_is_nocase(span_from(name, name.n - n), ends[i]))
			return true;
	}
	return false;
}

static void
choose(const struct tap *t, struct known_set *s, const struct wire_column *cols, uint32_t n)
{
	for (int keys = 1; keys >= 0; keys--)
		for (uint32_t i = 0; i < n && s->n < (keys ? LIMIT_EVIDENCE_COLUMNS : LIMIT_EVIDENCE_PLAIN); i++)
			if (is_key_like(name_of(&cols[i])) == keys && !is_keyless(t, cols[i].type))
				s->col[s->n++] = (uint16_t)i;
}

static bool
tell_set(struct tap *t, const struct known_set *s, const struct wire_column *cols, uint32_t seq)
{
	size_t bytes = 0;
	struct rec_columns *r;
	char *p;

	for (uint32_t i = 0; i < s->n; i++)
		bytes += name_of(&cols[s->col[i]]).n + span_first(cols[s->col[i]].org_table, LIMIT_NAME).n;
	r = tap_record(t, REC_COLUMNS, sizeof *r + s->n * sizeof *r->c + bytes, t->now, seq);
	if (!r)
		return false;
	r->set = s->hash;
	r->n = s->n;
	r->bytes_n = (uint32_t)bytes;
	p = (char *)&r->c[s->n];
	for (uint32_t i = 0; i < s->n; i++) {
		struct span table = span_first(cols[s->col[i]].org_table, LIMIT_NAME), name = name_of(&cols[s->col[i]]);

		r->c[i] = (struct rec_column){ .at = s->col[i], .table_n = (uint16_t)table.n, .name_n = (uint16_t)name.n,
			.attnum = cols[s->col[i]].attnum, .oid = cols[s->col[i]].table_oid };
		if (table.n)
			memcpy(p, table.p, table.n);
		if (name.n)
			memcpy(p + table.n, name.p, name.n);
		p += table.n + name.n;
	}
	ring_commit(t->shared->ring);
	return true;
}

static uint64_t
set_hash(const struct wire_column *cols, uint32_t n)
{
	uint64_t h = n + 1;

	for (uint32_t i = 0; i < n; i++) {
		h = sql_hash_mix(h, XXH3_64bits(cols[i].name.p, cols[i].name.n) + cols[i].type);
		if (cols[i].table_oid)
			h = sql_hash_mix(h, (uint64_t)cols[i].table_oid << 16 | cols[i].attnum);
		if (cols[i].org_name.n)
			h = sql_hash_mix(XXH3_64bits_withSeed(cols[i].org_name.p, cols[i].org_name.n, h),
			    XXH3_64bits(cols[i].org_table.p, cols[i].org_table.n));
	}
	return h + (h == 0);
}

void
evidence_columns(struct tap *t, struct wire_exec *x, const struct wire_column *cols, uint32_t n)
{
	struct evidence *e = x->want_rows ? evidence_of(t, x) : NULL;
	uint64_t h;
	struct known_set *known;

	if (!e)
		return;
	h = set_hash(cols, n);
	known = &t->shared->pool->sets[h % SETS];
	e->binary = n > 0 && cols[0].binary;
	if (known->hash != h) {
		struct known_set fresh = { .hash = h };

		choose(t, &fresh, cols, n);
		known->hash = 0;
		if (!tell_set(t, &fresh, cols, (uint32_t)x->tag[0])) {
			e->cut = true;
			return;
		}
		*known = fresh;
	}
	e->set = *known;
	if (known->n > LIMIT_EVIDENCE_CELLS / LIMIT_EVIDENCE_ROWS)
		x->want_rows = LIMIT_EVIDENCE_CELLS / known->n;
	else if (known->n == 0)
		x->want_rows = 1; /* nothing to look at */
}

/* ---- rows ---- */

void
evidence_row(struct tap *t, struct wire_exec *x, const struct wire_value *values, uint32_t n)
{
	struct evidence *e = evidence_of(t, x);
	struct rec_values *r;

	if (!e || !e->set.hash || !e->set.n)
		return;
	r = tap_record(t, REC_ROW, sizeof *r + e->set.n * sizeof *r->v, t->now, (uint32_t)x->tag[0]);
	if (!r) {
		e->cut = true;
		return;
	}
	r->n = e->set.n;
	r->pad = 0;
	for (uint32_t i = 0; i < e->set.n; i++)
		r->v[i] = e->set.col[i] < n ? value_of(t, &values[e->set.col[i]], (uint16_t)i) : (struct rec_value){ .slot = (uint16_t)i };
	ring_commit(t->shared->ring);
}

void
evidence_data(struct tap *t, struct wire_exec *x, struct span bytes)
{
	struct evidence *e = evidence_of(t, x);

	if (!e)
		return;
	if (!e->hashing) {
		e->hashing = true;
		XXH64_reset(&e->bytes, t->shared->pool->seed);
	}
	XXH64_update(&e->bytes, bytes.p, bytes.n);
	e->nbytes += (uint32_t)bytes.n;
}

/* Of the first bytes and the number of rows; of the length, too, when there were more. Text and binary answers are told apart by the last bit:
 * they do not compare. */
static uint64_t
result_hash(const struct evidence *e, const struct wire_part *r)
{
	uint64_t h = sql_hash_mix(e && e->hashing ? XXH64_digest(&e->bytes) : 1, r->rows + 1);

	if (e && e->nbytes >= LIMIT_RESULT_BYTES)
		h = sql_hash_mix(h, r->bytes);
	return ((h | 2) & ~(uint64_t)BINARY) | (e && e->binary ? BINARY : 0);
}

void
evidence_part(struct tap *t, struct wire_exec *x, const struct wire_part *r)
{
	struct evidence *e = x->evidence;
	struct rec_result *out;

	if (x->want_rows && r->outcome == WIRE_OK) {
		out = tap_record(t, REC_RESULT, sizeof *out, r->end, (uint32_t)x->tag[0]);
		if (out) {
			out->h.flags = e && e->cut;
			out->hash = result_hash(e, r);
			out->set = e ? e->set.hash : 0;
			ring_commit(t->shared->ring);
		}
	}
	evidence_done(t, x);
}
