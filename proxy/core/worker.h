/* SPDX-License-Identifier: Apache-2.0 */
/* worker: one thread, one event base, the shared read buffer, the ring to the analyzer, and the sessions that live on it.
 * Does: take accepted sockets from its inbox, run the loop, publish its watermark, free ended sessions after each turn.
 * Never: takes a lock on the forwarding path (the inbox lock is for arrivals only). */
#ifndef ROWCALL_WORKER_H
#define ROWCALL_WORKER_H

#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>

#include "cancel.h"
#include "fingerprint/limits.h"
#include "proxy/capture.h"
#include "proxy/clock.h"
#include "resolver.h"
#include "tap.h"
#include "tls.h"

struct session;

/* One listener while it runs. Read-only for workers but for what says otherwise. */
struct listener {
	const struct listen_config *cfg;
	const struct wire_engine *engine;
	uint16_t index;
	int fd;			/* acceptor's */
	struct event *event;	/* acceptor's */
	struct address bound;
	bool fixed;		/* upstream is numeric or a Unix socket: `upstream` is its address */
	struct address upstream;
	/* Behind worker_shared.tls_lock: a reload replaces them. */
	SSL_CTX *server_tls;	/* NULL when the server leg is never TLS */
	SSL_CTX *client_tls;	/* NULL when the client leg is never TLS */
	_Atomic bool encoding_said;	/* that clients use an encoding whose second bytes can look like quotes has been logged */
	_Atomic bool binding_said;	/* that channel binding cannot work here has been logged */
};

/* What all workers share; read-only after start except for what says atomic. */
struct worker_shared {
	const struct config *cfg;
	struct log *log;
	struct resolver *resolver;
	struct cancel_map *cancels;
	struct listener *listeners;
	uint32_t nlisteners;
	_Atomic uint32_t next_session;
	uint64_t handshake_ms;		/* from accept to the pipe, waits for addresses not counted */
	pthread_mutex_t tls_lock;	/* guards the listeners' TLS contexts; taken once per TLS handshake */
};

/* Written by the worker alone (relaxed), read by anybody. */
struct worker_counters {
	_Atomic uint64_t accepted, open, refused, upstream_failures, cancelled, bytes[2], opaque[WIRE_OPAQUE_REASONS];
	/* Published once per turn of the loop. */
	_Atomic uint64_t cut_texts, cut_tags, cache_hits, cache_misses, cache_uncacheable, cache_evictions, cache_entries, cache_bytes;
};

struct worker {
	struct worker_shared *shared;
	struct event_base *base;
	struct tap_shared tap;
	struct ring *ring;
	uint64_t now;			/* ns, read once per event */
	bool asleep, draining, stopping;
	struct session *sessions;	/* live ones */
	struct session *dead;		/* freed after this loop turn */
	struct worker_counters counters;
	struct inbox *inbox;
	uint8_t buf[LIMIT_READ_BUFFER];
};

/* Allocates and starts the thread. NULL: memory or thread. */
struct worker *worker_new(struct worker_shared *shared, struct ring *ring, struct shapes *shapes) __attribute__((warn_unused_result));
/* Any thread: hand over an accepted socket (non-blocking, close-on-exec). False: memory is out, the caller closes it. */
bool worker_accept(struct worker *w, struct listener *l, int fd, const struct address *peer) __attribute__((warn_unused_result));
/* Any thread: a look-up is done; called by the resolver with the session as ctx. */
void worker_resolved(void *session, const struct resolved *r);
void worker_drain(struct worker *w);
/* Ends all sessions and the thread. */
void worker_stop(struct worker *w);
void worker_free(struct worker *w);

/* First thing in every callback: awake for the ring's sake, and the time. */
void worker_woke(struct worker *w);

static inline void
counter_add(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline void
counter_set(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c, n, memory_order_relaxed);
}

static inline uint64_t
counter_get(const _Atomic uint64_t *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

#endif
