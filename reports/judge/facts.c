/* SPDX-License-Identifier: Apache-2.0 */
/* facts: see facts.h. Two passes over the statements: the first counts and groups through two open hash tables of twice the statements,
 * the second (only when a read was repeated) carries the last write of each table and the transaction borders of each connection. */
#include "facts.h"

#include <xxhash.h>

#include "reports/requests/places.h"

/* ---- first pass: count and group ---- */

struct build {
	struct facts *f;
	struct arena *a;
	struct repeat *repeats;
	uint32_t repeats_cap;
	uint32_t *repeat, *next, *before;
	uint32_t *by_shape, *by_params; /* open tables of 1 + index; 0 = free */
	uint32_t mask;
	struct places places;
	bool repeated_read;
};

static uint64_t
scramble(uint64_t x)
{
	x *= 0x9e3779b97f4a7c15;
	return x ^ x >> 29;
}

/* The table of repeats doubles within the arena: most requests have few shapes and many statements. */
static struct repeat *
new_repeat(struct build *b)
{
	if (b->f->nrepeats == b->repeats_cap) {
		uint32_t cap = b->repeats_cap ? b->repeats_cap * 2 : 4;
		struct repeat *wider = arena_zero(b->a, cap * sizeof *wider);

		if (b->repeats)
			memcpy(wider, b->repeats, b->repeats_cap * sizeof *wider);
		b->repeats = wider;
		b->repeats_cap = cap;
	}
	return &b->repeats[b->f->nrepeats++];
}

static uint32_t
find_repeat(struct build *b, const struct shape *shape, uint32_t place, uint32_t stmt)
{
	uint32_t at = (uint32_t)scramble((uintptr_t)shape + place) & b->mask;

	for (; b->by_shape[at]; at = (at + 1) & b->mask) {
		const struct repeat *g = &b->repeats[b->by_shape[at] - 1];

		if (g->shape == shape && g->place == place)
			return b->by_shape[at] - 1;
	}
	*new_repeat(b) = (struct repeat){
		.shape = shape, .place = place, .first = stmt, .last = FACTS_NONE, .slowest = stmt, .largest = stmt, .allow = UINT16_MAX
	};
	b->by_shape[at] = b->f->nrepeats;
	return b->f->nrepeats - 1;
}

/* Links the statement to the last one with the same repeat and parameters. params 1 = not known: equal to nothing. */
static void
link_params(struct build *b, uint32_t i, uint32_t g)
{
	const struct req_stmt *stmts = b->f->r->stmts;
	uint64_t params = stmts[i].params;
	uint32_t at = (uint32_t)scramble(params + (uint64_t)g * 0x2545f4914f6cdd1d) & b->mask;

	if (params == 1)
		return;
	for (; b->by_params[at]; at = (at + 1) & b->mask) {
		uint32_t other = b->by_params[at] - 1;

		if (b->repeat[other] == g && stmts[other].params == params) {
			b->before[i] = other;
			b->by_params[at] = i + 1;
			b->f->duplicates++;
			return;
		}
	}
	b->by_params[at] = i + 1;
	b->repeats[g].distinct++;
}

static void
add_to_repeat(struct build *b, uint32_t i, uint32_t g)
{
	const struct req_stmt *stmts = b->f->r->stmts, *s = &stmts[i];
	struct repeat *group = &b->repeats[g];

	if (group->last != FACTS_NONE)
		b->next[group->last] = i;
	else
		group->first = group->slowest = group->largest = i;
	group->last = i;
	group->executions++;
	group->failed += !stmt_ended_well(s);
	group->round_trips += s->round_trips;
	group->waits += !(s->flags & REQ_STMT_RODE);
	group->prepared += (s->flags & REQ_STMT_PREPARED) != 0;
	group->busy += s->busy;
	group->rows += s->rows;
	group->affected += s->affected;
	group->bytes += s->bytes;
	group->allow &= s->allow;
	if (s->busy > stmts[group->slowest].busy)
		group->slowest = i;
	const struct req_stmt *most = &stmts[group->largest];

	if (s->rows > most->rows || (s->rows == most->rows && s->bytes > most->bytes))
		group->largest = i;
	if (group->executions == 2 && group->shape->cls == SQL_READ)
		b->repeated_read = true;
}

static void
count(struct facts *f, const struct req_stmt *s, enum stmt_kind kind)
{
	f->control += kind == KIND_CONTROL;
	f->setup += kind == KIND_SETUP;
	f->errors += s->outcome == REC_ERROR;
	f->round_trips += s->round_trips;
	f->db += s->busy;
	if (kind == KIND_QUERY) {
		f->queries++;
		f->undone += (s->flags & REQ_STMT_UNDONE) != 0;
		f->rows += s->rows;
		f->bytes += s->bytes;
	}
}

