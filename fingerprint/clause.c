/* SPDX-License-Identifier: Apache-2.0 */
/* clause: what keywords, operators and commas mean where they stand: clauses, values without quotes, what an operator compares.
 * Does: act on one word at a time, called by scan.c only when a word steers. Never: reads ahead further than the next word. */
#include "clause.h"

bool
one_of(struct span w, const char *const *list)
{
	for (; *list; list++)
		if (span_is_nocase(w, *list))
			return true;
	return false;
}

void
capitals(uint8_t *p, const uint8_t *end)
{
	for (; p < end; p++)
		if (lex_bits[*p] & LEX_LOWER)
			*p &= (uint8_t)~0x20;
}

void
to_keyword(struct sql_scanner *s)
{
	capitals(s->shape + s->name.at, s->cur.o);
	s->cur.prev = K_KEYWORD;
	s->kw_last = ACT_NONE;
}

void
as_name(struct sql_scanner *s, uint8_t *o, unsigned prev, unsigned elem)
{
	struct cur *c = &s->cur;
	uint8_t *word = o + (*o == ' ');

	for (uint8_t *p = word; p < c->o; p++)
		if (lex_bits[*p] & LEX_UPPER)
			*p |= 0x20;
	s->name = piece_of(s, word, c->o);
	s->qual.n = 0;
	s->path_n = 1;
	s->path_at = (uint16_t)(o - s->shape);
	s->path_prev = (uint8_t)prev;
	c->prev = K_NAME;
	c->elem = elem == E_EMPTY ? E_NAME : E_OTHER;
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
			as_name(s, o, prev, elem);	/* MySQL's functions insert() and replace() */
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
kw_from(struct sql_scanner *s, bool distinct)
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
	if (distinct || (f->kind != F_TOP && f->kind != F_QUERY) || f->verb == SQL_V_PREPARE || f->verb == SQL_V_SHOW)
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
	s->row_cols = s->ncols;
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
	const uint8_t *p = scan_skip(s, c->p), *q = p;

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
	if (want == W_SETTING || want == W_SETVALUE)
		return action == ACT_SET || !opens_clause(action);	/* SET CHARACTER SET x */
	return action == ACT_NONE || action == ACT_ONLY || action == ACT_TABLE || action == ACT_NOT || action == ACT_AS ||
	    want == W_COLUMN || want == W_NAME || want == W_OBJECT;
}

/* ---- keywords inside expressions ---- */

/* NULL, TRUE, FALSE or DEFAULT that is no value. */
static void
stays_keyword(struct sql_scanner *s)
{
	if (!keeps_want(ACT_NULL, s->want))
		s->want = W_NONE;
}

/* NULL, TRUE, FALSE where a value may stand. They stay behind IS, NOT and AS and in DDL's SET NULL and ON NULL INPUT. */
static void
kw_literal(struct sql_scanner *s, enum sql_value_kind kind, uint8_t *o, unsigned prev, unsigned elem, unsigned before)
{
	struct cur *c = &s->cur;
	uint8_t *word = o + (*o == ' ');
	const uint8_t *from = c->p - (c->o - word);

	if (prev == K_START || prev >= K_NAME ||
	    (prev == K_KEYWORD && (before == ACT_IS || before == ACT_NOT || before == ACT_SET || before == ACT_ON || before == ACT_AS)))
		stays_keyword(s);
	else {
		take_back_word(s, o, prev, elem);
		scan_value(s, kind, 0, from, c->p);
	}
}

