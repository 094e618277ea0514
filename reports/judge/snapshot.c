/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot: builds struct snapshot from a collector: copies, sorts, links by index. Judging is the gate's. See snapshot.h. */
#include "snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector_parts.h"
#include "fingerprint/mem.h"
#include "words.h"

/* One snapshot in the making. */
struct building {
	struct snapshot *s;
	struct arena *a;
	struct collector *c;
	struct gate_result *results;
	const char **databases; /* names by the tally's index */
	bool *failed;           /* by collector's finding: failed by fail_on */
	struct keymap blamed;   /* rules in scopes and tests whose budgets failed */
	struct snap_finding *findings;
	uint32_t nfindings;
	uint32_t *position; /* by collector's finding: index after sorting */
};

static const char *const *
copy_strings(struct arena *a, const char *const *v, uint32_t n)
{
	const char **out = arena_zero(a, n * sizeof *out);

	for (uint32_t i = 0; i < n; i++)
		out[i] = arena_str(a, v[i]);
	return out;
}

static void
copy_run(struct building *b, const struct run_info *run)
{
	struct snapshot *s = b->s;

	s->version = arena_str(b->a, run->version);
	s->command = arena_str(b->a, run->command);
	s->started_us = run->started_us;
	s->duration = run->duration;
	s->upstreams = copy_strings(b->a, run->upstreams, run->nupstreams);
	s->nupstreams = run->nupstreams;
	s->incomplete = run->incomplete;
	s->values_in = run->values_in ? arena_str(b->a, run->values_in) : NULL;
	s->rtt = b->c->cfg.rtt;
	s->coverage = run->coverage;
	s->coverage.opaque_reason = arena_str(b->a, run->coverage.opaque_reason);
	s->queries = b->c->tally.queries;
	s->duplicates = b->c->tally.duplicates;
	s->round_trips = b->c->tally.round_trips;
	s->db = b->c->tally.db;
}

/* ---- databases and shapes ---- */

static int
database_order(const void *x, const void *y)
{
	const struct snap_database *a = x, *b = y;

	if (a->ns != b->ns)
		return a->ns > b->ns ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void
copy_databases(struct building *b)
{
	const struct tally *t = &b->c->tally;
	struct snap_database *out = arena_zero(b->a, t->ndatabases * sizeof *out);

	b->databases = arena_zero(b->a, t->ndatabases * sizeof *b->databases);
	for (uint32_t i = 0; i < t->ndatabases; i++) {
		b->databases[i] = arena_str(b->a, t->databases[i].name);
		out[i] = (struct snap_database){ b->databases[i], t->databases[i].queries, t->databases[i].ns };
	}
	qsort(out, t->ndatabases, sizeof *out, database_order);
	b->s->databases = out;
	b->s->ndatabases = t->ndatabases;
}

static int
shape_order(const void *x, const void *y)
{
	const struct snap_shape *a = x, *b = y;

	if (a->time.total != b->time.total)
		return a->time.total > b->time.total ? -1 : 1;
	if (a->shape->fingerprint != b->shape->fingerprint)
		return a->shape->fingerprint < b->shape->fingerprint ? -1 : 1;
	return a->shape->id < b->shape->id ? -1 : a->shape->id > b->shape->id;
}

static void
copy_shapes(struct building *b)
{
	const struct tally *t = &b->c->tally;
	struct snap_shape *out = arena_zero(b->a, t->nshapes * sizeof *out);
	struct histogram scratch;
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->nshapes; i++) {
		const struct tally_shape *from = t->shapes[i];

		if (!from)
			continue;
		uint32_t *buckets = arena_zero(b->a, sizeof(uint32_t[HISTOGRAM_BUCKETS]));
		const struct histogram *time = durations_histogram(&from->time, &scratch);

		histogram_buckets(time, buckets);
		out[n++] = (struct snap_shape){ from->shape, from->executions, from->requests, from->rows, from->errors,
			histogram_pct(time), buckets };
	}
	if (n)
		qsort(out, n, sizeof *out, shape_order);
	b->s->shapes = out;
	b->s->nshapes = n;
}

/* ---- requests ---- */

