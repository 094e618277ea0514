/* SPDX-License-Identifier: Apache-2.0 */
/* write_baseline: rowcall.baseline.json: sorted, an entry per line, so that a version control system merges and shows it well. The same
 * baseline is the same bytes. */
#include <stdio.h>

#include "emit_keys.h"
#include "fingerprint/shapes.h"
#include "reports/judge/baseline.h"
#include "write.h"

enum { LINED = 4 };	/* document, scopes, scope, findings: an element per line; a finding on one */

static void
put_finding(struct emit *j, const struct baseline_finding *f)
{
	char key[64], hex[17];

	shape_hex(f->fingerprint, hex);
	snprintf(key, sizeof key, "%s:%s", rule_names[f->rule], hex);
	key_open(j, key, '{');
	emit_key(j, "count");
	emit_int(j, f->count);
	key_uint(j, "fingerprint_version", f->version);
	if (f->reason)
		key_str(j, "reason", f->reason);
	if (f->expires)
		key_str(j, "expires", f->expires);
	key_str(j, "shape", f->shape);
	emit_close(j, '}');
}

static void
put_scope(struct emit *j, const struct baseline_scope *s)
{
	key_open(j, s->name, '{');
	if (s->queries != NO_LIMIT) {
		emit_key(j, "queries");
		emit_int(j, s->queries);
	}
	key_open(j, "findings", '{');
	for (uint32_t i = 0; i < s->nfindings; i++)
		put_finding(j, &s->findings[i]);
	emit_close(j, '}');
	emit_close(j, '}');
}

void
write_baseline(const struct baseline *b, struct strbuf *out)
{
	struct emit j;

	emit_init(&j, out, LINED);
	emit_open(&j, '{');
	key_uint(&j, "version", BASELINE_VERSION);
	key_open(&j, "scopes", '{');
	for (uint32_t i = 0; i < b->nscopes; i++)
		put_scope(&j, &b->scopes[i]);
	emit_close(&j, '}');
	emit_close(&j, '}');
	strbuf_char(out, '\n');
}
