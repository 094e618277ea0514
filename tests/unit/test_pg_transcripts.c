/* SPDX-License-Identifier: Apache-2.0 */
/* Every transcript under tests/wire/pg gives its events whole, message by message, byte by byte and cut at random.
 * With ROWCALL_BLESS=1 the files are rewritten with the events they give; read the difference before it is committed. */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/wire/transcript.h"

enum { SEEDS = 12 };

static void
assert_replay(const struct transcript *t, enum cuts cuts, uint32_t seed)
{
	struct strbuf log;

	strbuf_init(&log, 64 << 20);
	assert_true(transcript_replay(t, cuts, seed, &log, NULL));
	if (!span_eq(strbuf_span(&log), strbuf_span(&t->expected)))
		print_error("%s, cuts %d, seed %u, gave:\n%s", t->path, (int)cuts, seed, strbuf_cstr(&log));
	assert_string_equal(strbuf_cstr(&log), strbuf_cstr(&t->expected));
	strbuf_clear(&log);
}

static void
replays(void **state)
{
	struct transcript t;
	bool read = transcript_read(&t, *state);

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
main(void)
{
	struct CMUnitTest *tests;
	glob_t found;
	int failed;

	if (glob("wire/pg/*.txt", 0, NULL, &found) != 0) {
		fprintf(stderr, "no transcripts under wire/pg: run from tests/\n");
		return 1;
	}
	tests = calloc(found.gl_pathc, sizeof *tests);
	for (size_t i = 0; i < found.gl_pathc; i++)
		tests[i] = (struct CMUnitTest){ .name = found.gl_pathv[i], .test_func = replays, .initial_state = found.gl_pathv[i] };
	failed = _cmocka_run_group_tests("PostgreSQL transcripts", tests, found.gl_pathc, NULL, NULL);
	free(tests);
	globfree(&found);
	return failed;
}
