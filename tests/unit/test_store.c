/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of store.c, rows.c, store_file.c and recording.c: a report from a recording is the live one, byte for byte; what is refused, and in
 * which words; what a crash, a failing disk and damage leave. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "reports/store/recording.h"
#include "reports/store/store.h"
#include "reports/write/write.h"
#include "collected.h"

static const char ORDERS[] = "scope GET /orders\nkey abc\ntest tests/test_orders.py::test_index\napplication web\n"
			     "tag framework=django:4.2\ntag controller=orders\nlane shop\nlane audit\n"
			     "50 rows 1.9ms result 77 site shop/views.py:11 | SELECT * FROM orders WHERE user_id = 7 LIMIT 50\n"
			     "loop 1..50\n"
			     "1 row 0.8ms site shop/views.py:14 | SELECT * FROM customers WHERE id = %i\n"
			     "end\n"
			     "tx 1 lane 1 | BEGIN\naffected 1 tx 1 lane 1 | INSERT INTO log (a) VALUES (1)\ntx 1 lane 1 error 23505 | COMMIT\n";
static const char AGAIN[] = "scope GET /orders\nborders gap\nloop 1..7\n1 row 0.8ms | SELECT * FROM customers WHERE id = %i\nend\n";
static const char MAIL[] = "scope job MailJob\nmysql\nidle 2s\nloop 1..6\n1 row 150ms result 5 | SELECT * FROM `settings` WHERE name = 'from'\nend\n"
			   "loop 1..20\naffected 1 | INSERT INTO log (a) VALUES (%i)\nend\nskipped | SELECT * FROM a\nlost | SELECT * FROM a\n";
static const char ODD[] = "scope caf\xe9 \x1b[31m\ntag k=\xff\xfe\n3 rows | SELECT * FROM \"caf\xe9\" WHERE \"n\xe9\" = 1\n"
			  "2 rows | SELECT * FROM \"caf\xe8\" WHERE id = 1\n";

struct fixture {
	struct collected *c;
	char dir[64], path[96];
	struct store *store;
	char err[500];
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	const char *tmp = getenv("TMPDIR");

