/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gate.c and gate_run.c, through a collector: budgets, fail-on, allow entries, trust, each with what must not fail. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#include "fingerprint/limits.h"
#include "reports/judge/words.h"
#include "collected.h"

/* A budget that limits nothing but queries (NO_LIMIT: not even these). One of scope and test is NULL. */
static struct budget
budget(const char *scope, const char *test, int64_t max_queries, uint32_t line)
{
	return (struct budget){ scope, test, max_queries, NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT, NO_LIMIT, line };
}

static const char LOOP[] =
    "scope GET /orders\ntest tests/test_o.py::test_list\nloop 1..6\n1 row 1ms | SELECT * FROM customers WHERE id = %i\nend\n";
static const char LOOP_ADMIN[] = "scope GET /admin/x\nloop 1..6\n1 row 1ms | SELECT * FROM customers WHERE id = %i\nend\n";
static const char TWICE[] = "scope GET /me\nloop 1..3\n1 row 1ms | SELECT * FROM users WHERE id = 7\nend\n";
static const char WRITES[] = "scope job Import\nloop 1..6\n1ms affected 1 | INSERT INTO t (a) VALUES (%i)\nend\n";
static const char GAPPED[] = "borders gap\nnames none\nloop 1..6\n1 row 1ms | SELECT * FROM customers WHERE id = %i\nend\n";
static const char ONE[] = "scope GET /one\ntest tests/test_o.py::test_one\n1 row 1ms | SELECT * FROM users WHERE id = 7\n";

static int
set_up(void **state)
{
	*state = collected_new();
	return 0;
}

static int
tear_down(void **state)
{
	collected_free(*state);
	return 0;
}

static const struct snapshot *
judge(struct collected *c, const char *const *requests)
{
	for (; *requests; requests++)
		collected_add(c, *requests);
	return collected_snapshot(c);
}

#define JUDGE(c, ...) judge(c, (const char *const[]){ __VA_ARGS__, NULL })

static void
nothing_asked_nothing_fails(void **state)
{
	const struct snapshot *s = JUDGE(*state, LOOP, TWICE, WRITES);

	assert_false(s->gated);
	assert_true(s->trusted);
	assert_int_equal(s->state, GATE_PASS);
	assert_int_equal(s->nfailures, 0);
	assert_int_equal(collected_finding(s, RULE_N_PLUS_ONE)->level, LEVEL_WARNING);
	assert_int_equal(collected_finding(s, RULE_WRITE_LOOP)->level, LEVEL_NOTE);
	assert_int_equal(s->scopes[0].budget, NO_LIMIT);
}

static void
max_queries_binds_every_request(void **state)
{
	struct collected *c = *state;
	const struct snapshot *s;

	c->cfg.gate.max_queries = 5;
	s = JUDGE(c, ONE, LOOP, LOOP, TWICE);
	const struct gate_failure *f = collected_failure(s, "query-budget");

	assert_true(s->gated);
	assert_int_equal(s->state, GATE_FAIL);
	assert_int_equal(s->nfailures, 1);
	assert_string_equal(f->scope, "GET /orders");
	assert_string_equal(f->message, "GET /orders: 6 queries in one request, budget 5 (2 of 2 requests over)");
	assert_int_equal(f->limit, 5);
	assert_int_equal(f->value, 6);
	assert_int_equal(f->line, 0);
	assert_string_equal(f->file, "");
	assert_int_equal(f->request, 1);
	assert_string_equal(s->scopes[0].name, "GET /orders");
	assert_true(s->scopes[0].over);
	assert_false(s->scopes[1].over);
	assert_int_equal(s->scopes[1].budget, 5);
	const struct snap_finding *finding = collected_finding(s, RULE_QUERY_BUDGET);

	assert_int_equal(finding->level, LEVEL_ERROR);
	assert_int_equal(finding->worst.executions, 6);
	assert_int_equal(finding->excess, 1);
	assert_int_equal(finding->seen_in, 2);
	assert_int_equal(finding->of, 2);
	assert_string_equal(finding->worst.evidence, "6 queries, budget 5");
}

