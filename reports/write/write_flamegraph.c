/* SPDX-License-Identifier: Apache-2.0 */
/* write_flamegraph: a stand-alone SVG of scopes, shapes and the shapes of their loops, width by time or calls; its script is reports/page's.
 * Without script (a viewer of images) it shows the widths by time. Never: names anything outside itself. */
#include <inttypes.h>
#include <stdio.h>

#include "fingerprint/limits.h"
#include "emit.h"
#include "reports/page/page_text.h"
#include "stack_words.h"
#include "text.h"
#include "writers.h"
#include "xml.h"

enum { WIDTH = 1200, ROW = 22, TOOLS = 52, SQL_COLUMNS = 110, LETTER_HUNDREDTHS = 665 };

/* ---- frames as JSON, for the script ---- */

static void
frame_json(struct emit *j, const struct snap_stack *p, struct strbuf *name)
{
	emit_open(j, '[');
	emit_uint(j, p->depth);
	emit_str(j, stack_class(p));
	emit_span(j, strbuf_span(name));
	emit_str(j, p->shape ? p->shape->text : p->kind == STACK_SCOPE ? p->scope : strbuf_cstr(name));
	emit_uint(j, p->calls);
	emit_uint(j, p->ns);
	emit_close(j, ']');
}

static void
frames_json(const struct snapshot *s, const struct write_options *o, struct strbuf *out)
{
	struct strbuf json, name;
	struct emit j;

	strbuf_init(&json, LIMIT_REPORT_BYTES);
	strbuf_init(&name, LIMIT_REPORT_BYTES);
	emit_init(&j, &json, 1);
	emit_open(&j, '[');
	for (uint32_t i = 0; i < s->nstacks; i++)
		if (scope_shown(o, s->stacks[i].scope)) {
			stack_name(&name, &s->stacks[i], SQL_COLUMNS);
			frame_json(&j, &s->stacks[i], &name);
			scratch_reset(out, &name);
		}
	emit_close(&j, ']');
	strbuf_clear(&name);
	xml_lines(out, strbuf_span(&json));
	scratch_done(out, &json);
}

/* ---- frames as they stand without script: by time ---- */

struct drawing {
	struct strbuf *out;
	uint64_t us, at[LIMIT_STACK_DEPTH + 2]; /* all of it; where the next frame of each depth begins */
};

/* Hundredths of a unit of the drawing. */
static uint64_t
place_of(const struct drawing *d, uint64_t us)
{
	return d->us ? us * (WIDTH * 100) / d->us : 0;
}

static void
frame(struct drawing *d, const char *kind, const char *name, uint32_t row, uint64_t from_us, uint64_t us)
{
	uint64_t x = place_of(d, from_us), width = place_of(d, us);
	struct span cut;

	if (width < 50)
		return;
	strbuf_printf(d->out, "<g class=\"frame %s\"><rect x=\"%" PRIu64 ".%02u\" y=\"%u\" width=\"%" PRIu64 ".%02u\" height=\"%d\" rx=\"2\"/>",
	    kind, x / 100, (unsigned)(x % 100), (unsigned)(row * ROW), width / 100, (unsigned)(width % 100), ROW - 1);
	cut = text_head(span_str(name), width > 900 ? (unsigned)((width - 900) / LETTER_HUNDREDTHS) : 0);
	if (cut.n > 2) {
		strbuf_printf(d->out, "<text x=\"%" PRIu64 "\" y=\"%u\">", x / 100 + 5, (unsigned)(row * ROW + ROW - 7));
		xml_lines(d->out, cut);
		strbuf_str(d->out, "</text>");
	}
	strbuf_str(d->out, "<title>");
	xml_lines(d->out, span_str(name));
	strbuf_str(d->out, "</title></g>\n");
}

static void
frames_drawn(const struct snapshot *s, const struct write_options *o, struct drawing *d)
{
	struct strbuf name;

	strbuf_init(&name, LIMIT_REPORT_BYTES);
	frame(d, "all", "all", 0, 0, d->us);
	for (uint32_t i = 0; i < s->nstacks; i++) {
		const struct snap_stack *p = &s->stacks[i];

		if (!scope_shown(o, p->scope))
			continue;
		stack_name(&name, p, SQL_COLUMNS);
		frame(d, stack_class(p), strbuf_cstr(&name), p->depth + 1, d->at[p->depth], p->all_ns / 1000);
		d->at[p->depth + 1] = d->at[p->depth];
		d->at[p->depth] += p->all_ns / 1000;
		scratch_reset(d->out, &name);
	}
	strbuf_clear(&name);
}

void
write_flamegraph(const struct snapshot *s, const struct write_options *o, struct strbuf *out)
{
	struct drawing d = { .out = out };
	uint32_t rows = 1;

	for (uint32_t i = 0; i < s->nstacks; i++) {
		if (!scope_shown(o, s->stacks[i].scope))
			continue;
		d.us += s->stacks[i].depth == 0 ? s->stacks[i].all_ns / 1000 : 0;
		rows = s->stacks[i].depth + 2 > rows ? s->stacks[i].depth + 2 : rows;
	}
	strbuf_add(out, page_flame[PAGE_FLAME_HEIGHT]);
	strbuf_printf(out, "%u", (unsigned)(rows * ROW + TOOLS));
	strbuf_add(out, page_flame[PAGE_FLAME_INNER]);
	strbuf_printf(out, "%u", (unsigned)(rows * ROW));
	strbuf_add(out, page_flame[PAGE_FLAME_FRAMES]);
	frames_drawn(s, o, &d);
	strbuf_add(out, page_flame[PAGE_FLAME_NODES]);
	frames_json(s, o, out);
	strbuf_add(out, page_flame[PAGE_FLAME_END]);
}
