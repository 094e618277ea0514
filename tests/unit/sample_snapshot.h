/* SPDX-License-Identifier: Apache-2.0 */
/* sample_snapshot: hand-made snapshots for the tests of the writers. Deterministic; each is freed with sample_free. */
#ifndef ROWCALL_SAMPLE_SNAPSHOT_H
#define ROWCALL_SAMPLE_SNAPSHOT_H

#include "reports/judge/snapshot.h"

struct snapshot *sample_shop(void);		/* a web shop's test run that fails its gate: the README kind of report */
struct snapshot *sample_clean(void);		/* the same app mended, no gate */
struct snapshot *sample_untagged(void);		/* no tags at all, findings, no gate */
struct snapshot *sample_nothing(void);		/* nothing captured: unusable */
struct snapshot *sample_lossy(void);		/* lost, opaque, shed, dropped: everything that can go wrong */
struct snapshot *sample_hostile(void);		/* names made of control characters, escapes, broken UTF-8, endless ones */
struct snapshot *sample_large(uint32_t n);	/* n scopes and n requests */
struct snapshot *sample_findings(uint32_t n);	/* the same with a finding in each scope, every other one failing the gate */
struct snapshot *sample_random(uint64_t seed);		/* every text any bytes */
void sample_free(struct snapshot *s);

#endif
