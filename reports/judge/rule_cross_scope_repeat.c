/* SPDX-License-Identifier: Apache-2.0 */
/* cross-scope-repeat: several modules of one request ask for the same, and none of them sees that the others do.
 * Suspected when a question with the same parameters comes from two modules or more; a note when only the shape is shared. A module is the
 * file that the statement's own comment names. Not a finding: what one module repeats alone (n-plus-one, duplicate), reads around a write,
 * and statements whose comments name no line of code. */
#include <inttypes.h>

#include "rule_checks.h"
#include "words.h"

enum { FEWEST = 3, MODULES_KEPT = 16, MODULES_SHOWN = 3 };

struct modules {
	struct span name[MODULES_KEPT];
	uint32_t n;
};

/* "shop/views.py:14" is in shop/views.py. */
static struct span
module_of(const struct request *r, const struct req_stmt *s)
{
	const char *site = s->site ? r->sites[s->site - 1].value : "";
	const char *colon = strrchr(site, ':');

	return span_of(site, colon ? (size_t)(colon - site) : strlen(site));
}

static void
add_module(struct modules *m, struct span name)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (span_eq(m->name[i], name))
			return;
	if (name.n && m->n < MODULES_KEPT)
		m->name[m->n++] = name;
}

static const char *
list_modules(const struct modules *m, struct arena *a)
{
	const char *list = "";

	for (uint32_t i = 0; i < m->n && i < MODULES_SHOWN; i++)
		list = arena_printf(a, "%s%s%.*s", list, i ? ", " : "", (int)m->name[i].n, (const char *)m->name[i].p);
	return m->n > MODULES_SHOWN ? arena_printf(a, "%s, ...", list) : list;
}

/* The same question was asked before, by another module, and nothing it reads was written since. */
static bool
repeats_another(const struct facts *f, uint32_t i)
{
	uint32_t p = f->before[i];
	const struct request *r = f->r;

	if (p == FACTS_NONE || !f->write || f->write[i] > p + 1 || facts_border_between(f, p, i) || facts_is_retry(f, p, i))
		return false;
	return r->stmts[p].site && r->stmts[i].site && !span_eq(module_of(r, &r->stmts[p]), module_of(r, &r->stmts[i]));
}

static void
judge(const struct facts *f, const struct repeat *g, struct arena *a, struct raw_finding **out)
{
	struct modules m = { .n = 0 };
	struct raw_finding *found;
	uint32_t same = 0;
	uint64_t wasted = 0;

	for (uint32_t i = g->first; i != FACTS_NONE; i = f->next[i]) {
		add_module(&m, module_of(f->r, &f->r->stmts[i]));
		if (repeats_another(f, i)) {
			same++;
			wasted += f->r->stmts[i].busy;
		}
	}
	if (m.n < 2)
		return;
	found = rule_add(a, out, RULE_CROSS_SCOPE_REPEAT, same ? VERDICT_SUSPECTED : VERDICT_NOTE, g);
	found->excess = same;
	found->wasted = wasted;
	found->evidence = arena_printf(a, "asked by %" PRIu32 "%s modules: %s%s", m.n, m.n == MODULES_KEPT ? " or more" : "", list_modules(&m, a),
	    same ? arena_printf(a, "; %s the same question as another", words_count(a, same, "time", "times")) : "");
}

void
rule_cross_scope_repeat(const struct facts *f, const struct rule_settings *s, struct arena *a, struct raw_finding **out)
{
	(void)s;
	for (uint32_t i = 0; f->r->nsites > 1 && i < f->nrepeats; i++) {
		const struct repeat *g = &f->repeats[i];

		if (g->shape->cls == SQL_READ && stmt_kind(g->shape) == KIND_QUERY && g->executions >= FEWEST && g->shape->ntables > 0)
			judge(f, g, a, out);
	}
}
