/* SPDX-License-Identifier: Apache-2.0 */
/* tap_records: lays what is known of a session's statements into the worker's ring: records, tags in their layout, sums of parameters. */
#include "tap_internal.h"

#include "fingerprint/limits.h"
#include "proxy/clock.h"

enum { NULL_HASH = 2, NOW_HASH = 3, VALUE_BYTES = 4096 };
/* Seconds: what clocks of time zones differ by, by how much at most, and how old a time of asking may be when it arrives. */
enum { ZONE_STEP = 900, ZONE_MOST = 14 * 3600 + 2, NOW_AGO = 2 };

void *
tap_record(struct tap *t, enum rec_type type, size_t size, uint64_t at, uint32_t seq)
{
	bool evidence = type >= REC_PARAMS;
	struct rec *r = ring_reserve(t->shared->ring, size, evidence);

	if (!r)
		return NULL;
	r->type = (uint16_t)type;
	r->flags = 0;
	r->t = at;
	r->session = t->session;
	r->seq = seq;
	return r;
}

void
tap_put_text(struct tap *t, enum rec_type type, uint16_t flags, const char *text)
{
	size_t n = strlen(text);
	struct rec_text *r = tap_record(t, type, sizeof *r + n, t->now, 0);

	if (!r)
		return;
	r->h.flags = flags;
	r->n = (uint32_t)n;
	r->pad = 0;
	memcpy(r->text, text, n);
	ring_commit(t->shared->ring);
}

void
tap_put_fact(struct tap *t, unsigned kind, struct span name, struct span value)
{
	name = span_first(name, LIMIT_NAME);
	value = span_first(value, LIMIT_TAG_BYTES);

	struct rec_fact_rec *r = tap_record(t, REC_FACT, sizeof *r + name.n + value.n, t->now, 0);

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

void
tap_put_plain(struct tap *t, enum rec_type type, uint16_t flags, uint64_t at)
{
	struct rec *r = tap_record(t, type, sizeof *r, at, 0);

	if (!r)
		return;
	r->flags = flags;
	ring_commit(t->shared->ring);
}

void
tap_open(struct tap *t, uint16_t upstream, const char *peer, uint64_t now)
{
	size_t n = strlen(peer);
	struct rec_open *r = tap_record(t, REC_OPEN, sizeof *r + n, now, 0);

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
	tap_put_plain(t, REC_CLOSE, 0, now);
}

void
tap_put_start(struct tap *t, struct wire_exec *x, const struct plan *p, uint64_t at)
{
	struct rec_start *r = tap_record(t, REC_START, sizeof *r + p->tags.n, at, t->seq + 1);

	set_announced(x, ++t->seq);
	if (p->part == 0)
		x->tag[1] = 0;
	if (!r)
		return;
	r->h.flags = p->flags;
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

void
tap_put_end(struct tap *t, const struct wire_exec *x, const struct wire_part *w)
{
	static const uint8_t outcomes[] = {
		[WIRE_OK] = REC_OK, [WIRE_EMPTY] = REC_EMPTY, [WIRE_ERROR] = REC_ERROR, [WIRE_SKIPPED] = REC_SKIPPED, [WIRE_LOST] = REC_LOST,
	};
	struct rec_end *r = tap_record(t, REC_END, sizeof *r, w->end, exec_seq(x));

	if (!r)
		return;
	r->h.flags = (uint16_t)((w->batch ? REC_END_BATCH : 0) | (w->open ? REC_END_OPEN : 0) | (w->fresh ? REC_END_FRESH : 0));
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

uint16_t
tap_lay_tags(struct strbuf *b, const struct sql_tag *tags, size_t n)
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

uint16_t
tap_lay_attributes(struct strbuf *b, const struct wire_params *attrs)
{
	struct sql_tag tags[LIMIT_TAGS];
	size_t n = 0;

	for (uint32_t i = 0; attrs && attrs->names && i < attrs->n && n < LIMIT_TAGS; i++)
		if (attrs->names[i].n && attrs->values[i].n >= 0)
			tags[n++] = (struct sql_tag){ attrs->names[i], span_of(attrs->values[i].p, (size_t)attrs->values[i].n) };
	return tap_lay_tags(b, tags, n);
}

/* *moment: its sql_moment. */
static uint64_t
value_hash(struct tap *t, const struct wire_value *v, uint32_t *moment)
{
	char buf[VALUE_BYTES];
	size_t n;

	*moment = 0;
	if (v->n == -1)
		return NULL_HASH;
	n = t->engine->value_text(v, buf, sizeof buf);
	if (n > sizeof buf) /* of no known type, or too long to be canonical text of anything but itself */
		return v->n >= 0 ? sql_hash(span_of(v->p, (size_t)v->n)) : UNKNOWN_PARAMS;
	n = sql_canon_text(buf, n);
	*moment = sql_moment(span_of(buf, n));
	return sql_hash(span_of(buf, n));
}

/* The moment is now, read in whatever time zone: those differ by quarters of an hour. */
static bool
is_now(uint32_t moment)
{
	int64_t ago = clock_wall_us() / 1000000 - moment, in_quarter = (ago % ZONE_STEP + ZONE_STEP) % ZONE_STEP;

	return ago >= -ZONE_MOST && ago <= ZONE_MOST && (in_quarter <= NOW_AGO || in_quarter == ZONE_STEP - 1);
}

uint64_t
tap_params_hash(struct tap *t, const struct shape *shape, const struct value_hash *values, size_t n, const struct wire_params *bound,
    uint16_t *flags)
{
	uint64_t acc = NO_PARAMS;

	for (size_t i = 0; i < n; i++) {
		uint64_t h = values[i].hash ? values[i].hash : NULL_HASH;
		uint32_t moment = values[i].number;

		if (values[i].kind == SQL_VALUE_PLACEHOLDER) {
			if (!bound || values[i].number == 0 || values[i].number > bound->n)
				return UNKNOWN_PARAMS;
			h = value_hash(t, &bound->values[values[i].number - 1], &moment);
		}
		if (moment && shape->cls == SQL_READ && is_now(moment)) {
			h = NOW_HASH;
			*flags |= REC_START_TIMED;
		}
		acc = sql_hash_mix(acc, h);
	}
	return acc;
}
