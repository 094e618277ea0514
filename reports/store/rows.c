/* SPDX-License-Identifier: Apache-2.0 */
/* rows: see rows.h. */
#include "rows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fingerprint/limits.h"
#include "packed.h"
#include "reports/write/emit_keys.h"
#include "schema.h"

enum { BUSY_MS = 10000 };	/* how long somebody else may keep the file locked */

/* ---- SQLite ---- */

static bool
failed(struct rows *r)
{
	if (!r->why[0])
		snprintf(r->why, sizeof r->why, "%s", r->db ? sqlite3_errmsg(r->db) : "out of memory");
	return false;
}

bool
rows_run(struct rows *r, const char *sql)
{
	return sqlite3_exec(r->db, sql, NULL, NULL, NULL) == SQLITE_OK || failed(r);
}

static bool
prepare(struct rows *r, const char *sql, sqlite3_stmt **st)
{
	return sqlite3_prepare_v2(r->db, sql, -1, st, NULL) == SQLITE_OK || failed(r);
}

/* Executes with what is bound, and unbinds it. */
static bool
step(struct rows *r, sqlite3_stmt *st)
{
	bool ok = sqlite3_step(st) == SQLITE_DONE || failed(r);

	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return ok;
}

/* Texts and blobs are borrowed until the step. */
static void
bind_span(sqlite3_stmt *st, int i, struct span s)
{
	sqlite3_bind_text(st, i, s.n ? (const char *)s.p : "", (int)s.n, SQLITE_STATIC);
}

static void
bind_str(sqlite3_stmt *st, int i, const char *s)
{
	bind_span(st, i, span_str(s));
}

static void
bind_number(sqlite3_stmt *st, int i, uint64_t v)
{
	sqlite3_bind_int64(st, i, (int64_t)v);
}

static void
bind_data(sqlite3_stmt *st, int i, struct span s)
{
	sqlite3_bind_blob(st, i, s.n ? (const void *)s.p : "", (int)s.n, SQLITE_STATIC);
}

/* ---- rows of a run under way ---- */

bool
rows_request(struct rows *r, const struct request_row *row)
{
	sqlite3_stmt *st = r->put_request;

	bind_number(st, 1, row->number);
	bind_span(st, 2, row->scope);
	bind_span(st, 3, row->test);
	bind_span(st, 4, row->key);
	bind_span(st, 5, row->application);
	bind_str(st, 6, origin_name(row->scope_from));
	bind_str(st, 7, origin_name(row->borders_from));
	sqlite3_bind_int64(st, 8, row->start_us);
	bind_number(st, 9, row->duration_us);
	bind_number(st, 10, row->db_us);
	bind_number(st, 11, row->statements);
	bind_number(st, 12, row->queries);
	bind_data(st, 13, row->data);
	return step(r, st);
}

bool
rows_text(struct rows *r, const struct text_row *row)
{
	bind_number(r->put_text, 1, row->session);
	bind_number(r->put_text, 2, row->seq);
	bind_span(r->put_text, 3, row->text);
	bind_data(r->put_text, 4, row->data);
	return step(r, r->put_text);
}

bool
rows_strays(struct rows *r, struct span data)
{
	bind_data(r->put_strays, 1, data);
	return step(r, r->put_strays);
}

static void
tables_json(struct strbuf *out, const struct shape *shape)
{
	struct emit j;

	emit_init(&j, out, 0);
	emit_open(&j, '[');
	for (unsigned i = 0; i < shape->ntables; i++) {
		emit_open(&j, '{');
		key_str(&j, "name", shape->tables[i].name);
		key_bool(&j, "write", shape->tables[i].write);
		emit_close(&j, '}');
	}
	emit_close(&j, ']');
}

