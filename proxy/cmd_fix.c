/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_fix: rowcall fix: takes a finding of a recording with values, runs its look-ups and their batched form in one read-only snapshot, and
 * says whether they are the same and what is saved. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "env_find.h"
#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "keep_run.h"
#include "outputs.h"
#include "reports/store/recording.h"
#include "side/verify.h"

enum { SHORTEST_ID = 4, CONNECT_MORE_S = 5 };

/* Where the recording has a statement's values; seq 0 = nowhere. */
struct text_at {
	uint32_t session, seq;
};

struct fix {
	const struct settings *settings;
	struct arena *arena;
	struct config cfg;
	struct recording *rec;
	struct shapes *shapes;
	struct snapshot *snap;
	const struct snap_finding *finding;
	/* of the finding's request */
	struct text_at *repeats;
	uint32_t nrepeats, cap;
	struct text_at source;
	uint16_t upstream;
	const char *database;
	struct env env;
	struct env_databases environment;
};

/* ---- the finding ---- */

static bool
judge(struct fix *f, struct problem *p)
{
	struct run_info run = recording_run(f->rec);
	struct collector_config cc = { .rules = f->cfg.rules, .gate = f->cfg.gate, .rtt = f->cfg.rtt, .upstreams = recording_upstreams(f->rec),
		.nupstreams = run.nupstreams };
	struct collector *collector = collector_new(&cc);
	struct request_sink sink = { .ctx = collector, .request = collector_request, .stray = collector_stray };
	bool whole = collector && recording_replay(f->rec, f->shapes, NULL, sink, p->text, sizeof p->text);

	if (whole)
		f->snap = collector_snapshot(collector, &run);
	collector_free(collector);
	return whole;
}

static void
list_findings(const struct fix *f)
{
	char q[9];

	for (uint32_t i = 0; i < f->snap->nfindings; i++) {
		const struct snap_finding *s = &f->snap->findings[i];

		if (!s->worst.repeat)
			continue;
		shape_short(s->worst.repeat->fingerprint, q);
		fprintf(stderr, "  %s  %-5s %s  %s\n", s->id, rules[s->rule].title, q, s->scope);
	}
}

/* By its id or a beginning of it. */
static bool
find(struct fix *f, const char *id, struct problem *p)
{
	size_t n = strlen(id);

	if (n < SHORTEST_ID)
		return problem(p, "%s: write at least %d digits of a finding's id", id, SHORTEST_ID);
	for (uint32_t i = 0; i < f->snap->nfindings; i++) {
		const struct snap_finding *s = &f->snap->findings[i];

		if (strncmp(s->id, id, n) != 0)
			continue;
		if (f->finding)
			return problem(p, "%s: several findings begin so; write more digits", id);
		f->finding = s;
	}
	return f->finding || problem(p, "%s: the recording has no such finding", id);
}

/* ---- its statements ---- */

static void
add_repeat(struct fix *f, struct text_at at)
{
	if (f->nrepeats == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 64;
		f->repeats = xmem_resize(f->repeats, f->cap * sizeof *f->repeats);
	}
	f->repeats[f->nrepeats++] = at;
}

static void
take_request(void *ctx, const struct request *r)
{
	struct fix *f = ctx;
	const struct raw_finding *w = &f->finding->worst;

	if (r->number != f->finding->request_number || f->nrepeats)
		return;
	for (uint32_t i = 0; i < r->nstmts; i++) {
		const struct req_stmt *s = &r->stmts[i];
		struct text_at at = { r->lanes[s->lane].session, s->seq };

		if (s->shape == w->source && !f->source.seq)
			f->source = at;
		if (s->shape != w->repeat)
			continue;
		if (!f->nrepeats) {
			f->upstream = r->lanes[s->lane].upstream;
			f->database = arena_strndup(f->arena, span_str(r->lanes[s->lane].database));
		}
		add_repeat(f, at);
	}
}

/* A value that is not known ends the list: the statement then lacks it. */
static struct fix_exec
exec_of(struct fix *f, const struct stmt_values *v)
{
	struct fix_exec e = { .lang = v->lang, .text = v->text };
	struct fix_value *values = arena_zero(f->arena, (v->n + 1) * sizeof *values);
	struct span in = v->values;

	e.params = values;
	for (uint32_t i = 0; i < v->n; i++) {
		int32_t n;

		memcpy(&n, in.p, sizeof n);
		memcpy(&values[i].type, in.p + sizeof n, sizeof values[i].type);
		in = span_from(in, sizeof n + sizeof values[i].type);
		if (n < -1 || (n > 0 && memchr(in.p, '\0', (size_t)n)))
			break;
		values[i].text = n >= 0 ? arena_strndup(f->arena, span_first(in, (size_t)n)) : NULL;
		in = span_from(in, n > 0 ? (size_t)n : 0);
		e.nparams++;
	}
	return e;
}

