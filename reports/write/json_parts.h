/* SPDX-License-Identifier: Apache-2.0 */
/* json_parts: the objects of schema rowcall.report/1, so that the document and the line format write the same ones (write_json.c);
 * a comparison takes over what is the same there.
 * Those named after a key write that key and its value into the open object; those of lists write the object alone. */
#ifndef ROWCALL_JSON_PARTS_H
#define ROWCALL_JSON_PARTS_H

#include "emit.h"
#include "write.h"

void json_tool(struct emit *j, const char *schema, const struct snapshot *s);	/* "schema" and "tool" */
void json_run(struct emit *j, const struct snapshot *s);
/* The keys "started" to "fingerprint_version" of a run. */
void json_run_facts(struct emit *j, const struct snapshot *s);
void json_gate(struct emit *j, const struct snapshot *s);
void json_coverage(struct emit *j, const struct snapshot *s);
/* The whole document, as one object. */
void json_report(struct emit *j, const struct snapshot *s, const struct write_options *o);
/* Writes only when something is missing elsewhere, so that a reader never takes a part for the whole. */
void json_omitted(struct emit *j, const struct snapshot *s);

/* What a scope's requests counted, under key. */
void json_counts(struct emit *j, const char *key, const struct pct *counts);
/* The keys "p50" to "max" of durations. */
void json_percentiles(struct emit *j, const struct pct *times);

void json_scope(struct emit *j, const struct snap_scope *sc);
void json_request(struct emit *j, const struct snapshot *s, const struct snap_request *r);
void json_finding(struct emit *j, const struct snapshot *s, const struct snap_finding *f);
void json_shape(struct emit *j, const struct snap_shape *sh);

#endif
