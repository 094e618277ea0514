/* SPDX-License-Identifier: Apache-2.0 */
/* modules: see modules.h. */
#include "modules.h"

#include <inttypes.h>
#include <string.h>

enum { SHOWN = 3 };

/* "shop/views.py:14" is in shop/views.py. */
static struct span
module_of(const struct request *r, const struct req_stmt *s)
{
	const char *site = s->site ? r->sites[s->site - 1].value : "";
	const char *colon = strrchr(site, ':');

	return span_of(site, colon ? (size_t)(colon - site) : strlen(site));
}

void
modules_add(struct modules *m, const struct request *r, uint32_t i)
{
	struct span name = module_of(r, &r->stmts[i]);

	for (uint32_t k = 0; k < m->n; k++)
		if (span_eq(m->name[k], name))
			return;
	if (name.n && m->n < MODULES_KEPT)
		m->name[m->n++] = name;
}

const char *
modules_words(const struct modules *m, struct arena *a)
{
	const char *list = "";

	for (uint32_t i = 0; i < m->n && i < SHOWN; i++)
		list = arena_printf(a, "%s%s%.*s", list, i ? ", " : "", (int)m->name[i].n, (const char *)m->name[i].p);
	return arena_printf(a, "asked by %" PRIu32 "%s modules: %s%s", m->n, m->n == MODULES_KEPT ? " or more" : "", list,
	    m->n > SHOWN ? ", ..." : "");
}
