/* SPDX-License-Identifier: Apache-2.0 */
/* write_json: schema rowcall.report/1 (report.schema.json beside this file), one function per object, keys in the schema's order.
 * Never: leaves out a key because its value is not known (that is null); prints a parameter value. */
#include <math.h>
#include <stdio.h>

#include "fingerprint/shapes.h"
#include "fingerprint/sql.h"
#include "emit_keys.h"
#include "json_parts.h"
#include "writers.h"

static void
key_limit(struct emit *j, const char *key, int64_t value)
{
	emit_key(j, key);
	if (value == NO_LIMIT)
		emit_null(j);
	else
		emit_int(j, value);
}

/* A line number, from 1; null when it is not known. */
static void
key_line(struct emit *j, uint32_t line)
{
	emit_key(j, "line");
	if (line > 0)
		emit_uint(j, line);
	else
		emit_null(j);
}

void
json_tool(struct emit *j, const char *schema, const struct snapshot *s)
{
	char tool[64];

	snprintf(tool, sizeof tool, "rowcall %s", s->version);
	key_str(j, "schema", schema);
	key_str(j, "tool", tool);
}

void
json_run_facts(struct emit *j, const struct snapshot *s)
{
	char started[TIME_TEXT];

	time_text(s->started_us, started);
	key_str(j, "started", started);
	key_ms(j, "duration_ms", s->duration);
	key_open(j, "upstreams", '[');
	for (uint32_t i = 0; i < s->nupstreams; i++)
		emit_str(j, s->upstreams[i]);
	emit_close(j, ']');
	key_uint(j, "fingerprint_version", SQL_FINGERPRINT_VERSION);
}

void
json_run(struct emit *j, const struct snapshot *s)
{
	key_open(j, "run", '{');
	key_str(j, "command", s->command);
	json_run_facts(j, s);
	emit_close(j, '}');
}

void
json_gate(struct emit *j, const struct snapshot *s)
{
	char name[REQUEST_LABEL];

	key_open(j, "gate", '{');
	key_str(j, "status", gate_state_name(s->state));
	key_open(j, "failures", '[');
	for (uint32_t i = 0; i < s->nfailures; i++) {
		const struct gate_failure *f = &s->failures[i];

		emit_open(j, '{');
		key_str(j, "kind", f->kind);
		key_str_or_null(j, "scope", f->scope);
		key_str_or_null(j, "test", f->test);
		key_str(j, "message", f->message);
		key_limit(j, "limit", f->limit);
		key_limit(j, "value", f->value);
		key_str_or_null(j, "request", f->request < s->nrequests ? request_label(&s->requests[f->request].r, name) : NULL);
		key_str_or_null(j, "file", f->file);
		key_line(j, f->line);
		emit_close(j, '}');
	}
	emit_close(j, ']');
	emit_close(j, '}');
}

void
json_coverage(struct emit *j, const struct snapshot *s)
{
	const struct coverage *c = &s->coverage;

	key_open(j, "coverage", '{');
	key_uint(j, "statements", c->statements);
	key_uint(j, "queries", c->queries);
	key_uint(j, "tagged", c->tagged);
	key_uint(j, "opaque_expected", c->opaque_expected);
	key_uint(j, "opaque_unexpected", c->opaque_unexpected);
	key_uint(j, "lost", c->lost);
	key_uint(j, "evidence_shed", c->evidence_shed);
	key_uint(j, "skipped", c->skipped);
	emit_close(j, '}');
}

void
json_counts(struct emit *j, const char *key, const struct pct *counts)
{
	key_open(j, key, '{');
	key_uint(j, "min", counts->min);
	key_uint(j, "p50", counts->p50);
	key_uint(j, "p95", counts->p95);
	key_uint(j, "max", counts->max);
	emit_close(j, '}');
}

void
json_percentiles(struct emit *j, const struct pct *times)
{
	key_ms(j, "p50", times->p50);
	key_ms(j, "p95", times->p95);
	key_ms(j, "p99", times->p99);
	key_ms(j, "max", times->max);
}

