/* SPDX-License-Identifier: Apache-2.0 */
/* follow: statements from their start to their end, and the transactions around them. See group.h.
 * The server's word on a transaction comes after the answer, so that within a pipeline the verbs tell; its word corrects them. */
#include "request_stmt.h"
#include "fingerprint/mem.h"
#include "group.h"

/* ---- transactions ---- */

static void
tx_begin(struct session *s)
{
	uint32_t serial = s->tx.serial + 1, part = s->tx.part + 1;

	s->tx = (struct track_tx){ .open = true, .server = s->tx.server, .failed = s->tx.failed, .serial = serial, .part = part };
}

static void
tx_end(struct grouping *g, struct session *s, bool undone)
{
	if (s->tx.held) {
		s->tx.held = false;
		request_release(g->requests, s->cur, g->now);
	}
	tagset_unref(s->tx.tag);
	s->tx.tag = NULL;
	s->tx.open = false;
	session_end_tx(s, undone);
}

static bool
ends_tx(const struct shape *shape)
{
	return shape->verb == SQL_V_COMMIT || shape->verb == SQL_V_ROLLBACK;
}

/* A test harness that wraps many tests in one transaction gives each a savepoint and rolls back to it. An application does so only after an
 * error. Only the outermost savepoints count. */
static void
tx_savepoint(struct session *s, enum sql_verb verb)
{
	struct track_tx *tx = &s->tx;

	if (verb == SQL_V_SAVEPOINT) {
		if (tx->savepoints++ == 0 && tx->undone)
			tx->part++;
		tx->undone = false;
	} else if (verb == SQL_V_RELEASE) {
		tx->savepoints -= tx->savepoints > 0;
		return;
	} else if (verb == SQL_V_ROLLBACK_TO) {
		tx->undone = tx->savepoints == 1 && !tx->error;
	} else {
		return;
	}
	tx->error = false;
}

/* What the statement does to the transaction before it belongs to one. A COMMIT AND CHAIN is seen when the server still says open with
 * nothing outstanding. */
static void
tx_before(struct grouping *g, struct session *s, const struct rec_start *st)
{
	if (!s->first && st->part == 0 && s->tx.server && !s->tx.open)
		tx_begin(s);
	if (s->tx.open)
		tx_savepoint(s, st->shape->verb);
	if (st->shape->verb != SQL_V_BEGIN)
		return;
	if (s->tx.open && s->tx.server && !s->mysql)
		return; /* PostgreSQL only warns */
	if (s->tx.open)
		tx_end(g, s, false);
	tx_begin(s);
}

/* The newest tags of the session are the ones last seen in its transaction. */
static void
tx_tag(struct session *s, bool stale)
{
	s->tx.named = true;
	s->tx.tag_stale = stale;
	if (s->tx.tag == s->tags)
		return;
	tagset_unref(s->tx.tag);
	s->tx.tag = tagset_ref(s->tags);
}

static void
tx_hold(struct grouping *g, struct session *s, struct open_request *r)
{
	struct open_request *before = s->tx.held ? s->cur : NULL;

	if (before == r)
		return;
	request_hold(g->requests, r);
	s->tx.held = true;
	if (before)
		request_release(g->requests, before, g->now);
}

void
follow_carry(struct grouping *g, struct session *s, struct open_request *r)
{
	if (s->tx.open)
		tx_hold(g, s, r);
	request_carry(g->requests, s, r);
}

static void
note_idle_in_tx(struct session *s, uint64_t t)
{
	if (s->tx.held && !s->first && t > s->last_end && t - s->last_end > s->cur->idle_in_tx)
		s->cur->idle_in_tx = t - s->last_end;
}

/* ---- a statement starts ---- */

static struct open_stmt *
stmt_new(struct grouping *g, struct session *s)
{
	struct open_stmt *o = g->spare;

	if (o) {
		g->spare = o->next;
		g->nspare--;
	} else {
		o = xmem_zero(sizeof *o);
	}
	o->next = NULL;
	*(s->last ? &s->last->next : &s->first) = o;
	s->last = o;
	return o;
}

