/* SPDX-License-Identifier: Apache-2.0 */
/* test_parameters: a value bound in binary, bound as text and written as a literal has one hash, type by type; the listed exceptions
 * (fingerprint/SHAPES.md, "Parameters") have not. */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdio.h>

#include "fingerprint/sql.h"
#include "proxy/wire/wire.h"

enum { CANON = 1024, PG = SQL_POSTGRESQL, MY = SQL_MYSQL };

struct sample {
	uint8_t dialect;
	uint32_t type;		/* of wire_value */
	const char *hex;	/* as bound in binary */
	const char *literal;	/* as written in a statement */
};

static uint64_t
hash_of(char *text, size_t n)
{
	if (n > CANON)		/* no text: equal to nothing */
		return 0;
	return sql_hash(span_of(text, sql_canon_text(text, n)));
}

static uint64_t
literal_hash(unsigned dialect, const char *literal)
{
	char text[CANON];

	return hash_of(text, sql_literal_text((struct sql_lang){ (uint8_t)dialect, 0 }, span_str(literal), text, sizeof text));
}

static uint64_t
bound_hash(unsigned dialect, uint32_t type, const void *p, size_t n, bool binary)
{
	struct wire_value v = { .p = p, .n = (int32_t)n, .type = type, .binary = binary };
	char text[CANON];

	return hash_of(text, (dialect == PG ? &pg_engine : &my_engine)->value_text(&v, text, sizeof text));
}

static size_t
unhex(const char *hex, uint8_t *out)
{
	size_t n = 0;
	unsigned byte;

	while (hex[2 * n] && sscanf(hex + 2 * n, "%2x", &byte) == 1)
		out[n++] = (uint8_t)byte;
	return n;
}

static uint64_t
binary_hash(const struct sample *s)
{
	uint8_t bytes[64];

	return bound_hash(s->dialect, s->type, bytes, unhex(s->hex, bytes), true);
}

