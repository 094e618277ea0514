/* SPDX-License-Identifier: Apache-2.0 */
/* write_text: the console report: verdict, findings worst first, then tables, then what to know about the capture and what to do next.
 * Never: prints a value, a control character, or anything that only colour tells. */
#include "write_text.h"

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

enum ink
rule_ink(enum rule_id rule)
{
	switch (rule) {
	case RULE_N_PLUS_ONE:
	case RULE_QUERY_BUDGET:
		return INK_BAD;
	case RULE_SLOW_QUERY:
	case RULE_SLOW_REQUEST:
	case RULE_IDLE_IN_TRANSACTION:
		return INK_MAGENTA;
	default:
		return INK_WARN;
	}
}

void
write_text(const struct snapshot *s, const struct write_options *o, struct strbuf *out)
{
	struct page p;

	page_init(&p, out, o);
	text_verdict(&p, s);
	text_findings(&p, s);
	text_requests(&p, s);
	text_scopes(&p, s);
	text_queries(&p, s);
	text_databases(&p, s);
	text_totals(&p, s);
	text_notes(&p, s);
	text_next(&p, s);
	page_clear(&p);
}
