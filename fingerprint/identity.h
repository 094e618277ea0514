/* SPDX-License-Identifier: Apache-2.0 */
/* identity: what one worker knows of a statement text: its shape and the hashes of its literals, cached.
 * Does: cache by (dialect, modes, text between the surrounding comments, plain literals cut out), so that neither unique tags nor inlined
 * values defeat it; bounded, evictions counted, hash seed per process. Never: shared between threads; keeps literal values (hashes only). */
#ifndef ROWCALL_IDENTITY_H
#define ROWCALL_IDENTITY_H

#include "shapes.h"

struct value_hash {
	uint16_t slot;		/* index into shape->slots */
	uint16_t kind;		/* enum sql_value_kind */
	uint32_t number;	/* placeholder: 1-based parameter number; literal: its sql_moment */
	uint64_t hash;		/* literal: sql_hash of its canonical text; NULL, DEFAULT and placeholder: 0 */
};

/* Borrowed from the cache until its next call. */
struct identity {
	const struct shape *shape;
	uint64_t literals;		/* sql_hash_mix over all literals in order (kinds included); 0 when there is none */
	const struct value_hash *values;
	size_t nvalues;			/* at most LIMIT_VALUES */
	uint32_t nplaceholders;		/* highest parameter number */
	struct span text;		/* the statement in the input, without surrounding comments */
	struct span name, value;	/* as in sql_stmt */
	const struct sql_setting *settings;	/* as in sql_stmt; statements that have some are not cached */
	size_t nsettings;
	const struct sql_tag *tags;	/* of this very text, never cached */
	size_t ntags;
	bool unfinished;		/* as in sql_stmt */
	bool local;			/* SET LOCAL: ends with the transaction */
};

struct identity_stats {
	uint64_t hits, misses, uncacheable, evictions;	/* since the beginning */
	uint64_t entries, bytes;			/* kept now; at most LIMIT_CACHE_ENTRIES and LIMIT_CACHE_BYTES */
};

struct identity_cache;
struct identity_cache *identity_cache_new(struct shapes *shapes) __attribute__((warn_unused_result));
void identity_cache_free(struct identity_cache *c);

/* Identifies the first statement of text; returns the bytes it took, as sql_scan does (0 only for an empty text). */
size_t identity_next(struct identity_cache *c, struct sql_lang lang, struct span text, struct identity *out);
struct identity_stats identity_stats(const struct identity_cache *c);

#endif
