/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_fingerprint: `rowcall fingerprint`, a filter: statements in, one line for each out: fingerprint, tab, shape (or JSON).
 * Does: read standard input or files of any size in bounded memory. Never: prints a literal. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd.h"
#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "fingerprint/sql.h"

enum { CHUNK = 64 << 10, WINDOW = LIMIT_SQL_TEXT + 2 * CHUNK, LINES = 64 << 10, SHAPES = 4 * LIMIT_SHAPE_BYTES, STATUS_IO = 1 };
#define MORE "\xe2\x80\xa6"	/* what was cut off */

struct filter {
	struct sql_scanner *scanner;
	struct sql_lang lang;
	bool nul, json;

	/* the window of input: bytes at..n of buf wait to be looked at */
	int fd;
	uint8_t *buf;
	size_t at, n;
	bool eof, failed;
	const char *name;	/* of the file, for messages */

	/* lines waiting to be written */
	char *lines;
	size_t lines_n;
	bool broken;		/* nobody reads on */

	/* the record being put together */
	struct strbuf shapes, json_parts;
	size_t statements;
	bool full;		/* no further shape fits */
	bool amended;		/* its shape is not only that of its statements */
	uint64_t fingerprint;	/* of its first statement */
};

/* ---- output ---- */

static void
flush(struct filter *f)
{
	size_t at = 0;

	while (at < f->lines_n && !f->broken) {
		ssize_t n = write(STDOUT_FILENO, f->lines + at, f->lines_n - at);

		if (n < 0 && errno != EINTR)
			f->broken = true;
		at += n > 0 ? (size_t)n : 0;
	}
	f->lines_n = 0;
}

static void
put(struct filter *f, struct span s)
{
	while (s.n) {
		size_t n = s.n < LINES - f->lines_n ? s.n : LINES - f->lines_n;

		memcpy(f->lines + f->lines_n, s.p, n);
		f->lines_n += n;
		s = span_from(s, n);
		if (f->lines_n == LINES)
			flush(f);
	}
}

static void
put_hex(struct filter *f, uint64_t v)
{
	uint8_t hex[16];

	for (int i = 15; i >= 0; i--, v >>= 4)
		hex[i] = (uint8_t)"0123456789abcdef"[v & 15];
	put(f, span_of(hex, sizeof hex));
}

/* ---- JSON ---- */

/* Bytes of the UTF-8 sequence at p, 0 when there is none. */
static size_t
utf8_length(const uint8_t *p, size_t left)
{
	size_t n = *p < 0x80 ? 1 : *p >= 0xc2 && *p < 0xe0 ? 2 : (*p & 0xf0) == 0xe0 ? 3 : *p >= 0xf0 && *p < 0xf5 ? 4 : 0;

	if (n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if (n == 3 && ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f)))
		return 0;
	return n == 4 && ((*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f)) ? 0 : n;
}

static void
json_string(struct strbuf *b, struct span s)
{
	strbuf_char(b, '"');
	for (size_t i = 0, n; i < s.n; i += n) {
		n = utf8_length(s.p + i, s.n - i);
		if (n == 0) {
			n = 1;
			strbuf_str(b, "\\ufffd");
		} else if (s.p[i] == '"' || s.p[i] == '\\')
			strbuf_printf(b, "\\%c", s.p[i]);
		else if (s.p[i] < 0x20)
			strbuf_printf(b, "\\u%04x", s.p[i]);
		else
			strbuf_add(b, span_of(s.p + i, n));
	}
	strbuf_char(b, '"');
}

static void
json_tables(struct strbuf *b, const struct sql_stmt *st)
{
	strbuf_str(b, ",\"tables\":[");
	for (size_t i = 0; i < st->ntables; i++) {
		strbuf_str(b, i ? ",{\"name\":" : "{\"name\":");
		json_string(b, st->tables[i].name);
		strbuf_printf(b, ",\"write\":%s}", st->tables[i].write ? "true" : "false");
	}
	strbuf_printf(b, "],\"tables_unknown\":%s", st->tables_unknown ? "true" : "false");
}

