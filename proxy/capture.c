/* SPDX-License-Identifier: Apache-2.0 */
/* capture: see capture.h. Puts the machinery together and takes it apart in the right order. */
#include "capture.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "clock.h"
#include "core/acceptor.h"
#include "core/worker.h"
#include "fingerprint/mem.h"
#include "reports/requests/analyzer.h"
#include "reports/serve/admin.h"
#include "reports/store/store.h"
#include "side/catalogs.h"

enum { MAX_TOKEN = 4096 };

struct capture {
	const struct config *cfg;
	const char *command;
	struct worker_shared shared;
	struct shapes *shapes;
	struct ring **rings;
	struct worker **workers;
	uint32_t nworkers;
	struct acceptor *acceptor;
	struct analyzer *analyzer;
	struct collector *collector;
	struct admin *admin;
	struct store *store;		/* NULL: nothing is recorded */
	struct catalogs *catalogs;	/* NULL: nobody asks for them */
	const char **upstreams;		/* names for reports, by listener */
	char (*servers)[LIMIT_NAME];	/* "postgresql 15.20 at 127.0.0.1:5432", by listener */
	pthread_mutex_t servers_lock;	/* guards them */
	uint64_t started;		/* ns */
	int64_t started_us;
	bool listening, stopped;
	char (*hosts)[ADDRESS_TEXT];
};

/* ---- admin port ---- */

static void
admin_mark(void *ctx, const char *test, const char *request)
{
	struct capture *c = ctx;

	analyzer_mark(c->analyzer, test, request);
}

static bool
admin_ready(void *ctx)
{
	struct capture *c = ctx;

	return __atomic_load_n(&c->listening, __ATOMIC_ACQUIRE);
}

static struct snapshot *
admin_snapshot(void *ctx)
{
	return capture_snapshot(ctx);
}

static void
admin_counters(void *ctx, struct counters *out)
{
	*out = capture_counters(ctx);
}

static bool
start_admin(struct capture *c, char *err, size_t err_n)
{
	const struct config *cfg = c->cfg;
	struct admin_config ac = { .address = cfg->admin_address, .port = cfg->admin_port, .token = cfg->admin_token ? cfg->admin_token : "" };
	struct admin_source src = {
		.ctx = c, .mark = admin_mark, .ready = admin_ready, .snapshot = admin_snapshot, .counters = admin_counters
	};

	if (!cfg->admin_address || !*cfg->admin_address)
		return true;
	c->admin = admin_start(&ac, src, err, err_n);
	return c->admin != NULL;
}

/* ---- start ---- */

/* What a listener's legs need for TLS; NULL for a leg that never has it. */
static bool
load_contexts(const struct listen_config *cfg, SSL_CTX **client, SSL_CTX **server, char *err, size_t err_n)
{
	*client = *server = NULL;
	if (*cfg->client_cert && !(*client = tls_client_context(cfg, err, err_n)))
		return false;
	if (cfg->setup.server_tls == WIRE_TLS_DISABLE || cfg->setup.server_is_unix)
		return true;
	*server = tls_server_context(cfg, err, err_n);
	if (*server)
		return true;
	SSL_CTX_free(*client);
	*client = NULL;
	return false;
}

static bool
set_listener(struct listener *l, const struct listen_config *cfg, uint16_t index, char *err, size_t err_n)
{
	const struct upstream_config *up = &cfg->upstream;

	*l = (struct listener){ .cfg = cfg, .index = index, .fd = -1 };
	l->engine = up->engine == ENGINE_POSTGRESQL ? &pg_engine : &my_engine;
	l->fixed = up->is_unix ? address_unix(&l->upstream, up->host) : address_numeric(&l->upstream, up->host, up->port);
	if (up->is_unix && !l->fixed) {
		snprintf(err, err_n, "%s: the path is too long for a socket", up->host);
		return false;
	}
	return load_contexts(cfg, &l->client_tls, &l->server_tls, err, err_n);
}