static void
exactly_the_budget_is_fine(void **state)
{
	struct collected *c = *state;

	c->cfg.gate.max_queries = 6;
	c->cfg.gate.max_total_queries = 10;
	assert_int_equal(JUDGE(c, ONE, LOOP, TWICE)->state, GATE_PASS);
	assert_int_equal(JUDGE(c, ONE)->state, GATE_FAIL);
	assert_string_equal(collected_failure(c->s, "total-queries")->message, "11 queries in all, limit 10");
}

static void
first_matching_budget_wins(void **state)
{
	struct collected *c = *state;
	const struct budget budgets[] = {
		budget("GET /adm*", NULL, 400, 3),
		budget(NULL, "tests/test_o.py::*", NO_LIMIT, 4),
		budget("*", NULL, 5, 5),
		budget("GET /orders", NULL, 1, 6),
	};

	c->cfg.gate.budgets = budgets;
	c->cfg.gate.nbudgets = 4;
	const struct gate_failure *f = collected_failure(JUDGE(c, LOOP, LOOP_ADMIN, TWICE), "query-budget");

	assert_string_equal(f->scope, "GET /orders");
	assert_int_equal(f->limit, 5);
	assert_int_equal(f->line, 5);
	assert_string_equal(f->file, "rowcall.yaml");
	assert_string_equal(collected_finding(c->s, RULE_QUERY_BUDGET)->origin, "budget");
	assert_int_equal(collected_finding(c->s, RULE_QUERY_BUDGET)->line, 5);
	for (uint32_t i = 0; i < c->s->nscopes; i++)
		assert_int_equal(c->s->scopes[i].budget, strcmp(c->s->scopes[i].name, "GET /admin/x") == 0 ? 400 : 5);
}

static void
the_tighter_of_flag_and_budget_binds(void **state)
{
	struct collected *c = *state;
	const struct budget budgets[] = { budget("*", NULL, 5, 5) };

	c->cfg.gate.budgets = budgets;
	c->cfg.gate.nbudgets = 1;
	c->cfg.gate.max_queries = 4;
	const struct gate_failure *f = collected_failure(JUDGE(c, LOOP), "query-budget");

	assert_int_equal(f->limit, 4);
	assert_int_equal(f->line, 0);
}

static void
other_budgets_bind_each_request(void **state)
{
	struct collected *c = *state;
	const struct budget budgets[] = { { .scope = "*",
	    .max_queries = NO_LIMIT,
	    .n_plus_one = 0,
	    .duplicates = 1,
	    .write_loops = 0,
	    .max_rows = 5,
	    .max_bytes = 99,
	    .max_transaction_ns = 10000000,
	    .line = 2 } };
	const struct snapshot *s;

	c->cfg.gate.budgets = budgets;
	c->cfg.gate.nbudgets = 1;
	s = JUDGE(c, LOOP, TWICE, WRITES, "scope big\n1ms bytes 100 | SELECT * FROM a\n",
	    "scope slow\ntx 1 | BEGIN\n6ms tx 1 | SELECT * FROM a\n6ms tx 1 | SELECT * FROM b\ntx 1 | COMMIT\n");
	assert_string_equal(
	    collected_failure(s, "n-plus-one-budget")->message, "GET /orders: 1 N+1 in one request, budget 0 (1 of 1 request over)");
	assert_string_equal(collected_failure(s, "duplicate-budget")->message,
	    "GET /me: 2 duplicate executions in one request, budget 1 (1 of 1 request over)");
	assert_string_equal(collected_failure(s, "write-loop-budget")->scope, "job Import");
	assert_string_equal(
	    collected_failure(s, "row-budget")->message, "GET /orders: 6 rows in one request, budget 5 (1 of 1 request over)");
	assert_string_equal(collected_failure(s, "byte-budget")->scope, "big");
	assert_string_equal(collected_failure(s, "transaction-budget")->message,
	    "slow: a transaction of 13 ms in one request, budget 10 ms (1 of 1 request over)");
	assert_int_equal(s->nfailures, 6);
	assert_int_equal(collected_finding(s, RULE_N_PLUS_ONE)->level, LEVEL_ERROR);
	assert_int_equal(collected_finding(s, RULE_DUPLICATE)->level, LEVEL_ERROR);
	assert_int_equal(collected_finding(s, RULE_WRITE_LOOP)->level, LEVEL_ERROR);
	assert_int_equal(collected_finding(s, RULE_WRITE_LOOP)->verdict, VERDICT_SUSPECTED);
	assert_null(collected_finding(s, RULE_QUERY_BUDGET));
}

