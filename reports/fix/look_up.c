/* SPDX-License-Identifier: Apache-2.0 */
/* look_up: see look_up.h. */
#include "look_up.h"

struct reading {
	struct look_up *l;
	bool my;
	const char *why;	/* the first thing in the way */
};

static const struct token *
at(const struct reading *r, uint32_t i)
{
	return &r->l->t[i < r->l->n ? i : r->l->n];
}

static void
refuse(struct reading *r, const char *why)
{
	if (!r->why)
		r->why = why;
}

static bool
one_of(const struct token *t, const char *const *words)
{
	for (; *words; words++)
		if (token_is(t, *words))
			return true;
	return false;
}

static bool
is_name(const struct token *t)
{
	return t->kind == TOKEN_WORD || t->kind == TOKEN_NAME;
}

/* ---- what may stand in a part that is taken over as it is ---- */

static const char *
function_in_the_way(const struct token *t)
{
	static const char *const aggregates[] = { "count", "sum", "avg", "min", "max", "array_agg", "string_agg", "group_concat", "json_agg",
		"jsonb_agg", "json_object_agg", "jsonb_object_agg", "json_arrayagg", "json_objectagg", "bool_and", "bool_or", "every", "bit_and",
		"bit_or", "bit_xor", "stddev", "variance", "var_pop", "var_samp", "stddev_pop", "stddev_samp", "xmlagg", NULL };
	/* Of their arguments only, in both engines. */
	static const char *const plain[] = { "lower", "upper", "coalesce", "nullif", "ifnull", "if", "abs", "length", "char_length",
		"character_length", "octet_length", "trim", "ltrim", "rtrim", "btrim", "substr", "substring", "replace", "concat", "concat_ws", "left",
		"right", "round", "floor", "ceil", "ceiling", "mod", "greatest", "least", "cast", "convert", "extract", "date", "year", "month", "day",
		"reverse", "md5", "json_extract", "json_unquote", "jsonb_extract_path_text", "json_extract_path_text", NULL };
	/* Words before a parenthesis that call nothing. */
	static const char *const words[] = { "in", "and", "or", "not", "when", "then", "else", "case", "between", "like", "ilike", "is", "any", "all",
		"some", "as", "by", "distinct", "where", "on", "varchar", "varying", "char", "character", "numeric", "decimal", "bit", "array", NULL };

	if (one_of(t, aggregates))
		return "it aggregates the rows of each look-up: group by the key instead (GROUP BY)";
	if (one_of(t, words) || one_of(t, plain))
		return NULL;
	return "it calls a function that may answer differently each time";
}

static void
check_token(struct reading *r, uint32_t i)
{
	static const char *const changing[] = { "current_timestamp", "current_date", "current_time", "localtime", "localtimestamp", "utc_timestamp",
		"utc_date", "utc_time", "sysdate", NULL };
	static const char *const queries[] = { "select", "exists", "with", "values", "table", NULL };
	const struct token *t = at(r, i), *next = at(r, i + 1);

	if (t->kind == TOKEN_WORD && one_of(t, queries))
		refuse(r, "it has a query inside");
	else if (t->kind == TOKEN_WORD && (token_is(t, "over") || token_is(t, "filter") || token_is(t, "within")) && next->kind == TOKEN_OPEN)
		refuse(r, "it has a window function");
	else if (t->kind == TOKEN_WORD && one_of(t, changing) && at(r, i + 1)->kind != TOKEN_DOT && (i == 0 || at(r, i - 1)->kind != TOKEN_DOT))
		refuse(r, "it depends on the time");
	else if (is_name(t) && next->kind == TOKEN_OPEN) {
		bool qualified = i > 0 && at(r, i - 1)->kind == TOKEN_DOT, type = i > 0 && at(r, i - 1)->kind == TOKEN_CAST;
		const char *why = type ? NULL : qualified || t->kind == TOKEN_NAME ? "it calls a function that may answer differently each time" :
										   function_in_the_way(t);

		if (why)
			refuse(r, why);
	}
}

static void
check_range(struct reading *r, struct range range)
{
	for (uint32_t i = range.from; i < range.to; i++)
		check_token(r, i);
}

