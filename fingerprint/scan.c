/* SPDX-License-Identifier: Apache-2.0 */
/* scan: one pass over a statement, token by token, writing the shape on the way (see scan.h for the idea, SHAPES.md for the rules).
 * Does: the tokens that make up nearly all of real traffic, with the pen in registers. Never: looks at a byte more often than a fixed
 * number of times, allocates, or writes a byte of a literal. Rare tokens are in word.c, operator.c and comment.c; what words and
 * parentheses mean is in clause.c and frame.c. */
#include "scan.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define HOT static inline __attribute__((always_inline))

/* Lends the pen to a function that works on s->cur. */
#define LEND(call) \
	do { \
		s->cur = *c; \
		call; \
		*c = s->cur; \
	} while (0)

/* ---- names and keywords ---- */

/* A name was written; at is where its token began in the shape, from in the text. */
HOT void
name(struct sql_scanner *s, struct cur *c, const uint8_t *from, const uint8_t *at, struct piece text)
{
	if (c->prev == K_DOT && s->path_n) {
		s->qual = s->name;
		s->path_n = s->path_n < UINT8_MAX ? s->path_n + 1 : UINT8_MAX;
	} else {
		s->qual = (struct piece){ 0, 0 };
		s->path_at = (uint16_t)(at - s->shape);
		s->path_prev = (uint8_t)c->prev;
		s->path_n = 1;
	}
	if (UNLIKELY(s->want)) {
		s->old_elem = c->elem;
		s->name_p = from;
	}
	if (c->prev != K_DOT)
		c->elem = c->elem == E_EMPTY ? E_NAME : E_OTHER;
	s->name = text;
	c->prev = K_NAME;
	if (UNLIKELY(s->want))
		LEND(clause_name(s));
}

void
scan_name(struct sql_scanner *s, const uint8_t *from, const uint8_t *at, struct piece text)
{
	struct cur c = s->cur;

	name(s, &c, from, at, text);
	s->cur = c;
}

/* A keyword was written. Most mean nothing where they stand: those are done here. */
HOT void
keyword(struct sql_scanner *s, struct cur *c, unsigned action, uint8_t *at)
{
	unsigned prev = c->prev, elem = c->elem;
	bool idle = action == ACT_NONE || (action == ACT_AND && !s->between) || (action == ACT_AS && s->f->kind < F_NOW && s->verb != SQL_V_PREPARE);

	c->prev = K_KEYWORD;
	c->elem = E_OTHER;
	if (idle && !s->want)
		s->kw_last = action;
	else
		LEND(clause_keyword(s, action, at, prev, elem));
}

void
scan_keyword(struct sql_scanner *s, unsigned action, uint8_t *at)
{
	struct cur c = s->cur;

	keyword(s, &c, action, at);
	s->cur = c;
}

/* How one pass reads: its parameters are constants, so that each kind of pass is compiled for itself. */
struct way {
	bool my;		/* MySQL */
	bool odd;		/* unusual encoding, or shards to fold: no short cuts for names */
	bool safe;		/* at least SAFE bytes follow each token's first byte */
};

enum { SAFE = 64 };

HOT uint8_t
peek(const struct sql_scanner *s, const uint8_t *p, struct way way)
{
	return way.safe || p < s->end ? *p : 0;
}

HOT lex16
load(const struct sql_scanner *s, const uint8_t *p, struct way way)
{
	return lex_load(p, way.safe ? p + 16 : s->end);
}

/* Whether the next token is a dot, which makes any word a name; next: the byte at p. */
HOT bool
dot_follows(const struct sql_scanner *s, const uint8_t *p, uint8_t next, struct way way)
{
	if (next == '.')
		return way.my || !(lex_bits[peek(s, p + 1, way)] & LEX_NUM);
	if (LIKELY(next == ' ')) {
		next = peek(s, p + 1, way);
		if (LIKELY(lex_bits[next] & LEX_IDENT))
			return false;
	}
	return (next == '.' || next == '/' || next == '-' || next == '#' || lex_class[next] == LEX_SPACE) && scan_dot_follows(s, p);
}

/* Whether MySQL tells the case of the name at hand apart: tables, aliases and qualifiers, but no columns and functions. */
HOT bool
keeps_case(const struct sql_scanner *s, const uint8_t *end, uint8_t next, struct way way)
{
	return !s->fold || (1u << s->want & KEEPS_CASE) || dot_follows(s, end, next, way);
}