static void
test_budgets_bind_the_sum(void **state)
{
	struct collected *c = *state;
	struct budget budgets[] = { budget(NULL, "tests/*", 12, 7), budget("*", NULL, 6, 8) };
	const struct snapshot *s;

	budgets[0].n_plus_one = 1;
	c->cfg.gate.budgets = budgets;
	c->cfg.gate.nbudgets = 2;
	s = JUDGE(c, LOOP, ONE);
	assert_int_equal(s->state, GATE_PASS);
	s = JUDGE(c, LOOP);
	assert_string_equal(
	    collected_failure(s, "n-plus-one-budget")->message, "tests/test_o.py::test_list: 2 N+1s over the test, budget 1");
	assert_string_equal(collected_failure(s, "n-plus-one-budget")->test, "tests/test_o.py::test_list");
	assert_string_equal(collected_failure(s, "n-plus-one-budget")->scope, "");
	assert_int_equal(collected_finding(s, RULE_N_PLUS_ONE)->level, LEVEL_ERROR);
	assert_null(collected_failure(s, "query-budget"));
	s = JUDGE(c, "scope GET /z\ntest tests/test_o.py::test_list\n1ms | SELECT * FROM a\n");
	assert_string_equal(
	    collected_failure(s, "query-budget")->message, "tests/test_o.py::test_list: 13 queries over the test, budget 12");
	assert_int_equal(collected_failure(s, "query-budget")->line, 7);
}

static void
fail_on_takes_proven_and_suspected(void **state)
{
	struct collected *c = *state;
	const struct fail_on rules_asked[] = { { RULE_N_PLUS_ONE, false }, { RULE_DUPLICATE, true } };
	const struct snapshot *s;

	c->cfg.gate.fail_on = rules_asked;
	c->cfg.gate.nfail_on = 2;
	s = JUDGE(c, LOOP, TWICE, WRITES);
	const struct gate_failure *f = collected_failure(s, "fail-on");

	assert_string_equal(f->message,
	    "GET /orders: n-plus-one suspected: 6x SELECT customers, 6 distinct parameters, median gap 0.3 ms, 80% of request time");
	assert_int_equal(collected_finding(s, RULE_N_PLUS_ONE)->level, LEVEL_ERROR);
	assert_int_equal(collected_finding(s, RULE_DUPLICATE)->level, LEVEL_WARNING);
	s = JUDGE(c, "scope GET /p\nloop 1..3\n1 row 1ms result 5 | SELECT * FROM users WHERE id = 7\nend\n");
	assert_int_equal(s->nfailures, 2);
	assert_string_equal(s->failures[1].scope, "GET /p");
}

/* Several modules that ask the same question make one finding, which either rule's name fails. */
static void
fail_on_repeats_across_modules(void **state)
{
	struct collected *c = *state;
	const struct fail_on rules_asked[] = { { RULE_CROSS_SCOPE_REPEAT, false } };
	const struct snapshot *s;

	c->cfg.gate.fail_on = rules_asked;
	c->cfg.gate.nfail_on = 1;
	s = JUDGE(c, "scope GET /p\nloop 1..3\n1 row 1ms site shop/views.py:9 | SELECT * FROM users WHERE id = 7\nend\n");
	assert_int_equal(s->nfailures, 0);
	assert_int_equal(collected_finding(s, RULE_DUPLICATE)->level, LEVEL_WARNING);
	s = JUDGE(c, "scope GET /q\n1 row 1ms site shop/auth.py:2 | SELECT * FROM users WHERE id = 7\n"
		     "1 row 1ms site shop/views.py:9 | SELECT * FROM users WHERE id = 7\n");
	assert_int_equal(s->nfailures, 1);
	assert_string_equal(s->failures[0].scope, "GET /q");
	assert_non_null(strstr(s->failures[0].message, "GET /q: duplicate suspected"));
	assert_non_null(strstr(s->failures[0].message, "; asked by 2 modules: shop/auth.py, shop/views.py"));
}