static uint32_t
read_execs(struct fix *f, struct fix_exec *execs)
{
	struct stmt_values v;
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->nrepeats; i++)
		if (f->repeats[i].seq && recording_values(f->rec, f->repeats[i].session, f->repeats[i].seq, &v, f->arena))
			execs[n++] = exec_of(f, &v);
	return n;
}

/* ---- where it is run ---- */

/* "postgresql 15.20 at 127.0.0.1:5432", and what the upstream was called. */
static bool
is_recorded(const struct fix *f, const struct upstream_config *up)
{
	struct run_info run = recording_run(f->rec);
	const char *at = f->upstream < run.nupstreams ? strstr(run.upstreams[f->upstream], " at ") : NULL;

	return (at && strcmp(at + 4, up->display) == 0) || (f->upstream < run.nupstreams && strcmp(recording_upstreams(f->rec)[f->upstream], up->display) == 0);
}

static void
aim(struct fix *f, const struct listen_config *l, const char *database, struct side_target *t)
{
	const struct upstream_config *up = &l->catalog_server;
	uint64_t patience = (uint64_t)settings_get(f->settings, OPT_STATEMENT_TIMEOUT).value;

	*t = (struct side_target){ .engine = up->engine, .host = up->host, .is_unix = up->is_unix, .port = up->port, .user = up->user,
		.password = up->password, .database = database, .tls = up->is_unix ? WIRE_TLS_DISABLE : l->catalog_tls, .ca = l->catalog_ca,
		.timeout = patience + CONNECT_MORE_S * UINT64_C(1000000000) };
}

static bool
listen_of(struct fix *f, const struct db_url *u, struct listen_config *l, struct problem *p)
{
	*l = (struct listen_config){ .name = "", .catalog_ca = "" };
	if (!config_upstream(f->arena, u, l, p))
		return false;
	l->catalog_server = l->upstream;
	l->catalog_tls = l->setup.server_tls;
	l->catalog_ca = l->server_ca;
	return true;
}

/* --database, else credentials the configuration or the environment has for the server of the recording. */
static bool
choose_target(struct fix *f, struct side_target *t, const char **server, struct problem *p)
{
	enum engine_kind engine = f->finding->worst.repeat->dialect == SQL_MYSQL ? ENGINE_MYSQL : ENGINE_POSTGRESQL;
	struct setting said = settings_get(f->settings, OPT_DATABASE);
	struct listen_config *l = arena_zero(f->arena, sizeof *l);
	struct db_url u;

	if (said.text) {
		if (url_parse(f->arena, said.text, &u, p) != URL_OK)
			return problem(p, "--database: write postgresql://USER:PASSWORD@HOST:PORT/NAME, or mysql://");
		if (u.engine != engine)
			return problem(p, "--database: the finding is of %s", engine_name(engine));
		if (!listen_of(f, &u, l, p))
			return false;
		*server = l->upstream.display;
		aim(f, l, *u.database ? u.database : f->database, t);
		return true;
	}
	for (uint32_t i = 0; i < f->cfg.nlistens; i++) {
		const struct listen_config *c = &f->cfg.listens[i];

		if (c->catalog && c->upstream.engine == engine && is_recorded(f, &c->upstream)) {
			*server = c->upstream.display;
			aim(f, c, f->database, t);
			return true;
		}
	}
	for (uint32_t i = 0; i < f->environment.nupstreams; i++) {
		if (f->environment.upstreams[i].engine != engine || !listen_of(f, &f->environment.upstreams[i], l, p) || !is_recorded(f, &l->upstream))
			continue;
		*server = l->upstream.display;
		aim(f, l, *f->database ? f->database : l->upstream.database, t);
		return true;
	}
	p->text[0] = '\0';
	return false;
}

/* ---- all of it ---- */

static void
run_and_compare(struct fix *f, struct fix_result *r, struct verify_job *job)
{
	const struct raw_finding *w = &f->finding->worst;

	job->timeout = (uint64_t)settings_get(f->settings, OPT_STATEMENT_TIMEOUT).value;
	job->batch = f->finding->rule == RULE_N_PLUS_ONE;
	rewrite_plan(&r->rewrite, job->execs, job->nexecs, f->arena);
	if (!job->batch && f->finding->rule == RULE_DUPLICATE)
		r->rewrite.why = "it asks for the same each time: keep the first answer instead of asking again";
	else if (!job->batch)
		r->rewrite.why = "there is nothing to batch; its plan is below";
	r->why = r->rewrite.why;
	if (w->repeat->cls == SQL_READ)
		verify(job, r, f->arena);
	else
		r->why = "it writes";
}

