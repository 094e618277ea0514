/* SPDX-License-Identifier: Apache-2.0 */
/* pg_conn: what the PostgreSQL parser's files share: one session's state, its statements, portals and outstanding questions.
 * Never: seen outside proxy/wire/pg_*.c; the outside knows wire.h.
 *
 * Ownership: wire_conn owns everything. Statements and portals are versions of a name (pg_version) and counted by reference: one for
 * the name while it is linked, one per question in the queue, one per portal for its statement. A Query is an exec without a name. */
#ifndef ROWCALL_PG_CONN_H
#define ROWCALL_PG_CONN_H

#include "bytes.h"
#include "fingerprint/limits.h"
#include "wire.h"

/* ---- names ---- */

enum pg_standing {
	PG_PENDING,	/* sent, not yet confirmed by the server */
	PG_LIVE,	/* confirmed */
	PG_GONE,	/* no longer reachable by name */
};

/* One object that carries, carried or asks for a name. Answers come in order, so at most one live version exists, and it is the oldest. */
struct pg_version {
	struct pg_slot *slot;			/* NULL when not linked */
	struct pg_version *older, *newer;
	uint32_t refs;
	uint8_t standing;			/* enum pg_standing */
	bool closing;				/* a Close, or a Query for the unnamed, is under way: later look-ups do not see it */
};

struct pg_slot {
	struct pg_slot *next;			/* in its bucket */
	struct pg_version *newest, *oldest;
	uint64_t hash;
	struct span name;			/* bytes behind the slot */
};

struct pg_names {
	struct pg_slot **buckets;		/* a power of two; NULL until the first named object */
	uint32_t nbuckets, n;
	struct pg_slot unnamed;
	uint64_t seed;
	size_t bytes;				/* of names */
};

/* ---- statements, portals, questions ---- */

enum {
	PG_INLINE_OIDS = 8,
	PG_INLINE_TYPES = 16,
	PG_TAG_BYTES = 64,	/* a command tag is at most this long in every release */
};

struct pg_stmt {
	struct pg_version v;
	struct wire_prepared pub;
	struct pg_stmt *lru_prev, *lru_next;	/* live ones, newest use first; lru_next also chains the free list */
	uint32_t noids;
	uint32_t *oids;				/* inline_oids or owned */
	struct span described;			/* body of its RowDescription, owned; empty = unknown */
	uint32_t inline_oids[PG_INLINE_OIDS];
};

/* Which columns of a result are binary. */
struct pg_formats {
	bool unknown;		/* the Bind was not seen whole */
	bool all;		/* one word for all columns */
	bool mixed;		/* else: one bit per column */
	uint64_t first;		/* bit i: column i is binary */
	uint8_t *rest;		/* columns 64 and up, one byte each; owned */
	uint32_t nrest;
};

enum pg_exec_state {
	PG_BOUND,	/* a portal nobody has executed */
	PG_TOLD,	/* the watcher knows it */
	PG_ENDED,	/* done() was called */
};

/* A Query, a FunctionCall, or a portal with all its Executes. */
struct pg_exec {
	struct pg_version v;
	struct wire_exec pub;
	struct pg_exec *next;			/* free list, or the list of portals whose Bind is only borrowed */
	struct pg_exec *live_prev, *live_next;	/* live portals */
	struct pg_stmt *stmt;			/* counted; NULL = unknown or plain text */
	struct span bind;			/* body of the Bind until the first Execute */
	struct span described;			/* RowDescription that came before the first Execute, owned */
	uint64_t start;				/* ns: when the wait of the current part began */
	uint64_t fetch;				/* ns: when the current fetch's wait began; 0 = not answering */
	uint64_t rows;				/* of the current part */
	uint64_t part_busy;
	uint32_t rows_lent, bytes_lent;		/* of the current part */
	uint32_t group;				/* flush group of its last Execute */
	uint32_t ntypes, types_cap;
	uint32_t *types;			/* type oids of the result's columns: inline_types or owned */
	struct pg_formats formats;
	uint8_t state;				/* enum pg_exec_state */
	bool query;				/* a Query or FunctionCall: ends with ReadyForQuery */
	bool open;				/* ended before its rows did */
	bool bind_owned, bind_cut;
	bool shaped;				/* columns() was called for the current part */
	bool answered;				/* some answer of the current part has arrived */
	uint32_t inline_types[PG_INLINE_TYPES];
};

