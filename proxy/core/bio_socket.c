/* SPDX-License-Identifier: Apache-2.0 */
/* bio_socket: see bio_socket.h. MySQL clients send their ClientHello right behind the request for TLS, often in the same segment. */
#include "bio_socket.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>

#include "fingerprint/mem.h"

struct source {
	int fd;
	size_t n, at;
	unsigned char ahead[];
};

static int
moved(BIO *b, ssize_t n, int retry)
{
	BIO_clear_retry_flags(b);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_flags(b, retry | BIO_FLAGS_SHOULD_RETRY);
	if (n == 0)
		BIO_set_flags(b, BIO_FLAGS_IN_EOF);
	return (int)n;
}

static int
read_bytes(BIO *b, char *out, int n)
{
	struct source *s = BIO_get_data(b);
	size_t left = s->n - s->at;

	if (left == 0)
		return moved(b, recv(s->fd, out, (size_t)n, 0), BIO_FLAGS_READ);
	if (left > (size_t)n)
		left = (size_t)n;
	memcpy(out, s->ahead + s->at, left);
	s->at += left;
	return moved(b, (ssize_t)left, BIO_FLAGS_READ);
}

static int
write_bytes(BIO *b, const char *in, int n)
{
	struct source *s = BIO_get_data(b);

	return moved(b, send(s->fd, in, (size_t)n, MSG_NOSIGNAL), BIO_FLAGS_WRITE);
}

static long
control(BIO *b, int cmd, long num, void *ptr)
{
	(void)num;
	(void)ptr;
	switch (cmd) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_EOF:
		return BIO_test_flags(b, BIO_FLAGS_IN_EOF) != 0;
	default:
		return 0;
	}
}

static int
destroy(BIO *b)
{
	mem_free(BIO_get_data(b));
	BIO_set_data(b, NULL);
	return 1;
}

/* One method table for the process, made on first use and kept. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method;

static void
make_method(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "rowcall socket");
	if (!method)
		return;
	BIO_meth_set_read(method, read_bytes);
	BIO_meth_set_write(method, write_bytes);
	BIO_meth_set_ctrl(method, control);
	BIO_meth_set_destroy(method, destroy);
}

BIO *
bio_socket_new(int fd, struct span ahead)
{
	struct source *s;
	BIO *b;

	pthread_once(&once, make_method);
	s = mem_alloc(sizeof *s + ahead.n);
	b = method && s ? BIO_new(method) : NULL;
	if (!b) {
		mem_free(s);
		return NULL;
	}
	*s = (struct source){ .fd = fd, .n = ahead.n };
	if (ahead.n)
		memcpy(s->ahead, ahead.p, ahead.n);
	BIO_set_data(b, s);
	BIO_set_init(b, 1);
	return b;
}
