// Results as flat records, as the Python library makes them.

import { THRESHOLD, below, convert, interval, quantile } from "./posterior.js";

/** The middle of an answer in a unit: { mi, low, high, median, below }. */
export function summary(answer, unit, level = 0.9) {
  const [low, high] = interval(answer, level);
  const [mi, a, b, median] = [answer.mi, low, high, quantile(answer, 0.5)].map((nats) => convert(nats, unit));
  return { mi, low: a, high: b, median, below: below(answer, THRESHOLD) };
}

const NONE = { mi: null, low: null, high: null, median: null, below: null };

/** One result as a record. */
export function record({ x, y, n, dropped, answer, error, codes }, unit) {
  const numbers = answer ? summary(answer, unit) : NONE;
  const warnings = [...codes, ...(answer?.warnings ?? []).map(({ code }) => code)].join(" ");
  return { x, y, ...numbers, n, dropped, in_range: answer?.in_range ?? null, warnings, error: error ?? null };
}

/** Results with the strongest first, those without an answer last. */
export const sorted = (results) => results.toSorted((a, b) => (b.answer?.mi ?? -1) - (a.answer?.mi ?? -1));
