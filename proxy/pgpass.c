/* SPDX-License-Identifier: Apache-2.0 */
/* pgpass: see pgpass.h. A line is host:port:database:user:password; ':' and '\' are escaped by '\', '*' matches all; the first match
 * counts. */
#include "pgpass.h"

#include <stdio.h>

/* Length of the field at the start of s, escapes included. */
static size_t
field_length(struct span s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] != ':')
		n += s.p[n] == '\\' && n + 1 < s.n ? 2 : 1;
	return n;
}

static bool
field_matches(struct span field, const char *text)
{
	if (span_is(field, "*"))
		return true;
	for (size_t i = 0; i < field.n; i++, text++) {
		if (field.p[i] == '\\' && i + 1 < field.n)
			i++;
		if (!*text || (char)field.p[i] != *text)
			return false;
	}
	return *text == '\0';
}

static void
write_field(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == ':' || *text == '\\')
			strbuf_char(out, '\\');
		strbuf_char(out, *text);
	}
	strbuf_char(out, ':');
}

static unsigned
add_moved(struct span line, const struct pgpass_move *moves, unsigned n, struct strbuf *out)
{
	struct span host = span_first(line, field_length(line)), rest = span_from(line, host.n + 1);
	struct span port = span_first(rest, field_length(rest));
	unsigned added = 0;

	rest = span_from(rest, port.n + 1);
	if (line.n == 0 || line.p[0] == '#' || rest.n == 0)
		return 0;
	for (unsigned i = 0; i < n; i++) {
		char old_port[8], new_port[8];

		snprintf(old_port, sizeof old_port, "%u", moves[i].port);
		snprintf(new_port, sizeof new_port, "%u", moves[i].new_port);
		if (!field_matches(host, moves[i].host) || !field_matches(port, old_port))
			continue;
		write_field(out, moves[i].new_host);
		write_field(out, new_port);
		strbuf_add(out, rest);
		strbuf_char(out, '\n');
		added++;
	}
	return added;
}

unsigned
pgpass_rewrite(struct span file, const struct pgpass_move *moves, unsigned n, struct strbuf *out)
{
	unsigned added = 0;

	while (file.n) {
		const uint8_t *newline = memchr(file.p, '\n', file.n);
		size_t length = newline ? (size_t)(newline - file.p) : file.n;
		struct span line = span_first(file, length);

		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		added += add_moved(line, moves, n, out);
		strbuf_add(out, line);
		strbuf_char(out, '\n');
		file = span_from(file, length + (newline != NULL));
	}
	return added;
}
