/* SPDX-License-Identifier: Apache-2.0 */
/* The admin port, over real connections: who may ask, what is answered, what a mark may be. */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include <cmocka.h>

#include "fingerprint/limits.h"
#include "reports/judge/collector.h"
#include "reports/serve/admin.h"

/* What the admin port is a door to; marks arrive on its thread, before its answer is sent. */
struct behind {
	pthread_mutex_t lock;
	char marks[2000];
	bool ready;
	struct collector *collector;
};

static void
take_mark(void *ctx, const char *test, const char *request)
{
	struct behind *b = ctx;

	pthread_mutex_lock(&b->lock);
	size_t n = strlen(b->marks);

	snprintf(b->marks + n, sizeof b->marks - n, "%s|%s\n", test ? test : "-", request ? request : "-");
	pthread_mutex_unlock(&b->lock);
}

static bool
is_ready(void *ctx)
{
	return ((struct behind *)ctx)->ready;
}

static struct snapshot *
take_snapshot(void *ctx)
{
	struct run_info run = { .version = "1.2.3", .command = "test" };

	return collector_snapshot(((struct behind *)ctx)->collector, &run);
}

static void
count(void *ctx, struct counters *out)
{
	(void)ctx;
	*out = (struct counters){ .uptime = 1500000000, .accepted = 7, .open = 2, .bytes_to_server = 10, .bytes_to_client = 20, .cut_texts = 3, .lost = 1 };
	out->expected[0] = (struct opaque_counter){ "replication", 4 };
	out->unexpected[0] = (struct opaque_counter){ "bad length", 5 };
	out->cache.hits = 3;
	out->cache.misses = 1;
}

struct fixture {
	struct behind behind;
	struct admin *admin;
	char answer[200000];
};

static int
start(void **state, const char *token)
{
	static const struct collector_config cfg = {
		.gate = { .max_queries = NO_LIMIT, .max_total_queries = NO_LIMIT, .config_file = "", .today = "2026-01-01" }
	};
	struct fixture *f = calloc(1, sizeof *f);
	char err[300];

	pthread_mutex_init(&f->behind.lock, NULL);
	f->behind.ready = true;
	f->behind.collector = collector_new(&cfg);
	f->admin = admin_start(&(struct admin_config){ "127.0.0.1", 0, token },
	    (struct admin_source){ &f->behind, take_mark, is_ready, take_snapshot, count }, err, sizeof err);
	*state = f;
	return f->admin ? 0 : -1;
}

static int
start_open(void **state)
{
	return start(state, "");
}

static int
start_with_token(void **state)
{
	return start(state, "s3cret");
}

static int
stop(void **state)
{
	struct fixture *f = *state;

	admin_stop(f->admin);
	collector_free(f->behind.collector);
	pthread_mutex_destroy(&f->behind.lock);
	free(f);
	return 0;
}

static int
connect_to(uint16_t port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	return fd;
}

/* Sends the bytes, reads until the other side closes; the status. */
static int
ask(struct fixture *f, const char *request, size_t n)
{
	int fd = connect_to(admin_port(f->admin)), status = 0;
	size_t got = 0;
	ssize_t more;

	assert_true(send(fd, request, n, MSG_NOSIGNAL) >= 0);
	while (got + 1 < sizeof f->answer && (more = recv(fd, f->answer + got, sizeof f->answer - 1 - got, 0)) > 0)
		got += (size_t)more;
	f->answer[got] = '\0';
	close(fd);
	sscanf(f->answer, "HTTP/1.1 %d", &status);
	return status;
}

/* headers: further lines, each with its "\r\n". */
static int
get(struct fixture *f, const char *path, const char *headers)
{
	char request[4096];

	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nConnection: close\r\n%s\r\n", path, headers);
	return ask(f, request, strlen(request));
}

static int
mark(struct fixture *f, const char *headers, const char *body)
{
	size_t room = strlen(body) + 1000;
	char *request = malloc(room);

	snprintf(request, room, "POST /api/v1/marks HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\nContent-Length: %zu\r\n%s\r\n%s",
	    strlen(body), headers, body);

	int status = ask(f, request, strlen(request));

	free(request);
	return status;
}

#define JSON "Content-Type: application/json\r\n"

static void
marks_reach_the_capture(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mark(f, JSON, "{\"test\":\"t.py::a\"}"), 204);
	assert_int_equal(mark(f, JSON, "{\"test\":\"t\",\"request\":\"r\"}"), 204);
	assert_int_equal(mark(f, "Content-Type: application/json; charset=utf-8\r\n", "{\"request\":null}"), 204);
	assert_int_equal(mark(f, JSON, "{\"test\":\"\"}"), 204);
	assert_string_equal(f->behind.marks, "t.py::a|-\nt|r\n-|\n|-\n");
}

