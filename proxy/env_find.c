/* SPDX-License-Identifier: Apache-2.0 */
/* env_find: see env_find.h. The names of variables stand in tables; what libpq and the MySQL clients do with what is not said stands in
 * code. */
#include "env_find.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fingerprint/limits.h"
#include "fingerprint/strbuf.h"

struct finder {
	struct env_databases *out;
	struct arena *arena;
	const struct env *env;
	bool (*exists)(const char *path);
};

void
env_note(struct env_databases *out, struct arena *a, const char *fmt, ...)
{
	char text[1200];
	va_list ap;

	if (out->nnotes == LIMIT_NOTES)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	out->notes[out->nnotes++] = arena_strndup(a, span_str(text));
}

bool
url_same_server(const struct db_url *a, const struct db_url *b)
{
	if (a->engine != b->engine || !*a->socket != !*b->socket)
		return false;
	if (*a->socket)
		return strcmp(a->socket, b->socket) == 0;
	return a->port == b->port && strcasecmp(a->host, b->host) == 0;
}

/* ---- defaults ---- */

static bool
read_port(const char *text, uint16_t *port)
{
	char *end;
	unsigned long v = text ? strtoul(text, &end, 10) : 0;

	if (!text || !isdigit((unsigned char)*text) || *end || v == 0 || v > 65535)
		return false;
	*port = (uint16_t)v;
	return true;
}

static const char *
pg_socket(struct arena *a, const char *directory, uint16_t port)
{
	char path[4200];

	snprintf(path, sizeof path, "%s/.s.PGSQL.%u", directory, port);
	return arena_strndup(a, span_str(path));
}

/* Where libpq goes when nobody names a host: its socket directory (Debian's, then upstream's), else TCP on this machine. */
static void
pg_default_host(struct finder *f, struct db_url *u)
{
	static const char *const directories[] = { "/var/run/postgresql", "/tmp" };

	for (size_t i = 0; i < 2; i++) {
		const char *path = pg_socket(f->arena, directories[i], u->port);

		if (f->exists(path)) {
			u->socket = path;
			return;
		}
	}
	u->host = "localhost";
}

static void
pg_host(struct finder *f, struct db_url *u, const char *host)
{
	if (host[0] == '/')
		u->socket = pg_socket(f->arena, host, u->port);
	else
		u->host = host;
}

/* What PG* variables add to what a URL leaves unsaid, as libpq and most other drivers read them. */
static void
pg_fill(struct finder *f, struct db_url *u)
{
	const char *host = env_said(f->env, "PGHOST"), *address = env_said(f->env, "PGHOSTADDR");
	const char *mode = env_said(f->env, "PGSSLMODE"), *ca = env_said(f->env, "PGSSLROOTCERT");

	if (u->jdbc) {
		if (!*u->host && !*u->socket)
			u->host = "localhost";
		return;
	}
	if (!u->port_said && read_port(env_said(f->env, "PGPORT"), &u->port) && *u->socket) {
		size_t directory = (size_t)(strrchr(u->socket, '/') - u->socket);

		u->socket = pg_socket(f->arena, arena_strndup(f->arena, span_of(u->socket, directory)), u->port);
	}
	if (!*u->host && !*u->socket) {
		if (address && !(host && mode && strcmp(mode, "verify-full") == 0))
			u->host = address;
		else if (host)
			pg_host(f, u, host);
		else
			pg_default_host(f, u);
	}
	if (!u->tls_said && mode && url_tls_word(span_str(mode), &u->tls)) {
		u->tls_said = true;
		u->tls_demanded = url_tls_demands(u->tls);
	}
	if (!*u->sslrootcert && ca)
		u->sslrootcert = ca;
}

/* libpq: with a root certificate at hand, require verifies the chain; verify-* take ~/.postgresql/root.crt when nothing is named. */
static void
pg_trust(struct finder *f, struct db_url *u)
{
	const char *home = env_said(f->env, "HOME");
	char path[4200] = "";

	if (u->jdbc || !u->tls_said || !u->tls_demanded)
		return;
	if (!*u->sslrootcert && home) {
		snprintf(path, sizeof path, "%s/.postgresql/root.crt", home);
		if (f->exists(path))
			u->sslrootcert = arena_strndup(f->arena, span_str(path));
	}
	if (u->tls == WIRE_TLS_REQUIRE && *u->sslrootcert && strcmp(u->sslrootcert, "system") != 0)
		u->tls = WIRE_TLS_VERIFY_CA;
}

