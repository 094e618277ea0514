/* SPDX-License-Identifier: Apache-2.0 */
/* write_gitlab: a Code Quality report: findings that count, and failures of the gate that no finding tells, as an array of issues.
 * Fingerprints are the findings' ids, unique in the file and the same in the next run. */
#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

#include "emit_keys.h"
#include "finding_words.h"
#include "text.h"
#include "writers.h"

static void
put_issue(struct emit *j, const char *description, const char *check, const char *fingerprint, const char *severity, const char *path,
    uint32_t line)
{
	emit_open(j, '{');
	key_str(j, "description", description);
	key_str(j, "check_name", check);
	key_str(j, "fingerprint", fingerprint);
	key_str(j, "severity", severity);
	key_open(j, "location", '{');
	key_str(j, "path", path);
	key_open(j, "lines", '{');
	key_uint(j, "begin", line);
	emit_close(j, '}');
	emit_close(j, '}');
	emit_close(j, '}');
}

static void
put_finding(struct emit *j, const struct snap_finding *f)
{
	static const char *const severity[] = { "critical", "major", "info" };
	struct place place = finding_place(f);
	struct strbuf text;

	strbuf_init(&text, 64 << 10);
	finding_sentence(&text, f);
	if (f->advice && *f->advice)
		strbuf_printf(&text, ". Fix: %s", f->advice);
	put_issue(j, strbuf_cstr(&text), rule_names[f->rule], f->id, severity[f->level], strbuf_cstr(&place.path), place.line);
	scratch_done(j->out, &text);
	scratch_done(j->out, &place.path);
}

/* Made of what the failure is about, never of its numbers. */
static void
put_failure(struct emit *j, const struct gate_failure *f)
{
	struct place place = place_of(f->file, f->line);
	char fingerprint[24];
	struct strbuf key;

	strbuf_init(&key, 64 << 10);
	strbuf_printf(&key, "%s\n%s\n%s\n%s:%" PRIu32, f->kind, f->scope, f->test, f->file, strcmp(f->kind, "config") == 0 ? f->line : 0);
	snprintf(fingerprint, sizeof fingerprint, "gate-%016" PRIx64, (uint64_t)XXH3_64bits(strbuf_cstr(&key), key.n));
	put_issue(j, f->message, f->kind, fingerprint, "critical", strbuf_cstr(&place.path), place.line);
	scratch_done(j->out, &key);
	scratch_done(j->out, &place.path);
}

void
write_gitlab(const struct snapshot *s, const struct write_options *o, struct strbuf *out)
{
	struct emit j;

	emit_init(&j, out, 1);
	emit_open(&j, '[');
	for (uint32_t i = 0; i < s->nfailures; i++)
		if (!failure_is_finding(&s->failures[i]) && (!*s->failures[i].scope || scope_shown(o, s->failures[i].scope)))
			put_failure(&j, &s->failures[i]);
	for (uint32_t i = 0; i < s->nfindings; i++) {
		const struct snap_finding *f = &s->findings[i];

		if (!f->suppressed && (f->level != LEVEL_NOTE || o->all) && scope_shown(o, f->scope))
			put_finding(&j, f);
	}
	emit_close(&j, ']');
	strbuf_char(out, '\n');
}
