/* SPDX-License-Identifier: Apache-2.0 */
/* html: see html.h. */
#include "html.h"

#include "reports/page/page_text.h"
#include "xml.h"

enum { ELEMENTS_PER_LINE = 3 };

void
html_page(struct strbuf *out, const char *title, html_document *document, const void *ctx)
{
	struct emit j;

	strbuf_add(out, page_html[PAGE_HTML_TITLE]);
	xml_text(out, title);
	strbuf_add(out, page_html[PAGE_HTML_DOCUMENT]);
	emit_init(&j, out, ELEMENTS_PER_LINE);
	j.in_html = true;
	document(&j, ctx);
	strbuf_add(out, page_html[PAGE_HTML_END]);
}
