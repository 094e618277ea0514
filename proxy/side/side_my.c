/* SPDX-License-Identifier: Apache-2.0 */
/* side_my: MySQL and MariaDB over Connector/C, in text, with its own timeouts. Parameters are written into the text as literals, which the
 * library escapes. */
#include <ctype.h>
#include <errmsg.h>
#include <stdio.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "fingerprint/sql.h"
#include "side_part.h"

enum { UNSIGNED = 0x8000 };

static unsigned
seconds(uint64_t ns)
{
	return ns < 1000000000u ? 1 : (unsigned)((ns + 999999999u) / 1000000000u);
}

static bool
failed(struct side *s, struct side_problem *p)
{
	unsigned code = mysql_errno(s->my);
	bool gone = code >= CR_MIN_ERROR && code <= CR_MAX_ERROR;
	char number[8];

	snprintf(number, sizeof number, "%u", code);
	if (gone)
		return side_fail(p, true, number, "%s", code == CR_SERVER_LOST ? "the server went away or did not answer in time" : mysql_error(s->my));
	return side_fail(p, false, number, "the server answered error %s", number);
}

bool
my_open(struct side *s, const struct side_target *t, struct side_problem *p)
{
	unsigned tcp = MYSQL_PROTOCOL_TCP, limit = seconds(t->timeout);
	my_bool on = 1;
	char number[8];

	s->my = mysql_init(NULL);
	if (!s->my)
		return side_fail(p, true, "", "out of memory");
	mysql_options(s->my, MYSQL_OPT_CONNECT_TIMEOUT, &limit);
	mysql_options(s->my, MYSQL_OPT_READ_TIMEOUT, &limit);
	mysql_options(s->my, MYSQL_OPT_WRITE_TIMEOUT, &limit);
	mysql_options(s->my, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_optionsv(s->my, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "rowcall");
	if (!t->is_unix)
		mysql_options(s->my, MYSQL_OPT_PROTOCOL, &tcp);
	if (t->tls == WIRE_TLS_REQUIRE || t->tls == WIRE_TLS_VERIFY_CA || t->tls == WIRE_TLS_VERIFY_FULL)
		mysql_options(s->my, MYSQL_OPT_SSL_ENFORCE, &on);
	if (t->tls == WIRE_TLS_VERIFY_CA || t->tls == WIRE_TLS_VERIFY_FULL) {
		mysql_options(s->my, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
		if (*t->ca)
			mysql_options(s->my, MYSQL_OPT_SSL_CA, t->ca);
	}
	if (mysql_real_connect(s->my, t->is_unix ? NULL : t->host, *t->user ? t->user : NULL, *t->password ? t->password : NULL,
		*t->database ? t->database : NULL, t->port, t->is_unix ? t->host : NULL, 0)) {
		s->mariadb = strstr(mysql_get_server_info(s->my), "MariaDB") != NULL;
		return true;
	}
	snprintf(number, sizeof number, "%u", mysql_errno(s->my));
	return side_fail(p, true, number, "%s", mysql_error(s->my));
}

/* ---- parameters as literals ---- */

static bool
is_number(const struct side_param *v)
{
	static const uint8_t numbers[] = { MYSQL_TYPE_TINY, MYSQL_TYPE_SHORT, MYSQL_TYPE_LONG, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_INT24, MYSQL_TYPE_FLOAT,
		MYSQL_TYPE_DOUBLE, MYSQL_TYPE_NEWDECIMAL, MYSQL_TYPE_YEAR };
	const char *t = v->text;
	bool known = false;

	for (size_t i = 0; i < sizeof numbers; i++)
		known |= (v->type & ~(uint32_t)UNSIGNED) == numbers[i];
	/* A bound decimal travels as text; whatever does not look like a number is quoted. */
	t += *t == '-';
	return known && isdigit((unsigned char)*t) && t[strspn(t, "0123456789.eE+-")] == '\0';
}

static bool
put_param(struct side *s, struct strbuf *out, const struct side_param *v)
{
	char *room;
	size_t n;

	if (!v->text)
		return strbuf_str(out, "NULL");
	if (is_number(v))
		return strbuf_str(out, v->text);
	n = strlen(v->text);
	room = xmem_zero(2 * n + 3);
	room[0] = '\'';
	n = mysql_real_escape_string(s->my, room + 1, v->text, n);
	room[n + 1] = '\'';
	strbuf_add(out, span_of(room, n + 2));
	mem_free(room);
	return !out->cut;
}

/* The text with each ? replaced. */
static bool
inline_params(struct side *s, const char *text, const struct side_param *params, uint32_t nparams, struct strbuf *out, struct side_problem *p)
{
	struct sql_scanner *scanner = sql_scanner_new();
	struct sql_stmt st;
	size_t at = 0;
	uint32_t used = 0;

	if (!scanner)
		return side_fail(p, false, "", "out of memory");
	sql_scan(scanner, (struct sql_lang){ SQL_MYSQL, 0 }, span_str(text), &st);
	for (size_t i = 0; i < st.nvalues; i++) {
		size_t from = (size_t)((const char *)st.values[i].raw.p - text);

		if (st.values[i].kind != SQL_VALUE_PLACEHOLDER || used == nparams)
			continue;
		strbuf_add(out, span_of(text + at, from - at));
		put_param(s, out, &params[used++]);
		at = from + st.values[i].raw.n;
	}
	sql_scanner_free(scanner);
	strbuf_str(out, text + at);
	return (used == nparams && !out->cut) || side_fail(p, false, "", "a statement with %u parameters has places for %u", nparams, used);
}

/* ---- rows ---- */

static void
take_columns(struct side_rows *rows, MYSQL_RES *r)
{
	const MYSQL_FIELD *f = mysql_fetch_fields(r);

	rows->ncolumns = mysql_num_fields(r);
	rows->columns = arena_zero(&rows->arena, rows->ncolumns * sizeof *rows->columns);
	for (uint32_t i = 0; i < rows->ncolumns; i++)
		rows->columns[i] = (struct side_column){ .name = arena_strndup(&rows->arena, span_str(f[i].name)), .type = f[i].type };
}

static bool
take_rows(struct side *s, struct side_rows *rows, MYSQL_RES *r, struct side_problem *p)
{
	MYSQL_ROW row;

	take_columns(rows, r);
	while ((row = mysql_fetch_row(r))) {
		const unsigned long *n = mysql_fetch_lengths(r);

		if (!side_add_row(rows, p))
			return false;
		for (uint32_t i = 0; i < rows->ncolumns; i++)
			side_set_cell(rows, i, row[i], n[i]);
	}
	return mysql_errno(s->my) == 0 || failed(s, p);
}

bool
my_query(struct side *s, const char *text, const struct side_param *params, uint32_t nparams, struct side_rows *rows, struct side_problem *p)
{
	struct strbuf sql;
	MYSQL_RES *r;
	bool ok;

	strbuf_init(&sql, LIMIT_SIDE_TEXT);
	ok = nparams ? inline_params(s, text, params, nparams, &sql, p) : strbuf_str(&sql, text);
	if (ok && sql.p)
		ok = mysql_real_query(s->my, sql.p, sql.n) == 0 || failed(s, p);
	strbuf_clear(&sql);
	if (!ok)
		return false;
	r = mysql_use_result(s->my);
	if (!r)
		return mysql_field_count(s->my) == 0 || failed(s, p);
	ok = take_rows(s, rows, r, p);
	mysql_free_result(r);
	return ok;
}
