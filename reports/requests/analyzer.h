/* SPDX-License-Identifier: Apache-2.0 */
/* analyzer: the thread that turns the workers' records into closed requests.
 * Does: merge rings in time order, follow sessions, group statements into requests (design: instance key, mark, session change, scope tag,
 * transaction, idle gap), hand each closed request to its sink. Never: touches a socket, judges a request, or makes a worker wait. */
#ifndef ROWCALL_ANALYZER_H
#define ROWCALL_ANALYZER_H

#include "reports/lineage/catalog.h"
#include "coverage.h"
#include "request.h"
#include "ring.h"

struct analyzer_config {
	uint64_t idle_gap, quiet, keyed_quiet;	/* ns */
	const char *const *upstreams;		/* display names, "127.0.0.1:5432"; index = rec_open.upstream */
	uint32_t nupstreams;
	const char *const *tag_settings;	/* further settings whose value is an instance key (requests.tag_settings) */
	uint32_t ntag_settings;
	/* requests.fold: applied to every scope name, in order, PCRE2; compiled by the caller's filter (reports/requests/filter.h) */
	const struct filter *fold;
	/* requests.tags: user patterns with named groups (?<request>..) and/or (?<scope>..) over comment text */
	const struct filter *tag_patterns;
	bool lineage;				/* judge the evidence; off: what comes of it is dropped but for result hashes */
	struct catalog_source catalogs;		/* all NULL: names decide */
};

/* A statement as it was sent; everything borrowed for the call. Its req_stmt has the same seq, on a lane of this session. */
struct stmt_values {
	uint32_t session, seq;
	struct sql_lang lang;
	struct span text;
	uint32_t n;			/* values; laid out in `values` as in rec_values_text */
	struct span values;
};

/* Called on the analyzer thread for every closed request, in order of closing; r is borrowed for the call. */
struct request_sink {
	void *ctx;
	void (*request)(void *ctx, const struct request *r);
	/* A statement that belongs to no request (control or set-up on a connection without one). May be NULL. */
	void (*stray)(void *ctx, const struct req_stmt *s);
	/* A session learnt the version of its server, as the server says it. May be NULL. */
	void (*server)(void *ctx, uint16_t upstream, struct span version);
	/* A statement with its values, before the request that has it; only where they are recorded. May be NULL. */
	void (*values)(void *ctx, const struct stmt_values *v);
};

struct analyzer;
/* cfg is copied shallowly: what it points to must outlive the analyzer. rings: borrowed, one per worker. */
struct analyzer *analyzer_new(const struct analyzer_config *cfg, struct ring *const *rings, uint32_t nrings, struct request_sink sink)
    __attribute__((warn_unused_result));
/* Its own thread, draining on a timer of a few milliseconds. False: thread could not start. */
bool analyzer_start(struct analyzer *a) __attribute__((warn_unused_result));
/* Without a thread (tests, and inside the thread): drain everything complete up to now. */
void analyzer_step(struct analyzer *a, uint64_t now);
/* After the workers have stopped: drains all, closes all requests, ends the thread. */
void analyzer_finish(struct analyzer *a);
void analyzer_free(struct analyzer *a);

/* Any thread. Sets the current test and/or request ("" ends it, NULL leaves it); stamped with the clock on arrival, merged like a ring. */
void analyzer_mark(struct analyzer *a, const char *test, const char *request);
/* Any thread. Takes over what was read of a database; it counts for requests that close from now on. */
void analyzer_catalog(struct analyzer *a, struct catalog *c);
/* Any thread: a consistent copy. */
struct coverage analyzer_coverage(struct analyzer *a);

#endif
