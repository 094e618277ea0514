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

HOT uint32_t
value_slot(struct sql_scanner *s, const struct cur *c, bool typed)
{
	struct frame *f = s->f;
	static const struct piece none;

	if (c->o == s->pend_o || (typed && c->prev == K_NAME && s->path_n == 1 && s->shape + s->path_at == s->pend_o))
		return slot_new(s, s->pend_cls, s->pend_qual, s->pend_col);
	if (f->kind == F_IN)
		return f->slot != NO_SLOT ? f->slot : frame_list_slot(s, f);
	if (f->kind == F_ROW && f->index < s->ncols)
		return s->ins_slot0 + f->index;
	return slot_new(s, f->clause == CL_LIMIT ? SQL_SLOT_LIMIT : SQL_SLOT_OTHER, none, none);
}

/* typed: a string, which a name before it makes a typed literal (DATE '2024-01-01'). */
HOT void
value(struct sql_scanner *s, struct cur *c, unsigned kind, uint32_t number, const uint8_t *from, const uint8_t *to, bool typed)
{
	if (UNLIKELY(s->want)) {
		bool plain;

		LEND(plain = clause_value(s, from, to));
		if (!plain)
			return;
	}
	s->last_slot = value_slot(s, c, typed);
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
	struct cur c = s->cur;

	value(s, &c, kind, number, from, to, false);
	s->cur = c;
}

