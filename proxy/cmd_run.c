/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_run: rowcall run: capture beside the databases a command uses, run the command pointed at the capture, report when it ends.
 * The report and all words of ours go to standard error; standard output is the command's. */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture.h"
#include "child.h"
#include "cmd.h"
#include "env_rewrite.h"
#include "fingerprint/limits.h"
#include "keep_run.h"
#include "outputs.h"
#include "own_certificate.h"
#include "pgpass.h"
#include "preflight.h"
#include "private_dir.h"
#include "unconnected.h"
#include "update_baseline.h"

enum { WIND_UP_MS = 1000, LOOK_MS = 5, PROGRESS_MS = 500 };

extern char **environ;

struct run {
	const struct settings *settings;
	struct arena *arena;
	struct config cfg;
	struct env env; /* the child's */
	struct env_databases databases;
	struct private_dir dir;
	struct endpoint *endpoints; /* by listener */
	struct log *log;
	struct capture *capture;
	struct event_base *base;
	struct child child;
	struct signals signals;
	struct rlimit files; /* as it was when we started */
	const char *command; /* for the report */
	bool own_certificate;		/* made for this run */
	bool reported;       /* the last line has been printed */
};

static void
say(void *ctx, const char *line)
{
	const struct run *r = ctx;

	if (!r->cfg.quiet_output)
		fprintf(stderr, "rowcall: %s\n", line);
}

/* ---- signals while the child runs ---- */

static void
on_signals(evutil_socket_t fd, short what, void *arg)
{
	struct run *r = arg;
	struct signal_seen seen;

	(void)fd;
	(void)what;
	while (signals_next(&r->signals, &seen)) {
		if (seen.number != SIGCHLD)
			child_signal(&r->child, seen);
		else if (child_look(&r->child))
			event_base_loopbreak(r->base);
	}
}

static void
on_progress(evutil_socket_t fd, short what, void *arg)
{
	struct run *r = arg;
	struct counters st = capture_counters(r->capture);

	(void)fd;
	(void)what;
	fprintf(stderr, "\r\033[Krowcall: %llu sessions, %llu open, %.1f MB answered ", (unsigned long long)st.accepted,
	    (unsigned long long)st.open, (double)st.bytes_to_client / 1e6);
	fflush(stderr);
}

/* Until the child ends. */
static bool
follow_child(struct run *r)
{
	static const struct timeval often = { 0, PROGRESS_MS * 1000 };
	/* Beside the output of a command on the same terminal a moving line would only be in the way. */
	bool progress = !r->cfg.quiet_output && isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO), ok;
	struct event *signals, *tick;

	r->base = event_base_new();
	if (!r->base)
		return false;
	signals = event_new(r->base, r->signals.fd, EV_READ | EV_PERSIST, on_signals, r);
	tick = event_new(r->base, -1, EV_PERSIST, on_progress, r);
	ok = signals && tick && event_add(signals, NULL) == 0 && (!progress || event_add(tick, &often) == 0);
	if (ok)
		event_base_dispatch(r->base);
	if (progress)
		fputs("\r\033[K", stderr);
	if (signals)
		event_free(signals);
	if (tick)
		event_free(tick);
	event_base_free(r->base);
	return ok;
}

/* Runs the command to its end. False: it could not be started or followed, which was said. */
static bool
run_child(struct run *r, char **argv)
{
	if (!child_start(&r->child, argv, r->env.v, &r->signals, &r->files)) {
		fprintf(stderr, "rowcall: error: no process could be started: %s\n", strerror(errno));
		return false;
	}
	if (r->child.exec_error)
		fprintf(stderr, "rowcall: error: %s: %s\n", argv[0], strerror(r->child.exec_error));
	if (r->child.ended || follow_child(r))
		return true;
	fprintf(stderr, "rowcall: error: the event loop could not be started\n");
	return false;
}

/* What the child's last connections still had under way reaches us within a moment; daemons it left behind do not hold us up. */
static void
wind_up(struct run *r)
{
	capture_drain(r->capture);
	for (unsigned ms = 0; ms < WIND_UP_MS && !capture_drained(r->capture); ms += LOOK_MS)
		usleep(LOOK_MS * 1000);
	capture_stop(r->capture);
}

/* ---- before ---- */

static bool
exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

