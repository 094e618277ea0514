/* SPDX-License-Identifier: Apache-2.0 */
/* tap: see tap.h. A statement is announced (REC_START) when it is sent, and ended (REC_END) when its part of the answer has come.
 * Parts of a text are announced one by one, as each can only start when the one before has ended. */
#include "tap.h"

#include <stdio.h>

#include "evidence.h"
#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "values.h"

enum { NULL_HASH = 2, UNKNOWN_PARAMS = 1, NO_PARAMS = 0, VALUE_BYTES = 4096 };

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
	struct wire_part results;	/* those of the CALL that is being answered, summed up; .result = there were some */
	struct strbuf tags;		/* all parts' tags, one behind the other */
	struct tap_part {
		const struct shape *shape;
		uint64_t params;
		struct effect *effect;
		struct value_hash *values;	/* for evidence; else NULL */
		uint32_t nvalues;
		uint32_t tags_at, tags_n;
		uint16_t ntags;
		char *text;			/* where values are recorded; else NULL */
		uint32_t text_n;
	} *parts;
};

/* wire_exec.tag: the statement that was announced last and the client's waits until then; the statement that ended last. */
static void
set_announced(struct wire_exec *x, uint32_t seq)
{
	x->tag[0] = seq | (uint64_t)x->round_trips << 32;
}

static uint32_t
exec_seq(const struct wire_exec *x)
{
	return (uint32_t)x->tag[0];
}

static uint32_t
announced_trips(const struct wire_exec *x)
{
	return (uint32_t)(x->tag[0] >> 32);
}

static uint32_t
ended_seq(const struct wire_exec *x)
{
	return (uint32_t)x->tag[1];
}

/* ---- records ---- */

static void *
record(struct tap *t, enum rec_type type, size_t size, uint64_t at, bool evidence)
{
	struct rec *r = ring_reserve(t->shared->ring, size, evidence);

	if (!r)
		return NULL;
	r->type = (uint16_t)type;
	r->flags = 0;
	r->t = at;
	r->session = t->session;
	r->seq = 0;
	return r;
}

static void
put_text(struct tap *t, enum rec_type type, uint16_t flags, const char *text)
{
	size_t n = strlen(text);
	struct rec_text *r = record(t, type, sizeof *r + n, t->now, false);

	if (!r)
		return;
	r->h.flags = flags;
	r->n = (uint32_t)n;
	r->pad = 0;
	memcpy(r->text, text, n);
	ring_commit(t->shared->ring);
}

static void
put_fact(struct tap *t, unsigned kind, struct span name, struct span value)
{
	name = span_first(name, LIMIT_NAME);
	value = span_first(value, LIMIT_TAG_BYTES);

	struct rec_fact_rec *r = record(t, REC_FACT, sizeof *r + name.n + value.n, t->now, false);

	if (!r)
		return;
	r->h.flags = (uint16_t)kind;
	r->name_n = (uint16_t)name.n;
	r->value_n = (uint16_t)value.n;
	r->pad = 0;
	if (name.n)
		memcpy(r->bytes, name.p, name.n);
	if (value.n)
		memcpy(r->bytes + name.n, value.p, value.n);
	ring_commit(t->shared->ring);
}

static void
put_plain(struct tap *t, enum rec_type type, uint16_t flags, uint64_t at)
{
	struct rec *r = record(t, type, sizeof *r, at, false);

	if (!r)
		return;
	r->flags = flags;
	ring_commit(t->shared->ring);
}

/* Shapes without SQL text; their fingerprints are small reserved numbers. */
static const struct shape *
built_in(struct shapes *shapes, uint64_t fingerprint, enum sql_class cls, const char *text)
{
	struct sql_stmt st = { .fingerprint = fingerprint, .shape = span_str(text), .text = span_str(text), .cls = (uint8_t)cls,
		.verb = SQL_V_OTHER, .tables_unknown = true };

	return shapes_intern(shapes, (struct sql_lang){ SQL_POSTGRESQL, 0 }, &st);
}

bool
tap_shared_init(struct tap_shared *t, struct ring *ring, struct shapes *shapes)
{
	*t = (struct tap_shared){ .ring = ring, .ids = identity_cache_new(shapes) };
	t->unknown = built_in(shapes, 1, SQL_OTHER, "(prepared before capture)");
	t->function_call = built_in(shapes, 2, SQL_OTHER, "(function call)");
	t->empty = built_in(shapes, 3, SQL_EMPTY, "(empty)");
	return t->ids != NULL;
}

