/* SPDX-License-Identifier: Apache-2.0 */
/* preflight: see preflight.h. Blocking, with timeouts: nothing else runs yet. */
#include "preflight.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int
connect_to(const struct sockaddr *sa, socklen_t n, uint64_t timeout)
{
	struct timeval tv = { (time_t)(timeout / 1000000000u), (suseconds_t)(timeout % 1000000000u / 1000) };
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	/* On Linux SO_SNDTIMEO bounds connect(2) too. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	if (connect(fd, sa, n) == 0)
		return fd;

	int why = errno == EINPROGRESS ? ETIMEDOUT : errno;

	close(fd);
	errno = why;
	return -1;
}

/* Nobody on the port of this machine, but a socket: the app may mean that one. */
static const char *
socket_nearby(const struct upstream_config *up, char *path, size_t n)
{
	static const char *const mysql[] = { "/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock" };

	if (up->is_unix || (strcmp(up->host, "127.0.0.1") != 0 && strcmp(up->host, "::1") != 0 && strcmp(up->host, "localhost") != 0))
		return NULL;
	if (up->engine == ENGINE_POSTGRESQL) {
		snprintf(path, n, "/var/run/postgresql/.s.PGSQL.%u", up->port);
		return access(path, F_OK) == 0 ? "postgresql:///?host=/var/run/postgresql" : NULL;
	}
	for (size_t i = 0; i < sizeof mysql / sizeof *mysql; i++) {
		snprintf(path, n, "%s", mysql[i]);
		if (access(path, F_OK) == 0)
			return "mysql:///?socket=";
	}
	return NULL;
}

static void
cannot_reach(const struct upstream_config *up, int why, struct problem *p)
{
	char path[128];
	const char *url = socket_nearby(up, path, sizeof path);

	if (url)
		problem(p, "cannot reach %s at %s: %s; there is a socket %s: name it as %s%s", engine_name(up->engine), up->display,
		    strerror(why), path, url, up->engine == ENGINE_MYSQL ? path : "");
	else
		problem(p, "cannot reach %s at %s: %s", engine_name(up->engine), up->display, strerror(why));
}

static int
open_upstream(const struct upstream_config *up, uint64_t timeout, struct problem *p)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char port[8];
	int fd = -1, rc;

	if (up->is_unix) {
		if (strlen(up->host) >= sizeof un.sun_path) {
			problem(p, "%s: the path is too long for a socket", up->host);
			return -1;
		}
		memcpy(un.sun_path, up->host, strlen(up->host) + 1);
		fd = connect_to((const struct sockaddr *)&un, sizeof un, timeout);
	} else {
		snprintf(port, sizeof port, "%u", up->port);
		rc = getaddrinfo(up->host, port, &hints, &list);
		if (rc != 0) {
			problem(p, "cannot reach %s at %s: %s", engine_name(up->engine), up->display, gai_strerror(rc));
			return -1;
		}
		for (struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next)
			fd = connect_to(ai->ai_addr, ai->ai_addrlen, timeout);
		freeaddrinfo(list);
	}
	if (fd < 0)
		cannot_reach(up, errno, p);
	return fd;
}

/* protocol-flow, "SSL Session Encryption": the answer to SSLRequest is one byte, S or N; very old servers send an error. */
static bool
greets_as_postgresql(int fd)
{
	static const uint8_t ssl_request[] = { 0, 0, 0, 8, 4, 210, 22, 47 };
	uint8_t answer = 0;

	return send(fd, ssl_request, sizeof ssl_request, MSG_NOSIGNAL) == sizeof ssl_request && recv(fd, &answer, 1, 0) == 1 &&
	       (answer == 'S' || answer == 'N' || answer == 'E');
}

/* Protocol::Handshake: the server speaks first; version 10, or an error packet (too many connections). */
static bool
greets_as_mysql(int fd)
{
	uint8_t head[5];

	return recv(fd, head, sizeof head, MSG_WAITALL) == sizeof head && (head[4] == 10 || head[4] == 0xff);
}

bool
preflight(const struct upstream_config *up, uint64_t timeout, struct problem *p)
{
	int fd = open_upstream(up, timeout, p);
	bool ok;

	if (fd < 0)
		return false;
	ok = up->engine == ENGINE_POSTGRESQL ? greets_as_postgresql(fd) : greets_as_mysql(fd);
	close(fd);
	if (!ok)
		return problem(p, "%s answers, but not as %s does (--no-preflight skips this check)", up->display, engine_name(up->engine));
	return true;
}