void
json_scope(struct emit *j, const struct snap_scope *sc)
{
	emit_open(j, '{');
	key_str(j, "scope", sc->name);
	key_uint(j, "requests", sc->requests);
	json_counts(j, "queries", &sc->queries);
	key_uint(j, "duplicates", sc->duplicates);
	key_open(j, "db_ms", '{');
	key_ms(j, "total", sc->db.total);
	key_ms(j, "min", sc->db.min);
	json_percentiles(j, &sc->db);
	emit_close(j, '}');
	key_limit(j, "budget", sc->budget);
	key_limit(j, "baseline", sc->baseline);
	emit_close(j, '}');
}

static void
request_findings(struct emit *j, const struct snapshot *s, const struct snap_request *r)
{
	key_open(j, "findings", '[');
	for (uint32_t i = 0; i < r->nfindings; i++)
		if (r->findings[i] < s->nfindings)
			emit_str(j, s->findings[r->findings[i]].id);
	emit_close(j, ']');
}

void
json_request(struct emit *j, const struct snapshot *s, const struct snap_request *r)
{
	char name[REQUEST_LABEL];

	emit_open(j, '{');
	key_str(j, "scope", r->r.scope);
	key_str_or_null(j, "test", r->r.test);
	key_str(j, "request", request_label(&r->r, name));
	key_open(j, "tags", '{');
	for (uint32_t i = 0; i < r->r.ntags; i++)
		key_str(j, r->r.tags[i].key, r->r.tags[i].value);
	emit_close(j, '}');
	key_str(j, "scope_from", origin_name(r->r.scope_from));
	key_str(j, "borders_from", origin_name(r->r.borders_from));
	key_uint(j, "statements", r->statements);
	key_uint(j, "queries", r->queries);
	key_uint(j, "control", r->control);
	key_uint(j, "setup", r->setup);
	key_uint(j, "round_trips", r->round_trips);
	key_uint(j, "duplicates", r->duplicates);
	key_ms(j, "db_ms", r->db);
	key_ms(j, "wall_ms", r->wall);
	key_open(j, "databases", '{');
	for (uint32_t i = 0; i < r->ndatabases; i++)
		key_ms(j, r->databases[i].name, r->databases[i].ns);
	emit_close(j, '}');
	request_findings(j, s, r);
	key_uint(j, "rolled_back", r->undone);
	emit_close(j, '}');
}

static void
finding_evidence(struct emit *j, const struct raw_finding *w)
{
	key_open(j, "source", '{');
	key_shape(j, w->source);
	key_str_or_null(j, "column", w->column);
	key_uint(j, "rows", w->source_rows);
	emit_close(j, '}');
	key_open(j, "repeat", '{');
	key_shape(j, w->repeat);
	key_uint(j, "executions", w->executions);
	key_uint(j, "distinct_parameters", w->distinct);
	key_uint(j, "round_trips", w->round_trips);
	key_ms(j, "db_ms", w->busy);
	emit_close(j, '}');
}

static void
finding_growth_object(struct emit *j, const struct growth_fit *g)
{
	if (g->state == GROWTH_UNKNOWN) {
		key_null(j, "growth");
		return;
	}
	key_open(j, "growth", '{');
	key_uint(j, "requests", g->requests);
	key_uint(j, "least_rows", g->least_rows);
	key_uint(j, "most_rows", g->most_rows);
	emit_key(j, "slope");
	emit_real(j, g->state == GROWTH_FITTED ? g->slope : NAN);
	emit_key(j, "intercept");
	emit_real(j, g->state == GROWTH_FITTED ? g->intercept : NAN);
	key_str(j, "says", g->state == GROWTH_NO_SPREAD ? "not enough spread" : g->with_rows ? "with rows" : g->fixed ? "fixed" : "unclear");
	emit_close(j, '}');
}

