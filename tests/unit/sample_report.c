/* SPDX-License-Identifier: Apache-2.0 */
/* sample_report SAMPLE FORMAT: prints a hand-made snapshot in a format, for checks by real consumers (tests/check_formats.py). */
#include <stdio.h>
#include <string.h>

#include "reports/write/write.h"
#include "sample_snapshot.h"

static struct snapshot *
large(void)
{
	return sample_large(1500);
}

static struct snapshot *
findings(void)
{
	return sample_findings(1500);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		struct snapshot *(*make)(void);
	} samples[] = {
		{ "shop", sample_shop }, { "clean", sample_clean }, { "untagged", sample_untagged }, { "nothing", sample_nothing },
		{ "lossy", sample_lossy }, { "hostile", sample_hostile }, { "large", large }, { "findings", findings },
	};
	struct write_options o = { .width = 96 };
	struct strbuf b;

	strbuf_init(&b, 256 << 20);
	for (size_t i = 0; argc == 3 && i < sizeof samples / sizeof *samples; i++) {
		enum format f = format_find(span_str(argv[2]));

		if (strcmp(argv[1], samples[i].name) != 0 || f == FORMATS)
			continue;
		struct snapshot *s = samples[i].make();

		write_snapshot(f, s, &o, &b);
		sample_free(s);
		bool ok = !b.cut && fwrite(strbuf_cstr(&b), 1, b.n, stdout) == b.n && fflush(stdout) == 0;

		strbuf_clear(&b);
		return ok ? 0 : 1;
	}
	fprintf(stderr, "usage: sample_report SAMPLE FORMAT\n");
	return 2;
}
