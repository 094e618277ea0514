/* SPDX-License-Identifier: Apache-2.0 */
/* options: see options.h. The table first, then how values are read. */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define NS_SECOND INT64_C(1000000000)
#define NS_HOUR (3600 * NS_SECOND)
#define CAPTURE (FOR_RUN | FOR_PROXY | FOR_CONFIG)
#define JUDGE (CAPTURE | FOR_REPORT)
#define EVERY (JUDGE | FOR_MARK | FOR_PING | FOR_HELP | FOR_MERGE | FOR_DIFF | FOR_FIX)
#define ANY_COUNT INT64_C(1000000000000)

const struct option_def options[OPTIONS] = {
	[OPT_HELP] = { "help", .type = OPTION_BOOL, .letter = 'h', .help = "show this help and end", .commands = EVERY },
	[OPT_VERSION] = { "version", .type = OPTION_BOOL, .letter = 'V', .help = "show the version and end", .commands = EVERY },
	[OPT_CONFIG] = { "config", .arg = "FILE", .type = OPTION_TEXT, .letter = 'c', .commands = JUDGE | FOR_DIFF | FOR_FIX,
	    .help = "read this file instead of the rowcall.yaml found upwards to the root of the repository" },

	[OPT_LISTEN] = { "listen", "listen[].address", "ADDRESS", .type = OPTION_TEXT, .many = OPTION_REPEAT, .commands = CAPTURE,
	    .help = "where clients connect: 127.0.0.1:5433, [::1]:5433 or the path of a Unix socket; pairs with --upstream in order" },
	[OPT_UPSTREAM] = { "upstream", "listen[].upstream", "URL", .type = OPTION_TEXT, .many = OPTION_REPEAT, .commands = CAPTURE,
	    .secret = true, .help = "the database server: postgresql://HOST:PORT, mysql://HOST:PORT, or a Unix socket by its path" },
	[OPT_LISTEN_NAME] = { NULL, "listen[].name", "NAME", .type = OPTION_TEXT, .help = "what reports call this database" },
	[OPT_SERVER_TLS] = { "server-tls", "listen[].server_tls", "MODE", .type = OPTION_CHOICE, .commands = CAPTURE,
	    .choices = "disable|prefer|require|verify-ca|verify-full|mirror",
	    .help = "TLS towards the server; without it prefer for PostgreSQL and mirror (as the client does) for MySQL and MariaDB" },
	[OPT_SERVER_CA] = { "server-ca", "listen[].server_ca", "FILE", "", .type = OPTION_TEXT, .commands = CAPTURE,
	    .help = "PEM file of the authorities trusted by verify-ca and verify-full instead of the system's" },
	[OPT_CLIENT_TLS] = { "client-tls", "listen[].client_tls", "MODE", .type = OPTION_CHOICE, .commands = CAPTURE,
	    .choices = "disable|allow|require|passthrough",
	    .help = "TLS towards clients: allow and require need a certificate and a key (run makes them); passthrough forwards it unread" },
	[OPT_CLIENT_CERT] = { "client-cert", "listen[].client_cert", "FILE", "", .type = OPTION_TEXT, .commands = CAPTURE,
	    .help = "PEM certificate chain shown to clients" },
	[OPT_CLIENT_KEY] = { "client-key", "listen[].client_key", "FILE", "", .type = OPTION_TEXT, .commands = CAPTURE,
	    .help = "its private key, PEM" },
	[OPT_CATALOG] = { "catalog", "listen[].catalog", "URL", "off", .type = OPTION_TEXT, .secret = true, .commands = CAPTURE,
	    .help = "read names of tables and foreign keys over short read-only connections of our own: auto uses the credentials of the "
		    "environment's or upstream's URL; off" },
	[OPT_WORKERS] = { "workers", "workers", "N", "1", .type = OPTION_COUNT, .min = 1, .max = 64, .commands = CAPTURE,
	    .help = "threads that forward" },
	[OPT_CONNECT_TIMEOUT] = { "connect-timeout", "connect_timeout", "TIME", "5s", .type = OPTION_DURATION, .min = NS_SECOND / 1000,
	    .max = NS_HOUR, .commands = CAPTURE, .help = "how long one address of a server may take to answer" },
	[OPT_DRAIN_TIMEOUT] = { "drain-timeout", "drain_timeout", "TIME", "30s", .type = OPTION_DURATION, .max = NS_HOUR,
	    .commands = CAPTURE, .help = "how long a proxy that was told to end waits for open sessions" },

	[OPT_IDLE_GAP] = { "idle-gap", "requests.idle_gap", "TIME", "100ms", .type = OPTION_DURATION, .min = NS_SECOND / 1000,
	    .max = NS_HOUR, .commands = CAPTURE, .help = "a pause on a connection that ends an untagged request" },
	[OPT_QUIET_TIME] = { "request-quiet", "requests.quiet", "TIME", "1s", .type = OPTION_DURATION, .min = NS_SECOND / 1000,
	    .max = NS_HOUR, .commands = CAPTURE, .help = "a request without an instance key closes after this long without a statement" },
	[OPT_KEYED_QUIET] = { "keyed-quiet", "requests.keyed_quiet", "TIME", "60s", .type = OPTION_DURATION, .min = NS_SECOND / 1000,
	    .max = 24 * NS_HOUR, .commands = CAPTURE, .help = "the same for a request with an instance key" },
	[OPT_FOLD_MATCH] = { NULL, "requests.fold[].match", "PATTERN", .type = OPTION_TEXT,
	    .help = "a pattern (PCRE2) to find in scope names" },
	[OPT_FOLD_REPLACE] = { NULL, "requests.fold[].replace", "TEXT", .type = OPTION_TEXT, .help = "what to put in its place" },
	[OPT_TAG_SETTINGS] = { "tag-settings", "requests.tag_settings", "NAME", .type = OPTION_TEXT, .many = OPTION_COMMAS,
	    .commands = CAPTURE, .help = "session settings of your own whose value names the request (app.request_id)" },
	[OPT_TAGS] = { NULL, "requests.tags", "PATTERN", .type = OPTION_TEXT, .many = OPTION_REPEAT,
	    .help = "patterns over SQL comments with a group (?<request>…) or (?<scope>…)" },

	[OPT_THRESHOLD] = { "n-plus-one-threshold", "n_plus_one.threshold", "N", "5", .type = OPTION_COUNT, .min = 2, .max = 1000000,
	    .commands = JUDGE | FOR_DIFF | FOR_FIX, .help = "distinct parameter sets of one shape in a request that make an N+1 suspected" },
	[OPT_LINEAGE] = { "lineage", "n_plus_one.lineage", "WHEN", "always", .type = OPTION_CHOICE, .choices = "off|always",
	    .commands = CAPTURE, .help = "prove N+1 by comparing parameters with earlier results" },
	[OPT_SLOW_QUERY] = { "slow-query", "slow.query", "TIME", "100ms", .type = OPTION_DURATION, .max = 24 * NS_HOUR, .commands = JUDGE,
	    .help = "report statements that take this long; 0 = none" },
	[OPT_SLOW_REQUEST] = { "slow-request", "slow.request", "TIME", "1s", .type = OPTION_DURATION, .max = 24 * NS_HOUR,
	    .commands = JUDGE, .help = "report requests whose database time is this long; 0 = none" },
	[OPT_RTT] = { "rtt", "rtt", "TIME", "1ms", .type = OPTION_DURATION, .max = NS_SECOND * 10, .commands = JUDGE | FOR_DIFF | FOR_FIX,
	    .help = "the round trip at which costs are restated" },

	[OPT_MAX_QUERIES] = { "max-queries", "gate.max_queries", "N", .type = OPTION_COUNT, .max = ANY_COUNT, .commands = JUDGE,
	    .help = "fail when any one request makes more queries" },
	[OPT_MAX_TOTAL_QUERIES] = { "max-total-queries", "gate.max_total_queries", "N", .type = OPTION_COUNT, .max = ANY_COUNT,
	    .commands = JUDGE, .help = "fail when the whole run makes more queries" },
	[OPT_FAIL_ON] = { "fail-on", "gate.fail_on", "RULE[:proven]", .type = OPTION_TEXT, .many = OPTION_COMMAS, .commands = JUDGE,
	    .help = "fail on any finding of this rule, or only on proven ones (n-plus-one, duplicate, write-loop, slow-query, …)" },
	[OPT_INFERRED] = { "inferred", "gate.inferred", .fallback = "true", .type = OPTION_BOOL, .commands = JUDGE,
	    .help = "let the gate judge requests whose borders are only pauses on a connection" },
	[OPT_MIN_TAGGED] = { "min-tagged", "gate.min_tagged", "PERCENT", "0%", .type = OPTION_PERCENT, .max = 1000000, .commands = JUDGE,
	    .help = "fail when a smaller share of the queries carries a tag" },
	[OPT_ALLOW_EMPTY] = { "allow-empty", "gate.allow_empty", .fallback = "false", .type = OPTION_BOOL, .commands = JUDGE,
	    .help = "capturing nothing is fine (otherwise status 11)" },
	[OPT_EXIT_CODE] = { "exit-code", "gate.exit_code", "N", "10", .type = OPTION_COUNT, .min = 1, .max = 255, .commands = JUDGE | FOR_DIFF,
	    .help = "the status of a failed gate" },
	[OPT_EXIT_ZERO] = { "exit-zero", "gate.exit_zero", .fallback = "false", .type = OPTION_BOOL, .commands = JUDGE | FOR_DIFF,
	    .help = "end 0 where the gate failed; status 11 and the child's own stay" },
	[OPT_BUDGET_SCOPE] = { NULL, "budgets[].scope", "GLOB", .type = OPTION_TEXT,
	    .help = "scopes this budget binds, per request; * also matches /" },
	[OPT_BUDGET_TEST] = { NULL, "budgets[].test", "GLOB", .type = OPTION_TEXT, .help = "or tests it binds, summed over the test" },
	[OPT_BUDGET_QUERIES] = { NULL, "budgets[].max_queries", "N", .type = OPTION_COUNT, .max = ANY_COUNT, .help = "queries" },
	[OPT_BUDGET_N_PLUS_ONE] = { NULL, "budgets[].n_plus_one", "N", .type = OPTION_COUNT, .max = ANY_COUNT,
	    .help = "findings of n-plus-one" },
	[OPT_BUDGET_DUPLICATES] = { NULL, "budgets[].duplicates", "N", .type = OPTION_COUNT, .max = ANY_COUNT,
	    .help = "executions that findings of duplicate would save" },
	[OPT_BUDGET_WRITE_LOOPS] = { NULL, "budgets[].write_loops", "N", .type = OPTION_COUNT, .max = ANY_COUNT,
	    .help = "findings of write-loop" },
	[OPT_BUDGET_ROWS] = { NULL, "budgets[].max_rows", "N", .type = OPTION_COUNT, .max = ANY_COUNT, .help = "rows returned" },
	[OPT_BUDGET_BYTES] = { NULL, "budgets[].max_bytes", "SIZE", .type = OPTION_SIZE, .max = INT64_C(1) << 50,
	    .help = "bytes returned" },
	[OPT_BUDGET_TRANSACTION] = { NULL, "budgets[].max_transaction", "TIME", .type = OPTION_DURATION, .max = 24 * NS_HOUR,
	    .help = "longest time a transaction stands open" },
	[OPT_ALLOW_RULE] = { NULL, "allow[].rule", "RULE", .type = OPTION_TEXT,
	    .help = "rule whose findings are accepted; without it any" },
	[OPT_ALLOW_SCOPE] = { NULL, "allow[].scope", "GLOB", .type = OPTION_TEXT, .help = "in these scopes; without it any" },
	[OPT_ALLOW_SHAPE] = { NULL, "allow[].shape", "FINGERPRINT", .type = OPTION_TEXT,
	    .help = "of this shape: 16 hex digits, or q and at least 7" },
	[OPT_ALLOW_REASON] = { NULL, "allow[].reason", "TEXT", .type = OPTION_TEXT, .help = "why; an entry needs one" },
	[OPT_ALLOW_UNTIL] = { NULL, "allow[].until", "DATE", .type = OPTION_TEXT, .help = "last day it holds (2027-01-01)" },
	[OPT_BASELINE] = { "baseline", "baseline", "FILE", .type = OPTION_TEXT, .commands = JUDGE,
	    .help = "what scopes did when it was recorded (rowcall.baseline.json): fail on what is new or has grown since; it must be there, and said in "
		    "rowcall.yaml it lies beside it" },
	[OPT_UPDATE_BASELINE] = { "update-baseline", .type = OPTION_BOOL, .commands = FOR_RUN | FOR_REPORT,
	    .help = "record this run in the baseline: new scopes are added, counts that fell are lowered, the rest stays; not where CI is set" },
	[OPT_ALLOW_INCREASE] = { "allow-increase", .type = OPTION_BOOL, .commands = FOR_RUN | FOR_REPORT,
	    .help = "with --update-baseline: raise counts, and add findings to recorded scopes" },
	[OPT_PRUNE] = { "prune", .type = OPTION_BOOL, .commands = FOR_RUN | FOR_REPORT,
	    .help = "with --update-baseline: drop entries that this run did not see" },
	[OPT_STRICT] = { "strict", "gate.strict", .fallback = "false", .type = OPTION_BOOL, .commands = JUDGE,
	    .help = "entries of allow and of the baseline that match nothing or have expired fail the gate, not only warn" },

	[OPT_REPORT] = { "report", "report", "FORMAT[:FILE]", .type = OPTION_TEXT, .many = OPTION_REPEAT, .commands = JUDGE | FOR_DIFF,
	    .help = "write a report, json:out.json: text, json, ndjson, junit, markdown, github, gitlab, sarif, html, folded, speedscope, flamegraph; "
		"without FILE to where the text report goes" },
	[OPT_RECORD] = { "record", "record", "FILE", .type = OPTION_TEXT, .commands = CAPTURE | FOR_MERGE,
	    .help = "keep the run in this file for rowcall report; run without it keeps the last one in the state directory, none keeps "
		    "nothing" },
	[OPT_RECORD_VALUES] = { "record-values", "record_values", .fallback = "false", .type = OPTION_BOOL, .commands = CAPTURE,
	    .help = "keep literals and parameters in the recording, too, readable by its owner only: what rowcall fix runs again" },
	[OPT_ALL] = { "all", .type = OPTION_BOOL, .commands = FOR_RUN | FOR_PROXY | FOR_REPORT | FOR_DIFF,
	    .help = "show notes and scopes within budget too" },
	[OPT_WIDE] = { "wide", .type = OPTION_BOOL, .commands = FOR_RUN | FOR_PROXY | FOR_REPORT | FOR_DIFF,
	    .help = "do not shorten SQL in the text report" },
	[OPT_SCOPE] = { "scope", .arg = "GLOB", .fallback = "", .type = OPTION_TEXT, .commands = FOR_RUN | FOR_PROXY | FOR_REPORT | FOR_DIFF,
	    .help = "show only scopes it matches; * also matches /; verdict and totals stay those of the whole run" },
	[OPT_COLOR] = { "color", .arg = "WHEN", .fallback = "auto", .type = OPTION_CHOICE, .choices = "auto|always|never",
	    .commands = FOR_RUN | FOR_PROXY | FOR_REPORT | FOR_DIFF, .help = "colour in the text report" },
	[OPT_ADMIN] = { "admin", "admin.address", "ADDRESS", "", .type = OPTION_TEXT, .commands = CAPTURE,
	    .help = "where marks, health, snapshots and counters are served (127.0.0.1:9433); run takes a free port of its own" },
	[OPT_TOKEN_FILE] = { "admin-token-file", "admin.token_file", "FILE", "", .type = OPTION_TEXT,
	    .commands = CAPTURE | FOR_MARK | FOR_PING,
	    .help = "file with the token the admin port asks for; needed beyond loopback; only its owner may read it" },
	[OPT_LOG_LEVEL] = { "log-level", "log.level", "LEVEL", "info", .type = OPTION_CHOICE, .choices = "error|warn|info|debug",
	    .commands = CAPTURE, .help = "how much is logged on standard error" },
	[OPT_LOG_FORMAT] = { "log-format", "log.format", "FORMAT", "text", .type = OPTION_CHOICE, .choices = "text|json",
	    .commands = CAPTURE, .help = "how it is logged" },
	[OPT_VERBOSE] = { "verbose", .type = OPTION_BOOL, .letter = 'v', .commands = FOR_RUN | FOR_PROXY,
	    .help = "the same as --log-level debug" },
	[OPT_QUIET] = { "quiet", .type = OPTION_BOOL, .letter = 'q', .commands = FOR_RUN | FOR_PROXY | FOR_REPORT | FOR_DIFF,
	    .help = "no text report and no progress, only errors and the last line" },

	[OPT_PREFLIGHT] = { "preflight", .fallback = "true", .type = OPTION_BOOL, .commands = FOR_RUN,
	    .help = "check that each server answers before the command starts" },
	[OPT_ENV] = { "env", .arg = "NAME=VALUE", .type = OPTION_TEXT, .many = OPTION_REPEAT, .commands = FOR_RUN,
	    .help = "set a variable of the command; {host} and {port} stand for the first listener, {host2} and {port2} for the second" },

	[OPT_DATABASE] = { "database", .arg = "URL", .type = OPTION_TEXT, .secret = true, .commands = FOR_FIX,
	    .help = "where to run it; without it the database of the recording, with the credentials the environment or rowcall.yaml has for it" },
	[OPT_STATEMENT_TIMEOUT] = { "statement-timeout", .arg = "TIME", .fallback = "5s", .type = OPTION_DURATION, .min = NS_SECOND / 1000,
	    .max = NS_HOUR, .commands = FOR_FIX, .help = "no statement runs longer" },
	[OPT_JSON] = { "json", .type = OPTION_BOOL, .commands = FOR_FIX, .help = "print JSON" },
	[OPT_SHOW_VALUES] = { "show-values", .type = OPTION_BOOL, .commands = FOR_FIX,
	    .help = "print the batched statement with the values it ran with, too" },

	[OPT_URL] = { "url", .arg = "URL", .type = OPTION_TEXT, .commands = FOR_MARK | FOR_PING,
	    .help = "the admin port of the capture; rowcall run sets ROWCALL_URL for its command" },
	[OPT_MARK_REQUEST] = { "request", .type = OPTION_BOOL, .commands = FOR_MARK, .help = "NAME is a request" },
	[OPT_MARK_TEST] = { "test", .type = OPTION_BOOL, .commands = FOR_MARK, .help = "NAME is a test (what it is without --request)" },
	[OPT_MARK_END] = { "end", .type = OPTION_BOOL, .commands = FOR_MARK,
	    .help = "end the current test, or request with --request; takes no NAME" },

	[OPT_DIFF_REQUEST] = { "request", .arg = "KEY", .type = OPTION_TEXT, .commands = FOR_DIFF,
	    .help = "show this request in order, by its key or number (#12), instead of a median one" },
};

