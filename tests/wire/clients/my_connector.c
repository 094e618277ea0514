/* SPDX-License-Identifier: Apache-2.0 */
/* MariaDB Connector/C: what only its API does: direct execution, type memory, cached metadata, long data, cursors, bulk, FIELD_LIST and
 * friends, COM_CHANGE_USER, COM_RESET_CONNECTION. Built and run by hand to record a transcript; answers are read and dropped. */
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static MYSQL *db;

static void
must(int rc, const char *what)
{
	if (rc) {
		fprintf(stderr, "%s: %s\n", what, mysql_error(db));
		exit(1);
	}
}

static void
text(const char *sql)
{
	MYSQL_RES *r;

	must(mysql_query(db, sql), sql);
	do {
		r = mysql_store_result(db);
		if (r)
			mysql_free_result(r);
	} while (mysql_next_result(db) == 0);
}

static void
drain(MYSQL_STMT *s)
{
	do {
		if (mysql_stmt_field_count(s)) {
			mysql_stmt_store_result(s);
			mysql_stmt_free_result(s);
		}
	} while (mysql_stmt_next_result(s) == 0);
}

static void
prepared(void)
{
	static const char sql[] = "select id, name, at, d, f, n from t where id = ? or name = ?";
	MYSQL_STMT *s = mysql_stmt_init(db);
	int id = 1;
	char name[] = "two";
	unsigned long length = 3;
	MYSQL_BIND b[2] = { { .buffer_type = MYSQL_TYPE_LONG, .buffer = &id },
		{ .buffer_type = MYSQL_TYPE_STRING, .buffer = name, .length = &length, .buffer_length = 3 } };

	must(mysql_stmt_prepare(s, sql, sizeof sql - 1), sql);
	mysql_stmt_bind_param(s, b);
	for (id = 1; id < 4; id++) {
		must(mysql_stmt_execute(s), "execute");
		drain(s);
	}
	mysql_stmt_close(s);
}

static void
long_data(void)
{
	static const char sql[] = "insert into t (name, b) values (?, ?)";
	MYSQL_STMT *s = mysql_stmt_init(db);
	char name[] = "long";
	unsigned long length = 4;
	MYSQL_BIND b[2] = { { .buffer_type = MYSQL_TYPE_STRING, .buffer = name, .length = &length, .buffer_length = 4 },
		{ .buffer_type = MYSQL_TYPE_BLOB } };

	must(mysql_stmt_prepare(s, sql, sizeof sql - 1), sql);
	mysql_stmt_bind_param(s, b);
	mysql_stmt_send_long_data(s, 1, "first part ", 11);
	mysql_stmt_send_long_data(s, 1, "second part", 11);
	must(mysql_stmt_execute(s), "execute with long data");
	mysql_stmt_reset(s);
	mysql_stmt_close(s);
}

static void
cursor(void)
{
	static const char sql[] = "select seq, concat('row ', seq) from seq_1_to_5";
	unsigned long type = CURSOR_TYPE_READ_ONLY, rows = 2;
	MYSQL_STMT *s = mysql_stmt_init(db);

	mysql_stmt_attr_set(s, STMT_ATTR_CURSOR_TYPE, &type);
	mysql_stmt_attr_set(s, STMT_ATTR_PREFETCH_ROWS, &rows);
	must(mysql_stmt_prepare(s, sql, sizeof sql - 1), sql);
	must(mysql_stmt_execute(s), "execute with a cursor");
	while (mysql_stmt_fetch(s) == 0)
		;
	must(mysql_stmt_execute(s), "execute with a cursor again");
	mysql_stmt_fetch(s);
	mysql_stmt_close(s);
}

static void
bulk(void)
{
	static const char sql[] = "insert into t (id, name) values (?, ?)";
	MYSQL_STMT *s = mysql_stmt_init(db);
	unsigned int rows = 3;
	int ids[3] = { 100, 101, 102 };
	char *names[3] = { "a", "bb", NULL };
	unsigned long lengths[3] = { 1, 2, 0 };
	char indicators[3] = { STMT_INDICATOR_NONE, STMT_INDICATOR_NONE, STMT_INDICATOR_NULL };
	MYSQL_BIND b[2] = { { .buffer_type = MYSQL_TYPE_LONG, .buffer = ids },
		{ .buffer_type = MYSQL_TYPE_STRING, .buffer = names, .length = lengths, .u.indicator = indicators } };

	must(mysql_stmt_prepare(s, sql, sizeof sql - 1), sql);
	mysql_stmt_attr_set(s, STMT_ATTR_ARRAY_SIZE, &rows);
	mysql_stmt_bind_param(s, b);
	must(mysql_stmt_execute(s), "bulk");
	mysql_stmt_close(s);
}

static void
direct(const char *sql)
{
	MYSQL_STMT *s = mysql_stmt_init(db);

	if (mariadb_stmt_execute_direct(s, sql, strlen(sql)) == 0)
		drain(s);
	mysql_stmt_close(s);
}

static void
odds_and_ends(void)
{
	MYSQL_RES *r;

	mysql_stat(db);
	mysql_ping(db);
	if ((r = mysql_list_fields(db, "t", NULL)))
		mysql_free_result(r);
	if ((r = mysql_list_processes(db)))
		mysql_free_result(r);
	mysql_dump_debug_info(db);
	mysql_refresh(db, REFRESH_STATUS);
	mysql_set_server_option(db, MYSQL_OPTION_MULTI_STATEMENTS_ON);
	text("select 1; select 2");
	mysql_set_server_option(db, MYSQL_OPTION_MULTI_STATEMENTS_OFF);
	mysql_select_db(db, "mysql");
	mysql_select_db(db, "nowhere");
	mysql_select_db(db, "d");
	mysql_kill(db, 4000000000u);
}

int
main(void)
{
	db = mysql_init(NULL);
	mysql_options4(db, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "my_connector");
	if (!mysql_real_connect(db, getenv("MYSQL_HOST"), "app", "app", "d", (unsigned)strtoul(getenv("MYSQL_TCP_PORT"), NULL, 10), NULL,
	    CLIENT_MULTI_RESULTS)) {
		fprintf(stderr, "%s\n", mysql_error(db));
		return 1;
	}
	text("create or replace table t (id int primary key auto_increment, name varchar(20), at datetime(6), d double, f float, n decimal(6,2), b blob)");
	text("insert into t values (1, 'one', '2020-01-02 03:04:05.678901', 0.1, 0.1, 1.50, null), (2, 'two', '2020-01-02', -1e300, 1e10, null, null)");
	prepared();
	long_data();
	cursor();
	bulk();
	direct("select name, ? from t where id = 1");
	direct("select 1, 'x'");
	direct("selec");
	odds_and_ends();
	text("create or replace procedure p(inout a int) begin select 1; set a = a + 1; end");
	direct("call p(@a)");
	mysql_change_user(db, "app", "app", "d");
	text("select 1");
	mysql_reset_connection(db);
	text("drop table t");
	text("drop procedure p");
	mysql_close(db);
	return 0;
}
