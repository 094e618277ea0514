/* SPDX-License-Identifier: Apache-2.0 */
/* frame: what stands in parentheses. Does: tells lists of values from columns, arguments and queries, and takes lists back to one `?`
 * however long they are. Never: looks at the text; it sees only what the tokens left in the pen and the frame. */
#include "scan.h"

/* Functions whose result is as good as a literal: the time, or a fresh uuid. */
static bool
is_now(struct span name)
{
	static const char *const list[] = {
		"now", "statement_timestamp", "transaction_timestamp", "clock_timestamp", "utc_timestamp", "utc_date", "utc_time", "sysdate",
		"curdate", "curtime", "unix_timestamp", "uuid", "gen_random_uuid", "uuid_generate_v4", "current_timestamp", "current_date",
		"current_time", "localtime", "localtimestamp",
	};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (span_is_nocase(name, list[i]))
			return true;
	return false;
}

/* ---- slots of lists ---- */

uint32_t
frame_list_slot(struct sql_scanner *s, struct frame *f)
{
	if (f->slot == NO_SLOT)
		f->slot = slot_new(s, f->cls, f->qual, f->column);
	return f->slot;
}

/* All values since `value0` belong to one slot; slots made for them since `slot0` never were. */
static void
merge_slots(struct sql_scanner *s, uint32_t value0, uint32_t slot0, uint32_t slot)
{
	for (size_t i = value0; i < s->nvalues; i++)
		s->values[i].slot = (uint16_t)slot;
	s->nslots = slot0;
	s->last_slot = slot;
}

/* The slot of the element that just ended and is a value. */
static void
element_slot(struct sql_scanner *s, struct frame *f)
{
	if (f->kind == F_ROW && f->index < s->row_cols)
		merge_slots(s, f->elem_value0, f->elem_slot0, s->ins_slot0 + f->index);
	else if (f->kind == F_IN && !f->ncols) {
		if (f->slot == NO_SLOT) {
			s->nslots = f->elem_slot0;
			frame_list_slot(s, f);
			merge_slots(s, f->elem_value0, (uint32_t)s->nslots, f->slot);
		} else
			merge_slots(s, f->elem_value0, f->elem_slot0 > f->slot ? f->elem_slot0 : f->slot + 1, f->slot);
	}
}

/* ---- elements ---- */

/* (a, b): remembers plain columns, in case an IN follows. */
static void
note_column(struct sql_scanner *s, const struct frame *f)
{
	if (f->index == 0)
		s->ntuple = 0;
	if (s->cur.elem == E_NAME && s->cur.prev == K_NAME && s->ntuple == f->index && s->ntuple < TUPLE) {
		s->tuple[s->ntuple] = s->name;
		s->tuple_qual[s->ntuple++] = s->qual;
	}
}

/* A value that is only a part of what goes into a column: b + 1. */
static void
free_column(struct sql_scanner *s, const struct frame *f, uint32_t slot)
{
	static const struct piece none;
	uint32_t other = NO_SLOT;

	for (size_t i = f->elem_value0; i < s->nvalues; i++) {
		if (s->values[i].slot != slot)
			continue;
		if (other == NO_SLOT)
			other = slot_new(s, SQL_SLOT_OTHER, none, none);
		s->values[i].slot = (uint16_t)other;
	}
}

void
frame_element(struct sql_scanner *s)
{
	struct cur *c = &s->cur;
	struct frame *f = s->f;
	bool is_value = c->elem == E_VALUE;

	f->all &= is_value;
	if (f->kind == F_GROUP)
		note_column(s, f);
	if (f->kind >= F_ROW && is_value) {
		element_slot(s, f);
		if (c->o - f->elem_o != 1 && f->elem_o <= s->o_limit) {
			take_back(s, c, f->elem_o);
			*c->o++ = '?';
		}
		if (f->kind == F_IN && f->run_o)
			take_back(s, c, f->run_o);
	}
	if (f->kind == F_ROW && !is_value && f->index < s->row_cols)
		free_column(s, f, s->ins_slot0 + f->index);
	f->run_o = f->kind == F_IN && is_value ? c->o : NULL;
	f->index++;
}

/* ---- opening ---- */