	f->c = collected_new();
	snprintf(f->dir, sizeof f->dir, "%.40s/rowcall-store-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof f->path, "%s/a.rowcall", f->dir);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	DIR *dir = opendir(f->dir);
	struct dirent *e;

	store_abandon(f->store);
	collected_free(f->c);
	while ((e = readdir(dir)))
		unlinkat(dirfd(dir), e->d_name, 0);
	closedir(dir);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

/* ---- a run, live and recorded ---- */

static struct store *
try_open(struct fixture *f)
{
	struct run_info *run = &f->c->run;

	return store_open(f->path, run->command, run->started_us, f->c->cfg.upstreams, f->c->cfg.nupstreams, false, f->err, sizeof f->err);
}

static void
begin(struct fixture *f)
{
	f->store = try_open(f);
	if (!f->store)
		fail_msg("%s", f->err);
}

static const struct request *
add(struct fixture *f, const char *text)
{
	const struct request *r = collected_add(f->c, text);

	store_request(f->store, r);
	return r;
}

/* The look-ups of ORDERS, proven by their source. */
static void
add_proven(struct fixture *f)
{
	struct request r = *req_build(f->c->b, ORDERS);
	struct edge e = { .child = r.stmts[1].shape, .parent = r.stmts[0].shape, .child_stmt = 1, .column = "orders.customer_id → customers.id", .other = "",
		.values = 50, .source_values = 50, .kept = 50, .rows = 50, .verdict = EDGE_PROVEN, .flags = EDGE_IN_ORDER | EDGE_EACH_ROW };

	r.scope = "GET /proven";
	r.edges = &e;
	r.nedges = 1;
	collector_request(f->c->c, &r);
	store_request(f->store, &r);
}

static void
add_stray(struct fixture *f, const char *text)
{
	const struct request *r = req_build(f->c->b, text);

	collected_snapshot(f->c);	/* so that there is a collector */
	for (uint32_t i = 0; i < r->nstmts; i++) {
		collector_stray(f->c->c, &r->stmts[i]);
		store_stray(f->store, &r->stmts[i]);
	}
}

static bool
finish(struct fixture *f)
{
	struct store *s = f->store;

	f->store = NULL;
	return store_finish(s, collected_snapshot(f->c), f->err, sizeof f->err);
}

static void
assert_finishes(struct fixture *f)
{
	if (!finish(f))
		fail_msg("%s", f->err);
}

/* A recording read back. */
struct replayed {
	struct recording *rec;
	struct shapes *shapes;
	struct collector *c;
	struct snapshot *s;
	bool whole;
};

static struct replayed
replay_opened(struct fixture *f, struct recording *rec)
{
	struct replayed r = { .rec = rec, .shapes = shapes_new() };
	struct run_info run = recording_run(rec);
	struct collector_config cfg = f->c->cfg;

	cfg.upstreams = recording_upstreams(rec);
	cfg.nupstreams = run.nupstreams;
	r.c = collector_new(&cfg);
	r.whole = recording_replay(rec, r.shapes, NULL, (struct request_sink){ .ctx = r.c, .request = collector_request, .stray = collector_stray }, f->err, sizeof f->err);
	r.s = collector_snapshot(r.c, &run);
	return r;
}

static struct replayed
replay(struct fixture *f)
{
	struct recording *rec = recording_open(f->path, f->err, sizeof f->err);

	if (!rec)
		fail_msg("%s", f->err);
	return replay_opened(f, rec);
}

static void
forget(struct replayed *r)
{
	snapshot_free(r->s);
	collector_free(r->c);
	shapes_free(r->shapes);
	recording_close(r->rec);
}

static void
assert_same_report(enum format format, const struct snapshot *a, const struct snapshot *b)
{
	struct write_options o = { .utf8 = true, .all = true, .wide = true, .width = 120 };
	struct strbuf x, y;

	strbuf_init(&x, 64 << 20);
	strbuf_init(&y, 64 << 20);
	write_snapshot(format, a, &o, &x);
	write_snapshot(format, b, &o, &y);
	assert_false(x.cut);
	assert_true(x.n > 0 || format == FORMAT_FOLDED);
	if (!span_eq(strbuf_span(&x), strbuf_span(&y))) {
		size_t at = 0;

		while (at < x.n && at < y.n && x.p[at] == y.p[at])
			at++;
		at = at > 100 ? at - 100 : 0;
		fail_msg("%s differs:\n%.300s\n---\n%.300s", format_name(format), x.p + at, y.p + at);
	}
	strbuf_clear(&x);
	strbuf_clear(&y);
}

/* Every format of the recording's report is the live one's. */
static void
assert_same_as_live(struct fixture *f)
{
	struct replayed r = replay(f);

	assert_true(r.whole);
	for (int format = 0; format < FORMATS; format++)
		assert_same_report((enum format)format, f->c->s, r.s);
	forget(&r);
}

static void
a_report_from_a_recording_is_the_live_one(void **state)
{
	struct fixture *f = *state;

	begin(f);
	add(f, ORDERS);
	add_stray(f, "| SET x = 1\n2ms | BEGIN\nerror 42601 | SHOW y\n");
	add(f, MAIL);
	add(f, AGAIN);
	add(f, ODD);
	add_proven(f);
	add_stray(f, "1ms | SELECT pg_catalog.version()\n");
	assert_finishes(f);
	assert_true(f->c->s->nfindings >= 4);
	assert_int_equal(f->c->s->findings[0].verdict, VERDICT_PROVEN);
	assert_same_as_live(f);
}

static void
coverage_and_servers_come_back(void **state)
{
	static const char *const servers[] = { "postgresql 15.20 at 127.0.0.1:5432" };
	struct fixture *f = *state;
	struct recording *rec;
	struct run_info run;

	f->c->run.upstreams = servers;
	begin(f);
	add(f, ORDERS);
	f->c->run.coverage = (struct coverage){ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, "compressed" };
	assert_finishes(f);
	rec = recording_open(f->path, f->err, sizeof f->err);
	assert_non_null(rec);
	run = recording_run(rec);
	assert_string_equal(run.upstreams[0], servers[0]);
	assert_string_equal(recording_upstreams(rec)[0], "127.0.0.1:5432");
	assert_memory_equal(&run.coverage, &f->c->run.coverage, offsetof(struct coverage, opaque_reason));
	assert_string_equal(run.coverage.opaque_reason, "compressed");
	assert_false(run.incomplete);
	recording_close(rec);
	assert_same_as_live(f);
}

static void
an_empty_run_is_recorded_too(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_finishes(f);
	assert_same_as_live(f);
}

/* Requests close in another order than they begin; which of two equal instances is called the worst depends on it. */
static void
requests_keep_the_order_they_closed_in(void **state)
{
	struct fixture *f = *state;
	struct request long_one = *req_build(f->c->b, ORDERS), short_one = *req_build(f->c->b, ORDERS);

	long_one.test = "the long one";
	begin(f);
	collected_snapshot(f->c);	/* so that there is a collector */
	collector_request(f->c->c, &short_one);
	store_request(f->store, &short_one);
	collector_request(f->c->c, &long_one);
	store_request(f->store, &long_one);
	assert_finishes(f);
	assert_true(f->c->s->nfindings > 0);
	assert_int_equal(f->c->s->findings[0].request_number, short_one.number);
	assert_same_as_live(f);
}

/* Any mixture of requests: the collector hears the same. */
static void
add_random(struct fixture *f, unsigned seed)
{
	static const char *const lines[] = { "| SELECT * FROM a WHERE id = %i\n", "1 row 2ms result 4 | SELECT b.x FROM b JOIN c ON b.i = c.i WHERE c.n = 4\n",
		"tx 1 affected 3 | UPDATE a SET n = 2 WHERE id = %i\n", "error 40001 3ms | DELETE FROM b\n", "unknown | SELECT 1\n",
		"rows 70000 bytes 9999999 1s | SELECT * FROM big\n", "rode | SELECT * FROM c WHERE z IN (1, 2, 3)\n", "loop 1..9\n", "gap 5ms | BEGIN\n" };
	char text[2000];
	unsigned n = 0, depth = 0;

	n += (unsigned)snprintf(text, sizeof text, "scope s%u\ntest t%u\nborders %s\n", seed % 5, seed % 3, seed & 8 ? "gap" : "tag");
	for (unsigned k = 0; k < seed % 12; k++) {
		const char *line = lines[(seed >> (k % 20)) % (sizeof lines / sizeof *lines)];

		if (strncmp(line, "rows", 4) == 0)
			line = "70000 rows bytes 9999999 1s | SELECT * FROM big\n";
		if (strncmp(line, "loop", 4) == 0 && ++depth > 2)
			continue;
		n += (unsigned)snprintf(text + n, sizeof text - n, "%s", line);
	}
	for (; depth; depth--)
		n += (unsigned)snprintf(text + n, sizeof text - n, "end\n");
	add(f, text);
}

static void
any_run_is_the_live_one(void **state)
{
	struct fixture *f = *state;
	unsigned seed = 7;

	begin(f);
	for (int i = 0; i < 300; i++) {
		seed = seed * 1664525 + 1013904223;
		add_random(f, seed >> 8);
	}
	assert_finishes(f);
	assert_same_as_live(f);
}

static void
strays_of_more_than_one_row(void **state)
{
	struct fixture *f = *state;

	begin(f);
	for (int i = 0; i < 1025; i++)
		add_stray(f, "2ms | SET x = 1\n| COMMIT\n");
	assert_finishes(f);
	assert_same_as_live(f);
}

/* ---- sqlite3 alone ---- */

static char *
ask(const char *path, const char *sql)
{
	static char answer[4000];
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	size_t n = 0;

	answer[0] = '\0';
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	while (sqlite3_step(st) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(st); i++)
			n += (size_t)snprintf(answer + n, sizeof answer - n, "%s%s", (const char *)sqlite3_column_text(st, i),
			    i + 1 < sqlite3_column_count(st) ? "|" : "\n");
	sqlite3_finalize(st);
	sqlite3_close(db);
	return answer;
}

static void
tables_are_readable_without_us(void **state)
{
	struct fixture *f = *state;

	begin(f);
	add(f, ORDERS);
	add(f, AGAIN);
	assert_finishes(f);
	assert_string_equal(ask(f->path, "PRAGMA integrity_check"), "ok\n");
	assert_string_equal(ask(f->path, "SELECT scope, requests, queries_max, n_plus_one FROM scopes"), "GET /orders|2|52|1\n");
	assert_string_equal(ask(f->path, "SELECT rule, scope, executions, distinct_parameters FROM findings WHERE rule = 'n-plus-one'"),
	    "n-plus-one|GET /orders|50|50\n");
	assert_string_equal(ask(f->path, "SELECT summary, class, tables FROM shapes WHERE summary LIKE '%customers'"),
	    "SELECT customers|read|[{\"name\":\"customers\",\"write\":false}]\n");
	assert_string_equal(ask(f->path, "SELECT number, scope, test, key, application, scope_from, borders_from, statements, queries FROM requests"),
	    "1|GET /orders|tests/test_orders.py::test_index|abc|web|tag|tag|54|52\n2|GET /orders||||tag|gap|7|7\n");
	assert_string_equal(ask(f->path, "SELECT s.summary FROM findings f JOIN shapes s USING (fingerprint) WHERE f.rule = 'n-plus-one'"), "SELECT customers\n");
	assert_string_equal(ask(f->path, "SELECT value FROM meta WHERE key = 'complete'"), "1\n");
	assert_string_equal(ask(f->path, "PRAGMA journal_mode"), "delete\n");
}

/* ---- what is refused ---- */

static void
write_bytes(const char *path, const void *p, size_t n)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(p, 1, n, file), n);
	fclose(file);
}

