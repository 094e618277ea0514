/* SPDX-License-Identifier: Apache-2.0 */
/* plan: what the server intends to do with a statement, by EXPLAIN. Does: ask (never ANALYZE) and read the answer. Never: runs the statement. */
#ifndef ROWCALL_PLAN_H
#define ROWCALL_PLAN_H

#include "reports/fix/fix_result.h"
#include "side.h"

/* Strings live in the arena. A server that refuses leaves plan->known false, with why. */
void plan_ask(struct side *s, const char *sql, const struct fix_value *params, uint32_t nparams, struct arena *a, struct fix_plan *plan);

#endif
