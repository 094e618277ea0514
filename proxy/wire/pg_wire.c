/* SPDX-License-Identifier: Apache-2.0 */
/* pg_wire: frames of the PostgreSQL protocol 3.x, both directions, and the engine's door.
 * Does: hand over whole messages in place, and keep of a message in pieces only what somebody will read. Never: allocates by a declared
 * length, copies a message that lies whole in the fed bytes, or holds memory between messages. */
#include "fingerprint/mem.h"
#include "pg_conn.h"

/* What a message type may be. */
struct frame {
	uint32_t longest;	/* declared length, the four bytes of the length included; 0 = no such type */
	uint32_t keep;		/* body bytes that are handed over */
};

enum {
	LARGE = 0x3fffffff,	/* the server's own limit */
	SMALL = 10000,		/* the server's limit for the client's short messages */
	SHORT = 30000,		/* what libpq believes of a server's short messages */
	BARE = 4,		/* no body */
	KEEP = LIMIT_WIRE_CAPTURE,
	KEEP_AUTH = 1024, KEEP_ERROR = 4096, KEEP_TAG = 256, KEEP_KEY = 512,
};

static const struct frame frames[2][256] = {
	[WIRE_CLIENT] = {
		['Q'] = { LARGE, KEEP }, ['P'] = { LARGE, KEEP }, ['B'] = { LARGE, KEEP }, ['F'] = { LARGE, 0 }, ['d'] = { LARGE, 0 },
		['p'] = { LARGE, 0 }, ['D'] = { SMALL, SMALL }, ['E'] = { SMALL, SMALL }, ['C'] = { SMALL, SMALL }, ['H'] = { SMALL, 0 },
		['S'] = { SMALL, 0 }, ['X'] = { SMALL, 0 }, ['c'] = { SMALL, 0 }, ['f'] = { SMALL, 0 },
	},
	[WIRE_SERVER] = {
		['D'] = { LARGE, 0 }, ['T'] = { LARGE, KEEP }, ['t'] = { LARGE, KEEP }, ['E'] = { LARGE, KEEP_ERROR }, ['N'] = { LARGE, 0 },
		['A'] = { LARGE, 0 }, ['d'] = { LARGE, 0 }, ['V'] = { LARGE, 0 }, ['R'] = { LARGE, KEEP_AUTH }, ['C'] = { SHORT, KEEP_TAG },
		['S'] = { SHORT, SHORT }, ['K'] = { SHORT, KEEP_KEY }, ['v'] = { SHORT, 0 }, ['G'] = { SHORT, 0 }, ['H'] = { SHORT, 0 },
		['W'] = { SHORT, 0 }, ['Z'] = { 5, 1 }, ['1'] = { BARE, 0 }, ['2'] = { BARE, 0 }, ['3'] = { BARE, 0 }, ['n'] = { BARE, 0 },
		['s'] = { BARE, 0 }, ['I'] = { BARE, 0 }, ['c'] = { BARE, 0 },
	},
};

void
pg_opaque(struct wire_conn *c, enum wire_opaque why, const char *detail)
{
	if (c->why != WIRE_CLEAR)
		return;
	c->why = (uint8_t)why;
	c->detail = detail;
}

void
pg_settle(struct wire_conn *c, uint64_t now)
{
	if (c->why == WIRE_CLEAR || c->closed)
		return;
	c->closed = true;
	pg_queue_lose(c, now);
	strbuf_clear(&c->stream[WIRE_CLIENT].kept);
	strbuf_clear(&c->stream[WIRE_SERVER].kept);
	c->ops->opaque(c->ctx, (enum wire_opaque)c->why, c->detail);
}

/* True when such a message can exist; else the session is opaque. */
static bool
admit(struct wire_conn *c, enum wire_leg from, uint8_t type, uint32_t length)
{
	const struct frame *frame = &frames[from][type];

	if (length >= 4 && length <= frame->longest && (type != 'Z' || length == 5))
		return true;
	if (frame->longest == 0)
		pg_opaque(c, WIRE_OPAQUE_UNKNOWN_TYPE, from == WIRE_CLIENT ? "from the client" : "from the server");
	else if (from == WIRE_SERVER && type == 'E' && c->phase == PG_AUTH)
		pg_opaque(c, WIRE_OPAQUE_LEGACY, "an error in the form of protocol 2");
	else
		pg_opaque(c, WIRE_OPAQUE_BAD_LENGTH, from == WIRE_CLIENT ? "from the client" : "from the server");
	return false;
}

