/* SPDX-License-Identifier: Apache-2.0 */
/* rule_checks: see rule_checks.h. */
#include "rule_checks.h"

#include <inttypes.h>

#include "words.h"

struct raw_finding *
rule_add(struct arena *a, struct raw_finding **out, enum rule_id rule, enum verdict v, const struct repeat *g)
{
	struct raw_finding *found = arena_zero(a, sizeof *found);

	found->rule = rule;
	found->verdict = v;
	found->column = "";
	found->evidence = "";
	if (g) {
		found->repeat = g->shape;
		found->executions = g->executions;
		found->distinct = g->distinct;
		found->round_trips = g->round_trips;
		found->busy = g->busy;
		found->first_stmt = g->first;
		found->allowed = g->allow >> rule & 1;
	}
	found->next = *out;
	*out = found;
	return found;
}

void
rule_sum(struct raw_finding *sum, const struct req_stmt *s)
{
	sum->executions++;
	sum->round_trips += s->round_trips;
	sum->busy += s->busy;
}

void
rule_narrow(struct raw_finding *found, const struct raw_finding *sum)
{
	found->executions = sum->executions;
	found->round_trips = sum->round_trips;
	found->busy = sum->busy;
	found->first_stmt = sum->first_stmt;
	found->distinct = 0;
}

unsigned
rule_slots(const struct shape *s, enum sql_slot_class cls)
{
	unsigned n = 0;

	for (uint16_t i = 0; i < s->nslots; i++)
		n += s->slots[i].cls == cls;
	return n;
}

const char *
rule_share(const struct facts *f, struct arena *a, uint64_t busy)
{
	if (f->wall == 0 || busy > f->wall)
		return "";
	if (busy * 100 < f->wall)
		return "less than 1% of request time";
	return arena_printf(a, "%" PRIu64 "%% of request time", (busy * 100 + f->wall / 2) / f->wall);
}

uint64_t
rule_saved(uint64_t busy, uint32_t excess, uint32_t n)
{
	return n ? (uint64_t)((double)busy * excess / n) : 0;
}
