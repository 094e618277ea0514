/* SPDX-License-Identifier: Apache-2.0 */
/* cancel: see cancel.h. Two chained hash tables would be faster to drop from; sessions that come and go are rare next to statements,
 * so one table by session with a scan on look-up is enough: cancels are rarer still. */
#include "cancel.h"

#include <pthread.h>

#include "fingerprint/mem.h"

enum { KEY_BYTES = 4 + 256, BUCKETS = 1024 };	/* pid and the longest secret of protocol 3.2 */

struct entry {
	struct entry *next;
	uint32_t session;
	uint16_t n;
	struct address address;
	uint8_t key[];
};

struct cancel_map {
	pthread_mutex_t lock;
	struct entry *buckets[BUCKETS];
};

struct cancel_map *
cancel_map_new(void)
{
	struct cancel_map *m = mem_zero(sizeof *m);

	if (m)
		pthread_mutex_init(&m->lock, NULL);
	return m;
}

void
cancel_map_free(struct cancel_map *m)
{
	if (!m)
		return;
	for (unsigned i = 0; i < BUCKETS; i++)
		while (m->buckets[i]) {
			struct entry *e = m->buckets[i];

			m->buckets[i] = e->next;
			mem_free(e);
		}
	pthread_mutex_destroy(&m->lock);
	mem_free(m);
}

bool
cancel_map_put(struct cancel_map *m, uint32_t session, struct span key, const struct address *a)
{
	struct entry *e, **bucket = &m->buckets[session % BUCKETS];

	if (key.n == 0 || key.n > KEY_BYTES)
		return false;
	e = mem_alloc(sizeof *e + key.n);
	if (!e)
		return false;
	*e = (struct entry){ .session = session, .n = (uint16_t)key.n, .address = *a };
	memcpy(e->key, key.p, key.n);
	cancel_map_drop(m, session);
	pthread_mutex_lock(&m->lock);
	e->next = *bucket;
	*bucket = e;
	pthread_mutex_unlock(&m->lock);
	return true;
}

bool
cancel_map_get(struct cancel_map *m, struct span key, struct address *a)
{
	bool found = false;

	pthread_mutex_lock(&m->lock);
	for (unsigned i = 0; i < BUCKETS && !found; i++)
		for (struct entry *e = m->buckets[i]; e && !found; e = e->next)
			if (span_eq(span_of(e->key, e->n), key)) {
				*a = e->address;
				found = true;
			}
	pthread_mutex_unlock(&m->lock);
	return found;
}

void
cancel_map_drop(struct cancel_map *m, uint32_t session)
{
	struct entry **at = &m->buckets[session % BUCKETS];

	pthread_mutex_lock(&m->lock);
	while (*at) {
		struct entry *e = *at;

		if (e->session != session) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		mem_free(e);
	}
	pthread_mutex_unlock(&m->lock);
}
