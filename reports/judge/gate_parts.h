/* SPDX-License-Identifier: Apache-2.0 */
/* gate_parts: what the files that judge a run share. Only for them. */
#ifndef ROWCALL_GATE_PARTS_H
#define ROWCALL_GATE_PARTS_H

#include "gate.h"

struct results {
	struct gate_result *first, **tail;
	struct arena *a;
};

/* A failure behind the others, about the whole run until its scope or test is set. kind is static. */
struct gate_result *results_add(struct results *out, const char *kind, const char *message);
/* A failure that says that the capture cannot be trusted. */
void results_distrust(struct results *out, const char *kind, uint64_t value, const char *message);

/* A list of sentences in an arena. */
struct sentences {
	struct arena *a;
	const char **v;
	uint32_t n, cap;
};
void sentences_add(struct sentences *s, const char *sentence);

/* ---- the baseline (gate_ratchet_run.c) ---- */

/* Scopes whose median request makes more queries than recorded. */
void ratchet_judge_scopes(const struct gate *g, struct results *out);
/* The failure of a finding that is new, has grown or whose entry has expired; NULL when it is none. */
struct gate_result *ratchet_judge_finding(const struct gate *g, const struct finding *f, const char *scope, struct results *out);
/* Entries that match nothing in this run. */
void ratchet_stale(const struct gate *g, struct sentences *out);
/* Everything else worth saying. */
void ratchet_warnings(const struct gate *g, struct sentences *out);

#endif
