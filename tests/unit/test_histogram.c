/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of histogram.c: exact while few, at most 2.1 % off from 512 ns to 73 minutes, merging, counts that stay exact. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>

#include "fingerprint/limits.h"
#include "reports/judge/histogram.h"

static const uint64_t HOUR = 3600ull * 1000000000;

static void
buckets_tile_the_range(void **state)
{
	(void)state;
	assert_int_equal(histogram_low(0), 512);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		assert_true(histogram_low(i) < histogram_low(i + 1));
		assert_int_equal(histogram_index(histogram_low(i)), i);
		assert_int_equal(histogram_index(histogram_low(i + 1) - 1), i);
	}
	assert_int_equal(histogram_index(0), 0);
	assert_int_equal(histogram_index(511), 0);
	assert_int_equal(histogram_index(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
	assert_true(histogram_low(HISTOGRAM_BUCKETS) > HOUR);
	assert_true(sizeof(struct histogram) <= 3300);
}

static void
few_values_are_exact(void **state)
{
	struct histogram h = { 0 };

	(void)state;
	assert_int_equal(histogram_percentile(&h, 50), 0);
	for (uint64_t i = HISTOGRAM_EXACT; i > 0; i--)
		histogram_add(&h, i * 1001);
	assert_false(h.bucketed);
	assert_int_equal(histogram_percentile(&h, 50), HISTOGRAM_EXACT / 2 * 1001);
	assert_int_equal(histogram_percentile(&h, 100), HISTOGRAM_EXACT * 1001);
	assert_int_equal(histogram_percentile(&h, 0.001), 1001);
	assert_int_equal(histogram_pct(&h).p95, 377 * 1001);
	histogram_add(&h, 5);
	assert_true(h.bucketed);
	assert_int_equal(h.n, HISTOGRAM_EXACT + 1);
	assert_int_equal(h.min, 5);
	assert_int_equal(h.max, HISTOGRAM_EXACT * 1001);
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Log-uniform values from 1 us to 1 h: each percentile within 2.1 % of the sorted list's. */
/* A percentile never leaves the range of the values, wherever its bucket's middle lies. */
static void
equal_values_stay_exact(void **state)
{
	struct histogram low = { 0 }, high = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++) {
		histogram_add(&low, histogram_low(100));
		histogram_add(&high, histogram_low(101) - 1);
	}
	assert_int_equal(histogram_percentile(&low, 50), histogram_low(100));
	assert_int_equal(histogram_percentile(&high, 50), histogram_low(101) - 1);
}

static void
many_values_are_close(void **state)
{
	enum { N = 20000 };
	static uint64_t v[N];
	struct histogram h = { 0 };
	uint64_t seed = 42;

	(void)state;
	for (int i = 0; i < N; i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		unsigned octave = (unsigned)(seed >> 40) % 32;
		uint64_t base = 1000ull << octave;

		v[i] = base + (seed >> 20) % base;
		if (v[i] > HOUR)
			v[i] = HOUR;
		histogram_add(&h, v[i]);
	}
	qsort(v, N, sizeof v[0], by_value);
	for (double p = 0.5; p < 100; p += 0.5) {
		double exact = (double)v[(size_t)(p / 100 * N + 0.999999) - 1], said = (double)histogram_percentile(&h, p);

		assert_true(said > exact * (1 - 0.021) && said < exact * (1 + 0.021));
	}
	assert_int_equal(histogram_percentile(&h, 100), histogram_percentile(&h, 99.999));
	assert_int_equal(h.max, v[N - 1]);
	assert_int_equal(histogram_pct(&h).p50, histogram_percentile(&h, 50));
}

static void
fill(struct histogram *h, uint64_t from, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		histogram_add(h, (from + i) * 1000);
}

static void
check_merge(uint64_t n, uint64_t m)
{
	struct histogram a = { 0 }, b = { 0 }, both = { 0 };
	uint32_t x[HISTOGRAM_BUCKETS], y[HISTOGRAM_BUCKETS];

	fill(&a, 10, n);
	fill(&b, 5, m);
	fill(&both, 10, n);
	fill(&both, 5, m);
	histogram_merge(&a, &b);
	assert_int_equal(a.n, both.n);
	assert_int_equal(a.total, both.total);
	assert_int_equal(a.min, both.min);
	assert_int_equal(a.max, both.max);
	assert_int_equal(a.bucketed, both.bucketed);
	histogram_buckets(&a, x);
	histogram_buckets(&both, y);
	assert_memory_equal(x, y, sizeof x);
	for (double p = 1; p <= 100; p++)
		assert_int_equal(histogram_percentile(&a, p), histogram_percentile(&both, p));
}

static void
merging_equals_adding(void **state)
{
	(void)state;
	check_merge(0, 0);
	check_merge(0, 10);
	check_merge(10, 0);
	check_merge(100, HISTOGRAM_EXACT - 100);
	check_merge(100, HISTOGRAM_EXACT - 99);
	check_merge(1000, 10);
	check_merge(10, 1000);
	check_merge(1000, 2000);
}

static void
durations_start_small(void **state)
{
	struct durations d = { 0 };
	struct histogram scratch;

	(void)state;
	assert_int_equal(histogram_pct(durations_histogram(&d, &scratch)).n, 0);
	for (uint64_t i = 1; i <= DURATIONS_FEW; i++)
		durations_add(&d, i * 1000);
	assert_null(d.h);
	assert_int_equal(histogram_pct(durations_histogram(&d, &scratch)).p50, DURATIONS_FEW / 2 * 1000);
	durations_add(&d, 9000);
	assert_ptr_equal(durations_histogram(&d, &scratch), d.h);
	assert_int_equal(d.h->n, DURATIONS_FEW + 1);
	assert_int_equal(d.h->min, 1000);
	assert_int_equal(d.h->max, 9000);
	durations_clear(&d);
	assert_int_equal(durations_histogram(&d, &scratch)->n, 0);
}

static void
buckets_saturate(void **state)
{
	struct histogram h = { 0 }, more = { 0 };

	(void)state;
	fill(&h, 10, HISTOGRAM_EXACT + 1);
	h.bucket[300] = UINT32_MAX - 1;
	more = h;
	histogram_merge(&h, &more);
	assert_int_equal(h.bucket[300], UINT32_MAX);
	for (int i = 0; i < 3; i++)
		histogram_add(&h, histogram_low(300));
	assert_int_equal(h.bucket[300], UINT32_MAX);
}

static void
counts_are_exact(void **state)
{
	struct counts c = { 0 };

	(void)state;
	assert_int_equal(counts_pct(&c).n, 0);
	assert_int_equal(counts_percentile(&c, 50), 0);
	counts_add(&c, 53);
	counts_add(&c, 3);
	counts_add(&c, 53);
	counts_add(&c, 54);
	struct pct p = counts_pct(&c);

	assert_int_equal(p.n, 4);
	assert_int_equal(p.total, 163);
	assert_int_equal(p.min, 3);
	assert_int_equal(p.p50, 53);
	assert_int_equal(p.p95, 54);
	assert_int_equal(p.max, 54);
	assert_int_equal(c.n, 3);
	counts_clear(&c);
}

/* At the limit of distinct values all are exact; beyond it new ones lose at most 4.2 %, known ones nothing. */
static void
counts_are_bounded(void **state)
{
	struct counts c = { 0 };

	(void)state;
	for (uint64_t i = 0; i < LIMIT_COUNT_VALUES; i++)
		counts_add(&c, 100000 + i);
	assert_false(c.rounded);
	assert_int_equal(counts_percentile(&c, 100), 100000 + LIMIT_COUNT_VALUES - 1);
	counts_add(&c, 100001);
	assert_false(c.rounded);
	counts_add(&c, 5000001);
	assert_true(c.rounded);
	assert_true(counts_percentile(&c, 100) > 4790000 && counts_percentile(&c, 100) <= 5000001);
	counts_add(&c, 7);
	assert_int_equal(counts_pct(&c).min, 7);
	for (uint64_t i = 0; i < 1000000; i++)
		counts_add(&c, i * 977);
	assert_true(c.n < 3000);
	counts_clear(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_tile_the_range),
		cmocka_unit_test(few_values_are_exact),
		cmocka_unit_test(equal_values_stay_exact),
		cmocka_unit_test(many_values_are_close),
		cmocka_unit_test(merging_equals_adding),
		cmocka_unit_test(durations_start_small),
		cmocka_unit_test(buckets_saturate),
		cmocka_unit_test(counts_are_exact),
		cmocka_unit_test(counts_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
