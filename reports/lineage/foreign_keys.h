/* SPDX-License-Identifier: Apache-2.0 */
/* foreign_keys: which column refers to which, indexed by the column that refers.
 * Does: copy and look up, names compared without case, schema and quotes. Never: changes once made. */
#ifndef ROWCALL_FOREIGN_KEYS_H
#define ROWCALL_FOREIGN_KEYS_H

#include "fingerprint/arena.h"

/* child.child_column refers to parent.parent_column, as the catalog says. */
struct lineage_key {
	const char *child, *child_column, *parent, *parent_column;
};

struct foreign_keys;
/* A copy of at most LIMIT_FOREIGN_KEYS of them. */
struct foreign_keys *foreign_keys_new(const struct lineage_key *keys, uint32_t n) __attribute__((returns_nonnull, warn_unused_result));
void foreign_keys_free(struct foreign_keys *k);

/* The first key of the column (table without schema); then the next one. NULL: no more. k may be NULL. */
const struct lineage_key *foreign_keys_first(const struct foreign_keys *k, const char *table, const char *column);
const struct lineage_key *foreign_keys_next(const struct foreign_keys *k, const struct lineage_key *key);
/* All of them. */
const struct lineage_key *foreign_keys_all(const struct foreign_keys *k, uint32_t *n);

#endif
