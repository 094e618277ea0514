/* SPDX-License-Identifier: Apache-2.0 */
/* write_text_verdict: the head of the page: the verdict in a word and a sentence, why, and what was looked at. */
#include <inttypes.h>

#include "text.h"
#include "write_text.h"

enum { INDENT = 6, FAILURES_SHOWN = 8 };

static void
put_word(struct page *p, const char *word)
{
	enum ink ink = strcmp(word, "PASS") == 0 ? INK_GOOD : strcmp(word, "FOUND") == 0 ? INK_WARN : INK_BAD;

	page_put(p, ink, "%s", word);
	page_put(p, INK_PLAIN, "  ");
}

static void
put_sentence(struct page *p, const struct snapshot *s, const struct sums *c)
{
	struct strbuf b;

	strbuf_init(&b, 4096);
	verdict_sentence(&b, s, c);
	page_wrap(p, INK_BOLD, "%s", strbuf_cstr(&b));
	page_spent(p, &b);
}

/* What the sentence left out on purpose. */
static void
put_aside(struct page *p, const struct snapshot *s, const struct sums *c)
{
	bool hidden = !p->o->all && c->notes + s->nallowed > 0;

	if (c->notes + s->nallowed == 0)
		return;
	p->hid |= hidden;
	page_to(p, INDENT);
	if (s->nallowed > 0)
		page_put(p, INK_DIM, "%" PRIu32 " finding%s allowed%s", s->nallowed, plural(s->nallowed), c->notes ? ", " : "");
	if (c->notes > 0)
		page_put(p, INK_DIM, "%" PRIu64 " note%s", c->notes, plural(c->notes));
	page_put(p, INK_DIM, "%s", hidden ? " (shown with --all)" : "");
	page_line(p);
}

/* Budgets, totals and what is wrong with the capture; a rule to fail on is told by the cards of its findings. */
static void
put_failures(struct page *p, const struct snapshot *s)
{
	uint32_t shown = 0, more = 0;
	char n[TEXT_COUNT];

	for (uint32_t i = 0; i < s->nfailures; i++) {
		const struct gate_failure *f = &s->failures[i];

		if (strcmp(f->kind, "fail-on") == 0)
			continue;
		if (!p->o->all && shown == FAILURES_SHOWN) {
			more++;
			continue;
		}
		shown++;
		page_to(p, INDENT - 2);
		page_put(p, INK_RED, "- ");
		if (f->file && *f->file)
			page_wrap(p, INK_PLAIN, "%s, set in %s:%" PRIu32, f->message, f->file, f->line);
		else
			page_wrap(p, INK_PLAIN, "%s", f->message);
	}
	if (more > 0) {
		p->hid = true;
		page_to(p, INDENT);
		page_put(p, INK_DIM, "... %s more (--all)", text_count(more, n));
		page_line(p);
	}
}

static void
put_about(struct page *p, const struct snapshot *s)
{
	char n[TEXT_COUNT], m[TEXT_COUNT], t[TEXT_TIME];
	struct strbuf b;

	strbuf_init(&b, 64 << 10);
	strbuf_printf(&b, "rowcall %s", s->version);
	if (*s->command)
		strbuf_printf(&b, "  run \"%s\"", s->command);
	strbuf_printf(&b, "  %s request%s, %s quer%s in %s", text_count(requests_seen(s), n), plural(requests_seen(s)),
	    text_count(s->queries, m), s->queries == 1 ? "y" : "ies", text_time(s->duration, t));
	page_to(p, INDENT);
	page_wrap(p, INK_DIM, "%s", strbuf_cstr(&b));
	page_spent(p, &b);
	for (uint32_t i = 0; i < s->nupstreams; i++) {
		page_to(p, INDENT);
		page_wrap(p, INK_DIM, "%s", s->upstreams[i]);
	}
}

void
text_verdict(struct page *p, const struct snapshot *s)
{
	struct sums c = verdict_sums(s);

	put_word(p, verdict_word(s, &c));
	put_sentence(p, s, &c);
	put_failures(p, s);
	put_aside(p, s, &c);
	put_about(p, s);
}
