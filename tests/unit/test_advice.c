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
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_NONE, "one query: = ANY($1)");
	check_says("SELECT * FROM customers WHERE id = 1", FRAMEWORK_DJANGO, "select_related()");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_DJANGO, "add prefetch_related()");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_SQLALCHEMY, "add selectinload()");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_RAILS, "includes");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_LARAVEL, "with()");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_HIBERNATE, "@BatchSize");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_SEQUELIZE, "include");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_TYPEORM, "relations");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_PRISMA, "include");
	check_says("SELECT * FROM items WHERE order_id = 1", FRAMEWORK_GORM, "Preload()");
	check_says("SELECT COUNT(*) FROM items WHERE order_id = 1", FRAMEWORK_DJANGO, "count items for all 50 in one go: annotate");
	check_says(
	    "SELECT * FROM comments WHERE post_id = 1 ORDER BY id LIMIT 3", FRAMEWORK_DJANGO, "window function, DISTINCT ON or LATERAL");
	check_says("SELECT * FROM users WHERE id = 1 LIMIT 1", FRAMEWORK_RAILS, "includes");
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
		cmocka_unit_test(every_rule_has_advice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
