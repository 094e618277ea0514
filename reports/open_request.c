/* SPDX-License-Identifier: Apache-2.0 */
/* open_request: see open_request.h. Every open request is in exactly one of three lists, each in order of entry: held open, quiet, or
 * quiet but keyed and still carried by a connection. So what is due, or must go first, is always at a head. */
#include "open_request.h"

#define XXH_INLINE_ALL
#include <sys/random.h>
#include <xxhash.h>

#include "close_request.h"
#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

enum { FIRST_BUCKETS = 64, FIRST_STMTS = 16, FIRST_LANES = 4, FIRST_SITES = 8, SPARE_REQUESTS = 256, SPARE_STMTS = 64 };

struct list {
	struct open_request *first, *last;
};

struct open_requests {
	const struct analyzer_config *cfg;
	struct request_sink sink;
	struct sessions *sessions;
	struct coverage *coverage;
	struct list lists[REQUEST_LISTS];
	struct open_request **buckets;
	uint32_t nbuckets, n, nspare;
	struct open_request *spare;	/* by next */
	uint64_t numbers;		/* given out */
	uint64_t kept;			/* statements in all of them */
	uint64_t seed, now;
	int64_t zero_us;
};

static void close_request(struct open_requests *p, struct open_request *r);

struct open_requests *
open_requests_new(const struct analyzer_config *cfg, struct request_sink sink, struct sessions *sessions, struct coverage *coverage)
{
	struct open_requests *p = xmem_zero(sizeof *p);

	p->cfg = cfg;
	p->sink = sink;
	p->sessions = sessions;
	p->coverage = coverage;
	p->nbuckets = FIRST_BUCKETS;
	p->buckets = xmem_zero(p->nbuckets * sizeof *p->buckets);
	/* Keys come from clients: they must not be able to fill one bucket. Without a seed the table still works. */
	if (getrandom(&p->seed, sizeof p->seed, GRND_NONBLOCK) != sizeof p->seed)
		p->seed = (uintptr_t)p;
	return p;
}

