/* SPDX-License-Identifier: Apache-2.0 */
/* lineage: proves loops by data flow. The values one shape was executed with are looked up in the rows of results that were complete before;
 * where they are one column of them, in a way that chance, dense ids and outside sources do not explain, the loop is proven and named.
 * Does: judge one request's evidence, in one go, after it closed. Never: does I/O, keeps a value beyond the call, claims what small numbers
 * make likely: values alone prove nothing; the place in the SQL, the key domain of both columns and a result that fans out must agree. */
#ifndef ROWCALL_LINEAGE_H
#define ROWCALL_LINEAGE_H

#include "fingerprint/arena.h"
#include "catalog.h"
#include "reports/requests/request.h"

/* A column that values were kept of. */
struct lineage_column {
	const char *table, *name;	/* table "": the server does not tell, name is the label */
	uint16_t at;			/* position in the result */
	uint16_t attnum;		/* PostgreSQL: the column's and the table's numbers; 0 = none */
	uint32_t oid;
};

struct lineage_columns {
	uint32_t n;
	struct lineage_column c[];
};

/* The evidence of one execution; everything borrowed for the call. */
struct lineage_stmt {
	const struct shape *shape;
	uint32_t stmt;			/* its index in the request */
	uint32_t place;			/* only executions in one place are one loop */
	uint64_t sent, ended;		/* ns: a result counts for what was sent after it had ended */
	const struct rec_value *params;	/* in order of slots as written; several of one slot: a list */
	uint32_t nparams;
	const struct lineage_columns *columns;	/* of rows; NULL: none kept */
	const struct rec_value *values;	/* nrows times columns->n */
	uint32_t nrows;
	uint64_t rows;			/* rows there were */
	uint64_t insert_id;		/* generated id, 0 = none */
	bool partial;			/* some of it was shed or cut */
};

struct lineage;
struct lineage *lineage_new(void) __attribute__((returns_nonnull, warn_unused_result));
void lineage_free(struct lineage *l);
/* The foreign keys that decide from now on, of up to LIMIT_CATALOGS databases, the first one that knows a column; borrowed until the next
 * call. n = 0: names decide. */
void lineage_keys(struct lineage *l, const struct foreign_keys *const *keys, uint32_t n);
/* There are these tables. */
void lineage_tables(struct lineage *l, const struct foreign_keys *keys);

/* Judges n executions, in order of sending. Edges in order of child_stmt, in the arena: one per child, two
 * when two columns take turns (EDGE_SHARED). Remembers
 * table names (bounded), as what names mean depends on the tables there are. */
const struct edge *lineage_find(struct lineage *l, const struct lineage_stmt *stmts, uint32_t n, struct arena *a, uint32_t *nedges);

#endif
