/* SPDX-License-Identifier: Apache-2.0 */
/* verify_rows: the rows of look-ups and of their batched form, apart by key: are they the same? Never: asks the server. */
#include "verify_part.h"

#include <stdlib.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

static struct span
row_bytes(struct bench *b, const struct side_rows *rows, uint32_t row, uint32_t cells)
{
	size_t n = 0;
	char *p, *at;

	for (uint32_t c = 0; c < cells; c++)
		n += side_cell(rows, row, c).n + sizeof(uint32_t) + 1;
	p = at = arena_zero(&b->bytes, n + 1);
	for (uint32_t c = 0; c < cells; c++) {
		struct side_cell cell = side_cell(rows, row, c);

		*at++ = cell.p ? 'v' : 'n';
		memcpy(at, &cell.n, sizeof cell.n);
		at += sizeof cell.n;
		if (cell.p)
			memcpy(at, cell.p, cell.n);
		at += cell.p ? cell.n : 0;
	}
	return span_of(p, (size_t)(at - p));
}

bool
verify_keep_row(struct bench *b, struct rows_of_keys *into, const struct side_rows *rows, uint32_t row, uint32_t cells, uint32_t key)
{
	struct span bytes = row_bytes(b, rows, row, cells);

	if (b->bytes.used > LIMIT_SIDE_BYTES) {
		b->r->state = FIX_NOT_VERIFIABLE;
		b->r->why = "the look-ups return more rows than are compared here";
		return false;
	}
	if (into->n == into->cap) {
		into->cap = into->cap ? 2 * into->cap : 256;
		into->v = xmem_resize(into->v, into->cap * sizeof *into->v);
	}
	into->v[into->n++] = (struct row){ bytes, key };
	return true;
}

static int
by_bytes(const void *x, const void *y)
{
	const struct row *a = x, *b = y;
	size_t n = a->bytes.n < b->bytes.n ? a->bytes.n : b->bytes.n;
	int order = n ? memcmp(a->bytes.p, b->bytes.p, n) : 0;

	return order ? order : (a->bytes.n > b->bytes.n) - (a->bytes.n < b->bytes.n);
}

static int
by_key(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	return a->key != b->key ? (a->key > b->key) - (a->key < b->key) : by_bytes(x, y);
}

static bool
same_rows(const struct row *x, const struct row *y, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!span_eq(x[i].bytes, y[i].bytes))
			return false;
	return true;
}

static uint32_t
count_key(const struct rows_of_keys *r, uint32_t from, uint32_t key)
{
	uint32_t n = 0;

	while (from + n < r->n && r->v[from + n].key == key)
		n++;
	return n;
}

static void
sort_rows(struct rows_of_keys *r, int (*order)(const void *, const void *))
{
	if (r->n)
		qsort(r->v, r->n, sizeof *r->v, order);
}

/* How the keys differ that do. */
struct difference {
	bool counts;	/* some have more or fewer rows */
	bool otherwise;	/* some differ in another way than by more rows in the batched form where LIMIT cut those of the look-up off */
};

/* Both sorted by key: how many keys have other rows. */
static uint32_t
differing(struct bench *b, struct difference *how)
{
	uint32_t x = 0, y = 0, n = 0;

	*how = (struct difference){ false, false };

	for (uint32_t k = 0; k < b->r->keys; k++) {
		uint32_t nx = count_key(&b->before, x, k), ny = count_key(&b->after, y, k);

		bool differ = nx != ny || !same_rows(b->before.v + x, b->after.v + y, nx);

		how->counts |= nx != ny;
		how->otherwise |= differ && (nx >= ny || nx != b->r->rewrite.limit);
		n += differ;
		b->r->keys_with_rows += nx > 0;
		x += nx;
		y += ny;
	}
	return n;
}

/* Without regard to keys and repeats. */
static bool
same_set(struct bench *b)
{
	uint32_t x = 0, y = 0;

	sort_rows(&b->before, by_bytes);
	sort_rows(&b->after, by_bytes);
	while (x < b->before.n && y < b->after.n) {
		struct span v = b->before.v[x].bytes;

		if (!span_eq(v, b->after.v[y].bytes))
			return false;
		while (x < b->before.n && span_eq(b->before.v[x].bytes, v))
			x++;
		while (y < b->after.n && span_eq(b->after.v[y].bytes, v))
			y++;
	}
	return x == b->before.n && y == b->after.n;
}

/* Rows as they came, apart by key; whether any key's order is another one. */
static bool
orders_differ(struct bench *b)
{
	uint32_t *next = xmem_zero((b->r->keys + 1) * sizeof *next);
	bool differ = false;

	for (uint32_t k = 0, x = 0; k < b->r->keys; k++) {
		next[k] = x;
		x += count_key(&b->before, x, k);
	}
	for (uint32_t i = 0; i < b->after.n && !differ; i++) {
		uint32_t k = b->after.v[i].key;

		differ = k >= b->r->keys || next[k] >= b->before.n || b->before.v[next[k]].key != k ||
			 !span_eq(b->before.v[next[k]].bytes, b->after.v[i].bytes);
		if (!differ)
			next[k]++;
	}
	mem_free(next);
	return differ;
}

static const char *
why_differs(const struct fix_result *r, const struct difference *how)
{
	if (r->same_together)
		return "all rows together are the same, but the column compares loosely (letter case, blanks or type), so that rows cannot be given to "
		       "keys by their text; compare as the database does";
	if (!how->counts && r->rewrite.limit > 0)
		return "each key has as many rows, but not the same: where rows are equal in the ORDER BY, LIMIT takes any of them; order by a unique "
		       "column at the end, too";
	return "the batched form does not mean the same here";
}

void
verify_compare(struct bench *b)
{
	struct fix_result *r = b->r;
	struct difference how;
	bool order = r->rewrite.ordered && orders_differ(b);

	r->rows = b->before.n;
	sort_rows(&b->before, by_key);
	sort_rows(&b->after, by_key);
	r->keys_differ = differing(b, &how);
	if (b->before.n == 0 && b->after.n == 0) {
		r->state = FIX_NOT_VERIFIABLE;
		r->why = "no key has rows in committed data (were they made in a transaction that was rolled back, or deleted since?)";
	} else if (r->keys_differ == 0 && b->after.n == b->before.n) {
		r->state = FIX_VERIFIED;
		r->order_differs = order;
	} else if (r->rewrite.without_limit && !how.otherwise) {
		r->state = FIX_NOT_VERIFIABLE;
		r->why = r->rewrite.ordered ? "its ORDER BY names columns by their position, and keys have more rows than its LIMIT" :
					      "its LIMIT without ORDER BY takes any of the rows that match, and keys have more than that";
	} else {
		r->state = FIX_DIFFERS;
		r->same_together = same_set(b);
		r->why = why_differs(r, &how);
	}
}
