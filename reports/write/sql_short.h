/* SPDX-License-Identifier: Apache-2.0 */
/* sql_short: a shape made to fit a line, giving up first what says least.
 * Does: always drop needless quotes; then, only as far as needed: the select list or the columns of an INSERT, the table's name before its
 * own columns, the joins, what follows the conditions, the word FROM, at last words from the middle.
 * Never: claims to be SQL that runs; leaves an omission other than quotes and prefixes unmarked. */
#ifndef ROWCALL_SQL_SHORT_H
#define ROWCALL_SQL_SHORT_H

#include "fingerprint/strbuf.h"

/* Appends cleaned SQL (text.h) in at most `columns` columns. */
void sql_short(struct strbuf *out, struct span clean, unsigned columns, bool utf8);

#endif
