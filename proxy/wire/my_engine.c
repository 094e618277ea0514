/* SPDX-License-Identifier: Apache-2.0 */
/* my_engine: the door of the MySQL/MariaDB parser: cuts both directions into messages and hands them on.
 * A packet that is wholly in the fed bytes is read where it stands; only a message in pieces is copied, as far as it is wanted.
 * Never: knows commands or answers (my_command.c, my_answer.c), or keeps a byte longer than its message. */
#include "my_conn.h"

#include "fingerprint/mem.h"

static struct wire_conn *
engine_open(const struct wire_setup *setup, const struct wire_ops *ops, void *ctx)
{
	struct wire_conn *c = mem_zero(sizeof *c);

	if (!c)
		return NULL;
	c->hand = mem_zero(sizeof *c->hand);
	if (!c->hand) {
		mem_free(c);
		return NULL;
	}
	c->setup = setup;
	c->ops = ops;
	c->ctx = ctx;
	strbuf_init(&c->hand->held, LIMIT_MY_HANDSHAKE);
	return c;
}

static void
release_all(struct wire_conn *c)
{
	my_asks_lost(c);
	my_stmts_clear(c);
	my_result_clear(c);
	strbuf_clear(&c->leg[WIRE_CLIENT].kept);
	strbuf_clear(&c->leg[WIRE_SERVER].kept);
}

static void
engine_free(struct wire_conn *c, uint64_t now)
{
	c->now = now;
	release_all(c);
	my_handshake_free(c);
	mem_free(c);
}

void
my_opaque(struct wire_conn *c, enum wire_opaque why, const char *detail)
{
	if (c->why != WIRE_CLEAR)
		return;
	c->why = why;
	release_all(c);
	c->ops->opaque(c->ctx, why, detail);
}

void
my_fact(const struct wire_conn *c, enum wire_fact kind, struct span name, struct span value)
{
	c->ops->fact(c->ctx, kind, name, value);
}

void
my_charset_tell(const struct wire_conn *c, uint16_t collation)
{
	struct span name = my_charset_name(collation);

	if (name.n)
		my_fact(c, WIRE_FACT_STARTUP, SPAN_LIT("character_set_client"), name);
}

/* ---- messages ---- */

static void
deliver(struct wire_conn *c, enum wire_leg from, const struct my_message *m)
{
	if (from == WIRE_CLIENT)
		my_command(c, m);
	else
		my_answer(c, m);
}

/* A message that is wholly there: bytes used, 0 when it is not. */
static size_t
take_whole(struct wire_conn *c, enum wire_leg from, struct span in)
{
	uint32_t n;

	if (in.n < MY_HEADER)
		return 0;
	n = load_le24(in.p);
	if (n == MY_PACKET_FULL || in.n - MY_HEADER < n)
		return 0;

	struct span payload = span_of(in.p + MY_HEADER, n);
	struct my_message m = {
		.size = n, .wire = n + MY_HEADER, .began = c->now, .first = n ? payload.p[0] : 0, .seq = in.p[3],
	};

	if (from == WIRE_SERVER && n && my_answer_is_row(c, m.first, n))
		my_row_bytes(c, payload);
	m.body = span_first(payload, LIMIT_WIRE_CAPTURE + 1);
	deliver(c, from, &m);
	return m.wire;
}

/* The first payload byte of a message in pieces tells how much of it to keep. */
static void
judge(struct wire_conn *c, enum wire_leg from, struct my_leg *l, uint8_t first)
{
	uint32_t length = load_le24(l->header);

	l->m.first = first;
	l->row = from == WIRE_SERVER && my_answer_is_row(c, first, length);
	strbuf_init(&l->kept, from == WIRE_CLIENT ? my_command_keep(c, first) : my_answer_keep(c, first, length));
}