static void
copy_requests(struct building *b)
{
	struct kept **kept = keep_all(&b->c->keep, &b->s->nkept);
	struct kept **own = arena_zero(b->a, b->s->nkept * sizeof *own);
	struct snap_request *out = arena_zero(b->a, b->s->nkept * sizeof *out);

	for (uint32_t i = 0; i < b->s->nkept; i++) {
		const struct kept *k = own[i] = kept[i];
		struct snap_database *shares = arena_zero(b->a, k->nshares * sizeof *shares);

		for (uint32_t d = 0; d < k->nshares; d++) {
			shares[d].name = b->databases[k->shares[d].database];
			shares[d].queries = k->shares[d].queries;
			shares[d].ns = k->shares[d].ns;
		}
		out[i] = (struct snap_request){ .r = k->r,
			.statements = k->statements,
			.queries = k->queries,
			.control = k->control,
			.setup = k->setup,
			.round_trips = k->round_trips,
			.duplicates = k->duplicates,
			.undone = k->undone,
			.errors = k->errors,
			.db = k->db,
			.wall = k->wall,
			.databases = shares,
			.ndatabases = k->nshares };
	}
	mem_free(kept);
	b->s->kept = own;
	b->s->requests = out;
	b->s->nrequests = b->s->nkept;
	b->s->requests_dropped = b->c->keep.dropped;
	b->s->requests_slim = b->c->keep.slimmed;
}

