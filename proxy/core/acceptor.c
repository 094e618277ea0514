/* SPDX-License-Identifier: Apache-2.0 */
/* acceptor: see acceptor.h. */
#include "acceptor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fingerprint/mem.h"
#include "proxy/log.h"

enum {
	BACKLOG = 1024,
	PAUSE_MS = 100,
	PER_TURN = 64,		/* accepted from one listener before the others get their turn */
	OTHER_FILES = 64,	/* descriptors that are no session's: listeners, loops, recording, admin port */
};

struct door {			/* argument of a listener's event */
	struct acceptor *acceptor;
	struct listener *listener;
};

struct acceptor {
	struct worker_shared *shared;
	struct event_base *base;
	struct worker **workers;
	uint32_t nworkers;
	pthread_t thread;
	int bell;
	struct event *heard, *resume;
	struct door *doors;
	uint64_t handed;	/* sockets given to workers so far */
	uint64_t most;		/* sessions the open files limit has room for, two descriptors each */
	bool started, stopped, starving;
};

/* ---- binding ---- */

static bool
bind_failed(const struct listen_config *l, char *err, size_t err_n)
{
	char where[ADDRESS_TEXT + 16];

	if (l->is_unix)
		snprintf(where, sizeof where, "%s", l->address);
	else
		snprintf(where, sizeof where, strchr(l->address, ':') ? "[%s]:%u" : "%s:%u", l->address, l->port);
	if (errno == EADDRINUSE)
		snprintf(err, err_n, "%s: the address is already in use; end the program that has it or choose another with --listen", where);
	else if (errno == EACCES)
		snprintf(err, err_n, "%s: not allowed to listen there; choose a port above 1023 or another directory", where);
	else if (errno == EADDRNOTAVAIL)
		snprintf(err, err_n, "%s: this machine has no such address; choose another with --listen", where);
	else
		snprintf(err, err_n, "%s: cannot listen: %s", where, strerror(errno));
	return false;
}

/* A socket file nobody listens on any more is removed; one that answers is in use. */
static bool
clear_stale_socket(const struct address *a, const char *path)
{
	struct stat st;
	int fd, rc;

	if (lstat(path, &st) != 0)
		return true;
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return false;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	rc = connect(fd, (const struct sockaddr *)&a->sa, a->len);
	int why = errno;

	close(fd);
	if (rc == 0 || why != ECONNREFUSED) {
		errno = EADDRINUSE;
		return false;
	}
	return unlink(path) == 0;
}

static bool
listen_on(struct listener *l, char *err, size_t err_n)
{
	const struct listen_config *c = l->cfg;
	struct address a;
	int one = 1;

	l->fd = -1;
	if (c->is_unix ? !address_unix(&a, c->address) : !address_numeric(&a, c->address, c->port)) {
		snprintf(err, err_n, c->is_unix ? "%s: the path is too long for a socket; choose a shorter one with --listen"
						: "%s: not a numeric address; write for example 127.0.0.1:5433", c->address);
		return false;
	}
	if (c->is_unix && !clear_stale_socket(&a, c->address))
		return bind_failed(c, err, err_n);
	l->fd = socket(a.sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return bind_failed(c, err, err_n);
	if (!c->is_unix)
		setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(l->fd, (struct sockaddr *)&a.sa, a.len) != 0) {
		bind_failed(c, err, err_n);
		close(l->fd);
		l->fd = -1;	/* the socket file, if there is one, is somebody else's */
		return false;
	}
	if (listen(l->fd, BACKLOG) != 0)
		return bind_failed(c, err, err_n);
	l->bound.len = sizeof l->bound.sa;
	getsockname(l->fd, (struct sockaddr *)&l->bound.sa, &l->bound.len);
	return true;
}

static void
close_listeners(struct acceptor *a)
{
	for (uint32_t i = 0; i < a->shared->nlisteners; i++) {
		struct listener *l = &a->shared->listeners[i];

		if (l->event)
			event_free(l->event);
		l->event = NULL;
		if (l->fd < 0)
			continue;
		close(l->fd);
		l->fd = -1;
		if (l->cfg->is_unix)
			unlink(l->cfg->address);
	}
}

/* ---- accepting ---- */

static struct worker *
least_loaded(struct acceptor *a)
{
	struct worker *best = a->workers[0];

	for (uint32_t i = 1; i < a->nworkers; i++)
		if (counter_get(&a->workers[i]->counters.open) < counter_get(&best->counters.open))
			best = a->workers[i];
	return best;
}

/* Sessions that live or are on their way to a worker. */
static uint64_t
sessions_now(const struct acceptor *a)
{
	uint64_t ended = 0;

	for (uint32_t i = 0; i < a->nworkers; i++) {
		const struct worker_counters *c = &a->workers[i]->counters;

		ended += counter_get(&c->accepted) - counter_get(&c->open);
	}
	return a->handed - ended;
}

/* Each session will want a second descriptor, for its server. */
static uint64_t
sessions_most(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return files.rlim_cur > OTHER_FILES + 2 ? (files.rlim_cur - OTHER_FILES) / 2 : 1;
}

