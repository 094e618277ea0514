/* SPDX-License-Identifier: Apache-2.0 */
/* tagset: the tags of a statement, and what they say: instance key, scope, line of code, allowed rules.
 * Does: read the tags of a REC_START once and share the result while the same bytes come again; fold scope names; find trace ids.
 * Never: parses SQL comments (they come decoded), decides a request's borders. */
#ifndef ROWCALL_TAGSET_H
#define ROWCALL_TAGSET_H

#include "filter.h"
#include "fingerprint/arena.h"
#include "fingerprint/limits.h"

struct tag_view {
	struct span key, value;	/* into tagset.bytes */
};

/* Immutable while shared. All strings are NUL-terminated, at most LIMIT_NAME bytes, "" when there is none. */
struct tagset {
	uint32_t refs;
	uint64_t serial;	/* unlike that of any other content; from 1 */
	const char *key;	/* the instance key: best of rowcall_request, a user pattern, request_id or correlation_id, trace id, job id */
	const char *scope;	/* folded: best of rowcall_scope, a user pattern, route, controller#action, job, operation_name, ... */
	const char *text;	/* a comment without key and value (EF Core's TagWith, Hibernate's HQL): names a scope when nothing else does */
	const char *application;
	const char *site_tag, *site;	/* the tag that tells a line of code, and "path:line" */
	uint16_t allow;		/* bit per rule named in rowcall_allow */
	uint32_t ntags;
	struct tag_view tags[LIMIT_TAGS];
	struct span bytes;	/* as they came */
	struct arena arena;
};

struct tag_reader;
/* fold, patterns: borrowed, or NULL. */
struct tag_reader *tag_reader_new(const struct filter *fold, const struct filter *patterns) __attribute__((returns_nonnull, warn_unused_result));
void tag_reader_free(struct tag_reader *r);

/* The tags laid out as in rec_start.tags. Takes over `last` (the caller's reference, or NULL) and returns a reference for the caller: the
 * same object when the bytes are the same, else a new or reused one. */
struct tagset *tag_reader_read(struct tag_reader *r, struct tagset *last, struct span bytes) __attribute__((returns_nonnull, warn_unused_result));
/* A scope name from elsewhere (SET rowcall.scope), folded in the same way into buf; returns its length. */
size_t tag_reader_fold(struct tag_reader *r, struct span scope, char buf[], size_t cap);

static inline struct tagset *
tagset_ref(struct tagset *t)
{
	if (t)
		t->refs++;
	return t;
}

/* NULL is fine. */
void tagset_unref(struct tagset *t);

/* Finds 00-<32 hex>-<16 hex>-<2 hex> anywhere in text and writes the 32 in lower case. False: there is none, or it is all zero. */
bool trace_id_find(struct span text, char id[33]);

#endif
