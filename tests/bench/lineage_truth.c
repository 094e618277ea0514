/* SPDX-License-Identifier: Apache-2.0 */
/* lineage_truth: random request traffic whose truth is known, loops and traps of many kinds, judged by lineage.
 * Usage: lineage_truth [requests per kind [seed [keys]]]; "keys" gives lineage the foreign keys, else names decide.
 * Prints a line per kind and the sums; ends 1 when more than one claim in 5 000 is false, recall is below 0.92 (0.95 with keys) or the
 * right source column below 0.99. Traps in which the outside ids equal a complete list are counted apart: nobody can tell them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fingerprint/mem.h"
#include "reports/lineage/lineage.h"
#include "reports/judge/words.h"

enum { MAX_STMTS = 4000, MAX_ROWS = 400, KEPT = 64, MAX_SHAPES = 256 };

/* ---- a world: tables whose ids are dense, spread or uuids ---- */

enum table { CUSTOMERS, ORDERS, ITEMS, PRODUCTS, CATEGORIES, USERS, TENANTS, TYPES, ADDRESSES, REGIONS, INVOICES, TABLES };
enum scheme { DENSE, SPREAD, UUID };

struct world {
	enum scheme scheme[TABLES];
	uint32_t base[TABLES];
	uint32_t salt;
};

struct known_shape {
	const char *sql;
	const struct shape *shape;
	struct lineage_columns *columns;
};

struct gen {
	uint64_t rng;
	struct world w;
	struct shapes *shapes;
	struct sql_scanner *scanner;
	struct known_shape known[MAX_SHAPES];
	uint32_t nknown;
	struct arena kept;	/* shapes' columns */
	struct arena a;		/* one request */
	struct lineage_stmt stmts[MAX_STMTS];
	uint32_t n;
	uint64_t now;
	const char *column;	/* what must be proven; NULL in traps */
	const struct shape *child;
	bool undecidable;
};

static uint32_t
below(struct gen *g, uint32_t n)
{
	g->rng ^= g->rng << 13;
	g->rng ^= g->rng >> 7;
	g->rng ^= g->rng << 17;
	return (uint32_t)((g->rng * 0x9E3779B97F4A7C15u) >> 33) % (n ? n : 1);
}

static uint32_t
between(struct gen *g, uint32_t lo, uint32_t hi)
{
	return lo + below(g, hi - lo + 1);
}

static struct rec_value
text_value(const char *s)
{
	struct rec_value v = { .hash = sql_hash(span_str(s)), .kind = REC_VALUE_WORD };

	for (const char *p = s; *p; p++) {
		v.letters = (uint8_t)(v.letters + (*p >= 'a' && *p <= 'z'));
		v.digits = (uint8_t)(v.digits + (*p >= '0' && *p <= '9'));
	}
	if (v.digits)
		v.kind = strlen(s) == 36 ? REC_VALUE_UUID : REC_VALUE_TEXT;
	return v;
}

static struct rec_value
number(int64_t n)
{
	char text[24];
	struct rec_value v;

	snprintf(text, sizeof text, "%" PRId64, n);
	v = text_value(text);
	v.kind = REC_VALUE_INT;
	v.number = n;
	return v;
}

/* The id of a table's k-th row. */
static struct rec_value
id(const struct gen *g, enum table t, uint32_t k)
{
	uint64_t h = (k + 1) * 0x9E3779B97F4A7C15u + g->w.salt + (uint64_t)t * 7919;
	char text[40];

	h ^= h >> 29;
	h *= 0xbf58476d1ce4e5b9u;
	h ^= h >> 32;
	if (g->w.scheme[t] == DENSE)
		return number((int64_t)(g->w.base[t] + k + 1));
	if (g->w.scheme[t] == SPREAD)
		return number((int64_t)(h % 1000000 + 1));
	snprintf(text, sizeof text, "%08x-0000-4000-8000-%012" PRIx64, (unsigned)(h & 0xffffffff), h >> 16);
	return text_value(text);
}

static struct rec_value
sku(const struct gen *g, uint32_t k)
{
	char text[24];

	snprintf(text, sizeof text, "sk-%05u", (unsigned)((k * 7919 + g->w.salt) % 100000));
	return text_value(text);
}

static void
new_world(struct gen *g)
{
	bool uniform = below(g, 3) > 0;

	g->w.salt = below(g, 1 << 30);
	for (int t = 0; t < TABLES; t++) {
		uint32_t r = below(g, 10);

		g->w.scheme[t] = uniform || r < 6 ? DENSE : r < 8 ? SPREAD : UUID;
		g->w.base[t] = below(g, 4) ? 0 : below(g, 200);
	}
	arena_reset(&g->a);
	g->n = 0;
	g->now = 1000;
	g->column = NULL;
	g->child = NULL;
	g->undecidable = false;
}

