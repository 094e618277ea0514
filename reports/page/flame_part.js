/* SPDX-License-Identifier: Apache-2.0 */
/* flame_part: the flame graph of all requests within the page. */
function flamePart(doc) {
  if (!doc.frames.length) return null;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", "flame graph");
  svg.setAttribute("width", "100%");
  const said = h("span.count", {role: "status"});
  const byTime = h("button", {type: "button", click: () => flame.setMetric("ns")}, "time"), byCalls = h("button", {type: "button", click: () => flame.setMetric("calls")}, "calls");
  const whole = h("button.plain", {type: "button", click: () => flame.reset()}, "reset");
  const search = h("input.filter", {type: "search", placeholder: "search the flame graph", "aria-label": "search the flame graph", input: () => flame.search(search.value)});
  const holder = h("div.flame", null, svg);
  const frames = doc.frames.map(([depth, kind, what, calls, ns]) => {
    const shape = typeof what === "number" ? doc.report.shapes[what] : null;
    return {depth, kind, calls, ns, name: shape ? `${shortId(shape.fingerprint)} ${doc.page.shapes[what].short}` : String(what), text: shape ? shape.shape : String(what)};
  });
  const flame = Flame(svg, frames, () => holder.clientWidth, ({zoomed, metric, matched}) => {
    byTime.setAttribute("aria-pressed", metric === "ns");
    byCalls.setAttribute("aria-pressed", metric === "calls");
    whole.disabled = zoomed.kind === "all";
    said.textContent = matched === null ? `${flameTime(zoomed.all.ns)} in ${plural(zoomed.all.calls, "call")}` : `${percent(matched)} matched`;
  });
  return {
    root: h("section", {id: "flame", "aria-label": "flame graph"}, h("h2", null, "Flame graph"),
      h("p.quiet.hint", null, "Scopes, the queries in them, and beneath a query those that were made once for each of its rows. Click to zoom."),
      h("div.tools", null, h("span.choice", {role: "group", "aria-label": "width by"}, byTime, byCalls), search, whole, said), holder),
    flame,
  };
}
