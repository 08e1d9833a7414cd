// What can be read off an answer of the service: a mean and quantiles, in nats.

/** @import { Unit } from "./settings.js" */

/**
 * An estimate as the service answers, with quantiles by their levels, such as "0.05".
 * @typedef {object} Answer
 * @property {number} mi the mean, in nats
 * @property {Record<string, number>} quantiles in nats
 * @property {boolean} in_range
 * @property {{code: string, message: string}[]} warnings
 */

/** @typedef {Pick<Answer, "quantiles">} Quantiles */

const PER_NAT = { nats: 1, bits: 1 / Math.LN2 };

/**
 * An amount in nats in another unit.
 * @param {number} nats
 * @param {Unit} unit
 */
export const convert = (nats, unit) => nats * PER_NAT[unit];

/**
 * Levels and values of an answer, both increasing.
 * @param {Quantiles} answer
 */
export function quantiles(answer) {
  /** @type {[number, number][]} */
  const pairs = Object.entries(answer.quantiles).map(([level, value]) => [Number(level), value]);
  return pairs.sort((a, b) => a[0] - b[0]);
}

/**
 * The quantile at a level, linear between those of the answer.
 * @param {Quantiles} answer
 * @param {number} level
 */
export function quantile(answer, level) {
  const known = quantiles(answer);
  const after = known.findIndex(([at]) => at >= level - 1e-12);
  if (after <= 0) return known[after === 0 ? 0 : known.length - 1][1];
  const [[a, low], [b, high]] = [known[after - 1], known[after]];
  return low + ((level - a) / (b - a)) * (high - low);
}

/**
 * The central interval of a probability.
 * @param {Quantiles} answer
 * @param {number} level
 * @returns {[number, number]}
 */
export const interval = (answer, level) => [
  quantile(answer, 0.5 - level / 2),
  quantile(answer, 0.5 + level / 2),
];

/**
 * The share of the posterior below a threshold above 0, as Estimate.below in Python has it.
 * @param {Quantiles} answer
 * @param {number} threshold in nats
 */
export function below(answer, threshold) {
  const known = quantiles(answer);
  const last = known[known.length - 1];
  const after = known.findIndex(([, value]) => value >= threshold);
  if (after < 0) return known[0][1] === last[1] ? 1 : last[0];
  const [[a, low], [b, high]] = [after === 0 ? [0, 0] : known[after - 1], known[after]];
  return a + ((threshold - low) / (high - low)) * (b - a);
}

/**
 * The correlation of two normal variables with so much information.
 * @param {number} nats
 */
export const correlation = (nats) => Math.sqrt(-Math.expm1(-2 * Math.max(nats, 0)));
