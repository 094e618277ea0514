/* SPDX-License-Identifier: Apache-2.0 */
/* sample_snapshot: see the header. Counts of scopes and totals are summed from the requests, so that the page is consistent with itself. */
#include "sample_snapshot.h"

#include <stdio.h>
#include <stdlib.h>

#include "fingerprint/mem.h"
#include "fingerprint/sql.h"

#define MS(n) ((uint64_t)((n) * 1000000.0))
#define COUNT(a) ((uint32_t)(sizeof(a) / sizeof *(a)))

static const struct shape shapes[] = {
	{ .id = 0, .fingerprint = 0x7f3a1c05d2e9b846, .cls = SQL_READ, .verb = SQL_V_SELECT, .summary = "SELECT orders",
	    .text = "SELECT \"orders\".\"id\", \"orders\".\"user_id\", \"orders\".\"customer_id\", \"orders\".\"total\", \"orders\".\"placed_at\" "
		    "FROM \"orders\" WHERE \"orders\".\"user_id\" = ? ORDER BY \"orders\".\"placed_at\" DESC LIMIT ?" },
	{ .id = 1, .fingerprint = 0x91bd02c44b0a77e1, .cls = SQL_READ, .verb = SQL_V_SELECT, .summary = "SELECT customers",
	    .text = "SELECT \"customers\".\"id\", \"customers\".\"name\", \"customers\".\"email\" FROM \"customers\" WHERE \"customers\".\"id\" = ? LIMIT ?" },
	{ .id = 2, .fingerprint = 0x22e0aa9c81f6035d, .cls = SQL_READ, .verb = SQL_V_SELECT, .summary = "SELECT settings",
	    .text = "SELECT * FROM settings WHERE key = ?" },
	{ .id = 3, .fingerprint = 0x3c5512ee907ab1f4, .cls = SQL_WRITE, .verb = SQL_V_INSERT, .summary = "INSERT audit_log",
	    .text = "INSERT INTO \"audit_log\" (\"actor_id\", \"action\", \"object_type\", \"object_id\", \"at\") VALUES (?, ?, ?, ?, ?) RETURNING \"id\"" },
	{ .id = 4, .fingerprint = 0xd41f00aa3399e210, .cls = SQL_READ, .verb = SQL_V_SELECT, .summary = "SELECT order_items",
	    .text = "SELECT SUM(\"order_items\".\"price\" * \"order_items\".\"quantity\") FROM \"order_items\" INNER JOIN \"orders\" ON "
		    "\"orders\".\"id\" = \"order_items\".\"order_id\" WHERE \"orders\".\"placed_at\" >= ? GROUP BY \"order_items\".\"product_id\"" },
};

static const struct snap_database demo_databases[] = {
	{ "postgresql 127.0.0.1:5432/shop", 0, 0 },
	{ "mysql 127.0.0.1:3306/audit", 0, 0 },
};

static const char *const demo_upstreams[] = { "postgresql 15.20 at 127.0.0.1:5432", "mariadb 10.11.19 at 127.0.0.1:3306" };

struct demo {			/* one request of the shop */
	const char *scope, *test, *key;
	uint32_t queries, duplicates;
	double db, wall;	/* ms */
};

static const struct demo shop[] = {
	{ "GET /orders", "tests/test_orders.py::test_index", "4bf92f3577b34da6a3ce929d0e0e4736", 53, 2, 49.2, 120.0 },
	{ "GET /orders", "tests/test_orders.py::test_index_empty", "9a1e51a7d0c24f0d9b4f6f21c9f3ab10", 3, 0, 2.9, 8.1 },
	{ "GET /orders", "tests/test_orders.py::test_index_paged", "c0ffee0077b34da6a3ce929d0e0e4736", 53, 2, 47.0, 101.2 },
	{ "GET /orders", "tests/test_orders.py::test_search", "beefbeef77b34da6a3ce929d0e0e4736", 53, 2, 51.8, 140.9 },
	{ "POST /orders", "tests/test_orders.py::test_create", "10aa2f3577b34da6a3ce929d0e0e4736", 12, 0, 9.4, 33.0 },
	{ "POST /orders", "tests/test_orders.py::test_create_invalid", "20aa2f3577b34da6a3ce929d0e0e4736", 4, 0, 2.2, 11.0 },
	{ "job MailJob", "tests/test_mail.py::test_digest", "", 14, 5, 9.8, 41.0 },
	{ "job MailJob", "tests/test_mail.py::test_retry", "", 14, 5, 10.1, 44.5 },
	{ "GET /reports/sales", "tests/test_reports.py::test_sales", "30aa2f3577b34da6a3ce929d0e0e4736", 2, 0, 214.7, 220.3 },
	{ "GET /health", "", "", 1, 0, 0.21, 0.3 },
	{ "(untagged)", "", "", 6, 0, 4.0, 12.0 },
};