static char *
read_bytes(const char *path, size_t *n)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	char *p;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	p = malloc((size_t)st.st_size + 1);
	*n = fread(p, 1, (size_t)st.st_size, file);
	fclose(file);
	return p;
}

static void
sql(const char *path, const char *statements)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, statements, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void
assert_not_written(struct fixture *f, const char *words)
{
	f->err[0] = '\0';
	assert_null(try_open(f));
	assert_non_null(strstr(f->err, f->path));
	if (!strstr(f->err, words))
		fail_msg("\"%s\" does not say \"%s\"", f->err, words);
}

static void
assert_not_read(struct fixture *f, const char *words)
{
	f->err[0] = '\0';
	assert_null(recording_open(f->path, f->err, sizeof f->err));
	assert_non_null(strstr(f->err, f->path));
	if (!strstr(f->err, words))
		fail_msg("\"%s\" does not say \"%s\"", f->err, words);
}

/* Neither written to nor read, and as it was afterwards. */
static void
assert_left_alone(struct fixture *f, const char *words)
{
	size_t before_n, after_n;
	char *before = read_bytes(f->path, &before_n), *after;

	assert_not_written(f, "is not a recording");
	assert_not_read(f, words);
	after = read_bytes(f->path, &after_n);
	assert_int_equal(before_n, after_n);
	assert_memory_equal(before, after, after_n);
	free(before);
	free(after);
}

