/* SPDX-License-Identifier: Apache-2.0 */
/* lineage: see lineage.h. Steps: group the executions by shape and place, index all result values, try every column that holds a value of a
 * repeated slot, weigh each trial, accept those that fan out (or hang below a loop that does) until nothing changes, name the best. */
#include "lineage.h"

#include <stdlib.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "reports/requests/request_stmt.h"
#include "reports/requests/keymap.h"
#include "lineage_part.h"

enum { ROUNDS = 16, CLOSE_SCORE = 6, HINT_VALUES = 3, LIST_VALUES = 5 };

struct lineage {
	struct table_names *tables;
	const struct foreign_keys *keys[LIMIT_CATALOGS];
	uint32_t nkeys;
	struct keymap shapes;		/* whose tables are known */
};

/* One request being judged. */
struct judge {
	struct lineage *l;
	struct index x;
	struct arena *a;
	struct group *groups;
	uint32_t ngroups;
	uint32_t *next;			/* next execution of its group, by statement */
	struct trial *trials;
	uint32_t ntrials, cap;
	struct weighing w;
};

struct lineage *
lineage_new(void)
{
	struct lineage *l = xmem_zero(sizeof *l);

	l->tables = table_names_new();
	return l;
}

void
lineage_keys(struct lineage *l, const struct foreign_keys *const *keys, uint32_t n)
{
	l->nkeys = n < LIMIT_CATALOGS ? n : LIMIT_CATALOGS;
	for (uint32_t i = 0; i < l->nkeys; i++)
		l->keys[i] = keys[i];
}

void
lineage_tables(struct lineage *l, const struct foreign_keys *keys)
{
	uint32_t n;
	const struct lineage_key *all = foreign_keys_all(keys, &n);

	for (uint32_t i = 0; i < n; i++) {
		table_names_add(l->tables, all[i].child);
		table_names_add(l->tables, all[i].parent);
	}
}

void
lineage_free(struct lineage *l)
{
	if (!l)
		return;
	table_names_free(l->tables);
	keymap_clear(&l->shapes);
	mem_free(l);
}

/* ---- groups ---- */

static void
learn_tables(struct lineage *l, const struct shape *s)
{
	uint32_t before = l->shapes.n;

	if (keymap_add(&l->shapes, (uint64_t)s->id + 1, LIMIT_SHAPES) != before)
		return;
	for (uint16_t i = 0; i < s->ntables; i++)
		table_names_add(l->tables, s->tables[i].name);
}

static bool
may_prove(uint8_t cls)
{
	return cls == SQL_SLOT_EQ || cls == SQL_SLOT_IN || cls == SQL_SLOT_INSERT;
}

static void
make_groups(struct judge *j)
{
	struct keymap known = { 0 };

	j->groups = arena_zero(j->a, j->x.n * sizeof *j->groups);
	j->next = arena_zero(j->a, j->x.n * sizeof *j->next);
	for (uint32_t i = 0; i < j->x.n; i++) {
		const struct lineage_stmt *s = &j->x.stmts[i];
		uint32_t at = keymap_add(&known, sql_hash_mix((uintptr_t)s->shape, s->place), UINT32_MAX);
		struct group *g = &j->groups[at];

		learn_tables(j->l, s->shape);
		j->next[i] = NONE;
		if (at == j->ngroups) {
			j->ngroups++;
			*g = (struct group){ .shape = s->shape, .place = s->place, .first = i };
		} else {
			j->next[g->last] = i;
		}
		g->last = i;
		g->n++;
	}
	keymap_clear(&known);
}

/* A repeated read or write that takes values where they may prove something. */
static bool
is_child(const struct group *g)
{
	const struct shape *s = g->shape;

	if (g->n < 2 || (s->cls != SQL_READ && s->cls != SQL_WRITE) || stmt_kind(s) != KIND_QUERY)
		return false;
	for (uint16_t i = 0; i < s->nslots; i++)
		if (may_prove(s->slots[i].cls))
			return true;
	return false;
}

static bool
any_child(const struct judge *j)
{
	for (uint32_t i = 0; i < j->ngroups; i++)
		if (is_child(&j->groups[i]))
			return true;
	return false;
}