enum pg_kind {
	PG_QUERY, PG_FUNCTION, PG_PARSE, PG_BIND, PG_DESCRIBE_STMT, PG_DESCRIBE_PORTAL, PG_EXECUTE, PG_CLOSE_STMT, PG_CLOSE_PORTAL, PG_SYNC,
	PG_COPY_END,	/* the client's CopyDone or CopyFail that came before CopyInResponse; nobody answers it */
};
#define PG_BIT(kind) (1u << (kind))
#define PG_ABOUT_STMT (PG_BIT(PG_PARSE) | PG_BIT(PG_DESCRIBE_STMT) | PG_BIT(PG_CLOSE_STMT))
#define PG_ASKS (PG_BIT(PG_QUERY) | PG_BIT(PG_FUNCTION) | PG_BIT(PG_EXECUTE))	/* the watcher was told of these */

struct pg_question {
	uint8_t kind;			/* enum pg_kind */
	bool half;			/* Describe of a statement: 't' has come, 'T' or 'n' has not */
	union {				/* counted; may be NULL */
		struct pg_exec *exec;	/* PG_QUERY, PG_FUNCTION, PG_BIND, PG_DESCRIBE_PORTAL, PG_EXECUTE, PG_CLOSE_PORTAL */
		struct pg_stmt *stmt;	/* PG_PARSE, PG_DESCRIBE_STMT, PG_CLOSE_STMT */
	};
	uint64_t sent;			/* ns */
};

struct pg_queue {
	struct pg_question *q;		/* ring; NULL when nothing was asked for a while */
	uint32_t cap, head, n;
};

/* ---- the session ---- */

/* One message, whole or as much of it as is kept. */
struct pg_msg {
	uint8_t type;
	struct span body;		/* borrowed for the call */
	bool cut;			/* the body is longer than what is here */
	bool pieces;			/* it arrived in pieces, which were lent one by one */
	uint32_t size;			/* with type and length */
	uint64_t began, now;		/* ns: its first and last byte read */
};

/* One direction. */
struct pg_stream {
	struct strbuf kept;		/* body so far of a message in pieces; owns memory only then */
	uint64_t began;
	uint32_t length, left;		/* body bytes: declared, still to come */
	uint32_t keep;			/* keep at most this many of them */
	uint8_t header[5];
	uint8_t have;			/* header bytes seen */
};

enum pg_phase { PG_AUTH, PG_READY };

struct pg_handshake;

struct wire_conn {
	const struct wire_setup *setup;
	const struct wire_ops *ops;
	void *ctx;
	struct pg_handshake *hs;	/* NULL once editing is over */
	struct pg_stream stream[2];	/* by enum wire_leg */
	struct pg_queue queue;
	struct pg_names statements, portals;
	struct pg_stmt *lru_first, *lru_last;
	uint32_t nstmts;		/* statements that have a name, live or pending */
	size_t kept;			/* bytes owned by Binds, descriptions and type lists */
	struct pg_exec *live_portals;
	uint32_t nportals;		/* named ones, live or pending */
	struct pg_exec *borrowed;	/* portals whose Bind still points into the bytes being fed */
	struct pg_exec *free_execs;
	struct pg_stmt *free_stmts;
	uint32_t nfree_execs, nfree_stmts;
	/* A Query's last ended part, held until it is known whether another follows. */
	struct pg_exec *held;
	struct wire_part held_part;
	char held_tag[PG_TAG_BYTES];
	uint64_t last_end;		/* ns: end of the last ended fetch or part */
	uint32_t waits;			/* of the client since the last question */
	uint32_t group;			/* flush group of the next Execute */
	struct pg_exec *group_peer;	/* newest unended exec of that group */
	uint32_t group_execs;
	uint32_t swallowed;		/* Syncs dropped because a COPY took them */
	uint8_t phase;			/* enum pg_phase */
	uint8_t tx;			/* enum wire_tx */
	bool ended, well, failed;	/* since the server was ready a part has ended; well; something failed */
	bool skipping;			/* after an error: the server discards until Sync, which has not come */
	bool unblamed;			/* and no Execute has come yet that the error answers; it is about the head of the queue */
	bool all_told;			/* and the client has asked nothing since */
	char unblamed_code[8];		/* its SQLSTATE */
	bool copy_in;			/* CopyInResponse has come, the client's end of data has not */
	bool two_certificates;		/* TLS on both legs, the client sees another certificate than the server's */
	bool closed;			/* everything outstanding was ended */
	uint8_t why;			/* enum wire_opaque */
	const char *detail;
};

/* pg_wire.c */
/* Turns the session opaque; takes effect when the current message is over. Only the first call counts. */
void pg_opaque(struct wire_conn *c, enum wire_opaque why, const char *detail);
/* Carries that out; between messages. */
void pg_settle(struct wire_conn *c, uint64_t now);
void pg_feed(struct wire_conn *c, enum wire_leg from, struct span bytes, uint64_t now);