/* (a, b) IN (: one slot for each column. */
static void
adopt_tuple(struct sql_scanner *s, struct frame *f)
{
	unsigned n = s->ntuple;

	if (s->cur.o != s->tuple_end || s->nslots + n > LIMIT_SLOTS)
		return;
	f->ncols = (uint8_t)n;
	f->slot = (uint32_t)s->nslots;
	for (unsigned i = 0; i < n; i++)
		slot_new(s, f->cls, s->tuple_qual[i], s->tuple[i]);
	f->elem_slot0 = (uint32_t)s->nslots;
}

/* The operator before the parenthesis waits for the list's values. */
static void
adopt_pending(struct sql_scanner *s, struct frame *f)
{
	if (s->cur.o != s->pend_o)
		return;
	f->cls = s->pend_cls;
	f->qual = s->pend_qual;
	f->column = s->pend_col;
}

static unsigned
kind_after_keyword(struct sql_scanner *s, struct frame *up)
{
	switch (s->kw_last) {
	case ACT_IN:
	case ACT_ANY:
		return F_IN;
	case ACT_CAST:
		return F_CAST;
	case ACT_VALUES:
	case ACT_VALUE:
		return up->clause == CL_VALUES ? F_ROW : F_GROUP;
	case ACT_ROW:
		return up->clause == CL_VALUES && up->kind <= F_QUERY ? F_ROW : F_GROUP;
	case ACT_WRITE:		/* MERGE .. THEN INSERT (columns) */
		return F_COLUMNS;
	case ACT_USING:
		return F_CALL;
	default:
		return F_GROUP;
	}
}

/* What kind of parenthesis this is, from what stands before it. */
static unsigned
kind_of(struct sql_scanner *s, struct frame *up)
{
	struct cur *c = &s->cur;

	switch (c->prev) {
	case K_TABLE:
		return F_COLUMNS;
	case K_NAME:
		return c->elem == E_NAME && s->path_n == 1 && is_now(piece_text(s, s->name)) ? F_NOW : F_CALL;
	case K_OPERAND:
		return s->kw_last == ACT_NOW ? F_NOW : F_CALL;
	case K_KEYWORD:
		return kind_after_keyword(s, up);
	case K_OPEN:
		return up->kind == F_IN && up->ncols ? F_TUPLE : F_GROUP;
	case K_COMMA:
		if (up->kind == F_IN && up->ncols)
			return F_TUPLE;
		return up->clause == CL_VALUES && up->kind <= F_QUERY ? F_ROW : F_GROUP;
	default:
		return F_GROUP;
	}
}

/* MySQL's function names have no case: fold the one before the parenthesis, unless it names a table or column list. */
static void
fold_function(struct sql_scanner *s)
{
	uint8_t *p = s->shape + s->name.at, *end = p + s->name.n;

	if (!s->my || s->cur.prev != K_NAME || s->verb == SQL_V_CREATE || s->verb == SQL_V_ALTER || end != s->cur.o)
		return;
	for (; p < end; p++)
		if (lex_bits[*p] & LEX_UPPER)
			*p |= 0x20;
}

/* set_config('name', 'value', ..) sets a session variable: remember where its arguments begin. */
static void
note_call(struct sql_scanner *s)
{
	if (!s->my && !s->config_value && span_is(piece_text(s, s->name), "set_config"))
		s->config_value = (uint32_t)s->nvalues + 1;
}

/* FROM f(..): no table. What a function reads is not known, except for those that only make rows. */
static void
table_function(struct sql_scanner *s)
{
	static const char *const harmless[] = { "generate_series", "unnest", "json", "regexp_", "string_to_table", "pg_", "seq_" };
	struct span name = piece_text(s, s->name);
	bool known = false;

	for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
		size_t n = strlen(harmless[i]);

		known |= name.n >= n && strncasecmp((const char *)name.p, harmless[i], n) == 0;
	}
	s->unknown |= !known;
	table_drop(s);
}

