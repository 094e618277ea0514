/* SPDX-License-Identifier: Apache-2.0 */
/* keymap: 64-bit keys to dense indexes 0, 1, 2, ... in order of first sight.
 * Does: find and add in an open table. Never: removes; keeps names (two names with one XXH3-64 hash would be one: once in 10^11 tables of
 * 10 000 names). */
#ifndef ROWCALL_KEYMAP_H
#define ROWCALL_KEYMAP_H

#include <stdbool.h>
#include <stdint.h>

#define KEYMAP_NONE UINT32_MAX

/* All zero bytes = empty. */
struct keymap {
	uint64_t *keys;
	uint32_t *slots;	/* 1 + index; 0 = free */
	uint32_t n, cap;
};

/* The index of the key, or KEYMAP_NONE. */
uint32_t keymap_find(const struct keymap *m, uint64_t key);
/* The index of the key, adding it (index = n) unless there are `max` already: then KEYMAP_NONE. */
uint32_t keymap_add(struct keymap *m, uint64_t key, uint32_t max);
void keymap_clear(struct keymap *m);
/* Key of a name; different for different kinds of the same name. */
uint64_t keymap_name(const char *name, uint64_t kind);

#endif
