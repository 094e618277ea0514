/* SPDX-License-Identifier: Apache-2.0 */
/* The edge of a full shape: what becomes one mark takes no more room than the mark, wherever the edge falls while it is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fingerprint/limits.h"
#include "fingerprint/sql.h"
#include "fingerprint/strbuf.h"

enum { NEAR = 120, TEXT = LIMIT_SHAPE_BYTES + 4096 };

/* Two ways to write the same. */
static const struct pair {
	const char *name, *one, *other;
	unsigned dialects;	/* bit per dialect */
} pairs[] = {
	{ "a list", "c IN (1, 'two', $3, 4.0, -5)", "c IN (1)", 1 },
	{ "a list", "c IN (1, 'two', 3, 4.0, -5)", "c IN (1)", 2 },
	{ "an array", "c = ANY (ARRAY[1, 2, 3, 4, 5, 6, 7])", "c = ANY (ARRAY[1])", 1 },
	{ "a cast", "'12'::numeric(10, 2)", "'12'", 1 },
	{ "a sign", "- 1", "1", 3 },
	{ "a list of row values", "(a, b) IN ((1, 2), (3, 4), (5, 6))", "(a, b) IN ((1, 2))", 3 },
};

/* What stands behind it. */
static const char *const tails[] = { ", z", ", \xc3\xa4, 'x', zz FROM t", " FROM t WHERE a = 1 AND d IN (1, 2, 3)" };

/* Columns that take shape_n bytes of the shape; characters of two bytes right before what follows. */
static void
put_start(struct strbuf *b, size_t shape_n)
{
	static const char word[] = "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4, ";

	strbuf_reset(b);
	strbuf_str(b, "SELECT ");
	while ((shape_n - b->n - 2) % (sizeof word - 1))
		strbuf_char(b, 'b');
	strbuf_str(b, ", ");
	while (b->n < shape_n)
		strbuf_str(b, word);
}

static bool
whole_characters(struct span s)
{
	for (size_t i = 0; i < s.n;) {
		size_t n = s.p[i] < 0x80 ? 1 : s.p[i] < 0xe0 ? 2 : 3;

		if (s.p[i] >= 0x80 && s.p[i] < 0xc2)
			return false;
		for (size_t k = 1; k < n; k++)
			if (i + k >= s.n || (s.p[i + k] & 0xc0) != 0x80)
				return false;
		i += n;
	}
	return true;
}

/* The shape of a list of columns of shape_n bytes with expr and tail behind it; in room. Whether it was cut. */
static bool
shape_of(struct sql_scanner *s, unsigned dialect, size_t shape_n, const char *expr, const char *tail, struct strbuf *room)
{
	struct sql_stmt st;
	struct strbuf b;

	strbuf_init(&b, TEXT);
	put_start(&b, shape_n);
	strbuf_str(&b, expr);
	strbuf_str(&b, tail);
	assert_false(b.cut);
	sql_scan(s, (struct sql_lang){ (uint8_t)dialect, 0 }, strbuf_span(&b), &st);
	assert_true(st.shape.n <= LIMIT_SHAPE_BYTES && whole_characters(st.shape));
	for (size_t i = 0; i < st.ntables; i++)
		assert_true(whole_characters(st.tables[i].name));
	strbuf_reset(room);
	strbuf_add(room, st.shape);
	strbuf_clear(&b);
	return st.cut;
}

static void
both_are_cut_alike(void **state)
{
	struct sql_scanner *s = sql_scanner_new();
	struct strbuf one, other;
	unsigned n = 0, cut = 0;

	(void)state;
	strbuf_init(&one, TEXT);
	strbuf_init(&other, TEXT);
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs * 2; i++) {
		const struct pair *p = &pairs[i / 2];

		for (size_t t = 0; t < sizeof tails / sizeof *tails && (p->dialects & 1u << (i & 1)); t++)
			for (size_t at = LIMIT_SHAPE_BYTES - NEAR; at < LIMIT_SHAPE_BYTES + 8; at++, n++) {
				bool a = shape_of(s, i & 1, at, p->one, tails[t], &one), b = shape_of(s, i & 1, at, p->other, tails[t], &other);

				cut += a;
				if (a != b || !span_eq(strbuf_span(&one), strbuf_span(&other)))
					fail_msg("%s at %zu: %s%s\n%.90s\n%.90s", p->name, at, p->one, tails[t], strbuf_cstr(&one) + one.n - 80, strbuf_cstr(&other) + other.n - 80);
			}
	}
	assert_true(cut > 300 && n - cut > 300);
	strbuf_clear(&one);
	strbuf_clear(&other);
	sql_scanner_free(s);
}

/* A CAST that begins where the shape is full is left as it stands, and of a name that has no room no half is told. */
static void
no_character_is_broken(void **state)
{
	static const char *const exprs[] = { "CAST('a' AS varchar(10))", "f(CAST('a' AS text))", "x = CAST(1 AS char)", "((CAST(NULL AS int)))",
		"a FROM one.\xc3\xa4\xc3\xa4\xc3\xa4.three.\xc3\xa4" };
	struct sql_scanner *s = sql_scanner_new();
	struct strbuf room;

	(void)state;
	strbuf_init(&room, TEXT);
	for (unsigned i = 0; i < 2 * sizeof exprs / sizeof *exprs; i++)
		for (size_t at = LIMIT_SHAPE_BYTES - NEAR; at < LIMIT_SHAPE_BYTES + 8; at++)
			shape_of(s, i & 1, at, exprs[i / 2], tails[1], &room);
	strbuf_clear(&room);
	sql_scanner_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_are_cut_alike),
		cmocka_unit_test(no_character_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
