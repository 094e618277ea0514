/* SPDX-License-Identifier: Apache-2.0 */
/* keys: j and k from item to item, Enter, / to filter, Esc back, ? for help, t for the theme. */
const KEYS = [["j k", "next, previous finding or row"], ["Enter", "open it"], ["/", "filter the list"], ["Esc", "leave the filter, the request, the scope"],
  ["g f", "findings"], ["g s", "scopes"], ["g q", "queries"], ["g r", "requests"], ["g g", "flame graph"], ["t", "light, dark, as the system"], ["?", "these keys"]];
const GOES = {f: "findings", s: "scopes", q: "queries", r: "requests", g: "flame"};

function keys({leave, theme}) {
  const help = h("div.help", {role: "dialog", "aria-modal": "true", "aria-label": "keys", hidden: true, tabindex: "-1"},
    h("div.sheet", null, h("h2", null, "Keys"), h("dl", null, KEYS.map(([k, what]) => [h("dt", null, k.split(" ").map((c) => h("kbd", null, c))), h("dd", null, what)])),
      h("p", null, h("button.plain", {type: "button", click: () => show(false)}, "close"))));
  let before = null, going = false;
  $("#help").replaceChildren(help);

  function show(on) {
    if (on === !help.hidden) return;
    if (on) before = document.activeElement;
    help.hidden = !on;
    if (on) help.focus();
    else if (before) before.focus();
  }

  const items = () => $$(".item", $("main")).filter((e) => e.offsetParent !== null);
  function move(by) {
    const all = items(), here = document.activeElement && document.activeElement.closest(".item");
    let to = all[all.indexOf(here) + by];
    if (!here) to = all.find((e) => e.getBoundingClientRect().top >= 60) || all[0];
    if (!to) return;
    to.focus({preventScroll: true});
    to.scrollIntoView({block: "nearest"});
  }

  function filter() {
    const near = document.activeElement && document.activeElement.closest("section");
    const all = $$("input.filter", $("main")).filter((e) => e.offsetParent !== null);
    const to = (near && $("input.filter", near)) || all.find((e) => e.getBoundingClientRect().top >= 50) || all[0];
    if (to) { to.focus(); to.select(); }
  }

  function enter() {
    const here = document.activeElement;
    if (!here || !here.classList.contains("item")) return false;
    const link = $("a[href^='#request/']", here);
    if (here.act) here.act();
    else if (link) link.click();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, textarea, select");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (!help.hidden) show(false);
      else if (typing) {
        event.target.value = "";
        event.target.dispatchEvent(new Event("input"));
        event.target.blur();
      } else leave();
      return;
    }
    if (typing || !help.hidden) return;
    if (going) {
      going = false;
      if (GOES[event.key]) { location.hash = "#" + GOES[event.key]; event.preventDefault(); }
      return;
    }
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "g") going = true;
    else if (event.key === "/") filter();
    else if (event.key === "?") show(true);
    else if (event.key === "t") theme();
    else if (event.key !== "Enter" || !enter()) return;
    event.preventDefault();
  });
  return {show: () => show(true)};
}
