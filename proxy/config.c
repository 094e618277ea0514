/* SPDX-License-Identifier: Apache-2.0 */
/* config: see config.h. Settings become one struct, part by part; what only shows when parts meet (a key without a certificate) is checked
 * here. */
#include "config_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fingerprint/limits.h"
#include "reports/requests/filter.h"
#include "reports/write/write.h"
#include "settings.h"

static const char *
text_of(const struct settings *s, enum option_id id)
{
	const char *text = settings_get(s, id).text;

	return text ? text : "";
}

static uint64_t
ns_of(const struct settings *s, enum option_id id)
{
	return (uint64_t)settings_get(s, id).value;
}

/* Where something was said, for messages: "rowcall.yaml:12:5" or "--listen". */
const char *
config_where_said(const struct settings *s, struct arena *a, const struct setting *said)
{
	char where[LIMIT_NAME], env[80];

	if (said->by == SAID_FILE)
		snprintf(where, sizeof where, "%s:%u:%u", s->file, said->line, said->column);
	else if (said->by == SAID_ENVIRONMENT) {
		option_env(said->id, env, sizeof env);
		snprintf(where, sizeof where, "%s", env);
	} else
		snprintf(where, sizeof where, "--%s", options[said->id].name ? options[said->id].name : options[said->id].key);
	return arena_strndup(a, span_str(where));
}

/* ---- addresses ---- */

static bool
numeric(const char *host)
{
	uint8_t room[16];

	return inet_pton(AF_INET, host, room) == 1 || inet_pton(AF_INET6, host, room) == 1;
}

static bool
is_loopback(const char *host)
{
	return strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0;
}