static void
stmt_free(struct grouping *g, struct open_stmt *o)
{
	if (o->clues)
		clues_free(g->clues, o->clues);
	o->clues = NULL;
	if (g->nspare == SPARE_OPEN_STMTS) {
		mem_free(o);
		return;
	}
	o->next = g->spare;
	g->spare = o;
	g->nspare++;
}

static struct open_stmt *
stmt_begin(struct grouping *g, struct session *s, const struct rec_start *st, struct open_request *r)
{
	struct open_stmt *o = stmt_new(g, s);

	o->req = r;
	o->seq = st->h.seq;
	o->sent = st->h.t;
	o->tx = s->tx.open && r ? s->tx.serial : 0;
	o->orphan = o->told = false;
	o->undoes = st->shape->verb == SQL_V_ROLLBACK || st->shape->verb == SQL_V_ROLLBACK_TO || (st->shape->verb == SQL_V_COMMIT && s->tx.failed);
	o->s = (struct req_stmt){ .shape = st->shape, .params = st->params, .start = st->h.t, .iterations = st->iterations,
		.round_trips = (uint16_t)(st->round_trips < UINT16_MAX ? st->round_trips : UINT16_MAX), .outcome = REC_LOST,
		.flags = (uint16_t)((st->round_trips ? 0 : REQ_STMT_RODE) | (st->h.flags & REC_START_TAGS_CUT ? REQ_STMT_CUT : 0) |
		    (st->h.flags & REC_START_PREPARED ? REQ_STMT_PREPARED : 0) | (st->h.flags & REC_START_NEW_TEXT ? REQ_STMT_NEW_TEXT : 0) |
		    (st->h.flags & REC_START_NEW_COMMENT ? REQ_STMT_NEW_COMMENT : 0) | (st->h.flags & REC_START_TIMED ? REQ_STMT_TIMED : 0)) };
	s->nbegins += st->shape->verb == SQL_V_BEGIN;
	s->nends += ends_tx(st->shape);
	if (!r)
		return o;
	s->nopen++;
	request_hold(g->requests, r);
	if (stmt_kind(st->shape) == KIND_QUERY)
		request_query(g->requests, r);
	if (o->tx) {
		o->s.tx = request_tx(r, s)->ordinal;
		if (!ends_tx(st->shape))
			o->s.flags |= REQ_STMT_IN_TX;
	}
	return o;
}

static uint64_t *
count_of(struct coverage *c, enum stmt_kind kind)
{
	return kind == KIND_QUERY ? &c->queries : kind == KIND_CONTROL ? &c->control : &c->setup;
}

static const struct tagset *
own_tags(struct grouping *g, struct session *s, const struct rec_start *st)
{
	if (!st->tags_n || st->h.size < sizeof *st + st->tags_n)
		return NULL;
	s->tags = tag_reader_read(g->tags, s->tags, span_of(st->tags, st->tags_n));
	return s->tags;
}

/* The statement belongs to the request that was chosen for it. */
static void
join(struct grouping *g, struct session *s, struct open_stmt *o, const struct told *told, const struct tagset *own)
{
	if (s->tx.open && told->own && !(told->stale && s->tx.tag))
		tx_tag(s, told->stale);
	follow_carry(g, s, o->req);
	if (!own)
		return;
	o->told = told->own;
	o->s.allow = own->allow;
	o->s.site = request_merge_tags(g->requests, o->req, own);
}

void
follow_start(struct grouping *g, struct session *s, const struct rec_start *st)
{
	const struct tagset *own = own_tags(g, s, st);
	struct told told = told_by_tags(own, st->h.flags & REC_START_STALE_TAG);
	enum stmt_kind kind = stmt_kind(st->shape);
	struct open_request *r;
	struct open_stmt *o;

	s->spoke = true;
	s->told = told.own && !told.stale;
	g->coverage.statements++;
	++*count_of(&g->coverage, kind);
	note_idle_in_tx(s, st->h.t);
	tx_before(g, s, st);
	if (kind != KIND_QUERY && !s->tx.open && !told.own)
		r = choose_for_control(g, s, st->h.t);
	else
		r = choose_request(g, s, told, st->h.t);
	o = stmt_begin(g, s, st, r);
	if (r)
		join(g, s, o, &told, own);
	if (s->tx.open && ends_tx(st->shape))
		tx_end(g, s, st->shape->verb == SQL_V_ROLLBACK || s->tx.failed);
}