/* ---- executions ---- */

/* The shape of a text; labels: its columns, "id,customer_id". */
static struct known_shape *
shape(struct gen *g, const char *sql, const char *labels)
{
	struct sql_lang lang = { SQL_POSTGRESQL, 0 };
	struct sql_stmt st;
	struct known_shape *k;

	for (uint32_t i = 0; i < g->nknown; i++)
		if (strcmp(g->known[i].sql, sql) == 0)
			return &g->known[i];
	if (g->nknown == MAX_SHAPES)
		abort();
	k = &g->known[g->nknown++];
	sql_scan(g->scanner, lang, span_str(sql), &st);
	*k = (struct known_shape){ .sql = sql, .shape = shapes_intern(g->shapes, lang, &st) };
	k->columns = arena_zero(&g->kept, sizeof *k->columns + 8 * sizeof *k->columns->c);
	for (const char *p = labels; *p;) {
		size_t n = strcspn(p, ",");

		k->columns->c[k->columns->n] = (struct lineage_column){ .table = "", .name = arena_strndup(&g->kept, span_of(p, n)),
			.at = (uint16_t)k->columns->n };
		k->columns->n++;
		p += n + (p[n] == ',');
	}
	return k;
}

/* Executes: one value per slot (or all in slot 0 when list), rows of values row by row. Answered before the next is sent. */
static const struct shape *
run(struct gen *g, const char *sql, const char *labels, const struct rec_value *params, uint32_t nparams, bool list, const struct rec_value *rows,
    uint32_t nrows)
{
	struct known_shape *k = shape(g, sql, labels);
	uint32_t kept = nrows < KEPT ? nrows : KEPT, width = k->columns->n;
	struct rec_value *p = arena_zero(&g->a, (nparams + 1) * sizeof *p), *v = arena_zero(&g->a, (kept * width + 1) * sizeof *v);

	if (g->n == MAX_STMTS)
		abort();
	for (uint32_t i = 0; i < nparams; i++) {
		p[i] = params[i];
		p[i].slot = (uint16_t)(list ? 0 : i);
	}
	if (kept)
		memcpy(v, rows, kept * width * sizeof *v);
	g->stmts[g->n] = (struct lineage_stmt){ .shape = k->shape, .stmt = g->n, .sent = g->now, .ended = g->now + 10, .params = p,
		.nparams = nparams, .columns = kept ? k->columns : NULL, .values = v, .nrows = kept, .rows = nrows };
	g->n++;
	g->now += 20;
	return k->shape;
}

/* A read by one value that returns that value and another one. */
static const struct shape *
look_up(struct gen *g, const char *sql, const char *labels, struct rec_value v, struct rec_value more)
{
	struct rec_value row[2] = { v, more };

	return run(g, sql, labels, &v, 1, false, row, 1);
}

/* A list of n orders: ids in order, a column of other values. */
struct list {
	uint32_t n;
	struct rec_value id[MAX_ROWS], ref[MAX_ROWS];
};

static const char ORDERS_BY_CUSTOMER[] = "SELECT o.id, o.customer_id FROM orders o ORDER BY o.id";

/* distinct: how many different ones the reference has (0: one per row). */
static void
list(struct gen *g, struct list *l, const char *sql, enum table of, enum table ref, uint32_t n, uint32_t distinct)
{
	struct rec_value rows[2 * MAX_ROWS];
	uint32_t start = below(g, 8) ? 0 : below(g, 30), jump = below(g, 2) ? 1 : 7;

	l->n = n;
	for (uint32_t i = 0; i < n; i++) {
		l->id[i] = id(g, of, start + i);
		l->ref[i] = id(g, ref, distinct ? below(g, distinct) : (i * jump) % (n % 7 ? n : n + 1));
		rows[2 * i] = l->id[i];
		rows[2 * i + 1] = l->ref[i];
	}
	run(g, sql, "id,ref", NULL, 0, false, rows, n);
}

static uint32_t
size(struct gen *g)
{
	return below(g, 3) == 0 ? between(g, 2, 4) : between(g, 4, 40);
}

static void
expect(struct gen *g, const char *column, const struct shape *child)
{
	g->column = column;
	g->child = child;
}

static bool
seen_before(const struct rec_value *v, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (v[k].hash == v[i].hash)
			return true;
	return false;
}

