/* SPDX-License-Identifier: Apache-2.0 */
/* choose: which request does a statement belong to. identify() says what names and borders it has: first that applies of instance key, mark,
 * session change, scope tag, transaction, idle gap; choose_request() finds the open request that is, or opens one. See group.h. */
#include "request_stmt.h"
#include "group.h"

/* The connection has not been silent for longer than the idle gap: it waits for an answer, is in a transaction of its current request, or
 * the last answer is not long ago. */
static bool
connected(const struct grouping *g, const struct session *s, uint64_t t)
{
	return s->nopen || s->tx.held || t <= s->last_end + g->cfg->idle_gap;
}

/* ---- what a statement says ---- */

struct told
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

/* ---- names and borders ---- */

static void
identify_borders(const struct grouping *g, const struct session *s, const struct told *told, struct request_identity *id)
{
	const char *session_says = session_key(s);

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
}

static void
identify(const struct grouping *g, const struct session *s, const struct told *told, struct request_identity *id)
{
	*id = (struct request_identity){ .scope = span_str(told->scope), .scope_from = FROM_TAG };
	if (!id->scope.n) {
		id->scope = span_str(session_scope(s));
		id->scope_from = FROM_SESSION;
	}
	identify_borders(g, s, told, id);
	if (id->bound == BY_KEY)
		id->hash = request_hash(g->requests, id->key);
	else if (id->bound == BY_MARK)
		id->hash = g->mark;
}

/* A name of the statement's own or of the session: what came unnamed before it in its transaction takes it, too. */
static bool
names(const struct request_identity *id)
{
	return id->bound == BY_KEY || id->bound == BY_SCOPE;
}

/* ---- which open request is it ---- */

/* Requests of one connection do not span a session change, those of a transaction not a test's savepoint. */
static uint32_t
border(const struct session *s, enum bound bound)
{
	return bound == BY_TX ? s->tx.part : s->border;
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
	if (r->bound != id->bound || r->border != border(s, id->bound) || !span_is(id->scope, r->scope))
		return false;
	return id->bound == BY_TX ? s->tx.held : connected(g, s, t);
}

/* A tag of a prepared statement says nothing about the instance: the connection's current one goes on if it may. */
static bool
falls_back(const struct grouping *g, const struct session *s, const struct told *told, const struct request_identity *id, uint64_t t)
{
	if (!told->stale || id->bound <= BY_MARK || !s->cur || s->cur->bound != BY_KEY)
		return false;
	if (s->tx.held && s->tx.tag && !s->tx.tag_stale)
		return true; /* another statement of the transaction said whose it is */
	return connected(g, s, t) && (!*told->scope || strcmp(told->scope, s->cur->scope) == 0);
}

static struct open_request *
open_one(struct grouping *g, struct session *s, const struct request_identity *id, uint64_t t)
{
	struct open_request *r = request_open(g->requests, id, span_str(g->test), t);

	r->border = border(s, id->bound);
	return r;
}

/* The transaction's request has no name and nothing but this transaction in it: it takes the name of id. */
static struct open_request *
name_tx(struct grouping *g, struct session *s, const struct request_identity *id)
{
	request_rename(g->requests, s->cur, id);
	s->cur->border = border(s, id->bound);
	return s->cur;
}

struct open_request *
choose_request(struct grouping *g, struct session *s, struct told told, uint64_t t)
{
	struct request_identity id;
	struct open_request *r = NULL;
	bool claims;

	told_by_tx(s, &told);
	identify(g, s, &told, &id);
	claims = s->tx.open && !s->tx.named && names(&id);
	s->tx.named |= claims;
	if (goes_on(g, s, &id, t) || falls_back(g, s, &told, &id, t))
		return s->cur;
	if (id.bound == BY_KEY || id.bound == BY_MARK)
		r = request_find(g->requests, &id);
	if (!r && claims && s->tx.held && s->cur->bound == BY_TX)
		return name_tx(g, s, &id);
	if (!r)
		r = open_one(g, s, &id, t);
	if (claims && s->tx.held)
		request_move_tx(g->requests, s->cur, r, s);
	return r;
}

/* The one the session or the mark names, else the connection's own while it is not idle. */
struct open_request *
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

void
choose_tx(struct grouping *g, struct session *s, bool alone, uint64_t t)
{
	static const struct request_identity id = { .bound = BY_TX, .borders_from = FROM_TRANSACTION };
	struct open_request *from = s->cur, *r;

	if (alone) {
		name_tx(g, s, &id);
		return;
	}
	r = open_one(g, s, &id, t);
	if (s->cur != from)
		return; /* it had to make room */
	request_move_tx(g->requests, from, r, s);
	follow_carry(g, s, r);
}

/* ---- after a session change ---- */

/* Sent before the change was known, by a client that did not wait: Npgsql sends its DISCARD ALL in front of the next query. */
static bool
belongs_behind(const struct open_stmt *o)
{
	return o->req && !o->told && !o->tx && (o->req->bound == BY_GAP || o->req->bound == BY_SCOPE) && stmt_kind(o->s.shape) == KIND_QUERY;
}

void
choose_again(struct grouping *g, struct session *s)
{
	static const struct told nothing = { "", "", false, false };
	struct open_request *r;

	if (s->tx.open) {
		if (s->tx.held && s->cur->bound == BY_TX && !s->tx.named) {
			r = choose_request(g, s, nothing, g->now);
			follow_carry(g, s, r);
		}
		return;
	}
	for (struct open_stmt *o = s->first; o; o = o->next) {
		if (!belongs_behind(o))
			continue;
		r = choose_request(g, s, nothing, o->s.start);
		if (r != o->req)
			request_move_open(g->requests, o, r);
		follow_carry(g, s, r);
	}
}
