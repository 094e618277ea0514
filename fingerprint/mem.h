/* SPDX-License-Identifier: Apache-2.0 */
/* mem: the only door to malloc in the program, so that tests can fail the n-th call.
 * Does: allocate, resize, release. Never: hides a failure: mem_* return NULL, xmem_* end the process with a word. */
#ifndef ROWCALL_MEM_H
#define ROWCALL_MEM_H

#include <stddef.h>
#include <stdint.h>

/* NULL when memory is out (or a test says so). The caller frees with mem_free. mem_zero clears the bytes. */
void *mem_alloc(size_t n) __attribute__((malloc, warn_unused_result));
void *mem_zero(size_t n) __attribute__((malloc, warn_unused_result));
void *mem_resize(void *p, size_t n) __attribute__((warn_unused_result));
void mem_free(void *p);

/* For start-up, command-line and analyzer code where going on without memory has no meaning: never NULL. */
void *xmem_zero(size_t n) __attribute__((malloc, returns_nonnull, warn_unused_result));
void *xmem_resize(void *p, size_t n) __attribute__((returns_nonnull, warn_unused_result));
char *xmem_strdup(const char *s) __attribute__((malloc, returns_nonnull, warn_unused_result));
/* Copy of n bytes with a NUL behind them. */
char *xmem_strndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull, warn_unused_result));

/* Room for one more entry behind n of a table that grows by doubling; the new entry is zeroed. Never NULL. */
void *xmem_room(void *table, size_t n, uint32_t *cap, size_t size) __attribute__((returns_nonnull, warn_unused_result));
/* Tests only: let the next `after` mem_* allocations pass, then fail `times` of them. (0, 0) switches it off. */
void mem_fail(unsigned after, unsigned times);

#endif
