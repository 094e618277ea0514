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

/* ---- values ---- */

HOT void
record_value(struct sql_scanner *s, unsigned kind, uint32_t number, uint32_t slot, const uint8_t *from, const uint8_t *to)
{
	if (UNLIKELY(s->nvalues == LIMIT_VALUES)) {
		if (!s->values_end)
			s->values_end = from;
		return;
	}
	s->values[s->nvalues++] = (struct sql_value){
		.kind = (uint8_t)kind, .slot = (uint16_t)slot, .number = number, .raw = span_of(from, (size_t)(to - from))
	};
}

/* typed: the value is a string, which a name before it makes a typed literal. */
HOT uint32_t
value_slot(struct sql_scanner *s, bool typed)
{
	static const struct piece none;
	struct frame *f = s->f;
	struct cur *c = &s->cur;

	if (c->o == s->pend_o || (typed && c->prev == K_NAME && s->path_n == 1 && s->shape + s->path_at == s->pend_o))
		return slot_new(s, s->pend_cls, s->pend_qual, s->pend_col);
	if (f->kind == F_IN && !f->ncols)
		return f->slot != NO_SLOT ? f->slot : frame_list_slot(s, f);
	if (f->kind == F_ROW && f->index < s->ncols)
		return s->ins_slot0 + f->index;
	if (f->kind == F_TUPLE && f->index < (f - 1)->ncols)
		return (f - 1)->slot + f->index;
	return slot_new(s, f->clause == CL_LIMIT ? SQL_SLOT_LIMIT : SQL_SLOT_OTHER, none, none);
}

/* A value at the pen: its ?, its slot and its record. typed: a string, which a name before it makes a typed literal (DATE '..'). */
HOT void
put_value(struct sql_scanner *s, unsigned kind, uint32_t number, const uint8_t *from, const uint8_t *to, bool typed)
{
	struct cur *c = &s->cur;

	if (UNLIKELY(s->want) && !clause_value(s, from, to))
		return;
	s->last_slot = value_slot(s, typed);
	s->value_prev = c->prev;
	record_value(s, kind, number, s->last_slot, from, to);
	c->elem = c->elem == E_EMPTY || (typed && c->elem == E_NAME) ? E_VALUE : E_OTHER;
	put_blank(c);
	*c->o++ = '?';
	c->prev = K_VALUE;
}

void
scan_value(struct sql_scanner *s, enum sql_value_kind kind, uint32_t number, const uint8_t *from, const uint8_t *to)
{
	put_value(s, kind, number, from, to, false);
}

void
scan_placeholder(struct sql_scanner *s, const uint8_t *to)
{
	const uint8_t *from = s->cur.p;

	s->cur.p = to;
	put_value(s, SQL_VALUE_PLACEHOLDER, ++s->marks, from, to, false);
}

/* Behind a string: further parts of the same literal ('a' <newline> 'b' in PostgreSQL, 'a' 'b' in MySQL). */
static __attribute__((noinline)) const uint8_t *
string_rest(struct sql_scanner *s, const uint8_t *p, unsigned esc)
{
	for (;;) {
		const uint8_t *q = p;
		bool newline = s->my, done = true;

		for (;; q++) {
			while (!s->my && s->end - q >= 2 && q[0] == '-' && q[1] == '-')
				q = lex_line(q, s->end);
			if (q >= s->end || !(lex_bits[*q] & LEX_BLANK))
				break;
			newline |= *q == '\n' || *q == '\r';
		}
		if (q >= s->end || q == p || !newline || (*q != '\'' && !(s->my && !s->ansi && *q == '"')))
			return p;
		p = lex_string(q, s->end, esc, &done);
		s->unfinished |= !done;
	}
}

void
scan_string(struct sql_scanner *s, const uint8_t *from, const uint8_t *q, unsigned esc)
{
	bool done = true;
	const uint8_t *p = lex_string(q, s->end, esc, &done);

	if (UNLIKELY(!done))
		s->unfinished = true;
	else if (p + 1 < s->end && (lex_bits[p[0]] & LEX_BLANK) && lex_class[p[1]] != LEX_WORD)
		p = string_rest(s, p, esc);
	s->cur.p = p;
	put_value(s, SQL_VALUE_LITERAL, 0, from, p, true);
}

static const uint8_t *
skip_digits(const uint8_t *p, const uint8_t *end)
{
	while (p < end && (lex_bits[*p] & LEX_NUM))
		p++;
	return p;
}

void
scan_number(struct sql_scanner *s, const uint8_t *from, const uint8_t *digits)
{
	const uint8_t *end = skip_digits(digits, s->end);

	if (UNLIKELY(end < s->end && (*end == '.' || lex_is_ident(*end)))) {
		end = lex_number(digits, s->end, s->my);
		/* MySQL: 2fa_tokens is a name; so is 1a in t.1a */
		if (s->my && end < s->end && lex_is_ident(*end) && !memchr(digits, '.', (size_t)(end - digits)) && from == digits) {
			word_slow(s);
			return;
		}
	}
	s->cur.p = end;
	put_value(s, SQL_VALUE_LITERAL, 0, from, end, false);
}

