/* SPDX-License-Identifier: Apache-2.0 */
/* scan: the insides of one scanner, shared by scan.c (tokens), clause.c (words that steer), frame.c (parentheses and lists) and
 * sql.c (the door). Never included by other rooms.
 *
 * How it works: tokens are written to the shape as they are read. What must vanish again (a list of values, a cast inside it) is taken
 * back by moving the output position to where the element or list began, so nothing is read twice and no token is stored. */
#ifndef ROWCALL_SCAN_H
#define ROWCALL_SCAN_H

#include "keyword.h"
#include "lex.h"
#include "limits.h"
#include "sql.h"

/* What the last token was. Up to K_CAST no blank follows it; from K_NAME on an operand has ended. */
enum kind { K_START, K_OPEN, K_DOT, K_CAST, K_COMMA, K_OP, K_KEYWORD, K_NAME, K_TABLE, K_TYPE, K_VALUE, K_CLOSE, K_OPERAND };

/* What the current element of a list consists of so far. */
enum elem { E_EMPTY, E_VALUE, E_NAME, E_OTHER };

/* What an open parenthesis or bracket is. */
enum frame_kind {
	F_TOP,
	F_QUERY,	/* a query, and any parenthesis without a meaning of its own */
	F_CALL,		/* arguments */
	F_COLUMNS,	/* a list of columns */
	F_INDEX,	/* a subscript */
	/* from here on commas end elements */
	F_NOW,		/* arguments of a function that only tells the time or makes a uuid */
	F_CAST,
	F_GROUP,	/* a parenthesised expression or row value */
	F_TUPLE,	/* a row value in (a, b) IN ((1, 2), ..) */
	F_ROW,		/* a row of VALUES */
	F_IN,		/* IN (..), ANY (..), ARRAY[..] */
};

enum clause { CL_NONE, CL_SELECT, CL_FROM, CL_WHERE, CL_SET, CL_VALUES, CL_LIMIT, CL_WITH, CL_OTHER, CL_SETTING, CL_CURSOR };

/* What the next name means, apart from being one. */
enum want {
	W_NONE,
	W_VERB,		/* the statement's first word */
	W_TABLE,	/* a table */
	W_ALIAS,	/* more of the table's path, or its alias */
	W_CTE,		/* a name that WITH defines */
	W_COLUMN,	/* a column of an INSERT list */
	W_REVERSE,	/* the right side of `? = column` */
	W_UNIT,		/* the unit of an INTERVAL */
	W_NAME,		/* a generated name: savepoint, cursor, prepared statement */
	W_SETTING,	/* SET: the variable */
	W_SETVALUE,	/* SET: a value without quotes */
	W_OPTION,	/* a word of a statement without names: capitals */
	W_OBJECT,	/* CREATE, ALTER, DROP: kind of object, then its name */
};

/* Where MySQL tells a name's case apart. */
enum {
	KEEPS_CASE = 1 << W_VERB | 1 << W_TABLE | 1 << W_ALIAS | 1 << W_CTE | 1 << W_NAME | 1 << W_SETTING | 1 << W_SETVALUE | 1 << W_OBJECT,
};

/* The pen: kept in registers on the hot path. (The small fields stand apart so that no compiler is tempted to pair them in a vector.) */
struct cur {
	const uint8_t *p;	/* next byte of the text */
	unsigned prev;		/* enum kind */
	uint8_t *o;		/* next byte of the shape */
	unsigned elem;		/* enum elem of the innermost frame's current element */
};

/* A name in the shape, without its quotes. */
struct piece {
	uint16_t at, n;
};

struct frame {
	uint8_t *o;		/* the opening parenthesis in the shape */
	uint8_t *elem_o;	/* where the current element begins */
	uint8_t *run_o;		/* F_IN: end of the previous element when that was a value, else NULL */
	uint8_t *row_o;		/* CL_VALUES: where the current row begins */
	uint8_t *prev_row_o, *prev_row_end;	/* .. and the row before it; NULL: there is none */
	uint32_t value0, elem_value0;	/* count of values at the start of the frame, of the element */
	uint32_t slot0, elem_slot0;	/* same of slots; CL_VALUES: where a row's own slots begin */
	uint32_t slot;		/* F_IN: the list's one slot, or NO_SLOT */
	uint32_t index;		/* F_ROW, F_TUPLE: number of the element */
	uint32_t row_slots;	/* CL_VALUES: slots that the rows so far have defined */
	uint32_t floor;		/* F_ROW: slot_floor of the surroundings */
	struct piece qual, column;	/* F_IN: what is compared with the list */
	uint8_t ncols;		/* F_IN behind (a, b): how many columns; their slots begin at `slot` */
	uint16_t scope;		/* query level, for aliases */
	uint8_t kind, clause, verb, cls;
	uint8_t saved;		/* the parent's elem */
	uint8_t want;		/* what to want behind it */
	bool all;		/* every element so far is a value */
	bool bracket;
	bool type;		/* arguments of a type */
	bool row;		/* opened as F_ROW */
};