/* C drivers read localhost as a socket, the others as TCP; a rewritten environment can only mean one of them. */
static void
my_fill(struct finder *f, struct db_url *u, const char *name)
{
	if (*u->socket || (*u->host && strcasecmp(u->host, "localhost") != 0))
		return;
	if (*u->host)
		env_note(f->out, f->arena,
		    "%s says localhost, where C drivers use a Unix socket; rowcall goes to 127.0.0.1 by TCP, and accounts of "
		    "user@localhost and user@127.0.0.1 may differ (a socket is named by ?unix_socket=/run/mysqld/mysqld.sock)",
		    name);
	u->host = "127.0.0.1";
}

/* ---- collecting ---- */

/* What two references to one server say together: the strictest TLS, and the first credentials. */
static void
join(struct db_url *up, const struct db_url *u)
{
	if (!*up->user && *u->user) {
		up->user = u->user;
		up->password = u->password;
		up->database = u->database;
	}
	if (u->tls_said && (!up->tls_said || u->tls > up->tls)) {
		up->tls_said = true;
		up->tls = u->tls;
		up->sslrootcert = u->sslrootcert;
	}
	up->tls_demanded |= u->tls_demanded;
}

static void
add_reference(struct finder *f, struct reference r)
{
	struct env_databases *out = f->out;
	uint32_t i;

	if (r.url.engine == ENGINE_POSTGRESQL) {
		if (r.kind != REFERENCE_PARTS)
			pg_fill(f, &r.url);
		pg_trust(f, &r.url);
	} else
		my_fill(f, &r.url, r.name);
	if (out->nreferences == LIMIT_REFERENCES) {
		env_note(out, f->arena, "%s is left as it is: more than %d variables name databases", r.name, LIMIT_REFERENCES);
		return;
	}
	for (i = 0; i < out->nupstreams && !url_same_server(&out->upstreams[i], &r.url); i++)
		continue;
	if (i == out->nupstreams)
		out->upstreams[out->nupstreams++] = r.url;
	else
		join(&out->upstreams[i], &r.url);
	r.upstream = i;
	out->references[out->nreferences++] = r;
}

/* ---- URLs ---- */

/* What is worth saying of a variable whose URL is none of ours: only the usual one is surely meant for a database. */
static void
note_other(struct finder *f, const char *name, const char *url)
{
	static const char scheme[] = "abcdefghijklmnopqrstuvwxyz0123456789+.-";
	size_t n = strspn(url, scheme);

	if (strncmp(url, "ecto://", 7) == 0)
		env_note(f->out, f->arena, "%s is left as it is: ecto:// does not tell PostgreSQL from MySQL; write postgresql:// or mysql://", name);
	else if (strcmp(name, "DATABASE_URL") == 0 && n > 0 && n < 32 && strncmp(url + n, "://", 3) == 0)
		env_note(f->out, f->arena, "DATABASE_URL is left as it is: rowcall reads PostgreSQL, MySQL and MariaDB, not %.*s", (int)n, url);
}

static void
find_urls(struct finder *f)
{
	for (uint32_t i = 0; i < f->env->n; i++) {
		const char *entry = f->env->v[i], *equals = strchr(entry, '=');
		struct reference r = { .kind = REFERENCE_URL };
		struct problem p;

		if (!equals || equals == entry || strncmp(entry, "ROWCALL_", 8) == 0)
			continue;
		r.name = arena_strndup(f->arena, span_of(entry, (size_t)(equals - entry)));
		switch (url_parse(f->arena, equals + 1, &r.url, &p)) {
		case URL_OK:
			add_reference(f, r);
			break;
		case URL_BAD:
			env_note(f->out, f->arena, "%s is left as it is: %s", r.name, p.text);
			break;
		case URL_OTHER:
			note_other(f, r.name, equals + 1);
			break;
		}
	}
}

/* ---- PG* ---- */

static bool
has_engine(const struct finder *f, enum engine_kind engine)
{
	for (uint32_t i = 0; i < f->out->nreferences; i++) {
		if (f->out->references[i].url.engine == engine)
			return true;
	}
	return false;
}

static void
find_pg(struct finder *f)
{
	struct reference r = { .kind = REFERENCE_PG, .name = "PGHOST" };
	const char *host = env_said(f->env, "PGHOST");
	bool strong = host || env_said(f->env, "PGHOSTADDR") || env_said(f->env, "PGPORT");
	bool weak = env_said(f->env, "PGDATABASE") || env_said(f->env, "PGUSER");

	if (env_said(f->env, "PGSERVICE"))
		env_note(f->out, f->arena,
		    "PGSERVICE=%s: what a service file says wins over PGHOST and PGPORT, so connections by it go past rowcall; "
		    "unset PGSERVICE and set PGHOST and PGPORT instead",
		    env_said(f->env, "PGSERVICE"));
	if (!strong && (!weak || env_said(f->env, "PGSERVICE") || has_engine(f, ENGINE_POSTGRESQL)))
		return;
	if (host && strchr(host, ',')) {
		env_note(
		    f->out, f->arena, "PGHOST is left as it is: several hosts; rowcall forwards to one server: choose it with --upstream");
		return;
	}
	if (!host && !env_said(f->env, "PGHOSTADDR"))
		r.name = env_said(f->env, "PGPORT") ? "PGPORT" : env_said(f->env, "PGDATABASE") ? "PGDATABASE" : "PGUSER";
	r.url = url_of_engine(ENGINE_POSTGRESQL);
	if (env_said(f->env, "PGUSER"))
		r.url.user = env_said(f->env, "PGUSER");
	if (env_said(f->env, "PGDATABASE"))
		r.url.database = env_said(f->env, "PGDATABASE");
	add_reference(f, r);
}

