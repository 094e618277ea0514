/* SPDX-License-Identifier: Apache-2.0 */
/* wire: the contract between a protocol parser and whoever watches a session. Bytes in, events out, for every engine alike.
 * Does: edit the handshake, follow both directions of one session, pair questions with answers. Never: does I/O, reads a clock (time is
 * an argument, monotonic nanoseconds), logs, knows libevent or SQL grammar, allocates by a declared length, or asks for a byte to be held
 * back once the handshake is over.
 *
 * One wire_conn per session, owned by one thread. Splitting the input anywhere does not change the events.
 * What a parser does not understand makes it opaque, once, with a reason; it then ignores all further bytes. */
#ifndef ROWCALL_WIRE_H
#define ROWCALL_WIRE_H

#include "fingerprint/span.h"
#include "fingerprint/strbuf.h"

enum wire_leg { WIRE_CLIENT, WIRE_SERVER };	/* who sent the bytes */

/* TLS policy of a leg. The server leg takes DISABLE .. VERIFY_FULL and MIRROR; the client leg DISABLE, ALLOW, REQUIRE, PASSTHROUGH. */
enum wire_tls {
	WIRE_TLS_DISABLE, WIRE_TLS_PREFER, WIRE_TLS_REQUIRE, WIRE_TLS_VERIFY_CA, WIRE_TLS_VERIFY_FULL,
	WIRE_TLS_MIRROR, WIRE_TLS_ALLOW, WIRE_TLS_PASSTHROUGH,
};

struct wire_setup {
	enum wire_tls client_tls, server_tls;
	bool client_is_unix;	/* clients come over a Unix socket: some show a password there as they do under TLS */
	bool server_is_unix;	/* the upstream is a Unix socket: no TLS there, whatever server_tls says */
	bool same_certificate;	/* client leg shows the server's own certificate: channel binding survives */
	bool compression;	/* leave MySQL compression alone (the session then turns opaque); default: mask it */
};

/* ---- what is asked and answered ---- */

enum wire_outcome {
	WIRE_OK,
	WIRE_EMPTY,	/* an empty statement */
	WIRE_ERROR,
	WIRE_SKIPPED,	/* never executed: an earlier error in the pipeline, or a later part of a failed text */
	WIRE_LOST,	/* the connection ended (or the session turned opaque) before the answer */
};

/* One bound or returned value. n = -1: NULL. n = -2: not available (sent as long data, cut, or its type is not known). */
struct wire_value {
	const uint8_t *p;	/* borrowed for the call */
	int32_t n;
	uint32_t type;		/* PostgreSQL: type oid (0 unknown); MySQL: type byte | 0x8000 unsigned */
	bool binary;
};

struct wire_params {
	uint32_t n;
	const struct wire_value *values;
	const struct span *names;	/* MySQL query attributes: names ("" = an ordinary parameter); else NULL */
	bool cut;			/* some values were beyond the capture limit */
};

struct wire_column {
	struct span name;		/* label; all spans borrowed for the call */
	struct span table, org_table, org_name;	/* MySQL; empty on PostgreSQL */
	uint32_t table_oid;		/* PostgreSQL; 0 = not a table column */
	uint16_t attnum;
	uint32_t type;
	bool binary;
};

/* One prepared statement of the session. The parser owns it; `user` is the watcher's, released in ops->unprepare. */
struct wire_prepared {
	void *user;
	uint32_t nparams;		/* as far as known */
	uint32_t executions;
};

/* One question that can hold statements: a Query, an Execute of a portal (all its fetches), a COM_QUERY, a COM_STMT_EXECUTE. */
struct wire_exec {
	uint64_t sent;			/* ns: when its last byte had been read from the client */
	uint64_t first, end;		/* ns: first and last byte of the current part's answer; 0 = not yet */
	uint64_t busy;			/* ns the client waited for it, think time between fetches excluded */
	uint64_t bytes;			/* answer bytes of the current part */
	uint32_t parts;			/* parts ended so far */
	uint32_t round_trips;		/* waits of the client since the question before, this one included; 0 = rode along in a pipeline */
	uint32_t iterations;		/* MariaDB bulk: parameter sets; else 1 */
	bool batch;			/* shares its answer's arrival with neighbours: its own duration cannot be told */
	struct wire_prepared *prepared;	/* NULL for plain text */
	/* The watcher's own: */
	uint32_t want_rows, want_bytes;	/* set in query()/execute(): lend this many rows to row(), bytes to data() */
	void *user, *evidence;
	uint64_t tag[2];
};

