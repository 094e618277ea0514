/* SPDX-License-Identifier: Apache-2.0 */
/* A session between real sockets: the test is the client on one end and the database on the other, a worker of the program in between. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/core/session.h"
#include "proxy/log.h"

enum { PATIENCE_S = 20, LARGE = 100 << 10 };

static const char startup[] = "\0\0\0\x21\0\3\0\0user\0app\0database\0app\0\0\0";
enum { STARTUP = 0x21 };

struct stage {
	struct config cfg;
	struct listen_config listens;
	struct listener listener;
	struct worker_shared shared;
	struct ring *ring;
	struct shapes *shapes;
	struct worker *worker;
	char path[108];
	int database;	/* listens */
	int client, server;	/* our ends of the session */
};

static void
be_patient(int fd)
{
	const struct timeval tv = { PATIENCE_S, 0 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
}

static void
open_database(struct stage *st)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	snprintf(st->path, sizeof st->path, "/tmp/rowcall-session-%d", (int)getpid());
	unlink(st->path);
	memcpy(un.sun_path, st->path, strlen(st->path) + 1);
	st->database = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(st->database, (struct sockaddr *)&un, sizeof un), 0);
	assert_int_equal(listen(st->database, 8), 0);
	be_patient(st->database);
}

static int
set_up(void **state)
{
	struct stage *st = calloc(1, sizeof *st);

	open_database(st);
	st->cfg.connect_timeout = 1000000000u;
	st->listens.name = "test";
	st->listens.upstream.display = st->path;
	st->listens.setup.server_tls = WIRE_TLS_DISABLE;
	st->listener = (struct listener){ .cfg = &st->listens, .engine = &pg_engine, .fixed = true };
	assert_true(address_unix(&st->listener.upstream, st->path));
	st->shared = (struct worker_shared){ .cfg = &st->cfg, .log = log_new(STDERR_FILENO, LOG_ERROR, false), .listeners = &st->listener,
		.nlisteners = 1 };
	st->shared.handshake_ms = LIMIT_HANDSHAKE_MS;
	st->shared.cancels = cancel_map_new();
	st->shared.resolver = resolver_new();
	st->ring = ring_new(LIMIT_RING_BYTES, 0);
	st->shapes = shapes_new();
	st->client = st->server = -1;
	*state = st;
	return 0;
}

