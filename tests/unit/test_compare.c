/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of reports/compare: noise against worked examples, folding, unified hunks, and whole comparisons. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "collected.h"
#include "fingerprint/limits.h"
#include "golden_file.h"
#include "reports/compare/compare.h"

/* ---- noise ---- */

static void
the_rank_test_is_exact_for_small_sets(void **state)
{
	static const uint64_t low[] = { 1, 2, 3, 4, 5 }, high[] = { 11, 12, 13, 14, 15 }, mixed[] = { 6, 7, 8, 0, 20 };

	(void)state;
	/* All of one side below the other: 2 of the 252 orders of 5 and 5. */
	assert_float_equal(noise_compare(low, 5, high, 5).p, 2.0 / 252, 1e-9);
	assert_float_equal(noise_compare(high, 5, low, 5).p, 2.0 / 252, 1e-9);
	/* Four and four: 2 of 70. */
	assert_float_equal(noise_compare(low, 4, high, 4).p, 2.0 / 70, 1e-9);
	/* 1..5 against 0, 6, 7, 8, 20: U = 20 of 25; counting all 252 orders finds 38 at least as far from the middle. */
	assert_float_equal(noise_compare(low, 5, mixed, 5).p, 38.0 / 252, 1e-9);
}

static void
ties_and_large_sets_take_the_normal_approximation(void **state)
{
	static const uint64_t tied[] = { 1, 1, 2, 2, 3, 3 }, also[] = { 2, 3, 3, 4, 4, 5 };
	uint64_t a[40], b[40];

	(void)state;
	/* U = 31 of 36, variance with ties 36.82: z = 12.5 / 6.07; counting all 924 orders finds 0.052 */
	assert_float_equal(noise_compare(tied, 6, also, 6).p, 0.0394, 1e-4);
	for (uint64_t i = 0; i < 40; i++) {
		a[i] = 1000 + i * 7 % 40;
		b[i] = 1000 + i * 11 % 40;
	}
	assert_true(noise_compare(a, 40, b, 40).p > 0.9);
	assert_int_equal(noise_compare(a, 40, b, 40).word, NOISE_WITHIN);
	for (uint64_t i = 0; i < 40; i++)
		b[i] += 100;
	assert_true(noise_compare(a, 40, b, 40).p < 1e-9);
	assert_int_equal(noise_compare(a, 40, b, 40).word, NOISE_UP);
	assert_int_equal(noise_compare(b, 40, a, 40).word, NOISE_DOWN);
}

static void
few_values_tell_nothing(void **state)
{
	static const uint64_t low[] = { 1, 2, 3 }, high[] = { 1000, 1001, 1002, 1003, 1004 };

	(void)state;
	assert_int_equal(noise_compare(low, 3, high, 5).word, NOISE_FEW);
	assert_int_equal(noise_compare(high, 5, low, 3).word, NOISE_FEW);
	assert_int_equal(noise_compare(NULL, 0, high, 5).word, NOISE_FEW);
	assert_int_equal(noise_compare(high, 4, high, 4).word, NOISE_WITHIN);
}

/* A shift that a rank test sees, but that is smaller than what single requests vary by. */
static void
a_small_shift_is_within_noise(void **state)
{
	uint64_t a[200], b[200];

	(void)state;
	for (uint64_t i = 0; i < 200; i++) {
		a[i] = 1000 + 10 * i;
		b[i] = a[i] + 300;
	}
	struct noise n = noise_compare(a, 200, b, 200);

	assert_true(n.p < 0.01);
	assert_int_equal(n.spread, 500);
	assert_int_equal(n.word, NOISE_WITHIN);
}

/* ---- sequences ---- */

static void
print_lines(struct strbuf *out, const struct sequence *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const struct seq_line *l = &s->lines[i];

		if (l->shape)
			strbuf_printf(out, "%s%" PRIu64 " %s\n", l->depth ? "  " : "", l->times, l->shape->summary);
		else
			strbuf_printf(out, "%" PRIu64 "x%" PRIu32 "\n", l->times, l->lines);
	}
}

