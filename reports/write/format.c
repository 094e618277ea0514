/* SPDX-License-Identifier: Apache-2.0 */
/* format: the table of formats. A new one is a file write_NAME.c, a line in writers.h and a row here. */
#include "writers.h"

struct format_row {
	const char *name;
	void (*write)(const struct snapshot *s, const struct write_options *o, struct strbuf *out);
};

static const struct format_row formats[FORMATS] = {
	[FORMAT_TEXT] = { "text", write_text },
	[FORMAT_JSON] = { "json", write_json },
	[FORMAT_NDJSON] = { "ndjson", write_ndjson },
	[FORMAT_JUNIT] = { "junit", write_junit },
	[FORMAT_MARKDOWN] = { "markdown", write_markdown },
	[FORMAT_GITHUB] = { "github", write_github },
	[FORMAT_GITLAB] = { "gitlab", write_gitlab },
	[FORMAT_SARIF] = { "sarif", write_sarif },
	[FORMAT_HTML] = { "html", write_html },
	[FORMAT_FOLDED] = { "folded", write_folded },
	[FORMAT_SPEEDSCOPE] = { "speedscope", write_speedscope },
	[FORMAT_FLAMEGRAPH] = { "flamegraph", write_flamegraph },
};

enum format
format_find(struct span name)
{
	enum format f = 0;

	while (f < FORMATS && !span_is(name, formats[f].name))
		f++;
	return f;
}

const char *
format_name(enum format f)
{
	return formats[f].name;
}

void
write_snapshot(enum format f, const struct snapshot *s, const struct write_options *o, struct strbuf *out)
{
	formats[f].write(s, o, out);
}
