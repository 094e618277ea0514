/* SPDX-License-Identifier: Apache-2.0 */
/* write: the words all formats share: the verdict line, the line of one request, names of states. */
#include "writers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "reports/judge/glob.h"
#include "text.h"

void
scratch_done(struct strbuf *out, struct strbuf *b)
{
	out->cut |= b->cut;
	strbuf_clear(b);
}

void
scratch_reset(struct strbuf *out, struct strbuf *b)
{
	out->cut |= b->cut;
	strbuf_reset(b);
}

bool
scope_shown(const struct write_options *o, const char *scope)
{
	return !o->scope || glob_match(o->scope, scope);
}

bool
finding_counts(const struct snap_finding *f)
{
	return f->level != LEVEL_NOTE && !f->suppressed;
}

/* Rules are declared in order of weight; equal ones keep the snapshot's order. */
static int
by_weight(const void *a, const void *b)
{
	const struct snap_finding *x = *(const struct snap_finding *const *)a, *y = *(const struct snap_finding *const *)b;

	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return (x > y) - (x < y);
}

const struct snap_finding **
findings_worst_first(struct arena *a, const struct snapshot *s)
{
	const struct snap_finding **all = arena_zero(a, s->nfindings * sizeof(*all));

	for (uint32_t i = 0; i < s->nfindings; i++)
		all[i] = &s->findings[i];
	qsort(all, s->nfindings, sizeof(*all), by_weight);
	return all;
}

bool
failure_is_finding(const struct gate_failure *f)
{
	static const char *const kinds[] = { "fail-on", "new-finding", "grown-finding", "expired-finding", NULL };

	for (const char *const *k = kinds; *k; k++)
		if (strcmp(f->kind, *k) == 0)
			return true;
	return strcmp(f->kind, "query-budget") == 0 && *f->scope;
}

uint64_t
requests_seen(const struct snapshot *s)
{
	return s->nrequests + s->requests_dropped;
}

const char *
request_label(const struct request *r, char buf[REQUEST_LABEL])
{
	if (*r->key)
		return r->key;
	snprintf(buf, REQUEST_LABEL, "#%" PRIu64, r->number);
	return buf;
}

const char *
gate_state_name(enum gate_state g)
{
	static const char *const name[] = { "pass", "fail", "unusable" };

	return name[g];
}

const char *
level_name(enum level l)
{
	static const char *const name[] = { "error", "warning", "note" };

	return name[l];
}

void
time_text(int64_t unix_us, char buf[TIME_TEXT])
{
	time_t seconds = (time_t)(unix_us / 1000000);
	struct tm tm;
	size_t n;

	if (!gmtime_r(&seconds, &tm))
		seconds = 0, gmtime_r(&seconds, &tm);
	n = strftime(buf, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, TIME_TEXT - n, ".%03dZ", (int)(unix_us / 1000 % 1000));
}

void
write_verdict_line(const struct snapshot *s, struct strbuf *out)
{
	static const char *const word[] = { "PASS", "FAIL", "UNUSABLE" };
	uint64_t findings = s->findings_dropped;

	for (uint32_t i = 0; i < s->nfindings; i++)
		findings += finding_counts(&s->findings[i]);
	strbuf_printf(out, "rowcall: %s findings=%" PRIu64 " requests=%" PRIu64 " queries=%" PRIu64 "\n", word[s->state], findings,
	    requests_seen(s), s->queries);
}

void
write_request_line(const struct snap_request *r, struct strbuf *out)
{
	char ms[TEXT_TIME];

	strbuf_printf(out, "[SQL] %" PRIu32 " queries (%" PRIu32 " duplicates), %s ms SQL time", r->queries, r->duplicates, text_ms(r->db, ms));
}
