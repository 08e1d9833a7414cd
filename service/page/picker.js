// Choosing columns: boxes with a filter, each with what is to be known of it.

import { button, el, named, shown } from "./dom.js";
import { plural } from "./words.js";

const FILTER_FROM = 9; // columns

/** What is to be known about a column before it is chosen. */
export function about(column) {
  if (column.empty) return "empty";
  const said = [];
  if (column.kind === "text") said.push(plural(column.labels.length, "text value"));
  if (column.constant) said.push("constant");
  const missing = column.missing + column.strays;
  if (missing) said.push(`${missing} missing`);
  return said.join(", ");
}

/**
 * Boxes for any number of columns.
 * @param {string} title
 * @param {object[]} columns
 * @param {Set<string>} chosen names; it is changed in place
 * @param {() => void} changed told after every change
 * @param {boolean} all whether to offer all and none
 */
export function picker(title, columns, chosen, changed, all = false) {
  const boxes = columns.map((column) => box(column, chosen, () => told()));
  const rows = boxes.map(({ row }) => row);
  const said = el("span", {});
  const count = () => (said.textContent = chosen.size ? `${chosen.size} of ${columns.length}` : "none chosen");
  const told = () => {
    count();
    changed();
  };
  const set = (value) => {
    for (const { row, input, column } of boxes) {
      if (row.hidden) continue;
      input.checked = value;
      chosen[value ? "add" : "delete"](column.name);
    }
    told();
  };
  const tools = [];
  if (columns.length >= FILTER_FROM) tools.push(filter(title, boxes));
  if (all) tools.push(button("All", () => set(true), small(`All of ${title}`)), button("None", () => set(false), small(`None of ${title}`)));
  const list = el("ul", { "aria-label": title }, rows);
  count();
  bring(boxes, list);
  return el("fieldset.picker", {}, el("legend", {}, title, said), tools.length ? el("div", {}, tools) : null, list);
}

/** Scrolls a list, once it is on the page, to its first chosen box. */
function bring(boxes, list) {
  const first = boxes.find(({ input }) => input.checked);
  if (first) requestAnimationFrame(() => (list.scrollTop = first.row.offsetTop - list.offsetTop - 4));
}

const small = (title) => ({ className: "small", "aria-label": title });

function box(column, chosen, changed) {
  const toggle = () => {
    chosen[input.checked ? "add" : "delete"](column.name);
    changed();
  };
  const input = el("input", { type: "checkbox", checked: chosen.has(column.name), onchange: toggle });
  const name = named(column.name);
  name.title = shown(column.name);
  const row = el("li", {}, el("label", {}, input, name, el("small", {}, about(column))));
  return { row, input, column };
}

function filter(title, boxes) {
  const hide = () => {
    const wanted = input.value.toLowerCase();
    for (const { row, column } of boxes) row.hidden = !column.name.toLowerCase().includes(wanted);
  };
  const input = el("input", { type: "search", placeholder: "Find", "aria-label": `Find in ${title}`, oninput: hide });
  return input;
}