/* ---- host and port in variables of their own ---- */

enum { UNKNOWN_ENGINE = -1 };

static const struct family {
	const char *host, *port, *other_port, *socket;
	int engine;
	const char *prefix; /* of the variables that may tell the engine */
} families[] = {
	{ "POSTGRES_HOST", "POSTGRES_PORT", NULL, NULL, ENGINE_POSTGRESQL, NULL },
	{ "POSTGRESQL_HOST", "POSTGRESQL_PORT", NULL, NULL, ENGINE_POSTGRESQL, NULL },
	{ "MYSQL_HOST", "MYSQL_TCP_PORT", "MYSQL_PORT", "MYSQL_UNIX_PORT", ENGINE_MYSQL, NULL },
	{ "MYSQLHOST", "MYSQLPORT", NULL, NULL, ENGINE_MYSQL, NULL },
	{ "MARIADB_HOST", "MARIADB_PORT", NULL, NULL, ENGINE_MYSQL, NULL },
	{ "DB_HOST", "DB_PORT", NULL, "DB_SOCKET", UNKNOWN_ENGINE, "DB_" },
	{ "DB_HOSTNAME", "DB_PORT", NULL, "DB_SOCKET", UNKNOWN_ENGINE, "DB_" },
	{ "DATABASE_HOST", "DATABASE_PORT", NULL, "DATABASE_SOCKET", UNKNOWN_ENGINE, "DATABASE_" },
};

static int
engine_in_word(const char *word)
{
	static const struct {
		const char *part;
		int engine;
	} parts[] = { { "postg", ENGINE_POSTGRESQL }, { "pgsql", ENGINE_POSTGRESQL }, { "psycopg", ENGINE_POSTGRESQL },
		{ "mysql", ENGINE_MYSQL }, { "maria", ENGINE_MYSQL }, { "trilogy", ENGINE_MYSQL } };

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (strcasestr(word, parts[i].part))
			return parts[i].engine;
	}
	return strcasecmp(word, "pg") == 0 ? ENGINE_POSTGRESQL : UNKNOWN_ENGINE;
}

static int
family_engine(const struct finder *f, const struct family *family, uint16_t port)
{
	static const char *const endings[] = { "CONNECTION", "ENGINE", "ADAPTER", "DRIVER", "TYPE", "CLIENT", "DIALECT", "BACKEND" };
	int engine = family->engine;

	for (size_t i = 0; engine == UNKNOWN_ENGINE && i < sizeof endings / sizeof *endings; i++) {
		char name[40];

		snprintf(name, sizeof name, "%s%s", family->prefix, endings[i]);
		if (env_said(f->env, name))
			engine = engine_in_word(env_said(f->env, name));
	}
	if (engine == UNKNOWN_ENGINE && (port == 5432 || port == 5433 || port == 6432))
		engine = ENGINE_POSTGRESQL;
	if (engine == UNKNOWN_ENGINE && (port == 3306 || port == 3307))
		engine = ENGINE_MYSQL;
	return engine;
}

static const char *
socket_of(const struct finder *f, const struct family *family, const char *host)
{
	const char *socket = family->socket ? env_said(f->env, family->socket) : NULL;

	/* A named socket counts where the host does not: unset, or the word C drivers read as "the socket". */
	return socket && socket[0] == '/' && (!host || strcasecmp(host, "localhost") == 0) ? socket : NULL;
}

/* DB_HOST=db:3306 */
static const char *
split_port(struct arena *a, const char *host, uint16_t *port, bool *in_host)
{
	const char *colon = strchr(host, ':');

	if (!colon || strchr(colon + 1, ':') || !read_port(colon + 1, port))
		return host;
	*in_host = true;
	return arena_strndup(a, span_of(host, (size_t)(colon - host)));
}

