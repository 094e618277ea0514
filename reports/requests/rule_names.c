/* SPDX-License-Identifier: Apache-2.0 */
/* rule_names: see rule_names.h. */
#include "rule_names.h"

const char *const rule_names[RULES] = {
	[RULE_N_PLUS_ONE] = "n-plus-one",
	[RULE_DUPLICATE] = "duplicate",
	[RULE_WRITE_LOOP] = "write-loop",
	[RULE_SLOW_QUERY] = "slow-query",
	[RULE_SLOW_REQUEST] = "slow-request",
	[RULE_LARGE_RESULT] = "large-result",
	[RULE_IDLE_IN_TRANSACTION] = "idle-in-transaction",
	[RULE_PREPARE_CHURN] = "prepare-churn",
	[RULE_QUERY_ERROR] = "query-error",
	[RULE_CROSS_SCOPE_REPEAT] = "cross-scope-repeat",
	[RULE_QUERY_BUDGET] = "query-budget",
};

enum rule_id
rule_find(struct span name)
{
	for (int i = 0; i < RULES; i++)
		if (span_is(name, rule_names[i]))
			return (enum rule_id)i;
	return RULES;
}
