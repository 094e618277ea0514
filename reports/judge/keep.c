/* SPDX-License-Identifier: Apache-2.0 */
/* keep: see keep.h. */
#include "keep.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

/* ---- one block per request ---- */

/* Measures first (p NULL), then copies. */
struct packer {
	char *p;
	size_t n;
};

static void *
pack(struct packer *to, const void *from, size_t n)
{
	void *at = to->p ? to->p + to->n : NULL;

	if (at && n)
		memcpy(at, from, n);
	to->n += (n + 7) & ~(size_t)7;
	return at;
}

static const char *
pack_str(struct packer *to, const char *s)
{
	return pack(to, s, strlen(s) + 1);
}

static const struct req_tag *
pack_tags(struct packer *to, const struct req_tag *tags, uint32_t n)
{
	struct req_tag *copy = pack(to, tags, n * sizeof *tags);

	for (uint32_t i = 0; i < n; i++) {
		const char *key = pack_str(to, tags[i].key), *value = pack_str(to, tags[i].value);

		if (copy)
			copy[i] = (struct req_tag){ key, value };
	}
	return copy;
}

static const struct req_lane *
pack_lanes(struct packer *to, const struct req_lane *lanes, uint32_t n)
{
	struct req_lane *copy = pack(to, lanes, n * sizeof *lanes);

	for (uint32_t i = 0; i < n; i++) {
		const char *database = pack_str(to, lanes[i].database);

		if (copy)
			copy[i].database = database;
	}
	return copy;
}

static const struct edge *
pack_edges(struct packer *to, const struct edge *edges, uint32_t n)
{
	struct edge *copy = pack(to, edges, n * sizeof *edges);

	for (uint32_t i = 0; i < n; i++) {
		const char *column = pack_str(to, edges[i].column), *other = pack_str(to, edges[i].other);

		if (copy) {
			copy[i].column = column;
			copy[i].other = other;
		}
	}
	return copy;
}

/* Fills the block behind `head`, or only measures it. slim: without statements. */
static void
pack_all(struct packer *to, struct kept *head, const struct kept *from, bool slim)
{
	const struct request *r = &from->r;

	*head = *from;
	head->r.scope = pack_str(to, r->scope);
	head->r.test = pack_str(to, r->test);
	head->r.key = pack_str(to, r->key);
	head->r.application = pack_str(to, r->application);
	head->r.tags = pack_tags(to, r->tags, r->ntags);
	head->r.sites = pack_tags(to, r->sites, r->nsites);
	head->r.lanes = pack_lanes(to, r->lanes, r->nlanes);
	head->shares = pack(to, from->shares, from->nshares * sizeof *from->shares);
	head->findings = pack(to, from->findings, from->nfindings * sizeof *from->findings);
	head->r.stmts = slim ? NULL : pack(to, r->stmts, r->nstmts * sizeof *r->stmts);
	head->r.nstmts = slim ? 0 : r->nstmts;
	head->r.edges = slim ? NULL : pack_edges(to, r->edges, r->nedges);
	head->r.nedges = slim ? 0 : r->nedges;
}

static struct kept *
copy(const struct kept *from, bool slim)
{
	struct packer measure = { .p = NULL }, fill;
	struct kept scratch, *k;

	pack_all(&measure, &scratch, from, slim);
	k = xmem_zero(sizeof *k + measure.n);
	fill = (struct packer){ .p = (char *)(k + 1) };
	pack_all(&fill, k, from, slim);
	k->bytes = sizeof *k + measure.n;
	k->next = NULL;
	atomic_init(&k->refs, 1);
	return k;
}

void
kept_release(struct kept *k)
{
	if (atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) == 1)
		mem_free(k);
}

/* ---- queues ---- */

static void
queue_init(struct kept_queue *q)
{
	q->head = NULL;
	q->tail = &q->head;
}

static void
queue_push(struct kept_queue *q, struct kept *k)
{
	k->next = NULL;
	*q->tail = k;
	q->tail = &k->next;
}

static struct kept *
queue_pop(struct kept_queue *q)
{
	struct kept *k = q->head;

	if (k) {
		q->head = k->next;
		if (!q->head)
			q->tail = &q->head;
	}
	return k;
}

