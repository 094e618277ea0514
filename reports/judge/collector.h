/* SPDX-License-Identifier: Apache-2.0 */
/* collector: closed requests in, snapshot out. The same for a live run and for a recording.
 * Does: run the rules on each request, tally scopes, shapes, findings and databases in bounded memory, keep requests for the report, judge the gate.
 * Never: knows sessions or rings, prints, or decides an exit status. */
#ifndef ROWCALL_COLLECTOR_H
#define ROWCALL_COLLECTOR_H

#include "snapshot.h"

struct budget {			/* one entry of `budgets`; first match of its kind wins */
	const char *scope;	/* glob (`*` matches / too), or NULL */
	const char *test;	/* glob, or NULL; exactly one of the two */
	int64_t max_queries, n_plus_one, duplicates, write_loops, max_rows, max_bytes;	/* NO_LIMIT */
	int64_t max_transaction_ns;
	uint32_t line;		/* in rowcall.yaml; 0 = from a flag */
};

struct allow {			/* one entry of `allow` */
	enum rule_id rule;	/* RULES = any */
	const char *scope;	/* glob, or NULL = any */
	const char *shape;	/* 16 hex, or q + at least 7; NULL = any */
	const char *reason;	/* mandatory */
	const char *until;	/* "2027-01-01", or NULL */
	uint32_t line;
};

struct fail_on {
	enum rule_id rule;
	bool proven_only;
};

struct gate_config {
	int64_t max_queries;		/* --max-queries, any one request; NO_LIMIT */
	int64_t max_total_queries;
	const struct fail_on *fail_on;
	uint32_t nfail_on;
	const struct budget *budgets;
	uint32_t nbudgets;
	const struct allow *allows;
	uint32_t nallows;
	bool inferred;			/* judge gap-bordered requests too (default true) */
	double min_tagged;		/* share of queries 0..1; 0 = off */
	bool allow_empty;		/* nothing captured is fine */
	const char *baseline_file;	/* named in messages; NULL = no ratchet */
	const struct baseline *baseline;	/* what it holds, borrowed; NULL = not there yet: judged without it */
	bool strict;			/* entries that match nothing or have expired fail the gate */
	const char *config_file;	/* named in messages; "" */
	const char *today;		/* "2026-11-21", for `until` */
};

struct collector_config {
	struct rule_settings rules;
	struct gate_config gate;
	uint64_t rtt;			/* ns, default 1 ms */
	const char *const *upstreams;	/* as in analyzer_config */
	uint32_t nupstreams;
};

/* What only the caller knows about the run. */
struct run_info {
	const char *version, *command;
	int64_t started_us;
	uint64_t duration;		/* ns */
	const char *const *upstreams;	/* for display, with server versions */
	uint32_t nupstreams;
	struct coverage coverage;
	bool incomplete;
	const char *values_in;		/* see snapshot */
};

struct collector;
/* cfg copied shallowly: what it points to must outlive the collector. */
struct collector *collector_new(const struct collector_config *cfg) __attribute__((warn_unused_result));
void collector_free(struct collector *c);
/* Thread-safe; copies what it keeps. Its signature is request_sink.request with ctx = collector. */
void collector_request(void *collector, const struct request *r);
/* Control and set-up statements without a request (request_sink.stray). */
void collector_stray(void *collector, const struct req_stmt *s);

/* What a baseline written now would hold: every scope the gate looks at. The caller frees it with baseline_free. */
struct baseline *collector_measures(struct collector *c) __attribute__((warn_unused_result));
/* Judge by this baseline from now on; borrowed as the one in gate_config was. */
void collector_judge_by(struct collector *c, const struct baseline *b);

/* Other rules and another gate for requests from now on, as a reload brings them; findings learn which entries allow them. Copied as
 * collector_new does: the old gate_config is not used any more. Any thread. */
void collector_reconfigure(struct collector *c, const struct rule_settings *judged_by, const struct gate_config *gate, uint64_t rtt);

/* Any thread: a snapshot of everything so far; the caller frees it. */
struct snapshot *collector_snapshot(struct collector *c, const struct run_info *run) __attribute__((warn_unused_result));
void snapshot_free(struct snapshot *s);

#endif
