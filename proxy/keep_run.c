/* SPDX-License-Identifier: Apache-2.0 */
/* keep_run: see keep_run.h. Names sort by time, so the last in order is the newest. */
#include "keep_run.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };
static const char ending[] = ".rowcall";

/* Makes every missing directory of the path. */
static bool
make_path(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int rc = mkdir(path, 0700);

		*slash = '/';
		if (rc != 0 && errno != EEXIST)
			return false;
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

void
keep_directory(char *buf, size_t n)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	buf[0] = '\0';
	if (state && state[0] == '/')
		snprintf(buf, n, "%s/rowcall", state);
	else if (home && home[0] == '/')
		snprintf(buf, n, "%s/.local/state/rowcall", home);
	if (buf[0] && !make_path(buf))
		buf[0] = '\0';
}

void
keep_new(char *buf, size_t n)
{
	char dir[PATH_BYTES], when[32];
	time_t now = time(NULL);
	struct tm tm;

	keep_directory(dir, sizeof dir);
	gmtime_r(&now, &tm);
	strftime(when, sizeof when, "%Y%m%d-%H%M%S", &tm);
	if (!dir[0] || snprintf(buf, n, "%s/run-%s-%d%s", dir, when, (int)getpid(), ending) >= (int)n)
		buf[0] = '\0';
}

static int
is_run(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return strncmp(e->d_name, "run-", 4) == 0 && n > sizeof ending && strcmp(e->d_name + n - (sizeof ending - 1), ending) == 0;
}

void
keep_as_last(const char *path)
{
	char dir[PATH_BYTES], old[PATH_BYTES + 300];
	struct dirent **runs;
	int n;

	keep_directory(dir, sizeof dir);
	if (!dir[0] || strncmp(path, dir, strlen(dir)) != 0)
		return;
	n = scandir(dir, &runs, is_run, alphasort);
	for (int i = 0; i < n; i++) {
		static const char *const sides[] = { "", "-wal", "-shm" };

		for (size_t k = 0; i < n - KEPT_RUNS && k < sizeof sides / sizeof *sides; k++) {
			snprintf(old, sizeof old, "%s/%s%s", dir, runs[i]->d_name, sides[k]);
			unlink(old);
		}
		free(runs[i]);
	}
	if (n >= 0)
		free(runs);
}

bool
keep_last(char *buf, size_t n)
{
	char dir[PATH_BYTES];
	struct dirent **runs;
	int found;

	buf[0] = '\0';
	keep_directory(dir, sizeof dir);
	found = dir[0] ? scandir(dir, &runs, is_run, alphasort) : -1;
	for (int i = 0; i < found; i++) {
		if (i == found - 1)
			snprintf(buf, n, "%s/%s", dir, runs[i]->d_name);
		free(runs[i]);
	}
	if (found >= 0)
		free(runs);
	return buf[0] != '\0';
}
