/* SPDX-License-Identifier: Apache-2.0 */
/* mem: see mem.h. The failing counter is thread-local, so one test thread never disturbs another. */
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local unsigned fail_after, fail_times;

static int
must_fail(void)
{
	if (fail_times == 0)
		return 0;
	if (fail_after > 0) {
		fail_after--;
		return 0;
	}
	fail_times--;
	return 1;
}

void
mem_fail(unsigned after, unsigned times)
{
	fail_after = after;
	fail_times = times;
}

void *
mem_alloc(size_t n)
{
	return must_fail() ? NULL : malloc(n ? n : 1);
}

void *
mem_zero(size_t n)
{
	return must_fail() ? NULL : calloc(1, n ? n : 1);
}

void *
mem_resize(void *p, size_t n)
{
	return must_fail() ? NULL : realloc(p, n ? n : 1);
}

void
mem_free(void *p)
{
	free(p);
}

static void
out_of_memory(size_t n)
{
	fprintf(stderr, "rowcall: out of memory (%zu bytes)\n", n);
	abort();
}

void *
xmem_zero(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (!p)
		out_of_memory(n);
	return p;
}

void *
xmem_resize(void *p, size_t n)
{
	void *q = realloc(p, n ? n : 1);

	if (!q)
		out_of_memory(n);
	return q;
}

char *
xmem_strndup(const char *s, size_t n)
{
	char *p = xmem_zero(n + 1);

	memcpy(p, s, n);
	return p;
}

char *
xmem_strdup(const char *s)
{
	return xmem_strndup(s, strlen(s));
}

void *
xmem_room(void *table, size_t n, uint32_t *cap, size_t size)
{
	if (n == *cap) {
		*cap = *cap ? *cap * 2 : 16;
		table = xmem_resize(table, *cap * size);
	}
	memset((char *)table + n * size, 0, size);
	return table;
}
