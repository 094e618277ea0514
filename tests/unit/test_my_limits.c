/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit of the MySQL parser, at it and one past it, and memory that runs out at any allocation. */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "tests/wire/transcript.h"

/* A ready session and what its watcher saw last. */
struct session {
	struct wire_setup setup;
	struct wire_conn *conn;
	struct strbuf packet;
	uint64_t now;
	uint32_t queries, executes, unprepared, live, columns, params, row_values;
	int32_t first_value, last_value;
	bool known, decoded, text_cut, params_cut;
	size_t text;
	struct span last_fact;
	char fact[2 * LIMIT_NAME];
	enum wire_opaque why;
};

static void
on_query(void *ctx, struct wire_exec *x, struct span text, bool cut, const struct wire_params *attrs, bool function_call)
{
	struct session *s = ctx;

	(void)function_call;
	x->want_rows = 10;
	s->queries++;
	s->live++;
	s->text = text.n;
	s->text_cut = cut;
	s->params = attrs ? attrs->n : 0;
	s->params_cut = attrs && attrs->cut;
}

static void
on_prepare(void *ctx, struct wire_prepared *p, struct span name, struct span text, bool cut)
{
	(void)p;
	(void)name;
	((struct session *)ctx)->text = text.n;
	((struct session *)ctx)->text_cut = cut;
}

static void
on_unprepare(void *ctx, struct wire_prepared *p)
{
	(void)p;
	((struct session *)ctx)->unprepared++;
}

static void
on_execute(void *ctx, struct wire_exec *x, struct wire_prepared *p, const struct wire_params *params)
{
	struct session *s = ctx;

	(void)x;
	s->executes++;
	s->live++;
	s->known = p != NULL;
	s->decoded = params != NULL;
	s->params = params ? params->n : 0;
	s->first_value = params ? params->values[0].n : -9;
}

static void
on_columns(void *ctx, struct wire_exec *x, const struct wire_column *cols, uint32_t n)
{
	(void)x;
	(void)cols;
	((struct session *)ctx)->columns = n;
}

static void
on_row(void *ctx, struct wire_exec *x, const struct wire_value *values, uint32_t n)
{
	struct session *s = ctx;

	(void)x;
	s->row_values = n;
	s->first_value = values[0].n;
	s->last_value = values[n - 1].n;
}

static void
on_part(void *ctx, struct wire_exec *x, const struct wire_part *r)
{
	(void)ctx;
	(void)x;
	(void)r;
}

static void
on_done(void *ctx, struct wire_exec *x)
{
	(void)x;
	((struct session *)ctx)->live--;
}

static void
on_transaction(void *ctx, enum wire_tx tx, uint64_t now)
{
	(void)ctx;
	(void)tx;
	(void)now;
}

static void
on_fact(void *ctx, enum wire_fact kind, struct span name, struct span value)
{
	struct session *s = ctx;

	(void)kind;
	(void)name;
	if (value.n)
		memcpy(s->fact, value.p, value.n < sizeof s->fact ? value.n : sizeof s->fact);
	s->last_fact = span_of(s->fact, value.n);
}

static void
on_time(void *ctx, uint64_t now)
{
	(void)ctx;
	(void)now;
}

static void
on_notice(void *ctx, const char *code, uint64_t now)
{
	(void)ctx;
	(void)code;
	(void)now;
}

static void
on_opaque(void *ctx, enum wire_opaque why, const char *detail)
{
	(void)detail;
	((struct session *)ctx)->why = why;
}

static const struct wire_ops ops = {
	.query = on_query, .prepare = on_prepare, .unprepare = on_unprepare, .execute = on_execute, .columns = on_columns, .row = on_row,
	.part = on_part, .done = on_done, .transaction = on_transaction, .fact = on_fact, .reset = on_time, .notice = on_notice,
	.ready = on_time, .opaque = on_opaque,
};

static enum wire_act
shake(struct session *s, enum wire_leg leg, struct span in, struct strbuf *to_client)
{
	struct strbuf to_server;
	enum wire_act act;
	size_t used;

	strbuf_init(&to_server, 1 << 20);
	act = my_engine.handshake(s->conn, leg, in, &used, to_client, &to_server, s->now);
	strbuf_clear(&to_server);
	return act;
}

/* False when memory was out. */
static bool
try_open(struct session *s)
{
	*s = (struct session){ .now = 1000 };
	strbuf_init(&s->packet, 64 << 20);
	s->conn = my_engine.open(&s->setup, &ops, s);
	return s->conn != NULL;
}

