/* SPDX-License-Identifier: Apache-2.0 */
/* flame: a tree of frames as an icicle, scopes on top: width by time or calls, click or Enter to zoom, search, arrow keys.
 * Used by the report's page and by the stand-alone SVG. Does: draw into an <svg> it is given. Never: builds markup from text, fetches,
 * or draws frames too narrow to see: neighbours too narrow become one frame that says how many they are.
 *
 * frames: [{depth, kind, name, text, calls, ns}] depth first; calls and ns are a frame's own. `text` is what its tooltip shows. */
const FLAME_ROW = 22, FLAME_LETTER = 6.65, FLAME_LEAST = 1.2;

function flameTree(frames) {
  const root = {depth: 0, kind: "all", name: "all", text: "all requests", calls: 0, ns: 0, children: [], above: null};
  const path = [root];
  for (const f of frames) {
    const node = {...f, depth: f.depth + 1, children: [], above: path[f.depth]};
    node.above.children.push(node);
    path[node.depth] = node;
    path.length = node.depth + 1;
  }
  const sum = (node) => {
    node.all = {calls: node.calls, ns: node.ns};
    for (const child of node.children) {
      sum(child);
      node.all.calls += child.all.calls;
      node.all.ns += child.all.ns;
    }
  };
  sum(root);
  return root;
}

function flameTime(ns) {
  const ms = ns / 1e6;
  if (ms >= 10000) return (ms / 1000).toFixed(1) + " s";
  return (ms >= 100 ? ms.toFixed(0) : ms >= 10 ? ms.toFixed(1) : ms >= 1 ? ms.toFixed(2) : ms.toFixed(3)) + " ms";
}

/* width() tells the room there is. told(info) is called after every change: {zoomed, metric, matched: share or null}. */
function Flame(svg, frames, width, told) {
  const NS = "http://www.w3.org/2000/svg";
  const root = flameTree(frames);
  let zoomed = root, metric = "ns", term = "", focus = null;
  const boxes = new Map();

  const share = (node) => (root.all[metric] ? node.all[metric] / root.all[metric] : 0);
  const percent = (x) => (x * 100 >= 10 ? (x * 100).toFixed(0) : (x * 100).toFixed(1)) + "%";
  const title = (node) => `${node.text}\n${flameTime(node.all.ns)}, ${node.all.calls.toLocaleString("en")} call${node.all.calls === 1 ? "" : "s"}, ` +
    `${percent(share(node))} of all ${metric === "ns" ? "SQL time" : "statements"}`;
  const matches = (node) => term !== "" && node.kind !== "all" && node.kind !== "narrow" && (node.name + " " + node.text).toLowerCase().includes(term);

  /* What a search found, without counting a match beneath a match twice. */
  function matched(node) {
    if (matches(node)) return node.all[metric];
    return node.children.reduce((n, child) => n + matched(child), 0);
  }

  function element(name, attributes, parent) {
    const e = document.createElementNS(NS, name);
    for (const key in attributes) e.setAttribute(key, attributes[key]);
    parent.appendChild(e);
    return e;
  }

  function box(node, x, wide) {
    const g = element("g", {class: `frame ${node.kind}${matches(node) ? " match" : ""}${node.depth < zoomed.depth ? " past" : ""}`,
      tabindex: "-1", role: "button", transform: `translate(${x.toFixed(2)},${node.depth * FLAME_ROW})`}, svg);
    element("rect", {width: Math.max(wide - 1, FLAME_LEAST).toFixed(2), height: FLAME_ROW - 1, rx: 2}, g);
    const room = Math.floor((wide - 9) / FLAME_LETTER);
    if (room >= 3)
      element("text", {x: 5, y: FLAME_ROW - 7}, g).textContent = node.name.length <= room ? node.name : node.name.slice(0, room - 1) + "\u2026";
    element("title", {}, g).textContent = title(node);
    g.setAttribute("aria-label", title(node));
    g.addEventListener("click", () => { if (node.kind !== "narrow") { focus = node; zoom(node); } });
    g.addEventListener("focus", () => { if (node.kind !== "narrow") focus = node; });
    boxes.set(node, g);
    return node.depth;
  }

  function draw() {
    const room = width(), held = svg.contains(document.activeElement);
    let deepest = 0;
    while (svg.firstChild) svg.removeChild(svg.firstChild);
    boxes.clear();
    const beneath = (node, x, scale) => {
      const own = node.all[metric] * scale;
      if (own < FLAME_LEAST) return;
      deepest = Math.max(deepest, box(node, x, own));
      let at = x, narrow = null;
      const close = () => {
        if (narrow && narrow.n > 1 && narrow.all[metric] * scale >= FLAME_LEAST) deepest = Math.max(deepest, box(narrow, narrow.x, narrow.all[metric] * scale));
        narrow = null;
      };
      for (const child of node.children) {
        const wide = child.all[metric] * scale;
        if (wide >= FLAME_LEAST) {
          close();
          beneath(child, at, scale);
        } else {
          narrow = narrow || {kind: "narrow", depth: child.depth, above: node, children: [], n: 0, x: at, all: {calls: 0, ns: 0}};
          narrow.n++;
          narrow.all.calls += child.all.calls;
          narrow.all.ns += child.all.ns;
          narrow.name = narrow.text = `${narrow.n.toLocaleString("en")} narrower ones`;
        }
        at += wide;
      }
      close();
    };
    for (let above = zoomed.above; above; above = above.above) box(above, 0, room);
    beneath(zoomed, 0, zoomed.all[metric] ? room / zoomed.all[metric] : 0);
    svg.setAttribute("height", (deepest + 1) * FLAME_ROW);
    if (!boxes.has(focus)) focus = zoomed;
    const target = boxes.get(focus) || boxes.get(root);
    if (target) {
      target.setAttribute("tabindex", "0");
      if (held) target.focus();
    }
    if (told) told({zoomed, metric, matched: term === "" ? null : root.all[metric] ? matched(root) / root.all[metric] : 0});
  }

  function zoom(node) { zoomed = node; draw(); }

  function step(key) {
    const row = focus.above ? focus.above.children.filter((n) => boxes.has(n)) : [focus], at = row.indexOf(focus);
    if (key === "ArrowUp") return focus.above;
    if (key === "ArrowDown") return focus.children.find((n) => boxes.has(n));
    return row[at + (key === "ArrowRight" ? 1 : -1)];
  }

  svg.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") zoom(focus);
    else if (event.key.startsWith("Arrow")) {
      const to = step(event.key);
      if (to && boxes.has(to)) {
        boxes.get(focus).setAttribute("tabindex", "-1");
        focus = to;
        boxes.get(to).setAttribute("tabindex", "0");
        boxes.get(to).focus();
      }
    } else return;
    event.preventDefault();
  });
  window.addEventListener("resize", draw);

  return {
    draw, zoom,
    reset: () => zoom(root),
    isWhole: () => zoomed === root,
    zoomTo: (test) => { const node = root.children.find(test); if (node) zoom(node); return Boolean(node); },
    setMetric: (name) => { metric = name; draw(); },
    search: (text) => { term = text.trim().toLowerCase(); draw(); },
    root,
  };
}
