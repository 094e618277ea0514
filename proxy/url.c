/* SPDX-License-Identifier: Apache-2.0 */
/* url: see url.h. Places are offsets into the text, so that rewriting can copy everything else. */
#include "url.h"

#include <ctype.h>
#include <stdlib.h>

#include "fingerprint/limits.h"
#include "fingerprint/strbuf.h"
#include "url_tls.h"

/* ---- engines ---- */

static const struct {
	const char *scheme;
	enum engine_kind engine;
} schemes[] = {
	{ "postgresql", ENGINE_POSTGRESQL },
	{ "postgres", ENGINE_POSTGRESQL },
	{ "postgis", ENGINE_POSTGRESQL },
	{ "pgsql", ENGINE_POSTGRESQL },
	{ "psql", ENGINE_POSTGRESQL },
	{ "mysql", ENGINE_MYSQL },
	{ "mysql2", ENGINE_MYSQL },
	{ "mysqli", ENGINE_MYSQL },
	{ "mariadb", ENGINE_MYSQL },
	{ "trilogy", ENGINE_MYSQL },
};

const char *
engine_name(enum engine_kind e)
{
	return e == ENGINE_POSTGRESQL ? "postgresql" : "mysql";
}

uint16_t
engine_port(enum engine_kind e)
{
	return e == ENGINE_POSTGRESQL ? 5432 : 3306;
}

bool
engine_find(struct span scheme, enum engine_kind *engine)
{
	const uint8_t *plus = scheme.n ? memchr(scheme.p, '+', scheme.n) : NULL;

	if (plus)
		scheme.n = (size_t)(plus - scheme.p);
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		if (span_is_nocase(scheme, schemes[i].scheme)) {
			*engine = schemes[i].engine;
			return true;
		}
	}
	return false;
}

uint16_t
pg_socket_port(const char *path)
{
	const char *base = strrchr(path, '/');
	unsigned port = 0;
	int n = 0;

	if (!base || sscanf(base, "/.s.PGSQL.%5u%n", &port, &n) != 1 || base[n] || port == 0 || port > 65535)
		return 0;
	return (uint16_t)port;
}

/* ---- percent-encoding ---- */

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (uint8_t)tolower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* NULL: a '%' without two hex digits behind it, or %00. */
static const char *
decode(struct arena *a, struct span s)
{
	char *out = arena_strndup(a, s);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int c = s.p[i];

		if (c == '%') {
			int high = s.n - i > 2 ? hex_digit(s.p[i + 1]) : -1, low = s.n - i > 2 ? hex_digit(s.p[i + 2]) : -1;

			if (high < 0 || low < 0 || high + low == 0)
				return NULL;
			c = high << 4 | low;
			i += 2;
		}
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return out;
}

static void
encode(struct strbuf *out, const char *s, const char *keep)
{
	for (; *s; s++) {
		if (isalnum((unsigned char)*s) || strchr("-._~", *s) || strchr(keep, *s))
			strbuf_char(out, *s);
		else
			strbuf_printf(out, "%%%02X", (unsigned char)*s);
	}
}

/* ---- the query ---- */

struct param {
	struct span all, name, value; /* "sslmode=require"; raw */
};

/* Takes the next parameter off *rest; false at the end. */
static bool
next_param(struct span *rest, bool *more, struct param *out)
{
	if (!*more)
		return false;
	const uint8_t *and = rest->n ? memchr(rest->p, '&', rest->n) : NULL;
	size_t n = and? (size_t)(and-rest->p) : rest->n;
	struct span all = span_first(*rest, n);
	const uint8_t *equals = n ? memchr(all.p, '=', n) : NULL;

	*more = and != NULL;
	*rest = span_from(*rest, and? n + 1 : n);
	out->all = all;
	out->name = span_first(all, equals ? (size_t)(equals - all.p) : n);
	out->value = equals ? span_from(all, (size_t)(equals - all.p) + 1) : span_of(NULL, 0);
	return true;
}

static bool
is_socket_param(const struct db_url *u, struct span name)
{
	return u->engine == ENGINE_MYSQL && (span_is(name, "socket") || span_is(name, "unix_socket") || span_is(name, "socketPath") ||
						span_is(name, "localSocket") || span_is(name, "unixSocket"));
}

static bool
read_port(struct db_url *u, const char *text, struct problem *p)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (!*text)
		return true; /* "host:/db" says nothing */
	if (strchr(text, ','))
		return problem(p, "several hosts; rowcall forwards to one server: choose it with --upstream");
	if (!isdigit((unsigned char)*text) || *end || port == 0 || port > 65535)
		return problem(p, "\"%s\" is not a port", text);
	u->port = (uint16_t)port;
	u->port_said = true;
	return true;
}

