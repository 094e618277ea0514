/* SPDX-License-Identifier: Apache-2.0 */
/* write_diff_markdown: the comparison for a pull request: verdict, a table of the scopes, then each changed scope to unfold with its
 * statements, the unified diff of one request and its sequence diagram. Short enough for a comment: what does not fit is counted. */
#include <inttypes.h>
#include <stdio.h>

#include "compare.h"
#include "fingerprint/shapes.h"
#include "reports/write/markdown.h"
#include "reports/write/sql_short.h"
#include "reports/write/text.h"
#include "reports/write/verdict_words.h"
#include "reports/write/writers.h"

enum { BYTES_MOST = 60000, SCOPES_SHOWN = 20, STATEMENTS_SHOWN = 20, SQL_COLUMNS = 100, CONTEXT = 3, TEXT_MOST = 1 << 20 };

static void
put_head(struct strbuf *out, const struct comparison *c)
{
	static const char *const words[] = { "as before", "changed", "better", "worse" };

	strbuf_printf(out, "<!-- rowcall-diff -->\n## rowcall: %s\n\n**%" PRIu32 " of %" PRIu32 " scope%s worse, %" PRIu32 " better, %" PRIu32
	    " changed, %" PRIu32 " as before**\n", words[c->verdict], c->count[DIFF_WORSE], c->nscopes, plural(c->nscopes), c->count[DIFF_BETTER],
	    c->count[DIFF_CHANGED], c->count[DIFF_SAME]);
}

static const char *
time_words(const struct compared_scope *s)
{
	static const char *const words[] = { "too few requests to tell", "within noise", "**slower**", "faster" };

	return s->before && s->after ? words[s->time.word] : "";
}

static void
put_row(struct strbuf *out, const struct compared_scope *s)
{
	char a[TEXT_TIME], b[TEXT_TIME];

	strbuf_str(out, s->verdict == DIFF_WORSE ? "| **worse** | " : s->verdict == DIFF_SAME ? "| | " : s->verdict == DIFF_BETTER ? "| better | " : "| changed | ");
	markdown_code(out, s->name, true);
	if (s->before && s->after)
		strbuf_printf(out, " | %" PRIu64 " → %" PRIu64 " | %+" PRId64 " | %s → %s | %s |\n", s->before->queries.p50, s->after->queries.p50,
		    (int64_t)s->after->queries.p50 - (int64_t)s->before->queries.p50, text_ms(s->before->db.p50, a), text_ms(s->after->db.p50, b),
		    time_words(s));
	else
		strbuf_printf(out, " | %" PRIu64 " | only %s | %s | |\n", (s->after ? s->after : s->before)->queries.p50, s->after ? "after" : "before",
		    text_ms((s->after ? s->after : s->before)->db.p50, a));
}

static void
put_table(struct strbuf *out, const struct comparison *c, const struct write_options *o)
{
	uint32_t shown = 0, more = 0;

	for (uint32_t i = 0; i < c->nscopes; i++) {
		const struct compared_scope *s = &c->scopes[i];

		if (!scope_shown(o, s->name) || (s->verdict == DIFF_SAME && !o->all))
			continue;
		if (shown == SCOPES_SHOWN) {
			more++;
			continue;
		}
		if (shown++ == 0)
			strbuf_str(out, "\n| | Scope | Queries (median) | Change | DB ms (median) | Time |\n|:--|:--|--:|--:|--:|:--|\n");
		put_row(out, s);
	}
	if (more)
		strbuf_printf(out, "\n%" PRIu32 " more scope%s changed.\n", more, plural(more));
}

/* ---- one scope ---- */

static void
put_times(struct strbuf *out, const struct compared_shape *s)
{
	if (s->change == CHANGE_ADDED)
		strbuf_printf(out, "**added** ×%" PRIu64, s->after.per_request);
	else if (s->change == CHANGE_REMOVED)
		strbuf_printf(out, "removed ×%" PRIu64, s->before.per_request);
	else
		strbuf_printf(out, "×%" PRIu64 " → ×%" PRIu64, s->before.per_request, s->after.per_request);
}

static void
short_sql(struct strbuf *out, const struct shape *shape)
{
	struct strbuf clean;

	strbuf_init(&clean, TEXT_MOST);
	text_clean(&clean, span_str(shape->text), true);
	sql_short(out, strbuf_span(&clean), SQL_COLUMNS, true);
	scratch_done(out, &clean);
}

