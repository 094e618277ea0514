/* SPDX-License-Identifier: Apache-2.0 */
/* The option table: sound in itself, and how values are read by type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proxy/settings.h"

static bool
reads(enum option_type type, const char *text, int64_t *value)
{
	struct option_def o = { .type = type, .choices = "red|green|blue" };
	char why[200] = "";
	bool ok = option_value(&o, text, value, why, sizeof why);

	assert_int_equal(ok, *why == '\0');
	return ok;
}

static void
every_row_is_complete(void **state)
{
	(void)state;
	for (enum option_id i = 0; i < OPTIONS; i++) {
		const struct option_def *o = &options[i];
		char why[200];
		int64_t value;

		print_message("%s %s\n", o->name ? o->name : "-", o->key ? o->key : "-");
		assert_true(o->name || o->key);
		assert_non_null(o->help);
		assert_true(o->help[0] >= 'A' && o->help[strlen(o->help) - 1] != '.');
		assert_int_equal(o->name != NULL, o->commands != 0);
		assert_int_equal(o->type == OPTION_CHOICE, o->choices != NULL);
		assert_int_equal(o->type != OPTION_BOOL, o->arg != NULL);
		if (o->fallback)
			assert_true(option_value(o, o->fallback, &value, why, sizeof why));
		if (o->max)
			assert_true(o->min <= o->max);
	}
}

static void
names_keys_and_letters_are_unique(void **state)
{
	(void)state;
	for (enum option_id i = 0; i < OPTIONS; i++) {
		const struct option_def *o = &options[i];

		if (o->name) {
			for (enum option_id k = 0; k < i; k++)
				assert_false(options[k].name && strcmp(options[k].name, o->name) == 0 && (options[k].commands & o->commands));
			assert_int_not_equal(strncmp(o->name, "no-", 3), 0);
		}
		if (o->key)
			assert_int_equal(option_by_key(o->key), i);
		for (enum option_id k = 0; o->letter && k < i; k++)
			assert_int_not_equal(options[k].letter, o->letter);
	}
	assert_int_equal(option_by_key("nothing"), OPTIONS);
}

static void
names_of_variables(void **state)
{
	char env[80];

	(void)state;
	option_env(OPT_MAX_QUERIES, env, sizeof env);
	assert_string_equal(env, "ROWCALL_MAX_QUERIES");
	option_env(OPT_URL, env, sizeof env);
	assert_string_equal(env, "ROWCALL_URL");
	option_env(OPT_HELP, env, sizeof env);
	assert_string_equal(env, "");
	option_env(OPT_BUDGET_SCOPE, env, sizeof env);
	assert_string_equal(env, "");
}

static void
lists_keys_below_a_prefix(void **state)
{
	char keys[600];

	(void)state;
	option_keys_below("slow.", keys, sizeof keys);
	assert_string_equal(keys, "query, request");
	option_keys_below("requests.fold[].", keys, sizeof keys);
	assert_string_equal(keys, "match, replace");
	option_keys_below("", keys, sizeof keys);
	assert_non_null(strstr(keys, "listen, workers"));
	assert_non_null(strstr(keys, "budgets, allow"));
	option_keys_below("slow.", keys, 8);
	assert_true(strlen(keys) < 8);
}

static void
durations(void **state)
{
	int64_t v;

	(void)state;
	assert_true(reads(OPTION_DURATION, "100ms", &v) && v == 100000000);
	assert_true(reads(OPTION_DURATION, "1s", &v) && v == 1000000000);
	assert_true(reads(OPTION_DURATION, "5m", &v) && v == INT64_C(300000000000));
	assert_true(reads(OPTION_DURATION, "2h", &v) && v == INT64_C(7200000000000));
	assert_true(reads(OPTION_DURATION, "250us", &v) && v == 250000);
	assert_true(reads(OPTION_DURATION, "0", &v) && v == 0);
	static const char *const bad[] = { "", "1", "100", "ms", "1.5s", "-1s", "1 s", "1S", "1sec", "01s", "99999999999999999h",
		"9223372036854775807h" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(reads(OPTION_DURATION, bad[i], &v));
}

static void
sizes(void **state)
{
	int64_t v;

	(void)state;
	assert_true(reads(OPTION_SIZE, "4096", &v) && v == 4096);
	assert_true(reads(OPTION_SIZE, "64K", &v) && v == 65536);
	assert_true(reads(OPTION_SIZE, "1M", &v) && v == 1 << 20);
	assert_true(reads(OPTION_SIZE, "2G", &v) && v == INT64_C(2) << 30);
	assert_false(reads(OPTION_SIZE, "1k", &v));
	assert_false(reads(OPTION_SIZE, "1KB", &v));
	assert_false(reads(OPTION_SIZE, "K", &v));
}

static void
percentages(void **state)
{
	int64_t v;

	(void)state;
	assert_true(reads(OPTION_PERCENT, "97%", &v) && v == 970000);
	assert_true(reads(OPTION_PERCENT, "0%", &v) && v == 0);
	assert_true(reads(OPTION_PERCENT, "0.5%", &v) && v == 5000);
	assert_true(reads(OPTION_PERCENT, "99.9999%", &v) && v == 999999);
	assert_true(reads(OPTION_PERCENT, "100%", &v) && v == 1000000);
	static const char *const bad[] = { "", "%", "97", "0.97", "101%", "-1%", "1.%%", "1.23456%", "97 %" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(reads(OPTION_PERCENT, bad[i], &v));
	assert_false(option_value(&options[OPT_MIN_TAGGED], "100.5%", &v, (char[200]){ "" }, 200));
}

static void
choices_counts_and_truth(void **state)
{
	int64_t v;

	(void)state;
	assert_true(reads(OPTION_CHOICE, "red", &v) && v == 0);
	assert_true(reads(OPTION_CHOICE, "blue", &v) && v == 2);
	assert_false(reads(OPTION_CHOICE, "re", &v));
	assert_false(reads(OPTION_CHOICE, "green|blue", &v));
	assert_false(reads(OPTION_CHOICE, "", &v));
	assert_true(reads(OPTION_BOOL, "true", &v) && v == 1);
	assert_true(reads(OPTION_BOOL, "false", &v) && v == 0);
	assert_false(reads(OPTION_BOOL, "yes", &v));
	assert_true(reads(OPTION_COUNT, "0", &v) && v == 0);
	assert_false(reads(OPTION_COUNT, "010", &v));
	assert_false(reads(OPTION_COUNT, "1e3", &v));
	assert_false(reads(OPTION_COUNT, "99999999999999999999", &v));
}

static void
ranges_are_kept_at_both_ends(void **state)
{
	char why[200];
	int64_t v;

	(void)state;
	assert_true(option_value(&options[OPT_WORKERS], "1", &v, why, sizeof why));
	assert_true(option_value(&options[OPT_WORKERS], "64", &v, why, sizeof why));
	assert_false(option_value(&options[OPT_WORKERS], "65", &v, why, sizeof why));
	assert_string_equal(why, "a whole number from 1 to 64");
	assert_false(option_value(&options[OPT_WORKERS], "0", &v, why, sizeof why));
	assert_true(option_value(&options[OPT_EXIT_CODE], "255", &v, why, sizeof why));
	assert_false(option_value(&options[OPT_EXIT_CODE], "256", &v, why, sizeof why));
	assert_false(option_value(&options[OPT_IDLE_GAP], "2h", &v, why, sizeof why));
	assert_string_equal(why, "a duration from 1ms to 1h");
}

static void
distance_between_words(void **state)
{
	char longer[50];

	(void)state;
	memset(longer, 'a', sizeof longer);
	longer[49] = '\0';
	assert_int_equal(option_distance("max-queries", "max-queries"), 0);
	assert_int_equal(option_distance("max-querys", "max-queries"), 2);
	assert_int_equal(option_distance("abc", ""), 3);
	assert_int_equal(option_distance("", "abc"), 3);
	assert_int_equal(option_distance(longer, "a"), 9);
	assert_int_equal(option_distance("abcdefghijkl", "mnopqrstuvwx"), 9);
}

static void
only_near_words_are_suggested(void **state)
{
	unsigned best = 9;

	(void)state;
	assert_false(option_nearer("nope", "wide", &best));
	assert_false(option_nearer("rn", "x", &best));
	assert_true(option_nearer("max-querys", "max-queries", &best));
	assert_int_equal(best, 2);
	assert_false(option_nearer("max-querys", "max-queries", &best));
	best = 9;
	assert_true(option_nearer("rum", "run", &best));
}

/* ---- flags and environment ---- */

