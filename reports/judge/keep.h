/* SPDX-License-Identifier: Apache-2.0 */
/* keep: closed requests kept for the report, within a budget of bytes.
 * Does: copy a request into one block; over the budget drop first the statement lists of requests without findings (of the slowest of each
 * scope last), then such requests, then requests with findings, oldest first, all counted. Kept requests never change and are shared with snapshots by reference count.
 * Never: forgets a request that a snapshot still holds. Except for kept_release not thread-safe: the collector holds its lock. */
#ifndef ROWCALL_KEEP_H
#define ROWCALL_KEEP_H

#include "tally.h"

struct kept {
	_Atomic uint32_t refs;
	size_t bytes;
	struct kept *next;			/* within keep's queues */
	struct request r;			/* deep copy; stmts NULL and no edges when slim */
	uint32_t statements, queries, control, setup, round_trips, duplicates, undone, errors;
	uint64_t db, wall;			/* ns */
	const struct database_share *shares;
	uint32_t nshares;
	const uint32_t *findings;		/* indexes into the collector's findings, ascending */
	uint32_t nfindings;
};

struct kept_queue {
	struct kept *head, **tail;
};

struct keep {
	size_t budget, bytes;
	uint32_t n;
	struct kept_queue full, slowest, slim, found;	/* no findings and whole, slowest of their scope when looked at, slim; with findings */
	struct keymap scopes;
	uint64_t *longest;			/* ns of database time of a request of the scope, by scopes' index */
	uint64_t dropped, slimmed;		/* requests no longer here; here without their statements */
};

void keep_init(struct keep *k, size_t budget);
void keep_clear(struct keep *k);
void keep_add(struct keep *k, const struct facts *f, const struct database_share *shares, uint32_t nshares, const uint32_t *findings,
    uint32_t nfindings);
/* All kept requests in order of number, each with a reference more: kept_release() each, then free the array with mem_free. */
struct kept **keep_all(struct keep *k, uint32_t *n) __attribute__((warn_unused_result));
/* Any thread. */
void kept_release(struct kept *k);

#endif
