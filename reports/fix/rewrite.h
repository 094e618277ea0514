/* SPDX-License-Identifier: Apache-2.0 */
/* rewrite: the batched form of a look-up that ran once per key: one statement that reads the rows of all keys.
 * Does: compare the executions as they were recorded, find the values that differ between them, build the statement, its parameters and the
 * keys. Never: connects, judges whether the rows are the same (whoever runs both does), or batches what it has no rule for. */
#ifndef ROWCALL_REWRITE_H
#define ROWCALL_REWRITE_H

#include "look_up.h"

enum { REWRITE_KEYS = 400, REWRITE_KEY_COLUMNS = 4 };	/* together fewer than the columns of a result */

/* A bound value as recorded: its text form. */
struct fix_value {
	const char *text;	/* NUL-terminated; NULL = NULL */
	uint32_t type;		/* PostgreSQL: oid, 0 = not known; MySQL: type byte */
};

/* One execution. All borrowed. */
struct fix_exec {
	struct sql_lang lang;
	struct span text;	/* without surrounding comments */
	const struct fix_value *params;
	uint32_t nparams;
};

/* One distinct key, in order of its first execution. */
struct fix_key {
	const char *literal[REWRITE_KEY_COLUMNS];	/* as written; NULL: it was bound */
	struct fix_value bound[REWRITE_KEY_COLUMNS];
	uint32_t exec;				/* the first execution */
	bool null;				/* matches nothing: left out of the rewrite */
};

struct rewrite {
	const char *why;		/* NULL, or why there is none: half a sentence */
	struct look_up look_up;		/* of the first execution */
	uint32_t ncolumns;		/* of the key */
	uint32_t key_conditions[REWRITE_KEY_COLUMNS];	/* indexes into look_up.conditions */
	struct fix_key *keys;
	uint32_t nkeys;			/* at most REWRITE_KEYS, */
	uint32_t distinct;		/* of these */
	int64_t limit;			/* rows per look-up; -1 = all */
	bool ordered;
	/* made by rewrite_build */
	const char *sql;
	struct fix_value *params;
	uint32_t nparams;
	const char *form;		/* "= ANY", "IN", "DISTINCT ON", "ROW_NUMBER" */
	bool without_limit;		/* it has no LIMIT although a key may have more rows: whether one has, the rows tell */
};

/* Everything but the statement; in the arena. execs: all of one shape, n >= 1. */
void rewrite_plan(struct rewrite *w, const struct fix_exec *execs, uint32_t n, struct arena *a);
/* The statement. unique: at most one row has a key, so that LIMIT means nothing. A LIMIT whose rows no other statement could be asked for (no
 * ORDER BY, or one by position) is left out. False: w->why says why not. */
bool rewrite_build(struct rewrite *w, const struct fix_exec *first, bool unique, struct arena *a);

/* The value an execution binds to the token; NULL: it is no parameter, or none was recorded. */
const struct fix_value *rewrite_bound(const struct fix_exec *e, const struct token *t);

/* CREATE INDEX for the columns that the look-up compares with values. */
const char *rewrite_index(const struct look_up *l, struct sql_lang lang, const uint32_t *keys, uint32_t nkeys, struct arena *a);

#endif
