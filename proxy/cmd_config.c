/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_config: rowcall config check|show: is the configuration right, and what is in force and why. */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "fingerprint/limits.h"
#include "outputs.h"

static const char *
said_by_whom(const struct settings *s, const struct setting *v, char *buf, size_t n)
{
	char env[80];

	switch (v->by) {
	case SAID_FILE:
		snprintf(buf, n, "%s:%u", s->file, v->line);
		return buf;
	case SAID_ENVIRONMENT:
		option_env(v->id, env, sizeof env);
		snprintf(buf, n, "%s", env);
		return buf;
	case SAID_FLAG:
		return "flag";
	default:
		return "default";
	}
}

static void
show_value(const struct settings *s, struct arena *a, const char *key, const struct setting *v)
{
	const struct option_def *o = &options[v->id];
	const char *text = v->text ? v->text : "-";
	char whom[LIMIT_NAME];

	if (o->secret && v->text)
		text = url_public(a, v->text);
	printf("%-32s %-40s # %s\n", key, *text ? text : "\"\"", said_by_whom(s, v, whom, sizeof whom));
}

static void
show_option(const struct settings *s, struct arena *a, enum option_id id)
{
	const struct option_def *o = &options[id];
	const char *list = strstr(o->key, "[]");
	enum said_by by = settings_source(s, id);
	struct setting one = settings_get(s, id);
	char key[120];

	if (!list && o->many == OPTION_ONCE) {
		show_value(s, a, o->key, &one);
		return;
	}
	for (uint32_t i = 0; by != SAID_DEFAULT && settings_nth(s, id, by, i); i++) {
		const struct setting *v = settings_nth(s, id, by, i);

		if (list)
			snprintf(key, sizeof key, "%.*s[%u]%s", (int)(list - o->key), o->key, v->entry, list + 2);
		else
			snprintf(key, sizeof key, "%s[%u]", o->key, i);
		show_value(s, a, key, v);
	}
}

static void
print_count(uint32_t n, const char *what, const char *end)
{
	printf("%u %s%s%s", n, what, n == 1 ? "" : "s", end);
}

static int
check_or_show(const struct settings *s, struct arena *a, int argc, char **argv)
{
	bool check = argc > 0 && strcmp(argv[0], "check") == 0, show = argc > 0 && strcmp(argv[0], "show") == 0;
	struct problem p = { "" };
	struct config cfg;

	if (!check && !show)
		problem(&p, "say check or show");
	else if (argc > 1)
		problem(&p, "unexpected argument %s", argv[1]);
	if (p.text[0] || !config_build(s, a, NULL, 0, &cfg, &p))
		return cmd_wrong("config", &p);
	if (cfg.baseline_absent)
		fprintf(stderr, "rowcall: warning: %s\n", cfg.baseline_absent);
	config_clear(&cfg);
	if (check) {
		printf("%s is fine: ", *cfg.file ? cfg.file : "the configuration (no rowcall.yaml)");
		print_count(cfg.nlistens, "listener", ", ");
		print_count(cfg.gate.nbudgets, "budget", ", ");
		print_count(cfg.gate.nallows, "allowed finding", "\n");
		return STATUS_OK;
	}
	for (enum option_id i = 0; i < OPTIONS; i++)
		if (options[i].key)
			show_option(s, a, i);
	return STATUS_OK;
}

int
cmd_config(int argc, char **argv)
{
	return cmd_with_settings("config", argc, argv, check_or_show);
}