void
tap_shared_clear(struct tap_shared *t)
{
	identity_cache_free(t->ids);
	evidence_pool_free(t->pool);
	t->ids = NULL;
	t->pool = NULL;
}

void
tap_open(struct tap *t, uint16_t upstream, const char *peer, uint64_t now)
{
	size_t n = strlen(peer);
	struct rec_open *r = record(t, REC_OPEN, sizeof *r + n, now, false);

	if (!r)
		return;
	r->upstream = upstream;
	r->engine = t->engine != &pg_engine;
	r->peer_n = (uint32_t)n;
	memcpy(r->peer, peer, n);
	ring_commit(t->shared->ring);
}

void
tap_close(struct tap *t, uint64_t now)
{
	put_plain(t, REC_CLOSE, 0, now);
}

static void
put_start(struct tap *t, struct wire_exec *x, const struct plan *p, uint64_t at)
{
	struct rec_start *r = record(t, REC_START, sizeof *r + p->tags.n, at, false);

	set_announced(x, ++t->seq);
	if (p->part == 0)
		x->tag[1] = 0;
	if (!r)
		return;
	r->h.flags = p->flags;
	r->h.seq = t->seq;
	r->shape = p->shape;
	r->params = p->params;
	r->round_trips = p->part == 0 ? x->round_trips : 0;
	r->iterations = x->iterations ? x->iterations : 1;
	r->part = (uint16_t)(p->part < UINT16_MAX ? p->part : UINT16_MAX);
	r->ntags = p->ntags;
	r->tags_n = (uint32_t)p->tags.n;
	if (p->tags.n)
		memcpy(r->tags, p->tags.p, p->tags.n);
	ring_commit(t->shared->ring);
}

static void
put_end(struct tap *t, const struct wire_exec *x, const struct wire_part *w)
{
	static const uint8_t outcomes[] = {
		[WIRE_OK] = REC_OK, [WIRE_EMPTY] = REC_EMPTY, [WIRE_ERROR] = REC_ERROR, [WIRE_SKIPPED] = REC_SKIPPED, [WIRE_LOST] = REC_LOST,
	};
	struct rec_end *r = record(t, REC_END, sizeof *r, w->end, false);

	if (!r)
		return;
	r->h.seq = exec_seq(x);
	r->h.flags = (uint16_t)((w->batch ? REC_END_BATCH : 0) | (w->open ? REC_END_OPEN : 0));
	r->start = w->start;
	r->first = w->first;
	r->busy = w->busy;
	r->rows = w->rows;
	r->affected = w->affected;
	r->bytes = w->bytes;
	r->insert_id = w->insert_id;
	r->round_trips = x->round_trips - announced_trips(x);
	r->prepared = t->prepared;
	r->outcome = outcomes[w->outcome];
	memset(r->code, 0, sizeof r->code);
	memcpy(r->code, w->code, strnlen(w->code, sizeof r->code - 1));
	ring_commit(t->shared->ring);
}

/* ---- tags and parameters ---- */

/* Appends tags in rec_start's layout. */
static uint16_t
lay_tags(struct strbuf *b, const struct sql_tag *tags, size_t n)
{
	uint16_t laid = 0;

	for (size_t i = 0; i < n && i < LIMIT_TAGS; i++) {
		uint16_t len[2] = { (uint16_t)tags[i].key.n, (uint16_t)tags[i].value.n };

		if (tags[i].key.n > LIMIT_TAG_BYTES || tags[i].value.n > LIMIT_TAG_BYTES)
			continue;
		strbuf_add(b, span_of(len, sizeof len));
		strbuf_add(b, tags[i].key);
		strbuf_add(b, tags[i].value);
		laid++;
	}
	return laid;
}

/* MySQL's query attributes are tags beside the text. attrs may be NULL. */
static uint16_t
lay_attributes(struct strbuf *b, const struct wire_params *attrs)
{
	struct sql_tag tags[LIMIT_TAGS];
	size_t n = 0;

	for (uint32_t i = 0; attrs && attrs->names && i < attrs->n && n < LIMIT_TAGS; i++)
		if (attrs->names[i].n && attrs->values[i].n >= 0)
			tags[n++] = (struct sql_tag){ attrs->names[i], span_of(attrs->values[i].p, (size_t)attrs->values[i].n) };
	return lay_tags(b, tags, n);
}

