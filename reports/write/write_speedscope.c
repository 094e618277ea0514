/* SPDX-License-Identifier: Apache-2.0 */
/* write_speedscope: the file format of speedscope (https://www.speedscope.app/file-format-schema.json): two sampled profiles over the same
 * frames, one by time, one by calls. A frame is a scope or a shape, shared by all places it stands at. */
#include <stdio.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "reports/requests/keymap.h"
#include "emit_keys.h"
#include "stack_words.h"
#include "writers.h"

enum { SQL_COLUMNS = 160 };

/* Frame numbers by place. */
static uint32_t *
frames(struct emit *j, const struct snapshot *s, const struct write_options *o, struct strbuf *out)
{
	uint32_t *at = xmem_zero((s->nstacks + 1) * sizeof *at);
	struct keymap seen = { 0 };
	struct strbuf name;

	strbuf_init(&name, LIMIT_REPORT_BYTES);
	for (uint32_t i = 0; i < s->nstacks; i++) {
		const struct snap_stack *p = &s->stacks[i];
		uint32_t n = seen.n;

		if (!scope_shown(o, p->scope))
			continue;
		stack_name(&name, p, SQL_COLUMNS);
		at[i] = keymap_add(&seen, keymap_name(strbuf_cstr(&name), p->kind), KEYMAP_NONE - 1);
		if (at[i] == n) {
			emit_open(j, '{');
			emit_key(j, "name");
			emit_span(j, strbuf_span(&name));
			emit_close(j, '}');
		}
		scratch_reset(out, &name);
	}
	strbuf_clear(&name);
	keymap_clear(&seen);
	return at;
}

struct profile {
	const char *name, *unit;
	bool calls;
};

static uint64_t
weight(const struct profile *p, const struct snap_stack *at)
{
	return p->calls ? at->calls : at->ns;
}

static void
samples(struct emit *j, const struct snapshot *s, const struct write_options *o, const uint32_t *frame, const struct profile *p)
{
	uint32_t path[LIMIT_STACK_DEPTH + 1] = { 0 };

	key_open(j, "samples", '[');
	for (uint32_t i = 0; i < s->nstacks; i++) {
		path[s->stacks[i].depth] = frame[i];
		if (!weight(p, &s->stacks[i]) || !scope_shown(o, s->stacks[i].scope))
			continue;
		emit_open(j, '[');
		for (uint32_t d = 0; d <= s->stacks[i].depth; d++)
			emit_uint(j, path[d]);
		emit_close(j, ']');
	}
	emit_close(j, ']');
	key_open(j, "weights", '[');
	for (uint32_t i = 0; i < s->nstacks; i++)
		if (weight(p, &s->stacks[i]) && scope_shown(o, s->stacks[i].scope))
			emit_uint(j, weight(p, &s->stacks[i]));
	emit_close(j, ']');
}

static void
profile(struct emit *j, const struct snapshot *s, const struct write_options *o, const uint32_t *frame, const struct profile *p)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < s->nstacks; i++)
		if (scope_shown(o, s->stacks[i].scope))
			total += weight(p, &s->stacks[i]);
	emit_open(j, '{');
	key_str(j, "type", "sampled");
	key_str(j, "name", p->name);
	key_str(j, "unit", p->unit);
	key_uint(j, "startValue", 0);
	key_uint(j, "endValue", total);
	samples(j, s, o, frame, p);
	emit_close(j, '}');
}

void
write_speedscope(const struct snapshot *s, const struct write_options *o, struct strbuf *out)
{
	static const struct profile by_time = { "SQL time by scope and shape", "nanoseconds", false };
	static const struct profile by_calls = { "statements by scope and shape", "none", true };
	char tool[64];
	uint32_t *frame;
	struct emit j;

	snprintf(tool, sizeof tool, "rowcall %s", s->version);
	emit_init(&j, out, 3);
	emit_open(&j, '{');
	key_str(&j, "$schema", "https://www.speedscope.app/file-format-schema.json");
	key_str(&j, "name", *s->command ? s->command : "rowcall");
	key_str(&j, "exporter", tool);
	key_uint(&j, "activeProfileIndex", 0);
	key_open(&j, "shared", '{');
	key_open(&j, "frames", '[');
	frame = frames(&j, s, o, out);
	emit_close(&j, ']');
	emit_close(&j, '}');
	key_open(&j, "profiles", '[');
	profile(&j, s, o, frame, &by_time);
	profile(&j, s, o, frame, &by_calls);
	emit_close(&j, ']');
	emit_close(&j, '}');
	strbuf_char(out, '\n');
	mem_free(frame);
}
