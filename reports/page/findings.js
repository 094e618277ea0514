/* SPDX-License-Identifier: Apache-2.0 */
/* findings: one card each, the worst first: what, where, the proof as source and child, what it costs, what to do. */
function findingsPart(doc) {
  const list = h("div.cards");
  const worth = doc.findings.filter((f) => f.level !== "note"), notes = doc.findings.filter((f) => f.level === "note");
  const cards = new Map(), SHOWN = 50;
  let only = null, withNotes = worth.length === 0, most = SHOWN;

  const toggle = h("button.plain", {type: "button", "aria-pressed": withNotes, click: () => { withNotes = !withNotes; draw(); }});
  const more = h("button.plain", {type: "button", click: () => { most += SHOWN; draw(); }});

  function draw() {
    const all = (withNotes ? [...worth, ...notes] : worth).filter((f) => !only || only(f));
    toggle.hidden = notes.length === 0 || worth.length === 0;
    toggle.textContent = withNotes ? "hide notes" : `show ${plural(notes.length, "note")} and allowed`;
    toggle.setAttribute("aria-pressed", withNotes);
    list.replaceChildren(...all.slice(0, most).map((f) => {
      if (!cards.has(f.id)) cards.set(f.id, findingCard(doc, f));
      return cards.get(f.id);
    }));
    if (!all.length) list.append(h("p.quiet", null, only ? "no findings in this scope" : "no findings"));
    more.hidden = all.length <= most;
    more.textContent = `show more (${count(all.length - most)} left)`;
  }

  draw();
  return {
    root: h("section", {id: "findings", "aria-label": "findings"}, h("div.head", null, h("h2", null, "Findings"), toggle), list, more),
    limit: (test) => { only = test; draw(); },
    reveal: (id) => {
      const f = doc.findings.find((x) => x.id === id || x.id.startsWith(id));
      if (!f) return null;
      if (f.level === "note") withNotes = true;
      only = null;
      most = Math.max(most, doc.findings.indexOf(f) + 1);
      draw();
      return cards.get(f.id) || null;
    },
  };
}

function findingCard(doc, f) {
  const tone = f.level === "error" ? "bad" : f.level === "warning" ? "warn" : "note";
  const card = h("article.card.item." + tone, {id: "finding/" + f.id, tabindex: "-1", "aria-label": `${ruleName(f.rule)} in ${f.scope}`});
  const request = doc.requestByNumber.get(f.more.number);

  card.dataset.place = "finding/" + f.id;
  card.append(
    h("header", null,
      badge(tone, ruleName(f.rule)), badge("plain", f.verdict),
      h("a.scope", {href: scopeLink(f.scope)}, f.scope),
      f.location ? h("code.where", {title: f.location.origin ? `from ${f.location.origin}` : null}, `${f.location.file}${f.location.line ? ":" + f.location.line : ""}`) : null,
      h("span.grow"),
      f.repeat.executions > 1 ? h("b.times", null, `${count(f.repeat.executions)}\u00d7`) : null,
      f.wasted_ms > 0 ? h("span.cost", {title: "database time a fix would save in its worst request"}, `${time(f.wasted_ms)} wasted`) : null,
      h("a.anchor", {href: "#finding/" + f.id, "aria-label": "link to this finding", title: "link to this finding"}, "#")),
    flow(doc, f) || "",
    h("dl", null,
      fact(f.source.column && f.verdict === "proven" ? "proof" : "why", f.evidence),
      fact("cost", f.more.cost),
      fact("growth", f.more.growth),
      fact("inside", f.more.inside, f.parent ? h("a", {href: "#finding/" + f.parent}, " that loop") : null),
      fact("seen", f.more.seen, request ? h("a", {href: "#request/" + f.more.number}, " timeline") : null),
      fact("fix", h("span.fix", null, f.advice)),
      fact("allowed", f.suppressed)));
  return card;
}

function fact(label, ...value) {
  const said = value.filter((v) => v);
  return said.length ? [h("dt", null, label), h("dd", null, said)] : null;
}

/* The query that gave the rows, the column that ties them, the query that was made for each. */
function flow(doc, f) {
  const step = (label, shape, facts) => h("div.step", null, h("div.role", null, label, h("span.quiet", null, facts)), doc.shapeIndex.has(shape.fingerprint) ? shapeLine(doc, doc.shapeIndex.get(shape.fingerprint), false)
    : h("span.shape", null, h("span.id", null, shortId(shape.fingerprint)), " ", sql(shape.shape)));
  const repeat = f.repeat.fingerprint && step(f.repeat.executions > 1 ? "repeated" : "query", f.repeat,
    ` ${f.repeat.executions > 1 ? count(f.repeat.executions) + "\u00d7, " : ""}${time(f.repeat.db_ms)}` +
    (f.repeat.distinct_parameters > 1 ? `, ${count(f.repeat.distinct_parameters)} distinct parameters` : ""));
  if (!repeat) return null;
  if (!f.source.fingerprint) return h("div.flow", null, repeat);
  const [from, to] = (f.source.column || "").split(" \u2192 ");
  return h("div.flow.tied", null, step("source", f.source, ` ${plural(f.source.rows, "row")}`),
    h("div.tie", {"aria-label": f.source.column || "feeds"}, to ? [h("code", null, from), h("span.arrow", {"aria-hidden": "true"}), h("code", null, to)] : h("span.arrow", {"aria-hidden": "true"})),
    repeat);
}