static void
notes_never_fail(void **state)
{
	struct collected *c = *state;
	const struct fail_on rules_asked[] = { { RULE_N_PLUS_ONE, false }, { RULE_DUPLICATE, false } };

	c->cfg.gate.fail_on = rules_asked;
	c->cfg.gate.nfail_on = 2;
	assert_int_equal(JUDGE(c, "scope a\nloop 0..9\n100 rows 1ms | SELECT * FROM e ORDER BY id LIMIT 100 OFFSET %i\nend\n",
			     "scope b\n1 row result 1 | SELECT n FROM c WHERE id = 1\n1 row result 2 | SELECT n FROM c WHERE id = 1\n")
			     ->state,
	    GATE_PASS);
	assert_int_equal(c->s->nfindings, 2);
}

static void
notes_are_not_budgeted(void **state)
{
	struct collected *c = *state;
	struct budget budgets[] = { budget("*", NULL, NO_LIMIT, 0) };

	budgets[0].n_plus_one = 0;
	budgets[0].duplicates = 0;
	c->cfg.gate.budgets = budgets;
	c->cfg.gate.nbudgets = 1;
	assert_int_equal(JUDGE(c, "scope a\nloop 0..9\n100 rows 1ms | SELECT * FROM e ORDER BY id LIMIT 100 OFFSET %i\nend\n",
			     "scope b\n1 row result 1 | SELECT n FROM c WHERE id = 1\n1 row result 2 | SELECT n FROM c WHERE id = 1\n")
			     ->state,
	    GATE_PASS);
}

/* Of transactions a test budget takes the longest, not the sum. */
static void
transactions_are_not_summed(void **state)
{
	static const char TX[] = "scope a\ntest t\ntx 1 | BEGIN\n6ms tx 1 | SELECT * FROM a\ntx 1 | COMMIT\n";
	struct collected *c = *state;
	struct budget budgets[] = { budget(NULL, "*", NO_LIMIT, 0) };

	budgets[0].max_transaction_ns = 10000000;
	c->cfg.gate.budgets = budgets;
	c->cfg.gate.nbudgets = 1;
	assert_int_equal(JUDGE(c, TX, TX, TX)->state, GATE_PASS);
	assert_string_equal(
	    collected_failure(JUDGE(c, "scope a\ntest t\ntx 1 | BEGIN\n16ms tx 1 | SELECT * FROM a\n"), "transaction-budget")->message,
	    "t: a transaction of 16 ms over the test, budget 10 ms");
}

/* The same shape in both dialects has one fingerprint: naming it is not ambiguous. */
static void
dialects_share_fingerprints(void **state)
{
	struct collected *c = *state;
	char hex[17];
	const struct allow allows[] = { { .rule = RULES, .shape = hex, .reason = "both" } };

	snprintf(hex, sizeof hex, "%016" PRIx64, req_shape(c->b, "SELECT * FROM customers WHERE id = 1")->fingerprint);
	c->cfg.gate.max_queries = 100;
	c->cfg.gate.allows = allows;
	c->cfg.gate.nallows = 1;
	assert_int_equal(JUDGE(c, LOOP, "mysql\nscope b\n1ms | SELECT * FROM customers WHERE id = 1\n")->state, GATE_PASS);
	assert_int_equal(c->s->nshapes, 2);
	assert_int_equal(c->s->nwarnings, 0);
}

static void
asked_for_write_loops_count(void **state)
{
	struct collected *c = *state;
	const struct fail_on rules_asked[] = { { RULE_WRITE_LOOP, false } };

	c->cfg.gate.fail_on = rules_asked;
	c->cfg.gate.nfail_on = 1;
	assert_non_null(collected_failure(JUDGE(c, WRITES), "fail-on"));
}

static void
inferred_requests_can_be_left_out(void **state)
{
	struct collected *c = *state;
	const struct fail_on rules_asked[] = { { RULE_N_PLUS_ONE, false } };

	c->cfg.gate.fail_on = rules_asked;
	c->cfg.gate.nfail_on = 1;
	c->cfg.gate.max_queries = 2;
	c->cfg.gate.max_total_queries = 2;
	c->cfg.gate.inferred = false;
	assert_int_equal(JUDGE(c, GAPPED)->state, GATE_PASS);
	assert_int_equal(JUDGE(c, LOOP)->nfailures, 3);
	assert_string_equal(collected_failure(c->s, "total-queries")->message, "6 queries in all, limit 2");
}

static void
inferred_requests_count_by_default(void **state)
{
	struct collected *c = *state;

	c->cfg.gate.max_queries = 2;
	assert_string_equal(collected_failure(JUDGE(c, GAPPED), "query-budget")->scope, "(untagged)");
}

