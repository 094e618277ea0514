/* SPDX-License-Identifier: Apache-2.0 */
/* verb: the first word of a statement, and the class of the whole. Does: decide what the words behind it are (names, options, settings).
 * Never: knows more of a class than the shape shows, so that equal shapes have equal classes. */
#include "clause.h"

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
	{ "truncate", SQL_V_TRUNCATE, W_TABLE, CL_FROM }, { "grant", SQL_V_GRANT, W_NONE, CL_OTHER }, { "revoke", SQL_V_GRANT, W_NONE, CL_OTHER },
	{ "comment", SQL_V_ALTER, W_NONE, CL_OTHER }, { "reindex", SQL_V_ALTER, W_OBJECT, CL_OTHER }, { "refresh", SQL_V_ALTER, W_OBJECT, CL_OTHER },
	{ "rename", SQL_V_ALTER, W_OBJECT, CL_OTHER }, { "cluster", SQL_V_ALTER, W_NONE, CL_OTHER },
	{ "security", SQL_V_ALTER, W_OPTION, CL_OTHER }, { "import", SQL_V_ALTER, W_OPTION, CL_OTHER },
	{ "vacuum", SQL_V_OTHER, W_NONE, CL_OTHER }, { "analyze", SQL_V_OTHER, W_NONE, CL_OTHER }, { "analyse", SQL_V_OTHER, W_NONE, CL_OTHER },
	{ "checkpoint", SQL_V_OTHER, W_NONE, CL_OTHER }, { "notify", SQL_V_OTHER, W_NONE, CL_OTHER }, { "flush", SQL_V_OTHER, W_OPTION, CL_OTHER },
	{ "kill", SQL_V_OTHER, W_OPTION, CL_OTHER }, { "optimize", SQL_V_OTHER, W_OBJECT, CL_OTHER }, { "repair", SQL_V_OTHER, W_OBJECT, CL_OTHER },
	{ "handler", SQL_V_OTHER, W_NONE, CL_OTHER }, { "help", SQL_V_SHOW, W_NONE, CL_OTHER },
};

bool
is_write(unsigned verb)
{
	return verb == SQL_V_INSERT || verb == SQL_V_UPDATE || verb == SQL_V_DELETE || verb == SQL_V_MERGE || verb == SQL_V_REPLACE;
}

void
set_verb(struct sql_scanner *s, unsigned verb)
{
	s->f->verb = (uint8_t)verb;
	s->fold |= !s->verb_set && (verb == SQL_V_SELECT || verb == SQL_V_VALUES || is_write(verb));
	if (s->f == s->verb_frame && !s->verb_set) {
		s->verb = verb;
		s->verb_set = true;
	}
	if (is_write(verb))
		s->target = -1;
}

void
no_verb(struct sql_scanner *s)
{
	s->want = W_NONE;
	s->verb_set = s->unknown = true;
	s->f->clause = CL_OTHER;
}

bool
verb_start(struct sql_scanner *s, uint8_t *o)
{
	struct cur *c = &s->cur;
	struct span w = span_of(o, (size_t)(c->o - o));
	const struct verb *v = verbs, *end = verbs + sizeof verbs / sizeof *verbs;

	s->want = W_NONE;
	while (v < end && !span_is_nocase(w, v->word))
		v++;
	if (v == end || (v->verb == SQL_V_REPLACE && !s->my)) {
		no_verb(s);
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
	s->fold = v->verb == SQL_V_SELECT;	/* TABLE t */
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
	return true;
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
	for (size_t i = 0; i < s->ntables; i++)
		if (s->tables[i].write)		/* SELECT INTO, WITH .. AS (DELETE ..) */
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
		return SQL_READ;
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
