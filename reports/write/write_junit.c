/* SPDX-License-Identifier: Apache-2.0 */
/* write_junit: JUnit XML in the dialect that Jenkins, GitLab, CircleCI, Azure and Buildkite all read.
 * One test case per scope (its query budget; it passes when nothing is said about it, so that trends have all scopes), one per finding,
 * one for the capture, one per other failure of the gate. What failed the gate fails, what is allowed is skipped, other findings pass and
 * carry their evidence. Names are unique, as readers drop the second of two equals. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fingerprint/arena.h"
#include "fingerprint/shapes.h"
#include "finding_words.h"
#include "writers.h"
#include "xml.h"

struct suite {
	struct strbuf *out;
	const struct snapshot *s;
	const struct write_options *o;
	const struct gate_failure **by_scope;	/* sorted by scope, then kind */
	const bool *ambiguous;			/* by finding */
	uint64_t tests, failures, errors, skipped;
};

static int
failure_order(const void *a, const void *b)
{
	const struct gate_failure *x = *(const struct gate_failure *const *)a, *y = *(const struct gate_failure *const *)b;
	int order = strcmp(x->scope, y->scope);

	return order ? order : strcmp(x->kind, y->kind);
}

static const struct gate_failure *
failure_of(const struct suite *u, const char *scope, const char *kind)
{
	const struct gate_failure key = { .scope = scope, .kind = kind }, *k = &key, **hit;

	hit = bsearch(&k, u->by_scope, u->s->nfailures, sizeof *u->by_scope, failure_order);
	return hit ? *hit : NULL;
}

/* `<testcase classname=… name=…`, not yet closed. classname is "rowcall" and what the case is about. */
static void
open_case(struct suite *u, const char *about, const char *name, uint64_t ns)
{
	struct strbuf class;

	strbuf_init(&class, 64 << 10);
	strbuf_printf(&class, "rowcall%s%s", *about ? "." : "", about);
	strbuf_str(u->out, "  <testcase");
	xml_attr(u->out, "classname", strbuf_cstr(&class));
	xml_attr(u->out, "name", name);
	xml_attr_seconds(u->out, "time", ns);
	scratch_done(u->out, &class);
	u->tests++;
}

static void
end_case(struct suite *u, const char *element, const char *type, const char *message, struct span lines)
{
	strbuf_printf(u->out, ">\n   <%s", element);
	if (type)
		xml_attr(u->out, "type", type);
	xml_attr(u->out, "message", message);
	strbuf_char(u->out, '>');
	xml_lines(u->out, lines);
	strbuf_printf(u->out, "</%s>\n  </testcase>\n", element);
}

static void
end_failed(struct suite *u, const char *type, const char *message, struct span lines)
{
	u->failures++;
	end_case(u, "failure", type, message, lines);
}

static void
pass_case(struct suite *u)
{
	strbuf_str(u->out, "/>\n");
}

/* ---- the cases ---- */

/* Failures that make the capture worthless name no scope and no test and leave the state unusable. */
static bool
about_capture(const struct suite *u, const struct gate_failure *f)
{
	static const char *const kinds[] = { "nothing-captured", "lost", "opaque", "incomplete", "unjudged", "upstream" };

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(f->kind, kinds[i]) == 0)
			return !u->s->trusted;
	return false;
}

static void
capture_case(struct suite *u)
{
	struct strbuf why;

	strbuf_init(&why, 64 << 10);
	for (uint32_t i = 0; i < u->s->nfailures; i++)
		if (about_capture(u, &u->s->failures[i]))
			strbuf_printf(&why, "%s%s", why.n ? "; " : "", u->s->failures[i].message);
	open_case(u, "", "capture", u->s->duration);
	if (u->s->trusted)
		pass_case(u);
	else {
		u->errors++;
		end_case(u, "error", "capture", why.n ? strbuf_cstr(&why) : "the capture cannot be trusted", span_str(""));
	}
	scratch_done(u->out, &why);
}

