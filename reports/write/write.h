/* SPDX-License-Identifier: Apache-2.0 */
/* write: a snapshot as text for a person or a machine. One file per format.
 * Does: print a snapshot into a buffer. Never: computes findings, reads a clock, or writes a file itself (report_file does, atomically). */
#ifndef ROWCALL_WRITE_H
#define ROWCALL_WRITE_H

#include "reports/judge/snapshot.h"

struct write_options {
	bool color, utf8, wide, all;	/* all: notes and scopes within budget too */
	unsigned width;			/* columns, 60..160 */
	const char *scope;		/* glob: only these scopes; NULL = every one */
};

enum format {		/* each has a row in format.c */
	FORMAT_TEXT, FORMAT_JSON, FORMAT_NDJSON, FORMAT_JUNIT, FORMAT_MARKDOWN, FORMAT_GITHUB, FORMAT_GITLAB, FORMAT_SARIF,
	FORMAT_HTML, FORMAT_FOLDED, FORMAT_SPEEDSCOPE, FORMAT_FLAMEGRAPH,
	FORMATS
};
/* "json" -> FORMAT_JSON; FORMATS when there is none. */
enum format format_find(struct span name);
const char *format_name(enum format f);
/* Writes the snapshot; out.cut says memory was out. */
void write_snapshot(enum format f, const struct snapshot *s, const struct write_options *o, struct strbuf *out);

/* To an open file, whatever it takes at once. False: errno. */
bool write_all_bytes(int fd, struct span bytes) __attribute__((warn_unused_result));

/* "-" = standard output; else to a temporary name beside it, then renamed. False: errno and a sentence in err. */
bool write_file(const char *path, struct span bytes, char *err, size_t err_n) __attribute__((warn_unused_result));

/* The same at the end of a file, which is made when it is not there: for files that many write to in turn. */
bool append_file(const char *path, struct span bytes, char *err, size_t err_n) __attribute__((warn_unused_result));

struct baseline;
/* rowcall.baseline.json; out.cut says memory was out. */
void write_baseline(const struct baseline *b, struct strbuf *out);

/* The one line "rowcall: PASS findings=2 requests=43 queries=1842" and the per-request "[SQL] 17 queries (4 duplicates), 34 ms SQL time". */
void write_verdict_line(const struct snapshot *s, struct strbuf *out);
void write_request_line(const struct snap_request *r, struct strbuf *out);

/* Options for a terminal or not: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, CLICOLOR, TERM, CI, locale, COLUMNS and TIOCGWINSZ, in the order of the
 * documentation. color: "auto" | "always" | "never". */
struct write_options write_options_for(int fd, const char *color);

#endif
