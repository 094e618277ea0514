/* SPDX-License-Identifier: Apache-2.0 */
/* counters: what rowcall itself did since it started, for an operator: sessions, bytes, what it did not understand, its caches.
 * Does: write them as JSON. Never: tells of a single session or statement (that is the snapshot). */
#ifndef ROWCALL_COUNTERS_H
#define ROWCALL_COUNTERS_H

#include "fingerprint/strbuf.h"

/* Sessions that were forwarded without inspection, by why. */
struct opaque_counter {
	const char *reason;	/* static */
	uint64_t sessions;
};

enum { OPAQUE_COUNTERS = 16 };

struct counters {
	uint64_t uptime;					/* ns */
	uint64_t accepted, open, refused, upstream_failures, cancelled;	/* sessions; cancelled: cancel requests passed on */
	uint64_t bytes_to_server, bytes_to_client;		/* forwarded, without TLS */
	struct opaque_counter expected[OPAQUE_COUNTERS], unexpected[OPAQUE_COUNTERS];	/* up to the first without a reason */
	uint64_t cut_texts, cut_tags;				/* statements inspected in part; statements whose tags were too long to be kept */
	uint64_t lost, evidence_shed;				/* as in the snapshot's coverage */
	struct {
		uint64_t hits, misses, uncacheable, evictions;	/* texts since the start */
		uint64_t entries, bytes;			/* now */
	} cache;						/* of statements, all workers together */
};

void counters_write(const struct counters *c, struct strbuf *out);
/* Texts that were known, in percent; 0 when there was none. */
double counters_hit_rate(const struct counters *c);

#endif
