/* SPDX-License-Identifier: Apache-2.0 */
/* env: see env.h. */
#include "env.h"

#include <stdio.h>

#include "fingerprint/mem.h"

static char **
find(const struct env *e, const char *name)
{
	size_t n = strlen(name);

	for (uint32_t i = 0; i < e->n; i++) {
		if (strncmp(e->v[i], name, n) == 0 && e->v[i][n] == '=')
			return &e->v[i];
	}
	return NULL;
}

static void
append(struct env *e, char *entry)
{
	if (e->n + 2 > e->cap) {
		e->cap = e->cap ? e->cap * 2 : 128;
		e->v = xmem_resize(e->v, e->cap * sizeof *e->v);
	}
	e->v[e->n++] = entry;
	e->v[e->n] = NULL;
}

void
env_init(struct env *e, struct arena *a, char *const *from)
{
	*e = (struct env){ .arena = a };
	for (; *from; from++)
		append(e, *from);
	if (!e->v) {
		e->v = xmem_zero(sizeof *e->v * 2);
		e->cap = 2;
	}
}

void
env_clear(struct env *e)
{
	mem_free(e->v);
	*e = (struct env){ 0 };
}

const char *
env_get(const struct env *e, const char *name)
{
	char **entry = find(e, name);

	return entry ? *entry + strlen(name) + 1 : NULL;
}

const char *
env_said(const struct env *e, const char *name)
{
	const char *value = env_get(e, name);

	return value && *value ? value : NULL;
}

void
env_set(struct env *e, const char *name, const char *value)
{
	size_t n = strlen(name) + strlen(value) + 2;
	char *text = arena_zero(e->arena, n), **entry = find(e, name);

	snprintf(text, n, "%s=%s", name, value);
	if (entry)
		*entry = text;
	else
		append(e, text);
}

void
env_unset(struct env *e, const char *name)
{
	char **entry;

	while ((entry = find(e, name))) {
		memmove(entry, entry + 1, (size_t)(e->v + e->n - entry) * sizeof *entry);
		e->n--;
	}
}
