/* SPDX-License-Identifier: Apache-2.0 */
/* rows: what a recording's tables hold, row by row (see FORMAT.md).
 * Does: create the file, put rows into it. Never: knows the queue or the thread that feeds it; not thread-safe. */
#ifndef ROWCALL_ROWS_H
#define ROWCALL_ROWS_H

#include <sqlite3.h>

#include "reports/judge/collector.h"

/* All zero bytes = closed. */
struct rows {
	sqlite3 *db;
	sqlite3_stmt *put_request, *put_strays, *put_shape, *put_text;
	char why[200];	/* what SQLite said when a call failed first; "" before */
};

/* One row of `requests`; everything borrowed. */
struct request_row {
	uint64_t number, duration_us, db_us;
	int64_t start_us;
	uint64_t statements, queries;
	enum origin scope_from, borders_from;
	struct span scope, test, key, application, data;
};

/* One row of `texts`; see stmt_values. */
struct text_row {
	uint32_t session, seq;
	struct span text, data;
};

/* What is known when a recording begins. */
struct recording_head {
	const char *command;
	bool values;		/* it will hold values: nobody else may read it */
	int64_t started_us;
	const char *const *upstreams;
	uint32_t nupstreams;
};

/* All return false when SQLite failed, with its words in rows.why. */
bool rows_create(struct rows *r, const char *path, const struct recording_head *head) __attribute__((warn_unused_result));
bool rows_run(struct rows *r, const char *sql) __attribute__((warn_unused_result));
bool rows_request(struct rows *r, const struct request_row *row) __attribute__((warn_unused_result));
bool rows_text(struct rows *r, const struct text_row *row) __attribute__((warn_unused_result));
bool rows_strays(struct rows *r, struct span data) __attribute__((warn_unused_result));
bool rows_shape(struct rows *r, uint32_t id, const struct shape *shape) __attribute__((warn_unused_result));
/* Names of servers, coverage, scopes and findings, in one transaction. dropped: requests that never reached the file. */
bool rows_end(struct rows *r, const struct snapshot *snap, uint64_t dropped) __attribute__((warn_unused_result));
void rows_close(struct rows *r);

#endif
