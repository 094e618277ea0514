/* SPDX-License-Identifier: Apache-2.0 */
/* tables: a table that sorts by any column, filters by text and shows a page of rows at a time, however many there are.
 * columns: [{title, hint, kind: "number" | "name" | "wide", get(row): what is sorted by, cell(row): what is shown}].
 * open(row), when given, is what a click or Enter does; detail(row), when given, what unfolds beneath a row instead. */
const PAGE_ROWS = 50;

function Table({name, columns, rows, sorted, words, open, detail, place, empty}) {
  let order = sorted, term = "", only = null, first = 0, view = rows;
  const body = h("tbody"), said = h("span.count", {role: "status"});
  const heads = columns.map((column, at) => h("th." + (column.kind || "name"), {scope: "col"},
    h("button.sort", {type: "button", title: column.hint, click: () => sortBy(at)}, column.title)));
  const filter = h("input.filter", {type: "search", placeholder: `filter ${name}`, "aria-label": `filter ${name}`, input: () => find(filter.value)});
  const back = h("button", {type: "button", "aria-label": "previous rows", click: () => turn(-1)}, "\u2039");
  const on = h("button", {type: "button", "aria-label": "next rows", click: () => turn(1)}, "\u203a");
  const pager = h("span.pager", null, back, on);
  const root = h("div.tabled", null, h("div.tools", null, rows.length > 4 ? filter : null, said, pager),
    h("div.scroll", {tabindex: "-1"}, h("table", null, h("thead", null, h("tr", null, heads)), body)));

  function sortBy(at) {
    const numbers = columns[at].kind === "number";
    order = order.at === at ? {at, down: !order.down} : {at, down: numbers};
    first = 0;
    arrange();
  }

  function find(text) {
    term = text.trim().toLowerCase();
    first = 0;
    arrange();
  }

  function turn(pages) {
    first = Math.min(Math.max(0, first + pages * PAGE_ROWS), Math.max(0, view.length - 1));
    draw();
    root.scrollIntoView({block: "nearest"});
  }

  function arrange() {
    const get = columns[order.at].get, sign = order.down ? -1 : 1;
    view = rows.filter((row) => (!only || only(row)) && (term === "" || words(row).toLowerCase().includes(term)));
    view = view.map((row, at) => [get(row), at, row]).sort(([a, i], [b, j]) => {
      if (a === b) return i - j;
      if (a === null || a === undefined) return 1;
      if (b === null || b === undefined) return -1;
      return a < b ? -sign : sign;
    }).map(([, , row]) => row);
    draw();
  }

  function unfold(tr, row) {
    const was = tr.nextElementSibling && tr.nextElementSibling.classList.contains("detail");
    tr.setAttribute("aria-expanded", !was);
    if (was) tr.nextElementSibling.remove();
    else tr.after(h("tr.detail", null, h("td", {colspan: columns.length}, detail(row))));
  }

  function line(row) {
    const act = detail ? () => unfold(tr, row) : open ? () => open(row) : null;
    const tr = h("tr" + (act ? ".item" : ""), act && {tabindex: "-1", "aria-expanded": detail ? "false" : null, click: (event) => {
      if (!event.target.closest("a, button") && !String(getSelection())) act();
    }}, columns.map((column) => h("td." + (column.kind || "name"), null, column.cell(row))));
    tr.act = act;
    if (place) tr.dataset.place = place(row);
    return tr;
  }

  function draw() {
    const shown = view.slice(first, first + PAGE_ROWS);
    heads.forEach((th, at) => th.setAttribute("aria-sort", at !== order.at ? "none" : order.down ? "descending" : "ascending"));
    body.replaceChildren(...shown.map(line));
    if (!shown.length) body.append(h("tr", null, h("td.quiet", {colspan: columns.length}, rows.length ? "nothing matches" : empty || "nothing")));
    said.textContent = view.length > PAGE_ROWS ? `${count(first + 1)}\u2013${count(first + shown.length)} of ${count(view.length)}`
      : view.length < rows.length ? `${count(view.length)} of ${count(rows.length)}` : rows.length > 0 ? `${count(rows.length)} in all` : "";
    pager.hidden = view.length <= PAGE_ROWS;
    back.disabled = first === 0;
    on.disabled = first + PAGE_ROWS >= view.length;
  }

  arrange();
  return {
    root,
    /* Only rows that pass; null for all. */
    limit: (test) => { only = test; filter.value = ""; find(""); },
    /* Shows the page with the row and returns its <tr>; null when a filter hides it. */
    reveal: (test) => {
      let at = view.findIndex(test);
      if (at < 0 && term) {
        filter.value = "";
        find("");
        at = view.findIndex(test);
      }
      if (at < 0) return null;
      first = at - at % PAGE_ROWS;
      draw();
      return body.children[at - first];
    },
  };
}
