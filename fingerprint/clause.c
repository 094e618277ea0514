/* SPDX-License-Identifier: Apache-2.0 */
/* clause: what words mean where they stand: clauses, tables, aliases, values without quotes, SET, generated names, and the class of the
 * whole statement. Does: act on one word at a time, called by scan.c only when a word steers. Never: reads ahead further than the next
 * token's first byte. */
#include "scan.h"

static const struct piece no_piece;

struct verb {
	const char *word;
	uint8_t verb, want, clause;
};

/* First words of statements. Those that are also keywords act as such afterwards. */
static const struct verb verbs[] = {
	{ "select", SQL_V_SELECT, W_VERB, CL_NONE }, { "insert", SQL_V_INSERT, W_VERB, CL_NONE }, { "update", SQL_V_UPDATE, W_VERB, CL_NONE },
	{ "delete", SQL_V_DELETE, W_VERB, CL_NONE }, { "merge", SQL_V_MERGE, W_VERB, CL_NONE }, { "replace", SQL_V_REPLACE, W_VERB, CL_NONE },
	{ "with", SQL_V_OTHER, W_VERB, CL_NONE }, { "values", SQL_V_VALUES, W_VERB, CL_NONE }, { "table", SQL_V_SELECT, W_TABLE, CL_FROM },
	{ "begin", SQL_V_BEGIN, W_OPTION, CL_OTHER }, { "start", SQL_V_BEGIN, W_OPTION, CL_OTHER }, { "commit", SQL_V_COMMIT, W_OPTION, CL_OTHER },
	{ "end", SQL_V_COMMIT, W_OPTION, CL_OTHER }, { "abort", SQL_V_ROLLBACK, W_OPTION, CL_OTHER },
	{ "rollback", SQL_V_ROLLBACK, W_OPTION, CL_OTHER }, { "savepoint", SQL_V_SAVEPOINT, W_NAME, CL_OTHER },
	{ "release", SQL_V_RELEASE, W_NAME, CL_OTHER }, { "xa", SQL_V_OTHER, W_OPTION, CL_OTHER },
	{ "set", SQL_V_SET, W_SETTING, CL_SETTING }, { "reset", SQL_V_RESET, W_SETTING, CL_OTHER },
	{ "discard", SQL_V_DISCARD, W_OPTION, CL_OTHER }, { "show", SQL_V_SHOW, W_OPTION, CL_OTHER }, { "use", SQL_V_USE, W_SETTING, CL_OTHER },
	{ "prepare", SQL_V_PREPARE, W_NAME, CL_OTHER }, { "execute", SQL_V_EXECUTE, W_NAME, CL_OTHER },
	{ "deallocate", SQL_V_DEALLOCATE, W_NAME, CL_OTHER }, { "declare", SQL_V_DECLARE, W_NAME, CL_CURSOR },
	{ "fetch", SQL_V_FETCH, W_NAME, CL_CURSOR }, { "move", SQL_V_MOVE, W_NAME, CL_CURSOR }, { "close", SQL_V_CLOSE, W_NAME, CL_OTHER },
	{ "copy", SQL_V_COPY, W_TABLE, CL_OTHER }, { "call", SQL_V_CALL, W_NONE, CL_OTHER }, { "do", SQL_V_DO, W_NONE, CL_OTHER },
	{ "explain", SQL_V_EXPLAIN, W_OPTION, CL_NONE }, { "describe", SQL_V_SHOW, W_NONE, CL_OTHER }, { "desc", SQL_V_SHOW, W_NONE, CL_OTHER },
	{ "listen", SQL_V_LISTEN, W_SETTING, CL_OTHER }, { "unlisten", SQL_V_LISTEN, W_SETTING, CL_OTHER },
	{ "load", SQL_V_LOAD, W_OPTION, CL_OTHER }, { "lock", SQL_V_LOCK, W_TABLE, CL_FROM }, { "unlock", SQL_V_LOCK, W_OPTION, CL_OTHER },
	{ "create", SQL_V_CREATE, W_OBJECT, CL_OTHER }, { "alter", SQL_V_ALTER, W_OBJECT, CL_OTHER }, { "drop", SQL_V_DROP, W_OBJECT, CL_OTHER },
	{ "truncate", SQL_V_TRUNCATE, W_TABLE, CL_FROM }, { "grant", SQL_V_GRANT, W_OPTION, CL_OTHER }, { "revoke", SQL_V_GRANT, W_OPTION, CL_OTHER },
	{ "comment", SQL_V_ALTER, W_NONE, CL_OTHER }, { "reindex", SQL_V_ALTER, W_OBJECT, CL_OTHER }, { "refresh", SQL_V_ALTER, W_OBJECT, CL_OTHER },
	{ "rename", SQL_V_ALTER, W_OBJECT, CL_OTHER }, { "cluster", SQL_V_ALTER, W_NONE, CL_OTHER },
	{ "security", SQL_V_ALTER, W_OPTION, CL_OTHER }, { "import", SQL_V_ALTER, W_OPTION, CL_OTHER },
	{ "vacuum", SQL_V_OTHER, W_NONE, CL_OTHER }, { "analyze", SQL_V_OTHER, W_NONE, CL_OTHER }, { "analyse", SQL_V_OTHER, W_NONE, CL_OTHER },
	{ "checkpoint", SQL_V_OTHER, W_NONE, CL_OTHER }, { "notify", SQL_V_OTHER, W_NONE, CL_OTHER }, { "flush", SQL_V_OTHER, W_OPTION, CL_OTHER },
	{ "kill", SQL_V_OTHER, W_OPTION, CL_OTHER }, { "optimize", SQL_V_OTHER, W_OBJECT, CL_OTHER }, { "repair", SQL_V_OTHER, W_OBJECT, CL_OTHER },
	{ "handler", SQL_V_OTHER, W_NONE, CL_OTHER }, { "help", SQL_V_SHOW, W_NONE, CL_OTHER },
};