static void
begin(struct session *s, uint32_t caps, uint32_t ext)
{
	struct transcript t = { .caps = caps, .ext = ext };
	struct turn turns[TURNS];
	struct strbuf to_client;

	strbuf_init(&to_client, 1 << 20);
	for (int i = 0; i < TURNS; i++)
		strbuf_init(&turns[i].bytes, 1 << 16);
	my_tongue.begin(&t, turns);
	shake(s, WIRE_CLIENT, (struct span){ NULL, 0 }, &to_client);
	for (int i = 0; i < 2; i++)
		shake(s, turns[i].leg, strbuf_span(&turns[i].bytes), &to_client);
	my_engine.feed(s->conn, WIRE_SERVER, strbuf_span(&turns[2].bytes), s->now);
	for (int i = 0; i < TURNS; i++)
		strbuf_clear(&turns[i].bytes);
	strbuf_clear(&to_client);
}

static void
open_session(struct session *s, uint32_t caps, uint32_t ext)
{
	assert_true(try_open(s));
	begin(s, caps, ext);
}

static void
close_session(struct session *s)
{
	my_engine.free(s->conn, s->now);
	strbuf_clear(&s->packet);
	assert_int_equal(s->live, 0);
}

/* A line of a transcript, printed and fed whole. */
static void __attribute__((format(printf, 3, 4)))
say(struct session *s, enum wire_leg leg, const char *fmt, ...)
{
	char *line = NULL;
	const char *why;
	va_list ap;

	va_start(ap, fmt);
	assert_true(vasprintf(&line, fmt, ap) > 0);
	va_end(ap);
	strbuf_reset(&s->packet);
	if (!my_tongue.encode(leg == WIRE_CLIENT, line, &s->packet, &why))
		fail_msg("%s: %s", line, why);
	free(line);
	my_engine.feed(s->conn, leg, strbuf_span(&s->packet), s->now);
}

static void
say_ok(struct session *s)
{
	say(s, WIRE_SERVER, "1 OK l:0 l:0 2:2 2:0");
}

static void
commands_without_an_answer(void **state)
{
	struct session s;

	(void)state;
	open_session(&s, 0, 0);
	for (int i = 0; i < LIMIT_WIRE_QUEUE; i++)
		say(&s, WIRE_CLIENT, "0 Ping");
	assert_int_equal(s.why, WIRE_CLEAR);
	assert_false(my_engine.idle(s.conn));
	for (int i = 0; i < LIMIT_WIRE_QUEUE; i++)
		say_ok(&s);
	assert_int_equal(s.why, WIRE_CLEAR);
	assert_true(my_engine.idle(s.conn));
	for (int i = 0; i <= LIMIT_WIRE_QUEUE; i++)
		say(&s, WIRE_CLIENT, "0 Ping");
	assert_int_equal(s.why, WIRE_OPAQUE_LIMIT);
	close_session(&s);
}

static void
prepare(struct session *s, unsigned id, unsigned nparams)
{
	say(s, WIRE_CLIENT, "0 Prepare 'select'");
	say(s, WIRE_SERVER, "1 OK 4:%u 2:0 2:%u 00 2:0", id, nparams);
	for (unsigned i = 0; i < nparams; i++)
		say(s, WIRE_SERVER, "2 '?'");
	if (nparams)
		say(s, WIRE_SERVER, "3 EOF 2:0 2:2");
}

static void
prepared_statements(void **state)
{
	struct session s;

	(void)state;
	open_session(&s, 0, 0);
	for (unsigned id = 1; id <= LIMIT_WIRE_PREPARED; id++)
		prepare(&s, id, 0);
	assert_int_equal(s.unprepared, 0);
	say(&s, WIRE_CLIENT, "0 Execute 4:1 00 4:1");
	say_ok(&s);
	prepare(&s, LIMIT_WIRE_PREPARED + 1, 0);
	assert_int_equal(s.unprepared, 1);	/* the one used longest ago: 2 */
	for (unsigned id = 1; id <= 3; id++) {
		say(&s, WIRE_CLIENT, "0 Execute 4:%u 00 4:1", id);
		assert_int_equal(s.known, id != 2);
		say_ok(&s);
	}
	/* An id that comes again replaces its statement. */
	prepare(&s, 3, 0);
	assert_int_equal(s.unprepared, 2);
	close_session(&s);
	assert_int_equal(s.unprepared, LIMIT_WIRE_PREPARED + 2);
}

