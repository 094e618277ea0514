/* SPDX-License-Identifier: Apache-2.0 */
/* golden_file: what a writer makes against a file of tests/golden. ROWCALL_UPDATE_GOLDEN=1 rewrites the files instead; look at the
 * difference before committing it. */
#ifndef ROWCALL_GOLDEN_FILE_H
#define ROWCALL_GOLDEN_FILE_H

#include "fingerprint/span.h"

/* Fails the test with the bytes as they are now when golden/NAME holds others. */
void assert_golden(const char *name, struct span bytes);

#endif
