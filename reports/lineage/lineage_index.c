/* SPDX-License-Identifier: Apache-2.0 */
/* lineage_index: see lineage_part.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "reports/requests/keymap.h"
#include "lineage_part.h"

static uint32_t *
bucket(const struct index *x, uint64_t hash)
{
	return &x->buckets[(hash ^ hash >> 32) & x->mask];
}

/* The next entry with the hash from e on. */
static uint32_t
same(struct index *x, uint32_t e, uint64_t hash)
{
	for (x->steps++; e != NONE && x->entries[e].hash != hash; x->steps++)
		e = x->entries[e].next;
	return e;
}

uint32_t
index_first(struct index *x, uint64_t hash)
{
	return same(x, *bucket(x, hash), hash);
}

uint32_t
index_next(struct index *x, uint32_t entry)
{
	return same(x, x->entries[entry].next, x->entries[entry].hash);
}

uint32_t
index_find(struct index *x, uint64_t hash, uint32_t source)
{
	uint32_t e = index_first(x, hash);

	while (e != NONE && x->entries[e].source != source)
		e = index_next(x, e);
	return e;
}

/* ---- building ---- */

struct ended {
	uint64_t at;
	uint32_t stmt;
};

static int
by_end(const void *a, const void *b)
{
	const struct ended *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->stmt > y->stmt) - (x->stmt < y->stmt);
}

static uint32_t
source_of(struct index *x, struct keymap *known, uint32_t stmt, uint32_t col)
{
	const struct lineage_stmt *s = &x->stmts[stmt];
	uint64_t key = sql_hash_mix(sql_hash_mix((uintptr_t)s->shape, (uintptr_t)s->columns), col);
	uint32_t at = keymap_add(known, key, UINT32_MAX);

	if (at == x->nsources) {
		x->sources[x->nsources++] = (struct source){ .shape = s->shape, .set = s->columns, .col = col, .first_entry = NONE,
			.last_entry = NONE, .first = NONE, .last = NONE, .first_stmt = stmt };
	}
	return at;
}

static uint32_t
entry_of(struct index *x, const struct rec_value *v, uint32_t source)
{
	uint32_t e = index_find(x, v->hash, source);
	struct source *s = &x->sources[source];

	if (e != NONE)
		return e;
	e = x->nentries++;
	x->entries[e] = (struct entry){ .hash = v->hash, .number = v->number, .kind = v->kind, .letters = v->letters, .digits = v->digits, .source = source,
		.first = NONE, .last = NONE, .next = *bucket(x, v->hash), .next_of_source = NONE };
	*bucket(x, v->hash) = e;
	*(s->last_entry == NONE ? &s->first_entry : &x->entries[s->last_entry].next_of_source) = e;
	s->last_entry = e;
	return e;
}

static void
add_value(struct index *x, const struct rec_value *v, uint32_t source, uint32_t stmt)
{
	struct source *s = &x->sources[source];
	uint32_t o, e;

	if (v->kind == REC_VALUE_NONE)
		return;
	e = entry_of(x, v, source);
	o = x->noccurrences++;
	x->occurrences[o] = (struct occurrence){ .entry = e, .stmt = stmt, .next = NONE, .next_of_source = NONE };
	*(x->entries[e].last == NONE ? &x->entries[e].first : &x->occurrences[x->entries[e].last].next) = o;
	x->entries[e].last = o;
	*(s->last == NONE ? &s->first : &x->occurrences[s->last].next_of_source) = o;
	s->last = o;
}

/* A number as a result value. */
static struct rec_value
value_number(int64_t n)
{
	char text[24];
	int len = snprintf(text, sizeof text, "%" PRId64, n);

	return (struct rec_value){ .hash = sql_hash(span_of(text, (size_t)len)), .number = n, .kind = REC_VALUE_INT };
}

static void
add_result(struct index *x, struct keymap *known, uint32_t stmt)
{
	const struct lineage_stmt *s = &x->stmts[stmt];
	uint32_t width = s->columns ? s->columns->n : 0;

	for (uint32_t k = 0; k < width && s->nrows; k++) {
		uint32_t source = source_of(x, known, stmt, k);

		for (uint32_t row = 0; row < s->nrows; row++)
			add_value(x, &s->values[(size_t)row * width + k], source, stmt);
	}
	if (!width && s->insert_id) {
		struct rec_value id = value_number((int64_t)s->insert_id);

		add_value(x, &id, source_of(x, known, stmt, 0), stmt);
	}
}

/* Room for all values; columns of shapes can be no more than values. */
static void
make_room(struct index *x)
{
	size_t values = 0, columns = 0, buckets = 64;

	for (uint32_t i = 0; i < x->n; i++) {
		uint32_t width = x->stmts[i].columns ? x->stmts[i].columns->n : 1;

		values += x->stmts[i].columns ? (size_t)x->stmts[i].nrows * width : x->stmts[i].insert_id != 0;
		columns += width;
	}
	while (buckets < values)
		buckets *= 2;
	x->entries = arena_zero(x->a, values * sizeof *x->entries);
	x->occurrences = arena_zero(x->a, values * sizeof *x->occurrences);
	x->sources = arena_zero(x->a, (columns < values ? columns : values) * sizeof *x->sources);
	x->buckets = arena_zero(x->a, buckets * sizeof *x->buckets);
	memset(x->buckets, 0xff, buckets * sizeof *x->buckets);
	x->mask = (uint32_t)buckets - 1;
}

void
index_build(struct index *x, const struct lineage_stmt *stmts, uint32_t n, struct arena *a)
{
	struct ended *order = arena_zero(a, n * sizeof *order);
	struct keymap known = { 0 };

	*x = (struct index){ .stmts = stmts, .n = n, .a = a };
	make_room(x);
	for (uint32_t i = 0; i < n; i++)
		order[i] = (struct ended){ stmts[i].ended, i };
	qsort(order, n, sizeof *order, by_end);
	for (uint32_t i = 0; i < n; i++)
		add_result(x, &known, order[i].stmt);
	keymap_clear(&known);
}
