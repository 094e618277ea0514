/* SPDX-License-Identifier: Apache-2.0 */
/* keyword: the words that mean something to a shape, and a small hash table over them.
 * Does: find a word of one dialect in a few instructions. Never: knows where the word stands; scan.c asks only where a keyword
 * can stand (not behind a dot, not in quotes). */
#ifndef ROWCALL_KEYWORD_H
#define ROWCALL_KEYWORD_H

#include "lex.h"

/* What the scanner does at the word. ACT_NONE: it is printed in capitals and an operand may follow. */
enum action {
	ACT_NONE, ACT_OPERAND, ACT_SELECT, ACT_WRITE, ACT_UPDATE, ACT_WITH, ACT_FROM, ACT_JOIN, ACT_INTO, ACT_TABLE, ACT_USING, ACT_SET,
	ACT_VALUES, ACT_WHERE, ACT_ON, ACT_CLAUSE, ACT_LIMIT, ACT_FETCH, ACT_AS, ACT_ONLY, ACT_IS, ACT_NOT, ACT_NULL, ACT_BOOL,
	ACT_DEFAULT, ACT_IN, ACT_ANY, ACT_ARRAY, ACT_CAST, ACT_ROW, ACT_BETWEEN, ACT_AND, ACT_LIKE, ACT_INTERVAL, ACT_NOW, ACT_CASE,
	ACT_END, ACT_BEGIN, ACT_TO, ACT_FOR, ACT_KEY, ACT_DISTINCT, ACT_ARITH, ACT_LEFT, ACT_VALUE,
};

enum {
	KW_PG = 1, KW_MY = 2, KW_BOTH = 3,
	KW_NAME = 4,	/* printed and treated as a name; only a quoted one keeps its quotes */
};

struct keyword {
	uint64_t head, tail;	/* lower case, the first 16 bytes; only "current_timestamp" is longer */
	uint8_t len, action, flags;
};

enum { KEYWORD_BITS = 10 };	/* log2 of the table's size */

/* Built once per scanner: index into the list + 1, 0 = empty; linear probing. */
struct keyword_table {
	uint16_t at[1 << KEYWORD_BITS];
	uint8_t dialect;	/* KW_PG or KW_MY */
	struct keyword list[360];
};

void keyword_table_init(struct keyword_table *t, bool mysql);

/* The first n of eight bytes. */
static inline uint64_t
keyword_part(uint64_t eight, unsigned n)
{
	return n >= 8 ? eight : eight & (((uint64_t)1 << (8 * n)) - 1);
}

static inline unsigned
keyword_hash(uint64_t head, unsigned n)
{
	return (unsigned)(((head + n) * 0x9E3779B97F4A7C15u) >> (64 - KEYWORD_BITS));
}

/* A keyword of more than 16 letters, any case; NULL when there is none. */
const struct keyword *keyword_find_long(const struct keyword_table *t, struct span word);

/* The keyword of n (1..16) bytes, given in lower case with anything behind; NULL when there is none. */
static inline const struct keyword *
keyword_find(const struct keyword_table *t, lex16 lower, unsigned n)
{
	uint64_t head = keyword_part(lex_head(lower), n);
	unsigned i = keyword_hash(head, n);

	for (;;) {
		unsigned k = t->at[i];

		if (k == 0)
			return NULL;
		const struct keyword *kw = &t->list[k - 1];

		if (kw->head == head && kw->len == n && (n <= 8 || kw->tail == keyword_part(lex_tail(lower), n - 8)))
			return kw;
		i = (i + 1) & ((1 << KEYWORD_BITS) - 1);
	}
}

#endif
