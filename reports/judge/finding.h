/* SPDX-License-Identifier: Apache-2.0 */
/* finding: what rules said about single requests, folded over all of them.
 * Does: give each finding its id, fold instances, keep the worst one with its line of code and framework. Never: judges the gate; keeps more
 * than LIMIT_FINDINGS (the rest is counted). */
#ifndef ROWCALL_FINDING_H
#define ROWCALL_FINDING_H

#include "advice.h"
#include "growth.h"
#include "reports/requests/keymap.h"

/* XXH3-64, seed 0, over the text "rule LF scope LF repeated fingerprint LF LF column" (fingerprint as 16 hex digits, empty when there is
 * none): the same in every run and build, as it holds no counts and no keyed hashes. The source's shape is not in it: a loop over a list
 * is one loop whether the list was read with OFFSET or without; the column tells the loops over different lists apart. */
uint64_t finding_id(enum rule_id rule, const char *scope, const struct shape *repeat, const char *column);

/* All instances of one finding. */
struct finding {
	uint64_t id;
	uint32_t scope;			/* index into the tally's scopes */
	enum verdict verdict;		/* the strongest instance that is not allowed; else the strongest */
	/* The worst instance: not allowed before allowed, then by verdict, executions, time; the first of equals. Strings are owned. */
	struct raw_finding worst;
	char *test, *file, *caller;
	uint32_t line;
	const char *origin;		/* static */
	enum framework framework;
	uint64_t request;		/* its number */
	uint64_t seen_in, last_request;
	uint64_t executions, busy, excess, wasted;	/* summed over all instances */
	int32_t allow;			/* index of the allow entry that covers it, or -1 */
	bool counted;			/* some instance carries no rowcall_allow tag */
	uint64_t judged[2];		/* instances the gate may fail, by verdict: proven, suspected */
	uint64_t judged_across[2];	/* those of them that ask across modules */
	struct growth growth;		/* of a loop */
	uint32_t next_in_scope;		/* index, or KEYMAP_NONE */
};

struct findings {
	struct keymap ids;
	struct finding *v;
	uint32_t n, cap;
	uint32_t *in_scope, nscopes;	/* by scope: 1 + its newest finding; 0 = none */
	uint64_t dropped;		/* instances of findings that were not kept */
};

/* Folds one instance in; judged: the gate looks at its request. Returns its index and whether it is new, or KEYMAP_NONE when not kept. */
uint32_t findings_add(struct findings *f, const struct request *r, const struct raw_finding *raw, uint32_t scope, bool judged, bool *is_new);
/* A suspected loop that does not rise with the rows: what the layout of a page fixes. It counts as a note. */
bool finding_is_fixed(const struct finding *f);
void findings_clear(struct findings *f);

#endif
