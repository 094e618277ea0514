/* SPDX-License-Identifier: Apache-2.0 */
/* close_request: see close_request.h. */
#include "close_request.h"

#include <stdlib.h>

#include "fingerprint/mem.h"

/* Connections whose statements all moved away. */
static void
drop_lanes(struct open_request *r)
{
	uint16_t *now = xmem_zero(r->nlanes * sizeof *now);
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->nstmts; i++)
		now[r->stmts[i].lane] = 1;
	for (uint32_t i = 0; i < r->nlanes; i++) {
		if (!now[i])
			continue;
		r->lanes[n] = r->lanes[i];
		now[i] = (uint16_t)n++;
	}
	for (uint32_t i = 0; i < r->nstmts; i++)
		r->stmts[i].lane = now[r->stmts[i].lane];
	r->nlanes = n;
	mem_free(now);
}

static void
drop_moved(struct open_request *r)
{
	uint32_t n = 0;

	if (!r->moved)
		return;
	for (uint32_t i = 0; i < r->nstmts; i++) {
		if (!r->stmts[i].shape)
			continue;
		if (r->clues) {
			struct clues *kept = r->clues[i];

			r->clues[i] = NULL;
			r->clues[n] = kept;
		}
		r->stmts[n++] = r->stmts[i];
	}
	r->nstmts = n;
	drop_lanes(r);
}

struct position {
	uint64_t start;
	uint32_t index;
};

static int
by_start(const void *a, const void *b)
{
	const struct position *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static void
sort_clues(struct open_request *r, const struct position *at)
{
	struct clues **sorted = xmem_zero(r->clues_cap * sizeof(struct clues *));

	for (uint32_t i = 0; i < r->nstmts; i++)
		sorted[i] = r->clues[at[i].index];
	mem_free(r->clues);
	r->clues = sorted;
}

/* In order of start; statements are kept as they ended. Equal starts stay in that order. */
static void
sort_stmts(struct open_request *r)
{
	struct position *at;
	struct req_stmt *sorted;

	if (!r->unsorted)
		return;
	at = xmem_zero(r->nstmts * sizeof *at);
	sorted = xmem_zero(r->cap * sizeof *sorted);
	for (uint32_t i = 0; i < r->nstmts; i++)
		at[i] = (struct position){ r->stmts[i].start, i };
	qsort(at, r->nstmts, sizeof *at, by_start);
	for (uint32_t i = 0; i < r->nstmts; i++)
		sorted[i] = r->stmts[at[i].index];
	if (r->clues)
		sort_clues(r, at);
	mem_free(r->stmts);
	mem_free(at);
	r->stmts = sorted;
}

static int
by_key(const void *a, const void *b)
{
	return strcmp(((const struct req_tag *)a)->key, ((const struct req_tag *)b)->key);
}

/* Where nothing names a scope: the test, the mark, a comment's bare text, in this order. */
static void
name_scope(const struct open_request *r, struct request *out)
{
	out->scope = r->scope;
	out->scope_from = r->scope_from;
	if (*r->scope)
		return;
	if (*r->test || (r->bound == BY_MARK && *r->key)) {
		out->scope = *r->test ? r->test : r->key;
		out->scope_from = FROM_MARK;
	} else if (*r->text) {
		out->scope = r->text;
		out->scope_from = FROM_TAG;
	} else {
		out->scope = SCOPE_UNTAGGED;
		out->scope_from = FROM_NONE;
	}
}

static void
emit_strays(const struct open_request *r, const struct request_sink *sink)
{
	for (uint32_t i = 0; sink->stray && i < r->nstmts; i++)
		sink->stray(sink->ctx, &r->stmts[i]);
}

void
request_emit(struct open_request *r, const struct request_sink *sink, struct coverage *coverage, struct clue_box *clues, int64_t zero_us)
{
	struct request out = { .number = r->number, .start = r->start, .end = r->end, .test = r->test, .key = r->key,
		.application = r->application, .borders_from = r->borders_from, .idle_in_tx = r->idle_in_tx };

	drop_moved(r);
	if (!r->queries) {
		emit_strays(r, sink);
		return;
	}
	sort_stmts(r);
	for (uint32_t i = 0; i < r->nstmts; i++)
		r->stmts[i].start -= r->start;
	if (r->ntags)
		qsort(r->tags, r->ntags, sizeof *r->tags, by_key);
	name_scope(r, &out);
	out.wall_start_us = zero_us + (int64_t)(r->start / 1000);
	out.tags = r->tags;
	out.ntags = r->ntags;
	out.sites = r->sites;
	out.nsites = r->nsites;
	out.lanes = r->lanes;
	out.nlanes = r->nlanes;
	out.stmts = r->stmts;
	out.nstmts = r->nstmts;
	out.stmts_cut = r->cut;
	if (clues && r->clues)
		out.edges = clues_judge(clues, &out, r->clues, r->clues_cut, &out.nedges);
	coverage->requests++;
	sink->request(sink->ctx, &out);
}
