/* SPDX-License-Identifier: Apache-2.0 */
/* tls: OpenSSL behind the same calls as a plain socket.
 * Does: contexts by policy, handshakes step by step, recv/send with errno as sockets have it. Never: blocks, retries, logs. */
#ifndef ROWCALL_TLS_H
#define ROWCALL_TLS_H

#include <openssl/ssl.h>
#include <sys/types.h>

#include "proxy/config.h"

/* The context for the server leg of a listener. NULL: a sentence in err (unreadable CA file). */
SSL_CTX *tls_server_context(const struct listen_config *l, char *err, size_t err_n) __attribute__((warn_unused_result));

/* A client-side TLS object on a connected socket; verification by the listener's policy. NULL: memory, or a host name OpenSSL refuses. */
SSL *tls_connect(SSL_CTX *ctx, int fd, const struct listen_config *l) __attribute__((warn_unused_result));

/* The context for the client leg: certificate and key of the listener, ALPN "postgresql" for direct TLS. NULL: a sentence in err. */
SSL_CTX *tls_client_context(const struct listen_config *l, char *err, size_t err_n) __attribute__((warn_unused_result));
/* A server-side TLS object on a connected socket. ahead: bytes of the ClientHello that were read already (copied). NULL: memory. */
SSL *tls_accept(SSL_CTX *ctx, int fd, struct span ahead) __attribute__((warn_unused_result));

/* Both sides named the protocol (ALPN) in the handshake. */
bool tls_has_protocol(const SSL *ssl);

enum tls_step { TLS_DONE, TLS_WANTS_READ, TLS_WANTS_WRITE, TLS_FAILED };
enum tls_step tls_handshake(SSL *ssl) __attribute__((warn_unused_result));
/* Why a handshake failed: "certificate verify failed: self-signed certificate". */
void tls_words(const SSL *ssl, char *buf, size_t n);

/* As recv(2) and send(2) on a non-blocking socket: 0 = end, -1 with errno EAGAIN = later, else broken. A peer that just closes ends cleanly. */
ssize_t tls_recv(SSL *ssl, void *buf, size_t n);
/* What was refused must be offered again with the same bytes first. */
ssize_t tls_send(SSL *ssl, const void *buf, size_t n);
/* close_notify, without waiting for the answer. */
void tls_shutdown(SSL *ssl);

#endif
