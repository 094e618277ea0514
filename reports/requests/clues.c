/* SPDX-License-Identifier: Apache-2.0 */
/* clues: see clues.h. Sets of columns are told once per worker and remembered for good, as there are no more of them than shapes. */
#include "clues.h"

#include <stdlib.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "reports/judge/keymap.h"
#include "reports/judge/places.h"

enum { FIRST_VALUES = 8, SCRATCH_KEPT = 1 << 20 };

struct clue_box {
	struct lineage *lineage;
	struct keymap known;
	struct lineage_columns **sets;	/* by index in known */
	uint32_t cap;
	struct arena names;		/* of the sets */
	struct arena scratch;		/* of the judgement */
	uint64_t values;		/* in all clues together */
};

struct clue_box *
clue_box_new(void)
{
	struct clue_box *b = xmem_zero(sizeof *b);

	b->lineage = lineage_new(NULL, 0);
	return b;
}

void
clue_box_free(struct clue_box *b)
{
	if (!b)
		return;
	lineage_free(b->lineage);
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
stmt_of(const struct clues *c, const struct req_stmt *s, uint32_t at, uint32_t place)
{
	struct lineage_stmt out = { .shape = s->shape, .stmt = at, .place = place, .sent = c->sent, .ended = c->ended, .params = c->v,
		.nparams = c->nparams, .rows = c->rows, .insert_id = c->insert_id, .partial = c->partial };

	if (c->columns && c->columns->n && s->outcome == REC_OK) {
		out.columns = c->columns;
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
			stmts[n++] = stmt_of(clues[i], &r->stmts[i], i, place);
	}
	qsort(stmts, n, sizeof *stmts, by_sent);
	edges = (struct edge *)lineage_find(b->lineage, stmts, n, &b->scratch, nedges);
	for (uint32_t i = 0; cut && i < *nedges; i++)
		edges[i].flags |= EDGE_PARTIAL;
	return edges;
}
