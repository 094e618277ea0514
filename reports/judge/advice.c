/* SPDX-License-Identifier: Apache-2.0 */
/* advice: see advice.h. One table of words per framework; the shape decides which of them applies. */
#include "advice.h"

#include <inttypes.h>

#include "words.h"

/* ---- which framework ---- */

static const char *
tag_value(const struct request *r, const char *key)
{
	for (uint32_t i = 0; i < r->ntags; i++)
		if (strcmp(r->tags[i].key, key) == 0)
			return r->tags[i].value;
	return NULL;
}

static enum framework
framework_named(const char *text)
{
	static const struct {
		const char *word;
		enum framework framework;
	} words[] = {
		{ "django", FRAMEWORK_DJANGO },
		{ "rails", FRAMEWORK_RAILS },
		{ "activerecord", FRAMEWORK_RAILS },
		{ "sqlalchemy", FRAMEWORK_SQLALCHEMY },
		{ "flask", FRAMEWORK_SQLALCHEMY },
		{ "fastapi", FRAMEWORK_SQLALCHEMY },
		{ "laravel", FRAMEWORK_LARAVEL },
		{ "eloquent", FRAMEWORK_LARAVEL },
		{ "doctrine", FRAMEWORK_DOCTRINE },
		{ "symfony", FRAMEWORK_DOCTRINE },
		{ "hibernate", FRAMEWORK_HIBERNATE },
		{ "spring", FRAMEWORK_HIBERNATE },
		{ "jpa", FRAMEWORK_HIBERNATE },
		{ "sequelize", FRAMEWORK_SEQUELIZE },
		{ "typeorm", FRAMEWORK_TYPEORM },
		{ "prisma", FRAMEWORK_PRISMA },
		{ "gorm", FRAMEWORK_GORM },
	};

	for (size_t i = 0; text && i < sizeof words / sizeof words[0]; i++)
		if (strcasestr(text, words[i].word))
			return words[i].framework;
	return FRAMEWORK_NONE;
}

