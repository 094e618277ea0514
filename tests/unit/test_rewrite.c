/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of rewrite: what look-ups become when they are batched, and what stands in the way of others. Whether both mean the same is tested
 * against servers (live/test_fix.py). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>

#include "reports/fix/rewrite.h"

static const struct sql_lang pg = { SQL_POSTGRESQL, 0 }, my = { SQL_MYSQL, 0 }, ansi = { SQL_MYSQL, SQL_MODE_ANSI_QUOTES };

enum { MOST = 8 };

/* Executions given as texts, or as one text and its parameters: "a|b" is two of one execution, "~" is NULL. */
struct run {
	struct arena a;
	struct fix_exec e[MOST];
	uint32_t n;
	struct rewrite w;
	bool built;
};

static const struct fix_value *
values(struct arena *a, const char *text, uint32_t *n)
{
	struct fix_value *v = arena_zero(a, MOST * sizeof *v);

	for (*n = 0; text; ++*n) {
		const char *bar = strchr(text, '|');
		char *one = arena_strndup(a, span_of(text, bar ? (size_t)(bar - text) : strlen(text)));

		v[*n].text = strcmp(one, "~") == 0 ? NULL : one;
		text = bar ? bar + 1 : NULL;
	}
	return v;
}

static void
plan(struct run *r, struct sql_lang lang, bool unique, const char *sql, const char *const *params)
{
	*r = (struct run){ .n = 0 };
	for (; params[r->n]; r->n++) {
		struct fix_exec *e = &r->e[r->n];

		*e = (struct fix_exec){ .lang = lang, .text = span_str(sql ? sql : params[r->n]) };
		if (sql)
			e->params = values(&r->a, params[r->n], &e->nparams);
	}
	rewrite_plan(&r->w, r->e, r->n, &r->a);
	r->built = !r->w.why && rewrite_build(&r->w, &r->e[0], unique, &r->a);
}

/* Fails unless the batched form is this one; params: joined by |. */
static void
becomes(struct sql_lang lang, bool unique, const char *sql, const char *const *params, const char *want, const char *want_params)
{
	char bound[400] = "";
	struct run r;

	plan(&r, lang, unique, sql, params);
	if (!r.built)
		fail_msg("%s: %s", sql ? sql : params[0], r.w.why);
	assert_string_equal(r.w.sql, want);
	for (uint32_t i = 0; i < r.w.nparams; i++)
		snprintf(bound + strlen(bound), sizeof bound - strlen(bound), "%s%s", i ? "|" : "", r.w.params[i].text ? r.w.params[i].text : "~");
	assert_string_equal(bound, want_params);
	arena_clear(&r.a);
}

static void
refused(struct sql_lang lang, const char *sql, const char *const *params, const char *why)
{
	struct run r;

	plan(&r, lang, false, sql, params);
	if (r.built)
		fail_msg("%s became %s", sql ? sql : params[0], r.w.sql);
	if (!strstr(r.w.why, why))
		fail_msg("%s: %s", sql ? sql : params[0], r.w.why);
	arena_clear(&r.a);
}

#define P(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define PG(sql, params, want, bound) becomes(pg, true, sql, params, want, bound)
#define TEXTS(lang, texts, want) becomes(lang, true, NULL, texts, want, "")
#define REFUSED(sql, why) refused(pg, sql, P("1", "2", "3"), why)

static void
bound_values_become_an_array(void **state)
{
	(void)state;
	PG("SELECT * FROM users WHERE id = $1", P("1", "2", "3"), "SELECT *, id AS rowcall_key FROM users WHERE id = ANY($1)", "{\"1\",\"2\",\"3\"}");
	PG("SELECT u.\"Name\" FROM shop.\"Users\" AS u WHERE u.\"Id\" = $1;", P("1", "2"),
	    "SELECT u.\"Name\", u.\"Id\" AS rowcall_key FROM shop.\"Users\" AS u WHERE u.\"Id\" = ANY($1)", "{\"1\",\"2\"}");
	/* quotes and backslashes in values */
	PG("SELECT a FROM t WHERE k = $1", P("a\"b", "c\\d"), "SELECT a, k AS rowcall_key FROM t WHERE k = ANY($1)", "{\"a\\\"b\",\"c\\\\d\"}");
	/* the value first, in parentheses, with a cast */
	PG("SELECT a FROM t WHERE ($1::uuid = t.k)", P("1", "2"), "SELECT a, t.k AS rowcall_key FROM t WHERE t.k = ANY($1::uuid[])", "{\"1\",\"2\"}");
	PG("SELECT a FROM t WHERE k = ($1)::character varying(20)", P("1", "2"),
	    "SELECT a, k AS rowcall_key FROM t WHERE k = ANY($1::character varying(20)[])", "{\"1\",\"2\"}");
}

