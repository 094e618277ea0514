/* SPDX-License-Identifier: Apache-2.0 */
/* look_up: a SELECT of one table taken apart, so far as it can be batched without changing what it means.
 * Does: find the select list, the table, the conditions that AND joins, ORDER BY and LIMIT; name in words what stands in the way. Never:
 * guesses: whatever it has no rule for is in the way. */
#ifndef ROWCALL_LOOK_UP_H
#define ROWCALL_LOOK_UP_H

#include "tokens.h"

enum { LOOK_UP_CONDITIONS = 64 };

/* Tokens from .. to-1. */
struct range {
	uint32_t from, to;
};

struct condition {
	struct range all;
	bool equal;		/* column = value */
	struct range column;	/* as written: "t"."id" */
	struct span name;	/* its last part, as written */
	struct range value;	/* a literal or a parameter; and the type it is cast to: */
	struct range cast;	/* empty: none */
};

struct look_up {
	const struct token *t;
	uint32_t n;
	struct range list;	/* behind SELECT */
	struct range from;	/* table and alias */
	struct span table;	/* as written, with schema */
	struct condition conditions[LOOK_UP_CONDITIONS];
	uint32_t nconditions;
	struct range order;	/* behind ORDER BY; empty: none */
	struct range limit;	/* the number or parameter; empty: none */
	struct range offset;
};

/* NULL: it could be taken apart. Else what stands in the way: half a sentence, static; table and conditions are filled as far as they go. */
const char *look_up_read(struct look_up *l, struct sql_lang lang, struct span text, struct arena *a);

static inline bool
range_empty(struct range r)
{
	return r.from >= r.to;
}

#endif
