/* SPDX-License-Identifier: Apache-2.0 */
/* test_identity: what the cache of identities promises: it is bounded, counts what it does, is not defeated by unique tags, and a stream of
 * texts that never come again costs lexing and no memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "fingerprint/identity.h"
#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

static const struct sql_lang PG = { SQL_POSTGRESQL, 0 }, MY = { SQL_MYSQL, 0 };

struct fixture {
	struct shapes *shapes;
	struct identity_cache *cache;
	struct identity id;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	f->shapes = shapes_new();
	f->cache = identity_cache_new(f->shapes);
	assert_non_null(f->cache);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	identity_cache_free(f->cache);
	shapes_free(f->shapes);
	free(f);
	return 0;
}

/* Identifies the text that format makes. */
static __attribute__((format(printf, 3, 4))) void
look(struct fixture *f, struct sql_lang lang, const char *format, ...)
{
	static char text[2 * LIMIT_CACHE_KEY];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	assert_in_range(n, 1, sizeof text - 1);
	assert_int_equal(identity_next(f->cache, lang, span_of(text, (size_t)n), &f->id), n);
}

static void
is_bounded_and_counts(void **state)
{
	struct fixture *f = *state;
	const uint64_t texts = 3 * LIMIT_CACHE_ENTRIES;

	for (unsigned i = 0; i < texts; i++)
		for (int k = 0; k < 3; k++)
			look(f, PG, "SELECT c%u FROM t WHERE id = %d", i, k);
	struct identity_stats st = identity_stats(f->cache);

	assert_int_equal(st.hits + st.misses, 3 * texts);
	assert_int_equal(st.hits, texts);		/* noted, kept, known */
	assert_int_equal(st.uncacheable, 0);
	assert_in_range(st.entries, LIMIT_CACHE_ENTRIES / 2, LIMIT_CACHE_ENTRIES);
	assert_int_equal(st.entries + st.evictions, texts);
	assert_in_range(st.bytes, 1, LIMIT_CACHE_BYTES);
}

static void
bytes_are_bounded(void **state)
{
	struct fixture *f = *state;
	char columns[3500] = "";

	memset(columns, 'c', sizeof columns - 1);
	for (unsigned i = 0; i < 2 * LIMIT_CACHE_BYTES / sizeof columns; i++)
		for (int k = 0; k < 3; k++)
			look(f, PG, "SELECT a%u, %s FROM t", i, columns);
	struct identity_stats st = identity_stats(f->cache);

	assert_in_range(st.bytes, LIMIT_CACHE_BYTES / 2, LIMIT_CACHE_BYTES);
}

static void
long_texts_are_not_kept(void **state)
{
	struct fixture *f = *state;
	char columns[LIMIT_CACHE_KEY + 1];

	memset(columns, 'c', sizeof columns - 1);
	columns[LIMIT_CACHE_KEY - strlen("SELECT  FROM t")] = '\0';
	for (int k = 0; k < 3; k++)
		look(f, PG, "SELECT %s FROM t", columns);	/* at the limit */
	assert_int_equal(identity_stats(f->cache).hits, 1);
	for (int k = 0; k < 3; k++)
		look(f, PG, "SELECT %sc FROM t", columns);	/* one past it */
	assert_int_equal(identity_stats(f->cache).hits, 1);
	assert_int_equal(identity_stats(f->cache).uncacheable, 3);
}

static void
unique_tags_do_not_defeat_it(void **state)
{
	struct fixture *f = *state;
	const struct shape *shape = NULL;
	char key[16];

	for (unsigned i = 0; i < 5000; i++) {
		look(f, PG, "/* n=%u */ SELECT a FROM t WHERE b = $1 /*route='%%2Fa',request_id='r%u'*/ -- x=%u", i, i, i);
		snprintf(key, sizeof key, "r%u", i);
		assert_int_equal(f->id.ntags, 4);
		assert_true(span_is(f->id.tags[2].value, key));
		assert_true(!shape || f->id.shape == shape);
		shape = f->id.shape;
	}
	assert_int_equal(identity_stats(f->cache).misses, 2);
	assert_int_equal(identity_stats(f->cache).hits, 4998);
	assert_int_equal(identity_stats(f->cache).entries, 1);
}

