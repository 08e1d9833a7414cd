// Whether the dependence of a pair could be chance: its estimate beside those of surrogates, in which the rows of y
// come in other orders. p = (1 + those with no smaller an estimate) / (1 + all), as in sdk/questions/significance.py.

import { estimateAll } from "./batches.js";
import { surrogates } from "./surrogates.js";
import { count } from "./words.js";

/** @import { Api } from "./api.js" */
/** @import { Reply } from "./batches.js" */
/** @import { Problem } from "./problem.js" */
/** @import { Kind, Order } from "./surrogates.js" */
/** @import { Tools } from "./work.js" */

/**
 * A test of the independence of a pair.
 * @typedef {object} Test
 * @property {Kind} kind
 * @property {number[]} values the estimates of the surrogates, in nats
 * @property {number} least how many of them are no smaller than that of the pair
 * @property {number} pvalue
 * @property {string[]} remarks
 */

export const COUNT = 99; // surrogates, which give p-values in steps of 0.01
const MIN_ROWS = 50;
const MAX_ROWS = 20_000; // of more, a browser holds and sends too much
const ROUNDING = 1e-4; // nats by which estimates differ that are the same but for rounding
const SELDOM = 0.05; // p-values up to which chance alone is called seldom

/**
 * Why a sample is not tested here, or null.
 * @param {number} n rows
 */
export function untested(n) {
  if (n < MIN_ROWS) return `A test needs at least ${MIN_ROWS} complete rows; these are ${n}.`;
  if (n > MAX_ROWS)
    return `This page tests up to ${count(MAX_ROWS)} rows; in Python, mizzle.test takes more.`;
  return null;
}

/**
 * @param {number} estimate
 * @param {number[]} values
 */
export function significance(estimate, values) {
  const least = values.filter((value) => value >= estimate - ROUNDING).length;
  return { least, pvalue: (1 + least) / (1 + values.length) };
}

/**
 * Tests a pair by estimates that the service makes of surrogates.
 * @param {Pick<Api, "batch" | "limits">} api
 * @param {Problem} problem
 * @param {number} estimate of the pair, in nats
 * @param {Kind} kind
 * @param {Tools} tools
 * @returns {Promise<Test>}
 */
export async function test(api, problem, estimate, kind, { signal, progress, waiting }) {
  const limits = await api.limits(signal);
  const { total, orders, remarks } = surrogates(kind, problem, COUNT);
  /** @type {Reply[]} */
  const results = Array.from({ length: total }, () => ({}));
  progress(0, total);
  /** @param {number} done */
  const answered = (done) => progress(done, total);
  await estimateAll(api, reordered(problem, orders), limits, results, {
    signal,
    waiting,
    progress: answered,
  });
  const values = results.map(({ answer, error }) => {
    if (!answer) throw Object.assign(new Error(error ?? ""), { expected: true });
    return answer.mi;
  });
  return { kind, values, ...significance(estimate, values), remarks };
}

/**
 * Problems with the rows of y in other orders, made one by one.
 * @param {Problem} problem
 * @param {Iterable<Order>} orders
 */
function* reordered(problem, orders) {
  let place = 0;
  for (const order of orders) {
    const y = problem.y.map((column) => Float64Array.from(order, (i) => column[i]));
    yield { ...problem, y, place };
    place += 1;
  }
}

/** @type {Record<Kind, string>} */
const ORDERS = { shuffle: "shuffles", shift: "circular shifts", local: "permutations" };

/**
 * What a test has found, in sentences.
 * @param {Test} test
 */
export function finding({ kind, values, least, pvalue }) {
  const verdict = pvalue <= SELDOM ? "chance alone seldom does this" : "chance alone could do this";
  const [total, y] = [values.length, `Of ${values.length} ${ORDERS[kind]} of y,`];
  const share = least > 1 ? `${least} share` : least ? "1 shares" : "none shares";
  const end = least ? "" : `; ${total} can show no smaller p`;
  return `p = ${pvalue.toFixed(2)}: ${verdict}. ${y} ${share} as much with x${end}.`;
}
