/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of keep_run.c: where the last runs are kept, which is the last, and which go. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/keep_run.h"
#include "reports/store/store.h"

struct fixture {
	char home[64];
	char *said_home, *said_state;
};

static char *
copy_env(const char *name)
{
	return getenv(name) ? strdup(getenv(name)) : NULL;
}

static void
put_env(const char *name, char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
	free(value);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	snprintf(f->home, sizeof f->home, "/tmp/rowcall-keep-XXXXXX");
	assert_non_null(mkdtemp(f->home));
	f->said_home = copy_env("HOME");
	f->said_state = copy_env("XDG_STATE_HOME");
	setenv("HOME", f->home, 1);
	unsetenv("XDG_STATE_HOME");
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	char command[100];

	put_env("HOME", f->said_home);
	put_env("XDG_STATE_HOME", f->said_state);
	snprintf(command, sizeof command, "rm -r %s", f->home);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void
the_directory_is_the_users(void **state)
{
	struct fixture *f = *state;
	char dir[4096], want[200];
	struct stat st;

	keep_directory(dir, sizeof dir);
	snprintf(want, sizeof want, "%s/.local/state/rowcall", f->home);
	assert_string_equal(dir, want);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	snprintf(want, sizeof want, "%s/elsewhere", f->home);
	setenv("XDG_STATE_HOME", want, 1);
	keep_directory(dir, sizeof dir);
	assert_int_equal(strncmp(dir, want, strlen(want)), 0);
	assert_string_equal(dir + strlen(want), "/rowcall");
	/* The XDG specification: a relative path is to be ignored. */
	setenv("XDG_STATE_HOME", "state", 1);
	keep_directory(dir, sizeof dir);
	assert_non_null(strstr(dir, ".local/state"));
}

static void
without_a_place_there_is_none(void **state)
{
	struct fixture *f = *state;
	char dir[4096], path[4096], file[200], longest[4200];
	FILE *in_the_way;

	snprintf(file, sizeof file, "%s/file", f->home);
	in_the_way = fopen(file, "w");
	assert_non_null(in_the_way);
	fclose(in_the_way);
	memset(longest, 'x', sizeof longest - 1);
	longest[0] = '/';
	longest[sizeof longest - 1] = '\0';
	const char *const homes[] = { "", "relative", file, longest };

	for (size_t i = 0; i < sizeof homes / sizeof *homes; i++) {
		setenv("HOME", homes[i], 1);
		keep_directory(dir, sizeof dir);
		assert_string_equal(dir, "");
		keep_new(path, sizeof path);
		assert_string_equal(path, "");
		assert_false(keep_last(path, sizeof path));
		keep_tidy();
	}
}

/* A recording, as a run that died leaves it. */
static void
record(char *path, size_t n)
{
	struct store *s;
	char err[500];

	keep_new(path, n);
	assert_true(*path);
	s = store_open(path, "true", 1, NULL, 0, false, err, sizeof err);
	assert_non_null(s);
	store_abandon(s);
}

static void
the_last_begun_is_the_last(void **state)
{
	char first[4096], second[4096], last[4096];

	(void)state;
	assert_false(keep_last(last, sizeof last));
	record(first, sizeof first);
	record(second, sizeof second);
	assert_string_not_equal(first, second);
	assert_true(keep_last(last, sizeof last));
	assert_string_equal(last, second);
	assert_false(keep_last(last, 20));
}

static void
older_ones_go(void **state)
{
	char runs[KEPT_RUNS + 2][4096], side[4200], dir[4096], other[4200];
	FILE *file;

	(void)state;
	keep_directory(dir, sizeof dir);
	snprintf(other, sizeof other, "%s/notes.txt", dir);
	file = fopen(other, "w");
	assert_non_null(file);
	fclose(file);
	for (int i = 0; i < KEPT_RUNS + 2; i++)
		record(runs[i], sizeof runs[i]);
	snprintf(side, sizeof side, "%s-wal", runs[0]);
	file = fopen(side, "w");
	assert_non_null(file);
	fclose(file);
	keep_tidy();
	for (int i = 0; i < KEPT_RUNS + 2; i++)
		assert_int_equal(access(runs[i], F_OK) == 0, i >= 2);
	assert_int_not_equal(access(side, F_OK), 0);
	assert_int_equal(access(other, F_OK), 0);
	keep_tidy();
	assert_int_equal(access(runs[2], F_OK), 0);
}

/* Several runs may be under way in one home. */
static void
a_run_under_way_stays(void **state)
{
	char first[4096], path[4096], err[500];
	struct store *s;

	(void)state;
	keep_new(first, sizeof first);
	s = store_open(first, "true", 1, NULL, 0, false, err, sizeof err);
	assert_non_null(s);
	for (int i = 0; i < KEPT_RUNS; i++)
		record(path, sizeof path);
	keep_tidy();
	assert_int_equal(access(first, F_OK), 0);
	store_abandon(s);
	keep_tidy();
	assert_int_not_equal(access(first, F_OK), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_directory_is_the_users, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_place_there_is_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_last_begun_is_the_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(older_ones_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_run_under_way_stays, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
