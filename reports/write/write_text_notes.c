/* SPDX-License-Identifier: Apache-2.0 */
/* write_text_notes: the foot of the page: totals, what the reader must know about the capture, and the commands to try next. */
#include <inttypes.h>

#include "text.h"
#include "write_text.h"

void
text_totals(struct page *p, const struct snapshot *s)
{
	char t[TEXT_TIME], u[TEXT_TIME];

	if (s->coverage.statements == 0 && s->queries == 0)
		return;
	page_blank(p);
	page_wrap(p, INK_BOLD, "[SQL] %" PRIu64 " queries (%" PRIu64 " duplicates), %s ms SQL time, %s ms wall", s->queries, s->duplicates,
	    text_ms(s->db, t), text_ms(s->duration, u));
}

static void __attribute__((format(printf, 2, 3)))
note(struct page *p, const char *fmt, ...)
{
	va_list ap;
	struct strbuf b;

	strbuf_init(&b, 16 << 10);
	va_start(ap, fmt);
	strbuf_vprintf(&b, fmt, ap);
	va_end(ap);
	page_put(p, INK_YELLOW, "note");
	page_put(p, INK_PLAIN, "  ");
	page_wrap(p, INK_PLAIN, "%s", strbuf_cstr(&b));
	page_spent(p, &b);
}

static void
note_tags(struct page *p, const struct snapshot *s)
{
	const struct coverage *c = &s->coverage;
	char n[TEXT_COUNT], m[TEXT_COUNT];
	uint64_t inferred = 0;

	for (uint32_t i = 0; i < s->nrequests; i++)
		inferred += s->requests[i].r.borders_from >= FROM_TRANSACTION;
	if (c->queries > 0 && c->tagged == 0)
		note(p, "no query says which request it belongs to: requests are told apart by transactions and pauses (~)");
	else if (c->tagged < c->queries)
		note(p, "%.0f%% of the queries carry a tag (%s of %s)", 100.0 * (double)c->tagged / (double)c->queries, text_count(c->tagged, n),
		    text_count(c->queries, m));
	if (inferred > 0 && c->tagged > 0)
		note(p, "borders are inferred (~) for %s of %s requests: from transactions and pauses, not from tags", text_count(inferred, n),
		    text_count(requests_seen(s), m));
}

static void
note_capture(struct page *p, const struct snapshot *s)
{
	const struct coverage *c = &s->coverage;
	char n[TEXT_COUNT];

	if (c->lost > 0)
		note(p, "%s events were lost: counts are too low", text_count(c->lost, n));
	if (c->opaque_unexpected > 0)
		note(p, "%s session%s could not be read to the end%s%s: what they sent was forwarded, not inspected",
		    text_count(c->opaque_unexpected, n), plural(c->opaque_unexpected), c->opaque_reason && *c->opaque_reason ? ", " : "",
		    c->opaque_reason ? c->opaque_reason : "");
	if (c->opaque_expected > 0)
		note(p, "%s session%s passed through unread by design (replication, encrypted end to end)", text_count(c->opaque_expected, n),
		    plural(c->opaque_expected));
	if (c->evidence_shed > 0)
		note(p, "evidence is partial: %s pieces were left out under load, so proofs may be missing", text_count(c->evidence_shed, n));
	if (s->incomplete)
		note(p, "the recording was never finished: this is a part of the run");
}

static void
note_limits(struct page *p, const struct snapshot *s)
{
	char n[TEXT_COUNT];

	if (s->requests_dropped > 0)
		note(p, "%s requests are counted but not kept one by one", text_count(s->requests_dropped, n));
	if (s->requests_slim > 0)
		note(p, "%s requests are kept without their statements", text_count(s->requests_slim, n));
	for (uint32_t i = 0; i < s->nwarnings; i++)
		note(p, "%s", s->warnings[i]);
}

static bool
any_scope_shown(const struct page *p, const struct snapshot *s)
{
	for (uint32_t i = 0; i < s->nscopes; i++)
		if (scope_shown(p->o, s->scopes[i].name))
			return true;
	return false;
}

void
text_notes(struct page *p, const struct snapshot *s)
{
	page_blank(p);
	if (p->o->scope && !any_scope_shown(p, s))
		note(p, "no scope of this run matches \"%s\"; verdict and totals are of the whole run", p->o->scope);
	else if (p->o->scope)
		note(p, "only scopes that match \"%s\" are shown; verdict and totals are of the whole run", p->o->scope);
	note_tags(p, s);
	note_capture(p, s);
	note_limits(p, s);
}

/* ---- next ---- */

static bool
when_nothing(const struct page *p, const struct snapshot *s)
{
	(void)p;
	return requests_seen(s) == 0;
}

/* Counts that do not depend on the machine: what a gate is best begun with. */
static bool
worth_failing(const struct snap_finding *f)
{
	return finding_counts(f) && (f->rule == RULE_N_PLUS_ONE || f->rule == RULE_DUPLICATE);
}

static bool
when_found(const struct page *p, const struct snapshot *s)
{
	(void)p;
	for (uint32_t i = 0; i < s->nfindings; i++)
		if (!s->gated && worth_failing(&s->findings[i]))
			return true;
	return false;
}

