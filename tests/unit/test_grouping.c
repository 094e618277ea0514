/* SPDX-License-Identifier: Apache-2.0 */
/* Every rule of grouping, as stories of sessions, one file of tests/requests each. A story lists what happens, then the requests that must come of
 * it. Times are milliseconds. Sessions are s1, s2, ...; they open by themselves.
 *
 *   case NAME                         begins a story; the clock starts at 0
 *   100 s1 q WORD [+MS] [TAGS]        a statement and its answer MS (1) later; BEGIN, COMMIT... change the server's transaction state, too
 *   100 s1 start WORD [TAGS]          only its start; `part` in front of the tags: it follows in the same text
 *   101 s1 end [WORD] [error|lost|skipped]    the answer to the oldest such statement (or just the oldest)
 *   101 s1 ready                      the server was ready for a question: the next answer begins a new transaction of its own
 *   102 s1 tx open|idle|failed|undone what the server says
 *   103 s1 set NAME VALUE | setlocal NAME VALUE | app VALUE | db VALUE | reset | close | mysql
 *   105 open N                        so many requests are open now
 *   104 mark test=NAME request=NAME   either may be missing; a missing one ends
 *   -- then, in the order the requests must come out:
 *   = SCOPE(from) borders [key=K] [test=T] [app=A] [lanes=N] [idle=MS] : WORD WORD...
 *   ~ WORD WORD...                    strays, all of them
 *
 * Words: BEGIN COMMIT ROLLBACK SAVEPOINT RELEASE ROLLBACK_TO are control; SET, PING are set-up; all others are reads. A word is followed by
 * /N when it ran in the N-th transaction of its request, by ! when it failed, by ? when its answer was lost, by ~ when the server passed over it, by - when it was rolled back. TAGS are key=value, `%20` for a blank; a value alone is a comment without keys;
 * `stale` in front of them: they rode in a prepared statement that was executed before. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fingerprint/mem.h"
#include "reports/requests/grouping.h"

enum { SESSIONS = 8, WORDS = 256, MS = 1000000 };

struct story {
	char name[128];
	struct grouping *g;
	struct strbuf out, strays;
	uint32_t seq[SESSIONS];
	bool open[SESSIONS], mysql[SESSIONS], ready[SESSIONS];
	struct {
		uint32_t session, seq;
		uint64_t start;
		const struct shape *shape;
	} pending[WORDS];
	uint32_t npending;
	struct shape shapes[WORDS];
	uint32_t nshapes;
	int line;
};

/* ---- shapes ---- */

static const struct {
	const char *word;
	uint8_t cls, verb;
} known[] = {
	{ "BEGIN", SQL_CONTROL, SQL_V_BEGIN }, { "COMMIT", SQL_CONTROL, SQL_V_COMMIT }, { "ROLLBACK", SQL_CONTROL, SQL_V_ROLLBACK },
	{ "SAVEPOINT", SQL_CONTROL, SQL_V_SAVEPOINT }, { "RELEASE", SQL_CONTROL, SQL_V_RELEASE },
	{ "ROLLBACK_TO", SQL_CONTROL, SQL_V_ROLLBACK_TO }, { "SET", SQL_SETUP, SQL_V_SET }, { "PING", SQL_SETUP, SQL_V_SELECT },
};

static const struct shape *
shape_of(struct story *t, const char *word)
{
	struct shape *s;

	for (uint32_t i = 0; i < t->nshapes; i++)
		if (strcmp(t->shapes[i].text, word) == 0)
			return &t->shapes[i];
	assert_true(t->nshapes < WORDS);
	s = &t->shapes[t->nshapes++];
	*s = (struct shape){ .cls = SQL_READ, .verb = SQL_V_SELECT, .text = xmem_strdup(word), .fingerprint = t->nshapes };
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].word, word) == 0)
			s->cls = known[i].cls, s->verb = known[i].verb;
	return s;
}

/* ---- records ---- */

struct record {
	_Alignas(8) unsigned char bytes[8192];
	size_t n;
};

static void *
record(struct record *r, size_t n, enum rec_type type, uint64_t t, uint32_t session, uint32_t seq)
{
	struct rec *h = (void *)r->bytes;

	memset(r->bytes, 0, n);
	*h = (struct rec){ .type = (uint16_t)type, .t = t, .session = session, .seq = seq };
	r->n = n;
	return h;
}

static void
tail(struct record *r, const void *p, size_t n)
{
	assert_true(r->n + n <= sizeof r->bytes);
	memcpy(r->bytes + r->n, p, n);
	r->n += n;
}

