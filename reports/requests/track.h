/* SPDX-License-Identifier: Apache-2.0 */
/* track: what grouping remembers of each session: its statements without an answer, its transaction, its settings that name requests.
 * Does: find sessions by number, keep their tags by layers (plain, SET LOCAL, application_name). Never: decides to which request a
 * statement belongs. */
#ifndef ROWCALL_TRACK_H
#define ROWCALL_TRACK_H

#include "request.h"
#include "tagset.h"

struct open_request;
struct clues;

/* A statement that was started and has not ended. */
struct open_stmt {
	struct open_stmt *next;		/* in order of start */
	struct open_request *req;	/* holds it open; NULL: a stray */
	uint32_t seq;
	uint32_t tx;			/* serial of the session's transaction it is in; 0 = none */
	bool orphan;			/* its request had to close before it ended */
	bool told;			/* its own tags name a request */
	bool undoes;			/* when it ends well, its transaction or what was done since a savepoint is rolled back */
	uint64_t sent;			/* ns */
	struct clues *clues;		/* NULL: none yet */
	struct req_stmt s;		/* start: ns, absolute */
};

/* A request's name as session settings give it; owned, NULL = none. */
struct setting_names {
	char *key, *scope;
};

/* A transaction in one of the requests it has statements in. */
struct tx_place {
	uint64_t request;		/* its id; 0 = none */
	uint32_t ordinal;		/* of the transaction there */
	uint32_t first;			/* statements the request had before */
};

struct track_tx {
	bool open;			/* what a statement that starts now would be in */
	bool server, failed;		/* as the server last said */
	bool named;			/* a tag or a setting has named its request */
	bool held;			/* keeps the session's current request open */
	uint32_t serial;		/* of the newest transaction, from 1 */
	struct tagset *tag;		/* tags last seen in it */
	bool tag_stale;			/* ... whose key is not to be believed */
	struct tx_place places[4];	/* in the requests its statements went to, the newest ones */
	uint32_t next_place;
	uint32_t part;			/* counts parts that are requests of their own, over all transactions */
	uint32_t savepoints;		/* open ones */
	bool error;			/* since the newest savepoint */
	bool undone;			/* the outermost savepoint was rolled back without an error */
};

struct session {
	uint32_t id;
	uint16_t upstream;
	bool mysql;
	bool spoke;			/* a statement has started */
	bool told;			/* ... and the newest one had a tag that names its request */
	uint64_t seen;			/* ns: newest record */
	char *database, *application;	/* owned, NULL = not known */
	struct setting_names plain, local;
	struct setting_names saved;	/* plain, as it was before the transaction changed it */
	bool has_saved;
	char *app_key;			/* trace id in the current application_name */
	uint32_t border;		/* counts session changes: requests without a key do not span them */
	struct tagset *tags;		/* of the newest tagged statement: the next one often has the same */
	struct track_tx tx;
	struct open_stmt *first, *last;
	uint32_t nopen;			/* of them with a request */
	uint32_t nbegins, nends;	/* of them BEGIN, and COMMIT or ROLLBACK */
	uint64_t last_end;		/* ns: newest answer of a statement with a request */
	/* The request the connection carries, and its neighbours that carry the same one. */
	struct open_request *cur;
	struct session *prev, *next;
	/* Its lane in the request of that id. */
	uint64_t lane_request;
	uint16_t lane;
	/* The statement that ended last. */
	uint64_t done_request;		/* id of its request */
	uint32_t done_index;		/* there */
	/* What an error would undo where nobody has begun a transaction: so many statements that ended last, in the request of that id. */
	uint64_t fresh_request;
	uint32_t nfresh;
};

struct sessions;
struct sessions *sessions_new(void) __attribute__((returns_nonnull, warn_unused_result));
/* Sessions must have been emptied of statements and requests before. */
void sessions_free(struct sessions *t);
/* NULL when it is not known. */
struct session *sessions_find(struct sessions *t, uint32_t id);
struct session *sessions_add(struct sessions *t, uint32_t id) __attribute__((returns_nonnull));
void sessions_remove(struct sessions *t, struct session *s);
uint32_t sessions_count(const struct sessions *t);
/* The longest silent one of a few: who must go when there are too many. NULL when there is none. */
struct session *sessions_victim(struct sessions *t);
/* For walks over all: the i-th slot, NULL when empty; i < sessions_slots(). */
struct session *sessions_at(const struct sessions *t, uint32_t i);
uint32_t sessions_slots(const struct sessions *t);

/* What the settings say now; "" when nothing. */
const char *session_key(const struct session *s);
const char *session_scope(const struct session *s);
/* Replaces an owned string by a copy of at most LIMIT_NAME bytes; empty = NULL. True when it changed. */
bool session_set(char **name, struct span value);
/* Before a plain SET in a transaction: keeps what was, for the case that it is rolled back. */
void session_save(struct session *s);
/* SET LOCAL ends with the transaction, and so does a plain SET when it is undone. */
void session_end_tx(struct session *s, bool undone);
/* All settings end (DISCARD ALL and its like). */
void session_forget_tags(struct session *s);

#endif
