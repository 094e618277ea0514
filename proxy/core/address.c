/* SPDX-License-Identifier: Apache-2.0 */
/* address: see address.h. */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

bool
address_numeric(struct address *a, const char *host, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	memset(a, 0, sizeof *a);
	if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
		memcpy(&a->sa, &v4, sizeof v4);
		a->len = sizeof v4;
		return true;
	}
	if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
		memcpy(&a->sa, &v6, sizeof v6);
		a->len = sizeof v6;
		return true;
	}
	return false;
}

bool
address_unix(struct address *a, const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t n = strlen(path);

	memset(a, 0, sizeof *a);
	if (n >= sizeof un.sun_path)
		return false;
	memcpy(un.sun_path, path, n + 1);
	memcpy(&a->sa, &un, sizeof un);
	a->len = sizeof un;
	return true;
}

void
address_text(const struct address *a, char buf[ADDRESS_TEXT])
{
	char host[INET6_ADDRSTRLEN];

	if (a->sa.ss_family == AF_INET) {
		struct sockaddr_in v4;

		memcpy(&v4, &a->sa, sizeof v4);
		inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
		snprintf(buf, ADDRESS_TEXT, "%s:%u", host, ntohs(v4.sin_port));
	} else if (a->sa.ss_family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, &a->sa, sizeof v6);
		inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
		snprintf(buf, ADDRESS_TEXT, "[%s]:%u", host, ntohs(v6.sin6_port));
	} else {
		struct sockaddr_un un;

		memcpy(&un, &a->sa, sizeof un);
		bool named = a->len > offsetof(struct sockaddr_un, sun_path) && un.sun_path[0];

		snprintf(buf, ADDRESS_TEXT, "%s", named ? un.sun_path : "unix");
	}
}

uint16_t
address_port(const struct address *a)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	switch (a->sa.ss_family) {
	case AF_INET:
		memcpy(&v4, &a->sa, sizeof v4);
		return ntohs(v4.sin_port);
	case AF_INET6:
		memcpy(&v6, &a->sa, sizeof v6);
		return ntohs(v6.sin6_port);
	default:
		return 0;
	}
}

void
address_tune(int fd, int family)
{
	int one = 1;

	if (family != AF_INET && family != AF_INET6)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
}
