/* SPDX-License-Identifier: Apache-2.0 */
/* undo: marks the statements of which nothing stays, as their transaction was rolled back. See group.h.
 * Only in the request that goes on: what earlier ones hold of the same transaction has been handed on. */
#include "group.h"
#include "request_stmt.h"

/* The statements of one connection in its current request, the newest first. */
struct newest {
	struct open_request *r;
	uint32_t at, lane;
};

static struct newest
newest_of(struct session *s, struct open_request *r)
{
	bool known = r && s->lane_request == r->id;

	return (struct newest){ .r = r, .at = known ? r->nstmts : 0, .lane = s->lane };
}

static struct req_stmt *
newest_next(struct newest *n)
{
	while (n->at > 0) {
		struct req_stmt *st = &n->r->stmts[--n->at];

		if (st->shape && st->lane == n->lane)
			return st;
	}
	return NULL;
}

static void
mark(struct req_stmt *st)
{
	if (stmt_ended_well(st) && stmt_kind(st->shape) != KIND_CONTROL)
		st->flags |= REQ_STMT_UNDONE;
}

void
undo_tx(struct session *s, struct open_request *r, uint32_t tx, bool to_savepoint)
{
	struct newest n = newest_of(s, r);
	uint32_t released = 0;

	for (struct req_stmt *st; (st = newest_next(&n)) && st->tx == tx;) {
		if (to_savepoint && stmt_ended_well(st)) {
			released += st->shape->verb == SQL_V_RELEASE;
			if (st->shape->verb == SQL_V_SAVEPOINT && released-- == 0)
				return;
		}
		mark(st);
	}
}

void
undo_open_tx(struct session *s)
{
	if (s->tx.open && s->tx.held)
		undo_tx(s, s->cur, request_tx(s->cur, s)->ordinal, false);
}

void
undo_fresh(struct session *s)
{
	struct newest n = newest_of(s, s->cur);

	if (s->cur && s->cur->id == s->fresh_request)
		for (struct req_stmt *st; s->nfresh > 0 && (st = newest_next(&n)); s->nfresh--)
			mark(st);
	s->nfresh = 0;
}

void
undo_note(struct session *s, uint64_t request, const struct rec_end *e, bool committed)
{
	bool kept = request && s->done_request == request && s->done_index != UINT32_MAX;

	if (e->h.flags & REC_END_FRESH || committed || (kept && s->fresh_request != request))
		s->nfresh = 0;
	if (!kept || committed)
		return;
	s->fresh_request = request;
	s->nfresh++;
}