enum { FRAMES = 128, SCOPES = 256, SHAPE_SLACK = 256, NAMES_BYTES = 4096, CTES = 32, COMMENTS = 16, TUPLE = 16, NO_SLOT = SQL_NO_SLOT };

struct slot {
	uint8_t cls;
	uint8_t target;		/* INSERT and SET without qualifier: the written table's index + 1 */
	uint16_t scope;
	struct piece qual, column;
};

struct table {
	struct span name, alias, last;	/* shop.orders, o, orders */
	uint16_t scope;
	bool write, hidden;	/* hidden: a derived table or CTE: resolves aliases, is not shown */
};

struct sql_scanner {
	/* the session's way of reading */
	bool my;
	bool ansi;		/* " quotes identifiers */
	bool shards;
	uint8_t esc;		/* LEX_ESC_* of a plain string */
	uint8_t pairs;		/* LEX_ESC_PAIRS and LEX_ESC_SJIS of the encoding, or 0 */
	const struct keyword_table *kw;

	/* From here to `cols` all is cleared for each statement. ---- the text */
	const uint8_t *start, *end;
	const uint8_t *last;	/* behind the last token, set when the statement ends */

	/* the shape */
	struct cur cur;		/* the pen while a slow function has it */
	uint8_t *o_limit;	/* beyond it the shape is full */
	uint8_t *cut_o;		/* the shape's end when it is full */
	bool over;		/* full */
	bool unfinished;
	bool shortened;		/* the text is longer than LIMIT_SQL_TEXT */
	unsigned hinted;	/* open executable comments and hints */

	/* where we are */
	struct frame *f;
	struct frame *verb_frame;	/* where the statement's verb stands */
	unsigned deep;		/* parentheses open beyond FRAMES */
	unsigned want;
	unsigned old_elem;	/* elem before the name that the hook looks at */
	unsigned kw_last;	/* action of the last keyword */
	unsigned verb;
	bool verb_set;
	bool fold;		/* a statement in which MySQL's columns and functions are told from tables */
	bool write_next;	/* the next table is the statement's target */
	bool control;		/* PREPARE TRANSACTION, SET TRANSACTION, .. */
	bool routine;		/* CREATE FUNCTION and the like: BEGIN opens a body */
	bool unknown;		/* tables_unknown */
	bool between;
	unsigned block;		/* open BEGIN..END and CASE of a routine body */
	unsigned scopes;

	/* the last name, and the operator waiting for a value */
	struct piece name, qual;
	uint16_t path_at;	/* where the path begins in the shape, before its blank */
	uint8_t path_prev;	/* enum kind before it */
	uint8_t path_n;		/* components, 255 for more */
	const uint8_t *name_p;	/* first byte of the name in the text; only while want is set */
	uint8_t *pend_o;	/* a value right here is what the operator compares */
	uint8_t pend_cls;
	struct piece pend_col, pend_qual;
	uint8_t *rev_o;		/* W_REVERSE, W_UNIT: only a name right here is meant */
	unsigned value_prev;	/* enum kind before the last value */
	uint32_t last_slot;	/* its slot */
	uint8_t *tuple_end;	/* behind the last (a, b), the columns of which are in tuple[] */
	unsigned ntuple;
	uint32_t slot_floor;	/* slots below were defined by an earlier row of VALUES and stay */

	/* results */
	size_t nvalues, nslots, ntables, ntags;
	const uint8_t *values_end;	/* in the text: the first value not kept, or NULL */
	uint32_t marks;		/* ? placeholders so far */
	struct span stmt_name, stmt_value;
	size_t nsettings;	/* MySQL: variables of SET before the one at hand */
	uint32_t config_value;	/* set_config: index of its first argument + 1 */
	uint8_t *list_o;	/* SET in PostgreSQL: end of the first value of a list */
	int open_table;		/* the table that may still get a schema or an alias, or -1 */
	int target;		/* the table written, or -1 */
	unsigned ncols;		/* INSERT column list */
	unsigned row_cols;	/* .. as it was when VALUES came */
	uint32_t ins_slot0;
	size_t names_n, nctes, ncomments, tag_n;

