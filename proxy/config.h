/* SPDX-License-Identifier: Apache-2.0 */
/* config: everything the user asked for, checked, in one immutable struct.
 * Does: merge flag > ROWCALL_* > rowcall.yaml (found upwards) > default, from one option table. Never: opens a socket or starts anything. */
#ifndef ROWCALL_CONFIG_H
#define ROWCALL_CONFIG_H

#include "proxy/url.h"
#include "proxy/wire/wire.h"
#include "reports/judge/baseline.h"
#include "reports/judge/collector.h"

struct settings;

/* Where a listener's sessions go. */
struct upstream_config {
	enum engine_kind engine;
	const char *host;	/* name, IPv4, IPv6 without brackets; or a Unix socket: absolute path of the socket file itself */
	bool is_unix;
	uint16_t port;		/* for a Unix socket: the port in its name, for display */
	const char *user, *password, *database;	/* from the URL; "" when absent; only side connections and preflight use them */
	const char *display;	/* "127.0.0.1:5432", "/run/postgresql/.s.PGSQL.5432" */
};

struct listen_config {
	const char *address;	/* "127.0.0.1", "::1", "0.0.0.0"; or an absolute socket path */
	bool is_unix;
	uint16_t port;		/* 0 = any free one */
	const char *name;	/* for display and databases{}; default: upstream display */
	struct upstream_config upstream;
	struct wire_setup setup;	/* TLS policies */
	const char *server_ca;		/* PEM file for verify-*; "" = the system's */
	const char *client_cert, *client_key;	/* PEM files for TLS towards clients; "" = none */
	bool catalog;			/* catalogs are read, with these credentials; the database is each session's own */
	struct upstream_config catalog_server;
	enum wire_tls catalog_tls;
	const char *catalog_ca;		/* "" = the system's */
	uint32_t line;			/* in rowcall.yaml; 0 = from flags or environment */
};

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct config {
	const char *file;	/* the rowcall.yaml in force, "" = none */
	const struct listen_config *listens;
	uint32_t nlistens;
	uint32_t workers;

	uint64_t idle_gap, quiet, keyed_quiet;	/* ns */
	const char *const *tag_settings;
	uint32_t ntag_settings;
	const struct filter *fold, *tag_patterns;	/* NULL = none */

	struct rule_settings rules;
	bool lineage;
	struct gate_config gate;
	struct baseline *baseline;	/* what gate.baseline points to; owned */
	bool update_baseline;
	const char *baseline_absent;	/* the baseline that was named is not there and is not being written either: a sentence; NULL */
	bool baseline_unnamed;		/* nobody said where it is: --update-baseline writes the usual name */
	struct baseline_update how_to_update;
	int exit_code;		/* status of a failed gate, default 10 */
	bool exit_zero;		/* mutes exit_code only */
	uint64_t rtt;		/* ns */

	const char *const *reports;	/* "json:out.json", "text"; as given, checked */
	uint32_t nreports;
	const char *record;	/* file; "none"; "" = whatever the command does by default */
	bool record_optional;	/* nobody asked for the recording: what stands in its way is worth a warning */
	bool record_values, show_values;

	const char *admin_address;	/* "" = no admin port */
	uint16_t admin_port;		/* 0 = any free one */
	const char *admin_token_file;
	const char *admin_token;	/* its first line, read at load; "" = none */

	const char *color;	/* "auto" | "always" | "never" */
	enum log_level log_level;
	bool log_json;
	bool all, wide, quiet_output;
	const char *scope;	/* glob: reports show only these; NULL = all */
	uint64_t connect_timeout;	/* ns, per address */
	uint64_t drain_timeout;		/* ns */
};

/* What `run` finds in the environment when neither a flag nor a file names a database; also what --listen pairs with. */
struct upstream_found {
	const char *url;	/* as written */
	struct db_url parsed;
};

/* Builds the whole configuration. Strings live in the arena, filters until config_clear. found: upstreams to use when the settings name
 * none (run, which also makes a certificate where TLS towards the command has none); NULL for none. False: the problem says what to change. */
bool config_build(const struct settings *s, struct arena *a, const struct upstream_found *found, uint32_t nfound, struct config *out,
    struct problem *p) __attribute__((warn_unused_result));
/* The same for a command that judges: a baseline that was named and is not there is an error, too, as nothing would be compared with it. */
bool config_build_to_judge(const struct settings *s, struct arena *a, const struct upstream_found *found, uint32_t nfound, struct config *out,
    struct problem *p) __attribute__((warn_unused_result));
void config_clear(struct config *c);

/* The listener for one upstream: where it listens is the caller's business. False: the URL lacks what is needed. */
bool config_upstream(struct arena *a, const struct db_url *u, struct listen_config *l, struct problem *p) __attribute__((warn_unused_result));
/* "127.0.0.1:5433", "[::1]:0", "localhost:5433" or an absolute socket path. */
bool config_address(struct arena *a, const char *text, const char **host, uint16_t *port, bool *is_unix, const char *where, struct problem *p)
    __attribute__((warn_unused_result));

/* The first line of a token file. A file that others can read is refused: a secret they know is none. */
bool config_token(struct arena *a, const char *path, const char **token, struct problem *p) __attribute__((warn_unused_result));

#endif
