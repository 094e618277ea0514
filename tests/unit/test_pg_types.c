/* SPDX-License-Identifier: Apache-2.0 */
/* Binary values decoded to what the server itself printed (tests/wire/pg-types.txt, recorded), and hostile ones refused. */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/wire/wire.h"

static int
hex_digit(char ch)
{
	return ch <= '9' ? ch - '0' : ch - 'a' + 10;
}

static size_t
unhex(const char *hex, size_t n, uint8_t *out)
{
	if (*hex == '-')
		return 0;
	for (size_t i = 0; i + 1 < n; i += 2)
		out[i / 2] = (uint8_t)(hex_digit(hex[i]) << 4 | hex_digit(hex[i + 1]));
	return n / 2;
}

/* "\n", "\t" and "\\" in place, to the length. */
static size_t
unescape(char *text)
{
	char *to = text;

	for (char *from = text; *from; from++, to++) {
		*to = *from;
		if (*from == '\\') {
			from++;
			*to = *from == 'n' ? '\n' : *from == 't' ? '\t' : *from;
		}
	}
	return (size_t)(to - text);
}

/* The bytes in a block of exactly their size, so that the sanitizer sees a read too far. */
static size_t
decode(uint32_t type, const uint8_t *bytes, size_t n, char *buf, size_t cap)
{
	uint8_t *exact = malloc(n ? n : 1);
	struct wire_value v = { .p = exact, .n = (int32_t)n, .type = type, .binary = true };
	size_t length;

	memcpy(exact, bytes, n);
	length = pg_engine.value_text(&v, buf, cap);
	free(exact);
	return length;
}

/* Every byte of a good value damaged, and every shorter length: an answer or a refusal, never a crash. */
static void
abuse(uint32_t type, uint8_t *bytes, size_t n)
{
	char buf[64];

	for (size_t i = 0; i < n; i++) {
		decode(type, bytes, i, buf, sizeof buf);
		for (unsigned bit = 0; bit < 8; bit++) {
			bytes[i] ^= (uint8_t)(1u << bit);
			decode(type, bytes, n, buf, sizeof buf);
			bytes[i] ^= (uint8_t)(1u << bit);
		}
	}
}

static void
recorded_values(void **state)
{
	FILE *f = fopen("wire/pg-types.txt", "r");
	char *line = NULL, *hex, *text, buf[4096];
	size_t cap = 0, n, want, got, lines = 0, wrong = 0;
	uint8_t bytes[4096];
	ssize_t length;
	uint32_t type;

	(void)state;
	assert_non_null(f);
	while ((length = getline(&line, &cap, f)) > 0) {
		if (line[0] == '#')
			continue;
		line[length - 1] = '\0';
		type = (uint32_t)strtoul(line, &hex, 10);
		hex++;
		text = hex + strcspn(hex, " ") + 1;
		n = unhex(hex, (size_t)(text - 1 - hex), bytes);
		want = unescape(text);
		got = decode(type, bytes, n, buf, sizeof buf);
		if (got != want || memcmp(buf, text, want) != 0)
			print_error("type %u %.60s: wanted %s, got %.*s\n", type, hex, text, got < sizeof buf ? (int)got : 0, buf);
		wrong += got != want || memcmp(buf, text, want) != 0;
		abuse(type, bytes, n);
		lines++;
	}
	free(line);
	fclose(f);
	assert_int_equal(wrong, 0);
	assert_true(lines > 400);
}

static void
a_short_buffer_gets_the_beginning_and_the_length(void **state)
{
	uint8_t four[] = { 0, 1, 0xe2, 0x40 };	/* 123456 */
	char buf[4] = "xxxx";

	(void)state;
	assert_int_equal(decode(23, four, 4, buf, 3), 6);
	assert_memory_equal(buf, "123x", 4);
	assert_int_equal(decode(23, four, 4, NULL, 0), 6);
}

static void
text_is_copied_whatever_its_type(void **state)
{
	struct wire_value v = { .p = (const uint8_t *)"t", .n = 1, .type = 16 };
	char buf[4];

	(void)state;
	assert_int_equal(pg_engine.value_text(&v, buf, sizeof buf), 1);
	assert_int_equal(buf[0], 't');
	v.n = 0;
	v.p = NULL;
	assert_int_equal(pg_engine.value_text(&v, buf, sizeof buf), 0);
}

static void
what_cannot_be_printed_is_refused(void **state)
{
	static const struct {
		uint32_t type;
		const char *hex;
	} bad[] = {
		{ 0, "00000001" },	/* unknown type */
		{ 600, "00" },		/* a type without a decoder */
		{ 23, "0001" },		/* too short */
		{ 23, "0000000100" },	/* too long */
		{ 2950, "00" },
		{ 1700, "0001000000000000" },	/* a group that is not there */
		{ 3802, "027b7d" },	/* jsonb of a later version */
		{ 869, "0220000300000000" },
		{ 869, "0221000400000000" },	/* 33 bits of an IPv4 address */
		{ 1083, "7fffffffffffffff" },
		{ 1007, "0000000700000000000000170000000100000001" },	/* seven dimensions */
		{ 1007, "000000010000000000000017ffffffff0000000100000000" },	/* more elements than bytes */
		{ 1007, "00000002000000000000001700010000000000010001000000000001" },
		{ 1007, "0000000100000000000003ef000000010000000100000000" },	/* an array of arrays */
		{ 1007, "0000000100000000000000170000000100000001000000020000" },	/* an int of two bytes */
	};
	uint8_t bytes[64];
	char buf[64];
	struct wire_value null = { .n = -1, .type = 23 }, unavailable = { .n = -2, .type = 23 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_true(decode(bad[i].type, bytes, unhex(bad[i].hex, strlen(bad[i].hex), bytes), buf, sizeof buf) == (size_t)-1);
	assert_true(pg_engine.value_text(&null, buf, sizeof buf) == (size_t)-1);
	assert_true(pg_engine.value_text(&unavailable, buf, sizeof buf) == (size_t)-1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_values),
		cmocka_unit_test(a_short_buffer_gets_the_beginning_and_the_length),
		cmocka_unit_test(text_is_copied_whatever_its_type),
		cmocka_unit_test(what_cannot_be_printed_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
