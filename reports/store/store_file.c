/* SPDX-License-Identifier: Apache-2.0 */
/* store_file: see store_file.h. */
#include "store_file.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
say(char *err, size_t err_n, const char *path, const char *what)
{
	snprintf(err, err_n, "%s: %s", path, what);
	return false;
}

static bool
is_recording(const char *path)
{
	char head[72] = { 0 };
	FILE *f = fopen(path, "rbe");
	size_t n = f ? fread(head, 1, sizeof head, f) : 0;

	if (f)
		fclose(f);
	/* The application id stands big-endian at byte 68 of an SQLite file (its file format, 1.3). */
	return n == sizeof head && memcmp(head, "SQLite format 3", 16) == 0 && memcmp(head + 68, "rwc1", 4) == 0;
}

bool
store_file_in_use(const char *path)
{
	sqlite3 *db = NULL;
	bool busy = false;

	/* Whoever has an SQLite file in WAL mode open holds a shared lock on it, which the exclusive one below cannot be had beside. */
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK) {
		sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		busy = sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE", NULL, NULL, NULL) == SQLITE_BUSY;
	}
	sqlite3_close(db);
	return busy;
}

void
store_file_remove(const char *path)
{
	static const char *const sides[] = { "", "-wal", "-shm", "-journal" };
	char side[4096];

	for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
		if (snprintf(side, sizeof side, "%s%s", path, sides[i]) < (int)sizeof side)
			unlink(side);
}

bool
store_file_clear(const char *path, char *err, size_t err_n)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		if (errno == ENOENT)
			return true;
		return say(err, err_n, path, strerror(errno));
	}
	if (access(path, R_OK) != 0)
		return say(err, err_n, path, strerror(errno));
	if (!S_ISREG(st.st_mode) || (st.st_size > 0 && !is_recording(path)))
		return say(err, err_n, path, "exists and is not a recording; name another file with --record");
	if (st.st_size > 0 && store_file_in_use(path))
		return say(err, err_n, path, "is a recording in use just now; name another file with --record");
	store_file_remove(path);
	if (access(path, F_OK) == 0)
		return say(err, err_n, path, "is an old recording that cannot be removed; name another file with --record");
	return true;
}