/* A database behind a Unix socket is stood in for by a socket, so that peer authentication still sees the user. */
static bool
stand_in_for_sockets(struct run *r, struct problem *p)
{
	for (uint32_t i = 0; i < r->cfg.nlistens; i++) {
		struct listen_config *l = (struct listen_config *)(uintptr_t)&r->cfg.listens[i]; /* made for us, in our arena */
		char path[160];
		const char *dir;

		if (!l->upstream.is_unix || l->is_unix || l->port != 0)
			continue;
		/* One directory each: two originals may have the same name. */
		dir = private_dir_below(&r->dir, r->arena, i, p);
		if (!dir)
			return false;
		if (l->upstream.engine == ENGINE_POSTGRESQL)
			snprintf(path, sizeof path, "%s/.s.PGSQL.%u", dir, l->upstream.port);
		else
			snprintf(path, sizeof path, "%s/mysql.sock", dir);
		l->address = arena_strndup(r->arena, span_str(path));
		l->is_unix = true;
		l->port = l->upstream.port;
		l->setup.client_tls = WIRE_TLS_DISABLE; /* clients do not ask for it there */
	}
	return true;
}

static bool
takes_tls(const struct listen_config *l)
{
	return l->setup.client_tls == WIRE_TLS_ALLOW || l->setup.client_tls == WIRE_TLS_REQUIRE;
}

/* TLS towards the command where the user has no certificate for it. */
static bool
make_certificate(struct run *r, struct problem *p)
{
	const char *path = NULL;

	for (uint32_t i = 0; i < r->cfg.nlistens; i++) {
		struct listen_config *l = (struct listen_config *)(uintptr_t)&r->cfg.listens[i]; /* made for us, in our arena */

		if (!takes_tls(l) || *l->client_cert)
			continue;
		if (!path)
			path = own_certificate(&r->dir, r->arena, p);
		if (!path)
			return false;
		l->client_cert = l->client_key = path;
		r->own_certificate = true;
	}
	return true;
}

static bool
find_databases(struct run *r, struct problem *p)
{
	struct env_databases *d = &r->databases;
	struct upstream_found *found;

	env_init(&r->env, r->arena, environ);
	env_find(d, r->arena, &r->env, exists);
	found = arena_zero(r->arena, (d->nupstreams + 1) * sizeof *found);
	for (uint32_t i = 0; i < d->nupstreams; i++)
		found[i] = (struct upstream_found){ d->upstreams[i].text, d->upstreams[i] };
	if (!config_build_to_judge(r->settings, r->arena, found, d->nupstreams, &r->cfg, p))
		return false;
	for (uint32_t i = 0; i < d->nnotes; i++)
		say(r, d->notes[i]);
	if (r->cfg.nlistens > 0)
		return true;
	config_clear(&r->cfg);
	return problem(p,
	    "no database in the environment (DATABASE_URL and the like, PG*, MYSQL*, DB_HOST and DB_PORT); name it with --upstream "
	    "postgresql://HOST:PORT");
}

/* The admin port is a free one unless the user chose. */
static void
choose_admin(struct run *r)
{
	if (settings_get(r->settings, OPT_ADMIN).by > SAID_FILE && *r->cfg.admin_address)
		return;
	r->cfg.admin_address = "127.0.0.1";
	r->cfg.admin_port = 0;
}

static void
choose_recording(struct run *r)
{
	char path[4096];

	if (*r->cfg.record)
		return;
	keep_new(path, sizeof path);
	r->cfg.record = arena_strndup(r->arena, span_str(path));
	r->cfg.record_optional = true;
}

static bool
all_answer(const struct run *r, struct problem *p)
{
	if (!settings_true(r->settings, OPT_PREFLIGHT))
		return true;
	for (uint32_t i = 0; i < r->cfg.nlistens; i++)
		if (!preflight(&r->cfg.listens[i].upstream, r->cfg.connect_timeout, p))
			return false;
	return true;
}

/* A wildcard is where one listens, not where one connects. */
static const char *
reachable(const char *host)
{
	return strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : strcmp(host, "::") == 0 ? "::1" : host;
}

static void
name_endpoints(struct run *r)
{
	r->endpoints = arena_zero(r->arena, r->cfg.nlistens * sizeof *r->endpoints);
	for (uint32_t i = 0; i < r->cfg.nlistens; i++) {
		const char *host = reachable(capture_host(r->capture, i));
		bool is_unix = r->cfg.listens[i].is_unix;

		r->endpoints[i] = (struct endpoint){
			.host = is_unix ? NULL : host,
			.port = capture_port(r->capture, i),
			.socket = is_unix ? host : NULL,
			.tls = takes_tls(&r->cfg.listens[i]),
		};
	}
}

