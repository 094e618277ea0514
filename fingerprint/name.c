/* SPDX-License-Identifier: Apache-2.0 */
/* name: names that are more than names: tables, aliases, columns of an INSERT, savepoints and cursors, settings and their values.
 * Does: act on one name while the scanner wants something of it (enum want). Never: sees names in expressions. */
#include "clause.h"

/* The word just written, with its blank, goes; the pen is as it was before it. */
static void
drop_name(struct sql_scanner *s)
{
	take_back_word(s, s->shape + s->path_at, s->path_prev, s->old_elem);
}

static bool
behind(const struct sql_scanner *s, const char *word, size_t n)
{
	return (size_t)(s->cur.o - s->shape) >= n && memcmp(s->cur.o - n, word, n) == 0;
}

/* The mark that stands for a savepoint's, cursor's or prepared statement's name. */
static void
put_generated(struct sql_scanner *s, struct span name)
{
	struct cur *c = &s->cur;

	if ((s->verb == SQL_V_RELEASE && behind(s, "RELEASE", 7)) || (s->verb == SQL_V_ROLLBACK_TO && behind(s, "TO", 2))) {
		memcpy(c->o, " SAVEPOINT", 10);
		c->o += 10;
	}
	unsigned prev = c->prev;

	put_blank(c);
	*c->o++ = '?';
	c->prev = K_VALUE;
	s->stmt_name = name;
	if (prev >= K_NAME && !s->my) {
		c->prev = K_OP;		/* see put_value */
		clause_operator(s, SQL_SLOT_OTHER, prev);
		return;
	}
	if (s->verb != SQL_V_FETCH && s->verb != SQL_V_MOVE)		/* FETCH n FROM name: whichever comes */
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
	if (s->path_prev == K_DOT) {
		s->want = W_NONE;
		return;
	}
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

	if (s->path_n > 1 && s->path_prev == K_KEYWORD) {
		uint8_t *o = s->shape + s->path_at;

		o += *o == ' ';
		s->stmt_name = span_of(o, (size_t)(c->o - o));
		return;
	}
	if (s->path_n > 1 || (s->path_prev != K_KEYWORD && s->path_prev != K_COMMA))
		return;
	if (one_of(w, scopes) && next != '=' && next != ':' && next != ';' && next != 0) {
		to_keyword(s);
	} else if (s->verb == SQL_V_SET && (span_is_nocase(w, "transaction") || span_is_nocase(w, "characteristics"))) {
		s->control = s->name.at == 4;	/* SET TRANSACTION, not SET SESSION TRANSACTION */
		to_keyword(s);
		s->want = W_OPTION;
		s->f->clause = CL_OTHER;
	} else {
		if (!s->stmt_name.p)
			s->stmt_name = span_is_nocase(w, "zone") ? SPAN_LIT("timezone") : w;
		if (s->verb == SQL_V_SET && one_of(w, direct) && next != '=') {
			to_keyword(s);
			s->want = W_SETVALUE;
		}
	}
}

void
setting_done(struct sql_scanner *s)
{
	if (s->nsettings <= LIMIT_SETTINGS)
		s->settings[s->nsettings++] = (struct sql_setting){ s->stmt_name, s->stmt_value };
	s->stmt_name = s->stmt_value = (struct span){ NULL, 0 };
}

/* SET x = word: a bare word is a string. A function call or variable stays. */
static void
setting_value(struct sql_scanner *s)
{
	const uint8_t *from = s->name_p, *to = s->cur.p;
	uint8_t next = next_byte(s);

	s->want = W_NONE;
	if (s->path_n > 1 || next == '(' || scan_dot_follows(s, to) || *from == '@') {
		if (!s->stmt_value.p)
			s->stmt_value = span_of(to, 0);		/* an expression: no value is known */
		return;
	}
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
	if (s->verb == SQL_V_DROP && span_is_nocase(w, "prepare")) {
		s->verb = SQL_V_DEALLOCATE;
		s->want = W_NAME;
		to_keyword(s);
		return;
	}
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
	unsigned verb = s->f->verb;
	bool ddl = verb == SQL_V_CREATE || verb == SQL_V_ALTER || verb == SQL_V_DROP || verb == SQL_V_TRUNCATE;

	if ((ddl && span_is_nocase(w, "if")) || (verb == SQL_V_LOCK && span_is_nocase(w, "tables"))) {
		to_keyword(s);
		return;
	}
	if (w.n && w.p[0] == '@') {		/* MySQL: SELECT .. INTO @variable */
		s->want = W_NONE;
		return;
	}
	if (verb == SQL_V_SELECT && s->write_next && one_of(w, temporary) && lex_is_ident(next_byte(s)))
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
		if (s->path_prev > K_OPEN || s->path_n > 1)
			no_verb(s);	/* something else came first */
		else if (verb_start(s, s->shape + s->name.at))
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
		if (s->path_prev == K_VALUE && s->shape + s->path_at == s->rev_o) {
			capitals(s->shape + s->name.at, c->o);
			c->elem = s->old_elem;
			c->prev = K_OPERAND;
		}
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
	case W_VERB:
		no_verb(s);
		return true;
	case W_REVERSE:
	case W_TABLE:
	case W_ALIAS:
	case W_CTE:
		s->want = W_NONE;
		return true;
	case W_NONE:
	case W_COLUMN:
	case W_UNIT:
	case W_OPTION:
	case W_OBJECT:
		break;
	}
	return true;
}