static void
retries_are_not_budgeted_twice(void **state)
{
	struct collected *c = *state;

	c->cfg.gate.max_queries = 1;
	assert_int_equal(
	    JUDGE(c, "scope a\n1ms error 40001 | SELECT * FROM a WHERE id = 1\n1ms | SELECT * FROM a WHERE id = 1\n")->state, GATE_PASS);
	assert_int_equal(c->s->queries, 2);
}

/* ---- allow ---- */

static void
allowed_findings_do_not_fail(void **state)
{
	struct collected *c = *state;
	const struct fail_on rules_asked[] = { { RULE_N_PLUS_ONE, false } };
	struct budget budgets[] = { budget("*", NULL, NO_LIMIT, 0) };
	const struct allow allows[] = {
		{ .rule = RULE_N_PLUS_ONE, .scope = "GET /adm*", .reason = "three sections", .until = "2026-11-21", .line = 9 }
	};
	const struct snapshot *s;

	c->cfg.gate.fail_on = rules_asked;
	c->cfg.gate.nfail_on = 1;
	budgets[0].n_plus_one = 0;
	c->cfg.gate.budgets = budgets;
	c->cfg.gate.nbudgets = 1;
	c->cfg.gate.allows = allows;
	c->cfg.gate.nallows = 1;
	s = JUDGE(c, LOOP_ADMIN);
	assert_int_equal(s->state, GATE_PASS);
	assert_int_equal(s->nallowed, 1);
	assert_string_equal(s->findings[0].suppressed, "three sections");
	assert_int_equal(s->findings[0].level, LEVEL_NOTE);
	assert_int_equal(s->scopes[0].n_plus_one, 0);
	assert_int_equal(s->nwarnings, 0);
	s = JUDGE(c, LOOP);
	assert_int_equal(s->nfailures, 2);
	assert_string_equal(collected_failure(s, "fail-on")->scope, "GET /orders");
}

static void
allow_entries_name_shapes(void **state)
{
	struct collected *c = *state;
	const struct fail_on rules_asked[] = { { RULE_N_PLUS_ONE, false } };
	char name[9], hex[17], other[17];
	struct allow allows[] = { { .rule = RULES, .shape = name, .reason = "short" }, { .rule = RULES, .shape = hex, .reason = "full" },
		{ .rule = RULES, .shape = other, .reason = "other", .line = 4 } };
	uint64_t fingerprint = req_shape(c->b, "SELECT * FROM customers WHERE id = 1")->fingerprint;

	snprintf(hex, sizeof hex, "%016" PRIx64, fingerprint);
	snprintf(name, sizeof name, "q%.7s", hex);
	snprintf(other, sizeof other, "%016" PRIx64, fingerprint ^ 1);
	c->cfg.gate.fail_on = rules_asked;
	c->cfg.gate.nfail_on = 1;
	c->cfg.gate.allows = allows;
	c->cfg.gate.nallows = 3;
	assert_int_equal(JUDGE(c, LOOP)->state, GATE_PASS);
	assert_string_equal(c->s->findings[0].suppressed, "short");
	assert_int_equal(c->s->nwarnings, 2);
	assert_string_equal(c->s->warnings[1], "the allow entry at rowcall.yaml:4 matches nothing");
}

static void
ambiguous_entries_fail_the_configuration(void **state)
{
	struct collected *c = *state;
	const struct allow allows[] = { { .rule = RULES, .shape = "q", .reason = "everything", .line = 4 } };

	c->cfg.gate.max_queries = 100;
	c->cfg.gate.allows = allows;
	c->cfg.gate.nallows = 1;
	assert_int_equal(JUDGE(c, LOOP)->state, GATE_PASS);
	assert_int_equal(JUDGE(c, TWICE)->state, GATE_FAIL);
	assert_string_equal(
	    collected_failure(c->s, "config")->message, "the allow entry at rowcall.yaml:4 is ambiguous: several shapes start with q");
	assert_int_equal(collected_failure(c->s, "config")->line, 4);
	assert_int_equal(c->s->nwarnings, 1);
}

