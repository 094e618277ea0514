/* SPDX-License-Identifier: Apache-2.0 */
/* write_html: the report as one self-contained page (html.h). Its document, rowcall.page/1: `report` as in JSON, `page` with what only the
 * page shows (lists in the order of the report's), `timelines` (timelines.h) and `frames` of the flame graph. */
#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "emit_keys.h"
#include "finding_words.h"
#include "html.h"
#include "json_parts.h"
#include "sql_short.h"
#include "stack_words.h"
#include "text.h"
#include "timelines.h"
#include "verdict_words.h"
#include "writers.h"

enum { SQL_COLUMNS = 150, TEXT_MOST = 64 << 10 };

struct page_document {
	const struct snapshot *s;
	const struct write_options *o;
	struct shape_numbers numbers;
};

/* A sentence made in b, which is emptied for the next one. */
static void
key_words(struct emit *j, const char *key, struct strbuf *b)
{
	emit_key(j, key);
	emit_span(j, strbuf_span(b));
	scratch_reset(j->out, b);
}

static void
verdict_part(struct emit *j, const struct snapshot *s, struct strbuf *words)
{
	struct sums sums = verdict_sums(s);

	key_open(j, "verdict", '{');
	key_str(j, "word", verdict_word(s, &sums));
	verdict_sentence(words, s, &sums);
	key_words(j, "sentence", words);
	emit_close(j, '}');
	key_open(j, "totals", '{');
	key_uint(j, "requests", requests_seen(s));
	key_uint(j, "queries", s->queries);
	key_uint(j, "duplicates", s->duplicates);
	key_uint(j, "round_trips", s->round_trips);
	key_ms(j, "db_ms", s->db);
	emit_close(j, '}');
	key_open(j, "warnings", '[');
	for (uint32_t i = 0; i < s->nwarnings; i++)
		emit_str(j, s->warnings[i]);
	emit_close(j, ']');
}

static void
scope_parts(struct emit *j, const struct snapshot *s, const struct write_options *o)
{
	key_open(j, "scopes", '[');
	for (uint32_t i = 0; i < s->nscopes; i++) {
		const struct snap_scope *sc = &s->scopes[i];

		if (!scope_shown(o, sc->name))
			continue;
		emit_open(j, '{');
		key_bool(j, "over", sc->over);
		key_uint(j, "n_plus_one", sc->n_plus_one);
		key_str(j, "scope_from", origin_name(sc->scope_from));
		key_str(j, "borders_from", origin_name(sc->borders_from));
		emit_close(j, '}');
	}
	emit_close(j, ']');
	key_open(j, "requests", '[');
	for (uint32_t i = 0; i < s->nrequests; i++) {
		if (!scope_shown(o, s->requests[i].r.scope))
			continue;
		emit_open(j, '[');
		emit_uint(j, s->requests[i].r.number);
		emit_uint(j, s->requests[i].errors);
		emit_close(j, ']');
	}
	emit_close(j, ']');
}

static void
finding_parts(struct emit *j, const struct snapshot *s, const struct write_options *o, struct strbuf *words)
{
	key_open(j, "findings", '[');
	for (uint32_t i = 0; i < s->nfindings; i++) {
		const struct snap_finding *f = &s->findings[i];

		if (!scope_shown(o, f->scope))
			continue;
		emit_open(j, '{');
		key_uint(j, "number", f->request_number);
		finding_cost(words, s, f);
		key_words(j, "cost", words);
		finding_seen(words, s, f);
		key_words(j, "seen", words);
		finding_growth(words, f, o->all);
		key_words(j, "growth", words);
		finding_inside(words, s, f);
		key_words(j, "inside", words);
		emit_close(j, '}');
	}
	emit_close(j, ']');
}

static void
shape_parts(struct emit *j, const struct snapshot *s, struct strbuf *words)
{
	struct strbuf clean;

	strbuf_init(&clean, LIMIT_REPORT_BYTES);
	key_open(j, "shapes", '[');
	for (uint32_t i = 0; i < s->nshapes; i++) {
		text_clean(&clean, span_str(s->shapes[i].shape->text), true);
		sql_short(words, strbuf_span(&clean), SQL_COLUMNS, true);
		scratch_reset(j->out, &clean);
		emit_open(j, '{');
		key_words(j, "short", words);
		key_uint(j, "requests", s->shapes[i].requests);
		key_uint(j, "kind", stmt_kind(s->shapes[i].shape));
		emit_close(j, '}');
	}
	emit_close(j, ']');
	strbuf_clear(&clean);
}

static void
frames(struct emit *j, const struct page_document *d, struct strbuf *words)
{
	key_open(j, "frames", '[');
	for (uint32_t i = 0; i < d->s->nstacks; i++) {
		const struct snap_stack *p = &d->s->stacks[i];
		int32_t shape = shape_number(&d->numbers, p->shape);

		if (!scope_shown(d->o, p->scope))
			continue;
		emit_open(j, '[');
		emit_uint(j, p->depth);
		emit_str(j, stack_class(p));
		if (shape != SHAPE_NONE)
			emit_int(j, shape);
		else if (p->kind == STACK_SCOPE)
			emit_str(j, p->scope);
		else {
			stack_name(words, p, SQL_COLUMNS);
			emit_span(j, strbuf_span(words));
			scratch_reset(j->out, words);
		}
		emit_uint(j, p->calls);
		emit_uint(j, p->ns);
		emit_close(j, ']');
	}
	emit_close(j, ']');
}

static void
document(struct emit *j, const void *ctx)
{
	const struct page_document *d = ctx;
	struct strbuf words;

	strbuf_init(&words, TEXT_MOST);
	emit_open(j, '{');
	key_str(j, "schema", "rowcall.page/1");
	emit_key(j, "report");
	json_report(j, d->s, d->o);
	key_open(j, "page", '{');
	verdict_part(j, d->s, &words);
	scope_parts(j, d->s, d->o);
	finding_parts(j, d->s, d->o, &words);
	shape_parts(j, d->s, &words);
	emit_close(j, '}');
	emit_key(j, "timelines");
	timelines_json(j, d->s, d->o, &d->numbers);
	frames(j, d, &words);
	emit_close(j, '}');
	scratch_done(j->out, &words);
}

void
write_html(const struct snapshot *s, const struct write_options *o, struct strbuf *out)
{
	struct page_document d = { s, o, shape_numbers(s) };
	struct sums sums = verdict_sums(s);
	struct strbuf title;

	strbuf_init(&title, TEXT_MOST);
	strbuf_printf(&title, "rowcall: %s", verdict_word(s, &sums));
	if (*s->command)
		strbuf_printf(&title, ", %s", s->command);
	html_page(out, strbuf_cstr(&title), document, &d);
	scratch_done(out, &title);
	mem_free(d.numbers.v);
}
