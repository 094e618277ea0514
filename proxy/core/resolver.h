/* SPDX-License-Identifier: Apache-2.0 */
/* resolver: names to addresses on a thread of its own, so that no worker ever waits for DNS.
 * Does: getaddrinfo, all addresses in the system's order. Never: caches beyond what the system does, touches sessions. */
#ifndef ROWCALL_RESOLVER_H
#define ROWCALL_RESOLVER_H

#include "address.h"

enum { RESOLVER_ADDRESSES = 8 };	/* more than this many addresses of one name are not tried */

struct resolved {
	struct address addresses[RESOLVER_ADDRESSES];
	unsigned n;
	const char *error;	/* static words when n = 0 */
};

struct resolver;
/* NULL: the thread could not start. */
struct resolver *resolver_new(void) __attribute__((warn_unused_result));
/* Looks up host (copied); done is called once on the resolver's thread with ctx. False: not queued (memory), done is not called. */
bool resolver_ask(struct resolver *r, const char *host, uint16_t port, void (*done)(void *ctx, const struct resolved *), void *ctx)
    __attribute__((warn_unused_result));
/* Waits for the look-up under way; answers what is still queued with an error. */
void resolver_free(struct resolver *r);

#endif
