/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of baseline.c, baseline_merge.c and the ratchet: reading strictly, merging without undoing, medians against single requests. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>

#include "collected.h"
#include "reports/judge/baseline.h"
#include "reports/write/write.h"

#define SHAPE "\"fingerprint_version\": 1, \"shape\": \"SELECT 1\""

static struct baseline *
read_text(const char *text)
{
	char err[400] = "";
	struct baseline *b = baseline_read(span_str(text), "b.json", err, sizeof err);

	if (!b)
		fail_msg("%s", err);
	return b;
}

static void
assert_text(const struct baseline *b, const char *text)
{
	struct strbuf out;

	strbuf_init(&out, 1 << 20);
	write_baseline(b, &out);
	assert_string_equal(strbuf_cstr(&out), text);
	strbuf_clear(&out);
}

static void
mistakes_name_their_place(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "", "b.json:1:0: not readable as JSON: '[' or '{' expected near end of file" },
		{ "{\n\"version\": 1,\n}", "b.json:3:1: not readable as JSON" },
		{ "[]", "b.json: it holds no object" },
		{ "{}", "b.json: the file: \"version\" is missing" },
		{ "{\"version\": 2}", "b.json: it has version 2, this rowcall reads version 1: update rowcall, or write the file anew" },
		{ "{\"version\": 1}", "b.json: \"scopes\" is missing or no object" },
		{ "{\"version\": 1, \"scopes\": {\"a\": 1}}", "b.json: scope \"a\" wants an object" },
		{ "{\"version\": 1, \"scopes\": {\"a\": {}, \"a\": {}}}", "b.json:1:38: not readable as JSON: duplicate object key" },
		{ "{\"version\": 1, \"scopes\": {\"a\": {\"querys\": 1}}}", "b.json: scope \"a\": unknown key \"querys\"" },
		{ "{\"version\": 1, \"scopes\": {\"a\": {\"queries\": 1.5}}}", "b.json: scope \"a\": \"queries\" wants a whole number from 0" },
		{ "{\"version\": 1, \"scopes\": {\"a\": {\"findings\": {\"n-plus-one:12\": {}}}}}",
		    "b.json: scope \"a\", \"n-plus-one:12\": \"n-plus-one:12\" is no RULE:FINGERPRINT" },
		{ "{\"version\": 1, \"scopes\": {\"a\": {\"findings\": {\"n-plus-two:0123456789abcdef\": {}}}}}",
		    "b.json: scope \"a\", \"n-plus-two:0123456789abcdef\": \"n-plus-two:0123456789abcdef\" is no RULE" },
		{ "{\"version\": 1, \"scopes\": {\"a\": {\"findings\": {\"duplicate:0123456789abcdef\": {\"count\": 1, \"fingerprint_version\": 1}}}}}",
		    "b.json: scope \"a\", \"duplicate:0123456789abcdef\": \"shape\" is missing" },
		{ "{\"version\": 1, \"scopes\": {\"a\": {\"findings\": {\"duplicate:0123456789abcdef\": {\"count\": 1, \"expires\": \"soon\", " SHAPE "}}}}}",
		    "b.json: scope \"a\", \"duplicate:0123456789abcdef\": \"expires\" wants a date such as 2027-01-01, not \"soon\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char err[400] = "";

		assert_null(baseline_read(span_str(cases[i].text), "b.json", err, sizeof err));
		if (strncmp(err, cases[i].said, strlen(cases[i].said)) != 0)
			fail_msg("%s\n  says %s", cases[i].text, err);
	}
}

static const char SORTED[] = "{\n \"version\": 1,\n \"scopes\": {\n"
    "  \"a\": {\n   \"queries\": 3,\n   \"findings\": {\n"
    "    \"duplicate:00000000000000aa\": {\"count\": 2, \"fingerprint_version\": 1, \"shape\": \"SELECT 1\"},\n"
    "    \"n-plus-one:0000000000000001\": {\"count\": 9, \"fingerprint_version\": 1, \"reason\": \"old\", \"expires\": \"2027-01-01\", \"shape\": \"SELECT 1\"}\n"
    "   }\n  },\n"
    "  \"b\": {\n   \"findings\": {}\n  }\n }\n}\n";

static void
what_is_written_is_read_and_sorted(void **state)
{
	struct baseline *b = read_text("{\"scopes\": {\"b\": {}, \"a\": {\"findings\": {"
	    "\"n-plus-one:0000000000000001\": {\"expires\": \"2027-01-01\", \"count\": 9, \"reason\": \"old\", " SHAPE "},"
	    "\"duplicate:00000000000000aa\": {\"count\": 2, " SHAPE "}}, \"queries\": 3}}, \"version\": 1}");
	struct baseline *again;

	(void)state;
	assert_text(b, SORTED);
	again = read_text(SORTED);
	assert_text(again, SORTED);
	baseline_free(again);
	baseline_free(b);
}