static void
pause_accepting(struct acceptor *a, int why)
{
	static const struct timeval tv = { 0, PAUSE_MS * 1000 };

	if (!a->starving)
		log_warn(a->shared->log, 0, "cannot accept for now: %s; new clients wait (raise the open files limit: ulimit -n)", strerror(why));
	a->starving = true;
	for (uint32_t i = 0; i < a->shared->nlisteners; i++)
		if (a->shared->listeners[i].event)
			event_del(a->shared->listeners[i].event);
	event_add(a->resume, &tv);
}

/* False when the kernel has no more for now. */
static bool
accept_one(struct acceptor *a, struct listener *l)
{
	struct address peer = { .len = sizeof peer.sa };
	int fd;

	if (sessions_now(a) >= a->most) {
		pause_accepting(a, EMFILE);
		return false;
	}
	fd = accept4(l->fd, (struct sockaddr *)&peer.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		if (worker_accept(least_loaded(a), l, fd, &peer))
			a->handed++;
		else
			close(fd);
		return true;
	}
	if (errno == EAGAIN && a->starving) {
		/* Only now, with nobody left waiting, so that this is not said for each descriptor that comes free. */
		log_info(a->shared->log, 0, "accepting again");
		a->starving = false;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
		pause_accepting(a, errno);
		return false;
	}
	return errno == EINTR || errno == ECONNABORTED;
}

static void
on_client(evutil_socket_t fd, short what, void *arg)
{
	struct door *d = arg;

	(void)fd;
	(void)what;
	for (unsigned n = 0; n < PER_TURN && accept_one(d->acceptor, d->listener); n++)
		continue;
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct acceptor *a = arg;

	(void)fd;
	(void)what;
	for (uint32_t i = 0; i < a->shared->nlisteners; i++)
		if (a->shared->listeners[i].event)
			event_add(a->shared->listeners[i].event, NULL);
}

static void
on_bell(evutil_socket_t fd, short what, void *arg)
{
	struct acceptor *a = arg;

	(void)fd;
	(void)what;
	for (uint32_t i = 0; i < a->shared->nlisteners; i++)
		for (unsigned n = 0; n < BACKLOG && accept_one(a, &a->shared->listeners[i]); n++)
			continue;
	close_listeners(a);
	event_base_loopbreak(a->base);
}

static void *
acceptor_main(void *arg)
{
	struct acceptor *a = arg;

	event_base_dispatch(a->base);
	return NULL;
}

struct acceptor *
acceptor_bind(struct worker_shared *shared, char *err, size_t err_n)
{
	struct acceptor *a = mem_zero(sizeof *a);

	snprintf(err, err_n, "out of memory");
	if (!a)
		return NULL;
	a->shared = shared;
	a->bell = -1;
	for (uint32_t i = 0; i < shared->nlisteners; i++)
		shared->listeners[i].fd = -1;
	for (uint32_t i = 0; i < shared->nlisteners; i++)
		if (!listen_on(&shared->listeners[i], err, err_n)) {
			acceptor_free(a);
			return NULL;
		}
	return a;
}

/* Events for every listener, the bell and the pause. */
static bool
add_events(struct acceptor *a)
{
	a->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	a->base = event_base_new();
	a->doors = mem_zero(a->shared->nlisteners * sizeof *a->doors);
	if (a->bell < 0 || !a->base || !a->doors)
		return false;
	a->heard = event_new(a->base, a->bell, EV_READ, on_bell, a);
	a->resume = event_new(a->base, -1, 0, on_resume, a);
	if (!a->heard || !a->resume || event_add(a->heard, NULL) != 0)
		return false;
	for (uint32_t i = 0; i < a->shared->nlisteners; i++) {
		struct listener *l = &a->shared->listeners[i];

		a->doors[i] = (struct door){ a, l };
		l->event = event_new(a->base, l->fd, EV_READ | EV_PERSIST, on_client, &a->doors[i]);
		if (!l->event || event_add(l->event, NULL) != 0)
			return false;
	}
	return true;
}

bool
acceptor_start(struct acceptor *a, struct worker **workers, uint32_t nworkers)
{
	a->workers = workers;
	a->nworkers = nworkers;
	a->most = sessions_most();
	a->started = add_events(a) && pthread_create(&a->thread, NULL, acceptor_main, a) == 0;
	return a->started;
}

void
acceptor_stop(struct acceptor *a)
{
	const uint64_t one = 1;

	if (!a->started || a->stopped)
		return;
	a->stopped = true;
	if (write(a->bell, &one, sizeof one) != sizeof one)
		abort(); /* see worker.c: an eventfd never refuses this */
	pthread_join(a->thread, NULL);
}

void
acceptor_free(struct acceptor *a)
{
	if (!a)
		return;
	acceptor_stop(a);
	close_listeners(a);
	if (a->heard)
		event_free(a->heard);
	if (a->resume)
		event_free(a->resume);
	if (a->base)
		event_base_free(a->base);
	if (a->bell >= 0)
		close(a->bell);
	mem_free(a->doors);
	mem_free(a);
}
