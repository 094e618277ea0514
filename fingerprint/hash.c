/* SPDX-License-Identifier: Apache-2.0 */
/* hash: keyed hashes of values, so that evidence can be compared inside this process and nowhere else.
 * Does: keep one random key per process, made once at start. Never: lets the key or a value out. */
#include "sql.h"

#include <sys/auxv.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t hash_key = 0x9E3779B97F4A7C15u;	/* replaced by sql_hash_key_init, before any thread starts */

void
sql_hash_key_init(void)
{
	const void *given = (const void *)getauxval(AT_RANDOM);	/* 16 bytes from the kernel at exec */

	if (getrandom(&hash_key, sizeof hash_key, 0) != (ssize_t)sizeof hash_key && given)
		memcpy(&hash_key, given, sizeof hash_key);
}

uint64_t
sql_hash(struct span canonical)
{
	uint64_t h = XXH3_64bits_withSeed(canonical.p, canonical.n, hash_key);

	return h + (h == 0);
}

uint64_t
sql_hash_mix(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ (b + 0x9E3779B97F4A7C15u)) * 0xff51afd7ed558ccdu;

	h ^= h >> 32;
	h = (h + b) * 0xc4ceb9fe1a85ec53u;
	h ^= h >> 29;
	return h + (h == 0);
}
