// A table as the page knows it: columns of numbers, with what had to be done to get there.

import { exact, isMissing, MARKERS, number, times } from "./cells.js";
import { visible } from "./dom.js";
import { otherThanLabels } from "./labels.js";

/** @import { Cell } from "./cells.js" */

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {"number" | "text"} kind
 * @property {Float64Array} values NaN where a cell is missing
 * @property {number} missing cells
 * @property {Map<string, number>} markers how many cells are missing by which text
 * @property {number} strays text cells of a column of numbers, which count as missing
 * @property {string[] | null} labels the texts behind the codes
 * @property {boolean} timed whether the values are times, in milliseconds, that were text
 * @property {boolean} constant
 * @property {boolean} empty
 */

/**
 * How a text file is read.
 * @typedef {object} Reading
 * @property {string} separator
 * @property {boolean} comma whether numbers have decimal commas
 * @property {boolean} headless whether the first line has no names
 * @property {string[]} [markers] of missing cells that pandas does not know
 */

/**
 * @typedef {object} Table
 * @property {string} title the file's name
 * @property {Column[]} columns
 * @property {number} rows
 * @property {string[]} remarks what had to be done to read it
 * @property {Reading} [reading] of a text file
 */

const MIN_NUMERIC = 0.9; // of the cells that are there have to be numbers, or the column is none of numbers
const EXACT = 2 ** 53;
const LISTED = 4; // columns of a remark

/**
 * A table of named columns of raw cells; those that hold neither numbers, times nor labels are left out.
 * @param {string} title
 * @param {string[]} names
 * @param {ArrayLike<Cell>[]} cells
 * @param {string[]} [remarks]
 * @returns {Table}
 */
export function table(title, names, cells, remarks = []) {
  const all = distinct(names).map((name, j) => column(name, cells[j]));
  const columns = all.filter((each) => "values" in each);
  const unusable = all.flatMap((each) =>
    "values" in each ? [] : [`${visible(each.name)} (${each.unusable})`],
  );
  const counts = columns.flatMap(({ name, markers }) => {
    const listed = [...markers].map(([marker, count]) => `${count} × ${marker}`).join(", ");
    return listed ? [`${listed} in ${visible(name)}`] : [];
  });
  const more = [];
  if (counts.length) more.push(`Read as missing: ${some(counts)}.`);
  if (unusable.length)
    more.push(`Left out, since they are neither numbers, dates nor labels: ${some(unusable)}.`);
  return { title, columns, rows: cells[0].length, remarks: [...remarks, ...more] };
}

/**
 * The first of a list, and how many more there are.
 * @param {string[]} items
 */
export const some = (items) =>
  items.slice(0, LISTED).join(", ") + (items.length > LISTED ? ` and ${items.length - LISTED} more` : "");

/**
 * Names that differ, as pandas makes them: the second "a" becomes "a.1", no name "Unnamed: 3" by its place.
 * @param {string[]} names
 */
export function distinct(names) {
  const taken = new Set(names);
  const used = new Set();
  return names.map((raw, j) => {
    const name = raw || `Unnamed: ${j}`;
    let free = name;
    for (let i = 1; used.has(free); i += 1) if (!taken.has(`${name}.${i}`)) free = `${name}.${i}`;
    used.add(free);
    return free;
  });
}

/**
 * @param {string} name
 * @param {ArrayLike<Cell>} cells
 * @returns {Column | {name: string, unusable: string}}
 */
function column(name, cells) {
  const there = Array.from(cells, (cell) => !isMissing(cell));
  const content = contentOf(cells, there);
  if (typeof content === "string") return { name, unusable: content };
  const values = content.values.filter((v) => !Number.isNaN(v));
  return {
    name,
    missing: cells.length - values.length - content.strays,
    markers: marked(cells),
    constant: values.length > 0 && values.every((v) => v === values[0]),
    empty: !values.length,
    ...content,
  };
}

/** @typedef {Pick<Column, "kind" | "values" | "strays" | "labels" | "timed">} Content of a column */

/**
 * What a column holds, or, in words, what it holds that cannot be used.
 * @param {ArrayLike<Cell>} cells
 * @param {boolean[]} there
 * @returns {Content | string}
 */
function contentOf(cells, there) {
  const parsed = Array.from(cells, number);
  const present = there.filter(Boolean).length;
  const numeric = parsed.filter((v, i) => there[i] && v !== null).length;
  if (numeric >= MIN_NUMERIC * present) return numbers(cells, parsed, present - numeric);
  const texts = Array.from(cells, (cell) => String(cell).trim());
  const shown = texts.filter((_, i) => there[i]);
  const different = [...new Set(shown)];
  // Numbers are labels among more different labels that are words, as 4, f and r for driven wheels.
  const figures = different.filter((text) => number(text) !== null).length;
  if (figures && 2 * figures < different.length && !otherThanLabels(different, present))
    return codes(texts, there);
  if (numeric)
    return (
      otherThanLabels(different, present).match(/^numbers with (?:commas|percent).*/)?.[0] ??
      "numbers and text"
    );
  const moments = times(shown);
  if (moments)
    return { kind: "number", values: spread(moments, there), strays: 0, labels: null, timed: true };
  return otherThanLabels(different, present) || codes(texts, there);
}

/**
 * @param {ArrayLike<Cell>} cells
 * @param {(number | null)[]} parsed
 * @param {number} strays
 * @returns {Content}
 */
function numbers(cells, parsed, strays) {
  const values = Float64Array.from(parsed, (v) => (v === null || !Number.isFinite(v) ? NaN : v));
  const large = values.some((v, i) => Math.abs(v) >= EXACT && typeof exact(cells[i]) === "bigint");
  return {
    kind: "number",
    values: large ? ranks(cells, values) : values,
    strays,
    labels: null,
    timed: false,
  };
}

/**
 * Ranks from 0 in place of whole numbers that would be rounded; only the order counts.
 * @param {ArrayLike<Cell>} cells
 * @param {Float64Array} values
 */
function ranks(cells, values) {
  const numbers = Array.from(values, (v, i) => (Number.isNaN(v) ? null : exact(cells[i])));
  const sorted = numbers.flatMap((v) => (v === null ? [] : [v])).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  /** @type {Map<string, number>} */
  const rank = new Map();
  for (const v of sorted) if (!rank.has(String(v))) rank.set(String(v), rank.size); // of 2 and 2n the same
  return Float64Array.from(numbers, (v) => (v === null ? NaN : (rank.get(String(v)) ?? NaN)));
}

/**
 * Labels as whole numbers, the most frequent first, those as frequent in the order of the alphabet.
 * @param {string[]} texts
 * @param {boolean[]} there
 * @returns {Content}
 */
function codes(texts, there) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const [i, text] of texts.entries()) if (there[i]) counts.set(text, (counts.get(text) ?? 0) + 1);
  const labels = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([text]) => text);
  const code = new Map(labels.map((text, i) => [text, i]));
  const values = Float64Array.from(texts, (text, i) => (there[i] ? (code.get(text) ?? NaN) : NaN));
  return { kind: "text", values, strays: 0, labels, timed: false };
}

/**
 * Values at their rows, NaN elsewhere.
 * @param {number[]} values
 * @param {boolean[]} there
 */
function spread(values, there) {
  let i = 0;
  return Float64Array.from(there, (present) => (present ? values[i++] : NaN));
}

/**
 * How many cells are missing by which text.
 * @param {ArrayLike<Cell>} cells
 */
function marked(cells) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const cell of Array.from(cells)) {
    const text = typeof cell === "string" ? cell.trim() : "";
    if (MARKERS.includes(text)) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return counts;
}
