/* SPDX-License-Identifier: Apache-2.0 */
/* keymap: see keymap.h. At most half full. */
#include "keymap.h"

#include <string.h>
#include <xxhash.h>

#include "fingerprint/mem.h"

static uint32_t
slot_of(const struct keymap *m, uint64_t key)
{
	uint32_t at = (uint32_t)(key ^ key >> 32) & (m->cap - 1);

	while (m->slots[at] && m->keys[m->slots[at] - 1] != key)
		at = (at + 1) & (m->cap - 1);
	return at;
}

uint32_t
keymap_find(const struct keymap *m, uint64_t key)
{
	return m->n ? m->slots[slot_of(m, key)] - 1 : KEYMAP_NONE;
}

static void
grow(struct keymap *m)
{
	m->cap = m->cap ? m->cap * 2 : 16;
	m->keys = xmem_resize(m->keys, m->cap / 2 * sizeof m->keys[0]);
	mem_free(m->slots);
	m->slots = xmem_zero(m->cap * sizeof m->slots[0]);
	for (uint32_t i = 0; i < m->n; i++)
		m->slots[slot_of(m, m->keys[i])] = i + 1;
}

uint32_t
keymap_add(struct keymap *m, uint64_t key, uint32_t max)
{
	uint32_t at, have = keymap_find(m, key);

	if (have != KEYMAP_NONE || m->n >= max)
		return have;
	if (m->n == m->cap / 2)
		grow(m);
	at = slot_of(m, key);
	m->keys[m->n] = key;
	m->slots[at] = ++m->n;
	return m->n - 1;
}

void
keymap_clear(struct keymap *m)
{
	mem_free(m->keys);
	mem_free(m->slots);
	*m = (struct keymap){ 0 };
}

uint64_t
keymap_name(const char *name, uint64_t kind)
{
	return XXH3_64bits_withSeed(name, strlen(name), kind);
}
