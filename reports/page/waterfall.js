/* SPDX-License-Identifier: Apache-2.0 */
/* waterfall: one request over its connections. A lane per connection shows its transactions and everything it did; beneath it stand its
 * statements, those of one shape folded to one row of ticks (xN, unfolds), a loop beneath the query whose rows fed it, tied by an arrow.
 * The bar on top shows when the request waited for the database and when the app was thinking. */
const ROW_MOST = 200, TICKS_MOST = 400;

const S = {SHAPE: 0, LANE: 1, START: 2, FIRST: 3, BUSY: 4, ROWS: 5, AFFECTED: 6, BYTES: 7, TX: 8, OUTCOME: 9, FLAGS: 10, CODE: 11};
const UNDONE = 256;     /* a flag: its transaction was rolled back */
const OUTCOMES = ["", "", "error", "skipped", "no answer"];

function requestView(doc, request) {
  const line = doc.timelineByNumber.get(request.more.number);
  const facts = [["queries", count(request.queries)], ["duplicates", count(request.duplicates)], ["round trips", count(request.round_trips)],
    ["SQL time", time(request.db_ms)], ["from first to last", time(request.wall_ms)],
    ["app time between", line ? time(thinking(line).total / 1000) : null],
    ["transaction control", request.control || null], ["set-up", request.setup || null], ["errors", request.more.errors || null],
    ["rolled back", request.rolled_back || null]];

  return h("section.request", {id: "request", "aria-label": `request ${request.more.number}`},
    h("p.back", null, h("a", {href: "#requests"}, "\u2039 all requests"), neighbours(doc, request)),
    h("h1", null, h("a.scope", {href: scopeLink(request.scope)}, request.scope), h("span.quiet", null, ` #${request.more.number}`)),
    h("p.quiet", null, request.request.startsWith("#") ? null : h("code", null, request.request), request.test ? `  in ${request.test}` : null,
      `  scope from ${request.scope_from}, borders from ${request.borders_from}`),
    h("dl.facts", null, facts.filter(([, v]) => v !== null).map(([k, v]) => h("div", null, h("dt", null, k), h("dd", null, v)))),
    Object.keys(request.tags).length ? h("p.tags", null, Object.entries(request.tags).map(([k, v]) => h("code.tag", null, `${visible(k)}=${v}`))) : null,
    findingsOf(doc, (f) => request.findings.includes(f.id), (f) => h("a", {href: "#finding/" + f.id}, briefly(doc, f))),
    line ? waterfall(doc, line) : h("p.notice", null, "This request is counted, but its statements are not in this page: it keeps those of findings, the slowest " +
      "and the median of each scope, and others as far as they fit."));
}

/* "q91bd02c SELECT customers ... 20x" */
function briefly(doc, f) {
  const shape = doc.page.shapes[doc.shapeIndex.get(f.repeat.fingerprint)];
  if (!shape) return f.scope;
  return `${shortId(f.repeat.fingerprint)} ${shape.short.length > 60 ? shape.short.slice(0, 59) + "\u2026" : shape.short}${f.repeat.executions > 1 ? ` ${count(f.repeat.executions)}\u00d7` : ""}`;
}

function neighbours(doc, request) {
  const of = doc.requests.filter((r) => r.scope === request.scope), at = of.indexOf(request);
  const link = (r, text) => (r ? h("a", {href: "#request/" + r.more.number}, text) : null);
  return of.length > 1 ? h("span.around", null, link(of[at - 1], "\u2039 previous"), h("span.quiet", null, ` ${count(at + 1)} of ${count(of.length)} in its scope `), link(of[at + 1], "next \u203a")) : null;
}

/* When no statement was under way: [from, to] in microseconds, and their sum. */
function thinking(line) {
  const gaps = [];
  let end = 0, total = 0;
  for (const s of line.statements) {
    if (s[S.START] > end && end > 0) {
      gaps.push([end, s[S.START]]);
      total += s[S.START] - end;
    }
    end = Math.max(end, s[S.START] + s[S.BUSY]);
  }
  return {gaps, total};
}

