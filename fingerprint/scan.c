/* SPDX-License-Identifier: Apache-2.0 */
/* scan: one pass over a statement, token by token, writing the shape on the way (see scan.h for the idea, SHAPES.md for the rules).
 * Does: words, literals, operators, comments. Never: looks at a byte more often than a fixed number of times, allocates, or writes a
 * byte of a literal. What words and parentheses mean is in clause.c and frame.c. */
#include "scan.h"

enum { OPERATOR_MAX = 63 };	/* PostgreSQL's NAMEDATALEN - 1 */

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define HOT static inline __attribute__((always_inline))
#define COLD static __attribute__((noinline))

/* Lends the pen to a function that works on s->cur. */
#define LEND(call) \
	do { \
		s->cur = *c; \
		call; \
		*c = s->cur; \
	} while (0)

static inline uint8_t
byte_at(const struct sql_scanner *s, const uint8_t *p)
{
	return p < s->end ? *p : 0;
}

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

	if (c->o == s->pend_o || (typed && c->prev == K_NAME && s->path_o == s->pend_o && s->path_n == 1))
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

/* Behind a string: further parts of the same literal ('a' <newline> 'b' in PostgreSQL, 'a' 'b' in MySQL). */
COLD const uint8_t *
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

COLD void
string_prefixed(struct sql_scanner *s, const uint8_t *from, const uint8_t *q, unsigned esc)
{
	struct cur c = s->cur;

	string(s, &c, from, q, esc);
	s->cur = c;
}

/* ---- names and keywords ---- */

/* A name's text is at o..c->o (without quotes); at is where its token began in the shape. */
HOT void
name(struct sql_scanner *s, struct cur *c, const uint8_t *from, uint8_t *at, struct piece text)
{
	if (c->prev == K_DOT) {
		s->qual = s->name;
		s->path_n++;
	} else {
		s->qual.n = 0;
		s->path_n = 1;
		s->path_o = at;
		s->path_prev = c->prev;
		s->name_p = from;
	}
	s->name = text;
	c->prev = K_NAME;
	if (UNLIKELY(s->want)) {
		s->old_elem = c->elem;
		c->elem = c->elem == E_EMPTY ? E_NAME : E_OTHER;
		LEND(clause_name(s));
		return;
	}
	c->elem = c->elem == E_EMPTY ? E_NAME : E_OTHER;
}

HOT void
keyword(struct sql_scanner *s, struct cur *c, unsigned action, uint8_t *at)
{
	unsigned prev = c->prev, elem = c->elem;

	c->prev = K_KEYWORD;
	c->elem = E_OTHER;
	if (UNLIKELY(action | s->want))
		LEND(clause_keyword(s, action, at, prev, elem));
	else
		s->kw_last = ACT_NONE;
}

/* Writes one character of an identifier as UTF-8; a byte that is none is taken for Latin-1, so that names stay apart and shapes valid. */
static const uint8_t *
put_char(struct sql_scanner *s, struct cur *c, const uint8_t *p, bool lower, bool escape)
{
	unsigned n = s->pairs ? (*p < 0x80 ? 1 : 0) : lex_utf8(p, s->end);
	uint8_t b = *p;

	if (n > 1) {
		memcpy(c->o, p, n);
		c->o += n;
		return p + n;
	}
	if (n == 0) {
		n = s->pairs ? lex_pair(p, s->end, s->pairs) : 1;
		for (unsigned i = 0; i < n; i++) {
			unsigned u = p[i] < 0x80 ? 0x100u + p[i] : p[i];

			*c->o++ = (uint8_t)(0xc0 | u >> 6);
			*c->o++ = (uint8_t)(0x80 | (u & 0x3f));
		}
		return p + n;
	}
	if (escape && (b < 0x20 || b == 0x7f)) {
		memcpy(c->o, "\\x", 2);
		c->o[2] = (uint8_t)"0123456789abcdef"[b >> 4];
		c->o[3] = (uint8_t)"0123456789abcdef"[b & 15];
		c->o += 4;
	} else
		*c->o++ = lower && (lex_bits[b] & LEX_UPPER) ? b | 0x20 : b;
	return p + 1;
}

/* Whether an identifier of n bytes may take four times that in the shape; else the pen jumps over the edge, which ends the shape here. */
static bool
has_room(struct sql_scanner *s, struct cur *c, size_t n)
{
	if ((size_t)(s->shape + sizeof s->shape - c->o) > 4 * n + 16)
		return true;
	c->o = s->o_limit + 1;
	return false;
}

