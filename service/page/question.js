// What is asked: columns by name, and the form in which they are chosen.

import { seconds } from "./batches.js";
import { buttonById, byId, choice, el, expect, fill, visible } from "./dom.js";
import { picker } from "./picker.js";
import { count, duration, plural } from "./words.js";

/** @import { Limits } from "./api.js" */
/** @import { Fragment, Mode } from "./fragment.js" */
/** @import { Column, Table } from "./table.js" */

/**
 * Columns by their names.
 * @typedef {object} Question
 * @property {Mode} mode
 * @property {Set<string>} x
 * @property {Set<string>} y
 * @property {Set<string>} given what is known beside a pair
 * @property {string} target
 * @property {Set<string>} columns
 */

const ABOUT = {
  pair: "How much the columns of x say about those of y: one column a side, or several as one.",
  target: "How much each column says about one of them.",
  pairs: "Every column with every other.",
};
const MANY = 40; // columns from which all pairs are not proposed
const SLOW = 3; // seconds from which a question says how long it will take

/**
 * A question about a table: what a fragment wants as far as the table has it, else what is likely.
 * @param {Table} table
 * @param {Fragment} wanted
 * @returns {Question}
 */
export function proposed(table, wanted) {
  const names = table.columns.map(({ name }) => name);
  /** @param {string[]} [list] */
  const known = (list) => (list ?? []).filter((name) => names.includes(name));
  const filled = table.columns.filter((column) => !column.empty);
  const varied = filled.filter((column) => !column.constant);
  const numbers = varied.filter(({ kind }) => kind === "number");
  const likely = (numbers.length > 1 ? numbers : varied).map(({ name }) => name);
  const [first, last] = [likely[0] ?? names[0], likely.at(-1) ?? names[names.length - 1]];
  const x = known(wanted.x).length ? known(wanted.x) : [first];
  /** @param {string[]} list */
  const others = (list) => list.filter((name) => !x.includes(name));
  const y = others(known(wanted.y));
  const second = y.length ? y : [others([...names, ...likely]).at(-1) ?? last];
  const columns = known(wanted.columns).length ? known(wanted.columns) : filled.map(({ name }) => name);
  return {
    mode: wanted.mode ?? "pair",
    x: new Set(x),
    y: new Set(second),
    given: new Set(others(known(wanted.given)).filter((name) => !second.includes(name))),
    target: wanted.target && names.includes(wanted.target) ? wanted.target : last,
    columns: new Set(wanted.mode === "pairs" && !wanted.columns ? columns.slice(0, MANY) : columns),
  };
}

/**
 * Puts the form of a question on the page.
 * @param {Table} table
 * @param {Question} question changed in place
 * @param {() => void} onchange
 */
export function showForm(table, question, onchange) {
  byId("question").hidden = false;
  expect(byId("modes").querySelector(`[value="${question.mode}"]`), HTMLInputElement).checked = true;
  byId("mode-about").textContent = ABOUT[question.mode];
  const { columns } = table;
  const place = columns.findIndex(({ name }) => name === question.target);
  /** @param {number} i */
  const target = (i) => {
    question.target = columns[i].name;
    onchange();
  };
  const parts = {
    pair: () => [
      picker("x", columns, question.x, onchange),
      picker("y", columns, question.y, onchange),
      el(
        "details",
        { open: question.given.size > 0 },
        el("summary", {}, "Given: where others are known (optional)"),
        picker("given", columns, question.given, onchange),
      ),
    ],
    target: () => [
      choice(
        "Target",
        columns.map(({ name }) => visible(name)),
        place,
        target,
      ),
      picker("Columns", columns, question.columns, onchange, true),
    ],
    pairs: () => [picker("Columns", columns, question.columns, onchange, true)],
  };
  fill(byId("pickers"), parts[question.mode]());
}

/**
 * The pairs of columns of a question about many.
 * @param {Table} table
 * @param {Pick<Question, "mode" | "target" | "columns">} question
 * @returns {[Column, Column][]}
 */
export function pairsOf(table, { mode, target, columns }) {
  const chosen = table.columns.filter(({ name }) => columns.has(name));
  if (mode === "target") {
    const aim = table.columns.find(({ name }) => name === target);
    return aim ? chosen.filter((column) => column !== aim).map((column) => [column, aim]) : [];
  }
  return chosen.flatMap((a, i) => chosen.slice(i + 1).map((b) => /** @type {[Column, Column]} */ ([a, b])));
}

/**
 * The columns of one side, in the order of the table.
 * @param {Table} table
 * @param {Set<string>} names
 */
export const side = (table, names) => table.columns.filter(({ name }) => names.has(name));

/**
 * Says what the button would do, and how long it would take; disables it where nothing can be estimated.
 * @param {Table} table
 * @param {Question} question
 * @param {Limits | null} limits
 */
export function showCost(table, question, limits) {
  const [button, cost] = [buttonById("run"), byId("cost")];
  const { mode, x, y, given, columns } = question;
  let [pairs, wrong] = [1, ""];
  if (table.columns.length < 2) wrong = "The table has one column; a question needs two.";
  else if (mode === "pair") {
    if (!x.size || !y.size) wrong = "Choose at least one column for x and one for y.";
    else if ([...x].some((name) => y.has(name))) wrong = "A column stands on both sides.";
    else if ([...x, ...y].some((name) => given.has(name))) wrong = "A column of x or y is given, too.";
  } else {
    const others = columns.size - (mode === "target" && columns.has(question.target) ? 1 : 0);
    pairs = mode === "target" ? others : (columns.size * (columns.size - 1)) / 2;
    if (!pairs)
      wrong =
        mode === "target" ? "Choose at least one column beside the target." : "Choose at least two columns.";
  }
  button.disabled = Boolean(wrong);
  button.textContent = pairs > 1 ? `Estimate ${count(pairs)} pairs` : "Estimate";
  const long = limits ? seconds(pairs, table.rows, limits) : 0;
  fill(cost, wrong || (long > SLOW ? `${duration(long)} at this service's pace` : ""));
}

/**
 * Says which table it is and what had to be done to read it.
 * @param {Table} table
 */
export function showTable(table) {
  const text = table.columns.filter(({ kind }) => kind === "text").length;
  const gaps = table.columns.filter(({ missing, strays }) => missing + strays).length;
  const size = `${plural(table.rows, "row")}, ${plural(table.columns.length, "column")}`;
  const lines = [
    text
      ? `${plural(text, "column")} of text: sent as codes, one whole number for each value, the most frequent first.`
      : null,
    gaps
      ? `${plural(gaps, "column has", "columns have")} missing cells: their rows are left out, for each pair by itself.`
      : null,
    ...table.remarks,
  ];
  const place = byId("table");
  place.hidden = false;
  fill(
    place,
    el("p", {}, el("b", {}, table.title), ` – ${size}`),
    lines.filter(Boolean).map((line) => el("p.quiet", {}, line)),
  );
}
