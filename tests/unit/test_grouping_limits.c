/* SPDX-License-Identifier: Apache-2.0 */
/* Grouping at its limits and one past them, and under a storm of random records: every statement comes out exactly once. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "reports/requests/grouping.h"
#include "reports/requests/marks.h"

enum { MS = 1000000 };

static const struct shape shapes[] = {
	{ .cls = SQL_READ, .verb = SQL_V_SELECT, .text = "q" }, { .cls = SQL_CONTROL, .verb = SQL_V_BEGIN, .text = "BEGIN" },
	{ .cls = SQL_CONTROL, .verb = SQL_V_COMMIT, .text = "COMMIT" }, { .cls = SQL_CONTROL, .verb = SQL_V_ROLLBACK, .text = "ROLLBACK" },
	{ .cls = SQL_SETUP, .verb = SQL_V_SET, .text = "SET" }, { .cls = SQL_CONTROL, .verb = SQL_V_SAVEPOINT, .text = "SAVEPOINT" },
	{ .cls = SQL_CONTROL, .verb = SQL_V_ROLLBACK_TO, .text = "ROLLBACK TO" }, { .cls = SQL_CONTROL, .verb = SQL_V_RELEASE, .text = "RELEASE" },
	{ .cls = SQL_WRITE, .verb = SQL_V_INSERT, .text = "i" },
};
static const struct analyzer_config config = { .idle_gap = 100 * MS, .quiet = 1000 * (uint64_t)MS, .keyed_quiet = 60000 * (uint64_t)MS };

/* ---- what comes out ---- */

struct heard {
	uint64_t number, requests, kept, cut, strays, tagged;
	uint32_t lanes, tags, sites, lost;
	char key[LIMIT_NAME + 1];	/* of the newest */
	uint32_t nstmts;		/* ... and its statements */
};

static void
on_request(void *ctx, const struct request *r)
{
	struct heard *h = ctx;

	h->requests++;
	h->number = r->number;
	h->kept += r->nstmts;
	h->cut += r->stmts_cut;
	h->nstmts = r->nstmts;
	h->lanes = r->nlanes;
	h->tags = r->ntags;
	h->sites = r->nsites;
	snprintf(h->key, sizeof h->key, "%s", r->key);
	for (uint32_t i = 0; i < r->nstmts; i++) {
		const struct req_stmt *s = &r->stmts[i];

		assert_non_null(s->shape);
		assert_true(s->lane < r->nlanes && s->site <= r->nsites);
		assert_true(i == 0 || s->start >= r->stmts[i - 1].start);
		h->lost += s->outcome == REC_LOST;
		if (r->scope_from != FROM_NONE || r->borders_from <= FROM_SESSION)
			h->tagged += s->shape->cls == SQL_READ || s->shape->cls == SQL_WRITE;
	}
	for (uint32_t i = 1; i < r->ntags; i++)
		assert_true(strcmp(r->tags[i - 1].key, r->tags[i].key) < 0);
}

static void
on_stray(void *ctx, const struct req_stmt *s)
{
	struct heard *h = ctx;

	assert_non_null(s->shape);
	h->strays++;
}

static struct grouping *
grouping(struct heard *h)
{
	*h = (struct heard){ 0 };
	return grouping_new(&config, (struct request_sink){ .ctx = h, .request = on_request, .stray = on_stray });
}

/* ---- records ---- */

static void
start(struct grouping *g, uint64_t t, uint32_t session, uint32_t seq, const struct shape *shape, const char *key, const char *value)
{
	_Alignas(8) unsigned char bytes[sizeof(struct rec_start) + 1024];
	struct rec_start *st = (void *)bytes;
	uint16_t n[2] = { (uint16_t)strlen(key), (uint16_t)strlen(value) };

	*st = (struct rec_start){ .h = { .size = sizeof bytes, .type = REC_START, .t = t, .session = session, .seq = seq }, .shape = shape,
		.iterations = 1, .ntags = n[1] > 0, .tags_n = n[1] ? (uint32_t)(sizeof n + n[0] + n[1]) : 0 };
	memcpy(st->tags, n, sizeof n);
	memcpy(st->tags + sizeof n, key, n[0]);
	memcpy(st->tags + sizeof n + n[0], value, n[1]);
	grouping_record(g, &st->h);
}