/* ---- merging ---- */

#define ONE(count) "{\"version\": 1, \"scopes\": {\"a\": {\"queries\": " count ", \"findings\": {\"duplicate:00000000000000aa\": {\"count\": " count ", " SHAPE "}}}}}"

static void
merges_to(const char *old, const char *now, struct baseline_update how, const char *result, struct baseline_changes expected)
{
	struct baseline *b = old ? read_text(old) : NULL, *m = read_text(now), *wanted = read_text(result), *out;
	struct baseline_changes changes;
	struct strbuf text;

	out = baseline_merge(b, m, &how, &changes);
	strbuf_init(&text, 1 << 20);
	write_baseline(wanted, &text);
	assert_text(out, strbuf_cstr(&text));
	assert_memory_equal(&changes, &expected, sizeof changes);
	strbuf_clear(&text);
	baseline_free(out);
	baseline_free(wanted);
	baseline_free(m);
	baseline_free(b);
}

static void
updates_lower_and_add_but_do_not_raise(void **state)
{
	static const struct baseline_update plain = { false, false }, more = { .allow_increase = true }, prune = { .prune = true };
	static const char none[] = "{\"version\": 1, \"scopes\": {\"a\": {\"queries\": 5, \"findings\": {}}}}",
			  other[] = "{\"version\": 1, \"scopes\": {\"b\": {\"queries\": 1, \"findings\": {}}}}";

	(void)state;
	merges_to(NULL, ONE("5"), plain, ONE("5"), (struct baseline_changes){ .scopes_added = 1, .findings_added = 1 });
	merges_to(ONE("5"), ONE("5"), plain, ONE("5"), (struct baseline_changes){ 0 });
	merges_to(ONE("5"), ONE("4"), plain, ONE("4"), (struct baseline_changes){ .lowered = 2 });
	merges_to(ONE("5"), ONE("6"), plain, ONE("5"), (struct baseline_changes){ .refused = 2 });
	merges_to(ONE("5"), ONE("6"), more, ONE("6"), (struct baseline_changes){ .raised = 2 });
	/* a finding that is new in a recorded scope */
	merges_to(none, ONE("5"), plain, none, (struct baseline_changes){ .refused = 1 });
	merges_to(none, ONE("5"), more, ONE("5"), (struct baseline_changes){ .findings_added = 1 });
	/* what the run did not see stays, unless it is to go */
	merges_to(ONE("5"), none, plain, ONE("5"), (struct baseline_changes){ 0 });
	merges_to(ONE("5"), none, prune, none, (struct baseline_changes){ .pruned = 1 });
	merges_to(none, other, prune, other, (struct baseline_changes){ .scopes_added = 1, .pruned = 1 });
}

static void
hands_and_versions_survive(void **state)
{
	static const char by_hand[] = "{\"version\": 1, \"scopes\": {\"a\": {\"findings\": {\"duplicate:00000000000000bb\": {\"count\": 5, \"reason\": \"why\", "
	    "\"expires\": \"2027-01-01\", \"fingerprint_version\": 0, \"shape\": \"SELECT 1\"}}}}}",
	    renewed[] = "{\"version\": 1, \"scopes\": {\"a\": {\"findings\": {\"duplicate:00000000000000aa\": {\"count\": 4, \"reason\": \"why\", "
	    "\"expires\": \"2027-01-01\", " SHAPE "}}}}}";

	(void)state;
	/* An entry of other fingerprints is known by its text; what was written by hand stays, and a scope without queries is not given any. */
	merges_to(by_hand, ONE("4"), (struct baseline_update){ false, false }, renewed, (struct baseline_changes){ .lowered = 1 });
}

/* ---- the ratchet ---- */

static const char LOOP[] = "scope GET /o\n20 rows 1ms | SELECT * FROM o\nloop 1..%d\n1 row 1ms | SELECT * FROM c WHERE id = %%i\nend\n";
static const char LIST[] = "scope GET /o\n20 rows 1ms | SELECT * FROM o\n";

static const struct snapshot *
judged(struct collected *c, const char *const *requests, const struct baseline *b)
{
	c->cfg.gate.baseline_file = "b.json";
	c->cfg.gate.baseline = b;
	for (; *requests; requests++)
		collected_add(c, *requests);
	return collected_snapshot(c);
}