static void
feed(struct story *t, struct record *r)
{
	struct rec *h = (void *)r->bytes;

	h->size = (uint32_t)((r->n + 7) & ~(size_t)7);
	grouping_record(t->g, h);
}

static void
open_session(struct story *t, uint32_t s, uint64_t at)
{
	struct record r;
	struct rec_open *o;

	if (t->open[s])
		return;
	o = record(&r, sizeof *o, REC_OPEN, at, s, 0);
	o->engine = t->mysql[s];
	t->open[s] = true;
	feed(t, &r);
}

static void
unescape(char *s)
{
	for (char *p; (p = strstr(s, "%20")) != NULL; memmove(p + 1, p + 3, strlen(p + 3) + 1))
		*p = ' ';
}

static void
add_tag(struct record *r, char *tag)
{
	struct rec_start *st = (void *)r->bytes;
	char *eq = strchr(tag, '=');
	const char *value = eq ? eq + 1 : tag;
	uint16_t n[2] = { (uint16_t)(eq ? eq - tag : 0), 0 };

	unescape(tag);
	n[1] = (uint16_t)strlen(value);
	tail(r, n, sizeof n);
	tail(r, tag, n[0]);
	tail(r, value, n[1]);
	st->ntags++;
	st->tags_n += (uint32_t)(sizeof n + n[0] + n[1]);
}

static void
put_start(struct story *t, uint32_t s, uint64_t at, const char *word, char **tags, int ntags)
{
	struct record r;
	struct rec_start *st = record(&r, sizeof *st, REC_START, at, s, ++t->seq[s]);
	const struct shape *shape = shape_of(t, word);

	st->shape = shape;
	st->round_trips = st->iterations = 1;
	for (int i = 0; i < ntags; i++) {
		if (strcmp(tags[i], "stale") == 0)
			st->h.flags |= REC_START_STALE_TAG;
		else if (strcmp(tags[i], "part") == 0)
			st->part = 1;
		else
			add_tag(&r, tags[i]);
	}
	t->pending[t->npending].session = s;
	t->pending[t->npending].seq = t->seq[s];
	t->pending[t->npending].start = at;
	t->pending[t->npending++].shape = shape;
	feed(t, &r);
}

static void
put_tx(struct story *t, uint32_t s, uint64_t at, enum rec_tx state)
{
	struct record r;
	struct rec *h = record(&r, sizeof *h, REC_TX, at, s, 0);

	h->flags = (uint16_t)state;
	feed(t, &r);
}

static enum sql_verb
put_end(struct story *t, uint32_t s, uint64_t at, const char *word, const char *outcome)
{
	struct record r;
	struct rec_end *e;
	enum sql_verb verb;
	uint32_t i = 0;

	while (i < t->npending && (t->pending[i].session != s || (word && strcmp(t->pending[i].shape->text, word) != 0)))
		i++;
	assert_true(i < t->npending);
	e = record(&r, sizeof *e, REC_END, at, s, t->pending[i].seq);
	e->start = e->first = t->pending[i].start;
	e->busy = at - e->start;
	e->outcome = !outcome ? REC_OK : strcmp(outcome, "error") == 0 ? REC_ERROR : strcmp(outcome, "lost") == 0 ? REC_LOST : REC_SKIPPED;
	e->h.flags = t->ready[s] ? REC_END_FRESH : 0;
	t->ready[s] = false;
	verb = t->pending[i].shape->verb;
	memmove(&t->pending[i], &t->pending[i + 1], (--t->npending - i) * sizeof t->pending[0]);
	feed(t, &r);
	return verb;
}

static void
put_fact(struct story *t, uint32_t s, uint64_t at, unsigned kind, const char *name, const char *value)
{
	struct record r;
	struct rec_fact_rec *f = record(&r, sizeof *f, REC_FACT, at, s, 0);

	f->h.flags = (uint16_t)kind;
	f->name_n = (uint16_t)strlen(name);
	f->value_n = (uint16_t)strlen(value);
	tail(&r, name, f->name_n);
	tail(&r, value, f->value_n);
	feed(t, &r);
}

static void
put_mark(struct story *t, uint64_t at, char **args, int n)
{
	struct record r;
	struct rec_text *m = record(&r, sizeof *m, REC_MARK, at, 0, 0);
	const char *test = "", *request = "";

	for (int i = 0; i < n; i++) {
		if (strncmp(args[i], "test=", 5) == 0)
			test = args[i] + 5;
		else if (strncmp(args[i], "request=", 8) == 0)
			request = args[i] + 8;
		else
			fail_msg("line %d: %s", t->line, args[i]);
	}
	tail(&r, test, strlen(test) + 1);
	tail(&r, request, strlen(request) + 1);
	m->n = (uint32_t)(strlen(test) + strlen(request) + 2);
	feed(t, &r);
}

