/* SPDX-License-Identifier: Apache-2.0 */
/* clause: what the files about words share: clause.c (keywords), verb.c (the first word and the class), name.c (names that mean more).
 * Never included elsewhere. */
#ifndef ROWCALL_CLAUSE_H
#define ROWCALL_CLAUSE_H

#include "scan.h"

static const struct piece no_piece = { 0, 0 };

/* The name just written, borrowed from the shape. */
static inline struct span
last_word(const struct sql_scanner *s)
{
	return piece_text(s, s->name);
}

/* First byte of the next token, 0 at the end. */
static inline uint8_t
next_byte(const struct sql_scanner *s)
{
	const uint8_t *p = scan_skip(s, s->cur.p);

	return p < s->end ? *p : 0;
}

/* The next value is what an operator on this column expects. */
static inline void
expect(struct sql_scanner *s, unsigned cls, struct piece qual, struct piece column)
{
	s->pend_o = s->cur.o;
	s->pend_cls = (uint8_t)cls;
	s->pend_qual = qual;
	s->pend_col = column;
}

/* ---- clause.c ---- */

/* Whether w is one of a NULL-ended list, in any case. */
bool one_of(struct span w, const char *const *list);
/* The bytes p..end of the shape in capitals. */
void capitals(uint8_t *p, const uint8_t *end);
/* The name that the pen just wrote is a word of the language here. */
void to_keyword(struct sql_scanner *s);
/* The word that the pen just wrote (its blank at o) is a name after all. */
void as_name(struct sql_scanner *s, uint8_t *o, unsigned prev, unsigned elem);

/* ---- name.c ---- */
/* SET: another variable follows the one at hand. */
void setting_done(struct sql_scanner *s);

/* ---- verb.c ---- */
/* A verb inside the statement or at its beginning. */
void set_verb(struct sql_scanner *s, unsigned verb);
/* The statement begins with something that is no verb. */
void no_verb(struct sql_scanner *s);
/* The statement's first word, written at o..cur.o. True when nothing else is to be done with it. */
bool verb_start(struct sql_scanner *s, uint8_t *o);

#endif
