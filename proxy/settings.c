/* SPDX-License-Identifier: Apache-2.0 */
/* settings: see settings.h. */
#include "settings.h"

#include <getopt.h>
#include <stdlib.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

void
settings_init(struct settings *s)
{
	*s = (struct settings){ .file = "" };
}

void
settings_clear(struct settings *s)
{
	arena_clear(&s->arena);
	mem_free(s->v);
	settings_init(s);
}

/* ---- adding ---- */

/* A value this version knows of and cannot honour is an error, never a promise. */
static bool
available(const struct option_def *o, const char *text, const char *where, struct problem *p)
{
	if (!o->later || (o->fallback && strcmp(text, o->fallback) == 0))
		return true;
	if (strcmp(o->later, "*") == 0)
		return problem(p, "%s: %s is not available yet in this version", where, o->key);
	if (strcmp(o->later, text) == 0)
		return problem(p, "%s: %s: %s is not available yet in this version", where, o->key, text);
	return true;
}

static bool
add_one(struct settings *s, struct setting said, struct span text, const char *where, struct problem *p)
{
	const struct option_def *o = &options[said.id];
	char why[200];

	said.text = arena_strndup(&s->arena, text);
	if (!option_value(o, said.text, &said.value, why, sizeof why)) {
		if (o->secret)
			return problem(p, "%s: wants %s", where, why);
		return problem(p, "%s: \"%s\" is not %s", where, said.text, why);
	}
	if (!available(o, said.text, where, p))
		return false;
	if (s->n == LIMIT_LIST * 4)
		return problem(p, "%s: too many settings", where);
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->v = xmem_resize(s->v, s->cap * sizeof *s->v);
	}
	s->v[s->n++] = said;
	return true;
}

bool
settings_add(struct settings *s, struct setting said, const char *where, struct problem *p)
{
	struct span rest = span_str(said.text);

	if (options[said.id].many != OPTION_COMMAS || said.by == SAID_FILE)
		return add_one(s, said, rest, where, p);
	for (;;) {
		const uint8_t *comma = rest.n ? memchr(rest.p, ',', rest.n) : NULL;
		size_t n = comma ? (size_t)(comma - rest.p) : rest.n;

		if (n == 0)
			return problem(p, "%s: an empty word in the list", where);
		if (!add_one(s, said, span_first(rest, n), where, p))
			return false;
		if (!comma)
			return true;
		rest = span_from(rest, n + 1);
	}
}

/* Flags of list entries (--listen, --upstream) count up: the second --upstream belongs to the second entry. */
static uint32_t
next_entry(const struct settings *s, enum option_id id, enum said_by by)
{
	uint32_t n = 0;

	if (!options[id].key || !strstr(options[id].key, "[]"))
		return 0;
	while (settings_nth(s, id, by, n))
		n++;
	return n;
}

/* ---- environment ---- */

/* Ours, but not settings. */
static bool
known_variable(const char *name, size_t n)
{
	return strncmp(name, "ROWCALL_TEST", n < 12 ? n : 12) == 0;
}

static void
warn_about(const char *name, size_t n, void (*warn)(const char *text))
{
	char text[200], env[80], word[80], nearest[80] = "";
	unsigned best = 9;

	snprintf(word, sizeof word, "%.*s", (int)n, name);
	for (enum option_id i = 0; i < OPTIONS; i++) {
		option_env(i, env, sizeof env);
		if (*env && option_nearer(word, env, &best))
			memcpy(nearest, env, sizeof nearest);
	}
	snprintf(text, sizeof text, *nearest ? "%s is not a setting; did you mean %s?" : "%s is not a setting (see rowcall help run)", word,
	    nearest);
	warn(text);
}

bool
settings_from_environment(struct settings *s, char *const *environ, unsigned command, void (*warn)(const char *text), struct problem *p)
{
	for (; *environ; environ++) {
		const char *equals = strchr(*environ, '=');
		size_t n = equals ? (size_t)(equals - *environ) : 0;
		enum option_id id;
		char env[80];

		if (n == 0 || strncmp(*environ, "ROWCALL_", 8) != 0 || !equals[1])
			continue;
		for (id = 0; id < OPTIONS; id++) {
			option_env(id, env, sizeof env);
			if (strlen(env) == n && strncmp(*environ, env, n) == 0)
				break;
		}
		if (id == OPTIONS) {
			if (warn && !known_variable(*environ, n))
				warn_about(*environ, n, warn);
		} else if ((options[id].commands & command) &&
			   !settings_add(s, (struct setting){ .id = id, .by = SAID_ENVIRONMENT, .text = equals + 1 }, env, p))
			return false;
	}
	return true;
}

/* ---- flags ---- */

enum { LONG_MAX_FLAGS = OPTIONS * 2 + 1, NO_FLAG = 10000, ID_BASE = 1000 };

struct flag_table {
	struct option longs[LONG_MAX_FLAGS];
	char negated[OPTIONS][40]; /* "no-inferred" */
	char shorts[64];
};

