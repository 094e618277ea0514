/* SPDX-License-Identifier: Apache-2.0 */
/* options: the one table of everything a user can set, wherever it is set.
 * Does: name each option once, with its flag, key in rowcall.yaml, type, range, default and sentence of help; read a value by its type.
 * Never: stores a value, reads the environment, a file or the command line. Flags, environment, file, --help, `config show`,
 * conf/full.yaml and README's table are all read from here or checked against it. */
#ifndef ROWCALL_OPTIONS_H
#define ROWCALL_OPTIONS_H

#include "fingerprint/span.h"

enum option_id {
	/* every command */
	OPT_HELP, OPT_VERSION,
	/* configuration */
	OPT_CONFIG,
	OPT_LISTEN, OPT_UPSTREAM, OPT_LISTEN_NAME, OPT_SERVER_TLS, OPT_SERVER_CA, OPT_CLIENT_TLS, OPT_CLIENT_CERT, OPT_CLIENT_KEY, OPT_CATALOG,
	OPT_WORKERS, OPT_CONNECT_TIMEOUT, OPT_DRAIN_TIMEOUT,
	OPT_IDLE_GAP, OPT_QUIET_TIME, OPT_KEYED_QUIET, OPT_FOLD_MATCH, OPT_FOLD_REPLACE, OPT_TAG_SETTINGS, OPT_TAGS,
	OPT_THRESHOLD, OPT_LINEAGE, OPT_SLOW_QUERY, OPT_SLOW_REQUEST, OPT_RTT,
	OPT_MAX_QUERIES, OPT_MAX_TOTAL_QUERIES, OPT_FAIL_ON, OPT_INFERRED, OPT_MIN_TAGGED, OPT_ALLOW_EMPTY, OPT_EXIT_CODE, OPT_EXIT_ZERO,
	OPT_BUDGET_SCOPE, OPT_BUDGET_TEST, OPT_BUDGET_QUERIES, OPT_BUDGET_N_PLUS_ONE, OPT_BUDGET_DUPLICATES, OPT_BUDGET_WRITE_LOOPS,
	OPT_BUDGET_ROWS, OPT_BUDGET_BYTES, OPT_BUDGET_TRANSACTION,
	OPT_ALLOW_RULE, OPT_ALLOW_SCOPE, OPT_ALLOW_SHAPE, OPT_ALLOW_REASON, OPT_ALLOW_UNTIL,
	OPT_BASELINE, OPT_UPDATE_BASELINE, OPT_ALLOW_INCREASE, OPT_PRUNE, OPT_STRICT,
	OPT_REPORT, OPT_RECORD, OPT_RECORD_VALUES, OPT_ALL, OPT_WIDE, OPT_SCOPE, OPT_COLOR,
	OPT_ADMIN, OPT_TOKEN_FILE,
	OPT_LOG_LEVEL, OPT_LOG_FORMAT, OPT_VERBOSE, OPT_QUIET,
	/* run */
	OPT_PREFLIGHT, OPT_ENV,
	/* fix */
	OPT_DATABASE, OPT_STATEMENT_TIMEOUT, OPT_JSON, OPT_SHOW_VALUES,
	/* mark, ping */
	OPT_URL, OPT_MARK_REQUEST, OPT_MARK_TEST, OPT_MARK_END,
	/* diff */
	OPT_DIFF_REQUEST,
	OPTIONS
};

enum option_type {
	OPTION_BOOL,		/* true, false; on the command line --x and --no-x. value: 0, 1 */
	OPTION_COUNT,		/* a whole number */
	OPTION_DURATION,	/* 100ms, 1s, 5m, 0. value: ns */
	OPTION_SIZE,		/* 4096, 64K, 1M. value: bytes */
	OPTION_PERCENT,		/* 97%, 0.5%. value: millionths (1000000 = 100 %) */
	OPTION_CHOICE,		/* one of `choices`. value: its ordinal */
	OPTION_TEXT,
};

enum option_many {
	OPTION_ONCE,		/* the last one said counts */
	OPTION_REPEAT,		/* may be said several times */
	OPTION_COMMAS,		/* the same, and several may stand between commas on the command line */
};

/* Which commands take it as a flag. */
enum option_command { FOR_RUN = 1, FOR_PROXY = 2, FOR_CONFIG = 4, FOR_MARK = 8, FOR_PING = 16, FOR_HELP = 32, FOR_FINGERPRINT = 64, FOR_REPORT = 128, FOR_MERGE = 256, FOR_DIFF = 512, FOR_FIX = 1024 };

struct option_def {
	const char *name;	/* flag without dashes, one in each command; NULL = only in rowcall.yaml */
	const char *key;	/* "gate.max_queries", "listen[].address" (in each entry of a list); NULL = not in rowcall.yaml */
	const char *arg;	/* what the value is called in help; NULL for OPTION_BOOL */
	const char *fallback;	/* default, as it would be written; NULL = none */
	const char *choices;	/* OPTION_CHOICE: "text|json" */
	const char *later;	/* a value this version cannot honour yet ("*" = any but the default); NULL = none */
	const char *help;	/* one sentence, lower case, no full stop */
	int64_t min, max;	/* of the value, where it is a number */
	enum option_type type;
	enum option_many many;
	uint16_t commands;	/* enum option_command */
	char letter;		/* short flag; 0 = none */
	bool secret;		/* `config show` hides it (whole, or the password of a URL) */
};

extern const struct option_def options[OPTIONS];

/* The option a key belongs to; OPTIONS when there is none. It names list entries by "[]": "budgets[].scope". */
enum option_id option_by_key(const char *key);
/* True when some key starts with prefix ("gate.", "budgets[]."). */
bool option_key_prefix(const char *prefix);
/* The words allowed right below a prefix ("" = top level), comma-separated, into buf. */
void option_keys_below(const char *prefix, char *buf, size_t n);
/* Name of its environment variable ("ROWCALL_MAX_QUERIES"), "" when it has none. */
void option_env(enum option_id id, char *buf, size_t n);

/* Reads a value. False: *why (static or in the table) says what is wanted ("a duration such as 100ms, 1s or 5m"). */
bool option_value(const struct option_def *o, const char *text, int64_t *value, char *why, size_t why_n) __attribute__((warn_unused_result));

/* Letters to change, add or drop to turn a into b; at most 9. */
unsigned option_distance(const char *a, const char *b);
/* For "did you mean": the distance when b is near enough to be what a was to be, and nearer than *best, which is then lowered. Start with 9. */
bool option_nearer(const char *a, const char *b, unsigned *best);

#endif
