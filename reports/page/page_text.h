/* SPDX-License-Identifier: Apache-2.0 */
/* page_text: the page and the stand-alone flame graph as bytes in the program, cut where a report fills them in (embed.cmake).
 * Immutable, alive as long as the program. */
#ifndef ROWCALL_PAGE_TEXT_H
#define ROWCALL_PAGE_TEXT_H

#include "fingerprint/span.h"

/* Before and after: title, document. */
enum { PAGE_HTML_TITLE, PAGE_HTML_DOCUMENT, PAGE_HTML_END, PAGE_HTML_PIECES };
extern const struct span page_html[PAGE_HTML_PIECES];
/* Before and after: height, height of the graph, frames without script, frames as JSON. */
enum { PAGE_FLAME_HEIGHT, PAGE_FLAME_INNER, PAGE_FLAME_FRAMES, PAGE_FLAME_NODES, PAGE_FLAME_END, PAGE_FLAME_PIECES };
extern const struct span page_flame[PAGE_FLAME_PIECES];

#endif
