/* SPDX-License-Identifier: Apache-2.0 */
/* tap: the only bridge between wire events and the analyzer's records.
 * Does: identify each statement at its start, hash its parameters, keep what prepared statements are, lay records into the worker's ring.
 * Never: holds back a byte, keeps a value (hashes and tags only), blocks. */
#ifndef ROWCALL_TAP_H
#define ROWCALL_TAP_H

#include "fingerprint/identity.h"
#include "proxy/wire/wire.h"
#include "reports/requests/ring.h"

/* What all sessions of one worker share. */
enum { TAP_TEXTS_SEEN = 256 };

/* A text that a session prepared. */
struct tap_text_seen {
	uint32_t session;
	const struct shape *shape;
	uint64_t whole, comment;	/* hashes */
};

struct tap_shared {
	struct ring *ring;
	struct identity_cache *ids;
	const struct shape *unknown, *function_call, *empty;	/* for statements without a text */
	const char *const *tag_settings;		/* settings whose SET is told besides our own */
	uint32_t ntag_settings;
	bool evidence;					/* parameters and sampled results travel too (lineage, results of duplicates) */
	bool values;					/* statements travel with their values, too (--record-values) */
	uint64_t cut_texts, cut_tags;			/* statements inspected in part, statements whose tags were too long */
	struct evidence_pool *pool;			/* NULL until there was some */
	struct tap_text_seen seen[TAP_TEXTS_SEEN];
};

/* One session. */
struct tap {
	struct tap_shared *shared;
	const struct wire_engine *engine;
	struct wire_conn *conn;
	uint32_t session, seq;
	uint32_t prepared;	/* statements open under names of their own */
	struct sql_lang lang;
	uint64_t now;		/* set by the session before it feeds the parser */
	void (*on_cancel_key)(void *ctx, struct span key);
	void (*on_opaque)(void *ctx, enum wire_opaque why, const char *detail);
	void (*on_fact)(void *ctx, struct span name, struct span value);	/* facts that no record tells */
	void *ctx;
};

/* Those for a session of this worker: with evidence off nobody asks for columns, rows or bytes. ctx = struct tap. */
const struct wire_ops *tap_ops(const struct tap_shared *t) __attribute__((returns_nonnull));

bool tap_shared_init(struct tap_shared *t, struct ring *ring, struct shapes *shapes);
void tap_shared_clear(struct tap_shared *t);

/* REC_OPEN. peer: for display. */
void tap_open(struct tap *t, uint16_t upstream, const char *peer, uint64_t now);
/* REC_CLOSE; after the wire connection was freed. */
void tap_close(struct tap *t, uint64_t now);

#endif
