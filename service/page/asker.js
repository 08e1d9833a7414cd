// Many problems as few requests: packed by what the service takes, a few under way at once, answers in order.

import { cells } from "./cost.js";
import { room, safetensors } from "./encode.js";
import { codes, problem, refusal } from "./problem.js";

// Both packs together may wait at the service, so that nothing that the page sends is in the way of the rest.
const CONCURRENCY = 2;
const FEW = 8; // problems of a pack, whatever they cost: the service lets 16 wait
const HEADER_BYTES = 400; // of a problem in the header of a body, at most

/** Problems as packs, in order, each half of what may wait at the service. */
export function packs(problems, limits) {
  const most = {
    cells: Math.min(limits.max_request_cells, limits.queue_cells / CONCURRENCY),
    bytes: limits.max_body_bytes,
    count: limits.max_request_problems,
  };
  const made = [];
  let used = null;
  for (const each of problems) {
    const bytes = room(each.x) + room(each.y) + HEADER_BYTES;
    const cost = cells(each.n, each.x.length, each.y.length);
    const count = made.at(-1)?.length;
    const waits = used && used.cells + cost <= (count < FEW ? limits.max_request_cells : most.cells);
    if (!waits || used.bytes + bytes > most.bytes || count >= most.count) {
      made.push([]);
      used = { cells: 0, bytes: HEADER_BYTES };
    }
    made.at(-1).push(each);
    used = { cells: used.cells + cost, bytes: used.bytes + bytes };
  }
  return made;
}

/** The whole work in as few bodies as the service takes: for those who want to send them themselves. */
export const bodies = (problems, limits) => packs(problems, { ...limits, queue_cells: Infinity }).map(safetensors);

/** Seconds that so many pairs of columns of n rows take, at the service's present pace. */
export const seconds = (pairs, rows, limits) => (pairs * cells(rows, 1, 1)) / limits.cells_per_second;

/**
 * Asks about pairs of columns, one pack after another.
 * @param {[object, object][]} pairs of columns
 * @param {object[]} results one place a pair, filled as the answers come: { x, y, n, dropped, answer } or { .., error };
 *   a pair that has its answer there already is not asked about
 * @param {(done: number) => void} progress how many pairs are answered
 */
export async function askPairs(api, pairs, rows, limits, results, { signal, progress, waiting }) {
  const queue = groups(pairs, rows, limits, results);
  let done = 0;
  const work = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      const { pack, skipped } = next.value;
      if (pack.length) await ask(api, pack, results, { signal, waiting });
      done += pack.length + skipped;
      progress(done);
    }
  };
  const stop = new AbortController();
  signal = AbortSignal.any([signal, stop.signal]);
  try {
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
  } finally {
    stop.abort(); // one has failed for good: what the others still ask for is of no use
  }
}

/** Packs of problems, made only when they are about to be sent: all of them would not fit into memory. */
function* groups(pairs, rows, limits, results) {
  let pending = [];
  let skipped = 0;
  for (const [i, [a, b]] of pairs.entries()) {
    if (results[i]?.answer) {
      skipped += 1;
      continue;
    }
    const made = problem([a], [b], rows);
    const reason = refusal(made, limits);
    results[i] = { x: a.name, y: b.name, n: made.n, dropped: made.dropped, codes: codes([a, b]), error: reason };
    if (reason) skipped += 1;
    else pending.push({ ...made, place: i });
    const ready = packs(pending, limits);
    if (ready.length > 1) {
      yield { pack: ready[0], skipped };
      pending = ready[1];
      skipped = 0;
    }
  }
  yield { pack: pending, skipped };
}

async function ask(api, pack, results, options) {
  const answers = await api.batch(safetensors(pack), options);
  pack.forEach(({ place }, i) => {
    const { estimate, error } = answers[i];
    Object.assign(results[place], error ? { error: error.detail } : { answer: estimate });
  });
}
