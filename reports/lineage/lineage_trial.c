/* SPDX-License-Identifier: Apache-2.0 */
/* lineage_trial: see lineage_part.h. Looks at the values once, in order of sending, then weighs what it saw. All thresholds stand here. */
#include <math.h>

#include "lineage_part.h"

/* Values in the order of rows that are too many for chance, when all of them are used, or some. */
enum { KNOWN_ORDER = 3, KNOWN_ORDER_OF_SOME = 7 };

/* ---- looking ---- */

/* What is followed from value to value. */
struct walk_through {
	uint32_t position;	/* occurrence of the previous hit, NONE before the first */
	uint32_t entry;		/* ... and its value */
	uint32_t before;	/* execution before the present one */
	uint32_t present;
	uint32_t up, down;	/* length of the present runs */
	uint32_t expected;	/* each_row: the occurrence that must come now, NONE = past the last */
	uint32_t rows_followed;
	double last;		/* previous number of the child */
	bool rising, falling, numbers, each_row;
};

/* The occurrence the value is taken from: the next one in order of rows, else the newest that was there. */
static uint32_t
take(struct weighing *w, uint32_t entry, uint32_t after, uint64_t sent)
{
	struct index *x = w->x;
	uint32_t newest = NONE;

	for (uint32_t o = x->entries[entry].first; o != NONE; o = x->occurrences[o].next) {
		x->steps++;
		if (x->stmts[x->occurrences[o].stmt].ended > sent)
			break;
		newest = o;
		if (after == NONE || o > after)
			break;
	}
	return newest;
}

static void
note_order(struct trial *t, struct walk_through *f, uint32_t o)
{
	f->up = f->position == NONE || o > f->position ? f->up + 1 : 1;
	f->down = f->position == NONE || o < f->position ? f->down + 1 : 1;
	if (f->up > t->up)
		t->up = f->up;
	if (f->down > t->down)
		t->down = f->down;
	f->position = o;
}

/* Counters are sorted by themselves: their order is no evidence. */
static void
note_sorted(struct walk_through *f, uint8_t kind, int64_t number)
{
	double n = (double)number;

	if (kind != REC_VALUE_INT) {
		f->numbers = f->numbers && kind == REC_VALUE_HASH;
		return;
	}
	f->rising = f->rising && n >= f->last;
	f->falling = f->falling && (n <= f->last || f->last == -HUGE_VAL);
	f->last = n;
}

static void
note_row(const struct index *x, struct walk_through *f, const struct rec_value *v)
{
	const struct entry *e;

	if (f->expected == NONE)
		return;
	e = &x->entries[x->occurrences[f->expected].entry];
	f->each_row = f->each_row && e->hash == v->hash;
	f->expected = x->occurrences[f->expected].next_of_source;
	f->rows_followed++;
}

/* Whether the result of that execution holds the value in the source. */
static bool
found_in(const struct index *x, uint32_t entry, uint32_t stmt)
{
	for (uint32_t o = x->entries[entry].first; o != NONE; o = x->occurrences[o].next)
		if (x->occurrences[o].stmt == stmt)
			return true;
	return false;
}

static void
note_hit(struct weighing *w, struct trial *t, struct walk_through *f, uint32_t entry, uint32_t o)
{
	const struct index *x = w->x;
	uint32_t result = x->occurrences[o].stmt;

	if (t->hits == 0)
		t->first_child = f->present;
	if (t->first_parent == NONE || x->stmts[result].ended < x->stmts[t->first_parent].ended)
		t->first_parent = result;
	t->as_seen = t->hits == 0 || (t->as_seen && entry > f->entry);
	f->entry = entry;
	t->hits++;
	t->lead += t->misses == 0;
	note_order(t, f, o);
	/* one count per result, begun anew with every trial */
	if (w->taken[2 * result] != w->stamp) {
		w->taken[2 * result] = w->stamp;
		w->taken[2 * result + 1] = 0;
	}
	if (++w->taken[2 * result + 1] > t->fan)
		t->fan = w->taken[2 * result + 1];
	if (f->before == NONE || x->stmts[result].ended > x->stmts[f->before].sent)
		t->just_before++;
	if (f->before != NONE && x->sources[t->source].shape == w->g->shape && found_in(x, entry, f->before))
		t->walk++;
}

