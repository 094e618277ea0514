/* SPDX-License-Identifier: Apache-2.0 */
/* rule_names: the names of the rules, as tags, options and files say them, and their numbers, as bits and recordings have them: a new one
 * goes last. Never: knows what a rule does (reports/judge/rules.h). */
#ifndef ROWCALL_RULE_NAMES_H
#define ROWCALL_RULE_NAMES_H

#include "fingerprint/span.h"

enum rule_id {
	RULE_N_PLUS_ONE, RULE_DUPLICATE, RULE_WRITE_LOOP, RULE_SLOW_QUERY, RULE_SLOW_REQUEST, RULE_LARGE_RESULT, RULE_IDLE_IN_TRANSACTION,
	RULE_PREPARE_CHURN, RULE_QUERY_ERROR, RULE_CROSS_SCOPE_REPEAT, RULE_QUERY_BUDGET,
	RULES
};

extern const char *const rule_names[RULES];	/* "n-plus-one" */
/* By its name; RULES when there is none. */
enum rule_id rule_find(struct span name);

#endif
