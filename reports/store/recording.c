/* SPDX-License-Identifier: Apache-2.0 */
/* recording: see recording.h and FORMAT.md. */
#include "recording.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "packed.h"
#include "packing.h"
#include "store.h"

enum { BUSY_MS = 5000 };	/* how long the run that writes it may keep it locked */

struct recording {
	sqlite3 *db;
	const char *path;
	struct arena arena;		/* names, upstreams, the run */
	struct run_info run;
	const char *const *upstreams;
	const struct shape **shapes;	/* by row id; NULL until replayed */
	uint64_t nshapes;
	uint64_t last_number;
	uint32_t last_session;
	bool values;
};

static bool __attribute__((format(printf, 4, 5)))
say(char *err, size_t err_n, const struct recording *r, const char *fmt, ...)
{
	char words[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof words, fmt, ap);
	va_end(ap);
	snprintf(err, err_n, "%s: %s", r->path, words);
	return false;
}

/* ---- columns; nothing in them is believed to have the type it should have ---- */

static struct span
column_span(sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_blob(st, i);

	return span_of(p, p ? (size_t)sqlite3_column_bytes(st, i) : 0);
}

static const char *
column_text(sqlite3_stmt *st, int i, struct arena *a)
{
	return arena_strndup(a, column_span(st, i));
}

/* ---- opening ---- */

