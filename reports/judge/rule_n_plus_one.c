/* SPDX-License-Identifier: Apache-2.0 */
/* n-plus-one: one shape executed with many parameter sets in one request.
 * Proven from two on when lineage found the column its parameters came from. Suspected from the threshold of distinct sets on. Not a finding: pages of a sweep by key, chunks of a preload, look-ups that belong to a
 * write loop. A note: pages by OFFSET, and executions that shared round trips in a pipeline, however well their loop is proven. */
#include <inttypes.h>
#include <stdlib.h>

#include "lineage_words.h"
#include "rule_checks.h"
#include "words.h"

enum {
	SWEEP_ROWS = 10,     /* rows per page from which pages by key are no loop over rows */
	CHUNK_ROWS = 5,      /* rows per IN list from which lists are chunks of a preload */
	GAPS_SAMPLED = 1024, /* gaps the median is taken from */
	FEWEST_PROVEN = 2,   /* parameter sets a proven loop has at least */
};

enum loop_kind { LOOP_ROWS, LOOP_SWEEP, LOOP_PAGES, LOOP_CHUNKS, LOOP_PIPELINE, LOOP_BEFORE_WRITES };

static bool
is_candidate(const struct repeat *g, uint32_t threshold)
{
	if (g->shape->cls != SQL_READ || g->distinct < threshold || g->executions - g->failed < threshold)
		return false;
	return stmt_kind(g->shape) == KIND_QUERY && g->shape->verb != SQL_V_EXPLAIN;
}

/* Every page but the last as long as the first, as a sweep with a fixed LIMIT reads them, and the last not longer. */
static bool
pages_are_full(const struct facts *f, const struct repeat *g)
{
	const struct req_stmt *stmts = f->r->stmts;
	uint32_t full = stmts[g->first].rows;

	if (full < SWEEP_ROWS)
		return false;
	for (uint32_t i = g->first; i != g->last; i = f->next[i])
		if (stmts[i].rows != full)
			return false;
	return stmts[g->last].rows <= full;
}

/* At least nine of ten executions follow a write of a write loop to a table they read: check-then-write, row by row. */
static bool
precedes_writes(const struct facts *f, const struct repeat *g, uint32_t threshold)
{
	uint32_t after = 0;

	for (uint32_t i = g->first; i != g->last; i = f->next[i]) {
		uint32_t write = f->write ? f->write[f->next[i]] : 0;

		if (write > i + 1 && rule_is_write_loop(&f->repeats[f->repeat[write - 1]], threshold))
			after++;
	}
	return after * 10 >= (g->executions - 1) * 9;
}

/* What the place of its values and the rows it returns say. */
static enum loop_kind
layout_of(const struct facts *f, const struct repeat *g)
{
	uint64_t well = g->executions - g->failed;
	unsigned limits = rule_slots(g->shape, SQL_SLOT_LIMIT), keys = rule_slots(g->shape, SQL_SLOT_EQ);
	unsigned lists = rule_slots(g->shape, SQL_SLOT_IN), ranges = rule_slots(g->shape, SQL_SLOT_RANGE);

	if (lists && g->rows >= well * CHUNK_ROWS)
		return LOOP_CHUNKS;
	if (ranges && (keys || lists ? limits && pages_are_full(f, g) : g->rows >= well * SWEEP_ROWS))
		return LOOP_SWEEP;
	if (limits && !ranges && (keys || lists ? limits > 1 && pages_are_full(f, g) : limits == g->shape->nslots))
		return LOOP_PAGES;
	return LOOP_ROWS;
}

