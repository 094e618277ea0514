/* SPDX-License-Identifier: Apache-2.0 */
/* skip: finds the semicolon behind a statement too long to keep, byte by byte, whatever pieces the stream comes in.
 * Does: strings, quoted names, dollar quotes, comments of both dialects. Never: keeps more than a dollar quote's tag. */
#include "lex.h"
#include "sql.h"

enum state { OUTSIDE, QUOTED, TAG, DOLLAR, BLOCK, LINE, DASHES };

static bool
is_mysql(const struct sql_skip *k)
{
	return k->lang.dialect == SQL_MYSQL;
}

static void
open_quote(struct sql_skip *k, uint8_t c)
{
	bool my = is_mysql(k), e_string = !my && c == '\'' && (k->before | 0x20) == 'e';

	k->state = QUOTED;
	k->quote = c;
	k->backslash = c != '`' && (e_string || (my ? !(k->lang.modes & SQL_MODE_NO_BACKSLASH) : c == '\'' && (k->lang.modes & SQL_MODE_BACKSLASH)));
	k->escaped = false;
}

/* A byte outside of everything. True at the semicolon. */
static bool
outside(struct sql_skip *k, uint8_t c)
{
	bool my = is_mysql(k);

	if (c == ';')
		return true;
	if (c == '\'' || c == '"' || (c == '`' && my))
		open_quote(k, c);
	else if (c == '$' && !my && !lex_is_ident(k->before)) {
		k->state = TAG;
		k->tag[0] = '$';
		k->tag_n = 1;
	} else if (c == '#' && my)
		k->state = LINE;
	else if (c == '-' && k->before == '-')
		k->state = my ? DASHES : LINE;
	else if (c == '*' && k->before == '/') {
		k->state = BLOCK;
		k->depth = 1;
		c = 0;		/* the star of the opening is not the one of a closing */
	}
	k->before = c;
	return false;
}

static void
quoted(struct sql_skip *k, uint8_t c)
{
	if (k->escaped)
		k->escaped = false;
	else if (c == '\\' && k->backslash)
		k->escaped = true;
	else if (c == k->quote) {
		k->state = OUTSIDE;	/* a doubled quote opens again at once */
		k->before = c;
	}
}

/* Inside what may be the tag of a dollar quote. True at a semicolon, which belongs to none. */
static bool
tag(struct sql_skip *k, uint8_t c)
{
	if (c == '$') {
		k->tag[k->tag_n++] = c;
		k->state = DOLLAR;
		k->match = 0;
		return false;
	}
	if (lex_is_ident(c) && k->tag_n < sizeof k->tag - 1 && !(k->tag_n == 1 && (lex_bits[c] & LEX_NUM))) {
		k->tag[k->tag_n++] = c;
		return false;
	}
	k->state = OUTSIDE;
	k->before = 'a';
	return outside(k, c);
}

static void
dollar(struct sql_skip *k, uint8_t c)
{
	k->match = c == k->tag[k->match] ? (uint8_t)(k->match + 1) : c == '$';
	if (k->match == k->tag_n) {
		k->state = OUTSIDE;
		k->before = 0;
	}
}

static void
block(struct sql_skip *k, uint8_t c)
{
	if (c == '/' && k->before == '*') {
		c = 0;
		if (--k->depth == 0)
			k->state = OUTSIDE;
	} else if (c == '*' && k->before == '/' && !is_mysql(k)) {
		k->depth++;
		c = 0;
	}
	k->before = c;
}

static bool
step(struct sql_skip *k, uint8_t c)
{
	switch ((enum state)k->state) {
	case QUOTED:
		quoted(k, c);
		return false;
	case TAG:
		return tag(k, c);
	case DOLLAR:
		dollar(k, c);
		return false;
	case BLOCK:
		block(k, c);
		return false;
	case DASHES:		/* MySQL: a comment only when a blank follows */
		k->state = lex_bits[c] & LEX_BLANK ? LINE : OUTSIDE;
		k->before = '-';
		return k->state == OUTSIDE ? outside(k, c) : step(k, c);
	case LINE:
		if (c == '\n' || c == '\r') {
			k->state = OUTSIDE;
			k->before = c;
		}
		return false;
	case OUTSIDE:
		break;
	}
	return outside(k, c);
}

bool
sql_skip_feed(struct sql_skip *k, struct span bytes, size_t *used)
{
	for (size_t i = 0; i < bytes.n; i++)
		if (step(k, bytes.p[i])) {
			*used = i + 1;
			return true;
		}
	*used = bytes.n;
	return false;
}
