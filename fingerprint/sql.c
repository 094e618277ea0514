/* SPDX-License-Identifier: Apache-2.0 */
/* sql: the door of the room (see sql.h): sets a scanner up, splits statements, hands out the result.
 * Never: looks inside a statement (scan.c does). */
#include "sql.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "clause.h"
#include "mem.h"

struct sql_scanner *
sql_scanner_new(void)
{
	struct sql_scanner *s = mem_zero(sizeof *s);

	if (!s)
		return NULL;
	s->version[0] = SQL_FINGERPRINT_VERSION;
	keyword_table_init(&s->words[SQL_POSTGRESQL], false);
	keyword_table_init(&s->words[SQL_MYSQL], true);
	return s;
}

void
sql_scanner_free(struct sql_scanner *s)
{
	mem_free(s);
}

static void
set_language(struct sql_scanner *s, struct sql_lang lang)
{
	s->my = lang.dialect == SQL_MYSQL;
	s->ansi = lang.modes & SQL_MODE_ANSI_QUOTES;
	s->shards = lang.modes & SQL_MODE_FOLD_SHARDS;
	s->pairs = 0;
	if (lang.modes & SQL_MODE_UNSAFE_ENCODING)
		s->pairs = (uint8_t)(LEX_ESC_PAIRS | (lang.modes & SQL_MODE_SJIS ? LEX_ESC_SJIS : 0));
	bool backslash = s->my ? !(lang.modes & SQL_MODE_NO_BACKSLASH) : (lang.modes & SQL_MODE_BACKSLASH) != 0;

	s->esc = (uint8_t)(s->pairs | (backslash ? LEX_ESC_BACKSLASH : 0));
	s->kw = &s->words[s->my ? SQL_MYSQL : SQL_POSTGRESQL];
}

static void
reset(struct sql_scanner *s)
{
	size_t from = offsetof(struct sql_scanner, start), to = offsetof(struct sql_scanner, cols);

	memset((uint8_t *)s + from, 0, to - from);
	s->scope_up[0] = 0;
	s->frames[0] = (struct frame){ .kind = F_TOP, .slot = NO_SLOT, .o = s->shape, .elem_o = s->shape };
	s->f = s->verb_frame = s->frames;
	s->cur.o = s->shape;
	s->o_limit = s->shape + LIMIT_SHAPE_BYTES - sizeof " \xe2\x80\xa6" + 1;
	s->scopes = 1;
	s->open_table = s->target = -1;
	s->want = W_VERB;
}

static void
read_tags(struct sql_scanner *s)
{
	for (size_t i = 0; i < s->ncomments; i++)
		tags_read(s, s->comments[i]);
}

/* ---- the result ---- */

/* The mark of a cut shape: one word, so that the shape of the shape is the same. */
static void
put_cut(struct sql_scanner *s)
{
	uint8_t *o = s->over ? s->cut_o : s->cur.o;
	bool glued = o == s->shape || o[-1] == '(' || o[-1] == '[' || o[-1] == '.' || (o - s->shape >= 2 && o[-1] == ':' && o[-2] == ':');

	s->cut_o = o;
	if (!glued)
		*o++ = ' ';
	memcpy(o, "\xe2\x80\xa6", 3);
	s->cur.o = o + 3;
}

/* A copy in lower case that outlives the shape's changes. */
static struct span
lower_name(struct sql_scanner *s, struct span name)
{
	uint8_t *p = s->names + s->names_n;

	if (name.n > sizeof s->names - s->names_n)
		return span_of(p, 0);
	for (size_t i = 0; i < name.n; i++)
		p[i] = lex_bits[name.p[i]] & LEX_UPPER ? name.p[i] | 0x20 : name.p[i];
	s->names_n += name.n;
	return span_of(p, name.n);
}

static struct span
unquote(struct span raw)
{
	return raw.n >= 2 && raw.p[0] == '\'' && raw.p[raw.n - 1] == '\'' ? span_of(raw.p + 1, raw.n - 2) : raw;
}

