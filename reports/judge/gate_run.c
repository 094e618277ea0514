/* SPDX-License-Identifier: Apache-2.0 */
/* gate_run: the gate's verdict over everything seen, as failures in plain words. See gate.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "fingerprint/mem.h"
#include "gate_parts.h"
#include "words.h"

struct gate_result *
results_add(struct results *out, const char *kind, const char *message)
{
	struct gate_result *one = arena_zero(out->a, sizeof *one);

	one->f = (struct gate_failure){ .kind = kind,
		.scope = "",
		.test = "",
		.message = message,
		.limit = NO_LIMIT,
		.value = NO_LIMIT,
		.request = UINT32_MAX,
		.file = "" };
	one->rule = RULES;
	one->finding = UINT32_MAX;
	*out->tail = one;
	out->tail = &one->next;
	return one;
}

/* ---- can the capture be trusted ---- */

void
results_distrust(struct results *out, const char *kind, uint64_t value, const char *message)
{
	struct gate_result *one = results_add(out, kind, message);

	one->trust = true;
	one->f.value = (int64_t)value;
}

static const char *
nothing_captured(uint64_t sessions, struct arena *a)
{
	if (sessions == 0)
		return "no connection came to rowcall, so there is nothing to judge";
	return arena_printf(a, "%s came, but not a single statement", words_count(a, sessions, "connection", "connections"));
}

static const char *
opaque(const struct coverage *c, struct arena *a)
{
	const char *reason = c->opaque_reason ? c->opaque_reason : "";
	const char *who = words_count(a, c->opaque_unexpected, "connection", "connections");

	return arena_printf(a, "%s could not be followed to the end%s%s: queries are missing", who, *reason ? " because of " : "", reason);
}

static void
judge_trust(const struct gate *g, const struct run_info *run, struct results *out)
{
	const struct coverage *c = &run->coverage;
	struct arena *a = out->a;

	if (c->statements == 0 && !g->cfg->allow_empty)
		results_distrust(out, "nothing-captured", 0, nothing_captured(c->sessions, a));
	if (c->lost) {
		const char *records = words_count(a, c->lost, "record was", "records were");

		results_distrust(out, "lost", c->lost, arena_printf(a, "%s lost under load: counts are too low", records));
	}
	if (c->opaque_unexpected)
		results_distrust(out, "opaque", c->opaque_unexpected, opaque(c, a));
	if (run->incomplete && gate_asked(g->cfg))
		results_distrust(out, "incomplete", 1, "the recording was never finished: requests are missing");
	if (g->unjudged) {
		const char *judgements = words_count(a, g->unjudged, "judgement", "judgements");

		results_distrust(out, "unjudged", g->unjudged, arena_printf(a, "%s did not fit into the gate's tables", judgements));
	}
}

/* ---- the whole run ---- */

static bool
names_several_shapes(const struct allow *allow, const struct tally *t)
{
	uint64_t first = 0;

	for (uint32_t i = 0; allow->shape && i < t->nshapes; i++) {
		if (!t->shapes[i] || !allow_names_shape(allow, t->shapes[i]->shape))
			continue;
		if (first && first != t->shapes[i]->shape->fingerprint)
			return true;
		first = t->shapes[i]->shape->fingerprint;
	}
	return false;
}

static const char *
where(const struct gate *g, uint32_t line, struct arena *a)
{
	return line ? arena_printf(a, "%s:%" PRIu32, g->cfg->config_file, line) : "the command line";
}

/* What is wrong with the entry itself; NULL. */
static const char *
bad_allow(const struct gate *g, uint32_t i, const struct tally *t, struct arena *a)
{
	const struct allow *allow = &g->cfg->allows[i];
	const char *at = where(g, allow->line, a);

	if (!allow->reason || !*allow->reason)
		return arena_printf(a, "the allow entry at %s has no reason and does not apply", at);
	if (names_several_shapes(allow, t))
		return arena_printf(a, "the allow entry at %s is ambiguous: several shapes start with %s", at, allow->shape);
	return NULL;
}

static void
judge_config(const struct gate *g, const struct gate_run *run, struct results *out)
{
	for (uint32_t i = 0; i < g->cfg->nallows; i++) {
		const struct allow *allow = &g->cfg->allows[i];
		const char *message = bad_allow(g, i, run->tally, out->a);

		if (!message)
			continue;
		struct gate_result *one = results_add(out, "config", message);

		one->f.file = allow->line ? g->cfg->config_file : "";
		one->f.line = allow->line;
	}
}

static void
judge_totals(const struct gate *g, const struct coverage *c, struct results *out)
{
	int64_t max = g->cfg->max_total_queries, total = (int64_t)g->judged_queries;
	double tagged = c->queries ? (double)c->tagged / (double)c->queries : 1;

	if (max != NO_LIMIT && total > max) {
		struct gate_result *one =
		    results_add(out, "total-queries", arena_printf(out->a, "%s in all, limit %" PRId64,
			words_count(out->a, g->judged_queries, "query", "queries"), max));

		one->f.limit = max;
		one->f.value = total;
	}
	if (g->cfg->min_tagged > 0 && tagged < g->cfg->min_tagged) {
		int percent = (int)(tagged * 100), wanted = (int)(g->cfg->min_tagged * 100 + 0.5);
		struct gate_result *one = results_add(out, "min-tagged",
		    arena_printf(out->a, "%d%% of %s tagged, at least %d%% wanted", percent,
			words_count(out->a, c->queries, "query is", "queries are"), wanted));

		one->f.limit = wanted;
		one->f.value = percent;
	}
}

