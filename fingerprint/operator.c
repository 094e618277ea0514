/* SPDX-License-Identifier: Apache-2.0 */
/* operator: where operators of both dialects end, which of them are placeholders, signs or casts in disguise, and what they compare.
 * Never: runs for the plain `=` behind a column (scan.c does). */
#include "scan.h"

enum { OPERATOR_MAX = 63 };	/* PostgreSQL's NAMEDATALEN - 1 */

static uint8_t
byte_at(const struct sql_scanner *s, const uint8_t *p)
{
	return p < s->end ? *p : 0;
}

/* A number (5, .5) begins at p, blanks and comments before it skipped; NULL when none does. */
static const uint8_t *
number_at(const struct sql_scanner *s, const uint8_t *p)
{
	p = scan_skip(s, p);
	if (lex_bits[byte_at(s, p)] & LEX_NUM)
		return number_is_name(s, p, lex_number(p, s->end, s->my)) ? NULL : p;
	return byte_at(s, p) == '.' && (lex_bits[byte_at(s, p + 1)] & LEX_NUM) ? p : NULL;
}

/* ~ ~* ~~ ~~* and their negations: matching. */
static bool
is_match(const uint8_t *p, size_t n)
{
	n -= n > 1 && p[n - 1] == '*';
	if (n > 1 && *p == '!') {
		p++;
		n--;
	}
	return (n == 1 && p[0] == '~') || (n == 2 && p[0] == '~' && p[1] == '~');
}

/* The class of slot a comparing operator makes; SQL_SLOT_OTHER for all that do not compare. */
static unsigned
operator_class(const uint8_t *p, size_t n)
{
	static const char *const ranges[] = { "<", ">", "<=", ">=", "<>", "!=" };

	if ((n == 1 && *p == '=') || (n == 3 && memcmp(p, "<=>", 3) == 0))
		return SQL_SLOT_EQ;
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (n == strlen(ranges[i]) && memcmp(p, ranges[i], n) == 0)
			return SQL_SLOT_RANGE;
	return is_match(p, n) ? SQL_SLOT_RANGE : SQL_SLOT_OTHER;
}

/* The operator of n bytes at the pen. */
static void
operator(struct sql_scanner *s, size_t n)
{
	struct cur *c = &s->cur;
	unsigned cls = operator_class(c->p, n), prev = c->prev;

	put_blank(c);
	memcpy(c->o, c->p, n);
	c->o += n;
	c->p += n;
	c->prev = K_OP;
	c->elem = E_OTHER;
	clause_operator(s, cls, prev);
}

/* How long the operator at p is in PostgreSQL: the longest run of operator characters that opens no comment; a run that ends in + or -
 * gives those back unless it holds one of ~!@#%^&|`?. A mark or %s at the end of a plain operator is a placeholder. */
static size_t
pg_operator(const struct sql_scanner *s, const uint8_t *p)
{
	size_t n = 0, left = (size_t)(s->end - p);
	bool special = false;

	while (n < left && n < OPERATOR_MAX && (lex_bits[p[n]] & LEX_OPCHAR)) {
		if (n + 1 < left && ((p[n] == '-' && p[n + 1] == '-') || (p[n] == '/' && p[n + 1] == '*')))
			break;
		if (s->hinted && p[n] == '*' && n + 1 < left && p[n + 1] == '/')
			break;
		special |= strchr("~!@#%^&|`?", p[n]) != NULL;
		n++;
	}
	if (n == 0)
		return 1;
	while (n > 1 && !special && (p[n - 1] == '+' || p[n - 1] == '-'))
		n--;
	if (n > 1 && (p[n - 1] == '?' || (p[n - 1] == '%' && n < left && (p[n] == 's' || p[n] == '(')))) {
		size_t k = n - 1;
		bool plain = (k == 1 && strchr("=<>+-*/%", p[0])) ||
		    (k == 2 && ((p[1] == '=' && strchr("<>!", p[0])) || (p[0] == '<' && p[1] == '>') || (p[0] == '|' && p[1] == '|')));

		if (plain)
			return k;
	}
	return n;
}

