/* SPDX-License-Identifier: Apache-2.0 */
/* pg_server: what the server says after the handshake. Each answer belongs to the question at the head of the queue.
 * Does: confirm names, count rows, end parts, follow the transaction state. Never: guesses: an answer that fits no question makes the
 * session opaque. */
#include "pg_conn.h"

/* The head when it is one of these kinds; else NULL and the session opaque. */
static struct pg_question *
head_of(struct wire_conn *c, uint32_t kinds, const char *what)
{
	struct pg_question *q = pg_queue_head(c);

	if (q && PG_BIT(q->kind) & kinds)
		return q;
	pg_opaque(c, WIRE_OPAQUE_OUT_OF_STEP, what);
	return NULL;
}

struct pg_exec *
pg_server_receiving(struct wire_conn *c)
{
	struct pg_question *q = pg_queue_head(c);

	return q && PG_BIT(q->kind) & (PG_BIT(PG_QUERY) | PG_BIT(PG_EXECUTE)) ? q->exec : NULL;
}

/* A Query takes the unnamed statement and portal with it when it begins. */
static void
take_unnamed(struct wire_conn *c, uint64_t now)
{
	struct pg_version *stmt = c->statements.unnamed.oldest, *portal = c->portals.unnamed.oldest;

	if (stmt && stmt->standing == PG_LIVE)
		pg_stmt_gone(c, (struct pg_stmt *)stmt);
	if (portal && portal->standing == PG_LIVE)
		pg_exec_gone(c, (struct pg_exec *)portal, now);
}

/* The first byte of an answer to q, or of its next part. */
static void
begin_answer(struct wire_conn *c, const struct pg_question *q, uint64_t began)
{
	if (q->kind == PG_QUERY && !q->exec->answered && q->exec->pub.parts == 0)
		take_unnamed(c, began);
	if (q->exec->state != PG_ENDED)
		pg_exec_begin(c, q->exec, began, q->sent);
}

/* The head's exec, told that m is about it. */
static struct pg_exec *
answer(struct wire_conn *c, uint32_t kinds, const struct pg_msg *m, const char *what)
{
	struct pg_question *q = head_of(c, kinds, what);

	if (!q)
		return NULL;
	begin_answer(c, q, m->began);
	if (q->exec->state != PG_ENDED)
		pg_exec_answer(q->exec, m);
	return q->exec;
}

/* ---- confirmations ---- */

static void
on_parsed(struct wire_conn *c)
{
	struct pg_question *q = head_of(c, PG_BIT(PG_PARSE), "ParseComplete");

	if (!q)
		return;
	pg_stmt_confirm(c, q->stmt);
	pg_queue_pop(c);
}

static void
on_bound(struct wire_conn *c, uint64_t now)
{
	struct pg_question *q = head_of(c, PG_BIT(PG_BIND), "BindComplete");

	if (!q)
		return;
	pg_exec_confirm(c, q->exec, now);
	pg_queue_pop(c);
}

static void
on_closed(struct wire_conn *c, uint64_t now)
{
	struct pg_question *q = head_of(c, PG_BIT(PG_CLOSE_STMT) | PG_BIT(PG_CLOSE_PORTAL), "CloseComplete");

	if (!q)
		return;
	if (q->kind == PG_CLOSE_STMT)
		pg_stmt_gone(c, q->stmt);
	else
		pg_exec_gone(c, q->exec, now);
	pg_queue_pop(c);
}

static void
on_types(struct wire_conn *c, const struct pg_msg *m)
{
	struct pg_question *q = head_of(c, PG_BIT(PG_DESCRIBE_STMT), "ParameterDescription");

	if (!q)
		return;
	q->half = true;
	pg_stmt_types(c, q->stmt, m->body, m->cut);
}

/* ---- results ---- */

/* A portal that was described: its exec may not have been told yet. Drivers ask once and then execute a named statement without asking
 * again, so its statement remembers. */
static void
describe_portal(struct wire_conn *c, struct pg_exec *x, const struct pg_msg *m)
{
	if (x && x->stmt && !x->stmt->described.n && x->stmt->v.slot && x->stmt->v.slot->name.n)
		pg_stmt_describe(c, x->stmt, m->body, m->cut);
	if (x && x->state == PG_BOUND)
		pg_result_keep(c, x, m->body, m->cut);
	else if (x && x->state == PG_TOLD)
		pg_result_shape(c, x, m->body, m->cut, false);
}

