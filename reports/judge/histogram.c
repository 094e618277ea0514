/* SPDX-License-Identifier: Apache-2.0 */
/* histogram: see histogram.h. */
#include "histogram.h"

#include <stdlib.h>
#include <string.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

/* ---- histogram ---- */

unsigned
histogram_index(uint64_t ns)
{
	if (ns < (uint64_t)1 << HISTOGRAM_FIRST_BIT)
		return 0;
	unsigned bit = 63 - (unsigned)__builtin_clzll(ns);

	if (bit >= HISTOGRAM_FIRST_BIT + HISTOGRAM_OCTAVES)
		return HISTOGRAM_BUCKETS - 1;
	uint64_t above = ns - ((uint64_t)1 << bit);

	return (bit - HISTOGRAM_FIRST_BIT) * HISTOGRAM_STEPS + (unsigned)(above * HISTOGRAM_STEPS >> bit);
}

uint64_t
histogram_low(unsigned i)
{
	uint64_t base = (uint64_t)1 << (HISTOGRAM_FIRST_BIT + i / HISTOGRAM_STEPS);

	/* Rounded up: the first whole nanosecond that histogram_index puts here. */
	return base + (base * (i % HISTOGRAM_STEPS) + HISTOGRAM_STEPS - 1) / HISTOGRAM_STEPS;
}

static void
bucket_add(uint32_t bucket[], uint64_t ns)
{
	uint32_t *b = &bucket[histogram_index(ns)];

	if (*b != UINT32_MAX)
		(*b)++;
}

void
histogram_buckets(const struct histogram *h, uint32_t out[HISTOGRAM_BUCKETS])
{
	if (h->bucketed) {
		memcpy(out, h->bucket, sizeof h->bucket);
		return;
	}
	memset(out, 0, sizeof h->bucket);
	for (uint64_t i = 0; i < h->n; i++)
		bucket_add(out, h->exact[i]);
}

static void
go_to_buckets(struct histogram *h)
{
	uint32_t bucket[HISTOGRAM_BUCKETS];

	histogram_buckets(h, bucket);
	memcpy(h->bucket, bucket, sizeof bucket);
	h->bucketed = true;
}

void
histogram_add(struct histogram *h, uint64_t ns)
{
	if (!h->bucketed && h->n == HISTOGRAM_EXACT)
		go_to_buckets(h);
	if (h->bucketed)
		bucket_add(h->bucket, ns);
	else
		h->exact[h->n] = ns;
	if (h->n == 0 || ns < h->min)
		h->min = ns;
	if (ns > h->max)
		h->max = ns;
	h->n++;
	h->total += ns;
}

static void
merge_buckets(struct histogram *into, const struct histogram *from)
{
	uint32_t more[HISTOGRAM_BUCKETS];

	if (!into->bucketed)
		go_to_buckets(into);
	histogram_buckets(from, more);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint32_t room = UINT32_MAX - into->bucket[i];

		into->bucket[i] += more[i] < room ? more[i] : room;
	}
}

void
histogram_merge(struct histogram *into, const struct histogram *from)
{
	if (from->n == 0)
		return;
	if (into->bucketed || from->bucketed || into->n + from->n > HISTOGRAM_EXACT)
		merge_buckets(into, from);
	else
		memcpy(into->exact + into->n, from->exact, from->n * sizeof from->exact[0]);
	if (into->n == 0 || from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
	into->n += from->n;
	into->total += from->total;
}

/* 1-based rank of percentile p > 0 among n values. */
static uint64_t
rank_of(double p, uint64_t n)
{
	double exact = p / 100 * (double)n;
	uint64_t rank = (uint64_t)exact;

	if ((double)rank < exact)
		rank++;
	return rank < n ? rank : n;
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t
clamp(const struct histogram *h, uint64_t ns)
{
	if (ns < h->min)
		return h->min;
	return ns < h->max ? ns : h->max;
}

static uint64_t
bucket_percentile(const struct histogram *h, double p)
{
	uint64_t rank = rank_of(p, h->n), seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen >= rank)
			return clamp(h, histogram_low(i) + (histogram_low(i + 1) - histogram_low(i)) / 2);
	}
	return h->max; /* a bucket was saturated */
}

