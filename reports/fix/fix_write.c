/* SPDX-License-Identifier: Apache-2.0 */
/* fix_write: see fix_result.h. Statements are shown as shapes, so that no value shows. */
#include "fingerprint/limits.h"
#include "fix_result.h"
#include "reports/write/emit_keys.h"
#include "reports/write/text.h"

static const char *
state_name(enum fix_state s)
{
	return s == FIX_VERIFIED ? "verified" : s == FIX_DIFFERS ? "differs" : "not verifiable";
}

/* The statement without its values. */
static void
put_shape(struct strbuf *out, const struct rewrite *w, struct sql_lang lang)
{
	struct sql_scanner *s = sql_scanner_new();
	struct sql_stmt st;

	if (!s)
		return;
	sql_scan(s, lang, span_str(w->sql), &st);
	text_clean(out, st.shape, true);
	sql_scanner_free(s);
}

static struct sql_lang
lang_of(const struct snap_finding *f)
{
	return (struct sql_lang){ .dialect = f->worst.repeat ? f->worst.repeat->dialect : SQL_POSTGRESQL };
}

static uint64_t
saved_trips(const struct fix_result *r)
{
	return r->ran > 1 ? r->ran - 1 : 0;
}

/* ---- text ---- */

static void
head(struct strbuf *out, const char *word)
{
	strbuf_printf(out, "%-9s ", word);
}

static void
put_statement(struct strbuf *out, const char *word, const struct shape *s)
{
	char q[9];

	if (!s)
		return;
	shape_short(s->fingerprint, q);
	head(out, word);
	strbuf_printf(out, "%s  ", q);
	text_clean(out, span_of(s->text, s->text_n), true);
	strbuf_char(out, '\n');
}

static void
put_verdict(struct strbuf *out, const struct fix_result *r)
{
	head(out, "verdict");
	if (r->state == FIX_VERIFIED) {
		strbuf_printf(out, "verified: the same rows for %s%u key%s (%llu rows; %u with rows)%s", r->keys > 1 ? "all " : "", r->keys, r->keys == 1 ? "" : "s",
		    (unsigned long long)r->rows, r->keys_with_rows, r->order_differs ? "; their order within a key differs" : "");
	} else if (r->state == FIX_DIFFERS) {
		strbuf_printf(out, "DIFFERS: %u of %u keys get other rows: %s", r->keys_differ, r->keys, r->why);
	} else {
		strbuf_printf(out, "not verifiable: %s", r->why);
	}
	strbuf_char(out, '\n');
	if (r->state == FIX_VERIFIED && r->rewrite.without_limit) {
		head(out, "");
		strbuf_printf(out, "without LIMIT: no key has more than %lld row%s now, and nothing says that none ever will\n", (long long)r->rewrite.limit,
		    r->rewrite.limit == 1 ? "" : "s");
	}
	if (*r->server && r->state != FIX_NOT_VERIFIABLE) {
		head(out, "");
		strbuf_printf(out, "committed data of %s at %s, one read-only snapshot", r->database, r->server);
		if (r->rewrite.distinct > r->keys)
			strbuf_printf(out, "; the first %u of %u keys", r->keys, r->rewrite.distinct);
		strbuf_char(out, '\n');
	}
}

static void
put_cost(struct strbuf *out, const struct snapshot *snap, const struct fix_result *r)
{
	char before[TEXT_TIME], after[TEXT_TIME], saved[TEXT_TIME], rtt[TEXT_TIME], restated[TEXT_TIME];
	uint64_t ns = r->ns_before > r->ns_after ? r->ns_before - r->ns_after : 0;

	if (r->state == FIX_NOT_VERIFIABLE || !r->ns_after)
		return;
	head(out, "before");
	strbuf_printf(out, "%u round trips, %s\n", r->ran, text_time(r->ns_before, before));
	head(out, "after");
	strbuf_printf(out, "1 round trip, %s\n", text_time(r->ns_after, after));
	head(out, "saves");
	strbuf_printf(out, "%llu round trips; %s%s here, %s more at %s each\n", (unsigned long long)saved_trips(r), r->ns_after > r->ns_before ? "no time " : "",
	    r->ns_after > r->ns_before ? "" : text_time(ns, saved), text_time(saved_trips(r) * snap->rtt, restated), text_time(snap->rtt, rtt));
}

static void
put_plan(struct strbuf *out, const char *word, const char *what, const struct fix_plan *p)
{
	head(out, word);
	strbuf_printf(out, "%-8s", what);
	if (!p->known)
		strbuf_printf(out, "not known: %s", p->why ? p->why : "not asked");
	for (uint32_t i = 0; p->known && i < p->nscans; i++) {
		strbuf_printf(out, "%s%s", i ? ", " : "", p->scans[i].how);
		if (*p->scans[i].table)
			strbuf_printf(out, " on %s", p->scans[i].table);
		if (*p->scans[i].index)
			strbuf_printf(out, " by %s", p->scans[i].index);
	}
	if (p->known && p->nscans == 0)
		strbuf_str(out, "reads no table");
	strbuf_char(out, '\n');
}

static void
put_plans(struct strbuf *out, const struct fix_result *r)
{
	const char *word = "plans";

	if (r->has_source) {
		put_plan(out, word, "source", &r->source);
		word = "";
	}
	if (r->child.known || r->child.why) {
		put_plan(out, word, "repeat", &r->child);
		word = "";
	}
	if (r->batched.known || r->batched.why)
		put_plan(out, word, "batched", &r->batched);
	if (r->index) {
		head(out, "index");
		strbuf_printf(out, "each look-up reads the whole table, as no index serves it:\n%10s%s\n", "", r->index);
	}
}

