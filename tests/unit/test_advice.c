/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of advice.c: which framework a request comes from, and what it is told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "reports/judge/advice.h"
#include "req_builder.h"

static void
check_framework(const char *text, enum framework expected)
{
	struct req_builder *b = req_builder_new();

	assert_int_equal(advice_framework(req_build(b, text)), expected);
	req_builder_free(b);
}

static void
frameworks_are_recognised(void **state)
{
	(void)state;
	check_framework("tag framework=django:4.2\n", FRAMEWORK_DJANGO);
	check_framework("tag db_framework=sqlalchemy:2.0\ntag framework=flask:3\n", FRAMEWORK_SQLALCHEMY);
	check_framework("tag framework=laravel-9\n", FRAMEWORK_LARAVEL);
	check_framework("tag framework=spring\n", FRAMEWORK_HIBERNATE);
	check_framework("tag action=show\ntag controller=users\n", FRAMEWORK_RAILS);
	check_framework("tag action=show\ntag controller=admin/users\n", FRAMEWORK_RAILS);
	check_framework("tag action=index\ntag controller=App\\Http\\Controllers\\Users\n", FRAMEWORK_LARAVEL);
	check_framework("tag action=show\ntag controller=Orders\n", FRAMEWORK_NONE);
	check_framework("tag prismaQuery=User.findMany\n", FRAMEWORK_PRISMA);
	check_framework("tag db_driver=gorm\n", FRAMEWORK_GORM);
	check_framework("application sequelize-worker\n", FRAMEWORK_SEQUELIZE);
	check_framework("tag framework=symfony:6\n", FRAMEWORK_DOCTRINE);
	check_framework("application psql\n", FRAMEWORK_NONE);
	check_framework("tag db_driver=psycopg2\napplication TypeORM\n", FRAMEWORK_TYPEORM);
}

static void
check_says(const char *sql, enum framework framework, const char *part)
{
	struct req_builder *b = req_builder_new();
	struct arena a = { NULL, 0 };
	struct raw_finding f = {
		.rule = RULE_N_PLUS_ONE, .verdict = VERDICT_SUSPECTED, .repeat = req_shape(b, sql), .distinct = 50, .column = ""
	};
	const char *said = advice_text(&a, &f, framework);

	if (!strstr(said, part))
		fail_msg("\"%s\" lacks \"%s\"", said, part);
	arena_clear(&a);
	req_builder_free(b);
}

static void
loops_are_told_how_to_load(void **state)
{
	(void)state;
	check_says(
	    "SELECT * FROM customers WHERE id = 1", FRAMEWORK_NONE, "load customers for all 50 in one go: fetch them with one query: JOIN");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_NONE, "one query: order_id = ANY($1)");
	check_says("SELECT * FROM customers WHERE id = 1", FRAMEWORK_DJANGO, "select_related()");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_DJANGO, "add prefetch_related()");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_SQLALCHEMY, "add selectinload()");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_RAILS, "includes");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_LARAVEL, "with('items')");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_HIBERNATE, "@BatchSize");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_SEQUELIZE, "include");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_TYPEORM, "relations");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_PRISMA, "include");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_GORM, "Preload()");
	check_says("SELECT COUNT(*) FROM items WHERE order_id = 1", FRAMEWORK_DJANGO, "count items for all 50 in one go: annotate");
	check_says(
	    "SELECT * FROM comments WHERE post_id = 1 ORDER BY id LIMIT 3", FRAMEWORK_DJANGO, "not simply IN: that takes DISTINCT ON, LATERAL or a window function over post_id");
	check_says("SELECT * FROM users WHERE id = 1 LIMIT 1", FRAMEWORK_RAILS, "includes");
}

/* A proven loop: its columns name the relation. */
static void
check_names(const char *sql, const char *column, enum framework framework, const char *part)
{
	struct req_builder *b = req_builder_new();
	struct arena a = { NULL, 0 };
	struct raw_finding f = {
		.rule = RULE_N_PLUS_ONE, .verdict = VERDICT_PROVEN, .repeat = req_shape(b, sql), .distinct = 50, .column = column
	};
	const char *said = advice_text(&a, &f, framework);

	if (!strstr(said, part))
		fail_msg("\"%s\" lacks \"%s\"", said, part);
	arena_clear(&a);
	req_builder_free(b);
}

static void
relations_have_the_name_of_their_column(void **state)
{
	static const char one[] = "SELECT * FROM customers WHERE id = 1", *column = "orders.billing_customer_id → customers.id";

	(void)state;
	check_names(one, column, FRAMEWORK_DJANGO, "select_related(\"billing_customer\")");
	check_names(one, column, FRAMEWORK_RAILS, "includes(:billing_customer)");
	check_names(one, column, FRAMEWORK_SQLALCHEMY, "of the relationship billing_customer");
	check_names(one, column, FRAMEWORK_HIBERNATE, "JOIN FETCH of billing_customer");
	check_names(one, column, FRAMEWORK_LARAVEL, "with('billing_customer')");
	check_names(one, column, FRAMEWORK_DOCTRINE, "select billing_customer");
	check_names(one, column, FRAMEWORK_SEQUELIZE, "include: 'billing_customer'");
	check_names(one, column, FRAMEWORK_TYPEORM, "add billing_customer to relations");
	check_names(one, column, FRAMEWORK_PRISMA, "include: { billing_customer: true }");
	check_names(one, column, FRAMEWORK_GORM, "Preload(\"BillingCustomer\") or Joins(\"BillingCustomer\")");
	check_names(one, column, FRAMEWORK_NONE, "JOIN, or id = ANY($1)");
	check_names(one, "orders.customerId → customers.id", FRAMEWORK_TYPEORM, "add customer to relations");
	check_names(one, "orders.ref → customers.id", FRAMEWORK_DJANGO, "select_related()"); /* nothing names it */
	check_names("SELECT * FROM items WHERE tenant_id = 1 AND order_id = 2", "orders.id → items.order_id", FRAMEWORK_RAILS, "includes(:items)");
	check_names("SELECT * FROM users WHERE tenant_id = 1 AND id = 2", "posts.author_id → users.id", FRAMEWORK_RAILS, "includes(:author)");
	check_names("SELECT COUNT(*) FROM items WHERE order_id = 1", "orders.id → items.order_id", FRAMEWORK_NONE,
	    "GROUP BY order_id over a list of keys, or keep a counter");
	check_names("SELECT discount(1) FROM items WHERE order_id = 1", "orders.id → items.order_id", FRAMEWORK_NONE, "load items");
}

static void
every_rule_has_advice(void **state)
{
	struct arena a = { NULL, 0 };

	(void)state;
	for (int rule = 0; rule < RULES; rule++) {
		struct shape shape = { .text = "SELECT", .summary = "SELECT" };
		struct raw_finding f = { .rule = (enum rule_id)rule, .verdict = VERDICT_SUSPECTED, .repeat = &shape, .column = "" };

		for (int framework = 0; framework < FRAMEWORKS; framework++)
			assert_non_null(advice_text(&a, &f, (enum framework)framework));
		if (rules[rule].check)
			assert_true(strlen(advice_text(&a, &f, FRAMEWORK_NONE)) > 10);
	}
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frameworks_are_recognised),
		cmocka_unit_test(loops_are_told_how_to_load),
		cmocka_unit_test(relations_have_the_name_of_their_column),
		cmocka_unit_test(every_rule_has_advice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
