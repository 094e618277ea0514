/* SPDX-License-Identifier: Apache-2.0 */
/* store: see store.h. The caller packs and appends to a list under one lock; the thread writes everything it finds there in one
 * transaction. Shapes are written before the first request that names them. */
#include "store.h"

#include <jansson.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "packed.h"
#include "schema.h"

enum { STRAYS_PER_ROW = 1024, BATCH_MS = 200 };

enum item_kind { ITEM_REQUEST, ITEM_STRAYS, ITEM_SHAPE };

struct item {
	struct item *next;
	enum item_kind kind;
	const struct shape *shape;		/* ITEM_SHAPE */
	uint64_t number;
	uint64_t start_us, duration_us, db_us;
	uint32_t statements, queries;
	enum origin scope_from, borders_from;
	uint32_t at[4];				/* scope, test, key, application in bytes; data behind the last */
	size_t n;				/* of all bytes */
	char bytes[];
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *put_request, *put_strays, *put_shape;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct item *first, **last;
	size_t queued;			/* bytes in the list */
	uint64_t dropped;		/* requests the queue had no room for */
	bool ending, broken;		/* broken: the database failed; words in `why` */
	char why[200];
	/* the caller's side */
	struct strbuf scratch;
	bool *known;			/* by shape id: its row is on the way */
	uint32_t nknown;
	struct req_stmt *strays;
	uint32_t nstrays;
};

/* ---- the caller's side ---- */

static void
enqueue(struct store *s, struct item *it)
{
	pthread_mutex_lock(&s->lock);
	if (s->broken || (s->queued + it->n > LIMIT_STORE_QUEUE && it->kind != ITEM_SHAPE)) {
		s->dropped += it->kind == ITEM_REQUEST;
		pthread_mutex_unlock(&s->lock);
		mem_free(it);
		return;
	}
	*s->last = it;
	s->last = &it->next;
	s->queued += it->n;
	pthread_mutex_unlock(&s->lock);
}

static struct item *
new_item(enum item_kind kind, size_t n)
{
	struct item *it = xmem_zero(sizeof *it + n);

	it->kind = kind;
	it->n = n;
	return it;
}

/* Row numbers of shapes are their ids plus one. */
static uint32_t
shape_number(void *ctx, const struct shape *shape)
{
	struct store *s = ctx;

	if (shape->id >= s->nknown) {
		uint32_t n = shape->id + 256;

		s->known = xmem_resize(s->known, n * sizeof *s->known);
		memset(s->known + s->nknown, 0, (n - s->nknown) * sizeof *s->known);
		s->nknown = n;
	}
	if (!s->known[shape->id]) {
		struct item *it = new_item(ITEM_SHAPE, 0);

		s->known[shape->id] = true;
		it->shape = shape;
		enqueue(s, it);
	}
	return shape->id + 1;
}

static void
flush_strays(struct store *s)
{
	struct item *it;

	if (s->nstrays == 0)
		return;
	strbuf_reset(&s->scratch);
	packed_strays(&s->scratch, s->strays, s->nstrays, shape_number, s);
	s->nstrays = 0;
	it = new_item(ITEM_STRAYS, s->scratch.n);
	memcpy(it->bytes, s->scratch.p, s->scratch.n);
	enqueue(s, it);
}

void
store_stray(void *store, const struct req_stmt *stray)
{
	struct store *s = store;

	s->strays[s->nstrays++] = *stray;
	if (s->nstrays == STRAYS_PER_ROW)
		flush_strays(s);
}

/* The columns that sqlite3 alone can add up. */
static void
count_columns(struct item *it, const struct request *r)
{
	uint64_t busy = 0;

	for (uint32_t i = 0; i < r->nstmts; i++) {
		uint8_t cls = r->stmts[i].shape->cls;

		busy += r->stmts[i].busy;
		it->queries += cls == SQL_READ || cls == SQL_WRITE || cls == SQL_DDL || cls == SQL_OTHER;
	}
	it->statements = r->nstmts + r->stmts_cut;
	it->start_us = (uint64_t)r->wall_start_us;
	it->duration_us = (r->end - r->start) / 1000;
	it->db_us = busy / 1000;
}

