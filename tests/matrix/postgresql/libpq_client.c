/* SPDX-License-Identifier: Apache-2.0 */
/* libpq: pipeline mode with flush requests and errors, single-row mode, binary results, COPY both ways, cancel, 32 MB both ways.
 * Prints what it got; any failure of the connection itself ends it with status 1. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libpq-fe.h>

#define LARGE (32 << 20)

static PGconn *conn;

static void
die(const char *what)
{
	printf("%s: %s", what, PQerrorMessage(conn));
	exit(1);
}

static PGconn *
connected(void)
{
	PGconn *c = PQconnectdb("");

	if (PQstatus(c) != CONNECTION_OK) {
		conn = c;
		die("connect");
	}
	PQsetErrorVerbosity(c, PQERRORS_VERBOSE);
	return c;
}

static void
show(PGresult *r)
{
	int row, col;

	printf("%s %s\n", PQresStatus(PQresultStatus(r)), PQcmdStatus(r));
	if (PQresultStatus(r) == PGRES_FATAL_ERROR)
		printf("%s", PQresultErrorMessage(r));
	for (row = 0; row < PQntuples(r); row++)
		for (col = 0; col < PQnfields(r); col++)
			if (PQgetisnull(r, row, col))
				printf("  %s NULL\n", PQfname(r, col));
			else if (PQfformat(r, col) == 0)
				printf("  %s %.80s\n", PQfname(r, col), PQgetvalue(r, row, col));
			else {
				int i;

				printf("  %s ", PQfname(r, col));
				for (i = 0; i < PQgetlength(r, row, col) && i < 40; i++)
					printf("%02x", (unsigned char)PQgetvalue(r, row, col)[i]);
				printf("\n");
			}
	PQclear(r);
}

static void
ask(const char *sql)
{
	show(PQexec(conn, sql));
}

static void
section(const char *name)
{
	printf("== %s\n", name);
}

static void
types(void)
{
	section("types");
	ask("SELECT * FROM types ORDER BY id");
	/* The type of enum and arrays of it has an oid that differs from run to run, so binary takes the plain ones. */
	show(PQexecParams(conn, "SELECT id, a_smallint, a_bigint, a_numeric, a_real, a_double, a_bool, a_text, a_bytea, a_date, a_time, "
	    "a_timestamptz, an_interval, a_uuid, a_jsonb, an_inet, ints, a_range FROM types ORDER BY id", 0, NULL, NULL, NULL, NULL, 1));
}

static void
prepared(void)
{
	const char *values[] = { "3" };
	const Oid int4 = 23;

	section("prepared");
	show(PQprepare(conn, "one", "SELECT t FROM numbers WHERE n = $1", 1, &int4));
	show(PQdescribePrepared(conn, "one"));
	show(PQexecPrepared(conn, "one", 1, values, NULL, NULL, 0));
	show(PQexecPrepared(conn, "one", 1, values, NULL, NULL, 1));
	ask("EXECUTE one (4)");
	ask("DEALLOCATE one");
	show(PQexecPrepared(conn, "one", 1, values, NULL, NULL, 0));
	show(PQexecParams(conn, "SELEC $1", 1, &int4, values, NULL, NULL, 0));
}

static void
drain_pipeline(int syncs)
{
	while (syncs > 0) {
		PGresult *r = PQgetResult(conn);

		if (r == NULL) {
			printf("-\n");
			continue;
		}
		if (PQresultStatus(r) == PGRES_PIPELINE_SYNC)
			syncs--;
		show(r);
	}
}

static void
send_number(const char *sql, const char *value)
{
	if (!PQsendQueryParams(conn, sql, 1, NULL, &value, NULL, NULL, 0))
		die("send");
}

static void
pipeline(void)
{
	PGresult *r;
	int i;

	section("pipeline");
	PQenterPipelineMode(conn);
	for (i = 0; i < 5; i++)
		send_number("SELECT t FROM numbers WHERE n = $1::int", i % 2 ? "1" : "2");
	PQsendPrepare(conn, "named", "INSERT INTO sink VALUES ($1, 'pipelined')", 1, NULL);
	PQpipelineSync(conn);
	drain_pipeline(1);

	/* An error in the middle: what follows up to the sync is skipped, what follows the sync is not. */
	send_number("INSERT INTO sink VALUES ($1::int, 'undone')", "100");
	send_number("SELECT 1 / $1::int", "0");
	send_number("SELECT $1::int AS skipped", "1");
	PQpipelineSync(conn);
	send_number("SELECT count(*) FROM sink WHERE id = $1::int", "100");
	PQpipelineSync(conn);
	drain_pipeline(2);

	/* Flush requests: answers without a sync. */
	send_number("SELECT $1::int AS flushed", "7");
	PQsendFlushRequest(conn);
	PQflush(conn);
	show(PQgetResult(conn));
	while ((r = PQgetResult(conn)) != NULL)
		show(r);
	send_number("SELECT $1::int AS later", "8");
	PQpipelineSync(conn);
	drain_pipeline(1);
	PQexitPipelineMode(conn);
}