/* Body bytes somebody will read. */
static uint32_t
keep_of(struct wire_conn *c, enum wire_leg from, uint8_t type)
{
	struct pg_exec *x;

	if (from == WIRE_CLIENT || type != 'D')
		return frames[from][type].keep;
	x = pg_server_receiving(c);
	return x && pg_result_wants_row(c, x) ? LIMIT_WIRE_ROW : 0;
}

static void
deliver(struct wire_conn *c, enum wire_leg from, const struct pg_msg *m)
{
	if (from == WIRE_CLIENT)
		pg_client_message(c, m);
	else
		pg_server_message(c, m);
}

/* A row goes to the watcher as it comes, not only when it is whole. */
static void
lend_piece(struct wire_conn *c, const struct pg_stream *s, struct span piece)
{
	struct pg_exec *x;

	if (s->left == s->length)
		pg_server_row_begins(c, s->began);
	x = pg_server_receiving(c);
	if (x && x->state == PG_TOLD && pg_result_wants_data(c, x))
		pg_result_data(c, x, piece);
}

static void
end_message(struct wire_conn *c, enum wire_leg from, uint64_t now)
{
	struct pg_stream *s = &c->stream[from];
	struct pg_msg m = {
		.type = s->header[0], .body = strbuf_span(&s->kept), .cut = s->length > s->keep, .pieces = true,
		.size = s->length + 5, .began = s->began, .now = now,
	};

	deliver(c, from, &m);
	pg_exec_own_binds(c);
	strbuf_clear(&s->kept);
	s->have = 0;
}

/* The first bytes of a message that is not whole: how many were taken. */
static size_t
take_header(struct wire_conn *c, enum wire_leg from, const uint8_t *p, size_t n, uint64_t now)
{
	struct pg_stream *s = &c->stream[from];
	size_t want = sizeof s->header - s->have;

	if (s->have == 0)
		s->began = now;
	if (want > n)
		want = n;
	memcpy(s->header + s->have, p, want);
	s->have = (uint8_t)(s->have + want);
	if (s->have < sizeof s->header)
		return want;
	if (!admit(c, from, s->header[0], load_be32(s->header + 1)))
		return want;
	s->length = s->left = load_be32(s->header + 1) - 4;
	s->keep = keep_of(c, from, s->header[0]);
	if (s->keep > s->length)
		s->keep = s->length;
	if (s->length == 0)
		end_message(c, from, now);
	return want;
}

static size_t
take_body(struct wire_conn *c, enum wire_leg from, const uint8_t *p, size_t n, uint64_t now)
{
	struct pg_stream *s = &c->stream[from];
	struct span piece = span_of(p, n < s->left ? n : s->left);
	uint32_t seen = s->length - s->left;

	if (seen < s->keep && !strbuf_add(&s->kept, span_first(piece, s->keep - seen))) {
		pg_opaque(c, WIRE_OPAQUE_MEMORY, "message in pieces");
		return piece.n;
	}
	if (from == WIRE_SERVER && s->header[0] == 'D')
		lend_piece(c, s, piece);
	s->left -= (uint32_t)piece.n;
	if (s->left == 0)
		end_message(c, from, now);
	return piece.n;
}

/* The run of whole messages of one type at p: its end, and how many there are. */
static const uint8_t *
run_of(uint8_t type, const uint8_t *p, const uint8_t *end, uint32_t *count)
{
	uint32_t length;

	while (end - p >= 5 && *p == type) {
		length = load_be32(p + 1);
		if (length < 4 || length > LARGE || length > (size_t)(end - p) - 1)
			break;
		p += 1 + length;
		(*count)++;
	}
	return p;
}

/* Rows nobody wants to see are counted without a call each. */
static const uint8_t *
skip_rows(struct wire_conn *c, const uint8_t *p, const uint8_t *end, uint64_t now)
{
	struct pg_exec *x = pg_server_receiving(c);
	const uint8_t *start = p;
	uint32_t count = 0;

	if (!x || x->state != PG_TOLD || !x->answered || !x->fetch || !x->shaped || c->held)
		return p;		/* the first of them begins something */
	if (pg_result_wants_row(c, x) || pg_result_wants_data(c, x))
		return p;
	p = run_of('D', p, end, &count);
	if (!count)
		return p;
	x->rows += count;
	x->pub.bytes += (uint64_t)(p - start);
	x->pub.end = now;
	return p;
}

/* A message that lies whole at p: its end. NULL when it does not. */
static const uint8_t *
take_whole(struct wire_conn *c, enum wire_leg from, const uint8_t *p, const uint8_t *end, uint64_t now)
{
	uint32_t length, keep;
	struct pg_msg m;

	if (end - p < 5)
		return NULL;
	length = load_be32(p + 1);
	if (!admit(c, from, p[0], length))
		return end;
	if (length > (size_t)(end - p) - 1)
		return NULL;
	keep = keep_of(c, from, p[0]);
	m = (struct pg_msg){ .type = p[0], .body = span_of(p + 5, length - 4), .size = length + 1, .began = now, .now = now };
	if (from == WIRE_CLIENT || p[0] != 'D') {
		m.cut = m.body.n > keep;
		m.body = span_first(m.body, keep);
	}
	deliver(c, from, &m);
	return p + 1 + length;
}

