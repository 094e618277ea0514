/* SPDX-License-Identifier: Apache-2.0 */
/* sequence: what one request executed, in order, with loops folded; and two such sequences as a unified diff.
 * Does: fold runs of one shape and of blocks up to SEQUENCE_BLOCK shapes that repeat, compare line by line. Never: keeps more than
 * LIMIT_SEQUENCE lines of a request (`cut` says so). */
#ifndef ROWCALL_SEQUENCE_H
#define ROWCALL_SEQUENCE_H

#include "fingerprint/arena.h"
#include "reports/requests/request.h"

enum { SEQUENCE_BLOCK = 8 };

/* A shape executed `times` times in a row, or, without a shape, the head of a block that runs `times` times: the `lines` lines below it. */
struct seq_line {
	const struct shape *shape;
	uint64_t times;
	uint32_t depth;			/* 1 inside a block */
	uint32_t lines;			/* of a block */
	uint64_t block;			/* hash of the whole block it is in or heads; 0 outside */
};

struct sequence {
	const struct seq_line *lines;
	uint32_t n;
	bool cut;
};

/* Queries, and the control statements among them; set-up is left out. In the arena. */
struct sequence sequence_of(const struct request *r, struct arena *a);

struct seq_change {
	char op;			/* ' ', '-' or '+' */
	const struct seq_line *line;
	uint32_t before, after;		/* number of the line on each side, from 1; 0 = not there */
};

struct seq_diff {
	struct seq_change *changes;	/* every line of both */
	uint32_t n;
	bool differs, cut;
};

/* Borrows the lines. whole_blocks: a block is the same with all its lines or not at all; else the same lines stay where only its head
 * differs. */
struct seq_diff sequence_diff(const struct sequence *before, const struct sequence *after, bool whole_blocks, struct arena *a);

/* One hunk of a unified diff: changes first .. first + n - 1. */
struct seq_hunk {
	uint32_t first, n;
	uint32_t before, before_n, after, after_n;	/* as in @@ -before,before_n +after,after_n @@ */
};
/* The next hunk from *at on, with `context` lines around changes; false when there is none. Start with *at = 0. */
bool sequence_hunk(const struct seq_diff *d, uint32_t context, uint32_t *at, struct seq_hunk *hunk);

#endif