/* ---- a statement ends ---- */

static uint32_t
clamp32(uint64_t v)
{
	return v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
}

static void
fill_end(struct req_stmt *s, const struct rec_end *e)
{
	uint32_t trips = s->round_trips + e->round_trips;

	if (e->start > s->start)
		s->start = e->start;
	s->round_trips = (uint16_t)(trips < UINT16_MAX ? trips : UINT16_MAX);
	s->first = e->first > s->start ? e->first - s->start : 0;
	s->busy = e->busy;
	s->rows = clamp32(e->rows);
	s->affected = clamp32(e->affected);
	s->bytes = clamp32(e->bytes);
	s->outcome = e->outcome;
	s->prepared = (uint16_t)(e->prepared < UINT16_MAX ? e->prepared : UINT16_MAX);
	memcpy(s->code, e->code, sizeof s->code);
	if (e->h.flags & REC_END_BATCH)
		s->flags |= REQ_STMT_BATCH;
}

/* Takes it out of the session's list; before: the one before it, NULL for the first. */
static void
stmt_unlink(struct session *s, struct open_stmt *o, struct open_stmt *before)
{
	*(before ? &before->next : &s->first) = o->next;
	if (s->last == o)
		s->last = before;
	s->nbegins -= o->s.shape->verb == SQL_V_BEGIN;
	s->nends -= ends_tx(o->s.shape);
}

/* The statement is over at t: into its request, or to whom strays go. */
static void
stmt_finish(struct grouping *g, struct session *s, struct open_stmt *o, uint64_t t)
{
	struct open_request *r = o->req;

	if (r) {
		s->nopen--;
		if (t > s->last_end)
			s->last_end = t;
		if (t > r->end)
			r->end = t;
		s->done_index = request_add(g->requests, r, s, &o->s);
		s->done_request = r->id;
		if (o->clues && s->done_index != UINT32_MAX) {
			request_keep_clues(g->requests, r, s->done_index, o->clues);
			o->clues = NULL;
		}
		request_release(g->requests, r, t);
		requests_trim(g->requests);
	} else if (!o->orphan && g->sink.stray) {
		g->sink.stray(g->sink.ctx, &o->s);
	}
	stmt_free(g, o);
}

void
follow_end(struct grouping *g, struct session *s, const struct rec_end *e)
{
	struct open_stmt *before = NULL, *o = s->first;
	bool no_begin, undoes, committed;
	enum sql_verb verb;
	uint64_t request;
	uint32_t tx;

	while (o && o->seq != e->h.seq) {
		before = o;
		o = o->next;
	}
	if (!o)
		return;
	no_begin = o->s.shape->verb == SQL_V_BEGIN && e->outcome != REC_OK;
	if (e->outcome == REC_SKIPPED) { /* it was counted when it was asked for */
		g->coverage.skipped++;
		g->coverage.statements--;
		--*count_of(&g->coverage, stmt_kind(o->s.shape));
	}
	s->tx.error |= e->outcome == REC_ERROR;
	stmt_unlink(s, o, before);
	if (o->s.shape->cls == SQL_DDL && e->outcome == REC_OK)
		want_catalog(g, s, true);
	fill_end(&o->s, e);
	if (g->clues && o->req)
		clues_end(g->clues, &o->clues, o->sent, e);
	request = o->req ? o->req->id : 0;
	tx = o->s.tx;
	verb = o->s.shape->verb;
	committed = ends_tx(o->s.shape) && e->outcome == REC_OK;
	undoes = e->outcome == REC_OK ? o->undoes : verb == SQL_V_COMMIT && e->outcome == REC_ERROR;
	stmt_finish(g, s, o, e->h.t);
	undo_note(s, request, e, committed);
	if (undoes && tx && s->cur && s->cur->id == request) /* not closed meanwhile, as there are too many */
		undo_tx(s, s->cur, tx, verb == SQL_V_ROLLBACK_TO);
	if (no_begin && s->tx.open && !s->tx.server && !s->nbegins)
		tx_end(g, s, false);
}

