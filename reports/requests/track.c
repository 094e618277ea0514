/* SPDX-License-Identifier: Apache-2.0 */
/* track: see track.h. An open-addressing table of pointers, linear probing, backward-shift deletion. */
#include "track.h"

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

enum { FIRST_SLOTS = 64, VICTIM_SAMPLE = 64 };

struct sessions {
	struct session **slots;
	uint32_t cap, n;	/* cap: power of two, at least twice n */
	uint32_t hand;		/* where the next search for a victim begins */
	struct session *newest;	/* found last: most records come in runs of one session */
};

struct sessions *
sessions_new(void)
{
	struct sessions *t = xmem_zero(sizeof *t);

	t->cap = FIRST_SLOTS;
	t->slots = xmem_zero(t->cap * sizeof *t->slots);
	return t;
}

static void
session_free(struct session *s)
{
	session_forget_tags(s);
	tagset_unref(s->tags);
	tagset_unref(s->tx.tag);
	mem_free(s->database);
	mem_free(s->application);
	mem_free(s);
}

void
sessions_free(struct sessions *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->cap; i++)
		if (t->slots[i])
			session_free(t->slots[i]);
	mem_free(t->slots);
	mem_free(t);
}

static uint32_t
home(const struct sessions *t, uint32_t id)
{
	return id * 2654435769u & (t->cap - 1);
}

static uint32_t
slot_of(const struct sessions *t, uint32_t id)
{
	uint32_t i = home(t, id);

	while (t->slots[i] && t->slots[i]->id != id)
		i = (i + 1) & (t->cap - 1);
	return i;
}

struct session *
sessions_find(struct sessions *t, uint32_t id)
{
	if (t->newest && t->newest->id == id)
		return t->newest;

	struct session *s = t->slots[slot_of(t, id)];

	if (s)
		t->newest = s;
	return s;
}

static void
double_slots(struct sessions *t)
{
	struct session **old = t->slots;
	uint32_t n = t->cap;

	t->cap *= 2;
	t->slots = xmem_zero(t->cap * sizeof *t->slots);
	for (uint32_t i = 0; i < n; i++)
		if (old[i])
			t->slots[slot_of(t, old[i]->id)] = old[i];
	mem_free(old);
}

struct session *
sessions_add(struct sessions *t, uint32_t id)
{
	struct session *s = xmem_zero(sizeof *s);

	if (t->n + 1 > t->cap / 2)
		double_slots(t);
	s->id = id;
	t->slots[slot_of(t, id)] = s;
	t->n++;
	t->newest = s;
	return s;
}

void
sessions_remove(struct sessions *t, struct session *s)
{
	uint32_t hole = slot_of(t, s->id);

	t->slots[hole] = NULL;
	for (uint32_t i = (hole + 1) & (t->cap - 1); t->slots[i]; i = (i + 1) & (t->cap - 1)) {
		uint32_t at = home(t, t->slots[i]->id);

		/* Still reachable from its home without passing the hole? */
		if (((i - at) & (t->cap - 1)) < ((i - hole) & (t->cap - 1)))
			continue;
		t->slots[hole] = t->slots[i];
		t->slots[i] = NULL;
		hole = i;
	}
	t->n--;
	t->newest = NULL;
	session_free(s);
}

uint32_t
sessions_count(const struct sessions *t)
{
	return t->n;
}

struct session *
sessions_victim(struct sessions *t)
{
	struct session *oldest = NULL;

	for (uint32_t looked = 0, tried = 0; looked < VICTIM_SAMPLE && tried < t->cap; tried++) {
		struct session *s = t->slots[t->hand++ & (t->cap - 1)];

		if (!s)
			continue;
		looked++;
		if (!oldest || s->seen < oldest->seen)
			oldest = s;
	}
	return oldest;
}

struct session *
sessions_at(const struct sessions *t, uint32_t i)
{
	return t->slots[i];
}

uint32_t
sessions_slots(const struct sessions *t)
{
	return t->cap;
}

/* ---- names from settings ---- */

const char *
session_key(const struct session *s)
{
	const char *key = s->local.key ? s->local.key : s->plain.key ? s->plain.key : s->app_key;

	return key ? key : "";
}

const char *
session_scope(const struct session *s)
{
	const char *scope = s->local.scope ? s->local.scope : s->plain.scope;

	return scope ? scope : "";
}

bool
session_set(char **name, struct span value)
{
	value = span_first(value, LIMIT_NAME);
	if (span_eq(span_str(*name), value))
		return false;
	mem_free(*name);
	*name = value.n ? xmem_strndup((const char *)value.p, value.n) : NULL;
	return true;
}

static void
forget(struct setting_names *n)
{
	mem_free(n->key);
	mem_free(n->scope);
	*n = (struct setting_names){ 0 };
}

static char *
copy(const char *s)
{
	return s ? xmem_strdup(s) : NULL;
}

void
session_save(struct session *s)
{
	if (s->has_saved)
		return;
	s->has_saved = true;
	s->saved = (struct setting_names){ copy(s->plain.key), copy(s->plain.scope) };
}

void
session_end_tx(struct session *s, bool undone)
{
	forget(&s->local);
	if (!s->has_saved)
		return;
	s->has_saved = false;
	if (undone) {
		forget(&s->plain);
		s->plain = s->saved;
		s->saved = (struct setting_names){ 0 };
	} else {
		forget(&s->saved);
	}
}

void
session_forget_tags(struct session *s)
{
	forget(&s->plain);
	forget(&s->local);
	forget(&s->saved);
	s->has_saved = false;
	mem_free(s->app_key);
	s->app_key = NULL;
}
