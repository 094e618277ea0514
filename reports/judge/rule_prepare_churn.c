/* SPDX-License-Identifier: Apache-2.0 */
/* prepare-churn: one shape prepared again and again on the same connection, where once would do for all executions.
 * Proven, as every preparation was seen. The cause is told: comments that differ make each text a new one for the cache of the driver, or the
 * same text is prepared anew. Statements still open at the end of the request are leaks. A note: the same text, closed again each time, as
 * some drivers always do (PDO). Not a finding: once per connection, and statements without a name, which are meant to be parsed each time. */
#include <inttypes.h>

#include "rule_checks.h"
#include "words.h"

/* What one repeat's preparations come to. */
struct churn {
	struct raw_finding sum;
	uint32_t connections; /* that prepared it */
	uint32_t commented;   /* preparations of a text that differs from the one before by its comment */
	uint32_t inlined;     /* ... by its literals */
	uint32_t leaked;
	bool allowed;
};

/* Prepared statements that are open on the connection now and were not after its first preparation of the shape. */
struct lane_open {
	bool prepared;
	uint16_t first, last;
	uint32_t fresh;
};

static void
add_execution(struct churn *c, struct lane_open *lane, const struct req_stmt *s, uint32_t i)
{
	if (s->flags & REQ_STMT_PREPARED) {
		if (c->sum.executions == 0)
			c->sum.first_stmt = i;
		rule_sum(&c->sum, s);
		c->allowed &= s->allow >> RULE_PREPARE_CHURN & 1;
		c->commented += (s->flags & REQ_STMT_NEW_COMMENT) != 0;
		c->inlined += (s->flags & REQ_STMT_NEW_TEXT) != 0;
		if (lane->fresh++ == 0) {
			c->connections++;
			lane->first = s->prepared;
		}
	}
	lane->last = s->prepared;
}

static struct churn
churn_of(const struct facts *f, const struct repeat *g, struct arena *a)
{
	struct lane_open *lanes = arena_zero(a, (f->r->nlanes + 1) * sizeof *lanes);
	struct churn c = { .allowed = true };

	for (uint32_t i = g->first; i != FACTS_NONE; i = f->next[i]) {
		const struct req_stmt *s = &f->r->stmts[i];

		add_execution(&c, &lanes[s->lane < f->r->nlanes ? s->lane : f->r->nlanes], s, i);
	}
	for (uint32_t k = 0; k <= f->r->nlanes; k++) {
		uint32_t grown = lanes[k].last > lanes[k].first ? lanes[k].last - lanes[k].first : 0;

		if (lanes[k].fresh > 1)
			c.leaked += grown < lanes[k].fresh - 1 ? grown : lanes[k].fresh - 1;
	}
	return c;
}

static enum prepare_cause
cause_of(const struct churn *c)
{
	uint32_t most = (c->sum.executions - c->connections) * 9;

	if (c->commented * 10 >= most)
		return PREPARE_COMMENTS;
	return c->inlined * 10 >= most ? PREPARE_LITERALS : PREPARE_SAME_TEXT;
}

static void
judge(const struct facts *f, const struct repeat *g, uint32_t threshold, struct arena *a, struct raw_finding **out)
{
	static const char *const causes[] = { "the same text each time", "values written into the text make each one new",
		"a comment that differs makes each text a new one" };
	struct churn c = churn_of(f, g, a);
	struct raw_finding *found;
	enum prepare_cause cause;

	if (c.sum.executions < c.connections + threshold - 1)
		return;
	cause = cause_of(&c);
	found = rule_add(a, out, RULE_PREPARE_CHURN, cause == PREPARE_SAME_TEXT && !c.leaked ? VERDICT_NOTE : VERDICT_PROVEN, g);
	rule_narrow(found, &c.sum);
	found->allowed = c.allowed;
	found->cause = (uint8_t)cause;
	found->excess = c.sum.executions - c.connections;
	found->evidence = arena_printf(a, "prepared %" PRIu32 " times on %s; %s; %s", c.sum.executions,
	    words_count(a, c.connections, "connection", "connections"),
	    causes[found->cause],
	    c.leaked ? arena_printf(a, "%" PRIu32 " of them never closed in the request", c.leaked + c.connections) : "closed again each time");
}

void
rule_prepare_churn(const struct facts *f, const struct rule_settings *s, struct arena *a, struct raw_finding **out)
{
	for (uint32_t i = 0; i < f->nrepeats; i++)
		if (f->repeats[i].prepared >= s->n_plus_one_threshold)
			judge(f, &f->repeats[i], s->n_plus_one_threshold, a, out);
}
