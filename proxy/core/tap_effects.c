/* SPDX-License-Identifier: Apache-2.0 */
/* tap_effects: statements whose success changes what the session is: settings, SQL-level PREPARE and DEALLOCATE. Kept with the statement until
 * its answer says that it succeeded. */
#include "tap_internal.h"

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

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

/* The text under a name: PostgreSQL's as it stands, MySQL's out of its literal. */
static void
lay_prepared(const struct tap *t, struct strbuf *b, struct span name, struct span text)
{
	char *room = t->engine == &pg_engine || text.n > LIMIT_WIRE_TEXT ? NULL : mem_alloc(text.n + 1);
	size_t n = room && text.n ? sql_literal_text(t->lang, text, room, text.n) : 0;

	if (t->engine == &pg_engine)
		lay_pair(b, name, span_first(text, LIMIT_WIRE_TEXT));
	else
		lay_pair(b, name, span_of(room, n <= text.n ? n : 0));
	mem_free(room);
}

struct effect *
tap_effect_of(struct tap *t, const struct identity *id)
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
		if (id->name.n)
			lay_prepared(t, &pairs, id->name, id->value);
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

struct tap_prepared *
tap_prepared_from(struct tap *t, const struct identity *id)
{
	struct strbuf tags;
	struct tap_prepared *p;
	struct span text = t->shared->values && id->text.n <= LIMIT_VALUES_TEXT ? id->text : (struct span){ NULL, 0 };
	uint16_t ntags;

	strbuf_init(&tags, LIMIT_TAG_BYTES * 2);
	ntags = tap_lay_tags(&tags, id->tags, id->ntags);
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
		p->effect = tap_effect_of(t, id);
	}
	strbuf_clear(&tags);
	return p;
}

/* SQL-level PREPARE name AS text: the text becomes known under its name. */
static void
apply_prepare(struct tap *t, struct span name, struct span text)
{
	struct identity id;

	if (!text.n || identity_next(t->shared->ids, t->lang, text, &id) == 0) {
		t->engine->forget(t->conn, name); /* a text that a variable holds */
		return;
	}
	struct tap_prepared *p = tap_prepared_from(t, &id);

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
		tap_put_fact(t, REC_FACT_SETTING | (e->local ? 1u << 8 : 0), name, value);
		break;
	case SQL_V_RESET:
		if (name.n == 0)
			tap_put_plain(t, REC_RESET, 0, t->now);
		else if (told_setting(t, name))
			tap_put_fact(t, REC_FACT_SETTING, name, (struct span){ 0 });
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

void
tap_apply_effect(struct tap *t, const struct effect *e)
{
	struct span bytes = span_of(e->bytes, e->n), name, value;

	while (take_pair(&bytes, &name, &value))
		apply_pair(t, e, name, value);
}
