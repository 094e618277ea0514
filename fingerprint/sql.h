/* SPDX-License-Identifier: Apache-2.0 */
/* sql: the public door of the fingerprint room. SQL text in; shape, fingerprint, class, parameters and tags out.
 * Does: one pass over the text, linear time, no allocation per token. Never: touches sockets, clocks or files, executes
 * anything, or lets a literal of the text into a shape (not even an unterminated one). */
#ifndef ROWCALL_SQL_H
#define ROWCALL_SQL_H

#include "span.h"
#include "strbuf.h"

/* Changes whenever any shape or fingerprint may change; stored in recordings and reports. */
#define SQL_FINGERPRINT_VERSION 1

enum sql_dialect { SQL_POSTGRESQL, SQL_MYSQL };

/* What a session tells about how its text must be read. A set bit departs from the dialect's default. */
enum sql_mode {
	SQL_MODE_ANSI_QUOTES = 1,	/* MySQL: "x" is an identifier (sql_mode ANSI_QUOTES) */
	SQL_MODE_NO_BACKSLASH = 2,	/* MySQL: \ is an ordinary byte (sql_mode NO_BACKSLASH_ESCAPES) */
	SQL_MODE_BACKSLASH = 4,		/* PostgreSQL: standard_conforming_strings = off */
	SQL_MODE_UNSAFE_ENCODING = 8,	/* client encoding whose trail bytes may look like ASCII (SJIS, GBK, BIG5, ...) */
	SQL_MODE_FOLD_SHARDS = 16,	/* opt-in: runs of digits in identifiers become # */
	SQL_MODE_SJIS = 32,		/* with UNSAFE_ENCODING: SJIS, CP932, SHIFT_JIS_2004: bytes A1-DF stand alone */
};

struct sql_lang {
	uint8_t dialect;	/* enum sql_dialect */
	uint8_t modes;		/* or of enum sql_mode */
};

/* `query` in design words = SQL_READ, SQL_WRITE, SQL_DDL and SQL_OTHER; SQL_CONTROL and SQL_SETUP are counted apart. */
enum sql_class { SQL_EMPTY, SQL_READ, SQL_WRITE, SQL_CONTROL, SQL_SETUP, SQL_DDL, SQL_OTHER };

/* What the statement is, after comments, parentheses and WITH. */
enum sql_verb {
	SQL_V_OTHER, SQL_V_SELECT, SQL_V_INSERT, SQL_V_UPDATE, SQL_V_DELETE, SQL_V_MERGE, SQL_V_REPLACE, SQL_V_VALUES,
	SQL_V_BEGIN, SQL_V_COMMIT, SQL_V_ROLLBACK, SQL_V_SAVEPOINT, SQL_V_RELEASE, SQL_V_ROLLBACK_TO,
	SQL_V_SET, SQL_V_RESET, SQL_V_DISCARD, SQL_V_SHOW, SQL_V_USE,
	SQL_V_PREPARE, SQL_V_EXECUTE, SQL_V_DEALLOCATE,
	SQL_V_DECLARE, SQL_V_FETCH, SQL_V_MOVE, SQL_V_CLOSE,
	SQL_V_COPY, SQL_V_CALL, SQL_V_DO, SQL_V_EXPLAIN, SQL_V_LISTEN, SQL_V_LOAD, SQL_V_LOCK,
	SQL_V_CREATE, SQL_V_ALTER, SQL_V_DROP, SQL_V_TRUNCATE, SQL_V_GRANT,
};

/* Where a value stands; lineage.md section 2. Only eq, in and insert may prove anything. */
enum sql_slot_class { SQL_SLOT_OTHER, SQL_SLOT_EQ, SQL_SLOT_IN, SQL_SLOT_INSERT, SQL_SLOT_SET, SQL_SLOT_RANGE, SQL_SLOT_LIMIT };

/* One value position of the shape; an IN list, an ANY(ARRAY[..]) or one column of a multi-row VALUES is one slot. */
struct sql_slot {
	uint8_t cls;		/* enum sql_slot_class */
	struct span table;	/* resolved through FROM/JOIN/INTO/UPDATE aliases, folded; empty when not known */
	struct span column;	/* folded; empty when not known */
};

enum sql_value_kind { SQL_VALUE_LITERAL, SQL_VALUE_PLACEHOLDER, SQL_VALUE_NULL, SQL_VALUE_BOOL, SQL_VALUE_DEFAULT };

/* One literal or placeholder of the text, in order of appearance. */
struct sql_value {
	uint8_t kind;		/* enum sql_value_kind */
	uint16_t slot;		/* index into slots; SQL_NO_SLOT when there were too many */
	uint32_t number;	/* placeholder: 1-based parameter number ($n, or the position among ? marks) */
	struct span raw;	/* its bytes in the text, a literal's sign and quotes included; give it to sql_literal_text() */
};

enum { SQL_NO_SLOT = 0xffff };

/* One key/value from a leading or trailing comment, decoded; in order of appearance.
 * A comment without key/value grammar (EF Core's "-- GET /orders", Hibernate's HQL) gives one tag with an empty key. */
struct sql_tag {
	struct span key, value;
};

struct sql_table {
	struct span name;	/* folded, with its schema when written: "shop.orders" */
	bool write;		/* target of INSERT/UPDATE/DELETE/MERGE/TRUNCATE/COPY FROM/LOAD */
};

