/* SPDX-License-Identifier: Apache-2.0 */
/* finding_words: what every format for people says about a finding, in the same words.
 * Does: append plain text, one line each, not cleaned and not escaped: that is the format's part. Never: lays out, or names a value. */
#ifndef ROWCALL_FINDING_WORDS_H
#define ROWCALL_FINDING_WORDS_H

#include "reports/judge/snapshot.h"

/* "N+1 in GET /orders: SELECT customers 50x, 50 distinct parameters, median gap 0.3 ms". */
void finding_title(struct strbuf *out, const struct snap_finding *f);		/* "N+1 in GET /orders" */
void finding_sentence(struct strbuf *out, const struct snap_finding *f);

/* Each appends nothing when there is nothing to say. */
void finding_reason(struct strbuf *out, const struct snap_finding *f);		/* column and evidence */
void finding_cost(struct strbuf *out, const struct snapshot *s, const struct snap_finding *f);
void finding_seen(struct strbuf *out, const struct snapshot *s, const struct snap_finding *f);
/* "1.00 per row (5 requests, 2 to 60 rows): grows with the rows"; nothing for a single request. all: also that the rows did not differ
 * enough to tell. */
void finding_growth(struct strbuf *out, const struct snap_finding *f, bool all);
/* The loops it runs inside, outermost first: "SELECT orders (5 rows) > SELECT items 5x > SELECT products 10x". */
void finding_inside(struct strbuf *out, const struct snapshot *s, const struct snap_finding *f);
/* The loop that f runs inside, NULL when there is none. */
const struct snap_finding *finding_parent(const struct snapshot *s, const struct snap_finding *f);
/* "proof" when a column proves it, else "why". */
const char *finding_reason_label(const struct snap_finding *f);

/* All of it as lines "label: text\n", cleaned UTF-8 (text.h), SQL shortened to a few hundred columns. */
void finding_lines(struct strbuf *out, const struct snapshot *s, const struct snap_finding *f);

/* For formats that insist on a place: the path relative to the root of a repository and a line from 1. Without a location the file
 * where gates are configured, as the next thing to open. path is cleaned UTF-8; free it with strbuf_clear. */
struct place {
	struct strbuf path;
	uint32_t line;
};
struct place place_of(const char *file, uint32_t line);
struct place finding_place(const struct snap_finding *f);

#endif