/* Every closed request goes to the report and, when one is kept, to the recording. */
static void
take_request(void *ctx, const struct request *r)
{
	struct capture *c = ctx;

	collector_request(c->collector, r);
	if (c->store)
		store_request(c->store, r);
}

static void
take_stray(void *ctx, const struct req_stmt *s)
{
	struct capture *c = ctx;

	collector_stray(c->collector, s);
	if (c->store)
		store_stray(c->store, s);
}

static void
take_values(void *ctx, const struct stmt_values *v)
{
	struct capture *c = ctx;

	if (c->store)
		store_values(c->store, v);
}

/* "postgresql at 127.0.0.1:5432", and with the version once a session has told it: "5.5.5-10.11.6-MariaDB-..." is mariadb 10.11.6. */
static void
name_server(struct capture *c, uint32_t i, struct span version)
{
	const struct listen_config *l = c->shared.listeners[i].cfg;
	const char *engine = engine_name(l->upstream.engine);
	char words[64], *rest = words;

	snprintf(words, sizeof words, "%.*s", (int)(version.n < 60 ? version.n : 60), version.n ? (const char *)version.p : "");
	if (l->upstream.engine == ENGINE_MYSQL && strstr(words, "MariaDB")) {
		engine = "mariadb";
		if (strncmp(rest, "5.5.5-", 6) == 0)
			rest += 6;
	}
	rest[strcspn(rest, " -")] = '\0';
	pthread_mutex_lock(&c->servers_lock);
	snprintf(c->servers[i], sizeof c->servers[i], "%s%s%s at %s", engine, *rest ? " " : "", rest, l->upstream.display);
	pthread_mutex_unlock(&c->servers_lock);
}

static void
take_server(void *ctx, uint16_t upstream, struct span version)
{
	struct capture *c = ctx;

	if (upstream < c->shared.nlisteners)
		name_server(c, upstream, version);
}

static bool
start_recording(struct capture *c, const char *command, char *err, size_t err_n)
{
	const struct config *cfg = c->cfg;

	if (!*cfg->record || strcmp(cfg->record, "none") == 0)
		return true;
	c->store = store_open(cfg->record, command, c->started_us, c->upstreams, cfg->nlistens, cfg->record_values, err, err_n);
	if (c->store || !cfg->record_optional)
		return c->store != NULL;
	log_warn(c->shared.log, 0, "this run is not kept for rowcall report: %s", err);
	return true;
}

static void
take_catalog(void *ctx, struct catalog *catalog)
{
	struct capture *c = ctx;

	analyzer_catalog(c->analyzer, catalog);
}

static void
say_catalog(void *ctx, const char *line)
{
	struct capture *c = ctx;

	log_warn(c->shared.log, 0, "%s", line);
}

/* The databases the URLs name are read at once: most sessions use them. */
static void
want_catalogs(struct capture *c)
{
	const struct config *cfg = c->cfg;

	for (uint32_t i = 0; c->catalogs && i < cfg->nlistens; i++)
		if (*cfg->listens[i].catalog_server.database)
			catalogs_wanted(c->catalogs, (uint16_t)i, cfg->listens[i].catalog_server.database, false);
}

static bool
start_analysis(struct capture *c, char *err, size_t err_n)
{
	const struct config *cfg = c->cfg;
	struct analyzer_config ac = { .idle_gap = cfg->idle_gap, .quiet = cfg->quiet, .keyed_quiet = cfg->keyed_quiet, .upstreams = c->upstreams,
		.nupstreams = cfg->nlistens, .tag_settings = cfg->tag_settings, .ntag_settings = cfg->ntag_settings, .fold = cfg->fold,
		.tag_patterns = cfg->tag_patterns, .lineage = cfg->lineage };
	struct collector_config cc = { .rules = cfg->rules, .gate = cfg->gate, .rtt = cfg->rtt, .upstreams = c->upstreams,
		.nupstreams = cfg->nlistens };

	c->collector = collector_new(&cc);
	if (!c->collector)
		return false;
	c->catalogs = catalogs_start(cfg, (struct catalogs_sink){ c, take_catalog, say_catalog }, err, err_n);
	if (!c->catalogs && *err)
		return false;
	snprintf(err, err_n, "out of memory, or no thread could be started");
	if (c->catalogs)
		ac.catalogs = (struct catalog_source){ c->catalogs, catalogs_wanted, catalogs_settle };
	c->analyzer = analyzer_new(&ac, c->rings, c->nworkers,
	    (struct request_sink){ .ctx = c, .request = take_request, .stray = take_stray, .server = take_server, .values = take_values });
	want_catalogs(c);
	return c->analyzer && analyzer_start(c->analyzer);
}

