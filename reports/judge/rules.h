/* SPDX-License-Identifier: Apache-2.0 */
/* rules: one rule, one file: a title, a sentence of help, a pure function from a closed request to raw findings.
 * Does: list the rules and what they return. Never: does I/O, reads a clock, remembers anything between requests. */
#ifndef ROWCALL_RULES_H
#define ROWCALL_RULES_H

#include "facts.h"
#include "reports/requests/rule_names.h"

enum verdict { VERDICT_PROVEN, VERDICT_SUSPECTED, VERDICT_NOTE };

struct rule_settings {
	uint32_t n_plus_one_threshold;		/* distinct parameter sets, or single-row writes */
	uint64_t slow_query, slow_request;	/* ns; 0 = off */
	uint64_t large_rows, large_bytes;	/* of one result; 0 = off */
	uint64_t idle_in_transaction;		/* ns; 0 = off */
};
/* What applies when nobody says otherwise: threshold 5, 100 ms, 1 s, 10 000 rows, 8 MiB, 1 s. */
struct rule_settings rule_settings_default(void);

/* Why a statement was prepared again. */
enum prepare_cause { PREPARE_SAME_TEXT, PREPARE_LITERALS, PREPARE_COMMENTS };

/* What a rule says about one request. Lives in the arena. */
struct raw_finding {
	enum rule_id rule;
	enum verdict verdict;
	const struct shape *repeat;	/* the shape it is about; NULL for whole-request findings */
	const struct shape *source;	/* where the parameters came from; NULL when not known */
	const struct shape *list;	/* without a source: the list that was read last before it, which it may run over; NULL */
	const char *column;		/* "orders.customer_id → customers.id"; "" when not known */
	uint64_t source_rows;
	uint32_t executions, distinct, round_trips;
	uint32_t excess;		/* executions a fix would save: what `duplicates` budgets count */
	uint64_t busy;			/* ns in the executions */
	uint64_t wasted;		/* ns a fix would save */
	uint32_t first_stmt;		/* index of the first execution in the request; of the worst one for slow-query and large-result */
	bool across;			/* duplicate: several modules ask, so that --fail-on cross-scope-repeat means it, too */
	uint8_t cause;			/* prepare-churn: enum prepare_cause */
	bool allowed;			/* every execution carries a rowcall_allow tag that names the rule */
	const char *evidence;		/* one line in words: "50 distinct parameters, median gap 0.3 ms" */
	struct raw_finding *next;
};

struct rule {
	const char *title;		/* "N+1", "DUP", ... for the console */
	const char *help;		/* one sentence */
	/* Puts in front of *out (in the arena) what it finds. NULL for what is judged elsewhere (query-budget: the gate). */
	void (*check)(const struct facts *f, const struct rule_settings *s, struct arena *a, struct raw_finding **out);
};

extern const struct rule rules[RULES];
/* All rules over one request, findings in order of the first execution. */
struct raw_finding *rules_check(const struct facts *f, const struct rule_settings *s, struct arena *a);
const char *verdict_name(enum verdict v);	/* "proven", "suspected", "note" */

#endif
