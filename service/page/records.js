// Results as flat records, as the Python library makes them.

import { below, convert, interval, quantile } from "./posterior.js";
import { DEFAULT_LEVEL, DEFAULT_THRESHOLD } from "./settings.js";

/** @import { Answer } from "./posterior.js" */
/** @import { Unit } from "./settings.js" */

/**
 * What became of one pair: an answer or an error.
 * @typedef {object} Result
 * @property {string} x
 * @property {string} y
 * @property {string} [given]
 * @property {number} n complete rows
 * @property {number} dropped rows with a missing cell
 * @property {string[]} codes what the page did to the columns
 * @property {Answer} [answer]
 * @property {string | null} [error]
 * @property {number} [pvalue] where it was tested
 */

/**
 * The middle of an answer in a unit.
 * @param {Answer} answer
 * @param {Unit} unit
 * @param {number} [level]
 */
export function summary(answer, unit, level = DEFAULT_LEVEL) {
  const [low, high] = interval(answer, level).map((nats) => convert(nats, unit));
  const [mi, median] = [answer.mi, quantile(answer, 0.5)].map((nats) => convert(nats, unit));
  return { mi, low, high, median, below: below(answer, DEFAULT_THRESHOLD) };
}

const NONE = { mi: null, low: null, high: null, median: null, below: null };

/**
 * One result as a record.
 * @param {Result} result
 * @param {Unit} unit
 */
export function record({ x, y, given, n, dropped, answer, error, codes, pvalue }, unit) {
  const numbers = answer ? summary(answer, unit) : NONE;
  const warnings = [...codes, ...(answer?.warnings ?? []).map(({ code }) => code)].join(" ");
  const range = answer?.in_range ?? null;
  return {
    x,
    y,
    ...(given && { given }),
    ...numbers,
    n,
    dropped,
    in_range: range,
    warnings,
    error: error ?? null,
    ...(pvalue !== undefined && { pvalue }),
  };
}

/**
 * Results with the strongest first, those without an answer last.
 * @template {{answer?: Answer}} R
 * @param {R[]} results
 */
export const sorted = (results) => results.toSorted((a, b) => (b.answer?.mi ?? -1) - (a.answer?.mi ?? -1));