static void
build_flags(struct flag_table *t, unsigned command)
{
	size_t n = 0, s = 0;

	if (command & FOR_RUN)
		t->shorts[s++] = '+'; /* stop at the first other argument: what follows belongs to the command */
	t->shorts[s++] = ':';
	for (enum option_id i = 0; i < OPTIONS; i++) {
		const struct option_def *o = &options[i];

		if (!o->name || !(o->commands & command))
			continue;
		t->longs[n++] =
		    (struct option){ o->name, o->type == OPTION_BOOL ? no_argument : required_argument, NULL, ID_BASE + (int)i };
		if (o->type == OPTION_BOOL && o->fallback) {
			snprintf(t->negated[i], sizeof t->negated[i], "no-%s", o->name);
			t->longs[n++] = (struct option){ t->negated[i], no_argument, NULL, NO_FLAG + (int)i };
		}
		if (o->letter) {
			t->shorts[s++] = o->letter;
			if (o->type != OPTION_BOOL)
				t->shorts[s++] = ':';
		}
	}
	t->longs[n] = (struct option){ 0 };
	t->shorts[s] = '\0';
}

static enum option_id
by_letter(int letter)
{
	for (enum option_id i = 0; i < OPTIONS; i++) {
		if (options[i].letter == letter)
			return i;
	}
	return OPTIONS;
}

static bool
unknown_flag(const struct flag_table *t, const char *said, struct problem *p)
{
	const char *word = said + strspn(said, "-"), *nearest = NULL;
	char name[80];
	unsigned best = 9;

	snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
	for (const struct option *o = t->longs; o->name; o++) {
		if (option_nearer(name, o->name, &best))
			nearest = o->name;
	}
	if (nearest)
		return problem(p, "unknown option %.*s; did you mean --%s?", (int)strcspn(said, "="), said, nearest);
	return problem(p, "unknown option %.*s", (int)strcspn(said, "="), said);
}

static bool
add_flag(struct settings *s, int got, const char *arg, struct problem *p)
{
	enum option_id id = got >= NO_FLAG   ? (enum option_id)(got - NO_FLAG)
			    : got >= ID_BASE ? (enum option_id)(got - ID_BASE)
					     : by_letter(got);
	struct setting said = { .id = id, .by = SAID_FLAG, .text = arg };
	char where[48];

	if (options[id].type == OPTION_BOOL)
		said.text = got >= NO_FLAG ? "false" : "true";
	said.entry = next_entry(s, id, SAID_FLAG);
	snprintf(where, sizeof where, "--%s", options[id].name);
	return settings_add(s, said, where, p);
}

bool
settings_from_flags(struct settings *s, int argc, char **argv, unsigned command, int *rest, struct problem *p)
{
	struct flag_table t = { 0 };
	int got;

	build_flags(&t, command);
	opterr = 0;
	optind = 0; /* begin anew: getopt keeps its place between calls */
	while ((got = getopt_long(argc, argv, t.shorts, t.longs, NULL)) != -1) {
		char letter[3] = { '-', (char)optopt, '\0' };

		if (got == ':')
			return problem(p, "option %s needs a value", argv[optind - 1]);
		if (got == '?' && optopt >= ID_BASE)
			return problem(p, "option %.*s takes no value", (int)strcspn(argv[optind - 1], "="), argv[optind - 1]);
		if (got == '?')
			return unknown_flag(&t, optopt ? letter : argv[optind - 1], p);
		if (!add_flag(s, got, optarg, p))
			return false;
	}
	*rest = optind;
	return true;
}

/* ---- asking ---- */

static struct setting
fallback(enum option_id id)
{
	struct setting d = { .id = id, .by = SAID_DEFAULT, .text = options[id].fallback };
	char why[8];

	if (d.text && !option_value(&options[id], d.text, &d.value, why, sizeof why))
		abort(); /* the table's own default is wrong; a test reads them all */
	return d;
}

struct setting
settings_get(const struct settings *s, enum option_id id)
{
	struct setting best = fallback(id);

	for (uint32_t i = 0; i < s->n; i++) {
		if (s->v[i].id == id && s->v[i].by >= best.by)
			best = s->v[i];
	}
	return best;
}

struct setting
settings_entry(const struct settings *s, enum option_id id, enum said_by by, uint32_t entry)
{
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->v[i].id == id && s->v[i].by == by && s->v[i].entry == entry)
			return s->v[i];
	}
	return fallback(id);
}

enum said_by
settings_source(const struct settings *s, enum option_id id)
{
	enum said_by by = SAID_DEFAULT;

	for (uint32_t i = 0; i < s->n; i++) {
		if (s->v[i].id == id && s->v[i].by > by)
			by = s->v[i].by;
	}
	return by;
}

uint32_t
settings_entries(const struct settings *s, const char *prefix, enum said_by by)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		const char *key = options[s->v[i].id].key;

		if (s->v[i].by == by && key && strncmp(key, prefix, strlen(prefix)) == 0 && s->v[i].entry >= n)
			n = s->v[i].entry + 1;
	}
	return n;
}

const struct setting *
settings_nth(const struct settings *s, enum option_id id, enum said_by by, uint32_t n)
{
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->v[i].id == id && s->v[i].by == by && n-- == 0)
			return &s->v[i];
	}
	return NULL;
}
