import assert from "node:assert/strict";
import test from "node:test";

import { batches, estimatePairs, seconds } from "../../../service/page/batches.js";
import { table } from "../../../service/page/table.js";

const ROWS = 16;
const CELLS = 160; // of a pair of columns of so many rows
const LIMITS = {
  min_rows: 10,
  max_columns: 64,
  max_body_bytes: 1e6,
  max_request_cells: 1e6,
  max_request_problems: 1000,
  queue_cells: 2e6,
  cells_per_second: 1600,
};
const WIDE = table(
  "t",
  ["a", "b", "c", "d", "e", "f"],
  Array.from({ length: 6 }, (_, j) => Array.from({ length: ROWS }, (_, i) => (i * (j + 2)) % 7)),
);
const PAIRS = WIDE.columns.flatMap((a, i) => WIDE.columns.slice(i + 1).map((b) => [a, b]));
const problems = (count) =>
  Array.from({ length: count }, (_, i) => ({
    i,
    x: [new Float64Array(ROWS)],
    y: [new Float64Array(ROWS)],
    n: ROWS,
  }));
const sizes = (count, limits) =>
  batches(problems(count), { ...LIMITS, ...limits }).map((batch) => batch.length);

/** A service that answers each problem with its place among all that it was sent. */
class Service {
  sent = 0;
  underway = 0;
  most = 0;
  signals = [];

  /** @param {(bodies: number) => void} [before] may throw instead of an answer */
  constructor(before = () => {}) {
    this.before = before;
  }

  batch = async (body, { signal }) => {
    this.signals.push(signal);
    this.underway += 1;
    this.most = Math.max(this.most, this.underway);
    await new Promise(setImmediate);
    this.underway -= 1;
    signal.throwIfAborted();
    this.before(this.signals.length);
    const size = Number(new DataView(body.buffer).getBigUint64(0, true));
    const header = JSON.parse(Buffer.from(body.slice(8, 8 + size)).toString());
    const count = Object.keys(header).filter((name) => name.startsWith("x.")).length;
    const answers = Array.from({ length: count }, (_, i) => ({ estimate: { mi: this.sent + i + 1 } }));
    this.sent += count;
    return answers;
  };
}

const options = (progress = () => {}) => ({ signal: new AbortController().signal, progress });

test("batches keep the order, and none is empty", () => {
  const split = batches(problems(10), { ...LIMITS, max_request_problems: 4 });
  assert.deepEqual(
    split.map((batch) => batch.map(({ i }) => i)),
    [
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ],
  );
  assert.deepEqual(batches([], LIMITS), []);
});

test("a batch takes half of the queue, but its first few whatever they cost", () => {
  assert.deepEqual(sizes(100, { queue_cells: 2 * 40 * CELLS }), [40, 40, 20]);
  assert.deepEqual(sizes(20, { queue_cells: CELLS, always_admitted_problems: 10 }), [5, 5, 5, 5]);
  assert.deepEqual(sizes(3, { queue_cells: CELLS, always_admitted_problems: 0 }), [1, 1, 1]);
});

test("a problem with something given counts as two", () => {
  const given = problems(5).map((each) => ({ ...each, given: [new Float64Array(ROWS)] }));
  const size = (limits) => batches(given, { ...LIMITS, ...limits }).map((batch) => batch.length);
  assert.deepEqual(size({ queue_cells: 0, always_admitted_problems: 4 }), [1, 1, 1, 1, 1]);
  assert.deepEqual(size({ queue_cells: 0, always_admitted_problems: 8 }), [2, 2, 1]);
  assert.deepEqual(size({ max_body_bytes: 400 + 2 * (400 + 3 * 8 * ROWS) }), [2, 2, 1]);
});

test("a service that does not say how many it always admits lets sixteen wait", () => {
  assert.deepEqual(sizes(20, { queue_cells: CELLS }), [8, 8, 4]);
});

test("a request never exceeds its cells and bytes, and a problem that does goes alone", () => {
  assert.deepEqual(sizes(7, { max_request_cells: 3 * CELLS }), [3, 3, 1]);
  assert.deepEqual(sizes(5, { max_body_bytes: 400 + 2 * (400 + 2 * 8 * ROWS) }), [2, 2, 1]);
  assert.deepEqual(sizes(3, { max_request_cells: 1 }), [1, 1, 1]);
});

test("seconds are cells by the service's pace", () => {
  assert.equal(seconds(100, ROWS, LIMITS), 10);
});

test("every pair gets the answer of its own problem, and progress counts them", async () => {
  const results = [];
  const done = [];
  await estimatePairs(
    new Service(),
    PAIRS,
    ROWS,
    { ...LIMITS, max_request_problems: 4 },
    results,
    options((n) => done.push(n)),
  );
  assert.deepEqual(
    results.map(({ x, y }) => [x, y]),
    PAIRS.map(([a, b]) => [a.name, b.name]),
  );
  assert.deepEqual(
    results.map(({ answer }) => answer.mi),
    Array.from({ length: 15 }, (_, i) => i + 1),
  );
  assert.deepEqual(done, [4, 8, 12, 15]);
});

test("two requests are under way at once, and no more", async () => {
  const service = new Service();
  await estimatePairs(service, PAIRS, ROWS, { ...LIMITS, max_request_problems: 2 }, [], options());
  assert.equal(service.most, 2);
});

test("a pair that has its answer is not sent again", async () => {
  const results = [];
  results[3] = { x: "a", y: "e", answer: { mi: -1 } };
  const service = new Service();
  const done = [];
  await estimatePairs(
    service,
    PAIRS,
    ROWS,
    LIMITS,
    results,
    options((n) => done.push(n)),
  );
  assert.equal(service.sent, 14);
  assert.equal(results[3].answer.mi, -1);
  assert.equal(done.at(-1), 15);
});

test("a pair with too few rows is refused here, and nothing is sent where all are", async () => {
  const service = new Service();
  const results = [];
  const done = [];
  await estimatePairs(
    service,
    PAIRS,
    ROWS,
    { ...LIMITS, min_rows: 17 },
    results,
    options((n) => done.push(n)),
  );
  assert.ok(results.every(({ error, answer }) => /^Only 16 complete rows/.test(error) && !answer));
  assert.deepEqual([service.signals.length, done.at(-1)], [0, 15]);
});

test("an error of one problem is that of its pair", async () => {
  const results = [];
  const service = { batch: async () => [{ error: { detail: "no" } }, { estimate: { mi: 1 } }] };
  await estimatePairs(service, PAIRS.slice(0, 2), ROWS, LIMITS, results, options());
  assert.deepEqual(
    results.map(({ error, answer }) => [error, answer?.mi]),
    [
      ["no", undefined],
      [null, 1],
    ],
  );
});

test("a failure ends the other request, and keeps what was answered", async () => {
  const service = new Service((bodies) => {
    if (bodies > 3) throw new Error("gone");
  });
  const results = [];
  const work = estimatePairs(
    service,
    PAIRS,
    ROWS,
    { ...LIMITS, max_request_problems: 2 },
    results,
    options(),
  );
  await assert.rejects(work, /gone/);
  assert.ok(service.signals.every((signal) => signal.aborted));
  const answered = results.filter(({ answer }) => answer).length;
  assert.ok(answered >= 2 && answered < 15);
});

test("a signal of the caller ends the work", async () => {
  const stop = new AbortController();
  const progress = () => stop.abort();
  const work = estimatePairs(new Service(), PAIRS, ROWS, { ...LIMITS, max_request_problems: 2 }, [], {
    signal: stop.signal,
    progress,
  });
  await assert.rejects(work, { name: "AbortError" });
});
