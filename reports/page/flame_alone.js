/* SPDX-License-Identifier: Apache-2.0 */
/* flame_alone: the toolbar and keys of the stand-alone flame graph: t time, c calls, / search, Esc back to the whole. */
const frames = JSON.parse(document.getElementById("frames").textContent)
  .map(([depth, kind, name, text, calls, ns]) => ({depth, kind, name, text, calls, ns}));
const $ = (id) => document.getElementById(id);
const svg = $("graph");
svg.removeAttribute("viewBox");
$("tools").removeAttribute("display");
const flame = Flame(svg, frames, () => document.documentElement.clientWidth - 16, ({zoomed, metric, matched}) => {
  $("time").setAttribute("aria-pressed", metric === "ns");
  $("calls").setAttribute("aria-pressed", metric === "calls");
  $("whole").disabled = zoomed.kind === "all";
  $("said").textContent = matched === null ? `${flameTime(zoomed.all.ns)} in ${zoomed.all.calls.toLocaleString("en")} calls`
    : `${(matched * 100).toFixed(1)}% matched`;
});
$("time").addEventListener("click", () => flame.setMetric("ns"));
$("calls").addEventListener("click", () => flame.setMetric("calls"));
$("whole").addEventListener("click", flame.reset);
$("search").addEventListener("input", () => flame.search($("search").value));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    $("search").value = "";
    $("search").blur();
    flame.search("");
    flame.reset();
  } else if (event.target === $("search") || event.ctrlKey || event.metaKey || event.altKey) return;
  else if (event.key === "/") $("search").focus();
  else if (event.key === "t") flame.setMetric("ns");
  else if (event.key === "c") flame.setMetric("calls");
  else return;
  event.preventDefault();
});
flame.draw();