static void
set_place(struct finder *f, struct reference *r, const char *host, const char *socket, uint16_t port)
{
	struct db_url *u = &r->url;

	u->port = port ? port : engine_port(u->engine);
	if (socket)
		u->socket = socket;
	else if (host[0] == '/' && u->engine == ENGINE_POSTGRESQL)
		u->socket = pg_socket(f->arena, host, u->port);
	else if (host[0] == '/')
		u->socket = host;
	else
		u->host = host;
}

/* DB_SSLMODE, DB_SSL_MODE beside DB_HOST. */
static void
find_tls(struct finder *f, struct reference *r)
{
	static const char *const endings[] = { "SSLMODE", "SSL_MODE" };
	size_t prefix = (size_t)(strstr(r->host_variable, "HOST") - r->host_variable);

	for (size_t i = 0; i < 2; i++) {
		char name[40];

		snprintf(name, sizeof name, "%.*s%s", (int)prefix, r->host_variable, endings[i]);
		if (env_said(f->env, name) && url_tls_word(span_str(env_said(f->env, name)), &r->url.tls)) {
			r->tls_variable = arena_strndup(f->arena, span_str(name));
			r->url.tls_said = true;
			r->url.tls_demanded = url_tls_demands(r->url.tls);
		}
	}
}

/* DB_USER, DB_PASSWORD, DB_NAME and their kin beside DB_HOST: for our own connections only. */
static const char *
beside(const struct finder *f, const struct reference *r, const char *const *endings)
{
	size_t prefix = (size_t)(strstr(r->host_variable, "HOST") - r->host_variable);

	for (; *endings; endings++) {
		char name[40];

		snprintf(name, sizeof name, "%.*s%s", (int)prefix, r->host_variable, *endings);
		if (env_said(f->env, name))
			return env_said(f->env, name);
	}
	return "";
}

static void
find_credentials(struct finder *f, struct reference *r)
{
	static const char *const users[] = { "USER", "USERNAME", NULL }, *const passwords[] = { "PASSWORD", "PASS", "PWD", NULL },
		*const databases[] = { "NAME", "DATABASE", "DB", "DATABASE_NAME", NULL };

	r->url.user = beside(f, r, users);
	r->url.password = beside(f, r, passwords);
	r->url.database = beside(f, r, databases);
}

static void
find_family(struct finder *f, const struct family *family)
{
	const char *host = env_said(f->env, family->host), *socket = socket_of(f, family, host);
	struct reference r = { .kind = REFERENCE_PARTS,
		.name = socket ? family->socket : family->host,
		.host_variable = family->host,
		.port_variable = family->port,
		.socket_variable = socket ? family->socket : NULL };
	uint16_t port = 0;
	int engine;

	if (!host && !socket)
		return;
	/* Not a number: "tcp://10.0.0.7:5432", as container links set it. */
	if (!read_port(env_said(f->env, family->port), &port) && family->other_port &&
	    read_port(env_said(f->env, family->other_port), &port))
		r.port_variable = family->other_port;
	if (host && port == 0)
		host = split_port(f->arena, host, &port, &r.port_in_host);
	engine = family_engine(f, family, port);
	if (engine == UNKNOWN_ENGINE) {
		env_note(f->out, f->arena,
		    "%s is left as it is: nothing tells which database it is (%sCONNECTION, %sENGINE, a known port); "
		    "use --upstream",
		    r.name, family->prefix, family->prefix);
		return;
	}
	if (host && strchr(host, ',')) {
		env_note(f->out, f->arena, "%s is left as it is: several hosts; rowcall forwards to one server: choose it with --upstream",
		    r.name);
		return;
	}
	r.url = url_of_engine((enum engine_kind)engine);
	set_place(f, &r, host, socket, port);
	find_tls(f, &r);
	find_credentials(f, &r);
	add_reference(f, r);
}

/* MySQL's C clients read ~/.my.cnf where neither flags nor the environment say more. */
static void
note_option_file(struct finder *f)
{
	const char *home = env_said(f->env, "HOME");
	char path[4200];

	if (!home || (f->out->nreferences > 0 && !has_engine(f, ENGINE_MYSQL)))
		return;
	snprintf(path, sizeof path, "%s/.my.cnf", home);
	if (f->exists(path))
		env_note(f->out, f->arena,
		    "%s: a host, port or socket it names goes past rowcall; set MYSQL_HOST and MYSQL_TCP_PORT, "
		    "or pass the listener's address to the client",
		    path);
}

bool
env_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

void
env_find(struct env_databases *out, struct arena *a, const struct env *e, bool (*exists)(const char *path))
{
	struct finder f = { out, a, e, exists };

	*out = (struct env_databases){ 0 };
	find_urls(&f);
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		find_family(&f, &families[i]);
	find_pg(&f);
	note_option_file(&f);
	if (env_said(e, "PGSSLCERT"))
		env_note(out, a, "PGSSLCERT: client certificates are not passed on to the server yet");
}