/* ---- the values of one slot ---- */

static int
by_hash(const void *a, const void *b)
{
	const struct child_value *const *x = a, *const *y = b;
	uint64_t v = (*x)->v->hash, u = (*y)->v->hash;

	if (v != u)
		return v < u ? -1 : 1;
	return (*x > *y) - (*x < *y);
}

/* Equal values get one id. */
static void
number_values(struct judge *j, struct child_slot *s)
{
	struct child_value **sorted = arena_zero(j->a, s->nvalues * sizeof(struct child_value *));

	for (uint32_t i = 0; i < s->nvalues; i++)
		sorted[i] = &s->values[i];
	qsort(sorted, s->nvalues, sizeof(struct child_value *), by_hash);
	for (uint32_t i = 0; i < s->nvalues; i++) {
		if (i == 0 || sorted[i]->v->hash != sorted[i - 1]->v->hash)
			s->distinct++;
		sorted[i]->id = s->distinct - 1;
	}
}

/* NULL when the slot has fewer than two distinct values. */
static struct child_slot *
slot_values(struct judge *j, const struct group *g, uint16_t slot)
{
	struct child_slot *s = arena_zero(j->a, sizeof *s);
	uint32_t n = 0;

	for (uint32_t i = g->first; i != NONE; i = j->next[i])
		n += j->x.stmts[i].nparams;
	s->values = arena_zero(j->a, n * sizeof *s->values);
	for (uint32_t i = g->first; i != NONE; i = j->next[i]) {
		const struct lineage_stmt *st = &j->x.stmts[i];
		uint32_t before = s->nvalues;

		for (uint32_t k = 0; k < st->nparams; k++)
			if (st->params[k].slot == slot && st->params[k].kind != REC_VALUE_NONE)
				s->values[s->nvalues++] = (struct child_value){ .v = &st->params[k], .stmt = i };
		s->executions += s->nvalues > before;
	}
	number_values(j, s);
	if (s->distinct < 2)
		return NULL;
	s->slot = slot;
	s->cls = g->shape->slots[slot].cls;
	s->key = key_column(j->l->tables, g->shape->slots[slot].table, g->shape->slots[slot].column, j->a);
	return s;
}

/* ---- trials ---- */

static void
name_source(struct judge *j, struct source *s)
{
	const char *table = "", *column = "id";

	if (s->named)
		return;
	s->named = true;
	if (s->set) {
		const struct lineage_column *c = &s->set->c[s->col];

		table = c->table;
		column = c->name;
		if (!*table && !column_origin(s->shape, c->at, c->name, j->a, &table, &column))
			s->expression = true;
	} else {
		for (uint16_t i = 0; i < s->shape->ntables; i++)
			if (s->shape->tables[i].write)
				table = s->shape->tables[i].name;
	}
	s->key = key_column(j->l->tables, table, column, j->a);
	if (s->expression)
		s->key.kind = KEY_PLAIN;
}

/* The sources that hold any of the slot's values, most often first seen first; at most LIMIT_LINEAGE_EDGES. */
static uint32_t
find_candidates(struct judge *j, const struct child_slot *s, uint32_t *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->nvalues && j->x.steps < LIMIT_LINEAGE_STEPS; i++) {
		for (uint32_t e = index_first(&j->x, s->values[i].v->hash); e != NONE; e = index_next(&j->x, e)) {
			uint32_t source = j->x.entries[e].source, k = 0;
			const struct occurrence *o = &j->x.occurrences[j->x.entries[e].first];

			if (j->x.stmts[o->stmt].ended > j->x.stmts[s->values[i].stmt].sent)
				continue;
			while (k < n && out[k] != source)
				k++;
			if (k == n && n < LIMIT_LINEAGE_EDGES)
				out[n++] = source;
		}
	}
	return n;
}

static void
add_trial(struct judge *j, const struct trial *t)
{
	if (j->ntrials == j->cap) {
		struct trial *more = arena_zero(j->a, (j->cap ? j->cap * 2 : 16) * sizeof *more);

		if (j->ntrials)
			memcpy(more, j->trials, j->ntrials * sizeof *more);
		j->trials = more;
		j->cap = j->cap ? j->cap * 2 : 16;
	}
	j->trials[j->ntrials++] = *t;
}