bool
config_address(struct arena *a, const char *text, const char **host, uint16_t *port, bool *is_unix, const char *where, struct problem *p)
{
	const char *colon = strrchr(text, ':');
	struct span name = { 0 };
	unsigned long number;
	char *end;

	*is_unix = text[0] == '/';
	*port = 0;
	if (*is_unix) {
		*host = arena_strndup(a, span_str(text));
		*port = pg_socket_port(text);
		return true;
	}
	if (!colon)
		return problem(p, "%s: \"%s\" has no port; write 127.0.0.1:5433, [::1]:5433 or the path of a socket", where, text);
	number = strtoul(colon + 1, &end, 10);
	if (end == colon + 1 || *end || number > UINT16_MAX)
		return problem(p, "%s: \"%s\" is not a port from 0 to 65535", where, colon + 1);
	name = span_of(text, (size_t)(colon - text));
	if (name.n >= 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
		name = span_of(text + 1, name.n - 2);
	*host = span_is(name, "localhost") ? "127.0.0.1" : arena_strndup(a, name);
	*port = (uint16_t)number;
	if (!numeric(*host))
		return problem(p, "%s: \"%s\" is not a numeric address; write 127.0.0.1, [::1] or 0.0.0.0", where, *host);
	return true;
}

/* ---- listeners ---- */

static const char *
display_of(struct arena *a, const struct upstream_config *up)
{
	char text[LIMIT_NAME];

	if (up->is_unix)
		return up->host;
	snprintf(text, sizeof text, strchr(up->host, ':') ? "[%s]:%u" : "%s:%u", up->host, up->port);
	return arena_strndup(a, span_str(text));
}

bool
config_upstream(struct arena *a, const struct db_url *u, struct listen_config *l, struct problem *p)
{
	struct upstream_config *up = &l->upstream;
	char path[64];

	*up = (struct upstream_config){
		.engine = u->engine, .host = u->host, .port = u->port, .user = u->user, .password = u->password, .database = u->database
	};
	if (*u->socket) {
		up->host = u->socket;
		up->is_unix = true;
	} else if (!*u->host && u->engine == ENGINE_POSTGRESQL) {
		/* libpq's own default on Debian when no host is named. */
		snprintf(path, sizeof path, "/var/run/postgresql/.s.PGSQL.%u", u->port);
		up->host = arena_strndup(a, span_str(path));
		up->is_unix = true;
	} else if (!*u->host)
		up->host = "127.0.0.1";
	if (up->is_unix && up->host[0] != '/')
		return problem(p, "%s: a socket is named by its absolute path", up->host);
	up->display = display_of(a, up);
	if (!l->name)
		l->name = up->display;
	l->setup.server_is_unix = up->is_unix;
	l->setup.server_tls = u->tls_said ? u->tls : up->engine == ENGINE_POSTGRESQL ? WIRE_TLS_PREFER : WIRE_TLS_MIRROR;
	l->server_ca = *u->sslrootcert && strcmp(u->sslrootcert, "system") != 0 ? u->sslrootcert : "";
	return true;
}

/* An option of a listener: its own, or one said once for all by a flag or the environment. */
static struct setting
listener_setting(const struct settings *s, enum option_id id, enum said_by by, uint32_t i)
{
	struct setting own = settings_entry(s, id, by, i);
	enum said_by louder = settings_source(s, id);
	const struct setting *all = louder > SAID_FILE ? settings_nth(s, id, louder, 0) : NULL;

	return own.by != SAID_DEFAULT ? own : all ? *all : own;
}

static bool
readable(const char *path, const char *what, struct problem *p)
{
	if (access(path, R_OK) == 0)
		return true;
	return problem(p, "%s: %s cannot be read: %s", path, what, strerror(errno));
}

static bool
listener_tls(const struct settings *s, enum said_by by, uint32_t i, bool makes_certificate, struct listen_config *l, struct problem *p)
{
	static const enum wire_tls client[] = { WIRE_TLS_DISABLE, WIRE_TLS_ALLOW, WIRE_TLS_REQUIRE, WIRE_TLS_PASSTHROUGH };
	struct setting server = listener_setting(s, OPT_SERVER_TLS, by, i), towards = listener_setting(s, OPT_CLIENT_TLS, by, i);
	const char *ca = listener_setting(s, OPT_SERVER_CA, by, i).text;

	l->client_cert = listener_setting(s, OPT_CLIENT_CERT, by, i).text;
	l->client_key = listener_setting(s, OPT_CLIENT_KEY, by, i).text;
	if (server.by != SAID_DEFAULT)
		l->setup.server_tls = (enum wire_tls)server.value;
	if (ca && *ca)
		l->server_ca = ca;
	if (*l->server_ca && !readable(l->server_ca, "the certificate file", p))
		return false;
	if (towards.by != SAID_DEFAULT)
		l->setup.client_tls = client[towards.value];
	if (!!*l->client_cert != !!*l->client_key)
		return problem(p, "%s: TLS towards clients needs both a certificate (--client-cert) and its key (--client-key)", l->name);
	if (towards.by == SAID_DEFAULT && *l->client_cert)
		l->setup.client_tls = WIRE_TLS_ALLOW;
	if ((l->setup.client_tls == WIRE_TLS_ALLOW || l->setup.client_tls == WIRE_TLS_REQUIRE) && !*l->client_cert && !makes_certificate)
		return problem(
		    p, "%s: --client-tls %s needs a certificate (--client-cert) and its key (--client-key)", l->name, towards.text);
	return true;
}

static bool
listener_url(struct arena *a, const char *text, const char *where, struct db_url *u, struct problem *p)
{
	struct problem why = { "" };

	switch (url_parse(a, text, u, &why)) {
	case URL_OK:
		return true;
	case URL_BAD:
		return problem(p, "%s: %s", where, why.text);
	default:
		return problem(p, "%s: \"%s\" is no database URL; write postgresql://HOST:PORT, mysql://HOST:PORT or mariadb://HOST:PORT",
		    where, url_public(a, text));
	}
}

static bool
same_upstream(const struct upstream_config *a, const struct upstream_config *b)
{
	return a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* Where the listener's catalogs are read. A URL said for all listeners is for those of its engine and, unless it is the listener's own, its
 * server. */
static bool
listener_catalog(const struct settings *s, struct arena *a, enum said_by by, uint32_t i, struct listen_config *l, struct problem *p)
{
	struct setting said = listener_setting(s, OPT_CATALOG, by, i);
	struct listen_config there = { .name = "" };
	struct db_url u;

	l->catalog_server = l->upstream;
	l->catalog_tls = l->setup.server_tls;
	l->catalog_ca = l->server_ca;
	if (!said.text || !*said.text || strcmp(said.text, "off") == 0)
		return true;
	if (strcmp(said.text, "auto") == 0) {
		l->catalog = true;
		return true;
	}
	if (!strstr(said.text, ":"))
		return problem(p, "%s: write auto, off or a URL with credentials, not \"%s\"", config_where_said(s, a, &said), said.text);
	if (!listener_url(a, said.text, config_where_said(s, a, &said), &u, p) || !config_upstream(a, &u, &there, p))
		return false;
	if (there.upstream.engine != l->upstream.engine) {
		if (said.by != SAID_FILE)
			return true;
		return problem(p, "%s: a catalog of %s cannot name the tables of %s", config_where_said(s, a, &said),
		    engine_name(there.upstream.engine), engine_name(l->upstream.engine));
	}
	if (said.by != SAID_FILE && i > 0 && !same_upstream(&there.upstream, &l->upstream))
		return true;
	l->catalog = true;
	l->catalog_server = there.upstream;
	l->catalog_tls = u.tls_said ? there.setup.server_tls : l->catalog_tls;
	l->catalog_ca = *there.server_ca ? there.server_ca : l->catalog_ca;
	return true;
}

/* Who says where to listen and where to forward. Flags and the environment may share the work; a file's entries are whole. */
struct listen_source {
	enum said_by address, upstream;
};

/* found: what the environment of a child names, which comes before the file and after flags. */
static struct listen_source
find_listen_source(const struct settings *s, bool found)
{
	struct listen_source by = { settings_source(s, OPT_LISTEN), settings_source(s, OPT_UPSTREAM) };

	if (by.address > SAID_FILE || by.upstream > SAID_FILE || found) {
		by.address = by.address > SAID_FILE ? by.address : SAID_DEFAULT;
		by.upstream = by.upstream > SAID_FILE ? by.upstream : SAID_DEFAULT;
	} else if (settings_entries(s, "listen[].", SAID_FILE))
		by.address = by.upstream = SAID_FILE;
	return by;
}

static uint32_t
count_values(const struct settings *s, enum option_id id, enum said_by by)
{
	uint32_t n = 0;

	while (by != SAID_DEFAULT && settings_nth(s, id, by, n))
		n++;
	return n;
}

static uint32_t
count_listens(const struct settings *s, struct listen_source by, uint32_t nfound)
{
	uint32_t listens = count_values(s, OPT_LISTEN, by.address), upstreams = count_values(s, OPT_UPSTREAM, by.upstream);

	if (by.address == SAID_FILE)
		return settings_entries(s, "listen[].", SAID_FILE);
	if (by.upstream == SAID_DEFAULT)
		upstreams = nfound;
	return listens > upstreams ? listens : upstreams;
}

static bool
no_upstream(const struct settings *s, const struct setting *address, uint32_t i, struct problem *p)
{
	if (address->by > SAID_FILE)
		return problem(
		    p, "--listen %s has no --upstream; name the database server: --upstream postgresql://HOST:PORT", address->text);
	return problem(p, "%s: listen: entry %u has no upstream; add upstream: postgresql://HOST:PORT", s->file, i + 1);
}

static bool
one_listener(const struct settings *s, struct arena *a, struct listen_source by, uint32_t i, const struct upstream_found *found,
    uint32_t nfound, struct listen_config *l, struct problem *p)
{
	struct setting address = settings_entry(s, OPT_LISTEN, by.address, i), up = settings_entry(s, OPT_UPSTREAM, by.upstream, i);
	struct db_url u;

	*l = (struct listen_config){ .address = "127.0.0.1",
		.server_ca = "",
		.client_cert = "",
		.client_key = "",
		.catalog_ca = "",
		.name = by.address == SAID_FILE ? settings_entry(s, OPT_LISTEN_NAME, SAID_FILE, i).text : NULL,
		.line = address.line ? address.line : up.line };
	if (up.text) {
		if (!listener_url(a, up.text, config_where_said(s, a, &up), &u, p))
			return false;
	} else if (by.upstream == SAID_DEFAULT && i < nfound)
		u = found[i].parsed;
	else
		return no_upstream(s, &address, i, p);
	if (address.text && !config_address(a, address.text, &l->address, &l->port, &l->is_unix, config_where_said(s, a, &address), p))
		return false;
	l->setup.client_is_unix = l->is_unix;
	return config_upstream(a, &u, l, p) && listener_tls(s, by.address == SAID_FILE ? SAID_FILE : SAID_FLAG, i, found != NULL, l, p) &&
	       listener_catalog(s, a, by.address == SAID_FILE ? SAID_FILE : SAID_FLAG, i, l, p);
}

static bool
build_listens(
    const struct settings *s, struct arena *a, const struct upstream_found *found, uint32_t nfound, struct config *c, struct problem *p)
{
	struct listen_source by = find_listen_source(s, nfound > 0);
	uint32_t n = count_listens(s, by, nfound);
	struct listen_config *l;

	if (n > LIMIT_LISTENS)
		return problem(p, "%u listeners are more than the %d one process may have", n, LIMIT_LISTENS);
	c->listens = l = arena_zero(a, (n ? n : 1) * sizeof *l);
	for (c->nlistens = 0; c->nlistens < n; c->nlistens++)
		if (!one_listener(s, a, by, c->nlistens, found, nfound, &l[c->nlistens], p))
			return false;
	return true;
}

/* ---- requests ---- */

static bool
build_filters(const struct settings *s, struct arena *a, struct config *c, struct problem *p)
{
	enum said_by by = settings_source(s, OPT_FOLD_MATCH);
	uint32_t n = by != SAID_DEFAULT ? settings_entries(s, "requests.fold[].", by) : 0, ntags = 0, i;
	struct filter_rule *patterns = arena_zero(a, (n + 1) * sizeof *patterns);
	char err[400];

	for (i = 0; i < n; i++) {
		struct setting match = settings_entry(s, OPT_FOLD_MATCH, by, i), replace = settings_entry(s, OPT_FOLD_REPLACE, by, i);

		if (!match.text || !replace.text)
			return problem(p, "%s: requests.fold: each entry needs both match and replace", s->file);
		patterns[i] = (struct filter_rule){ match.text, replace.text };
	}
	if (n && !(c->fold = filter_new(patterns, n, err, sizeof err)))
		return problem(p, "%s: requests.fold: %s", s->file, err);
	by = settings_source(s, OPT_TAGS);
	while (settings_nth(s, OPT_TAGS, by, ntags))
		ntags++;
	patterns = arena_zero(a, (ntags + 1) * sizeof *patterns);
	for (i = 0; i < ntags; i++)
		patterns[i].match = settings_nth(s, OPT_TAGS, by, i)->text;
	if (ntags && !(c->tag_patterns = filter_new(patterns, ntags, err, sizeof err)))
		return problem(p, "%s: requests.tags: %s", s->file, err);
	return true;
}

/* All values of a repeated option by whoever decides it. */
const char *const *
config_texts_of(const struct settings *s, struct arena *a, enum option_id id, uint32_t *n)
{
	enum said_by by = settings_source(s, id);
	const char **v;

	for (*n = 0; by != SAID_DEFAULT && settings_nth(s, id, by, *n); ++*n)
		continue;
	v = arena_zero(a, (*n + 1) * sizeof *v);
	for (uint32_t i = 0; i < *n; i++)
		v[i] = settings_nth(s, id, by, i)->text;
	return v;
}

/* ---- reports, admin port ---- */

static bool
check_reports(const struct config *c, struct problem *p)
{
	char known[200] = "";
	size_t n = 0;

	for (uint32_t i = 0; i < c->nreports; i++) {
		const char *text = c->reports[i];
		size_t name = strcspn(text, ":");

		if (format_find(span_of(text, name)) != FORMATS && (!text[name] || text[name + 1]))
			continue;
		for (int f = 0; f < FORMATS; f++)
			n += (size_t)snprintf(
			    known + n, n < sizeof known ? sizeof known - n : 0, "%s%s", f ? ", " : "", format_name((enum format)f));
		return problem(p, "--report %s: wants FORMAT or FORMAT:FILE; the formats are %s", text, known);
	}
	return true;
}

bool
config_token(struct arena *a, const char *path, const char **token, struct problem *p)
{
	char text[LIMIT_TOKEN + 1];
	struct stat st;
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 077)) {
		close(fd);
		return problem(p, "%s: others can read this token; run chmod 600 on it", path);
	}
	if (fd >= 0) {
		n = read(fd, text, sizeof text);
		close(fd);
	}
	if (n < 0)
		return problem(p, "%s: the token cannot be read: %s", path, strerror(errno));

	struct span line = span_of(text, (size_t)n);
	const uint8_t *end = n ? memchr(line.p, '\n', line.n) : NULL;

	if (end)
		line.n = (size_t)(end - line.p);
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n == 0 || line.n == sizeof text)
		return problem(p, "%s: its first line is the token, and must not be empty or longer than %d bytes", path, LIMIT_TOKEN);
	*token = arena_strndup(a, line);
	return true;
}

