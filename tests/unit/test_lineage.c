/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lineage: what names say of two columns, where result columns come from, and the edges of requests written as text. The decision
 * as a whole is measured by bench/lineage_truth. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>

#include "fingerprint/limits.h"
#include "reports/lineage/lineage_names.h"
#include "req_builder.h"

/* ---- names ---- */

static struct table_names *
shop(void)
{
	static const char *const tables[] = { "public.orders", "customers", "\"OrderItems\"", "order_items", "categories", "people", "shop_product",
		"addresses", "users" };
	struct table_names *t = table_names_new();

	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		table_names_add(t, tables[i]);
	return t;
}

static enum key_domain
domain(const char *t1, const char *c1, const char *t2, const char *c2, const struct lineage_key *keys, uint32_t nkeys)
{
	struct table_names *t = shop();
	struct arena a = { NULL, 0 };
	struct key_column x = key_column(t, t1, c1, &a), y = key_column(t, t2, c2, &a);
	struct foreign_keys *known = foreign_keys_new(keys, nkeys);
	const struct foreign_keys *const all[] = { known };
	bool self;
	enum key_domain d = key_domain(&x, &y, all, 1, &self), back = key_domain(&y, &x, all, 1, &self);

	assert_int_equal(d, back);
	foreign_keys_free(known);
	arena_clear(&a);
	table_names_free(t);
	return d;
}

#define DOMAIN(a, b, c, d) domain(a, b, c, d, NULL, 0)

static void
names_tell_what_refers(void **state)
{
	(void)state;
	assert_int_equal(DOMAIN("orders", "customer_id", "customers", "id"), DOMAIN_REFERS);
	assert_int_equal(DOMAIN("orders", "billing_customer_id", "customers", "id"), DOMAIN_REFERS);
	assert_int_equal(DOMAIN("orders", "customerId", "customers", "uuid"), DOMAIN_REFERS);
	assert_int_equal(DOMAIN("public.orders", "customerid", "customers", "customer_id"), DOMAIN_REFERS);
	assert_int_equal(DOMAIN("order_items", "product_id", "shop_product", "id"), DOMAIN_REFERS);
	assert_int_equal(DOMAIN("order_items", "category_id", "categories", "id"), DOMAIN_REFERS);
	assert_int_equal(DOMAIN("orders", "address_id", "addresses", "id"), DOMAIN_REFERS);
	assert_int_equal(DOMAIN("orders", "person_id", "people", "id"), DOMAIN_REFERS);
	assert_int_equal(DOMAIN("categories", "parent_id", "categories", "id"), DOMAIN_REFERS);
	assert_int_equal(DOMAIN("orders", "id", "orders", "id"), DOMAIN_SAME);
	assert_int_equal(DOMAIN("orders", "customer_id", "addresses", "customer_id"), DOMAIN_SHARED);
	assert_int_equal(DOMAIN("orders", "widget_id", "addresses", "widget_id"), DOMAIN_SHARED);
}

static void
names_tell_what_does_not_fit(void **state)
{
	(void)state;
	assert_int_equal(DOMAIN("orders", "id", "customers", "id"), DOMAIN_CONTRADICTS);
	assert_int_equal(DOMAIN("orders", "customer_id", "users", "id"), DOMAIN_CONTRADICTS);
	assert_int_equal(DOMAIN("orders", "customer_id", "order_items", "product_id"), DOMAIN_CONTRADICTS);
	assert_int_equal(DOMAIN("orders", "assignee_id", "users", "id"), DOMAIN_UNKNOWN);
	assert_int_equal(DOMAIN("orders", "status", "orders", "status"), DOMAIN_UNKNOWN);
	assert_int_equal(DOMAIN("", "id", "orders", "id"), DOMAIN_UNKNOWN);
	/* `paid` and `void` end in id, but there are no tables of such a name */
	assert_int_equal(DOMAIN("orders", "paid", "customers", "id"), DOMAIN_UNKNOWN);
}

