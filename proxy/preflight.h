/* SPDX-License-Identifier: Apache-2.0 */
/* preflight: is there a database of the right kind behind an upstream, before anything is started?
 * Does: connect, exchange the protocol's first bytes, close. Never: authenticates or sends a statement. */
#ifndef ROWCALL_PREFLIGHT_H
#define ROWCALL_PREFLIGHT_H

#include "config.h"

/* False: the problem says why, in words for the user. Waits at most timeout ns per address. */
bool preflight(const struct upstream_config *up, uint64_t timeout, struct problem *p) __attribute__((warn_unused_result));

#endif
