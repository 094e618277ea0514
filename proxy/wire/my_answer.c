/* SPDX-License-Identifier: Apache-2.0 */
/* my_answer: what the server sends: one state machine for the answer at the head of the queue. What does not fit makes the session opaque.
 * Boundaries come from the states alone, never from sequence ids. Never: looks into rows (my_result.c). */
#include "my_conn.h"

#include <stdio.h>

static void
misfit(struct wire_conn *c, const char *detail)
{
	my_opaque(c, WIRE_OPAQUE_OUT_OF_STEP, detail);
}

bool
my_answer_is_row(const struct wire_conn *c, uint8_t first, uint32_t length)
{
	if (c->answer.state != MY_ROWS || !c->head || first == MY_ERR)
		return false;
	/* A text row may begin with 0xfe, as the length of a value that fills a packet. */
	return first != MY_EOF || !my_is_end(length, c->dialect);
}

uint32_t
my_answer_keep(const struct wire_conn *c, uint8_t first, uint32_t length)
{
	if (c->head && c->head->kind == MY_ASK_AUTH && first != MY_OK && first != MY_ERR)
		return 0;
	if (my_answer_is_row(c, first, length))
		return c->answer.lend ? LIMIT_WIRE_ROW : 0;
	return LIMIT_WIRE_CAPTURE + 1;
}

void
my_answer_begin(struct wire_conn *c)
{
	struct my_ask *a = c->head;

	a->wait = a->x.sent > c->answered ? a->x.sent : c->answered;
	a->start = a->wait;
	c->answer.state = a->kind == MY_ASK_FETCH ? MY_ROWS : a->kind == MY_ASK_FIELDS ? MY_FIELDS : MY_FIRST;
	c->answer.lend = false;
	if (a->kind == MY_ASK_FETCH)
		my_columns_recall(c);
}

/* ---- the session's state ---- */

static void
tell_flag(struct wire_conn *c, uint16_t changed, uint16_t now, uint16_t bit, const char *name)
{
	if (changed & bit)
		my_fact(c, WIRE_FACT_STATUS, span_str(name), now & bit ? SPAN_LIT("on") : SPAN_LIT("off"));
}

/* The status of an OK or EOF: what changed is told. */
static void
take_status(struct wire_conn *c, uint16_t status)
{
	uint16_t changed = c->status ^ status;

	c->status = status;
	tell_flag(c, changed, status, MY_STATUS_NO_BACKSLASH, "no_backslash_escapes");
	tell_flag(c, changed, status, MY_STATUS_ANSI_QUOTES, "ansi_quotes");
	if (changed & MY_STATUS_IN_TRANS)
		c->ops->transaction(c->ctx, status & MY_STATUS_IN_TRANS ? WIRE_TX_OPEN : WIRE_TX_IDLE, c->now);
}

enum { TRACK_VARIABLE = 0, TRACK_SCHEMA = 1 };

static void
tell_variables(struct wire_conn *c, struct span pairs)
{
	struct bytes b = bytes_of(pairs);

	while (bytes_left(&b)) {
		struct span name = bytes_lenenc_span(&b);
		struct span value = bytes_lenenc_span(&b);

		if (b.bad)
			return;
		my_fact(c, WIRE_FACT_STATUS, name, value);
	}
}

/* Session tracking. True when it named the schema. */
static bool
take_changes(struct wire_conn *c, struct span changes)
{
	struct bytes b = bytes_of(changes);
	bool schema = false;

	while (bytes_left(&b)) {
		uint8_t type = bytes_u8(&b);
		struct bytes data = bytes_of(bytes_lenenc_span(&b));

		if (b.bad)
			break;
		if (type == TRACK_VARIABLE)
			tell_variables(c, bytes_rest(&data));
		if (type == TRACK_SCHEMA) {
			struct span name = bytes_lenenc_span(&data);

			schema = !data.bad;
			if (schema)
				my_fact(c, WIRE_FACT_STATUS, SPAN_LIT("database"), name);
		}
	}
	return schema;
}

/* ---- ends ---- */

