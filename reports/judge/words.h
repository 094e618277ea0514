/* SPDX-License-Identifier: Apache-2.0 */
/* words: numbers and names as they appear in evidence and messages.
 * Does: format into an arena. Never: depends on the locale, or prints a parameter value. */
#ifndef ROWCALL_WORDS_H
#define ROWCALL_WORDS_H

#include "fingerprint/arena.h"

/* "0.3 ms", "41 ms", "2.1 s". */
const char *words_ns(struct arena *a, uint64_t ns);
/* "1 page", "20 pages". */
const char *words_count(struct arena *a, uint64_t n, const char *one, const char *many);
/* "8.0 MB" (decimal). */
const char *words_bytes(struct arena *a, uint64_t bytes);
/* "2027-01-01", and a day that exists. */
bool words_is_date(const char *text);

#endif
