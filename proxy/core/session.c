/* SPDX-License-Identifier: Apache-2.0 */
/* session: see session.h. Life, states and the handshake; dial.c and pump.c hold the rest. */
#include "session_internal.h"

#include <stdlib.h>
#include <unistd.h>

#include "fingerprint/mem.h"
#include "proxy/log.h"

#define BIT(s) (1u << (s))

enum { FLUSH_S = 5 };	/* for a client that takes nothing of its last words */

static const struct {
	const char *name;
	unsigned to;	/* legal successors */
} states[SESSION_STATES] = {
	[SESSION_HANDSHAKE] = { "handshake", BIT(SESSION_RESOLVING) | BIT(SESSION_CONNECTING) | BIT(SESSION_TLS_SERVER) | BIT(SESSION_TLS_CLIENT) |
	    BIT(SESSION_PIPE) | BIT(SESSION_FLUSHING) | BIT(SESSION_ENDED) },
	[SESSION_RESOLVING] = { "resolving", BIT(SESSION_CONNECTING) | BIT(SESSION_FLUSHING) | BIT(SESSION_ENDED) },
	[SESSION_CONNECTING] = { "connecting", BIT(SESSION_HANDSHAKE) | BIT(SESSION_FLUSHING) | BIT(SESSION_ENDED) },
	[SESSION_TLS_SERVER] = { "tls to the server", BIT(SESSION_HANDSHAKE) | BIT(SESSION_FLUSHING) | BIT(SESSION_ENDED) },
	[SESSION_TLS_CLIENT] = { "tls to the client", BIT(SESSION_HANDSHAKE) | BIT(SESSION_ENDED) },
	[SESSION_PIPE] = { "pipe", BIT(SESSION_FLUSHING) | BIT(SESSION_ENDED) },
	[SESSION_FLUSHING] = { "flushing", BIT(SESSION_ENDED) },
	[SESSION_ENDED] = { "ended", 0 },
};

static const char *const reasons[] = {
	[WHY_CLOSED] = "closed", [WHY_CLIENT_RESET] = "client reset", [WHY_SERVER_RESET] = "server reset", [WHY_REFUSED] = "refused",
	[WHY_UNREACHABLE] = "upstream unreachable", [WHY_DRAINED] = "drained", [WHY_STOPPED] = "stopped", [WHY_MEMORY] = "out of memory",
	[WHY_TIMEOUT] = "timeout",
};

void
session_move(struct session *s, enum session_state to)
{
	if (!(states[s->state].to & BIT(to))) {
		log_error(s->worker->shared->log, s->id, "bug: session cannot go from %s to %s", states[s->state].name, states[to].name);
		abort();
	}
	log_debug(s->worker->shared->log, s->id, "%s -> %s", states[s->state].name, states[to].name);
	s->state = to;
}

static void
drop_shaking(struct session *s)
{
	if (!s->shaking)
		return;
	evtimer_del(&s->shaking->deadline);
	strbuf_clear(&s->shaking->in[WIRE_CLIENT]);
	strbuf_clear(&s->shaking->in[WIRE_SERVER]);
	mem_free(s->shaking);
	s->shaking = NULL;
}

void
session_end(struct session *s, enum session_why why)
{
	struct worker *w = s->worker;

	if (s->state == SESSION_ENDED)
		return;
	session_move(s, SESSION_ENDED);
	log_debug(w->shared->log, s->id, "ended: %s", reasons[why]);
	/* The server first: it must be gone before the client sees us go. */
	leg_close(&s->leg[WIRE_SERVER]);
	leg_close(&s->leg[WIRE_CLIENT]);
	s->tap.now = w->now;
	if (s->wire)
		s->engine->free(s->wire, w->now);
	s->wire = NULL;
	tap_close(&s->tap, w->now);
	if (s->has_key)
		cancel_map_drop(w->shared->cancels, s->id);
	drop_shaking(s);
	if (s->prev)
		s->prev->next = s->next;
	else
		w->sessions = s->next;
	if (s->next)
		s->next->prev = s->prev;
	s->prev = NULL;
	s->next = w->dead;
	w->dead = s;
	counter_add(&w->counters.open, (uint64_t)-1);
}

void
session_sweep(struct worker *w)
{
	struct session **at = &w->dead;

	while (*at) {
		struct session *s = *at;

		if (s->looking_up) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		mem_free(s);
	}
}

void
session_flush(struct session *s, enum session_why why)
{
	static const struct timeval patience = { FLUSH_S, 0 };
	struct leg *c = &s->leg[WIRE_CLIENT];

	if (s->state == SESSION_ENDED)
		return;
	if (c->fd < 0 || c->out.n == 0) {
		session_end(s, why);
		return;
	}
	session_move(s, SESSION_FLUSHING);
	leg_close(&s->leg[WIRE_SERVER]);
	/* Again and again as it takes some: only a client that takes nothing is left alone. */
	event_add(&c->write, &patience);
	c->writing = true;
}

