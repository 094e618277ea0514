/* SPDX-License-Identifier: Apache-2.0 */
/* collector: see collector.h. One lock around everything; a request costs its rules, its tallies and one copy. */
#include "collector_parts.h"

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

struct collector *
collector_new(const struct collector_config *cfg)
{
	struct collector *c = mem_zero(sizeof *c);

	if (!c)
		return NULL;
	c->cfg = *cfg;
	pthread_mutex_init(&c->lock, NULL);
	gate_init(&c->gate, &c->cfg.gate);
	keep_init(&c->keep, LIMIT_KEPT_BYTES);
	return c;
}

void
collector_free(struct collector *c)
{
	if (!c)
		return;
	tally_clear(&c->tally);
	findings_clear(&c->findings);
	keep_clear(&c->keep);
	stacks_clear(&c->stacks);
	gate_clear(&c->gate);
	arena_clear(&c->scratch);
	pthread_mutex_destroy(&c->lock);
	mem_free(c);
}

/* Folds the request's findings in; ids of those kept, ascending and once each, go to out. */
static uint32_t
fold(struct collector *c, const struct request *r, struct raw_finding *found, uint32_t scope, uint32_t *out)
{
	bool judged = gate_judges(&c->gate, r), is_new;
	uint32_t n = 0;

	for (; found; found = found->next) {
		uint32_t i = findings_add(&c->findings, r, found, scope, judged, &is_new), at = n;

		if (i == KEYMAP_NONE)
			continue;
		collector_growth_source(c, i, r, found);
		while (at > 0 && out[at - 1] > i)
			at--;
		if (at > 0 && out[at - 1] == i)
			continue;
		memmove(out + at + 1, out + at, (n - at) * sizeof *out);
		out[at] = i;
		n++;
	}
	return n;
}

/* Allow entries cover an instance as a rowcall_allow tag does; a write loop counts where somebody set a budget for it. */
static uint32_t
settle(struct collector *c, const struct request *r, struct raw_finding *found)
{
	uint32_t n = 0;

	for (; found; found = found->next, n++)
		if (found->rule == RULE_WRITE_LOOP && found->verdict == VERDICT_NOTE && gate_counts_writes(&c->gate, r))
			found->verdict = VERDICT_SUSPECTED;
	return n;
}

static void
allow_for_gate(struct collector *c, struct raw_finding *found, const char *scope)
{
	for (; found; found = found->next)
		if (gate_allow(&c->gate, found->rule, scope, found->repeat) >= 0)
			found->allowed = true;
}

/* New findings learn which allow entry covers them. */
static void
allow_folded(struct collector *c, uint32_t from, const char *scope)
{
	for (uint32_t i = from; i < c->findings.n; i++)
		c->findings.v[i].allow = gate_allow(&c->gate, c->findings.v[i].worst.rule, scope, c->findings.v[i].worst.repeat);
}

void
collector_request(void *collector, const struct request *r)
{
	struct collector *c = collector;

	pthread_mutex_lock(&c->lock);
	const struct facts *f = facts_new(r, &c->scratch);
	struct raw_finding *found = rules_check(f, &c->cfg.rules, &c->scratch);
	uint32_t scope = tally_request(&c->tally, f), nshares, known = c->findings.n;
	const struct database_share *shares = tally_databases(&c->tally, r, c->cfg.upstreams, c->cfg.nupstreams, &c->scratch, &nshares);
	uint32_t *ids = arena_zero(&c->scratch, settle(c, r, found) * sizeof *ids);
	uint32_t nids = fold(c, r, found, scope, ids);

	collector_grow(c, r, scope);
	allow_folded(c, known, r->scope);
	allow_for_gate(c, found, r->scope);
	gate_request(&c->gate, f, found);
	stacks_add(&c->stacks, f, scope);
	keep_add(&c->keep, f, shares, nshares, ids, nids);
	arena_reset(&c->scratch);
	pthread_mutex_unlock(&c->lock);
}

void
collector_stray(void *collector, const struct req_stmt *s)
{
	struct collector *c = collector;

	pthread_mutex_lock(&c->lock);
	tally_stray(&c->tally, s);
	pthread_mutex_unlock(&c->lock);
}

struct baseline *
collector_measures(struct collector *c)
{
	struct baseline *b;

	pthread_mutex_lock(&c->lock);
	b = ratchet_measures(&c->gate.ratchet);
	pthread_mutex_unlock(&c->lock);
	return b;
}

void
collector_judge_by(struct collector *c, const struct baseline *b)
{
	pthread_mutex_lock(&c->lock);
	c->cfg.gate.baseline = b;
	pthread_mutex_unlock(&c->lock);
}

void
collector_reconfigure(struct collector *c, const struct rule_settings *judged_by, const struct gate_config *gate, uint64_t rtt)
{
	pthread_mutex_lock(&c->lock);
	c->cfg.rules = *judged_by;
	c->cfg.gate = *gate;
	c->cfg.rtt = rtt;
	gate_restart(&c->gate, &c->cfg.gate);
	for (uint32_t i = 0; i < c->findings.n; i++) {
		struct finding *f = &c->findings.v[i];

		f->allow = gate_allow(&c->gate, f->worst.rule, c->tally.scopes[f->scope].name, f->worst.repeat);
	}
	pthread_mutex_unlock(&c->lock);
}