static void
end(struct grouping *g, uint64_t t, uint32_t session, uint32_t seq, enum rec_outcome outcome)
{
	struct rec_end e = { .h = { .size = sizeof e, .type = REC_END, .t = t, .session = session, .seq = seq }, .outcome = (uint8_t)outcome };

	grouping_record(g, &e.h);
}

static void
query(struct grouping *g, uint64_t t, uint32_t session, uint32_t seq, const char *key, const char *value)
{
	start(g, t, session, seq, &shapes[0], key, value);
	end(g, t, session, seq, REC_OK);
}

static void
plain(struct grouping *g, uint64_t t, uint32_t session, enum rec_type type, unsigned flags)
{
	struct rec_open r = { .h = { .size = sizeof r, .type = (uint16_t)type, .flags = (uint16_t)flags, .t = t, .session = session } };

	grouping_record(g, &r.h);
}

/* ---- limits ---- */

static void
open_requests(void **state)
{
	struct heard h;
	struct grouping *g = grouping(&h);
	char name[16];

	(void)state;
	for (uint32_t i = 1; i <= LIMIT_OPEN_REQUESTS; i++) {
		snprintf(name, sizeof name, "r%u", i);
		start(g, i, i, 1, &shapes[0], "request_id", name);
		if (i != 7)
			end(g, i, i, 1, REC_OK);
	}
	assert_int_equal(grouping_open(g), LIMIT_OPEN_REQUESTS);
	assert_int_equal(h.requests, 0);
	query(g, LIMIT_OPEN_REQUESTS + 1, LIMIT_OPEN_REQUESTS + 1, 1, "request_id", "one more");
	assert_int_equal(grouping_coverage(g)->evicted_requests, 1);
	assert_string_equal(h.key, "r1");
	for (uint32_t i = 0; i < 6; i++) {
		snprintf(name, sizeof name, "s%u", i);
		query(g, LIMIT_OPEN_REQUESTS + 2, LIMIT_OPEN_REQUESTS + 2 + i, 1, "request_id", name);
	}
	assert_string_equal(h.key, "r8"); /* r7 is busy */
	assert_int_equal(grouping_open(g), LIMIT_OPEN_REQUESTS);
	grouping_finish(g);
	assert_int_equal(grouping_open(g), 0);
	assert_int_equal(h.requests, LIMIT_OPEN_REQUESTS + 7);
	assert_int_equal(h.lost, 1);
	grouping_free(g);
}

/* When all are busy one must go all the same; its statement is lost there, and its answer finds nobody. */
static void
open_requests_all_busy(void **state)
{
	struct heard h;
	struct grouping *g = grouping(&h);
	char name[16];

	(void)state;
	for (uint32_t i = 1; i <= LIMIT_OPEN_REQUESTS + 1; i++) {
		snprintf(name, sizeof name, "r%u", i);
		start(g, i, i, 1, &shapes[0], "request_id", name);
	}
	assert_int_equal(grouping_coverage(g)->evicted_requests, 1);
	assert_string_equal(h.key, "r1");
	assert_int_equal(h.lost, 1);
	end(g, LIMIT_OPEN_REQUESTS + 2, 1, 1, REC_OK);
	assert_int_equal(h.strays, 0);
	grouping_finish(g);
	assert_int_equal(h.kept, LIMIT_OPEN_REQUESTS + 1);
	grouping_free(g);
}

static void
statements_of_one_request(void **state)
{
	struct heard h;
	struct grouping *g = grouping(&h);

	(void)state;
	for (uint32_t i = 1; i <= LIMIT_REQUEST_STMTS + 1; i++)
		query(g, i, 1, i, "request_id", "r1");
	grouping_finish(g);
	assert_int_equal(h.requests, 1);
	assert_int_equal(h.kept, LIMIT_REQUEST_STMTS);
	assert_int_equal(h.cut, 1);
	assert_int_equal(grouping_coverage(g)->tagged, LIMIT_REQUEST_STMTS + 1);
	grouping_free(g);
}