static uint64_t
value_hash(struct tap *t, const struct wire_value *v)
{
	char buf[VALUE_BYTES];
	size_t n;

	if (v->n == -1)
		return NULL_HASH;
	n = t->engine->value_text(v, buf, sizeof buf);
	if (n == (size_t)-1)
		return v->n >= 0 ? sql_hash(span_of(v->p, (size_t)v->n)) : UNKNOWN_PARAMS;
	if (n > sizeof buf) /* too long to be canonical text of anything but itself */
		return v->n >= 0 ? sql_hash(span_of(v->p, (size_t)v->n)) : UNKNOWN_PARAMS;
	return sql_hash(span_of(buf, sql_canon_text(buf, n)));
}

/* Literals and bound values alike, in the order they stand in the text, so that a bound and an inlined query compare equal. */
static uint64_t
params_hash(struct tap *t, const struct value_hash *values, size_t n, const struct wire_params *bound)
{
	uint64_t acc = NO_PARAMS;

	for (size_t i = 0; i < n; i++) {
		uint64_t h = values[i].hash ? values[i].hash : NULL_HASH;

		if (values[i].kind == SQL_VALUE_PLACEHOLDER) {
			if (!bound || values[i].number == 0 || values[i].number > bound->n)
				return UNKNOWN_PARAMS;
			h = value_hash(t, &bound->values[values[i].number - 1]);
		}
		acc = sql_hash_mix(acc, h);
	}
	return acc;
}

/* ---- effects ---- */

static bool
told_setting(const struct tap *t, struct span name)
{
	static const char *const ours[] = { "rowcall.request", "rowcall.scope", "@rowcall_request", "@rowcall_scope" };

	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (span_is_nocase(name, ours[i]))
			return true;
	for (uint32_t i = 0; i < t->shared->ntag_settings; i++)
		if (span_is_nocase(name, t->shared->tag_settings[i]))
			return true;
	return false;
}

static void
lay_pair(struct strbuf *b, struct span name, struct span value)
{
	uint32_t lengths[2] = { (uint32_t)name.n, (uint32_t)value.n };

	strbuf_add(b, span_of(lengths, sizeof lengths));
	strbuf_add(b, name);
	strbuf_add(b, value);
}

/* The next pair of *bytes; false behind the last. */
static bool
take_pair(struct span *bytes, struct span *name, struct span *value)
{
	uint32_t lengths[2];

	if (bytes->n < sizeof lengths)
		return false;
	memcpy(lengths, bytes->p, sizeof lengths);
	*bytes = span_from(*bytes, sizeof lengths);
	*name = span_first(*bytes, lengths[0]);
	*bytes = span_from(*bytes, lengths[0]);
	*value = span_first(*bytes, lengths[1]);
	*bytes = span_from(*bytes, lengths[1]);
	return true;
}

/* A variable that was set, when somebody wants to know. */
static void
lay_setting(const struct tap *t, struct strbuf *b, struct span name, struct span raw)
{
	char value[LIMIT_TAG_BYTES];
	size_t n;

	if (!name.n || !told_setting(t, name))
		return;
	n = raw.n ? sql_literal_text(t->lang, raw, value, sizeof value) : 0;
	if (n == (size_t)-1)
		n = 0;
	lay_pair(b, name, span_of(value, n < sizeof value ? n : sizeof value));
}

/* What the statement will do to the session when it succeeds; NULL for nearly all. */
static struct effect *
effect_of(struct tap *t, const struct identity *id)
{
	struct strbuf pairs;
	struct effect *e;

	strbuf_init(&pairs, LIMIT_WIRE_TEXT + LIMIT_SETTINGS * 2 * LIMIT_TAG_BYTES);
	switch (id->shape->verb) {
	case SQL_V_SET:
	case SQL_V_SELECT:
		lay_setting(t, &pairs, id->name, id->value);
		for (size_t i = 0; i < id->nsettings; i++)
			lay_setting(t, &pairs, id->settings[i].name, id->settings[i].value);
		break;
	case SQL_V_PREPARE:
		if (t->engine == &pg_engine && id->name.n)
			lay_pair(&pairs, id->name, span_first(id->value, LIMIT_WIRE_TEXT));
		break;
	case SQL_V_RESET:
	case SQL_V_DEALLOCATE:
	case SQL_V_DISCARD:
		lay_pair(&pairs, id->name, (struct span){ NULL, 0 });
		break;
	default:
		break;
	}
	e = pairs.n && !pairs.cut ? mem_alloc(sizeof *e + pairs.n) : NULL;
	if (e) {
		*e = (struct effect){ .verb = id->shape->verb, .local = id->local, .n = (uint32_t)pairs.n };
		memcpy(e->bytes, pairs.p, pairs.n);
	}
	strbuf_clear(&pairs);
	return e;
}

