/* SPDX-License-Identifier: Apache-2.0 */
/* pg_names: which object a statement or portal name means, while answers to earlier messages are still under way.
 * Does: keep for every name its versions from newest to oldest. Never: tells events, counts references, or limits how many there are
 * (pg_stmt.c and pg_exec.c do). */
#include "pg_conn.h"

#include "fingerprint/mem.h"

void
pg_names_init(struct pg_names *names, uint64_t seed)
{
	*names = (struct pg_names){ .seed = seed * UINT64_C(0x9e3779b97f4a7c15) };
}

static uint64_t
mix(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)(a ^ UINT64_C(0xa0761d6478bd642f)) * (b ^ UINT64_C(0xe7037ed1a0b428db));

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Seeded, so that a client cannot choose names that collide. */
static uint64_t
hash_name(const struct pg_names *names, struct span name)
{
	uint64_t h = mix(names->seed, name.n), word;

	while (name.n >= 8) {
		memcpy(&word, name.p, 8);
		h = mix(h, word);
		name = span_from(name, 8);
	}
	word = 0;
	if (name.n)
		memcpy(&word, name.p, name.n);
	return mix(h, word);
}

static struct pg_slot *
find_slot(struct pg_names *names, struct span name, uint64_t hash)
{
	struct pg_slot *slot;

	if (!names->buckets)
		return NULL;
	for (slot = names->buckets[hash & (names->nbuckets - 1)]; slot; slot = slot->next)
		if (slot->hash == hash && span_eq(slot->name, name))
			return slot;
	return NULL;
}

struct pg_version *
pg_names_find(struct pg_names *names, struct span name)
{
	struct pg_slot *slot = name.n ? find_slot(names, name, hash_name(names, name)) : &names->unnamed;

	return slot && slot->newest && !slot->newest->closing ? slot->newest : NULL;
}

static bool
grow(struct pg_names *names)
{
	uint32_t n = names->nbuckets ? names->nbuckets * 2 : 16;
	struct pg_slot **buckets = mem_zero(n * sizeof(struct pg_slot *)), *slot, *next;

	if (!buckets)
		return names->buckets != NULL;	/* full but usable */
	for (uint32_t i = 0; i < names->nbuckets; i++)
		for (slot = names->buckets[i]; slot; slot = next) {
			next = slot->next;
			slot->next = buckets[slot->hash & (n - 1)];
			buckets[slot->hash & (n - 1)] = slot;
		}
	mem_free(names->buckets);
	names->buckets = buckets;
	names->nbuckets = n;
	return true;
}

static struct pg_slot *
open_slot(struct pg_names *names, struct span name)
{
	uint64_t hash = hash_name(names, name);
	struct pg_slot *slot = find_slot(names, name, hash), **bucket;

	if (slot)
		return slot;
	if (names->n >= names->nbuckets && !grow(names))
		return NULL;
	slot = mem_zero(sizeof *slot + name.n);
	if (!slot)
		return NULL;
	memcpy(slot + 1, name.p, name.n);
	slot->name = span_of(slot + 1, name.n);
	slot->hash = hash;
	bucket = &names->buckets[hash & (names->nbuckets - 1)];
	slot->next = *bucket;
	*bucket = slot;
	names->n++;
	names->bytes += name.n;
	return slot;
}

bool
pg_names_link(struct pg_names *names, struct span name, struct pg_version *v)
{
	struct pg_slot *slot = name.n ? open_slot(names, name) : &names->unnamed;

	if (!slot)
		return false;
	v->slot = slot;
	v->newer = NULL;
	v->older = slot->newest;
	if (slot->newest)
		slot->newest->newer = v;
	else
		slot->oldest = v;
	slot->newest = v;
	v->refs++;
	return true;
}

static void
drop_slot(struct pg_names *names, struct pg_slot *slot)
{
	struct pg_slot **at = &names->buckets[slot->hash & (names->nbuckets - 1)];

	while (*at != slot)
		at = &(*at)->next;
	*at = slot->next;
	names->n--;
	names->bytes -= slot->name.n;
	mem_free(slot);
}

void
pg_names_unlink(struct pg_names *names, struct pg_version *v)
{
	struct pg_slot *slot = v->slot;

	if (v->newer)
		v->newer->older = v->older;
	else
		slot->newest = v->older;
	if (v->older)
		v->older->newer = v->newer;
	else
		slot->oldest = v->newer;
	v->older = v->newer = NULL;
	v->slot = NULL;
	v->standing = PG_GONE;
	if (!slot->newest && slot != &names->unnamed)
		drop_slot(names, slot);
}

void
pg_names_clear(struct pg_names *names)
{
	mem_free(names->buckets);
	names->buckets = NULL;
	names->nbuckets = 0;
}
