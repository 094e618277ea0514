/* SPDX-License-Identifier: Apache-2.0 */
/* settings: what a session says of itself: application, database, and the settings that name a request. See group.h. */
#include "fingerprint/limits.h"
#include "group.h"

static void
change(struct grouping *g, struct session *s)
{
	s->border++;
	choose_again(g, s);
}

/* A changed application_name: a trace id in it is an instance key; else it only is a border. */
static void
set_application(struct grouping *g, struct session *s, struct span value)
{
	char id[33];
	bool changed;

	if (!s->spoke) {
		session_set(&s->application, value);
		return;
	}
	if (trace_id_find(value, id)) {
		changed = session_set(&s->app_key, span_of(id, 32));
	} else {
		changed = session_set(&s->app_key, (struct span){ 0 });
		changed |= session_set(&s->application, value);
	}
	if (changed)
		change(g, s);
}

static bool
is_one_of(struct span name, const char *const *names, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (span_is_nocase(name, names[i]))
			return true;
	return false;
}

static void
set_name(struct grouping *g, struct session *s, struct span name, struct span value, bool local)
{
	static const char *const scopes[] = { "rowcall.scope", "@rowcall_scope" };
	static const char *const keys[] = { "rowcall.request", "@rowcall_request" };
	struct setting_names *n = local ? &s->local : &s->plain;
	bool scope = is_one_of(name, scopes, 2);
	char buf[LIMIT_NAME];

	if (!scope && !is_one_of(name, keys, 2) && !is_one_of(name, g->cfg->tag_settings, g->cfg->ntag_settings))
		return;
	if (local && !s->tx.open)
		return; /* SET LOCAL outside a transaction does nothing */
	if (!local && s->tx.open && !s->mysql)
		session_save(s);
	if (scope)
		session_set(&n->scope, span_of(buf, tag_reader_fold(g->tags, value, buf, sizeof buf)));
	else
		session_set(&n->key, trace_id_find(value, buf) ? span_of(buf, 32) : value);
	change(g, s);
}

void
settings_fact(struct grouping *g, struct session *s, const struct rec_fact_rec *f)
{
	struct span name = span_of(f->bytes, f->name_n), value = span_of(f->bytes + f->name_n, f->value_n);

	if (f->h.size < sizeof *f + f->name_n + f->value_n)
		return;
	switch (f->h.flags & 0xff) {
	case REC_FACT_DATABASE:
		if (session_set(&s->database, value))
			s->lane_request = 0;
		want_catalog(g, s, false);
		break;
	case REC_FACT_APPLICATION:
		set_application(g, s, value);
		break;
	case REC_FACT_SERVER:
		if (g->sink.server && span_is(name, "server_version"))
			g->sink.server(g->sink.ctx, s->upstream, value);
		break;
	case REC_FACT_SETTING:
		set_name(g, s, name, value, f->h.flags & 1u << 8);
		break;
	}
}

void
settings_reset(struct grouping *g, struct session *s)
{
	session_forget_tags(s);
	follow_reset(g, s);
	change(g, s);
}
