/* SPDX-License-Identifier: Apache-2.0 */
/* test_sql_secrets: plants a marker in every form of literal and comment of both dialects, in every place of a statement, cut off anywhere,
 * and looks for any three letters (or digits) of it in the shapes. The generator is seeded with a constant: every run is the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fingerprint/limits.h"
#include "fingerprint/sql.h"
#include "fingerprint/strbuf.h"

#define LETTERS "zqxjkvwyq"	/* no three of them in a row stand in any template */
#define DIGITS "8675309"
enum { ROUNDS = 40000, GRAM = 3, TEXT = 1 << 16 };

/* A literal; ~ is the secret in letters, ^ in digits. */
struct form {
	const char *text;
	unsigned dialects;	/* bits of enum sql_dialect, and OPEN when it is never closed: nothing comes behind it */
	unsigned modes;		/* enum sql_mode that it needs */
};
enum { PG = 1 << SQL_POSTGRESQL, MY = 1 << SQL_MYSQL, ANY = PG | MY, OPEN = 4 };

static const struct form forms[] = {
	/* strings */
	{ "'~'", ANY, 0 }, { "'a''~'", ANY, 0 }, { "'''''~'", ANY, 0 }, { "N'~'", ANY, 0 }, { "n'~'", ANY, 0 }, { "'~' \n '~'", ANY, 0 },
	{ "'a'\n--~\n'~'", PG, 0 }, { "E'~'", PG, 0 }, { "e'a\\'~'", PG, 0 }, { "E'\\\\'", PG, 0 }, { "E'a\\\\\\'~'", PG, 0 },
	{ "U&'~'", PG, 0 }, { "u&'\\0041~' UESCAPE '!'", PG, 0 }, { "'a\\' || '~'", PG, 0 }, { "'a\\'~'", PG, SQL_MODE_BACKSLASH },
	{ "B'^'", ANY, 0 }, { "X'^'", ANY, 0 }, { "x'^'", ANY, 0 }, { "b'^'", ANY, 0 },
	{ "$$~$$", PG, 0 }, { "$t$~$t$", PG, 0 }, { "$t$~$u$~$t$", PG, 0 }, { "$t$ $$~$$ $t$", PG, 0 }, { "$_1$'~$_1$", PG, 0 },
	{ "$\xc3\xa9$~$\xc3\xa9$", PG, 0 }, { "'~'::text", PG, 0 }, { "text '~'", PG, 0 }, { "date '~'", ANY, 0 },
	{ "timestamp with time zone '~'", PG, 0 }, { "CAST('~' AS text)", PG, 0 }, { "CAST('~' AS char)", MY, 0 }, { "INTERVAL '~' DAY", ANY, 0 },
	{ "'{\"k\": \"~\"}'::jsonb", PG, 0 }, { "ARRAY['~', '~']", PG, 0 }, { "ROW('~', 1)", PG, 0 }, { "('~', 2)", ANY, 0 },
	{ "\"~\"", MY, 0 }, { "\"a\"\"~\"", MY, 0 }, { "'a\\'~'", MY, 0 }, { "\"a\\\"~\"", MY, 0 }, { "'a\\\\' '~'", MY, 0 },
	{ "_utf8mb4'~'", MY, 0 }, { "_latin1 '~'", MY, 0 }, { "_binary\"~\"", MY, 0 }, { "_utf8mb4 x'^'", MY, 0 }, { "_utf8mb4 0x^", MY, 0 },
	{ "'~' \"~\"", MY, 0 }, { "'a\\' + '~'", MY, SQL_MODE_NO_BACKSLASH }, { "{d '~'}", MY, 0 }, { "/*! '~' */", MY, 0 }, { "/*!50000 '~' */", MY, 0 },
	{ "/*M! '~' */", MY, 0 }, { "/*!99999 0x^ */", MY, 0 }, { "'\x95\\', '~'", MY, SQL_MODE_UNSAFE_ENCODING | SQL_MODE_SJIS },
	{ "'\xbf\\', '~'", MY, SQL_MODE_UNSAFE_ENCODING }, { "'\xc3(~\xff\xfe~'", ANY, 0 }, { "'\xf0\x9f\x98\x80~'", ANY, 0 },
	/* numbers */
	{ "^", ANY, 0 }, { "-^", ANY, 0 }, { "+ ^", ANY, 0 }, { "- /*~*/ ^", ANY, 0 }, { "^.^", ANY, 0 }, { ".^", ANY, 0 }, { "^.", ANY, 0 }, { "^e5", ANY, 0 },
	{ "1e^", ANY, 0 }, { "1.5e-^", ANY, 0 }, { "0x^", ANY, 0 }, { "0X^", PG, 0 }, { "0o^", PG, 0 }, { "0b1^", PG, 0 }, { "^_^", PG, 0 },
	{ "^::numeric(9,2)", PG, 0 }, { "1::numeric(^)", PG, 0 }, { "(^)", ANY, 0 }, { "((('~')))", ANY, 0 }, { "$^", PG, 0 },
	/* never closed */
	{ "'~", ANY | OPEN, 0 }, { "E'~", PG | OPEN, 0 }, { "E'~\\'", PG | OPEN, 0 }, { "U&'~", PG | OPEN, 0 }, { "$$~", PG | OPEN, 0 }, { "$t$~$$", PG | OPEN, 0 }, { "\"~", MY | OPEN, 0 }, { "_utf8'~", MY | OPEN, 0 },
	{ "/* ~", ANY | OPEN, 0 }, { "/* /* ~ */ ", PG | OPEN, 0 }, { "/*! '~", MY | OPEN, 0 }, { "/*+ '~", ANY | OPEN, 0 }, { "x'^", ANY | OPEN, 0 }, { "'~\\'", MY | OPEN, 0 }, { "'~''", ANY | OPEN, 0 },
	/* comments */
	{ "1 /* ~ */", ANY, 0 }, { "1 -- ~\n", ANY, 0 }, { "1 # ~\n", MY, 0 }, { "1 /* a /* ~ */ ~ */", PG, 0 }, { "/**/1/*~*/", ANY, 0 },
	{ "1 /*+ h('~') */", ANY, 0 }, { "1 /*+ h(^) */", ANY, 0 }, { "1 --~\n", PG, 0 }, { "1 --\t~\r", ANY, 0 },
};

