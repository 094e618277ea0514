/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_merge: rowcall merge: several recordings made one. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd.h"
#include "fingerprint/limits.h"
#include "outputs.h"
#include "reports/store/recording.h"
#include "reports/store/store.h"

struct merge {
	struct recording **in;
	int n;
	struct shapes *shapes;
	struct store *store;
	struct collector *collector;
	const char **upstreams, **servers;
	uint32_t nupstreams;
	struct run_info run;
};

static void
take_request(void *ctx, const struct request *r)
{
	struct merge *m = ctx;

	collector_request(m->collector, r);
	store_request(m->store, r);
}

static void
take_stray(void *ctx, const struct req_stmt *s)
{
	struct merge *m = ctx;

	collector_stray(m->collector, s);
	store_stray(m->store, s);
}

static void
take_values(void *ctx, const struct stmt_values *v)
{
	store_values(((struct merge *)ctx)->store, v);
}

/* Upstreams of one name are one. */
static uint16_t
upstream_of(struct merge *m, const char *name, const char *server)
{
	uint32_t i = 0;

	while (i < m->nupstreams && strcmp(m->upstreams[i], name) != 0)
		i++;
	if (i == LIMIT_UPSTREAMS)
		return 0;
	if (i == m->nupstreams) {
		m->upstreams[i] = name;
		m->servers[i] = server;
		m->nupstreams++;
	}
	return (uint16_t)i;
}

static void
map_upstreams(struct merge *m, const struct recording *r, uint16_t *map)
{
	struct run_info run = recording_run(r);

	for (uint32_t k = 0; k < run.nupstreams; k++)
		map[k] = upstream_of(m, recording_upstreams(r)[k], run.upstreams[k]);
}

/* Shards ran beside each other: the run began with the first, lasted as long as the longest, and counts add up. */
static void
add_run(struct merge *m, const struct run_info *run)
{
	if (!m->run.started_us || run->started_us < m->run.started_us)
		m->run.started_us = run->started_us;
	if (run->duration > m->run.duration)
		m->run.duration = run->duration;
	m->run.incomplete = m->run.incomplete || run->incomplete;
	m->run.command = m->run.command ? m->run.command : run->command;
	coverage_add(&m->run.coverage, &run->coverage);
}

static bool
replay_all(struct merge *m, struct problem *p)
{
	struct replay_shift shift = { 0 };
	struct request_sink sink = { .ctx = m, .request = take_request, .stray = take_stray, .values = take_values };

	for (int i = 0; i < m->n; i++) {
		uint16_t map[LIMIT_UPSTREAMS] = { 0 };

		map_upstreams(m, m->in[i], map);
		shift.upstream_map = map;
		if (!recording_replay(m->in[i], m->shapes, &shift, sink, p->text, sizeof p->text))
			return false;
		shift.add_number += recording_last_number(m->in[i]);
		shift.add_session += recording_last_session(m->in[i]);
	}
	return true;
}

static bool
same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* A pattern of the shell easily names a file twice, or the one to make. */
static bool
check_paths(char **paths, int n, const char *out, struct problem *p)
{
	for (int i = 0; i < n; i++) {
		if (same_file(paths[i], out))
			return problem(p, "%s: cannot be merged into itself", out);
		for (int k = 0; k < i; k++)
			if (same_file(paths[i], paths[k]))
				return problem(p, "%s: named twice", paths[i]);
	}
	return true;
}

static bool
open_all(struct merge *m, char **paths, const char *out, struct problem *p)
{
	bool values = false;

	for (int i = 0; i < m->n; i++) {
		uint16_t ignored[LIMIT_UPSTREAMS];
		struct run_info run;

		m->in[i] = recording_open(paths[i], p->text, sizeof p->text);
		if (!m->in[i])
			return false;
		run = recording_run(m->in[i]);
		values |= recording_has_values(m->in[i]);
		add_run(m, &run);
		map_upstreams(m, m->in[i], ignored);
	}
	m->store = store_open(out, m->run.command, m->run.started_us, m->upstreams, m->nupstreams, values, p->text, sizeof p->text);
	if (m->store)
		store_patient(m->store);
	return m->store != NULL;
}

static bool
merge_all(struct merge *m, struct problem *p)
{
	struct collector_config cc = { .rules = rule_settings_default(), .rtt = 1000000, .upstreams = m->upstreams, .nupstreams = m->nupstreams,
		.gate = { .max_queries = NO_LIMIT, .max_total_queries = NO_LIMIT, .inferred = true, .allow_empty = true, .config_file = "",
		    .today = "" } };
	struct snapshot *snap;
	bool ok;

	m->shapes = shapes_new();
	m->collector = collector_new(&cc);
	ok = m->shapes && m->collector && replay_all(m, p);
	if (!ok)
		return false;
	m->run.version = ROWCALL_VERSION;
	m->run.upstreams = m->servers;
	m->run.nupstreams = m->nupstreams;
	snap = collector_snapshot(m->collector, &m->run);
	ok = store_finish(m->store, snap, p->text, sizeof p->text);
	m->store = NULL;
	if (ok)
		printf("merged %d recording%s: %llu requests, %llu queries%s\n", m->n, m->n == 1 ? "" : "s",
		    (unsigned long long)m->run.coverage.requests, (unsigned long long)snap->queries,
		    m->run.incomplete ? "; incomplete, as one of them is" : "");
	snapshot_free(snap);
	return ok;
}

static int
merge(const struct settings *s, struct arena *a, int argc, char **argv)
{
	const char *out = settings_get(s, OPT_RECORD).text;
	struct merge m = { .n = argc };
	struct problem p = { "" };
	int status = STATUS_OK;

	if (!out || argc == 0) {
		problem(&p, !out ? "name the file to make: --record FILE" : "name the recordings to merge");
		return cmd_wrong("merge", &p);
	}
	if (!check_paths(argv, argc, out, &p))
		return cmd_wrong("merge", &p);
	m.in = arena_zero(a, (size_t)argc * sizeof *m.in);
	m.upstreams = arena_zero(a, LIMIT_UPSTREAMS * sizeof *m.upstreams);
	m.servers = arena_zero(a, LIMIT_UPSTREAMS * sizeof *m.servers);
	m.run.coverage.opaque_reason = "";
	if (!open_all(&m, argv, out, &p) || !merge_all(&m, &p))
		status = cmd_unusable(&p);
	store_abandon(m.store);
	collector_free(m.collector);
	shapes_free(m.shapes);
	for (int i = 0; i < argc; i++)
		recording_close(m.in[i]);
	return status;
}

int
cmd_merge(int argc, char **argv)
{
	return cmd_with_settings("merge", argc, argv, merge);
}
