/* SPDX-License-Identifier: Apache-2.0 */
/* stacks: the waits of all requests as one tree: scope, the shape whose rows fed a loop, the shape of that loop, and so on.
 * Does: count calls and time per place in the tree, in bounded memory; what comes after the tree is full is counted at the place above.
 * Never: keeps a request, or guesses: a shape stands beneath another only where lineage proved that it read the other's rows. */
#ifndef ROWCALL_STACKS_H
#define ROWCALL_STACKS_H

#include "facts.h"
#include "reports/requests/keymap.h"

/* Statements that are no queries share one place per scope and kind. */
enum stack_kind { STACK_SCOPE, STACK_QUERY, STACK_CONTROL, STACK_SETUP };

struct stack_place {
	uint32_t above;			/* index; KEYMAP_NONE for a scope */
	uint32_t scope;			/* index into the tally's scopes */
	enum stack_kind kind;
	const struct shape *shape;	/* STACK_QUERY, else NULL */
	uint64_t calls, ns;		/* its own, without what is beneath it */
};

struct stacks {
	struct keymap keys;
	struct stack_place *v;		/* a place comes after the one above it */
	uint32_t n, cap;
};

/* All zero bytes = empty. */
void stacks_clear(struct stacks *s);
void stacks_add(struct stacks *s, const struct facts *f, uint32_t scope);

#endif
