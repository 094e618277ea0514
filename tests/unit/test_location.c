/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of location.c: which tag tells the line of code, and what is no path. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "reports/judge/location.h"
#include "req_builder.h"

static void
check_parse(const char *text, const char *file, uint32_t line)
{
	struct location out = { .origin = "" };

	assert_true(location_parse(span_str(text), &out));
	assert_true(span_is(out.file, file));
	assert_int_equal(out.line, line);
}

static void
paths_are_parsed(void **state)
{
	(void)state;
	check_parse("app/models/x.rb:12", "app/models/x.rb", 12);
	check_parse("/srv/app/x.rb:12:in `show'", "/srv/app/x.rb", 12);
	check_parse("tests/test_o.py::test_list", "tests/test_o.py", 0);
	check_parse("tests/test_o.py", "tests/test_o.py", 0);
	check_parse("C:\\src\\Orders.cs:42", "C:\\src\\Orders.cs", 42);
	check_parse("main.go:7", "main.go", 7);
	check_parse("spec/x_spec.rb:99999999999", "spec/x_spec.rb", 9999999);
}

static void
other_names_are_not(void **state)
{
	static const char *const names[] = {
		"",
		"MyApp.Orders.list/1",
		"GET /orders.json",
		"/orders",
		"OrdersController#index",
		"job MailJob",
		"v1.2.3/orders",
		"a.",
		".py",
		"*.py",
		"x.1",
		"http://shop/",
		"com.shop.OrderTest#list",
		"/files/report.2024",
		"com.shop.OrderRepository",
		"com.shop.Order",
		"a/.py/x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct location out;

		if (location_parse(span_str(names[i]), &out))
			fail_msg("\"%s\" is no path", names[i]);
	}
}

/* text: a request; its first statement is the finding's. */
static void
check_origin(const char *text, const char *file, uint32_t line, const char *origin)
{
	struct req_builder *b = req_builder_new();
	const struct request *r = req_build(b, text);
	struct raw_finding f = { .repeat = r->nstmts ? r->stmts[0].shape : NULL };
	struct location out = location_of(r, &f);

	assert_string_equal(out.origin, origin);
	assert_true(span_is(out.file, file));
	assert_int_equal(out.line, line);
	req_builder_free(b);
}

static void
the_nearest_tag_tells(void **state)
{
	(void)state;
	check_origin("site app/b.rb:3 | SELECT * FROM a\ntag source_location=app/x.rb:12\n", "app/b.rb", 3, "source_location");
	check_origin(
	    "| SELECT * FROM a\nsite app/b.rb:3 | SELECT * FROM b\ntag source_location=app/x.rb:12\n", "app/x.rb", 12, "source_location");
	check_origin("| SELECT * FROM a\ntag file=app/X.php\ntag line=12\n", "app/X.php", 12, "file");
	check_origin("| SELECT * FROM a\ntag line=/srv/app/x.rb:9:in\ntag test=t/test_a.py\n", "/srv/app/x.rb", 9, "line");
	check_origin("| SELECT * FROM a\ntag caller=lib/a.ex:9\n", "lib/a.ex", 9, "caller");
	check_origin("| SELECT * FROM a\ntag =File: src/O.cs:42\n", "src/O.cs", 42, "caller");
	check_origin("test tests/test_o.py::test_list\n| SELECT * FROM a\ntag caller=App.Orders.list/1\n", "tests/test_o.py", 0, "test");
	check_origin("scope tests/test_o.py::test_list\n| SELECT * FROM a\n", "tests/test_o.py", 0, "scope");
	check_origin("scope GET /orders\n| SELECT * FROM a\n", "", 0, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_parsed),
		cmocka_unit_test(other_names_are_not),
		cmocka_unit_test(the_nearest_tag_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