/* One ended part: one statement of a text, one Execute. */
struct wire_part {
	enum wire_outcome outcome;
	uint64_t start, first, end;	/* ns: when its wait began (sent, or the end of the part before), first and last byte */
	uint64_t busy;			/* ns the client waited for this part */
	uint64_t rows;			/* rows that came back, over all fetches */
	uint64_t affected;		/* rows the command tag or OK packet says */
	uint64_t insert_id;		/* MySQL: generated id, 0 = none */
	uint64_t bytes;			/* answer and COPY bytes */
	char code[8];			/* SQLSTATE, or MySQL error number; "" unless WIRE_ERROR */
	struct span command;		/* PostgreSQL command tag ("DEALLOCATE ALL"); empty else; borrowed */
	bool batch;
	bool result;			/* MySQL: it had columns, not only an OK packet */
	bool open;			/* a cursor/portal that was closed before its end */
	bool fresh;			/* PostgreSQL: the first to end since the server was ready for a question: what an undone() is about begins with it */
};

enum wire_tx { WIRE_TX_IDLE, WIRE_TX_OPEN, WIRE_TX_FAILED };

enum wire_fact {
	WIRE_FACT_STARTUP,	/* startup parameter or connection attribute: "user", "database", "application_name", "program_name", ... */
	WIRE_FACT_STATUS,	/* ParameterStatus or session tracking: the server's word on a setting */
	WIRE_FACT_SERVER,	/* "server_version" */
};

enum wire_opaque {
	WIRE_CLEAR,
	/* expected */
	WIRE_OPAQUE_REPLICATION, WIRE_OPAQUE_PASSTHROUGH, WIRE_OPAQUE_COMPRESSION, WIRE_OPAQUE_CANCEL, WIRE_OPAQUE_LEGACY,
	/* unexpected */
	WIRE_OPAQUE_UNKNOWN_TYPE, WIRE_OPAQUE_BAD_LENGTH, WIRE_OPAQUE_OUT_OF_STEP, WIRE_OPAQUE_LIMIT, WIRE_OPAQUE_MEMORY,
	WIRE_OPAQUE_REASONS
};
const char *wire_opaque_name(enum wire_opaque why);	/* "replication", ... */
bool wire_opaque_expected(enum wire_opaque why);

/* What the parser tells. Every span and pointer is borrowed for the call unless it says otherwise. No call may re-enter the parser,
 * except wire_engine.find/forget. ops may leave row, data, columns, undone and cancel_key NULL. */
struct wire_ops {
	/* A text that holds any number of statements. attrs: MySQL query attributes or NULL. function_call: PostgreSQL FunctionCall, text empty. */
	void (*query)(void *ctx, struct wire_exec *x, struct span text, bool cut, const struct wire_params *attrs, bool function_call);
	/* A statement was sent for preparation. p is already valid, p->user is the watcher's to set. */
	void (*prepare)(void *ctx, struct wire_prepared *p, struct span name, struct span text, bool cut);
	/* p goes away (closed, replaced, failed, reset): release p->user. */
	void (*unprepare)(void *ctx, struct wire_prepared *p);
	/* One execution. p NULL: prepared before capture, or unknown. params NULL: none or not decodable. */
	void (*execute)(void *ctx, struct wire_exec *x, struct wire_prepared *p, const struct wire_params *params);
	void (*columns)(void *ctx, struct wire_exec *x, const struct wire_column *cols, uint32_t n);
	/* One of the first want_rows rows; values beyond LIMIT_WIRE_ROW bytes are n = -2. */
	void (*row)(void *ctx, struct wire_exec *x, const struct wire_value *values, uint32_t n);
	/* The next bytes of row payload, until want_bytes were lent. */
	void (*data)(void *ctx, struct wire_exec *x, struct span bytes);
	/* One statement ended. */
	void (*part)(void *ctx, struct wire_exec *x, const struct wire_part *r);
	/* No more parts; x dies after the call. */
	void (*done)(void *ctx, struct wire_exec *x);
	/* The server's transaction state, when it changes (Z byte; IN_TRANS flag). */
	void (*transaction)(void *ctx, enum wire_tx tx, uint64_t now);
	void (*fact)(void *ctx, enum wire_fact kind, struct span name, struct span value);
	/* PostgreSQL: an error ended a transaction that nobody had begun, that of a text of several statements or of a pipeline: nothing stays of
	 * what had ended well since the last fresh part, or since the last COMMIT or ROLLBACK behind it. Before a change of the state is told. */
	void (*undone)(void *ctx, uint64_t now);
	/* Session state was reset by the protocol (COM_RESET_CONNECTION, COM_CHANGE_USER). */
	void (*reset)(void *ctx, uint64_t now);
	/* An error that answers nothing (FATAL at idle); code as in wire_part. */
	void (*notice)(void *ctx, const char *code, uint64_t now);
	/* Authentication is over and the session takes statements. */
	void (*ready)(void *ctx, uint64_t now);
	void (*opaque)(void *ctx, enum wire_opaque why, const char *detail);
	/* PostgreSQL BackendKeyData body (pid and secret): where a later CancelRequest must go. */
	void (*cancel_key)(void *ctx, struct span key);
};

