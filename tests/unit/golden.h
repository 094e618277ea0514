/* SPDX-License-Identifier: Apache-2.0 */
/* golden: the lines of the case files in tests/sql (see its README), for all who read them. Never: judges a case. */
#ifndef ROWCALL_TESTS_GOLDEN_H
#define ROWCALL_TESTS_GOLDEN_H

#include "fingerprint/sql.h"

enum { GOLDEN_LINE = 8192 };

/* The dialect that a file's name begins with. */
uint8_t golden_dialect(const char *path);
/* The value behind `key: `, the key and the line ended in place; NULL for a comment, a blank line or a line without a key. */
char *golden_value(char *line);
/* Replaces <LF> and the like in place; the new length. */
size_t golden_decode(char *text);
/* enum sql_mode of a line `modes:`. */
uint8_t golden_modes(const char *names);

#endif
