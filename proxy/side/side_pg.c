/* SPDX-License-Identifier: Apache-2.0 */
/* side_pg: PostgreSQL over libpq, asynchronous with a deadline: a server that stopped answering holds nobody up. One statement at a time, as
 * the extended protocol takes no more, rows one by one. */
#include <poll.h>
#include <stdio.h>

#include "fingerprint/mem.h"
#include "proxy/clock.h"
#include "side_part.h"

enum { KEYWORDS = 16 };

/* False: the deadline has passed. */
static bool
wait_for(const struct side *s, short events, uint64_t deadline)
{
	struct pollfd fd = { .fd = PQsocket(s->pg), .events = events };
	uint64_t now = clock_ns();

	return now < deadline && poll(&fd, 1, (int)((deadline - now) / 1000000) + 1) != 0;
}

static const char *
ssl_mode(enum wire_tls tls)
{
	switch (tls) {
	case WIRE_TLS_DISABLE:
		return "disable";
	case WIRE_TLS_REQUIRE:
		return "require";
	case WIRE_TLS_VERIFY_CA:
		return "verify-ca";
	case WIRE_TLS_VERIFY_FULL:
		return "verify-full";
	default:
		return "prefer";
	}
}

struct keywords {
	const char *name[KEYWORDS], *value[KEYWORDS];
	int n;
};

static void
put(struct keywords *k, const char *name, const char *value)
{
	if (!*value)
		return;
	k->name[k->n] = name;
	k->value[k->n++] = value;
}

static bool
connected(struct side *s, uint64_t deadline, struct side_problem *p)
{
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;

	while (PQstatus(s->pg) != CONNECTION_BAD && next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED) {
		if (!wait_for(s, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline))
			return side_fail(p, true, "", "the server did not let us in in time");
		next = PQconnectPoll(s->pg);
	}
	return PQstatus(s->pg) == CONNECTION_OK || side_fail(p, true, "", "%s", PQerrorMessage(s->pg));
}

bool
pg_open(struct side *s, const struct side_target *t, struct side_problem *p)
{
	uint64_t deadline = clock_ns() + t->timeout;
	struct keywords k = { .n = 0 };
	char port[8], dir[200];
	const char *slash = t->is_unix ? strrchr(t->host, '/') : NULL;

	snprintf(port, sizeof port, "%u", t->port);
	snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - t->host) : 0, t->host);
	put(&k, "host", t->is_unix ? dir : t->host);
	put(&k, "port", port);
	put(&k, "user", t->user);
	put(&k, "password", t->password);
	put(&k, "dbname", t->database);
	put(&k, "sslmode", ssl_mode(t->tls));
	put(&k, "sslrootcert", t->ca);
	put(&k, "application_name", "rowcall");
	put(&k, "client_encoding", "UTF8");
	s->pg = PQconnectStartParams(k.name, k.value, 0);
	if (!s->pg)
		return side_fail(p, true, "", "out of memory");
	return connected(s, deadline, p) && (PQsetnonblocking(s->pg, 1) == 0 || side_fail(p, true, "", "%s", PQerrorMessage(s->pg)));
}

static void
take_columns(struct side_rows *rows, const PGresult *r)
{
	if (rows->columns || PQnfields(r) == 0)
		return;
	rows->ncolumns = (uint32_t)PQnfields(r);
	rows->columns = arena_zero(&rows->arena, rows->ncolumns * sizeof *rows->columns);
	for (int i = 0; i < (int)rows->ncolumns; i++)
		rows->columns[i] = (struct side_column){ .name = arena_strndup(&rows->arena, span_str(PQfname(r, i))), .type = PQftype(r, i),
			.modifier = PQfmod(r, i), .table_oid = PQftable(r, i), .attnum = (uint16_t)PQftablecol(r, i) };
}

static bool
take_rows(struct side_rows *rows, const PGresult *r, struct side_problem *p)
{
	take_columns(rows, r);
	for (int row = 0; row < PQntuples(r); row++) {
		if (!side_add_row(rows, p))
			return false;
		for (int i = 0; i < (int)rows->ncolumns; i++)
			side_set_cell(rows, (uint32_t)i, PQgetisnull(r, row, i) ? NULL : PQgetvalue(r, row, i), (size_t)PQgetlength(r, row, i));
	}
	return true;
}

static bool
take_result(struct side *s, struct side_rows *rows, const PGresult *r, struct side_problem *p)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);

	switch (PQresultStatus(r)) {
	case PGRES_SINGLE_TUPLE:
	case PGRES_TUPLES_OK:
		return take_rows(rows, r, p);
	case PGRES_COMMAND_OK:
	case PGRES_EMPTY_QUERY:
		return true;
	case PGRES_FATAL_ERROR:
		return state ? side_fail(p, PQstatus(s->pg) == CONNECTION_BAD, state, "the server answered error %s", state) :
			       side_fail(p, true, "", "the server went away");
	default:
		return side_fail(p, true, "", "the server asked for something unexpected");
	}
}

/* The next result, in time; NULL after the last. */
static bool
next_result(struct side *s, uint64_t deadline, PGresult **r, struct side_problem *p)
{
	while (PQflush(s->pg) == 1 || PQisBusy(s->pg)) {
		if (!wait_for(s, PQflush(s->pg) == 1 ? POLLIN | POLLOUT : POLLIN, deadline))
			return side_fail(p, true, "", "the server did not answer in time");
		if (!PQconsumeInput(s->pg))
			return side_fail(p, true, "", "the server went away");
	}
	*r = PQgetResult(s->pg);
	return true;
}

bool
pg_query(struct side *s, const char *text, const struct side_param *params, uint32_t nparams, struct side_rows *rows, struct side_problem *p)
{
	uint64_t deadline = clock_ns() + s->timeout;
	const char **values = xmem_zero((nparams + 1) * sizeof *values);
	Oid *types = xmem_zero((nparams + 1) * sizeof *types);
	PGresult *r = NULL;
	bool ok, sound = true;

	for (uint32_t i = 0; i < nparams; i++) {
		values[i] = params[i].text;
		types[i] = params[i].type;
	}
	ok = PQsendQueryParams(s->pg, text, (int)nparams, types, values, NULL, NULL, 0) == 1 && PQsetSingleRowMode(s->pg) == 1;
	mem_free(values);
	mem_free(types);
	if (!ok)
		return side_fail(p, true, "", "the server went away");
	while ((sound = next_result(s, deadline, &r, p)) && r) {
		ok = ok && take_result(s, rows, r, p);
		PQclear(r);
		if (!ok && p->gone)
			return false;
	}
	return sound && ok;
}
