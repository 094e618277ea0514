/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit of the PostgreSQL parser at the limit and one past it; memory that runs out at each allocation; what a session keeps. */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "proxy/wire/pg_conn.h"
#include "tests/wire/transcript.h"
#include "tests/wire/watcher.h"

struct session {
	struct wire_setup setup;
	struct watcher watch;
	struct wire_conn *conn;
	struct strbuf out;
};

static void
feed(struct session *s, enum wire_leg leg, struct span bytes)
{
	pg_engine.feed(s->conn, leg, bytes, 1000000);
}

/* One message, by its line in a transcript. */
static void
say(struct session *s, const char *line)
{
	const char *why;

	strbuf_reset(&s->out);
	assert_true(pg_tongue.encode(line[0] == 'C', line + 2, &s->out, &why));
	feed(s, line[0] == 'C' ? WIRE_CLIENT : WIRE_SERVER, strbuf_span(&s->out));
}

/* One message with a body too long for a line; in two pieces when split is not 0. */
static void
say_body(struct session *s, enum wire_leg leg, char type, struct span body, size_t split)
{
	uint32_t n = (uint32_t)body.n + 4;
	uint8_t header[5] = { (uint8_t)type, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };
	struct span all;

	strbuf_reset(&s->out);
	strbuf_add(&s->out, span_of(header, 5));
	strbuf_add(&s->out, body);
	all = strbuf_span(&s->out);
	if (split)
		feed(s, leg, span_first(all, split));
	feed(s, leg, span_from(all, split));
}

static void
start(struct session *s)
{
	static const char startup[] = "\0\0\0\x10\0\3\0\0user\0u\0", ok[] = "R\0\0\0\x08\0\0\0\0Z\0\0\0\5I";
	struct strbuf to_client, to_server;
	size_t used;

	*s = (struct session){ 0 };
	watcher_init(&s->watch);
	s->watch.engine = &pg_engine;
	strbuf_init(&s->out, 64 << 20);
	strbuf_init(&to_client, 1000);
	strbuf_init(&to_server, 1000);
	s->conn = pg_engine.open(&s->setup, &watcher_ops, &s->watch);
	assert_int_equal(pg_engine.handshake(s->conn, WIRE_CLIENT, span_of(startup, 16), &used, &to_client, &to_server, 0), WIRE_DIAL);
	pg_engine.dialed(s->conn);
	assert_int_equal(pg_engine.handshake(s->conn, WIRE_CLIENT, span_of(startup, 0), &used, &to_client, &to_server, 0), WIRE_PIPE);
	feed(s, WIRE_SERVER, span_of(ok, 15));
	strbuf_clear(&to_server);
	strbuf_reset(&s->watch.log);
}

static void
stop(struct session *s)
{
	pg_engine.free(s->conn, 2000000);
	assert_int_equal(s->watch.live_execs, 0);
	assert_int_equal(s->watch.live_prepared, 0);
	watcher_clear(&s->watch);
	strbuf_clear(&s->out);
}

static bool
logged(struct session *s, const char *what)
{
	watcher_flush(&s->watch);
	return strstr(strbuf_cstr(&s->watch.log), what) != NULL;
}

/* ---- texts and values ---- */

static void
query_of(size_t n, size_t split, bool cut)
{
	struct session s;
	char *text = malloc(n + 1);
	char want[64];

	memset(text, 'x', n);
	text[n] = '\0';
	start(&s);
	say_body(&s, WIRE_CLIENT, 'Q', span_of(text, n + 1), split);
	snprintf(want, sizeof want, "+%d%s sent", LIMIT_WIRE_TEXT - 120, cut ? " cut" : "");
	assert_true(logged(&s, want));
	strbuf_reset(&s.watch.log);
	say_body(&s, WIRE_CLIENT, 'Q', span_of("select 2", 9), 0);
	assert_true(logged(&s, "query x2 \"select 2\" sent"));
	stop(&s);
	free(text);
}

static void
a_text_is_cut_at_its_limit(void **state)
{
	static const size_t splits[] = { 0, 3, 5, 6, 1000, LIMIT_WIRE_TEXT + 4, LIMIT_WIRE_TEXT + 5, LIMIT_WIRE_TEXT + 6 };

	(void)state;
	for (size_t i = 0; i < sizeof splits / sizeof *splits; i++) {
		query_of(LIMIT_WIRE_TEXT, splits[i], false);
		query_of(LIMIT_WIRE_TEXT + 1, splits[i], true);
		query_of(LIMIT_WIRE_TEXT + 100000, splits[i], true);
	}
}

