/* SPDX-License-Identifier: Apache-2.0 */
/* verdict_words: the verdict of a run in a word and a sentence, alike in every format for people.
 * Does: count and append plain text. Never: judges; lays out. */
#ifndef ROWCALL_VERDICT_WORDS_H
#define ROWCALL_VERDICT_WORDS_H

#include "reports/judge/snapshot.h"

struct sums {
	uint64_t by_rule[RULES];	/* findings that count */
	uint64_t findings, notes;	/* findings: all of by_rule */
	uint64_t over, budgeted;	/* scopes that fail the gate; scopes with a budget or a baseline */
};

struct sums verdict_sums(const struct snapshot *s);
/* "PASS", "FAIL", "UNUSABLE"; "FOUND" when there are findings and no gate to fail. */
const char *verdict_word(const struct snapshot *s, const struct sums *c);
/* "1 N+1, 2 duplicates; 2 of 6 scopes fail the gate", one line without a full stop. */
void verdict_sentence(struct strbuf *out, const struct snapshot *s, const struct sums *c);

/* What n findings of a rule are called in a sentence: "N+1", "duplicates". */
const char *rule_words(enum rule_id rule, uint64_t n);
/* "s" unless n is one. */
const char *plural(uint64_t n);

#endif