/* Folds runs of digits to '#' in the bytes o..c->o (opt-in rule). */
static void
fold_shards(struct cur *c, uint8_t *o)
{
	uint8_t *to = o;

	for (uint8_t *q = o; q < c->o; q++) {
		if (!(lex_bits[*q] & LEX_NUM))
			*to++ = *q;
		else if (to == o || to[-1] != '#')
			*to++ = '#';
	}
	c->o = to;
}

static const uint8_t *
word_end(const struct sql_scanner *s, const uint8_t *p)
{
	while (p < s->end && (lex_is_ident(*p) || (s->shards && *p == '#')))
		p += s->pairs ? lex_pair(p, s->end, s->pairs) : 1;
	return p;
}

/* Any unquoted word: long, not ASCII, in an unusual encoding, or to be folded. */
COLD void
word_slow(struct sql_scanner *s)
{
	struct cur *c = &s->cur, local;
	const uint8_t *from = c->p, *end = word_end(s, from);
	uint8_t *at = c->o, *o;
	const struct keyword *kw = NULL;
	struct lex16 w = lex_look(from, end);
	uint64_t head, tail;

	if (c->prev != K_DOT && end - from <= 16) {
		lex_words(&w, (unsigned)(end - from), &head, &tail);
		kw = keyword_find(s->kw, head, tail, (unsigned)(end - from));
	} else if (c->prev != K_DOT)
		kw = keyword_find_long(s->kw, span_of(from, (size_t)(end - from)));
	put_blank(c);
	o = c->o;
	c->p = end;
	if (has_room(s, c, (size_t)(end - from)))
		for (const uint8_t *p = from; p < end;)
			p = put_char(s, c, p, !s->my, false);
	else
		o = c->o;
	local = *c;
	if (kw && !(kw->flags & KW_NAME)) {
		for (uint8_t *q = o; q < c->o; q++)
			*q = lex_bits[*q] & LEX_LOWER ? (uint8_t)(*q & ~0x20) : *q;
		keyword(s, &local, kw->action, at);
	} else {
		if (s->shards)
			fold_shards(&local, o);
		name(s, &local, from, at, (struct piece){ o, (uint32_t)(local.o - o) });
	}
	s->cur = local;
}

/* A word directly before a quote: E'..', U&'..', N'..', B'..', X'..', _utf8'..'. True when it was one of these. */
COLD bool
prefixed(struct sql_scanner *s, unsigned n)
{
	const uint8_t *from = s->cur.p, *q = from + n;
	uint8_t first = *from | 0x20;

	if (s->cur.prev == K_DOT)
		return false;
	if (n == 1 && byte_at(s, q) == '\'') {
		if (first == 'e' && !s->my)
			string_prefixed(s, from, q, s->pairs | LEX_ESC_BACKSLASH);
		else if (first == 'n' || first == 'b' || first == 'x')
			string_prefixed(s, from, q, s->my ? s->esc : s->pairs);
		else
			return false;
		return true;
	}
	if (n == 1 && first == 'u' && !s->my && byte_at(s, q) == '&' && byte_at(s, q + 1) == '\'') {
		string_prefixed(s, from, q + 1, s->pairs);
		return true;
	}
	if (s->my && *from == '_') {
		q = lex_blanks(q, s->end);
		if (byte_at(s, q) == '\'' || (byte_at(s, q) == '"' && !s->ansi)) {
			string_prefixed(s, from, q, s->esc);
			return true;
		}
	}
	return false;
}

/* PostgreSQL U&"..": the quoted identifier keeps its prefix. Declared below. */
COLD void quoted_slow(struct sql_scanner *s, const uint8_t *q);

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
	next = byte_at(s, from + n);
	if (UNLIKELY(next == '\'' || (n == 1 && next == '&') || *from == '_')) {
		bool taken;

		LEND(taken = prefixed(s, n));
		if (taken)
			return;
		if (n == 1 && (*from | 0x20) == 'u' && next == '&' && byte_at(s, from + 2) == '"' && !s->my) {
			LEND(quoted_slow(s, from + 2));
			return;
		}
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
	name(s, c, from, at, (struct piece){ o, n });
}

/* ---- quoted identifiers ---- */

