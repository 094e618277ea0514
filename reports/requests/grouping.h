/* SPDX-License-Identifier: Apache-2.0 */
/* grouping: which request does a statement belong to.
 * Does: follow the records of all sessions in time order and decide, first that applies: instance key, mark, session change, scope tag,
 * transaction, idle gap. Never: reads a clock or a ring; time comes with the records. */
#ifndef ROWCALL_GROUPING_H
#define ROWCALL_GROUPING_H

#include "analyzer.h"

struct grouping;
/* cfg and what it points to are borrowed. */
struct grouping *grouping_new(const struct analyzer_config *cfg, struct request_sink sink) __attribute__((returns_nonnull, warn_unused_result));
void grouping_free(struct grouping *g);
/* Unix time of the monotonic clock's zero, in microseconds: for request.wall_start_us. */
void grouping_wall(struct grouping *g, int64_t zero_us);

/* Takes over what was read of a database. */
void grouping_catalog(struct grouping *g, struct catalog *c);

/* The next record; times must not decrease (a little is forgiven). */
void grouping_record(struct grouping *g, const struct rec *r);
/* Nothing older than t will come any more: closes what is due. */
void grouping_advance(struct grouping *g, uint64_t t);
/* The end: everything closes. */
void grouping_finish(struct grouping *g);

/* lost and evidence_shed are not known here. */
const struct coverage *grouping_coverage(const struct grouping *g);
/* Requests open now. */
uint32_t grouping_open(const struct grouping *g);

#endif
