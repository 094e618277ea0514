/* SPDX-License-Identifier: Apache-2.0 */
/* lineage_names: see lineage_names.h. Names are compared as lists of lower-case words: `billingCustomerId` is billing, customer, id. */
#include "lineage_names.h"

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "reports/requests/keymap.h"

enum { WORDS = 8, WORD_BYTES = 32 };

struct words {
	uint32_t n;
	char w[WORDS][WORD_BYTES];
};

struct table_names {
	uint32_t n, cap;
	struct words *words;	/* of each */
	struct keymap seen;
};

/* ---- words ---- */

/* Without schema and quotes. */
static struct span
bare(const char *name)
{
	struct span s = span_str(name);

	for (size_t i = s.n; i-- > 0;) {
		if (s.p[i] == '.') {
			s = span_from(s, i + 1);
			break;
		}
	}
	if (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '`' || s.p[0] == '['))
		s = span_of(s.p + 1, s.n - 2);
	return s;
}

static bool
is_upper(uint8_t c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_plain(uint8_t c)
{
	return is_upper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80;
}

/* `OrderItems`, `orderItems`, `order_items`, `order-items`: order, items. */
static struct words
split(struct span s)
{
	struct words out = { 0 };
	size_t len = 0;

	for (size_t i = 0; i < s.n; i++) {
		bool border = !is_plain(s.p[i]) || (i > 0 && is_upper(s.p[i]) && !is_upper(s.p[i - 1]));

		if (border && len > 0) {
			if (++out.n == WORDS)
				return out;
			len = 0;
		}
		if (is_plain(s.p[i]) && len < WORD_BYTES - 1)
			out.w[out.n][len++] = (char)(is_upper(s.p[i]) ? s.p[i] + 'a' - 'A' : s.p[i]);
	}
	out.n += len > 0;
	return out;
}

static bool
one_of(const char *w, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(w, list[i]) == 0)
			return true;
	return false;
}

/* Words that end a reference, and are the key itself when alone. */
static bool
is_key_word(const char *w)
{
	static const char *const words[] = { "id", "uuid", "guid", "pk", "fk", "key", "code", "no", "nr", "oid", "ref" };

	return one_of(w, words, sizeof words / sizeof *words);
}

/* `parent_id`: a row of the same table. */
static bool
is_parent_word(const char *w)
{
	static const char *const words[] = { "parent", "ancestor", "root", "manager", "supervisor", "boss", "predecessor", "successor", "superior",
		"previous", "prev", "next", "reply", "original" };

	return one_of(w, words, sizeof words / sizeof *words);
}

/* The forms a noun in the plural may have in the singular; how many. */
static unsigned
singulars(const char *w, char out[4][WORD_BYTES])
{
	static const char *const irregular[][2] = { { "people", "person" }, { "children", "child" }, { "men", "man" }, { "women", "woman" },
		{ "mice", "mouse" }, { "indices", "index" }, { "statuses", "status" } };
	size_t n = strlen(w);
	unsigned forms = 1;

	memcpy(out[0], w, n + 1);
	for (size_t i = 0; i < sizeof irregular / sizeof *irregular; i++)
		if (strcmp(w, irregular[i][0]) == 0)
			memcpy(out[forms++], irregular[i][1], strlen(irregular[i][1]) + 1);
	if (n > 2 && w[n - 1] == 's') {
		memcpy(out[forms], w, n);
		out[forms++][n - 1] = '\0';
	}
	if (n > 4 && strcmp(w + n - 3, "ies") == 0) {
		memcpy(out[forms], w, n - 2);
		out[forms][n - 3] = 'y';
		out[forms++][n - 2] = '\0';
	} else if (n > 3 && strcmp(w + n - 2, "es") == 0) {
		memcpy(out[forms], w, n - 1);
		out[forms++][n - 2] = '\0';
	}
	return forms;
}

static bool
same_noun(const char *a, const char *b)
{
	char x[4][WORD_BYTES], y[4][WORD_BYTES];
	unsigned nx, ny;

	if (strcmp(a, b) == 0)
		return true;
	nx = singulars(a, x);
	ny = singulars(b, y);
	for (unsigned i = 0; i < nx; i++)
		for (unsigned k = 0; k < ny; k++)
			if (strcmp(x[i], y[k]) == 0)
				return true;
	return false;
}

