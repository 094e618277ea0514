/* SPDX-License-Identifier: Apache-2.0 */
/* open_request: see open_request.h. Every open request is in exactly one of three lists, each in order of entry: held open, quiet, or
 * quiet but keyed and still carried by a connection. So what is due, or must go first, is always at a head. */
#include "open_requests.h"

#include <stdlib.h>

#include "close_request.h"
#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

enum { SPARE_REQUESTS = 256, SPARE_STMTS = 64 };

static void close_request(struct open_requests *p, struct open_request *r);

struct open_requests *
open_requests_new(const struct analyzer_config *cfg, struct request_sink sink, struct sessions *sessions, struct coverage *coverage,
    struct clue_box *clues)
{
	struct open_requests *p = xmem_zero(sizeof *p);

	p->cfg = cfg;
	p->sink = sink;
	p->sessions = sessions;
	p->coverage = coverage;
	p->clues = clues;
	request_keys_init(&p->keys);
	return p;
}

static void
request_free(struct open_request *r)
{
	arena_clear(&r->arena);
	mem_free(r->stmts);
	mem_free(r->clues);
	mem_free(r->lanes);
	mem_free(r);
}

void
open_requests_free(struct open_requests *p)
{
	if (!p)
		return;
	for (struct open_request *r = p->spare, *next; r; r = next) {
		next = r->next;
		request_free(r);
	}
	request_keys_clear(&p->keys);
	mem_free(p);
}

void
open_requests_wall(struct open_requests *p, int64_t zero_us)
{
	p->zero_us = zero_us;
}

uint32_t
requests_count(const struct open_requests *p)
{
	return p->n;
}

/* ---- lists ---- */

static void
list_remove(struct open_requests *p, struct open_request *r)
{
	struct list *l = &p->lists[r->list];

	*(r->prev ? &r->prev->next : &l->first) = r->next;
	*(r->next ? &r->next->prev : &l->last) = r->prev;
	r->prev = r->next = NULL;
}

static void
list_append(struct open_requests *p, struct open_request *r, enum request_list which)
{
	struct list *l = &p->lists[which];

	r->list = (uint8_t)which;
	r->since = p->now;
	r->prev = l->last;
	*(l->last ? &l->last->next : &l->first) = r;
	l->last = r;
}

/* Nothing is open in it: wait for more, or close when no more can come. */
static void
settle(struct open_requests *p, struct open_request *r)
{
	if (r->ended || (!has_key(r) && !r->carriers)) {
		close_request(p, r);
		return;
	}
	list_remove(p, r);
	list_append(p, r, r->bound == BY_MARK || (r->bound == BY_KEY && r->carriers) ? LIST_KEYED : LIST_QUIET);
}

void
request_hold(struct open_requests *p, struct open_request *r)
{
	if (r->holds++)
		return;
	list_remove(p, r);
	list_append(p, r, LIST_HELD);
}

void
request_release(struct open_requests *p, struct open_request *r, uint64_t t)
{
	if (t > p->now)
		p->now = t;
	if (--r->holds == 0)
		settle(p, r);
}

/* ---- opening ---- */

static struct open_request *
fresh(struct open_requests *p)
{
	struct open_request *r = p->spare;

	if (!r)
		return xmem_zero(sizeof *r);
	p->spare = r->next;
	p->nspare--;
	r->next = NULL;
	return r;
}

static void
recycle(struct open_requests *p, struct open_request *r)
{
	struct open_request clean = { .stmts = r->stmts, .cap = r->cap, .lanes = r->lanes, .lanes_cap = r->lanes_cap, .arena = r->arena };

	for (uint32_t i = 0; r->clues && i < r->nstmts; i++)
		clues_free(p->clues, r->clues[i]);
	mem_free(r->clues);
	r->clues = NULL;
	if (p->nspare == SPARE_REQUESTS || r->cap > SPARE_STMTS || r->lanes_cap > SPARE_STMTS) {
		request_free(r);
		return;
	}
	arena_reset(&clean.arena);
	*r = clean;
	r->next = p->spare;
	p->spare = r;
	p->nspare++;
}

static void
evict(struct open_requests *p, struct open_request *r)
{
	p->coverage->evicted_requests++;
	close_request(p, r);
}

/* The longest quiet one, keyed ones last, busy ones only when all are. */
static void
evict_oldest(struct open_requests *p)
{
	for (int i = 0; i < REQUEST_LISTS; i++) {
		if (p->lists[i].first) {
			evict(p, p->lists[i].first);
			return;
		}
	}
}