static void
a_cut_parse_has_its_beginning(void **state)
{
	struct session s;
	size_t n = LIMIT_WIRE_TEXT + 1000;
	char *body = malloc(n);

	(void)state;
	memset(body, 'x', n);
	memcpy(body, "s", 2);
	memcpy(body + n - 3, "\0\0", 3);
	start(&s);
	say_body(&s, WIRE_CLIENT, 'P', span_of(body, n), 0);
	assert_true(logged(&s, "prepare p1 \"s\" \"xxxx"));
	assert_true(logged(&s, " cut nparams=0"));
	stop(&s);
	free(body);
}

/* Three parameters; the second runs over the capture limit. */
static void
a_cut_bind_has_the_values_before_the_cut(void **state)
{
	struct session s;
	uint32_t big = LIMIT_WIRE_CAPTURE;
	uint8_t lengths[] = { 0, 0, 0, 1, 'a', (uint8_t)(big >> 24), (uint8_t)(big >> 16), (uint8_t)(big >> 8), (uint8_t)big };
	struct strbuf body;

	(void)state;
	for (size_t split = 0; split < 20; split += 4) {
		start(&s);
		strbuf_init(&body, 4 << 20);
		strbuf_add(&body, span_of("\0\0\0\0\0\3", 6));
		strbuf_add(&body, span_of(lengths, sizeof lengths));
		memset(strbuf_room(&body, big), 'b', big);
		body.n += big;
		strbuf_add(&body, span_of("\0\0\0\1c\0\0", 7));
		say_body(&s, WIRE_CLIENT, 'B', strbuf_span(&body), split);
		say(&s, "C Execute \"\" 4:0");
		assert_true(logged(&s, "execute x1 p0 'a' ? ? cut"));
		stop(&s);
		strbuf_clear(&body);
	}
}

/* A row of one value of n bytes and a second of one byte. */
static void
row_of(uint32_t n, const char *want, size_t split)
{
	struct session s;
	uint8_t head[] = { 0, 2, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };
	struct strbuf body;

	start(&s);
	strbuf_init(&body, 4 << 20);
	strbuf_add(&body, span_of(head, sizeof head));
	for (uint32_t i = 0; i < n; i++)
		strbuf_char(&body, 'x');
	strbuf_add(&body, span_of("\0\0\0\1y", 5));
	say(&s, "C Query \"select\"");
	say(&s, "S RowDescription 2:2 col:\"a\":25 col:\"b\":25");
	say_body(&s, WIRE_SERVER, 'D', strbuf_span(&body), split);
	assert_true(logged(&s, want));
	assert_int_equal(pg_engine.opaque(s.conn), WIRE_CLEAR);
	stop(&s);
	strbuf_clear(&body);
}

static void
values_beyond_the_row_limit_are_not_available(void **state)
{
	(void)state;
	for (size_t split = 0; split < 12; split++) {
		row_of(LIMIT_WIRE_ROW - 11, "+3965:25 'y':25\n", split);
		row_of(LIMIT_WIRE_ROW - 10, "+3966:25 ?:25\n", split);
		row_of(LIMIT_WIRE_ROW - 6, "+3970:25 ?:25\n", split);
		row_of(LIMIT_WIRE_ROW - 5, "row x1 ?:25 ?:25\n", split);
		row_of(100000, "row x1 ?:25 ?:25\n", split);
	}
}

static void
columns_beyond_the_limit_are_not_described(void **state)
{
	struct session s;
	const struct strbuf *log = &s.watch.log;
	size_t columns = 0;
	struct strbuf line;

	(void)state;
	start(&s);
	strbuf_init(&line, 1 << 20);
	strbuf_printf(&line, "S RowDescription 2:%d", LIMIT_WIRE_COLUMNS + 1);
	for (int i = 0; i < LIMIT_WIRE_COLUMNS + 1; i++)
		strbuf_str(&line, " col:\"c\":23");
	say(&s, "C Query \"select\"");
	say(&s, strbuf_cstr(&line));
	for (size_t i = 0; i + 1 < log->n; i++)
		columns += log->p[i] == '"' && log->p[i + 1] == ':';
	assert_int_equal(columns, LIMIT_WIRE_COLUMNS);
	assert_int_equal(pg_engine.opaque(s.conn), WIRE_CLEAR);
	stop(&s);
	strbuf_clear(&line);
}

