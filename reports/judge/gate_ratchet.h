/* SPDX-License-Identifier: Apache-2.0 */
/* gate_ratchet: what scopes do in their median request, against what the baseline recorded.
 * Does: gather, per scope, queries of each request and executions of each repeated shape in bounded memory; compare medians. A finding is
 * counted over the requests that have it; where only the first of three or more requests of a scope has it, caches were being warmed and it
 * is not judged. Never: judges time, notes, allowed findings, or requests the gate leaves out. Part of the gate (gate.h). */
#ifndef ROWCALL_GATE_RATCHET_H
#define ROWCALL_GATE_RATCHET_H

#include "baseline.h"
#include "histogram.h"
#include "reports/requests/keymap.h"

struct ratchet_scope {
	const char *name;
	struct counts queries;		/* per request */
	uint64_t first;			/* lowest number of its requests */
};

struct ratchet_finding {
	uint32_t scope;
	enum rule_id rule;
	const struct shape *shape;
	struct counts executions;	/* per request that has it, without the one of the lowest number: */
	uint64_t low_number, low;	/* that request's number and executions */
	uint64_t pending;		/* of the request at hand */
};

struct ratchet {
	struct arena names;
	struct keymap scope_keys, finding_keys;
	struct ratchet_scope *scopes;
	struct ratchet_finding *findings;
	uint32_t nscopes, scopes_cap, nfindings, findings_cap;
};

void ratchet_clear(struct ratchet *r);
/* The baseline holds findings of this rule. */
bool ratchet_judges(enum rule_id rule);
/* One request; found: its raw findings with `allowed` final. Returns how many of them, or of the request itself, found no room. */
uint32_t ratchet_request(struct ratchet *r, const struct request *request, int64_t queries, const struct raw_finding *found);
/* What was gathered, as a baseline. The caller frees it. */
struct baseline *ratchet_measures(const struct ratchet *r) __attribute__((warn_unused_result));

enum ratchet_state {
	RATCHET_NONE,		/* nothing to judge: not ratcheted, not seen where the gate looks */
	RATCHET_WARM_UP,	/* only in the first request */
	RATCHET_COVERED,	/* recorded, and not grown */
	RATCHET_NEW, RATCHET_GROWN, RATCHET_EXPIRED,
};

struct ratchet_word {
	enum ratchet_state state;
	int64_t now;				/* median */
	uint64_t requests;			/* it is over */
	const struct baseline_finding *entry;	/* NULL: not recorded */
};

/* today: as in gate_config. */
struct ratchet_word ratchet_finding(const struct ratchet *r, const struct baseline *b, const char *today, const char *scope,
    enum rule_id rule, const struct shape *shape);

#endif
