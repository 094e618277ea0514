/* SPDX-License-Identifier: Apache-2.0 */
/* replay: runs a fuzzer's harness over the files and folders given, without libFuzzer, so that any compiler can.
 * Never: makes up input of its own. Ends 1 when there was none. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 4 << 20, PATH = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replayed;

static int
replay_file(const char *path)
{
	uint8_t *buf = malloc(MOST);
	FILE *f = fopen(path, "rb");

	if (!f || !buf) {
		fprintf(stderr, "replay: cannot read %s\n", path);
		free(buf);
		return 1;
	}
	size_t n = fread(buf, 1, MOST, f);

	fclose(f);
	LLVMFuzzerTestOneInput(buf, n);
	replayed++;
	free(buf);
	return 0;
}

static int
replay(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *e;
	char name[PATH];
	int failed = 0;

	if (!d)
		return replay_file(path);
	while ((e = readdir(d)) != NULL) {
		snprintf(name, sizeof name, "%s/%s", path, e->d_name);
		if (e->d_name[0] != '.')
			failed |= replay_file(name);
	}
	closedir(d);
	return failed;
}

int
main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i]);
	printf("%u inputs replayed\n", replayed);
	return failed || replayed == 0;
}