/* ---- names and keys ---- */

enum option_id
option_by_key(const char *key)
{
	for (enum option_id i = 0; i < OPTIONS; i++) {
		if (options[i].key && strcmp(options[i].key, key) == 0)
			return i;
	}
	return OPTIONS;
}

bool
option_key_prefix(const char *prefix)
{
	for (enum option_id i = 0; i < OPTIONS; i++) {
		if (options[i].key && strncmp(options[i].key, prefix, strlen(prefix)) == 0)
			return true;
	}
	return false;
}

void
option_keys_below(const char *prefix, char *buf, size_t n)
{
	size_t skip = strlen(prefix), used = 0;
	struct span last = { 0 };

	buf[0] = '\0';
	for (enum option_id i = 0; i < OPTIONS; i++) {
		const char *key = options[i].key;

		if (!key || strncmp(key, prefix, skip) != 0)
			continue;
		struct span word = span_of(key + skip, strcspn(key + skip, ".["));

		if (span_eq(word, last))
			continue;
		last = word;
		int wrote = snprintf(buf + used, n - used, "%s%.*s", used ? ", " : "", (int)word.n, (const char *)word.p);

		if (wrote < 0 || (size_t)wrote >= n - used)
			return;
		used += (size_t)wrote;
	}
}

void
option_env(enum option_id id, char *buf, size_t n)
{
	const char *name = options[id].name;
	size_t used = 0;

	buf[0] = '\0';
	if (!name || id == OPT_HELP || id == OPT_VERSION || id == OPT_MARK_REQUEST || id == OPT_MARK_TEST || id == OPT_MARK_END || id == OPT_DIFF_REQUEST)
		return;
	for (const char *p = "ROWCALL_"; *p && used + 1 < n; p++)
		buf[used++] = *p;
	for (const char *p = name; *p && used + 1 < n; p++)
		buf[used++] = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
	buf[used] = '\0';
}

