/* SPDX-License-Identifier: Apache-2.0 */
/* request: one closed request, self-contained: what grouping hands to the collector, what a recording stores, what rules judge.
 * Does: describe the data. Never: points into rings or sessions; holds a parameter value (hashes only). */
#ifndef ROWCALL_REQUEST_H
#define ROWCALL_REQUEST_H

#include "record.h"

/* Where the scope's name came from, and where the borders came from; strongest first. */
enum origin { FROM_TAG, FROM_MARK, FROM_SESSION, FROM_TRANSACTION, FROM_GAP, FROM_NONE };
const char *origin_name(enum origin o);	/* "tag", "mark", "session", "transaction", "gap", "none" */

enum req_stmt_flags {
	REQ_STMT_BATCH = 1,	/* its own duration cannot be told */
	REQ_STMT_RODE = 2,	/* rode along in a pipeline: no round trip of its own */
	REQ_STMT_IN_TX = 4,	/* inside a transaction when it ended */
	REQ_STMT_CUT = 8,	/* evidence is partial */
};

/* One statement of a request, in order of start. */
struct req_stmt {
	const struct shape *shape;
	uint64_t params;	/* see rec_start.params */
	uint64_t result;	/* keyed hash of its result; 0 = not known */
	uint64_t start;		/* ns after the request's start */
	uint64_t busy;		/* ns the client waited */
	uint64_t first;		/* ns from start to the first byte */
	uint32_t rows, affected;
	uint32_t bytes;
	uint32_t iterations;
	uint16_t lane;		/* index of its connection in the request, from 0 */
	uint16_t round_trips;
	uint32_t tx;		/* ordinal of the transaction it ran in, from 1; 0 = none */
	uint8_t outcome;	/* enum rec_outcome */
	uint8_t flags;		/* enum req_stmt_flags */
	char code[7];
	uint16_t allow;		/* bit per rule (enum rule_id) a rowcall_allow tag names */
	uint16_t site;		/* 1 + index into request.sites; 0 = its own comment tells no line of code */
};

struct req_tag {
	const char *key, *value;
};

struct req_lane {
	uint32_t session;
	uint16_t upstream;
	const char *database;
};

struct request {
	uint64_t number;		/* in order of start, from 1 */
	uint64_t start, end;		/* ns, monotonic */
	int64_t wall_start_us;		/* Unix time in microseconds */
	const char *scope;		/* "(untagged)" when there is none */
	const char *test;		/* "" when there is none */
	const char *key;		/* instance key, "" when there is none */
	const char *application;
	enum origin scope_from, borders_from;
	const struct req_tag *tags;	/* merged over its statements, first value wins; sorted by key */
	uint32_t ntags;
	/* Distinct lines of code its statements name: key = the tag that told ("source_location", "file", "line", "caller"),
	 * value = "path:line". Tags are merged over the request, so a line of code needs a place of its own. */
	const struct req_tag *sites;
	uint32_t nsites;
	const struct req_lane *lanes;
	uint32_t nlanes;
	const struct req_stmt *stmts;
	uint32_t nstmts;
	uint32_t stmts_cut;		/* statements beyond the limit: counted, not kept */
	const struct edge *edges;	/* proven loops found by lineage; NULL until lineage exists */
	uint32_t nedges;
	uint64_t idle_in_tx;		/* longest ns a transaction stood open without a statement */
};

#endif
