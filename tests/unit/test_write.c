/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the writers: whole reports against golden files (tests/golden), and what must hold for any report.
 * golden_file.h says how the golden files are rewritten. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fingerprint/mem.h"
#include "golden_file.h"
#include "reports/write/text.h"
#include "reports/write/utf8.h"
#include "reports/write/write.h"
#include "sample_snapshot.h"

enum { OUT_MOST = 256 << 20 };

static const struct write_options plain = { .width = 96 };

static struct strbuf
written(enum format f, const struct snapshot *s, struct write_options o)
{
	struct strbuf b;

	strbuf_init(&b, OUT_MOST);
	write_snapshot(f, s, &o, &b);
	assert_false(b.cut);
	return b;
}

static void
check_golden(struct snapshot *(*sample)(void), const char *name, enum format f, struct write_options o)
{
	struct snapshot *s = sample();
	struct strbuf b = written(f, s, o), again = written(f, s, o);

	assert_true(span_eq(strbuf_span(&b), strbuf_span(&again)));
	assert_golden(name, strbuf_span(&b));
	strbuf_clear(&b);
	strbuf_clear(&again);
	sample_free(s);
}

static void
golden_text(void **state)
{
	(void)state;
	check_golden(sample_shop, "shop-60.txt", FORMAT_TEXT, (struct write_options){ .width = 60 });
	check_golden(sample_shop, "shop-80.txt", FORMAT_TEXT, (struct write_options){ .width = 80 });
	check_golden(sample_shop, "shop-96.txt", FORMAT_TEXT, plain);
	check_golden(sample_shop, "shop-140-utf8.txt", FORMAT_TEXT, (struct write_options){ .width = 140, .utf8 = true });
	check_golden(sample_shop, "shop-96-color.txt", FORMAT_TEXT, (struct write_options){ .width = 96, .color = true });
	check_golden(sample_shop, "shop-96-all-wide.txt", FORMAT_TEXT, (struct write_options){ .width = 96, .all = true, .wide = true });
	check_golden(sample_shop, "shop-96-scope.txt", FORMAT_TEXT, (struct write_options){ .width = 96, .scope = "job *" });
	check_golden(sample_clean, "clean-96.txt", FORMAT_TEXT, plain);
	check_golden(sample_untagged, "untagged-96.txt", FORMAT_TEXT, plain);
	check_golden(sample_nothing, "nothing-96.txt", FORMAT_TEXT, plain);
	check_golden(sample_lossy, "lossy-96.txt", FORMAT_TEXT, plain);
	check_golden(sample_hostile, "hostile-96.txt", FORMAT_TEXT, plain);
	check_golden(sample_hostile, "hostile-96-utf8.txt", FORMAT_TEXT, (struct write_options){ .width = 96, .utf8 = true, .color = true });
}

static void
golden_json(void **state)
{
	(void)state;
	check_golden(sample_shop, "shop.json", FORMAT_JSON, plain);
	check_golden(sample_lossy, "lossy.json", FORMAT_JSON, plain);
	check_golden(sample_hostile, "hostile.json", FORMAT_JSON, plain);
}

static void
golden_formats(void **state)
{
	(void)state;
	check_golden(sample_shop, "shop.ndjson", FORMAT_NDJSON, plain);
	check_golden(sample_shop, "shop.junit.xml", FORMAT_JUNIT, plain);
	check_golden(sample_shop, "shop.md", FORMAT_MARKDOWN, plain);
	check_golden(sample_shop, "shop.github.txt", FORMAT_GITHUB, plain);
	check_golden(sample_shop, "shop.gitlab.json", FORMAT_GITLAB, plain);
	check_golden(sample_shop, "shop.sarif", FORMAT_SARIF, plain);
	check_golden(sample_shop, "shop.folded", FORMAT_FOLDED, plain);
	check_golden(sample_shop, "shop.speedscope.json", FORMAT_SPEEDSCOPE, plain);
	check_golden(sample_hostile, "hostile.folded", FORMAT_FOLDED, plain);
	check_golden(sample_hostile, "hostile.junit.xml", FORMAT_JUNIT, plain);
	check_golden(sample_hostile, "hostile.md", FORMAT_MARKDOWN, plain);
	check_golden(sample_hostile, "hostile.github.txt", FORMAT_GITHUB, plain);
	check_golden(sample_lossy, "lossy.junit.xml", FORMAT_JUNIT, plain);
}

/* Ten thousand scopes: bounded on a terminal unless everything is asked for. */
static void
large_runs_stay_readable(void **state)
{
	struct snapshot *s = sample_large(10000);
	struct strbuf b = written(FORMAT_TEXT, s, plain);
	size_t lines = 0;

	(void)state;
	for (size_t i = 0; i < b.n; i++)
		lines += b.p[i] == '\n';
	assert_in_range(lines, 20, 60);
	assert_non_null(strstr(b.p, "... 9,988 more (--all)"));
	strbuf_clear(&b);
	b = written(FORMAT_TEXT, s, (struct write_options){ .width = 96, .all = true });
	assert_non_null(strstr(b.p, "GET /products/09999/related"));
	assert_null(strstr(b.p, "(--all)"));
	strbuf_clear(&b);
	sample_free(s);
}

