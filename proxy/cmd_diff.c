/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_diff: rowcall diff: two recordings side by side. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "outputs.h"
#include "reports/compare/compare.h"
#include "reports/store/recording.h"

/* One recording as it is replayed: rules and tallies for the snapshot, the rest for the comparison. */
struct run_side {
	struct recording *rec;
	struct collector *collector;
	struct side side;
	struct snapshot *snap;
};

static void
take_request(void *ctx, const struct request *r)
{
	struct run_side *s = ctx;

	collector_request(s->collector, r);
	side_request(&s->side, r);
}

static void
take_stray(void *ctx, const struct req_stmt *stmt)
{
	struct run_side *s = ctx;

	collector_stray(s->collector, stmt);
}

static bool
replay(const struct config *cfg, const char *path, struct shapes *shapes, struct run_side *s, struct problem *p)
{
	struct collector_config cc = { .rules = cfg->rules, .gate = cfg->gate, .rtt = cfg->rtt };
	struct request_sink sink = { .ctx = s, .request = take_request, .stray = take_stray };
	struct run_info run;

	/* Each run is taken for what it did; whether it kept to a budget is said by rowcall report. */
	cc.gate.baseline_file = NULL;
	cc.gate.baseline = NULL;
	s->rec = recording_open(path, p->text, sizeof p->text);
	if (!s->rec)
		return false;
	run = recording_run(s->rec);
	cc.upstreams = recording_upstreams(s->rec);
	cc.nupstreams = run.nupstreams;
	s->collector = collector_new(&cc);
	if (!s->collector)
		return problem(p, "out of memory");
	if (!recording_replay(s->rec, shapes, NULL, sink, p->text, sizeof p->text))
		return false;
	s->snap = collector_snapshot(s->collector, &run);
	return s->snap || problem(p, "out of memory");
}

static void
clear_side(struct run_side *s)
{
	snapshot_free(s->snap);
	collector_free(s->collector);
	side_clear(&s->side);
	if (s->rec)
		recording_close(s->rec);
}

/* ---- writing ---- */

enum diff_format { DIFF_TEXT, DIFF_MARKDOWN, DIFF_JSON, DIFF_HTML, DIFF_FORMATS };

static const struct {
	const char *name;
	void (*write)(const struct comparison *c, const struct write_options *o, struct strbuf *out);
} formats[DIFF_FORMATS] = { { "text", write_diff_text }, { "markdown", write_diff_markdown }, { "json", write_diff_json },
	{ "html", write_diff_html } };

static enum diff_format
format_named(struct span name)
{
	unsigned f = 0;

	while (f < DIFF_FORMATS && !span_is(name, formats[f].name))
		f++;
	return (enum diff_format)f;
}

static bool
check_formats(const struct settings *s, struct problem *p)
{
	const struct setting *said;

	for (uint32_t i = 0; (said = settings_nth(s, OPT_REPORT, SAID_FLAG, i)); i++)
		if (format_named(span_of(said->text, strcspn(said->text, ":"))) == DIFF_FORMATS)
			return problem(p, "--report %s: a comparison is written as text, markdown, json or html", said->text);
	return true;
}

static void
comparison_as(const void *what, struct span format, const struct write_options *o, struct strbuf *out)
{
	formats[format_named(format)].write(what, o, out);
}

/* ---- the command ---- */

static void
say_untrusted(const char *path, const struct snapshot *s)
{
	for (uint32_t i = 0; !s->trusted && i < s->nfailures; i++)
		fprintf(stderr, "rowcall: error: %s: %s\n", path, s->failures[i].message);
}

static int
render(const struct config *cfg, const char *request, char **paths, struct run_side sides[2], struct problem *p)
{
	struct compared_run before = { sides[0].snap, &sides[0].side }, after = { sides[1].snap, &sides[1].side };
	struct comparison *c = compare_runs(&before, &after, request, p->text, sizeof p->text);
	struct strbuf line;
	int status;

	if (!c)
		return cmd_wrong("diff", p);
	status = outputs_status_of(cfg, c->before->trusted && c->after->trusted, c->verdict == DIFF_WORSE);
	if (!outputs_written(cfg, comparison_as, c, STDOUT_FILENO))
		status = STATUS_UNUSABLE;
	say_untrusted(paths[0], c->before);
	say_untrusted(paths[1], c->after);
	strbuf_init(&line, 1024);
	write_diff_verdict_line(c, &line);
	outputs_last_line(&line);
	strbuf_clear(&line);
	comparison_free(c);
	return status;
}

static int
compare(const struct config *cfg, const char *request, char **paths)
{
	struct run_side sides[2] = { { 0 } };
	struct shapes *shapes = shapes_new();
	struct problem p = { "" };
	int status;

	if (shapes && replay(cfg, paths[0], shapes, &sides[0], &p) && replay(cfg, paths[1], shapes, &sides[1], &p))
		status = render(cfg, request, paths, sides, &p);
	else
		status = cmd_unusable(&p);
	clear_side(&sides[0]);
	clear_side(&sides[1]);
	shapes_free(shapes);
	return status;
}

static int
diff(const struct settings *s, struct arena *a, int argc, char **argv)
{
	struct problem p = { "" };
	struct config cfg;
	int status;

	if (argc != 2) {
		problem(&p, "name two recordings: BEFORE AFTER");
		return cmd_wrong("diff", &p);
	}
	if (!check_formats(s, &p) || !config_build(s, a, NULL, 0, &cfg, &p))
		return cmd_wrong("diff", &p);
	if (settings_source(s, OPT_REPORT) != SAID_FLAG)
		cfg.nreports = 0; /* those are for the reports of a run */
	status = compare(&cfg, settings_get(s, OPT_DIFF_REQUEST).text, argv);
	config_clear(&cfg);
	return status;
}

int
cmd_diff(int argc, char **argv)
{
	return cmd_with_settings("diff", argc, argv, diff);
}
