/* SPDX-License-Identifier: Apache-2.0 */
/* write_sarif: SARIF 2.1.0 as code scanning reads it: one run, our rules, a result per finding with one location and a stable
 * fingerprint; allowed findings carry their suppression. Never: an empty string where a required text stands, or a line number in a hash. */
#include <stdio.h>

#include "emit_keys.h"
#include "finding_words.h"
#include "text.h"
#include "writers.h"

enum { RESULTS_MOST = 25000 };	/* code scanning refuses files with more */

static void
put_text(struct emit *j, const char *key, const char *text)
{
	key_open(j, key, '{');
	key_str(j, "text", text);
	emit_close(j, '}');
}

/* PascalCase, as the format asks for names: "n-plus-one" -> "NPlusOne". One word is not a name but the id again: "DuplicateQuery". */
static void
put_rule_name(struct emit *j, const char *id)
{
	char name[64];
	size_t n = 0;
	bool up = true, one_word = !strchr(id, '-');

	for (; *id && n < sizeof name - 8; id++) {
		if (*id == '-') {
			up = true;
			continue;
		}
		name[n++] = up && *id >= 'a' && *id <= 'z' ? (char)(*id - 'a' + 'A') : *id;
		up = false;
	}
	if (one_word)
		n += (size_t)snprintf(name + n, sizeof name - n, "Query");
	name[n] = '\0';
	key_str(j, "name", name);
}

static void
put_rule(struct emit *j, enum rule_id id)
{
	const struct rule *r = &rules[id];
	bool correct = id == RULE_N_PLUS_ONE || id == RULE_QUERY_BUDGET;

	emit_open(j, '{');
	key_str(j, "id", rule_names[id]);
	put_rule_name(j, rule_names[id]);
	put_text(j, "shortDescription", r->help);
	put_text(j, "fullDescription", r->help);
	put_text(j, "help", r->help);
	key_open(j, "defaultConfiguration", '{');
	key_str(j, "level", "warning");
	emit_close(j, '}');
	key_open(j, "properties", '{');
	key_open(j, "tags", '[');
	emit_str(j, "performance");
	emit_str(j, "database");
	emit_close(j, ']');
	key_str(j, "precision", correct ? "very-high" : "high");
	key_str(j, "problem.severity", "warning");
	emit_close(j, '}');
	emit_close(j, '}');
}

static void
put_driver(struct emit *j, const struct snapshot *s)
{
	key_open(j, "tool", '{');
	key_open(j, "driver", '{');
	key_str(j, "name", "rowcall");
	key_str(j, "semanticVersion", s->version);
	key_open(j, "rules", '[');
	for (unsigned r = 0; r < RULES; r++)
		put_rule(j, r);
	emit_close(j, ']');
	emit_close(j, '}');
	emit_close(j, '}');
}

/* A relative URI: everything but unreserved characters and slashes is percent-encoded. */
static void
put_uri(struct emit *j, struct span path)
{
	struct strbuf uri;

	strbuf_init(&uri, 3 * path.n + 1);
	for (size_t i = 0; i < path.n; i++) {
		uint8_t c = path.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~/", c)))
			strbuf_char(&uri, (char)c);
		else
			strbuf_printf(&uri, "%%%02X", c);
	}
	key_str(j, "uri", strbuf_cstr(&uri));
	scratch_done(j->out, &uri);
}

static void
put_location(struct emit *j, const struct snap_finding *f)
{
	struct place place = finding_place(f);

	key_open(j, "locations", '[');
	emit_open(j, '{');
	key_open(j, "physicalLocation", '{');
	key_open(j, "artifactLocation", '{');
	put_uri(j, strbuf_span(&place.path));
	emit_close(j, '}');
	key_open(j, "region", '{');
	key_uint(j, "startLine", place.line);
	emit_close(j, '}');
	emit_close(j, '}');
	key_open(j, "logicalLocations", '[');
	emit_open(j, '{');
	key_str(j, "fullyQualifiedName", *f->scope ? f->scope : "(untagged)");
	emit_close(j, '}');
	emit_close(j, ']');
	emit_close(j, '}');
	emit_close(j, ']');
	scratch_done(j->out, &place.path);
}

/* The first sentence is the title readers see, the evidence follows. */
static void
put_message(struct emit *j, const struct snapshot *s, const struct snap_finding *f)
{
	struct strbuf text;

	strbuf_init(&text, 256 << 10);
	finding_sentence(&text, f);
	strbuf_str(&text, ".\n");
	finding_lines(&text, s, f);
	put_text(j, "message", strbuf_cstr(&text));
	scratch_done(j->out, &text);
}

static void
put_result(struct emit *j, const struct snapshot *s, const struct snap_finding *f)
{
	char hash[24];

	snprintf(hash, sizeof hash, "%s:1", f->id);
	emit_open(j, '{');
	key_str(j, "ruleId", rule_names[f->rule]);
	key_uint(j, "ruleIndex", f->rule);
	key_str(j, "level", level_name(f->level));
	put_message(j, s, f);
	put_location(j, f);
	key_open(j, "partialFingerprints", '{');
	key_str(j, "primaryLocationLineHash", hash);
	emit_close(j, '}');
	if (f->suppressed) {
		key_open(j, "suppressions", '[');
		emit_open(j, '{');
		key_str(j, "kind", "external");
		key_str(j, "justification", *f->suppressed ? f->suppressed : "allowed");
		emit_close(j, '}');
		emit_close(j, ']');
	}
	emit_close(j, '}');
}

/* Failures of the capture and the gate that belong to no result: what the tool itself has to say about the run. */
static void
put_invocation(struct emit *j, const struct snapshot *s)
{
	char started[TIME_TEXT];

	time_text(s->started_us, started);
	key_open(j, "invocations", '[');
	emit_open(j, '{');
	key_str(j, "startTimeUtc", started);
	key_bool(j, "executionSuccessful", s->trusted);
	key_open(j, "toolExecutionNotifications", '[');
	for (uint32_t i = 0; i < s->nfailures; i++) {
		if (failure_is_finding(&s->failures[i]))
			continue;
		emit_open(j, '{');
		key_str(j, "level", "error");
		put_text(j, "message", s->failures[i].message);
		key_open(j, "descriptor", '{');
		key_str(j, "id", s->failures[i].kind);
		emit_close(j, '}');
		emit_close(j, '}');
	}
	emit_close(j, ']');
	emit_close(j, '}');
	emit_close(j, ']');
}

void
write_sarif(const struct snapshot *s, const struct write_options *o, struct strbuf *out)
{
	uint32_t results = 0;
	struct emit j;

	emit_init(&j, out, 4);
	emit_open(&j, '{');
	key_str(&j, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	key_str(&j, "version", "2.1.0");
	key_open(&j, "runs", '[');
	emit_open(&j, '{');
	put_driver(&j, s);
	key_open(&j, "automationDetails", '{');
	key_str(&j, "id", "rowcall/");
	emit_close(&j, '}');
	put_invocation(&j, s);
	key_open(&j, "results", '[');
	for (uint32_t i = 0; i < s->nfindings && results < RESULTS_MOST; i++) {
		const struct snap_finding *f = &s->findings[i];

		if ((f->level != LEVEL_NOTE || f->suppressed || o->all) && scope_shown(o, f->scope)) {
			put_result(&j, s, f);
			results++;
		}
	}
	emit_close(&j, ']');
	key_str(&j, "columnKind", "unicodeCodePoints");
	emit_close(&j, '}');
	emit_close(&j, ']');
	emit_close(&j, '}');
	strbuf_char(out, '\n');
}