static uint32_t *
none_filled(struct arena *a, uint32_t n)
{
	uint32_t *v = arena_zero(a, n * sizeof *v);

	memset(v, 0xff, n * sizeof *v);
	return v;
}

static void
group_statements(struct build *b)
{
	struct facts *f = b->f;
	struct arena *a = b->a;
	uint32_t n = f->r->nstmts, slots = 4;

	while (slots < 2 * (uint64_t)n)
		slots *= 2;
	b->mask = slots - 1;
	b->by_shape = arena_zero(a, slots * sizeof(uint32_t));
	b->by_params = arena_zero(a, slots * sizeof(uint32_t));
	b->repeat = arena_zero(a, n * sizeof(uint32_t));
	b->next = none_filled(a, n);
	b->before = none_filled(a, n);
	places_init(&b->places, f->r, a);
	for (uint32_t i = 0; i < n; i++) {
		const struct req_stmt *s = &f->r->stmts[i];
		enum stmt_kind kind = stmt_kind(s->shape);
		uint32_t g = find_repeat(b, s->shape, places_of(&b->places, s), i);

		b->repeat[i] = g;
		if (s->outcome == REC_SKIPPED) {
			f->skipped++;
			f->round_trips += s->round_trips;
			continue;
		}
		add_to_repeat(b, i, g);
		count(f, s, kind);
		if (kind == KIND_QUERY)
			link_params(b, i, g);
	}
	f->longest_tx = places_longest_tx(&b->places);
	f->repeats = b->repeats;
	f->repeat = b->repeat;
	f->next = b->next;
	f->before = b->before;
}

/* ---- second pass: writes and transaction borders ---- */

/* One table name of the request: only its last part counts, as "shop.orders" may be "orders" elsewhere. */
struct table_state {
	uint64_t name;    /* hash; 0 = free */
	uint32_t written; /* 1 + the last statement that wrote it */
};

struct history {
	const struct facts *f;
	struct table_state *tables;
	uint32_t mask;
	const uint32_t *at; /* per repeat and table of its shape: slot in tables */
	uint32_t *first_at; /* per repeat: where its tables begin in at */
	uint32_t any;       /* 1 + the last statement that may have written any table */
	uint32_t latest;    /* 1 + the last write at all */
};

static uint64_t
table_name_hash(const char *name)
{
	const char *dot = strrchr(name, '.');
	uint64_t h;

	if (dot && dot[1])
		name = dot + 1;
	h = XXH3_64bits(name, strlen(name));
	return h ? h : 1;
}

static uint32_t
table_slot(struct history *h, uint64_t name)
{
	uint32_t at = (uint32_t)name & h->mask;

	while (h->tables[at].name && h->tables[at].name != name)
		at = (at + 1) & h->mask;
	h->tables[at].name = name;
	return at;
}

static void
resolve_tables(struct history *h, struct arena *a)
{
	const struct facts *f = h->f;
	uint32_t total = 0, slots = 4, *at;

	for (uint32_t g = 0; g < f->nrepeats; g++)
		total += f->repeats[g].shape->ntables;
	while (slots < 2 * (uint64_t)total)
		slots *= 2;
	h->mask = slots - 1;
	h->tables = arena_zero(a, slots * sizeof *h->tables);
	h->first_at = arena_zero(a, f->nrepeats * sizeof *h->first_at);
	h->at = at = arena_zero(a, total * sizeof *at);
	total = 0;
	for (uint32_t g = 0; g < f->nrepeats; g++) {
		const struct shape *s = f->repeats[g].shape;

		h->first_at[g] = total;
		for (uint16_t t = 0; t < s->ntables; t++)
			at[total++] = table_slot(h, table_name_hash(s->tables[t].name));
	}
}

/* Statements that are neither reads nor plain writes (CALL, DO, DDL) may have changed anything. Cursor work and EXPLAIN change nothing. */
static bool
may_write_anything(const struct shape *s)
{
	if (s->cls == SQL_WRITE)
		return s->tables_unknown || s->ntables == 0;
	if (s->cls != SQL_OTHER && s->cls != SQL_DDL)
		return false;
	return s->verb != SQL_V_FETCH && s->verb != SQL_V_MOVE && s->verb != SQL_V_CLOSE && s->verb != SQL_V_DECLARE &&
	       s->verb != SQL_V_EXPLAIN && s->verb != SQL_V_LISTEN && s->verb != SQL_V_LOCK;
}