static void
foreign_files_are_left_alone(void **state)
{
	struct fixture *f = *state;
	static const char text[] = "dear diary, today I made a file of more than seventy-two bytes so that its header may be looked at";

	write_bytes(f->path, text, sizeof text);
	assert_left_alone(f, "not a database");
	write_bytes(f->path, "x", 1);
	assert_left_alone(f, "not a recording of rowcall");
	char looks_like[100];

	memset(looks_like, 'x', sizeof looks_like);
	memcpy(looks_like + 68, "rwc1", 4);
	write_bytes(f->path, looks_like, sizeof looks_like);
	assert_left_alone(f, "not a database");
	unlink(f->path);
	sql(f->path, "CREATE TABLE precious(a); PRAGMA user_version = 1");
	assert_left_alone(f, "not a recording of rowcall");
	unlink(f->path);
	sql(f->path, "CREATE TABLE precious(a); PRAGMA application_id = 1920426802");
	assert_left_alone(f, "not a recording of rowcall");
}

static void
what_is_no_file_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_not_written(f, "is not a recording");
	assert_not_read(f, "is not a file");
	assert_int_equal(rmdir(f->path), 0);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_not_written(f, "is not a recording");
	assert_not_read(f, "is not a file");
	snprintf(f->path, sizeof f->path, "/dev/null");
	assert_not_written(f, "is not a recording");
	assert_int_equal(access("/dev/null", F_OK), 0);
}

