/* SPDX-License-Identifier: Apache-2.0 */
/* request_keys: open requests by their instance key or mark, and the names they have. See open_request.h. */
#include "open_requests.h"

#include <stdlib.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "close_request.h"
#include "fingerprint/mem.h"

enum { FIRST_BUCKETS = 64 };

void
request_keys_init(struct request_keys *k)
{
	k->nbuckets = FIRST_BUCKETS;
	k->buckets = xmem_zero(k->nbuckets * sizeof *k->buckets);
	/* Keys come from clients: they must not be able to fill one bucket. Without a seed the table still works. */
	if (getrandom(&k->seed, sizeof k->seed, GRND_NONBLOCK) != sizeof k->seed)
		k->seed = (uintptr_t)k;
}

void
request_keys_clear(struct request_keys *k)
{
	mem_free(k->buckets);
	*k = (struct request_keys){ 0 };
}

uint64_t
request_hash(const struct open_requests *p, struct span key)
{
	return XXH3_64bits_withSeed(key.p, key.n, p->keys.seed);
}

static struct open_request **
bucket(const struct request_keys *k, uint64_t hash)
{
	return &k->buckets[hash & (k->nbuckets - 1)];
}

struct open_request *
request_keys_first(const struct request_keys *k, uint64_t hash)
{
	return *bucket(k, hash);
}

static void
double_buckets(struct request_keys *k)
{
	struct open_request **old = k->buckets;
	uint32_t n = k->nbuckets;

	k->nbuckets *= 2;
	k->buckets = xmem_zero(k->nbuckets * sizeof *k->buckets);
	for (uint32_t i = 0; i < n; i++) {
		struct open_request *oldest_first = NULL;

		/* Turned over twice, so that the newest stays in front. */
		for (struct open_request *r = old[i], *next; r; r = next) {
			next = r->bucket_next;
			r->bucket_next = oldest_first;
			oldest_first = r;
		}
		for (struct open_request *r = oldest_first, *next; r; r = next) {
			struct open_request **b = bucket(k, r->hash);

			next = r->bucket_next;
			r->bucket_next = *b;
			*b = r;
		}
	}
	mem_free(old);
}

static void
keys_add(struct request_keys *k, struct open_request *r)
{
	struct open_request **b;

	if (++k->n > k->nbuckets)
		double_buckets(k);
	b = bucket(k, r->hash);
	r->bucket_next = *b;
	*b = r;
}

void
request_keys_remove(struct request_keys *k, struct open_request *r)
{
	struct open_request **at = bucket(k, r->hash);

	while (*at != r)
		at = &(*at)->bucket_next;
	*at = r->bucket_next;
	r->bucket_next = NULL;
	k->n--;
}

static bool
same_key(const struct open_request *r, const struct request_identity *id)
{
	return r->bound == id->bound && r->hash == id->hash && !r->ended && (id->bound == BY_MARK || span_is(id->key, r->key));
}

bool
request_is(const struct open_request *r, const struct request_identity *id)
{
	if (!same_key(r, id))
		return false;
	return span_is(id->scope, r->scope) || (id->bound == BY_KEY && !id->scope.n);
}

static void
set_scope(struct open_request *r, const struct request_identity *id)
{
	r->scope = arena_strndup(&r->arena, id->scope);
	r->scope_from = (uint8_t)(id->scope.n ? id->scope_from : FROM_NONE);
}

struct open_request *
request_find(struct open_requests *p, const struct request_identity *id)
{
	struct open_request *without = NULL;

	for (struct open_request *r = *bucket(&p->keys, id->hash); r; r = r->bucket_next) {
		if (!same_key(r, id))
			continue;
		if (request_is(r, id))
			return r;
		if (!*r->scope && !without)
			without = r;
	}
	if (!without || id->bound != BY_KEY)
		return NULL;
	set_scope(without, id);
	return without;
}

/* ---- names ---- */

void
request_name(struct open_requests *p, struct open_request *r, const struct request_identity *id)
{
	r->bound = (uint8_t)id->bound;
	r->borders_from = (uint8_t)id->borders_from;
	r->hash = id->hash;
	r->key = arena_strndup(&r->arena, id->key);
	set_scope(r, id);
	if (has_key(r))
		keys_add(&p->keys, r);
}

void
request_rename(struct open_requests *p, struct open_request *r, const struct request_identity *id)
{
	bool named = request_named(r);

	if (has_key(r))
		request_keys_remove(&p->keys, r);
	request_name(p, r, id);
	request_count_named(p, r, named);
}
