/* SPDX-License-Identifier: Apache-2.0 */
/* duplicate: the same read with the same parameters more than once in one request.
 * A repeat counts when no write to its tables and no transaction border lies between; proven when the results were compared and equal. Where
 * several modules ask, it names them. Questions that differ only by the time of asking written into them are suspected.
 * A note: re-reads (written, another transaction, another result between) and polling. Not a finding: retries after a failure, and reads
 * without a table (sequences, clocks, locks), which may well differ each time. */
#include <inttypes.h>

#include "modules.h"
#include "rule_checks.h"
#include "words.h"

/* How one execution relates to the one before it with the same parameters. */
enum link { LINK_NONE, LINK_SAME, LINK_PROVEN, LINK_TIMED, LINK_WRITTEN, LINK_BORDER, LINK_CHANGED, LINK_POLL, LINK_RETRY, LINKS };

/* What the links of one repeat come to. */
struct links {
	uint32_t n[LINKS];
	uint32_t sets;         /* parameter sets that have a link that counts */
	uint32_t trips;        /* round trips of those executions */
	uint32_t first;        /* first statement of the first such set; else of the first note */
	uint32_t most;         /* executions of the set repeated most */
	uint64_t busy, wasted; /* ns in the counted sets; in their repeats */
	uint64_t poll_gap;     /* ns, the last one */
	struct modules modules; /* that asked, in those executions */
};

static const uint64_t POLL_GAP = 50 * 1000000ull; /* ns between executions from which it may be a poll */

static bool
counts(enum link l)
{
	return l == LINK_SAME || l == LINK_PROVEN || l == LINK_TIMED;
}

static bool
is_candidate(const struct repeat *g)
{
	const struct shape *s = g->shape;

	if (s->cls != SQL_READ || g->executions < 2 || g->distinct == g->executions)
		return false;
	if (stmt_kind(s) != KIND_QUERY || s->verb == SQL_V_EXPLAIN)
		return false;
	return s->ntables > 0 || s->tables_unknown;
}

static enum link
link_of(const struct facts *f, uint32_t p, uint32_t i)
{
	const struct req_stmt *a = &f->r->stmts[p], *b = &f->r->stmts[i];
	bool compared = a->result && b->result && (a->result & 1) == (b->result & 1); /* text with text: see req_stmt.result */

	if (facts_is_retry(f, p, i))
		return LINK_RETRY;
	if (f->write[i] > p + 1)
		return LINK_WRITTEN;
	if (facts_border_between(f, p, i))
		return LINK_BORDER;
	if (compared && a->result != b->result)
		return LINK_CHANGED;
	if ((a->flags | b->flags) & REQ_STMT_TIMED)
		return LINK_TIMED;
	return compared ? LINK_PROVEN : LINK_SAME;
}

/* Three executions in a regular or regularly growing rhythm, with long waits: both links belong to a poll. */
static bool
is_poll(const struct facts *f, uint32_t i)
{
	const struct req_stmt *stmts = f->r->stmts;
	uint32_t p = f->before[i], pp = p == FACTS_NONE ? FACTS_NONE : f->before[p];
	uint64_t now, then;

	if (pp == FACTS_NONE)
		return false;
	now = stmt_gap(&stmts[p], &stmts[i]);
	then = stmt_gap(&stmts[pp], &stmts[p]);
	return now >= POLL_GAP && then >= POLL_GAP && now * 2 <= then * 5 && then * 2 <= now * 5;
}

static void
find_links(const struct facts *f, const struct repeat *g, uint8_t *link)
{
	for (uint32_t i = g->first; i != FACTS_NONE; i = f->next[i]) {
		uint32_t p = f->before[i];

		link[i] = LINK_NONE;
		if (p == FACTS_NONE)
			continue;
		link[i] = (uint8_t)link_of(f, p, i);
		if (is_poll(f, i) && link[i] != LINK_RETRY)
			link[p] = link[i] = LINK_POLL;
	}
}