static void
what_is_not_there_is_said(void **state)
{
	struct fixture *f = *state;

	assert_not_read(f, "No such file");
	write_bytes(f->path, "", 0);
	assert_not_read(f, "is empty");
	snprintf(f->path, sizeof f->path, "%s/no/such/directory", f->dir);
	assert_not_written(f, "unable to open");
}

static void
other_versions_are_refused_in_words(void **state)
{
	struct fixture *f = *state;

	begin(f);
	add(f, AGAIN);
	assert_finishes(f);
	sql(f->path, "PRAGMA user_version = 2");
	assert_not_read(f, "newer rowcall (recording schema 2, this one reads up to 1)");
	sql(f->path, "PRAGMA user_version = 0");
	assert_not_read(f, "no recording schema version");
	sql(f->path, "PRAGMA user_version = 1; UPDATE meta SET value = '7' WHERE key = 'fingerprint_version'");
	assert_not_read(f, "fingerprints of version 7, this one makes version 1");
	sql(f->path, "UPDATE meta SET value = '0' WHERE key = 'fingerprint_version'");
	assert_not_read(f, "damaged");
	sql(f->path, "DROP TABLE meta");
	assert_not_read(f, "damaged");
}

static void
an_old_recording_is_replaced(void **state)
{
	struct fixture *f = *state;

	begin(f);
	add(f, ORDERS);
	assert_finishes(f);
	begin(f);
	assert_finishes(f);
	assert_string_equal(ask(f->path, "SELECT count(*) FROM requests"), "0\n");
	write_bytes(f->path, "", 0);
	begin(f);
	add(f, ORDERS);
	assert_finishes(f);
	assert_string_equal(ask(f->path, "SELECT count(*) FROM requests"), "1\n");
}

static void
a_recording_in_use_is_not_replaced(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_not_written(f, "in use");
	add(f, ORDERS);
	assert_finishes(f);
	assert_string_equal(ask(f->path, "SELECT count(*) FROM requests"), "1\n");
	begin(f);
}

/* ---- what never finished ---- */

static void
assert_says_incomplete(struct fixture *f, uint64_t requests, uint64_t queries)
{
	struct write_options o = { .width = 96 };
	struct replayed r = replay(f);
	struct strbuf out;

	strbuf_init(&out, 1 << 20);
	assert_true(r.whole);
	assert_true(r.s->incomplete);
	assert_int_equal(r.s->coverage.requests, requests);
	assert_int_equal(r.s->coverage.queries, queries);
	assert_int_equal(r.s->queries, queries);
	assert_string_equal(r.s->upstreams[0], "127.0.0.1:5432");
	write_snapshot(FORMAT_TEXT, r.s, &o, &out);
	assert_non_null(strstr(strbuf_cstr(&out), "the recording was never finished"));
	strbuf_clear(&out);
	forget(&r);
}

static void
an_aborted_run_is_readable_and_incomplete(void **state)
{
	struct fixture *f = *state;

	begin(f);
	add(f, AGAIN);
	store_abandon(f->store);
	f->store = NULL;
	assert_says_incomplete(f, 1, 7);
}

/* Everything but the last moment survives the death of the process. */
static void
a_killed_run_is_readable_and_incomplete(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		begin(f);
		add(f, AGAIN);
		usleep(600000);		/* three batches */
		_exit(9);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 9);
	assert_says_incomplete(f, 1, 7);
	/* and it is no obstacle for the next run */
	begin(f);
	assert_finishes(f);
	assert_string_equal(ask(f->path, "SELECT count(*) FROM requests"), "0\n");
}

static void
a_run_killed_at_once_is_readable(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		begin(f);
		_exit(9);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_says_incomplete(f, 0, 0);
}

static void
a_recording_can_be_read_while_it_is_written(void **state)
{
	struct fixture *f = *state;

	begin(f);
	add(f, AGAIN);
	usleep(600000);
	assert_says_incomplete(f, 1, 7);
	add(f, AGAIN);
	assert_finishes(f);
	assert_same_as_live(f);
}

