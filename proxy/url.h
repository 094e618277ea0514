/* SPDX-License-Identifier: Apache-2.0 */
/* url: database URLs as frameworks write them: postgresql://, mysql://, mariadb://, driver suffixes (+psycopg2), jdbc:, Unix sockets.
 * Does: take one apart, say what it asks of TLS, point it elsewhere keeping every other byte. Never: resolves a name, opens a file,
 * shows a password. */
#ifndef ROWCALL_URL_H
#define ROWCALL_URL_H

#include "fingerprint/arena.h"
#include "problem.h"
#include "proxy/wire/wire.h"

enum engine_kind { ENGINE_POSTGRESQL, ENGINE_MYSQL };

const char *engine_name(enum engine_kind e);	/* "postgresql", "mysql" */
uint16_t engine_port(enum engine_kind e);
/* The scheme of a URL, or a word such as "pgsql", "mysql2", "postgresql+psycopg2". False: none we know. */
bool engine_find(struct span scheme, enum engine_kind *engine);

/* Strings live in the arena given to url_parse; "" when absent. */
struct db_url {
	const char *text;		/* as written */
	enum engine_kind engine;
	const char *user, *password, *database;	/* decoded */
	const char *host;		/* name or address, IPv6 without brackets; "" = not said, or a Unix socket */
	const char *socket;		/* the socket file itself: "/run/postgresql/.s.PGSQL.5432", "/run/mysqld/mysqld.sock" */
	uint16_t port;			/* said, or the engine's own */
	bool port_said;
	const char *sslrootcert;	/* a path, or "system" */
	bool tls_said;			/* a parameter names a TLS mode */
	enum wire_tls tls;		/* that mode, for the leg to the server */
	bool tls_demanded;		/* the client would refuse a plain connection */
	bool jdbc;
	bool slashes;			/* false: "jdbc:postgresql:db" */
	size_t hostport_at, hostport_n;	/* "db:5432" in text, without user and password; n = 0: absent, and where it would stand */
	size_t query_at, query_n;	/* in text, behind the '?'; at = 0: there is none */
	bool host_in_query, port_in_query;
};

enum url_result {
	URL_OK,
	URL_OTHER,	/* not a database URL: no scheme of ours */
	URL_BAD,	/* a database URL that cannot be used; the problem says why */
};

/* Nothing said but the engine, whose own port it is. */
struct db_url url_of_engine(enum engine_kind e);

/* text is borrowed for as long as out is used. */
enum url_result url_parse(struct arena *a, const char *text, struct db_url *out, struct problem *p) __attribute__((warn_unused_result));

/* Where a rewritten URL points. */
struct url_target {
	const char *host;	/* TCP address; NULL: the socket */
	uint16_t port;
	const char *socket;	/* the socket file; for PostgreSQL named .s.PGSQL.PORT */
	bool plain;		/* turn demands for TLS down: the leg is loopback or a socket */
};

/* The URL with only the target changed (and, when plain, the parameters that demand TLS). In the arena. */
const char *url_rewrite(struct arena *a, const struct db_url *u, const struct url_target *t) __attribute__((returns_nonnull));

/* The URL without its password, for people to read. In the arena. */
const char *url_public(struct arena *a, const char *text) __attribute__((returns_nonnull));

/* PostgreSQL's and MySQL's words for TLS modes, any case: "require", "verify-full", "VERIFY_IDENTITY". False: not one of them. */
bool url_tls_word(struct span word, enum wire_tls *tls);
/* A mode that makes a client refuse a plain connection. */
bool url_tls_demands(enum wire_tls tls);

/* "/run/postgresql/.s.PGSQL.5433" -> 5433; 0 when the name is not of that form. */
uint16_t pg_socket_port(const char *path);

#endif