static void
text(void **state)
{
	struct session s;

	(void)state;
	open_session(&s, 0, 0);
	for (int past = 0; past < 2; past++) {
		say(&s, WIRE_CLIENT, "0 Query %d*'x'", LIMIT_WIRE_TEXT + past);
		assert_int_equal(s.text, LIMIT_WIRE_TEXT);
		assert_int_equal(s.text_cut, past);
		say_ok(&s);
		say(&s, WIRE_CLIENT, "0 Prepare %d*'x'", LIMIT_WIRE_TEXT + past);
		assert_int_equal(s.text, LIMIT_WIRE_TEXT);
		assert_int_equal(s.text_cut, past);
		say(&s, WIRE_SERVER, "1 ERR 2:1064 '#42000'");
	}
	close_session(&s);
}

static void
attributes(void **state)
{
	enum { MOST = 64 };
	struct session s;

	(void)state;
	open_session(&s, 0x08000000, 0);
	for (int past = 0; past < 2; past++) {
		struct strbuf line;

		strbuf_init(&line, 1 << 16);
		strbuf_printf(&line, "0 Query l:%d 01 %d*'\\0' 01", MOST + past, (MOST + past + 7) / 8);
		for (int i = 0; i < MOST + past; i++)
			strbuf_str(&line, " 03 00 l'a'");
		for (int i = 0; i < MOST + past; i++)
			strbuf_str(&line, " 4:1");
		strbuf_str(&line, " 'select 1'");
		say(&s, WIRE_CLIENT, "%s", strbuf_cstr(&line));
		strbuf_clear(&line);
		assert_int_equal(s.params, MOST);
		assert_int_equal(s.params_cut, past);
		assert_int_equal(s.text, 8);
		say_ok(&s);
	}
	close_session(&s);
}

static void
row_bytes(void **state)
{
	struct session s;

	(void)state;
	open_session(&s, 0, 0);
	for (int past = 0; past < 2; past++) {
		say(&s, WIRE_CLIENT, "0 Query 'q'");
		say(&s, WIRE_SERVER, "1 02");
		say(&s, WIRE_SERVER, "2 col'a':253");
		say(&s, WIRE_SERVER, "3 col'b':253");
		say(&s, WIRE_SERVER, "4 EOF 2:0 2:2");
		say(&s, WIRE_SERVER, "5 l'first' l%d*'x'", LIMIT_WIRE_ROW - 6 - 3 + past);
		assert_int_equal(s.row_values, 2);
		assert_int_equal(s.first_value, 5);
		assert_int_equal(s.last_value, past ? -2 : LIMIT_WIRE_ROW - 6 - 3);
		say(&s, WIRE_SERVER, "6 EOF 2:0 2:2");
	}
	close_session(&s);
}

static void
columns(void **state)
{
	struct session s;

	(void)state;
	open_session(&s, 0, 0);
	for (int past = 0; past < 2; past++) {
		say(&s, WIRE_CLIENT, "0 Query 'q'");
		say(&s, WIRE_SERVER, "1 l:%d", LIMIT_WIRE_COLUMNS + past);
		for (int i = 0; i < LIMIT_WIRE_COLUMNS + past; i++)
			say(&s, WIRE_SERVER, "2 col'c':3");
		assert_int_equal(s.columns, LIMIT_WIRE_COLUMNS);
		say(&s, WIRE_SERVER, "3 EOF 2:0 2:2");
		say(&s, WIRE_SERVER, "4 %d*'\\0'", LIMIT_WIRE_COLUMNS + past);
		assert_int_equal(s.row_values, LIMIT_WIRE_COLUMNS);
		say(&s, WIRE_SERVER, "5 EOF 2:0 2:2");
	}
	assert_int_equal(s.why, WIRE_CLEAR);
	close_session(&s);
}

