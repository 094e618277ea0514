/* SPDX-License-Identifier: Apache-2.0 */
/* compare: see compare.h. */
#include "compare.h"

#include <stdio.h>
#include <stdlib.h>

#include "fingerprint/mem.h"
#include "reports/judge/gate_ratchet.h"
#include "reports/write/writers.h"

/* A snapshot by the names of its scopes. */
struct run_index {
	const struct snapshot *s;
	struct keymap scopes;
	const struct snap_request **median;	/* by scope: the first of its requests, with statements, that makes as many queries as the median one */
	uint32_t *of_finding;			/* by finding: its scope */
};

struct comparing {
	struct comparison *c;
	const struct compared_run *before, *after;
	struct run_index index[2];		/* before, after */
	const struct snap_request *named;	/* the request somebody asked for; NULL */
	struct arena *a;
};

const char *
change_name(enum change c)
{
	static const char *const names[] = { "same", "added", "removed", "more", "fewer" };

	return names[c];
}

const char *
verdict_change_name(enum verdict_change v)
{
	static const char *const names[] = { "same", "changed", "better", "worse" };

	return names[v];
}

/* ---- finding the same again ---- */

static void
index_run(struct run_index *x, const struct snapshot *s, struct arena *a)
{
	x->s = s;
	x->median = arena_zero(a, s->nscopes * sizeof(*x->median));
	x->of_finding = arena_zero(a, s->nfindings * sizeof *x->of_finding);
	for (uint32_t i = 0; i < s->nscopes; i++)
		keymap_add(&x->scopes, keymap_name(s->scopes[i].name, 0), UINT32_MAX - 1);
	for (uint32_t i = 0; i < s->nrequests; i++) {
		const struct snap_request *r = &s->requests[i];
		uint32_t scope = keymap_find(&x->scopes, keymap_name(r->r.scope, 0));

		if (scope != KEYMAP_NONE && !x->median[scope] && r->r.stmts && r->queries == s->scopes[scope].queries.p50)
			x->median[scope] = r;
	}
	for (uint32_t i = 0; i < s->nfindings; i++)
		x->of_finding[i] = keymap_find(&x->scopes, keymap_name(s->findings[i].scope, 0));
}

/* KEYMAP_NONE: the run has no such scope. */
static uint32_t
scope_in(const struct run_index *x, const char *name)
{
	return keymap_find(&x->scopes, keymap_name(name, 0));
}

/* ---- statements ---- */

static struct use
use_of(const struct side_shape *s)
{
	if (!s)
		return (struct use){ 0 };
	return (struct use){ s->executions.times, counts_percentile(&s->executions, 50), s->executions.total };
}

static enum change
change_of(uint64_t before, uint64_t after)
{
	if (before == after)
		return CHANGE_NONE;
	if (before == 0 || after == 0)
		return before ? CHANGE_REMOVED : CHANGE_ADDED;
	return after > before ? CHANGE_MORE : CHANGE_FEWER;
}

static void
add_shape(struct compared_scope *out, const struct side_shape *before, const struct side_shape *after)
{
	struct compared_shape *s = &out->shapes[out->nshapes++];

	s->shape = after ? after->shape : before->shape;
	s->before = use_of(before);
	s->after = use_of(after);
	s->change = change_of(s->before.per_request, s->after.per_request);
	out->nchanged += s->change != CHANGE_NONE;
}

static uint64_t
apart(const struct compared_shape *s)
{
	uint64_t b = s->before.per_request, a = s->after.per_request;

	return a > b ? a - b : b - a;
}

static int
by_change(const void *x, const void *y)
{
	const struct compared_shape *a = x, *b = y;

	if (!a->change != !b->change)
		return a->change ? -1 : 1;
	if (apart(a) != apart(b))
		return apart(a) > apart(b) ? -1 : 1;
	if (a->after.executions != b->after.executions)
		return a->after.executions > b->after.executions ? -1 : 1;
	return a->shape->fingerprint < b->shape->fingerprint ? -1 : a->shape->fingerprint > b->shape->fingerprint;
}

