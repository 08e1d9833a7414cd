// Numbers and counts as people write them.

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/**
 * A whole number with separators: 19,900.
 * @param {number} n
 */
export const count = (n) => grouped.format(n);

/**
 * "1 row", "2 rows"; `many` where an s does not do.
 * @param {number} n
 * @param {string} single
 * @param {string} [many]
 */
export const plural = (n, single, many = `${single}s`) => `${count(n)} ${n === 1 ? single : many}`;

/**
 * An amount of information with three decimals, or two from 10 on.
 * @param {number} value
 */
export const amount = (value) => value.toFixed(Math.abs(value) >= 10 ? 2 : 3);

/**
 * A share in percent; "< 0.5 %" and "> 99.5 %" where the quantiles end.
 * @param {number} share
 * @param {number} [least]
 */
export function percent(share, least = 0.005) {
  if (share < least) return "< 0.5 %";
  if (share >= 1 - least) return "> 99.5 %";
  return `${(100 * share).toFixed(share < 0.1 || share > 0.9 ? 1 : 0)} %`;
}

/**
 * Seconds in words, roughly.
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 1.5) return "about a second";
  if (seconds < 100) return `about ${Math.round(seconds)} seconds`;
  return `about ${Math.round(seconds / 60)} minutes`;
}