/* A word of 16 to 31 bytes: too long for a keyword, but for one. */
HOT bool
long_word(struct sql_scanner *s, struct cur *c, lex16 w, struct way way)
{
	const uint8_t *from = c->p;
	lex16 rest = load(s, from + 16, way);
	unsigned n = lex_run(lex_word_mask(rest));
	uint8_t *at = c->o, *o;

	if (n == 16 || n == 1 || lex_high_mask(w) || (lex_high_mask(rest) & ((1u << n) - 1)))
		return false;
	bool raw = way.my && keeps_case(s, from + 16 + n, peek(s, from + 16 + n, way), way);

	put_blank(c);
	o = c->o;
	lex_store(o, raw ? w : lex_lower(w));
	lex_store(o + 16, raw ? rest : lex_lower(rest));
	c->o += 16 + n;
	c->p += 16 + n;
	name(s, c, from, at, piece_of(s, o, c->o));
	return true;
}

/* Names one after the other: a.b, "c", d.e: up to the first that is not followed by a dot or by a comma that only separates. The first
 * byte is that of a name of this kind (`quoted` or not). *token_o follows the last token's beginning in the shape. */
HOT void
names(struct sql_scanner *s, struct cur *c, uint8_t **token_o, const uint8_t *limit, struct way way, const bool quoted)
{
	const uint8_t *from = c->p, *end;
	uint8_t *at = c->o, *o = at, next;
	const enum lex_class again = lex_class[*from];
	const bool separates = s->f->kind < F_NOW && s->f->clause < CL_FROM && !s->deep;

	for (;;) {
		lex16 w = load(s, from + quoted, way), lower = lex_lower(w);
		unsigned word = quoted ? lex_plain_mask(w, way.my) : lex_word_mask(w), n = lex_run(word);

		c->p = from;
		c->o = at;
		end = from + quoted + n;
		next = peek(s, end + quoted, way);
		if (quoted) {
			if (UNLIKELY(way.odd || n == 16 || (!way.safe && end >= s->end) || *end != *from || next == *from ||
			    lex_class[from[1]] != LEX_WORD || c->prev == K_START)) {
				LEND(quoted_slow(s, from));
				return;
			}
			end++;
		} else if (UNLIKELY(n == 16 || (lex_high_mask(w) & ((1u << n) - 1)) || way.odd)) {
			bool taken = false;

			if (n < 16 && (next == '\'' || next == '&' || *from == '_'))
				LEND(taken = word_prefix(s, n));
			if (taken)
				return;
			if (way.odd || n < 16 || (!way.safe && s->end - from < 32) || !long_word(s, c, w, way))
				LEND(word_slow(s));
			return;
		} else if (UNLIKELY(next == '\'' || next == '&' || *from == '_')) {
			bool taken;

			LEND(taken = word_prefix(s, n));
			if (taken)
				return;
		}
		put_blank(c);
		o = c->o;
		if (c->prev != K_DOT && (next != '.' || (!way.my && (lex_bits[peek(s, end + 1, way)] & LEX_NUM)))) {
			const struct keyword *kw = keyword_find(s->kw, lower, n);

			if (kw && quoted) {
				c->o = at;
				LEND(quoted_slow(s, from));
				return;
			}
			if (kw && !(kw->flags & KW_NAME) && !dot_follows(s, end, next, way)) {
				lex_store(o, lex_upper(w));
				c->o = o + n;
				c->p = end;
				keyword(s, c, kw->action, at);
				return;
			}
		}
		lex_store(o, way.my && keeps_case(s, end, next, way) ? w : lower);
		c->o = o + n;
		c->p = end;
		name(s, c, from, at, piece_of(s, o, o + n));
		if ((next != '.' && !(next == ',' && separates)) || (c->prev != K_NAME && c->prev != K_TABLE) || c->o > s->o_limit)
			return;
		*token_o = c->o;
		*c->o++ = next;
		from = ++c->p;
		if (next == '.')
			c->prev = K_DOT;
		else {
			c->prev = K_COMMA;
			c->elem = E_EMPTY;
			from = c->p += peek(s, c->p, way) == ' ';
		}
		at = c->o;
		if (from >= limit || lex_class[*from] != again || at > s->o_limit)
			return;
		*token_o = at;
	}
}

