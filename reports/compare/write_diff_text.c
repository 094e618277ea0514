/* SPDX-License-Identifier: Apache-2.0 */
/* write_diff_text: the comparison for a terminal: the verdict, each scope that changed with its statements, findings and times, then one
 * request of the worst scope in order. */
#include <inttypes.h>
#include <stdio.h>

#include "compare.h"
#include "fingerprint/shapes.h"
#include "reports/write/page.h"
#include "reports/write/sql_short.h"
#include "reports/write/text.h"
#include "reports/write/verdict_words.h"
#include "reports/write/writers.h"

enum { INDENT = 4, STATEMENTS_SHOWN = 12, CONTEXT = 3, RUN_INDENT = 6 };

static const char *
run_label(const struct comparison *c, const struct snapshot *s)
{
	return s == c->before ? "before" : "after";
}

static void
put_run(struct page *p, const struct comparison *c, const struct snapshot *s)
{
	char n[TEXT_COUNT], m[TEXT_COUNT], started[TIME_TEXT];

	time_text(s->started_us, started);
	page_to(p, RUN_INDENT);
	page_put(p, INK_DIM, "%-7s %.19sZ  %s request%s, %s quer%s", run_label(c, s), started, text_count(requests_seen(s), n),
	    plural(requests_seen(s)), text_count(s->queries, m), s->queries == 1 ? "y" : "ies");
	if (*s->command)
		page_put(p, INK_DIM, "  run \"%s\"", s->command);
	page_line(p);
}

static void
put_head(struct page *p, const struct comparison *c)
{
	static const struct {
		const char *word;
		enum ink ink;
	} words[] = { { "SAME", INK_GOOD }, { "CHANGED", INK_GOOD }, { "BETTER", INK_GOOD }, { "WORSE", INK_BAD } };
	uint32_t same = c->count[DIFF_SAME];

	page_put(p, words[c->verdict].ink, "%s", words[c->verdict].word);
	page_put(p, INK_BOLD, "  %" PRIu32 " of %" PRIu32 " scope%s worse, %" PRIu32 " better", c->count[DIFF_WORSE], c->nscopes,
	    plural(c->nscopes), c->count[DIFF_BETTER]);
	if (c->count[DIFF_CHANGED])
		page_put(p, INK_BOLD, ", %" PRIu32 " changed", c->count[DIFF_CHANGED]);
	if (same)
		page_put(p, INK_BOLD, ", %" PRIu32 " as before", same);
	page_line(p);
	put_run(p, c, c->before);
	put_run(p, c, c->after);
	if (c->left_out) {
		page_to(p, RUN_INDENT);
		page_put(p, INK_YELLOW, "%" PRIu64 " requests or statements beyond the limits are not compared", c->left_out);
		page_line(p);
	}
}

/* ---- one scope ---- */

static void
put_title(struct page *p, const struct compared_scope *s)
{
	static const enum ink inks[] = { INK_PLAIN, INK_PLAIN, INK_GREEN, INK_RED };
	const struct snap_scope *only = s->after ? s->after : s->before;
	int64_t by;

	page_blank(p);
	page_put(p, inks[s->verdict], "%s ", s->verdict == DIFF_WORSE ? "!" : " ");
	page_name(p, INK_BOLD, s->name, p->width - 44, CUT_MIDDLE);
	if (!s->before || !s->after) {
		page_right(p, INK_DIM, "only %s, %" PRIu64 " quer%s", s->after ? "after" : "before", only->queries.p50,
		    only->queries.p50 == 1 ? "y" : "ies");
		page_line(p);
		return;
	}
	by = (int64_t)s->after->queries.p50 - (int64_t)s->before->queries.p50;
	page_right(p, inks[by > 0 ? DIFF_WORSE : by < 0 ? DIFF_BETTER : DIFF_SAME], "queries %" PRIu64 " %s %" PRIu64 " (%+" PRId64 ")",
	    s->before->queries.p50, p->o->utf8 ? "→" : "->", s->after->queries.p50, by);
	page_line(p);
}

