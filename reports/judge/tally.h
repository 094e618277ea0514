/* SPDX-License-Identifier: Apache-2.0 */
/* tally: what all requests add up to, per shape, scope and database.
 * Does: count in bounded memory; what comes after a table is full is counted under "(other scopes)", "(other databases)". Never: keeps a
 * request, or judges. */
#ifndef ROWCALL_TALLY_H
#define ROWCALL_TALLY_H

#include "facts.h"
#include "histogram.h"
#include "reports/requests/keymap.h"

struct tally_shape {
	const struct shape *shape;
	uint64_t executions, requests, rows, errors;
	uint64_t last_request;		/* number of the request counted last */
	uint64_t last_executions, last_rows;	/* in that request */
	struct durations time;		/* ns the client waited per execution */
};

struct tally_scope {
	const char *name;
	uint64_t requests;
	struct counts queries;		/* per request */
	struct durations db;		/* ns of database time per request */
	uint64_t duplicates;
	enum origin scope_from, borders_from;	/* the weakest seen */
};

struct tally_database {
	const char *name;		/* "postgresql 127.0.0.1:5432/shop" */
	uint64_t queries, ns;
};

/* One request's share of a database. */
struct database_share {
	uint32_t database;		/* index into tally.databases */
	uint32_t queries;
	uint64_t ns;
};

struct tally {
	struct arena names;
	struct tally_shape **shapes;	/* by shape->id; NULL when not seen */
	uint32_t nshapes;		/* length of the array */
	struct keymap scope_keys, database_keys;
	struct tally_scope *scopes;
	struct tally_database *databases;
	uint32_t nscopes, ndatabases;	/* the entry for the others, once there is one, included */
	uint64_t requests, queries, duplicates, round_trips, db;	/* totals; ns */
	uint64_t scopes_evicted;	/* requests counted under "(other scopes)" */
};

/* All zero bytes = empty. */
void tally_clear(struct tally *t);
/* Adds a request; returns the index of its scope. */
uint32_t tally_request(struct tally *t, const struct facts *f);
/* What is known of the shape, or NULL. */
const struct tally_shape *tally_shape_of(const struct tally *t, const struct shape *s);
/* Adds a statement that belongs to no request. */
void tally_stray(struct tally *t, const struct req_stmt *s);
/* Adds the request's time to its databases; returns how it is shared among them, *n entries in the arena. upstreams: display names. */
const struct database_share *tally_databases(struct tally *t, const struct request *r, const char *const *upstreams, uint32_t nupstreams,
    struct arena *a, uint32_t *n);

#endif
