/* SPDX-License-Identifier: Apache-2.0 */
/* side: short connections of our own to a database, over libpq or Connector/C, for look-ups that were asked for (catalog names, plans, fix).
 * Does: connect, run one statement at a time, hand back its rows as text, every wait bounded by a deadline. Never: runs on an event loop
 * (its calls block), shows a password, or says more of a statement's error than its code: the server's words may hold values. */
#ifndef ROWCALL_SIDE_H
#define ROWCALL_SIDE_H

#include "fingerprint/arena.h"
#include "proxy/url.h"

/* Strings are borrowed; "" lets the client library look (PGUSER, .pgpass, ...). */
struct side_target {
	enum engine_kind engine;
	const char *host;		/* name or address; is_unix: the socket file */
	bool is_unix;
	uint16_t port;
	const char *user, *password, *database;
	enum wire_tls tls;		/* MIRROR counts as PREFER */
	const char *ca;			/* PEM file for VERIFY_*; "" = the system's */
	uint64_t timeout;		/* ns, for connecting and for any one statement */
};

struct side_problem {
	char code[8];			/* SQLSTATE or error number; "" when the server did not say one */
	bool gone;			/* the connection cannot be used any more */
	char text[400];			/* one sentence */
};

struct side_param {
	const char *text;		/* NULL = NULL; NUL-terminated */
	uint32_t type;			/* PostgreSQL: its oid, 0 = inferred; MySQL: as in wire_value.type */
};

struct side_column {
	const char *name;
	uint32_t type;			/* PostgreSQL: oid; MySQL: enum enum_field_types */
	int32_t modifier;		/* PostgreSQL: atttypmod */
	uint32_t table_oid;		/* PostgreSQL; 0 = no column of a table */
	uint16_t attnum;
};

struct side_cell {
	const char *p;			/* NUL-terminated; NULL = NULL */
	uint32_t n;
};

/* Rows of one statement; owned, freed by side_rows_clear. */
struct side_rows {
	struct arena arena;
	struct side_column *columns;
	uint32_t ncolumns, n, cap;
	struct side_cell *cells;	/* n times ncolumns */
	uint64_t ns;			/* from sending to the last row */
};

struct side;
/* NULL: the problem says why, with the library's own words, which hold no password. */
struct side *side_open(const struct side_target *t, struct side_problem *p) __attribute__((warn_unused_result));
void side_close(struct side *s);

/* Runs exactly one statement. text: placeholders as the engine writes them ($1; ? for MySQL, which gets them as literals). rows: NULL when
 * nobody needs them. False: the problem says why; rows are empty then. */
bool side_query(struct side *s, const char *text, const struct side_param *params, uint32_t nparams, struct side_rows *rows,
    struct side_problem *p) __attribute__((warn_unused_result));
void side_rows_clear(struct side_rows *r);
/* Cell of a row; {NULL, 0} outside. */
struct side_cell side_cell(const struct side_rows *r, uint32_t row, uint32_t column);

bool side_is_mariadb(const struct side *s);
enum engine_kind side_engine(const struct side *s);
/* Ends any one statement of the session after ns at the server, and lets the session only read. */
bool side_guard(struct side *s, uint64_t ns, struct side_problem *p) __attribute__((warn_unused_result));

#endif