/* Writes the parenthesis and what may stand before it. */
static void
put_open(struct cur *c, bool bracket, unsigned last_action)
{
	bool apart = c->prev > K_CAST && c->prev != K_NAME && c->prev != K_TYPE && c->prev != K_OPERAND;

	if (bracket)
		apart = c->prev == K_COMMA || c->prev == K_OP || (c->prev == K_KEYWORD && last_action != ACT_ARRAY);
	if (apart)
		*c->o++ = ' ';
	*c->o++ = bracket ? '[' : '(';
	c->p++;
	c->prev = K_OPEN;
	c->elem = E_EMPTY;
}

static unsigned
bracket_kind(struct sql_scanner *s, struct frame *up)
{
	if ((s->cur.prev == K_KEYWORD && s->kw_last == ACT_ARRAY) || (up->bracket && up->kind == F_IN && s->cur.prev < K_NAME))
		return F_IN;
	return F_INDEX;
}

void
frame_open(struct sql_scanner *s, bool bracket)
{
	struct cur *c = &s->cur;
	struct frame *up = s->f, *f;
	unsigned kind;

	if (s->want == W_REVERSE) {
		s->slots[s->last_slot < s->nslots ? s->last_slot : 0].cls = SQL_SLOT_OTHER;
		s->want = W_NONE;
	}
	if (s->deep || up == &s->frames[FRAMES]) {
		end_want(s);
		s->deep++;
		put_open(c, bracket, s->kw_last);
		c->elem = E_OTHER;
		return;
	}
	kind = bracket ? bracket_kind(s, up) : kind_of(s, up);
	if (kind == F_CALL || kind == F_NOW) {
		fold_function(s);
		note_call(s);
		if (s->want == W_ALIAS)
			table_function(s);
	}
	f = up + 1;
	*f = (struct frame){ .kind = (uint8_t)kind, .scope = up->scope, .slot = NO_SLOT, .all = true, .bracket = bracket };
	f->saved = (uint8_t)c->elem;
	f->type = c->prev == K_TYPE;
	f->row = kind == F_ROW;
	f->value0 = f->elem_value0 = (uint32_t)s->nvalues;
	f->slot0 = f->elem_slot0 = (uint32_t)s->nslots;
	f->cls = SQL_SLOT_OTHER;
	f->floor = s->slot_floor;
	if (kind == F_ROW) {
		if (s->nslots > up->row_slots)		/* values between rows (an error) keep theirs */
			up->row_slots = up->elem_slot0 = (uint32_t)s->nslots;
		s->nslots = f->slot0 = f->elem_slot0 = up->elem_slot0;
		s->slot_floor = up->row_slots;
	}
	if (kind >= F_CAST)
		adopt_pending(s, f);
	if (kind == F_IN && s->tuple_end)
		adopt_tuple(s, f);
	s->tuple_end = NULL;
	if (s->want == W_VERB)
		s->verb_frame = f;
	else if (s->want == W_TABLE) {
		f->clause = CL_FROM;
		f->want = W_ALIAS;
	} else {
		if (kind == F_CAST && (s->want == W_OPTION || s->want == W_OBJECT || s->want == W_UNIT))
			f->want = (uint8_t)s->want;	/* a cast value does not end these, as a plain one does not */
		s->want = kind == F_COLUMNS ? W_COLUMN : W_NONE;
	}
	bool carry = s->pend_o == c->o && (kind == F_CAST || kind == F_GROUP);

	if (kind == F_COLUMNS)
		s->ncols = 0;
	put_open(c, bracket, s->kw_last);
	f->o = c->o - 1;
	f->elem_o = c->o;
	s->f = f;
	if (carry)
		s->pend_o = c->o;
}

void
frame_query(struct sql_scanner *s)
{
	struct frame *f = s->f;

	if (f->kind != F_TOP)
		f->kind = F_QUERY;
	f->all = false;
	if (s->scopes < SCOPES) {
		s->scope_up[s->scopes] = f == s->frames ? 0 : (f - 1)->scope;
		f->scope = (uint16_t)s->scopes++;
	}
}

/* ---- closing ---- */

/* Values in more places than there are columns have no slot. */
static void
drop_slots(struct sql_scanner *s, struct frame *f)
{
	s->nslots = f->slot0;
	for (size_t i = f->value0; i < s->nvalues; i++)
		if (s->values[i].slot >= f->slot0)
			s->values[i].slot = NO_SLOT;
}

