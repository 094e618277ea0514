/* SPDX-License-Identifier: Apache-2.0 */
/* query-error: the server refused an execution. Only the code is known: messages may hold values.
 * Statements skipped because an earlier one of the pipeline failed are not errors of their own. */
#include <inttypes.h>

#include "rule_checks.h"
#include "words.h"

enum { CODES_SHOWN = 3 };

struct codes {
	const char *code[CODES_SHOWN];
	uint32_t n, more;
};

static void
add_code(struct codes *c, const char *code)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (strncmp(c->code[i], code, sizeof((struct req_stmt *)0)->code) == 0)
			return;
	if (c->n < CODES_SHOWN)
		c->code[c->n++] = code;
	else
		c->more++;
}

static const char *
list_codes(const struct codes *c, struct arena *a)
{
	const char *list = "";

	for (uint32_t i = 0; i < c->n; i++)
		list = arena_printf(a, "%s%s%.7s", list, i ? ", " : "", c->code[i]);
	return c->more ? arena_printf(a, "%s, ...", list) : list;
}

static void
judge(const struct facts *f, const struct repeat *g, struct arena *a, struct raw_finding **out)
{
	struct codes codes = { .n = 0 };
	struct raw_finding sum = { .executions = 0 };
	bool allowed = true;

	for (uint32_t i = g->first; i != FACTS_NONE; i = f->next[i]) {
		const struct req_stmt *s = &f->r->stmts[i];

		if (s->outcome != REC_ERROR)
			continue;
		if (sum.executions == 0)
			sum.first_stmt = i;
		rule_sum(&sum, s);
		allowed &= s->allow >> RULE_QUERY_ERROR & 1;
		add_code(&codes, s->code);
	}
	if (sum.executions == 0)
		return;
	struct raw_finding *found = rule_add(a, out, RULE_QUERY_ERROR, VERDICT_PROVEN, g);

	rule_narrow(found, &sum);
	found->allowed = allowed;
	found->evidence = arena_printf(a, "%" PRIu32 " of %s failed: %s", sum.executions,
	    words_count(a, g->executions, "execution", "executions"), list_codes(&codes, a));
}

void
rule_query_error(const struct facts *f, const struct rule_settings *s, struct arena *a, struct raw_finding **out)
{
	(void)s;
	for (uint32_t i = 0; f->errors && i < f->nrepeats; i++)
		if (f->repeats[i].failed)
			judge(f, &f->repeats[i], a, out);
}
