/* SPDX-License-Identifier: Apache-2.0 */
/* writers: what the formats share among themselves; not for callers (they have write.h).
 * Does: one entry per format, and the few words all formats must say alike. Never: colours or lays out. */
#ifndef ROWCALL_WRITERS_H
#define ROWCALL_WRITERS_H

#include "write.h"

void write_text(const struct snapshot *s, const struct write_options *o, struct strbuf *out);
void write_json(const struct snapshot *s, const struct write_options *o, struct strbuf *out);

/* True when options ask for every scope or for this one. */
bool scope_shown(const struct write_options *o, const char *scope);
/* A finding that counts: neither a note nor allowed. */
bool finding_counts(const struct snap_finding *f);
uint64_t requests_seen(const struct snapshot *s);	/* dropped ones included */
/* How a request is named where it must be found again: its instance key, or "#12". Borrowed from r or written into buf. */
enum { REQUEST_NAME = 24 };
const char *request_name(const struct request *r, char buf[REQUEST_NAME]);
const char *gate_state_name(enum gate_state g);	/* "pass", "fail", "unusable" */
const char *level_name(enum level l);		/* "error", "warning", "note" */
/* "2026-11-21T01:06:00.123Z" and NUL. */
enum { TIME_TEXT = 32 };
void time_text(int64_t unix_us, char buf[TIME_TEXT]);

#endif