static void
transactions(void)
{
	section("transactions");
	ask("BEGIN");
	ask("INSERT INTO sink VALUES (1, 'kept')");
	ask("SAVEPOINT here");
	ask("INSERT INTO sink VALUES (1, 'refused')");
	ask("SELECT 1");
	ask("ROLLBACK TO SAVEPOINT here");
	ask("COMMIT");
	ask("BEGIN; DELETE FROM sink; ROLLBACK; SELECT count(*) FROM sink");
}

static void
cursors(void)
{
	PGresult *r;
	int rows = 0;

	section("cursors");
	PQsendQuery(conn, "SELECT n FROM numbers; SELECT 'second'");
	PQsetSingleRowMode(conn);
	while ((r = PQgetResult(conn)) != NULL) {
		rows += PQntuples(r);
		PQclear(r);
	}
	printf("%d rows\n", rows);
	ask("BEGIN");
	ask("DECLARE c BINARY CURSOR FOR SELECT n FROM numbers ORDER BY n");
	ask("FETCH 2 FROM c");
	show(PQdescribePortal(conn, "c"));
	ask("COMMIT");
}

static void
copy(void)
{
	char line[64], *buf;
	size_t bytes = 0;
	int i, n;

	section("copy");
	PQclear(PQexec(conn, "COPY sink FROM STDIN"));
	for (i = 1000; i < 20000; i++) {
		n = snprintf(line, sizeof line, "%d\tcopied\n", i);
		PQputCopyData(conn, line, n);
	}
	PQputCopyEnd(conn, NULL);
	show(PQgetResult(conn));
	PQclear(PQgetResult(conn));
	PQclear(PQexec(conn, "COPY sink FROM STDIN"));
	PQputCopyData(conn, "1\trefused\n", 10);
	PQputCopyEnd(conn, "the client gave up");
	show(PQgetResult(conn));
	PQclear(PQgetResult(conn));
	PQclear(PQexecParams(conn, "COPY sink TO STDOUT", 0, NULL, NULL, NULL, NULL, 0));
	while ((n = PQgetCopyData(conn, &buf, 0)) > 0) {
		bytes += (size_t)n;
		PQfreemem(buf);
	}
	show(PQgetResult(conn));
	PQclear(PQgetResult(conn));
	printf("%zu bytes\n", bytes);
}

/* Waits until the server runs the statement that is to be cancelled. */
static void
await_sleeper(void)
{
	PGconn *other = connected();
	bool asleep = false;

	while (!asleep) {
		PGresult *r = PQexec(other, "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'");

		asleep = strcmp(PQgetvalue(r, 0, 0), "1") == 0;
		PQclear(r);
		usleep(20000);
	}
	PQfinish(other);
}

static void
cancel(void)
{
	PGcancel *key = PQgetCancel(conn);
	char error[256];

	section("cancel");
	PQsendQuery(conn, "SELECT pg_sleep(60)");
	await_sleeper();
	printf("%d\n", PQcancel(key, error, sizeof error));
	PQfreeCancel(key);
	show(PQgetResult(conn));
	PQclear(PQgetResult(conn));
}

static void
large(void)
{
	char *text = malloc(LARGE + 1);
	const char *values[] = { text };
	PGresult *r;

	section("large");
	if (text == NULL)
		die("malloc");
	memset(text, 'y', LARGE);
	text[LARGE] = '\0';
	show(PQexecParams(conn, "SELECT length($1::text), md5($1::text)", 1, NULL, values, NULL, NULL, 0));
	free(text);
	r = PQexec(conn, "SELECT repeat('x', 33554432)");
	printf("%d bytes\n", PQgetlength(r, 0, 0));
	PQclear(r);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	conn = connected();
	types();
	prepared();
	pipeline();
	transactions();
	cursors();
	copy();
	cancel();
	large();
	PQfinish(conn);
	return 0;
}
