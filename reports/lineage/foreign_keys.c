/* SPDX-License-Identifier: Apache-2.0 */
/* foreign_keys: see foreign_keys.h. */
#include "foreign_keys.h"

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "reports/requests/keymap.h"

struct foreign_keys {
	struct arena arena;
	struct lineage_key *keys;
	uint32_t *next;			/* the next one of the same column */
	uint32_t n;
	struct keymap columns;
	uint32_t *first;		/* by index in columns */
};

/* Without schema and quotes. */
static struct span
bare_name(const char *name)
{
	const char *dot = strrchr(name, '.');
	struct span s = span_str(dot ? dot + 1 : name);

	return s.n >= 2 && (s.p[0] == '"' || s.p[0] == '`') ? span_of(s.p + 1, s.n - 2) : s;
}

static uint64_t
column_key(const char *table, const char *column)
{
	char text[2 * LIMIT_NAME + 2];
	struct span parts[] = { bare_name(table), span_str(column) };
	size_t n = 0;

	for (int i = 0; i < 2; i++) {
		for (size_t k = 0; k < parts[i].n && k < LIMIT_NAME; k++) {
			uint8_t c = parts[i].p[k];

			text[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
		}
		text[n++] = i == 0 ? '.' : '\0';
	}
	return keymap_name(text, 0);
}

struct foreign_keys *
foreign_keys_new(const struct lineage_key *keys, uint32_t n)
{
	struct foreign_keys *k = xmem_zero(sizeof *k);

	k->n = n < LIMIT_FOREIGN_KEYS ? n : LIMIT_FOREIGN_KEYS;
	k->keys = arena_zero(&k->arena, (k->n + 1) * sizeof *k->keys);
	k->next = arena_zero(&k->arena, (k->n + 1) * sizeof *k->next);
	k->first = arena_zero(&k->arena, (k->n + 1) * sizeof *k->first);
	/* From the last one on, so that chains keep the order given. */
	for (uint32_t i = k->n; i-- > 0;) {
		uint32_t before = k->columns.n, at = keymap_add(&k->columns, column_key(keys[i].child, keys[i].child_column), UINT32_MAX);

		k->keys[i] = (struct lineage_key){ arena_strndup(&k->arena, bare_name(keys[i].child)),
			arena_strndup(&k->arena, span_str(keys[i].child_column)), arena_strndup(&k->arena, bare_name(keys[i].parent)),
			arena_strndup(&k->arena, span_str(keys[i].parent_column)) };
		k->next[i] = at == before ? UINT32_MAX : k->first[at];
		k->first[at] = i;
	}
	return k;
}

void
foreign_keys_free(struct foreign_keys *k)
{
	if (!k)
		return;
	keymap_clear(&k->columns);
	arena_clear(&k->arena);
	mem_free(k);
}

const struct lineage_key *
foreign_keys_first(const struct foreign_keys *k, const char *table, const char *column)
{
	uint32_t at = k ? keymap_find(&k->columns, column_key(table, column)) : KEYMAP_NONE;

	return at == KEYMAP_NONE ? NULL : &k->keys[k->first[at]];
}

const struct lineage_key *
foreign_keys_next(const struct foreign_keys *k, const struct lineage_key *key)
{
	uint32_t next = k->next[key - k->keys];

	return next == UINT32_MAX ? NULL : &k->keys[next];
}

const struct lineage_key *
foreign_keys_all(const struct foreign_keys *k, uint32_t *n)
{
	*n = k->n;
	return k->keys;
}