static void
shuffle(struct gen *g, struct rec_value *v, uint32_t n)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t k = below(g, i);
		struct rec_value t = v[i - 1];

		v[i - 1] = v[k];
		v[k] = t;
	}
}

/* ---- loops ---- */

static const char CUSTOMER[] = "SELECT c.id, c.region FROM customers c WHERE c.id = $1";
static const char ITEMS_OF[] = "SELECT i.id, i.product_id FROM items i WHERE i.order_id = $1";
static const char PRODUCT[] = "SELECT p.id, p.stock FROM products p WHERE p.id = $1";

static void
each_customer(struct gen *g, const struct list *l, bool cached)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (!cached || !seen_before(l->ref, i))
			expect(g, "orders.customer_id → customers.id", look_up(g, CUSTOMER, "id,region", l->ref[i], number(below(g, 9))));
}

static void
loop_belongs_to(struct gen *g)
{
	struct list l;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, size(g), 0);
	each_customer(g, &l, false);
}

static void
loop_cached(struct gen *g)
{
	struct list l;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, between(g, 6, 40), between(g, 3, 20));
	each_customer(g, &l, true);
}

static void
loop_repeats(struct gen *g)
{
	struct list l;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, between(g, 4, 40), between(g, 2, 12));
	each_customer(g, &l, false);
}

static void
loop_shuffled(struct gen *g)
{
	struct list l;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, size(g), 0);
	shuffle(g, l.ref, l.n);
	each_customer(g, &l, false);
}

static void
loop_reversed(struct gen *g)
{
	struct list l, back;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, size(g), 0);
	back.n = l.n;
	for (uint32_t i = 0; i < l.n; i++)
		back.ref[i] = l.ref[l.n - 1 - i];
	each_customer(g, &back, false);
}

static void
loop_filtered(struct gen *g)
{
	struct list l;
	uint32_t done = 0;

	list(g, &l, "SELECT o.id, o.customer_id FROM orders o ORDER BY o.id", ORDERS, CUSTOMERS, between(g, 16, 40), 0);
	for (uint32_t i = 0; i < l.n && done < 100; i++)
		if (below(g, 2) || l.n - i < 8) {
			struct rec_value one = number(1);

			expect(g, "orders.id → items.order_id", run(g, ITEMS_OF, "id,product_id", &l.id[i], 1, false, (struct rec_value[]){ id(g, ITEMS, done), one }, 1));
			done++;
		}
}

static void
items_of(struct gen *g, const struct list *l, uint32_t i, struct rec_value *products, uint32_t n)
{
	struct rec_value rows[16];

	for (uint32_t k = 0; k < n; k++) {
		products[k] = id(g, PRODUCTS, below(g, 50));
		rows[2 * k] = id(g, ITEMS, i * 8 + k);
		rows[2 * k + 1] = products[k];
	}
	run(g, ITEMS_OF, "id,product_id", &l->id[i], 1, false, rows, n);
}

static void
loop_has_many(struct gen *g)
{
	struct list l;
	struct rec_value products[8];

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, size(g), below(g, 2) ? 5 : 0);
	for (uint32_t i = 0; i < l.n; i++)
		items_of(g, &l, i, products, between(g, 1, 4));
	expect(g, "orders.id → items.order_id", shape(g, ITEMS_OF, "")->shape);
}

static void
loop_nested(struct gen *g)
{
	struct list l;
	struct rec_value products[8];

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, between(g, 2, 12), 0);
	for (uint32_t i = 0; i < l.n; i++) {
		uint32_t n = between(g, 2, 4);

		items_of(g, &l, i, products, n);
		for (uint32_t k = 0; k < n; k++)
			look_up(g, PRODUCT, "id,stock", products[k], number(below(g, 20)));
	}
	expect(g, "items.product_id → products.id", shape(g, PRODUCT, "")->shape);
}

static void
loop_count(struct gen *g)
{
	struct list l;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, size(g), 0);
	for (uint32_t i = 0; i < l.n; i++) {
		struct rec_value count = number(below(g, 9));

		expect(g, "orders.id → items.order_id",
		    run(g, "SELECT count(*) FROM items WHERE order_id = $1", "count", &l.id[i], 1, false, &count, 1));
	}
}

static void
loop_single_lists(struct gen *g)
{
	struct list l;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, size(g), 0);
	for (uint32_t i = 0; i < l.n; i++)
		expect(g, "orders.customer_id → customers.id", look_up(g, "SELECT id, region FROM customers WHERE id IN ($1)", "id,region", l.ref[i], number(1)));
}