static void
put_finding(struct page *p, const struct compared_finding *f)
{
	static const char *const words[] = { "", "new", "gone", "more", "fewer" };
	bool bad = f->change == CHANGE_ADDED || f->change == CHANGE_MORE;

	page_to(p, INDENT);
	page_put(p, bad ? INK_RED : INK_GREEN, "%-6s", words[f->change]);
	page_put(p, INK_PLAIN, " %s %s  ", rules[f->f->rule].title, verdict_name(f->f->verdict));
	if (f->change == CHANGE_ADDED || f->change == CHANGE_REMOVED)
		page_put(p, INK_PLAIN, "%" PRIu64 "x ", f->before + f->after);
	else
		page_put(p, INK_PLAIN, "%" PRIu64 "x %s %" PRIu64 "x ", f->before, p->o->utf8 ? "→" : "->", f->after);
	page_wrap(p, INK_PLAIN, "%s", *f->f->worst.column ? f->f->worst.column : f->f->worst.repeat ? f->f->worst.repeat->summary : "");
}

static void
put_statement(struct page *p, const struct compared_shape *s)
{
	static const struct {
		const char *sign;
		enum ink ink;
	} signs[] = { { "=", INK_DIM }, { "+", INK_RED }, { "-", INK_GREEN }, { "*", INK_RED }, { "*", INK_GREEN } };
	char times[64], name[9];

	if (s->change == CHANGE_MORE || s->change == CHANGE_FEWER)
		snprintf(times, sizeof times, "%" PRIu64 "x %s %" PRIu64 "x", s->before.per_request, p->o->utf8 ? "→" : "->", s->after.per_request);
	else
		snprintf(times, sizeof times, "%" PRIu64 "x", s->after.per_request ? s->after.per_request : s->before.per_request);
	shape_short(s->shape->fingerprint, name);
	page_to(p, INDENT);
	page_put(p, signs[s->change].ink, "%s %-12s", signs[s->change].sign, times);
	page_put(p, INK_DIM, " %s  ", name);
	page_sql(p, s->shape->text, p->width > p->col + 8 ? p->width - p->col : 8);
	page_line(p);
}

static void
put_time(struct page *p, const struct compared_scope *s)
{
	static const enum ink inks[] = { INK_DIM, INK_DIM, INK_YELLOW, INK_GREEN };
	static const char *const words[] = { "too few requests to tell from noise", "within the runs' own noise", "slower beyond noise", "faster beyond noise" };
	const char *to = p->o->utf8 ? "→" : "->";
	char a[TEXT_TIME], b[TEXT_TIME], c[TEXT_TIME], d[TEXT_TIME], test[40] = "";

	if (!s->before || !s->after)
		return;
	if (s->time.word >= NOISE_UP)
		snprintf(test, sizeof test, " (p %s %.3f)", s->time.p < 0.001 ? "<" : "=", s->time.p < 0.001 ? 0.001 : s->time.p);
	page_to(p, INDENT);
	page_wrap(p, inks[s->time.word], "SQL time per request: median %s %s %s ms, p95 %s %s %s ms, %s%s", text_ms(s->before->db.p50, a), to,
	    text_ms(s->after->db.p50, b), text_ms(s->before->db.p95, c), to, text_ms(s->after->db.p95, d), words[s->time.word], test);
}

static void
put_scope(struct page *p, const struct compared_scope *s)
{
	uint32_t most = p->o->all ? s->nshapes : s->nchanged < STATEMENTS_SHOWN ? s->nchanged : STATEMENTS_SHOWN;

	put_title(p, s);
	for (uint32_t i = 0; i < s->nfindings; i++)
		put_finding(p, &s->findings[i]);
	for (uint32_t i = 0; i < most; i++)
		put_statement(p, &s->shapes[i]);
	if (most < s->nchanged) {
		page_to(p, INDENT);
		page_put(p, INK_DIM, "... %" PRIu32 " more statements changed (--all)", s->nchanged - most);
		page_line(p);
	}
	put_time(p, s);
}