static void
try_slot(struct judge *j, uint32_t group, struct child_slot *s)
{
	uint32_t candidates[LIMIT_LINEAGE_EDGES], n = find_candidates(j, s, candidates);

	s->candidates = n;
	for (uint32_t i = 0; i < n && j->x.steps < LIMIT_LINEAGE_STEPS && j->ntrials < LIMIT_LINEAGE_TRIALS; i++) {
		struct trial t = { .group = group, .source = candidates[i], .slot = s, .explained = NONE };
		struct source *from = &j->x.sources[t.source];

		if (!trial_look(&j->w, &t))
			continue;
		name_source(j, from);
		t.domain = key_domain(&from->key, &s->key, j->l->keys, j->l->nkeys, &t.self);
		t.id_like = from->key.kind != KEY_PLAIN && s->key.kind != KEY_PLAIN;
		add_trial(j, &t);
	}
}

/* Two slots that follow two columns of the same rows, row by row. */
static void
pair_up(struct judge *j, uint32_t from)
{
	for (uint32_t i = from; i < j->ntrials; i++) {
		for (uint32_t k = i + 1; k < j->ntrials; k++) {
			struct trial *a = &j->trials[i], *b = &j->trials[k];
			const struct source *x = &j->x.sources[a->source], *y = &j->x.sources[b->source];

			if (a->slot == b->slot || x->shape != y->shape || x->set != y->set || x->col == y->col)
				continue;
			if (a->each_row && b->each_row && !a->misses && !b->misses && a->domain >= DOMAIN_SHARED && b->domain >= DOMAIN_SHARED)
				a->composite = b->composite = true;
		}
	}
}

static void
try_group(struct judge *j, uint32_t group)
{
	const struct group *g = &j->groups[group];
	uint32_t from = j->ntrials;

	j->w.g = g;
	for (uint16_t slot = 0; slot < g->shape->nslots; slot++) {
		struct child_slot *s = may_prove(g->shape->slots[slot].cls) ? slot_values(j, g, slot) : NULL;

		if (!s)
			continue;
		j->groups[group].lists |= s->cls == SQL_SLOT_IN && s->distinct >= LIST_VALUES * s->executions;
		try_slot(j, group, s);
	}
	pair_up(j, from);
	for (uint32_t i = from; i < j->ntrials; i++)
		trial_judge(&j->x, &j->trials[i]);
	if (j->ntrials > from)
		trials_share(&j->w, j->trials + from, j->ntrials - from);
}

/* ---- accepting ---- */

static bool
shape_proven(const struct judge *j, const struct shape *s)
{
	for (uint32_t i = 0; i < j->ngroups; i++)
		if (j->groups[i].shape == s && j->groups[i].proven)
			return true;
	return false;
}

static bool
is_walk(const struct judge *j, const struct trial *t)
{
	return j->x.sources[t->source].shape == j->groups[t->group].shape && t->walk >= (t->bits >= 10 ? 2 : 3) && t->walk >= t->hits;
}

static bool
fans_out(const struct judge *j, const struct trial *t)
{
	const struct shape *parent = j->x.sources[t->source].shape;

	return t->fan >= 2 || is_walk(j, t) || (parent != j->groups[t->group].shape && shape_proven(j, parent));
}

/* Another column of the slot fits as well, and its rows came one by one, each just before the execution that used it: the values went through
 * that shape, not from t's result to the child. */
static uint32_t
explained_by(const struct judge *j, const struct trial *t)
{
	for (uint32_t i = 0; i < j->ntrials; i++) {
		const struct trial *o = &j->trials[i];
		const struct shape *via = j->x.sources[o->source].shape;

		if (o == t || o->group != t->group || o->slot != t->slot || o->domain < t->domain || o->hits < t->hits || o->misses > t->misses)
			continue;
		if (o->fan != 1 || o->just_before < o->hits || via == j->groups[t->group].shape || via == j->x.sources[t->source].shape)
			continue;
		if (j->x.stmts[o->first_parent].ended <= j->x.stmts[t->first_parent].ended || shape_proven(j, via))
			continue;
		return i;
	}
	return NONE;
}