static void
statements_of_all_requests(void **state)
{
	struct heard h;
	struct grouping *g = grouping(&h);
	char name[16];
	uint32_t seq = 0, each = LIMIT_REQUEST_STMTS / 2, requests = LIMIT_OPEN_STMTS / each;

	(void)state;
	for (uint32_t i = 1; i <= requests; i++) {
		snprintf(name, sizeof name, "r%u", i);
		for (uint32_t n = 0; n < each - (i != 3); n++, seq++)
			query(g, seq, i, seq, "request_id", name);
	}
	for (uint32_t n = 1; n < requests; n++, seq++)
		query(g, seq, 1000, seq, "request_id", "fill");
	assert_int_equal(h.requests, 0);
	query(g, seq, 1000, seq, "request_id", "fill");
	assert_int_equal(grouping_coverage(g)->evicted_requests, 1);
	assert_string_equal(h.key, "r3"); /* the largest */
	assert_int_equal(h.nstmts, each);
	grouping_finish(g);
	assert_int_equal(h.kept, seq + 1);
	grouping_free(g);
}

static void
sessions(void **state)
{
	struct heard h;
	struct grouping *g = grouping(&h);

	(void)state;
	for (uint32_t i = 1; i <= LIMIT_SESSIONS; i++)
		start(g, i, i, 1, &shapes[4], "", "");
	assert_int_equal(h.strays, 0);
	start(g, LIMIT_SESSIONS + 1, LIMIT_SESSIONS + 1, 1, &shapes[4], "", "");
	assert_int_equal(h.strays, 1); /* what the forgotten session had open */
	for (uint32_t i = 1; i <= LIMIT_SESSIONS + 1; i++)
		end(g, LIMIT_SESSIONS + 1, i, 1, REC_OK);
	assert_int_equal(h.strays, LIMIT_SESSIONS + 1);
	grouping_finish(g);
	grouping_free(g);
}

static void
connections_of_a_request(void **state)
{
	struct heard h;
	struct grouping *g = grouping(&h);

	(void)state;
	for (uint32_t i = 1; i <= LIMIT_REQUEST_LANES + 1; i++)
		query(g, i, i, 1, "request_id", "r1");
	grouping_finish(g);
	assert_int_equal(h.lanes, LIMIT_REQUEST_LANES);
	assert_int_equal(h.kept, LIMIT_REQUEST_LANES);
	assert_int_equal(h.cut, 1);
	grouping_free(g);
}

static void
tags_of_a_request(void **state)
{
	struct heard h;
	struct grouping *g = grouping(&h);
	char name[16];

	(void)state;
	start(g, 1, 1, 1, &shapes[1], "request_id", "r1");
	end(g, 1, 1, 1, REC_OK);
	for (uint32_t i = 2; i <= LIMIT_REQUEST_TAGS + 1; i++) {
		snprintf(name, sizeof name, "key%u", i);
		query(g, i, 1, i, name, "value");
	}
	grouping_finish(g);
	assert_int_equal(h.requests, 1);
	assert_int_equal(h.tags, LIMIT_REQUEST_TAGS);
	assert_int_equal(h.sites, 0);
	grouping_free(g);
}

static void
sites_of_a_request(void **state)
{
	struct heard h;
	struct grouping *g = grouping(&h);
	char name[16];

	(void)state;
	start(g, 1, 1, 1, &shapes[1], "request_id", "r1");
	end(g, 1, 1, 1, REC_OK);
	for (uint32_t i = 0; i <= LIMIT_REQUEST_SITES; i++) {
		snprintf(name, sizeof name, "a.rb:%u", i);
		query(g, i + 2, 1, i + 2, "source_location", name);
		query(g, i + 2, 1, 10000 + i, "source_location", name);
	}
	grouping_finish(g);
	assert_int_equal(h.requests, 1);
	assert_int_equal(h.sites, LIMIT_REQUEST_SITES);
	grouping_free(g);
}

static uint64_t
no_time(void)
{
	return 1;
}

