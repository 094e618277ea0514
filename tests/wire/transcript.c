/* SPDX-License-Identifier: Apache-2.0 */
/* transcript: see transcript.h. The file's grammar is in tests/wire/README. */
#include "transcript.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "watcher.h"

enum { GUARDED = 1 << 20, MOST_ACTS = 1000 };

/* ---- reading ---- */

static bool
complain(const struct transcript *t, uint32_t line, const char *what)
{
	fprintf(stderr, "%s:%u: %s\n", t->path, line, what);
	return false;
}

static struct step *
add_step(struct transcript *t, enum step_kind kind, enum wire_leg leg, uint32_t line)
{
	struct step *s;

	t->steps = realloc(t->steps, (t->n + 1) * sizeof *t->steps);
	s = &t->steps[t->n++];
	*s = (struct step){ .kind = kind, .leg = leg, .line = line };
	strbuf_init(&s->bytes, 64 << 20);
	return s;
}

static enum wire_tls
tls_of(const char *word)
{
	static const char *const words[] = { "disable", "prefer", "require", "verify-ca", "verify-full", "mirror", "allow", "passthrough" };

	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(word, words[i]) == 0)
			return (enum wire_tls)i;
	fprintf(stderr, "no TLS mode %s\n", word);
	abort();
}

static bool
read_setup(struct transcript *t, char *words)
{
	char *save, *w;

	for (w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (strncmp(w, "client_tls=", 11) == 0)
			t->setup.client_tls = tls_of(w + 11);
		else if (strncmp(w, "server_tls=", 11) == 0)
			t->setup.server_tls = tls_of(w + 11);
		else if (strncmp(w, "rows=", 5) == 0)
			t->want_rows = (uint32_t)strtoul(w + 5, NULL, 10);
		else if (strncmp(w, "bytes=", 6) == 0)
			t->want_bytes = (uint32_t)strtoul(w + 6, NULL, 10);
		else if (strncmp(w, "caps=", 5) == 0)
			t->caps = (uint32_t)strtoul(w + 5, NULL, 0);
		else if (strncmp(w, "ext=", 4) == 0)
			t->ext = (uint32_t)strtoul(w + 4, NULL, 0);
		else if (strcmp(w, "compression") == 0)
			t->setup.compression = true;
		else if (strcmp(w, "unix") == 0)
			t->setup.server_is_unix = true;
		else if (strcmp(w, "client_unix") == 0)
			t->setup.client_is_unix = true;
		else if (strcmp(w, "same_certificate") == 0)
			t->setup.same_certificate = true;
		else if (strcmp(w, "begin") == 0)
			t->begin = true;
		else if (strcmp(w, "uncut") == 0)
			t->uncut = true;
		else
			return false;
	}
	return true;
}

static bool
read_line(struct transcript *t, char *text, uint32_t line)
{
	const char *why;

	if (text[0] == '\0' || text[0] == '#')
		return true;
	if (text[0] == '=' && text[1] == ' ')
		return strbuf_str(&t->expected, text + 2) && strbuf_char(&t->expected, '\n');
	if ((text[0] == 'C' || text[0] == 'S') && text[1] == ' ') {
		enum wire_leg leg = text[0] == 'C' ? WIRE_CLIENT : WIRE_SERVER;

		if (t->tongue->encode(leg == WIRE_CLIENT, text + 2, &add_step(t, STEP_BYTES, leg, line)->bytes, &why))
			return true;
		return complain(t, line, why);
	}
	if (strncmp(text, "setup ", 6) == 0)
		return read_setup(t, text + 6) || complain(t, line, "unknown setup");
	if (strncmp(text, "at ", 3) == 0)
		add_step(t, STEP_AT, WIRE_CLIENT, line)->at = strtoull(text + 3, NULL, 10) * 1000000;
	else if (strcmp(text, "dialed") == 0)
		add_step(t, STEP_DIALED, WIRE_SERVER, line);
	else if (strcmp(text, "tls client") == 0 || strcmp(text, "tls server") == 0)
		add_step(t, STEP_TLS, text[4] == 'c' ? WIRE_CLIENT : WIRE_SERVER, line);
	else if (strcmp(text, "eof client") == 0 || strcmp(text, "eof server") == 0)
		add_step(t, STEP_EOF, text[4] == 'c' ? WIRE_CLIENT : WIRE_SERVER, line);
	else
		return complain(t, line, "unknown line");
	return true;
}

bool
transcript_read(struct transcript *t, const char *path, const struct tongue *tongue)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t cap = 0;
	ssize_t n;
	bool ok = true;

	*t = (struct transcript){ .path = path, .tongue = tongue, .want_rows = 2 };
	strbuf_init(&t->expected, 64 << 20);
	strbuf_init(&t->source, 64 << 20);
	if (!f)
		return complain(t, 0, "cannot be read");
	for (uint32_t line = 1; ok && (n = getline(&text, &cap, f)) > 0; line++) {
		strbuf_add(&t->source, span_of(text, (size_t)n));
		if (text[n - 1] == '\n')
			text[n - 1] = '\0';
		ok = read_line(t, text, line);
	}
	free(text);
	fclose(f);
	return ok;
}

