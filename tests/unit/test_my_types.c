/* SPDX-License-Identifier: Apache-2.0 */
/* value_text of MySQL: every binary type, and what cannot be one. Against a real server's own text: tests/wire/my/values.txt. */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdio.h>

#include "proxy/wire/wire.h"

enum { UNSIGNED = 0x8000 };

struct sample {
	uint32_t type;
	const char *bytes;
	int32_t n;
	const char *text;	/* NULL: no text */
};

static void
assert_text(const struct sample *s)
{
	struct wire_value v = { .p = (const uint8_t *)s->bytes, .n = s->n, .type = s->type, .binary = true };
	char buf[80] = "untouched";
	size_t n = my_engine.value_text(&v, buf, sizeof buf);

	if (!s->text) {
		assert_true(n == (size_t)-1);
		assert_string_equal(buf, "untouched");
		return;
	}
	assert_int_equal(n, strlen(s->text));
	assert_memory_equal(buf, s->text, n);
}

static void
prints_every_type(void **state)
{
	static const struct sample samples[] = {
		{ 1, "\x80", 1, "-128" }, { 1 | UNSIGNED, "\x80", 1, "128" }, { 2, "\xff\x7f", 2, "32767" }, { 2, "\x00\x80", 2, "-32768" },
		{ 9, "\xff\xff\xff\xff", 4, "-1" }, { 3 | UNSIGNED, "\xff\xff\xff\xff", 4, "4294967295" },
		{ 8, "\0\0\0\0\0\0\0\x80", 8, "-9223372036854775808" }, { 8 | UNSIGNED, "\0\0\0\0\0\0\0\x80", 8, "9223372036854775808" },
		{ 13, "\xe8\x07", 2, "2024" }, { 13, "\0\0", 2, "0000" }, { 13 | UNSIGNED, "\x6d\x07", 2, "1901" },
		{ 4, "\0\0\xc0\x7f", 4, NULL }, { 4, "\xcd\xcc\xcc\x3d", 4, "0.1" }, { 4, "\0\0\0\x80", 4, "-0" },
		{ 5, "\x9a\x99\x99\x99\x99\x99\xb9\x3f", 8, "0.1" }, { 5, "\0\0\0\0\0\0\xf0\x7f", 8, NULL }, { 5, "\0\0\0\0\0\0\x59\x40", 8, "100" },
		{ 5, "\0\0\0\0\0\0\xf8\xbf", 8, "-1.5" }, { 5, "\x01\0\0\0\0\0\0\0", 8, "5e-324" }, { 5, "\xff\xff\xff\xff\xff\xff\xef\x7f", 8, "1.7976931348623157e308" },
		{ 10, "\xe8\x07\x02\x1d", 4, "2024-02-29" }, { 10, "", 0, "0000-00-00" }, { 12, "", 0, "0000-00-00 00:00:00" },
		{ 12, "\xe8\x07\x02\x1d", 4, "2024-02-29 00:00:00" }, { 7, "\xe8\x07\x02\x1d\x01\x02\x03", 7, "2024-02-29 01:02:03" },
		{ 12, "\xe8\x07\x02\x1d\x01\x02\x03\x04\0\0\0", 11, "2024-02-29 01:02:03.000004" },
		{ 11, "", 0, "00:00:00" }, { 11, "\x01\x01\0\0\0\x02\x03\x04", 8, "-26:03:04" }, { 11, "\0\0\0\0\0\x02\x03\x04\x05\0\0\0", 12, "02:03:04.000005" },
		{ 246, "12.50", 5, "12.50" }, { 0, "1", 1, "1" }, { 253, "text", 4, "text" }, { 245, "{}", 2, "{}" }, { 255, "", 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
		assert_text(&samples[i]);
}

static void
refuses_wrong_lengths(void **state)
{
	static const struct sample samples[] = {
		{ 1, "ab", 2, NULL }, { 2, "a", 1, NULL }, { 3, "abc", 3, NULL }, { 8, "", 0, NULL }, { 5, "abcd", 4, NULL },
		{ 10, "abc", 3, NULL }, { 12, "abcdefghijkl", 12, NULL }, { 11, "abcdefg", 7, NULL }, { 3, NULL, -1, NULL }, { 3, NULL, -2, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
		assert_text(&samples[i]);
}

static void
writes_at_most_cap_bytes(void **state)
{
	struct wire_value number = { .p = (const uint8_t *)"\x39\x30\0\0", .n = 4, .type = 3, .binary = true };
	struct wire_value text = { .p = (const uint8_t *)"12345", .n = 5, .type = 3 };
	char buf[4] = "...";

	(void)state;
	assert_int_equal(my_engine.value_text(&number, buf, 3), 5);
	assert_memory_equal(buf, "123", 4);
	memcpy(buf, "...", 4);
	assert_int_equal(my_engine.value_text(&text, buf, 2), 5);
	assert_memory_equal(buf, "12.", 4);
	assert_int_equal(my_engine.value_text(&number, NULL, 0), 5);
	assert_int_equal(my_engine.value_text(&text, NULL, 0), 5);
}

static void
lends_bytes_as_they_are(void **state)
{
	struct wire_value blob = { .p = (const uint8_t *)"\0\xff", .n = 2, .type = 252, .binary = true };
	struct wire_value bits = { .p = (const uint8_t *)"\x0a\xbc", .n = 2, .type = 16, .binary = true };
	char buf[4] = "";

	(void)state;
	assert_int_equal(my_engine.value_text(&blob, buf, sizeof buf), 2);
	assert_memory_equal(buf, "\0\xff", 2);
	assert_int_equal(my_engine.value_text(&bits, buf, sizeof buf), 2);
	assert_memory_equal(buf, "\x0a\xbc", 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_every_type), cmocka_unit_test(refuses_wrong_lengths), cmocka_unit_test(writes_at_most_cap_bytes),
		cmocka_unit_test(lends_bytes_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