/* A reader keeps the log from being folded into the file; that is no reason to complain, and nothing is missing. */
static void
a_reader_does_no_harm_to_the_end(void **state)
{
	struct fixture *f = *state;
	struct recording *reader;

	begin(f);
	add(f, AGAIN);
	usleep(600000);
	reader = recording_open(f->path, f->err, sizeof f->err);
	assert_non_null(reader);
	assert_finishes(f);
	recording_close(reader);
	assert_same_as_live(f);
}

/* ---- a database that fails ---- */

static void
what_was_written_before_a_failure_stays(void **state)
{
	struct fixture *f = *state;
	struct replayed r;

	begin(f);
	add(f, AGAIN);
	usleep(600000);
	sql(f->path, "CREATE TRIGGER full BEFORE INSERT ON requests BEGIN SELECT raise(ABORT, 'no room'); END");
	add(f, ORDERS);
	add(f, ORDERS);
	usleep(600000);
	add(f, ORDERS);
	assert_false(finish(f));
	assert_non_null(strstr(f->err, f->path));
	assert_non_null(strstr(f->err, "no room"));
	assert_non_null(strstr(f->err, "3 requests are missing"));
	r = replay(f);
	assert_true(r.whole && r.s->incomplete);
	assert_int_equal(r.s->coverage.requests, 1);
	forget(&r);
}

/* A request of about a megabyte. */
static struct request
large(struct fixture *f)
{
	static char value[1 << 20];
	static const struct req_tag tag = { "note", value };
	struct request r = *add(f, AGAIN);

	memset(value, 'x', sizeof value - 1);
	r.tags = &tag;
	r.ntags = 1;
	return r;
}

static sqlite3 *
lock(const char *path)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 60000);	/* the store may be writing just now */
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static void
a_slow_disk_costs_requests_and_no_time(void **state)
{
	struct fixture *f = *state;
	struct request r;
	struct replayed back;
	sqlite3 *db;

	begin(f);
	r = large(f);
	db = lock(f->path);
	/* More than the queue holds besides a batch the thread has taken already. */
	for (uint32_t sent = 0; sent < 140; sent++)
		store_request(f->store, &r);
	sqlite3_close(db);
	assert_false(finish(f));
	assert_non_null(strstr(f->err, "the disk was too slow"));
	back = replay(f);
	assert_true(back.whole && back.s->incomplete && !back.s->trusted);
	assert_true(back.s->coverage.lost > 10 && back.s->coverage.lost < 140);
	forget(&back);
}

static void *
unlock_later(void *db)
{
	usleep(500000);
	sqlite3_close(db);
	return NULL;
}

static void
the_patient_lose_nothing(void **state)
{
	struct fixture *f = *state;
	struct request r;
	pthread_t thread;

	begin(f);
	store_patient(f->store);
	r = large(f);
	assert_int_equal(pthread_create(&thread, NULL, unlock_later, lock(f->path)), 0);
	for (uint32_t sent = 0; sent < 60; sent++)
		store_request(f->store, &r);
	pthread_join(thread, NULL);
	assert_finishes(f);
	assert_string_equal(ask(f->path, "SELECT count(*), sum(queries) FROM requests"), "61|427\n");
}

/* ---- damage ---- */

/* Opens and replays; whatever comes of it, nothing crashes, and what is wrong is said. True when nothing seemed wrong. */
static bool
survives(struct fixture *f)
{
	struct recording *rec = recording_open(f->path, f->err, sizeof f->err);
	struct replayed r;
	bool whole;

	if (!rec) {
		assert_non_null(strstr(f->err, f->path));
		return false;
	}
	r = replay_opened(f, rec);
	whole = r.whole && !r.s->incomplete;
	forget(&r);
	return whole;
}

static void
a_truncated_file_is_no_whole_recording(void **state)
{
	struct fixture *f = *state;
	size_t n;
	char *bytes;

	begin(f);
	add(f, ORDERS);
	add(f, MAIL);
	assert_finishes(f);
	bytes = read_bytes(f->path, &n);
	for (size_t cut = 0; cut < n; cut += 1024) {
		write_bytes(f->path, bytes, cut);
		if (survives(f))
			fail_msg("nothing noticed at %zu of %zu", cut, n);
	}
	write_bytes(f->path, bytes, n);
	assert_true(survives(f));
	free(bytes);
}

