/* SPDX-License-Identifier: Apache-2.0 */
/* pg_encode: transcripts of PostgreSQL: one line to the bytes of one message. Grammar: tests/wire/README. */
#include <stdlib.h>

#include "literal.h"
#include "transcript.h"

struct message_name {
	char type;	/* 0: no type byte; 1: no framing at all */
	const char *name;
};

static const struct message_name client_names[] = {
	{ 0, "Startup" }, { 1, "Raw" }, { 'B', "Bind" }, { 'C', "Close" }, { 'D', "Describe" }, { 'E', "Execute" }, { 'F', "FunctionCall" },
	{ 'H', "Flush" }, { 'P', "Parse" }, { 'Q', "Query" }, { 'S', "Sync" }, { 'X', "Terminate" }, { 'd', "CopyData" }, { 'c', "CopyDone" },
	{ 'f', "CopyFail" }, { 'p', "Password" }, { 0, NULL },
};

static const struct message_name server_names[] = {
	{ 1, "Raw" }, { '1', "ParseComplete" }, { '2', "BindComplete" }, { '3', "CloseComplete" }, { 'A', "Notification" },
	{ 'C', "CommandComplete" }, { 'D', "DataRow" }, { 'E', "Error" }, { 'G', "CopyIn" }, { 'H', "CopyOut" }, { 'I', "EmptyQuery" },
	{ 'K', "BackendKey" }, { 'N', "Notice" }, { 'R', "Authentication" }, { 'S', "ParameterStatus" }, { 'T', "RowDescription" },
	{ 'V', "FunctionResult" }, { 'W', "CopyBoth" }, { 'Z', "Ready" }, { 'c', "CopyDone" }, { 'd', "CopyData" }, { 'n', "NoData" },
	{ 's', "Suspended" }, { 't', "ParameterDescription" }, { 'v', "NegotiateVersion" }, { 0, NULL },
};

static void
put_int(struct strbuf *out, unsigned size, uint64_t v)
{
	while (size-- > 0)
		strbuf_char(out, (char)(v >> (8 * size) & 0xff));
}

/* v:'…' or v:null: Int32 length and bytes. */
static bool
value(const char **p, struct strbuf *out)
{
	size_t at = out->n, n;

	if (strncmp(*p, "null", 4) == 0) {
		*p += 4;
		put_int(out, 4, UINT32_MAX);
		return true;
	}
	put_int(out, 4, 0);
	if (**p != '\'' || !literal_quoted(p, out))
		return false;
	n = out->n - at - 4;
	for (int i = 0; i < 4; i++)
		out->p[at + i] = (char)(n >> (24 - 8 * i) & 0xff);
	return true;
}

/* col:"name":type[:b][@table.attnum] */
static bool
column(const char **p, struct strbuf *out)
{
	unsigned long type, table = 0, attnum = 0;
	bool binary = false;
	char *end;

	if (**p != '"' || !literal_quoted(p, out) || **p != ':')
		return false;
	strbuf_char(out, '\0');
	type = strtoul(*p + 1, &end, 10);
	if (strncmp(end, ":b", 2) == 0) {
		binary = true;
		end += 2;
	}
	if (*end == '@') {
		table = strtoul(end + 1, &end, 10);
		attnum = strtoul(*end ? end + 1 : end, &end, 10);
	}
	*p = end;
	put_int(out, 4, table);
	put_int(out, 2, attnum);
	put_int(out, 4, type);
	put_int(out, 2, 0xffff);
	put_int(out, 4, UINT32_MAX);
	put_int(out, 2, binary);
	return true;
}

static bool
field(const char **p, struct strbuf *out)
{
	unsigned long size;
	char *end;

	if (**p == '"')
		return literal_quoted(p, out) && strbuf_char(out, '\0');
	if (**p == '\'')
		return literal_quoted(p, out);
	if (strncmp(*p, "v:", 2) == 0) {
		*p += 2;
		return value(p, out);
	}
	if (strncmp(*p, "col:", 4) == 0) {
		*p += 4;
		return column(p, out);
	}
	size = strtoul(*p, &end, 10);
	if (end == *p)
		return false;
	*p = end + 1;
	if (*end == '*')
		return literal_repeated(p, size, out);
	if (*end != ':' || size > 8)
		return false;
	put_int(out, (unsigned)size, (uint64_t)strtoll(*p, &end, 0));
	*p = end;
	return true;
}

static const struct message_name *
find_name(bool from_client, const char *text, size_t n)
{
	const struct message_name *m = from_client ? client_names : server_names;

	for (; m->name; m++)
		if (strlen(m->name) == n && memcmp(m->name, text, n) == 0)
			return m;
	return NULL;
}

static bool
pg_encode(bool from_client, const char *text, struct strbuf *out, const char **why)
{
	const struct message_name *m = find_name(from_client, text, strcspn(text, " "));
	size_t at = out->n, header, length;

	*why = "unknown message";
	if (!m)
		return false;
	header = m->type == 1 ? 0 : m->type ? 5 : 4;
	if (header == 5)
		strbuf_char(out, m->type);
	if (header)
		put_int(out, 4, 0);
	text += strcspn(text, " ");
	length = 0;
	*why = "bad field";
	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		if (strncmp(text, "length=", 7) == 0) {
			length = strtoul(text + 7, (char **)(uintptr_t)&text, 0);
			continue;
		}
		if (!field(&text, out) || (*text && *text != ' '))
			return false;
	}
	if (!length)
		length = out->n - at - (header == 5);
	for (size_t i = 0; header && i < 4; i++)
		out->p[at + header - 4 + i] = (char)(length >> (24 - 8 * i) & 0xff);
	return !out->cut;
}

static void
pg_begin(const struct transcript *t, struct turn turns[TURNS])
{
	static const char startup[] = "\0\0\0\x10\0\3\0\0user\0u\0", ok[] = "R\0\0\0\x08\0\0\0\0Z\0\0\0\5I";

	(void)t;
	turns[0].leg = WIRE_CLIENT;
	strbuf_add(&turns[0].bytes, span_of(startup, 16));
	turns[1].leg = WIRE_SERVER;
	strbuf_add(&turns[1].bytes, span_of(ok, sizeof ok - 1));
}

const struct tongue pg_tongue = { .engine = &pg_engine, .encode = pg_encode, .begin = pg_begin };
