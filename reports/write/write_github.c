/* SPDX-License-Identifier: Apache-2.0 */
/* write_github: workflow commands that GitHub Actions turns into annotations: findings that count, failures of the gate that no finding
 * tells, and the verdict. GitHub shows ten of each level per step and silently drops the rest: the worst ten are written, then a count. */
#include <inttypes.h>

#include "finding_words.h"
#include "text.h"
#include "verdict_words.h"
#include "writers.h"

enum { SHOWN = 10, TEXT_MOST = 256 << 10 };

/* A property's value also needs its separators escaped. */
static void
escaped(struct strbuf *out, struct span s, bool property)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ',')))
			strbuf_printf(out, "%%%02X", c);
		else
			strbuf_char(out, (char)c);
	}
}

static void
cleaned(struct strbuf *out, const char *s, bool property)
{
	struct strbuf clean;

	strbuf_init(&clean, TEXT_MOST);
	text_clean(&clean, span_str(s), true);
	escaped(out, strbuf_span(&clean), property);
	scratch_done(out, &clean);
}

static const char *
command_of(enum level l)
{
	static const char *const names[] = { "error", "warning", "notice" };

	return names[l];
}

static void
put_finding(struct strbuf *out, const struct snapshot *s, const struct snap_finding *f)
{
	struct place place = finding_place(f);
	struct strbuf text;

	strbuf_init(&text, TEXT_MOST);
	strbuf_printf(out, "::%s ", command_of(f->level));
	if (*f->file) {
		strbuf_str(out, "file=");
		escaped(out, strbuf_span(&place.path), true);
		strbuf_printf(out, ",line=%" PRIu32 ",endLine=%" PRIu32 ",", place.line, place.line);
	}
	strbuf_str(out, "title=");
	finding_title(&text, f);
	cleaned(out, strbuf_cstr(&text), true);
	strbuf_str(out, "::");
	scratch_reset(out, &text);
	finding_sentence(&text, f);
	cleaned(out, strbuf_cstr(&text), false);
	strbuf_str(out, "%0A");
	scratch_reset(out, &text);
	finding_lines(&text, s, f);
	escaped(out, span_first(strbuf_span(&text), text.n ? text.n - 1 : 0), false);
	strbuf_char(out, '\n');
	scratch_done(out, &text);
	scratch_done(out, &place.path);
}

static void
put_plain(struct strbuf *out, enum level l, const char *title, const char *message)
{
	strbuf_printf(out, "::%s title=", command_of(l));
	cleaned(out, title, true);
	strbuf_str(out, "::");
	cleaned(out, message, false);
	strbuf_char(out, '\n');
}

/* Failures that are findings too are told by them. */
static uint64_t
put_failures(struct strbuf *out, const struct snapshot *s)
{
	uint64_t shown = 0;

	for (uint32_t i = 0; i < s->nfailures && shown < SHOWN - 1; i++) {
		const struct gate_failure *f = &s->failures[i];

		if (failure_is_finding(f))
			continue;
		put_plain(out, LEVEL_ERROR, f->kind, f->message);
		shown++;
	}
	return shown;
}

static uint64_t
put_findings(struct strbuf *out, const struct snapshot *s, const struct write_options *o, enum level l, uint64_t room)
{
	struct arena a = { 0 };
	const struct snap_finding **all = findings_worst_first(&a, s);
	uint64_t more = 0;

	for (uint32_t i = 0; i < s->nfindings; i++) {
		const struct snap_finding *f = all[i];

		if (f->level != l || f->suppressed || !scope_shown(o, f->scope))
			continue;
		if (room == 0)
			more++;
		else {
			put_finding(out, s, f);
			room--;
		}
	}
	arena_clear(&a);
	return more;
}

void
write_github(const struct snapshot *s, const struct write_options *o, struct strbuf *out)
{
	struct sums sums = verdict_sums(s);
	uint64_t more = s->findings_dropped;
	struct strbuf sentence;

	strbuf_init(&sentence, TEXT_MOST);
	more += put_findings(out, s, o, LEVEL_ERROR, SHOWN - put_failures(out, s));
	more += put_findings(out, s, o, LEVEL_WARNING, SHOWN);
	if (o->all)
		more += put_findings(out, s, o, LEVEL_NOTE, SHOWN - 1);
	strbuf_printf(&sentence, "%s: ", verdict_word(s, &sums));
	verdict_sentence(&sentence, s, &sums);
	if (more > 0)
		strbuf_printf(&sentence, "; %" PRIu64 " more finding%s in the report", more, plural(more));
	put_plain(out, LEVEL_NOTE, "rowcall", strbuf_cstr(&sentence));
	scratch_done(out, &sentence);
}