static void
what_is_no_mark_is_refused(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "{}", "\"a\"", "{\"test\":1}", "{\"test\":[\"a\"]}", "{\"tests\":\"a\"}",
		"{\"test\":\"a\",\"scope\":\"b\"}", "{\"test\":\"a\",\"test\":\"b\"}", "{\"test\":\"a\"} {}", "{\"test\":\"\xff\"}",
		"{\"test\":\"a\\u0000b\"}" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (mark(f, JSON, bad[i]) != 400)
			fail_msg("%s: %s", bad[i], f->answer);
	}
	assert_int_equal(mark(f, "", "{\"test\":\"a\"}"), 415);
	assert_int_equal(mark(f, "Content-Type: text/plain\r\n", "{\"test\":\"a\"}"), 415);
	assert_int_equal(mark(f, "Content-Type: application/jsonx\r\n", "{\"test\":\"a\"}"), 415);
	assert_int_equal(get(f, "/api/v1/marks", "Host: localhost\r\n"), 405);
	assert_string_equal(f->behind.marks, "");
}

static void
bodies_are_bounded_and_names_are_not(void **state)
{
	struct fixture *f = *state;
	char name[2 * LIMIT_NAME], body[2 * LIMIT_NAME + 40];

	memset(name, 'a', sizeof name);
	name[sizeof name - 1] = '\0';
	snprintf(body, sizeof body, "{\"test\":\"%s\"}", name);
	assert_int_equal(mark(f, JSON, body), 204);
	char *large = malloc(LIMIT_HTTP_BODY + 2);

	memset(large, ' ', LIMIT_HTTP_BODY + 1);
	memcpy(large, "{\"test\":\"a\"}", 12);
	large[LIMIT_HTTP_BODY] = '\0';
	assert_int_equal(mark(f, JSON, large), 204);
	large[LIMIT_HTTP_BODY] = ' ';
	large[LIMIT_HTTP_BODY + 1] = '\0';
	assert_int_equal(mark(f, JSON, large), 413);
	free(large);
}

static void
health_and_readiness(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, "/healthz", "Host: 10.0.0.7:9433\r\n"), 200);
	assert_int_equal(get(f, "/readyz", "Host: localhost\r\n"), 200);
	f->behind.ready = false;
	assert_int_equal(get(f, "/readyz", "Host: localhost\r\n"), 503);
	assert_int_equal(get(f, "/healthz", "Host: localhost\r\n"), 200);
}

static void
the_counters_are_one_object(void **state)
{
	struct fixture *f = *state;
	const char *body;
	json_int_t accepted, open, lost, cut, opaque, unexpected, hits;
	double uptime_ms, percent;

	assert_int_equal(get(f, "/api/v1/counters", "Host: evil.example\r\n"), 403);
	assert_int_equal(get(f, "/api/v1/counters", "Host: localhost\r\n"), 200);
	assert_non_null(strstr(f->answer, "Content-Type: application/json"));
	body = strstr(f->answer, "\r\n\r\n");
	assert_non_null(body);
	json_t *counters = json_loads(body + 4, 0, NULL);

	assert_int_equal(json_unpack(counters, "{s:F, s:{s:I, s:I}, s:I, s:{s:I}, s:{s:I}, s:{s:I}, s:{s:I, s:F}}", "uptime_ms", &uptime_ms, "sessions",
	    "accepted", &accepted, "open", &open, "lost", &lost, "truncated", "texts", &cut, "opaque_expected", "replication", &opaque,
	    "opaque_unexpected", "bad length", &unexpected, "statement_cache", "hits", &hits, "hit_percent", &percent), 0);
	assert_true(uptime_ms == 1500 && percent == 75);
	assert_true(accepted == 7 && open == 2 && lost == 1 && cut == 3 && opaque == 4 && unexpected == 5 && hits == 3);
	json_decref(counters);
}

static void
the_snapshot_is_the_json_report(void **state)
{
	struct fixture *f = *state;
	const char *body;
	json_t *report;

	assert_int_equal(get(f, "/api/v1/snapshot", "Host: 127.0.0.1:9433\r\n"), 200);
	assert_non_null(strstr(f->answer, "Content-Type: application/json"));
	body = strstr(f->answer, "\r\n\r\n");
	assert_non_null(body);
	report = json_loads(body + 4, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(report, "schema")), "rowcall.report/1");
	json_decref(report);
	assert_int_equal(get(f, "/elsewhere", "Host: localhost\r\n"), 404);
}