static void
json_tags(struct strbuf *b, const struct sql_stmt *st)
{
	strbuf_str(b, ",\"tags\":[");
	for (size_t i = 0; i < st->ntags; i++) {
		strbuf_str(b, i ? ",{\"key\":" : "{\"key\":");
		json_string(b, st->tags[i].key);
		strbuf_str(b, ",\"value\":");
		json_string(b, st->tags[i].value);
		strbuf_char(b, '}');
	}
	strbuf_char(b, ']');
}

static void
json_statement(struct strbuf *b, const struct sql_stmt *st)
{
	strbuf_printf(b, "{\"fingerprint\":\"%016llx\",\"shape\":", (unsigned long long)st->fingerprint);
	json_string(b, st->shape);
	strbuf_printf(b, ",\"class\":\"%s\",\"verb\":\"%s\",\"values\":%zu", sql_class_name(st->cls), sql_verb_name(st->verb), st->nvalues);
	json_tables(b, st);
	json_tags(b, st);
	strbuf_printf(b, ",\"cut\":%s,\"unfinished\":%s}", st->cut ? "true" : "false", st->unfinished ? "true" : "false");
}

/* ---- records ---- */

/* One statement of the record. Empty ones (only comments, only a semicolon) count only when the record has nothing else. */
static void
add_statement(struct filter *f, const struct sql_stmt *st)
{
	if (st->cls == SQL_EMPTY || f->full)
		return;
	if (f->statements++) {
		strbuf_str(&f->shapes, "; ");
		strbuf_char(&f->json_parts, ',');
	} else
		f->fingerprint = st->fingerprint;
	f->full = f->shapes.n + st->shape.n > SHAPES - 16;
	strbuf_add(&f->shapes, f->full ? SPAN_LIT(MORE) : st->shape);
	if (f->json)
		json_statement(&f->json_parts, st);
}

static void
put_json(struct filter *f, uint64_t fingerprint)
{
	struct strbuf head;

	if (f->statements == 1) {
		put(f, strbuf_span(&f->json_parts));
		return;
	}
	strbuf_init(&head, 64 << 10);
	strbuf_printf(&head, "{\"fingerprint\":\"%016llx\",\"shape\":", (unsigned long long)fingerprint);
	json_string(&head, strbuf_span(&f->shapes));
	strbuf_str(&head, ",\"statements\":[");
	put(f, strbuf_span(&head));
	put(f, f->json_parts.cut ? SPAN_LIT("") : strbuf_span(&f->json_parts));
	put(f, SPAN_LIT("]}"));
	strbuf_clear(&head);
}

/* The record is complete: its line. */
static void
put_line(struct filter *f)
{
	uint64_t fingerprint = f->statements == 1 && !f->amended ? f->fingerprint : sql_fingerprint(strbuf_span(&f->shapes));

	if (f->json)
		put_json(f, fingerprint);
	else {
		put_hex(f, fingerprint);
		put(f, SPAN_LIT("\t"));
		put(f, strbuf_span(&f->shapes));
	}
	put(f, SPAN_LIT("\n"));
	strbuf_reset(&f->shapes);
	strbuf_reset(&f->json_parts);
	f->statements = 0;
	f->full = f->amended = false;
}

/* ---- input ---- */

/* Reads on, behind what waits in the window. False when nothing came or the window is full. */
static bool
read_more(struct filter *f)
{
	if (f->at) {
		memmove(f->buf, f->buf + f->at, f->n - f->at);
		f->n -= f->at;
		f->at = 0;
	}
	while (!f->eof && f->n < WINDOW) {
		ssize_t n = read(f->fd, f->buf + f->n, WINDOW - f->n < CHUNK ? WINDOW - f->n : CHUNK);

		if (n > 0) {
			f->n += (size_t)n;
			return true;
		}
		if (n < 0 && errno == EINTR)
			continue;
		f->failed = n < 0;
		f->eof = true;
	}
	return false;
}

