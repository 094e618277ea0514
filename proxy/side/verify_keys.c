/* SPDX-License-Identifier: Apache-2.0 */
/* verify_keys: what the server itself says of a look-up's columns and keys: whether they are unique, and what a key looks like as a value of
 * its column, so that text can be compared with text. */
#include "verify_part.h"

#include <stdio.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "step.h"

/* A name as written, without its quotes; unquoted names fold in PostgreSQL. */
static const char *
plain_name(struct bench *b, struct span name)
{
	bool quoted = name.n >= 2 && (name.p[0] == '"' || name.p[0] == '`');
	char *out = arena_strndup(b->a, quoted ? span_of(name.p + 1, name.n - 2) : name);
	char quote = quoted ? (char)name.p[0] : '\0';
	size_t n = 0;

	for (size_t i = 0; out[i]; i++) {
		if (quote && out[i] == quote && out[i + 1] == quote)
			i++;
		out[n++] = !quoted && b->job->target.engine == ENGINE_POSTGRESQL && out[i] >= 'A' && out[i] <= 'Z' ? (char)(out[i] + 'a' - 'A') : out[i];
	}
	out[n] = '\0';
	return out;
}

static void
put_quoted(struct strbuf *out, const char *s, char quote)
{
	strbuf_char(out, quote);
	for (; *s; s++) {
		if (*s == quote || *s == '\\')
			strbuf_char(out, *s == quote && quote == '\'' ? quote : '\\');
		strbuf_char(out, *s);
	}
	strbuf_char(out, quote);
}

/* The columns that are compared with values, as a list: {"a","b"} or 'a','b'. */
static const char *
compared_columns(struct bench *b, bool array)
{
	const struct look_up *l = &b->r->rewrite.look_up;
	struct strbuf out;
	const char *text;

	strbuf_init(&out, LIMIT_NAME * LOOK_UP_CONDITIONS);
	for (uint32_t i = 0; i < l->nconditions; i++) {
		if (!l->conditions[i].equal)
			continue;
		if (out.n)
			strbuf_char(&out, ',');
		put_quoted(&out, plain_name(b, l->conditions[i].name), array ? '"' : '\'');
	}
	text = arena_printf(b->a, array ? "{%s}" : "%s", strbuf_cstr(&out));
	strbuf_clear(&out);
	return text;
}

bool
verify_unique(struct bench *b)
{
	static const char pg[] = "SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = pg_catalog.to_regclass($1) AND i.indisunique AND i.indisvalid"
				 " AND i.indpred IS NULL AND i.indexprs IS NULL AND (SELECT pg_catalog.array_agg(a.attname::text) FROM"
				 " pg_catalog.unnest(i.indkey[0:i.indnkeyatts - 1]) k JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND"
				 " a.attnum = k) <@ $2::text[] LIMIT 1";
	const struct look_up *l = &b->r->rewrite.look_up;
	const uint8_t *dot = memrchr(l->table.p, '.', l->table.n);
	struct span last = dot ? span_from(l->table, (size_t)(dot + 1 - l->table.p)) : l->table;
	struct fix_value values[2] = { { arena_strndup(b->a, l->table), 25 }, { NULL, 0 } };
	struct side_problem p;
	struct side_rows rows;
	char sql[4096];
	bool found;

	if (b->job->target.engine == ENGINE_POSTGRESQL) {
		values[1].text = compared_columns(b, true);
		if (!step_query(b->s, pg, values, 2, &rows, &p))
			return false;
	} else {
		struct fix_value names[2] = { { plain_name(b, last), 0 }, { dot ? plain_name(b, span_first(l->table, (size_t)(dot - l->table.p))) : NULL, 0 } };

		snprintf(sql, sizeof sql,
		    "SELECT index_name FROM information_schema.statistics WHERE table_name = ? AND table_schema = COALESCE(?, DATABASE()) AND"
		    " non_unique = 0 GROUP BY index_name HAVING SUM(column_name NOT IN (%s)) = 0 LIMIT 1",
		    compared_columns(b, false));
		if (!step_query(b->s, sql, names, 2, &rows, &p))
			return false;
	}
	found = rows.n > 0;
	side_rows_clear(&rows);
	return found;
}

