/* SPDX-License-Identifier: Apache-2.0 */
/* comment: what looks like a comment: those that go (their tags are read when they surround the statement), hints that stay, and
 * MySQL's executable ones, whose content is code. Never: lets a literal of a hint through. */
#include "scan.h"

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

bool
scan_is_code(const struct sql_scanner *s, const uint8_t *p)
{
	return s->end - p >= 3 && p[0] == '/' && p[1] == '*';
}

/* Behind the comment at p. */
static const uint8_t *
comment_end(const struct sql_scanner *s, const uint8_t *p, const uint8_t *end, bool *done)
{
	return *p == '/' ? lex_block(p, end, !s->my, done) : lex_line(p, end);
}

const uint8_t *
scan_skip(const struct sql_scanner *s, const uint8_t *p)
{
	bool done = true;

	for (;;) {
		p = lex_blanks(p, s->end);
		if (p >= s->end || !scan_is_comment(s, p, s->end))
			return p;
		p = comment_end(s, p, s->end, &done);
	}
}

bool
scan_dot_follows(const struct sql_scanner *s, const uint8_t *p)
{
	if (s->my && p < s->end && *p == '.')
		return true;		/* t.1a */
	p = scan_skip(s, p);
	return p < s->end && *p == '.' && !(p + 1 < s->end && (lex_bits[p[1]] & LEX_NUM));
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
		q = comment_end(s, p, end, &done);
		s->unfinished |= !done;
		if (s->ncomments < COMMENTS)
			s->comments[s->ncomments++] = span_of(p, (size_t)(q - p));
		p = q;
	}
}

/* A run of comments inside or behind the statement; those behind it are its tags. */
void
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
static void
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
		if (*p == '\'' || (*p == '"' && s->my && !s->ansi)) {
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
void
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

void
code_comment_end(struct sql_scanner *s)
{
	struct cur *c = &s->cur;

	memcpy(c->o, " */ ", 4);
	c->o += c->prev <= K_CAST ? 4 : 3;
	c->p += 2;
	s->hinted--;
}