void
follow_evidence(struct grouping *g, struct session *s, const struct rec *r)
{
	struct open_stmt *o = s->first;

	while (o && o->seq != r->seq)
		o = o->next;
	if (!o || !o->req)
		return;
	if (r->type == REC_RESULT)
		o->s.result = ((const struct rec_result *)r)->hash;
	if (!g->clues)
		return;
	if (r->type == REC_PARAMS)
		clues_params(g->clues, &o->clues, (const struct rec_values *)r);
	else if (r->type == REC_ROW)
		clues_row(g->clues, &o->clues, (const struct rec_values *)r);
	else
		clues_result(g->clues, &o->clues, (const struct rec_result *)r);
}

void
follow_text(struct grouping *g, struct session *s, const struct rec_values_text *r)
{
	struct stmt_values v = { .session = r->h.session, .seq = r->h.seq, .lang = { r->dialect, r->modes }, .text = span_of(r->bytes, r->text_n),
		.n = r->nvalues, .values = span_of(r->bytes + r->text_n, r->values_n) };
	struct open_stmt *o = s->first;

	while (o && o->seq != r->h.seq)
		o = o->next;
	if (!o || !g->sink.values || r->h.size < sizeof *r + r->text_n + r->values_n)
		return;
	o->s.seq = r->h.seq;
	g->sink.values(g->sink.ctx, &v);
}

void
follow_lost(struct grouping *g, struct session *s, uint64_t t)
{
	note_idle_in_tx(s, t);
	while (s->first) {
		struct open_stmt *o = s->first;

		stmt_unlink(s, o, NULL);
		stmt_finish(g, s, o, t);
	}
	undo_open_tx(s);
	if (s->tx.open)
		tx_end(g, s, true);
}

/* ---- transactions the server tells of ---- */

/* Alone in a request that only the idle gap borders. */
static bool
alone(const struct open_request *r, bool open)
{
	return r->nstmts - r->moved + open == 1 && r->holds == 1u + open;
}

/* A transaction that no BEGIN announced (autocommit off, a procedure): the statement being answered, or else the last one, opened it. Where
 * only the idle gap bordered that statement, it begins a request of its own. */
static void
tx_opened_by(struct grouping *g, struct session *s, struct open_stmt *o, struct req_stmt *st)
{
	struct open_request *r = s->cur;
	struct tx_place *place = request_tx(r, s);

	if (!o)
		place->first = s->done_index;
	st->tx = place->ordinal;
	st->flags |= REQ_STMT_IN_TX;
	if (o)
		o->tx = s->tx.serial;
	if (s->told)
		tx_tag(s, false);
	tx_hold(g, s, r);
	if (r->bound == BY_GAP)
		choose_tx(g, s, alone(r, o != NULL), st->start);
}

static void
tx_opened(struct grouping *g, struct session *s)
{
	struct open_request *r = s->cur;

	tx_begin(s);
	if (!r)
		return;
	if (s->first && s->first->req == r)
		tx_opened_by(g, s, s->first, &s->first->s);
	else if (s->done_request == r->id && s->done_index < r->nstmts)
		tx_opened_by(g, s, NULL, &r->stmts[s->done_index]);
}

void
follow_tx(struct grouping *g, struct session *s, enum rec_tx state)
{
	if (state == REC_TX_UNDONE) {
		undo_fresh(s);
		return;
	}
	s->tx.server = state != REC_TX_IDLE;
	s->tx.failed = state == REC_TX_FAILED;
	if (!s->tx.server) {
		if (s->tx.open && !s->nbegins)
			tx_end(g, s, false);
	} else if (!s->tx.open && !s->nends) { /* with a COMMIT on its way this is the past */
		tx_opened(g, s);
	}
}

void
follow_reset(struct grouping *g, struct session *s)
{
	if (!s->mysql || !s->tx.open || s->nbegins)
		return;
	undo_open_tx(s);
	tx_end(g, s, true);
	s->tx.server = s->tx.failed = false;
}
