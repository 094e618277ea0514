/* SPDX-License-Identifier: Apache-2.0 */
/* my_conn: what the files of the MySQL parser share: one session's state and who may change which part of it.
 * Never: seen outside proxy/wire/my_*.c and their tests; the outside knows wire.h.
 *
 * Ownership: wire_conn owns everything. An ask (one command that expects an answer) lives from its command to the end of its answer, an
 * open cursor's until the cursor ends. A statement lives while the client can name it or an ask refers to it (counted). */
#ifndef ROWCALL_MY_CONN_H
#define ROWCALL_MY_CONN_H

#include "fingerprint/limits.h"
#include "my_packet.h"
#include "wire.h"

/* ---- packets ---- */

/* One whole message (all its packets), or the first bytes of it. */
struct my_message {
	struct span body;	/* the beginning of the payload; borrowed for the call */
	uint64_t size;		/* payload bytes, all of them */
	uint64_t wire;		/* the same and the packet headers */
	uint64_t began;		/* ns: its first byte was read */
	uint8_t first, seq;	/* first payload byte (0 when empty), first sequence id */
};

/* One direction: what of the current message has arrived. */
struct my_leg {
	struct my_message m;	/* body is not set before the end */
	struct strbuf kept;	/* owns memory only while a message is incomplete and wanted */
	uint32_t left;		/* payload bytes of the current packet still to come */
	uint8_t header[MY_HEADER];
	uint8_t have;		/* header bytes seen */
	bool inside;		/* a message is incomplete */
	bool continued;		/* the current packet is full: another one follows */
	bool row;		/* the message is a row: its bytes are lent as they come */
};

/* ---- statements ---- */

struct my_stmt {
	struct wire_prepared pub;	/* first: the watcher's pointer is ours */
	struct my_stmt *chain;		/* in its bucket */
	struct my_stmt *older, *newer;	/* order of use */
	uint32_t id;
	uint32_t refs;			/* asks, and 1 while the client can name it */
	bool prepared;			/* PREPARE-OK has come: id and nparams are known */
	bool gone;			/* closed, failed or reset: no longer to be found */
	bool puzzling;			/* long data came before PREPARE-OK: parameters cannot be told */
	char failed[8];			/* error number of its PREPARE */
	uint16_t *types;		/* one per parameter, as last sent; NULL = never */
	uint8_t *longs;			/* bit per parameter: sent as long data since the last execution */
	uint32_t nlongs;		/* bytes of longs */
	struct strbuf columns;		/* column definitions, as packets, where a later result may come without */
	uint32_t ncolumns;
	struct my_ask *cursor;		/* the open cursor's ask; owned */
};

struct my_stmts {
	struct my_stmt **buckets;	/* a power of two; NULL until the first statement */
	uint32_t nbuckets, n;
	struct my_stmt *oldest, *newest;/* by use */
	struct my_stmt *last;		/* prepared last: what id -1 means; NULL when it is gone */
	uint32_t bytes;			/* of types, longs and columns, against LIMIT_MY_MEMORY */
};

/* ---- questions ---- */

enum my_kind {
	MY_ASK_SIMPLE,		/* OK, EOF or ERR */
	MY_ASK_ERROR,		/* ERR and nothing else: a command we do not know */
	MY_ASK_STRING,		/* one packet of any content */
	MY_ASK_TEXT,		/* results with text rows, LOCAL INFILE */
	MY_ASK_BINARY,		/* results with binary rows, or a cursor */
	MY_ASK_FETCH,		/* rows of a cursor */
	MY_ASK_FIELDS,		/* definitions without a count */
	MY_ASK_PREPARE,
	MY_ASK_AUTH,		/* an authentication exchange, up to OK or ERR */
};

/* A command that expects an answer, and its answer so far. */
struct my_ask {
	struct wire_exec x;	/* first: the watcher's pointer is ours */
	struct my_ask *next;
	struct my_stmt *stmt;	/* counted; NULL = none or unknown */
	uint64_t start;		/* ns: when the wait of the current part began */
	uint64_t wait;		/* ns: the same for the current answer (a fetch) */
	uint64_t busy;		/* ns waited in the earlier answers of the current part */
	uint64_t rows, affected, insert_id, extra;	/* of the current part; extra: file bytes sent */
	uint32_t rows_lent, bytes_lent;
	uint8_t kind, command;
	bool statement;		/* holds statements: its parts are told */
	bool deferred;		/* its execute() waits for the PREPARE-OK */
	bool wants_cursor;
	bool result;		/* the current part has columns */
	struct strbuf held;	/* payload of a deferred execution, name of an INIT_DB */
};