static struct tap_prepared *
prepared_from(struct tap *t, const struct identity *id)
{
	struct strbuf tags;
	struct tap_prepared *p;
	struct span text = t->shared->values && id->text.n <= LIMIT_VALUES_TEXT ? id->text : (struct span){ NULL, 0 };
	uint16_t ntags;

	strbuf_init(&tags, LIMIT_TAG_BYTES * 2);
	ntags = lay_tags(&tags, id->tags, id->ntags);
	p = mem_alloc(sizeof *p + id->nvalues * sizeof *p->values + tags.n + text.n);
	if (p) {
		*p = (struct tap_prepared){ .shape = id->shape, .nvalues = (uint32_t)id->nvalues, .ntags = ntags, .tags_n = (uint32_t)tags.n };
		p->values = (struct value_hash *)(void *)(p + 1);
		p->tags = (char *)(p->values + id->nvalues);
		if (id->nvalues)
			memcpy(p->values, id->values, id->nvalues * sizeof *p->values);
		if (tags.n)
			memcpy(p->tags, tags.p, tags.n);
		if (text.n)
			memcpy(p->tags + tags.n, text.p, text.n);
		p->text = span_of(p->tags + tags.n, text.n);
		p->effect = effect_of(t, id);
	}
	strbuf_clear(&tags);
	return p;
}

/* SQL-level PREPARE name AS text: the text becomes known under its name. */
static void
apply_prepare(struct tap *t, struct span name, struct span text)
{
	struct identity id;

	if (!text.n || identity_next(t->shared->ids, t->lang, text, &id) == 0)
		return;
	struct tap_prepared *p = prepared_from(t, &id);

	if (p && !t->engine->remember(t->conn, name, p)) {
		mem_free(p->effect);
		mem_free(p);
	}
}

static void
apply_pair(struct tap *t, const struct effect *e, struct span name, struct span value)
{
	switch (e->verb) {
	case SQL_V_SET:
	case SQL_V_SELECT:
		put_fact(t, REC_FACT_SETTING | (e->local ? 1u << 8 : 0), name, value);
		break;
	case SQL_V_RESET:
		if (name.n == 0)
			put_plain(t, REC_RESET, 0, t->now);
		else if (told_setting(t, name))
			put_fact(t, REC_FACT_SETTING, name, (struct span){ 0 });
		break;
	case SQL_V_PREPARE:
		apply_prepare(t, name, value);
		break;
	case SQL_V_DEALLOCATE:
		t->engine->forget(t->conn, name);
		break;
	case SQL_V_DISCARD: /* ALL, PLANS, SEQUENCES, TEMP: only ALL resets the session; the server's tag says which (see tap_part) */
		break;
	}
}

static void
apply_effect(struct tap *t, const struct effect *e)
{
	struct span bytes = span_of(e->bytes, e->n), name, value;

	while (take_pair(&bytes, &name, &value))
		apply_pair(t, e, name, value);
}

/* ---- statements ---- */

static void
free_text(struct tap_text *tx)
{
	if (!tx)
		return;
	for (uint32_t i = 0; i < tx->nparts; i++) {
		mem_free(tx->parts[i].effect);
		mem_free(tx->parts[i].values);
		mem_free(tx->parts[i].text);
	}
	mem_free(tx->parts);
	strbuf_clear(&tx->tags);
	mem_free(tx);
}

static bool
add_part(struct tap *t, struct tap_text *tx, const struct identity *id, const struct wire_params *attrs)
{
	if (tx->nparts == tx->cap) {
		uint32_t cap = tx->cap ? tx->cap * 2 : 4;
		struct tap_part *p = cap <= LIMIT_TEXT_PARTS ? mem_resize(tx->parts, cap * sizeof *p) : NULL;

		if (!p)
			return false;
		tx->parts = p;
		tx->cap = cap;
	}
	struct tap_part *part = &tx->parts[tx->nparts++];

	*part = (struct tap_part){ .shape = id->shape, .tags_at = (uint32_t)tx->tags.n };
	part->params = params_hash(t, id->values, id->nvalues, NULL);
	part->ntags = lay_tags(&tx->tags, id->tags, id->ntags);
	if (part == tx->parts)
		part->ntags = (uint16_t)(part->ntags + lay_attributes(&tx->tags, attrs));
	part->tags_n = (uint32_t)tx->tags.n - part->tags_at;
	part->effect = effect_of(t, id);
	if (t->shared->evidence && id->nvalues && (part->values = mem_alloc(id->nvalues * sizeof *part->values))) {
		memcpy(part->values, id->values, id->nvalues * sizeof *part->values);
		part->nvalues = (uint32_t)id->nvalues;
	}
	if (t->shared->values && id->text.n && id->text.n <= LIMIT_VALUES_TEXT && (part->text = mem_alloc(id->text.n))) {
		memcpy(part->text, id->text.p, id->text.n);
		part->text_n = (uint32_t)id->text.n;
	}
	return true;
}

