/* SPDX-License-Identifier: Apache-2.0 */
/* slow-request: from the first statement to the last answer at least slow.request.
 * Suspected when the borders were inferred from an idle gap, as they may join two requests. */
#include <inttypes.h>

#include "rule_checks.h"
#include "words.h"

void
rule_slow_request(const struct facts *f, const struct rule_settings *s, struct arena *a, struct raw_finding **out)
{
	bool inferred = f->r->borders_from >= FROM_GAP, allowed = true;
	struct raw_finding *found;

	if (s->slow_request == 0 || f->wall < s->slow_request || f->queries == 0)
		return;
	for (uint32_t g = 0; g < f->nrepeats; g++)
		if (stmt_kind(f->repeats[g].shape) == KIND_QUERY)
			allowed &= f->repeats[g].allow >> RULE_SLOW_REQUEST & 1;
	found = rule_add(a, out, RULE_SLOW_REQUEST, inferred ? VERDICT_SUSPECTED : VERDICT_PROVEN, NULL);
	found->executions = f->queries;
	found->round_trips = f->round_trips;
	found->busy = f->db;
	found->allowed = allowed && f->r->stmts_cut == 0;
	found->evidence = arena_printf(a, "%s, of which %s waiting for the database", words_ns(a, f->wall), words_ns(a, f->db));
}