static void
parameters(void **state)
{
	enum { TYPES = LIMIT_WIRE_PARAMS * 2, FIT = LIMIT_MY_MEMORY / TYPES };
	struct session s;

	(void)state;
	open_session(&s, 0, 0);
	/* As many as the protocol knows, all NULL; their types are remembered while there is room. */
	for (unsigned id = 1; id <= FIT + 1; id++) {
		prepare(&s, id, LIMIT_WIRE_PARAMS);
		say(&s, WIRE_CLIENT, "0 Execute 4:%u 00 4:1 %d*'\\xff' 01 %d*'\\x03\\0'", id, (LIMIT_WIRE_PARAMS + 7) / 8, LIMIT_WIRE_PARAMS);
		assert_int_equal(s.params, LIMIT_WIRE_PARAMS);
		assert_int_equal(s.first_value, -1);
		say_ok(&s);
		say(&s, WIRE_CLIENT, "0 Execute 4:%u 00 4:1 %d*'\\0' 00 %d*'\\1\\0\\0\\0'", id, (LIMIT_WIRE_PARAMS + 7) / 8, LIMIT_WIRE_PARAMS);
		assert_int_equal(s.first_value, id <= FIT ? 4 : -2);
		say_ok(&s);
	}
	/* Closing makes room. */
	say(&s, WIRE_CLIENT, "0 Close 4:1");
	say(&s, WIRE_CLIENT, "0 Execute 4:%d 00 4:1 %d*'\\0' 01 %d*'\\x01\\0' %d*'\\1'", FIT + 1, (LIMIT_WIRE_PARAMS + 7) / 8, LIMIT_WIRE_PARAMS,
	    LIMIT_WIRE_PARAMS);
	say_ok(&s);
	say(&s, WIRE_CLIENT, "0 Execute 4:%d 00 4:1 %d*'\\0' 00 %d*'\\1'", FIT + 1, (LIMIT_WIRE_PARAMS + 7) / 8, LIMIT_WIRE_PARAMS);
	assert_int_equal(s.first_value, 1);
	say_ok(&s);
	close_session(&s);
}

static void
more_parameters_than_there_are(void **state)
{
	struct session s;

	(void)state;
	open_session(&s, 0x08000000, 0);
	prepare(&s, 1, 0);
	say(&s, WIRE_CLIENT, "0 Execute 4:1 08 4:1 l:%d %d*'\\xff' 01 %d*'\\x03\\0\\0'", LIMIT_WIRE_PARAMS + 1, (LIMIT_WIRE_PARAMS + 8) / 8,
	    LIMIT_WIRE_PARAMS + 1);
	assert_false(s.decoded);
	say_ok(&s);
	assert_int_equal(s.why, WIRE_CLEAR);
	close_session(&s);
}

/* Executions that wait for their PREPARE are held together up to LIMIT_WIRE_CAPTURE bytes; beyond, they are told at once. */
static void
held_executions(void **state)
{
	struct session s;
	int size = LIMIT_WIRE_CAPTURE / 2;

	(void)state;
	open_session(&s, 0, 0x1d);
	say(&s, WIRE_CLIENT, "0 Prepare 'select ?'");
	for (int i = 0; i < 2; i++) {
		say(&s, WIRE_CLIENT, "0 Execute 4:-1 00 4:1 00 01 fd 00 fd 3:%d %d*'x'", size - 18, size - 18);
		assert_int_equal(s.executes, 0);
	}
	say(&s, WIRE_CLIENT, "0 Execute 4:-1 00 4:1 01 01 fd 00");
	assert_int_equal(s.executes, 1);
	assert_false(s.decoded);
	say(&s, WIRE_SERVER, "1 OK 4:1 2:0 2:1 00 2:0");
	assert_int_equal(s.executes, 3);
	assert_true(s.decoded);
	say(&s, WIRE_SERVER, "2 '?'");
	say(&s, WIRE_SERVER, "3 EOF 2:0 2:2");
	for (int i = 0; i < 3; i++)
		say_ok(&s);
	/* All room is free again. */
	say(&s, WIRE_CLIENT, "0 Prepare 'select ?'");
	say(&s, WIRE_CLIENT, "0 Execute 4:-1 00 4:1 00 01 fd 00 fd 3:%d %d*'x'", size - 18, size - 18);
	assert_int_equal(s.executes, 3);
	close_session(&s);
}

static void
database_name(void **state)
{
	struct session s;

	(void)state;
	open_session(&s, 0, 0);
	for (int past = 0; past < 2; past++) {
		say(&s, WIRE_CLIENT, "0 InitDb %d*'d'", LIMIT_NAME + past);
		say_ok(&s);
		assert_int_equal(s.last_fact.n, LIMIT_NAME);
	}
	close_session(&s);
}