/* SET of several variables: the first is the statement's, the others stand beside it. */
static void
put_settings(struct sql_scanner *s, struct sql_stmt *out)
{
	if (s->stmt_name.p)
		setting_done(s);
	for (size_t i = 1; i < s->nsettings; i++)
		s->settings[i].name = lower_name(s, s->settings[i].name);
	out->settings = s->settings + 1;
	out->nsettings = s->nsettings - 1;
	s->stmt_name = s->settings[0].name;
	s->stmt_value = s->settings[0].value;
}

/* Names and values of statements that steer the session. */
static void
put_setting(struct sql_scanner *s, struct sql_stmt *out)
{
	if (s->nsettings)
		put_settings(s, out);
	out->name = s->stmt_name;
	out->value = s->stmt_value;
	if (s->verb == SQL_V_SET || s->verb == SQL_V_RESET)
		out->name = lower_name(s, s->stmt_name);
	else if (s->verb == SQL_V_PREPARE && s->my && s->nvalues && !s->stmt_value.p)
		out->value = s->values[0].raw;
	else if (s->verb == SQL_V_PREPARE && s->stmt_value.p)
		out->value.n = s->last > s->stmt_value.p ? (size_t)(s->last - s->stmt_value.p) : 0; /* none behind AS */
	else if (s->config_value && s->nvalues > s->config_value && s->values[s->config_value - 1].kind == SQL_VALUE_LITERAL) {
		out->name = lower_name(s, unquote(s->values[s->config_value - 1].raw));
		out->value = s->values[s->config_value].raw;
	}
}

/* A row of VALUES that is not closed does not hide the slots of those before it. */
static void
keep_row_slots(struct sql_scanner *s)
{
	for (const struct frame *f = s->f; f > s->frames; f--)
		if (f->row && s->nslots < (f - 1)->row_slots)
			s->nslots = (f - 1)->row_slots;
}

/* SET x = a, b, c in PostgreSQL is one value. */
static void
drop_setting_list(struct sql_scanner *s)
{
	if (!s->list_o)
		return;
	pen_back(s, &s->cur, s->list_o);
	for (size_t i = 0; i < s->nvalues; i++)
		s->values[i].slot = 0;
	if (s->nslots > 1)
		s->nslots = 1;
}

static void
finish(struct sql_scanner *s, struct sql_stmt *out, const uint8_t *from)
{
	drop_setting_list(s);
	keep_row_slots(s);
	out->cut = s->over || s->shortened;
	if (out->cut)
		put_cut(s);
	out->shape = span_of(s->shape, (size_t)(s->cur.o - s->shape));
	out->text = span_of(from, (size_t)(s->last - from));
	out->verb = (uint8_t)s->verb;
	tables_resolve(s, out);
	out->cls = (uint8_t)(out->shape.n ? clause_class(s) : SQL_EMPTY);
	out->unfinished = s->unfinished;
	out->tables_unknown = s->unknown || out->cut || s->unfinished;
	out->values = s->values;
	out->nvalues = s->nvalues;
	if (s->values_end)
		out->values_rest = span_of(s->values_end, (size_t)(s->last - s->values_end));
	out->tags = s->tags;
	out->ntags = s->ntags;
	put_setting(s, out);
	out->fingerprint = XXH3_64bits(s->version, sizeof s->version + out->shape.n);
	out->fingerprint += out->fingerprint == 0;
}

uint64_t
sql_fingerprint(struct span shape)
{
	static const uint8_t version[sizeof(((struct sql_scanner *)0)->version)] = { SQL_FINGERPRINT_VERSION };
	XXH3_state_t state;

	XXH3_64bits_reset(&state);
	XXH3_64bits_update(&state, version, sizeof version);
	if (shape.n)
		XXH3_64bits_update(&state, shape.p, shape.n);
	uint64_t h = XXH3_64bits_digest(&state);

	return h + (h == 0);
}

/* ---- splitting ---- */

/* Behind a semicolon at p: the rest of its line, when a comment on it ends the line or the text. Returns where the next statement's
 * bytes begin. */
