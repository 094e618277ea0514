/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sql_seeds: seeds for fuzz_sql out of the golden cases: fuzz_sql_seeds DIRECTORY CASES...
 * One file for each sql, same and differs line, its dialect and modes in the first byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/golden.h"

static unsigned written;

static int
write_seed(const char *directory, const struct sql_lang *lang, const char *text, size_t n)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof path, "%s/%04u", directory, written);
	f = fopen(path, "wb");
	if (!f) {
		perror(path);
		return 1;
	}
	fputc(lang->dialect | lang->modes << 1, f);
	fwrite(text, 1, n, f);
	written++;
	return fclose(f) != 0;
}

static int
read_cases(const char *directory, const char *path)
{
	static char line[GOLDEN_LINE];
	struct sql_lang lang = { golden_dialect(path), 0 };
	FILE *f = fopen(path, "r");
	int failed = 0;

	if (!f) {
		perror(path);
		return 1;
	}
	while (fgets(line, sizeof line, f)) {
		char *value = golden_value(line);

		if (strcmp(line, "why") == 0)
			lang.modes = 0;
		else if (value && strcmp(line, "modes") == 0)
			lang.modes = golden_modes(value);
		else if (value && (strcmp(line, "sql") == 0 || strcmp(line, "same") == 0 || strcmp(line, "differs") == 0))
			failed |= write_seed(directory, &lang, value, golden_decode(value));
	}
	fclose(f);
	return failed;
}

int
main(int argc, char **argv)
{
	int failed = argc < 3;

	for (int i = 2; i < argc; i++)
		failed |= read_cases(argv[1], argv[i]);
	printf("%u seeds\n", written);
	return failed || written == 0;
}