/* Named by its kind, unique for a scope or test; complaints about the configuration by their place. */
static void
open_failure(struct suite *u, const struct gate_failure *f)
{
	struct strbuf about, name;

	strbuf_init(&about, 64 << 10);
	strbuf_init(&name, 64 << 10);
	strbuf_printf(&about, "%s%s", *f->test ? "test " : f->scope, f->test);
	strbuf_str(&name, f->kind);
	if (!*f->scope && !*f->test && f->line)
		strbuf_printf(&name, " %s:%" PRIu32, f->file, f->line);
	open_case(u, strbuf_cstr(&about), strbuf_cstr(&name), 0);
	scratch_done(u->out, &about);
	scratch_done(u->out, &name);
}

/* Failures told by no other case: totals, other budgets, budgets of tests. */
static void
failure_cases(struct suite *u)
{
	for (uint32_t i = 0; i < u->s->nfailures; i++) {
		const struct gate_failure *f = &u->s->failures[i];
		bool told = about_capture(u, f) || failure_is_finding(f);

		if (told || (*f->scope && !scope_shown(u->o, f->scope)))
			continue;
		open_failure(u, f);
		end_failed(u, f->kind, f->message, span_str(""));
	}
}

static void
scope_cases(struct suite *u)
{
	for (uint32_t i = 0; i < u->s->nscopes; i++) {
		const struct snap_scope *sc = &u->s->scopes[i];
		const struct gate_failure *f = sc->over ? failure_of(u, sc->name, "query-budget") : NULL;

		if (!scope_shown(u->o, sc->name))
			continue;
		open_case(u, sc->name, "query-budget", sc->db.total);
		if (f)
			end_failed(u, "query-budget", f->message, span_str(""));
		else
			pass_case(u);
	}
}

/* Same scope, rule and repeated shape: the same name but for the id. Zero when alike. */
static int
name_order(const struct snap_finding *f, const struct snap_finding *g)
{
	uint64_t x = f->worst.repeat ? f->worst.repeat->fingerprint : 0, y = g->worst.repeat ? g->worst.repeat->fingerprint : 0;

	if (f->rule != g->rule)
		return f->rule < g->rule ? -1 : 1;
	if (x != y)
		return x < y ? -1 : 1;
	return strcmp(f->scope, g->scope);
}

static int
by_name_then_place(const void *a, const void *b)
{
	const struct snap_finding *f = *(const struct snap_finding *const *)a, *g = *(const struct snap_finding *const *)b;
	int order = name_order(f, g);

	return order ? order : (f > g) - (f < g);
}

/* Marks findings whose name an earlier one has: theirs needs the id to be unique. */
static const bool *
find_ambiguous(struct arena *a, const struct snapshot *s)
{
	const struct snap_finding **all = arena_zero(a, s->nfindings * sizeof(*all));
	bool *ambiguous = arena_zero(a, s->nfindings * sizeof *ambiguous);

	for (uint32_t i = 0; i < s->nfindings; i++)
		all[i] = &s->findings[i];
	qsort(all, s->nfindings, sizeof(*all), by_name_then_place);
	for (uint32_t i = 1; i < s->nfindings; i++)
		ambiguous[all[i] - s->findings] = name_order(all[i - 1], all[i]) == 0;
	return ambiguous;
}

static void
open_finding(struct suite *u, uint32_t index)
{
	const struct snap_finding *f = &u->s->findings[index];
	char name[64], shape[9] = "";

	if (f->worst.repeat)
		shape_short(f->worst.repeat->fingerprint, shape);
	snprintf(name, sizeof name, "%s%s%s%s%s", rule_names[f->rule], *shape ? " " : "", shape, u->ambiguous[index] ? " " : "",
	    u->ambiguous[index] ? f->id : "");
	open_case(u, f->scope, name, f->worst.busy);
	if (*f->file) {
		xml_attr(u->out, "file", f->file);
		if (f->line)
			xml_attr_uint(u->out, "line", f->line);
	}
}

