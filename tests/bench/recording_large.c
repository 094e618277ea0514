/* SPDX-License-Identifier: Apache-2.0 */
/* recording_large: writes a recording of STATEMENTS statements through the store, as a run of a few hours would leave it, for measuring
 * what rendering it takes:  recording_large FILE [STATEMENTS];  /usr/bin/time -v rowcall report FILE
 * Prints what writing cost. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "../unit/req_builder.h"
#include "reports/store/store.h"

/* Requests of a web shop; the numbers differ from one to the next, so that hardly two are alike. */
static const char *const kinds[] = {
	"scope GET /orders\ntag framework=django:4.2\n50 rows 1.9ms result 7 site shop/views.py:11 | SELECT * FROM orders WHERE user_id = 7 LIMIT 50\n"
	"loop 1..50\n1 row 0.8ms result 9 site shop/views.py:14 | SELECT * FROM customers WHERE id = %i\nend\n",
	"scope GET /customers\ntag framework=django:4.2\n30 rows 2ms | SELECT * FROM customers WHERE region = 4\n1 row | SELECT count(*) FROM customers\n"
	"1 row | SELECT * FROM users WHERE id = 3\n1 row | SELECT * FROM sessions WHERE token = 'x'\n",
	"scope POST /orders\nlane shop\nlane audit\ntx 1 | BEGIN\nloop 1..9\naffected 1 tx 1 | INSERT INTO lines (order_id, n) VALUES (1, %i)\nend\n"
	"affected 1 tx 1 | UPDATE stock SET n = n - 1 WHERE id = 5\ntx 1 | COMMIT\naffected 1 lane 1 | INSERT INTO log (a) VALUES (1)\n",
	"scope GET /home\nloop 1..6\n1 row 0.4ms result 3 | SELECT * FROM settings WHERE name = 'theme'\nend\n3 rows | SELECT * FROM news LIMIT 3\n",
};
enum { KINDS = sizeof kinds / sizeof *kinds, MOST_STATEMENTS = 64 };

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A copy that came later, took another time, and asked for other values. */
static struct request
vary(const struct request *from, struct req_stmt *stmts, uint64_t number, uint32_t *random)
{
	struct request r = *from;

	r.number = number;
	r.start += number * 40000000;
	r.end += number * 40000000;
	r.wall_start_us += (int64_t)number * 40000;
	r.stmts = stmts;
	for (uint32_t i = 0; i < r.nstmts && i < MOST_STATEMENTS; i++) {
		*random = *random * 1664525 + 1013904223;
		stmts[i] = from->stmts[i];
		stmts[i].busy += *random >> 12;
		stmts[i].params = stmts[i].params ? stmts[i].params + number : 0;
		stmts[i].result = stmts[i].result ? stmts[i].result + number : 0;
	}
	return r;
}

static void
write_large(struct store *s, uint64_t statements, uint64_t *requests)
{
	struct req_builder *b = req_builder_new();
	const struct request *made[KINDS];
	struct req_stmt stmts[MOST_STATEMENTS];
	uint32_t random = 1;

	*requests = 0;
	for (int i = 0; i < KINDS; i++)
		made[i] = req_build(b, kinds[i]);
	for (uint64_t n = 0; n < statements;) {
		const struct request r = vary(made[*requests % KINDS], stmts, *requests + 1, &random);

		store_request(s, &r);
		n += r.nstmts;
		++*requests;
	}
	/* The builder holds the shapes, which the store's thread may still be writing: it goes with the process. */
}

int
main(int argc, char **argv)
{
	uint64_t statements = argc > 2 ? strtoull(argv[2], NULL, 10) : 5000000, requests;
	struct snapshot end = { .coverage = { .opaque_reason = "" } };
	static const char *const upstreams[] = { "127.0.0.1:5432" };
	double from = seconds();
	struct rusage used;
	struct store *s;
	char err[500];

	if (argc < 2) {
		fprintf(stderr, "usage: recording_large FILE [STATEMENTS]\n");
		return 2;
	}
	s = store_open(argv[1], "recording_large", 1795000000000000, upstreams, 1, false, err, sizeof err);
	if (!s) {
		fprintf(stderr, "%s\n", err);
		return 1;
	}
	store_patient(s);
	write_large(s, statements, &requests);
	end.coverage.statements = end.coverage.queries = statements;
	end.coverage.requests = requests;
	if (!store_finish(s, &end, err, sizeof err)) {
		fprintf(stderr, "%s\n", err);
		return 1;
	}
	getrusage(RUSAGE_SELF, &used);
	printf("%" PRIu64 " statements in %" PRIu64 " requests: %.1f s, %.0f MB at most\n", statements, requests, seconds() - from,
	    (double)used.ru_maxrss / 1024);
	return 0;
}
