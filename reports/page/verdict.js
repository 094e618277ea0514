/* SPDX-License-Identifier: Apache-2.0 */
/* verdict: what the run came to, first of all: the word, why, what ran, what was seen, and what is missing from this page. */
function verdictPart(doc) {
  const {run, gate, coverage, scopes} = doc.report, page = doc.page;
  const tone = {PASS: "good", FAIL: "bad", UNUSABLE: "bad", FOUND: "warn"}[page.verdict.word] || "good";
  const tile = (value, label, title) => h("div.tile", {title}, h("b", null, value), h("span", null, label));
  const counted = doc.findings.filter((f) => f.level !== "note").length;

  return h("section", {id: "verdict", "aria-label": "verdict"},
    h("div.verdict." + tone, null, h("h1", null, h("span.word", null, page.verdict.word), " ", page.verdict.sentence)),
    gate.failures.length ? h("ul.failures", null, gate.failures.slice(0, 20).map((f) => h("li", null,
      f.scope ? h("a", {href: scopeLink(f.scope)}, f.message) : f.message,
      f.file ? h("span.quiet", null, `  ${f.file}${f.line ? ":" + f.line : ""}`) : null))) : null,
    gate.failures.length > 20 ? h("p.quiet", null, `and ${count(gate.failures.length - 20)} more`) : null,
    h("p.ran", null, run.command ? h("code", null, run.command) : "rowcall proxy", h("span.quiet", null,
      `  ${run.started.replace("T", " ").replace(/\.\d+Z$/, " UTC")} \u00b7 ${time(run.duration_ms)} \u00b7 ${run.upstreams.join(", ")} \u00b7 ${doc.report.tool}`)),
    h("div.tiles", null,
      tile(count(counted), counted === 1 ? "finding" : "findings"),
      tile(count(page.totals.requests), "requests"),
      tile(count(scopes.length), scopes.length === 1 ? "scope" : "scopes"),
      tile(count(page.totals.queries), "queries"),
      tile(count(page.totals.duplicates), "duplicates", "executions minus distinct (shape, parameters)"),
      tile(count(page.totals.round_trips), "round trips"),
      tile(time(page.totals.db_ms), "SQL time"),
      tile(coverage.queries ? percent(coverage.tagged / coverage.queries) : "\u2013", "tagged", "share of the queries that carry a tag naming their request")),
    notices(doc));
}

/* What is not here, so that nobody takes a part for the whole. */
function notices(doc) {
  const c = doc.report.coverage, o = doc.report.omitted, said = [...doc.page.warnings];
  if (c.lost) said.push(`${plural(c.lost, "event")} lost: counts are too low`);
  if (c.opaque_unexpected) said.push(`${plural(c.opaque_unexpected, "session")} could not be read`);
  if (c.evidence_shed) said.push(`${plural(c.evidence_shed, "piece")} of evidence shed: some loops may be unproven`);
  if (o && o.recording_incomplete) said.push("the recording was not finished: this is what had been written");
  if (o && o.requests) said.push(`${plural(o.requests, "request")} counted above ${o.requests === 1 ? "is" : "are"} not listed, for lack of memory`);
  if (o && o.findings) said.push(`${plural(o.findings, "instance")} of further findings not kept`);
  const without = doc.report.requests.length - doc.timelines.length;
  if (without > 0 && !doc.timelines.length) said.push("there are no timelines: no request was kept with its statements");
  else if (without > 0)
    said.push(`${plural(without, "request")} of ${count(doc.report.requests.length)} ${without === 1 ? "is" : "are"} listed without a timeline; ` +
      "those of findings, and the slowest and the median of each scope come first");
  return said.length ? h("ul.notices", {"aria-label": "what is missing"}, said.map((s) => h("li", null, s))) : null;
}
