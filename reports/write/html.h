/* SPDX-License-Identifier: Apache-2.0 */
/* html: the one page of all reports in HTML: reports/page around one JSON document that its script draws.
 * Does: write the page with a title and a document, so that other documents (a comparison) and a live page can use it. Never: lets a byte
 * of the document end the element that it stands in. */
#ifndef ROWCALL_HTML_H
#define ROWCALL_HTML_H

#include "emit.h"

/* document: writes one JSON value; ctx is handed on to it. */
typedef void html_document(struct emit *j, const void *ctx);
void html_page(struct strbuf *out, const char *title, html_document *document, const void *ctx);

#endif
