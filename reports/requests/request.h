/* SPDX-License-Identifier: Apache-2.0 */
/* request: one closed request, self-contained: what grouping hands to the collector, what a recording stores, what rules judge.
 * Does: describe the data. Never: points into rings or sessions; holds a parameter value (hashes only). */
#ifndef ROWCALL_REQUEST_H
#define ROWCALL_REQUEST_H

#include "record.h"

/* The scope of what no tag, mark or setting names. */
#define SCOPE_UNTAGGED "(untagged)"

/* Where the scope's name came from, and where the borders came from; strongest first. */
enum origin { FROM_TAG, FROM_MARK, FROM_SESSION, FROM_TRANSACTION, FROM_GAP, FROM_NONE };
const char *origin_name(enum origin o);	/* "tag", "mark", "session", "transaction", "gap", "none" */

enum req_stmt_flags {
	REQ_STMT_BATCH = 1,	/* its own duration cannot be told */
	REQ_STMT_RODE = 2,	/* rode along in a pipeline: no round trip of its own */
	REQ_STMT_IN_TX = 4,	/* inside a transaction when it ended */
	REQ_STMT_CUT = 8,	/* evidence is partial */
	REQ_STMT_PREPARED = 16,	/* prepared for this execution, under a name of its own */
	REQ_STMT_NEW_TEXT = 32,	/* with that: its shape was prepared before on the connection with other literals */
	REQ_STMT_NEW_COMMENT = 64,	/* with that: ... with another comment */
	REQ_STMT_TIMED = 128,	/* the time of asking stands among its values, and equals any other time of asking in params */
	REQ_STMT_UNDONE = 256,	/* ended well, but its transaction was rolled back: by hand, by an error, by the end of its connection */
};

/* One statement of a request, in order of start. */
struct req_stmt {
	const struct shape *shape;
	uint64_t params;	/* see rec_start.params */
	uint64_t result;	/* keyed hash of its result; 0 = not known; the last bit tells binary from text answers, which do not compare */
	uint64_t start;		/* ns after the request's start */
	uint64_t busy;		/* ns the client waited */
	uint64_t first;		/* ns from start to the first byte */
	uint32_t rows, affected;
	uint32_t bytes;
	uint32_t iterations;
	uint16_t lane;		/* index of its connection in the request, from 0 */
	uint16_t round_trips;
	uint32_t tx;		/* ordinal of the transaction it ran in, from 1; 0 = none */
	uint16_t flags;		/* enum req_stmt_flags */
	uint8_t outcome;	/* enum rec_outcome */
	char code[7];
	uint16_t allow;		/* bit per rule (enum rule_id) a rowcall_allow tag names */
	uint16_t prepared;	/* statements prepared and open on its connection when it ended; UINT16_MAX = or more */
	uint16_t site;		/* 1 + index into request.sites; 0 = its own comment tells no line of code */
	uint32_t seq;		/* where its values were recorded: its number in the session; 0 = they were not */
};

struct req_tag {
	const char *key, *value;
};

struct req_lane {
	uint32_t session;
	uint16_t upstream;
	const char *database;
};

enum edge_verdict { EDGE_PROVEN, EDGE_HINT, EDGE_FOLLOWS, EDGE_LISTS };

enum edge_flags {
	EDGE_IN_ORDER = 1,	/* the executions follow the rows */
	EDGE_EACH_ROW = 2,	/* one execution for each row kept */
	EDGE_WALK = 4,		/* each execution reads what the one before it found */
	EDGE_PARTIAL = 8,	/* some evidence was shed or cut */
	EDGE_SHARED = 32,	/* one of two columns that take turns in the executions; the other edge follows or precedes */
	EDGE_MANY = 16,		/* hint: small numbers or words that many columns could hold */
};

/* Lineage's word on one repeated shape: where the values it was executed with came from. See lineage.h. */
struct edge {
	const struct shape *child, *parent;
	uint32_t child_stmt, parent_stmt;	/* statements: first execution it explains, first result it read */
	const char *column;	/* "orders.customer_id → customers.id" */
	const char *other;	/* the next best explanation, when it is close; else "" */
	uint32_t values, missed;	/* distinct values of the child that the column holds; that it does not */
	uint32_t source_values;	/* distinct values in the rows kept */
	uint32_t kept;		/* rows kept of the parent's results */
	uint64_t rows;		/* rows they had */
	uint8_t verdict;	/* enum edge_verdict; FOLLOWS: once per execution of parent, whose own loop starts elsewhere;
				 * LISTS: each execution asks for several new values at once, parent = child */
	uint8_t flags;		/* enum edge_flags */
};

struct request {
	uint64_t number;		/* in order of their first queries, from 1; a few may be missing */
	uint64_t start, end;		/* ns, monotonic */
	int64_t wall_start_us;		/* Unix time in microseconds */
	const char *scope;		/* SCOPE_UNTAGGED when there is none */
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
	const struct edge *edges;	/* what lineage found, at most one per repeated shape and place, two when EDGE_SHARED */
	uint32_t nedges;
	uint64_t idle_in_tx;		/* longest ns a transaction stood open without a statement */
};

#endif
