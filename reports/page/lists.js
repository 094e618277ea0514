/* SPDX-License-Identifier: Apache-2.0 */
/* lists: the tables of scopes, queries and requests. */
const number = (title, hint, get, show) => ({title, hint, kind: "number", get, cell: (row) => (show || count)(get(row))});
const orDash = (value) => (value === null ? "" : count(value));

function scopesPart(doc) {
  const baseline = doc.scopes.some((s) => s.baseline !== null), budget = doc.scopes.some((s) => s.budget !== null);
  const table = Table({
    name: "scopes", rows: doc.scopes, sorted: {at: 4, down: true}, words: (s) => s.scope,
    open: (s) => { location.hash = scopeLink(s.scope); }, place: (s) => "scope/" + s.scope, empty: "no request was seen",
    columns: [
      {title: "Scope", kind: "wide", get: (s) => s.scope, cell: (s) => [h("span.dot" + (s.more.over ? ".bad" : s.more.n_plus_one ? ".warn" : ""),
        {title: s.more.over ? "fails the gate" : s.more.n_plus_one ? "has findings" : null}), h("a", {href: scopeLink(s.scope)}, s.scope),
        s.more.scope_from === "none" || s.more.borders_from === "gap" ? h("span.quiet", {title: "parted by pauses on a connection, as no tag tells"}, "  inferred") : null]},
      number("requests", "", (s) => s.requests),
      number("queries p50", "queries in a request: the median", (s) => s.queries.p50),
      number("p95", "queries in a request: 95 % have no more", (s) => s.queries.p95),
      number("max", "queries in a request: the most", (s) => s.queries.max),
      ...(budget ? [{title: "budget", kind: "number", hint: "max_queries that binds it", get: (s) => s.budget,
        cell: (s) => h("span" + (s.budget !== null && s.queries.max > s.budget ? ".over" : ""), null, orDash(s.budget))}] : []),
      ...(baseline ? [{title: "baseline", kind: "number", hint: "queries recorded before, and the change of the median", get: (s) => s.baseline, cell: (s) => change(s)}] : []),
      number("dup", "duplicates in all its requests", (s) => s.duplicates),
      number("N+1", "N+1 findings", (s) => s.more.n_plus_one),
      number("SQL ms", "SQL time of all its requests", (s) => s.db_ms.total, ms),
      number("p50", "SQL time of a request", (s) => s.db_ms.p50, ms),
      number("p95", "SQL time of a request", (s) => s.db_ms.p95, ms),
      number("p99", "SQL time of a request", (s) => s.db_ms.p99, ms),
      number("max", "SQL time of a request", (s) => s.db_ms.max, ms),
    ]});
  return {root: h("section", {id: "scopes", "aria-label": "scopes"}, h("h2", null, "Scopes"), table.root), table};
}

function change(s) {
  if (s.baseline === null) return "";
  const more = s.queries.p50 - s.baseline;
  return [count(s.baseline), more ? h("span." + (more > 0 ? "over" : "under"), null, ` ${more > 0 ? "+" : "\u2212"}${count(Math.abs(more))}`) : null];
}

