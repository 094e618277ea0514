/* SPDX-License-Identifier: Apache-2.0 */
/* tally: see tally.h. */
#include "tally.h"

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "words.h"

void
tally_clear(struct tally *t)
{
	for (uint32_t i = 0; i < t->nshapes; i++) {
		if (t->shapes[i])
			durations_clear(&t->shapes[i]->time);
		mem_free(t->shapes[i]);
	}
	for (uint32_t i = 0; i < t->nscopes; i++) {
		counts_clear(&t->scopes[i].queries);
		durations_clear(&t->scopes[i].db);
	}
	mem_free(t->shapes);
	mem_free(t->scopes);
	mem_free(t->databases);
	keymap_clear(&t->scope_keys);
	keymap_clear(&t->database_keys);
	arena_clear(&t->names);
	*t = (struct tally){ 0 };
}

/* ---- shapes ---- */

static struct tally_shape *
shape_entry(struct tally *t, const struct shape *s)
{
	if (s->id >= t->nshapes) {
		uint32_t n = t->nshapes ? t->nshapes * 2 : 64;

		if (n <= s->id)
			n = s->id + 1;
		t->shapes = xmem_resize(t->shapes, n * sizeof t->shapes[0]);
		memset(t->shapes + t->nshapes, 0, (n - t->nshapes) * sizeof t->shapes[0]);
		t->nshapes = n;
	}
	if (!t->shapes[s->id]) {
		t->shapes[s->id] = xmem_zero(sizeof(struct tally_shape));
		t->shapes[s->id]->shape = s;
	}
	return t->shapes[s->id];
}

const struct tally_shape *
tally_shape_of(const struct tally *t, const struct shape *s)
{
	return s->id < t->nshapes ? t->shapes[s->id] : NULL;
}

static void
add_execution(struct tally_shape *e, const struct req_stmt *s)
{
	e->executions++;
	e->rows += s->rows;
	e->errors += s->outcome == REC_ERROR;
	durations_add(&e->time, s->busy);
}

void
tally_stray(struct tally *t, const struct req_stmt *s)
{
	if (s->outcome != REC_SKIPPED)
		add_execution(shape_entry(t, s->shape), s);
}

static void
add_shapes(struct tally *t, const struct facts *f)
{
	for (uint32_t g = 0; g < f->nrepeats; g++) {
		if (f->repeats[g].executions == 0)
			continue;

		struct tally_shape *e = shape_entry(t, f->repeats[g].shape);

		if (e->last_request != f->r->number) {
			e->requests++;
			e->last_executions = e->last_rows = 0;
		}
		e->last_request = f->r->number;
		e->last_executions += f->repeats[g].executions;
		e->last_rows += f->repeats[g].rows;
		for (uint32_t i = f->repeats[g].first; i != FACTS_NONE; i = f->next[i])
			add_execution(e, &f->r->stmts[i]);
	}
}

/* ---- scopes ---- */

/* Room for one entry more than the map may hold: the others. */
static void *
table_for(void *table, uint32_t used, uint32_t needed, size_t size)
{
	if (needed <= used)
		return table;
	/* Grown when the used length is a power of two (or nothing), to twice that. */
	if (used == 0 || (used & (used - 1)) == 0)
		table = xmem_resize(table, (used ? (size_t)used * 2 : 1) * size);
	memset((char *)table + used * size, 0, size);
	return table;
}

static uint32_t
scope_index(struct tally *t, const char *name)
{
	uint32_t i = keymap_add(&t->scope_keys, keymap_name(name, 0), LIMIT_SCOPES);

	if (i == KEYMAP_NONE) {
		t->scopes_evicted++;
		name = "(other scopes)";
		i = LIMIT_SCOPES;
	}
	if (i >= t->nscopes) {
		t->scopes = table_for(t->scopes, t->nscopes, i + 1, sizeof t->scopes[0]);
		t->nscopes = i + 1;
		t->scopes[i].name = arena_strndup(&t->names, span_first(span_str(name), LIMIT_NAME));
		t->scopes[i].scope_from = FROM_TAG;
		t->scopes[i].borders_from = FROM_TAG;
	}
	return i;
}

uint32_t
tally_request(struct tally *t, const struct facts *f)
{
	uint32_t i = scope_index(t, f->r->scope);
	struct tally_scope *scope = &t->scopes[i];

	add_shapes(t, f);
	scope->requests++;
	counts_add(&scope->queries, f->queries);
	durations_add(&scope->db, f->db);
	scope->duplicates += f->duplicates;
	if (f->r->scope_from > scope->scope_from)
		scope->scope_from = f->r->scope_from;
	if (f->r->borders_from > scope->borders_from)
		scope->borders_from = f->r->borders_from;
	t->requests++;
	t->queries += f->queries;
	t->duplicates += f->duplicates;
	t->round_trips += f->round_trips;
	t->db += f->db;
	return i;
}

/* ---- databases ---- */

static const char *
engine_of(const struct request *r, uint32_t lane)
{
	for (uint32_t i = 0; i < r->nstmts; i++)
		if (r->stmts[i].lane == lane)
			return r->stmts[i].shape->dialect == SQL_MYSQL ? "mysql" : "postgresql";
	return "postgresql";
}

static uint32_t
database_index(struct tally *t, const struct request *r, uint32_t lane, const char *const *upstreams, uint32_t nupstreams)
{
	const struct req_lane *l = &r->lanes[lane];
	uint32_t i = keymap_add(&t->database_keys, keymap_name(l->database, l->upstream), LIMIT_DATABASES);
	bool other = i == KEYMAP_NONE;

	if (other)
		i = LIMIT_DATABASES;
	if (i >= t->ndatabases) {
		t->databases = table_for(t->databases, t->ndatabases, i + 1, sizeof t->databases[0]);
		t->ndatabases = i + 1;
		t->databases[i].name = other ? "(other databases)"
					     : arena_printf(&t->names, "%s %s/%.*s", engine_of(r, lane),
						   l->upstream < nupstreams ? upstreams[l->upstream] : "?", LIMIT_NAME, l->database);
	}
	return i;
}

/* The request's share for the lane, shared by lanes of the same database. */
static struct database_share *
share_of(struct database_share *shares, uint32_t *n, uint32_t database)
{
	for (uint32_t i = 0; i < *n; i++)
		if (shares[i].database == database)
			return &shares[i];
	shares[*n].database = database;
	return &shares[(*n)++];
}

const struct database_share *
tally_databases(struct tally *t, const struct request *r, const char *const *upstreams, uint32_t nupstreams, struct arena *a, uint32_t *n)
{
	struct database_share *shares = arena_zero(a, r->nlanes * sizeof *shares);
	struct database_share **of_lane = arena_zero(a, r->nlanes * sizeof *of_lane);

	*n = 0;
	for (uint32_t lane = 0; lane < r->nlanes; lane++)
		of_lane[lane] = share_of(shares, n, database_index(t, r, lane, upstreams, nupstreams));
	for (uint32_t i = 0; i < r->nstmts; i++) {
		const struct req_stmt *s = &r->stmts[i];

		if (s->lane >= r->nlanes)
			continue;
		of_lane[s->lane]->queries += stmt_is_query(s);
		of_lane[s->lane]->ns += s->busy;
	}
	for (uint32_t i = 0; i < *n; i++) {
		t->databases[shares[i].database].queries += shares[i].queries;
		t->databases[shares[i].database].ns += shares[i].ns;
	}
	return shares;
}
