/* SPDX-License-Identifier: Apache-2.0 */
/* test_sql_cases: the golden cases of tests/sql (see its README). One test per file; every case is also read back, read through the
 * identity cache, and read with its last byte before a protected page. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "fingerprint/identity.h"
#include "fingerprint/limits.h"
#include "fingerprint/strbuf.h"
#include "golden.h"

enum { LINE = GOLDEN_LINE, PRODUCED = 1 << 16, LEAST_CASES = 400 };

static const char *const keys[] = { "class", "tables", "slots", "values", "tags", "name", "value", "flags" };
enum { KEYS = sizeof keys / sizeof *keys };

struct runner {
	struct sql_scanner *scanner;
	struct shapes *shapes;
	struct identity_cache *cache;
	struct sql_lang lang;
	const char *file;
	unsigned line, cases, failures;
	char why[LINE], sql[LINE];
	size_t sql_n;
	struct strbuf shape, produced[KEYS];	/* what the scanner says; one line per statement */
	struct strbuf expected[KEYS];
	bool asked[KEYS];
};

static unsigned all_cases;

/* ---- text of a case ---- */

static void
encode(struct strbuf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (c == '\n')
			strbuf_str(b, "<LF>");
		else if (c == '\r')
			strbuf_str(b, "<CR>");
		else if (c == '\t')
			strbuf_str(b, "<TAB>");
		else if (c == '\0')
			strbuf_str(b, "<NUL>");
		else if (c < 0x20)
			strbuf_printf(b, "<x%02x>", c);
		else
			strbuf_char(b, (char)c);
	}
}

/* ---- what the scanner says, in the words of a case ---- */

static void
put_tables(struct strbuf *b, const struct sql_stmt *st)
{
	strbuf_str(b, st->tables_unknown ? "?" : "");
	for (size_t i = 0; i < st->ntables; i++) {
		strbuf_str(b, i || st->tables_unknown ? " " : "");
		encode(b, st->tables[i].name);
		strbuf_str(b, st->tables[i].write ? "!" : "");
	}
}

static void
put_slots(struct strbuf *b, const struct sql_stmt *st)
{
	static const char *const classes[] = { "other", "eq", "in", "insert", "set", "range", "limit" };

	for (size_t i = 0; i < st->nslots; i++) {
		strbuf_printf(b, "%s%s(", i ? " " : "", classes[st->slots[i].cls]);
		encode(b, st->slots[i].table);
		strbuf_str(b, st->slots[i].column.n ? "." : "");
		encode(b, st->slots[i].column);
		strbuf_char(b, ')');
	}
}

static void
put_value(struct strbuf *b, struct sql_lang lang, const struct sql_value *v)
{
	char text[LINE];
	size_t n;

	switch ((enum sql_value_kind)v->kind) {
	case SQL_VALUE_PLACEHOLDER:
		strbuf_printf(b, "$%u", v->number);
		break;
	case SQL_VALUE_NULL:
		strbuf_str(b, "null");
		break;
	case SQL_VALUE_DEFAULT:
		strbuf_str(b, "default");
		break;
	case SQL_VALUE_LITERAL:
	case SQL_VALUE_BOOL:
		n = sql_literal_text(lang, v->raw, text, sizeof text);
		assert_true(n <= sizeof text);
		encode(b, span_of(text, n));
		break;
	}
	strbuf_printf(b, "@%d", v->slot == SQL_NO_SLOT ? -1 : v->slot);
}

static void
put_statement(struct runner *r, const struct sql_stmt *st)
{
	struct strbuf *out = r->produced;

	strbuf_printf(&out[0], "%s %s\n", sql_class_name(st->cls), sql_verb_name(st->verb));
	put_tables(&out[1], st);
	put_slots(&out[2], st);
	for (size_t i = 0; i < st->nvalues; i++) {
		strbuf_str(&out[3], i ? " | " : "");
		put_value(&out[3], r->lang, &st->values[i]);
	}
	for (size_t i = 0; i < st->ntags; i++) {
		strbuf_str(&out[4], i ? " | " : "");
		encode(&out[4], st->tags[i].key);
		strbuf_char(&out[4], '=');
		encode(&out[4], st->tags[i].value);
	}
	encode(&out[5], st->name);
	encode(&out[6], st->value);
	for (size_t i = 0; i < st->nsettings; i++) {
		strbuf_str(&out[5], " | ");
		encode(&out[5], st->settings[i].name);
		strbuf_str(&out[6], " | ");
		encode(&out[6], st->settings[i].value);
	}
	for (size_t i = 1; i < KEYS - 1; i++)
		strbuf_char(&out[i], '\n');
	if (st->cut)
		strbuf_str(&out[7], "cut\n");
	if (st->unfinished)
		strbuf_str(&out[7], "unfinished\n");
}

