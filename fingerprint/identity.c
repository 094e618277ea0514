/* SPDX-License-Identifier: Apache-2.0 */
/* identity: see identity.h. A set-associative cache over the text without its surrounding comments. A text must be seen twice before it
 * is kept (its hash waits in a small table of doorkeepers), so a stream of unique texts costs lexing and no memory. */
#include "identity.h"

#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "limits.h"
#include "mem.h"

enum { WAYS = 4, SETS = LIMIT_CACHE_ENTRIES / WAYS, DOORS = 4 * LIMIT_CACHE_ENTRIES, CANON = 1024 };

/* What is kept of one text: this head, then the values, then the key's bytes. */
struct entry {
	uint64_t literals;
	const struct shape *shape;
	uint32_t nvalues, nplaceholders;
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
	size_t bytes;
	uint64_t hashes[SETS][WAYS];
	struct entry *entries[SETS][WAYS];
	uint8_t used[SETS][WAYS];	/* hits since the last eviction in the set, saturating */
	uint32_t doors[DOORS];
	struct value_hash values[LIMIT_VALUES];
	char canon[CANON];
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

/* The hash of a literal; long ones are hashed as written, since equal long texts are written alike by one program. */
static uint64_t
literal_hash(struct identity_cache *c, struct sql_lang lang, struct span raw)
{
	size_t n = sql_literal_text(lang, raw, c->canon, sizeof c->canon);

	if (n == (size_t)-1)
		return 0;
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
		uint64_t h = 0;

		if (v->kind == SQL_VALUE_PLACEHOLDER) {
			if (v->number > out->nplaceholders)
				out->nplaceholders = v->number;
		} else {
			if (v->kind == SQL_VALUE_LITERAL || v->kind == SQL_VALUE_BOOL)
				h = literal_hash(c, lang, v->raw);
			out->literals = sql_hash_mix(out->literals, h ? h : v->kind);
		}
		if (v->slot < out->shape->nslots)
			c->values[n++] = (struct value_hash){ v->slot, v->kind, v->number, h };
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
		.tags = st->tags, .ntags = st->ntags, .unfinished = st->unfinished };
	out->local = is_local(out->shape);
	hash_values(c, lang, st, out);
}

/* ---- the cache ---- */

static uint8_t *
entry_key(struct entry *e)
{
	return (uint8_t *)(e + 1) + e->nvalues * sizeof(struct value_hash);
}

static struct entry *
look_up(struct identity_cache *c, uint64_t hash, struct sql_lang lang, struct span key)
{
	size_t set = hash & (SETS - 1);

	for (size_t k = 0; k < WAYS; k++) {
		struct entry *e = c->entries[set][k];

		if (c->hashes[set][k] == hash && e && e->key_n == key.n && e->dialect == lang.dialect && e->modes == lang.modes &&
		    memcmp(entry_key(e), key.p, key.n) == 0) {
			if (c->used[set][k] < UINT8_MAX)
				c->used[set][k]++;
			return e;
		}
	}
	return NULL;
}

static void
hit(struct entry *e, struct span key, struct identity *out)
{
	const uint8_t *stored = entry_key(e);

	out->shape = e->shape;
	out->literals = e->literals;
	out->values = (const struct value_hash *)(const void *)(e + 1);
	out->nvalues = e->nvalues;
	out->nplaceholders = e->nplaceholders;
	out->text = key;
	out->name = span_of((e->name_extra ? stored + e->key_n : key.p) + e->name_at, e->name_n);
	out->value = span_of(key.p + e->value_at, e->value_n);
	out->unfinished = e->unfinished;
	out->local = is_local(e->shape);
}

static void
forget(struct identity_cache *c, size_t set, size_t way)
{
	if (!c->entries[set][way])
		return;
	c->bytes -= c->entries[set][way]->bytes;
	mem_free(c->entries[set][way]);
	c->entries[set][way] = NULL;
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

/* Keeps the identity of a key, when there is memory within the limit. */
static void
remember(struct identity_cache *c, uint64_t hash, struct sql_lang lang, struct span key, const struct identity *id)
{
	size_t set = hash & (SETS - 1), way = make_way(c, set);
	bool extra = id->name.n && !within(id->name, key);
	size_t values = id->nvalues * sizeof(struct value_hash), total = sizeof(struct entry) + values + key.n + (extra ? id->name.n : 0);
	struct entry *e = c->bytes + total <= LIMIT_CACHE_BYTES ? mem_alloc(total) : NULL;

	if (!e)
		return;
	*e = (struct entry){ .literals = id->literals, .shape = id->shape, .nvalues = (uint32_t)id->nvalues,
		.nplaceholders = id->nplaceholders, .key_n = (uint32_t)key.n, .bytes = (uint32_t)total, .dialect = lang.dialect,
		.modes = lang.modes, .unfinished = id->unfinished, .name_extra = extra };
	if (id->nvalues)
		memcpy(e + 1, id->values, values);
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
	c->bytes += total;
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
	hash = XXH3_64bits_withSeed(key.p, key.n, c->seed ^ ((uint64_t)lang.modes << 8 | lang.dialect));
	struct entry *e = look_up(c, hash, lang, key);

	if (e) {
		hit(e, key, out);
		out->tags = parts.tags;
		out->ntags = parts.ntags;
		c->stats.hits++;
		return text.n;
	}
	c->stats.misses++;
	if (knocked_before(c, hash)) {		/* what is kept depends on the key alone */
		sql_scan(c->scanner, lang, key, &st);
		if (st.ntags == 0) {		/* else a comment could not be told from the statement */
			fill(c, lang, &st, out);
			remember(c, hash, lang, key, out);
		}
	}
	sql_scan(c->scanner, lang, text, &st);
	fill(c, lang, &st, out);
	return text.n;
}
