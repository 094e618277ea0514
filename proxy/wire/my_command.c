/* SPDX-License-Identifier: Apache-2.0 */
/* my_command: what the client sends: each command becomes an ask with the shape of its answer, statements are told as they are asked.
 * Clients may send many commands before the first answer. Never: reads authentication data, files or long data. */
#include "my_conn.h"

enum {
	ID_BYTES = 1 + 4,		/* command and statement id */
	LONG_DATA_BYTES = ID_BYTES + 2,	/* and the parameter's number */
	EXECUTE_FLAGS = 5, EXECUTE_CURSOR = 0x07,
	MAX_ATTRIBUTES = 64,		/* query attributes told per text */
};

uint32_t
my_command_keep(const struct wire_conn *c, uint8_t first)
{
	if (c->authenticating || c->uploading)
		return 0;
	return first == MY_COM_STMT_SEND_LONG_DATA ? LONG_DATA_BYTES : LIMIT_WIRE_CAPTURE + 1;
}

/* ---- statements ---- */

/* The question holds statements: from here on its parts are told. */
static void
ask_statement(struct wire_conn *c, struct my_ask *a)
{
	a->statement = true;
	a->x.round_trips = c->waits;
	c->waits = 0;
}

static void
command_query(struct wire_conn *c, const struct my_message *m)
{
	struct my_ask *a = my_ask_new(c, MY_ASK_TEXT, MY_COM_QUERY, NULL);
	struct bytes b = bytes_of(span_from(m->body, 1));
	struct wire_value values[MAX_ATTRIBUTES];
	struct span names[MAX_ATTRIBUTES];
	struct wire_params attrs = { 0 };
	bool readable = true;

	if (!a)
		return;
	if (c->dialect.caps & MY_CAP_QUERY_ATTRIBUTES)
		readable = my_query_attributes(&b, &attrs, values, names, MAX_ATTRIBUTES);

	struct span text = readable ? span_first(bytes_rest(&b), LIMIT_WIRE_TEXT) : (struct span){ NULL, 0 };
	bool cut = !readable || m->size > m->body.n || text.n < bytes_left(&b);

	ask_statement(c, a);
	c->ops->query(c->ctx, &a->x, text, cut, attrs.n ? &attrs : NULL, false);
}

static void
command_prepare(struct wire_conn *c, const struct my_message *m)
{
	struct my_ask *a = my_ask_new(c, MY_ASK_PREPARE, MY_COM_STMT_PREPARE, NULL);
	struct span text = span_first(span_from(m->body, 1), LIMIT_WIRE_TEXT);
	struct my_stmt *s;

	if (!a)
		return;
	s = my_stmt_new(c);
	if (!s) {
		my_opaque(c, WIRE_OPAQUE_MEMORY, "a prepared statement");
		return;
	}
	a->stmt = s;
	s->refs++;
	c->ops->prepare(c->ctx, &s->pub, SPAN_LIT(""), text, m->size - 1 > text.n);
}

static struct my_stmt *
named_stmt(struct wire_conn *c, const struct my_message *m)
{
	return m->body.n < ID_BYTES ? NULL : my_stmt_find(c, load_le32(m->body.p + 1));
}

/* A new execution or a reset closes the cursor; while an answer for the statement is on its way, that answer decides. */
static void
close_cursor(struct wire_conn *c, struct my_stmt *s)
{
	if (s->refs == 1)
		my_cursor_end(c, s, true, NULL);
}

static void
command_execute(struct wire_conn *c, const struct my_message *m)
{
	struct my_stmt *s = named_stmt(c, m);
	bool bulk = m->first == MY_COM_STMT_BULK_EXECUTE;
	struct my_ask *a;

	if (s)
		close_cursor(c, s);
	a = my_ask_new(c, MY_ASK_BINARY, m->first, s);
	if (!a)
		return;
	if (s)
		my_stmt_used(c, s);
	a->wants_cursor = !bulk && m->body.n > EXECUTE_FLAGS && m->body.p[EXECUTE_FLAGS] & EXECUTE_CURSOR;
	ask_statement(c, a);
	a->x.prepared = s ? &s->pub : NULL;
	if (s && !s->prepared) {
		/* Its PREPARE is still on the way: parameters can be told once their number is known. */
		a->statement = false;
		a->deferred = true;
		if (m->size > m->body.n || !my_ask_hold(c, a, m->body))
			my_execute(c, a, (struct span){ NULL, 0 }, true);
	} else {
		my_execute(c, a, m->body, m->size > m->body.n);
	}
}

static void
command_fetch(struct wire_conn *c, const struct my_message *m)
{
	struct my_stmt *s = named_stmt(c, m);

	if (my_ask_new(c, MY_ASK_FETCH, MY_COM_STMT_FETCH, s) && s && s->cursor) {
		s->cursor->x.round_trips += c->waits;
		c->waits = 0;
	}
}

static void
command_long_data(struct wire_conn *c, const struct my_message *m)
{
	struct my_stmt *s = named_stmt(c, m);

	if (s && m->body.n >= LONG_DATA_BYTES)
		my_stmt_long(c, s, load_le16(m->body.p + ID_BYTES));
}

static void
command_stmt_reset(struct wire_conn *c, const struct my_message *m)
{
	struct my_stmt *s = named_stmt(c, m);

	if (s) {
		close_cursor(c, s);
		my_stmt_forget_long(c, s);
	}
	my_ask_new(c, MY_ASK_SIMPLE, MY_COM_STMT_RESET, NULL);
}