/* ---- budgets ---- */

/* "53 queries", "0.5 s in one transaction". */
static const char *
amount(enum budget_kind k, int64_t value, struct arena *a)
{
	uint64_t n = (uint64_t)value;

	switch (k) {
	case BUDGET_QUERIES:
		return words_count(a, n, "query", "queries");
	case BUDGET_N_PLUS_ONE:
		return words_count(a, n, "N+1", "N+1s");
	case BUDGET_DUPLICATES:
		return words_count(a, n, "duplicate execution", "duplicate executions");
	case BUDGET_WRITE_LOOPS:
		return words_count(a, n, "write loop", "write loops");
	case BUDGET_ROWS:
		return words_count(a, n, "row", "rows");
	case BUDGET_BYTES:
		return words_count(a, n, "byte", "bytes");
	default:
		return arena_printf(a, "a transaction of %s", words_ns(a, n));
	}
}

static const char *
limit_words(enum budget_kind k, int64_t limit, struct arena *a)
{
	return k == BUDGET_TRANSACTION ? words_ns(a, (uint64_t)limit) : arena_printf(a, "%" PRId64, limit);
}

static void
add_violation(const struct gate *g, const struct violation *v, const struct gate_run *run, struct results *out)
{
	const char *had = amount(v->kind, v->worst, out->a), *limit = limit_words(v->kind, v->limit, out->a), *message;
	uint32_t scope = keymap_find(&run->tally->scope_keys, keymap_name(v->name, 0));
	uint64_t of = scope == KEYMAP_NONE ? v->over : run->tally->scopes[scope].requests;
	struct gate_result *one;

	if (v->test)
		message = arena_printf(out->a, "%s: %s over the test, budget %s", v->name, had, limit);
	else
		message = arena_printf(out->a, "%s: %s in one request, budget %s (%" PRIu64 " of %s over)", v->name, had, limit, v->over,
		    words_count(out->a, of, "request", "requests"));
	one = results_add(out, budget_kind_name(v->kind), message);
	one->rule = budget_kind_rule(v->kind);
	one->over = v->over;
	one->of = of;
	*(v->test ? &one->f.test : &one->f.scope) = v->name;
	one->f.limit = v->limit;
	one->f.value = v->worst;
	one->f.file = v->line ? g->cfg->config_file : "";
	one->f.line = v->line;
	one->request = v->request;
}

static int
by_kind_worst_name(const void *a, const void *b)
{
	const struct violation *x = a, *y = b;

	if (x->test != y->test)
		return x->test - y->test;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->worst - x->limit != y->worst - y->limit)
		return x->worst - x->limit > y->worst - y->limit ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Violations of scopes, then those of tests, whose sums are only known now. */
static void
judge_budgets(const struct gate *g, const struct gate_run *run, struct results *out)
{
	size_t n = g->nviolations;
	struct violation *all = xmem_zero((n + (size_t)g->ntests * BUDGETS) * sizeof *all);

	if (n)
		memcpy(all, g->violations, n * sizeof *all);
	for (uint32_t t = 0; t < g->ntests; t++) {
		const struct test_sum *sum = &g->tests[t];

		for (int k = 0; sum->budget >= 0 && k < BUDGETS; k++) {
			const struct budget *b = &g->cfg->budgets[sum->budget];
			int64_t limit = budget_limit(b, (enum budget_kind)k);

			if (limit != NO_LIMIT && sum->value[k] > limit)
				all[n++] = (struct violation){ .name = sum->name,
					.test = true,
					.kind = (enum budget_kind)k,
					.limit = limit,
					.worst = sum->value[k],
					.line = b->line,
					.request = sum->worst_request };
		}
	}
	qsort(all, n, sizeof *all, by_kind_worst_name);
	for (size_t i = 0; i < n; i++)
		add_violation(g, &all[i], run, out);
	mem_free(all);
}

/* ---- findings ---- */

/* Instances that fail the gate by fail_on. Questions that modules ask each on their own are duplicates, and cross-scope-repeat means them. */
static uint64_t
failing_instances(const struct gate_config *cfg, const struct finding *f)
{
	uint64_t most = 0;

	for (uint32_t i = 0; i < cfg->nfail_on; i++) {
		enum rule_id rule = cfg->fail_on[i].rule;
		const uint64_t *judged = rule == RULE_CROSS_SCOPE_REPEAT && f->worst.rule == RULE_DUPLICATE ? f->judged_across : f->judged;
		uint64_t n = judged[VERDICT_PROVEN];

		if (rule != f->worst.rule && judged != f->judged_across)
			continue;
		if (!cfg->fail_on[i].proven_only)
			n += judged[VERDICT_SUSPECTED];
		if (n > most)
			most = n;
	}
	return most;
}