static void
stale_entries_do_not_apply(void **state)
{
	struct collected *c = *state;
	const struct fail_on rules_asked[] = { { RULE_N_PLUS_ONE, false } };
	const struct allow allows[] = {
		{ .rule = RULE_N_PLUS_ONE, .reason = "until yesterday", .until = "2026-11-20", .line = 4 },
		{ .rule = RULE_N_PLUS_ONE, .reason = "", .line = 5 },
	};

	c->cfg.gate.fail_on = rules_asked;
	c->cfg.gate.nfail_on = 1;
	c->cfg.gate.allows = allows;
	c->cfg.gate.nallows = 2;
	const struct snapshot *s = JUDGE(c, LOOP);

	assert_non_null(collected_failure(s, "fail-on"));
	assert_non_null(collected_failure(s, "config"));
	assert_int_equal(s->nwarnings, 2);
	assert_string_equal(s->warnings[0], "the allow entry at rowcall.yaml:4 expired on 2026-11-20: what it covered counts again");
	assert_string_equal(s->warnings[1], "the allow entry at rowcall.yaml:5 has no reason and does not apply");
}

static void
query_budgets_can_be_allowed(void **state)
{
	struct collected *c = *state;
	const struct allow allows[] = { { .rule = RULE_QUERY_BUDGET, .scope = "GET /orders", .reason = "known" } };

	c->cfg.gate.max_queries = 2;
	c->cfg.gate.allows = allows;
	c->cfg.gate.nallows = 1;
	assert_int_equal(JUDGE(c, LOOP)->state, GATE_PASS);
	assert_string_equal(collected_failure(JUDGE(c, TWICE), "query-budget")->scope, "GET /me");
}

static void
tags_allow_single_instances(void **state)
{
	struct collected *c = *state;
	const struct fail_on rules_asked[] = { { RULE_N_PLUS_ONE, false } };
	struct budget budgets[] = { budget("*", NULL, NO_LIMIT, 0) };

	c->cfg.gate.fail_on = rules_asked;
	c->cfg.gate.nfail_on = 1;
	budgets[0].n_plus_one = 0;
	c->cfg.gate.budgets = budgets;
	c->cfg.gate.nbudgets = 1;
	assert_int_equal(
	    JUDGE(c, "scope GET /orders\nloop 1..9\n1ms allow n-plus-one | SELECT * FROM customers WHERE id = %i\nend\n")->state,
	    GATE_PASS);
	assert_string_equal(c->s->findings[0].suppressed, "allowed by a rowcall_allow tag");
	assert_int_equal(JUDGE(c, LOOP)->nfailures, 2);
	assert_null(c->s->findings[0].suppressed);
	assert_int_equal(c->s->findings[0].worst.executions, 6);
}

/* ---- trust ---- */

static void
nothing_captured_is_unusable(void **state)
{
	struct collected *c = *state;
	const struct snapshot *s;

	c->run.coverage.sessions = 0;
	s = collected_snapshot(c);
	assert_false(s->trusted);
	assert_int_equal(s->state, GATE_UNUSABLE);
	assert_string_equal(
	    collected_failure(s, "nothing-captured")->message, "no connection came to rowcall, so there is nothing to judge");
	c->run.coverage.sessions = 2;
	assert_string_equal(
	    collected_failure(collected_snapshot(c), "nothing-captured")->message, "2 connections came, but not a single statement");
}

static void
nothing_captured_can_be_fine(void **state)
{
	struct collected *c = *state;

	c->cfg.gate.allow_empty = true;
	assert_int_equal(collected_snapshot(c)->state, GATE_PASS);
}

static void
what_was_missed_is_unusable(void **state)
{
	struct collected *c = *state;
	const struct snapshot *s;

	c->cfg.gate.max_queries = 100;
	collected_add(c, LOOP);
	c->run.coverage.lost = 17;
	c->run.coverage.opaque_unexpected = 1;
	c->run.coverage.opaque_expected = 5;
	c->run.coverage.evidence_shed = 5;
	c->run.coverage.opaque_reason = "a message too long";
	c->run.incomplete = true;
	s = collected_snapshot(c);
	assert_int_equal(s->state, GATE_UNUSABLE);
	assert_int_equal(s->nfailures, 3);
	assert_string_equal(s->failures[0].message, "17 records were lost under load: counts are too low");
	assert_string_equal(
	    s->failures[1].message, "1 connection could not be followed to the end because of a message too long: queries are missing");
	assert_string_equal(s->failures[2].kind, "incomplete");
}