/* The shorter list is the end of the longer one. */
static bool
ends_alike(const struct words *a, const struct words *b)
{
	uint32_t n = a->n < b->n ? a->n : b->n;

	if (n == 0 || !same_noun(a->w[a->n - 1], b->w[b->n - 1]))
		return false;
	for (uint32_t i = 2; i <= n; i++)
		if (strcmp(a->w[a->n - i], b->w[b->n - i]) != 0)
			return false;
	return true;
}

/* ---- tables ---- */

struct table_names *
table_names_new(void)
{
	return xmem_zero(sizeof(struct table_names));
}

void
table_names_free(struct table_names *t)
{
	if (!t)
		return;
	keymap_clear(&t->seen);
	mem_free(t->words);
	mem_free(t);
}

static uint64_t
name_key(struct span bare_name)
{
	char text[LIMIT_NAME];
	size_t n = bare_name.n < sizeof text - 1 ? bare_name.n : sizeof text - 1;

	if (n)
		memcpy(text, bare_name.p, n);
	text[n] = '\0';
	return keymap_name(text, 0);
}

void
table_names_add(struct table_names *t, const char *name)
{
	struct span s = bare(name);

	if (s.n == 0 || keymap_find(&t->seen, name_key(s)) != KEYMAP_NONE)
		return;
	if (keymap_add(&t->seen, name_key(s), LIMIT_TABLE_NAMES) == KEYMAP_NONE)
		return;
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 64;
		t->words = xmem_resize(t->words, t->cap * sizeof *t->words);
	}
	t->words[t->n++] = split(s);
}

static uint32_t
find_table(const struct table_names *t, struct span name)
{
	uint32_t at = name.n ? keymap_find(&t->seen, name_key(name)) : KEYMAP_NONE;

	return at == KEYMAP_NONE ? NO_TABLE : at;
}

/* The table a reference's stem means: the one named so, else the one with most words alike. */
static uint32_t
resolve(const struct table_names *t, const struct words *stem)
{
	uint32_t best = NO_TABLE, words = 0;

	for (uint32_t i = 0; i < t->n; i++) {
		const struct words *w = &t->words[i];
		uint32_t alike;

		if (!ends_alike(w, stem))
			continue;
		if (w->n == stem->n)
			return i;
		alike = w->n < stem->n ? w->n : stem->n;
		if (alike > words) {
			best = i;
			words = alike;
		}
	}
	return best;
}

/* ---- keys ---- */

/* Takes the words that say "key" off; false when nothing else is left or none said so. `customerid` is customer when there is such a table. */
static bool
take_stem(const struct table_names *t, struct words *w)
{
	static const char *const glued[] = { "id", "uuid", "key", "code", "no", "nr", "fk" };
	char *last = w->w[w->n ? w->n - 1 : 0];
	size_t n = strlen(last);

	if (w->n > 1 && is_key_word(last)) {
		w->n--;
		return true;
	}
	if (w->n > 1 && (is_key_word(w->w[0]) && strcmp(w->w[0], "key") != 0)) {
		memmove(w->w[0], w->w[1], (w->n - 1) * sizeof w->w[0]);
		w->n--;
		return true;
	}
	for (size_t i = 0; i < sizeof glued / sizeof *glued; i++) {
		size_t g = strlen(glued[i]);

		if (n < g + 3 || strcmp(last + n - g, glued[i]) != 0)
			continue;
		last[n - g] = '\0';
		if (resolve(t, w) != NO_TABLE)
			return true;
		last[n - g] = glued[i][0];
	}
	return false;
}

static const char *
join(const struct words *w, struct arena *a)
{
	char text[WORDS * WORD_BYTES];
	size_t n = 0;

	for (uint32_t i = 0; i < w->n; i++) {
		size_t len = strlen(w->w[i]);

		if (n)
			text[n++] = '_';
		memcpy(text + n, w->w[i], len);
		n += len;
	}
	return arena_strndup(a, span_of(text, n));
}