/* Whether quoted text means the same without its quotes. */
static bool
bare(const struct sql_scanner *s, unsigned prev, const uint8_t *p, size_t n)
{
	uint64_t head, tail;

	if (n == 0 || n > 63 || (lex_bits[*p] & LEX_NUM) || *p == '$' || prev == K_START)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!lex_is_ident(p[i]) || (lex_bits[p[i]] & LEX_HIGH) || (!s->my && (lex_bits[p[i]] & LEX_UPPER)))
			return false;
	if (prev == K_DOT)
		return true;
	if (n > 16)
		return !keyword_find_long(s->kw, span_of(p, n));
	struct lex16 w = lex_look(p, p + n);

	lex_words(&w, (unsigned)n, &head, &tail);
	return !keyword_find(s->kw, head, tail, (unsigned)n);
}

/* Any quoted identifier; q is at its quote, s->cur.p at its first byte (the U of U&"..", too). */
COLD void
quoted_slow(struct sql_scanner *s, const uint8_t *q)
{
	struct cur *c = &s->cur, local;
	const uint8_t *from = c->p, *end, *p = q + 1;
	uint8_t quote = s->my ? '`' : '"', *at = c->o, *o;
	bool done = true, unicode = q > from;

	c->p = end = lex_string(q, s->end, s->pairs, &done);
	s->unfinished |= !done;
	if (done)
		end--;
	put_blank(c);
	o = c->o;
	if (!unicode && bare(s, c->prev, p, (size_t)(end - p)) && has_room(s, c, (size_t)(end - p))) {
		memcpy(c->o, p, (size_t)(end - p));
		c->o += end - p;
		local = *c;
		if (s->shards)
			fold_shards(&local, o);
		name(s, &local, from, at, (struct piece){ o, (uint32_t)(local.o - o) });
		s->cur = local;
		return;
	}
	if (!has_room(s, c, (size_t)(end - p) + 2)) {
		local = *c;
		name(s, &local, from, at, (struct piece){ local.o, 0 });
		s->cur = local;
		return;
	}
	if (unicode) {
		memcpy(c->o, "U&", 2);
		c->o += 2;
	}
	*c->o++ = quote;
	o = c->o;
	while (p < end) {
		if (*p == *q)		/* doubled in the text */
			p++;
		if (*p == quote)
			*c->o++ = quote;
		p = put_char(s, c, p, false, true);
	}
	if (s->shards)
		fold_shards(c, o);
	*c->o++ = quote;
	local = *c;
	name(s, &local, from, at, (struct piece){ o, (uint32_t)(local.o - o - 1) });
	s->cur = local;
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
	    byte_at(s, p + n + 1) == (uint8_t)quote)) {
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
	name(s, c, from, at, (struct piece){ o, n });
}

/* ---- numbers and placeholders ---- */

/* A number (5, .5) begins at p, blanks before it skipped; NULL when none does. */
static const uint8_t *
number_at(const struct sql_scanner *s, const uint8_t *p)
{
	p = lex_blanks(p, s->end);
	if (lex_bits[byte_at(s, p)] & LEX_NUM)
		return p;
	return byte_at(s, p) == '.' && (lex_bits[byte_at(s, p + 1)] & LEX_NUM) ? p : NULL;
}

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

HOT void
dollar(struct sql_scanner *s, struct cur *c)
{
	const uint8_t *from = c->p, *p = from + 1;
	uint32_t n = 0;
	bool done = true;

	if (LIKELY(p < s->end && (lex_bits[*p] & LEX_NUM))) {
		for (; p < s->end && (lex_bits[*p] & LEX_NUM); p++)
			n = n < 1000000 ? n * 10 + (*p & 15u) : n;
		c->p = p;
		value(s, c, SQL_VALUE_PLACEHOLDER, n, from, p, false);
		return;
	}
	if (s->my) {
		LEND(word_slow(s));
		return;
	}
	p = lex_dollar(from, s->end, &done);
	s->unfinished |= !done;
	if (p > from) {
		c->p = p;
		value(s, c, SQL_VALUE_LITERAL, 0, from, p, true);
	} else {
		LEND(word_slow(s));
	}
}

static void
placeholder(struct sql_scanner *s, struct cur *c, const uint8_t *to)
{
	const uint8_t *from = c->p;

	c->p = to;
	value(s, c, SQL_VALUE_PLACEHOLDER, ++s->marks, from, to, false);
}

