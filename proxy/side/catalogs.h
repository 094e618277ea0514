/* SPDX-License-Identifier: Apache-2.0 */
/* catalogs: the thread that reads catalogs of the databases sessions use, and again when tables turn up that the last reading did not know.
 * Does: open one short connection at a time, at most every few seconds per database; hand over what was read. Never: makes the traffic or
 * the analyzer wait (but for settle, a moment, at the end); what it cannot read is said once and names decide. */
#ifndef ROWCALL_CATALOGS_H
#define ROWCALL_CATALOGS_H

#include "proxy/config.h"
#include "reports/lineage/catalog.h"

struct catalogs;
struct catalogs_sink {
	void *ctx;
	void (*read)(void *ctx, struct catalog *c);	/* takes it over; on the thread of catalogs */
	void (*say)(void *ctx, const char *line);	/* a warning, without the password; same thread */
};

/* cfg is borrowed. NULL without err: no listener asks for catalogs. NULL with err: no thread could be started. */
struct catalogs *catalogs_start(const struct config *cfg, struct catalogs_sink sink, char *err, size_t err_n) __attribute__((warn_unused_result));
/* Ends the thread; a reading under way ends first (its waits are bounded). NULL is fine. */
void catalogs_stop(struct catalogs *c);

/* catalog_source.wanted and .settle, with ctx = struct catalogs. */
void catalogs_wanted(void *catalogs, uint16_t upstream, const char *database, bool changed);
void catalogs_settle(void *catalogs);

#endif