static void
loop_chain(struct gen *g)
{
	struct list l;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, size(g), 0);
	for (uint32_t i = 0; i < l.n; i++) {
		struct rec_value address = id(g, ADDRESSES, 40 - i % 40);

		look_up(g, "SELECT c.id, c.address_id FROM customers c WHERE c.id = $1", "id,address_id", l.ref[i], address);
		expect(g, "customers.address_id → addresses.id", look_up(g, "SELECT id, zip FROM addresses WHERE id = $1", "id,zip", address, number(below(g, 99))));
	}
}

static void
loop_writes(struct gen *g)
{
	struct list l;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, size(g), 0);
	for (uint32_t i = 0; i < l.n; i++)
		expect(g, "orders.id → orders.id", run(g, "UPDATE orders SET seen = true WHERE id = $2", "", (struct rec_value[]){ number(1), l.id[i] }, 2, false, NULL, 0));
}

static void
loop_tree(struct gen *g)
{
	struct rec_value queue[200];
	uint32_t n = 1, next = 1;

	queue[0] = id(g, CATEGORIES, 0);
	for (uint32_t i = 0; i < n && i < 60; i++) {
		struct rec_value rows[8];
		uint32_t k = i < 4 ? between(g, 2, 3) : below(g, 3);

		for (uint32_t c = 0; c < k && n < 100; c++) {
			queue[n] = id(g, CATEGORIES, next++);
			rows[2 * c] = queue[n++];
			rows[2 * c + 1] = queue[i];
		}
		expect(g, "categories.id → categories.parent_id", run(g, "SELECT id, parent_id FROM categories WHERE parent_id = $1", "id,parent_id", &queue[i], 1, false, rows, k));
	}
}

static void
loop_walk(struct gen *g)
{
	uint32_t at = between(g, 20, 60), links = between(g, 4, 8);

	for (uint32_t i = 0; i < links; i++) {
		uint32_t parent = at - between(g, 1, 3) - (at > 40 ? 5 : 0);

		expect(g, "categories.parent_id → categories.id",
		    look_up(g, "SELECT id, parent_id FROM categories WHERE id = $1", "id,parent_id", id(g, CATEGORIES, at), id(g, CATEGORIES, parent)));
		at = parent;
	}
}

static void
loop_role(struct gen *g)
{
	struct list l;

	list(g, &l, "SELECT o.id, o.assignee_id FROM orders o", ORDERS, USERS, size(g), 0);
	for (uint32_t i = 0; i < l.n; i++)
		expect(g, "orders.assignee_id → users.id", look_up(g, "SELECT id, level FROM users WHERE id = $1", "id,level", l.ref[i], number(below(g, 9))));
}

static void
loop_prefixed(struct gen *g)
{
	struct list l;

	list(g, &l, "SELECT o.id, o.billing_customer_id FROM orders o", ORDERS, CUSTOMERS, size(g), 0);
	for (uint32_t i = 0; i < l.n; i++)
		expect(g, "orders.billing_customer_id → customers.id", look_up(g, CUSTOMER, "id,region", l.ref[i], number(below(g, 9))));
}

static void
loop_long(struct gen *g)
{
	struct list l;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, between(g, 80, 300), 0);
	each_customer(g, &l, true);
}

static void
loop_text_key(struct gen *g)
{
	struct rec_value rows[80];
	uint32_t n = between(g, 3, 40);

	for (uint32_t i = 0; i < n; i++) {
		rows[2 * i] = id(g, ITEMS, i);
		rows[2 * i + 1] = sku(g, below(g, 200));
	}
	run(g, "SELECT i.id, i.sku FROM items i", "id,sku", NULL, 0, false, rows, n);
	for (uint32_t i = 0; i < n; i++)
		expect(g, "items.sku → products.sku", look_up(g, "SELECT sku, stock FROM products WHERE sku = $1", "sku,stock", rows[2 * i + 1], number(1)));
}

static void
loop_twice(struct gen *g)
{
	struct list l;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, size(g), 0);
	each_customer(g, &l, false);
	each_customer(g, &l, false);
}

static void
loop_two_lists(struct gen *g)
{
	struct list l;
	struct rec_value rows[2 * MAX_ROWS];

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, size(g), 0);
	for (uint32_t i = 0; i < l.n; i++) {
		rows[2 * i] = id(g, PRODUCTS, i);
		rows[2 * i + 1] = id(g, CATEGORIES, below(g, 5));
	}
	run(g, "SELECT p.id, p.category_id FROM products p", "id,category_id", NULL, 0, false, rows, l.n);
	each_customer(g, &l, false);
}

