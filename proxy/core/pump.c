/* SPDX-License-Identifier: Apache-2.0 */
/* pump: the forwarding path. recv into the worker's one buffer, send to the peer at once, queue only what the kernel refuses and then stop
 * reading, and only after that lend the same bytes to the parser. Plain and TLS legs run through the same lines.
 * Never: a system call per row or message, a copy of bytes the kernel took. */
#include "session_internal.h"

#include <errno.h>
#include <unistd.h>

#include "fingerprint/mem.h"

enum { TLS_READS_PER_TURN = 16 };	/* records read from one TLS leg before others get their turn */

static void
on_leg(evutil_socket_t fd, short what, void *arg)
{
	struct leg *l = arg;
	struct session *s = l->session;

	(void)fd;
	worker_woke(s->worker);
	if (s->state == SESSION_CONNECTING && leg_side(l) == WIRE_SERVER) {
		dial_event(s, what);
		return;
	}
	if ((s->state == SESSION_TLS_SERVER && leg_side(l) == WIRE_SERVER) || (s->state == SESSION_TLS_CLIENT && leg_side(l) == WIRE_CLIENT)) {
		secure_event(s);
		return;
	}
	if (s->state != SESSION_ENDED && (what & EV_WRITE))
		pump_writable(l);
	if (s->state != SESSION_ENDED && (what & (EV_READ | EV_CLOSED)))
		pump_readable(l, what);
	if (s->state == SESSION_FLUSHING && (what & EV_TIMEOUT))
		session_end(s, WHY_TIMEOUT);
	if (s->worker->draining)
		session_drain(s);
}

bool
leg_open(struct session *s, enum wire_leg side, int fd)
{
	struct leg *l = &s->leg[side];

	l->fd = fd;
	return event_assign(&l->read, s->worker->base, fd, EV_READ | EV_CLOSED | EV_PERSIST, on_leg, l) == 0 &&
	       event_assign(&l->write, s->worker->base, fd, EV_WRITE | EV_PERSIST, on_leg, l) == 0;
}

void
leg_close(struct leg *l)
{
	if (l->fd < 0)
		return;
	/* Also what was made active by hand while it was not armed. */
	event_del(&l->read);
	event_del(&l->write);
	l->reading = l->writing = false;
	if (l->tls) {
		if (!l->shut)
			tls_shutdown(l->tls);
		SSL_free(l->tls);
		l->tls = NULL;
	}
	close(l->fd);
	l->fd = -1;
	strbuf_clear(&l->out);
}

void
leg_want_read(struct leg *l, bool on)
{
	if (l->reading == on || l->fd < 0)
		return;
	l->reading = on;
	if (on)
		event_add(&l->read, NULL);
	else
		event_del(&l->read);
}

void
leg_want_write(struct leg *l, bool on)
{
	if (l->writing == on || l->fd < 0)
		return;
	l->writing = on;
	if (on)
		event_add(&l->write, NULL);
	else
		event_del(&l->write);
}

ssize_t
leg_recv(struct leg *l, void *buf, size_t n)
{
	return l->tls ? tls_recv(l->tls, buf, n) : recv(l->fd, buf, n, 0);
}