/* SET a = 'x', b = 'y' (MySQL): a variable behind the first, folded, and its raw value. */
struct sql_setting {
	struct span name, value;
};

/* One analysed statement. All spans are borrowed until the next call with the same scanner (or the end of the text). */
struct sql_stmt {
	uint64_t fingerprint;	/* XXH3-64 of dialect-independent version tag and shape; never 0 */
	struct span shape;	/* normalized text, one line, no literal in it */
	struct span text;	/* the statement in the input, without surrounding comments, blanks and semicolons */
	uint8_t cls, verb;	/* enum sql_class, enum sql_verb */
	bool cut;		/* longer than the limits: the shape ends in a mark and later values are missing */
	bool unfinished;	/* an unterminated string, comment or identifier */
	bool tables_unknown;	/* dynamic or unparsable: `tables` is not the whole truth */
	const struct sql_value *values;
	size_t nvalues;
	struct span values_rest;	/* more than LIMIT_VALUES: the text from the first value not kept on; else empty */
	const struct sql_slot *slots;
	size_t nslots;
	const struct sql_table *tables;
	size_t ntables;
	const struct sql_tag *tags;
	size_t ntags;
	struct span name;	/* PREPARE/EXECUTE/DEALLOCATE: the prepared name ("" = ALL); SET/RESET: the variable, folded;
				 * SAVEPOINT...: the savepoint; DECLARE/FETCH/CLOSE: the cursor; USE: the database */
	struct span value;	/* SET x = 'v' and SELECT set_config('x','v',..): the raw value (literal incl. quotes);
				 * PREPARE name AS <text>: the prepared text */
	const struct sql_setting *settings;	/* SET: the variables behind the first, at most LIMIT_SETTINGS */
	size_t nsettings;
};

/* Reusable scratch for one thread; NULL when memory is out. */
struct sql_scanner;
struct sql_scanner *sql_scanner_new(void) __attribute__((warn_unused_result));
void sql_scanner_free(struct sql_scanner *s);

/* Analyses the first statement of text and returns the bytes it took, its semicolon, the blanks and a comment on the rest of
 * that line that belong to it included (so that a tag after `;` is its tag). Returns 0 only when text is empty. A text of blanks
 * and comments only gives SQL_EMPTY with its tags. A BEGIN ATOMIC body is not split. */
size_t sql_scan(struct sql_scanner *s, struct sql_lang lang, struct span text, struct sql_stmt *out);

/* Only splits the surroundings, without looking inside: bytes of leading blanks and comments in *lead, of trailing blanks, comments
 * and semicolons in *trail (0 when unsure), so that text[lead .. n-trail) is a sound cache key. Also false for texts that may
 * hold more than one statement (then there is no key, and the other results mean nothing). Collects the tags of those comments into out->tags/ntags. */
bool sql_scan_key(struct sql_scanner *s, struct sql_lang lang, struct span text, size_t *lead, size_t *trail, struct sql_stmt *out);

/* Fingerprint of a shape's text, as sql_stmt has it; for several shapes joined by "; ". */
uint64_t sql_fingerprint(struct span shape);

/* ---- the end of an oversized statement, from a stream ---- */

/* Where a reader is in a statement it no longer keeps. Zero it, set lang. */
struct sql_skip {
	struct sql_lang lang;
	uint8_t state, quote, before;	/* before: the byte in front of the next one */
	bool backslash, escaped;
	uint32_t depth;
	uint8_t tag_n, match;
	uint8_t tag[66];
};

/* Takes in bytes up to the semicolon that ends the statement; *used of them. True when it was found. Bodies of routines are not known. */
bool sql_skip_feed(struct sql_skip *k, struct span bytes, size_t *used);

/* ---- parameters ---- */

/* Canonical text of a literal as the server would print it: quotes and escapes resolved, 042 -> 42, 1.0 -> 1, -5, TRUE -> t.
 * Writes at most cap bytes and returns the full length; (size_t)-1 for NULL, DEFAULT or what cannot be told. */
size_t sql_literal_text(struct sql_lang lang, struct span raw, char *buf, size_t cap);

/* Brings a server text form to the one canonical form in place (numbers: sign, leading zeros and zero fraction dropped; uuid:
 * lower case; else untouched) and returns its new length (never longer). */
size_t sql_canon_text(char *buf, size_t n);
/* Canonical text of a date with a time, as seconds since 1970 were it UTC; 0 for anything else. */
uint32_t sql_moment(struct span text);

/* Keyed 64-bit hash of a canonical text; never 0. The key is random per process (sql_hash_key_init, once, at start). */
void sql_hash_key_init(void);
uint64_t sql_hash(struct span canonical);
/* Order-dependent combination of hashes, for whole parameter sets; never 0. */
uint64_t sql_hash_mix(uint64_t a, uint64_t b);

/* ---- names ---- */
const char *sql_class_name(enum sql_class c);	/* "read", "write", "control", "set-up", "ddl", "other", "empty" */
const char *sql_verb_name(enum sql_verb v);	/* "SELECT", ... */
/* "SELECT customers": verb and first table, the OpenTelemetry query summary; at most cap-1 bytes and a NUL. */
void sql_summary(const struct sql_stmt *st, char *buf, size_t cap);

#endif
