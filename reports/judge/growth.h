/* SPDX-License-Identifier: Apache-2.0 */
/* growth: how often a loop runs, measured against the rows it runs over, across the requests of a scope.
 * Does: stream one point per request into fixed sums, fit a line where the rows differ enough, put the outcome into words. A loop over rows
 * rises by one execution per row; a repeat that the layout of a page fixes does not rise at all. Never: keeps a request, or claims a slope
 * from rows that hardly differ. */
#ifndef ROWCALL_GROWTH_H
#define ROWCALL_GROWTH_H

#include "fingerprint/arena.h"
#include "fingerprint/shapes.h"

enum { GROWTH_SOURCES = 4 };	/* shapes one loop was seen to take its rows from: with and without OFFSET, say */

/* All zero bytes = nothing seen. */
struct growth {
	const struct shape *sources[GROWTH_SOURCES];
	uint32_t nsources;
	bool guessed;			/* the source is only the list that was read last before the loop */
	uint64_t n;			/* requests that read a source */
	double x, y, xx, xy, yy;	/* means and centred sums: x rows of the sources, y executions */
	uint64_t least_x, most_x, least_y, most_y;
};

/* Where the growth line stands. */
enum growth_state { GROWTH_UNKNOWN, GROWTH_NO_SPREAD, GROWTH_FITTED };

struct growth_fit {
	enum growth_state state;
	bool with_rows;			/* slope near 1: the loop runs over the rows */
	bool fixed;			/* no slope although the rows differ: not over these rows */
	double slope, intercept;	/* when fitted */
	uint64_t requests, least_rows, most_rows;
};

/* False when it was known, or there are GROWTH_SOURCES already. */
bool growth_source(struct growth *g, const struct shape *s);
void growth_point(struct growth *g, uint64_t rows, uint64_t executions);
struct growth_fit growth_fit(const struct growth *g);
/* "1.00 executions per row (5 requests, 2 to 60 rows): grows with the rows"; "" when unknown. */
const char *growth_words(const struct growth *g, struct arena *a);

#endif