static void
compare_shapes(struct comparing *k, struct compared_scope *out)
{
	const struct side_scope *before = side_scope(k->before->side, out->name), *after = side_scope(k->after->side, out->name);
	uint32_t nbefore = before ? before->nshapes : 0, nafter = after ? after->nshapes : 0;

	out->shapes = arena_zero(k->a, ((size_t)nbefore + nafter) * sizeof *out->shapes);
	for (uint32_t i = 0; i < nafter; i++)
		add_shape(out, side_shape(before, after->shapes[i].shape->fingerprint), &after->shapes[i]);
	for (uint32_t i = 0; i < nbefore; i++)
		if (!side_shape(after, before->shapes[i].shape->fingerprint))
			add_shape(out, &before->shapes[i], NULL);
	if (out->nshapes)
		qsort(out->shapes, out->nshapes, sizeof *out->shapes, by_change);
	out->time = noise_compare(before ? before->times : NULL, before ? before->ntimes : 0, after ? after->times : NULL, after ? after->ntimes : 0);
}

/* ---- findings ---- */

/* Those that count by executions; what is slow is told by the times. */
static bool
is_compared(const struct run_index *x, uint32_t i, uint32_t scope)
{
	return scope != KEYMAP_NONE && x->of_finding[i] == scope && finding_counts(&x->s->findings[i]) && ratchet_judges(x->s->findings[i].rule);
}

static const struct snap_finding *
same_finding(const struct snapshot *s, const struct snap_finding *f)
{
	for (uint32_t i = 0; i < s->nfindings; i++)
		if (strcmp(s->findings[i].id, f->id) == 0 && finding_counts(&s->findings[i]))
			return &s->findings[i];
	return NULL;
}

static void
add_finding(struct compared_scope *out, const struct snap_finding *before, const struct snap_finding *after)
{
	struct compared_finding f = { after ? after : before, CHANGE_NONE, before ? before->worst.executions : 0,
		after ? after->worst.executions : 0 };

	f.change = change_of(f.before, f.after);
	if (f.change)
		out->findings[out->nfindings++] = f;
}

static void
compare_findings(struct comparing *k, struct compared_scope *out)
{
	const struct snapshot *before = k->c->before, *after = k->c->after;
	const struct run_index *was = &k->index[0], *is = &k->index[1];
	uint32_t in_before = scope_in(was, out->name), in_after = scope_in(is, out->name), most = 0;

	for (uint32_t i = 0; i < after->nfindings; i++)
		most += is_compared(is, i, in_after);
	for (uint32_t i = 0; i < before->nfindings; i++)
		most += is_compared(was, i, in_before);
	out->findings = arena_zero(k->a, most * sizeof *out->findings);
	for (uint32_t i = 0; i < after->nfindings; i++)
		if (is_compared(is, i, in_after))
			add_finding(out, same_finding(before, &after->findings[i]), &after->findings[i]);
	for (uint32_t i = 0; i < before->nfindings; i++)
		if (is_compared(was, i, in_before) && !same_finding(after, &before->findings[i]))
			add_finding(out, &before->findings[i], NULL);
}

/* ---- one request of each ---- */

static const struct snap_request *
median_request(const struct run_index *x, const struct snap_scope *scope)
{
	return scope ? x->median[scope - x->s->scopes] : NULL;
}

static const struct snap_request *
labelled(const struct snapshot *s, const char *label)
{
	char buf[REQUEST_LABEL];

	for (uint32_t i = 0; i < s->nrequests; i++)
		if (strcmp(request_label(&s->requests[i].r, buf), label) == 0)
			return &s->requests[i];
	return NULL;
}

static bool
is_of(const struct snapshot *s, const struct snap_request *r)
{
	return r && r >= s->requests && r < s->requests + s->nrequests;
}

static void
compare_sequences(struct comparing *k, struct compared_scope *out)
{
	struct sequence before = { 0 }, after = { 0 };
	bool mine = k->named && strcmp(k->named->r.scope, out->name) == 0;

	out->one_before = mine && is_of(k->c->before, k->named) ? k->named : median_request(&k->index[0], out->before);
	out->one_after = mine && is_of(k->c->after, k->named) ? k->named : median_request(&k->index[1], out->after);
	if (out->one_before)
		before = sequence_of(&out->one_before->r, k->a);
	if (out->one_after)
		after = sequence_of(&out->one_after->r, k->a);
	out->sequence = sequence_diff(&before, &after, false, k->a);
	out->blocks = sequence_diff(&before, &after, true, k->a);
}

