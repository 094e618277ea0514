/* SPDX-License-Identifier: Apache-2.0 */
/* grouping: see grouping.h. The decision for one statement is in identify() (what its own tags, the mark and the session say) and
 * choose() (which open request that is); the rest of the file follows statements and transactions. */
#include "grouping.h"

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "marks.h"
#include "open_request.h"

enum { REASONS = 16 };

struct grouping {
	const struct analyzer_config *cfg;
	struct request_sink sink;
	struct coverage coverage;
	struct sessions *sessions;
	struct open_requests *requests;
	struct tag_reader *tags;
	struct open_stmt *spare;	/* by next */
	char *test, *request;		/* the mark; NULL = none */
	uint64_t mark;			/* ordinal of the mark */
	uint64_t now;
	char *reasons[REASONS];		/* opaque reasons seen, so that coverage can point to them */
};

struct grouping *
grouping_new(const struct analyzer_config *cfg, struct request_sink sink)
{
	struct grouping *g = xmem_zero(sizeof *g);

	g->cfg = cfg;
	g->sink = sink;
	g->coverage.opaque_reason = "";
	g->sessions = sessions_new();
	g->requests = open_requests_new(cfg, sink, g->sessions, &g->coverage);
	g->tags = tag_reader_new(cfg->fold, cfg->tag_patterns);
	return g;
}

void
grouping_free(struct grouping *g)
{
	if (!g)
		return;
	for (struct open_stmt *o = g->spare, *next; o; o = next) {
		next = o->next;
		mem_free(o);
	}
	for (int i = 0; i < REASONS; i++)
		mem_free(g->reasons[i]);
	open_requests_free(g->requests);
	sessions_free(g->sessions);
	tag_reader_free(g->tags);
	mem_free(g->test);
	mem_free(g->request);
	mem_free(g);
}

void
grouping_wall(struct grouping *g, int64_t zero_us)
{
	open_requests_wall(g->requests, zero_us);
}

const struct coverage *
grouping_coverage(const struct grouping *g)
{
	return &g->coverage;
}

uint32_t
grouping_open(const struct grouping *g)
{
	return requests_count(g->requests);
}

/* ---- transactions ---- */

static void
tx_begin(struct session *s)
{
	s->tx.open = true;
	s->tx.named = false;
	s->tx.serial++;
	s->tx.number = 0;
}

static void
tx_end(struct grouping *g, struct session *s)
{
	if (s->tx.held) {
		s->tx.held = false;
		request_release(g->requests, s->cur, g->now);
	}
	tagset_unref(s->tx.tag);
	s->tx.tag = NULL;
	s->tx.open = false;
	session_forget_local(s);
}

static bool
ends_tx(const struct shape *shape)
{
	return shape->verb == SQL_V_COMMIT || shape->verb == SQL_V_ROLLBACK;
}

/* What the statement does to the transaction before it belongs to one. The server's word comes after the answer, so within a pipeline the
 * verbs tell; a COMMIT AND CHAIN is seen when the server still says open with nothing outstanding. */
