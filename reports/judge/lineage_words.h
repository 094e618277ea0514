/* SPDX-License-Identifier: Apache-2.0 */
/* lineage_words: what a finding says of an edge. Numbers are distinct values; what was not kept or not certain is said.
 * Never: prints a value. */
#ifndef ROWCALL_LINEAGE_WORDS_H
#define ROWCALL_LINEAGE_WORDS_H

#include "facts.h"

/* The edge that ends in the repeat, NULL when lineage has none; and the one that takes turns with it. */
const struct edge *lineage_edge(const struct facts *f, const struct repeat *g);
const struct edge *lineage_edge_beside(const struct facts *f, const struct edge *e);
/* "57 of 57 values, each row once, in row order"; for hints and followers a half sentence to put behind other evidence. */
const char *lineage_evidence(const struct edge *e, struct arena *a);

#endif