/* ---- how many ---- */

static void
more_questions_than_the_limit_make_it_opaque(void **state)
{
	struct session s;

	(void)state;
	start(&s);
	for (int i = 0; i < LIMIT_WIRE_QUEUE; i++)
		say(&s, "C Sync");
	assert_int_equal(pg_engine.opaque(s.conn), WIRE_CLEAR);
	say(&s, "C Sync");
	assert_int_equal(pg_engine.opaque(s.conn), WIRE_OPAQUE_LIMIT);
	assert_true(logged(&s, "opaque limit"));
	stop(&s);
}

static void
as_many_questions_as_the_limit_are_answered(void **state)
{
	struct session s;

	(void)state;
	start(&s);
	for (int i = 0; i < LIMIT_WIRE_QUEUE; i++)
		say(&s, "C Query \"\"");
	assert_false(pg_engine.idle(s.conn));
	for (int i = 0; i < LIMIT_WIRE_QUEUE; i++) {
		say(&s, "S EmptyQuery");
		say(&s, "S Ready 'I'");
	}
	assert_true(pg_engine.idle(s.conn));
	assert_null(s.conn->queue.q);	/* an idle session keeps no long queue */
	stop(&s);
}

static void
prepare_named(struct session *s, int i)
{
	char line[64];

	snprintf(line, sizeof line, "C Parse \"s%d\" \"select\" 2:0", i);
	say(s, line);
	say(s, "S ParseComplete");
}

static bool
knows(struct session *s, int i)
{
	char name[16];

	snprintf(name, sizeof name, "s%d", i);
	return pg_engine.find(s->conn, span_str(name)) != NULL;
}

static void
the_least_used_statement_makes_room(void **state)
{
	struct session s;

	(void)state;
	start(&s);
	for (int i = 0; i < LIMIT_WIRE_PREPARED; i++)
		prepare_named(&s, i);
	assert_true(knows(&s, 0) && knows(&s, LIMIT_WIRE_PREPARED - 1));
	say(&s, "C Bind \"\" \"s0\" 2:0 2:0 2:0");	/* now s1 is the least used */
	say(&s, "S BindComplete");
	prepare_named(&s, LIMIT_WIRE_PREPARED);
	assert_int_equal(s.watch.live_prepared, LIMIT_WIRE_PREPARED);
	assert_true(knows(&s, 0) && !knows(&s, 1) && knows(&s, 2) && knows(&s, LIMIT_WIRE_PREPARED));
	pg_engine.forget(s.conn, span_str("s2"));
	assert_false(knows(&s, 2));
	pg_engine.forget(s.conn, span_of("", 0));
	assert_int_equal(s.watch.live_prepared, 1);	/* s0 is still bound */
	stop(&s);
}

static void
portals_beyond_the_limit_are_not_remembered(void **state)
{
	struct session s;
	char line[64];

	(void)state;
	start(&s);
	prepare_named(&s, 0);
	for (int i = 0; i <= LIMIT_WIRE_PORTALS; i++) {
		snprintf(line, sizeof line, "C Bind \"p%d\" \"s0\" 2:0 2:0 2:0", i);
		say(&s, line);
	}
	snprintf(line, sizeof line, "C Execute \"p%d\" 4:0", LIMIT_WIRE_PORTALS - 1);
	say(&s, line);
	snprintf(line, sizeof line, "C Execute \"p%d\" 4:0", LIMIT_WIRE_PORTALS);
	say(&s, line);
	assert_true(logged(&s, "execute x1 p1"));
	assert_true(logged(&s, "execute x2 p0"));
	stop(&s);
}

