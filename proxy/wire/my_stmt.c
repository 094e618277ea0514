/* SPDX-License-Identifier: Apache-2.0 */
/* my_stmt: the session's prepared statements by id, with what later executions rely on: parameter types, long data, columns.
 * Does: find, count references, evict the longest unused beyond LIMIT_WIRE_PREPARED, keep within LIMIT_MY_MEMORY. Never: keeps texts or
 * values. */
#include "my_conn.h"

#include "fingerprint/mem.h"

static uint32_t
bucket_of(const struct my_stmts *t, uint32_t id)
{
	return (id * 2654435761u >> 7) & (t->nbuckets - 1);
}

/* ---- order of use ---- */

static void
order_remove(struct my_stmts *t, struct my_stmt *s)
{
	*(s->older ? &s->older->newer : &t->oldest) = s->newer;
	*(s->newer ? &s->newer->older : &t->newest) = s->older;
	s->older = s->newer = NULL;
}

static void
order_add(struct my_stmts *t, struct my_stmt *s)
{
	s->older = t->newest;
	s->newer = NULL;
	*(t->newest ? &t->newest->newer : &t->oldest) = s;
	t->newest = s;
}

void
my_stmt_used(struct wire_conn *c, struct my_stmt *s)
{
	if (!s->prepared || s->gone || c->stmts.newest == s)
		return;
	order_remove(&c->stmts, s);
	order_add(&c->stmts, s);
}

/* ---- the table ---- */

static bool
table_grow(struct my_stmts *t)
{
	uint32_t n = t->nbuckets ? t->nbuckets * 2 : 8;
	struct my_stmt **buckets = mem_zero(n * sizeof *buckets);

	if (!buckets)
		return false;
	mem_free(t->buckets);
	t->buckets = buckets;
	t->nbuckets = n;
	for (struct my_stmt *s = t->oldest; s; s = s->newer) {
		struct my_stmt **b = &buckets[bucket_of(t, s->id)];

		s->chain = *b;
		*b = s;
	}
	return true;
}

static void
table_remove(struct my_stmts *t, struct my_stmt *s)
{
	struct my_stmt **p = &t->buckets[bucket_of(t, s->id)];

	while (*p != s)
		p = &(*p)->chain;
	*p = s->chain;
	order_remove(t, s);
	t->n--;
}

static struct my_stmt *
table_find(const struct my_stmts *t, uint32_t id)
{
	struct my_stmt *s = t->nbuckets ? t->buckets[bucket_of(t, id)] : NULL;

	while (s && s->id != id)
		s = s->chain;
	return s;
}

struct my_stmt *
my_stmt_find(struct wire_conn *c, uint32_t id)
{
	return id == UINT32_MAX ? c->stmts.last : table_find(&c->stmts, id);
}

/* ---- lives ---- */

struct my_stmt *
my_stmt_new(struct wire_conn *c)
{
	struct my_stmt *s = mem_zero(sizeof *s);

	if (!s)
		return NULL;
	s->refs = 1;
	c->stmts.last = s;
	return s;
}

static bool
table_add(struct wire_conn *c, struct my_stmt *s)
{
	struct my_stmts *t = &c->stmts;
	struct my_stmt *same = table_find(t, s->id), **b;

	if (same)
		my_stmt_drop(c, same);
	if (t->n >= LIMIT_WIRE_PREPARED)
		my_stmt_drop(c, t->oldest);
	/* Without memory to grow an existing table only gets slower. */
	if (t->n >= t->nbuckets && !table_grow(t) && !t->nbuckets)
		return false;
	b = &t->buckets[bucket_of(t, s->id)];
	s->chain = *b;
	*b = s;
	order_add(t, s);
	t->n++;
	return true;
}

void
my_stmt_prepared(struct wire_conn *c, struct my_stmt *s, uint32_t id, uint32_t nparams)
{
	s->id = id;
	s->pub.nparams = nparams;
	if (!s->gone && !table_add(c, s))
		my_stmt_drop(c, s);
	s->prepared = true;
}

void
my_stmt_drop(struct wire_conn *c, struct my_stmt *s)
{
	if (!s || s->gone)
		return;
	if (s->prepared)
		table_remove(&c->stmts, s);
	if (c->stmts.last == s)
		c->stmts.last = NULL;
	s->gone = true;
	my_stmt_release(c, s);
}

void
my_stmt_release(struct wire_conn *c, struct my_stmt *s)
{
	if (--s->refs)
		return;
	my_cursor_end(c, s, true, NULL);
	c->ops->unprepare(c->ctx, &s->pub);
	c->stmts.bytes -= s->nlongs + (uint32_t)s->columns.n + (s->types ? s->pub.nparams * (uint32_t)sizeof *s->types : 0);
	mem_free(s->types);
	mem_free(s->longs);
	strbuf_clear(&s->columns);
	mem_free(s);
}

void
my_stmts_drop(struct wire_conn *c)
{
	for (struct my_ask *a = c->head; a; a = a->next)
		if (a->kind == MY_ASK_PREPARE)
			my_stmt_drop(c, a->stmt);
	while (c->stmts.oldest)
		my_stmt_drop(c, c->stmts.oldest);
	my_name_forget(c, (struct span){ NULL, 0 });
}

void
my_stmts_clear(struct wire_conn *c)
{
	my_stmts_drop(c);
	mem_free(c->stmts.buckets);
	c->stmts = (struct my_stmts){ 0 };
}

/* ---- what executions rely on ---- */

bool
my_stmt_types(struct wire_conn *c, struct my_stmt *s, uint32_t n)
{
	uint32_t bytes = n * (uint32_t)sizeof *s->types;

	if (s->types)
		return true;
	if (n != s->pub.nparams || bytes > LIMIT_MY_MEMORY - c->stmts.bytes)
		return false;
	s->types = mem_alloc(bytes);
	if (!s->types)
		return false;
	c->stmts.bytes += bytes;
	return true;
}

void
my_stmt_long(struct wire_conn *c, struct my_stmt *s, uint16_t param)
{
	uint32_t need = param / 8u + 1;

	if (!s->prepared) {
		s->puzzling = true;
		return;
	}
	if (param >= s->pub.nparams)
		return;
	if (need > s->nlongs) {
		uint8_t *longs;

		if (need - s->nlongs > LIMIT_MY_MEMORY - c->stmts.bytes || !(longs = mem_resize(s->longs, need))) {
			s->puzzling = true;
			return;
		}
		memset(longs + s->nlongs, 0, need - s->nlongs);
		c->stmts.bytes += need - s->nlongs;
		s->longs = longs;
		s->nlongs = need;
	}
	s->longs[param / 8] |= (uint8_t)(1 << (param % 8));
}

void
my_stmt_forget_long(struct wire_conn *c, struct my_stmt *s)
{
	if (!s->nlongs)
		return;
	c->stmts.bytes -= s->nlongs;
	mem_free(s->longs);
	s->longs = NULL;
	s->nlongs = 0;
}
