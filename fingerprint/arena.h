/* SPDX-License-Identifier: Apache-2.0 */
/* arena: bump allocation for things that die together (one request).
 * Does: allocate freely, release once. Never: frees a single object. Not thread-safe. */
#ifndef ROWCALL_ARENA_H
#define ROWCALL_ARENA_H

#include "span.h"

struct arena_block;
struct arena {
	struct arena_block *head;	/* newest block */
	size_t used;			/* bytes handed out since the last reset */
};

/* A cleared arena is all zero bytes: no init needed. Memory is zeroed and 8-byte aligned; never NULL (xmem). */
void *arena_zero(struct arena *a, size_t n) __attribute__((returns_nonnull));
/* Copy of the bytes with a NUL behind them, alive until reset. */
char *arena_strndup(struct arena *a, struct span s) __attribute__((returns_nonnull));
/* Copy of a NUL-terminated text; NULL becomes "". */
const char *arena_str(struct arena *a, const char *s) __attribute__((returns_nonnull));
/* As printf. */
const char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3), returns_nonnull));
/* Forgets everything; keeps one block for reuse. */
void arena_reset(struct arena *a);
/* Frees all memory. */
void arena_clear(struct arena *a);

#endif
