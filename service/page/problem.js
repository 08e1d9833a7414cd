// Questions as problems: which rows two sides have in common, and which numbers are sent.

import { plural } from "./words.js";

/**
 * A problem of two sides.
 * @returns {{x: Float64Array[], y: Float64Array[], n: number, dropped: number}} dropped: rows with a missing cell
 */
export function problem(x, y, rows) {
  const all = [...x, ...y];
  const kept = [];
  for (let i = 0; i < rows; i += 1) if (!all.some((column) => Number.isNaN(column.values[i]))) kept.push(i);
  const pick = (side) => side.map(({ values }) => Float64Array.from(kept, (i) => values[i]));
  return { x: pick(x), y: pick(y), n: kept.length, dropped: rows - kept.length };
}

/** Why a problem is not even sent, or null. */
export function refusal({ x, y, n }, limits) {
  if (n < limits.min_rows) {
    return `Only ${n} complete rows are left; at least ${limits.min_rows} are needed.`;
  }
  const widest = Math.max(x.length, y.length);
  if (widest > limits.max_columns) {
    return `A side has ${widest} columns; this service covers up to ${limits.max_columns}. Choose fewer.`;
  }
  return null;
}

/** What the page did to columns before it asked, in codes. */
export const codes = (columns) => (columns.some(({ kind }) => kind === "text") ? ["coded"] : []);

/** What the page did to columns before it asked, in sentences. */
export function remarks(columns, dropped, rows) {
  const coded = columns.filter((column) => column.kind === "text");
  const stray = columns.filter((column) => column.strays);
  const rounded = columns.filter((column) => column.rounded);
  const said = [];
  if (dropped) said.push({ text: `${share(dropped, rows)} left out: a cell is missing in one of the columns.` });
  for (const column of coded) {
    said.push({ name: column.name, text: ` is text; its ${plural(column.labels.length, "value was", "values were")} sent as codes.` });
  }
  for (const column of stray) {
    said.push({ name: column.name, text: ` has ${plural(column.strays, "cell")} of text among numbers, counted as missing.` });
  }
  for (const column of rounded) {
    said.push({ name: column.name, text: " has whole numbers beyond 2^53, which were rounded." });
  }
  return said;
}

const share = (dropped, rows) => (dropped === 1 ? `1 row of ${rows} was` : `${dropped} rows of ${rows} were`);
