/* SPDX-License-Identifier: Apache-2.0 */
/* verify: see verify.h. Runs the look-ups and their batched form. */
#include "verify_part.h"

#include <stdio.h>

#include "fingerprint/mem.h"
#include "plan.h"
#include "reports/requests/keymap.h"
#include "step.h"

enum { RUNS = 1000, WARM_NS = 3000000000 };	/* executions run; a second, warm round only when the first took no longer */

static bool
give_up(struct bench *b, const char *what, const struct side_problem *p)
{
	bool late = strcmp(p->code, "57014") == 0 || strcmp(p->code, "1969") == 0 || strcmp(p->code, "3024") == 0;
	bool denied = strcmp(p->code, "42501") == 0 || strcmp(p->code, "1142") == 0 || strcmp(p->code, "1143") == 0 || strcmp(p->code, "1044") == 0;
	bool absent = strcmp(p->code, "42P01") == 0 || strcmp(p->code, "1146") == 0;

	b->r->state = FIX_NOT_VERIFIABLE;
	b->r->why = arena_printf(b->a, "%s: %s%s", what, p->text,
	    late ? " (it took longer than --statement-timeout)" : denied ? " (this account may not read the table)" :
	    absent ? " (the table is not there: was it made for the run only?)" : "");
	return false;
}

/* ---- running ---- */

static uint64_t
name_of(struct span bytes)
{
	return sql_hash(bytes);
}

/* All executions once; the rows of each key's first one are kept when keep. */
static bool
run_originals(struct bench *b, bool keep, uint64_t *ns)
{
	const struct verify_job *job = b->job;
	struct rewrite *w = &b->r->rewrite;
	uint32_t key = 0, n = job->nexecs < RUNS ? job->nexecs : RUNS;

	*ns = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct fix_exec *e = &job->execs[i];
		bool first = key < w->nkeys && w->keys[key].exec == i;
		struct side_problem p;
		struct side_rows rows;

		if (!step_query(b->s, arena_strndup(&b->bytes, e->text), e->params, e->nparams, &rows, &p))
			return give_up(b, "the look-up as it was recorded failed", &p);
		*ns += rows.ns;
		b->ncolumns = rows.ncolumns;
		for (uint32_t row = 0; keep && first && row < rows.n; row++)
			if (!verify_keep_row(b, &b->before, &rows, row, rows.ncolumns, key)) {
				side_rows_clear(&rows);
				return false;
			}
		key += first;
		side_rows_clear(&rows);
	}
	b->r->ran = n;
	/* Keys whose first execution was not run are left out. */
	if (keep) {
		while (w->nkeys > 0 && w->keys[w->nkeys - 1].exec >= n)
			w->nkeys--;
		b->r->keys = w->nkeys;
	}
	return true;
}

/* Rows of the batched form go to the key that the server prints for them; UINT32_MAX: to none. */
static bool
run_batched(struct bench *b, bool keep, uint64_t *ns)
{
	struct rewrite *w = &b->r->rewrite;
	struct side_rows rows, keys = { .n = 0 };
	struct keymap known = { 0 };
	uint32_t at, *key_of;
	struct side_problem p;
	bool kept = true;

	if (!step_query(b->s, w->sql, w->params, w->nparams, &rows, &p))
		return give_up(b, "the batched form failed", &p);
	*ns = rows.ns;
	at = rows.ncolumns - w->ncolumns - (strcmp(w->form, "ROW_NUMBER") == 0);
	if (!keep || at != b->ncolumns || !verify_ask_keys(b, rows.columns + at, &keys)) {
		bool fits = at == b->ncolumns;

		if (keep) {
			b->r->state = FIX_NOT_VERIFIABLE;
			b->r->why = fits ? "the server cannot say how its keys look as values of their column" : "the batched form has other columns";
		}
		side_rows_clear(&rows);
		return !keep;
	}
	key_of = xmem_zero((w->nkeys + 1) * sizeof *key_of);
	for (uint32_t k = 0; k < w->nkeys; k++) {
		uint32_t before = known.n, slot;
		struct span bytes = verify_key(b, &keys, 0, k * w->ncolumns, rows.columns + at);

		/* Two keys that look alike as values of the column are one there. */
		slot = keymap_add(&known, name_of(bytes), UINT32_MAX);
		if (slot == before)
			key_of[slot] = k;
	}
	for (uint32_t i = 0; i < rows.n && kept; i++) {
		uint32_t slot = keymap_find(&known, name_of(verify_key(b, &rows, i, at, rows.columns + at)));

		kept = verify_keep_row(b, &b->after, &rows, i, at, slot == KEYMAP_NONE ? UINT32_MAX : key_of[slot]);
	}
	mem_free(key_of);
	keymap_clear(&known);
	side_rows_clear(&keys);
	side_rows_clear(&rows);
	return kept;
}