static size_t
my_operator(const struct sql_scanner *s, const uint8_t *p)
{
	size_t left = (size_t)(s->end - p);
	uint8_t b = left > 1 ? p[1] : 0;

	if (left > 2 && ((p[0] == '<' && b == '=' && p[2] == '>') || (p[0] == '-' && b == '>' && p[2] == '>')))
		return 3;
	switch (p[0]) {
	case '<':
		return b == '=' || b == '>' || b == '<' ? 2 : 1;
	case '>':
		return b == '=' || b == '>' ? 2 : 1;
	case '!':
		return b == '=' ? 2 : 1;
	case '-':
		return b == '>' ? 2 : 1;
	case '&':
	case '|':
		return b == p[0] ? 2 : 1;
	default:
		return 1;
	}
}

/* %s and %(name)s where an operand is expected: a driver's placeholder; its end, or NULL. */
static const uint8_t *
percent_mark(const struct sql_scanner *s, const uint8_t *p)
{
	const uint8_t *q = p + 1;

	if (q < s->end && *q == '(') {
		while (q < s->end && *q != ')' && q - p < 64)
			q++;
		q++;
	}
	if (q < s->end && *q == 's' && !lex_is_ident(byte_at(s, q + 1)))
		return q + 1;
	return NULL;
}

void
operators(struct sql_scanner *s)
{
	const uint8_t *p = s->cur.p, *end;

	if (s->cur.prev < K_NAME) {		/* an operand is expected */
		if (*p == '%' && (end = percent_mark(s, p)) != NULL) {
			scan_placeholder(s, end);
			return;
		}
		if ((*p == '+' || *p == '-') && (end = number_at(s, p + 1)) != NULL) {
			scan_number(s, p, end);
			return;
		}
	}
	operator(s, s->my ? my_operator(s, p) : pg_operator(s, p));
}

/* A byte that stands alone whatever follows: the colon of a slice, a brace. */
void
single(struct sql_scanner *s)
{
	struct cur *c = &s->cur;

	put_blank(c);
	*c->o++ = *c->p++;
	c->prev = K_OP;
	c->elem = E_OTHER;
	end_want(s);
}

/* A star that is not plainly an operand. */
void
star_slow(struct sql_scanner *s)
{
	if (s->hinted && byte_at(s, s->cur.p + 1) == '/')
		code_comment_end(s);
	else if (s->cur.prev >= K_NAME)
		operators(s);
	else {
		single(s);
		s->cur.prev = K_OPERAND;
	}
}

/* ::type. The type of a value goes with the value. */
static void
cast(struct sql_scanner *s)
{
	struct cur *c = &s->cur;
	uint8_t *o = c->o;
	unsigned prev = c->prev;

	if (prev == K_OP)
		*c->o++ = ' ';
	memcpy(c->o, "::", 2);
	c->o += 2;
	c->p += 2;
	scan_type(s);
	if (prev == K_VALUE) {
		c->o = o;
		c->prev = prev;
	}
}

/* :: and := and :name and a lone colon. */
void
colon(struct sql_scanner *s)
{
	struct cur *c = &s->cur;
	const uint8_t *q = c->p + 1;
	uint8_t b = byte_at(s, q);

	if (b == ':')
		cast(s);
	else if (b == '=') {
		operator(s, 2);
	} else if (lex_is_ident(b) && b != '$' && s->f->kind != F_INDEX && c->prev < K_NAME) {
		while (q < s->end && lex_is_ident(*q))
			q++;
		scan_placeholder(s, q);
	} else
		single(s);
}

void
at_sign(struct sql_scanner *s)
{
	uint8_t b = byte_at(s, s->cur.p + 1);

	if (s->my && (b == '@' || (b == '`' && s->cur.prev < K_NAME) || (lex_is_ident(b) && !(lex_bits[b] & LEX_NUM))))
		at_variable(s);
	else
		operators(s);
}
