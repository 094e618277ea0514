/* SPDX-License-Identifier: Apache-2.0 */
/* prepared PORT: executes what standard input tells on a MySQL server, each statement prepared once per connection and kept, parameters and
 * rows in the binary protocol. One line per statement: CONNECTION TAB DATABASE TAB HOW TAB SQL { TAB TYPE VALUE }, HOW "p" prepared or "q" as
 * text, TYPE i (a whole number) or s (a text). Answers each line with "ok ROWS" or "error NUMBER". */
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS = 16, STATEMENTS = 512, PARAMETERS = 64, LINE = 1 << 20 };

struct kept {
	char *sql;
	MYSQL_STMT *stmt;
};

static struct connection {
	MYSQL *my;
	struct kept kept[STATEMENTS];
	int n;
} connections[CONNECTIONS];

static MYSQL *
connected(struct connection *c, const char *database, unsigned port)
{
	if (!c->my) {
		c->my = mysql_init(NULL);
		if (!mysql_real_connect(c->my, "127.0.0.1", "app", "app", database, port, NULL, CLIENT_MULTI_STATEMENTS)) {
			fprintf(stderr, "prepared: %s\n", mysql_error(c->my));
			exit(1);
		}
	}
	return c->my;
}

static MYSQL_STMT *
statement(struct connection *c, const char *sql, unsigned *error)
{
	MYSQL_STMT *stmt;

	for (int i = 0; i < c->n; i++)
		if (strcmp(c->kept[i].sql, sql) == 0)
			return c->kept[i].stmt;
	stmt = mysql_stmt_init(c->my);
	if (mysql_stmt_prepare(stmt, sql, strlen(sql)) != 0) {
		*error = mysql_stmt_errno(stmt);
		mysql_stmt_close(stmt);
		return NULL;
	}
	if (c->n < STATEMENTS)
		c->kept[c->n++] = (struct kept){ strdup(sql), stmt };
	return stmt;
}

static unsigned
as_text(MYSQL *my, const char *sql, unsigned long long *rows)
{
	if (mysql_real_query(my, sql, strlen(sql)) != 0)
		return mysql_errno(my);
	do {
		MYSQL_RES *result = mysql_store_result(my);

		if (result) {
			*rows += mysql_num_rows(result);
			mysql_free_result(result);
		}
	} while (mysql_next_result(my) == 0);
	return mysql_errno(my);
}

static unsigned
as_prepared(struct connection *c, const char *sql, char **values, int n, unsigned long long *rows)
{
	MYSQL_BIND bind[PARAMETERS] = { 0 };
	long long numbers[PARAMETERS];
	unsigned error = 0;
	MYSQL_STMT *stmt = statement(c, sql, &error);

	if (!stmt)
		return error;
	for (int i = 0; i < n; i++) {
		if (values[i][0] == 'i') {
			numbers[i] = atoll(values[i] + 1);
			bind[i].buffer_type = MYSQL_TYPE_LONGLONG;
			bind[i].buffer = &numbers[i];
		} else {
			bind[i].buffer_type = MYSQL_TYPE_STRING;
			bind[i].buffer = values[i] + 1;
			bind[i].buffer_length = strlen(values[i] + 1);
		}
	}
	if ((n && mysql_stmt_bind_param(stmt, bind)) || mysql_stmt_execute(stmt) != 0 || mysql_stmt_store_result(stmt) != 0)
		return mysql_stmt_errno(stmt);
	*rows = mysql_stmt_num_rows(stmt);
	mysql_stmt_free_result(stmt);
	return 0;
}

int
main(int argc, char **argv)
{
	static char line[LINE];
	unsigned port = argc > 1 ? (unsigned)atoi(argv[1]) : 0;

	while (fgets(line, sizeof line, stdin)) {
		char *word[PARAMETERS + 4], *save = NULL;
		unsigned long long rows = 0;
		unsigned error;
		int n = 0;

		line[strcspn(line, "\n")] = '\0';
		for (char *w = strtok_r(line, "\t", &save); w && n < PARAMETERS + 4; w = strtok_r(NULL, "\t", &save))
			word[n++] = w;
		if (n < 4)
			return 2;
		struct connection *c = &connections[atoi(word[0]) % CONNECTIONS];
		MYSQL *my = connected(c, word[1], port);

		if (strcmp(word[3], "close") == 0) {
			for (int i = 0; i < c->n; i++) {
				mysql_stmt_close(c->kept[i].stmt);
				free(c->kept[i].sql);
			}
			mysql_close(my);
			*c = (struct connection){ 0 };
			error = 0;
		} else {
			error = word[2][0] == 'p' ? as_prepared(c, word[3], word + 4, n - 4, &rows) : as_text(my, word[3], &rows);
		}
		printf(error ? "error %llu\n" : "ok %llu\n", error ? error : rows);
		fflush(stdout);
	}
	return 0;
}
