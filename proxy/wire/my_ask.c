/* SPDX-License-Identifier: Apache-2.0 */
/* my_ask: the queue of commands that expect an answer, and what is told of each: parts, ends, cursors, losses.
 * Times: a part's wait begins when its command was sent or the answer before it ended, whichever is later, as the server takes commands
 * one by one. Never: reads packets. */
#include "my_conn.h"

#include <stdio.h>

#include "fingerprint/mem.h"

static struct my_ask *
ask_alloc(struct wire_conn *c)
{
	if (!c->slot_used) {
		c->slot_used = true;
		c->slot = (struct my_ask){ 0 };
		return &c->slot;
	}
	return mem_zero(sizeof(struct my_ask));
}

static void
ask_free(struct wire_conn *c, struct my_ask *a)
{
	c->held -= a->held.n;
	strbuf_clear(&a->held);
	if (a->stmt)
		my_stmt_release(c, a->stmt);
	if (a == &c->slot)
		c->slot_used = false;
	else
		mem_free(a);
}

struct my_ask *
my_ask_new(struct wire_conn *c, enum my_kind kind, uint8_t command, struct my_stmt *s)
{
	struct my_ask *a;

	if (c->nasks >= LIMIT_WIRE_QUEUE) {
		my_opaque(c, WIRE_OPAQUE_LIMIT, "commands without an answer");
		return NULL;
	}
	a = ask_alloc(c);
	if (!a) {
		my_opaque(c, WIRE_OPAQUE_MEMORY, "a command");
		return NULL;
	}
	a->kind = (uint8_t)kind;
	a->command = command;
	a->x.sent = c->now;
	a->x.iterations = 1;
	a->held.max = LIMIT_WIRE_CAPTURE;
	a->stmt = s;
	if (s)
		s->refs++;
	if (c->tail)
		c->tail->next = a;
	else
		c->head = a;
	c->tail = a;
	if (c->nasks++ == 0) {
		c->waits++;
		my_answer_begin(c);
	}
	return a;
}

bool
my_ask_hold(struct wire_conn *c, struct my_ask *a, struct span bytes)
{
	if (bytes.n > LIMIT_WIRE_CAPTURE - c->held || !strbuf_add(&a->held, bytes))
		return false;
	c->held += bytes.n;
	return true;
}

/* ---- parts ---- */

/* The current part of an ask that stands anywhere: tells it and gets ready for the next. */
static void
tell_part(struct wire_conn *c, struct my_ask *a, struct wire_part *r)
{
	r->start = a->start;
	r->first = a->x.first;
	r->end = a->x.end;
	r->busy = a->busy;
	r->rows = a->rows;
	r->affected = a->affected;
	r->insert_id = a->insert_id;
	r->bytes = a->x.bytes + a->extra;
	r->result = a->result;
	r->batch = r->first != 0 && r->first == r->start;
	a->x.batch = r->batch;
	c->ops->part(c->ctx, &a->x, r);
	a->x.parts++;
	a->x.first = a->x.end = a->x.bytes = 0;
	a->start = a->wait = r->end;
	a->busy = a->rows = a->affected = a->insert_id = a->extra = 0;
	a->rows_lent = a->bytes_lent = 0;
	a->result = false;
}

/* What the client waited since the answer began counts for the part and the question. */
static void
stop_waiting(struct wire_conn *c, struct my_ask *a)
{
	uint64_t waited = c->now > a->wait ? c->now - a->wait : 0;

	a->busy += waited;
	a->x.busy += waited;
	a->x.end = c->now;
	a->wait = c->now;
	c->answered = c->now;
}

void
my_part_end(struct wire_conn *c, struct my_ask *a, const struct my_ok *ok, const char *code)
{
	struct wire_part r = { .outcome = ok ? WIRE_OK : WIRE_ERROR };

	stop_waiting(c, a);
	if (!a->statement)
		return;
	if (ok) {
		a->affected = ok->affected;
		a->insert_id = ok->insert_id;
	} else {
		snprintf(r.code, sizeof r.code, "%s", code);
	}
	tell_part(c, a, &r);
}

static void
unlink_head(struct wire_conn *c)
{
	struct my_ask *a = c->head;

	c->head = a->next;
	a->next = NULL;
	if (!c->head)
		c->tail = NULL;
	c->nasks--;
	c->answered = c->now;
	if (c->head)
		my_answer_begin(c);
}

static void
finish(struct wire_conn *c, struct my_ask *a)
{
	if (a->statement)
		c->ops->done(c->ctx, &a->x);
	ask_free(c, a);
}

void
my_ask_end(struct wire_conn *c)
{
	struct my_ask *a = c->head;

	my_result_clear(c);
	unlink_head(c);
	finish(c, a);
}

/* ---- cursors ---- */

void
my_cursor_open(struct wire_conn *c)
{
	struct my_ask *a = c->head;
	struct my_stmt *s = a->stmt;

	stop_waiting(c, a);
	if (!s) {
		struct wire_part r = { .outcome = WIRE_OK, .open = true };

		tell_part(c, a, &r);
		my_ask_end(c);
		return;
	}
	my_cursor_end(c, s, true, NULL);
	my_result_clear(c);
	/* Before a fetch on its way gets to the head of the queue. */
	s->cursor = a;
	c->ncursors++;
	unlink_head(c);
	/* The cursor lives on the statement's reference: its own would keep both alive for ever. */
	a->stmt = NULL;
	my_stmt_release(c, s);
}

void
my_cursor_waited(struct wire_conn *c, struct my_stmt *s)
{
	stop_waiting(c, s->cursor);
}

void
my_cursor_end(struct wire_conn *c, struct my_stmt *s, bool open, const char *code)
{
	struct my_ask *a = s->cursor;
	struct wire_part r = { .outcome = code ? WIRE_ERROR : WIRE_OK, .open = open };

	if (!a)
		return;
	s->cursor = NULL;
	c->ncursors--;
	if (code)
		snprintf(r.code, sizeof r.code, "%s", code);
	tell_part(c, a, &r);
	finish(c, a);
}

/* ---- the end of the session ---- */

static void
lose(struct wire_conn *c, struct my_ask *a)
{
	struct wire_part r = { .outcome = WIRE_LOST };

	if (a->kind == MY_ASK_PREPARE)
		my_stmt_drop(c, a->stmt);
	if (a->deferred)
		my_execute(c, a, (struct span){ NULL, 0 }, true);
	if (a->statement) {
		if (a->wait == 0)
			a->start = a->wait = a->x.sent > c->answered ? a->x.sent : c->answered;
		stop_waiting(c, a);
		tell_part(c, a, &r);
	}
	finish(c, a);
}

void
my_asks_lost(struct wire_conn *c)
{
	struct my_ask *a = c->head, *next;

	c->head = c->tail = NULL;
	c->nasks = 0;
	for (; a; a = next) {
		next = a->next;
		lose(c, a);
	}
}