static void
marks_waiting(void **state)
{
	struct marks *m = marks_new();
	struct span test = { 0 }, request;
	char name[16], longer[LIMIT_NAME + 2];
	uint32_t taken = 0;
	struct mark *k;

	(void)state;
	for (uint32_t i = 1; i <= LIMIT_MARKS + 1; i++) {
		snprintf(name, sizeof name, "t%u", i);
		marks_add(m, name, NULL, no_time);
	}
	assert_null(marks_take(m, 0));
	while ((k = marks_take(m, 1)) != NULL) {
		taken++;
		mark_read(k->rec, &test, &request);
		if (taken == LIMIT_MARKS) {
			snprintf(name, sizeof name, "t%u", LIMIT_MARKS + 1);
			assert_true(span_is(test, name));
		}
		mark_free(k);
	}
	assert_int_equal(taken, LIMIT_MARKS);
	memset(longer, 'x', LIMIT_NAME + 1);
	longer[LIMIT_NAME + 1] = '\0';
	marks_add(m, longer, "r", no_time);
	k = marks_take(m, 1);
	mark_read(k->rec, &test, &request);
	assert_int_equal(test.n, LIMIT_NAME);
	assert_true(span_is(request, "r"));
	mark_free(k);
	marks_free(m);
}

/* ---- coverage ---- */

static void
text(struct grouping *g, enum rec_type type, unsigned flags, const char *s)
{
	_Alignas(8) unsigned char bytes[sizeof(struct rec_text) + 64];
	struct rec_text *t = (void *)bytes;

	*t = (struct rec_text){ .h = { .size = sizeof bytes, .type = (uint16_t)type, .flags = (uint16_t)flags, .t = 1, .session = 1 },
		.n = (uint32_t)strlen(s) };
	memcpy(t->text, s, t->n);
	grouping_record(g, &t->h);
}

static void
coverage_counts(void **state)
{
	struct heard h;
	struct grouping *g = grouping(&h);
	const struct coverage *c = grouping_coverage(g);
	char name[32];

	(void)state;
	assert_string_equal(c->opaque_reason, "");
	plain(g, 1, 1, REC_OPEN, 0);
	query(g, 1, 1, 1, "", "");
	query(g, 1, 1, 2, "request_id", "r1");
	start(g, 1, 1, 3, &shapes[4], "", "");
	start(g, 1, 1, 4, &shapes[1], "", "");
	text(g, REC_OPAQUE, 1, "replication");
	text(g, REC_OPAQUE, 0, "bad length");
	text(g, REC_OPAQUE, 0, "out of step");
	text(g, REC_NOTICE, 0, "57P01");
	assert_true(c->sessions == 1 && c->statements == 4 && c->queries == 2 && c->control == 1 && c->setup == 1);
	assert_true(c->tagged == 1 && c->opaque_expected == 1 && c->opaque_unexpected == 2 && c->notices == 1);
	assert_string_equal(c->opaque_reason, "out of step");
	text(g, REC_OPAQUE, 0, "bad length");
	assert_string_equal(c->opaque_reason, "bad length");
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "reason %d", i);
		text(g, REC_OPAQUE, 0, name);
	}
	assert_string_equal(c->opaque_reason, "other");
	grouping_finish(g);
	assert_int_equal(c->requests, 2);
	grouping_free(g);
}

/* ---- what a statement becomes ---- */

static void
see_statement(void *ctx, const struct request *r)
{
	const struct req_stmt *s = r->stmts;

	++*(int *)ctx;
	assert_int_equal(r->nstmts, 2);
	assert_true(r->start == 1000 && r->end == 1500);
	assert_true(s->shape == &shapes[0] && s->params == 7 && s->result == 99);
	assert_true(s->start == 10 && s->first == 20 && s->busy == 35);
	assert_true(s->rows == UINT32_MAX && s->affected == 3 && s->bytes == UINT32_MAX && s->iterations == 4 && s->round_trips == UINT16_MAX);
	assert_true(s->outcome == REC_ERROR && s->flags == (REQ_STMT_BATCH | REQ_STMT_CUT) && s->allow == 1);
	assert_string_equal(s->code, "40001");
	assert_int_equal(s->site, 0);
	assert_true(s[1].flags == REQ_STMT_RODE && s[1].result == 0 && s[1].round_trips == 0);
}