static bool
start_workers(struct capture *c)
{
	for (uint32_t i = 0; i < c->cfg->workers; i++) {
		c->workers[i] = worker_new(&c->shared, c->rings[i], c->shapes);
		if (!c->workers[i])
			return false;
	}
	return true;
}

static void
name_listeners(struct capture *c)
{
	for (uint32_t i = 0; i < c->shared.nlisteners; i++) {
		const struct listen_config *l = c->shared.listeners[i].cfg;

		snprintf(c->hosts[i], ADDRESS_TEXT, "%s", l->address);
	}
}

static bool
make_parts(struct capture *c, bool grow_rings, char *err, size_t err_n)
{
	const struct config *cfg = c->cfg;

	c->shared.listeners = xmem_zero(cfg->nlistens * sizeof *c->shared.listeners);
	c->upstreams = xmem_zero(cfg->nlistens * sizeof *c->upstreams);
	c->hosts = xmem_zero(cfg->nlistens * sizeof *c->hosts);
	c->servers = xmem_zero(cfg->nlistens * sizeof *c->servers);
	c->rings = xmem_zero(cfg->workers * sizeof *c->rings);
	c->workers = xmem_zero(cfg->workers * sizeof *c->workers);
	c->nworkers = cfg->workers;
	for (uint32_t i = 0; i < cfg->nlistens; i++) {
		if (!set_listener(&c->shared.listeners[i], &cfg->listens[i], (uint16_t)i, err, err_n))
			return false;
		c->shared.nlisteners++;
		c->upstreams[i] = cfg->listens[i].name;
		name_server(c, i, (struct span){ NULL, 0 });
	}
	for (uint32_t i = 0; i < cfg->workers; i++) {
		c->rings[i] = ring_new(LIMIT_RING_BYTES, grow_rings ? LIMIT_RING_GROWN : 0);
		if (!c->rings[i])
			return false;
	}
	c->shapes = shapes_new();
	c->shared.cancels = cancel_map_new();
	c->shared.resolver = resolver_new();
	return c->shapes && c->shared.cancels && c->shared.resolver;
}

static void
block_signals(sigset_t *before)
{
	static const int ours[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2, SIGWINCH, SIGQUIT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		sigaddset(&set, ours[i]);
	pthread_sigmask(SIG_BLOCK, &set, before);
}

static bool
start_all(struct capture *c, bool grow_rings, char *err, size_t err_n)
{
	snprintf(err, err_n, "out of memory, or no thread could be started");
	if (!make_parts(c, grow_rings, err, err_n))
		return false;
	c->acceptor = acceptor_bind(&c->shared, err, err_n);
	if (!c->acceptor)
		return false;
	name_listeners(c);
	snprintf(err, err_n, "out of memory, or no thread could be started");
	if (!start_recording(c, c->command, err, err_n) || !start_analysis(c, err, err_n) || !start_workers(c) || !start_admin(c, err, err_n))
		return false;
	if (!acceptor_start(c->acceptor, c->workers, c->nworkers))
		return false;
	__atomic_store_n(&c->listening, true, __ATOMIC_RELEASE);
	return true;
}

void
capture_raise_files(struct rlimit *before)
{
	struct rlimit more;

	getrlimit(RLIMIT_NOFILE, before);
	more = *before;
	more.rlim_cur = more.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &more) != 0)
		errno = 0; /* then the limit stays what it is */
}

