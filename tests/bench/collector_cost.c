/* SPDX-License-Identifier: Apache-2.0 */
/* collector_cost: what a closed request costs the collector (facts, rules, tallies, gate, one copy), per statement, and a snapshot of
 * everything. Prints one line per kind of request; compares nothing. Build with optimisation to believe it. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "../unit/req_builder.h"
#include "reports/judge/collector.h"

struct kind {
	const char *name, *text;
	uint32_t times;
};

static const struct kind kinds[] = {
	{ "one point select", "scope a\n1 row 1ms | SELECT * FROM a WHERE id = 1\n", 200000 },
	{ "five in a transaction",
	    "scope a\ntx 1 | BEGIN\n1 row tx 1 | SELECT * FROM a WHERE id = 1\n1 row tx 1 | SELECT * FROM b WHERE id = 1\n"
	    "tx 1 affected 1 | UPDATE a SET n = 1 WHERE id = 1\ntx 1 | COMMIT\n",
	    100000 },
	{ "N+1 of 50", "scope a\n50 rows 1ms | SELECT * FROM o\nloop 1..50\n1 row 1ms | SELECT * FROM a WHERE id = %i\nend\n", 20000 },
	{ "50 duplicates", "scope a\nloop 1..50\n1 row 1ms | SELECT * FROM a WHERE id = 1\nend\n", 20000 },
	{ "20 000 look-ups", "scope a\nloop 1..20000\n1 row 1ms | SELECT * FROM a WHERE id = %i\nend\n", 50 },
	{ "5 000 of three shapes",
	    "scope a\nloop 1..5000\n1 row 1ms | SELECT * FROM a WHERE id = %i\n| SELECT * FROM b WHERE id = %i\n"
	    "affected 1 | UPDATE c SET x = 1 WHERE id = %i\nend\n",
	    50 },
};

static double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct collector *
new_collector(void)
{
	struct collector_config cfg = { .rules = rule_settings_default(),
		.gate = { .max_queries = NO_LIMIT,
		    .max_total_queries = NO_LIMIT,
		    .inferred = true,
		    .config_file = "",
		    .today = "2026-01-01" },
		.rtt = 1000000 };

	return collector_new(&cfg);
}

static bool
measure(const struct kind *kind)
{
	struct req_builder *b = req_builder_new();
	struct request r = *req_build(b, kind->text);
	struct run_info run = { .version = "", .command = "", .coverage = { .opaque_reason = "" } };
	struct collector *c = new_collector();
	double fed, shown;

	if (!c)
		return false;
	fed = now_ns();
	for (uint32_t i = 0; i < kind->times; i++) {
		collector_request(c, &r);
		r.number++;
	}
	fed = now_ns() - fed;
	shown = now_ns();
	snapshot_free(collector_snapshot(c, &run));
	shown = now_ns() - shown;
	printf("%-24s %6" PRIu32 " statements %8.0f ns per request %6.1f ns per statement; snapshot %.1f ms\n", kind->name, r.nstmts,
	    fed / kind->times, fed / kind->times / r.nstmts, shown / 1e6);
	collector_free(c);
	req_builder_free(b);
	return true;
}

int
main(void)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (!measure(&kinds[i]))
			return 1;
	return 0;
}