/* ---- values ---- */

/* Digits only, no sign, no leading zeros that could mean octal; *end behind them. */
static bool
read_number(const char *s, int64_t *value, const char **end)
{
	uint64_t v = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (uint64_t)(*p - '0');
		if (v > (uint64_t)INT64_MAX / 10)
			return false;
	}
	if (p == s || (p - s > 1 && *s == '0'))
		return false;
	*value = (int64_t)v;
	*end = p;
	return true;
}

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit times[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", NS_SECOND },
	{ "m", 60 * NS_SECOND },
	{ "h", NS_HOUR },
	{ NULL, 0 },
};
static const struct unit sizes[] = { { "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 }, { NULL, 0 } };

static bool
read_units(const char *text, const struct unit *units, int64_t *value)
{
	const char *end;

	if (!read_number(text, value, &end))
		return false;
	for (; units->name; units++) {
		if (strcmp(end, units->name) == 0)
			return !__builtin_mul_overflow(*value, units->factor, value);
	}
	return *value == 0 && *end == '\0';
}

/* 97%, 0.5%, 99.95% */
static bool
read_percent(const char *text, int64_t *value)
{
	int64_t whole, part = 0, scale = 10000;
	const char *p;

	if (!read_number(text, &whole, &p) || whole > 100)
		return false;
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9' && scale > 1; p++) {
			scale /= 10;
			part += (*p - '0') * scale;
		}
	}
	*value = whole * 10000 + part;
	return strcmp(p, "%") == 0;
}

