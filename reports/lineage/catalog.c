/* SPDX-License-Identifier: Apache-2.0 */
/* catalog: see catalog.h. */
#include "catalog.h"

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "reports/requests/keymap.h"

struct catalog {
	struct arena arena;
	uint16_t upstream;
	const char *database;
	struct catalog_column *columns;
	struct keymap numbers;		/* of columns */
	struct foreign_keys *keys;
};

static uint64_t
number_of(uint32_t table, uint16_t attnum)
{
	return ((uint64_t)table << 16 | attnum) + 1;
}

struct catalog *
catalog_new(uint16_t upstream, const char *database, const struct catalog_column *columns, uint32_t ncolumns, const struct lineage_key *keys,
    uint32_t nkeys)
{
	struct catalog *c = xmem_zero(sizeof *c);
	const char *table = "";

	c->upstream = upstream;
	c->database = arena_strndup(&c->arena, span_str(database));
	c->columns = arena_zero(&c->arena, (ncolumns + 1) * sizeof *c->columns);
	for (uint32_t i = 0; i < ncolumns; i++) {
		uint32_t at = keymap_add(&c->numbers, number_of(columns[i].table, columns[i].attnum), LIMIT_CATALOG_COLUMNS);

		if (at == KEYMAP_NONE)
			break;
		if (strcmp(table, columns[i].table_name) != 0)
			table = arena_strndup(&c->arena, span_str(columns[i].table_name));
		c->columns[at] = (struct catalog_column){ columns[i].table, columns[i].attnum, table,
			arena_strndup(&c->arena, span_str(columns[i].name)) };
	}
	c->keys = foreign_keys_new(keys, nkeys);
	return c;
}

void
catalog_free(struct catalog *c)
{
	if (!c)
		return;
	foreign_keys_free(c->keys);
	keymap_clear(&c->numbers);
	arena_clear(&c->arena);
	mem_free(c);
}

bool
catalog_is(const struct catalog *c, uint16_t upstream, const char *database)
{
	return c->upstream == upstream && strcmp(c->database, database) == 0;
}

bool
catalog_same(const struct catalog *a, const struct catalog *b)
{
	return catalog_is(a, b->upstream, b->database);
}

const struct catalog_column *
catalog_find(const struct catalog *c, uint32_t table, uint16_t attnum)
{
	uint32_t at = keymap_find(&c->numbers, number_of(table, attnum));

	return at == KEYMAP_NONE ? NULL : &c->columns[at];
}

const struct foreign_keys *
catalog_keys(const struct catalog *c)
{
	return c->keys;
}
