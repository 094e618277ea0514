/* SPDX-License-Identifier: Apache-2.0 */
/* modules: which modules of the app executed statements. A module is the file that a statement's own comment names.
 * Does: collect the names once each, in order, and list them. Never: guesses a module where no comment names a line of code. */
#ifndef ROWCALL_MODULES_H
#define ROWCALL_MODULES_H

#include "facts.h"

enum { MODULES_KEPT = 16 };

struct modules {
	struct span name[MODULES_KEPT];	/* borrowed from the request */
	uint32_t n;
};

/* The module of statement i of the request, once. */
void modules_add(struct modules *m, const struct request *r, uint32_t i);
/* "asked by 2 modules: shop/auth.py, shop/menu.py", the first few by name, in the arena. Needs two or more. */
const char *modules_words(const struct modules *m, struct arena *a);

#endif
