/* SPDX-License-Identifier: Apache-2.0 */
/* cross-scope-repeat: several modules of one request execute the same query with different values, and none of them sees that the others do:
 * a note, as each may need what it asks for. Not a finding of this rule: the same question asked by several modules (the duplicate, which
 * names them, and which --fail-on cross-scope-repeat means), what one module repeats alone, and statements whose comments name no line of
 * code. */
#include "modules.h"
#include "rule_checks.h"

enum { FEWEST = 3 };

/* Only questions that were not asked before count. */
static void
judge(const struct facts *f, const struct repeat *g, struct arena *a, struct raw_finding **out)
{
	struct modules m = { .n = 0 };
	uint32_t questions = 0;

	for (uint32_t i = g->first; i != FACTS_NONE; i = f->next[i])
		if (f->before[i] == FACTS_NONE) {
			questions++;
			modules_add(&m, f->r, i);
		}
	if (m.n > 1 && questions >= FEWEST)
		rule_add(a, out, RULE_CROSS_SCOPE_REPEAT, VERDICT_NOTE, g)->evidence = modules_words(&m, a);
}

void
rule_cross_scope_repeat(const struct facts *f, const struct rule_settings *s, struct arena *a, struct raw_finding **out)
{
	(void)s;
	for (uint32_t i = 0; f->r->nsites > 1 && i < f->nrepeats; i++) {
		const struct repeat *g = &f->repeats[i];

		if (g->shape->cls == SQL_READ && stmt_kind(g->shape) == KIND_QUERY && g->executions >= FEWEST && g->shape->ntables > 0)
			judge(f, g, a, out);
	}
}
