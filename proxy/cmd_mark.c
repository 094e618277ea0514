/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_mark: rowcall mark and rowcall ping: two small clients of the admin port (libcurl). */
#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "outputs.h"

enum { TIMEOUT_SECONDS = 5 };

struct answer {
	long status; /* HTTP; 0 = none */
	char text[512];
	size_t n;
};

static size_t
take(char *bytes, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;
	size_t room = sizeof a->text - 1 - a->n, some = size * n < room ? size * n : room;

	memcpy(a->text + a->n, bytes, some);
	a->n += some;
	a->text[a->n] = '\0';
	return size * n;
}

/* body NULL: GET. False: nobody answered; said on standard error. */
static bool
ask(const char *base, const char *path, const char *body, const char *token, struct answer *a)
{
	char url[2048], bearer[4200], why[CURL_ERROR_SIZE] = "";
	struct curl_slist *head = NULL;
	CURL *curl = curl_easy_init();
	CURLcode rc;

	if (!curl)
		return false;
	snprintf(url, sizeof url, "%.*s%s", (int)(strlen(base) - (*base && base[strlen(base) - 1] == '/')), base, path);
	if (*token) {
		snprintf(bearer, sizeof bearer, "Authorization: Bearer %s", token);
		head = curl_slist_append(head, bearer);
	}
	if (body) {
		head = curl_slist_append(head, "Content-Type: application/json");
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	}
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, head);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, a);
	rc = curl_easy_perform(curl);
	if (rc == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &a->status);
	else
		fprintf(stderr, "rowcall: error: no capture answers at %s: %s\n", base, *why ? why : curl_easy_strerror(rc));
	curl_slist_free_all(head);
	curl_easy_cleanup(curl);
	return rc == CURLE_OK;
}

/* The admin port: --url, ROWCALL_URL, or the default. */
static const char *
admin_url(const struct settings *s)
{
	const char *url = settings_get(s, OPT_URL).text;

	return url ? url : "http://127.0.0.1:9433";
}

/* "" when the capture asks for none. In the arena. */
static bool
read_token(const struct settings *s, struct arena *a, const char **token, struct problem *p)
{
	const char *path = settings_get(s, OPT_TOKEN_FILE).text;

	*token = "";
	return !path || !*path || config_token(a, path, token, p);
}

static int
answered(const struct answer *a)
{
	if (a->status >= 200 && a->status < 300)
		return STATUS_OK;
	fprintf(stderr, "rowcall: error: the capture answered %ld: %s", a->status, a->n ? a->text : "\n");
	return STATUS_UNUSABLE;
}

/* NULL: not UTF-8. The caller frees it. */
static char *
mark_text(const char *what, const char *name)
{
	json_t *mark = json_pack("{s:s}", what, name);
	char *text = mark ? json_dumps(mark, JSON_COMPACT) : NULL;

	json_decref(mark);
	return text;
}

static int
send_mark(const struct settings *s, struct arena *a, const char *name, struct problem *p)
{
	char *body = mark_text(settings_true(s, OPT_MARK_REQUEST) ? "request" : "test", name);
	struct answer got = { 0 };
	const char *token;
	int status = STATUS_UNUSABLE;

	if (!body)
		problem(p, "the name is not valid UTF-8");
	else if (read_token(s, a, &token, p) && ask(admin_url(s), "/api/v1/marks", body, token, &got))
		status = answered(&got);
	if (p->text[0])
		status = cmd_wrong("mark", p);
	free(body);
	return status;
}

static int
set_mark(const struct settings *s, struct arena *a, int argc, char **argv)
{
	struct problem p = { "" };
	bool end = settings_true(s, OPT_MARK_END);

	if (settings_true(s, OPT_MARK_REQUEST) && settings_true(s, OPT_MARK_TEST))
		problem(&p, "a mark is --test or --request, not both");
	else if (end && argc > 0)
		problem(&p, "--end takes no NAME");
	else if (!end && argc != 1)
		problem(&p, argc == 0 ? "no NAME; write rowcall mark NAME" : "one NAME only; quote it if it has blanks");
	if (p.text[0])
		return cmd_wrong("mark", &p);
	return send_mark(s, a, end ? "" : argv[0], &p);
}

static int
ping(const struct settings *s, struct arena *arena, int argc, char **argv)
{
	struct problem p = { "" };
	struct answer a = { 0 };
	int status;

	(void)arena;
	if (argc > 0) {
		problem(&p, "unexpected argument %s", argv[0]);
		return cmd_wrong("ping", &p);
	}
	if (!ask(admin_url(s), "/readyz", NULL, "", &a))
		return STATUS_UNUSABLE;
	status = answered(&a);
	if (status == STATUS_OK)
		printf("rowcall at %s is ready\n", admin_url(s));
	return status;
}

int
cmd_mark(int argc, char **argv)
{
	return cmd_with_settings("mark", argc, argv, set_mark);
}

int
cmd_ping(int argc, char **argv)
{
	return cmd_with_settings("ping", argc, argv, ping);
}