/* All open requests together hold too many statements: the largest one goes. */
static void
evict_largest(struct open_requests *p)
{
	struct open_request *largest = NULL;

	for (int i = 0; i < REQUEST_LISTS; i++)
		for (struct open_request *r = p->lists[i].first; r; r = r->next)
			if (!largest || r->nstmts > largest->nstmts)
				largest = r;
	if (largest)
		evict(p, largest);
}

void
requests_trim(struct open_requests *p)
{
	while (p->kept > LIMIT_OPEN_STMTS)
		evict_largest(p);
}

struct open_request *
request_open(struct open_requests *p, const struct request_identity *id, struct span test, uint64_t t)
{
	struct open_request *r;

	if (p->n >= LIMIT_OPEN_REQUESTS)
		evict_oldest(p);
	r = fresh(p);
	p->n++;
	r->id = ++p->opened;
	r->start = r->end = t;
	r->application = r->text = "";
	r->scope = "";
	r->test = test.n ? arena_strndup(&r->arena, test) : "";
	if (t > p->now)
		p->now = t;
	request_name(p, r, id);
	list_append(p, r, LIST_QUIET);
	return r;
}

void
request_query(struct open_requests *p, struct open_request *r)
{
	if (!r->number)
		r->number = ++p->numbers;
}

/* ---- carrying ---- */

static void
put_down(struct session *s)
{
	*(s->prev ? &s->prev->next : &s->cur->carriers) = s->next;
	if (s->next)
		s->next->prev = s->prev;
	s->prev = s->next = NULL;
	s->cur = NULL;
}

void
request_carry(struct open_requests *p, struct session *s, struct open_request *r)
{
	struct open_request *old = s->cur;

	if (old == r)
		return;
	if (old)
		put_down(s);
	if (r) {
		s->cur = r;
		s->next = r->carriers;
		if (s->next)
			s->next->prev = s;
		r->carriers = s;
	}
	if (old && old->holds == 0)
		settle(p, old);
}

/* ---- closing ---- */

/* An evicted request may have open statements: they count as lost in it, and their answers come too late. */
static void
orphan_statements(struct open_requests *p, struct open_request *r)
{
	for (uint32_t i = 0; i < sessions_slots(p->sessions); i++) {
		struct session *s = sessions_at(p->sessions, i);

		for (struct open_stmt *o = s ? s->first : NULL; o; o = o->next) {
			if (o->req != r)
				continue;
			o->req = NULL;
			o->orphan = true;
			s->nopen--;
			o->s.outcome = REC_LOST;
			request_add(p, r, s, &o->s);
		}
	}
}

static void
close_request(struct open_requests *p, struct open_request *r)
{
	if (r->holds)
		orphan_statements(p, r);
	while (r->carriers) {
		r->carriers->tx.held = false;
		put_down(r->carriers);
	}
	list_remove(p, r);
	if (has_key(r))
		request_keys_remove(&p->keys, r);
	p->n--;
	p->kept -= r->nstmts;
	if (!r->queries && r->number == p->numbers)
		p->numbers--; /* its queries moved away: nobody will see the number */
	request_emit(r, &p->sink, p->coverage, p->clues, p->zero_us);
	recycle(p, r);
}

void
requests_end_mark(struct open_requests *p, uint64_t mark)
{
	for (struct open_request *r = request_keys_first(&p->keys, mark), *next; r; r = next) {
		next = r->bucket_next;
		if (r->bound != BY_MARK || r->hash != mark)
			continue;
		r->ended = true;
		if (!r->holds)
			close_request(p, r);
	}
}

static void
expire(struct open_requests *p, enum request_list which, uint64_t after)
{
	struct open_request *r;

	while ((r = p->lists[which].first) && r->since + after <= p->now)
		close_request(p, r);
}

void
requests_expire(struct open_requests *p, uint64_t t)
{
	if (t > p->now)
		p->now = t;
	expire(p, LIST_QUIET, p->cfg->quiet);
	expire(p, LIST_KEYED, p->cfg->keyed_quiet);
}

static int
by_id(const void *a, const void *b)
{
	const struct open_request *x = *(struct open_request *const *)a, *y = *(struct open_request *const *)b;

	return (x->id > y->id) - (x->id < y->id);
}

void
requests_close_all(struct open_requests *p)
{
	struct open_request **all = xmem_zero(p->n * sizeof *all);
	uint32_t n = 0;

	for (int i = 0; i < REQUEST_LISTS; i++)
		for (struct open_request *r = p->lists[i].first; r; r = r->next)
			all[n++] = r;
	qsort(all, n, sizeof *all, by_id);
	for (uint32_t i = 0; i < n; i++)
		close_request(p, all[i]);
	mem_free(all);
}
