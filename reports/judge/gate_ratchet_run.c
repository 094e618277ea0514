/* SPDX-License-Identifier: Apache-2.0 */
/* gate_ratchet_run: what the comparison with the baseline makes of a run: failures, stale entries and hints, in plain words. */
#include <inttypes.h>

#include "fingerprint/shapes.h"
#include "gate_parts.h"
#include "words.h"

enum { STALE_SHOWN = 5 };	/* entries named one by one */

static const char *
today(const struct gate *g)
{
	return g->cfg->today ? g->cfg->today : "";
}

static struct ratchet_word
word_on(const struct gate *g, const struct finding *f, const char *scope)
{
	return ratchet_finding(&g->ratchet, g->cfg->baseline, today(g), scope, f->worst.rule, f->worst.repeat);
}

/* "in the median of 4 requests", "in its only request" */
static const char *
over(struct arena *a, uint64_t requests)
{
	return requests == 1 ? "in its only request" : arena_printf(a, "in the median of %" PRIu64 " requests", requests);
}

bool
gate_recorded(const struct gate *g, const struct finding *f, const char *scope, struct arena *a, const char **why)
{
	struct ratchet_word w = word_on(g, f, scope);

	if (w.state == RATCHET_COVERED && why)
		*why = w.entry->reason ? arena_str(a, w.entry->reason)
				       : arena_printf(a, "in %s: %" PRId64 "x", g->cfg->baseline_file, w.entry->count);
	return w.state == RATCHET_COVERED;
}

void
ratchet_judge_scopes(const struct gate *g, struct results *out)
{
	for (uint32_t i = 0; i < g->ratchet.nscopes; i++) {
		const struct ratchet_scope *s = &g->ratchet.scopes[i];
		const struct baseline_scope *was = baseline_scope(g->cfg->baseline, s->name);
		int64_t now = (int64_t)counts_percentile(&s->queries, 50);

		if (!was || was->queries == NO_LIMIT || now <= was->queries)
			continue;
		struct gate_result *one = results_add(out, "baseline-queries",
		    arena_printf(out->a, "%s: %s %s, %" PRId64 " in %s", s->name,
			words_count(out->a, (uint64_t)now, "query", "queries"), over(out->a, s->queries.times), was->queries,
			g->cfg->baseline_file));

		one->f.scope = s->name;
		one->f.limit = was->queries;
		one->f.value = now;
	}
}

struct gate_result *
ratchet_judge_finding(const struct gate *g, const struct finding *f, const char *scope, struct results *out)
{
	struct ratchet_word w = word_on(g, f, scope);
	const char *kind = w.state == RATCHET_NEW ? "new-finding" : w.state == RATCHET_GROWN ? "grown-finding" : "expired-finding", *against;
	const char *file = g->cfg->baseline_file;
	struct gate_result *one;

	if (w.state == RATCHET_NEW)
		against = arena_printf(out->a, "not in %s", file);
	else if (w.state == RATCHET_GROWN)
		against = arena_printf(out->a, "%" PRId64 "x in %s", w.entry->count, file);
	else if (w.state == RATCHET_EXPIRED)
		against = arena_printf(out->a, "its entry in %s expired on %s", file, w.entry->expires);
	else
		return NULL;
	one = results_add(out, kind,
	    arena_printf(out->a, "%s: %s %s: %" PRId64 "x %s %s, %s", scope, rule_names[f->worst.rule], verdict_name(f->verdict), w.now,
		f->worst.repeat->summary, over(out->a, w.requests), against));
	one->f.scope = scope;
	one->f.limit = w.entry ? w.entry->count : NO_LIMIT;
	one->f.value = w.now;
	one->request = f->request;
	return one;
}

/* ---- entries ---- */

/* The run has a finding for the entry. */
static bool
is_seen(const struct gate *g, uint32_t scope, const struct baseline_finding *entry)
{
	for (uint32_t i = 0; i < g->ratchet.nfindings; i++) {
		const struct ratchet_finding *f = &g->ratchet.findings[i];
		const struct baseline_scope one = { .findings = (struct baseline_finding *)(uintptr_t)entry, .nfindings = 1 };

		if (f->scope == scope && baseline_find(&one, f->rule, f->shape))
			return true;
	}
	return false;
}

