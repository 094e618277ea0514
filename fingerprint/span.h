/* SPDX-License-Identifier: Apache-2.0 */
/* span: a pointer and a length over bytes somebody else owns.
 * Does: the handful of pure operations every room needs. Never: allocates, terminates with NUL, or outlives its owner. */
#ifndef ROWCALL_SPAN_H
#define ROWCALL_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct span {
	const uint8_t *p;
	size_t n;
};

static inline struct span
span_of(const void *p, size_t n)
{
	return (struct span){ p, n };
}

static inline struct span
span_str(const char *s)
{
	return (struct span){ (const uint8_t *)s, s ? strlen(s) : 0 };
}

/* A literal as a span, length known at compile time. */
#define SPAN_LIT(s) ((struct span){ (const uint8_t *)(s), sizeof(s) - 1 })

static inline bool
span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
span_is(struct span a, const char *s)
{
	return span_eq(a, span_str(s));
}

/* ASCII case-insensitive comparison with a NUL-terminated word. */
static inline bool
span_is_nocase(struct span a, const char *s)
{
	return a.n == strlen(s) && (a.n == 0 || strncasecmp((const char *)a.p, s, a.n) == 0);
}

/* Bytes from..end, clamped to the span. */
static inline struct span
span_from(struct span a, size_t from)
{
	if (from > a.n)
		from = a.n;
	return (struct span){ a.p ? a.p + from : NULL, a.n - from };
}

/* At most the first n bytes. */
static inline struct span
span_first(struct span a, size_t n)
{
	return (struct span){ a.p, a.n < n ? a.n : n };
}

#endif
