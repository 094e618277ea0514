/* SPDX-License-Identifier: Apache-2.0 */
/* keep_run: see keep_run.h. */
#include "keep_run.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "reports/store/store_file.h"

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

	int wrote = 0;

	buf[0] = '\0';
	if (state && state[0] == '/')
		wrote = snprintf(buf, n, "%s/rowcall", state);
	else if (home && home[0] == '/' && access(home, W_OK) == 0) /* a home that is not there is not ours to make */
		wrote = snprintf(buf, n, "%s/.local/state/rowcall", home);
	if (wrote >= (int)n || (buf[0] && !make_path(buf)))
		buf[0] = '\0';
}

/* Names sort by time, to the nanosecond: two runs may begin in one second. */
void
keep_new(char *buf, size_t n)
{
	char dir[PATH_BYTES], when[32];
	struct timespec now;
	struct tm tm;

	keep_directory(dir, sizeof dir);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(when, sizeof when, "%Y%m%d-%H%M%S", &tm);
	if (!dir[0] || snprintf(buf, n, "%s/run-%s.%09ld-%d%s", dir, when, now.tv_nsec, (int)getpid(), ending) >= (int)n)
		buf[0] = '\0';
}

static int
is_run(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return strncmp(e->d_name, "run-", 4) == 0 && n > sizeof ending && strcmp(e->d_name + n - (sizeof ending - 1), ending) == 0;
}

/* All runs kept, the oldest first; their number, or -1. The caller frees each and the array. */
static int
list_runs(char *dir, size_t n, struct dirent ***runs)
{
	keep_directory(dir, n);
	return dir[0] ? scandir(dir, runs, is_run, alphasort) : -1;
}

void
keep_tidy(void)
{
	char dir[PATH_BYTES], old[PATH_BYTES + 300];
	struct dirent **runs;
	int n = list_runs(dir, sizeof dir, &runs);

	for (int i = 0; i < n; i++) {
		snprintf(old, sizeof old, "%s/%s", dir, runs[i]->d_name);
		/* Beside us another run may still be writing its own. */
		if (i < n - KEPT_RUNS && !store_file_in_use(old))
			store_file_remove(old);
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
	int found = list_runs(dir, sizeof dir, &runs), wrote = 0;

	for (int i = 0; i < found; i++) {
		if (i == found - 1)
			wrote = snprintf(buf, n, "%s/%s", dir, runs[i]->d_name);
		free(runs[i]);
	}
	if (found >= 0)
		free(runs);
	return wrote > 0 && wrote < (int)n;
}