void
transcript_clear(struct transcript *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		strbuf_clear(&t->steps[i].bytes);
	free(t->steps);
	strbuf_clear(&t->expected);
	strbuf_clear(&t->source);
}

/* ---- replaying ---- */

struct replay {
	const struct transcript *t;
	const struct wire_engine *engine;
	struct watcher watch;
	struct wire_conn *conn;
	struct strbuf pending[2];	/* not consumed yet, during the handshake */
	uint8_t *guarded;		/* GUARDED bytes, then a page nobody may touch */
	uint64_t now;
	bool piped, blind, closed, bad;
};

/* A copy of the bytes that ends at the guard page. */
static struct span
lend(struct replay *r, struct span s)
{
	uint8_t *at = r->guarded + GUARDED - s.n;

	if (s.n)
		memcpy(at, s.p, s.n);
	return span_of(at, s.n);
}

/* What the parser kept a pointer to is gone. */
static void
take_back(struct replay *r, size_t n)
{
	memset(r->guarded + GUARDED - n, 0xee, n);
}

static void
feed(struct replay *r, enum wire_leg leg, struct span s)
{
	r->engine->feed(r->conn, leg, lend(r, s), r->now);
	take_back(r, s.n);
}

static void
say_sent(struct replay *r, const char *to, struct strbuf *bytes)
{
	struct strbuf text;

	if (!bytes->n)
		return;
	strbuf_init(&text, 1 << 20);
	watcher_quote(&text, strbuf_span(bytes), '\'');
	watcher_line(&r->watch, "%s %s", to, strbuf_cstr(&text));
	strbuf_clear(&text);
}

static void
act(struct replay *r, enum wire_act a)
{
	static const char *const names[] = { "more", "dial", "dial-cancel", "tls-server", "tls-client", "pipe", "blind", "close" };

	if (a == WIRE_MORE)
		return;
	watcher_line(&r->watch, "act %s", names[a]);
	if (a == WIRE_DIAL_CANCEL)
		watcher_line(&r->watch, "cancel_target %zu bytes", r->engine->cancel_target(r->conn).n);
	r->piped = a == WIRE_PIPE;
	r->blind = a == WIRE_BLIND;
	r->closed = a == WIRE_CLOSE;
}

/* One call of the handshake for that leg; true when it should be called again. */
static bool
shake(struct replay *r, enum wire_leg leg)
{
	struct strbuf to_client, to_server, *in = &r->pending[leg];
	size_t used = 0, n = in->n;
	enum wire_act a;
	bool moved;

	strbuf_init(&to_client, 1 << 20);
	strbuf_init(&to_server, 1 << 20);
	a = r->engine->handshake(r->conn, leg, lend(r, strbuf_span(in)), &used, &to_client, &to_server, r->now);
	take_back(r, n);
	if (used)
		strbuf_drop(in, used);
	moved = used || a != WIRE_MORE || to_client.n || to_server.n;
	say_sent(r, "to_client", &to_client);
	say_sent(r, "to_server", &to_server);
	act(r, a);
	strbuf_clear(&to_client);
	strbuf_clear(&to_server);
	return moved;
}

static void
push_pending(struct replay *r)
{
	for (int leg = 0; leg < 2; leg++) {
		if (r->piped && r->pending[leg].n)
			feed(r, (enum wire_leg)leg, strbuf_span(&r->pending[leg]));
		strbuf_reset(&r->pending[leg]);
	}
}

static void
shake_on(struct replay *r)
{
	bool moved = true;
	unsigned acts = 0;

	while (moved && !r->piped && !r->blind && !r->closed && !r->bad) {
		moved = shake(r, WIRE_CLIENT);
		if (!r->piped && !r->blind && !r->closed)
			moved = shake(r, WIRE_SERVER) || moved;
		if (++acts > MOST_ACTS) {
			complain(r->t, 0, "the handshake does not end");
			r->bad = true;
		}
	}
	if (r->piped || r->blind)
		push_pending(r);
}

static void
give(struct replay *r, enum wire_leg leg, struct span s)
{
	if (r->closed || r->blind)
		return;
	if (r->piped) {
		feed(r, leg, s);
		return;
	}
	strbuf_add(&r->pending[leg], s);
	shake_on(r);
}

/* The canned start of a session; its events are not part of the log. */
static void
begin(struct replay *r)
{
	struct turn turns[TURNS];

	for (int i = 0; i < TURNS; i++)
		strbuf_init(&turns[i].bytes, 1 << 16);
	r->t->tongue->begin(r->t, turns);
	for (int i = 0; i < TURNS; i++) {
		if (i == !r->engine->server_first) {
			r->engine->dialed(r->conn);
			shake_on(r);
		}
		if (turns[i].bytes.n)
			give(r, turns[i].leg, strbuf_span(&turns[i].bytes));
		strbuf_clear(&turns[i].bytes);
	}
	strbuf_reset(&r->watch.log);
}

