/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_read: see catalog_read.h. PostgreSQL's catalogs are read as tables, as functions over them would lock what they describe. */
#include "catalog_read.h"

#include <stdio.h>
#include <stdlib.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

enum { STATEMENT_NS = 2000000000 };

/* Oids from 16384 on are the users' own (FirstNormalObjectId, transam.h). */
static const char pg_columns[] =
    "SELECT c.oid, a.attnum, c.relname, a.attname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid"
    " WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.oid, a.attnum LIMIT ";
static const char pg_keys[] =
    "SELECT con.conrelid, k.child, con.confrelid, k.parent FROM pg_catalog.pg_constraint con,"
    " LATERAL unnest(con.conkey, con.confkey) AS k(child, parent) WHERE con.contype = 'f' LIMIT ";
static const char my_keys[] =
    "SELECT table_name, column_name, referenced_table_name, referenced_column_name FROM information_schema.key_column_usage"
    " WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL LIMIT ";

static bool
query(struct side *s, const char *sql, int limit, struct side_rows *rows, struct side_problem *p)
{
	char text[600];

	snprintf(text, sizeof text, "%s%d", sql, limit);
	return side_query(s, text, NULL, 0, rows, p);
}

static const char *
text(const struct side_rows *r, uint32_t row, uint32_t column)
{
	const char *p = side_cell(r, row, column).p;

	return p ? p : "";
}

static uint32_t
number(const struct side_rows *r, uint32_t row, uint32_t column)
{
	return (uint32_t)strtoul(text(r, row, column), NULL, 10);
}

static struct catalog *
my_read(struct side *s, const char *database, uint16_t upstream, struct side_problem *p)
{
	struct lineage_key *keys;
	struct side_rows rows;
	struct catalog *c;

	if (!query(s, my_keys, LIMIT_FOREIGN_KEYS, &rows, p))
		return NULL;
	keys = xmem_zero((rows.n + 1) * sizeof *keys);
	for (uint32_t i = 0; i < rows.n; i++)
		keys[i] = (struct lineage_key){ text(&rows, i, 0), text(&rows, i, 1), text(&rows, i, 2), text(&rows, i, 3) };
	c = catalog_new(upstream, database, NULL, 0, keys, rows.n);
	mem_free(keys);
	side_rows_clear(&rows);
	return c;
}

static const struct catalog_column *
column(const struct catalog_column *v, uint32_t n, uint32_t table, uint16_t attnum)
{
	uint32_t low = 0, high = n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (v[mid].table < table || (v[mid].table == table && v[mid].attnum < attnum))
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && v[low].table == table && v[low].attnum == attnum ? &v[low] : NULL;
}

static struct catalog *
pg_make(const char *database, uint16_t upstream, const struct side_rows *columns, const struct side_rows *references)
{
	struct catalog_column *v = xmem_zero((columns->n + 1) * sizeof *v);
	struct lineage_key *keys = xmem_zero((references->n + 1) * sizeof *keys);
	struct catalog *c;
	uint32_t n = 0;

	for (uint32_t i = 0; i < columns->n; i++)
		v[i] = (struct catalog_column){ number(columns, i, 0), (uint16_t)number(columns, i, 1), text(columns, i, 2), text(columns, i, 3) };
	for (uint32_t i = 0; i < references->n; i++) {
		const struct catalog_column *child = column(v, columns->n, number(references, i, 0), (uint16_t)number(references, i, 1)),
					    *parent = column(v, columns->n, number(references, i, 2), (uint16_t)number(references, i, 3));

		if (child && parent)
			keys[n++] = (struct lineage_key){ child->table_name, child->name, parent->table_name, parent->name };
	}
	c = catalog_new(upstream, database, v, columns->n, keys, n);
	mem_free(v);
	mem_free(keys);
	return c;
}

static struct catalog *
pg_read(struct side *s, const char *database, uint16_t upstream, struct side_problem *p)
{
	struct side_rows columns, references;
	struct catalog *c = NULL;

	if (!query(s, pg_columns, LIMIT_CATALOG_COLUMNS, &columns, p))
		return NULL;
	if (query(s, pg_keys, LIMIT_FOREIGN_KEYS, &references, p)) {
		c = pg_make(database, upstream, &columns, &references);
		side_rows_clear(&references);
	}
	side_rows_clear(&columns);
	return c;
}

struct catalog *
catalog_read(const struct side_target *t, uint16_t upstream, const char *database, struct side_problem *p)
{
	struct side *s = side_open(t, p);
	struct catalog *c = NULL;

	if (s && side_guard(s, STATEMENT_NS, p))
		c = side_engine(s) == ENGINE_POSTGRESQL ? pg_read(s, database, upstream, p) : my_read(s, database, upstream, p);
	side_close(s);
	return c;
}
