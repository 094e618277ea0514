/* SPDX-License-Identifier: Apache-2.0 */
/* rules: the table of all rules, in the order of enum rule_id. See rules.h. */
#include "rules.h"

#include "rule_checks.h"

const struct rule rules[RULES] = {
	[RULE_N_PLUS_ONE] = { "N+1",
	    "One request executes the same query again and again with another value each time, where one query could fetch all.",
	    rule_n_plus_one },
	[RULE_DUPLICATE] = { "DUP",
	    "One request asks the same question twice although nothing it reads was written in between.", rule_duplicate },
	[RULE_WRITE_LOOP] = { "WRITES",
	    "One request writes row after row with statements of their own, where one statement could write many.", rule_write_loop },
	[RULE_SLOW_QUERY] = { "SLOW", "A query kept the client waiting longer than slow.query.", rule_slow_query },
	[RULE_SLOW_REQUEST] = { "SLOW",
	    "A request lasted longer than slow.request from its first statement to its last answer.", rule_slow_request },
	[RULE_LARGE_RESULT] = { "LARGE", "A single result had so many rows or bytes that it should be paged or streamed.",
	    rule_large_result },
	[RULE_IDLE_IN_TRANSACTION] = { "IDLE TX",
	    "A transaction stood open, holding its locks, while the client did something else.", rule_idle_in_transaction },
	[RULE_PREPARE_CHURN] = { "PREPARE",
	    "One request prepares the same statement on one connection again and again, where once would do.", rule_prepare_churn },
	[RULE_QUERY_ERROR] = { "ERROR", "The server refused a statement.", rule_query_error },
	[RULE_CROSS_SCOPE_REPEAT] = { "REPEAT",
	    "Several modules of one request execute the same query, and none sees that the others do; where they even ask the same question, it is a duplicate that names them.",
	    rule_cross_scope_repeat },
	[RULE_QUERY_BUDGET] = { "BUDGET", "A request executed more queries than its budget allows.", NULL },
};

const char *
verdict_name(enum verdict v)
{
	static const char *const names[] = { "proven", "suspected", "note" };

	return names[v];
}

struct rule_settings
rule_settings_default(void)
{
	return (struct rule_settings){
		.n_plus_one_threshold = 5,
		.slow_query = 100 * 1000000ull,
		.slow_request = 1000 * 1000000ull,
		.large_rows = 10000,
		.large_bytes = 8 << 20,
		.idle_in_transaction = 1000 * 1000000ull,
	};
}

/* By first execution, then by rule; the list is short. */
static bool
comes_before(const struct raw_finding *a, const struct raw_finding *b)
{
	return a->first_stmt != b->first_stmt ? a->first_stmt < b->first_stmt : a->rule < b->rule;
}

static struct raw_finding *
merge(struct raw_finding *a, struct raw_finding *b)
{
	struct raw_finding *head = NULL, **tail = &head;

	while (a && b) {
		struct raw_finding **from = comes_before(b, a) ? &b : &a;

		*tail = *from;
		*from = (*from)->next;
		tail = &(*tail)->next;
	}
	*tail = a ? a : b;
	return head;
}

static struct raw_finding *
sort(struct raw_finding *list)
{
	struct raw_finding *slow = list, *fast = list, *second;

	if (!list || !list->next)
		return list;
	while (fast->next && fast->next->next) {
		slow = slow->next;
		fast = fast->next->next;
	}
	second = slow->next;
	slow->next = NULL;
	return merge(sort(list), sort(second));
}

struct raw_finding *
rules_check(const struct facts *f, const struct rule_settings *s, struct arena *a)
{
	struct raw_finding *found = NULL;

	for (int i = 0; i < RULES; i++)
		if (rules[i].check)
			rules[i].check(f, s, a, &found);
	return sort(found);
}
