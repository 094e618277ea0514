/* SPDX-License-Identifier: Apache-2.0 */
/* open_requests: the state that the files around open_request.c share: the lists, the table by key, the totals.
 * Never: seen by anybody else. */
#ifndef ROWCALL_OPEN_REQUESTS_H
#define ROWCALL_OPEN_REQUESTS_H

#include "open_request.h"

/* ---- request_keys.c: requests with a key or a mark, by hash ---- */

struct request_keys {
	struct open_request **buckets;	/* chained by bucket_next, newest first */
	uint32_t nbuckets, n;
	uint64_t seed;
};

void request_keys_init(struct request_keys *k);
void request_keys_clear(struct request_keys *k);
void request_keys_remove(struct request_keys *k, struct open_request *r);
/* The bucket's first; others may hash there, too. */
struct open_request *request_keys_first(const struct request_keys *k, uint64_t hash);

static inline bool
has_key(const struct open_request *r)
{
	return r->bound == BY_KEY || r->bound == BY_MARK;
}

/* ---- open_request.c ---- */

struct list {
	struct open_request *first, *last;
};

struct open_requests {
	const struct analyzer_config *cfg;
	struct request_sink sink;
	struct sessions *sessions;
	struct coverage *coverage;
	struct clue_box *clues;
	struct list lists[REQUEST_LISTS];
	struct request_keys keys;
	uint32_t n, nspare;
	struct open_request *spare;	/* by next */
	uint64_t opened;		/* so far */
	uint64_t numbers;		/* given out */
	uint64_t kept;			/* statements in all of them */
	uint64_t now;
	int64_t zero_us;
};

/* Gives a new request its names, and its place in the table. */
void request_name(struct open_requests *p, struct open_request *r, const struct request_identity *id);
/* After a change of names; was: whether request_named() held before. */
void request_count_named(struct open_requests *p, const struct open_request *r, bool was);

#endif