/* ---- the handshake ---- */

enum wire_act {
	WIRE_MORE,		/* wait for more bytes from either side */
	WIRE_DIAL,		/* connect to the upstream now, then call dialed() */
	WIRE_DIAL_CANCEL,	/* the same, to the address that owns wire_engine.cancel_target(); the session is only a CancelRequest */
	WIRE_TLS_START_SERVER,	/* send to_server; then start TLS as a client on the server leg, then call tls_up() */
	WIRE_TLS_START_CLIENT,	/* send to_client; then accept TLS on the client leg, then call tls_up() */
	WIRE_PIPE,		/* editing is over: forward every byte unchanged, lend it to feed() */
	WIRE_BLIND,		/* editing is over and the session is opaque: forward only */
	WIRE_CLOSE,		/* send what is in to_client/to_server, then close both */
};

struct wire_conn;	/* one per session, engine's own */

struct wire_engine {
	const char *name;		/* "postgresql" | "mysql" */
	uint16_t port;			/* default port */
	bool server_first;		/* the server speaks first: dial on accept (handshake() is first called with no bytes and says WIRE_DIAL) */

	/* setup, ops and ctx must outlive the connection. NULL when memory is out. */
	struct wire_conn *(*open)(const struct wire_setup *setup, const struct wire_ops *ops, void *ctx);
	/* Ends everything outstanding as WIRE_LOST, releases prepared statements, frees. */
	void (*free)(struct wire_conn *c, uint64_t now);

	/* Until WIRE_PIPE, WIRE_BLIND or WIRE_CLOSE: hand over all unconsumed bytes of that leg (may be none), get in *used how many were
	 * consumed, and in to_client / to_server what must be sent. Call again while it consumed something or acted. Relayed bytes
	 * are observed inside; do not feed() them. Unconsumed bytes at WIRE_PIPE / WIRE_BLIND are forwarded and fed by the caller.
	 * After WIRE_TLS_START_* *used covers exactly the plaintext; what follows belongs to the TLS engine (client leg of MySQL) or is an attack:
	 * the parser answers that with WIRE_CLOSE where the protocol says so. */
	enum wire_act (*handshake)(struct wire_conn *c, enum wire_leg from, struct span in, size_t *used,
	    struct strbuf *to_client, struct strbuf *to_server, uint64_t now);
	void (*dialed)(struct wire_conn *c);
	void (*tls_up)(struct wire_conn *c, enum wire_leg leg);
	/* Until WIRE_PIPE: true when nothing can go on without more bytes from the client. */
	bool (*needs_client)(const struct wire_conn *c);

	/* After WIRE_PIPE: bytes that have been forwarded. Cheap and silent once opaque. */
	void (*feed)(struct wire_conn *c, enum wire_leg from, struct span bytes, uint64_t now);
	/* That leg sent FIN. */
	void (*eof)(struct wire_conn *c, enum wire_leg from, uint64_t now);

	/* An error of our own in the client's protocol (upstream unreachable, TLS demanded), before anything was relayed; false = just close.
	 * sqlstate: PostgreSQL five letters; the MySQL engine maps it to its own number. */
	bool (*refuse)(struct wire_conn *c, const char *sqlstate, const char *message, struct strbuf *to_client);
	/* After WIRE_DIAL_CANCEL: the key as ops->cancel_key gave it. */
	struct span (*cancel_target)(struct wire_conn *c);

	enum wire_opaque (*opaque)(const struct wire_conn *c);	/* WIRE_CLEAR while understood */
	/* True when no question is outstanding and no transaction is open: a drain may end the session. */
	bool (*idle)(const struct wire_conn *c);

	/* SQL-level PREPARE/EXECUTE/DEALLOCATE: on PostgreSQL they share names with the protocol, on MySQL they have their own. find: NULL when unknown.
	 * remember: a statement the watcher saw prepared by SQL, user is its own; NULL when full. forget: name empty = all. */
	struct wire_prepared *(*find)(struct wire_conn *c, struct span name);
	struct wire_prepared *(*remember)(struct wire_conn *c, struct span name, void *user);
	void (*forget)(struct wire_conn *c, struct span name);

	/* Server text form of a value (binary decoded by type): at most cap bytes, returns the full length; (size_t)-1 for NULL or undecodable. */
	size_t (*value_text)(const struct wire_value *v, char *buf, size_t cap);
};

extern const struct wire_engine pg_engine;
extern const struct wire_engine my_engine;

#endif