static bool
is_numeric(const struct bench *b, uint32_t type)
{
	/* enum enum_field_types: DECIMAL, TINY, SHORT, LONG, FLOAT, DOUBLE, LONGLONG, INT24, NEWDECIMAL */
	return b->job->target.engine == ENGINE_MYSQL && (type <= 5 || type == 8 || type == 9 || type == 246);
}

static const char *
type_name(struct bench *b, const struct side_column *c)
{
	struct fix_value values[2] = { { arena_printf(b->a, "%u", c->type), 0 }, { arena_printf(b->a, "%d", c->modifier), 0 } };
	const char *name = NULL;
	struct side_problem p;
	struct side_rows rows;

	if (!step_query(b->s, "SELECT pg_catalog.format_type($1::oid, $2::int)", values, 2, &rows, &p))
		return NULL;
	if (side_cell(&rows, 0, 0).p)
		name = arena_strndup(b->a, span_str(side_cell(&rows, 0, 0).p));
	side_rows_clear(&rows);
	return name;
}

bool
verify_ask_keys(struct bench *b, const struct side_column *columns, struct side_rows *rows)
{
	const struct rewrite *w = &b->r->rewrite;
	bool pg = b->job->target.engine == ENGINE_POSTGRESQL, ok;
	const char *types[REWRITE_KEY_COLUMNS] = { NULL };
	struct fix_value *params = xmem_zero(REWRITE_KEYS * REWRITE_KEY_COLUMNS * sizeof *params);
	struct side_problem p;
	struct strbuf sql;
	uint32_t n = 0;

	for (uint32_t c = 0; pg && c < w->ncolumns; c++)
		if (!(types[c] = type_name(b, &columns[c]))) {
			mem_free(params);
			return false;
		}
	strbuf_init(&sql, LIMIT_SIDE_TEXT);
	strbuf_str(&sql, "SELECT ");
	for (uint32_t k = 0; k < w->nkeys; k++)
		for (uint32_t c = 0; c < w->ncolumns; c++) {
			const char *literal = w->keys[k].literal[c];

			strbuf_str(&sql, k || c ? ", " : "");
			strbuf_str(&sql, pg ? "CAST(" : "");
			if (!literal) {
				params[n++] = w->keys[k].bound[c];
				params[n - 1].type = pg ? 25 : params[n - 1].type;	/* text */
				if (pg)
					strbuf_printf(&sql, "$%u", n);
				else
					strbuf_char(&sql, '?');
			} else {
				strbuf_str(&sql, literal);
			}
			if (pg)
				strbuf_printf(&sql, " AS %s)", types[c]);
			else
				strbuf_printf(&sql, " AS k%u_%u", k, c);
		}
	ok = !sql.cut && step_query(b->s, strbuf_cstr(&sql), params, n, rows, &p);
	strbuf_clear(&sql);
	mem_free(params);
	return ok;
}

struct span
verify_key(struct bench *b, const struct side_rows *rows, uint32_t row, uint32_t from, const struct side_column *columns)
{
	struct strbuf out;
	struct span s;

	strbuf_init(&out, LIMIT_SIDE_TEXT);
	for (uint32_t c = 0; c < b->r->rewrite.ncolumns; c++) {
		struct side_cell cell = side_cell(rows, row, from + c);
		char *text = arena_strndup(&b->bytes, span_of(cell.p ? cell.p : "", cell.p ? cell.n : 0));
		size_t n = cell.p ? cell.n : 0;

		if (is_numeric(b, columns[c].type))
			n = sql_canon_text(text, n);
		strbuf_char(&out, cell.p ? 'v' : 'n');
		strbuf_add(&out, span_of(&n, sizeof n));
		strbuf_add(&out, span_of(text, n));
	}
	s = span_of(arena_strndup(&b->bytes, strbuf_span(&out)), out.n);
	strbuf_clear(&out);
	return s;
}