/* Unusable wins over fail: both are listed. */
static void
unusable_wins(void **state)
{
	struct collected *c = *state;

	c->cfg.gate.max_queries = 1;
	c->run.coverage.lost = 1;
	assert_int_equal(JUDGE(c, LOOP)->state, GATE_UNUSABLE);
	assert_int_equal(c->s->nfailures, 2);
}

static void
share_of_tagged_queries(void **state)
{
	struct collected *c = *state;

	c->cfg.gate.min_tagged = 0.5;
	c->run.coverage.tagged = 3;
	assert_int_equal(JUDGE(c, LOOP)->state, GATE_PASS);
	c->run.coverage.tagged = 2;
	assert_string_equal(
	    collected_failure(collected_snapshot(c), "min-tagged")->message, "33% of 6 queries are tagged, at least 50% wanted");
}

/* Tests beyond the limit are not judged, and the gate says so instead of passing. */
static void
tests_are_bounded(void **state)
{
	struct collected *c = *state;
	const struct budget budgets[] = { budget(NULL, "*", 400, 0) };
	struct request r = *collected_add(c, ONE);
	struct arena a = { NULL, 0 };

	collector_free(c->c);
	c->cfg.gate.budgets = budgets;
	c->cfg.gate.nbudgets = 1;
	c->c = collector_new(&c->cfg);
	for (uint32_t i = 0; i <= LIMIT_TESTS; i++) {
		if (i == LIMIT_TESTS)
			assert_int_equal(collected_snapshot(c)->state, GATE_PASS);
		r.number = i + 1;
		r.test = arena_printf(&a, "test %" PRIu32, i);
		collector_request(c->c, &r);
	}
	assert_int_equal(collected_snapshot(c)->state, GATE_UNUSABLE);
	assert_string_equal(collected_failure(c->s, "unjudged")->message, "1 judgement did not fit into the gate's tables");
	arena_clear(&a);
}

/* The same for scopes over their budgets. */
static void
violations_are_bounded(void **state)
{
	struct collected *c = *state;
	struct request r;
	struct arena a = { NULL, 0 };

	c->cfg.gate.max_queries = 0;
	r = *collected_add(c, ONE);
	for (uint32_t i = 1; i <= LIMIT_VIOLATIONS; i++) {
		if (i == LIMIT_VIOLATIONS) {
			assert_int_equal(collected_snapshot(c)->state, GATE_FAIL);
			assert_int_equal(c->s->nfailures, LIMIT_VIOLATIONS);
		}
		r.number++;
		r.scope = arena_printf(&a, "scope %" PRIu32, i);
		collector_request(c->c, &r);
	}
	assert_int_equal(collected_snapshot(c)->state, GATE_UNUSABLE);
	assert_int_equal(c->s->nfailures, LIMIT_VIOLATIONS + 1);
	arena_clear(&a);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing_asked_nothing_fails),
		CASE(max_queries_binds_every_request),
		CASE(exactly_the_budget_is_fine),
		CASE(first_matching_budget_wins),
		CASE(the_tighter_of_flag_and_budget_binds),
		CASE(other_budgets_bind_each_request),
		CASE(test_budgets_bind_the_sum),
		CASE(fail_on_takes_proven_and_suspected),
		CASE(fail_on_repeats_across_modules),
		CASE(notes_never_fail),
		CASE(notes_are_not_budgeted),
		CASE(transactions_are_not_summed),
		CASE(dialects_share_fingerprints),
		CASE(asked_for_write_loops_count),
		CASE(inferred_requests_can_be_left_out),
		CASE(inferred_requests_count_by_default),
		CASE(retries_are_not_budgeted_twice),
		CASE(allowed_findings_do_not_fail),
		CASE(allow_entries_name_shapes),
		CASE(ambiguous_entries_fail_the_configuration),
		CASE(stale_entries_do_not_apply),
		CASE(query_budgets_can_be_allowed),
		CASE(tags_allow_single_instances),
		CASE(nothing_captured_is_unusable),
		CASE(nothing_captured_can_be_fine),
		CASE(what_was_missed_is_unusable),
		CASE(unusable_wins),
		CASE(share_of_tagged_queries),
		CASE(tests_are_bounded),
		CASE(violations_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
