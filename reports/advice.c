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
		{ "django", FRAMEWORK_DJANGO }, { "rails", FRAMEWORK_RAILS }, { "activerecord", FRAMEWORK_RAILS },
		{ "sqlalchemy", FRAMEWORK_SQLALCHEMY }, { "flask", FRAMEWORK_SQLALCHEMY }, { "fastapi", FRAMEWORK_SQLALCHEMY },
		{ "laravel", FRAMEWORK_LARAVEL }, { "eloquent", FRAMEWORK_LARAVEL }, { "hibernate", FRAMEWORK_HIBERNATE },
		{ "spring", FRAMEWORK_HIBERNATE }, { "jpa", FRAMEWORK_HIBERNATE }, { "sequelize", FRAMEWORK_SEQUELIZE },
		{ "typeorm", FRAMEWORK_TYPEORM }, { "prisma", FRAMEWORK_PRISMA }, { "gorm", FRAMEWORK_GORM },
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
	const char *one;	/* the row a foreign key points at */
	const char *many;	/* the rows that point at a key */
	const char *count;	/* COUNT per row */
	const char *write;	/* one statement for many rows */
};

static const struct phrases phrases_of[FRAMEWORKS] = {
	[FRAMEWORK_NONE] = { "fetch them with one query: JOIN, = ANY($1) or IN (...)", "fetch them with one query: = ANY($1) or IN (...)",
	    "count them with one query: GROUP BY", "write them with one multi-row INSERT (or COPY, or one UPDATE joined to a VALUES list)" },
	[FRAMEWORK_DJANGO] = { "add select_related() (or prefetch_related()) for this relation to the queryset of the loop",
	    "add prefetch_related() for this relation to the queryset of the loop", "annotate the queryset of the loop with Count()",
	    "use bulk_create() or bulk_update()" },
	[FRAMEWORK_RAILS] = { "add includes (or preload) of this association to the relation of the loop",
	    "add includes (or preload) of this association to the relation of the loop", "use counter_cache, or group(...).count before the loop",
	    "use insert_all, upsert_all or update_all" },
	[FRAMEWORK_SQLALCHEMY] = { "add options(joinedload(...)) or selectinload(...) for this relationship to the query of the loop",
	    "add options(selectinload(...)) for this relationship to the query of the loop", "select func.count() with group_by() before the loop",
	    "pass a list of rows to one session.execute(insert(...), rows)" },
	[FRAMEWORK_LARAVEL] = { "add with() for this relation to the query of the loop, or load() to its collection",
	    "add with() for this relation to the query of the loop, or load() to its collection", "use withCount() on the query of the loop",
	    "use insert() or upsert() with all rows" },
	[FRAMEWORK_HIBERNATE] = { "use JOIN FETCH or an entity graph in the query of the loop, or @BatchSize on the association",
	    "use JOIN FETCH or an entity graph in the query of the loop, or @BatchSize on the association",
	    "select the counts with GROUP BY before the loop", "set hibernate.jdbc.batch_size (and order_inserts, order_updates)" },
	[FRAMEWORK_SEQUELIZE] = { "add include for this association to the findAll of the loop", "add include for this association to the findAll of the loop",
	    "count with group before the loop", "use bulkCreate()" },
	[FRAMEWORK_TYPEORM] = { "add this relation to relations of the find, or leftJoinAndSelect() it",
	    "add this relation to relations of the find, or leftJoinAndSelect() it", "use loadRelationCountAndMap(), or count with groupBy before the loop",
	    "pass all rows to one insert() or save([...])" },
	[FRAMEWORK_PRISMA] = { "add include (or select) of this relation to the findMany of the loop",
	    "add include (or select) of this relation to the findMany of the loop", "use _count in the findMany of the loop, or groupBy", "use createMany()" },
	[FRAMEWORK_GORM] = { "add Preload() (or Joins()) for this association to the query of the loop",
	    "add Preload() for this association to the query of the loop", "count with Group() before the loop", "use CreateInBatches()" },
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
		return arena_printf(a, "load %s for all %" PRIu32 " in one go; with a limit per row that takes a window function, DISTINCT ON or LATERAL, "
		    "not only a list of keys", table, f->distinct);
	return arena_printf(a, "load %s for all %" PRIu32 " in one go: %s", table, f->distinct, fetches_one(s) ? w->one : w->many);
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
		return w->write;
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