#define FLAGS(s, ...) flags(s, (const char *[]){ "run", __VA_ARGS__, NULL })
static struct problem wrong;

static int
flags(struct settings *s, const char **argv)
{
	int argc = 0, rest = 0;

	while (argv[argc])
		argc++;
	settings_clear(s);
	wrong.text[0] = '\0';
	return settings_from_flags(s, argc, (char **)(uintptr_t)argv, FOR_RUN, &rest, &wrong) ? rest : -1;
}

static void
flags_in_every_form(void **state)
{
	struct settings s;

	(void)state;
	settings_init(&s);
	assert_int_equal(
	    FLAGS(&s, "--max-queries", "3", "--fail-on=n-plus-one,duplicate:proven", "-q", "--no-inferred", "--", "cmd", "--x"), 7);
	assert_int_equal(settings_get(&s, OPT_MAX_QUERIES).value, 3);
	assert_int_equal(settings_get(&s, OPT_MAX_QUERIES).by, SAID_FLAG);
	assert_string_equal(settings_nth(&s, OPT_FAIL_ON, SAID_FLAG, 0)->text, "n-plus-one");
	assert_string_equal(settings_nth(&s, OPT_FAIL_ON, SAID_FLAG, 1)->text, "duplicate:proven");
	assert_null(settings_nth(&s, OPT_FAIL_ON, SAID_FLAG, 2));
	assert_true(settings_true(&s, OPT_QUIET));
	assert_false(settings_true(&s, OPT_INFERRED));
	assert_true(settings_true(&s, OPT_PREFLIGHT));
	/* The command's own flags are not ours. */
	assert_int_equal(FLAGS(&s, "cmd", "--max-queries", "3"), 1);
	assert_int_equal(settings_get(&s, OPT_MAX_QUERIES).by, SAID_DEFAULT);
	/* The last one counts; pairs count up. */
	assert_int_equal(FLAGS(&s, "--workers", "2", "--workers", "3", "--upstream", "a", "--listen", "x", "--upstream", "b"), 11);
	assert_int_equal(settings_get(&s, OPT_WORKERS).value, 3);
	assert_string_equal(settings_entry(&s, OPT_UPSTREAM, SAID_FLAG, 1).text, "b");
	assert_string_equal(settings_entry(&s, OPT_LISTEN, SAID_FLAG, 0).text, "x");
	assert_null(settings_entry(&s, OPT_LISTEN, SAID_FLAG, 1).text);
	assert_int_equal(settings_entries(&s, "listen[].", SAID_FLAG), 2);
	settings_clear(&s);
}