/* What a reference named stem in table `own` refers to. */
static void
refer(const struct table_names *t, struct key_column *k, uint32_t own, const struct words *stem, struct arena *a)
{
	const struct words *table = own == NO_TABLE ? NULL : &t->words[own];

	k->kind = KEY_REFERS;
	k->stem = join(stem, a);
	k->target = resolve(t, stem);
	if (k->target == own && table) {
		if (stem->n > table->n)
			k->self = true;
		else
			k->kind = KEY_OWN;
	} else if (k->target == NO_TABLE && table && (is_parent_word(stem->w[0]) || is_parent_word(stem->w[stem->n - 1]))) {
		k->self = true;
		k->target = own;
	}
}

struct key_column
key_column(const struct table_names *t, const char *table, const char *column, struct arena *a)
{
	struct span own = bare(table), name = bare(column);
	struct key_column k = { .table = own.n ? arena_strndup(a, own) : "", .column = name.n ? arena_strndup(a, name) : "", .target = NO_TABLE,
		.stem = "" };
	struct words w = split(name);
	uint32_t at = find_table(t, own);

	if (w.n == 0)
		return k;
	if (w.n == 1 && is_key_word(w.w[0])) {
		k.kind = KEY_OWN;
		k.target = at;
		return k;
	}
	if (take_stem(t, &w))
		refer(t, &k, at, &w, a);
	return k;
}

/* ---- two keys ---- */

static bool
refers_to(const struct lineage_key *k, const struct key_column *y)
{
	return strcasecmp(k->parent, y->table) == 0 && strcasecmp(k->parent_column, y->column) == 0;
}

/* The key from x to y, or else some key of x; NULL: the catalog knows none. */
static const struct lineage_key *
key_from(const struct foreign_keys *keys, const struct key_column *x, const struct key_column *y, bool *there)
{
	const struct lineage_key *first = foreign_keys_first(keys, x->table, x->column);

	*there = false;
	for (const struct lineage_key *k = first; k; k = foreign_keys_next(keys, k)) {
		*there = refers_to(k, y);
		if (*there)
			return k;
	}
	return first;
}

/* What one catalog says; DOMAIN_UNKNOWN when it knows neither column. */
static enum key_domain
catalog_domain(const struct key_column *x, const struct key_column *y, const struct foreign_keys *keys, bool *self)
{
	bool to_y, to_x;
	const struct lineage_key *from_x = key_from(keys, x, y, &to_y), *from_y = key_from(keys, y, x, &to_x);

	if (to_y || to_x) {
		const struct lineage_key *k = to_y ? from_x : from_y;

		*self = strcasecmp(k->child, k->parent) == 0;
		return DOMAIN_REFERS;
	}
	if (from_x && from_y)
		return strcasecmp(from_x->parent, from_y->parent) == 0 && strcasecmp(from_x->parent_column, from_y->parent_column) == 0 ?
		    DOMAIN_SHARED : DOMAIN_CONTRADICTS;
	if (from_x || from_y)
		return (from_x ? y : x)->kind == KEY_OWN ? DOMAIN_CONTRADICTS : DOMAIN_UNKNOWN;
	return DOMAIN_UNKNOWN;
}

enum key_domain
key_domain(const struct key_column *x, const struct key_column *y, const struct foreign_keys *const *keys, uint32_t n, bool *self)
{
	for (uint32_t i = 0; i < n; i++) {
		enum key_domain told = catalog_domain(x, y, keys[i], self);

		if (told != DOMAIN_UNKNOWN)
			return told;
	}
	*self = false;
	if (x->kind == KEY_PLAIN || y->kind == KEY_PLAIN)
		return DOMAIN_UNKNOWN;
	if (x->target == NO_TABLE || y->target == NO_TABLE) {
		bool same = x->kind == KEY_REFERS && y->kind == KEY_REFERS && x->target == y->target && strcmp(x->stem, y->stem) == 0;

		return same ? DOMAIN_SHARED : DOMAIN_UNKNOWN;
	}
	if (x->target != y->target)
		return DOMAIN_CONTRADICTS;
	if (x->kind == KEY_OWN && y->kind == KEY_OWN)
		return strcasecmp(x->column, y->column) == 0 ? DOMAIN_SAME : DOMAIN_UNKNOWN;
	*self = (x->self && y->kind == KEY_OWN) || (y->self && x->kind == KEY_OWN);
	return x->kind == KEY_OWN || y->kind == KEY_OWN ? DOMAIN_REFERS : DOMAIN_SHARED;
}
