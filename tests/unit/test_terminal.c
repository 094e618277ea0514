/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of terminal.c: every rung of the colour decision on a real pseudo-terminal, a pipe and a file; width; UTF-8. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "reports/write/write.h"

static const char *const names[] = {
	"NO_COLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "CLICOLOR", "TERM", "GITHUB_ACTIONS", "GITLAB_CI", "CI", "LC_ALL", "LC_CTYPE", "LANG", "COLUMNS",
};

struct ends {
	int terminal, master, pipe[2];
	FILE *file;
};

static int
open_ends(void **state)
{
	static struct ends e;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
	if (openpty(&e.master, &e.terminal, NULL, NULL, NULL) != 0 || pipe(e.pipe) != 0 || !(e.file = tmpfile()))
		return -1;
	*state = &e;
	return 0;
}

static int
close_ends(void **state)
{
	struct ends *e = *state;

	close(e->terminal);
	close(e->master);
	close(e->pipe[0]);
	close(e->pipe[1]);
	fclose(e->file);
	return 0;
}

static bool
color(int fd, const char *option)
{
	return write_options_for(fd, option).color;
}

static void
color_in_order(void **state)
{
	struct ends *e = *state;

	assert_true(color(e->terminal, "auto"));
	assert_false(color(e->pipe[1], "auto"));
	assert_false(color(e->terminal, "never"));
	assert_true(color(e->pipe[1], "always"));
	setenv("TERM", "dumb", 1);
	assert_false(color(e->terminal, "auto"));
	setenv("CLICOLOR_FORCE", "1", 1);
	assert_true(color(e->terminal, "auto"));
	assert_true(color(e->pipe[1], "auto"));
	setenv("NO_COLOR", "1", 1);
	assert_false(color(e->terminal, "auto"));
	assert_true(color(e->terminal, "always"));
	setenv("NO_COLOR", "", 1);			/* empty counts as unset */
	assert_true(color(e->pipe[1], "auto"));
	setenv("CLICOLOR_FORCE", "0", 1);
	assert_false(color(e->pipe[1], "auto"));
	setenv("FORCE_COLOR", "3", 1);
	assert_true(color(e->pipe[1], "auto"));
	unsetenv("FORCE_COLOR");
	setenv("TERM", "xterm", 1);
	assert_true(color(e->terminal, "auto"));
	setenv("CLICOLOR", "0", 1);
	assert_false(color(e->terminal, "auto"));
}

static void
ci_logs_are_colored(void **state)
{
	struct ends *e = *state;

	setenv("CI", "true", 1);
	assert_false(color(e->pipe[1], "auto"));
	setenv("GITHUB_ACTIONS", "true", 1);
	assert_true(color(e->pipe[1], "auto"));
	assert_false(color(fileno(e->file), "auto"));	/* a file is nobody's log */
	unsetenv("GITHUB_ACTIONS");
	setenv("GITLAB_CI", "true", 1);
	assert_true(color(e->pipe[1], "auto"));
	setenv("NO_COLOR", "1", 1);
	assert_false(color(e->pipe[1], "auto"));
}

static void
width_is_asked_and_clamped(void **state)
{
	struct ends *e = *state;
	struct winsize w = { .ws_row = 50, .ws_col = 120 };

	assert_int_equal(write_options_for(e->pipe[1], "auto").width, 96);
	assert_int_equal(ioctl(e->terminal, TIOCSWINSZ, &w), 0);
	assert_int_equal(write_options_for(e->terminal, "auto").width, 120);
	w.ws_col = 40;
	assert_int_equal(ioctl(e->terminal, TIOCSWINSZ, &w), 0);
	assert_int_equal(write_options_for(e->terminal, "auto").width, 60);
	w.ws_col = 400;
	assert_int_equal(ioctl(e->terminal, TIOCSWINSZ, &w), 0);
	assert_int_equal(write_options_for(e->terminal, "auto").width, 160);
	setenv("COLUMNS", "100", 1);
	assert_int_equal(write_options_for(e->terminal, "auto").width, 100);
	assert_int_equal(write_options_for(e->pipe[1], "auto").width, 100);
	setenv("COLUMNS", "99999999999999999999", 1);
	assert_int_equal(write_options_for(e->pipe[1], "auto").width, 160);
	setenv("COLUMNS", "wide", 1);
	assert_int_equal(write_options_for(e->pipe[1], "auto").width, 96);
	setenv("COLUMNS", "0", 1);
	assert_int_equal(write_options_for(e->pipe[1], "auto").width, 96);
}

static void
utf8_by_locale(void **state)
{
	struct ends *e = *state;

	assert_false(write_options_for(e->terminal, "auto").utf8);
	setenv("LANG", "de_DE.UTF-8", 1);
	assert_true(write_options_for(e->terminal, "auto").utf8);
	setenv("LC_CTYPE", "C", 1);
	assert_false(write_options_for(e->terminal, "auto").utf8);
	setenv("LC_ALL", "C.utf8", 1);
	assert_true(write_options_for(e->terminal, "auto").utf8);
	setenv("LC_ALL", "", 1);
	assert_false(write_options_for(e->terminal, "auto").utf8);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(color_in_order, open_ends, close_ends),
		cmocka_unit_test_setup_teardown(ci_logs_are_colored, open_ends, close_ends),
		cmocka_unit_test_setup_teardown(width_is_asked_and_clamped, open_ends, close_ends),
		cmocka_unit_test_setup_teardown(utf8_by_locale, open_ends, close_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
