/* SPDX-License-Identifier: Apache-2.0 */
/* env_rewrite: points the databases of an environment at our listeners.
 * Does: change host, port and socket, and what would refuse the plain leg to us, in every variable; say each change in a line.
 * Never: changes user, password, path or any other parameter; shows a password. */
#ifndef ROWCALL_ENV_REWRITE_H
#define ROWCALL_ENV_REWRITE_H

#include "env_find.h"

/* Where a listener stands, as a client names it. Both NULL: this reference is not ours and stays. */
struct endpoint {
	const char *host;	/* TCP address */
	uint16_t port;
	const char *socket;	/* or the socket file */
	bool tls;		/* takes TLS: what a client demands of it stays */
};

/* endpoints: one per reference of d. say is called with each line ("DATABASE_URL now leads to …"). */
void env_rewrite(struct env *e, const struct env_databases *d, const struct endpoint *endpoints, void (*say)(void *ctx, const char *line), void *ctx);

/* --env NAME=VALUE: {host} and {port} stand for the first endpoint, {host2}, {port2} for the second, {socket} for a socket file.
 * In e's arena; NULL: a problem. */
const char *env_expand(struct env *e, const char *value, const struct endpoint *listeners, uint32_t n, struct problem *p);

/* How people and clients write it: "127.0.0.1:5433", "[::1]:5433", "/tmp/x/.s.PGSQL.5432". */
void endpoint_text(const struct endpoint *t, char *buf, size_t n);

#endif