static void
put_statements(struct strbuf *out, const struct compared_scope *s)
{
	struct strbuf sql;

	strbuf_init(&sql, TEXT_MOST);
	for (uint32_t i = 0; i < s->nchanged && i < STATEMENTS_SHOWN; i++) {
		strbuf_str(out, "- ");
		put_times(out, &s->shapes[i]);
		strbuf_char(out, ' ');
		scratch_reset(out, &sql);
		short_sql(&sql, s->shapes[i].shape);
		markdown_code(out, strbuf_cstr(&sql), false);
		strbuf_char(out, '\n');
	}
	if (s->nchanged > STATEMENTS_SHOWN)
		strbuf_printf(out, "- and %" PRIu32 " more\n", s->nchanged - STATEMENTS_SHOWN);
	scratch_done(out, &sql);
}

static void
put_findings(struct strbuf *out, const struct compared_scope *s)
{
	static const char *const words[] = { "", "**new**", "gone", "**more**", "fewer" };

	for (uint32_t i = 0; i < s->nfindings; i++) {
		const struct compared_finding *f = &s->findings[i];

		strbuf_printf(out, "- %s %s, %s, %" PRIu64 "x → %" PRIu64 "x", words[f->change], rules[f->f->rule].title, verdict_name(f->f->verdict),
		    f->before, f->after);
		if (*f->f->worst.column || f->f->worst.repeat) {
			strbuf_char(out, ' ');
			markdown_code(out, *f->f->worst.column ? f->f->worst.column : f->f->worst.repeat->summary, false);
		}
		strbuf_char(out, '\n');
	}
}

/* A line of the request, indented by its block. A fence is ended by backticks at the start of a line, which none of these has. */
static void
put_line(struct strbuf *out, const struct seq_change *c)
{
	strbuf_printf(out, "%c%*s", c->op, (int)(2 * c->line->depth), "");
	if (!c->line->shape)
		strbuf_printf(out, "%" PRIu64 "x:", c->line->times);
	else if (c->line->times > 1)
		strbuf_printf(out, "%" PRIu64 "x ", c->line->times);
	if (c->line->shape)
		short_sql(out, c->line->shape);
	strbuf_char(out, '\n');
}

static void
put_sequence(struct strbuf *out, const struct compared_scope *s)
{
	char buf[REQUEST_LABEL];
	struct seq_hunk h;
	uint32_t at = 0;

	if (!s->sequence.differs)
		return;
	strbuf_str(out, "\n```diff\n");
	strbuf_printf(out, "--- before %s\n", s->one_before ? request_label(&s->one_before->r, buf) : "");
	strbuf_printf(out, "+++ after %s\n", s->one_after ? request_label(&s->one_after->r, buf) : "");
	while (sequence_hunk(&s->sequence, CONTEXT, &at, &h)) {
		strbuf_printf(out, "@@ -%" PRIu32 ",%" PRIu32 " +%" PRIu32 ",%" PRIu32 " @@\n", h.before, h.before_n, h.after, h.after_n);
		for (uint32_t i = h.first; i < h.first + h.n; i++)
			put_line(out, &s->sequence.changes[i]);
	}
	strbuf_str(out, "```\n\n```mermaid\n");
	write_mermaid(s, out);
	strbuf_str(out, "```\n");
}

static void
put_scope(struct strbuf *out, const struct compared_scope *s)
{
	strbuf_str(out, "\n<details><summary>");
	markdown_summary(out, s->name);
	strbuf_printf(out, ": %s</summary>\n\n", verdict_change_name(s->verdict));
	put_findings(out, s);
	put_statements(out, s);
	put_sequence(out, s);
	strbuf_str(out, "\n</details>\n");
}

void
write_diff_markdown(const struct comparison *c, const struct write_options *o, struct strbuf *out)
{
	size_t begin = out->n;
	struct strbuf one;
	uint32_t more = 0;

	put_head(out, c);
	put_table(out, c, o);
	strbuf_init(&one, TEXT_MOST);
	for (uint32_t i = 0; i < c->nscopes; i++) {
		if (!scope_shown(o, c->scopes[i].name) || c->scopes[i].verdict == DIFF_SAME)
			continue;
		scratch_reset(out, &one);
		if (!more)
			put_scope(&one, &c->scopes[i]);
		if (more || out->n - begin + one.n > BYTES_MOST)
			more++;
		else
			strbuf_add(out, strbuf_span(&one));
	}
	scratch_done(out, &one);
	if (more)
		strbuf_printf(out, "\n%" PRIu32 " more scope%s in the full comparison.\n", more, plural(more));
}
