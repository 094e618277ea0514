/* SPDX-License-Identifier: Apache-2.0 */
/* identity: see identity.h. A set-associative cache over skeletons (skeleton.h) of texts without their surrounding comments. A skeleton must
 * be seen twice before it is kept (its hash waits in a small table of doorkeepers), so a stream of unique texts costs lexing and no memory.
 * When the scanner finds that a cut is no literal of the text, texts of that skeleton are kept whole. */
#include "identity.h"

#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "limits.h"
#include "mem.h"
#include "skeleton.h"

enum { WAYS = 4, SETS = LIMIT_CACHE_ENTRIES / WAYS, DOORS = 4 * LIMIT_CACHE_ENTRIES, CANON = 1024, DIGITS = 18 };

/* A hole in a kept skeleton: which value fills it, and how many bytes of the literal (its sign) stand before the hole. */
struct hole {
	uint32_t at;
	uint16_t value;
	uint16_t before;
};

/* What is kept of one skeleton: this head, then the values, the holes, and the key's bytes. */
struct entry {
	uint64_t literals;
	const struct shape *shape;	/* NULL: texts of this skeleton are kept whole */
	uint32_t nvalues, nplaceholders, nholes;
	uint32_t key_n, bytes;		/* bytes: of the whole block */
	uint32_t name_at, name_n, value_at, value_n;	/* inside the key; name in `extra` when it is not a part of it */
	uint32_t extra_n;
	uint8_t dialect, modes;
	bool unfinished, name_extra;
};

struct identity_cache {
	uint64_t seed;
	struct shapes *shapes;
	struct sql_scanner *scanner;
	struct identity_stats stats;
	uint64_t hashes[SETS][WAYS];
	struct entry *entries[SETS][WAYS];
	uint8_t used[SETS][WAYS];	/* hits since the last eviction in the set, saturating */
	uint32_t doors[DOORS];
	struct value_hash values[LIMIT_VALUES];
	char canon[CANON];
	struct skeleton skeleton;
	struct hole holes[SKELETON_CUTS];
};

struct identity_cache *
identity_cache_new(struct shapes *shapes)
{
	struct identity_cache *c = mem_zero(sizeof *c);

	if (!c)
		return NULL;
	c->shapes = shapes;
	c->scanner = sql_scanner_new();
	if (!c->scanner) {
		mem_free(c);
		return NULL;
	}
	if (getrandom(&c->seed, sizeof c->seed, 0) != (ssize_t)sizeof c->seed)
		c->seed = (uint64_t)(uintptr_t)c;
	return c;
}

void
identity_cache_free(struct identity_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < SETS; i++)
		for (size_t k = 0; k < WAYS; k++)
			mem_free(c->entries[i][k]);
	sql_scanner_free(c->scanner);
	mem_free(c);
}

struct identity_stats
identity_stats(const struct identity_cache *c)
{
	return c->stats;
}

/* ---- values ---- */

/* The hash of a literal; long ones are hashed as written, since equal long texts are written alike by one program. *moment: its sql_moment. */
static uint64_t
literal_hash(struct identity_cache *c, struct sql_lang lang, struct span raw, uint32_t *moment)
{
	size_t n = sql_literal_text(lang, raw, c->canon, sizeof c->canon);

	*moment = 0;
	if (n == (size_t)-1)
		return 0;
	*moment = n <= sizeof c->canon ? sql_moment(span_of(c->canon, n)) : 0;
	return sql_hash(n <= sizeof c->canon ? span_of(c->canon, n) : raw);
}

