/* SPDX-License-Identifier: Apache-2.0 */
/* verify_part: what verify.c (running both), verify_keys.c (what the server says of keys) and verify_rows.c (the rows of both, compared)
 * share. Nobody else. */
#ifndef ROWCALL_VERIFY_PART_H
#define ROWCALL_VERIFY_PART_H

#include "verify.h"

/* One row as bytes that tell cells and NULL apart; sorted and compared as a whole. */
struct row {
	struct span bytes;
	uint32_t key;
};

struct rows_of_keys {
	struct row *v;
	uint32_t n, cap;
};

struct bench {
	struct side *s;
	const struct verify_job *job;
	struct fix_result *r;
	struct arena *a;
	struct arena bytes;		/* of rows */
	struct rows_of_keys before, after;
	uint32_t ncolumns;		/* of the originals */
};

/* ---- verify_keys.c ---- */

/* At most one row has the compared values: a unique index covers no more than these columns. */
bool verify_unique(struct bench *b);
/* One row: every key, cast to the type of its column. False: the server cannot say. */
bool verify_ask_keys(struct bench *b, const struct side_column *columns, struct side_rows *rows);
/* A key's columns as bytes, numbers in one form; from: the first of them. */
struct span verify_key(struct bench *b, const struct side_rows *rows, uint32_t row, uint32_t from, const struct side_column *columns);

/* ---- verify_rows.c ---- */

/* The first cells of a row, as one of the key's; key UINT32_MAX: of none. False: more than can be compared, as the result
 * says. */
bool verify_keep_row(struct bench *b, struct rows_of_keys *into, const struct side_rows *rows, uint32_t row, uint32_t cells, uint32_t key)
    __attribute__((warn_unused_result));
/* The result says whether what is kept of both is the same. */
void verify_compare(struct bench *b);

#endif