static void
assert_folds(const char *request, const char *lines)
{
	struct req_builder *b = req_builder_new();
	struct arena a = { 0 };
	struct strbuf out;
	struct sequence s = sequence_of(req_build(b, request), &a);

	strbuf_init(&out, 4096);
	print_lines(&out, &s);
	assert_string_equal(strbuf_cstr(&out), lines);
	assert_false(s.cut);
	strbuf_clear(&out);
	arena_clear(&a);
	req_builder_free(b);
}

static void
loops_fold(void **state)
{
	(void)state;
	assert_folds("1ms | SELECT * FROM o\nloop 1..20\n1ms | SELECT * FROM c WHERE id = %i\nend\n", "1 SELECT o\n20 SELECT c\n");
	assert_folds("1ms | SELECT * FROM o\nloop 1..20\n1ms | SELECT * FROM c WHERE id = %i\n1ms | SELECT * FROM l WHERE id = %i\nend\n1ms | SELECT * FROM z\n",
	    "1 SELECT o\n20x2\n  1 SELECT c\n  1 SELECT l\n1 SELECT z\n");
	/* a loop in a loop: runs fold first */
	assert_folds("loop 1..3\n1ms | SELECT * FROM a WHERE id = %i\nloop 1..4\n1ms | SELECT * FROM b WHERE id = %i\nend\nend\n",
	    "3x2\n  1 SELECT a\n  4 SELECT b\n");
	/* what never repeats stays as it is */
	assert_folds("1ms | SELECT * FROM a\n1ms | SELECT * FROM b\n1ms | SELECT * FROM a\n", "1 SELECT a\n1 SELECT b\n1 SELECT a\n");
	assert_folds("", "");
}

static void
a_long_request_is_cut(void **state)
{
	struct req_builder *b = req_builder_new();
	struct arena a = { 0 };
	struct strbuf text;

	(void)state;
	strbuf_init(&text, 1 << 20);
	/* Every pair differs, so that nothing folds. */
	for (unsigned i = 0; i < LIMIT_SEQUENCE + 1; i++)
		strbuf_printf(&text, "1ms | SELECT c%u FROM t%u\n", i, i);
	assert_true(sequence_of(req_build(b, strbuf_cstr(&text)), &a).cut);
	arena_clear(&a);
	strbuf_clear(&text);
	req_builder_free(b);
}

/* ---- comparisons ---- */

static const char LIST[] = "scope GET /orders\n1ms | SELECT * FROM orders LIMIT 20\n";
static const char LOOP[] =
    "scope GET /orders\n20 rows 1ms cols id=1..20 | SELECT * FROM orders LIMIT 20\nloop 1..20\n1 row 1ms | SELECT * FROM customers WHERE id = %i\nend\n";
static const char MORE[] =
    "scope GET /orders\n40 rows 1ms cols id=1..40 | SELECT * FROM orders LIMIT 20\nloop 1..40\n1 row 1ms | SELECT * FROM customers WHERE id = %i\nend\n";
static const char OTHER[] = "scope GET /me\n1ms | SELECT * FROM users WHERE id = 7\n";

struct two {
	struct collected *before, *after;
	struct side side[2];
	struct comparison *c;
};

static void
feed(struct collected *c, struct side *s, const char *const *requests)
{
	for (; *requests; requests++)
		side_request(s, collected_add(c, *requests));
}

/* Both runs share one builder, as shapes of one registry are compared. */
static void
compare(struct two *t, const char *const *before, const char *const *after)
{
	char err[200];

	t->before = collected_new();
	t->after = collected_new();
	req_builder_free(t->after->b);
	t->after->b = t->before->b;
	feed(t->before, &t->side[0], before);
	feed(t->after, &t->side[1], after);
	struct compared_run one = { collected_snapshot(t->before), &t->side[0] }, two = { collected_snapshot(t->after), &t->side[1] };

	t->c = compare_runs(&one, &two, NULL, err, sizeof err);
	assert_non_null(t->c);
}