static void
tx_before(struct grouping *g, struct session *s, const struct rec_start *st)
{
	if (!s->first && st->part == 0 && s->tx.server && !s->tx.open)
		tx_begin(s);
	if (st->shape->verb != SQL_V_BEGIN)
		return;
	if (s->tx.open && s->tx.server && !s->mysql)
		return; /* PostgreSQL only warns */
	if (s->tx.open)
		tx_end(g, s);
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

/* The session's request from now on is r, held open by the transaction. */
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

/* ---- which request ---- */

static bool
is_query(const struct shape *shape)
{
	return shape->cls != SQL_CONTROL && shape->cls != SQL_SETUP && shape->cls != SQL_EMPTY;
}

/* The connection has not been silent for longer than the idle gap: it waits for an answer, is in a transaction of its current request, or
 * the last answer is not long ago. */
static bool
connected(const struct grouping *g, const struct session *s, uint64_t t)
{
	return s->nopen || s->tx.held || t <= s->last_end + g->cfg->idle_gap;
}

/* What a statement says about its request, by itself or by the transaction around it; "" = nothing. */
struct told {
	const char *key, *scope;
	bool own;		/* its own tags name a request */
	bool stale;		/* they had a key that is not to be believed */
};

static struct told
told_by_tags(const struct tagset *own, bool stale)
{
	struct told told = { "", "", false, false };

	if (!own)
		return told;
	told.key = stale ? "" : own->key;
	told.scope = own->scope;
	told.own = *told.key || *told.scope;
	told.stale = stale && *own->key;
	return told;
}

/* Adds what was said last in the statement's transaction: all of it to one that says nothing, the key to one of the same scope. */
static void
told_by_tx(const struct session *s, struct told *told)
{
	const struct tagset *tx = s->tx.open ? s->tx.tag : NULL;

	if (!tx || *told->key || (*told->scope && *tx->scope && strcmp(tx->scope, told->scope) != 0))
		return;
	if (!s->tx.tag_stale)
		told->key = tx->key;
	if (!*told->scope)
		told->scope = tx->scope;
}

static void
identify(const struct grouping *g, const struct session *s, const struct told *told, struct request_identity *id)
{
	const char *session_says = session_key(s);

	*id = (struct request_identity){ .scope = span_str(told->scope), .scope_from = FROM_TAG };
	if (!id->scope.n) {
		id->scope = span_str(session_scope(s));
		id->scope_from = FROM_SESSION;
	}
	if (*told->key) {
		id->bound = BY_KEY;
		id->borders_from = FROM_TAG;
		id->key = span_str(told->key);
	} else if (g->request || (g->test && !*session_says)) {
		id->bound = BY_MARK;
		id->borders_from = FROM_MARK;
		id->key = span_str(g->request ? g->request : g->test);
	} else if (*session_says) {
		id->bound = BY_KEY;
		id->borders_from = FROM_SESSION;
		id->key = span_str(session_says);
	} else if (id->scope.n) {
		id->bound = BY_SCOPE;
		id->borders_from = id->scope_from;
	} else {
		id->bound = s->tx.open ? BY_TX : BY_GAP;
		id->borders_from = s->tx.open ? FROM_TRANSACTION : FROM_GAP;
	}
	if (id->bound == BY_KEY)
		id->hash = request_hash(g->requests, id->key);
	else if (id->bound == BY_MARK)
		id->hash = g->mark;
}

/* A name of the statement's own or of the session: what came unnamed before it in a transaction takes it, too. */
static bool
names(const struct request_identity *id)
{
	return id->bound == BY_KEY || id->bound == BY_SCOPE;
}

/* Does the current request of the connection go on with it? */
static bool
goes_on(const struct grouping *g, const struct session *s, const struct request_identity *id, uint64_t t)
{
	const struct open_request *r = s->cur;

	if (!r)
		return false;
	if (id->bound == BY_KEY || id->bound == BY_MARK)
		return request_is(r, id);
	if (r->bound != id->bound || !span_is(id->scope, r->scope))
		return false;
	return id->bound == BY_TX ? s->tx.held : r->border == s->border && connected(g, s, t);
}

/* A tag of a prepared statement says nothing about the instance: the connection's current one goes on if it may. */
static bool
falls_back(const struct grouping *g, const struct session *s, const struct told *told, const struct request_identity *id, uint64_t t)
{
	return told->stale && id->bound > BY_MARK && s->cur && s->cur->bound == BY_KEY && connected(g, s, t) &&
	    (!*told->scope || strcmp(told->scope, s->cur->scope) == 0);
}

static struct open_request *
open_one(struct grouping *g, struct session *s, const struct request_identity *id, uint64_t t)
{
	struct open_request *r = request_open(g->requests, id, span_str(g->test), t);

	r->border = s->border;
	return r;
}

/* The request of a statement; what its transaction had before it got a name moves over. */
static struct open_request *
choose(struct grouping *g, struct session *s, const struct told *told, uint64_t t)
{
	struct request_identity id;
	struct open_request *r = NULL;
	bool claims;

	identify(g, s, told, &id);
	claims = s->tx.open && !s->tx.named && names(&id);
	s->tx.named |= claims;
	if (goes_on(g, s, &id, t) || falls_back(g, s, told, &id, t))
		return s->cur;
	if (id.bound == BY_KEY || id.bound == BY_MARK)
		r = request_find(g->requests, &id);
	if (!r && claims && s->tx.held && s->cur->bound == BY_TX) {
		request_rename(g->requests, s->cur, &id);
		s->cur->border = s->border;
		return s->cur;
	}
	if (!r)
		r = open_one(g, s, &id, t);
	if (claims && s->tx.held)
		request_move_tx(g->requests, s->cur, r, s);
	return r;
}

/* Untagged control and set-up outside a transaction never open a request: the one the session or the mark names, else the
 * connection's own while it is not idle, else none. */
static struct open_request *
choose_for_control(struct grouping *g, struct session *s, uint64_t t)
{
	static const struct told nothing = { "", "", false, false };
	struct request_identity id;
	struct open_request *r = NULL;

	identify(g, s, &nothing, &id);
	if (id.bound == BY_KEY)
		r = request_find(g->requests, &id);
	if (!r && s->cur && connected(g, s, t))
		r = s->cur;
	if (!r && id.bound == BY_MARK)
		r = request_find(g->requests, &id);
	return r;
}

/* ---- statements ---- */

static struct open_stmt *
stmt_new(struct grouping *g, struct session *s)
{
	struct open_stmt *o = g->spare;

	if (o)
		g->spare = o->next;
	else
		o = xmem_zero(sizeof *o);
	o->next = NULL;
	*(s->last ? &s->last->next : &s->first) = o;
	s->last = o;
	return o;
}

static void
stmt_begin(struct grouping *g, struct session *s, const struct rec_start *st, struct open_request *r)
{
	struct open_stmt *o = stmt_new(g, s);

	o->req = r;
	o->seq = st->h.seq;
	o->tx = s->tx.open && r ? s->tx.serial : 0;
	o->orphan = false;
	o->s = (struct req_stmt){ .shape = st->shape, .params = st->params, .start = st->h.t, .iterations = st->iterations,
		.round_trips = (uint16_t)(st->round_trips < UINT16_MAX ? st->round_trips : UINT16_MAX), .outcome = REC_LOST,
		.flags = (uint8_t)((st->round_trips ? 0 : REQ_STMT_RODE) | (st->h.flags & REC_START_TAGS_CUT ? REQ_STMT_CUT : 0)) };
	s->nbegins += st->shape->verb == SQL_V_BEGIN;
	s->nends += ends_tx(st->shape);
	if (!r)
		return;
	s->nopen++;
	request_hold(g->requests, r);
	if (s->tx.open) {
		o->s.tx = request_tx(r, s);
		if (!ends_tx(st->shape))
			o->s.flags |= REQ_STMT_IN_TX;
	}
}

/* The statement belongs to r: the connection carries it now, and its transaction holds it. */
static void
join(struct grouping *g, struct session *s, struct open_request *r, const struct told *told)
{
	if (s->tx.open) {
		if (told->own && !(told->stale && s->tx.tag))
			tx_tag(s, told->stale);
		tx_hold(g, s, r);
	}
	request_carry(g->requests, s, r);
}

static void
count_start(struct coverage *c, const struct shape *shape)
{
	c->statements++;
	if (is_query(shape))
		c->queries++;
	else if (shape->cls == SQL_CONTROL)
		c->control++;
	else
		c->setup++;
}

static const struct tagset *
own_tags(struct grouping *g, struct session *s, const struct rec_start *st)
{
	if (!st->tags_n || st->h.size < sizeof *st + st->tags_n)
		return NULL;
	s->tags = tag_reader_read(g->tags, s->tags, span_of(st->tags, st->tags_n));
	return s->tags;
}

static void
note_idle_in_tx(struct session *s, uint64_t t)
{
	if (s->tx.held && !s->first && t > s->last_end && t - s->last_end > s->cur->idle_in_tx)
		s->cur->idle_in_tx = t - s->last_end;
}

static void
on_start(struct grouping *g, struct session *s, const struct rec_start *st)
{
	const struct tagset *own = own_tags(g, s, st);
	struct told told = told_by_tags(own, st->h.flags & REC_START_STALE_TAG);
	struct open_request *r;

	s->spoke = true;
	s->told = told.own && !told.stale;
	count_start(&g->coverage, st->shape);
	note_idle_in_tx(s, st->h.t);
	tx_before(g, s, st);
	if (!is_query(st->shape) && !s->tx.open && !told.own) {
		r = choose_for_control(g, s, st->h.t);
	} else {
		told_by_tx(s, &told);
		r = choose(g, s, &told, st->h.t);
	}
	stmt_begin(g, s, st, r);
	if (r) {
		join(g, s, r, &told);
		if (own) {
			s->last->s.allow = own->allow;
			s->last->s.site = request_merge_tags(g->requests, r, own);
		}
	}
	if (s->tx.open && ends_tx(st->shape))
		tx_end(g, s);
}

static uint32_t
clamp32(uint64_t v)
{
	return v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
}

static void
fill_end(struct req_stmt *s, const struct rec_end *e)
{
	if (e->start > s->start)
		s->start = e->start;
	s->first = e->first > s->start ? e->first - s->start : 0;
	s->busy = e->busy;
	s->rows = clamp32(e->rows);
	s->affected = clamp32(e->affected);
	s->bytes = clamp32(e->bytes);
	s->outcome = e->outcome;
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
		s->done_seq = o->seq;
		s->done_index = request_add(g->requests, r, s, &o->s);
		s->done_number = r->number;
		request_release(g->requests, r, t);
		requests_trim(g->requests);
	} else if (!o->orphan && g->sink.stray) {
		g->sink.stray(g->sink.ctx, &o->s);
	}
	o->next = g->spare;
	g->spare = o;
}

