/* SPDX-License-Identifier: Apache-2.0 */
/* strbuf: a growing byte buffer with a mandatory maximum.
 * Does: append, print, hand over. Never: grows past its maximum; what did not fit is dropped and `cut` is set. */
#ifndef ROWCALL_STRBUF_H
#define ROWCALL_STRBUF_H

#include <stdarg.h>

#include "span.h"

struct strbuf {
	char *p;	/* NUL-terminated whenever non-NULL; owned */
	size_t n, cap;	/* bytes used and allocated */
	size_t max;	/* never more than this many bytes of content */
	bool cut;	/* something did not fit, or memory was out */
};

/* An empty buffer; allocates nothing until the first append. */
void strbuf_init(struct strbuf *b, size_t max);
/* Frees the bytes; the buffer can be used again with the same maximum. */
void strbuf_clear(struct strbuf *b);
/* Empties the buffer and keeps its memory. */
void strbuf_reset(struct strbuf *b);

/* Append; on overflow as much as fits is kept and `cut` is set. False exactly when something was dropped. */
bool strbuf_add(struct strbuf *b, struct span s);
bool strbuf_str(struct strbuf *b, const char *s);
bool strbuf_char(struct strbuf *b, char c);
bool strbuf_printf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool strbuf_vprintf(struct strbuf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Makes room for n more bytes at b->p + b->n (the caller then advances b->n). NULL when they would not fit. */
char *strbuf_room(struct strbuf *b, size_t n) __attribute__((warn_unused_result));
/* Drops the first n bytes. */
void strbuf_drop(struct strbuf *b, size_t n);

/* The content, borrowed until the next change. */
static inline struct span
strbuf_span(const struct strbuf *b)
{
	return (struct span){ (const uint8_t *)b->p, b->n };
}

/* NUL-terminated content, "" when empty; borrowed until the next change. */
static inline const char *
strbuf_cstr(const struct strbuf *b)
{
	return b->p ? b->p : "";
}

#endif
