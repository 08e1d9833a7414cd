// Questions as problems: which rows the sides have in common, and which numbers are sent.

import { plural } from "./words.js";

/** @import { Column } from "./table.js" */
/** @import { Limits } from "./api.js" */

/**
 * The complete rows of two sides, and of what is given beside them, ready to be sent.
 * @typedef {object} Problem
 * @property {Float64Array[]} x columns
 * @property {Float64Array[]} y columns
 * @property {Float64Array[]} [given] columns
 * @property {number} n rows
 * @property {number} dropped rows with a missing cell
 */

/**
 * A problem of two sides.
 * @param {Column[]} x
 * @param {Column[]} y
 * @param {number} rows of the table
 * @param {Column[]} [given]
 * @returns {Required<Problem>}
 */
export function problem(x, y, rows, given = []) {
  const columns = [...x, ...y, ...given];
  /** @type {number[]} */
  const complete = [];
  for (let i = 0; i < rows; i += 1)
    if (!columns.some(({ values }) => Number.isNaN(values[i]))) complete.push(i);
  /** @param {Column[]} side */
  const pick = (side) => side.map(({ values }) => Float64Array.from(complete, (i) => values[i]));
  return {
    x: pick(x),
    y: pick(y),
    given: pick(given),
    n: complete.length,
    dropped: rows - complete.length,
  };
}

/**
 * Why a problem is not even sent, or null.
 * @param {Pick<Problem, "x" | "y" | "given" | "n">} problem
 * @param {Pick<Limits, "min_rows" | "max_columns">} limits
 */
export function refusal({ x, y, given = [], n }, limits) {
  if (n < limits.min_rows) {
    return `Only ${n} complete rows are left; at least ${limits.min_rows} are needed.`;
  }
  const widest = Math.max(x.length, y.length) + given.length;
  if (widest > limits.max_columns) {
    return `A side${given.length ? " with what is given" : ""} has ${widest} columns; this service covers up to ${limits.max_columns}. Choose fewer.`;
  }
  return null;
}

/**
 * What the page did to columns before it sent them, in codes.
 * @param {Pick<Column, "kind" | "timed">[]} columns
 */
export const codes = (columns) => [
  ...(columns.some(({ kind }) => kind === "text") ? ["coded"] : []),
  ...(columns.some(({ timed }) => timed) ? ["time"] : []),
];

/**
 * What the page did to columns before it sent them, in sentences, some of which begin with a name.
 * @param {Column[]} columns
 * @param {number} dropped rows
 * @param {number} rows
 */
export function remarks(columns, dropped, rows) {
  /** @type {{name?: string, text: string}[]} */
  const list = [];
  if (dropped)
    list.push({ text: `${share(dropped, rows)} left out: a cell is missing in one of the columns.` });
  for (const { name, labels } of columns) {
    if (labels)
      list.push({
        name,
        text: ` is text; its ${plural(labels.length, "value was", "values were")} sent as codes.`,
      });
  }
  for (const { name, timed } of columns) {
    if (timed) list.push({ name, text: " holds dates or times, sent as numbers; only their order counts." });
  }
  for (const { name, strays } of columns) {
    if (strays)
      list.push({ name, text: ` has ${plural(strays, "cell")} of text among numbers, counted as missing.` });
  }
  return list;
}

/**
 * @param {number} dropped
 * @param {number} rows
 */
const share = (dropped, rows) => (dropped === 1 ? `1 row of ${rows} was` : `${dropped} rows of ${rows} were`);