static void
fields_of_a_statement(void **state)
{
	static const char tags[] = "\x0d\0\x0a\0rowcall_allown-plus-one";
	_Alignas(8) unsigned char bytes[sizeof(struct rec_start) + sizeof tags];
	struct rec_start *st = (void *)bytes;
	struct rec_result res = { .h = { .size = sizeof res, .type = REC_RESULT, .t = 1000, .session = 1, .seq = 1 }, .hash = 99 };
	struct rec_end e = { .h = { .size = sizeof e, .type = REC_END, .flags = REC_END_BATCH, .t = 1400, .session = 1, .seq = 1 },
		.start = 1010, .first = 1030, .busy = 35, .rows = UINT64_MAX, .affected = 3, .bytes = UINT64_MAX, .outcome = REC_ERROR,
		.code = "40001" };
	int seen = 0;
	struct grouping *g = grouping_new(&config, (struct request_sink){ .ctx = &seen, .request = see_statement });

	(void)state;
	*st = (struct rec_start){ .h = { .size = sizeof bytes, .type = REC_START, .flags = REC_START_TAGS_CUT, .t = 1000, .session = 1, .seq = 1 },
		.shape = &shapes[0], .params = 7, .round_trips = 70000, .iterations = 4, .ntags = 1, .tags_n = sizeof tags - 1 };
	memcpy(st->tags, tags, sizeof tags);
	grouping_record(g, &st->h);
	grouping_record(g, &res.h);
	res.h.seq = 77; /* nobody's */
	grouping_record(g, &res.h);
	start(g, 1100, 1, 2, &shapes[0], "", "");
	grouping_record(g, &e.h);
	grouping_record(g, &e.h); /* once is enough */
	end(g, 1500, 1, 2, REC_OK);
	grouping_finish(g);
	assert_int_equal(seen, 1);
	grouping_free(g);
}

/* ---- numbers ---- */

static void
numbers_of_requests(void **state)
{
	struct heard h;
	struct grouping *g = grouping(&h);
	uint64_t t = 1;

	(void)state;
	for (uint32_t i = 1; i <= 3; i++) { /* autocommit off: each query opens a transaction */
		query(g, t++, 1, 2 * i, "", "");
		plain(g, t++, 1, REC_TX, REC_TX_OPEN);
		start(g, t++, 1, 2 * i + 1, &shapes[2], "", "");
		end(g, t++, 1, 2 * i + 1, REC_OK);
		plain(g, t++, 1, REC_TX, REC_TX_IDLE);
	}
	start(g, t++, 1, 10, &shapes[1], "", ""); /* without a query it takes no number */
	end(g, t++, 1, 10, REC_OK);
	start(g, t++, 1, 11, &shapes[2], "", "");
	end(g, t++, 1, 11, REC_OK);
	start(g, t++, 1, 12, &shapes[1], "", ""); /* nor does one whose query moves to another */
	query(g, t++, 1, 13, "", "");
	query(g, t++, 2, 1, "request_id", "r1");
	query(g, t++, 1, 14, "request_id", "r1");
	end(g, t++, 1, 12, REC_OK);
	query(g, t++, 3, 1, "", "");
	grouping_finish(g);
	assert_int_equal(h.requests, 5);
	assert_int_equal(h.number, 6); /* r1 came when the other still had the number before */
	grouping_free(g);
}

/* ---- a storm ---- */

enum { STORM_SESSIONS = 12, STORM_DEPTH = 6 };

struct storm {
	struct grouping *g;
	uint32_t rnd;
	uint64_t t;
	uint32_t seq;
	uint32_t pending[STORM_SESSIONS + 1][STORM_DEPTH], npending[STORM_SESSIONS + 1];
	uint64_t started;
};

static uint32_t
roll(struct storm *w, uint32_t n)
{
	w->rnd = w->rnd * 1664525u + 1013904223u;
	return (w->rnd >> 8) % n;
}

static void
storm_start(struct storm *w, uint32_t s)
{
	static const char *const keys[] = { "request_id", "route", "rowcall_scope", "source_location", "", "other" };
	char value[16];

	if (w->npending[s] == STORM_DEPTH)
		return;
	snprintf(value, sizeof value, "v%u", roll(w, 6));
	if (roll(w, 2))
		value[0] = '\0';
	start(w->g, w->t, s, ++w->seq, &shapes[roll(w, 2) ? 0 : roll(w, 9)], keys[roll(w, 6)], value);
	w->pending[s][w->npending[s]++] = w->seq;
	w->started++;
}

