/* SPDX-License-Identifier: Apache-2.0 */
/* collected: a collector fed from readable requests (req_builder.h) and its snapshot, for the tests of gate and collector. */
#ifndef ROWCALL_COLLECTED_H
#define ROWCALL_COLLECTED_H

#include "reports/judge/collector.h"
#include "req_builder.h"

struct collected {
	struct req_builder *b;
	struct collector_config cfg;	/* nothing gates until a test says so */
	struct collector *c;		/* made with the first request */
	struct run_info run;		/* coverage counts along */
	struct snapshot *s;		/* the last one, freed with the next */
};

struct collected *collected_new(void);
void collected_free(struct collected *c);
/* Adds a request; cfg may not change any more. */
const struct request *collected_add(struct collected *c, const char *text);
const struct snapshot *collected_snapshot(struct collected *c);
/* The only failure of that kind; NULL when there is none. Fails the test when there are several. */
const struct gate_failure *collected_failure(const struct snapshot *s, const char *kind);
/* The first finding of the rule; NULL. */
const struct snap_finding *collected_finding(const struct snapshot *s, enum rule_id rule);

#endif
