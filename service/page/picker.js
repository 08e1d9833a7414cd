// Choosing columns: boxes with a filter, each with what is to be known of it.

import { button, el, named, visible } from "./dom.js";
import { plural } from "./words.js";

/** @import { Column } from "./table.js" */

/** @typedef {{row: HTMLLIElement, input: HTMLInputElement, column: Column}} Box */

const FILTER_FROM = 9; // columns

/**
 * What is to be known about a column before it is chosen.
 * @param {Column} column
 */
export function about(column) {
  if (column.empty) return "empty";
  const facts = [];
  if (column.labels) facts.push(plural(column.labels.length, "text value"));
  if (column.constant) facts.push("constant");
  const missing = column.missing + column.strays;
  if (missing) facts.push(`${missing} missing`);
  return facts.join(", ");
}

/**
 * Boxes for any number of columns.
 * @param {string} title
 * @param {Column[]} columns
 * @param {Set<string>} chosen names; it is changed in place
 * @param {() => void} onchange called after every change
 * @param {boolean} [all] whether to offer all and none
 */
export function picker(title, columns, chosen, onchange, all = false) {
  const boxes = columns.map((column) => box(column, chosen, () => update()));
  const rows = boxes.map(({ row }) => row);
  const counter = el("span", {});
  const count = () => {
    counter.textContent = chosen.size ? `${chosen.size} of ${columns.length}` : "none chosen";
  };
  const update = () => {
    count();
    onchange();
  };
  /** @param {boolean} value */
  const set = (value) => {
    for (const { row, input, column } of boxes) {
      if (row.hidden) continue;
      input.checked = value;
      chosen[value ? "add" : "delete"](column.name);
    }
    update();
  };
  const tools = [];
  if (columns.length >= FILTER_FROM) tools.push(filter(title, boxes));
  if (all)
    tools.push(
      button("All", () => set(true), small(`All of ${title}`)),
      button("None", () => set(false), small(`None of ${title}`)),
    );
  const list = el("ul", { "aria-label": title }, rows);
  count();
  scroll(boxes, list);
  return el(
    "fieldset.picker",
    {},
    el("legend", {}, title, counter),
    tools.length ? el("div", {}, tools) : null,
    list,
  );
}

/**
 * Scrolls a list, once it is on the page, to its first chosen box.
 * @param {Box[]} boxes
 * @param {HTMLElement} list
 */
function scroll(boxes, list) {
  const first = boxes.find(({ input }) => input.checked);
  if (!first) return;
  requestAnimationFrame(() => {
    list.scrollTop = first.row.offsetTop - list.offsetTop - 4;
  });
}

/** @param {string} title */
const small = (title) => ({ className: "small", "aria-label": title });

/**
 * @param {Column} column
 * @param {Set<string>} chosen
 * @param {() => void} onchange
 * @returns {Box}
 */
function box(column, chosen, onchange) {
  const toggle = () => {
    chosen[input.checked ? "add" : "delete"](column.name);
    onchange();
  };
  const input = el("input", { type: "checkbox", checked: chosen.has(column.name), onchange: toggle });
  const name = named(column.name);
  name.title = visible(column.name);
  const row = el("li", {}, el("label", {}, input, name, el("small", {}, about(column))));
  return { row, input, column };
}

/**
 * @param {string} title
 * @param {Box[]} boxes
 */
function filter(title, boxes) {
  const hide = () => {
    const wanted = input.value.toLowerCase();
    for (const { row, column } of boxes) row.hidden = !column.name.toLowerCase().includes(wanted);
  };
  const input = el("input", {
    type: "search",
    placeholder: "Find",
    "aria-label": `Find in ${title}`,
    oninput: hide,
  });
  return input;
}
