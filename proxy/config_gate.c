/* SPDX-License-Identifier: Apache-2.0 */
/* config_gate: the part of the configuration that judges: limits, rules to fail on, budgets, accepted findings. */
#include "config_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reports/judge/words.h"

enum { PERCENT_ONE = 1000000 };

static int64_t
limit_of(struct setting said)
{
	return said.by == SAID_DEFAULT && !said.text ? NO_LIMIT : said.value;
}

static bool
rule_named(const char *text, enum rule_id *rule, const char *where, struct problem *p)
{
	char known[400] = "";
	size_t n = 0;

	*rule = rule_find(span_str(text));
	if (*rule != RULES)
		return true;
	for (int i = 0; i < RULES; i++)
		n += (size_t)snprintf(known + n, n < sizeof known ? sizeof known - n : 0, "%s%s", i ? ", " : "", rule_names[i]);
	return problem(p, "%s: \"%s\" is no rule; the rules are %s", where, text, known);
}

static bool
build_fail_on(const struct settings *s, struct arena *a, struct gate_config *g, struct problem *p)
{
	static const char proven[] = ":proven";
	uint32_t n;
	const char *const *texts = config_texts_of(s, a, OPT_FAIL_ON, &n);
	struct fail_on *v = arena_zero(a, (n + 1) * sizeof *v);

	for (uint32_t i = 0; i < n; i++) {
		const struct setting *said = settings_nth(s, OPT_FAIL_ON, settings_source(s, OPT_FAIL_ON), i);
		size_t len = strlen(texts[i]), cut = sizeof proven - 1;

		v[i].proven_only = len > cut && strcmp(texts[i] + len - cut, proven) == 0;
		if (!rule_named(arena_strndup(a, span_of(texts[i], v[i].proven_only ? len - cut : len)), &v[i].rule,
			config_where_said(s, a, said), p))
			return false;
	}
	g->fail_on = v;
	g->nfail_on = n;
	return true;
}

static bool
build_budgets(const struct settings *s, struct arena *a, struct gate_config *g, struct problem *p)
{
	uint32_t n = settings_entries(s, "budgets[].", SAID_FILE);
	struct budget *v = arena_zero(a, (n + 1) * sizeof *v);

	for (uint32_t i = 0; i < n; i++) {
		struct setting scope = settings_entry(s, OPT_BUDGET_SCOPE, SAID_FILE, i),
			       test = settings_entry(s, OPT_BUDGET_TEST, SAID_FILE, i);

		v[i] = (struct budget){ .scope = scope.text,
			.test = test.text,
			.max_queries = limit_of(settings_entry(s, OPT_BUDGET_QUERIES, SAID_FILE, i)),
			.n_plus_one = limit_of(settings_entry(s, OPT_BUDGET_N_PLUS_ONE, SAID_FILE, i)),
			.duplicates = limit_of(settings_entry(s, OPT_BUDGET_DUPLICATES, SAID_FILE, i)),
			.write_loops = limit_of(settings_entry(s, OPT_BUDGET_WRITE_LOOPS, SAID_FILE, i)),
			.max_rows = limit_of(settings_entry(s, OPT_BUDGET_ROWS, SAID_FILE, i)),
			.max_bytes = limit_of(settings_entry(s, OPT_BUDGET_BYTES, SAID_FILE, i)),
			.max_transaction_ns = limit_of(settings_entry(s, OPT_BUDGET_TRANSACTION, SAID_FILE, i)),
			.line = scope.text ? scope.line : test.line };
		if (!scope.text == !test.text)
			return problem(p, "%s: budgets: entry %u needs exactly one of scope and test", s->file, i + 1);
	}
	g->budgets = v;
	g->nbudgets = n;
	return true;
}

/* 16 hex digits, or q and at least 7 of them. */
static bool
is_fingerprint(const char *text)
{
	size_t prefix = *text == 'q', n = strspn(text + prefix, "0123456789abcdef");

	return !text[prefix + n] && (prefix ? n >= 7 && n <= 16 : n == 16);
}

static bool
build_allow(const struct settings *s, struct arena *a, uint32_t i, struct allow *v, struct problem *p)
{
	struct setting rule = settings_entry(s, OPT_ALLOW_RULE, SAID_FILE, i), scope = settings_entry(s, OPT_ALLOW_SCOPE, SAID_FILE, i);
	struct setting shape = settings_entry(s, OPT_ALLOW_SHAPE, SAID_FILE, i), until = settings_entry(s, OPT_ALLOW_UNTIL, SAID_FILE, i);
	struct setting reason = settings_entry(s, OPT_ALLOW_REASON, SAID_FILE, i);

	*v = (struct allow){ .rule = RULES, .scope = scope.text, .shape = shape.text, .reason = reason.text, .until = until.text };
	v->line = rule.line ? rule.line : reason.line;
	if (!reason.text || !*reason.text)
		return problem(p, "%s: allow: entry %u needs a reason", s->file, i + 1);
	if (rule.text && !rule_named(rule.text, &v->rule, config_where_said(s, a, &rule), p))
		return false;
	if (shape.text && !is_fingerprint(shape.text))
		return problem(p, "%s: \"%s\" is not a fingerprint: 16 hex digits, or q and at least 7 of them",
		    config_where_said(s, a, &shape), shape.text);
	if (until.text && !words_is_date(until.text))
		return problem(p, "%s: \"%s\" is not a date such as 2027-01-01", config_where_said(s, a, &until), until.text);
	return true;
}