static void
foreign_keys_decide(void **state)
{
	static const struct lineage_key keys[] = { { "orders", "assignee_id", "users", "id" }, { "orders", "customer_id", "people", "id" } };

	(void)state;
	assert_int_equal(domain("orders", "assignee_id", "users", "id", keys, 2), DOMAIN_REFERS);
	assert_int_equal(domain("orders", "customer_id", "customers", "id", keys, 2), DOMAIN_CONTRADICTS);
	assert_int_equal(domain("order_items", "order_id", "orders", "id", keys, 2), DOMAIN_REFERS);
}

static void
table_names_are_bounded(void **state)
{
	struct table_names *t = table_names_new();
	struct arena a = { NULL, 0 };
	char name[32];

	(void)state;
	for (int i = 0; i < LIMIT_TABLE_NAMES; i++) {
		snprintf(name, sizeof name, "t%d", i);
		table_names_add(t, name);
	}
	table_names_add(t, "customers");
	assert_true(key_column(t, "t4095", "id", &a).target != NO_TABLE);
	assert_true(key_column(t, "customers", "id", &a).target == NO_TABLE);
	arena_clear(&a);
	table_names_free(t);
}

/* ---- result columns ---- */

static void
check_origin(struct req_builder *b, const char *sql, uint32_t at, const char *label, const char *expected)
{
	struct arena a = { NULL, 0 };
	const char *table, *column;
	char said[128];

	if (column_origin(req_shape(b, sql), at, label, &a, &table, &column))
		snprintf(said, sizeof said, "%s.%s", table, column);
	else
		snprintf(said, sizeof said, "expression");
	assert_string_equal(said, expected);
	arena_clear(&a);
}

static void
select_lists_tell_columns(void **state)
{
	struct req_builder *b = req_builder_new();

	(void)state;
	check_origin(b, "SELECT id, customer_id FROM orders", 1, "customer_id", "orders.customer_id");
	check_origin(b, "SELECT o.id AS order_key, c.name FROM orders AS o JOIN customers c ON c.id = o.customer_id", 0, "order_key", "orders.id");
	check_origin(b, "SELECT o.id, c.id AS x FROM orders o, customers c", 1, "x", "customers.id");
	check_origin(b, "SELECT \"shop_order\".\"id\", \"shop_order\".\"customer_id\" FROM \"shop_order\"", 1, "customer_id",
	    "shop_order.customer_id");
	check_origin(b, "SELECT DISTINCT e.kind FROM events e", 0, "kind", "events.kind");
	check_origin(b, "SELECT count(*), max(id) AS id FROM t", 1, "id", "expression");
	check_origin(b, "SELECT (SELECT max(x.id) FROM x), t.id FROM t", 1, "id", "t.id");
	check_origin(b, "SELECT a || b AS id FROM t", 0, "id", "expression");
	check_origin(b, "SELECT * FROM orders WHERE id = 1", 3, "customer_id", "orders.customer_id");
	check_origin(b, "SELECT o.*, c.name FROM orders o JOIN customers c ON true", 0, "id", "orders.id");
	check_origin(b, "INSERT INTO orders (a) VALUES (1) RETURNING id", 0, "id", "orders.id");
	check_origin(b, "WITH x AS (SELECT 1) SELECT id FROM x", 0, "id", ".id");
	req_builder_free(b);
}

/* ---- edges ---- */

static const struct edge *
only_edge(struct req_builder *b, const char *text)
{
	const struct request *r = req_build(b, text);

	return r->nedges ? &r->edges[0] : NULL;
}

