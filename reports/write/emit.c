/* SPDX-License-Identifier: Apache-2.0 */
/* emit: see emit.h. Numbers are printed digit by digit: no locale, no floating point. */
#include "emit.h"

#include "utf8.h"

void
emit_init(struct emit *j, struct strbuf *out, unsigned lines)
{
	*j = (struct emit){ .out = out, .lines = lines };
}

static void
break_line(struct emit *j)
{
	strbuf_char(j->out, '\n');
	for (unsigned i = 0; i < j->depth; i++)
		strbuf_char(j->out, ' ');
}

/* Before any element: the comma and the line it stands on. */
static void
element(struct emit *j)
{
	if (j->keyed) {
		j->keyed = false;
		return;
	}
	if (j->more)
		strbuf_char(j->out, ',');
	if (j->depth > 0 && j->depth <= j->lines)
		break_line(j);
	else if (j->more && j->lines > 0)
		strbuf_char(j->out, ' ');
	j->more = true;
}

void
emit_open(struct emit *j, char bracket)
{
	element(j);
	strbuf_char(j->out, bracket);
	j->depth++;
	j->more = false;
}

void
emit_close(struct emit *j, char bracket)
{
	bool empty = !j->more, lined = j->depth <= j->lines;

	j->depth--;
	if (lined && !empty)
		break_line(j);
	strbuf_char(j->out, bracket);
	j->more = true;
}

static void
escape(struct strbuf *out, uint32_t c)
{
	if (c == '"' || c == '\\')
		strbuf_printf(out, "\\%c", (int)c);
	else if (c == '\n')
		strbuf_str(out, "\\n");
	else if (c == '\t')
		strbuf_str(out, "\\t");
	else if (c > 0xffff)
		strbuf_printf(out, "\\u%04x\\u%04x", (0xd7c0 + (c >> 10)) & 0xffffu, 0xdc00 | (c & 0x3ff));
	else
		strbuf_printf(out, "\\u%04x", c);
}

static void
quote(struct emit *j, struct span s)
{
	struct strbuf *out = j->out;
	size_t plain = 0;	/* start of the run that can be copied as it is */
	uint32_t c;

	strbuf_char(out, '"');
	for (size_t i = 0; i < s.n;) {
		size_t n = utf8_next(span_from(s, i), &c);

		if (n > 0 && c != '"' && c != '\\' && !utf8_unsafe(c) && !(j->in_html && c == '<')) {
			i += n;
			continue;
		}
		strbuf_add(out, span_of(s.p + plain, i - plain));
		if (n == 0)
			strbuf_str(out, "\xef\xbf\xbd");
		else
			escape(out, c);
		i += n ? n : 1;
		plain = i;
	}
	if (s.n > plain)
		strbuf_add(out, span_of(s.p + plain, s.n - plain));
	strbuf_char(out, '"');
}

void
emit_key(struct emit *j, const char *key)
{
	element(j);
	quote(j, span_str(key));
	strbuf_str(j->out, j->lines ? ": " : ":");
	j->keyed = true;
}

void
emit_span(struct emit *j, struct span s)
{
	element(j);
	quote(j, s);
}

void
emit_str(struct emit *j, const char *s)
{
	emit_span(j, span_str(s));
}

void
emit_str_or_null(struct emit *j, const char *s)
{
	if (s && *s)
		emit_str(j, s);
	else
		emit_null(j);
}

static void
digits(struct strbuf *out, uint64_t v, unsigned least)
{
	char buf[20];
	size_t n = sizeof buf;

	do {
		buf[--n] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0 || sizeof buf - n < least);
	strbuf_add(out, span_of(buf + n, sizeof buf - n));
}

void
emit_uint(struct emit *j, uint64_t v)
{
	element(j);
	digits(j->out, v, 1);
}

void
emit_int(struct emit *j, int64_t v)
{
	element(j);
	if (v < 0)
		strbuf_char(j->out, '-');
	digits(j->out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 1);
}

void
emit_bool(struct emit *j, bool v)
{
	element(j);
	strbuf_str(j->out, v ? "true" : "false");
}

void
emit_null(struct emit *j)
{
	element(j);
	strbuf_str(j->out, "null");
}

static void
thousandths(struct strbuf *out, uint64_t v)
{
	digits(out, v / 1000, 1);
	strbuf_char(out, '.');
	digits(out, v % 1000, 3);
}

void
emit_ms(struct emit *j, uint64_t ns)
{
	element(j);
	thousandths(j->out, ns / 1000 + (ns % 1000 >= 500));
}

void
emit_real(struct emit *j, double v)
{
	uint64_t n;

	if (!(v > -1e15 && v < 1e15)) {
		emit_null(j);
		return;
	}
	element(j);
	n = (uint64_t)((v < 0 ? -v : v) * 1000 + 0.5);
	if (v < 0 && n)
		strbuf_char(j->out, '-');
	thousandths(j->out, n);
}