static bool
build_allows(const struct settings *s, struct arena *a, struct gate_config *g, struct problem *p)
{
	uint32_t n = settings_entries(s, "allow[].", SAID_FILE);
	struct allow *v = arena_zero(a, (n + 1) * sizeof *v);

	for (uint32_t i = 0; i < n; i++)
		if (!build_allow(s, a, i, &v[i], p))
			return false;
	g->allows = v;
	g->nallows = n;
	return true;
}

/* ---- the baseline ---- */

/* A path in rowcall.yaml starts where that file lies, as the command may be run from anywhere below. */
static const char *
beside_file(const struct settings *s, struct arena *a, const struct setting *said)
{
	const char *slash = said->by == SAID_FILE && s->file ? strrchr(s->file, '/') : NULL;

	if (!slash || *said->text == '/')
		return said->text;
	return arena_printf(a, "%.*s%s", (int)(slash + 1 - s->file), s->file, said->text);
}

/* As CI services set it; an empty one is no CI. */
static bool
in_ci(void)
{
	const char *ci = getenv("CI");

	return ci && *ci && strcmp(ci, "false") != 0 && strcmp(ci, "0") != 0;
}

static bool
check_update(const struct config *c, struct problem *p)
{
	if (!c->update_baseline && (c->how_to_update.allow_increase || c->how_to_update.prune))
		return problem(p, "%s goes with --update-baseline", c->how_to_update.prune ? "--prune" : "--allow-increase");
	if (c->update_baseline && in_ci())
		return problem(p, "--update-baseline: CI is set, and a baseline is written where somebody commits it: write it on your own machine, "
		    "or with CI= in the environment");
	return true;
}

static bool
build_baseline(const struct settings *s, struct arena *a, struct config *c, struct problem *p)
{
	struct setting said = settings_get(s, OPT_BASELINE);
	struct problem why = { "" };
	bool absent = false;

	c->update_baseline = settings_true(s, OPT_UPDATE_BASELINE);
	c->how_to_update.allow_increase = settings_true(s, OPT_ALLOW_INCREASE);
	c->how_to_update.prune = settings_true(s, OPT_PRUNE);
	if (!check_update(c, p))
		return false;
	if (said.text && *said.text)
		c->gate.baseline_file = beside_file(s, a, &said);
	else if (c->update_baseline) {
		c->gate.baseline_file = "rowcall.baseline.json";
		c->baseline_unnamed = true;
	} else
		return true;
	c->gate.baseline = c->baseline = baseline_load(c->gate.baseline_file, &absent, why.text, sizeof why.text);
	if (absent && !c->update_baseline)
		c->baseline_absent = arena_printf(a, "%s: the baseline %s is not there, and without it loops and growth would pass unseen: take "
		    "back the committed file, correct its name, or write it with --update-baseline%s", config_where_said(s, a, &said),
		    c->gate.baseline_file, in_ci() ? " on your own machine and commit it" : "");
	if (c->baseline || absent)
		return true;
	return problem(p, "the baseline cannot be used: %.700s; take back the committed file, or remove it and write it anew with "
	    "--update-baseline", why.text);
}

static const char *
today(struct arena *a)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[16];

	gmtime_r(&now, &tm);
	strftime(text, sizeof text, "%Y-%m-%d", &tm);
	return arena_strndup(a, span_str(text));
}

bool
config_gate(const struct settings *s, struct arena *a, struct config *c, struct problem *p)
{
	struct gate_config *g = &c->gate;

	g->max_queries = limit_of(settings_get(s, OPT_MAX_QUERIES));
	g->max_total_queries = limit_of(settings_get(s, OPT_MAX_TOTAL_QUERIES));
	g->inferred = settings_true(s, OPT_INFERRED);
	g->min_tagged = (double)settings_get(s, OPT_MIN_TAGGED).value / PERCENT_ONE;
	g->allow_empty = settings_true(s, OPT_ALLOW_EMPTY);
	g->config_file = s->file ? s->file : "";
	g->today = today(a);
	c->exit_code = (int)settings_get(s, OPT_EXIT_CODE).value;
	c->exit_zero = settings_true(s, OPT_EXIT_ZERO);
	g->strict = settings_true(s, OPT_STRICT);
	return build_fail_on(s, a, g, p) && build_budgets(s, a, g, p) && build_allows(s, a, g, p) && build_baseline(s, a, c, p);
}
