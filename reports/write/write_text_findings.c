/* SPDX-License-Identifier: Apache-2.0 */
/* write_text_findings: each finding as a card: where, what ran before, what repeats, why we say so, what it costs, what to do. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fingerprint/shapes.h"
#include "finding_words.h"
#include "text.h"
#include "write_text.h"

enum { LABEL = 4, BODY = 12, SHOWN = 20, TREE_DEPTH = 8 };

/* Scopes by name, so that ten thousand findings find theirs quickly. */
struct scope_index {
	const struct snap_scope **by_name;
	uint32_t n;
};

static int
by_name(const void *a, const void *b)
{
	return strcmp((*(const struct snap_scope *const *)a)->name, (*(const struct snap_scope *const *)b)->name);
}

static struct scope_index
index_scopes(struct arena *a, const struct snapshot *s)
{
	struct scope_index x = { arena_zero(a, s->nscopes * sizeof *x.by_name), s->nscopes };

	for (uint32_t i = 0; i < s->nscopes; i++)
		x.by_name[i] = &s->scopes[i];
	qsort(x.by_name, x.n, sizeof *x.by_name, by_name);
	return x;
}

static const struct snap_scope *
find_scope(const struct scope_index *x, const char *name)
{
	const struct snap_scope key = { .name = name }, *k = &key, **hit;

	hit = bsearch(&k, x->by_name, x->n, sizeof *x->by_name, by_name);
	return hit ? *hit : NULL;
}

static void
label(struct page *p, enum ink ink, const char *word)
{
	page_to(p, LABEL);
	page_put(p, ink, "%s", word);
	page_to(p, BODY);
}

/* How sure the finding is; "" where a rule only measures. */
static const char *
certainty(const struct snap_finding *f)
{
	if (f->suppressed)
		return "  allowed";
	if (f->verdict == VERDICT_NOTE)
		return "  note";
	if (f->rule != RULE_N_PLUS_ONE && f->rule != RULE_DUPLICATE)
		return "";
	return f->verdict == VERDICT_PROVEN ? "  proven" : "  suspected";
}

static void
put_head(struct page *p, const struct snap_finding *f, const struct snap_scope *sc, unsigned number)
{
	char right[96] = "";
	bool over = false;

	if (sc) {
		over = sc->budget != NO_LIMIT && (int64_t)sc->queries.max > sc->budget;
		snprintf(right, sizeof right, sc->budget == NO_LIMIT ? "%" PRIu64 " quer%s" : "%" PRIu64 " quer%s, budget %" PRId64,
		    sc->queries.max, sc->queries.max == 1 ? "y" : "ies", sc->budget);
	}
	page_put(p, INK_BAD, "%s", f->level == LEVEL_ERROR ? "!" : " ");
	page_put(p, INK_PLAIN, "%-2u ", number);
	page_put(p, rule_ink(f->rule), "%s", rules[f->rule].title);
	page_put(p, INK_DIM, "%s", certainty(f));
	page_put(p, INK_PLAIN, "  ");
	page_name(p, INK_BOLD, f->scope, p->width - p->col - 2 - (unsigned)strlen(right), CUT_MIDDLE);
	page_right(p, over ? INK_RED : INK_PLAIN, "%s", right);
	page_line(p);
}

static void
put_shape(struct page *p, const char *word, const struct shape *sh, const char *right)
{
	unsigned taken = *right ? page_columns(p, right) + 2 : 0;
	char id[9];

	if (!sh)
		return;
	label(p, INK_DIM, word);
	shape_short(sh->fingerprint, id);
	page_put(p, INK_DIM, "%s", id);
	page_put(p, INK_PLAIN, "  ");
	page_sql(p, sh->text, p->width - p->col - taken);
	page_right(p, INK_PLAIN, "%s", right);
	page_line(p);
}

static void
put_shapes(struct page *p, const struct raw_finding *w)
{
	char right[96], t[TEXT_TIME];

	snprintf(right, sizeof right, "%" PRIu64 " row%s", w->source_rows, plural(w->source_rows));
	put_shape(p, "source", w->source, right);
	snprintf(right, sizeof right, "%" PRIu32 "x  %s", w->executions, text_time(w->busy, t));
	put_shape(p, w->executions > 1 ? "repeat" : "query", w->repeat, right);
}

/* One labelled text, wrapped; nothing when the text is empty. */
static void
put_text(struct page *p, enum ink ink, const char *word, struct strbuf *text)
{
	if (text->n > 0) {
		label(p, ink, word);
		page_wrap(p, INK_PLAIN, "%s", strbuf_cstr(text));
	}
	scratch_reset(p->out, text);
}

/* On one line, to be copied. */
static void
put_command(struct page *p, const struct snapshot *s, const struct snap_finding *f)
{
	if (!s->values_in || f->rule != RULE_N_PLUS_ONE || f->worst.repeat->cls != SQL_READ)
		return;
	label(p, INK_DIM, "check");
	page_put(p, INK_CYAN, "rowcall fix %s%s%s", f->id, *s->values_in ? " " : "", s->values_in);
	page_line(p);
}