static void
end_of(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int
tear_down(void **state)
{
	struct stage *st = *state;

	end_of(&st->client);
	end_of(&st->server);
	worker_stop(st->worker);
	resolver_free(st->shared.resolver);
	worker_free(st->worker);
	cancel_map_free(st->shared.cancels);
	ring_free(st->ring);
	shapes_free(st->shapes);
	log_free(st->shared.log);
	close(st->database);
	unlink(st->path);
	free(st);
	return 0;
}

/* A client has been accepted. */
static void
begin(struct stage *st)
{
	struct address peer = { .sa.ss_family = AF_UNIX, .len = sizeof(sa_family_t) };
	int pair[2];

	st->worker = worker_new(&st->shared, st->ring, st->shapes);
	assert_non_null(st->worker);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
	be_patient(pair[0]);
	st->client = pair[0];
	assert_true(worker_accept(st->worker, &st->listener, pair[1], &peer));
}

static void
answer_call(struct stage *st)
{
	st->server = accept(st->database, NULL, NULL);
	assert_true(st->server >= 0);
	be_patient(st->server);
}

static void
say(int fd, const void *p, size_t n)
{
	assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* Reads exactly these bytes. */
static void
hear(int fd, const void *p, size_t n)
{
	char got[64];

	assert_true(n <= sizeof got);
	assert_int_equal(recv(fd, got, n, MSG_WAITALL), (ssize_t)n);
	assert_memory_equal(got, p, n);
}

/* Reads to the end and says how much that was. */
static size_t
hear_out(int fd)
{
	char chunk[65536];
	size_t all = 0;
	ssize_t n;

	while ((n = recv(fd, chunk, sizeof chunk, 0)) > 0)
		all += (size_t)n;
	assert_int_equal(n, 0);
	return all;
}

/* What of so much goes out without waiting; the other side does not read. */
static size_t
stuff(int fd, size_t most)
{
	static const char chunk[4096] = { 'S' };
	size_t all = 0;
	unsigned idle = 0;

	while (all < most && idle < 50) {
		size_t want = most - all < sizeof chunk ? most - all : sizeof chunk;
		ssize_t n = send(fd, chunk, want, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0)
			usleep(2000);
		idle = n < 0 ? idle + 1 : 0;
		all += n > 0 ? (size_t)n : 0;
	}
	return all;
}

static void
await(bool (*holds)(struct stage *st), struct stage *st)
{
	for (unsigned ms = 0; ms < PATIENCE_S * 1000 && !holds(st); ms++)
		usleep(1000);
	assert_true(holds(st));
}

static bool
no_session(struct stage *st)
{
	return counter_get(&st->worker->counters.accepted) > 0 && counter_get(&st->worker->counters.open) == 0;
}

static void
connect_through(struct stage *st)
{
	begin(st);
	say(st->client, startup, STARTUP);
	answer_call(st);
	hear(st->server, startup, STARTUP);
	say(st->server, "R\0\0\0\x08\0\0\0\0Z\0\0\0\5I", 15);
	hear(st->client, "R\0\0\0\x08\0\0\0\0Z\0\0\0\5I", 15);
}

/* ---- ends ---- */

/* Notices towards a client that does not read, until some of what the proxy has read waits in the proxy. Returns how much it has read. */
static size_t
fill_queue(struct stage *st)
{
	static char notice[4096] = { 'N', 0, 0, 0x0f, '\xff' };
	size_t told = counter_get(&st->worker->counters.bytes[WIRE_SERVER]), all = 0;
	int there = 0;

	for (;;) {
		say(st->server, notice, sizeof notice);
		all += sizeof notice;
		for (unsigned ms = 0; counter_get(&st->worker->counters.bytes[WIRE_SERVER]) < told + all && ms < PATIENCE_S * 1000; ms++)
			usleep(1000);
		usleep(1000);
		assert_int_equal(ioctl(st->client, FIONREAD, &there), 0);
		if ((size_t)there < all)
			return all;
	}
}

static void
a_client_that_has_said_all_is_answered_after_the_server_chose_about_tls(void **state)
{
	struct stage *st = *state;

	st->listens.setup.server_tls = WIRE_TLS_PREFER;
	begin(st);
	say(st->client, startup, STARTUP);
	answer_call(st);
	hear(st->server, "\0\0\0\x08\x04\xd2\x16\x2f", 8);
	shutdown(st->client, SHUT_WR);
	usleep(50000);
	say(st->server, "N", 1);
	hear(st->server, startup, STARTUP);
	say(st->server, "R\0\0\0\x08\0\0\0\0", 9);
	hear(st->client, "R\0\0\0\x08\0\0\0\0", 9);
	assert_int_equal(hear_out(st->server), 0);
}

static void
a_client_that_leaves_before_it_has_said_who_it_is_ends_the_session(void **state)
{
	struct stage *st = *state;

	begin(st);
	say(st->client, startup, STARTUP - 1);
	end_of(&st->client);
	await(no_session, st);
}

static void
what_is_queued_both_ways_arrives_after_both_have_closed(void **state)
{
	struct stage *st = *state;
	size_t asked, answered;

	connect_through(st);
	say(st->client, "Q\x7f\0\0\0", 5);
	asked = 5 + stuff(st->client, 64 << 20);
	answered = stuff(st->server, 64 << 20);
	shutdown(st->client, SHUT_WR);
	shutdown(st->server, SHUT_WR);
	assert_int_equal(hear_out(st->server), asked);
	assert_int_equal(hear_out(st->client), answered);
	await(no_session, st);
}

static void
what_a_server_said_before_it_broke_reaches_a_slow_client(void **state)
{
	struct stage *st = *state;
	size_t all;

	connect_through(st);
	all = fill_queue(st);
	shutdown(st->server, SHUT_RD);
	say(st->client, "X\0\0\0\4", 5);
	usleep(20000);
	assert_int_equal(hear_out(st->client), all);
	await(no_session, st);
}

static void
more_than_a_bufferful_before_the_server_is_there_is_kept_back_not_refused(void **state)
{
	struct stage *st = *state;
	char *text = calloc(1, LARGE);

	st->listens.setup.server_tls = WIRE_TLS_PREFER;
	begin(st);
	say(st->client, startup, STARTUP);
	answer_call(st);
	hear(st->server, "\0\0\0\x08\x04\xd2\x16\x2f", 8);
	memcpy(text, "Q\0\1\x8f\xff", 5);
	memset(text + 5, 'x', LARGE - 6);
	say(st->client, text, LARGE);
	shutdown(st->client, SHUT_WR);
	usleep(50000);
	say(st->server, "N", 1);
	hear(st->server, startup, STARTUP);
	assert_int_equal(hear_out(st->server), LARGE);
	free(text);
}

static void
a_client_that_says_nothing_is_not_waited_for_for_ever(void **state)
{
	struct stage *st = *state;

	st->shared.handshake_ms = 50;
	begin(st);
	assert_int_equal(hear_out(st->client), 0);
	await(no_session, st);
}

static void
a_server_that_says_nothing_about_tls_is_not_waited_for_for_ever(void **state)
{
	struct stage *st = *state;

	st->shared.handshake_ms = 50;
	st->listens.setup.server_tls = WIRE_TLS_PREFER;
	begin(st);
	say(st->client, startup, STARTUP);
	answer_call(st);
	hear(st->server, "\0\0\0\x08\x04\xd2\x16\x2f", 8);
	assert_true(hear_out(st->client) > 50); /* an error that says so */
	await(no_session, st);
}

static void
the_deadline_is_for_the_handshake_alone(void **state)
{
	struct stage *st = *state;

	st->shared.handshake_ms = 50;
	connect_through(st);
	usleep(150000);
	say(st->server, "N\0\0\0\5\0", 6);
	hear(st->client, "N\0\0\0\5\0", 6);
}

/* ---- draining ---- */

static void
a_session_that_falls_idle_as_its_last_answer_leaves_is_drained(void **state)
{
	struct stage *st = *state;
	size_t all;

	connect_through(st);
	all = fill_queue(st);
	worker_drain(st->worker);
	usleep(20000);
	assert_int_equal(hear_out(st->client), all);
	await(no_session, st);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(a_client_that_has_said_all_is_answered_after_the_server_chose_about_tls),
		T(a_client_that_leaves_before_it_has_said_who_it_is_ends_the_session),
		T(what_is_queued_both_ways_arrives_after_both_have_closed),
		T(what_a_server_said_before_it_broke_reaches_a_slow_client),
		T(more_than_a_bufferful_before_the_server_is_there_is_kept_back_not_refused),
		T(a_client_that_says_nothing_is_not_waited_for_for_ever),
		T(a_server_that_says_nothing_about_tls_is_not_waited_for_for_ever),
		T(the_deadline_is_for_the_handshake_alone),
		T(a_session_that_falls_idle_as_its_last_answer_leaves_is_drained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