/* One slot for all values of a row value, or of a row whose columns are not known. */
static void
collapse_slots(struct sql_scanner *s, struct frame *f)
{
	static const struct piece none;
	uint32_t slot;

	if (f->kind == F_ROW && s->row_cols) {
		drop_slots(s, f);
		return;
	}
	s->nslots = f->slot0;
	slot = slot_new(s, SQL_SLOT_OTHER, none, none);
	merge_slots(s, f->value0, (uint32_t)s->nslots, slot);
}

/* The list held nothing but values: it becomes (?). */
static void
collapse(struct sql_scanner *s, struct frame *f)
{
	struct cur *c = &s->cur;

	if (f->kind == F_IN)
		frame_list_slot(s, f);
	else if (f->kind == F_TUPLE)
		drop_slots(s, f);
	else
		collapse_slots(s, f);
	take_back(s, c, f->o);
	*c->o++ = f->bracket ? '[' : '(';
	*c->o++ = '?';
}

/* A row of VALUES that reads like the one before it goes. */
static void
close_row(struct sql_scanner *s, struct frame *up)
{
	struct cur *c = &s->cur;

	if (s->nslots > up->row_slots)
		up->row_slots = (uint32_t)s->nslots;
	s->nslots = up->row_slots;
	s->slot_floor = (up + 1)->floor;
	if (!up->row_o || s->over)
		return;
	if (up->prev_row_o && up->row_o - up->prev_row_end == 1 && up->prev_row_end - up->prev_row_o == c->o - up->row_o &&
	    memcmp(up->prev_row_o, up->row_o, (size_t)(c->o - up->row_o)) == 0)
		take_back(s, c, up->prev_row_end);
	else {
		up->prev_row_o = up->row_o;
		up->prev_row_end = c->o;
	}
}

/* What the parent's element has become through the closed frame. */
static unsigned
element_after(const struct frame *f, bool values)
{
	if (f->type && values)
		return f->saved;
	bool fresh = f->saved == E_EMPTY || (f->kind == F_NOW && f->saved != E_OTHER);

	return values && fresh && f->kind >= F_NOW ? E_VALUE : E_OTHER;
}

/* A list of values and other things proves nothing. */
static void
mixed_list(struct sql_scanner *s, const struct frame *f)
{
	for (uint32_t i = 0; i < (f->ncols ? f->ncols : 1u); i++)
		s->slots[f->slot + i].cls = SQL_SLOT_OTHER;
}

void
frame_close(struct sql_scanner *s, bool bracket)
{
	struct cur *c = &s->cur;
	struct frame *f = s->f, *up = f - 1;
	bool values = false, empty = c->prev == K_OPEN;

	if (s->deep || f == s->frames || f->bracket != bracket) {
		end_want(s);
		if (s->deep)
			s->deep--;
		*c->o++ = bracket ? ']' : ')';
		c->p++;
		c->prev = K_CLOSE;
		c->elem = E_OTHER;
		return;
	}
	if (f->kind >= F_NOW) {
		if (!empty)
			frame_element(s);
		values = f->all && (!empty || f->kind == F_NOW);
		if (values && f->kind >= F_GROUP)
			collapse(s, f);
		else if (f->kind == F_IN && f->slot != NO_SLOT)
			mixed_list(s, f);
		if (f->kind == F_GROUP && s->ntuple == f->index && s->ntuple > 1)
			s->tuple_end = c->o + 1;
	}
	c->elem = element_after(f, values);
	c->p++;
	if (f->kind == F_CAST && values && f->o <= s->o_limit) {	/* CAST(value AS type) is the value; in the margin there is no CAST before it */
		take_back(s, c, f->o - strlen("CAST "));
		*c->o++ = '?';
		c->prev = K_VALUE;
	} else {
		*c->o++ = bracket ? ']' : ')';
		c->prev = K_CLOSE;
	}
	s->f = up;
	s->want = f->kind == F_CAST && c->prev != K_VALUE ? W_NONE : f->want;
	if (f->want == W_ALIAS)
		s->open_table = -1;
	if (f->row)
		close_row(s, up);
}