static void
storm_end(struct storm *w, uint32_t s)
{
	if (!w->npending[s])
		return;
	end(w->g, w->t, s, w->pending[s][0], roll(w, 10) ? REC_OK : REC_ERROR);
	memmove(&w->pending[s][0], &w->pending[s][1], --w->npending[s] * sizeof w->pending[s][0]);
}

static void
storm_setting(struct storm *w, uint32_t s)
{
	static const char *const names[] = { "rowcall.request", "rowcall.scope" };
	_Alignas(8) unsigned char bytes[sizeof(struct rec_fact_rec) + 64];
	struct rec_fact_rec *f = (void *)bytes;
	const char *name = names[roll(w, 2)];
	char value[8] = "";

	if (roll(w, 3))
		snprintf(value, sizeof value, "s%u", roll(w, 5));
	*f = (struct rec_fact_rec){ .h = { .size = sizeof bytes, .type = REC_FACT, .t = w->t, .session = s,
		.flags = (uint16_t)(roll(w, 4) == 0 ? REC_FACT_APPLICATION : REC_FACT_SETTING | roll(w, 2) << 8) },
		.name_n = (uint16_t)strlen(name), .value_n = (uint16_t)strlen(value) };
	memcpy(f->bytes, name, f->name_n);
	memcpy(f->bytes + f->name_n, value, f->value_n);
	grouping_record(w->g, &f->h);
}

static void
storm_mark(struct storm *w)
{
	_Alignas(8) unsigned char bytes[sizeof(struct rec_text) + 64];
	struct rec_text *m = (void *)bytes;

	*m = (struct rec_text){ .h = { .size = sizeof bytes, .type = REC_MARK, .t = w->t } };
	m->n = (uint32_t)snprintf(m->text, 64, "%s%c%s", roll(w, 2) ? "t" : "", 0, roll(w, 3) ? "" : "m") + 1;
	grouping_record(w->g, &m->h);
}

static void
storm_turn(struct storm *w)
{
	uint32_t s = 1 + roll(w, STORM_SESSIONS);

	w->t += roll(w, 20) ? roll(w, 5) * MS : roll(w, 3000) * (uint64_t)MS;
	switch (roll(w, 24)) {
	case 0:
		plain(w->g, w->t, s, REC_TX, roll(w, 3));
		break;
	case 1:
		plain(w->g, w->t, s, REC_RESET, 0);
		break;
	case 2:
		storm_setting(w, s);
		break;
	case 3:
		if (!roll(w, 4))
			storm_mark(w);
		break;
	case 4:
		if (!roll(w, 6)) {
			plain(w->g, w->t, s, REC_CLOSE, 0);
			w->npending[s] = 0;
		}
		break;
	default:
		if (roll(w, 2))
			storm_start(w, s);
		else
			storm_end(w, s);
	}
}

static void
every_statement_once(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 40; seed++) {
		struct heard h;
		struct storm w = { .g = grouping(&h), .rnd = seed };
		const struct coverage *c = grouping_coverage(w.g);

		for (int i = 0; i < 5000; i++)
			storm_turn(&w);
		grouping_finish(w.g);
		assert_int_equal(grouping_open(w.g), 0);
		assert_int_equal(h.kept + h.cut + h.strays, w.started);
		assert_int_equal(c->statements, w.started);
		assert_int_equal(c->requests, h.requests);
		assert_true(h.requests > 100);
		assert_int_equal(c->tagged, h.tagged);
		grouping_free(w.g);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(open_requests), cmocka_unit_test(open_requests_all_busy),
		cmocka_unit_test(statements_of_one_request), cmocka_unit_test(statements_of_all_requests), cmocka_unit_test(sessions),
		cmocka_unit_test(connections_of_a_request), cmocka_unit_test(tags_of_a_request), cmocka_unit_test(sites_of_a_request),
		cmocka_unit_test(marks_waiting), cmocka_unit_test(coverage_counts), cmocka_unit_test(numbers_of_requests), cmocka_unit_test(fields_of_a_statement),
		cmocka_unit_test(every_statement_once) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