static struct span
last_word(const struct sql_scanner *s)
{
	return piece_text(s, s->name);
}

static bool
one_of(struct span w, const char *const *list)
{
	for (; *list; list++)
		if (span_is_nocase(w, *list))
			return true;
	return false;
}

/* First byte of the next token, 0 at the end. */
static uint8_t
next_byte(const struct sql_scanner *s)
{
	const uint8_t *p = lex_blanks(s->cur.p, s->end);

	return p < s->end ? *p : 0;
}

/* The bytes p..end of the shape in capitals. */
static void
capitals(uint8_t *p, const uint8_t *end)
{
	for (; p < end; p++)
		if (lex_bits[*p] & LEX_LOWER)
			*p &= (uint8_t)~0x20;
}

/* The name that the pen just wrote is a word of the language here. */
static void
to_keyword(struct sql_scanner *s)
{
	capitals(s->shape + s->name.at, s->cur.o);
	s->cur.prev = K_KEYWORD;
}

/* The word that the pen just wrote (its blank at o) is a name after all. */
static void
as_name(struct sql_scanner *s, uint8_t *o, unsigned elem)
{
	struct cur *c = &s->cur;

	o += *o == ' ';
	for (uint8_t *p = o; p < c->o; p++)
		if (lex_bits[*p] & LEX_UPPER)
			*p |= 0x20;
	s->name = piece_of(s, o, c->o);
	s->qual.n = 0;
	s->path_n = 1;
	s->path_at = s->name.at;
	s->path_prev = K_KEYWORD;
	c->prev = K_NAME;
	c->elem = elem == E_EMPTY ? E_NAME : E_OTHER;
}

static void
expect(struct sql_scanner *s, unsigned cls, struct piece qual, struct piece column)
{
	s->pend_o = s->cur.o;
	s->pend_cls = (uint8_t)cls;
	s->pend_qual = qual;
	s->pend_col = column;
}

/* ---- verbs ---- */

static bool
is_write(unsigned verb)
{
	return verb == SQL_V_INSERT || verb == SQL_V_UPDATE || verb == SQL_V_DELETE || verb == SQL_V_MERGE || verb == SQL_V_REPLACE;
}

static void
set_verb(struct sql_scanner *s, unsigned verb)
{
	s->f->verb = (uint8_t)verb;
	if (s->f == s->verb_frame && !s->verb_set) {
		s->verb = verb;
		s->verb_set = true;
	} else if (is_write(verb))
		s->writes = true;
	if (is_write(verb))
		s->target = -1;
}

/* The statement's first word, written at o..cur.o. True when nothing else is to be done with it. */
static bool
verb_start(struct sql_scanner *s, uint8_t *o)
{
	struct cur *c = &s->cur;
	struct span w = span_of(o, (size_t)(c->o - o));
	const struct verb *v = verbs, *end = verbs + sizeof verbs / sizeof *verbs;

	s->want = W_NONE;
	while (v < end && !span_is_nocase(w, v->word))
		v++;
	if (v == end || (v->verb == SQL_V_REPLACE && !s->my)) {
		s->verb_set = s->unknown = true;
		s->f->clause = CL_OTHER;
		return false;
	}
	if (v->want == W_VERB)
		return false;
	capitals(o, c->o);
	c->prev = K_KEYWORD;
	c->elem = E_OTHER;
	s->kw_last = ACT_NONE;
	s->verb = v->verb;
	s->verb_set = true;
	s->verb_frame = s->f;
	s->f->verb = v->verb;
	s->f->clause = v->clause;
	s->want = v->want;
	s->write_next = v->verb == SQL_V_TRUNCATE || v->verb == SQL_V_CREATE || v->verb == SQL_V_ALTER || v->verb == SQL_V_DROP;
	s->unknown = v->verb == SQL_V_CALL || v->verb == SQL_V_DO || v->verb == SQL_V_EXECUTE || v->verb == SQL_V_PREPARE;
	s->control = span_is_nocase(w, "xa");
	if (s->my && v->verb == SQL_V_BEGIN && (next_byte(s) | 0x20) == 'n') {	/* MariaDB: BEGIN NOT ATOMIC .. END */
		s->routine = true;
		s->block = 1;
	}
	if (span_is_nocase(w, "unlisten"))
		s->want = W_OPTION;
	return true;
}

/* ---- keywords that open clauses ---- */

/* SELECT, VALUES and writes at the beginning of a parenthesis make it a query. */
static void
open_query(struct sql_scanner *s, unsigned prev, bool select)
{
	if (s->f->kind != F_TOP && (prev == K_OPEN || s->f->kind != F_QUERY))
		frame_query(s);
	else if (select)
		frame_query(s);
}

static void
kw_select(struct sql_scanner *s, unsigned prev)
{
	open_query(s, prev, true);
	s->f->clause = CL_SELECT;
	set_verb(s, SQL_V_SELECT);
}

static unsigned
write_verb(uint8_t initial)
{
	switch (initial) {
	case 'I':
		return SQL_V_INSERT;
	case 'D':
		return SQL_V_DELETE;
	case 'M':
		return SQL_V_MERGE;
	default:
		return SQL_V_REPLACE;
	}
}

