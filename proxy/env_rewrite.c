/* SPDX-License-Identifier: Apache-2.0 */
/* env_rewrite: see env_rewrite.h. */
#include "env_rewrite.h"

#include <stdio.h>
#include <stdlib.h>

#include "fingerprint/limits.h"
#include "fingerprint/strbuf.h"

struct rewriter {
	struct env *env;
	void (*say)(void *ctx, const char *line);
	void *ctx;
};

static void __attribute__((format(printf, 2, 3))) say(struct rewriter *w, const char *fmt, ...)
{
	char line[1200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	w->say(w->ctx, line);
}

void
endpoint_text(const struct endpoint *t, char *buf, size_t n)
{
	if (!t->host)
		snprintf(buf, n, "%s", t->socket);
	else
		snprintf(buf, n, strchr(t->host, ':') ? "[%s]:%u" : "%s:%u", t->host, t->port);
}

static void
server_text(const struct db_url *u, char *buf, size_t n)
{
	endpoint_text(&(struct endpoint){ .host = *u->socket ? NULL : u->host, .port = u->port, .socket = u->socket }, buf, n);
}

static void
set_port(struct rewriter *w, const char *variable, uint16_t port)
{
	char digits[8];

	snprintf(digits, sizeof digits, "%u", port);
	env_set(w->env, variable, digits);
}

/* PostgreSQL clients name a socket by its directory. */
static void
set_directory(struct rewriter *w, const char *variable, const char *socket)
{
	const char *slash = strrchr(socket, '/');

	env_set(w->env, variable, arena_strndup(w->env->arena, span_of(socket, (size_t)(slash - socket))));
}

static void
rewrite_url(struct rewriter *w, const struct reference *r, const struct endpoint *to)
{
	struct url_target target = { to->host, to->port, to->socket, !to->tls };

	env_set(w->env, r->name, url_rewrite(w->env->arena, &r->url, &target));
}

static void
rewrite_pg(struct rewriter *w, const struct endpoint *to)
{
	if (to->host)
		env_set(w->env, "PGHOST", to->host);
	else
		set_directory(w, "PGHOST", to->socket);
	set_port(w, "PGPORT", to->host ? to->port : pg_socket_port(to->socket));
	env_unset(w->env, "PGHOSTADDR");
}

static void
rewrite_parts(struct rewriter *w, const struct reference *r, const struct endpoint *to)
{
	char both[300];

	if (!to->host) {
		if (r->socket_variable)
			env_set(w->env, r->socket_variable, to->socket);
		else if (r->url.engine == ENGINE_POSTGRESQL)
			set_directory(w, r->host_variable, to->socket);
		else
			env_set(w->env, r->host_variable, to->socket);
		return;
	}
	endpoint_text(to, both, sizeof both);
	env_set(w->env, r->host_variable, r->port_in_host ? both : to->host);
	if (!r->port_in_host)
		set_port(w, r->port_variable, to->port);
	if (r->socket_variable)
		env_unset(w->env, r->socket_variable);
}

/* ---- TLS of the leg to us ---- */

static void
turn_down(struct rewriter *w, const char *variable, const char *was, const char *now)
{
	const char *value = env_said(w->env, variable);

	if (!value || (was && strcasecmp(value, was) != 0))
		return;
	if (now)
		env_set(w->env, variable, now);
	else
		env_unset(w->env, variable);
	say(w, "%s=%s %s between the command and rowcall", variable, value, now ? "is turned down" : "is left out");
}

static void
turn_down_mode(struct rewriter *w, const char *variable)
{
	const char *value = env_said(w->env, variable);
	enum wire_tls tls;

	if (value && url_tls_word(span_str(value), &tls) && url_tls_demands(tls))
		turn_down(w, variable, NULL, value[0] >= 'A' && value[0] <= 'Z' ? "DISABLED" : "disable");
}

static void
turn_down_pg(struct rewriter *w)
{
	turn_down_mode(w, "PGSSLMODE");
	turn_down(w, "PGREQUIRESSL", "1", NULL);
	turn_down(w, "PGSSLNEGOTIATION", "direct", NULL);
	turn_down(w, "PGSSLROOTCERT", "system", NULL); /* libpq takes it only with verify-full */
	turn_down(w, "PGCHANNELBINDING", "require", "disable");
	turn_down(w, "PGGSSENCMODE", "require", "disable");
	turn_down(w, "PGREQUIREPEER", NULL, NULL); /* the peer of this leg is rowcall */
}

static const char *
tls_name(enum wire_tls tls)
{
	return tls == WIRE_TLS_VERIFY_FULL ? "verify-full" : tls == WIRE_TLS_VERIFY_CA ? "verify-ca" : "require";
}

static void
rewrite_one(struct rewriter *w, const struct reference *r, const struct endpoint *to)
{
	char here[300], there[4200];

	if (r->kind == REFERENCE_URL)
		rewrite_url(w, r, to);
	else if (r->kind == REFERENCE_PG)
		rewrite_pg(w, to);
	else
		rewrite_parts(w, r, to);
	endpoint_text(to, here, sizeof here);
	server_text(&r->url, there, sizeof there);
	say(w, "%s leads to %s, and on to %s at %s", r->name, here, engine_name(r->url.engine), there);
	if (to->tls)
		return;
	if (r->tls_variable)
		turn_down_mode(w, r->tls_variable);
	if (r->kind == REFERENCE_URL && r->url.tls_demanded)
		say(w, "%s: sslmode is turned down between the command and rowcall only; rowcall to the server stays at %s", r->name,
		    tls_name(r->url.tls));
}

static void
pass_by(struct rewriter *w, const struct reference *r)
{
	char there[4200];

	server_text(&r->url, there, sizeof there);
	say(w, "%s stays as it is: %s at %s is none of the servers that were named", r->name, engine_name(r->url.engine), there);
}

void
env_rewrite(struct env *e, const struct env_databases *d, const struct endpoint *endpoints, void (*say_line)(void *ctx, const char *line),
    void *ctx)
{
	struct rewriter w = { e, say_line, ctx };
	bool pg = false;

	for (uint32_t i = 0; i < d->nreferences; i++) {
		const struct reference *r = &d->references[i];

		if (!endpoints[i].host && !endpoints[i].socket) {
			pass_by(&w, r);
			continue;
		}
		rewrite_one(&w, r, &endpoints[i]);
		pg |= r->url.engine == ENGINE_POSTGRESQL && !endpoints[i].tls;
	}
	if (pg)
		turn_down_pg(&w);
}

/* ---- templates ---- */

static bool
placeholder(struct span word, const struct endpoint *listeners, uint32_t n, struct strbuf *out)
{
	static const char *const names[] = { "host", "port", "socket" };

	for (size_t i = 0; i < 3; i++) {
		size_t len = strlen(names[i]);

		if (word.n < len || memcmp(word.p, names[i], len) != 0)
			continue;
		unsigned long which = 1;
		char digits[8] = "", *end = digits;

		if (word.n > len) {
			snprintf(digits, sizeof digits, "%.*s", (int)(word.n - len), (const char *)word.p + len);
			which = strtoul(digits, &end, 10);
		}
		if (*end || which == 0 || which > n)
			return false;
		const struct endpoint *t = &listeners[which - 1];

		if (i == 2 || !t->host)
			return i != 1 && t->socket && strbuf_str(out, t->socket);
		return i == 0 ? strbuf_str(out, t->host) : strbuf_printf(out, "%u", t->port);
	}
	return false;
}

const char *
env_expand(struct env *e, const char *value, const struct endpoint *listeners, uint32_t n, struct problem *p)
{
	const char *result = NULL;
	struct strbuf out;

	strbuf_init(&out, LIMIT_URL);
	strbuf_str(&out, "");
	while (*value) {
		size_t plain = strcspn(value, "{"), word;

		strbuf_add(&out, span_of(value, plain));
		value += plain;
		if (!*value)
			break;
		word = strcspn(value, "}");
		if (!value[word] || !placeholder(span_of(value + 1, word - 1), listeners, n, &out)) {
			problem(p, "%.*s} stands for nothing here; there are {host} and {port} (or {socket}) of %u listener%s", (int)word,
			    value, n, n == 1 ? "" : "s: {host2}, {port2}, …");
			goto out;
		}
		value += word + 1;
	}
	result = arena_strndup(e->arena, strbuf_span(&out));
out:
	strbuf_clear(&out);
	return result;
}