/* The number after $ at p; *to behind it. */
HOT uint32_t
parameter(const uint8_t *p, const uint8_t *end, const uint8_t **to)
{
	uint32_t n = 0;

	for (p++; p < end && (lex_bits[*p] & LEX_NUM); p++)
		n = n < 1000000 ? n * 10 + (*p & 15u) : n;
	*to = p;
	return n;
}

static void
dollar(struct sql_scanner *s)
{
	const uint8_t *from = s->cur.p, *p;
	uint32_t n = parameter(from, s->end, &p);
	bool done = true;

	if (LIKELY(p > from + 1)) {
		s->cur.p = p;
		put_value(s, SQL_VALUE_PLACEHOLDER, n, from, p, false);
		return;
	}
	if (!s->my)
		p = lex_dollar(from, s->end, &done);
	s->unfinished |= !done;
	if (!s->my && p > from) {
		s->cur.p = p;
		put_value(s, SQL_VALUE_LITERAL, 0, from, p, true);
	} else
		word_slow(s);
}

/* A question mark: PostgreSQL's operator between operands, a placeholder elsewhere. */
static void
question_mark(struct sql_scanner *s)
{
	if (!s->my && s->cur.prev >= K_NAME)
		operators(s);
	else
		scan_placeholder(s, s->cur.p + 1);
}

/* A token that begins like a value. */
static __attribute__((noinline)) void
literal(struct sql_scanner *s)
{
	const uint8_t *p = s->cur.p;

	switch (*p) {
	case '\'':
	case '"':
		scan_string(s, p, p, s->esc);
		break;
	case '$':
		dollar(s);
		break;
	case '?':
		question_mark(s);
		break;
	default:
		scan_number(s, p, p);
		break;
	}
}

/* ---- names and keywords ---- */

/* A name was written; at is where its token began in the shape, from in the text. */
HOT void
name(struct sql_scanner *s, struct cur *c, const uint8_t *from, const uint8_t *at, struct piece text)
{
	if (c->prev == K_DOT) {
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

/* Whether a dot follows the blanks at p, which makes any word a name. */
HOT bool
dot_follows(const struct sql_scanner *s, const uint8_t *p, uint8_t next, struct way way)
{
	enum lex_class then;

	if (next == '.')
		return true;
	if (LIKELY(lex_class[next] != LEX_SPACE))
		return false;
	then = lex_class[peek(s, p + 1, way)];
	if (LIKELY(then != LEX_SPACE && then != LEX_DOT))
		return false;
	return *lex_blanks(p, s->end - 1) == '.';
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
	put_blank(c);
	o = c->o;
	lex_store(o, way.my ? w : lex_lower(w));
	lex_store(o + 16, way.my ? rest : lex_lower(rest));
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
		lex16 w = load(s, from + quoted, way), lower = quoted && !way.my ? w : lex_lower(w);
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
		if (c->prev != K_DOT && next != '.') {
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
		lex_store(o, way.my || quoted ? w : lower);
		c->o = o + n;
		c->p = end;
		name(s, c, from, at, piece_of(s, o, o + n));
		if ((next != '.' && !(next == ',' && separates)) || c->prev < K_NAME || c->o > s->o_limit)
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

/* In a list of values: takes in whole `$1, `, `42, ` and `?, ` at once; the shape does not change. */
static __attribute__((noinline)) const uint8_t *
list_run(struct sql_scanner *s, const uint8_t *p)
{
	struct frame *f = s->f;
	const uint8_t *end = s->end;

	for (;;) {
		const uint8_t *from = lex_blanks(p, end), *q = from;
		unsigned kind = SQL_VALUE_PLACEHOLDER;
		uint32_t n = 0;

		if (q >= end)
			return p;
		if (*q == '$')
			n = parameter(q, end, &q);
		else if (*q == '?')
			q++;
		else {
			kind = SQL_VALUE_LITERAL;
			q = skip_digits(q, end);
		}
		if (q == from || q >= end || *q != ',' || (*from == '$' && q == from + 1))
			return p;
		n = *from == '?' ? ++s->marks : n;
		record_value(s, kind, n, f->slot, from, q);
		p = q + 1;
	}
}

/* A comma in a list: its element is done. */
HOT void
list_comma(struct sql_scanner *s, struct cur *c, struct frame *f)
{
	if (c->elem == E_VALUE && f->kind >= F_ROW && c->o - f->elem_o == 1 && !s->deep) {
		if (f->kind == F_IN) {
			if (f->run_o)
				c->o = f->run_o;
			else
				f->run_o = c->o;
			if (f->slot != NO_SLOT && !f->ncols)
				c->p = list_run(s, c->p + 1) - 1;
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

HOT void
dot(struct sql_scanner *s, struct cur *c)
{
	if (UNLIKELY(c->prev < K_NAME || c->prev == K_VALUE) && c->p + 1 < s->end && (lex_bits[c->p[1]] & LEX_NUM)) {
		LEND(scan_number(s, s->cur.p, s->cur.p));
		return;
	}
	if (c->prev == K_KEYWORD)
		*c->o++ = ' ';
	*c->o++ = '.';
	c->p++;
	c->prev = K_DOT;
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
		s->cut_o = token_o;
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