static void
done(struct two *t)
{
	comparison_free(t->c);
	side_clear(&t->side[0]);
	side_clear(&t->side[1]);
	t->after->b = req_builder_new();
	collected_free(t->after);
	collected_free(t->before);
}

#define COMPARE(t, before, after) compare(t, (const char *const[]){ before, NULL }, (const char *const[]){ after, NULL })
#define AND ,

static void
a_new_loop_is_worse(void **state)
{
	struct two t = { 0 };

	(void)state;
	COMPARE(&t, LIST AND LIST AND OTHER, LOOP AND LOOP AND OTHER);
	assert_int_equal(t.c->verdict, DIFF_WORSE);
	assert_int_equal(t.c->nscopes, 2);
	const struct compared_scope *s = &t.c->scopes[0];

	assert_string_equal(s->name, "GET /orders");
	assert_int_equal(s->nchanged, 1);
	assert_int_equal(s->shapes[0].change, CHANGE_ADDED);
	assert_int_equal(s->shapes[0].after.per_request, 20);
	assert_int_equal(s->shapes[0].after.executions, 40);
	assert_int_equal(s->nfindings, 1);
	assert_int_equal(s->findings[0].change, CHANGE_ADDED);
	assert_true(s->sequence.differs);
	assert_int_equal(t.c->scopes[1].verdict, DIFF_SAME);
	done(&t);
}

static void
the_other_way_round_is_better(void **state)
{
	struct two t = { 0 };

	(void)state;
	COMPARE(&t, LOOP, LIST);
	assert_int_equal(t.c->verdict, DIFF_BETTER);
	assert_int_equal(t.c->scopes[0].shapes[0].change, CHANGE_REMOVED);
	assert_int_equal(t.c->scopes[0].findings[0].change, CHANGE_REMOVED);
	done(&t);
}

static void
a_longer_loop_multiplies(void **state)
{
	struct two t = { 0 };

	(void)state;
	COMPARE(&t, LOOP, MORE);
	const struct compared_scope *s = &t.c->scopes[0];

	assert_int_equal(s->verdict, DIFF_WORSE);
	assert_int_equal(s->shapes[0].change, CHANGE_MORE);
	assert_int_equal(s->shapes[0].before.per_request, 20);
	assert_int_equal(s->shapes[0].after.per_request, 40);
	assert_int_equal(s->findings[0].change, CHANGE_MORE);
	done(&t);
}

static void
a_scope_of_one_run_only_is_a_change(void **state)
{
	struct two t = { 0 };

	(void)state;
	COMPARE(&t, LIST, LIST AND OTHER);
	assert_int_equal(t.c->verdict, DIFF_CHANGED);
	assert_null(t.c->scopes[0].before);
	assert_string_equal(t.c->scopes[0].name, "GET /me");
	done(&t);
	t = (struct two){ 0 };
	COMPARE(&t, LIST, LIST AND LOOP AND LOOP AND LOOP);
	assert_int_equal(t.c->verdict, DIFF_WORSE);
	done(&t);
	t = (struct two){ 0 };
	COMPARE(&t, OTHER, OTHER AND LOOP);
	assert_int_equal(t.c->verdict, DIFF_WORSE); /* what is new may not be born with a loop */
	done(&t);
}

static void
one_slow_start_is_no_change(void **state)
{
	struct two t = { 0 };

	(void)state;
	COMPARE(&t, LIST AND LIST AND LIST, LIST AND LIST AND LIST AND LIST);
	assert_int_equal(t.c->verdict, DIFF_SAME);
	assert_false(t.c->scopes[0].sequence.differs);
	done(&t);
}

static void
a_request_that_is_not_there(void **state)
{
	struct two t = { 0 };
	struct compared_run one, two;
	char err[200];

	(void)state;
	COMPARE(&t, LIST, LOOP);
	one = (struct compared_run){ t.before->s, &t.side[0] };
	two = (struct compared_run){ t.after->s, &t.side[1] };
	assert_null(compare_runs(&one, &two, "#77", err, sizeof err));
	assert_string_equal(err, "neither recording has a request #77 (requests are named by their key, or #12)");
	done(&t);
}

