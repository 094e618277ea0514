/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot: the whole report as plain, sorted, immutable data, built once; writers only print it.
 * Does: describe the data. Never: computes. Order is deterministic; clock and ids come in as arguments, so output is byte-comparable.
 * Durations are nanoseconds here; writers convert (JSON: milliseconds with three decimals). */
#ifndef ROWCALL_SNAPSHOT_H
#define ROWCALL_SNAPSHOT_H

#include "reports/requests/analyzer.h"
#include "growth.h"
#include "histogram.h"
#include "rules.h"
#include "stacks.h"

struct snap_shape {
	const struct shape *shape;
	uint64_t executions, requests, rows, errors;
	struct pct time;		/* ns the client waited per execution */
	const uint32_t *histogram;	/* log-linear buckets (histogram.h), NULL when empty */
};

enum { NO_LIMIT = -1 };

struct snap_scope {
	const char *name;
	uint64_t requests;
	struct pct queries;		/* per request */
	struct pct db;			/* ns of database time per request */
	uint64_t duplicates;		/* executions minus distinct (shape, parameters), all its requests */
	uint32_t n_plus_one;		/* findings of that rule, notes not counted */
	int64_t budget;			/* max_queries that binds it; NO_LIMIT */
	int64_t baseline;		/* recorded queries (ratchet); NO_LIMIT */
	bool over;			/* some gate failure names it */
	enum origin scope_from, borders_from;	/* the weakest seen */
};

/* A place in the tree of scopes, shapes and the shapes of their loops (stacks.h), depth first, what takes longest first. */
struct snap_stack {
	uint32_t depth;			/* 0: a scope */
	enum stack_kind kind;
	const char *scope;		/* whatever the depth */
	const struct shape *shape;	/* STACK_QUERY, else NULL */
	uint64_t calls, ns;		/* its own */
	uint64_t all_calls, all_ns;	/* with what is beneath it */
};

struct snap_database {
	const char *name;		/* "postgresql 127.0.0.1:5432/shop" */
	uint64_t queries, ns;
};

struct snap_request {
	struct request r;		/* copied deep; stmts NULL when dropped for memory (see snapshot.requests_slim) */
	uint32_t statements, queries, control, setup, round_trips, duplicates, errors;
	uint32_t undone;		/* queries whose transaction was rolled back */
	uint64_t db, wall;		/* ns */
	const struct snap_database *databases;
	uint32_t ndatabases;
	const uint32_t *findings;	/* indexes into snapshot.findings */
	uint32_t nfindings;
};

enum level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_NOTE };

/* One finding, its instances over requests folded: same rule, scope, repeated shape, source shape and column. Numbers are of its worst instance. */
struct snap_finding {
	char id[17];
	enum rule_id rule;
	enum verdict verdict;
	enum level level;
	const char *scope, *test;
	struct raw_finding worst;	/* strings copied */
	uint32_t parent;		/* 1 + index into snapshot.findings: the loop it runs inside, whose rows it runs over; 0 = none */
	bool outer;			/* some finding's parent */
	struct growth_fit growth;
	const char *growth_words;	/* "" when it is no loop, or nothing is known */
	uint32_t request;		/* index into snapshot.requests of the worst instance; UINT32_MAX when not kept */
	uint64_t request_number;
	uint64_t seen_in, of;		/* requests that have it, requests of the scope */
	uint64_t executions, busy, excess, wasted;	/* summed over all instances */
	uint64_t cost_at_rtt;		/* ns: saved round trips of the worst instance at snapshot.rtt each */
	const char *file;		/* "" when no tag tells */
	uint32_t line;			/* 0 when not known */
	const char *origin;		/* which tag or file gave the location: "source_location", "caller", "test", "budget", "" */
	const char *advice;
	const char *suppressed;		/* reason of the allow entry; NULL when it counts */
};

struct gate_failure {
	const char *kind;		/* "query-budget", "fail-on", "total-queries", "min-tagged", "nothing-captured", "lost", "opaque", ... */
	const char *scope;		/* "" when it is about a test or the whole run */
	const char *test;		/* "" when it is not about a test */
	const char *message;		/* one sentence with the numbers */
	int64_t limit, value;		/* NO_LIMIT when without meaning */
	uint32_t request;		/* worst request; UINT32_MAX */
	const char *file;		/* rowcall.yaml when a budget there failed, else "" */
	uint32_t line;
};

enum gate_state { GATE_PASS, GATE_FAIL, GATE_UNUSABLE };	/* last word of the verdict line */

struct snapshot {
	const char *version;		/* rowcall's */
	const char *command;		/* what ran ("pytest -q"); "" for proxy */
	int64_t started_us;		/* Unix time */
	uint64_t duration;		/* ns */
	const char *const *upstreams;	/* "postgresql 15.20 at 127.0.0.1:5432" */
	uint32_t nupstreams;
	bool incomplete;		/* a recording that was never finished */
	const char *values_in;		/* the recording that holds the statements' values, "" = the last run's; NULL: none does */
	uint64_t rtt;			/* ns per round trip that cost is restated at; default 1 ms */

	bool gated;			/* somebody asked for a gate */
	bool trusted;			/* false: status 11 */
	enum gate_state state;
	const struct gate_failure *failures;
	uint32_t nfailures;
	uint32_t nallowed;		/* findings an allow entry or baseline covers */
	const char *const *warnings;	/* stale allow entries and the like, one sentence each */
	uint32_t nwarnings;

	struct coverage coverage;
	uint64_t queries, duplicates, round_trips, db;	/* totals; ns */
	const struct snap_database *databases;	/* totals per database */
	uint32_t ndatabases;
	const struct snap_scope *scopes;	/* worst first: over, then queries max, then name */
	uint32_t nscopes;
	const struct snap_request *requests;	/* in order of start */
	uint32_t nrequests;
	uint64_t requests_dropped;		/* not kept for memory; counted everywhere else */
	uint64_t requests_slim;			/* kept without their statements */
	const struct snap_finding *findings;	/* errors, warnings, notes; within: proven first, then executions, then id */
	uint32_t nfindings;
	uint64_t findings_dropped;
	const struct snap_shape *shapes;	/* by total time, then fingerprint */
	uint32_t nshapes;
	const struct snap_stack *stacks;
	uint32_t nstacks;
	struct arena *arena;		/* owns everything above and the snapshot itself; except for requests' insides: */
	struct kept *const *kept;	/* closed requests never change, so collector and snapshots share them by reference count */
	uint32_t nkept;
};

#endif