static bool
build_admin(const struct settings *s, struct arena *a, struct config *c, struct problem *p)
{
	struct setting admin = settings_get(s, OPT_ADMIN);
	bool is_unix;

	c->admin_address = c->admin_token = "";
	c->admin_token_file = text_of(s, OPT_TOKEN_FILE);
	if (admin.text && *admin.text) {
		if (!config_address(a, admin.text, &c->admin_address, &c->admin_port, &is_unix, config_where_said(s, a, &admin), p))
			return false;
		if (is_unix)
			return problem(p, "%s: the admin port is TCP; write 127.0.0.1:9433", config_where_said(s, a, &admin));
	}
	if (*c->admin_token_file && !config_token(a, c->admin_token_file, &c->admin_token, p))
		return false;
	if (*c->admin_address && !is_loopback(c->admin_address) && !*c->admin_token)
		return problem(
		    p, "%s: beyond this machine the admin port needs a token: --admin-token-file FILE", config_where_said(s, a, &admin));
	return true;
}

static void
build_numbers(const struct settings *s, struct config *c)
{
	c->file = s->file ? s->file : "";
	c->workers = (uint32_t)settings_get(s, OPT_WORKERS).value;
	c->idle_gap = ns_of(s, OPT_IDLE_GAP);
	c->quiet = ns_of(s, OPT_QUIET_TIME);
	c->keyed_quiet = ns_of(s, OPT_KEYED_QUIET);
	c->rules = rule_settings_default();
	c->rules.n_plus_one_threshold = (uint32_t)settings_get(s, OPT_THRESHOLD).value;
	c->rules.slow_query = ns_of(s, OPT_SLOW_QUERY);
	c->rules.slow_request = ns_of(s, OPT_SLOW_REQUEST);
	c->rtt = ns_of(s, OPT_RTT);
	c->connect_timeout = ns_of(s, OPT_CONNECT_TIMEOUT);
	c->drain_timeout = ns_of(s, OPT_DRAIN_TIMEOUT);
	c->lineage = strcmp(text_of(s, OPT_LINEAGE), "always") == 0;
	c->record = text_of(s, OPT_RECORD);
	c->record_values = settings_true(s, OPT_RECORD_VALUES);
	c->color = text_of(s, OPT_COLOR);
	c->log_level = settings_true(s, OPT_VERBOSE) ? LOG_DEBUG : (enum log_level)settings_get(s, OPT_LOG_LEVEL).value;
	c->log_json = strcmp(text_of(s, OPT_LOG_FORMAT), "json") == 0;
	c->all = settings_true(s, OPT_ALL);
	c->wide = settings_true(s, OPT_WIDE);
	c->scope = *text_of(s, OPT_SCOPE) ? text_of(s, OPT_SCOPE) : NULL;
	c->quiet_output = settings_true(s, OPT_QUIET);
}