static void
on_end(struct grouping *g, struct session *s, const struct rec_end *e)
{
	struct open_stmt *before = NULL, *o = s->first;
	bool failed_begin;

	while (o && o->seq != e->h.seq) {
		before = o;
		o = o->next;
	}
	if (!o)
		return;
	failed_begin = o->s.shape->verb == SQL_V_BEGIN && e->outcome != REC_OK;
	stmt_unlink(s, o, before);
	fill_end(&o->s, e);
	stmt_finish(g, s, o, e->h.t);
	if (failed_begin && s->tx.open && !s->tx.server && !s->nbegins)
		tx_end(g, s);
}

static void
on_result(struct session *s, const struct rec_result *res)
{
	for (struct open_stmt *o = s->first; o; o = o->next) {
		if (o->seq == res->h.seq) {
			o->s.result = res->hash;
			return;
		}
	}
	if (s->cur && s->done_seq == res->h.seq && s->done_number == s->cur->number && s->done_index < s->cur->nstmts)
		s->cur->stmts[s->done_index].result = res->hash;
}

/* ---- transactions the server tells of ---- */

/* A transaction that no BEGIN announced (autocommit off, a procedure): the statement being answered, or else the last one, opened it. Where
 * only the idle gap bordered that statement, it begins a request of its own. */
