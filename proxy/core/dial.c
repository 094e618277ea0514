/* SPDX-License-Identifier: Apache-2.0 */
/* dial: the way to the upstream: look the name up, try every address in turn.
 * Never: blocks, or gives up on the first address. */
#include "session_internal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

#include "proxy/log.h"

void
dial_unreachable(struct session *s, const char *why)
{
	char message[256];

	snprintf(message, sizeof message, "rowcall: cannot reach the database at %s: %s", s->listener->cfg->upstream.display, why);
	counter_add(&s->worker->counters.upstream_failures, 1);
	log_warn(s->worker->shared->log, s->id, "%s", message);
	session_refuse(s, "08006", message, WHY_UNREACHABLE);
}

static void
connected(struct session *s)
{
	struct leg *l = &s->leg[WIRE_SERVER];

	leg_want_write(l, false);
	address_tune(l->fd, s->upstream.sa.ss_family);
	s->engine->dialed(s->wire);
	session_move(s, SESSION_HANDSHAKE);
	session_shake(s);
}

/* Starts connecting to the next address that lets us; the last error decides the words when none is left. */
static void
try_next(struct session *s)
{
	struct shaking *k = s->shaking;
	struct leg *l = &s->leg[WIRE_SERVER];
	uint64_t patience = s->worker->shared->cfg->connect_timeout;
	struct timeval tv = { (time_t)(patience / 1000000000u), (suseconds_t)(patience % 1000000000u / 1000) };

	while (k->next_target < k->targets.n) {
		int fd;

		s->upstream = k->targets.addresses[k->next_target++];
		fd = socket(s->upstream.sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (fd < 0 || !leg_open(s, WIRE_SERVER, fd)) {
			k->last_errno = errno;
			if (fd >= 0)
				close(fd);
			l->fd = -1;
			continue;
		}
		if (connect(fd, (struct sockaddr *)&s->upstream.sa, s->upstream.len) == 0) {
			connected(s);
			return;
		}
		if (errno == EINPROGRESS) {
			event_add(&l->write, patience ? &tv : NULL);
			l->writing = true;
			return;
		}
		k->last_errno = errno;
		leg_close(l);
	}
	dial_unreachable(s, strerror(k->last_errno ? k->last_errno : ENOENT));
}

void
session_resolved(struct session *s, const struct resolved *r)
{
	s->looking_up = false;
	if (s->state != SESSION_RESOLVING)
		return;
	session_move(s, SESSION_CONNECTING);
	if (r->n == 0) {
		dial_unreachable(s, r->error ? r->error : "the name has no address");
		return;
	}
	s->shaking->targets = *r;
	try_next(s);
}

void
dial_start(struct session *s, bool cancel)
{
	struct worker_shared *sh = s->worker->shared;
	const struct upstream_config *up = &s->listener->cfg->upstream;
	struct address target = s->listener->upstream;
	bool known = s->listener->fixed;

	if (cancel) {
		counter_add(&s->worker->counters.cancelled, 1);
		if (cancel_map_get(sh->cancels, s->engine->cancel_target(s->wire), &target))
			known = true;
	}
	if (known) {
		s->shaking->targets.addresses[0] = target;
		s->shaking->targets.n = 1;
		session_move(s, SESSION_CONNECTING);
		try_next(s);
		return;
	}
	session_move(s, SESSION_RESOLVING);
	s->looking_up = true;
	if (!resolver_ask(sh->resolver, up->host, up->port, worker_resolved, s)) {
		s->looking_up = false;
		dial_unreachable(s, "out of memory");
	}
}

void
dial_event(struct session *s, short what)
{
	struct leg *l = &s->leg[WIRE_SERVER];
	int err = 0;
	socklen_t n = sizeof err;

	if (what & EV_TIMEOUT)
		err = ETIMEDOUT;
	else
		getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &err, &n);
	l->writing = true; /* a timeout has already taken the event out */
	leg_want_write(l, false);
	if (err == 0) {
		connected(s);
		return;
	}
	s->shaking->last_errno = err;
	leg_close(l);
	try_next(s);
}
