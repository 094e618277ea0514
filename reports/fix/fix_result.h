/* SPDX-License-Identifier: Apache-2.0 */
/* fix_result: what `rowcall fix` found out about one finding, as plain data, and how it is said.
 * Does: describe and print. Never: connects (proxy/side/ does), shows a value. */
#ifndef ROWCALL_FIX_RESULT_H
#define ROWCALL_FIX_RESULT_H

#include "reports/judge/snapshot.h"
#include "rewrite.h"

enum fix_state {
	FIX_VERIFIED,		/* both gave the same rows for every key */
	FIX_DIFFERS,		/* they did not */
	FIX_NOT_VERIFIABLE,
};

enum { FIX_SCANS = 16 };

struct fix_scan {
	const char *how;	/* "Seq Scan", "Index Scan"; "ALL", "ref", "eq_ref" */
	const char *table, *index;	/* "" = none */
	bool whole;		/* reads the whole table and filters */
	bool possible;		/* MySQL: there is an index it could use */
};

struct fix_plan {
	bool known;
	const char *why;	/* when it is not */
	struct fix_scan scans[FIX_SCANS];
	uint32_t nscans;
	double cost;		/* the server's own units; < 0 = it does not say */
};

struct fix_result {
	enum fix_state state;
	const char *why;	/* FIX_NOT_VERIFIABLE, FIX_DIFFERS: half a sentence */
	struct rewrite rewrite;	/* sql NULL: none */
	const char *database, *server;	/* where it ran; "" = nowhere */
	uint32_t executions;	/* in the recorded request */
	uint32_t ran;		/* of them, here */
	uint32_t keys, keys_with_rows, keys_differ;
	bool same_together;	/* FIX_DIFFERS: all rows together are the same */
	bool order_differs;	/* FIX_VERIFIED: but not the order of rows within a key */
	uint64_t rows;
	uint64_t ns_before, ns_after;
	struct fix_plan source, child, batched;
	const char *index;	/* CREATE INDEX that would serve the look-up; NULL = none is missing */
	bool has_source;
};

/* The report in words, and as JSON (schema "rowcall.fix/1"). finding: of snap. */
void fix_write_text(struct strbuf *out, const struct snapshot *snap, const struct snap_finding *f, const struct fix_result *r);
void fix_write_json(struct strbuf *out, const struct snapshot *snap, const struct snap_finding *f, const struct fix_result *r);

#endif
