/* SPDX-License-Identifier: Apache-2.0 */
/* collector_parts: what a collector is made of. Only collector.c and snapshot.c need it. */
#ifndef ROWCALL_COLLECTOR_PARTS_H
#define ROWCALL_COLLECTOR_PARTS_H

#include <pthread.h>

#include "gate.h"
#include "keep.h"
#include "stacks.h"

struct collector {
	struct collector_config cfg;
	pthread_mutex_t lock;		/* over everything below */
	struct arena scratch;		/* of the request at hand */
	struct tally tally;
	struct findings findings;
	struct keep keep;
	struct stacks stacks;
	struct gate gate;
};

/* ---- grow.c: the points of the growth of loops ---- */

/* Tells the finding, by index, where its instance took its rows from; earlier requests that were kept count as well. */
void collector_growth_source(struct collector *c, uint32_t finding, const struct request *r, const struct raw_finding *raw);
/* One point for each loop known in the scope. After the request was tallied. */
void collector_grow(struct collector *c, const struct request *r, uint32_t scope);

/* Copies the tree into the snapshot, sorted (snapshot_stacks.c). */
void snapshot_stacks(struct snapshot *s, const struct stacks *from, const struct tally *t);

#endif