static const struct sample same[] = {
	/* int2, int4, int8, oid */
	{ PG, 21, "002a", "42" }, { PG, 23, "0000002a", "42" }, { PG, 20, "000000000000002a", "42" }, { PG, 26, "0000002a", "42" }, { PG, 23, "0000002a", "'42'" },
	{ PG, 23, "0000002a", "042" }, { PG, 23, "0000002a", "+42" }, { PG, 23, "0000002a", "0x2A" }, { PG, 23, "0000002a", "4_2" }, { PG, 23, "0000002a", "42.0" },
	{ PG, 21, "ffd6", "-42" }, { PG, 20, "ffffffffffffffd6", "- 42" }, { PG, 23, "ffffffd6", "'-42'" }, { PG, 23, "00000000", "-0" }, { PG, 23, "0000002a", "4.2e1" },
	/* numeric, floats */
	{ PG, 1700, "000200000000000200011388", "1.5" }, { PG, 1700, "000200000000000200011388", "'1.500'" },
	{ PG, 701, "3ff8000000000000", "1.5" }, { PG, 700, "3fc00000", "1.5" }, { PG, 700, "3dcccccd", "0.1" }, { PG, 701, "3fb999999999999a", ".1" }, { PG, 701, "4045000000000000", "42" },
	/* bool */
	{ PG, 16, "01", "TRUE" }, { PG, 16, "00", "false" }, { PG, 16, "01", "'t'" },
	/* text */
	{ PG, 25, "6974277320c3a9", "'it''s \303\251'" }, { PG, 1043, "610a62", "E'a\\nb'" }, { PG, 19, "6162", "$t$ab$t$" }, { PG, 25, "3432", "42" }, { PG, 1042, "6120", "'a '" },
	{ PG, 25, "c3a9", "U&'\\00e9'" }, { PG, 25, "6162", "'a'\n'b'" }, { PG, 114, "7b7d", "'{}'" }, { PG, 3802, "017b7d", "'{}'" }, { PG, 142, "3c612f3e", "'<a/>'" },
	/* uuid, bytea, bits */
	{ PG, 2950, "a0eebc999c0b4ef8bb6d6bb9bd380a11", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'" }, { PG, 2950, "a0eebc999c0b4ef8bb6d6bb9bd380a11", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'" },
	{ PG, 17, "00ff", "'\\x00FF'" }, { PG, 17, "00ff", "'\\x00ff'" }, { PG, 1560, "0000000519", "B'00011'" }, { PG, 1562, "000000081f", "X'1F'" },
	/* times */
	{ PG, 1082, "00000000", "'2000-01-01'" }, { PG, 1114, "0000000000000000", "'2000-01-01 00:00:00'" }, { PG, 1184, "0000000000000000", "'2000-01-01 00:00:00+00'" },
	{ PG, 1083, "0000000000000001", "'00:00:00.000001'" }, { PG, 1186, "00000000000000000000000100000000", "'1 day'" },
	/* networks, arrays */
	{ PG, 869, "020800040a010203", "'10.1.2.3/8'" }, { PG, 829, "08002b010203", "'08:00:2b:01:02:03'" }, { PG, 1007, "000000000000000000000017", "'{}'" },
	/* MySQL */
	{ MY, 1, "2a", "42" }, { MY, 2, "2a00", "'42'" }, { MY, 3, "2a000000", "42" }, { MY, 8, "2a00000000000000", "042" }, { MY, 9, "2a000000", "42" }, { MY, 13, "e807", "2024" },
	{ MY, 1 | 0x8000, "ff", "255" }, { MY, 8, "ffffffffffffffff", "-1" }, { MY, 246, "312e3530", "1.5" }, { MY, 5, "000000000000f83f", "1.5" }, { MY, 4, "cdcccc3d", "0.1" },
	{ MY, 1, "01", "TRUE" }, { MY, 1, "00", "FALSE" }, { MY, 253, "69742773", "'it\\'s'" }, { MY, 253, "69742773", "\"it's\"" }, { MY, 253, "c3a9", "_utf8mb4'\303\251'" },
	{ MY, 252, "00ff", "x'00FF'" }, { MY, 252, "00ff", "0x00ff" }, { MY, 252, "05", "b'101'" }, { MY, 253, "6162", "'a' 'b'" }, { MY, 245, "7b7d", "'{}'" },
	{ MY, 10, "e807021d", "'2024-02-29'" }, { MY, 12, "e807021d010203", "'2024-02-29 01:02:03'" }, { MY, 7, "e807021d01020304000000", "'2024-02-29 01:02:03.000004'" }, { MY, 11, "010100000002030400000000", "'-26:03:04.000000'" },
	{ MY, 253, "61306565626339392d396330622d346566382d626236642d366262396264333830613131", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'" },
};

static const struct sample others[] = {
	{ PG, 23, "0000002a", "43" }, { PG, 23, "0000002a", "-42" }, { PG, 23, "0000002a", "42.5" }, { PG, 16, "01", "'true'" }, { PG, 16, "01", "1" }, { PG, 25, "6120", "'a'" },
	{ PG, 2950, "a0eebc999c0b4ef8bb6d6bb9bd380a11", "'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'" }, { PG, 2950, "a0eebc999c0b4ef8bb6d6bb9bd380a11", "'a0eebc999c0b4ef8bb6d6bb9bd380a11'" },
	{ PG, 17, "00ff", "'\\000\\377'" }, { PG, 1114, "0000000000000000", "'2000-01-01T00:00:00'" }, { PG, 1083, "000000000007a120", "'00:00:00.500000'" },
	{ PG, 1184, "0000000000000000", "'2000-01-01 01:00:00+01'" }, { PG, 1186, "00000000000000000000000100000000", "'1d'" }, { PG, 700, "3dcccccd", "0.10000000149011612" },
	{ MY, 254, "a0eebc999c0b4ef8bb6d6bb9bd380a11", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'" }, { MY, 1, "01", "'true'" },
};

static void
one_value_one_hash(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		if (binary_hash(&same[i]) != literal_hash(same[i].dialect, same[i].literal)) {
			print_error("type %u %s is not %s\n", same[i].type, same[i].hex, same[i].literal);
			wrong++;
		}
	assert_int_equal(wrong, 0);
}

static void
listed_exceptions_differ(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (binary_hash(&others[i]) == literal_hash(others[i].dialect, others[i].literal)) {
			print_error("type %u %s is %s\n", others[i].type, others[i].hex, others[i].literal);
			wrong++;
		}
	assert_int_equal(wrong, 0);
}

/* A value bound as text is read like a string. */
static void
text_is_read_like_a_string(void **state)
{
	static const char *const texts[] = { "42", "042", "-1.50", "t", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "\\x00FF", "2000-01-01 00:00:00", "", "it" };
	char literal[64];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		snprintf(literal, sizeof literal, "'%s'", texts[i]);
		assert_true(bound_hash(PG, 25, texts[i], strlen(texts[i]), false) == literal_hash(PG, literal));
		assert_true(bound_hash(PG, 23, texts[i], strlen(texts[i]), false) == literal_hash(PG, literal));
	}
}

/* Another process has another key. */
static void
hashes_are_keyed(void **state)
{
	uint64_t before = sql_hash(SPAN_LIT("42"));

	(void)state;
	assert_true(sql_hash(SPAN_LIT("42")) == before && before != 0);
	sql_hash_key_init();
	assert_true(sql_hash(SPAN_LIT("42")) != before);
}

static void
moments_are_dates_with_a_time(void **state)
{
	static const struct {
		const char *text;
		uint32_t seconds;
	} samples[] = {
		{ "1970-01-01 00:00:01", 1 }, { "2000-02-29 12:00:00", 951825600 }, { "2023-08-02T09:39:14", 1690969154 },
		{ "2026-11-21 15:30:02.123456+01:00", 1795275002 }, { "2100-03-01 00:00:00Z", 4107542400 },
		{ "2026-11-21", 0 }, { "2026-11-21 15:30", 0 }, { "15:30:02", 0 }, { "2026-13-21 15:30:02", 0 }, { "2026-11-21 25:30:02", 0 },
		{ "2026-11-21 15:30:0x", 0 }, { "2026-11-21 15:30:02 or so", 0 }, { "1969-12-31 23:59:59", 0 }, { "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
		assert_int_equal(sql_moment(span_str(samples[i].text)), samples[i].seconds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_value_one_hash),
		cmocka_unit_test(listed_exceptions_differ),
		cmocka_unit_test(text_is_read_like_a_string),
		cmocka_unit_test(hashes_are_keyed),
		cmocka_unit_test(moments_are_dates_with_a_time),
	};

	sql_hash_key_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
