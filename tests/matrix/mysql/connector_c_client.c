/* SPDX-License-Identifier: Apache-2.0 */
/* MariaDB Connector/C: every command it can send: text and binary protocol, cursors, long data, arrays, resets, change of user, local infile.
 * Prints what it got; a connection that cannot be made ends it with status 1. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mysql.h>

#define LARGE (32 << 20)
#define WIDTH 64
#define COLUMNS 32

static MYSQL *db;

static void
section(const char *name)
{
	printf("== %s\n", name);
}

static MYSQL *
connected(void)
{
	MYSQL *m = mysql_init(NULL);
	unsigned long packet = 64 << 20;
	unsigned int on = 1;

	mysql_options(m, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
	mysql_options(m, MYSQL_OPT_LOCAL_INFILE, &on);
	mysql_options(m, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (!mysql_real_connect(m, getenv("MYSQL_HOST"), getenv("MYSQL_USER"), getenv("MYSQL_PWD"), getenv("MYSQL_DATABASE"),
	    (unsigned)atoi(getenv("MYSQL_TCP_PORT")), NULL, CLIENT_MULTI_STATEMENTS | CLIENT_REMEMBER_OPTIONS)) {
		printf("connect: %s\n", mysql_error(m));
		exit(1);
	}
	return m;
}

static void
trouble(void)
{
	printf("%u %s %s\n", mysql_errno(db), mysql_sqlstate(db), mysql_error(db));
}

static void
show_result(MYSQL_RES *res)
{
	unsigned int n = mysql_num_fields(res), i;
	unsigned long *lengths;
	MYSQL_ROW row;

	while ((row = mysql_fetch_row(res)) != NULL) {
		lengths = mysql_fetch_lengths(res);
		for (i = 0; i < n; i++)
			printf("%.*s | ", row[i] ? (int)(lengths[i] < 80 ? lengths[i] : 80) : 4, row[i] ? row[i] : "NULL");
		printf("\n");
	}
	mysql_free_result(res);
}

/* Every result of a text. */
static void
ask_as(const char *sql, bool stored)
{
	int more = mysql_query(db, sql);

	while (more == 0) {
		MYSQL_RES *res = stored ? mysql_store_result(db) : mysql_use_result(db);

		if (res)
			show_result(res);
		else
			printf("%llu affected, %u warnings\n", (unsigned long long)mysql_affected_rows(db), mysql_warning_count(db));
		more = mysql_next_result(db);
	}
	if (more > 0)
		trouble();
}

static void
ask(const char *sql)
{
	ask_as(sql, true);
}

static void
show_rows(MYSQL_STMT *s)
{
	static char text[COLUMNS][WIDTH];
	MYSQL_BIND out[COLUMNS];
	unsigned long length[COLUMNS];
	my_bool null[COLUMNS];
	unsigned int n = mysql_stmt_field_count(s), i;

	memset(out, 0, sizeof out);
	for (i = 0; i < n && i < COLUMNS; i++) {
		out[i].buffer_type = MYSQL_TYPE_STRING;
		out[i].buffer = text[i];
		out[i].buffer_length = WIDTH;
		out[i].length = &length[i];
		out[i].is_null = &null[i];
	}
	mysql_stmt_bind_result(s, out);
	while ((i = (unsigned)mysql_stmt_fetch(s)) == 0 || i == MYSQL_DATA_TRUNCATED) {
		for (i = 0; i < n; i++)
			printf("%.*s | ", null[i] ? 4 : (int)(length[i] < WIDTH ? length[i] : WIDTH), null[i] ? "NULL" : text[i]);
		printf("\n");
	}
	if (i == 1)
		printf("%u %s\n", mysql_stmt_errno(s), mysql_stmt_error(s));
}

/* Every result of an execution. */
static void
execute(MYSQL_STMT *s)
{
	if (mysql_stmt_execute(s)) {
		printf("%u %s %s\n", mysql_stmt_errno(s), mysql_stmt_sqlstate(s), mysql_stmt_error(s));
		return;
	}
	do {
		if (mysql_stmt_field_count(s))
			show_rows(s);
		else
			printf("%llu affected\n", (unsigned long long)mysql_stmt_affected_rows(s));
		mysql_stmt_free_result(s);
	} while (mysql_stmt_next_result(s) == 0);
}

static MYSQL_STMT *
prepared(const char *sql)
{
	MYSQL_STMT *s = mysql_stmt_init(db);

	if (mysql_stmt_prepare(s, sql, strlen(sql)))
		printf("%u %s %s\n", mysql_stmt_errno(s), mysql_stmt_sqlstate(s), mysql_stmt_error(s));
	return s;
}

static void
ask_number(const char *sql, int value)
{
	MYSQL_STMT *s = prepared(sql);
	MYSQL_BIND in = { .buffer_type = MYSQL_TYPE_LONG, .buffer = &value };

	mysql_stmt_bind_param(s, &in);
	execute(s);
	mysql_stmt_close(s);
}

