/* SPDX-License-Identifier: Apache-2.0 */
/* large-result: a single result of very many rows or bytes. What a cursor or COPY streams on purpose is not one. */
#include <inttypes.h>

#include "rule_checks.h"
#include "words.h"

static bool
is_large(const struct req_stmt *stmt, const struct rule_settings *s)
{
	return (s->large_rows && stmt->rows >= s->large_rows) || (s->large_bytes && stmt->bytes >= s->large_bytes);
}

static bool
is_candidate(const struct repeat *g, const struct rule_settings *s)
{
	if (g->shape->cls != SQL_READ || g->shape->verb == SQL_V_FETCH || g->shape->verb == SQL_V_COPY)
		return false;
	return (s->large_rows && g->rows >= s->large_rows) || (s->large_bytes && g->bytes >= s->large_bytes);
}

static void
judge(const struct facts *f, const struct repeat *g, const struct rule_settings *s, struct arena *a, struct raw_finding **out)
{
	const struct req_stmt *worst = NULL;
	uint32_t large = 0, at = 0;
	bool allowed = true;

	for (uint32_t i = g->first; i != FACTS_NONE; i = f->next[i]) {
		const struct req_stmt *stmt = &f->r->stmts[i];

		if (!is_large(stmt, s))
			continue;
		large++;
		allowed &= stmt->allow >> RULE_LARGE_RESULT & 1;
		if (!worst || stmt->bytes > worst->bytes) {
			worst = stmt;
			at = i;
		}
	}
	if (!worst)
		return;
	struct raw_finding *found = rule_add(a, out, RULE_LARGE_RESULT, VERDICT_PROVEN, g);

	found->executions = large;
	found->first_stmt = at;
	found->allowed = allowed;
	found->evidence = arena_printf(a, "%" PRIu32 " rows, %s in one result", worst->rows, words_bytes(a, worst->bytes));
}

void
rule_large_result(const struct facts *f, const struct rule_settings *s, struct arena *a, struct raw_finding **out)
{
	for (uint32_t i = 0; i < f->nrepeats; i++)
		if (is_candidate(&f->repeats[i], s))
			judge(f, &f->repeats[i], s, a, out);
}
