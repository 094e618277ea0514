/* SPDX-License-Identifier: Apache-2.0 */
/* counters: see counters.h. */
#include "counters.h"

#include "reports/write/emit_keys.h"

static void
write_opaque(struct emit *j, const char *key, const struct opaque_counter *v)
{
	key_open(j, key, '{');
	for (uint32_t i = 0; i < OPAQUE_COUNTERS && v[i].reason; i++)
		key_uint(j, v[i].reason, v[i].sessions);
	emit_close(j, '}');
}

static void
write_sessions(struct emit *j, const struct counters *c)
{
	key_open(j, "sessions", '{');
	key_uint(j, "accepted", c->accepted);
	key_uint(j, "open", c->open);
	key_uint(j, "refused", c->refused);
	key_uint(j, "upstream_failures", c->upstream_failures);
	key_uint(j, "cancel_requests", c->cancelled);
	emit_close(j, '}');
}

static void
write_cache(struct emit *j, const struct counters *c)
{
	key_open(j, "statement_cache", '{');
	key_uint(j, "hits", c->cache.hits);
	key_uint(j, "misses", c->cache.misses);
	key_uint(j, "uncacheable", c->cache.uncacheable);
	emit_key(j, "hit_percent");
	emit_real(j, counters_hit_rate(c));
	key_uint(j, "evictions", c->cache.evictions);
	key_uint(j, "entries", c->cache.entries);
	key_uint(j, "bytes", c->cache.bytes);
	emit_close(j, '}');
}

void
counters_write(const struct counters *c, struct strbuf *out)
{
	struct emit j;

	emit_init(&j, out, 1);
	emit_open(&j, '{');
	key_ms(&j, "uptime_ms", c->uptime);
	write_sessions(&j, c);
	key_open(&j, "bytes", '{');
	key_uint(&j, "to_server", c->bytes_to_server);
	key_uint(&j, "to_client", c->bytes_to_client);
	emit_close(&j, '}');
	write_opaque(&j, "opaque_expected", c->expected);
	write_opaque(&j, "opaque_unexpected", c->unexpected);
	key_open(&j, "truncated", '{');
	key_uint(&j, "texts", c->cut_texts);
	key_uint(&j, "tags", c->cut_tags);
	emit_close(&j, '}');
	key_uint(&j, "lost", c->lost);
	key_uint(&j, "evidence_shed", c->evidence_shed);
	write_cache(&j, c);
	emit_close(&j, '}');
	strbuf_str(out, "\n");
}

double
counters_hit_rate(const struct counters *c)
{
	uint64_t looked = c->cache.hits + c->cache.misses + c->cache.uncacheable;

	return looked ? 100.0 * (double)c->cache.hits / (double)looked : 0.0;
}