static const uint8_t *
rest_of_line(struct sql_scanner *s, const uint8_t *p, const uint8_t *end)
{
	const uint8_t *stop = scan_comments(s, p, end), *at = p;
	size_t own = 0;

	if (stop == end) {
		read_tags(s);
		return end;
	}
	for (size_t i = 0; i < s->ncomments; i++) {
		const uint8_t *c = s->comments[i].p, *c_end = c + s->comments[i].n;
		const uint8_t *next = i + 1 < s->ncomments ? s->comments[i + 1].p : stop;

		if (memchr(at, '\n', (size_t)(c - at)))
			break;
		at = c_end;
		if (memchr(c_end, '\n', (size_t)(next - c_end))) {
			own = i + 1;
			break;
		}
	}
	for (size_t i = 0; i < own; i++)
		tags_read(s, s->comments[i]);
	return own ? s->comments[own - 1].p + s->comments[own - 1].n : p;
}

static const uint8_t *
trim_end(const uint8_t *from, const uint8_t *end)
{
	while (end > from && (lex_bits[end[-1]] & LEX_BLANK))
		end--;
	return end;
}

/* Skips blanks, comments (their tags are the statement's) and byte order marks in front of a statement. */
static const uint8_t *
leading(struct sql_scanner *s, const uint8_t *p)
{
	for (;;) {
		p = scan_comments(s, p, s->end);
		read_tags(s);
		if (s->end - p < 3 || memcmp(p, "\xef\xbb\xbf", 3) != 0)
			return p;
		p += 3;
	}
}

size_t
sql_scan(struct sql_scanner *s, struct sql_lang lang, struct span text, struct sql_stmt *out)
{
	const uint8_t *end = text.p + text.n, *from, *p;

	*out = (struct sql_stmt){ .fingerprint = 0 };
	if (!text.n)
		return 0;
	set_language(s, lang);
	reset(s);
	s->shortened = text.n > LIMIT_SQL_TEXT;
	s->start = text.p;
	s->end = s->shortened ? text.p + LIMIT_SQL_TEXT : end;
	s->cur.p = from = leading(s, text.p);
	scan_statement(s);
	p = s->cur.p;
	if (!s->last)
		s->last = s->unfinished ? p : trim_end(from, p);
	if (p < s->end)
		s->shortened = false;
	p = p < s->end ? rest_of_line(s, p + 1, end) : end;
	finish(s, out, from);
	return (size_t)(p - text.p);
}

/* ---- the cache's key ---- */

enum { KEY_MARKS = 8 };

/* What one look over a text finds. */
struct key_marks {
	const uint8_t *semicolon;	/* the first, or the end */
	const uint8_t *opens[KEY_MARKS];	/* comment openings */
	size_t nopens;
	bool too_many, line;	/* more openings than fit; a mark of a line comment somewhere */
	bool several;		/* more than blanks and comments behind the semicolon: another statement, or the semicolon is none */
};

/* Whether only blanks, semicolons and comments stand in p..end, and few: the caller may ask again behind each of them. */
static bool
nothing_behind(const struct sql_scanner *s, const uint8_t *p, const uint8_t *end)
{
	bool done = true;

	for (unsigned n = 0; n < COMMENTS; n++) {
		p = lex_blanks(p, end);
		if (p >= end)
			return true;
		if (*p == ';')
			p++;
		else if (scan_is_comment(s, p, end))
			p = *p == '/' ? lex_block(p, end, !s->my, &done) : lex_line(p, end);
		else
			return false;
	}
	return false;
}

static void
note_byte(const struct sql_scanner *s, struct key_marks *k, const uint8_t *p, const uint8_t *end)
{
	uint8_t next = p + 1 < end ? p[1] : 0;

	if (*p == ';') {
		if (k->semicolon == end) {
			k->semicolon = p;
			k->several = !nothing_behind(s, p + 1, end);
		}
	} else if (*p == '/' && next == '*') {
		if (k->nopens < KEY_MARKS)
			k->opens[k->nopens++] = p;
		else
			k->too_many = true;
	} else if ((*p == '-' && next == '-') || (*p == '#' && s->my))
		k->line = true;
}