static void
wrong_flags(void **state)
{
	static const struct {
		const char *flag, *value, *words;
	} cases[] = {
		{ "--max-querys", "3", "unknown option --max-querys; did you mean --max-queries?" },
		{ "--frobnicate", NULL, "unknown option --frobnicate" }, { "--frobnicate=secret", NULL, "unknown option --frobnicate" },
		{ "-z", NULL, "unknown option -z" }, { "--max-queries", NULL, "option --max-queries needs a value" },
		{ "--quiet=yes", NULL, "option --quiet takes no value" },
		{ "--max-queries", "many", "--max-queries: \"many\" is not a whole number" }, { "--fail-on", "a,,b", "empty word" },
		{ "--workers", "65", "from 1 to 64" }, { "--url", "http://x", "unknown option --url" }, /* belongs to mark and ping */
	};
	struct settings s;

	(void)state;
	settings_init(&s);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(FLAGS(&s, cases[i].flag, cases[i].value), -1);
		print_message("%s\n", wrong.text);
		assert_non_null(strstr(wrong.text, cases[i].words));
		assert_null(strstr(wrong.text, "secret"));
	}
	settings_clear(&s);
}

static char warned[400];

static void
remember(const char *text)
{
	snprintf(warned, sizeof warned, "%s", text);
}

