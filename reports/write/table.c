/* SPDX-License-Identifier: Apache-2.0 */
/* table: the tables of a page (page.h). All rows are held until table_end, because the widest cell decides. */
#include <stdarg.h>

#include "page.h"
#include "text.h"

/* Columns are given up as long as the name has less than *_LEAST. */
enum { GAP = 2, NAME_LEAST = 28, SQL_LEAST = 44, NAME_SHORTEST = 12 };

struct table_cell {
	const char *text;
	enum ink ink;
	unsigned columns;
};

struct table_row {
	struct table_row *next;
	const char *mark, *name;
	enum ink mark_ink, name_ink;
	struct table_cell cells[TABLE_COLUMNS];
};

void
table_begin(struct table *t, struct page *p, const char *title, const char *order, enum table_name kind)
{
	*t = (struct table){ .page = p, .title = title, .order = order, .kind = kind };
	t->last = &t->first;
}

void
table_columns(struct table *t, const struct table_column *columns, unsigned n)
{
	t->columns = columns;
	t->ncolumns = n;
	for (unsigned i = 0; i < n; i++)
		t->widest[i] = page_columns(t->page, columns[i].head);
}

static const char *
keep(struct table *t, const char *s)
{
	return arena_strndup(&t->page->cells, span_str(s));
}

static void
widen(unsigned *widest, unsigned columns)
{
	if (*widest < columns)
		*widest = columns;
}

void
table_row(struct table *t, enum ink mark_ink, const char *mark, enum ink name_ink, const char *name)
{
	struct table_row *r = arena_zero(&t->page->cells, sizeof *r);

	r->mark = keep(t, mark);
	r->mark_ink = mark_ink;
	r->name = keep(t, name);
	r->name_ink = name_ink;
	widen(&t->mark, page_columns(t->page, mark));
	widen(&t->name, page_columns(t->page, name));
	*t->last = t->row = r;
	t->last = &r->next;
	t->at = 0;
}

void
table_cell(struct table *t, enum ink ink, const char *fmt, ...)
{
	struct table_cell *c = &t->row->cells[t->at];
	struct strbuf *raw = &t->page->raw;
	va_list ap;

	strbuf_reset(raw);
	va_start(ap, fmt);
	strbuf_vprintf(raw, fmt, ap);
	va_end(ap);
	t->page->out->cut |= raw->cut;
	c->text = keep(t, strbuf_cstr(raw));
	c->ink = ink;
	c->columns = page_columns(t->page, c->text);
	widen(&t->widest[t->at], c->columns);
	t->filled[t->at] |= c->columns > 0;
	t->at++;
}

static unsigned
numbers_width(const struct table *t)
{
	unsigned w = 0;

	for (unsigned i = 0; i < t->ncolumns; i++)
		w += t->widest[i] ? t->widest[i] + GAP : 0;
	return w;
}

/* Where names begin: behind a blank, the widest mark and one more blank, two behind a fingerprint. */
static unsigned
name_at(const struct table *t)
{
	return t->mark + (t->kind == TABLE_SQL ? 3 : 2);
}

/* Hides idle columns, then the least important ones until the name has room; returns the name's width. */
static unsigned
settle(struct table *t)
{
	unsigned left = name_at(t), least = t->kind == TABLE_SQL ? SQL_LEAST : NAME_LEAST, need = t->name > least ? t->name : least;

	for (unsigned i = 0; i < t->ncolumns; i++)
		if (t->columns[i].idle_hides && !t->filled[i])
			t->widest[i] = 0;
	for (uint8_t rank = 9; rank > 0; rank--)
		for (unsigned i = t->ncolumns; i-- > 0;)
			if (t->columns[i].rank == rank && left + least + numbers_width(t) > t->page->width)
				t->widest[i] = 0;
	unsigned used = left + numbers_width(t), room = t->page->width > used + NAME_SHORTEST ? t->page->width - used : NAME_SHORTEST;

	return t->page->o->wide || need <= room ? need : room;
}

static void
print_head(struct table *t, unsigned left)
{
	struct page *p = t->page;

	page_put(p, INK_BOLD, "%s", t->title);
	if (*t->order)
		page_put(p, INK_DIM, " (%s)", t->order);
	if (p->col < left)
		page_to(p, left);
	for (unsigned i = 0; i < t->ncolumns; i++) {
		if (t->widest[i] == 0)
			continue;
		page_to(p, p->col + GAP + t->widest[i] - page_columns(p, t->columns[i].head));
		page_put(p, INK_DIM, "%s", t->columns[i].head);
	}
	page_line(p);
}

static void
print_row(struct table *t, const struct table_row *r, unsigned name)
{
	struct page *p = t->page;
	unsigned left = name_at(t);

	page_put(p, INK_PLAIN, " ");
	page_put(p, r->mark_ink, "%s", r->mark);
	page_to(p, left);
	if (t->kind == TABLE_SQL)
		page_sql(p, r->name, name);
	else
		page_name(p, r->name_ink, r->name, name, CUT_MIDDLE);
	if (p->col < left + name)
		page_to(p, left + name);
	for (unsigned i = 0; i < t->ncolumns; i++) {
		const struct table_cell *c = &r->cells[i];

		if (t->widest[i] == 0)
			continue;
		page_to(p, p->col + GAP + t->widest[i] - c->columns);
		page_put(p, c->ink, "%s", c->text ? c->text : "");
	}
	page_line(p);
}

void
table_end(struct table *t)
{
	unsigned name = settle(t);

	print_head(t, name_at(t) + name);
	for (const struct table_row *r = t->first; r; r = r->next)
		print_row(t, r, name);
	arena_reset(&t->page->cells);
}
