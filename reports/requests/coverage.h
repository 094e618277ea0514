/* SPDX-License-Identifier: Apache-2.0 */
/* coverage: totals of a capture that concern no single request.
 * Does: name its numbers, so that all of them are stored, read back and summed up. Never: counts. */
#ifndef ROWCALL_COVERAGE_H
#define ROWCALL_COVERAGE_H

#include <stdint.h>

struct coverage {
	uint64_t sessions, statements, queries, control, setup, tagged;	/* tagged: queries with a scope or key from tag, mark or session */
	uint64_t skipped;		/* asked for in a pipeline and passed over by the server after an error; in none of the numbers above */
	uint64_t opaque_expected, opaque_unexpected;
	uint64_t lost;			/* records the rings dropped: the capture cannot be trusted */
	uint64_t evidence_shed;
	uint64_t requests, evicted_requests;	/* evicted: closed early because too many were open */
	uint64_t notices;
	const char *opaque_reason;	/* the last unexpected one, static or "" */
};

/* The name in recordings of number i, from 0; NULL behind the last. */
const char *coverage_name(uint32_t i);
/* Number i of c, which has a name. */
uint64_t *coverage_number(struct coverage *c, uint32_t i);
/* Adds another part of the same run: its numbers, and its reason if it has one. */
void coverage_add(struct coverage *to, const struct coverage *more);

#endif
