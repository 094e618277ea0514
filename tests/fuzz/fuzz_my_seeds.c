/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_my_seeds: turns transcripts into seeds for fuzz_my: fuzz_my_seeds DIRECTORY TRANSCRIPT... Long messages are left out. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/wire/transcript.h"

enum { LONGEST = 8192, RAW_SESSION = 7 };

/* The dialect byte of fuzz_my that comes closest. */
static int
dialect(const struct transcript *t)
{
	if (!t->begin)
		return RAW_SESSION | (t->setup.client_tls == WIRE_TLS_ALLOW) << 3 | (t->setup.server_tls == WIRE_TLS_REQUIRE) << 6 | t->setup.compression << 7;
	if (t->ext)
		return 1;
	if (t->caps & 0x08000000)
		return 4;
	if (t->caps & 0x02000000)
		return 5;
	return t->caps & 0x01000000 ? 2 : 0;
}

/* All packets of one message as raw records. */
static void
put_step(FILE *f, const struct step *s)
{
	size_t n = s->bytes.n;

	if (n > LONGEST)
		return;
	fputc((s->leg == WIRE_SERVER) | 0x2 | 0x20, f);
	fputc((int)(n & 0xff), f);
	fputc((int)(n >> 8), f);
	fwrite(s->bytes.p, 1, n, f);
}

int
main(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		const char *base = strrchr(argv[i], '/');
		struct transcript t;
		char path[512];
		FILE *f;

		snprintf(path, sizeof path, "%s/%s", argv[1], base ? base + 1 : argv[i]);
		f = transcript_read(&t, argv[i], &my_tongue) ? fopen(path, "w") : NULL;
		if (!f)
			return 1;
		fputc(dialect(&t), f);
		for (uint32_t s = 0; s < t.n; s++)
			if (t.steps[s].kind == STEP_BYTES)
				put_step(f, &t.steps[s]);
		fclose(f);
		transcript_clear(&t);
	}
	return argc < 3;
}