static struct snap_request *
add_requests(struct snapshot *s, const struct demo *d, uint32_t n)
{
	struct snap_request *r = arena_zero(s->arena, n * sizeof *r);

	for (uint32_t i = 0; i < n; i++) {
		bool tagged = strcmp(d[i].scope, "(untagged)") != 0;

		r[i].r = (struct request){ .number = i + 1, .start = MS(i * 200.0), .end = MS(i * 200.0 + d[i].wall), .scope = d[i].scope,
			.test = d[i].test, .key = d[i].key, .application = "shop", .scope_from = tagged ? FROM_TAG : FROM_NONE,
			.borders_from = *d[i].key ? FROM_TAG : *d[i].test ? FROM_MARK : FROM_GAP };
		r[i].statements = d[i].queries + 2;
		r[i].queries = d[i].queries;
		r[i].control = 2;
		r[i].round_trips = d[i].queries + 2;
		r[i].duplicates = d[i].duplicates;
		r[i].db = MS(d[i].db);
		r[i].wall = MS(d[i].wall);
	}
	s->requests = r;
	s->nrequests = n;
	return r;
}

static void
add_tags(struct snapshot *s, struct snap_request *r)
{
	struct req_tag *t = arena_zero(s->arena, 2 * sizeof *t);

	t[0] = (struct req_tag){ "route", "/orders" };
	t[1] = (struct req_tag){ "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" };
	r->r.tags = t;
	r->r.ntags = 2;
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static struct pct
pct_of(uint64_t *v, uint64_t n)
{
	struct pct p = { .n = n };

	qsort(v, n, sizeof *v, by_value);
	for (uint64_t i = 0; i < n; i++)
		p.total += v[i];
	p.min = v[0];
	p.p50 = v[(n - 1) / 2];
	p.p95 = p.p99 = p.max = v[n - 1];
	return p;
}

static struct snap_scope
sum_scope(const struct snapshot *s, const char *name)
{
	struct snap_scope sc = { .name = name, .budget = NO_LIMIT, .baseline = NO_LIMIT };
	uint64_t *queries = xmem_zero(s->nrequests * 8), *db = xmem_zero(s->nrequests * 8);

	for (uint32_t i = 0; i < s->nrequests; i++) {
		const struct snap_request *r = &s->requests[i];

		if (strcmp(r->r.scope, name) != 0)
			continue;
		queries[sc.requests] = r->queries;
		db[sc.requests++] = r->db;
		sc.duplicates += r->duplicates;
		if (sc.borders_from < r->r.borders_from)
			sc.borders_from = r->r.borders_from;
		if (sc.scope_from < r->r.scope_from)
			sc.scope_from = r->r.scope_from;
	}
	sc.queries = pct_of(queries, sc.requests);
	sc.db = pct_of(db, sc.requests);
	mem_free(queries);
	mem_free(db);
	return sc;
}

static struct snap_scope *
add_scopes(struct snapshot *s, const char *const *names, uint32_t n)
{
	struct snap_scope *sc = arena_zero(s->arena, n * sizeof *sc);

	for (uint32_t i = 0; i < n; i++)
		sc[i] = sum_scope(s, names[i]);
	s->scopes = sc;
	s->nscopes = n;
	return sc;
}

static void
sum_totals(struct snapshot *s)
{
	for (uint32_t i = 0; i < s->nrequests; i++) {
		const struct snap_request *r = &s->requests[i];

		s->queries += r->queries;
		s->duplicates += r->duplicates;
		s->round_trips += r->round_trips;
		s->db += r->db;
		s->coverage.statements += r->statements;
		s->coverage.control += r->control;
		if (r->r.scope_from == FROM_TAG)
			s->coverage.tagged += r->queries;
	}
	s->coverage.queries = s->queries;
	s->coverage.requests = s->nrequests;
}

static void
add_shapes(struct snapshot *s)
{
	static const struct {
		unsigned shape;
		uint64_t executions, requests, rows, errors;
		double total, p95;
	} use[] = {
		{ 4, 1, 1, 40, 0, 214.3, 214.3 },
		{ 1, 150, 3, 150, 0, 123.9, 1.4 },
		{ 0, 4, 4, 150, 0, 7.6, 2.2 },
		{ 2, 12, 2, 12, 0, 6.2, 0.6 },
		{ 3, 8, 2, 8, 1, 5.1, 1.1 },
	};
	struct snap_shape *sh = arena_zero(s->arena, COUNT(use) * sizeof *sh);

	for (uint32_t i = 0; i < COUNT(use); i++) {
		uint64_t total = MS(use[i].total), n = use[i].executions;

		sh[i] = (struct snap_shape){ .shape = &shapes[use[i].shape], .executions = n, .requests = use[i].requests, .rows = use[i].rows,
			.errors = use[i].errors, .time = { .n = n, .total = total, .min = total / n / 2, .p50 = total / n,
			.p95 = MS(use[i].p95), .p99 = MS(use[i].p95), .max = MS(use[i].p95) } };
	}
	s->shapes = sh;
	s->nshapes = COUNT(use);
}

/* What the shop's loops look like in a flame graph; scope "" is that of the place above. */
static void
add_stacks(struct snapshot *s)
{
	static const struct {
		uint32_t depth;
		enum stack_kind kind;
		const char *scope;
		unsigned shape;
		uint64_t calls, all_calls;
		double own, all;
	} place[] = {
		{ 0, STACK_SCOPE, "GET /reports/sales", 0, 0, 3, 0, 214.7 },
		{ 1, STACK_QUERY, "GET /reports/sales", 4, 1, 1, 214.3, 214.3 },
		{ 1, STACK_CONTROL, "GET /reports/sales", 0, 2, 2, 0.4, 0.4 },
		{ 0, STACK_SCOPE, "GET /orders", 0, 0, 154, 0, 131.5 },
		{ 1, STACK_QUERY, "GET /orders", 0, 4, 154, 7.6, 131.5 },
		{ 2, STACK_QUERY, "GET /orders", 1, 150, 150, 123.9, 123.9 },
		{ 0, STACK_SCOPE, "job MailJob", 0, 0, 20, 0, 11.5 },
		{ 1, STACK_QUERY, "job MailJob", 2, 12, 12, 6.2, 6.2 },
		{ 1, STACK_QUERY, "job MailJob", 3, 8, 8, 5.1, 5.1 },
		{ 1, STACK_SETUP, "job MailJob", 0, 0, 0, 0.2, 0.2 },
	};
	struct snap_stack *st = arena_zero(s->arena, COUNT(place) * sizeof *st);

	for (uint32_t i = 0; i < COUNT(place); i++)
		st[i] = (struct snap_stack){ .depth = place[i].depth, .kind = place[i].kind, .scope = place[i].scope,
			.shape = place[i].kind == STACK_QUERY ? &shapes[place[i].shape] : NULL, .calls = place[i].calls,
			.all_calls = place[i].all_calls, .ns = MS(place[i].own), .all_ns = MS(place[i].all) };
	s->stacks = st;
	s->nstacks = COUNT(place);
}

/* A scope and its one query for each name. */
static void
add_flat_stacks(struct snapshot *s, const char *const *scopes, uint32_t n, const struct shape *shape)
{
	struct snap_stack *st = arena_zero(s->arena, 2 * n * sizeof *st);

	for (uint32_t i = 0; i < n; i++) {
		st[2 * i] = (struct snap_stack){ .scope = scopes[i], .all_calls = 2, .all_ns = MS(1) };
		st[2 * i + 1] = (struct snap_stack){ .depth = 1, .kind = STACK_QUERY, .scope = scopes[i], .shape = shape, .calls = 2,
			.all_calls = 2, .ns = MS(1), .all_ns = MS(1) };
	}
	s->stacks = st;
	s->nstacks = 2 * n;
}

static void
add_databases(struct snapshot *s, struct snap_request *r)
{
	struct snap_database *all = arena_zero(s->arena, sizeof demo_databases), *one = arena_zero(s->arena, sizeof demo_databases);

	memcpy(all, demo_databases, sizeof demo_databases);
	memcpy(one, demo_databases, sizeof demo_databases);
	all[0].queries = s->queries - 8;
	all[0].ns = s->db - MS(5.1);
	all[1].queries = 8;
	all[1].ns = MS(5.1);
	one[0].queries = r->queries;
	one[0].ns = r->db;
	s->databases = all;
	s->ndatabases = COUNT(demo_databases);
	r->databases = one;
	r->ndatabases = 1;
}

static struct snapshot *
fresh(void)
{
	struct snapshot *s = xmem_zero(sizeof *s);

	s->arena = xmem_zero(sizeof *s->arena);
	s->version = "1.0.0";
	s->command = "pytest -q";
	s->started_us = 1795224360123456;
	s->duration = MS(4210);
	s->upstreams = demo_upstreams;
	s->nupstreams = 1;
	s->rtt = MS(1);
	s->trusted = true;
	s->coverage.opaque_reason = "";
	return s;
}

static const struct snap_finding shop_findings[] = {
	{ .id = "a1b2c3d4e5f60718", .rule = RULE_N_PLUS_ONE, .verdict = VERDICT_PROVEN, .level = LEVEL_ERROR, .scope = "GET /orders",
	    .test = "tests/test_orders.py::test_search",
	    .worst = { .rule = RULE_N_PLUS_ONE, .verdict = VERDICT_PROVEN, .repeat = &shapes[1], .source = &shapes[0],
		.column = "orders.customer_id \xe2\x86\x92 customers.id", .source_rows = 50, .executions = 50, .distinct = 50,
		.round_trips = 50, .excess = 49, .busy = MS(41.3), .wasted = MS(40.4),
		.evidence = "50 distinct parameters, median gap 0.3 ms" },
	    .growth = { .state = GROWTH_FITTED, .with_rows = true, .slope = 1, .requests = 4, .least_rows = 1, .most_rows = 50 },
	    .growth_words = "1.00 per row (4 requests, 1 to 50 rows): grows with the rows",
	    .request = 3, .request_number = 4, .seen_in = 3, .of = 4, .executions = 150, .busy = MS(123.9), .excess = 147, .wasted = MS(121),
	    .cost_at_rtt = MS(49), .file = "shop/views/orders.py", .line = 12, .origin = "source_location",
	    .advice = "load the customers of all orders with the list: select_related(\"customer\") on its queryset, or prefetch_related "
		      "where one order has many" },
	{ .id = "0a1b2c3d4e5f6071", .rule = RULE_QUERY_BUDGET, .verdict = VERDICT_PROVEN, .level = LEVEL_ERROR, .scope = "GET /orders",
	    .test = "", .worst = { .rule = RULE_QUERY_BUDGET, .verdict = VERDICT_PROVEN, .column = "", .executions = 53, .excess = 41,
		.evidence = "53 queries, budget 12" },
	    .request = 0, .request_number = 1, .seen_in = 3, .of = 4, .executions = 53, .excess = 41, .file = "rowcall.yaml", .line = 7,
	    .origin = "budget", .advice = "see what else was found in this scope; raise its budget only if every query is meant" },
	{ .id = "b1b2c3d4e5f60718", .rule = RULE_DUPLICATE, .verdict = VERDICT_SUSPECTED, .level = LEVEL_ERROR, .scope = "job MailJob",
	    .test = "tests/test_mail.py::test_digest",
	    .worst = { .rule = RULE_DUPLICATE, .verdict = VERDICT_SUSPECTED, .repeat = &shapes[2], .column = "", .executions = 6,
		.distinct = 1, .round_trips = 6, .excess = 5, .busy = MS(3.1), .wasted = MS(2.6),
		.evidence = "same parameters 6x, the repeats take 26% of the request" },
	    .request = 6, .request_number = 7, .seen_in = 2, .of = 2, .executions = 12, .busy = MS(6.2), .excess = 10, .wasted = MS(5),
	    .cost_at_rtt = MS(5), .file = "tests/test_mail.py", .line = 0, .origin = "test",
	    .advice = "read it once and keep it for the rest of the job" },
	{ .id = "c1b2c3d4e5f60718", .rule = RULE_SLOW_QUERY, .verdict = VERDICT_PROVEN, .level = LEVEL_WARNING, .scope = "GET /reports/sales",
	    .test = "tests/test_reports.py::test_sales",
	    .worst = { .rule = RULE_SLOW_QUERY, .verdict = VERDICT_PROVEN, .repeat = &shapes[4], .column = "", .executions = 1, .distinct = 1,
		.round_trips = 1, .busy = MS(214.3), .evidence = "1 of 1 execution over 100 ms, the slowest 214 ms" },
	    .request = 8, .request_number = 9, .seen_in = 1, .of = 1, .executions = 1, .busy = MS(214.3), .file = "", .origin = "",
	    .advice = "look at its plan (EXPLAIN) and at the indexes its filters can use" },
	{ .id = "d1b2c3d4e5f60718", .rule = RULE_WRITE_LOOP, .verdict = VERDICT_NOTE, .level = LEVEL_NOTE, .scope = "POST /orders", .test = "",
	    .worst = { .rule = RULE_WRITE_LOOP, .verdict = VERDICT_NOTE, .repeat = &shapes[3], .column = "", .executions = 8, .distinct = 8,
		.round_trips = 8, .excess = 7, .busy = MS(5.1), .evidence = "8 single-row writes to audit_log" },
	    .request = 4, .request_number = 5, .seen_in = 1, .of = 2, .executions = 8, .busy = MS(5.1), .cost_at_rtt = MS(7), .file = "",
	    .origin = "", .advice = "write the rows with one statement: bulk_create" },
	{ .id = "e1b2c3d4e5f60718", .rule = RULE_N_PLUS_ONE, .verdict = VERDICT_SUSPECTED, .level = LEVEL_NOTE, .scope = "POST /orders",
	    .test = "", .worst = { .rule = RULE_N_PLUS_ONE, .verdict = VERDICT_SUSPECTED, .repeat = &shapes[2], .column = "",
		.executions = 6, .distinct = 6, .round_trips = 6, .excess = 5, .busy = MS(2.0), .evidence = "6 distinct parameters" },
	    .request = 4, .request_number = 5, .seen_in = 1, .of = 2, .executions = 6, .busy = MS(2.0), .cost_at_rtt = MS(5),
	    .file = "rowcall.yaml", .line = 14, .origin = "budget", .advice = "fetch them together: WHERE key IN (...)",
	    .suppressed = "three sections by layout, until 2027-01-01" },
};

static const struct gate_failure shop_failures[] = {
	{ "query-budget", "GET /orders", "", "GET /orders: 53 queries in one request, budget 12 (3 of 4 requests over)", 12, 53, 0, "rowcall.yaml", 7 },
	{ "duplicate-budget", "job MailJob", "", "job MailJob: 5 duplicate executions in one request, budget 0 (2 of 2 requests over)", 0, 5, 6,
	    "rowcall.yaml", 8 },
	{ "fail-on", "GET /orders", "", "GET /orders: n-plus-one proven: SELECT customers, 50 distinct parameters", NO_LIMIT, 50, 3, "", 0 },
};

struct snapshot *
sample_shop(void)
{
	static const char *const names[] = { "GET /orders", "job MailJob", "POST /orders", "(untagged)", "GET /reports/sales", "GET /health" };
	static const uint32_t first[] = { 0, 1 }, mail[] = { 2 };
	struct snapshot *s = fresh();
	struct snap_request *r = add_requests(s, shop, COUNT(shop));

	s->gated = true;
	s->state = GATE_FAIL;
	s->failures = shop_failures;
	s->nfailures = COUNT(shop_failures);
	s->nallowed = 1;
	s->nupstreams = 2;
	sum_totals(s);
	s->coverage.setup = 4;
	add_tags(s, &r[0]);
	add_shapes(s);
	add_stacks(s);
	add_databases(s, &r[0]);
	s->findings = shop_findings;
	s->nfindings = COUNT(shop_findings);
	for (unsigned i = 0; i < 4; i++)
		if (i != 1)
			r[i].findings = first, r[i].nfindings = 2;
	r[6].findings = r[7].findings = mail;
	r[6].nfindings = r[7].nfindings = 1;

	struct snap_scope *sc = add_scopes(s, names, COUNT(names));

	sc[0].budget = 12;
	sc[0].over = true;
	sc[0].n_plus_one = 1;
	sc[1].budget = sc[2].budget = sc[3].budget = sc[4].budget = sc[5].budget = 50;
	sc[1].over = true;
	return s;
}

struct snapshot *
sample_clean(void)
{
	static const char *const names[] = { "POST /orders", "GET /orders" };
	static const struct demo mended[] = {
		{ "GET /orders", "", "4bf92f3577b34da6a3ce929d0e0e4736", 2, 0, 2.4, 9.0 },
		{ "POST /orders", "", "5bf92f3577b34da6a3ce929d0e0e4736", 9, 0, 6.4, 19.0 },
	};
	struct snapshot *s = fresh();

	add_requests(s, mended, COUNT(mended));
	sum_totals(s);
	add_scopes(s, names, COUNT(names));
	return s;
}

struct snapshot *
sample_untagged(void)
{
	static const char *const names[] = { "(untagged)" };
	static const struct demo calls[] = {
		{ "(untagged)", "", "", 51, 0, 41.0, 60.0 },
		{ "(untagged)", "", "", 1, 0, 0.4, 0.5 },
	};
	struct snap_finding *f;
	struct snapshot *s = fresh();

	s->command = "";
	add_requests(s, calls, COUNT(calls));
	sum_totals(s);
	add_scopes(s, names, 1);
	f = arena_zero(s->arena, 2 * sizeof *f);
	*f = shop_findings[0];
	f->level = LEVEL_WARNING;
	f->scope = "(untagged)";
	f->test = "";
	f->request = 0;
	f->request_number = 1;
	f->seen_in = 1;
	f->of = 2;
	f->executions = 50;
	f->file = "";
	f->line = 0;
	f->origin = "";
	/* The same loop again from another source: alike but for the id. */
	f[1] = f[0];
	memcpy(f[1].id, "a2", 2);
	f[1].verdict = VERDICT_SUSPECTED;
	f[1].worst.source = NULL;
	f[1].worst.column = "";
	f[1].worst.executions = 7;
	s->findings = f;
	s->nfindings = 2;
	return s;
}

struct snapshot *
sample_nothing(void)
{
	static const struct gate_failure none[] = {
		{ "nothing-captured", "", "", "nothing was captured: no client connected to 127.0.0.1:41233 (--allow-empty if that is right)",
		    NO_LIMIT, NO_LIMIT, UINT32_MAX, "", 0 },
	};
	struct snapshot *s = fresh();

	s->trusted = false;
	s->state = GATE_UNUSABLE;
	s->failures = none;
	s->nfailures = 1;
	return s;
}

struct snapshot *
sample_lossy(void)
{
	static const struct gate_failure lost[] = {
		{ "lost", "", "", "1234 events were lost", 0, 1234, UINT32_MAX, "", 0 },
		{ "opaque", "", "", "2 sessions could not be read", 0, 2, UINT32_MAX, "", 0 },
	};
	static const char *const warnings[] = { "rowcall.yaml:14: allow entry matched nothing (n-plus-one, GET /admin/*)" };
	struct snapshot *s = sample_shop();

	s->trusted = false;
	s->state = GATE_UNUSABLE;
	s->failures = lost;
	s->nfailures = COUNT(lost);
	s->incomplete = true;
	s->coverage.lost = 1234;
	s->coverage.opaque_unexpected = 2;
	s->coverage.opaque_reason = "row longer than its message";
	s->coverage.opaque_expected = 1;
	s->coverage.evidence_shed = 88000;
	s->coverage.evicted_requests = 3;
	s->requests_dropped = 12000;
	s->requests_slim = 7;
	s->findings_dropped = 42;
	s->warnings = warnings;
	s->nwarnings = 1;
	return s;
}

static const char *
endless(struct arena *a, size_t n)
{
	char *p = arena_zero(a, n + 1);

	for (size_t i = 0; i < n; i++)
		p[i] = (char)('a' + i % 26);
	return p;
}

struct snapshot *
sample_hostile(void)
{
	static const char escapes[] = "GET /\x1b[2J\x1b[31mred\x07\r\n::error::forged\x7f";
	static const char broken[] = "job \xff\xfe\xc0\xaf\xed\xa0\x80 \xe2\x80\xae" "evil\xe2\x80\xac \xc2\x9b" "31m";
	static const char wide[] = "GET /\xe6\xb3\xa8\xe6\x96\x87/\xc3\xbc" "bersicht \"quoted\" \\ <b>&amp;</b> a|b `t` ``u @team #12 ]]>";
	struct snapshot *s = fresh();
	const char *names[] = { escapes, broken, wide, "::error file=x::forged ##[error]x ::warning::y", endless(s->arena, 700) };
	enum { N = sizeof names / sizeof *names };
	struct demo *d = arena_zero(s->arena, N * sizeof *d);
	struct snap_finding *f = arena_zero(s->arena, N * sizeof *f);
	struct shape *sh = arena_zero(s->arena, sizeof *sh);

	s->gated = true;
	s->state = GATE_FAIL;
	s->command = "sh -c 'printf \x1b]0;title\x07'";
	for (unsigned i = 0; i < N; i++)
		d[i] = (struct demo){ names[i], names[(i + 1) % N], names[(i + 2) % N], 5, 1, 4.0, 9.0 };
	struct snap_request *r = add_requests(s, d, N);
	struct req_tag *t = arena_zero(s->arena, sizeof *t);

	t[0] = (struct req_tag){ escapes, broken };
	r[0].r.tags = t;
	r[0].r.ntags = 1;
	sum_totals(s);
	add_scopes(s, names, N);
	*sh = shapes[1];
	sh->text = "SELECT \"\x1b[31m\xff\" FROM \"t\xe2\x80\xae\" WHERE id = ?";
	for (unsigned i = 0; i < N; i++) {
		f[i] = shop_findings[i % 2 * 2];
		f[i].scope = names[i];
		f[i].test = names[(i + 1) % N];
		f[i].worst.repeat = sh;
		f[i].file = names[(i + 3) % N];
		f[i].request = i;
		f[i].request_number = i + 1;
		f[i].id[0] = (char)('1' + i);
	}
	add_flat_stacks(s, names, N, sh);
	s->findings = f;
	s->nfindings = N;
	return s;
}

struct snapshot *
sample_large(uint32_t n)
{
	struct snapshot *s = fresh();
	struct demo *d = arena_zero(s->arena, n * sizeof *d);
	const char **names = arena_zero(s->arena, n * sizeof *names);
	struct snap_scope *sc = arena_zero(s->arena, n * sizeof *sc);

	for (uint32_t i = 0; i < n; i++) {
		char name[64];

		snprintf(name, sizeof name, "GET /products/%05u/related", i);
		names[i] = arena_strndup(s->arena, span_str(name));
		d[i] = (struct demo){ names[i], "tests/test_products.py::test_all", "", 1 + (n - i) % 97, i % 3, 0.5 + i % 50, 1.0 + i % 90 };
	}
	struct snap_request *r = add_requests(s, d, n);

	for (uint32_t i = 0; i < n; i++) {
		add_tags(s, &r[i]);
		sc[i] = (struct snap_scope){ .name = names[i], .requests = 1, .duplicates = d[i].duplicates, .budget = NO_LIMIT,
			.baseline = NO_LIMIT, .borders_from = FROM_GAP };
		sc[i].queries = (struct pct){ 1, d[i].queries, d[i].queries, d[i].queries, d[i].queries, d[i].queries, d[i].queries };
		sc[i].db = (struct pct){ 1, r[i].db, r[i].db, r[i].db, r[i].db, r[i].db, r[i].db };
	}
	s->scopes = sc;
	s->nscopes = n;
	sum_totals(s);
	add_shapes(s);
	add_flat_stacks(s, names, n, &shapes[1]);
	return s;
}

struct snapshot *
sample_findings(uint32_t n)
{
	struct snapshot *s = sample_large(n);
	struct snap_finding *f = arena_zero(s->arena, n * sizeof *f);

	for (uint32_t i = 0; i < n; i++) {
		f[i] = shop_findings[i % 2 * 2];
		snprintf(f[i].id, sizeof f[i].id, "%016x", i);
		f[i].level = i < n / 2 ? LEVEL_ERROR : LEVEL_WARNING;
		f[i].scope = s->scopes[i].name;
		f[i].request = i;
		f[i].request_number = i + 1;
	}
	s->findings = f;
	s->nfindings = n;
	s->gated = true;
	s->state = GATE_FAIL;
	return s;
}

/* Up to 80 bytes: ASCII, controls, halves of UTF-8 sequences, whole characters, signs with a meaning somewhere. */
static const char *
any_text(struct arena *a, uint64_t *seed)
{
	static const char *const pieces[] = { "\xe2\x86\x92", "\xf0\x9f\x98\x80", "\xe6\xb3\xa8", "\xcc\x81", "::", "##[", "|", "`", "]]>", "@a", "#1",
		"\n", "\x1b[", "\xe2\x80\xae", " ", "SELECT ", " FROM ", "(", ")", "\"", "WHERE", "%0A", "<b>", "\\",
		"</script>", "<!--", "\xe2\x80\xa8", "&lt;", "]]" };
	char *p = arena_zero(a, 700);
	size_t n = 0;

	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	for (unsigned left = *seed >> 33 & 63; left > 0; left--) {
		*seed = *seed * 6364136223846793005u + 1442695040888963407u;
		unsigned r = *seed >> 40 & 255;
		const char *piece = pieces[r % COUNT(pieces)];

		if (*seed >> 50 & 1)
			p[n++] = (char)(r ? r : 1);
		else
			n += (size_t)snprintf(p + n, 10, "%s", piece);
	}
	return p;
}

struct snapshot *
sample_random(uint64_t seed)
{
	enum { N = 4 };
	struct snapshot *s = fresh();
	struct demo *d = arena_zero(s->arena, N * sizeof *d);
	const char *names[N];
	struct snap_finding *f = arena_zero(s->arena, N * sizeof *f);
	struct gate_failure *g = arena_zero(s->arena, N * sizeof *g);

	for (unsigned i = 0; i < N; i++) {
		struct shape *sh = arena_zero(s->arena, sizeof *sh);

		*sh = shapes[i];
		sh->text = any_text(s->arena, &seed);
		sh->summary = any_text(s->arena, &seed);
		names[i] = any_text(s->arena, &seed);
		d[i] = (struct demo){ names[i], any_text(s->arena, &seed), any_text(s->arena, &seed), i, 0, i, i + 1 };
		f[i] = shop_findings[i];
		f[i].scope = names[i];
		f[i].test = d[i].test;
		f[i].file = any_text(s->arena, &seed);
		f[i].advice = any_text(s->arena, &seed);
		f[i].worst.repeat = sh;
		f[i].worst.evidence = any_text(s->arena, &seed);
		f[i].request = i;
		g[i] = (struct gate_failure){ "row-budget", names[i], "", any_text(s->arena, &seed), 1, 2, i, f[i].file, i };
	}
	s->command = any_text(s->arena, &seed);
	add_requests(s, d, N);
	sum_totals(s);
	add_scopes(s, names, N);
	add_flat_stacks(s, names, N, f[0].worst.repeat);
	s->findings = f;
	s->failures = g;
	s->nfindings = s->nfailures = N;
	s->gated = true;
	s->state = GATE_FAIL;
	return s;
}

void
sample_free(struct snapshot *s)
{
	arena_clear(s->arena);
	mem_free(s->arena);
	mem_free(s);
}