static void
kw_write(struct sql_scanner *s, uint8_t *o, unsigned prev, unsigned elem)
{
	unsigned verb = write_verb(o[*o == ' ']);

	if (s->f->clause != CL_NONE && s->f->clause != CL_WITH) {
		if (next_byte(s) == '(' && s->f->verb != SQL_V_MERGE)
			as_name(s, o, elem);	/* MySQL's functions insert() and replace() */
		else if (s->f->verb == SQL_V_MERGE)
			s->f->clause = CL_OTHER;	/* WHEN NOT MATCHED THEN INSERT */
		else
			s->kw_last = ACT_NONE;
		return;
	}
	open_query(s, prev, false);
	set_verb(s, verb);
	s->f->clause = CL_OTHER;
	s->ncols = 0;
	s->write_next = true;
	s->want = verb == SQL_V_DELETE || verb == SQL_V_MERGE ? W_NONE : W_TABLE;
}

static void
kw_update(struct sql_scanner *s, unsigned prev, unsigned before)
{
	if (s->f->clause == CL_NONE || s->f->clause == CL_WITH) {
		open_query(s, prev, false);
		set_verb(s, SQL_V_UPDATE);
		s->f->clause = CL_FROM;
		s->write_next = true;
		s->want = W_TABLE;
	} else if (before == ACT_KEY)	/* ON DUPLICATE KEY UPDATE */
		s->f->clause = CL_SET;
}

static void
kw_from(struct sql_scanner *s, unsigned before)
{
	struct frame *f = s->f;

	if (s->verb_frame == f && (s->verb == SQL_V_FETCH || s->verb == SQL_V_MOVE)) {
		s->want = W_NAME;
		return;
	}
	if (s->verb_frame == f && s->verb == SQL_V_COPY) {
		if (s->ntables)
			s->tables[0].write = true;
		return;
	}
	if (before == ACT_DISTINCT || (f->kind != F_TOP && f->kind != F_QUERY) || f->verb == SQL_V_PREPARE || f->verb == SQL_V_SHOW)
		return;
	f->clause = CL_FROM;
	s->want = W_TABLE;
	s->write_next = f->verb == SQL_V_DELETE && s->target < 0;
}

static void
kw_using(struct sql_scanner *s)
{
	if ((s->f->verb == SQL_V_DELETE || s->f->verb == SQL_V_MERGE) && (s->f->verb == SQL_V_MERGE || next_byte(s) != '(')) {
		s->f->clause = CL_FROM;
		s->want = W_TABLE;
	}
}

static void
kw_set(struct sql_scanner *s)
{
	struct frame *f = s->f;

	if (f->verb == SQL_V_SET && f->clause == CL_SETTING)
		s->want = W_SETVALUE;	/* SET CHARACTER SET x */
	else if (is_write(f->verb) || (f == s->verb_frame && is_write(s->verb)))
		f->clause = CL_SET;
}

/* The rows begin: one slot for each column of the INSERT list. */
static void
kw_values(struct sql_scanner *s, unsigned prev)
{
	struct frame *f = s->f;

	if (f->clause == CL_SET)
		return;		/* MySQL: ON DUPLICATE KEY UPDATE a = VALUES(a) */
	open_query(s, prev, false);
	f = s->f;
	if (f->clause == CL_NONE || f->clause == CL_WITH)
		set_verb(s, SQL_V_VALUES);
	f->clause = CL_VALUES;
	if (!is_write(f->verb))
		s->ncols = 0;
	s->ins_slot0 = (uint32_t)s->nslots;
	for (unsigned i = 0; i < s->ncols; i++)
		slot_new(s, SQL_SLOT_INSERT, no_piece, s->cols[i]);
	if (s->nslots < s->ins_slot0 + s->ncols)
		s->ncols = (unsigned)(s->nslots - s->ins_slot0);
	f->elem_slot0 = f->row_slots = (uint32_t)s->nslots;
	f->row_o = s->cur.o;
	f->prev_row_o = f->prev_row_end = NULL;
}

static void
kw_on(struct sql_scanner *s)
{
	if (s->f->clause == CL_VALUES)
		s->f->clause = CL_OTHER;
}

static void
kw_fetch(struct sql_scanner *s)
{
	struct cur *c = &s->cur;
	const uint8_t *p = lex_blanks(c->p, s->end), *q = p;

	s->f->clause = CL_LIMIT;
	while (q < s->end && lex_is_ident(*q))
		q++;
	struct span w = span_of(p, (size_t)(q - p));

	if (span_is_nocase(w, "first") || span_is_nocase(w, "next")) {
		*c->o++ = ' ';
		memcpy(c->o, w.p, w.n);
		capitals(c->o, c->o + w.n);
		c->o += w.n;
		c->p = q;
	}
	expect(s, SQL_SLOT_LIMIT, no_piece, no_piece);
	s->want = W_OPTION;	/* ROWS, ROW, TIES */
}

/* ---- keywords inside expressions ---- */

/* NULL, TRUE, FALSE where a value may stand. They stay behind IS, NOT and in DDL's SET NULL and ON NULL INPUT. */
static void
kw_literal(struct sql_scanner *s, enum sql_value_kind kind, uint8_t *o, unsigned prev, unsigned elem, unsigned before)
{
	struct cur *c = &s->cur;
	uint8_t *word = o + (*o == ' ');
	const uint8_t *from = c->p - (c->o - word);

	if (prev == K_START || prev >= K_NAME ||
	    (prev == K_KEYWORD && (before == ACT_IS || before == ACT_NOT || before == ACT_SET || before == ACT_ON)))
		return;
	take_back_word(s, o, prev, elem);
	scan_value(s, kind, 0, from, c->p);
}

