/* SPDX-License-Identifier: Apache-2.0 */
/* admin: the HTTP server on the admin port: marks, health, snapshots, counters, later the live page and metrics.
 * Does: serve immutable snapshots and take marks on a thread and event base of its own. Never: touches sessions; answers a foreign Host or Origin;
 * listens beyond loopback without a token. */
#ifndef ROWCALL_ADMIN_H
#define ROWCALL_ADMIN_H

#include "counters.h"
#include "reports/judge/snapshot.h"

struct admin_config {
	const char *address;	/* loopback unless token is set */
	uint16_t port;		/* 0 = any free one */
	const char *token;	/* "" = none needed (loopback only) */
};

struct admin_source {
	void *ctx;
	void (*mark)(void *ctx, const char *test, const char *request);	/* NULL = leave, "" = end */
	bool (*ready)(void *ctx);					/* listeners are up */
	struct snapshot *(*snapshot)(void *ctx);			/* caller frees */
	void (*counters)(void *ctx, struct counters *out);
};

struct admin;
/* Binds and starts its thread; NULL: a sentence in err. */
struct admin *admin_start(const struct admin_config *cfg, struct admin_source src, char *err, size_t err_n) __attribute__((warn_unused_result));
uint16_t admin_port(const struct admin *a);
void admin_stop(struct admin *a);	/* ends the thread and frees */

#endif