static void
a_list_and_its_look_ups(void **state)
{
	struct req_builder *b = req_builder_new();
	const struct edge *e = only_edge(b, "3 rows cols id=1..3;customer_id=7,8,9 | SELECT id, customer_id FROM orders\nloop 7..9\n"
	    "1 row cols id=%i | SELECT id FROM customers WHERE id = %i\nend\n");

	(void)state;
	assert_non_null(e);
	assert_int_equal(e->verdict, EDGE_PROVEN);
	assert_string_equal(e->column, "orders.customer_id → customers.id");
	assert_string_equal(e->other, "");
	assert_true(e->values == 3 && e->missed == 0 && e->source_values == 3 && e->kept == 3 && e->rows == 3);
	assert_true(e->child_stmt == 1 && e->parent_stmt == 0);
	assert_int_equal(e->flags, EDGE_IN_ORDER | EDGE_EACH_ROW);
	req_builder_free(b);
}

static void
one_row_proves_nothing(void **state)
{
	struct req_builder *b = req_builder_new();

	(void)state;
	assert_null(only_edge(b, "1 row cols id=1;customer_id=7 | SELECT id, customer_id FROM orders\nloop 1..3\n"
	    "1 row cols id=7 | SELECT id FROM customers WHERE id = 7\nend\n"));
	req_builder_free(b);
}

static void
ids_from_outside_are_followed(void **state)
{
	struct req_builder *b = req_builder_new();
	const struct request *r = req_build(b, "loop 1..6\n1 row cols id=%i;address_id=90%i | SELECT id, address_id FROM customers WHERE id = %i\n"
	    "1 row cols id=90%i | SELECT id FROM addresses WHERE id = 90%i\nend\n");

	(void)state;
	for (uint32_t i = 0; i < r->nedges; i++)
		assert_int_not_equal(r->edges[i].verdict, EDGE_PROVEN);
	req_builder_free(b);
}

static void
a_walk_needs_three_links_among_small_numbers(void **state)
{
	struct req_builder *b = req_builder_new();
	const struct edge *e = only_edge(b, "1 row cols id=9;parent_id=7 | SELECT id, parent_id FROM categories WHERE id = 9\n"
	    "1 row cols id=7;parent_id=4 | SELECT id, parent_id FROM categories WHERE id = 7\n"
	    "1 row cols id=4;parent_id=2 | SELECT id, parent_id FROM categories WHERE id = 4\n"
	    "1 row cols id=2 | SELECT id, parent_id FROM categories WHERE id = 2\n");

	(void)state;
	assert_non_null(e);
	assert_true(e->verdict == EDGE_PROVEN && e->flags & EDGE_WALK);
	e = only_edge(b, "1 row cols id=9;parent_id=7 | SELECT id, parent_id FROM categories WHERE id = 9\n"
	    "1 row cols id=7;parent_id=4 | SELECT id, parent_id FROM categories WHERE id = 7\n"
	    "1 row cols id=4;parent_id=2 | SELECT id, parent_id FROM categories WHERE id = 4\n");
	assert_true(!e || e->verdict != EDGE_PROVEN);
	req_builder_free(b);
}

static void
a_write_per_row_has_an_edge(void **state)
{
	struct req_builder *b = req_builder_new();
	const struct edge *e = only_edge(b, "4 rows cols id=11..14 | SELECT id FROM orders\nloop 11..14\n"
	    "affected 1 | INSERT INTO audits (order_id, kind) VALUES (%i, 'seen')\nend\n");

	(void)state;
	assert_non_null(e);
	assert_string_equal(e->column, "orders.id → audits.order_id");
	req_builder_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_tell_what_refers), cmocka_unit_test(names_tell_what_does_not_fit), cmocka_unit_test(foreign_keys_decide),
		cmocka_unit_test(table_names_are_bounded), cmocka_unit_test(select_lists_tell_columns), cmocka_unit_test(a_list_and_its_look_ups),
		cmocka_unit_test(one_row_proves_nothing), cmocka_unit_test(ids_from_outside_are_followed),
		cmocka_unit_test(a_walk_needs_three_links_among_small_numbers), cmocka_unit_test(a_write_per_row_has_an_edge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