/* Reads a text, its last byte before a page that must not be touched. */
static void
read_text(struct runner *r, struct span text, struct strbuf *shape, bool produce)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (text.n / page + 1) * page;
	uint8_t *map = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sql_stmt st;

	assert_true(map != MAP_FAILED);
	assert_int_equal(mprotect(map + room, page, PROT_NONE), 0);
	if (text.n)
		memcpy(map + room - text.n, text.p, text.n);
	for (struct span t = span_of(map + room - text.n, text.n); t.n;) {
		size_t took = sql_scan(r->scanner, r->lang, t, &st);

		assert_in_range(took, 1, t.n);
		if (st.shape.n) {
			strbuf_str(shape, shape->n ? "; " : "");
			strbuf_add(shape, st.shape);
		}
		if (produce && (st.shape.n || st.ntags))
			put_statement(r, &st);
		t = span_from(t, took);
	}
	munmap(map, room + page);
}

/* ---- checks ---- */

static void
fail_case(struct runner *r, const char *what, const char *want, const char *got)
{
	r->failures++;
	print_error("%s:%u: %s\n  %s\n    want: %s\n    got:  %s\n", r->file, r->line, r->why, what, want, got);
}

/* Lines are compared without the blanks at their ends. */
static void
trim_lines(struct strbuf *b)
{
	char *o = b->p, *line = b->p;

	if (!b->p)
		return;
	for (const char *p = b->p; *p; p++) {
		if (*p == '\n')
			while (o > line && o[-1] == ' ')
				o--;
		*o++ = *p;
		if (*p == '\n')
			line = o;
	}
	*o = '\0';
	b->n = (size_t)(o - b->p);
}

static void
check_produced(struct runner *r)
{
	for (size_t i = 0; i < KEYS; i++) {
		trim_lines(&r->produced[i]);
		trim_lines(&r->expected[i]);
		const char *got = strbuf_cstr(&r->produced[i]), *want = strbuf_cstr(&r->expected[i]);

		if ((r->asked[i] || i == KEYS - 1) && strcmp(got, want) != 0)
			fail_case(r, keys[i], want, got);
	}
}

/* The shape of the shape is the shape. (Not in encodings whose bytes a shape does not keep.) */
static void
check_again(struct runner *r)
{
	struct strbuf again;

	if (r->lang.modes & SQL_MODE_UNSAFE_ENCODING)
		return;
	strbuf_init(&again, PRODUCED);
	read_text(r, strbuf_span(&r->shape), &again, false);
	if (!span_eq(strbuf_span(&again), strbuf_span(&r->shape)))
		fail_case(r, "shape of the shape", strbuf_cstr(&r->shape), strbuf_cstr(&again));
	strbuf_clear(&again);
}

/* The cache says what the scanner says, the first, second and third time. */
static void
check_cache(struct runner *r)
{
	struct span text = span_of(r->sql, r->sql_n);

	for (struct span t = text; t.n;) {
		struct sql_stmt st;
		struct identity id;
		size_t took = sql_scan(r->scanner, r->lang, t, &st);
		struct span first = span_first(t, took);

		for (int i = 0; i < 3; i++) {
			identity_next(r->cache, r->lang, first, &id);
			if (id.shape->fingerprint != st.fingerprint || id.ntags != st.ntags || !span_eq(id.name, st.name) ||
			    !span_eq(id.value, st.value) || id.nsettings != st.nsettings || id.unfinished != st.unfinished || id.shape->cls != st.cls)
				fail_case(r, "identity cache", "what the scanner says", id.shape->text);
			for (size_t k = 0; k < id.ntags && k < st.ntags; k++)
				if (!span_eq(id.tags[k].key, st.tags[k].key) || !span_eq(id.tags[k].value, st.tags[k].value))
					fail_case(r, "identity cache", "the same tags", "others");
		}
		t = span_from(t, took);
	}
}

static void
finish_case(struct runner *r)
{
	if (!r->why[0])
		return;
	check_produced(r);
	check_again(r);
	check_cache(r);
	r->cases++;
	r->why[0] = '\0';
}

static void
start_case(struct runner *r, const char *why)
{
	snprintf(r->why, sizeof r->why, "%s", why);
	r->lang.modes = 0;
	strbuf_reset(&r->shape);
	for (size_t i = 0; i < KEYS; i++) {
		strbuf_reset(&r->produced[i]);
		strbuf_reset(&r->expected[i]);
		r->asked[i] = false;
	}
}

