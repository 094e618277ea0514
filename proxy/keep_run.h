/* SPDX-License-Identifier: Apache-2.0 */
/* keep_run: where runs are recorded: the file asked for, or the last runs in the user's state directory.
 * Does: name the file, tidy old ones. Never: deletes what it did not name itself, or what is still being written. */
#ifndef ROWCALL_KEEP_RUN_H
#define ROWCALL_KEEP_RUN_H

#include <stdbool.h>
#include <stddef.h>

enum { KEPT_RUNS = 5 };

/* $XDG_STATE_HOME/rowcall (or ~/.local/state/rowcall), made if need be; "" when there is no home. */
void keep_directory(char *buf, size_t n);
/* A name for a new run in that directory; "" when there is none. */
void keep_new(char *buf, size_t n);
/* Runs older than the last KEPT_RUNS go. */
void keep_tidy(void);
/* The file of the run that began last; false when there is none. */
bool keep_last(char *buf, size_t n);

#endif