static void
accept_all(struct judge *j)
{
	bool changed = true;

	for (int round = 0; round < ROUNDS && changed; round++) {
		changed = false;
		for (uint32_t i = 0; i < j->ntrials; i++) {
			struct trial *t = &j->trials[i];

			if (t->accepted || !t->fits || !fans_out(j, t))
				continue;
			t->explained = explained_by(j, t);
			if (t->explained != NONE)
				continue;
			t->accepted = changed = true;
			j->groups[t->group].proven = true;
		}
	}
}

/* ---- naming ---- */

static bool
better(const struct judge *j, const struct trial *t, const struct trial *than)
{
	double x, y;

	if (!than)
		return true;
	if ((t->domain == DOMAIN_CONTRADICTS) != (than->domain == DOMAIN_CONTRADICTS))
		return t->domain != DOMAIN_CONTRADICTS;
	if ((t->fan >= 2) != (than->fan >= 2))
		return t->fan >= 2;
	x = trial_score(&j->x, t);
	y = trial_score(&j->x, than);
	if (x != y)
		return x > y;
	return j->x.stmts[t->first_parent].ended >= j->x.stmts[than->first_parent].ended;
}

static const char *
name_of(struct arena *a, const struct key_column *k)
{
	return *k->table ? arena_printf(a, "%s.%s", k->table, k->column) : k->column;
}

static const char *
edge_name(struct judge *j, const struct trial *t)
{
	return arena_printf(j->a, "%s → %s", name_of(j->a, &j->x.sources[t->source].key), name_of(j->a, &t->slot->key));
}

static struct edge
edge_of(struct judge *j, const struct trial *t, const struct trial *second, enum edge_verdict verdict)
{
	const struct index *x = &j->x;
	uint8_t flags = 0;

	flags |= t->up == t->hits ? EDGE_IN_ORDER : 0;
	flags |= t->each_row ? EDGE_EACH_ROW : 0;
	flags |= t->fan < 2 && is_walk(j, t) ? EDGE_WALK : 0;
	flags |= t->partial ? EDGE_PARTIAL : 0;
	flags |= verdict == EDGE_HINT && t->bits < 10 ? EDGE_MANY : 0;
	if (t->shared)
		flags |= EDGE_SHARED | EDGE_IN_ORDER | (t->claimed == t->kept ? EDGE_EACH_ROW : 0);
	return (struct edge){ .child = j->groups[t->group].shape, .parent = x->sources[t->source].shape, .child_stmt = x->stmts[t->first_child].stmt,
		.parent_stmt = x->stmts[t->first_parent].stmt, .column = edge_name(j, t), .other = second ? edge_name(j, second) : "",
		.values = t->shared ? t->claimed : t->hits, .missed = t->shared ? 0 : t->misses, .source_values = t->shared ? t->claimed : t->source_distinct, .kept = t->kept, .rows = t->rows,
		.verdict = (uint8_t)verdict, .flags = flags };
}

/* The best accepted trial of the group and the runner-up that comes close under another name. */
static bool
proven_edge(struct judge *j, uint32_t group, struct edge *out)
{
	const struct trial *best = NULL, *second = NULL;

	for (uint32_t i = 0; i < j->ntrials; i++) {
		const struct trial *t = &j->trials[i];

		if (t->group == group && t->accepted && better(j, t, best))
			best = t;
	}
	if (!best)
		return false;
	for (uint32_t i = 0; i < j->ntrials; i++) {
		const struct trial *t = &j->trials[i];

		if (t->group != group || t == best || !t->accepted || t->slot != best->slot)
			continue;
		if (trial_score(&j->x, best) - trial_score(&j->x, t) > CLOSE_SCORE || strcmp(edge_name(j, t), edge_name(j, best)) == 0)
			continue;
		if (better(j, t, second))
			second = t;
	}
	*out = edge_of(j, best, best->shared ? NULL : second, EDGE_PROVEN);
	return true;
}