static void
finding_case(struct suite *u, uint32_t index)
{
	const struct snap_finding *f = &u->s->findings[index];
	struct strbuf sentence, lines;

	strbuf_init(&sentence, 64 << 10);
	strbuf_init(&lines, 256 << 10);
	finding_sentence(&sentence, f);
	finding_lines(&lines, u->s, f);
	open_finding(u, index);
	if (f->suppressed) {
		u->skipped++;
		scratch_reset(u->out, &sentence);
		strbuf_printf(&sentence, "allowed: %s", f->suppressed);
		end_case(u, "skipped", NULL, strbuf_cstr(&sentence), span_str(""));
	} else if (f->level == LEVEL_ERROR)
		end_failed(u, rule_names[f->rule], strbuf_cstr(&sentence), strbuf_span(&lines));
	else {
		strbuf_str(u->out, ">\n   <system-out>");
		xml_text(u->out, strbuf_cstr(&sentence));
		strbuf_char(u->out, '\n');
		xml_lines(u->out, strbuf_span(&lines));
		strbuf_str(u->out, "</system-out>\n  </testcase>\n");
	}
	scratch_done(u->out, &sentence);
	scratch_done(u->out, &lines);
}

static void
finding_cases(struct suite *u)
{
	for (uint32_t i = 0; i < u->s->nfindings; i++) {
		const struct snap_finding *f = &u->s->findings[i];
		bool wanted = f->level != LEVEL_NOTE || f->suppressed || u->o->all;

		if (wanted && f->rule != RULE_QUERY_BUDGET && scope_shown(u->o, f->scope))
			finding_case(u, i);
	}
}

/* ---- around them ---- */

static void
add_totals(struct strbuf *out, const struct suite *u)
{
	xml_attr_uint(out, "tests", u->tests);
	xml_attr_uint(out, "failures", u->failures);
	xml_attr_uint(out, "errors", u->errors);
	xml_attr_uint(out, "skipped", u->skipped);
	xml_attr_seconds(out, "time", u->s->duration);
}

static void
add_property(struct strbuf *out, const char *name, const char *value)
{
	strbuf_str(out, "   <property");
	xml_attr(out, "name", name);
	xml_attr(out, "value", value);
	strbuf_str(out, "/>\n");
}

static void
add_head(struct strbuf *out, const struct suite *u)
{
	char started[TIME_TEXT];

	time_text(u->s->started_us, started);
	started[strcspn(started, ".")] = '\0';	/* strict readers take neither fraction nor zone */
	strbuf_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"rowcall\"");
	add_totals(out, u);
	strbuf_str(out, ">\n <testsuite name=\"rowcall\"");
	add_totals(out, u);
	xml_attr(out, "timestamp", started);
	strbuf_str(out, ">\n  <properties>\n");
	add_property(out, "rowcall.version", u->s->version);
	add_property(out, "rowcall.command", u->s->command);
	add_property(out, "rowcall.gate", gate_state_name(u->s->state));
	strbuf_str(out, "  </properties>\n");
}

void
write_junit(const struct snapshot *s, const struct write_options *o, struct strbuf *out)
{
	struct arena a = { 0 };
	struct strbuf cases;
	struct suite u = { .out = &cases, .s = s, .o = o, .by_scope = arena_zero(&a, s->nfailures * sizeof *u.by_scope) };

	for (uint32_t i = 0; i < s->nfailures; i++)
		u.by_scope[i] = &s->failures[i];
	qsort(u.by_scope, s->nfailures, sizeof *u.by_scope, failure_order);
	u.ambiguous = find_ambiguous(&a, s);
	strbuf_init(&cases, out->max);
	capture_case(&u);
	failure_cases(&u);
	scope_cases(&u);
	finding_cases(&u);
	add_head(out, &u);
	strbuf_add(out, strbuf_span(&cases));
	strbuf_str(out, " </testsuite>\n</testsuites>\n");
	scratch_done(out, &cases);
	arena_clear(&a);
}