/* controller and action without a framework tag: PHP namespaces have backslashes, Rails controllers are snake case. */
static enum framework
framework_of_controller(const char *controller)
{
	if (strchr(controller, '\\'))
		return FRAMEWORK_LARAVEL;
	for (const char *c = controller; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9') && *c != '_' && *c != '/')
			return FRAMEWORK_NONE;
	return FRAMEWORK_RAILS;
}

enum framework
advice_framework(const struct request *r)
{
	static const char *const keys[] = { "framework", "db_framework", "db_driver" };
	const char *controller = tag_value(r, "controller");
	enum framework found = FRAMEWORK_NONE;

	for (size_t i = 0; i < sizeof keys / sizeof keys[0] && !found; i++)
		found = framework_named(tag_value(r, keys[i]));
	if (!found && tag_value(r, "prismaQuery"))
		found = FRAMEWORK_PRISMA;
	if (!found && controller && tag_value(r, "action"))
		found = framework_of_controller(controller);
	return found ? found : framework_named(r->application);
}

/* ---- what it says ---- */

struct phrases {
	const char *one;       /* the row a foreign key points at; %s: the relation, as the column names it */
	const char *one_plain; /* the same when nothing names the relation */
	const char *many;      /* the rows that point at a key; %s: their table */
	const char *count;     /* COUNT and other aggregates per row; %s: the column that groups them */
	const char *insert;    /* one statement for many rows */
	const char *update;    /* the same for changed rows */
	bool camel;            /* relations are named like types: OrderLine */
};

static const struct phrases phrases_of[FRAMEWORKS] = {
	[FRAMEWORK_NONE] = { .one_plain = "fetch them with one query: JOIN, or %s",
	    .many = "fetch them with one query: %s",
	    .count = "count them with one query: GROUP BY %s over a list of keys, or keep a counter beside the parent",
	    .insert = "write them with one multi-row INSERT or a bulk load",
	    .update = "write them with one UPDATE joined to a list of values", },
	[FRAMEWORK_DJANGO] = { .one = "add select_related(\"%s\") (or prefetch_related) to the queryset of the loop",
	    .one_plain = "add select_related() (or prefetch_related()) for this relation to the queryset of the loop",
	    .many = "add prefetch_related() for the relation to %s to the queryset of the loop",
	    .count = "annotate the queryset of the loop with Count(), which groups by %s, or keep a counter field",
	    .insert = "use bulk_create()",
	    .update = "use bulk_update(), or update() on the queryset", },
	[FRAMEWORK_RAILS] = { .one = "add includes(:%s) (or preload) to the relation of the loop",
	    .one_plain = "add includes (or preload) of this association to the relation of the loop",
	    .many = "add includes(:%s) (or preload) to the relation of the loop",
	    .count = "use counter_cache, or group(:%s).count before the loop",
	    .insert = "use insert_all",
	    .update = "use update_all or upsert_all", },
	[FRAMEWORK_SQLALCHEMY] = { .one = "add joinedload() or selectinload() of the relationship %s to the options of the query",
	    .one_plain = "add joinedload() or selectinload() for this relationship to the options of the query",
	    .many = "add selectinload() of the relationship to %s to the options of the query",
	    .count = "select func.count() with group_by() on %s before the loop",
	    .insert = "pass all rows to one session.execute(insert(...), rows)",
	    .update = "pass all rows to one session.execute(update(...), rows)", },
	[FRAMEWORK_LARAVEL] = { .one = "add with('%s') to the query of the loop, or load() to its collection",
	    .one_plain = "add with() for this relation to the query of the loop, or load() to its collection",
	    .many = "add with('%s') to the query of the loop, or load() to its collection",
	    .count = "use withCount() on the query of the loop, which groups by %s",
	    .insert = "use insert() with all rows",
	    .update = "use upsert() with all rows, or update() on the query", },
	[FRAMEWORK_HIBERNATE] = { .one = "use JOIN FETCH of %s (or an entity graph) in the query of the loop, or @BatchSize on the association",
	    .one_plain = "use JOIN FETCH or an entity graph in the query of the loop, or @BatchSize on the association",
	    .many = "use JOIN FETCH of the collection of %s (or an entity graph) in the query of the loop, or @BatchSize on it",
	    .count = "select the counts with GROUP BY %s before the loop",
	    .insert = "set hibernate.jdbc.batch_size and order_inserts",
	    .update = "set hibernate.jdbc.batch_size and order_updates", },
	[FRAMEWORK_DOCTRINE] = { .one = "join and select %s in the query of the loop (leftJoin(), addSelect())",
	    .one_plain = "join and select this association in the query of the loop (leftJoin(), addSelect())",
	    .many = "join and select the association to %s in the query of the loop (leftJoin(), addSelect())",
	    .count = "select the counts with GROUP BY %s before the loop, or map the collection EXTRA_LAZY with a counter",
	    .insert = "persist them all, then flush() once per batch, or use one DBAL statement",
	    .update = "use one DQL UPDATE, or one DBAL statement", },
	[FRAMEWORK_SEQUELIZE] = { .one = "add include: '%s' to the findAll() of the loop",
	    .one_plain = "add include for this association to the findAll() of the loop",
	    .many = "add include for the association to %s to the findAll() of the loop",
	    .count = "count() with group by %s before the loop",
	    .insert = "use bulkCreate()",
	    .update = "use bulkCreate() with updateOnDuplicate, or update() with where", },
	[FRAMEWORK_TYPEORM] = { .one = "add %s to relations of the find(), or leftJoinAndSelect() it",
	    .one_plain = "add this relation to relations of the find(), or leftJoinAndSelect() it",
	    .many = "add the relation to %s to relations of the find(), or leftJoinAndSelect() it",
	    .count = "use loadRelationCountAndMap(), or count with groupBy() on %s before the loop",
	    .insert = "pass all rows to one insert()",
	    .update = "pass all rows to one upsert()", },
	[FRAMEWORK_PRISMA] = { .one = "add include: { %s: true } to the findMany() of the loop",
	    .one_plain = "add include (or select) of this relation to the findMany() of the loop",
	    .many = "add include (or select) of the relation to %s to the findMany() of the loop",
	    .count = "use _count in the findMany() of the loop, or groupBy() on %s",
	    .insert = "use createMany()",
	    .update = "use updateMany()", },
	[FRAMEWORK_GORM] = { .one = "add Preload(\"%s\") or Joins(\"%s\") to the query of the loop",
	    .one_plain = "add Preload() or Joins() for this association to the query of the loop",
	    .many = "add Preload() for the association to %s to the query of the loop",
	    .count = "count with Group(\"%s\") before the loop",
	    .insert = "use CreateInBatches()",
	    .update = "use Updates() on one query, or Clauses(clause.OnConflict{...})",
	    .camel = true, },
};

/* The phrase with each %s replaced. */
static const char *
fill(struct arena *a, const char *say, const char *word)
{
	for (const char *gap = strstr(say, "%s"); gap; gap = strstr(say, "%s"))
		say = arena_printf(a, "%.*s%s%s", (int)(gap - say), say, word, gap + 2);
	return say;
}

/* ---- what the columns tell ---- */

/* The ends of "orders.customer_id → customers.id"; both empty when the source is not known. */
struct ends {
	const char *from_column, *to_column;
};

static const char *
column_name(struct arena *a, struct span end)
{
	for (size_t i = end.n; i-- > 0;)
		if (end.p[i] == '.')
			return arena_strndup(a, span_from(end, i + 1));
	return arena_strndup(a, end);
}

static struct ends
ends_of(struct arena *a, const char *column)
{
	static const char arrow[] = " → ";
	const char *at = strstr(column, arrow);

	if (!at)
		return (struct ends){ "", "" };
	return (struct ends){ column_name(a, span_of(column, (size_t)(at - column))), column_name(a, span_str(at + strlen(arrow))) };
}

static const struct shape_slot *
key_slot(const struct shape *s, const char *column)
{
	const struct shape_slot *first = NULL;

	for (uint16_t i = 0; i < s->nslots; i++) {
		if (s->slots[i].cls != SQL_SLOT_EQ && s->slots[i].cls != SQL_SLOT_IN)
			continue;
		if (*column && strcasecmp(s->slots[i].column, column) == 0)
			return &s->slots[i];
		if (!first)
			first = &s->slots[i];
	}
	return first;
}

static const char *
table_of(const struct shape *s, const struct shape_slot *key)
{
	if (key && *key->table)
		return key->table;
	return s->ntables ? s->tables[0].name : "the rows";
}

/* Length of the column's name without what says that it refers to another table: customer_id, customerId, customer_uuid; 0 when nothing does. */
static size_t
stem(const char *column)
{
	static const char *const ends[] = { "_id", "_uuid", "_key", "_code", "_no", "Id", "Uuid" };
	size_t n = strlen(column);

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		size_t m = strlen(ends[i]);

		if (n > m && strcmp(column + n - m, ends[i]) == 0)
			return n - m;
	}
	return n > 3 && strcasecmp(column + n - 3, "_id") == 0 ? n - 3 : 0;
}