void
store_request(void *store, const struct request *r)
{
	struct store *s = store;
	const char *const texts[] = { r->scope, r->test, r->key, r->application };
	struct item *it;
	uint32_t at[4];

	strbuf_reset(&s->scratch);
	for (int i = 0; i < 4; i++) {
		strbuf_str(&s->scratch, texts[i] ? texts[i] : "");
		at[i] = (uint32_t)s->scratch.n;
	}
	packed_request(&s->scratch, r, shape_number, s);
	it = new_item(ITEM_REQUEST, s->scratch.n);
	memcpy(it->bytes, s->scratch.p, s->scratch.n);
	memcpy(it->at, at, sizeof at);
	it->number = r->number;
	it->scope_from = r->scope_from;
	it->borders_from = r->borders_from;
	count_columns(it, r);
	if (s->scratch.cut) {	/* half a request is none */
		mem_free(it);
		pthread_mutex_lock(&s->lock);
		s->dropped++;
		pthread_mutex_unlock(&s->lock);
		return;
	}
	enqueue(s, it);
}

/* ---- the thread's side ---- */

static void
database_broke(struct store *s, const char *doing)
{
	pthread_mutex_lock(&s->lock);
	if (!s->broken)
		snprintf(s->why, sizeof s->why, "%s: %s", doing, sqlite3_errmsg(s->db));
	s->broken = true;
	pthread_mutex_unlock(&s->lock);
}

static bool
run(struct store *s, const char *sql)
{
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return true;
	database_broke(s, "writing the recording");
	return false;
}

static bool
step(struct store *s, sqlite3_stmt *st)
{
	bool ok = sqlite3_step(st) == SQLITE_DONE;

	if (!ok)
		database_broke(s, "writing the recording");
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return ok;
}

static void
bind_text(sqlite3_stmt *st, int i, const char *p, size_t n)
{
	sqlite3_bind_text(st, i, p ? p : "", (int)n, SQLITE_TRANSIENT);
}

static bool
write_request(struct store *s, const struct item *it)
{
	sqlite3_stmt *st = s->put_request;

	sqlite3_bind_int64(st, 1, (int64_t)it->number);
	bind_text(st, 2, it->bytes, it->at[0]);
	for (int i = 1; i < 4; i++)
		bind_text(st, 2 + i, it->bytes + it->at[i - 1], it->at[i] - it->at[i - 1]);
	bind_text(st, 6, origin_name(it->scope_from), strlen(origin_name(it->scope_from)));
	bind_text(st, 7, origin_name(it->borders_from), strlen(origin_name(it->borders_from)));
	sqlite3_bind_int64(st, 8, (int64_t)it->start_us);
	sqlite3_bind_int64(st, 9, (int64_t)it->duration_us);
	sqlite3_bind_int64(st, 10, (int64_t)it->db_us);
	sqlite3_bind_int64(st, 11, it->statements);
	sqlite3_bind_int64(st, 12, it->queries);
	sqlite3_bind_blob(st, 13, it->bytes + it->at[3], (int)(it->n - it->at[3]), SQLITE_STATIC);
	return step(s, st);
}

static char *
tables_json(const struct shape *shape)
{
	json_t *list = json_array();
	char *text;

	for (unsigned i = 0; i < shape->ntables; i++)
		json_array_append_new(list, json_pack("{s:s%,s:b}", "name", shape->tables[i].name, strlen(shape->tables[i].name), "write",
		    shape->tables[i].write));
	text = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	return text;
}