static bool
read_choice(const char *choices, const char *text, int64_t *value)
{
	size_t n = strlen(text);

	*value = 0;
	for (const char *p = choices;; p++, ++*value) {
		size_t word = strcspn(p, "|");

		if (word == n && memcmp(p, text, n) == 0)
			return true;
		p += word;
		if (!*p)
			return false;
	}
}

static bool
read_bool(const char *text, int64_t *value)
{
	*value = strcmp(text, "true") == 0;
	return *value || strcmp(text, "false") == 0;
}

static void
wanted(const struct option_def *o, char *why, size_t n)
{
	switch (o->type) {
	case OPTION_BOOL:
		snprintf(why, n, "true or false");
		break;
	case OPTION_COUNT:
		snprintf(why, n, o->max == ANY_COUNT ? "a whole number from %" PRId64 : "a whole number from %" PRId64 " to %" PRId64,
		    o->min, o->max);
		break;
	case OPTION_DURATION:
		snprintf(why, n, "a duration such as 100ms, 1s or 5m");
		break;
	case OPTION_SIZE:
		snprintf(why, n, "a size in bytes such as 4096, 64K or 1M");
		break;
	case OPTION_PERCENT:
		snprintf(why, n, "a percentage from 0%% to 100%% such as 97%%");
		break;
	case OPTION_CHOICE:
		snprintf(why, n, "one of %s", o->choices);
		break;
	case OPTION_TEXT:
		snprintf(why, n, "a text");
		break;
	}
}

