/* SPDX-License-Identifier: Apache-2.0 */
/* worker: see worker.h. The inbox is a list under a mutex and an eventfd; everything else on this thread is its own. */
#include "worker.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fingerprint/mem.h"
#include "session.h"
#include "session_internal.h"

enum letter_kind { LETTER_ACCEPTED, LETTER_RESOLVED, LETTER_DRAIN, LETTER_STOP };

struct letter {
	struct letter *next;
	enum letter_kind kind;
	struct listener *listener;
	int fd;
	struct address peer;
	struct session *session;
	struct resolved resolved;
};

struct inbox {
	pthread_t thread;
	pthread_mutex_t lock;
	struct letter *first, **last;
	int bell;		/* eventfd */
	struct event *heard;
};

void
worker_woke(struct worker *w)
{
	if (w->asleep) {
		w->asleep = false;
		ring_idle(w->ring, false);
	}
	w->now = clock_ns();
}

static bool
post(struct worker *w, struct letter *l)
{
	struct inbox *in = w->inbox;
	const uint64_t one = 1;

	pthread_mutex_lock(&in->lock);
	l->next = NULL;
	*in->last = l;
	in->last = &l->next;
	pthread_mutex_unlock(&in->lock);
	return write(in->bell, &one, sizeof one) == sizeof one;
}

static void
drain_sessions(struct worker *w)
{
	w->draining = true;
	for (struct session *s = w->sessions, *next; s; s = next) {
		next = s->next;
		session_drain(s);
	}
}

static void
stop_sessions(struct worker *w)
{
	w->stopping = true;
	while (w->sessions)
		session_kill(w->sessions);
}

static void
open_letter(struct worker *w, struct letter *l)
{
	switch (l->kind) {
	case LETTER_ACCEPTED:
		if (w->stopping)
			close(l->fd);
		else
			session_start(w, l->listener, l->fd, &l->peer);
		break;
	case LETTER_RESOLVED:
		session_resolved(l->session, &l->resolved);
		break;
	case LETTER_DRAIN:
		drain_sessions(w);
		break;
	case LETTER_STOP:
		stop_sessions(w);
		break;
	}
}

static void
on_bell(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;
	struct letter *l;
	uint64_t rung;

	(void)what;
	worker_woke(w);
	if (read(fd, &rung, sizeof rung) < 0)
		return; /* rung already answered */
	pthread_mutex_lock(&w->inbox->lock);
	l = w->inbox->first;
	w->inbox->first = NULL;
	w->inbox->last = &w->inbox->first;
	pthread_mutex_unlock(&w->inbox->lock);
	while (l) {
		struct letter *next = l->next;

		open_letter(w, l);
		mem_free(l);
		l = next;
	}
}

/* What the tap counts on this thread alone, for whoever asks. */
static void
publish(struct worker *w)
{
	struct worker_counters *k = &w->counters;
	struct identity_stats ids = identity_stats(w->tap.ids);

	counter_set(&k->cut_texts, w->tap.cut_texts);
	counter_set(&k->cut_tags, w->tap.cut_tags);
	counter_set(&k->cache_hits, ids.hits);
	counter_set(&k->cache_misses, ids.misses);
	counter_set(&k->cache_uncacheable, ids.uncacheable);
	counter_set(&k->cache_evictions, ids.evictions);
	counter_set(&k->cache_entries, ids.entries);
	counter_set(&k->cache_bytes, ids.bytes);
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;

	/* The dead are those the resolver still points to: their answers come as letters. */
	while (!w->stopping || w->dead) {
		publish(w);
		ring_watermark(w->ring, w->now);
		w->asleep = true;
		ring_idle(w->ring, true);
		event_base_loop(w->base, EVLOOP_ONCE);
		session_sweep(w);
	}
	if (w->asleep)
		worker_woke(w);
	publish(w);
	ring_watermark(w->ring, w->now);
	ring_idle(w->ring, true);
	return NULL;
}

static struct event_base *
new_base(void)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base;

	if (!cfg)
		return NULL;
	event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return base;
}

static bool
open_inbox(struct worker *w)
{
	struct inbox *in = mem_zero(sizeof *in);

	if (!in)
		return false;
	w->inbox = in;
	pthread_mutex_init(&in->lock, NULL);
	in->last = &in->first;
	in->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	in->heard = in->bell >= 0 ? event_new(w->base, in->bell, EV_READ | EV_PERSIST, on_bell, w) : NULL;
	return in->heard && event_add(in->heard, NULL) == 0;
}

struct worker *
worker_new(struct worker_shared *shared, struct ring *ring, struct shapes *shapes)
{
	struct worker *w = mem_zero(sizeof *w);

	if (!w)
		return NULL;
	w->shared = shared;
	w->ring = ring;
	w->now = clock_ns();
	w->base = new_base();
	if (!w->base || !open_inbox(w) || !tap_shared_init(&w->tap, ring, shapes)) {
		worker_free(w);
		return NULL;
	}
	w->tap.tag_settings = shared->cfg->tag_settings;
	w->tap.ntag_settings = shared->cfg->ntag_settings;
	w->tap.evidence = shared->cfg->lineage;
	w->tap.values = shared->cfg->record_values;
	if (pthread_create(&w->inbox->thread, NULL, worker_main, w) != 0) {
		worker_free(w);
		return NULL;
	}
	return w;
}

bool
worker_accept(struct worker *w, struct listener *l, int fd, const struct address *peer)
{
	struct letter *m = mem_zero(sizeof *m);

	if (!m)
		return false;
	m->kind = LETTER_ACCEPTED;
	m->listener = l;
	m->fd = fd;
	m->peer = *peer;
	if (!post(w, m))
		abort(); /* an eventfd that refuses one more ring does not exist below 2^64 */
	return true;
}

void
worker_resolved(void *session, const struct resolved *r)
{
	struct session *s = session;
	struct letter *m = xmem_zero(sizeof *m);

	m->kind = LETTER_RESOLVED;
	m->session = s;
	m->resolved = *r;
	if (!post(s->worker, m))
		abort();
}

static void
tell(struct worker *w, enum letter_kind kind)
{
	struct letter *m = xmem_zero(sizeof *m);

	m->kind = kind;
	if (!post(w, m))
		abort();
}

void
worker_drain(struct worker *w)
{
	tell(w, LETTER_DRAIN);
}

void
worker_stop(struct worker *w)
{
	tell(w, LETTER_STOP);
	pthread_join(w->inbox->thread, NULL);
}

void
worker_free(struct worker *w)
{
	if (!w)
		return;
	if (w->inbox) {
		for (struct letter *l = w->inbox->first, *next; l; l = next) {
			next = l->next;
			if (l->kind == LETTER_ACCEPTED)
				close(l->fd);
			mem_free(l);
		}
		if (w->inbox->heard)
			event_free(w->inbox->heard);
		if (w->inbox->bell >= 0)
			close(w->inbox->bell);
		pthread_mutex_destroy(&w->inbox->lock);
		mem_free(w->inbox);
	}
	tap_shared_clear(&w->tap);
	if (w->base)
		event_base_free(w->base);
	mem_free(w);
}
