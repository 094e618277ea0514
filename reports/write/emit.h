/* SPDX-License-Identifier: Apache-2.0 */
/* emit: writes JSON straight into a buffer, in the order it is told, without building a tree.
 * Does: commas, quoting, line breaks at the outer levels; the output is valid UTF-8 whatever bytes come in (broken ones become U+FFFD,
 * controls and invisible characters \u escapes). Never: checks that keys are unique or calls balanced beyond its depth. */
#ifndef ROWCALL_EMIT_H
#define ROWCALL_EMIT_H

#include "fingerprint/strbuf.h"

struct emit {
	struct strbuf *out;	/* borrowed; out->cut says something is missing */
	unsigned depth;
	unsigned lines;		/* containers up to this depth have an element per line; 0 = all on one line */
	bool more;		/* the current container has an element already */
	bool keyed;		/* a key was written, its value comes next */
	bool in_html;		/* the caller's: write < as \u003c, so that no text can end or open an element around the document */
};

/* The whole document on one line when lines is 0. */
void emit_init(struct emit *j, struct strbuf *out, unsigned lines);
void emit_open(struct emit *j, char bracket);	/* '{' or '[' */
void emit_close(struct emit *j, char bracket);	/* '}' or ']' */
void emit_key(struct emit *j, const char *key);	/* any bytes */
void emit_span(struct emit *j, struct span s);
void emit_str(struct emit *j, const char *s);
/* null when s is NULL or "". */
void emit_str_or_null(struct emit *j, const char *s);
void emit_uint(struct emit *j, uint64_t v);
void emit_int(struct emit *j, int64_t v);
void emit_bool(struct emit *j, bool v);
void emit_null(struct emit *j);
/* Nanoseconds as milliseconds with three decimals. */
void emit_ms(struct emit *j, uint64_t ns);
/* Three decimals; null when it is not finite or beyond 10^15. */
void emit_real(struct emit *j, double v);

#endif
