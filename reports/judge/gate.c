/* SPDX-License-Identifier: Apache-2.0 */
/* gate: see gate.h. This file judges single requests; gate_run.c judges the run. */
#include "gate.h"

#include <inttypes.h>
#include <stdio.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "glob.h"

enum { KEY_SCOPE, KEY_TEST, KEY_VIOLATION }; /* kinds of names for keymap_name */

void
gate_init(struct gate *g, const struct gate_config *cfg)
{
	*g = (struct gate){ .cfg = cfg };
	g->allow_used = xmem_zero(cfg->nallows);
	for (uint32_t i = 0; i < cfg->nbudgets; i++)
		g->test_budgets |= cfg->budgets[i].test != NULL;
}

void
gate_clear(struct gate *g)
{
	arena_clear(&g->names);
	keymap_clear(&g->violation_keys);
	keymap_clear(&g->test_keys);
	keymap_clear(&g->scope_keys);
	mem_free(g->violations);
	mem_free(g->tests);
	mem_free(g->scope_budgets);
	mem_free(g->allow_used);
	ratchet_clear(&g->ratchet);
	*g = (struct gate){ 0 };
}

void
gate_restart(struct gate *g, const struct gate_config *cfg)
{
	struct gate old = *g;

	g->ratchet = (struct ratchet){ 0 };
	gate_clear(g);
	gate_init(g, cfg);
	g->ratchet = old.ratchet;
	g->judged_requests = old.judged_requests;
	g->judged_queries = old.judged_queries;
	g->unjudged = old.unjudged;
}

bool
gate_asked(const struct gate_config *cfg)
{
	return cfg->max_queries != NO_LIMIT || cfg->max_total_queries != NO_LIMIT || cfg->nfail_on || cfg->nbudgets || cfg->min_tagged > 0 ||
	       cfg->baseline_file || cfg->strict;
}

bool
gate_judges(const struct gate *g, const struct request *r)
{
	return g->cfg->inferred || r->borders_from < FROM_GAP;
}

/* ---- which budget ---- */

static int32_t
first_budget(const struct gate_config *cfg, const char *name, bool test)
{
	for (uint32_t i = 0; i < cfg->nbudgets; i++) {
		const char *pattern = test ? cfg->budgets[i].test : cfg->budgets[i].scope;

		if (pattern && glob_match(pattern, name))
			return (int32_t)i;
	}
	return -1;
}

/* Remembered per scope, so that a request costs one look-up and not one match per budget. */
static const struct budget *
budget_of_scope(struct gate *g, const char *scope)
{
	int32_t found;

	if (g->cfg->nbudgets == 0)
		return NULL;
	uint32_t i = keymap_add(&g->scope_keys, keymap_name(scope, KEY_SCOPE), LIMIT_SCOPES);

	if (i < g->nscopes)
		found = g->scope_budgets[i];
	else {
		found = first_budget(g->cfg, scope, false);
		if (i != KEYMAP_NONE) {
			g->scope_budgets = xmem_room(g->scope_budgets, g->nscopes++, &g->scopes_cap, sizeof *g->scope_budgets);
			g->scope_budgets[i] = found;
		}
	}
	return found < 0 ? NULL : &g->cfg->budgets[found];
}

static struct test_sum *
sum_of_test(struct gate *g, const char *test)
{
	if (!g->test_budgets || !*test)
		return NULL;
	uint32_t i = keymap_add(&g->test_keys, keymap_name(test, KEY_TEST), LIMIT_TESTS);

	if (i == KEYMAP_NONE) {
		g->unjudged++;
		return NULL;
	}
	if (i == g->ntests) {
		g->tests = xmem_room(g->tests, g->ntests++, &g->tests_cap, sizeof *g->tests);
		g->tests[i].name = arena_strndup(&g->names, span_str(test));
		g->tests[i].budget = first_budget(g->cfg, test, true);
	}
	return g->tests[i].budget < 0 ? NULL : &g->tests[i];
}

int64_t
gate_max_queries(struct gate *g, const char *scope, uint32_t *line)
{
	const struct budget *b = budget_of_scope(g, scope);
	int64_t flag = g->cfg->max_queries;

	*line = 0;
	if (!b || b->max_queries == NO_LIMIT || (flag != NO_LIMIT && flag < b->max_queries))
		return flag;
	*line = b->line;
	return b->max_queries;
}

bool
gate_counts_writes(struct gate *g, const struct request *r)
{
	const struct budget *scope = budget_of_scope(g, r->scope);
	int32_t test = g->test_budgets && *r->test ? first_budget(g->cfg, r->test, true) : -1;

	for (uint32_t i = 0; i < g->cfg->nfail_on; i++)
		if (g->cfg->fail_on[i].rule == RULE_WRITE_LOOP)
			return true;
	return (scope && scope->write_loops != NO_LIMIT) || (test >= 0 && g->cfg->budgets[test].write_loops != NO_LIMIT);
}

/* ---- allow entries ---- */

/* "q91bd02c" or "91bd02c4a5e6f708" names the shape by the start of its fingerprint. */
bool
allow_names_shape(const struct allow *a, const struct shape *shape)
{
	char hex[17];
	const char *prefix = a->shape;

	if (!prefix)
		return true;
	if (!shape)
		return false;
	snprintf(hex, sizeof hex, "%016" PRIx64, shape->fingerprint);
	prefix += *prefix == 'q';
	return strncasecmp(hex, prefix, strlen(prefix)) == 0;
}

