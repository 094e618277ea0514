/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the rules: each file of tests/rules is one request and, below the line of dashes, what the rules must say of it.
 * With ROWCALL_UPDATE=1 the files are rewritten with what they say (read the difference before committing it). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fingerprint/mem.h"
#include "reports/judge/rules.h"
#include "reports/judge/words.h"
#include "req_builder.h"

static const char DASHES[] = "\n---\n";

static char *
read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	struct strbuf b;
	char chunk[4096];
	size_t n;

	assert_non_null(f);
	strbuf_init(&b, 1 << 20);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		strbuf_add(&b, span_of(chunk, n));
	fclose(f);
	return b.p;
}

static void
print_finding(struct strbuf *out, struct arena *a, const struct raw_finding *f)
{
	strbuf_printf(out, "%s %s", rule_names[f->rule], verdict_name(f->verdict));
	if (f->repeat)
		strbuf_printf(out, " | %s", f->repeat->text);
	strbuf_printf(out, "\n    %" PRIu32 "x, %" PRIu32 " distinct, %" PRIu32 " trips, %s", f->executions, f->distinct, f->round_trips,
	    words_ns(a, f->busy));
	if (f->excess || f->wasted)
		strbuf_printf(out, "; excess %" PRIu32 ", wasted %s", f->excess, words_ns(a, f->wasted));
	strbuf_printf(out, "%s\n    %s%s%s\n", f->allowed ? "; allowed" : "", f->column, *f->column ? ": " : "", f->evidence);
}

static void
print_verdict(struct strbuf *out, const struct request *r)
{
	struct rule_settings settings = rule_settings_default();
	struct arena a = { NULL, 0 };
	const struct facts *f = facts_new(r, &a);

	strbuf_printf(out, "queries %" PRIu32 ", control %" PRIu32 ", set-up %" PRIu32 ", round trips %" PRIu32 ", duplicates %" PRIu32,
	    f->queries, f->control, f->setup, f->round_trips, f->duplicates);
	if (f->retries)
		strbuf_printf(out, ", retries %" PRIu32, f->retries);
	strbuf_char(out, '\n');
	for (const struct raw_finding *found = rules_check(f, &settings, &a); found; found = found->next)
		print_finding(out, &a, found);
	arena_clear(&a);
}

static void
write_case(const char *path, const char *request, const char *verdict)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "%s%s%s", request, DASHES, verdict);
	fclose(f);
}

static bool
case_holds(const char *path)
{
	struct req_builder *b = req_builder_new();
	char *text = read_file(path), *line = strstr(text, DASHES);
	struct strbuf said;
	bool ok;

	assert_non_null(line);
	*line = '\0';
	strbuf_init(&said, 1 << 20);
	print_verdict(&said, req_build(b, text));
	ok = strcmp(strbuf_cstr(&said), line + strlen(DASHES)) == 0;
	if (!ok && getenv("ROWCALL_UPDATE"))
		write_case(path, text, strbuf_cstr(&said));
	else if (!ok)
		print_error("%s\n--- expected\n%s--- said\n%s", path, line + strlen(DASHES), strbuf_cstr(&said));
	strbuf_clear(&said);
	mem_free(text);
	req_builder_free(b);
	return ok;
}

static void
every_case_holds(void **state)
{
	glob_t found;
	unsigned wrong = 0;

	(void)state;
	assert_int_equal(glob("rules/*.case", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		wrong += !case_holds(found.gl_pathv[i]);
	print_message("%zu rule cases, %u wrong\n", found.gl_pathc, wrong);
	globfree(&found);
	assert_int_equal(wrong, 0);
}

static void
rules_are_named(void **state)
{
	(void)state;
	for (int i = 0; i < RULES; i++) {
		assert_int_equal(rule_find(span_str(rule_names[i])), i);
		assert_true(strlen(rules[i].help) > 20);
		assert_true(strlen(rules[i].title) > 0);
	}
	assert_int_equal(rule_find(span_str("n-plus-two")), RULES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_are_named),
		cmocka_unit_test(every_case_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
