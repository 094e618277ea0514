/* SPDX-License-Identifier: Apache-2.0 */
/* lineage_shared: two relations to one table, followed row by row: author and updater of each post. Neither column explains the executions
 * alone, both together do, when the executions are exactly the two columns' values in order of rows, or first one column's and then the
 * other's; values that came before may be left out, as caches do. Never: leaves an execution unexplained. */
#include "lineage_part.h"

enum { FEWEST_KNOWN = 4, FEWEST_UNKNOWN = 6 }; /* values, with both key domains known and without */

/* The order in which the executions would ask for the cells of two columns. */
struct cells {
	const struct lineage_stmt *s;
	uint32_t col[2];
	bool by_column;
};

static const struct rec_value *
cell(const struct cells *c, uint32_t k, uint32_t *which)
{
	uint32_t row = c->by_column ? k % c->s->nrows : k / 2;

	*which = c->by_column ? k / c->s->nrows : k % 2;
	return &c->s->values[(size_t)row * c->s->columns->n + c->col[*which]];
}

/* Steps through cells and executions together. claimed: values that each column brought in. */
static bool
follows(struct weighing *w, const struct child_slot *slot, const struct cells *c, uint32_t claimed[2])
{
	uint32_t at = 0, which;

	w->stamp++;
	claimed[0] = claimed[1] = 0;
	for (uint32_t k = 0; k < 2 * c->s->nrows; k++) {
		const struct rec_value *v = cell(c, k, &which);

		w->x->steps++;
		if (v->kind == REC_VALUE_NONE)
			continue;
		if (at < slot->nvalues && slot->values[at].v->hash == v->hash) {
			if (w->seen[slot->values[at].id] != w->stamp)
				claimed[which]++;
			w->seen[slot->values[at++].id] = w->stamp;
			continue;
		}
		/* left out: it must have been asked for before */
		bool before = false;

		for (uint32_t i = 0; i < at && !before; i++)
			before = slot->values[i].v->hash == v->hash;
		if (!before)
			return false;
	}
	return at == slot->nvalues;
}

static bool
share(struct weighing *w, struct trial *a, struct trial *b)
{
	const struct index *x = w->x;
	const struct source *p = &x->sources[a->source], *q = &x->sources[b->source];
	const struct lineage_stmt *s = &x->stmts[a->first_parent];
	uint32_t fewest = a->domain >= DOMAIN_SHARED && b->domain >= DOMAIN_SHARED ? FEWEST_KNOWN : FEWEST_UNKNOWN, claimed[2];

	if (a->slot != b->slot || a->first_parent != b->first_parent || p->shape != q->shape || p->set != q->set || p->col == q->col)
		return false;
	if (!p->set || s->rows != s->nrows || s->nrows < 2 || a->slot->nvalues != a->slot->executions || a->slot->distinct < fewest)
		return false;
	if (a->domain == DOMAIN_CONTRADICTS || b->domain == DOMAIN_CONTRADICTS || !a->id_like || !b->id_like || a->slot->nvalues > 2 * s->nrows)
		return false;
	for (uint32_t turn = 0; turn < 4; turn++) {
		struct cells c = { .s = s, .col = { turn & 1 ? q->col : p->col, turn & 1 ? p->col : q->col }, .by_column = turn & 2 };

		if (!follows(w, a->slot, &c, claimed) || claimed[0] < 2 || claimed[1] < 2)
			continue;
		(turn & 1 ? b : a)->claimed = claimed[0];
		(turn & 1 ? a : b)->claimed = claimed[1];
		return true;
	}
	return false;
}

void
trials_share(struct weighing *w, struct trial *trials, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (trials[i].fits)
			return;
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t k = i + 1; k < n && w->x->steps < LIMIT_LINEAGE_STEPS; k++) {
			if (!share(w, &trials[i], &trials[k]))
				continue;
			trials[i].shared = trials[k].shared = true;
			trials[i].fits = trials[k].fits = true;
			return;
		}
	}
}
