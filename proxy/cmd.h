/* SPDX-License-Identifier: Apache-2.0 */
/* cmd: the subcommands, and what they share: reading settings, help, saying what is wrong.
 * Each command takes its own arguments (argv[0] = its name) and returns the program's status. */
#ifndef ROWCALL_CMD_H
#define ROWCALL_CMD_H

#include "config.h"
#include "settings.h"

int cmd_run(int argc, char **argv);
int cmd_proxy(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_merge(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_fix(int argc, char **argv);
int cmd_mark(int argc, char **argv);
int cmd_ping(int argc, char **argv);
int cmd_config(int argc, char **argv);
int cmd_fingerprint(int argc, char **argv);

struct command {
	const char *name, *usage, *summary;	/* usage: behind "rowcall NAME " */
	const char *more;			/* paragraphs of its --help */
	unsigned options;			/* enum option_command */
	int (*main)(int argc, char **argv);
};

extern const struct command commands[];		/* ends with name NULL */
const struct command *command_find(const char *name);
/* "there is no command X; did you mean Y?" and a hint, on standard error; returns STATUS_USAGE. */
int command_unknown(const char *name);

/* ---- help ---- */
void help_program(FILE *out);
void help_command(FILE *out, const struct command *c);

/* ---- reading what the user said ---- */

/* What a command does with its settings, an arena that is cleared behind it, and its arguments behind the flags. Returns the status. */
typedef int cmd_body(const struct settings *s, struct arena *a, int argc, char **argv);

/* Reads flags, ROWCALL_* and, for commands that capture or judge, the rowcall.yaml in force, and lets body go on with them. --help, --version
 * and what is wrong are answered here. Returns the status. */
int cmd_with_settings(const char *command, int argc, char **argv, cmd_body *body);
/* The settings once more, for a reload: the flags as they were, the rest read anew; nothing is printed. False: a sentence in p. */
bool cmd_settings_again(const char *command, const struct settings *was, struct settings *s, struct problem *p) __attribute__((warn_unused_result));
/* "rowcall run: error: …" and a hint, on standard error; returns STATUS_USAGE. */
int cmd_wrong(const char *command, const struct problem *p);
/* "rowcall: error: …" on standard error, of what went wrong (no text: out of memory); returns STATUS_UNUSABLE. */
int cmd_unusable(const struct problem *p);

#endif
