/* SPDX-License-Identifier: Apache-2.0 */
/* arena: see arena.h. Blocks of 4 KiB (first 1 KiB), larger objects get a block of their own size. */
#include "arena.h"

#include <stdarg.h>
#include <stdio.h>

#include "mem.h"

struct arena_block {
	struct arena_block *next;
	size_t used, cap;
	_Alignas(8) unsigned char bytes[];
};

enum { FIRST_BLOCK = 1024, NEXT_BLOCK = 4096 };

void *
arena_zero(struct arena *a, size_t n)
{
	struct arena_block *b = a->head;

	n = (n + 7) & ~(size_t)7;
	if (!b || b->cap - b->used < n) {
		size_t cap = b ? NEXT_BLOCK : FIRST_BLOCK;

		if (cap < n)
			cap = n;
		b = xmem_zero(sizeof *b + cap);
		b->cap = cap;
		b->next = a->head;
		a->head = b;
	}
	void *p = b->bytes + b->used;

	b->used += n;
	a->used += n;
	return memset(p, 0, n);
}

char *
arena_strndup(struct arena *a, struct span s)
{
	char *p = arena_zero(a, s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	return p;
}

static void
free_blocks(struct arena_block *b)
{
	while (b) {
		struct arena_block *next = b->next;

		mem_free(b);
		b = next;
	}
}

const char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *p = arena_zero(a, (n < 0 ? 0 : (size_t)n) + 1);

	va_start(ap, fmt);
	vsnprintf(p, (n < 0 ? 0 : (size_t)n) + 1, fmt, ap);
	va_end(ap);
	return p;
}

const char *
arena_str(struct arena *a, const char *s)
{
	return arena_strndup(a, span_str(s));
}

void
arena_reset(struct arena *a)
{
	if (a->head) {
		free_blocks(a->head->next);
		a->head->next = NULL;
		a->head->used = 0;
	}
	a->used = 0;
}

void
arena_clear(struct arena *a)
{
	free_blocks(a->head);
	*a = (struct arena){ 0 };
}