/* False: wrong usage, told in p. */
static bool
fill_result(struct fix *f, struct fix_result *r, struct problem *p)
{
	struct request_sink sink = { .ctx = f, .request = take_request };
	struct verify_job job = { .timeout = 0 };
	struct fix_exec *execs;
	struct stmt_values v;

	*r = (struct fix_result){ .state = FIX_NOT_VERIFIABLE, .database = "", .server = "" };
	if (!recording_replay(f->rec, f->shapes, NULL, sink, p->text, sizeof p->text))
		return false;
	r->executions = f->nrepeats;
	execs = arena_zero(f->arena, (f->nrepeats + 1) * sizeof *execs);
	job.execs = execs;
	job.nexecs = read_execs(f, execs);
	if (!job.nexecs) {
		r->why = recording_has_values(f->rec) ? "the values of its statements were not recorded (too large, or too many)" :
							"the recording holds no values; record again with --record-values";
		return true;
	}
	if (!choose_target(f, &job.target, &r->server, p)) {
		r->why = "there are no credentials for the database it ran on: set DATABASE_URL as in the run, or give --database URL";
		return p->text[0] == '\0';
	}
	r->database = *job.target.database ? job.target.database : "the default database";
	if (f->source.seq && f->finding->worst.source->cls == SQL_READ && recording_values(f->rec, f->source.session, f->source.seq, &v, f->arena)) {
		struct fix_exec *source = arena_zero(f->arena, sizeof *source);

		*source = exec_of(f, &v);
		job.source = source;
	}
	run_and_compare(f, r, &job);
	return true;
}

static int
say(struct fix *f, const struct fix_result *r)
{
	struct strbuf out;
	bool ok;

	strbuf_init(&out, LIMIT_REPORT_BYTES);
	if (settings_true(f->settings, OPT_JSON))
		fix_write_json(&out, f->snap, f->finding, r);
	else
		fix_write_text(&out, f->snap, f->finding, r);
	if (settings_true(f->settings, OPT_SHOW_VALUES) && r->rewrite.sql && !settings_true(f->settings, OPT_JSON)) {
		strbuf_printf(&out, "%-9s %s\n", "values", r->rewrite.sql);
		for (uint32_t i = 0; i < r->rewrite.nparams; i++)
			strbuf_printf(&out, "%9s $%u = %s\n", "", i + 1, r->rewrite.params[i].text ? r->rewrite.params[i].text : "NULL");
	}
	ok = fwrite(strbuf_cstr(&out), 1, out.n, stdout) == out.n && fflush(stdout) == 0;
	strbuf_clear(&out);
	if (!ok) {
		fprintf(stderr, "rowcall: error: standard output: %s\n", strerror(errno));
		return STATUS_UNUSABLE;
	}
	return r->state == FIX_VERIFIED ? STATUS_OK : r->state == FIX_DIFFERS ? STATUS_GATE : STATUS_UNUSABLE;
}

static int
fix_finding(struct fix *f, const char *id)
{
	struct problem p = { "" };
	struct fix_result r;

	if (!judge(f, &p))
		return cmd_unusable(&p);
	if (!id || !find(f, id, &p)) {
		if (!id)
			problem(&p, f->snap->nfindings ? "name the FINDING; these are in the recording" : "the recording has no findings");
		cmd_wrong("fix", &p);
		list_findings(f);
		return STATUS_USAGE;
	}
	if (!f->finding->worst.repeat) {
		problem(&p, "%s is about a whole request, not about a statement", f->finding->id);
		return cmd_wrong("fix", &p);
	}
	if (!fill_result(f, &r, &p))
		return cmd_wrong("fix", &p);
	return say(f, &r);
}

static int
fix(const struct settings *s, struct arena *a, int argc, char **argv)
{
	struct fix f = { .settings = s, .arena = a, .database = "" };
	struct problem p = { "" };
	char last[4096];
	int status;

	if (argc > 2) {
		problem(&p, "one FINDING and one RECORDING only");
		return cmd_wrong("fix", &p);
	}
	if (!config_build(s, a, NULL, 0, &f.cfg, &p))
		return cmd_wrong("fix", &p);
	if (argc < 2 && !keep_last(last, sizeof last)) {
		problem(&p, "there is no last run; name a RECORDING, or make one with rowcall run --record-values -- COMMAND");
		config_clear(&f.cfg);
		return cmd_wrong("fix", &p);
	}
	sql_hash_key_init();
	env_init(&f.env, a, environ);
	env_find(&f.environment, a, &f.env, env_exists);
	f.rec = recording_open(argc == 2 ? argv[1] : last, p.text, sizeof p.text);
	f.shapes = shapes_new();
	status = f.rec && f.shapes ? fix_finding(&f, argc ? argv[0] : NULL) : cmd_unusable(&p);
	snapshot_free(f.snap);
	shapes_free(f.shapes);
	recording_close(f.rec);
	mem_free(f.repeats);
	env_clear(&f.env);
	config_clear(&f.cfg);
	return status;
}

int
cmd_fix(int argc, char **argv)
{
	return cmd_with_settings("fix", argc, argv, fix);
}
