/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of emit.c: the emitter's text, byte by byte, and that jansson reads back what went in. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>

#include "reports/write/emit.h"

static void
structure_and_numbers(void **state)
{
	struct strbuf b;
	struct emit j;

	(void)state;
	strbuf_init(&b, 4096);
	emit_init(&j, &b, 0);
	emit_open(&j, '{');
	emit_key(&j, "a");
	emit_open(&j, '[');
	emit_uint(&j, UINT64_MAX);
	emit_int(&j, INT64_MIN);
	emit_int(&j, -1);
	emit_bool(&j, true);
	emit_null(&j);
	emit_close(&j, ']');
	emit_key(&j, "b");
	emit_open(&j, '{');
	emit_close(&j, '}');
	emit_key(&j, "ms");
	emit_open(&j, '[');
	emit_ms(&j, 0);
	emit_ms(&j, 499);
	emit_ms(&j, 500);
	emit_ms(&j, 1234567);
	emit_ms(&j, 999999999);
	emit_close(&j, ']');
	emit_key(&j, "n");
	emit_str_or_null(&j, "");
	emit_close(&j, '}');
	assert_string_equal(strbuf_cstr(&b), "{\"a\":[18446744073709551615,-9223372036854775808,-1,true,null],\"b\":{},"
	    "\"ms\":[0.000,0.000,0.001,1.235,1000.000],\"n\":null}");
	strbuf_clear(&b);
}

static void
documents_in_html_end_no_element(void **state)
{
	struct strbuf b;
	struct emit j;

	(void)state;
	strbuf_init(&b, 4096);
	emit_init(&j, &b, 0);
	j.in_html = true;
	emit_open(&j, '{');
	emit_key(&j, "<!--");
	emit_str(&j, "</script> <\xff \xe2\x80\xa8 a > b & c");
	emit_close(&j, '}');
	assert_string_equal(strbuf_cstr(&b), "{\"\\u003c!--\":\"\\u003c/script> \\u003c\xef\xbf\xbd \\u2028 a > b & c\"}");
	strbuf_clear(&b);
}

static void
outer_levels_break_lines(void **state)
{
	struct strbuf b;
	struct emit j;

	(void)state;
	strbuf_init(&b, 4096);
	emit_init(&j, &b, 1);
	emit_open(&j, '{');
	emit_key(&j, "a");
	emit_open(&j, '[');
	emit_uint(&j, 1);
	emit_uint(&j, 2);
	emit_close(&j, ']');
	emit_key(&j, "b");
	emit_str(&j, "x");
	emit_close(&j, '}');
	assert_string_equal(strbuf_cstr(&b), "{\n \"a\": [1, 2],\n \"b\": \"x\"\n}");
	strbuf_clear(&b);
}

static void
check_string(const char *bytes, size_t n, const char *expected)
{
	struct strbuf b;
	struct emit j;
	json_error_t why;
	json_t *read;

	strbuf_init(&b, 4096);
	emit_init(&j, &b, 0);
	emit_span(&j, span_of(bytes, n));
	assert_string_equal(strbuf_cstr(&b), expected);
	read = json_loadb(b.p, b.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
	assert_non_null(read);
	json_decref(read);
	strbuf_clear(&b);
}

#define CHECK_STRING(in, out) check_string(in, sizeof in - 1, out)

static void
strings_are_safe_utf8(void **state)
{
	(void)state;
	CHECK_STRING("", "\"\"");
	CHECK_STRING("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
	CHECK_STRING("\n\t\r\x01\x1b[0m\x7f", "\"\\n\\t\\u000d\\u0001\\u001b[0m\\u007f\"");
	CHECK_STRING("a\0b", "\"a\\u0000b\"");
	CHECK_STRING("\xc3\xbc\xe2\x86\x92\xf0\x9f\x98\x80", "\"\xc3\xbc\xe2\x86\x92\xf0\x9f\x98\x80\"");
	CHECK_STRING("\xff" "a\xc3", "\"\xef\xbf\xbd" "a\xef\xbf\xbd\"");
	CHECK_STRING("\xe2\x80\xae\xc2\x9b\xe2\x80\xa8", "\"\\u202e\\u009b\\u2028\"");
	CHECK_STRING("\xf3\xa0\x81\x81", "\"\\udb40\\udc41\"");
}

static void
a_full_buffer_says_so(void **state)
{
	struct strbuf b;
	struct emit j;

	(void)state;
	strbuf_init(&b, 8);
	emit_init(&j, &b, 0);
	emit_open(&j, '[');
	emit_str(&j, "much too long");
	emit_close(&j, ']');
	assert_true(b.cut);
	strbuf_clear(&b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(structure_and_numbers), cmocka_unit_test(outer_levels_break_lines),
		cmocka_unit_test(documents_in_html_end_no_element), cmocka_unit_test(strings_are_safe_utf8),
		cmocka_unit_test(a_full_buffer_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