static void
keep(struct wire_conn *c, struct my_leg *l, struct span bytes)
{
	size_t room = l->kept.max - l->kept.n;

	if (l->row)
		my_row_bytes(c, bytes);
	if (room && !strbuf_add(&l->kept, span_first(bytes, room)))
		my_opaque(c, WIRE_OPAQUE_MEMORY, "a message in pieces");
}

static void
finish(struct wire_conn *c, enum wire_leg from)
{
	struct my_leg *l = &c->leg[from];
	struct my_message m = l->m;
	struct strbuf kept = l->kept;

	*l = (struct my_leg){ 0 };
	m.body = strbuf_span(&kept);
	deliver(c, from, &m);
	strbuf_clear(&kept);
}

/* The next piece of a message, one packet at most: bytes used. */
static size_t
take_piece(struct wire_conn *c, enum wire_leg from, struct span in)
{
	struct my_leg *l = &c->leg[from];
	size_t used = 0;

	if (!l->inside) {
		l->inside = true;
		l->m.began = c->now;
	}
	while (l->have < MY_HEADER) {
		if (used == in.n)
			return used;
		l->header[l->have++] = in.p[used++];
		if (l->have < MY_HEADER)
			continue;
		l->left = load_le24(l->header);
		l->continued = l->left == MY_PACKET_FULL;
		if (l->m.wire == 0)
			l->m.seq = l->header[3];
		l->m.wire += MY_HEADER;
	}

	struct span piece = span_first(span_from(in, used), l->left);

	if (piece.n) {
		if (l->m.size == 0)
			judge(c, from, l, piece.p[0]);
		keep(c, l, piece);
		if (c->why != WIRE_CLEAR)
			return in.n;
		l->m.size += piece.n;
		l->m.wire += piece.n;
		l->left -= (uint32_t)piece.n;
	}
	if (l->left)
		return used + piece.n;
	l->have = 0;
	if (!l->continued)
		finish(c, from);
	return used + piece.n;
}

static void
engine_feed(struct wire_conn *c, enum wire_leg from, struct span in, uint64_t now)
{
	c->now = now;
	while (in.n && c->why == WIRE_CLEAR) {
		size_t used = 0;

		if (!c->leg[from].inside) {
			if (from == WIRE_SERVER && c->answer.state == MY_ROWS)
				used = my_rows_skip(c, in);
			else if (from == WIRE_SERVER && c->answer.state == MY_COLUMNS)
				used = my_columns_whole(c, in);
			if (!used)
				used = take_whole(c, from, in);
		}
		if (!used)
			used = take_piece(c, from, in);
		in = span_from(in, used);
	}
}

static void
engine_eof(struct wire_conn *c, enum wire_leg from, uint64_t now)
{
	c->now = now;
	if (from == WIRE_SERVER)
		my_asks_lost(c);
}

/* ---- the rest of the contract ---- */

static void
engine_dialed(struct wire_conn *c)
{
	(void)c;
}

static struct span
engine_cancel_target(struct wire_conn *c)
{
	(void)c;
	return (struct span){ NULL, 0 };
}

static enum wire_opaque
engine_opaque(const struct wire_conn *c)
{
	return c->why;
}

static bool
engine_idle(const struct wire_conn *c)
{
	return c->why == WIRE_CLEAR && c->ready && !c->head && c->ncursors == 0 && !c->authenticating && !c->uploading
	    && !(c->status & MY_STATUS_IN_TRANS) && !c->leg[WIRE_CLIENT].inside;
}

const struct wire_engine my_engine = {
	.name = "mysql",
	.port = 3306,
	.server_first = true,
	.open = engine_open,
	.free = engine_free,
	.handshake = my_handshake,
	.dialed = engine_dialed,
	.tls_up = my_tls_up,
	.needs_client = my_needs_client,
	.feed = engine_feed,
	.eof = engine_eof,
	.refuse = my_refuse,
	.cancel_target = engine_cancel_target,
	.opaque = engine_opaque,
	.idle = engine_idle,
	.find = my_name_find,
	.remember = my_name_remember,
	.forget = my_name_forget,
	.value_text = my_value_text,
};
