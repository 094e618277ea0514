/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_pg: any bytes on either leg of a PostgreSQL session: no crash, nothing left over, and the same events however the bytes are cut.
 * Input: a setup byte, then records of a control byte, a little-endian 16-bit length and that many bytes. Setup: bit 0 the session starts
 * ready, bits 1-2 client_tls, bits 3-5 server_tls, bit 6 the same certificate, bit 7 a Unix socket. Control: bit 0 the leg (1 = server),
 * bit 1 raw bytes instead of a message whose length is put right, bits 2-3 (3 = the watcher remembers, 2 = forgets a statement of that
 * name instead), bit 4 the leg ends, bit 5 one millisecond later. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/wire/transcript.h"
#include "tests/wire/watcher.h"

enum { MOST = 64 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct session {
	struct watcher watch;
	struct wire_conn *conn;
	struct strbuf pending[2];
	uint64_t now;
	uint32_t cut;	/* 0 = as given; else a seed for cuts */
	bool piped, over;
};

/* What a session does between a parser's act and its next call. */
static void
obey(struct session *s, enum wire_act act)
{
	if (act == WIRE_DIAL || act == WIRE_DIAL_CANCEL)
		pg_engine.dialed(s->conn);
	if (act == WIRE_DIAL_CANCEL && pg_engine.cancel_target(s->conn).n < 8)
		abort();
	if (act == WIRE_TLS_START_CLIENT || act == WIRE_TLS_START_SERVER)
		pg_engine.tls_up(s->conn, act == WIRE_TLS_START_CLIENT ? WIRE_CLIENT : WIRE_SERVER);
	s->piped = act == WIRE_PIPE;
	s->over = act == WIRE_CLOSE || act == WIRE_BLIND;
}

static bool
shake_leg(struct session *s, enum wire_leg leg)
{
	struct strbuf to_client, to_server, *in = &s->pending[leg];
	size_t used = 0;
	enum wire_act act;
	bool moved;

	strbuf_init(&to_client, 1 << 20);
	strbuf_init(&to_server, 1 << 20);
	act = pg_engine.handshake(s->conn, leg, strbuf_span(in), &used, &to_client, &to_server, s->now);
	if (used > in->n)
		abort();
	strbuf_drop(in, used);
	moved = used || to_client.n || to_server.n || act != WIRE_MORE;
	if (act == WIRE_MORE)
		pg_engine.refuse(s->conn, "08006", "refused", &to_client);
	strbuf_clear(&to_client);
	strbuf_clear(&to_server);
	obey(s, act);
	return moved;
}

static void
shake(struct session *s)
{
	bool moved = true;

	for (int rounds = 0; moved && !s->piped && !s->over; rounds++) {
		moved = shake_leg(s, WIRE_CLIENT);
		if (!s->piped && !s->over)
			moved = shake_leg(s, WIRE_SERVER) || moved;
		if (rounds > 1000)
			abort();
	}
	for (int leg = 0; leg < 2 && s->piped; leg++) {
		pg_engine.feed(s->conn, (enum wire_leg)leg, strbuf_span(&s->pending[leg]), s->now);
		strbuf_reset(&s->pending[leg]);
	}
}

/* A copy of its own, so that a read past the end, or after the call, is seen. */
static void
give_piece(struct session *s, enum wire_leg leg, struct span piece)
{
	uint8_t *copy = malloc(piece.n);

	memcpy(copy, piece.p, piece.n);
	if (s->piped)
		pg_engine.feed(s->conn, leg, span_of(copy, piece.n), s->now);
	else {
		strbuf_add(&s->pending[leg], span_of(copy, piece.n));
		shake(s);
	}
	free(copy);
}

static void
give(struct session *s, enum wire_leg leg, struct span bytes)
{
	while (bytes.n && !s->over) {
		size_t n = bytes.n;

		if (s->cut) {
			s->cut = s->cut * 1664525 + 1013904223;
			n = 1 + (s->cut >> 8) % (s->cut & 0x80 ? 3 : 60);
		}
		give_piece(s, leg, span_first(bytes, n));
		bytes = span_from(bytes, n);
	}
}

static void
begin(struct session *s)
{
	struct turn turns[TURNS];

	for (int i = 0; i < TURNS; i++)
		strbuf_init(&turns[i].bytes, 1 << 16);
	pg_tongue.begin(NULL, turns);
	for (int i = 0; i < TURNS; i++) {
		give(s, turns[i].leg, strbuf_span(&turns[i].bytes));
		strbuf_clear(&turns[i].bytes);
	}
	strbuf_reset(&s->watch.log);
}

/* PREPARE and DEALLOCATE, as a watcher that reads SQL would report them. */
static void
sql_names(struct session *s, bool remember, struct span name)
{
	struct wire_prepared *p;

	if (!s->piped)
		return;
	if (!remember) {
		pg_engine.forget(s->conn, name);
		return;
	}
	p = pg_engine.remember(s->conn, name, (void *)(uintptr_t)++s->watch.prepared);
	s->watch.live_prepared += p != NULL;
	if (p && pg_engine.find(s->conn, name) != p)
		abort();
}

static void
record(struct session *s, uint8_t control, struct span bytes)
{
	enum wire_leg leg = control & 1 ? WIRE_SERVER : WIRE_CLIENT;
	uint8_t header[4] = { 0, 0, (uint8_t)((bytes.n + 3) >> 8), (uint8_t)(bytes.n + 3) };
	struct strbuf message;

