/* SPDX-License-Identifier: Apache-2.0 */
/* lineage_part: what the files of lineage share: lineage_index.c finds values, lineage_trial.c weighs one explanation, lineage_shared.c two
 * that take turns, lineage.c decides.
 * Never: seen by anybody else. */
#ifndef ROWCALL_LINEAGE_PART_H
#define ROWCALL_LINEAGE_PART_H

#include "fingerprint/limits.h"
#include "lineage_names.h"

#define NONE UINT32_MAX

/* ---- lineage_index.c: the values of all results, by value and column ---- */

/* One column of one shape's results, all executions pooled. */
struct source {
	const struct shape *shape;
	const struct lineage_columns *set;	/* NULL: the generated id of an INSERT */
	uint32_t col;
	uint32_t first_entry, last_entry;	/* its distinct values */
	uint32_t first, last;			/* its occurrences */
	uint32_t first_stmt;			/* the first result with rows */
	bool named;				/* key is known */
	bool expression;			/* not a column */
	struct key_column key;
};

/* One distinct value of a source. */
struct entry {
	uint64_t hash;
	int64_t number;
	uint8_t kind, letters, digits;
	uint32_t source;
	uint32_t first, last;		/* occurrences */
	uint32_t next;			/* in its bucket */
	uint32_t next_of_source;
};

/* A value in a row; numbered as results ended, rows in order. */
struct occurrence {
	uint32_t entry, stmt;		/* stmt: index into index.stmts */
	uint32_t next;			/* of the entry */
	uint32_t next_of_source;
};

struct index {
	const struct lineage_stmt *stmts;
	uint32_t n;
	struct source *sources;
	struct entry *entries;
	struct occurrence *occurrences;
	uint32_t nsources, nentries, noccurrences;
	uint32_t *buckets;
	uint32_t mask;
	uint64_t steps;			/* look-ups so far; see LIMIT_LINEAGE_STEPS */
	struct arena *a;
};

void index_build(struct index *x, const struct lineage_stmt *stmts, uint32_t n, struct arena *a);
/* First entry with the value (any source), or NONE; then the next. */
uint32_t index_first(struct index *x, uint64_t hash);
uint32_t index_next(struct index *x, uint32_t entry);
/* The value in one source, or NONE. */
uint32_t index_find(struct index *x, uint64_t hash, uint32_t source);

/* ---- children: the executions of one shape in one place ---- */

/* One value of one slot of one execution. */
struct child_value {
	const struct rec_value *v;
	uint32_t stmt;
	uint32_t id;			/* equal values have one id, in order of first sight */
};

/* One value position of the executions. */
struct child_slot {
	uint16_t slot;
	uint8_t cls;
	struct child_value *values;	/* in order of sending */
	uint32_t nvalues, distinct, executions;
	struct key_column key;
	uint32_t candidates;		/* sources that hold any of its values */
};

struct group {
	const struct shape *shape;
	uint32_t place, first, last, n;	/* statements, by next[] */
	bool proven;
	bool lists;			/* asks for several new values at once: a preload in chunks */
};

/* ---- lineage_trial.c: one explanation of one slot ---- */

struct trial {
	uint32_t group, source;
	const struct child_slot *slot;
	uint32_t hits, misses;		/* distinct values */
	uint32_t lead;			/* hits before the first miss */
	uint32_t source_distinct, source_rows, kept;
	uint64_t rows;			/* of the results before the last execution */
	uint32_t up, down;		/* longest runs of hits that follow the rows */
	uint32_t fan;			/* most values taken of one result */
	uint32_t walk;			/* values found in the result of the execution before */
	uint32_t just_before;		/* hits whose result came since the execution before */
	uint32_t first_child, first_parent;	/* indices into index.stmts */
	double bits;
	enum key_domain domain;
	bool as_seen;			/* values come in the order in which the rows first show them */
	bool shared;			/* with another trial of the slot: their columns take turns */
	uint32_t claimed;		/* values this column brought in then */
	bool self, each_row, newest, sorted, id_like, composite, partial;
	bool fits;			/* more than chance: a loop, when it also fans out */
	bool accepted;
	uint32_t explained;		/* the trial that explains it away, or NONE */
};

/* What weighing needs besides the trial; scratch has room for every statement and every value. */
struct weighing {
	struct index *x;
	const struct group *g;
	const uint32_t *next;		/* next execution of the group, by statement */
	uint32_t *taken, *seen;		/* by statement; by value id: stamps */
	uint32_t stamp;
	const uint32_t *multi;		/* statements with two rows or more, as they ended */
	uint32_t nmulti;
};

/* Fills what looking at the values tells. False: it explains nothing (an echo, fewer than two values). */
bool trial_look(struct weighing *w, struct trial *t);
/* Whether that is more than chance: sets bits and fits. */
void trial_judge(struct index *x, struct trial *t);
/* Of one group's trials, when none fits alone: two columns of one result that together are exactly what was asked for (lineage_shared.c). */
void trials_share(struct weighing *w, struct trial *trials, uint32_t n);
/* Higher is better, among trials of one group. */
double trial_score(const struct index *x, const struct trial *t);
/* Misses that rows which were not kept do not explain. */
uint32_t trial_real_misses(const struct trial *t);

#endif