/* A tag anywhere in a text is the tag of all its statements that have none of their own. */
static void
share_tags(struct tap_text *tx)
{
	const struct tap_part *tagged = NULL;

	for (uint32_t i = 0; i < tx->nparts && !tagged; i++)
		if (tx->parts[i].ntags)
			tagged = &tx->parts[i];
	for (uint32_t i = 0; tagged && i < tx->nparts; i++)
		if (!tx->parts[i].ntags) {
			tx->parts[i].tags_at = tagged->tags_at;
			tx->parts[i].tags_n = tagged->tags_n;
			tx->parts[i].ntags = tagged->ntags;
		}
}

static void
start_part(struct tap *t, struct wire_exec *x, uint64_t at)
{
	struct tap_text *tx = x->user;
	struct tap_part *p = &tx->parts[tx->cur];
	struct plan plan = { .shape = p->shape, .params = p->params, .ntags = p->ntags, .part = tx->cur,
		.tags = span_first(span_from(strbuf_span(&tx->tags), p->tags_at), p->tags_n) };

	put_start(t, x, &plan, at);
	if (p->text)
		values_record(t, span_of(p->text, p->text_n), NULL, at);
	if (t->shared->evidence) {
		evidence_params(t, p->shape, p->values, p->nvalues, NULL, at);
		evidence_ask(x, p->shape);
	}
}

/* EXECUTE name(...) runs the prepared text: its shape, its tags. The arguments stand in the EXECUTE. */
static const struct tap_prepared *
resolve_execute(struct tap *t, const struct identity *id)
{
	struct wire_prepared *w;

	if (id->shape->verb != SQL_V_EXECUTE || !id->name.n)
		return NULL;
	w = t->engine->find(t->conn, id->name);
	return w ? w->user : NULL;
}

/* The values of a prepared text with the arguments of an EXECUTE in the places of its parameters; returns how many. */
static size_t
with_arguments(const struct tap_prepared *p, const struct identity *id, struct value_hash *out)
{
	size_t n = 0;

	for (size_t i = 0; i < p->nvalues && n < LIMIT_EVIDENCE_PARAMS; i++) {
		struct value_hash v = p->values[i];

		if (v.kind == SQL_VALUE_PLACEHOLDER) {
			if (v.number == 0 || v.number > id->nvalues || id->values[v.number - 1].kind == SQL_VALUE_PLACEHOLDER)
				continue;
			v.kind = id->values[v.number - 1].kind;
			v.hash = id->values[v.number - 1].hash;
		}
		out[n++] = v;
	}
	return n;
}

static void
evidence_of_single(struct tap *t, struct wire_exec *x, const struct identity *id, const struct tap_prepared *p)
{
	struct value_hash values[LIMIT_EVIDENCE_PARAMS];

	if (p)
		evidence_params(t, p->shape, values, with_arguments(p, id, values), NULL, x->sent);
	else
		evidence_params(t, id->shape, id->values, id->nvalues, NULL, x->sent);
	evidence_ask(x, p ? p->shape : id->shape);
}

/* The common case: one statement without effects, announced with no allocation. */
static void
start_single(struct tap *t, struct wire_exec *x, const struct identity *id, const struct wire_params *attrs, bool cut)
{
	char room[1024];
	struct strbuf tags = { .p = room, .cap = sizeof room, .max = sizeof room - 1 };
	const struct tap_prepared *executed = resolve_execute(t, id);
	struct plan plan = { .shape = executed ? executed->shape : id->shape };

	plan.ntags = lay_tags(&tags, id->tags, id->ntags);
	plan.ntags = (uint16_t)(plan.ntags + lay_attributes(&tags, attrs));
	if (tags.cut) /* half a tag is none */
		plan.flags |= REC_START_TAGS_CUT, plan.ntags = 0, tags.n = 0;
	plan.tags = strbuf_span(&tags);
	plan.params = cut ? UNKNOWN_PARAMS : params_hash(t, id->values, id->nvalues, NULL);
	put_start(t, x, &plan, x->sent);
	/* EXECUTE name(...) is not the statement that runs. */
	if (t->shared->values && !cut && plan.shape == id->shape)
		values_record(t, id->text, NULL, x->sent);
	if (t->shared->evidence)
		evidence_of_single(t, x, id, executed);
}

