/* SPDX-License-Identifier: Apache-2.0 */
/* grouping: see grouping.h. Sessions come and go, marks begin and end; every record finds its handler here. */
#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "group.h"
#include "marks.h"

struct grouping *
grouping_new(const struct analyzer_config *cfg, struct request_sink sink)
{
	struct grouping *g = xmem_zero(sizeof *g);

	g->cfg = cfg;
	g->sink = sink;
	g->coverage.opaque_reason = "";
	g->sessions = sessions_new();
	g->clues = cfg->lineage ? clue_box_new() : NULL;
	g->requests = open_requests_new(cfg, sink, g->sessions, &g->coverage, g->clues);
	g->tags = tag_reader_new(cfg->fold, cfg->tag_patterns);
	return g;
}

void
grouping_free(struct grouping *g)
{
	if (!g)
		return;
	for (struct open_stmt *o = g->spare, *next; o; o = next) {
		next = o->next;
		mem_free(o);
	}
	for (int i = 0; i < OPAQUE_REASONS; i++)
		mem_free(g->reasons[i]);
	open_requests_free(g->requests);
	clue_box_free(g->clues);
	sessions_free(g->sessions);
	tag_reader_free(g->tags);
	mem_free(g->test);
	mem_free(g->request);
	mem_free(g);
}

void
grouping_wall(struct grouping *g, int64_t zero_us)
{
	open_requests_wall(g->requests, zero_us);
}

void
grouping_catalog(struct grouping *g, struct catalog *c)
{
	if (g->clues)
		clues_catalog(g->clues, c);
	else
		catalog_free(c);
}

const struct coverage *
grouping_coverage(const struct grouping *g)
{
	return &g->coverage;
}

uint32_t
grouping_open(const struct grouping *g)
{
	return requests_count(g->requests);
}

/* ---- sessions ---- */

/* Its request goes on without it. */
static void
session_end(struct grouping *g, struct session *s, uint64_t t)
{
	follow_lost(g, s, t);
	request_carry(g->requests, s, NULL);
	sessions_remove(g->sessions, s);
}

/* A session whose opening was lost is followed, too. */
static struct session *
session_of(struct grouping *g, const struct rec *h)
{
	struct session *s = sessions_find(g->sessions, h->session);

	if (!s) {
		if (sessions_count(g->sessions) >= LIMIT_SESSIONS)
			session_end(g, sessions_victim(g->sessions), h->t);
		s = sessions_add(g->sessions, h->session);
	}
	s->seen = h->t;
	return s;
}

static void
on_open(struct grouping *g, struct session *s, const struct rec_open *o)
{
	s->upstream = o->upstream;
	s->mysql = o->engine == 1;
	g->coverage.sessions++;
}

static void
on_opaque(struct grouping *g, const struct rec_text *t)
{
	struct span text = span_of(t->text, t->n);

	if (t->h.flags & 1) {
		g->coverage.opaque_expected++;
		return;
	}
	g->coverage.opaque_unexpected++;
	g->coverage.opaque_reason = "other";
	for (int i = 0; i < OPAQUE_REASONS; i++) {
		if (!g->reasons[i])
			g->reasons[i] = xmem_strndup(t->text, text.n);
		if (span_is(text, g->reasons[i])) {
			g->coverage.opaque_reason = g->reasons[i];
			return;
		}
	}
}

/* ---- marks ---- */

static void
set_mark(char **name, struct span value)
{
	mem_free(*name);
	*name = value.n ? xmem_strndup((const char *)value.p, value.n) : NULL;
}

static void
on_mark(struct grouping *g, const struct rec_text *m)
{
	struct span test, request;

	mark_read(m, &test, &request);
	requests_end_mark(g->requests, g->mark++);
	set_mark(&g->test, test);
	set_mark(&g->request, request);
}

/* ---- records ---- */

void
want_catalog(struct grouping *g, const struct session *s, bool changed)
{
	const struct catalog_source *c = &g->cfg->catalogs;

	if (c->wanted && g->clues)
		c->wanted(c->ctx, s->upstream, s->database ? s->database : "", changed);
}

static void
on_columns(struct grouping *g, const struct rec_columns *r)
{
	struct session *s;

	if (!g->clues)
		return;
	clues_columns(g->clues, r);
	s = g->cfg->catalogs.wanted ? sessions_find(g->sessions, r->h.session) : NULL;
	if (s && !clues_knows(g->clues, r, s->upstream, s->database ? s->database : ""))
		want_catalog(g, s, true);
}

static void
on_session_record(struct grouping *g, const struct rec *h)
{
	struct session *s = session_of(g, h);

	switch (h->type) {
	case REC_OPEN:
		on_open(g, s, (const struct rec_open *)h);
		break;
	case REC_CLOSE:
		session_end(g, s, h->t);
		break;
	case REC_FACT:
		settings_fact(g, s, (const struct rec_fact_rec *)h);
		break;
	case REC_START:
		follow_start(g, s, (const struct rec_start *)h);
		break;
	case REC_END:
		follow_end(g, s, (const struct rec_end *)h);
		break;
	case REC_TX:
		follow_tx(g, s, (enum rec_tx)h->flags);
		break;
	case REC_RESET:
		settings_reset(g, s);
		break;
	case REC_PARAMS:
	case REC_ROW:
	case REC_RESULT:
		follow_evidence(g, s, h);
		break;
	case REC_TEXT:
		follow_text(g, s, (const struct rec_values_text *)h);
		break;
	}
}

void
grouping_record(struct grouping *g, const struct rec *h)
{
	grouping_advance(g, h->t);
	switch (h->type) {
	case REC_MARK:
		on_mark(g, (const struct rec_text *)h);
		break;
	case REC_OPAQUE:
		on_opaque(g, (const struct rec_text *)h);
		break;
	case REC_NOTICE:
		g->coverage.notices++;
		break;
	case REC_COLUMNS:
		on_columns(g, (const struct rec_columns *)h);
		break;
	default:
		on_session_record(g, h);
	}
}

void
grouping_advance(struct grouping *g, uint64_t t)
{
	if (t > g->now)
		g->now = t;
	requests_expire(g->requests, g->now);
}

void
grouping_finish(struct grouping *g)
{
	for (uint32_t i = 0; i < sessions_slots(g->sessions); i++) {
		struct session *s = sessions_at(g->sessions, i);

		if (s)
			follow_lost(g, s, g->now);
	}
	requests_close_all(g->requests);
}