static uint32_t
request_index(const struct snapshot *s, uint64_t number)
{
	uint32_t lo = 0, hi = s->nrequests;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (s->requests[mid].r.number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->nrequests && s->requests[lo].r.number == number ? lo : UINT32_MAX;
}

static void
link_requests(struct building *b)
{
	struct snap_request *requests = (struct snap_request *)b->s->requests;

	for (uint32_t i = 0; i < b->s->nrequests; i++) {
		const struct kept *k = b->s->kept[i];
		uint32_t *out = arena_zero(b->a, k->nfindings * sizeof *out);

		for (uint32_t j = 0; j < k->nfindings; j++)
			out[j] = b->position[k->findings[j]];
		requests[i].findings = out;
		requests[i].nfindings = k->nfindings;
	}
}

/* ---- findings ---- */

static const char *
suppressed_by(struct building *b, const struct finding *f)
{
	const char *recorded;

	if (f->allow >= 0)
		return arena_str(b->a, b->c->cfg.gate.allows[f->allow].reason);
	if (!f->counted)
		return "allowed by a rowcall_allow tag";
	return gate_recorded(&b->c->gate, f, b->c->tally.scopes[f->scope].name, b->a, &recorded) ? recorded : NULL;
}

/* What failed the gate: findings by index (fail_on), rules in scopes and tests by name (budgets). */
static void
note_blame(struct building *b)
{
	b->failed = arena_zero(b->a, b->c->findings.n * sizeof *b->failed);
	for (const struct gate_result *r = b->results; r; r = r->next) {
		if (r->finding != UINT32_MAX)
			b->failed[r->finding] = true;
		if (r->rule != RULES)
			keymap_add(&b->blamed, *r->f.test ? keymap_name(r->f.test, 2 * r->rule + 1) : keymap_name(r->f.scope, 2 * r->rule),
			    UINT32_MAX - 1);
	}
}

static bool
is_blamed(const struct building *b, const struct finding *f, uint32_t index, const char *scope)
{
	return b->failed[index] || keymap_find(&b->blamed, keymap_name(scope, 2 * f->worst.rule)) != KEYMAP_NONE ||
	       (*f->test && keymap_find(&b->blamed, keymap_name(f->test, 2 * f->worst.rule + 1)) != KEYMAP_NONE);
}

static uint64_t
cost_at(uint64_t rtt, const struct raw_finding *w)
{
	return w->executions ? rtt * ((uint64_t)w->round_trips * w->excess / w->executions) : 0;
}

static void
copy_finding(struct building *b, uint32_t i, struct snap_finding *out)
{
	const struct finding *f = &b->c->findings.v[i];
	const struct tally_scope *scope = &b->c->tally.scopes[f->scope];

	snprintf(out->id, sizeof out->id, "%016" PRIx64, f->id);
	out->rule = f->worst.rule;
	out->verdict = f->verdict;
	out->suppressed = suppressed_by(b, f);
	out->growth = growth_fit(&f->growth);
	out->growth_words = growth_words(&f->growth, b->a);
	if (finding_is_fixed(f))
		out->verdict = VERDICT_NOTE;
	if (out->verdict == VERDICT_NOTE || out->suppressed)
		out->level = LEVEL_NOTE;
	else
		out->level = is_blamed(b, f, i, scope->name) ? LEVEL_ERROR : LEVEL_WARNING;
	out->scope = arena_str(b->a, scope->name);
	out->test = arena_str(b->a, f->test);
	out->worst = f->worst;
	out->worst.column = arena_str(b->a, f->worst.column);
	out->worst.evidence =
	    *f->caller ? arena_printf(b->a, "%s, called by %s", f->worst.evidence, f->caller) : arena_str(b->a, f->worst.evidence);
	out->request_number = f->request;
	out->seen_in = f->seen_in;
	out->of = scope->requests;
	out->executions = f->executions;
	out->busy = f->busy;
	out->excess = f->excess;
	out->wasted = f->wasted;
	out->file = arena_str(b->a, f->file);
	out->line = f->line;
	out->origin = f->origin;
	out->advice = advice_text(b->a, &f->worst, f->framework);
}

/* A scope over its max_queries is a finding of its own, so that every format that lists findings shows it. */
static void
add_budget_finding(struct building *b, const struct gate_result *r, struct snap_finding *out)
{
	uint64_t over = (uint64_t)(r->f.value - r->f.limit);

	snprintf(out->id, sizeof out->id, "%016" PRIx64, finding_id(RULE_QUERY_BUDGET, r->f.scope, NULL, ""));
	out->rule = RULE_QUERY_BUDGET;
	out->verdict = VERDICT_PROVEN;
	out->level = LEVEL_ERROR;
	out->scope = arena_str(b->a, r->f.scope);
	out->test = "";
	out->worst = (struct raw_finding){ .rule = RULE_QUERY_BUDGET,
		.verdict = VERDICT_PROVEN,
		.column = "",
		.executions = (uint32_t)r->f.value,
		.excess = (uint32_t)over };
	out->growth_words = "";
	out->worst.evidence = arena_printf(b->a, "%s, budget %" PRId64, words_count(b->a, (uint64_t)r->f.value, "query", "queries"),
	    r->f.limit);
	out->request_number = r->request;
	out->seen_in = r->over;
	out->of = r->of;
	out->executions = (uint64_t)r->f.value;
	out->excess = over;
	out->file = arena_str(b->a, r->f.file);
	out->line = r->f.line;
	out->origin = r->f.line ? "budget" : "";
	out->advice = advice_text(b->a, &out->worst, FRAMEWORK_NONE);
	if (strcmp(out->scope, SCOPE_UNTAGGED) == 0)
		out->advice = "tag queries with their request, or mark tests, so that a budget binds one at a time; for set-up and seeds, "
			      "--no-inferred leaves out requests that only pauses part";
}

static bool
is_query_budget(const struct gate_result *r)
{
	return r->rule == RULE_QUERY_BUDGET && *r->f.scope;
}

static int
finding_order(const void *x, const void *y)
{
	const struct snap_finding *a = x, *b = y;

	if (a->level != b->level)
		return a->level < b->level ? -1 : 1;
	if (a->verdict != b->verdict)
		return a->verdict < b->verdict ? -1 : 1;
	if (a->worst.executions != b->worst.executions)
		return a->worst.executions > b->worst.executions ? -1 : 1;
	return strcmp(a->id, b->id);
}

/* A loop whose rows come from the shape another loop of the scope repeats runs inside that loop. */
static void
find_parents(struct building *b)
{
	struct keymap loops = { 0 };
	uint32_t *at = arena_zero(b->a, b->nfindings * sizeof *at), n = 0;

	for (uint32_t i = 0; i < b->nfindings; i++) {
		const struct snap_finding *f = &b->findings[i];

		if (f->rule != RULE_N_PLUS_ONE || !f->worst.source)
			continue;
		uint32_t k = keymap_add(&loops, keymap_name(f->scope, f->worst.repeat->fingerprint), UINT32_MAX - 1);

		if (k == n)
			at[n++] = i;
	}
	for (uint32_t i = 0; i < b->nfindings; i++) {
		struct snap_finding *f = &b->findings[i];
		uint32_t k = KEYMAP_NONE;

		if (f->worst.source && f->worst.source != f->worst.repeat)
			k = keymap_find(&loops, keymap_name(f->scope, f->worst.source->fingerprint));
		if (k != KEYMAP_NONE && at[k] != i) {
			f->parent = at[k] + 1;
			b->findings[at[k]].outer = true;
		}
	}
	keymap_clear(&loops);
}

static void
copy_findings(struct building *b)
{
	uint32_t n = b->c->findings.n;

	for (const struct gate_result *r = b->results; r; r = r->next)
		n += is_query_budget(r);
	b->findings = arena_zero(b->a, n * sizeof *b->findings);
	for (uint32_t i = 0; i < b->c->findings.n; i++)
		copy_finding(b, b->nfindings++, &b->findings[i]);
	for (const struct gate_result *r = b->results; r; r = r->next)
		if (is_query_budget(r))
			add_budget_finding(b, r, &b->findings[b->nfindings++]);
	/* Until sorted, .request carries where the finding came from. */
	for (uint32_t i = 0; i < n; i++)
		b->findings[i].request = i;
	if (n)
		qsort(b->findings, n, sizeof *b->findings, finding_order);
	find_parents(b);
	b->position = arena_zero(b->a, n * sizeof *b->position);
	for (uint32_t i = 0; i < n; i++) {
		struct snap_finding *f = &b->findings[i];

		b->position[f->request] = i;
		f->request = request_index(b->s, f->request_number);
		f->cost_at_rtt = cost_at(b->s->rtt, &f->worst);
		b->s->nallowed += f->suppressed != NULL;
	}
	b->s->findings = b->findings;
	b->s->nfindings = n;
	b->s->findings_dropped = b->c->findings.dropped;
}

/* ---- the gate ---- */

static void
copy_failures(struct building *b)
{
	struct gate_failure *out;
	uint32_t n = 0;
	bool failed = false;

	for (const struct gate_result *r = b->results; r; r = r->next)
		n++;
	b->s->failures = out = arena_zero(b->a, n * sizeof *out);
	b->s->nfailures = n;
	b->s->trusted = true;
	for (const struct gate_result *r = b->results; r; r = r->next, out++) {
		*out = r->f;
		out->scope = arena_str(b->a, r->f.scope);
		out->test = arena_str(b->a, r->f.test);
		out->message = arena_str(b->a, r->f.message);
		out->file = arena_str(b->a, r->f.file);
		if (r->request)
			out->request = request_index(b->s, r->request);
		if (r->trust)
			b->s->trusted = false;
		else
			failed = true;
	}
	b->s->gated = gate_asked(&b->c->cfg.gate);
	b->s->state = !b->s->trusted ? GATE_UNUSABLE : failed ? GATE_FAIL : GATE_PASS;
}

/* ---- scopes ---- */

static int
scope_order(const void *x, const void *y)
{
	const struct snap_scope *a = x, *b = y;

	if (a->over != b->over)
		return a->over ? -1 : 1;
	if (a->queries.max != b->queries.max)
		return a->queries.max > b->queries.max ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void
copy_scopes(struct building *b)
{
	const struct tally *t = &b->c->tally;
	struct snap_scope *out = arena_zero(b->a, t->nscopes * sizeof *out);
	struct histogram scratch;
	uint32_t line;

	for (uint32_t i = 0; i < t->nscopes; i++) {
		const struct tally_scope *from = &t->scopes[i];
		const struct baseline_scope *recorded = baseline_scope(b->c->cfg.gate.baseline, from->name);

		out[i] = (struct snap_scope){ .name = arena_str(b->a, from->name),
			.requests = from->requests,
			.queries = counts_pct(&from->queries),
			.db = histogram_pct(durations_histogram(&from->db, &scratch)),
			.duplicates = from->duplicates,
			.budget = gate_max_queries(&b->c->gate, from->name, &line),
			.baseline = recorded ? recorded->queries : NO_LIMIT,
			.scope_from = from->scope_from,
			.borders_from = from->borders_from };
	}
	for (uint32_t i = 0; i < b->c->findings.n; i++) {
		const struct finding *f = &b->c->findings.v[i];

		if (f->worst.rule == RULE_N_PLUS_ONE && f->verdict != VERDICT_NOTE && !finding_is_fixed(f) && !suppressed_by(b, f))
			out[f->scope].n_plus_one++;
	}
	for (const struct gate_result *r = b->results; r; r = r->next) {
		uint32_t i = *r->f.scope ? keymap_find(&t->scope_keys, keymap_name(r->f.scope, 0)) : KEYMAP_NONE;

		if (i != KEYMAP_NONE)
			out[i].over = true;
	}
	if (t->nscopes)
		qsort(out, t->nscopes, sizeof *out, scope_order);
	b->s->scopes = out;
	b->s->nscopes = t->nscopes;
}

/* ---- all of it ---- */

static void
build(struct building *b, const struct run_info *run)
{
	const struct gate_run judged = { &b->c->findings, &b->c->tally, run };

	copy_run(b, run);
	copy_databases(b);
	copy_shapes(b);
	copy_requests(b);
	b->results = gate_judge(&b->c->gate, &judged, b->a);
	note_blame(b);
	copy_findings(b);
	keymap_clear(&b->blamed);
	link_requests(b);
	copy_failures(b);
	copy_scopes(b);
	snapshot_stacks(b->s, &b->c->stacks, &b->c->tally);
	b->s->warnings = gate_warnings(&b->c->gate, &judged, b->a, &b->s->nwarnings);
}

struct snapshot *
collector_snapshot(struct collector *c, const struct run_info *run)
{
	struct arena *a = mem_zero(sizeof *a);
	struct building b = { .a = a, .c = c };

	if (!a)
		return NULL;
	b.s = arena_zero(a, sizeof *b.s);
	b.s->arena = a;
	pthread_mutex_lock(&c->lock);
	build(&b, run);
	pthread_mutex_unlock(&c->lock);
	return b.s;
}

void
snapshot_free(struct snapshot *s)
{
	struct arena *a;

	if (!s)
		return;
	for (uint32_t i = 0; i < s->nkept; i++)
		kept_release(s->kept[i]);
	a = s->arena;
	arena_clear(a);
	mem_free(a);
}