static bool
read_value(const struct option_def *o, const char *text, int64_t *value)
{
	const char *end;

	*value = 0;
	switch (o->type) {
	case OPTION_BOOL:
		return read_bool(text, value);
	case OPTION_COUNT:
		return read_number(text, value, &end) && *end == '\0';
	case OPTION_DURATION:
		return read_units(text, times, value);
	case OPTION_SIZE:
		return read_units(text, sizes, value);
	case OPTION_PERCENT:
		return read_percent(text, value);
	case OPTION_CHOICE:
		return read_choice(o->choices, text, value);
	case OPTION_TEXT:
		return true;
	}
	return false;
}

/* The largest unit that divides a duration: "1ms", "24h". */
static void
print_duration(int64_t ns, char *buf, size_t n)
{
	const struct unit *best = times;

	for (const struct unit *u = times; u->name; u++) {
		if (ns % u->factor == 0 && ns > 0)
			best = u;
	}
	snprintf(buf, n, "%" PRId64 "%s", ns / best->factor, ns ? best->name : "");
}

static void
duration_range(const struct option_def *o, char *why, size_t n)
{
	char min[32], max[32];

	print_duration(o->min, min, sizeof min);
	print_duration(o->max, max, sizeof max);
	snprintf(why, n, "a duration from %s to %s", min, max);
}

bool
option_value(const struct option_def *o, const char *text, int64_t *value, char *why, size_t why_n)
{
	if (!read_value(o, text, value)) {
		wanted(o, why, why_n);
		return false;
	}
	if (o->max > 0 && (*value < o->min || *value > o->max)) {
		if (o->type == OPTION_DURATION)
			duration_range(o, why, why_n);
		else
			wanted(o, why, why_n);
		return false;
	}
	return true;
}

/* ---- did you mean ---- */

unsigned
option_distance(const char *a, const char *b)
{
	enum { LONGEST = 40 };
	unsigned row[LONGEST + 1], before[LONGEST + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > LONGEST || m > LONGEST)
		return 9;
	for (unsigned j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		memcpy(before, row, sizeof before);
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned best = before[j - 1] + (a[i - 1] != b[j - 1]);

			if (before[j] + 1 < best)
				best = before[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[m] < 9 ? row[m] : 9;
}

bool
option_nearer(const char *a, const char *b, unsigned *best)
{
	size_t most = strlen(a) / 3;
	unsigned d = option_distance(a, b);

	most = most < 1 ? 1 : most > 3 ? 3 : most;
	if (d > most || d >= *best)
		return false;
	*best = d;
	return true;
}