function queriesPart(doc) {
  const total = doc.page.totals.db_ms || 1;
  const rows = doc.report.shapes.map((shape, at) => ({...shape, at, requests: doc.page.shapes[at].requests})).filter((s) => !doc.page.shapes[s.at].kind);
  const table = Table({
    name: "queries", rows, sorted: {at: 3, down: true}, words: (s) => `q${s.fingerprint} ${s.shape}`, place: (s) => "query/" + s.fingerprint,
    detail: (s) => [h("div.whole", null, sql(s.shape)), h("p.quiet", null, `fingerprint ${s.fingerprint}, ${s.class}, in ${plural(s.requests, "request")}`),
      findingsOf(doc, (f) => f.repeat.fingerprint === s.fingerprint || f.source.fingerprint === s.fingerprint)],
    columns: [
      {title: "Query", kind: "wide", get: (s) => s.shape, cell: (s) => [h("a.id", {href: "#query/" + s.fingerprint}, shortId(s.fingerprint)), " ", sql(doc.page.shapes[s.at].short)]},
      number("calls", "executions", (s) => s.executions),
      number("per req", "executions in each request that has it", (s) => (s.requests ? s.executions / s.requests : 0), (n) => (n >= 10 ? count(Math.round(n)) : n.toFixed(1))),
      {title: "SQL ms", kind: "number", hint: "time in all executions, and its share", get: (s) => s.db_ms.total,
        cell: (s) => { const bar = h("span.bar", {"aria-hidden": "true"}); bar.style.setProperty("--share", Math.min(1, s.db_ms.total / total)); return [bar, ms(s.db_ms.total)]; }},
      number("mean", "ms of one execution", (s) => s.db_ms.mean, ms),
      number("p50", "ms of one execution", (s) => s.db_ms.p50, ms),
      number("p95", "ms of one execution", (s) => s.db_ms.p95, ms),
      number("p99", "ms of one execution", (s) => s.db_ms.p99, ms),
      number("max", "ms of one execution", (s) => s.db_ms.max, ms),
      number("rows", "rows returned or changed", (s) => s.rows),
      number("errors", "", (s) => s.errors),
    ]});
  const whose = h("span.quiet", {hidden: true}, "of this scope; their numbers are of all scopes");
  return {
    root: h("section", {id: "queries", "aria-label": "queries"}, h("div.head", null, h("h2", null, "Queries"), whose), table.root), table,
    /* Those that the flame graph has in the scope; null for all. */
    limit: (scope) => {
      const of = scope === null ? null : shapesOf(doc, scope);
      whose.hidden = scope === null;
      table.limit(of && ((s) => of.has(s.at)));
    },
  };
}

function shapesOf(doc, scope) {
  const of = new Set();
  let within = false;
  for (const [depth, , what] of doc.frames) {
    if (depth === 0) within = what === scope;
    else if (within && typeof what === "number") of.add(what);
  }
  return of;
}

function requestsPart(doc) {
  const tests = doc.requests.some((r) => r.test);
  const table = Table({
    name: "requests", rows: doc.requests, sorted: {at: tests ? 3 : 2, down: true}, place: (r) => "request/" + r.more.number,
    words: (r) => `#${r.more.number} ${r.scope} ${r.request} ${r.test || ""} ${Object.values(r.tags).join(" ")}`,
    open: (r) => { location.hash = "#request/" + r.more.number; }, empty: "no request was seen",
    columns: [
      number("#", "in order of their start", (r) => r.more.number),
      {title: "Request", kind: "wide", get: (r) => r.scope, cell: (r) => [h("a", {href: "#request/" + r.more.number}, r.scope),
        r.request.startsWith("#") ? null : h("code.quiet", {title: r.request}, "  " + (r.request.length > 14 ? r.request.slice(0, 12) + "\u2026" : r.request)),
        r.findings.length ? [" ", ...new Set(r.findings.map((id) => doc.findingById.get(id)).filter((f) => f && f.level !== "note").map((f) => ruleName(f.rule)))].map((n) => (n === " " ? n : badge("warn", n))) : null]},
      ...(tests ? [{title: "Test", kind: "name", get: (r) => r.test, cell: (r) => h("span.quiet", null, r.test || "")}] : []),
      number("queries", "", (r) => r.queries),
      number("dup", "duplicates", (r) => r.duplicates),
      number("trips", "round trips", (r) => r.round_trips),
      number("SQL ms", "time the client waited for the database", (r) => r.db_ms, ms),
      number("wall ms", "from its first statement to its last", (r) => r.wall_ms, ms),
      {title: "timeline", kind: "number", hint: "its statements are in this page", get: (r) => Number(doc.timelineByNumber.has(r.more.number)),
        cell: (r) => (doc.timelineByNumber.has(r.more.number) ? h("span.quiet", {title: "has a timeline"}, "\u25b8") : "")},
    ]});
  return {root: h("section", {id: "requests", "aria-label": "requests"}, h("h2", null, "Requests"), table.root), table};
}

/* about(f): what tells one from the other where they are listed. */
function findingsOf(doc, test, about = (f) => h("a", {href: "#finding/" + f.id}, f.scope)) {
  const found = doc.findings.filter(test);
  return found.length ? h("ul.links", null, found.map((f) => h("li", null, badge(f.level === "error" ? "bad" : f.level === "warning" ? "warn" : "note", ruleName(f.rule)), " ",
    about(f), h("span.quiet", null, `  ${f.evidence}`)))) : null;
}
