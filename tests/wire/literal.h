/* SPDX-License-Identifier: Apache-2.0 */
/* literal: texts in transcripts, the same for every protocol. Never: knows a message. */
#ifndef ROWCALL_TEST_LITERAL_H
#define ROWCALL_TEST_LITERAL_H

#include "fingerprint/strbuf.h"

/* A quoted text at *p (either quote; \n \0 \xHH and \ before anything else), decoded and appended; *p moves behind it. */
bool literal_quoted(const char **p, struct strbuf *out);
/* The same, appended that many times. */
bool literal_repeated(const char **p, unsigned long times, struct strbuf *out);

#endif
