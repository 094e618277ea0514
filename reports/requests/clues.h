/* SPDX-License-Identifier: Apache-2.0 */
/* clues: the evidence of executions while their request is open, and how lineage judges it when the request closes.
 * Does: keep parameters and sampled rows per execution, bounded over one request and over all; what does not fit is left out and makes the
 * verdicts partial. Never: decides to which request an execution belongs. Only there when lineage is on. */
#ifndef ROWCALL_CLUES_H
#define ROWCALL_CLUES_H

#include "reports/lineage/lineage.h"

/* The evidence of one execution. Owned by its open statement, then by its request. */
struct clues {
	uint64_t sent, ended;		/* ns */
	uint64_t rows, insert_id;
	const struct lineage_columns *columns;
	uint32_t nparams, nvalues, cap;	/* of v; nvalues: of the rows kept */
	bool partial;
	bool told;			/* its result's record came */
	struct rec_value v[];		/* nparams, then nvalues */
};

struct clue_box;
struct clue_box *clue_box_new(void) __attribute__((returns_nonnull, warn_unused_result));
void clue_box_free(struct clue_box *b);

/* The records, in the order they come; *c is NULL before the first. */
void clues_params(struct clue_box *b, struct clues **c, const struct rec_values *r);
void clues_columns(struct clue_box *b, const struct rec_columns *r);
void clues_row(struct clue_box *b, struct clues **c, const struct rec_values *r);
void clues_result(struct clue_box *b, struct clues **c, const struct rec_result *r);
/* Its statement has ended. */
void clues_end(struct clue_box *b, struct clues **c, uint64_t sent, const struct rec_end *e);
void clues_free(struct clue_box *b, struct clues *c);
/* Takes the catalog over; it replaces an older one of the same database. */
void clues_catalog(struct clue_box *b, struct catalog *c);
/* Every table of the set is one that the database's catalog names. */
bool clues_knows(const struct clue_box *b, const struct rec_columns *r, uint16_t upstream, const char *database);
/* Values it takes of the limits. */
uint32_t clues_size(const struct clues *c);

/* Judges the closed request r, whose statement i has clues[i] (NULL: none). The edges stay until the next call. cut: some were left out. */
const struct edge *clues_judge(struct clue_box *b, const struct request *r, struct clues *const *clues, bool cut, uint32_t *nedges);

#endif