struct capture *
capture_start(const struct config *cfg, struct log *log, const char *command, bool grow_rings, char *err, size_t err_n)
{
	struct capture *c = xmem_zero(sizeof *c);
	sigset_t before;
	bool ok;

	c->cfg = cfg;
	c->command = command;
	c->shared.cfg = cfg;
	c->shared.log = log;
	c->shared.handshake_ms = LIMIT_HANDSHAKE_MS;
	pthread_mutex_init(&c->shared.tls_lock, NULL);
	pthread_mutex_init(&c->servers_lock, NULL);
	c->started = clock_ns();
	c->started_us = clock_wall_us();
	sql_hash_key_init();
	block_signals(&before);
	ok = start_all(c, grow_rings, err, err_n);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!ok) {
		capture_stop(c);
		capture_free(c);
		return NULL;
	}
	err[0] = '\0';
	return c;
}

/* ---- while it runs ---- */

const char *
capture_host(const struct capture *c, uint32_t i)
{
	return c->hosts[i];
}

uint16_t
capture_port(const struct capture *c, uint32_t i)
{
	const struct listener *l = &c->shared.listeners[i];

	return l->cfg->is_unix ? l->cfg->port : address_port(&l->bound);
}

uint16_t
capture_admin_port(const struct capture *c)
{
	return c->admin ? admin_port(c->admin) : 0;
}

static void
add_worker(struct counters *sum, const struct worker_counters *k)
{
	uint32_t expected = 0, unexpected = 0;

	sum->accepted += counter_get(&k->accepted);
	sum->open += counter_get(&k->open);
	sum->refused += counter_get(&k->refused);
	sum->upstream_failures += counter_get(&k->upstream_failures);
	sum->cancelled += counter_get(&k->cancelled);
	sum->bytes_to_server += counter_get(&k->bytes[WIRE_CLIENT]);
	sum->bytes_to_client += counter_get(&k->bytes[WIRE_SERVER]);
	for (enum wire_opaque why = WIRE_CLEAR + 1; why < WIRE_OPAQUE_REASONS; why++) {
		struct opaque_counter *o = wire_opaque_expected(why) ? &sum->expected[expected++] : &sum->unexpected[unexpected++];

		o->reason = wire_opaque_name(why);
		o->sessions += counter_get(&k->opaque[why]);
	}
	sum->cut_texts += counter_get(&k->cut_texts);
	sum->cut_tags += counter_get(&k->cut_tags);
	sum->cache.hits += counter_get(&k->cache_hits);
	sum->cache.misses += counter_get(&k->cache_misses);
	sum->cache.uncacheable += counter_get(&k->cache_uncacheable);
	sum->cache.evictions += counter_get(&k->cache_evictions);
	sum->cache.entries += counter_get(&k->cache_entries);
	sum->cache.bytes += counter_get(&k->cache_bytes);
}

struct counters
capture_counters(struct capture *c)
{
	struct coverage seen = analyzer_coverage(c->analyzer);
	struct counters sum = { .uptime = clock_ns() - c->started, .lost = seen.lost, .evidence_shed = seen.evidence_shed };

	_Static_assert((unsigned)WIRE_OPAQUE_REASONS <= (unsigned)OPAQUE_COUNTERS, "one counter each");
	for (uint32_t i = 0; i < c->nworkers; i++)
		if (c->workers && c->workers[i])
			add_worker(&sum, &c->workers[i]->counters);
	return sum;
}

bool
capture_reload_tls(struct capture *c, char *err, size_t err_n)
{
	uint32_t n = c->shared.nlisteners, loaded = 0;
	SSL_CTX **fresh = xmem_zero(2 * n * sizeof *fresh);

	while (loaded < n && load_contexts(&c->cfg->listens[loaded], &fresh[2 * loaded], &fresh[2 * loaded + 1], err, err_n))
		loaded++;
	pthread_mutex_lock(&c->shared.tls_lock);
	for (uint32_t i = 0; loaded == n && i < n; i++) {
		struct listener *l = &c->shared.listeners[i];
		SSL_CTX *client = l->client_tls, *server = l->server_tls;

		l->client_tls = fresh[2 * i];
		l->server_tls = fresh[2 * i + 1];
		fresh[2 * i] = client;
		fresh[2 * i + 1] = server;
	}
	pthread_mutex_unlock(&c->shared.tls_lock);
	/* Sessions hold on to the one they began with. */
	for (uint32_t i = 0; i < 2 * n; i++)
		SSL_CTX_free(fresh[i]);
	mem_free(fresh);
	return loaded == n;
}