static void
tx_opened_by(struct grouping *g, struct session *s)
{
	struct open_request *r = s->cur, *own;
	struct open_stmt *o = s->first && s->first->req == r ? s->first : NULL;
	struct req_stmt *done = NULL, *st;
	const struct request_identity id = { .bound = BY_TX, .borders_from = FROM_TRANSACTION };

	tx_begin(s);
	if (!r)
		return;
	if (!o && s->done_number == r->number && s->done_index < r->nstmts)
		done = &r->stmts[s->done_index];
	if (!o && !done)
		return;
	st = o ? &o->s : done;
	st->tx = request_tx(r, s);
	st->flags |= REQ_STMT_IN_TX;
	s->tx.first = done ? s->done_index : r->nstmts;
	if (o)
		o->tx = s->tx.serial;
	if (s->told)
		tx_tag(s, false);
	tx_hold(g, s, r);
	if (r->bound != BY_GAP)
		return;
	if (r->nstmts - r->moved + (o != NULL) == 1 && r->holds == 1u + (o != NULL)) {
		request_rename(g->requests, r, &id);
		return;
	}
	own = open_one(g, s, &id, st->start);
	if (s->cur != r) /* it had to make room */
		return;
	request_move_tx(g->requests, r, own, s);
	tx_hold(g, s, own);
	request_carry(g->requests, s, own);
}