bool
allow_in_force(const struct gate_config *cfg, const struct allow *a)
{
	bool expired = a->until && cfg->today && strcmp(cfg->today, a->until) > 0;

	return a->reason && *a->reason && !expired;
}

int32_t
gate_allow(struct gate *g, enum rule_id rule, const char *scope, const struct shape *shape)
{
	for (uint32_t i = 0; i < g->cfg->nallows; i++) {
		const struct allow *a = &g->cfg->allows[i];

		if ((a->rule != RULES && a->rule != rule) || (a->scope && !glob_match(a->scope, scope)) || !allow_names_shape(a, shape))
			continue;
		g->allow_used[i] = true;
		if (allow_in_force(g->cfg, a))
			return (int32_t)i;
	}
	return -1;
}

/* ---- one request ---- */

const char *
budget_kind_name(enum budget_kind k)
{
	static const char *const names[BUDGETS] = { "query-budget", "n-plus-one-budget", "duplicate-budget", "write-loop-budget",
		"row-budget", "byte-budget", "transaction-budget" };

	return names[k];
}

enum rule_id
budget_kind_rule(enum budget_kind k)
{
	static const enum rule_id of[BUDGETS] = { RULE_QUERY_BUDGET, RULE_N_PLUS_ONE, RULE_DUPLICATE, RULE_WRITE_LOOP, RULES, RULES,
		RULES };

	return of[k];
}

int64_t
budget_limit(const struct budget *b, enum budget_kind k)
{
	switch (k) {
	case BUDGET_QUERIES:
		return b->max_queries;
	case BUDGET_N_PLUS_ONE:
		return b->n_plus_one;
	case BUDGET_DUPLICATES:
		return b->duplicates;
	case BUDGET_WRITE_LOOPS:
		return b->write_loops;
	case BUDGET_ROWS:
		return b->max_rows;
	case BUDGET_BYTES:
		return b->max_bytes;
	default:
		return b->max_transaction_ns;
	}
}

static void
measure(const struct facts *f, const struct raw_finding *found, int64_t value[BUDGETS])
{
	memset(value, 0, BUDGETS * sizeof value[0]);
	value[BUDGET_QUERIES] = f->queries - f->retries;
	value[BUDGET_ROWS] = (int64_t)f->rows;
	value[BUDGET_BYTES] = (int64_t)f->bytes;
	value[BUDGET_TRANSACTION] = (int64_t)f->longest_tx;
	for (; found; found = found->next) {
		if (found->allowed || found->verdict == VERDICT_NOTE)
			continue;
		value[BUDGET_N_PLUS_ONE] += found->rule == RULE_N_PLUS_ONE;
		value[BUDGET_WRITE_LOOPS] += found->rule == RULE_WRITE_LOOP;
		if (found->rule == RULE_DUPLICATE)
			value[BUDGET_DUPLICATES] += found->excess;
	}
}

static void
violate(struct gate *g, const struct violation *v)
{
	uint32_t i = keymap_add(&g->violation_keys, keymap_name(v->name, KEY_VIOLATION + 2 * v->kind + v->test), LIMIT_VIOLATIONS);
	struct violation *mine;

	if (i == KEYMAP_NONE) {
		g->unjudged++;
		return;
	}
	if (i == g->nviolations) {
		g->violations = xmem_room(g->violations, g->nviolations++, &g->violations_cap, sizeof *g->violations);
		g->violations[i] = *v;
		g->violations[i].name = arena_strndup(&g->names, span_str(v->name));
		g->violations[i].over = 0;
	}
	mine = &g->violations[i];
	mine->over++;
	if (v->worst > mine->worst) {
		mine->worst = v->worst;
		mine->request = v->request;
	}
}

static void
judge_scope(struct gate *g, const struct request *r, const int64_t value[BUDGETS])
{
	const struct budget *b = budget_of_scope(g, r->scope);
	struct violation v = { .name = r->scope, .request = r->number };

	for (int k = 0; k < BUDGETS; k++) {
		v.kind = (enum budget_kind)k;
		v.worst = value[k];
		v.line = b ? b->line : 0;
		v.limit = k == BUDGET_QUERIES ? gate_max_queries(g, r->scope, &v.line) : b ? budget_limit(b, v.kind) : NO_LIMIT;
		if (v.limit == NO_LIMIT || v.worst <= v.limit)
			continue;
		if (k == BUDGET_QUERIES && gate_allow(g, RULE_QUERY_BUDGET, r->scope, NULL) >= 0)
			continue;
		violate(g, &v);
	}
}

static void
add_to_test(struct gate *g, const struct request *r, const int64_t value[BUDGETS])
{
	struct test_sum *t = sum_of_test(g, r->test);

	if (!t)
		return;
	for (int k = 0; k < BUDGETS; k++) {
		if (k != BUDGET_TRANSACTION)
			t->value[k] += value[k];
		else if (value[k] > t->value[k])
			t->value[k] = value[k];
	}
	if (t->requests++ == 0 || value[BUDGET_QUERIES] > t->worst_queries) {
		t->worst_queries = value[BUDGET_QUERIES];
		t->worst_request = r->number;
	}
}

void
gate_request(struct gate *g, const struct facts *f, const struct raw_finding *found)
{
	int64_t value[BUDGETS];

	if (!gate_judges(g, f->r))
		return;
	measure(f, found, value);
	g->judged_requests++;
	g->judged_queries += (uint64_t)value[BUDGET_QUERIES];
	judge_scope(g, f->r, value);
	add_to_test(g, f->r, value);
	if (g->cfg->baseline_file)
		g->unjudged += ratchet_request(&g->ratchet, f->r, value[BUDGET_QUERIES], found);
}