	/* arrays, valid up to their counts */
	struct piece cols[LIMIT_SLOTS];
	struct piece tuple[TUPLE], tuple_qual[TUPLE];
	struct span ctes[CTES];
	struct span comments[COMMENTS];
	uint16_t scope_up[SCOPES];
	struct frame frames[FRAMES + 1];
	struct slot slots[LIMIT_SLOTS];
	struct table tables[LIMIT_TABLES];
	struct sql_value values[LIMIT_VALUES];
	struct sql_slot out_slots[LIMIT_SLOTS];
	struct sql_table out_tables[LIMIT_TABLES];
	struct sql_tag tags[LIMIT_TAGS];
	struct sql_setting settings[LIMIT_SETTINGS + 1];
	uint8_t names[NAMES_BYTES];
	uint8_t tag_bytes[LIMIT_TAG_BYTES];
	struct keyword_table words[2];
	uint8_t version[8];	/* hashed together with the shape, which follows */
	uint8_t shape[LIMIT_SHAPE_BYTES + SHAPE_SLACK];
};

/* ---- the pen ---- */

static inline struct piece
piece_of(const struct sql_scanner *s, const uint8_t *o, const uint8_t *end)
{
	return (struct piece){ (uint16_t)(o - s->shape), (uint16_t)(end - o) };
}

/* The text of a name, borrowed until the shape changes there. */
static inline struct span
piece_text(const struct sql_scanner *s, struct piece n)
{
	return span_of(s->shape + n.at, n.n);
}

static inline void
put_blank(struct cur *c)
{
	*c->o = ' ';
	c->o += c->prev > K_CAST;
}

/* Moves the pen back: what was written from `to` on never was. When that was all that did not fit, the shape is not full. */
static inline void
pen_back(struct sql_scanner *s, struct cur *c, uint8_t *to)
{
	c->o = to;
	if (s->over && to <= s->cut_o)
		s->over = false;
}

/* The same, and no operator waits for what comes. */
static inline void
take_back(struct sql_scanner *s, struct cur *c, uint8_t *to)
{
	pen_back(s, c, to);
	s->pend_o = NULL;
}

/* A word written from o on goes, its blank included; an operator before it keeps waiting. */
static inline void
take_back_word(struct sql_scanner *s, uint8_t *o, unsigned prev, unsigned elem)
{
	pen_back(s, &s->cur, o);
	s->cur.prev = prev;
	s->cur.elem = elem;
}

/* A new value position, NO_SLOT when there are too many. */
static inline uint32_t
slot_new(struct sql_scanner *s, unsigned cls, struct piece qual, struct piece column)
{
	uint32_t i = (uint32_t)s->nslots;

	if (i >= LIMIT_SLOTS)
		return NO_SLOT;
	s->nslots++;
	if (i >= s->slot_floor) {
		bool target = cls == SQL_SLOT_INSERT || (cls == SQL_SLOT_SET && !qual.n);

		s->slots[i] = (struct slot){ .cls = (uint8_t)cls, .target = target ? (uint8_t)(s->target + 1) : 0, .scope = s->f->scope,
			.qual = qual, .column = column };
	}
	return i;
}

/* All functions below take the pen from s->cur and leave it there. */

/* ---- scan.c ---- */

/* Reads one statement from s->start; s->cur.p then stands at the semicolon or at the end. */
void scan_statement(struct sql_scanner *s);
/* A name or keyword was written; at: where its token (and blank) began in the shape; text: the name without quotes. */
void scan_name(struct sql_scanner *s, const uint8_t *from, const uint8_t *at, struct piece text);
void scan_keyword(struct sql_scanner *s, unsigned action, uint8_t *at);

/* ---- value.c ---- */

