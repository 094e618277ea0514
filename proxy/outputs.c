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

/* The steps of a GitHub job write to one file in turn. */
static bool
is_step_summary(const char *path)
{
	const char *summary = getenv("GITHUB_STEP_SUMMARY");

	return summary && *summary && strcmp(path, summary) == 0;
}

/* fd -1: a file. */
static struct write_options
options_for(const struct config *c, int fd)
{
	struct write_options o = write_options_for(fd, fd < 0 ? "never" : c->color);

	o.all = o.all || c->all;
	o.wide = c->wide;
	o.scope = c->scope;
	return o;
}

/* The bytes of one report into its file, or, without a path, to fd. text: the report as it was asked for. False: it was said on standard
 * error. */
static bool
put(const char *text, const char *path, int fd, const struct strbuf *bytes)
{
	char err[400] = "";
	bool ok;

	if (bytes->cut) {
		snprintf(err, sizeof err, "%s: the report is larger than fits into memory", text);
		ok = false;
	} else if (path)
		ok = (is_step_summary(path) ? append_file : write_file)(path, strbuf_span(bytes), err, sizeof err);
	else {
		ok = write_all_bytes(fd, strbuf_span(bytes));
		if (!ok)
			snprintf(err, sizeof err, "the report could not be written: %s", strerror(errno));
	}
	if (!ok)
		fprintf(stderr, "rowcall: error: %s\n", err);
	return ok;
}

static bool
one_report(const struct config *c, report_writer *write_as, const void *what, const char *text, int fd)
{
	size_t name = strcspn(text, ":");
	const char *path = text[name] ? text + name + 1 : NULL;
	struct write_options o = options_for(c, path ? -1 : fd);
	struct strbuf out;
	bool ok;

	strbuf_init(&out, LIMIT_REPORT_BYTES);
	write_as(what, span_of(text, name), &o, &out);
	ok = put(text, path, fd, &out);
	strbuf_clear(&out);
	return ok;
}

bool
outputs_written(const struct config *c, report_writer *write_as, const void *what, int fd)
{
	bool ok = true;

	if (c->nreports == 0 && !c->quiet_output)
		return one_report(c, write_as, what, "text", fd);
	for (uint32_t i = 0; i < c->nreports; i++) {
		if (c->quiet_output && strcmp(c->reports[i], "text") == 0)
			continue;
		ok = one_report(c, write_as, what, c->reports[i], fd) && ok;
	}
	return ok;
}

static void
snapshot_as(const void *what, struct span format, const struct write_options *o, struct strbuf *out)
{
	write_snapshot(format_find(format), what, o, out);
}

bool
outputs_reports(const struct config *c, const struct snapshot *s, int fd)
{
	return outputs_written(c, snapshot_as, s, fd);
}

void
outputs_last_line(const struct strbuf *line)
{
	fflush(stdout);
	if (!write_all_bytes(STDERR_FILENO, strbuf_span(line)))
		errno = 0; /* nobody is left to be told */
}

void
outputs_verdict(const struct snapshot *s)
{
	struct strbuf line;

	strbuf_init(&line, 1024);
	write_verdict_line(s, &line);
	outputs_last_line(&line);
	strbuf_clear(&line);
}

void
outputs_unusable(void)
{
	outputs_verdict(&(struct snapshot){ .state = GATE_UNUSABLE });
}

int
outputs_status_of(const struct config *c, bool trusted, bool fails)
{
	if (!trusted)
		return STATUS_UNUSABLE;
	return fails && !c->exit_zero ? c->exit_code : STATUS_OK;
}

int
outputs_status(const struct config *c, const struct snapshot *s)
{
	return outputs_status_of(c, s->trusted, s->state == GATE_FAIL);
}