static void
judge_findings(const struct gate *g, const struct gate_run *run, struct results *out)
{
	const struct findings *all = run->findings;

	for (uint32_t i = 0; i < all->n; i++) {
		const struct finding *f = &all->v[i];
		const char *scope = run->tally->scopes[f->scope].name;

		if (f->allow >= 0 || finding_is_fixed(f) || gate_recorded(g, f, scope, out->a, NULL))
			continue;
		struct gate_result *one = ratchet_judge_finding(g, f, scope, out);

		if (one)
			one->finding = i;
		if (one || failing_instances(g->cfg, f) == 0)
			continue;
		const char *what =
		    f->worst.repeat ? arena_printf(out->a, "%" PRIu32 "x %s", f->worst.executions, f->worst.repeat->summary) : "";
		one = results_add(out, "fail-on",
		    arena_printf(out->a, "%s: %s %s: %s%s%s", scope, rule_names[f->worst.rule], verdict_name(f->verdict), what,
			*what ? ", " : "", f->worst.evidence));

		one->f.scope = scope;
		one->f.value = f->worst.executions;
		one->request = f->request;
		one->finding = i;
	}
	if (all->dropped && (g->cfg->nfail_on || g->cfg->baseline))
		results_distrust(out, "unjudged", all->dropped,
		    arena_printf(out->a, "%s beyond the first %" PRIu32 " could not be judged",
			words_count(out->a, all->dropped, "finding", "findings"), all->n));
}

/* ---- entries that do nothing ---- */

void
sentences_add(struct sentences *s, const char *sentence)
{
	if (s->n == s->cap) {
		const char **more = arena_zero(s->a, (s->cap = s->cap ? s->cap * 2 : 16) * sizeof *more);

		if (s->n)
			memcpy(more, s->v, s->n * sizeof *more);
		s->v = more;
	}
	s->v[s->n++] = sentence;
}

static const char *
stale_allow(const struct gate *g, uint32_t i, struct arena *a)
{
	const struct allow *allow = &g->cfg->allows[i];
	const char *at = where(g, allow->line, a);

	if (!allow_in_force(g->cfg, allow))
		return arena_printf(
		    a, "the allow entry at %s expired on %s%s", at, allow->until, g->allow_used[i] ? ": what it covered counts again" : "");
	return g->allow_used[i] ? NULL : arena_printf(a, "the allow entry at %s matches nothing", at);
}

static struct sentences
stale(const struct gate *g, const struct gate_run *run, struct arena *a)
{
	struct sentences out = { .a = a };

	for (uint32_t i = 0; i < g->cfg->nallows; i++) {
		const char *sentence = bad_allow(g, i, run->tally, a) ? NULL : stale_allow(g, i, a);

		if (sentence)
			sentences_add(&out, sentence);
	}
	ratchet_stale(g, &out);
	return out;
}

static void
judge_stale(const struct gate *g, const struct gate_run *run, struct results *out)
{
	struct sentences all = stale(g, run, out->a);

	for (uint32_t i = 0; i < all.n; i++)
		results_add(out, "stale", all.v[i]);
}

struct gate_result *
gate_judge(struct gate *g, const struct gate_run *run, struct arena *a)
{
	struct results out = { .a = a };

	out.tail = &out.first;
	judge_trust(g, run->run, &out);
	if (gate_asked(g->cfg)) {
		judge_config(g, run, &out);
		judge_totals(g, &run->run->coverage, &out);
		judge_budgets(g, run, &out);
		ratchet_judge_scopes(g, &out);
		judge_findings(g, run, &out);
		if (g->cfg->strict)
			judge_stale(g, run, &out);
	}
	return out.first;
}

/* ---- warnings ---- */

const char *const *
gate_warnings(const struct gate *g, const struct gate_run *run, struct arena *a, uint32_t *n)
{
	struct sentences out = { .a = a };
	const struct coverage *c = &run->run->coverage;

	if (!g->cfg->strict)
		out = stale(g, run, a);
	for (uint32_t i = 0; i < g->cfg->nallows; i++) {
		const char *sentence = bad_allow(g, i, run->tally, a);

		if (sentence)
			sentences_add(&out, sentence);
	}
	ratchet_warnings(g, &out);
	if (run->tally->scopes_evicted)
		sentences_add(&out, arena_printf(a, "too many scopes: %s counted under (other scopes)",
		    words_count(a, run->tally->scopes_evicted, "request is", "requests are")));
	if (run->findings->dropped)
		sentences_add(&out, arena_printf(a, "too many findings: %s counted, but not shown",
		    words_count(a, run->findings->dropped, "is", "are")));
	if (c->evicted_requests)
		sentences_add(&out, arena_printf(a, "%s closed early because too many were open: their counts may be split",
		    words_count(a, c->evicted_requests, "request was", "requests were")));
	*n = out.n;
	return out.v;
}
