/* SPDX-License-Identifier: Apache-2.0 */
/* finding: see finding.h. */
#include "finding.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "fingerprint/strbuf.h"
#include "location.h"

static void
print_fingerprint(char buf[17], const struct shape *s)
{
	buf[0] = '\0';
	if (s)
		snprintf(buf, 17, "%016" PRIx64, s->fingerprint);
}

uint64_t
finding_id(enum rule_id rule, const char *scope, const struct shape *repeat, const char *column)
{
	enum { TEXT = 2 * LIMIT_NAME + 128 };
	char text[TEXT], of[17];
	int n;

	print_fingerprint(of, repeat);
	n = snprintf(text, TEXT, "%s\n%.*s\n%s\n\n%.*s", rule_names[rule], LIMIT_NAME, scope, of, LIMIT_NAME, column);
	return XXH3_64bits(text, n < TEXT ? (size_t)n : TEXT - 1);
}

static void
free_texts(struct finding *f)
{
	mem_free((char *)f->worst.evidence);
	mem_free((char *)f->worst.column);
	mem_free(f->test);
	mem_free(f->file);
	mem_free(f->caller);
}

static const char *
caller_of(const struct request *r)
{
	for (uint32_t i = 0; i < r->ntags; i++)
		if (strcmp(r->tags[i].key, "caller") == 0)
			return r->tags[i].value;
	return "";
}

static void
take_worst(struct finding *f, const struct request *r, const struct raw_finding *raw)
{
	struct location where = location_of(r, raw);

	free_texts(f);
	f->worst = *raw;
	f->worst.next = NULL;
	f->worst.evidence = xmem_strdup(raw->evidence);
	f->worst.column = xmem_strdup(raw->column);
	f->test = xmem_strdup(r->test);
	f->file = xmem_strndup(where.file.n ? (const char *)where.file.p : "", where.file.n);
	f->caller = xmem_strdup(where.file.n ? "" : caller_of(r));
	f->line = where.line;
	f->origin = where.origin;
	f->framework = advice_framework(r);
	f->request = r->number;
}

static bool
is_worse(const struct raw_finding *a, const struct raw_finding *b)
{
	if (a->allowed != b->allowed)
		return !a->allowed;
	if (a->verdict != b->verdict)
		return a->verdict < b->verdict;
	if (a->executions != b->executions)
		return a->executions > b->executions;
	return a->busy > b->busy;
}

static void
link_to_scope(struct findings *all, uint32_t index, uint32_t scope)
{
	if (scope >= all->nscopes) {
		uint32_t n = 2 * scope + 16;

		all->in_scope = xmem_resize(all->in_scope, n * sizeof *all->in_scope);
		memset(all->in_scope + all->nscopes, 0, (n - all->nscopes) * sizeof *all->in_scope);
		all->nscopes = n;
	}
	all->v[index].scope = scope;
	all->v[index].next_in_scope = all->in_scope[scope] ? all->in_scope[scope] - 1 : KEYMAP_NONE;
	all->in_scope[scope] = index + 1;
}

static struct finding *
entry_for(struct findings *all, uint64_t id, uint32_t index)
{
	if (all->n == all->cap) {
		all->cap = all->cap ? all->cap * 2 : 16;
		all->v = xmem_resize(all->v, all->cap * sizeof all->v[0]);
	}
	all->v[index] = (struct finding){ .id = id, .allow = -1 };
	all->n++;
	return &all->v[index];
}

uint32_t
findings_add(struct findings *all, const struct request *r, const struct raw_finding *raw, uint32_t scope, bool judged, bool *is_new)
{
	uint64_t id = finding_id(raw->rule, r->scope, raw->repeat, raw->column);
	uint32_t i = keymap_add(&all->ids, id, LIMIT_FINDINGS);
	struct finding *f;

	*is_new = false;
	if (i == KEYMAP_NONE) {
		all->dropped++;
		return i;
	}
	if (i == all->n) {
		*is_new = true;
		f = entry_for(all, id, i);
		link_to_scope(all, i, scope);
	} else
		f = &all->v[i];
	if (*is_new || is_worse(raw, &f->worst)) {
		take_worst(f, r, raw);
		f->verdict = raw->verdict;
	}
	if (f->last_request != r->number)
		f->seen_in++;
	f->last_request = r->number;
	f->executions += raw->executions;
	f->busy += raw->busy;
	f->excess += raw->excess;
	f->wasted += raw->wasted;
	f->counted |= !raw->allowed;
	if (judged && !raw->allowed && raw->verdict != VERDICT_NOTE) {
		f->judged[raw->verdict]++;
		f->judged_across[raw->verdict] += raw->across;
	}
	return i;
}

bool
finding_is_fixed(const struct finding *f)
{
	return f->verdict == VERDICT_SUSPECTED && f->worst.rule == RULE_N_PLUS_ONE && growth_fit(&f->growth).fixed;
}

void
findings_clear(struct findings *all)
{
	for (uint32_t i = 0; i < all->n; i++)
		free_texts(&all->v[i]);
	mem_free(all->v);
	mem_free(all->in_scope);
	keymap_clear(&all->ids);
	*all = (struct findings){ 0 };
}
