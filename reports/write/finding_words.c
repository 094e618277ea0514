/* SPDX-License-Identifier: Apache-2.0 */
/* finding_words: see finding_words.h. */
#include "finding_words.h"

#include <inttypes.h>

#include "fingerprint/shapes.h"
#include "sql_short.h"
#include "text.h"
#include "verdict_words.h"
#include "writers.h"

enum { KEY_SHOWN = 12, SQL_SHOWN = 400, TEXT_MOST = 64 << 10, NEST_MOST = 8 };

void
finding_title(struct strbuf *out, const struct snap_finding *f)
{
	const char *words = rule_words(f->rule, 1);
	char first = *words >= 'a' && *words <= 'z' ? (char)(*words - 'a' + 'A') : *words;

	strbuf_printf(out, "%c%s in %s", first, words + 1, f->scope);
}

void
finding_sentence(struct strbuf *out, const struct snap_finding *f)
{
	const struct raw_finding *w = &f->worst;
	const char *before = ": ";

	finding_title(out, f);
	if (w->repeat) {
		strbuf_printf(out, ": %s", w->repeat->summary);
		if (w->executions > 1)
			strbuf_printf(out, " %" PRIu32 "x", w->executions);
		before = ", ";
	}
	if (w->evidence && *w->evidence)
		strbuf_printf(out, "%s%s", before, w->evidence);
}

/* Proven by the flow of a column's values. */
static bool
has_column(const struct snap_finding *f)
{
	return f->worst.column && *f->worst.column;
}

const char *
finding_reason_label(const struct snap_finding *f)
{
	return f->verdict == VERDICT_PROVEN && has_column(f) ? "proof" : "why";
}

void
finding_reason(struct strbuf *out, const struct snap_finding *f)
{
	bool evidence = f->worst.evidence && *f->worst.evidence;

	if (has_column(f))
		strbuf_str(out, f->worst.column);
	if (has_column(f) && evidence)
		strbuf_str(out, "; ");
	if (evidence)
		strbuf_str(out, f->worst.evidence);
}

/* The request the finding was worst in; NULL when it was not kept. */
static const struct snap_request *
worst_request(const struct snapshot *s, const struct snap_finding *f)
{
	return f->request < s->nrequests ? &s->requests[f->request] : NULL;
}

void
finding_growth(struct strbuf *out, const struct snap_finding *f, bool all)
{
	if (!f->growth_words || f->growth.requests < 2 || (f->growth.state != GROWTH_FITTED && !all))
		return;
	strbuf_str(out, f->growth_words);
	if (f->growth.fixed && f->verdict == VERDICT_NOTE && f->worst.verdict != VERDICT_NOTE)
		strbuf_str(out, "; therefore only a note");
}

const struct snap_finding *
finding_parent(const struct snapshot *s, const struct snap_finding *f)
{
	return f->parent > 0 && f->parent <= s->nfindings ? &s->findings[f->parent - 1] : NULL;
}

void
finding_inside(struct strbuf *out, const struct snapshot *s, const struct snap_finding *f)
{
	const struct snap_finding *chain[NEST_MOST];
	size_t n = 0;

	for (; f && n < NEST_MOST; f = finding_parent(s, f))
		chain[n++] = f;
	if (n < 2)
		return;
	if (chain[n - 1]->worst.source)
		strbuf_printf(out, "%s (%" PRIu64 " row%s)", chain[n - 1]->worst.source->summary, chain[n - 1]->worst.source_rows,
		    plural(chain[n - 1]->worst.source_rows));
	while (n-- > 0)
		strbuf_printf(out, " > %s %" PRIu32 "x", chain[n]->worst.repeat->summary, chain[n]->worst.executions);
}

/* "84% of its SQL time, 3.1 ms wasted; 49 round trips too many: 49 ms at 1 ms each" */
void
finding_cost(struct strbuf *out, const struct snapshot *s, const struct snap_finding *f)
{
	const struct snap_request *r = worst_request(s, f);
	uint64_t trips = s->rtt ? f->cost_at_rtt / s->rtt : 0;
	bool share = r && f->worst.busy <= r->db && f->worst.busy > r->db / 100;	/* one percent says nothing */
	bool wasted = f->worst.wasted >= 50000;	/* ns: what shows as 0.0 ms says nothing */
	char t[TEXT_TIME], u[TEXT_TIME];

	if (share)
		strbuf_printf(out, "%.0f%% of its SQL time", 100.0 * (double)f->worst.busy / (double)r->db);
	if (wasted)
		strbuf_printf(out, "%s%s wasted", share ? ", " : "", text_time(f->worst.wasted, t));
	if (trips > 0)
		strbuf_printf(out, "%s%" PRIu64 " round trip%s too many: %s at %s each", share || wasted ? "; " : "", trips, plural(trips),
		    text_time(f->cost_at_rtt, t), text_time(s->rtt, u));
}

