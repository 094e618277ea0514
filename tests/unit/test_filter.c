/* SPDX-License-Identifier: Apache-2.0 */
/* The user's patterns: folding, tags of their own, errors that say what is wrong, and texts made to make PCRE2 run for ever. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>

#include <cmocka.h>

#include "fingerprint/limits.h"
#include "reports/requests/filter.h"

static struct filter *
filter(const struct filter_rule *rules, size_t n)
{
	char err[256] = "";
	struct filter *f = filter_new(rules, n, err, sizeof err);

	if (!f)
		fail_msg("%s", err);
	return f;
}

static void
expect_fold(const struct filter *f, const char *in, const char *out)
{
	struct strbuf b;

	strbuf_init(&b, LIMIT_NAME);
	filter_fold(f, span_str(in), &b);
	assert_string_equal(strbuf_cstr(&b), out);
	strbuf_clear(&b);
}

static void
folds_in_order(void **state)
{
	static const struct filter_rule rules[] = { { "/\\d+", "/:id" }, { "^GET /old/(?<rest>.*)$", "GET /new/${rest}" }, { "x*$", "" } };
	struct filter *f = filter(rules, 3);

	(void)state;
	expect_fold(f, "/orders/123", "/orders/:id");
	expect_fold(f, "/orders/123/items/7", "/orders/:id/items/:id");
	expect_fold(f, "GET /old/5xxx", "GET /new/:id");
	expect_fold(f, "/orders", "/orders");
	expect_fold(f, "", "");
	filter_free(f);
}

static void
folds_what_is_not_utf8(void **state)
{
	static const struct filter_rule rules[] = { { "/\\d+", "/:id" } };
	struct filter *f = filter(rules, 1);

	(void)state;
	expect_fold(f, "/caf\xc3\xa9/12", "/caf\xc3\xa9/:id");
	expect_fold(f, "/caf\xe9/12", "/caf\xe9/:id");
	assert_int_equal(filter_gave_up(f), 0);
	filter_free(f);
}

static void
a_result_that_is_too_long_leaves_the_text(void **state)
{
	static const struct filter_rule rules[] = { { "a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" } };
	struct filter *f = filter(rules, 1);
	char in[201];

	(void)state;
	memset(in, 'a', 200);
	in[200] = '\0';
	expect_fold(f, in, in);
	assert_int_equal(filter_gave_up(f), 1);
	filter_free(f);
}

static void
gives_up_on_endless_matching(void **state)
{
	static const struct filter_rule rules[] = { { "^(a+)+$", "x" } };
	struct filter *f = filter(rules, 1);

	(void)state;
	expect_fold(f, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
	assert_int_equal(filter_gave_up(f), 1);
	expect_fold(f, "aaaa", "x");
	filter_free(f);
}

static void
finds_tags(void **state)
{
	static const struct filter_rule rules[] = { { "^job:(?<scope>\\w+):(?<request>\\d+)", NULL }, { "^page (?<scope>.+)", NULL },
		{ "run=(?<request>\\w+)(?<scope>x)?", NULL } };
	struct filter *f = filter(rules, 3);
	struct filter_hit hit;

	(void)state;
	assert_true(filter_match(f, SPAN_LIT("job:Mail:42"), &hit));
	assert_true(span_is(hit.scope, "Mail") && span_is(hit.request, "42"));
	assert_true(filter_match(f, SPAN_LIT("page orders"), &hit));
	assert_true(span_is(hit.scope, "orders") && hit.request.n == 0);
	assert_true(filter_match(f, SPAN_LIT("run=7"), &hit));
	assert_true(span_is(hit.request, "7") && hit.scope.n == 0);
	assert_true(filter_match(f, SPAN_LIT("page caf\xe9"), &hit));
	assert_false(filter_match(f, SPAN_LIT("nothing"), &hit));
	assert_false(filter_match(f, (struct span){ 0 }, &hit));
	filter_free(f);
}

static void
expect_error(const char *match, const char *replace, const char *message)
{
	struct filter_rule rules[] = { { "fine", replace ? "" : NULL }, { match, replace } };
	char err[256] = "";

	if (!replace)
		rules[0].match = "(?<scope>fine)";
	assert_null(filter_new(rules, 2, err, sizeof err));
	assert_string_equal(err, message);
}

static void
errors_say_which_and_where(void **state)
{
	(void)state;
	expect_error("/(\\d+", "x", "pattern 2 `/(\\d+`: missing closing parenthesis at offset 5");
	expect_error("[z-a]", "x", "pattern 2 `[z-a]`: range out of order in character class at offset 3");
	expect_error("(\\d+)", "$2", "pattern 2 `(\\d+)`: its replacement `$2`: unknown substring");
	expect_error("(\\d+)", "${id}", "pattern 2 `(\\d+)`: its replacement `${id}`: unknown substring");
	expect_error("(\\d+)", "${1", "pattern 2 `(\\d+)`: its replacement `${1`: expected closing curly bracket in replacement string");
	expect_error("request=(.*)", NULL, "pattern 2 `request=(.*)`: needs a group (?<request>...) or (?<scope>...)");
}

static void
none_is_fine(void **state)
{
	struct filter *f = filter(NULL, 0);
	struct filter_hit hit;

	(void)state;
	expect_fold(f, "/a/1", "/a/1");
	assert_false(filter_match(f, SPAN_LIT("x"), &hit));
	filter_free(f);
	filter_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(folds_in_order), cmocka_unit_test(folds_what_is_not_utf8),
		cmocka_unit_test(a_result_that_is_too_long_leaves_the_text), cmocka_unit_test(gives_up_on_endless_matching),
		cmocka_unit_test(finds_tags), cmocka_unit_test(errors_say_which_and_where), cmocka_unit_test(none_is_fine) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
