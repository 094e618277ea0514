/* SPDX-License-Identifier: Apache-2.0 */
/* my_encode: transcripts of MySQL and MariaDB: one line to the packets of one message. Grammar: tests/wire/README. */
#include <ctype.h>
#include <stdlib.h>

#include "literal.h"
#include "transcript.h"

enum { FULL = 0xffffff, MOST = 40 << 20 };

/* Names for first bytes, so that a transcript can be read. */
static const struct {
	const char *name;
	uint8_t byte;
} words[] = {
	{ "Quit", 0x01 }, { "InitDb", 0x02 }, { "Query", 0x03 }, { "FieldList", 0x04 }, { "Refresh", 0x07 }, { "Statistics", 0x09 },
	{ "ProcessInfo", 0x0a }, { "Debug", 0x0d }, { "Ping", 0x0e }, { "ChangeUser", 0x11 }, { "BinlogDump", 0x12 }, { "Prepare", 0x16 },
	{ "Execute", 0x17 }, { "LongData", 0x18 }, { "Close", 0x19 }, { "Reset", 0x1a }, { "SetOption", 0x1b }, { "Fetch", 0x1c },
	{ "ResetConnection", 0x1f }, { "BulkExecute", 0xfa }, { "OK", 0x00 }, { "MoreData", 0x01 }, { "Infile", 0xfb }, { "EOF", 0xfe },
	{ "ERR", 0xff },
};

static void
put_int(struct strbuf *out, unsigned size, uint64_t v)
{
	for (; size; size--, v >>= 8)
		strbuf_char(out, (char)(v & 0xff));
}

static void
put_lenenc(struct strbuf *out, uint64_t v)
{
	unsigned size = v < 0xfb ? 1 : v < 0x10000 ? 2 : v < 0x1000000 ? 3 : 8;

	if (size > 1)
		strbuf_char(out, size == 2 ? '\xfc' : size == 3 ? '\xfd' : '\xfe');
	put_int(out, size, v);
}

/* A server's greeting with these capabilities. */
static void
put_greeting(struct strbuf *out, uint32_t caps, uint32_t ext)
{
	strbuf_add(out, SPAN_LIT("\x0a" "10.11.0\0" "\1\0\0\0" "abcdefgh\0"));
	put_int(out, 2, caps);
	strbuf_add(out, SPAN_LIT("\x2d\2\0"));
	put_int(out, 2, caps >> 16);
	strbuf_add(out, SPAN_LIT("\x15\0\0\0\0\0\0"));
	put_int(out, 4, ext);
	strbuf_add(out, SPAN_LIT("ijklmnopqrst\0mysql_native_password\0"));
}

/* The fixed part of a client's response. */
static void
put_fixed(struct strbuf *out, uint32_t caps, uint32_t ext)
{
	put_int(out, 4, caps);
	put_int(out, 4, 1 << 30);
	put_int(out, 1, 45);
	strbuf_add(out, SPAN_LIT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
	put_int(out, 4, ext);
}

/* greeting=CAPS[,EXT] or fixed=CAPS[,EXT] */
static bool
capabilities(const char **p, struct strbuf *out)
{
	bool greeting = **p == 'g';
	char *end;
	uint32_t caps = (uint32_t)strtoul(strchr(*p, '=') + 1, &end, 0);
	uint32_t ext = *end == ',' ? (uint32_t)strtoul(end + 1, &end, 0) : 0;

	*p = end;
	if (greeting)
		put_greeting(out, caps, ext);
	else
		put_fixed(out, caps, ext);
	return true;
}

/* N*'…' or '…' */
static bool
text(const char **p, struct strbuf *out)
{
	char *end;
	unsigned long times;

	if (**p == '\'')
		return literal_quoted(p, out);
	times = strtoul(*p, &end, 10);
	if (end == *p || end[0] != '*' || end[1] != '\'')
		return false;
	*p = end + 1;
	return literal_repeated(p, times, out);
}

/* l:N, l'…' or lN*'…' */
static bool
lenenc(const char **p, struct strbuf *out)
{
	struct strbuf s;
	char *end;
	bool ok;

	if (**p == ':') {
		put_lenenc(out, strtoull(*p + 1, &end, 0));
		*p = end;
		return true;
	}
	strbuf_init(&s, MOST);
	ok = text(p, &s);
	put_lenenc(out, s.n);
	strbuf_add(out, strbuf_span(&s));
	strbuf_clear(&s);
	return ok;
}

/* col'name':type[u][@table.column] */
static bool
column(const char **p, struct strbuf *out)
{
	struct strbuf name;
	unsigned long type;
	char *end;
	size_t table = 0, org = 0;
	bool is_unsigned;

	strbuf_init(&name, 1024);
	if (!literal_quoted(p, &name) || **p != ':') {
		strbuf_clear(&name);
		return false;
	}
	type = strtoul(*p + 1, &end, 0);
	is_unsigned = *end == 'u';
	end += is_unsigned;
	if (*end == '@') {
		table = strcspn(++end, ".");
		org = strcspn(end + table, " ");
	}
	put_int(out, 4, 0x66656403);	/* catalog: "def" */
	put_lenenc(out, 0);
	for (int i = 0; i < 2; i++) {
		put_lenenc(out, table);
		strbuf_add(out, span_of(end, table));
	}
	put_lenenc(out, name.n);
	strbuf_add(out, strbuf_span(&name));
	put_lenenc(out, org ? org - 1 : 0);
	strbuf_add(out, span_of(end + table + 1, org ? org - 1 : 0));
	put_int(out, 1, 0x0c);
	put_int(out, 2, 33);
	put_int(out, 4, 255);
	put_int(out, 1, type);
	put_int(out, 2, is_unsigned ? 0x20 : 0);
	put_int(out, 3, 0);
	*p = end + table + org;
	strbuf_clear(&name);
	return true;
}

static bool
word(const char **p, struct strbuf *out)
{
	size_t n = strcspn(*p, " ");

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i].name) == n && memcmp(words[i].name, *p, n) == 0) {
			put_int(out, 1, words[i].byte);
			*p += n;
			return true;
		}
	return false;
}