static void
loop_with_others(struct gen *g)
{
	struct list l;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, between(g, 8, 40), 0);
	each_customer(g, &l, false);
	look_up(g, CUSTOMER, "id,region", id(g, CUSTOMERS, 500 + below(g, 90)), number(1));
}

static void
loop_reload(struct gen *g)
{
	struct list l;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, size(g), 0);
	for (uint32_t i = 0; i < l.n; i++)
		expect(g, "orders.id → orders.id", look_up(g, "SELECT id, total FROM orders WHERE id = $1", "id,total", l.id[i], number(below(g, 500))));
}

static void
loop_shared_reference(struct gen *g)
{
	struct list l;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, between(g, 4, 40), 0);
	for (uint32_t i = 0; i < l.n; i++) {
		struct rec_value row[2] = { id(g, INVOICES, i), number(below(g, 500)) };

		expect(g, "orders.customer_id → invoices.customer_id", run(g, "SELECT id, total FROM invoices WHERE customer_id = $1", "id,total", &l.ref[i], 1, false, row, 1));
	}
}

static void
loop_with_config(struct gen *g)
{
	struct list l;

	for (uint32_t i = 0; i < 4; i++)
		look_up(g, "SELECT id, name FROM types WHERE id = $1", "id,name", id(g, TYPES, i), text_value("word"));
	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, size(g), 0);
	each_customer(g, &l, below(g, 2));
}

/* Names that tell nothing. */
static void
loop_legacy(struct gen *g)
{
	struct list l;

	list(g, &l, "SELECT b.id, b.cust_no FROM bestellung b", ORDERS, CUSTOMERS, size(g), 0);
	for (uint32_t i = 0; i < l.n; i++)
		expect(g, "bestellung.cust_no → kunden.kunden_nr", look_up(g, "SELECT kunden_nr, ort FROM kunden WHERE kunden_nr = $1", "kunden_nr,ort", l.ref[i], number(below(g, 9))));
}

/* A cache that lets only a few of the rows through. */
static void
loop_mostly_cached(struct gen *g)
{
	struct list l;
	uint32_t left = between(g, 2, 5);

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, between(g, 10, 40), 0);
	for (uint32_t i = 0; i < l.n && left; i++) {
		if (below(g, l.n - i) >= left || seen_before(l.ref, i))
			continue;
		left--;
		expect(g, "orders.customer_id → customers.id", look_up(g, CUSTOMER, "id,region", l.ref[i], number(below(g, 9))));
	}
	if (!g->column)
		each_customer(g, &l, false);
}

/* ---- traps: the values come from outside ---- */

/* k ids from outside; says whether they are just all of the list's. */
static uint32_t
outside(struct gen *g, enum table t, struct rec_value *out, const struct rec_value *shown, uint32_t n)
{
	uint32_t k = between(g, 2, 8), range = g->w.scheme[t] != DENSE ? 2000 : below(g, 2) ? 12 : 60, distinct = 0, hits = 0;

	for (uint32_t i = 0; i < k; i++)
		out[i] = id(g, t, below(g, range));
	for (uint32_t i = 0; i < n; i++) {
		bool hit = false;

		if (seen_before(shown, i))
			continue;
		distinct++;
		for (uint32_t j = 0; j < k; j++)
			hit = hit || out[j].hash == shown[i].hash;
		hits += hit;
	}
	g->undecidable = distinct > 0 && hits == distinct;
	return k;
}

static void
trap_related(struct gen *g)
{
	struct list l;
	struct rec_value ids[8];
	uint32_t k;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, size(g), below(g, 2) ? between(g, 2, 6) : 0);
	k = outside(g, CUSTOMERS, ids, l.ref, l.n);
	for (uint32_t i = 0; i < k; i++)
		look_up(g, CUSTOMER, "id,region", ids[i], number(below(g, 9)));
}

static void
trap_same_table(struct gen *g)
{
	struct list l;
	struct rec_value ids[8];
	uint32_t k;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, size(g), 0);
	k = outside(g, ORDERS, ids, l.id, l.n);
	for (uint32_t i = 0; i < k; i++)
		look_up(g, "SELECT id, total FROM orders WHERE id = $1", "id,total", ids[i], number(below(g, 500)));
}

static void
trap_other_table(struct gen *g)
{
	struct list l;
	uint32_t k;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, size(g), 0);
	k = below(g, 2) ? l.n : between(g, 2, 12);
	for (uint32_t i = 0; i < k; i++)
		look_up(g, "SELECT id, area FROM regions WHERE id = $1", "id,area", id(g, REGIONS, i), number(below(g, 500)));
}

