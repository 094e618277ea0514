/* SPDX-License-Identifier: Apache-2.0 */
/* page: lays words out on a terminal page: ink, columns, wrapping, tables.
 * Does: clean every text that goes through it (text.h), so that no caller can forget. Never: knows what a report says. */
#ifndef ROWCALL_PAGE_H
#define ROWCALL_PAGE_H

#include "fingerprint/arena.h"
#include "write.h"

enum ink { INK_PLAIN, INK_BOLD, INK_DIM, INK_RED, INK_GREEN, INK_YELLOW, INK_MAGENTA, INK_CYAN, INK_BAD, INK_GOOD, INK_WARN };

struct page {
	struct strbuf *out;		/* borrowed */
	const struct write_options *o;	/* borrowed */
	unsigned col;			/* columns used on the current line */
	unsigned width;			/* o->width */
	bool hid;			/* a section left rows out that `all` would show */
	struct strbuf raw, clean;	/* scratch */
	struct arena cells;		/* of the table being built */
};

void page_init(struct page *p, struct strbuf *out, const struct write_options *o);
void page_clear(struct page *p);
/* Frees a caller's own buffer that went into the page; if something is missing in it, so it is in the page (out->cut). */
void page_spent(struct page *p, struct strbuf *b);

/* printf at the current place; cleaned, never wrapped. */
void page_put(struct page *p, enum ink ink, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void page_line(struct page *p);				/* ends the line */
void page_blank(struct page *p);			/* an empty line, never two */
void page_to(struct page *p, unsigned col);		/* blanks up to a column; at least one when already past it */
/* Words from the current place on, wrapped at the page's width, further lines starting at the same column. Ends the line. */
void page_wrap(struct page *p, enum ink ink, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* So that it ends at the right edge when there is room, else two blanks on. */
void page_right(struct page *p, enum ink ink, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A name, or SQL with its keywords inked, cut to fit unless the page is wide. */
enum cut { CUT_MIDDLE, CUT_START };
void page_name(struct page *p, enum ink ink, const char *name, unsigned columns, enum cut where);
void page_sql(struct page *p, const char *sql, unsigned columns);
/* Columns a text will take. */
unsigned page_columns(struct page *p, const char *text);

/* ---- tables: a mark, a name that takes the room there is, then numbers aligned right ---- */
enum { TABLE_COLUMNS = 12 };
enum table_name { TABLE_PLAIN, TABLE_SQL };

struct table_column {
	const char *head;
	uint8_t rank;		/* 0 stays; higher ones go first when room is short */
	bool idle_hides;	/* not shown when every cell is empty */
};

struct table_row;
struct table {
	struct page *page;
	const char *title, *order;		/* over mark and name */
	const struct table_column *columns;	/* of the numbers */
	unsigned ncolumns;
	enum table_name kind;
	unsigned mark;				/* widest mark */
	unsigned name;				/* widest name */
	unsigned widest[TABLE_COLUMNS];		/* 0 = hidden */
	bool filled[TABLE_COLUMNS];
	struct table_row *first, **last, *row;
	unsigned at;				/* next number of the current row */
};

/* order: what the rows are sorted by, "" when they are not. Up to TABLE_COLUMNS numbers. */
void table_begin(struct table *t, struct page *p, const char *title, const char *order, enum table_name kind);
void table_columns(struct table *t, const struct table_column *columns, unsigned n);
/* mark and name are copied. */
void table_row(struct table *t, enum ink mark_ink, const char *mark, enum ink name_ink, const char *name);
/* The next number of the row; "" leaves it empty. */
void table_cell(struct table *t, enum ink ink, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Prints it all and forgets it. */
void table_end(struct table *t);

#endif
