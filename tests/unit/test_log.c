/* SPDX-License-Identifier: Apache-2.0 */
/* The log: what a line looks like, and that nothing in it can make another line or break JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include <cmocka.h>

#include "fingerprint/limits.h"
#include "proxy/log.h"

static char written[LIMIT_LOG_LINE * 4];

/* What one call writes; "" = nothing. */
#define LINE(level, json, ...) line(level, json, __VA_ARGS__)

static const char *
line(enum log_level least, bool json, enum log_level level, uint32_t session, const char *text)
{
	int ends[2];
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	struct log *l = log_new(ends[1], least, json);

	log_line(l, level, session, "%s", text);
	log_free(l);
	close(ends[1]);
	n = read(ends[0], written, sizeof written - 1);
	close(ends[0]);
	assert_true(n >= 0);
	written[n] = '\0';
	return written;
}

static void
text_lines(void **state)
{
	(void)state;
	assert_string_equal(LINE(LOG_INFO, false, LOG_INFO, 0, "hello"), "rowcall: hello\n");
	assert_string_equal(LINE(LOG_INFO, false, LOG_WARN, 7, "hello"), "rowcall: warning: session 7: hello\n");
	assert_string_equal(LINE(LOG_INFO, false, LOG_ERROR, 0, "hello"), "rowcall: error: hello\n");
	assert_string_equal(LINE(LOG_INFO, false, LOG_DEBUG, 0, "hello"), "");
	assert_string_equal(LINE(LOG_DEBUG, false, LOG_DEBUG, 0, "hello"), "rowcall: debug: hello\n");
	assert_string_equal(LINE(LOG_ERROR, false, LOG_WARN, 0, "hello"), "");
}

static void
one_line_whatever_is_in_it(void **state)
{
	(void)state;
	assert_string_equal(
	    LINE(LOG_INFO, false, LOG_INFO, 0, "a\nrowcall: error: forged\x1b[31m\x7f"), "rowcall: a?rowcall: error: forged?[31m?\n");
	assert_string_equal(LINE(LOG_INFO, false, LOG_INFO, 0, "\xc3\xa9\xff\xc2\x85\xe2\x80\xae."), "rowcall: \xc3\xa9???.\n");
}

static void
json_is_json(void **state)
{
	json_t *o;

	(void)state;
	o = json_loads(LINE(LOG_INFO, true, LOG_WARN, 7, "a \"b\" \\ \xff\n\xc3\xa9"), 0, NULL);
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "level")), "warning");
	assert_int_equal(json_integer_value(json_object_get(o, "session")), 7);
	assert_string_equal(json_string_value(json_object_get(o, "message")), "a \"b\" \\ ??\xc3\xa9");
	assert_int_equal(strlen(json_string_value(json_object_get(o, "time"))), strlen("2026-01-01T00:00:00.000Z"));
	json_decref(o);
	o = json_loads(LINE(LOG_INFO, true, LOG_INFO, 0, "x"), 0, NULL);
	assert_null(json_object_get(o, "session"));
	json_decref(o);
}

static void
lines_are_bounded(void **state)
{
	static char longest[LIMIT_LOG_LINE + 10];

	(void)state;
	memset(longest, '"', sizeof longest - 1);
	assert_int_equal(strlen(LINE(LOG_INFO, false, LOG_INFO, 0, longest)), strlen("rowcall: \n") + LIMIT_LOG_LINE - 1);
	json_t *o = json_loads(LINE(LOG_INFO, true, LOG_INFO, 0, longest), 0, NULL);

	assert_int_equal(strlen(json_string_value(json_object_get(o, "message"))), LIMIT_LOG_LINE - 1);
	json_decref(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_lines),
		cmocka_unit_test(one_line_whatever_is_in_it),
		cmocka_unit_test(json_is_json),
		cmocka_unit_test(lines_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
