/* SPDX-License-Identifier: Apache-2.0 */
/* analyzer: see analyzer.h. Merging: the clock is read first, then every ring says up to when it is complete; what is not later than the lowest
 * of these goes to the grouping, oldest first. The marks are one more source. */
#include "analyzer.h"

#include <pthread.h>
#include <time.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "grouping.h"
#include "marks.h"

enum { MILLISECOND = 1000000, BUSY_NAP = 10 * MILLISECOND, IDLE_NAP = 100 * MILLISECOND };

struct analyzer {
	struct ring *const *rings;
	uint32_t nrings;
	struct analyzer_config cfg;
	struct grouping *grouping;
	struct marks *marks;
	struct mark *mark;		/* taken, not yet due */
	pthread_t thread;
	bool running;
	pthread_mutex_t lock;		/* for what follows */
	pthread_cond_t wake;
	bool stop;
	struct coverage coverage;	/* as of the last step */
	struct catalog *catalogs[LIMIT_CATALOGS];	/* handed over, not yet taken */
	uint32_t ncatalogs;
};

static uint64_t
clock_in_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t
monotonic(void)
{
	return clock_in_ns(CLOCK_MONOTONIC);
}

struct analyzer *
analyzer_new(const struct analyzer_config *cfg, struct ring *const *rings, uint32_t nrings, struct request_sink sink)
{
	struct analyzer *a = xmem_zero(sizeof *a);
	pthread_condattr_t attr;

	a->rings = rings;
	a->nrings = nrings;
	a->cfg = *cfg;
	a->grouping = grouping_new(&a->cfg, sink);
	a->marks = marks_new();
	a->coverage = *grouping_coverage(a->grouping);
	pthread_mutex_init(&a->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->wake, &attr);
	pthread_condattr_destroy(&attr);
	return a;
}

void
analyzer_free(struct analyzer *a)
{
	if (!a)
		return;
	if (a->mark)
		mark_free(a->mark);
	for (uint32_t i = 0; i < a->ncatalogs; i++)
		catalog_free(a->catalogs[i]);
	marks_free(a->marks);
	grouping_free(a->grouping);
	pthread_cond_destroy(&a->wake);
	pthread_mutex_destroy(&a->lock);
	mem_free(a);
}

void
analyzer_mark(struct analyzer *a, const char *test, const char *request)
{
	marks_add(a->marks, test, request, monotonic);
}

struct coverage
analyzer_coverage(struct analyzer *a)
{
	struct coverage c;

	pthread_mutex_lock(&a->lock);
	c = a->coverage;
	pthread_mutex_unlock(&a->lock);
	return c;
}

void
analyzer_catalog(struct analyzer *a, struct catalog *c)
{
	pthread_mutex_lock(&a->lock);
	if (a->ncatalogs == LIMIT_CATALOGS) {
		catalog_free(a->catalogs[0]);
		a->catalogs[0] = c;
	} else {
		a->catalogs[a->ncatalogs++] = c;
	}
	pthread_mutex_unlock(&a->lock);
}

static void
take_catalogs(struct analyzer *a)
{
	struct catalog *taken[LIMIT_CATALOGS];
	uint32_t n;

	pthread_mutex_lock(&a->lock);
	n = a->ncatalogs;
	memcpy(taken, a->catalogs, n * sizeof *taken);
	a->ncatalogs = 0;
	pthread_mutex_unlock(&a->lock);
	for (uint32_t i = 0; i < n; i++)
		grouping_catalog(a->grouping, taken[i]);
}

/* ---- merging ---- */

static uint64_t
complete_to(const struct analyzer *a, uint64_t now)
{
	uint64_t low = now;

	for (uint32_t i = 0; i < a->nrings; i++) {
		uint64_t t = ring_complete_to(a->rings[i], now);

		if (t < low)
			low = t;
	}
	return low;
}

/* The ring whose oldest record is the oldest of all and not later than low; *until: up to when the others have nothing. */
static struct ring *
oldest_ring(const struct analyzer *a, uint64_t low, uint64_t *until)
{
	struct ring *oldest = NULL;
	uint64_t t = UINT64_MAX;

	*until = low;
	for (uint32_t i = 0; i < a->nrings; i++) {
		const struct rec *r = ring_peek(a->rings[i]);

		if (!r || r->t > low)
			continue;
		if (r->t < t) {
			if (oldest && t < *until)
				*until = t;
			oldest = a->rings[i];
			t = r->t;
		} else if (r->t < *until) {
			*until = r->t;
		}
	}
	return oldest;
}