/* A statement; @ is where the literal goes. */
static const struct {
	const char *text;
	unsigned dialects;
} places[] = {
	{ "SELECT * FROM t WHERE a = @", ANY }, { "SELECT @", ANY }, { "SELECT @ AS b, c FROM t", ANY }, { "SELECT a FROM t WHERE a IN (1, @, 'b') AND c = 2", ANY },
	{ "SELECT f(@, g(a, @)) FROM t ORDER BY @", ANY }, { "SELECT a FROM t WHERE @ = b AND c BETWEEN @ AND @", ANY },
	{ "SELECT a FROM t WHERE b LIKE @ ESCAPE @ GROUP BY @ HAVING count(*) > @ LIMIT @ OFFSET @", ANY }, { "SELECT CASE a WHEN @ THEN @ ELSE @ END FROM t", ANY },
	{ "SELECT a FROM t WHERE (a, b) IN ((@, 1), (2, @))", ANY }, { "SELECT a FROM t WHERE b = (SELECT @ FROM u WHERE c = @)", ANY },
	{ "WITH c AS (SELECT @ AS x) SELECT x FROM c WHERE x <> @", ANY }, { "SELECT a FROM t JOIN u ON t.a = @ UNION SELECT @ FROM v", ANY },
	{ "INSERT INTO t (a, b) VALUES (@, @), (@, now()), (DEFAULT, @)", ANY }, { "INSERT INTO t VALUES (@)", ANY }, { "INSERT INTO t SELECT @, b FROM u", ANY },
	{ "INSERT INTO t (a) VALUES (@) ON CONFLICT (a) DO UPDATE SET b = @ RETURNING @", PG }, { "INSERT INTO t SET a = @", MY },
	{ "INSERT INTO t (a) VALUES (@) ON DUPLICATE KEY UPDATE a = @, b = VALUES(b) + @", MY }, { "REPLACE INTO t (a) VALUES (@)", MY },
	{ "UPDATE t SET a = @, b = b + @ WHERE c = @", ANY }, { "DELETE FROM t WHERE a = @ AND b IS NOT NULL", ANY }, { "UPDATE t SET (a, b) = (@, @)", PG },
	{ "MERGE INTO t USING u ON t.a = @ WHEN MATCHED THEN UPDATE SET b = @ WHEN NOT MATCHED THEN INSERT (a) VALUES (@)", PG },
	{ "VALUES (@, 1), (2, @)", PG }, { "SELECT a FROM t WHERE a = ANY (ARRAY[@, @])", PG }, { "SELECT a[@], b[@:@] FROM t", PG }, { "SELECT a -> @ ->> @ #> @ FROM t", PG },
	{ "SELECT a ? @, a ?| @ FROM t", PG }, { "SELECT a @> @, a ~* @ FROM t", PG }, { "SELECT * FROM generate_series(@, @)", PG },
	{ "SET search_path = @", PG }, { "SET x.y TO @, @", PG }, { "SET LOCAL a = @", PG }, { "SET TIME ZONE @", PG }, { "SELECT set_config('a.b', @, true)", PG },
	{ "ALTER USER u PASSWORD @", PG }, { "CREATE USER u IDENTIFIED BY @", MY }, { "ALTER USER u@h IDENTIFIED WITH p AS @", MY }, { "SET PASSWORD FOR u = @", MY },
	{ "SET @v = @, @w = @", MY }, { "SET SESSION a = @, GLOBAL b = @", MY }, { "SET NAMES @", MY }, { "GRANT ALL ON t TO u IDENTIFIED BY @", MY },
	{ "CREATE TABLE t (a int DEFAULT @, b text CHECK (b <> @))", ANY }, { "CREATE TABLE t (a int COMMENT @)", MY }, { "COMMENT ON TABLE t IS @", PG },
	{ "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS @", PG }, { "DO @", ANY }, { "CALL p(@, a)", ANY }, { "EXECUTE s(@, @)", PG }, { "PREPARE s AS SELECT a FROM t WHERE b = @", PG },
	{ "PREPARE s FROM @", MY }, { "EXECUTE IMMEDIATE @", MY }, { "COPY t FROM @ WITH (DELIMITER @)", PG }, { "LOAD DATA INFILE @ INTO TABLE t FIELDS TERMINATED BY @", MY },
	{ "NOTIFY c, @", PG }, { "KILL @", MY }, { "DECLARE c CURSOR FOR SELECT @ FROM t", PG }, { "FETCH @ FROM c", PG }, { "EXPLAIN SELECT a FROM t WHERE b = @", ANY },
	{ "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (password @)", PG }, { "CREATE SUBSCRIPTION s CONNECTION @ PUBLICATION p", PG }, { "ALTER SYSTEM SET a = @", PG },
	{ "CREATE PROCEDURE p() BEGIN SET @x = @; SELECT @; END", MY }, { "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT @; SELECT @; END", PG },
	{ "CHANGE MASTER TO MASTER_PASSWORD = @", MY }, { "XA START @", MY }, { "ROLLBACK TO SAVEPOINT a; SELECT @", ANY }, { "PREPARE TRANSACTION @", PG }, { "SECURITY LABEL ON TABLE t IS @", PG },
	{ "@", ANY }, { "foo bar @ baz", ANY }, { "SELECT ) ] @ FROM (", ANY }, { "SELECT a.@ FROM t", ANY }, { "SELECT a::@ FROM t", PG }, { "SELECT t.@ . b, @::@ FROM", PG }, { "VALUES VALUES (@), ((@))", ANY },
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static uint64_t state_of_dice = 0x9E3779B97F4A7C15u;

static size_t
dice(size_t n)
{
	state_of_dice ^= state_of_dice << 13;
	state_of_dice ^= state_of_dice >> 7;
	state_of_dice ^= state_of_dice << 17;
	return (size_t)(state_of_dice % n);
}

/* Whether three bytes of the secret in a row are in the shape, in any case. */
static bool
leaks(struct span shape, const char *secret)
{
	for (size_t i = 0; i + GRAM <= strlen(secret); i++)
		for (size_t k = 0; k + GRAM <= shape.n; k++)
			if (strncasecmp((const char *)shape.p + k, secret + i, GRAM) == 0)
				return true;
	return false;
}

static void
put_form(struct strbuf *b, const struct form *form)
{
	for (const char *p = form->text; *p; p++)
		if (*p == '~')
			strbuf_str(b, LETTERS);
		else if (*p == '^')
			strbuf_str(b, DIGITS);
		else
			strbuf_char(b, *p);
}

/* A form the dialect knows and that is what it should be in these modes. */
static const struct form *
pick_form(unsigned dialect, unsigned modes)
{
	for (;;) {
		const struct form *form = &forms[dice(COUNT(forms))];

		if ((form->dialects & dialect) && (form->modes == modes || (form->modes == 0 && !strchr(form->text, '\\'))))
			return form;
	}
}

/* False when it ends in a form that is never closed. */
static bool
put_statement(struct strbuf *b, const char *place, unsigned dialect, const struct form *first, unsigned modes)
{
	for (const char *p = place; *p; p++) {
		if (*p == '@' && !(p[1] >= 'a' && p[1] <= 'z') && p[1] != '>') {
			const struct form *form = first ? first : pick_form(dialect, modes);

			put_form(b, form);
			if (form->dialects & OPEN)
				return false;
			first = NULL;
		} else if (*p == ' ' && dice(12) == 0)
			strbuf_str(b, dialect == PG ? " /* a */ " : "\n-- a\n");
		else
			strbuf_char(b, *p);
	}
	return true;
}

static void
check_text(struct sql_scanner *s, struct sql_lang lang, struct span text)
{
	struct sql_stmt st;
	uint8_t *copy = malloc(text.n + !text.n);	/* a block of its own size, so that a sanitizer sees a read too far */

	assert_non_null(copy);
	memcpy(copy, text.p, text.n);
	for (struct span t = span_of(copy, text.n); t.n;) {
		t = span_from(t, sql_scan(s, lang, t, &st));
		assert_true(st.shape.n <= LIMIT_SHAPE_BYTES);
		if (leaks(st.shape, LETTERS) || leaks(st.shape, DIGITS))
			fail_msg("dialect %u modes %u: %.*s\nleaks into %.*s", lang.dialect, lang.modes, (int)text.n, text.p, (int)st.shape.n, st.shape.p);
	}
	free(copy);
}

/* Every form in every place, whole. */
static void
every_form_in_every_place(void **state)
{
	struct sql_scanner *s = sql_scanner_new();
	struct strbuf b;
	unsigned n = 0;

	(void)state;
	strbuf_init(&b, TEXT);
	for (size_t f = 0; f < COUNT(forms); f++)
		for (size_t p = 0; p < COUNT(places); p++)
			for (unsigned d = 0; d < 2; d++) {
				struct sql_lang lang = { (uint8_t)d, (uint8_t)forms[f].modes };

				if (!(forms[f].dialects & 1u << d) || !(places[p].dialects & 1u << d))
					continue;
				strbuf_reset(&b);
				put_statement(&b, places[p].text, 1u << d, &forms[f], forms[f].modes);
				check_text(s, lang, strbuf_span(&b));
				n++;
			}
	print_message("%u statements\n", n);
	assert_true(n > 7000);
	strbuf_clear(&b);
	sql_scanner_free(s);
}

/* Several statements at random, cut off at a random byte. */
static void
cut_anywhere(void **state)
{
	struct sql_scanner *s = sql_scanner_new();
	struct strbuf b;

	(void)state;
	strbuf_init(&b, TEXT);
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned d = (unsigned)dice(2), modes = 0;

		if (dice(4) == 0)
			modes = d == SQL_MYSQL ? (unsigned)(SQL_MODE_UNSAFE_ENCODING | (dice(2) ? SQL_MODE_SJIS : 0)) : SQL_MODE_BACKSLASH;
		strbuf_reset(&b);
		for (size_t k = 1 + dice(3); k; k--) {
			size_t p = dice(COUNT(places));

			if ((places[p].dialects & 1u << d) && !put_statement(&b, places[p].text, 1u << d, NULL, modes))
				break;
			strbuf_str(&b, dice(2) ? "; " : " ");
		}
		size_t n = 1 + dice(b.n);

		/* 12e is a name in MySQL */
		n -= d == SQL_MYSQL && n > 1 && b.p[n - 1] == 'e' && b.p[n - 2] >= '0' && b.p[n - 2] <= '9';
		check_text(s, (struct sql_lang){ (uint8_t)d, (uint8_t)modes }, span_first(strbuf_span(&b), n));
	}
	strbuf_clear(&b);
	sql_scanner_free(s);
}