static bool
read_param(struct arena *a, struct db_url *u, const struct param *q, struct problem *p)
{
	const char *value = decode(a, q->value);
	struct url_tls_param w = url_tls_read(u->engine, q->name, q->value);

	if (!value)
		return problem(p, "bad percent-encoding in parameter %.*s", (int)q->name.n, (const char *)q->name.p);
	if (w.said && (!u->tls_said || w.tls > u->tls))
		u->tls = w.tls;
	u->tls_said |= w.said;
	u->tls_demanded |= w.demanded;
	if (span_is(q->name, "host") || (span_is(q->name, "hostaddr") && !u->host_in_query)) {
		u->host_in_query = true;
		u->host = value;
	} else if (is_socket_param(u, q->name)) {
		u->host_in_query = true;
		u->socket = value;
	} else if (span_is(q->name, "port")) {
		u->port_in_query = true;
		return read_port(u, value, p);
	} else if (span_is(q->name, "user"))
		u->user = value;
	else if (span_is(q->name, "password"))
		u->password = value;
	else if (span_is(q->name, "dbname"))
		u->database = value;
	else if (span_is(q->name, "sslrootcert") || span_is(q->name, "ssl-ca") || span_is(q->name, "ssl_ca"))
		u->sslrootcert = value;
	return true;
}

static bool
read_query(struct arena *a, struct db_url *u, struct problem *p)
{
	struct span rest = span_of(u->text + u->query_at, u->query_n);
	bool more = u->query_at != 0;
	struct param q;

	while (next_param(&rest, &more, &q)) {
		if (!read_param(a, u, &q, p))
			return false;
	}
	return true;
}

/* ---- the authority ---- */

static bool
read_userinfo(struct arena *a, struct db_url *u, struct span s, struct problem *p)
{
	const uint8_t *colon = s.n ? memchr(s.p, ':', s.n) : NULL;
	struct span user = span_first(s, colon ? (size_t)(colon - s.p) : s.n);

	u->user = decode(a, user);
	u->password = colon ? decode(a, span_from(s, user.n + 1)) : "";
	if (!u->user || !u->password)
		return problem(p, "bad percent-encoding in user or password");
	return true;
}

static bool
read_hostport(struct arena *a, struct db_url *u, struct span s, struct problem *p)
{
	if (s.n && (memchr(s.p, ',', s.n) || s.p[0] == '('))
		return problem(p, "several hosts; rowcall forwards to one server: choose it with --upstream");
	if (s.n && s.p[0] == '[') {
		const uint8_t *close = memchr(s.p, ']', s.n);

		if (!close)
			return problem(p, "an IPv6 address without its closing ]");
		size_t n = (size_t)(close - s.p) + 1;

		u->host = arena_strndup(a, span_of(s.p + 1, n - 2));
		if (n < s.n && s.p[n] != ':')
			return problem(p, "unexpected text behind the IPv6 address");
		return n >= s.n || read_port(u, arena_strndup(a, span_from(s, n + 1)), p);
	}
	const uint8_t *colon = s.n ? memrchr(s.p, ':', s.n) : NULL;
	struct span host = span_first(s, colon ? (size_t)(colon - s.p) : s.n);

	if (host.n && memchr(host.p, ':', host.n))
		return problem(p, "an IPv6 address stands in brackets: [::1]");
	u->host = decode(a, host);
	if (!u->host)
		return problem(p, "bad percent-encoding in the host");
	return !colon || read_port(u, arena_strndup(a, span_from(s, host.n + 1)), p);
}

/* A host that is a path is a socket: its directory for PostgreSQL, the file for MySQL. */
static bool
settle_socket(struct arena *a, struct db_url *u, struct problem *p)
{
	if (strchr(u->host, ','))
		return problem(p, "several hosts; rowcall forwards to one server: choose it with --upstream");
	if (u->host[0] == '@')
		return problem(p, "abstract Unix sockets (%s) are not supported; name a path", u->host);
	if (u->host[0] != '/')
		return true;
	if (u->engine == ENGINE_MYSQL)
		u->socket = u->host;
	else if (pg_socket_port(u->host)) {
		u->socket = u->host;
		u->port = pg_socket_port(u->host);
		u->port_said = true;
	} else {
		struct strbuf path;

		strbuf_init(&path, LIMIT_URL);
		strbuf_printf(&path, "%s/.s.PGSQL.%u", u->host, u->port);
		u->socket = arena_strndup(a, strbuf_span(&path));
		strbuf_clear(&path);
	}
	u->host = "";
	return true;
}