void
fix_write_text(struct strbuf *out, const struct snapshot *snap, const struct snap_finding *f, const struct fix_result *r)
{
	strbuf_printf(out, "%s  %s  %s  ", rules[f->rule].title, verdict_name(f->verdict), f->id);
	text_clean(out, span_str(f->scope), true);
	strbuf_char(out, '\n');
	put_statement(out, "source", f->worst.source);
	put_statement(out, "repeat", f->worst.repeat);
	if (r->executions) {
		head(out, "");
		strbuf_printf(out, "%u executions in request #%llu", r->executions, (unsigned long long)f->request_number);
		if (r->rewrite.distinct)
			strbuf_printf(out, ", %u keys", r->rewrite.distinct);
		strbuf_char(out, '\n');
	}
	if (r->rewrite.sql) {
		head(out, "batched");
		put_shape(out, &r->rewrite, lang_of(f));
		strbuf_char(out, '\n');
	}
	put_verdict(out, r);
	put_cost(out, snap, r);
	put_plans(out, r);
	head(out, "advice");
	text_clean(out, span_str(f->advice), true);
	strbuf_char(out, '\n');
}

/* ---- JSON ---- */

static void
emit_statement(struct emit *j, const char *key, const struct shape *s)
{
	char hex[17];

	if (!s) {
		key_null(j, key);
		return;
	}
	shape_hex(s->fingerprint, hex);
	key_open(j, key, '{');
	key_str(j, "fingerprint", hex);
	emit_key(j, "shape");
	emit_span(j, span_of(s->text, s->text_n));
	emit_close(j, '}');
}

static void
emit_plan(struct emit *j, const char *key, const struct fix_plan *p)
{
	if (!p->known) {
		key_null(j, key);
		return;
	}
	key_open(j, key, '[');
	for (uint32_t i = 0; i < p->nscans; i++) {
		emit_open(j, '{');
		key_str(j, "how", p->scans[i].how);
		key_str_or_null(j, "table", p->scans[i].table);
		key_str_or_null(j, "index", p->scans[i].index);
		key_bool(j, "whole_table", p->scans[i].whole);
		emit_close(j, '}');
	}
	emit_close(j, ']');
}

static void
emit_batched(struct emit *j, const struct snap_finding *f, const struct fix_result *r)
{
	struct strbuf shape;

	if (!r->rewrite.sql) {
		key_null(j, "batched");
		return;
	}
	strbuf_init(&shape, LIMIT_SHAPE_BYTES * 2);
	put_shape(&shape, &r->rewrite, lang_of(f));
	key_open(j, "batched", '{');
	key_str(j, "form", r->rewrite.form);
	emit_key(j, "shape");
	emit_span(j, strbuf_span(&shape));
	key_bool(j, "without_limit", r->rewrite.without_limit);
	emit_close(j, '}');
	strbuf_clear(&shape);
}

static void
emit_numbers(struct emit *j, const struct snapshot *snap, const struct fix_result *r)
{
	const struct {
		const char *key;
		uint64_t value;
	} counts[] = { { "executions", r->executions }, { "ran", r->ran }, { "keys", r->keys }, { "keys_with_rows", r->keys_with_rows },
		{ "keys_that_differ", r->keys_differ }, { "rows", r->rows }, { "round_trips_before", r->ran },
		{ "round_trips_after", r->rewrite.sql && r->ran ? 1 : 0 }, { "round_trips_saved", saved_trips(r) } };
	uint64_t saved = r->ns_before > r->ns_after ? r->ns_before - r->ns_after : 0;

	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		key_uint(j, counts[i].key, counts[i].value);
	key_ms(j, "ms_before", r->ns_before);
	key_ms(j, "ms_after", r->ns_after);
	key_ms(j, "ms_saved", saved);
	key_ms(j, "ms_saved_by_round_trips", saved_trips(r) * snap->rtt);
}

void
fix_write_json(struct strbuf *out, const struct snapshot *snap, const struct snap_finding *f, const struct fix_result *r)
{
	struct emit j;

	emit_init(&j, out, 1);
	emit_open(&j, '{');
	key_str(&j, "schema", "rowcall.fix/1");
	key_str(&j, "finding", f->id);
	key_str(&j, "rule", rule_names[f->rule]);
	key_str(&j, "scope", f->scope);
	key_uint(&j, "request", f->request_number);
	emit_statement(&j, "source", f->worst.source);
	emit_statement(&j, "repeat", f->worst.repeat);
	emit_batched(&j, f, r);
	key_str(&j, "verdict", state_name(r->state));
	key_str_or_null(&j, "why", r->why);
	key_str_or_null(&j, "database", r->database);
	key_str_or_null(&j, "server", r->server);
	emit_numbers(&j, snap, r);
	key_open(&j, "plans", '{');
	emit_plan(&j, "source", &r->source);
	emit_plan(&j, "repeat", &r->child);
	emit_plan(&j, "batched", &r->batched);
	emit_close(&j, '}');
	key_str_or_null(&j, "index", r->index);
	key_str(&j, "advice", f->advice);
	emit_close(&j, '}');
	strbuf_char(out, '\n');
}
