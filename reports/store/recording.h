/* SPDX-License-Identifier: Apache-2.0 */
/* recording: reads what store wrote, and hands it on as if it happened now.
 * Does: open, check versions, replay requests in the order they closed in. Never: changes what the file says (the log of a run that was
 * killed is taken in); believes its bytes; holds more than one request in memory. */
#ifndef ROWCALL_RECORDING_H
#define ROWCALL_RECORDING_H

#include "reports/judge/collector.h"

struct recording;
/* NULL: a sentence in err (missing, not a recording, made by a newer rowcall, damaged). */
struct recording *recording_open(const char *path, char *err, size_t err_n) __attribute__((warn_unused_result));
void recording_close(struct recording *r);

/* Run, coverage and servers as recorded; strings borrowed until close. incomplete: the run that wrote it never finished. */
struct run_info recording_run(const struct recording *r);
/* What the collector called each of the run's upstreams; as many. */
const char *const *recording_upstreams(const struct recording *r);

/* Every request, then the strays, to the sink, as the live run had them; shapes are interned in `shapes`, which must outlive what the sink
 * keeps. add_number and add_session shift numbers, upstream_map (may be NULL) renames upstreams: for merging. False: damaged, a sentence
 * in err; what came before was delivered. */
struct replay_shift {
	uint64_t add_number;
	uint32_t add_session;
	const uint16_t *upstream_map;
};
bool recording_replay(struct recording *r, struct shapes *shapes, const struct replay_shift *shift, struct request_sink sink, char *err, size_t err_n)
    __attribute__((warn_unused_result));
/* It holds values. */
bool recording_has_values(const struct recording *r);
/* The statement with its values, in the arena; v->values is laid out as in rec_values_text. False: not recorded. */
bool recording_values(struct recording *r, uint32_t session, uint32_t seq, struct stmt_values *v, struct arena *a);
/* Highest request number and session: where the next recording's shift begins. After a replay. */
uint64_t recording_last_number(const struct recording *r);
uint32_t recording_last_session(const struct recording *r);

#endif