/* ---- punctuation ---- */

/* `=` between a column and what follows; everything else is in operator.c. */
HOT void
equals(struct sql_scanner *s, struct cur *c)
{
	if (UNLIKELY((c->p + 1 < s->end && (lex_bits[c->p[1]] & LEX_OPCHAR)) || c->prev != K_NAME || s->want || s->path_prev == K_OP ||
	    s->f->clause == CL_SETTING)) {
		LEND(operators(s));
		return;
	}
	memcpy(c->o, " =", 2);
	c->o += 2;
	c->p++;
	c->prev = K_OP;
	c->elem = E_OTHER;
	s->pend_o = c->o;
	s->pend_cls = s->f->clause == CL_SET ? SQL_SLOT_SET : SQL_SLOT_EQ;
	s->pend_col = s->name;
	s->pend_qual = s->qual;
}

/* A comma in a list: its element is done. */
HOT void
list_comma(struct sql_scanner *s, struct cur *c, struct frame *f)
{
	uint32_t slot = f->kind == F_IN ? f->slot : s->ins_slot0 + f->index;
	bool simple = c->elem == E_VALUE && f->kind >= F_ROW && c->o - f->elem_o == 1 && s->last_slot == slot;

	if (simple && !s->deep && (f->kind == F_IN || f->index < s->row_cols)) {
		if (f->kind == F_IN) {
			if (f->run_o)
				pen_back(s, c, f->run_o);
			else
				f->run_o = c->o;
			if (f->slot != NO_SLOT && !f->ncols)
				c->p = literal_run(s, c->p + 1) - 1;
		}
		f->index++;
	} else if (!s->deep)
		LEND(frame_element(s));
	*c->o++ = ',';
	c->p++;
	c->prev = K_COMMA;
	c->elem = s->deep ? E_OTHER : E_EMPTY;
	if (s->deep)
		return;
	f->elem_o = c->o + 1;	/* behind the blank that the next token puts */
	f->elem_value0 = (uint32_t)s->nvalues;
	f->elem_slot0 = (uint32_t)s->nslots;
}

HOT void
comma(struct sql_scanner *s, struct cur *c)
{
	struct frame *f = s->f;

	if (f->kind >= F_NOW) {
		list_comma(s, c, f);
		return;
	}
	*c->o++ = ',';
	c->p++;
	c->prev = K_COMMA;
	c->elem = s->deep ? E_OTHER : E_EMPTY;
	if (UNLIKELY(f->clause >= CL_FROM && f->clause != CL_WHERE))
		LEND(clause_comma(s));
}

/* Whether the dot at the pen follows a name of MySQL directly, whose part 1a may begin with a digit. */
static bool
glued_dot(const struct sql_scanner *s, const struct cur *c)
{
	const uint8_t last = c->p > s->start ? c->p[-1] : 0;

	return s->my && (c->prev == K_NAME || c->prev == K_TABLE) && (lex_is_ident(last) || last == '`' || last == '"' || last == '#');
}

HOT void
dot(struct sql_scanner *s, struct cur *c)
{
	if (UNLIKELY(c->p + 1 < s->end && (lex_bits[c->p[1]] & LEX_NUM)) && !glued_dot(s, c)) {
		LEND(scan_number(s, s->cur.p, s->cur.p));
		return;
	}
	if (c->prev != K_NAME && c->prev != K_TABLE)
		s->path_n = 0;		/* (row).field; or no path at all */
	*c->o++ = '.';
	c->p++;
	c->prev = c->prev < K_NAME || c->prev == K_VALUE ? K_OP : K_DOT;
}

/* The * of count(*), t.* and SELECT *. */
HOT void
star(struct sql_scanner *s, struct cur *c)
{
	if (c->prev >= K_NAME || s->hinted || s->want) {
		LEND(star_slow(s));
		return;
	}
	put_blank(c);
	*c->o++ = '*';
	c->p++;
	c->prev = K_OPERAND;
	c->elem = E_OTHER;
}

/* A semicolon inside a routine's body. */
static void
inner_semicolon(struct sql_scanner *s)
{
	struct cur *c = &s->cur;

	*c->o++ = ';';
	c->p++;
	c->prev = K_COMMA;
	c->elem = E_OTHER;
	s->f->clause = CL_NONE;
	s->want = W_NONE;
	s->kw_last = ACT_NONE;
}