/* ---- the session ---- */

static void
tell_attributes(struct wire_conn *c, struct span block)
{
	struct bytes b = bytes_of(block);
	struct span name, value;

	while (my_attribute_next(&b, &name, &value))
		my_fact(c, WIRE_FACT_STARTUP, name, value);
}

static void
command_change_user(struct wire_conn *c, const struct my_message *m)
{
	struct bytes b = bytes_of(span_from(m->body, 1));
	struct span user, database;

	if (!my_ask_new(c, MY_ASK_AUTH, MY_COM_CHANGE_USER, NULL))
		return;
	my_stmts_drop(c);
	c->authenticating = true;
	user = bytes_cstr(&b);
	bytes_skip(&b, bytes_u8(&b));
	database = bytes_cstr(&b);
	if (b.bad)
		return;
	my_fact(c, WIRE_FACT_STARTUP, SPAN_LIT("user"), user);
	my_fact(c, WIRE_FACT_STARTUP, SPAN_LIT("database"), database);
	my_charset_tell(c, bytes_le16(&b));
	if (c->dialect.caps & MY_CAP_PLUGIN_AUTH)
		bytes_cstr(&b);
	if (c->dialect.caps & MY_CAP_CONNECT_ATTRS && !b.bad)
		tell_attributes(c, bytes_lenenc_span(&b));
}

static void
command_init_db(struct wire_conn *c, const struct my_message *m)
{
	struct my_ask *a = my_ask_new(c, MY_ASK_SIMPLE, MY_COM_INIT_DB, NULL);

	if (a)
		my_ask_hold(c, a, span_first(span_from(m->body, 1), LIMIT_NAME));
}

/* ---- all ---- */

static void
command_other(struct wire_conn *c, const struct my_message *m)
{
	switch (m->first) {
	case MY_COM_QUIT:
		break;
	case MY_COM_FIELD_LIST:
		my_ask_new(c, MY_ASK_FIELDS, m->first, NULL);
		break;
	case MY_COM_STATISTICS:
		my_ask_new(c, MY_ASK_STRING, m->first, NULL);
		break;
	case MY_COM_PROCESS_INFO:
		my_ask_new(c, MY_ASK_TEXT, m->first, NULL);
		break;
	case MY_COM_RESET_CONNECTION:
		if (my_ask_new(c, MY_ASK_SIMPLE, m->first, NULL))
			my_stmts_drop(c);
		break;
	case MY_COM_REFRESH: case MY_COM_SHUTDOWN: case MY_COM_PROCESS_KILL: case MY_COM_DEBUG: case MY_COM_PING: case MY_COM_REGISTER_SLAVE:
	case MY_COM_SET_OPTION:
		my_ask_new(c, MY_ASK_SIMPLE, m->first, NULL);
		break;
	case MY_COM_BINLOG_DUMP: case MY_COM_BINLOG_DUMP_GTID: case MY_COM_CLONE: case MY_COM_SUBSCRIBE_GROUP_REPLICATION:
		my_opaque(c, WIRE_OPAQUE_REPLICATION, "the client asked for a stream");
		break;
	case MY_COM_MULTI:
		if (c->dialect.ext & MY_EXT_COM_MULTI) {
			my_opaque(c, WIRE_OPAQUE_LEGACY, "COM_MULTI");
			break;
		}
		/* fall through */
	default:
		my_ask_new(c, MY_ASK_ERROR, m->first, NULL);
	}
}

static void
command(struct wire_conn *c, const struct my_message *m)
{
	switch (m->first) {
	case MY_COM_QUERY:
		command_query(c, m);
		break;
	case MY_COM_STMT_PREPARE:
		command_prepare(c, m);
		break;
	case MY_COM_STMT_EXECUTE: case MY_COM_STMT_BULK_EXECUTE:
		command_execute(c, m);
		break;
	case MY_COM_STMT_FETCH:
		command_fetch(c, m);
		break;
	case MY_COM_STMT_SEND_LONG_DATA:
		command_long_data(c, m);
		break;
	case MY_COM_STMT_CLOSE:
		my_stmt_drop(c, named_stmt(c, m));
		break;
	case MY_COM_STMT_RESET:
		command_stmt_reset(c, m);
		break;
	case MY_COM_CHANGE_USER:
		command_change_user(c, m);
		break;
	case MY_COM_INIT_DB:
		command_init_db(c, m);
		break;
	default:
		command_other(c, m);
	}
}

/* File content after a LOCAL INFILE request; an empty packet ends it. */
static void
upload(struct wire_conn *c, const struct my_message *m)
{
	if (c->head && m->size)
		c->head->extra += m->wire;
	c->uploading = m->size != 0;
}

void
my_command(struct wire_conn *c, const struct my_message *m)
{
	if (c->authenticating)
		return;
	if (c->uploading)
		upload(c, m);
	else if (m->seq != 0)
		my_opaque(c, WIRE_OPAQUE_OUT_OF_STEP, "a command does not begin with sequence id 0");
	else if (m->size == 0)
		my_ask_new(c, MY_ASK_ERROR, 0, NULL);
	else
		command(c, m);
}

void
my_auth_begin(struct wire_conn *c)
{
	if (my_ask_new(c, MY_ASK_AUTH, 0, NULL))
		c->authenticating = true;
	c->waits = 0;
}