/* pg_startup.c */
enum wire_act pg_handshake(struct wire_conn *c, enum wire_leg from, struct span in, size_t *used, struct strbuf *to_client,
    struct strbuf *to_server, uint64_t now);
void pg_dialed(struct wire_conn *c);
void pg_tls_up(struct wire_conn *c, enum wire_leg leg);
bool pg_needs_client(const struct wire_conn *c);
bool pg_refuse(struct wire_conn *c, const char *sqlstate, const char *message, struct strbuf *to_client);
struct span pg_cancel_target(struct wire_conn *c);
bool pg_handshake_open(struct wire_conn *c);
void pg_handshake_free(struct wire_conn *c);

/* pg_names.c: slots and versions; no events. */
void pg_names_init(struct pg_names *names, uint64_t seed);
/* The version a client means now; NULL when unknown or being closed. */
struct pg_version *pg_names_find(struct pg_names *names, struct span name);
/* Links v as the newest version of the name and takes a reference. False when memory is out. */
bool pg_names_link(struct pg_names *names, struct span name, struct pg_version *v);
/* Unlinks and sets PG_GONE; the caller drops the name's reference. */
void pg_names_unlink(struct pg_names *names, struct pg_version *v);
/* Frees the table; every version must be unlinked by then. */
void pg_names_clear(struct pg_names *names);

/* pg_stmt.c */
/* A pending statement from a Parse body; NULL when it cannot be remembered. The caller gets one reference beside the name's. */
struct pg_stmt *pg_stmt_parse(struct wire_conn *c, struct span name, struct span text, bool cut, struct bytes *oids);
struct pg_stmt *pg_stmt_remember(struct wire_conn *c, struct span name, void *user);
void pg_stmt_confirm(struct wire_conn *c, struct pg_stmt *s);	/* '1' */
void pg_stmt_gone(struct wire_conn *c, struct pg_stmt *s);	/* closed, failed, replaced; NULL is fine */
void pg_stmt_unref(struct wire_conn *c, struct pg_stmt *s);	/* NULL is fine */
void pg_stmt_touch(struct wire_conn *c, struct pg_stmt *s);	/* used just now */
void pg_stmt_types(struct wire_conn *c, struct pg_stmt *s, struct span body, bool cut);		/* 't' */
void pg_stmt_describe(struct wire_conn *c, struct pg_stmt *s, struct span body, bool cut);	/* 'T' after it */
void pg_stmt_forget_all(struct wire_conn *c);			/* live named ones */
void pg_stmt_free_all(struct wire_conn *c);

static inline struct pg_stmt *
pg_stmt_ref(struct pg_stmt *s)
{
	if (s)
		s->v.refs++;
	return s;
}

/* pg_exec.c */
/* An empty exec with one reference; NULL (and the session opaque) when memory is out. */
struct pg_exec *pg_exec_new(struct wire_conn *c);
void pg_exec_unref(struct wire_conn *c, struct pg_exec *x);			/* NULL is fine */
/* x becomes the pending portal of that name. body: the Bind, borrowed until pg_exec_own_binds. */
void pg_exec_bind(struct wire_conn *c, struct pg_exec *x, struct span portal, struct span body, bool cut);
/* Copies the Binds that still point into the bytes being fed; before those go away. */
void pg_exec_own_binds(struct wire_conn *c);
void pg_exec_confirm(struct wire_conn *c, struct pg_exec *x, uint64_t now);	/* '2'; NULL is fine */
/* The portal dies; when it was executed and has not ended, its statement ends with open = true. NULL is fine. */
void pg_exec_gone(struct wire_conn *c, struct pg_exec *x, uint64_t now);
void pg_exec_portals_gone(struct wire_conn *c, uint64_t now);			/* all live ones */
/* Asked: a Query or FunctionCall; an Execute. */
void pg_exec_query(struct wire_conn *c, struct pg_exec *x, struct span text, bool cut, bool function_call, uint64_t now);
void pg_exec_execute(struct wire_conn *c, struct pg_exec *x, uint64_t now);
/* The client made the server flush: Sync, Flush. */
void pg_exec_flush_point(struct wire_conn *c);
/* Answered. begin: the first byte of a message about x was read; sent: when its question was. answer: all of it was. */
void pg_exec_begin(struct wire_conn *c, struct pg_exec *x, uint64_t began, uint64_t sent);
void pg_exec_answer(struct pg_exec *x, const struct pg_msg *m);
void pg_exec_suspend(struct wire_conn *c, struct pg_exec *x, uint64_t now);
/* One statement of x ended. A portal is done with it; a Query's part is held until pg_exec_answer or pg_exec_done. */
void pg_exec_part(struct wire_conn *c, struct pg_exec *x, enum wire_outcome outcome, const char *code, struct span tag, uint64_t now);
void pg_exec_done(struct wire_conn *c, struct pg_exec *x);
void pg_exec_lost(struct wire_conn *c, struct pg_exec *x, uint64_t now);	/* the connection ended under it */
void pg_exec_free_all(struct wire_conn *c);

