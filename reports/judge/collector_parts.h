/* SPDX-License-Identifier: Apache-2.0 */
/* collector_parts: what a collector is made of. Only collector.c and snapshot.c need it. */
#ifndef ROWCALL_COLLECTOR_PARTS_H
#define ROWCALL_COLLECTOR_PARTS_H

#include <pthread.h>

#include "gate.h"
#include "keep.h"

struct collector {
	struct collector_config cfg;
	pthread_mutex_t lock;		/* over everything below */
	struct arena scratch;		/* of the request at hand */
	struct tally tally;
	struct findings findings;
	struct keep keep;
	struct gate gate;
};

#endif