/* ---- conditions ---- */

/* The end of a column's path at i, i itself when there is none; *name: its last part. */
static uint32_t
path(const struct reading *r, uint32_t i, uint32_t to, struct span *name)
{
	uint32_t from = i;

	if (i >= to || !is_name(at(r, i)))
		return from;
	*name = at(r, i++)->text;
	while (i + 1 < to && at(r, i)->kind == TOKEN_DOT && is_name(at(r, i + 1))) {
		*name = at(r, i + 1)->text;
		i += 2;
	}
	return i;
}

static bool
is_value_word(const struct token *t)
{
	static const char *const words[] = { "null", "true", "false", NULL };

	return one_of(t, words);
}

/* Nothing, or PostgreSQL's ::type. */
static bool
take_cast(const struct reading *r, uint32_t i, uint32_t to, struct range *cast)
{
	*cast = (struct range){ i, i };
	if (i == to)
		return true;
	if (r->my || at(r, i)->kind != TOKEN_CAST || i + 1 == to)
		return false;
	*cast = (struct range){ i + 1, to };
	for (i++; i < to; i++) {
		const struct token *t = at(r, i);

		if (!is_name(t) && t->kind != TOKEN_DOT && t->kind != TOKEN_OPEN && t->kind != TOKEN_CLOSE && t->kind != TOKEN_NUMBER &&
		    t->kind != TOKEN_COMMA)
			return false;
	}
	return true;
}

/* A literal or parameter that fills the range, but for a cast behind it. */
static bool
is_value(const struct reading *r, struct range range, struct range *value, struct range *cast)
{
	uint32_t i = range.from;
	const struct token *t;

	while (range.to - range.from >= 2 && at(r, range.from)->kind == TOKEN_OPEN && at(r, range.from)->match == range.to - 1)
		i = ++range.from, range.to--;
	/* ($1)::uuid */
	if (i < range.to && at(r, i)->kind == TOKEN_OPEN) {
		uint32_t close = at(r, i)->match;

		if (!is_value(r, (struct range){ i + 1, close }, value, cast) || !range_empty(*cast))
			return false;
		return take_cast(r, close + 1, range.to, cast);
	}
	t = at(r, i);
	if (i >= range.to || !(t->kind == TOKEN_STRING || t->kind == TOKEN_NUMBER || t->kind == TOKEN_PARAM || is_value_word(t)))
		return false;
	*value = (struct range){ range.from, ++i };
	return take_cast(r, i, range.to, cast);
}

static bool
is_column(const struct reading *r, struct range range, struct span *name)
{
	return range.from < range.to && path(r, range.from, range.to, name) == range.to && !is_value_word(at(r, range.from));
}

/* The one `=` at the top level of the range; UINT32_MAX: none, or several operators. */
static uint32_t
equals_sign(const struct reading *r, struct range range)
{
	uint32_t found = UINT32_MAX;

	for (uint32_t i = range.from; i < range.to; i++) {
		if (at(r, i)->kind == TOKEN_OPEN) {
			i = at(r, i)->match;
		} else if (token_op(at(r, i), "=")) {
			if (found != UINT32_MAX)
				return UINT32_MAX;
			found = i;
		}
	}
	return found;
}

static void
add_condition(struct reading *r, struct range range)
{
	uint32_t sign = equals_sign(r, range);
	struct condition *c;

	if (r->l->nconditions == LOOK_UP_CONDITIONS) {
		refuse(r, "it has too many conditions");
		return;
	}
	c = &r->l->conditions[r->l->nconditions++];
	*c = (struct condition){ .all = range };
	check_range(r, range);
	if (sign == UINT32_MAX)
		return;
	for (int way = 0; way < 2 && !c->equal; way++) {
		struct range left = { range.from, sign }, right = { sign + 1, range.to };

		c->column = way ? right : left;
		c->equal = is_column(r, c->column, &c->name) && is_value(r, way ? left : right, &c->value, &c->cast);
	}
}