/* ---- all of it ---- */

static bool
prepare_session(struct bench *b, struct side_problem *p)
{
	uint8_t modes = b->job->execs[0].lang.modes;

	if (b->job->target.engine == ENGINE_MYSQL && (modes & SQL_MODE_ANSI_QUOTES) &&
	    !side_query(b->s, "SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')", NULL, 0, NULL, p))
		return false;
	if (b->job->target.engine == ENGINE_MYSQL && (modes & SQL_MODE_NO_BACKSLASH) &&
	    !side_query(b->s, "SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES')", NULL, 0, NULL, p))
		return false;
	return side_guard(b->s, b->job->timeout, p);
}

static void
measure(struct bench *b)
{
	uint64_t before, after;

	if (!run_originals(b, true, &b->r->ns_before) || !run_batched(b, true, &b->r->ns_after))
		return;
	verify_compare(b);
	if (b->r->state == FIX_NOT_VERIFIABLE && b->r->rewrite.without_limit) { /* LIMIT did cut rows off: there is no such form */
		b->r->rewrite.sql = NULL;
		b->r->ns_after = 0;
		return;
	}
	if (b->r->ns_before > WARM_NS)
		return;
	/* Again, now that all pages are warm for both. */
	if (run_originals(b, false, &before) && run_batched(b, false, &after)) {
		b->r->ns_before = before;
		b->r->ns_after = after;
	}
}

/* The look-up reads all of its table, and would even if that were forbidden. */
static bool
lacks_index(struct bench *b, const struct fix_exec *e, const struct fix_plan *plan)
{
	struct fix_plan forced;
	struct side_problem p;

	for (uint32_t i = 0; i < plan->nscans; i++) {
		if (!plan->scans[i].whole)
			continue;
		if (b->job->target.engine == ENGINE_MYSQL)
			return !plan->scans[i].possible;
		if (!side_query(b->s, "SET LOCAL enable_seqscan = off", NULL, 0, NULL, &p))
			return false;
		plan_ask(b->s, arena_strndup(b->a, e->text), e->params, e->nparams, b->a, &forced);
		for (uint32_t k = 0; k < forced.nscans; k++)
			if (forced.scans[k].whole)
				return true;
		return false;
	}
	return false;
}

static void
ask_plans(struct bench *b)
{
	const struct verify_job *job = b->job;
	struct fix_result *r = b->r;
	const struct rewrite *w = &r->rewrite;
	const struct fix_exec *e = &job->execs[0];

	if (job->source) {
		r->has_source = true;
		plan_ask(b->s, arena_strndup(b->a, job->source->text), job->source->params, job->source->nparams, b->a, &r->source);
	}
	plan_ask(b->s, arena_strndup(b->a, e->text), e->params, e->nparams, b->a, &r->child);
	if (w->sql)
		plan_ask(b->s, w->sql, w->params, w->nparams, b->a, &r->batched);
	if (w->look_up.nconditions > 0 && lacks_index(b, e, &r->child))
		r->index = rewrite_index(&w->look_up, e->lang, w->key_conditions, w->ncolumns, b->a);
}

void
verify(const struct verify_job *job, struct fix_result *r, struct arena *a)
{
	struct bench b = { .job = job, .r = r, .a = a };
	struct side_problem p;

	b.s = side_open(&job->target, &p);
	if (!b.s || !prepare_session(&b, &p)) {
		r->state = FIX_NOT_VERIFIABLE;
		r->why = arena_printf(b.a, "no connection to the database: %s", p.text);
		side_close(b.s);
		return;
	}
	if (job->batch && !r->rewrite.why && rewrite_build(&r->rewrite, &job->execs[0], verify_unique(&b), a))
		measure(&b);
	else if (r->rewrite.why)
		r->why = r->rewrite.why;
	ask_plans(&b);
	side_close(b.s);
	arena_clear(&b.bytes);
	mem_free(b.before.v);
	mem_free(b.after.v);
}
