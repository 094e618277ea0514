/* SPDX-License-Identifier: Apache-2.0 */
/* suite: see suite.h. */
#include "suite.h"

#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

enum { SEEDS = 12 };

/* The first line that differs, for a reader. */
static void
show_difference(const struct transcript *t, const char *got, const char *how, uint32_t seed)
{
	const char *want = strbuf_cstr(&t->expected);
	int g, w;

	for (;;) {
		g = (int)strcspn(got, "\n");
		w = (int)strcspn(want, "\n");
		if (g != w || memcmp(got, want, (size_t)g) != 0 || !*got)
			break;
		got += g + (got[g] == '\n');
		want += w + (want[w] == '\n');
	}
	print_error("%s, %s, seed %u:\n  wanted %.*s\n  got    %.*s\n", t->path, how, seed, w, want, g, got);
}

static void
assert_replay(const struct transcript *t, enum cuts cuts, uint32_t seed)
{
	static const char *const how[] = { "message by message", "whole", "byte by byte", "random cuts" };
	struct strbuf log;
	bool same;

	strbuf_init(&log, 64 << 20);
	assert_true(transcript_replay(t, cuts, seed, &log, NULL));
	same = span_eq(strbuf_span(&log), strbuf_span(&t->expected));
	if (!same)
		show_difference(t, strbuf_cstr(&log), how[cuts], seed);
	strbuf_clear(&log);
	assert_true(same);
}

struct one {
	const char *path;
	const struct tongue *tongue;
};

static void
replays(void **state)
{
	const struct one *one = *state;
	struct transcript t;
	bool read = transcript_read(&t, one->path, one->tongue);

	assert_true(read);
	if (getenv("ROWCALL_BLESS"))
		assert_true(transcript_bless(&t));
	else {
		assert_replay(&t, CUT_LINES, 0);
		assert_replay(&t, CUT_NONE, 0);
	}
	if (!getenv("ROWCALL_BLESS") && !t.uncut) {
		assert_replay(&t, CUT_BYTES, 0);
		for (uint32_t seed = 1; seed <= SEEDS; seed++)
			assert_replay(&t, CUT_RANDOM, seed);
	}
	transcript_clear(&t);
}

int
transcript_suite(const char *name, const char *pattern, const struct tongue *tongue)
{
	struct CMUnitTest *tests;
	struct one *ones;
	glob_t found;
	int failed;

	if (glob(pattern, 0, NULL, &found) != 0) {
		fprintf(stderr, "no transcripts %s: run from tests/\n", pattern);
		return 1;
	}
	tests = calloc(found.gl_pathc, sizeof *tests);
	ones = calloc(found.gl_pathc, sizeof *ones);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		ones[i] = (struct one){ found.gl_pathv[i], tongue };
		tests[i] = (struct CMUnitTest){ .name = ones[i].path, .test_func = replays, .initial_state = &ones[i] };
	}
	failed = _cmocka_run_group_tests(name, tests, found.gl_pathc, NULL, NULL);
	free(tests);
	free(ones);
	globfree(&found);
	return failed;
}
