/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_run_env: what the command finds instead of its databases: sockets and certificates of this run, and an environment and a password file
 * that name our listeners. Never: changes our own environment or a file of the user's. */
#include "cmd_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fingerprint/limits.h"
#include "own_certificate.h"
#include "pgpass.h"
#include "settings.h"

bool
run_stand_in(struct run *r, struct problem *p)
{
	for (uint32_t i = 0; i < r->cfg.nlistens; i++) {
		struct listen_config *l = (struct listen_config *)(uintptr_t)&r->cfg.listens[i]; /* made for us, in our arena */
		char path[160];
		const char *dir;

		if (!l->upstream.is_unix || l->is_unix || l->port != 0)
			continue;
		/* One directory each: two originals may have the same name. */
		dir = private_dir_below(&r->dir, r->arena, i, p);
		if (!dir)
			return false;
		if (l->upstream.engine == ENGINE_POSTGRESQL)
			snprintf(path, sizeof path, "%s/.s.PGSQL.%u", dir, l->upstream.port);
		else
			snprintf(path, sizeof path, "%s/mysql.sock", dir);
		l->address = arena_strndup(r->arena, span_str(path));
		l->is_unix = l->setup.client_is_unix = true;
		l->port = l->upstream.port;
		l->setup.client_tls = WIRE_TLS_DISABLE; /* clients do not ask for it there */
	}
	return true;
}

static bool
takes_tls(const struct listen_config *l)
{
	return l->setup.client_tls == WIRE_TLS_ALLOW || l->setup.client_tls == WIRE_TLS_REQUIRE;
}

bool
run_certificate(struct run *r, struct problem *p)
{
	const char *path = NULL;

	for (uint32_t i = 0; i < r->cfg.nlistens; i++) {
		struct listen_config *l = (struct listen_config *)(uintptr_t)&r->cfg.listens[i]; /* made for us, in our arena */

		if (!takes_tls(l) || *l->client_cert)
			continue;
		if (!path)
			path = own_certificate(&r->dir, r->arena, p);
		if (!path)
			return false;
		l->client_cert = l->client_key = path;
		r->own_certificate = true;
	}
	return true;
}

/* A wildcard is where one listens, not where one connects. */
static const char *
reachable(const char *host)
{
	return strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : strcmp(host, "::") == 0 ? "::1" : host;
}

void
run_endpoints(struct run *r)
{
	r->endpoints = arena_zero(r->arena, r->cfg.nlistens * sizeof *r->endpoints);
	for (uint32_t i = 0; i < r->cfg.nlistens; i++) {
		const char *host = reachable(capture_host(r->capture, i));
		bool is_unix = r->cfg.listens[i].is_unix;

		r->endpoints[i] = (struct endpoint){
			.host = is_unix ? NULL : host,
			.port = capture_port(r->capture, i),
			.socket = is_unix ? host : NULL,
			.tls = takes_tls(&r->cfg.listens[i]),
		};
	}
}

/* The listener that stands before a database of the environment; both hosts NULL when --upstream named others. */
static struct endpoint
endpoint_of(struct run *r, const struct db_url *u)
{
	struct listen_config want = { .name = "" };
	struct problem ignored;

	for (uint32_t i = 0; config_upstream(r->arena, u, &want, &ignored) && i < r->cfg.nlistens; i++) {
		const struct upstream_config *up = &r->cfg.listens[i].upstream;

		if (up->engine == want.upstream.engine && up->port == want.upstream.port && strcmp(up->host, want.upstream.host) == 0)
			return r->endpoints[i];
	}
	return (struct endpoint){ 0 };
}

static const char *
directory_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? arena_strndup(a, span_of(path, (size_t)(slash - path))) : path;
}

/* How libpq looks a server up in a password file: its default socket directory counts as localhost. */
static const char *
passfile_host(struct arena *a, const struct upstream_config *up)
{
	const char *dir = up->is_unix ? directory_of(a, up->host) : NULL;

	if (!dir)
		return up->host;
	return strcmp(dir, "/var/run/postgresql") == 0 || strcmp(dir, "/run/postgresql") == 0 ? "localhost" : dir;
}

/* libpq itself passes over a password file that others can read, and says so. */
static bool
read_passfile(const struct run *r, struct strbuf *out)
{
	const char *file = env_said(&r->env, "PGPASSFILE"), *home = env_said(&r->env, "HOME");
	char path[4096], chunk[4096];
	struct stat st;
	size_t n;
	FILE *f;

	if (env_said(&r->env, "PGPASSWORD") || (!file && !home))
		return false;
	snprintf(path, sizeof path, "%s%s", file ? file : home, file ? "" : "/.pgpass");
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)) == 0)
		while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
			strbuf_add(out, span_of(chunk, n));
	fclose(f);
	return out->n > 0 && !out->cut;
}

