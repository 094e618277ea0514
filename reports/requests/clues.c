/* SPDX-License-Identifier: Apache-2.0 */
/* clues: see clues.h. Sets of columns are told once per worker and remembered for good, as there are no more of them than shapes. */
#include "clues.h"

#include <stdlib.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "keymap.h"
#include "places.h"

enum { FIRST_USER_OID = 16384, FIRST_VALUES = 8, SCRATCH_KEPT = 1 << 20 };

struct clue_box {
	struct lineage *lineage;
	struct keymap known;
	struct lineage_columns **sets;	/* by index in known */
	uint32_t cap;
	struct arena names;		/* of the sets */
	struct catalog *catalogs[LIMIT_CATALOGS];
	uint32_t ncatalogs;
	struct keymap resolved;		/* set and catalog: the set with names from there */
	struct lineage_columns **with_names;	/* by index in resolved */
	uint32_t resolved_cap;
	struct arena resolved_names;
	struct arena scratch;		/* of the judgement */
	uint64_t values;		/* in all clues together */
};

struct clue_box *
clue_box_new(void)
{
	struct clue_box *b = xmem_zero(sizeof *b);

	b->lineage = lineage_new();
	return b;
}

static void
forget_resolved(struct clue_box *b)
{
	keymap_clear(&b->resolved);
	mem_free(b->with_names);
	arena_clear(&b->resolved_names);
	b->with_names = NULL;
	b->resolved_cap = 0;
}

void
clue_box_free(struct clue_box *b)
{
	if (!b)
		return;
	lineage_free(b->lineage);
	for (uint32_t i = 0; i < b->ncatalogs; i++)
		catalog_free(b->catalogs[i]);
	forget_resolved(b);
	keymap_clear(&b->known);
	mem_free(b->sets);
	arena_clear(&b->names);
	arena_clear(&b->scratch);
	mem_free(b);
}

/* ---- taking ---- */

uint32_t
clues_size(const struct clues *c)
{
	return c ? c->nparams + c->nvalues : 0;
}

void
clues_free(struct clue_box *b, struct clues *c)
{
	if (!c)
		return;
	b->values -= clues_size(c);
	mem_free(c);
}

/* Appends n values; false: there are too many, they are left out. */
static bool
append(struct clue_box *b, struct clues **c, const struct rec_value *v, uint32_t n)
{
	uint32_t have = clues_size(*c);

	if (b->values + n > LIMIT_OPEN_VALUES)
		n = 0;
	if (!*c) {
		uint32_t cap = n > FIRST_VALUES ? n : FIRST_VALUES;

		*c = xmem_zero(sizeof **c + cap * sizeof *v);
		(*c)->cap = cap;
	} else if (have + n > (*c)->cap) {
		uint32_t cap = have + n > 2 * (*c)->cap ? have + n : 2 * (*c)->cap;

		*c = xmem_resize(*c, sizeof **c + cap * sizeof *v);
		(*c)->cap = cap;
	}
	if (n)
		memcpy(&(*c)->v[have], v, n * sizeof *v);
	b->values += n;
	return n > 0;
}

void
clues_params(struct clue_box *b, struct clues **c, const struct rec_values *r)
{
	if (*c)
		return;
	if (append(b, c, r->v, r->n))
		(*c)->nparams = r->n;
	(*c)->partial = (r->h.flags & 1) || (*c)->nparams < r->n;
}

void
clues_row(struct clue_box *b, struct clues **c, const struct rec_values *r)
{
	if (append(b, c, r->v, r->n))
		(*c)->nvalues += r->n;
	else
		(*c)->partial = true;
}

void
clues_result(struct clue_box *b, struct clues **c, const struct rec_result *r)
{
	uint32_t at = r->set ? keymap_find(&b->known, r->set) : KEYMAP_NONE;

	append(b, c, NULL, 0);
	(*c)->told = true;
	(*c)->partial |= r->h.flags & 1;
	if (at != KEYMAP_NONE)
		(*c)->columns = b->sets[at];
}

void
clues_columns(struct clue_box *b, const struct rec_columns *r)
{
	const char *p = (const char *)&r->c[r->n];
	struct lineage_columns *set;
	uint32_t at = b->known.n;

	if (keymap_add(&b->known, r->set, LIMIT_COLUMN_SETS) != at)
		return;
	if (at == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 64;
		b->sets = xmem_resize(b->sets, b->cap * sizeof *b->sets);
	}
	set = b->sets[at] = arena_zero(&b->names, sizeof *set + r->n * sizeof *set->c);
	set->n = r->n;
	for (uint32_t i = 0; i < r->n; i++) {
		set->c[i].at = r->c[i].at;
		set->c[i].attnum = r->c[i].attnum;
		set->c[i].oid = r->c[i].oid;
		set->c[i].table = arena_strndup(&b->names, span_of(p, r->c[i].table_n));
		set->c[i].name = arena_strndup(&b->names, span_of(p + r->c[i].table_n, r->c[i].name_n));
		p += r->c[i].table_n + r->c[i].name_n;
	}
}

void
clues_end(struct clue_box *b, struct clues **c, uint64_t sent, const struct rec_end *e)
{
	if (!*c && !e->insert_id)
		return;
	append(b, c, NULL, 0);
	(*c)->sent = sent;
	(*c)->ended = e->h.t;
	(*c)->rows = e->rows;
	(*c)->insert_id = e->insert_id;
	if (e->outcome == REC_OK && e->rows && !(*c)->told)
		(*c)->partial = true;
}

/* ---- catalogs ---- */