static void
kw_default(struct sql_scanner *s, uint8_t *o, unsigned prev, unsigned elem)
{
	struct cur *c = &s->cur;
	const uint8_t *from = c->p - 7;

	if ((prev != K_OPEN && prev != K_COMMA && prev != K_OP) || next_byte(s) == '(')
		return;
	take_back_word(s, o, prev, elem);
	scan_value(s, SQL_VALUE_DEFAULT, 0, from, c->p);
}

static void
kw_in(struct sql_scanner *s, const uint8_t *o, unsigned prev, unsigned before)
{
	bool not = prev == K_KEYWORD && before == ACT_NOT;

	if (prev == K_CLOSE && s->tuple_end == o) {
		s->tuple_end = s->cur.o;
		expect(s, SQL_SLOT_IN, no_piece, no_piece);
	} else if (prev == K_NAME || not)
		expect(s, not ? SQL_SLOT_RANGE : SQL_SLOT_IN, s->qual, s->name);
	else
		expect(s, SQL_SLOT_OTHER, no_piece, no_piece);
}

/* = ANY (..), <> ALL (..): the operator passes through to the list. */
static void
kw_any(struct sql_scanner *s, bool pending)
{
	if (next_byte(s) != '(')
		s->kw_last = ACT_NONE;
	else if (pending) {
		s->pend_o = s->cur.o;
		s->pend_cls = s->pend_cls == SQL_SLOT_EQ ? SQL_SLOT_IN : s->pend_cls == SQL_SLOT_SET ? SQL_SLOT_OTHER : s->pend_cls;
	}
}

static void
kw_interval(struct sql_scanner *s, uint8_t *o, unsigned prev, unsigned elem)
{
	if (prev >= K_NAME) {	/* a column's type */
		as_name(s, o, elem);
		return;
	}
	s->cur.elem = elem;
	expect(s, SQL_SLOT_LIMIT, no_piece, no_piece);
	if (s->want == W_NONE)
		s->want = W_UNIT;
}

static void
kw_to(struct sql_scanner *s, uint8_t *o, unsigned before)
{
	struct cur *c = &s->cur;

	if (s->f->clause == CL_SETTING && !s->stmt_value.p) {	/* SET x TO y is SET x = y */
		c->o = o;
		memcpy(c->o, " =", 2);
		c->o += 2;
		c->prev = K_OP;
		s->want = W_SETVALUE;
	} else if (s->verb == SQL_V_ROLLBACK && s->f == s->verb_frame) {
		s->verb = SQL_V_ROLLBACK_TO;
		s->want = W_NAME;
	} else if (before == ACT_LIKE)
		expect(s, SQL_SLOT_RANGE, s->pend_qual, s->pend_col);
}

static void
kw_as(struct sql_scanner *s, unsigned elem)
{
	if (s->f->kind == F_CAST && !s->deep) {
		s->cur.elem = elem;
		*s->cur.o++ = ' ';
		scan_type(s);
	} else if (s->verb == SQL_V_PREPARE && s->f == s->verb_frame && !s->stmt_value.p) {
		const uint8_t *p = lex_blanks(s->cur.p, s->end);

		s->stmt_value = span_of(p, (size_t)(s->end - p));
		s->f->clause = CL_NONE;
	}
}

static void
kw_for(struct sql_scanner *s)
{
	if (s->f->kind != F_TOP && s->f->kind != F_QUERY)
		return;
	s->f->clause = s->f->clause == CL_CURSOR ? CL_NONE : CL_OTHER;
}

/* A body of a routine: semicolons up to its END belong to the statement. */
static void
kw_begin(struct sql_scanner *s, uint8_t *o, unsigned elem)
{
	const uint8_t *p = lex_blanks(s->cur.p, s->end);
	bool atomic = s->end - p >= 6 && strncasecmp((const char *)p, "atomic", 6) == 0;

	if (s->routine && (s->my || atomic || s->block))
		s->block++;
	else if (!s->routine)
		as_name(s, o, elem);
}

static void
kw_end(struct sql_scanner *s)
{
	static const char *const blocks[] = { "if", "loop", "while", "repeat", NULL };
	const uint8_t *p = lex_blanks(s->cur.p, s->end), *q = p;

	s->cur.prev = K_OPERAND;
	while (q < s->end && lex_is_ident(*q))
		q++;
	if (s->block && !one_of(span_of(p, (size_t)(q - p)), blocks))
		s->block--;
}

static void
kw_arith(struct sql_scanner *s, uint8_t *o, unsigned prev, unsigned elem)
{
	if (prev < K_NAME)
		as_name(s, o, elem);	/* mod(a, b) */
	else {
		s->cur.prev = K_OP;
		clause_operator(s, SQL_SLOT_OTHER, prev);
	}
}

static bool
opens_clause(unsigned action)
{
	return action == ACT_SELECT || action == ACT_WRITE || action == ACT_UPDATE || action == ACT_WITH || action == ACT_FROM ||
	    action == ACT_JOIN || action == ACT_INTO || action == ACT_TABLE || action == ACT_SET || action == ACT_VALUES || action == ACT_WHERE;
}

/* Words that expect the same things as before them: hints of position, not clauses. */
static bool
keeps_want(unsigned action, unsigned want)
{
	if (want == W_ALIAS)
		return action == ACT_AS;
	if (want == W_REVERSE || want == W_UNIT)
		return false;
	if (want == W_OPTION)
		return !opens_clause(action);
	return action == ACT_NONE || action == ACT_ONLY || action == ACT_TABLE || action == ACT_NOT || action == ACT_AS ||
	    want == W_COLUMN || want == W_NAME || want == W_SETTING || want == W_SETVALUE || want == W_OBJECT;
}

