/* SPDX-License-Identifier: Apache-2.0 */
/* places: where each connection of a request stands as its statements go by.
 * Does: number the places (upstream, database, and the schema that USE or SET search_path chose), measure explicit transactions.
 * Never: compares names by anything but their bytes. */
#ifndef ROWCALL_PLACES_H
#define ROWCALL_PLACES_H

#include "fingerprint/arena.h"
#include "reports/requests/request.h"

struct place_lane {
	uint32_t place;		/* hash of upstream, database and schema */
	uint32_t home;		/* the same without the schema */
	uint32_t outside;	/* the place after this transaction, when SET LOCAL made the present one */
	bool local;
	uint32_t tx;
	uint64_t tx_start;
};

struct places {
	struct place_lane *lanes;	/* one more than the request has, for lane numbers out of range */
	uint32_t nlanes;
	uint64_t longest_tx;
};

void places_init(struct places *p, const struct request *r, struct arena *a);
/* The place of the statement; statements must come in order of start. */
uint32_t places_of(struct places *p, const struct req_stmt *s);
/* ns from the first statement of the longest explicit transaction to the end of its last. */
uint64_t places_longest_tx(const struct places *p);

#endif
