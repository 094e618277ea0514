/* SPDX-License-Identifier: Apache-2.0 */
/* tokens: see tokens.h. */
#include "tokens.h"

#include "fingerprint/lex.h"

struct reader {
	const uint8_t *p, *end;
	bool my, ansi;
	unsigned esc;		/* of a plain string */
	uint32_t marks;		/* ? so far */
};

/* Blanks and comments; false: a comment that MySQL executes, or one without an end. */
static bool
skip_blanks(struct reader *r)
{
	bool done = true;

	for (;;) {
		const uint8_t *p = lex_blanks(r->p, r->end);
		size_t left = (size_t)(r->end - p);

		if (left >= 2 && p[0] == '-' && p[1] == '-' && (!r->my || left == 2 || p[2] <= ' '))
			p = lex_line(p, r->end);
		else if (r->my && left >= 1 && *p == '#')
			p = lex_line(p, r->end);
		else if (left >= 2 && p[0] == '/' && p[1] == '*') {
			if (r->my && left >= 3 && (p[2] == '!' || p[2] == 'M'))
				return false;
			p = lex_block(p, r->end, !r->my, &done);
		} else {
			r->p = p;
			return done;
		}
		r->p = p;
		if (!done)
			return false;
	}
}

static enum token_kind
quoted(struct reader *r, enum token_kind kind, unsigned esc)
{
	bool done = true;

	r->p = lex_string(r->p, r->end, esc, &done);
	return done ? kind : TOKEN_BAD;
}

static bool
is_quote(const struct reader *r, const uint8_t *p)
{
	return p < r->end && (*p == '\'' || (r->my && !r->ansi && *p == '"'));
}

/* A word; with a quote right behind it, a string with a prefix: E'..', x'..', _utf8mb4'..'. */
static enum token_kind
word(struct reader *r)
{
	const uint8_t *from = r->p;
	unsigned esc = r->esc;

	while (r->p < r->end && lex_is_ident(*r->p))
		r->p++;
	if (!is_quote(r, r->p))
		return TOKEN_WORD;
	if (!r->my && r->p - from == 1 && (*from | 0x20) == 'e')
		esc = LEX_ESC_BACKSLASH;
	else if (!r->my && (r->p - from != 1 || !strchr("bBxXnN", *from)))
		return TOKEN_BAD;
	return quoted(r, TOKEN_STRING, esc);
}

static enum token_kind
dollar(struct reader *r, uint32_t *number)
{
	const uint8_t *p = r->p + 1;
	bool done = true;
	uint32_t n = 0;

	if (r->my)
		return TOKEN_BAD;
	while (p < r->end && (lex_bits[*p] & LEX_NUM) && n < 100000)
		n = n * 10 + (uint32_t)(*p++ - '0');
	if (p > r->p + 1) {
		*number = n;
		r->p = p;
		return TOKEN_PARAM;
	}
	p = lex_dollar(r->p, r->end, &done);
	if (p == r->p || !done)
		return TOKEN_BAD;
	r->p = p;
	return TOKEN_STRING;
}

static enum token_kind
one(struct reader *r, enum token_kind kind)
{
	r->p++;
	return kind;
}

static enum token_kind
operators(struct reader *r)
{
	if (*r->p == ':' || *r->p == '[' || *r->p == ']') {
		if (r->end - r->p >= 2 && r->p[0] == ':' && r->p[1] == ':') {
			r->p += 2;
			return TOKEN_CAST;
		}
		return one(r, TOKEN_OP);
	}
	if (!(lex_bits[*r->p] & LEX_OPCHAR))
		return one(r, TOKEN_BAD);
	/* One byte at a time but for those that go together: a sign must not stick to what stands before it. */
	while (++r->p < r->end && *r->p && strchr(r->my ? "<>=!|&~*/%^" : "<>=!|&~*/%^#@", *r->p) &&
	       !(r->p[0] == '/' && r->end - r->p >= 2 && r->p[1] == '*'))
		;
	return TOKEN_OP;
}

