/* SPDX-License-Identifier: Apache-2.0 */
/* tap_internal: what tap.c (wire events), tap_records.c (the ring), tap_effects.c (what changes the session) and tap_text.c (texts of several
 * statements) share; evidence.c lays its records with it. Nobody else. */
#ifndef ROWCALL_TAP_INTERNAL_H
#define ROWCALL_TAP_INTERNAL_H

#include "tap.h"

/* Parameters of a statement, summed up (rec_start.params). */
enum { NO_PARAMS = 0, UNKNOWN_PARAMS = 1 };

/* A statement whose success changes what the session is: SET, RESET, PREPARE, DEALLOCATE, DISCARD. */
struct effect {
	uint8_t verb;
	bool local;
	uint32_t n;
	char bytes[];		/* pairs of a name and a value (canonical text), see lay_pair; only SET may have several */
};

/* What is known of a statement before it runs; tags laid out as in rec_start. */
struct plan {
	const struct shape *shape;
	uint64_t params;
	uint16_t ntags;
	uint16_t flags;
	uint32_t part;		/* ordinal within its text */
	struct span tags;
};

/* wire_prepared.user */
struct tap_prepared {
	const struct shape *shape;
	struct effect *effect;
	uint32_t nvalues;
	uint16_t ntags;
	uint8_t start_flags;	/* of its first execution */
	bool named;
	uint32_t tags_n;
	struct value_hash *values;	/* behind the struct */
	char *tags;			/* behind the values */
	struct span text;		/* behind the tags; empty unless values are recorded */
};

/* wire_exec.user of a text with several statements, or one with an effect. */
struct tap_text {
	uint32_t nparts, cur, cap;
	struct wire_part results;	/* those of the CALL that is being answered, summed up; .result = there were some, and it goes on */
	struct strbuf tags;		/* all parts' tags, one behind the other */
	struct tap_part {
		const struct shape *shape;
		uint64_t params;
		struct effect *effect;
		struct value_hash *values;	/* for evidence; else NULL */
		uint32_t nvalues;
		uint32_t tags_at, tags_n;
		uint16_t ntags, flags;
		char *text;			/* where values are recorded; else NULL */
		uint32_t text_n;
	} *parts;
};

/* wire_exec.tag: the statement that was announced last and the client's waits until then; the statement that ended last. */
static inline void
set_announced(struct wire_exec *x, uint32_t seq)
{
	x->tag[0] = seq | (uint64_t)x->round_trips << 32;
}

static inline uint32_t
exec_seq(const struct wire_exec *x)
{
	return (uint32_t)x->tag[0];
}

static inline uint32_t
announced_trips(const struct wire_exec *x)
{
	return (uint32_t)(x->tag[0] >> 32);
}

static inline uint32_t
ended_seq(const struct wire_exec *x)
{
	return (uint32_t)x->tag[1];
}

/* ---- tap_records.c ---- */

/* Room for a record in the ring, its head filled in, for ring_commit; records of evidence are shed first. seq: the statement, 0 = none. */
void *tap_record(struct tap *t, enum rec_type type, size_t size, uint64_t at, uint32_t seq);
void tap_put_text(struct tap *t, enum rec_type type, uint16_t flags, const char *text);
void tap_put_fact(struct tap *t, unsigned kind, struct span name, struct span value);
void tap_put_plain(struct tap *t, enum rec_type type, uint16_t flags, uint64_t at);
void tap_put_start(struct tap *t, struct wire_exec *x, const struct plan *p, uint64_t at);
void tap_put_end(struct tap *t, const struct wire_exec *x, const struct wire_part *w);
/* Appends tags in rec_start's layout. */
uint16_t tap_lay_tags(struct strbuf *b, const struct sql_tag *tags, size_t n);
/* MySQL's query attributes are tags beside the text. attrs may be NULL. */
uint16_t tap_lay_attributes(struct strbuf *b, const struct wire_params *attrs);
/* Literals and bound values alike, in the order they stand in the text, so that a bound and an inlined query compare equal. */
/* The time of asking among the values of a read counts as one value, and sets REC_START_TIMED in *flags. */
uint64_t tap_params_hash(struct tap *t, const struct shape *shape, const struct value_hash *values, size_t n, const struct wire_params *bound,
    uint16_t *flags);

/* ---- tap_effects.c ---- */

/* What the statement will do to the session when it succeeds; NULL for nearly all. */
struct effect *tap_effect_of(struct tap *t, const struct identity *id);
struct tap_prepared *tap_prepared_from(struct tap *t, const struct identity *id);
void tap_apply_effect(struct tap *t, const struct effect *e);

/* ---- tap_text.c ---- */

void tap_text_free(struct tap_text *tx);
bool tap_text_add(struct tap *t, struct tap_text *tx, const struct identity *id, const struct wire_params *attrs);
/* A tag anywhere in a text is the tag of all its statements that have none of their own. */
void tap_text_share_tags(struct tap_text *tx);
/* A copy for the execution: the prepared statement may be closed before its answer comes. */
struct tap_text *tap_text_with_effect(const struct effect *e, const struct shape *shape);
/* The answer that ends the statement: r, or for a CALL in a MySQL text, which is answered by the results of its procedure and an OK packet,
 * their sum, borrowed until the next part. NULL: one of the results; the statement goes on. */
const struct wire_part *tap_text_answer(struct tap_text *tx, const struct wire_part *r);

#endif