static void
kw_default(struct sql_scanner *s, uint8_t *o, unsigned prev, unsigned elem)
{
	struct cur *c = &s->cur;
	const uint8_t *from = c->p - 7;

	if ((prev != K_OPEN && prev != K_COMMA && prev != K_OP) || next_byte(s) == '(')
		stays_keyword(s);
	else {
		take_back_word(s, o, prev, elem);
		scan_value(s, SQL_VALUE_DEFAULT, 0, from, c->p);
	}
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
		as_name(s, o, prev, elem);
		return;
	}
	s->cur.elem = elem;
	expect(s, SQL_SLOT_LIMIT, no_piece, no_piece);
	if (s->want == W_NONE) {
		s->want = W_UNIT;
		s->rev_o = s->cur.o + strlen(" ?");
	}
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
		const uint8_t *p = scan_skip(s, s->cur.p);

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
kw_begin(struct sql_scanner *s, uint8_t *o, unsigned prev, unsigned elem)
{
	const uint8_t *p = scan_skip(s, s->cur.p);
	bool atomic = s->end - p >= 6 && strncasecmp((const char *)p, "atomic", 6) == 0;

	if (s->routine && (s->my || atomic || s->block))
		s->block++;
	else if (!s->routine)
		as_name(s, o, prev, elem);
}

static void
kw_end(struct sql_scanner *s)
{
	static const char *const blocks[] = { "if", "loop", "while", "repeat", NULL };
	const uint8_t *p = scan_skip(s, s->cur.p), *q = p;

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
		as_name(s, o, prev, elem);	/* mod(a, b) */
	else {
		s->cur.prev = K_OP;
		clause_operator(s, SQL_SLOT_OTHER, prev);
	}
}

/* Keywords while the next word was to be something special. True when that settled it. */
static bool
wanted_keyword(struct sql_scanner *s, unsigned action, uint8_t *o, unsigned prev, unsigned elem)
{
	uint8_t *word = o + (*o == ' ');

	if (s->want == W_VERB) {
		if (prev > K_OPEN) {		/* something else came first */
			no_verb(s);
			return false;
		}
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
	if (action != ACT_NULL && action != ACT_BOOL && action != ACT_DEFAULT && !keeps_want(action, s->want))
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
		} else if (f->clause == CL_CURSOR)
			s->want = W_OPTION;	/* DECLARE c CURSOR WITH HOLD */
		break;
	case ACT_FROM:
		kw_from(s, prev == K_KEYWORD && before == ACT_DISTINCT);	/* IS DISTINCT FROM */
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
		else if (s->verb_frame == f && s->verb == SQL_V_LOCK)
			s->want = W_OPTION;	/* IN SHARE MODE */
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
		kw_begin(s, o, prev, elem);
		break;
	case ACT_TO:
		kw_to(s, o, before);
		break;
	case ACT_VALUE:
		if (is_write(f->verb) && f->clause == CL_OTHER && next_byte(s) == '(')
			kw_values(s, prev);
		else
			as_name(s, o, prev, elem);
		break;
	case ACT_LEFT:
		if (next_byte(s) == '(')
			as_name(s, o, prev, elem);
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

/* ---- operators and commas ---- */

void
end_want(struct sql_scanner *s)
{
	switch ((enum want)s->want) {
	case W_VERB:
		no_verb(s);
		break;
	case W_TABLE:
	case W_ALIAS:
	case W_CTE:
	case W_REVERSE:
	case W_UNIT:
	case W_NAME:
		s->want = W_NONE;
		break;
	case W_NONE:
	case W_COLUMN:
	case W_SETTING:
	case W_SETVALUE:
	case W_OPTION:
	case W_OBJECT:
		break;
	}
}

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

	if (s->want == W_REVERSE)
		demote(s);
	end_want(s);
	if (f->clause == CL_SETTING && !s->deep && prev >= K_NAME) {
		if (s->want == W_SETTING && c->o[-2] == ':') {		/* := is = */
			c->o[-2] = '=';
			c->o--;
		}
		s->stmt_value.n = 0;		/* of an expression no value is known */
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
		if (!s->my && !s->list_o && s->nvalues)
			s->list_o = c->o - 1;
		s->want = s->my ? W_SETTING : W_SETVALUE;
		if (s->my && s->stmt_name.p)
			setting_done(s);
	}
}