bool
rows_shape(struct rows *r, uint32_t id, const struct shape *shape)
{
	sqlite3_stmt *st = r->put_shape;
	struct strbuf tables, data;
	char hex[17];
	bool ok;

	strbuf_init(&tables, LIMIT_PACKED_SHAPE);
	strbuf_init(&data, LIMIT_PACKED_SHAPE);
	tables_json(&tables, shape);
	packed_shape(&data, shape);
	shape_hex(shape->fingerprint, hex);
	bind_number(st, 1, id);
	bind_str(st, 2, hex);
	bind_str(st, 3, shape->summary);
	bind_span(st, 4, span_of(shape->text, shape->text_n));
	bind_str(st, 5, sql_class_name((enum sql_class)shape->cls));
	bind_span(st, 6, strbuf_span(&tables));
	bind_data(st, 7, strbuf_span(&data));
	ok = step(r, st);
	strbuf_clear(&tables);
	strbuf_clear(&data);
	return ok;
}

/* ---- beginning ---- */

static bool
put_meta(struct rows *r, const char *key, const char *value)
{
	sqlite3_stmt *st = NULL;
	bool ok = prepare(r, "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)", &st);

	if (ok) {
		bind_str(st, 1, key);
		bind_str(st, 2, value);
		ok = step(r, st);
	}
	sqlite3_finalize(st);
	return ok;
}

static bool
put_number(struct rows *r, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)value);
	return put_meta(r, key, text);
}

static bool
put_upstreams(struct rows *r, const char *const *names, uint32_t n)
{
	sqlite3_stmt *st = NULL;
	bool ok = prepare(r, "INSERT INTO upstreams(id, name, server) VALUES(?, ?, '')", &st);

	for (uint32_t i = 0; i < n && ok; i++) {
		bind_number(st, 1, i);
		bind_str(st, 2, names[i]);
		ok = step(r, st);
	}
	sqlite3_finalize(st);
	return ok;
}

