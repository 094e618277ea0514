/* SPDX-License-Identifier: Apache-2.0 */
/* gate_ratchet: see gate_ratchet.h. This file measures and compares; gate_ratchet_run.c says what came of it. */
#include "gate_ratchet.h"

#include <xxhash.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "snapshot.h"
#include "words.h"

enum { WARM_UP_REQUESTS = 3 };	/* with fewer requests of a scope the first may be all there is to judge */

bool
ratchet_judges(enum rule_id rule)
{
	return rule == RULE_N_PLUS_ONE || rule == RULE_DUPLICATE || rule == RULE_WRITE_LOOP || rule == RULE_PREPARE_CHURN ||
	       rule == RULE_CROSS_SCOPE_REPEAT;
}

void
ratchet_clear(struct ratchet *r)
{
	for (uint32_t i = 0; i < r->nscopes; i++)
		counts_clear(&r->scopes[i].queries);
	for (uint32_t i = 0; i < r->nfindings; i++)
		counts_clear(&r->findings[i].executions);
	mem_free(r->scopes);
	mem_free(r->findings);
	keymap_clear(&r->scope_keys);
	keymap_clear(&r->finding_keys);
	arena_clear(&r->names);
	*r = (struct ratchet){ 0 };
}

/* ---- measuring ---- */

static uint32_t
scope_of(struct ratchet *r, const struct request *request)
{
	uint32_t i = keymap_add(&r->scope_keys, keymap_name(request->scope, 0), LIMIT_SCOPES);

	if (i == KEYMAP_NONE || i < r->nscopes)
		return i;
	r->scopes = xmem_room(r->scopes, r->nscopes++, &r->scopes_cap, sizeof *r->scopes);
	r->scopes[i].name = arena_strndup(&r->names, span_str(request->scope));
	r->scopes[i].first = request->number;
	return i;
}

static uint64_t
finding_key(uint32_t scope, enum rule_id rule, const struct shape *shape)
{
	const uint64_t key[3] = { scope, rule, shape->fingerprint };

	return XXH3_64bits(key, sizeof key);
}

static bool
is_ratcheted(const struct raw_finding *f)
{
	return ratchet_judges(f->rule) && f->repeat && !f->allowed && f->verdict != VERDICT_NOTE;
}

/* Several findings of one shape in one request (from two sources) are one entry. */
static bool
add_pending(struct ratchet *r, uint32_t scope, const struct raw_finding *found)
{
	uint32_t i = keymap_add(&r->finding_keys, finding_key(scope, found->rule, found->repeat), LIMIT_FINDINGS);

	if (i == KEYMAP_NONE)
		return false;
	if (i == r->nfindings) {
		r->findings = xmem_room(r->findings, r->nfindings++, &r->findings_cap, sizeof *r->findings);
		r->findings[i] = (struct ratchet_finding){ .scope = scope, .rule = found->rule, .shape = found->repeat };
	}
	r->findings[i].pending += found->executions;
	return true;
}

static void
settle_pending(struct ratchet_finding *f, uint64_t number)
{
	if (f->pending == 0)
		return;
	if (f->low_number == 0 || number < f->low_number) {
		if (f->low_number)
			counts_add(&f->executions, f->low);
		f->low_number = number;
		f->low = f->pending;
	} else
		counts_add(&f->executions, f->pending);
	f->pending = 0;
}

uint32_t
ratchet_request(struct ratchet *r, const struct request *request, int64_t queries, const struct raw_finding *found)
{
	uint32_t scope = scope_of(r, request), lost = 0, i;

	if (scope == KEYMAP_NONE)
		return 1;
	counts_add(&r->scopes[scope].queries, (uint64_t)queries);
	if (request->number < r->scopes[scope].first)
		r->scopes[scope].first = request->number;
	for (const struct raw_finding *f = found; f; f = f->next)
		if (is_ratcheted(f) && !add_pending(r, scope, f))
			lost++;
	for (const struct raw_finding *f = found; f; f = f->next) {
		i = is_ratcheted(f) ? keymap_find(&r->finding_keys, finding_key(scope, f->rule, f->repeat)) : KEYMAP_NONE;
		if (i != KEYMAP_NONE)
			settle_pending(&r->findings[i], request->number);
	}
	return lost;
}

