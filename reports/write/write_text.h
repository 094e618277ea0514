/* SPDX-License-Identifier: Apache-2.0 */
/* write_text: the parts of the console report, one function per section; not for callers (they have write.h).
 * Each prints nothing, not even its title, when it has nothing to say. */
#ifndef ROWCALL_WRITE_TEXT_H
#define ROWCALL_WRITE_TEXT_H

#include "page.h"
#include "verdict_words.h"
#include "writers.h"

enum ink rule_ink(enum rule_id rule);
void text_verdict(struct page *p, const struct snapshot *s);	/* write_text_verdict.c */
void text_findings(struct page *p, const struct snapshot *s);	/* write_text_findings.c */
void text_requests(struct page *p, const struct snapshot *s);	/* write_text_tables.c */
void text_scopes(struct page *p, const struct snapshot *s);
void text_queries(struct page *p, const struct snapshot *s);
void text_databases(struct page *p, const struct snapshot *s);
void text_totals(struct page *p, const struct snapshot *s);	/* write_text_notes.c */
void text_notes(struct page *p, const struct snapshot *s);
void text_next(struct page *p, const struct snapshot *s);

#endif
