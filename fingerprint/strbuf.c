/* SPDX-License-Identifier: Apache-2.0 */
/* strbuf: see strbuf.h. Growth is by doubling from 64 bytes, clamped to the maximum. */
#include "strbuf.h"

#include <stdio.h>

#include "mem.h"

void
strbuf_init(struct strbuf *b, size_t max)
{
	*b = (struct strbuf){ .max = max };
}

void
strbuf_clear(struct strbuf *b)
{
	mem_free(b->p);
	strbuf_init(b, b->max);
}

void
strbuf_reset(struct strbuf *b)
{
	b->n = 0;
	b->cut = false;
	if (b->p)
		b->p[0] = '\0';
}

static bool
grow(struct strbuf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : 64;
	char *p;

	if (need < b->cap)
		return true;
	while (cap <= need)
		cap *= 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	p = mem_resize(b->p, cap);
	if (!p)
		return false;
	b->p = p;
	b->cap = cap;
	return true;
}

char *
strbuf_room(struct strbuf *b, size_t n)
{
	if (n > b->max - b->n || !grow(b, b->n + n)) {
		b->cut = true;
		return NULL;
	}
	return b->p + b->n;
}

bool
strbuf_add(struct strbuf *b, struct span s)
{
	bool fits = s.n <= b->max - b->n;

	if (!fits)
		s.n = b->max - b->n;
	if (!grow(b, b->n + s.n)) {
		b->cut = true;
		return false;
	}
	if (s.n)
		memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
	b->p[b->n] = '\0';
	if (!fits)
		b->cut = true;
	return fits;
}

bool
strbuf_str(struct strbuf *b, const char *s)
{
	return strbuf_add(b, span_str(s));
}

bool
strbuf_char(struct strbuf *b, char c)
{
	return strbuf_add(b, span_of(&c, 1));
}

bool
strbuf_vprintf(struct strbuf *b, const char *fmt, va_list ap)
{
	va_list again;
	char small[256];
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof small, fmt, ap);
	if (n < 0 || (size_t)n < sizeof small) {
		va_end(again);
		return n >= 0 && strbuf_add(b, span_of(small, (size_t)n));
	}
	size_t want = (size_t)n;
	char *tmp = mem_alloc(want + 1);
	bool ok = false;

	if (tmp) {
		vsnprintf(tmp, want + 1, fmt, again);
		ok = strbuf_add(b, span_of(tmp, want));
		mem_free(tmp);
	} else
		b->cut = true;
	va_end(again);
	return ok;
}

bool
strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	ok = strbuf_vprintf(b, fmt, ap);
	va_end(ap);
	return ok;
}

void
strbuf_drop(struct strbuf *b, size_t n)
{
	if (n >= b->n) {
		strbuf_reset(b);
		return;
	}
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
	b->p[b->n] = '\0';
}
