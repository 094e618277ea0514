/* SPDX-License-Identifier: Apache-2.0 */
/* main: puts the parts together around one document and follows the address: #finding/ID, #scope/NAME, #request/NUMBER or KEY, #query/ID,
 * #findings and so on. The document stands in the page; show() takes any other of its kind (a live one) as well.
 * A part is a function of the document that returns {root, ...} or null. */
const parts = [["findings", "Findings", findingsPart], ["scopes", "Scopes", scopesPart], ["queries", "Queries", queriesPart],
  ["requests", "Requests", requestsPart], ["flame", "Flame graph", flamePart]];

/* Joins what the report and the page say about one thing. */
function joined(doc) {
  const {report, page} = doc;
  doc.scopes = report.scopes.map((s, i) => ({...s, more: page.scopes[i]}));
  doc.requests = report.requests.map((r, i) => ({...r, more: {number: page.requests[i][0], errors: page.requests[i][1]}}));
  const level = {error: 0, warning: 1, note: 2};
  doc.findings = report.findings.map((f, i) => ({...f, more: page.findings[i]}));
  const weight = Object.keys(RULES);
  doc.findings.sort((a, b) => level[a.level] - level[b.level] || weight.indexOf(a.rule) - weight.indexOf(b.rule));
  doc.shapeIndex = new Map(report.shapes.map((s, i) => [s.fingerprint, i]));
  doc.requestByNumber = new Map(doc.requests.map((r) => [r.more.number, r]));
  doc.findingById = new Map(doc.findings.map((f) => [f.id, f]));
  doc.timelineByNumber = new Map(doc.timelines.map((t) => [t.number, t]));
  return doc;
}

const THEMES = ["auto", "light", "dark"];
function theme(next) {
  let now = "auto";
  try { now = localStorage.getItem("rowcall-theme") || "auto"; } catch { /* a page from disk may have no storage */ }
  now = document.documentElement.dataset.theme || now;
  if (next) now = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
  document.documentElement.dataset.theme = now;
  try { localStorage.setItem("rowcall-theme", now); } catch { /* the choice then lasts as long as the page */ }
  const button = $("#theme");
  if (button) button.textContent = {auto: "\u25d0", light: "\u25cb", dark: "\u25cf"}[now];
  if (button) button.setAttribute("aria-label", `theme: ${now}`);
}

function show(doc) {
  joined(doc);
  const made = {}, nav = h("nav", {"aria-label": "parts of the report"}), chip = h("span.chip", {hidden: true});
  const overview = h("div", {id: "overview"}, verdictPart(doc)), detail = h("div", {id: "detail", hidden: true});

  for (const [id, title, make] of parts) {
    made[id] = make(doc);
    if (!made[id]) continue;
    overview.append(made[id].root);
    nav.append(h("a", {href: "#" + id}, title));
  }
  $("main").replaceChildren(overview, detail);
  const help = keys({leave, theme: () => theme(true)});
  const word = doc.page.verdict.word;
  $("#top").replaceChildren(h("a.mark", {href: "#verdict"}, "rowcall"), badge({PASS: "good", FOUND: "warn"}[word] || "bad", word), nav, chip, h("span.grow"),
    h("button.icon", {type: "button", id: "theme", title: "theme (t)", click: () => theme(true)}), h("button.icon", {type: "button", "aria-label": "keys", title: "keys (?)", click: help.show}, "?"));
  theme(false);

  let scoped = null;
  function scope(name) {
    if (name === scoped) return;
    scoped = name;
    made.findings.limit(name === null ? null : (f) => f.scope === name);
    made.queries.limit(name);
    made.requests.table.limit(name === null ? null : (r) => r.scope === name);
    made.scopes.table.limit(name === null ? null : (s) => s.scope === name);
    if (made.flame) {
      if (name === null) made.flame.flame.reset();
      else made.flame.flame.zoomTo((node) => node.kind === "scope" && node.text === name);
    }
    chip.hidden = name === null;
    chip.replaceChildren(name === null ? "" : `only ${name} `, h("button", {type: "button", "aria-label": "all scopes", click: () => { location.hash = "#scopes"; scope(null); }}, "\u00d7"));
  }

  function leave() {
    if (!detail.hidden) location.hash = "#requests";
    else if (scoped !== null) { scope(null); location.hash = "#scopes"; }
    else if (document.activeElement) document.activeElement.blur();
  }

  function view(request) {
    overview.hidden = request !== null;
    detail.hidden = request === null;
    detail.replaceChildren(...(request ? [requestView(doc, request)] : []));
    document.title = request ? `${request.scope} #${request.more.number}` : title;
  }

  function reveal(element) {
    if (!element) return;
    element.scrollIntoView({block: "center"});
    element.focus({preventScroll: true});
    for (const e of $$(".found")) e.classList.remove("found");
    element.classList.add("found");
  }

  const title = document.title;
  const wanted = (id) => doc.requestByNumber.get(Number(id)) || doc.requests.find((r) => r.request === id);
  function follow() {
    const [kind, ...rest] = location.hash.slice(1).split("/");
    let id = rest.join("/");
    try { id = decodeURIComponent(id); } catch { /* as it is */ }
    if (kind === "request" && wanted(id)) {
      view(wanted(id));
      scrollTo(0, 0);
      return;
    }
    view(null);
    if (made.flame && !made.flame.drawn) made.flame.drawn = made.flame.flame.draw() || true;
    if (kind === "finding") { scope(null); reveal(made.findings.reveal(id)); }
    else if (kind === "scope" && doc.scopes.some((s) => s.scope === id)) { scope(id); $("#findings").scrollIntoView(); }
    else if (kind === "query") {
      const row = made.queries.table.reveal((s) => s.fingerprint === id || ("q" + s.fingerprint).startsWith(id));
      reveal(row);
      if (row && row.getAttribute("aria-expanded") !== "true") row.act();
    } else if (kind && document.getElementById(kind)) {
      const part = document.getElementById(kind);
      part.tabIndex = -1;
      part.scrollIntoView();
      part.focus({preventScroll: true});
    }
  }
  window.addEventListener("hashchange", follow);
  follow();
}

const shown = parsed($("#document").textContent);
if (shown.schema === "rowcall.diff/1") showComparison(shown);
else show(shown);