/* Sorted copy of the exact values. */
static void
sort_exact(const struct histogram *h, uint64_t out[HISTOGRAM_EXACT])
{
	memcpy(out, h->exact, h->n * sizeof out[0]);
	qsort(out, h->n, sizeof out[0], by_value);
}

uint64_t
histogram_percentile(const struct histogram *h, double p)
{
	uint64_t sorted[HISTOGRAM_EXACT];

	if (h->n == 0)
		return 0;
	if (h->bucketed)
		return bucket_percentile(h, p);
	sort_exact(h, sorted);
	return sorted[rank_of(p, h->n) - 1];
}

struct pct
histogram_pct(const struct histogram *h)
{
	struct pct out = { .n = h->n, .total = h->total, .min = h->min, .max = h->max };
	uint64_t sorted[HISTOGRAM_EXACT];

	if (h->n == 0)
		return out;
	if (h->bucketed) {
		out.p50 = bucket_percentile(h, 50);
		out.p95 = bucket_percentile(h, 95);
		out.p99 = bucket_percentile(h, 99);
		return out;
	}
	sort_exact(h, sorted);
	out.p50 = sorted[rank_of(50, h->n) - 1];
	out.p95 = sorted[rank_of(95, h->n) - 1];
	out.p99 = sorted[rank_of(99, h->n) - 1];
	return out;
}

/* ---- durations ---- */

void
durations_add(struct durations *d, uint64_t ns)
{
	if (!d->h && d->n < DURATIONS_FEW) {
		d->few[d->n++] = ns;
		return;
	}
	if (!d->h) {
		d->h = xmem_zero(sizeof *d->h);
		for (uint32_t i = 0; i < d->n; i++)
			histogram_add(d->h, d->few[i]);
	}
	histogram_add(d->h, ns);
}

void
durations_clear(struct durations *d)
{
	mem_free(d->h);
	*d = (struct durations){ 0 };
}

const struct histogram *
durations_histogram(const struct durations *d, struct histogram *scratch)
{
	if (d->h)
		return d->h;
	memset(scratch, 0, sizeof *scratch);
	for (uint32_t i = 0; i < d->n; i++)
		histogram_add(scratch, d->few[i]);
	return scratch;
}

/* ---- counts ---- */

/* Where the value stands, or would stand. */
static uint32_t
find(const struct counts *c, uint64_t value)
{
	uint32_t lo = 0, hi = c->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (c->v[mid].value < value)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
insert(struct counts *c, uint32_t at, uint64_t value)
{
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 4;
		c->v = xmem_resize(c->v, c->cap * sizeof c->v[0]);
	}
	memmove(c->v + at + 1, c->v + at, (c->n - at) * sizeof c->v[0]);
	c->v[at] = (struct count_times){ .value = value };
	c->n++;
}

void
counts_add(struct counts *c, uint64_t value)
{
	uint32_t at = find(c, value);

	c->times++;
	c->total += value;
	if ((at == c->n || c->v[at].value != value) && c->n >= LIMIT_COUNT_VALUES && value >> HISTOGRAM_FIRST_BIT) {
		c->rounded = true;
		value = histogram_low(histogram_index(value));
		at = find(c, value);
	}
	if (at == c->n || c->v[at].value != value)
		insert(c, at, value);
	c->v[at].times++;
}

void
counts_clear(struct counts *c)
{
	mem_free(c->v);
	*c = (struct counts){ 0 };
}

uint64_t
counts_percentile(const struct counts *c, double p)
{
	uint64_t rank, seen = 0;

	if (c->times == 0)
		return 0;
	rank = rank_of(p, c->times);
	for (uint32_t i = 0; i < c->n; i++) {
		seen += c->v[i].times;
		if (seen >= rank)
			return c->v[i].value;
	}
	return c->v[c->n - 1].value;
}

struct pct
counts_pct(const struct counts *c)
{
	if (c->times == 0)
		return (struct pct){ 0 };
	return (struct pct){
		.n = c->times,
		.total = c->total,
		.min = c->v[0].value,
		.p50 = counts_percentile(c, 50),
		.p95 = counts_percentile(c, 95),
		.p99 = counts_percentile(c, 99),
		.max = c->v[c->n - 1].value,
	};
}
