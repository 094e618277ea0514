/* SPDX-License-Identifier: Apache-2.0 */
/* tls: see tls.h. */
#include "tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "bio_socket.h"

static void
openssl_words(char *buf, size_t n)
{
	unsigned long e = ERR_peek_last_error();
	const char *reason = e ? ERR_reason_error_string(e) : NULL;

	snprintf(buf, n, "%s", reason ? reason : "TLS failed");
	ERR_clear_error();
}

/* What both legs share. */
static SSL_CTX *
new_context(const SSL_METHOD *method, char *err, size_t err_n)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	snprintf(err, err_n, "TLS could not be set up");
	if (!ctx)
		return NULL;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	return ctx;
}

static bool
load_authorities(SSL_CTX *ctx, const struct listen_config *l, char *err, size_t err_n)
{
	bool ok;

	if (l->setup.server_tls != WIRE_TLS_VERIFY_CA && l->setup.server_tls != WIRE_TLS_VERIFY_FULL)
		return true;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (!l->server_ca || !*l->server_ca)
		return SSL_CTX_set_default_verify_paths(ctx) == 1;
	ok = SSL_CTX_load_verify_locations(ctx, l->server_ca, NULL) == 1;
	if (!ok) {
		char words[160];

		openssl_words(words, sizeof words);
		snprintf(err, err_n, "%s: cannot be read as certificates (%s); name a PEM file that holds the server's authority", l->server_ca,
		    words);
	}
	return ok;
}

SSL_CTX *
tls_server_context(const struct listen_config *l, char *err, size_t err_n)
{
	SSL_CTX *ctx = new_context(TLS_client_method(), err, err_n);

	if (!ctx)
		return NULL;
	if (!load_authorities(ctx, l, err, err_n)) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	err[0] = '\0';
	return ctx;
}

SSL *
tls_connect(SSL_CTX *ctx, int fd, const struct listen_config *l)
{
	SSL *ssl = SSL_new(ctx);
	const char *host = l->upstream.host;
	bool ok = ssl && SSL_set_fd(ssl, fd) == 1;

	if (ok && l->setup.server_tls == WIRE_TLS_VERIFY_FULL) {
		X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

		X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		ok = X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1 || SSL_set1_host(ssl, host) == 1;
	}
	/* Server name indication is for names only. */
	if (ok && host[strspn(host, "0123456789.")] != '\0' && !strchr(host, ':'))
		ok = SSL_set_tlsext_host_name(ssl, host) == 1;
	if (!ok) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_connect_state(ssl);
	return ssl;
}

/* ---- the client leg ---- */

static bool
load_certificate(SSL_CTX *ctx, const struct listen_config *l, char *err, size_t err_n)
{
	const char *file = l->client_cert;
	char words[160];
	bool ok = SSL_CTX_use_certificate_chain_file(ctx, l->client_cert) == 1;

	if (ok) {
		file = l->client_key;
		ok = SSL_CTX_use_PrivateKey_file(ctx, l->client_key, SSL_FILETYPE_PEM) == 1 && SSL_CTX_check_private_key(ctx) == 1;
	}
	if (!ok) {
		openssl_words(words, sizeof words);
		snprintf(err, err_n, "%s: cannot be used for TLS towards clients (%s); name a PEM certificate chain and its key", file, words);
	}
	return ok;
}

/* Direct TLS (PostgreSQL 17, protocol-flow "SSL Session Encryption"): the protocol must be named. */
static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_n, const unsigned char *in, unsigned in_n, void *arg)
{
	static const unsigned char postgresql[] = "\012postgresql";

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_n, postgresql, sizeof postgresql - 1, in, in_n) == OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_OK;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

SSL_CTX *
tls_client_context(const struct listen_config *l, char *err, size_t err_n)
{
	SSL_CTX *ctx = new_context(TLS_server_method(), err, err_n);

	if (!ctx)
		return NULL;
	/* Clients of databases do not resume; tickets would only cost each handshake. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(ctx, 0);
	if (l->upstream.engine == ENGINE_POSTGRESQL)
		SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	if (!load_certificate(ctx, l, err, err_n)) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	err[0] = '\0';
	return ctx;
}

SSL *
tls_accept(SSL_CTX *ctx, int fd, struct span ahead)
{
	SSL *ssl = SSL_new(ctx);
	BIO *bio = ssl ? bio_socket_new(fd, ahead) : NULL;

	if (!bio) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_bio(ssl, bio, bio);
	SSL_set_accept_state(ssl);
	return ssl;
}

bool
tls_has_protocol(const SSL *ssl)
{
	const unsigned char *name;
	unsigned n;

	SSL_get0_alpn_selected(ssl, &name, &n);
	return n > 0;
}

enum tls_step
tls_handshake(SSL *ssl)
{
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(ssl);
	if (rc == 1)
		return TLS_DONE;
	switch (SSL_get_error(ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return TLS_WANTS_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANTS_WRITE;
	default:
		return TLS_FAILED;
	}
}

void
tls_words(const SSL *ssl, char *buf, size_t n)
{
	long verify = SSL_get_verify_result(ssl);
	char words[160];

	openssl_words(words, sizeof words);
	if (verify != X509_V_OK)
		snprintf(buf, n, "certificate verify failed: %s", X509_verify_cert_error_string(verify));
	else
		snprintf(buf, n, "%s", words);
}

/* -1 with errno, or 0 for the end, from a call that moved nothing. */
static ssize_t
moved_nothing(SSL *ssl, int rc)
{
	int saved = errno;

	switch (SSL_get_error(ssl, rc)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		errno = saved ? saved : ECONNRESET;
		return -1;
	default: {
		bool eof = ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;

		ERR_clear_error();
		errno = EPROTO;
		return eof ? 0 : -1;
	}
	}
}

ssize_t
tls_recv(SSL *ssl, void *buf, size_t n)
{
	int rc;

	ERR_clear_error();
	errno = 0;
	rc = SSL_read(ssl, buf, n > INT_MAX ? INT_MAX : (int)n);
	return rc > 0 ? rc : moved_nothing(ssl, rc);
}

ssize_t
tls_send(SSL *ssl, const void *buf, size_t n)
{
	int rc;

	ERR_clear_error();
	errno = 0;
	rc = SSL_write(ssl, buf, n > INT_MAX ? INT_MAX : (int)n);
	if (rc > 0)
		return rc;

	ssize_t r = moved_nothing(ssl, rc);

	if (r == 0) {
		errno = EPIPE;
		return -1;
	}
	return r;
}

void
tls_shutdown(SSL *ssl)
{
	ERR_clear_error();
	SSL_shutdown(ssl);
	ERR_clear_error();
}
