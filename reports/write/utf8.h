/* SPDX-License-Identifier: Apache-2.0 */
/* utf8: reads bytes that claim to be UTF-8, one character at a time.
 * Does: decode strictly (no overlong forms, surrogates or values past U+10FFFF) and classify what must never reach a terminal raw.
 * Never: allocates, repairs, or trusts its input. */
#ifndef ROWCALL_UTF8_H
#define ROWCALL_UTF8_H

#include "fingerprint/span.h"

/* Bytes of the character at the start of s and its code point in *c; 0 when the first byte begins no valid character. s.n > 0. */
size_t utf8_next(struct span s, uint32_t *c);
/* True for controls (C0, DEL, C1), line separators, and invisible or direction-changing characters that could forge a line. */
bool utf8_unsafe(uint32_t c);
/* Terminal columns of a printable character: 0 for combining marks, 2 for wide East Asian ones and emoji, else 1. */
unsigned utf8_columns(uint32_t c);

#endif