/* ---- one request in order ---- */

static void
put_line(struct page *p, const struct seq_change *c)
{
	enum ink ink = c->op == '+' ? INK_RED : c->op == '-' ? INK_GREEN : INK_DIM;
	unsigned indent = 2 * c->line->depth;

	page_put(p, ink, "%c%*s", c->op, (int)indent, "");
	if (!c->line->shape)
		page_put(p, ink, "%" PRIu64 "x:", c->line->times);
	else if (c->line->times > 1)
		page_put(p, ink, "%" PRIu64 "x ", c->line->times);
	if (c->line->shape)
		page_sql(p, c->line->shape->text, p->width > p->col + 8 ? p->width - p->col : 8);
	page_line(p);
}

static void
put_request(struct page *p, const char *sign, const char *name, const struct snap_request *r)
{
	char buf[REQUEST_LABEL];

	page_put(p, INK_BOLD, "%s %s", sign, name);
	if (r)
		page_put(p, INK_BOLD, "  request %s, %" PRIu32 " quer%s", request_label(&r->r, buf), r->queries, r->queries == 1 ? "y" : "ies");
	else
		page_put(p, INK_DIM, "  no request kept with its statements");
	page_line(p);
}

static void
put_sequence(struct page *p, const struct compared_scope *s)
{
	struct seq_hunk h;
	uint32_t at = 0;

	page_blank(p);
	page_put(p, INK_BOLD, "SEQUENCE  ");
	page_name(p, INK_BOLD, s->name, p->width - 12, CUT_MIDDLE);
	page_line(p);
	put_request(p, "---", "before", s->one_before);
	put_request(p, "+++", "after", s->one_after);
	while (sequence_hunk(&s->sequence, CONTEXT, &at, &h)) {
		page_put(p, INK_CYAN, "@@ -%" PRIu32 ",%" PRIu32 " +%" PRIu32 ",%" PRIu32 " @@", h.before, h.before_n, h.after, h.after_n);
		page_line(p);
		for (uint32_t i = h.first; i < h.first + h.n; i++)
			put_line(p, &s->sequence.changes[i]);
	}
	if (!s->sequence.differs) {
		page_put(p, INK_DIM, "the same statements in the same order");
		page_line(p);
	}
	if (s->sequence.cut) {
		page_put(p, INK_YELLOW, "cut: the requests go on");
		page_line(p);
	}
}

void
write_diff_text(const struct comparison *c, const struct write_options *o, struct strbuf *out)
{
	const struct compared_scope *worst = NULL;
	uint32_t same = 0;
	struct page p;

	page_init(&p, out, o);
	put_head(&p, c);
	for (uint32_t i = 0; i < c->nscopes; i++) {
		const struct compared_scope *s = &c->scopes[i];

		if (!scope_shown(o, s->name))
			continue;
		if (s->verdict == DIFF_SAME && !o->all && !o->scope) {
			same++;
			continue;
		}
		put_scope(&p, s);
		worst = worst ? worst : s;
	}
	if (same) {
		page_blank(&p);
		page_put(&p, INK_DIM, "  %" PRIu32 " scope%s the same statements as before (--all)", same, same == 1 ? " executes" : "s execute");
		page_line(&p);
	}
	for (uint32_t i = 0; worst && i < c->nscopes; i++)
		if (&c->scopes[i] == worst || (o->all && c->scopes[i].sequence.differs && scope_shown(o, c->scopes[i].name)))
			put_sequence(&p, &c->scopes[i]);
	page_clear(&p);
}

void
write_diff_verdict_line(const struct comparison *c, struct strbuf *out)
{
	bool unusable = !c->before->trusted || !c->after->trusted;

	strbuf_printf(out, "rowcall: %s worse=%" PRIu32 " better=%" PRIu32 " scopes=%" PRIu32 "\n",
	    unusable ? "UNUSABLE" : c->verdict == DIFF_WORSE ? "FAIL" : "PASS", c->count[DIFF_WORSE], c->count[DIFF_BETTER], c->nscopes);
}