/* Fills c->values and the sums of `out` from a statement. */
static void
hash_values(struct identity_cache *c, struct sql_lang lang, const struct sql_stmt *st, struct identity *out)
{
	size_t n = 0;

	out->literals = 0;
	out->nplaceholders = 0;
	for (size_t i = 0; i < st->nvalues; i++) {
		const struct sql_value *v = &st->values[i];
		uint32_t number = v->kind == SQL_VALUE_PLACEHOLDER ? v->number : 0;
		uint64_t h = 0;

		if (v->kind == SQL_VALUE_PLACEHOLDER) {
			if (v->number > out->nplaceholders)
				out->nplaceholders = v->number;
		} else {
			if (v->kind == SQL_VALUE_LITERAL || v->kind == SQL_VALUE_BOOL)
				h = literal_hash(c, lang, v->raw, &number);
			out->literals = sql_hash_mix(out->literals, h ? h : v->kind);
		}
		if (v->slot < out->shape->nslots)
			c->values[n++] = (struct value_hash){ v->slot, v->kind, number, h };
	}
	if (st->values_rest.n)
		out->literals = sql_hash_mix(out->literals, sql_hash(st->values_rest));
	out->values = c->values;
	out->nvalues = n;
}

/* The shape keeps the word. */
static bool
is_local(const struct shape *shape)
{
	static const char words[] = "SET LOCAL ";

	return shape->verb == SQL_V_SET && strncmp(shape->text, words, sizeof words - 1) == 0;
}

static void
fill(struct identity_cache *c, struct sql_lang lang, const struct sql_stmt *st, struct identity *out)
{
	*out = (struct identity){ .shape = shapes_intern(c->shapes, lang, st), .text = st->text, .name = st->name, .value = st->value,
		.settings = st->settings, .nsettings = st->nsettings, .tags = st->tags, .ntags = st->ntags, .unfinished = st->unfinished };
	out->local = is_local(out->shape);
	hash_values(c, lang, st, out);
}

/* ---- the cache ---- */

static struct value_hash *
entry_values(struct entry *e)
{
	return (struct value_hash *)(void *)(e + 1);
}

static struct hole *
entry_holes(struct entry *e)
{
	return (struct hole *)(void *)(entry_values(e) + e->nvalues);
}

static uint8_t *
entry_key(struct entry *e)
{
	return (uint8_t *)(entry_holes(e) + e->nholes);
}

/* The bytes in the holes could stand in another text, too: their places must agree. */
static bool
same_holes(struct entry *e, const struct skeleton *k)
{
	const struct hole *holes = entry_holes(e);

	if (e->nholes != k->ncuts)
		return false;
	for (uint32_t i = 0; i < k->ncuts; i++)
		if (holes[i].at != k->cuts[i].hole)
			return false;
	return true;
}

static uint64_t
hash_skeleton(const struct identity_cache *c, struct sql_lang lang, const struct skeleton *k)
{
	return XXH3_64bits_withSeed(k->bytes.p, k->bytes.n, c->seed ^ ((uint64_t)k->ncuts << 16 | (uint64_t)lang.modes << 8 | lang.dialect));
}

static struct entry *
look_up(struct identity_cache *c, uint64_t hash, struct sql_lang lang, const struct skeleton *skeleton)
{
	struct span key = skeleton->bytes;
	size_t set = hash & (SETS - 1);

	for (size_t k = 0; k < WAYS; k++) {
		struct entry *e = c->entries[set][k];

		if (c->hashes[set][k] == hash && e && e->key_n == key.n && e->dialect == lang.dialect && e->modes == lang.modes &&
		    same_holes(e, skeleton) && memcmp(entry_key(e), key.p, key.n) == 0) {
			if (c->used[set][k] < UINT8_MAX)
				c->used[set][k]++;
			return e;
		}
	}
	return NULL;
}

/* A whole number as servers print it, as nearly all are written. */
static bool
is_canonical(struct span literal)
{
	if (literal.n > DIGITS || literal.p[0] < '1' || literal.p[0] > '9')
		return false;
	for (size_t i = 1; i < literal.n; i++)
		if (literal.p[i] < '0' || literal.p[i] > '9')
			return false;
	return true;
}