/* Keywords while the next word was to be something special. True when that settled it. */
static bool
wanted_keyword(struct sql_scanner *s, unsigned action, uint8_t *o, unsigned prev, unsigned elem)
{
	uint8_t *word = o + (*o == ' ');

	if (s->want == W_VERB) {
		if (action != ACT_SELECT && action != ACT_WRITE && action != ACT_UPDATE && action != ACT_WITH)
			return verb_start(s, word);
		s->want = W_NONE;
		return false;
	}
	if (s->want == W_SETVALUE && action != ACT_NULL && action != ACT_DEFAULT && action != ACT_CASE && action != ACT_SELECT &&
	    action != ACT_CAST && action != ACT_NOT && action != ACT_INTERVAL && next_byte(s) != '(') {
		const uint8_t *from = s->cur.p - (s->cur.o - word);

		take_back_word(s, o, prev, elem);	/* SET x = on: a value like any bare word */
		scan_value(s, SQL_VALUE_LITERAL, 0, from, s->cur.p);
		return true;
	}
	if (s->want == W_NAME && action == ACT_ANY) {	/* DEALLOCATE ALL, CLOSE ALL */
		s->want = W_NONE;
		s->stmt_name = span_of(s->cur.p, 0);
		return true;
	}
	if (!keeps_want(action, s->want))
		s->want = W_NONE;
	return false;
}

void
clause_keyword(struct sql_scanner *s, unsigned action, uint8_t *o, unsigned prev, unsigned elem)
{
	struct frame *f = s->f;
	unsigned before = s->kw_last;
	bool pending = s->pend_o == o;

	if (s->want && wanted_keyword(s, action, o, prev, elem))
		return;
	s->kw_last = action;
	switch ((enum action)action) {
	case ACT_SELECT:
		kw_select(s, prev);
		break;
	case ACT_WRITE:
		kw_write(s, o, prev, elem);
		break;
	case ACT_UPDATE:
		kw_update(s, prev, before);
		break;
	case ACT_WITH:
		if (f->clause == CL_NONE) {
			open_query(s, prev, false);
			s->f->clause = CL_WITH;
			s->want = W_CTE;
		}
		break;
	case ACT_FROM:
		kw_from(s, before);
		break;
	case ACT_JOIN:
		if (before != ACT_FOR && f->clause != CL_SELECT) {	/* not USE INDEX FOR JOIN, SELECT STRAIGHT_JOIN */
			f->clause = CL_FROM;
			s->want = W_TABLE;
		}
		break;
	case ACT_INTO:
		s->want = s->verb_frame == f && s->verb == SQL_V_FETCH ? W_NONE : W_TABLE;
		s->write_next = true;
		break;
	case ACT_TABLE:
		s->want = W_TABLE;
		break;
	case ACT_USING:
		kw_using(s);
		break;
	case ACT_SET:
		kw_set(s);
		break;
	case ACT_VALUES:
		kw_values(s, prev);
		break;
	case ACT_WHERE:
		f->clause = CL_WHERE;
		break;
	case ACT_ON:
		kw_on(s);
		break;
	case ACT_CLAUSE:
		f->clause = CL_OTHER;
		break;
	case ACT_LIMIT:
		f->clause = CL_LIMIT;
		break;
	case ACT_FETCH:
		kw_fetch(s);
		break;
	case ACT_AS:
		kw_as(s, elem);
		break;
	case ACT_FOR:
		kw_for(s);
		break;
	case ACT_NULL:
		kw_literal(s, SQL_VALUE_NULL, o, prev, elem, before);
		break;
	case ACT_BOOL:
		kw_literal(s, SQL_VALUE_BOOL, o, prev, elem, before);
		break;
	case ACT_DEFAULT:
		kw_default(s, o, prev, elem);
		break;
	case ACT_IN:
		if (s->verb_frame == f && (s->verb == SQL_V_FETCH || s->verb == SQL_V_MOVE))
			s->want = W_NAME;
		else
			kw_in(s, o, prev, before);
		break;
	case ACT_ANY:
		kw_any(s, pending);
		break;
	case ACT_ARRAY:
	case ACT_CAST:
		s->cur.elem = elem;
		if (pending)
			s->pend_o = s->cur.o;
		break;
	case ACT_ROW:
		s->cur.elem = elem;
		break;
	case ACT_BETWEEN:
		expect(s, SQL_SLOT_RANGE, prev == K_NAME || prev == K_KEYWORD ? s->qual : no_piece,
		    prev == K_NAME || prev == K_KEYWORD ? s->name : no_piece);
		s->between = true;
		break;
	case ACT_AND:
		if (s->between)
			expect(s, SQL_SLOT_RANGE, s->pend_qual, s->pend_col);
		s->between = false;
		break;
	case ACT_LIKE:
		expect(s, SQL_SLOT_RANGE, s->qual, s->name);
		break;
	case ACT_INTERVAL:
		kw_interval(s, o, prev, elem);
		break;
	case ACT_NOW:
		s->cur.prev = K_OPERAND;
		s->cur.elem = elem == E_EMPTY ? E_VALUE : E_OTHER;
		break;
	case ACT_OPERAND:
		s->cur.prev = K_OPERAND;
		break;
	case ACT_CASE:
		s->block += s->block > 0 && before != ACT_END;	/* not END CASE */
		break;
	case ACT_END:
		kw_end(s);
		break;
	case ACT_BEGIN:
		kw_begin(s, o, elem);
		break;
	case ACT_TO:
		kw_to(s, o, before);
		break;
	case ACT_VALUE:
		if (is_write(f->verb) && f->clause == CL_OTHER && next_byte(s) == '(')
			kw_values(s, prev);
		else
			as_name(s, o, elem);
		break;
	case ACT_LEFT:
		if (next_byte(s) == '(')
			as_name(s, o, elem);
		break;
	case ACT_ARITH:
		kw_arith(s, o, prev, elem);
		break;
	case ACT_NONE:
	case ACT_ONLY:
	case ACT_IS:
	case ACT_NOT:
	case ACT_KEY:
	case ACT_DISTINCT:
		break;
	}
}