static void
check_shape(struct runner *r, const char *want)
{
	struct strbuf got;

	strbuf_init(&got, PRODUCED);
	encode(&got, strbuf_span(&r->shape));
	if (strcmp(strbuf_cstr(&got), want) != 0)
		fail_case(r, "shape", want, strbuf_cstr(&got));
	strbuf_clear(&got);
}

static void
check_other(struct runner *r, char *text, bool same)
{
	struct strbuf other;
	size_t n = golden_decode(text);

	strbuf_init(&other, PRODUCED);
	read_text(r, span_of(text, n), &other, false);
	if (span_eq(strbuf_span(&other), strbuf_span(&r->shape)) != same)
		fail_case(r, same ? "same" : "differs", text, strbuf_cstr(&other));
	strbuf_clear(&other);
}

/* ---- reading the file ---- */

static void
read_line(struct runner *r, const char *key, char *value)
{
	if (strcmp(key, "why") == 0)
		start_case(r, value);
	else if (strcmp(key, "modes") == 0)
		r->lang.modes = golden_modes(value);
	else if (strcmp(key, "sql") == 0) {
		snprintf(r->sql, sizeof r->sql, "%s", value);
		r->sql_n = golden_decode(r->sql);
		read_text(r, span_of(r->sql, r->sql_n), &r->shape, true);
	} else if (strcmp(key, "shape") == 0)
		check_shape(r, value);
	else if (strcmp(key, "same") == 0 || strcmp(key, "differs") == 0)
		check_other(r, value, key[0] == 's');
	else {
		size_t i = 0;

		while (i < KEYS && strcmp(keys[i], key) != 0)
			i++;
		if (i == KEYS) {
			fail_case(r, "unknown line", "", key);
			return;
		}
		r->asked[i] = true;
		strbuf_printf(&r->expected[i], "%s\n", value);
	}
}

static void
run_file(void **state)
{
	struct runner r = { .file = *state };
	char line[LINE], *value;
	FILE *f = fopen(r.file, "r");

	assert_non_null(f);
	r.lang.dialect = golden_dialect(r.file);
	r.scanner = sql_scanner_new();
	r.shapes = shapes_new();
	r.cache = identity_cache_new(r.shapes);
	strbuf_init(&r.shape, PRODUCED);
	for (size_t i = 0; i < KEYS; i++) {
		strbuf_init(&r.produced[i], PRODUCED);
		strbuf_init(&r.expected[i], PRODUCED);
	}
	while (fgets(line, sizeof line, f)) {
		r.line++;
		value = golden_value(line);
		if (value)
			read_line(&r, line, value);
		else if (!line[0])
			finish_case(&r);
		else if (line[0] != '#')
			fail_case(&r, "no key", "", line);
	}
	finish_case(&r);
	fclose(f);
	all_cases += r.cases;
	strbuf_clear(&r.shape);
	for (size_t i = 0; i < KEYS; i++) {
		strbuf_clear(&r.produced[i]);
		strbuf_clear(&r.expected[i]);
	}
	identity_cache_free(r.cache);
	shapes_free(r.shapes);
	sql_scanner_free(r.scanner);
	assert_int_not_equal(r.cases, 0);
	assert_int_equal(r.failures, 0);
}

/* The hashes of one version: a changed one means a new SQL_FINGERPRINT_VERSION. */
static void
pinned_hashes(void **state)
{
	char line[LINE], *tab;
	FILE *f = fopen("sql/fingerprints.golden", "r");
	unsigned n = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#')
			continue;
		tab = strchr(line, '\t');
		assert_non_null(tab);
		*tab = '\0';
		assert_int_equal(strtoull(line, NULL, 16), sql_fingerprint(span_str(tab + 1)));
		n++;
	}
	fclose(f);
	assert_in_range(n, 30, 1000);
}

static void
enough_cases(void **state)
{
	(void)state;
	print_message("%u golden cases\n", all_cases);
	assert_in_range(all_cases, LEAST_CASES, 100000);
}

int
main(void)
{
	struct CMUnitTest tests[64] = { { 0 } };
	size_t n = 0;
	glob_t files;

	sql_hash_key_init();
	if (glob("sql/*.cases", 0, NULL, &files) != 0)
		return 1;
	for (; n < files.gl_pathc && n < 62; n++)
		tests[n] = (struct CMUnitTest){ files.gl_pathv[n], run_file, NULL, NULL, files.gl_pathv[n] };
	tests[n++] = (struct CMUnitTest){ "at least 400 cases", enough_cases, NULL, NULL, NULL };
	tests[n++] = (struct CMUnitTest){ "hashes of this version", pinned_hashes, NULL, NULL, NULL };
	int failed = _cmocka_run_group_tests("sql cases", tests, n, NULL, NULL);

	globfree(&files);
	return failed;
}
