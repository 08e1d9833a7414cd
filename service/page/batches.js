// Many problems as few requests: packed by what the service takes, a few under way at once, answers in order.

import { cells, cost } from "./cost.js";
import { room, safetensors } from "./encode.js";
import { codes, problem, refusal } from "./problem.js";

/** @import { Api, Limits, RequestOptions } from "./api.js" */
/** @import { Problem } from "./problem.js" */
/** @import { Result } from "./records.js" */
/** @import { Column } from "./table.js" */

/** @typedef {Problem & {place: number}} Pending a problem and the place of its result */
/** @typedef {Pick<Result, "answer" | "error">} Reply what became of a problem */
/** @typedef {RequestOptions & {signal: AbortSignal, progress: (done: number) => void}} Options progress: how many are answered */

// All batches together may wait at the service, so that nothing that the page sends is in the way of the rest.
const CONCURRENCY = 2;
const ALWAYS_ADMITTED = 16; // problems that may wait, whatever they cost, where the service does not say
const HEADER_BYTES = 400; // of a problem in the header of a body, at most

/**
 * Problems as batches, in order, each half of what may wait at the service.
 * @template {Pick<Problem, "x" | "y" | "given" | "n">} P
 * @param {P[]} problems
 * @param {Limits} limits
 */
export function batches(problems, limits) {
  const admitted = Math.floor((limits.always_admitted_problems ?? ALWAYS_ADMITTED) / CONCURRENCY);
  const capacity = Math.min(limits.max_request_cells, limits.queue_cells / CONCURRENCY);
  /** @type {P[][]} */
  const full = [];
  /** @type {P[]} */
  let batch = [];
  let used = { cells: 0, bytes: HEADER_BYTES };
  for (const each of problems) {
    const { x, y, given = [] } = each;
    const [bytes, price] = [room([...x, ...y, ...given]) + HEADER_BYTES, cost(each)];
    const parts = given.length ? 2 : 1; // problems that it is to the service
    const few = parts * batch.length < admitted;
    const affordable = used.cells + price <= (few ? limits.max_request_cells : capacity);
    const fits = used.bytes + bytes <= limits.max_body_bytes && batch.length < limits.max_request_problems;
    if (batch.length && !(affordable && fits)) {
      full.push(batch);
      batch = [];
      used = { cells: 0, bytes: HEADER_BYTES };
    }
    batch.push(each);
    used = { cells: used.cells + price, bytes: used.bytes + bytes };
  }
  return batch.length ? [...full, batch] : full;
}

/**
 * Seconds that so many pairs of columns of n rows take, at the service's present pace.
 * @param {number} pairs
 * @param {number} rows
 * @param {Limits} limits
 */
export const seconds = (pairs, rows, limits) => (pairs * cells(rows, 1, 1)) / limits.cells_per_second;

/**
 * Estimates pairs of columns, one batch after another.
 * @param {Pick<Api, "batch">} api
 * @param {[Column, Column][]} pairs
 * @param {number} rows
 * @param {Limits} limits
 * @param {Result[]} results one place a pair, filled as the answers come; a pair that has its answer there already
 *   is not sent again
 * @param {Options} options
 */
export const estimatePairs = (api, pairs, rows, limits, results, options) =>
  estimateAll(api, pendingPairs(pairs, rows, limits, results), limits, results, options);

/**
 * Estimates problems, one batch after another.
 * @param {Pick<Api, "batch">} api
 * @param {Iterable<Pending | null>} problems made only when they are about to be sent: all of them would not fit into
 *   memory; null in the place of one that is not sent
 * @param {Limits} limits
 * @param {Reply[]} results one place a problem, filled as the answers come
 * @param {Options} options
 */
export async function estimateAll(api, problems, limits, results, { signal, progress, waiting }) {
  const queue = packed(problems, limits);
  const stop = new AbortController();
  const options = { signal: AbortSignal.any([signal, stop.signal]), waiting };
  let done = 0;
  const work = async () => {
    for (const { batch, skipped } of queue) {
      if (batch.length) await send(api, batch, results, options);
      done += batch.length + skipped;
      progress(done);
    }
  };
  try {
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
  } finally {
    stop.abort(); // a batch has failed for good: what the others still send is of no use
  }
}

/**
 * The problems of pairs that have no answer, each with its result begun.
 * @param {[Column, Column][]} pairs
 * @param {number} rows
 * @param {Limits} limits
 * @param {Result[]} results
 */
function* pendingPairs(pairs, rows, limits, results) {
  for (const [place, [a, b]] of pairs.entries()) {
    if (results[place]?.answer) {
      yield null;
      continue;
    }
    const sides = problem([a], [b], rows);
    const { n, dropped } = sides;
    const error = refusal(sides, limits);
    results[place] = { x: a.name, y: b.name, n, dropped, codes: codes([a, b]), error };
    yield error ? null : { ...sides, place };
  }
}

/**
 * Problems in batches, with how many were not sent meanwhile.
 * @param {Iterable<Pending | null>} problems
 * @param {Limits} limits
 */
function* packed(problems, limits) {
  /** @type {Pending[]} */
  let pending = [];
  let skipped = 0;
  for (const each of problems) {
    if (each) pending.push(each);
    else skipped += 1;
    const [ready, rest] = batches(pending, limits);
    if (rest) {
      yield { batch: ready, skipped };
      pending = rest;
      skipped = 0;
    }
  }
  yield { batch: pending, skipped };
}

/**
 * @param {Pick<Api, "batch">} api
 * @param {Pending[]} batch
 * @param {Reply[]} results
 * @param {RequestOptions} options
 */
async function send(api, batch, results, options) {
  const answers = await api.batch(safetensors(batch), options);
  for (const [i, { place }] of batch.entries()) {
    const { estimate, error } = answers[i];
    Object.assign(results[place], error ? { error: error.detail } : { answer: estimate });
  }
}