/* A new file that only its owner can read; SQLite gives the files beside it the same mode. */
static bool
make_private(struct rows *r, const char *path)
{
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
	bool ok = fd >= 0 && fchmod(fd, S_IRUSR | S_IWUSR) == 0;

	if (!ok)
		snprintf(r->why, sizeof r->why, "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

/* In one transaction and before WAL mode, so that even a run killed at once leaves a file that says what it is, or an empty one. From the
 * first look at a file in WAL mode on a lock tells others that it is in use (store_file_in_use). */
bool
rows_create(struct rows *r, const char *path, const struct recording_head *head)
{
	if (head->values && !make_private(r, path))
		return false;
	if (sqlite3_open_v2(path, &r->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return failed(r);
	sqlite3_busy_timeout(r->db, BUSY_MS);
	return rows_run(r, "PRAGMA synchronous = NORMAL; BEGIN") && rows_run(r, recording_schema_sql) && put_meta(r, "version", ROWCALL_VERSION) &&
	       put_number(r, "fingerprint_version", SQL_FINGERPRINT_VERSION) && put_meta(r, "command", head->command) &&
	       put_number(r, "started_us", head->started_us) && put_meta(r, "complete", "0") &&
	       put_meta(r, "values", head->values ? "1" : "0") &&
	       put_upstreams(r, head->upstreams, head->nupstreams) && rows_run(r, "COMMIT; PRAGMA journal_mode = WAL; SELECT count(*) FROM meta") &&
	       prepare(r, "INSERT INTO requests VALUES(NULL,?,?,?,?,?,?,?,?,?,?,?,?,?)", &r->put_request) &&
	       prepare(r, "INSERT INTO strays(data) VALUES(?)", &r->put_strays) && prepare(r, "INSERT INTO shapes VALUES(?,?,?,?,?,?,?)", &r->put_shape) &&
	       prepare(r, "INSERT OR IGNORE INTO texts VALUES(?,?,?,?)", &r->put_text);
}

/* ---- end ---- */

static bool
put_servers(struct rows *r, const struct snapshot *snap)
{
	sqlite3_stmt *st = NULL;
	bool ok = prepare(r, "UPDATE upstreams SET server = ? WHERE id = ?", &st);

	for (uint32_t i = 0; i < snap->nupstreams && ok; i++) {
		bind_str(st, 1, snap->upstreams[i]);
		bind_number(st, 2, i);
		ok = step(r, st);
	}
	sqlite3_finalize(st);
	return ok;
}

static bool
put_coverage(struct rows *r, const struct snapshot *snap, uint64_t dropped)
{
	struct coverage c = snap->coverage;
	bool ok = put_meta(r, "coverage.opaque_reason", c.opaque_reason);

	c.lost += dropped;
	for (uint32_t i = 0; coverage_name(i) && ok; i++)
		ok = put_number(r, coverage_name(i), (int64_t)*coverage_number(&c, i));
	return ok && put_number(r, "duration_ns", (int64_t)snap->duration);
}

static bool
put_scopes(struct rows *r, const struct snapshot *snap)
{
	sqlite3_stmt *st = NULL;
	/* A scope may be called like the one that stands for all beyond the limit. */
	bool ok = prepare(r, "INSERT OR IGNORE INTO scopes VALUES(?,?,?,?,?,?,?)", &st);

	for (uint32_t i = 0; i < snap->nscopes && ok; i++) {
		const struct snap_scope *sc = &snap->scopes[i];

		bind_str(st, 1, sc->name);
		bind_number(st, 2, sc->requests);
		bind_number(st, 3, sc->queries.p50);
		bind_number(st, 4, sc->queries.max);
		bind_number(st, 5, sc->duplicates);
		bind_number(st, 6, sc->n_plus_one);
		bind_number(st, 7, sc->db.total / 1000);
		ok = step(r, st);
	}
	sqlite3_finalize(st);
	return ok;
}

static bool
put_findings(struct rows *r, const struct snapshot *snap)
{
	sqlite3_stmt *st = NULL;
	bool ok = prepare(r, "INSERT OR IGNORE INTO findings VALUES(?,?,?,?,?,?,?,?,?,?)", &st);

	for (uint32_t i = 0; i < snap->nfindings && ok; i++) {
		const struct snap_finding *f = &snap->findings[i];
		char hex[17] = "";

		if (f->worst.repeat)
			shape_hex(f->worst.repeat->fingerprint, hex);
		bind_str(st, 1, f->id);
		bind_str(st, 2, rule_names[f->rule]);
		bind_str(st, 3, verdict_name(f->verdict));
		bind_str(st, 4, f->scope);
		bind_str(st, 5, hex);
		bind_number(st, 6, f->worst.executions);
		bind_number(st, 7, f->worst.distinct);
		bind_number(st, 8, f->seen_in);
		bind_number(st, 9, f->busy / 1000);
		bind_str(st, 10, f->advice);
		ok = step(r, st);
	}
	sqlite3_finalize(st);
	return ok;
}

bool
rows_end(struct rows *r, const struct snapshot *snap, uint64_t dropped)
{
	bool complete = dropped == 0 && !snap->incomplete;

	if (rows_run(r, "BEGIN") && put_servers(r, snap) && put_coverage(r, snap, dropped) && put_scopes(r, snap) && put_findings(r, snap) &&
	    put_meta(r, "complete", complete ? "1" : "0") && rows_run(r, "COMMIT"))
		return true;
	if (!sqlite3_get_autocommit(r->db))
		sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
	return false;
}

/* Everything into the one file, where nothing stands in the way (a full disk, a reader): else the log stays beside it and is read too. */
void
rows_close(struct rows *r)
{
	sqlite3_finalize(r->put_request);
	sqlite3_finalize(r->put_strays);
	sqlite3_finalize(r->put_shape);
	sqlite3_finalize(r->put_text);
	if (r->db) {
		sqlite3_busy_timeout(r->db, 0);
		sqlite3_exec(r->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	}
	sqlite3_close(r->db);
}
