/* SPDX-License-Identifier: Apache-2.0 */
/* side: see side.h. */
#include "side.h"

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

static struct side_scope *
scope_of(struct side *s, const char *name)
{
	uint32_t i = keymap_add(&s->keys, keymap_name(name, 0), LIMIT_SCOPES);

	if (i == KEYMAP_NONE)
		return NULL;
	if (i == s->nscopes) {
		s->scopes = xmem_room(s->scopes, s->nscopes++, &s->scopes_cap, sizeof *s->scopes);
		s->scopes[i].name = arena_strndup(&s->names, span_str(name));
		s->scopes[i].stride = 1;
	}
	return &s->scopes[i];
}

/* Full: every second one goes, and only every second one comes in from here on. */
static void
add_time(struct side_scope *scope, uint64_t ns)
{
	if (scope->seen++ % scope->stride)
		return;
	if (scope->ntimes == LIMIT_COMPARED_TIMES) {
		for (uint32_t i = 0; i < scope->ntimes / 2; i++)
			scope->times[i] = scope->times[2 * i];
		scope->ntimes /= 2;
		scope->stride *= 2;
	}
	scope->times = xmem_room(scope->times, scope->ntimes, &scope->times_cap, sizeof *scope->times);
	scope->times[scope->ntimes++] = ns;
}

static struct side_shape *
shape_of(struct side *s, struct side_scope *scope, const struct shape *shape)
{
	uint32_t i = keymap_add(&scope->keys, shape->fingerprint, LIMIT_REQUEST_SHAPES);

	if (i == KEYMAP_NONE) {
		s->left_out++;
		return NULL;
	}
	if (i == scope->nshapes) {
		scope->shapes = xmem_room(scope->shapes, scope->nshapes++, &scope->shapes_cap, sizeof *scope->shapes);
		scope->shapes[i].shape = shape;
	}
	return &scope->shapes[i];
}

void
side_request(struct side *s, const struct request *r)
{
	const struct facts *f = facts_new(r, &s->scratch);
	struct side_scope *scope = scope_of(s, r->scope);

	if (!scope) {
		s->left_out++;
		return;
	}
	add_time(scope, f->db);
	/* A shape in two databases is one shape here. */
	for (uint32_t i = 0; i < f->nrepeats; i++) {
		struct side_shape *shape = f->repeats[i].executions && stmt_kind(f->repeats[i].shape) == KIND_QUERY ? shape_of(s, scope, f->repeats[i].shape) : NULL;

		if (shape)
			shape->pending += f->repeats[i].executions;
	}
	for (uint32_t i = 0; i < f->nrepeats; i++) {
		uint32_t k = keymap_find(&scope->keys, f->repeats[i].shape->fingerprint);

		if (k == KEYMAP_NONE || scope->shapes[k].pending == 0)
			continue;
		counts_add(&scope->shapes[k].executions, scope->shapes[k].pending);
		scope->shapes[k].pending = 0;
	}
	arena_reset(&s->scratch);
}

const struct side_scope *
side_scope(const struct side *s, const char *name)
{
	uint32_t i = keymap_find(&s->keys, keymap_name(name, 0));

	return i == KEYMAP_NONE ? NULL : &s->scopes[i];
}

const struct side_shape *
side_shape(const struct side_scope *s, uint64_t fingerprint)
{
	uint32_t i = s ? keymap_find(&s->keys, fingerprint) : KEYMAP_NONE;

	return i == KEYMAP_NONE ? NULL : &s->shapes[i];
}

void
side_clear(struct side *s)
{
	for (uint32_t i = 0; i < s->nscopes; i++) {
		for (uint32_t k = 0; k < s->scopes[i].nshapes; k++)
			counts_clear(&s->scopes[i].shapes[k].executions);
		mem_free(s->scopes[i].shapes);
		mem_free(s->scopes[i].times);
		keymap_clear(&s->scopes[i].keys);
	}
	mem_free(s->scopes);
	keymap_clear(&s->keys);
	arena_clear(&s->names);
	arena_clear(&s->scratch);
	*s = (struct side){ 0 };
}
