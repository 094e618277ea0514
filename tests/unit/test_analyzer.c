/* SPDX-License-Identifier: Apache-2.0 */
/* The analyzer between rings and sink: merging in time order, marks, its thread with two workers at once, what is counted as lost. */
#include <pthread.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "fingerprint/mem.h"
#include "reports/requests/analyzer.h"

enum { MS = 1000000 };

static const struct shape query = { .cls = SQL_READ, .verb = SQL_V_SELECT, .text = "q", .fingerprint = 1 };
static const struct analyzer_config config = { .idle_gap = 100 * MS, .quiet = 1000 * (uint64_t)MS, .keyed_quiet = 60000 * (uint64_t)MS };

static uint64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---- a worker's side ---- */

static bool
put_start(struct ring *r, uint32_t session, uint32_t seq, uint64_t t, const char *key, const char *value)
{
	uint16_t n[2] = { (uint16_t)strlen(key), (uint16_t)strlen(value) };
	size_t tags_n = n[0] ? sizeof n + n[0] + n[1] : 0;
	struct rec_start *st = ring_reserve(r, sizeof *st + tags_n, false);

	if (!st)
		return false;
	st->h.type = REC_START;
	st->h.t = t;
	st->h.session = session;
	st->h.seq = seq;
	st->shape = &query;
	st->params = seq;
	st->round_trips = st->iterations = 1;
	st->part = 0;
	st->ntags = tags_n > 0;
	st->tags_n = (uint32_t)tags_n;
	if (tags_n) {
		memcpy(st->tags, n, sizeof n);
		memcpy(st->tags + sizeof n, key, n[0]);
		memcpy(st->tags + sizeof n + n[0], value, n[1]);
	}
	ring_commit(r);
	return true;
}

static bool
put_end(struct ring *r, uint32_t session, uint32_t seq, uint64_t start, uint64_t t)
{
	struct rec_end *e = ring_reserve(r, sizeof *e, false);

	if (!e)
		return false;
	*e = (struct rec_end){ .h = e->h, .start = start, .first = t, .busy = t - start, .rows = 1 };
	e->h.type = REC_END;
	e->h.t = t;
	e->h.session = session;
	e->h.seq = seq;
	ring_commit(r);
	return true;
}

static void
put_query(struct ring *r, uint32_t session, uint32_t seq, uint64_t t, const char *request)
{
	assert_true(put_start(r, session, seq, t, "request_id", request));
	assert_true(put_end(r, session, seq, t, t + 1));
}

/* ---- what comes out ---- */

struct heard {
	struct strbuf text;	/* "key:statements/lanes " of each request */
	uint64_t statements, requests;
	int64_t wall;
};

static void
on_request(void *ctx, const struct request *r)
{
	struct heard *h = ctx;

	strbuf_printf(&h->text, "%s:%u/%u ", *r->key ? r->key : "-", r->nstmts, r->nlanes);
	h->statements += r->nstmts + r->stmts_cut;
	h->requests++;
	h->wall = r->wall_start_us;
}

static struct analyzer *
analyzer(struct heard *h, struct ring *const *rings, uint32_t n)
{
	*h = (struct heard){ 0 };
	strbuf_init(&h->text, 1 << 20);
	return analyzer_new(&config, rings, n, (struct request_sink){ .ctx = h, .request = on_request });
}

/* ---- merging ---- */