static void
duplicates_and_null_are_no_keys_of_their_own(void **state)
{
	struct run r;

	(void)state;
	plan(&r, pg, true, "SELECT a FROM t WHERE k = $1", P("1", "2", "1", "~", "2"));
	assert_true(r.built);
	assert_int_equal(r.w.nkeys, 3);
	assert_int_equal(r.w.keys[1].exec, 1);
	assert_true(r.w.keys[2].null);
	assert_string_equal(r.w.params[0].text, "{\"1\",\"2\"}");
	arena_clear(&r.a);
	TEXTS(pg, P("SELECT a FROM t WHERE k = NULL", "SELECT a FROM t WHERE k = 2"), "SELECT a, k AS rowcall_key FROM t WHERE k IN (2)");
}

static void
literals_stay_as_they_were_written(void **state)
{
	(void)state;
	TEXTS(pg, P("SELECT a FROM t WHERE k = 'it''s' AND v > 3", "SELECT a FROM t WHERE k = E'b\\'' AND v > 3"),
	    "SELECT a, k AS rowcall_key FROM t WHERE k IN ('it''s', E'b\\'') AND (v > 3)");
	TEXTS(pg, P("SELECT a FROM t WHERE k = -5", "SELECT a FROM t WHERE k=+7", "SELECT a FROM t WHERE k = 9"),
	    "SELECT a, k AS rowcall_key FROM t WHERE k IN (-5, +7, 9)");
	TEXTS(pg, P("SELECT a -5 FROM t WHERE k = 1", "SELECT a -5 FROM t WHERE k = 2"), "SELECT a -5, k AS rowcall_key FROM t WHERE k IN (1, 2)");
	TEXTS(pg, P("SELECT a FROM t WHERE k = $x$1$x$", "SELECT a FROM t WHERE k = $$2$$"), "SELECT a, k AS rowcall_key FROM t WHERE k IN ($x$1$x$, $$2$$)");
	TEXTS(my, P("SELECT `a` FROM `t` WHERE `t`.`k` = \"x\\\"y\"", "SELECT `a` FROM `t` WHERE `t`.`k` = 'z'"),
	    "SELECT `a`, `t`.`k` AS rowcall_key FROM `t` WHERE `t`.`k` IN (\"x\\\"y\", 'z')");
	TEXTS(ansi, P("SELECT \"a\" FROM \"t\" WHERE \"k\" = 1", "SELECT \"a\" FROM \"t\" WHERE \"k\" = 2"),
	    "SELECT \"a\", \"k\" AS rowcall_key FROM \"t\" WHERE \"k\" IN (1, 2)");
	/* comments go, what is in strings stays */
	TEXTS(pg, P("SELECT a/* x */FROM t WHERE k = '-- 1'", "SELECT a/* y */FROM t WHERE k = '/* 2 */'"),
	    "SELECT a, k AS rowcall_key FROM t WHERE k IN ('-- 1', '/* 2 */')");
}

static void
constant_conditions_stay(void **state)
{
	(void)state;
	PG("SELECT a FROM t WHERE tenant = $2 AND k = $1 AND deleted IS NULL", P("1|9", "2|9"),
	    "SELECT a, k AS rowcall_key FROM t WHERE (tenant = $1) AND k = ANY($2) AND (deleted IS NULL)", "9|{\"1\",\"2\"}");
	PG("SELECT a FROM t WHERE (k = $1 AND (x = 1 OR y = 2)) AND z BETWEEN 1 AND 5 AND n IN (1, 2)", P("1", "2"),
	    "SELECT a, k AS rowcall_key FROM t WHERE k = ANY($1) AND (x = 1 OR y = 2) AND (z BETWEEN 1 AND 5) AND (n IN (1, 2))", "{\"1\",\"2\"}");
	becomes(my, true, "SELECT a FROM t WHERE s = ? AND k = ? AND v > ?", P("x|1|7", "x|2|7"),
	    "SELECT a, k AS rowcall_key FROM t WHERE (s = ?) AND k IN (?, ?) AND (v > ?)", "x|1|2|7");
}

