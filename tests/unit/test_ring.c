/* SPDX-License-Identifier: Apache-2.0 */
/* The ring between a worker and the analyzer: order and content through every kind of wrap, dropping, growing, shedding, and two threads. */
#include <pthread.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "reports/requests/ring.h"

enum { KB = 1024 };

/* A record whose tail is filled from its number, so that a torn or overwritten one shows. */
static bool
put(struct ring *r, uint64_t number, size_t n)
{
	struct rec *h = ring_reserve(r, sizeof *h + n, false);

	if (!h)
		return false;
	assert_int_equal(h->size, (sizeof *h + n + 7) & ~(size_t)7);
	h->type = REC_TYPES;
	h->t = number;
	h->seq = (uint32_t)n;
	memset(h + 1, (int)(number & 0xff), n);
	ring_commit(r);
	return true;
}

static uint64_t
take(struct ring *r)
{
	const struct rec *h = ring_peek(r);
	uint64_t number;

	if (!h)
		return UINT64_MAX;
	assert_int_equal(h->type, REC_TYPES);
	number = h->t;
	for (uint32_t i = 0; i < h->seq; i++)
		assert_int_equal(((const unsigned char *)(h + 1))[i], number & 0xff);
	ring_pop(r);
	return number;
}

static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void
order_and_content(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 20; seed++) {
		struct ring *r = ring_new(seed % 2 ? 4 * KB : 300 * KB, 0);
		uint64_t in = 0, out = 0, lost = 0;
		uint32_t rnd = seed;

		for (int turn = 0; turn < 2000; turn++) {
			for (uint32_t n = next_random(&rnd) % 40; n; n--) {
				if (put(r, in, next_random(&rnd) % 700))
					in++;
				else
					lost++;
			}
			for (uint32_t n = next_random(&rnd) % 4 ? next_random(&rnd) % 40 : UINT32_MAX; n; n--) {
				if (!ring_peek(r))
					break;
				assert_int_equal(take(r), out++);
			}
		}
		while (ring_peek(r))
			assert_int_equal(take(r), out++);
		assert_int_equal(in, out);
		assert_int_equal(ring_lost(r), lost);
		if (seed % 2)
			assert_true(lost > 0);
		ring_free(r);
	}
}

static void
drops_when_full_and_recovers(void **state)
{
	struct ring *r = ring_new(4 * KB, 0);
	uint64_t n = 0;

	(void)state;
	while (put(r, n, 40))
		n++;
	assert_int_equal(n, 4 * KB / 64);
	assert_int_equal(ring_lost(r), 1);
	assert_int_equal(take(r), 0);
	assert_true(put(r, n, 40));
	assert_false(put(r, n, 40));
	assert_int_equal(ring_lost(r), 2);
	for (uint64_t i = 1; i <= n; i++)
		assert_int_equal(take(r), i);
	assert_int_equal(take(r), UINT64_MAX);
	ring_free(r);
}

/* After it started over early, all of it is there at once, also before the consumer has come by. */
static void
starts_over_with_full_capacity(void **state)
{
	struct ring *r = ring_new(1024 * KB, 0);
	uint64_t n = 0;

	(void)state;
	for (; n < 64 * KB / 64; n++) { /* just to where it would */
		assert_true(put(r, n, 40));
		assert_int_equal(take(r), n);
	}
	for (uint64_t i = 0; i < 1024 * KB / 64; i++)
		assert_true(put(r, n + i, 40));
	assert_false(put(r, 0, 40));
	for (uint64_t i = 0; i < 1024 * KB / 64; i++)
		assert_int_equal(take(r), n + i);
	assert_null(ring_peek(r));
	ring_free(r);
}

static void
largest_record(void **state)
{
	struct ring *r = ring_new(256 * KB, 0);

	(void)state;
	assert_true(put(r, 1, LIMIT_RECORD - sizeof(struct rec)));
	assert_false(put(r, 2, LIMIT_RECORD - sizeof(struct rec) + 1));
	assert_int_equal(ring_lost(r), 1);
	assert_null(ring_reserve(r, LIMIT_RECORD + 1, true));
	assert_int_equal(ring_shed(r), 1);
	assert_int_equal(take(r), 1);
	ring_free(r);
}

static void
a_reservation_may_be_dropped(void **state)
{
	struct ring *r = ring_new(4 * KB, 0);
	struct rec *h = ring_reserve(r, 100, false);

	(void)state;
	assert_non_null(h);
	memset(h, 0xff, 100);
	assert_null(ring_peek(r));
	h = ring_reserve(r, 50, false);
	assert_int_equal(h->size, 56);
	assert_true(h->type == 0 && h->flags == 0 && h->t == 0 && h->session == 0 && h->seq == 0);
	h->type = REC_TYPES;
	ring_commit(r);
	assert_int_equal(take(r), 0);
	assert_null(ring_peek(r));
	ring_free(r);
}

