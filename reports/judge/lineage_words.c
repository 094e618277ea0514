/* SPDX-License-Identifier: Apache-2.0 */
/* lineage_words: see lineage_words.h. */
#include "lineage_words.h"

#include <inttypes.h>

#include "words.h"

const struct edge *
lineage_edge(const struct facts *f, const struct repeat *g)
{
	for (uint32_t i = 0; i < f->r->nedges; i++) {
		const struct edge *e = &f->r->edges[i];

		if (e->child_stmt < f->r->nstmts && &f->repeats[f->repeat[e->child_stmt]] == g)
			return e;
	}
	return NULL;
}

const struct edge *
lineage_edge_beside(const struct facts *f, const struct edge *e)
{
	for (uint32_t i = 0; e->flags & EDGE_SHARED && i < f->r->nedges; i++) {
		const struct edge *o = &f->r->edges[i];

		if (o != e && o->flags & EDGE_SHARED && o->child == e->child && o->child_stmt < f->r->nstmts && f->repeat[o->child_stmt] == f->repeat[e->child_stmt])
			return o;
	}
	return NULL;
}

static const char *
matched(const struct edge *e, struct arena *a)
{
	bool all = e->values == e->source_values;

	if (e->flags & EDGE_WALK)
		return arena_printf(a, "each step reads the value found by the step before, %" PRIu32 " steps", e->values);
	if (e->rows > e->kept && all)
		return arena_printf(a, "the first %" PRIu32 " rows of %" PRIu64 ", which were kept, all matched; the other %" PRIu64 " were not kept",
		    e->kept, e->rows, e->rows - e->kept);
	if (e->rows > e->kept)
		return arena_printf(a, "%" PRIu32 " of %" PRIu32 " values in the %" PRIu32 " rows kept of %" PRIu64, e->values, e->source_values,
		    e->kept, e->rows);
	return arena_printf(a, "%" PRIu32 " of %" PRIu32 " values%s%s%s", e->values, e->source_values,
	    e->flags & EDGE_EACH_ROW ? ", each row once" : "", e->flags & EDGE_IN_ORDER ? ", in row order" : "", all ? "" : " (cache or filter?)");
}

static const char *
proof(const struct edge *e, struct arena *a)
{
	const char *text = matched(e, a);

	if (e->missed && e->rows <= e->kept)
		text = arena_printf(a, "%s, %s from elsewhere", text, words_count(a, e->missed, "value", "values"));
	if (*e->other)
		text = arena_printf(a, "%s; or %s", text, e->other);
	return e->flags & EDGE_PARTIAL ? arena_printf(a, "%s; the evidence is partial", text) : text;
}

const char *
lineage_evidence(const struct edge *e, struct arena *a)
{
	switch (e->verdict) {
	case EDGE_PROVEN:
		return proof(e, a);
	case EDGE_FOLLOWS:
		return arena_printf(a, "once per execution of %s, whose own loop starts outside the database", e->parent->summary);
	default:
		return arena_printf(a, "values fit %s%s%s%s", e->column, *e->other ? " or " : "", e->other,
		    e->flags & EDGE_MANY ? ", but such values fit many columns" : "");
	}
}