/* Beyond every limit of the scanner: text, values, slots, nesting, shape. */
static void
beyond_the_limits(void **state)
{
	static const char *const starts[] = { "SELECT a FROM t WHERE ", "INSERT INTO t VALUES (", "SELECT f(", "SELECT (((((((", "CALL p(" };
	static const char *const repeated[] = { "'~', ", "^, ", "a = '~' OR ", "(^, '~'), ", "f('~', ", "('~' + ", "/* ~ */ + ^ ", "$$~$$ || ", "[^, " };
	static const struct form tails[] = { { "'~", ANY | OPEN, 0 }, { "$$~", PG | OPEN, 0 }, { "/* ~", ANY | OPEN, 0 }, { "^", ANY | OPEN, 0 } };
	struct sql_scanner *s = sql_scanner_new();
	struct strbuf b;

	(void)state;
	strbuf_init(&b, LIMIT_SQL_TEXT + TEXT);
	for (size_t i = 0; i < COUNT(starts) * COUNT(repeated); i++) {
		const struct form form = { repeated[i % COUNT(repeated)], PG, 0 };

		strbuf_reset(&b);
		strbuf_str(&b, starts[i / COUNT(repeated)]);
		while (b.n < LIMIT_SQL_TEXT + dice(400))
			put_form(&b, &form);
		put_form(&b, &tails[dice(COUNT(tails))]);
		check_text(s, (struct sql_lang){ SQL_POSTGRESQL, 0 }, strbuf_span(&b));
	}
	strbuf_clear(&b);
	sql_scanner_free(s);
}

/* The search finds what is there. */
static void
names_are_found(void **state)
{
	struct sql_scanner *s = sql_scanner_new();
	struct sql_stmt st;

	(void)state;
	sql_scan(s, (struct sql_lang){ 0, 0 }, SPAN_LIT("SELECT a" LETTERS ", b" DIGITS " FROM t"), &st);
	assert_true(leaks(st.shape, LETTERS) && leaks(st.shape, DIGITS));
	sql_scanner_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found),
		cmocka_unit_test(every_form_in_every_place),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(beyond_the_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
