/* SPDX-License-Identifier: Apache-2.0 */
/* main: picks the command. Nothing else. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "outputs.h"
#include "version.h"

static bool
is(const char *word, const char *a, const char *b)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

static int
help(int argc, char **argv)
{
	const struct command *c = argc > 2 ? command_find(argv[2]) : NULL;

	if (argc > 2 && !c)
		return command_unknown(argv[2]);
	if (c && c->options & FOR_FINGERPRINT) /* a filter with options of its own */
		return c->main(2, (char *[]){ argv[2], (char[]){ "--help" }, NULL });
	if (c)
		help_command(stdout, c);
	else
		help_program(stdout);
	return STATUS_OK;
}

int
main(int argc, char **argv)
{
	const struct command *c;

	/* A peer that goes away shows as EPIPE where it is written to. */
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		help_program(stderr);
		return STATUS_USAGE;
	}
	if (is(argv[1], "--help", "-h") || strcmp(argv[1], "help") == 0)
		return help(argc, argv);
	if (is(argv[1], "--version", "-V")) {
		version_print(stdout);
		return STATUS_OK;
	}
	c = command_find(argv[1]);
	if (!c)
		return command_unknown(argv[1]);
	return c->main(argc - 1, argv + 1);
}