static bool
field(const char **p, struct strbuf *out)
{
	char *end;
	unsigned long size;

	if (**p == '"')
		return literal_quoted(p, out) && strbuf_char(out, '\0');
	if (**p == '\'')
		return literal_quoted(p, out);
	if (strncmp(*p, "greeting=", 9) == 0 || strncmp(*p, "fixed=", 6) == 0)
		return capabilities(p, out);
	if (strncmp(*p, "col'", 4) == 0) {
		*p += 3;
		return column(p, out);
	}
	if (**p == 'l' && (strchr(":'", (*p)[1]) || isdigit((unsigned char)(*p)[1]))) {
		(*p)++;
		return lenenc(p, out);
	}
	if (isxdigit((unsigned char)(*p)[0]) && isxdigit((unsigned char)(*p)[1]) && ((*p)[2] == ' ' || !(*p)[2])) {
		put_int(out, 1, strtoul(*p, NULL, 16));
		*p += 2;
		return true;
	}
	size = strtoul(*p, &end, 10);
	if (end != *p && *end == ':' && size <= 8) {
		put_int(out, (unsigned)size, (uint64_t)strtoll(end + 1, &end, 0));
		*p = end;
		return true;
	}
	return end != *p ? text(p, out) : word(p, out);
}

/* Cuts a payload into packets. */
static void
put_packets(struct strbuf *out, struct span payload, uint8_t seq)
{
	struct span piece;

	do {
		piece = span_first(payload, FULL);
		put_int(out, 3, piece.n);
		put_int(out, 1, seq++);
		strbuf_add(out, piece);
		payload = span_from(payload, FULL);
	} while (piece.n == FULL);
}

/* SEQ FIELD…, or Raw FIELD… for bytes that are no packet. */
static bool
my_encode(bool from_client, const char *line, struct strbuf *out, const char **why)
{
	struct strbuf payload;
	char *end;
	uint8_t seq = (uint8_t)strtoul(line, &end, 10);
	bool raw = strncmp(line, "Raw", 3) == 0;
	const char *p = raw ? line + 3 : end;

	(void)from_client;
	*why = "no sequence id";
	if (!raw && end == line)
		return false;
	*why = "bad field";
	strbuf_init(&payload, MOST);
	for (p += strspn(p, " "); *p; p += strspn(p, " "))
		if (!field(&p, &payload) || (*p && *p != ' ')) {
			strbuf_clear(&payload);
			return false;
		}
	if (raw)
		strbuf_add(out, strbuf_span(&payload));
	else
		put_packets(out, strbuf_span(&payload), seq);
	strbuf_clear(&payload);
	return !out->cut;
}

/* A server that offers exactly what the transcript says, and a client that takes all of it. */
static void
my_begin(const struct transcript *t, struct turn turns[TURNS])
{
	enum { USUAL = 0x000f8208 };	/* 4.1, database, long proofs, many statements and results, plugins */
	uint32_t caps = USUAL | t->caps | (t->ext ? 0 : 1);
	struct strbuf b;

	strbuf_init(&b, 1024);
	put_greeting(&b, caps, t->ext);
	turns[0].leg = WIRE_SERVER;
	put_packets(&turns[0].bytes, strbuf_span(&b), 0);

	strbuf_reset(&b);
	put_fixed(&b, caps, t->ext);
	strbuf_add(&b, SPAN_LIT("u\0\0d\0mysql_native_password\0"));
	turns[1].leg = WIRE_CLIENT;
	put_packets(&turns[1].bytes, strbuf_span(&b), 1);
	strbuf_clear(&b);

	turns[2].leg = WIRE_SERVER;
	put_packets(&turns[2].bytes, SPAN_LIT("\0\0\0\2\0\0\0"), 2);
}

const struct tongue my_tongue = { .engine = &my_engine, .encode = my_encode, .begin = my_begin };