static void
put_plain(struct story *t, uint32_t s, uint64_t at, enum rec_type type)
{
	struct record r;

	record(&r, sizeof(struct rec), type, at, s, 0);
	feed(t, &r);
}

/* ---- what comes out ---- */

static void
on_request(void *ctx, const struct request *r)
{
	struct story *t = ctx;
	struct strbuf *b = &t->out;

	strbuf_printf(b, "= %s(%s) %s", r->scope, origin_name(r->scope_from), origin_name(r->borders_from));
	if (*r->key)
		strbuf_printf(b, " key=%s", r->key);
	if (*r->test)
		strbuf_printf(b, " test=%s", r->test);
	if (*r->application)
		strbuf_printf(b, " app=%s", r->application);
	if (r->nlanes > 1)
		strbuf_printf(b, " lanes=%u", r->nlanes);
	if (r->idle_in_tx >= 10 * MS)
		strbuf_printf(b, " idle=%u", (unsigned)(r->idle_in_tx / MS));
	strbuf_str(b, " :");
	for (uint32_t i = 0; i < r->nstmts; i++) {
		strbuf_printf(b, " %s", r->stmts[i].shape->text);
		if (r->stmts[i].tx)
			strbuf_printf(b, "/%u", r->stmts[i].tx);
		if (r->stmts[i].outcome != REC_OK)
			strbuf_char(b, r->stmts[i].outcome == REC_ERROR ? '!' : r->stmts[i].outcome == REC_SKIPPED ? '~' : '?');
		if (r->stmts[i].flags & REQ_STMT_UNDONE)
			strbuf_char(b, '-');
		assert_true(i == 0 || r->stmts[i].start >= r->stmts[i - 1].start);
		assert_true(r->stmts[i].lane < r->nlanes);
	}
	strbuf_char(b, '\n');
}

static void
on_stray(void *ctx, const struct req_stmt *s)
{
	struct story *t = ctx;

	strbuf_printf(&t->strays, " %s", s->shape->text);
}

/* ---- the stories ---- */

static void
story_begin(struct story *t, const char *name)
{
	static const char *const settings[] = { "app.request_id" };
	static struct analyzer_config cfg = { .idle_gap = 100 * MS, .quiet = 1000 * (uint64_t)MS, .keyed_quiet = 60000 * (uint64_t)MS,
		.tag_settings = settings, .ntag_settings = 1 };
	int line = t->line;

	*t = (struct story){ .line = line };
	snprintf(t->name, sizeof t->name, "%.120s", name);
	strbuf_init(&t->out, 1 << 20);
	strbuf_init(&t->strays, 1 << 20);
	t->g = grouping_new(&cfg, (struct request_sink){ .ctx = t, .request = on_request, .stray = on_stray });
}

static int
story_end(struct story *t, const char *expected, const char *file)
{
	int bad;

	if (!t->g)
		return 0;
	if (t->strays.n)
		strbuf_printf(&t->out, "~%s\n", strbuf_cstr(&t->strays));
	bad = strcmp(strbuf_cstr(&t->out), expected) != 0;
	if (bad)
		fprintf(stderr, "%s: case %s\n--- expected\n%s--- got\n%s", file, t->name, expected, strbuf_cstr(&t->out));
	grouping_free(t->g);
	strbuf_clear(&t->out);
	strbuf_clear(&t->strays);
	for (uint32_t i = 0; i < t->nshapes; i++)
		mem_free((char *)(uintptr_t)t->shapes[i].text);
	t->g = NULL;
	return bad;
}

static void
statement(struct story *t, uint32_t s, uint64_t at, char **w, int n)
{
	uint64_t took = MS;
	enum sql_verb verb;
	int tags = 1;

	if (n > 1 && w[1][0] == '+') {
		took = strtoull(w[1] + 1, NULL, 10) * MS;
		tags = 2;
	}
	put_start(t, s, at, w[0], w + tags, n - tags);
	t->ready[s] = true;
	verb = put_end(t, s, at + took, w[0], NULL);
	if (verb == SQL_V_BEGIN)
		put_tx(t, s, at + took, REC_TX_OPEN);
	else if (verb == SQL_V_COMMIT || verb == SQL_V_ROLLBACK)
		put_tx(t, s, at + took, REC_TX_IDLE);
}

static bool
is_outcome(const char *word)
{
	return strcmp(word, "error") == 0 || strcmp(word, "lost") == 0 || strcmp(word, "skipped") == 0;
}