static const char *
loop_of(char buf[200], int n)
{
	snprintf(buf, 200, LOOP, n);
	return buf;
}

/* A baseline as the requests would write it. */
static struct baseline *
recorded(const char *const *requests)
{
	struct collected *c = collected_new();
	struct baseline *b;

	judged(c, requests, NULL);
	b = collector_measures(c->c);
	collected_free(c);
	return b;
}

static void
medians_are_compared(void **state)
{
	char ten[200], eleven[200], nine[200];
	const char *was[] = { loop_of(ten, 10), NULL };
	/* one request above is no growth, two of three are */
	const char *fine[] = { loop_of(eleven, 11), ten, ten, NULL }, *grown[] = { ten, eleven, eleven, NULL };
	const char *less[] = { loop_of(nine, 9), nine, nine, NULL };
	struct baseline *b = recorded(was);
	struct collected *c = collected_new();

	(void)state;
	const struct snapshot *s = judged(c, fine, b);

	assert_int_equal(s->state, GATE_PASS);
	assert_int_equal(s->scopes[0].baseline, 11);
	assert_string_equal(collected_finding(s, RULE_N_PLUS_ONE)->suppressed, "in b.json: 10x");
	collected_free(c);
	c = collected_new();
	s = judged(c, grown, b);
	assert_string_equal(
	    collected_failure(s, "grown-finding")->message, "GET /o: n-plus-one suspected: 11x SELECT c in the median of 3 requests, 10x in b.json");
	assert_string_equal(collected_failure(s, "baseline-queries")->message, "GET /o: 12 queries in the median of 3 requests, 11 in b.json");
	assert_int_equal(collected_finding(s, RULE_N_PLUS_ONE)->level, LEVEL_ERROR);
	collected_free(c);
	c = collected_new();
	s = judged(c, less, b);
	assert_int_equal(s->state, GATE_PASS);
	assert_string_equal(s->warnings[0], "2 counts are lower now than in b.json: rowcall report --update-baseline lowers them");
	collected_free(c);
	baseline_free(b);
}

static void
only_the_first_request_is_a_warm_up(void **state)
{
	char ten[200];
	const char *was[] = { LIST, NULL };
	const char *warm[] = { loop_of(ten, 10), LIST, LIST, NULL }, *late[] = { LIST, LIST, ten, NULL }, *two[] = { ten, LIST, NULL };
	struct baseline *b = recorded(was);
	const char *const *runs[] = { warm, late, two };
	static const enum gate_state expected[] = { GATE_PASS, GATE_FAIL, GATE_FAIL };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct collected *c = collected_new();
		const struct snapshot *s = judged(c, runs[i], b);

		assert_int_equal(s->state, expected[i]);
		assert_int_equal(collected_failure(s, "new-finding") != NULL, expected[i] == GATE_FAIL);
		assert_null(collected_failure(s, "baseline-queries"));	/* the median request lists, and no more */
		collected_free(c);
	}
	/* And nobody records it. */
	struct baseline *w = recorded(warm);

	assert_int_equal(w->scopes[0].nfindings, 0);
	assert_int_equal(w->scopes[0].queries, 1);
	baseline_free(w);
	baseline_free(b);
}

static void
strict_fails_on_what_matches_nothing(void **state)
{
	char ten[200];
	const char *was[] = { loop_of(ten, 10), "scope GET /gone\n1ms | SELECT * FROM z\n", NULL }, *is[] = { LIST, NULL };
	struct baseline *b = recorded(was);
	struct collected *c = collected_new();

	(void)state;
	const struct snapshot *s = judged(c, is, b);

	assert_int_equal(s->state, GATE_PASS);
	assert_non_null(strstr(s->warnings[0], "b.json, GET /o: the entry n-plus-one q"));
	assert_string_equal(s->warnings[1], "b.json: 1 recorded scope was not seen in this run");
	collected_free(c);
	c = collected_new();
	c->cfg.gate.strict = true;
	s = judged(c, is, b);
	assert_int_equal(s->state, GATE_FAIL);
	assert_int_equal(s->nfailures, 2);
	assert_string_equal(s->failures[0].kind, "stale");
	collected_free(c);
	baseline_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_name_their_place),
		cmocka_unit_test(what_is_written_is_read_and_sorted),
		cmocka_unit_test(updates_lower_and_add_but_do_not_raise),
		cmocka_unit_test(hands_and_versions_survive),
		cmocka_unit_test(medians_are_compared),
		cmocka_unit_test(only_the_first_request_is_a_warm_up),
		cmocka_unit_test(strict_fails_on_what_matches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