static void
texts_that_never_come_again_take_no_memory(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 50000; i++)
		look(f, i & 1 ? PG : MY, "SELECT a%u FROM t WHERE b = $1 AND c IN (1, 2, 'x')", i);
	struct identity_stats st = identity_stats(f->cache);

	assert_int_equal(st.misses, 50000);
	assert_int_equal(st.hits + st.evictions, 0);
	assert_in_range(st.entries, 0, 8);		/* a hash of the doorkeepers may be met by chance */
}

/* A stream of strangers does not drive out what is asked for all the time. */
static void
strangers_do_not_drive_out_regulars(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 20000; i++) {
		look(f, PG, "SELECT a FROM t WHERE b = %u", i);
		look(f, PG, "SELECT a%u FROM t", i);
		look(f, PG, "SELECT a%u FROM t", i);
	}
	assert_true(identity_stats(f->cache).hits >= 19990);
}

static void
dialects_and_modes_are_apart(void **state)
{
	struct fixture *f = *state;
	const struct shape *first;

	for (int k = 0; k < 3; k++)
		look(f, MY, "SELECT \"a\" FROM t");
	first = f->id.shape;
	for (int k = 0; k < 3; k++)
		look(f, (struct sql_lang){ SQL_MYSQL, SQL_MODE_ANSI_QUOTES }, "SELECT \"a\" FROM t");
	assert_string_equal(first->text, "SELECT ? FROM t");
	assert_string_equal(f->id.shape->text, "SELECT a FROM t");
	look(f, PG, "SELECT \"a\" FROM t");
	assert_ptr_not_equal(f->id.shape, first);
}

static void
a_set_of_several_variables_is_not_kept(void **state)
{
	struct fixture *f = *state;

	for (int k = 0; k < 3; k++) {
		look(f, MY, "SET @rowcall_request = 'r1', @rowcall_scope = 'GET /'");
		assert_true(span_is(f->id.name, "@rowcall_request") && span_is(f->id.value, "'r1'"));
		assert_int_equal(f->id.nsettings, 1);
		assert_true(span_is(f->id.settings[0].name, "@rowcall_scope") && span_is(f->id.settings[0].value, "'GET /'"));
	}
	assert_int_equal(identity_stats(f->cache).hits, 0);
}

static void
without_memory_it_only_lexes(void **state)
{
	struct fixture *f = *state;

	look(f, PG, "SELECT a FROM t");
	mem_fail(0, 1000000);
	for (int k = 0; k < 5; k++)
		look(f, PG, "SELECT a FROM t");
	mem_fail(0, 0);
	assert_string_equal(f->id.shape->text, "SELECT a FROM t");
	assert_int_equal(identity_stats(f->cache).hits, 0);
	assert_int_equal(identity_stats(f->cache).entries, 0);
}

/* A quarter of a megabyte of statements in one text: each looks at its own bytes only. (Looking at all that follow would take many minutes.) */
static void
work_is_linear(void **state)
{
	static const char *const parts[] = { "a;", ";", "SELECT ';';", "/**/;", "x/*;*/;--\n", "(((((((" };
	struct fixture *f = *state;
	char *text = malloc(LIMIT_SQL_TEXT / 4);
	clock_t begin = clock();

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		size_t n = strlen(parts[i]), took;
		struct span t = span_of(text, LIMIT_SQL_TEXT / 4 / n * n);

		for (size_t at = 0; at < t.n; at += n)
			memcpy(text + at, parts[i], n);
		for (; t.n; t = span_from(t, took)) {
			took = identity_next(f->cache, PG, t, &f->id);
			assert_in_range(took, 1, t.n);
		}
	}
	print_message("%.1f s\n", (double)(clock() - begin) / CLOCKS_PER_SEC);
	assert_in_range((clock() - begin) / CLOCKS_PER_SEC, 0, 60);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_bounded_and_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(bytes_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(long_texts_are_not_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(unique_tags_do_not_defeat_it, setup, teardown),
		cmocka_unit_test_setup_teardown(texts_that_never_come_again_take_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(strangers_do_not_drive_out_regulars, setup, teardown),
		cmocka_unit_test_setup_teardown(dialects_and_modes_are_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(a_set_of_several_variables_is_not_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(without_memory_it_only_lexes, setup, teardown),
		cmocka_unit_test_setup_teardown(work_is_linear, setup, teardown),
	};

	sql_hash_key_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
