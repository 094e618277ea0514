/* SPDX-License-Identifier: Apache-2.0 */
/* xml: text and attributes of XML 1.0.
 * Does: clean (text.h) and escape, so that any bytes become characters XML allows. Never: checks that elements balance. */
#ifndef ROWCALL_XML_H
#define ROWCALL_XML_H

#include "fingerprint/strbuf.h"

/* Between tags, and inside quotes: one line, cleaned. */
void xml_text(struct strbuf *out, const char *s);
/* ` name="value"`. */
void xml_attr(struct strbuf *out, const char *name, const char *value);
void xml_attr_uint(struct strbuf *out, const char *name, uint64_t value);
/* Seconds with six decimals. */
void xml_attr_seconds(struct strbuf *out, const char *name, uint64_t ns);
/* Several lines that are cleaned already (finding_lines). */
void xml_lines(struct strbuf *out, struct span clean);

#endif
