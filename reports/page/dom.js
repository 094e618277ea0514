/* SPDX-License-Identifier: Apache-2.0 */
/* dom: elements, numbers and SQL for all parts of the page. Text only ever becomes text nodes: nothing in a report can become markup. */
const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

/* Characters that would draw nothing, or turn what stands beside them around, as what they are. */
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb]/g;
const visible = (text) => text.replace(UNSEEN, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
const parsed = (json) => JSON.parse(json, (key, value) => (typeof value === "string" ? visible(value) : value));

/* h("a.link", {href}, "text", child, null): attributes that are functions are listeners, true is an empty attribute. */
function h(what, attributes, ...children) {
  const [tag, ...classes] = what.split(".");
  const e = document.createElement(tag || "div");
  if (classes.length) e.className = classes.join(" ");
  for (const key in attributes || {}) {
    const value = attributes[key];
    if (typeof value === "function") e.addEventListener(key, value);
    else if (value === true) e.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) e.setAttribute(key, value);
  }
  e.append(...children.flat(9).filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}

const count = (n) => n.toLocaleString("en");
const plural = (n, one, many) => `${count(n)} ${n === 1 ? one : many || one + "s"}`;
const percent = (share) => (share >= 0.995 ? "100" : share >= 0.1 ? (share * 100).toFixed(0) : (share * 100).toFixed(1)) + "%";

/* Milliseconds as people read them, without a unit in tables. */
function ms(value) {
  if (value === 0) return "0";
  if (value < 0.1) return value.toFixed(3);
  if (value < 10) return value.toFixed(2);
  if (value < 100) return value.toFixed(1);
  return count(Math.round(value));
}
const time = (value) => (value >= 10000 ? (value / 1000).toFixed(1) + " s" : ms(value) + " ms");
const shortId = (fingerprint) => (fingerprint ? "q" + fingerprint.slice(0, 7) : "");

const SQL_WORDS = new Set(("ALL AND ANY AS ASC BEGIN BETWEEN BY CASE CAST COMMIT CROSS DELETE DESC DISTINCT DO ELSE END EXCEPT EXISTS FALSE FETCH " +
  "FOR FROM FULL GROUP HAVING ILIKE IN INNER INSERT INTERSECT INTERVAL INTO IS JOIN KEY LATERAL LEFT LIKE LIMIT LOCK NATURAL NOT NULL OF " +
  "OFFSET ON OR ORDER OUTER OVER PARTITION RELEASE RETURNING RIGHT ROLLBACK ROW ROWS SAVEPOINT SELECT SET SHARE SHOW SKIP START TABLE THEN TO " +
  "TRANSACTION TRUE UNION UPDATE USE USING VALUES WHEN WHERE WITH").split(" "));
const SQL_PARTS = /("(?:[^"]|"")*"|`[^`]*`)|([A-Za-z_][A-Za-z0-9_$]*)|(\?)|([\s\S])/g;

/* Keywords and placeholders stand out a little; everything else is as it was. */
function sql(text) {
  const out = h("code.sql");
  let plain = "";
  const flush = () => { if (plain) out.append(plain); plain = ""; };
  for (const [part, , word, mark] of text.slice(0, 20000).matchAll(SQL_PARTS)) {
    if (mark || (word && SQL_WORDS.has(word.toUpperCase()))) {
      flush();
      out.append(h(mark ? "i" : "b", null, part));
    } else plain += part;
  }
  flush();
  if (text.length > 20000) out.append("\u2026");
  return out;
}

/* A shape by its index: its id and one line of SQL, the whole of it on a click. */
function shapeLine(doc, index, open) {
  const shape = doc.report.shapes[index];
  if (!shape) return h("span.quiet", null, "(a shape that was not kept)");
  const short = doc.page.shapes[index].short;
  const holder = h("span.shape", null, h("a.id", {href: "#query/" + shape.fingerprint}, shortId(shape.fingerprint)), " ");
  if (open) holder.append(sql(shape.shape));
  else holder.append(h("button.sqlmore", {type: "button", "aria-expanded": "false", title: "show all of it", click: (event) => {
    const whole = event.currentTarget.getAttribute("aria-expanded") === "false";
    event.currentTarget.setAttribute("aria-expanded", whole);
    event.currentTarget.replaceChildren(sql(whole ? shape.shape : short));
    event.stopPropagation();
  }}, sql(short)));
  return holder;
}

const badge = (kind, ...text) => h("span.badge." + kind, null, ...text);
const RULES = {"n-plus-one": "N+1", duplicate: "duplicate", "write-loop": "write loop", "slow-query": "slow query", "slow-request": "slow request",
  "large-result": "large result", "idle-in-transaction": "idle in transaction", "prepare-churn": "prepare churn", "query-error": "query error",
  "cross-scope-repeat": "cross-scope repeat", "query-budget": "budget"};
const ruleName = (rule) => RULES[rule] || rule;
const scopeLink = (scope) => "#scope/" + encodeURIComponent(scope);
