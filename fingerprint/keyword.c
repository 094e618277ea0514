/* SPDX-License-Identifier: Apache-2.0 */
/* keyword: see keyword.h. The list holds the words that steer the scanner, those a bare identifier can never be (so that a quoted one
 * keeps its quotes), and those a shape reads better with in capitals. PostgreSQL's popular column names (key, mode, name, type..)
 * stay names there. */
#include "keyword.h"

struct word {
	const char *text;
	uint8_t action, flags;
};

static const struct word words[] = {
	/* statements and clauses */
	{ "select", ACT_SELECT, KW_BOTH }, { "insert", ACT_WRITE, KW_BOTH }, { "update", ACT_UPDATE, KW_BOTH },
	{ "delete", ACT_WRITE, KW_BOTH }, { "merge", ACT_WRITE, KW_PG }, { "replace", ACT_WRITE, KW_MY }, { "with", ACT_WITH, KW_BOTH },
	{ "values", ACT_VALUES, KW_BOTH }, { "value", ACT_VALUE, KW_MY }, { "from", ACT_FROM, KW_BOTH }, { "join", ACT_JOIN, KW_BOTH },
	{ "straight_join", ACT_JOIN, KW_MY }, { "into", ACT_INTO, KW_BOTH }, { "table", ACT_TABLE, KW_BOTH },
	{ "using", ACT_USING, KW_BOTH }, { "set", ACT_SET, KW_BOTH }, { "where", ACT_WHERE, KW_BOTH }, { "having", ACT_WHERE, KW_BOTH },
	{ "on", ACT_ON, KW_BOTH }, { "group", ACT_CLAUSE, KW_BOTH }, { "order", ACT_CLAUSE, KW_BOTH }, { "union", ACT_CLAUSE, KW_BOTH },
	{ "intersect", ACT_CLAUSE, KW_BOTH }, { "except", ACT_CLAUSE, KW_BOTH }, { "window", ACT_CLAUSE, KW_BOTH },
	{ "returning", ACT_CLAUSE, KW_BOTH }, { "limit", ACT_LIMIT, KW_BOTH }, { "offset", ACT_LIMIT, KW_BOTH },
	{ "fetch", ACT_FETCH, KW_BOTH }, { "as", ACT_AS, KW_BOTH }, { "only", ACT_ONLY, KW_PG }, { "lateral", ACT_ONLY, KW_BOTH },
	{ "ignore", ACT_ONLY, KW_MY }, { "low_priority", ACT_ONLY, KW_MY }, { "high_priority", ACT_ONLY, KW_MY },
	{ "delayed", ACT_ONLY, KW_MY }, { "for", ACT_FOR, KW_BOTH }, { "key", ACT_KEY, KW_MY }, { "distinct", ACT_DISTINCT, KW_BOTH },
	/* operators in letters */
	{ "is", ACT_IS, KW_BOTH }, { "not", ACT_NOT, KW_BOTH }, { "null", ACT_NULL, KW_BOTH }, { "true", ACT_BOOL, KW_BOTH },
	{ "false", ACT_BOOL, KW_BOTH }, { "default", ACT_DEFAULT, KW_BOTH }, { "in", ACT_IN, KW_BOTH }, { "any", ACT_ANY, KW_PG },
	{ "some", ACT_ANY, KW_PG }, { "all", ACT_ANY, KW_BOTH }, { "array", ACT_ARRAY, KW_PG }, { "cast", ACT_CAST, KW_BOTH },
	{ "row", ACT_ROW, KW_BOTH }, { "between", ACT_BETWEEN, KW_BOTH }, { "and", ACT_AND, KW_BOTH }, { "or", ACT_NONE, KW_BOTH },
	{ "xor", ACT_NONE, KW_MY }, { "like", ACT_LIKE, KW_BOTH }, { "ilike", ACT_LIKE, KW_PG }, { "similar", ACT_LIKE, KW_PG },
	{ "rlike", ACT_LIKE, KW_MY }, { "regexp", ACT_LIKE, KW_MY }, { "to", ACT_TO, KW_BOTH }, { "escape", ACT_NONE, KW_PG },
	{ "interval", ACT_INTERVAL, KW_BOTH }, { "collate", ACT_NONE, KW_BOTH }, { "div", ACT_ARITH, KW_MY }, { "mod", ACT_ARITH, KW_MY },
	{ "binary", ACT_NONE, KW_MY }, { "case", ACT_CASE, KW_BOTH }, { "when", ACT_NONE, KW_BOTH }, { "then", ACT_NONE, KW_BOTH },
	{ "else", ACT_NONE, KW_BOTH }, { "end", ACT_END, KW_BOTH }, { "begin", ACT_BEGIN, KW_BOTH },
	/* values without quotes */
	{ "current_timestamp", ACT_NOW, KW_BOTH }, { "current_date", ACT_NOW, KW_BOTH }, { "current_time", ACT_NOW, KW_BOTH },
	{ "localtime", ACT_NOW, KW_BOTH }, { "localtimestamp", ACT_NOW, KW_BOTH }, { "utc_timestamp", ACT_NOW, KW_MY },
	{ "utc_date", ACT_NOW, KW_MY }, { "utc_time", ACT_NOW, KW_MY }, { "current_user", ACT_OPERAND, KW_BOTH },
	{ "session_user", ACT_OPERAND, KW_PG }, { "current_role", ACT_OPERAND, KW_PG }, { "current_catalog", ACT_OPERAND, KW_PG },
	{ "user", ACT_OPERAND, KW_PG }, { "current_schema", ACT_OPERAND, KW_PG },
	/* words of clauses */
	{ "by", ACT_NONE, KW_BOTH }, { "asc", ACT_NONE, KW_BOTH }, { "desc", ACT_NONE, KW_BOTH }, { "nulls", ACT_NONE, KW_PG },
	{ "left", ACT_LEFT, KW_BOTH }, { "right", ACT_LEFT, KW_BOTH }, { "inner", ACT_NONE, KW_BOTH }, { "outer", ACT_NONE, KW_BOTH }, { "cross", ACT_NONE, KW_BOTH }, { "natural", ACT_NONE, KW_BOTH },
	{ "full", ACT_NONE, KW_PG }, { "conflict", ACT_NONE, KW_PG }, { "nothing", ACT_NONE, KW_PG }, { "locked", ACT_NONE, KW_BOTH },
	{ "nowait", ACT_NONE, KW_BOTH }, { "recursive", ACT_NONE, KW_BOTH }, { "materialized", ACT_NONE, KW_PG },
	{ "over", ACT_NONE, KW_BOTH }, { "partition", ACT_NONE, KW_BOTH }, { "do", ACT_NONE, KW_PG }, { "overlaps", ACT_NONE, KW_PG },
	{ "isnull", ACT_OPERAND, KW_PG }, { "notnull", ACT_OPERAND, KW_PG }, { "check", ACT_NONE, KW_BOTH },
	{ "constraint", ACT_NONE, KW_BOTH }, { "primary", ACT_NONE, KW_BOTH }, { "foreign", ACT_NONE, KW_BOTH },
	{ "references", ACT_NONE, KW_BOTH }, { "unique", ACT_NONE, KW_BOTH }, { "create", ACT_NONE, KW_BOTH }, { "grant", ACT_NONE, KW_BOTH },
	{ "column", ACT_NONE, KW_BOTH }, { "both", ACT_NONE, KW_BOTH }, { "leading", ACT_NONE, KW_BOTH }, { "trailing", ACT_NONE, KW_BOTH },
	{ "placing", ACT_NONE, KW_PG }, { "symmetric", ACT_NONE, KW_PG }, { "asymmetric", ACT_NONE, KW_PG }, { "variadic", ACT_NONE, KW_PG },
	{ "initially", ACT_NONE, KW_PG }, { "deferrable", ACT_NONE, KW_PG }, { "analyze", ACT_NONE, KW_BOTH }, { "analyse", ACT_NONE, KW_PG },
	{ "tablesample", ACT_NONE, KW_PG }, { "concurrently", ACT_NONE, KW_PG }, { "freeze", ACT_NONE, KW_PG }, { "verbose", ACT_NONE, KW_PG },
	{ "index", ACT_NONE, KW_MY }, { "force", ACT_NONE, KW_MY }, { "use", ACT_NONE, KW_MY },
	{ "duplicate", ACT_NONE, KW_MY }, { "share", ACT_NONE, KW_MY }, { "lock", ACT_NONE, KW_MY }, { "distinctrow", ACT_DISTINCT, KW_MY },
	{ "drop", ACT_NONE, KW_MY }, { "alter", ACT_NONE, KW_MY }, { "add", ACT_NONE, KW_MY }, { "change", ACT_NONE, KW_MY },
	{ "rename", ACT_NONE, KW_MY }, { "keys", ACT_NONE, KW_MY }, { "separator", ACT_NONE, KW_MY }, { "outfile", ACT_NONE, KW_MY },
	{ "exists", ACT_NONE, KW_BOTH }, { "global", ACT_NONE, KW_MY },
	{ "terminated", ACT_NONE, KW_MY }, { "enclosed", ACT_NONE, KW_MY }, { "escaped", ACT_NONE, KW_MY }, { "lines", ACT_NONE, KW_MY },
	{ "starting", ACT_NONE, KW_MY }, { "optionally", ACT_NONE, KW_MY }, { "rollup", ACT_NONE, KW_MY },
	/* names a quoted identifier must not be confused with */
	{ "bigint", ACT_NONE, KW_BOTH | KW_NAME },
	{ "bit", ACT_NONE, KW_BOTH | KW_NAME }, { "boolean", ACT_NONE, KW_BOTH | KW_NAME }, { "char", ACT_NONE, KW_BOTH | KW_NAME },
	{ "character", ACT_NONE, KW_BOTH | KW_NAME }, { "coalesce", ACT_NONE, KW_BOTH | KW_NAME }, { "dec", ACT_NONE, KW_BOTH | KW_NAME },
	{ "decimal", ACT_NONE, KW_BOTH | KW_NAME }, { "extract", ACT_NONE, KW_BOTH | KW_NAME }, { "float", ACT_NONE, KW_BOTH | KW_NAME },
	{ "greatest", ACT_NONE, KW_BOTH | KW_NAME }, { "grouping", ACT_NONE, KW_BOTH | KW_NAME }, { "int", ACT_NONE, KW_BOTH | KW_NAME },
	{ "integer", ACT_NONE, KW_BOTH | KW_NAME }, { "least", ACT_NONE, KW_BOTH | KW_NAME }, { "national", ACT_NONE, KW_PG | KW_NAME },
	{ "nchar", ACT_NONE, KW_PG | KW_NAME }, { "none", ACT_NONE, KW_PG | KW_NAME }, { "normalize", ACT_NONE, KW_PG | KW_NAME },
	{ "nullif", ACT_NONE, KW_BOTH | KW_NAME }, { "numeric", ACT_NONE, KW_BOTH | KW_NAME }, { "out", ACT_NONE, KW_BOTH | KW_NAME },
	{ "inout", ACT_NONE, KW_BOTH | KW_NAME }, { "overlay", ACT_NONE, KW_PG | KW_NAME }, { "position", ACT_NONE, KW_BOTH | KW_NAME },
	{ "precision", ACT_NONE, KW_BOTH | KW_NAME }, { "real", ACT_NONE, KW_BOTH | KW_NAME }, { "setof", ACT_NONE, KW_PG | KW_NAME },
	{ "smallint", ACT_NONE, KW_BOTH | KW_NAME }, { "substring", ACT_NONE, KW_BOTH | KW_NAME }, { "time", ACT_NONE, KW_BOTH | KW_NAME },
	{ "timestamp", ACT_NONE, KW_BOTH | KW_NAME }, { "treat", ACT_NONE, KW_PG | KW_NAME }, { "trim", ACT_NONE, KW_BOTH | KW_NAME },
	{ "varchar", ACT_NONE, KW_BOTH | KW_NAME }, { "collation", ACT_NONE, KW_PG | KW_NAME }, { "xmlattributes", ACT_NONE, KW_PG | KW_NAME },
	{ "xmlconcat", ACT_NONE, KW_PG | KW_NAME }, { "xmlelement", ACT_NONE, KW_PG | KW_NAME }, { "xmlexists", ACT_NONE, KW_PG | KW_NAME },
	{ "xmlforest", ACT_NONE, KW_PG | KW_NAME }, { "xmlnamespaces", ACT_NONE, KW_PG | KW_NAME }, { "xmlparse", ACT_NONE, KW_PG | KW_NAME },
	{ "xmlpi", ACT_NONE, KW_PG | KW_NAME }, { "xmlroot", ACT_NONE, KW_PG | KW_NAME }, { "xmlserialize", ACT_NONE, KW_PG | KW_NAME },
	{ "xmltable", ACT_NONE, KW_PG | KW_NAME }, { "json_array", ACT_NONE, KW_PG | KW_NAME }, { "json_object", ACT_NONE, KW_PG | KW_NAME },
	{ "json_scalar", ACT_NONE, KW_PG | KW_NAME }, { "json_exists", ACT_NONE, KW_PG | KW_NAME }, { "json_query", ACT_NONE, KW_PG | KW_NAME },
	{ "json_value", ACT_NONE, KW_PG | KW_NAME }, { "json_table", ACT_NONE, KW_PG | KW_NAME }, { "json_arrayagg", ACT_NONE, KW_PG | KW_NAME },
	{ "json_objectagg", ACT_NONE, KW_PG | KW_NAME }, { "json_serialize", ACT_NONE, KW_PG | KW_NAME }, { "json", ACT_NONE, KW_PG | KW_NAME },
	{ "merge_action", ACT_NONE, KW_PG | KW_NAME }, { "system_user", ACT_NONE, KW_PG | KW_NAME }, { "if", ACT_NONE, KW_MY | KW_NAME },
	{ "database", ACT_NONE, KW_MY | KW_NAME }, { "schema", ACT_NONE, KW_MY | KW_NAME },
	{ "convert", ACT_NONE, KW_MY | KW_NAME }, { "rank", ACT_NONE, KW_MY | KW_NAME }, { "row_number", ACT_NONE, KW_MY | KW_NAME },
	{ "lag", ACT_NONE, KW_MY | KW_NAME }, { "lead", ACT_NONE, KW_MY | KW_NAME }, { "first_value", ACT_NONE, KW_MY | KW_NAME },
	{ "last_value", ACT_NONE, KW_MY | KW_NAME }, { "dense_rank", ACT_NONE, KW_MY | KW_NAME }, { "ntile", ACT_NONE, KW_MY | KW_NAME },
	{ "sysdate", ACT_NONE, KW_MY | KW_NAME }, { "repeat", ACT_NONE, KW_MY | KW_NAME },
};

