/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_run: rowcall run: capture beside the databases a command uses, run the command pointed at the capture, report when it ends.
 * The report and all words of ours go to standard error; standard output is the command's. */
#include "cmd_run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "fingerprint/limits.h"
#include "keep_run.h"
#include "outputs.h"
#include "preflight.h"
#include "unconnected.h"
#include "update_baseline.h"

void
run_say(void *ctx, const char *line)
{
	const struct run *r = ctx;

	if (!r->cfg.quiet_output)
		fprintf(stderr, "rowcall: %s\n", line);
}

/* ---- before ---- */

static bool
find_databases(struct run *r, struct problem *p)
{
	struct env_databases *d = &r->databases;
	struct upstream_found *found;

	env_init(&r->env, r->arena, environ);
	env_find(d, r->arena, &r->env, env_exists);
	found = arena_zero(r->arena, (d->nupstreams + 1) * sizeof *found);
	for (uint32_t i = 0; i < d->nupstreams; i++)
		found[i] = (struct upstream_found){ d->upstreams[i].text, d->upstreams[i] };
	if (!config_build_to_judge(r->settings, r->arena, found, d->nupstreams, &r->cfg, p))
		return false;
	for (uint32_t i = 0; i < d->nnotes; i++)
		run_say(r, d->notes[i]);
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

static void
say_listeners(struct run *r)
{
	for (uint32_t i = 0; i < r->cfg.nlistens; i++) {
		const struct upstream_config *up = &r->cfg.listens[i].upstream;
		char where[200], line[600];

		endpoint_text(&r->endpoints[i], where, sizeof where);
		snprintf(line, sizeof line, "listening on %s for %s at %s", where, engine_name(up->engine), up->display);
		run_say(r, line);
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
	run_endpoints(r);
	say_listeners(r);
	if (!run_point_child(r, &p)) {
		capture_free(r->capture);
		return cmd_wrong("run", &p);
	}
	if (!run_child(r, argv)) {
		capture_free(r->capture);
		return STATUS_UNUSABLE;
	}
	run_wind_up(r);
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
	else if (!run_stand_in(r, &p) || !run_certificate(r, &p))
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
