/* SPDX-License-Identifier: Apache-2.0 */
/* growth: see growth.h. Welford's update keeps the sums exact enough for any number of requests. */
#include "growth.h"

#include <inttypes.h>
#include <math.h>

#include "words.h"

enum {
	FEWEST_FITTED = 2,  /* requests a line is fitted through */
	FEWEST_FIXED = 3,   /* requests before a repeat counts as fixed */
	LEAST_SPREAD = 3,   /* rows between the smallest and the largest source; and the largest is half as large again */
};

bool
growth_source(struct growth *g, const struct shape *s)
{
	for (uint32_t i = 0; i < g->nsources; i++)
		if (g->sources[i] == s)
			return false;
	if (g->nsources == GROWTH_SOURCES)
		return false;
	g->sources[g->nsources++] = s;
	return true;
}

void
growth_point(struct growth *g, uint64_t rows, uint64_t executions)
{
	double dx = (double)rows - g->x, dy = (double)executions - g->y;

	if (g->n == 0 || rows < g->least_x)
		g->least_x = rows;
	if (g->n == 0 || executions < g->least_y)
		g->least_y = executions;
	if (rows > g->most_x)
		g->most_x = rows;
	if (executions > g->most_y)
		g->most_y = executions;
	g->n++;
	g->x += dx / (double)g->n;
	g->y += dy / (double)g->n;
	g->xx += dx * ((double)rows - g->x);
	g->yy += dy * ((double)executions - g->y);
	g->xy += dx * ((double)executions - g->y);
}

/* How well the line explains the executions, 0..1. */
static double
explained(const struct growth *g)
{
	return g->yy > 0 ? g->xy * g->xy / (g->xx * g->yy) : 0;
}

struct growth_fit
growth_fit(const struct growth *g)
{
	struct growth_fit f = { .requests = g->n, .least_rows = g->least_x, .most_rows = g->most_x };
	uint64_t spread = g->most_x - g->least_x;

	if (g->nsources == 0 || g->n == 0)
		return f;
	f.state = GROWTH_NO_SPREAD;
	if (g->n < FEWEST_FITTED || spread < LEAST_SPREAD || 2 * spread < g->least_x)
		return f;
	f.state = GROWTH_FITTED;
	f.slope = g->xy / g->xx;
	f.intercept = g->y - f.slope * g->x;
	f.with_rows = f.slope >= 0.8 && f.slope <= 1.2 && explained(g) >= 0.8;
	f.fixed = g->n >= FEWEST_FIXED && g->most_y - g->least_y <= 1 && fabs(f.slope) * (double)spread < 1;
	return f;
}

static const char *
rows_between(const struct growth_fit *f, struct arena *a)
{
	if (f->least_rows == f->most_rows)
		return arena_printf(a, "%s, %s", words_count(a, f->requests, "request", "requests"), words_count(a, f->most_rows, "row", "rows"));
	return arena_printf(a, "%s, %" PRIu64 " to %" PRIu64 " rows", words_count(a, f->requests, "request", "requests"), f->least_rows, f->most_rows);
}

static double
no_minus_zero(double v)
{
	return fabs(v) < 0.005 ? 0 : v;
}

const char *
growth_words(const struct growth *g, struct arena *a)
{
	struct growth_fit f = growth_fit(g);
	const char *over = g->guessed ? arena_printf(a, " of %s", g->sources[0]->summary) : "", *line, *plus = "";

	if (f.state == GROWTH_UNKNOWN)
		return "";
	if (f.state == GROWTH_NO_SPREAD)
		return arena_printf(a, "not enough spread (%s%s)", rows_between(&f, a), over);
	if (fabs(f.intercept) >= 0.5)
		plus = arena_printf(a, " %s %.1f", f.intercept < 0 ? "-" : "+", fabs(f.intercept));
	line = arena_printf(a, "%.2f per row%s (%s%s)", no_minus_zero(f.slope), plus, rows_between(&f, a), over);
	if (f.with_rows)
		return arena_printf(a, "%s: grows with the rows", line);
	if (f.fixed)
		return arena_printf(a, "%s: fixed, whatever the rows", line);
	return line;
}
