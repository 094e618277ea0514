/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_session: a whole session between real sockets, both ends played by the input: no crash, no leak, nothing left open, and what comes out
 * on one side is what went in on the other.
 * Input: a policy byte (bit 0: MySQL, bits 1-2: TLS towards the client, bits 3-5: TLS towards the server), then deeds: a byte whose bit 0 is
 * the end that does it (1 = the server's) and whose next two bits are the deed; SAY is followed by a little-endian 16-bit length and that
 * many bytes. */
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/core/session.h"
#include "proxy/log.h"

enum { TURNS = 4, LAST_TURNS = 200, MOST = 1 << 20 };

enum deed { SAY, HEAR, SHUT, BREAK };

/* One end of the session, as the test plays it. */
struct end {
	int fd;			/* -1: not there, or broken off */
	bool shut, broken;
	struct strbuf said, heard;
};

struct theatre {
	struct config cfg;
	struct listen_config listens;
	struct listener listener;
	struct worker_shared shared;
	struct worker worker;
	int database;		/* listens */
};

static struct theatre *
build(void)
{
	struct theatre *t = calloc(1, sizeof *t);
	struct address *a = &t->listener.upstream;
	struct shapes *shapes = shapes_new();
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	signal(SIGPIPE, SIG_IGN);	/* as the program does */
	/* A name of the kernel's choice, in no file system. */
	t->database = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	a->sa.ss_family = AF_UNIX;
	if (bind(t->database, (struct sockaddr *)&a->sa, sizeof(sa_family_t)) != 0 || listen(t->database, 8) != 0)
		abort();
	a->len = sizeof a->sa;
	getsockname(t->database, (struct sockaddr *)&a->sa, &a->len);
	t->listens = (struct listen_config){ .name = "fuzz", .server_ca = "", .client_cert = "", .client_key = "" };
	t->listens.upstream = (struct upstream_config){ .host = "fuzz", .display = "fuzz" };
	t->listener.cfg = &t->listens;
	t->listener.fixed = true;
	t->listener.server_tls = SSL_CTX_new(TLS_client_method());
	t->listener.client_tls = SSL_CTX_new(TLS_server_method());
	t->shared = (struct worker_shared){ .cfg = &t->cfg, .log = log_new(nowhere, LOG_DEBUG, false), .listeners = &t->listener,
		.nlisteners = 1, .cancels = cancel_map_new(), .handshake_ms = LIMIT_HANDSHAKE_MS };
	pthread_mutex_init(&t->shared.tls_lock, NULL);
	t->worker.shared = &t->shared;
	t->worker.base = event_base_new();
	t->worker.ring = ring_new(LIMIT_RING_BYTES, 0);
	if (!shapes || !t->worker.base || !t->worker.ring || !tap_shared_init(&t->worker.tap, t->worker.ring, shapes))
		abort();
	t->worker.tap.evidence = true;
	return t;
}

static void
turn(struct theatre *t, int times)
{
	while (times-- > 0) {
		event_base_loop(t->worker.base, EVLOOP_NONBLOCK);
		session_sweep(&t->worker);
	}
}

static void
answer_call(struct theatre *t, struct end *server)
{
	int fd = accept4(t->database, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (server->fd >= 0)
		abort();	/* a session has one server */
	server->fd = fd;
}

static void
hear(struct end *e)
{
	char chunk[65536];
	ssize_t n = 0;

	while (e->fd >= 0 && (n = recv(e->fd, chunk, sizeof chunk, 0)) > 0)
		strbuf_add(&e->heard, span_of(chunk, (size_t)n));
}

static void
break_off(struct end *e)
{
	if (e->fd >= 0)
		close(e->fd);
	e->broken |= e->fd >= 0;
	e->fd = -1;
}

static void
say(struct end *e, struct span bytes)
{
	ssize_t n;

	if (e->fd < 0 || e->shut || bytes.n == 0)
		return;
	n = send(e->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
	if (n > 0)
		strbuf_add(&e->said, span_of(bytes.p, (size_t)n));
}

static void
act(struct end *e, enum deed deed, struct span bytes)
{
	switch (deed) {
	case SAY:
		say(e, bytes);
		break;
	case HEAR:
		hear(e);
		break;
	case SHUT:
		if (e->fd >= 0)
			shutdown(e->fd, SHUT_WR);
		e->shut |= e->fd >= 0;
		break;
	case BREAK:
		break_off(e);
		break;
	}
}

static bool
begins(struct span with, struct span bytes)
{
	return with.n <= bytes.n && (with.n == 0 || memcmp(with.p, bytes.p, with.n) == 0);
}

static void __attribute__((noreturn))
differ(const struct end *client, const struct end *server)
{
	const struct strbuf *streams[] = { &client->said, &server->heard, &server->said, &client->heard };
	static const char *const names[] = { "client said", "server heard", "server said", "client heard" };

	for (int i = 0; i < 4; i++) {
		fprintf(stderr, "%s %zu bytes:", names[i], streams[i]->n);
		for (size_t b = 0; b < streams[i]->n && b < 200; b++)
			fprintf(stderr, " %02x", (unsigned char)streams[i]->p[b]);
		fputc('\n', stderr);
	}
	abort();
}

/* In clear on both legs PostgreSQL's handshake swallows requests for TLS and GSS, eight bytes each, and answers them with N. */
static void
compare(const struct end *client, const struct end *server)
{
	struct span said = strbuf_span(&client->said), heard = strbuf_span(&client->heard);
	bool same = false;

	for (size_t k = 0; k <= 8 * LIMIT_PG_HANDSHAKES && k <= said.n && !same; k += 8)
		same = begins(strbuf_span(&server->heard), span_from(said, k));
	if (!same)
		differ(client, server);
	for (size_t k = 0; k <= LIMIT_PG_HANDSHAKES && k <= heard.n; k++)
		if (begins(span_from(heard, k), strbuf_span(&server->said)) || memmem(heard.p, heard.n, "rowcall", 7))
			return;
	differ(client, server);
}

static void
open_session(struct theatre *t, struct end *client, uint8_t policy)
{
	static const enum wire_tls towards[] = { WIRE_TLS_DISABLE, WIRE_TLS_ALLOW, WIRE_TLS_REQUIRE, WIRE_TLS_PASSTHROUGH };
	struct address peer = { .sa.ss_family = AF_UNIX, .len = sizeof(sa_family_t) };
	int pair[2];

	t->listener.engine = policy & 1 ? &my_engine : &pg_engine;
	t->listens.upstream.engine = policy & 1 ? ENGINE_MYSQL : ENGINE_POSTGRESQL;
	t->listens.setup = (struct wire_setup){ .client_tls = towards[policy >> 1 & 3], .server_tls = (enum wire_tls)((policy >> 3 & 7) % 6) };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	client->fd = pair[0];
	t->worker.now = clock_ns();
	session_start(&t->worker, &t->listener, pair[1], &peer);
}

/* Both ends have nothing more to say; all that is under way arrives, or the session is ended as by a stop. */
static void
curtain(struct theatre *t, struct end *client, struct end *server)
{
	act(client, SHUT, (struct span){ 0 });
	for (int i = 0; i < LAST_TURNS && t->worker.sessions; i++) {
		turn(t, 1);
		answer_call(t, server);
		hear(client);
		hear(server);
		act(server, SHUT, (struct span){ 0 });
	}
	while (t->worker.sessions)
		session_kill(t->worker.sessions);
	turn(t, 1);
	answer_call(t, server);
	hear(client);
	hear(server);
	if (t->worker.dead || counter_get(&t->worker.counters.open) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct theatre *t;
	struct end ends[2] = { { .fd = -1 }, { .fd = -1 } };
	size_t n;

	if (!t)
		t = build();
	if (size == 0)
		return 0;
	for (int i = 0; i < 2; i++) {
		strbuf_init(&ends[i].said, MOST);
		strbuf_init(&ends[i].heard, MOST);
	}
	open_session(t, &ends[0], data[0]);
	for (size_t i = 1; i < size; i += n) {
		enum deed deed = (enum deed)(data[i] >> 1 & 3);
		struct span bytes = { 0 };

		n = 1;
		if (deed == SAY && i + 3 <= size) {
			bytes = span_first(span_of(data + i + 3, size - i - 3), data[i + 1] | (size_t)data[i + 2] << 8);
			n = 3 + bytes.n;
		}
		act(&ends[data[i] & 1], deed, bytes);
		turn(t, TURNS);
		answer_call(t, &ends[1]);
	}
	curtain(t, &ends[0], &ends[1]);
	/* Where TLS may be spoken, or the greeting be edited, streams differ. */
	if ((data[0] & 0x3f) == 0)
		compare(&ends[0], &ends[1]);
	for (int i = 0; i < 2; i++) {
		break_off(&ends[i]);
		strbuf_clear(&ends[i].said);
		strbuf_clear(&ends[i].heard);
	}
	return 0;
}