static struct span
waiting(const struct filter *f)
{
	return span_of(f->buf + f->at, f->n - f->at);
}

static bool
ends_cut(struct span shapes)
{
	size_t n = strlen(MORE);

	return shapes.n >= n && memcmp(shapes.p + shapes.n - n, MORE, n) == 0;
}

/* All statements of a record. `cut`: the record was longer than the window. */
static void
record(struct filter *f, struct span text, bool cut)
{
	struct sql_stmt st;

	while (text.n) {
		text = span_from(text, sql_scan(f->scanner, f->lang, text, &st));
		add_statement(f, &st);
	}
	if (cut && !ends_cut(strbuf_span(&f->shapes))) {
		strbuf_str(&f->shapes, f->shapes.n ? " " MORE : MORE);
		f->amended = true;
	}
	put_line(f);
}

/* Drops bytes up to the end of the record, which the window could not hold. */
static void
drop_record(struct filter *f)
{
	for (;;) {
		struct span w = waiting(f);
		const uint8_t *end = w.n ? memchr(w.p, '\0', w.n) : NULL;

		if (end) {
			f->at += (size_t)(end + 1 - w.p);
			return;
		}
		f->at = f->n;
		if (!read_more(f))
			return;
	}
}

/* -0: one line for each record that ends in NUL. */
static void
filter_records(struct filter *f)
{
	size_t looked = 0;		/* bytes of the window without a NUL */

	while (!f->broken) {
		struct span w = waiting(f);
		const uint8_t *end = w.n > looked ? memchr(w.p + looked, '\0', w.n - looked) : NULL;

		if (end) {
			size_t n = (size_t)(end - w.p);

			record(f, span_first(w, n), false);
			f->at += n + 1;
			looked = 0;
		} else if (w.n > LIMIT_SQL_TEXT) {
			record(f, w, true);
			f->at = f->n;
			drop_record(f);
			looked = 0;
		} else {
			looked = w.n;
			if (!read_more(f))
				break;
		}
	}
	if (f->n > f->at && !f->broken)
		record(f, waiting(f), false);
}

/* Drops bytes up to the semicolon of a statement that the window could not hold. */
static void
drop_statement(struct filter *f)
{
	struct sql_skip skip = { .lang = f->lang };
	size_t used;

	do {
		bool found = sql_skip_feed(&skip, waiting(f), &used);

		f->at += used;
		if (found)
			return;
	} while (read_more(f));
}

/* Text is split at semicolons: one line for each statement. */
static void
filter_statements(struct filter *f)
{
	struct sql_stmt st;

	while (!f->broken) {
		struct span w = waiting(f);
		size_t took = w.n ? sql_scan(f->scanner, f->lang, w, &st) : 0;

		if (took == w.n && w.n <= LIMIT_SQL_TEXT && read_more(f))
			continue;	/* more of it may follow */
		if (!w.n)
			break;
		if (st.cls != SQL_EMPTY) {
			add_statement(f, &st);
			put_line(f);
		}
		if (took == w.n && w.n > LIMIT_SQL_TEXT)
			drop_statement(f);
		else
			f->at += took;
	}
}

/* ---- the command ---- */

static void
usage(FILE *out)
{
	fputs("usage: rowcall fingerprint [OPTIONS] [FILE...]\n\n"
	      "Reads SQL from the files or standard input and prints one line for each statement: its fingerprint (16 hex digits), a tab, and its\n"
	      "shape. Literals never appear.\n\n"
	      "  --dialect NAME      postgresql (default) or mysql\n"
	      "  -0, --null          records end in NUL, not statements in a semicolon: one line for each record, in order;\n"
	      "                      the shapes of several statements in a record are joined by \"; \"\n"
	      "  --json              one JSON object a line, with class, verb, tables and tags\n"
	      "  --ansi-quotes       MySQL: \"x\" is an identifier (sql_mode ANSI_QUOTES)\n"
	      "  --fold-shards       digits in identifiers do not matter: orders_2024 and orders_2025 are one\n"
	      "  -h, --help          this text\n", out);
}

