/* SPDX-License-Identifier: Apache-2.0 */
/* json: writes JSON straight into a buffer, in the order it is told, without building a tree.
 * Does: commas, quoting, line breaks at the outer levels; the output is valid UTF-8 whatever bytes come in (broken ones become U+FFFD,
 * controls and invisible characters \u escapes). Never: checks that keys are unique or calls balanced beyond its depth. */
#ifndef ROWCALL_JSON_H
#define ROWCALL_JSON_H

#include "fingerprint/strbuf.h"

struct json {
	struct strbuf *out;	/* borrowed; out->cut says something is missing */
	unsigned depth;
	unsigned lines;		/* containers up to this depth have an element per line; 0 = all on one line */
	bool more;		/* the current container has an element already */
	bool keyed;		/* a key was written, its value comes next */
};

/* The whole document on one line when lines is 0. */
void json_init(struct json *j, struct strbuf *out, unsigned lines);
void json_open(struct json *j, char bracket);	/* '{' or '[' */
void json_close(struct json *j, char bracket);	/* '}' or ']' */
void json_key(struct json *j, const char *key);	/* any bytes */
void json_span(struct json *j, struct span s);
void json_str(struct json *j, const char *s);
/* null when s is NULL or "". */
void json_str_or_null(struct json *j, const char *s);
void json_uint(struct json *j, uint64_t v);
void json_int(struct json *j, int64_t v);
void json_bool(struct json *j, bool v);
void json_null(struct json *j);
/* Nanoseconds as milliseconds with three decimals. */
void json_ms(struct json *j, uint64_t ns);

#endif
