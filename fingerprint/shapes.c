/* SPDX-License-Identifier: Apache-2.0 */
/* shapes: see shapes.h. A hash table of pointers that readers walk without a lock; writers hold one. Shapes are never moved or freed
 * before the registry is, so a pointer once seen stays good. */
#include "shapes.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "limits.h"
#include "mem.h"

enum { BUCKETS = 32768, SUMMARY = 128 };	/* BUCKETS: a power of two above LIMIT_SHAPES */

struct node {
	_Atomic(struct node *) next;
	struct shape shape;
};

struct shapes {
	_Atomic(struct node *) buckets[BUCKETS];
	_Atomic(const struct shape *) by_id[LIMIT_SHAPES + 1];
	atomic_uint count;
	atomic_uint_fast64_t overflow;
	pthread_mutex_t lock;		/* new shapes */
	struct node *other;
};

static struct node *make_node(struct sql_lang lang, const struct sql_stmt *st);

struct shapes *
shapes_new(void)
{
	struct shapes *r = mem_zero(sizeof *r);
	static const char text[] = "(other shapes)";
	struct sql_stmt st = { .fingerprint = 1, .cls = SQL_OTHER, .tables_unknown = true, .shape = SPAN_LIT(text) };

	if (!r)
		return NULL;
	r->other = make_node((struct sql_lang){ 0, 0 }, &st);
	if (!r->other) {
		mem_free(r);
		return NULL;
	}
	r->other->shape.id = LIMIT_SHAPES;
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void
shapes_free(struct shapes *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct node *n = atomic_load(&r->buckets[i]), *next; n; n = next) {
			next = atomic_load(&n->next);
			mem_free(n);
		}
	mem_free(r->other);
	pthread_mutex_destroy(&r->lock);
	mem_free(r);
}

/* ---- one shape in one block of memory ---- */

struct layout {
	size_t slots, tables, text, summary, strings, total;
};

static struct layout
lay_out(const struct sql_stmt *st, size_t summary_n)
{
	struct layout l;

	l.slots = (sizeof(struct node) + 15) & ~(size_t)15;
	l.tables = l.slots + st->nslots * sizeof(struct shape_slot);
	l.text = l.tables + st->ntables * sizeof(struct shape_table);
	l.summary = l.text + st->shape.n + 1;
	l.strings = l.summary + summary_n + 1;
	l.total = l.strings + 1;
	for (size_t i = 0; i < st->nslots; i++)
		l.total += st->slots[i].table.n + st->slots[i].column.n + 2;
	for (size_t i = 0; i < st->ntables; i++)
		l.total += st->tables[i].name.n + 1;
	return l;
}

static const char *
put_string(char **at, struct span s)
{
	char *p = *at;

	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	*at += s.n + 1;
	return p;
}

static struct node *
make_node(struct sql_lang lang, const struct sql_stmt *st)
{
	char summary[SUMMARY], *block, *at;
	struct layout l;
	struct node *n;

	sql_summary(st, summary, sizeof summary);
	l = lay_out(st, strlen(summary));
	block = mem_zero(l.total);
	if (!block)
		return NULL;
	n = (struct node *)(void *)block;
	struct shape_slot *slots = (struct shape_slot *)(void *)(block + l.slots);
	struct shape_table *tables = (struct shape_table *)(void *)(block + l.tables);

	at = block + l.strings;
	for (size_t i = 0; i < st->nslots; i++) {
		slots[i].cls = st->slots[i].cls;
		slots[i].table = put_string(&at, st->slots[i].table);
		slots[i].column = put_string(&at, st->slots[i].column);
	}
	for (size_t i = 0; i < st->ntables; i++)
		tables[i] = (struct shape_table){ put_string(&at, st->tables[i].name), st->tables[i].write };
	at = block + l.text;
	put_string(&at, st->shape);
	at = block + l.summary;
	put_string(&at, span_str(summary));
	n->shape = (struct shape){ .fingerprint = st->fingerprint, .dialect = lang.dialect, .cls = st->cls, .verb = st->verb, .cut = st->cut,
		.tables_unknown = st->tables_unknown, .text = block + l.text, .text_n = st->shape.n, .summary = block + l.summary,
		.slots = slots, .nslots = (uint16_t)st->nslots, .tables = tables, .ntables = (uint16_t)st->ntables };
	return n;
}

/* ---- the table ---- */

/* A fingerprint names a text, so two dialects share an entry only when nothing else differs either. */
static const struct shape *
find(struct node *n, struct sql_lang lang, const struct sql_stmt *st)
{
	for (; n; n = atomic_load_explicit(&n->next, memory_order_acquire))
		if (n->shape.fingerprint == st->fingerprint && n->shape.dialect == lang.dialect)
			return &n->shape;
	return NULL;
}

const struct shape *
shapes_intern(struct shapes *r, struct sql_lang lang, const struct sql_stmt *st)
{
	_Atomic(struct node *) *bucket = &r->buckets[st->fingerprint & (BUCKETS - 1)];
	const struct shape *found = find(atomic_load_explicit(bucket, memory_order_acquire), lang, st);
	struct node *n;
	uint32_t id;

	if (found)
		return found;
	pthread_mutex_lock(&r->lock);
	found = find(atomic_load(bucket), lang, st);
	id = atomic_load(&r->count);
	if (!found && id < LIMIT_SHAPES && (n = make_node(lang, st)) != NULL) {
		n->shape.id = id;
		atomic_store_explicit(&n->next, atomic_load(bucket), memory_order_relaxed);
		atomic_store_explicit(&r->by_id[id], &n->shape, memory_order_release);
		atomic_store_explicit(bucket, n, memory_order_release);
		atomic_store_explicit(&r->count, id + 1, memory_order_release);
		found = &n->shape;
	}
	pthread_mutex_unlock(&r->lock);
	if (!found) {
		found = &r->other->shape;
		atomic_store_explicit(&r->by_id[LIMIT_SHAPES], found, memory_order_release);
		atomic_fetch_add(&r->overflow, 1);
	}
	return found;
}

const struct shape *
shapes_get(const struct shapes *r, uint32_t id)
{
	return id <= LIMIT_SHAPES ? atomic_load_explicit(&r->by_id[id], memory_order_acquire) : NULL;
}

uint32_t
shapes_count(const struct shapes *r)
{
	return atomic_load(&r->count);
}

uint64_t
shapes_overflow(const struct shapes *r)
{
	return atomic_load(&r->overflow);
}

void
shape_short(uint64_t fingerprint, char buf[9])
{
	snprintf(buf, 9, "q%07x", (unsigned)(fingerprint >> 36));
}

void
shape_hex(uint64_t fingerprint, char buf[17])
{
	snprintf(buf, 17, "%016llx", (unsigned long long)fingerprint);
}
