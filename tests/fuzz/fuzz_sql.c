/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sql: any bytes as SQL of any dialect and mode, through the scanner, the cache, the splitter and the parameters' forms.
 * The first byte chooses dialect and modes; its highest bit says that in texts of some lengths the second half comes
 * again and again, to reach the limits.
 * ROWCALL_FUZZ_DIALECT=postgresql or mysql in the environment chooses the dialect for all.
 * Checks what must hold for every text: bounds, valid shapes, the cache's answer, the same shape whatever letters and digits stand in a literal.
 * With ROWCALL_FUZZ_AGAIN in the environment also that the shape of the shape is that shape: true of all golden cases, but what is no SQL at
 * all may be read in another way when its literals are gone. */
#include <stdio.h>
#include <stdlib.h>

#include "fingerprint/identity.h"
#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

#define CHECK(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "fuzz_sql: %s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
			abort(); \
		} \
	} while (0)

enum { REPEATED = LIMIT_SHAPE_BYTES + 2048 };

struct fuzzed {
	struct sql_scanner *scanner, *second;
	struct shapes *shapes;
	struct identity_cache *cache;
	bool again;
	uint8_t shape[LIMIT_SHAPE_BYTES];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
within(struct span inner, struct span outer)
{
	return inner.n == 0 || (inner.p >= outer.p && inner.p + inner.n <= outer.p + outer.n);
}

/* Valid UTF-8 without control characters. */
static bool
printable(struct span s)
{
	for (size_t i = 0; i < s.n;) {
		uint8_t c = s.p[i];
		size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

		if (c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xc2) || c > 0xf4 || i + n > s.n)
			return false;
		for (size_t k = 1; k < n; k++)
			if ((s.p[i + k] & 0xc0) != 0x80)
				return false;
		if (c == 0xc2 && s.p[i + 1] < 0xa0)
			return false;
		i += n;
	}
	return true;
}

/* Where two shapes begin to differ. */
static void
show(const char *what, struct span a, struct span b)
{
	size_t n = 0;

	if (span_eq(a, b))
		return;
	while (n < a.n && n < b.n && a.p[n] == b.p[n])
		n++;
	n = n < 60 ? 0 : n - 60;
	a = span_first(span_from(a, n), 160);
	b = span_first(span_from(b, n), 160);
	fprintf(stderr, "fuzz_sql: %s:\n  %.*s\n  %.*s\n", what, (int)a.n, a.p, (int)b.n, b.p);
}

static void
check_values(struct sql_lang lang, const struct sql_stmt *st, struct span text)
{
	char buf[64];

	CHECK(st->nvalues <= LIMIT_VALUES && st->nslots <= LIMIT_SLOTS && st->ntables <= LIMIT_TABLES && st->ntags <= LIMIT_TAGS);
	for (size_t i = 0; i < st->nvalues; i++) {
		const struct sql_value *v = &st->values[i];

		CHECK(v->slot < st->nslots || v->slot == SQL_NO_SLOT);
		CHECK(within(v->raw, text) && v->raw.n > 0);
		size_t n = sql_literal_text(lang, v->raw, buf, sizeof buf);

		if (n != (size_t)-1 && n <= sizeof buf)
			CHECK(sql_canon_text(buf, n) <= n);
	}
	for (size_t i = 0; i < st->nslots; i++)
		CHECK(st->slots[i].cls <= SQL_SLOT_LIMIT && printable(st->slots[i].column) && printable(st->slots[i].table));
	for (size_t i = 0; i < st->ntables; i++)
		CHECK(printable(st->tables[i].name));
}

/* Whether they differ in blanks at most. */
static bool
same_but_blanks(struct span a, struct span b)
{
	size_t i = 0, k = 0;

	for (;;) {
		while (i < a.n && a.p[i] == ' ')
			i++;
		while (k < b.n && b.p[k] == ' ')
			k++;
		if (i == a.n || k == b.n)
			return i == a.n && k == b.n;
		if (a.p[i++] != b.p[k++])
			return false;
	}
}

/* The shape of the shape is that shape, with the same class. In what is no SQL a blank may come or go (`f ?[` after a collapsed CAST); the
 * golden cases know no such mercy. */
static void
check_again(struct fuzzed *f, struct sql_lang lang, const struct sql_stmt *st)
{
	struct sql_stmt again;
	struct span shape = st->shape;

	if ((lang.modes & SQL_MODE_UNSAFE_ENCODING) || !shape.n || !f->again)
		return;
	sql_scan(f->second, lang, span_of(f->shape, shape.n), &again);
	if (st->cut || again.cut)		/* what stands at the cut may read as something else, and a long name as too long */
		return;
	show("the shape, and how it is read", shape, again.shape);
	CHECK(same_but_blanks(again.shape, shape));
	CHECK(again.cls == st->cls && again.verb == st->verb);
	CHECK(!span_eq(again.shape, shape) || again.fingerprint == st->fingerprint);
	CHECK(sql_fingerprint(shape) == st->fingerprint);
}