static bool
when_clean(const struct page *p, const struct snapshot *s)
{
	for (uint32_t i = 0; i < s->nfindings; i++)
		if (finding_counts(&s->findings[i]))
			return false;
	return !s->gated && !when_nothing(p, s);
}

/* Only what the baseline does not hold: budgets and rules stay what they are. */
static bool
when_ratcheted(const struct page *p, const struct snapshot *s)
{
	static const char *const kinds[] = { "baseline-queries", "new-finding", "grown-finding" };

	(void)p;
	for (uint32_t i = 0; i < s->nfailures; i++)
		for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
			if (strcmp(s->failures[i].kind, kinds[k]) == 0)
				return true;
	return false;
}

/* A loop of look-ups whose values were not recorded, so that rowcall fix cannot run them. */
static bool
when_unrecorded(const struct page *p, const struct snapshot *s)
{
	(void)p;
	for (uint32_t i = 0; i < s->nfindings; i++)
		if (!s->values_in && finding_counts(&s->findings[i]) && s->findings[i].rule == RULE_N_PLUS_ONE &&
		    s->findings[i].worst.repeat->cls == SQL_READ)
			return true;
	return false;
}

static bool
when_untagged(const struct page *p, const struct snapshot *s)
{
	(void)p;
	return s->coverage.queries > 0 && s->coverage.tagged * 2 < s->coverage.queries;
}

static bool
when_hid(const struct page *p, const struct snapshot *s)
{
	(void)s;
	return p->hid;
}

static bool
when_seen(const struct page *p, const struct snapshot *s)
{
	return !when_nothing(p, s);
}

/* Hints, in order; only commands and flags that exist. One that begins with "--" continues the command that ran. $RULES: rules that
 * found something; $MOST: the most queries any one request made. */
static const struct hint {
	bool (*when)(const struct page *p, const struct snapshot *s);
	const char *what, *command;
} hints[] = {
	{ when_nothing, "find the database", "rowcall help run" },
	{ when_found, "fail on these", "--fail-on $RULES" },
	{ when_clean, "keep it so", "--fail-on n-plus-one --max-queries $MOST" },
	{ when_ratcheted, "accept it", "rowcall report --update-baseline --allow-increase" },
	{ when_unrecorded, "check a fix", "--record-values" },
	{ when_untagged, "name what runs", "rowcall mark NAME" },
	{ when_hid, "show everything", "--all" },
	{ when_seen, "in a browser", "--report html:rowcall.html" },
	{ when_seen, "for machines", "--report json:rowcall.json" },
};

static uint64_t
most_queries(const struct snapshot *s)
{
	uint64_t most = 0;

	for (uint32_t i = 0; i < s->nscopes; i++)
		most = s->scopes[i].queries.max > most ? s->scopes[i].queries.max : most;
	return most;
}

static void
add_found_rules(struct strbuf *b, const struct snapshot *s)
{
	bool found[RULES] = { false };
	const char *comma = "";

	for (uint32_t i = 0; i < s->nfindings; i++)
		found[s->findings[i].rule] |= worth_failing(&s->findings[i]);
	for (unsigned r = 0; r < RULES; r++)
		if (found[r]) {
			strbuf_printf(b, "%s%s", comma, rule_names[r]);
			comma = ",";
		}
}

/* True when the words can be pasted into a shell as they are. */
static bool
pasteable(const char *command)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _./:=@%+,-";

	return *command && strlen(command) <= 60 && strspn(command, safe) == strlen(command);
}

static void
add_command(struct strbuf *b, const struct snapshot *s, const char *command, const char *child)
{
	const char *dollar = strchr(command, '$');
	bool flags = *command == '-';

	if (flags)
		strbuf_str(b, *s->command ? "rowcall run " : "rowcall proxy ");
	strbuf_add(b, span_of(command, dollar ? (size_t)(dollar - command) : strlen(command)));
	if (dollar && strcmp(dollar, "$MOST") == 0)
		strbuf_printf(b, "%" PRIu64, most_queries(s));
	else if (dollar && strcmp(dollar, "$RULES") == 0)
		add_found_rules(b, s);
	if (flags && *s->command)
		strbuf_printf(b, " -- %s", child);
	else if (flags)
		strbuf_str(b, " ...");
}

/* On one line, to be copied: beside its purpose where there is room, else below it. */
static void
put_hint(struct page *p, const struct snapshot *s, const struct hint *h)
{
	struct strbuf b;

	strbuf_init(&b, 4096);
	add_command(&b, s, h->command, pasteable(s->command) ? s->command : "COMMAND");
	if (8 + b.n > p->width) {
		scratch_reset(p->out, &b);
		add_command(&b, s, h->command, "COMMAND");
	}
	page_to(p, 6);
	page_put(p, INK_PLAIN, "%s", h->what);
	if (29 + b.n > p->width) {
		page_line(p);
		page_to(p, 8);
	} else
		page_to(p, 29);
	page_wrap(p, INK_CYAN, "%s", strbuf_cstr(&b));
	page_spent(p, &b);
}

void
text_next(struct page *p, const struct snapshot *s)
{
	const char *word = "next";

	page_blank(p);
	for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
		if (!hints[i].when(p, s))
			continue;
		page_put(p, INK_BOLD, "%s", word);
		put_hint(p, s, &hints[i]);
		word = "";
	}
}