static void
stale_entry(const struct gate *g, struct sentences *out, const char *scope, const struct baseline_finding *f, uint32_t *n)
{
	char hex[9];

	shape_short(f->fingerprint, hex);
	if (++*n <= STALE_SHOWN)
		sentences_add(out, arena_printf(out->a, "%s, %s: the entry %s %s matches nothing any more: --update-baseline --prune drops it",
		    g->cfg->baseline_file, scope, rule_names[f->rule], hex));
}

void
ratchet_stale(const struct gate *g, struct sentences *out)
{
	const struct baseline *b = g->cfg->baseline;
	uint32_t n = 0, unseen = 0;

	for (uint32_t i = 0; b && i < b->nscopes; i++) {
		uint32_t scope = keymap_find(&g->ratchet.scope_keys, keymap_name(b->scopes[i].name, 0));

		unseen += scope == KEYMAP_NONE;
		for (uint32_t k = 0; scope != KEYMAP_NONE && k < b->scopes[i].nfindings; k++)
			if (!is_seen(g, scope, &b->scopes[i].findings[k]))
				stale_entry(g, out, b->scopes[i].name, &b->scopes[i].findings[k], &n);
	}
	if (n > STALE_SHOWN)
		sentences_add(out, arena_printf(out->a, "%s: %" PRIu32 " more entries match nothing any more", g->cfg->baseline_file, n - STALE_SHOWN));
	if (unseen)
		sentences_add(out, arena_printf(out->a, "%s: %s not seen in this run", g->cfg->baseline_file,
		    words_count(out->a, unseen, "recorded scope was", "recorded scopes were")));
}

struct hints {
	uint32_t foreign, lower, fresh, warm;
};

static void
count_scopes(const struct gate *g, struct hints *h)
{
	const struct baseline *b = g->cfg->baseline;

	for (uint32_t i = 0; i < b->nscopes; i++)
		for (uint32_t k = 0; k < b->scopes[i].nfindings; k++)
			h->foreign += baseline_finding_is_foreign(&b->scopes[i].findings[k]);
	for (uint32_t i = 0; i < g->ratchet.nscopes; i++) {
		const struct ratchet_scope *s = &g->ratchet.scopes[i];
		const struct baseline_scope *was = baseline_scope(b, s->name);

		h->fresh += !was;
		h->lower += was && was->queries > (int64_t)counts_percentile(&s->queries, 50);
	}
}

static void
count_findings(const struct gate *g, struct hints *h)
{
	for (uint32_t i = 0; i < g->ratchet.nfindings; i++) {
		const struct ratchet_finding *f = &g->ratchet.findings[i];
		struct ratchet_word w =
		    ratchet_finding(&g->ratchet, g->cfg->baseline, today(g), g->ratchet.scopes[f->scope].name, f->rule, f->shape);

		h->lower += w.state == RATCHET_COVERED && w.now < w.entry->count;
		h->warm += w.state == RATCHET_WARM_UP;
	}
}

void
ratchet_warnings(const struct gate *g, struct sentences *out)
{
	const char *file = g->cfg->baseline_file;
	struct hints h = { 0 };

	if (!file)
		return;
	if (!g->cfg->baseline) {
		sentences_add(out, arena_printf(out->a, "there is no %s yet, so nothing is compared with it: rowcall report --update-baseline "
		    "writes it", file));
		return;
	}
	count_scopes(g, &h);
	count_findings(g, &h);
	if (h.foreign)
		sentences_add(out, arena_printf(out->a, "%s: %s another version of fingerprints (this rowcall makes version %d) and apply only "
		    "where the whole shape is the same: write them anew with --update-baseline --allow-increase --prune", file,
		    words_count(out->a, h.foreign, "entry has", "entries have"), SQL_FINGERPRINT_VERSION));
	if (h.warm)
		sentences_add(out, arena_printf(out->a, "%s only the first request of a scope has: taken for the warming of caches, not compared with %s",
		    words_count(out->a, h.warm, "finding", "findings"), file));
	if (h.lower)
		sentences_add(out, arena_printf(out->a, "%s in %s: rowcall report --update-baseline lowers them",
		    words_count(out->a, h.lower, "count is lower now than", "counts are lower now than"), file));
	if (h.fresh)
		sentences_add(out, arena_printf(out->a, "%s in %s yet: rowcall report --update-baseline adds them",
		    words_count(out->a, h.fresh, "scope is not", "scopes are not"), file));
}