void
capture_drain(struct capture *c)
{
	__atomic_store_n(&c->listening, false, __ATOMIC_RELEASE);
	acceptor_stop(c->acceptor);
	for (uint32_t i = 0; i < c->nworkers; i++)
		worker_drain(c->workers[i]);
}

bool
capture_drained(struct capture *c)
{
	return capture_counters(c).open == 0;
}

void
capture_stop(struct capture *c)
{
	if (c->stopped)
		return;
	c->stopped = true;
	__atomic_store_n(&c->listening, false, __ATOMIC_RELEASE);
	if (c->admin)
		admin_stop(c->admin);
	c->admin = NULL;
	if (c->acceptor)
		acceptor_stop(c->acceptor);
	for (uint32_t i = 0; i < c->nworkers; i++)
		if (c->workers && c->workers[i])
			worker_stop(c->workers[i]);
	if (c->analyzer)
		analyzer_finish(c->analyzer);
	catalogs_stop(c->catalogs);
	c->catalogs = NULL;
}

struct snapshot *
capture_snapshot(struct capture *c)
{
	uint32_t n = c->cfg->nlistens;
	const char **names = xmem_zero((n + 1) * sizeof *names);
	struct run_info run = { .version = ROWCALL_VERSION, .command = c->command, .started_us = c->started_us, .duration = clock_ns() - c->started,
		.upstreams = names, .nupstreams = n, .coverage = analyzer_coverage(c->analyzer),
		.values_in = !c->cfg->record_values || !c->store ? NULL : c->cfg->record_optional ? "" : c->cfg->record };
	struct arena copies = { 0 };
	struct snapshot *snap;

	pthread_mutex_lock(&c->servers_lock);
	for (uint32_t i = 0; i < n; i++)
		names[i] = arena_strndup(&copies, span_str(c->servers[i]));
	pthread_mutex_unlock(&c->servers_lock);
	snap = collector_snapshot(c->collector, &run);
	arena_clear(&copies);
	mem_free(names);
	return snap;
}

struct collector *
capture_collector(struct capture *c)
{
	return c->collector;
}

bool
capture_finish_recording(struct capture *c, const struct snapshot *snap, char *err, size_t err_n)
{
	struct store *store = c->store;

	c->store = NULL;
	return !store || store_finish(store, snap, err, err_n);
}

void
capture_free(struct capture *c)
{
	if (!c)
		return;
	capture_stop(c);
	store_abandon(c->store);
	acceptor_free(c->acceptor);
	for (uint32_t i = 0; i < c->nworkers && c->workers; i++)
		worker_free(c->workers[i]);
	analyzer_free(c->analyzer);
	collector_free(c->collector);
	resolver_free(c->shared.resolver);
	cancel_map_free(c->shared.cancels);
	for (uint32_t i = 0; i < c->nworkers && c->rings; i++)
		ring_free(c->rings[i]);
	for (uint32_t i = 0; i < c->shared.nlisteners; i++) {
		SSL_CTX_free(c->shared.listeners[i].server_tls);
		SSL_CTX_free(c->shared.listeners[i].client_tls);
	}
	shapes_free(c->shapes);
	pthread_mutex_destroy(&c->shared.tls_lock);
	pthread_mutex_destroy(&c->servers_lock);
	mem_free(c->shared.listeners);
	mem_free(c->upstreams);
	mem_free(c->hosts);
	mem_free(c->servers);
	mem_free(c->rings);
	mem_free(c->workers);
	mem_free(c);
}
