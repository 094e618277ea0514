/* SPDX-License-Identifier: Apache-2.0 */
/* open_request: the requests that are still being filled, and their way out.
 * Does: keep them bounded and in order of silence, find them by key, collect statements, lanes and tags, close them into their sink.
 * Never: decides to which request a statement belongs. */
#ifndef ROWCALL_OPEN_REQUEST_H
#define ROWCALL_OPEN_REQUEST_H

#include "analyzer.h"
#include "clues.h"
#include "track.h"

/* What borders a request. */
enum bound { BY_KEY, BY_MARK, BY_SCOPE, BY_TX, BY_GAP };

enum request_list { LIST_QUIET, LIST_KEYED, LIST_HELD, REQUEST_LISTS };

struct open_request {
	struct open_request *prev, *next;	/* in its list */
	struct open_request *bucket_next;	/* BY_KEY, BY_MARK: in its bucket */
	uint64_t hash;				/* of its key, or of its mark */
	uint64_t since;				/* ns: when it came into its list */
	uint64_t id;				/* in order of opening, from 1 */
	uint64_t number;			/* in order of their first queries, from 1; 0 = no query yet */
	uint64_t start, end;
	const char *key, *scope, *test, *application, *text;	/* in the arena or literals; "" = none; text: a scope if nothing better comes */
	struct session *carriers;		/* sessions whose current request it is */
	struct req_stmt *stmts;			/* start: ns, absolute; shape NULL: moved away */
	uint32_t nstmts, cap, cut, moved;
	struct clues **clues;			/* by statement, NULL where there are none; NULL: no statement has any */
	uint32_t clues_cap, nvalues;		/* nvalues: in all of them */
	struct req_lane *lanes;
	struct req_tag *tags, *sites;		/* LIMIT_REQUEST_TAGS, LIMIT_REQUEST_SITES; allocated with the first */
	uint32_t nlanes, lanes_cap, ntags, nsites;
	uint64_t merged;			/* serial of the tagset merged last */
	uint16_t merged_site;
	uint32_t holds;				/* open statements and transactions */
	uint32_t border;			/* session.border it began with (BY_SCOPE, BY_TX, BY_GAP) */
	uint32_t ntx;
	uint32_t queries;			/* of its statements, cut ones included */
	uint64_t idle_in_tx;
	uint8_t bound, list;			/* enum bound, enum request_list */
	uint8_t scope_from, borders_from;	/* enum origin */
	bool unsorted;
	bool clues_cut;				/* some were left out */
	bool ended;				/* BY_MARK: the mark is over; nothing more can come */
	struct arena arena;
};

struct open_requests;
/* clues: borrowed, NULL without lineage. */
struct open_requests *open_requests_new(const struct analyzer_config *cfg, struct request_sink sink, struct sessions *sessions,
    struct coverage *coverage, struct clue_box *clues) __attribute__((returns_nonnull, warn_unused_result));
/* All requests must have been closed. */
void open_requests_free(struct open_requests *p);
/* Unix time of the monotonic clock's zero, in microseconds. */
void open_requests_wall(struct open_requests *p, int64_t zero_us);

/* Names of a request; spans are copied. */
struct request_identity {
	enum bound bound;
	enum origin scope_from, borders_from;
	struct span key, scope;
	uint64_t hash;		/* BY_KEY: request_hash(key); BY_MARK: the mark's ordinal */
};
uint64_t request_hash(const struct open_requests *p, struct span key);

/* A new one that began at t; may close others early to keep the limits. */
struct open_request *request_open(struct open_requests *p, const struct request_identity *id, struct span test, uint64_t t)
    __attribute__((returns_nonnull));
/* The one that is named so. BY_KEY: without a scope the newest of that key; one that has no scope yet takes it. NULL: none. */
struct open_request *request_find(struct open_requests *p, const struct request_identity *id);
/* True when the identity names just this one. */
bool request_is(const struct open_request *r, const struct request_identity *id);
/* It turns out to be another one: takes the names of id. */
void request_rename(struct open_requests *p, struct open_request *r, const struct request_identity *id);
/* Adds the tags, the first value of a key wins; returns the statement's site (see req_stmt). */
uint16_t request_merge_tags(struct open_requests *p, struct open_request *r, const struct tagset *t);

/* The session's current request becomes r (NULL: none); what nobody can add to any more closes. */
void request_carry(struct open_requests *p, struct session *s, struct open_request *r);
/* An open statement or transaction keeps it open, from hold to release. release may close it. */
void request_hold(struct open_requests *p, struct open_request *r);
void request_release(struct open_requests *p, struct open_request *r, uint64_t t);

/* A query has started in it, or is moved to it. */
void request_query(struct open_requests *p, struct open_request *r);
/* Appends an ended statement of the session; returns its index, UINT32_MAX when it was only counted. */
uint32_t request_add(struct open_requests *p, struct open_request *r, struct session *s, const struct req_stmt *st);
/* Gives it the evidence of statement `at`, as far as the limit lets it. */
void request_keep_clues(struct open_requests *p, struct open_request *r, uint32_t at, struct clues *c);
/* Moves what the session's newest transaction has in `from` over to `to`. */
void request_move_tx(struct open_requests *p, struct open_request *from, struct open_request *to, struct session *s);
/* Moves a statement that has not ended and is in no transaction. */
void request_move_open(struct open_requests *p, struct open_stmt *o, struct open_request *to);
/* Where the session's newest transaction is in r; it is new there at need. */
struct tx_place *request_tx(struct open_request *r, struct session *s) __attribute__((returns_nonnull));

/* The mark is over: its requests close as soon as nothing is open in them. */
void requests_end_mark(struct open_requests *p, uint64_t mark);
/* Closes the largest ones while all together hold too many statements. */
void requests_trim(struct open_requests *p);
/* Closes what has been quiet for long enough at t. */
void requests_expire(struct open_requests *p, uint64_t t);
/* Closes all, in order of start. */
void requests_close_all(struct open_requests *p);
uint32_t requests_count(const struct open_requests *p);

#endif