void
scan_placeholder(struct sql_scanner *s, const uint8_t *to)
{
	struct cur c = s->cur;
	const uint8_t *from = c.p;

	c.p = to;
	value(s, &c, SQL_VALUE_PLACEHOLDER, ++s->marks, from, to, false);
	s->cur = c;
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

/* A string literal whose quote is at q; from is where its prefix began. */
HOT void
string(struct sql_scanner *s, struct cur *c, const uint8_t *from, const uint8_t *q, unsigned esc)
{
	bool done = true;
	const uint8_t *p = lex_string(q, s->end, esc, &done);

	if (UNLIKELY(!done))
		s->unfinished = true;
	else if (p + 1 < s->end && (lex_bits[p[0]] & LEX_BLANK) && lex_class[p[1]] != LEX_WORD)
		p = string_rest(s, p, esc);
	c->p = p;
	value(s, c, SQL_VALUE_LITERAL, 0, from, p, true);
}

void
scan_string(struct sql_scanner *s, const uint8_t *from, const uint8_t *q, unsigned esc)
{
	struct cur c = s->cur;

	string(s, &c, from, q, esc);
	s->cur = c;
}

/* A number whose digits begin at `digits`, its sign at from. */
HOT void
number(struct sql_scanner *s, struct cur *c, const uint8_t *from, const uint8_t *digits)
{
	const uint8_t *end = digits;

	while (end < s->end && (lex_bits[*end] & LEX_NUM))
		end++;
	if (UNLIKELY(end < s->end && (*end == '.' || lex_is_ident(*end)))) {
		end = lex_number(digits, s->end, s->my);
		/* MySQL: 2fa_tokens is a name; so is 1a in t.1a */
		if (s->my && end < s->end && lex_is_ident(*end) && !memchr(digits, '.', (size_t)(end - digits)) && from == digits) {
			LEND(word_slow(s));
			return;
		}
	}
	c->p = end;
	value(s, c, SQL_VALUE_LITERAL, 0, from, end, false);
}

void
scan_number(struct sql_scanner *s, const uint8_t *from, const uint8_t *digits)
{
	struct cur c = s->cur;

	number(s, &c, from, digits);
	s->cur = c;
}

/* $n; its number, and *p behind it. */
HOT uint32_t
parameter(const uint8_t **p, const uint8_t *end)
{
	uint32_t n = 0;

	for (; *p < end && (lex_bits[**p] & LEX_NUM); (*p)++)
		n = n < 1000000 ? n * 10 + (**p & 15u) : n;
	return n;
}

static __attribute__((noinline)) void
dollar_slow(struct sql_scanner *s)
{
	const uint8_t *from = s->cur.p, *p = from;
	bool done = true;

	if (!s->my)
		p = lex_dollar(from, s->end, &done);
	s->unfinished |= !done;
	if (p > from) {
		s->cur.p = p;
		scan_value(s, SQL_VALUE_LITERAL, 0, from, p);
	} else
		word_slow(s);
}

HOT void
dollar(struct sql_scanner *s, struct cur *c)
{
	const uint8_t *from = c->p, *p = from + 1;

	if (UNLIKELY(p >= s->end || !(lex_bits[*p] & LEX_NUM))) {
		LEND(dollar_slow(s));
		return;
	}
	uint32_t n = parameter(&p, s->end);

	c->p = p;
	value(s, c, SQL_VALUE_PLACEHOLDER, n, from, p, false);
}

/* A question mark: PostgreSQL's operator between operands, a placeholder elsewhere. */
HOT void
mark(struct sql_scanner *s, struct cur *c)
{
	const uint8_t *from = c->p;

	if (!s->my && c->prev >= K_NAME) {
		LEND(operators(s));
		return;
	}
	c->p++;
	value(s, c, SQL_VALUE_PLACEHOLDER, ++s->marks, from, from + 1, false);
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
	s->name = text;
	c->prev = K_NAME;
	if (UNLIKELY(s->want)) {
		s->old_elem = c->elem;
		s->name_p = from;
		c->elem = c->elem == E_EMPTY ? E_NAME : E_OTHER;
		LEND(clause_name(s));
		return;
	}
	c->elem = c->elem == E_EMPTY ? E_NAME : E_OTHER;
}

void
scan_name(struct sql_scanner *s, const uint8_t *from, const uint8_t *at, struct piece text)
{
	struct cur c = s->cur;

	name(s, &c, from, at, text);
	s->cur = c;
}

HOT void
keyword(struct sql_scanner *s, struct cur *c, unsigned action, uint8_t *at)
{
	unsigned prev = c->prev, elem = c->elem;

	c->prev = K_KEYWORD;
	c->elem = E_OTHER;
	if (action | s->want)
		LEND(clause_keyword(s, action, at, prev, elem));
	else
		s->kw_last = ACT_NONE;
}

void
scan_keyword(struct sql_scanner *s, unsigned action, uint8_t *at)
{
	struct cur c = s->cur;

	keyword(s, &c, action, at);
	s->cur = c;
}

HOT void
word(struct sql_scanner *s, struct cur *c)
{
	struct lex16 w = lex_look(c->p, s->end);
	unsigned n = (unsigned)__builtin_ctz(~w.ident);
	const uint8_t *from = c->p;
	uint8_t *at = c->o, *o, next;
	uint64_t head, tail;

	if (UNLIKELY(n == 0 || n == 16 || (w.high >> n & 1) || s->shards)) {
		LEND(word_slow(s));
		return;
	}
	next = from + n < s->end ? from[n] : 0;
	if (UNLIKELY(next == '\'' || next == '&' || *from == '_')) {
		bool taken;

		LEND(taken = word_prefix(s, n));
		if (taken)
			return;
	}
	put_blank(c);
	o = c->o;
	c->p += n;
	c->o += n;
	if (c->prev != K_DOT) {
		lex_words(&w, n, &head, &tail);
		const struct keyword *kw = keyword_find(s->kw, head, tail, n);

		if (kw && !(kw->flags & KW_NAME)) {
			lex_put_upper(o, &w);
			keyword(s, c, kw->action, at);
			return;
		}
	}
	if (s->my)
		lex_put_raw(o, &w);
	else
		lex_put_lower(o, &w);
	name(s, c, from, at, piece_of(s, o, o + n));
}

HOT void
quoted(struct sql_scanner *s, struct cur *c, char quote)
{
	const uint8_t *from = c->p, *p = from + 1;
	struct lex16 w = lex_look(p, s->end);
	unsigned found = lex_find(&w, quote), n = (unsigned)__builtin_ctz(found | 1u << 16), mask = (1u << n) - 1;
	unsigned plain = s->my ? w.ident : w.ident & ~lex_uppers(&w);
	uint8_t *at = c->o, *o;
	uint64_t head, tail;

	if (UNLIKELY(n == 0 || n == 16 || (plain & mask) != mask || (w.digit & 1) || *p == '$' || c->prev == K_START || s->shards ||
	    (p + n + 1 < s->end && p[n + 1] == (uint8_t)quote))) {
		LEND(quoted_slow(s, from));
		return;
	}
	if (c->prev != K_DOT) {
		lex_words(&w, n, &head, &tail);
		if (UNLIKELY(keyword_find(s->kw, head, tail, n) != NULL)) {
			LEND(quoted_slow(s, from));
			return;
		}
	}
	put_blank(c);
	o = c->o;
	lex_put_raw(o, &w);
	c->o += n;
	c->p = p + n + 1;
	name(s, c, from, at, piece_of(s, o, o + n));
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
		if (*q == '$') {
			q++;
			n = parameter(&q, end);
		} else if (*q == '?')
			q++;
		else {
			kind = SQL_VALUE_LITERAL;
			while (q < end && (lex_bits[*q] & LEX_NUM))
				q++;
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
			if (f->slot != NO_SLOT)
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

void
scan_statement(struct sql_scanner *s)
{
	struct cur pen = s->cur, *c = &pen;
	const uint8_t *end = s->end;
	uint8_t *token_o = pen.o;

	while (LIKELY(c->p < end)) {
		if (UNLIKELY(c->o > s->o_limit))
			c->o = full(s, token_o);
		token_o = c->o;
		switch ((enum lex_class)lex_class[*c->p]) {
		case LEX_SPACE:
			c->p++;
			break;
		case LEX_WORD:
			word(s, c);
			break;
		case LEX_DQUOTE:
			if (s->my && !s->ansi)
				string(s, c, c->p, c->p, s->esc);
			else
				quoted(s, c, '"');
			break;
		case LEX_BACKTICK:
			if (s->my)
				quoted(s, c, '`');
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
			string(s, c, c->p, c->p, s->esc);
			break;
		case LEX_DIGIT:
			number(s, c, c->p, c->p);
			break;
		case LEX_DOLLAR:
			dollar(s, c);
			break;
		case LEX_MARK:
			mark(s, c);
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
			if (scan_is_comment(s, c->p, end))
				LEND(comments(s));
			else if (scan_is_code(s, c->p))
				LEND(code_comment(s));
			else
				LEND(operators(s));
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
				goto done;
			LEND(inner_semicolon(s));
			break;
		}
	}
done:
	if (c->o > s->o_limit)
		c->o = full(s, token_o);
	s->cur = *c;
}