static void
only_this_machine_and_our_own_pages_may_ask(void **state)
{
	static const struct {
		const char *headers;
		int status;
	} cases[] = {
		{ "Host: localhost\r\n", 200 },
		{ "Host: LOCALHOST:9433\r\n", 200 },
		{ "Host: 127.0.0.1:9433\r\n", 200 },
		{ "Host: [::1]:9433\r\n", 200 },
		{ "Host: localhost:9433\r\nOrigin: http://localhost:9433\r\n", 200 },
		{ "", 403 },
		{ "Host: evil.example\r\n", 403 },
		{ "Host: localhost.evil.example\r\n", 403 },
		{ "Host: evil.example:9433\r\n", 403 },
		{ "Host: 127.0.0.1.evil.example\r\n", 403 },
		{ "Host: localhost:9433\r\nOrigin: http://evil.example\r\n", 403 },
		{ "Host: localhost:9433\r\nOrigin: http://localhost:3000\r\n", 403 },
		{ "Host: localhost:9433\r\nOrigin: https://localhost:9433\r\n", 403 },
		{ "Host: localhost:9433\r\nOrigin: null\r\n", 403 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int status = get(f, "/api/v1/snapshot", cases[i].headers);

		if (status != cases[i].status)
			fail_msg("%d for %s", status, cases[i].headers);
		assert_null(strstr(f->answer, "Access-Control"));
	}
	assert_int_equal(mark(f, JSON "Origin: http://evil.example\r\n", "{\"test\":\"a\"}"), 403);
	assert_string_equal(f->behind.marks, "");
}

static void
a_token_is_asked_for(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, "/api/v1/snapshot", "Host: localhost\r\n"), 401);
	assert_non_null(strstr(f->answer, "WWW-Authenticate: Bearer"));
	assert_int_equal(get(f, "/api/v1/snapshot", "Host: localhost\r\nAuthorization: Bearer s3cre\r\n"), 401);
	assert_int_equal(get(f, "/api/v1/snapshot", "Host: localhost\r\nAuthorization: Bearer s3crets\r\n"), 401);
	assert_int_equal(get(f, "/api/v1/snapshot", "Host: localhost\r\nAuthorization: Bearer \r\n"), 401);
	assert_int_equal(get(f, "/api/v1/snapshot", "Host: localhost\r\nAuthorization: Basic s3cret\r\n"), 401);
	assert_int_equal(get(f, "/api/v1/snapshot", "Host: db.internal\r\nAuthorization: Bearer s3cret\r\n"), 200);
	assert_int_equal(mark(f, JSON, "{\"test\":\"a\"}"), 401);
	assert_int_equal(mark(f, JSON "Authorization: Bearer s3cret\r\n", "{\"test\":\"a\"}"), 204);
	assert_int_equal(get(f, "/healthz", "Host: localhost\r\n"), 200);
	assert_string_equal(f->behind.marks, "a|-\n");
}

static void
garbage_and_silence_do_no_harm(void **state)
{
	struct fixture *f = *state;
	int silent = connect_to(admin_port(f->admin));

	ask(f, "NONSENSE\r\n\r\n", 12);
	ask(f, "GET / HTTP/9.9\r\n\r\n", 18);
	assert_int_equal(get(f, "/healthz", "Host: localhost\r\n"), 200);
	close(silent);
}

static void
beyond_loopback_only_with_a_token(void **state)
{
	struct admin_source none = { NULL, take_mark, is_ready, take_snapshot, count };
	char err[300] = "";

	(void)state;
	assert_null(admin_start(&(struct admin_config){ "0.0.0.0", 0, "" }, none, err, sizeof err));
	assert_non_null(strstr(err, "token_file"));
	struct admin *a = admin_start(&(struct admin_config){ "0.0.0.0", 0, "s3cret" }, none, err, sizeof err);

	assert_non_null(a);
	assert_int_not_equal(admin_port(a), 0);

	assert_null(admin_start(&(struct admin_config){ "127.0.0.1", admin_port(a), "" }, none, err, sizeof err));
	assert_non_null(strstr(err, "in use"));
	assert_non_null(strstr(err, "--admin"));
	admin_stop(a);
	admin_stop(NULL);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_open, stop)
	const struct CMUnitTest tests[] = {
		TEST(marks_reach_the_capture),
		TEST(what_is_no_mark_is_refused),
		TEST(bodies_are_bounded_and_names_are_not),
		TEST(health_and_readiness),
		TEST(the_snapshot_is_the_json_report),
		TEST(the_counters_are_one_object),
		TEST(only_this_machine_and_our_own_pages_may_ask),
		cmocka_unit_test_setup_teardown(a_token_is_asked_for, start_with_token, stop),
		TEST(garbage_and_silence_do_no_harm),
		cmocka_unit_test(beyond_loopback_only_with_a_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