static void
on_row_description(struct wire_conn *c, const struct pg_msg *m)
{
	struct pg_question *q = head_of(c, PG_BIT(PG_QUERY) | PG_BIT(PG_DESCRIBE_STMT) | PG_BIT(PG_DESCRIBE_PORTAL), "RowDescription");

	if (!q)
		return;
	if (q->kind == PG_QUERY) {
		answer(c, PG_BIT(PG_QUERY), m, "");
		pg_result_shape(c, q->exec, m->body, m->cut, false);
		return;
	}
	if (q->kind == PG_DESCRIBE_PORTAL)
		describe_portal(c, q->exec, m);
	else if (q->half)
		pg_stmt_describe(c, q->stmt, m->body, m->cut);
	else {
		pg_opaque(c, WIRE_OPAQUE_OUT_OF_STEP, "RowDescription");
		return;
	}
	pg_queue_pop(c);
}

static void
on_no_data(struct wire_conn *c)
{
	if (head_of(c, PG_BIT(PG_DESCRIBE_STMT) | PG_BIT(PG_DESCRIBE_PORTAL), "NoData"))
		pg_queue_pop(c);
}

void
pg_server_row_begins(struct wire_conn *c, uint64_t began)
{
	struct pg_question *q = pg_queue_head(c);
	struct pg_exec *x = pg_server_receiving(c);

	if (!x || x->state != PG_TOLD)
		return;
	begin_answer(c, q, began);
	if (!x->shaped)
		pg_result_begin(c, x);
}

static void
on_row(struct wire_conn *c, const struct pg_msg *m)
{
	struct pg_exec *x = answer(c, PG_BIT(PG_QUERY) | PG_BIT(PG_EXECUTE), m, "DataRow");

	if (!x || x->state != PG_TOLD)
		return;
	if (!x->shaped)
		pg_result_begin(c, x);
	x->rows++;
	if (!m->pieces && pg_result_wants_data(c, x))
		pg_result_data(c, x, m->body);
	if (pg_result_wants_row(c, x))
		pg_result_row(c, x, m);
}

static void
on_complete(struct wire_conn *c, const struct pg_msg *m)
{
	struct pg_exec *x = answer(c, PG_BIT(PG_QUERY) | PG_BIT(PG_EXECUTE), m, "CommandComplete");
	struct bytes b = bytes_of(m->body);
	struct span tag = bytes_cstr(&b);

	if (!x)
		return;
	c->copy_in = false;
	c->swallowed = 0;
	if (x->state == PG_TOLD) {
		if (!x->query)
			pg_result_begin(c, x);
		pg_exec_part(c, x, WIRE_OK, "", tag, m->now);
	}
	if (span_is(tag, "DEALLOCATE ALL") || span_is(tag, "DISCARD ALL"))
		pg_stmt_forget_all(c);
	if (!x->query)
		pg_queue_pop(c);
}

static void
on_empty(struct wire_conn *c, const struct pg_msg *m)
{
	struct pg_exec *x = answer(c, PG_BIT(PG_QUERY) | PG_BIT(PG_EXECUTE), m, "EmptyQueryResponse");
	struct span none = { NULL, 0 };

	if (!x)
		return;
	if (x->state == PG_TOLD)
		pg_exec_part(c, x, WIRE_EMPTY, "", none, m->now);
	if (!x->query)
		pg_queue_pop(c);
}

static void
on_suspended(struct wire_conn *c, const struct pg_msg *m)
{
	struct pg_exec *x = answer(c, PG_BIT(PG_EXECUTE), m, "PortalSuspended");
	struct span none = { NULL, 0 };

	if (!x)
		return;
	if (x->state == PG_TOLD) {
		pg_result_begin(c, x);
		pg_exec_suspend(c, x, m->now);
		if (!x->v.slot) {	/* not ours to follow: a cursor declared in SQL */
			x->open = true;
			pg_exec_part(c, x, WIRE_OK, "", none, m->now);
		}
	}
	pg_queue_pop(c);
}

static void
on_function_result(struct wire_conn *c, const struct pg_msg *m)
{
	struct pg_exec *x = answer(c, PG_BIT(PG_FUNCTION), m, "FunctionCallResponse");
	struct span none = { NULL, 0 };

	if (x)
		pg_exec_part(c, x, WIRE_OK, "", none, m->now);
}

/* ---- COPY ---- */

/* Syncs the client sent behind a COPY are read, and ignored, by the COPY; its end marker may be here already. */
static void
on_copy_in(struct wire_conn *c, const struct pg_msg *m)
{
	if (!answer(c, PG_BIT(PG_QUERY) | PG_BIT(PG_EXECUTE), m, "CopyInResponse"))
		return;
	c->copy_in = true;
	while (c->queue.n > 1 && c->copy_in) {
		uint8_t kind = pg_queue_at(c, 1)->kind;

		if (kind == PG_COPY_END)
			c->copy_in = false;
		else if (kind == PG_SYNC)
			c->swallowed++;
		else
			break;
		pg_queue_remove(c, 1);
	}
}