/* Anything that binds looser than AND, or in another way. */
static bool
joined_otherwise(const struct reading *r, struct range range)
{
	for (uint32_t i = range.from; i < range.to; i++) {
		const struct token *t = at(r, i);

		if (t->kind == TOKEN_OPEN)
			i = t->match;
		else if (token_is(t, "or") || token_is(t, "xor") || token_op(t, "||") || token_op(t, "&&") || token_is(t, "case"))
			return true;
	}
	return false;
}

static void
read_conditions(struct reading *r, struct range range)
{
	uint32_t from;
	bool between = false;

	while (range.to - range.from >= 2 && at(r, range.from)->kind == TOKEN_OPEN && at(r, range.from)->match == range.to - 1)
		range.from++, range.to--;
	if (range.from >= range.to) {
		refuse(r, "it is not understood");
		return;
	}
	if (joined_otherwise(r, range)) {
		add_condition(r, range);
		return;
	}
	from = range.from;
	for (uint32_t i = range.from; i <= range.to; i++) {
		const struct token *t = at(r, i);

		if (i < range.to && t->kind == TOKEN_OPEN) {
			i = t->match;
		} else if (i < range.to && token_is(t, "between")) {
			between = true;
		} else if (i == range.to || token_is(t, "and")) {
			if (between && i < range.to) {
				between = false;
				continue;
			}
			/* A part in parentheses may hold further ANDs. */
			if (from < i && at(r, from)->kind == TOKEN_OPEN && at(r, from)->match == i - 1)
				read_conditions(r, (struct range){ from, i });
			else if (from < i)
				add_condition(r, (struct range){ from, i });
			else
				refuse(r, "it is not understood");
			from = i + 1;
		}
	}
}

/* ---- clauses ---- */

/* The first of the words at the top level from i on, or the end. */
static uint32_t
find_word(const struct reading *r, uint32_t i, const char *const *words)
{
	for (; i < r->l->n; i++) {
		if (at(r, i)->kind == TOKEN_OPEN)
			i = at(r, i)->match;
		else if (one_of(at(r, i), words))
			return i;
	}
	return r->l->n;
}

static const char *const clauses[] = { "from", "where", "group", "having", "window", "union", "intersect", "except", "order", "limit", "offset", "fetch",
	"for", "lock", "into", "procedure", NULL };

static uint32_t
read_list(struct reading *r)
{
	static const char *const modifiers[] = { "distinct", "all", "distinctrow", "sql_calc_found_rows", "straight_join", "high_priority",
		"sql_no_cache", "sql_cache", "sql_small_result", "sql_big_result", "sql_buffer_result", NULL };
	uint32_t end = find_word(r, 1, clauses);

	r->l->list = (struct range){ 1, end };
	if (end == 1)
		refuse(r, "it is not understood");
	if (one_of(at(r, 1), modifiers))
		refuse(r, "it is a SELECT DISTINCT or has a modifier behind SELECT");
	check_range(r, r->l->list);
	if (!token_is(at(r, end), "from"))
		refuse(r, "it reads no table, or stores its rows");
	return end;
}

static uint32_t
read_table(struct reading *r, uint32_t i)
{
	static const char *const joins[] = { "join", "inner", "left", "right", "full", "cross", "natural", "straight_join", NULL };
	static const char *const not_alias[] = { "use", "force", "ignore", "partition", "tablesample", "only", "lateral", NULL };
	struct span name;
	uint32_t from = i + 1, end = path(r, from, r->l->n, &name);

	if (at(r, from)->kind == TOKEN_OPEN)
		refuse(r, "it reads from a query or joins tables");
	if (end == from || one_of(at(r, from), not_alias))
		refuse(r, "it reads from something else than one table");
	if (at(r, end)->kind == TOKEN_OPEN)
		refuse(r, "it reads from a function");
	if (end > from)
		r->l->table = span_of(at(r, from)->text.p, (size_t)(at(r, end - 1)->text.p + at(r, end - 1)->text.n - at(r, from)->text.p));
	i = end;
	if (token_is(at(r, i), "as") && is_name(at(r, i + 1)))
		i += 2;
	else if (is_name(at(r, i)) && !one_of(at(r, i), clauses) && !one_of(at(r, i), joins) && !one_of(at(r, i), not_alias))
		i++;
	r->l->from = (struct range){ from, i };
	if (at(r, i)->kind == TOKEN_COMMA || one_of(at(r, i), joins))
		refuse(r, "it joins tables");
	return i;
}

