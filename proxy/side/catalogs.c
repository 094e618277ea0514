/* SPDX-License-Identifier: Apache-2.0 */
/* catalogs: see catalogs.h. */
#include "catalogs.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "catalog_read.h"
#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "proxy/clock.h"

#define MS UINT64_C(1000000)
/* A migration says many things in a row: read once they are said. CONNECT stays below the 5 s for which PostgreSQL's DROP DATABASE waits. */
static const uint64_t after_change = 200 * MS, between = 2000 * MS, connect_time = 3000 * MS, settle_time = 3000 * MS;

struct entry {
	uint16_t upstream;
	char database[LIMIT_NAME];
	bool wanted, changed, tried, failed, warned;	/* changed: wanted because it did */
	uint64_t since, due;		/* ns: first wanted, to be read at */
	uint64_t last;			/* ... last read because it had changed, or failed */
};

struct catalogs {
	const struct config *cfg;
	struct catalogs_sink sink;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more, done;	/* something is wanted; something was read */
	struct entry entries[LIMIT_CATALOGS];
	uint32_t n;
	bool stop, reading, hurry;
};

static struct timespec
at(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u) };
}

static uint64_t
later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* ---- what is wanted ---- */

static struct entry *
entry_of(struct catalogs *c, uint16_t upstream, const char *database)
{
	struct entry *e;

	for (uint32_t i = 0; i < c->n; i++)
		if (c->entries[i].upstream == upstream && strcmp(c->entries[i].database, database) == 0)
			return &c->entries[i];
	if (c->n == LIMIT_CATALOGS || strlen(database) >= sizeof c->entries[0].database)
		return NULL;
	e = &c->entries[c->n++];
	*e = (struct entry){ .upstream = upstream };
	memcpy(e->database, database, strlen(database) + 1);
	return e;
}

static void
want(struct catalogs *c, struct entry *e, bool changed)
{
	uint64_t now = clock_ns(), due = changed ? now + after_change : now;

	if (!changed && e->tried && !e->failed)
		return;
	if (!e->wanted)
		e->since = now;
	else if (!changed || due > e->since + between)
		return;
	e->wanted = true;
	e->changed |= changed;
	e->due = e->last ? later(due, e->last + between) : due;
	pthread_cond_signal(&c->more);
}

void
catalogs_wanted(void *catalogs, uint16_t upstream, const char *database, bool changed)
{
	struct catalogs *c = catalogs;
	struct entry *e;

	if (upstream >= c->cfg->nlistens || !c->cfg->listens[upstream].catalog)
		return;
	pthread_mutex_lock(&c->lock);
	e = entry_of(c, upstream, database);
	if (e)
		want(c, e, changed);
	pthread_mutex_unlock(&c->lock);
}

static struct entry *
next_wanted(struct catalogs *c)
{
	struct entry *next = NULL;

	for (uint32_t i = 0; i < c->n; i++)
		if (c->entries[i].wanted && (!next || c->entries[i].due < next->due))
			next = &c->entries[i];
	return next;
}

void
catalogs_settle(void *catalogs)
{
	struct catalogs *c = catalogs;
	struct timespec until = at(clock_ns() + settle_time);

	pthread_mutex_lock(&c->lock);
	c->hurry = true;
	/* What failed before would most likely fail again. */
	for (uint32_t i = 0; i < c->n; i++)
		c->entries[i].wanted &= !c->entries[i].failed;
	pthread_cond_signal(&c->more);
	while ((c->reading || next_wanted(c)) && pthread_cond_timedwait(&c->done, &c->lock, &until) == 0)
		;
	pthread_mutex_unlock(&c->lock);
}

/* ---- the thread ---- */

static void
read_one(struct catalogs *c, uint16_t upstream, const char *database, bool *warned, bool *failed)
{
	const struct listen_config *l = &c->cfg->listens[upstream];
	const struct upstream_config *up = &l->catalog_server;
	struct side_target t = { .engine = up->engine, .host = up->host, .is_unix = up->is_unix, .port = up->port, .user = up->user,
		.password = up->password, .database = *database ? database : up->database, .tls = up->is_unix ? WIRE_TLS_DISABLE : l->catalog_tls,
		.ca = l->catalog_ca, .timeout = connect_time };
	struct side_problem p;
	struct catalog *catalog = catalog_read(&t, upstream, database, &p);
	char line[600];

	*failed = catalog == NULL;
	if (catalog) {
		c->sink.read(c->sink.ctx, catalog);
	} else if (!*warned) {
		*warned = true;
		snprintf(line, sizeof line, "the catalog of %s at %s cannot be read, so names of columns decide: %s", *t.database ? t.database : "the database",
		    up->display, p.text);
		c->sink.say(c->sink.ctx, line);
	}
}

/* With the lock held; gives it back while it reads. */
static void
read_entry(struct catalogs *c, struct entry *e)
{
	struct entry copy = *e;

	e->wanted = e->changed = false;
	c->reading = true;
	pthread_mutex_unlock(&c->lock);
	read_one(c, copy.upstream, copy.database, &copy.warned, &copy.failed);
	pthread_mutex_lock(&c->lock);
	c->reading = false;
	e->tried = true;
	e->warned = copy.warned;
	e->failed = copy.failed;
	if (copy.changed || copy.failed)
		e->last = clock_ns();
	pthread_cond_broadcast(&c->done);
}

static void *
catalogs_main(void *arg)
{
	struct catalogs *c = arg;

	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		struct entry *e = next_wanted(c);

		if (e && (c->hurry || e->due <= clock_ns())) {
			read_entry(c, e);
		} else if (e) {
			struct timespec due = at(e->due);

			pthread_cond_timedwait(&c->more, &c->lock, &due);
		} else {
			pthread_cond_wait(&c->more, &c->lock);
		}
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static bool
any_listener(const struct config *cfg)
{
	for (uint32_t i = 0; i < cfg->nlistens; i++)
		if (cfg->listens[i].catalog)
			return true;
	return false;
}

static void
free_catalogs(struct catalogs *c)
{
	pthread_cond_destroy(&c->more);
	pthread_cond_destroy(&c->done);
	pthread_mutex_destroy(&c->lock);
	mem_free(c);
}

struct catalogs *
catalogs_start(const struct config *cfg, struct catalogs_sink sink, char *err, size_t err_n)
{
	struct catalogs *c;
	pthread_condattr_t attr;

	err[0] = '\0';
	if (!cfg->lineage || !any_listener(cfg))
		return NULL;
	c = xmem_zero(sizeof *c);
	c->cfg = cfg;
	c->sink = sink;
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->more, &attr);
	pthread_cond_init(&c->done, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&c->thread, NULL, catalogs_main, c) == 0)
		return c;
	snprintf(err, err_n, "no thread could be started");
	free_catalogs(c);
	return NULL;
}

void
catalogs_stop(struct catalogs *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->more);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	free_catalogs(c);
}
