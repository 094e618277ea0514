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

/* Folds runs of digits to '#' in the bytes o..c->o (opt-in rule); digits a name begins with stay. */
static void
fold_shards(struct cur *c, uint8_t *o)
{
	uint8_t *to;

	while (o < c->o && (lex_bits[*o] & LEX_NUM))
		o++;
	to = o;
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

/* Whether the name that ends at p folds to lower case. */
static bool
folds(const struct sql_scanner *s, const uint8_t *p)
{
	return !s->my || !(!s->fold || (1u << s->want & KEEPS_CASE) || scan_dot_follows(s, p));
}

/* Writes a word without quotes; there is room. */
static void
put_letters(struct sql_scanner *s, const uint8_t *p, const uint8_t *end, bool ascii, bool lower)
{
	struct cur *c = &s->cur;

	if (ascii)
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
	if (c->prev != K_DOT && !scan_dot_follows(s, end))
		kw = find_keyword(s, from, (size_t)(end - from));
	put_blank(c);
	c->p = end;
	if (has_room(s, c, (size_t)(end - from))) {
		o = c->o;
		put_letters(s, from, end, plain, folds(s, end));
	} else
		o = c->o;
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

	if (s->cur.prev == K_DOT && s->my)
		return false;		/* t.x, and a string */
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

/* Whether the bytes are letters (any byte from 0x80 is a part of one), digits, _ and $ only, none of which the dialect would fold. */
static bool
plain_bytes(const struct sql_scanner *s, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;

	while (p < end) {
		lex16 v = lex_load(p, end);
		size_t run = lex_run(lex_plain_mask(v, s->my) | lex_high_mask(v));

		p += run;
		if (run < 16)
			break;
	}
	return p == end;
}

/* Whether the n bytes inside quotes mean the same without them. */
static bool
bare(const struct sql_scanner *s, unsigned prev, const uint8_t *p, size_t n)
{
	if (n == 0 || n > 63 || lex_class[*p] != LEX_WORD || prev == K_START || !plain_bytes(s, p, n))
		return false;
	return prev == K_DOT || scan_dot_follows(s, p + n + 1) || !find_keyword(s, p, n);
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

/* Writes a quoted name: from its quote at q to end, where its closing quote is or the text stops. Returns the name without quotes. */
static struct piece
put_quoted(struct sql_scanner *s, const uint8_t *q, const uint8_t *end)
{
	struct cur *c = &s->cur;
	const uint8_t quote = s->my ? '`' : '"', *p = q + 1;
	uint8_t *o;

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
	return text;
}

/* Any quoted identifier; q is at its quote, s->cur.p at its first byte (the U of U&"..", too). */
void
quoted_slow(struct sql_scanner *s, const uint8_t *q)
{
	struct cur *c = &s->cur;
	const uint8_t *from = c->p, *p = q + 1, *end = quoted_end(s, q);
	uint8_t *at = c->o, *o;
	bool plain = q == from && bare(s, c->prev, p, (size_t)(end - p));

	c->p = end + (end < s->end);
	put_blank(c);
	if (!has_room(s, c, (size_t)(end - p) + 2)) {
		scan_name(s, from, at, piece_of(s, c->o, c->o));
		return;
	}
	if (plain) {
		o = c->o;
		put_letters(s, p, end, ascii_end(p, end) == end, folds(s, c->p));
		if (s->shards)
			fold_shards(c, o);
		scan_name(s, from, at, piece_of(s, o, c->o));
		return;
	}
	memcpy(c->o, "U&", 2);
	c->o += q > from ? 2 : 0;
	struct piece text = put_quoted(s, q, end);

	scan_name(s, from, at, text);
}

static bool
quote_of_names(const struct sql_scanner *s, uint8_t c)
{
	return s->my ? c == '`' || (c == '"' && s->ansi) : c == '"';
}

/* A part of a variable's name at p, quoted or not; there is room. Returns the position behind it. */
static const uint8_t *
put_part(struct sql_scanner *s, const uint8_t *p)
{
	const uint8_t *end;

	if (!quote_of_names(s, byte_at(s, p))) {
		end = word_end(s, p);
		put_letters(s, p, end, false, true);
		return end;
	}
	end = quoted_end(s, p);
	if (end - p > 1 && lex_class[p[1]] == LEX_WORD && plain_bytes(s, p + 1, (size_t)(end - p - 1)))
		put_letters(s, p + 1, end, false, true);
	else
		put_quoted(s, p, end);
	return end + (end < s->end);
}

static size_t
part_length(struct sql_scanner *s, const uint8_t *p)
{
	return (size_t)((quote_of_names(s, byte_at(s, p)) ? quoted_end(s, p) : word_end(s, p)) - p) + 2;
}

/* MySQL @user_variable, @`quoted`, @@system.variable: one name, without case. */
void
at_variable(struct sql_scanner *s)
{
	struct cur *c = &s->cur;
	const uint8_t *from = c->p, *p = from, *end;
	uint8_t *at = c->o, *o;

	put_blank(c);
	o = c->o;
	for (; byte_at(s, p) == '@' && p - from < 2; p++)
		*c->o++ = '@';
	for (;;) {
		size_t n = part_length(s, p);

		if (!has_room(s, c, n)) {
			end = p + n - 2;
			o = c->o;
			break;
		}
		end = put_part(s, p);
		if (!scan_dot_follows(s, end))
			break;
		*c->o++ = '.';
		p = scan_skip(s, scan_skip(s, end) + 1);
	}
	c->p = end;
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

/* Whether a name of a type begins at p, and no E'..'. */
static bool
type_begins(const struct sql_scanner *s, const uint8_t *p)
{
	if (!s->my && s->end - p >= 2 && p[1] == '\'' && strchr("eEnNbBxX", *p))
		return false;
	return p < s->end && (lex_class[*p] == LEX_WORD || quote_of_names(s, *p));
}

/* Copies one word of a type in lower case, or a quoted one as quoted names are written. */
static const uint8_t *
type_name(struct sql_scanner *s, struct cur *c, const uint8_t *p)
{
	const uint8_t *end;

	if (lex_class[*p] == LEX_WORD) {
		end = word_end(s, p);
		if (has_room(s, c, (size_t)(end - p)))
			put_letters(s, p, end, false, true);
		return end;
	}
	end = quoted_end(s, p);
	if (has_room(s, c, (size_t)(end - p) + 2)) {
		if (bare(s, K_CAST, p + 1, (size_t)(end - p - 1)))
			put_letters(s, p + 1, end, false, true);
		else
			put_quoted(s, p, end);
	}
	return end + (end < s->end);
}

/* (10, 2) of a type: its numbers become one ? without a slot. p itself when something else stands there. */
static const uint8_t *
type_arguments(struct sql_scanner *s, struct cur *c, const uint8_t *p)
{
	const uint8_t *q = p;

	do {
		const uint8_t *digits;

		q = lex_blanks(q + 1, s->end);
		q += byte_at(s, q) == '-';
		for (digits = q; lex_bits[byte_at(s, q)] & LEX_NUM; q++)
			;
		if (q == digits && byte_at(s, q++) != '?')
			return p;
		q = lex_blanks(q, s->end);
	} while (byte_at(s, q) == ',' && q - p < 40);
	if (byte_at(s, q) != ')')
		return p;
	memcpy(c->o, "(?)", 3);
	c->o += 3;
	return q + 1;
}

void
scan_type(struct sql_scanner *s)
{
	struct cur *c = &s->cur;
	const uint8_t *p = scan_skip(s, c->p), *q;

	while (type_begins(s, p)) {
		p = type_name(s, c, p);
		q = scan_skip(s, p);
		if (byte_at(s, q) == '.') {
			*c->o++ = '.';
			p = scan_skip(s, q + 1);
			continue;
		}
		if (byte_at(s, q) == '(') {
			p = type_arguments(s, c, q);
			q = scan_skip(s, p);
		}
		if (c->o > s->o_limit || q >= s->end || lex_class[*q] != LEX_WORD || !type_word(span_of(q, (size_t)(word_end(s, q) - q))))
			break;
		*c->o++ = ' ';
		p = q;
	}
	for (q = scan_skip(s, p); byte_at(s, q) == '[' && c->o <= s->o_limit; q = scan_skip(s, p)) {
		for (q++; q < s->end && (lex_bits[*q] & (LEX_NUM | LEX_BLANK)); q++)
			;
		if (byte_at(s, q) != ']')
			break;
		memcpy(c->o, "[]", 2);
		c->o += 2;
		p = q + 1;
	}
	c->p = p;
	if (byte_at(s, scan_skip(s, p)) == '(')
		c->prev = K_TYPE;
	else if (c->prev < K_NAME)
		c->prev = K_OPERAND;
}
