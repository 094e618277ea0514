/* SPDX-License-Identifier: Apache-2.0 */
/* recording: see recording.h and FORMAT.md. */
#include "recording.h"

#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "packed.h"
#include "store.h"

struct recording {
	sqlite3 *db;
	const char *path;
	struct arena arena;		/* names, upstreams, the run */
	struct run_info run;
	const struct shape **shapes;	/* by row id; NULL until replayed */
	uint64_t nshapes;
	uint64_t last_number;
	uint32_t last_session;
};

static bool
say(char *err, size_t err_n, const struct recording *r, const char *what)
{
	snprintf(err, err_n, "%s: %s", r->path, what);
	return false;
}

static bool
pragma(struct recording *r, const char *sql, int64_t *value)
{
	sqlite3_stmt *st = NULL;
	bool ok = sqlite3_prepare_v2(r->db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW;

	*value = ok ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_finalize(st);
	return ok;
}

static bool
check_versions(struct recording *r, char *err, size_t err_n)
{
	int64_t id, version;
	char words[200];

	if (!pragma(r, "PRAGMA application_id", &id) || !pragma(r, "PRAGMA user_version", &version))
		return say(err, err_n, r, "is not a recording (not an SQLite file, or damaged)");
	if (id != RECORDING_APPLICATION_ID)
		return say(err, err_n, r, "is an SQLite file but not a recording of rowcall");
	if (version > RECORDING_SCHEMA) {
		snprintf(words, sizeof words, "was written by a newer rowcall (recording schema %lld, this one reads up to %d); read it with that one",
		    (long long)version, RECORDING_SCHEMA);
		return say(err, err_n, r, words);
	}
	if (version < 1)
		return say(err, err_n, r, "has no recording schema version: it is damaged");
	return true;
}

static const char *
meta(struct recording *r, const char *key)
{
	sqlite3_stmt *st = NULL;
	const char *value = NULL;

	if (sqlite3_prepare_v2(r->db, "SELECT value FROM meta WHERE key = ?", -1, &st, NULL) == SQLITE_OK) {
		sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
		if (sqlite3_step(st) == SQLITE_ROW)
			value = arena_strndup(&r->arena, span_str((const char *)sqlite3_column_text(st, 0)));
	}
	sqlite3_finalize(st);
	return value;
}

static uint64_t
meta_number(struct recording *r, const char *key)
{
	const char *value = meta(r, key);

	return value ? strtoull(value, NULL, 10) : 0;
}

static void
read_upstreams(struct recording *r)
{
	const char **names = arena_zero(&r->arena, LIMIT_UPSTREAMS * sizeof *names);
	sqlite3_stmt *st = NULL;

	r->run.upstreams = names;
	if (sqlite3_prepare_v2(r->db, "SELECT name FROM upstreams ORDER BY id", -1, &st, NULL) == SQLITE_OK)
		while (r->run.nupstreams < LIMIT_UPSTREAMS && sqlite3_step(st) == SQLITE_ROW)
			names[r->run.nupstreams++] = arena_strndup(&r->arena, span_str((const char *)sqlite3_column_text(st, 0)));
	sqlite3_finalize(st);
}

/* A run that never finished has no coverage: what the rows themselves tell is used instead. */
static void
count_unfinished(struct recording *r)
{
	struct coverage *c = &r->run.coverage;
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(r->db, "SELECT count(*), coalesce(sum(statements), 0), coalesce(sum(queries), 0), coalesce(sum(CASE WHEN scope_from IN "
				      "('tag', 'mark', 'session') THEN queries ELSE 0 END), 0), coalesce(max(start_us + duration_us), 0) FROM requests",
		-1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW) {
		c->requests = (uint64_t)sqlite3_column_int64(st, 0);
		c->statements = (uint64_t)sqlite3_column_int64(st, 1);
		c->queries = (uint64_t)sqlite3_column_int64(st, 2);
		c->tagged = (uint64_t)sqlite3_column_int64(st, 3);
		int64_t last = sqlite3_column_int64(st, 4);

		if (last > r->run.started_us)
			r->run.duration = (uint64_t)(last - r->run.started_us) * 1000;
	}
	sqlite3_finalize(st);
}

static void
read_run(struct recording *r)
{
	struct run_info *run = &r->run;
	struct coverage *c = &run->coverage;
	const char *complete = meta(r, "complete"), *version = meta(r, "version"), *command = meta(r, "command");
	const char *reason = meta(r, "coverage.opaque_reason");

	run->version = version ? version : "";
	run->command = command ? command : "";
	run->started_us = (int64_t)meta_number(r, "started_us");
	run->duration = meta_number(r, "duration_ns");
	run->incomplete = !complete || complete[0] != '1';
	c->sessions = meta_number(r, "coverage.sessions");
	c->statements = meta_number(r, "coverage.statements");
	c->queries = meta_number(r, "coverage.queries");
	c->control = meta_number(r, "coverage.control");
	c->setup = meta_number(r, "coverage.setup");
	c->tagged = meta_number(r, "coverage.tagged");
	c->opaque_expected = meta_number(r, "coverage.opaque_expected");
	c->opaque_unexpected = meta_number(r, "coverage.opaque_unexpected");
	c->lost = meta_number(r, "coverage.lost");
	c->evidence_shed = meta_number(r, "coverage.evidence_shed");
	c->requests = meta_number(r, "coverage.requests");
	c->evicted_requests = meta_number(r, "coverage.evicted_requests");
	c->notices = meta_number(r, "coverage.notices");
	c->opaque_reason = reason ? reason : "";
	if (run->incomplete && run->duration == 0)
		count_unfinished(r);
	read_upstreams(r);
}

struct recording *
recording_open(const char *path, char *err, size_t err_n)
{
	struct recording *r = xmem_zero(sizeof *r);
	FILE *there = fopen(path, "rb");

	r->path = arena_strndup(&r->arena, span_str(path));
	if (!there) {
		snprintf(err, err_n, "%s: cannot be opened: %m", path);
		recording_close(r);
		return NULL;
	}
	fclose(there);
	/* Read-write where we may, so that the log of a run that crashed is taken in; else read what is there. */
	if (sqlite3_open_v2(path, &r->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		sqlite3_close(r->db);
		r->db = NULL;
		if (sqlite3_open_v2(path, &r->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
			say(err, err_n, r, sqlite3_errmsg(r->db));
			recording_close(r);
			return NULL;
		}
	}
	if (!check_versions(r, err, err_n)) {
		recording_close(r);
		return NULL;
	}
	read_run(r);
	return r;
}

void
recording_close(struct recording *r)
{
	if (!r)
		return;
	sqlite3_close(r->db);
	arena_clear(&r->arena);
	mem_free(r->shapes);
	mem_free(r);
}

struct run_info
recording_run(const struct recording *r)
{
	return r->run;
}

uint64_t
recording_last_number(const struct recording *r)
{
	return r->last_number;
}

uint32_t
recording_last_session(const struct recording *r)
{
	return r->last_session;
}

/* ---- shapes ---- */

static size_t
read_tables(const char *text, struct sql_table *tables, json_t **owner)
{
	json_t *list = json_loads(text, 0, NULL), *row;
	size_t i, n = 0;

	json_array_foreach(list, i, row) {
		const char *name = json_string_value(json_object_get(row, "name"));

		if (name && n < LIMIT_TABLES)
			tables[n++] = (struct sql_table){ .name = span_str(name), .write = json_is_true(json_object_get(row, "write")) };
	}
	*owner = list;
	return n;
}

static const struct shape *
intern_row(sqlite3_stmt *st, struct shapes *shapes)
{
	const char *hex = (const char *)sqlite3_column_text(st, 1), *text = (const char *)sqlite3_column_text(st, 2);
	const char *json = (const char *)sqlite3_column_text(st, 6);
	struct sql_table tables[LIMIT_TABLES];
	json_t *owner = NULL;
	struct sql_stmt stmt = { .fingerprint = strtoull(hex ? hex : "0", NULL, 16), .shape = span_str(text ? text : ""), .tables = tables };
	struct sql_lang lang = { (uint8_t)sqlite3_column_int(st, 5), 0 };
	const struct shape *shape;

	stmt.text = stmt.shape;
	stmt.cls = (uint8_t)sqlite3_column_int(st, 3);
	stmt.verb = (uint8_t)sqlite3_column_int(st, 4);
	stmt.ntables = read_tables(json ? json : "[]", tables, &owner);
	stmt.tables_unknown = sqlite3_column_int(st, 7);
	stmt.cut = sqlite3_column_int(st, 8);
	shape = shapes_intern(shapes, lang, &stmt);
	json_decref(owner);
	return shape;
}

static bool
read_shapes(struct recording *r, struct shapes *shapes)
{
	sqlite3_stmt *st = NULL;
	int64_t last = 0;
	bool ok = pragma(r, "SELECT coalesce(max(id), 0) FROM shapes", &last) && last >= 0 && last <= LIMIT_SHAPES * 2;

	if (!ok)
		return false;
	mem_free(r->shapes);
	r->nshapes = (uint64_t)last + 1;
	r->shapes = xmem_zero(r->nshapes * sizeof *r->shapes);
	ok = sqlite3_prepare_v2(r->db, "SELECT id, fingerprint, shape, class_number, verb_number, dialect, tables, tables_unknown, cut FROM shapes", -1,
		 &st, NULL) == SQLITE_OK;
	while (ok && sqlite3_step(st) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(st, 0);

		if (id >= 1 && (uint64_t)id < r->nshapes)
			r->shapes[id] = intern_row(st, shapes);
	}
	sqlite3_finalize(st);
	return ok;
}

static const struct shape *
shape_in(void *ctx, uint64_t number)
{
	struct recording *r = ctx;

	return number < r->nshapes ? r->shapes[number] : NULL;
}

/* ---- requests ---- */

static void
shift_request(struct recording *r, struct request *q, const struct replay_shift *shift)
{
	struct req_lane *lanes = (struct req_lane *)(uintptr_t)q->lanes;	/* unpacked just now: ours to change */

	if (q->number > r->last_number)
		r->last_number = q->number;
	for (uint32_t i = 0; i < q->nlanes; i++) {
		if (lanes[i].session > r->last_session)
			r->last_session = lanes[i].session;
		if (lanes[i].upstream >= r->run.nupstreams)
			lanes[i].upstream = 0;
		if (!shift)
			continue;
		lanes[i].session += shift->add_session;
		if (shift->upstream_map)
			lanes[i].upstream = shift->upstream_map[lanes[i].upstream];
	}
	if (shift)
		q->number += shift->add_number;
}

static const char *
column(sqlite3_stmt *st, int i, struct arena *a)
{
	return arena_strndup(a, span_of(sqlite3_column_text(st, i), (size_t)sqlite3_column_bytes(st, i)));
}

static bool
replay_requests(struct recording *r, const struct replay_shift *shift, struct request_sink sink)
{
	struct arena arena = { 0 };
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(r->db, "SELECT number, scope, test, key, application, data FROM requests ORDER BY number", -1, &st, NULL);
	bool ok = rc == SQLITE_OK;

	while (ok && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct request q;
		struct span data = span_of(sqlite3_column_blob(st, 5), (size_t)sqlite3_column_bytes(st, 5));

		ok = unpacked_request(data, &q, &arena, shape_in, r);
		if (!ok)
			break;
		q.number = (uint64_t)sqlite3_column_int64(st, 0);
		q.scope = column(st, 1, &arena);
		q.test = column(st, 2, &arena);
		q.key = column(st, 3, &arena);
		q.application = column(st, 4, &arena);
		shift_request(r, &q, shift);
		sink.request(sink.ctx, &q);
		arena_reset(&arena);
	}
	sqlite3_finalize(st);
	arena_clear(&arena);
	return ok && rc == SQLITE_DONE;
}

static bool
replay_strays(struct recording *r, struct request_sink sink)
{
	struct arena arena = { 0 };
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(r->db, "SELECT data FROM strays ORDER BY id", -1, &st, NULL);
	bool ok = rc == SQLITE_OK;

	while (ok && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct req_stmt *s;
		uint32_t n = 0;

		ok = unpacked_strays(span_of(sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0)), &s, &n, &arena, shape_in, r);
		for (uint32_t i = 0; ok && sink.stray && i < n; i++)
			sink.stray(sink.ctx, &s[i]);
		arena_reset(&arena);
	}
	sqlite3_finalize(st);
	arena_clear(&arena);
	return ok && rc == SQLITE_DONE;
}

bool
recording_replay(struct recording *r, struct shapes *shapes, const struct replay_shift *shift, struct request_sink sink, char *err, size_t err_n)
{
	if (read_shapes(r, shapes) && replay_requests(r, shift, sink) && replay_strays(r, sink))
		return true;
	return say(err, err_n, r, "is damaged: not everything in it could be read");
}
