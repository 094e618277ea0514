/* SPDX-License-Identifier: Apache-2.0 */
/* stack_words: how the places of the tree of scopes and shapes are called, alike in every format that draws it.
 * Does: append cleaned UTF-8 (text.h), one line. Never: escapes; that is the format's part. */
#ifndef ROWCALL_STACK_WORDS_H
#define ROWCALL_STACK_WORDS_H

#include "reports/judge/snapshot.h"

/* "GET /orders", "q91bd02c SELECT … FROM customers WHERE id = ?" (up to `columns` of SQL), "transaction control", "set-up". */
void stack_name(struct strbuf *out, const struct snap_stack *p, unsigned columns);
/* "scope", "query", "loop" (a query of a loop, beneath what fed it), "other". */
const char *stack_class(const struct snap_stack *p);

#endif