static void
handshake_packets(void **state)
{
	enum { GREETING = 75, FIXED = 32 };
	struct strbuf out;
	struct session s;
	const char *why;
	char line[80];

	(void)state;
	strbuf_init(&out, 1 << 20);
	for (int past = 0; past < 2; past++) {
		assert_true(try_open(&s));
		strbuf_init(&out, 1 << 20);
		shake(&s, WIRE_CLIENT, (struct span){ NULL, 0 }, &out);
		snprintf(line, sizeof line, "0 greeting=0x000f8208 %d*'x'", LIMIT_MY_HANDSHAKE - GREETING + past);
		assert_true(my_tongue.encode(false, line, &s.packet, &why));
		assert_int_equal(s.packet.n, 4 + LIMIT_MY_HANDSHAKE + past);
		assert_int_equal(shake(&s, WIRE_SERVER, strbuf_span(&s.packet), &out), past ? WIRE_BLIND : WIRE_MORE);
		assert_int_equal(s.why, past ? WIRE_OPAQUE_BAD_LENGTH : WIRE_CLEAR);
		close_session(&s);
		strbuf_clear(&out);

		assert_true(try_open(&s));
		shake(&s, WIRE_CLIENT, (struct span){ NULL, 0 }, &out);
		assert_true(my_tongue.encode(false, "0 greeting=0x000f8208", &s.packet, &why));
		shake(&s, WIRE_SERVER, strbuf_span(&s.packet), &out);
		strbuf_reset(&s.packet);
		snprintf(line, sizeof line, "1 fixed=0x000f8208 %d*'x'", LIMIT_MY_HANDSHAKE - FIXED + past);
		assert_true(my_tongue.encode(true, line, &s.packet, &why));
		assert_int_equal(s.packet.n, 4 + LIMIT_MY_HANDSHAKE + past);
		/* One byte less than a packet past the limit must already be refused: it may never end. */
		assert_int_equal(shake(&s, WIRE_CLIENT, span_first(strbuf_span(&s.packet), past ? 4 : s.packet.n), &out), past ? WIRE_CLOSE : WIRE_PIPE);
		close_session(&s);
		strbuf_clear(&out);
	}
}

static void
refusals(void **state)
{
	static const struct {
		const char *sqlstate;
		unsigned number;
	} words[] = { { "08006", 1105 }, { "53300", 1040 }, { "57P03", 1053 }, { "28000", 3159 }, { "XX000", 1105 } };
	struct session s;
	struct strbuf out;
	const char *why;

	(void)state;
	strbuf_init(&out, 4096);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		for (int greeted = 0; greeted < 2; greeted++) {
			assert_true(try_open(&s));
			shake(&s, WIRE_CLIENT, (struct span){ NULL, 0 }, &out);
			if (greeted) {
				assert_true(my_tongue.encode(false, "0 greeting=0x000f8208", &s.packet, &why));
				shake(&s, WIRE_SERVER, strbuf_span(&s.packet), &out);
				strbuf_reset(&out);
			}
			assert_true(my_engine.refuse(s.conn, words[i].sqlstate, "no", &out));
			assert_int_equal(out.p[3], greeted);
			assert_int_equal((uint8_t)out.p[5] | (uint8_t)out.p[6] << 8, words[i].number);
			assert_int_equal(out.n, greeted ? 4 + 3 + 6 + 2 : 4 + 3 + 2);
			/* Nothing is left to be said. */
			assert_false(my_engine.refuse(s.conn, words[i].sqlstate, "no", &out));
			strbuf_reset(&out);
			close_session(&s);
		}
	}
	open_session(&s, 0, 0);
	assert_false(my_engine.refuse(s.conn, "08006", "no", &out));
	close_session(&s);
	strbuf_clear(&out);
}

static void
idleness(void **state)
{
	struct session s;

	(void)state;
	open_session(&s, 0, 0);
	assert_true(my_engine.idle(s.conn));
	say(&s, WIRE_CLIENT, "0 Query 'begin'");
	assert_false(my_engine.idle(s.conn));
	say(&s, WIRE_SERVER, "1 OK l:0 l:0 2:3 2:0");
	assert_false(my_engine.idle(s.conn));
	say(&s, WIRE_CLIENT, "0 Query 'commit'");
	say_ok(&s);
	assert_true(my_engine.idle(s.conn));
	my_engine.feed(s.conn, WIRE_CLIENT, span_of("\5\0\0\0\3", 5), s.now);
	assert_false(my_engine.idle(s.conn));
	my_engine.feed(s.conn, WIRE_CLIENT, span_of("quit", 4), s.now);
	say_ok(&s);
	assert_true(my_engine.idle(s.conn));
	say(&s, WIRE_CLIENT, "0 Execute 4:1 01 4:1");
	say_ok(&s);
	assert_true(my_engine.idle(s.conn));
	close_session(&s);
}