void
clues_catalog(struct clue_box *b, struct catalog *c)
{
	uint32_t i = 0;

	while (i < b->ncatalogs && !catalog_same(b->catalogs[i], c))
		i++;
	if (i == LIMIT_CATALOGS) {
		catalog_free(c);
		return;
	}
	if (i < b->ncatalogs)
		catalog_free(b->catalogs[i]);
	else
		b->ncatalogs++;
	b->catalogs[i] = c;
	lineage_tables(b->lineage, catalog_keys(c));
	forget_resolved(b);
}

static const struct catalog *
catalog_of(const struct clue_box *b, uint16_t upstream, const char *database)
{
	for (uint32_t i = 0; i < b->ncatalogs; i++)
		if (catalog_is(b->catalogs[i], upstream, database))
			return b->catalogs[i];
	return NULL;
}

bool
clues_knows(const struct clue_box *b, const struct rec_columns *r, uint16_t upstream, const char *database)
{
	const struct catalog *c = catalog_of(b, upstream, database);

	for (uint32_t i = 0; i < r->n; i++)
		if (r->c[i].oid >= FIRST_USER_OID && (!c || !catalog_find(c, r->c[i].oid, r->c[i].attnum)))
			return false;
	return true;
}

static const struct lineage_columns *
with_names(struct clue_box *b, const struct lineage_columns *set, const struct catalog *c)
{
	uint32_t at = b->resolved.n;
	struct lineage_columns *out;

	if (keymap_add(&b->resolved, sql_hash_mix((uintptr_t)set, (uintptr_t)c), LIMIT_COLUMN_SETS) != at) {
		at = keymap_find(&b->resolved, sql_hash_mix((uintptr_t)set, (uintptr_t)c));
		return at == KEYMAP_NONE ? set : b->with_names[at];
	}
	if (at == b->resolved_cap) {
		b->resolved_cap = b->resolved_cap ? b->resolved_cap * 2 : 64;
		b->with_names = xmem_resize(b->with_names, b->resolved_cap * sizeof(struct lineage_columns *));
	}
	out = b->with_names[at] = arena_zero(&b->resolved_names, sizeof *out + set->n * sizeof *out->c);
	memcpy(out, set, sizeof *out + set->n * sizeof *out->c);
	for (uint32_t i = 0; i < out->n; i++) {
		const struct catalog_column *column = set->c[i].oid ? catalog_find(c, set->c[i].oid, set->c[i].attnum) : NULL;

		if (!column)
			continue;
		out->c[i].table = arena_strndup(&b->resolved_names, span_str(column->table_name));
		out->c[i].name = arena_strndup(&b->resolved_names, span_str(column->name));
	}
	return out;
}

/* The foreign keys of the databases this request used. */
static void
choose_keys(struct clue_box *b, const struct request *r)
{
	const struct foreign_keys *keys[LIMIT_CATALOGS];
	uint32_t n = 0;

	for (uint32_t c = 0; c < b->ncatalogs; c++)
		for (uint32_t i = 0; i < r->nlanes; i++)
			if (catalog_is(b->catalogs[c], r->lanes[i].upstream, r->lanes[i].database)) {
				keys[n++] = catalog_keys(b->catalogs[c]);
				break;
			}
	lineage_keys(b->lineage, keys, n);
}

/* ---- judging ---- */

static int
by_sent(const void *a, const void *b)
{
	const struct lineage_stmt *x = a, *y = b;

	if (x->sent != y->sent)
		return x->sent < y->sent ? -1 : 1;
	return (x->stmt > y->stmt) - (x->stmt < y->stmt);
}

static struct lineage_stmt
stmt_of(struct clue_box *b, const struct clues *c, const struct request *r, uint32_t at, uint32_t place)
{
	const struct req_stmt *s = &r->stmts[at];
	const struct req_lane *lane = &r->lanes[s->lane];
	const struct catalog *catalog = b->ncatalogs ? catalog_of(b, lane->upstream, lane->database) : NULL;
	struct lineage_stmt out = { .shape = s->shape, .stmt = at, .place = place, .sent = c->sent, .ended = c->ended, .params = c->v,
		.nparams = c->nparams, .rows = c->rows, .insert_id = c->insert_id, .partial = c->partial };

	if (c->columns && c->columns->n && s->outcome == REC_OK) {
		out.columns = catalog ? with_names(b, c->columns, catalog) : c->columns;
		out.values = c->v + c->nparams;
		out.nrows = c->nvalues / c->columns->n;
	}
	return out;
}

const struct edge *
clues_judge(struct clue_box *b, const struct request *r, struct clues *const *clues, bool cut, uint32_t *nedges)
{
	struct lineage_stmt *stmts;
	struct places places;
	struct edge *edges;
	uint32_t n = 0;

	if (b->scratch.used > SCRATCH_KEPT)
		arena_clear(&b->scratch);
	else
		arena_reset(&b->scratch);
	stmts = arena_zero(&b->scratch, r->nstmts * sizeof *stmts);
	places_init(&places, r, &b->scratch);
	for (uint32_t i = 0; i < r->nstmts; i++) {
		uint32_t place = places_of(&places, &r->stmts[i]);

		if (clues[i])
			stmts[n++] = stmt_of(b, clues[i], r, i, place);
	}
	choose_keys(b, r);
	qsort(stmts, n, sizeof *stmts, by_sent);
	edges = (struct edge *)lineage_find(b->lineage, stmts, n, &b->scratch, nedges);
	for (uint32_t i = 0; cut && i < *nedges; i++)
		edges[i].flags |= EDGE_PARTIAL;
	return edges;
}
