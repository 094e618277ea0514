/* SPDX-License-Identifier: Apache-2.0 */
/* markdown: names and sentences in GitHub flavoured Markdown, so that nothing in them becomes a link, a mention or markup. */
#ifndef ROWCALL_MARKDOWN_H
#define ROWCALL_MARKDOWN_H

#include "fingerprint/strbuf.h"

/* A name in a code span, cut in the middle when it is long; in a cell of a table even code needs its bars escaped. */
void markdown_code(struct strbuf *out, const char *name, bool cell);
/* A sentence as it stands. */
void markdown_sentence(struct strbuf *out, const char *s);
/* A name in the summary of a <details>, which is HTML. */
void markdown_summary(struct strbuf *out, const char *name);
/* Longest run of the byte: how long a fence around the text must be. */
size_t markdown_longest_run(struct span s, uint8_t of);
void markdown_repeat(struct strbuf *out, char c, size_t n);

#endif
