/* SPDX-License-Identifier: Apache-2.0 */
/* gate: budgets, fail-on, allow entries and trust (design: Gate).
 * Does: judge each request as it closes in bounded memory, and the run when a snapshot is made. Never: keeps a request, or decides an exit
 * status. */
#ifndef ROWCALL_GATE_H
#define ROWCALL_GATE_H

#include "collector.h"
#include "finding.h"
#include "gate_ratchet.h"
#include "tally.h"

/* What budgets limit; each is a kind of failure. */
enum budget_kind {
	BUDGET_QUERIES, BUDGET_N_PLUS_ONE, BUDGET_DUPLICATES, BUDGET_WRITE_LOOPS, BUDGET_ROWS, BUDGET_BYTES, BUDGET_TRANSACTION,
	BUDGETS
};

/* One (scope or test, kind) that went over. */
struct violation {
	const char *name;	/* scope or test; lives as long as the gate */
	bool test;
	enum budget_kind kind;
	int64_t limit, worst;
	uint32_t line;		/* of the budget in rowcall.yaml; 0 = from a flag */
	uint64_t request;	/* number of the worst request */
	uint64_t over;		/* requests over (scopes) */
};

/* Sums over one test. */
struct test_sum {
	const char *name;
	int32_t budget;		/* index into budgets, or -1 */
	int64_t value[BUDGETS];	/* sums; BUDGET_TRANSACTION: the longest */
	uint64_t requests, worst_request;
	int64_t worst_queries;
};

struct gate {
	const struct gate_config *cfg;	/* borrowed */
	struct arena names;
	struct keymap violation_keys, test_keys, scope_keys;
	struct violation *violations;
	struct test_sum *tests;
	int32_t *scope_budgets;		/* by scope_keys: index into budgets, or -1 */
	uint32_t nviolations, violations_cap, ntests, tests_cap, nscopes, scopes_cap;
	bool *allow_used;
	struct ratchet ratchet;
	uint64_t judged_requests, judged_queries;
	uint64_t unjudged;		/* judgements that did not fit into the tables */
	bool test_budgets;		/* there are any */
};

/* cfg must outlive the gate. */
void gate_init(struct gate *g, const struct gate_config *cfg);
void gate_clear(struct gate *g);
/* Judges by another configuration from now on; what was judged by the old one is forgotten, but for totals and what the ratchet measured. */
void gate_restart(struct gate *g, const struct gate_config *cfg);

/* Somebody asked for a gate. */
bool gate_asked(const struct gate_config *cfg);
/* The gate looks at requests like this one. */
bool gate_judges(const struct gate *g, const struct request *r);
/* Write loops count as findings in this request, as somebody set a budget for them. */
bool gate_counts_writes(struct gate *g, const struct request *r);
/* Index of the first allow entry for the finding that has a reason and has not expired, or -1; the entry counts as used. */
int32_t gate_allow(struct gate *g, enum rule_id rule, const char *scope, const struct shape *shape);
/* The entry names this shape (any shape when it names none). */
bool allow_names_shape(const struct allow *a, const struct shape *shape);
/* It has a reason and has not expired. */
bool allow_in_force(const struct gate_config *cfg, const struct allow *a);
/* Limit of that kind; NO_LIMIT. */
int64_t budget_limit(const struct budget *b, enum budget_kind k);
/* Judges one request; its raw findings with `allowed` final. */
void gate_request(struct gate *g, const struct facts *f, const struct raw_finding *found);
/* max_queries that binds the scope (budget or --max-queries); NO_LIMIT. *line as in violation. */
int64_t gate_max_queries(struct gate *g, const char *scope, uint32_t *line);

/* ---- the verdict over everything ---- */

struct gate_run {		/* what is judged; all borrowed */
	const struct findings *findings;
	const struct tally *tally;
	const struct run_info *run;
};

/* One failure to be: request as a number, 0 = none. */
struct gate_result {
	struct gate_failure f;
	uint64_t request;
	enum rule_id rule;	/* findings of this rule in its scope or test explain it; RULES = none does */
	uint64_t over, of;	/* budgets of a scope: requests over, requests of the scope */
	uint32_t finding;	/* the finding that failed; UINT32_MAX */
	bool trust;		/* the capture cannot be trusted */
	struct gate_result *next;
};

/* Failures in order: trust, the whole run, scopes, tests, the baseline, findings. Texts live in the arena or as long as the gate. */
struct gate_result *gate_judge(struct gate *g, const struct gate_run *run, struct arena *a);
/* The baseline holds this finding, and it has not grown: it does not count. *why (in the arena, may be NULL) says so. */
bool gate_recorded(const struct gate *g, const struct finding *f, const char *scope, struct arena *a, const char **why);
/* Sentences about allow entries, the baseline and what was not kept; *n of them, in the arena. */
const char *const *gate_warnings(const struct gate *g, const struct gate_run *run, struct arena *a, uint32_t *n);
/* Id of a kind of failure: "query-budget", ...; the rule it limits, or RULES. */
const char *budget_kind_name(enum budget_kind k);
enum rule_id budget_kind_rule(enum budget_kind k);

#endif