/* ---- names ---- */

/* The word just written, with its blank, goes; the pen is as it was before it. */
static void
drop_name(struct sql_scanner *s)
{
	take_back_word(s, s->shape + s->path_at, s->path_prev, s->old_elem);
}

/* The mark that stands for a savepoint's, cursor's or prepared statement's name. */
static void
put_generated(struct sql_scanner *s, struct span name)
{
	struct cur *c = &s->cur;

	if (s->verb == SQL_V_RELEASE || s->verb == SQL_V_ROLLBACK_TO) {
		memcpy(c->o, " SAVEPOINT", 10);
		c->o += 10;
	}
	put_blank(c);
	*c->o++ = '?';
	c->prev = K_VALUE;
	s->stmt_name = name;
	s->want = s->verb == SQL_V_DECLARE ? W_OPTION : W_NONE;
}

/* A savepoint, cursor or prepared statement: its name becomes ?. */
static void
generated_name(struct sql_scanner *s)
{
	static const char *const directions[] = { "next", "prior", "first", "last", "absolute", "relative", "forward", "backward", NULL };
	static const char *const nouns[] = { "savepoint", "prepare", NULL };
	struct span w = last_word(s);

	if (s->path_n > 1)
		return;
	if ((s->verb == SQL_V_FETCH || s->verb == SQL_V_MOVE) && one_of(w, directions)) {
		to_keyword(s);
		return;
	}
	if ((s->verb == SQL_V_RELEASE || s->verb == SQL_V_ROLLBACK_TO || s->verb == SQL_V_DEALLOCATE) && one_of(w, nouns) &&
	    next_byte(s) != 0 && next_byte(s) != ';') {
		drop_name(s);
		return;
	}
	if (s->verb == SQL_V_PREPARE && span_is_nocase(w, "transaction")) {
		s->control = true;
		to_keyword(s);
		s->want = W_NONE;
		return;
	}
	if (s->verb == SQL_V_EXECUTE && s->my && span_is_nocase(w, "immediate")) {
		to_keyword(s);
		s->want = W_NONE;
		return;
	}
	drop_name(s);
	put_generated(s, keep_name(s, no_piece, s->name));
}

static void
setting_name(struct sql_scanner *s)
{
	static const char *const scopes[] = { "session", "local", "global", "persist", "persist_only", "time", "character", NULL };
	static const char *const direct[] = { "names", "role", "zone", "authorization", "charset", NULL };
	struct cur *c = &s->cur;
	struct span w = last_word(s);
	uint8_t next = next_byte(s);

	if (s->path_n > 1) {
		uint8_t *o = s->shape + s->path_at;

		o += *o == ' ';
		s->stmt_name = span_of(o, (size_t)(c->o - o));
		return;
	}
	if (s->path_prev != K_KEYWORD)
		return;
	if (one_of(w, scopes) && next != '=' && next != ':' && next != ';' && next != 0) {
		to_keyword(s);
	} else if (s->verb == SQL_V_SET && (span_is_nocase(w, "transaction") || span_is_nocase(w, "characteristics"))) {
		s->control = s->name.at == 4;	/* SET TRANSACTION, not SET SESSION TRANSACTION */
		to_keyword(s);
		s->want = W_OPTION;
		s->f->clause = CL_OTHER;
	} else {
		s->stmt_name = w;
		if (s->verb == SQL_V_SET && one_of(w, direct) && next != '=') {
			if (span_is_nocase(w, "zone"))
				s->stmt_name = SPAN_LIT("timezone");
			to_keyword(s);
			s->want = W_SETVALUE;
		} else if (s->verb != SQL_V_SET)
			s->want = W_NONE;
	}
}

/* SET x = word: a bare word is a string. A function call or variable stays. */
static void
setting_value(struct sql_scanner *s)
{
	const uint8_t *from = s->name_p, *to = s->cur.p;
	uint8_t next = next_byte(s);

	s->want = W_NONE;
	if (s->path_n > 1 || next == '(' || next == '.' || *from == '@')
		return;
	drop_name(s);
	if (!s->stmt_value.p)
		s->stmt_value = span_of(from, (size_t)(to - from));
	scan_value(s, SQL_VALUE_LITERAL, 0, from, to);
}

/* CREATE, ALTER, DROP: kinds of objects in capitals; the first other word is the object's name. */
static void
object_name(struct sql_scanner *s)
{
	static const char *const kinds[] = { "temporary", "temp", "unlogged", "index", "view", "sequence", "type", "domain", "extension", "schema",
		"database", "role", "user", "server", "if", "online", "fulltext", "spatial", "definer", "replace", "aggregate", "policy", "publication",
		"subscription", "rule", "operator", "statistics", "collation", "foreign", "wrapper", "data", "system", "tablespace", NULL };
	static const char *const routines[] = { "function", "procedure", "trigger", "event", "package", NULL };
	struct span w = last_word(s);

	if (s->path_n > 1)
		return;
	if (one_of(w, routines))
		s->routine = true;
	if (one_of(w, routines) || one_of(w, kinds)) {
		to_keyword(s);
	} else if (s->path_prev == K_KEYWORD)
		s->want = W_NONE;
}

