/* SPDX-License-Identifier: Apache-2.0 */
/* group: what the files of the grouping share. choose.c has the rules, follow.c the statements and transactions, undo.c what of them
 * is rolled back, settings.c what a session says of itself, grouping.c the rest. Never: seen outside of them. */
#ifndef ROWCALL_GROUP_H
#define ROWCALL_GROUP_H

#include "clues.h"
#include "grouping.h"
#include "open_request.h"

enum { OPAQUE_REASONS = 16, SPARE_OPEN_STMTS = 1024 };

struct grouping {
	const struct analyzer_config *cfg;
	struct request_sink sink;
	struct coverage coverage;
	struct sessions *sessions;
	struct open_requests *requests;
	struct clue_box *clues;		/* NULL: lineage is off */
	struct tag_reader *tags;
	struct open_stmt *spare;	/* by next */
	uint32_t nspare;
	char *test, *request;		/* the mark; NULL = none */
	uint64_t mark;			/* ordinal of the mark */
	uint64_t now;
	char *reasons[OPAQUE_REASONS];	/* opaque reasons seen, so that coverage can point to them */
};

/* ---- choose.c ---- */

/* What a statement says about its request, by itself or by the transaction around it; "" = nothing. */
struct told {
	const char *key, *scope;
	bool own;		/* its own tags name a request */
	bool stale;		/* they had a key that is not to be believed */
};

/* own: NULL without tags. stale: REC_START_STALE_TAG. */
struct told told_by_tags(const struct tagset *own, bool stale);
/* The request of a statement that starts at t; opened if need be. What its transaction had before it got a name moves over. */
struct open_request *choose_request(struct grouping *g, struct session *s, struct told told, uint64_t t) __attribute__((returns_nonnull));
/* Untagged control and set-up outside a transaction never open a request: NULL = they are strays. */
struct open_request *choose_for_control(struct grouping *g, struct session *s, uint64_t t);
/* The transaction that a statement of the session's current request opened begins a request of its own at t; alone: that one has only it. */
void choose_tx(struct grouping *g, struct session *s, bool alone, uint64_t t);
/* The session changed: a transaction without a name may have one now, and untagged queries that were sent already belong behind the border. */
void choose_again(struct grouping *g, struct session *s);

/* ---- follow.c ---- */

void follow_start(struct grouping *g, struct session *s, const struct rec_start *st);
void follow_end(struct grouping *g, struct session *s, const struct rec_end *e);
/* Evidence comes between the start and the end of its statement; else it is dropped. */
void follow_evidence(struct grouping *g, struct session *s, const struct rec *r);
/* The statement with its values, between its start and its end. */
void follow_text(struct grouping *g, struct session *s, const struct rec_values_text *r);
void follow_tx(struct grouping *g, struct session *s, enum rec_tx state);
/* MySQL's resets also roll back. */
void follow_reset(struct grouping *g, struct session *s);
/* What has not ended is lost. */
void follow_lost(struct grouping *g, struct session *s, uint64_t t);
/* The session's current request is r from now on; its transaction, if any, holds that one open. */
void follow_carry(struct grouping *g, struct session *s, struct open_request *r);

/* ---- grouping.c ---- */

/* The session's database has a catalog worth reading; changed: it is not what it was. */
void want_catalog(struct grouping *g, const struct session *s, bool changed);

/* ---- settings.c ---- */

void settings_fact(struct grouping *g, struct session *s, const struct rec_fact_rec *f);
/* Session tags end, and the next statement without a key begins a request. */
void settings_reset(struct grouping *g, struct session *s);

/* ---- undo.c: statements whose transaction was rolled back get REQ_STMT_UNDONE ---- */

/* Those of the transaction of that ordinal in r, or only what was done in it since its innermost open savepoint. */
void undo_tx(struct session *s, struct open_request *r, uint32_t tx, bool to_savepoint);
/* The session's transaction ends with its connection. */
void undo_open_tx(struct session *s);
/* A statement has ended, in the request of that id or (0) in none: counts what an error would undo where nobody has begun a transaction, until the next answer
 * begins, a COMMIT or ROLLBACK is through, or another request goes on. */
void undo_note(struct session *s, uint64_t request, const struct rec_end *e, bool committed);
/* Such an error has come. */
void undo_fresh(struct session *s);

#endif
