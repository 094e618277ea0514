/* SPDX-License-Identifier: Apache-2.0 */
/* lineage_names: what the names of two columns say about each other: is one the key the other refers to.
 * Does: read `id`, `customer_id`, `billingCustomerId`, `parent_id` the way people write them; ask the catalog's foreign keys first.
 * Never: looks at values. */
#ifndef ROWCALL_LINEAGE_NAMES_H
#define ROWCALL_LINEAGE_NAMES_H

#include "lineage.h"

/* How well two columns fit. */
enum key_domain {
	DOMAIN_CONTRADICTS = -1,	/* keys of two different tables */
	DOMAIN_UNKNOWN = 0,
	DOMAIN_SHARED = 1,		/* two references to one table */
	DOMAIN_SAME = 2,		/* the same key, read again */
	DOMAIN_REFERS = 3,		/* one is the key the other refers to */
};

enum key_kind { KEY_PLAIN, KEY_OWN, KEY_REFERS };

/* A column as a key. */
struct key_column {
	const char *table, *column;	/* without schema and quotes; table "" = not known */
	uint8_t kind;			/* enum key_kind */
	uint32_t target;		/* the table it is a key of; NO_TABLE = not known */
	bool self;			/* refers to its own table */
	const char *stem;		/* KEY_REFERS: "billing_customer" */
};

enum { NO_TABLE = UINT32_MAX };

/* Table names seen, so that a reference finds its table. */
struct table_names;
struct table_names *table_names_new(void) __attribute__((returns_nonnull, warn_unused_result));
void table_names_free(struct table_names *t);
/* A name as in a shape: "shop.orders". */
void table_names_add(struct table_names *t, const char *name);

/* table, column: as in a shape; strings of the result live in the arena. */
struct key_column key_column(const struct table_names *t, const char *table, const char *column, struct arena *a);
/* *self: the reference stays in one table. keys: the catalogs', the first that knows the columns decides; n = 0: none. */
enum key_domain key_domain(const struct key_column *x, const struct key_column *y, const struct foreign_keys *const *keys, uint32_t n,
    bool *self);

/* Where column `at` (of n) of a shape's result comes from, by its select list: false when it is an expression or not to be told; with
 * table "" it is that label's column of a table not known. label: as the server names it. */
bool column_origin(const struct shape *s, uint32_t at, const char *label, struct arena *a, const char **table, const char **column);

#endif