	if (control & 0x20)
		s->now += 1000000;
	if ((control & 0xc) >= 0x8) {
		sql_names(s, control & 0x4, bytes);
		return;
	}
	strbuf_init(&message, MOST + 4);
	strbuf_add(&message, span_first(bytes, 1));
	if (!(control & 2) && bytes.n)
		strbuf_add(&message, span_of(header, sizeof header));
	strbuf_add(&message, span_from(bytes, 1));
	give(s, leg, strbuf_span(&message));
	strbuf_clear(&message);
	if (control & 0x10 && s->piped)
		pg_engine.eof(s->conn, leg, s->now);
}

static void
run(const uint8_t *data, size_t size, uint32_t cut, struct strbuf *log)
{
	static const enum wire_tls client_tls[] = { WIRE_TLS_DISABLE, WIRE_TLS_ALLOW, WIRE_TLS_REQUIRE, WIRE_TLS_PASSTHROUGH };
	struct wire_setup setup = { .client_tls = client_tls[data[0] >> 1 & 3], .server_tls = (enum wire_tls)((data[0] >> 3 & 7) % 6),
		.same_certificate = data[0] & 0x40, .server_is_unix = data[0] & 0x80 };
	struct session s = { .cut = cut };
	size_t n;

	if (data[0] & 1)
		setup = (struct wire_setup){ 0 };
	watcher_init(&s.watch);
	s.watch.engine = &pg_engine;
	s.watch.want_bytes = 100;
	strbuf_init(&s.pending[0], 1 << 20);
	strbuf_init(&s.pending[1], 1 << 20);
	s.conn = pg_engine.open(&setup, &watcher_ops, &s.watch);
	if (data[0] & 1)
		begin(&s);
	for (size_t i = 1; i + 3 <= size; i += 3 + n) {
		n = data[i + 1] | (size_t)data[i + 2] << 8;
		if (n > size - i - 3)
			n = size - i - 3;
		record(&s, data[i], span_of(data + i + 3, n));
	}
	pg_engine.idle(s.conn);
	pg_engine.free(s.conn, s.now);
	watcher_flush(&s.watch);
	if (s.watch.live_execs || s.watch.live_prepared)
		abort();
	strbuf_add(log, strbuf_span(&s.watch.log));
	watcher_clear(&s.watch);
	strbuf_clear(&s.pending[0]);
	strbuf_clear(&s.pending[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf whole, cut;

	if (size == 0 || size > MOST)
		return 0;
	strbuf_init(&whole, 64 << 20);
	strbuf_init(&cut, 64 << 20);
	run(data, size, 0, &whole);
	run(data, size, (uint32_t)size | 1, &cut);
	/* In a handshake it matters what came in one piece with a TLS request. */
	if (data[0] & 1 && !span_eq(strbuf_span(&whole), strbuf_span(&cut))) {
		fprintf(stderr, "whole:\n%s\ncut:\n%s\n", strbuf_cstr(&whole), strbuf_cstr(&cut));
		abort();
	}
	strbuf_clear(&whole);
	strbuf_clear(&cut);
	return 0;
}
