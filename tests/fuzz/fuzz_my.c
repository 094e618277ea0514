/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_my: any bytes on either leg of a MySQL session: no crash, nothing left over, and the same events however the bytes are cut.
 * Input: a dialect byte, then records of a control byte, a little-endian 16-bit length and that many bytes. Control: bit 0 the leg
 * (1 = server), bit 1 raw bytes instead of a packet, bits 2-4 the packet's sequence id, bit 5 one millisecond later. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/wire/transcript.h"
#include "tests/wire/watcher.h"

enum { MOST = 64 << 10 };

/* What the session has negotiated, by the dialect byte; the last one starts at the greeting. */
static const struct {
	uint32_t caps, ext;
} dialects[] = {
	{ 0, 0 }, { 0, 0x1d }, { 0x01000000, 0 }, { 0x01800000, 0x1d }, { 0x0b980000, 0 }, { 0x0a800000, 0 }, { 0x00980000, 0x3d }, { 0, 0 },
};
enum { DIALECTS = sizeof dialects / sizeof *dialects };

struct session {
	struct watcher watch;
	struct wire_conn *conn;
	struct strbuf pending[2];
	uint64_t now;
	uint32_t cut;	/* 0 = as given; else a seed for cuts */
	bool piped, over;
	bool either;	/* both legs had unread bytes during the handshake: which comes first depends on the cuts */
};

static void
shake(struct session *s)
{
	bool moved = true;

	s->either = s->either || (s->pending[0].n && s->pending[1].n);
	for (int rounds = 0; moved && !s->piped && !s->over; rounds++) {
		moved = false;
		for (int leg = 0; leg < 2 && !s->piped && !s->over; leg++) {
			struct strbuf to_client, to_server;
			size_t used = 0;
			enum wire_act act;

			strbuf_init(&to_client, 1 << 20);
			strbuf_init(&to_server, 1 << 20);
			act = my_engine.handshake(s->conn, (enum wire_leg)leg, strbuf_span(&s->pending[leg]), &used, &to_client, &to_server, s->now);
			if (used > s->pending[leg].n)
				abort();
			strbuf_drop(&s->pending[leg], used);
			moved = moved || used || to_client.n || to_server.n || act != WIRE_MORE;
			strbuf_clear(&to_client);
			strbuf_clear(&to_server);
			if (act == WIRE_TLS_START_CLIENT || act == WIRE_TLS_START_SERVER)
				my_engine.tls_up(s->conn, act == WIRE_TLS_START_CLIENT ? WIRE_CLIENT : WIRE_SERVER);
			s->piped = act == WIRE_PIPE;
			s->over = act == WIRE_CLOSE || act == WIRE_BLIND;
		}
		if (rounds > 1000)
			abort();
	}
	for (int leg = 0; leg < 2 && s->piped; leg++) {
		my_engine.feed(s->conn, (enum wire_leg)leg, strbuf_span(&s->pending[leg]), s->now);
		strbuf_reset(&s->pending[leg]);
	}
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

		/* A copy of its own, so that a read past the end is seen. */
		struct span piece = span_first(bytes, n);
		uint8_t *copy = malloc(piece.n);

		memcpy(copy, piece.p, piece.n);
		if (s->piped)
			my_engine.feed(s->conn, leg, span_of(copy, piece.n), s->now);
		else {
			strbuf_add(&s->pending[leg], span_of(copy, piece.n));
			shake(s);
		}
		free(copy);
		bytes = span_from(bytes, piece.n);
	}
}

static void
begin(struct session *s, uint32_t caps, uint32_t ext)
{
	struct transcript t = { .caps = caps, .ext = ext };
	struct turn turns[TURNS];

	for (int i = 0; i < TURNS; i++)
		strbuf_init(&turns[i].bytes, 1 << 16);
	my_tongue.begin(&t, turns);
	for (int i = 0; i < TURNS; i++) {
		give(s, turns[i].leg, strbuf_span(&turns[i].bytes));
		strbuf_clear(&turns[i].bytes);
	}
	strbuf_reset(&s->watch.log);
}

static void
record(struct session *s, uint8_t control, struct span bytes)
{
	uint8_t header[4] = { (uint8_t)bytes.n, (uint8_t)(bytes.n >> 8), 0, control >> 2 & 7 };
	enum wire_leg leg = control & 1 ? WIRE_SERVER : WIRE_CLIENT;
	struct strbuf packet;

	if (control & 0x20)
		s->now += 1000000;
	strbuf_init(&packet, MOST + 4);
	if (!(control & 2))
		strbuf_add(&packet, span_of(header, sizeof header));
	strbuf_add(&packet, bytes);
	give(s, leg, strbuf_span(&packet));
	strbuf_clear(&packet);
}

/* One session over the input; its events are in s->watch.log. */
static void
run(struct session *s, struct span in, uint32_t cut)
{
	static const enum wire_tls client[] = { WIRE_TLS_DISABLE, WIRE_TLS_ALLOW, WIRE_TLS_REQUIRE, WIRE_TLS_PASSTHROUGH };
	static const enum wire_tls server[] = { WIRE_TLS_DISABLE, WIRE_TLS_PREFER, WIRE_TLS_REQUIRE, WIRE_TLS_MIRROR };
	uint8_t kind = in.p[0];
	struct wire_setup setup = { .client_tls = client[kind >> 3 & 3], .server_tls = server[kind >> 5 & 3], .compression = kind >> 7 };

	*s = (struct session){ .now = 1000000 };
	watcher_init(&s->watch);
	s->watch.engine = &my_engine;
	s->watch.want_rows = 3;
	s->watch.want_bytes = 100;
	strbuf_init(&s->pending[0], 1 << 20);
	strbuf_init(&s->pending[1], 1 << 20);
	if (kind % DIALECTS != DIALECTS - 1)
		setup = (struct wire_setup){ 0 };
	s->conn = my_engine.open(&setup, &watcher_ops, &s->watch);
	shake(s);
	if (kind % DIALECTS != DIALECTS - 1)
		begin(s, dialects[kind % DIALECTS].caps, dialects[kind % DIALECTS].ext);
	s->cut = cut;
	for (in = span_from(in, 1); in.n >= 3;) {
		uint8_t control = in.p[0];
		struct span body = span_first(span_from(in, 3), (size_t)(in.p[1] | in.p[2] << 8));

		record(s, control, body);
		in = span_from(in, 3 + body.n);
	}
	my_engine.eof(s->conn, WIRE_CLIENT, s->now);
	my_engine.eof(s->conn, WIRE_SERVER, s->now);
	my_engine.free(s->conn, s->now);
	watcher_flush(&s->watch);
	if (s->watch.live_execs || s->watch.live_prepared)
		abort();
	strbuf_clear(&s->pending[0]);
	strbuf_clear(&s->pending[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct session whole, cut;

	if (size < 1 || size > MOST)
		return 0;
	run(&whole, span_of(data, size), 0);
	run(&cut, span_of(data, size), (uint32_t)size * 2654435761u | 1);
	if (!whole.either && !cut.either && !span_eq(strbuf_span(&whole.watch.log), strbuf_span(&cut.watch.log))) {
		fprintf(stderr, "whole:\n%s\ncut:\n%s\n", strbuf_cstr(&whole.watch.log), strbuf_cstr(&cut.watch.log));
		abort();
	}
	watcher_clear(&whole.watch);
	watcher_clear(&cut.watch);
	return 0;
}
