/* SPDX-License-Identifier: Apache-2.0 */
/* tables: which tables a statement names, and to which table and column a value position belongs.
 * Does: aliases, schemas, names defined by WITH, query levels. Never: knows a catalog: what the text does not say stays empty. */
#include "scan.h"

struct span
keep_name(struct sql_scanner *s, struct piece a, struct piece b)
{
	size_t n = (size_t)a.n + (a.n > 0) + b.n;
	uint8_t *p = s->names + s->names_n;

	/* What stood in the margin has been written over by what followed. */
	if (n > sizeof s->names - s->names_n || (a.n && s->shape + a.at + a.n > s->o_limit)) {
		s->unknown = true;
		return span_of(p, 0);
	}
	if (a.n) {
		memcpy(p, s->shape + a.at, a.n);
		p[a.n] = '.';
	}
	memcpy(p + n - b.n, s->shape + b.at, b.n);
	s->names_n += n;
	return span_of(p, n);
}

void
table_add(struct sql_scanner *s, bool hidden)
{
	static const struct piece none;
	struct table *t;

	s->open_table = -1;
	if (s->ntables == LIMIT_TABLES) {
		s->unknown = true;
		return;
	}
	t = &s->tables[s->ntables];
	*t = (struct table){ .scope = s->f->scope, .hidden = hidden, .write = s->write_next };
	if (!hidden) {
		t->name = t->last = keep_name(s, none, s->name);
		s->open_table = (int)s->ntables;
	}
	if (s->write_next)
		s->target = (int)s->ntables;
	s->write_next = false;
	s->ntables++;
}

void
table_extend(struct sql_scanner *s)
{
	struct table *t;

	if (s->open_table < 0)
		return;
	t = &s->tables[s->open_table];
	t->name = keep_name(s, s->qual, s->name);
	t->last = t->name.n ? span_from(t->name, t->name.n - s->name.n) : t->name;
}

void
table_alias(struct sql_scanner *s)
{
	static const struct piece none;

	if (s->open_table < 0) {
		size_t n = s->ntables;

		table_add(s, true);
		if (s->ntables > n)
			s->tables[n].alias = keep_name(s, none, s->name);
		return;
	}
	s->tables[s->open_table].alias = keep_name(s, none, s->name);
	s->open_table = -1;
}

void
table_drop(struct sql_scanner *s)
{
	if (s->open_table >= 0 && (size_t)s->open_table == s->ntables - 1) {
		s->ntables--;
		s->open_table = -1;
	}
}

/* ---- resolving ---- */

static bool
same_name(const struct sql_scanner *s, struct span a, struct span b)
{
	return s->my ? a.n == b.n && strncasecmp((const char *)a.p, (const char *)b.p, a.n) == 0 : span_eq(a, b);
}

static void
hide_ctes(struct sql_scanner *s)
{
	for (size_t i = 0; i < s->ntables; i++)
		for (size_t k = 0; k < s->nctes && !s->tables[i].hidden; k++)
			s->tables[i].hidden = same_name(s, s->tables[i].name, s->ctes[k]);
}

/* The table that `qual` names at a query level, NULL when none does. */
static const struct table *
by_alias(const struct sql_scanner *s, struct span qual, uint16_t scope)
{
	for (size_t i = s->ntables; i-- > 0;) {
		const struct table *t = &s->tables[i];

		if (t->scope == scope && (t->alias.n ? same_name(s, t->alias, qual) : same_name(s, t->last, qual)))
			return t;
	}
	return NULL;
}

/* The only table of a query level, NULL when there are none or several. */
static const struct table *
only_table(const struct sql_scanner *s, uint16_t scope)
{
	const struct table *found = NULL;

	for (size_t i = 0; i < s->ntables; i++)
		if (s->tables[i].scope == scope) {
			if (found)
				return NULL;
			found = &s->tables[i];
		}
	return found;
}

static struct span
slot_table(const struct sql_scanner *s, const struct slot *slot)
{
	static const struct span none;
	const struct table *t = NULL;

	if (slot->target)
		t = &s->tables[slot->target - 1];
	else if (!slot->qual.n)
		t = only_table(s, slot->scope);
	else
		for (uint16_t scope = slot->scope;; scope = s->scope_up[scope]) {
			t = by_alias(s, piece_text(s, slot->qual), scope);
			if (t || scope == 0)
				break;
		}
	return t && !t->hidden ? t->name : none;
}

static void
put_table(struct sql_scanner *s, struct sql_stmt *out, const struct table *t)
{
	for (size_t i = 0; i < out->ntables; i++)
		if (span_eq(s->out_tables[i].name, t->name)) {
			s->out_tables[i].write |= t->write;
			return;
		}
	s->out_tables[out->ntables++] = (struct sql_table){ t->name, t->write };
}

void
tables_resolve(struct sql_scanner *s, struct sql_stmt *out)
{
	hide_ctes(s);
	out->ntables = 0;
	for (size_t i = 0; i < s->ntables; i++)
		if (!s->tables[i].hidden && s->tables[i].name.n)
			put_table(s, out, &s->tables[i]);
	for (size_t i = 0; i < s->nslots; i++) {
		const struct slot *slot = &s->slots[i];
		struct sql_slot *to = &s->out_slots[i];

		*to = (struct sql_slot){ .cls = slot->cls };
		bool gone = out->cut && s->shape + slot->column.at + slot->column.n > s->cut_o;	/* its name stood behind the cut */

		if (slot->column.n && !gone) {
			to->column = piece_text(s, slot->column);
			to->table = slot_table(s, slot);
		}
	}
	out->tables = s->out_tables;
	out->slots = s->out_slots;
	out->nslots = s->nslots;
}