void
pg_feed(struct wire_conn *c, enum wire_leg from, struct span bytes, uint64_t now)
{
	struct pg_stream *s = &c->stream[from];
	const uint8_t *p = bytes.p, *end, *next;

	if (bytes.n == 0)
		return;
	end = p + bytes.n;
	while (p < end && c->why == WIRE_CLEAR) {
		if (s->have == sizeof s->header) {
			p += take_body(c, from, p, (size_t)(end - p), now);
			continue;
		}
		if (s->have == 0 && *p == 'D' && from == WIRE_SERVER)
			p = skip_rows(c, p, end, now);
		next = s->have == 0 && p < end ? take_whole(c, from, p, end, now) : NULL;
		if (next)
			p = next;
		else if (p < end)
			p += take_header(c, from, p, (size_t)(end - p), now);
	}
	pg_exec_own_binds(c);
	pg_settle(c, now);
}

/* ---- the engine ---- */

static struct wire_conn *
pg_open(const struct wire_setup *setup, const struct wire_ops *ops, void *ctx)
{
	struct wire_conn *c = mem_zero(sizeof *c);

	if (!c)
		return NULL;
	c->setup = setup;
	c->ops = ops;
	c->ctx = ctx;
	c->group = 1;
	pg_names_init(&c->statements, (uint64_t)(uintptr_t)c);
	pg_names_init(&c->portals, (uint64_t)(uintptr_t)c + 1);
	strbuf_init(&c->stream[WIRE_CLIENT].kept, LIMIT_WIRE_CAPTURE);
	strbuf_init(&c->stream[WIRE_SERVER].kept, LIMIT_WIRE_CAPTURE);
	if (!pg_handshake_open(c)) {
		mem_free(c);
		return NULL;
	}
	return c;
}

static void
pg_free(struct wire_conn *c, uint64_t now)
{
	pg_queue_lose(c, now);
	pg_handshake_free(c);
	strbuf_clear(&c->stream[WIRE_CLIENT].kept);
	strbuf_clear(&c->stream[WIRE_SERVER].kept);
	mem_free(c);
}

/* A client may say goodbye and still wait for answers; a server that says it has nothing left to answer. */
static void
pg_eof(struct wire_conn *c, enum wire_leg from, uint64_t now)
{
	if (from == WIRE_SERVER && c->why == WIRE_CLEAR)
		pg_queue_lose(c, now);
}

static enum wire_opaque
pg_opaque_reason(const struct wire_conn *c)
{
	return (enum wire_opaque)c->why;
}

static bool
pg_idle(const struct wire_conn *c)
{
	return c->why == WIRE_CLEAR && c->queue.n == 0 && c->tx == WIRE_TX_IDLE && c->stream[WIRE_CLIENT].have == 0;
}

static struct wire_prepared *
pg_find(struct wire_conn *c, struct span name)
{
	struct pg_stmt *s = (struct pg_stmt *)pg_names_find(&c->statements, name);

	return s ? &s->pub : NULL;
}

static struct wire_prepared *
pg_remember(struct wire_conn *c, struct span name, void *user)
{
	struct pg_stmt *s = c->why == WIRE_CLEAR && name.n ? pg_stmt_remember(c, name, user) : NULL;

	return s ? &s->pub : NULL;
}

static void
pg_forget(struct wire_conn *c, struct span name)
{
	struct pg_version *v;

	if (name.n == 0) {
		pg_stmt_forget_all(c);
		return;
	}
	v = pg_names_find(&c->statements, name);
	if (v && v->standing == PG_LIVE)
		pg_stmt_gone(c, (struct pg_stmt *)v);
}

const struct wire_engine pg_engine = {
	.name = "postgresql",
	.port = 5432,
	.open = pg_open,
	.free = pg_free,
	.handshake = pg_handshake,
	.dialed = pg_dialed,
	.tls_up = pg_tls_up,
	.needs_client = pg_needs_client,
	.feed = pg_feed,
	.eof = pg_eof,
	.refuse = pg_refuse,
	.cancel_target = pg_cancel_target,
	.opaque = pg_opaque_reason,
	.idle = pg_idle,
	.find = pg_find,
	.remember = pg_remember,
	.forget = pg_forget,
	.value_text = pg_value_text,
};