static uint32_t
last_write(const struct history *h, uint32_t g)
{
	const struct shape *s = h->f->repeats[g].shape;
	uint32_t last = h->any;

	if (s->tables_unknown)
		return h->latest;
	for (uint16_t t = 0; t < s->ntables; t++) {
		uint32_t written = h->tables[h->at[h->first_at[g] + t]].written;

		if (written > last)
			last = written;
	}
	return last;
}

static void
note_write(struct history *h, uint32_t g, uint32_t i)
{
	const struct shape *s = h->f->repeats[g].shape;

	if (may_write_anything(s))
		h->any = h->latest = i + 1;
	else if (s->cls == SQL_WRITE) {
		h->latest = i + 1;
		for (uint16_t t = 0; t < s->ntables; t++)
			if (s->tables[t].write)
				h->tables[h->at[h->first_at[g] + t]].written = i + 1;
	}
}

static void
follow_history(struct facts *f, struct arena *a)
{
	struct history h = { .f = f };
	uint32_t n = f->r->nstmts;
	uint32_t *write = arena_zero(a, n * sizeof *write);
	uint32_t *epoch = arena_zero(a, n * sizeof *epoch);
	struct lane_tx {
		uint32_t tx, epoch;
	} *lanes = arena_zero(a, (f->r->nlanes + 1) * sizeof *lanes);

	resolve_tables(&h, a);
	for (uint32_t i = 0; i < n; i++) {
		const struct req_stmt *s = &f->r->stmts[i];
		struct lane_tx *lane = &lanes[s->lane < f->r->nlanes ? s->lane : f->r->nlanes];

		if (s->tx != lane->tx) {
			lane->tx = s->tx;
			lane->epoch++;
		}
		epoch[i] = lane->epoch;
		write[i] = last_write(&h, f->repeat[i]);
		note_write(&h, f->repeat[i], i);
	}
	f->write = write;
	f->epoch = epoch;
}

bool
facts_border_between(const struct facts *f, uint32_t p, uint32_t i)
{
	const struct req_stmt *a = &f->r->stmts[p], *b = &f->r->stmts[i];

	if (a->lane == b->lane)
		return f->epoch[p] != f->epoch[i];
	return a->tx != 0 || b->tx != 0;
}

/* ---- retries ---- */

/* Serialization failures and deadlocks take the whole transaction with them, and clients run it again. */
static bool
fails_transaction(const struct req_stmt *s)
{
	static const char *const codes[] = { "40001", "40P01", "1213", "1205", "3572" };

	if (s->outcome != REC_ERROR)
		return false;
	for (size_t k = 0; k < sizeof codes / sizeof codes[0]; k++)
		if (strncmp(s->code, codes[k], sizeof s->code) == 0)
			return true;
	return false;
}

/* Marks the statements of transactions that failed so. Backwards, as the failure comes after what it undoes. */
static void
mark_doomed(struct facts *f, struct arena *a)
{
	const struct request *r = f->r;
	bool *doomed = arena_zero(a, r->nstmts * sizeof *doomed);
	struct lane_fate {
		uint32_t tx;
		bool failed;
	} *lanes = arena_zero(a, (r->nlanes + 1) * sizeof *lanes);

	for (uint32_t i = r->nstmts; i-- > 0;) {
		const struct req_stmt *s = &r->stmts[i];
		struct lane_fate *lane = &lanes[s->lane < r->nlanes ? s->lane : r->nlanes];

		if (s->tx != lane->tx)
			*lane = (struct lane_fate){ .tx = s->tx };
		if (s->tx && fails_transaction(s))
			lane->failed = true;
		doomed[i] = lane->failed;
	}
	f->doomed = doomed;
}

bool
facts_is_retry(const struct facts *f, uint32_t p, uint32_t i)
{
	const struct req_stmt *a = &f->r->stmts[p], *b = &f->r->stmts[i];

	if (!stmt_ended_well(a))
		return true;
	return f->doomed && f->doomed[p] && (a->tx != b->tx || a->lane != b->lane);
}

static void
count_retries(struct facts *f)
{
	for (uint32_t i = 0; i < f->r->nstmts; i++)
		if (f->before[i] != FACTS_NONE && facts_is_retry(f, f->before[i], i))
			f->retries++;
}

const struct facts *
facts_new(const struct request *r, struct arena *a)
{
	struct facts *f = arena_zero(a, sizeof *f);
	struct build b = { .f = f, .a = a };

	f->r = r;
	f->statements = r->nstmts + r->stmts_cut;
	f->queries = r->stmts_cut;
	f->wall = r->end - r->start;
	group_statements(&b);
	f->statements -= f->skipped;
	if (b.repeated_read)
		follow_history(f, a);
	if (f->errors) {
		mark_doomed(f, a);
		count_retries(f);
	}
	return f;
}
