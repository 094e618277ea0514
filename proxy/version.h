/* SPDX-License-Identifier: Apache-2.0 */
/* version: "rowcall 0.1.0" and the libraries it runs with. */
#ifndef ROWCALL_VERSION_H
#define ROWCALL_VERSION_H

#include <stdio.h>

void version_print(FILE *out);

#endif
