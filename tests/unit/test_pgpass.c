/* SPDX-License-Identifier: Apache-2.0 */
/* Password files of a child whose host and port change, and the private directory they stand in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/pgpass.h"
#include "proxy/private_dir.h"

static const struct pgpass_move moves[] = {
	{ "db", 5432, "127.0.0.1", 41000 },
	{ "localhost", 5432, "/tmp/rc:1/0", 5432 },
};

static void
assert_rewritten(const char *from, unsigned added, const char *to)
{
	struct strbuf out;

	strbuf_init(&out, 4096);
	assert_int_equal(pgpass_rewrite(span_str(from), moves, 2, &out), added);
	assert_string_equal(strbuf_cstr(&out), to);
	strbuf_clear(&out);
}

static void
a_matching_line_is_repeated_for_us_before_it(void **state)
{
	(void)state;
	assert_rewritten("db:5432:app:me:pa\\:ss\n", 1, "127.0.0.1:41000:app:me:pa\\:ss\ndb:5432:app:me:pa\\:ss\n");
	assert_rewritten("db:5432:app:me:x", 1, "127.0.0.1:41000:app:me:x\ndb:5432:app:me:x\n");
	assert_rewritten("db:5432:app:me:x\r\n", 1, "127.0.0.1:41000:app:me:x\ndb:5432:app:me:x\n");
}

static void
stars_match_and_order_stays(void **state)
{
	(void)state;
	assert_rewritten("other:*:*:*:1\n*:*:*:me:2\ndb:*:*:*:3\n", 3,
	    "other:*:*:*:1\n127.0.0.1:41000:*:me:2\n/tmp/rc\\:1/0:5432:*:me:2\n*:*:*:me:2\n127.0.0.1:41000:*:*:3\ndb:*:*:*:3\n");
}

static void
other_lines_stay_as_they_are(void **state)
{
	(void)state;
	assert_rewritten("", 0, "");
	assert_rewritten("# db:5432:a:b:c\n\ndb:5433:a:b:c\ndbx:5432:a:b:c\nd:5432:a:b:c\nnonsense\n", 0,
	    "# db:5432:a:b:c\n\ndb:5433:a:b:c\ndbx:5432:a:b:c\nd:5432:a:b:c\nnonsense\n");
}

static void
escapes_are_read(void **state)
{
	(void)state;
	assert_rewritten("d\\b:5432:a:b:c\n", 1, "127.0.0.1:41000:a:b:c\nd\\b:5432:a:b:c\n");
	assert_rewritten("db\\:5432:a:b:c\\\n", 0, "db\\:5432:a:b:c\\\n");
}

/* ---- the directory ---- */

static void
the_directory_is_private_and_goes_with_all_in_it(void **state)
{
	struct arena arena = { 0 };
	struct private_dir d = { 0 };
	struct problem p = { "" };
	struct stat st;
	char path[200], inner[300];

	(void)state;
	const char *below = private_dir_below(&d, &arena, 3, &p), *file = private_dir_file(&d, &arena, "pgpass", SPAN_LIT("a:b\n"), &p);

	assert_non_null(below);
	assert_non_null(file);
	snprintf(path, sizeof path, "%s", d.path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 4);
	assert_null(private_dir_file(&d, &arena, "pgpass", SPAN_LIT("again"), &p));

	/* What a link points to is not ours to remove. */
	snprintf(inner, sizeof inner, "%s/link", below);
	assert_int_equal(symlink("/etc", inner), 0);
	private_dir_remove(&d);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access("/etc/passwd", F_OK), 0);
	private_dir_remove(&d);
	arena_clear(&arena);
}

static void
a_long_base_gives_way_to_a_short_one(void **state)
{
	struct arena arena = { 0 };
	struct private_dir d = { 0 };
	struct problem p = { "" };
	char deep[200] = "/tmp/rowcall-test-";

	(void)state;
	memset(deep + strlen(deep), 'x', 80);
	assert_int_equal(mkdir(deep, 0700), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", deep, 1), 0);
	unsetenv("TMPDIR");
	assert_true(private_dir_make(&d, &arena, &p));
	assert_memory_equal(d.path, "/tmp/rowcall-", 13);
	assert_true(strlen(d.path) < 40);
	private_dir_remove(&d);
	rmdir(deep);
	unsetenv("XDG_RUNTIME_DIR");
	arena_clear(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_matching_line_is_repeated_for_us_before_it),
		cmocka_unit_test(stars_match_and_order_stays),
		cmocka_unit_test(other_lines_stay_as_they_are),
		cmocka_unit_test(escapes_are_read),
		cmocka_unit_test(the_directory_is_private_and_goes_with_all_in_it),
		cmocka_unit_test(a_long_base_gives_way_to_a_short_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