static void
tap_query(void *ctx, struct wire_exec *x, struct span text, bool cut, const struct wire_params *attrs, bool function_call)
{
	struct tap *t = ctx;
	struct identity id;
	struct tap_text *tx = NULL;
	size_t took;

	x->user = x->evidence = NULL;
	if (function_call) {
		struct plan plan = { .shape = t->shared->function_call, .params = UNKNOWN_PARAMS, .flags = REC_START_FUNCTION };

		put_start(t, x, &plan, x->sent);
		return;
	}
	took = identity_next(t->shared->ids, t->lang, text, &id);
	if (took == 0) {
		struct plan plan = { .shape = t->shared->empty };

		put_start(t, x, &plan, x->sent);
		return;
	}
	bool whole = took >= text.n;
	struct effect *e = whole ? effect_of(t, &id) : NULL;

	if (whole && !e && id.shape->verb != SQL_V_CALL) {
		start_single(t, x, &id, attrs, cut);
		return;
	}
	mem_free(e);
	tx = mem_zero(sizeof *tx);
	if (!tx) {
		start_single(t, x, &id, attrs, cut);
		return;
	}
	strbuf_init(&tx->tags, LIMIT_TAG_BYTES * 16);
	for (;;) {
		if (id.shape->cls != SQL_EMPTY || tx->nparts == 0)
			if (!add_part(t, tx, &id, attrs))
				break;
		text = span_from(text, took);
		took = text.n ? identity_next(t->shared->ids, t->lang, text, &id) : 0;
		if (took == 0)
			break;
	}
	share_tags(tx);
	x->user = tx;
	if (cut && tx->nparts)
		tx->parts[tx->nparts - 1].params = UNKNOWN_PARAMS;
	if (tx->nparts)
		start_part(t, x, x->sent);
}

/* Whether the connection prepared the shape before, and what differs. Remembered in a small table of the worker's, which may forget. */
static void
note_prepared(struct tap *t, struct tap_prepared *p, struct span text)
{
	uint64_t comment = sql_hash(span_of(p->tags, p->tags_n)), whole = sql_hash(text);
	struct tap_text_seen *seen = &t->shared->seen[(p->shape->id + 31 * t->session) % TAP_TEXTS_SEEN];

	p->start_flags = REC_START_PREPARED;
	if (seen->session == t->session && seen->shape == p->shape && seen->whole != whole)
		p->start_flags |= seen->comment != comment ? REC_START_NEW_COMMENT : REC_START_NEW_TEXT;
	*seen = (struct tap_text_seen){ t->session, p->shape, whole, comment };
	p->named = true;
	t->prepared++;
}

static void
tap_prepare(void *ctx, struct wire_prepared *p, struct span name, struct span text, bool cut)
{
	struct tap *t = ctx;
	struct identity id;

	(void)cut;
	p->user = NULL;
	if (identity_next(t->shared->ids, t->lang, text, &id) > 0)
		p->user = prepared_from(t, &id);
	if (p->user && (name.n || t->engine != &pg_engine))
		note_prepared(t, p->user, text);
}

static void
tap_unprepare(void *ctx, struct wire_prepared *p)
{
	struct tap_prepared *tp = p->user;
	struct tap *t = ctx;

	if (!tp)
		return;
	t->prepared -= tp->named;
	mem_free(tp->effect);
	mem_free(tp);
	p->user = NULL;
}

/* A copy for the execution: the prepared statement may be closed before its answer comes. */
static struct tap_text *
text_with_effect(const struct effect *e, const struct shape *shape)
{
	struct tap_text *tx = mem_zero(sizeof *tx);
	size_t n = sizeof *e + e->n;

	if (!tx)
		return NULL;
	strbuf_init(&tx->tags, 1);
	tx->parts = mem_zero(sizeof *tx->parts);
	struct effect *copy = mem_alloc(n);

	if (!tx->parts || !copy) {
		mem_free(copy);
		free_text(tx);
		return NULL;
	}
	memcpy(copy, e, n);
	tx->nparts = tx->cap = 1;
	tx->parts[0] = (struct tap_part){ .shape = shape, .effect = copy };
	return tx;
}

