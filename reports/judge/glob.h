/* SPDX-License-Identifier: Apache-2.0 */
/* glob: patterns over scope and test names.
 * Does: `*` = any run of bytes, `/` too; `?` = any one byte; everything else stands for itself, brackets and backslashes too, as test
 * names ("test_x[1-2]") and class names ("App\Jobs\Mail") hold them. Never: allocates, or takes more than pattern times text steps. */
#ifndef ROWCALL_GLOB_H
#define ROWCALL_GLOB_H

#include <stdbool.h>

bool glob_match(const char *pattern, const char *text);

#endif