/* ---- scopes ---- */

static enum verdict_change
judge(const struct compared_scope *s)
{
	bool both = s->before && s->after, worse = both && s->after->queries.p50 > s->before->queries.p50,
	     better = both && s->after->queries.p50 < s->before->queries.p50;

	for (uint32_t i = 0; i < s->nfindings; i++) {
		worse |= s->findings[i].change == CHANGE_ADDED || s->findings[i].change == CHANGE_MORE;
		better |= both && (s->findings[i].change == CHANGE_REMOVED || s->findings[i].change == CHANGE_FEWER);
	}
	if (worse)
		return DIFF_WORSE;
	if (better)
		return DIFF_BETTER;
	return !both || s->nchanged ? DIFF_CHANGED : DIFF_SAME;
}

static const struct snap_scope *
scope_named(const struct run_index *x, const char *name)
{
	uint32_t i = scope_in(x, name);

	return i == KEYMAP_NONE ? NULL : &x->s->scopes[i];
}

static int64_t
grown(const struct compared_scope *s)
{
	int64_t by = (int64_t)(s->after ? s->after->queries.p50 : 0) - (int64_t)(s->before ? s->before->queries.p50 : 0);

	return by < 0 ? -by : by;
}

static int
by_verdict(const void *x, const void *y)
{
	const struct compared_scope *a = x, *b = y;

	if (a->verdict != b->verdict)
		return a->verdict > b->verdict ? -1 : 1;
	if (grown(a) != grown(b))
		return grown(a) > grown(b) ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void
add_scope(struct comparing *k, const struct snap_scope *before, const struct snap_scope *after)
{
	struct compared_scope *s = &k->c->scopes[k->c->nscopes++];

	*s = (struct compared_scope){ .name = after ? after->name : before->name, .before = before, .after = after };
	compare_shapes(k, s);
	compare_findings(k, s);
	compare_sequences(k, s);
	s->verdict = judge(s);
	k->c->count[s->verdict]++;
	if (s->verdict > k->c->verdict)
		k->c->verdict = s->verdict;
}

struct comparison *
compare_runs(const struct compared_run *before, const struct compared_run *after, const char *request, char *err, size_t err_n)
{
	struct comparison *c = xmem_zero(sizeof *c);
	struct comparing k = { .c = c, .before = before, .after = after, .a = &c->arena };
	const struct snapshot *b = before->snapshot, *a = after->snapshot;

	c->before = b;
	c->after = a;
	c->left_out = before->side->left_out + after->side->left_out;
	if (request) {
		k.named = labelled(a, request);
		k.named = k.named ? k.named : labelled(b, request);
		if (!k.named) {
			snprintf(err, err_n, "neither recording has a request %s (requests are named by their key, or #12)", request);
			comparison_free(c);
			return NULL;
		}
	}
	index_run(&k.index[0], b, k.a);
	index_run(&k.index[1], a, k.a);
	c->scopes = arena_zero(&c->arena, ((size_t)b->nscopes + a->nscopes) * sizeof *c->scopes);
	for (uint32_t i = 0; i < a->nscopes; i++)
		add_scope(&k, scope_named(&k.index[0], a->scopes[i].name), &a->scopes[i]);
	for (uint32_t i = 0; i < b->nscopes; i++)
		if (!scope_named(&k.index[1], b->scopes[i].name))
			add_scope(&k, &b->scopes[i], NULL);
	keymap_clear(&k.index[0].scopes);
	keymap_clear(&k.index[1].scopes);
	if (c->nscopes)
		qsort(c->scopes, c->nscopes, sizeof *c->scopes, by_verdict);
	return c;
}

void
comparison_free(struct comparison *c)
{
	if (c)
		arena_clear(&c->arena);
	mem_free(c);
}
