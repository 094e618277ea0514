/* SPDX-License-Identifier: Apache-2.0 */
/* grow: where the points of growth.h come from: every request of a scope that reads a loop's source gives one, also where the loop was too
 * short to be found. A loop is known from its first finding on; the requests before it that were kept are counted then. */
#include <string.h>

#include "collector_parts.h"
#include "fingerprint/limits.h"

enum { CAUGHT_UP = 256 }; /* earlier requests that count when a loop is first found */

struct point {
	uint64_t rows, executions;
	bool known; /* the source was read */
};

static bool
is_loop(const struct raw_finding *raw)
{
	return raw->rule == RULE_N_PLUS_ONE || raw->rule == RULE_WRITE_LOOP;
}

/* Of a kept request: rows of the source added last, if none of the earlier ones was read (those requests are counted). */
static struct point
point_of(const struct request *r, const struct finding *f)
{
	struct point p = { .known = false };

	for (uint32_t i = 0; i < r->nstmts; i++) {
		const struct req_stmt *s = &r->stmts[i];

		for (uint32_t k = 0; k + 1 < f->growth.nsources; k++)
			if (s->shape == f->growth.sources[k])
				return (struct point){ .known = false };
		if (s->shape == f->growth.sources[f->growth.nsources - 1]) {
			p.known = true;
			p.rows += s->rows;
		}
		p.executions += s->shape == f->worst.repeat;
	}
	return p;
}

static void
catch_up(struct collector *c, struct finding *f, const char *scope)
{
	const struct kept *const from[] = { c->keep.full.head, c->keep.found.head };
	uint32_t n = 0;

	for (size_t q = 0; q < 2; q++) {
		for (const struct kept *k = from[q]; k && n < CAUGHT_UP; k = k->next) {
			if (strcmp(k->r.scope, scope) != 0)
				continue;
			struct point p = point_of(&k->r, f);

			n++;
			if (p.known)
				growth_point(&f->growth, p.rows, p.executions);
		}
	}
}

void
collector_growth_source(struct collector *c, uint32_t finding, const struct request *r, const struct raw_finding *raw)
{
	struct finding *f = &c->findings.v[finding];
	const struct shape *source = raw->source ? raw->source : raw->list;

	if (!is_loop(raw) || !source || source == raw->repeat || f->scope == LIMIT_SCOPES)
		return;
	if (f->growth.nsources && f->growth.guessed)
		return; /* of lists that are only guessed the first one will do */
	if (!growth_source(&f->growth, source))
		return;
	f->growth.guessed = !raw->source;
	catch_up(c, f, r->scope);
}

void
collector_grow(struct collector *c, const struct request *r, uint32_t scope)
{
	const struct findings *all = &c->findings;

	for (uint32_t i = scope < all->nscopes && all->in_scope[scope] ? all->in_scope[scope] - 1 : KEYMAP_NONE; i != KEYMAP_NONE;
	    i = all->v[i].next_in_scope) {
		struct finding *f = &all->v[i];
		struct point p = { .known = false };

		for (uint32_t k = 0; k < f->growth.nsources; k++) {
			const struct tally_shape *e = tally_shape_of(&c->tally, f->growth.sources[k]);

			if (!e || e->last_request != r->number)
				continue;
			p.known = true;
			p.rows += e->last_rows;
		}
		if (!p.known)
			continue;
		const struct tally_shape *loop = tally_shape_of(&c->tally, f->worst.repeat);

		growth_point(&f->growth, p.rows, loop && loop->last_request == r->number ? loop->last_executions : 0);
	}
}
