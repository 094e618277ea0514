/* SPDX-License-Identifier: Apache-2.0 */
/* tap: see tap.h. A statement is announced (REC_START) when it is sent, and ended (REC_END) when its part of the answer has come.
 * Parts of a text are announced one by one, as each can only start when the one before has ended. */
#include "tap_internal.h"

#include "evidence.h"
#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "values.h"

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

/* ---- statements ---- */

static void
start_part(struct tap *t, struct wire_exec *x, uint64_t at)
{
	struct tap_text *tx = x->user;
	struct tap_part *p = &tx->parts[tx->cur];
	struct plan plan = { .shape = p->shape, .params = p->params, .ntags = p->ntags, .flags = p->flags, .part = tx->cur,
		.tags = span_first(span_from(strbuf_span(&tx->tags), p->tags_at), p->tags_n) };

	tap_put_start(t, x, &plan, at);
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

	plan.ntags = tap_lay_tags(&tags, id->tags, id->ntags);
	plan.ntags = (uint16_t)(plan.ntags + tap_lay_attributes(&tags, attrs));
	if (tags.cut) /* half a tag is none */
		plan.flags |= REC_START_TAGS_CUT, plan.ntags = 0, tags.n = 0, t->shared->cut_tags++;
	plan.tags = strbuf_span(&tags);
	plan.params = cut ? UNKNOWN_PARAMS : tap_params_hash(t, plan.shape, id->values, id->nvalues, NULL, &plan.flags);
	tap_put_start(t, x, &plan, x->sent);
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
	t->shared->cut_texts += cut;
	if (function_call) {
		struct plan plan = { .shape = t->shared->function_call, .params = UNKNOWN_PARAMS, .flags = REC_START_FUNCTION };

		tap_put_start(t, x, &plan, x->sent);
		return;
	}
	took = identity_next(t->shared->ids, t->lang, text, &id);
	if (took == 0) {
		struct plan plan = { .shape = t->shared->empty };

		tap_put_start(t, x, &plan, x->sent);
		return;
	}
	bool whole = took >= text.n;
	struct effect *e = whole ? tap_effect_of(t, &id) : NULL;

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
			if (!tap_text_add(t, tx, &id, attrs))
				break;
		text = span_from(text, took);
		took = text.n ? identity_next(t->shared->ids, t->lang, text, &id) : 0;
		if (took == 0)
			break;
	}
	tap_text_share_tags(tx);
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

	t->shared->cut_texts += cut;
	p->user = NULL;
	if (identity_next(t->shared->ids, t->lang, text, &id) > 0)
		p->user = tap_prepared_from(t, &id);
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

static void
tap_execute(void *ctx, struct wire_exec *x, struct wire_prepared *p, const struct wire_params *params)
{
	struct tap *t = ctx;
	struct tap_prepared *tp = p ? p->user : NULL;
	struct plan plan = { .shape = t->shared->unknown, .params = UNKNOWN_PARAMS, .flags = REC_START_UNKNOWN };

	x->user = x->evidence = NULL;
	if (tp) {
		plan.shape = tp->shape;
		plan.ntags = tp->ntags;
		plan.tags = span_of(tp->tags, tp->tags_n);
		plan.flags = tp->ntags && p->executions > 0 ? REC_START_STALE_TAG : 0;
		plan.params = tap_params_hash(t, tp->shape, tp->values, tp->nvalues, params, &plan.flags);
		if (p->executions == 0)
			plan.flags |= tp->start_flags;
		if (tp->effect)
			x->user = tap_text_with_effect(tp->effect, tp->shape);
	}
	tap_put_start(t, x, &plan, x->sent);
	if (tp && tp->text.n)
		values_record(t, tp->text, params, x->sent);
	if (tp && t->shared->evidence) {
		evidence_params(t, tp->shape, tp->values, tp->nvalues, params, x->sent);
		evidence_ask(x, tp->shape);
	}
}

static void
tap_part(void *ctx, struct wire_exec *x, const struct wire_part *answer)
{
	struct tap *t = ctx;
	struct tap_text *tx = x->user;
	const struct wire_part *r = tx ? tap_text_answer(tx, answer) : answer;

	if (!r) {
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
	tap_put_end(t, x, r);
	x->tag[1] = exec_seq(x);
	if (r->outcome == WIRE_OK && (span_is(r->command, "DISCARD ALL") || span_is(r->command, "DEALLOCATE ALL"))) {
		t->engine->forget(t->conn, (struct span){ 0 });
		if (span_is(r->command, "DISCARD ALL"))
			tap_put_plain(t, REC_RESET, 0, r->end);
	}
	if (!tx)
		return;
	if (tx->cur < tx->nparts && tx->parts[tx->cur].effect && r->outcome == WIRE_OK)
		tap_apply_effect(t, tx->parts[tx->cur].effect);
	tx->cur++;
	if (tx->cur < tx->nparts && (r->outcome == WIRE_OK || r->outcome == WIRE_EMPTY))
		start_part(t, x, r->end);
}

static void
tap_done(void *ctx, struct wire_exec *x)
{
	if (x->evidence)
		evidence_done(ctx, x);
	tap_text_free(x->user);
	x->user = NULL;
}

static void
tap_transaction(void *ctx, enum wire_tx tx, uint64_t now)
{
	static const uint16_t states[] = { [WIRE_TX_IDLE] = REC_TX_IDLE, [WIRE_TX_OPEN] = REC_TX_OPEN, [WIRE_TX_FAILED] = REC_TX_FAILED };

	tap_put_plain(ctx, REC_TX, states[tx], now);
}

static void
tap_undone(void *ctx, uint64_t now)
{
	tap_put_plain(ctx, REC_TX, REC_TX_UNDONE, now);
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
		tap_put_fact(t, REC_FACT_USER, name, value);
	else if (span_is(name, "database") || span_is(name, "db"))
		tap_put_fact(t, REC_FACT_DATABASE, name, value);
	else if (span_is(name, "application_name") || span_is(name, "program_name"))
		tap_put_fact(t, REC_FACT_APPLICATION, name, value);
	else if (span_is(name, "server_version"))
		tap_put_fact(t, REC_FACT_SERVER, name, value);
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
	tap_put_plain(ctx, REC_RESET, 0, now);
}

static void
tap_notice(void *ctx, const char *code, uint64_t now)
{
	(void)now;
	tap_put_text(ctx, REC_NOTICE, 0, code);
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

	tap_put_text(t, REC_OPAQUE, wire_opaque_expected(why), wire_opaque_name(why));
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
	.undone = tap_undone, \
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
