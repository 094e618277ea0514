/* SPDX-License-Identifier: Apache-2.0 */
/* env_find: the databases an environment names: URLs in any variable, PG*, MYSQL*, DB_HOST and DB_PORT and their kin.
 * Does: find them, resolve what each leaves to a default, group them by server. Never: changes a variable, connects, shows a password. */
#ifndef ROWCALL_ENV_FIND_H
#define ROWCALL_ENV_FIND_H

#include "env.h"
#include "fingerprint/limits.h"
#include "url.h"

enum reference_kind {
	REFERENCE_URL,		/* one variable holds a URL */
	REFERENCE_PG,		/* PGHOST, PGHOSTADDR, PGPORT */
	REFERENCE_PARTS,	/* variables of its own for host, port, socket */
};

struct reference {
	enum reference_kind kind;
	const char *name;	/* the variable people know it by: "DATABASE_URL", "PGHOST", "DB_HOST" */
	const char *host_variable, *port_variable, *socket_variable;	/* REFERENCE_PARTS; socket may be NULL */
	const char *tls_variable;	/* DB_SSLMODE; NULL = none is set */
	bool port_in_host;	/* DB_HOST=db:3306 */
	struct db_url url;	/* for a URL as parsed, with defaults filled in; else host, socket, port, engine and TLS only */
	uint32_t upstream;	/* index into env_databases.upstreams */
};

struct env_databases {
	struct reference references[LIMIT_REFERENCES];
	uint32_t nreferences;
	struct db_url upstreams[LIMIT_REFERENCES];	/* one per distinct engine, host and port; TLS: the strictest any reference asks for;
							 * credentials: the first */
	uint32_t nupstreams;
	const char *notes[LIMIT_NOTES];			/* what a person should know, one sentence each */
	uint32_t nnotes;
};

/* exists: asked for default sockets, root certificates and option files: env_exists, or a test that answers for the machine. Everything lives
 * in the arena. */
void env_find(struct env_databases *out, struct arena *a, const struct env *e, bool (*exists)(const char *path));
/* This machine has it. */
bool env_exists(const char *path);

/* Adds a sentence to out->notes. */
void env_note(struct env_databases *out, struct arena *a, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* True when both mean the same server: engine, host (localhost and 127.0.0.1 differ, as servers' accounts do) and port, or socket. */
bool url_same_server(const struct db_url *a, const struct db_url *b);

#endif