/* Adds one execution; depth counts the executions of its set so far. */
static void
add_link(struct links *l, const struct facts *f, uint32_t i, enum link kind, uint32_t *depth)
{
	const struct req_stmt *s = &f->r->stmts[i];
	uint32_t p = f->before[i];

	l->n[kind]++;
	depth[i] = 1;
	if (kind == LINK_POLL)
		l->poll_gap = stmt_gap(&f->r->stmts[p], s);
	if (!counts(kind))
		return;
	depth[i] = depth[p] + 1;
	if (depth[i] == 2) {
		if (l->sets++ == 0)
			l->first = p;
		l->busy += f->r->stmts[p].busy;
		l->trips += f->r->stmts[p].round_trips;
		modules_add(&l->modules, f->r, p);
	}
	if (depth[i] > l->most)
		l->most = depth[i];
	l->busy += s->busy;
	l->trips += s->round_trips;
	l->wasted += s->busy;
	modules_add(&l->modules, f->r, i);
}

static const char *
results_evidence(const struct links *l, uint32_t excess, struct arena *a)
{
	if (l->n[LINK_TIMED] == excess)
		return " but for the time of asking";
	if (l->n[LINK_PROVEN] == 0)
		return ", results not compared";
	if (l->n[LINK_PROVEN] == excess)
		return ", same results";
	return arena_printf(a, ", same results in %" PRIu32 " of %" PRIu32, l->n[LINK_PROVEN], excess);
}

static void
add_duplicate(const struct facts *f, const struct repeat *g, const struct links *l, struct arena *a, struct raw_finding **out)
{
	struct raw_finding *found = rule_add(a, out, RULE_DUPLICATE, l->n[LINK_PROVEN] ? VERDICT_PROVEN : VERDICT_SUSPECTED, g);
	const char *share = rule_share(f, a, l->wasted);

	found->excess = l->n[LINK_SAME] + l->n[LINK_PROVEN] + l->n[LINK_TIMED];
	found->executions = found->excess + l->sets;
	found->distinct = l->sets;
	found->round_trips = l->trips;
	found->busy = l->busy;
	found->wasted = l->wasted;
	found->first_stmt = l->first;
	if (l->sets == 1)
		found->evidence = arena_printf(a, "same parameters %" PRIu32 "x%s", l->most, results_evidence(l, found->excess, a));
	else
		found->evidence = arena_printf(a, "%" PRIu32 " parameter sets more than once, one of them %" PRIu32 "x%s", l->sets, l->most,
		    results_evidence(l, found->excess, a));
	if (*share)
		found->evidence = arena_printf(a, "%s, the repeats take %s", found->evidence, share);
	if (l->modules.n > 1) {
		found->across = true;
		found->evidence = arena_printf(a, "%s; %s", found->evidence, modules_words(&l->modules, a));
	}
}

static const char *
note_evidence(const struct links *l, struct arena *a)
{
	if (l->n[LINK_POLL])
		return arena_printf(a, "polled about every %s", words_ns(a, l->poll_gap));
	if (l->n[LINK_CHANGED])
		return "re-read, result changed";
	if (l->n[LINK_WRITTEN])
		return "re-read after a write";
	return "re-read in another transaction";
}

static void
judge(const struct facts *f, const struct repeat *g, uint8_t *link, uint32_t *depth, struct arena *a, struct raw_finding **out)
{
	struct links l = { .first = g->first };
	uint32_t notes;

	find_links(f, g, link);
	for (uint32_t i = g->first; i != FACTS_NONE; i = f->next[i])
		add_link(&l, f, i, (enum link)link[i], depth);
	notes = l.n[LINK_POLL] + l.n[LINK_CHANGED] + l.n[LINK_WRITTEN] + l.n[LINK_BORDER];
	if (l.sets)
		add_duplicate(f, g, &l, a, out);
	else if (notes)
		rule_add(a, out, RULE_DUPLICATE, VERDICT_NOTE, g)->evidence = note_evidence(&l, a);
}

void
rule_duplicate(const struct facts *f, const struct rule_settings *s, struct arena *a, struct raw_finding **out)
{
	(void)s;
	if (f->duplicates == 0 || !f->write)
		return;
	uint8_t *link = arena_zero(a, f->r->nstmts);
	uint32_t *depth = arena_zero(a, f->r->nstmts * sizeof *depth);

	for (uint32_t i = 0; i < f->nrepeats; i++)
		if (is_candidate(&f->repeats[i]))
			judge(f, &f->repeats[i], link, depth, a, out);
}
