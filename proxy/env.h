/* SPDX-License-Identifier: Apache-2.0 */
/* env: a copy of an environment that can be changed and handed to a child.
 * Does: get, set, unset. Never: touches the process's own environment. */
#ifndef ROWCALL_ENV_H
#define ROWCALL_ENV_H

#include "fingerprint/arena.h"

struct env {
	struct arena *arena;	/* owns the texts */
	char **v;		/* "NAME=value", NULL behind the last; owned */
	uint32_t n, cap;
};

/* The texts of `from` are borrowed. */
void env_init(struct env *e, struct arena *a, char *const *from);
void env_clear(struct env *e);

/* NULL: not set. */
const char *env_get(const struct env *e, const char *name);
/* The same, and NULL for an empty value, as most readers treat it. */
const char *env_said(const struct env *e, const char *name);
void env_set(struct env *e, const char *name, const char *value);
void env_unset(struct env *e, const char *name);

#endif
