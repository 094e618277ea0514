/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded cursor: both byte orders, strings, length-encoded values, and what happens at the end of the bytes. */
#include <stddef.h>
#include <stdarg.h>
#include <setjmp.h>

#include <cmocka.h>

#include "proxy/wire/bytes.h"

static void
integers_of_both_orders(void **state)
{
	static const uint8_t p[] = { 1, 2, 3, 4, 5, 6, 7, 0x88 };
	struct bytes b = bytes_of(span_of(p, 8));

	(void)state;
	assert_int_equal(bytes_u8(&b), 1);
	assert_int_equal(bytes_be16(&b), 0x0203);
	assert_int_equal(bytes_le16(&b), 0x0504);
	assert_int_equal(bytes_le24(&b), 0x880706);
	assert_true(bytes_done(&b));
	b = bytes_of(span_of(p, 8));
	assert_int_equal(bytes_be32(&b), 0x01020304);
	assert_int_equal(bytes_le32(&b), 0x88070605);
	b = bytes_of(span_of(p, 8));
	assert_true(bytes_be64(&b) == UINT64_C(0x0102030405060788));
	b = bytes_of(span_of(p, 8));
	assert_true(bytes_le64(&b) == UINT64_C(0x8807060504030201));
}

static void
a_read_past_the_end_is_bad_for_good(void **state)
{
	static const uint8_t p[] = { 1, 2, 3 };
	struct bytes b = bytes_of(span_of(p, 3));

	(void)state;
	assert_int_equal(bytes_be32(&b), 0);
	assert_true(b.bad);
	assert_int_equal(bytes_left(&b), 0);
	assert_int_equal(bytes_u8(&b), 0);	/* although one byte would have been there before */
	assert_false(bytes_done(&b));
	b = bytes_of(span_of(p, 3));
	bytes_skip(&b, 3);
	assert_true(bytes_done(&b));
	bytes_skip(&b, 1);
	assert_true(b.bad);
}

static void
no_bytes_at_all(void **state)
{
	struct bytes b = bytes_of((struct span){ NULL, 0 });

	(void)state;
	assert_true(bytes_done(&b));
	assert_int_equal(bytes_rest(&b).n, 0);
	assert_int_equal(bytes_span(&b, 0).n, 0);
	assert_false(b.bad);
	assert_int_equal(bytes_cstr(&b).n, 0);
	assert_true(b.bad);
}

static void
strings_end_at_their_nul(void **state)
{
	struct bytes b = bytes_of(span_of("one\0\0two", 8));

	(void)state;
	assert_true(span_is(bytes_cstr(&b), "one"));
	assert_true(span_is(bytes_cstr(&b), ""));
	assert_false(b.bad);
	assert_int_equal(bytes_cstr(&b).n, 0);	/* "two" has no end */
	assert_true(b.bad);
}

static void
length_encoded_values(void **state)
{
	static const uint8_t p[] = { 0xfa, 0xfc, 0x34, 0x12, 0xfd, 1, 0, 1, 0xfe, 1, 0, 0, 0, 0, 0, 0, 0x80, 2, 'h', 'i', 0xfb, 1, '!' };
	struct bytes b = bytes_of(span_of(p, sizeof p));
	bool null;

	(void)state;
	assert_int_equal(bytes_lenenc(&b), 0xfa);
	assert_int_equal(bytes_lenenc(&b), 0x1234);
	assert_int_equal(bytes_lenenc(&b), 0x10001);
	assert_true(bytes_lenenc(&b) == UINT64_C(0x8000000000000001));
	assert_true(span_is(bytes_lenenc_span(&b), "hi"));
	assert_int_equal(bytes_lenenc_value(&b, &null).n, 0);
	assert_true(null);
	assert_true(span_is(bytes_lenenc_value(&b, &null), "!"));
	assert_false(null);
	assert_true(bytes_done(&b));
}

static void
length_encoded_lies(void **state)
{
	static const struct {
		uint8_t p[9];
		size_t n;
	} lies[] = {
		{ { 0xfb }, 1 }, { { 0xff }, 1 }, { { 0xfc, 1 }, 2 }, { { 0xfd, 1, 2 }, 3 }, { { 0xfe, 1, 2, 3, 4, 5, 6, 7 }, 8 }, { { 2, 'x' }, 2 },
		{ { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 9 }, { { 0 }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		struct bytes b = bytes_of(span_of(lies[i].p, lies[i].n));

		assert_int_equal(bytes_lenenc_span(&b).n, 0);
		assert_true(b.bad);
		assert_int_equal(bytes_left(&b), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_of_both_orders),
		cmocka_unit_test(a_read_past_the_end_is_bad_for_good),
		cmocka_unit_test(no_bytes_at_all),
		cmocka_unit_test(strings_end_at_their_nul),
		cmocka_unit_test(length_encoded_values),
		cmocka_unit_test(length_encoded_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
