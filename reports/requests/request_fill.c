/* SPDX-License-Identifier: Apache-2.0 */
/* request_fill: what an open request collects: tags, lines of code, connections, statements. See open_request.h. */
#include "open_requests.h"

#include "close_request.h"
#include "request_stmt.h"
#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

enum { FIRST_STMTS = 16, FIRST_LANES = 4, FIRST_SITES = 8 };

void
request_count_named(struct open_requests *p, const struct open_request *r, bool was)
{
	if (!was && request_named(r))
		p->coverage->tagged += r->queries;
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
	request_count_named(p, r, named);
	r->merged = t->serial;
	r->merged_site = *t->site ? add_site(r, t->site_tag, t->site) : 0;
	return r->merged_site;
}

/* ---- statements ---- */

static bool
lane_matches(const struct open_request *r, uint32_t lane, const struct session *s)
{
	return r->lanes[lane].session == s->id && strcmp(r->lanes[lane].database, s->database ? s->database : "") == 0;
}

/* The session's lane, a new one at need; UINT32_MAX when there are too many. */
static uint32_t
lane_of(struct open_request *r, struct session *s)
{
	if (s->lane_request == r->id)
		return s->lane;
	for (uint32_t i = r->nlanes; i-- > 0;) {
		if (lane_matches(r, i, s)) {
			s->lane_request = r->id;
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
	s->lane_request = r->id;
	return s->lane = (uint16_t)r->nlanes++;
}

/* One entry for each statement there is room for. */
static void
grow_clues(struct open_request *r)
{
	r->clues = xmem_resize(r->clues, r->cap * sizeof(struct clues *));
	memset(r->clues + r->clues_cap, 0, (r->cap - r->clues_cap) * sizeof(struct clues *));
	r->clues_cap = r->cap;
}

static bool
room_for_one(struct open_request *r)
{
	if (r->nstmts == LIMIT_REQUEST_STMTS)
		return false;
	if (r->nstmts == r->cap) {
		r->cap = r->cap ? 2 * r->cap : FIRST_STMTS;
		r->stmts = xmem_resize(r->stmts, r->cap * sizeof *r->stmts);
		if (r->clues)
			grow_clues(r);
	}
	return true;
}

uint32_t
request_add(struct open_requests *p, struct open_request *r, struct session *s, const struct req_stmt *st)
{
	uint32_t lane = lane_of(r, s);

	if (stmt_is_query(st)) {
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

struct tx_place *
request_tx(struct open_request *r, struct session *s)
{
	enum { PLACES = sizeof s->tx.places / sizeof *s->tx.places };
	struct tx_place *place;

	for (uint32_t i = 0; i < PLACES; i++)
		if (s->tx.places[i].request == r->id)
			return &s->tx.places[i];
	place = &s->tx.places[s->tx.next_place++ % PLACES];
	*place = (struct tx_place){ .request = r->id, .ordinal = ++r->ntx, .first = r->nstmts };
	return place;
}

void
request_keep_clues(struct open_requests *p, struct open_request *r, uint32_t at, struct clues *c)
{
	if (r->nvalues + clues_size(c) > LIMIT_LINEAGE_VALUES) {
		r->clues_cut = true;
		clues_free(p->clues, c);
		return;
	}
	if (!r->clues)
		grow_clues(r);
	r->nvalues += clues_size(c);
	r->clues[at] = c;
}

/* A statement's evidence goes with it. */
static void
move_clues(struct open_requests *p, struct open_request *from, uint32_t i, struct open_request *to, uint32_t at)
{
	if (!from->clues || !from->clues[i] || at == UINT32_MAX)
		return;
	from->nvalues -= clues_size(from->clues[i]);
	request_keep_clues(p, to, at, from->clues[i]);
	from->clues[i] = NULL;
}

static uint16_t
moved_site(const struct open_request *from, struct open_request *to, uint16_t site)
{
	return site ? add_site(to, from->sites[site - 1].key, from->sites[site - 1].value) : 0;
}

/* Of the transaction at `place` in from. */
static void
move_ended(struct open_requests *p, struct open_request *from, struct open_request *to, struct session *s, struct tx_place place)
{
	bool named = request_named(from);

	for (uint32_t i = place.first; i < from->nstmts; i++) {
		struct req_stmt *st = &from->stmts[i], moved = *st;

		if (!st->shape || st->tx != place.ordinal)
			continue;
		if (stmt_is_query(st)) {
			from->queries--;
			p->coverage->tagged -= named;
			request_query(p, to);
		}
		moved.tx = request_tx(to, s)->ordinal;
		moved.site = moved_site(from, to, st->site);
		move_clues(p, from, i, to, request_add(p, to, s, &moved));
		st->shape = NULL;
		from->moved++;
	}
}

void
request_move_open(struct open_requests *p, struct open_stmt *o, struct open_request *to)
{
	struct open_request *from = o->req;

	o->s.site = moved_site(from, to, o->s.site);
	o->req = to;
	if (stmt_kind(o->s.shape) == KIND_QUERY)
		request_query(p, to);
	request_hold(p, to);
	request_release(p, from, p->now);
}

void
request_move_tx(struct open_requests *p, struct open_request *from, struct open_request *to, struct session *s)
{
	struct tx_place *there = request_tx(from, s), place = *there;

	there->request = s->done_request = s->lane_request = 0;
	move_ended(p, from, to, s, place);
	request_hold(p, from);
	for (struct open_stmt *o = s->first; o; o = o->next) {
		if (o->req != from || o->tx != s->tx.serial)
			continue;
		o->s.tx = request_tx(to, s)->ordinal;
		request_move_open(p, o, to);
	}
	request_release(p, from, p->now);
}