/* Binds nobody executes may not fill the memory; the Executes behind them lose their parameters, not their statement. */
static void
kept_binds_are_bounded(void **state)
{
	struct session s;
	size_t each = 1 << 19;
	struct strbuf body;
	char name;

	(void)state;
	start(&s);
	prepare_named(&s, 0);
	for (name = 'a'; name <= 'z'; name++) {
		strbuf_init(&body, 4 << 20);
		strbuf_char(&body, name);
		strbuf_add(&body, span_of("\0s0\0\0\0\0\1\0\x08\0\0", 12));
		memset(strbuf_room(&body, each), 'b', each);
		body.n += each;
		strbuf_add(&body, span_of("\0\0", 2));
		say_body(&s, WIRE_CLIENT, 'B', strbuf_span(&body), 0);
		strbuf_clear(&body);
		assert_true(s.conn->kept <= LIMIT_PG_KEPT);
	}
	say(&s, "C Execute \"a\" 4:0");
	say(&s, "C Execute \"z\" 4:0");
	assert_true(logged(&s, "execute x1 p1 'bbbb"));
	assert_true(logged(&s, "execute x2 p1 sent"));
	stop(&s);
}

static void
long_names_are_bounded(void **state)
{
	struct session s;
	struct strbuf body;

	(void)state;
	start(&s);
	for (int i = 0; i < 20; i++) {
		strbuf_init(&body, 4 << 20);
		memset(strbuf_room(&body, 1000000), 'a' + i, 1000000);
		body.n += 1000000;
		strbuf_add(&body, span_of("\0select\0\0\0", 10));
		say_body(&s, WIRE_CLIENT, 'P', strbuf_span(&body), 0);
		strbuf_clear(&body);
		assert_true(s.conn->statements.bytes <= LIMIT_PG_KEPT);
	}
	assert_int_equal(pg_engine.opaque(s.conn), WIRE_CLEAR);
	stop(&s);
}

/* ---- what a session keeps ---- */

static void
an_idle_session_owns_no_buffer(void **state)
{
	struct session s;

	(void)state;
	start(&s);
	say_body(&s, WIRE_CLIENT, 'Q', span_of("select 1", 9), 7);
	say_body(&s, WIRE_SERVER, 'C', span_of("SELECT 1", 9), 7);
	say(&s, "S Ready 'I'");
	assert_true(pg_engine.idle(s.conn));
	assert_null(s.conn->stream[WIRE_CLIENT].kept.p);
	assert_null(s.conn->stream[WIRE_SERVER].kept.p);
	assert_int_equal(s.conn->kept, 0);
	stop(&s);
}

/* Mixed result formats on both sides of the 64th column. */
static void
formats_of_many_columns(void **state)
{
	struct session s;
	struct strbuf line;

	(void)state;
	for (int pass = 0; pass < 2; pass++) {
		start(&s);
		strbuf_init(&line, 1 << 20);
		prepare_named(&s, 0);
		say(&s, "C Describe 'S' \"s0\"");
		say(&s, "S ParameterDescription 2:0");
		strbuf_str(&line, "S RowDescription 2:70");
		for (int i = 0; i < 70; i++)
			strbuf_str(&line, " col:\"c\":23");
		say(&s, strbuf_cstr(&line));
		strbuf_reset(&line);
		strbuf_str(&line, "C Bind \"\" \"s0\" 2:0 2:0 2:70");
		for (int i = 0; i < 70; i++)
			strbuf_printf(&line, " 2:%d", i == 1 || i == 63 || i == 64 || i == 69);
		say(&s, strbuf_cstr(&line));
		say(&s, "C Execute \"\" 4:0");
		strbuf_reset(&line);
		strbuf_str(&line, "S DataRow 2:70");
		for (int i = 0; i < 70; i++)
			strbuf_str(&line, i == 1 || i == 63 || i == 64 || i == 69 ? " v:'\\x00\\x00\\x00\\x2a'" : " v:'42'");
		say(&s, "S BindComplete");
		say(&s, strbuf_cstr(&line));
		assert_true(logged(&s, "row x1 '42':23 '42'b:23 '42':23"));
		assert_true(logged(&s, "'42':23 '42'b:23 '42'b:23 '42':23"));
		assert_true(logged(&s, "'42':23 '42'b:23\n"));
		stop(&s);
		strbuf_clear(&line);
	}
}