static void
look_at(struct weighing *w, struct trial *t, struct walk_through *f, const struct child_value *cv)
{
	struct index *x = w->x;
	const struct lineage_stmt *s = &x->stmts[cv->stmt];
	uint32_t entry, o;

	if (cv->stmt != f->present) {
		f->before = f->present;
		f->present = cv->stmt;
	}
	t->partial |= s->partial;
	note_row(x, f, cv->v);
	if (w->seen[cv->id] == w->stamp)
		return;
	w->seen[cv->id] = w->stamp;
	entry = index_find(x, cv->v->hash, t->source);
	if (entry == NONE)
		note_sorted(f, cv->v->kind, cv->v->number);
	else
		note_sorted(f, x->entries[entry].kind, x->entries[entry].number);
	o = entry == NONE ? NONE : take(w, entry, f->position, s->sent);
	if (o == NONE)
		t->misses++;
	else
		note_hit(w, t, f, entry, o);
}

/* The column only repeats what its own execution was asked for. */
static bool
is_echo(const struct weighing *w, const struct trial *t)
{
	const struct index *x = w->x;
	const struct source *from = &x->sources[t->source];
	uint64_t rows = 0, same = 0;

	if (from->shape != w->g->shape || !from->set)
		return false;
	for (uint32_t i = 0; i < t->slot->nvalues; i++) {
		const struct lineage_stmt *s = &x->stmts[t->slot->values[i].stmt];

		if (s->columns != from->set || (i && t->slot->values[i - 1].stmt == t->slot->values[i].stmt))
			continue;
		rows += s->nrows;
		for (uint32_t row = 0; row < s->nrows; row++)
			same += s->values[row * s->columns->n + from->col].hash == t->slot->values[i].v->hash;
	}
	return rows > 0 && same * 2 >= rows;
}

/* What the source held when the last execution was sent. */
static void
measure_source(struct weighing *w, struct trial *t, uint64_t until)
{
	struct index *x = w->x;
	const struct source *from = &x->sources[t->source];

	for (uint32_t e = from->first_entry; e != NONE; e = x->entries[e].next_of_source)
		t->source_distinct += x->stmts[x->occurrences[x->entries[e].first].stmt].ended <= until;
	for (uint32_t o = from->first, last = NONE; o != NONE; o = x->occurrences[o].next_of_source) {
		uint32_t result = x->occurrences[o].stmt;
		const struct lineage_stmt *s = &x->stmts[result];

		if (s->ended > until)
			break;
		t->source_rows++;
		x->steps++;
		if (result == last)
			continue;
		last = result;
		t->kept += s->columns ? s->nrows : 1;
		t->rows += s->columns ? s->rows : 1;
		t->partial |= s->partial;
	}
}

/* The last result with several rows before the first execution is one of the source's shape. */
static bool
is_newest(const struct weighing *w, const struct trial *t)
{
	const struct index *x = w->x;
	uint64_t sent = x->stmts[t->first_child].sent;

	for (uint32_t i = w->nmulti; i-- > 0;)
		if (x->stmts[w->multi[i]].ended <= sent)
			return x->stmts[w->multi[i]].shape == x->sources[t->source].shape;
	return false;
}

