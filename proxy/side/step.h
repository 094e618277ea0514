/* SPDX-License-Identifier: Apache-2.0 */
/* step: one statement of a snapshot that may fail without ending it. Does: savepoints around it on PostgreSQL. Never: anything else. */
#ifndef ROWCALL_STEP_H
#define ROWCALL_STEP_H

#include "reports/fix/rewrite.h"
#include "side.h"

bool step_query(struct side *s, const char *text, const struct fix_value *params, uint32_t nparams, struct side_rows *rows, struct side_problem *p)
    __attribute__((warn_unused_result));

#endif
