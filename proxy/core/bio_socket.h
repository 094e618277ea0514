/* SPDX-License-Identifier: Apache-2.0 */
/* bio_socket: an OpenSSL BIO over a non-blocking socket that first hands out bytes which were read before TLS began.
 * Never: owns or closes the socket. */
#ifndef ROWCALL_BIO_SOCKET_H
#define ROWCALL_BIO_SOCKET_H

#include <openssl/bio.h>

#include "fingerprint/span.h"

/* ahead is copied. NULL: memory. */
BIO *bio_socket_new(int fd, struct span ahead) __attribute__((warn_unused_result));

#endif
