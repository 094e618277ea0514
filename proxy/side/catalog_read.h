/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_read: the catalog of one database over one short connection: names of tables and columns (PostgreSQL), foreign keys.
 * Does: read in one read-only transaction with timeouts. Never: takes a lock that a statement of the app could wait for; writes. */
#ifndef ROWCALL_CATALOG_READ_H
#define ROWCALL_CATALOG_READ_H

#include "reports/lineage/catalog.h"
#include "side.h"

/* database: as sessions name it, which the target may have resolved. NULL: the problem says why. */
struct catalog *catalog_read(const struct side_target *t, uint16_t upstream, const char *database, struct side_problem *p) __attribute__((warn_unused_result));

#endif