void
keep_init(struct keep *k, size_t budget)
{
	*k = (struct keep){ .budget = budget };
	queue_init(&k->full);
	queue_init(&k->slowest);
	queue_init(&k->slim);
	queue_init(&k->found);
}

static void
drop(struct keep *k, struct kept_queue *q)
{
	struct kept *old = queue_pop(q);

	k->bytes -= old->bytes;
	k->n--;
	k->dropped++;
	if (!old->r.stmts && old->statements)
		k->slimmed--;
	kept_release(old);
}

static uint64_t *
longest_of(struct keep *k, const char *scope)
{
	uint32_t n = k->scopes.n, i = keymap_add(&k->scopes, keymap_name(scope, 0), LIMIT_SCOPES);

	if (i != KEYMAP_NONE && i == n) {
		k->longest = xmem_resize(k->longest, (n + 1) * sizeof *k->longest);
		k->longest[i] = 0;
	}
	return i == KEYMAP_NONE ? NULL : &k->longest[i];
}

static bool
is_slowest(struct keep *k, const struct kept *one)
{
	const uint64_t *longest = longest_of(k, one->r.scope);

	return longest && one->db >= *longest;
}

static void
slim_oldest(struct keep *k, struct kept_queue *q)
{
	struct kept *old = queue_pop(q), *slim = copy(old, true);

	k->bytes = k->bytes - old->bytes + slim->bytes;
	k->slimmed += old->statements > 0;
	queue_push(&k->slim, slim);
	kept_release(old);
}

static void
drop_oldest(struct keep *k)
{
	if (k->slim.head)
		drop(k, &k->slim);
	else if (k->full.head)
		drop(k, &k->full);
	else if (k->slowest.head)
		drop(k, &k->slowest);
	else
		drop(k, &k->found);
}

void
keep_add(struct keep *k, const struct facts *f, const struct database_share *shares, uint32_t nshares, const uint32_t *findings,
    uint32_t nfindings)
{
	struct kept from = {
		.r = *f->r,
		.statements = f->statements,
		.queries = f->queries,
		.control = f->control,
		.setup = f->setup,
		.round_trips = f->round_trips,
		.duplicates = f->duplicates,
		.undone = f->undone,
		.errors = f->errors,
		.db = f->db,
		.wall = f->wall,
		.shares = shares,
		.nshares = nshares,
		.findings = findings,
		.nfindings = nfindings,
	};
	struct kept *one = copy(&from, false);
	uint64_t *longest = longest_of(k, one->r.scope);

	if (longest && *longest < one->db)
		*longest = one->db;
	queue_push(nfindings ? &k->found : &k->full, one);
	k->bytes += one->bytes;
	k->n++;
	while (k->n > LIMIT_REQUESTS_KEPT)
		drop_oldest(k);
	while (k->bytes > k->budget && k->full.head) {
		if (is_slowest(k, k->full.head))
			queue_push(&k->slowest, queue_pop(&k->full));
		else
			slim_oldest(k, &k->full);
	}
	while (k->bytes > k->budget && k->slowest.head)
		slim_oldest(k, &k->slowest);
	while (k->bytes > k->budget && k->n > 0)
		drop_oldest(k);
}

void
keep_clear(struct keep *k)
{
	while (k->n)
		drop_oldest(k);
	keymap_clear(&k->scopes);
	mem_free(k->longest);
	k->longest = NULL;
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = (*(struct kept *const *)a)->r.number, y = (*(struct kept *const *)b)->r.number;

	return x < y ? -1 : x > y;
}

struct kept **
keep_all(struct keep *k, uint32_t *n)
{
	const struct kept_queue *queues[] = { &k->full, &k->slowest, &k->slim, &k->found };
	struct kept **all = xmem_zero((k->n + 1) * sizeof *all);

	*n = 0;
	for (size_t q = 0; q < sizeof queues / sizeof *queues; q++)
		for (struct kept *one = queues[q]->head; one; one = one->next) {
			atomic_fetch_add_explicit(&one->refs, 1, memory_order_relaxed);
			all[(*n)++] = one;
		}
	qsort(all, *n, sizeof *all, by_number);
	return all;
}
