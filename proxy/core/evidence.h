/* SPDX-License-Identifier: Apache-2.0 */
/* evidence: what lineage and the comparison of results need to know of one statement: its parameters by slot, values of the first rows, a
 * hash of its result. Does: take them while they stream by, as keyed hashes and whole numbers, bounded by LIMIT_EVIDENCE_*, into records that
 * are shed first. Never: keeps a value, asks the parser for more than the first rows, holds anything back. Not called at all when lineage
 * is off. */
#ifndef ROWCALL_EVIDENCE_H
#define ROWCALL_EVIDENCE_H

#include "tap.h"

/* After REC_START of the statement `seq` at time `at`: its parameters. bound: NULL for plain text. */
void evidence_params(struct tap *t, const struct shape *shape, const struct value_hash *values, size_t n, const struct wire_params *bound,
    uint64_t at);
/* The question is about to be answered: rows and bytes are asked of the parser when any of its statements may have a result. */
void evidence_ask(struct wire_exec *x, const struct shape *shape);

/* wire_ops of the same names. */
void evidence_columns(struct tap *t, struct wire_exec *x, const struct wire_column *cols, uint32_t n);
void evidence_row(struct tap *t, struct wire_exec *x, const struct wire_value *values, uint32_t n);
void evidence_data(struct tap *t, struct wire_exec *x, struct span bytes);

/* Before REC_END: the result's hash, and which columns its rows had. */
void evidence_part(struct tap *t, struct wire_exec *x, const struct wire_part *r);
/* The question is over. */
void evidence_done(struct tap *t, struct wire_exec *x);

void evidence_pool_free(struct evidence_pool *p);

#endif
