/* SPDX-License-Identifier: Apache-2.0 */
/* write_file: a report's bytes into a file, all or nothing.
 * Does: write beside the target, then rename, so that a reader never sees half a report; pipes and devices are written directly.
 * Never: leaves its temporary file behind, or loosens the permissions of a file that it replaces. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "write.h"

bool
write_all_bytes(int fd, struct span bytes)
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

static bool
say(const char *what, const char *path, char *err, size_t err_n)
{
	int why = errno;

	snprintf(err, err_n, "cannot %s %s: %s", what, path, strerror(why));
	errno = why;
	return false;
}

static bool
open_and_write(const char *path, int flags, struct span bytes, char *err, size_t err_n)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | flags, 0666);

	if (fd < 0)
		return say("open", path, err, err_n);
	if (!write_all_bytes(fd, bytes)) {
		say("write to", path, err, err_n);
		close(fd);
		return false;
	}
	return close(fd) == 0 || say("write to", path, err, err_n);
}

/* A new file of its own name beside path; its name into tmp. The umask decides its permissions. */
static int
open_beside(const char *path, char *tmp, size_t tmp_n)
{
	for (unsigned i = 0; i < 100; i++) {
		int n = snprintf(tmp, tmp_n, "%s.%ld-%u.tmp", path, (long)getpid(), i), fd;

		if (n < 0 || (size_t)n >= tmp_n) {
			errno = ENAMETOOLONG;
			return -1;
		}
		fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

static bool
replace(const char *path, const struct stat *old, struct span bytes, char *err, size_t err_n)
{
	char tmp[PATH_MAX];
	int fd = open_beside(path, tmp, sizeof tmp);
	bool ok;

	if (fd < 0)
		return say("create", path, err, err_n);
	ok = (!old || fchmod(fd, old->st_mode & 0777) == 0) && write_all_bytes(fd, bytes);
	if (!ok)
		say("write", path, err, err_n);
	if (close(fd) != 0 && ok)
		ok = say("write", path, err, err_n);
	if (ok && rename(tmp, path) != 0)
		ok = say("rename to", path, err, err_n);
	if (!ok) {
		int why = errno;

		unlink(tmp);
		errno = why;
	}
	return ok;
}

bool
write_file(const char *path, struct span bytes, char *err, size_t err_n)
{
	char real[PATH_MAX];
	struct stat st;

	if (strcmp(path, "-") == 0)
		return write_all_bytes(STDOUT_FILENO, bytes) || say("write to", "standard output", err, err_n);
	if (stat(path, &st) != 0)
		return replace(path, NULL, bytes, err, err_n);
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return say("write", path, err, err_n);
	}
	if (!S_ISREG(st.st_mode) || strncmp(path, "/dev/", 5) == 0)
		/* Pipes, terminals and devices, where a rename makes no sense. */
		return open_and_write(path, 0, bytes, err, err_n);
	/* Through a symbolic link the file it names is replaced, not the link. */
	return replace(realpath(path, real) ? real : path, &st, bytes, err, err_n);
}

bool
append_file(const char *path, struct span bytes, char *err, size_t err_n)
{
	return open_and_write(path, O_APPEND | O_CREAT, bytes, err, err_n);
}