static void
damage_anywhere_does_no_harm(void **state)
{
	struct fixture *f = *state;
	unsigned noticed = 0;
	size_t n;
	char *bytes;

	begin(f);
	add(f, ORDERS);
	add(f, MAIL);
	add_stray(f, "| SET x = 1\n");
	assert_finishes(f);
	bytes = read_bytes(f->path, &n);
	for (size_t i = 0; i < n; i += 61) {
		if (bytes[i] == 0 && i % 7)	/* most of the file is empty space */
			continue;
		bytes[i] = (char)~bytes[i];
		write_bytes(f->path, bytes, n);
		noticed += !survives(f);
		bytes[i] = (char)~bytes[i];
	}
	assert_true(noticed > 10);
	free(bytes);
}

/* What SQLite finds in order may still be nonsense. */
static void
rows_of_nonsense_do_no_harm(void **state)
{
	static const char *const damage[] = { "UPDATE requests SET data = NULL", "UPDATE requests SET data = x'01'", "UPDATE requests SET data = 'text'",
		"UPDATE requests SET data = zeroblob(1000000)", "UPDATE shapes SET data = x''", "UPDATE shapes SET data = x'ffffffffff'",
		"UPDATE shapes SET fingerprint = ''", "UPDATE shapes SET id = id + 1000000000", "DELETE FROM shapes", "DROP TABLE shapes", "DROP TABLE requests",
		"DROP TABLE strays", "UPDATE strays SET data = x'ffffffffffffffff7f'",
		"CREATE TABLE r AS SELECT * FROM requests; DROP TABLE requests; CREATE VIEW requests AS SELECT id, number, scope FROM r" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
		char statements[400];

		begin(f);
		add(f, ORDERS);
		add_stray(f, "| SET x = 1\n");
		assert_finishes(f);
		assert_true(survives(f));
		snprintf(statements, sizeof statements, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, ' NOT NULL', '')");
		sql(f->path, statements);
		sql(f->path, damage[i]);
		f->err[0] = '\0';
		if (survives(f))
			fail_msg("not noticed: %s", damage[i]);
		assert_non_null(strstr(f->err, "damaged"));
	}
}

/* No text needs to be a text, no number a number: the report is odd then, and written. */
static void
odd_values_are_shown_as_they_can_be(void **state)
{
	struct fixture *f = *state;
	struct replayed r;

	begin(f);
	add(f, ORDERS);
	assert_finishes(f);
	sql(f->path, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, ' NOT NULL', '')");
	sql(f->path, "UPDATE requests SET scope = NULL, test = x'00ff', number = 'many', key = 7; UPDATE upstreams SET name = NULL, server = NULL;"
		     "UPDATE meta SET value = NULL WHERE key NOT IN ('fingerprint_version', 'complete')");
	r = replay(f);
	assert_true(r.whole);
	assert_same_report(FORMAT_JSON, r.s, r.s);
	forget(&r);
}

/* Three values as a worker lays them: "42", NULL, one that is not known. */
static struct stmt_values
some_values(char *room)
{
	static const struct {
		int32_t n;
		uint32_t type;
		const char *text;
	} v[] = { { 2, 23, "42" }, { -1, 25, "" }, { -2, 0, "" } };
	size_t used = 0;

	for (int i = 0; i < 3; i++) {
		memcpy(room + used, &v[i].n, 4);
		memcpy(room + used + 4, &v[i].type, 4);
		memcpy(room + used + 8, v[i].text, strlen(v[i].text));
		used += 8 + strlen(v[i].text);
	}
	return (struct stmt_values){ .session = 7, .seq = 3, .lang = { SQL_POSTGRESQL, SQL_MODE_BACKSLASH }, .text = SPAN_LIT("SELECT a FROM t WHERE k = $1"),
		.n = 3, .values = span_of(room, used) };
}

static void
with_values(struct fixture *f, bool values)
{
	struct run_info *run = &f->c->run;
	char room[64];
	struct stmt_values v = some_values(room);

	f->store = store_open(f->path, run->command, run->started_us, f->c->cfg.upstreams, f->c->cfg.nupstreams, values, f->err, sizeof f->err);
	assert_non_null(f->store);
	store_values(f->store, &v);
	add(f, AGAIN);
	assert_finishes(f);
}