/* ---- operators ---- */

static bool
operand_before(unsigned prev)
{
	return prev >= K_NAME;
}

/* The class of slot a comparing operator makes; SQL_SLOT_OTHER for all that do not compare. */
static unsigned
operator_class(const uint8_t *p, size_t n)
{
	if (n == 1)
		return *p == '=' ? SQL_SLOT_EQ : *p == '<' || *p == '>' || *p == '~' ? SQL_SLOT_RANGE : SQL_SLOT_OTHER;
	if (n == 2 && p[1] == '=')
		return *p == '<' || *p == '>' || *p == '!' ? SQL_SLOT_RANGE : SQL_SLOT_OTHER;
	if (n == 2 && ((*p == '<' && p[1] == '>') || (*p == '~' && p[1] == '~') || (*p == '!' && p[1] == '~') || (*p == '~' && p[1] == '*')))
		return SQL_SLOT_RANGE;
	if (n == 3 && *p == '<' && p[1] == '=' && p[2] == '>')
		return SQL_SLOT_EQ;
	return SQL_SLOT_OTHER;
}

HOT void
operator(struct sql_scanner *s, struct cur *c, size_t n)
{
	unsigned cls = operator_class(c->p, n), prev = c->prev;

	put_blank(c);
	memcpy(c->o, c->p, n);
	c->o += n;
	c->p += n;
	c->prev = K_OP;
	c->elem = E_OTHER;
	if (LIKELY(cls == SQL_SLOT_EQ && prev == K_NAME && !s->want && s->path_prev != K_OP && s->f->clause != CL_SET)) {
		s->pend_o = c->o;
		s->pend_cls = SQL_SLOT_EQ;
		s->pend_col = s->name;
		s->pend_qual = s->qual;
		return;
	}
	LEND(clause_operator(s, cls, prev));
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

/* Operators of both dialects except those with a case of their own in the big switch. */
static void
operators(struct sql_scanner *s, struct cur *c)
{
	const uint8_t *p = c->p, *mark, *digits;

	if (LIKELY(*p == '=' && s->end - p >= 2 && !(lex_bits[p[1]] & LEX_OPCHAR))) {
		operator(s, c, 1);
		return;
	}
	if (!operand_before(c->prev)) {
		if (*p == '%' && (mark = percent_mark(s, p)) != NULL) {
			placeholder(s, c, mark);
			return;
		}
		if ((*p == '+' || *p == '-') && (digits = number_at(s, p + 1)) != NULL) {
			number(s, c, p, digits);
			return;
		}
	}
	operator(s, c, s->my ? my_operator(s, p) : pg_operator(s, p));
}

/* An operator of one byte that stands alone whatever follows: * as in count(*), : in slices, braces. */
static void
single(struct sql_scanner *s, struct cur *c)
{
	put_blank(c);
	*c->o++ = *c->p++;
	c->prev = K_OP;
	c->elem = E_OTHER;
	s->want = s->want == W_REVERSE || s->want == W_ALIAS ? W_NONE : s->want;
}

static void
star(struct sql_scanner *s, struct cur *c)
{
	if (operand_before(c->prev)) {
		operators(s, c);
		return;
	}
	single(s, c);
	c->prev = K_OPERAND;
}

/* :: and := and :name and a lone colon. */
static void
colon(struct sql_scanner *s, struct cur *c)
{
	const uint8_t *p = c->p, *q = p + 1;
	uint8_t b = byte_at(s, q);

	if (b == ':') {
		memcpy(c->o, "::", 2);
		c->o += 2;
		c->p += 2;
		LEND(scan_type(s));
	} else if (b == '=') {
		operator(s, c, 2);
	} else if (lex_is_ident(b) && b != '$' && s->f->kind != F_INDEX && !operand_before(c->prev)) {
		while (q < s->end && lex_is_ident(*q))
			q++;
		placeholder(s, c, q);
	} else
		single(s, c);
}

/* MySQL @user_variable, @@system.variable, @`quoted`: part of a name. */
COLD void
at_variable(struct sql_scanner *s)
{
	struct cur *c = &s->cur, local;
	const uint8_t *from = c->p, *p = from, *end;
	uint8_t *at = c->o, *o;

	while (p < s->end && *p == '@' && p - from < 2)
		p++;
	end = p;
	while (end < s->end && (lex_is_ident(*end) || (*end == '.' && end > p)))
		end++;
	put_blank(c);
	o = c->o;
	c->p = end;
	if (has_room(s, c, (size_t)(end - from)))
		for (p = from; p < end;)
			p = put_char(s, c, p, true, false);
	local = *c;
	name(s, &local, from, at, (struct piece){ o, (uint32_t)(local.o - o) });
	s->cur = local;
}

static void
at_sign(struct sql_scanner *s, struct cur *c)
{
	uint8_t b = byte_at(s, c->p + 1);

	if (s->my && (b == '@' || (lex_is_ident(b) && !(lex_bits[b] & LEX_NUM)))) {
		LEND(at_variable(s));
	} else
		operators(s, c);
}

/* ---- comments ---- */

bool
scan_is_comment(const struct sql_scanner *s, const uint8_t *p, const uint8_t *end)
{
	size_t left = (size_t)(end - p);

	if (left >= 2 && p[0] == '-' && p[1] == '-')
		return !s->my || left == 2 || (lex_bits[p[2]] & LEX_BLANK);
	if (left >= 1 && p[0] == '#')
		return s->my;
	if (left < 2 || p[0] != '/' || p[1] != '*')
		return false;
	if (left >= 3 && p[2] == '+')
		return false;
	if (s->my && left >= 3 && (p[2] == '!' || (p[2] == 'M' && left >= 4 && p[3] == '!')))
		return false;
	return true;
}

const uint8_t *
scan_comments(struct sql_scanner *s, const uint8_t *p, const uint8_t *end)
{
	s->ncomments = 0;
	for (;;) {
		const uint8_t *q;
		bool done = true;

		p = lex_blanks(p, end);
		if (p >= end || !scan_is_comment(s, p, end))
			return p;
		q = *p == '/' ? lex_block(p, end, !s->my, &done) : lex_line(p, end);
		s->unfinished |= !done;
		if (s->ncomments < COMMENTS)
			s->comments[s->ncomments++] = span_of(p, (size_t)(q - p));
		p = q;
	}
}

/* A run of comments inside or behind the statement; those behind it are its tags. */
COLD void
comments(struct sql_scanner *s)
{
	const uint8_t *from = s->cur.p, *p = scan_comments(s, from, s->end);

	if (p >= s->end || *p == ';') {
		s->last = from;
		while (s->last > s->start && (lex_bits[s->last[-1]] & LEX_BLANK))
			s->last--;
		for (size_t i = 0; i < s->ncomments; i++)
			tags_read(s, s->comments[i]);
	}
	s->cur.p = p;
}

/* Puts marks of a comment that stays apart from their neighbours. */
static void
put_mark(struct cur *c, const uint8_t *p, size_t n)
{
	if (c->prev > K_START && c->o[-1] != ' ')
		*c->o++ = ' ';
	memcpy(c->o, p, n);
	c->o += n;
}

/* An optimizer hint stays, without its literals; it is no part of the statement's grammar. */
COLD void
hint(struct sql_scanner *s)
{
	struct cur *c = &s->cur;
	bool done = true;
	const uint8_t *p = c->p + 3, *end = lex_block(c->p, s->end, false, &done), *q;

	s->unfinished |= !done;
	put_mark(c, c->p, 3);
	c->p = end;
	for (end -= done ? 2 : 0; p < end && c->o <= s->o_limit;) {
		if (lex_bits[*p] & LEX_BLANK) {
			p++;
			continue;
		}
		if (p[-1] == '+' || (lex_bits[p[-1]] & LEX_BLANK))
			*c->o++ = ' ';
		if (*p == '\'') {
			*c->o++ = '?';
			p = lex_string(p, end, s->esc, &done);
		} else if (lex_bits[*p] & LEX_NUM) {
			*c->o++ = '?';
			p = lex_number(p, end, s->my);
		} else if (lex_is_ident(*p)) {
			for (q = word_end(s, p); p < q && c->o <= s->o_limit;)
				p = put_char(s, c, p, false, false);
			p = q;
		} else
			p = put_char(s, c, p, false, true);
	}
	memcpy(c->o, " */ ", 4);
	c->o += c->prev <= K_CAST ? 4 : 3;
}

/* The start of an executable comment: its mark stays, and what follows is read as code. */
COLD void
code_comment(struct sql_scanner *s)
{
	struct cur *c = &s->cur;
	const uint8_t *p = c->p + 3;

	if (c->p[2] == '+') {
		hint(s);
		return;
	}
	if (c->p[2] == 'M')
		p++;
	while (p < s->end && (lex_bits[*p] & LEX_NUM) && p - c->p < 12)
		p++;
	put_mark(c, c->p, (size_t)(p - c->p));
	if (c->prev <= K_CAST)
		*c->o++ = ' ';
	c->p = p;
	s->hinted++;
}

COLD void
code_comment_end(struct sql_scanner *s)
{
	struct cur *c = &s->cur;

	memcpy(c->o, " */ ", 4);
	c->o += c->prev <= K_CAST ? 4 : 3;
	c->p += 2;
	s->hinted--;
}

/* ---- types ---- */

/* A word at p that continues a type's name: DOUBLE PRECISION, TIMESTAMP WITH TIME ZONE, CHARACTER VARYING, UNSIGNED.. */
static bool
type_word(struct span w)
{
	static const char *const more[] = { "precision", "varying", "with", "without", "time", "zone", "unsigned", "signed", "large" };

	for (size_t i = 0; i < sizeof more / sizeof *more; i++)
		if (span_is_nocase(w, more[i]))
			return true;
	return false;
}

/* Copies one word of a type in lower case, or a quoted one as it stands. */
static const uint8_t *
type_name(struct sql_scanner *s, struct cur *c, const uint8_t *p)
{
	const uint8_t *end;
	bool done = true;

	if (*p == '"' || *p == '`') {
		end = lex_string(p, s->end, s->pairs, &done);
		s->unfinished |= !done;
		if (done && bare(s, K_DOT, p + 1, (size_t)(end - p - 2))) {
			if (!has_room(s, c, (size_t)(end - p)))
				return end;
			memcpy(c->o, p + 1, (size_t)(end - p - 2));
			c->o += end - p - 2;
			return end;
		}
	} else
		end = word_end(s, p);
	if (has_room(s, c, (size_t)(end - p)))
		while (p < end)
			p = put_char(s, c, p, *p != '"' && *p != '`' && lex_is_ident(*p) && end[-1] != '"', true);
	return end;
}

/* (10, 2) of a type: its numbers become `?`s without a slot. */
static const uint8_t *
type_arguments(struct sql_scanner *s, struct cur *c, const uint8_t *p)
{
	const uint8_t *q = p + 1;

	while (q < s->end && *q != ')' && q - p < 40)
		q++;
	if (byte_at(s, q) != ')')
		return p;
	for (const uint8_t *r = p + 1; r < q; r++)
		if (!(lex_bits[*r] & (LEX_NUM | LEX_BLANK)) && *r != ',' && *r != '?' && *r != '-')
			return p;
	memcpy(c->o, "(?)", 3);
	c->o += 3;
	return q + 1;
}

void
scan_type(struct sql_scanner *s)
{
	struct cur *c = &s->cur;
	const uint8_t *p = lex_blanks(c->p, s->end), *q;

	while (p < s->end && (lex_class[*p] == LEX_WORD || *p == '"')) {
		p = type_name(s, c, p);
		q = lex_blanks(p, s->end);
		if (byte_at(s, q) == '.') {
			*c->o++ = '.';
			p = lex_blanks(q + 1, s->end);
			continue;
		}
		if (byte_at(s, q) == '(') {
			p = type_arguments(s, c, q);
			q = lex_blanks(p, s->end);
		}
		if (q >= s->end || lex_class[*q] != LEX_WORD || !type_word(span_of(q, (size_t)(word_end(s, q) - q))))
			break;
		*c->o++ = ' ';
		p = q;
		if (c->o > s->o_limit)
			break;
	}
	while (p < s->end) {
		q = lex_blanks(p, s->end);
		if (byte_at(s, q) != '[')
			break;
		for (q++; q < s->end && (lex_bits[*q] & (LEX_NUM | LEX_BLANK)); q++)
			;
		if (byte_at(s, q) != ']' || c->o > s->o_limit)
			break;
		memcpy(c->o, "[]", 2);
		c->o += 2;
		p = q + 1;
	}
	c->p = p;
	if (!operand_before(c->prev))
		c->prev = K_OPERAND;
}

/* ---- the pass ---- */

static void
comma(struct sql_scanner *s, struct cur *c)
{
	struct frame *f = s->f;

	if (f->kind >= F_NOW && !s->deep)
		LEND(frame_element(s));
	*c->o++ = ',';
	c->p++;
	c->prev = K_COMMA;
	c->elem = s->deep ? E_OTHER : E_EMPTY;
	if (UNLIKELY(f->kind >= F_NOW || f->clause == CL_FROM || f->clause == CL_VALUES || f->clause == CL_WITH ||
	    f->clause == CL_SETTING)) {
		LEND(clause_comma(s));
	}
}

static void
dot(struct sql_scanner *s, struct cur *c)
{
	if ((lex_bits[byte_at(s, c->p + 1)] & LEX_NUM) && !(operand_before(c->prev) && c->prev != K_VALUE)) {
		number(s, c, c->p, c->p);
		return;
	}
	*c->o++ = '.';
	c->p++;
	c->prev = K_DOT;
}

static void
minus(struct sql_scanner *s, struct cur *c)
{
	if (scan_is_comment(s, c->p, s->end)) {
		LEND(comments(s));
	} else
		operators(s, c);
}

static void
slash(struct sql_scanner *s, struct cur *c)
{
	if (byte_at(s, c->p + 1) != '*') {
		operators(s, c);
		return;
	}
	if (scan_is_comment(s, c->p, s->end)) {
		LEND(comments(s));
	} else {
		LEND(code_comment(s));
	}
}

/* A question mark: PostgreSQL's operator between operands, a placeholder elsewhere. */
HOT void
mark(struct sql_scanner *s, struct cur *c)
{
	if (!s->my && operand_before(c->prev))
		operators(s, c);
	else
		placeholder(s, c, c->p + 1);
}

/* A semicolon inside a routine's body. */
static void
inner_semicolon(struct sql_scanner *s, struct cur *c)
{
	*c->o++ = ';';
	c->p++;
	c->prev = K_COMMA;
	c->elem = E_OTHER;
	s->f->clause = CL_NONE;
	s->want = W_NONE;
	s->kw_last = ACT_NONE;
}

/* The shape is full: from here on the pen writes into the margin. Lists that collapse may bring it back. */
COLD uint8_t *
full(struct sql_scanner *s, uint8_t *token_o)
{
	if (!s->over) {
		s->over = true;
		s->cut_o = token_o;
	}
	return s->o_limit + 1;
}

/* One token that is not a blank. */
HOT void
token(struct sql_scanner *s, struct cur *c)
{
	switch ((enum lex_class)lex_class[*c->p]) {
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
			operators(s, c);
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
	case LEX_OPEN:
		LEND(frame_open(s, false));
		break;
	case LEX_CLOSE:
		LEND(frame_close(s, false));
		break;
	case LEX_LBRACK:
		LEND(frame_open(s, true));
		break;
	case LEX_RBRACK:
		LEND(frame_close(s, true));
		break;
	case LEX_MINUS:
		minus(s, c);
		break;
	case LEX_SLASH:
		slash(s, c);
		break;
	case LEX_STAR:
		if (UNLIKELY(s->hinted && byte_at(s, c->p + 1) == '/')) {
			LEND(code_comment_end(s));
		} else
			star(s, c);
		break;
	case LEX_HASH:
		if (s->my) {
			LEND(comments(s));
		} else
			operators(s, c);
		break;
	case LEX_COLON:
		colon(s, c);
		break;
	case LEX_AT:
		at_sign(s, c);
		break;
	case LEX_OP:
		operators(s, c);
		break;
	case LEX_OTHER:
		single(s, c);
		break;
	case LEX_SPACE:
	case LEX_SEMI:
		break;
	}
}

void
scan_statement(struct sql_scanner *s)
{
	struct cur pen = s->cur, *c = &pen;
	const uint8_t *end = s->end;
	uint8_t *token_o = pen.o;

	while (c->p < end) {
		uint8_t b = *c->p;

		if (lex_bits[b] & LEX_BLANK) {
			c->p++;
			continue;
		}
		if (UNLIKELY(c->o > s->o_limit))
			c->o = full(s, token_o);
		token_o = c->o;
		if (UNLIKELY(b == ';')) {
			if (!s->block)
				break;
			inner_semicolon(s, c);
			continue;
		}
		token(s, c);
	}
	if (c->o > s->o_limit)
		c->o = full(s, token_o);
	s->cur = *c;
}