static void
waits_for_the_slowest_worker(void **state)
{
	struct ring *rings[] = { ring_new(65536, 0), ring_new(65536, 0) };
	struct heard h;
	struct analyzer *a = analyzer(&h, rings, 2);

	(void)state;
	put_query(rings[0], 1, 1, 10, "r1");
	put_query(rings[0], 1, 2, 60, "r1");
	put_query(rings[1], 2, 1, 40, "r1");
	put_query(rings[1], 2, 2, 80, "r1");
	ring_watermark(rings[0], 100);
	analyzer_step(a, 1000);
	assert_int_equal(analyzer_coverage(a).statements, 0);
	ring_watermark(rings[1], 60);
	analyzer_step(a, 1000);
	assert_int_equal(analyzer_coverage(a).statements, 3);
	ring_idle(rings[1], true);
	analyzer_step(a, 1000);
	assert_int_equal(analyzer_coverage(a).statements, 4);
	put_query(rings[0], 1, 3, 90, "r1");
	put_query(rings[0], 1, 4, 120, "r1");
	ring_idle(rings[0], true);
	analyzer_step(a, 110); /* the clock was read before the last one came */
	assert_int_equal(analyzer_coverage(a).statements, 5);
	analyzer_finish(a);
	assert_int_equal(analyzer_coverage(a).statements, 6);
	assert_string_equal(strbuf_cstr(&h.text), "r1:6/2 ");
	analyzer_free(a);
	strbuf_clear(&h.text);
	ring_free(rings[0]);
	ring_free(rings[1]);
}

static void
merges_in_order_of_time(void **state)
{
	struct ring *rings[] = { ring_new(65536, 0), ring_new(65536, 0), ring_new(65536, 0) };
	struct heard h;
	struct analyzer *a = analyzer(&h, rings, 3);
	char name[16];

	(void)state;
	for (uint32_t i = 0; i < 60; i++) {
		snprintf(name, sizeof name, "%02u", i);
		put_query(rings[(i * 2654435761u >> 13) % 3], 1 + (i * 2654435761u >> 13) % 3, i + 1, 10 * i, name);
	}
	analyzer_finish(a); /* takes what no watermark covers, closes in order of start */
	for (uint32_t i = 0; i < 60; i++) {
		snprintf(name, sizeof name, "%02u:1/1 ", i);
		assert_memory_equal(strbuf_cstr(&h.text) + 7 * i, name, 7);
	}
	analyzer_free(a);
	strbuf_clear(&h.text);
	for (int i = 0; i < 3; i++)
		ring_free(rings[i]);
}

static void
marks_merge_like_a_ring(void **state)
{
	struct ring *ring = ring_new(65536, 0);
	struct heard h;
	struct analyzer *a = analyzer(&h, &ring, 1);
	uint64_t before = now(), between;

	(void)state;
	put_start(ring, 1, 1, before, "", "");
	put_end(ring, 1, 1, before, before + 1);
	analyzer_mark(a, "t1", NULL);
	between = now();
	put_start(ring, 1, 2, between, "", "");
	put_end(ring, 1, 2, between, between + 1);
	analyzer_mark(a, NULL, "part two");
	between = now();
	put_start(ring, 1, 3, between, "", "");
	put_end(ring, 1, 3, between, between + 1);
	analyzer_mark(a, "", "");
	between = now();
	put_start(ring, 1, 4, between, "", "");
	put_end(ring, 1, 4, between, between + 1);
	ring_idle(ring, true);
	analyzer_step(a, now());
	analyzer_mark(a, "never", NULL);
	analyzer_finish(a);
	assert_string_equal(strbuf_cstr(&h.text), "-:1/1 t1:1/1 part two:1/1 -:1/1 ");
	analyzer_free(a);
	strbuf_clear(&h.text);
	ring_free(ring);
}

static void
a_mark_that_nobody_saw(void **state)
{
	struct ring *ring = ring_new(65536, 0);
	struct heard h;
	struct analyzer *a = analyzer(&h, &ring, 1);

	(void)state;
	analyzer_step(a, 5);
	analyzer_mark(a, "t1", NULL);
	analyzer_step(a, 6); /* later than this */
	analyzer_free(a);
	strbuf_clear(&h.text);
	ring_free(ring);
}