/* Gives the grouping the mark that is due by t, if there is one. */
static bool
give_mark(struct analyzer *a, uint64_t t)
{
	if (!a->mark)
		a->mark = marks_take(a->marks, t);
	if (!a->mark || a->mark->rec->h.t > t)
		return false;
	grouping_record(a->grouping, &a->mark->rec->h);
	mark_free(a->mark);
	a->mark = NULL;
	return true;
}

/* All that is not later than low, oldest first. False when there was nothing. */
static bool
drain(struct analyzer *a, uint64_t low)
{
	struct ring *ring;
	uint64_t until;
	bool any = false;

	for (;;) {
		const struct rec *r;

		ring = oldest_ring(a, low, &until);
		any |= ring != NULL;
		if (give_mark(a, ring ? ring_peek(ring)->t : low)) {
			any = true;
			continue;
		}
		if (!ring)
			return any;
		if (!a->mark)
			a->mark = marks_take(a->marks, until);
		if (a->mark && a->mark->rec->h.t < until)
			until = a->mark->rec->h.t;
		for (r = ring_peek(ring); r && r->t <= until; r = ring_peek(ring)) {
			grouping_record(a->grouping, r);
			ring_pop(ring);
		}
	}
}

static void
publish_coverage(struct analyzer *a)
{
	struct coverage c = *grouping_coverage(a->grouping);

	for (uint32_t i = 0; i < a->nrings; i++) {
		c.lost += ring_lost(a->rings[i]);
		c.evidence_shed += ring_shed(a->rings[i]);
	}
	pthread_mutex_lock(&a->lock);
	a->coverage = c;
	pthread_mutex_unlock(&a->lock);
}

/* Wall and monotonic clock drift apart: look again with every step. */
static void
tell_wall(struct analyzer *a)
{
	grouping_wall(a->grouping, (int64_t)(clock_in_ns(CLOCK_REALTIME) / 1000) - (int64_t)(monotonic() / 1000));
}

static bool
step(struct analyzer *a, uint64_t now)
{
	uint64_t low = complete_to(a, now);
	bool any;

	tell_wall(a);
	take_catalogs(a);
	any = drain(a, low);
	grouping_advance(a->grouping, low);
	publish_coverage(a);
	return any;
}

void
analyzer_step(struct analyzer *a, uint64_t now)
{
	step(a, now);
}

/* ---- the thread ---- */

/* True when it is time to stop. Nobody wakes it for work: it naps 10 ms when busy, longer when idle. */
static bool
nap(struct analyzer *a, uint64_t ns)
{
	uint64_t until = monotonic() + ns;
	struct timespec ts = { .tv_sec = (time_t)(until / 1000000000u), .tv_nsec = (long)(until % 1000000000u) };
	bool stop;

	pthread_mutex_lock(&a->lock);
	while (!a->stop && pthread_cond_timedwait(&a->wake, &a->lock, &ts) == 0)
		;
	stop = a->stop;
	pthread_mutex_unlock(&a->lock);
	return stop;
}

static void *
run(void *arg)
{
	struct analyzer *a = arg;
	uint64_t ns = BUSY_NAP;

	while (!nap(a, ns)) {
		if (step(a, monotonic()))
			ns = BUSY_NAP;
		else if (ns < IDLE_NAP)
			ns += BUSY_NAP;
	}
	return NULL;
}

bool
analyzer_start(struct analyzer *a)
{
	a->running = pthread_create(&a->thread, NULL, run, a) == 0;
	return a->running;
}

/* What is still to be read of databases comes in, if it comes soon. */
static void
settle_catalogs(struct analyzer *a)
{
	if (a->cfg.catalogs.settle)
		a->cfg.catalogs.settle(a->cfg.catalogs.ctx);
	take_catalogs(a);
}

void
analyzer_finish(struct analyzer *a)
{
	if (a->running) {
		pthread_mutex_lock(&a->lock);
		a->stop = true;
		pthread_cond_signal(&a->wake);
		pthread_mutex_unlock(&a->lock);
		pthread_join(a->thread, NULL);
		a->running = false;
	}
	tell_wall(a);
	/* Requests close while the rest is drained, and at the end. */
	settle_catalogs(a);
	drain(a, UINT64_MAX);
	settle_catalogs(a);
	grouping_finish(a->grouping);
	publish_coverage(a);
}
