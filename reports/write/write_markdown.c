/* SPDX-License-Identifier: Apache-2.0 */
/* write_markdown: a summary for a pull request or a step summary, GitHub flavoured: verdict, scopes, then findings to unfold.
 * Short enough for a comment (64 KB): what does not fit is counted. Names stand in code spans and our sentences are escaped, so that
 * nothing in them becomes a link, a mention or markup. */
#include <inttypes.h>
#include <stdio.h>

#include "finding_words.h"
#include "markdown.h"
#include "sql_short.h"
#include "text.h"
#include "verdict_words.h"
#include "writers.h"
#include "xml.h"

enum { BYTES_MOST = 60000, SCOPES_SHOWN = 20, FAILURES_SHOWN = 20, SQL_SHOWN = 2000, TEXT_MOST = 1 << 20 };

/* ---- head ---- */

static void
put_verdict(struct strbuf *out, const struct snapshot *s)
{
	struct sums sums = verdict_sums(s);
	struct strbuf b;

	strbuf_init(&b, TEXT_MOST);
	verdict_sentence(&b, s, &sums);
	strbuf_printf(out, "<!-- rowcall -->\n## rowcall: %s\n\n**", verdict_word(s, &sums));
	markdown_sentence(out, strbuf_cstr(&b));
	strbuf_str(out, "**\n");
	scratch_done(out, &b);
}

static void
put_failures(struct strbuf *out, const struct snapshot *s)
{
	uint32_t shown = s->nfailures < FAILURES_SHOWN ? s->nfailures : FAILURES_SHOWN;

	if (shown > 0)
		strbuf_char(out, '\n');
	for (uint32_t i = 0; i < shown; i++) {
		const struct gate_failure *f = &s->failures[i];

		strbuf_str(out, "- ");
		markdown_sentence(out, f->message);
		if (*f->file) {
			struct strbuf place;

			strbuf_init(&place, TEXT_MOST);
			strbuf_printf(&place, "%s:%" PRIu32, f->file, f->line);
			strbuf_str(out, ", set in ");
			markdown_code(out, strbuf_cstr(&place), false);
			scratch_done(out, &place);
		}
		strbuf_char(out, '\n');
	}
	if (shown < s->nfailures)
		strbuf_printf(out, "- and %" PRIu32 " more\n", s->nfailures - shown);
}

/* ---- scopes ---- */

static void
put_limit(struct strbuf *out, int64_t limit)
{
	if (limit == NO_LIMIT)
		strbuf_str(out, " |");
	else
		strbuf_printf(out, " %" PRId64 " |", limit);
}

static void
put_scope(struct strbuf *out, const struct snap_scope *sc, bool budgets, bool baseline)
{
	strbuf_str(out, sc->over ? "| **over** | " : "| | ");
	markdown_code(out, sc->name, true);
	strbuf_printf(out, " | %" PRIu64 " | %" PRIu64 " / %" PRIu64 " |", sc->requests, sc->queries.p50, sc->queries.max);
	if (budgets)
		put_limit(out, sc->budget);
	if (baseline)
		put_limit(out, sc->baseline);
	strbuf_printf(out, " %" PRIu64 " | %" PRIu32 " | %.1f |\n", sc->duplicates, sc->n_plus_one, (double)sc->db.total / 1e6);
}

static void
put_scopes(struct strbuf *out, const struct snapshot *s, const struct write_options *o)
{
	bool budgets = false, baseline = false;
	uint32_t shown = 0, more = 0;

	for (uint32_t i = 0; i < s->nscopes; i++) {
		budgets |= s->scopes[i].budget != NO_LIMIT;
		baseline |= s->scopes[i].baseline != NO_LIMIT;
	}
	for (uint32_t i = 0; i < s->nscopes; i++) {
		if (!scope_shown(o, s->scopes[i].name))
			continue;
		if (shown == SCOPES_SHOWN) {
			more++;
			continue;
		}
		if (shown++ == 0)
			strbuf_printf(out, "\n| | Scope | Requests | Queries, median / most |%s%s Duplicates | N+1 | DB ms |\n"
			    "|:--|:--|--:|--:|%s%s--:|--:|--:|\n", budgets ? " Budget |" : "", baseline ? " Baseline |" : "", budgets ? "--:|" : "",
			    baseline ? "--:|" : "");
		put_scope(out, &s->scopes[i], budgets, baseline);
	}
	if (more > 0)
		strbuf_printf(out, "\n%" PRIu32 " more scope%s in the full report.\n", more, plural(more));
}

/* ---- findings ---- */

static void
put_sql(struct strbuf *out, const char *label, const struct shape *sh, const char *numbers)
{
	struct strbuf clean, sql;
	size_t ticks;

	strbuf_init(&clean, TEXT_MOST);
	strbuf_init(&sql, TEXT_MOST);
	text_clean(&clean, span_str(sh->text), true);
	sql_short(&sql, strbuf_span(&clean), SQL_SHOWN, true);
	ticks = markdown_longest_run(strbuf_span(&sql), '`') + 1;
	ticks = ticks < 3 ? 3 : ticks;
	strbuf_printf(out, "%s, %s\n", label, numbers);
	markdown_repeat(out, '`', ticks);
	strbuf_str(out, "sql\n");
	strbuf_add(out, strbuf_span(&sql));
	strbuf_char(out, '\n');
	markdown_repeat(out, '`', ticks);
	strbuf_str(out, "\n\n");
	scratch_done(out, &clean);
	scratch_done(out, &sql);
}