static void
values_are_kept_where_asked_for(void **state)
{
	struct fixture *f = *state;
	struct arena a = { 0 };
	struct stmt_values back, want;
	struct recording *rec;
	struct stat st;
	char room[64];

	with_values(f, true);
	want = some_values(room);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	rec = recording_open(f->path, f->err, sizeof f->err);
	assert_non_null(rec);
	assert_true(recording_has_values(rec));
	assert_true(recording_values(rec, 7, 3, &back, &a));
	assert_true(span_eq(back.text, want.text) && span_eq(back.values, want.values));
	assert_true(back.n == 3 && back.lang.modes == want.lang.modes && back.lang.dialect == want.lang.dialect);
	assert_false(recording_values(rec, 7, 4, &back, &a));
	assert_false(recording_values(rec, 8, 3, &back, &a));
	recording_close(rec);
	arena_clear(&a);
}

static void
without_asking_no_value_is_kept(void **state)
{
	struct fixture *f = *state;
	struct arena a = { 0 };
	struct stmt_values back;
	struct recording *rec;

	with_values(f, false);
	rec = recording_open(f->path, f->err, sizeof f->err);
	assert_non_null(rec);
	assert_false(recording_has_values(rec));
	assert_false(recording_values(rec, 7, 3, &back, &a));
	recording_close(rec);
	arena_clear(&a);
}

static bool
readable_after(struct fixture *f, const char *change)
{
	struct arena a = { 0 };
	struct stmt_values back;
	struct recording *rec;
	sqlite3 *db;
	bool ok;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, change, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	rec = recording_open(f->path, f->err, sizeof f->err);
	assert_non_null(rec);
	ok = recording_values(rec, 7, 3, &back, &a);
	recording_close(rec);
	arena_clear(&a);
	return ok;
}

/* The packed values cut anywhere, or longer than they are. */
static void
damaged_values_are_none(void **state)
{
	struct fixture *f = *state;
	char sql[160];

	with_values(f, true);
	assert_true(readable_after(f, "INSERT INTO texts SELECT 1000, seq, text, data FROM texts"));
	for (int n = 0; n < 11; n++) {
		snprintf(sql, sizeof sql, "UPDATE texts SET data = (SELECT substr(data, 1, %d) FROM texts WHERE session = 1000) WHERE session = 7", n);
		assert_false(readable_after(f, sql));
	}
	assert_false(readable_after(f, "UPDATE texts SET data = (SELECT CAST(data || X'00' AS BLOB) FROM texts WHERE session = 1000) WHERE session = 7"));
	assert_true(readable_after(f, "UPDATE texts SET data = (SELECT data FROM texts WHERE session = 1000) WHERE session = 7"));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(a_report_from_a_recording_is_the_live_one),
		TEST(values_are_kept_where_asked_for),
		TEST(without_asking_no_value_is_kept),
		TEST(damaged_values_are_none),
		TEST(coverage_and_servers_come_back),
		TEST(an_empty_run_is_recorded_too),
		TEST(requests_keep_the_order_they_closed_in),
		TEST(any_run_is_the_live_one),
		TEST(strays_of_more_than_one_row),
		TEST(tables_are_readable_without_us),
		TEST(foreign_files_are_left_alone),
		TEST(what_is_no_file_is_refused),
		TEST(what_is_not_there_is_said),
		TEST(other_versions_are_refused_in_words),
		TEST(an_old_recording_is_replaced),
		TEST(a_recording_in_use_is_not_replaced),
		TEST(an_aborted_run_is_readable_and_incomplete),
		TEST(a_killed_run_is_readable_and_incomplete),
		TEST(a_run_killed_at_once_is_readable),
		TEST(a_recording_can_be_read_while_it_is_written),
		TEST(a_reader_does_no_harm_to_the_end),
		TEST(what_was_written_before_a_failure_stays),
		TEST(a_slow_disk_costs_requests_and_no_time),
		TEST(the_patient_lose_nothing),
		TEST(a_truncated_file_is_no_whole_recording),
		TEST(damage_anywhere_does_no_harm),
		TEST(rows_of_nonsense_do_no_harm),
		TEST(odd_values_are_shown_as_they_can_be),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