enum my_state {
	MY_FIRST,		/* the first packet of an answer or of its next result */
	MY_COLUMNS, MY_COLUMNS_END,
	MY_ROWS,
	MY_PARAMS, MY_PARAMS_END,	/* of a PREPARE */
	MY_FIELDS,
};

/* The answer at the head of the queue. */
struct my_answer {
	enum my_state state;
	uint64_t ncolumns, left;	/* columns of the result; definitions still to come */
	uint32_t prepare_columns;	/* of a PREPARE, until its parameters are over */
	bool described;			/* and whether definitions follow */
	bool keep_columns;		/* definitions are collected */
	bool lend;			/* someone still wants rows or bytes of this part */
	struct strbuf columns;		/* collected definitions, as packets */
	uint16_t *types;		/* of the columns, while rows are lent; owned */
	uint32_t ntypes;
};

/* ---- the session ---- */

enum my_phase { MY_DIAL, MY_GREETING, MY_RESPONSE, MY_CLIENT_TLS, MY_SERVER_TLS, MY_SERVER_SECURED, MY_SHIFTED, MY_PIPED };

/* What only the handshake needs; freed when it is over. */
struct my_handshake {
	struct my_greeting greeting;	/* spans are not valid */
	uint32_t offered;		/* server capabilities as relayed to the client */
	uint32_t masked;		/* capabilities taken out of greeting and response */
	bool client_tls, server_tls;
	bool server_early;		/* server bytes wait unread behind the greeting */
	uint8_t client_seq;		/* last sequence id seen from, or written to, the client */
	bool greeted;
	bool sha2;			/* the plugin in use is caching_sha2_password */
	bool cold;			/* and the server has asked for the password itself */
	struct strbuf held;		/* the client's response while TLS to the server comes up */
};

struct wire_conn {
	const struct wire_setup *setup;
	const struct wire_ops *ops;
	void *ctx;
	uint64_t now;			/* of the call we are in */
	enum wire_opaque why;
	enum my_phase phase;
	struct my_handshake *hand;	/* NULL when over */
	struct my_dialect dialect;
	bool ready;			/* ops->ready was called */
	bool authenticating;		/* client packets are authentication data */
	bool uploading;			/* client packets are a file */
	uint16_t status;		/* of the last OK or EOF */

	struct my_leg leg[2];		/* by enum wire_leg */

	struct my_ask *head, *tail;	/* oldest first; head is being answered */
	uint32_t nasks, ncursors;
	uint32_t waits;			/* round trips since the last question that held statements */
	uint64_t answered;		/* ns: end of the last answer or part */
	size_t held;			/* bytes of all my_ask.held */
	struct my_answer answer;
	struct my_stmts stmts;
	struct my_name *names;		/* prepared by SQL text */
	uint32_t nnames;

	struct my_ask slot;		/* the one ask of a client that waits for each answer */
	bool slot_used;
};

/* my_engine.c: gives up on the session: ends everything outstanding as lost, releases what the watcher holds, tells why once. */
void my_opaque(struct wire_conn *c, enum wire_opaque why, const char *detail);
void my_fact(const struct wire_conn *c, enum wire_fact kind, struct span name, struct span value);

void my_charset_tell(const struct wire_conn *c, uint16_t collation);

/* my_names.c: wire_engine.find, remember and forget. */
struct wire_prepared *my_name_find(struct wire_conn *c, struct span name);
struct wire_prepared *my_name_remember(struct wire_conn *c, struct span name, void *user);
void my_name_forget(struct wire_conn *c, struct span name);

/* my_command.c: a client message; how much of one that begins with this byte is worth keeping. */
void my_command(struct wire_conn *c, const struct my_message *m);
uint32_t my_command_keep(const struct wire_conn *c, uint8_t first);
/* The authentication exchange of the session's start: the response was relayed. */
void my_auth_begin(struct wire_conn *c);

/* my_answer.c: a server message; how much of it is worth keeping; whether it is a row. */
void my_answer(struct wire_conn *c, const struct my_message *m);
uint32_t my_answer_keep(const struct wire_conn *c, uint8_t first, uint32_t length);
bool my_answer_is_row(const struct wire_conn *c, uint8_t first, uint32_t length);
/* The head of the queue is new: what to expect of its answer. */
void my_answer_begin(struct wire_conn *c);
/* The last column definition was read. */
void my_answer_columns_done(struct wire_conn *c);

