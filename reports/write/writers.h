/* SPDX-License-Identifier: Apache-2.0 */
/* writers: what the formats share among themselves; not for callers (they have write.h).
 * Does: one entry per format, and the few words all formats must say alike. Never: colours or lays out. */
#ifndef ROWCALL_WRITERS_H
#define ROWCALL_WRITERS_H

#include "write.h"

void write_text(const struct snapshot *s, const struct write_options *o, struct strbuf *out);
void write_json(const struct snapshot *s, const struct write_options *o, struct strbuf *out);
void write_ndjson(const struct snapshot *s, const struct write_options *o, struct strbuf *out);
void write_junit(const struct snapshot *s, const struct write_options *o, struct strbuf *out);
void write_markdown(const struct snapshot *s, const struct write_options *o, struct strbuf *out);
void write_github(const struct snapshot *s, const struct write_options *o, struct strbuf *out);
void write_gitlab(const struct snapshot *s, const struct write_options *o, struct strbuf *out);
void write_sarif(const struct snapshot *s, const struct write_options *o, struct strbuf *out);
void write_html(const struct snapshot *s, const struct write_options *o, struct strbuf *out);
void write_folded(const struct snapshot *s, const struct write_options *o, struct strbuf *out);
void write_speedscope(const struct snapshot *s, const struct write_options *o, struct strbuf *out);
void write_flamegraph(const struct snapshot *s, const struct write_options *o, struct strbuf *out);

/* Frees a scratch buffer whose text went into out; what it lacked, out lacks too (cut). */
void scratch_done(struct strbuf *out, struct strbuf *b);
/* The same, but empties it for its next use. */
void scratch_reset(struct strbuf *out, struct strbuf *b);

/* True when options ask for every scope or for this one. */
bool scope_shown(const struct write_options *o, const char *scope);
/* A finding that counts: neither a note nor allowed. */
bool finding_counts(const struct snap_finding *f);
/* All findings in the order people should read them: errors before warnings before notes, loops before what is merely slow or large, and
 * then as in the snapshot. An array of s->nfindings in the arena. */
const struct snap_finding **findings_worst_first(struct arena *a, const struct snapshot *s);
/* A failure of the gate that a finding tells too: a budget of queries of a scope, a rule to fail on. */
bool failure_is_finding(const struct gate_failure *f);
uint64_t requests_seen(const struct snapshot *s);	/* dropped ones included */
/* How a request is named where it must be found again: its instance key, or "#12". Borrowed from r or written into buf. */
enum { REQUEST_LABEL = 24 };
const char *request_label(const struct request *r, char buf[REQUEST_LABEL]);
const char *gate_state_name(enum gate_state g);	/* "pass", "fail", "unusable" */
const char *level_name(enum level l);		/* "error", "warning", "note" */
/* "2026-11-21T01:06:00.123Z" and NUL. */
enum { TIME_TEXT = 32 };
void time_text(int64_t unix_us, char buf[TIME_TEXT]);

#endif
