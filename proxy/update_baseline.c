/* SPDX-License-Identifier: Apache-2.0 */
/* update_baseline: see update_baseline.h. */
#include "update_baseline.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "fingerprint/limits.h"
#include "problem.h"
#include "reports/write/write.h"

/* The folder is locked, as the file itself is replaced. -1: errno says why. */
static int
lock_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	int fd;

	if ((size_t)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash + 1 - path) : 1, slash ? path : ".") >= sizeof folder) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && flock(fd, LOCK_EX) != 0) {
		int why = errno;

		close(fd);
		errno = why;
		return -1;
	}
	return fd;
}

static void
count(char *text, size_t n, uint32_t value, const char *one, const char *many)
{
	size_t used = strlen(text);

	if (value && used < n)
		snprintf(text + used, n - used, "%s%u %s", used ? ", " : "", value, value == 1 ? one : many);
}

static void
say(const struct config *c, const struct baseline_changes *changes)
{
	char text[400] = "";

	count(text, sizeof text, changes->scopes_added, "scope added", "scopes added");
	count(text, sizeof text, changes->findings_added, "finding added", "findings added");
	count(text, sizeof text, changes->lowered, "count lowered", "counts lowered");
	count(text, sizeof text, changes->raised, "count raised", "counts raised");
	count(text, sizeof text, changes->pruned, "entry dropped", "entries dropped");
	fprintf(stderr, "rowcall: %s: %s\n", c->gate.baseline_file, *text ? text : "nothing changed");
	if (changes->refused)
		fprintf(stderr, "rowcall: %s: %u %s left out: --allow-increase accepts %s\n", c->gate.baseline_file, changes->refused,
		    changes->refused == 1 ? "increase was" : "increases were", changes->refused == 1 ? "it" : "them");
	if (c->baseline_unnamed)
		fprintf(stderr, "rowcall: to judge by it: baseline: %s in rowcall.yaml, or --baseline %s\n", c->gate.baseline_file,
		    c->gate.baseline_file);
}

static bool
write_it(const char *path, const struct baseline *b, struct problem *p)
{
	struct strbuf out;
	bool ok;

	strbuf_init(&out, LIMIT_BASELINE_BYTES);
	write_baseline(b, &out);
	ok = !out.cut || problem(p, "%s: the baseline would be larger than %d bytes", path, LIMIT_BASELINE_BYTES);
	ok = ok && write_file(path, strbuf_span(&out), p->text, sizeof p->text);
	strbuf_clear(&out);
	return ok;
}

/* Under the lock the file is read again: another shard may have written since. */
static struct baseline *
merge_into_file(const struct config *c, const struct baseline *measured, struct baseline_changes *changes, struct problem *p)
{
	const char *path = c->gate.baseline_file;
	bool absent = false;
	struct baseline *now = baseline_load(path, &absent, p->text, sizeof p->text), *merged;

	if (!now && !absent)
		return NULL;
	merged = baseline_merge(now, measured, &c->how_to_update, changes);
	baseline_free(now);
	if (write_it(path, merged, p))
		return merged;
	baseline_free(merged);
	return NULL;
}

struct baseline *
update_baseline(const struct config *c, struct collector *collector, const struct snapshot *seen, struct problem *p)
{
	struct baseline *measured, *merged;
	struct baseline_changes changes;
	int lock;

	if (!seen->trusted) {
		problem(p, "the baseline stays as it is: this run cannot be trusted");
		return NULL;
	}
	lock = lock_folder(c->gate.baseline_file);
	if (lock < 0) {
		problem(p, "%s: its folder cannot be locked: %s", c->gate.baseline_file, strerror(errno));
		return NULL;
	}
	measured = collector_measures(collector);
	merged = merge_into_file(c, measured, &changes, p);
	close(lock);
	baseline_free(measured);
	if (merged) {
		say(c, &changes);
		collector_judge_by(collector, merged);
	}
	return merged;
}
