/* SPDX-License-Identifier: Apache-2.0 */
/* What tags say: keys and scopes in order of preference, trace ids, lines of code, allowed rules; sharing; folding; malformed layouts. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "reports/judge/rules.h"
#include "reports/requests/tagset.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "00-" TRACE "-b7ad6b7169203331-01"

struct laid {
	uint8_t bytes[8192];
	size_t n;
};

static void
lay(struct laid *l, const char *key, const char *value)
{
	uint16_t n[2] = { (uint16_t)strlen(key), (uint16_t)strlen(value) };

	memcpy(l->bytes + l->n, n, sizeof n);
	memcpy(l->bytes + l->n + sizeof n, key, n[0]);
	memcpy(l->bytes + l->n + sizeof n + n[0], value, n[1]);
	l->n += sizeof n + n[0] + n[1];
}

/* Reads key, value, key, value, ... NULL. */
static struct tagset *
read_with(struct tag_reader *r, struct tagset *last, ...)
{
	struct laid l = { .n = 0 };
	const char *key;
	va_list ap;

	va_start(ap, last);
	while ((key = va_arg(ap, const char *)) != NULL)
		lay(&l, key, va_arg(ap, const char *));
	va_end(ap);
	return tag_reader_read(r, last, span_of(l.bytes, l.n));
}

#define SAYS(member, expected, ...) do { \
	struct tagset *t_ = read_with(*state, NULL, __VA_ARGS__, NULL); \
	assert_string_equal(t_->member, expected); \
	tagset_unref(t_); \
} while (0)

