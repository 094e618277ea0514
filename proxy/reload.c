/* SPDX-License-Identifier: Apache-2.0 */
/* reload: see reload.h. */
#include "reload.h"

#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "fingerprint/mem.h"

struct reloaded *
reload_read(const char *command, const struct settings *was, struct problem *p)
{
	struct reloaded *r = xmem_zero(sizeof *r);

	if (cmd_settings_again(command, was, &r->settings, p) && config_build_to_judge(&r->settings, &r->arena, NULL, 0, &r->cfg, p))
		return r;
	settings_clear(&r->settings);
	arena_clear(&r->arena);
	mem_free(r);
	return NULL;
}

void
reload_free(struct reloaded *r)
{
	if (!r)
		return;
	config_clear(&r->cfg);
	settings_clear(&r->settings);
	arena_clear(&r->arena);
	mem_free(r);
}

/* What judges and reports can change at any time. */
static bool
takes_effect(enum option_id id)
{
	return (id >= OPT_THRESHOLD && id <= OPT_STRICT && id != OPT_LINEAGE) || id == OPT_REPORT;
}

/* The i-th value said of an option, in any way; NULL behind the last. */
static const struct setting *
nth(const struct settings *s, enum option_id id, uint32_t i)
{
	for (uint32_t k = 0; k < s->n; k++)
		if (s->v[k].id == id && i-- == 0)
			return &s->v[k];
	return NULL;
}

static bool
same(const struct settings *a, const struct settings *b, enum option_id id)
{
	const struct setting *x, *y;

	for (uint32_t i = 0; (x = nth(a, id, i)), (y = nth(b, id, i)), x || y; i++)
		if (!x || !y || x->entry != y->entry || strcmp(x->text, y->text) != 0)
			return false;
	return true;
}

bool
reload_left(const struct settings *was, const struct settings *is, char *buf, size_t n)
{
	size_t used = 0;

	buf[0] = '\0';
	for (enum option_id id = 0; id < OPTIONS; id++) {
		if (!options[id].key || takes_effect(id) || same(was, is, id) || used >= n)
			continue;
		used += (size_t)snprintf(buf + used, n - used, "%s%s", used ? ", " : "", options[id].key);
	}
	return used > 0;
}
