/* SPDX-License-Identifier: Apache-2.0 */
/* noise: see noise.h. The test is exact for small sets without equal values, and the usual normal approximation with a correction for ties
 * otherwise. */
#include "noise.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fingerprint/mem.h"

enum { EXACT = 20 };	/* values on a side up to which the exact distribution is counted */

struct ranked {
	uint64_t value;
	bool after;
};

static int
by_value(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->value < y->value ? -1 : x->value > y->value;
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Sorts. */
static uint64_t
median(uint64_t *v, uint32_t n)
{
	qsort(v, n, sizeof *v, by_number);
	return n % 2 ? v[n / 2] : v[n / 2 - 1] + (v[n / 2] - v[n / 2 - 1]) / 2;
}

static uint64_t
median_of(const uint64_t *v, uint32_t n, uint64_t *room)
{
	memcpy(room, v, n * sizeof *v);
	return median(room, n);
}

static uint32_t
deviations(const uint64_t *v, uint32_t n, uint64_t middle, uint64_t *out)
{
	for (uint32_t i = 0; i < n; i++)
		out[i] = v[i] > middle ? v[i] - middle : middle - v[i];
	return n;
}

/* U of the after side, in halves so that ties stay whole; *ties: the sum of t^3 - t over sets of equal values. */
static uint64_t
twice_u(struct ranked *all, uint32_t n, uint32_t nafter, double *ties)
{
	uint64_t twice_ranks = 0;

	qsort(all, n, sizeof *all, by_value);
	*ties = 0;
	for (uint32_t i = 0, end; i < n; i = end) {
		uint64_t mine = 0;
		double t;

		for (end = i; end < n && all[end].value == all[i].value; end++)
			mine += all[end].after;
		t = end - i;
		*ties += t * t * t - t;
		twice_ranks += mine * (i + 1 + end);	/* the mean of ranks i + 1 .. end, twice */
	}
	return twice_ranks - (uint64_t)nafter * (nafter + 1);
}

/* Share of all orders with U at most u: their number by a(n, m, u) = a(n - 1, m, u - m) + a(n, m - 1, u), row by row. */
static double
exact_share(uint32_t n, uint32_t m, uint32_t u)
{
	uint32_t width = n * m + 1;
	double *ways = xmem_zero((size_t)(n + 1) * width * sizeof *ways), all = 0, low = 0;

	/* ways[i] for j values of the other side; start with none of them: only U = 0. */
	for (uint32_t i = 0; i <= n; i++)
		ways[(size_t)i * width] = 1;
	for (uint32_t j = 1; j <= m; j++)
		for (uint32_t i = 1; i <= n; i++)
			for (uint32_t k = width; k-- > 0;)
				ways[(size_t)i * width + k] += k >= j ? ways[(size_t)(i - 1) * width + k - j] : 0;
	for (uint32_t k = 0; k < width; k++) {
		all += ways[(size_t)n * width + k];
		low += k <= u ? ways[(size_t)n * width + k] : 0;
	}
	mem_free(ways);
	return low / all;
}

static double
two_sided(struct ranked *all, uint32_t n, uint32_t m)
{
	double ties, mean = (double)n * m / 2, total = (double)n + m, variance, z;
	uint64_t twice = twice_u(all, n + m, m, &ties), other = 2 * (uint64_t)n * m - twice;

	if (ties == 0 && n <= EXACT && m <= EXACT) {
		double p = 2 * exact_share(n, m, (uint32_t)((twice < other ? twice : other) / 2));

		return p < 1 ? p : 1;
	}
	variance = (double)n * m / 12 * (total + 1 - ties / (total * (total - 1)));
	if (variance <= 0)
		return 1;
	z = (fabs((double)twice / 2 - mean) - 0.5) / sqrt(variance);
	return z <= 0 ? 1 : erfc(z / sqrt(2));
}

struct noise
noise_compare(const uint64_t *before, uint32_t nbefore, const uint64_t *after, uint32_t nafter)
{
	struct noise out = { .word = NOISE_FEW, .p = 1 };
	uint32_t n = nbefore + nafter;
	uint64_t *room = xmem_zero(n * sizeof *room), apart;
	struct ranked *all = xmem_zero(n * sizeof *all);

	out.before = nbefore ? median_of(before, nbefore, room) : 0;
	out.after = nafter ? median_of(after, nafter, room) : 0;
	if (nbefore >= NOISE_LEAST && nafter >= NOISE_LEAST) {
		for (uint32_t i = 0; i < n; i++)
			all[i] = (struct ranked){ i < nbefore ? before[i] : after[i - nbefore], i >= nbefore };
		out.p = two_sided(all, nbefore, nafter);
		deviations(after, nafter, out.after, room + deviations(before, nbefore, out.before, room));
		out.spread = median(room, n);
		apart = out.after > out.before ? out.after - out.before : out.before - out.after;
		out.word = out.p >= NOISE_P || apart <= out.spread ? NOISE_WITHIN : out.after > out.before ? NOISE_UP : NOISE_DOWN;
	}
	mem_free(room);
	mem_free(all);
	return out;
}

const char *
noise_name(enum noise_word w)
{
	static const char *const names[] = { "too-few", "within-noise", "slower", "faster" };

	return names[w];
}
