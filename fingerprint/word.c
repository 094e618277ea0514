/* SPDX-License-Identifier: Apache-2.0 */
/* word: identifiers that need more than a glance: long, quoted with odd content, not ASCII, prefixed strings, variables, names of types.
 * Does: keep names apart and shapes valid UTF-8. Never: runs on the hot path (scan.c does the plain ones). */
#include "scan.h"

static uint8_t
byte_at(const struct sql_scanner *s, const uint8_t *p)
{
	return p < s->end ? *p : 0;
}

static void
put_code(struct cur *c, unsigned u)
{
	*c->o++ = (uint8_t)(0xc0 | u >> 6);
	*c->o++ = (uint8_t)(0x80 | (u & 0x3f));
}

/* Writes one character of an identifier as UTF-8. A byte that is none is taken for Latin-1, one that would be a control character there
 * (or the ASCII half of a pair) moves up by 0x100: names stay apart, shapes are valid, and no terminal is steered. */
const uint8_t *
put_char(struct sql_scanner *s, struct cur *c, const uint8_t *p, bool lower, bool escape)
{
	unsigned n = s->pairs ? (*p < 0x80 ? 1 : 0) : lex_utf8(p, s->end);
	uint8_t b = *p;

	if (n == 2 && b == 0xc2 && p[1] < 0xa0) {
		put_code(c, 0x100u + p[1]);
		return p + 2;
	}
	if (n > 1) {
		memcpy(c->o, p, n);
		c->o += n;
		return p + n;
	}
	if (n == 0) {
		n = s->pairs ? lex_pair(p, s->end, s->pairs) : 1;
		for (unsigned i = 0; i < n; i++)
			put_code(c, p[i] < 0xa0 ? 0x100u + p[i] : p[i]);
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

const uint8_t *
word_end(const struct sql_scanner *s, const uint8_t *p)
{
	while (p < s->end && (lex_is_ident(*p) || (s->shards && *p == '#')))
		p += s->pairs ? lex_pair(p, s->end, s->pairs) : 1;
	return p;
}

/* Copies n plain bytes. */
static void
put_plain(struct cur *c, const uint8_t *p, size_t n, bool lower)
{
	const uint8_t *end = p + n;

	for (size_t i = 0; i < n; i += 16) {
		lex16 w = lex_load(p + i, end);

		lex_store(c->o + i, lower ? lex_lower(w) : w);
	}
	c->o += n;
}

/* The end of the word at p when it is ASCII, else p. */
static const uint8_t *
ascii_end(const uint8_t *p, const uint8_t *end)
{
	for (const uint8_t *q = p; q < end;) {
		lex16 v = lex_load(q, end);
		unsigned n = lex_run(lex_word_mask(v));

		if (lex_high_mask(v) & ((1u << n) - 1))
			return p;
		q += n;
		if (n < 16)
			return q;
	}
	return end;
}

static const struct keyword *
find_keyword(const struct sql_scanner *s, const uint8_t *p, size_t n)
{
	return n > 16 ? keyword_find_long(s->kw, span_of(p, n)) : keyword_find(s->kw, lex_lower(lex_load(p, p + n)), (unsigned)n);
}

/* Whether the next token is a dot. */
static bool
dot_follows(const struct sql_scanner *s, const uint8_t *p)
{
	p = lex_blanks(p, s->end);
	return p < s->end && *p == '.';
}

/* Whether the name that ends at p folds to lower case. */
static bool
folds(const struct sql_scanner *s, const uint8_t *p)
{
	return !s->my || !(!s->fold || (1u << s->want & KEEPS_CASE) || dot_follows(s, p));
}

/* Writes an unquoted word as it is folded. */
static void
put_word(struct sql_scanner *s, const uint8_t *p, const uint8_t *end, bool plain)
{
	struct cur *c = &s->cur;
	bool lower = folds(s, end);

	if (!has_room(s, c, (size_t)(end - p)))
		return;
	if (plain)
		put_plain(c, p, (size_t)(end - p), lower);
	else
		while (p < end)
			p = put_char(s, c, p, lower, false);
}

/* Any unquoted word: long, not ASCII, in an unusual encoding, or to be folded. */
void
word_slow(struct sql_scanner *s)
{
	struct cur *c = &s->cur;
	const uint8_t *from = c->p, *end = s->shards ? from : ascii_end(from, s->end);
	bool plain = end > from;
	const struct keyword *kw = NULL;
	uint8_t *at = c->o, *o;

	if (!plain)
		end = word_end(s, from);
	end += end == from;		/* a lone dollar */
	if (c->prev != K_DOT && !dot_follows(s, end))
		kw = find_keyword(s, from, (size_t)(end - from));
	put_blank(c);
	c->p = end;
	o = c->o;
	put_word(s, from, end, plain);
	if (c->o > s->o_limit && c->o == s->o_limit + 1)
		o = c->o;		/* no room */
	if (kw && !(kw->flags & KW_NAME)) {
		for (uint8_t *q = o; q < c->o; q++)
			*q = lex_bits[*q] & LEX_LOWER ? (uint8_t)(*q & ~0x20) : *q;
		scan_keyword(s, kw->action, at);
	} else {
		if (s->shards)
			fold_shards(c, o);
		scan_name(s, from, at, piece_of(s, o, c->o));
	}
}

/* A word of n bytes directly before a quote or &, or one that begins with _: E'..', U&'..', U&"..", N'..', B'..', X'..', _utf8'..'.
 * True when it was one of these and is done. */
bool
word_prefix(struct sql_scanner *s, unsigned n)
{
	const uint8_t *from = s->cur.p, *q = from + n;
	uint8_t first = *from | 0x20, next = byte_at(s, q);

	if (s->cur.prev == K_DOT)
		return false;
	if (n == 1 && next == '\'') {
		if (first == 'e' && !s->my)
			scan_string(s, from, q, s->pairs | LEX_ESC_BACKSLASH);
		else if (first == 'n' || first == 'b' || first == 'x')
			scan_string(s, from, q, s->my ? s->esc : s->pairs);
		else
			return false;
		return true;
	}
	if (n == 1 && first == 'u' && !s->my && next == '&') {
		if (byte_at(s, q + 1) == '\'')
			scan_string(s, from, q + 1, s->pairs);
		else if (byte_at(s, q + 1) == '"')
			quoted_slow(s, q + 1);
		else
			return false;
		return true;
	}
	if (s->my && *from == '_') {
		q = lex_blanks(q, s->end);
		if (byte_at(s, q) == '\'' || (byte_at(s, q) == '"' && !s->ansi)) {
			scan_string(s, from, q, s->esc);
			return true;
		}
	}
	return false;
}

/* Whether the bytes are letters, digits, _ and $ only, none of which the dialect would fold. */
static bool
plain_bytes(const struct sql_scanner *s, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;

	while (p < end) {
		size_t run = lex_run(lex_plain_mask(lex_load(p, end), s->my));

		p += run;
		if (run == 16 || p == end)
			continue;
		run = s->pairs ? 0 : lex_utf8(p, end);
		if (run < 2)
			return false;
		p += run;
	}
	return true;
}

/* Whether the n bytes inside quotes mean the same without them. */
static bool
bare(const struct sql_scanner *s, unsigned prev, const uint8_t *p, size_t n)
{
	if (n == 0 || n > 63 || lex_class[*p] != LEX_WORD || prev == K_START || !plain_bytes(s, p, n))
		return false;
	return prev == K_DOT || dot_follows(s, p + n + 1) || !find_keyword(s, p, n);
}

/* Where the quoted text that begins at p ends, its quote included. */
static const uint8_t *
quoted_end(struct sql_scanner *s, const uint8_t *q)
{
	bool done = true;
	const uint8_t *end = lex_string(q, s->end, s->pairs, &done);

	s->unfinished |= !done;
	return end - done;
}

/* Any quoted identifier; q is at its quote, s->cur.p at its first byte (the U of U&"..", too). */
void
quoted_slow(struct sql_scanner *s, const uint8_t *q)
{
	struct cur *c = &s->cur;
	const uint8_t *from = c->p, *p = q + 1, *end = quoted_end(s, q);
	uint8_t quote = s->my ? '`' : '"', *at = c->o, *o;
	bool plain = q == from && bare(s, c->prev, p, (size_t)(end - p));

	c->p = end + (end < s->end);
	put_blank(c);
	if (!has_room(s, c, (size_t)(end - p) + 2)) {
		scan_name(s, from, at, piece_of(s, c->o, c->o));
		return;
	}
	if (plain) {
		o = c->o;
		put_plain(c, p, (size_t)(end - p), folds(s, c->p));
		if (s->shards)
			fold_shards(c, o);
		scan_name(s, from, at, piece_of(s, o, c->o));
		return;
	}
	memcpy(c->o, "U&", 2);
	c->o += q > from ? 2 : 0;
	*c->o++ = quote;
	for (o = c->o; p < end;) {
		p += *p == *q;		/* doubled in the text */
		if (*p == quote)
			*c->o++ = quote;
		p = put_char(s, c, p, false, true);
	}
	if (s->shards)
		fold_shards(c, o);
	struct piece text = piece_of(s, o, c->o);

	*c->o++ = quote;
	scan_name(s, from, at, text);
}

/* MySQL @user_variable, @@system.variable, @`quoted`: part of a name. */
void
at_variable(struct sql_scanner *s)
{
	struct cur *c = &s->cur;
	const uint8_t *from = c->p, *p = from, *end;
	uint8_t *at = c->o, *o;

	while (p < s->end && *p == '@' && p - from < 2)
		p++;
	for (end = p; end < s->end && (lex_is_ident(*end) || (*end == '.' && end > p)); end++)
		;
	put_blank(c);
	c->p = end;
	if (has_room(s, c, (size_t)(end - from))) {
		o = c->o;
		for (p = from; p < end;)
			p = put_char(s, c, p, true, false);
	} else
		o = c->o;
	scan_name(s, from, at, piece_of(s, o, c->o));
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
		if (done && bare(s, K_CAST, p + 1, (size_t)(end - p - 2))) {
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
	if (!(c->prev >= K_NAME))
		c->prev = K_OPERAND;
}
