/* SPDX-License-Identifier: Apache-2.0 */
/* plan: see plan.h. */
#include "plan.h"

#include <jansson.h>

#include "fingerprint/limits.h"
#include "step.h"

static const char *
text_of(const json_t *o, const char *key, struct arena *a)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? arena_strndup(a, span_str(s)) : "";
}

static struct fix_scan *
add_scan(struct fix_plan *p)
{
	return p->nscans < FIX_SCANS ? &p->scans[p->nscans++] : NULL;
}

/* ---- PostgreSQL: a tree of nodes ---- */

static void
pg_node(const json_t *node, struct arena *a, struct fix_plan *p)
{
	const char *relation = json_string_value(json_object_get(node, "Relation Name")), *type = text_of(node, "Node Type", a);
	const json_t *plans = json_object_get(node, "Plans"), *below;
	struct fix_scan *scan = relation || strstr(type, "Index") ? add_scan(p) : NULL;
	size_t i;

	if (scan)
		*scan = (struct fix_scan){ .how = type, .table = text_of(node, "Relation Name", a), .index = text_of(node, "Index Name", a),
			.whole = strcmp(type, "Seq Scan") == 0 && json_object_get(node, "Filter") };
	json_array_foreach((json_t *)(uintptr_t)plans, i, below)
		pg_node(below, a, p);
}

static void
pg_plan(const json_t *root, struct arena *a, struct fix_plan *p)
{
	const json_t *node = json_object_get(json_array_get(root, 0), "Plan");

	p->known = json_is_object(node);
	p->cost = p->known ? json_number_value(json_object_get(node, "Total Cost")) : -1;
	pg_node(node, a, p);
}

/* ---- MySQL and MariaDB: objects "table" anywhere ---- */

static void
my_table(const json_t *t, struct arena *a, struct fix_plan *p)
{
	const char *type = text_of(t, "access_type", a);
	struct fix_scan *scan = add_scan(p);

	if (scan)
		*scan = (struct fix_scan){ .how = *type ? type : "const", .table = text_of(t, "table_name", a), .index = text_of(t, "key", a),
			.whole = strcmp(type, "ALL") == 0 && json_object_get(t, "attached_condition"),
			.possible = json_array_size(json_object_get(t, "possible_keys")) > 0 };
}

static void
my_find(const json_t *v, struct arena *a, struct fix_plan *p, unsigned depth)
{
	const char *key;
	const json_t *below;
	size_t i;

	if (depth > 64)
		return;
	if (json_is_array(v))
		json_array_foreach((json_t *)(uintptr_t)v, i, below)
			my_find(below, a, p, depth + 1);
	if (json_is_object(v))
		json_object_foreach((json_t *)(uintptr_t)v, key, below) {
			if (strcmp(key, "table") == 0 && json_is_object(below))
				my_table(below, a, p);
			my_find(below, a, p, depth + 1);
		}
}

static void
my_plan(const json_t *root, struct arena *a, struct fix_plan *p)
{
	p->known = json_is_object(json_object_get(root, "query_block"));
	if (p->known)
		my_find(root, a, p, 0);
}

/* The form read here is the only one of servers before MySQL 8.3, which do not know the setting, and no longer the usual one since 9.5. */
static void
my_ask_for_the_first_form(struct side *s)
{
	struct side_problem ignored;

	(void)!side_query(s, "SET SESSION explain_json_format_version = 1", NULL, 0, NULL, &ignored);
}

void
plan_ask(struct side *s, const char *sql, const struct fix_value *params, uint32_t nparams, struct arena *a, struct fix_plan *plan)
{
	bool pg = side_engine(s) == ENGINE_POSTGRESQL;
	struct side_problem p;
	struct side_rows rows;
	struct strbuf text;
	json_t *root;

	*plan = (struct fix_plan){ .why = "", .cost = -1 };
	if (!pg && !side_is_mariadb(s))
		my_ask_for_the_first_form(s);
	strbuf_init(&text, LIMIT_SIDE_TEXT);
	strbuf_str(&text, pg ? "EXPLAIN (FORMAT JSON) " : "EXPLAIN FORMAT=JSON ");
	strbuf_str(&text, sql);
	if (step_query(s, strbuf_cstr(&text), params, nparams, &rows, &p)) {
		root = json_loads(side_cell(&rows, 0, 0).p ? side_cell(&rows, 0, 0).p : "", 0, NULL);
		if (pg)
			pg_plan(root, a, plan);
		else
			my_plan(root, a, plan);
		json_decref(root);
		side_rows_clear(&rows);
		plan->why = "the server's answer is not understood";
	} else {
		plan->why = arena_strndup(a, span_str(p.text));
	}
	strbuf_clear(&text);
}
