/* SPDX-License-Identifier: Apache-2.0 */
/* stacks: see stacks.h. One step per repeat of a request and place above it, not per statement. */
#include "stacks.h"

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "lineage_words.h"

/* Different for every pair; spread over all bits. */
static uint64_t
key_of(uint32_t above, enum stack_kind kind, uint32_t id)
{
	uint64_t key = ((uint64_t)(above + 1) << 32 | (uint64_t)id << 2 | kind) * 0x9e3779b97f4a7c15u;

	return key ^ key >> 32;
}

/* The place beneath `above`; when the tree is full, above itself. */
static uint32_t
place(struct stacks *s, uint32_t above, uint32_t scope, enum stack_kind kind, const struct shape *shape)
{
	uint32_t n = s->keys.n, i = keymap_add(&s->keys, key_of(above, kind, shape ? shape->id : scope), LIMIT_STACKS);

	if (i == KEYMAP_NONE)
		return above;
	if (i < n)
		return i;
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->v = xmem_resize(s->v, s->cap * sizeof *s->v);
	}
	s->v[s->n++] = (struct stack_place){ .above = above, .scope = scope, .kind = kind, .shape = shape };
	return i;
}

/* The repeat whose rows this one was executed with; NULL when that is not proven. */
static const struct repeat *
source_of(const struct facts *f, const struct repeat *g)
{
	const struct edge *e = lineage_edge(f, g);
	const struct repeat *source = e && e->verdict != EDGE_HINT && e->verdict != EDGE_LISTS ? &f->repeats[f->repeat[e->parent_stmt]] : NULL;

	return source == g ? NULL : source;
}

static bool
among(const struct repeat *const *path, uint32_t n, const struct repeat *g)
{
	while (n > 0)
		if (path[--n] == g)
			return true;
	return false;
}

static uint32_t
place_of(struct stacks *s, const struct facts *f, const struct repeat *g, uint32_t scope, uint32_t root)
{
	const struct repeat *path[LIMIT_STACK_DEPTH];
	enum stmt_kind kind = stmt_kind(g->shape);
	uint32_t n = 0, at = root;

	if (kind != KIND_QUERY)
		return place(s, root, scope, kind == KIND_CONTROL ? STACK_CONTROL : STACK_SETUP, NULL);
	for (const struct repeat *r = g; r && n < LIMIT_STACK_DEPTH && !among(path, n, r); r = source_of(f, r))
		path[n++] = r;
	while (n > 0)
		at = place(s, at, scope, STACK_QUERY, path[--n]->shape);
	return at;
}

void
stacks_add(struct stacks *s, const struct facts *f, uint32_t scope)
{
	uint32_t root = place(s, KEYMAP_NONE, scope, STACK_SCOPE, NULL);

	if (root == KEYMAP_NONE)
		return;
	for (uint32_t i = 0; i < f->nrepeats; i++) {
		const struct repeat *g = &f->repeats[i];

		if (g->executions == 0)
			continue;

		uint32_t at = place_of(s, f, g, scope, root);

		s->v[at].calls += g->executions;
		s->v[at].ns += g->busy;
	}
}

void
stacks_clear(struct stacks *s)
{
	keymap_clear(&s->keys);
	mem_free(s->v);
	*s = (struct stacks){ 0 };
}
