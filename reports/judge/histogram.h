/* SPDX-License-Identifier: Apache-2.0 */
/* histogram: durations and counts of any number in fixed memory.
 * Does: record, merge, percentiles (nearest rank: the smallest value that at least p % of all values do not exceed).
 * Never: allocates when a duration is recorded; forgets min, max, n or total.
 *
 * Durations: exact while there are at most HISTOGRAM_EXACT of them; then in log-linear buckets, 24 per power of two, from 512 ns
 * to 73 minutes. A percentile out of a bucket is its middle: at most 2.1 % off. Below 512 ns the first bucket answers, above 73 minutes
 * the last one; both are clamped to min and max. */
#ifndef ROWCALL_HISTOGRAM_H
#define ROWCALL_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

struct pct {		/* over n values; ns or counts as the field says */
	uint64_t n, total, min, p50, p95, p99, max;
};

enum {
	HISTOGRAM_FIRST_BIT = 9,	/* 512 ns */
	HISTOGRAM_OCTAVES = 33,
	HISTOGRAM_STEPS = 24,		/* buckets per octave */
	HISTOGRAM_BUCKETS = HISTOGRAM_OCTAVES * HISTOGRAM_STEPS,
	HISTOGRAM_EXACT = HISTOGRAM_BUCKETS / 2
};

/* 3.1 KiB. All zero bytes = empty. */
struct histogram {
	uint64_t n, total, min, max;
	bool bucketed;
	union {
		uint64_t exact[HISTOGRAM_EXACT];	/* the first n values, unsorted, until bucketed */
		uint32_t bucket[HISTOGRAM_BUCKETS];	/* saturating */
	};
};

void histogram_add(struct histogram *h, uint64_t ns);
void histogram_merge(struct histogram *into, const struct histogram *from);
/* 0 < p <= 100; 0 for an empty histogram. */
uint64_t histogram_percentile(const struct histogram *h, double p);
struct pct histogram_pct(const struct histogram *h);
/* The buckets, also of a histogram that is still exact. */
void histogram_buckets(const struct histogram *h, uint32_t out[HISTOGRAM_BUCKETS]);
/* The bucket of a duration; the smallest duration of a bucket (i may be HISTOGRAM_BUCKETS: the end of the last). */
unsigned histogram_index(uint64_t ns);
uint64_t histogram_low(unsigned i);

/* A histogram that starts with room for a few values: there may be ten thousand scopes that were seen once. All zero bytes = empty. */
enum { DURATIONS_FEW = 8 };

struct durations {
	struct histogram *h;	/* owned; NULL while the few suffice */
	uint32_t n;		/* values in few */
	uint64_t few[DURATIONS_FEW];
};

/* Allocates once, with the first value that has no room. */
void durations_add(struct durations *d, uint64_t ns);
void durations_clear(struct durations *d);
/* The same values as a histogram, borrowed; scratch is used while there is none of its own. */
const struct histogram *durations_histogram(const struct durations *d, struct histogram *scratch);

/* A multiset of counts (queries per request): exact, as budgets and ratchets compare medians without tolerance.
 * Beyond LIMIT_COUNT_VALUES distinct values, new ones from 512 up are rounded down by at most 4.2 %. All zero bytes = empty. */
struct counts {
	struct count_times {
		uint64_t value, times;
	} *v;			/* sorted by value */
	uint32_t n, cap;
	uint64_t times, total;
	bool rounded;
};

/* Allocates only for a value it has not seen. */
void counts_add(struct counts *c, uint64_t value);
void counts_clear(struct counts *c);
uint64_t counts_percentile(const struct counts *c, double p);
struct pct counts_pct(const struct counts *c);

#endif