static void
environment_below_flags(void **state)
{
	struct settings s;

	(void)state;
	settings_init(&s);
	assert_int_equal(FLAGS(&s, "--max-queries", "3"), 3);
	assert_true(settings_from_environment(&s,
	    (char *[]){ "ROWCALL_MAX_QUERIES=9", "ROWCALL_WORKERS=2", "ROWCALL_FAIL_ON=duplicate,n-plus-one", "ROWCALL_URL=http://x",
		"ROWCALL_INFERRED=false", "ROWCALL_RTT=", "MAX_QUERIES=1", NULL },
	    FOR_RUN, remember, &wrong));
	assert_int_equal(settings_get(&s, OPT_MAX_QUERIES).value, 3);
	assert_int_equal(settings_get(&s, OPT_WORKERS).value, 2);
	assert_int_equal(settings_get(&s, OPT_WORKERS).by, SAID_ENVIRONMENT);
	assert_string_equal(settings_nth(&s, OPT_FAIL_ON, settings_source(&s, OPT_FAIL_ON), 1)->text, "n-plus-one");
	assert_false(settings_true(&s, OPT_INFERRED));
	assert_int_equal(settings_get(&s, OPT_RTT).by, SAID_DEFAULT);
	assert_null(settings_get(&s, OPT_URL).text);
	assert_string_equal(warned, "");
	settings_clear(&s);
}

static void
a_variable_that_resembles_none_is_told(void **state)
{
	struct settings s;

	(void)state;
	settings_init(&s);
	assert_true(settings_from_environment(&s, (char *[]){ "ROWCALL_MAX_QUERY=9", NULL }, FOR_RUN, remember, &wrong));
	assert_string_equal(warned, "ROWCALL_MAX_QUERY is not a setting; did you mean ROWCALL_MAX_QUERIES?");
	warned[0] = '\0';
	assert_true(
	    settings_from_environment(&s, (char *[]){ "ROWCALL_TEST_SERVERS=x", "ROWCALL_PROGRAM=x", NULL }, FOR_RUN, remember, &wrong));
	assert_non_null(strstr(warned, "ROWCALL_PROGRAM"));
	assert_false(settings_from_environment(&s, (char *[]){ "ROWCALL_WORKERS=two", NULL }, FOR_RUN, NULL, &wrong));
	assert_non_null(strstr(wrong.text, "ROWCALL_WORKERS: \"two\" is not a whole number"));
	settings_clear(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_complete),
		cmocka_unit_test(names_keys_and_letters_are_unique),
		cmocka_unit_test(names_of_variables),
		cmocka_unit_test(lists_keys_below_a_prefix),
		cmocka_unit_test(durations),
		cmocka_unit_test(sizes),
		cmocka_unit_test(percentages),
		cmocka_unit_test(choices_counts_and_truth),
		cmocka_unit_test(ranges_are_kept_at_both_ends),
		cmocka_unit_test(distance_between_words),
		cmocka_unit_test(only_near_words_are_suggested),
		cmocka_unit_test(flags_in_every_form),
		cmocka_unit_test(wrong_flags),
		cmocka_unit_test(environment_below_flags),
		cmocka_unit_test(a_variable_that_resembles_none_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