static bool
read_authority(struct arena *a, struct db_url *u, struct span authority, struct problem *p)
{
	const uint8_t *at = authority.n ? memrchr(authority.p, '@', authority.n) : NULL;
	struct span hostport = authority;

	if (at) {
		size_t n = (size_t)(at - authority.p);

		if (!read_userinfo(a, u, span_first(authority, n), p))
			return false;
		hostport = span_from(authority, n + 1);
	}
	u->hostport_at = (size_t)(hostport.p - (const uint8_t *)u->text);
	u->hostport_n = hostport.n;
	return read_hostport(a, u, hostport, p);
}

/* The authority ends at '/', '?' or '#', and a '#' may stand unencoded in a password before the '@'. */
static size_t
authority_length(const char *text)
{
	size_t n = strcspn(text, "/?");
	const char *at = n ? memrchr(text, '@', n) : NULL, *host = at ? at + 1 : text;
	size_t hash = (size_t)(host - text) + strcspn(host, "#");

	return hash < n ? hash : n;
}

static bool
read_rest(struct arena *a, struct db_url *u, size_t at, struct problem *p)
{
	const char *text = u->text;
	size_t authority = u->slashes ? authority_length(text + at) : 0, path = at + authority;
	size_t fragment = path + strcspn(text + path, "#"), query = path + strcspn(text + path, "?#");
	size_t name = path + (text[path] == '/');

	if (!read_authority(a, u, span_of(text + at, authority), p))
		return false;
	if (text[query] == '?') {
		u->query_at = query + 1;
		u->query_n = fragment - query - 1;
	}
	u->database = decode(a, span_of(text + name, query > name ? query - name : 0));
	if (!u->database)
		return problem(p, "bad percent-encoding in the database name");
	return read_query(a, u, p) && settle_socket(a, u, p);
}

struct db_url
url_of_engine(enum engine_kind e)
{
	return (struct db_url){ .text = "", .engine = e, .user = "", .password = "", .database = "", .host = "", .socket = "", .sslrootcert = "",
		.port = engine_port(e) };
}

enum url_result
url_parse(struct arena *a, const char *text, struct db_url *out, struct problem *p)
{
	size_t at = strncasecmp(text, "jdbc:", 5) == 0 ? 5 : 0, scheme = strcspn(text + at, ":/?#@ ");
	enum engine_kind engine;
	struct db_url u;

	if (strlen(text) > LIMIT_URL || text[at + scheme] != ':' || !engine_find(span_of(text + at, scheme), &engine))
		return URL_OTHER;
	u = url_of_engine(engine);
	u.text = text;
	u.jdbc = at > 0;
	u.slashes = true;
	at += scheme + 1;
	if (strncmp(text + at, "//", 2) == 0)
		at += 2;
	else if (u.jdbc && u.engine == ENGINE_POSTGRESQL && !strstr(text + at, "://"))
		u.slashes = false;
	else if (u.jdbc) {
		problem(p, "several hosts (%.*s); rowcall forwards to one server: choose it with --upstream", (int)strcspn(text + at, "/"),
		    text + at);
		return URL_BAD;
	} else
		return URL_OTHER; /* "mysql:host=…" and the like */
	if (!read_rest(a, &u, at, p))
		return URL_BAD;
	*out = u;
	return URL_OK;
}

/* ---- pointing it elsewhere ---- */

static const char *
directory_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	return arena_strndup(a, span_of(path, slash && slash > path ? (size_t)(slash - path) : strlen(path)));
}

/* What stands for the host: an address, PostgreSQL's socket directory, MySQL's socket file. */
static const char *
host_text(struct arena *a, const struct db_url *u, const struct url_target *t)
{
	if (t->host)
		return t->host;
	return u->engine == ENGINE_POSTGRESQL ? directory_of(a, t->socket) : t->socket;
}

static void
write_hostport(struct strbuf *out, const struct db_url *u, const struct url_target *t, const char *host, uint16_t port)
{
	if (!t->host && u->hostport_n == 0)
		return; /* goes to the query */
	if (!u->slashes)
		strbuf_str(out, "//");
	if (strchr(host, ':'))
		strbuf_printf(out, "[%s]", host);
	else
		encode(out, host, "");
	if (t->host || u->port_said)
		strbuf_printf(out, ":%u", port);
	if (!u->slashes && u->text[u->hostport_at] != '/')
		strbuf_char(out, '/');
}

static void
write_separator(struct strbuf *out, bool *any)
{
	strbuf_char(out, *any ? '&' : '?');
	*any = true;
}