static bool
write_shape(struct store *s, const struct shape *shape)
{
	sqlite3_stmt *st = s->put_shape;
	char hex[17], *tables = tables_json(shape);
	bool ok;

	shape_hex(shape->fingerprint, hex);
	sqlite3_bind_int64(st, 1, (int64_t)shape->id + 1);
	bind_text(st, 2, hex, 16);
	bind_text(st, 3, shape->text, shape->text_n);
	bind_text(st, 4, sql_class_name((enum sql_class)shape->cls), strlen(sql_class_name((enum sql_class)shape->cls)));
	sqlite3_bind_int(st, 5, shape->cls);
	sqlite3_bind_int(st, 6, shape->verb);
	sqlite3_bind_int(st, 7, shape->dialect);
	bind_text(st, 8, tables ? tables : "[]", strlen(tables ? tables : "[]"));
	sqlite3_bind_int(st, 9, shape->tables_unknown);
	sqlite3_bind_int(st, 10, shape->cut);
	ok = step(s, st);
	free(tables);
	return ok;
}

static bool
write_item(struct store *s, const struct item *it)
{
	switch (it->kind) {
	case ITEM_REQUEST:
		return write_request(s, it);
	case ITEM_STRAYS:
		sqlite3_bind_blob(s->put_strays, 1, it->bytes, (int)it->n, SQLITE_STATIC);
		return step(s, s->put_strays);
	case ITEM_SHAPE:
		return write_shape(s, it->shape);
	}
	return false;
}

/* Everything in one transaction; a failure leaves the file as it was before. */
static void
write_batch(struct store *s, struct item *first)
{
	bool ok = !s->broken && run(s, "BEGIN");

	for (struct item *it = first; it && ok; it = it->next)
		ok = write_item(s, it);
	if (ok)
		ok = run(s, "COMMIT");
	if (!ok && !sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	while (first) {
		struct item *next = first->next;

		s->dropped += !ok && first->kind == ITEM_REQUEST;
		mem_free(first);
		first = next;
	}
}

static void *
store_main(void *arg)
{
	struct store *s = arg;
	bool ending;

	do {
		struct timespec until;
		struct item *first;

		pthread_mutex_lock(&s->lock);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += BATCH_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		if (!s->ending)
			pthread_cond_timedwait(&s->more, &s->lock, &until);
		ending = s->ending;
		first = s->first;
		s->first = NULL;
		s->last = &s->first;
		s->queued = 0;
		pthread_mutex_unlock(&s->lock);
		if (first)
			write_batch(s, first);
	} while (!ending);
	return NULL;
}

/* ---- opening and finishing ---- */

static bool
put_meta(struct store *s, const char *key, const char *value)
{
	sqlite3_stmt *st = NULL;
	bool ok = sqlite3_prepare_v2(s->db, "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)", -1, &st, NULL) == SQLITE_OK;

	if (ok) {
		bind_text(st, 1, key, strlen(key));
		bind_text(st, 2, value, strlen(value));
		ok = step(s, st);
	}
	sqlite3_finalize(st);
	return ok;
}

static bool
put_number(struct store *s, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)value);
	return put_meta(s, key, text);
}

static bool
put_upstreams(struct store *s, const char *const *names, uint32_t n)
{
	sqlite3_stmt *st = NULL;
	bool ok = sqlite3_prepare_v2(s->db, "INSERT INTO upstreams(id, name) VALUES(?, ?)", -1, &st, NULL) == SQLITE_OK;

	for (uint32_t i = 0; i < n && ok; i++) {
		sqlite3_bind_int64(st, 1, i);
		bind_text(st, 2, names[i], strlen(names[i]));
		ok = step(s, st);
	}
	sqlite3_finalize(st);
	return ok;
}

/* A file that is there is replaced only when it is a recording of ours (or empty). */
static bool
may_replace(const char *path, char *err, size_t err_n)
{
	char head[72] = { 0 };
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(head, 1, sizeof head, f) : 0;

	if (f)
		fclose(f);
	if (n == 0)
		return true;
	/* The application id stands big-endian at byte 68 of an SQLite file (file format, 1.3). */
	if (n == sizeof head && memcmp(head, "SQLite format 3", 16) == 0 && memcmp(head + 68, "rwc1", 4) == 0)
		return true;
	snprintf(err, err_n, "%s: exists and is not a recording; name another file with --record", path);
	return false;
}