/* Each execution fetches the one row a key stands for, not the rows that point at it. */
static bool
fetches_one(const struct shape_slot *key)
{
	return !key || stem(key->column) == 0;
}

/* order_line → OrderLine */
static const char *
camel(struct arena *a, const char *name)
{
	char *out = arena_strndup(a, span_str(name)), *to = out;
	bool upper = true;

	for (const char *c = out; *c; c++) {
		if (*c == '_') {
			upper = true;
			continue;
		}
		*to++ = (char)(upper && *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
		upper = false;
	}
	*to = '\0';
	return out;
}

/* What the relation is called that the source's column stands for; NULL when the column does not tell. */
static const char *
relation(struct arena *a, const struct ends *e, const struct phrases *w)
{
	size_t n = stem(e->from_column);
	const char *name;

	if (n == 0)
		return NULL;
	name = arena_strndup(a, span_of(e->from_column, n));
	return w->camel ? camel(a, name) : name;
}

static bool
has_limit(const struct shape *s)
{
	for (uint16_t i = 0; i < s->nslots; i++)
		if (s->slots[i].cls == SQL_SLOT_LIMIT)
			return true;
	return false;
}

/* An aggregate function begins the select list. */
static bool
aggregates(const struct shape *s)
{
	static const char *const calls[] = { "count(", "sum(", "avg(", "min(", "max(" };

	if (strncasecmp(s->text, "SELECT ", 7) != 0)
		return false;
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		if (strncasecmp(s->text + 7, calls[i], strlen(calls[i])) == 0)
			return true;
	return false;
}

/* Plain SQL is told how its own dialect spells a list of keys. */
static const char *
how_to_load(struct arena *a, const struct shape *s, const struct shape_slot *key, const struct ends *e, const struct phrases *w)
{
	const char *list = s->dialect == SQL_MYSQL ? "IN (...)" : "= ANY($1)";
	const char *name;

	if (w == &phrases_of[FRAMEWORK_NONE])
		return fill(a, fetches_one(key) ? w->one_plain : w->many, key && *key->column ? arena_printf(a, "%s %s", key->column, list) : list);
	if (!fetches_one(key))
		return fill(a, w->many, table_of(s, key));
	name = relation(a, e, w);
	return name ? fill(a, w->one, name) : w->one_plain;
}

static const char *
write_advice(const struct shape *s, const struct phrases *w)
{
	switch (s->verb) {
	case SQL_V_DELETE:
		return "delete them with one statement over a list of keys";
	case SQL_V_UPDATE:
		return w->update;
	default:
		return w->insert;
	}
}

static const char *
n_plus_one_advice(struct arena *a, const struct raw_finding *f, const struct phrases *w)
{
	const struct shape *s = f->repeat;
	const struct ends e = ends_of(a, f->column);
	const struct shape_slot *key = key_slot(s, e.to_column);
	const char *table = table_of(s, key);

	if (f->verdict == VERDICT_NOTE)
		return "";
	if (aggregates(s))
		return arena_printf(a, "count %s for all %" PRIu32 " in one go: %s", table, f->distinct,
		    fill(a, w->count, key && *key->column ? key->column : "the key"));
	if (has_limit(s) && !fetches_one(key))
		return arena_printf(a,
		    "load %s for all %" PRIu32 " in one go; with a limit per row not simply IN: that takes %sLATERAL or a window function over %s",
		    table, f->distinct, s->dialect == SQL_MYSQL ? "" : "DISTINCT ON, ", *key->column ? key->column : "the key");
	return arena_printf(a, "load %s for all %" PRIu32 " in one go: %s", table, f->distinct, how_to_load(a, s, key, &e, w));
}

static const char *
duplicate_advice(struct arena *a, const struct raw_finding *f)
{
	if (f->verdict == VERDICT_NOTE)
		return "";
	return arena_printf(a, "%s: %s would go away",
	    f->across ? "ask once per request and hand the answer on, or keep it where all of them look first" : "ask once per request and keep the answer",
	    words_count(a, f->excess, "execution", "executions"));
}

static const char *
prepare_advice(const struct raw_finding *f)
{
	if (f->verdict == VERDICT_NOTE)
		return "";
	if (f->cause == PREPARE_COMMENTS)
		return "put what differs for each request (trace ids) where it is no part of the prepared text, or do not prepare tagged statements";
	if (f->cause == PREPARE_LITERALS)
		return "bind the values as parameters, so that one prepared text serves all";
	return "prepare once per connection and keep the statement, or turn on the driver's cache of prepared statements";
}

const char *
advice_text(struct arena *a, const struct raw_finding *f, enum framework framework)
{
	const struct phrases *w = &phrases_of[framework];

	switch (f->rule) {
	case RULE_N_PLUS_ONE:
		return n_plus_one_advice(a, f, w);
	case RULE_DUPLICATE:
		return duplicate_advice(a, f);
	case RULE_WRITE_LOOP:
		return write_advice(f->repeat, w);
	case RULE_SLOW_QUERY:
		return "look at its plan (EXPLAIN) and at the indexes its filters can use";
	case RULE_SLOW_REQUEST:
		return "look at its queries in order: what repeats, what is slow, what could be left out";
	case RULE_LARGE_RESULT:
		return "fetch pages, fewer columns, or stream with a cursor";
	case RULE_IDLE_IN_TRANSACTION:
		return "do the slow work before the transaction or after it: meanwhile it holds its locks and keeps dead rows";
	case RULE_PREPARE_CHURN:
		return prepare_advice(f);
	case RULE_CROSS_SCOPE_REPEAT:
		return "where one place knows what all of them need, load it there in one go and hand it on";
	case RULE_QUERY_ERROR:
		return "the database's log has the message to this code";
	case RULE_QUERY_BUDGET:
		return "see what else was found in this scope; raise its budget only if every query is meant";
	default:
		return "";
	}
}