static void
trap_config_types(struct gen *g)
{
	struct list l;
	uint32_t types = between(g, 2, 6);

	list(g, &l, "SELECT o.id, o.type_id FROM orders o", ORDERS, TYPES, between(g, 6, 40), types);
	for (uint32_t i = 0; i < types; i++) {
		struct rec_value v = id(g, TYPES, i), row[2] = { number(i), number(below(g, 9)) };

		run(g, "SELECT id, amount FROM discounts WHERE type_id = $1", "id,amount", &v, 1, false, row, 1);
	}
}

static void
trap_states(struct gen *g)
{
	static const char *const states[] = { "new", "paid", "sent", "done", "lost" };
	struct rec_value rows[80];
	uint32_t n = between(g, 5, 40), k = between(g, 2, 5);

	for (uint32_t i = 0; i < n; i++) {
		rows[2 * i] = id(g, ORDERS, i);
		rows[2 * i + 1] = text_value(states[below(g, k)]);
	}
	run(g, "SELECT o.id, o.status FROM orders o", "id,status", NULL, 0, false, rows, n);
	for (uint32_t i = 0; i < k; i++) {
		struct rec_value v = text_value(states[i]), count = number(below(g, 50));

		run(g, "SELECT count(*) FROM orders WHERE status = $1", "count", &v, 1, false, &count, 1);
	}
}

static void
trap_pages(struct gen *g)
{
	struct list l;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, size(g), 0);
	for (uint32_t i = 0; i < l.n; i++)
		look_up(g, below(g, 9) ? "SELECT id, total FROM orders WHERE id > $1 LIMIT 10" : "SELECT id, total FROM orders OFFSET $1", "id,total", l.id[i], number(i));
}

static void
trap_chunks(struct gen *g)
{
	struct list l;
	struct rec_value row[2];

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, between(g, 8, 40), 0);
	for (uint32_t i = 0; i + 4 <= l.n; i += 4) {
		row[0] = l.id[i];
		row[1] = number(i);
		run(g, "SELECT order_id, total FROM payments WHERE order_id IN ($1, $2, $3, $4)", "order_id,total", &l.id[i], 4, true, row, 1);
	}
}

static void
trap_counter(struct gen *g)
{
	struct list l;
	uint32_t k;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, size(g), 0);
	k = below(g, 2) ? l.n : between(g, 3, 12);
	for (uint32_t i = 0; i < k; i++) {
		struct rec_value v = number(i + 1), sum = number(below(g, 900));

		run(g, "SELECT sum(total) FROM sales WHERE week = $1", "sum", &v, 1, false, &sum, 1);
	}
}

static void
trap_form_update(struct gen *g)
{
	struct rec_value ids[8];
	uint32_t k = outside(g, ORDERS, ids, NULL, 0);

	for (uint32_t i = 0; i < k; i++)
		look_up(g, "SELECT id, total FROM orders WHERE id = $1", "id,total", ids[i], number(below(g, 500)));
	for (uint32_t i = 0; i < k; i++)
		run(g, "UPDATE orders SET seen = true WHERE id = $2", "", (struct rec_value[]){ number(1), ids[i] }, 2, false, NULL, 0);
}

static void
trap_outside_chain(struct gen *g)
{
	struct rec_value ids[8];
	uint32_t k = outside(g, CUSTOMERS, ids, NULL, 0);

	for (uint32_t i = 0; i < k; i++) {
		struct rec_value address = id(g, ADDRESSES, below(g, 60)), row[2] = { id(g, INVOICES, i), number(4) };

		look_up(g, "SELECT c.id, c.address_id FROM customers c WHERE c.id = $1", "id,address_id", ids[i], address);
		look_up(g, "SELECT id, zip FROM addresses WHERE id = $1", "id,zip", address, number(below(g, 99)));
		run(g, "SELECT id, total FROM invoices WHERE customer_id = $1", "id,total", &ids[i], 1, false, row, 1);
	}
}

static void
trap_shown_then_outside_chain(struct gen *g)
{
	struct list l;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, between(g, 8, 30), 0);
	trap_outside_chain(g);
	g->undecidable = false;
}

static void
trap_inserts(struct gen *g)
{
	struct rec_value order = id(g, ORDERS, below(g, 90)), ids[8];
	struct list l;
	uint32_t k;

	list(g, &l, "SELECT p.id, p.category_id FROM products p", PRODUCTS, CATEGORIES, between(g, 9, 40), 4);
	k = outside(g, PRODUCTS, ids, l.id, l.n);
	for (uint32_t i = 0; i < k; i++)
		run(g, "INSERT INTO items (order_id, product_id) VALUES ($1, $2)", "", (struct rec_value[]){ order, ids[i] }, 2, false, NULL, 0);
}

