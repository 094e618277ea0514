/* SPDX-License-Identifier: Apache-2.0 */
/* timelines: see timelines.h. */
#include "timelines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "emit_keys.h"
#include "writers.h"

/* ---- shapes by number ---- */

struct shape_numbers
shape_numbers(const struct snapshot *s)
{
	struct shape_numbers numbers = { .n = 0 };

	for (uint32_t i = 0; i < s->nshapes; i++)
		if (s->shapes[i].shape->id >= numbers.n)
			numbers.n = s->shapes[i].shape->id + 1;
	numbers.v = xmem_zero((numbers.n + 1) * sizeof *numbers.v);
	for (uint32_t i = 0; i < numbers.n; i++)
		numbers.v[i] = SHAPE_NONE;
	for (uint32_t i = 0; i < s->nshapes; i++)
		numbers.v[s->shapes[i].shape->id] = (int32_t)i;
	return numbers;
}

int32_t
shape_number(const struct shape_numbers *numbers, const struct shape *shape)
{
	return shape && shape->id < numbers->n ? numbers->v[shape->id] : SHAPE_NONE;
}

/* ---- which requests ---- */

struct choice {
	const struct snapshot *s;
	const struct write_options *o;
	bool *taken;		/* by request */
	uint32_t n, statements; /* taken; of those taken */
};

static uint32_t
shown_of(const struct request *r)
{
	return r->nstmts < LIMIT_TIMELINE_STMTS ? r->nstmts : LIMIT_TIMELINE_STMTS;
}

static void
take(struct choice *c, uint32_t i)
{
	const struct request *r = &c->s->requests[i].r;

	if (c->taken[i] || !r->stmts || r->nstmts == 0 || !scope_shown(c->o, r->scope))
		return;
	if (c->n == LIMIT_TIMELINES || c->statements + shown_of(r) > LIMIT_TIMELINES_STMTS)
		return;
	c->taken[i] = true;
	c->n++;
	c->statements += shown_of(r);
}

static int
by_scope_and_time(const void *a, const void *b)
{
	const struct snap_request *x = *(const struct snap_request *const *)a, *y = *(const struct snap_request *const *)b;
	int scope = strcmp(x->r.scope, y->r.scope);

	if (scope)
		return scope;
	if (x->db != y->db)
		return x->db < y->db ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* The slowest and the median of each scope. */
static void
take_of_scopes(struct choice *c)
{
	const struct snapshot *s = c->s;
	const struct snap_request **order = xmem_zero((s->nrequests + 1) * sizeof *order);

	for (uint32_t i = 0; i < s->nrequests; i++)
		order[i] = &s->requests[i];
	if (s->nrequests)
		qsort(order, s->nrequests, sizeof *order, by_scope_and_time);
	for (int median = 0; median < 2; median++)
		for (uint32_t from = 0, to; from < s->nrequests; from = to) {
			for (to = from + 1; to < s->nrequests && strcmp(order[to]->r.scope, order[from]->r.scope) == 0;)
				to++;
			take(c, (uint32_t)(order[median ? from + (to - from - 1) / 2 : to - 1] - s->requests));
		}
	mem_free(order);
}

static bool *
choose(const struct snapshot *s, const struct write_options *o)
{
	struct choice c = { .s = s, .o = o, .taken = xmem_zero(s->nrequests + 1) };

	for (uint32_t i = 0; i < s->nfindings; i++)
		if (s->findings[i].request < s->nrequests)
			take(&c, s->findings[i].request);
	take_of_scopes(&c);
	for (uint32_t i = 0; i < s->nrequests; i++)
		take(&c, i);
	return c.taken;
}

/* ---- what is told of them ---- */

static uint64_t
us(uint64_t ns)
{
	return (ns + 500) / 1000;
}

static void
statement(struct emit *j, const struct req_stmt *st, const struct shape_numbers *numbers)
{
	emit_open(j, '[');
	emit_int(j, shape_number(numbers, st->shape));
	emit_uint(j, st->lane);
	emit_uint(j, us(st->start));
	emit_uint(j, us(st->first));
	emit_uint(j, us(st->busy));
	emit_uint(j, st->rows);
	emit_uint(j, st->affected);
	emit_uint(j, st->bytes);
	emit_uint(j, st->tx);
	emit_uint(j, st->outcome);
	emit_uint(j, st->flags);
	if (st->code[0])
		emit_span(j, span_of(st->code, strnlen(st->code, sizeof st->code)));
	emit_close(j, ']');
}

static void
edge(struct emit *j, const struct edge *e)
{
	char says[96];

	snprintf(says, sizeof says, "%" PRIu32 " of %" PRIu32 " values%s", e->values, e->source_values,
	    e->flags & EDGE_IN_ORDER ? ", in row order" : "");
	emit_open(j, '{');
	key_uint(j, "parent", e->parent_stmt);
	key_uint(j, "child", e->child_stmt);
	key_str(j, "column", e->column);
	key_str(j, "says", e->verdict == EDGE_FOLLOWS ? "once for each execution of it" : says);
	emit_close(j, '}');
}

static void
timeline(struct emit *j, const struct snap_request *sr, const struct shape_numbers *numbers)
{
	const struct request *r = &sr->r;
	uint32_t shown = shown_of(r);

	emit_open(j, '{');
	key_uint(j, "number", r->number);
	key_uint(j, "wall_us", us(sr->wall));
	key_open(j, "lanes", '[');
	for (uint32_t i = 0; i < r->nlanes; i++)
		emit_str(j, r->lanes[i].database);
	emit_close(j, ']');
	key_uint(j, "cut", (uint64_t)r->stmts_cut + (r->nstmts - shown));
	key_open(j, "statements", '[');
	for (uint32_t i = 0; i < shown; i++)
		statement(j, &r->stmts[i], numbers);
	emit_close(j, ']');
	key_open(j, "edges", '[');
	for (uint32_t i = 0; i < r->nedges; i++)
		if (r->edges[i].verdict != EDGE_HINT && r->edges[i].child_stmt < shown && r->edges[i].parent_stmt < shown)
			edge(j, &r->edges[i]);
	emit_close(j, ']');
	emit_close(j, '}');
}

void
timelines_json(struct emit *j, const struct snapshot *s, const struct write_options *o, const struct shape_numbers *numbers)
{
	bool *taken = choose(s, o);

	emit_open(j, '[');
	for (uint32_t i = 0; i < s->nrequests; i++)
		if (taken[i])
			timeline(j, &s->requests[i], numbers);
	emit_close(j, ']');
	mem_free(taken);
}