bool
trial_look(struct weighing *w, struct trial *t)
{
	struct index *x = w->x;
	const struct source *from = &x->sources[t->source];
	uint64_t begin = x->stmts[from->first_stmt].ended;
	struct walk_through f = { .position = NONE, .before = NONE, .present = NONE, .expected = from->first, .last = -HUGE_VAL, .rising = true,
		.falling = true, .numbers = true, .each_row = true };

	if (is_echo(w, t))
		return false;
	w->stamp++;
	t->first_parent = t->first_child = NONE;
	for (uint32_t i = 0; i < t->slot->nvalues; i++)
		if (x->stmts[t->slot->values[i].stmt].sent >= begin)
			look_at(w, t, &f, &t->slot->values[i]);
		else
			f.present = t->slot->values[i].stmt;
	if (t->hits < 2)
		return false;
	measure_source(w, t, x->stmts[t->slot->values[t->slot->nvalues - 1].stmt].sent);
	t->each_row = f.each_row && f.rows_followed >= t->source_rows;
	t->sorted = !f.numbers || f.rising || f.falling;
	t->newest = is_newest(w, t);
	return true;
}

/* ---- weighing ---- */

static double
at_least_0(double v)
{
	return v > 0 ? v : 0;
}

/* Numbers in lo..hi among the source's. */
static double
source_between(const struct index *x, const struct source *from, double lo, double hi)
{
	double n = 0;

	for (uint32_t e = from->first_entry; e != NONE; e = x->entries[e].next_of_source) {
		double v = (double)x->entries[e].number;

		n += x->entries[e].kind == REC_VALUE_INT && v >= lo && v <= hi;
	}
	return n > 0 ? n : 1;
}

/* What a text says beyond chance, by its letters and digits. */
static double
text_bits(const struct entry *v, uint32_t distinct)
{
	double bits;

	if (v->kind == REC_VALUE_UUID)
		return at_least_0(100 - log2(distinct));
	if (v->kind != REC_VALUE_TEXT)
		return 0;
	bits = v->letters + 3.3 * v->digits;
	return at_least_0((bits < 40 ? bits : 40) - log2(distinct));
}

/* Bits of where the first hit is, and of how far the others are spread. */
static void
value_bits(struct index *x, const struct trial *t, double *place, double *spread)
{
	const struct source *from = &x->sources[t->source];
	double lo = HUGE_VAL, hi = -HUGE_VAL, first = 0, texts = 0, ntexts = 0;
	bool any = false;

	*place = 0;
	for (uint32_t i = 0; i < t->slot->nvalues; i++) {
		uint32_t at = index_find(x, t->slot->values[i].v->hash, t->source);
		const struct entry *e;
		double n;

		if (at == NONE)
			continue;
		e = &x->entries[at];
		n = (double)e->number;
		if (e->kind != REC_VALUE_INT) {
			texts += text_bits(e, t->source_distinct);
			ntexts++;
			continue;
		}
		if (!any)
			first = n;
		any = true;
		lo = n < lo ? n : lo;
		hi = n > hi ? n : hi;
	}
	if (ntexts > 0) {
		*place = *spread = texts / ntexts;
		return;
	}
	double half = fmin(first / 2, first * 2), twice = fmax(first / 2, first * 2);

	*place = fmin(24, at_least_0(log2(fmax(1, twice - half) / source_between(x, from, half, twice))));
	*spread = at_least_0(log2((hi - lo + 1) / source_between(x, from, lo, hi)));
}

static double
order_bits(const struct trial *t)
{
	uint32_t run = t->up > t->down ? t->up : t->down;

	if (t->sorted || run < 2)
		return 0;
	return at_least_0(lgamma((double)run + 1) / log(2) - 1 - log2(t->hits - run + 1));
}

static double
order_of(const struct trial *t)
{
	return (double)(t->up > t->down ? t->up : t->down) / t->hits;
}

uint32_t
trial_real_misses(const struct trial *t)
{
	uint64_t unseen = t->rows > t->kept ? t->rows - t->kept : 0;

	if (t->lead < 8)
		return t->misses;
	return t->misses > unseen ? t->misses - (uint32_t)unseen : 0;
}

/* The trial's facts in the terms of the decision. */
struct scales {
	uint32_t miss;
	double order;
	bool low, tight, in_order, many_in_order, one_result;
	bool listed;	/* a few values that repeat, each asked for once: whoever knows them by heart (types, tenants) asks the same way,
			 * but in an order of his own */
};