/* An OK or EOF ended a result, perhaps not the last one. */
static void
end_result(struct wire_conn *c, const struct my_ok *ok)
{
	struct my_ask *a = c->head;
	bool more = ok->status & MY_STATUS_MORE_RESULTS;

	my_result_clear(c);
	/* Several results of one execution are one statement. */
	if (!more || a->kind != MY_ASK_BINARY)
		my_part_end(c, a, ok, NULL);
	if (more)
		c->answer.state = MY_FIRST;
	else
		my_ask_end(c);
	take_status(c, ok->status);
	take_changes(c, ok->changes);
}

static void
end_fetch(struct wire_conn *c, const struct my_ok *ok, const char *code)
{
	struct my_ask *a = c->head;
	struct my_stmt *s = a->stmt;

	my_result_clear(c);
	if (s && s->cursor) {
		s->cursor->wait = a->wait;
		my_cursor_waited(c, s);
		if (!ok || ok->status & MY_STATUS_LAST_ROW)
			my_cursor_end(c, s, false, code);
	}
	my_ask_end(c);
	if (ok)
		take_status(c, ok->status);
}

/* Deferred executions of a statement: its PREPARE has been answered. */
static void
tell_deferred(struct wire_conn *c, const struct my_stmt *s)
{
	for (struct my_ask *a = c->head; a; a = a->next)
		if (a->deferred && a->stmt == s)
			my_execute(c, a, strbuf_span(&a->held), false);
}

static void
end_error(struct wire_conn *c, const struct my_message *m)
{
	struct my_ask *a = c->head;
	char code[8];

	if (!my_err_read(m->body, code)) {
		my_opaque(c, WIRE_OPAQUE_BAD_LENGTH, "an error packet");
		return;
	}
	switch (a->kind) {
	case MY_ASK_FETCH:
		end_fetch(c, NULL, code);
		return;
	case MY_ASK_PREPARE:
		snprintf(a->stmt->failed, sizeof a->stmt->failed, "%s", code);
		my_stmt_drop(c, a->stmt);
		/* An execution behind it will tell the error. */
		if (a->stmt->refs == 1)
			c->ops->notice(c->ctx, code, c->now);
		my_ask_end(c);
		return;
	case MY_ASK_AUTH:
		c->authenticating = false;
		my_ask_end(c);
		c->ops->notice(c->ctx, code, c->now);
		return;
	default:
		break;
	}
	/* An execution sent behind a PREPARE that failed is told the cause, not that there is no such statement. */
	my_part_end(c, a, NULL, a->stmt && a->stmt->failed[0] ? a->stmt->failed : code);
	my_ask_end(c);
}

static bool
read_end(struct wire_conn *c, const struct my_message *m, struct my_ok *ok)
{
	if (my_end_read(m->body, c->dialect, ok))
		return true;
	my_opaque(c, WIRE_OPAQUE_BAD_LENGTH, "an OK or EOF packet");
	return false;
}

/* ---- first packets ---- */

static void
first_simple(struct wire_conn *c, const struct my_message *m)
{
	struct my_ask *a = c->head;
	uint8_t command = a->command;
	struct strbuf held = a->held;
	struct my_ok ok;

	if (m->first != MY_OK && m->first != MY_EOF) {
		misfit(c, "neither OK nor ERR");
		return;
	}
	if (!read_end(c, m, &ok))
		return;
	c->held -= held.n;
	strbuf_init(&a->held, 0);
	my_part_end(c, a, &ok, NULL);
	my_ask_end(c);
	if (command == MY_COM_RESET_CONNECTION)
		c->ops->reset(c->ctx, c->now);
	take_status(c, ok.status);
	if (!take_changes(c, ok.changes) && command == MY_COM_INIT_DB && held.p)
		my_fact(c, WIRE_FACT_STATUS, SPAN_LIT("database"), strbuf_span(&held));
	strbuf_clear(&held);
}

static void
first_auth(struct wire_conn *c, const struct my_message *m)
{
	struct my_ok ok;

	if (m->first != MY_OK)
		return;		/* the exchange goes on */
	if (!my_ok_read(m->body, c->dialect, &ok)) {
		my_opaque(c, WIRE_OPAQUE_BAD_LENGTH, "the OK of an authentication");
		return;
	}
	c->authenticating = false;
	my_ask_end(c);
	if (c->ready)
		c->ops->reset(c->ctx, c->now);
	take_status(c, ok.status);
	take_changes(c, ok.changes);
	if (c->ready)
		return;
	c->ready = true;
	c->ops->ready(c->ctx, c->now);
	if (c->dialect.caps & (MY_CAP_COMPRESS | MY_CAP_ZSTD))
		my_opaque(c, WIRE_OPAQUE_COMPRESSION, "the session is compressed from here on");
}

