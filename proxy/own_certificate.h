/* SPDX-License-Identifier: Apache-2.0 */
/* own_certificate: a certificate for one run, so that a command which insists on TLS keeps it up to rowcall.
 * Never: outlives the private directory it stands in, vouches for anything: it is signed by itself, for loopback names only. */
#ifndef ROWCALL_OWN_CERTIFICATE_H
#define ROWCALL_OWN_CERTIFICATE_H

#include "private_dir.h"

/* Makes a key (ECDSA, P-256) and a certificate for localhost, 127.0.0.1 and ::1, both in one PEM file of mode 0600 in d. The path is in the
 * arena; NULL: a problem. */
const char *own_certificate(struct private_dir *d, struct arena *a, struct problem *p) __attribute__((warn_unused_result));

#endif
