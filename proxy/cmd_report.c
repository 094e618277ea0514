/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_report: rowcall report: a recording rendered again. */
#include <unistd.h>

#include "cmd.h"
#include "keep_run.h"
#include "outputs.h"
#include "reports/store/recording.h"
#include "update_baseline.h"

/* The baseline takes in what was replayed, and the snapshot is judged by it. */
static bool
update(const struct config *cfg, struct collector *collector, const struct run_info *run, struct snapshot **snap, struct problem *p)
{
	struct baseline *updated = update_baseline(cfg, collector, *snap, p);

	if (!updated)
		return false;
	snapshot_free(*snap);
	*snap = collector_snapshot(collector, run);
	collector_judge_by(collector, cfg->baseline);
	baseline_free(updated);
	return true;
}

/* What the recording holds, judged by this configuration; NULL when memory is out. named: as the user did, "" for the last run. *whole: all
 * of it could be read, and the baseline updated where that was asked. */
static struct snapshot *
replay(const struct config *cfg, struct recording *rec, const char *named, struct shapes *shapes, struct problem *p, bool *whole)
{
	struct run_info run = recording_run(rec);
	struct collector_config cc = { .rules = cfg->rules, .gate = cfg->gate, .rtt = cfg->rtt, .upstreams = recording_upstreams(rec),
		.nupstreams = run.nupstreams };
	struct collector *collector = collector_new(&cc);
	struct request_sink sink = { .ctx = collector, .request = collector_request, .stray = collector_stray };
	struct snapshot *snap;

	if (!collector)
		return NULL;
	*whole = recording_replay(rec, shapes, NULL, sink, p->text, sizeof p->text);
	run.values_in = recording_has_values(rec) ? named : NULL;
	run.incomplete = run.incomplete || !*whole;
	snap = collector_snapshot(collector, &run);
	if (cfg->update_baseline && *whole && snap)
		*whole = update(cfg, collector, &run, &snap, p);
	collector_free(collector);
	return snap;
}

static int
render(const struct config *cfg, struct recording *rec, const char *named, struct problem *p)
{
	struct shapes *shapes = shapes_new();
	bool whole = false;
	struct snapshot *snap = shapes ? replay(cfg, rec, named, shapes, p, &whole) : NULL;
	int status;

	if (snap) {
		status = outputs_reports(cfg, snap, STDOUT_FILENO) ? outputs_status(cfg, snap) : STATUS_UNUSABLE;
		if (!whole)
			status = cmd_unusable(p);
		outputs_verdict(snap);
	} else {
		status = cmd_unusable(p);
		outputs_unusable();
	}
	snapshot_free(snap);
	shapes_free(shapes);
	return status;
}

static int
open_and_render(const struct config *cfg, const char *path, const char *named)
{
	struct problem p = { "" };
	struct recording *rec = recording_open(path, p.text, sizeof p.text);
	int status;

	if (!rec) {
		status = cmd_unusable(&p);
		outputs_unusable();
		return status;
	}
	status = render(cfg, rec, named, &p);
	recording_close(rec);
	return status;
}

static int
report(const struct settings *s, struct arena *a, int argc, char **argv)
{
	struct problem p = { "" };
	struct config cfg;
	char last[4096];
	int status;

	if (argc > 1) {
		problem(&p, "one RECORDING only; rowcall merge makes one of several");
		return cmd_wrong("report", &p);
	}
	if (!config_build_to_judge(s, a, NULL, 0, &cfg, &p))
		return cmd_wrong("report", &p);
	if (argc == 0 && !keep_last(last, sizeof last)) {
		problem(&p, "there is no last run; name a RECORDING, or make one with rowcall run -- COMMAND");
		status = cmd_wrong("report", &p);
	} else
		status = open_and_render(&cfg, argc ? argv[0] : last, argc ? argv[0] : "");
	config_clear(&cfg);
	return status;
}

int
cmd_report(int argc, char **argv)
{
	return cmd_with_settings("report", argc, argv, report);
}