static enum token_kind
next(struct reader *r, uint32_t *number)
{
	enum lex_class cls = (enum lex_class)lex_class[*r->p];
	bool digit = r->end - r->p >= 2 && (lex_bits[r->p[1]] & LEX_NUM);

	switch (cls) {
	case LEX_WORD:
		return word(r);
	case LEX_DIGIT:
		r->p = lex_number(r->p, r->end, r->my);
		return r->p < r->end && lex_is_ident(*r->p) ? TOKEN_BAD : TOKEN_NUMBER;
	case LEX_QUOTE:
		return quoted(r, TOKEN_STRING, r->esc);
	case LEX_DQUOTE:
		return r->my && !r->ansi ? quoted(r, TOKEN_STRING, r->esc) : quoted(r, TOKEN_NAME, LEX_ESC_QUOTE);
	case LEX_BACKTICK:
		return r->my ? quoted(r, TOKEN_NAME, LEX_ESC_QUOTE) : TOKEN_BAD;
	case LEX_DOLLAR:
		return dollar(r, number);
	case LEX_MARK:
		if (!r->my)
			return operators(r);
		*number = ++r->marks;
		return one(r, TOKEN_PARAM);
	case LEX_AT:
		return r->my ? TOKEN_BAD : operators(r);
	case LEX_COMMA:
		return one(r, TOKEN_COMMA);
	case LEX_OPEN:
		return one(r, TOKEN_OPEN);
	case LEX_CLOSE:
		return one(r, TOKEN_CLOSE);
	case LEX_DOT:
		if (digit) {
			r->p = lex_number(r->p, r->end, r->my);
			return TOKEN_NUMBER;
		}
		return one(r, TOKEN_DOT);
	case LEX_SEMI:
		return one(r, TOKEN_SEMI);
	case LEX_OTHER:
		return TOKEN_BAD;
	default:
		return operators(r);
	}
}

/* -5 is one number where no operand stands before the sign; the number's index. */
static uint32_t
join_sign(struct token *t, uint32_t i)
{
	enum token_kind before = i >= 2 ? t[i - 2].kind : TOKEN_OPEN;

	if (i == 0 || t[i].kind != TOKEN_NUMBER || !(token_op(&t[i - 1], "-") || token_op(&t[i - 1], "+")) ||
	    (before != TOKEN_OP && before != TOKEN_OPEN && before != TOKEN_COMMA))
		return i;
	t[i - 1] = (struct token){ .kind = TOKEN_NUMBER,
		.text = span_of(t[i - 1].text.p, (size_t)(t[i].text.p + t[i].text.n - t[i - 1].text.p)) };
	t[i] = (struct token){ .kind = TOKEN_END };
	return i - 1;
}

/* Pairs parentheses; one without a partner makes the text bad. */
static void
match(struct token *t, uint32_t n, struct arena *a)
{
	uint32_t *open = arena_zero(a, (n + 1) * sizeof *open), depth = 0;

	for (uint32_t i = 0; i < n; i++) {
		t[i].match = UINT32_MAX;
		if (t[i].kind == TOKEN_OPEN) {
			open[depth++] = i;
		} else if (t[i].kind == TOKEN_CLOSE) {
			if (!depth) {
				t[i].kind = TOKEN_BAD;
				return;
			}
			t[i].match = open[--depth];
			t[open[depth]].match = i;
		}
	}
	if (depth)
		t[open[0]].kind = TOKEN_BAD;
}

const struct token *
tokens_of(struct sql_lang lang, struct span text, struct arena *a, uint32_t *n)
{
	struct reader r = { .p = text.p, .end = text.p + text.n, .my = lang.dialect == SQL_MYSQL };
	struct token *t = arena_zero(a, (text.n + 2) * sizeof *t);

	r.ansi = !r.my || (lang.modes & SQL_MODE_ANSI_QUOTES);
	r.esc = (r.my ? !(lang.modes & SQL_MODE_NO_BACKSLASH) : lang.modes & SQL_MODE_BACKSLASH) ? LEX_ESC_BACKSLASH : LEX_ESC_QUOTE;
	for (*n = 0; text.n; ++*n) {
		const uint8_t *from;

		if (!skip_blanks(&r) || (lang.modes & SQL_MODE_UNSAFE_ENCODING)) {
			t[(*n)++].kind = TOKEN_BAD;
			break;
		}
		if (r.p >= r.end)
			break;
		from = r.p;
		t[*n].kind = next(&r, &t[*n].number);
		t[*n].text = span_of(from, (size_t)(r.p - from));
		if (t[*n].kind == TOKEN_BAD) {
			++*n;
			break;
		}
		*n = join_sign(t, *n);
	}
	while (*n > 0 && t[*n - 1].kind == TOKEN_SEMI)
		t[--*n].kind = TOKEN_END;
	match(t, *n, a);
	return t;
}

bool
token_is(const struct token *t, const char *w)
{
	return t->kind == TOKEN_WORD && span_is_nocase(t->text, w);
}

bool
token_op(const struct token *t, const char *op)
{
	return t->kind == TOKEN_OP && span_is(t->text, op);
}