/* The values of this text: those kept, with the literals that were cut out of it. */
static void
fill_holes(struct identity_cache *c, struct sql_lang lang, struct entry *e, struct identity *out)
{
	const struct hole *holes = entry_holes(e);

	memcpy(c->values, entry_values(e), e->nvalues * sizeof *c->values);
	for (uint32_t i = 0; i < e->nholes; i++) {
		struct span literal = c->skeleton.cuts[i].literal;

		literal = span_of(literal.p - holes[i].before, literal.n + holes[i].before);
		struct value_hash *v = &c->values[holes[i].value];

		v->number = 0;
		v->hash = is_canonical(literal) ? sql_hash(literal) : literal_hash(c, lang, literal, &v->number);
	}
	out->literals = 0;
	for (uint32_t i = 0; i < e->nvalues; i++)
		if (c->values[i].kind != SQL_VALUE_PLACEHOLDER)
			out->literals = sql_hash_mix(out->literals, c->values[i].hash ? c->values[i].hash : c->values[i].kind);
	out->values = c->values;
}

/* key: the text. */
static void
hit(struct identity_cache *c, struct sql_lang lang, struct entry *e, struct span key, struct identity *out)
{
	const uint8_t *stored = entry_key(e);

	out->shape = e->shape;
	out->literals = e->literals;
	out->values = entry_values(e);
	out->nvalues = e->nvalues;
	if (e->nholes)
		fill_holes(c, lang, e, out);
	out->nplaceholders = e->nplaceholders;
	out->text = key;
	out->name = span_of((e->name_extra ? stored + e->key_n : key.p) + e->name_at, e->name_n);
	out->value = span_of(key.p + e->value_at, e->value_n);
	out->settings = NULL;
	out->nsettings = 0;
	out->unfinished = e->unfinished;
	out->local = is_local(e->shape);
}

static void
forget(struct identity_cache *c, size_t set, size_t way)
{
	if (!c->entries[set][way])
		return;
	c->stats.bytes -= c->entries[set][way]->bytes;
	mem_free(c->entries[set][way]);
	c->entries[set][way] = NULL;
	c->stats.entries--;
	c->stats.evictions++;
}

/* The way of a set to put a new entry in: a free one, else the least used, whose neighbours age. */
static size_t
make_way(struct identity_cache *c, size_t set)
{
	size_t worst = 0;

	for (size_t k = 0; k < WAYS; k++) {
		if (!c->entries[set][k])
			return k;
		if (c->used[set][k] < c->used[set][worst])
			worst = k;
	}
	for (size_t k = 0; k < WAYS; k++)
		c->used[set][k] /= 2;
	forget(c, set, worst);
	return worst;
}

static bool
within(struct span inner, struct span outer)
{
	return inner.p >= outer.p && inner.p + inner.n <= outer.p + outer.n;
}

/* Finds for each cut the literal it is of; false when one is not the end of a literal, or what is kept could depend on its value. */
static bool
match_cuts(struct identity_cache *c, const struct sql_stmt *st, const struct identity *id)
{
	const uint8_t *behind = st->text.p;
	size_t v = 0;

	for (uint32_t i = 0; i < c->skeleton.ncuts; i++)
		c->holes[i] = (struct hole){ .at = c->skeleton.cuts[i].hole };
	if ((st->cls != SQL_READ && st->cls != SQL_WRITE) || st->name.n || st->value.n || st->cut || st->unfinished || st->values_rest.n ||
	    id->nvalues != st->nvalues)
		return false;
	for (uint32_t i = 0; i < c->skeleton.ncuts; i++) {
		struct span cut = c->skeleton.cuts[i].literal;
		const uint8_t *end = cut.p + cut.n;

		while (v < st->nvalues && st->values[v].raw.p + st->values[v].raw.n < end)
			v++;
		if (v == st->nvalues || st->values[v].kind != SQL_VALUE_LITERAL)
			return false;
		struct span raw = st->values[v].raw;

		if (raw.p + raw.n != end || raw.p > cut.p || raw.p < behind || cut.p - raw.p > UINT16_MAX)
			return false;
		c->holes[i].value = (uint16_t)v;
		c->holes[i].before = (uint16_t)(cut.p - raw.p);
		behind = end;
		v++;
	}
	return true;
}

