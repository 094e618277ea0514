/* SPDX-License-Identifier: Apache-2.0 */
/* cmd: see cmd.h. What every command does first: read its flags, the environment and rowcall.yaml. */
#include "cmd.h"

#include <unistd.h>

#include "outputs.h"
#include "version.h"
#include "yaml.h"

int
cmd_wrong(const char *command, const struct problem *p)
{
	fprintf(stderr, "rowcall %s: error: %s\ntry: rowcall %s --help\n", command, p->text, command);
	return STATUS_USAGE;
}

int
cmd_unusable(const struct problem *p)
{
	fprintf(stderr, "rowcall: error: %s\n", p->text[0] ? p->text : "out of memory");
	return STATUS_UNUSABLE;
}

static void
warn(const char *text)
{
	fprintf(stderr, "rowcall: warning: %s\n", text);
}

/* The file --config names, or the one found upwards; none is fine. */
static bool
read_file(struct settings *s, struct problem *p)
{
	const char *path = settings_get(s, OPT_CONFIG).text;
	char cwd[4096];

	if (path) {
		s->file = path;
		return yaml_load(s, path, path, p);
	}
	if (!getcwd(cwd, sizeof cwd))
		return true;
	path = yaml_find(&s->arena, cwd, p);
	if (!path)
		return p->text[0] == '\0';
	s->file = path;
	return yaml_load(s, path, path, p);
}

/* What flags do not say. */
static bool
read_rest(struct settings *s, const struct command *c, void (*say)(const char *text), struct problem *p)
{
	bool file = c->options & (FOR_RUN | FOR_PROXY | FOR_CONFIG | FOR_REPORT | FOR_DIFF | FOR_FIX);

	return settings_from_environment(s, environ, c->options, say, p) && (!file || read_file(s, p));
}

/* Settings, and what --help and --version ask for. False: nothing is left to do; *status says how it ended. */
static bool
read_settings(const struct command *c, int argc, char **argv, struct settings *s, int *rest, int *status)
{
	struct problem p = { "" };
	bool flags = settings_from_flags(s, argc, argv, c->options, rest, &p);

	*status = STATUS_OK;
	if (flags && settings_true(s, OPT_HELP)) {
		help_command(stdout, c);
		return false;
	}
	if (flags && settings_true(s, OPT_VERSION)) {
		version_print(stdout);
		return false;
	}
	if (flags && read_rest(s, c, warn, &p))
		return true;
	*status = cmd_wrong(c->name, &p);
	return false;
}

int
cmd_with_settings(const char *command, int argc, char **argv, cmd_body *body)
{
	struct arena arena = { 0 };
	struct settings s;
	int rest = 0, status;

	settings_init(&s);
	if (read_settings(command_find(command), argc, argv, &s, &rest, &status))
		status = body(&s, &arena, argc - rest, argv + rest);
	settings_clear(&s);
	arena_clear(&arena);
	return status;
}

bool
cmd_settings_again(const char *command, const struct settings *was, struct settings *s, struct problem *p)
{
	settings_init(s);
	for (uint32_t i = 0; i < was->n; i++)
		if (was->v[i].by == SAID_FLAG && !settings_add(s, was->v[i], options[was->v[i].id].name, p))
			return false;
	return read_rest(s, command_find(command), NULL, p);
}