static void
table_name(struct sql_scanner *s)
{
	static const char *const temporary[] = { "temp", "temporary", "unlogged", NULL };	/* SELECT .. INTO TEMP t */
	struct cur *c = &s->cur;
	struct span w = last_word(s);
	bool ddl = s->verb == SQL_V_CREATE || s->verb == SQL_V_ALTER || s->verb == SQL_V_DROP || s->verb == SQL_V_TRUNCATE;

	if ((ddl && span_is_nocase(w, "if")) || (s->verb == SQL_V_LOCK && span_is_nocase(w, "tables"))) {
		to_keyword(s);
		return;
	}
	if (w.n && w.p[0] == '@') {		/* MySQL: SELECT .. INTO @variable */
		s->want = W_NONE;
		return;
	}
	if (s->f->verb == SQL_V_SELECT && s->write_next && one_of(w, temporary) && lex_is_ident(next_byte(s)))
		return;
	if (ddl)
		s->write_next = true;
	bool target = s->write_next || s->verb == SQL_V_COPY;

	table_add(s, false);
	s->want = W_ALIAS;
	if (target)
		c->prev = K_TABLE;
}

static void
alias_name(struct sql_scanner *s)
{
	if (s->path_n > 1) {
		table_extend(s);
		if (s->open_table >= 0 && s->open_table == s->target)
			s->cur.prev = K_TABLE;
		return;
	}
	if (s->open_table >= 0 && s->open_table == s->target)
		s->cur.prev = K_TABLE;		/* INSERT INTO t AS x (a, b) */
	table_alias(s);
	s->want = W_NONE;
}

static void
column_name(struct sql_scanner *s)
{
	if (s->path_n > 1 && s->ncols)
		s->cols[s->ncols - 1] = s->name;
	else if (s->ncols < LIMIT_SLOTS)
		s->cols[s->ncols++] = s->name;
}

static void
cte_name(struct sql_scanner *s)
{
	if (s->nctes < CTES)
		s->ctes[s->nctes++] = keep_name(s, no_piece, s->name);
	s->want = W_NONE;
	s->cur.prev = K_TABLE;
}

/* The right side of `? = column`. */
static void
reverse_name(struct sql_scanner *s)
{
	struct slot *slot = s->last_slot < s->nslots ? &s->slots[s->last_slot] : NULL;

	if (!slot || s->shape + s->path_at != s->rev_o || (slot->cls == SQL_SLOT_INSERT)) {
		s->want = W_NONE;
		return;
	}
	slot->cls = SQL_SLOT_EQ;
	slot->qual = s->qual;
	slot->column = s->name;
}

void
clause_name(struct sql_scanner *s)
{
	struct cur *c = &s->cur;

	switch ((enum want)s->want) {
	case W_VERB:
		if (verb_start(s, s->shape + s->name.at))
			s->kw_last = ACT_NONE;
		break;
	case W_TABLE:
		table_name(s);
		break;
	case W_ALIAS:
		alias_name(s);
		break;
	case W_CTE:
		cte_name(s);
		break;
	case W_COLUMN:
		column_name(s);
		break;
	case W_REVERSE:
		reverse_name(s);
		break;
	case W_UNIT:
		if (s->path_prev == K_VALUE)
			c->elem = s->old_elem;
		s->want = W_NONE;
		break;
	case W_NAME:
		generated_name(s);
		break;
	case W_SETTING:
		setting_name(s);
		break;
	case W_SETVALUE:
		setting_value(s);
		break;
	case W_OPTION:
		to_keyword(s);
		break;
	case W_OBJECT:
		object_name(s);
		break;
	case W_NONE:
		break;
	}
}

bool
clause_value(struct sql_scanner *s, const uint8_t *from, const uint8_t *to)
{
	struct cur *c = &s->cur;

	switch ((enum want)s->want) {
	case W_NAME:
		if ((s->verb == SQL_V_FETCH || s->verb == SQL_V_MOVE) && !(c->prev == K_KEYWORD && (s->kw_last == ACT_FROM || s->kw_last == ACT_IN)))
			return true;
		put_generated(s, span_of(from, (size_t)(to - from)));
		return false;
	case W_SETVALUE:
	case W_SETTING:
		if (!s->stmt_value.p)
			s->stmt_value = span_of(from, (size_t)(to - from));
		s->want = W_NONE;
		return true;
	case W_REVERSE:
	case W_VERB:
		s->want = W_NONE;
		return true;
	default:
		return true;
	}
}

/* ---- operators and commas ---- */

/* Arithmetic around a value takes the meaning from its slot: a = 1 + b, b + 1 = c. */
static void
demote(struct sql_scanner *s)
{
	if (s->last_slot < s->nslots && s->f->kind != F_IN && s->slots[s->last_slot].cls != SQL_SLOT_INSERT)
		s->slots[s->last_slot] = (struct slot){ .cls = SQL_SLOT_OTHER, .scope = s->slots[s->last_slot].scope };
}

