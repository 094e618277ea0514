/* SPDX-License-Identifier: Apache-2.0 */
/* value: literals and placeholders: where they end, the ? they become, the slot they fill. Does: strings of every form, numbers, $n, ?.
 * Never: keeps a value's bytes, only where they are in the text. */
#include "scan.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

static inline void
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

static inline uint32_t
value_slot(struct sql_scanner *s)
{
	static const struct piece none;
	struct frame *f = s->f;
	struct cur *c = &s->cur;

	if (c->o == s->pend_o)
		return slot_new(s, s->pend_cls, s->pend_qual, s->pend_col);
	if (f->kind == F_IN && !f->ncols)
		return f->slot != NO_SLOT ? f->slot : frame_list_slot(s, f);
	if (f->kind == F_ROW && f->index < s->row_cols)
		return s->ins_slot0 + f->index;
	if (f->kind == F_TUPLE && f->index < (f - 1)->ncols)
		return (f - 1)->slot + f->index;
	return slot_new(s, f->clause == CL_LIMIT ? SQL_SLOT_LIMIT : SQL_SLOT_OTHER, none, none);
}

/* A value at the pen: its ?, its slot and its record. */
static inline void
put_value(struct sql_scanner *s, unsigned kind, uint32_t number, const uint8_t *from, const uint8_t *to)
{
	struct cur *c = &s->cur;

	if (UNLIKELY(s->want) && !clause_value(s, from, to))
		return;
	s->last_slot = value_slot(s);
	s->value_prev = c->prev;
	record_value(s, kind, number, s->last_slot, from, to);
	c->elem = c->elem == E_EMPTY ? E_VALUE : E_OTHER;
	put_blank(c);
	*c->o++ = '?';
	c->prev = K_VALUE;
	if (UNLIKELY(s->value_prev >= K_NAME && !s->my)) {
		c->prev = K_OP;		/* where a shape's ? reads as an operator, what follows must read so now, too */
		clause_operator(s, SQL_SLOT_OTHER, s->value_prev);
	}
}

void
scan_value(struct sql_scanner *s, enum sql_value_kind kind, uint32_t number, const uint8_t *from, const uint8_t *to)
{
	put_value(s, kind, number, from, to);
}

void
scan_placeholder(struct sql_scanner *s, const uint8_t *to)
{
	const uint8_t *from = s->cur.p;

	s->cur.p = to;
	put_value(s, SQL_VALUE_PLACEHOLDER, ++s->marks, from, to);
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

/* The words of a type that ends in ZONE, before the pen. */
static uint8_t *
zoned_type(const struct sql_scanner *s)
{
	static const char *const types[] = { "timestamp WITH time zone", "timestamp WITHOUT time zone", "time WITH time zone" };

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		size_t n = strlen(types[i]);

		if ((size_t)(s->cur.o - s->shape) > n + 1 && memcmp(s->cur.o - n, types[i], n) == 0 && s->cur.o[-(ptrdiff_t)n - 1] == ' ')
			return s->cur.o - n - 1;
	}
	return NULL;
}

/* DATE '2024-01-01': the type goes with its value. In MySQL a string behind a name may be an alias, so only times count there. */
static void
drop_type(struct sql_scanner *s)
{
	static const char *const times[] = { "date", "time", "timestamp", NULL };
	struct cur *c = &s->cur;
	uint8_t *o = s->path_prev == K_NAME ? zoned_type(s) : NULL;
	struct span name = piece_text(s, s->name);
	bool query = s->verb == SQL_V_SELECT || s->verb == SQL_V_VALUES || s->verb == SQL_V_DECLARE || is_write(s->verb);
	bool known = false;

	if ((s->want != W_NONE && s->want != W_REVERSE) || (s->path_prev == K_KEYWORD && (s->kw_last == ACT_AS || s->kw_last == ACT_INTERVAL)))
		return;
	for (size_t i = 0; times[i]; i++)
		known |= span_is_nocase(name, times[i]);
	if (o)
		c->prev = K_OP;
	else if (query && (known || !s->my) && s->path_n == 1 && s->path_prev <= K_KEYWORD && c->o == name.p + name.n) {
		o = s->shape + s->path_at;
		c->prev = s->path_prev;
	} else
		return;
	if (s->want == W_REVERSE)
		clause_operator(s, SQL_SLOT_OTHER, K_NAME);	/* the name was no column */
	pen_back(s, c, o);
	c->elem = c->elem == E_NAME ? E_EMPTY : E_OTHER;
}

/* Behind the UESCAPE 'x' that may follow U&'..'; p itself when none does. */
static const uint8_t *
uescape_end(const struct sql_scanner *s, const uint8_t *p)
{
	const uint8_t *q = lex_blanks(p, s->end);

	if (s->end - q < 7 || strncasecmp((const char *)q, "uescape", 7) != 0)
		return p;
	q = lex_blanks(q + 7, s->end);
	return s->end - q >= 3 && q[0] == '\'' && q[2] == '\'' ? q + 3 : p;
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
	if (UNLIKELY(q - from == 2) && q[-1] == '&')
		p = uescape_end(s, p);
	s->cur.p = p;
	if (s->cur.prev == K_NAME)
		drop_type(s);
	put_value(s, SQL_VALUE_LITERAL, 0, from, p);
}

static const uint8_t *
skip_digits(const uint8_t *p, const uint8_t *end)
{
	while (p < end && (lex_bits[*p] & LEX_NUM))
		p++;
	return p;
}

bool
number_is_name(const struct sql_scanner *s, const uint8_t *digits, const uint8_t *end)
{
	return s->my && end < s->end && lex_is_ident(*end) && !memchr(digits, '.', (size_t)(end - digits));
}

void
scan_number(struct sql_scanner *s, const uint8_t *from, const uint8_t *digits)
{
	const uint8_t *end = skip_digits(digits, s->end);

	if (UNLIKELY(end < s->end && (*end == '.' || lex_is_ident(*end)))) {
		end = lex_number(digits, s->end, s->my);
		if (number_is_name(s, digits, end) && from == digits) {
			word_slow(s);
			return;
		}
	}
	s->cur.p = end;
	put_value(s, SQL_VALUE_LITERAL, 0, from, end);
}

/* The number after $ at p; *to behind it. */
static inline uint32_t
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
		put_value(s, SQL_VALUE_PLACEHOLDER, n, from, p);
		return;
	}
	if (!s->my)
		p = lex_dollar(from, s->end, &done);
	s->unfinished |= !done;
	if (!s->my && p > from) {
		s->cur.p = p;
		put_value(s, SQL_VALUE_LITERAL, 0, from, p);
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
void
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

/* In a list of values: takes in whole `$1, `, `42, ` and `?, ` at once; the shape does not change. */
const uint8_t *
literal_run(struct sql_scanner *s, const uint8_t *p)
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
