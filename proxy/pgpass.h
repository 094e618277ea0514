/* SPDX-License-Identifier: Apache-2.0 */
/* pgpass: password files for a child whose host and port change.
 * Does: put, before each line of a .pgpass that matches a server we stand in for, the same line for our listener. Never: touches the user's
 * own file, decides which password is right, shows one. */
#ifndef ROWCALL_PGPASS_H
#define ROWCALL_PGPASS_H

#include "fingerprint/strbuf.h"

struct pgpass_move {
	const char *host;	/* as libpq looks it up: name, address, "localhost" for its own socket directory, else the directory */
	uint16_t port;
	const char *new_host;
	uint16_t new_port;
};

/* Appends the rewritten file to out; how many lines were added. */
unsigned pgpass_rewrite(struct span file, const struct pgpass_move *moves, unsigned n, struct strbuf *out);

#endif
