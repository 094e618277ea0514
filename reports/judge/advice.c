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
	const char *one;    /* the row a foreign key points at */
	const char *many;   /* the rows that point at a key */
	const char *count;  /* COUNT per row */
	const char *insert; /* one statement for many rows */
	const char *update; /* the same for changed rows */
};

static const struct phrases phrases_of[FRAMEWORKS] = {
	[FRAMEWORK_NONE] = { .one = "fetch them with one query: JOIN, or %s",
	    .many = "fetch them with one query: %s",
	    .count = "count them with one query: GROUP BY",
	    .insert = "write them with one multi-row INSERT or a bulk load",
	    .update = "write them with one UPDATE joined to a list of values", },
	[FRAMEWORK_DJANGO] = { .one = "add select_related() (or prefetch_related()) for this relation to the queryset of the loop",
	    .many = "add prefetch_related() for this relation to the queryset of the loop",
	    .count = "annotate the queryset of the loop with Count()",
	    .insert = "use bulk_create()",
	    .update = "use bulk_update(), or update() on the queryset", },
	[FRAMEWORK_RAILS] = { .one = "add includes (or preload) of this association to the relation of the loop",
	    .many = "add includes (or preload) of this association to the relation of the loop",
	    .count = "use counter_cache, or group(...).count before the loop",
	    .insert = "use insert_all",
	    .update = "use update_all or upsert_all", },
	[FRAMEWORK_SQLALCHEMY] = { .one = "add joinedload() or selectinload() for this relationship to the options of the query",
	    .many = "add selectinload() for this relationship to the options of the query",
	    .count = "select func.count() with group_by() before the loop",
	    .insert = "pass all rows to one session.execute(insert(...), rows)",
	    .update = "pass all rows to one session.execute(update(...), rows)", },
	[FRAMEWORK_LARAVEL] = { .one = "add with() for this relation to the query of the loop, or load() to its collection",
	    .many = "add with() for this relation to the query of the loop, or load() to its collection",
	    .count = "use withCount() on the query of the loop",
	    .insert = "use insert() with all rows",
	    .update = "use upsert() with all rows, or update() on the query", },
	[FRAMEWORK_HIBERNATE] = { .one = "use JOIN FETCH or an entity graph in the query of the loop, or @BatchSize on the association",
	    .many = "use JOIN FETCH or an entity graph in the query of the loop, or @BatchSize on the association",
	    .count = "select the counts with GROUP BY before the loop",
	    .insert = "set hibernate.jdbc.batch_size and order_inserts",
	    .update = "set hibernate.jdbc.batch_size and order_updates", },
	[FRAMEWORK_SEQUELIZE] = { .one = "add include for this association to the findAll() of the loop",
	    .many = "add include for this association to the findAll() of the loop",
	    .count = "count() with group before the loop",
	    .insert = "use bulkCreate()",
	    .update = "use bulkCreate() with updateOnDuplicate, or update() with where", },
	[FRAMEWORK_TYPEORM] = { .one = "add this relation to relations of the find(), or leftJoinAndSelect() it",
	    .many = "add this relation to relations of the find(), or leftJoinAndSelect() it",
	    .count = "use loadRelationCountAndMap(), or count with groupBy() before the loop",
	    .insert = "pass all rows to one insert()",
	    .update = "pass all rows to one upsert()", },
	[FRAMEWORK_PRISMA] = { .one = "add include (or select) of this relation to the findMany() of the loop",
	    .many = "add include (or select) of this relation to the findMany() of the loop",
	    .count = "use _count in the findMany() of the loop, or groupBy()",
	    .insert = "use createMany()",
	    .update = "use updateMany()", },
	[FRAMEWORK_GORM] = { .one = "add Preload() or Joins() for this association to the query of the loop",
	    .many = "add Preload() for this association to the query of the loop",
	    .count = "count with Group() before the loop",
	    .insert = "use CreateInBatches()",
	    .update = "use Updates() on one query, or Clauses(clause.OnConflict{...})", },
};

static const char *
table_of(const struct shape *s)
{
	if (s->ntables == 0)
		return "the rows";
	for (uint16_t i = 0; i < s->nslots; i++)
		if (s->slots[i].cls == SQL_SLOT_EQ && *s->slots[i].table)
			return s->slots[i].table;
	return s->tables[0].name;
}

static bool
ends_with_id(const char *column)
{
	size_t n = strlen(column);

	return n > 3 && strcasecmp(column + n - 3, "_id") == 0;
}

/* The value stands for the table's own key: each execution fetches the one row a foreign key points at. */
static bool
fetches_one(const struct shape *s)
{
	for (uint16_t i = 0; i < s->nslots; i++)
		if (s->slots[i].cls == SQL_SLOT_EQ)
			return !ends_with_id(s->slots[i].column);
	return true;
}

static bool
has_limit(const struct shape *s)
{
	for (uint16_t i = 0; i < s->nslots; i++)
		if (s->slots[i].cls == SQL_SLOT_LIMIT)
			return true;
	return false;
}

/* Plain SQL is told how its own dialect spells a list of keys. */
static const char *
how_to_load(struct arena *a, const struct shape *s, const struct phrases *w)
{
	const char *say = fetches_one(s) ? w->one : w->many, *gap = strstr(say, "%s");

	if (!gap)
		return say;
	return arena_printf(a, "%.*s%s%s", (int)(gap - say), say, s->dialect == SQL_MYSQL ? "IN (...)" : "= ANY($1)", gap + 2);
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
	const char *table = table_of(s);

	if (f->verdict == VERDICT_NOTE)
		return "";
	if (strcasestr(s->text, "count("))
		return arena_printf(a, "count %s for all %" PRIu32 " in one go: %s", table, f->distinct, w->count);
	if (has_limit(s) && !fetches_one(s))
		return arena_printf(a,
		    "load %s for all %" PRIu32 " in one go; with a limit per row that takes a window function, DISTINCT ON or LATERAL, "
		    "not only a list of keys",
		    table, f->distinct);
	return arena_printf(a, "load %s for all %" PRIu32 " in one go: %s", table, f->distinct, how_to_load(a, s, w));
}

static const char *
duplicate_advice(struct arena *a, const struct raw_finding *f)
{
	if (f->verdict == VERDICT_NOTE)
		return "";
	return arena_printf(a, "ask once per request and keep the answer: %" PRIu32 " executions would go away", f->excess);
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
	case RULE_QUERY_ERROR:
		return "the database's log has the message to this code";
	case RULE_QUERY_BUDGET:
		return "see what else was found in this scope; raise its budget only if every query is meant";
	default:
		return "";
	}
}