static void
evidence_goes_first(void **state)
{
	struct ring *r = ring_new(8 * KB, 0);
	uint64_t n = 0;

	(void)state;
	while (n < 64 && put(r, n, 40))
		n++;
	assert_non_null(ring_reserve(r, 64, true)); /* just half full */
	assert_true(put(r, n++, 40));
	assert_null(ring_reserve(r, 64, true));
	assert_int_equal(ring_shed(r), 1);
	assert_int_equal(ring_lost(r), 0);
	assert_true(put(r, n++, 40));
	take(r);
	take(r);
	assert_non_null(ring_reserve(r, 64, true));
	ring_free(r);
}

static void
grows_up_to_its_limit(void **state)
{
	struct ring *r = ring_new(4 * KB, 32 * KB);
	uint64_t n = 0, out = 0;

	(void)state;
	while (put(r, n, 40))
		n++;
	assert_int_equal(n, 32 * KB / 64);
	assert_int_equal(ring_lost(r), 1);
	while (out < n)
		assert_int_equal(take(r), out++);
	assert_null(ring_peek(r));
	/* The old segments are gone: there is room for as much again as the last one holds, and for new growth. */
	for (uint64_t i = 0; i < 4; i++) {
		uint64_t more = 0;

		while (more < 200 && put(r, n + more, 40))
			more++;
		assert_int_equal(more, 200);
		while (more--)
			assert_int_equal(take(r), n++);
	}
	ring_free(r);
}

static void
growing_sheds_evidence_at_half_of_the_limit(void **state)
{
	struct ring *r = ring_new(4 * KB, 64 * KB);
	uint64_t n = 0;

	(void)state;
	for (; n < 32 * KB / 64; n++) {
		void *evidence = ring_reserve(r, 64, true);

		assert_non_null(evidence);
		assert_true(put(r, n, 40));
	}
	while (n < 1000 && ring_reserve(r, 64, true))
		assert_true(put(r, n++, 40));
	assert_int_equal(ring_shed(r), 1);
	assert_int_equal(ring_lost(r), 0);
	assert_true(n * 64 < 40 * KB);
	ring_free(r);
}

static void
out_of_memory(void **state)
{
	struct ring *r;
	uint64_t n = 0;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		mem_fail(i, 1);
		assert_null(ring_new(4 * KB, 0));
		mem_fail(0, 0);
	}
	r = ring_new(4 * KB, 32 * KB);
	while (n < 4 * KB / 64)
		assert_true(put(r, n++, 40));
	mem_fail(0, 1);
	assert_false(put(r, n, 40));
	mem_fail(0, 0);
	assert_int_equal(ring_lost(r), 1);
	assert_true(put(r, n, 40));
	ring_free(r);
	ring_free(NULL);
}

static void
how_far_it_is_complete(void **state)
{
	struct ring *r = ring_new(4 * KB, 0);

	(void)state;
	assert_int_equal(ring_complete_to(r, 100), 0);
	ring_watermark(r, 50);
	assert_int_equal(ring_complete_to(r, 100), 50);
	ring_idle(r, true);
	assert_int_equal(ring_complete_to(r, 100), 100);
	ring_idle(r, false);
	assert_int_equal(ring_complete_to(r, 200), 50);
	ring_free(r);
}

/* ---- two threads ---- */

struct stress {
	struct ring *ring;
	uint64_t records;
	_Atomic bool done;
};

static void *
produce(void *arg)
{
	struct stress *s = arg;
	uint32_t rnd = 7;

	for (uint64_t i = 0; i < s->records;) {
		ring_idle(s->ring, false);
		for (uint32_t n = 1 + next_random(&rnd) % 50; n && i < s->records; n--)
			i += put(s->ring, i, next_random(&rnd) % 300);
		ring_watermark(s->ring, i);
		ring_idle(s->ring, true);
	}
	atomic_store(&s->done, true);
	return NULL;
}

static void
stress(size_t bytes, size_t grow_to)
{
	struct stress s = { .ring = ring_new(bytes, grow_to), .records = 100000 };
	uint64_t out = 0;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, produce, &s), 0);
	while (!atomic_load(&s.done) || ring_peek(s.ring)) {
		uint64_t complete = ring_complete_to(s.ring, 0);

		while (ring_peek(s.ring))
			assert_int_equal(take(s.ring), out++);
		assert_true(out >= complete);
	}
	pthread_join(thread, NULL);
	assert_int_equal(out, s.records);
	ring_free(s.ring);
}

static void
two_threads(void **state)
{
	(void)state;
	stress(16 * KB, 0);
	stress(256 * KB, 0);
	stress(4 * KB, 1024 * KB);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(order_and_content), cmocka_unit_test(drops_when_full_and_recovers),
		cmocka_unit_test(starts_over_with_full_capacity), cmocka_unit_test(largest_record), cmocka_unit_test(a_reservation_may_be_dropped),
		cmocka_unit_test(evidence_goes_first), cmocka_unit_test(grows_up_to_its_limit),
		cmocka_unit_test(growing_sheds_evidence_at_half_of_the_limit), cmocka_unit_test(out_of_memory),
		cmocka_unit_test(how_far_it_is_complete), cmocka_unit_test(two_threads) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