static bool
read_dialect(struct filter *f, const char *name)
{
	if (strcmp(name, "mysql") == 0 || strcmp(name, "mariadb") == 0)
		f->lang.dialect = SQL_MYSQL;
	else if (strcmp(name, "postgresql") == 0 || strcmp(name, "postgres") == 0 || strcmp(name, "pg") == 0)
		f->lang.dialect = SQL_POSTGRESQL;
	else {
		fprintf(stderr, "rowcall fingerprint: error: --dialect is postgresql or mysql, not '%s'\n", name);
		return false;
	}
	return true;
}

enum { ARGS_GO, ARGS_HELP, ARGS_WRONG };

static int
read_arguments(struct filter *f, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "dialect", required_argument, NULL, 'd' }, { "null", no_argument, NULL, '0' }, { "json", no_argument, NULL, 'j' },
		{ "ansi-quotes", no_argument, NULL, 'a' }, { "fold-shards", no_argument, NULL, 'f' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":0h", longs, NULL)) != -1)
		switch (c) {
		case 'd':
			if (!read_dialect(f, optarg))
				return ARGS_WRONG;
			break;
		case '0':
			f->nul = true;
			break;
		case 'j':
			f->json = true;
			break;
		case 'a':
			f->lang.modes |= SQL_MODE_ANSI_QUOTES;
			break;
		case 'f':
			f->lang.modes |= SQL_MODE_FOLD_SHARDS;
			break;
		case 'h':
			usage(stdout);
			return ARGS_HELP;
		default:
			fprintf(stderr, "rowcall fingerprint: error: %s '%s'\n", c == ':' ? "a value is missing behind" : "unknown option",
			    argv[optind - 1]);
			return ARGS_WRONG;
		}
	return ARGS_GO;
}

/* One input from beginning to end. False when it could not be read. */
static bool
filter_file(struct filter *f, const char *name)
{
	f->name = name;
	f->fd = strcmp(name, "-") == 0 ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
	f->at = f->n = 0;
	f->eof = f->failed = false;
	if (f->fd >= 0) {
		if (f->nul)
			filter_records(f);
		else
			filter_statements(f);
	}
	if (f->fd < 0 || f->failed) {
		fprintf(stderr, "rowcall fingerprint: error: cannot read %s: %s\n", name, strerror(errno));
		return false;
	}
	if (f->fd != STDIN_FILENO)
		close(f->fd);
	return true;
}

static int
filter_all(struct filter *f, int argc, char **argv)
{
	int status = 0;

	if (optind >= argc && !filter_file(f, "-"))
		status = STATUS_IO;
	for (int i = optind; i < argc && !f->broken; i++)
		if (!filter_file(f, argv[i]))
			status = STATUS_IO;
	flush(f);
	if (f->broken && errno != EPIPE)
		fprintf(stderr, "rowcall fingerprint: error: cannot write: %s\n", strerror(errno));
	return f->broken ? STATUS_IO : status;
}

int
cmd_fingerprint(int argc, char **argv)
{
	struct filter f = { .fd = -1 };
	int args = read_arguments(&f, argc, argv), status;

	if (args == ARGS_HELP)
		return 0;
	if (args == ARGS_WRONG) {
		fputs("try: rowcall fingerprint --help\n", stderr);
		return 2;
	}
	f.scanner = sql_scanner_new();
	f.buf = mem_alloc(WINDOW);
	f.lines = mem_alloc(LINES);
	if (!f.scanner || !f.buf || !f.lines) {
		fputs("rowcall fingerprint: error: out of memory\n", stderr);
		return STATUS_IO;
	}
	strbuf_init(&f.shapes, SHAPES);
	strbuf_init(&f.json_parts, 1 << 20);
	status = filter_all(&f, argc, argv);
	strbuf_clear(&f.shapes);
	strbuf_clear(&f.json_parts);
	sql_scanner_free(f.scanner);
	mem_free(f.buf);
	mem_free(f.lines);
	return status;
}
