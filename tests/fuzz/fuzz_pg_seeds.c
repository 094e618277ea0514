/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_pg_seeds: turns transcripts into seeds for fuzz_pg: fuzz_pg_seeds DIRECTORY TRANSCRIPT... Long messages are left out. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/wire/transcript.h"

enum { LONGEST = 8192, RAW = 0x2, END = 0x10, LATER = 0x20 };

static int
setup_byte(const struct transcript *t)
{
	int client = t->setup.client_tls == WIRE_TLS_ALLOW ? 1 : t->setup.client_tls == WIRE_TLS_REQUIRE ? 2
	    : t->setup.client_tls == WIRE_TLS_PASSTHROUGH ? 3 : 0;

	return t->begin | client << 1 | (int)t->setup.server_tls << 3 | t->setup.same_certificate << 6 | t->setup.server_is_unix << 7;
}

static void
put_record(FILE *f, int control, struct span bytes)
{
	fputc(control, f);
	fputc((int)(bytes.n & 0xff), f);
	fputc((int)(bytes.n >> 8), f);
	if (bytes.n)
		fwrite(bytes.p, 1, bytes.n, f);
}

/* A message loses its length, so that the fuzzer can change it and stay in step. */
static void
put_step(FILE *f, const struct transcript *t, const struct step *s)
{
	struct span bytes = strbuf_span(&s->bytes);
	int control = (s->leg == WIRE_SERVER) | LATER;
	uint8_t message[LONGEST];

	if (s->kind == STEP_EOF)
		put_record(f, control | RAW | END, span_first(bytes, 0));
	if (s->kind != STEP_BYTES || bytes.n > LONGEST)
		return;
	if (!t->begin || bytes.n < 5) {
		put_record(f, control | RAW, bytes);
		return;
	}
	message[0] = bytes.p[0];
	memcpy(message + 1, bytes.p + 5, bytes.n - 5);
	put_record(f, control, span_of(message, bytes.n - 4));
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
		f = transcript_read(&t, argv[i], &pg_tongue) ? fopen(path, "w") : NULL;
		if (!f)
			return 1;
		fputc(setup_byte(&t), f);
		for (uint32_t s = 0; s < t.n; s++)
			put_step(f, &t, &t.steps[s]);
		fclose(f);
		transcript_clear(&t);
	}
	return argc < 3;
}
