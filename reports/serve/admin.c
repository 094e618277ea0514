/* SPDX-License-Identifier: Apache-2.0 */
/* admin: see admin.h. evhttp on its own thread; every request is judged (Host, Origin, token) before it is looked at. */
#include "admin.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "reports/judge/collector.h"
#include "reports/write/write.h"

struct admin {
	struct event_base *base;
	struct evhttp *http;
	struct evhttp_bound_socket *bound;
	struct event *bell;
	int bell_fd;
	uint16_t port;
	char *token;
	struct admin_source src;
	pthread_t thread;
	bool started;
};

static void
answer(struct evhttp_request *req, int status, const char *type, struct span body)
{
	struct evbuffer *out = evbuffer_new();
	struct evkeyvalq *head = evhttp_request_get_output_headers(req);

	evhttp_add_header(head, "Content-Type", type);
	evhttp_add_header(head, "X-Content-Type-Options", "nosniff");
	evhttp_add_header(head, "Cache-Control", "no-store");
	if (out && body.n)
		evbuffer_add(out, body.p, body.n);
	evhttp_send_reply(req, status, NULL, out);
	if (out)
		evbuffer_free(out);
}

static void
answer_text(struct evhttp_request *req, int status, const char *text)
{
	answer(req, status, "text/plain; charset=utf-8", span_str(text));
}

static void
refuse_method(struct evhttp_request *req, const char *allowed)
{
	evhttp_add_header(evhttp_request_get_output_headers(req), "Allow", allowed);
	answer_text(req, 405, "not by this method\n");
}

/* ---- who may ask ---- */

static bool
loopback_name(struct span host)
{
	return span_is_nocase(host, "localhost") || span_is(host, "127.0.0.1") || span_is(host, "[::1]") || span_is(host, "::1");
}

/* A page of another site can make a browser ask us, but cannot make it lie about Host and Origin. */
static bool
host_is_ours(const char *value)
{
	struct span host = span_str(value);
	size_t n = host.n;

	while (n > 0 && host.p[n - 1] >= '0' && host.p[n - 1] <= '9')
		n--;
	if (n > 0 && n < host.n && host.p[n - 1] == ':')
		host.n = n - 1;
	return loopback_name(host);
}

/* A browser says which page asks: only one that we served may. */
static bool
origin_is_ours(const char *origin, const char *host)
{
	static const char scheme[] = "http://";

	return !origin || (strncmp(origin, scheme, sizeof scheme - 1) == 0 && strcmp(origin + sizeof scheme - 1, host) == 0);
}

/* Takes the same time wherever the difference is. */
static bool
same_secret(const char *a, const char *b)
{
	size_t n = strlen(b);
	unsigned diff = strlen(a) != n;

	for (size_t i = 0; i < n; i++)
		diff |= (unsigned)(a[i < strlen(a) ? i : 0] ^ b[i]);
	return diff == 0;
}

static bool
may_ask(struct admin *a, struct evhttp_request *req)
{
	struct evkeyvalq *head = evhttp_request_get_input_headers(req);
	const char *host = evhttp_find_header(head, "Host"), *origin = evhttp_find_header(head, "Origin");
	const char *auth = evhttp_find_header(head, "Authorization");
	static const char bearer[] = "Bearer ";

	if (*a->token) {
		if (auth && strncmp(auth, bearer, sizeof bearer - 1) == 0 && same_secret(auth + sizeof bearer - 1, a->token))
			return true;
		evhttp_add_header(evhttp_request_get_output_headers(req), "WWW-Authenticate", "Bearer");
		answer_text(req, 401, "a token is needed: Authorization: Bearer TOKEN\n");
		return false;
	}
	if (host && host_is_ours(host) && origin_is_ours(origin, host))
		return true;
	answer_text(req, 403, "this port answers only requests made to localhost\n");
	return false;
}

/* ---- what is served ---- */

static void
on_health(struct evhttp_request *req, void *arg)
{
	(void)arg;
	answer_text(req, 200, "ok\n");
}

