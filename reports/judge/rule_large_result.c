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
	if (g->shape->cls != SQL_READ || stmt_kind(g->shape) != KIND_QUERY || g->shape->verb == SQL_V_COPY)
		return false;
	return (s->large_rows && g->rows >= s->large_rows) || (s->large_bytes && g->bytes >= s->large_bytes);
}

static void
judge(const struct facts *f, const struct repeat *g, const struct rule_settings *s, struct arena *a, struct raw_finding **out)
{
	const struct req_stmt *worst = NULL;
	struct raw_finding sum = { .executions = 0 };
	bool allowed = true;

	for (uint32_t i = g->first; i != FACTS_NONE; i = f->next[i]) {
		const struct req_stmt *stmt = &f->r->stmts[i];

		if (!is_large(stmt, s))
			continue;
		rule_sum(&sum, stmt);
		allowed &= stmt->allow >> RULE_LARGE_RESULT & 1;
		if (!worst || stmt->bytes > worst->bytes) {
			worst = stmt;
			sum.first_stmt = i;
		}
	}
	if (!worst)
		return;
	struct raw_finding *found = rule_add(a, out, RULE_LARGE_RESULT, VERDICT_PROVEN, g);

	rule_narrow(found, &sum);
	found->allowed = allowed;
	found->evidence = arena_printf(a, "%s, %s in one result", words_count(a, worst->rows, "row", "rows"), words_bytes(a, worst->bytes));
}

void
rule_large_result(const struct facts *f, const struct rule_settings *s, struct arena *a, struct raw_finding **out)
{
	for (uint32_t i = 0; i < f->nrepeats; i++)
		if (is_candidate(&f->repeats[i], s))
			judge(f, &f->repeats[i], s, a, out);
}
