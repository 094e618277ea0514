/* SPDX-License-Identifier: Apache-2.0 */
/* update_baseline: --update-baseline: what a run measured goes into rowcall.baseline.json.
 * Does: read the file as it is now, merge, write it whole, say what changed; two that do so at a time wait for each other. Never: writes
 * from a run that cannot be trusted, or one whose command failed (the caller's business). */
#ifndef ROWCALL_UPDATE_BASELINE_H
#define ROWCALL_UPDATE_BASELINE_H

#include "config.h"

/* seen: the run's snapshot. The new baseline, by which the collector judges from now on: the caller frees it with baseline_free after the
 * last snapshot. NULL: nothing was written; a sentence in p. */
struct baseline *update_baseline(const struct config *c, struct collector *collector, const struct snapshot *seen, struct problem *p)
    __attribute__((warn_unused_result));

#endif
