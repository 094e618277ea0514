/* SPDX-License-Identifier: Apache-2.0 */
/* resolver: see resolver.h. One thread, one queue under one mutex. */
#include "resolver.h"

#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "fingerprint/mem.h"

struct job {
	struct job *next;
	void (*done)(void *, const struct resolved *);
	void *ctx;
	uint16_t port;
	char host[];
};

struct resolver {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job *first, **last;
	bool stop;
};

static void
look_up(const struct job *j, struct resolved *out)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *list = NULL;
	char port[8];
	int rc;

	memset(out, 0, sizeof *out);
	snprintf(port, sizeof port, "%u", j->port);
	rc = getaddrinfo(j->host, port, &hints, &list);
	if (rc == EAI_NONAME || rc == EAI_ADDRFAMILY || rc == EAI_NODATA) {
		/* AI_ADDRCONFIG hides loopback names on a machine without any other interface. */
		hints.ai_flags = 0;
		rc = getaddrinfo(j->host, port, &hints, &list);
	}
	if (rc != 0) {
		out->error = gai_strerror(rc);
		return;
	}
	for (struct addrinfo *ai = list; ai && out->n < RESOLVER_ADDRESSES; ai = ai->ai_next) {
		if (ai->ai_addrlen > sizeof out->addresses[0].sa)
			continue;
		memcpy(&out->addresses[out->n].sa, ai->ai_addr, ai->ai_addrlen);
		out->addresses[out->n++].len = ai->ai_addrlen;
	}
	freeaddrinfo(list);
	if (out->n == 0)
		out->error = "the name has no address";
}

static struct job *
take(struct resolver *r)
{
	struct job *j = r->first;

	if (j) {
		r->first = j->next;
		if (!r->first)
			r->last = &r->first;
	}
	return j;
}

static void *
resolver_main(void *arg)
{
	struct resolver *r = arg;
	struct resolved answer;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		struct job *j = take(r);

		if (!j) {
			if (r->stop)
				break;
			pthread_cond_wait(&r->more, &r->lock);
			continue;
		}
		bool stop = r->stop;

		pthread_mutex_unlock(&r->lock);
		if (stop)
			answer = (struct resolved){ .error = "rowcall is ending" };
		else
			look_up(j, &answer);
		j->done(j->ctx, &answer);
		mem_free(j);
		pthread_mutex_lock(&r->lock);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

struct resolver *
resolver_new(void)
{
	struct resolver *r = mem_zero(sizeof *r);

	if (!r)
		return NULL;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->more, NULL);
	r->last = &r->first;
	if (pthread_create(&r->thread, NULL, resolver_main, r) != 0) {
		mem_free(r);
		return NULL;
	}
	return r;
}

bool
resolver_ask(struct resolver *r, const char *host, uint16_t port, void (*done)(void *ctx, const struct resolved *), void *ctx)
{
	size_t n = strlen(host) + 1;
	struct job *j = mem_alloc(sizeof *j + n);

	if (!j)
		return false;
	*j = (struct job){ .done = done, .ctx = ctx, .port = port };
	memcpy(j->host, host, n);
	pthread_mutex_lock(&r->lock);
	*r->last = j;
	r->last = &j->next;
	pthread_cond_signal(&r->more);
	pthread_mutex_unlock(&r->lock);
	return true;
}

void
resolver_free(struct resolver *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->more);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	pthread_cond_destroy(&r->more);
	pthread_mutex_destroy(&r->lock);
	mem_free(r);
}
