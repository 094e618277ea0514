/* SPDX-License-Identifier: Apache-2.0 */
/* store_file: which file a recording may be written to.
 * Does: tell recordings from everything else, make room for a new one. Never: removes what is not a recording, or one in use. */
#ifndef ROWCALL_STORE_FILE_H
#define ROWCALL_STORE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Nothing is at path afterwards: an old recording or an empty file that was there is gone, its log too. False: a sentence in err. */
bool store_file_clear(const char *path, char *err, size_t err_n) __attribute__((warn_unused_result));
/* Another connection has the recording open, in this process or another. */
bool store_file_in_use(const char *path);
/* Removes the recording and the files SQLite keeps beside it. */
void store_file_remove(const char *path);

#endif