static void
tap_execute(void *ctx, struct wire_exec *x, struct wire_prepared *p, const struct wire_params *params)
{
	struct tap *t = ctx;
	struct tap_prepared *tp = p ? p->user : NULL;
	struct plan plan = { .shape = t->shared->unknown, .params = UNKNOWN_PARAMS, .flags = REC_START_UNKNOWN };

	x->user = x->evidence = NULL;
	if (tp) {
		plan.shape = tp->shape;
		plan.params = params_hash(t, tp->values, tp->nvalues, params);
		plan.ntags = tp->ntags;
		plan.tags = span_of(tp->tags, tp->tags_n);
		plan.flags = tp->ntags && p->executions > 0 ? REC_START_STALE_TAG : 0;
		if (p->executions == 0)
			plan.flags |= tp->start_flags;
		if (tp->effect)
			x->user = text_with_effect(tp->effect, tp->shape);
	}
	put_start(t, x, &plan, x->sent);
	if (tp && tp->text.n)
		values_record(t, tp->text, params, x->sent);
	if (tp && t->shared->evidence) {
		evidence_params(t, tp->shape, tp->values, tp->nvalues, params, x->sent);
		evidence_ask(x, tp->shape);
	}
}

/* A CALL in a MySQL text is answered by the results of its procedure and an OK packet, which ends it. False: one of the results. */
static bool
ends_call(struct tap_text *tx, struct wire_part *r)
{
	struct wire_part *sum = &tx->results;

	if (tx->cur >= tx->nparts || tx->parts[tx->cur].shape->verb != SQL_V_CALL)
		return true;
	if (sum->result) {
		r->start = sum->start;
		r->first = sum->first;
		r->busy += sum->busy;
		r->rows += sum->rows;
		r->bytes += sum->bytes;
	}
	if (r->result && r->outcome == WIRE_OK) {
		*sum = *r;
		return false;
	}
	sum->result = false;
	return true;
}

static void
tap_part(void *ctx, struct wire_exec *x, const struct wire_part *answer)
{
	struct tap *t = ctx;
	struct tap_text *tx = x->user;
	struct wire_part whole = *answer, *r = &whole;

	if (tx && !ends_call(tx, r)) {
		evidence_done(t, x);
		return;
	}
	/* More answers than statements (a rewrite rule): the first one stands for the statement. */
	if (exec_seq(x) == ended_seq(x)) {
		if (x->evidence)
			evidence_done(t, x);
		return;
	}
	if (t->shared->evidence)
		evidence_part(t, x, r);
	put_end(t, x, r);
	x->tag[1] = exec_seq(x);
	if (r->outcome == WIRE_OK && (span_is(r->command, "DISCARD ALL") || span_is(r->command, "DEALLOCATE ALL"))) {
		t->engine->forget(t->conn, (struct span){ 0 });
		if (span_is(r->command, "DISCARD ALL"))
			put_plain(t, REC_RESET, 0, r->end);
	}
	if (!tx)
		return;
	if (tx->cur < tx->nparts && tx->parts[tx->cur].effect && r->outcome == WIRE_OK)
		apply_effect(t, tx->parts[tx->cur].effect);
	tx->cur++;
	if (tx->cur < tx->nparts && (r->outcome == WIRE_OK || r->outcome == WIRE_EMPTY))
		start_part(t, x, r->end);
}

static void
tap_done(void *ctx, struct wire_exec *x)
{
	if (x->evidence)
		evidence_done(ctx, x);
	free_text(x->user);
	x->user = NULL;
}

static void
tap_transaction(void *ctx, enum wire_tx tx, uint64_t now)
{
	static const uint16_t states[] = { [WIRE_TX_IDLE] = REC_TX_IDLE, [WIRE_TX_OPEN] = REC_TX_OPEN, [WIRE_TX_FAILED] = REC_TX_FAILED };

	put_plain(ctx, REC_TX, states[tx], now);
}

static void
set_mode(struct tap *t, uint8_t bit, bool on)
{
	t->lang.modes = (uint8_t)(on ? t->lang.modes | bit : t->lang.modes & ~bit);
}