/* Where a literal's letters and digits may be changed without changing what it is; its end when nowhere. */
static const uint8_t *
literal_inside(struct span raw, struct span *tag)
{
	const uint8_t *end = raw.p + raw.n, *p = raw.p;

	*tag = span_of(raw.p, 0);
	if (*p == '$') {
		p = memchr(p + 1, '$', raw.n - 1);
		*tag = p ? span_of(raw.p, (size_t)(p - raw.p)) : *tag;
		return p ? p : end;
	}
	if (*p == '-' || *p == '+')	/* a number, perhaps behind a comment */
		return end;
	while (p < end && *p != '\'' && *p != '"')
		p++;
	if (raw.n > 10 && (*raw.p | 0x20) == 'u' && end[-1] == '\'' && (end[-2] == '\'' || end[-3] == '\''))
		return end;		/* U&'..' UESCAPE 'x' */
	return p;
}

/* Another text in every literal, of the same form and length, gives the same shape: nothing of it is in there. */
static void
check_literals(struct fuzzed *f, struct sql_lang lang, const struct sql_stmt *st, struct span text)
{
	struct sql_stmt other;
	uint8_t *copy;
	bool changed = false;

	if ((lang.modes & SQL_MODE_UNSAFE_ENCODING) || st->values_rest.n)
		return;
	copy = mem_alloc(text.n);
	memcpy(copy, text.p, text.n);
	for (size_t i = 0; i < st->nvalues; i++) {
		struct span raw = st->values[i].raw, tag;
		const uint8_t *p = literal_inside(raw, &tag), *end = raw.p + raw.n - tag.n;

		if (st->values[i].kind != SQL_VALUE_LITERAL || memchr(tag.p, 'z', tag.n))
			continue;
		for (; p < end; p++)
			if ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')) {
				copy[p - text.p] = 'z';
				changed = true;
			}
	}
	if (changed) {
		sql_scan(f->second, lang, span_of(copy, text.n), &other);
		show("the shape, and with other literals", span_of(f->shape, st->shape.n), other.shape);
		CHECK(span_eq(other.shape, span_of(f->shape, st->shape.n)));
		CHECK(other.nslots == st->nslots && other.nvalues == st->nvalues && other.cls == st->cls);
	}
	mem_free(copy);
}

static void
check_cache(struct fuzzed *f, struct sql_lang lang, struct span text, const struct sql_stmt *st)
{
	struct identity id;

	for (int i = 0; i < 3; i++) {
		size_t took = identity_next(f->cache, lang, text, &id);

		CHECK(took > 0 && took <= text.n);
		CHECK(id.nvalues <= st->nvalues);
		for (size_t k = 0; k < id.nvalues; k++)
			CHECK(id.values[k].slot < id.shape->nslots);
	}
}

static void
check_statements(struct fuzzed *f, struct sql_lang lang, struct span text)
{
	struct sql_stmt st;

	while (text.n) {
		size_t took = sql_scan(f->scanner, lang, text, &st);

		CHECK(took > 0 && took <= text.n);
		CHECK(st.shape.n <= LIMIT_SHAPE_BYTES && printable(st.shape) && st.fingerprint != 0);
		CHECK(within(st.text, text) && within(st.value, text));
		CHECK((st.cls == SQL_EMPTY) == (st.shape.n == 0));
		check_values(lang, &st, text);
		memcpy(f->shape, st.shape.p, st.shape.n);
		check_again(f, lang, &st);
		check_literals(f, lang, &st, span_first(text, took));
		check_cache(f, lang, text, &st);
		text = span_from(text, took);
	}
}

/* A statement ends where the splitter for oversized ones says, however the stream is cut. */
static void
check_skip(struct sql_lang lang, struct span text)
{
	struct sql_skip whole = { .lang = lang }, pieces = { .lang = lang };
	size_t used, at = 0, step;
	bool found = sql_skip_feed(&whole, text, &used), second = false;

	while (at < text.n && !second) {
		second = sql_skip_feed(&pieces, span_first(span_from(text, at), 3), &step);
		at += step;
	}
	CHECK(found == second && at == used);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzzed f;
	static const char *only;
	struct sql_lang lang = { 0, 0 };

	if (!f.scanner) {
		only = getenv("ROWCALL_FUZZ_DIALECT");
		f.again = getenv("ROWCALL_FUZZ_AGAIN") != NULL;
		f.scanner = sql_scanner_new();
		f.second = sql_scanner_new();
		f.shapes = shapes_new();
		f.cache = identity_cache_new(f.shapes);
		CHECK(f.scanner && f.second && f.shapes && f.cache);
	}
	if (!size)
		return 0;
	lang.dialect = only ? strcmp(only, "mysql") == 0 : data[0] & 1;
	lang.modes = (uint8_t)(data[0] >> 1 & 63);
	/* a copy of its own size, so that a byte read behind it is seen */
	size_t half = size / 2, n = data[0] >> 7 && size % 16 == 0 ? REPEATED + size : size - 1;
	uint8_t *copy = mem_alloc(n);

	memcpy(copy, data + 1, size - 1);
	for (size_t i = size - 1; i < n; i++)
		copy[i] = i > half ? copy[i - half] : ' ';
	check_statements(&f, lang, span_of(copy, n));
	check_skip(lang, span_of(copy, n));
	mem_free(copy);
	return 0;
}
