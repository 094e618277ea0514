/* SPDX-License-Identifier: Apache-2.0 */
/* verdict_words: see verdict_words.h. */
#include "verdict_words.h"

#include <inttypes.h>

#include "text.h"
#include "writers.h"

const char *
plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

const char *
rule_words(enum rule_id rule, uint64_t n)
{
	static const char *const one[RULES] = {
		[RULE_N_PLUS_ONE] = "N+1", [RULE_DUPLICATE] = "duplicate", [RULE_WRITE_LOOP] = "write loop", [RULE_SLOW_QUERY] = "slow query",
		[RULE_SLOW_REQUEST] = "slow request", [RULE_LARGE_RESULT] = "large result",
		[RULE_IDLE_IN_TRANSACTION] = "idle transaction", [RULE_PREPARE_CHURN] = "needless prepare",
		[RULE_QUERY_ERROR] = "query error", [RULE_CROSS_SCOPE_REPEAT] = "repeat across scopes",
		[RULE_QUERY_BUDGET] = "budget overrun",
	};
	static const char *const many[RULES] = {
		[RULE_N_PLUS_ONE] = "N+1", [RULE_DUPLICATE] = "duplicates", [RULE_WRITE_LOOP] = "write loops",
		[RULE_SLOW_QUERY] = "slow queries", [RULE_SLOW_REQUEST] = "slow requests", [RULE_LARGE_RESULT] = "large results",
		[RULE_IDLE_IN_TRANSACTION] = "idle transactions", [RULE_PREPARE_CHURN] = "needless prepares",
		[RULE_QUERY_ERROR] = "query errors", [RULE_CROSS_SCOPE_REPEAT] = "repeats across scopes",
		[RULE_QUERY_BUDGET] = "budget overruns",
	};

	return n == 1 ? one[rule] : many[rule];
}

struct sums
verdict_sums(const struct snapshot *s)
{
	struct sums c = { 0 };

	for (uint32_t i = 0; i < s->nfindings; i++) {
		const struct snap_finding *f = &s->findings[i];

		c.findings += finding_counts(f);
		c.by_rule[f->rule] += finding_counts(f);
		c.notes += f->level == LEVEL_NOTE && !f->suppressed;
	}
	for (uint32_t i = 0; i < s->nscopes; i++) {
		c.over += s->scopes[i].over;
		c.budgeted += s->scopes[i].budget != NO_LIMIT || s->scopes[i].baseline != NO_LIMIT;
	}
	return c;
}

const char *
verdict_word(const struct snapshot *s, const struct sums *c)
{
	if (s->state == GATE_UNUSABLE)
		return "UNUSABLE";
	if (s->state == GATE_FAIL)
		return "FAIL";
	return !s->gated && c->findings > 0 ? "FOUND" : "PASS";
}

/* "2 N+1, 1 duplicate" */
static void
add_rules(struct strbuf *b, const struct sums *c)
{
	const char *comma = "";
	char n[TEXT_COUNT];

	for (unsigned r = 0; r < RULES; r++) {
		if (c->by_rule[r] == 0)
			continue;
		strbuf_printf(b, "%s%s %s", comma, text_count(c->by_rule[r], n), rule_words((enum rule_id)r, c->by_rule[r]));
		comma = ", ";
	}
}

void
verdict_sentence(struct strbuf *out, const struct snapshot *s, const struct sums *c)
{
	char n[TEXT_COUNT], of[TEXT_COUNT];

	if (requests_seen(s) == 0)
		strbuf_str(out, "no request was seen");
	else if (c->findings == 0)
		strbuf_printf(out, "no findings in %s request%s", text_count(requests_seen(s), n), plural(requests_seen(s)));
	else
		add_rules(out, c);
	if (c->over > 0)
		strbuf_printf(out, "; %s of %s scope%s fail%s the gate", text_count(c->over, n), text_count(s->nscopes, of), plural(s->nscopes),
		    c->over == 1 ? "s" : "");
	else if (c->budgeted > 0)
		strbuf_printf(out, "; %s scope%s within budget", text_count(c->budgeted, n), plural(c->budgeted));
	else if (!s->gated && c->findings > 0)
		strbuf_str(out, "; no gate is set");
}