enum { PREPARE_OK_BYTES = 12 };

/* Parameters, then columns; without definitions their EOF packets come all the same. */
static void
prepare_next(struct wire_conn *c)
{
	struct my_answer *r = &c->answer;
	bool no_eof = c->dialect.caps & MY_CAP_DEPRECATE_EOF;
	uint32_t columns = r->prepare_columns;

	if (r->state == MY_FIRST && r->left) {
		r->state = r->described ? MY_PARAMS : MY_PARAMS_END;
		if (r->described || !no_eof)
			return;
	}
	r->prepare_columns = 0;
	if (columns && r->described) {
		r->state = MY_COLUMNS;
		my_columns_begin(c, columns);
	} else if (columns && !no_eof) {
		r->state = MY_COLUMNS_END;
	} else {
		my_ask_end(c);
	}
}

static void
first_prepare(struct wire_conn *c, const struct my_message *m)
{
	struct my_stmt *s = c->head->stmt;
	struct my_answer *r = &c->answer;
	const uint8_t *p = m->body.p;

	if (m->first != MY_OK || m->body.n < PREPARE_OK_BYTES) {
		misfit(c, "no answer to a PREPARE");
		return;
	}
	s->ncolumns = load_le16(p + 5);
	my_stmt_prepared(c, s, load_le32(p + 1), load_le16(p + 7));
	tell_deferred(c, s);
	r->described = !(c->dialect.caps & MY_CAP_OPTIONAL_METADATA) || m->body.n == PREPARE_OK_BYTES || p[PREPARE_OK_BYTES] != 0;
	r->left = s->pub.nparams;
	r->prepare_columns = s->ncolumns;
	prepare_next(c);
}

/* The column count and, where one of the dialects has it, a flag whether definitions follow. */
static void
first_count(struct wire_conn *c, const struct my_message *m)
{
	struct bytes b = bytes_of(m->body);
	uint64_t n = bytes_lenenc(&b);
	bool flagged = c->dialect.caps & MY_CAP_OPTIONAL_METADATA || c->dialect.ext & MY_EXT_CACHE_METADATA;
	bool described = true;

	if (flagged && bytes_left(&b))
		described = bytes_u8(&b) != 0;
	if (!bytes_done(&b) || n == 0) {
		misfit(c, "no column count");
		return;
	}
	c->head->result = true;
	if (described) {
		c->answer.state = MY_COLUMNS;
		my_columns_begin(c, n);
		return;
	}
	c->answer.ncolumns = n;
	my_columns_recall(c);
	c->answer.state = c->dialect.caps & MY_CAP_DEPRECATE_EOF ? MY_ROWS : MY_COLUMNS_END;
}

static void
first_result(struct wire_conn *c, const struct my_message *m)
{
	struct my_ok ok;

	if (m->first == MY_OK) {
		if (my_ok_read(m->body, c->dialect, &ok))
			end_result(c, &ok);
		else
			my_opaque(c, WIRE_OPAQUE_BAD_LENGTH, "an OK packet");
		return;
	}
	if (m->first != MY_INFILE) {
		first_count(c, m);
		return;
	}
	if (c->head->next) {
		misfit(c, "a file was asked for while commands were on their way");
		return;
	}
	c->uploading = true;
	c->head->x.round_trips++;
}

static void
first_packet(struct wire_conn *c, const struct my_message *m)
{
	switch ((enum my_kind)c->head->kind) {
	case MY_ASK_SIMPLE:
		first_simple(c, m);
		break;
	case MY_ASK_ERROR:
		my_opaque(c, WIRE_OPAQUE_UNKNOWN_TYPE, "a command we do not know was answered");
		break;
	case MY_ASK_STRING:
		my_ask_end(c);
		break;
	case MY_ASK_TEXT:
	case MY_ASK_BINARY:
		first_result(c, m);
		break;
	case MY_ASK_PREPARE:
		first_prepare(c, m);
		break;
	case MY_ASK_AUTH:
		first_auth(c, m);
		break;
	case MY_ASK_FETCH:
	case MY_ASK_FIELDS:
		misfit(c, "an answer without a beginning");	/* these begin in another state */
	}
}