/* The listener that stands before a database of the environment; both hosts NULL when --upstream named others. */
static struct endpoint
endpoint_of(struct run *r, const struct db_url *u)
{
	struct listen_config want = { .name = "" };
	struct problem ignored;

	for (uint32_t i = 0; config_upstream(r->arena, u, &want, &ignored) && i < r->cfg.nlistens; i++) {
		const struct upstream_config *up = &r->cfg.listens[i].upstream;

		if (up->engine == want.upstream.engine && up->port == want.upstream.port && strcmp(up->host, want.upstream.host) == 0)
			return r->endpoints[i];
	}
	return (struct endpoint){ 0 };
}

static const char *
directory_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? arena_strndup(a, span_of(path, (size_t)(slash - path))) : path;
}

/* How libpq looks a server up in a password file: its default socket directory counts as localhost. */
static const char *
passfile_host(struct arena *a, const struct upstream_config *up)
{
	const char *dir = up->is_unix ? directory_of(a, up->host) : NULL;

	if (!dir)
		return up->host;
	return strcmp(dir, "/var/run/postgresql") == 0 || strcmp(dir, "/run/postgresql") == 0 ? "localhost" : dir;
}

/* libpq itself passes over a password file that others can read, and says so. */
static bool
read_passfile(const struct run *r, struct strbuf *out)
{
	const char *file = env_said(&r->env, "PGPASSFILE"), *home = env_said(&r->env, "HOME");
	char path[4096], chunk[4096];
	struct stat st;
	size_t n;
	FILE *f;

	if (env_said(&r->env, "PGPASSWORD") || (!file && !home))
		return false;
	snprintf(path, sizeof path, "%s%s", file ? file : home, file ? "" : "/.pgpass");
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)) == 0)
		while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
			strbuf_add(out, span_of(chunk, n));
	fclose(f);
	return out->n > 0 && !out->cut;
}

/* What libpq would look up for each server, and what it looks up for our listener instead. Room for two each. */
static unsigned
list_moves(struct run *r, struct pgpass_move *moves)
{
	const char *name = getenv("PGHOST"), *address = getenv("PGHOSTADDR");
	unsigned n = 0;

	for (uint32_t i = 0; i < r->cfg.nlistens; i++) {
		const struct upstream_config *up = &r->cfg.listens[i].upstream;
		const struct endpoint *e = &r->endpoints[i];

		if (up->engine != ENGINE_POSTGRESQL)
			continue;
		moves[n] = (struct pgpass_move){ passfile_host(r->arena, up), up->port,
			e->socket ? directory_of(r->arena, e->socket) : e->host, e->port };
		n++;
		/* With PGHOSTADDR the connection goes to the address, the password file is asked for the name. */
		if (name && address && strcmp(up->host, address) == 0) {
			moves[n] = moves[n - 1];
			moves[n++].host = name;
		}
	}
	return n;
}

/* Host and port change for the child, so lines for the original server are repeated for ours, in a file of the run's own. */
static void
resolve_passwords(struct run *r)
{
	struct pgpass_move moves[LIMIT_LISTENS * 2];
	struct strbuf in, out;
	struct problem p = { "" };
	const char *path;
	unsigned n = list_moves(r, moves);

	strbuf_init(&in, LIMIT_PASSFILE);
	strbuf_init(&out, LIMIT_PASSFILE * 4);
	if (read_passfile(r, &in) && pgpass_rewrite(strbuf_span(&in), moves, n, &out) > 0) {
		path = private_dir_file(&r->dir, r->arena, "pgpass", strbuf_span(&out), &p);
		if (path)
			env_set(&r->env, "PGPASSFILE", path);
		else
			say(r, p.text);
	}
	strbuf_clear(&in);
	strbuf_clear(&out);
}

/* A certificate that is signed by itself convinces nobody who checks. */
static bool
nobody_verifies(struct run *r, const struct endpoint *ends, struct problem *p)
{
	const struct env_databases *d = &r->databases;

	for (uint32_t i = 0; i < d->nreferences && r->own_certificate; i++) {
		const struct reference *ref = &d->references[i];

		if (ends[i].tls && ref->url.tls_demanded && (ref->url.tls == WIRE_TLS_VERIFY_CA || ref->url.tls == WIRE_TLS_VERIFY_FULL))
			return problem(p,
			    "%s verifies the server's certificate, which none made for a run can pass: name one it trusts with --client-cert "
			    "and --client-key, or leave out --client-tls",
			    ref->name);
	}
	return true;
}

