/* SPDX-License-Identifier: Apache-2.0 */
/* pg_encode: one line of a PostgreSQL transcript to the bytes of one message. Grammar: tests/wire/README. */
#ifndef ROWCALL_TEST_PG_ENCODE_H
#define ROWCALL_TEST_PG_ENCODE_H

#include "fingerprint/strbuf.h"

/* text: what follows "C " or "S ". Appends to out; false and *why (static) when the line makes no sense. */
bool pg_encode(bool from_client, const char *text, struct strbuf *out, const char **why);

#endif
