/* SPDX-License-Identifier: Apache-2.0 */
/* log: see log.h. A line is built in one buffer and written with one call, so lines of several threads never mix. */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "reports/write/utf8.h"

struct log {
	int fd;
	enum log_level level;
	bool json;
};

static const char *const names[] = { [LOG_ERROR] = "error", [LOG_WARN] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug" };

struct log *
log_new(int fd, enum log_level level, bool json)
{
	struct log *l = xmem_zero(sizeof *l);

	l->fd = fd;
	l->level = level;
	l->json = json;
	return l;
}

void
log_free(struct log *l)
{
	mem_free(l);
}

bool
log_wants(const struct log *l, enum log_level level)
{
	return level <= l->level;
}

/* Control characters would let a client write lines of its own into the log; what is not UTF-8 would make JSON of no use. */
static void
neutralize(char *s)
{
	struct span rest = span_str(s);
	char *to = s;

	while (rest.n) {
		uint32_t c;
		size_t n = utf8_next(rest, &c);

		if (n == 0 || utf8_unsafe(c)) {
			*to++ = '?';
			n = n ? n : 1;
		} else {
			memmove(to, rest.p, n);
			to += n;
		}
		rest = span_from(rest, n);
	}
	*to = '\0';
}

static void
json_escape(struct strbuf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			strbuf_char(b, '\\');
		strbuf_char(b, *s);
	}
}

static void
timestamp(char *buf, size_t n)
{
	struct timespec now;
	struct tm tm;
	char date[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, n, "%s.%03ldZ", date, now.tv_nsec / 1000000);
}

static void
write_json(struct strbuf *line, enum log_level level, uint32_t session, const char *text)
{
	char when[48];

	timestamp(when, sizeof when);
	strbuf_printf(line, "{\"time\":\"%s\",\"level\":\"%s\"", when, names[level]);
	if (session)
		strbuf_printf(line, ",\"session\":%u", session);
	strbuf_str(line, ",\"message\":\"");
	json_escape(line, text);
	strbuf_str(line, "\"}\n");
}

static void
write_text(struct strbuf *line, enum log_level level, uint32_t session, const char *text)
{
	strbuf_str(line, "rowcall: ");
	if (level != LOG_INFO)
		strbuf_printf(line, "%s: ", names[level]);
	if (session)
		strbuf_printf(line, "session %u: ", session);
	strbuf_printf(line, "%s\n", text);
}

void
log_line(struct log *l, enum log_level level, uint32_t session, const char *fmt, ...)
{
	char text[LIMIT_LOG_LINE];
	struct strbuf line;
	va_list ap;

	if (!log_wants(l, level))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	neutralize(text);
	strbuf_init(&line, LIMIT_LOG_LINE * 2 + 256);
	if (l->json)
		write_json(&line, level, session, text);
	else
		write_text(&line, level, session, text);
	/* Nobody can be told that telling failed. */
	if (write(l->fd, line.p, line.n) < 0)
		errno = 0;
	strbuf_clear(&line);
}
