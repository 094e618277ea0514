/* SPDX-License-Identifier: Apache-2.0 */
/* summary: the printed names of classes and verbs, and the one-line summary of a statement. */
#include "sql.h"

const char *
sql_class_name(enum sql_class c)
{
	static const char *const names[] = { "empty", "read", "write", "control", "set-up", "ddl", "other" };

	return (size_t)c < sizeof names / sizeof *names ? names[c] : "other";
}

const char *
sql_verb_name(enum sql_verb v)
{
	static const char *const names[] = {
		[SQL_V_OTHER] = "OTHER", [SQL_V_SELECT] = "SELECT", [SQL_V_INSERT] = "INSERT", [SQL_V_UPDATE] = "UPDATE",
		[SQL_V_DELETE] = "DELETE", [SQL_V_MERGE] = "MERGE", [SQL_V_REPLACE] = "REPLACE", [SQL_V_VALUES] = "VALUES",
		[SQL_V_BEGIN] = "BEGIN", [SQL_V_COMMIT] = "COMMIT", [SQL_V_ROLLBACK] = "ROLLBACK", [SQL_V_SAVEPOINT] = "SAVEPOINT",
		[SQL_V_RELEASE] = "RELEASE", [SQL_V_ROLLBACK_TO] = "ROLLBACK TO", [SQL_V_SET] = "SET", [SQL_V_RESET] = "RESET",
		[SQL_V_DISCARD] = "DISCARD", [SQL_V_SHOW] = "SHOW", [SQL_V_USE] = "USE", [SQL_V_PREPARE] = "PREPARE",
		[SQL_V_EXECUTE] = "EXECUTE", [SQL_V_DEALLOCATE] = "DEALLOCATE", [SQL_V_DECLARE] = "DECLARE", [SQL_V_FETCH] = "FETCH",
		[SQL_V_MOVE] = "MOVE", [SQL_V_CLOSE] = "CLOSE", [SQL_V_COPY] = "COPY", [SQL_V_CALL] = "CALL", [SQL_V_DO] = "DO",
		[SQL_V_EXPLAIN] = "EXPLAIN", [SQL_V_LISTEN] = "LISTEN", [SQL_V_LOAD] = "LOAD", [SQL_V_LOCK] = "LOCK",
		[SQL_V_CREATE] = "CREATE", [SQL_V_ALTER] = "ALTER", [SQL_V_DROP] = "DROP", [SQL_V_TRUNCATE] = "TRUNCATE",
		[SQL_V_GRANT] = "GRANT",
	};

	return (size_t)v < sizeof names / sizeof *names ? names[v] : "OTHER";
}

static size_t
put(char *buf, size_t at, size_t cap, struct span s)
{
	s = span_first(s, cap - 1 - at);
	if (s.n)
		memcpy(buf + at, s.p, s.n);
	buf[at + s.n] = '\0';
	return at + s.n;
}

static struct span
first_word(struct span shape)
{
	const uint8_t *blank = memchr(shape.p, ' ', shape.n);

	return blank ? span_first(shape, (size_t)(blank - shape.p)) : shape;
}

void
sql_summary(const struct sql_stmt *st, char *buf, size_t cap)
{
	size_t n;

	if (!cap)
		return;
	if (st->cls == SQL_EMPTY) {
		put(buf, 0, cap, SPAN_LIT("(empty)"));
		return;
	}
	n = put(buf, 0, cap, st->verb == SQL_V_OTHER ? first_word(st->shape) : span_str(sql_verb_name(st->verb)));
	if (st->ntables) {
		n = put(buf, n, cap, SPAN_LIT(" "));
		put(buf, n, cap, st->tables[0].name);
	}
}
