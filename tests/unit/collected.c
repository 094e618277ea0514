/* SPDX-License-Identifier: Apache-2.0 */
/* collected: see collected.h. */
#include "collected.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fingerprint/mem.h"

static const char *const upstreams[] = { "127.0.0.1:5432" };

struct collected *
collected_new(void)
{
	struct collected *c = xmem_zero(sizeof *c);

	c->b = req_builder_new();
	c->cfg = (struct collector_config){ .rules = rule_settings_default(),
		.gate = { .max_queries = NO_LIMIT,
		    .max_total_queries = NO_LIMIT,
		    .inferred = true,
		    .config_file = "rowcall.yaml",
		    .today = "2026-11-21" },
		.rtt = 1000000,
		.upstreams = upstreams,
		.nupstreams = 1 };
	c->run = (struct run_info){ .version = "0.1.0",
		.command = "pytest -q",
		.started_us = 1795000000000000,
		.duration = 4200000000,
		.upstreams = upstreams,
		.nupstreams = 1,
		.coverage = { .sessions = 1, .opaque_reason = "" } };
	return c;
}

void
collected_free(struct collected *c)
{
	snapshot_free(c->s);
	collector_free(c->c);
	req_builder_free(c->b);
	mem_free(c);
}

static void
start(struct collected *c)
{
	if (!c->c)
		c->c = collector_new(&c->cfg);
	assert_non_null(c->c);
}

const struct request *
collected_add(struct collected *c, const char *text)
{
	const struct request *r = req_build(c->b, text);

	start(c);
	c->run.coverage.statements += r->nstmts;
	for (uint32_t i = 0; i < r->nstmts; i++)
		c->run.coverage.queries += stmt_kind(r->stmts[i].shape) == KIND_QUERY;
	c->run.coverage.requests++;
	collector_request(c->c, r);
	return r;
}

const struct snapshot *
collected_snapshot(struct collected *c)
{
	start(c);
	snapshot_free(c->s);
	c->s = collector_snapshot(c->c, &c->run);
	assert_non_null(c->s);
	return c->s;
}

const struct gate_failure *
collected_failure(const struct snapshot *s, const char *kind)
{
	const struct gate_failure *found = NULL;

	for (uint32_t i = 0; i < s->nfailures; i++) {
		if (strcmp(s->failures[i].kind, kind) != 0)
			continue;
		assert_null(found);
		found = &s->failures[i];
	}
	return found;
}

const struct snap_finding *
collected_finding(const struct snapshot *s, enum rule_id rule)
{
	for (uint32_t i = 0; i < s->nfindings; i++)
		if (s->findings[i].rule == rule)
			return &s->findings[i];
	return NULL;
}
