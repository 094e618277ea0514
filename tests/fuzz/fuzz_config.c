/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_config: any bytes as rowcall.yaml, as a database URL and as an environment: no crash, nothing left over, errors that say where, and
 * a rewritten URL that reads as its target and keeps what was not to be changed. The first byte chooses. */
#include <stdlib.h>

#include "proxy/config.h"
#include "proxy/env_rewrite.h"
#include "proxy/settings.h"
#include "proxy/yaml.h"

static void
fuzz_yaml(struct span text)
{
	struct problem p = { "" };
	struct arena arena = { 0 };
	struct settings s;
	struct config c;

	settings_init(&s);
	if (!yaml_read(&s, text, "f", &p)) {
		if (strncmp(p.text, "f:", 2) != 0)
			abort();
	} else if (config_build(&s, &arena, NULL, 0, &c, &p))
		config_clear(&c);
	else if (!p.text[0])
		abort();
	settings_clear(&s);
	arena_clear(&arena);
}

static void
same(const char *a, const char *b)
{
	if (strcmp(a, b) != 0)
		abort();
}

static void
check_rewritten(struct arena *a, const struct db_url *u, const struct url_target *t)
{
	const char *text = url_rewrite(a, u, t);
	struct problem p = { "" };
	struct db_url again;

	/* It may have grown past what a URL can be. */
	if (url_parse(a, text, &again, &p) != URL_OK) {
		if (strlen(text) <= 4096)
			abort();
		return;
	}
	same(u->user, again.user);
	same(u->password, again.password);
	same(u->database, again.database);
	if (t->host) {
		same(again.host, t->host);
		same(again.socket, "");
		if (again.port != t->port)
			abort();
	} else if (!*again.socket)
		abort();
	if (again.tls_demanded)
		abort();
}

static void
fuzz_url(struct span bytes)
{
	static const struct url_target tcp = { "127.0.0.1", 41000, NULL, true };
	struct arena arena = { 0 };
	const char *text = arena_strndup(&arena, bytes);
	struct problem p = { "" };
	struct db_url u;

	url_public(&arena, text);
	switch (url_parse(&arena, text, &u, &p)) {
	case URL_OK:
		check_rewritten(&arena, &u, &tcp);
		if (*u.socket)
			check_rewritten(&arena, &u, &(struct url_target){ NULL, u.port, u.engine == ENGINE_POSTGRESQL ? "/p/.s.PGSQL.5432" : "/p/m", true });
		break;
	case URL_BAD:
		if (!p.text[0])
			abort();
		break;
	case URL_OTHER:
		break;
	}
	arena_clear(&arena);
}

static bool
nowhere(const char *path)
{
	return path[0] == '\0';
}

static void
hear(void *ctx, const char *line)
{
	*(size_t *)ctx += strlen(line);
}

/* Variables end in newlines. */
static void
fuzz_environment(struct span text)
{
	struct endpoint ends[LIMIT_REFERENCES];
	struct env_databases *d = calloc(1, sizeof *d);
	char *variables[129] = { NULL };
	struct arena arena = { 0 };
	struct env env;
	size_t said = 0;

	for (int i = 0; i < 128 && text.n; i++) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;

		variables[i] = arena_strndup(&arena, span_first(text, n));
		text = span_from(text, n + 1);
	}
	env_init(&env, &arena, variables);
	env_find(d, &arena, &env, nowhere);
	for (uint32_t i = 0; i < d->nreferences; i++)
		ends[i] = *d->references[i].url.socket ? (struct endpoint){ .socket = "/p/.s.PGSQL.5432" } : (struct endpoint){ .host = "127.0.0.1", .port = 1 };
	env_rewrite(&env, d, ends, hear, &said);
	env_clear(&env);
	arena_clear(&arena);
	free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct span text = span_from(span_of(bytes, n), 1);

	if (n == 0)
		return 0;
	if (bytes[0] % 3 == 0)
		fuzz_yaml(text);
	else if (bytes[0] % 3 == 1)
		fuzz_url(text);
	else
		fuzz_environment(text);
	return 0;
}