static void
trap_too_early(struct gen *g)
{
	struct list l;
	uint32_t first = g->n;

	list(g, &l, ORDERS_BY_CUSTOMER, ORDERS, CUSTOMERS, size(g), 0);
	each_customer(g, &l, false);
	g->stmts[first].ended = g->now; /* it was still running when they were sent */
	g->column = NULL;
}

static void
trap_plain_numbers(struct gen *g)
{
	struct rec_value rows[80];
	uint32_t n = between(g, 3, 40), k = between(g, 2, 6);

	for (uint32_t i = 0; i < n; i++) {
		rows[2 * i] = number(i + 1);
		rows[2 * i + 1] = number(between(g, 1, k));
	}
	run(g, "SELECT position, level FROM ranks", "position,level", NULL, 0, false, rows, n);
	for (uint32_t i = 0; i < k; i++)
		look_up(g, "SELECT level, bonus FROM bonuses WHERE level = $1", "level,bonus", number(i + 1), number(below(g, 100)));
}

/* All types, in the order of the configuration; a list showed them before. When it showed all of them, nobody can tell. */
static void
trap_types_themselves(struct gen *g)
{
	struct list l;
	uint32_t types = between(g, 2, 6), shown = 0;

	list(g, &l, "SELECT o.id, o.type_id FROM orders o", ORDERS, TYPES, between(g, 6, 40), types + below(g, 3));
	for (uint32_t i = 0; i < l.n; i++)
		shown += !seen_before(l.ref, i);
	g->undecidable = shown <= types;
	for (uint32_t i = 0; i < types; i++)
		look_up(g, "SELECT id, name FROM types WHERE id = $1", "id,name", id(g, TYPES, i), text_value("word"));
}

static void
trap_tenants(struct gen *g)
{
	struct list l;
	uint32_t n = between(g, 2, 4);

	list(g, &l, "SELECT o.id, o.tenant_id FROM orders o", ORDERS, TENANTS, between(g, 6, 40), n);
	for (uint32_t i = 0; i < n; i++) {
		struct rec_value v = id(g, TENANTS, i), row[2] = { number(below(g, 9)), number(i) };

		run(g, "SELECT limits, plan FROM quotas WHERE tenant_id = $1", "limits,plan", &v, 1, false, row, 1);
	}
}

static void
trap_lone_look_ups(struct gen *g)
{
	for (uint32_t i = 0, k = between(g, 2, 20); i < k; i++)
		look_up(g, CUSTOMER, "id,region", id(g, CUSTOMERS, below(g, 60)), number(below(g, 30)));
}

struct kind {
	const char *name;
	void (*make)(struct gen *g);
	bool loop;
};

static const struct kind kinds[] = {
	{ "belongs-to, one per row", loop_belongs_to, true }, { "belongs-to, cached", loop_cached, true },
	{ "belongs-to, repeats", loop_repeats, true }, { "shuffled", loop_shuffled, true }, { "reversed", loop_reversed, true },
	{ "filtered rows", loop_filtered, true }, { "has-many", loop_has_many, true }, { "nested", loop_nested, true },
	{ "count per row", loop_count, true }, { "lists of one", loop_single_lists, true }, { "1:1 chain below", loop_chain, true },
	{ "update per row", loop_writes, true }, { "tree downwards", loop_tree, true }, { "walk upwards", loop_walk, true },
	{ "role name", loop_role, true }, { "prefixed name", loop_prefixed, true }, { "more rows than kept", loop_long, true },
	{ "text key", loop_text_key, true }, { "rendered twice", loop_twice, true }, { "another list between", loop_two_lists, true },
	{ "one other id", loop_with_others, true }, { "reload", loop_reload, true }, { "two references", loop_shared_reference, true },
	{ "configuration before", loop_with_config, true },
	{ "legacy names", loop_legacy, true }, { "few of many, cached", loop_mostly_cached, true },
	{ "ids of the related table", trap_related, false }, { "ids of the same table", trap_same_table, false },
	{ "ids of another table", trap_other_table, false }, { "types of configuration", trap_config_types, false },
	{ "states", trap_states, false }, { "pages", trap_pages, false }, { "chunks", trap_chunks, false }, { "counter", trap_counter, false },
	{ "look-ups, then updates", trap_form_update, false }, { "chain from outside", trap_outside_chain, false },
	{ "list, chain from outside", trap_shown_then_outside_chain, false }, { "inserts of a form", trap_inserts, false },
	{ "sent too early", trap_too_early, false }, { "plain numbers", trap_plain_numbers, false }, { "tenants", trap_tenants, false },
	{ "types themselves", trap_types_themselves, false },
	{ "look-ups alone", trap_lone_look_ups, false },
};