static __attribute__((noinline)) void
comment_or_operator(struct sql_scanner *s)
{
	if (scan_is_comment(s, s->cur.p, s->end))
		comments(s);
	else if (scan_is_code(s, s->cur.p))
		code_comment(s);
	else
		operators(s);
}

/* ---- the pass ---- */

/* The shape is full: from here on the pen writes into the margin. Lists that collapse may bring it back. */
static __attribute__((noinline)) uint8_t *
full(struct sql_scanner *s, uint8_t *token_o)
{
	if (!s->over) {
		s->over = true;
		s->cut_o = token_o < s->o_limit ? token_o : s->o_limit;	/* a list that collapsed may end in the margin */
	}
	return s->o_limit + 1;
}

/* Reads tokens that begin before limit. True when the statement ended at a semicolon. */
HOT bool
pass(struct sql_scanner *s, struct cur *c, const uint8_t *limit, struct way way)
{
	uint8_t *token_o = c->o;

	while (LIKELY(c->p < limit)) {
		if (UNLIKELY(c->o > s->o_limit))
			c->o = full(s, token_o);
		token_o = c->o;
		enum lex_class cls = lex_class[*c->p];

		switch (cls) {
		case LEX_SPACE:
			c->p++;
			break;
		case LEX_WORD:
			names(s, c, &token_o, limit, way, false);
			c->p += c->p < limit && *c->p == ' ';
			break;
		case LEX_DQUOTE:
			if (way.my && !s->ansi)
				LEND(literal(s));
			else
				names(s, c, &token_o, limit, way, true);
			c->p += c->p < limit && *c->p == ' ';
			break;
		case LEX_BACKTICK:
			if (way.my)
				names(s, c, &token_o, limit, way, true);
			else
				LEND(operators(s));
			break;
		case LEX_DOT:
			dot(s, c);
			break;
		case LEX_COMMA:
			comma(s, c);
			break;
		case LEX_QUOTE:
		case LEX_DIGIT:
		case LEX_DOLLAR:
		case LEX_MARK:
			LEND(literal(s));
			break;
		case LEX_EQUALS:
			equals(s, c);
			break;
		case LEX_OPEN:
			LEND(frame_open(s, false));
			break;
		case LEX_CLOSE:
			LEND(frame_close(s, false));
			break;
		case LEX_STAR:
			star(s, c);
			break;
		case LEX_LBRACK:
			LEND(frame_open(s, true));
			break;
		case LEX_RBRACK:
			LEND(frame_close(s, true));
			break;
		case LEX_MINUS:
		case LEX_SLASH:
		case LEX_HASH:
			LEND(comment_or_operator(s));
			break;
		case LEX_COLON:
			LEND(colon(s));
			break;
		case LEX_AT:
			LEND(at_sign(s));
			break;
		case LEX_OP:
			LEND(operators(s));
			break;
		case LEX_OTHER:
			LEND(single(s));
			break;
		case LEX_SEMI:
			if (!s->block)
				return true;
			LEND(inner_semicolon(s));
			break;
		default:
			__builtin_unreachable();
		}
	}
	if (UNLIKELY(c->o > s->o_limit))
		c->o = full(s, token_o);
	return false;
}

static void
pass_postgresql(struct sql_scanner *s)
{
	struct cur c = s->cur;

	if (s->end - c.p <= SAFE || !pass(s, &c, s->end - SAFE, (struct way){ .safe = true }))
		pass(s, &c, s->end, (struct way){ .safe = false });
	s->cur = c;
}

static void
pass_mysql(struct sql_scanner *s)
{
	struct cur c = s->cur;

	if (s->end - c.p <= SAFE || !pass(s, &c, s->end - SAFE, (struct way){ .my = true, .safe = true }))
		pass(s, &c, s->end, (struct way){ .my = true, .safe = false });
	s->cur = c;
}

static __attribute__((noinline)) void
pass_odd(struct sql_scanner *s)
{
	struct cur c = s->cur;

	pass(s, &c, s->end, (struct way){ .my = s->my, .odd = true });
	s->cur = c;
}

void
scan_statement(struct sql_scanner *s)
{
	if (s->shards || s->pairs)
		pass_odd(s);
	else if (s->my)
		pass_mysql(s);
	else
		pass_postgresql(s);
}