static bool
remove_old(const char *path)
{
	char side[4096];

	unlink(path);
	snprintf(side, sizeof side, "%s-wal", path);
	unlink(side);
	snprintf(side, sizeof side, "%s-shm", path);
	unlink(side);
	return access(path, F_OK) != 0;
}

static bool
create(struct store *s, const char *path)
{
	static const struct {
		const char *sql;
		size_t at;
	} statements[] = {
		{ "INSERT INTO requests VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)", offsetof(struct store, put_request) },
		{ "INSERT INTO strays(data) VALUES(?)", offsetof(struct store, put_strays) },
		{ "INSERT INTO shapes VALUES(?,?,?,?,?,?,?,?,?,?)", offsetof(struct store, put_shape) },
	};

	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return false;
	if (sqlite3_exec(s->db, recording_schema_sql, NULL, NULL, NULL) != SQLITE_OK)
		return false;
	for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
		if (sqlite3_prepare_v2(s->db, statements[i].sql, -1, (sqlite3_stmt **)(void *)((char *)s + statements[i].at), NULL) != SQLITE_OK)
			return false;
	return true;
}

static void
close_database(struct store *s)
{
	sqlite3_finalize(s->put_request);
	sqlite3_finalize(s->put_strays);
	sqlite3_finalize(s->put_shape);
	sqlite3_close(s->db);
}

static void
free_store(struct store *s)
{
	close_database(s);
	strbuf_clear(&s->scratch);
	pthread_cond_destroy(&s->more);
	pthread_mutex_destroy(&s->lock);
	mem_free(s->known);
	mem_free(s->strays);
	mem_free(s);
}

struct store *
store_open(const char *path, const char *command, int64_t started_us, const char *const *upstreams, uint32_t nupstreams, char *err, size_t err_n)
{
	struct store *s;

	if (!may_replace(path, err, err_n))
		return NULL;
	s = xmem_zero(sizeof *s);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->more, NULL);
	s->last = &s->first;
	strbuf_init(&s->scratch, LIMIT_PACKED_REQUEST);
	s->strays = xmem_zero(STRAYS_PER_ROW * sizeof *s->strays);
	if (!remove_old(path) || !create(s, path) || !put_meta(s, "version", ROWCALL_VERSION) || !put_meta(s, "command", command) ||
	    !put_number(s, "fingerprint_version", SQL_FINGERPRINT_VERSION) || !put_number(s, "started_us", started_us) ||
	    !put_meta(s, "complete", "0") || !put_upstreams(s, upstreams, nupstreams)) {
		snprintf(err, err_n, "%s: cannot be written: %s", path, s->db ? sqlite3_errmsg(s->db) : "out of memory");
		free_store(s);
		return NULL;
	}
	if (pthread_create(&s->thread, NULL, store_main, s) != 0) {
		snprintf(err, err_n, "%s: no thread to write it with", path);
		free_store(s);
		return NULL;
	}
	return s;
}

static void
end_thread(struct store *s)
{
	flush_strays(s);
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
}

static bool
put_coverage(struct store *s, const struct snapshot *snap)
{
	const struct coverage *c = &snap->coverage;
	const struct {
		const char *key;
		uint64_t value;
	} rows[] = {
		{ "coverage.sessions", c->sessions }, { "coverage.statements", c->statements }, { "coverage.queries", c->queries },
		{ "coverage.control", c->control }, { "coverage.setup", c->setup }, { "coverage.tagged", c->tagged },
		{ "coverage.opaque_expected", c->opaque_expected }, { "coverage.opaque_unexpected", c->opaque_unexpected },
		{ "coverage.lost", c->lost + s->dropped }, { "coverage.evidence_shed", c->evidence_shed },
		{ "coverage.requests", c->requests }, { "coverage.evicted_requests", c->evicted_requests }, { "coverage.notices", c->notices },
		{ "duration_ns", snap->duration },
	};
	bool ok = put_meta(s, "coverage.opaque_reason", c->opaque_reason ? c->opaque_reason : "");

	for (size_t i = 0; i < sizeof rows / sizeof *rows && ok; i++)
		ok = put_number(s, rows[i].key, (int64_t)rows[i].value);
	return ok;
}

