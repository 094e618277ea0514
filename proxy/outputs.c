/* SPDX-License-Identifier: Apache-2.0 */
/* outputs: see outputs.h. */
#include "outputs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fingerprint/limits.h"
#include "reports/write/write.h"

static bool
write_all(int fd, struct span bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes = span_from(bytes, (size_t)n);
	}
	return true;
}

/* The steps of a GitHub job write to one file in turn. */
static bool
is_step_summary(const char *path)
{
	const char *summary = getenv("GITHUB_STEP_SUMMARY");

	return summary && *summary && strcmp(path, summary) == 0;
}

struct write_options
outputs_options(const struct config *c, int fd)
{
	struct write_options o = write_options_for(fd, fd < 0 ? "never" : c->color);

	o.all = o.all || c->all;
	o.wide = c->wide;
	o.scope = c->scope;
	return o;
}

bool
outputs_bytes(const char *what, const char *path, int fd, const struct strbuf *bytes)
{
	char err[400] = "";
	bool ok;

	if (bytes->cut) {
		snprintf(err, sizeof err, "%s: the report is larger than fits into memory", what);
		ok = false;
	} else if (path)
		ok = (is_step_summary(path) ? append_file : write_file)(path, strbuf_span(bytes), err, sizeof err);
	else {
		ok = write_all(fd, strbuf_span(bytes));
		if (!ok)
			snprintf(err, sizeof err, "the report could not be written: %s", strerror(errno));
	}
	if (!ok)
		fprintf(stderr, "rowcall: error: %s\n", err);
	return ok;
}

static bool
one_report(const struct config *c, const struct snapshot *s, const char *text, int fd)
{
	size_t name = strcspn(text, ":");
	const char *path = text[name] ? text + name + 1 : NULL;
	struct write_options o = outputs_options(c, path ? -1 : fd);
	struct strbuf out;
	bool ok;

	strbuf_init(&out, LIMIT_REPORT_BYTES);
	write_snapshot(format_find(span_of(text, name)), s, &o, &out);
	ok = outputs_bytes(text, path, fd, &out);
	strbuf_clear(&out);
	return ok;
}

bool
outputs_reports(const struct config *c, const struct snapshot *s, int fd)
{
	bool ok = true;

	if (c->nreports == 0 && !c->quiet_output)
		return one_report(c, s, "text", fd);
	for (uint32_t i = 0; i < c->nreports; i++) {
		if (c->quiet_output && strcmp(c->reports[i], "text") == 0)
			continue;
		ok = one_report(c, s, c->reports[i], fd) && ok;
	}
	return ok;
}

void
outputs_verdict(const struct snapshot *s)
{
	struct strbuf line;

	fflush(stdout);
	strbuf_init(&line, 1024);
	write_verdict_line(s, &line);
	if (line.n == 0 || line.p[line.n - 1] != '\n')
		strbuf_char(&line, '\n');
	if (!write_all(STDERR_FILENO, strbuf_span(&line)))
		errno = 0; /* nobody is left to be told */
	strbuf_clear(&line);
}

void
outputs_unusable(void)
{
	outputs_verdict(&(struct snapshot){ .state = GATE_UNUSABLE });
}

int
outputs_status(const struct config *c, const struct snapshot *s)
{
	if (!s->trusted)
		return STATUS_UNUSABLE;
	if (s->state == GATE_FAIL)
		return c->exit_zero ? STATUS_OK : c->exit_code;
	return STATUS_OK;
}