/* A session with everything that allocates. */
static const char *const busy[] = {
	"S0 greeting=0x000f8208,0x1d", "C1 fixed=0x000f8208,0x1d \"u\" l'' \"d\" \"mysql_native_password\"", "S2 OK l:0 l:0 2:2 2:0",
	"C0 Prepare 'select a from t where b = ?'", "C0 Execute 4:-1 00 4:1 00 01 03 00 4:5", "C0 Query 'select 1'",
	"S1 OK 4:1 2:1 2:1 00 2:0", "S2 col'?':253", "S3 EOF 2:0 2:2", "S4 l'def' l'' l'' l'' l'a' l'' l'' 0c 2:63 4:1 03 2:0 00 2:0", "S5 EOF 2:0 2:2",
	"S1 01 00", "S2 EOF 2:0 2:2", "S3 00 00 4:1", "S4 EOF 2:0 2:2",
	"S1 01 01", "S2 l'def' l'' l'' l'' l'a' l'' l'' 0c 2:63 4:1 03 2:0 00 2:0", "S3 EOF 2:0 2:2", "S4 l'1'", "S5 EOF 2:0 2:2",
	"C0 LongData 4:1 2:0 'long'", "C0 Execute 4:1 01 4:1 00 00", "C0 Ping", "C0 InitDb 'other'",
	"S1 01 01", "S2 l'def' l'' l'' l'' l'a' l'' l'' 0c 2:63 4:1 03 2:0 00 2:0", "S3 EOF 2:0 2:0x42", "S1 OK l:0 l:0 2:2 2:0", "S1 OK l:0 l:0 2:2 2:0",
	"C0 Fetch 4:1 4:2", "S1 00 00 4:1", "S2 EOF 2:0 2:0x42", "C0 Close 4:1", "C0 Quit",
};
enum { BUSY = sizeof busy / sizeof *busy };

/* One packet in two pieces. False when the session is over. */
static bool
give(struct session *s, enum wire_leg leg, struct span packet, bool *piped)
{
	struct strbuf to_client;

	if (*piped) {
		my_engine.feed(s->conn, leg, span_first(packet, packet.n / 2), s->now);
		my_engine.feed(s->conn, leg, span_from(packet, packet.n / 2), s->now);
		return true;
	}
	strbuf_init(&to_client, 1 << 20);

	enum wire_act act = shake(s, leg, packet, &to_client);

	strbuf_clear(&to_client);
	*piped = act == WIRE_PIPE;
	return act == WIRE_PIPE || act == WIRE_MORE || act == WIRE_DIAL;
}

static void
busy_session(struct session *s, const struct strbuf *packets)
{
	bool piped = false, on = give(s, WIRE_CLIENT, (struct span){ NULL, 0 }, &piped);

	for (int i = 0; on && i < BUSY; i++)
		on = give(s, busy[i][0] == 'C' ? WIRE_CLIENT : WIRE_SERVER, strbuf_span(&packets[i]), &piped);
}

static void
memory_runs_out(void **state)
{
	enum { ALLOCATIONS = 200 };	/* more than the session makes */
	struct strbuf packets[BUSY];
	unsigned failed = 0;

	(void)state;
	for (int i = 0; i < BUSY; i++) {
		const char *why;

		strbuf_init(&packets[i], 1 << 20);
		assert_true(my_tongue.encode(busy[i][0] == 'C', busy[i] + 1, &packets[i], &why));
	}
	for (unsigned after = 0; after < ALLOCATIONS; after++) {
		struct session s;
		bool open;

		mem_fail(after, 1);
		open = try_open(&s);
		if (open)
			busy_session(&s, packets);
		mem_fail(0, 0);
		assert_true(s.why == WIRE_CLEAR || s.why == WIRE_OPAQUE_MEMORY);
		failed += s.why == WIRE_OPAQUE_MEMORY;
		if (open)
			close_session(&s);
	}
	assert_true(failed > 10);
	for (int i = 0; i < BUSY; i++)
		strbuf_clear(&packets[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_without_an_answer), cmocka_unit_test(prepared_statements), cmocka_unit_test(text), cmocka_unit_test(attributes),
		cmocka_unit_test(row_bytes), cmocka_unit_test(columns), cmocka_unit_test(parameters), cmocka_unit_test(more_parameters_than_there_are),
		cmocka_unit_test(held_executions), cmocka_unit_test(database_name), cmocka_unit_test(handshake_packets), cmocka_unit_test(refusals),
		cmocka_unit_test(idleness), cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