/* ---- comparing ---- */

/* Lower median of the values and one more. */
static uint64_t
median_with(const struct counts *c, uint64_t extra)
{
	uint64_t rank = (c->times + 2) / 2, seen = 0;
	bool counted = false;

	for (uint32_t i = 0; i < c->n; i++) {
		if (!counted && extra <= c->v[i].value) {
			counted = true;
			if (++seen >= rank)
				return extra;
		}
		seen += c->v[i].times;
		if (seen >= rank)
			return c->v[i].value;
	}
	return extra;
}

/* False: only the first request has it, and there are enough others. */
static bool
median_of(const struct ratchet *r, const struct ratchet_finding *f, struct ratchet_word *word)
{
	const struct ratchet_scope *s = &r->scopes[f->scope];

	word->requests = f->executions.times + 1;
	word->now = (int64_t)median_with(&f->executions, f->low);
	return word->requests > 1 || f->low_number != s->first || s->queries.times < WARM_UP_REQUESTS;
}

struct ratchet_word
ratchet_finding(const struct ratchet *r, const struct baseline *b, const char *today, const char *scope, enum rule_id rule,
    const struct shape *shape)
{
	struct ratchet_word word = { .state = RATCHET_NONE };
	uint32_t s = keymap_find(&r->scope_keys, keymap_name(scope, 0)), i;

	if (!b || !ratchet_judges(rule) || !shape || s == KEYMAP_NONE)
		return word;
	i = keymap_find(&r->finding_keys, finding_key(s, rule, shape));
	if (i == KEYMAP_NONE)
		return word;
	word.entry = baseline_find(baseline_scope(b, scope), rule, shape);
	bool judged = median_of(r, &r->findings[i], &word), expired = word.entry && word.entry->expires && strcmp(today, word.entry->expires) > 0;

	if (word.entry && !expired && word.now <= word.entry->count)
		word.state = RATCHET_COVERED;
	else if (!judged)
		word.state = RATCHET_WARM_UP;
	else
		word.state = !word.entry ? RATCHET_NEW : expired ? RATCHET_EXPIRED : RATCHET_GROWN;
	return word;
}

/* ---- as a baseline ---- */

struct baseline *
ratchet_measures(const struct ratchet *r)
{
	struct baseline *b = xmem_zero(sizeof *b);

	b->scopes = arena_zero(&b->arena, r->nscopes * sizeof *b->scopes);
	b->nscopes = r->nscopes;
	for (uint32_t i = 0; i < r->nscopes; i++) {
		b->scopes[i].name = arena_str(&b->arena, r->scopes[i].name);
		b->scopes[i].queries = (int64_t)counts_percentile(&r->scopes[i].queries, 50);
	}
	for (uint32_t i = 0; i < r->nfindings; i++)
		b->scopes[r->findings[i].scope].nfindings++;
	for (uint32_t i = 0; i < r->nscopes; i++) {
		b->scopes[i].findings = arena_zero(&b->arena, b->scopes[i].nfindings * sizeof *b->scopes[i].findings);
		b->scopes[i].nfindings = 0;
	}
	for (uint32_t i = 0; i < r->nfindings; i++) {
		const struct ratchet_finding *f = &r->findings[i];
		struct baseline_scope *s = &b->scopes[f->scope];
		struct ratchet_word word;

		if (!median_of(r, f, &word))
			continue;
		s->findings[s->nfindings++] = (struct baseline_finding){ .rule = f->rule,
			.version = SQL_FINGERPRINT_VERSION,
			.fingerprint = f->shape->fingerprint,
			.count = word.now,
			.shape = arena_str(&b->arena, f->shape->text) };
	}
	baseline_sort(b);
	return b;
}
