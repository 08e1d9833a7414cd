// Orders of the rows of y in which it shares nothing more with x but by chance, as sdk/questions/surrogates.py and
// local_permutations.py draw them. The same seed draws the same orders again.

/** @import { Problem } from "./problem.js" */

/** @typedef {"shuffle" | "shift" | "local"} Kind */
/** @typedef {ArrayLike<number>} Order which row comes where */

/**
 * @typedef {object} Surrogates
 * @property {number} total
 * @property {Iterable<Order>} orders
 * @property {string[]} remarks sentences
 */

const SEED = 0;
const HALF = 0.5; // of the autocorrelation of ranks
const LONGEST = 8; // it is followed up to one part in so many of the rows
const NEIGHBOURS = 5; // among which rows are permuted where something is given (Runge 2018)

/**
 * How surrogates of a problem are drawn.
 * @param {Kind} kind
 * @param {Pick<Problem, "x" | "y" | "given" | "n">} problem
 * @param {number} count how many are wanted
 * @returns {Surrogates}
 */
export function surrogates(kind, { x, y, given = [], n }, count) {
  const random = d3.randomLcg(SEED);
  if (kind === "shift") return shifts([...x, ...y], n, count, random);
  const draw = kind === "local" ? local(neighbours(given, n, random), random) : () => shuffled(n, random);
  return { total: count, orders: repeated(draw, count), remarks: [] };
}

/**
 * @param {() => Order} draw
 * @param {number} count
 */
function* repeated(draw, count) {
  for (let i = 0; i < count; i += 1) yield draw();
}

/**
 * Whole numbers from 0, in an order by chance.
 * @param {number} n
 * @param {() => number} random
 * @returns {number[]}
 */
const shuffled = (n, random) => d3.shuffler(random)(Array.from({ length: n }, (_, i) => i));

/**
 * The circle of rows turned, each time by another number of them and never by fewer than both series remember.
 * @param {Float64Array[]} columns
 * @param {number} n
 * @param {number} wanted
 * @param {() => number} random
 */
function shifts(columns, n, wanted, random) {
  const length = Math.max(...columns.map(autocorrelationLength));
  const ways = n - 2 * length + 1;
  const steps = shuffled(ways, random).slice(0, wanted);
  const orders = steps.map((step) => Array.from({ length: n }, (_, i) => (i + length + step) % n));
  const remarks = [];
  if (length >= Math.floor(n / LONGEST))
    remarks.push(
      "A series stays correlated with itself over an eighth of its rows, as trends and random walks do: the p-value is too small. Take differences from row to row.",
    );
  if (ways < wanted)
    remarks.push(`The rows can be turned in only ${ways} ways, each of which was taken once.`);
  return { total: steps.length, orders, remarks };
}

/**
 * Rows after which a series has forgotten half of itself, by ranks; at least 1, and an eighth of all at most.
 * @param {Float64Array} column
 */
export function autocorrelationLength(column) {
  const values = new Float64Array(new Set(column)).sort();
  const place = new Map(Array.from(values, (v, i) => [v, i]));
  const ranks = Float64Array.from(column, (v) => place.get(v) ?? 0);
  const mean = ranks.reduce((sum, v) => sum + v, 0) / ranks.length;
  const centred = ranks.map((v) => v - mean);
  /** @param {number} lag */
  const covariance = (lag) => {
    let sum = 0;
    for (let i = lag; i < centred.length; i += 1) sum += centred[i] * centred[i - lag];
    return sum;
  };
  const [variance, longest] = [covariance(0), Math.max(1, Math.floor(column.length / LONGEST))];
  let lag = 1;
  while (lag < longest && variance > 0 && covariance(lag) >= HALF * variance) lag += 1;
  return lag;
}

/**
 * The rows nearest to each by what is given, by the largest difference of ranks, itself among them; equal ones come
 * by chance.
 * @param {Float64Array[]} given
 * @param {number} n
 * @param {() => number} random
 * @returns {number[][]}
 */
export function neighbours(given, n, random) {
  const order = shuffled(n, random);
  const count = Math.min(NEIGHBOURS, n);
  if (given.length === 1) return window(given[0], order, count);
  const ranks = given.map((column) => {
    const sorted = column.slice().sort();
    return Float64Array.from(column, (v) => d3.bisectLeft(sorted, v));
  });
  return Array.from({ length: n }, (_, i) => nearest(ranks, i, order, count));
}

/**
 * The nearest of one column are a window of it as it is sorted.
 * @param {Float64Array} column
 * @param {number[]} order in which equal values come
 * @param {number} count
 */
function window(column, order, count) {
  const sorted = order.slice().sort((i, j) => column[i] - column[j]);
  /** @type {number[][]} */
  const places = new Array(column.length);
  for (const [place, i] of sorted.entries()) {
    const start = Math.min(Math.max(place - Math.floor(count / 2), 0), column.length - count);
    places[i] = sorted.slice(start, start + count);
  }
  return places;
}

/**
 * @param {Float64Array[]} ranks
 * @param {number} i a row
 * @param {number[]} order in which the others are looked at
 * @param {number} count
 */
function nearest(ranks, i, order, count) {
  const rows = new Array(count).fill(-1);
  const distances = new Array(count).fill(Infinity);
  for (const j of order) {
    let distance = 0;
    for (const column of ranks) distance = Math.max(distance, Math.abs(column[i] - column[j]));
    let place = count;
    while (place > 0 && distance < distances[place - 1]) place -= 1;
    if (place === count) continue;
    rows.splice(place, 0, j);
    distances.splice(place, 0, distance);
    rows.pop();
    distances.pop();
  }
  return rows;
}

/**
 * Draws, for each row by turns in an order by chance, one of its neighbours that no row has yet, or any of them.
 * @param {number[][]} neighbourhoods
 * @param {() => number} random
 */
function local(neighbourhoods, random) {
  const shuffle = d3.shuffler(random);
  const n = neighbourhoods.length;
  return () => {
    const used = new Uint8Array(n);
    const result = new Int32Array(n);
    for (const i of shuffled(n, random)) {
      const candidates = shuffle(neighbourhoods[i].slice());
      const chosen = candidates.find((/** @type {number} */ j) => !used[j]) ?? candidates[0];
      used[chosen] = 1;
      result[i] = chosen;
    }
    return result;
  };
}