static void
on_tx(struct grouping *g, struct session *s, unsigned state)
{
	s->tx.server = state != REC_TX_IDLE;
	if (s->tx.server) {
		/* With a COMMIT on its way this is the past. */
		if (!s->tx.open && !s->nends)
			tx_opened_by(g, s);
	} else if (s->tx.open && !s->nbegins) {
		tx_end(g, s);
	}
}

/* ---- sessions ---- */

/* What can be said no more about it is lost; its request goes on without it. */
static void
session_end(struct grouping *g, struct session *s, uint64_t t)
{
	note_idle_in_tx(s, t);
	while (s->first) {
		struct open_stmt *o = s->first;

		stmt_unlink(s, o, NULL);
		stmt_finish(g, s, o, t);
	}
	if (s->tx.open)
		tx_end(g, s);
	request_carry(g->requests, s, NULL);
	sessions_remove(g->sessions, s);
}

static struct session *
session_of(struct grouping *g, const struct rec *h)
{
	struct session *s = sessions_find(g->sessions, h->session);

	if (!s) {
		if (sessions_count(g->sessions) >= LIMIT_SESSIONS)
			session_end(g, sessions_victim(g->sessions), h->t);
		s = sessions_add(g->sessions, h->session);
	}
	s->seen = h->t;
	return s;
}

static void
on_open(struct grouping *g, struct session *s, const struct rec_open *o)
{
	s->upstream = o->upstream;
	s->mysql = o->engine == 1;
	g->coverage.sessions++;
}

/* A changed application_name: a trace id in it is an instance key; else it only is a border. */
static void
on_application(struct session *s, struct span value)
{
	char id[33];

	if (!s->spoke) {
		session_set(&s->application, value);
		return;
	}
	if (trace_id_find(value, id)) {
		if (session_set(&s->app_key, span_of(id, 32)))
			s->border++;
		return;
	}
	if (session_set(&s->app_key, (struct span){ 0 }) | session_set(&s->application, value))
		s->border++;
}

static bool
one_of(struct span name, const char *const *names, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (span_is_nocase(name, names[i]))
			return true;
	return false;
}

static void
on_setting(struct grouping *g, struct session *s, struct span name, struct span value, bool local)
{
	struct setting_names *n = local ? &s->local : &s->plain;
	char buf[LIMIT_NAME];

	if (local && !s->tx.open)
		return; /* SET LOCAL outside a transaction does nothing */
	if (span_is_nocase(name, "rowcall.scope") || span_is_nocase(name, "@rowcall_scope")) {
		session_set(&n->scope, span_of(buf, tag_reader_fold(g->tags, value, buf, sizeof buf)));
	} else if (span_is_nocase(name, "rowcall.request") || span_is_nocase(name, "@rowcall_request") ||
	    one_of(name, g->cfg->tag_settings, g->cfg->ntag_settings)) {
		session_set(&n->key, trace_id_find(value, buf) ? span_of(buf, 32) : value);
	} else {
		return;
	}
	s->border++;
}