static uint64_t
word_at(const char *s, size_t from, size_t n)
{
	uint64_t v = 0;

	for (size_t i = from; i < n && i < from + 8; i++)
		v |= (uint64_t)(uint8_t)s[i] << (8 * (i - from));
	return v;
}

void
keyword_table_init(struct keyword_table *t, bool mysql)
{
	unsigned n = 0;

	memset(t, 0, sizeof *t);
	t->dialect = mysql ? KW_MY : KW_PG;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		const struct word *w = &words[i];
		size_t len = strlen(w->text);

		if (!(w->flags & t->dialect))
			continue;
		struct keyword k = { word_at(w->text, 0, len), word_at(w->text, 8, len), (uint8_t)len, w->action, w->flags };
		unsigned h = keyword_hash(k.head, k.len);

		while (t->at[h])
			h = (h + 1) & ((1 << KEYWORD_BITS) - 1);
		t->list[n] = k;
		t->at[h] = (uint16_t)++n;
	}
}

const struct keyword *
keyword_find_long(const struct keyword_table *t, struct span word)
{
	static const char only[] = "current_timestamp";
	size_t n = sizeof only - 1;

	if (!span_is_nocase(word, only))
		return NULL;
	for (unsigned i = keyword_hash(word_at(only, 0, n), (unsigned)n);; i = (i + 1) & ((1 << KEYWORD_BITS) - 1))
		if (t->at[i] && t->list[t->at[i] - 1].len == n)
			return &t->list[t->at[i] - 1];
}