static bool
pragma(struct recording *r, const char *sql, int64_t *value)
{
	sqlite3_stmt *st = NULL;
	bool ok = sqlite3_prepare_v2(r->db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW;

	*value = ok ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_finalize(st);
	return ok;
}

static const char *
meta(struct recording *r, const char *key)
{
	sqlite3_stmt *st = NULL;
	const char *value = NULL;

	if (sqlite3_prepare_v2(r->db, "SELECT value FROM meta WHERE key = ?", -1, &st, NULL) == SQLITE_OK) {
		sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
		if (sqlite3_step(st) == SQLITE_ROW)
			value = column_text(st, 0, &r->arena);
	}
	sqlite3_finalize(st);
	return value ? value : "";
}

static uint64_t
meta_number(struct recording *r, const char *key)
{
	return strtoull(meta(r, key), NULL, 10);
}

static bool
check_versions(struct recording *r, const struct stat *st, char *err, size_t err_n)
{
	int64_t id, schema, page;
	uint64_t fingerprints;

	if (!pragma(r, "PRAGMA application_id", &id) || !pragma(r, "PRAGMA user_version", &schema))
		return say(err, err_n, r, "cannot be read as a recording: %s", sqlite3_errmsg(r->db));
	if (id != RECORDING_APPLICATION_ID)
		return say(err, err_n, r, "is not a recording of rowcall");
	if (schema > RECORDING_SCHEMA)
		return say(err, err_n, r, "was written by a newer rowcall (recording schema %lld, this one reads up to %d): read it with that one",
		    (long long)schema, RECORDING_SCHEMA);
	/* SQLite looks no closer than this into a table until that is read. */
	if (!pragma(r, "PRAGMA page_size", &page) || page <= 0 || st->st_size % page)
		return say(err, err_n, r, "is damaged: it is cut short");
	if (schema < 1)
		return say(err, err_n, r, "is damaged: it has no recording schema version");
	fingerprints = meta_number(r, "fingerprint_version");
	if (fingerprints == 0)
		return say(err, err_n, r, "is damaged: it does not say what made it");
	if (fingerprints != SQL_FINGERPRINT_VERSION)
		return say(err, err_n, r, "was made by rowcall %s with fingerprints of version %llu, this one makes version %d: read it with that one, or record again",
		    meta(r, "version"), (unsigned long long)fingerprints, SQL_FINGERPRINT_VERSION);
	return true;
}

/* A server's name is known at the end of the run; before that the upstream's stands for it. */
static void
read_upstreams(struct recording *r)
{
	const char **names = arena_zero(&r->arena, LIMIT_UPSTREAMS * sizeof *names), **servers = arena_zero(&r->arena, LIMIT_UPSTREAMS * sizeof *servers);
	sqlite3_stmt *st = NULL;
	uint32_t n = 0;

	if (sqlite3_prepare_v2(r->db, "SELECT name, server FROM upstreams ORDER BY id", -1, &st, NULL) == SQLITE_OK)
		while (n < LIMIT_UPSTREAMS && sqlite3_step(st) == SQLITE_ROW) {
			names[n] = column_text(st, 0, &r->arena);
			servers[n] = column_text(st, 1, &r->arena);
			if (!*servers[n])
				servers[n] = names[n];
			n++;
		}
	sqlite3_finalize(st);
	r->upstreams = names;
	r->run.upstreams = servers;
	r->run.nupstreams = n;
}

/* A run that never finished has no coverage: what the rows themselves tell is used instead. */
static void
count_unfinished(struct recording *r)
{
	static const char sql[] = "SELECT count(*), total(statements), total(queries),"
				  " total(CASE WHEN scope_from IN ('tag', 'mark', 'session') THEN queries ELSE 0 END), max(start_us + duration_us) FROM requests";
	struct coverage *c = &r->run.coverage;
	sqlite3_stmt *st = NULL;
	int64_t last;

	if (sqlite3_prepare_v2(r->db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		c->requests = (uint64_t)sqlite3_column_int64(st, 0);
		c->statements = (uint64_t)sqlite3_column_int64(st, 1);
		c->queries = (uint64_t)sqlite3_column_int64(st, 2);
		c->tagged = (uint64_t)sqlite3_column_int64(st, 3);
		last = sqlite3_column_int64(st, 4);
		if (last > r->run.started_us && r->run.started_us > 0)
			r->run.duration = (uint64_t)(last - r->run.started_us) * 1000;
	}
	sqlite3_finalize(st);
}

static void
read_run(struct recording *r)
{
	struct run_info *run = &r->run;
	struct coverage *c = &run->coverage;

	run->version = meta(r, "version");
	run->command = meta(r, "command");
	run->started_us = (int64_t)meta_number(r, "started_us");
	run->duration = meta_number(r, "duration_ns");
	run->incomplete = strcmp(meta(r, "complete"), "1") != 0;
	r->values = strcmp(meta(r, "values"), "1") == 0;
	for (uint32_t i = 0; coverage_name(i); i++)
		*coverage_number(c, i) = meta_number(r, coverage_name(i));
	c->opaque_reason = meta(r, "coverage.opaque_reason");
	if (run->incomplete && run->duration == 0)
		count_unfinished(r);
	read_upstreams(r);
}

/* Read-write where we may, so that the log of a run that was killed is taken in. alone: without the file in shared memory that
 * a log needs otherwise, for which a full disk has no room. */
static bool
open_database(struct recording *r, bool alone)
{
	int64_t ignored;

	sqlite3_close(r->db);
	r->db = NULL;
	if (sqlite3_open_v2(r->path, &r->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return false;
	sqlite3_busy_timeout(r->db, BUSY_MS);
	/* The file may come from anywhere: nothing in its schema runs anything. */
	sqlite3_db_config(r->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(r->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return sqlite3_exec(r->db, alone ? "PRAGMA cell_size_check = ON; PRAGMA locking_mode = EXCLUSIVE" : "PRAGMA cell_size_check = ON", NULL, NULL,
		   NULL) == SQLITE_OK &&
	       pragma(r, "PRAGMA schema_version", &ignored);
}

/* What SQLite has no words for. */
static bool
check_file(const struct recording *r, struct stat *st, char *err, size_t err_n)
{
	if (stat(r->path, st) != 0)
		return say(err, err_n, r, "%s", strerror(errno));
	if (!S_ISREG(st->st_mode))
		return say(err, err_n, r, "is not a file");
	if (access(r->path, R_OK) != 0)
		return say(err, err_n, r, "%s", strerror(errno));
	if (st->st_size == 0)
		return say(err, err_n, r, "is empty");
	return true;
}

/* SQLite cannot read a log without a place to write its index to. */
static bool
cannot_open(const struct recording *r, char *err, size_t err_n)
{
	const char *why = r->db ? sqlite3_errmsg(r->db) : "out of memory";
	char log[4096];

	snprintf(log, sizeof log, "%s-wal", r->path);
	if (access(log, F_OK) == 0)
		return say(err, err_n, r, "cannot be read here: %s; copy it and %s to where you may write", why, log);
	return say(err, err_n, r, "cannot be read as a recording: %s", why);
}

struct recording *
recording_open(const char *path, char *err, size_t err_n)
{
	struct recording *r = xmem_zero(sizeof *r);
	struct stat st;
	bool ok;

	r->path = arena_strndup(&r->arena, span_str(path));
	ok = check_file(r, &st, err, err_n);
	if (ok && !open_database(r, false) && !open_database(r, true))
		ok = cannot_open(r, err, err_n);
	if (!ok || !check_versions(r, &st, err, err_n)) {
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

const char *const *
recording_upstreams(const struct recording *r)
{
	return r->upstreams;
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

static const struct shape *
intern_row(sqlite3_stmt *st, struct shapes *shapes, struct arena *a)
{
	struct sql_stmt stmt;
	struct sql_lang lang;

	if (!unpacked_shape(column_span(st, 3), &lang, &stmt, a))
		return NULL;
	stmt.fingerprint = strtoull(column_text(st, 1, a), NULL, 16);
	stmt.shape = stmt.text = column_span(st, 2);
	return stmt.fingerprint ? shapes_intern(shapes, lang, &stmt) : NULL;
}

struct replay {
	struct recording *r;
	struct shapes *shapes;
	const struct replay_shift *shift;
	struct request_sink sink;
	struct arena arena;	/* of one row */
};

/* False: a row could not be read, or take could not make sense of one. */
static bool
each_row(struct replay *p, const char *sql, bool (*take)(struct replay *p, sqlite3_stmt *row))
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(p->r->db, sql, -1, &st, NULL);
	bool ok = rc == SQLITE_OK;

	while (ok && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		ok = take(p, st);
		arena_reset(&p->arena);
	}
	sqlite3_finalize(st);
	return ok && rc == SQLITE_DONE;
}

static bool
take_shape(struct replay *p, sqlite3_stmt *row)
{
	int64_t id = sqlite3_column_int64(row, 0);

	if (id >= 1 && (uint64_t)id < p->r->nshapes)
		p->r->shapes[id] = intern_row(row, p->shapes, &p->arena);
	return true;
}

static bool
read_shapes(struct replay *p)
{
	struct recording *r = p->r;
	int64_t last = 0;

	/* One more than the limit stands for all others. */
	if (!pragma(r, "SELECT coalesce(max(id), 0) FROM shapes", &last) || last < 0 || last > LIMIT_SHAPES + 1)
		return false;
	mem_free(r->shapes);
	r->nshapes = (uint64_t)last + 1;
	r->shapes = xmem_zero(r->nshapes * sizeof *r->shapes);
	return each_row(p, "SELECT id, fingerprint, shape, data FROM shapes ORDER BY id", take_shape);
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

static bool
take_request(struct replay *p, sqlite3_stmt *row)
{
	struct request q;

	if (!unpacked_request(column_span(row, 5), &q, &p->arena, shape_in, p->r))
		return false;
	q.number = (uint64_t)sqlite3_column_int64(row, 0);
	q.scope = column_text(row, 1, &p->arena);
	q.test = column_text(row, 2, &p->arena);
	q.key = column_text(row, 3, &p->arena);
	q.application = column_text(row, 4, &p->arena);
	shift_request(p->r, &q, p->shift);
	p->sink.request(p->sink.ctx, &q);
	return true;
}

static bool
take_strays(struct replay *p, sqlite3_stmt *row)
{
	struct req_stmt *s;
	uint32_t n = 0;
	bool ok = unpacked_strays(column_span(row, 0), &s, &n, &p->arena, shape_in, p->r);

	for (uint32_t i = 0; ok && p->sink.stray && i < n; i++)
		p->sink.stray(p->sink.ctx, &s[i]);
	return ok;
}

/* ---- values ---- */

bool
recording_has_values(const struct recording *r)
{
	return r->values;
}

static bool
unpack_values(struct span bytes, struct stmt_values *v, struct arena *a)
{
	struct unpack in = unpack_of(bytes);
	char *out, *at;

	v->lang.dialect = (uint8_t)unpack_upto(&in, SQL_MYSQL);
	v->lang.modes = (uint8_t)unpack_upto(&in, UINT8_MAX);
	v->n = unpack_count(&in, LIMIT_WIRE_PARAMS, 2);
	/* A length and a type take eight bytes, of which at least two are packed. */
	out = at = arena_zero(a, bytes.n + v->n * 2 * sizeof(uint32_t));
	for (uint32_t i = 0; i < v->n && !in.bad; i++) {
		uint32_t type = (uint32_t)unpack_upto(&in, UINT32_MAX);
		int64_t n = unpack_signed(&in);
		int32_t length = n >= -2 && n <= INT32_MAX ? (int32_t)n : -2;
		struct span value = unpack_bytes(&in, n > 0 ? (uint64_t)n : 0);

		memcpy(at, &length, sizeof length);
		memcpy(at + sizeof length, &type, sizeof type);
		at += sizeof length + sizeof type;
		if (value.n)
			memcpy(at, value.p, value.n);
		at += value.n;
	}
	v->values = span_of(out, (size_t)(at - out));
	return !in.bad && in.p == in.end;
}

bool
recording_values(struct recording *r, uint32_t session, uint32_t seq, struct stmt_values *v, struct arena *a)
{
	sqlite3_stmt *st = NULL;
	bool found = false;

	*v = (struct stmt_values){ .session = session, .seq = seq };
	if (r->values && sqlite3_prepare_v2(r->db, "SELECT text, data FROM texts WHERE session = ? AND seq = ?", -1, &st, NULL) == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, session);
		sqlite3_bind_int64(st, 2, seq);
		if (sqlite3_step(st) == SQLITE_ROW) {
			struct span text = column_span(st, 0);

			v->text = span_of(arena_strndup(a, text), text.n);
			found = unpack_values(column_span(st, 1), v, a);
		}
	}
	sqlite3_finalize(st);
	return found;
}

/* Into the sink, as they were recorded. */
static bool
take_values(struct replay *p, sqlite3_stmt *row)
{
	struct stmt_values v = { .session = (uint32_t)sqlite3_column_int64(row, 0), .seq = (uint32_t)sqlite3_column_int64(row, 1),
		.text = column_span(row, 2) };

	if (!unpack_values(column_span(row, 3), &v, &p->arena))
		return false;
	if (p->shift)
		v.session += p->shift->add_session;
	p->sink.values(p->sink.ctx, &v);
	return true;
}

bool
recording_replay(struct recording *r, struct shapes *shapes, const struct replay_shift *shift, struct request_sink sink, char *err, size_t err_n)
{
	struct replay p = { .r = r, .shapes = shapes, .shift = shift, .sink = sink };
	bool ok = read_shapes(&p);

	if (r->values && sink.values)
		ok = ok && each_row(&p, "SELECT session, seq, text, data FROM texts", take_values);
	ok = ok && each_row(&p, "SELECT number, scope, test, key, application, data FROM requests ORDER BY id", take_request) &&
	     each_row(&p, "SELECT data FROM strays ORDER BY id", take_strays);
	arena_clear(&p.arena);
	return ok || say(err, err_n, r, "is damaged: not everything in it could be read");
}
