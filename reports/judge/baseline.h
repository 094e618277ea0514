/* SPDX-License-Identifier: Apache-2.0 */
/* baseline: rowcall.baseline.json in memory: what each scope did when it was recorded, so that a gate fails only on what is new or grown.
 * Does: read it strictly, find entries, merge what a run measured into it. Never: writes the file (write_baseline), judges (gate_ratchet),
 * or raises or drops an entry that nobody asked it to. */
#ifndef ROWCALL_BASELINE_H
#define ROWCALL_BASELINE_H

#include "fingerprint/arena.h"
#include "rules.h"

enum { BASELINE_VERSION = 1 };

/* One repeated shape in one scope. Its key is rule and shape; the shape is kept whole, so that an entry says what it is about for ever. */
struct baseline_finding {
	enum rule_id rule;
	uint32_t version;		/* of the fingerprint */
	uint64_t fingerprint;
	int64_t count;			/* executions in the median of the requests that have it */
	const char *shape;
	const char *reason, *expires;	/* written by hand, kept by updates; NULL. expires: the last day it holds */
};

struct baseline_scope {
	const char *name;
	int64_t queries;		/* of its median request; NO_LIMIT = not judged */
	struct baseline_finding *findings;	/* sorted as the file is */
	uint32_t nfindings;
};

struct baseline {
	struct arena arena;		/* owns everything below */
	struct baseline_scope *scopes;	/* sorted by name */
	uint32_t nscopes;
};

/* NULL: a sentence in err with the place in it ("rowcall.baseline.json:3:14: …"). shown: the file's name in messages. */
struct baseline *baseline_read(struct span text, const char *shown, char *err, size_t err_n) __attribute__((warn_unused_result));
/* The same from a file. A file that is not there: NULL, and *absent is set. */
struct baseline *baseline_load(const char *path, bool *absent, char *err, size_t err_n) __attribute__((warn_unused_result));
void baseline_free(struct baseline *b);

/* NULL: not recorded. */
const struct baseline_scope *baseline_scope(const struct baseline *b, const char *name);
/* An entry with the fingerprint, or, where it was made by another version of fingerprints, with the same text. NULL: not recorded. */
const struct baseline_finding *baseline_find(const struct baseline_scope *s, enum rule_id rule, const struct shape *shape);
/* Made by another version of fingerprints. */
bool baseline_finding_is_foreign(const struct baseline_finding *f);

struct baseline_update {
	bool allow_increase;	/* raise counts and add findings to scopes that are recorded */
	bool prune;		/* drop what this run did not see */
};

struct baseline_changes {
	uint32_t scopes_added, findings_added, lowered, raised, pruned;
	uint32_t refused;	/* higher or new in a recorded scope, and not taken in as that was not allowed */
};

/* old (NULL = none yet) with what a run measured: scopes that are new are added whole, counts that fell are lowered, all else as `how` says.
 * Scopes that the run did not see stay, so that shards and partial runs do not undo each other. */
struct baseline *baseline_merge(const struct baseline *old, const struct baseline *measured, const struct baseline_update *how,
    struct baseline_changes *changes) __attribute__((warn_unused_result));

/* Sorts scopes and findings as the file is. */
void baseline_sort(struct baseline *b);

#endif