static bool
put_scopes(struct store *s, const struct snapshot *snap)
{
	sqlite3_stmt *st = NULL;
	bool ok = sqlite3_prepare_v2(s->db, "INSERT INTO scopes VALUES(?,?,?,?,?,?,?)", -1, &st, NULL) == SQLITE_OK;

	for (uint32_t i = 0; i < snap->nscopes && ok; i++) {
		const struct snap_scope *sc = &snap->scopes[i];

		bind_text(st, 1, sc->name, strlen(sc->name));
		sqlite3_bind_int64(st, 2, (int64_t)sc->requests);
		sqlite3_bind_int64(st, 3, (int64_t)sc->queries.p50);
		sqlite3_bind_int64(st, 4, (int64_t)sc->queries.max);
		sqlite3_bind_int64(st, 5, (int64_t)sc->duplicates);
		sqlite3_bind_int64(st, 6, (int64_t)sc->n_plus_one);
		sqlite3_bind_int64(st, 7, (int64_t)sc->db.total / 1000);
		ok = step(s, st);
	}
	sqlite3_finalize(st);
	return ok;
}

static bool
put_findings(struct store *s, const struct snapshot *snap)
{
	sqlite3_stmt *st = NULL;
	bool ok = sqlite3_prepare_v2(s->db, "INSERT INTO findings VALUES(?,?,?,?,?,?,?,?,?,?)", -1, &st, NULL) == SQLITE_OK;

	for (uint32_t i = 0; i < snap->nfindings && ok; i++) {
		const struct snap_finding *f = &snap->findings[i];
		char hex[17] = "";

		if (f->worst.repeat)
			shape_hex(f->worst.repeat->fingerprint, hex);
		bind_text(st, 1, f->id, strlen(f->id));
		bind_text(st, 2, rules[f->rule].id, strlen(rules[f->rule].id));
		bind_text(st, 3, verdict_name(f->verdict), strlen(verdict_name(f->verdict)));
		bind_text(st, 4, f->scope, strlen(f->scope));
		bind_text(st, 5, hex, strlen(hex));
		sqlite3_bind_int64(st, 6, f->worst.executions);
		sqlite3_bind_int64(st, 7, f->worst.distinct);
		sqlite3_bind_int64(st, 8, (int64_t)f->seen_in);
		sqlite3_bind_int64(st, 9, (int64_t)f->busy / 1000);
		bind_text(st, 10, f->advice, strlen(f->advice ? f->advice : ""));
		ok = step(s, st);
	}
	sqlite3_finalize(st);
	return ok;
}

bool
store_finish(struct store *s, const struct snapshot *snap, char *err, size_t err_n)
{
	bool ok;

	end_thread(s);
	ok = !s->broken && run(s, "BEGIN") && put_coverage(s, snap) && put_scopes(s, snap) && put_findings(s, snap) &&
	     put_meta(s, "complete", s->dropped ? "0" : "1") && run(s, "COMMIT") && run(s, "PRAGMA wal_checkpoint(TRUNCATE)") &&
	     run(s, "PRAGMA journal_mode=DELETE");
	if (!ok)
		snprintf(err, err_n, "%s; what was written before stays readable, the rest is missing from the recording", s->why);
	else if (s->dropped)
		snprintf(err, err_n, "the disk was too slow: %llu requests are missing from the recording", (unsigned long long)s->dropped);
	ok = ok && s->dropped == 0;
	free_store(s);
	return ok;
}

void
store_abandon(struct store *s)
{
	if (!s)
		return;
	end_thread(s);
	free_store(s);
}
