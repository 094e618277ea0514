/* SPDX-License-Identifier: Apache-2.0 */
/* xml: see xml.h. */
#include "xml.h"

#include <inttypes.h>

#include "text.h"
#include "writers.h"

void
xml_lines(struct strbuf *out, struct span clean)
{
	for (size_t i = 0; i < clean.n; i++) {
		switch (clean.p[i]) {
		case '&':
			strbuf_str(out, "&amp;");
			break;
		case '<':
			strbuf_str(out, "&lt;");
			break;
		case '>':
			strbuf_str(out, "&gt;");
			break;
		case '"':
			strbuf_str(out, "&quot;");
			break;
		default:
			strbuf_char(out, (char)clean.p[i]);
		}
	}
}

void
xml_text(struct strbuf *out, const char *s)
{
	struct strbuf clean;

	strbuf_init(&clean, out->max);
	text_clean(&clean, span_str(s), true);
	xml_lines(out, strbuf_span(&clean));
	scratch_done(out, &clean);
}

void
xml_attr(struct strbuf *out, const char *name, const char *value)
{
	strbuf_printf(out, " %s=\"", name);
	xml_text(out, value);
	strbuf_char(out, '"');
}

void
xml_attr_uint(struct strbuf *out, const char *name, uint64_t value)
{
	strbuf_printf(out, " %s=\"%" PRIu64 "\"", name, value);
}

void
xml_attr_seconds(struct strbuf *out, const char *name, uint64_t ns)
{
	uint64_t us = ns / 1000 + (ns % 1000 >= 500);

	strbuf_printf(out, " %s=\"%" PRIu64 ".%06" PRIu64 "\"", name, us / 1000000, us % 1000000);
}