/* A proof is stronger than what the layout suggests. */
static enum loop_kind
kind_of(const struct facts *f, const struct repeat *g, const struct edge *proof, uint32_t threshold)
{
	const struct edge *e = lineage_edge(f, g);
	enum loop_kind layout = proof ? LOOP_ROWS : e && e->verdict == EDGE_LISTS ? LOOP_CHUNKS : layout_of(f, g);

	if (layout != LOOP_ROWS)
		return layout;
	if (precedes_writes(f, g, threshold))
		return LOOP_BEFORE_WRITES;
	return g->waits < threshold && g->waits < g->executions ? LOOP_PIPELINE : LOOP_ROWS;
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Median of the first gaps between one execution's end and the next one's start. */
static uint64_t
median_gap(const struct facts *f, const struct repeat *g)
{
	uint64_t gaps[GAPS_SAMPLED];
	size_t n = 0;

	for (uint32_t i = g->first; i != g->last && n < GAPS_SAMPLED; i = f->next[i])
		gaps[n++] = stmt_gap(&f->r->stmts[i], &f->r->stmts[f->next[i]]);
	if (n == 0)
		return 0;
	qsort(gaps, n, sizeof gaps[0], by_value);
	return gaps[n / 2];
}

static enum verdict
loop_verdict(enum loop_kind kind, const struct edge *proof)
{
	if (kind != LOOP_ROWS)
		return VERDICT_NOTE;
	return proof ? VERDICT_PROVEN : VERDICT_SUSPECTED;
}

static const char *
loop_evidence(const struct facts *f, const struct repeat *g, const struct edge *e, struct arena *a)
{
	uint64_t gap = median_gap(f, g);
	const char *share = rule_share(f, a, g->busy);
	const char *pace = gap ? arena_printf(a, "median gap %s", words_ns(a, gap)) : "overlapping";

	if (e && e->verdict == EDGE_PROVEN)
		return arena_printf(a, "%s, %s%s%s", lineage_evidence(e, a), pace, *share ? ", " : "", share);
	return arena_printf(a, "%" PRIu32 " distinct parameters, %s%s%s%s%s", g->distinct, pace, *share ? ", " : "", share, e ? "; " : "",
	    e ? lineage_evidence(e, a) : "");
}

static const char *
evidence(const struct facts *f, const struct repeat *g, const struct edge *e, enum loop_kind kind, struct arena *a)
{
	switch (kind) {
	case LOOP_PAGES:
		return arena_printf(a, "%" PRIu32 " pages, %" PRIu64 " rows in all", g->executions, g->rows);
	case LOOP_PIPELINE:
		return arena_printf(
		    a, "%" PRIu32 " executions pipelined in %s", g->executions, words_count(a, g->waits, "round trip", "round trips"));
	default:
		return loop_evidence(f, g, e, a);
	}
}

/* The list the loop may run over: of the results before it the last one with two rows or more. */
static const struct shape *
list_before(const struct facts *f, const struct repeat *g)
{
	for (uint32_t i = g->first; i-- > 0;) {
		const struct req_stmt *s = &f->r->stmts[i];

		if (s->rows >= 2 && s->shape != g->shape && stmt_kind(s->shape) == KIND_QUERY)
			return s->shape;
	}
	return NULL;
}

/* Names where the parameters came from. */
static void
name_source(struct raw_finding *found, const struct edge *proof)
{
	found->source = proof->parent;
	found->column = proof->column;
	found->source_rows = proof->rows;
}

/* Of two columns that take turns each has its own executions: one per value where each value was asked for once, else half of them. */
static void
take_turn(struct raw_finding *found, const struct repeat *g, const struct edge *e, const struct edge *beside)
{
	uint32_t mine = e->values + beside->values == g->executions ? e->values : g->executions / 2;

	found->executions = mine;
	found->distinct = e->values;
	found->round_trips = (uint32_t)((uint64_t)g->round_trips * mine / g->executions);
	found->busy = (uint64_t)((double)g->busy * mine / g->executions);
	found->excess = mine - 1;
	found->wasted = rule_saved(found->busy, found->excess, mine);
	found->first_stmt = e->child_stmt;
	name_source(found, e);
}

static void
check_repeat(const struct facts *f, const struct repeat *g, uint32_t threshold, struct arena *a, struct raw_finding **out)
{
	const struct edge *e = lineage_edge(f, g), *proof = e && e->verdict == EDGE_PROVEN ? e : NULL;
	struct raw_finding *found;
	enum loop_kind kind;

	if (!is_candidate(g, proof ? FEWEST_PROVEN : threshold))
		return;
	kind = kind_of(f, g, proof, threshold);
	if (kind == LOOP_SWEEP || kind == LOOP_CHUNKS || kind == LOOP_BEFORE_WRITES)
		return;
	found = rule_add(a, out, RULE_N_PLUS_ONE, loop_verdict(kind, proof), g);
	found->evidence = evidence(f, g, e, kind, a);
	if (proof)
		name_source(found, proof);
	else
		found->list = e && e->verdict == EDGE_HINT ? e->parent : list_before(f, g);
	if (kind == LOOP_ROWS) {
		found->excess = g->executions - 1;
		found->wasted = rule_saved(g->busy, found->excess, g->executions);
	}
	const struct edge *beside = proof ? lineage_edge_beside(f, proof) : NULL;

	if (!beside)
		return;
	take_turn(found, g, proof, beside);
	found = rule_add(a, out, RULE_N_PLUS_ONE, found->verdict, g);
	found->evidence = evidence(f, g, beside, kind, a);
	take_turn(found, g, beside, proof);
}

void
rule_n_plus_one(const struct facts *f, const struct rule_settings *s, struct arena *a, struct raw_finding **out)
{
	for (uint32_t i = 0; i < f->nrepeats; i++)
		check_repeat(f, &f->repeats[i], s->n_plus_one_threshold, a, out);
}
