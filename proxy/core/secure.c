/* SPDX-License-Identifier: Apache-2.0 */
/* secure: TLS handshakes of a session's legs, one step per event.
 * Never: lets a byte that came in clear behind the request for TLS count as part of the session (the engine refuses those). */
#include "session_internal.h"

#include <stdio.h>

#include "proxy/log.h"

static enum wire_leg
side_under_way(const struct session *s)
{
	return s->state == SESSION_TLS_CLIENT ? WIRE_CLIENT : WIRE_SERVER;
}

static void
failed(struct session *s, const char *why)
{
	char words[256];

	if (side_under_way(s) == WIRE_SERVER) {
		snprintf(words, sizeof words, "TLS: %s", why);
		dial_unreachable(s, words);
		return;
	}
	log_warn(s->worker->shared->log, s->id, "a client's TLS handshake failed: %s", why);
	counter_add(&s->worker->counters.refused, 1);
	session_end(s, WHY_REFUSED);
}

static void
secured(struct session *s, enum wire_leg side)
{
	struct leg *l = &s->leg[side];

	leg_want_write(l, false);
	leg_want_read(l, !l->ended);
	s->engine->tls_up(s->wire, side);
	session_move(s, SESSION_HANDSHAKE);
	session_shake(s);
	/* Bytes may have come with the last handshake record, where no socket event tells of them. */
	if (l->reading)
		event_active(&l->read, EV_READ, 0);
}

void
secure_event(struct session *s)
{
	enum wire_leg side = side_under_way(s);
	struct leg *l = &s->leg[side];
	char words[200];

	switch (tls_handshake(l->tls)) {
	case TLS_DONE:
		if (s->shaking->direct_tls && side == WIRE_CLIENT && !tls_has_protocol(l->tls))
			failed(s, "it began without asking, and does not name the protocol (ALPN), as direct TLS must");
		else
			secured(s, side);
		break;
	case TLS_WANTS_READ:
		leg_want_write(l, false);
		leg_want_read(l, true);
		break;
	case TLS_WANTS_WRITE:
		leg_want_write(l, true);
		break;
	case TLS_FAILED:
		tls_words(l->tls, words, sizeof words);
		failed(s, words);
		break;
	}
}

/* The context of now, with a reference of our own. NULL: the leg has none. */
static SSL_CTX *
context_of(struct session *s, enum wire_leg side)
{
	pthread_mutex_t *lock = &s->worker->shared->tls_lock;
	SSL_CTX *ctx;

	pthread_mutex_lock(lock);
	ctx = side == WIRE_CLIENT ? s->listener->client_tls : s->listener->server_tls;
	if (ctx)
		SSL_CTX_up_ref(ctx);
	pthread_mutex_unlock(lock);
	return ctx;
}

void
secure_start(struct session *s, enum wire_leg side)
{
	struct leg *l = &s->leg[side];
	struct strbuf *ahead = &s->shaking->in[side];
	SSL_CTX *ctx;

	session_move(s, side == WIRE_CLIENT ? SESSION_TLS_CLIENT : SESSION_TLS_SERVER);
	/* What asked for TLS must have gone in clear before the first record does. */
	if (l->out.n > 0) {
		failed(s, "could not be started");
		return;
	}
	ctx = context_of(s, side);
	if (ctx && side == WIRE_SERVER)
		l->tls = tls_connect(ctx, l->fd, s->listener->cfg);
	else if (ctx) {
		s->shaking->direct_tls = ahead->n > 0 && s->engine == &pg_engine;
		l->tls = tls_accept(ctx, l->fd, strbuf_span(ahead));
		strbuf_reset(ahead);
	}
	SSL_CTX_free(ctx);
	if (!l->tls) {
		failed(s, "could not be set up");
		return;
	}
	secure_event(s);
}