/* my_result.c. Rows nobody looks at, and column definitions that are wholly there: bytes used, 0 when the general way must be taken. */
size_t my_rows_skip(struct wire_conn *c, struct span in);
size_t my_columns_whole(struct wire_conn *c, struct span in);
void my_columns_begin(struct wire_conn *c, uint64_t n);
void my_columns_add(struct wire_conn *c, const struct my_message *m);
/* The result comes without definitions: take those its statement remembers. */
void my_columns_recall(struct wire_conn *c);
void my_row(struct wire_conn *c, const struct my_message *m);
void my_row_bytes(struct wire_conn *c, struct span bytes);
void my_result_clear(struct wire_conn *c);

/* my_ask.c. A new last question, about s (may be NULL). NULL: the session has become opaque, nothing of it is left. */
struct my_ask *my_ask_new(struct wire_conn *c, enum my_kind kind, uint8_t command, struct my_stmt *s);
bool my_ask_hold(struct wire_conn *c, struct my_ask *a, struct span bytes);
/* A part of the head's answer has ended. ok NULL: an error, its number in code. */
void my_part_end(struct wire_conn *c, struct my_ask *a, const struct my_ok *ok, const char *code);
/* The head's answer is over: takes it off the queue. */
void my_ask_end(struct wire_conn *c);
/* The head's answer left a cursor open: its ask moves to the statement. */
void my_cursor_open(struct wire_conn *c);
/* The client has waited for one more fetch, since cursor->wait. */
void my_cursor_waited(struct wire_conn *c, struct my_stmt *s);
/* Ends the statement's cursor, if any: at its last row (open false), or before. code: an error ended it. */
void my_cursor_end(struct wire_conn *c, struct my_stmt *s, bool open, const char *code);
void my_asks_lost(struct wire_conn *c);

/* my_params.c: tells ops->execute; payload from the command byte on, NULL bytes when it cannot be told. */
void my_execute(struct wire_conn *c, struct my_ask *a, struct span payload, bool cut);
/* Query attributes before a text: moves b to the text. False when they cannot be read. */
bool my_query_attributes(struct bytes *b, struct wire_params *out, struct wire_value *values, struct span *names, uint32_t cap);

/* my_stmt.c */
struct my_stmt *my_stmt_new(struct wire_conn *c);	/* NULL: memory is out */
struct my_stmt *my_stmt_find(struct wire_conn *c, uint32_t id);
void my_stmt_prepared(struct wire_conn *c, struct my_stmt *s, uint32_t id, uint32_t nparams);
void my_stmt_drop(struct wire_conn *c, struct my_stmt *s);	/* the client can no longer name it; NULL is fine */
void my_stmt_release(struct wire_conn *c, struct my_stmt *s);	/* one reference less */
void my_stmts_drop(struct wire_conn *c);			/* all */
void my_stmts_clear(struct wire_conn *c);
void my_stmt_used(struct wire_conn *c, struct my_stmt *s);
bool my_stmt_types(struct wire_conn *c, struct my_stmt *s, uint32_t n);	/* room for the types of n parameters */
void my_stmt_long(struct wire_conn *c, struct my_stmt *s, uint16_t param);
void my_stmt_forget_long(struct wire_conn *c, struct my_stmt *s);
static inline bool
my_stmt_is_long(const struct my_stmt *s, uint32_t param)
{
	return param / 8 < s->nlongs && s->longs[param / 8] >> (param % 8) & 1;
}

/* my_handshake.c */
enum wire_act my_handshake(struct wire_conn *c, enum wire_leg from, struct span in, size_t *used, struct strbuf *to_client,
    struct strbuf *to_server, uint64_t now);
void my_tls_up(struct wire_conn *c, enum wire_leg leg);
bool my_needs_client(const struct wire_conn *c);
bool my_refuse(struct wire_conn *c, const char *sqlstate, const char *message, struct strbuf *to_client);
void my_handshake_free(struct wire_conn *c);

/* my_types.c */
size_t my_value_text(const struct wire_value *v, char *buf, size_t cap);
/* Length of a binary value of this type at the cursor, which moves past the value and its length bytes. NULL: malformed. */
const uint8_t *my_value_take(struct bytes *b, uint16_t type, uint32_t *n);

#endif
