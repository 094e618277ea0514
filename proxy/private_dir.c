/* SPDX-License-Identifier: Apache-2.0 */
/* private_dir: see private_dir.h. */
#include "private_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* sun_path holds 108 bytes; behind the directory come "/63/.s.PGSQL.65535" and a NUL. */
enum { LONGEST = 108 - 19 };

static bool
make_under(struct private_dir *d, struct arena *a, const char *base)
{
	char path[LONGEST + 1];
	struct stat st;

	if (!base || base[0] != '/' || stat(base, &st) != 0 || !S_ISDIR(st.st_mode) ||
	    (size_t)snprintf(path, sizeof path, "%s/rowcall-XXXXXX", base) >= sizeof path || !mkdtemp(path))
		return false;
	d->path = arena_strndup(a, span_str(path));
	return true;
}

bool
private_dir_make(struct private_dir *d, struct arena *a, struct problem *p)
{
	if (d->path || make_under(d, a, getenv("XDG_RUNTIME_DIR")) || make_under(d, a, getenv("TMPDIR")) || make_under(d, a, "/tmp"))
		return true;
	return problem(p, "no private directory could be made in XDG_RUNTIME_DIR, TMPDIR or /tmp: %s", strerror(errno));
}

const char *
private_dir_below(struct private_dir *d, struct arena *a, uint32_t number, struct problem *p)
{
	char path[LONGEST + 16];

	if (!private_dir_make(d, a, p))
		return NULL;
	snprintf(path, sizeof path, "%s/%u", d->path, number);
	if (mkdir(path, 0700) != 0) {
		problem(p, "%s: %s", path, strerror(errno));
		return NULL;
	}
	return arena_strndup(a, span_str(path));
}

const char *
private_dir_file(struct private_dir *d, struct arena *a, const char *name, struct span bytes, struct problem *p)
{
	char path[LONGEST + 64];
	int fd;
	bool ok;

	if (!private_dir_make(d, a, p))
		return NULL;
	snprintf(path, sizeof path, "%s/%s", d->path, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ok = fd >= 0 && write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n;
	if (!ok)
		problem(p, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok ? arena_strndup(a, span_str(path)) : NULL;
}

static void
empty(int dir, bool deeper)
{
	DIR *entries = fdopendir(dir);
	struct dirent *e;

	if (!entries) {
		close(dir);
		return;
	}
	while ((e = readdir(entries))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (deeper) {
			int below = openat(dirfd(entries), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			if (below >= 0) {
				empty(below, false);
				unlinkat(dirfd(entries), e->d_name, AT_REMOVEDIR);
				continue;
			}
		}
		unlinkat(dirfd(entries), e->d_name, 0);
	}
	closedir(entries);
}

void
private_dir_remove(struct private_dir *d)
{
	int dir = d->path ? open(d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;

	if (dir >= 0) {
		empty(dir, true);
		rmdir(d->path);
	}
	d->path = NULL;
}
