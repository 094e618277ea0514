/* SPDX-License-Identifier: Apache-2.0 */
/* text: see text.h. */
#include "text.h"

#include <inttypes.h>
#include <stdio.h>

#include "utf8.h"

/* The few signs that rowcall's own sentences use, for terminals without UTF-8. */
static const char *
ascii_spelling(uint32_t c)
{
	switch (c) {
	case 0x2192:
		return "->";
	case 0x2026:
		return "...";
	case 0xd7:
		return "x";
	case 0xb7:
		return "-";
	case 0x2013:
	case 0x2014:
		return "-";
	case 0x2264:
		return "<=";
	case 0x2265:
		return ">=";
	default:
		return NULL;
	}
}

static void
visible_escape(struct strbuf *out, uint32_t c)
{
	if (c <= 0xff)
		strbuf_printf(out, "\\x%02x", c);
	else
		strbuf_printf(out, c <= 0xffff ? "\\u%04x" : "\\U%06x", c);
}

bool
text_commands_ci(struct span s)
{
	while (s.n > 0 && strchr(" \t\r\n", s.p[0]) && s.p[0])
		s = span_from(s, 1);
	return s.n >= 2 && s.p[0] == ':' && s.p[1] == ':';
}

/* "##[error]" and "##vso[task...]" are obeyed anywhere in a line. */
static bool
commands_anywhere(struct span s)
{
	return span_is(span_first(s, 3), "##[") || span_is(span_first(s, 6), "##vso[");
}

void
text_clean(struct strbuf *out, struct span s, bool utf8)
{
	uint32_t c;

	if (text_commands_ci(s))
		strbuf_char(out, '\\');
	while (s.n > 0) {
		size_t n = utf8_next(s, &c);
		const char *spelling = n > 1 && !utf8 ? ascii_spelling(c) : NULL;

		if (n == 0) {
			visible_escape(out, s.p[0]);
			n = 1;
		} else if (spelling)
			strbuf_str(out, spelling);
		else if (c == '\n' || c == '\t' || c == '\r')
			strbuf_char(out, ' ');
		else if (c == '#' && commands_anywhere(s))
			strbuf_str(out, "#\\");
		else if (utf8_unsafe(c) || (n > 1 && !utf8))
			visible_escape(out, c);
		else
			strbuf_add(out, span_first(s, n));
		s = span_from(s, n);
	}
}

unsigned
text_columns(struct span s)
{
	unsigned columns = 0;
	uint32_t c;

	while (s.n > 0) {
		size_t n = utf8_next(s, &c);

		columns += n ? utf8_columns(c) : 1;
		s = span_from(s, n ? n : 1);
	}
	return columns;
}

struct span
text_ellipsis(bool utf8)
{
	return utf8 ? SPAN_LIT("\xe2\x80\xa6") : SPAN_LIT("...");
}

struct span
text_head(struct span s, unsigned columns)
{
	size_t used = 0;
	uint32_t c;

	while (used < s.n) {
		size_t n = utf8_next(span_from(s, used), &c);
		unsigned w = n ? utf8_columns(c) : 1;

		if (w > columns)
			break;
		columns -= w;
		used += n ? n : 1;
	}
	return span_first(s, used);
}

struct span
text_tail(struct span s, unsigned columns)
{
	unsigned drop = text_columns(s);
	uint32_t c;

	while (drop > columns && s.n > 0) {
		size_t n = utf8_next(s, &c);

		drop -= n ? utf8_columns(c) : 1;
		s = span_from(s, n ? n : 1);
	}
	return s;
}

void
text_cut_end(struct strbuf *out, struct span s, unsigned columns, bool utf8)
{
	unsigned mark = utf8 ? 1 : 3;

	if (text_columns(s) <= columns) {
		strbuf_add(out, s);
		return;
	}
	if (columns < mark)
		return;
	strbuf_add(out, text_head(s, columns - mark));
	strbuf_add(out, text_ellipsis(utf8));
}

void
text_cut_start(struct strbuf *out, struct span s, unsigned columns, bool utf8)
{
	unsigned mark = utf8 ? 1 : 3;

	if (text_columns(s) <= columns) {
		strbuf_add(out, s);
		return;
	}
	if (columns < mark)
		return;
	s = text_tail(s, columns - mark);
	for (size_t i = 0; i < s.n / 2; i++)
		if (s.p[i] == '/' || s.p[i] == ':') {
			s = span_from(s, i);
			break;
		}
	strbuf_add(out, text_ellipsis(utf8));
	strbuf_add(out, s);
}

void
text_cut_middle(struct strbuf *out, struct span s, unsigned columns, bool utf8)
{
	unsigned mark = utf8 ? 1 : 3;

	if (text_columns(s) <= columns) {
		strbuf_add(out, s);
		return;
	}
	if (columns < mark)
		return;
	strbuf_add(out, text_head(s, (columns - mark) / 2));
	strbuf_add(out, text_ellipsis(utf8));
	strbuf_add(out, text_tail(s, columns - mark - (columns - mark) / 2));
}

const char *
text_ms(uint64_t ns, char buf[TEXT_TIME])
{
	double ms = (double)ns / 1e6;

	snprintf(buf, TEXT_TIME, "%.*f", ns == 0 || ms >= 9.95 ? 0 : ms >= 0.995 ? 1 : 2, ms);
	return buf;
}

const char *
text_time(uint64_t ns, char buf[TEXT_TIME])
{
	uint64_t seconds = ns / 1000000000;
	char ms[TEXT_TIME];

	if (ns < 999500000 && ns % 1000000 == 0)
		snprintf(buf, TEXT_TIME, "%" PRIu64 " ms", ns / 1000000);
	else if (ns < 999500000)
		snprintf(buf, TEXT_TIME, "%.16s ms", text_ms(ns, ms));
	else if (seconds < 120)
		snprintf(buf, TEXT_TIME, "%.1f s", (double)ns / 1e9);
	else if (seconds < 7200)
		snprintf(buf, TEXT_TIME, "%" PRIu64 " min %" PRIu64 " s", seconds / 60, seconds % 60);
	else
		snprintf(buf, TEXT_TIME, "%" PRIu64 " h %" PRIu64 " min", seconds / 3600, seconds / 60 % 60);
	return buf;
}

const char *
text_count(uint64_t n, char buf[TEXT_COUNT])
{
	char plain[TEXT_COUNT];
	int len = snprintf(plain, sizeof plain, "%" PRIu64, n), out = 0;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf[out++] = ',';
		buf[out++] = plain[i];
	}
	buf[out] = '\0';
	return buf;
}