/* A token that begins like a value: a string, a number, $ or ?. */
void literal(struct sql_scanner *s);
/* In a list of values: takes in whole `$1, `, `42, ` and `?, ` from p on; the shape does not change. Returns where it stopped. */
const uint8_t *literal_run(struct sql_scanner *s, const uint8_t *p);
/* A value at the pen: its `?`, its slot and its record. */
void scan_value(struct sql_scanner *s, enum sql_value_kind kind, uint32_t number, const uint8_t *from, const uint8_t *to);
void scan_placeholder(struct sql_scanner *s, const uint8_t *to);
/* A string whose quote is at q, a number whose digits begin at `digits`; from: where its prefix or sign begins. */
void scan_string(struct sql_scanner *s, const uint8_t *from, const uint8_t *q, unsigned esc);
void scan_number(struct sql_scanner *s, const uint8_t *from, const uint8_t *digits);
/* Whether digits..end, which reads like a number, goes on as a name of MySQL: 2fa_tokens, 1a in t.1a. */
bool number_is_name(const struct sql_scanner *s, const uint8_t *digits, const uint8_t *end);
/* ---- word.c ---- */
void word_slow(struct sql_scanner *s);
bool word_prefix(struct sql_scanner *s, unsigned n);
void quoted_slow(struct sql_scanner *s, const uint8_t *q);
void at_variable(struct sql_scanner *s);
/* Writes the character at p; returns the position behind it. */
const uint8_t *put_char(struct sql_scanner *s, struct cur *c, const uint8_t *p, bool lower, bool escape);
/* Where an unquoted word ends. */
const uint8_t *word_end(const struct sql_scanner *s, const uint8_t *p);
/* The name of a type after :: or AS, with its arguments and brackets. */
void scan_type(struct sql_scanner *s);

/* ---- operator.c ---- */
void operators(struct sql_scanner *s);
void single(struct sql_scanner *s);
void star_slow(struct sql_scanner *s);
void colon(struct sql_scanner *s);
void at_sign(struct sql_scanner *s);

/* ---- comment.c ---- */

/* Blanks and comments from p on; the comments are in s->comments. Returns where the next token begins. */
const uint8_t *scan_comments(struct sql_scanner *s, const uint8_t *p, const uint8_t *end);
/* Whether a comment begins at p (a hint or executable comment does not count). */
bool scan_is_comment(const struct sql_scanner *s, const uint8_t *p, const uint8_t *end);
/* Behind the blanks and comments at p; a look ahead. */
const uint8_t *scan_skip(const struct sql_scanner *s, const uint8_t *p);
/* Whether the next token behind blanks and comments at p is a dot (not .5, unless glued to a word of MySQL), which makes any word before it a name. */
bool scan_dot_follows(const struct sql_scanner *s, const uint8_t *p);
/* Whether a hint or executable comment begins at p, which is no comment. */
bool scan_is_code(const struct sql_scanner *s, const uint8_t *p);
void comments(struct sql_scanner *s);
void code_comment(struct sql_scanner *s);
void code_comment_end(struct sql_scanner *s);

bool is_write(unsigned verb);	/* verb.c */

/* ---- clause.c: words that steer ---- */

/* A keyword was written from o (its blank before) to the pen. prev and elem are those before it. */
void clause_keyword(struct sql_scanner *s, unsigned action, uint8_t *o, unsigned prev, unsigned elem);
/* A name was written while s->want was set. */
void clause_name(struct sql_scanner *s);
/* A value is about to be written while s->want is set; false when it was dealt with. */
bool clause_value(struct sql_scanner *s, const uint8_t *from, const uint8_t *to);
/* A comparing (or other) operator was written. */
void clause_operator(struct sql_scanner *s, unsigned cls, unsigned prev);
/* Something came that ends the wait for a verb, table, alias, unit or generated name. */
void end_want(struct sql_scanner *s);
/* A comma was written in a clause that lists tables, rows, CTEs or settings. */
void clause_comma(struct sql_scanner *s);
/* The class of the finished statement. */
enum sql_class clause_class(struct sql_scanner *s);

/* ---- frame.c: parentheses, elements, collapsing ---- */
void frame_open(struct sql_scanner *s, bool bracket);
void frame_close(struct sql_scanner *s, bool bracket);
/* The current element of a list ends. */
void frame_element(struct sql_scanner *s);
/* The frame's parenthesis turns out to hold a query. */
void frame_query(struct sql_scanner *s);
/* A list's slot, made at its first value. */
uint32_t frame_list_slot(struct sql_scanner *s, struct frame *f);

/* ---- tables.c ---- */
/* Copies a.b (or b when a is empty) to where it outlives the shape's changes. */
struct span keep_name(struct sql_scanner *s, struct piece a, struct piece b);
void table_add(struct sql_scanner *s, bool hidden);
void table_extend(struct sql_scanner *s);
void table_alias(struct sql_scanner *s);
void table_drop(struct sql_scanner *s);
/* Fills the public tables and slots: CTEs out, aliases resolved. */
void tables_resolve(struct sql_scanner *s, struct sql_stmt *out);

/* ---- tags.c ---- */
/* The key/value pairs of one comment (with its marks), appended to s->tags. */
void tags_read(struct sql_scanner *s, struct span comment);

#endif
