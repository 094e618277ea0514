/* SPDX-License-Identifier: Apache-2.0 */
/* rule_checks: the checks of all rules, and the few things they share. Only rules.c and rule_*.c need it. */
#ifndef ROWCALL_RULE_CHECKS_H
#define ROWCALL_RULE_CHECKS_H

#include "rules.h"

typedef void rule_check(const struct facts *f, const struct rule_settings *s, struct arena *a, struct raw_finding **out);

rule_check rule_n_plus_one, rule_duplicate, rule_write_loop, rule_slow_query, rule_slow_request, rule_large_result, rule_idle_in_transaction,
    rule_query_error, rule_prepare_churn, rule_cross_scope_repeat;

/* A new finding in front of *out, about repeat g (NULL: about the whole request), with its executions, trips and time filled in. */
struct raw_finding *rule_add(struct arena *a, struct raw_finding **out, enum rule_id rule, enum verdict v, const struct repeat *g);
/* Adds one execution to executions, round trips and time. */
void rule_sum(struct raw_finding *sum, const struct req_stmt *s);
/* Makes the finding one about the executions summed up only, from its first_stmt on; their distinct parameters are not counted. */
void rule_narrow(struct raw_finding *found, const struct raw_finding *sum);
/* The repeat consists of single-row writes, at least `threshold` of them, each with a round trip of its own. */
bool rule_is_write_loop(const struct repeat *g, uint32_t threshold);
/* How many value positions of the shape are of that class. */
unsigned rule_slots(const struct shape *s, enum sql_slot_class cls);
/* "41% of request time", or "" when that cannot be told (no duration, or overlapping executions). */
const char *rule_share(const struct facts *f, struct arena *a, uint64_t busy);
/* Time that is saved when excess of n executions go away. */
uint64_t rule_saved(uint64_t busy, uint32_t excess, uint32_t n);

#endif
