/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of utf8.c, text.c and sql_short.c: what reaches a terminal line, and what is given up when the line is short. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "reports/write/sql_short.h"
#include "reports/write/text.h"
#include "reports/write/utf8.h"

static void
utf8_is_strict(void **state)
{
	static const char *const broken[] = {
		"\x80", "\xbf", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc3(", "\xff",
	};
	uint32_t c = 0;

	(void)state;
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
		assert_int_equal(utf8_next(span_str(broken[i]), &c), 0);
	assert_int_equal(utf8_next(span_str("A"), &c), 1);
	assert_int_equal(c, 'A');
	assert_int_equal(utf8_next(span_str("\xc2\x80"), &c), 2);
	assert_int_equal(c, 0x80);
	assert_int_equal(utf8_next(span_str("\xed\x9f\xbf"), &c), 3);
	assert_int_equal(c, 0xd7ff);
	assert_int_equal(utf8_next(span_str("\xf4\x8f\xbf\xbf"), &c), 4);
	assert_int_equal(c, 0x10ffff);
	assert_int_equal(utf8_next(span_of("\0", 1), &c), 1);
	assert_int_equal(c, 0);
}

static void
check_clean(const char *text, bool utf8, const char *expected)
{
	struct strbuf b;

	strbuf_init(&b, 4096);
	text_clean(&b, span_str(text), utf8);
	assert_string_equal(strbuf_cstr(&b), expected);
	strbuf_clear(&b);
}

static void
hostile_bytes_become_visible(void **state)
{
	(void)state;
	check_clean("GET /orders", false, "GET /orders");
	check_clean("\x1b[31mred\x07", true, "\\x1b[31mred\\x07");
	check_clean("two\nlines\tand\rmore", true, "two lines and more");
	check_clean("\xff\xc0\xaf", true, "\\xff\\xc0\\xaf");
	check_clean("\xc2\x9b" "31m", true, "\\x9b31m");			/* C1 control sequence introducer */
	check_clean("\xe2\x80\xae" "evil", true, "\\u202eevil");		/* right-to-left override */
	check_clean("zero\xe2\x80\x8bwidth", true, "zero\\u200bwidth");
	check_clean("\xf3\xa0\x81\x81", true, "\\U0e0041");			/* a tag character */
	check_clean("::error::x", true, "\\::error::x");
	check_clean("\n ::error::x", true, "\\  ::error::x");
	check_clean("a.py::test ##[error] ##vso[task] a ## b", true, "a.py::test #\\#[error] #\\#vso[task] a ## b");
	check_clean("Bj\xc3\xb6rn \xe2\x86\x92 2", true, "Bj\xc3\xb6rn \xe2\x86\x92 2");
	check_clean("Bj\xc3\xb6rn \xe2\x86\x92 2\xe2\x80\xa6", false, "Bj\\xf6rn -> 2...");
}

static void
columns_are_counted(void **state)
{
	(void)state;
	assert_int_equal(text_columns(SPAN_LIT("abc")), 3);
	assert_int_equal(text_columns(SPAN_LIT("\xe6\xb3\xa8\xe6\x96\x87")), 4);	/* two wide characters */
	assert_int_equal(text_columns(SPAN_LIT("e\xcc\x81")), 1);			/* e and a combining accent */
	assert_int_equal(text_columns(SPAN_LIT("\xf0\x9f\x98\x80")), 2);
}

static void
check_cut(void (*cut)(struct strbuf *, struct span, unsigned, bool), const char *text, unsigned columns, bool utf8, const char *expected)
{
	struct strbuf b;

	strbuf_init(&b, 4096);
	cut(&b, span_str(text), columns, utf8);
	assert_string_equal(strbuf_cstr(&b), expected);
	assert_true(text_columns(strbuf_span(&b)) <= columns);
	strbuf_clear(&b);
}

static void
cuts_fit_and_are_marked(void **state)
{
	(void)state;
	check_cut(text_cut_end, "abcdefghij", 10, false, "abcdefghij");
	check_cut(text_cut_end, "abcdefghij", 9, false, "abcdef...");
	check_cut(text_cut_end, "abcdefghij", 9, true, "abcdefgh\xe2\x80\xa6");
	check_cut(text_cut_start, "abcdefghij", 9, false, "...efghij");
	check_cut(text_cut_start, "tests/test_orders.py::test_index", 24, false, "...::test_index");
	check_cut(text_cut_start, "tests/test_orders.py::test_index", 31, false, ".../test_orders.py::test_index");
	check_cut(text_cut_middle, "abcdefghij", 9, false, "abc...hij");
	check_cut(text_cut_middle, "abcdefghij", 3, false, "...");
	check_cut(text_cut_middle, "abcdefghij", 2, false, "");
	/* Never half of a wide character. */
	check_cut(text_cut_end, "\xe6\xb3\xa8\xe6\x96\x87\xe6\xb3\xa8", 5, true, "\xe6\xb3\xa8\xe6\x96\x87\xe2\x80\xa6");
	check_cut(text_cut_end, "\xe6\xb3\xa8\xe6\x96\x87\xe6\xb3\xa8", 4, true, "\xe6\xb3\xa8\xe2\x80\xa6");
}

static void
check_short(const char *sql, unsigned columns, const char *expected)
{
	check_cut(sql_short, sql, columns, false, expected);
}

static void
sql_gives_up_what_says_least(void **state)
{
	static const char select[] = "SELECT \"c\".\"id\", \"c\".\"name\", (SELECT COUNT(*) FROM x) FROM \"c\" WHERE \"c\".\"id\" = ? LIMIT ?";

	(void)state;
	check_short("SELECT orders.id, orders.placed FROM orders LEFT OUTER JOIN customers ON a = b WHERE ? GROUP BY orders.id ORDER BY orders.placed", 40,
	    "SELECT ... FROM orders ... WHERE ? ...");
	check_short("SELECT orders.id, orders.placed FROM orders LEFT OUTER JOIN customers ON a = b ORDER BY orders.placed", 30,
	    "SELECT ... FROM orders ...");
	check_short("SELECT 1", 80, "SELECT 1");
	check_short(select, 200, "SELECT c.id, c.name, (SELECT COUNT(*) FROM x) FROM c WHERE c.id = ? LIMIT ?");
	check_short(select, 60, "SELECT ... FROM c WHERE c.id = ? LIMIT ?");
	check_short(select, 39, "SELECT ... FROM c WHERE id = ? LIMIT ?");
	check_short(select, 37, "SELECT ... FROM c WHERE id = ? ...");
	check_short(select, 30, "SELECT ... c WHERE id = ? ...");
	check_short(select, 26, "SELECT ... c ... = ? ...");
	check_short("SELECT \"Mixed\" FROM \"t x\"", 80, "SELECT \"Mixed\" FROM \"t x\"");
	check_short("SELECT DISTINCT aaaaaaaaaaaaaaaaaaaa FROM t", 30, "SELECT DISTINCT ... FROM t");
	check_short("SELECT a.long_column_name FROM a INNER JOIN b ON a.id = b.a_id WHERE a.x = ?", 45, "SELECT ... FROM a ... WHERE a.x = ?");
	check_short("INSERT INTO \"log\" (\"one\", \"two\") VALUES (?, ?) RETURNING \"id\"", 50, "INSERT INTO log (...) VALUES (?, ?) RETURNING id");
	check_short("INSERT INTO \"log\" (\"one\", \"two\") VALUES (?, ?) RETURNING \"id\"", 40, "INSERT INTO log (...) VALUES ...");
	check_short("UPDATE users SET users.a = ? WHERE users.id = ?", 42, "UPDATE users SET a = ? WHERE id = ?");
	check_short("", 40, "");
	check_short("SELECT", 4, "...T");
	check_short("\"", 4, "\"");
}

static void
check_time(uint64_t ns, const char *ms, const char *time)
{
	char buf[TEXT_TIME];

	assert_string_equal(text_ms(ns, buf), ms);
	assert_string_equal(text_time(ns, buf), time);
}

static void
numbers_read_well(void **state)
{
	char buf[TEXT_COUNT];

	(void)state;
	check_time(0, "0", "0 ms");
	check_time(4000, "0.00", "0.00 ms");
	check_time(310000, "0.31", "0.31 ms");
	check_time(4210000, "4.2", "4.2 ms");
	check_time(9949999, "9.9", "9.9 ms");
	check_time(9950000, "10", "10 ms");
	check_time(34400000, "34", "34 ms");
	check_time(1000000, "1.0", "1 ms");
	check_time(1500000000, "1500", "1.5 s");
	check_time(200000000000, "200000", "3 min 20 s");
	check_time(7260000000000, "7260000", "2 h 1 min");
	assert_string_equal(text_count(0, buf), "0");
	assert_string_equal(text_count(999, buf), "999");
	assert_string_equal(text_count(1000, buf), "1,000");
	assert_string_equal(text_count(UINT64_MAX, buf), "18,446,744,073,709,551,615");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_is_strict), cmocka_unit_test(hostile_bytes_become_visible), cmocka_unit_test(columns_are_counted),
		cmocka_unit_test(cuts_fit_and_are_marked), cmocka_unit_test(sql_gives_up_what_says_least), cmocka_unit_test(numbers_read_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
