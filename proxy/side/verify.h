/* SPDX-License-Identifier: Apache-2.0 */
/* verify: a look-up as it ran and its batched form, side by side in one read-only snapshot.
 * Does: run both, compare the rows of every key, measure, ask for the plans. Never: writes; runs a statement that look_up has no rule for;
 * runs one longer than the timeout. */
#ifndef ROWCALL_VERIFY_H
#define ROWCALL_VERIFY_H

#include "reports/fix/fix_result.h"
#include "side.h"

struct verify_job {
	struct side_target target;
	uint64_t timeout;		/* ns, per statement */
	const struct fix_exec *execs;	/* of the repeat, in order */
	uint32_t nexecs;
	const struct fix_exec *source;	/* NULL: none was recorded */
	bool batch;			/* false: only the plans are wanted */
};

/* Fills r, whose strings live in the arena. */
void verify(const struct verify_job *job, struct fix_result *r, struct arena *a);

#endif