static void
on_fact(struct grouping *g, struct session *s, const struct rec_fact_rec *f)
{
	struct span name = span_of(f->bytes, f->name_n), value = span_of(f->bytes + f->name_n, f->value_n);

	if (f->h.size < sizeof *f + f->name_n + f->value_n)
		return;
	switch (f->h.flags & 0xff) {
	case REC_FACT_DATABASE:
		if (session_set(&s->database, value))
			s->lane_number = 0;
		break;
	case REC_FACT_APPLICATION:
		on_application(s, value);
		break;
	case REC_FACT_SETTING:
		on_setting(g, s, name, value, f->h.flags & 1u << 8);
		break;
	}
}

/* Session tags end, and the next statement without a key begins a request. MySQL's resets also roll back. */
static void
on_reset(struct grouping *g, struct session *s)
{
	session_forget_tags(s);
	s->border++;
	if (s->mysql && s->tx.open && !s->nbegins) {
		tx_end(g, s);
		s->tx.server = false;
	}
}

static void
on_opaque(struct grouping *g, const struct rec_text *t)
{
	struct span text = span_of(t->text, t->n);

	if (t->h.flags & 1) {
		g->coverage.opaque_expected++;
		return;
	}
	g->coverage.opaque_unexpected++;
	g->coverage.opaque_reason = "other";
	for (int i = 0; i < REASONS; i++) {
		if (!g->reasons[i])
			g->reasons[i] = xmem_strndup(t->text, text.n);
		if (span_is(text, g->reasons[i])) {
			g->coverage.opaque_reason = g->reasons[i];
			return;
		}
	}
}

/* ---- marks ---- */

static void
set_mark(char **name, struct span value)
{
	mem_free(*name);
	*name = value.n ? xmem_strndup((const char *)value.p, value.n) : NULL;
}

static void
on_mark(struct grouping *g, const struct rec_text *m)
{
	struct span test, request;

	mark_read(m, &test, &request);
	requests_end_mark(g->requests, g->mark++);
	set_mark(&g->test, test);
	set_mark(&g->request, request);
}

/* ---- records ---- */

static void
on_session_record(struct grouping *g, const struct rec *h)
{
	struct session *s = session_of(g, h);

	switch (h->type) {
	case REC_OPEN:
		on_open(g, s, (const struct rec_open *)h);
		break;
	case REC_CLOSE:
		session_end(g, s, h->t);
		break;
	case REC_FACT:
		on_fact(g, s, (const struct rec_fact_rec *)h);
		break;
	case REC_START:
		on_start(g, s, (const struct rec_start *)h);
		break;
	case REC_END:
		on_end(g, s, (const struct rec_end *)h);
		break;
	case REC_TX:
		on_tx(g, s, h->flags);
		break;
	case REC_RESET:
		on_reset(g, s);
		break;
	case REC_RESULT:
		on_result(s, (const struct rec_result *)h);
		break;
	}
}

void
grouping_record(struct grouping *g, const struct rec *h)
{
	grouping_advance(g, h->t);
	switch (h->type) {
	case REC_MARK:
		on_mark(g, (const struct rec_text *)h);
		break;
	case REC_OPAQUE:
		on_opaque(g, (const struct rec_text *)h);
		break;
	case REC_NOTICE:
		g->coverage.notices++;
		break;
	case REC_PARAMS: /* evidence for lineage */
	case REC_COLUMNS:
	case REC_ROW:
		break;
	default:
		on_session_record(g, h);
	}
}

void
grouping_advance(struct grouping *g, uint64_t t)
{
	if (t > g->now)
		g->now = t;
	requests_expire(g->requests, g->now);
}

void
grouping_finish(struct grouping *g)
{
	for (uint32_t i = 0; i < sessions_slots(g->sessions); i++) {
		struct session *s = sessions_at(g->sessions, i);

		if (s)
			note_idle_in_tx(s, g->now);
		while (s && s->first) {
			struct open_stmt *o = s->first;

			stmt_unlink(s, o, NULL);
			stmt_finish(g, s, o, g->now);
		}
	}
	requests_close_all(g->requests);
}
