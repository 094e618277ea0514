/* SPDX-License-Identifier: Apache-2.0 */
/* write_diff_json: schema rowcall.diff/1 (reports/diff.schema.json), one function per object, keys in the schema's order; and the page that
 * draws it.
 * Never: leaves out a key because its value is not known (that is null); prints a parameter value. */
#include "compare.h"
#include "reports/write/emit_keys.h"
#include "reports/write/html.h"
#include "reports/write/json_parts.h"
#include "reports/write/writers.h"

enum { LINED = 3 };

static void
put_run(struct emit *j, const char *key, const struct snapshot *s)
{
	key_open(j, key, '{');
	key_str_or_null(j, "command", s->command);
	json_run_facts(j, s);
	key_uint(j, "requests", requests_seen(s));
	key_uint(j, "queries", s->queries);
	key_bool(j, "trusted", s->trusted);
	emit_close(j, '}');
}

/* ---- scopes ---- */

static void
put_queries(struct emit *j, const char *key, const struct snap_scope *s)
{
	if (s)
		json_counts(j, key, &s->queries);
	else
		key_null(j, key);
}

static void
put_times(struct emit *j, const char *key, const struct snap_scope *s)
{
	if (!s) {
		key_null(j, key);
		return;
	}
	key_open(j, key, '{');
	key_ms(j, "total", s->db.total);
	json_percentiles(j, &s->db);
	emit_close(j, '}');
}

static void
put_noise(struct emit *j, const struct noise *n)
{
	key_open(j, "noise", '{');
	key_str(j, "word", noise_name(n->word));
	emit_key(j, "p");
	if (n->word == NOISE_FEW)
		emit_null(j);
	else
		emit_ms(j, (uint64_t)(n->p * 1e6 + 0.5));	/* three decimals, as milliseconds have */
	key_ms(j, "spread_ms", n->spread);
	emit_close(j, '}');
}

static void
put_use(struct emit *j, const char *key, const struct use *u)
{
	key_open(j, key, '{');
	key_uint(j, "requests", u->requests);
	key_uint(j, "per_request", u->per_request);
	key_uint(j, "executions", u->executions);
	emit_close(j, '}');
}

static void
put_statements(struct emit *j, const struct compared_scope *s)
{
	key_open(j, "statements", '[');
	for (uint32_t i = 0; i < s->nshapes; i++) {
		emit_open(j, '{');
		key_str(j, "change", change_name(s->shapes[i].change));
		put_use(j, "before", &s->shapes[i].before);
		put_use(j, "after", &s->shapes[i].after);
		key_shape(j, s->shapes[i].shape);
		emit_close(j, '}');
	}
	emit_close(j, ']');
}

static void
put_findings(struct emit *j, const struct compared_scope *s)
{
	key_open(j, "findings", '[');
	for (uint32_t i = 0; i < s->nfindings; i++) {
		const struct compared_finding *f = &s->findings[i];

		emit_open(j, '{');
		key_str(j, "change", change_name(f->change));
		key_str(j, "id", f->f->id);
		key_str(j, "rule", rule_names[f->f->rule]);
		key_str(j, "verdict", verdict_name(f->f->verdict));
		key_uint(j, "before", f->before);
		key_uint(j, "after", f->after);
		key_str_or_null(j, "column", f->f->worst.column);
		key_shape(j, f->f->worst.repeat);
		emit_close(j, '}');
	}
	emit_close(j, ']');
}

static void
put_request(struct emit *j, const char *key, const struct snap_request *r)
{
	char buf[REQUEST_LABEL];

	key_str_or_null(j, key, r ? request_label(&r->r, buf) : NULL);
}

static void
put_sequence(struct emit *j, const struct compared_scope *s)
{
	struct strbuf mermaid;

	key_open(j, "sequence", '{');
	put_request(j, "before", s->one_before);
	put_request(j, "after", s->one_after);
	key_bool(j, "differs", s->sequence.differs);
	key_bool(j, "cut", s->sequence.cut);
	key_open(j, "lines", '[');
	for (uint32_t i = 0; s->sequence.differs && i < s->sequence.n; i++) {
		const struct seq_change *c = &s->sequence.changes[i];
		char op[2] = { c->op, '\0' };

		emit_open(j, '{');
		key_str(j, "op", op);
		key_uint(j, "depth", c->line->depth);
		key_uint(j, "times", c->line->times);
		key_shape(j, c->line->shape);
		emit_close(j, '}');
	}
	emit_close(j, ']');
	strbuf_init(&mermaid, 1 << 20);
	if (s->sequence.differs)
		write_mermaid(s, &mermaid);
	key_str_or_null(j, "mermaid", strbuf_cstr(&mermaid));
	scratch_done(j->out, &mermaid);
	emit_close(j, '}');
}

static void
put_scope(struct emit *j, const struct compared_scope *s)
{
	emit_open(j, '{');
	key_str(j, "scope", s->name);
	key_str(j, "change", verdict_change_name(s->verdict));
	key_open(j, "requests", '{');
	key_uint(j, "before", s->before ? s->before->requests : 0);
	key_uint(j, "after", s->after ? s->after->requests : 0);
	emit_close(j, '}');
	key_open(j, "queries", '{');
	put_queries(j, "before", s->before);
	put_queries(j, "after", s->after);
	emit_close(j, '}');
	key_open(j, "db_ms", '{');
	put_times(j, "before", s->before);
	put_times(j, "after", s->after);
	put_noise(j, &s->time);
	emit_close(j, '}');
	put_statements(j, s);
	put_findings(j, s);
	put_sequence(j, s);
	emit_close(j, '}');
}

struct diff_document {
	const struct comparison *c;
	const struct write_options *o;
};

static void
document(struct emit *j, const void *ctx)
{
	const struct diff_document *d = ctx;
	const struct comparison *c = d->c;

	emit_open(j, '{');
	json_tool(j, "rowcall.diff/1", c->after);
	key_str(j, "change", verdict_change_name(c->verdict));
	put_run(j, "before", c->before);
	put_run(j, "after", c->after);
	key_open(j, "scopes", '[');
	for (uint32_t i = 0; i < c->nscopes; i++)
		if (scope_shown(d->o, c->scopes[i].name))
			put_scope(j, &c->scopes[i]);
	emit_close(j, ']');
	key_uint(j, "left_out", c->left_out);
	emit_close(j, '}');
}

void
write_diff_json(const struct comparison *c, const struct write_options *o, struct strbuf *out)
{
	const struct diff_document d = { c, o };
	struct emit j;

	emit_init(&j, out, LINED);
	document(&j, &d);
	strbuf_char(out, '\n');
}

void
write_diff_html(const struct comparison *c, const struct write_options *o, struct strbuf *out)
{
	static const char *const titles[] = { "rowcall diff: same", "rowcall diff: changed", "rowcall diff: better", "rowcall diff: worse" };
	const struct diff_document d = { c, o };

	html_page(out, titles[c->verdict], document, &d);
}