/* SCRAM would bind to the certificate of this leg, and the server to its own. */
static void
leave_out_binding(struct run *r)
{
	for (uint32_t i = 0; i < r->cfg.nlistens && r->own_certificate; i++) {
		const struct listen_config *l = &r->cfg.listens[i];

		if (l->upstream.engine != ENGINE_POSTGRESQL || !r->endpoints[i].tls || l->setup.server_tls == WIRE_TLS_DISABLE ||
		    env_said(&r->env, "PGCHANNELBINDING"))
			continue;
		env_set(&r->env, "PGCHANNELBINDING", "disable");
		say(r, "PGCHANNELBINDING=disable for the command: the certificate it sees is made for this run, not the server's");
	}
}

static bool
set_extra(struct run *r, const char *text, struct problem *p)
{
	const char *equals = strchr(text, '='), *value;
	struct problem why = { "" };

	if (!equals || equals == text)
		return problem(p, "--env %s: wants NAME=VALUE", text);
	value = env_expand(&r->env, equals + 1, r->endpoints, r->cfg.nlistens, &why);
	if (!value)
		return problem(p, "--env %.*s: %s", (int)(equals - text), text, why.text);
	env_set(&r->env, arena_strndup(r->arena, span_of(text, (size_t)(equals - text))), value);
	return true;
}

static bool
point_child_here(struct run *r, struct problem *p)
{
	struct env_databases *d = &r->databases;
	struct endpoint *ends = arena_zero(r->arena, (d->nreferences + 1) * sizeof *ends);
	enum said_by by = settings_source(r->settings, OPT_ENV);
	char admin[80], url[100];

	for (uint32_t i = 0; i < d->nreferences; i++)
		ends[i] = endpoint_of(r, &d->upstreams[d->references[i].upstream]);
	if (!nobody_verifies(r, ends, p))
		return false;
	env_rewrite(&r->env, d, ends, say, r);
	leave_out_binding(r);
	resolve_passwords(r);
	for (uint32_t i = 0; by != SAID_DEFAULT && settings_nth(r->settings, OPT_ENV, by, i); i++)
		if (!set_extra(r, settings_nth(r->settings, OPT_ENV, by, i)->text, p))
			return false;
	endpoint_text(
	    &(struct endpoint){ .host = reachable(r->cfg.admin_address), .port = capture_admin_port(r->capture) }, admin, sizeof admin);
	snprintf(url, sizeof url, "http://%s", admin);
	env_set(&r->env, "ROWCALL_URL", url);
	if (*r->cfg.admin_token_file)
		env_set(&r->env, "ROWCALL_ADMIN_TOKEN_FILE", r->cfg.admin_token_file);
	return true;
}

static void
say_listeners(struct run *r)
{
	for (uint32_t i = 0; i < r->cfg.nlistens; i++) {
		const struct upstream_config *up = &r->cfg.listens[i].upstream;
		char where[200], line[600];

		endpoint_text(&r->endpoints[i], where, sizeof where);
		snprintf(line, sizeof line, "listening on %s for %s at %s", where, engine_name(up->engine), up->display);
		say(r, line);
	}
}

static const char *
command_words(struct arena *a, char **argv)
{
	struct strbuf b;
	const char *text;

	strbuf_init(&b, LIMIT_NAME);
	for (; *argv; argv++) {
		/* Programs and statements given as text may hold values, which no report shows. */
		bool word = strpbrk(*argv, " \t\n;='\"") == NULL;

		strbuf_printf(&b, "%s%s", b.n ? " " : "", word ? *argv : "...");
	}
	text = arena_strndup(a, strbuf_span(&b));
	strbuf_clear(&b);
	return text;
}

/* ---- after ---- */

static void
explain_nothing(struct run *r)
{
	char address[256];
	const struct endpoint *e = &r->endpoints[0];

	if (r->child.exec_error || capture_counters(r->capture).accepted > 0 || r->cfg.gate.allow_empty)
		return;
	if (e->socket)
		snprintf(address, sizeof address, "%s", e->socket);
	else
		snprintf(address, sizeof address, "127.0.0.1:%u", r->cfg.listens[0].upstream.engine == ENGINE_POSTGRESQL ? 5433 : 3307);
	unconnected_explain(stderr, address);
}