static ssize_t
send_some(struct leg *l, struct span bytes)
{
	ssize_t n = l->tls ? tls_send(l->tls, bytes.p, bytes.n) : send(l->fd, bytes.p, bytes.n, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n;
}

bool
leg_send(struct leg *l, struct span bytes)
{
	/* A TLS leg takes one record at a time: go on while it takes something. */
	while (l->out.n == 0 && bytes.n > 0) {
		ssize_t n = send_some(l, bytes);

		if (n < 0)
			return false;
		bytes = span_from(bytes, (size_t)n);
		if (n == 0 || !l->tls)
			break;
	}
	if (bytes.n == 0)
		return true;
	if (!strbuf_add(&l->out, bytes)) {
		errno = ENOBUFS;
		return false;
	}
	leg_want_write(l, true);
	return true;
}

bool
leg_flush(struct leg *l)
{
	while (l->out.n > 0) {
		ssize_t n = send_some(l, strbuf_span(&l->out));

		if (n < 0)
			return false;
		if (n == 0)
			return true;
		strbuf_drop(&l->out, (size_t)n);
	}
	strbuf_clear(&l->out);
	leg_want_write(l, false);
	return true;
}

/* Passes the FIN of the other side on, once everything before it has gone. */
static void
pass_fin(struct leg *to)
{
	if (to->shut || to->fd < 0 || to->out.n > 0)
		return;
	to->shut = true;
	if (to->tls)
		tls_shutdown(to->tls);
	shutdown(to->fd, SHUT_WR);
}

/* The peer does not take bytes any more. What it still had to say (a FATAL before the close) goes to the other side first. */
static void
peer_broken(struct leg *peer)
{
	struct session *s = peer->session;
	struct worker *w = s->worker;
	struct leg *l = other_leg(peer);
	bool sent = true;
	ssize_t n;

	while (sent && l->out.n == 0 && (n = leg_recv(peer, w->buf, sizeof w->buf)) > 0) {
		counter_add(&w->counters.bytes[leg_side(peer)], (uint64_t)n);
		sent = leg_send(l, span_of(w->buf, (size_t)n));
		if (!s->blind)
			s->engine->feed(s->wire, leg_side(peer), span_of(w->buf, (size_t)n), w->now);
	}
	if (leg_side(peer) == WIRE_CLIENT)
		session_end(s, WHY_CLIENT_RESET);
	else
		session_flush(s, WHY_SERVER_RESET);
}

bool
pump_forward(struct leg *l, struct span bytes)
{
	struct session *s = l->session;
	struct worker *w = s->worker;
	struct leg *peer = other_leg(l);
	enum wire_leg side = leg_side(l);

	counter_add(&w->counters.bytes[side], bytes.n);
	if (!leg_send(peer, bytes)) {
		/* The parser still sees what was sent, so that its last statement is told as lost. */
		if (!s->blind)
			s->engine->feed(s->wire, side, bytes, w->now);
		peer_broken(peer);
		return false;
	}
	if (peer->out.n > 0)
		leg_want_read(l, false);
	if (!s->blind) {
		s->tap.now = w->now;
		s->engine->feed(s->wire, side, bytes, w->now);
	}
	return true;
}

static void
leg_ended(struct leg *l)
{
	struct session *s = l->session;
	struct leg *peer = other_leg(l);

	l->ended = true;
	leg_want_read(l, false);
	if (!s->blind) {
		s->tap.now = s->worker->now;
		s->engine->eof(s->wire, leg_side(l), s->worker->now);
	}
	pass_fin(peer);
	if (peer->ended && peer->out.n == 0 && l->out.n == 0)
		session_end(s, WHY_CLOSED);
}

/* Before the pipe is open bytes are kept for the engine, up to a limit no first message reaches. */
static void
shake_readable(struct leg *l, struct span bytes)
{
	struct session *s = l->session;

	struct strbuf *in = &s->shaking->in[leg_side(l)];

	if (!strbuf_add(in, bytes)) {
		session_end(s, WHY_MEMORY);
		return;
	}
	if (in->n >= LIMIT_HANDSHAKE)
		leg_want_read(l, false); /* the rest stays in the kernel until the engine has taken some */
	if (s->state == SESSION_HANDSHAKE)
		session_shake(s);
}

/* A client may say all it has to say and close its half before the pipe is open: it still wants its answers. */
static void
shake_ended(struct leg *l)
{
	struct session *s = l->session;

	l->ended = true;
	leg_want_read(l, false);
	if (leg_side(l) == WIRE_SERVER)
		session_flush(s, WHY_CLOSED); /* what it said before has been relayed by the engine */
	else
		session_await(s);
}

/* The pipe is open: a FIN that came earlier goes through it now. */
void
pump_begin(struct session *s)
{
	for (int side = WIRE_CLIENT; side <= WIRE_SERVER; side++)
		if (s->state == SESSION_PIPE && s->leg[side].ended)
			leg_ended(&s->leg[side]);
		else
			leg_want_read(&s->leg[side], s->state == SESSION_PIPE && s->leg[1 - side].out.n == 0);
}

/* One recv; false when there is nothing more to read now or the session is over. */
static bool
read_once(struct leg *l)
{
	struct session *s = l->session;
	struct worker *w = s->worker;
	ssize_t n = leg_recv(l, w->buf, sizeof w->buf);

	w->now = clock_ns();
	if (n > 0) {
		struct span bytes = span_of(w->buf, (size_t)n);

		if (s->state == SESSION_PIPE)
			return pump_forward(l, bytes) && l->reading;
		if (s->state == SESSION_FLUSHING)
			return true; /* too late to matter */
		shake_readable(l, bytes);
		return s->state != SESSION_ENDED && l->fd >= 0 && l->reading;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n < 0)
		session_end(s, leg_side(l) == WIRE_CLIENT ? WHY_CLIENT_RESET : WHY_SERVER_RESET);
	else if (s->state == SESSION_PIPE)
		leg_ended(l);
	else
		shake_ended(l);
	return false;
}

void
pump_readable(struct leg *l, short what)
{
	/* Once is enough for a plain leg: the loop comes back while there is more. A hang-up right behind the data is passed on in this same
	 * turn (DROP DATABASE must not find the session still there), and TLS may hold bytes the socket no longer shows. */
	unsigned turns = (what & EV_CLOSED) ? UINT16_MAX : l->tls ? TLS_READS_PER_TURN : 1;
	struct session *s = l->session;

	while (turns-- > 0 && read_once(l))
		continue;
	if (s->state == SESSION_PIPE && l->tls && l->reading && SSL_pending(l->tls) > 0)
		event_active(&l->read, EV_READ, 0);
}

void
pump_writable(struct leg *l)
{
	struct session *s = l->session;
	struct leg *from = other_leg(l);

	if (!leg_flush(l)) {
		if (s->state == SESSION_PIPE)
			peer_broken(l);
		else
			session_end(s, WHY_CLIENT_RESET);
		return;
	}
	if (l->out.n > 0)
		return;
	if (s->state == SESSION_FLUSHING) {
		session_end(s, WHY_CLOSED);
		return;
	}
	if (s->state != SESSION_PIPE)
		return;
	if (from->ended) {
		pass_fin(l);
		if (l->ended && from->out.n == 0)
			session_end(s, WHY_CLOSED);
		return;
	}
	leg_want_read(from, true);
	if (from->tls) /* bytes may wait inside OpenSSL, where no socket event tells of them */
		event_active(&from->read, EV_READ, 0);
}