/* What libpq would look up for each server, and what it looks up for our listener instead. Room for two each. */
static unsigned
list_moves(struct run *r, struct pgpass_move *moves)
{
	const char *name = getenv("PGHOST"), *address = getenv("PGHOSTADDR");
	unsigned n = 0;

	for (uint32_t i = 0; i < r->cfg.nlistens; i++) {
		const struct upstream_config *up = &r->cfg.listens[i].upstream;
		const struct endpoint *e = &r->endpoints[i];

		if (up->engine != ENGINE_POSTGRESQL)
			continue;
		moves[n] = (struct pgpass_move){ passfile_host(r->arena, up), up->port,
			e->socket ? directory_of(r->arena, e->socket) : e->host, e->port };
		n++;
		/* With PGHOSTADDR the connection goes to the address, the password file is asked for the name. */
		if (name && address && strcmp(up->host, address) == 0) {
			moves[n] = moves[n - 1];
			moves[n++].host = name;
		}
	}
	return n;
}

/* Host and port change for the child, so lines for the original server are repeated for ours, in a file of the run's own. */
static void
resolve_passwords(struct run *r)
{
	struct pgpass_move moves[LIMIT_LISTENS * 2];
	struct strbuf in, out;
	struct problem p = { "" };
	const char *path;
	unsigned n = list_moves(r, moves);

	strbuf_init(&in, LIMIT_PASSFILE);
	strbuf_init(&out, LIMIT_PASSFILE * 4);
	if (read_passfile(r, &in) && pgpass_rewrite(strbuf_span(&in), moves, n, &out) > 0) {
		path = private_dir_file(&r->dir, r->arena, "pgpass", strbuf_span(&out), &p);
		if (path)
			env_set(&r->env, "PGPASSFILE", path);
		else
			run_say(r, p.text);
	}
	strbuf_clear(&in);
	strbuf_clear(&out);
}

/* A certificate that is signed by itself convinces nobody who checks. */
static bool
nobody_verifies(struct run *r, const struct endpoint *ends, struct problem *p)
{
	const struct env_databases *d = &r->databases;

	for (uint32_t i = 0; i < d->nreferences && r->own_certificate; i++) {
		const struct reference *ref = &d->references[i];

		if (ends[i].tls && ref->url.tls_demanded && (ref->url.tls == WIRE_TLS_VERIFY_CA || ref->url.tls == WIRE_TLS_VERIFY_FULL))
			return problem(p,
			    "%s verifies the server's certificate, which none made for a run can pass: name one it trusts with --client-cert "
			    "and --client-key, or leave out --client-tls",
			    ref->name);
	}
	return true;
}

/* SCRAM would bind to the certificate of this leg, and the server to its own. */
static void
leave_out_binding(struct run *r)
{
	for (uint32_t i = 0; i < r->cfg.nlistens && r->own_certificate; i++) {
		const struct listen_config *l = &r->cfg.listens[i];

		if (l->upstream.engine != ENGINE_POSTGRESQL || !r->endpoints[i].tls || l->setup.server_tls == WIRE_TLS_DISABLE ||
		    env_said(&r->env, "PGCHANNELBINDING"))
			continue;
		env_set(&r->env, "PGCHANNELBINDING", "disable");
		run_say(r, "PGCHANNELBINDING=disable for the command: the certificate it sees is made for this run, not the server's");
	}
}

static bool
set_extra(struct run *r, const char *text, struct problem *p)
{
	const char *equals = strchr(text, '='), *value;
	struct problem why = { "" };

	if (!equals || equals == text)
		return problem(p, "--env %s: wants NAME=VALUE", text);
	value = env_expand(&r->env, equals + 1, r->endpoints, r->cfg.nlistens, &why);
	if (!value)
		return problem(p, "--env %.*s: %s", (int)(equals - text), text, why.text);
	env_set(&r->env, arena_strndup(r->arena, span_of(text, (size_t)(equals - text))), value);
	return true;
}

bool
run_point_child(struct run *r, struct problem *p)
{
	struct env_databases *d = &r->databases;
	struct endpoint *ends = arena_zero(r->arena, (d->nreferences + 1) * sizeof *ends);
	enum said_by by = settings_source(r->settings, OPT_ENV);
	char admin[80], url[100];

	for (uint32_t i = 0; i < d->nreferences; i++)
		ends[i] = endpoint_of(r, &d->upstreams[d->references[i].upstream]);
	if (!nobody_verifies(r, ends, p))
		return false;
	env_rewrite(&r->env, d, ends, run_say, r);
	leave_out_binding(r);
	resolve_passwords(r);
	for (uint32_t i = 0; by != SAID_DEFAULT && settings_nth(r->settings, OPT_ENV, by, i); i++)
		if (!set_extra(r, settings_nth(r->settings, OPT_ENV, by, i)->text, p))
			return false;
	endpoint_text(
	    &(struct endpoint){ .host = reachable(r->cfg.admin_address), .port = capture_admin_port(r->capture) }, admin, sizeof admin);
	snprintf(url, sizeof url, "http://%s", admin);
	env_set(&r->env, "ROWCALL_URL", url);
	if (*r->cfg.admin_token_file)
		env_set(&r->env, "ROWCALL_ADMIN_TOKEN_FILE", r->cfg.admin_token_file);
	return true;
}