void
json_finding(struct emit *j, const struct snapshot *s, const struct snap_finding *f)
{
	const struct snap_request *r = f->request < s->nrequests ? &s->requests[f->request] : NULL;
	struct request number = { .number = f->request_number, .key = "" };
	char name[REQUEST_LABEL];

	emit_open(j, '{');
	key_str(j, "id", f->id);
	key_str(j, "rule", rule_names[f->rule]);
	key_str(j, "verdict", verdict_name(f->verdict));
	key_str(j, "level", level_name(f->level));
	key_str(j, "scope", f->scope);
	key_str_or_null(j, "test", f->test);
	key_str(j, "request", request_label(r ? &r->r : &number, name));
	finding_evidence(j, &f->worst);
	key_str(j, "evidence", f->worst.evidence);
	key_str_or_null(j, "parent", f->parent > 0 && f->parent <= s->nfindings ? s->findings[f->parent - 1].id : NULL);
	finding_growth_object(j, &f->growth);
	key_ms(j, "wasted_ms", f->worst.wasted);
	key_ms(j, "cost_at_1ms_rtt_ms", s->rtt ? f->cost_at_rtt / s->rtt * 1000000 : 0);
	if (f->file && *f->file) {
		key_open(j, "location", '{');
		key_str(j, "file", f->file);
		key_line(j, f->line);
		key_str(j, "origin", f->origin);
		emit_close(j, '}');
	} else
		key_null(j, "location");
	key_str(j, "advice", f->advice);
	key_str_or_null(j, "suppressed", f->suppressed);
	emit_close(j, '}');
}

void
json_shape(struct emit *j, const struct snap_shape *sh)
{
	const struct pct *t = &sh->time;

	emit_open(j, '{');
	key_shape(j, sh->shape);
	key_str(j, "class", sql_class_name(sh->shape->cls));
	key_uint(j, "executions", sh->executions);
	key_open(j, "db_ms", '{');
	key_ms(j, "total", t->total);
	key_ms(j, "mean", t->n ? t->total / t->n : 0);
	json_percentiles(j, t);
	emit_close(j, '}');
	key_uint(j, "rows", sh->rows);
	key_uint(j, "errors", sh->errors);
	emit_close(j, '}');
}

static void
lists(struct emit *j, const struct snapshot *s, const struct write_options *o)
{
	key_open(j, "scopes", '[');
	for (uint32_t i = 0; i < s->nscopes; i++)
		if (scope_shown(o, s->scopes[i].name))
			json_scope(j, &s->scopes[i]);
	emit_close(j, ']');
	key_open(j, "requests", '[');
	for (uint32_t i = 0; i < s->nrequests; i++)
		if (scope_shown(o, s->requests[i].r.scope))
			json_request(j, s, &s->requests[i]);
	emit_close(j, ']');
	key_open(j, "findings", '[');
	for (uint32_t i = 0; i < s->nfindings; i++)
		if (scope_shown(o, s->findings[i].scope))
			json_finding(j, s, &s->findings[i]);
	emit_close(j, ']');
	key_open(j, "shapes", '[');
	for (uint32_t i = 0; i < s->nshapes; i++)
		json_shape(j, &s->shapes[i]);
	emit_close(j, ']');
}

void
json_omitted(struct emit *j, const struct snapshot *s)
{
	if (s->requests_dropped == 0 && s->findings_dropped == 0 && !s->incomplete)
		return;
	key_open(j, "omitted", '{');
	key_uint(j, "requests", s->requests_dropped);
	key_uint(j, "findings", s->findings_dropped);
	key_bool(j, "recording_incomplete", s->incomplete);
	emit_close(j, '}');
}

void
json_report(struct emit *j, const struct snapshot *s, const struct write_options *o)
{
	emit_open(j, '{');
	json_tool(j, "rowcall.report/1", s);
	json_run(j, s);
	json_gate(j, s);
	json_coverage(j, s);
	lists(j, s, o);
	json_omitted(j, s);
	emit_close(j, '}');
}

void
write_json(const struct snapshot *s, const struct write_options *o, struct strbuf *out)
{
	struct emit j;

	emit_init(&j, out, 2);
	json_report(&j, s, o);
	strbuf_char(out, '\n');
}