/* How text of a client encoding whose second bytes can look like quotes is read; 0 for all others. */
static uint8_t
encoding_modes(struct span v)
{
	static const char *const sjis[] = { "sjis", "shift_jis", "shiftjis", "cp932", "shift_jis_2004", "shiftjis2004", "mskanji", "win932", "windows932" };
	static const char *const pairs[] = { "big5", "gbk", "gb18030", "uhc", "johab", "win936", "win949", "win950", "windows936", "windows949", "windows950" };

	for (size_t i = 0; i < sizeof sjis / sizeof *sjis; i++)
		if (span_is_nocase(v, sjis[i]))
			return SQL_MODE_UNSAFE_ENCODING | SQL_MODE_SJIS;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (span_is_nocase(v, pairs[i]))
			return SQL_MODE_UNSAFE_ENCODING;
	return 0;
}

static void
set_encoding(struct tap *t, struct span name, struct span value)
{
	uint8_t modes = encoding_modes(value);

	set_mode(t, SQL_MODE_UNSAFE_ENCODING, modes & SQL_MODE_UNSAFE_ENCODING);
	set_mode(t, SQL_MODE_SJIS, modes & SQL_MODE_SJIS);
	if (modes && t->on_fact)
		t->on_fact(t->ctx, name, value);
}

static void
tap_fact(void *ctx, enum wire_fact kind, struct span name, struct span value)
{
	struct tap *t = ctx;

	if (span_is(name, "user"))
		put_fact(t, REC_FACT_USER, name, value);
	else if (span_is(name, "database") || span_is(name, "db"))
		put_fact(t, REC_FACT_DATABASE, name, value);
	else if (span_is(name, "application_name") || span_is(name, "program_name"))
		put_fact(t, REC_FACT_APPLICATION, name, value);
	else if (span_is(name, "server_version"))
		put_fact(t, REC_FACT_SERVER, name, value);
	else if (kind == WIRE_FACT_SERVER && t->on_fact)
		t->on_fact(t->ctx, name, value);
	else if (span_is(name, "standard_conforming_strings"))
		set_mode(t, SQL_MODE_BACKSLASH, span_is(value, "off"));
	else if (span_is(name, "no_backslash_escapes"))
		set_mode(t, SQL_MODE_NO_BACKSLASH, span_is(value, "on"));
	else if (span_is(name, "ansi_quotes"))
		set_mode(t, SQL_MODE_ANSI_QUOTES, span_is(value, "on"));
	else if (span_is(name, "client_encoding") || span_is(name, "character_set_client"))
		set_encoding(t, name, value);
}

static void
tap_reset(void *ctx, uint64_t now)
{
	put_plain(ctx, REC_RESET, 0, now);
}

static void
tap_notice(void *ctx, const char *code, uint64_t now)
{
	(void)now;
	put_text(ctx, REC_NOTICE, 0, code);
}

static void
tap_ready(void *ctx, uint64_t now)
{
	(void)ctx;
	(void)now;
}

static void
tap_opaque(void *ctx, enum wire_opaque why, const char *detail)
{
	struct tap *t = ctx;

	put_text(t, REC_OPAQUE, wire_opaque_expected(why), wire_opaque_name(why));
	if (t->on_opaque)
		t->on_opaque(t->ctx, why, detail);
}

static void
tap_cancel_key(void *ctx, struct span key)
{
	struct tap *t = ctx;

	if (t->on_cancel_key)
		t->on_cancel_key(t->ctx, key);
}

static void
tap_columns(void *ctx, struct wire_exec *x, const struct wire_column *cols, uint32_t n)
{
	evidence_columns(ctx, x, cols, n);
}

static void
tap_row(void *ctx, struct wire_exec *x, const struct wire_value *values, uint32_t n)
{
	evidence_row(ctx, x, values, n);
}

static void
tap_data(void *ctx, struct wire_exec *x, struct span bytes)
{
	evidence_data(ctx, x, bytes);
}

#define TAP_OPS \
	.query = tap_query, \
	.prepare = tap_prepare, \
	.unprepare = tap_unprepare, \
	.execute = tap_execute, \
	.part = tap_part, \
	.done = tap_done, \
	.transaction = tap_transaction, \
	.fact = tap_fact, \
	.reset = tap_reset, \
	.notice = tap_notice, \
	.ready = tap_ready, \
	.opaque = tap_opaque, \
	.cancel_key = tap_cancel_key

const struct wire_ops *
tap_ops(const struct tap_shared *t)
{
	static const struct wire_ops plain = { TAP_OPS }, with_evidence = { TAP_OPS, .columns = tap_columns, .row = tap_row, .data = tap_data };

	return t->evidence ? &with_evidence : &plain;
}