static bool
fits_key(const struct trial *t, const struct scales *c)
{
	bool refers = t->domain == DOMAIN_REFERS;

	if (c->listed)
		return false;
	if ((t->bits >= 10 && c->miss == 0) || t->bits >= 20)
		return true;
	if (c->tight && c->miss == 0)
		return true;
	if (t->self && c->miss == 0 && !(c->low && t->hits <= 2) && t->fan >= 2)
		return true;
	if (refers && c->miss == 0 && t->up == t->hits && t->hits >= KNOWN_ORDER_OF_SOME)
		return true;
	return refers && c->tight && t->hits >= 3;
}

static bool
fits_unknown(const struct trial *t, const struct scales *c)
{
	if (c->order >= 0.5 && t->bits >= (t->id_like ? 20 : 45))
		return true;
	return c->miss == 0 && c->tight && c->in_order && c->one_result && t->hits >= 4 && t->newest && !c->low && t->id_like;
}

static bool
fits(const struct trial *t, const struct scales *c)
{
	bool use = t->hits == t->source_distinct;
	bool near = c->miss == 0 || t->hits >= 9 * c->miss || (use && c->miss <= (t->hits / 4 > 1 ? t->hits / 4 : 1));

	if (!near)
		return false;
	/* lists of several new values each: a preload in chunks */
	if (t->slot->cls != SQL_SLOT_EQ && t->slot->distinct >= 2 * t->slot->executions)
		return false;
	switch (t->domain) {
	case DOMAIN_REFERS:
	case DOMAIN_SAME:
		return fits_key(t, c);
	case DOMAIN_SHARED:
		return (t->bits >= 10 && c->miss == 0 && !(c->low && !t->each_row && !c->many_in_order)) || (c->tight && !c->low && t->hits >= 4 && c->in_order && t->newest) || t->composite;
	case DOMAIN_UNKNOWN:
		return fits_unknown(t, c);
	case DOMAIN_CONTRADICTS:
		return t->bits >= 45 && c->order >= 0.5;
	}
	return false;
}

void
trial_judge(struct index *x, struct trial *t)
{
	bool use = t->hits == t->source_distinct;
	struct scales c = { .miss = trial_real_misses(t), .order = order_of(t) };
	double place, spread;

	value_bits(x, t, &place, &spread);
	t->bits = place + (t->hits - 1) * spread + order_bits(t) - 3.0 * t->misses - log2(t->slot->candidates + 1);
	c.low = t->source_rows >= 4 && t->source_distinct <= 0.67 * t->source_rows;
	c.tight = use && !(c.low && t->hits <= 2 && !t->each_row);
	c.in_order = (t->up == t->hits && t->as_seen) || t->down == t->hits;
	c.many_in_order = t->as_seen && t->hits >= KNOWN_ORDER_OF_SOME;
	c.one_result = t->fan == t->hits;
	c.listed = c.low && !t->each_row && !c.many_in_order && !(use && t->as_seen && t->hits >= KNOWN_ORDER);
	t->fits = fits(t, &c);
}

double
trial_score(const struct index *x, const struct trial *t)
{
	const struct key_column *from = &x->sources[t->source].key, *to = &t->slot->key;
	double score = t->bits;

	score += t->hits == t->source_distinct ? 6 : 0;
	switch (t->domain) {
	case DOMAIN_REFERS:
		score += 8;
		break;
	case DOMAIN_SAME:
		score += 3;
		break;
	case DOMAIN_SHARED:
		score += 4;
		break;
	case DOMAIN_UNKNOWN:
		score += from->kind == KEY_REFERS && to->kind == KEY_OWN ? 3 : 0;
		score += from->kind == KEY_OWN ? 5 : 0;
		break;
	case DOMAIN_CONTRADICTS:
		score -= 40;
		break;
	}
	return score + (t->newest ? 3 : 0) + (t->composite ? 10 : 0);
}