/* " #4 (4bf92f3577b...) in tests/test_orders.py::test_index" */
static void
add_request(struct strbuf *b, const struct snap_request *r, const struct snap_finding *f)
{
	strbuf_printf(b, " #%" PRIu64, f->request_number);
	if (r && *r->r.key) {
		strbuf_str(b, " (");
		text_cut_end(b, span_str(r->r.key), KEY_SHOWN, true);
		strbuf_str(b, ")");
	}
	if (f->test && *f->test)
		strbuf_printf(b, " in %s", f->test);
}

void
finding_seen(struct strbuf *out, const struct snapshot *s, const struct snap_finding *f)
{
	char n[TEXT_COUNT], m[TEXT_COUNT];

	if (f->of <= 1)
		strbuf_str(out, "request");
	else if (f->seen_in <= 1)
		strbuf_printf(out, "in 1 of %s requests:", text_count(f->of, m));
	else {
		strbuf_printf(out, "in %s of %s requests", text_count(f->seen_in, n), text_count(f->of, m));
		if (f->worst.repeat)
			strbuf_printf(out, " (%s executions)", text_count(f->executions, n));
		strbuf_str(out, ", worst:");
	}
	add_request(out, worst_request(s, f), f);
}

/* ---- as lines ---- */

static void
add_line(struct strbuf *out, const char *label, struct strbuf *text)
{
	if (text->n > 0) {
		strbuf_printf(out, "%s: ", label);
		text_clean(out, strbuf_span(text), true);
		strbuf_char(out, '\n');
	}
	scratch_reset(out, text);
}

static void
add_shape(struct strbuf *text, const struct shape *sh)
{
	struct strbuf clean;
	char id[9];

	strbuf_init(&clean, 4 * TEXT_MOST);
	shape_short(sh->fingerprint, id);
	strbuf_printf(text, "%s ", id);
	text_clean(&clean, span_str(sh->text), true);
	sql_short(text, strbuf_span(&clean), SQL_SHOWN, true);
	scratch_done(text, &clean);
}

static void
add_shapes(struct strbuf *out, const struct raw_finding *w, struct strbuf *text)
{
	char t[TEXT_TIME];

	if (w->source) {
		add_shape(text, w->source);
		strbuf_printf(text, " (%" PRIu64 " row%s)", w->source_rows, plural(w->source_rows));
		add_line(out, "source", text);
	}
	if (w->repeat) {
		add_shape(text, w->repeat);
		strbuf_printf(text, " (%" PRIu32 "x, %s)", w->executions, text_time(w->busy, t));
		add_line(out, w->executions > 1 ? "repeat" : "query", text);
	}
}

void
finding_lines(struct strbuf *out, const struct snapshot *s, const struct snap_finding *f)
{
	struct strbuf text;

	strbuf_init(&text, TEXT_MOST);
	add_shapes(out, &f->worst, &text);
	finding_reason(&text, f);
	add_line(out, finding_reason_label(f), &text);
	finding_inside(&text, s, f);
	add_line(out, "inside", &text);
	finding_growth(&text, f, false);
	add_line(out, "growth", &text);
	finding_cost(&text, s, f);
	add_line(out, "cost", &text);
	finding_seen(&text, s, f);
	add_line(out, "seen", &text);
	strbuf_str(&text, f->advice ? f->advice : "");
	add_line(out, "fix", &text);
	scratch_done(out, &text);
}

struct place
place_of(const char *file, uint32_t line)
{
	struct span path = span_str(file);
	struct place p = { .line = line ? line : 1 };

	while (path.n > 0 && (path.p[0] == '/' || (path.n > 1 && path.p[0] == '.' && path.p[1] == '/')))
		path = span_from(path, 1);
	strbuf_init(&p.path, TEXT_MOST);
	if (path.n > 0)
		text_clean(&p.path, path, true);
	else {
		strbuf_str(&p.path, "rowcall.yaml");
		p.line = 1;
	}
	return p;
}

struct place
finding_place(const struct snap_finding *f)
{
	return place_of(f->file, f->line);
}