/* The column that takes turns with the one just named. */
static bool
other_edge(struct judge *j, uint32_t group, const struct edge *named, struct edge *out)
{
	for (uint32_t i = 0; named->flags & EDGE_SHARED && i < j->ntrials; i++) {
		const struct trial *t = &j->trials[i];

		if (t->group != group || !t->shared || !t->accepted || strcmp(edge_name(j, t), named->column) == 0)
			continue;
		*out = edge_of(j, t, NULL, EDGE_PROVEN);
		return true;
	}
	return false;
}

/* The rows come in lists, not one by one. */
static bool
list_edge(const struct judge *j, uint32_t group, struct edge *out)
{
	const struct group *g = &j->groups[group];

	if (!g->lists)
		return false;
	*out = (struct edge){ .child = g->shape, .parent = g->shape, .child_stmt = j->x.stmts[g->first].stmt, .parent_stmt = j->x.stmts[g->first].stmt,
		.column = "", .other = "", .verdict = EDGE_LISTS };
	return true;
}

/* Without proof: whose executions it follows, or the columns its values fit. */
static bool
weaker_edge(struct judge *j, uint32_t group, struct edge *out)
{
	const struct trial *best = NULL, *second = NULL;

	for (uint32_t i = 0; i < j->ntrials; i++) {
		const struct trial *t = &j->trials[i];

		if (t->group != group)
			continue;
		if (t->explained != NONE) {
			*out = edge_of(j, &j->trials[t->explained], NULL, EDGE_FOLLOWS);
			return true;
		}
		if (t->domain == DOMAIN_CONTRADICTS || t->hits < HINT_VALUES || trial_real_misses(t) * 9 > t->hits)
			continue;
		if (better(j, t, best)) {
			second = best;
			best = t;
		} else if (better(j, t, second)) {
			second = t;
		}
	}
	if (best)
		*out = edge_of(j, best, second, EDGE_HINT);
	return best != NULL;
}

static void
make_weighing(struct judge *j)
{
	uint32_t *multi = arena_zero(j->a, j->x.n * sizeof *multi), n = 0, values = 0, last = NONE;

	/* occurrences are in order of end */
	for (uint32_t i = 0; i < j->x.noccurrences; i++) {
		uint32_t stmt = j->x.occurrences[i].stmt;

		if (stmt != last && j->x.stmts[stmt].rows >= 2)
			multi[n++] = stmt;
		last = stmt;
	}
	for (uint32_t i = 0; i < j->x.n; i++)
		values += j->x.stmts[i].nparams;
	j->w = (struct weighing){ .x = &j->x, .next = j->next, .multi = multi, .nmulti = n,
		.taken = arena_zero(j->a, 2 * j->x.n * sizeof(uint32_t)), .seen = arena_zero(j->a, values * sizeof(uint32_t)) };
}

static int
by_child(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return (x->child_stmt > y->child_stmt) - (x->child_stmt < y->child_stmt);
}

const struct edge *
lineage_find(struct lineage *l, const struct lineage_stmt *stmts, uint32_t n, struct arena *a, uint32_t *nedges)
{
	struct judge j = { .l = l, .a = a, .x = { .stmts = stmts, .n = n } };
	struct edge *edges;

	*nedges = 0;
	make_groups(&j);
	if (!any_child(&j))
		return NULL;
	index_build(&j.x, stmts, n, a);
	make_weighing(&j);
	for (uint32_t i = 0; i < j.ngroups; i++)
		if (is_child(&j.groups[i]))
			try_group(&j, i);
	accept_all(&j);
	edges = arena_zero(a, 2 * j.ngroups * sizeof *edges);
	for (uint32_t i = 0; i < j.ngroups; i++) {
		struct edge *e = &edges[*nedges];

		if (!is_child(&j.groups[i]))
			continue;
		if (proven_edge(&j, i, e))
			*nedges += other_edge(&j, i, e, e + 1) ? 2 : 1;
		else if (list_edge(&j, i, e) || weaker_edge(&j, i, e))
			(*nedges)++;
	}
	qsort(edges, *nedges, sizeof *edges, by_child);
	return edges;
}
