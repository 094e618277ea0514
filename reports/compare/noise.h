/* SPDX-License-Identifier: Apache-2.0 */
/* noise: whether two sets of times differ by more than each varies within itself.
 * They do when a rank test (Mann and Whitney, two-sided) finds p < NOISE_P, and the medians lie further apart than the values of either set
 * usually lie from their own median (the pooled median absolute deviation). With fewer than NOISE_LEAST values on a side nobody can tell.
 * Never: assumes a distribution, uses a random number, or depends on the order of the values. */
#ifndef ROWCALL_NOISE_H
#define ROWCALL_NOISE_H

#include <stdint.h>

#define NOISE_P 0.05
enum { NOISE_LEAST = 4 };

enum noise_word { NOISE_FEW, NOISE_WITHIN, NOISE_UP, NOISE_DOWN };

struct noise {
	enum noise_word word;
	double p;			/* 1 when nobody can tell */
	uint64_t before, after;		/* medians */
	uint64_t spread;		/* pooled median absolute deviation */
};

struct noise noise_compare(const uint64_t *before, uint32_t nbefore, const uint64_t *after, uint32_t nafter);
const char *noise_name(enum noise_word w);	/* "too-few", "within-noise", "slower", "faster" */

#endif