static void
types(void)
{
	section("types");
	ask("SELECT * FROM types ORDER BY id");
	ask_as("SELECT * FROM types ORDER BY id", false);
	ask_number("SELECT * FROM types WHERE id <> ? ORDER BY id", 9);
}

static void
bind_all(void)
{
	MYSQL_STMT *s = prepared("INSERT INTO bound VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
	int i = 1;
	long long l = 8000000000, u = -1;
	double f = 2.25;
	MYSQL_TIME at = { .year = 2024, .month = 2, .day = 29, .hour = 13, .minute = 14, .second = 15, .second_part = 161718,
		.time_type = MYSQL_TIMESTAMP_DATETIME };
	unsigned long seven = 7, two = 2, four = 4;
	MYSQL_BIND in[9] = {
		{ .buffer_type = MYSQL_TYPE_LONG, .buffer = &i },
		{ .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &l },
		{ .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &u, .is_unsigned = 1 },
		{ .buffer_type = MYSQL_TYPE_DOUBLE, .buffer = &f },
		{ .buffer_type = MYSQL_TYPE_NEWDECIMAL, .buffer = (char[]){ "12.5" }, .buffer_length = 4, .length = &four },
		{ .buffer_type = MYSQL_TYPE_STRING, .buffer = (char[]){ "Gr\xc3\xbc\xc3\x9f" "e" }, .buffer_length = 7, .length = &seven },
		{ .buffer_type = MYSQL_TYPE_BLOB, .buffer = (char[]){ '\0', '\xff' }, .buffer_length = 2, .length = &two },
		{ .buffer_type = MYSQL_TYPE_DATETIME, .buffer = &at },
		{ .buffer_type = MYSQL_TYPE_NULL },
	};

	mysql_stmt_bind_param(s, in);
	execute(s);
	execute(s);
	mysql_stmt_close(s);
	ask("SELECT i, l, u, f, d, t, HEX(y), at, missing FROM bound");
}

static void
statements(void)
{
	MYSQL_STMT *s;
	int n;
	MYSQL_BIND in = { .buffer_type = MYSQL_TYPE_LONG, .buffer = &n };

	section("prepared");
	bind_all();
	s = prepared("SELECT t FROM numbers WHERE n = ?");
	for (n = 1; n <= 5; n++) {
		mysql_stmt_bind_param(s, &in);
		execute(s);
	}
	printf("reset %d\n", mysql_stmt_reset(s));
	execute(s);
	mysql_stmt_close(s);
	s = mysql_stmt_init(db);
	printf("direct %d\n", mariadb_stmt_execute_direct(s, "SELECT 'at once'", 16));
	show_rows(s);
	mysql_stmt_close(s);
	ask_number("CALL several(?)", 2);
}

static void
errors(void)
{
	section("errors");
	ask("SELEC 1");
	ask("SELECT 1; SELECT nothing; SELECT 2 AS never");
	ask("INSERT INTO sink VALUES (1, 'one'), (1, 'again')");
	mysql_stmt_close(prepared("SELEC ?"));
	ask_number("INSERT INTO sink SELECT n, t FROM numbers WHERE n = ? UNION ALL SELECT 1, 'again'", 1);
	ask("CALL fails()");
}

static void
transactions(void)
{
	section("transactions");
	ask("START TRANSACTION; INSERT INTO sink VALUES (1, 'kept'); SAVEPOINT here");
	ask("INSERT INTO sink VALUES (1, 'refused')");
	ask("ROLLBACK TO here");
	printf("commit %d\n", mysql_commit(db));
	mysql_autocommit(db, 0);
	ask("DELETE FROM sink");
	printf("rollback %d\n", mysql_rollback(db));
	mysql_autocommit(db, 1);
	ask("SELECT * FROM sink");
}

static void
cursors(void)
{
	MYSQL_STMT *s = mysql_stmt_init(db);
	unsigned long type = CURSOR_TYPE_READ_ONLY, rows = 7;
	int n, sum = 0;
	MYSQL_BIND out = { .buffer_type = MYSQL_TYPE_LONG, .buffer = &n };
	const char *sql = "SELECT n FROM numbers ORDER BY n";

	section("cursors");
	mysql_stmt_attr_set(s, STMT_ATTR_CURSOR_TYPE, &type);
	mysql_stmt_attr_set(s, STMT_ATTR_PREFETCH_ROWS, &rows);
	mysql_stmt_prepare(s, sql, strlen(sql));
	if (mysql_stmt_execute(s))
		printf("%s\n", mysql_stmt_error(s));
	mysql_stmt_bind_result(s, &out);
	while (mysql_stmt_fetch(s) == 0)
		sum += n;
	printf("%d\n", sum);
	mysql_stmt_execute(s);
	mysql_stmt_fetch(s);
	printf("left open after %d\n", n);
	mysql_stmt_close(s);
}

static void
batch(void)
{
	enum { N = 200 };
	static int ids[N];
	static char *notes[N];
	unsigned int size = N, i;
	MYSQL_STMT *s = prepared("INSERT INTO sink VALUES (?, ?)");
	MYSQL_BIND in[2] = { { .buffer_type = MYSQL_TYPE_LONG, .buffer = ids }, { .buffer_type = MYSQL_TYPE_STRING, .buffer = notes } };
	static unsigned long lengths[N];

	section("batch");
	for (i = 0; i < N; i++) {
		ids[i] = 100 + (int)i;
		notes[i] = (char[]){ "bulk" };
		lengths[i] = 4;
	}
	in[1].length = lengths;
	mysql_stmt_attr_set(s, STMT_ATTR_ARRAY_SIZE, &size);
	mysql_stmt_bind_param(s, in);
	execute(s);
	execute(s);
	mysql_stmt_close(s);
	ask("SELECT COUNT(*) FROM sink");
}

/* mysql_send_query twice before the first answer is read would be refused by the library; executions of several statements are not. */
static void
commands(void)
{
	MYSQL_RES *res;
	const char *words;

	section("commands");
	printf("ping %d\n", mysql_ping(db));
	words = mysql_stat(db);
	printf("stat %.6s\n", words ? words : "none");
	res = mysql_list_fields(db, "types", "a%");
	printf("fields %u\n", res ? mysql_num_fields(res) : 0);
	mysql_free_result(res);
	res = mysql_list_processes(db);
	printf("processes %d\n", res != NULL);
	mysql_free_result(res);
	printf("select_db %d\n", mysql_select_db(db, getenv("MYSQL_DATABASE")));
	printf("refused %d\n", mysql_select_db(db, "nowhere"));
	printf("multi off %d\n", mysql_set_server_option(db, MYSQL_OPTION_MULTI_STATEMENTS_OFF));
	ask("SELECT 1; SELECT 2");
	printf("multi on %d\n", mysql_set_server_option(db, MYSQL_OPTION_MULTI_STATEMENTS_ON));
	printf("dump %d\n", mysql_dump_debug_info(db));
	printf("refresh %d\n", mysql_refresh(db, REFRESH_TABLES));
	printf("reset %d\n", mysql_reset_connection(db));
	printf("refused %d\n", mysql_change_user(db, getenv("MYSQL_USER"), "wrong", NULL));
	mysql_close(db);
	db = connected();
	printf("change user %d\n", mysql_change_user(db, getenv("MYSQL_USER"), getenv("MYSQL_PWD"), getenv("MYSQL_DATABASE")));
	ask("SELECT 'after'");
}

static void
load(void)
{
	char name[] = "/tmp/matrix-load-XXXXXX", sql[200];
	int fd = mkstemp(name), i;
	FILE *f = fdopen(fd, "w");

	section("load");
	for (i = 1000; i < 40000; i++)
		fprintf(f, "%d\tloaded\n", i);
	fclose(f);
	snprintf(sql, sizeof sql, "LOAD DATA LOCAL INFILE '%s' INTO TABLE sink", name);
	ask(sql);
	unlink(name);
	ask("SELECT COUNT(*) FROM sink");
}

static void
large(void)
{
	char *text = malloc(LARGE);
	MYSQL_STMT *s = prepared("SELECT LENGTH(?), MD5(?)");
	MYSQL_BIND in[2] = { { .buffer_type = MYSQL_TYPE_LONG_BLOB }, { .buffer_type = MYSQL_TYPE_LONG_BLOB } };
	MYSQL_RES *res;
	size_t sent;

	section("large");
	if (text == NULL)
		exit(1);
	memset(text, 'y', LARGE);
	mysql_stmt_bind_param(s, in);
	for (sent = 0; sent < LARGE; sent += LARGE / 4)
		mysql_stmt_send_long_data(s, 0, text + sent, LARGE / 4);
	mysql_stmt_send_long_data(s, 1, text, 10);
	execute(s);
	mysql_stmt_close(s);
	free(text);
	mysql_query(db, "SELECT REPEAT('x', 33554432)");
	res = mysql_use_result(db);
	mysql_fetch_row(res);
	printf("%lu\n", mysql_fetch_lengths(res)[0]);
	mysql_free_result(res);
}

static void
killed(void)
{
	section("kill");
	ask("KILL QUERY CONNECTION_ID()");
	ask("SELECT 'after'");
	mysql_query(db, "KILL CONNECTION_ID()");
	printf("killed %d\n", mysql_ping(db) != 0);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	db = connected();
	types();
	statements();
	errors();
	transactions();
	cursors();
	batch();
	commands();
	load();
	large();
	killed();
	mysql_close(db);
	return 0;
}