/* ---- errors ---- */

struct failure {
	char code[8];	/* SQLSTATE, "" when the server sent none */
	bool fatal;	/* the connection ends with it */
};

static struct failure
read_failure(const struct pg_msg *m)
{
	struct failure f = { "", false };
	struct bytes b = bytes_of(m->body);
	struct span value;
	uint8_t field;

	while ((field = bytes_u8(&b)) != 0) {
		value = bytes_cstr(&b);
		if (b.bad)
			break;
		if (field == 'C')
			memcpy(f.code, value.p, value.n < sizeof f.code ? value.n : sizeof f.code - 1);
		if (field == 'S' || field == 'V')	/* V is never translated, S where V is missing */
			f.fatal = f.fatal || span_is(value, "FATAL") || span_is(value, "PANIC");
	}
	return f;
}

/* The first Execute that the failed question was for: of its portal, or of its statement. */
static struct pg_question *
find_blamed(struct wire_conn *c, const struct pg_question *failed)
{
	bool about_stmt = PG_BIT(failed->kind) & PG_ABOUT_STMT;
	struct pg_question *q;

	for (uint32_t i = 0; i < c->queue.n; i++) {
		q = pg_queue_at(c, i);
		if (q->kind == PG_SYNC)
			break;
		if (q->kind != PG_EXECUTE || q->exec->state != PG_TOLD)
			continue;
		if (about_stmt ? failed->stmt && q->exec->stmt == failed->stmt : q->exec == failed->exec)
			return q;
	}
	return NULL;
}

/* An error in the extended protocol: one Execute failed, everything up to Sync is discarded. When neither that Execute nor Sync is there
 * yet, whom it meant is settled with Sync. After a fatal one nothing more comes, and the end of the connection ends the rest. */
static void
fail_extended(struct wire_conn *c, struct pg_question *head, const struct failure *f, const struct pg_msg *m)
{
	struct pg_question *q = find_blamed(c, head);
	struct pg_exec *blamed = q ? q->exec : NULL;

	if (blamed) {
		pg_exec_begin(c, blamed, m->began, q->sent);
		pg_exec_answer(blamed, m);
	} else if (!f->fatal && !pg_queue_synced(c)) {
		c->skipping = c->unblamed = c->all_told = true;
		memcpy(c->unblamed_code, f->code, sizeof c->unblamed_code);
		return;
	} else
		c->ops->notice(c->ctx, f->code, m->now);
	if (!f->fatal)
		pg_queue_skip(c, blamed, f->code, m->now);
	else if (blamed)
		pg_exec_part(c, blamed, WIRE_ERROR, f->code, (struct span){ NULL, 0 }, m->now);
}

void
pg_server_skip(struct wire_conn *c, const struct pg_msg *sync)
{
	struct pg_question *q = c->unblamed ? find_blamed(c, pg_queue_head(c)) : NULL;
	struct pg_exec *blamed = q ? q->exec : NULL;

	if (blamed)
		pg_exec_begin(c, blamed, sync->began, q->sent);
	else if (c->unblamed)
		c->ops->notice(c->ctx, c->unblamed_code, sync->now);
	c->unblamed = false;
	pg_queue_skip(c, blamed, blamed ? c->unblamed_code : "", sync->now);
}

static void
on_error(struct wire_conn *c, const struct pg_msg *m)
{
	struct pg_question *head = pg_queue_head(c);
	struct failure f = read_failure(m);
	struct span none = { NULL, 0 };

	c->copy_in = false;
	c->failed = true;
	if (!head || head->kind == PG_SYNC || c->phase == PG_AUTH)
		c->ops->notice(c->ctx, f.code, m->now);
	else if (PG_BIT(head->kind) & (PG_BIT(PG_QUERY) | PG_BIT(PG_FUNCTION))) {
		answer(c, PG_BIT(head->kind), m, "");
		pg_exec_part(c, head->exec, WIRE_ERROR, f.code, none, m->now);
	} else
		fail_extended(c, head, &f, m);
}

/* ---- state ---- */