void
session_refuse(struct session *s, const char *sqlstate, const char *message, enum session_why why)
{
	struct strbuf words;

	strbuf_init(&words, LIMIT_HANDSHAKE);
	if (s->engine->refuse(s->wire, sqlstate, message, &words) && !leg_send(&s->leg[WIRE_CLIENT], strbuf_span(&words)))
		log_debug(s->worker->shared->log, s->id, "client left before it could be told: %s", message);
	strbuf_clear(&words);
	counter_add(&s->worker->counters.refused, 1);
	session_flush(s, why);
}

static void
start_deadline(struct session *s)
{
	uint64_t ms = s->worker->shared->handshake_ms;
	struct timeval tv = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) };

	evtimer_add(&s->shaking->deadline, &tv);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;

	(void)fd;
	(void)what;
	worker_woke(s->worker);
	if (s->state == SESSION_RESOLVING || s->state == SESSION_CONNECTING)
		start_deadline(s);	/* each address has a time of its own */
	else if (s->state != SESSION_FLUSHING)
		session_refuse(s, "08006", "rowcall: the connection was not set up in time", WHY_TIMEOUT);
}

/* The handshake is over: what was read ahead goes through the pipe like anything later. */
static void
open_pipe(struct session *s)
{
	struct shaking *k = s->shaking;

	s->shaking = NULL;
	evtimer_del(&k->deadline);
	session_move(s, SESSION_PIPE);
	for (int side = WIRE_CLIENT; side <= WIRE_SERVER; side++)
		if (s->state == SESSION_PIPE && k->in[side].n > 0)
			pump_forward(&s->leg[side], strbuf_span(&k->in[side]));
	pump_begin(s);
	strbuf_clear(&k->in[WIRE_CLIENT]);
	strbuf_clear(&k->in[WIRE_SERVER]);
	mem_free(k);
}

static void
follow(struct session *s, enum wire_act act)
{
	switch (act) {
	case WIRE_MORE:
		break;
	case WIRE_DIAL:
	case WIRE_DIAL_CANCEL:
		dial_start(s, act == WIRE_DIAL_CANCEL);
		break;
	case WIRE_TLS_START_SERVER:
		secure_start(s, WIRE_SERVER);
		break;
	case WIRE_TLS_START_CLIENT:
		secure_start(s, WIRE_CLIENT);
		break;
	case WIRE_BLIND:
		s->blind = true;
		open_pipe(s);
		break;
	case WIRE_PIPE:
		open_pipe(s);
		break;
	case WIRE_CLOSE:
		counter_add(&s->worker->counters.refused, 1);
		session_flush(s, WHY_REFUSED);
		break;
	}
}

/* One call to the engine for one leg. True when it consumed, said or did something. */
static bool
shake_leg(struct session *s, enum wire_leg side)
{
	struct strbuf *in = &s->shaking->in[side], to[2];
	size_t used = 0;
	bool ok = true, said;
	enum wire_act act;

	strbuf_init(&to[WIRE_CLIENT], LIMIT_HANDSHAKE);
	strbuf_init(&to[WIRE_SERVER], LIMIT_HANDSHAKE);
	s->tap.now = s->worker->now;
	act = s->engine->handshake(s->wire, side, strbuf_span(in), &used, &to[WIRE_CLIENT], &to[WIRE_SERVER], s->worker->now);
	strbuf_drop(in, used);
	said = to[WIRE_CLIENT].n > 0 || to[WIRE_SERVER].n > 0;
	for (int leg = WIRE_CLIENT; leg <= WIRE_SERVER; leg++) {
		if (to[leg].n > 0 && s->leg[leg].fd >= 0)
			ok = leg_send(&s->leg[leg], strbuf_span(&to[leg])) && ok;
		strbuf_clear(&to[leg]);
	}
	if (!ok) {
		session_flush(s, WHY_SERVER_RESET);
		return false;
	}
	follow(s, act);
	return s->state == SESSION_HANDSHAKE && (used > 0 || said || act != WIRE_MORE);
}

void
session_shake(struct session *s)
{
	bool went_on = true;

	while (went_on && s->state == SESSION_HANDSHAKE) {
		went_on = shake_leg(s, WIRE_CLIENT);
		if (s->state == SESSION_HANDSHAKE)
			went_on = shake_leg(s, WIRE_SERVER) || went_on;
	}
	session_await(s);
}

void
session_await(struct session *s)
{
	if (s->state != SESSION_HANDSHAKE)
		return;
	if (s->leg[WIRE_CLIENT].ended && s->engine->needs_client(s->wire)) {
		session_end(s, WHY_CLOSED);
		return;
	}
	for (int side = WIRE_CLIENT; side <= WIRE_SERVER; side++)
		leg_want_read(&s->leg[side], !s->leg[side].ended && s->shaking->in[side].n < LIMIT_HANDSHAKE);
}

static void
on_cancel_key(void *ctx, struct span key)
{
	struct session *s = ctx;

	s->has_key = cancel_map_put(s->worker->shared->cancels, s->id, key, &s->upstream) || s->has_key;
}