/* ---- definitions and rows ---- */

void
my_answer_columns_done(struct wire_conn *c)
{
	if (!(c->dialect.caps & MY_CAP_DEPRECATE_EOF))
		c->answer.state = MY_COLUMNS_END;
	else if (c->head->kind == MY_ASK_PREPARE)
		my_ask_end(c);
	else
		c->answer.state = MY_ROWS;
}

static bool
opens_cursor(const struct my_ask *a, uint16_t status)
{
	return a->wants_cursor && status & MY_STATUS_CURSOR && !(status & MY_STATUS_LAST_ROW);
}

static void
open_cursor(struct wire_conn *c, uint16_t status)
{
	my_cursor_open(c);
	take_status(c, status);
}

static void
columns_end_packet(struct wire_conn *c, const struct my_message *m)
{
	struct my_ok ok;

	if (m->first != MY_EOF) {
		misfit(c, "no end of column definitions");
		return;
	}
	if (!read_end(c, m, &ok))
		return;
	if (c->head->kind == MY_ASK_PREPARE)
		my_ask_end(c);
	else if (opens_cursor(c->head, ok.status))
		open_cursor(c, ok.status);
	else
		c->answer.state = MY_ROWS;
}

static void
params_packet(struct wire_conn *c)
{
	if (--c->answer.left)
		return;
	if (c->dialect.caps & MY_CAP_DEPRECATE_EOF)
		prepare_next(c);
	else
		c->answer.state = MY_PARAMS_END;
}

static void
rows_packet(struct wire_conn *c, const struct my_message *m)
{
	struct my_ask *a = c->head;
	struct my_ok ok;

	if (m->size == 0) {
		misfit(c, "an empty row");
		return;
	}
	if (m->first != MY_EOF || !my_is_end(m->size, c->dialect)) {
		my_row(c, m);
		return;
	}
	if (!read_end(c, m, &ok))
		return;
	if (a->kind == MY_ASK_FETCH) {
		end_fetch(c, &ok, NULL);
	} else if (opens_cursor(a, ok.status)) {
		open_cursor(c, ok.status);
	} else {
		end_result(c, &ok);
	}
}

static void
fields_packet(struct wire_conn *c, const struct my_message *m)
{
	struct my_ok ok;

	if (m->first != MY_EOF || !my_is_end(m->size, c->dialect) || !read_end(c, m, &ok))
		return;
	my_ask_end(c);
	take_status(c, ok.status);
}

/* ---- all ---- */

/* Nobody asked: only an error may come (the server shuts down, or gives up on an idle or oversized client). */
static void
unasked(struct wire_conn *c, const struct my_message *m)
{
	char code[8];

	if (m->first == MY_ERR && my_err_read(m->body, code))
		c->ops->notice(c->ctx, code, c->now);
	else
		misfit(c, "an answer to nothing");
}

static void
count(struct wire_conn *c, const struct my_message *m)
{
	struct my_ask *a = c->head;

	if (a->kind == MY_ASK_FETCH && a->stmt && a->stmt->cursor)
		a = a->stmt->cursor;
	if (!a->x.first)
		a->x.first = m->began;
	a->x.bytes += m->wire;
}

void
my_answer(struct wire_conn *c, const struct my_message *m)
{
	if (!c->head) {
		unasked(c, m);
		return;
	}
	/* Still deferred: the PREPARE before it failed. */
	if (c->head->deferred)
		my_execute(c, c->head, (struct span){ NULL, 0 }, true);
	if (m->first == MY_ERR && m->size && c->head->kind != MY_ASK_STRING) {
		if (my_is_progress(m->body, c->dialect))
			return;
		count(c, m);
		end_error(c, m);
		return;
	}
	count(c, m);
	switch (c->answer.state) {
	case MY_FIRST:
		first_packet(c, m);
		break;
	case MY_COLUMNS:
		my_columns_add(c, m);
		break;
	case MY_COLUMNS_END:
		columns_end_packet(c, m);
		break;
	case MY_PARAMS:
		params_packet(c);
		break;
	case MY_PARAMS_END:
		if (m->first == MY_EOF)
			prepare_next(c);
		else
			misfit(c, "no end of parameter definitions");
		break;
	case MY_ROWS:
		rows_packet(c, m);
		break;
	case MY_FIELDS:
		fields_packet(c, m);
		break;
	}
}