static void
lost_records_are_told(void **state)
{
	struct ring *ring = ring_new(4096, 0);
	struct heard h;
	struct analyzer *a = analyzer(&h, &ring, 1);
	uint32_t put = 0;

	(void)state;
	while (put_start(ring, 1, put + 1, put, "request_id", "r1"))
		put++;
	assert_null(ring_reserve(ring, 64, true));
	analyzer_finish(a);
	assert_int_equal(analyzer_coverage(a).lost, 1);
	assert_int_equal(analyzer_coverage(a).evidence_shed, 1);
	assert_int_equal(analyzer_coverage(a).statements, put);
	assert_int_equal(h.statements, put);
	analyzer_free(a);
	strbuf_clear(&h.text);
	ring_free(ring);
}

/* ---- with threads ---- */

enum { STATEMENTS = 20000, REQUESTS = 50 };

struct worker {
	struct ring *ring;
	uint32_t session;
	_Atomic bool done;
};

/* As a worker does: wakes, reads its clock, tells what happened, says up to when, sleeps. */
static void *
work(void *arg)
{
	struct worker *w = arg;
	uint32_t seq = 0;
	char request[16];

	while (seq < STATEMENTS) {
		uint64_t t;

		ring_idle(w->ring, false);
		t = now();
		for (int i = 0; i < 100; i++) {
			seq++;
			snprintf(request, sizeof request, "r%u", seq * REQUESTS / (STATEMENTS + 1));
			while (!put_start(w->ring, w->session, seq, t, "request_id", request))
				;
			while (!put_end(w->ring, w->session, seq, t, t))
				;
		}
		ring_watermark(w->ring, t);
		ring_idle(w->ring, true);
		nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
	}
	atomic_store(&w->done, true);
	return NULL;
}

static void
two_workers_and_marks(void **state)
{
	struct ring *rings[] = { ring_new(1 << 20, 0), ring_new(1 << 20, 0) };
	struct worker w[] = { { .ring = rings[0], .session = 1 }, { .ring = rings[1], .session = 2 } };
	pthread_t threads[2];
	struct heard h;
	struct analyzer *a = analyzer(&h, rings, 2);
	struct coverage c;
	int64_t wall = (int64_t)time(NULL);

	(void)state;
	assert_true(analyzer_start(a));
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, &w[i]), 0);
	while (!atomic_load(&w[0].done) || !atomic_load(&w[1].done)) {
		analyzer_mark(a, "t", "");
		c = analyzer_coverage(a);
		assert_true(c.statements <= 2 * STATEMENTS && c.queries == c.statements);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	analyzer_finish(a);
	c = analyzer_coverage(a);
	assert_int_equal(c.statements, 2 * STATEMENTS);
	assert_int_equal(h.statements, 2 * STATEMENTS);
	assert_int_equal(c.tagged, c.queries);
	assert_true(h.requests >= REQUESTS && h.requests == c.requests);
	assert_true(h.wall / 1000000 >= wall && h.wall / 1000000 <= wall + 60);
	analyzer_free(a);
	strbuf_clear(&h.text);
	ring_free(rings[0]);
	ring_free(rings[1]);
}

/* The thread drains by itself, and only now and then. */
static void
the_thread_drains_on_a_timer(void **state)
{
	struct ring *ring = ring_new(65536, 0);
	struct heard h;
	struct analyzer *a = analyzer(&h, &ring, 1);
	uint64_t t = now();

	(void)state;
	put_query(ring, 1, 1, t, "r1");
	ring_idle(ring, true);
	assert_true(analyzer_start(a));
	while (analyzer_coverage(a).statements == 0 && now() - t < 5000 * (uint64_t)MS)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	assert_int_equal(analyzer_coverage(a).statements, 1);
	analyzer_finish(a);
	assert_int_equal(h.requests, 1);
	analyzer_free(a);
	strbuf_clear(&h.text);
	ring_free(ring);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(waits_for_the_slowest_worker), cmocka_unit_test(merges_in_order_of_time),
		cmocka_unit_test(marks_merge_like_a_ring), cmocka_unit_test(a_mark_that_nobody_saw), cmocka_unit_test(lost_records_are_told),
		cmocka_unit_test(two_workers_and_marks), cmocka_unit_test(the_thread_drains_on_a_timer) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
