/* SPDX-License-Identifier: Apache-2.0 */
/* compare: the view of a comparison (schema rowcall.diff/1): the verdict, the scopes, and for each what it gained and lost: findings,
 * statements, times, and one request in order as a unified diff. */
const CHANGES = {added: "+", removed: "\u2212", more: "\u00d7", fewer: "\u00d7", same: "="};
const TONES = {worse: "bad", better: "good", changed: "warn", same: "plain"};
const TIMES = {"too-few": "too few requests to tell", "within-noise": "within the runs' own noise", slower: "slower beyond noise", faster: "faster beyond noise"};
const arrow = (a, b, show = count) => `${show(a)} \u2192 ${show(b)}`;

function comparedRun(name, run) {
  return h("p.ran", null, h("b", null, name + " "), run.command ? h("code", null, run.command) : "rowcall proxy", h("span.quiet", null,
    `  ${run.started.replace("T", " ").replace(/\.\d+Z$/, " UTC")} \u00b7 ${plural(run.requests, "request")}, ${plural(run.queries, "query", "queries")}`),
    run.trusted ? null : h("span.over", null, "  something is missing in this recording"));
}

function comparedStatements(scope) {
  const changed = scope.statements.filter((s) => s.change !== "same");
  if (!changed.length) return h("p.quiet", null, "the same statements, as often");
  return h("ul.compared", null, changed.map((s) => h("li", null,
    h("b." + (s.change === "added" || s.change === "more" ? "over" : "under"), {title: s.change}, CHANGES[s.change]), " ",
    h("span.times", null, s.change === "more" || s.change === "fewer" ? `${arrow(s.before.per_request, s.after.per_request)}\u00d7` : `${count(s.after.per_request || s.before.per_request)}\u00d7`),
    " ", h("code.id", null, shortId(s.fingerprint)), " ", sql(s.shape))));
}

function comparedFindings(scope) {
  const words = {added: "new", removed: "gone", more: "more", fewer: "fewer"};
  return scope.findings.length ? h("ul.compared", null, scope.findings.map((f) => h("li", null,
    badge(f.change === "added" || f.change === "more" ? "bad" : "good", words[f.change]), " ", badge("plain", ruleName(f.rule)), ` ${f.verdict}, ${arrow(f.before, f.after)}\u00d7 `,
    f.column ? h("code", null, f.column) : sql(f.shape || "")))) : null;
}

function comparedSequence(scope) {
  const {before, after, lines, differs, cut} = scope.sequence;
  if (!differs) return h("p.quiet", null, before && after ? "one request of each: the same statements in the same order" : "no request of one run was kept with its statements");
  return [h("p.quiet", null, `request ${before || "\u2013"} before, ${after || "\u2013"} after${cut ? "; cut, the requests go on" : ""}`),
    h("pre.sequence", {tabindex: "0", "aria-label": "one request in order, before and after"}, lines.map((line) => h("span.op" + {"+": ".plus", "-": ".minus", " ": ""}[line.op], {title: line.shape},
      `${line.op} ${"  ".repeat(line.depth)}`, line.shape ? [line.times > 1 ? h("b", null, `${count(line.times)}\u00d7 `) : null, sql(line.shape)] : h("b", null, `${count(line.times)}\u00d7:`))))];
}

function comparedScope(scope) {
  const {before, after, noise} = scope.db_ms;
  return [comparedFindings(scope), h("h3", null, "Statements"), comparedStatements(scope), h("h3", null, "One request"), comparedSequence(scope),
    before && after ? [h("h3", null, "SQL time per request"), h("p", null, `p50 ${arrow(before.p50, after.p50, ms)} ms, p95 ${arrow(before.p95, after.p95, ms)} ms: ${TIMES[noise.word]}` +
      (noise.p === null ? "" : ` (p = ${noise.p}, spread ${ms(noise.spread_ms)} ms)`))] : null];
}

function showComparison(doc) {
  const p50 = (side) => (side ? side.p50 : null), grown = (s) => (p50(s.queries.after) || 0) - (p50(s.queries.before) || 0);
  const order = {worse: 0, better: 1, changed: 2, same: 3};
  const times = doc.scopes.reduce((all, s) => ({...all, [s.change]: (all[s.change] || 0) + 1}), {});
  const table = Table({
    name: "scopes", rows: doc.scopes, sorted: {at: 1, down: false}, words: (s) => `${s.scope} ${s.change}`, detail: comparedScope, place: (s) => "scope/" + s.scope,
    empty: "neither run has a request",
    columns: [
      {title: "Scope", kind: "wide", get: (s) => s.scope, cell: (s) => s.scope},
      {title: "change", kind: "name", get: (s) => order[s.change], cell: (s) => badge(TONES[s.change], s.queries.before && s.queries.after ? s.change : s.queries.after ? "only after" : "only before")},
      number("queries before", "queries in its median request", (s) => p50(s.queries.before), orDash),
      number("after", "queries in its median request", (s) => p50(s.queries.after), orDash),
      {title: "+/\u2212", kind: "number", get: grown, cell: (s) => h("span" + (grown(s) > 0 ? ".over" : grown(s) < 0 ? ".under" : ""), null, (grown(s) > 0 ? "+" : "") + count(grown(s)).replace("-", "\u2212"))},
      number("ms before", "SQL time of its median request", (s) => p50(s.db_ms.before), (n) => (n === null ? "" : ms(n))),
      number("ms after", "SQL time of its median request", (s) => p50(s.db_ms.after), (n) => (n === null ? "" : ms(n))),
      {title: "time", kind: "name", hint: "a rank test over requests, p < 0.05, and medians further apart than requests of one run usually are", get: (s) => s.db_ms.noise.word,
        cell: (s) => h("span" + (s.db_ms.noise.word === "slower" ? ".over" : s.db_ms.noise.word === "faster" ? ".under" : ".quiet"), null, TIMES[s.db_ms.noise.word])},
    ]});
  const word = {worse: "WORSE", better: "BETTER", changed: "CHANGED", same: "SAME"}[doc.change];
  const help = keys({leave: () => { if (document.activeElement) document.activeElement.blur(); }, theme: () => theme(true)});

  $("main").replaceChildren(
    h("section", {id: "verdict", "aria-label": "verdict"},
      h("div.verdict." + {bad: "bad", good: "good", warn: "warn", plain: "good"}[TONES[doc.change]], null, h("h1", null, h("span.word", null, word), " ",
        `${count(times.worse || 0)} of ${plural(doc.scopes.length, "scope")} worse, ${count(times.better || 0)} better, ${count(times.changed || 0)} changed, ${count(times.same || 0)} as before`)),
      comparedRun("before", doc.before), comparedRun("after", doc.after),
      doc.left_out ? h("ul.notices", null, h("li", null, `${plural(doc.left_out, "request or statement", "requests or statements")} beyond the limits not compared`)) : null),
    h("section", {id: "scopes", "aria-label": "scopes"}, h("h2", null, "Scopes"), table.root));
  $("#top").replaceChildren(h("a.mark", {href: "#verdict"}, "rowcall"), badge(doc.change === "worse" ? "bad" : "good", word), h("span.grow"),
    h("button.icon", {type: "button", id: "theme", title: "theme (t)", click: () => theme(true)}), h("button.icon", {type: "button", "aria-label": "keys", title: "keys (?)", click: help.show}, "?"));
  theme(false);
  const first = $("tr.item", table.root);
  if (first && doc.scopes.some((s) => s.change !== "same")) first.act();
}