static void
put_texts(struct page *p, const struct snapshot *s, const struct snap_finding *f)
{
	struct strbuf text;

	strbuf_init(&text, 64 << 10);
	finding_reason(&text, f);
	put_text(p, INK_DIM, finding_reason_label(f), &text);
	finding_inside(&text, s, f);
	put_text(p, INK_DIM, "inside", &text);
	finding_growth(&text, f, p->o->all || p->o->wide);
	put_text(p, INK_DIM, "growth", &text);
	finding_cost(&text, s, f);
	put_text(p, INK_DIM, "cost", &text);
	finding_seen(&text, s, f);
	put_text(p, INK_DIM, "seen", &text);
	strbuf_str(&text, f->advice ? f->advice : "");
	put_text(p, INK_GOOD, "fix", &text);
	put_command(p, s, f);
	strbuf_str(&text, f->suppressed ? f->suppressed : "");
	put_text(p, INK_DIM, "allowed", &text);
	page_spent(p, &text);
}

/* The file first, alone at its place where it fits, so that terminals make it a link. */
static void
put_place(struct page *p, const struct snap_finding *f)
{
	struct strbuf b;

	if (!f->file || !*f->file)
		return;
	strbuf_init(&b, 64 << 10);
	strbuf_str(&b, f->file);
	if (f->line > 0)
		strbuf_printf(&b, ":%" PRIu32, f->line);
	label(p, INK_DIM, "where");
	if (p->col + page_columns(p, strbuf_cstr(&b)) <= p->width) {
		page_put(p, INK_BOLD, "%s", strbuf_cstr(&b));
		if (p->col + 2 + page_columns(p, f->origin) + 7 <= p->width && *f->origin)
			page_right(p, INK_DIM, "(from %s)", f->origin);
		page_line(p);
	} else
		page_wrap(p, INK_BOLD, "%s", strbuf_cstr(&b));
	page_spent(p, &b);
}

/* The loops inside f, each under the one whose rows it runs over. */
static void
put_branches(struct page *p, const struct snapshot *s, const struct snap_finding *f, unsigned depth)
{
	for (uint32_t i = 0; i < s->nfindings && depth < TREE_DEPTH; i++) {
		const struct snap_finding *in = &s->findings[i];

		if (finding_parent(s, in) != f)
			continue;
		page_to(p, BODY + 2 * depth);
		page_put(p, INK_PLAIN, "%s  %" PRIu32 "x", in->worst.repeat->summary, in->worst.executions);
		page_line(p);
		put_branches(p, s, in, depth + 1);
	}
}

/* On the card of the outermost loop: what runs over which rows. */
static void
put_tree(struct page *p, const struct snapshot *s, const struct snap_finding *f)
{
	if (f->parent || !f->worst.source || !f->outer)
		return;
	label(p, INK_DIM, "tree");
	page_put(p, INK_PLAIN, "%s  %" PRIu64 " row%s", f->worst.source->summary, f->worst.source_rows, plural(f->worst.source_rows));
	page_line(p);
	page_to(p, BODY + 2);
	page_put(p, INK_PLAIN, "%s  %" PRIu32 "x", f->worst.repeat->summary, f->worst.executions);
	page_line(p);
	put_branches(p, s, f, 2);
}

static void
put_finding(struct page *p, const struct snapshot *s, const struct snap_finding *f, const struct snap_scope *sc, unsigned number)
{
	page_blank(p);
	put_head(p, f, sc, number);
	put_place(p, f);
	put_shapes(p, &f->worst);
	put_tree(p, s, f);
	put_texts(p, s, f);
}

/* Shown at all, short of `all`: not one for the reader to act on, or in a scope that was not asked for. */
static bool
wanted(const struct page *p, const struct snap_finding *f)
{
	return scope_shown(p->o, f->scope) && (p->o->all || finding_counts(f));
}

/* Marks the scopes that have a card of another rule than query-budget: such a card tells the overrun in its head. */
static bool *
told_scopes(struct page *p, const struct snapshot *s, const struct scope_index *x, struct arena *a)
{
	bool *told = arena_zero(a, s->nscopes * sizeof *told);

	for (uint32_t i = 0; i < s->nfindings; i++) {
		const struct snap_finding *f = &s->findings[i];
		const struct snap_scope *sc = f->rule != RULE_QUERY_BUDGET && wanted(p, f) ? find_scope(x, f->scope) : NULL;

		if (sc)
			told[sc - s->scopes] = true;
	}
	return told;
}

void
text_findings(struct page *p, const struct snapshot *s)
{
	struct arena a = { 0 };
	struct scope_index x = index_scopes(&a, s);
	const struct snap_finding **all = findings_worst_first(&a, s);
	bool *told = told_scopes(p, s, &x, &a);
	uint64_t shown = 0, more = s->findings_dropped;

	for (uint32_t i = 0; i < s->nfindings; i++) {
		const struct snap_finding *f = all[i];
		const struct snap_scope *sc = find_scope(&x, f->scope);

		if (!wanted(p, f) || (f->rule == RULE_QUERY_BUDGET && (!p->o->all || (sc && told[sc - s->scopes]))))
			continue;
		if (!p->o->all && shown == SHOWN)
			more++;
		else
			put_finding(p, s, f, sc, (unsigned)++shown);
	}
	if (more > 0) {
		p->hid = true;
		page_blank(p);
		page_put(p, INK_DIM, "    ... %" PRIu64 " more finding%s%s", more, plural(more), p->o->all ? " not kept" : " (--all)");
		page_line(p);
	}
	arena_clear(&a);
}
