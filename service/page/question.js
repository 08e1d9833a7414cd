// What is asked: columns by name, and the form in which they are chosen.

import { at, choice, el, fill, shown } from "./dom.js";
import { picker } from "./picker.js";
import { seconds } from "./asker.js";
import { count, duration, plural } from "./words.js";

const ABOUT = {
  pair: "How much the columns of x say about those of y: one column a side, or several as one.",
  target: "How much each column says about one of them.",
  pairs: "Every column with every other.",
};
const MANY = 40; // columns from which all pairs are not proposed
const SLOW = 3; // seconds from which a question says how long it will take

/** A question about a table: what a fragment asks for as far as the table has it, else what is likely. */
export function proposed(table, asked) {
  const names = table.columns.map(({ name }) => name);
  const known = (list) => (list ?? []).filter((name) => names.includes(name));
  const filled = table.columns.filter((column) => !column.empty);
  const varied = filled.filter((column) => !column.constant);
  const numbers = varied.filter(({ kind }) => kind === "number");
  const likely = (numbers.length > 1 ? numbers : varied).map(({ name }) => name);
  const [first, last] = [likely[0] ?? names[0], likely.at(-1) ?? names.at(-1)];
  const x = known(asked.x).length ? known(asked.x) : [first];
  const beside = (list) => list.filter((name) => !x.includes(name));
  const y = beside(known(asked.y));
  const columns = known(asked.columns).length ? known(asked.columns) : filled.map(({ name }) => name);
  return {
    mode: asked.mode ?? "pair",
    x: new Set(x), y: new Set(y.length ? y : [beside([...names, ...likely]).at(-1) ?? last]),
    target: names.includes(asked.target) ? asked.target : last,
    columns: new Set(asked.mode === "pairs" && !asked.columns ? columns.slice(0, MANY) : columns),
  };
}

/** Puts the form of a question on the page. */
export function showForm(table, question, changed) {
  at("question").hidden = false;
  at("modes").querySelector(`[value="${question.mode}"]`).checked = true;
  at("mode-about").textContent = ABOUT[question.mode];
  const { columns } = table;
  const place = columns.findIndex(({ name }) => name === question.target);
  const target = (i) => {
    question.target = columns[i].name;
    changed();
  };
  const parts = {
    pair: () => [picker("x", columns, question.x, changed), picker("y", columns, question.y, changed)],
    target: () => [choice("Target", columns.map(({ name }) => shown(name)), place, target), picker("Columns", columns, question.columns, changed, true)],
    pairs: () => [picker("Columns", columns, question.columns, changed, true)],
  };
  fill(at("pickers"), parts[question.mode]());
}

/** The pairs of columns of a question about many. */
export function pairsOf(table, { mode, target, columns }) {
  const chosen = table.columns.filter(({ name }) => columns.has(name));
  if (mode === "target") {
    const aim = table.columns.find(({ name }) => name === target);
    return chosen.filter((column) => column !== aim).map((column) => [column, aim]);
  }
  return chosen.flatMap((a, i) => chosen.slice(i + 1).map((b) => [a, b]));
}

/** The columns of one side, in the order of the table. */
export const side = (table, names) => table.columns.filter(({ name }) => names.has(name));

/** Says what the button would do, and how long it would take; disables it where nothing can be asked. */
export function showCost(table, question, limits) {
  const [button, cost] = [at("run"), at("cost")];
  const { mode, x, y, columns } = question;
  let [pairs, wrong] = [1, ""];
  if (table.columns.length < 2) wrong = "The table has one column; a question needs two.";
  else if (mode === "pair") {
    if (!x.size || !y.size) wrong = "Choose at least one column for x and one for y.";
    else if ([...x].some((name) => y.has(name))) wrong = "A column stands on both sides.";
  } else {
    const others = columns.size - (mode === "target" && columns.has(question.target) ? 1 : 0);
    pairs = mode === "target" ? others : (columns.size * (columns.size - 1)) / 2;
    if (!pairs) wrong = mode === "target" ? "Choose at least one column beside the target." : "Choose at least two columns.";
  }
  button.disabled = Boolean(wrong);
  button.textContent = pairs > 1 ? `Estimate ${count(pairs)} pairs` : "Estimate";
  const long = limits ? seconds(pairs, table.rows, limits) : 0;
  fill(cost, wrong || (long > SLOW ? `${duration(long)} at this service's pace` : ""));
}

/** Says which table it is and what had to be done to read it. */
export function showTable(table) {
  const text = table.columns.filter(({ kind }) => kind === "text").length;
  const gaps = table.columns.filter(({ missing, strays }) => missing + strays).length;
  const size = `${plural(table.rows, "row")}, ${plural(table.columns.length, "column")}`;
  const said = [
    text ? `${plural(text, "column")} of text: sent as codes, one whole number for each value, in the order of the alphabet.` : null,
    gaps ? `${plural(gaps, "column has", "columns have")} missing cells: their rows are left out, for each pair by itself.` : null,
    ...table.remarks,
  ];
  const place = at("table");
  place.hidden = false;
  fill(place, el("p", {}, el("b", {}, table.title), ` – ${size}`), said.filter(Boolean).map((line) => el("p.quiet", {}, line)));
}