/* pg_result.c */
/* Values of a Bind, decoded without a copy. */
struct pg_values {
	struct wire_params params;
	struct wire_value few[64], *many;	/* params.values is one of them; many: owned */
};
/* False when x has no readable Bind. Sets the result formats. values must be released either way. */
bool pg_bind_read(struct wire_conn *c, struct pg_exec *x, struct pg_values *values);
void pg_bind_release(struct pg_values *values);
/* A RowDescription adds up; else the session is opaque. */
bool pg_result_check(struct wire_conn *c, struct span body, bool cut);
/* A RowDescription for x. own_formats: the formats of the Bind hold, not those of the message. */
void pg_result_shape(struct wire_conn *c, struct pg_exec *x, struct span body, bool cut, bool own_formats);
/* A copy that counts against what the connection may keep, for pg_kept_drop; empty: it may keep no more, or memory is out. */
struct span pg_kept_copy(struct wire_conn *c, struct span bytes);
void pg_kept_drop(struct wire_conn *c, struct span *kept);
/* A RowDescription that came before the first Execute: kept until then. */
void pg_result_keep(struct wire_conn *c, struct pg_exec *x, struct span body, bool cut);
/* The first Execute was told: the kept description is told after it. */
void pg_result_kept(struct wire_conn *c, struct pg_exec *x);
/* The result begins: if nobody described it, its statement's description serves. */
void pg_result_begin(struct wire_conn *c, struct pg_exec *x);
bool pg_result_wants_row(const struct wire_conn *c, const struct pg_exec *x);
bool pg_result_wants_data(const struct wire_conn *c, const struct pg_exec *x);
void pg_result_row(struct wire_conn *c, struct pg_exec *x, const struct pg_msg *m);
void pg_result_data(struct wire_conn *c, struct pg_exec *x, struct span piece);
void pg_result_clear(struct wire_conn *c, struct pg_exec *x);

/* pg_queue.c */
/* A new last question, the objects not yet set; NULL (and the session opaque) when there are too many or memory is out. */
struct pg_question *pg_queue_push(struct wire_conn *c, enum pg_kind kind, uint64_t now);
static inline struct pg_question *
pg_queue_at(struct wire_conn *c, uint32_t i)
{
	return &c->queue.q[(c->queue.head + i) & (c->queue.cap - 1)];
}
static inline struct pg_question *
pg_queue_head(struct wire_conn *c)
{
	return c->queue.n ? pg_queue_at(c, 0) : NULL;
}
/* The head was answered. */
void pg_queue_pop(struct wire_conn *c);
/* The i-th question was never there (a swallowed Sync, a used marker). */
void pg_queue_remove(struct wire_conn *c, uint32_t i);
/* Is there a Sync among them? */
bool pg_queue_synced(struct wire_conn *c);
/* The server discards everything up to the next Sync. blamed (may be NULL) failed with code; the other Executes were skipped. Before Sync is
 * there, what else was asked stays, since the client may still name it. */
void pg_queue_skip(struct wire_conn *c, const struct pg_exec *blamed, const char *code, uint64_t now);
/* Ends everything outstanding as lost and frees what the session remembers. */
void pg_queue_lose(struct wire_conn *c, uint64_t now);

/* pg_client.c, pg_server.c */
void pg_client_message(struct wire_conn *c, const struct pg_msg *m);
void pg_server_message(struct wire_conn *c, const struct pg_msg *m);
/* The Sync has come, as the last question, up to which the server discards. */
void pg_server_skip(struct wire_conn *c, const struct pg_msg *sync);
/* A DataRow that is not whole yet has begun. */
void pg_server_row_begins(struct wire_conn *c, uint64_t began);
/* The exec whose rows or COPY data are arriving, or NULL. */
struct pg_exec *pg_server_receiving(struct wire_conn *c);

/* pg_types.c */
size_t pg_value_text(const struct wire_value *v, char *buf, size_t cap);

#endif
