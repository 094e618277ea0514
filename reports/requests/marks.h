/* SPDX-License-Identifier: Apache-2.0 */
/* marks: what somebody outside says is running now (`rowcall mark`, POST /api/v1/marks): a test and/or a request.
 * Does: take marks from any thread, stamped on arrival, and hand them on in order. Never: lets them grow without bound. */
#ifndef ROWCALL_MARKS_H
#define ROWCALL_MARKS_H

#include "record.h"

struct mark {
	struct mark *next;
	struct rec_text *rec;	/* REC_MARK: the whole state, test NUL request NUL */
};

struct marks;
struct marks *marks_new(void) __attribute__((returns_nonnull, warn_unused_result));
void marks_free(struct marks *m);
/* Any thread. NULL leaves that part as it is, "" ends it; names are cut to LIMIT_NAME. now: read under the queue's lock, so that whoever
 * reads the clock and then finds no mark knows that later ones are later. */
void marks_add(struct marks *m, const char *test, const char *request, uint64_t (*now)(void));
/* One thread. The oldest mark not later than t, or NULL; the caller frees it with mark_free. */
struct mark *marks_take(struct marks *m, uint64_t t);
void mark_free(struct mark *k);

/* The two names of a REC_MARK; empty when the record is malformed. */
void mark_read(const struct rec_text *rec, struct span *test, struct span *request);

#endif
