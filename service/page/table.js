// A table as the page knows it: columns of numbers, with what had to be done to get there.

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {"number" | "text"} kind
 * @property {Float64Array} values NaN where a cell is missing
 * @property {number} missing cells
 * @property {number} strays text cells of a column of numbers, which count as missing
 * @property {string[] | null} labels the texts behind the codes
 * @property {boolean} rounded whether it has whole numbers too large to be exact
 * @property {boolean} constant
 * @property {boolean} empty
 */

/**
 * How a text file is read.
 * @typedef {object} Reading
 * @property {string} separator
 * @property {boolean} comma whether numbers have decimal commas
 * @property {boolean} headless whether the first line has no names
 */

/**
 * @typedef {object} Table
 * @property {string} title the file's name
 * @property {Column[]} columns
 * @property {number} rows
 * @property {string[]} remarks what had to be done to read it
 * @property {Reading} [reading] of a text file
 */

/** @typedef {string | number | bigint | boolean | Date | null | undefined} Cell */

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
// As pandas reads CSV, and infinities, which no estimate could use.
const MISSING = new Set(
  [
    "",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "#NA",
    "<NA>",
    "NaN",
    "nan",
    "-NaN",
    "-nan",
    "NULL",
    "null",
    "None",
  ].concat(["inf", "-inf", "+inf", "Inf", "-Inf", "Infinity", "-Infinity"]),
);
const MIN_NUMERIC = 0.9; // of the cells that are there have to be numbers, or the column is text
const EXACT = 2 ** 53;

/**
 * A table of named columns of raw cells.
 * @param {string} title
 * @param {string[]} names
 * @param {ArrayLike<Cell>[]} cells
 * @param {string[]} [remarks]
 * @returns {Table}
 */
export function table(title, names, cells, remarks = []) {
  return {
    title,
    columns: distinct(names).map((name, j) => column(name, cells[j])),
    rows: cells[0].length,
    remarks,
  };
}

/**
 * Names that differ, as pandas makes them: the second "a" becomes "a.1", no name "Unnamed: 3" by its place.
 * @param {string[]} names
 */
function distinct(names) {
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
 * @returns {Column}
 */
function column(name, cells) {
  const parsed = Array.from(cells, number);
  const there = Array.from(cells, (cell) => !isMissing(cell));
  const present = there.filter(Boolean).length;
  const numeric = parsed.filter((v, i) => there[i] && v !== null).length;
  const content =
    present === 0 || numeric >= MIN_NUMERIC * present
      ? numbers(parsed, present - numeric)
      : codes(cells, there);
  const values = content.values.filter((v) => !Number.isNaN(v));
  const constant = values.length > 0 && values.every((v) => v === values[0]);
  return {
    name,
    missing: cells.length - values.length - content.strays,
    constant,
    empty: !values.length,
    ...content,
  };
}

/** @typedef {Pick<Column, "kind" | "values" | "strays" | "labels" | "rounded">} Content of a column */

/**
 * @param {(number | null)[]} parsed
 * @param {number} strays
 * @returns {Content}
 */
function numbers(parsed, strays) {
  const values = Float64Array.from(parsed, (v) => (v === null || !Number.isFinite(v) ? NaN : v));
  const rounded = values.some((v) => Number.isInteger(v) && Math.abs(v) > EXACT);
  return { kind: "number", values, strays, labels: null, rounded };
}

/**
 * Texts as whole numbers, in the order of the alphabet.
 * @param {ArrayLike<Cell>} cells
 * @param {boolean[]} there
 * @returns {Content}
 */
function codes(cells, there) {
  const texts = Array.from(cells, (cell) => String(cell).trim());
  const labels = [...new Set(texts.filter((_, i) => there[i]))].sort((a, b) => (a < b ? -1 : 1));
  const code = new Map(labels.map((text, i) => [text, i]));
  const values = Float64Array.from(texts, (text, i) => (there[i] ? (code.get(text) ?? NaN) : NaN));
  return { kind: "text", values, strays: 0, labels, rounded: false };
}

/** @param {Cell} cell */
function isMissing(cell) {
  if (cell === null || cell === undefined) return true;
  if (typeof cell === "number") return !Number.isFinite(cell);
  return typeof cell === "string" && MISSING.has(cell.trim());
}

/**
 * A cell as a number, or null where it is none; dates count in milliseconds.
 * @param {Cell} cell
 */
function number(cell) {
  if (typeof cell === "number" || typeof cell === "bigint") return Number(cell);
  if (cell instanceof Date) return cell.getTime();
  return typeof cell === "string" && NUMBER.test(cell.trim()) ? Number(cell) : null;
}

/**
 * Whether a text is a number or a missing cell: a first line of such is no line of names.
 * @param {string} text
 */
export const isValue = (text) => number(text) !== null || isMissing(text);