/* Ten thousand scopes, requests and findings: work that grows with their square would take minutes of processor time. */
static void
large_runs_are_quick(void **state)
{
	struct snapshot *s = sample_findings(10000);

	(void)state;
	for (unsigned f = 0; f < FORMATS; f++) {
		struct timespec from, to;

		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
		struct strbuf b = written((enum format)f, s, (struct write_options){ .width = 96, .all = true });

		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
		double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;

		print_message("%s: %zu bytes in %.3f s\n", format_name((enum format)f), b.n, seconds);
		assert_true(seconds < 60);	/* of the processor; sanitizers included. A release build takes a hundredth */
		strbuf_clear(&b);
	}
	sample_free(s);
}

/* No control character, broken byte, direction change or forged CI command gets out; lines end within the page. */
static void
check_lines(const struct snapshot *s, struct write_options o)
{
	struct strbuf b = written(FORMAT_TEXT, s, o);
	unsigned col = 0;
	bool begun = false;	/* something but blanks on the line */
	uint32_t c;

	for (struct span rest = strbuf_span(&b); rest.n > 0;) {
		size_t n = utf8_next(rest, &c);

		assert_true(n > 0);
		assert_true(c == '\n' || !utf8_unsafe(c));
		assert_true(o.utf8 || n == 1);
		if ((!begun && text_commands_ci(rest)) || span_is(span_first(rest, 3), "##["))
			fail_msg("a CI runner would obey %.*s", 60, (const char *)rest.p);
		begun = c == '\n' ? false : begun || c != ' ';
		col = c == '\n' ? 0 : col + utf8_columns(c);
		if (col > o.width)
			fail_msg("a line is longer than %u columns: %.*s", o.width, 60, (const char *)rest.p);
		rest = span_from(rest, n);
	}
	strbuf_clear(&b);
}

static void
every_page_fits(void **state)
{
	static struct snapshot *(*const samples[])(void) = {
		sample_shop, sample_clean, sample_untagged, sample_nothing, sample_lossy, sample_hostile,
	};

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		struct snapshot *s = samples[i]();

		for (unsigned width = 60; width <= 160; width += 4) {
			check_lines(s, (struct write_options){ .width = width });
			check_lines(s, (struct write_options){ .width = width, .utf8 = true, .all = true });
		}
		sample_free(s);
	}
}

/* Whatever bytes names and shapes are made of: pages hold, JSON parses, workflow commands stay one to a line. */
static void
any_bytes_do(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 100; seed++) {
		struct snapshot *s = sample_random(seed);

		check_lines(s, (struct write_options){ .width = 60 });
		check_lines(s, (struct write_options){ .width = 100, .utf8 = true, .all = true });
		for (unsigned f = 0; f < FORMATS; f++) {
			struct strbuf b = written((enum format)f, s, plain);
			json_t *read;

			if (f == FORMAT_JSON || f == FORMAT_GITLAB || f == FORMAT_SARIF || f == FORMAT_SPEEDSCOPE) {
				read = json_loadb(b.p, b.n, 0, NULL);
				if (!read)
					fail_msg("seed %d: not JSON: %s", (int)seed, b.p);
				json_decref(read);
			}
			if (f == FORMAT_GITHUB)
				for (const char *line = b.p; *line; line = strchr(line, '\n') + 1)
					assert_true(strncmp(line, "::", 2) == 0);
			strbuf_clear(&b);
		}
		sample_free(s);
	}
}

/* Colour only repeats what words and signs say: without it the page is the same. */
static void
color_only_colors(void **state)
{
	struct snapshot *s = sample_shop();
	struct strbuf with = written(FORMAT_TEXT, s, (struct write_options){ .width = 96, .color = true }), without = written(FORMAT_TEXT, s, plain);
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < with.n; i++) {
		if (with.p[i] == '\x1b')
			while (with.p[i] != 'm')
				i++;
		else
			with.p[n++] = with.p[i];
	}
	with.n = n;
	assert_true(span_eq(strbuf_span(&with), strbuf_span(&without)));
	strbuf_clear(&with);
	strbuf_clear(&without);
	sample_free(s);
}

static bool
says(enum format f, const struct snapshot *s, struct write_options o, const char *text)
{
	struct strbuf b = written(f, s, o);
	bool found = strstr(strbuf_cstr(&b), text) != NULL;

	strbuf_clear(&b);
	return found;
}