static void
several_columns_may_be_the_key(void **state)
{
	(void)state;
	PG("SELECT v FROM t WHERE a = $1 AND b = $2", P("1|x", "2|y", "1|y"),
	    "SELECT v, a AS rowcall_key, b AS rowcall_key2 FROM t WHERE (a, b) IN (($1, $2), ($3, $4), ($5, $6))", "1|x|2|y|1|y");
	becomes(my, true, "SELECT v FROM t WHERE a = ? AND b = ?", P("1|x", "2|y"),
	    "SELECT v, a AS rowcall_key, b AS rowcall_key2 FROM t WHERE (a, b) IN ((?, ?), (?, ?))", "1|x|2|y");
}

static void
limits_by_what_they_mean(void **state)
{
	static const char first[] = "SELECT v FROM t WHERE k = $1 ORDER BY at DESC LIMIT 1";

	(void)state;
	/* a unique key makes LIMIT mean nothing */
	PG("SELECT v FROM t WHERE k = $1 LIMIT $2", P("1|21", "2|21"), "SELECT v, k AS rowcall_key FROM t WHERE k = ANY($1)", "{\"1\",\"2\"}");
	becomes(pg, false, first, P("1", "2"), "SELECT DISTINCT ON (k) v, k AS rowcall_key FROM t WHERE k = ANY($1) ORDER BY k, at DESC", "{\"1\",\"2\"}");
	becomes(my, false, "SELECT v FROM t WHERE k = ? ORDER BY at DESC LIMIT 0, 1", P("1", "2"),
	    "SELECT * FROM (SELECT v, k AS rowcall_key, ROW_NUMBER() OVER (PARTITION BY k ORDER BY at DESC) AS rowcall_nth FROM t WHERE k IN (?, ?)) AS "
	    "rowcall_rows WHERE rowcall_nth <= 1 ORDER BY rowcall_nth",
	    "1|2");
	becomes(pg, false, "SELECT v FROM t WHERE k = $1 ORDER BY at FETCH FIRST 3 ROWS ONLY", P("1", "2"),
	    "SELECT * FROM (SELECT v, k AS rowcall_key, ROW_NUMBER() OVER (PARTITION BY k ORDER BY at) AS rowcall_nth FROM t WHERE k = ANY($1)) AS "
	    "rowcall_rows WHERE rowcall_nth <= 3 ORDER BY rowcall_nth",
	    "{\"1\",\"2\"}");
	/* which rows it takes no other statement can be asked for: whether it cuts any off, the rows tell */
	becomes(pg, false, "SELECT v FROM t WHERE k = $1 LIMIT 21", P("1", "2"), "SELECT v, k AS rowcall_key FROM t WHERE k = ANY($1)", "{\"1\",\"2\"}");
	becomes(pg, false, "SELECT v FROM t WHERE k = $1 ORDER BY 1 LIMIT 1", P("1", "2"), "SELECT v, k AS rowcall_key FROM t WHERE k = ANY($1) ORDER BY 1",
	    "{\"1\",\"2\"}");
	becomes(pg, false, "SELECT v FROM t WHERE k = $1 ORDER BY mod(v, 3), v LIMIT 1", P("1", "2"),
	    "SELECT DISTINCT ON (k) v, k AS rowcall_key FROM t WHERE k = ANY($1) ORDER BY k, mod(v, 3), v", "{\"1\",\"2\"}");
	/* a name alone is the result's column, which a window does not know */
	becomes(my, false, "SELECT v, mod(v, 7) AS k2, at AS `when` FROM t WHERE k = ? ORDER BY K2 DESC, `when`, t.k2, lower(k2) LIMIT 2", P("1", "2"),
	    "SELECT * FROM (SELECT v, mod(v, 7) AS k2, at AS `when`, k AS rowcall_key, ROW_NUMBER() OVER (PARTITION BY k ORDER BY mod(v, 7) DESC, at, "
	    "t.k2, lower(k2)) AS rowcall_nth FROM t WHERE k IN (?, ?)) AS rowcall_rows WHERE rowcall_nth <= 2 ORDER BY rowcall_nth",
	    "1|2");
	REFUSED("SELECT v FROM t WHERE k = $1 ORDER BY v LIMIT 1 OFFSET 2", "skips rows");
	REFUSED("SELECT v FROM t WHERE k = $1 ORDER BY v LIMIT 2, 1", "skips rows");
	REFUSED("SELECT v FROM t WHERE k = $1 ORDER BY v LIMIT 0", "no number of rows");
}