/* The marks from p on, up to the end or a semicolon that shows that there is no key. */
static struct key_marks
look_over(const struct sql_scanner *s, const uint8_t *p, const uint8_t *end)
{
	struct key_marks k = { .semicolon = end };

#ifdef __SSE2__
	for (; end - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i a = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(';')), _mm_cmpeq_epi8(v, _mm_set1_epi8('/')));
		__m128i b = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('-')), _mm_cmpeq_epi8(v, _mm_set1_epi8('#')));

		for (unsigned m = lex_mask(_mm_or_si128(a, b)); m; m &= m - 1)
			note_byte(s, &k, p + __builtin_ctz(m), end);
		if (k.several)
			return k;
	}
#endif
	for (; p < end && !k.several; p++)
		note_byte(s, &k, p, end);
	return k;
}

static bool
closed_between(const uint8_t *from, const uint8_t *to)
{
	return memmem(from, (size_t)(to - from), "*/", 2) != NULL;
}

/* The opening of the block comment that ends at e. Sound for every valid text: the opening is the last one, nothing closes between it and
 * e, and each earlier opening is closed before the next. NULL when unsure. */
static const uint8_t *
trailing_block(const struct sql_scanner *s, const struct key_marks *k, const uint8_t *e)
{
	size_t n = k->nopens;

	if (k->too_many)
		return NULL;
	while (n && k->opens[n - 1] >= e)
		n--;
	if (!n || e - k->opens[n - 1] < 4 || closed_between(k->opens[n - 1] + 2, e - 2) || !scan_is_comment(s, k->opens[n - 1], e))
		return NULL;
	for (size_t i = 0; i + 1 < n; i++)
		if (!closed_between(k->opens[i] + 2, k->opens[i + 1]))
			return NULL;
	return k->opens[n - 1];
}

/* The mark of a line comment that ends at e, when nothing behind it could end a string. NULL when unsure. */
static const uint8_t *
trailing_line(const struct sql_scanner *s, const uint8_t *from, const uint8_t *e)
{
	const uint8_t *p = e, *found = NULL;

	for (; p > from && p[-1] != '\n' && p[-1] != '\r'; p--) {
		uint8_t c = p[-1];

		if (c == '\'' || c == '"' || c == '`' || c == '$' || c == '/' || c == '\\')
			break;
		if ((c == '-' || c == '#') && scan_is_comment(s, p - 1, e))
			found = p - 1;
	}
	return found;
}

bool
sql_scan_key(struct sql_scanner *s, struct sql_lang lang, struct span text, size_t *lead, size_t *trail, struct sql_stmt *out)
{
	const uint8_t *end = text.p + text.n, *from, *e = end, *c;
	struct span behind[COMMENTS];
	size_t nbehind = 0;

	set_language(s, lang);
	s->ntags = s->tag_n = 0;
	s->unfinished = false;
	from = scan_comments(s, text.p, end);
	read_tags(s);
	struct key_marks k = look_over(s, from, end);

	if (k.several)
		return false;

	for (;;) {
		while (e > from && ((lex_bits[e[-1]] & LEX_BLANK) || e[-1] == ';'))
			e--;
		if (e - from >= 4 && e[-1] == '/' && e[-2] == '*')
			c = trailing_block(s, &k, e);
		else
			c = k.line ? trailing_line(s, from, e) : NULL;
		if (!c || nbehind == COMMENTS)
			break;
		behind[nbehind++] = span_of(c, (size_t)(e - c));
		e = c;
	}
	while (nbehind)
		tags_read(s, behind[--nbehind]);
	*lead = (size_t)(from - text.p);
	*trail = (size_t)(end - e);
	*out = (struct sql_stmt){ .text = span_of(from, (size_t)(e - from)), .tags = s->tags, .ntags = s->ntags };
	return e > from && k.semicolon >= e && !s->unfinished && text.n <= LIMIT_SQL_TEXT;
}
