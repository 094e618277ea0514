/* SPDX-License-Identifier: Apache-2.0 */
/* compare: two runs, scope by scope: statements, counts, times, findings, and one request of each in order.
 * Does: compare snapshots and sides (side.h) into plain sorted data for the writers of this room. Never: prints, or judges time: a scope is
 * worse when its median request makes more queries or it has a finding that is new or bigger; it is better the other way round. */
#ifndef ROWCALL_COMPARE_H
#define ROWCALL_COMPARE_H

#include "noise.h"
#include "reports/write/write.h"
#include "sequence.h"
#include "side.h"

enum change { CHANGE_NONE, CHANGE_ADDED, CHANGE_REMOVED, CHANGE_MORE, CHANGE_FEWER };
const char *change_name(enum change c);	/* "same", "added", "removed", "more", "fewer" */

/* How often requests of a scope execute a shape. All 0: they do not. */
struct use {
	uint64_t requests;		/* that execute it */
	uint64_t per_request;		/* in the median of these */
	uint64_t executions;		/* in all */
};

struct compared_shape {
	const struct shape *shape;
	enum change change;
	struct use before, after;
};

struct compared_finding {
	const struct snap_finding *f;	/* of after; of before when it is gone */
	enum change change;
	uint64_t before, after;		/* executions in its worst request */
};

enum verdict_change { DIFF_SAME, DIFF_CHANGED, DIFF_BETTER, DIFF_WORSE };	/* changed: other statements, as many */
const char *verdict_change_name(enum verdict_change v);	/* "same", "changed", "better", "worse" */

struct compared_scope {
	const char *name;
	const struct snap_scope *before, *after;	/* NULL: only the other run has it */
	enum verdict_change verdict;
	struct compared_shape *shapes;	/* changed ones first, by the size of the change */
	uint32_t nshapes, nchanged;
	struct compared_finding *findings;	/* new or changed ones, worst first */
	uint32_t nfindings;
	struct noise time;		/* of database time per request */
	/* One request of each run, the median one unless somebody names another; NULL where none was kept with its statements. */
	const struct snap_request *one_before, *one_after;
	struct seq_diff sequence;	/* line by line */
	struct seq_diff blocks;		/* block by block */
};

struct comparison {
	const struct snapshot *before, *after;	/* borrowed */
	struct compared_scope *scopes;	/* worse, better, changed, same; within: the bigger change in queries first, then by name */
	uint32_t nscopes;
	uint32_t count[DIFF_WORSE + 1];	/* scopes by verdict */
	enum verdict_change verdict;	/* worse when a scope is; else better when one is, ... */
	uint64_t left_out;		/* requests and shapes beyond the limits of a side */
	struct arena arena;		/* owns it all */
};

struct compared_run {
	const struct snapshot *snapshot;
	const struct side *side;
};

/* request: label of a request (its key or "#12") whose scope's sequences begin with it; NULL = medians. Borrows both runs; NULL: a sentence
 * in err (no such request). */
struct comparison *compare_runs(const struct compared_run *before, const struct compared_run *after, const char *request, char *err, size_t err_n)
    __attribute__((warn_unused_result));
void comparison_free(struct comparison *c);

/* ---- writers ---- */

void write_diff_text(const struct comparison *c, const struct write_options *o, struct strbuf *out);
void write_diff_markdown(const struct comparison *c, const struct write_options *o, struct strbuf *out);
/* Schema rowcall.diff/1 (reports/diff.schema.json). */
void write_diff_json(const struct comparison *c, const struct write_options *o, struct strbuf *out);
/* The report's page (reports/page) around that document. */
void write_diff_html(const struct comparison *c, const struct write_options *o, struct strbuf *out);
/* A Mermaid sequence diagram of the scope's sequences, what is gone and what is new marked. */
void write_mermaid(const struct compared_scope *s, struct strbuf *out);
/* "rowcall: FAIL worse=1 better=0 scopes=12". */
void write_diff_verdict_line(const struct comparison *c, struct strbuf *out);

#endif