/* Rows of one lane: {shape, at: [statements], depth, edge}. Executions of a loop, or three and more of a shape in one transaction, share a row. */
function rowsOf(doc, line, lane) {
  const rows = [], open = new Map(), total = new Map();
  const key = (s) => `${s[S.SHAPE]} ${s[S.TX]}`;
  line.statements.forEach((s) => { if (s[S.LANE] === lane) total.set(key(s), (total.get(key(s)) || 0) + 1); });
  line.statements.forEach((s, at) => {
    if (s[S.LANE] !== lane) return;
    const loop = line.childOf.get(s[S.SHAPE]), k = key(s);
    if (open.has(k) && (loop || total.get(k) > 2 || rows[rows.length - 1] === open.get(k))) {
      open.get(k).at.push(at);
      return;
    }
    const row = {shape: s[S.SHAPE], at: [at], edge: loop, depth: 0};
    open.set(k, row);
    rows.push(row);
  });
  for (const row of rows) {
    let shape = row.shape;
    for (const seen = new Set(); line.childOf.has(shape) && !seen.has(shape) && row.depth < 6; row.depth++) {
      seen.add(shape);
      shape = line.statements[line.childOf.get(shape).parent][S.SHAPE];
    }
  }
  return rows;
}

function waterfall(doc, line) {
  const last = line.statements.reduce((end, s) => Math.max(end, s[S.START] + s[S.BUSY]), 1), span = Math.max(last, line.wall_us);
  const left = (us) => (us / span * 100).toFixed(3) + "%";
  const chart = h("div.chart", {role: "group", "aria-label": "timeline"});
  const drawn = [];

  line.childOf = new Map(line.edges.map((e) => [line.statements[e.child][S.SHAPE], e]));

  function bar(kind, from, to, title) {
    const b = h("span." + kind, {title});
    b.style.left = left(from);
    b.style.width = `max(${((to - from) / span * 100).toFixed(3)}%, 2px)`;
    return b;
  }

  /* Ticks closer than can be told apart become one. */
  function ticks(at) {
    const out = [];
    let from = 0, to = -1, n = 0;
    const put = () => { if (n) out.push(bar("tick", from, to, n > 1 ? `${count(n)} executions` : null)); };
    const close = span / TICKS_MOST;
    for (const i of at) {
      const s = line.statements[i];
      if (n && s[S.START] - to > close) { put(); n = 0; }
      if (!n) from = s[S.START];
      to = n ? Math.max(to, s[S.START] + s[S.BUSY]) : s[S.START] + s[S.BUSY];
      n++;
    }
    put();
    return out;
  }

  function rest(s) {
    const said = [`${time(s[S.START] / 1000)} after the start`, `waited ${time(s[S.BUSY] / 1000)}`, `first byte after ${time(s[S.FIRST] / 1000)}`,
      plural(s[S.ROWS], "row")];
    if (s[S.BYTES]) said.push(plural(s[S.BYTES], "byte"));
    if (s[S.FLAGS] & UNDONE) said.push("rolled back");
    if (s[S.OUTCOME] > 1) said.push(OUTCOMES[s[S.OUTCOME]] + (s[S.CODE] ? " " + s[S.CODE] : ""));
    return said.join(", ");
  }

  function single(i, label) {
    const s = line.statements[i], failed = s[S.OUTCOME] > 1, kind = doc.page.shapes[s[S.SHAPE]] ? doc.page.shapes[s[S.SHAPE]].kind : 0;
    const b = bar("exec" + (failed ? ".failed" : kind ? ".other" : ""), s[S.START], s[S.START] + s[S.BUSY], rest(s));
    if (s[S.BUSY] > 0 && s[S.FIRST] < s[S.BUSY]) {
      const after = h("span.rest");
      after.style.width = ((1 - s[S.FIRST] / s[S.BUSY]) * 100).toFixed(1) + "%";
      b.append(after);
    }
    return h("div.row" + (failed ? ".failed" : ""), null, h("div.label", null, label), h("div.num", null, ms(s[S.BUSY] / 1000)),
      h("div.num", null, failed ? h("span.over", null, s[S.CODE] || OUTCOMES[s[S.OUTCOME]]) : s[S.ROWS] || s[S.AFFECTED] ? count(s[S.ROWS] || s[S.AFFECTED]) : ""),
      h("div.track", null, b));
  }

  function folded(row) {
    const n = row.at.length, sum = (what) => row.at.reduce((all, i) => all + line.statements[i][what], 0);
    const failed = row.at.filter((i) => line.statements[i][S.OUTCOME] > 1).length;
    const holder = h("div.group"), inner = h("div.inner", {hidden: true});
    const fold = h("button.fold", {type: "button", "aria-expanded": "false", "aria-label": `unfold ${count(n)} executions`, click: () => unfold()}, `\u00d7${count(n)}`);
    let filled = false;

    function unfold() {
      if (!filled) inner.append(...each(0));
      filled = true;
      inner.hidden = !inner.hidden;
      fold.setAttribute("aria-expanded", !inner.hidden);
      tie();
    }

    function each(from) {
      const part = row.at.slice(from, from + ROW_MOST).map((i, k) => {
        const before = line.statements[row.at[from + k - 1]], s = line.statements[i];
        return single(i, h("span.quiet", null, `${count(from + k + 1)}`, before ? `   ${time(Math.max(0, s[S.START] - before[S.START] - before[S.BUSY]) / 1000)} later` : ""));
      });
      const left = n - from - part.length;
      if (left > 0) {
        const more = h("button.plain", {type: "button", click: () => { more.replaceWith(...each(from + ROW_MOST)); tie(); }}, `${count(left)} more`);
        part.push(more);
      }
      return part;
    }

    const main = h("div.row.item", {tabindex: "-1", click: (event) => { if (!event.target.closest("a, button") && !String(getSelection())) unfold(); }},
      h("div.label", null, h("div.line", null, fold, shapeLine(doc, row.shape, false))), h("div.num", null, ms(sum(S.BUSY) / 1000)),
      h("div.num", null, failed ? h("span.over", null, `${failed} failed`) : sum(S.ROWS) || sum(S.AFFECTED) ? count(sum(S.ROWS) || sum(S.AFFECTED)) : ""), h("div.track", null, ticks(row.at)));
    main.act = unfold;
    holder.append(main, inner);
    holder.main = main;
    return holder;
  }

  function lane(at) {
    const rows = rowsOf(doc, line, at), all = line.statements.map((s, i) => i).filter((i) => line.statements[i][S.LANE] === at);
    const transactions = new Map();
    for (const i of all) {
      const s = line.statements[i];
      if (!s[S.TX]) continue;
      const t = transactions.get(s[S.TX]) || {from: s[S.START], to: 0};
      t.to = Math.max(t.to, s[S.START] + s[S.BUSY]);
      transactions.set(s[S.TX], t);
    }
    const busy = all.reduce((sum, i) => sum + line.statements[i][S.BUSY], 0);
    chart.append(h("div.row.lane", null,
      h("div.label", null, h("b", null, `connection ${at + 1}`), h("span.quiet", null, `  ${line.lanes[at] || ""}  ${plural(all.length, "statement")}`)),
      h("div.num", null, ms(busy / 1000)), h("div.num"),
      h("div.track", null, [...transactions.values()].map((t) => bar("tx", t.from, t.to, `transaction open for ${time((t.to - t.from) / 1000)}`)), ticks(all))));
    const holder = h("div.rows");
    chart.append(holder);
    put(holder, rows, 0);
  }

  /* Some rows at a time: a request may have thousands that fold into nothing. */
  function put(holder, rows, from) {
    for (const row of rows.slice(from, from + ROW_MOST)) {
      const e = row.at.length > 1 ? folded(row) : single(row.at[0], shapeLine(doc, row.shape, false));
      const main = e.main || e;
      $(".label", main).style.setProperty("--depth", row.depth);
      if (row.edge) {
        main.classList.add("looped");
        $(".label", main).append(h("span.via", {title: `${row.edge.column}: ${row.edge.says}`}, row.edge.column));
      }
      drawn.push({row, main});
      holder.append(e);
    }
    const left = rows.length - from - ROW_MOST;
    if (left <= 0) return;
    const more = h("button.plain.more", {type: "button", click: () => { more.remove(); put(holder, rows, from + ROW_MOST); tie(); }}, `${count(left)} more`);
    holder.append(more);
  }

  const think = thinking(line), share = span ? think.total / span : 0;
  chart.append(h("div.row.ruler", null, h("div.label"), h("div.num", null, "ms"), h("div.num", null, "rows"), h("div.track", null, marks(span).map((us) => {
    const m = h("span.at", null, time(us / 1000));
    m.style.left = left(us);
    return m;
  }))));
  chart.append(h("div.row.lane.think", null, h("div.label", null, h("span.quiet", null, `app between queries: ${time(think.total / 1000)}, ${percent(share)}`)), h("div.num"), h("div.num"),
    h("div.track", null, ticks(line.statements.map((s, i) => i)), think.gaps.filter(([from, to]) => (to - from) * TICKS_MOST > span).map(([from, to]) =>
      bar("gap", from, to, `no query for ${time((to - from) / 1000)}`)))));
  for (let at = 0; at < line.lanes.length; at++) lane(at);

  /* Arrows from the row that gave the values to the row that was made of them. */
  const NS = "http://www.w3.org/2000/svg";
  const overlay = document.createElementNS(NS, "svg");
  overlay.setAttribute("class", "arrows");
  overlay.setAttribute("aria-hidden", "true");
  chart.append(overlay);
  function tie() {
    const box = chart.getBoundingClientRect(), track = $(".track", chart).getBoundingClientRect();
    overlay.replaceChildren();
    overlay.setAttribute("width", box.width);
    overlay.setAttribute("height", box.height);
    for (const {row, main} of drawn) {
      const from = row.edge && drawn.find((d) => d.row.at.includes(row.edge.parent));
      if (!from) continue;
      const y = (d) => { const r = d.main.getBoundingClientRect(); return r.top - box.top + r.height / 2; };
      const x = (us) => track.left - box.left + us / span * track.width;
      const s = line.statements[row.edge.parent], x1 = x(s[S.START] + s[S.BUSY]), x2 = x(line.statements[row.at[0]][S.START]), y1 = y(from), y2 = y({main}) - 6;
      const path = document.createElementNS(NS, "path"), head = document.createElementNS(NS, "path");
      path.setAttribute("d", `M${x1} ${y1}C${x1 + 12} ${y1} ${x2} ${Math.max(y1, y2 - 16)} ${x2} ${y2 - 3}`);
      head.setAttribute("d", `M${x2 - 3.5} ${y2 - 5}h7l-3.5 6z`);
      head.setAttribute("class", "head");
      overlay.append(path, head);
    }
  }
  requestAnimationFrame(tie);
  window.addEventListener("resize", tie);
  chart.tie = tie;

  return h("div", null, h("h2", null, "Timeline"),
    line.cut ? h("p.notice", null, `The first ${plural(line.statements.length, "statement")}; ${count(line.cut)} more are counted, not drawn.`) : null,
    h("div.legend", {"aria-hidden": "true"}, ["exec", "tx", "gap"].map((k) => h("span.key", null, h("span.swatch." + k), {exec: "waiting for the database (paler: receiving)", tx: "transaction open", gap: "app, no query"}[k])),
      line.edges.length ? h("span.key", null, h("span.swatch.edge"), "rows of one query fed the other") : null),
    h("div.scroll", null, chart));
}

/* Round times for the ruler; none so near its end that its label would not fit. */
function marks(span) {
  const rough = span / 5, power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const step = [1, 2, 5, 10].find((k) => k * power >= rough) * power, out = [];
  for (let at = 0; at <= span * 0.88; at += step) out.push(at);
  return out;
}
