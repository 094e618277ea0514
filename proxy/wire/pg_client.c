/* SPDX-License-Identifier: Apache-2.0 */
/* pg_client: what the client says after the handshake. Each message that will be answered becomes a question in the queue.
 * Does: resolve names as the server will when it gets there. Never: looks into passwords, COPY data or FunctionCall arguments, or calls a
 * malformed message its own problem: the server answers those with an error, and the queue follows. */
#include "pg_conn.h"

static struct pg_question *
ask_exec(struct wire_conn *c, enum pg_kind kind, struct pg_exec *x, uint64_t now)
{
	struct pg_question *q = x ? pg_queue_push(c, kind, now) : NULL;

	if (q) {
		q->exec = x;
		x->v.refs++;
	}
	return q;
}

/* Text up to its NUL; a text without one is the server's to refuse. */
static struct span
text_of(struct span body)
{
	const uint8_t *nul = body.n ? memchr(body.p, 0, body.n) : NULL;

	return nul ? span_first(body, (size_t)(nul - body.p)) : body;
}

/* A Query takes the unnamed statement and portal with it when its turn comes. */
static void
close_unnamed(struct wire_conn *c)
{
	if (c->statements.unnamed.newest)
		c->statements.unnamed.newest->closing = true;
	if (c->portals.unnamed.newest)
		c->portals.unnamed.newest->closing = true;
}

static void
on_query(struct wire_conn *c, const struct pg_msg *m, bool function_call)
{
	struct pg_exec *x = pg_exec_new(c);
	struct span text = function_call ? (struct span){ NULL, 0 } : span_first(text_of(m->body), LIMIT_WIRE_TEXT);
	bool cut = m->cut && text.n < m->size - 6;	/* type, length, and the NUL at the end */

	if (!x)
		return;
	if (!function_call)
		close_unnamed(c);
	if (ask_exec(c, function_call ? PG_FUNCTION : PG_QUERY, x, m->now))
		pg_exec_query(c, x, text, !function_call && cut, function_call, m->now);
	pg_exec_unref(c, x);
}

static void
on_parse(struct wire_conn *c, const struct pg_msg *m)
{
	struct pg_question *q = pg_queue_push(c, PG_PARSE, m->now);
	struct bytes b = bytes_of(m->body);
	struct span name = bytes_cstr(&b), text;
	bool named = !b.bad;

	if (!q || !named)
		return;
	text = text_of(bytes_rest(&b));
	bytes_cstr(&b);
	q->stmt = pg_stmt_parse(c, name, span_first(text, LIMIT_WIRE_TEXT), m->cut && b.bad, &b);
}

static struct pg_stmt *
find_stmt(struct wire_conn *c, struct span name)
{
	return (struct pg_stmt *)pg_names_find(&c->statements, name);
}

static struct pg_exec *
find_portal(struct wire_conn *c, struct span name)
{
	return (struct pg_exec *)pg_names_find(&c->portals, name);
}

static void
on_bind(struct wire_conn *c, const struct pg_msg *m)
{
	struct bytes b = bytes_of(m->body);
	struct span portal = bytes_cstr(&b), name = bytes_cstr(&b);
	struct pg_exec *x;

	if (b.bad) {
		pg_queue_push(c, PG_BIND, m->now);
		return;
	}
	x = pg_exec_new(c);
	if (!x)
		return;
	x->stmt = pg_stmt_ref(find_stmt(c, name));
	if (x->stmt)
		pg_stmt_touch(c, x->stmt);
	if (ask_exec(c, PG_BIND, x, m->now))
		pg_exec_bind(c, x, portal, m->body, m->cut);
	pg_exec_unref(c, x);
}

static void
on_execute(struct wire_conn *c, const struct pg_msg *m)
{
	struct bytes b = bytes_of(m->body);
	struct span portal = bytes_cstr(&b);
	struct pg_exec *x = b.bad ? NULL : find_portal(c, portal);

	if (x)
		x->v.refs++;
	else
		x = pg_exec_new(c);	/* a cursor declared in SQL, or a portal from before */
	if (!x)
		return;
	if (ask_exec(c, PG_EXECUTE, x, m->now))
		pg_exec_execute(c, x, m->now);
	pg_exec_unref(c, x);
}

/* Describe and Close: a letter for statement or portal, and a name. */
static void
on_named(struct wire_conn *c, const struct pg_msg *m, bool close)
{
	struct bytes b = bytes_of(m->body);
	bool portal = bytes_u8(&b) == 'P';
	struct span name = bytes_cstr(&b);
	struct pg_question *q;
	struct pg_version *v;

	if (portal)
		q = pg_queue_push(c, close ? PG_CLOSE_PORTAL : PG_DESCRIBE_PORTAL, m->now);
	else
		q = pg_queue_push(c, close ? PG_CLOSE_STMT : PG_DESCRIBE_STMT, m->now);
	if (!q || b.bad)
		return;
	v = pg_names_find(portal ? &c->portals : &c->statements, name);
	if (!v)
		return;
	v->refs++;
	if (portal)
		q->exec = (struct pg_exec *)v;
	else
		q->stmt = (struct pg_stmt *)v;
	v->closing = v->closing || close;
}

static void
on_sync(struct wire_conn *c, const struct pg_msg *m)
{
	if (c->copy_in) {		/* the server reads COPY data now and takes no notice of it */
		c->swallowed++;
		return;
	}
	pg_exec_flush_point(c);
	if (!pg_queue_push(c, PG_SYNC, m->now))
		return;
	if (c->skipping)
		pg_server_skip(c, m);
}

/* CopyDone or CopyFail. Sent ahead of CopyInResponse it waits in the queue for it. */
static void
on_copy_end(struct wire_conn *c, const struct pg_msg *m)
{
	if (c->copy_in)
		c->copy_in = false;
	else if (c->queue.n)
		pg_queue_push(c, PG_COPY_END, m->now);
}

/* The COPY that will read data sent ahead of CopyInResponse: the last question, but for Syncs it will swallow and ends of data before. */
static struct pg_exec *
newest_asked(struct wire_conn *c)
{
	struct pg_question *q;

	for (uint32_t i = c->queue.n; i-- > 0;) {
		q = pg_queue_at(c, i);
		if (PG_BIT(q->kind) & (PG_BIT(PG_QUERY) | PG_BIT(PG_EXECUTE)))
			return q->exec;
		if (q->kind != PG_SYNC && q->kind != PG_COPY_END)
			break;
	}
	return NULL;
}

/* CopyData counts for the statement that reads it. */
static void
on_copy_data(struct wire_conn *c, const struct pg_msg *m)
{
	struct pg_exec *x = c->copy_in ? pg_server_receiving(c) : newest_asked(c);

	if (x && x->state == PG_TOLD)
		x->pub.bytes += m->size;
}

void
pg_client_message(struct wire_conn *c, const struct pg_msg *m)
{
	switch (m->type) {
	case 'Q':
		on_query(c, m, false);
		break;
	case 'F':
		on_query(c, m, true);
		break;
	case 'P':
		on_parse(c, m);
		break;
	case 'B':
		on_bind(c, m);
		break;
	case 'E':
		on_execute(c, m);
		break;
	case 'D':
		on_named(c, m, false);
		break;
	case 'C':
		on_named(c, m, true);
		break;
	case 'S':
		on_sync(c, m);
		break;
	case 'H':
		if (!c->copy_in)
			pg_exec_flush_point(c);
		break;
	case 'c':
	case 'f':
		on_copy_end(c, m);
		break;
	case 'd':
		on_copy_data(c, m);
		break;
	default:		/* X, p */
		break;
	}
}
