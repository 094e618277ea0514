/* SPDX-License-Identifier: Apache-2.0 */
/* idle-in-transaction: a transaction stood open without a statement for at least the limit. */
#include "rule_checks.h"
#include "words.h"

void
rule_idle_in_transaction(const struct facts *f, const struct rule_settings *s, struct arena *a, struct raw_finding **out)
{
	bool allowed = true, in_tx = false;
	struct raw_finding *found;

	if (s->idle_in_transaction == 0 || f->r->idle_in_tx < s->idle_in_transaction)
		return;
	for (uint32_t i = 0; i < f->r->nstmts; i++) {
		if (f->r->stmts[i].tx == 0 || stmt_kind(f->r->stmts[i].shape) != KIND_QUERY)
			continue;
		in_tx = true;
		allowed &= f->r->stmts[i].allow >> RULE_IDLE_IN_TRANSACTION & 1;
	}
	found = rule_add(a, out, RULE_IDLE_IN_TRANSACTION, VERDICT_PROVEN, NULL);
	found->allowed = allowed && in_tx;
	found->executions = f->queries;
	found->wasted = f->r->idle_in_tx;
	found->evidence = arena_printf(a, "%s without a statement in an open transaction", words_ns(a, f->r->idle_in_tx));
}
