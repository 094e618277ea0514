/* SPDX-License-Identifier: Apache-2.0 */
/* write_ndjson: the report as lines of JSON, for tools that read as they go: {"type": T, T: object}, the objects of rowcall.report/1.
 * Order: report (schema, tool, run, gate, coverage, what is omitted), then scopes, requests, findings, shapes. */
#include "emit_keys.h"
#include "json_parts.h"
#include "writers.h"

static void
begin(struct emit *j, struct strbuf *out, const char *type)
{
	emit_init(j, out, 0);
	emit_open(j, '{');
	key_str(j, "type", type);
	emit_key(j, type);
}

static void
end(struct emit *j)
{
	emit_close(j, '}');
	strbuf_char(j->out, '\n');
}

static void
report_line(const struct snapshot *s, struct strbuf *out)
{
	struct emit j;

	begin(&j, out, "report");
	emit_open(&j, '{');
	json_tool(&j, "rowcall.report/1", s);
	json_run(&j, s);
	json_gate(&j, s);
	json_coverage(&j, s);
	json_omitted(&j, s);
	emit_close(&j, '}');
	end(&j);
}

void
write_ndjson(const struct snapshot *s, const struct write_options *o, struct strbuf *out)
{
	struct emit j;

	report_line(s, out);
	for (uint32_t i = 0; i < s->nscopes; i++)
		if (scope_shown(o, s->scopes[i].name)) {
			begin(&j, out, "scope");
			json_scope(&j, &s->scopes[i]);
			end(&j);
		}
	for (uint32_t i = 0; i < s->nrequests; i++)
		if (scope_shown(o, s->requests[i].r.scope)) {
			begin(&j, out, "request");
			json_request(&j, s, &s->requests[i]);
			end(&j);
		}
	for (uint32_t i = 0; i < s->nfindings; i++)
		if (scope_shown(o, s->findings[i].scope)) {
			begin(&j, out, "finding");
			json_finding(&j, s, &s->findings[i]);
			end(&j);
		}
	for (uint32_t i = 0; i < s->nshapes; i++) {
		begin(&j, out, "shape");
		json_shape(&j, &s->shapes[i]);
		end(&j);
	}
}
