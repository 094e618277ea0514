/* SPDX-License-Identifier: Apache-2.0 */
/* side: one of two runs that are compared: what each scope's requests executed, and how long that took.
 * Does: take closed requests in, count executions of each shape per request and keep database times, in bounded memory. Never: keeps a
 * request, or judges. */
#ifndef ROWCALL_SIDE_H
#define ROWCALL_SIDE_H

#include "reports/judge/facts.h"
#include "reports/judge/histogram.h"
#include "reports/requests/keymap.h"

/* One shape in the requests of one scope. */
struct side_shape {
	const struct shape *shape;
	struct counts executions;	/* per request that has it */
	uint64_t pending;		/* of the request at hand */
};

struct side_scope {
	const char *name;
	uint64_t *times;		/* ns of database time, of every stride-th request */
	uint32_t ntimes, times_cap, stride, seen;
	struct keymap keys;		/* fingerprints */
	struct side_shape *shapes;	/* in order of first sight */
	uint32_t nshapes, shapes_cap;
};

/* All zero bytes = empty. */
struct side {
	struct arena names, scratch;
	struct keymap keys;
	struct side_scope *scopes;
	uint32_t nscopes, scopes_cap;
	uint64_t left_out;		/* requests and shapes beyond the limits */
};

/* Borrows nothing but shapes. */
void side_request(struct side *s, const struct request *r);
/* NULL: the scope was not seen. */
const struct side_scope *side_scope(const struct side *s, const char *name);
/* NULL: the scope did not execute it. */
const struct side_shape *side_shape(const struct side_scope *s, uint64_t fingerprint);
void side_clear(struct side *s);

#endif