bool
config_build(
    const struct settings *s, struct arena *a, const struct upstream_found *found, uint32_t nfound, struct config *out, struct problem *p)
{
	memset(out, 0, sizeof *out);
	build_numbers(s, out);
	out->tag_settings = config_texts_of(s, a, OPT_TAG_SETTINGS, &out->ntag_settings);
	out->reports = config_texts_of(s, a, OPT_REPORT, &out->nreports);
	if (check_reports(out, p) && config_gate(s, a, out, p) && build_admin(s, a, out, p) && build_listens(s, a, found, nfound, out, p) &&
	    build_filters(s, a, out, p))
		return true;
	config_clear(out);
	return false;
}

bool
config_build_to_judge(
    const struct settings *s, struct arena *a, const struct upstream_found *found, uint32_t nfound, struct config *out, struct problem *p)
{
	if (!config_build(s, a, found, nfound, out, p))
		return false;
	if (!out->baseline_absent)
		return true;
	config_clear(out);
	return problem(p, "%s", out->baseline_absent);
}

void
config_clear(struct config *c)
{
	filter_free((struct filter *)(uintptr_t)c->fold);
	filter_free((struct filter *)(uintptr_t)c->tag_patterns);
	c->fold = c->tag_patterns = NULL;
	baseline_free(c->baseline);
	c->baseline = NULL;
}