/* That nothing can be told from rows that hardly differ is for machines, and for those who ask for everything. */
static void
growth_without_spread_stays_out(void **state)
{
	static const char no_spread[] = "not enough spread (4 requests, 50 rows)";
	struct snapshot *s = sample_shop();
	struct snap_finding loop = s->findings[0];

	(void)state;
	loop.growth = (struct growth_fit){ .state = GROWTH_NO_SPREAD, .requests = 4, .least_rows = 50, .most_rows = 50 };
	loop.growth_words = no_spread;
	s->findings = &loop;
	s->nfindings = 1;
	assert_false(says(FORMAT_TEXT, s, plain, no_spread));
	assert_true(says(FORMAT_TEXT, s, (struct write_options){ .width = 96, .wide = true }, no_spread));
	assert_true(says(FORMAT_TEXT, s, (struct write_options){ .width = 96, .all = true }, no_spread));
	assert_false(says(FORMAT_MARKDOWN, s, plain, no_spread));
	assert_false(says(FORMAT_SARIF, s, plain, no_spread));
	assert_false(says(FORMAT_HTML, s, plain, no_spread));
	assert_true(says(FORMAT_HTML, s, (struct write_options){ .all = true }, no_spread));
	assert_true(says(FORMAT_JSON, s, plain, "\"says\": \"not enough spread\""));
	sample_free(s);
}

static void
a_scope_that_is_not_there_is_said(void **state)
{
	struct snapshot *s = sample_shop();

	(void)state;
	assert_true(says(FORMAT_TEXT, s, (struct write_options){ .width = 96, .scope = "GET /order" }, "no scope of this run matches \"GET /order\""));
	assert_false(says(FORMAT_TEXT, s, (struct write_options){ .width = 96, .scope = "GET /order*" }, "no scope of this run"));
	sample_free(s);
}

static void
lines_to_grep(void **state)
{
	struct snapshot *s = sample_shop();
	struct strbuf b;

	(void)state;
	strbuf_init(&b, 4096);
	write_verdict_line(s, &b);
	assert_string_equal(strbuf_cstr(&b), "rowcall: FAIL findings=4 requests=11 queries=215\n");
	strbuf_reset(&b);
	write_request_line(&s->requests[7], &b);
	assert_string_equal(strbuf_cstr(&b), "[SQL] 14 queries (5 duplicates), 10 ms SQL time");
	sample_free(s);
	s = sample_nothing();
	strbuf_reset(&b);
	write_verdict_line(s, &b);
	assert_string_equal(strbuf_cstr(&b), "rowcall: UNUSABLE findings=0 requests=0 queries=0\n");
	sample_free(s);
	strbuf_clear(&b);
}

static void
formats_have_names(void **state)
{
	(void)state;
	for (unsigned f = 0; f < FORMATS; f++)
		assert_int_equal(format_find(span_str(format_name((enum format)f))), f);
	assert_int_equal(format_find(SPAN_LIT("")), FORMATS);
	assert_int_equal(format_find(SPAN_LIT("jso")), FORMATS);
	assert_int_equal(format_find(SPAN_LIT("JSON")), FORMATS);
}

/* Whichever allocation fails: either the report is whole, or it says that it is not. */
static void
a_lack_of_memory_is_told(void **state)
{
	struct snapshot *s = sample_shop();
	struct strbuf b;

	(void)state;
	for (unsigned f = 0; f < FORMATS; f++) {
		struct strbuf whole = written((enum format)f, s, plain);
		unsigned cut = 0, in_a_row = 0;	/* whole reports: then the format needs no more allocations than that */

		for (unsigned after = 0; in_a_row < 20; after++) {
			strbuf_init(&b, OUT_MOST);
			mem_fail(after, 1);
			write_snapshot((enum format)f, s, &plain, &b);
			mem_fail(0, 0);
			assert_true(b.cut || span_eq(strbuf_span(&b), strbuf_span(&whole)));
			cut += b.cut;
			in_a_row = b.cut ? 0 : in_a_row + 1;
			strbuf_clear(&b);
		}
		assert_in_range(cut, 5, 100000);
		strbuf_init(&b, 100);
		write_snapshot((enum format)f, s, &plain, &b);
		assert_true(b.cut);
		strbuf_clear(&b);
		strbuf_clear(&whole);
	}
	sample_free(s);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_text), cmocka_unit_test(golden_json), cmocka_unit_test(golden_formats), cmocka_unit_test(large_runs_stay_readable),
		cmocka_unit_test(large_runs_are_quick), cmocka_unit_test(every_page_fits), cmocka_unit_test(any_bytes_do), cmocka_unit_test(color_only_colors),
		cmocka_unit_test(growth_without_spread_stays_out),
		cmocka_unit_test(a_scope_that_is_not_there_is_said), cmocka_unit_test(lines_to_grep), cmocka_unit_test(formats_have_names), cmocka_unit_test(a_lack_of_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
