/* SPDX-License-Identifier: Apache-2.0 */
/* text: names, SQL and numbers made fit for one line of a terminal.
 * Does: neutralise hostile bytes, measure and cut by columns, print times and counts the way people read them.
 * Never: colours; lets a control character, a broken byte or a direction change through. */
#ifndef ROWCALL_TEXT_H
#define ROWCALL_TEXT_H

#include "fingerprint/strbuf.h"

/* Appends s on one line: newlines and tabs become blanks, other unsafe characters and broken bytes visible escapes (\x1b, \u202e).
 * Without utf8 the signs rowcall itself uses get ASCII spellings (-> ... x) and other characters escapes too. What a CI runner
 * would obey gets a backslash ("\::error::", "#\#[error]"). */
void text_clean(struct strbuf *out, struct span s, bool utf8);

/* Begins like a command of a CI runner ("::error::", blanks before it ignored): must not begin a line. */
bool text_commands_ci(struct span s);

/* The rest takes cleaned text. */
unsigned text_columns(struct span clean);
struct span text_head(struct span clean, unsigned columns);	/* the longest start that fits */
struct span text_tail(struct span clean, unsigned columns);	/* the longest end that fits */
struct span text_ellipsis(bool utf8);
/* Appends at most `columns` columns; what is left out is marked by an ellipsis. */
void text_cut_end(struct strbuf *out, struct span clean, unsigned columns, bool utf8);
/* Of a path or test id: what is left begins with a separator where one is near. */
void text_cut_start(struct strbuf *out, struct span clean, unsigned columns, bool utf8);
void text_cut_middle(struct strbuf *out, struct span clean, unsigned columns, bool utf8);

/* Numbers into buf, which is returned. */
enum { TEXT_TIME = 32, TEXT_COUNT = 32 };
const char *text_ms(uint64_t ns, char buf[TEXT_TIME]);		/* milliseconds without unit: "0.31", "4.2", "34" */
const char *text_time(uint64_t ns, char buf[TEXT_TIME]);	/* with unit: "0.31 ms", "34 ms", "4.2 s", "3 min 20 s" */
const char *text_count(uint64_t n, char buf[TEXT_COUNT]);	/* "1,842" */

#endif
