/* SPDX-License-Identifier: Apache-2.0 */
/* catalog: what one database told of itself: names of tables and columns behind PostgreSQL's numbers, and its foreign keys.
 * Does: hold them for lookup. Never: connects (proxy/side/ reads it), changes once it was handed over. */
#ifndef ROWCALL_CATALOG_H
#define ROWCALL_CATALOG_H

#include "foreign_keys.h"

struct catalog_column {
	uint32_t table;		/* oid */
	uint16_t attnum;
	const char *table_name, *name;
};

struct catalog;
/* Copies everything. upstream: as in rec_open; database: as sessions name it. */
struct catalog *catalog_new(uint16_t upstream, const char *database, const struct catalog_column *columns, uint32_t ncolumns,
    const struct lineage_key *keys, uint32_t nkeys) __attribute__((returns_nonnull, warn_unused_result));
void catalog_free(struct catalog *c);

bool catalog_is(const struct catalog *c, uint16_t upstream, const char *database);
/* Both are of one database. */
bool catalog_same(const struct catalog *a, const struct catalog *b);
/* NULL: not known. */
const struct catalog_column *catalog_find(const struct catalog *c, uint32_t table, uint16_t attnum);
const struct foreign_keys *catalog_keys(const struct catalog *c);

/* Who has catalogs read. All calls come from the analyzer's thread and return at once, but for settle. */
struct catalog_source {
	void *ctx;
	/* Sessions use this database; changed: it has tables that the catalog handed over last did not know. NULL: nobody reads catalogs. */
	void (*wanted)(void *ctx, uint16_t upstream, const char *database, bool changed);
	/* The end is near: waits, a moment at most, until what was wanted has been handed over. */
	void (*settle)(void *ctx);
};

#endif
