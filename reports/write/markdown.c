/* SPDX-License-Identifier: Apache-2.0 */
/* markdown: see markdown.h. */
#include "markdown.h"

#include "text.h"
#include "writers.h"
#include "xml.h"

enum { NAME_SHOWN = 160, TEXT_MOST = 1 << 20 };

size_t
markdown_longest_run(struct span s, uint8_t of)
{
	size_t longest = 0, run = 0;

	for (size_t i = 0; i < s.n; i++) {
		run = s.p[i] == of ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

void
markdown_repeat(struct strbuf *out, char c, size_t n)
{
	while (n-- > 0)
		strbuf_char(out, c);
}

/* A name in a code span; in a cell of a table even code needs its bars escaped. */
void
markdown_code(struct strbuf *out, const char *name, bool cell)
{
	struct strbuf clean, cut;
	size_t ticks;

	strbuf_init(&clean, TEXT_MOST);
	strbuf_init(&cut, TEXT_MOST);
	text_clean(&clean, span_str(name), true);
	text_cut_middle(&cut, strbuf_span(&clean), NAME_SHOWN, true);
	ticks = markdown_longest_run(strbuf_span(&cut), '`');
	markdown_repeat(out, '`', ticks + 1);
	if (ticks > 0)
		strbuf_char(out, ' ');
	for (size_t i = 0; i < cut.n; i++) {
		if (cell && cut.p[i] == '|')
			strbuf_char(out, '\\');
		strbuf_char(out, cut.p[i]);
	}
	if (ticks > 0)
		strbuf_char(out, ' ');
	markdown_repeat(out, '`', ticks + 1);
	scratch_done(out, &clean);
	scratch_done(out, &cut);
}

/* A sentence as it stands. A zero-width space keeps @names and #numbers from becoming mentions. */
static void
put_words(struct strbuf *out, struct span clean)
{
	static const char marks[] = "\\`*_[]<>#|~&";

	for (size_t i = 0; i < clean.n; i++) {
		char c = (char)clean.p[i];

		if (c && strchr(marks, c))
			strbuf_char(out, '\\');
		strbuf_char(out, c);
		if (c == '@' || c == '#')
			strbuf_str(out, "\xe2\x80\x8b");
	}
}

void
markdown_sentence(struct strbuf *out, const char *s)
{
	struct strbuf clean;

	strbuf_init(&clean, TEXT_MOST);
	text_clean(&clean, span_str(s), true);
	put_words(out, strbuf_span(&clean));
	scratch_done(out, &clean);
}

void
markdown_summary(struct strbuf *out, const char *name)
{
	struct strbuf clean, cut;

	strbuf_init(&clean, TEXT_MOST);
	strbuf_init(&cut, TEXT_MOST);
	text_clean(&clean, span_str(name), true);
	text_cut_middle(&cut, strbuf_span(&clean), NAME_SHOWN, true);
	strbuf_str(out, "<code>");
	xml_text(out, strbuf_cstr(&cut));
	strbuf_str(out, "</code>");
	scratch_done(out, &clean);
	scratch_done(out, &cut);
}
