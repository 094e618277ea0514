/* SPDX-License-Identifier: Apache-2.0 */
/* address: a socket address with its length, and the few things done to sockets everywhere.
 * Does: parse numeric and Unix addresses, name them, set the options every leg has. Never: resolves names (resolver.h) or blocks. */
#ifndef ROWCALL_ADDRESS_H
#define ROWCALL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct address {
	struct sockaddr_storage sa;
	socklen_t len;
};

enum { ADDRESS_TEXT = 128 };

/* A numeric IPv4 or IPv6 host. False when it is a name. */
bool address_numeric(struct address *a, const char *host, uint16_t port) __attribute__((warn_unused_result));
/* An absolute socket path. False when it is too long for the kernel. */
bool address_unix(struct address *a, const char *path) __attribute__((warn_unused_result));
/* "127.0.0.1:5432", "[::1]:5432", "/run/x.sock", "unix" for an unnamed peer; into buf[ADDRESS_TEXT]. */
void address_text(const struct address *a, char buf[ADDRESS_TEXT]);
uint16_t address_port(const struct address *a);

/* TCP_NODELAY and keepalive where the family has them; errors do not matter. */
void address_tune(int fd, int family);

#endif