static void
set_tx(struct wire_conn *c, uint8_t letter, uint64_t now)
{
	enum wire_tx tx = letter == 'T' ? WIRE_TX_OPEN : letter == 'E' ? WIRE_TX_FAILED : WIRE_TX_IDLE;

	if (tx == WIRE_TX_IDLE)
		pg_exec_portals_gone(c, now);
	if (tx == c->tx)
		return;
	c->tx = (uint8_t)tx;
	c->ops->transaction(c->ctx, tx, now);
}

static void
on_ready(struct wire_conn *c, const struct pg_msg *m)
{
	struct pg_question *q = pg_queue_head(c);
	uint8_t letter = m->body.n ? m->body.p[0] : 'I';

	if (c->phase == PG_AUTH) {
		c->phase = PG_READY;
		c->ops->ready(c->ctx, m->now);
	} else if (q && PG_BIT(q->kind) & (PG_BIT(PG_QUERY) | PG_BIT(PG_FUNCTION) | PG_BIT(PG_SYNC))) {
		if (q->kind != PG_SYNC)
			pg_exec_done(c, q->exec);
		pg_queue_pop(c);
	} else if (c->swallowed && (!q || c->skipping)) {	/* the COPY ended before it read that Sync */
		c->swallowed--;
		if (q && pg_queue_push(c, PG_SYNC, m->now)) {
			pg_server_skip(c, m);
			pg_queue_pop(c);
		}
		c->skipping = false;
	} else {
		pg_opaque(c, WIRE_OPAQUE_OUT_OF_STEP, "ReadyForQuery");
		return;
	}
	if (c->well && c->failed && letter == 'I' && c->ops->undone)
		c->ops->undone(c->ctx, m->now);
	c->ended = c->well = c->failed = false;
	set_tx(c, letter, m->now);
}

static void
on_setting(struct wire_conn *c, const struct pg_msg *m)
{
	struct bytes b = bytes_of(m->body);
	struct span name = bytes_cstr(&b), value = bytes_cstr(&b);

	if (!b.bad)
		c->ops->fact(c->ctx, span_is(name, "server_version") ? WIRE_FACT_SERVER : WIRE_FACT_STATUS, name, value);
}

/* ---- authentication ---- */

/* Certificates that differ break channel binding, and the client's own message will not say so. */
static void
watch_channel_binding(struct wire_conn *c, struct bytes *mechanisms)
{
	struct span name;

	do {
		name = bytes_cstr(mechanisms);
		if (span_is(name, "SCRAM-SHA-256-PLUS"))
			c->ops->fact(c->ctx, WIRE_FACT_SERVER, SPAN_LIT("channel_binding"), SPAN_LIT("certificates differ"));
	} while (name.n && !mechanisms->bad);
}

static void
on_authentication(struct wire_conn *c, const struct pg_msg *m)
{
	struct bytes b = bytes_of(m->body);

	if (bytes_be32(&b) == 10 && c->two_certificates)
		watch_channel_binding(c, &b);
}

static void
in_auth(struct wire_conn *c, const struct pg_msg *m)
{
	if (c->phase != PG_AUTH)
		pg_opaque(c, WIRE_OPAQUE_OUT_OF_STEP, "authentication");
	else if (m->type == 'R')
		on_authentication(c, m);
	else if (m->type == 'K' && c->ops->cancel_key)
		c->ops->cancel_key(c->ctx, m->body);
}

void
pg_server_message(struct wire_conn *c, const struct pg_msg *m)
{
	switch (m->type) {
	case 'D':
		on_row(c, m);
		break;
	case 'C':
		on_complete(c, m);
		break;
	case 'Z':
		on_ready(c, m);
		break;
	case 'T':
		on_row_description(c, m);
		break;
	case '1':
		on_parsed(c);
		break;
	case '2':
		on_bound(c, m->now);
		break;
	case '3':
		on_closed(c, m->now);
		break;
	case 't':
		on_types(c, m);
		break;
	case 'n':
		on_no_data(c);
		break;
	case 'E':
		on_error(c, m);
		break;
	case 'S':
		on_setting(c, m);
		break;
	case 'I':
		on_empty(c, m);
		break;
	case 's':
		on_suspended(c, m);
		break;
	case 'V':
		on_function_result(c, m);
		break;
	case 'G':
		on_copy_in(c, m);
		break;
	case 'H':
	case 'd':
	case 'c':
		answer(c, PG_BIT(PG_QUERY) | PG_BIT(PG_EXECUTE), m, "COPY data");
		break;
	case 'W':
		pg_opaque(c, WIRE_OPAQUE_REPLICATION, "CopyBothResponse");
		break;
	case 'R':
	case 'K':
	case 'v':
		in_auth(c, m);
		break;
	default:		/* A, N: may come at any time and answer nothing */
		break;
	}
}
