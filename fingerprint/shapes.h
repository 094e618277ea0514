/* SPDX-License-Identifier: Apache-2.0 */
/* shapes: the one registry of shapes a process has seen, so that a fingerprint never lacks its text.
 * Does: intern and look up, from any thread; a lock is taken only for a shape that is new to the caller. Never: forgets a shape
 * before it is freed. Full (LIMIT_SHAPES): further shapes become the one shape "(other shapes)", counted. */
#ifndef ROWCALL_SHAPES_H
#define ROWCALL_SHAPES_H

#include "sql.h"

struct shape_slot {
	uint8_t cls;			/* enum sql_slot_class */
	const char *table, *column;	/* "" when not known */
};

struct shape_table {
	const char *name;
	bool write;
};

/* Immutable once published; lives as long as the registry. */
struct shape {
	uint32_t id;			/* dense, from 0: index for tables of the reader's own */
	uint64_t fingerprint;
	uint8_t dialect, cls, verb;
	bool cut, tables_unknown;
	const char *text;		/* the shape, NUL-terminated */
	size_t text_n;
	const char *summary;		/* "SELECT customers" */
	const struct shape_slot *slots;
	uint16_t nslots;
	const struct shape_table *tables;
	uint16_t ntables;
};

struct shapes;
struct shapes *shapes_new(void) __attribute__((warn_unused_result));
void shapes_free(struct shapes *r);

/* The shape of an analysed statement, copied on first sight. Any thread. Never NULL (see "(other shapes)"). */
const struct shape *shapes_intern(struct shapes *r, struct sql_lang lang, const struct sql_stmt *st);
/* By id, any thread; NULL for an id not yet given out. */
const struct shape *shapes_get(const struct shapes *r, uint32_t id);
uint32_t shapes_count(const struct shapes *r);
/* Statements that fell into "(other shapes)". */
uint64_t shapes_overflow(const struct shapes *r);

/* "q" + first 7 hex digits and NUL into buf[9]; 16 hex digits and NUL into buf[17]. */
void shape_short(uint64_t fingerprint, char buf[9]);
void shape_hex(uint64_t fingerprint, char buf[17]);

#endif
