/* SPDX-License-Identifier: Apache-2.0 */
/* write_text: the console report: verdict, findings worst first, then tables, then what to know about the capture and what to do next.
 * Never: prints a value, a control character, or anything that only colour tells. */
#include "write_text.h"

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