static void
statements_by_sql(void **state)
{
	struct session s;
	struct wire_prepared *p;

	(void)state;
	start(&s);
	assert_null(pg_engine.find(s.conn, span_str("a")));
	assert_null(pg_engine.remember(s.conn, span_str(""), NULL));
	s.watch.live_prepared = 2;
	p = pg_engine.remember(s.conn, span_str("a"), (void *)(uintptr_t)7);
	assert_ptr_equal(pg_engine.find(s.conn, span_str("a")), p);
	assert_ptr_equal(p->user, (void *)(uintptr_t)7);
	p = pg_engine.remember(s.conn, span_str("a"), (void *)(uintptr_t)8);	/* replaces, and releases the first */
	assert_true(logged(&s, "unprepare p7"));
	say(&s, "C Bind \"\" \"a\" 2:0 2:1 v:'x' 2:0");
	say(&s, "C Execute \"\" 4:0");
	assert_true(logged(&s, "execute x1 p8 'x'"));
	say(&s, "C Parse \"b\" \"select\" 2:0");
	assert_null(pg_engine.remember(s.conn, span_str("b"), NULL));	/* a Parse of it is under way */
	assert_non_null(pg_engine.find(s.conn, span_str("b")));
	stop(&s);
}

static void
refusals_in_the_clients_protocol(void **state)
{
	static const char startup[] = "\0\0\0\x10\0\3\0\0user\0u\0", cancel[] = "\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\1\0\0\0\2";
	struct wire_setup setup = { 0 };
	struct watcher watch;
	struct wire_conn *c;
	struct strbuf out, none;
	size_t used;

	(void)state;
	watcher_init(&watch);
	strbuf_init(&out, 1000);
	strbuf_init(&none, 1000);
	c = pg_engine.open(&setup, &watcher_ops, &watch);
	assert_false(pg_engine.refuse(c, "08006", "no", &out));		/* nobody has asked yet */
	pg_engine.handshake(c, WIRE_CLIENT, span_of(startup, 16), &used, &none, &none, 0);
	assert_true(pg_engine.refuse(c, "08006", "cannot reach the server", &out));
	assert_int_equal(out.n, 52);
	assert_memory_equal(out.p, "E\0\0\0\x33SFATAL\0VFATAL\0C08006\0Mcannot reach the server\0\0", 52);
	pg_engine.free(c, 0);
	c = pg_engine.open(&setup, &watcher_ops, &watch);
	pg_engine.handshake(c, WIRE_CLIENT, span_of(cancel, 16), &used, &none, &none, 0);
	assert_int_equal(pg_engine.cancel_target(c).n, 8);
	assert_false(pg_engine.refuse(c, "08006", "no", &out));		/* a canceller reads nothing */
	pg_engine.free(c, 0);
	strbuf_clear(&out);
	watcher_clear(&watch);
}

/* ---- memory ---- */

/* A watcher that allocates nothing and counts what must be given back. */
struct tally {
	int execs, prepared, lost;
	enum wire_opaque why;
};

static void
tally_query(void *ctx, struct wire_exec *x, struct span text, bool cut, const struct wire_params *attrs, bool function_call)
{
	(void)text, (void)cut, (void)attrs, (void)function_call;
	x->want_rows = x->want_bytes = 10;
	((struct tally *)ctx)->execs++;
}

static void
tally_execute(void *ctx, struct wire_exec *x, struct wire_prepared *p, const struct wire_params *params)
{
	(void)p, (void)params;
	x->want_rows = x->want_bytes = 10;
	((struct tally *)ctx)->execs++;
}

static void
tally_prepare(void *ctx, struct wire_prepared *p, struct span name, struct span text, bool cut)
{
	(void)p, (void)name, (void)text, (void)cut;
	((struct tally *)ctx)->prepared++;
}

static void
tally_unprepare(void *ctx, struct wire_prepared *p)
{
	(void)p;
	((struct tally *)ctx)->prepared--;
}

static void
tally_part(void *ctx, struct wire_exec *x, const struct wire_part *part)
{
	(void)x;
	((struct tally *)ctx)->lost += part->outcome == WIRE_LOST;
}

static void
tally_done(void *ctx, struct wire_exec *x)
{
	(void)x;
	((struct tally *)ctx)->execs--;
}

static void
tally_transaction(void *ctx, enum wire_tx tx, uint64_t now)
{
	(void)ctx, (void)tx, (void)now;
}

static void
tally_fact(void *ctx, enum wire_fact kind, struct span name, struct span value)
{
	(void)ctx, (void)kind, (void)name, (void)value;
}

static void
tally_notice(void *ctx, const char *code, uint64_t now)
{
	(void)ctx, (void)code, (void)now;
}

static void
tally_ready(void *ctx, uint64_t now)
{
	(void)ctx, (void)now;
}