static const struct lineage_key keys[] = {
	{ "orders", "customer_id", "customers", "id" }, { "orders", "billing_customer_id", "customers", "id" },
	{ "orders", "assignee_id", "users", "id" }, { "orders", "type_id", "types", "id" }, { "orders", "tenant_id", "tenants", "id" },
	{ "items", "order_id", "orders", "id" }, { "items", "product_id", "products", "id" }, { "items", "sku", "products", "sku" },
	{ "products", "category_id", "categories", "id" }, { "categories", "parent_id", "categories", "id" },
	{ "customers", "address_id", "addresses", "id" }, { "invoices", "customer_id", "customers", "id" },
	{ "payments", "order_id", "orders", "id" }, { "bestellung", "cust_no", "kunden", "kunden_nr" }, { "discounts", "type_id", "types", "id" }, { "quotas", "tenant_id", "tenants", "id" },
};

struct sums {
	uint32_t requests, proven, right, apart, hidden;
};

static void
judge(struct gen *g, struct lineage *l, const struct kind *k, struct sums *s)
{
	uint32_t n;
	const struct edge *e = lineage_find(l, g->stmts, g->n, &g->a, &n);
	bool any = false;

	s->requests++;
	for (uint32_t i = 0; i < n; i++) {
		if (e[i].verdict != EDGE_PROVEN)
			continue;
		if (k->loop && e[i].child != g->child)
			continue;
		any = true;
		if (k->loop)
			s->right += strcmp(e[i].column, g->column) == 0;
		if (getenv("LINEAGE_TRUTH_SHOW") && (!k->loop ? !g->undecidable : strcmp(e[i].column, g->column) != 0))
			printf("    %s: %s, %u of %u, missed %u\n", k->name, e[i].column, e[i].values, e[i].source_values, e[i].missed);
	}
	if (any && !k->loop && g->undecidable)
		s->apart++;
	else
		s->proven += any;
}

int
main(int argc, char **argv)
{
	static struct gen g;
	uint32_t times = argc > 1 ? (uint32_t)atol(argv[1]) : 1000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	bool with_keys = argc > 3;
	struct lineage *l = lineage_new();
	struct foreign_keys *known = foreign_keys_new(keys, sizeof keys / sizeof *keys);
	const struct foreign_keys *const catalogs[] = { known };
	struct sums loops = { 0 }, traps = { 0 };
	double recall, column;

	if (with_keys) {
		lineage_keys(l, catalogs, 1);
		lineage_tables(l, known);
	}
	sql_hash_key_init();
	g.rng = seed * 0x9E3779B97F4A7C15u + 1;
	g.shapes = shapes_new();
	g.scanner = sql_scanner_new();
	printf("seed %" PRIu64 ", %" PRIu32 " requests per kind, %s\n", seed, times, with_keys ? "foreign keys" : "names only");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct sums s = { 0 }, *all = kinds[i].loop ? &loops : &traps;

		for (uint32_t k = 0; k < times; k++) {
			new_world(&g);
			kinds[i].make(&g);
			judge(&g, l, &kinds[i], &s);
		}
		if (kinds[i].loop)
			printf("loop  %-26s proven %.3f, right column %.3f\n", kinds[i].name, (double)s.proven / s.requests, s.proven ? (double)s.right / s.proven : 1);
		else
			printf("trap  %-26s false %" PRIu32 " of %" PRIu32 ", undecidable %" PRIu32 "\n", kinds[i].name, s.proven, s.requests, s.apart);
		all->requests += s.requests;
		all->proven += s.proven;
		all->right += s.right;
		all->apart += s.apart;
	}
	recall = (double)loops.proven / loops.requests;
	column = loops.proven ? (double)loops.right / loops.proven : 0;
	printf("recall %.4f, right column %.4f over %" PRIu32 " loops; %" PRIu32 " false of %" PRIu32 " traps (%" PRIu32 " undecidable apart)\n", recall,
	    column, loops.requests, traps.proven, traps.requests, traps.apart);
	lineage_free(l);
	foreign_keys_free(known);
	shapes_free(g.shapes);
	sql_scanner_free(g.scanner);
	arena_clear(&g.a);
	arena_clear(&g.kept);
	return traps.proven > traps.requests / 5000 || recall < (with_keys ? 0.95 : 0.92) || column < 0.99;
}