static void
put_bullet(struct strbuf *out, const char *label, struct strbuf *text)
{
	if (text->n > 0) {
		strbuf_printf(out, "- %s: ", label);
		markdown_sentence(out, strbuf_cstr(text));
		strbuf_char(out, '\n');
	}
	scratch_reset(out, text);
}

static void
put_evidence(struct strbuf *out, const struct snapshot *s, const struct snap_finding *f)
{
	struct strbuf text;
	char numbers[96], t[TEXT_TIME];

	strbuf_init(&text, TEXT_MOST);
	if (f->worst.source) {
		snprintf(numbers, sizeof numbers, "%" PRIu64 " row%s", f->worst.source_rows, plural(f->worst.source_rows));
		put_sql(out, "source", f->worst.source, numbers);
	}
	if (f->worst.repeat) {
		snprintf(numbers, sizeof numbers, "%" PRIu32 "x, %s", f->worst.executions, text_time(f->worst.busy, t));
		put_sql(out, f->worst.executions > 1 ? "repeat" : "query", f->worst.repeat, numbers);
	}
	finding_reason(&text, f);
	put_bullet(out, finding_reason_label(f), &text);
	finding_inside(&text, s, f);
	put_bullet(out, "inside", &text);
	finding_growth(&text, f, false);
	put_bullet(out, "growth", &text);
	finding_cost(&text, s, f);
	put_bullet(out, "cost", &text);
	finding_seen(&text, s, f);
	put_bullet(out, "seen", &text);
	strbuf_str(&text, f->advice ? f->advice : "");
	put_bullet(out, "**fix**", &text);
	scratch_done(out, &text);
}

static void
put_finding(struct strbuf *out, const struct snapshot *s, const struct snap_finding *f)
{
	struct strbuf sentence;

	strbuf_init(&sentence, TEXT_MOST);
	finding_sentence(&sentence, f);
	strbuf_str(out, "\n<details><summary><code>");
	xml_text(out, strbuf_cstr(&sentence));
	strbuf_str(out, "</code></summary>\n\n");
	if (*f->file) {
		scratch_reset(out, &sentence);
		strbuf_str(&sentence, f->file);
		if (f->line)
			strbuf_printf(&sentence, ":%" PRIu32, f->line);
		markdown_code(out, strbuf_cstr(&sentence), false);
		strbuf_str(out, "\n\n");
	}
	put_evidence(out, s, f);
	strbuf_str(out, "\n</details>\n");
	scratch_done(out, &sentence);
}

/* Whole findings as long as there is room, the rest counted. */
static void
put_findings(struct strbuf *out, const struct snapshot *s, const struct write_options *o, size_t begin)
{
	struct arena a = { 0 };
	const struct snap_finding **all = findings_worst_first(&a, s);
	uint64_t more = s->findings_dropped;
	struct strbuf one;

	strbuf_init(&one, TEXT_MOST);
	for (uint32_t i = 0; i < s->nfindings; i++) {
		const struct snap_finding *f = all[i];

		if (!scope_shown(o, f->scope) || (!o->all && !finding_counts(f)))
			continue;
		scratch_reset(out, &one);
		if (more == s->findings_dropped)
			put_finding(&one, s, f);
		if (one.n == 0 || out->n - begin + one.n > BYTES_MOST)
			more++;
		else
			strbuf_add(out, strbuf_span(&one));
	}
	if (more > 0)
		strbuf_printf(out, "\n%" PRIu64 " more finding%s in the full report.\n", more, plural(more));
	scratch_done(out, &one);
	arena_clear(&a);
}

static void
put_foot(struct strbuf *out, const struct snapshot *s)
{
	char t[TEXT_TIME], u[TEXT_TIME];

	strbuf_printf(out, "\n`[SQL] %" PRIu64 " queries (%" PRIu64 " duplicates), %s ms SQL time, %s ms wall`\n", s->queries, s->duplicates,
	    text_ms(s->db, t), text_ms(s->duration, u));
	if (s->coverage.tagged < s->coverage.queries)
		strbuf_printf(out, "%.0f%% of the queries carry a tag.\n", 100.0 * (double)s->coverage.tagged / (double)s->coverage.queries);
	if (*s->command) {
		struct strbuf command;

		strbuf_init(&command, TEXT_MOST);
		strbuf_printf(&command, "rowcall run -- %s", s->command);
		strbuf_str(out, "\nReproduce: ");
		markdown_code(out, strbuf_cstr(&command), false);
		strbuf_char(out, '\n');
		scratch_done(out, &command);
	}
}

void
write_markdown(const struct snapshot *s, const struct write_options *o, struct strbuf *out)
{
	size_t begin = out->n;

	put_verdict(out, s);
	put_failures(out, s);
	put_scopes(out, s, o);
	put_findings(out, s, o, begin);
	put_foot(out, s);
}
