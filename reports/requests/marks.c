/* SPDX-License-Identifier: Apache-2.0 */
/* marks: see marks.h. A list under a lock: marks are rare, and no worker ever comes here. */
#include "marks.h"

#include <pthread.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

struct marks {
	pthread_mutex_t lock;
	struct mark *first, *last;
	uint32_t n;
	char test[LIMIT_NAME + 1], request[LIMIT_NAME + 1];	/* as of the newest mark */
};

struct marks *
marks_new(void)
{
	struct marks *m = xmem_zero(sizeof *m);

	pthread_mutex_init(&m->lock, NULL);
	return m;
}

void
marks_free(struct marks *m)
{
	if (!m)
		return;
	for (struct mark *k = m->first, *next; k; k = next) {
		next = k->next;
		mark_free(k);
	}
	pthread_mutex_destroy(&m->lock);
	mem_free(m);
}

void
mark_free(struct mark *k)
{
	mem_free(k->rec);
	mem_free(k);
}

/* A long name is cut, between characters: test ids carry their parameters, and the test runs whatever it is called. */
static void
set_name(char name[LIMIT_NAME + 1], const char *value)
{
	size_t n;

	if (!value)
		return;
	n = strnlen(value, LIMIT_NAME);
	while (n && ((unsigned char)value[n] & 0xc0) == 0x80)
		n--;
	memmove(name, value, n);
	name[n] = '\0';
}

static struct rec_text *
mark_record(const char *test, const char *request, uint64_t t)
{
	size_t test_n = strlen(test) + 1, request_n = strlen(request) + 1;
	struct rec_text *rec = xmem_zero(sizeof *rec + test_n + request_n);

	rec->h = (struct rec){ .size = (uint32_t)(sizeof *rec + test_n + request_n), .type = REC_MARK, .t = t };
	rec->n = (uint32_t)(test_n + request_n);
	memcpy(rec->text, test, test_n);
	memcpy(rec->text + test_n, request, request_n);
	return rec;
}

static void
append(struct marks *m, struct rec_text *rec)
{
	struct mark *k = xmem_zero(sizeof *k);

	k->rec = rec;
	if (m->last)
		m->last->next = k;
	else
		m->first = k;
	m->last = k;
	m->n++;
}

void
marks_add(struct marks *m, const char *test, const char *request, uint64_t (*now)(void))
{
	struct rec_text *rec;

	pthread_mutex_lock(&m->lock);
	set_name(m->test, test);
	set_name(m->request, request);
	rec = mark_record(m->test, m->request, now());
	if (m->n < LIMIT_MARKS) {
		append(m, rec);
	} else { /* the newest takes the place of the one before */
		mem_free(m->last->rec);
		m->last->rec = rec;
	}
	pthread_mutex_unlock(&m->lock);
}

struct mark *
marks_take(struct marks *m, uint64_t t)
{
	struct mark *k;

	pthread_mutex_lock(&m->lock);
	k = m->first;
	if (k && k->rec->h.t <= t) {
		m->first = k->next;
		if (!m->first)
			m->last = NULL;
		m->n--;
	} else
		k = NULL;
	pthread_mutex_unlock(&m->lock);
	return k;
}

void
mark_read(const struct rec_text *rec, struct span *test, struct span *request)
{
	const char *end = memchr(rec->text, '\0', rec->n);
	size_t used;

	*test = *request = (struct span){ 0 };
	if (!end)
		return;
	used = (size_t)(end - rec->text) + 1;
	*test = span_of(rec->text, used - 1);
	end = memchr(end + 1, '\0', rec->n - used);
	if (end)
		*request = span_of(rec->text + used, (size_t)(end - rec->text) - used);
}
