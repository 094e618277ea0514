/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot_stacks: the tree of stacks.h as a snapshot shows it: sums, a stable order, depth first. Never: counts anything anew. */
#include <stdlib.h>

#include "collector_parts.h"
#include "fingerprint/mem.h"

struct branch {
	struct snap_stack out;
	uint32_t above, at;	/* indexes into the tree */
	uint32_t beneath, next;	/* first and next of those beneath one place, sorted; KEYMAP_NONE */
};

static int
by_time(const struct snap_stack *a, const struct snap_stack *b)
{
	if (a->all_ns != b->all_ns)
		return a->all_ns > b->all_ns ? -1 : 1;
	if (a->all_calls != b->all_calls)
		return a->all_calls > b->all_calls ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->shape && a->shape->fingerprint != b->shape->fingerprint)
		return a->shape->fingerprint < b->shape->fingerprint ? -1 : 1;
	return a->shape ? strcmp(a->shape->text, b->shape->text) : strcmp(a->scope, b->scope);
}

/* Scopes, then the places beneath each one together, in the order they shall have. */
static int
branch_order(const void *x, const void *y)
{
	const struct branch *a = *(struct branch *const *)x, *b = *(struct branch *const *)y;

	if (a->above != b->above)
		return a->above + 1 < b->above + 1 ? -1 : 1;
	return by_time(&a->out, &b->out);
}

static struct branch *
copy_tree(const struct stacks *from, const char *const *scopes)
{
	struct branch *v = xmem_zero((from->n + 1) * sizeof *v);

	for (uint32_t i = 0; i < from->n; i++) {
		const struct stack_place *p = &from->v[i];

		v[i] = (struct branch){ .above = p->above, .at = i, .beneath = KEYMAP_NONE, .next = KEYMAP_NONE, .out = { .kind = p->kind,
			.depth = p->above == KEYMAP_NONE ? 0 : v[p->above].out.depth + 1, .scope = scopes[p->scope], .shape = p->shape,
			.calls = p->calls, .ns = p->ns, .all_calls = p->calls, .all_ns = p->ns } };
	}
	/* A place comes after the one above it. */
	for (uint32_t i = from->n; i-- > 0;)
		if (v[i].above != KEYMAP_NONE) {
			v[v[i].above].out.all_calls += v[i].out.all_calls;
			v[v[i].above].out.all_ns += v[i].out.all_ns;
		}
	return v;
}

/* Links what is beneath each place, and returns the first scope. */
static uint32_t
link_tree(struct branch *v, uint32_t n)
{
	struct branch **order = xmem_zero((n + 1) * sizeof *order);
	uint32_t first = KEYMAP_NONE;

	for (uint32_t i = 0; i < n; i++)
		order[i] = &v[i];
	if (n)
		qsort(order, n, sizeof *order, branch_order);
	for (uint32_t i = n; i-- > 0;) {
		uint32_t *head = order[i]->above == KEYMAP_NONE ? &first : &v[order[i]->above].beneath;

		order[i]->next = *head;
		*head = order[i]->at;
	}
	mem_free(order);
	return first;
}

void
snapshot_stacks(struct snapshot *s, const struct stacks *from, const struct tally *t)
{
	const char **scopes = xmem_zero((t->nscopes + 1) * sizeof *scopes);
	struct snap_stack *out = arena_zero(s->arena, from->n * sizeof *out);

	/* The snapshot's own copies of the names, by the tally's index. */
	for (uint32_t i = 0; i < t->nscopes; i++)
		scopes[i] = arena_strndup(s->arena, span_str(t->scopes[i].name));

	struct branch *v = copy_tree(from, scopes);

	for (uint32_t at = link_tree(v, from->n); at != KEYMAP_NONE;) {
		uint32_t next = v[at].beneath;

		out[s->nstacks++] = v[at].out;
		while (next == KEYMAP_NONE && at != KEYMAP_NONE) {
			next = v[at].next;
			at = v[at].above;
		}
		at = next;
	}
	s->stacks = out;
	mem_free(v);
	mem_free(scopes);
}