/* Keeps the identity of the skeleton, when there is memory within the limit. id->shape NULL: that its texts are kept whole. */
static void
remember(struct identity_cache *c, uint64_t hash, struct sql_lang lang, const struct identity *id)
{
	struct span key = c->skeleton.bytes;
	size_t set = hash & (SETS - 1), way = make_way(c, set);
	bool extra = id->name.n && !within(id->name, key);
	size_t values = id->nvalues * sizeof(struct value_hash), holes = c->skeleton.ncuts * sizeof(struct hole);
	size_t total = sizeof(struct entry) + values + holes + key.n + (extra ? id->name.n : 0);
	struct entry *e = c->stats.bytes + total <= LIMIT_CACHE_BYTES ? mem_alloc(total) : NULL;

	if (!e)
		return;
	*e = (struct entry){ .literals = id->literals, .shape = id->shape, .nvalues = (uint32_t)id->nvalues,
		.nplaceholders = id->nplaceholders, .nholes = c->skeleton.ncuts, .key_n = (uint32_t)key.n, .bytes = (uint32_t)total, .dialect = lang.dialect,
		.modes = lang.modes, .unfinished = id->unfinished, .name_extra = extra };
	if (id->nvalues)
		memcpy(entry_values(e), id->values, values);
	if (holes)
		memcpy(entry_holes(e), c->holes, holes);
	memcpy(entry_key(e), key.p, key.n);
	if (extra)
		memcpy(entry_key(e) + key.n, id->name.p, id->name.n);
	else if (id->name.n)
		e->name_at = (uint32_t)(id->name.p - key.p);
	e->name_n = (uint32_t)id->name.n;
	if (id->value.n && within(id->value, key)) {
		e->value_at = (uint32_t)(id->value.p - key.p);
		e->value_n = (uint32_t)id->value.n;
	}
	c->stats.bytes += total;
	c->stats.entries++;
	c->hashes[set][way] = hash;
	c->entries[set][way] = e;
	c->used[set][way] = 1;
}

/* Whether a text was here before; the first time only its hash is noted. */
static bool
knocked_before(struct identity_cache *c, uint64_t hash)
{
	uint32_t *door = &c->doors[(hash >> 16) & (DOORS - 1)], sign = (uint32_t)(hash >> 32);

	if (*door == sign)
		return true;
	*door = sign;
	return false;
}

size_t
identity_next(struct identity_cache *c, struct sql_lang lang, struct span text, struct identity *out)
{
	struct sql_stmt st, parts;
	size_t lead, trail, took;
	struct span key;
	uint64_t hash;

	if (!sql_scan_key(c->scanner, lang, text, &lead, &trail, &parts) || parts.text.n > LIMIT_CACHE_KEY) {
		took = sql_scan(c->scanner, lang, text, &st);
		fill(c, lang, &st, out);
		c->stats.uncacheable++;
		return took;
	}
	key = parts.text;
	if (lang.modes & SQL_MODE_UNSAFE_ENCODING)
		skeleton_whole(&c->skeleton, key);
	else
		skeleton_make(&c->skeleton, key);
	hash = hash_skeleton(c, lang, &c->skeleton);
	struct entry *e = look_up(c, hash, lang, &c->skeleton);

	if (e && !e->shape) {
		skeleton_whole(&c->skeleton, key);
		hash = hash_skeleton(c, lang, &c->skeleton);
		e = look_up(c, hash, lang, &c->skeleton);
	}
	if (e) {
		hit(c, lang, e, key, out);
		out->tags = parts.tags;
		out->ntags = parts.ntags;
		c->stats.hits++;
		return text.n;
	}
	c->stats.misses++;
	if (knocked_before(c, hash)) {		/* what is kept depends on the key alone */
		sql_scan(c->scanner, lang, key, &st);
		if (st.ntags == 0 && st.nsettings == 0) {	/* else a comment could not be told from the statement */
			fill(c, lang, &st, out);
			if (!c->skeleton.ncuts || match_cuts(c, &st, out))
				remember(c, hash, lang, out);
			else
				remember(c, hash, lang, &(struct identity){ .shape = NULL });
		}
	}
	sql_scan(c->scanner, lang, text, &st);
	fill(c, lang, &st, out);
	return text.n;
}
