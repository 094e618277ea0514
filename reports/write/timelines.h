/* SPDX-License-Identifier: Apache-2.0 */
/* timelines: the statements of single requests, with times and connections, for pictures of them.
 * Does: choose as many requests as limits allow: the worst of each finding, then the slowest and the median of each scope, then the others
 * in order. Never: hides that some are left out: the report's list of requests has them all. */
#ifndef ROWCALL_TIMELINES_H
#define ROWCALL_TIMELINES_H

#include "emit.h"
#include "write.h"

/* Numbers of shapes in snapshot.shapes, by shape->id; SHAPE_NONE where it is not among them. Free with mem_free. */
enum { SHAPE_NONE = -1 };
struct shape_numbers {
	int32_t *v;
	uint32_t n;
};
struct shape_numbers shape_numbers(const struct snapshot *s) __attribute__((warn_unused_result));
int32_t shape_number(const struct shape_numbers *numbers, const struct shape *shape);

/* An array of {number, wall_us, lanes: [database], cut, statements: [[shape, lane, start_us, first_us, busy_us, rows, affected, bytes,
 * transaction, outcome, flags, code?]], edges: [{parent, child, column, says}]}; parent and child are statements. */
void timelines_json(struct emit *j, const struct snapshot *s, const struct write_options *o, const struct shape_numbers *numbers);

#endif
