/* SPDX-License-Identifier: Apache-2.0 */
/* private_dir: a directory only this user can enter, for sockets and a password file, gone at the end.
 * Never: removes anything outside it. */
#ifndef ROWCALL_PRIVATE_DIR_H
#define ROWCALL_PRIVATE_DIR_H

#include <stdint.h>

#include "fingerprint/arena.h"
#include "problem.h"

struct private_dir {
	const char *path;	/* NULL until made */
};

/* Makes it (mode 0700) under $XDG_RUNTIME_DIR, $TMPDIR or /tmp, whichever leaves room for a socket's name; once made it stays the same. */
bool private_dir_make(struct private_dir *d, struct arena *a, struct problem *p) __attribute__((warn_unused_result));
/* A directory below it. In the arena; NULL: a problem. */
const char *private_dir_below(struct private_dir *d, struct arena *a, uint32_t number, struct problem *p) __attribute__((warn_unused_result));
/* A new file in it, mode 0600, with these bytes. In the arena; NULL: a problem. */
const char *private_dir_file(struct private_dir *d, struct arena *a, const char *name, struct span bytes, struct problem *p)
    __attribute__((warn_unused_result));
/* Removes it with all that is in it. */
void private_dir_remove(struct private_dir *d);

#endif