static void
what_stands_in_the_way_is_named(void **state)
{
	(void)state;
	REFUSED("UPDATE t SET a = 1 WHERE k = $1", "writes");
	REFUSED("WITH x AS (SELECT 1) SELECT a FROM x WHERE k = $1", "not a plain SELECT");
	REFUSED("(SELECT a FROM t WHERE k = $1)", "not a plain SELECT");
	REFUSED("SELECT a FROM t JOIN u ON u.k = t.k WHERE t.k = $1", "joins tables");
	REFUSED("SELECT a FROM t, u WHERE t.k = $1", "joins tables");
	REFUSED("SELECT a FROM t x LEFT JOIN u ON true WHERE x.k = $1", "joins tables");
	REFUSED("SELECT a FROM (SELECT * FROM t) x WHERE k = $1", "query or joins");
	REFUSED("SELECT a FROM f($1) WHERE k = $1", "from a function");
	REFUSED("SELECT a FROM ONLY t WHERE k = $1", "something else than one table");
	REFUSED("SELECT count(*) FROM t WHERE k = $1", "aggregates");
	REFUSED("SELECT DISTINCT a FROM t WHERE k = $1", "DISTINCT");
	REFUSED("SELECT a FROM t WHERE k = $1 GROUP BY a", "groups rows");
	REFUSED("SELECT a FROM t WHERE k = $1 UNION SELECT 1", "combines several");
	REFUSED("SELECT a FROM t WHERE k = $1 FOR UPDATE", "locks");
	REFUSED("SELECT a FROM t WHERE k = $1 FOR NO KEY UPDATE OF t NOWAIT", "locks");
	REFUSED("SELECT random() FROM t WHERE k = $1", "may answer differently");
	REFUSED("SELECT a FROM t WHERE k = $1 AND nextval('s') > 0", "may answer differently");
	REFUSED("SELECT a FROM t WHERE k = $1 AND pg_catalog.lower(b) = 'x'", "may answer differently");
	REFUSED("SELECT a FROM t WHERE k = $1 AND \"count\"(b) = 1", "may answer differently");
	REFUSED("SELECT a FROM t WHERE k = $1 AND at < current_timestamp", "depends on the time");
	REFUSED("SELECT a FROM t WHERE k = $1 AND EXISTS (SELECT 1 FROM u)", "query inside");
	REFUSED("SELECT a, rank() OVER (ORDER BY a) FROM t WHERE k = $1", "differently");
	REFUSED("SELECT a FROM t WHERE k = $1 OR k = 5", "simply compared");
	REFUSED("SELECT a FROM t WHERE NOT k = $1", "simply compared");
	REFUSED("SELECT a FROM t WHERE k > $1", "simply compared");
	REFUSED("SELECT a FROM t WHERE k + 1 = $1", "simply compared");
	REFUSED("SELECT a FROM t WHERE lower(k) = $1", "simply compared");
	REFUSED("SELECT a FROM t WHERE k = $1 COLLATE \"C\"", "simply compared");
	REFUSED("SELECT a FROM t WHERE k = $1 = true", "simply compared");
	REFUSED("SELECT a, $1 FROM t WHERE k = 3", "simply compared");
	REFUSED("SELECT a FROM t", "no condition");
	REFUSED("SELECT a FROM t WHERE", "not understood");
	REFUSED("SELECT a FROM t WHERE k = $1 AND", "not understood");
	REFUSED("SELECT a FROM t WHERE (k = $1", "not understood");
	REFUSED("SELECT a FROM t WHERE k = $1; DROP TABLE t", "several statements");
	REFUSED("SELECT a INTO x FROM t WHERE k = $1", "stores its rows");
	REFUSED("SELECT a FROM t WHERE k = $1 AND 'unterminated", "not understood");
	REFUSED("SELECT 1 AS a", "reads no table");
	REFUSED("", "not a plain SELECT");
	refused(my, "SELECT a FROM t WHERE k = ? AND v = @x", P("1", "2"), "variable");
	refused(my, "SELECT a FROM t WHERE k = ? /*!50000 AND v = 1 */", P("1", "2"), "executable comment");
	refused(my, "SELECT a FROM t USE INDEX (k) WHERE k = ?", P("1", "2"), "no condition");
	refused(my, "SELECT a FROM t WHERE k = ? || v = 1", P("1", "2"), "simply compared");
	refused(my, "SELECT a FROM t WHERE k = ? LOCK IN SHARE MODE", P("1", "2"), "locks");
	refused(my, "SELECT SQL_CALC_FOUND_ROWS a FROM t WHERE k = ?", P("1", "2"), "modifier");
	refused((struct sql_lang){ SQL_MYSQL, SQL_MODE_UNSAFE_ENCODING }, "SELECT a FROM t WHERE k = ?", P("1", "2"), "not understood");
}