static void
tally_opaque(void *ctx, enum wire_opaque why, const char *detail)
{
	(void)detail;
	((struct tally *)ctx)->why = why;
}

static const struct wire_ops tally_ops = {
	.query = tally_query, .execute = tally_execute, .prepare = tally_prepare, .unprepare = tally_unprepare, .part = tally_part,
	.done = tally_done, .transaction = tally_transaction, .fact = tally_fact, .notice = tally_notice, .ready = tally_ready,
	.opaque = tally_opaque,
};

/* Replays the messages with the n-th allocation failing; true when the session got to the end. */
static bool
replay_without_memory(const struct transcript *t, unsigned n, size_t piece)
{
	static const char startup[] = "\0\0\0\x10\0\3\0\0user\0u\0", ok[] = "R\0\0\0\x08\0\0\0\0Z\0\0\0\5I";
	struct wire_setup setup = { 0 };
	struct tally tally = { 0 };
	struct strbuf to_client, to_server;
	struct wire_conn *c;
	enum wire_act act;
	size_t used;

	strbuf_init(&to_client, 1000);
	strbuf_init(&to_server, 1000);
	mem_fail(n, 1);
	c = pg_engine.open(&setup, &tally_ops, &tally);
	if (!c)
		return false;
	act = pg_engine.handshake(c, WIRE_CLIENT, span_of(startup, 16), &used, &to_client, &to_server, 0);
	pg_engine.dialed(c);
	if (act == WIRE_DIAL)
		act = pg_engine.handshake(c, WIRE_CLIENT, span_of(startup, 0), &used, &to_client, &to_server, 0);
	if (act == WIRE_PIPE)
		pg_engine.feed(c, WIRE_SERVER, span_of(ok, 15), 0);
	for (uint32_t i = 0; i < t->n && act == WIRE_PIPE; i++)
		for (struct span s = strbuf_span(&t->steps[i].bytes); s.n; s = span_from(s, piece))
			pg_engine.feed(c, t->steps[i].leg, span_first(s, piece), i);
	pg_engine.free(c, 0);
	mem_fail(0, 0);
	strbuf_clear(&to_server);
	assert_int_equal(tally.execs, 0);
	assert_int_equal(tally.prepared, 0);
	assert_true(tally.why == WIRE_CLEAR || tally.why == WIRE_OPAQUE_MEMORY);
	return act == WIRE_PIPE && tally.why == WIRE_CLEAR;
}

/* The n-th allocation of a session fails: it is refused, or opaque for that reason, or something is not remembered; nothing leaks. */
static void
memory_runs_out_at_every_allocation(void **state)
{
	static const char *const paths[] = { "wire/pg/portals.txt", "wire/pg/names.txt", "wire/pg/copy.txt", "wire/pg/extended.txt" };
	struct transcript t;
	unsigned survived = 0, fell = 0;

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		assert_true(transcript_read(&t, paths[i], &pg_tongue));
		for (unsigned n = 0; n < 120; n++)
			for (size_t piece = 1; piece <= 100; piece += 33) {
				if (replay_without_memory(&t, n, piece))
					survived++;
				else
					fell++;
			}
		transcript_clear(&t);
	}
	assert_true(survived > 100 && fell > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_cut_at_its_limit),
		cmocka_unit_test(a_cut_parse_has_its_beginning),
		cmocka_unit_test(a_cut_bind_has_the_values_before_the_cut),
		cmocka_unit_test(values_beyond_the_row_limit_are_not_available),
		cmocka_unit_test(columns_beyond_the_limit_are_not_described),
		cmocka_unit_test(more_questions_than_the_limit_make_it_opaque),
		cmocka_unit_test(as_many_questions_as_the_limit_are_answered),
		cmocka_unit_test(the_least_used_statement_makes_room),
		cmocka_unit_test(portals_beyond_the_limit_are_not_remembered),
		cmocka_unit_test(kept_binds_are_bounded),
		cmocka_unit_test(long_names_are_bounded),
		cmocka_unit_test(an_idle_session_owns_no_buffer),
		cmocka_unit_test(formats_of_many_columns),
		cmocka_unit_test(statements_by_sql),
		cmocka_unit_test(refusals_in_the_clients_protocol),
		cmocka_unit_test(memory_runs_out_at_every_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