/* What this run did goes into the baseline first, so that it is judged by what it was told to accept. */
static struct snapshot *
judged(struct run *r, bool *ok)
{
	struct snapshot *snap = capture_snapshot(r->capture);
	struct problem p = { "" };
	struct baseline *updated;

	*ok = true;
	if (!r->cfg.update_baseline)
		return snap;
	if (r->child.status) {
		fputs("rowcall: warning: the command failed, and the baseline stays as it is\n", stderr);
		return snap;
	}
	updated = update_baseline(&r->cfg, capture_collector(r->capture), snap, &p);
	if (updated) {
		snapshot_free(snap);
		snap = capture_snapshot(r->capture);
		collector_judge_by(capture_collector(r->capture), r->cfg.baseline);
		baseline_free(updated);
	} else {
		fprintf(stderr, "rowcall: error: %s\n", p.text);
		*ok = false;
	}
	return snap;
}

static int
report(struct run *r)
{
	bool updated;
	struct snapshot *snap = judged(r, &updated);
	char err[400];
	int status = updated ? outputs_status(&r->cfg, snap) : STATUS_UNUSABLE;

	explain_nothing(r);
	if (!outputs_reports(&r->cfg, snap, STDERR_FILENO))
		status = STATUS_UNUSABLE;
	if (!capture_finish_recording(r->capture, snap, err, sizeof err))
		fprintf(stderr, "rowcall: warning: %s\n", err);
	if (r->cfg.record_optional)
		keep_tidy();
	outputs_verdict(snap);
	r->reported = true;
	snapshot_free(snap);
	return r->child.status ? r->child.status : status;
}

static int
capture_and_run(struct run *r, char **argv)
{
	struct problem p = { "" };
	char err[400];
	int status;

	r->command = command_words(r->arena, argv);
	r->capture = capture_start(&r->cfg, r->log, r->command, true, err, sizeof err);
	if (!r->capture) {
		fprintf(stderr, "rowcall: error: %s\n", err);
		return STATUS_UNUSABLE;
	}
	name_endpoints(r);
	say_listeners(r);
	if (!point_child_here(r, &p)) {
		capture_free(r->capture);
		return cmd_wrong("run", &p);
	}
	if (!run_child(r, argv)) {
		capture_free(r->capture);
		return STATUS_UNUSABLE;
	}
	wind_up(r);
	status = report(r);
	capture_free(r->capture);
	return status;
}

/* From here on something is left behind if we were just killed: sockets, a directory, a child. */
static int
hold_signals_and_run(struct run *r, char **argv)
{
	struct problem p = { "" };
	int status = STATUS_UNUSABLE;

	if (!signals_hold(&r->signals))
		fprintf(stderr, "rowcall: error: signals: %s\n", strerror(errno));
	else if (!stand_in_for_sockets(r, &p) || !make_certificate(r, &p))
		fprintf(stderr, "rowcall: error: %s\n", p.text);
	else
		status = capture_and_run(r, argv);
	signals_close(&r->signals);
	private_dir_remove(&r->dir);
	return status;
}

static int
prepare_and_run(struct run *r, char **argv)
{
	struct problem p = { "" };
	int status;

	if (!find_databases(r, &p))
		return cmd_wrong("run", &p);
	choose_admin(r);
	choose_recording(r);
	if (all_answer(r, &p)) {
		r->log = log_new(STDERR_FILENO, r->cfg.log_level < LOG_WARN || r->cfg.log_level == LOG_DEBUG ? r->cfg.log_level : LOG_WARN,
		    r->cfg.log_json);
		status = hold_signals_and_run(r, argv);
		log_free(r->log);
	} else
		status = cmd_unusable(&p);
	if (!r->reported && status == STATUS_UNUSABLE)
		outputs_unusable();
	config_clear(&r->cfg);
	return status;
}

static int
run(const struct settings *s, struct arena *a, int argc, char **argv)
{
	struct run r = { .settings = s, .arena = a };
	struct problem p = { "" };
	int status;

	if (argc == 0) {
		problem(&p, "no COMMAND to run; write rowcall run [OPTIONS] -- COMMAND...");
		return cmd_wrong("run", &p);
	}
	capture_raise_files(&r.files);
	status = prepare_and_run(&r, argv);
	env_clear(&r.env);
	return status;
}

int
cmd_run(int argc, char **argv)
{
	return cmd_with_settings("run", argc, argv, run);
}