static void
executions_must_be_alike(void **state)
{
	(void)state;
	refused(pg, "SELECT a FROM t WHERE k = $1", P("5", "5"), "the same each time");
	refused(pg, "SELECT a FROM t WHERE k = $1 AND v > $2", P("5|1", "6|2"), "simply compared");
	refused(pg, "SELECT a FROM t WHERE k = $1 AND v = $2", P("5|1", "6"), "missing");
	refused(pg, NULL, P("SELECT a FROM t WHERE k = 1", "SELECT a FROM t WHERE k = 2 AND b = 1"), "not written alike");
	refused(pg, NULL, P("SELECT a FROM t WHERE k = 1", "SELECT b FROM t WHERE k = 2"), "not written alike");
	refused(pg, NULL, P("SELECT a FROM t WHERE k = 1 AND n IN (1, 2)", "SELECT a FROM t WHERE k = 2 AND n IN (1)"), "not written alike");
}

static void
keys_are_bounded(void **state)
{
	enum { N = REWRITE_KEYS + 10 };
	static struct fix_exec e[N];
	static struct fix_value v[N];
	static char text[N][12];
	struct arena a = { 0 };
	struct rewrite w;

	(void)state;
	for (int i = 0; i < N; i++) {
		snprintf(text[i], sizeof text[i], "%d", i);
		v[i].text = text[i];
		e[i] = (struct fix_exec){ .lang = pg, .text = span_str("SELECT a FROM t WHERE k = $1"), .params = &v[i], .nparams = 1 };
	}
	rewrite_plan(&w, e, N, &a);
	assert_null(w.why);
	assert_int_equal(w.nkeys, REWRITE_KEYS);
	assert_int_equal(w.distinct, N);
	arena_clear(&a);
}

static void
indexes_are_named_after_what_they_serve(void **state)
{
	static const struct {
		struct sql_lang lang;
		const char *sql, *index;
	} cases[] = {
		{ { SQL_POSTGRESQL, 0 }, "SELECT id FROM users WHERE email = $1", "CREATE INDEX \"users_email_idx\" ON users (email)" },
		{ { SQL_POSTGRESQL, 0 }, "SELECT id FROM \"Shop\".\"Users\" u WHERE u.\"E Mail\" = $1 AND u.tenant = 3 AND v > 1",
		    "CREATE INDEX \"Users_E Mail_tenant_idx\" ON \"Shop\".\"Users\" (\"E Mail\", tenant)" },
		{ { SQL_MYSQL, 0 }, "SELECT id FROM `users` WHERE `email` = ?", "CREATE INDEX `users_email_idx` ON `users` (`email`)" },
		{ { SQL_POSTGRESQL, 0 }, "SELECT count(*) FROM users WHERE email = $1", "CREATE INDEX \"users_email_idx\" ON users (email)" },
		{ { SQL_POSTGRESQL, 0 }, "SELECT id FROM users WHERE lower(email) = $1", NULL },
	};
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct look_up l;
		const char *index;

		look_up_read(&l, cases[i].lang, span_str(cases[i].sql), &a);
		index = rewrite_index(&l, cases[i].lang, NULL, 0, &a);
		if (cases[i].index)
			assert_string_equal(index, cases[i].index);
		else
			assert_null(index);
	}
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bound_values_become_an_array),
		cmocka_unit_test(duplicates_and_null_are_no_keys_of_their_own),
		cmocka_unit_test(literals_stay_as_they_were_written),
		cmocka_unit_test(constant_conditions_stay),
		cmocka_unit_test(several_columns_may_be_the_key),
		cmocka_unit_test(limits_by_what_they_mean),
		cmocka_unit_test(what_stands_in_the_way_is_named),
		cmocka_unit_test(executions_must_be_alike),
		cmocka_unit_test(keys_are_bounded),
		cmocka_unit_test(indexes_are_named_after_what_they_serve),
	};

	sql_hash_key_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