static void
write_value(struct strbuf *out, bool *any, struct span name, const char *value)
{
	write_separator(out, any);
	strbuf_add(out, name);
	strbuf_char(out, '=');
	encode(out, value, "/:");
}

static void
write_param(struct strbuf *out, bool *any, const struct db_url *u, const struct url_target *t, const char *host, uint16_t port,
    const struct param *q)
{
	struct url_tls_param w = url_tls_read(u->engine, q->name, q->value);
	char digits[8];

	snprintf(digits, sizeof digits, "%u", port);
	if (span_is(q->name, "host") || (is_socket_param(u, q->name) && !t->host))
		write_value(out, any, q->name, host);
	else if (span_is(q->name, "hostaddr")) {
		if (t->host)
			write_value(out, any, q->name, host);
	} else if (is_socket_param(u, q->name))
		return; /* the socket gives way to host and port */
	else if (span_is(q->name, "port"))
		write_value(out, any, q->name, digits);
	else if (t->plain && w.changed) {
		if (w.plain)
			write_value(out, any, q->name, w.plain);
	} else {
		write_separator(out, any);
		strbuf_add(out, q->all);
	}
}

/* True when the host is to be written into the authority, false when the query holds it. */
static bool
host_in_authority(const struct db_url *u, const struct url_target *t)
{
	if (u->engine == ENGINE_MYSQL && t->host)
		return true;
	return !u->host_in_query && (t->host || u->hostport_n > 0);
}

const char *
url_rewrite(struct arena *a, const struct db_url *u, const struct url_target *t)
{
	const char *host = host_text(a, u, t);
	uint16_t port = t->host || u->engine == ENGINE_MYSQL ? t->port : pg_socket_port(t->socket);
	size_t behind = u->hostport_at + u->hostport_n,
	       tail = u->query_at ? u->query_at + u->query_n : behind + strcspn(u->text + behind, "#");
	bool more = u->query_at != 0, any = false;
	struct span rest = span_of(u->text + u->query_at, u->query_n);
	struct strbuf out;
	struct param q;

	strbuf_init(&out, LIMIT_URL * 4);
	strbuf_add(&out, span_of(u->text, u->hostport_at));
	if (host_in_authority(u, t))
		write_hostport(&out, u, t, host, port);
	else
		strbuf_add(&out, span_of(u->text + u->hostport_at, u->hostport_n));
	strbuf_add(&out, span_of(u->text + behind, (u->query_at ? u->query_at - 1 : tail) - behind));
	while (next_param(&rest, &more, &q))
		write_param(&out, &any, u, t, host, port, &q);
	if (!host_in_authority(u, t) && !u->host_in_query)
		write_value(&out, &any, u->engine == ENGINE_POSTGRESQL ? SPAN_LIT("host") : SPAN_LIT("socket"), host);
	if (u->host_in_query && !host_in_authority(u, t) && !u->port_in_query && u->engine == ENGINE_POSTGRESQL && port != u->port) {
		char digits[8];

		snprintf(digits, sizeof digits, "%u", port);
		write_value(&out, &any, SPAN_LIT("port"), digits);
	}
	strbuf_str(&out, u->text + tail);
	const char *text = arena_strndup(a, strbuf_span(&out));

	strbuf_clear(&out);
	return text;
}

/* ---- for people ---- */

const char *
url_public(struct arena *a, const char *text)
{
	const char *scheme = strstr(text, "://"), *query = text + strcspn(text, "?");
	struct strbuf out;

	strbuf_init(&out, LIMIT_URL * 2);

	/* Without a scheme it is no URL, but may have been meant as one. */
	const char *from = scheme ? scheme + 3 : text, *at = from < query ? memrchr(from, '@', (size_t)(query - from)) : NULL;
	const char *colon = at ? memchr(from, ':', (size_t)(at - from)) : NULL;

	if (colon) {
		strbuf_add(&out, span_of(text, (size_t)(colon - text)));
		strbuf_str(&out, ":***");
		text = at;
	}
	strbuf_add(&out, span_of(text, (size_t)(query - text)));

	struct span rest = span_str(*query ? query + 1 : query);
	bool more = *query != '\0', any = false;
	struct param q;

	while (next_param(&rest, &more, &q)) {
		write_separator(&out, &any);
		if (span_is_nocase(q.name, "password") || span_is_nocase(q.name, "sslpassword"))
			strbuf_printf(&out, "%.*s=***", (int)q.name.n, (const char *)q.name.p);
		else
			strbuf_add(&out, q.all);
	}
	const char *shown = arena_strndup(a, strbuf_span(&out));

	strbuf_clear(&out);
	return shown;
}