void
clause_operator(struct sql_scanner *s, unsigned cls, unsigned prev)
{
	struct frame *f = s->f;
	struct cur *c = &s->cur;

	if (s->want == W_REVERSE) {
		demote(s);
		s->want = W_NONE;
	} else if (s->want == W_ALIAS || s->want == W_UNIT)
		s->want = W_NONE;
	if (f->clause == CL_SETTING && !s->deep && prev >= K_NAME) {
		s->want = W_SETVALUE;
		return;
	}
	if (prev == K_VALUE && cls != SQL_SLOT_EQ) {
		demote(s);
		return;
	}
	if (cls == SQL_SLOT_OTHER)
		return;
	if (prev == K_NAME && s->path_prev != K_OP) {
		if (cls == SQL_SLOT_EQ && f->clause == CL_SET && (s->path_prev == K_COMMA || (s->path_prev == K_KEYWORD)))
			cls = SQL_SLOT_SET;
		expect(s, cls, s->qual, s->name);
	} else if (prev == K_VALUE && cls == SQL_SLOT_EQ && s->value_prev != K_OP && s->want == W_NONE) {
		s->rev_o = c->o;
		s->want = W_REVERSE;
	}
}

void
clause_comma(struct sql_scanner *s)
{
	struct cur *c = &s->cur;
	struct frame *f = s->f;

	if (s->deep)
		return;
	if (f->clause == CL_FROM)
		s->want = W_TABLE;
	else if (f->clause == CL_VALUES)
		f->row_o = c->o;
	else if (f->clause == CL_WITH)
		s->want = W_CTE;
	else if (f->clause == CL_SETTING) {
		if (!s->my && !s->list_o)
			s->list_o = c->o - 1;
		s->want = s->my ? W_SETTING : W_SETVALUE;
	}
}

/* ---- the class ---- */

static bool
catalog_table(const struct sql_scanner *s, struct span name)
{
	static const char *const schemas[] = { "pg_catalog.", "information_schema.", "performance_schema.", "mysql.", "sys." };

	for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
		size_t n = strlen(schemas[i]);

		if ((i < 2 || s->my) && name.n > n && strncasecmp((const char *)name.p, schemas[i], n) == 0)
			return true;
	}
	return !s->my && name.n > 3 && memcmp(name.p, "pg_", 3) == 0;
}

static bool
only_catalog(const struct sql_scanner *s)
{
	size_t seen = 0;

	for (size_t i = 0; i < s->ntables; i++) {
		const struct table *t = &s->tables[i];

		if (t->hidden)
			continue;
		if (!catalog_table(s, t->name))
			return false;
		seen++;
	}
	return seen > 0;
}

/* A SELECT without tables whose words are all those of driver probes: SELECT 1, SELECT version(), SELECT @@x AS y. */
static bool
is_probe(const struct sql_scanner *s)
{
	static const char *const words[] = { "select", "as", "version", "pg_catalog", "current_schema", "current_schemas", "current_database",
		"current_user", "session_user", "user", "set_config", "current_setting", "pg_backend_pid", "pg_is_in_recovery", "connection_id",
		"database", "schema", "txid_current_if_assigned", "pg_postmaster_start_time", "inet_server_addr", "inet_server_port",
		"current_catalog", "limit", NULL };
	const uint8_t *p = s->shape, *end = s->cur.o, *q;
	bool alias = false;

	while (p < end) {
		if (lex_class[*p] != LEX_WORD && *p != '@') {
			if (*p == '"' || *p == '`' || *p == '/')
				return false;
			p++;
			continue;
		}
		for (q = p; q < end && (lex_is_ident(*q) || *q == '@' || (*p == '@' && *q == '.')); q++)
			;
		struct span w = span_of(p, (size_t)(q - p));

		if (!alias && !(w.n > 2 && p[0] == '@' && p[1] == '@') && !one_of(w, words))
			return false;
		alias = span_is_nocase(w, "as");
		p = q;
	}
	return true;
}

static enum sql_class
query_class(struct sql_scanner *s)
{
	if (s->writes)
		return SQL_WRITE;
	if (s->ntables ? only_catalog(s) : is_probe(s))
		return SQL_SETUP;
	return SQL_READ;
}

enum sql_class
clause_class(struct sql_scanner *s)
{
	if (s->control)
		return SQL_CONTROL;
	switch ((enum sql_verb)s->verb) {
	case SQL_V_SELECT:
		return query_class(s);
	case SQL_V_VALUES:
	case SQL_V_DECLARE:
	case SQL_V_FETCH:
	case SQL_V_MOVE:
		return s->writes ? SQL_WRITE : SQL_READ;
	case SQL_V_INSERT:
	case SQL_V_UPDATE:
	case SQL_V_DELETE:
	case SQL_V_MERGE:
	case SQL_V_REPLACE:
	case SQL_V_TRUNCATE:
		return SQL_WRITE;
	case SQL_V_COPY:
		return s->ntables && s->tables[0].write ? SQL_WRITE : SQL_READ;
	case SQL_V_LOAD:
		return s->ntables ? SQL_WRITE : SQL_OTHER;
	case SQL_V_BEGIN:
	case SQL_V_COMMIT:
	case SQL_V_ROLLBACK:
	case SQL_V_SAVEPOINT:
	case SQL_V_RELEASE:
	case SQL_V_ROLLBACK_TO:
		return SQL_CONTROL;
	case SQL_V_SET:
	case SQL_V_RESET:
	case SQL_V_DISCARD:
	case SQL_V_SHOW:
	case SQL_V_USE:
	case SQL_V_PREPARE:
	case SQL_V_DEALLOCATE:
	case SQL_V_CLOSE:
	case SQL_V_LISTEN:
		return SQL_SETUP;
	case SQL_V_CREATE:
	case SQL_V_ALTER:
	case SQL_V_DROP:
	case SQL_V_GRANT:
		return SQL_DDL;
	case SQL_V_OTHER:
	case SQL_V_EXECUTE:
	case SQL_V_CALL:
	case SQL_V_DO:
	case SQL_V_EXPLAIN:
	case SQL_V_LOCK:
		break;
	}
	return SQL_OTHER;
}