static void
on_ready(struct evhttp_request *req, void *arg)
{
	struct admin *a = arg;
	bool ready = a->src.ready(a->src.ctx);

	answer_text(req, ready ? 200 : 503, ready ? "ready\n" : "not accepting\n");
}

/* Whether it is a GET of somebody who may; else it was answered. */
static bool
may_get(struct admin *a, struct evhttp_request *req)
{
	if (!may_ask(a, req))
		return false;
	if (evhttp_request_get_command(req) == EVHTTP_REQ_GET)
		return true;
	refuse_method(req, "GET");
	return false;
}

static void
on_counters(struct evhttp_request *req, void *arg)
{
	struct admin *a = arg;
	struct counters c = { 0 };
	struct strbuf out;

	if (!may_get(a, req))
		return;
	a->src.counters(a->src.ctx, &c);
	strbuf_init(&out, LIMIT_REPORT_BYTES);
	counters_write(&c, &out);
	answer(req, 200, "application/json", strbuf_span(&out));
	strbuf_clear(&out);
}

static void
on_snapshot(struct evhttp_request *req, void *arg)
{
	struct admin *a = arg;
	struct write_options o = { .width = 96, .all = true };
	struct snapshot *snap;
	struct strbuf out;

	if (!may_get(a, req))
		return;
	snap = a->src.snapshot(a->src.ctx);
	strbuf_init(&out, LIMIT_REPORT_BYTES);
	write_snapshot(FORMAT_JSON, snap, &o, &out);
	if (out.cut)
		answer_text(req, 507, "the snapshot is too large to be sent\n");
	else
		answer(req, 200, "application/json", strbuf_span(&out));
	strbuf_clear(&out);
	snapshot_free(snap);
}

/* A member that must be a string or null when it is there. NULL = not there. False: of another kind. */
static bool
mark_member(const json_t *mark, const char *name, const char **value)
{
	const json_t *v = json_object_get(mark, name);

	*value = NULL;
	if (!v)
		return true;
	if (json_is_null(v)) {
		*value = "";
		return true;
	}
	*value = json_string_value(v);
	return *value != NULL;
}

/* {"test": NAME, "request": NAME}: one or both, and nothing else, as a misspelt member would change nothing in silence. */
static bool
read_mark(const json_t *mark, const char **test, const char **request)
{
	size_t known;

	if (!json_is_object(mark) || !mark_member(mark, "test", test) || !mark_member(mark, "request", request))
		return false;
	known = (*test != NULL) + (*request != NULL);
	return known > 0 && json_object_size(mark) == known;
}

static void
take_mark(struct admin *a, struct evhttp_request *req, const json_t *mark)
{
	const char *test, *request;

	if (!read_mark(mark, &test, &request)) {
		answer_text(req, 400, "a mark is {\"test\": NAME, \"request\": NAME}, at least one of them; null or \"\" ends it\n");
		return;
	}
	a->src.mark(a->src.ctx, test, request);
	answer(req, 204, "application/json", (struct span){ NULL, 0 });
}

static void
on_marks(struct evhttp_request *req, void *arg)
{
	struct admin *a = arg;
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	const char *type = evhttp_find_header(evhttp_request_get_input_headers(req), "Content-Type");
	size_t n = evbuffer_get_length(in);
	json_error_t why;
	json_t *mark;

	if (!may_ask(a, req))
		return;
	if (evhttp_request_get_command(req) != EVHTTP_REQ_POST) {
		refuse_method(req, "POST");
		return;
	}
	/* A form of another page cannot send this type without asking first. */
	if (!type || strncasecmp(type, "application/json", 16) != 0 || !strchr("; ", type[16])) {
		answer_text(req, 415, "Content-Type: application/json only\n");
		return;
	}
	mark = json_loadb(n ? (const char *)evbuffer_pullup(in, -1) : "", n, JSON_REJECT_DUPLICATES, &why);
	take_mark(a, req, mark);
	json_decref(mark);
}

