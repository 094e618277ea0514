/* SPDX-License-Identifier: Apache-2.0 */
/* write-loop: single-row writes of one shape, each with a round trip of its own, that a batch would replace.
 * A note unless somebody set a budget for it (the collector knows). Not a finding: multi-row statements, COPY, LOAD, bulk executions, and
 * writes that already share their round trips. */
#include <inttypes.h>

#include "lineage_words.h"
#include "rule_checks.h"
#include "words.h"

static bool
writes_rows(const struct shape *s)
{
	if (s->cls != SQL_WRITE)
		return false;
	switch (s->verb) {
	case SQL_V_INSERT:
	case SQL_V_UPDATE:
	case SQL_V_DELETE:
	case SQL_V_MERGE:
	case SQL_V_REPLACE:
		return true;
	default:
		return false;
	}
}

/* REPLACE and INSERT .. ON DUPLICATE KEY UPDATE count a replaced row as two. */
static bool
one_row_each(const struct repeat *g)
{
	uint64_t most = (uint64_t)g->executions * 2;
	bool twice = g->shape->verb == SQL_V_REPLACE || g->shape->dialect == SQL_MYSQL;

	return g->rows <= g->executions && g->affected <= (twice ? most : g->executions);
}

bool
rule_is_write_loop(const struct repeat *g, uint32_t threshold)
{
	return writes_rows(g->shape) && g->executions - g->failed >= threshold && g->waits >= threshold && one_row_each(g);
}

void
rule_write_loop(const struct facts *f, const struct rule_settings *s, struct arena *a, struct raw_finding **out)
{
	for (uint32_t i = 0; i < f->nrepeats; i++) {
		const struct repeat *g = &f->repeats[i];

		if (!rule_is_write_loop(g, s->n_plus_one_threshold))
			continue;
		struct raw_finding *found = rule_add(a, out, RULE_WRITE_LOOP, VERDICT_NOTE, g);
		const char *share = rule_share(f, a, g->busy);

		found->excess = g->executions - 1;
		found->wasted = rule_saved(g->busy, found->excess, g->executions);
		found->evidence = arena_printf(a, "%" PRIu32 " single-row writes%s%s", g->executions, *share ? ", " : "", share);
		const struct edge *e = lineage_edge(f, g);

		if (e && e->verdict == EDGE_PROVEN) {
			found->source = e->parent;
			found->column = e->column;
			found->source_rows = e->rows;
			found->evidence = arena_printf(a, "%s; %s", found->evidence, lineage_evidence(e, a));
		}
	}
}