static void
hunks_have_context(void **state)
{
	struct two t = { 0 };
	struct seq_hunk h;
	uint32_t at = 0;

	(void)state;
	COMPARE(&t, "scope s\n1ms | SELECT 1 FROM a\n1ms | SELECT 1 FROM b\n1ms | SELECT 1 FROM c\n1ms | SELECT 1 FROM d\n1ms | SELECT 1 FROM e\n",
	    "scope s\n1ms | SELECT 1 FROM a\n1ms | SELECT 1 FROM b\n1ms | SELECT 1 FROM c\n1ms | SELECT 1 FROM x\n1ms | SELECT 1 FROM e\n");
	assert_true(sequence_hunk(&t.c->scopes[0].sequence, 1, &at, &h));
	assert_int_equal(h.before, 3);
	assert_int_equal(h.before_n, 3);
	assert_int_equal(h.after, 3);
	assert_int_equal(h.after_n, 3);
	assert_int_equal(h.n, 4);
	assert_false(sequence_hunk(&t.c->scopes[0].sequence, 1, &at, &h));
	done(&t);
}

/* What stands in golden/diff.*: a list that became a loop and kept its count, a longer loop, a route that is gone, a hostile name. */
static void
golden_comparison(void **state)
{
	static const char *const before[] = { LIST, LIST, LIST, LIST, OTHER,
		"scope POST /hostile <b>`x`\n1ms | SELECT \"end;#\" FROM t\n2ms | UPDATE t SET a = 1\n",
		"scope job Import\nloop 1..4\n1ms | SELECT * FROM a WHERE id = %i\n1ms affected 1 | INSERT INTO b VALUES (%i)\nend\n", NULL },
		*const after[] = { LOOP, LOOP, LOOP, LOOP,
		"scope POST /hostile <b>`x`\n1ms | SELECT \"end;#\" FROM t\n",
		"scope job Import\nloop 1..1500\n1ms | SELECT * FROM a WHERE id = %i\n1ms affected 1 | INSERT INTO b VALUES (%i)\nend\n", NULL };
	static const struct {
		const char *name;
		void (*write)(const struct comparison *c, const struct write_options *o, struct strbuf *out);
		struct write_options o;
	} formats[] = {
		{ "diff-96.txt", write_diff_text, { .width = 96 } },
		{ "diff-96-utf8-all.txt", write_diff_text, { .width = 96, .utf8 = true, .all = true } },
		{ "diff-60.txt", write_diff_text, { .width = 60 } },
		{ "diff.md", write_diff_markdown, { .width = 96 } },
		{ "diff.json", write_diff_json, { .width = 96 } },
	};
	struct two t = { 0 };

	(void)state;
	compare(&t, before, after);
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		struct strbuf out;

		strbuf_init(&out, 1 << 20);
		formats[i].write(t.c, &formats[i].o, &out);
		assert_golden(formats[i].name, strbuf_span(&out));
		strbuf_clear(&out);
	}
	done(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rank_test_is_exact_for_small_sets),
		cmocka_unit_test(ties_and_large_sets_take_the_normal_approximation),
		cmocka_unit_test(few_values_tell_nothing),
		cmocka_unit_test(a_small_shift_is_within_noise),
		cmocka_unit_test(loops_fold),
		cmocka_unit_test(a_long_request_is_cut),
		cmocka_unit_test(a_new_loop_is_worse),
		cmocka_unit_test(the_other_way_round_is_better),
		cmocka_unit_test(a_longer_loop_multiplies),
		cmocka_unit_test(a_scope_of_one_run_only_is_a_change),
		cmocka_unit_test(one_slow_start_is_no_change),
		cmocka_unit_test(a_request_that_is_not_there),
		cmocka_unit_test(hunks_have_context),
		cmocka_unit_test(golden_comparison),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