static void
on_other(struct evhttp_request *req, void *arg)
{
	struct admin *a = arg;

	if (may_ask(a, req))
		answer_text(req, 404, "nothing here; there are /healthz, /readyz, /api/v1/snapshot, /api/v1/counters and /api/v1/marks\n");
}

/* ---- life ---- */

static void
on_bell(evutil_socket_t fd, short what, void *arg)
{
	struct admin *a = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(a->base);
}

static void *
admin_main(void *arg)
{
	struct admin *a = arg;

	event_base_dispatch(a->base);
	return NULL;
}

static void
admin_free(struct admin *a)
{
	if (a->http)
		evhttp_free(a->http);
	if (a->bell)
		event_free(a->bell);
	if (a->base)
		event_base_free(a->base);
	if (a->bell_fd >= 0)
		close(a->bell_fd);
	mem_free(a->token);
	mem_free(a);
}

static bool
bind_port(struct admin *a, const struct admin_config *cfg, char *err, size_t err_n)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof sa;

	if (!*a->token && !loopback_name(span_str(cfg->address))) {
		snprintf(err, err_n, "admin port: %s is not loopback: set admin.token_file, or listen on 127.0.0.1", cfg->address);
		return false;
	}
	errno = 0;
	a->bound = evhttp_bind_socket_with_handle(a->http, cfg->address, cfg->port);
	if (!a->bound) {
		snprintf(err, err_n, "admin port: cannot listen on %s:%u: %s; choose another with --admin", cfg->address, cfg->port,
		    strerror(errno ? errno : EINVAL));
		return false;
	}
	if (getsockname(evhttp_bound_socket_get_fd(a->bound), (struct sockaddr *)&sa, &n) == 0) {
		/* The port stands at the same place, in network order, in both families. */
		uint8_t port[2];

		memcpy(port, (const char *)&sa + 2, 2);
		a->port = (uint16_t)(port[0] << 8 | port[1]);
	}
	return true;
}

static bool
set_up(struct admin *a)
{
	a->bell_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	a->base = event_base_new();
	a->http = a->base ? evhttp_new(a->base) : NULL;
	a->bell = a->base && a->bell_fd >= 0 ? event_new(a->base, a->bell_fd, EV_READ, on_bell, a) : NULL;
	if (!a->http || !a->bell || event_add(a->bell, NULL) != 0)
		return false;
	evhttp_set_max_body_size(a->http, LIMIT_HTTP_BODY);
	evhttp_set_max_headers_size(a->http, LIMIT_HTTP_HEADERS);
	evhttp_set_timeout(a->http, 10);
	evhttp_set_allowed_methods(a->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD);
	evhttp_set_cb(a->http, "/healthz", on_health, a);
	evhttp_set_cb(a->http, "/readyz", on_ready, a);
	evhttp_set_cb(a->http, "/api/v1/marks", on_marks, a);
	evhttp_set_cb(a->http, "/api/v1/snapshot", on_snapshot, a);
	evhttp_set_cb(a->http, "/api/v1/counters", on_counters, a);
	evhttp_set_gencb(a->http, on_other, a);
	return true;
}

struct admin *
admin_start(const struct admin_config *cfg, struct admin_source src, char *err, size_t err_n)
{
	struct admin *a = xmem_zero(sizeof *a);

	a->src = src;
	a->token = xmem_strdup(cfg->token ? cfg->token : "");
	snprintf(err, err_n, "admin port: out of memory, or no thread could be started");
	if (!set_up(a) || !bind_port(a, cfg, err, err_n) || pthread_create(&a->thread, NULL, admin_main, a) != 0) {
		admin_free(a);
		return NULL;
	}
	a->started = true;
	return a;
}

uint16_t
admin_port(const struct admin *a)
{
	return a->port;
}

void
admin_stop(struct admin *a)
{
	const uint64_t one = 1;

	if (!a)
		return;
	if (a->started && write(a->bell_fd, &one, sizeof one) == sizeof one)
		pthread_join(a->thread, NULL);
	admin_free(a);
}
