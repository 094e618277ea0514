/* SPDX-License-Identifier: Apache-2.0 */
/* unconnected: why a command may never have connected to us, in words that name the file to change.
 * Does: look for the usual configuration files of frameworks below the current directory. Never: opens one for writing. */
#ifndef ROWCALL_UNCONNECTED_H
#define ROWCALL_UNCONNECTED_H

#include <stdio.h>

/* address: what --listen and the app's file should name ("127.0.0.1:5433"). */
void unconnected_explain(FILE *out, const char *address);

#endif