static void
do_step(struct replay *r, const struct step *s)
{
	switch (s->kind) {
	case STEP_AT:
		r->now = s->at;
		break;
	case STEP_DIALED:
		r->engine->dialed(r->conn);
		shake_on(r);
		break;
	case STEP_TLS:
		r->engine->tls_up(r->conn, s->leg);
		shake_on(r);
		break;
	case STEP_EOF:
		r->engine->eof(r->conn, s->leg, r->now);
		break;
	case STEP_BYTES:
		break;
	}
}

static void
give_cut(struct replay *r, enum wire_leg leg, struct span s, enum cuts cuts, uint32_t *random)
{
	size_t n;

	while (s.n) {
		n = s.n;
		if (cuts == CUT_BYTES)
			n = 1;
		else if (cuts == CUT_RANDOM) {
			*random = *random * 1664525 + 1013904223;
			n = 1 + (*random >> 8) % (*random & 0x80 ? 40 : 2000);
		}
		if (n > s.n)
			n = s.n;
		if (n > GUARDED)
			n = GUARDED;
		give(r, leg, span_first(s, n));
		s = span_from(s, n);
	}
}

static bool
replay_open(struct replay *r, const struct transcript *t)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	*r = (struct replay){ .t = t, .engine = t->tongue->engine };
	watcher_init(&r->watch);
	r->watch.engine = r->engine;
	r->watch.want_rows = t->want_rows;
	r->watch.want_bytes = t->want_bytes;
	strbuf_init(&r->pending[0], GUARDED);
	strbuf_init(&r->pending[1], GUARDED);
	r->guarded = mmap(NULL, GUARDED + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (r->guarded == MAP_FAILED || mprotect(r->guarded + GUARDED, page, PROT_NONE) != 0)
		return complain(t, 0, "no guard page");
	r->conn = r->engine->open(&t->setup, &watcher_ops, &r->watch);
	return r->conn != NULL;
}

static bool
replay_close(struct replay *r)
{
	r->engine->free(r->conn, r->now);
	watcher_flush(&r->watch);
	if (r->watch.live_execs || r->watch.live_prepared) {
		complain(r->t, 0, "an execution or a statement was never ended");
		r->bad = true;
	}
	munmap(r->guarded, GUARDED + (size_t)sysconf(_SC_PAGESIZE));
	strbuf_clear(&r->pending[0]);
	strbuf_clear(&r->pending[1]);
	return !r->bad;
}

bool
transcript_replay(const struct transcript *t, enum cuts cuts, uint32_t seed, struct strbuf *log, size_t *lines)
{
	struct replay r;
	struct strbuf run;
	bool ok;

	if (!replay_open(&r, t))
		return false;
	strbuf_init(&run, 64 << 20);
	if (r.engine->server_first)
		shake_on(&r);
	if (t->begin)
		begin(&r);
	for (uint32_t i = 0; i < t->n; i++) {
		const struct step *s = &t->steps[i];

		do_step(&r, s);
		if (s->kind == STEP_BYTES) {
			strbuf_add(&run, strbuf_span(&s->bytes));
			if (cuts == CUT_LINES || i + 1 == t->n || t->steps[i + 1].kind != STEP_BYTES || t->steps[i + 1].leg != s->leg) {
				give_cut(&r, s->leg, strbuf_span(&run), cuts, &seed);
				strbuf_reset(&run);
			}
		}
		if (lines)
			lines[i] = r.watch.log.n;
	}
	strbuf_clear(&run);
	ok = replay_close(&r);
	strbuf_add(log, strbuf_span(&r.watch.log));
	watcher_clear(&r.watch);
	return ok;
}

/* ---- blessing ---- */

static void
put_events(FILE *f, struct span log)
{
	const uint8_t *p = log.p, *end = log.p + log.n, *nl;

	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		fprintf(f, "= %.*s\n", (int)(nl - p), (const char *)p);
	}
}

bool
transcript_bless(const struct transcript *t)
{
	size_t *lines = calloc(t->n + 1, sizeof *lines), done = 0;
	struct strbuf log;
	char *source = strdup(strbuf_cstr(&t->source)), *save, *line, *next;
	uint32_t number = 1, step = 0;
	FILE *f = NULL;

	strbuf_init(&log, 64 << 20);
	if (transcript_replay(t, CUT_LINES, 0, &log, lines))
		f = fopen(t->path, "w");
	(void)save;
	for (line = source; f && *line; line = next, number++) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		if (line[0] != '=')
			fprintf(f, "%s\n", line);
		if (step < t->n && t->steps[step].line == number) {
			put_events(f, span_of(log.p + done, lines[step] - done));
			done = lines[step++];
		}
	}
	if (f) {
		put_events(f, span_of(log.p + done, log.n - done));
		fclose(f);
	}
	strbuf_clear(&log);
	free(source);
	free(lines);
	return f != NULL;
}
