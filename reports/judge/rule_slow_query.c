/* SPDX-License-Identifier: Apache-2.0 */
/* slow-query: executions that kept the client waiting at least slow.query.
 * Measured, so proven; only suspected when every slow one was part of a pipelined batch, whose members' times cannot be told apart. */
#include <inttypes.h>

#include "rule_checks.h"
#include "words.h"

void
rule_slow_query(const struct facts *f, const struct rule_settings *s, struct arena *a, struct raw_finding **out)
{
	for (uint32_t g = 0; s->slow_query && g < f->nrepeats; g++) {
		const struct repeat *repeat = &f->repeats[g];
		const struct req_stmt *worst = &f->r->stmts[repeat->slowest];
		uint32_t slow = 0;
		bool alone = false, allowed = true;

		if (worst->busy < s->slow_query || stmt_kind(repeat->shape) != KIND_QUERY)
			continue;
		for (uint32_t i = repeat->first; i != FACTS_NONE; i = f->next[i]) {
			const struct req_stmt *stmt = &f->r->stmts[i];

			if (stmt->busy < s->slow_query)
				continue;
			slow++;
			alone |= !(stmt->flags & REQ_STMT_BATCH);
			allowed &= stmt->allow >> RULE_SLOW_QUERY & 1;
		}
		struct raw_finding *found = rule_add(a, out, RULE_SLOW_QUERY, alone ? VERDICT_PROVEN : VERDICT_SUSPECTED, repeat);

		found->first_stmt = repeat->slowest;
		found->allowed = allowed;
		found->evidence = arena_printf(a, "%" PRIu32 " of %s over %s, the slowest %s", slow,
		    words_count(a, repeat->executions, "execution", "executions"), words_ns(a, s->slow_query), words_ns(a, worst->busy));
	}
}