static void
session_event(struct story *t, uint32_t s, uint64_t at, char **w, int n)
{
	const char *what = w[0];

	if (strcmp(what, "mysql") == 0)
		t->mysql[s] = true;
	open_session(t, s, at);
	if (strcmp(what, "q") == 0)
		statement(t, s, at, w + 1, n - 1);
	else if (strcmp(what, "start") == 0)
		put_start(t, s, at, w[1], w + 2, n - 2);
	else if (strcmp(what, "end") == 0)
		put_end(t, s, at, n > 1 && !is_outcome(w[1]) ? w[1] : NULL, n > 1 && is_outcome(w[n - 1]) ? w[n - 1] : NULL);
	else if (strcmp(what, "ready") == 0)
		t->ready[s] = true;
	else if (strcmp(what, "tx") == 0)
		put_tx(t, s, at, w[1][0] == 'o' ? REC_TX_OPEN : w[1][0] == 'f' ? REC_TX_FAILED : w[1][0] == 'u' ? REC_TX_UNDONE : REC_TX_IDLE);
	else if (strcmp(what, "set") == 0)
		put_fact(t, s, at, REC_FACT_SETTING, w[1], n > 2 ? w[2] : "");
	else if (strcmp(what, "setlocal") == 0)
		put_fact(t, s, at, REC_FACT_SETTING | 1u << 8, w[1], n > 2 ? w[2] : "");
	else if (strcmp(what, "app") == 0)
		put_fact(t, s, at, REC_FACT_APPLICATION, "", n > 1 ? w[1] : "");
	else if (strcmp(what, "db") == 0)
		put_fact(t, s, at, REC_FACT_DATABASE, "", w[1]);
	else if (strcmp(what, "reset") == 0)
		put_plain(t, s, at, REC_RESET);
	else if (strcmp(what, "close") == 0)
		put_plain(t, s, at, REC_CLOSE);
	else if (strcmp(what, "mysql") != 0)
		fail_msg("line %d: %s", t->line, what);
}

static void
check_open(struct story *t, uint64_t at, const char *n)
{
	grouping_advance(t->g, at);
	if (grouping_open(t->g) != strtoul(n, NULL, 10))
		fail_msg("%s, line %d: %u requests are open", t->name, t->line, grouping_open(t->g));
}

static void
event(struct story *t, char *line)
{
	char *w[64] = { NULL }, *save = NULL;
	int n = 0;
	uint64_t at;

	for (char *p = strtok_r(line, " \t\n", &save); p && n < 64; p = strtok_r(NULL, " \t\n", &save))
		w[n++] = p;
	assert_true(n >= 2);
	at = strtoull(w[0], NULL, 10) * MS + 1000000 * (uint64_t)MS;
	if (strcmp(w[1], "mark") == 0)
		put_mark(t, at, w + 2, n - 2);
	else if (strcmp(w[1], "open") == 0)
		check_open(t, at, w[2]);
	else {
		assert_true(n >= 3 && w[1][0] == 's' && w[1][1] > '0' && w[1][1] < '0' + SESSIONS);
		session_event(t, (uint32_t)(w[1][1] - '0'), at, w + 2, n - 2);
	}
}

static void
run_file(const char *file)
{
	struct story t = { .line = 0 };
	struct strbuf expected;
	char line[1024];
	FILE *f = fopen(file, "r");
	int bad = 0;

	assert_non_null(f);
	strbuf_init(&expected, 1 << 20);
	while (fgets(line, sizeof line, f)) {
		t.line++;
		if (strncmp(line, "case ", 5) == 0) {
			bad += story_end(&t, strbuf_cstr(&expected), file);
			strbuf_reset(&expected);
			line[strcspn(line, "\n")] = '\0';
			story_begin(&t, line + 5);
		} else if (line[0] == '=' || line[0] == '~') {
			strbuf_str(&expected, line);
		} else if (strncmp(line, "--", 2) == 0) {
			grouping_finish(t.g);
		} else if (line[0] != '#' && line[0] != '\n') {
			event(&t, line);
		}
	}
	bad += story_end(&t, strbuf_cstr(&expected), file);
	fclose(f);
	strbuf_clear(&expected);
	assert_int_equal(bad, 0);
}

#define STORIES(name) static void name(void **state) { (void)state; run_file("requests/" #name ".events"); }
STORIES(tags)
STORIES(sessions)
STORIES(marks)
STORIES(transactions)
STORIES(undone)
STORIES(gaps)
STORIES(prepared)
STORIES(closing)

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(tags), cmocka_unit_test(sessions), cmocka_unit_test(marks),
		cmocka_unit_test(transactions), cmocka_unit_test(undone), cmocka_unit_test(gaps), cmocka_unit_test(prepared), cmocka_unit_test(closing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