static void
request_free(struct open_request *r)
{
	arena_clear(&r->arena);
	mem_free(r->stmts);
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
	mem_free(p->buckets);
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

static bool
has_key(const struct open_request *r)
{
	return r->bound == BY_KEY || r->bound == BY_MARK;
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

/* ---- by key ---- */

uint64_t
request_hash(const struct open_requests *p, struct span key)
{
	return XXH3_64bits_withSeed(key.p, key.n, p->seed);
}

static struct open_request **
bucket(const struct open_requests *p, uint64_t hash)
{
	return &p->buckets[hash & (p->nbuckets - 1)];
}

static void
double_buckets(struct open_requests *p)
{
	struct open_request **old = p->buckets;
	uint32_t n = p->nbuckets;

	p->nbuckets *= 2;
	p->buckets = xmem_zero(p->nbuckets * sizeof *p->buckets);
	for (uint32_t i = 0; i < n; i++) {
		struct open_request *newest_first = NULL;

		/* Turned over twice, so that the newest stays in front. */
		for (struct open_request *r = old[i], *next; r; r = next) {
			next = r->bucket_next;
			r->bucket_next = newest_first;
			newest_first = r;
		}
		for (struct open_request *r = newest_first, *next; r; r = next) {
			struct open_request **b = bucket(p, r->hash);

			next = r->bucket_next;
			r->bucket_next = *b;
			*b = r;
		}
	}
	mem_free(old);
}

static void
bucket_add(struct open_requests *p, struct open_request *r)
{
	struct open_request **b;

	if (p->n > p->nbuckets)
		double_buckets(p);
	b = bucket(p, r->hash);
	r->bucket_next = *b;
	*b = r;
}

static void
bucket_remove(struct open_requests *p, struct open_request *r)
{
	struct open_request **at = bucket(p, r->hash);

	while (*at != r)
		at = &(*at)->bucket_next;
	*at = r->bucket_next;
	r->bucket_next = NULL;
}

static bool
same_key(const struct open_request *r, const struct request_identity *id)
{
	return r->bound == id->bound && r->hash == id->hash && !r->ended && (id->bound == BY_MARK || span_is(id->key, r->key));
}

bool
request_is(const struct open_request *r, const struct request_identity *id)
{
	if (!same_key(r, id))
		return false;
	return span_is(id->scope, r->scope) || (id->bound == BY_KEY && !id->scope.n);
}

static void
count_named(struct open_requests *p, const struct open_request *r, bool was)
{
	if (!was && request_named(r))
		p->coverage->tagged += r->queries;
}

static void
set_scope(struct open_requests *p, struct open_request *r, const struct request_identity *id)
{
	bool named = request_named(r);

	r->scope = arena_strndup(&r->arena, id->scope);
	r->scope_from = (uint8_t)(id->scope.n ? id->scope_from : FROM_NONE);
	count_named(p, r, named);
}

struct open_request *
request_find(struct open_requests *p, const struct request_identity *id)
{
	struct open_request *without = NULL;

	for (struct open_request *r = *bucket(p, id->hash); r; r = r->bucket_next) {
		if (!same_key(r, id))
			continue;
		if (request_is(r, id))
			return r;
		if (!*r->scope && !without)
			without = r;
	}
	if (!without || id->bound != BY_KEY)
		return NULL;
	set_scope(p, without, id);
	return without;
}

/* ---- opening ---- */

static void
take_names(struct open_requests *p, struct open_request *r, const struct request_identity *id)
{
	r->bound = (uint8_t)id->bound;
	r->borders_from = (uint8_t)id->borders_from;
	r->hash = id->hash;
	r->key = arena_strndup(&r->arena, id->key);
	set_scope(p, r, id);
	if (has_key(r))
		bucket_add(p, r);
}

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

struct open_request *
request_open(struct open_requests *p, const struct request_identity *id, struct span test, uint64_t t)
{
	struct open_request *r;

	if (p->n >= LIMIT_OPEN_REQUESTS)
		evict_oldest(p);
	r = fresh(p);
	p->n++;
	r->number = ++p->numbers;
	r->start = r->end = t;
	r->application = r->text = "";
	r->scope = "";
	r->test = test.n ? arena_strndup(&r->arena, test) : "";
	if (t > p->now)
		p->now = t;
	take_names(p, r, id);
	list_append(p, r, LIST_QUIET);
	return r;
}

void
request_rename(struct open_requests *p, struct open_request *r, const struct request_identity *id)
{
	if (has_key(r))
		bucket_remove(p, r);
	take_names(p, r, id);
}

/* ---- tags ---- */

static void
add_tag(struct open_request *r, struct tag_view v)
{
	if (!v.key.n)
		return;
	if (!r->tags)
		r->tags = arena_zero(&r->arena, LIMIT_REQUEST_TAGS * sizeof *r->tags);
	for (uint32_t i = 0; i < r->ntags; i++)
		if (span_is(v.key, r->tags[i].key))
			return;
	if (r->ntags == LIMIT_REQUEST_TAGS)
		return;
	r->tags[r->ntags++] = (struct req_tag){ arena_strndup(&r->arena, span_first(v.key, LIMIT_NAME)),
		arena_strndup(&r->arena, span_first(v.value, LIMIT_NAME)) };
}

/* Its number, from 1; 0 when there are too many. */
static uint16_t
add_site(struct open_request *r, const char *tag, const char *site)
{
	for (uint32_t i = r->nsites; i-- > 0;)
		if (strcmp(r->sites[i].value, site) == 0 && strcmp(r->sites[i].key, tag) == 0)
			return (uint16_t)(i + 1);
	if (r->nsites == LIMIT_REQUEST_SITES)
		return 0;
	if (r->nsites == 0 || (r->nsites >= FIRST_SITES && (r->nsites & (r->nsites - 1)) == 0)) {
		struct req_tag *wider = arena_zero(&r->arena, (r->nsites ? 2 * r->nsites : FIRST_SITES) * sizeof *wider);

		if (r->nsites)
			memcpy(wider, r->sites, r->nsites * sizeof *wider);
		r->sites = wider;
	}
	r->sites[r->nsites++] = (struct req_tag){ arena_strndup(&r->arena, span_str(tag)), arena_strndup(&r->arena, span_str(site)) };
	return (uint16_t)r->nsites;
}

uint16_t
request_merge_tags(struct open_requests *p, struct open_request *r, const struct tagset *t)
{
	bool named = request_named(r);

	if (r->merged == t->serial)
		return r->merged_site;
	for (uint32_t i = 0; i < t->ntags; i++)
		add_tag(r, t->tags[i]);
	if (!*r->application && *t->application)
		r->application = arena_strndup(&r->arena, span_str(t->application));
	if (!*r->text && *t->text)
		r->text = arena_strndup(&r->arena, span_str(t->text));
	count_named(p, r, named);
	r->merged = t->serial;
	r->merged_site = *t->site ? add_site(r, t->site_tag, t->site) : 0;
	return r->merged_site;
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

/* ---- statements ---- */

static bool
is_query(const struct req_stmt *s)
{
	return s->shape->cls != SQL_CONTROL && s->shape->cls != SQL_SETUP && s->shape->cls != SQL_EMPTY;
}

static bool
lane_matches(const struct open_request *r, uint32_t lane, const struct session *s)
{
	return r->lanes[lane].session == s->id && strcmp(r->lanes[lane].database, s->database ? s->database : "") == 0;
}

/* The session's lane, a new one at need; UINT32_MAX when there are too many. */
static uint32_t
lane_of(struct open_request *r, struct session *s)
{
	if (s->lane_number == r->number)
		return s->lane;
	for (uint32_t i = r->nlanes; i-- > 0;) {
		if (lane_matches(r, i, s)) {
			s->lane_number = r->number;
			return s->lane = (uint16_t)i;
		}
	}
	if (r->nlanes == LIMIT_REQUEST_LANES)
		return UINT32_MAX;
	if (r->nlanes == r->lanes_cap) {
		r->lanes_cap = r->lanes_cap ? 2 * r->lanes_cap : FIRST_LANES;
		r->lanes = xmem_resize(r->lanes, r->lanes_cap * sizeof *r->lanes);
	}
	r->lanes[r->nlanes] = (struct req_lane){ .session = s->id, .upstream = s->upstream,
		.database = s->database ? arena_strndup(&r->arena, span_str(s->database)) : "" };
	if (!*r->application && s->application)
		r->application = arena_strndup(&r->arena, span_str(s->application));
	s->lane_number = r->number;
	return s->lane = (uint16_t)r->nlanes++;
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

static bool
room_for_one(struct open_request *r)
{
	if (r->nstmts == LIMIT_REQUEST_STMTS)
		return false;
	if (r->nstmts == r->cap) {
		r->cap = r->cap ? 2 * r->cap : FIRST_STMTS;
		r->stmts = xmem_resize(r->stmts, r->cap * sizeof *r->stmts);
	}
	return true;
}

uint32_t
request_add(struct open_requests *p, struct open_request *r, struct session *s, const struct req_stmt *st)
{
	uint32_t lane = lane_of(r, s);

	if (is_query(st)) {
		r->queries++;
		if (request_named(r))
			p->coverage->tagged++;
	}
	if (st->start < r->start)
		r->start = st->start;
	if (lane == UINT32_MAX || !room_for_one(r)) {
		r->cut++;
		return UINT32_MAX;
	}
	if (r->nstmts && st->start < r->stmts[r->nstmts - 1].start)
		r->unsorted = true;
	r->stmts[r->nstmts] = *st;
	r->stmts[r->nstmts].lane = (uint16_t)lane;
	p->kept++;
	return r->nstmts++;
}

void
requests_trim(struct open_requests *p)
{
	while (p->kept > LIMIT_OPEN_STMTS)
		evict_largest(p);
}

uint32_t
request_tx(struct open_request *r, struct session *s)
{
	if (s->tx.number != r->number) {
		s->tx.number = r->number;
		s->tx.ordinal = ++r->ntx;
		s->tx.first = r->nstmts;
	}
	return s->tx.ordinal;
}

static void
move_ended(struct open_requests *p, struct open_request *from, struct open_request *to, struct session *s, uint32_t first, uint32_t was)
{
	bool named = request_named(from);

	for (uint32_t i = first; i < from->nstmts; i++) {
		struct req_stmt *st = &from->stmts[i], moved = *st;

		if (!st->shape || st->tx != was || from->lanes[st->lane].session != s->id)
			continue;
		if (is_query(st)) {
			from->queries--;
			p->coverage->tagged -= named;
		}
		moved.tx = s->tx.ordinal;
		moved.site = st->site ? add_site(to, from->sites[st->site - 1].key, from->sites[st->site - 1].value) : 0;
		request_add(p, to, s, &moved);
		st->shape = NULL;
		from->moved++;
	}
}

void
request_move_tx(struct open_requests *p, struct open_request *from, struct open_request *to, struct session *s)
{
	uint32_t was = s->tx.ordinal, first = s->tx.first, open = 0;
	bool ended = s->tx.number == from->number;

	s->tx.number = s->done_number = s->lane_number = 0;
	request_tx(to, s);
	if (ended)
		move_ended(p, from, to, s, first, was);
	for (struct open_stmt *o = s->first; o; o = o->next) {
		if (o->req != from || o->tx != s->tx.serial)
			continue;
		o->req = to;
		o->s.tx = s->tx.ordinal;
		request_hold(p, to);
		open++;
	}
	while (open--)
		request_release(p, from, p->now);
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
		bucket_remove(p, r);
	p->n--;
	p->kept -= r->nstmts;
	request_emit(r, &p->sink, p->coverage, p->zero_us);
	recycle(p, r);
}

void
requests_end_mark(struct open_requests *p, uint64_t mark)
{
	for (struct open_request *r = *bucket(p, mark), *next; r; r = next) {
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
by_number(const void *a, const void *b)
{
	const struct open_request *x = *(struct open_request *const *)a, *y = *(struct open_request *const *)b;

	return (x->number > y->number) - (x->number < y->number);
}

void
requests_close_all(struct open_requests *p)
{
	struct open_request **all = xmem_zero(p->n * sizeof *all);
	uint32_t n = 0;

	for (int i = 0; i < REQUEST_LISTS; i++)
		for (struct open_request *r = p->lists[i].first; r; r = r->next)
			all[n++] = r;
	qsort(all, n, sizeof *all, by_number);
	for (uint32_t i = 0; i < n; i++)
		close_request(p, all[i]);
	mem_free(all);
}