static int
set_up(void **state)
{
	*state = tag_reader_new(NULL, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	tag_reader_free(*state);
	return 0;
}

static void
keys(void **state)
{
	SAYS(key, "", "route", "/a");
	SAYS(key, "r", "request_id", "r");
	SAYS(key, "r", "correlation_id", "r", "request_id", "later");
	SAYS(key, "ours", "request_id", "r", "rowcall_request", "ours");
	SAYS(key, TRACE, "traceparent", PARENT);
	SAYS(key, TRACE, "traceparent", PARENT, "traceparent", "00-11111111111111111111111111111111-b7ad6b7169203331-01");
	SAYS(key, "r", "traceparent", PARENT, "request_id", "r");
	SAYS(key, TRACE, "job_id", "j", "traceparent", PARENT);
	SAYS(key, "j", "jid", "j");
	SAYS(key, TRACE, "trace_id", TRACE);
	SAYS(key, "r", "request_id", "", "x-request-id", "r");
	SAYS(key, "", "requestid_and_more", "r", "", "request_id");
}

static void
keys_are_spelt_in_many_ways(void **state)
{
	static const char *const spellings[] = { "request_id", "request-id", "requestId", "RequestID", "request.id", "X-Request-Id", "REQUEST_ID" };

	for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
		SAYS(key, "r", spellings[i], "r");
}

static void
trace_ids(void **state)
{
	char id[33];

	(void)state;
	assert_true(trace_id_find(SPAN_LIT(PARENT), id));
	assert_string_equal(id, TRACE);
	assert_true(trace_id_find(SPAN_LIT("_DD_" PARENT "x"), id));
	assert_true(trace_id_find(SPAN_LIT("00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-0A"), id));
	assert_string_equal(id, TRACE);
	assert_false(trace_id_find(SPAN_LIT("00-00000000000000000000000000000000-b7ad6b7169203331-01"), id));
	assert_false(trace_id_find(SPAN_LIT("00-" TRACE "-b7ad6b7169203331"), id));
	assert_false(trace_id_find(SPAN_LIT("00-" TRACE "-b7ad6b716920333g-01"), id));
	assert_false(trace_id_find(SPAN_LIT("00_" TRACE "-b7ad6b7169203331-01"), id));
	assert_false(trace_id_find((struct span){ 0 }, id));
	SAYS(key, "", "traceparent", "garbage");
	SAYS(key, "", "trace_id", "0af7651916cd43dd8448eb211c80319");
}

static void
scopes(void **state)
{
	SAYS(scope, "", "request_id", "r");
	SAYS(scope, "/a", "route", "/a", "controller", "c", "action", "x");
	SAYS(scope, "c#x", "action", "x", "controller", "c", "job", "j");
	SAYS(scope, "N::C#x", "controller", "c", "namespaced_controller", "N::C", "action", "x");
	SAYS(scope, "N::C#x", "namespaced_controller", "N::C", "controller", "c", "action", "x");
	SAYS(scope, "c", "controller", "c");
	SAYS(scope, "", "action", "x");
	SAYS(scope, "j", "operation_name", "o", "job", "j");
	SAYS(scope, "o", "endpoint_id", "e", "operation_name", "o");
	SAYS(scope, "e", "caller", "M.f/1", "endpoint_id", "e");
	SAYS(scope, "M.f/1", "url", "/u", "caller", "M.f/1");
	SAYS(scope, "/u", "url", "/u?page=2&q=/x");
	SAYS(scope, "ours", "route", "/a", "rowcall_scope", "ours");
	SAYS(scope, "/u", "route", "/u?a=1");
	SAYS(scope, "M.list?/1", "caller", "M.list?/1");
}

static void
free_comments(void **state)
{
	SAYS(text, "GET /orders", "", "GET /orders", "", "another");
	SAYS(text, "", "request_id", "r");
	SAYS(scope, "", "", "GET /orders");
	SAYS(text, "", "", "File: src/Orders.cs:42");
	SAYS(site, "src/Orders.cs:42", "", "File: src/Orders.cs:42");
}

static void
lines_of_code(void **state)
{
	SAYS(site, "", "route", "/a", "caller", "M.f/1");
	SAYS(site, "app/a.rb:12", "source_location", "app/a.rb:12");
	SAYS(site_tag, "source_location", "source_location", "app/a.rb:12", "file", "b.rb");
	SAYS(site, "a.php:7", "file", "a.php", "line", "7");
	SAYS(site_tag, "file", "line", "7", "file", "a.php");
	SAYS(site, "a.php", "file", "a.php");
	SAYS(site, "app/a.rb:12:in `f'", "line", "app/a.rb:12:in `f'");
	SAYS(site, "", "line", "12");
	SAYS(site, "app/x.py:9", "caller", "app/x.py:9");
	SAYS(site_tag, "caller", "caller", "app/x.py:9");
}

static void
applications(void **state)
{
	SAYS(application, "shop", "application", "shop", "app_name", "other");
	SAYS(application, "web", "ddps", "web");
	SAYS(application, "", "request_id", "r");
}

static void
allowed(void **state)
{
	struct tagset *t = read_with(*state, NULL, "rowcall_allow", "n-plus-one, duplicate", NULL);

	assert_int_equal(t->allow, 1 << RULE_N_PLUS_ONE | 1 << RULE_DUPLICATE);
	t = read_with(*state, t, "rowcall_allow", "nonsense", "rowcall_allow", ";duplicate;", NULL);
	assert_int_equal(t->allow, 1 << RULE_DUPLICATE);
	tagset_unref(t);
}

static void
same_bytes_same_object(void **state)
{
	struct tagset *t = read_with(*state, NULL, "request_id", "r", NULL), *kept, *other;
	uint64_t serial = t->serial;

	assert_ptr_equal(read_with(*state, t, "request_id", "r", NULL), t);
	assert_true(t->serial == serial && t->refs == 1);
	assert_ptr_equal(read_with(*state, t, "request_id", "s", NULL), t); /* nobody else has it: reused */
	assert_true(t->serial != serial);
	assert_string_equal(t->key, "s");
	kept = tagset_ref(t);
	other = read_with(*state, t, "request_id", "u", NULL);
	assert_ptr_not_equal(other, kept);
	assert_string_equal(kept->key, "s");
	assert_int_equal(kept->refs, 1);
	tagset_unref(kept);
	tagset_unref(other);
	tagset_unref(NULL);
}

static void
folding_and_patterns(void **state)
{
	static const struct filter_rule folds[] = { { "/\\d+", "/:id" } };
	static const struct filter_rule patterns[] = { { "^tenant=(?<request>.+)", NULL }, { "^page (?<scope>\\S+)", NULL } };
	char err[128], buf[LIMIT_NAME];
	struct filter *fold = filter_new(folds, 1, err, sizeof err), *pattern = filter_new(patterns, 2, err, sizeof err);
	struct tag_reader *r = tag_reader_new(fold, pattern);
	void *reader = r;

	(void)state;
	assert_true(fold && pattern);
	state = &reader;
	for (int i = 0; i < 2; i++) /* the second time from memory */
		SAYS(scope, "/orders/:id", "route", "/orders/7?x=1");
	SAYS(text, "GET /orders/:id", "", "GET /orders/7");
	SAYS(key, "t7", "tenant", "t7", "request_id", "r");
	SAYS(key, "ours", "tenant", "t7", "rowcall_request", "ours");
	SAYS(scope, "orders", "", "page orders", "route", "/a");
	assert_int_equal(tag_reader_fold(r, SPAN_LIT("/a/1"), buf, sizeof buf), 6);
	assert_memory_equal(buf, "/a/:id", 6);
	tag_reader_free(r);
	filter_free(fold);
	filter_free(pattern);
}

static void
names_are_bounded(void **state)
{
	char at[LIMIT_NAME + 1], over[LIMIT_NAME + 2];
	struct tagset *t;

	memset(at, 'a', LIMIT_NAME);
	at[LIMIT_NAME] = '\0';
	memset(over, 'a', LIMIT_NAME + 1);
	over[LIMIT_NAME + 1] = '\0';
	SAYS(key, at, "request_id", at);
	SAYS(key, at, "request_id", over);
	SAYS(scope, at, "route", over);
	SAYS(application, at, "application", over);
	t = read_with(*state, NULL, "file", over, "line", "1", NULL);
	assert_int_equal(strlen(t->site), LIMIT_NAME);
	tagset_unref(t);
}

static void
count_is_bounded(void **state)
{
	struct laid l = { .n = 0 };
	struct tagset *t;

	for (int i = 0; i < LIMIT_TAGS; i++)
		lay(&l, "k", "v");
	lay(&l, "request_id", "r");
	t = tag_reader_read(*state, NULL, span_of(l.bytes, l.n));
	assert_int_equal(t->ntags, LIMIT_TAGS);
	assert_string_equal(t->key, "");
	tagset_unref(t);
}

/* Lengths that reach past the end, at every cut; each on a block of its own, so that a read beyond it shows. */
static void
malformed(void **state)
{
	struct laid l = { .n = 0 };

	lay(&l, "request_id", "r");
	lay(&l, "route", "/a");
	for (size_t n = 0; n <= l.n; n++) {
		uint8_t *cut = mem_alloc(n);
		struct tagset *t;

		memcpy(cut, l.bytes, n);
		t = tag_reader_read(*state, NULL, span_of(cut, n));
		assert_int_equal(t->ntags, n == l.n ? 2 : n >= 15);
		tagset_unref(t);
		mem_free(cut);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(keys), cmocka_unit_test(keys_are_spelt_in_many_ways), cmocka_unit_test(trace_ids),
		cmocka_unit_test(scopes), cmocka_unit_test(free_comments), cmocka_unit_test(lines_of_code), cmocka_unit_test(applications),
		cmocka_unit_test(allowed), cmocka_unit_test(same_bytes_same_object), cmocka_unit_test(folding_and_patterns),
		cmocka_unit_test(names_are_bounded), cmocka_unit_test(count_is_bounded), cmocka_unit_test(malformed) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
