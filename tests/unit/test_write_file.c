/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of write_file.c on a real file system: replaced in one piece, nothing left behind, permissions and links respected, errors in words. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/write/write.h"

static char dir[] = "/tmp/rowcall-test-write-XXXXXX";

static const char *
in_dir(const char *name)
{
	static char path[2][256];
	static unsigned turn;
	char *p = path[turn++ % 2];

	snprintf(p, sizeof path[0], "%s/%s", dir, name);
	return p;
}

static unsigned
files_in_dir(void)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void
check_content(const char *path, const char *expected)
{
	char buf[64] = "";
	FILE *f = fopen(path, "rb");

	assert_non_null(f);
	buf[fread(buf, 1, sizeof buf - 1, f)] = '\0';
	fclose(f);
	assert_string_equal(buf, expected);
}

static void
creates_and_replaces(void **state)
{
	const char *path = in_dir("report.json");
	char err[256] = "";
	struct stat before, after;

	(void)state;
	umask(027);
	assert_true(write_file(path, SPAN_LIT("first"), err, sizeof err));
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_mode & 0777, 0640);
	assert_int_equal(chmod(path, 0600), 0);
	assert_true(write_file(path, SPAN_LIT("second, longer"), err, sizeof err));
	check_content(path, "second, longer");
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_mode & 0777, 0600);
	assert_true(before.st_ino != after.st_ino);	/* a new file took the name: nobody saw half of one */
	assert_true(write_file(path, SPAN_LIT(""), err, sizeof err));
	check_content(path, "");
	assert_int_equal(files_in_dir(), 1);
	assert_int_equal(unlink(path), 0);
}

static void
follows_a_link(void **state)
{
	const char *path = in_dir("link"), *target = in_dir("target");
	char err[256] = "";
	struct stat st;

	(void)state;
	assert_true(write_file(target, SPAN_LIT("old"), err, sizeof err));
	assert_int_equal(symlink("target", path), 0);
	assert_true(write_file(path, SPAN_LIT("new"), err, sizeof err));
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	check_content(target, "new");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(target), 0);
	assert_int_equal(files_in_dir(), 0);
}

static void
writes_into_a_pipe(void **state)
{
	const char *path = in_dir("fifo");
	char err[256] = "", got[8] = "";
	struct stat st;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	int fd = open(path, O_RDONLY | O_NONBLOCK);

	assert_true(write_file(path, SPAN_LIT("piped"), err, sizeof err));
	assert_int_equal(read(fd, got, sizeof got), 5);
	assert_string_equal(got, "piped");
	close(fd);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(unlink(path), 0);
}

static void
says_what_failed(void **state)
{
	char err[256] = "", expected[300];
	const char *path = in_dir("missing/report.json");

	(void)state;
	assert_false(write_file(path, SPAN_LIT("x"), err, sizeof err));
	assert_int_equal(errno, ENOENT);
	snprintf(expected, sizeof expected, "cannot create %s: No such file or directory", path);
	assert_string_equal(err, expected);
	assert_false(write_file(dir, SPAN_LIT("x"), err, sizeof err));
	assert_int_equal(errno, EISDIR);
	assert_false(write_file("/dev/full", SPAN_LIT("x"), err, sizeof err));
	assert_int_equal(errno, ENOSPC);
	assert_string_equal(err, "cannot write to /dev/full: No space left on device");
	assert_int_equal(files_in_dir(), 0);
}

static int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int
remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(creates_and_replaces), cmocka_unit_test(follows_a_link), cmocka_unit_test(writes_into_a_pipe),
		cmocka_unit_test(says_what_failed),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
