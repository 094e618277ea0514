/* SPDX-License-Identifier: Apache-2.0 */
/* floor: floor LISTEN_PORT BACKEND_PORT, the cheapest TCP forwarder there is: the yardstick that proxy_cost.py divides by.
 * Does: epoll, read into one buffer, write to the peer at once, on 127.0.0.1. Never: parses, and is no product: a short write waits. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 16384, EVENTS = 256 };

struct end {
	int fd;
	struct end *peer, *next_dead;
	int dead;
};

static struct sockaddr_in
loopback(const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static struct end *
watch(int ep, int fd)
{
	struct end *e = calloc(1, sizeof *e);
	struct epoll_event x = { .events = EPOLLIN, .data.ptr = e };
	int one = 1;

	if (!e)
		abort();
	e->fd = fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &x);
	return e;
}

static void
pair_up(int ep, int client, const struct sockaddr_in *to)
{
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (server < 0 || connect(server, (const struct sockaddr *)to, sizeof *to) != 0) {
		close(client);
		if (server >= 0)
			close(server);
		return;
	}

	struct end *a = watch(ep, client), *b = watch(ep, server);

	a->peer = b;
	b->peer = a;
}

static int
pump(struct end *e, char *buf)
{
	ssize_t n = read(e->fd, buf, BUFFER);

	for (ssize_t done = 0; n > 0 && done < n;) {
		ssize_t w = send(e->peer->fd, buf + done, (size_t)(n - done), MSG_DONTWAIT | MSG_NOSIGNAL);
		struct pollfd room = { .fd = e->peer->fd, .events = POLLOUT };

		if (w >= 0)
			done += w;
		else if (errno == EAGAIN)
			poll(&room, 1, -1);
		else
			return 0;
	}
	return n > 0;
}

int
main(int argc, char **argv)
{
	static char buf[BUFFER];
	struct epoll_event events[EVENTS], x = { .events = EPOLLIN };
	struct sockaddr_in me, to;
	int ep = epoll_create1(0), l = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (argc != 3) {
		fprintf(stderr, "usage: %s LISTEN_PORT BACKEND_PORT\n", argv[0]);
		return 2;
	}
	me = loopback(argv[1]);
	to = loopback(argv[2]);
	signal(SIGPIPE, SIG_IGN);
	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(l, (struct sockaddr *)&me, sizeof me) != 0 || listen(l, 1024) != 0) {
		perror("floor: bind");
		return 1;
	}
	epoll_ctl(ep, EPOLL_CTL_ADD, l, &x);
	for (;;) {
		struct end *dead = NULL;
		int n = epoll_wait(ep, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			struct end *e = events[i].data.ptr;

			if (!e) {
				pair_up(ep, accept(l, NULL, NULL), &to);
				continue;
			}
			if (e->dead || pump(e, buf))
				continue;
			e->dead = e->peer->dead = 1;
			close(e->fd);
			close(e->peer->fd);
			e->next_dead = e->peer;
			e->peer->next_dead = dead;
			dead = e;
		}
		while (dead) {
			struct end *e = dead;

			dead = e->next_dead;
			free(e);
		}
	}
}