/* What SCRAM binds to: the certificate the client sees must be the server's own. */
static bool
same_certificate(struct session *s)
{
	SSL *client = s->leg[WIRE_CLIENT].tls, *server = s->leg[WIRE_SERVER].tls;
	const X509 *ours = client ? SSL_get_certificate(client) : NULL, *theirs = server ? SSL_get0_peer_certificate(server) : NULL;

	return ours && theirs && X509_cmp(ours, theirs) == 0;
}

static void
on_fact(void *ctx, struct span name, struct span value)
{
	struct session *s = ctx;
	struct listener *l = s->listener;

	if (span_is(name, "client_encoding") || span_is(name, "character_set_client")) {
		if (!atomic_exchange_explicit(&l->encoding_said, true, memory_order_relaxed))
			log_info(s->worker->shared->log, s->id, "%s: statements in %.*s are read character by character; in shapes their letters beyond ASCII are shown "
			    "as Latin-1", l->cfg->name, (int)value.n, value.p);
		return;
	}
	if (!span_is(name, "channel_binding") || !span_is(value, "certificates differ") || same_certificate(s))
		return;
	if (atomic_exchange_explicit(&l->binding_said, true, memory_order_relaxed))
		return;
	log_warn(s->worker->shared->log, s->id,
	    "%s: the server offers channel binding, which fails across two certificates (\"SCRAM channel binding check failed\"): give rowcall the "
	    "server's own certificate and key, or set server_tls: disable, or PGCHANNELBINDING=disable for the clients", l->cfg->name);
}

static void
on_opaque(void *ctx, enum wire_opaque why, const char *detail)
{
	struct session *s = ctx;

	s->blind = true;
	counter_add(&s->worker->counters.opaque[why], 1);
	if (wire_opaque_expected(why))
		log_info(s->worker->shared->log, s->id, "forwarded without inspection: %s%s%s", wire_opaque_name(why), *detail ? ": " : "", detail);
	else
		log_warn(s->worker->shared->log, s->id, "no longer understood, forwarded without inspection: %s%s%s", wire_opaque_name(why),
		    *detail ? ": " : "", detail);
}

static struct session *
session_new(struct worker *w, struct listener *l)
{
	struct session *s = mem_zero(sizeof *s);

	if (!s)
		return NULL;
	s->worker = w;
	s->listener = l;
	s->engine = l->engine;
	s->id = atomic_fetch_add_explicit(&w->shared->next_session, 1, memory_order_relaxed) + 1;
	s->state = SESSION_HANDSHAKE;
	for (int i = 0; i < 2; i++) {
		s->leg[i].session = s;
		s->leg[i].fd = -1;
		strbuf_init(&s->leg[i].out, LIMIT_OUT_QUEUE);
	}
	s->tap = (struct tap){ .shared = &w->tap, .engine = l->engine, .session = s->id, .now = w->now, .ctx = s,
		.on_cancel_key = on_cancel_key, .on_opaque = on_opaque, .on_fact = on_fact,
		.lang = { l->engine == &pg_engine ? SQL_POSTGRESQL : SQL_MYSQL, 0 } };
	s->shaking = mem_zero(sizeof *s->shaking);
	s->wire = s->engine->open(&l->cfg->setup, tap_ops(&w->tap), &s->tap);
	s->tap.conn = s->wire;
	if (!s->shaking || !s->wire) {
		if (s->wire)
			s->engine->free(s->wire, w->now);
		mem_free(s->shaking);
		mem_free(s);
		return NULL;
	}
	strbuf_init(&s->shaking->in[WIRE_CLIENT], LIMIT_HANDSHAKE + LIMIT_READ_BUFFER);
	strbuf_init(&s->shaking->in[WIRE_SERVER], LIMIT_HANDSHAKE + LIMIT_READ_BUFFER);
	evtimer_assign(&s->shaking->deadline, w->base, on_deadline, s);
	start_deadline(s);
	return s;
}

void
session_start(struct worker *w, struct listener *l, int fd, const struct address *peer)
{
	struct session *s = session_new(w, l);
	char words[ADDRESS_TEXT];

	counter_add(&w->counters.accepted, 1);
	if (!s) {
		close(fd);
		return;
	}
	address_text(peer, words);
	address_tune(fd, peer->sa.ss_family);
	s->next = w->sessions;
	if (s->next)
		s->next->prev = s;
	w->sessions = s;
	counter_add(&w->counters.open, 1);
	log_debug(w->shared->log, s->id, "accepted %s on %s", words, l->cfg->name);
	tap_open(&s->tap, l->index, words, w->now);
	if (!leg_open(s, WIRE_CLIENT, fd)) {
		close(fd);
		s->leg[WIRE_CLIENT].fd = -1;
		session_end(s, WHY_MEMORY);
		return;
	}
	session_shake(s);
}

void
session_drain(struct session *s)
{
	bool quiet = s->state == SESSION_PIPE && !s->blind && s->engine->idle(s->wire);

	if ((quiet && s->leg[WIRE_CLIENT].out.n == 0) || s->state == SESSION_HANDSHAKE)
		session_end(s, WHY_DRAINED);
}

void
session_kill(struct session *s)
{
	session_end(s, WHY_STOPPED);
}