static bool
is_count(const struct token *t)
{
	return t->kind == TOKEN_NUMBER || t->kind == TOKEN_PARAM;
}

/* LIMIT n [OFFSET m], LIMIT m, n, OFFSET m, FETCH FIRST n ROWS ONLY. */
static uint32_t
read_limit(struct reading *r, uint32_t i)
{
	struct look_up *l = r->l;

	if (token_is(at(r, i), "limit") && is_count(at(r, i + 1))) {
		l->limit = (struct range){ i + 1, i + 2 };
		if (at(r, i + 2)->kind != TOKEN_COMMA)
			return i + 2;
		l->offset = l->limit;
		l->limit = (struct range){ i + 3, i + 4 };
		return is_count(at(r, i + 3)) ? i + 4 : i;
	}
	if (token_is(at(r, i), "offset") && is_count(at(r, i + 1))) {
		l->offset = (struct range){ i + 1, i + 2 };
		i += 2;
		return token_is(at(r, i), "rows") || token_is(at(r, i), "row") ? i + 1 : i;
	}
	if (token_is(at(r, i), "fetch") && (token_is(at(r, i + 1), "first") || token_is(at(r, i + 1), "next")) && is_count(at(r, i + 2)) &&
	    (token_is(at(r, i + 3), "rows") || token_is(at(r, i + 3), "row")) && token_is(at(r, i + 4), "only")) {
		l->limit = (struct range){ i + 2, i + 3 };
		return i + 5;
	}
	return i;
}

static void
read_rest(struct reading *r, uint32_t i)
{
	uint32_t end;

	if (token_is(at(r, i), "order") && token_is(at(r, i + 1), "by")) {
		end = find_word(r, i + 2, clauses);
		r->l->order = (struct range){ i + 2, end };
		check_range(r, r->l->order);
		i = end;
	}
	while ((end = read_limit(r, i)) > i)
		i = end;
	if (token_is(at(r, i), "for") || token_is(at(r, i), "lock"))
		refuse(r, "it locks the rows it reads");
	else if (token_is(at(r, i), "group") || token_is(at(r, i), "having"))
		refuse(r, "it groups rows");
	else if (token_is(at(r, i), "union") || token_is(at(r, i), "intersect") || token_is(at(r, i), "except"))
		refuse(r, "it combines several queries");
	else if (i < r->l->n)
		refuse(r, "it is not understood");
}

static const char *
first_word(const struct token *t)
{
	static const char *const writes[] = { "insert", "update", "delete", "replace", "merge", "truncate", "call", "do", NULL };

	if (one_of(t, writes))
		return "it writes";
	return token_is(t, "select") ? NULL : "it is not a plain SELECT of one table";
}

const char *
look_up_read(struct look_up *l, struct sql_lang lang, struct span text, struct arena *a)
{
	struct reading r = { .l = l, .my = lang.dialect == SQL_MYSQL };
	uint32_t i, end;

	*l = (struct look_up){ .n = 0 };
	l->t = tokens_of(lang, text, a, &l->n);
	if (l->t[0].kind != TOKEN_BAD && first_word(&l->t[0]))
		return first_word(&l->t[0]);
	for (i = 0; i < l->n; i++) {
		if (l->t[i].kind == TOKEN_BAD)
			return "it has a variable, an executable comment or text that is not understood";
		if (l->t[i].kind == TOKEN_SEMI)
			return "it is several statements";
	}
	i = read_list(&r);
	i = read_table(&r, i);
	if (!token_is(at(&r, i), "where")) {
		refuse(&r, "it has no condition");
		return r.why;
	}
	end = find_word(&r, i + 1, clauses);
	read_conditions(&r, (struct range){ i + 1, end });
	read_rest(&r, end);
	return r.why;
}
